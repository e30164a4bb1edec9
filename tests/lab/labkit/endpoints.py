"""The EndpointSlice controller: which pods stand behind a Service, on which ports."""

from . import kinds
from .workloads import is_ready

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"


def sync(lab):
    if not lab.is_running("controller-manager"):
        return
    wanted = {}
    for service in lab.store.list("Service"):
        if service["spec"].get("selector") and service["spec"]["type"] != "ExternalName":
            for slice_ in _slices(lab, service):
                wanted[lab.store.key(slice_)] = slice_
    for old in lab.store.list("EndpointSlice"):
        if old["metadata"].get("labels", {}).get(MANAGED_BY) == CONTROLLER and lab.store.key(old) not in wanted:
            lab.store.delete(*lab.store.key(old))
    for key, new in wanted.items():
        old = lab.store.objects.get(key)
        if old and all(old.get(f) == new[f] for f in ("endpoints", "ports")) and old["metadata"]["labels"] == new["metadata"]["labels"]:
            continue
        if old:
            for field in ("uid", "creationTimestamp", "resourceVersion"):
                new["metadata"][field] = old["metadata"][field]
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        lab.store.put(new)


def _slices(lab, service):
    """One slice per distinct set of ports: a named targetPort may be another number, or absent, in each pod."""
    meta, spec = service["metadata"], service["spec"]
    groups = {}
    for pod in lab.store.list("Pod", meta["namespace"]):
        status = pod.get("status", {})
        if not kinds.matches({"matchLabels": spec["selector"]}, pod["metadata"].get("labels")) or not status.get("podIP"):
            continue
        ports = _ports(spec, pod)
        groups.setdefault(repr(ports), (ports, []))[1].append(_endpoint(pod, spec))
    if not groups:
        groups = {"": (None, [])}
    first = True
    for identity, (ports, endpoints) in sorted(groups.items(), reverse=True):
        suffix = kinds.short_hash(meta["uid"] + ("" if first else identity), 5)
        first = False
        labels = {**meta.get("labels", {}), MANAGED_BY: CONTROLLER, SERVICE_NAME: meta["name"]}
        if spec.get("clusterIP") == "None":
            labels["service.kubernetes.io/headless"] = ""
        yield {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
               "metadata": {"name": f"{meta['name']}-{suffix}", "namespace": meta["namespace"], "generateName": f"{meta['name']}-",
                            "generation": 1, "labels": labels, "ownerReferences": [
                                {"apiVersion": "v1", "kind": "Service", "name": meta["name"], "uid": meta["uid"], "controller": True,
                                 "blockOwnerDeletion": True}]},
               "endpoints": endpoints, "ports": ports}


def _ports(spec, pod):
    out = []
    for port in spec.get("ports", []):
        number = target_port(pod, port.get("targetPort", port["port"]), port["protocol"])
        if number is not None:
            out.append({"name": port.get("name", ""), "port": number, "protocol": port["protocol"]})
    return out


def target_port(pod, target, protocol):
    """A targetPort as a number in this pod; None when the pod has no port of that name."""
    if isinstance(target, int):
        return target
    if str(target).isdigit():
        return int(target)
    for container in pod["spec"]["containers"]:
        for port in container.get("ports", []):
            if port.get("name") == target and port["protocol"] == protocol:
                return port["containerPort"]
    return None


def _endpoint(pod, spec):
    ready = is_ready(pod)
    meta = pod["metadata"]
    endpoint = {"addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": ready or bool(spec.get("publishNotReadyAddresses")), "serving": ready, "terminating": False},
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}}
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain"):
        endpoint["hostname"] = pod["spec"]["hostname"]
    return endpoint


def of_service(lab, service):
    meta = service["metadata"]
    return [s for s in lab.store.list("EndpointSlice", meta["namespace"])
            if s["metadata"].get("labels", {}).get(SERVICE_NAME) == meta["name"]]
