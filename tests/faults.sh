#!/bin/sh
# Runs fault scenarios on several labs side by side (most of a scenario is waiting). Usage: faults.sh SHARDS DIR…
# LAB: the lab program, tests/lab/lab unless it is said.
# TAP of all of them, then one line: N passed, N failed.
set -u
shards=$1; shift
LAB=${LAB:-tests/lab/lab}
tmp=$(mktemp -d) || exit 1
clean() { for d in "$tmp"/lab.*; do [ -d "$d" ] && LAB_DIR=$d "$LAB" down >/dev/null 2>&1; done; rm -rf "$tmp"; }
trap clean EXIT
trap 'exit 130' INT TERM
i=0
for dir in "$@"; do
	echo "$dir" >>"$tmp/list.$((i % shards))"
	i=$((i + 1))
done
for list in "$tmp"/list.*; do
	shard=${list##*.}
	mkdir -m 700 "$tmp/lab.$shard"
	# shellcheck disable=SC2046
	LAB_DIR=$tmp/lab.$shard "$LAB" fault $(cat "$list") >"$tmp/out.$shard" 2>&1 &
done
wait
passed=0 failed=0
for out in "$tmp"/out.*; do
	cat "$out"
	line=$(tail -n 1 "$out")
	p=$(printf '%s' "$line" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
	f=$(printf '%s' "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
