"""The words of the lab program."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import config, space
from .space import LabError

HELP = """usage: lab WORD …          a two-node Kubernetes network in namespaces, for packetwalk's tests

  up [--shape NAME]         start it (shapes: {shapes})
  down                      remove it, whatever state it is in
  status                    places, addresses, pods, components; exit 0 only if all is healthy
  exec PLACE -- CMD …       run in a node (n1 n2), gw ext switch admin cp, or NS/POD
  apply FILE                Kubernetes objects from FILE ("-": stdin); everything follows before it returns
  delete KIND NS/NAME       (a cluster-scoped object: its name alone)
  run ARGS …                packetwalk as an operator at the admin host
  fault DIR …               fault scenarios: inject, run packetwalk, compare with what is expected; TAP
  accuracy OUT RUNGS DIR …  fault scenarios: inject once, run packetwalk at each rung (RUNGS: {rungs}); what it said and how
                            right that is into the folder OUT, as tests/bench/accuracy.py reads it

and, in this lab only:
  get KIND NS/NAME          the stored object as JSON
  patch KIND NS/NAME JSON   a JSON merge patch to it
  component stop|pause|start NAME [NODE]
                            stop: gone and seen to be; pause: hung, and nobody has noticed. NAME: kube-proxy, flanneld,
                            policy-enforcer, kubelet, controller-manager, apiserver, coredns, or a pod as NS/NAME
  reconcile                 every running component repairs its part, also what was changed behind its back
  api deny get|list RESOURCE, api allow
                            answer 403 for a resource; allow everything again
  pid PLACE                 its pause process, as numbered inside the lab
  logs NS/POD               what its containers wrote

environment: LAB_DIR (default {lab_dir}), PACKETWALK (default build/packetwalk); PACKETWALK_VIA and PACKETWALK_MAX_EFFECT go
in the place of the lab's own, which look everywhere"""


def main(argv):
    if not argv or argv[0] in ("help", "-h", "--help"):
        shapes = " ".join(sorted(p.stem for p in (config.SOURCE / "shapes").glob("*.yaml")))
        from .accuracy import RUNGS
        print(HELP.format(shapes=shapes, rungs=",".join(RUNGS), lab_dir=config.lab_dir()))
        return 0 if argv else 2
    words = {"up": up, "down": down, "status": status, "exec": exec_, "apply": apply, "delete": delete, "run": run, "fault": fault, "accuracy": accuracy,
             "get": get, "patch": patch, "component": component, "reconcile": reconcile, "api": api_, "pid": pid, "logs": logs}
    word = words.get(argv[0])
    if not word:
        print(f"lab: no word {argv[0]} (lab help)", file=sys.stderr)
        return 2
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # a plain user's PATH has no ip, nft, nginx
    try:
        return word(argv[1:]) or 0
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except UsageError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2


class UsageError(Exception):
    pass


def need(condition, usage):
    if not condition:
        raise UsageError(f"usage: lab {usage}")


def opened():
    """The lab, from inside its namespaces."""
    directory = config.lab_dir()
    if not (directory / "holder.pid").exists():
        raise LabError("the lab is down (lab up)")
    space.enter_holder(directory)
    from .lab import Lab
    return Lab(directory)


# ---- up and down (outside) ----

def up(argv):
    need(not argv or (len(argv) == 2 and argv[0] == "--shape"), "up [--shape NAME]")
    shape = argv[1] if argv else "vxlan"
    directory = config.lab_dir()
    from .lab import Lab, load_shape
    load_shape(shape)
    if space.holder_pid(directory):
        if (directory / "built").exists() and (directory / "shape").read_text().strip() == shape:
            print(f"already up, shape {shape}")
            return 0
        down([])
    _remove(directory)
    started = time.monotonic()
    _prepare_folder(directory, shape)
    _check_programs()
    pid = space.start_holder(directory)
    (directory / "holder.pid").write_text(f"{pid}\n")
    child = os.fork()
    if child == 0:
        os._exit(_build(directory, Lab))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 0:
        logs_kept = Path(f"/tmp/packetwalk-lab-{os.getpid()}.logs")
        shutil.copytree(directory / "logs", logs_kept)
        down([])
        raise LabError(f"up failed; the logs are in {logs_kept}")
    print(f"up in {time.monotonic() - started:.1f} s, shape {shape}, KUBECONFIG={directory}/kubeconfig")
    return 0


def _build(directory, lab_class):
    try:
        space.enter_holder(directory)
        with lab_class(directory) as lab:
            lab.build()
        (directory / "built").touch()
        return 0
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    except Exception:
        import traceback
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 1


def _prepare_folder(directory, shape):
    directory.mkdir(parents=True, mode=0o700)
    for name in ("bin", "places", "objects", "logs", "run"):
        (directory / name).mkdir()
    (directory / "side").write_text("outside\n")
    (directory / "side.inside").write_text("inside\n")
    (directory / "shape").write_text(f"{shape}\n")
    script = (config.SOURCE / "labkit/enter.sh.in").read_text()
    user = "" if os.geteuid() == 0 else "--user --preserve-credentials "
    (directory / "enter").write_text(script.replace("@LAB_DIR@", str(directory)).replace("@USER@", user))
    (directory / "enter").chmod(0o755)
    _compile(directory / "bin")


def _compile(target):
    """The C programs, built once per version of their source; the rest of bin/ are their other names."""
    from .kinds import short_hash
    cache = config.PROJECT / "build/lab"
    for name in ("place", "podserver"):
        source = config.SOURCE / "src" / f"{name}.c"
        cached = cache / f"{name}-{short_hash(source.read_text())}"
        if cached.exists():
            shutil.copy(cached, target / name)
            continue
        done = subprocess.run(["cc", "-O1", "-Wall", "-Wextra", "-o", str(target / name), str(source)], capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(f"cc {source}: {done.stderr}")
        if os.access(config.PROJECT, os.W_OK):
            cache.mkdir(parents=True, exist_ok=True)
            staged = cached.with_name(f".{cached.name}.{os.getpid()}")
            shutil.copy(target / name, staged)
            staged.rename(cached)
    for program, names in (("place", ("lab-holder", "pause")),
                           ("podserver", ("kubelet", "kube-proxy", "flanneld", "kube-network-policies"))):
        for name in names:
            os.link(target / program, target / name)
    shutil.copy(config.SOURCE / "src/tls-http", target / "tls-http")


def _check_programs():
    needed = ("ip", "bridge", "iptables-restore", "nft", "conntrack", "nginx", "unbound", "openssl", "nsenter", "unshare")
    missing = [p for p in needed if not shutil.which(p)]
    if missing:
        raise LabError(f"missing programs: {', '.join(missing)} (packages: {config.SOURCE}/deps)")


def down(argv):
    need(not argv, "down")
    directory = config.lab_dir()
    holder = space.holder_pid(directory)
    if holder:
        space.stop_holder(holder)
    _remove(directory)
    return 0


def _remove(directory):
    if directory.exists():
        shutil.rmtree(directory)


# ---- changing the objects (inside) ----

def apply(argv):
    need(len(argv) == 1, "apply FILE")
    from .store import load_manifests
    try:
        text = sys.stdin.read() if argv[0] == "-" else Path(argv[0]).read_text()
    except OSError as error:
        raise LabError(f"{argv[0]}: {error.strerror}") from None
    manifests = load_manifests(text)
    with opened() as lab:
        for manifest in manifests:
            obj = lab.store.apply(manifest)
            print(f"{obj['kind'].lower()}/{obj['metadata']['name']} applied")
        lab.reconcile()


def _named(lab, argv):
    """(kind, namespace, name) from the words KIND NS/NAME."""
    from . import kinds
    kind = kinds.kind_of(argv[0])
    if not kind:
        made = {o["kind"] for o in lab.store.objects.values()}  # custom resources
        kind = next((k for k in made if argv[0].lower() in (k.lower(), kinds.plural(k))), None)
    if not kind:
        raise LabError(f"the server doesn't have a resource type \"{argv[0]}\"")
    namespace, slash, name = argv[1].rpartition("/")
    if kinds.is_namespaced(kind) and not slash:
        namespace = "default"
    if not lab.store.get(kind, namespace, name):
        raise LabError(f'{kinds.plural(kind)} "{argv[1]}" not found')
    return kind, namespace, name


def delete(argv):
    need(len(argv) == 2, "delete KIND NS/NAME")
    with opened() as lab:
        kind, namespace, name = _named(lab, argv)
        lab.store.delete(kind, namespace, name)
        if kind == "Namespace":
            for key in [k for k in lab.store.objects if k[1] == name]:
                lab.store.delete(*key)
        lab.reconcile()
        print(f"{kind.lower()}/{name} deleted")


def get(argv):
    need(len(argv) == 2, "get KIND NS/NAME")
    with opened() as lab:
        print(json.dumps(lab.store.get(*_named(lab, argv)), indent=2))


def patch(argv):
    need(len(argv) == 3, "patch KIND NS/NAME JSON")
    with opened() as lab:
        from .lab import merge
        obj = lab.store.get(*_named(lab, argv))
        try:
            change = json.loads(argv[2])
        except json.JSONDecodeError as error:
            raise LabError(f"the patch is not JSON: {error}") from None
        lab.store.apply(merge(obj, change))
        lab.reconcile()


def reconcile(argv):
    need(not argv, "reconcile")
    with opened() as lab:
        lab.reconcile(full=True)


def component(argv):
    need(len(argv) in (2, 3) and argv[0] in ("stop", "pause", "start"), "component stop|pause|start NAME [NODE]")
    with opened() as lab:
        lab.set_component(argv[0], argv[1], argv[2] if len(argv) == 3 else None)


def api_(argv):
    usage = "api deny get|list RESOURCE, or: api allow"
    need(argv == ["allow"] or (len(argv) == 3 and argv[0] == "deny" and argv[1] in ("get", "list")), usage)
    with opened() as lab:
        from . import api, kinds
        if argv[0] == "allow":
            denied = []
        else:
            need(kinds.kind_of(argv[2]), usage)
            denied = [*lab.denied, argv[1:]]
        api.set_denied(lab, denied)


# ---- looking and running ----

def exec_(argv):
    need(len(argv) >= 3 and argv[1] == "--", "exec PLACE -- CMD …")
    directory = config.lab_dir()
    if not space.holder_pid(directory):
        raise LabError("the lab is down (lab up)")
    sys.stdout.flush()
    os.execv("/bin/sh", ["sh", str(directory / "enter"), argv[0], *argv[2:]])


def run_environment(directory, environment=os.environ):
    """Environment and program of an operator's packetwalk."""
    program = environment.get("PACKETWALK") or str(config.PROJECT / "build/packetwalk")
    if os.sep in program:
        program = os.path.abspath(program)
    # Its operator owns the nodes and has consented to everything, captures included.
    own = {"PACKETWALK_VIA": f"exec:{directory}/enter {{node}} {program} agent", "PACKETWALK_MAX_EFFECT": "privileged"}
    return program, {**own, **environment, "KUBECONFIG": f"{directory}/kubeconfig", "LAB_DIR": str(directory)}


def run(argv):
    directory = config.lab_dir()
    if not space.holder_pid(directory):
        raise LabError("the lab is down (lab up)")
    program, environment = run_environment(directory)
    os.execve("/bin/sh", ["sh", str(directory / "enter"), "admin", program, *argv], environment)


def pid(argv):
    need(len(argv) == 1, "pid PLACE")
    with opened() as lab:
        print(lab.places.pid(argv[0]))


def logs(argv):
    need(len(argv) == 1 and "/" in argv[0], "logs NS/POD")
    path = config.lab_dir() / "logs" / f"{argv[0]}.log"
    if not path.exists():
        raise LabError(f"no log of {argv[0]}")
    sys.stdout.write(path.read_text(errors="replace"))


def status(argv):
    need(not argv, "status")
    with opened() as lab:
        from . import health
        problems = health.report(lab, sys.stdout)
        return 1 if problems else 0


def fault(argv):
    need(argv, "fault DIR …")
    from . import faults
    return faults.run_all(argv)


def accuracy(argv):
    need(len(argv) >= 3, "accuracy OUT RUNGS DIR …")
    from . import accuracy as ladder
    return ladder.run_all(argv[0], argv[1], argv[2:])
