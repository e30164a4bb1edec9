# The programs: built once per version of go.mod, go.sum and the small mains beside them, and kept in the user's cache.
# shellcheck shell=bash

# program = package: everything without cgo …
plain_programs="
kubectl=k8s.io/kubernetes/cmd/kubectl
kubelet=k8s.io/kubernetes/cmd/kubelet
kube-proxy=k8s.io/kubernetes/cmd/kube-proxy
kube-apiserver=k8s.io/kubernetes/cmd/kube-apiserver
kube-controller-manager=k8s.io/kubernetes/cmd/kube-controller-manager
kube-scheduler=k8s.io/kubernetes/cmd/kube-scheduler
etcd=go.etcd.io/etcd/server/v3
coredns=github.com/coredns/coredns
kube-router=github.com/cloudnativelabs/kube-router/v2/cmd/kube-router
containerd=github.com/containerd/containerd/v2/cmd/containerd
containerd-shim-runc-v2=github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2
ctr=github.com/containerd/containerd/v2/cmd/ctr
cni/bridge=github.com/containernetworking/plugins/plugins/main/bridge
cni/loopback=github.com/containernetworking/plugins/plugins/main/loopback
cni/host-local=github.com/containernetworking/plugins/plugins/ipam/host-local
cni/portmap=github.com/containernetworking/plugins/plugins/meta/portmap
cni/flannel=./cmd/flannel
namer=./cmd/namer
"
# … but these two, which have parts in C.
cgo_programs="
flanneld=github.com/flannel-io/flannel
runc=github.com/opencontainers/runc
"

source_hash() {
	(cd "$here/src" && find . -type f \( -name '*.go' -o -name 'go.*' \) -print0 | sort -z | xargs -0 sha256sum; cat "$here/lib/build.sh") |
		sha256sum | cut -c 1-16
}

programs_dir() { echo "$cache_home/$(source_hash)"; }

build_some() { # CGO LDFLAGS TAGS LIST OUT
	local line
	for line in $4; do
		echo "  go    ${line%%=*}"
		(cd "$here/src" && CGO_ENABLED=$1 GOFLAGS='-trimpath -buildvcs=false -mod=readonly' nice -n 5 \
			go build -tags "$3" -ldflags "-s -w $2" -o "$5/${line%%=*}" "${line#*=}")
	done
}

# Two labs that start at once build once.
build_programs() {
	local dir
	dir=$(programs_dir)
	[ -e "$dir/complete" ] && return
	mkdir -p "$cache_home"
	exec 8>"$cache_home/lock"
	flock 8
	if [ ! -e "$dir/complete" ]; then
		command -v go >/dev/null || die "go is not installed; tests/cluster needs it to build Kubernetes"
		mkdir -p "$dir/cni"
		echo "building Kubernetes and its parts into $dir (some minutes, once)"
		build_some 0 '' '' "$plain_programs" "$dir"
		build_some 1 '-extldflags -static' 'netgo osusergo seccomp' "$cgo_programs" "$dir"
		touch "$dir/complete"
	fi
	exec 8>&-
}
