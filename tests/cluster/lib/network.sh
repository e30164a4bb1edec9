# The network below Kubernetes: machines on a switch, a router, a host outside. As in tests/lab, with a third node.
# shellcheck shell=bash

mac_of() { printf '02:00:%02x:%02x:%02x:%02x' ${1//./ }; }

place_pid() { cat "$LAB_DIR/places/$1"; }

build_network() {
	local place
	for place in "${!address[@]}"; do
		ip link add "$place" netns "$(place_pid switch)" mtu 1500 type veth \
			peer name eth0 netns "$(place_pid "$place")" mtu 1500 address "$(mac_of "${address[$place]}")"
	done
	ip link add eth1 netns "$(place_pid gw)" address "$(mac_of $gw_outside)" type veth \
		peer name eth0 netns "$(place_pid ext)" address "$(mac_of $ext_address)"
	switch_commands | at switch ip -batch -
	for place in "${!address[@]}"; do
		host_commands "$place" | at "$place" ip -batch -
	done
	ext_commands | at ext ip -batch -
	gw_rules | at gw nft -f -
	at gw sysctl -qw net.ipv4.ip_forward=1
	for place in "${nodes[@]}"; do
		# What an administrator sets before kubelet starts (bridge-nf is on by default).
		at "$place" sysctl -qw net.ipv4.ip_forward=1
	done
}

switch_commands() {
	local port
	echo 'link set lo up
link add br0 type bridge forward_delay 0
link set br0 up'
	for port in "${!address[@]}"; do echo "link set $port master br0 up"; done
}

host_commands() {
	echo "link set lo up
addr add ${address[$1]}/24 brd + dev eth0
link set eth0 up"
	if [ "$1" = gw ]; then
		echo "addr add $gw_outside/24 dev eth1
link set eth1 up"
	else
		echo "route add default via ${address[gw]}"
	fi
}

ext_commands() {
	echo "link set lo up
addr add $ext_address/24 dev eth0
addr add $ext_dns/24 dev eth0
link set eth0 up
route add default via $gw_outside"
}

gw_rules() {
	echo "table ip nat { chain postrouting {
	type nat hook postrouting priority srcnat; policy accept;
	oifname \"eth1\" ip saddr { $underlay, $pod_net } counter masquerade
}; }"
}

unbound_config() {
	echo "server:
interface: $ext_dns
access-control: 0.0.0.0/0 allow
username: \"\"
chroot: \"\"
directory: /run
pidfile: \"\"
use-syslog: no
num-threads: 1
local-zone: \".\" static
local-data: \". 300 IN SOA ns.example.test. hostmaster.example.test. 1 7200 1800 86400 60\"
local-zone: example.test. static
local-data: \"example.test. 300 IN SOA ns.example.test. hostmaster.example.test. 1 7200 1800 86400 60\"
local-data: \"www.example.test. 60 IN A $ext_address\"
local-data: \"api.example.test. 60 IN A $ext_address\"
local-data: \"example.test. 60 IN A $ext_address\"
remote-control:
control-enable: yes
control-interface: /run/unbound.ctl
control-use-cert: no"
}

start_ext() {
	unbound_config | at ext tee /run/unbound.conf >/dev/null
	daemon ext dns unbound -d -p -c /run/unbound.conf
	start_ext_http
}

start_ext_http() {
	daemon ext http env POD_NAME=www.example.test POD_NAMESPACE=ext "$LAB_DIR/bin/podserver" http 80 --bind "$ext_address"
}
