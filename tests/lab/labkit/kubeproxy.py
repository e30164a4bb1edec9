"""kube-proxy in iptables mode: the same chains, hashes and comments as the real one, in the same order.

The rules of a node are one dictionary per table: chain → list of rules. Only chains whose content changed since the last
synchronisation of that node are written, in one iptables-restore, so counters of the others live on.
"""

import base64
import hashlib
import subprocess

from . import config, endpoints, kubeproxy_nft
from .space import finish

MARK = "0x4000/0x4000"

# (table, built-in chain, match, target, comment): the jumps, in the order in which they end up from the top.
JUMPS = [
    ("filter", "INPUT", "NEW", "KUBE-PROXY-FIREWALL", "kubernetes load balancer firewall"),
    ("filter", "INPUT", "", "KUBE-NODEPORTS", "kubernetes health check service ports"),
    ("filter", "INPUT", "NEW", "KUBE-EXTERNAL-SERVICES", "kubernetes externally-visible service portals"),
    ("filter", "INPUT", "", "KUBE-FIREWALL", ""),
    ("filter", "FORWARD", "NEW", "KUBE-PROXY-FIREWALL", "kubernetes load balancer firewall"),
    ("filter", "FORWARD", "", "KUBE-FORWARD", "kubernetes forwarding rules"),
    ("filter", "FORWARD", "NEW", "KUBE-SERVICES", "kubernetes service portals"),
    ("filter", "FORWARD", "NEW", "KUBE-EXTERNAL-SERVICES", "kubernetes externally-visible service portals"),
    ("filter", "OUTPUT", "NEW", "KUBE-PROXY-FIREWALL", "kubernetes load balancer firewall"),
    ("filter", "OUTPUT", "NEW", "KUBE-SERVICES", "kubernetes service portals"),
    ("filter", "OUTPUT", "", "KUBE-FIREWALL", ""),
    ("nat", "PREROUTING", "", "KUBE-SERVICES", "kubernetes service portals"),
    ("nat", "OUTPUT", "", "KUBE-SERVICES", "kubernetes service portals"),
    ("nat", "POSTROUTING", "", "KUBE-POSTROUTING", "kubernetes postrouting rules"),
]


def chain_hash(*parts):
    """kube-proxy's sixteen characters: base32 of SHA-256 of the parts run together."""
    return base64.b32encode(hashlib.sha256("".join(parts).encode()).digest()).decode()[:16]


def port_name(service, port):
    meta = service["metadata"]
    name = f"{meta['namespace']}/{meta['name']}"
    return f"{name}:{port['name']}" if port.get("name") else name


def _comment(text):
    return f'-m comment --comment "{text}"'


class Endpoint:
    def __init__(self, address, port, node, usable):
        self.address, self.port, self.node, self.usable = address, port, node, usable

    def __str__(self):
        return f"{self.address}:{self.port}"


def endpoints_of(lab, service, port):
    """Usable endpoints of one service port: the ready ones, else those that still serve while they terminate."""
    ready, serving = {}, {}
    for slice_ in endpoints.of_service(lab, service):
        numbers = [p["port"] for p in slice_.get("ports") or [] if (p.get("name") or "") == port.get("name", "")
                   and p.get("protocol", "TCP") == port["protocol"]]
        for number in numbers:
            for item in slice_.get("endpoints") or []:
                conditions = item.get("conditions") or {}
                endpoint = Endpoint(item["addresses"][0], number, item.get("nodeName"), True)
                if conditions.get("ready", True) is not False:
                    ready[str(endpoint)] = endpoint
                elif conditions.get("serving") and conditions.get("terminating"):
                    serving[str(endpoint)] = endpoint
    return [e for _, e in sorted((ready or serving).items())]


def _host_name(lab, node):
    """The node name kube-proxy believes in: --hostname-override of its pod."""
    pod = lab.store.get("Pod", "kube-system", f"kube-proxy-{node}")
    words = [w for c in pod["spec"]["containers"] for w in (c.get("command") or []) + (c.get("args") or [])] if pod else []
    given = [w.partition("=")[2] for w in words if w.startswith("--hostname-override=")]
    return given[-1].replace("$(NODE_NAME)", node) if given else node


class Rules:
    """All rules of one node, computed from the objects."""

    def __init__(self, lab, node):
        self.lab, self.node = lab, _host_name(lab, node)
        self.cluster_cidr = lab.kube_proxy_config().get("clusterCIDR", config.POD_NET)
        self.tables = {
            "filter": {name: [] for name in ("KUBE-EXTERNAL-SERVICES", "KUBE-FIREWALL", "KUBE-FORWARD", "KUBE-NODEPORTS",
                                             "KUBE-PROXY-CANARY", "KUBE-PROXY-FIREWALL", "KUBE-SERVICES")},
            "nat": {name: [] for name in ("KUBE-MARK-MASQ", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-PROXY-CANARY", "KUBE-SERVICES")},
            "mangle": {"KUBE-IPTABLES-HINT": [], "KUBE-PROXY-CANARY": [], "KUBE-KUBELET-CANARY": []},
        }
        self._fixed()
        for service in lab.store.list("Service"):
            spec = service["spec"]
            if spec["type"] == "ExternalName" or spec.get("clusterIP") in (None, "", "None"):
                continue
            for port in spec.get("ports", []):
                self._service_port(service, port)
        self._add("nat", "KUBE-SERVICES", _comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain")
                  + " -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS")

    def _add(self, table, chain, rule):
        self.tables[table].setdefault(chain, []).append(f"-A {chain} {rule}")

    def _fixed(self):
        self._add("nat", "KUBE-MARK-MASQ", "-j MARK --or-mark 0x4000")
        self._add("nat", "KUBE-POSTROUTING", f"-m mark ! --mark {MARK} -j RETURN")
        self._add("nat", "KUBE-POSTROUTING", "-j MARK --xor-mark 0x4000")
        self._add("nat", "KUBE-POSTROUTING", _comment("kubernetes service traffic requiring SNAT") + " -j MASQUERADE --random-fully")
        self._add("filter", "KUBE-FORWARD", "-m conntrack --ctstate INVALID -j DROP")
        self._add("filter", "KUBE-FORWARD", _comment("kubernetes forwarding rules") + f" -m mark --mark {MARK} -j ACCEPT")
        self._add("filter", "KUBE-FORWARD", _comment("kubernetes forwarding conntrack rule")
                  + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
        self._add("filter", "KUBE-FIREWALL", "! -s 127.0.0.0/8 -d 127.0.0.0/8 " + _comment("block incoming localnet connections")
                  + " -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP")

    def _service_port(self, service, port):
        spec, name, proto = service["spec"], port_name(service, port), port["protocol"].lower()
        every = endpoints_of(self.lab, service, port)
        local = [e for e in every if e.node == self.node]
        internal_local = spec.get("internalTrafficPolicy") == "Local"
        external_local = spec.get("externalTrafficPolicy") == "Local"
        suffix = chain_hash(name, proto)
        cluster_chain, local_chain, external_chain = f"KUBE-SVC-{suffix}", f"KUBE-SVL-{suffix}", f"KUBE-EXT-{suffix}"
        external_ips = list(spec.get("externalIPs") or [])
        load_balancer_ips = [i["ip"] for i in service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
                             if i.get("ip") and i.get("ipMode") != "Proxy"]
        is_external = bool(external_ips or load_balancer_ips or port.get("nodePort"))
        internal_chain = local_chain if internal_local else cluster_chain
        match = f"-m {proto} -p {proto}"
        vip = f"-d {spec['clusterIP']}/32 {match} --dport {port['port']}"

        usable_internal = local if internal_local else every
        if usable_internal:
            self._add("nat", "KUBE-SERVICES", f"{_comment(name + ' cluster IP')} {vip} -j {internal_chain}")
        else:
            self._refuse("KUBE-SERVICES", name, vip, every)
        usable_external = local if external_local else every
        source_ranges = spec.get("loadBalancerSourceRanges") if load_balancer_ips else None
        firewall_chain = f"KUBE-FW-{suffix}"
        targets = [(ip, "external IP", external_chain) for ip in external_ips]
        targets += [(ip, "loadbalancer IP", firewall_chain if source_ranges else external_chain) for ip in load_balancer_ips]
        for ip, what, chain in targets:
            external = f"-d {ip}/32 {match} --dport {port['port']}"
            if every:
                self._add("nat", "KUBE-SERVICES", f"{_comment(f'{name} {what}')} {external} -j {chain}")
            if not usable_external:
                self._refuse("KUBE-EXTERNAL-SERVICES", name, external, every)
            if every and chain == firewall_chain:
                self._add("filter", "KUBE-PROXY-FIREWALL", f"{_comment(f'{name} traffic not accepted by {chain}')} {external} -j DROP")
        if port.get("nodePort"):
            node_port = f"{match} --dport {port['nodePort']}"
            if every:
                self._add("nat", "KUBE-NODEPORTS", f"{_comment(name)} {node_port} -j {external_chain}")
            if not usable_external:
                self._refuse("KUBE-EXTERNAL-SERVICES", name, f"-m addrtype --dst-type LOCAL {node_port}", every)
        if not every:
            return
        if source_ranges:
            for cidr in source_ranges:
                self._add("nat", firewall_chain, f"{_comment(f'{name} loadbalancer IP')} -s {cidr} -j {external_chain}")
            self._add("nat", firewall_chain, _comment(f"other traffic to {name} will be dropped by KUBE-PROXY-FIREWALL"))
        if is_external:
            self._external(name, external_chain, cluster_chain, local_chain, external_local, bool(local))
        uses_cluster = not internal_local or (is_external and not external_local) or (is_external and external_local)
        uses_local = internal_local or (is_external and external_local)
        masquerade = f"{_comment(name + ' cluster IP')} {vip} ! -s {self.cluster_cidr} -j KUBE-MARK-MASQ"
        for chain, members, used in ((cluster_chain, every, uses_cluster), (local_chain, local, uses_local)):
            if not used or not members:
                continue
            if chain == internal_chain and self.cluster_cidr:
                self._add("nat", chain, masquerade)
            self._balance(service, name, proto, chain, members)
        used = {str(e): e for e in (every if uses_cluster else []) + (local if uses_local else [])}
        for endpoint in used.values():
            self._endpoint(service, name, proto, endpoint)

    def _refuse(self, chain, name, match, every):
        if every:
            self._add("filter", chain, f"{_comment(name + ' has no local endpoints')} {match} -j DROP")
        else:
            self._add("filter", chain, f"{_comment(name + ' has no endpoints')} {match} -j REJECT")

    def _external(self, name, chain, cluster_chain, local_chain, is_local, has_local):
        if not is_local:
            self._add("nat", chain, f"{_comment(f'masquerade traffic for {name} external destinations')} -j KUBE-MARK-MASQ")
            self._add("nat", chain, f"-j {cluster_chain}")
            return
        if self.cluster_cidr:
            self._add("nat", chain, f"{_comment(f'pod traffic for {name} external destinations')} -s {self.cluster_cidr} "
                      f"-j {cluster_chain}")
        self._add("nat", chain, f"{_comment(f'masquerade LOCAL traffic for {name} external destinations')} "
                  "-m addrtype --src-type LOCAL -j KUBE-MARK-MASQ")
        self._add("nat", chain, f"{_comment(f'route LOCAL traffic for {name} external destinations')} "
                  f"-m addrtype --src-type LOCAL -j {cluster_chain}")
        if has_local:
            self._add("nat", chain, f"-j {local_chain}")

    def _endpoint_chain(self, name, proto, endpoint):
        return f"KUBE-SEP-{chain_hash(name, proto, str(endpoint))}"

    def _affinity(self, service):
        if service["spec"].get("sessionAffinity") != "ClientIP":
            return None
        return service["spec"].get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds", 10800)

    def _balance(self, service, name, proto, chain, members):
        seconds = self._affinity(service)
        if seconds:
            for endpoint in members:
                target = self._endpoint_chain(name, proto, endpoint)
                self._add("nat", chain, f"{_comment(f'{name} -> {endpoint}')} -m recent --name {target} --rcheck --seconds {seconds} "
                          f"--reap -j {target}")
        for i, endpoint in enumerate(members):
            left = len(members) - i
            chance = f"-m statistic --mode random --probability {1 / left:.10f} " if left > 1 else ""
            self._add("nat", chain, f"{_comment(f'{name} -> {endpoint}')} {chance}-j {self._endpoint_chain(name, proto, endpoint)}")

    def _endpoint(self, service, name, proto, endpoint):
        chain = self._endpoint_chain(name, proto, endpoint)
        recent = f"-m recent --name {chain} --set " if self._affinity(service) else ""
        self._add("nat", chain, f"{_comment(name)} -s {endpoint.address}/32 -j KUBE-MARK-MASQ")
        self._add("nat", chain, f"{_comment(name)} {recent}-m {proto} -p {proto} -j DNAT --to-destination {endpoint}")


def _restore_text(old, new, full):
    """The iptables-restore input that turns one node's chains from old into new; empty when nothing differs."""
    text = []
    for table, chains in new.items():
        before = old.get(table, {})
        changed = {name: rules for name, rules in chains.items() if full or before.get(name) != rules}
        gone = [name for name in before if name not in chains]
        if not changed and not gone:
            continue
        text.append(f"*{table}")
        text += [f":{name} - [0:0]" for name in [*changed, *gone]]
        for rules in changed.values():
            text += rules
        text += [f"-X {name}" for name in gone]
        text.append("COMMIT")
    return "\n".join(text) + "\n" if text else ""


def _jump(table, chain, match, target, comment):
    words = " ".join(filter(None, ["-m conntrack --ctstate NEW" if match else "", _comment(comment) if comment else ""]))
    return f"{chain} {words} -j {target}".replace("  ", " ")


def _ensure_jumps(lab, node):
    """Prepends the jumps that are missing, as kube-proxy does when it starts and on a full synchronisation."""
    done = lab.places.popen_in_network(node, ["iptables-save"], stdout=subprocess.PIPE)
    present = {}
    for line in done.communicate()[0].decode().splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith("-A "):
            words = line.split()
            present.setdefault((table, words[1]), set()).add(words[-1])
    text = []
    for table in ("filter", "nat"):
        missing = [j for j in JUMPS if j[0] == table and j[3] not in present.get((table, j[1]), set())]
        if missing:
            text += [f"*{table}", *(f"-I {_jump(*j)}" for j in reversed(missing)), "COMMIT"]
    if text:
        lab.places.pipe(node, ["iptables-restore", "--noflush"], "\n".join(text) + "\n")


def sync(lab, full):
    """Brings every node with a running kube-proxy up to date; the others keep the rules they have."""
    if lab.kube_proxy_config().get("mode") == "nftables":
        kubeproxy_nft.sync(lab, full, _host_name, endpoints_of)
        return
    jobs, done = [], []
    for node in lab.running_on("kube-proxy"):
        old = lab.state.get(f"kube-proxy-{node}")
        new = Rules(lab, node).tables
        text = _restore_text(old or {}, new, full or old is None)
        if text:
            jobs.append(lab.places.pipe_start(node, ["iptables-restore", "--noflush"], text))
        lab.state[f"kube-proxy-{node}"] = new
        done.append((node, old, new))
    for job in jobs:
        finish(job)
    for node, old, new in done:
        if full or old is None:
            _ensure_jumps(lab, node)
        if old is not None and old["nat"] != new["nat"]:
            _forget_udp(lab, node, _dnat_targets(old), _dnat_targets(new))


def _dnat_targets(tables):
    return {rule.rpartition(" ")[2] for chain, rules in tables["nat"].items() if chain.startswith("KUBE-SEP-")
            for rule in rules if "-p udp" in rule and "DNAT" in rule}


def _forget_udp(lab, node, old, new):
    """kube-proxy deletes UDP flows that conntrack still sends to endpoints that are gone."""
    for target in old - new:
        address, _, port = target.partition(":")
        process = lab.places.popen_in_network(node, ["conntrack", "-D", "-p", "udp", "--reply-src", address, "--reply-port-src", port],
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process.wait()  # exit 1 means there was no such flow
