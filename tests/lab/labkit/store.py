"""The objects of the cluster: one JSON file each under LAB_DIR/objects, the lab's single source of truth."""

import copy
import json
import os
import uuid
from datetime import datetime, timedelta, timezone

import yaml

from . import config, kinds
from .space import LabError

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def ago(seconds):
    return (datetime.now(timezone.utc) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def now():
    return ago(0)


def load_manifests(text):
    """All objects of a YAML or JSON text; Lists are flattened."""
    try:
        documents = [d for d in yaml.load_all(text, Loader=Loader) if d]
    except yaml.YAMLError as error:
        raise LabError(f"not YAML: {error}") from None
    out = []
    for document in documents:
        out += document["items"] if document.get("kind", "").endswith("List") and "items" in document else [document]
    for obj in out:
        if not obj.get("kind") or not obj.get("apiVersion") or not (obj.get("metadata") or {}).get("name"):
            raise LabError(f"an object without kind, apiVersion or metadata.name: {json.dumps(obj)[:200]}")
    return out


def write_atomically(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.rename(path)


class Store:
    """A dictionary of objects that writes itself through. Objects handed out are the store's own: change, then put()."""

    def __init__(self, directory):
        self.directory = directory / "objects"
        self.version_file = directory / "resource-version"
        self.version = int(self.version_file.read_text()) if self.version_file.exists() else 1000
        self.objects = {}
        self._written = {}
        for path in sorted(self.directory.rglob("*.json")):
            text = path.read_text()
            obj = json.loads(text)
            self.objects[self.key(obj)] = obj
            self._written[self.key(obj)] = text

    @staticmethod
    def key(obj):
        return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]

    def path(self, key):
        kind, namespace, name = key
        return self.directory / kind / (namespace or "_") / f"{name}.json"

    def get(self, kind, namespace, name):
        return self.objects.get((kind, namespace or "", name))

    def list(self, kind, namespace=None):
        return [obj for (k, ns, _), obj in sorted(self.objects.items(), key=lambda item: item[0])
                if k == kind and namespace in (None, ns)]

    def put(self, obj):
        """Stores an object; its resourceVersion moves only if something in it changed."""
        key = self.key(obj)
        metadata = obj["metadata"]
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", now())
        metadata.setdefault("resourceVersion", "0")
        self.objects[key] = obj
        text = json.dumps(obj, indent=1)
        if self._written.get(key) == text:
            return
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        text = json.dumps(obj, indent=1)
        write_atomically(self.path(key), text)
        self.version_file.write_text(str(self.version))
        self._written[key] = text

    def delete(self, kind, namespace, name):
        key = (kind, namespace or "", name)
        if key not in self.objects:
            raise LabError(f"{kinds.plural(kind)} \"{namespace + '/' if namespace else ''}{name}\" not found")
        del self.objects[key]
        self._written.pop(key, None)
        self.path(key).unlink(missing_ok=True)

    def apply(self, manifest):
        """What `kubectl apply` would do: a new object, or a new spec for an old one. Status, identity and allocated
        addresses of an old object stay; labels and annotations are replaced when the manifest gives any."""
        manifest = copy.deepcopy(manifest)
        kind = manifest["kind"]
        metadata = manifest["metadata"]
        if kinds.is_namespaced(kind):
            metadata.setdefault("namespace", "default")
            if not self.get("Namespace", None, metadata["namespace"]):
                raise LabError(f"namespaces \"{metadata['namespace']}\" not found")
        old = self.objects.get(self.key(manifest))
        if old:
            merged = {**copy.deepcopy(old), **{k: v for k, v in manifest.items() if k not in ("metadata", "status")}}
            merged["metadata"].update({k: v for k, v in metadata.items()
                                       if k not in ("uid", "creationTimestamp", "resourceVersion")})
            if kind == "Service":
                self._keep_addresses(old, merged)
            if kind == "Pod" and not manifest["spec"].get("nodeName"):
                merged["spec"] = {**merged["spec"], "nodeName": old["spec"].get("nodeName")}
            if "status" in manifest and kind not in ("Pod", "Service", "Deployment"):
                merged["status"] = manifest["status"]
            manifest = merged
        obj = kinds.defaulted(manifest)
        if kind == "Service":
            self._allocate_service(obj)
        generation = (old or {}).get("metadata", {}).get("generation", 0)
        if "spec" in obj and kind not in ("Pod", "Service", "Namespace", "Node"):
            changed = not old or old.get("spec") != obj["spec"]
            obj["metadata"]["generation"] = generation + 1 if changed else generation
        self.put(obj)
        return obj

    @staticmethod
    def _keep_addresses(old, new):
        """An apply without clusterIP or nodePort keeps the ones given at first, as the API server does."""
        spec = new["spec"] = copy.deepcopy(new["spec"])
        if spec.get("type") != "ExternalName":
            for field in ("clusterIP", "clusterIPs"):
                if field in old["spec"] and "clusterIP" not in spec or field == "clusterIPs" and field in old["spec"]:
                    spec.setdefault(field, old["spec"][field])
        ports = {(p.get("name"), p["port"]): p for p in old["spec"].get("ports", [])}
        for port in spec.get("ports", []):
            before = ports.get((port.get("name"), port["port"]), {})
            if spec.get("type") in ("NodePort", "LoadBalancer") and "nodePort" in before:
                port.setdefault("nodePort", before["nodePort"])

    def _allocate_service(self, obj):
        spec = obj["spec"]
        if spec["type"] == "ExternalName":
            return
        if not spec.get("clusterIP"):
            taken = {s["spec"].get("clusterIP") for s in self.list("Service")}
            prefix = config.SERVICE_NET.rsplit(".", 2)[0]
            spec["clusterIP"] = next(ip for n in range(100, 60000)
                                     if (ip := f"{prefix}.{n // 250}.{n % 250 + 1}") not in taken)
        spec["clusterIPs"] = [spec["clusterIP"]]
        if spec["type"] in ("NodePort", "LoadBalancer"):
            taken = {p.get("nodePort") for s in self.list("Service") for p in s["spec"].get("ports", [])}
            for port in spec.get("ports", []):
                if not port.get("nodePort"):
                    port["nodePort"] = next(n for n in range(31000, 32768) if n not in taken)
                    taken.add(port["nodePort"])

    def event(self, involved, reason, message, kind="Warning", component="kubelet", host=None):
        """Records an Event, or counts one more of the same."""
        meta = involved["metadata"]
        namespace = meta.get("namespace", "default")
        name = f"{meta['name']}.{kinds.short_hash(meta.get('uid', '') + reason + message, 16)}"
        event = self.get("Event", namespace, name)
        if event:
            event = copy.deepcopy(event)
            event["count"] += 1
            event["lastTimestamp"] = now()
        else:
            reference = {"kind": involved["kind"], "namespace": meta.get("namespace"), "name": meta["name"],
                         "uid": meta.get("uid"), "apiVersion": involved["apiVersion"]}
            event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
                     "involvedObject": {k: v for k, v in reference.items() if v}, "reason": reason, "message": message,
                     "type": kind, "source": {"component": component, **({"host": host} if host else {})},
                     "reportingComponent": component, "reportingInstance": host or "", "count": 1,
                     "firstTimestamp": now(), "lastTimestamp": now()}
        self.put(event)
