# The words of the lab program.
# shellcheck shell=bash

help() {
	cat <<EOF
usage: lab WORD …          a real Kubernetes of three nodes on this machine, for packetwalk's tests

  up [--shape NAME]         start it (shapes: $(cd "$here/shapes" && echo *))
  down                      remove it, whatever state it is in
  status                    nodes, pods, components, files; exit 0 only if all is healthy
  exec PLACE -- CMD …       run in a node (${nodes[*]}), ${hosts[*]}, or NS/POD
  apply FILE                Kubernetes objects from FILE ("-": stdin); the pods have followed before it returns
  delete KIND NS/NAME       (a cluster-scoped object: its name alone)
  run ARGS …                packetwalk as an operator at the admin host
  fault DIR …               fault scenarios: inject, run packetwalk, compare with what is expected; TAP
  accuracy OUT RUNGS DIR …  fault scenarios: inject once, run packetwalk at each rung; see make bench-accuracy

and, as in tests/lab/lab:
  get KIND NS/NAME          the object as JSON
  patch KIND NS/NAME JSON   a JSON merge patch to it
  component stop|pause|start NAME [NODE]
                            stop: gone and seen to be; pause: hung, and nobody has noticed. NAME: kube-proxy, flanneld,
                            policy-enforcer, kubelet, controller-manager, scheduler, apiserver, or a pod as NS/NAME
  reconcile                 waits until the pods have followed what was changed
  logs NS/POD               what its containers wrote
  kubectl ARGS …            kubectl at the admin host
  load FILE                 an archive of images into every node's containerd
  reset                     undo what was changed: objects, components, firewalls, links; fails if it does not come clean

environment: LAB_DIR (default /run/packetwalk-cluster), PACKETWALK (default build/packetwalk), PACKETWALK_CACHE
EOF
}

main() {
	local word=${1-}
	[ $# = 0 ] || shift
	case $word in
	'' ) help >&2; exit 2 ;;
	help | -h | --help) help ;;
	up) up "$@" ;;
	down) [ $# = 0 ] || usage down; down ;;
	exec) exec_word "$@" ;;
	run) run_word "$@" ;;
	fault | accuracy) exec python3 "$here/lib/faults.py" "$word" "$@" ;;
	inside-up) inside_up ;;
	status | apply | delete | get | patch | component | reconcile | logs | kubectl | load | reset)
		step_inside "$word" "$@"
		"${word}_word" "$@"
		;;
	*) echo "lab: no word $word (lab help)" >&2; exit 2 ;;
	esac
}

need_up() { is_inside || holder_pid >/dev/null || die "the lab is down (lab up)"; }

exec_word() {
	[ $# -ge 3 ] && [ "$2" = -- ] || usage 'exec PLACE -- CMD …'
	local place=$1
	need_up
	shift 2
	exec "$LAB_DIR/enter" "$place" "$@"
}

run_word() {
	local program=${PACKETWALK:-$project/build/packetwalk}
	need_up
	case $program in */*) program=$(readlink -f "$program") ;; esac
	exec env KUBECONFIG="$LAB_DIR/kubeconfig" PACKETWALK_VIA="${PACKETWALK_VIA-exec:$LAB_DIR/enter {node\} $program agent}" \
		PACKETWALK_MAX_EFFECT="${PACKETWALK_MAX_EFFECT:-privileged}" LAB_DIR="$LAB_DIR" "$LAB_DIR/enter" admin "$program" "$@"
}

kubectl_word() { k "$@"; }

load_word() {
	local node
	[ $# = 1 ] || usage 'load FILE'
	for node in "${nodes[@]}"; do at "$node" ctr -n k8s.io images import "$(readlink -f "$1")" >>"$LAB_DIR/logs/$node.images.log" || die "$node does not take $1"; done
}

# NS/NAME as kubectl takes it.
named() { # NS/NAME
	case $1 in
	*/*) echo "-n ${1%%/*} ${1#*/}" ;;
	*) echo "$1" ;;
	esac
}

get_word() {
	[ $# = 2 ] || usage 'get KIND NS/NAME'
	# shellcheck disable=SC2046 # two words
	k get "$1" -o json $(named "$2")
}

# What a pod is cannot be changed while it lives: such a pod is made anew.
apply_word() {
	[ $# = 1 ] || usage 'apply FILE'
	local file=$LAB_DIR/run/apply.$$.yaml
	cat -- "${1/#-/\/dev/stdin}" >"$file"
	if ! k apply --server-side --force-conflicts -f "$file" 2>"$file.error"; then
		grep -q 'pod updates may not change' "$file.error" || { cat "$file.error" >&2; exit 1; }
		k replace --force --grace-period=1 -f "$file"
	fi
	apply_status "$file"
	rm -f "$file" "$file".*
	settle
}

# The API takes an object's status apart from it; here, what a cloud's controller would write of its load balancers.
apply_status() { # FILE
	k create --dry-run=client --validate=false -o json -f "$1" | jq '(.items // [.])[] | select(.status.loadBalancer)' >"$1.status"
	[ ! -s "$1.status" ] || k apply --server-side --force-conflicts --subresource=status -f "$1.status"
}

delete_word() {
	[ $# = 2 ] || usage 'delete KIND NS/NAME'
	# shellcheck disable=SC2046 # two words
	k delete "$1" $(named "$2") --wait=false
	settle
}

patch_word() {
	[ $# = 3 ] || usage 'patch KIND NS/NAME JSON'
	# shellcheck disable=SC2046 # two words
	k patch "$1" $(named "$2") --type=merge -p "$3"
	settle
}

reconcile_word() { settle; }

logs_word() {
	[ $# = 1 ] || usage 'logs NS/POD'
	# shellcheck disable=SC2046 # two words
	k logs --all-containers $(named "$1")
}
