#!/bin/sh
# Whatever becomes of a run that makes pods, nothing of it stays: no pod, no ledger, no process. TAP, and as the last line:
# N passed, N failed.
# Usage: leftovers.sh [netns|cluster]; raises a lab of that kind for itself, unless LAB_DIR names one that is up.
set -u
kind=${1:-netns}
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
PACKETWALK=$(readlink -f "${PACKETWALK:-$here/../build/packetwalk}")
export PACKETWALK
case $kind in
netns) lab=$here/lab/lab via=kubectl:$here/lab/kubectl ;;
cluster) lab=$here/cluster/lab via=kubectl ;;
*) echo "usage: $0 [netns|cluster]" >&2; exit 2 ;;
esac
tmp=$(mktemp -d) || exit 1
own_lab=
clean() {
	[ -z "$own_lab" ] || "$lab" down
	rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM
if [ -z "${LAB_DIR-}" ]; then
	own_lab=1
	LAB_DIR=$tmp/lab
	export LAB_DIR
	"$lab" up >"$tmp/up" 2>&1 || { cat "$tmp/up"; echo 'Bail out! the lab does not come up'; exit 1; }
fi
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME
ledgers=$XDG_STATE_HOME/packetwalk/created
n=0 bad=0

report() { # GOOD TITLE [FILE]
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
		return
	fi
	bad=$((bad + 1))
	echo "not ok $n - $2"
	[ -z "${3-}" ] || sed 's/^/  # /' "$3"
}

run() { # EFFECT ARGS …
	effect=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	PACKETWALK_VIA=$via PACKETWALK_MAX_EFFECT=$effect setsid --wait sh -c 'echo $$ >>"$0"; exec "$@"' "$tmp/sessions" "$lab" run "$@" --via "$via" --max-effect "$effect" ${operator:+--kubeconfig "$operator"}
}

pods() { # those of runs, a line each
	case $kind in
	netns) for file in "$LAB_DIR"/objects/Pod/*/packetwalk-*.json; do [ ! -e "$file" ] || echo "$file"; done ;;
	cluster) "$lab" kubectl get pods -A -l packetwalk.io/run -o name ;;
	esac
}

until_true() { # SECONDS CMD …
	end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.2 # between two looks
	done
}

two_pods() { [ "$(pods | wc -l)" = 2 ]; }
any_pod() { [ -n "$(pods)" ]; }
no_pod() { [ -z "$(pods)" ]; }
no_ledger() { [ ! -d "$ledgers" ] || [ -z "$(ls "$ledgers")" ]; }
any_ledger() { [ -d "$ledgers" ] && [ -n "$(ls "$ledgers")" ]; }
# A fork that makes a pod has its parent's command line: it is known by the session of its run.
survivors() {
	pgrep -af "$LAB_DIR.*packetwalk-(probe|node)-|packetwalk-(probe|node)-.*$LAB_DIR"
	while read -r sid; do ps -s "$sid" -o pid=,stat=,args= | awk '$2 !~ /^Z/'; done <"$tmp/sessions"
}
no_process() { survivors >"$tmp/processes"; [ ! -s "$tmp/processes" ]; }
is_gone() { [ ! -d "/proc/$1" ]; }
namespaces() { case $kind in netns) ls "$LAB_DIR/objects/Namespace/_" ;; cluster) "$lab" kubectl get namespaces -o name ;; esac; }
# The run's own process, in the session that was made for it: programs it starts have groups of their own.
main_of() { pgrep -s "$1" -x "$(basename "$PACKETWALK" | cut -c 1-15)" | head -n 1; }
has_main() { [ -n "$(main_of "$1")" ]; }

# From beside, whether large packets pass is not seen: such a walk ends inconclusive, but nothing it saw was wrong.
sees_it() { # EFFECT EXIT-CODE
	case $1$2 in creates0 | creates4 | privileged0) ;; *) return 1 ;; esac
	grep -q '^Creating ' "$tmp/err" && grep -q '^Removing pod ' "$tmp/err" && grep -q '^OK *by-ip: ' "$tmp/err" && ! grep -q '^FAIL' "$tmp/err"
}

clear() { # TITLE: nothing is left
	until_true 30 no_pod
	report $? "$1: no pod is left"
	no_ledger
	report $? "$1: nothing is in the ledger"
	until_true 10 no_process
	report $? "$1: no process is left" "$tmp/processes"
	namespaces | cmp -s - "$tmp/namespaces"
	report $? "$1: the namespaces are what they were"
}

in_background() { # EFFECT ARGS …: sets $session, $main
	run "$@" >"$tmp/out" 2>"$tmp/err" &
	job=$!
	until_true 30 pgrep -P "$job" >/dev/null
	session=$(pgrep -P "$job" | head -n 1)
	[ -n "$session" ] || session=$job
	until_true 30 has_main "$session"
	main=$(main_of "$session")
}

[ "$kind" != cluster ] || . "$here/cluster/operator.sh"
namespaces >"$tmp/namespaces"
: >"$tmp/sessions"

for effect in creates privileged; do
	run "$effect" run pod-to-service from=shop/web to=shop/api >"$tmp/out" 2>"$tmp/err"
	code=$?
	sees_it "$effect" "$code"
	report $? "$effect: a healthy call is seen to work: $code" "$tmp/err"
	clear "$effect, success"
done

run creates run pod-to-service from=shop/web to=shop/api >"$tmp/out" 2>"$tmp/err"
grep -q 'Seen from a pod beside shop/web' "$tmp/out"
report $? "what was seen from beside says so" "$tmp/out"
run sends run pod-to-service from=shop/web to=shop/api >"$tmp/out" 2>"$tmp/err"
! grep -q '^Creating ' "$tmp/err" && no_pod
report $? "without consent nothing is made" "$tmp/err"

"$lab" patch namespace bank '{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}' >"$tmp/patched" 2>&1
run privileged run pod-to-service from=shop/web to=shop/api --node-namespace bank >"$tmp/out" 2>"$tmp/err"
grep -q 'violates PodSecurity' "$tmp/err"
report $? "a refusal is a sentence" "$tmp/err"
clear "refused"
"$lab" patch namespace bank '{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":null}}}' >"$tmp/patched" 2>&1

if [ "$kind" = cluster ]; then
	run creates run pod-to-service from=shop/web to=shop/api --image registry.invalid/packetwalk:none >"$tmp/out" 2>"$tmp/err"
	code=$?
	[ $code = 4 ] && grep -q 'ImagePullBackOff\|ErrImagePull' "$tmp/err"
	report $? "an image that does not exist: $code" "$tmp/err"
	clear "no image"
fi

for signal in INT TERM; do
	in_background creates run pod-to-service from=shop/web to=shop/api
	until_true 60 any_pod
	kill -"$signal" "$main"
	wait "$job"
	code=$?
	case $signal in INT) [ $code = 130 ] ;; TERM) [ $code = 143 ] ;; esac
	report $? "SIG$signal while a pod is made: $code" "$tmp/err"
	until_true 30 is_gone "$main"
	clear "SIG$signal"
done

in_background creates run pod-to-service from=shop/web to=shop/api
until_true 60 any_pod
kill -KILL "$main"
wait "$job"
any_pod && any_ledger
report $? "after kill -9 the pod and its ledger are there"
pods >"$tmp/dead"
cp "$ledgers"/*.json "$tmp/ledger"
for uid in another ''; do # what is not found in some other cluster has not been removed
	for file in "$ledgers"/*.json; do sed 's/"cluster_uid": *"[^"]*"/"cluster_uid": "'$uid'"/' "$tmp/ledger" >"$file"; done
	"$lab" run cleanup >"$tmp/cleaned" 2>&1
	code=$?
	[ $code = 5 ] && grep -q 'its cluster is known\|leads to another cluster' "$tmp/cleaned" && any_ledger && pods | cmp -s - "$tmp/dead"
	report $? "a ledger of ${uid:-an unknown} cluster is left: $code" "$tmp/cleaned"
done
for file in "$ledgers"/*.json; do cp "$tmp/ledger" "$file"; done
in_background creates run pod-to-service from=shop/web to=shop/api
until_true 60 two_pods
report $? "another run makes its pod beside it"
kill -STOP "$main" # so that it has not ended before it is looked at
pods | grep -vxFf "$tmp/dead" >"$tmp/alive"
"$lab" run cleanup >"$tmp/cleaned" 2>&1
report $? "cleanup, beside a run that runs" "$tmp/cleaned"
pods | cmp -s - "$tmp/alive"
report $? "leaves exactly the pod of that run" "$tmp/cleaned"
grep -q 'still runs' "$tmp/cleaned"
report $? "and says that it runs" "$tmp/cleaned"
# shellcheck disable=SC2046 # nsenter stops with the program it waits for
kill -CONT $(pgrep -s "$session")
wait "$job"
code=$?
sees_it creates "$code"
report $? "which is not disturbed: $code" "$tmp/err"
clear "kill -9 and cleanup"

[ "$kind" != cluster ] || . "$here/cluster/verbs.sh"
echo "1..$n"
echo "$((n - bad)) passed, $bad failed"
[ "$bad" = 0 ]
