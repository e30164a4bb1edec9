/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bridge_state: the host end of a pod's interface and its bridge port.
 */
#include <stdlib.h>
#include <string.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "pod", PW_TYPE_POD, 1, NULL, NULL, "The pod whose host end is looked at" },
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Its address" },
	{ "index", PW_TYPE_STR, 0, NULL, NULL, "Index of the host end of its interface, as seen in the pod; without one it is found by what the bridge learned" },
	{ "ask", PW_TYPE_CHOICE, 0, "port", "port|hairpin", "Whether frames between ports matter, or frames back to the own port" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "The host end is up, in its bridge, and forwarding.", NULL, NULL },
	{ "not-found", PW_CLASS_UNKNOWN, "Which interface of the node belongs to the pod cannot be told.", NULL, NULL },
	{ "down", PW_CLASS_FAIL, "The host end of the pod's interface is down.", NULL, "recreate the pod" },
	{ "not-in-bridge", PW_CLASS_FAIL, "The host end is in no bridge, while those of other pods are.", "removed by hand or by a network manager", "recreate the pod" },
	{ "isolated", PW_CLASS_FAIL, "The bridge port is isolated: it exchanges no frames with other isolated ports.", "an isolation option", "clear the flag" },
	{ "not-forwarding", PW_CLASS_FAIL, "The bridge port is not in forwarding state.", "spanning tree", "look at the bridge" },
	{ "hairpin-off", PW_CLASS_FAIL, "The bridge port does not send frames back out of itself: a pod cannot reach itself through its Service.", "hairpinMode off in the CNI configuration", "turn hairpin mode on" },
	{ "shaped", PW_CLASS_WARN, "A shaper sits on the host end.", "a bandwidth annotation, or a left-over", "look at its rate" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "port", PW_TYPE_STR, NULL, "Host end of the pod's interface, empty if not found" },
	{ "bridge", PW_TYPE_STR, NULL, "Bridge it belongs to, empty if none" },
	{ "isolated", PW_TYPE_BOOL, NULL, "Port isolation" },
	{ "hairpin", PW_TYPE_BOOL, NULL, "Hairpin mode" },
	{ "qdisc", PW_TYPE_STR, NULL, "Queueing discipline" },
	{ "mtu", PW_TYPE_INT, "bytes", "MTU of the host end" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	int rc = pw_read_links(ctx, observation, err);
	if (!rc)
		rc = pw_read_neighbours(ctx, observation, err);
	if (!rc)
		rc = pw_read_fdb(ctx, observation, err);
	return rc;
}

static bool is_veth(const struct pw_val *link)
{
	return !strcmp(pw_map_str(link, "kind", ""), "veth");
}

/* The host end of a bridged pod has no address of its own; an uplink has the node's, and may be a veth where the node is a
 * container or a namespace itself. */
static bool has_address(const struct pw_val *link)
{
	const struct pw_val *addresses = pw_map_get(link, "addresses");
	for (size_t i = 0; i < pw_val_count(addresses); i++) {
		const char *text = pw_val_text(pw_val_at(addresses, i));
		if (text && strncmp(text, "fe80:", strlen("fe80:")) != 0)
			return true;
	}
	return false;
}

static bool others_bridged(const struct pw_val *links)
{
	for (size_t i = 0; i < pw_val_count(links); i++)
		if (is_veth(pw_val_at(links, i)) && *pw_map_str(pw_val_at(links, i), "master", ""))
			return true;
	return false;
}

/* A bridge forgets what it learned on a port that goes down or leaves, and learns nothing on one nobody can ask. So when
 * nobody knows the MAC: an isolated port, or the only veth that is down or in no bridge, is the suspect. */
static const struct pw_val *suspect(const struct pw_val *links)
{
	const struct pw_val *found = NULL;
	bool bridged = others_bridged(links);
	size_t n = 0;
	for (size_t i = 0; i < pw_val_count(links); i++) {
		const struct pw_val *link = pw_val_at(links, i);
		if (!is_veth(link) || has_address(link))
			continue;
		if (pw_map_bool(pw_map_get(link, "bridge_port"), "isolated", false))
			return link;
		if (bridged && (!pw_map_bool(link, "up", false) || !*pw_map_str(link, "master", ""))) {
			found = link;
			n++;
		}
	}
	return n == 1 ? found : NULL;
}

/* An index counts per namespace: it may be another interface's where the host end is in neither's. */
static const struct pw_val *by_index(const struct pw_val *links, const char *index)
{
	long long wanted = index && *index ? strtoll(index, NULL, 10) : 0;
	for (size_t i = 0; wanted > 0 && i < pw_val_count(links); i++)
		if (pw_map_int(pw_val_at(links, i), "index", 0) == wanted && is_veth(pw_val_at(links, i)))
			return pw_val_at(links, i);
	return NULL;
}

/* The bridge in whose subnet the pod is: there its gateway is. */
static const char *bridge_of(const struct pw_val *links, const char *address)
{
	for (size_t i = 0; i < pw_val_count(links); i++) {
		const struct pw_val *link = pw_val_at(links, i), *own = pw_map_get(link, "addresses");
		for (size_t k = 0; !strcmp(pw_map_str(link, "kind", ""), "bridge") && k < pw_val_count(own); k++)
			if (pw_address_in_cidr(address, pw_val_text(pw_val_at(own, k))) == 1)
				return pw_map_str(link, "name", "");
	}
	return "";
}

/* BR_STATE_FORWARDING, linux/if_bridge.h */
#define FORWARDING 3

/* `whose` says how sure it is that the port is the pod's. */
static void conclude(const char *ref, const char *ask, const struct pw_val *port, const char *whose, const char *home, bool bridged, struct pw_result *result)
{
	const char *master = pw_map_str(port, "master", "");
	const struct pw_val *flags = pw_map_get(port, "bridge_port");
	const char *name = pw_map_str(port, "name", ""), *qdisc = pw_map_str(port, "qdisc", "");
	if (!port)
		pw_result_set(result, "not-found", "The node knows no interface with the MAC of %s.", ref);
	else if (!pw_map_bool(port, "up", false))
		pw_result_set(result, "down", "%s, %s %s, is down.", name, whose, ref);
	else if (!*master && (bridged || *home))
		pw_result_set(result, "not-in-bridge", "%s, %s %s, is in no bridge.", name, whose, ref);
	else if (*home && strcmp(master, home) != 0)
		pw_result_set(result, "not-in-bridge", "%s, %s %s, is in the bridge %s, and its gateway is on %s.", name, whose, ref, master, home);
	else if (pw_map_bool(flags, "isolated", false))
		pw_result_set(result, "isolated", "%s, %s %s, is an isolated bridge port.", name, whose, ref);
	else if (flags && pw_map_int(flags, "state", FORWARDING) != FORWARDING)
		pw_result_set(result, "not-forwarding", "%s, the port of %s, is not forwarding.", name, ref);
	else if (!strcmp(ask, "hairpin") && flags && !pw_map_bool(flags, "hairpin", false))
		pw_result_set(result, "hairpin-off", "%s, the port of %s, does not send frames back to it (hairpin mode is off).", name, ref);
	else if (!strcmp(qdisc, "tbf") || !strcmp(qdisc, "htb"))
		pw_result_set(result, "shaped", "%s, the host end of %s, has a %s shaper.", name, ref, qdisc);
	else
		pw_result_set(result, "ok", "%s, the host end of %s, is up and forwarding.", name, ref);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *links = pw_map_get(observation, "links");
	/* A pod on the host network has no host end: the uplink is nobody's port. */
	const struct pw_pod *pod = pw_facts_pod_ref(pw_ctx_facts(ctx), pw_ctx_str(ctx, "pod"));
	bool on_host = pod && pod->host_network;
	const struct pw_val *port = on_host ? NULL : by_index(links, pw_ctx_str(ctx, "index"));
	/* That others are bridged says nothing of a port known by its index: a node may hold containers besides its pods. */
	bool bridged = !port && others_bridged(links);
	if (!port && !on_host)
		port = pw_port_of(observation, pw_ctx_str(ctx, "address"));
	const char *whose = port ? "the host end of" : "most likely the host end of";
	if (!port && !on_host)
		port = suspect(links);
	const struct pw_val *flags = pw_map_get(port, "bridge_port");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "port", pw_map_str(port, "name", ""));
	pw_map_set_str(ev, "bridge", pw_map_str(port, "master", ""));
	pw_map_set_bool(ev, "isolated", pw_map_bool(flags, "isolated", false));
	pw_map_set_bool(ev, "hairpin", pw_map_bool(flags, "hairpin", false));
	pw_map_set_str(ev, "qdisc", pw_map_str(port, "qdisc", ""));
	pw_map_set_int(ev, "mtu", pw_map_int(port, "mtu", 0));
	conclude(pw_ctx_str(ctx, "pod"), pw_ctx_str(ctx, "ask"), port, whose, bridge_of(links, pw_ctx_str(ctx, "address")), bridged, result);
	return PW_OK;
}

const struct pw_check pw_check_bridge_state = {
	PW_CHECK_HEAD("bridge_state"),
	.summary = "Look at the host end of a pod's interface and its bridge port",
	.details = "Found by its index where the pod was seen, by the MAC the bridge learned, else by being the only one out of order; isolation, hairpin, state and shapers.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS,
	.timeout_ms = 3000,
	.example = "check bridge_state pod=shop/web address=10.244.1.5 --at node:n1",
	.probe = probe,
	.judge = judge,
};
