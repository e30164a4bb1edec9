# up and down.
# shellcheck shell=bash

install_packages() {
	local package missing=''
	for package in $(grep -hv '^#' "$project/tests/lab/deps" "$here/deps"); do
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=" $package"
	done
	[ -z "$missing" ] && return
	echo "installing:$missing"
	# shellcheck disable=SC2086 # a list
	{ apt-get -o DPkg::Lock::Timeout=300 update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing; } \
		>"${TMPDIR:-/tmp}/packetwalk-cluster-deps.log" 2>&1 || die "apt-get failed: ${TMPDIR:-/tmp}/packetwalk-cluster-deps.log"
}

up() {
	local shape=vxlan begin=$EPOCHSECONDS
	[ $# = 0 ] || { [ $# = 2 ] && [ "$1" = --shape ]; } || usage 'up [--shape NAME]'
	[ $# = 0 ] || shape=$(shape_name "$2")
	[ -f "$here/shapes/$shape" ] || die "no shape $shape; there are: $(ls "$here/shapes")"
	[ "$(id -u)" = 0 ] || die "root is needed"
	if holder_pid >/dev/null && [ -e "$LAB_DIR/built" ]; then
		if [ "$(cat "$LAB_DIR/shape")" = "$shape" ]; then
			echo "already up, shape $shape"
			return
		fi
	fi
	install_packages
	build_programs
	build_images
	down
	prepare_folder
	echo "$shape" >"$LAB_DIR/shape"
	cgroup_controllers >"$LAB_DIR/state/controllers"
	cp "$project/tests/lab/src/podserver.c" "$LAB_DIR/run/"
	static_c "$LAB_DIR/run/podserver.c" "$LAB_DIR/bin/podserver"
	start_holder
	if ! nsenter --target "$(holder_pid)" --mount --pid --net -- "$here/lab" inside-up; then
		rm -rf "${TMPDIR:-/tmp}/packetwalk-cluster-logs"
		cp -r "$LAB_DIR/logs" "${TMPDIR:-/tmp}/packetwalk-cluster-logs"
		[ -n "${LAB_KEEP-}" ] || down
		die "up failed; the logs are in ${TMPDIR:-/tmp}/packetwalk-cluster-logs"
	fi
	touch "$LAB_DIR/built"
	echo "up in $((EPOCHSECONDS - begin)) s, shape $shape, KUBECONFIG=$LAB_DIR/kubeconfig"
}

# Inside the holder's namespaces.
inside_up() {
	local place node waits=()
	make_certificates &
	waits+=($!)
	for place in "${hosts[@]}" "${nodes[@]}"; do start_place "$place"; done
	build_network
	start_ext
	wait "${waits[@]}"
	for node in "${nodes[@]}"; do
		prepare_node "$node" &
		waits+=($!)
	done
	start_control
	load_system_objects
	wait "${waits[@]}"
	for node in "${nodes[@]}"; do start_kubelet "$node"; done
	for node in "${nodes[@]}"; do
		until_true 60 "flannel on $node" at "$node" test -e /run/flannel/subnet.env
		until_true 60 "$node to be Ready" k wait --for=condition=Ready "node/$node" --timeout=1s
	done
	load_workloads
	wait_healthy 90
	keep_baseline
}

shape_name() {
	case $1 in
	default) echo vxlan ;;
	nftables) echo kube-proxy-nft ;;
	no-enforcer) echo no-policy ;;
	*) echo "$1" ;;
	esac
}

down() {
	local pid
	if pid=$(holder_pid); then
		kill -KILL "$pid"
		while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
	fi
	[ ! -d "$LAB_DIR" ] || rm -rf "$LAB_DIR"
	until_true 20 "the lab's cgroups to empty" remove_cgroups
}
