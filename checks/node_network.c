/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node_network: a node's own interfaces against its Node object: does it still
 * have the address it is known by, is the uplink up, does the pod bridge have
 * the gateway address of the pod CIDR?
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "node", PW_TYPE_NODE, 1, NULL, NULL, "The node that is looked at" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "Uplink, node address and pod bridge are as the Node object says.", NULL, NULL },
	{ "uplink-down", PW_CLASS_FAIL, "The interface with the node's address has no carrier or is down.", "cable, switch port, or hypervisor", "look at the link" },
	{ "address-changed", PW_CLASS_FAIL, "No interface has the InternalIP of the Node object.", "another DHCP lease, or a hand-made change", "give the node its address back, or register it again" },
	{ "bridge-down", PW_CLASS_FAIL, "The pod bridge is down.", NULL, "set it up" },
	{ "bridge-no-address", PW_CLASS_FAIL, "The pod bridge has no address: pods have no gateway.", "removed by hand or by a network manager", "restore it, or delete the bridge so that the plugin makes it again" },
	{ "bridge-wrong-address", PW_CLASS_FAIL, "The pod bridge has an address outside the node's pod CIDR.", "left from an older subnet", "delete the bridge so that the plugin makes it again" },
	{ "no-default-route", PW_CLASS_WARN, "The node has no default route: what is outside cannot be reached.", NULL, "restore the route" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "uplink", PW_TYPE_STR, NULL, "Interface with the node's address, empty if none" },
	{ "internal_ip", PW_TYPE_STR, NULL, "InternalIP of the Node object" },
	{ "addresses", PW_TYPE_STR, NULL, "Addresses of the node's physical interfaces" },
	{ "bridge", PW_TYPE_STR, NULL, "Pod bridge, empty if the CNI uses none" },
	{ "bridge_address", PW_TYPE_STR, NULL, "Its address" },
	{ "bridge_mac", PW_TYPE_STR, NULL, "Its MAC" },
	{ "gateway", PW_TYPE_ADDRESS, NULL, "The address by which pods of this node reach it, empty if it has no bridge" },
	{ "pod_cidr", PW_TYPE_STR, NULL, "Pod CIDR of the Node object" },
	{ "uplink_mtu", PW_TYPE_INT, "bytes", "MTU of the uplink" },
	{ "uplink_mac", PW_TYPE_STR, NULL, "MAC of the uplink" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	int rc = pw_read_links(ctx, observation, err);
	return rc ? rc : pw_read_routes(ctx, AF_INET, observation, err);
}

static const struct pw_val *link_with_address(const struct pw_val *links, const char *ip)
{
	for (size_t i = 0; i < pw_val_count(links); i++)
		if (pw_link_has_address(pw_val_at(links, i), ip))
			return pw_val_at(links, i);
	return NULL;
}

/* The bridge with pods on it: known names of bridge plugins, else none. */
static const struct pw_val *pod_bridge(const struct pw_val *links)
{
	static const char *const names[] = { "cni0", "cbr0", "kube-bridge", "weave" };
	const struct pw_val *bridge = NULL;
	for (size_t n = 0; !bridge && n < sizeof names / sizeof *names; n++)
		bridge = pw_seq_find(links, "name", names[n]);
	return bridge;
}

/* The first address of a family, link-local IPv6 ones aside: every interface makes itself one. */
static const char *first_address(const struct pw_val *link, bool six)
{
	const struct pw_val *list = pw_map_get(link, "addresses");
	for (size_t i = 0; i < pw_val_count(list); i++) {
		const char *text = pw_val_text(pw_val_at(list, i));
		if (text && (strchr(text, ':') != NULL) == six && strncasecmp(text, "fe80:", 5) != 0)
			return text;
	}
	return "";
}

static const char *bridge_address(const struct pw_node *node, const struct pw_val *bridge)
{
	return first_address(bridge, strchr(node->internal_ip, ':') != NULL);
}

static void physical_addresses(const struct pw_val *links, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < pw_val_count(links) && used < size; i++) {
		const struct pw_val *link = pw_val_at(links, i);
		const char *name = pw_map_str(link, "name", ""), *ip = first_address(link, false);
		if (*ip && strcmp(name, "lo") && strcmp(pw_map_str(link, "kind", ""), "bridge") && strcmp(pw_map_str(link, "kind", ""), "vxlan"))
			used += (size_t)snprintf(out + used, size - used, "%s%s on %s", used ? ", " : "", ip, name);
	}
}

static void conclude(const struct pw_node *node, const struct pw_val *uplink, const struct pw_val *bridge, bool dflt, const char *addresses, struct pw_result *result)
{
	const char *name = node->meta.name, *cidr = node->pod_cidrs.n ? node->pod_cidrs.v[0] : "", *at = bridge_address(node, bridge);
	const char *dev = pw_map_str(uplink, "name", ""), *br = pw_map_str(bridge, "name", "");
	if (!uplink)
		pw_result_set(result, "address-changed", "%s is known as %s, but has %s.", name, node->internal_ip, *addresses ? addresses : "no address");
	else if (!pw_map_bool(uplink, "up", false) || !pw_map_bool(uplink, "carrier", true))
		pw_result_set(result, "uplink-down", "%s of %s is %s.", dev, name, pw_map_bool(uplink, "up", false) ? "without carrier" : "down");
	else if (bridge && !pw_map_bool(bridge, "up", false))
		pw_result_set(result, "bridge-down", "%s of %s is down.", br, name);
	else if (bridge && !*at)
		pw_result_set(result, "bridge-no-address", "%s of %s has no address, so its pods have no gateway.", br, name);
	else if (bridge && !strchr(at, ':') && pw_address_in_cidr(at, cidr) == 0)
		pw_result_set(result, "bridge-wrong-address", "%s of %s has %s, outside its pod CIDR %s.", br, name, at, cidr);
	else if (!dflt)
		pw_result_set(result, "no-default-route", "%s has no default route.", name);
	else
		pw_result_set(result, "ok", "%s has %s on %s%s%s.", name, node->internal_ip, dev, bridge ? ", pods behind " : "", br);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_NODES, result))
		return PW_OK;
	const struct pw_node *node = pw_facts_node(facts, pw_ctx_str(ctx, "node"));
	if (!node) {
		pw_result_unknown(result, "there is no node %s", pw_ctx_str(ctx, "node"));
		return PW_OK;
	}
	if (!*node->internal_ip) {
		pw_result_unknown(result, "the Node object of %s has no InternalIP to compare with", node->meta.name);
		return PW_OK;
	}
	const struct pw_val *links = pw_map_get(observation, "links");
	const struct pw_val *uplink = link_with_address(links, node->internal_ip), *bridge = pod_bridge(links);
	char addresses[512];
	physical_addresses(links, addresses, sizeof addresses);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "uplink", pw_map_str(uplink, "name", ""));
	pw_map_set_str(ev, "internal_ip", node->internal_ip);
	pw_map_set_str(ev, "addresses", addresses);
	pw_map_set_str(ev, "bridge", pw_map_str(bridge, "name", ""));
	pw_map_set_str(ev, "bridge_address", bridge_address(node, bridge));
	pw_map_set_strf(ev, "gateway", "%.*s", (int)strcspn(bridge_address(node, bridge), "/"), bridge_address(node, bridge));
	pw_map_set_str(ev, "bridge_mac", pw_map_str(bridge, "mac", ""));
	pw_map_set_str(ev, "pod_cidr", node->pod_cidrs.n ? node->pod_cidrs.v[0] : "");
	pw_map_set_int(ev, "uplink_mtu", pw_map_int(uplink, "mtu", 0));
	pw_map_set_str(ev, "uplink_mac", pw_map_str(uplink, "mac", ""));
	/* Only IPv4 routes are read: an IPv6 node needs none of them. */
	bool dflt = strchr(node->internal_ip, ':') || pw_seq_find(pw_map_get(observation, "routes"), "dst", "default");
	conclude(node, uplink, bridge, dflt, addresses, result);
	return PW_OK;
}

const struct pw_check pw_check_node_network = {
	PW_CHECK_HEAD("node_network"),
	.summary = "Compare a node's interfaces with its Node object",
	.details = "Uplink state, the node's address, and the address of the pod bridge.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_NODES,
	.timeout_ms = 3000,
	.example = "check node_network node=n1 --at node:n1",
	.probe = probe,
	.judge = judge,
};
