"""One lab: its state, and the order in which its parts follow a change of the objects."""

import fcntl
import json
import os
import signal

import yaml

from . import api, certs, config, dns, endpoints, kubeproxy, nodes, policy, pods, space, underlay, workloads
from .space import LabError
from .store import Loader, Store, ago, load_manifests, now, write_atomically

# Components that are pods of a DaemonSet: name → (namespace, how the pod on a node is called).
NODE_PODS = {"kube-proxy": ("kube-system", "kube-proxy"), "flanneld": ("kube-flannel", "kube-flannel-ds"),
             "policy-enforcer": ("kube-system", "kube-network-policies")}
NODE_PROGRAMS = ("kubelet",)
CLUSTER_PROGRAMS = ("controller-manager", "apiserver")
SILENCE_SECONDS = 60
COMPONENTS = (*NODE_PODS, *NODE_PROGRAMS, *CLUSTER_PROGRAMS, "coredns")

KUBELET_CONDITIONS = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}


# The names that stand in a scenario for both labs.
SHAPE_NAMES = {"default": "vxlan", "nftables": "kube-proxy-nft", "no-enforcer": "no-policy"}


def load_shape(name):
    path = config.SOURCE / "shapes" / f"{SHAPE_NAMES.get(name, name)}.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise LabError(f"no shape {name}; there are: {known}")
    tunnel_mtu = 1500 - config.VXLAN_OVERHEAD
    shape = {"backend": "vxlan", "pod_mtu": tunnel_mtu, "tunnel_mtu": tunnel_mtu, "policy": "drop",
             "objects": [], "without": [], "patch": [],
             **(yaml.load(path.read_text(), Loader=Loader) or {})}
    return shape


class Lab:
    """Opened inside the lab's namespaces, as a context; leaving it, also by an error, writes the state back."""

    def __init__(self, directory):
        self.directory = directory
        self._lock = open(directory / "lock", "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.shape_name = (directory / "shape").read_text().strip()
        self.shape = load_shape(self.shape_name)
        self.places = space.Places(directory)
        self.store = Store(directory)
        self.state_file = directory / "state.json"
        self.state = json.loads(self.state_file.read_text()) if self.state_file.exists() else {}
        self.stopped = self.state.setdefault("stopped", {})
        self.denied = self.state.setdefault("denied", [])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        write_atomically(self.state_file, json.dumps(self.state))
        self._lock.close()

    def log_file(self, place):
        path = self.directory / "logs" / f"{place}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    # ---- components ----

    def is_running(self, component, node=None):
        """Whether a component does its work (a paused one does not). Pods count as they are, not as they are wanted."""
        if component in NODE_PODS:
            return node in self.running_on(component)
        return f"{component}/{node}" not in self.stopped if component in NODE_PROGRAMS else component not in self.stopped

    def is_known_dead(self, node):
        """Whether a node's kubelet is gone and the node lifecycle controller has drawn its conclusions."""
        return self.stopped.get(f"kubelet/{node}") == "stopped" and self.is_running("controller-manager")

    def running_on(self, component):
        """The nodes on which a per-node component works: its process counts, not what the API believes of its pod."""
        namespace, prefix = NODE_PODS[component]
        places = {f"{namespace}/{prefix}-{node}": node for node in config.NODES}
        running = {places[record["place"]] for record in self.state.get("pods", {}).values()
                   if record["place"] in places and record["place"] not in self.stopped and pods.runs(record)}
        return sorted(running)

    def component_targets(self, name, node):
        """The keys of `stopped` that a component word stands for. A pod (NS/NAME) may be given as well."""
        if "/" in name:
            if not self.store.get("Pod", *name.split("/", 1)):
                raise LabError(f"no pod {name}")
            return [name]
        if name in CLUSTER_PROGRAMS:
            return [name]
        on = [node] if node else list(config.NODES)
        if not set(on) <= set(config.NODES):
            raise LabError(f"no node {node}")
        if name in NODE_PROGRAMS:
            return [f"{name}/{n}" for n in on]
        if name in NODE_PODS:
            namespace, prefix = NODE_PODS[name]
            return [f"{namespace}/{prefix}-{n}" for n in on]
        if name == "coredns":
            return [pods.place_of(p) for p in self.store.list("Pod") if dns.is_dns_pod(p) and p["spec"].get("nodeName") in on]
        raise LabError(f"no component {name}; there are: {', '.join(COMPONENTS)}, and every pod as NS/NAME")

    def set_component(self, verb, name, node):
        for key in self.component_targets(name, node):
            was = self.stopped.pop(key, None)
            if verb != "start":
                self.stopped[key] = {"stop": "stopped", "pause": "paused"}[verb]
            if key == "apiserver":
                self._set_apiserver(verb, was)
            elif key.startswith("kubelet/"):
                self._set_kubelet(key.partition("/")[2], verb, was)
            elif "/" in key and "paused" in (was, self.stopped.get(key)):
                self._signal_pod(key, signal.SIGSTOP if verb == "pause" else signal.SIGCONT)
        self.reconcile()

    def _signal_pod(self, place, number):
        for record in self.state["pods"].values():
            for container in record["containers"].values() if record["place"] == place else ():
                for pid in container["pids"]:
                    os.killpg(pid, number)

    def _set_apiserver(self, verb, was):
        if verb == "pause":
            api.pause(self)
        else:
            if was or verb == "stop":
                api.stop(self)
            if verb == "start" and "apiserver" not in self.state:
                api.start(self)
                api.wait_until_serving(self)

    def _set_kubelet(self, node, verb, was):
        pid = self.state["kubelets"].pop(node, None)
        if verb == "pause" and pid:
            os.killpg(pid, signal.SIGSTOP)
            self.state["kubelets"][node] = pid
        elif pid and (verb == "stop" or was == "paused"):
            space.kill_group(pid)
            pid = None
        if verb == "start":
            self.state["kubelets"][node] = pid or self._start_kubelet(node)

    def _start_kubelet(self, node):
        argv = f"kubelet http 10248 --bind 127.0.0.1 + tcp-listen 10250 --bind {config.NODES[node]}".split()
        process, reader = self.places.daemon(node, argv, self.directory / f"logs/kubelet-{node}.log", ready_fd=True)
        space.wait_ready(process, reader, f"kubelet on {node}")
        return process.pid

    def kube_proxy_config(self):
        configmap = self.store.get("ConfigMap", "kube-system", "kube-proxy")
        return yaml.load(configmap["data"]["config.conf"], Loader=Loader) if configmap else {}

    # ---- up ----

    def build(self):
        """Everything from nothing, inside a holder that has just started."""
        certs_ready = self._in_background(lambda: certs.make(self.directory / "pki"))
        for host in config.HOSTS:
            self._write_host_etc(host)
        nodes.write_etc(self)
        self.places.start(config.PLACES)
        underlay.build(self)
        nodes.prepare(self)
        nodes.build(self)
        self._start_ext()
        self.state["kubelets"] = {node: self._start_kubelet(node) for node in config.NODES}
        certs_ready()
        write_atomically(self.directory / "kubeconfig", certs.kubeconfig(self.directory / "pki"))
        (self.directory / "kubeconfig").chmod(0o600)
        self._load_objects()
        api.start(self)
        # Service rules first: the DNS pods look for the API through them, as soon as they start.
        workloads.sync(self)
        pods.Kubelets(self).sync(False, only=pods.is_host_network)
        self._follow_addresses(True)
        self.reconcile()
        api.wait_until_serving(self)

    @staticmethod
    def _in_background(work):
        """Runs work in a child; the function returned waits for it."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)

        def join():
            if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
                raise LabError("making the certificates failed")
        return join

    def _write_host_etc(self, host):
        etc = self.places.root(host) / "over/etc"
        etc.mkdir(parents=True)
        (etc / "hosts").write_text(f"127.0.0.1 localhost {host}\n{config.API_ADDRESS} kubernetes\n")
        (etc / "resolv.conf").write_text(f"nameserver {config.EXT_DNS}\n")

    def _start_ext(self):
        root = self.places.root("ext")
        records = "\n".join(f"local-data: '{name}. 60 IN A {address}'" for name, address in config.EXT_NAMES.items())
        (root / "run/unbound.conf").write_text(f"""
server:
interface: {config.EXT_DNS}
access-control: 0.0.0.0/0 allow
username: ""
chroot: ""
directory: "/run"
pidfile: ""
use-syslog: no
num-threads: 1
local-zone: "." static
local-data: ". 300 IN SOA ns.example.test. hostmaster.example.test. 1 7200 1800 86400 60"
local-zone: "example.test." static
local-data: "example.test. 300 IN SOA ns.example.test. hostmaster.example.test. 1 7200 1800 86400 60"
{records}
remote-control:
control-enable: yes
control-interface: /run/unbound.ctl
control-use-cert: no
""")
        log = self.directory / "logs/ext.log"
        process, reader = self.places.daemon("ext", ["podserver", "http", "80", "--bind", config.EXT_ADDRESS], log,
                                             {"POD_NAME": "www.example.test", "POD_NAMESPACE": "ext"}, ready_fd=True)
        space.wait_ready(process, reader, "the server outside")
        self.state["ext-dns"] = self.places.daemon("ext", ["unbound", "-d", "-p", "-c", "/run/unbound.conf"], log).pid

    def _load_objects(self):
        files = sorted((config.SOURCE / "objects").glob("*.yaml"))
        manifests = [m for f in files for m in load_manifests(f.read_text())]
        without = set(self.shape["without"])
        manifests = [m for m in manifests if self._word(m) not in without]
        if self.shape["policy"] == "none":
            manifests = [m for m in manifests if m["metadata"]["name"] != "kube-network-policies"]
        manifests += self.shape["objects"]
        order = {"Namespace": 0, "Node": 1, "ConfigMap": 2}
        for manifest in sorted(manifests, key=lambda m: order.get(m["kind"], 9)):
            self.store.apply(manifest)
        for patch in self.shape["patch"]:
            obj = self.store.get(patch["kind"], patch["metadata"].get("namespace"), patch["metadata"]["name"])
            self.store.apply(merge(obj, patch))

    @staticmethod
    def _word(manifest):
        namespace = manifest["metadata"].get("namespace")
        return f"{manifest['kind']} {namespace + '/' if namespace else ''}{manifest['metadata']['name']}"

    # ---- following the objects ----

    def reconcile(self, full=False):
        """Every component that runs brings its part up to date; full also repairs what was changed behind its back."""
        kubelets = pods.Kubelets(self)
        workloads.sync(self)
        workloads.schedule(self)
        self._write_nodes()
        kubelets.sync(full)
        if self._follow_addresses(full):
            # DNS pods learn their data through service rules, and its readiness may change the rules again.
            kubelets.sync(False)
            self._follow_addresses(False)
        workloads.write_status(self)
        self._write_leases()
        api.sync(self)

    def _follow_addresses(self, full):
        endpoints.sync(self)
        nodes.sync_flannel(self, full)
        kubeproxy.sync(self, full)
        policy.sync(self, full)
        restart = dns.sync(self)
        for pod in restart:
            record = self.state["pods"].get(pod["metadata"]["uid"])
            for container in record["containers"].values() if record else ():
                for pid in container["pids"]:
                    space.kill_group(pid)
                container.update(pids=[], exit_code=None)
        return restart

    def _write_nodes(self):
        """Node conditions, as kubelet posts them, or as the node lifecycle controller marks them when it falls silent. A
        paused kubelet has fallen silent too, but less than a grace period ago."""
        for node in self.store.list("Node"):
            name = node["metadata"]["name"]
            alive = self.is_running("kubelet", name)
            for condition in node["status"]["conditions"]:
                usual = KUBELET_CONDITIONS.get(condition["type"])
                if not usual:
                    continue
                beat = condition.get("lastHeartbeatTime", api.NOW)
                condition["lastHeartbeatTime"] = api.NOW if alive else self._frozen(beat, self.is_known_dead(name))
                if alive and condition["status"] == "Unknown":
                    condition.update(status=usual[0], reason=usual[1], message=usual[2], lastTransitionTime=now())
                elif condition["status"] != "Unknown" and self.is_known_dead(name):
                    condition.update(status="Unknown", reason="NodeStatusUnknown", message="Kubelet stopped posting node status.",
                                     lastTransitionTime=now())
            self.store.put(node)

    @staticmethod
    def _frozen(time_mark, is_known_dead):
        """The last sign of life. What is known to be dead has been silent for longer than any grace period."""
        return ago(SILENCE_SECONDS if is_known_dead else 0) if time_mark == api.NOW else time_mark

    def _write_leases(self):
        leases = [("kube-node-lease", node["metadata"]["name"], node["metadata"]["name"],
                   self.is_running("kubelet", node["metadata"]["name"])) for node in self.store.list("Node")]
        leases += [("kube-system", name, f"cp_{name}", self.is_running("controller-manager"))
                   for name in ("kube-controller-manager", "kube-scheduler")]
        for namespace, name, identity, alive in leases:
            lease = self.store.get("Lease", namespace, name) or {
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": namespace},
                "spec": {"holderIdentity": identity, "leaseDurationSeconds": 40 if namespace == "kube-node-lease" else 15}}
            before = lease["spec"].get("renewTime", api.NOW)
            known_dead = self.stopped.get(f"kubelet/{name}" if namespace == "kube-node-lease" else "controller-manager") == "stopped"
            lease["spec"]["renewTime"] = api.NOW if alive else self._frozen(before, known_dead)
            self.store.put(lease)
        wanted = {(n, x) for n, x, _, _ in leases}
        for lease in self.store.list("Lease"):
            key = lease["metadata"]["namespace"], lease["metadata"]["name"]
            if key[0] == "kube-node-lease" and key not in wanted:
                self.store.delete("Lease", *key)


def merge(old, patch):
    """JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    out = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out
