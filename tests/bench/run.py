#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench: what packetwalk costs, each figure beside what it is held against, from the same run.

Nothing here passes or fails: a busy machine would make liars of limits. Read the ratios, and the limits beside them.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import manifests

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests/lab/lab"
BINARY = ROOT / "build/packetwalk"


def timed(argv, repeat, env=None, ok=(0,)):
    spans = []
    for _ in range(repeat):
        start = time.perf_counter()
        done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        spans.append((time.perf_counter() - start) * 1000)
        if done.returncode not in ok:
            sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return statistics.median(spans), done


def row(what, value, beside):
    print(f"{what:<46} {value:>14}   {beside}", flush=True)


def walk(env, *extra, ok):
    argv = [LAB, "run", "run", "pod-to-service", "from=shop/web", "to=shop/api", "--no-input", "-o", "json", *extra]
    span, done = timed(argv, 1, env, ok)
    return span, json.loads(done.stdout)


def needed(result):
    """Durations of the steps the walk needed, loops and called playbooks by their own."""
    return [step.get("duration_ms", 0) for step in result["steps"]]


def lab_rows():
    with tempfile.TemporaryDirectory(prefix="packetwalk-bench.") as folder:
        env = {**os.environ, "LAB_DIR": folder, "PACKETWALK": str(BINARY)}
        lab = lambda *words: subprocess.run([LAB, *words], env=env, check=True, capture_output=True)
        try:
            lab("up")
            spans = [walk(env, ok=(0,)) for _ in range(5)]
            whole = statistics.median(s for s, _ in spans)
            inside = statistics.median(r["duration_ms"] for _, r in spans)
            row("healthy walk on the lab, whole command", f"{whole:.0f} ms", f"the walk alone {inside} ms")
            enter, _ = timed([LAB, "exec", "admin", "--", "true"], 5, env)
            row("  of which entering the lab", f"{enter:.0f} ms", "lab exec admin -- true")
            lab("component", "stop", "kube-proxy", "n1")
            lab("exec", "n1", "--", "sh", "-c",
                "iptables-save | grep -v -e KUBE- -e '^#' >/run/without && iptables-restore </run/without")
            span, result = walk(env, ok=(1,))
            serial, other = walk(env, "--jobs", "1", ok=(1,))
            slowest = max(needed(result))
            row("black-holed Service, verdict", f"{result['duration_ms']} ms", f"{result['verdict']['component']}")
            row("  slowest needed probe", f"{slowest} ms", f"ratio {result['duration_ms'] / max(1, slowest):.2f}")
            row("  with --jobs 1", f"{other['duration_ms']} ms", f"ratio {other['duration_ms'] / max(1, result['duration_ms']):.2f}; "
                f"same verdict: {other['verdict']['id'] == result['verdict']['id']}")
        finally:
            lab("down")


def peak_memory(argv):
    done = subprocess.run(["/usr/bin/env", "python3", "-c",
                           "import resource,subprocess,sys;"
                           "r=subprocess.run(sys.argv[1:],capture_output=True);"
                           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", *map(str, argv)],
                          capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1]) / 1024


def usage_of(argv):
    """Seconds, processor seconds and MB of one run whose output is thrown away."""
    start = time.perf_counter()
    with subprocess.Popen([*map(str, argv)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {child.returncode}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def policy_rows():
    with tempfile.TemporaryDirectory(prefix="packetwalk-bench.") as folder:
        manifests.write(folder)
        span, busy, memory = usage_of([BINARY, "policy", "--manifests", folder, "-o", "tsv"])
        row("policy, 10,000 pods, 2,000 policies, all pairs", f"{span:.2f} s", f"limit 2 s; processor {busy:.2f} s")
        row("  peak memory", f"{memory:.0f} MB", "limit 300 MB; 1,000 workloads, a million pairs")
        nothing = Path(folder) / "questions.tsv"
        nothing.write_text("src\tdst\tprotocol\tports\n", encoding="utf-8")
        span, busy, _ = usage_of([BINARY, "policy", "--manifests", folder, "--ask", nothing, "-o", "tsv"])
        row("  of which reading 8 MB of YAML", f"{span:.2f} s", f"processor {busy:.2f} s")


def main():
    version, _ = timed([BINARY, "--version"], 21)
    nothing, _ = timed(["/bin/true"], 21)
    row("packetwalk --version", f"{version:.1f} ms", f"/bin/true {nothing:.1f} ms")
    one, _ = timed([BINARY, "check", "compare", "left=1", "right=1"], 11)
    row("packetwalk check compare", f"{one:.1f} ms", f"over --version {one - version:.1f} ms")
    overhead = ROOT / "build/tests/bench/overhead"
    if overhead.exists():
        done = subprocess.run([overhead], capture_output=True, text=True, check=True)
        print(done.stdout, end="")
    row("peak memory, packetwalk checks", f"{peak_memory([BINARY, 'checks']):.1f} MB", "every declaration printed")
    policy_rows()
    lab_rows()


main()
