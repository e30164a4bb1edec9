# From whatever a scenario left back to what the lab was after `up`: objects anew, the underlay anew, and each node whose
# network is no longer what it was is emptied and filled again by its own components. Then everything is compared.
# shellcheck shell=bash

system_state() {
	k get configmaps,daemonsets,deployments,services -n kube-system -o json | jq -S '.items[] | {kind, n: .metadata.name, d: .data, s: .spec}'
	k get configmaps,daemonsets -n kube-flannel -o json | jq -S '.items[] | {kind, n: .metadata.name, d: .data, s: .spec}'
	k get namespaces,mutatingwebhookconfigurations,validatingwebhookconfigurations -o name
	k get nodes -o json | jq -S '.items[] | {n: .metadata.name, l: .metadata.labels, t: .spec.taints, u: .spec.unschedulable, c: .spec.podCIDR,
		a: .metadata.annotations["flannel.alpha.coreos.com/public-ip"]}'
}

fingerprint() { at "$1" "$here/lib/fingerprint"; }

ext_records() { at ext unbound-control -c /run/unbound.conf list_local_data | sort; at ext unbound-control -c /run/unbound.conf list_local_zones | sort; }

keep_baseline() {
	local node
	for node in "${nodes[@]}"; do fingerprint "$node" >"$LAB_DIR/state/$node.fingerprint"; done
	system_state >"$LAB_DIR/state/system"
	ext_records >"$LAB_DIR/state/ext.records"
}

reset_word() {
	start_stopped
	reset_underlay
	reset_nodes
	reset_system
	reset_workloads
	wait_healthy 45
	compare_all
}

start_stopped() {
	local f name
	for f in "$LAB_DIR"/state/stopped/cp.* "$LAB_DIR"/state/stopped/n?.*; do
		[ -e "$f" ] || continue
		name=${f##*/}
		component_word start "${name#*.}" "${name%%.*}"
	done
	rm -f "$LAB_DIR"/state/stopped/*
}

reset_underlay() {
	local port link
	at switch nft flush ruleset
	for link in $(at switch ls /sys/class/net); do
		case " lo br0 ${!address[*]} " in *" $link "*) ;; *) at switch ip link del "$link" ;; esac
	done
	for port in "${!address[@]}"; do
		at switch tc qdisc del dev "$port" root 2>/dev/null || : # there is none, as a rule
		echo "link set $port master br0 mtu 1500 up"
	done | at switch ip -batch -
	{ echo 'flush ruleset'; gw_rules; } | at gw nft -f -
	at gw sysctl -qw net.ipv4.ip_forward=1
	at gw ip -batch - <<-BATCH
		link set eth1 mtu 1500 up
		address flush dev eth1
		address add $gw_outside/24 dev eth1
		neighbour flush dev eth0 nud permanent
	BATCH
	for port in admin cp ext; do at "$port" nft flush ruleset; done
	if ! cmp -s <(ext_records) "$LAB_DIR/state/ext.records"; then
		signal_at ext TERM unbound
		daemon ext dns unbound -d -p -c /run/unbound.conf
	fi
	at ext ss -Hltn 'sport = :80' | grep -q . || start_ext_http
}

# What all nodes are now: state/NODE.now as state/NODE.fingerprint, and in state/odd those whose Service rules are their own.
# kube-proxy writes the same rules on every node; one that differs was changed by hand, or is late.
look_at_nodes() {
	local node waits=()
	for node in "${nodes[@]}"; do
		fingerprint "$node" >"$LAB_DIR/state/$node.now" &
		waits+=($!)
		rules_of "$node" >"$LAB_DIR/state/$node.rules" &
		waits+=($!)
	done
	wait "${waits[@]}"
	(cd "$LAB_DIR/state" && md5sum n?.rules) | awk '{ n[$1]++; sum[$2] = $1 } END { for (f in sum) if (n[sum[f]] == 1) print substr(f, 1, 2) }' \
		>"$LAB_DIR/state/odd"
}

rules_of() { # in lines that do not depend on the node, its own pods or the order of a set
	{
		at "$1" iptables-save -t nat | grep KUBE- | grep -v KUBELET || :
		at "$1" nft list table ip kube-proxy 2>/dev/null | sed '/^\tset hairpin/,/^\t}/d' | tr ',' '\n' | sed "s/^[[:space:]]*//; s/${address[$1]}/self/" || :
	} | sort
}

reset_nodes() {
	local node
	look_at_nodes
	for node in "${nodes[@]}"; do
		cmp -s "$LAB_DIR/state/$node.now" "$LAB_DIR/state/$node.fingerprint" && ! grep -q "$node" "$LAB_DIR/state/odd" && continue
		reset_node "$node"
	done
	for node in "${nodes[@]}"; do
		at "$node" conntrack -F 2>/dev/null
		at "$node" ip route flush cache # path MTUs that were learned
	done
}

# Empties a node's network, and has its components make it anew.
reset_node() {
	echo "# $1 is made anew" >&2
	{
		kubelet_config "$1" | at "$1" tee /var/lib/kubelet/config.yaml
		at "$1" nft flush ruleset
	} >/dev/null
	if at "$1" grep -q . /proc/net/ip_tables_names; then
		for table in filter nat mangle raw; do
			at "$1" iptables-legacy -t $table -F
			at "$1" iptables-legacy -t $table -X
		done
		at "$1" sh -c 'for c in INPUT FORWARD OUTPUT; do iptables-legacy -P $c ACCEPT; done'
	fi
	# shellcheck disable=SC2016 # for the inner shell
	at "$1" sh -c 'for dev in /sys/class/net/*; do
			case ${dev##*/} in lo | eth0 | veth*) ;; *) ip link del "${dev##*/}" ;; esac
		done
		ip addr flush dev eth0
		tc qdisc del dev eth0 root 2>/dev/null
		ethtool -K eth0 tx on tso on gso on >/dev/null
		ip link set eth0 mtu 1500 up
		for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >"$f"; done
		rm -f /run/flannel/subnet.env
		sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1'
	host_commands "$1" | at "$1" ip -batch -
	k delete pods -A --field-selector "spec.nodeName=$1" --force --grace-period=0 >/dev/null 2>&1
	until_true 40 "flannel on $1" at "$1" test -e /run/flannel/subnet.env
}

reset_system() {
	local extra
	cmp -s <(system_state) "$LAB_DIR/state/system" && return
	for extra in $(k get namespaces -o name | grep -v -x -e 'namespace/\(default\|kube-.*\|shop\|bank\)'); do k delete "$extra" --wait=false; done >/dev/null
	for node in "${nodes[@]}"; do
		k annotate node "$node" --overwrite "flannel.alpha.coreos.com/public-ip=${address[$node]}"
		k uncordon "$node"
		k taint node "$node" --all- 2>/dev/null || : # has none
	done >/dev/null
	load_shape
	{ system_manifests; echo ---; cat "$LAB_DIR/run/namer.yaml"; } | k replace -f - >/dev/null
	[ "$proxy_configmap" = yes ] || hide_proxy_configmap
	k delete pods -n kube-system -l k8s-app=kube-dns --force --grace-period=0 >/dev/null 2>&1
	k delete pods -n kube-flannel --all --force --grace-period=0 >/dev/null 2>&1
	k delete pods -n kube-system -l k8s-app=kube-proxy --force --grace-period=0 >/dev/null 2>&1
	settle
}

# The applications' namespaces are emptied and filled again: new pods have new links, files and addresses.
reset_workloads() {
	local ns waits=()
	for ns in shop bank; do
		k delete deployments,replicasets,statefulsets,daemonsets,services,networkpolicies,ingresses,endpointslices,pods --all -n $ns \
			--grace-period=0 --force >/dev/null 2>&1 &
		waits+=($!)
	done
	wait "${waits[@]}" || : # what goes by itself while it is deleted
	k create -f "$LAB_DIR/workloads.yaml" >>"$LAB_DIR/logs/objects.log"
}

compare_all() {
	local node end=$((EPOCHSECONDS + 15)) left
	while :; do
		left=
		look_at_nodes
		for node in "${nodes[@]}"; do
			left+=$(diff "$LAB_DIR/state/$node.now" "$LAB_DIR/state/$node.fingerprint") || left+=" on $node;"
		done
		while read -r node; do left+=" the Service rules of $node are its own;"; done <"$LAB_DIR/state/odd"
		left+=$(diff <(system_state) "$LAB_DIR/state/system") || left+=" in kube-system;"
		[ -n "$left" ] || return 0
		((EPOCHSECONDS < end)) || die "not as it was: $left"
		sleep 0.3
	done
}
