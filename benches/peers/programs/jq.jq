# jq: the figures of the total and of each endpoint, the intervals, statuses and errors; no peak.
# Run as: jq -n --argjson interval MS --argjson origin MS -f jq.jq LOG
def at($q): . as $sorted | ((length - 1) * $q) as $h | ($h | floor) as $i
  | $sorted[$i] + ($h - $i) * (($sorted[$i + 1] // $sorted[$i]) - $sorted[$i]);
def figures: (map(.[3]) | sort) as $times | ($times | length) as $n | (($times | add) / $n) as $mean
  | [$n, (map(select(.[5] | not)) | length), $mean, (($times | map((. - $mean) * (. - $mean)) | add) / $n | sqrt),
     $times[0], $times[-1], ($times | at(0.5)), ($times | at(0.9)), ($times | at(0.95)), ($times | at(0.99)), ($times | at(0.999))];
def counts(f): group_by(f) | map({key: (.[0] | f | tostring), value: length}) | from_entries;
[inputs | [.timestamp, .method, .name, .response_time_ms, .status, .success, .error]] as $all
| {
    total: ($all | figures),
    endpoints: ($all | group_by([.[1], .[2]]) | map({key: "\(.[0][1]) \(.[0][2])", value: figures}) | from_entries),
    intervals: ($all | map([((((.[0][0:19] + "Z") | fromdateiso8601) * 1000 - $origin) / $interval | floor), .[5], .[3]]) | group_by(.[0])
      | map([.[0][0], length, (map(select(.[1] | not)) | length), (map(.[2]) | sort | at(0.95))])),
    statuses: ($all | counts(.[4])),
    errors: ($all | map(select(.[5] | not)) | counts(.[6]))
  }
