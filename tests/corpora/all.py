#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every corpus below a folder, each by its own runner; the last line adds them up.

usage: all.py BUILD DIR
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def suites(build, root):
    """Name, folder it needs, command."""
    binary = os.path.join(build, "packetwalk")
    yield "netpol", "netpol", [sys.executable, os.path.join(HERE, "netpol.py"), binary, os.path.join(root, "netpol")]
    yield "service-flow", "service-flow", [sys.executable, os.path.join(HERE, "service_flow.py"), binary, os.path.join(root, "service-flow")]
    yield "dataplane", "dataplane", ["sh", "tests/run-tap.sh", os.path.join(build, "tests/unit/dataplane_corpora")]
    yield "pcap", "pcap", ["sh", "tests/run-tap.sh", os.path.join(build, "tests/unit/packet_corpora")]


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    build, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    totals = [0, 0]
    lines = []
    for name, folder, command in suites(build, root):
        if not os.path.isdir(os.path.join(root, folder)):
            lines.append(f"{name}: not there")
            continue
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "CORPORA": root}, check=False)
        print("\n".join(line for line in done.stdout.splitlines() if not line.startswith("ok ")), end="\n", flush=True)
        found = re.findall(r"^(\d+) passed, (\d+) failed", done.stdout, re.M)
        passed, failed = map(int, found[-1]) if found else (0, 1)
        if not found:
            print(done.stderr[-2000:], file=sys.stderr)
        totals = [totals[0] + passed, totals[1] + failed]
        lines.append(f"{name}: {passed} right, {failed} wrong")
    print("\n".join(lines))
    print(f"{totals[0]} passed, {totals[1]} failed")
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())
