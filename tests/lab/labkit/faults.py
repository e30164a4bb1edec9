"""`lab fault`: fault scenarios, each injected, diagnosed by packetwalk and compared with what its author expects.

Both labs run them: what differs is in NetnsLab here and in ClusterLab of tests/cluster.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import yaml

from . import config, space
from .cli import run_environment
from .space import LabError
from .store import Loader

INJECT_SECONDS = 120
RUN_SECONDS = 300
DEFAULT_SHAPE = "vxlan"


class NetnsLab:
    """A new lab costs half a second, less than to prove that nothing of a scenario is left: each scenario gets its own."""

    kind = "netns"
    program = str(config.SOURCE / "lab")
    kubectl = str(config.SOURCE / "kubectl")

    def __init__(self):
        self.directory = config.lab_dir()

    def words(self, *words):
        return subprocess.run([self.program, *words], capture_output=True, text=True)

    def is_up(self):
        return space.holder_pid(self.directory) is not None

    def prepare(self, shape):
        """A healthy lab of this shape."""
        done = self.words("up", "--shape", shape)
        if done.returncode != 0:
            raise LabError(done.stderr.strip())

    def clear(self):
        self.words("down")

    def after(self):
        """Called when a scenario is over and healed; returns a remark or None."""
        self.words("down")

    def operator(self, argv, settings):
        """argv and environment of an operator's packetwalk; settings are more of its environment."""
        program, environment = run_environment(self.directory, {**os.environ, **settings})
        return ["sh", str(self.directory / "enter"), "admin", program, *argv], environment


def shape_at_hand(directory):
    """The shape for scenarios that name none: what LAB_SHAPE says, else that of the lab that is up, else the default."""
    named = os.environ.get("LAB_SHAPE")
    if named:
        return named
    try:
        return (directory / "shape").read_text().strip() or DEFAULT_SHAPE
    except OSError:
        return DEFAULT_SHAPE


class Scenario:
    def __init__(self, folder, shape=DEFAULT_SHAPE):
        self.folder = Path(folder).resolve()
        try:
            self.data = yaml.load((self.folder / "fault.yaml").read_text(), Loader=Loader)
        except (OSError, yaml.YAMLError) as error:
            raise LabError(f"{folder}: {error}") from None
        if not isinstance(self.data, dict) or "id" not in self.data or "expect" not in self.data or "run" not in self.data:
            raise LabError(f"{folder}/fault.yaml: id, run and expect are needed")
        self.id = self.data["id"]
        self.title = self.data.get("title", "")
        self.shape = self.data.get("shape", shape)

    @property
    def expect(self):
        return self.data["expect"]

    def allowed_components(self):
        """The component names that are equally right; empty when any is."""
        allowed = self.expect.get("component") or []
        return [allowed] if isinstance(allowed, str) else allowed

    def is_for(self, kind):
        return kind in self.data.get("labs", ["netns"])

    def command(self):
        run = self.data["run"]
        inputs = [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in (run.get("inputs") or {}).items()]
        return ["run", run["playbook"], *inputs, "--no-input", "-o", "json"]

    def compare(self, code, result):
        """What differs from the expectation; empty when it is met."""
        expect = self.expect
        verdict = result.get("verdict") or {}
        status, layer, component = result.get("status"), verdict.get("layer"), verdict.get("component")
        problems = []
        if expect.get("status") == "inconclusive":
            if status != "inconclusive" or code != 4:
                problems.append(f"status {status}, exit {code}; expected inconclusive, exit 4")
            missing = set(expect.get("layers", [])) - suspected_layers(result)
            if missing:
                problems.append(f"not suspected: {', '.join(sorted(missing))}")
        elif expect.get("layer") == "none":
            if status != "healthy" or code != 0:
                problems.append(f"status {status}, exit {code}; expected healthy, exit 0")
        else:
            if status != "fault" or code != 1:
                problems.append(f"status {status}, exit {code}; expected fault, exit 1")
            if layer != expect.get("layer"):
                problems.append(f"layer {layer}; expected {expect.get('layer')}")
            allowed = self.allowed_components()
            if allowed and component not in allowed:
                problems.append(f"component {component}; expected {' or '.join(allowed)}")
        return problems


def suspected_layers(result):
    return {name for name, entry in (result.get("layers") or {}).items() if entry.get("state") in ("suspected", "at-fault")}


class Report:
    """TAP 14 on stdout."""

    def __init__(self, total):
        self.number, self.passed, self.failed, self.skipped = 0, 0, 0, 0
        print(f"TAP version 14\n1..{total}", flush=True)

    def line(self, scenario_id, title, problems, details=None, skip=None):
        self.number += 1
        name = f"{scenario_id} {title}".strip().replace("\\", "\\\\").replace("#", "\\#")
        if skip:
            self.skipped += 1
            print(f"ok {self.number} - {name} # SKIP {skip}", flush=True)
            return
        self.passed += not problems
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.number} - {name}")
        if problems:
            text = yaml.safe_dump({"problems": problems, **(details or {})}, sort_keys=False, allow_unicode=True, width=150)
            print("  ---\n" + "".join(f"  {line}\n" for line in text.splitlines()) + "  ...")
        sys.stdout.flush()

    def end(self):
        if self.skipped:
            print(f"# {self.skipped} skipped")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def script(lab, scenario, name):
    """Runs inject or heal with the environment the contract promises; returns a problem or None."""
    environment = {**os.environ, "LAB": lab.program, "LAB_KIND": lab.kind, "LAB_SHAPE": scenario.shape, "LAB_DIR": str(lab.directory),
                   "KUBECONFIG": f"{lab.directory}/kubeconfig"}
    path = scenario.folder / name
    try:
        done = subprocess.run([str(path)], cwd=scenario.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=INJECT_SECONDS)
    except OSError as error:
        return f"{name}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"{name}: no end after {INJECT_SECONDS} s"
    if done.returncode != 0:
        return f"{name} did not take effect (exit {done.returncode}): {done.stdout.strip()[-600:]}"
    return None


def walk(lab, scenario, settings):
    """One packetwalk run: (how it ended, its seconds, its result); None where there is none."""
    argv, environment = lab.operator(scenario.command(), settings)
    started = time.monotonic()
    try:
        done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return None, RUN_SECONDS, None
    seconds = round(time.monotonic() - started, 2)
    try:
        return done, seconds, json.loads(done.stdout)
    except json.JSONDecodeError:
        return done, seconds, None


def _diagnose(lab, scenario):
    """(problems, details) of one packetwalk run."""
    done, seconds, result = walk(lab, scenario, {})
    if done is None:
        return [f"packetwalk: no end after {RUN_SECONDS} s"], {}
    details = {"expected": scenario.expect, "exit": done.returncode, "seconds": seconds}
    if result is None:
        return ["packetwalk printed no JSON"], {**details, "stdout": done.stdout[-400:], "stderr": done.stderr[-600:]}
    verdict = result.get("verdict") or {}
    details["got"] = {"status": result.get("status"), **{k: verdict.get(k) for k in ("id", "layer", "component")}}
    details["says"] = verdict.get("says")
    details["because"] = verdict.get("because")
    details["steps"] = [f"{s.get('id')}: {s.get('outcome')}" for s in result.get("steps", [])]
    return scenario.compare(done.returncode, result), details


def after(lab, scenario):
    """Heals (a fault may reach beyond the lab). Returns a remark for the author, or None."""
    remark = None
    if (scenario.folder / "heal").exists():
        remark = script(lab, scenario, "heal")
        if not remark and lab.words("status").returncode != 0:
            remark = "heal left problems (lab status)"
    return lab.after() or remark


def _run_one(lab, scenario, report):
    try:
        lab.prepare(scenario.shape)
        problem = script(lab, scenario, "inject")
        problems, details = ([problem], {}) if problem else _diagnose(lab, scenario)
    except LabError as error:
        problems, details = [str(error)], {}
    report.line(scenario.id, scenario.title, problems, details)
    remark = after(lab, scenario) if lab.is_up() else None
    if remark:
        print("# " + remark.replace("\n", "\n# "), flush=True)


def run_all(folders, lab=None):
    lab = lab or NetnsLab()
    report = Report(len(folders))
    shape = shape_at_hand(lab.directory)
    if lab.is_up():
        lab.clear()  # nobody knows what was done to it
    for folder in folders:
        try:
            scenario = Scenario(folder, shape)
        except LabError as error:
            report.line(folder, "", [str(error)])
            continue
        if scenario.is_for(lab.kind):
            _run_one(lab, scenario, report)
        else:
            report.line(scenario.id, scenario.title, [], skip=f"not for the {lab.kind} lab")
    return report.end()
