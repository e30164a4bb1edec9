"""Where the lab lives and every address in it: the one place where a number is written down."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
PROJECT = SOURCE.parent.parent

NODES = {"n1": "192.168.50.11", "n2": "192.168.50.12"}
HOSTS = ("switch", "gw", "ext", "admin", "cp")
PLACES = (*NODES, *HOSTS)

UNDERLAY_PREFIX = 24
UNDERLAY_NET = "192.168.50.0/24"
GW_ADDRESS = "192.168.50.1"
ADMIN_ADDRESS = "192.168.50.2"
API_ADDRESS = "192.168.50.10"
API_PORT = 6443

OUTSIDE_NET = "203.0.113.0/24"
GW_OUTSIDE = "203.0.113.1"
EXT_ADDRESS = "203.0.113.10"
EXT_DNS = "203.0.113.53"
EXT_NAMES = {"www.example.test": EXT_ADDRESS, "api.example.test": EXT_ADDRESS, "example.test": EXT_ADDRESS}

POD_NET = "10.244.0.0/16"
SERVICE_NET = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
ZONE = "cluster.local"

VXLAN_PORT = 8472
VXLAN_OVERHEAD = 50


def node_index(node):
    """n1 → 1; the digit that numbers everything that belongs to a node."""
    return list(NODES).index(node) + 1


def pod_cidr(node):
    return f"10.244.{node_index(node)}.0/24"


def pod_gateway(node):
    return f"10.244.{node_index(node)}.1"


def vtep_address(node):
    return f"10.244.{node_index(node)}.0"


def vtep_mac(node):
    return f"5e:0a:f4:00:00:{node_index(node):02x}"


def lab_dir():
    """LAB_DIR, or the usual folder for run-time files of this user."""
    if os.environ.get("LAB_DIR"):
        return Path(os.environ["LAB_DIR"]).absolute()
    if os.geteuid() == 0:
        return Path("/run/packetwalk-lab")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime or f"/tmp/packetwalk-{os.geteuid()}") / "packetwalk-lab"
