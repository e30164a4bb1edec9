#!/bin/sh
# The unit tests, and the program on recorded clusters, under valgrind, side by side. Last line: N passed, N failed, N skipped.
# What they fork is watched with them, and so are agents, which are copies of the test itself; other programs are not ours.
set -u
logs=$PWD/build/logs/valgrind

# Every process counts its errors at its end, whatever its status says: those a test means to crash as well.
one() { # one NAME COMMAND…
	log=$logs/$(echo "$1" | tr / -)
	name=$1; shift
	timeout 900 valgrind --log-file="$log.%p" --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
		--trace-children=yes --trace-children-skip='/bin/*,/sbin/*,/usr/*,/tmp/*' "$@" >"$log.out" 2>&1 </dev/null; rc=$?
	found=$(grep -la 'ERROR SUMMARY: [1-9]' "$log".[0-9]*)
	if [ "$rc" -eq 0 ] && [ -z "$found" ]; then
		echo "ok - $name"
	else
		echo "not ok - $name (exit $rc)"
		# shellcheck disable=SC2086
		{ grep -a -A 4 '^not ok' "$log.out"; [ -z "$found" ] || cat $found | grep -av '^--'; } | head -n 60 | sed 's/^/  # /'
	fi
	sed -n "s|^ok [0-9]* - \(.*# SKIP\)|ok - $name: \1|p" "$log.out"
}
if [ "$1" = --one ]; then shift; one "$@"; exit 0; fi

bin=$1; shift
rm -rf "$logs"; mkdir -p "$logs"
{
	for t in "$@"; do
		case $t in
		*/judge_all) # check by check: all in one would take as long as everything else
			for c in checks/*.c; do c=$(basename "$c" .c); echo "$t-$c $t $c"; done ;;
		*) echo "$t $t" ;;
		esac
	done
	cat <<-END
		checks $bin checks
		show $bin show pod-to-service
		lint $bin lint $(echo playbooks/*.yaml)
		test $bin test playbooks/pod-to-pod.yaml
		graph $bin graph pod-to-service
		schema $bin schema
		check $bin check compare left=1 right=2
	END
} | xargs -P "$(nproc)" -L 1 sh "$0" --one >"$logs/results"
cat "$logs/results"
skipped=$(grep -c '^ok .*# SKIP' "$logs/results")
passed=$(($(grep -c '^ok ' "$logs/results") - skipped))
failed=$(grep -c '^not ok ' "$logs/results")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
