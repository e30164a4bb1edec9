/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_redirect: do a pod's own rules send its connections to a proxy inside
 * the pod, as service meshes do, and does that proxy listen?
 */
#include <stdlib.h>
#include <string.h>

#include <packetwalk/dataplane.h>

static const struct pw_param params[] = {
	{ "src", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the sender" },
	{ "dst", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the receiver" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Port of the receiver" },
	{ "way", PW_TYPE_CHOICE, 0, "out", "out|in", "out: what the pod sends; in: what it gets" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "none", PW_CLASS_OK, "No rule of the pod redirects the connection.", NULL, NULL },
	{ "redirected", PW_CLASS_OK, "A rule of the pod redirects it to a port of the pod where something listens.", NULL, NULL },
	{ "dead", PW_CLASS_FAIL, "A rule of the pod redirects it to a port of the pod where nothing listens: every connection is refused.", "the mesh's proxy does not run, or not yet", "look at the proxy container; let the application wait for it" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "port", PW_TYPE_INT, NULL, "Port of the pod it is redirected to, 0 if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_rules *rules = pw_rules_new(arena);
	bool out = !strcmp(pw_ctx_str(ctx, "way"), "out");
	struct pw_packet packet = {
		.src = pw_ctx_str(ctx, "src"), .dst = pw_ctx_str(ctx, "dst"), .protocol = "tcp", .dport = (unsigned)pw_ctx_int(ctx, "port"),
		.iif = out ? "" : "eth0", .oif = out ? "eth0" : "", .local_out = out, .ctstate = "NEW",
	};
	int rc = pw_rules_read(ctx, rules, err);
	if (!rc)
		rc = pw_rules_walk(rules, &packet, arena, pw_map_set_map(observation, "walk"), err);
	return rc ? rc : pw_read_listeners(ctx, observation, err);
}

/* The walk calls the target of a REDIRECT "local:PORT". */
static unsigned redirect_port(const struct pw_val *walk)
{
	const struct pw_val *targets = pw_map_get(walk, "targets");
	const char *target = pw_val_text(pw_val_at(targets, 0));
	return target && !strncmp(target, "local:", 6) ? (unsigned)strtoul(target + 6, NULL, 10) : 0;
}

static bool listens(const struct pw_val *sockets, unsigned port)
{
	for (size_t i = 0; i < pw_val_count(sockets); i++) {
		const struct pw_val *socket = pw_val_at(sockets, i);
		if (pw_map_int(socket, "port", 0) == port && !strcmp(pw_map_str(socket, "protocol", ""), "tcp"))
			return true;
	}
	return false;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	unsigned port = redirect_port(pw_map_get(observation, "walk"));
	const char *dst = pw_ctx_str(ctx, "dst");
	pw_map_set_int(pw_result_evidence(result), "port", port);
	if (!port)
		pw_result_set(result, "none", "No rule of the pod redirects connections to %s.", dst);
	else if (listens(pw_map_get(observation, "sockets"), port))
		pw_result_set(result, "redirected", "The pod's rules redirect connections to %s to its own port %u, where a proxy listens.", dst, port);
	else
		pw_result_set(result, "dead", "The pod's rules redirect connections to %s to its own port %u, and nothing listens there.", dst, port);
	return PW_OK;
}

const struct pw_check pw_check_proxy_redirect = {
	PW_CHECK_HEAD("proxy_redirect"),
	.summary = "See whether a pod's rules redirect a connection to a proxy inside it, and whether that listens",
	.details = "Service meshes redirect what a pod sends and gets; a proxy that does not run yet refuses everything.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.needs = PW_NEEDS_NET_ADMIN,
	.timeout_ms = 3000,
	.example = "check proxy_redirect src=10.244.1.5 dst=10.244.2.6 port=8080 --at shop/web",
	.probe = probe,
	.judge = judge,
};
