#!/bin/sh
# Installs what is missing to build and test packetwalk on Debian: libraries, compilers, and what the lab runs.
# Asks apt only when something is missing.
set -eu
here=$(dirname "$0")
# Two builds at once wait for each other instead of failing on apt's lock.
exec 9>"${TMPDIR:-/tmp}/packetwalk-deps.lock"
flock 9
missing=
for package in $(grep -hv '^#' "$here/deps" "$here/lab/deps"); do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
if [ "$(id -u)" -eq 0 ]; then sudo=; else sudo=sudo; fi
log=$(mktemp)
# shellcheck disable=SC2086
if { $sudo apt-get -o DPkg::Lock::Timeout=300 update && $sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	rm -f "$log"
else
	tail -n 20 "$log" >&2
	echo "packetwalk: installing packages failed; the whole log is $log" >&2
	exit 1
fi
