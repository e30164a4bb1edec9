/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layers, and the components that can be to blame in each. */
#include <play/components.h>

#include <string.h>

#define COUNT(names) (sizeof(names) / sizeof *(names))

static const char *const layer_words[] = {
	[PW_LAYER_INFRASTRUCTURE] = "infrastructure", [PW_LAYER_KUBERNETES] = "kubernetes", [PW_LAYER_CNI] = "cni",
	[PW_LAYER_THIRD_PARTY] = "third-party", [PW_LAYER_APPLICATION] = "application",
	[PW_LAYER_NONE] = "none", [PW_LAYER_UNKNOWN] = "unknown",
};

static const char *const infrastructure[] = {
	"arp", "azure-cni", "certificates", "cloud-fabric", "cloud-firewall", "cloud-metadata", "cloud-routes",
	"conntrack", "dhcp", "dns-upstream", "egress-firewall", "egress-proxy", "ipv6", "l2", "link",
	"link-quality", "load-balancer", "mtu", "nat-gateway", "node", "node-firewall", "offload", "ports",
	"routing", "time", "underlay-firewall",
};
static const char *const kubernetes[] = {
	"address-plan", "conntrack", "controller-manager", "coredns", "dual-stack", "endpoints", "headless",
	"ingress-object", "ingress-tls", "iptables-backend", "kube-proxy", "kube-proxy-ipvs", "kubelet",
	"kubelet-config", "networkpolicy-egress", "networkpolicy-ingress", "node-local-dns", "pod-spec", "probes",
	"resolver", "scheduling", "service-spec",
};
static const char *const cni[] = {
	"address-plan", "aws-cni", "bgp", "bridge", "calico-cni", "calico-felix", "cilium-agent", "cilium-bpf",
	"cilium-kpr", "cni-agent", "cni-binaries", "cni-config", "encryption", "forward-policy", "hairpin",
	"host-policy", "ipam", "mtu", "networkpolicy-engine", "node-address", "offload", "overlay", "ovs",
	"pod-netns", "portmap", "routes", "shaping", "snat", "sysctl",
};
static const char *const third_party[] = {
	"admission-webhook", "cert-manager", "external-dns", "federation", "gateway-api", "ingress-nginx",
	"konnectivity", "lb-controller", "mesh-authz", "mesh-control", "mesh-egress", "mesh-identity", "mesh-init",
	"mesh-listener", "mesh-mtls", "mesh-probes", "mesh-protocol", "mesh-resilience", "mesh-routing",
	"mesh-sidecar", "metallb", "multus", "submariner",
};
static const char *const application[] = {
	"app-acl", "app-balance", "app-bind", "app-http", "app-latency", "app-process", "app-protocol", "app-tls",
	"client-config", "client-dns-cache", "external-app", "host-daemon", "ingress-nginx", "resolver",
};

static const struct { const char *const *names; size_t n; } components[PW_LAYER_COUNT] = {
	[PW_LAYER_INFRASTRUCTURE] = { infrastructure, COUNT(infrastructure) },
	[PW_LAYER_KUBERNETES] = { kubernetes, COUNT(kubernetes) },
	[PW_LAYER_CNI] = { cni, COUNT(cni) },
	[PW_LAYER_THIRD_PARTY] = { third_party, COUNT(third_party) },
	[PW_LAYER_APPLICATION] = { application, COUNT(application) },
};

const char *pw_layer_word(enum pw_layer layer)
{
	return (size_t)layer < COUNT(layer_words) ? layer_words[layer] : "unknown";
}

bool pw_layer_parse(const char *word, enum pw_layer *ret)
{
	for (size_t i = 0; i < COUNT(layer_words); i++)
		if (!strcmp(layer_words[i], word)) {
			*ret = (enum pw_layer)i;
			return true;
		}
	return false;
}

size_t pw_layer_words(const char *const **ret)
{
	*ret = layer_words;
	return COUNT(layer_words);
}

size_t pw_components(enum pw_layer layer, const char *const **ret)
{
	if ((size_t)layer >= PW_LAYER_COUNT)
		return 0;
	*ret = components[layer].names;
	return components[layer].n;
}

bool pw_component_known(enum pw_layer layer, const char *name)
{
	const char *const *names = NULL;
	size_t n = pw_components(layer, &names);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}
