#!/bin/sh
# Installs what is missing to build and test packetwalk on Debian: libraries, compilers, and what the lab runs.
# Asks apt only when something is missing.
set -eu
here=$(dirname "$0")
missing=
for package in $(grep -hv '^#' "$here/deps" "$here/lab/deps"); do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
if [ "$(id -u)" -eq 0 ]; then sudo=; else sudo=sudo; fi
log=$(mktemp)
# shellcheck disable=SC2086
if { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	rm -f "$log"
else
	tail -n 20 "$log" >&2
	echo "packetwalk: installing packages failed; the whole log is $log" >&2
	exit 1
fi
