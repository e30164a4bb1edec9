#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests of a large cluster: always the same ones for the same numbers.

usage: manifests.py DIR [PODS [POLICIES [REPLICAS]]]

Namespaces of 100 pods; each workload has REPLICAS pods (10), 0 means pods without an owner. The policies of a
namespace select a workload, a tier or all of it, and admit workloads, other namespaces, ranges of addresses and
named ports in turn, by matchLabels and by matchExpressions.
"""

import sys
from pathlib import Path

PER_NAMESPACE = 100
TEAMS = 7
TIERS = ("front", "middle", "back", "store")


def namespace(n):
    return (f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns-{n:03}\n"
            f"  labels:\n    team: team-{n % TEAMS}\n    stage: {'prod' if n % 3 else 'test'}\n---\n")


def pod(n, replicas):
    ns, inside = divmod(n, PER_NAMESPACE)
    app = inside // (replicas or 10)
    owner = "" if not replicas else (
        "  ownerReferences:\n  - apiVersion: apps/v1\n    kind: ReplicaSet\n"
        f"    name: app-{app}-5d9f7b6c4\n    uid: 5c1c1f0a-0000-4000-8000-{n // replicas:012}\n    controller: true\n")
    return (f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: app-{app}-5d9f7b6c4-{n:05}\n  namespace: ns-{ns:03}\n"
            f"  labels:\n    app: app-{app}\n    tier: {TIERS[app % 4]}\n    pod-template-hash: 5d9f7b6c4\n    serial: \"{n}\"\n{owner}"
            f"spec:\n  nodeName: node-{n % 200:03}\n  containers:\n  - name: main\n    image: registry.example/app:{app}\n"
            f"    ports:\n    - name: http\n      containerPort: {8000 + app}\n    - name: metrics\n      containerPort: 9100\n"
            f"status:\n  phase: Running\n  podIP: 10.{64 + n // 65536}.{n // 256 % 256}.{n % 256}\n"
            "  conditions:\n  - type: Ready\n    status: \"True\"\n---\n")


def selector(ns, n):
    app = n % 10
    return (f"{{matchLabels: {{app: app-{app}}}}}", f"{{matchLabels: {{tier: {TIERS[n % 4]}}}}}", "{}",
            f"{{matchExpressions: [{{key: app, operator: In, values: [app-{app}, app-{(app + 3) % 10}]}}]}}",
            f"{{matchLabels: {{tier: {TIERS[n % 4]}}}, matchExpressions: [{{key: app, operator: NotIn, values: [app-{app}]}}]}}")[(n + ns) % 5]


def peer(ns, n):
    return (f"- podSelector: {selector(ns, n + 1)}",
            f"- namespaceSelector: {{matchLabels: {{team: team-{n % TEAMS}}}}}\n      podSelector: {selector(ns, n + 2)}",
            f"- namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: ns-{(ns * 7 + n) % 100:03}}}}}",
            f"- ipBlock: {{cidr: 192.{n % 4}.0.0/16, except: [192.{n % 4}.{n % 8}.0/24]}}",
            "- namespaceSelector: {matchExpressions: [{key: stage, operator: NotIn, values: [test]}]}")[n % 5]


def rule(ns, n, word):
    ports = ("- port: http", f"- port: {8000 + n % 10}", f"- {{port: {9000 + n % 50}, endPort: {9100 + n % 50}}}",
             "- {protocol: UDP, port: 53}\n    - {port: 53}")[n % 4]
    return f"  - {word}:\n    {peer(ns, n)}\n    {peer(ns, n + 3)}\n    ports:\n    {ports}\n"


def policy(n, namespaces):
    ns, number = n % namespaces, n // namespaces
    kinds = (("Ingress",), ("Ingress", "Egress"), ("Egress",))[n % 3]
    text = (f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: policy-{number:04}\n  namespace: ns-{ns:03}\n"
            f"spec:\n  podSelector: {selector(ns, number)}\n  policyTypes: [{', '.join(kinds)}]\n")
    if "Ingress" in kinds:
        text += "  ingress:\n" + rule(ns, n, "from") + rule(ns, n + 1, "from")
    if "Egress" in kinds:
        text += "  egress:\n" + rule(ns, n + 2, "to") + rule(ns, n + 3, "to")
    return text + "---\n"


def write(folder, pods=10000, policies=2000, replicas=10):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    namespaces = -(-pods // PER_NAMESPACE)
    (folder / "namespaces.yaml").write_text("".join(namespace(n) for n in range(namespaces)), encoding="utf-8")
    (folder / "pods.yaml").write_text("".join(pod(n, replicas) for n in range(pods)), encoding="utf-8")
    (folder / "policies.yaml").write_text("".join(policy(n, namespaces) for n in range(policies)), encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1], *map(int, sys.argv[2:]))
