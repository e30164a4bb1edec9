#!/bin/sh
# Runs the suites named on the command line ("NAME=command"), each to a log, and adds up their last lines.
# Shows a suite's failures, not its successes. Last line: N passed, N failed[, N skipped].
set -u
logs=$1; shift
mkdir -p "$logs"
passed=0 failed=0 skipped=0
for suite in "$@"; do
	name=${suite%%=*} command=${suite#*=}
	log=$logs/$name.log
	start=$(date +%s)
	sh -c "$command" >"$log" 2>&1 </dev/null; rc=$?
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	p=$(printf '%s' "$line" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
	f=$(printf '%s' "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
	s=$(printf '%s' "$line" | sed -n 's/.* \([0-9]*\) skipped.*/\1/p')
	if [ -z "$line" ]; then p=0 f=1; fi
	if [ "$rc" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then f=1; fi
	printf '%-14s %5s passed %4s failed %4s skipped   %4s s\n' "$name" "$p" "$f" "${s:-0}" "$(($(date +%s) - start))"
	if [ "${f:-0}" -gt 0 ]; then
		grep -n -A 12 -E '^not ok|^---|error:|Error ' "$log" | head -n 80
		echo "  (exit $rc; the whole log: $log)"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
done
[ "$skipped" -gt 0 ] && tail=", $skipped skipped" || tail=
echo "$passed passed, $failed failed$tail"
[ "$failed" -eq 0 ]
