"""The API server's reading side: nginx over TLS with client certificates, serving a tree of JSON files.

`GET PATH` answers the file PATH/_.json below LAB_DIR/api. Query strings are ignored. Fields that a live cluster renews all
the time hold a mark (NOW) that nginx replaces with the time of the request.
"""

import json
import os
import re
import shutil
import signal
import time

from . import config, kinds
from .space import LabError, is_alive, kill_group
from .store import write_atomically

NOW = "@LAB-NOW@"
VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.2", "gitCommit": "lab", "gitTreeState": "clean",
           "buildDate": "2025-11-11T19:05:28Z", "goVersion": "go1.24.9", "compiler": "gc", "platform": "linux/amd64"}


def status(code, reason, message, details=None):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
            "details": details or {}, "code": code}


# ---- the tree ----

def _base(api_version):
    return f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"


def _documents(lab):
    """{path: document} of everything the API answers."""
    groups = {}  # (apiVersion, kind) → objects; kinds nobody has made yet are served as empty lists
    for kind, (api_version, _, _) in kinds.KINDS.items():
        if kind != "GatewayClass":
            groups[(api_version, kind)] = []
    for obj in lab.store.objects.values():
        groups.setdefault((obj["apiVersion"], obj["kind"]), []).append(obj)
    out = {"/version": VERSION, "/api": {"kind": "APIVersions", "versions": ["v1"]}}
    resources = {}
    namespaces = [n["metadata"]["name"] for n in lab.store.list("Namespace")]
    for (api_version, kind), objects in groups.items():
        name, namespaced = kinds.plural(kind), kinds.is_namespaced(kind)
        resources.setdefault(api_version, []).append(
            {"name": name, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]})
        base = _base(api_version)
        objects.sort(key=lambda o: (o["metadata"].get("namespace", ""), o["metadata"]["name"]))
        out[f"{base}/{name}"] = _list(lab, api_version, kind, objects)
        for obj in objects:
            scope = f"{base}/namespaces/{obj['metadata']['namespace']}" if namespaced else base
            out[f"{scope}/{name}/{obj['metadata']['name']}"] = obj
        if namespaced:  # what a namespace without such objects, or one that does not exist, lists
            out[f"/empty{base}/{name}"] = _list(lab, api_version, kind, [])
        for namespace in namespaces if namespaced else []:
            members = [o for o in objects if o["metadata"]["namespace"] == namespace]
            out[f"{base}/namespaces/{namespace}/{name}"] = _list(lab, api_version, kind, members)
    versions = {}
    for api_version, items in resources.items():
        out[_base(api_version)] = {"kind": "APIResourceList", "groupVersion": api_version, "resources": items}
        if "/" in api_version:
            versions.setdefault(api_version.split("/")[0], []).append(api_version)
    out["/apis"] = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
        {"name": group, "versions": [{"groupVersion": v, "version": v.split("/")[1]} for v in sorted(members)],
         "preferredVersion": {"groupVersion": min(members), "version": min(members).split("/")[1]}}
        for group, members in sorted(versions.items())]}
    return out


def _list(lab, api_version, kind, items):
    return {"kind": f"{kind}List", "apiVersion": api_version, "metadata": {"resourceVersion": str(lab.store.version)},
            "items": [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")} for item in items]}


def sync(lab):
    """Writes what changed and removes what is gone; each file is replaced whole, so a reader never sees half of one."""
    root = lab.directory / "api"
    known = lab.state.setdefault("api-files", {})
    documents = _documents(lab)
    for path, document in documents.items():
        text = json.dumps(document)
        digest = kinds.short_hash(re.sub(r'("metadata": \{"resourceVersion": )"\d+"', r"\1", text, count=1)
                                  if document.get("kind", "").endswith("List") else text, 20)
        if known.get(path) != digest:
            write_atomically(root / path.lstrip("/") / "_.json", text)
            known[path] = digest
    for path in [p for p in known if p not in documents]:
        shutil.rmtree(root / path.lstrip("/"), ignore_errors=True)
        del known[path]


# ---- the server ----

def _nginx_config(lab):
    directory = lab.directory
    unauthorized = json.dumps(status(401, "Unauthorized", "Unauthorized"))
    missing = json.dumps(status(404, "NotFound", "the server could not find the requested resource"))
    missing_object = _quote(json.dumps(status(404, "NotFound", '$resource "$name" not found', {"name": "$name", "kind": "$kind"})))
    denied = "\n".join(_denied_location(verb, resource) for verb, resource in lab.denied)
    health = "\n".join(f"        location = /{p} {{ default_type text/plain; return 200 ok; }}" for p in ("healthz", "livez", "readyz"))
    return f"""
user root;
worker_processes 1;
daemon off;
pid {directory}/run/nginx.pid;
error_log {directory}/logs/apiserver.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    default_type application/json;
    client_body_temp_path {directory}/run/body;
    proxy_temp_path {directory}/run/proxy;
    fastcgi_temp_path {directory}/run/fastcgi;
    uwsgi_temp_path {directory}/run/uwsgi;
    scgi_temp_path {directory}/run/scgi;
    map $time_iso8601 $lab_now {{ "~^(?<seconds>.*)[+-]" "${{seconds}}Z"; }}
    server {{
        listen {config.API_PORT} ssl;
        ssl_certificate {directory}/pki/api.pem;
        ssl_certificate_key {directory}/pki/api.key;
        ssl_client_certificate {directory}/pki/ca.pem;
        ssl_verify_client optional;
        root {directory}/api;
        etag off;
        if_modified_since off;
        sub_filter '{NOW}' $lab_now;
        sub_filter_once off;
        sub_filter_types application/json;
        error_page 495 496 = @unauthorized;
        location @unauthorized {{ return 401 '{unauthorized}'; }}
{health}
        if ($ssl_client_verify != SUCCESS) {{ return 401 '{unauthorized}'; }}
{denied}
        location = /apis/authorization.k8s.io/v1/selfsubjectaccessreviews {{
            return 201 '{json.dumps({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                                     "spec": {}, "status": {"allowed": True}})}';
        }}
        location ~ ^/api/v1/namespaces/([^/]+)/pods/([^/]+)/log$ {{
            default_type text/plain;
            alias {directory}/logs/$1/$2.log;
        }}
        location / {{
            try_files $uri/_.json @missing;
        }}
        location ~ ^/(api/v1|apis/[^/]+/[^/]+)/namespaces/[^/]+/([a-z0-9]+)$ {{
            try_files $uri/_.json /empty/$1/$2/_.json @missing;
        }}
        location ~ ^/api/v1/(?:namespaces/[^/]+/)?(?<kind>[a-z0-9]+)/(?<name>[^/]+)$ {{
            set $resource $kind;
            try_files $uri/_.json @missing-object;
        }}
        location ~ ^/apis/(?<group>[^/]+)/[^/]+/(?:namespaces/[^/]+/)?(?<kind>[a-z0-9]+)/(?<name>[^/]+)$ {{
            set $resource $kind.$group;
            try_files $uri/_.json @missing-object;
        }}
        location @missing {{ return 404 '{missing}'; }}
        location @missing-object {{ return 404 '{missing_object}'; }}
    }}
}}
"""


def _denied_location(verb, resource):
    """nginx locations that answer 403 in the API server's own words, for a list or a get."""
    kind = kinds.kind_of(resource)
    api_version, name, namespaced = kinds.KINDS[kind]
    group = api_version.rpartition("/")[0]
    base = re.escape(_base(api_version))
    tail = "" if verb == "list" else "/(?<object>[^/]+)"
    places = [(f"^{base}/{name}{tail}$", "at the cluster scope")]
    if namespaced:
        places.append((f"^{base}/namespaces/(?<ns>[^/]+)/{name}{tail}$", 'in the namespace \\"$ns\\"'))
    out = []
    for pattern, scope in places:
        what = f'{name} \\"$object\\"' if verb == "get" else name
        message = f'{what} is forbidden: User \\"lab-admin\\" cannot {verb} resource \\"{name}\\" in API group \\"{group}\\" {scope}'
        body = json.dumps(status(403, "Forbidden", "@MESSAGE@", {"group": group, "kind": name})).replace("@MESSAGE@", message)
        out.append(f"        location ~ {pattern} {{ return 403 '{_quote(body)}'; }}")
    return "\n".join(out)


def _quote(text):
    """nginx takes a backslash in a quoted string for itself."""
    return text.replace("\\", "\\\\")


def start(lab):
    for name in ("run", "api"):
        (lab.directory / name).mkdir(exist_ok=True)
    path = lab.directory / "nginx.conf"
    path.write_text(_nginx_config(lab))
    argv = ["env", "TZ=UTC", "nginx", "-c", str(path), "-e", str(lab.directory / "logs/apiserver.log")]
    lab.state["apiserver"] = lab.places.daemon("cp", argv, lab.directory / "logs/apiserver.log").pid


def stop(lab):
    pid = lab.state.pop("apiserver", None)
    if pid:
        kill_group(pid)


def pause(lab):
    os.killpg(lab.state["apiserver"], signal.SIGSTOP)


def get(lab, path, place="admin", with_certificate=True, timeout=5):
    """(HTTP status, document) as seen from a place."""
    import ssl  # these two are a third of the lab's start-up time, and few words need them
    import urllib.request
    context = ssl.create_default_context(cafile=str(lab.directory / "pki/ca.pem"))
    if with_certificate:
        context.load_cert_chain(lab.directory / "pki/client.pem", lab.directory / "pki/client.key")
    request = urllib.request.Request(f"https://{config.API_ADDRESS}:{config.API_PORT}{path}")
    with lab.places.network(place):
        try:
            with urllib.request.urlopen(request, context=context, timeout=timeout) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def wait_until_serving(lab, seconds=5.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_alive(lab.state["apiserver"]):
            break
        try:
            get(lab, "/version")
            return
        except OSError:
            time.sleep(0.01)  # the pause between two looks at the condition
    raise LabError("the API does not serve: " + (lab.directory / "logs/apiserver.log").read_text()[-500:])


def set_denied(lab, denied):
    """Changes what is refused, and returns when nginx answers accordingly."""
    lab.denied[:] = denied
    stop(lab)
    start(lab)
    wait_until_serving(lab)
