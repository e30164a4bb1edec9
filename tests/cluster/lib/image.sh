# Container images, made here from the programs and from what Debian has installed; one archive for containerd to import.
# shellcheck shell=bash

# Tools of an operator, for the pods people look around in; and what the programs of kube-system call.
shell_tools="bash sh busybox cat cp curl date dig env ethtool false getent grep head hostname id ip kill ls mkdir nc openssl ping ps rm sed
sleep sort ss stat sysctl tail tc tee test timeout touch tr true uname uniq wc xargs"
filter_tools="sh cat cp iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore xtables-nft-multi xtables-legacy-multi
iptables-legacy iptables-nft ip6tables-legacy ip6tables-nft nft ip ipset conntrack bridge sysctl"

# A program and the libraries it is linked with, at the paths they have here; links (Debian's alternatives) with their targets.
copy_program() { # ROOT PROGRAM
	local path lib
	path=$(type -P "$2") || return 0
	while :; do
		mkdir -p "$1$(dirname "$path")"
		cp -a "$path" "$1$path"
		[ -L "$path" ] || break
		path=$(realpath -s --relative-to=/ "$(cd "$(dirname "$path")" && realpath -ms "$(readlink "$path")")")
		path=/$path
	done
	for lib in $(ldd "$path" 2>/dev/null | grep -o '/[^ ]*'); do
		mkdir -p "$1$(dirname "$lib")"
		cp -Lu "$lib" "$1$lib"
	done
}

usr_merged() { # ROOT: /bin, /sbin and /lib are links, as on Debian
	local d
	for d in bin sbin lib lib64; do
		mkdir -p "$1/usr/$d"
		ln -s "usr/$d" "$1/$d"
	done
	mkdir -p "$1"/{etc,tmp,run,var/lib,opt}
	ln -s /run "$1/var/run"
	chmod 1777 "$1/tmp"
	cp /etc/nsswitch.conf /etc/protocols /etc/services "$1/etc/" 2>/dev/null || touch "$1/etc/nsswitch.conf"
	printf 'hosts: files dns\n' >"$1/etc/nsswitch.conf"
	printf 'root:x:0:0:root:/:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\n' >"$1/etc/group"
}

tools_root() { # ROOT TOOLS
	local tool lib
	usr_merged "$1"
	for tool in $2; do copy_program "$1" "$tool"; done
	# What libc and iptables load while they run.
	for lib in /usr/lib/*-linux-gnu/libnss_{dns,files}.so.2 /usr/lib/*-linux-gnu/libresolv.so.2 /usr/lib/*-linux-gnu/xtables; do
		[ -e "$lib" ] || continue
		mkdir -p "$1$(dirname "$lib")"
		cp -a "$lib" "$1$lib"
	done
	for lib in $(ldd "$1"/usr/lib/*-linux-gnu/xtables/*.so 2>/dev/null | grep -o '/[^ ]*' | grep -v ':$' | sort -u); do
		mkdir -p "$1$(dirname "$lib")"
		cp -Lu "$lib" "$1$lib"
	done
}

static_c() { # SOURCE OUT
	cc -O1 -Wall -Wextra -static -o "$2" "$1" || die "cc $1"
}

# layer WORK NAME ROOT: a layer; prints its digest.
layer() {
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$3" -cf "$1/$2.tar" .
	sha256sum "$1/$2.tar" | cut -d ' ' -f 1
}

# image WORK TAG ENTRYPOINT-JSON LAYER…: its configuration, and its line for the archive's manifest.
image() {
	local work=$1 tag=$2 entry=$3 diffs='' files='' name
	shift 3
	for name in "$@"; do
		diffs+="\"sha256:$(cat "$work/$name.sum")\","
		files+="\"$name.tar\","
	done
	name=$(echo "$tag" | tr -c 'a-z0-9\n' -)
	printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":%s},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
		"$entry" "${diffs%,}" >"$work/$name.json"
	printf '{"Config":"%s.json","RepoTags":["%s"],"Layers":[%s]},' "$name" "$tag" "${files%,}" >>"$work/manifest.part"
}

make_layer() { # WORK NAME ROOT
	layer "$1" "$2" "$3" >"$1/$2.sum"
}

# one_program WORK LAYER PROGRAM PATH-IN-IMAGE
one_program() {
	mkdir -p "$1/$2$(dirname "$4")"
	cp "$3" "$1/$2$4"
	make_layer "$1" "$2" "$1/$2"
}

make_images() { # WORK PROGRAMS
	local work=$1 bin=$2
	static_c "$project/tests/lab/src/podserver.c" "$work/podserver.static"
	tools_root "$work/shell" "$shell_tools"
	make_layer "$work" shell "$work/shell"
	tools_root "$work/filter" "$filter_tools"
	make_layer "$work" filter "$work/filter"
	one_program "$work" podserver "$work/podserver.static" /usr/local/bin/podserver
	cp "$project/tests/lab/src/tls-http" "$work/podserver/usr/local/bin/tls-http"
	make_layer "$work" podserver "$work/podserver"
	one_program "$work" alone "$work/podserver.static" /podserver
	one_program "$work" coredns "$bin/coredns" /coredns
	one_program "$work" kube-proxy "$bin/kube-proxy" /usr/local/bin/kube-proxy
	one_program "$work" flannel "$bin/flanneld" /opt/bin/flanneld
	one_program "$work" kube-router "$bin/kube-router" /usr/local/bin/kube-router
	: >"$work/manifest.part"
	image "$work" packetwalk.test/pause:1 '["/podserver","sleep"]' alone
	image "$work" packetwalk.test/podserver:1 '["/usr/local/bin/podserver"]' shell podserver
	image "$work" packetwalk.test/distroless:1 '["/podserver"]' alone
	image "$work" packetwalk.test/coredns:1 '["/coredns"]' coredns
	image "$work" packetwalk.test/kube-proxy:1 '["/usr/local/bin/kube-proxy"]' filter kube-proxy
	image "$work" packetwalk.test/flannel:1 '["/opt/bin/flanneld"]' filter flannel
	image "$work" packetwalk.test/kube-router:1 '["/usr/local/bin/kube-router"]' filter kube-router
	printf '[%s]' "$(sed 's/,$//' "$work/manifest.part")" >"$work/manifest.json"
	(cd "$work" && rm -f images.tar && set -- *.json *.tar && tar -cf images.tar "$@")
}

images_file() {
	local hash
	hash=$( (cat "$here/lib/image.sh" "$project"/tests/lab/src/{podserver.c,tls-http}; dpkg-query -W -f '${Package} ${Version}\n' iptables nftables iproute2 bash curl libc6 openssl) | sha256sum | cut -c 1-16)
	echo "$(programs_dir)/images-$hash.tar"
}

build_images() {
	local file work
	file=$(images_file)
	[ -e "$file" ] && return
	echo "making the container images"
	work=$(mktemp -d)
	make_images "$work" "$(programs_dir)"
	mv "$work/images.tar" "$file.$$"
	mv "$file.$$" "$file"
	rm -rf "$work"
}
