# jq: the figures of the total and of each endpoint, the intervals, statuses and errors; no peaks.
# Run as: jq -n --argjson interval MS --argjson origin MS -f jq.jq LOG
def at($q): . as $sorted | ((length - 1) * $q) as $h | ($h | floor) as $i
  | $sorted[$i] + ($h - $i) * (($sorted[$i + 1] // $sorted[$i]) - $sorted[$i]);
def figures: (map(.[3]) | sort) as $times | ($times | length) as $n | (($times | add) / $n) as $mean
  | [$n, (map(select(.[5] | not)) | length), $mean, (($times | map((. - $mean) * (. - $mean)) | add) / $n | sqrt),
     $times[0], $times[-1], ($times | at(0.5)), ($times | at(0.9)), ($times | at(0.95)), ($times | at(0.99)), ($times | at(0.999))];
def ms: (((.[0:19] + "Z") | fromdateiso8601) * 1000 + ((.[20:23]) | tonumber));
[inputs | [(.timestamp | ms), "\(.method) \(.name)", .users, .response_time_ms, .status, .success, .error]] as $all
| {
    run: [($all | map(.[0]) | min), ($all | map(.[0] + (.[3] | ceil)) | max), ($all | map(.[2]) | max)],
    total: ($all | figures),
    endpoints: ($all | group_by(.[1]) | map({key: .[0][1], value: figures}) | from_entries),
    statuses: ($all | group_by([.[1], .[4]]) | map([.[0][1], .[0][4], length])),
    errors: ($all | map(select(.[5] | not)) | group_by([.[1], .[4], .[6]])
      | map([.[0][1], .[0][4], .[0][6], length, (map(.[0]) | min), (map(.[0]) | max)])),
    intervals: ($all | group_by(((.[0] - $origin) / $interval) | floor) | map([((.[0][0] - $origin) / $interval | floor), length,
      (map(select(.[5] | not)) | length), (map(.[2]) | max)] + (map(.[3]) | sort | [at(0.5), at(0.95), at(0.99)])))
  }
