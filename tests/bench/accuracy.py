#!/usr/bin/env python3
"""`make bench-accuracy`: how right packetwalk is with how little.

Walks fault scenarios at each rung of the ladder, on several labs side by side, and prints rung by rung how many answers were
right, honestly inconclusive and wrong. What is wrong fails the run: an answer that cannot be proven has to be inconclusive.

usage: accuracy.py [--out DIR] [--shards N] [--rungs a,b] DIR …      or, of what is there already: accuracy.py --out DIR

LAB: the lab program, tests/lab/lab unless it is said. Results stay in DIR: results.tsv, and RUNG/ID.json.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT / "tests/lab"))

from labkit.accuracy import COLUMNS, RUNGS  # noqa: E402

SLOWEST = 15
LAYERS = ("infrastructure", "kubernetes", "cni", "third-party", "application")


def measure(options):
    """Runs the scenarios, each shard on a lab of its own; returns the exit codes."""
    lab = os.environ.get("LAB", str(PROJECT / "tests/lab/lab"))
    if options.out.exists():
        shutil.rmtree(options.out)
    with tempfile.TemporaryDirectory() as folder:
        running = []
        try:
            for shard in range(min(options.shards, len(options.scenarios))):
                directory, part = Path(folder) / f"lab.{shard}", options.out / f"shard.{shard}"
                directory.mkdir(mode=0o700)
                running.append((directory, part, subprocess.Popen(
                    [lab, "accuracy", str(part), options.rungs, *options.scenarios[shard::options.shards]],
                    env={**os.environ, "LAB_DIR": str(directory)}, stdin=subprocess.DEVNULL)))
            codes = [process.wait() for _, _, process in running]
        finally:
            for directory, _, process in running:
                process.terminate()
                process.wait()
                subprocess.run([lab, "down"], env={**os.environ, "LAB_DIR": str(directory)}, stdout=subprocess.DEVNULL)
    gather(options.out, [part for _, part, _ in running])
    return codes


def gather(out, parts):
    """The shards' files in one place."""
    with open(out / "results.tsv", "w") as table:
        table.write("\t".join(COLUMNS) + "\n")
        for part in parts:
            if (part / "results.tsv").exists():
                table.write((part / "results.tsv").read_text())
            for result in part.glob("*/*.json"):
                (out / result.parent.name).mkdir(exist_ok=True)
                result.rename(out / result.parent.name / result.name)
            shutil.rmtree(part, ignore_errors=True)


def percent(part, whole):
    return f"{part:4d} {100 * part // whole:3d}%" if whole else f"{part:4d}     "


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0


def print_ladder(rows):
    print(f"{'':12} {'faults':>6} {'layer right':>12} {'component':>10} {'inconclusive':>13} {'wrong':>6}"
          f"   {'controls':>8} {'healthy':>8} {'inconclusive':>13} {'alarm':>6}   {'sum s':>7} {'p50 s':>6} {'p95 s':>6}")
    for rung in RUNGS:
        here = [row for row in rows if row["rung"] == rung]
        if not here:
            continue
        faults = [row["grade"] for row in here if row["expected_layer"] != "none"]
        controls = [row["grade"] for row in here if row["expected_layer"] == "none"]
        seconds = [float(row["duration_ms"] or 0) / 1000 for row in here]
        right = faults.count("right")
        print(f"{rung:12} {len(faults):6d} {percent(right + faults.count('layer'), len(faults)):>12} {percent(right, len(faults)):>10}"
              f" {percent(faults.count('inconclusive'), len(faults)):>13} {faults.count('wrong'):6d}"
              f"   {len(controls):8d} {controls.count('healthy'):8d} {controls.count('inconclusive'):13d} {controls.count('wrong'):6d}"
              f"   {sum(seconds):7.1f} {quantile(seconds, 0.5):6.2f} {quantile(seconds, 0.95):6.2f}")


def print_layers(rows):
    print("\nLayer named right, by the layer that is at fault:")
    print(f"{'':12}" + "".join(f" {layer:>15}" for layer in LAYERS))
    for rung in RUNGS:
        cells = []
        for layer in LAYERS:
            grades = [row["grade"] for row in rows if row["rung"] == rung and row["expected_layer"] == layer]
            cells.append(f"{grades.count('right') + grades.count('layer')} of {len(grades)}" if grades else "-")
        if any(row["rung"] == rung for row in rows):
            print(f"{rung:12}" + "".join(f" {cell:>15}" for cell in cells))


def print_list(title, rows):
    if not rows:
        return
    print(f"\n{title}:")
    for row in rows:
        said = f"{row['layer'] or row['status'] or 'nothing'}/{row['component']}".rstrip("/")
        expected = f"{row['expected_layer']}/{row['expected_component']}".rstrip("/")
        print(f"  {row['scenario']} {row['rung']}: said {said} ({row['verdict']}), expected {expected}\n    {row['says'][:300]}")


def report(out):
    """Prints the tables; returns how many answers were wrong or missing."""
    with open(out / "results.tsv", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    walked = [row for row in rows if row["rung"]]
    graded = {name: [row for row in rows if row["grade"] == name] for name in ("layer", "wrong", "failed")}
    print_ladder(walked)
    print_layers(walked)
    print_list("Layer right, component wrong", graded["layer"])
    print_list("Wrong", graded["wrong"])
    print_list("Not walked", graded["failed"])
    rungs = [rung for rung in RUNGS if any(row["rung"] == rung for row in walked)]
    slowest = sorted((row for row in walked if row["rung"] == (rungs or [""])[-1]), key=lambda row: -int(row["duration_ms"] or 0))
    print(f"\nSlowest at the last rung: {', '.join(row['scenario'] + ' ' + row['duration_ms'] + ' ms' for row in slowest[:SLOWEST])}")
    print(f"\n{len(graded['wrong'])} wrong, {len(graded['failed'])} not walked, of {len(walked)} walks; {out}/results.tsv")
    return len(graded["wrong"]) + len(graded["failed"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("build/accuracy"))
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--rungs", default=",".join(RUNGS))
    parser.add_argument("scenarios", nargs="*")
    options = parser.parse_args()
    options.out = options.out.absolute()
    codes = measure(options) if options.scenarios else []
    return 1 if report(options.out) or any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
