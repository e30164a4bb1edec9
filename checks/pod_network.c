/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pod_network: interface, address and routes inside a pod's network namespace,
 * against the Pod object.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "pod", PW_TYPE_POD, 1, NULL, NULL, "The pod that is looked at" },
	{ "to", PW_TYPE_ADDRESS, 0, NULL, NULL, "An address it should have a route for" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "The interface is up, has the pod's address, and routes lead through it.", NULL, NULL },
	{ "no-interface", PW_CLASS_FAIL, "The pod has no interface but the loopback one.", "the CNI plugin did not finish, or the interface was removed", "recreate the pod" },
	{ "link-down", PW_CLASS_FAIL, "The pod's interface is down, or its other end is.", "the CNI agent was restarted or the host end removed", "recreate the pod" },
	{ "address-missing", PW_CLASS_FAIL, "No interface has the address of the Pod object.", "the address was removed or given to another pod", "recreate the pod" },
	{ "no-default-route", PW_CLASS_FAIL, "The pod has no route to leave its subnet.", "a broken plugin chain, or the application changed it", "recreate the pod" },
	{ "other-interface", PW_CLASS_FAIL, "The route leads through another interface than the one with the pod's address.", "a second network took the default route", "remove its gateway, or add routes" },
	{ "no-route", PW_CLASS_FAIL, "The pod has no usable route for that address.", NULL, "look at the routes of the pod" },
	{ "shaped", PW_CLASS_WARN, "A shaper sits on the pod's interface.", "a bandwidth annotation, or a left-over", "look at its rate and drops" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "interface", PW_TYPE_STR, NULL, "Interface with the pod's address, empty if none" },
	{ "address", PW_TYPE_STR, NULL, "Address of the Pod object" },
	{ "mtu", PW_TYPE_INT, "bytes", "MTU of the interface" },
	{ "mac", PW_TYPE_STR, NULL, "MAC of the interface" },
	{ "gateway", PW_TYPE_STR, NULL, "Default gateway, empty if none" },
	{ "next_hop", PW_TYPE_STR, NULL, "Next hop of the route to the address asked about, empty if it is on-link" },
	{ "peer_index", PW_TYPE_STR, NULL, "Index of the other end of the interface, in the namespace of the node, empty if unknown" },
	{ "route_dev", PW_TYPE_STR, NULL, "Device the route to the address asked about uses" },
	{ "qdisc", PW_TYPE_STR, NULL, "Queueing discipline of the interface" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *to = pw_ctx_str(ctx, "to");
	int rc = pw_read_links(ctx, observation, err);
	if (!rc)
		rc = pw_read_routes(ctx, to && strchr(to, ':') ? AF_INET6 : AF_INET, observation, err);
	if (!rc && to)
		rc = pw_route_get(ctx, to, NULL, NULL, 0, pw_map_set_map(observation, "route"), err);
	return rc;
}

static bool is_loopback(const struct pw_val *link)
{
	return !strcmp(pw_map_str(link, "name", ""), "lo");
}

struct view { const struct pw_val *own, *any; const char *gateway; bool default_route, on_host; };

static void look(const struct pw_val *observation, const char *ip, struct view *v)
{
	const struct pw_val *links = pw_map_get(observation, "links"), *routes = pw_map_get(observation, "routes");
	for (size_t i = 0; i < pw_val_count(links); i++) {
		const struct pw_val *link = pw_val_at(links, i);
		if (is_loopback(link))
			continue;
		v->any = v->any ? v->any : link;
		if (pw_link_has_address(link, ip))
			v->own = link;
	}
	v->gateway = "";
	for (size_t i = 0; i < pw_val_count(routes); i++) {
		const struct pw_val *r = pw_val_at(routes, i);
		if (strcmp(pw_map_str(r, "dst", ""), "default") != 0)
			continue;
		v->default_route = true;
		v->gateway = pw_map_str(r, "gateway", "");
	}
}

/* Shapers that can starve a pod; fq, fq_codel, noqueue and the like do not. */
static bool shapes(const char *qdisc)
{
	return !strcmp(qdisc, "tbf") || !strcmp(qdisc, "htb");
}

static void conclude(const char *ref, const char *ip, const struct view *v, const struct pw_val *route, const char *to, struct pw_result *result)
{
	const char *dev = pw_map_str(v->own, "name", ""), *how = pw_map_str(route, "result", "ok"), *via = pw_map_str(route, "dev", dev);
	const struct pw_val *link = v->own ? v->own : v->any;
	bool up = pw_map_bool(link, "up", false) && pw_map_bool(link, "carrier", true);
	if (!v->any)
		pw_result_set(result, "no-interface", "%s has no interface but lo.", ref);
	else if (!up)
		pw_result_set(result, "link-down", "%s of %s is %s.", pw_map_str(link, "name", ""), ref, pw_map_bool(link, "up", false) ? "without carrier" : "down");
	else if (!v->own)
		pw_result_set(result, "address-missing", "No interface of %s has its address %s.", ref, ip);
	else if (!v->default_route && !v->on_host)
		pw_result_set(result, "no-default-route", "%s has no default route.", ref);
	else if (route && strcmp(how, "ok"))
		pw_result_set(result, "no-route", "%s has no usable route for %s (%s).", ref, to, how);
	else if (route && strcmp(via, dev) && strcmp(via, "lo") && !v->on_host)
		pw_result_set(result, "other-interface", "%s sends packets for %s through %s, not %s.", ref, to, via, dev);
	else if (shapes(pw_map_str(v->own, "qdisc", "")))
		pw_result_set(result, "shaped", "%s of %s has a %s shaper.", dev, ref, pw_map_str(v->own, "qdisc", ""));
	else
		pw_result_set(result, "ok", "%s has %s on %s, MTU %lld.", ref, ip, dev, pw_map_int(v->own, "mtu", 0));
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const char *ref = pw_ctx_str(ctx, "pod"), *to = pw_ctx_str(ctx, "to");
	if (!pw_facts_need(pw_ctx_facts(ctx), PW_FACT_PODS, result))
		return PW_OK;
	const struct pw_pod *pod = pw_facts_pod_ref(pw_ctx_facts(ctx), ref);
	if (!pod) {
		pw_result_unknown(result, "there is no pod %s", ref);
		return PW_OK;
	}
	/* A pod on the host network has the node's interfaces, of which any may lead to the other end. */
	struct view v = { .on_host = pod->host_network };
	look(observation, pod->ip, &v);
	const struct pw_val *route = pw_map_get(observation, "route");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "interface", pw_map_str(v.own, "name", ""));
	pw_map_set_str(ev, "address", pod->ip);
	pw_map_set_int(ev, "mtu", pw_map_int(v.own, "mtu", 0));
	pw_map_set_str(ev, "mac", pw_map_str(v.own, "mac", ""));
	pw_map_set_str(ev, "gateway", v.gateway);
	pw_map_set_str(ev, "next_hop", pw_map_str(route, "gateway", ""));
	pw_map_set_str(ev, "peer_index", "");
	if (pw_map_int(v.own, "peer_index", 0) > 0)
		pw_map_set_strf(ev, "peer_index", "%lld", pw_map_int(v.own, "peer_index", 0));
	pw_map_set_str(ev, "route_dev", pw_map_str(route, "dev", ""));
	pw_map_set_str(ev, "qdisc", pw_map_str(v.own, "qdisc", ""));
	conclude(ref, pod->ip, &v, route, to ? to : "", result);
	return PW_OK;
}

const struct pw_check pw_check_pod_network = {
	PW_CHECK_HEAD("pod_network"),
	.summary = "Look at interface, address and routes inside a pod",
	.details = "Compares them with the Pod object.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS,
	.timeout_ms = 3000,
	.example = "check pod_network pod=shop/web --at shop/web",
	.probe = probe,
	.judge = judge,
};
