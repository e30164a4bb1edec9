#!/bin/sh
# usage: hunt.sh SECONDS BUILD TARGET...
# Shares the seconds among the targets. New inputs go to BUILD/corpus, what breaks a target to BUILD/broken.
set -u
seconds=$1 build=$2
shift 2
each=$((seconds / $#))
[ "$each" -gt 0 ] || each=1
passed=0 failed=0
mkdir -p "$build/broken"
for t in "$@"; do
	name=${t##*/}
	mkdir -p "$build/corpus/$name"
	dict=
	[ ! -f "tests/fuzz/$name.dict" ] || dict=-dict=tests/fuzz/$name.dict
	if "$t" -max_total_time="$each" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix="$build/broken/$name-" ${dict:+"$dict"} "$build/corpus/$name" "tests/fuzz/corpus/$name" \
		>"$build/$name.log" 2>&1; then
		passed=$((passed + 1))
		echo "ok $name: ${each}s, $(find "$build/corpus/$name" -type f | wc -l) inputs found"
	else
		failed=$((failed + 1))
		echo "not ok $name"
		tail -n 40 "$build/$name.log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
