/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * overlay_state: a node's VXLAN device and its entries for one peer, against
 * what the peer's Node object announces (flannel writes VtepMAC and public-ip
 * into annotations; facts: flannel backend-data).
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "node", PW_TYPE_NODE, 1, NULL, NULL, "The node that is looked at" },
	{ "peer", PW_TYPE_NODE, 1, NULL, NULL, "The node at the other end" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "Device, neighbour and forwarding entry agree with what the peer announces.", NULL, NULL },
	{ "no-overlay", PW_CLASS_OK, "The cluster routes pods without an overlay device here.", NULL, NULL },
	{ "device-missing", PW_CLASS_FAIL, "The cluster uses an overlay, and this node has no such device.", "the CNI agent did not start, or the device was deleted", "restart the CNI agent" },
	{ "device-down", PW_CLASS_FAIL, "The overlay device is down.", NULL, "set it up, or restart the CNI agent" },
	{ "address-shared", PW_CLASS_FAIL, "Nodes announce the same tunnel address, or one that is not the node's own.", "the agent picked the wrong interface", "tell the agent the interface" },
	{ "address-other", PW_CLASS_WARN, "A node announces a tunnel address of its own that is not its InternalIP: right where the agent was told so, and the other node reaches it.", "a second network for pods, or the wrong interface", "see whether the other node reaches that address" },
	{ "mac-changed", PW_CLASS_FAIL, "The device's MAC differs from the one the node announces: peers address a MAC that is gone.", "the device was made again", "restart the CNI agent on this node" },
	{ "neighbour-missing", PW_CLASS_FAIL, "No neighbour entry for the peer's tunnel endpoint.", "the agent has not learned of the peer", "restart the CNI agent on this node" },
	{ "neighbour-stale", PW_CLASS_FAIL, "The neighbour entry holds another MAC than the peer announces.", "the peer's device was made again", "restart the CNI agent on this node" },
	{ "fdb-missing", PW_CLASS_FAIL, "No forwarding entry for the peer's tunnel MAC.", "the agent has not learned of the peer", "restart the CNI agent on this node" },
	{ "fdb-wrong", PW_CLASS_FAIL, "The forwarding entry sends the peer's frames to another address than the peer's.", "the peer's address changed", "restart the CNI agent on this node" },
	{ "peer-unknown", PW_CLASS_FAIL, "Route, neighbour and forwarding entry for the peer are all missing.", "the CNI agent of this node is not running, or joined before the peer", "restart the CNI agent on this node" },
	{ "mtu-too-large", PW_CLASS_WARN, "The overlay device's MTU plus its header exceeds the MTU of the uplink.", "a wrong MTU in the CNI configuration", "set it to the uplink's MTU minus 50" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "device", PW_TYPE_STR, NULL, "Overlay device, empty if none" },
	{ "mtu", PW_TYPE_INT, "bytes", "Its MTU" },
	{ "uplink_mtu", PW_TYPE_INT, "bytes", "MTU of the device below it, 0 if unknown" },
	{ "expected_mac", PW_TYPE_STR, NULL, "MAC the peer announces" },
	{ "seen_mac", PW_TYPE_STR, NULL, "MAC in the neighbour entry" },
	{ "expected_remote", PW_TYPE_ADDRESS, NULL, "Tunnel address the peer announces" },
	{ "seen_remote", PW_TYPE_STR, NULL, "Address in the forwarding entry" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* VXLAN over IPv4: 20 IP + 8 UDP + 8 VXLAN + 14 Ethernet (RFC 7348 4.3). */
#define VXLAN_OVERHEAD 50

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	int rc = pw_read_links(ctx, observation, err);
	if (!rc)
		rc = pw_read_neighbours(ctx, observation, err);
	if (!rc)
		rc = pw_read_fdb(ctx, observation, err);
	return rc;
}

/* flannel: {"VNI":1,"VtepMAC":"aa:bb:.."} */
static void announced_mac(const struct pw_node *node, char out[18])
{
	const char *data = pw_labels_get(&node->meta.annotations, "flannel.alpha.coreos.com/backend-data");
	const char *at = data ? strstr(data, "\"VtepMAC\":\"") : NULL;
	out[0] = '\0';
	if (at && strlen(at) >= strlen("\"VtepMAC\":\"") + 17) {
		memcpy(out, at + strlen("\"VtepMAC\":\""), 17);
		out[17] = '\0';
	}
}

static const char *announced_address(const struct pw_node *node)
{
	const char *ip = pw_labels_get(&node->meta.annotations, "flannel.alpha.coreos.com/public-ip");
	return ip ? ip : "";
}

/* flannel's own if the node announces one: others (of Docker, of another CNI) may be there besides. */
static const struct pw_val *find_vxlan(const struct pw_val *observation, bool announced)
{
	const struct pw_val *links = pw_map_get(observation, "links"), *any = NULL;
	for (size_t i = 0; i < pw_val_count(links); i++) {
		const struct pw_val *link = pw_val_at(links, i);
		if (strcmp(pw_map_str(link, "kind", ""), "vxlan") != 0)
			continue;
		if (announced && !strncmp(pw_map_str(link, "name", ""), "flannel", strlen("flannel")))
			return link;
		any = any ? any : link;
	}
	return any;
}

/* flannel gives the peer's tunnel endpoint the first address of its pod CIDR. */
static void vtep_address(const struct pw_node *peer, char out[64])
{
	const char *cidr = peer->pod_cidrs.n ? peer->pod_cidrs.v[0] : "";
	(void)snprintf(out, 64, "%.*s", (int)strcspn(cidr, "/"), cidr);
}

static const struct pw_val *find_entry(const struct pw_val *list, const char *dev, const char *key, const char *value)
{
	for (size_t i = 0; i < pw_val_count(list); i++) {
		const struct pw_val *e = pw_val_at(list, i);
		if (!strcmp(pw_map_str(e, "dev", ""), dev) && !strcasecmp(pw_map_str(e, key, ""), value))
			return e;
	}
	return NULL;
}

/* The kernel's own fruitless attempt (failed, incomplete) leaves an entry without a MAC: nobody told it one. */
static const struct pw_val *find_neighbour(const struct pw_val *list, const char *dev, const char *address)
{
	const struct pw_val *entry = find_entry(list, dev, "address", address);
	return *pw_map_str(entry, "mac", "") ? entry : NULL;
}

static bool announces_overlay(const struct pw_node *node)
{
	const char *type = pw_labels_get(&node->meta.annotations, "flannel.alpha.coreos.com/backend-type");
	return type && !strcmp(type, "vxlan");
}

static bool address_shared(const struct pw_facts *facts, const struct pw_node *node)
{
	size_t n;
	const struct pw_node *const *all = pw_facts_nodes(facts, &n);
	const char *own = announced_address(node);
	for (size_t i = 0; *own && i < n; i++)
		if (all[i] != node && !strcmp(announced_address(all[i]), own))
			return true;
	return false;
}

static bool announces_other(const struct pw_node *node)
{
	const char *own = announced_address(node);
	return *own && *node->internal_ip && strcmp(own, node->internal_ip) != 0;
}

static bool has_address(const struct pw_val *links, const char *address)
{
	for (size_t i = 0; i < pw_val_count(links); i++)
		if (pw_link_has_address(pw_val_at(links, i), address))
			return true;
	return false;
}

struct view { const struct pw_node *node, *peer; const struct pw_val *links, *device, *neighbour, *fdb; char mac[18], own_mac[18], vtep[64]; };

static void conclude(const struct pw_facts *facts, const struct view *v, long long uplink_mtu, struct pw_result *result)
{
	const char *node = v->node->meta.name, *peer = v->peer->meta.name, *dev = pw_map_str(v->device, "name", "");
	const char *mac = pw_map_str(v->neighbour, "mac", ""), *dst = pw_map_str(v->fdb, "dst", ""), *want = announced_address(v->peer);
	bool mac_known = *v->mac;
	if (!v->device && !announces_overlay(v->node))
		pw_result_set(result, "no-overlay", "%s has no overlay device and announces none.", node);
	else if (!v->device)
		pw_result_set(result, "device-missing", "%s announces an overlay and has no such device.", node);
	else if (!pw_map_bool(v->device, "up", false) && !announces_overlay(v->node))
		pw_result_unknown(result, "%s has %s, which is down, and announces no overlay: whose it is cannot be told", node, dev);
	else if (!pw_map_bool(v->device, "up", false))
		pw_result_set(result, "device-down", "%s on %s is down.", dev, node);
	else if (address_shared(facts, v->node) || address_shared(facts, v->peer) || (announces_other(v->node) && !has_address(v->links, announced_address(v->node))))
		pw_result_set(result, "address-shared", "%s announces the tunnel address %s and %s announces %s; their own are %s and %s.", node,
			      announced_address(v->node), peer, want, v->node->internal_ip, v->peer->internal_ip);
	else if (*v->own_mac && strcasecmp(v->own_mac, pw_map_str(v->device, "mac", "")))
		pw_result_set(result, "mac-changed", "%s on %s has MAC %s, but the node announces %s.", dev, node, pw_map_str(v->device, "mac", ""), v->own_mac);
	else if (!mac_known)
		pw_result_unknown(result, "%s announces no tunnel MAC, so the entries on %s cannot be compared", peer, node);
	else if (!v->neighbour && !v->fdb)
		pw_result_set(result, "peer-unknown", "%s has neither a neighbour nor a forwarding entry for %s.", node, peer);
	else if (!v->neighbour)
		pw_result_set(result, "neighbour-missing", "%s has no neighbour entry for %s, the tunnel endpoint of %s.", node, v->vtep, peer);
	else if (strcasecmp(mac, v->mac))
		pw_result_set(result, "neighbour-stale", "%s holds MAC %s for %s, which announces %s.", node, mac, peer, v->mac);
	else if (!v->fdb)
		pw_result_set(result, "fdb-missing", "%s has no forwarding entry for %s, the tunnel MAC of %s.", node, v->mac, peer);
	else if (*want && strcmp(dst, want))
		pw_result_set(result, "fdb-wrong", "%s sends frames for %s to %s, but %s is at %s.", node, v->mac, dst, peer, want);
	else if (announces_other(v->peer))
		pw_result_set(result, "address-other", "%s sends the tunnel packets for %s to %s, which is not its InternalIP %s.", node, peer, want, v->peer->internal_ip);
	else if (uplink_mtu > 0 && pw_map_int(v->device, "mtu", 0) > uplink_mtu - VXLAN_OVERHEAD)
		pw_result_set(result, "mtu-too-large", "%s on %s has MTU %lld, and its uplink only %lld.", dev, node, pw_map_int(v->device, "mtu", 0), uplink_mtu);
	else
		pw_result_set(result, "ok", "%s on %s knows %s at %s.", dev, node, peer, want);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_NODES, result))
		return PW_OK;
	struct view v = { .node = pw_facts_node(facts, pw_ctx_str(ctx, "node")), .peer = pw_facts_node(facts, pw_ctx_str(ctx, "peer")) };
	if (!v.node || !v.peer) {
		pw_result_unknown(result, "the Node objects of both ends are needed");
		return PW_OK;
	}
	v.links = pw_map_get(observation, "links");
	v.device = find_vxlan(observation, announces_overlay(v.node));
	const char *dev = pw_map_str(v.device, "name", "");
	announced_mac(v.peer, v.mac);
	announced_mac(v.node, v.own_mac);
	vtep_address(v.peer, v.vtep);
	v.neighbour = find_neighbour(pw_map_get(observation, "neighbours"), dev, v.vtep);
	v.fdb = find_entry(pw_map_get(observation, "fdb"), dev, "mac", v.mac);
	const char *below = pw_map_str(pw_map_get(v.device, "vxlan"), "dev", "");
	long long uplink = pw_map_int(pw_seq_find(pw_map_get(observation, "links"), "name", below), "mtu", 0);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "device", dev);
	pw_map_set_int(ev, "mtu", pw_map_int(v.device, "mtu", 0));
	pw_map_set_int(ev, "uplink_mtu", uplink);
	pw_map_set_str(ev, "expected_mac", v.mac);
	pw_map_set_str(ev, "seen_mac", pw_map_str(v.neighbour, "mac", ""));
	pw_map_set_str(ev, "expected_remote", announced_address(v.peer));
	pw_map_set_str(ev, "seen_remote", pw_map_str(v.fdb, "dst", ""));
	conclude(facts, &v, uplink, result);
	return PW_OK;
}

const struct pw_check pw_check_overlay_state = {
	PW_CHECK_HEAD("overlay_state"),
	.summary = "Compare a node's VXLAN device and its entries for a peer with what the peer announces",
	.details = "Neighbour entry, forwarding entry, device state, MTU; flannel's annotations are the reference.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_NODES,
	.timeout_ms = 3000,
	.example = "check overlay_state node=n1 peer=n2 --at node:n1",
	.probe = probe,
	.judge = judge,
};
