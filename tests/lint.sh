#!/bin/sh
# Every lint there is, as TAP programs through the one runner.
set -u
bin=$1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cat > "$tmp/shellcheck" <<'SH'
#!/bin/sh
files=$(git ls-files '*.sh' '*.t' 'tests/faults/*/inject' 'tests/faults/*/heal' .ci/run tests/lab/fault-lib.sh | sort -u)
# shellcheck disable=SC2086
if out=$(shellcheck -S warning -e SC1090,SC1091,SC2046 $files 2>&1); then echo 'ok 1 - shellcheck'; else echo 'not ok 1 - shellcheck'; printf '%s\n' "$out" | head -n 40 | sed 's/^/  # /'; fi
echo 1..1
SH
cat > "$tmp/cppcheck" <<'SH'
#!/bin/sh
if out=$(cppcheck --quiet --enable=warning,portability --inline-suppr --suppress=missingIncludeSystem --suppress=resourceLeak --suppress=varFuncNullUB --suppress=uninitvar --suppress=arrayIndexThenCheck --std=c11 -D_GNU_SOURCE -DPW_VERSION='"0"' -Iinclude -Iengine --error-exitcode=1 -j2 engine checks cmd 2>&1); then
	echo 'ok 1 - cppcheck'; else echo 'not ok 1 - cppcheck'; printf '%s\n' "$out" | head -n 40 | sed 's/^/  # /'; fi
echo 1..1
SH
cat > "$tmp/secrets-and-paths" <<'SH'
#!/bin/sh
# The project speaks of itself alone: no absolute paths of a machine it was made on.
if out=$(git grep -nE '(/home/|/Users/)[a-z]+/' -- . ':!tests/golden' ':!tests/lint.sh'); then echo 'not ok 1 - no machine paths'; printf '%s\n' "$out" | sed 's/^/  # /'; else echo 'ok 1 - no machine paths'; fi
echo 1..1
SH
chmod +x "$tmp"/*
cp tests/lint/layers.sh "$tmp/layers"; chmod +x "$tmp/layers"
BIN=$bin sh tests/run-tap.sh "$tmp/layers" "$tmp/shellcheck" "$tmp/cppcheck" "$tmp/secrets-and-paths" tests/lint/playbook-schema
