# Components stop, hang and start. state/stopped/PLACE.NAME says which are not running, and how.
# shellcheck shell=bash

is_stopped() { [ -e "$LAB_DIR/state/stopped/$1" ]; }

dead_nodes() {
	local node out=''
	for node in "${nodes[@]}"; do ! is_stopped "$node.kubelet" || out+=" $node"; done
	echo "${out# }"
}

# The name a component's process has.
process_of() {
	case $1 in
	kube-proxy | flanneld | kubelet) echo "$1" ;;
	policy-enforcer) echo kube-router ;;
	apiserver | scheduler) echo "kube-$1" ;;
	controller-manager) echo kube-controller ;;
	*) die "no component $1" ;;
	esac
}

component_word() {
	local verb=${1-} name=${2-} node=${3-}
	case $verb in stop | pause | start) ;; *) usage 'component stop|pause|start NAME [NODE]' ;; esac
	[ -n "$name" ] || usage 'component stop|pause|start NAME [NODE]'
	mkdir -p "$LAB_DIR/state/stopped"
	case $name in
	*/*) component_pod "$verb" "$name" ;;
	apiserver | controller-manager | scheduler) component_cp "$verb" "$name" ;;
	*)
		for node in ${node:-${nodes[*]}}; do component_node "$verb" "$name" "$node"; done
		;;
	esac
}

note() { # VERB PLACE.NAME
	if [ "$1" = start ]; then rm -f "$LAB_DIR/state/stopped/$2"; else echo "$1" >"$LAB_DIR/state/stopped/$2"; fi
}

signal_at() { # PLACE SIGNAL PROCESS
	local pids
	pids=$(at "$1" pgrep -x "$3") || return 0
	# shellcheck disable=SC2086 # a list
	at "$1" kill "-$2" $pids
}

component_cp() {
	local process
	process=$(process_of "$2")
	case $1 in
	pause) signal_at cp STOP "$process" ;;
	stop)
		signal_at cp KILL "$process"
		until_true 5 "the end of $process" not_running cp "$process"
		;;
	start)
		signal_at cp CONT "$process"
		not_running cp "$process" && "start_$2"
		[ "$2" != apiserver ] || until_true 30 "the API server" k get --raw /readyz
		;;
	esac
	note "$1" "cp.$2"
}

not_running() { ! at "$1" pgrep -x "$2" >/dev/null; }

component_node() { # VERB NAME NODE
	local process
	process=$(process_of "$2")
	case $1.$2 in
	start.kubelet)
		signal_at "$3" CONT kubelet
		! not_running "$3" kubelet || start_kubelet "$3"
		until_true 40 "$3 to be Ready" k wait --for=condition=Ready "node/$3" --timeout=1s
		;;
	stop.kubelet)
		signal_at "$3" KILL kubelet
		until_true 40 "$3 to be seen dead" k wait --for=condition=Ready=Unknown "node/$3" --timeout=1s
		;;
	stop.*) crash_start "$3" "$2" "$process" ;;
	pause.*) signal_at "$3" STOP "$process" ;;
	start.*)
		crash_end "$3" "$2"
		signal_at "$3" CONT "$process"
		;;
	esac
	note "$1" "$3.$2"
}

# A DaemonSet's pod on one node that crashes whenever it is started: kubelet and the API show CrashLoopBackOff.
crash_start() { # NODE NAME PROCESS
	# shellcheck disable=SC2016 # for the inner shell
	daemon "$1" "crash-$2" sh -c 'while :; do
		pids=$(pgrep -x "$1") && kill -KILL $pids
		sleep 0.02
	done' "crash-$2" "$3"
	until_true 60 "$2 on $1 to be seen crashing" crash_is_seen "$1" "$3"
}

crash_is_seen() {
	k get pods -A --field-selector "spec.nodeName=$1" -o json |
		jq -e --arg p "$2" '[.items[] | select(.metadata.name | startswith({"flanneld": "kube-flannel"}[$p] // $p))
			| .status.containerStatuses[]? | select(.state.waiting.reason == "CrashLoopBackOff")] | length > 0'
}

crash_end() { # NODE NAME
	local pids
	pids=$(at "$1" pgrep -f "^sh -c while .* crash-$2 ") || return 0
	# shellcheck disable=SC2086 # a list
	at "$1" kill -KILL $pids
	# Without its back-off: a new pod.
	restart_daemon_pod "$1" "$2"
}

daemon_selector() {
	case $1 in
	kube-proxy) echo "-n kube-system -l k8s-app=kube-proxy" ;;
	policy-enforcer) echo "-n kube-system -l k8s-app=kube-router" ;;
	flanneld) echo "-n kube-flannel -l app=flannel" ;;
	esac
}

restart_daemon_pod() { # NODE NAME
	# shellcheck disable=SC2046 # several words
	k delete pod $(daemon_selector "$2") --field-selector "spec.nodeName=$1" --force --grace-period=0 >/dev/null 2>&1
	settle
}

component_pod() { # VERB NS/NAME
	local signal=STOP pids
	[ "$1" != start ] || signal=CONT
	# shellcheck disable=SC2016 # for the inner shell
	pids=$(at "$2" sh -c 'ls /proc | grep "^[0-9]*$"') || die "no shell in $2"
	# shellcheck disable=SC2086 # a list
	at "$2" kill "-$signal" $pids || die "cannot signal $2"
	note "$1" "pod.${2/\//.}"
}
