#!/bin/sh
# The unit tests, and the program on recorded clusters, under valgrind. Last line: N passed, N failed.
# Tests that race children against deadlines or fill memory on purpose are left to the sanitizers.
set -u
bin=$1; shift
passed=0 failed=0 skipped=0
run() { # run NAME COMMAND…
	name=$1; shift
	if timeout 300 valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --child-silent-after-fork=yes "$@" >/dev/null 2>build/logs/valgrind.one </dev/null; then rc=0; else rc=$?; fi
	if [ "$rc" -eq 99 ] || [ "$rc" -ge 124 ]; then
		echo "not ok - $name (exit $rc)"; head -n 30 build/logs/valgrind.one | sed 's/^/  # /'; failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
}
mkdir -p build/logs
for t in "$@"; do
	case $t in
	*/vantage_executor|*/proc_child|*/vantage_plugin|*/cluster_kube|*/run_driver|*/dataplane_rules|*/doc_json_stream) skipped=$((skipped + 1)); echo "ok - $t # SKIP timing or size: covered by the sanitizers" ;;
	*) run "$t" "$t" ;;
	esac
done
run checks "$bin" checks
run show "$bin" show pod-to-service
run lint "$bin" lint playbooks/pod-to-service.yaml playbooks/pod-to-pod.yaml playbooks/pod-dns.yaml playbooks/start.yaml
run test "$bin" test playbooks/pod-to-pod.yaml
run graph "$bin" graph pod-to-service
run schema "$bin" schema
run check "$bin" check compare left=1 right=2
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
