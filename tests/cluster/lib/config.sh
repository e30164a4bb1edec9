# What is where: names, addresses, folders. Everything else takes them from here.
# shellcheck shell=bash disable=SC2034 # used by the other parts

LAB_DIR=${LAB_DIR:-/run/packetwalk-cluster}
cache_home=${PACKETWALK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/packetwalk}/cluster

nodes=(n1 n2 n3)
hosts=(switch gw ext admin cp)
declare -A address=([n1]=192.168.50.11 [n2]=192.168.50.12 [n3]=192.168.50.13 [gw]=192.168.50.1 [admin]=192.168.50.2 [cp]=192.168.50.10)
underlay=192.168.50.0/24
gw_outside=203.0.113.1
ext_address=203.0.113.10
ext_dns=203.0.113.53
pod_net=10.244.0.0/16
service_net=10.96.0.0/16
api_url=https://${address[cp]}:6443
kube_version=v1.37.2
# cgroups of the lab, below the root of every hierarchy; labs side by side have their own.
cgroup_name=packetwalk${LAB_DIR//\//-}

die() { echo "lab: $*" >&2; exit 1; }
usage() { echo "usage: lab $*" >&2; exit 2; }

is_node() { [[ " ${nodes[*]} " = *" $1 "* ]]; }
pod_cidr() { echo "10.244.${1#n}.0/24"; }

# until_true EPOCHSECONDS WHAT CMD …: waits for a condition, never for time alone.
until_true() {
	local end=$((EPOCHSECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		((EPOCHSECONDS < end)) || die "gave up waiting: $what"
		sleep 0.1
	done
}
