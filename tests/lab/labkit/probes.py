"""Readiness probes, run for real from the pod's node: several at a time, without threads."""

import selectors
import socket
import subprocess
import time

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 2.0
SETTLED_TRIES = 3


class Attempt:
    """One httpGet or tcpSocket try. After finish, `problem` is None for success or what kubelet would say."""

    def __init__(self, places, node, address, probe):
        self.http = probe.get("httpGet")
        self.port = (self.http or probe["tcpSocket"])["port"]
        self.address = address
        self.deadline = time.monotonic() + probe["timeoutSeconds"]
        self.reply = b""
        self.sent = False
        self.problem = None
        self.socket = places.socket(node)
        self.socket.setblocking(False)
        self.socket.connect_ex((address, self.port))

    @property
    def url(self):
        return f"http://{self.address}:{self.port}{self.http['path']}" if self.http else f"{self.address}:{self.port}"

    def events(self):
        return selectors.EVENT_READ if self.sent else selectors.EVENT_WRITE

    def step(self):
        """Called when the socket is ready; returns True when the attempt is over."""
        try:
            if not self.sent:
                error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, "")
                if not self.http:
                    return True
                request = f"GET {self.http['path']} HTTP/1.1\r\nHost: {self.address}:{self.port}\r\n" \
                          "User-Agent: kube-probe/1.34\r\nConnection: close\r\n\r\n"
                self.socket.send(request.encode())
                self.sent = True
                return False
            data = self.socket.recv(4096)
        except OSError as error:
            refused = error.errno == 111
            self.problem = f"dial tcp {self.address}:{self.port}: connect: connection refused" if refused else str(error)
            return True
        self.reply += data
        if data and b"\r\n" not in self.reply:
            return False
        words = self.reply.split(b" ", 2)
        code = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        if not 200 <= code < 400:
            self.problem = f"HTTP probe failed with statuscode: {code}" if code else f'Get "{self.url}": EOF'
        return True


class Target:
    """A container waiting for its probe. settled: its servers are known to listen, so a refusal is final soon."""

    def __init__(self, node, address, place, container, settled, once):
        self.node, self.address, self.place = node, address, place
        self.container, self.settled, self.once = container, settled, once
        self.probe = resolve_port(container)
        self.tries = 0
        self.problem = "never probed"
        self.patience_end = time.monotonic() + PATIENCE_SECONDS

    def is_over(self):
        if self.problem is None or self.once:
            return True
        if self.settled and self.tries >= SETTLED_TRIES:
            return True
        return time.monotonic() > self.patience_end


def resolve_port(container):
    """The probe with its port as a number (it may be the name of a container port)."""
    probe = dict(container["readinessProbe"])
    for kind in ("httpGet", "tcpSocket"):
        if kind in probe and isinstance(probe[kind]["port"], str):
            ports = {p.get("name"): p["containerPort"] for p in container.get("ports", [])}
            probe[kind] = {**probe[kind], "port": ports.get(probe[kind]["port"], 0)}
    return probe


def _run_command(places, target):
    command = target.probe["exec"]["command"]
    try:
        done = subprocess.run(places.command(target.place, command), capture_output=True, timeout=target.probe["timeoutSeconds"])
    except subprocess.TimeoutExpired:
        return "command timed out"
    return None if done.returncode == 0 else (done.stdout + done.stderr).decode(errors="replace").strip() or "command failed"


def run(places, targets):
    """Probes until every target has answered well or its patience is over; the outcome is in target.problem."""
    waiting = list(targets)
    for target in [t for t in waiting if "exec" in t.probe]:
        target.problem = _run_command(places, target)
        waiting.remove(target)
    for target in [t for t in waiting if "httpGet" not in t.probe and "tcpSocket" not in t.probe]:
        target.problem = None
        waiting.remove(target)
    selector = selectors.DefaultSelector()
    retry_at = []
    for target in waiting:
        _start(places, selector, target)
    while selector.get_map() or retry_at:
        now = time.monotonic()
        for at, target in [r for r in retry_at if r[0] <= now]:
            retry_at.remove((at, target))
            _start(places, selector, target)
        for key, _ in selector.select(POLL_SECONDS):
            attempt, target = key.data
            over = attempt.step()
            selector.unregister(attempt.socket)
            if not over:
                selector.register(attempt.socket, attempt.events(), key.data)
                continue
            _finish(attempt, target, attempt.problem, retry_at)
        for key in list(selector.get_map().values()):
            attempt, target = key.data
            if time.monotonic() > attempt.deadline:
                selector.unregister(attempt.socket)
                target.patience_end = 0
                _finish(attempt, target, f'Get "{attempt.url}": context deadline exceeded '
                        "(Client.Timeout exceeded while awaiting headers)", retry_at)


def _start(places, selector, target):
    attempt = Attempt(places, target.node, target.address, target.probe)
    selector.register(attempt.socket, attempt.events(), (attempt, target))


def _finish(attempt, target, problem, retry_at):
    attempt.socket.close()
    target.tries += 1
    target.problem = problem
    if not target.is_over():
        retry_at.append((time.monotonic() + POLL_SECONDS, target))
