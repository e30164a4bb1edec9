#!/bin/sh
# The image of packaging/Containerfile without a daemon and without a registry: the program built here, what it is linked with, and
# what it runs, from this machine. Usage: image.sh PROGRAM OUT.tar [TAG]
# OUT.tar is an archive that `podman load`, `docker load`, `ctr images import` and `skopeo copy docker-archive:` take.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 PROGRAM OUT.tar [TAG]" >&2; exit 2; }
program=$1 out=$2 tag=${3:-packetwalk:$("$1" --version | cut -d ' ' -f 2)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
root=$work/root

# A file at the path it has here; links with what they lead to.
take() {
	mkdir -p "$root$(dirname "$1")"
	cp -a "$1" "$root$1"
	[ -L "$1" ] || return 0
	target=$(readlink "$1")
	case $target in /*) ;; *) target=$(dirname "$1")/$target ;; esac
	take "$(realpath -s "$target")"
}

libraries() { # FILE: those it needs to start
	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")"
		cp -Lu "$lib" "$root$lib"
	done
}

# Loaded while it runs: libcurl by us, libnss by libc, extensions by iptables.
loaded() {
	ldconfig -p | sed -n 's/.* => \(.*\/\(libcurl\.so\.4\|libnss_dns\.so\.2\|libnss_files\.so\.2\|libresolv\.so\.2\)\)$/\1/p'
	find /usr/lib -path '*/xtables/*.so' 2>/dev/null
}

mkdir -p "$root/etc" "$root/tmp" "$root/var/lib/cni"
for dir in bin sbin lib lib64; do
	mkdir -p "$root/usr/$dir"
	ln -s "usr/$dir" "$root/$dir"
done
chmod 1777 "$root/tmp"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
install -D -m 755 "$program" "$root/usr/local/bin/packetwalk"
strip "$root/usr/local/bin/packetwalk" 2>/dev/null || echo "$0: strip is not installed: the image is larger than it need be" >&2
libraries "$program"
for tool in iptables iptables-save ip6tables-save nft; do
	path=$(command -v "$tool" || command -v "/usr/sbin/$tool") || { echo "$0: $tool is not installed: the agent of this image reads no such rules" >&2; continue; }
	take "$path"
	libraries "$path"
done
for file in $(loaded); do
	[ ! -e "$root$file" ] || continue
	mkdir -p "$root$(dirname "$file")"
	cp -L "$file" "$root$file"
	libraries "$file"
done
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

# The same files make the same image.
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$root" -cf "$work/layer.tar" .
sum=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
# Who runs the tool by hand does not need root; the agent's pods ask for it where they do.
printf '{"architecture":"%s","os":"linux","config":{"User":"65534:65534","Env":["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["packetwalk"],"Cmd":["help"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
	"$arch" "$sum" >"$work/config.json"
printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$tag" >"$work/manifest.json"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$work" -cf "$out.part" manifest.json config.json layer.tar
mv "$out.part" "$out"
echo "$out: $tag, $(($(wc -c <"$out") / 1048576)) MiB"
