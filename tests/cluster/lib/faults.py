"""`lab fault` and `lab accuracy` on the cluster: the same runners as in tests/lab, on a lab that is reset rather than built anew."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PROJECT = HERE.parent.parent
sys.path.insert(0, str(PROJECT / "tests/lab"))

from labkit import accuracy, faults  # noqa: E402
from labkit.space import LabError  # noqa: E402


class ClusterLab:
    """A new lab costs most of a minute, a reset a few seconds; what does not come clean is built anew."""

    kind = "cluster"
    program = str(HERE / "lab")
    kubectl = "kubectl"

    def __init__(self):
        self.directory = Path(os.environ.get("LAB_DIR", "/run/packetwalk-cluster"))

    def words(self, *words):
        return subprocess.run([self.program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def is_up(self):
        return (self.directory / "built").exists()

    def prepare(self, shape):
        done = self.words("up", "--shape", shape)
        if done.returncode != 0:
            raise LabError(done.stderr.strip()[-900:])

    def clear(self):
        if self.words("reset").returncode != 0:
            self.words("down")

    def after(self):
        done = self.words("reset")
        if done.returncode == 0:
            return None
        self.words("down")
        return "did not come clean, is built anew: " + done.stderr.strip()[-600:]

    def operator(self, argv, settings):
        return [self.program, "run", *argv], {**os.environ, **settings}


def by_shape(folder):
    """Scenarios of one shape after the other: a change of shape is a new lab."""
    try:
        shape = faults.Scenario(folder).shape
    except LabError:
        shape = ""
    return shape != "vxlan", shape


def main(argv):
    if len(argv) > 1 and argv[0] == "fault":
        return faults.run_all(sorted(argv[1:], key=by_shape), ClusterLab())
    if len(argv) > 3 and argv[0] == "accuracy":
        return accuracy.run_all(argv[1], argv[2], sorted(argv[3:], key=by_shape), ClusterLab())
    print("usage: lab fault DIR …, or: lab accuracy OUT RUNGS DIR …", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
