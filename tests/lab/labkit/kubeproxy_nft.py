"""kube-proxy in nftables mode (ConfigMap kube-proxy, `mode: nftables`): table `ip kube-proxy`, replaced whole when it changes."""

import base64
import hashlib

from . import config
from .space import finish

BASE = """
  chain filter-prerouting { type filter hook prerouting priority -110; ct state new jump firewall-check; }
  chain filter-input { type filter hook input priority -110; ct state new jump nodeport-endpoints-check;
    ct state new jump service-endpoints-check; }
  chain filter-forward { type filter hook forward priority -110; ct state new jump service-endpoints-check;
    ct state new jump cluster-ips-check; }
  chain filter-output { type filter hook output priority -110; ct state new jump service-endpoints-check;
    ct state new jump firewall-check; }
  chain filter-output-post-dnat { type filter hook output priority -90; ct state new jump cluster-ips-check; }
  chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
  chain nat-output { type nat hook output priority -100; jump services; }
  chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }
  chain mark-for-masquerade { meta mark set meta mark | 0x4000; }
  chain masquerading { meta mark & 0x4000 == 0 return; meta mark set meta mark ^ 0x4000; masquerade fully-random; }
  chain reject-chain { reject; }
  chain firewall-check { ip daddr . meta l4proto . th dport vmap @firewall-ips; }
  chain service-endpoints-check { ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }
  chain nodeport-endpoints-check { ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports; }
  chain services { ip daddr . meta l4proto . th dport vmap @service-ips;
    ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports; }"""


def chain_name(prefix, identity):
    digest = base64.b32encode(hashlib.sha256(identity.encode()).digest()).decode()[:8]
    return f"{prefix}-{digest}-{identity}"


class Table:
    def __init__(self, lab, node, own_name, endpoints_of):
        self.node, self.own_name = node, own_name
        self.cluster_cidr = lab.kube_proxy_config().get("clusterCIDR", config.POD_NET)
        self.maps = {name: [] for name in ("no-endpoint-services", "no-endpoint-nodeports", "firewall-ips", "service-ips",
                                           "service-nodeports")}
        self.cluster_ips, self.chains, self.sets = set(), {}, {}
        for service in lab.store.list("Service"):
            spec = service["spec"]
            if spec["type"] == "ExternalName" or spec.get("clusterIP") in (None, "", "None"):
                continue
            self.cluster_ips.add(spec["clusterIP"])
            for port in spec.get("ports", []):
                self._service_port(service, port, endpoints_of(lab, service, port))

    def _service_port(self, service, port, every):
        meta, spec = service["metadata"], service["spec"]
        protocol, number = port["protocol"].lower(), port["port"]
        identity = f"{meta['namespace']}/{meta['name']}/{protocol}/{port.get('name', '')}"
        local = [e for e in every if e.node == self.own_name]
        cluster, locally, external = (chain_name(p, identity) for p in ("service", "local", "external"))
        internal_local = spec.get("internalTrafficPolicy") == "Local"
        external_local = spec.get("externalTrafficPolicy") == "Local"
        name = f"{meta['namespace']}/{meta['name']}" + (f":{port['name']}" if port.get("name") else "")

        def entry(kind, key, usable, target):
            if usable:
                self.maps[f"service-{kind}"].append(f'{key} comment "{name}" : goto {target}')
            else:
                refusal = "drop" if every else "goto reject-chain"
                missing = "no-endpoint-services" if kind == "ips" else "no-endpoint-nodeports"
                self.maps[missing].append(f'{key} comment "{name}" : {refusal}')

        entry("ips", f"{spec['clusterIP']} . {protocol} . {number}", local if internal_local else every,
              locally if internal_local else cluster)
        vips = (spec.get("externalIPs") or []) + [i["ip"] for i in service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
                                                  if i.get("ip")]
        for vip in vips:
            entry("ips", f"{vip} . {protocol} . {number}", local if external_local else every, external)
        if port.get("nodePort"):
            entry("nodeports", f"{protocol} . {port['nodePort']}", local if external_local else every, external)
        if not every:
            return
        self._balance(spec, identity, protocol, cluster, every, f"ip daddr {spec['clusterIP']} {protocol} dport {number}")
        if local and (internal_local or external_local):
            self._balance(spec, identity, protocol, locally, local, f"ip daddr {spec['clusterIP']} {protocol} dport {number}")
        if vips or port.get("nodePort"):
            self.chains[external] = self._external(cluster, locally, external_local, local)
        for endpoint in every:
            self._endpoint(spec, identity, protocol, endpoint)

    def _external(self, cluster, locally, is_local, local):
        if not is_local:
            return ["jump mark-for-masquerade", f"goto {cluster}"]
        return [f'ip saddr {self.cluster_cidr} goto {cluster} comment "short-circuit pod traffic"',
                'fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"',
                f'fib saddr type local goto {cluster} comment "short-circuit local traffic"'] + ([f"goto {locally}"] if local else [])

    def _balance(self, spec, identity, protocol, chain, members, vip):
        rules = [f"{vip} ip saddr != {self.cluster_cidr} jump mark-for-masquerade"]
        targets = [self._endpoint_chain("endpoint", identity, e) for e in members]
        if spec.get("sessionAffinity") == "ClientIP":
            rules += [f"ip saddr @{self._endpoint_chain('affinity', identity, e)} goto {target}" for e, target in zip(members, targets)]
        choices = ", ".join(f"{i} : goto {target}" for i, target in enumerate(targets))
        self.chains[chain] = [*rules, f"numgen random mod {len(targets)} vmap {{ {choices} }}"]

    @staticmethod
    def _endpoint_chain(prefix, identity, endpoint):
        return chain_name(prefix, f"{identity}__{endpoint.address}/{endpoint.port}")

    def _endpoint(self, spec, identity, protocol, endpoint):
        rules = [f"ip saddr {endpoint.address} jump mark-for-masquerade"]
        if spec.get("sessionAffinity") == "ClientIP":
            seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"]
            affinity = self._endpoint_chain("affinity", identity, endpoint)
            self.sets[affinity] = f"type ipv4_addr; flags dynamic,timeout; timeout {seconds}s;"
            rules.append(f"update @{affinity} {{ ip saddr }}")
        rules.append(f"meta l4proto {protocol} dnat to {endpoint.address}:{endpoint.port}")
        self.chains[self._endpoint_chain("endpoint", identity, endpoint)] = rules

    def text(self):
        services = "ipv4_addr . inet_proto . inet_service : verdict"
        types = {name: services if name.endswith(("services", "ips")) else "inet_proto . inet_service : verdict" for name in self.maps}
        lines = ["table ip kube-proxy {}", "delete table ip kube-proxy", "table ip kube-proxy {", '  comment "rules for kube-proxy"',
                 '  set cluster-ips { type ipv4_addr; comment "Active ClusterIPs";',
                 f"    elements = {{ {', '.join(sorted(self.cluster_ips))} }} }}",
                 f"  set nodeport-ips {{ type ipv4_addr; elements = {{ {config.NODES[self.node]} }} }}"]
        lines += [f"  set {name} {{ {body} }}" for name, body in self.sets.items()]
        for name, elements in self.maps.items():
            body = f" elements = {{ {', '.join(elements)} }}" if elements else ""
            lines.append(f"  map {name} {{ type {types[name]};{body} }}")
        lines += [BASE, f"  chain cluster-ips-check {{ ip daddr @cluster-ips reject; ip daddr {{ {config.SERVICE_NET} }} drop; }}"]
        for name, rules in reversed(self.chains.items()):  # endpoints before the chains that go to them
            lines.append(f"  chain {name} {{\n    " + "\n    ".join(rules) + "\n  }")
        return "\n".join([*lines, "}"]) + "\n"


def sync(lab, full, host_name, endpoints_of):
    jobs = []
    for node in lab.running_on("kube-proxy"):
        text = Table(lab, node, host_name(lab, node), endpoints_of).text()
        if full or lab.state.get(f"kube-proxy-nft-{node}") != text:
            jobs.append(lab.places.pipe_start(node, ["nft", "-f", "-"], text))
            lab.state[f"kube-proxy-nft-{node}"] = text
    for job in jobs:
        finish(job)
