#!/bin/sh
# The built-in playbooks lint without a complaint, and their own cases take every edge. TAP, and the last line the runner reads.
set -u
bin=$1
passed=0 failed=0
for p in playbooks/*.yaml; do
	if out=$("$bin" lint "$p" 2>&1) && ! printf '%s' "$out" | grep -q 'warning\['; then
		echo "ok - lint $p"; passed=$((passed + 1))
	else
		echo "not ok - lint $p"; printf '%s\n' "$out" | sed 's/^/  # /' | head -n 20; failed=$((failed + 1))
	fi
	if out=$("$bin" test --min-coverage 100 "$p" 2>&1); then
		echo "ok - test $p"; passed=$((passed + 1))
	else
		echo "not ok - test $p"; printf '%s\n' "$out" | sed 's/^/  # /' | tail -n 20; failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
