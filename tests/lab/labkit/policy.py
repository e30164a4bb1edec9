"""The NetworkPolicy enforcer: evaluates the objects and drops, on each node, what they do not allow for its own pods.

One nftables table per node. In the forward hook packets carry pod addresses (DNAT is done, masquerading not yet), bridged
traffic between pods of one node passes too (bridge-nf-call-iptables), and the node's own traffic to its pods does not.
"""

import ipaddress

from . import endpoints, kinds
from .space import finish

TABLE = "inet kube-network-policies"


def _pod_address(pod):
    return None if pod["spec"].get("hostNetwork") else pod.get("status", {}).get("podIP")


class Evaluator:
    """Peers and ports of policy rules as sets of addresses and numbers."""

    def __init__(self, store):
        self.pods = [p for p in store.list("Pod") if _pod_address(p)]
        self.namespaces = {n["metadata"]["name"]: n["metadata"].get("labels", {}) for n in store.list("Namespace")}
        self.policies = store.list("NetworkPolicy")

    def selecting(self, pod, direction):
        """The policies that isolate a pod in a direction ("Ingress", "Egress")."""
        meta = pod["metadata"]
        return [p for p in self.policies if p["metadata"]["namespace"] == meta["namespace"]
                and direction in p["spec"]["policyTypes"] and kinds.matches(p["spec"].get("podSelector") or {}, meta.get("labels"))]

    def peer_pods(self, policy, peer):
        """Pods a selector peer names; the namespace is the policy's own unless a namespaceSelector says otherwise."""
        for pod in self.pods:
            namespace = pod["metadata"]["namespace"]
            if "namespaceSelector" in peer and peer["namespaceSelector"] is not None:
                if not kinds.matches(peer["namespaceSelector"], self.namespaces.get(namespace, {})):
                    continue
            elif namespace != policy["metadata"]["namespace"]:
                continue
            if kinds.matches(peer.get("podSelector") or {}, pod["metadata"].get("labels")):
                yield pod

    def rule_matches(self, policy, rule, direction, pod):
        """nft expressions, one per way in which this rule allows traffic of this pod."""
        side, peers_key = ("saddr", "from") if direction == "Ingress" else ("daddr", "to")
        peers = rule.get(peers_key) or [None]
        ports = rule.get("ports") or [None]
        for peer in peers:
            for port in ports:
                if port and isinstance(port.get("port"), str):
                    yield from self._named_port(policy, peer, port, direction, side, pod)
                    continue
                addresses = self._addresses(policy, peer, side)
                if addresses is not None:
                    yield f"{addresses} {_port_match(port)}".strip()

    def _addresses(self, policy, peer, side):
        """None when the peer names nobody."""
        if peer is None:
            return ""
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            if ipaddress.ip_network(block["cidr"], strict=False).version != 4:
                return None
            excluded = block.get("except") or []
            match = f"ip {side} {ipaddress.ip_network(block['cidr'], strict=False)}"
            return match + (f" ip {side} != {{ {', '.join(excluded)} }}" if excluded else "")
        members = sorted({_pod_address(p) for p in self.peer_pods(policy, peer)})
        return f"ip {side} {{ {', '.join(members)} }}" if members else None

    def _named_port(self, policy, peer, port, direction, side, pod):
        """A named port is looked up in the pod that is the destination."""
        protocol = port.get("protocol", "TCP")
        if direction == "Ingress":
            number = endpoints.target_port(pod, port["port"], protocol)
            addresses = self._addresses(policy, peer, side)
            if number is not None and addresses is not None:
                yield f"{addresses} {_port_match({**port, 'port': number})}".strip()
            return
        if peer is not None and "ipBlock" in peer:
            return
        for destination in (self.peer_pods(policy, peer) if peer is not None else self.pods):
            number = endpoints.target_port(destination, port["port"], protocol)
            if number is not None:
                yield f"ip daddr {_pod_address(destination)} {_port_match({**port, 'port': number})}"


def _port_match(port):
    if port is None:
        return ""
    protocol = port.get("protocol", "TCP").lower()
    if "port" not in port:
        return f"meta l4proto {protocol}"
    number = f"{port['port']}-{port['endPort']}" if port.get("endPort") else port["port"]
    return f"{protocol} dport {number}"


def ruleset(store, node, refusal):
    """The nft script that replaces one node's table."""
    evaluator = Evaluator(store)
    chains, ingress_jumps, egress_jumps = [], [], []
    for pod in evaluator.pods:
        if pod["spec"]["nodeName"] != node:
            continue
        address = _pod_address(pod)
        for direction, side, jumps in (("Ingress", "daddr", ingress_jumps), ("Egress", "saddr", egress_jumps)):
            policies = evaluator.selecting(pod, direction)
            if not policies:
                continue
            name = f"{direction.lower()}-{kinds.short_hash(pod['metadata']['uid'], 8)}"
            where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            jumps.append(f'ip {side} {address} jump {name} comment "{where}"')
            lines = []
            for policy in policies:
                identity = f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"
                for i, rule in enumerate(policy["spec"].get(direction.lower()) or []):
                    lines += [f'{match} counter return comment "{identity} {direction.lower()}[{i}]"'
                              for match in evaluator.rule_matches(policy, rule, direction, pod)]
            names = ", ".join(p["metadata"]["name"] for p in policies)
            lines.append(f'counter {refusal} comment "{where} {direction.lower()} denied by {names}"'[:120].rstrip('"') + '"')
            chains.append(f"  chain {name} {{\n    " + "\n    ".join(lines) + "\n  }")
    return "\n".join([
        f"table {TABLE} {{}}", f"delete table {TABLE}", f"table {TABLE} {{", '  comment "rules for kube-network-policies"', *chains,
        "  chain forward {", "    type filter hook forward priority filter + 5; policy accept;",
        "    ct state established,related accept", *(f"    {j}" for j in egress_jumps + ingress_jumps), "  }", "}"]) + "\n"


def sync(lab, full):
    jobs = []
    for node in lab.running_on("policy-enforcer"):
        text = ruleset(lab.store, node, {"drop": "drop", "reject": "reject"}[lab.shape["policy"]])
        if full or lab.state.get(f"policy-{node}") != text:
            jobs.append(lab.places.pipe_start(node, ["nft", "-f", "-"], text))
            lab.state[f"policy-{node}"] = text
    for job in jobs:
        finish(job)
