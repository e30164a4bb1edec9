"""The cluster DNS: what CoreDNS would serve for the objects, served by unbound in each dns pod.

The Corefile in ConfigMap kube-system/coredns is followed where a scenario is likely to change it: zones with `forward`, the
kubernetes plugin's zone and ttl, `cache`, `hosts` entries, and `loop`. Records change in place through unbound's control
socket, so no query is lost.
"""

import re
import secrets
import socket
import struct
import time

from . import config, endpoints

CONTROL = "run/unbound.ctl"
ANSWER_SECONDS = 3.0
API_SECONDS = 0.4


def is_dns_pod(pod):
    return any(c.get("image", "").rpartition("/")[2].startswith("coredns") for c in pod["spec"]["containers"])


# ---- Corefile ----

class Corefile:
    def __init__(self, text):
        self.kubernetes_zone, self.ttl, self.cache = None, 5, 0
        self.forwards, self.hosts, self.has_loop, self.error = {}, [], False, None
        text = re.sub(r"#.*", "", text)
        depth, zone, plugin = 0, None, None
        for number, line in enumerate(text.splitlines(), 1):
            words = line.replace("{", " { ").replace("}", " } ").split()
            if not words:
                continue
            opens, closes = words.count("{"), words.count("}")
            body = [w for w in words if w not in "{}"]
            if depth == 0 and body:
                zone = re.sub(r"^dns://|:\d+$", "", body[0]).rstrip(".") or "."
            elif depth == 1 and body:
                plugin = body[0]
                self._plugin(zone, plugin, body[1:])
            elif depth == 2 and body:
                self._inside(plugin, body)
            depth += opens - closes
            if depth < 0:
                self.error = f"Corefile:{number} - Error during parsing: unexpected '}}'"
        if depth > 0 and not self.error:
            self.error = "Corefile - Error during parsing: Unexpected EOF"

    def _plugin(self, zone, plugin, words):
        if plugin == "kubernetes":
            self.kubernetes_zone = (words[0] if words else zone).rstrip(".")
        elif plugin == "forward" and len(words) > 1:
            name = words[0].rstrip(".") or "."
            self.forwards[zone if name == "." else name] = words[1:]
        elif plugin == "cache":
            self.cache = int(words[0]) if words and words[0].isdigit() else 3600
        elif plugin == "loop":
            self.has_loop = True

    def _inside(self, plugin, body):
        if plugin == "kubernetes" and body[0] == "ttl":
            self.ttl = int(body[1])
        elif plugin == "hosts" and re.match(r"[\d.]+$", body[0]):
            self.hosts += [(name, body[0]) for name in body[1:]]


def corefile_of(lab):
    configmap = lab.store.get("ConfigMap", "kube-system", "coredns")
    return Corefile(configmap["data"].get("Corefile", "") if configmap else "")


def _upstreams(lab, pod, targets):
    """forward's targets; /etc/resolv.conf means the dns pod's own file."""
    out = []
    for target in targets:
        if target.startswith("/"):
            text = (lab.places.view(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}") / target[1:]).read_text()
            out += re.findall(r"^nameserver (\S+)", text, re.M)
        else:
            address, _, port = re.sub(r"^dns://", "", target).partition(":")
            out.append(f"{address}@{port}" if port else address)
    return out


def _loops(lab, pod, corefile):
    """What CoreDNS's loop plugin finds out by asking itself: an upstream that leads back here."""
    kube_dns = lab.store.get("Service", "kube-system", "kube-dns")
    own = {pod.get("status", {}).get("podIP"), kube_dns["spec"].get("clusterIP") if kube_dns else None}
    upstreams = _upstreams(lab, pod, corefile.forwards.get(".", []))
    return corefile.has_loop and any(u in own or u.startswith("127.") for u in upstreams)


def programs(lab, pod):
    """The command lines of a dns pod's container, for pods.py. A Corefile CoreDNS would refuse makes it crash."""
    corefile = corefile_of(lab)
    if corefile.error and not _was_started(lab, pod):
        return [["sh", "-c", f"echo '{corefile.error}'; exit 1"]]
    place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    if lab.places.exists(place) and _loops(lab, pod, corefile):
        return [["sh", "-c", "echo '[FATAL] plugin/loop: Loop (127.0.0.1:33333 -> :53) detected for zone \".\", see "
                 "https://coredns.io/plugins/loop#troubleshooting'; exit 1"]]
    return [["unbound", "-d", "-p", "-c", "/run/unbound.conf"], "podserver http 8080 --healthz /health + http 9153".split()]


def _was_started(lab, pod):
    return lab.state.get("dns", {}).get(pod["metadata"]["uid"]) is not None


# ---- records ----

def records(lab, corefile):
    """{owner name: sorted list of records}, as the kubernetes plugin answers them."""
    out = {}

    def add(name, text):
        out.setdefault(name, []).append(f"{name} {corefile.ttl} IN {text}")

    for name, address in corefile.hosts:
        add(f"{name}.", f"A {address}")
    zone = corefile.kubernetes_zone
    if not zone:
        return out
    add(f"{zone}.", f"SOA ns.dns.{zone}. hostmaster.{zone}. 1700000000 7200 1800 86400 {corefile.ttl}")
    add(f"dns-version.{zone}.", 'TXT "1.1.0"')
    for namespace in lab.store.list("Namespace"):
        # A name below makes the namespace's own name exist without data: NODATA, not NXDOMAIN.
        add(f"_exists.{namespace['metadata']['name']}.svc.{zone}.", 'TXT "namespace"')
    for pod in lab.store.list("Pod"):
        address = pod.get("status", {}).get("podIP")
        if address and not pod["spec"].get("hostNetwork"):
            add(f"{address.replace('.', '-')}.{pod['metadata']['namespace']}.pod.{zone}.", f"A {address}")
    for service in lab.store.list("Service"):
        _service_records(lab, service, zone, add)
    return {name: sorted(set(lines)) for name, lines in out.items()}


def _service_records(lab, service, zone, add):
    meta, spec = service["metadata"], service["spec"]
    name = f"{meta['name']}.{meta['namespace']}.svc.{zone}."
    if spec["type"] == "ExternalName":
        add(name, f"CNAME {spec['externalName'].rstrip('.')}.")
        return
    headless = spec.get("clusterIP") == "None"
    if not headless:
        add(name, f"A {spec['clusterIP']}")
        add(_reverse(spec["clusterIP"]), f"PTR {name}")
        for port in spec.get("ports", []):
            add(name, f"SRV 0 100 {port['port']} {name}")
            if port.get("name"):
                add(f"_{port['name']}._{port['protocol'].lower()}.{name}", f"SRV 0 100 {port['port']} {name}")
    for slice_ in endpoints.of_service(lab, service):
        for endpoint in slice_.get("endpoints") or []:
            if (endpoint.get("conditions") or {}).get("ready", True) is False:
                continue
            address = endpoint["addresses"][0]
            host = f"{endpoint.get('hostname') or address.replace('.', '-')}.{name}"
            add(host, f"A {address}")
            if not headless:
                continue
            add(name, f"A {address}")
            add(_reverse(address), f"PTR {host}")
            for port in slice_.get("ports") or []:
                if port.get("name"):
                    add(f"_{port['name']}._{port.get('protocol', 'TCP').lower()}.{name}", f"SRV 0 100 {port['port']} {host}")


def _is_alias(lines):
    """An ExternalName. unbound follows a CNAME of its own data to its target only in a zone of type redirect."""
    return any(" IN CNAME " in line for line in lines)


def _reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa."


# ---- unbound ----

def write_config(lab, pod):
    """unbound's configuration for a dns pod that is about to start."""
    corefile = corefile_of(lab)
    place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    synced = _api_answers(lab, place)
    data = records(lab, corefile) if synced else {}
    cache = corefile.cache
    lines = ["server:", "interface: 0.0.0.0", "interface: ::0", "access-control: 0.0.0.0/0 allow", "access-control: ::0/0 allow",
             'username: ""', 'chroot: ""', 'directory: "/run"', 'pidfile: ""', "use-syslog: no", 'logfile: ""', "num-threads: 1",
             'module-config: "iterator"', "qname-minimisation: no", "do-not-query-localhost: no", "unblock-lan-zones: yes",
             "insecure-lan-zones: yes", "minimal-responses: no", "rrset-roundrobin: yes", "edns-buffer-size: 1232",
             # An upstream that does not answer: SERVFAIL within two seconds, as from CoreDNS, and forgotten as soon.
             "outbound-msg-retry: 1", "infra-host-ttl: 1",
             "infra-keep-probing: yes", "msg-cache-size: 1m", "rrset-cache-size: 1m", "so-rcvbuf: 0", "outgoing-range: 64",
             f"cache-max-ttl: {cache}", f"cache-max-negative-ttl: {cache}", 'local-zone: "test." nodefault',
             'local-zone: "localhost." nodefault', 'local-zone: "10.in-addr.arpa." transparent']
    zone = corefile.kubernetes_zone
    if zone and synced:
        lines.append(f'local-zone: "{zone}." static')
    lines += [f'local-zone: "{name}" redirect' for name, rrs in data.items() if _is_alias(rrs)]
    lines += [f"local-data: '{line}'" for rrs in data.values() for line in rrs]
    lines += ["remote-control:", "control-enable: yes", "control-interface: /run/unbound.ctl", "control-use-cert: no"]
    if zone and not synced:
        # CoreDNS that has never seen the API answers SERVFAIL, and so does unbound for a zone without a server.
        lines += ["stub-zone:", f'name: "{zone}."']
    for name, targets in corefile.forwards.items():
        lines += ["forward-zone:", f'name: "{name}"'] + [f"forward-addr: {t}" for t in _upstreams(lab, pod, targets)]
    (lab.places.root(place) / "run/unbound.conf").write_text("\n".join(lines) + "\n")
    if corefile.error:
        return  # it crashes: a pod that never served has no older Corefile to go on with
    lab.state.setdefault("dns", {})[pod["metadata"]["uid"]] = {"records": data, "corefile": _identity(corefile), "synced": synced}


def _identity(corefile):
    """What of the Corefile needs a new start of unbound when it changes."""
    return repr((corefile.kubernetes_zone, corefile.cache, corefile.forwards, corefile.has_loop))


def _api_answers(lab, place):
    """CoreDNS learns its records through the API's ClusterIP: the same path is tried for real, from the pod."""
    with lab.places.socket(place) as probe:
        probe.settimeout(API_SECONDS)
        try:
            probe.connect((config.API_SERVICE, 443))
        except OSError:
            return False
    return True


def wait_until_answering(lab, pods):
    """Waits until each unbound answers, then starts what CoreDNS's ready plugin listens with."""
    deadline = time.monotonic() + ANSWER_SECONDS
    for pod in pods:
        place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        record = lab.state["pods"][pod["metadata"]["uid"]]
        container = next(iter(record["containers"].values()))
        if container["exit_code"] is not None:
            continue
        address = record["ip"]
        while not _answers(lab, record["node"], address) and time.monotonic() < deadline:
            pass  # each try waits for an answer, or for the port to refuse, with a pause of its own
        synced = lab.state["dns"][pod["metadata"]["uid"]]["synced"]
        argv = f"podserver http 8181 --healthz /ready --healthz-status {200 if synced else 503}".split()
        if not synced:
            with open(lab.log_file(place), "a") as log:
                log.write(f'[ERROR] plugin/kubernetes: Failed to watch: failed to list *v1.Service: Get "https://{config.API_SERVICE}:443'
                          f'/api/v1/services": dial tcp {config.API_SERVICE}:443: i/o timeout\n'
                          '[INFO] plugin/ready: Plugins not ready: "kubernetes"\n')
        process, reader = lab.places.daemon(place, argv, lab.log_file(place), ready_fd=True)
        with open(reader, "rb") as pipe:
            pipe.read(1)
        container["pids"].append(process.pid)


def question(name, kind=1):
    """A DNS query for a name, type A unless said otherwise."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    return struct.pack(">HHHHHH", secrets.randbits(16), 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)


def parse_answer(reply):
    """(rcode, list of A addresses) of a reply."""
    flags, questions, answers = struct.unpack(">HHH", reply[2:8])
    offset = 12
    for _ in range(questions):
        offset = _skip_name(reply, offset) + 4
    addresses = []
    for _ in range(answers):
        offset = _skip_name(reply, offset)
        kind, _, _, length = struct.unpack(">HHIH", reply[offset:offset + 10])
        if kind == 1:
            addresses.append(socket.inet_ntoa(reply[offset + 10:offset + 14]))
        offset += 10 + length
    return flags & 15, addresses


def _skip_name(reply, offset):
    while reply[offset]:
        if reply[offset] >= 0xC0:
            return offset + 2
        offset += reply[offset] + 1
    return offset + 1


def _answers(lab, node, address):
    with lab.places.socket(node, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.02)
        try:
            probe.connect((address, 53))
            probe.send(question(f"dns-version.{config.ZONE}", 16))
            return bool(probe.recv(512))
        except ConnectionRefusedError:
            time.sleep(0.005)  # the pause between two looks at the condition
            return False
        except OSError:
            return False


def _control(lab, place, command, lines=()):
    """One command over unbound's control socket, which lies on the pod's own /run."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(ANSWER_SECONDS)
        control.connect(str(lab.places.root(place) / CONTROL))
        control.sendall(f"UBCT1 {command}\n".encode() + "".join(f"{line}\n" for line in lines).encode() + (b"\x04\n" if lines else b""))
        answer = b""
        while data := control.recv(4096):
            answer += data
    return answer.decode()


def sync(lab):
    """Brings the records of every running dns pod up to date. Returns the pods whose unbound must start anew."""
    known = lab.state.setdefault("dns", {})
    pods = {p["metadata"]["uid"]: p for p in lab.store.list("Pod") if is_dns_pod(p)}
    for uid in [u for u in known if u not in pods]:
        del known[uid]
    if not pods:
        return []
    corefile = corefile_of(lab)
    wanted = records(lab, corefile)
    restart = []
    for uid, pod in pods.items():
        place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if uid not in known or lab.stopped.get(place):
            continue
        if _identity(corefile) != known[uid]["corefile"] and not corefile.error or not known[uid]["synced"]:
            if known[uid]["synced"] or _api_answers(lab, place):
                restart.append(pod)
            continue
        _update(lab, place, known[uid], wanted)
    return restart


def _update(lab, place, known, wanted):
    old = known["records"]
    changed = [name for name in wanted if old.get(name) != wanted[name]]
    gone = [name for name in old if name not in wanted]
    if not changed and not gone:
        return
    record = next((r for r in lab.state["pods"].values() if r["place"] == place), None)
    if not record or any(c["exit_code"] is not None for c in record["containers"].values()) or not _api_answers(lab, place):
        return
    stale = [name for name in changed if name in old] + gone
    for name in stale:
        if _is_alias(old[name]):
            _control(lab, place, f"local_zone_remove {name}")
    if stale:
        _control(lab, place, "local_datas_remove", stale)
    for name in changed:
        if _is_alias(wanted[name]):
            _control(lab, place, f"local_zone {name} redirect")
    if changed:
        _control(lab, place, "local_datas", [line for name in changed for line in wanted[name]])
    known["records"] = wanted
