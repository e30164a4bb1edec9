"""`lab status`: what there is, and real checks that it works."""

import os
import socket

from . import api, config, dns, pods, workloads
from .space import LabError, is_alive


def report(lab, out):
    """Prints the lab's state; returns the list of problems found."""
    problems = []
    rights = "root" if _is_real_root() else "rootless: nf_conntrack_max and other settings of the whole machine are out of reach"
    print(f"shape {lab.shape_name}, LAB_DIR {lab.directory}, {rights}", file=out)
    for place in lab.places.names():
        pid = lab.places.pid(place)
        if not is_alive(pid):
            problems.append(f"place {place}: its pause process is gone")
        print(f"place {place:24} {_address(lab, place):15} pid {pid}", file=out)
    for pod in lab.store.list("Pod"):
        ready = workloads.is_ready(pod)
        if not ready:
            problems.append(f"pod {pods.place_of(pod)} is not ready: {_why(pod)}")
        print(f"pod   {pods.place_of(pod):38} {pod['spec'].get('nodeName', '-'):3} {pod.get('status', {}).get('podIP', '-'):15} "
              f"{'Ready' if ready else 'NotReady'}", file=out)
    for key, how in sorted(lab.stopped.items()):
        problems.append(f"component {key} is {how}")
    for verb, resource in lab.denied:
        problems.append(f"the API denies {verb} {resource}")
    for name, check in CHECKS:
        problem = check(lab)
        print(f"check {name}: {problem or 'ok'}", file=out)
        if problem:
            problems.append(f"{name}: {problem}")
    for problem in problems:
        print(f"problem: {problem}", file=out)
    print("healthy" if not problems else f"{len(problems)} problems", file=out)
    return problems


def _is_real_root():
    with open("/proc/self/uid_map") as uid_map:
        return os.geteuid() == 0 and uid_map.read().split() == ["0", "0", "4294967295"]


def _address(lab, place):
    fixed = {**config.NODES, "gw": config.GW_ADDRESS, "ext": config.EXT_ADDRESS, "admin": config.ADMIN_ADDRESS, "cp": config.API_ADDRESS}
    for record in lab.state["pods"].values():
        if record["place"] == place:
            return record["ip"]
    return fixed.get(place, "-")


def _why(pod):
    for container in pod.get("status", {}).get("containerStatuses", []):
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            return waiting["reason"]
    return "no successful readiness probe"


def _connect(lab, place, address, port, seconds=1.0):
    with lab.places.socket(place) as probe:
        probe.settimeout(seconds)
        try:
            probe.connect((address, port))
        except OSError as error:
            return f"{place} to {address}:{port}: {error}"
    return None


def http_get(lab, place, address, port, path="/", host="lab"):
    """(status, text) or a LabError."""
    with lab.places.socket(place) as probe:
        probe.settimeout(2)
        try:
            probe.connect((address, port))
            probe.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            reply = b""
            while data := probe.recv(65536):
                reply += data
        except OSError as error:
            raise LabError(f"{place} to http://{address}:{port}{path}: {error}") from None
    head, _, body = reply.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    return int(words[1]) if len(words) > 1 else 0, body.decode(errors="replace")


def _check_api(lab):
    try:
        code, _ = api.get(lab, "/api/v1/nodes", timeout=1)
    except OSError as error:
        return str(error)
    return None if code == 200 else f"answers {code}"


def _check_services(lab):
    """Each ready endpoint's Service answers from both nodes; NodePorts from outside."""
    service = lab.store.get("Service", "shop", "api")
    for place in (*config.NODES, "shop/web", "bank/teller"):
        if not service or not lab.places.exists(place):
            return "shop/api or a client pod is missing"
        if _policy_may_deny(lab, place):
            continue
        try:
            code, _ = http_get(lab, place, service["spec"]["clusterIP"], 80)
        except LabError as error:
            return str(error)
        if code != 200:
            return f"shop/api answers {code} to {place}"
    return None


def _policy_may_deny(lab, place):
    """Under policies a node on the other side is a stranger; pods are the shape's business to let in."""
    return place in config.NODES and bool(lab.store.list("NetworkPolicy"))


def _check_pod_network(lab):
    """Every node reaches every pod: bridge, routes, tunnel and underlay."""
    for record in lab.state["pods"].values():
        if not record["veth"]:
            continue
        for node in config.NODES:
            if node != record["node"] and lab.store.list("NetworkPolicy"):
                continue
            problem = _ping(lab, node, record["ip"])
            if problem:
                return problem
    return None


def _ping(lab, place, address):
    """A UDP datagram to a closed port must be answered with port-unreachable: the packet went there and back."""
    with lab.places.socket(place, socket.SOCK_DGRAM) as probe:
        probe.settimeout(1)
        probe.connect((address, 33434))
        try:
            probe.send(b"lab")
            probe.recv(16)
        except ConnectionRefusedError:
            return None
        except OSError as error:
            return f"{place} to {address}: {error}"
    return None


def _check_dns(lab):
    for place in ("shop/web", "bank/teller"):
        for name, kind in (("api.shop.svc.cluster.local", "udp"), ("www.example.test", "udp"), ("api.shop.svc.cluster.local", "tcp")):
            try:
                rcode, answers = query(lab, place, config.DNS_SERVICE, name, kind)
            except OSError as error:
                return f"{place}: {name} over {kind}: {error}"
            if rcode or not answers:
                return f"{place}: {name} over {kind}: rcode {rcode}, {len(answers)} answers"
    return None


def query(lab, place, server, name, transport="udp"):
    """(rcode, A records) for a name asked from a place."""
    packet = dns.question(name)
    with lab.places.socket(place, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        probe.connect((server, 53))
        if transport == "udp":
            probe.send(packet)
            reply = probe.recv(4096)
        else:
            probe.sendall(len(packet).to_bytes(2, "big") + packet)
            reply = probe.recv(4096)[2:]
    return dns.parse_answer(reply)


def _check_programs(lab):
    if not is_alive(lab.state.get("ext-dns", 0)):
        return "the DNS server outside has ended"
    for node, pid in lab.state["kubelets"].items():
        if not is_alive(pid):
            return f"kubelet on {node} has ended"
    return None


def _check_nodes(lab):
    for node in lab.store.list("Node"):
        for condition in node["status"]["conditions"]:
            if condition["type"] == "Ready" and condition["status"] != "True":
                return f"node {node['metadata']['name']} is not Ready"
    return None


CHECKS = [("nodes", _check_nodes), ("programs", _check_programs), ("api", _check_api), ("pod network", _check_pod_network),
          ("services", _check_services), ("dns", _check_dns)]
