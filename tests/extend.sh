#!/bin/sh
# What the README tells a newcomer to do: a playbook and a check of one's own work the first time.
set -u
bin=$1
root=$PWD
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0
ok() { # ok TITLE COMMAND…
	title=$1; shift
	n=$((n + 1))
	if out=$("$@" 2>&1); then echo "ok $n - $title"; else bad=$((bad + 1)); echo "not ok $n - $title"; printf '%s\n' "$out" | tail -n 20 | sed 's/^/  # /'; fi
}
cd "$tmp" || exit 1
ok "new playbook" "$bin" new playbook my-walk
ok "it lints" sh -c '"$1" lint my-walk*.yaml my-walk/*.yaml 2>/dev/null || "$1" lint $(find . -name "*.yaml" | head -n 1)' sh "$bin"
ok "it passes its own tests" sh -c '"$1" test $(find . -name "*.yaml" | head -n 1)' sh "$bin"
ok "new check" "$bin" new check my_check
src=$(find . -name my_check.c | head -n 1)
mkdir plugins; chmod 755 plugins
ok "it builds" cc -std=c11 -shared -fPIC -I"$root/include" -o plugins/my_check.so "$src"
ok "it is listed" sh -c '"$1" checks --plugin-dir plugins | grep -q my_check' sh "$bin"
ok "it runs" sh -c '"$1" check my_check address=127.0.0.1 port=1 --plugin-dir plugins; test $? -eq 1' sh "$bin"
echo "1..$n"
echo "$((n - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
