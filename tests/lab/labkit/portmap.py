"""The portmap CNI plugin: hostPorts of pods, in the plugin's own chains."""

import hashlib

SHARED = """*nat
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-HOSTPORT-MASQ - [0:0]
:CNI-HOSTPORT-SETMARK - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000
COMMIT
"""


def ports_of(pod):
    """[(protocol, hostPort, containerPort)] of a pod."""
    return [(port["protocol"].lower(), port["hostPort"], port["containerPort"])
            for container in pod["spec"]["containers"] for port in container.get("ports") or [] if port.get("hostPort")]


def _chain(sandbox):
    return "CNI-DN-" + hashlib.sha512(f"cbr0{sandbox}".encode()).hexdigest()[:21]


def _entry_rules(record):
    comment = f'-m comment --comment "dnat name: \\"cbr0\\" id: \\"{record["sandbox"]}\\""'
    protocols = sorted({protocol for protocol, _, _ in record["host_ports"]})
    return [f"CNI-HOSTPORT-DNAT -p {protocol} {comment} -m multiport --dports "
            f"{','.join(str(h) for p, h, _ in record['host_ports'] if p == protocol)} -j {_chain(record['sandbox'])}"
            for protocol in protocols]


def add(lab, record):
    """Rules for a new pod; record["host_ports"] says which."""
    node = record["node"]
    text = ""
    if not lab.state.get(f"portmap-{node}"):
        text = SHARED
        lab.state[f"portmap-{node}"] = True
    chain = _chain(record["sandbox"])
    lines = ["*nat", f":{chain} - [0:0]", *(f"-A {rule}" for rule in _entry_rules(record))]
    for protocol, host_port, port in record["host_ports"]:
        match = f"-p {protocol} -m {protocol} --dport {host_port}"
        lines += [f"-A {chain} -s {record['ip']}/32 {match} -j CNI-HOSTPORT-SETMARK",
                  f"-A {chain} -s 127.0.0.1/32 {match} -j CNI-HOSTPORT-SETMARK",
                  f"-A {chain} {match} -j DNAT --to-destination {record['ip']}:{port}"]
    lab.places.pipe(node, ["iptables-restore", "--noflush"], text + "\n".join([*lines, "COMMIT"]) + "\n")


def remove(lab, record):
    chain = _chain(record["sandbox"])
    lines = ["*nat", *(f"-D {rule}" for rule in _entry_rules(record)), f"-F {chain}", f"-X {chain}", "COMMIT"]
    process = lab.places.pipe_start(record["node"], ["iptables-restore", "--noflush"], "")
    process.communicate("\n".join([*lines, ""]).encode())  # a failure means that somebody else has changed the rules already
