#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `packetwalk policy` over a corpus of NetworkPolicy cases and counts what is right.

usage: netpol.py PACKETWALK DIR [GROUP...]

DIR holds one folder per case: SOURCE (with a `group:`), manifests/, and either
expected.tsv (src dst protocol ports verdict) or errors.tsv (the input has to
be refused). Without GROUP the groups that packetwalk evaluates are run.
"""

import os
import subprocess
import sys

# Kinds of policy that are evaluated.
GROUPS = ["policy", "exposure", "anp", "cnp", "anp+exposure", "ingress", "ingress+exposure", "invalid"]
# A case takes milliseconds; this only ends a hang.
TIMEOUT_S = 60


def read_group(case):
    with open(os.path.join(case, "SOURCE"), encoding="utf-8") as source:
        for line in source:
            if line.startswith("group:"):
                return line.split(":", 1)[1].strip()
    return ""


def run(binary, args, stdin):
    return subprocess.run([binary, "policy", *args], input=stdin, capture_output=True, text=True, timeout=TIMEOUT_S,
                          check=False)


def check_invalid(binary, case):
    result = run(binary, ["--manifests", os.path.join(case, "manifests"), "-o", "tsv"], "")
    good = result.returncode == 2 and not result.stdout
    return (1, 1, []) if good else (0, 1, [f"exit {result.returncode}, expected 2: {result.stderr.strip()[:200]}"])


def check_rows(binary, case):
    with open(os.path.join(case, "expected.tsv"), encoding="utf-8") as table:
        rows = [line.rstrip("\n").split("\t") for line in table][1:]
    if not rows:
        return 0, 0, []
    ask = "\n".join(["src\tdst\tprotocol\tports"] + ["\t".join(row[:4]) for row in rows]) + "\n"
    result = run(binary, ["--manifests", os.path.join(case, "manifests"), "--ask", "-", "-o", "tsv"], ask)
    got = [line.split("\t") for line in result.stdout.splitlines()][1:]
    if result.returncode != 0 or len(got) != len(rows):
        return 0, len(rows), [f"exit {result.returncode}, {len(got)} of {len(rows)} rows: {result.stderr.strip()[:300]}"]
    wrong = [f"{' '.join(row)}, got {answer[4]}" for row, answer in zip(rows, got) if row[4] != answer[4]]
    return len(rows) - len(wrong), len(rows), wrong


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    binary, root, groups = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:] or GROUPS
    passed = failed = right = total = 0
    by_group = {}
    for name in sorted(os.listdir(root)):
        case = os.path.join(root, name)
        if not os.path.exists(os.path.join(case, "SOURCE")) or read_group(case) not in groups:
            continue
        group = by_group.setdefault(read_group(case), [0, 0, 0, 0])
        invalid = os.path.exists(os.path.join(case, "errors.tsv"))
        good, rows, notes = check_invalid(binary, case) if invalid else check_rows(binary, case)
        right, total = right + good, total + rows
        for i, more in enumerate((good == rows, 1, good, rows)):
            group[i] += more
        if good == rows:
            passed += 1
            print(f"ok {name} ({rows} rows)")
            continue
        failed += 1
        print(f"not ok {name}: {good} of {rows} rows")
        for note in notes[:5]:
            print(f"  # {note}")
    for name, (cases, of_cases, rows, of_rows) in sorted(by_group.items()):
        print(f"{name}: {cases} of {of_cases} cases, {rows} of {of_rows} rows right")
    print(f"rows: {right} of {total} right")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
