#!/bin/sh
# Runs suites ("NAME=command"), each to a log, and adds up their last lines. Those with a plus ("+NAME=command") run beside the
# others with low priority, so that suites that wait for a network are not disturbed by those that compute.
# Shows a suite's failures, not its successes. Last line: N passed, N failed[, N skipped].
set -u

report() { # NAME RC SECONDS LOG
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$4" | tail -n 1)
	p=$(printf '%s' "$line" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
	f=$(printf '%s' "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
	s=$(printf '%s' "$line" | sed -n 's/.* \([0-9]*\) skipped.*/\1/p')
	if [ -z "$line" ]; then p=0 f=1; fi
	if [ "$2" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then f=1; fi
	printf '%-14s %5s passed %4s failed %4s skipped   %4s s\n' "$1" "$p" "$f" "${s:-0}" "$3"
	if [ "${f:-0}" -gt 0 ]; then
		grep -n -A 12 -E '^not ok|^---|error:|Error ' "$4" | head -n 80
		echo "  (exit $2; the whole log: $4)"
	fi
	echo "$p $f ${s:-0}" >>"$counts"
}

suite() { # NAME=COMMAND
	name=${1%%=*} command=${1#*=} start=$(date +%s)
	sh -c "$command" >"$logs/$name.log" 2>&1 </dev/null; rc=$?
	# In one piece: two lanes may end a suite at the same moment.
	text=$(report "$name" "$rc" "$(($(date +%s) - start))" "$logs/$name.log")
	printf '%s\n' "$text"
}

# One lane's suites, in order; the others are passed over.
if [ "$1" = --lane ]; then # waits|computes COUNTS LOGS SUITE…
	lane=$2 counts=$3 logs=$4; shift 4
	for item in "$@"; do
		case $lane$item in
		computes+*) suite "${item#+}" ;;
		computes* | waits+*) ;;
		*) suite "$item" ;;
		esac
	done
	exit 0
fi

logs=$1; shift
mkdir -p "$logs"
counts=$(mktemp) || exit 1
# A lane is a session of its own, so that all it has started can be ended with it.
stop() { kill -- "-$waits" "-$computes" 2>/dev/null; wait; rm -f "$counts"; }
setsid sh "$0" --lane waits "$counts" "$logs" "$@" &
waits=$!
setsid nice -n 19 sh "$0" --lane computes "$counts" "$logs" "$@" &
computes=$!
trap stop EXIT
trap 'exit 130' INT TERM
wait
awk '{ p += $1; f += $2; s += $3 } END { printf "%d passed, %d failed", p, f; if (s) printf ", %d skipped", s; print ""; exit f > 0 || !NR }' "$counts"
