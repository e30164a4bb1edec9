#!/bin/sh
# make demo: raise the lab, break something in it, let packetwalk find it, leave nothing behind.
# FAULT=NAME picks a folder of tests/faults. With a terminal it asks; without one it runs by itself.
set -eu
cd "$(dirname "$0")/.."
fault=${FAULT:-podpod-vtep-mac-stale}
folder=tests/faults/$fault
if [ ! -f "$folder/fault.yaml" ]; then
	echo "There is no fault \"$fault\". There are:" >&2
	ls tests/faults >&2
	exit 2
fi

LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/packetwalk-demo.XXXXXX")
export LAB_DIR
PACKETWALK=$PWD/build/packetwalk
export PACKETWALK
LAB=$PWD/tests/lab/lab
clean() { "$LAB" down >/dev/null 2>&1; rm -rf "$LAB_DIR"; }
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

field() { python3 - "$folder/fault.yaml" "$1" <<'PY'
import sys, yaml
data = yaml.safe_load(open(sys.argv[1]))
if sys.argv[2] == "inputs":
    print(" ".join(f"{k}={v}" for k, v in (data["run"].get("inputs") or {}).items()))
else:
    print({"shape": data.get("shape", "vxlan"), "title": data["title"], "playbook": data["run"]["playbook"]}[sys.argv[2]])
PY
}
shape=$(field shape)
echo "Raising a cluster of two nodes in network namespaces …"
"$LAB" up --shape "$shape"
echo "Breaking it: $(field title)."
LAB=$LAB LAB_KIND=netns LAB_SHAPE=$shape KUBECONFIG=$LAB_DIR/kubeconfig "$folder/inject"
playbook=$(field playbook)
inputs=$(field inputs)
echo "\$ packetwalk run $playbook $inputs"
echo
rc=0
[ -t 0 ] && [ -t 1 ] && inputs="$inputs --step"
# shellcheck disable=SC2086
"$LAB" run run "$playbook" $inputs || rc=$?
# 0 healthy, 1 a fault, 4 inconclusive: packetwalk did its job.
case $rc in 0|1|4) exit 0 ;; esac
exit "$rc"
