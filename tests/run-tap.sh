#!/bin/sh
# Runs TAP programs, shows what failed, adds up. Last line: N passed, N failed[, N skipped].
# A program that dies, or runs fewer tests than it planned, counts as one failure.
set -u
passed=0 failed=0 skipped=0
for t in "$@"; do
	out=$(timeout -k 10 "${TAP_TIMEOUT:-300}" "$t" 2>&1); rc=$?
	ok=$(printf '%s\n' "$out" | grep -c '^ok ' )
	sk=$(printf '%s\n' "$out" | grep -c '^ok .*# SKIP')
	no=$(printf '%s\n' "$out" | grep -c '^not ok ')
	plan=$(printf '%s\n' "$out" | sed -n 's/^1\.\.\([0-9]*\).*/\1/p' | head -n 1)
	passed=$((passed + ok - sk)) failed=$((failed + no)) skipped=$((skipped + sk))
	if [ "$no" -gt 0 ] || [ "$rc" -ne 0 ] || [ "${plan:-x}" != "$((ok + no))" ]; then
		echo "--- $t (exit $rc, planned ${plan:-none}, ran $((ok + no)))"
		printf '%s\n' "$out" | grep '^not ok '
		printf '%s\n' "$out" | grep -v '^ok ' | tail -n 60
		[ "$no" -gt 0 ] || failed=$((failed + 1))
	else
		echo "ok  $t ($ok)"
	fi
done
[ "$skipped" -gt 0 ] && tail=", $skipped skipped" || tail=
echo "$passed passed, $failed failed$tail"
[ "$failed" -eq 0 ]
