"""kubelet, container runtime and CNI plugins of both nodes: what turns a Pod object into namespaces and processes."""

import base64
import ipaddress
import json
import os
import re
import select
import subprocess

from . import config, dns, kinds, nodes, portmap, probes, workloads
from .space import LabError, finish, is_alive, kill_group
from .store import now

# Images whose program is part of the cluster itself: podserver stands in for it, under the real program's name.
SYSTEM_PROGRAMS = {
    "kube-proxy": "kube-proxy http 10256 + http 10249 --bind 127.0.0.1 --answer /proxyMode=iptables",
    "flannel": "flanneld http 8081 --healthz /healthz",
    "kube-network-policies": "kube-network-policies http 9081 --bind 127.0.0.1",
}
DEFAULT_COMMAND = ["podserver"]
END_SECONDS = 0.1
KILLED = 137


def place_of(pod):
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def is_host_network(pod):
    return bool(pod["spec"].get("hostNetwork"))


def image_name(container):
    return container.get("image", "").rpartition("/")[2].partition(":")[0].partition("@")[0]


def container_runs(state):
    return bool(state["pids"]) and all(is_alive(pid) for pid in state["pids"])


def runs(record):
    """Whether all of a pod's containers have their processes."""
    return bool(record["containers"]) and all(container_runs(state) for state in record["containers"].values())


class SetupProblem(Exception):
    """The sandbox cannot be made; the message is what kubelet reports in the pod's event."""


class Kubelets:
    """One synchronisation of all pods with their objects."""

    def __init__(self, lab):
        self.lab = lab
        self.places = lab.places
        self.records = lab.state.setdefault("pods", {})

    def sync(self, full, only=None):
        pods = {p["metadata"]["uid"]: p for p in self.lab.store.list("Pod") if only is None or only(p)}
        live = {uid: p for uid, p in pods.items()
                if p["spec"].get("nodeName") and self.lab.is_running("kubelet", p["spec"]["nodeName"])}
        self._remove([uid for uid, record in self.records.items()
                      if uid not in pods or pods[uid]["spec"].get("nodeName") != record["node"]])
        self._create([p for uid, p in live.items() if uid not in self.records])
        changed = self._containers(live)
        self._probe(live, changed, full)
        for uid, pod in pods.items():
            self._write_status(pod, self.records.get(uid), uid in live)

    # ---- sandboxes ----

    def _remove(self, uids):
        for uid in uids:
            record = self.records.pop(uid)
            for container in record["containers"].values():
                for pid in container["pids"]:
                    kill_group(pid)
            if self.places.exists(record["place"]):
                self.places.stop(record["place"])
            if record["veth"]:
                if record["host_ports"]:
                    portmap.remove(self.lab, record)
                self._remove_link(record)

    def _remove_link(self, record):
        """The kernel frees a dead pod's veth some time later; a CNI plugin removes it, and its files, at once."""
        root = self.places.view(record["node"])
        process = self.places.popen_in_network(record["node"], ["ip", "link", "del", record["veth"]], stderr=subprocess.DEVNULL)
        process.wait()  # a failure means it was gone already
        for path in (root / "var/lib/cni/networks/cbr0" / record["ip"],
                     root / f"var/lib/cni/results/cbr0-{record['sandbox']}-eth0", root / "run/netns" / record["netns"]):
            path.unlink(missing_ok=True)

    def _create(self, pods):
        ready = []
        for pod in pods:
            try:
                ready.append((pod, self._plan(pod)))
            except SetupProblem as problem:
                self.lab.store.event(pod, "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = "
                                     f"failed to setup network for sandbox: {problem}", host=pod["spec"]["nodeName"])
        for pod, record in ready:
            self.records[pod["metadata"]["uid"]] = record
            self._write_etc(pod, record)
        self.places.start([r["place"] for _, r in ready],
                          netns_of={r["place"]: r["node"] for _, r in ready if not r["veth"]})
        self._cable([r for _, r in ready if r["veth"]])
        for pod, record in ready:
            if record["veth"]:
                self._write_cni_result(pod, record)
                if record["host_ports"]:
                    portmap.add(self.lab, record)

    def _plan(self, pod):
        node = pod["spec"]["nodeName"]
        uid = pod["metadata"]["uid"]
        sandbox = kinds.short_hash(uid, 64)
        record = {"place": place_of(pod), "node": node, "veth": None, "ip": config.NODES[node], "sandbox": sandbox,
                  "netns": f"cni-{uid}", "containers": {}, "started": now()}
        if is_host_network(pod):
            return record
        root = self.places.view(node)
        if not list((root / "etc/cni/net.d").glob("*.conf*")):
            raise SetupProblem('plugin type="flannel" failed (add): cni config uninitialized')
        flannel = nodes.flannel_file(self.lab, node)
        if not flannel:
            raise SetupProblem('plugin type="flannel" failed (add): failed to load flannel \'subnet.env\' file: '
                               "open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log for this node.")
        self._check_bridge(node, flannel["FLANNEL_SUBNET"])
        record["host_ports"] = portmap.ports_of(pod)
        record["mtu"] = int(flannel["FLANNEL_MTU"])
        record["ip"] = self._lease(root / "var/lib/cni/networks/cbr0", flannel["FLANNEL_SUBNET"], sandbox)
        record["gateway"] = flannel["FLANNEL_SUBNET"].partition("/")[0]
        record["veth"] = f"veth{kinds.short_hash(uid + 'veth', 8)}"
        record["mac"] = "0a:58:" + ":".join(f"{int(part):02x}" for part in record["ip"].split("."))
        return record

    def _check_bridge(self, node, gateway):
        """The bridge plugin adds the gateway's address to a bridge without one, and refuses a bridge that has another."""
        process = self.places.popen_in_network(node, ["ip", "-4", "-o", "addr", "show", "dev", "cni0"], stdout=subprocess.PIPE,
                                               stderr=subprocess.DEVNULL)
        has = re.findall(r" inet (\S+)", process.communicate()[0].decode())
        if has and gateway not in has:
            raise SetupProblem('plugin type="flannel" failed (add): failed to delegate add: failed to set bridge addr: "cni0" '
                               f"already has an IP address different from {gateway}")

    @staticmethod
    def _lease(folder, subnet, sandbox):
        """host-local: the next free address after the last one given; one file per lease."""
        network = ipaddress.ip_interface(subnet)
        hosts = [str(h) for h in network.network.hosts() if h != network.ip]
        last_file = folder / "last_reserved_ip.0"
        last = last_file.read_text() if last_file.exists() else None
        start = hosts.index(last) + 1 if last in hosts else 0
        for address in hosts[start:] + hosts[:start]:
            if not (folder / address).exists():
                (folder / address).write_text(f"{sandbox}\r\neth0")
                last_file.write_text(address)
                return address
        raise SetupProblem('plugin type="flannel" failed (add): failed to allocate for range 0: no IP addresses available in range '
                           f"set: {hosts[0]}-{hosts[-1]}")

    def _write_etc(self, pod, record):
        etc = self.places.root(record["place"]) / "over/etc"
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "resolv.conf").write_text(self._resolv_conf(pod))
        name = pod["spec"].get("hostname", pod["metadata"]["name"])
        lines = ["# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback",
                 f"{record['ip']}\t{name}"]
        aliases = pod["spec"].get("hostAliases") or []
        if aliases:
            lines += ["", "# Entries added by HostAliases."]
        lines += ["\t".join([alias["ip"], *alias["hostnames"]]) for alias in aliases]
        (etc / "hosts").write_text("\n".join(lines) + "\n")
        (etc / "hostname").write_text(name + "\n")

    def _volume_files(self, pod):
        """{path in the pod: content} of ConfigMap and Secret volumes."""
        files = {}
        volumes = {v["name"]: v for v in pod["spec"].get("volumes") or []}
        for container in pod["spec"]["containers"]:
            for mount in container.get("volumeMounts") or []:
                volume = volumes.get(mount["name"], {})
                if "configMap" in volume:
                    source = self.lab.store.get("ConfigMap", pod["metadata"]["namespace"], volume["configMap"]["name"])
                    data = {k: v.encode() for k, v in ((source or {}).get("data") or {}).items()}
                elif "secret" in volume:
                    source = self.lab.store.get("Secret", pod["metadata"]["namespace"], volume["secret"]["secretName"])
                    data = {k: base64.b64decode(v) for k, v in ((source or {}).get("data") or {}).items()}
                else:
                    continue
                files.update({f"{mount['mountPath'].rstrip('/')}/{name}": content for name, content in data.items()})
        return files

    def _write_volumes(self, pod, record):
        """Mounts need no mounting: a place has its own /etc, /var/lib and /opt, so the files are simply there."""
        for path, content in self._volume_files(pod).items():
            if not path.startswith(("/etc/", "/var/lib/", "/opt/")):
                raise LabError(f"{record['place']}: volumes can be mounted below /etc, /var/lib and /opt only, not {path}")
            target = self.places.view(record["place"]) / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _resolv_conf(self, pod):
        """kubelet's rules, see its pkg/kubelet/network/dns."""
        node_root = self.places.view(pod["spec"]["nodeName"])
        kubelet = (node_root / "var/lib/kubelet/config.yaml").read_text()
        servers = re.findall(r"^- (\S+)$", kubelet.partition("clusterDNS:")[2].partition("clusterDomain")[0], re.M)
        node_lines = (node_root / "etc/resolv.conf").read_text().splitlines()
        node_search = [w for line in node_lines if line.startswith("search ") for w in line.split()[1:]]
        node_servers = [line.split()[1] for line in node_lines if line.startswith("nameserver ")]
        policy = pod["spec"]["dnsPolicy"]
        if policy == "None":
            nameservers, search, options = [], [], {}
        elif policy == "Default" or (policy == "ClusterFirst" and is_host_network(pod)) or not servers:
            nameservers, search, options = node_servers, node_search, {}
        else:
            domain = f"svc.{config.ZONE}"
            search = [f"{pod['metadata']['namespace']}.{domain}", domain, config.ZONE, *node_search]
            nameservers, options = servers, {"ndots": "5"}
        extra = pod["spec"].get("dnsConfig") or {}
        nameservers = list(dict.fromkeys(nameservers + (extra.get("nameservers") or [])))
        search = list(dict.fromkeys(search + (extra.get("searches") or [])))
        options.update({o["name"]: o.get("value") for o in extra.get("options") or []})
        lines = ["search " + " ".join(search)] if search else []
        lines += [f"nameserver {server}" for server in nameservers[:3]]
        if options:
            lines.append("options " + " ".join(f"{k}:{v}" if v else k for k, v in options.items()))
        return "\n".join(lines) + "\n"

    def _cable(self, records):
        """veth pairs, the bridge end per node in one batch, then each pod's own end."""
        jobs = []
        for node in {r["node"] for r in records}:
            lines = []
            for r in (r for r in records if r["node"] == node):
                lines += [f"link add {r['veth']} mtu {r['mtu']} type veth peer name eth0 address {r['mac']} mtu {r['mtu']} netns "
                          f"{self.places.pid(r['place'])}",
                          f"link set {r['veth']} master cni0 up", f"link set {r['veth']} type bridge_slave hairpin on"]
            jobs.append(self.places.pipe_start(node, ["ip", "-batch", "-"], "\n".join(lines)))
        for job in jobs:
            finish(job)
        jobs = [self.places.pipe_start(r["place"], ["ip", "-batch", "-"], "\n".join([
            "link set lo up", f"addr add {r['ip']}/24 broadcast + dev eth0", "link set eth0 up",
            f"route add default via {r['gateway']}", f"route add {config.POD_NET} via {r['gateway']}"])) for r in records]
        for job in jobs:
            finish(job)

    def _write_cni_result(self, pod, record):
        """The CNI library's cache entry: how a tool on the node finds a pod's network without asking the runtime."""
        root = self.places.view(record["node"])
        netns = f"/var/run/netns/{record['netns']}"
        (root / "run/netns" / record["netns"]).symlink_to(f"/proc/{self.places.pid(record['place'])}/ns/net")
        meta = pod["metadata"]
        result = {
            "kind": "cniCacheV1", "containerId": record["sandbox"], "config": "", "ifName": "eth0", "networkName": "cbr0",
            "netns": netns, "cniArgs": [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", meta["namespace"]], ["K8S_POD_NAME", meta["name"]],
                                        ["K8S_POD_INFRA_CONTAINER_ID", record["sandbox"]], ["K8S_POD_UID", meta["uid"]]],
            "capabilityArgs": {},
            "result": {"cniVersion": "0.3.1", "dns": {},
                       "interfaces": [{"name": "cni0"}, {"name": record["veth"]},
                                      {"name": "eth0", "mac": record["mac"], "sandbox": netns}],
                       "ips": [{"version": "4", "interface": 2, "address": f"{record['ip']}/24", "gateway": record["gateway"]}],
                       "routes": [{"dst": config.POD_NET}, {"dst": "0.0.0.0/0", "gw": record["gateway"]}]},
        }
        (root / f"var/lib/cni/results/cbr0-{record['sandbox']}-eth0").write_text(json.dumps(result))

    # ---- containers ----

    def _containers(self, pods):
        """Starts new and restarts changed containers; returns the uids of pods in which something was started."""
        changed, starting = set(), []
        for uid, pod in pods.items():
            record = self.records.get(uid)
            if not record:
                continue
            mode = self.lab.stopped.get(record["place"])
            wanted = {c["name"]: c for c in pod["spec"]["containers"]}
            for name in [n for n in record["containers"] if n not in wanted or mode == "stopped"]:
                if self._kill_container(record, name, forget=name not in wanted):
                    changed.add(uid)
            if mode == "stopped":
                for name in wanted:
                    record["containers"].setdefault(name, {"pids": [], "restarts": 0, "hash": "", "settled": True})
                    record["containers"][name].update(exit_code=1, hash="")
                continue
            for name, container in wanted.items():
                spec_hash = kinds.short_hash(json.dumps(self._program(pod, record, container)) + repr(self._volume_files(pod)))
                old = record["containers"].get(name)
                # One that ended by itself stays in back-off until its object changes; one that was killed is restarted.
                if old and old["hash"] == spec_hash and (old["exit_code"] is not None or container_runs(old)):
                    continue
                if old:
                    self._kill_container(record, name)
                changed.add(uid)
                starting.append((pod, record, name, spec_hash, old["restarts"] + 1 if old else 0))
        self._start(starting)
        return changed

    def _kill_container(self, record, name, forget=False):
        container = record["containers"][name]
        had = bool(container["pids"])
        for pid in container["pids"]:
            kill_group(pid)
        container["pids"] = []
        if forget:
            del record["containers"][name]
        return had

    def _program(self, pod, record, container):
        """(list of command lines, environment) of a container: everything whose change means a restart."""
        meta = pod["metadata"]
        own = {"POD_NAME": meta["name"], "POD_NAMESPACE": meta["namespace"], "NODE_NAME": record["node"], "POD_IP": record["ip"],
               "HOSTNAME": meta["name"]}
        fields = {"metadata.name": meta["name"], "metadata.namespace": meta["namespace"], "spec.nodeName": record["node"],
                  "status.podIP": record["ip"], "status.hostIP": config.NODES[record["node"]]}
        environment = dict(own)
        for item in container.get("env") or []:
            source = item.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            environment[item["name"]] = fields.get(source, "") if source else str(item.get("value", ""))
        image = image_name(container)
        if image == "coredns":
            return dns.programs(self.lab, pod), environment
        if image in SYSTEM_PROGRAMS:
            return [SYSTEM_PROGRAMS[image].split()], environment
        words = [*(container.get("command") or DEFAULT_COMMAND), *(container.get("args") or [])]
        return [[re.sub(r"\$\((\w+)\)", lambda m: environment.get(m[1], m[0]), str(w)) for w in words]], environment

    def _start(self, starting):
        """All containers side by side; then waits until each server listens, or has ended."""
        waiting = []
        for pod, record, name, spec_hash, restarts in starting:
            container = next(c for c in pod["spec"]["containers"] if c["name"] == name)
            programs, environment = self._program(pod, record, container)
            if image_name(container) == "coredns":
                dns.write_config(self.lab, pod)
            else:
                self._write_volumes(pod, record)
            log = self.lab.log_file(record["place"])
            state = {"hash": spec_hash, "restarts": restarts, "started": now(), "pids": [], "exit_code": None, "settled": True}
            record["containers"][name] = state
            for argv in programs:
                is_server = argv[0] in ("podserver", *(p.split()[0] for p in SYSTEM_PROGRAMS.values()))
                process, reader = self.places.daemon(record["place"], argv, log, environment, ready_fd=True)
                state["pids"].append(process.pid)
                state["settled"] = state["settled"] and (is_server or argv[0] == "unbound")
                if argv[0] == "unbound":
                    os.close(reader)  # it is asked instead
                else:
                    waiting.append((process, reader, is_server, state))
        for process, reader, is_server, state in waiting:
            # One byte: listening. End of file: the program has ended. Programs that are not ours only ever do the second,
            # and those that mean to fail at once get the time to do it.
            readable = select.select([reader], [], [], probes.PATIENCE_SECONDS if is_server else END_SECONDS)[0]
            if readable and os.read(reader, 1) == b"":
                state["exit_code"] = process.wait()
            os.close(reader)
        dns.wait_until_answering(self.lab, [pod for pod, *_ in starting if dns.is_dns_pod(pod)])

    # ---- probes and status ----

    def _probe(self, pods, changed, full):
        targets = []
        for uid, pod in pods.items():
            record = self.records.get(uid)
            if not record or self.lab.stopped.get(record["place"]) == "stopped":
                continue
            new = uid in changed
            for container in pod["spec"]["containers"]:
                state = record["containers"].get(container["name"])
                if not state or "readinessProbe" not in container or not container_runs(state):
                    continue
                if not (new or full or state.get("problem")):
                    continue
                target = probes.Target(record["node"], record["ip"], record["place"], container, state["settled"], not new and not full)
                target.state = state
                target.pod = pod
                targets.append(target)
        probes.run(self.places, targets)
        for target in targets:
            target.state["problem"] = target.problem
            if target.problem:
                self.lab.store.event(target.pod, "Unhealthy", f"Readiness probe failed: {target.problem}", host=target.node)

    def _write_status(self, pod, record, kubelet_runs):
        meta, spec = pod["metadata"], pod["spec"]
        if not record:
            if spec.get("nodeName") and not pod.get("status"):
                pod["status"] = _pending_status(pod)
            elif not spec.get("nodeName"):
                pod["status"] = {"phase": "Pending", "qosClass": "BestEffort", "conditions": [_condition(
                    "PodScheduled", False, meta.get("creationTimestamp") or now(), "Unschedulable",
                    workloads.why_unschedulable(self.lab, pod))]}
            self.lab.store.put(pod)
            return
        old = pod.get("status") or {}
        statuses = [self._container_status(record, container) for container in spec["containers"]]
        ready = all(s["ready"] for s in statuses) and not spec.get("readinessGates")  # nobody here ever sets one
        if self.lab.is_known_dead(record["node"]):
            ready = False  # the node lifecycle controller marks the pods of a silent node
            statuses = old.get("containerStatuses", statuses)
        elif not kubelet_runs:
            return
        before = {c["type"]: c for c in old.get("conditions", [])}
        unready = None if ready else ("ContainersNotReady", f"containers with unready status: "
                                      f"[{' '.join(s['name'] for s in statuses if not s['ready'])}]")
        conditions = []
        for kind, value in (("PodReadyToStartContainers", True), ("Initialized", True), ("Ready", ready), ("ContainersReady", ready),
                            ("PodScheduled", True)):
            known = before.get(kind)
            if known and known["status"] == str(value):
                conditions.append(known)
            else:
                conditions.append(_condition(kind, value, now(), *(unready or ()) if not value else ()))
        address = record["ip"]
        pod["status"] = {
            "conditions": conditions, "containerStatuses": statuses, "hostIP": config.NODES[record["node"]],
            "hostIPs": [{"ip": config.NODES[record["node"]]}], "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
            "qosClass": "BestEffort", "startTime": record["started"],
        }
        self.lab.store.put(pod)

    def _container_status(self, record, container):
        state = record["containers"].get(container["name"], {"pids": [], "restarts": 0})
        running = container_runs(state)
        ready = running and not state.get("problem")
        image = container.get("image", "")
        status = {"containerID": f"containerd://{kinds.short_hash(record['sandbox'] + container['name'], 64)}", "image": image,
                  "imageID": f"{image}@sha256:{kinds.short_hash(image, 64)}", "lastState": {}, "name": container["name"],
                  "ready": ready, "restartCount": state["restarts"], "started": running}
        if running:
            status["state"] = {"running": {"startedAt": state.get("started", now())}}
            return status
        code = state.get("exit_code", KILLED)
        code = KILLED if code is None or code < 0 else code
        ended = {"exitCode": code, "reason": "Error" if code else "Completed",
                 "startedAt": state.get("started", now()), "finishedAt": state.get("started", now())}
        status["lastState"] = {"terminated": ended}
        status["restartCount"] = max(state["restarts"], 3)
        status["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message":
                                       f"back-off 40s restarting failed container={container['name']} pod={record['place']}"}}
        return status


def _condition(kind, value, since, reason=None, message=None):
    condition = {"lastProbeTime": None, "lastTransitionTime": since, "status": str(value), "type": kind}
    if reason:
        condition.update(reason=reason, message=message)
    return condition


def _pending_status(pod):
    since = pod["metadata"].get("creationTimestamp") or now()
    reason = ("ContainersNotReady", "containers with unready status: [" + " ".join(c["name"] for c in pod["spec"]["containers"]) + "]")
    return {
        "phase": "Pending", "hostIP": config.NODES[pod["spec"]["nodeName"]], "startTime": since, "qosClass": "BestEffort",
        "conditions": [_condition("PodReadyToStartContainers", False, since), _condition("Initialized", True, since),
                       _condition("Ready", False, since, *reason), _condition("ContainersReady", False, since, *reason),
                       _condition("PodScheduled", True, since)],
        "containerStatuses": [{"image": c.get("image", ""), "imageID": "", "lastState": {}, "name": c["name"], "ready": False,
                               "restartCount": 0, "started": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
                              for c in pod["spec"]["containers"]],
    }
