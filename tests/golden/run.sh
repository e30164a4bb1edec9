#!/bin/sh
# Whole-program tests, as TAP. A case is a folder under cases/:
#   cmd      a line for sh, with `packetwalk` on the PATH; run in an empty folder that holds a copy of the case
#   pty      instead of cmd's plain run: a script for pty.py, which plays the person (expect, send, key ...)
#   env      NAME=VALUE lines; others, answers files and the like, are for cmd to use
#   out err rc   what is expected; err is not looked at when it is not there (an empty `no-err` keeps it from being made)
# Times, versions and session ids are replaced before comparing. UPDATE=1 writes what came out instead.
# Usage: [PACKETWALK=FILE] run.sh [CASE-SUBSTRING]
set -u
here=$(cd "$(dirname "$0")" && pwd)
packetwalk=${PACKETWALK:-build/packetwalk}
case $packetwalk in /*) ;; *) packetwalk=$PWD/$packetwalk ;; esac
pick=${1:-${T:-}}
[ -x "$packetwalk" ] || { echo "1..0 # SKIP $packetwalk is not built"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/packetwalk-golden.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" && ln -s "$packetwalk" "$work/bin/packetwalk" || exit 1
# Plugins are refused from folders that others can write to; a checkout may be one.
cp -R "$here/lib" "$here/bundles" "$work/" && chmod -R go-w "$work" || exit 1

normal() {
	sed -E -e "s#$work/[a-z0-9-]+#WORK#g" -e "s#$work#WORK#g" -e 's/packetwalk [0-9]+\.[0-9]+\.[0-9]+/packetwalk VERSION/g' \
		-e 's/"packetwalk": "[0-9.]+"/"packetwalk": "VERSION"/; s/"version": "0[0-9.]+"/"version": "VERSION"/' \
		-e 's/"(duration_)?ms": [0-9]+/"\1ms": 0/; s/duration_ms: [0-9]+/duration_ms: 0/' \
		-e 's/"started": "[^"]*"/"started": "TIME"/; s/timestamp="[^"]*"/timestamp="TIME"/; s/time="[0-9.]+"/time="0"/g' \
		-e 's/[0-9]{8}-[0-9]{6}-[0-9]+/SESSION/g; s/\([0-9]+ ms\)/(0 ms)/; s/started [^,]*, [0-9]+ ms/started TIME, 0 ms/' \
		-e "s/'duration'=[0-9]+ms/'duration'=0ms/" -e 's/\| [0-9]+ \|$/| 0 |/' -e 's/, [0-9]+ s of/, N s of/; s/^  ms: [0-9.]+/  ms: N/; s/ +$//' "$1"
}

n=0 failed=0
for dir in "$here"/cases/*/; do
	name=$(basename "$dir")
	case $name in *"$pick"*) ;; *) continue ;; esac
	n=$((n + 1))
	home=$work/$name
	mkdir "$home" "$home/home" && cp -R "$dir." "$home/" && chmod -R go-w "$home" || exit 1
	rm -f "$home/out" "$home/err" "$home/rc"
	[ -f "$dir/env" ] && extra=$(cat "$dir/env") || extra=
	# shellcheck disable=SC2086
	(cd "$home" && env -i PATH="$work/bin:/usr/bin:/bin" HOME="$home/home" LC_ALL=C.UTF-8 TERM=dumb WORK="$work" LIB="$work/lib" \
		BUNDLES="$work/bundles" INCLUDE="$here/../../include" PYTHONDONTWRITEBYTECODE=1 $extra timeout 60 \
		"$([ -f pty ] && echo python3 || echo sh)" $([ -f pty ] && echo "$here/pty.py pty") ./cmd >got.out 2>got.err </dev/null)
	echo "$?" >"$home/got.rc"
	for part in out err rc; do
		normal "$home/got.$part" >"$home/norm.$part"
		[ -z "${UPDATE:-}" ] || { [ "$part" = err ] && [ -f "$dir/no-err" ]; } || cp "$home/norm.$part" "$dir/$part"
	done
	bad=
	for part in out err rc; do
		[ "$part" = err ] && [ ! -f "$dir/err" ] && continue
		diff -u "$dir/$part" "$home/norm.$part" >"$home/diff.$part" 2>&1 || bad="$bad $part"
	done
	if [ -z "$bad" ]; then
		echo "ok $n - $name"
	else
		failed=$((failed + 1))
		echo "not ok $n - $name:$bad"
		for part in $bad; do sed 's/^/# /' "$home/diff.$part" | head -n 60; done
	fi
done
echo "1..$n"
echo "# $((n - failed)) of $n cases pass"
[ "$failed" -eq 0 ]
