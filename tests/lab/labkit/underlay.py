"""The network below Kubernetes: nodes on a switch, a router, a host outside, the operator's host and the API's host."""

import subprocess

from . import config
from .space import finish

# Where the switch's cables end, and the address at that end.
CABLES = {**config.NODES, "gw": config.GW_ADDRESS, "admin": config.ADMIN_ADDRESS, "cp": config.API_ADDRESS}


def mac(address):
    """A MAC that names its address, so captures read easily."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def build(lab):
    """Cables first (one batch, from the holder), then each place's own side, all at once."""
    places = lab.places
    switch = places.pid("switch")
    batch = []
    for place, address in CABLES.items():
        batch.append(f"link add {place} netns {switch} mtu 1500 type veth peer name eth0 netns {places.pid(place)} "
                     f"mtu 1500 address {mac(address)}")
    batch.append(f"link add eth1 netns {places.pid('gw')} address {mac(config.GW_OUTSIDE)} type veth peer name eth0 "
                 f"netns {places.pid('ext')} address {mac(config.EXT_ADDRESS)}")
    subprocess.run(["ip", "-batch", "-"], input="\n".join(batch).encode(), check=True)

    jobs = [places.pipe_start("switch", ["ip", "-batch", "-"], _switch())]
    for place, address in CABLES.items():
        jobs.append(places.pipe_start(place, ["ip", "-batch", "-"], _host(place, address)))
    jobs.append(places.pipe_start("ext", ["ip", "-batch", "-"], "\n".join([
        "link set lo up", f"addr add {config.EXT_ADDRESS}/24 dev eth0", f"addr add {config.EXT_DNS}/24 dev eth0",
        "link set eth0 up", f"route add default via {config.GW_OUTSIDE}"])))
    for job in jobs:
        finish(job)
    places.pipe("gw", ["nft", "-f", "-"], f"""
        table ip nat {{
            chain postrouting {{
                type nat hook postrouting priority srcnat; policy accept;
                oifname "eth1" ip saddr {{ {config.UNDERLAY_NET}, {config.POD_NET} }} counter masquerade
            }}
        }}""")
    for place in ("gw", *config.NODES):
        sysctl(places, place, {"net/ipv4/ip_forward": 1})


def sysctl(places, place, values):
    """Writes settings of a place; /proc/sys/net follows the writer's network namespace."""
    with places.network(place):
        for name, value in values.items():
            with open(f"/proc/sys/{name}", "w") as file:
                file.write(str(value))


def _switch():
    lines = ["link set lo up", "link add br0 type bridge forward_delay 0", "link set br0 up"]
    for port in CABLES:
        lines.append(f"link set {port} master br0 up")
    return "\n".join(lines)


def _host(place, address):
    lines = ["link set lo up", f"addr add {address}/{config.UNDERLAY_PREFIX} dev eth0", "link set eth0 up"]
    if place == "gw":
        lines += [f"addr add {config.GW_OUTSIDE}/24 dev eth1", "link set eth1 up"]
    else:
        lines.append(f"route add default via {config.GW_ADDRESS}")
    return "\n".join(lines)
