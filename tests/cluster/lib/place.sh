# The lab's namespaces: one holder process, and below it the places (nodes, hosts). Killing the holder removes everything.
# tests/lab/src/place.c is the program that holds them open.
# shellcheck shell=bash

# The hierarchies this machine has mounted: nodes get the same, each from its own group downwards.
cgroup_controllers() { awk '$3 == "cgroup" && $2 ~ "^/sys/fs/cgroup/" { sub(".*/", "", $2); print $2 }' /proc/mounts; }

holder_pid() {
	local pid
	pid=$(cat "$LAB_DIR/holder.pid" 2>/dev/null) || return 1
	[ "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")" = "$LAB_DIR/bin/lab-holder $LAB_DIR " ] && echo "$pid"
}

is_inside() { [ "$(cat "$LAB_DIR/side" 2>/dev/null)" = inside ]; }

# step_inside WORD …: the same word again, in the lab's own pid, mount and network namespaces.
step_inside() {
	local pid
	is_inside && return
	pid=$(holder_pid) || die "the lab is down (lab up)"
	exec nsenter --target "$pid" --mount --pid --net --wdns="$PWD" -- "$here/lab" "$@"
}

# start_ready LOG CMD …: starts a program that reports readiness on fd 3, and waits for it; $started is its pid.
start_ready() {
	local log=$1 pipe answer
	shift
	pipe=$(mktemp -u "$LAB_DIR/run/ready.XXXXXX")
	mkfifo "$pipe"
	setsid "$@" 3>"$pipe" >>"$log" 2>&1 </dev/null &
	started=$!
	read -r -N 1 answer <"$pipe" || answer=none # it ended without a word
	rm "$pipe"
	[ "$answer" = r ] || die "did not start: $* ($(tail -n 3 "$log"))"
}

child_of() { awk "{ print \$1 }" "/proc/$1/task/$1/children"; }

prepare_folder() {
	mkdir -p "$LAB_DIR" && chmod 700 "$LAB_DIR"
	(cd "$LAB_DIR" && mkdir -p bin places logs run pki state cgroup)
	echo outside >"$LAB_DIR/side"
	echo inside >"$LAB_DIR/side.inside"
	static_c "$project/tests/lab/src/place.c" "$LAB_DIR/bin/lab-holder"
	ln -f "$LAB_DIR/bin/lab-holder" "$LAB_DIR/bin/pause"
	sed "s|@LAB_DIR@|$LAB_DIR|" "$here/lib/enter.in" >"$LAB_DIR/enter"
	chmod +x "$LAB_DIR/enter"
	ln -s "$(programs_dir)" "$LAB_DIR/programs"
}

start_holder() {
	make_cgroups
	start_ready "$LAB_DIR/logs/holder.log" unshare --mount --net --pid --fork --mount-proc --propagation private \
		"$LAB_DIR/bin/lab-holder" "$LAB_DIR"
	child_of "$started" >"$LAB_DIR/holder.pid"
}

# A group per node in every hierarchy; a cpuset without CPUs takes no process.
make_cgroups() {
	local controller node dir
	for controller in $(cgroup_controllers); do
		for node in "" "${nodes[@]/#//}"; do
			dir=/sys/fs/cgroup/$controller/$cgroup_name$node
			mkdir -p "$dir"
			if [ -e "$dir/cpuset.cpus" ]; then
				cat "$dir/../cpuset.cpus" >"$dir/cpuset.cpus"
				cat "$dir/../cpuset.mems" >"$dir/cpuset.mems"
			fi
		done
	done
}

remove_cgroups() {
	local controller dir
	for controller in $(cgroup_controllers); do
		dir=/sys/fs/cgroup/$controller/$cgroup_name
		[ ! -d "$dir" ] || find "$dir" -depth -type d -exec rmdir {} +
	done
}

# place NAME: its private tree is below /run/lab, filled by the caller before.
start_place() {
	local root=/run/lab/$1
	mkdir -p "$root/over/etc"
	echo "127.0.0.1 localhost $1" >"$root/over/etc/hosts"
	echo "nameserver $ext_dns" >"$root/over/etc/resolv.conf"
	if is_node "$1"; then
		start_machine "$1" "$root"
	else
		start_ready "$LAB_DIR/logs/places.log" "$LAB_DIR/bin/pause" "$1" "$root" --lab "$LAB_DIR"
		echo "$started" >"$LAB_DIR/places/$1"
	fi
}

# A node is a machine of its own: also its processes and its cgroups.
start_machine() { # NODE ROOT
	start_ready "$LAB_DIR/logs/places.log" unshare --mount "$here/lib/join-cgroup" "$cgroup_name/$1" "$LAB_DIR/state/controllers" \
		unshare --pid --cgroup --fork -- "$LAB_DIR/bin/pause" "$1" "$2" --lab "$LAB_DIR"
	child_of "$started" >"$LAB_DIR/places/$1"
	at "$1" "$here/lib/machine" "$LAB_DIR"
}

at() { "$LAB_DIR/enter" "$@"; }

# daemon PLACE NAME CMD …: a long-running program; its pid as the lab sees it is in state/PLACE.NAME.pid.
daemon() {
	local place=$1 name=$2
	shift 2
	setsid "$LAB_DIR/enter" "$place" "$@" >>"$LAB_DIR/logs/$place.$name.log" 2>&1 </dev/null &
	echo $! >"$LAB_DIR/state/$place.$name.pid"
}
