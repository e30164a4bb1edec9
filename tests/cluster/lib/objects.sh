# The Kubernetes objects a lab starts with, changed as its shape says.
# shellcheck shell=bash

# A shape is a file of shell assignments (shapes/); these are the defaults.
load_shape() {
	proxy_mode=iptables backend=vxlan enforcer=yes pod_mtu='' tunnel_mtu='' proxy_configmap=yes dns_replicas=2 extra=''
	# shellcheck source=/dev/null
	. "$here/shapes/$(cat "$LAB_DIR/shape")"
}

# The manifests of kube-system, with the shape's settings.
system_manifests() {
	local flannel
	load_shape
	flannel="\"Type\": \"$backend\"${tunnel_mtu:+, \"MTU\": $tunnel_mtu}"
	sed -e "s/^\\( *mode:\\) iptables/\\1 $proxy_mode/" -e "s/\"Type\": \"vxlan\"/$flannel/" \
		-e "s/\"hairpinMode\": true/\"hairpinMode\": true${pod_mtu:+, \"mtu\": $pod_mtu}/" "$here/objects/10-system.yaml" | shape_dns
	[ "$enforcer" = no ] || { echo ---; cat "$here/objects/20-enforcer.yaml"; }
}

shape_dns() {
	if [ "$dns_replicas" = 1 ]; then
		sed -e 's/dns-1=n1,dns-2=n2/dns-2=n2/' -e '/^  replicas: 2/s/2/1/'
	else
		cat
	fi
}

workload_manifests() {
	load_shape
	cat "$project/tests/lab/objects/40-workloads.yaml"
	echo ---
	cat "$here/objects/50-more.yaml"
	[ -z "$extra" ] || { echo ---; cat "$here/$extra"; }
}

load_system_objects() {
	local node
	sed "s|@CA@|$(base64 -w 0 "$LAB_DIR/pki/ca.pem")|" "$here/objects/05-namer.yaml.in" >"$LAB_DIR/run/namer.yaml"
	{
		cat "$LAB_DIR/run/namer.yaml"
		echo ---
		printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n' shop bank
		for node in "${nodes[@]}"; do node_object "$node"; done
		system_manifests
	} >"$LAB_DIR/system.yaml"
	until_true 20 "the namer" at cp bash -c 'exec 3<>/dev/tcp/127.0.0.1/9443'
	k create -f "$LAB_DIR/system.yaml" >>"$LAB_DIR/logs/objects.log"
}

load_workloads() {
	workload_manifests >"$LAB_DIR/workloads.yaml"
	for namespace in shop bank; do
		until_true 30 "the service account of $namespace" k -n "$namespace" get serviceaccount default
	done
	k create -f "$LAB_DIR/workloads.yaml" >>"$LAB_DIR/logs/objects.log"
	load_shape
	[ "$proxy_configmap" = yes ] || hide_proxy_configmap
}

# As where kube-proxy is configured by flags or by the distribution itself: nobody can read how.
hide_proxy_configmap() {
	until_true 60 "kube-proxy" k -n kube-system rollout status daemonset/kube-proxy --timeout=1s
	k -n kube-system delete configmap kube-proxy >>"$LAB_DIR/logs/objects.log"
}
