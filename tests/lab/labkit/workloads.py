"""The controllers that make pods: Deployments (through ReplicaSets) and DaemonSets, and the scheduler."""

import copy
import json

from . import config, kinds

# Pods of a Deployment carry fixed names where scenarios rely on them: "api-1=n1,api-2=n2", used in that order.
PLACEMENT = "lab.packetwalk.dev/pods"


def sync(lab):
    if not lab.is_running("controller-manager"):
        return
    for deployment in lab.store.list("Deployment"):
        _deployment(lab, deployment)
    for daemon_set in lab.store.list("DaemonSet"):
        _daemon_set(lab, daemon_set)
    _collect_orphans(lab)


def schedule(lab):
    """Gives every pod without a node the node with fewer pods."""
    count = {node: 0 for node in config.NODES}
    for pod in lab.store.list("Pod"):
        if pod["spec"].get("nodeName") in count:
            count[pod["spec"]["nodeName"]] += 1
    nodes = {n["metadata"]["name"]: n for n in lab.store.list("Node")}
    for pod in lab.store.list("Pod"):
        if pod["spec"].get("nodeName"):
            continue
        wanted = pod["spec"].get("nodeSelector") or {}
        fit = [n for n in count if n in nodes and kinds.matches({"matchLabels": wanted}, nodes[n]["metadata"].get("labels"))
               and not _ports_taken(lab, pod, n)]
        if fit:
            node = min(fit, key=lambda n: count[n])
            pod["spec"]["nodeName"] = node
            count[node] += 1
            lab.store.put(pod)


def _node_ports(pod):
    """{(protocol, port)} that a pod takes of its node: hostPorts, and every port of a pod of the host network."""
    own = pod["spec"].get("hostNetwork")
    return {(port["protocol"], port.get("hostPort") or port["containerPort"]) for container in pod["spec"]["containers"]
            for port in container.get("ports") or [] if own or port.get("hostPort")}


def _ports_taken(lab, pod, node):
    wanted = _node_ports(pod)
    return any(wanted & _node_ports(p) for p in lab.store.list("Pod") if p["spec"].get("nodeName") == node)


def why_unschedulable(lab, pod):
    """The scheduler's words."""
    total = len(config.NODES)
    taken = sum(_ports_taken(lab, pod, node) for node in config.NODES)
    reasons = [f"{taken} node(s) didn't have free ports for the requested pod ports"] if taken else []
    if taken < total:
        reasons.append(f"{total - taken} node(s) didn't match Pod's node affinity/selector")
    return f"0/{total} nodes are available: {', '.join(reasons)}."


def owner_reference(owner):
    return [{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
             "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}]


def owned_by(lab, kind, owner):
    return [o for o in lab.store.list(kind, owner["metadata"]["namespace"])
            if any(r["uid"] == owner["metadata"]["uid"] for r in o["metadata"].get("ownerReferences", []))]


def _collect_orphans(lab):
    """The garbage collector: what belongs to an object that is gone goes too (twice: Deployment, ReplicaSet, Pod)."""
    for kind in ("ReplicaSet", "Pod"):
        uids = {o["metadata"]["uid"] for o in lab.store.objects.values()}
        for obj in lab.store.list(kind):
            owners = obj["metadata"].get("ownerReferences", [])
            if owners and not any(r["uid"] in uids for r in owners):
                lab.store.delete(kind, obj["metadata"]["namespace"], obj["metadata"]["name"])


def _deployment(lab, deployment):
    spec, meta = deployment["spec"], deployment["metadata"]
    template = spec["template"]
    template_hash = kinds.short_hash(json.dumps(template, sort_keys=True))
    name = f"{meta['name']}-{template_hash}"
    current = lab.store.get("ReplicaSet", meta["namespace"], name)
    for old in owned_by(lab, "ReplicaSet", deployment):
        if old["metadata"]["name"] != name:
            lab.store.delete("ReplicaSet", meta["namespace"], old["metadata"]["name"])
            for pod in owned_by(lab, "Pod", old):
                lab.store.delete("Pod", meta["namespace"], pod["metadata"]["name"])
    labels = {**template["metadata"].get("labels", {}), "pod-template-hash": template_hash}
    match = {**(spec["selector"].get("matchLabels") or {}), "pod-template-hash": template_hash}
    if not current:
        current = {"apiVersion": "apps/v1", "kind": "ReplicaSet",
                   "metadata": {"name": name, "namespace": meta["namespace"], "labels": labels, "generation": 1,
                                "ownerReferences": owner_reference(deployment)},
                   "spec": {"replicas": spec["replicas"], "template": copy.deepcopy(template),
                            "selector": {"matchLabels": match}}}
        current["spec"]["template"]["metadata"]["labels"] = labels
    current["spec"]["replicas"] = spec["replicas"]
    lab.store.put(current)
    # A pod whose labels no longer match has left its ReplicaSet, which makes another.
    pods = [p for p in owned_by(lab, "Pod", current) if kinds.matches(current["spec"]["selector"], p["metadata"].get("labels"))]
    for pod in pods[spec["replicas"]:]:
        lab.store.delete("Pod", meta["namespace"], pod["metadata"]["name"])
    for _ in range(spec["replicas"] - len(pods)):
        pod_name, node = _next_name(lab, deployment, name)
        _make_pod(lab, current, pod_name, node)


def _next_name(lab, deployment, replica_set):
    namespace = deployment["metadata"]["namespace"]
    placement = deployment["metadata"].get("annotations", {}).get(PLACEMENT, "")
    for item in filter(None, placement.split(",")):
        name, _, node = item.partition("=")
        if not lab.store.get("Pod", namespace, name):
            return name, node
    number = 0
    while lab.store.get("Pod", namespace, name := f"{replica_set}-{kinds.short_hash(f'{replica_set}{number}', 5)}"):
        number += 1
    return name, None


def _make_pod(lab, owner, name, node):
    template = copy.deepcopy(owner["spec"]["template"])
    metadata = {k: v for k, v in template["metadata"].items() if k in ("labels", "annotations")}
    metadata.update(name=name, namespace=owner["metadata"]["namespace"], ownerReferences=owner_reference(owner))
    spec = template["spec"]
    if node:
        spec["nodeName"] = node
    lab.store.put(kinds.defaulted({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))


def _daemon_set(lab, daemon_set):
    meta = daemon_set["metadata"]
    pods = {p["spec"].get("nodeName"): p for p in owned_by(lab, "Pod", daemon_set)}
    prefix = meta.get("annotations", {}).get("lab.packetwalk.dev/pod-prefix", meta["name"])
    selector = daemon_set["spec"]["template"]["spec"].get("nodeSelector") or {}
    for node in lab.store.list("Node"):
        name = node["metadata"]["name"]
        wanted = kinds.matches({"matchLabels": selector}, node["metadata"].get("labels"))
        if wanted and name not in pods:
            _make_pod(lab, daemon_set, f"{prefix}-{name}", name)
        elif not wanted and name in pods:
            lab.store.delete("Pod", meta["namespace"], pods[name]["metadata"]["name"])


def write_status(lab):
    """Counts for the workload objects, once the pods' own status is known."""
    if not lab.is_running("controller-manager"):
        return
    for kind in ("ReplicaSet", "DaemonSet"):
        for obj in lab.store.list(kind):
            pods = owned_by(lab, "Pod", obj)
            ready = sum(is_ready(p) for p in pods)
            generation = obj["metadata"].get("generation", 1)
            if kind == "ReplicaSet":
                obj["status"] = {"replicas": len(pods), "fullyLabeledReplicas": len(pods), "readyReplicas": ready,
                                 "availableReplicas": ready, "observedGeneration": generation}
            else:
                obj["status"] = {"currentNumberScheduled": len(pods), "desiredNumberScheduled": len(pods), "numberAvailable": ready,
                                 "numberMisscheduled": 0, "numberReady": ready, "numberUnavailable": len(pods) - ready,
                                 "observedGeneration": generation, "updatedNumberScheduled": len(pods)}
            lab.store.put(obj)
    for obj in lab.store.list("Deployment"):
        sets = [r["status"] for r in owned_by(lab, "ReplicaSet", obj)]
        total, ready = sum(s["replicas"] for s in sets), sum(s["readyReplicas"] for s in sets)
        available = str(ready >= obj["spec"]["replicas"])
        obj["status"] = {"observedGeneration": obj["metadata"].get("generation", 1), "replicas": total, "updatedReplicas": total,
                         "readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": total - ready,
                         "conditions": [{"type": "Available", "status": available, "reason":
                                         "MinimumReplicasAvailable" if available == "True" else "MinimumReplicasUnavailable"}]}
        lab.store.put(obj)


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))
