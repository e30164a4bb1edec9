"""`lab accuracy`: each fault is injected once and walked at each rung of the ladder; how right each answer was.

A line of TSV per walk goes to OUT/results.tsv, the whole result to OUT/RUNG/ID.json. Both labs run it.
"""

import json
import sys
from pathlib import Path

from . import faults
from .space import LabError

# What an operator has at each rung, lowest first, as packetwalk's own environment. The last one is the lab's own operator.
RUNGS = {
    "reads": {"PACKETWALK_VIA": "", "PACKETWALK_MAX_EFFECT": "reads"},  # a kubeconfig
    "sends": {"PACKETWALK_VIA": "", "PACKETWALK_MAX_EFFECT": "sends"},  # and probes from where the operator stands
    "execs": {"PACKETWALK_VIA": "kubectl:{kubectl}", "PACKETWALK_MAX_EFFECT": "execs"},  # and the programs of the sender's container
    "creates": {"PACKETWALK_VIA": "kubectl:{kubectl}", "PACKETWALK_MAX_EFFECT": "creates"},  # and a pod made beside the sender
    "node-pods": {"PACKETWALK_VIA": "kubectl:{kubectl}", "PACKETWALK_MAX_EFFECT": "privileged"},  # and one made on each node
    "privileged": {},                                                   # and an agent on each node
}

COLUMNS = ("scenario", "rung", "grade", "expected_layer", "expected_component", "status", "layer", "component", "verdict", "exit",
           "duration_ms", "seconds", "says")

# Grades, of a fault: right, layer (right, its component wrong), inconclusive, wrong; of a healthy lab: healthy, inconclusive,
# wrong. failed: it was not walked.


def grade(scenario, code, result):
    expect, verdict = scenario.expect, result.get("verdict") or {}
    status, layer = result.get("status"), verdict.get("layer")
    if (status, code) not in (("healthy", 0), ("fault", 1), ("inconclusive", 4)):
        return "wrong"
    if status == "inconclusive":
        if not (verdict.get("settle") or "").strip():
            return "wrong"  # it is honest only when it says what would settle it
        return "right" if not scenario.compare(code, result) else "inconclusive"
    if expect.get("status") == "inconclusive":
        return "wrong"  # nothing can decide it, so this was a guess
    if expect["layer"] == "none":
        return "healthy" if status == "healthy" else "wrong"
    if status == "healthy" or layer != expect["layer"]:
        return "wrong"
    return "layer" if scenario.compare(code, result) else "right"


def run_all(out, rungs, folders, lab=None):
    lab = lab or faults.NetnsLab()
    rungs = rungs.split(",")
    unknown = [rung for rung in rungs if rung not in RUNGS]
    if unknown:
        raise LabError(f"no rung {', '.join(unknown)}; there are {', '.join(RUNGS)}")
    out = Path(out)
    for rung in rungs:
        (out / rung).mkdir(parents=True, exist_ok=True)
    if lab.is_up():
        lab.clear()  # nobody knows what was done to it
    with open(out / "results.tsv", "a", buffering=1) as table:
        for folder in folders:
            scenario = faults.Scenario(folder)
            if scenario.is_for(lab.kind):
                for row in _ladder(lab, scenario, [r for r in RUNGS if r in rungs], out):
                    table.write("\t".join(" ".join(str(row.get(name, "")).split()) for name in COLUMNS) + "\n")
                    print(f"{row['scenario']} {row['rung']}: {row['grade']}", file=sys.stderr)
    return 0


def _ladder(lab, scenario, rungs, out):
    """The rows of one scenario; the rung of a row that was not walked is empty."""
    expect = scenario.expect
    base = {"scenario": scenario.id, "expected_layer": expect.get("layer", "+".join(expect.get("layers", []))),
            "expected_component": ",".join(scenario.allowed_components())}
    try:
        lab.prepare(scenario.shape)
        problem = faults.script(lab, scenario, "inject")
    except LabError as error:
        problem = str(error)
    if problem:
        yield {**base, "rung": "", "grade": "failed", "says": problem}
    for rung in [] if problem else rungs:
        yield {**base, "rung": rung, **_walked(lab, scenario, rung, out)}
    if lab.is_up():
        faults.after(lab, scenario)


def _walked(lab, scenario, rung, out):
    settings = {name: value.format(kubectl=lab.kubectl) for name, value in RUNGS[rung].items()}
    done, seconds, result = faults.walk(lab, scenario, settings)
    if result is None:
        says = f"{done.stdout[-200:]} {done.stderr[-400:]}" if done else "no end"
        return {"grade": "wrong", "exit": done.returncode if done else "", "seconds": seconds, "says": says}
    (out / rung / f"{scenario.id}.json").write_text(json.dumps(result, indent=1))
    verdict = result.get("verdict") or {}
    return {"grade": grade(scenario, done.returncode, result), "status": result.get("status"), "layer": verdict.get("layer"),
            "component": verdict.get("component") or "", "verdict": verdict.get("id"), "exit": done.returncode,
            "duration_ms": result.get("duration_ms"), "seconds": seconds, "says": verdict.get("says")}
