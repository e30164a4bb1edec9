#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `packetwalk service` over a corpus of packets and counts what is right.

usage: service_flow.py PACKETWALK DIR

DIR holds one folder per case: manifests/, node.tsv (what the objects do not say of the node) and expected.tsv (src
protocol dst port outcome backends masquerade mode name). A case without manifests holds rule sets instead, which the
unit tests of the dataplane walk.
"""

import os
import subprocess
import sys

TIMEOUT_S = 60
PAIRS = {"node_name": "node", "node_ips": "node_ips", "pod_cidr": "pod_cidr", "service_cidr": "service_cidr",
         "nodeport_addresses": "nodeport_addresses"}


def table(path):
    with open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t") for line in lines][1:]


def ask(binary, case, rows, mode):
    words = [f"{PAIRS[key]}={value.replace(' ', ',')}" for key, value in table(os.path.join(case, "node.tsv")) if key in PAIRS]
    text = "\n".join(["src\tprotocol\tdst\tport"] + ["\t".join(row[:4]) for row in rows]) + "\n"
    done = subprocess.run([binary, "service", "--manifests", os.path.join(case, "manifests"), "--ask", "-", "-o", "tsv",
                           f"mode={mode}", *words], input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    got = [line.split("\t") for line in done.stdout.splitlines()][1:]
    return got if len(got) == len(rows) else [["", "", "", "", f"exit {done.returncode}", done.stderr.strip()[:200], ""]] * len(rows)


def wrong_rows(binary, case, rows):
    """What is not as expected; a row of both modes counts once."""
    wrong = {}
    for mode in ("nftables", "iptables"):
        asked = [row for row in rows if row[7] in (mode, "both")]
        for row, got in zip(asked, ask(binary, case, asked, mode) if asked else []):
            if row[4:7] != [got[4], ",".join(sorted(got[5].split(","))), got[6]]:
                wrong["\t".join(row)] = f"{mode}: {' '.join(row[:7])} ({row[8]}), got {' '.join(got[4:7])}"
    return list(wrong.values())


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    binary, root = os.path.abspath(sys.argv[1]), sys.argv[2]
    passed = failed = right = total = 0
    for name in sorted(os.listdir(root)):
        case = os.path.join(root, name)
        if not os.path.isdir(os.path.join(case, "manifests")):
            continue
        rows = table(os.path.join(case, "expected.tsv"))
        for row in rows:
            row[5] = ",".join(sorted(row[5].split(",")))
        wrong = wrong_rows(binary, case, rows)
        right, total = right + len(rows) - len(wrong), total + len(rows)
        passed, failed = passed + (not wrong), failed + bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {name} ({len(rows) - len(wrong)} of {len(rows)} rows)")
        for note in wrong[:5]:
            print(f"  # {note}")
    print(f"rows: {right} of {total} right")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
