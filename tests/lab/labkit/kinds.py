"""Kubernetes kinds: where the API serves them, and the fields an API server would fill in."""

import copy
import hashlib

# kind: (apiVersion, plural, namespaced)
KINDS = {
    "Namespace": ("v1", "namespaces", False),
    "Node": ("v1", "nodes", False),
    "Pod": ("v1", "pods", True),
    "Service": ("v1", "services", True),
    "Endpoints": ("v1", "endpoints", True),
    "ConfigMap": ("v1", "configmaps", True),
    "Secret": ("v1", "secrets", True),
    "ServiceAccount": ("v1", "serviceaccounts", True),
    "Event": ("v1", "events", True),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims", True),
    "EndpointSlice": ("discovery.k8s.io/v1", "endpointslices", True),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies", True),
    "Ingress": ("networking.k8s.io/v1", "ingresses", True),
    "IngressClass": ("networking.k8s.io/v1", "ingressclasses", False),
    "ServiceCIDR": ("networking.k8s.io/v1", "servicecidrs", False),
    "Deployment": ("apps/v1", "deployments", True),
    "DaemonSet": ("apps/v1", "daemonsets", True),
    "ReplicaSet": ("apps/v1", "replicasets", True),
    "StatefulSet": ("apps/v1", "statefulsets", True),
    "Job": ("batch/v1", "jobs", True),
    "CronJob": ("batch/v1", "cronjobs", True),
    "Lease": ("coordination.k8s.io/v1", "leases", True),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", "customresourcedefinitions", False),
    "APIService": ("apiregistration.k8s.io/v1", "apiservices", False),
    "ValidatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", False),
    "MutatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", False),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", "clusterroles", False),
    "ClusterRoleBinding": ("rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "Role": ("rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rolebindings", True),
    "GatewayClass": ("gateway.networking.k8s.io/v1", "gatewayclasses", False),
}


def plural(kind):
    """The resource name of a kind; for kinds the lab has never heard of (custom resources), by the usual rule."""
    if kind in KINDS:
        return KINDS[kind][1]
    word = kind.lower()
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def is_namespaced(kind):
    return KINDS[kind][2] if kind in KINDS else True


def kind_of(word):
    """"pod", "pods", "Pod", "netpol", "svc" → Pod, … as kubectl takes them; None when unknown."""
    short = {"po": "Pod", "svc": "Service", "deploy": "Deployment", "ds": "DaemonSet", "rs": "ReplicaSet", "cm": "ConfigMap",
             "ns": "Namespace", "no": "Node", "netpol": "NetworkPolicy", "ing": "Ingress", "ep": "Endpoints", "ev": "Event",
             "sa": "ServiceAccount", "crd": "CustomResourceDefinition"}
    lower = word.lower()
    if lower in short:
        return short[lower]
    return next((kind for kind, (_, name, _) in KINDS.items() if lower in (kind.lower(), name)), None)


def short_hash(value, length=10):
    return hashlib.sha256(value.encode()).hexdigest()[:length]


def _probe(probe):
    filled = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3, **probe}
    if "httpGet" in filled:
        filled["httpGet"] = {"path": "/", "scheme": "HTTP", **filled["httpGet"]}
    return filled


def _container(container):
    filled = {"imagePullPolicy": "IfNotPresent", "resources": {}, "terminationMessagePath": "/dev/termination-log",
              "terminationMessagePolicy": "File", **container}
    if "ports" in filled:
        filled["ports"] = [{"protocol": "TCP", **port} for port in filled["ports"]]
    for name in ("readinessProbe", "livenessProbe", "startupProbe"):
        if name in filled:
            filled[name] = _probe(filled[name])
    return filled


def pod_spec(spec):
    filled = {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
              "serviceAccountName": "default", "serviceAccount": "default", "securityContext": {},
              "schedulerName": "default-scheduler", "enableServiceLinks": True, **spec}
    filled["containers"] = [_container(c) for c in filled.get("containers", [])]
    return filled


def _service_spec(spec):
    filled = {"type": "ClusterIP", "sessionAffinity": "None", **spec}
    if filled["type"] == "ExternalName":
        return filled
    filled.setdefault("internalTrafficPolicy", "Cluster")
    filled.setdefault("ipFamilies", ["IPv4"])
    filled.setdefault("ipFamilyPolicy", "SingleStack")
    if filled["sessionAffinity"] == "ClientIP":
        filled.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}})
    if filled["type"] in ("NodePort", "LoadBalancer"):
        filled.setdefault("externalTrafficPolicy", "Cluster")
    if filled["type"] == "LoadBalancer":
        filled.setdefault("allocateLoadBalancerNodePorts", True)
    if "ports" in filled:
        filled["ports"] = [{"protocol": "TCP", "targetPort": port.get("port"), **port} for port in filled["ports"]]
    return filled


def _policy_spec(spec):
    filled = {"podSelector": {}, **spec}
    if "policyTypes" not in filled:
        filled["policyTypes"] = ["Ingress"] + (["Egress"] if filled.get("egress") else [])
    for rule in (filled.get("ingress") or []) + (filled.get("egress") or []):
        for port in rule.get("ports") or []:
            port.setdefault("protocol", "TCP")
    return filled


def _workload_spec(spec):
    filled = {"replicas": 1, **spec}
    template = filled["template"]
    filled["template"] = {"metadata": {"creationTimestamp": None, **template.get("metadata", {})},
                          "spec": pod_spec(template["spec"])}
    return filled


def defaulted(obj):
    """A copy of an object with the fields an API server fills in before it stores it."""
    out = copy.deepcopy(obj)
    kind = out["kind"]
    spec = out.get("spec")
    if kind == "Pod":
        out["spec"] = pod_spec(spec)
    elif kind == "Service":
        out["spec"] = _service_spec(spec)
        out.setdefault("status", {"loadBalancer": {}})
    elif kind == "NetworkPolicy":
        out["spec"] = _policy_spec(spec or {})
    elif kind in ("Deployment", "ReplicaSet", "StatefulSet"):
        out["spec"] = _workload_spec(spec)
    elif kind == "DaemonSet":
        out["spec"] = _workload_spec(spec)
        del out["spec"]["replicas"]
    elif kind == "Namespace":
        labels = out["metadata"].setdefault("labels", {})
        labels.setdefault("kubernetes.io/metadata.name", out["metadata"]["name"])
        out.setdefault("spec", {"finalizers": ["kubernetes"]})
        out.setdefault("status", {"phase": "Active"})
    return out


def matches(selector, labels):
    """A LabelSelector against labels; an empty selector matches everything."""
    labels = labels or {}
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions") or []:
        key, operator, values = term["key"], term["operator"], term.get("values") or []
        holds = {"In": labels.get(key) in values, "NotIn": labels.get(key) not in values,
                 "Exists": key in labels, "DoesNotExist": key not in labels}[operator]
        if not holds:
            return False
    return True
