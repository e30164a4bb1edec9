# For tests/leftovers.sh, sourced: an operator with the rights that `packetwalk manifest rbac` prints and no others, and the image on the nodes.
# shellcheck shell=sh disable=SC2154,SC2034 # lab, here, tmp and PACKETWALK are the caller's; operator and audit_from are for it
if ! sh "$here/../packaging/image.sh" "$PACKETWALK" "$LAB_DIR/run/packetwalk.tar" >"$tmp/image" 2>&1 || ! "$lab" load "$LAB_DIR/run/packetwalk.tar"; then
	cat "$tmp/image"
	echo 'Bail out! no image on the nodes'
	exit 1
fi
"$lab" kubectl create serviceaccount operator >"$tmp/account" 2>&1
"$PACKETWALK" manifest rbac --serviceaccount default/operator --max-effect privileged --in shop --in bank --node-namespace shop --config-namespace kube-flannel >"$LAB_DIR/run/rbac.yaml"
"$lab" kubectl apply -f "$LAB_DIR/run/rbac.yaml" >"$tmp/rbac" 2>&1 || { cat "$tmp/rbac"; echo 'Bail out! the roles are not taken'; exit 1; }
operator=$LAB_DIR/run/operator.kubeconfig
token=$("$lab" kubectl create token operator --duration=2h)
python3 - "$LAB_DIR/kubeconfig" "$operator" "$token" <<'PY'
import sys, yaml
config = yaml.safe_load(open(sys.argv[1]))
for user in config["users"]:
    user["user"] = {"token": sys.argv[3]}
yaml.safe_dump(config, open(sys.argv[2], "w"))
PY
audit_from=$(wc -l <"$LAB_DIR/logs/audit.log")
