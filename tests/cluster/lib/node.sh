# A node: containerd and kubelet in its namespaces.
# shellcheck shell=bash

containerd_config() {
	cat <<EOF
version = 3
[grpc]
  address = '/run/containerd/containerd.sock'
[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = 'packetwalk.test/pause:1'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['/opt/cni/bin']
    conf_dir = '/etc/cni/net.d'
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = '$LAB_DIR/programs/runc'
      SystemdCgroup = false
EOF
}

kubelet_config() { # NODE
	cat <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $LAB_DIR/pki/ca.pem}}
authorization: {mode: Webhook}
tlsCertFile: $LAB_DIR/pki/$1-serving.pem
tlsPrivateKeyFile: $LAB_DIR/pki/$1-serving.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: /etc/resolv.conf
evictionHard: {memory.available: 0%, nodefs.available: 0%, imagefs.available: 0%, nodefs.inodesFree: 0%, imagefs.inodesFree: 0%}
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
nodeLeaseDurationSeconds: 8
nodeStatusUpdateFrequency: 3s
syncFrequency: 5s
volumePluginDir: /var/lib/kubelet/volumeplugins
EOF
}

start_containerd() { # NODE
	daemon "$1" containerd containerd --config /etc/containerd.toml --log-level warn
	until_true 30 "containerd on $1" at "$1" ctr version
}

start_kubelet() { # NODE
	daemon "$1" kubelet kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf --hostname-override="$1" \
		--node-ip="${address[$1]}" --v=1
}

prepare_node() { # NODE
	containerd_config | at "$1" tee /etc/containerd.toml >/dev/null
	kubelet_config "$1" | at "$1" tee /var/lib/kubelet/config.yaml >/dev/null
	at "$1" cp "$LAB_DIR/pki/$1.kubeconfig" /etc/kubernetes/kubelet.conf
	start_containerd "$1"
	at "$1" ctr -n k8s.io images import "$(images_file)" >>"$LAB_DIR/logs/$1.images.log" 2>&1
}

node_object() { # NODE: made before its kubelet registers, so that every node has the CIDR of its number
	cat <<EOF
apiVersion: v1
kind: Node
metadata: {name: $1, labels: {kubernetes.io/hostname: $1}}
spec: {podCIDR: $(pod_cidr "$1"), podCIDRs: [$(pod_cidr "$1")]}
---
EOF
}
