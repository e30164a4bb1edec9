# For tests/leftovers.sh, sourced: what the operator did to the API, by its own log, is what `manifest rbac` grants, and all of it.
# shellcheck shell=sh disable=SC2154 # LAB_DIR, tmp and audit_from are the caller's
tail -n +"$((audit_from + 1))" "$LAB_DIR/logs/audit.log" | python3 -c '
import json, sys
granted = {("create", "pods"), ("delete", "pods"), ("get", "pods"), ("create", "pods/exec"), ("get", "pods/exec")}
used, refused = set(), set()
for line in sys.stdin:
    event = json.loads(line)
    ref = event.get("objectRef") or {}
    if event["user"]["username"] != "system:serviceaccount:default:operator" or event["stage"] not in ("ResponseComplete", "ResponseStarted") or not ref:
        continue
    what = (event["verb"], ref["resource"] + ("/" + ref["subresource"] if ref.get("subresource") else ""))
    code = event.get("responseStatus", {}).get("code", 0)
    if code == 403 and "PodSecurity" not in event.get("responseStatus", {}).get("message", ""):
        refused.add((*what, ref.get("namespace")))
    elif what[0] not in ("list", "get") or what[1].startswith("pods"):
        used.add(what)
used -= {("list", "pods")}
print("used:", sorted(used))
print("refused:", sorted(refused, key=str))
missing = {("create", "pods"), ("delete", "pods"), ("get", "pods")} - used
sys.exit(bool(used - granted or missing or not {w for w in used if w[1] == "pods/exec"} or {r for r in refused if r[0] != "list"}))
' >"$tmp/verbs" 2>&1
report $? "the verbs are those of manifest rbac" "$tmp/verbs"
