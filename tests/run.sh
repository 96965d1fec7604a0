#!/usr/bin/env bash
# run.sh MARKERS: the tests with these pytest markers, on SQLite, on PostgreSQL and in a browser; make test calls it.
#
#   TEST_DATABASE_URL   a PostgreSQL server to use instead of a throw-away one
#   REQUIRE_POSTGRES=1  no PostgreSQL is a failure (in CI); REQUIRE_BROWSER=1 the same for chromium and the tools of tests/web
#   COVERAGE=1          measures, and fails under the gate of pyproject.toml (in CI)
#   WORKERS=2           pytest processes side by side
#   PYTEST_ARGS         more arguments, such as "-x -k search", or "--tracing retain-on-failure" (twice as slow) in the browser
#
# The last line counts the tests of all parts: "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
markers=$1
pytest=(.venv/bin/python -m pytest --quiet)
workers=(-n "${WORKERS:-2}")
read -ra more <<<"${PYTEST_ARGS:-}"
coverage=()
if [ "${COVERAGE:-}" = 1 ]; then
    rm -f .cache/coverage
    coverage=(--cov --cov-append --cov-report= --cov-fail-under=0)
fi
failed=() skipped=()
reports=.cache/junit
rm -rf "$reports"

heading() { printf '\n== %s\n' "$*"; }

# part NAME COMMAND...: pytest says 5 when no test has these markers, which for the slow ones is no fault
part() {
    local name=$1 code=0
    shift
    heading "$name ($markers)"
    "$@" --junit-xml="$reports/$name.xml" "${coverage[@]}" "${more[@]}" || code=$?
    if [ $code = 5 ] && may_be_empty; then code=0; fi
    if [ $code != 0 ]; then failed+=("$name"); fi
}

may_be_empty() { [ "$markers" = slow ] || [ -n "${PYTEST_ARGS:-}" ]; }

# has_tests MARKERS PATH: whether a test is selected; a fault in collecting counts, so that the run itself shows it
has_tests() {
    local code=0
    "${pytest[@]}" --collect-only -m "$1" "$2" "${more[@]}" >/dev/null 2>&1 || code=$?
    [ $code != 5 ]
}

# counts FAILED...: "N passed, N failed" from the reports; a failed part without a failed test counts as one
counts() {
    .venv/bin/python - "$reports" "$@" <<'END'
import sys
from pathlib import Path
from xml.etree import ElementTree

reports, parts = Path(sys.argv[1]), sys.argv[2:]
passed, failed = 0, {}
for report in reports.glob("*.xml"):
    for case in ElementTree.parse(report).iter("testcase"):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            failed.setdefault(report.stem, set()).add((case.get("classname"), case.get("name")))
        elif "skipped" not in outcomes:
            passed += 1
alone = [part for part in parts if part not in failed]
print(f"{passed} passed, {sum(map(len, failed.values())) + len(alone)} failed")
END
}

# missing NAME WHAT REQUIRED
missing() {
    heading "$1: $2"
    if [ "$3" = 1 ]; then failed+=("$1"); else skipped+=("$1"); fi
}

unset DATABASE_URL
export LEERPUNT_MODE=development

part SQLite "${pytest[@]}" "${workers[@]}" -m "($markers) and not browser"

coverage=() # what follows runs the same lines again, more slowly
if [ -n "${TEST_DATABASE_URL:-}" ]; then
    part PostgreSQL env DATABASE_URL="$TEST_DATABASE_URL" "${pytest[@]}" "${workers[@]}" -m "($markers) and not browser"
elif bash tests/with_postgres.sh --find >/dev/null; then
    part PostgreSQL bash tests/with_postgres.sh "${pytest[@]}" "${workers[@]}" -m "($markers) and not browser"
else
    missing PostgreSQL "no server programs found and no TEST_DATABASE_URL" "${REQUIRE_POSTGRES:-}"
fi

# A process of its own: Playwright leaves an event loop running, and the other tests keep Django's guard against that.
for program in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    CHROMIUM=$(command -v "$program" 2>/dev/null) && break
done
if may_be_empty && ! has_tests "($markers) and browser" tests/browser; then
    heading "browser ($markers): no such tests"
elif [ -z "$CHROMIUM" ]; then
    missing browser "no chromium found" "${REQUIRE_BROWSER:-}"
elif ! command -v npm >/dev/null; then
    missing browser "no npm found, which fetches the accessibility checker" "${REQUIRE_BROWSER:-}"
elif [ ! -d tests/browser ]; then
    missing browser "no tests in tests/browser" "${REQUIRE_BROWSER:-}"
elif ! make --no-print-directory --silent web; then
    missing browser "npm could not install tests/web" 1
else
    export CHROMIUM AXE_JS="$PWD/tests/web/node_modules/axe-core/axe.min.js"
    export XDG_CONFIG_HOME="$PWD/.cache/xdg/config" XDG_CACHE_HOME="$PWD/.cache/xdg/cache" # chromium's own, not the user's
    part browser "${pytest[@]}" -m "($markers) and browser" tests/browser \
        --screenshot only-on-failure --output .cache/browser
fi

if [ "${COVERAGE:-}" = 1 ] && [ "$markers" != slow ]; then
    heading coverage
    .venv/bin/coverage report || failed+=(coverage)
fi

echo
if [ ${#skipped[@]} != 0 ]; then echo "NOT RUN: ${skipped[*]} (see above)"; fi
if [ ${#failed[@]} != 0 ]; then
    echo "FAILED: ${failed[*]}"
else
    echo "All ran, none failed (${markers})."
fi
counts "${failed[@]}"
[ ${#failed[@]} = 0 ]
