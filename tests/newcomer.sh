#!/usr/bin/env bash
# Plays the newcomer: does what docs/five-minutes.md says, word for word, in an empty folder, and holds it to the exit codes
# it promises. Then two workers, and a run that is killed.
#
#   tests/newcomer.sh WHEEL    (the wheel that `pip install loadgate` is to find)
set -u
wheel="$(realpath "$1")"
root="$(cd "$(dirname "$0")/.." && pwd)"
folder="$(mktemp -d)"
cd "$folder" || exit 1
finish() {
  for job in $(jobs -p); do kill "$job" 2>/dev/null; done
  rm -rf "$folder"
}
trap finish EXIT
fail() {
  echo "newcomer: FAILED: $*" >&2
  exit 1
}
unset CI GITHUB_ACTIONS GITLAB_CI TF_BUILD TEAMCITY_VERSION

# The snippets become files, the shell's blocks become steps. The wheel stands in for the package index.
# Another port than the manual's, as that may be taken here.
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
mkdir .steps
awk -v steps=.steps -v port="$port" '
  { gsub("18099", port) }
  /^```/ { if (open) { open = 0 } else { open = 1; kind = substr($0, 4); n += (kind == "sh"); file = "" } next }
  open && kind == "python" && file == "" { file = $2 }
  open && kind == "python" { print > file }
  open && kind == "sh" { print > sprintf("%s/%02d.sh", steps, n) }
' "$root/docs/five-minutes.md"
echo "loadgate @ file://$wheel" >.constraints
export PIP_CONSTRAINT="$folder/.constraints" PIP_DISABLE_PIP_VERSION_CHECK=1

listening() {
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
    sleep 0.1
  done
  fail "the server does not answer"
}

commands=0 verdict="" begin=$(date +%s%N)
for step in .steps/*.sh; do
  expected="$(sed -n 's/.*# exit code \([0-9]\)$/\1/p' "$step")"
  echo "newcomer: $ $(tr '\n' ';' <"$step" | cut -c1-150)"
  # shellcheck source=/dev/null
  . "$step" >.output 2>&1
  code=$?
  [ "$code" = "${expected:-0}" ] || { cat .output; fail "$step: exit code $code, expected ${expected:-0}"; }
  grep -q '&$' "$step" && listening
  if [ -z "$verdict" ]; then
    commands=$((commands + $(wc -l <"$step")))
    grep -q '^loadgate check' "$step" && verdict=$((($(date +%s%N) - begin) / 1000000)) && tail -1 .output
  fi
done
[ -n "$verdict" ] || fail "there was no verdict"
[ -s results/requests.jsonl ] && [ -s reports/report.html ] || fail "a file is missing"
grep -q '"rows":20' results/requests.jsonl || fail "the request's context is not in the log"
grep -q '"api_calls":2' results/requests.jsonl || fail "the response's header is not in the log"
grep -q 'generator_memory_mb' results/requests.jsonl || fail "there are no memory samples"
grep -q 'max(rows) <= 20' loadgate.toml || fail "init proposed no gate for a field"

# shellcheck disable=SC2054  # Locust takes its files separated by a comma
arguments=(-f locust_request_log.py,locustfile.py --headless --users 4 --spawn-rate 4 --host "http://127.0.0.1:$port"
  --csv results/run --exit-code-on-error 0 --only-summary --loglevel WARNING)
echo "newcomer: two workers"
locust "${arguments[@]}" --run-time 4s --processes 2 >.output 2>&1 || { cat .output; fail "locust with two workers"; }
[ -s results/requests-worker-0.jsonl ] && [ -s results/requests-worker-1.jsonl ] || fail "a worker has no log"
[ ! -e results/requests.jsonl ] || fail "the log of the run before is still there"
cat >one_run.py <<'END'
import json, sys
report = json.load(sys.stdin)
logged = sum(source["records"] for source in report["run"]["sources"] if source["format"] == "request-log")
assert 10 <= report["total"]["requests"] <= logged, report["total"]
assert report["outcome"]["verdict"] == "pass", report["outcome"]
END
loadgate check results/ --require 'requests >= 10' --config /dev/null --json - >.output || fail "the two logs cannot be read"
python one_run.py <.output || fail "the logs of the workers are not one run"

echo "newcomer: a run that is killed"
locust "${arguments[@]}" --run-time 60s >.output 2>&1 &
locust=$!
sleep 5
kill -KILL "$locust"
wait "$locust" 2>/dev/null
lines=$(wc -l <results/requests.jsonl)
[ "$lines" -ge 10 ] || fail "only $lines lines are left of a killed run"
loadgate check results/requests.jsonl --require 'requests >= 5' --config /dev/null --quiet || fail "the log of a killed run cannot be read"

printf 'newcomer: %s commands, %s.%03d s from pip install to the first verdict\n' "$commands" "$((verdict / 1000))" "$((verdict % 1000))"
