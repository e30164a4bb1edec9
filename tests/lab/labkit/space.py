"""Namespaces: starting the holder, entering it, and starting programs in the places below it.

Everything of a lab lives in the namespaces of one holder process. The lab program itself steps into them (`enter_holder`)
before it changes anything, so its view of pids, mounts and networks is the lab's own.
"""

import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWUSER = 0x10000000
READY_FD = 3

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something a person can act on; printed without a traceback."""


def setns(path, kind):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(fd, kind) < 0:
            error = ctypes.get_errno()
            raise LabError(f"cannot enter {path}: {os.strerror(error)}")
    finally:
        os.close(fd)


def spawn_ready(argv, **kwargs):
    """Starts a program that reports readiness on fd 3; returns (process, read end of the pipe)."""
    reader, writer = os.pipe()

    def hand_over():
        os.dup2(writer, READY_FD)
        os.setsid()

    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=(READY_FD,), preexec_fn=hand_over, **kwargs)
    os.close(writer)
    return process, reader


def wait_ready(process, reader, what):
    with os.fdopen(reader, "rb") as pipe:
        if pipe.read(1) != b"r":
            raise LabError(f"{what} did not start (exit {process.wait()})")


def start_holder(directory):
    """Starts the lab's pid 1 and returns its pid as the machine sees it."""
    argv = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--propagation", "private"]
    if os.geteuid() != 0:
        argv += ["--user", "--map-root-user"]
    log = open(directory / "logs" / "holder.log", "ab")
    process, reader = spawn_ready([*argv, str(directory / "bin" / "lab-holder"), str(directory)], stdout=log, stderr=log)
    try:
        wait_ready(process, reader, "the lab's holder process")
    except LabError as error:
        text = (directory / "logs" / "holder.log").read_text().strip()
        raise LabError(f"{error}: {text}") from None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0])


def holder_pid(directory):
    """The holder's pid as the machine sees it, or None when the lab is down."""
    try:
        pid = int((directory / "holder.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if command[:2] == [b"%s/bin/lab-holder" % bytes(directory), bytes(directory)] else None


def stop_holder(pid):
    """Kills the holder, and with it everything in the lab; returns when the kernel has taken it down."""
    watch = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        if not select.select([watch], [], [], 10)[0]:
            raise LabError(f"the lab's holder (pid {pid}) does not die")
    finally:
        os.close(watch)


def is_inside(directory):
    return (directory / "side").read_text().strip() == "inside"


def enter_holder(directory):
    """Moves this program into the lab. Forks, because a pid namespace only takes new processes; the parent waits and
    leaves with the child's exit status."""
    if is_inside(directory):  # called in a place of the lab
        setns("/proc/1/ns/net", CLONE_NEWNET)
        setns("/proc/1/ns/mnt", CLONE_NEWNS)
        return
    pid = holder_pid(directory)
    if pid is None:
        raise LabError("the lab is down (lab up)")
    cwd = os.getcwd()
    base = f"/proc/{pid}/ns"
    if os.readlink(f"{base}/user") != os.readlink("/proc/self/ns/user"):
        setns(f"{base}/user", CLONE_NEWUSER)
        os.setuid(0)
    # All are opened through the machine's /proc, so the mount namespace, which replaces it, comes last.
    setns(f"{base}/pid", CLONE_NEWPID)
    setns(f"{base}/net", CLONE_NEWNET)
    setns(f"{base}/mnt", CLONE_NEWNS)
    try:
        os.chdir(cwd)
    except OSError:
        os.chdir("/")
    child = os.fork()
    if child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


class Places:
    """The places by name (a node, a host, NS/POD) and what can be done in them."""

    def __init__(self, directory):
        self.directory = directory
        self.pid_files = directory / "places"
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def root(self, name):
        """The place's private tree (place.c), to be filled before it starts; afterwards view() is the way in."""
        return Path("/run/lab") / name

    def view(self, name):
        """A running place's own file tree; what a program in the place sees as /."""
        return Path(f"/proc/{self.pid(name)}/root")

    def pid(self, name):
        try:
            return int((self.pid_files / name).read_text())
        except FileNotFoundError:
            raise LabError(f"no place {name}; there are: {', '.join(self.names())}") from None

    def exists(self, name):
        return (self.pid_files / name).exists()

    def names(self):
        files = (p for p in self.pid_files.rglob("*") if p.is_file())
        return sorted((str(p.relative_to(self.pid_files)) for p in files), key=lambda n: (n.count("/"), n))

    def start(self, names, netns_of=None):
        """Starts the pause processes of several places side by side. netns_of: {place: place whose network it shares}."""
        starting = []
        for name in names:
            host_name = name.rpartition("/")[2]
            argv = [str(self.directory / "bin" / "pause"), host_name, str(self.root(name)), "--lab", str(self.directory)]
            if netns_of and name in netns_of:
                argv += ["--netns-of", str(self.pid(netns_of[name]))]
            self.root(name).mkdir(parents=True, exist_ok=True)
            with open(self.directory / "logs/pause.log", "ab") as log:
                starting.append((name, *spawn_ready(argv, stdout=log, stderr=log)))
        for name, process, reader in starting:
            wait_ready(process, reader, f"the place {name}")
            file = self.pid_files / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{process.pid}\n")

    def stop(self, name):
        kill_group(self.pid(name))
        (self.pid_files / name).unlink()
        shutil.rmtree(self.root(name), ignore_errors=True)

    @contextmanager
    def network(self, name):
        """Within this block new sockets and programs are in the place's network (its mounts stay the holder's)."""
        setns(f"/proc/{self.pid(name)}/ns/net", CLONE_NEWNET)
        try:
            yield
        finally:
            if _libc.setns(self._home, CLONE_NEWNET) < 0:
                raise LabError("cannot come back from a network namespace")

    def socket(self, name, kind=socket.SOCK_STREAM):
        with self.network(name):
            return socket.socket(socket.AF_INET, kind)

    def popen_in_network(self, name, argv, **kwargs):
        with self.network(name):
            return subprocess.Popen(argv, **kwargs)

    def pipe(self, name, argv, text):
        """Runs a program in the place's network with text on its stdin; any failure is an error with its message."""
        finish(self.pipe_start(name, argv, text))

    def pipe_start(self, name, argv, text):
        """As pipe, without waiting: so that the nodes are served side by side. Ends with finish()."""
        process = self.popen_in_network(name, argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        process.lab_place, process.lab_input = name, text
        return process

    def command(self, name, argv):
        """argv, wrapped so that it runs in all of the place's namespaces."""
        return ["nsenter", "--target", str(self.pid(name)), "--net", "--mount", "--uts", "--", *argv]

    def daemon(self, name, argv, log, env=None, ready_fd=False, chdir=None):
        """Starts a long-running program in a place; returns the process, and the readiness pipe if one is asked for."""
        environment = {"PATH": f"{self.directory}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                       "LANG": "C.UTF-8", **(env or {})}
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as output:
            options = dict(stdout=output, stderr=output, env=environment, cwd=chdir or "/")
            if not ready_fd:
                return subprocess.Popen(self.command(name, argv), stdin=subprocess.DEVNULL, start_new_session=True, **options)
            environment["READY_FD"] = str(READY_FD)
            return spawn_ready(self.command(name, argv), **options)


def finish(process):
    output, _ = process.communicate(process.lab_input.encode())
    if process.returncode != 0:
        numbered = "\n".join(f"{i:4} {line}" for i, line in enumerate(process.lab_input.splitlines(), 1))
        raise LabError(f"{process.lab_place}: {' '.join(process.args)}: {output.decode().strip()}\n{numbered}")


def kill_group(pid):
    """Kills a daemon and its children (each leads a session of its own); returns when it is gone, and its ports free."""
    try:
        watch = os.pidfd_open(pid)
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    select.select([watch], [], [], 5)
    os.close(watch)


def is_alive(pid):
    """Zombies do not count: a dead daemon may wait a moment for the holder to collect it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False
