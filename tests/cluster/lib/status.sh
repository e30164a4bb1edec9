# Is all well? Asked of the API, and of the network by trying it.
# shellcheck shell=bash

problems() {
	local f
	for f in "$LAB_DIR"/state/stopped/*; do [ ! -e "$f" ] || echo "component ${f##*/}: $(cat "$f")"; done
	k get nodes,pods,daemonsets,deployments -A -o json | jq -r '.items[]
		| if .kind == "Node" then select([.status.conditions[]? | select(.type == "Ready" and .status == "True")] | length == 0)
			| "node \(.metadata.name) is not Ready"
		  elif .kind == "Pod" then select(.metadata.deletionTimestamp
				or ([.status.conditions[]? | select(.type == "Ready" and .status == "True")] | length == 0))
			| "pod \(.metadata.namespace)/\(.metadata.name) is not ready"
		  elif .kind == "DaemonSet" then select((.status.numberReady // 0) < 3 or .status.observedGeneration < .metadata.generation)
			| "daemonset \(.metadata.name) has \(.status.numberReady // 0) of 3 pods ready"
		  else select((.status.availableReplicas // 0) != .spec.replicas) | "deployment \(.metadata.name) is not available" end' ||
		echo "the API does not answer"
}

pod_ips() { k get pods -n shop -l app=api -o jsonpath='{.items[*].status.podIP}'; }

# One shell in a client pod tries everything; prints what fails.
network_problems() { # POD
	local ips
	ips=$(pod_ips)
	# shellcheck disable=SC2016 # for the inner shell
	at "$1" bash -c 'pod=$1; shift
		try() { timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null || echo "$pod does not reach $1 port $2"; }
		for ip; do try "$ip" 8080; done
		for i in 1 2 3 4; do try 10.96.20.1 80; done
		try 10.96.20.3 7; try 10.96.0.10 53; try 10.96.20.10 80
		for name in api.shop.svc.cluster.local www.example.test; do
			timeout 3 getent ahostsv4 $name >/dev/null || echo "$pod does not resolve $name"
		done
		RES_OPTIONS=use-vc timeout 3 getent ahostsv4 api.shop.svc.cluster.local >/dev/null || echo "$pod does not resolve over TCP"
		[ "$(curl -s -o /dev/null -m 3 -w "%{http_code}" http://www.example.test/)" = 200 ] || echo "$pod does not reach www.example.test"
	' check "$1" $ips || echo "$1 cannot be entered"
}

outside_problems() {
	local node
	for node in n1 n2 n3; do
		[ "$(at ext curl -s -o /dev/null -m 3 -w '%{http_code}' "http://${address[$node]}:30080/")" = 200 ] ||
			echo "ext does not reach the NodePort on $node"
	done
}

all_problems() {
	local found
	found=$(problems)
	# The network of pods that are not there need not be tried.
	if [ -z "$found" ]; then
		case $(cat "$LAB_DIR/shape") in
		default-deny) found=$(default_deny_problems) ;;
		*) found=$(network_problems shop/web; network_problems bank/teller; outside_problems) ;;
		esac
	fi
	[ -z "$found" ] || echo "$found"
}

default_deny_problems() {
	at shop/web timeout 3 bash -c 'exec 3<>/dev/tcp/10.96.20.1/80' || echo "shop/web does not reach api"
	at shop/web timeout 3 getent ahostsv4 api >/dev/null || echo "shop/web does not resolve api"
}

is_healthy() { [ -z "$(all_problems)" ]; }

wait_healthy() { # EPOCHSECONDS
	local end=$((EPOCHSECONDS + $1)) left
	until left=$(all_problems) && [ -z "$left" ]; do
		((EPOCHSECONDS < end)) || die "not healthy: $left"
		sleep 0.3
	done
}

status_word() {
	local found
	echo "shape $(cat "$LAB_DIR/shape"), LAB_DIR $LAB_DIR, Kubernetes $kube_version"
	echo "kubeconfig $LAB_DIR/kubeconfig, audit log $(audit_log), other logs $LAB_DIR/logs"
	k get nodes,pods -A -o wide
	found=$(all_problems)
	if [ -n "$found" ]; then
		sed 's/^/problem: /' <<<"$found"
		exit 1
	fi
	echo healthy
}
