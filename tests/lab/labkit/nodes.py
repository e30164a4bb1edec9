"""What makes a host a node: the pod bridge, flannel's tunnel and rules, and the files kubelet and the CNI plugins read."""

import json

from . import config
from .space import finish
from .underlay import sysctl

MASQ = '-m comment --comment "flanneld masq"'
FORWARD = '-m comment --comment "flanneld forward"'


def write_etc(lab):
    """Files that replace the machine's own must be there before the place starts (without root they cannot be changed)."""
    for node, address in config.NODES.items():
        etc = lab.places.root(node) / "over/etc"
        etc.mkdir(parents=True)
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n{address} {node}\n")
        (etc / "resolv.conf").write_text(f"nameserver {config.EXT_DNS}\n")


def prepare(lab):
    """Files a node has before its first pod. Only faults change them later, so they are written once."""
    for node in config.NODES:
        root = lab.places.view(node)
        etc, var, opt, run = root / "etc", root / "var/lib", root / "opt", root / "run"
        for folder in (etc / "cni/net.d", var / "cni/results", var / "cni/networks/cbr0", var / "kubelet", opt / "cni/bin",
                       run / "flannel", run / "netns"):
            folder.mkdir(parents=True, exist_ok=True)
        (etc / "cni/net.d/10-flannel.conflist").write_text(json.dumps(CNI_CONFIG, indent=2) + "\n")
        for plugin in ("flannel", "bridge", "host-local", "loopback", "portmap"):
            (opt / "cni/bin" / plugin).write_text("#!/bin/sh\n# The lab plays the CNI plugins itself (labkit/pods.py).\n")
            (opt / "cni/bin" / plugin).chmod(0o755)
        (var / "kubelet/config.yaml").write_text(
            "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
            f"clusterDNS:\n- {config.DNS_SERVICE}\nclusterDomain: {config.ZONE}\nresolvConf: /etc/resolv.conf\n")
        (run / "flannel/subnet.env").write_text(
            f"FLANNEL_NETWORK={config.POD_NET}\nFLANNEL_SUBNET={config.pod_gateway(node)}/24\n"
            f"FLANNEL_MTU={lab.shape['pod_mtu']}\nFLANNEL_IPMASQ=true\n")


CNI_CONFIG = {
    "name": "cbr0", "cniVersion": "0.3.1",
    "plugins": [{"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
                {"type": "portmap", "capabilities": {"portMappings": True}}],
}


def flannel_file(lab, node):
    """flannel's subnet file as a dictionary; empty when it is missing (and then no pod can be set up)."""
    path = lab.places.view(node) / "run/flannel/subnet.env"
    if not path.exists():
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def build(lab):
    """Bridge, tunnel and flannel's static rules on both nodes."""
    jobs = []
    for node, address in config.NODES.items():
        sysctl(lab.places, node, {"net/bridge/bridge-nf-call-iptables": 1, "net/ipv4/conf/all/rp_filter": 0,
                                  "net/ipv4/conf/default/rp_filter": 2, "net/ipv4/conf/all/route_localnet": 1})
        lines = [f"link add cni0 address 0a:58:0a:f4:{config.node_index(node):02x}:01 mtu {lab.shape['pod_mtu']} type bridge "
                 "forward_delay 0",
                 f"addr add {config.pod_gateway(node)}/24 dev cni0", "link set cni0 up"]
        if lab.shape["backend"] == "vxlan":
            lines += [f"link add flannel.1 address {config.vtep_mac(node)} mtu {lab.shape['tunnel_mtu']} type vxlan id 1 "
                      f"local {address} dev eth0 dstport {config.VXLAN_PORT} nolearning",
                      f"addr add {config.vtep_address(node)}/32 dev flannel.1", "link set flannel.1 up"]
        jobs.append(lab.places.pipe_start(node, ["ip", "-batch", "-"], "\n".join(lines)))
    for job in jobs:
        finish(job)
    for job in [lab.places.pipe_start(node, ["iptables-restore", "--noflush"], _rules(node)) for node in config.NODES]:
        finish(job)


def _rules(node):
    """FLANNEL-POSTRTG and FLANNEL-FWD as flanneld makes them."""
    net, own = config.POD_NET, config.pod_cidr(node)
    return f"""*nat
:FLANNEL-POSTRTG - [0:0]
-A POSTROUTING {MASQ} -j FLANNEL-POSTRTG
-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 {MASQ} -j RETURN
-A FLANNEL-POSTRTG -s {own} -d {net} {MASQ} -j RETURN
-A FLANNEL-POSTRTG -s {net} -d {own} {MASQ} -j RETURN
-A FLANNEL-POSTRTG ! -s {net} -d {own} {MASQ} -j RETURN
-A FLANNEL-POSTRTG -s {net} ! -d 224.0.0.0/4 {MASQ} -j MASQUERADE --random-fully
-A FLANNEL-POSTRTG ! -s {net} -d {net} {MASQ} -j MASQUERADE --random-fully
COMMIT
*filter
:FLANNEL-FWD - [0:0]
-A FORWARD {FORWARD} -j FLANNEL-FWD
-A FLANNEL-FWD -s {net} {FORWARD} -j ACCEPT
-A FLANNEL-FWD -d {net} {FORWARD} -j ACCEPT
COMMIT
"""


def sync_flannel(lab, full):
    """flanneld: routes, neighbours and forwarding entries for every other node, from the Node objects' annotations."""
    jobs = []
    for node in lab.running_on("flanneld"):
        routes, entries = _peers(lab, node)
        wanted = "\n".join(routes + entries)
        if not full and lab.state.get(f"flannel-{node}") == wanted:
            continue
        jobs.append(lab.places.pipe_start(node, ["ip", "-batch", "-"], "\n".join(routes)))
        if entries:
            jobs.append(lab.places.pipe_start(node, ["bridge", "-batch", "-"], "\n".join(entries)))
        lab.state[f"flannel-{node}"] = wanted
    for job in jobs:
        finish(job)


def _peers(lab, node):
    routes, entries = [], []
    for peer in lab.store.list("Node"):
        name, annotations = peer["metadata"]["name"], peer["metadata"].get("annotations", {})
        cidr, address = peer["spec"].get("podCIDR"), annotations.get("flannel.alpha.coreos.com/public-ip")
        if name == node or not cidr or not address:
            continue
        if lab.shape["backend"] == "host-gw":
            routes.append(f"route replace {cidr} via {address} dev eth0")
            continue
        vtep = cidr.partition("/")[0]
        vtep_mac = json.loads(annotations["flannel.alpha.coreos.com/backend-data"])["VtepMAC"]
        routes.append(f"neigh replace {vtep} lladdr {vtep_mac} nud permanent dev flannel.1")
        routes.append(f"route replace {cidr} via {vtep} dev flannel.1 onlink")
        entries.append(f"fdb replace {vtep_mac} dev flannel.1 dst {address} self permanent")
    return routes, entries
