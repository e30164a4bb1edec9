/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listen_sockets: what listens in a pod's network namespace, against the port
 * a Service sends to and the ports the pod declares.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <packetwalk/borrow.h>
#include <packetwalk/cleanup.h>
#include <packetwalk/dataplane.h>
#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "pod", PW_TYPE_POD, 1, NULL, NULL, "The receiving pod" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Port the packets arrive for" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "Protocol" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "listening", PW_CLASS_OK, "A socket listens on that port for the pod's address.", NULL, NULL },
	{ "backlog-full", PW_CLASS_FAIL, "A socket listens, but its accept queue is full, or datagrams wait that nobody reads.", "the application does not accept or read fast enough", "look at the application" },
	{ "loopback-only", PW_CLASS_FAIL, "A socket listens on that port on the loopback address only.", "the application binds 127.0.0.1", "bind 0.0.0.0 or ::" },
	{ "other-address", PW_CLASS_FAIL, "A socket listens on that port on an address that is not the pod's.", "an address written into the configuration", "bind 0.0.0.0 or ::" },
	{ "other-family", PW_CLASS_FAIL, "A socket listens on that port for the other address family than the pod's only.", "IPV6_V6ONLY, or an IPv4 bind", "bind both families" },
	{ "other-protocol", PW_CLASS_FAIL, "The port is open for another protocol only.", "TCP and UDP mixed up", "align the protocol" },
	{ "target-wrong", PW_CLASS_FAIL, "Nothing listens on that port, but the pod declares and serves another one.", "the Service targets the wrong port", "correct targetPort" },
	{ "other-port", PW_CLASS_FAIL, "Nothing listens on that port, though the pod declares it; the application listens on another.", "the application was told another port", "give the application the declared port" },
	{ "nothing", PW_CLASS_FAIL, "Nothing listens in the pod.", "the server process is not running or not ready", "look at the application's log" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "sockets", PW_TYPE_STR, NULL, "What listens, as address:port/protocol" },
	{ "declared", PW_TYPE_STR, NULL, "Container ports declared for that protocol" },
	{ "listening_port", PW_TYPE_INT, NULL, "Another port that is served, 0 if none" },
	{ "queue", PW_TYPE_INT, NULL, "Connections waiting to be accepted (UDP: bytes to be read), 0 if no listener" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* A busy UDP server has datagrams waiting now and then, one that hangs has them still a moment later. */
#define MOMENT_NS 150000000

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	int rc = pw_read_listeners(ctx, observation, err);
	if (rc || strcmp(pw_ctx_str(ctx, "protocol"), "UDP"))
		return rc;
	struct timespec moment = { .tv_nsec = MOMENT_NS };
	(void)nanosleep(&moment, NULL);
	return pw_read_listeners(ctx, pw_map_set_map(observation, "later"), err);
}

static int borrow(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *observation, struct pw_err *err)
{
	return pw_borrow_listeners(ctx, tools, observation, err);
}

/* perhaps: an IPv6 socket of which is not known whether it takes IPv4, too. */
struct seen { bool wild, perhaps, loop, other, family, other_protocol, full; long long queue; unsigned other_port, declared_port; };

static bool is_loopback(const char *address)
{
	return !strncmp(address, "127.", 4) || !strcmp(address, "::1");
}

static bool declares(const struct pw_pod *pod, unsigned port, const char *protocol)
{
	for (size_t c = 0; c < pod->n_containers; c++)
		for (size_t i = 0; i < pod->containers[c].n_ports; i++)
			if (pod->containers[c].ports[i].port == port && !strcmp(pod->containers[c].ports[i].protocol, protocol))
				return true;
	return false;
}

/* Does a socket of this family, bound as it is, get the pod's packets? */
static bool fits_family(const struct pw_pod *pod, const struct pw_val *socket)
{
	bool six = pw_map_int(socket, "family", 4) == 6, pod_six = strchr(pod->ip, ':') != NULL;
	return six == pod_six || (six && !pw_map_bool(socket, "v6only", false));
}

static void look(const struct pw_pod *pod, const struct pw_val *socket, unsigned port, const char *protocol, struct seen *seen)
{
	const char *address = pw_map_str(socket, "address", "");
	if (!strncmp(address, "::ffff:", strlen("::ffff:"))) /* an IPv4 address on an IPv6 socket (RFC 4291 2.5.5.2) */
		address += strlen("::ffff:");
	unsigned bound = (unsigned)pw_map_int(socket, "port", 0);
	bool same = !strcmp(pw_map_str(socket, "protocol", ""), !strcmp(protocol, "UDP") ? "udp" : "tcp");
	seen->other_protocol |= bound == port && !same;
	if (!same)
		return;
	if (bound != port) {
		if (is_loopback(address))
			return;
		seen->other_port = bound;
		if (declares(pod, bound, protocol))
			seen->declared_port = bound;
		return;
	}
	if (!fits_family(pod, socket))
		seen->family = true;
	else if (is_loopback(address))
		seen->loop = true;
	else if (!strcmp(address, "::") && !strchr(pod->ip, ':') && !pw_map_get(socket, "v6only"))
		seen->perhaps = true;
	else if (!strcmp(address, "0.0.0.0") || !strcmp(address, "::") || !strcmp(address, pod->ip))
		seen->wild = true;
	else
		seen->other = true;
	long long queue = pw_map_int(socket, "queue", 0);
	if (seen->wild && strcmp(protocol, "UDP") && pw_map_get(socket, "backlog") && queue > pw_map_int(socket, "backlog", 0)) {
		seen->full = true;
		seen->queue = queue;
	}
}

/* A UDP socket has no accept queue: what waits there twice as long has not been read. */
static void look_for_unread(const struct pw_val *before, const struct pw_val *after, unsigned port, struct seen *seen)
{
	for (size_t i = 0; i < pw_val_count(before); i++) {
		const struct pw_val *socket = pw_val_at(before, i);
		long long queue = pw_map_int(socket, "queue", 0), inode = pw_map_int(socket, "inode", 0);
		if (strcmp(pw_map_str(socket, "protocol", ""), "udp") || pw_map_int(socket, "port", 0) != port || queue <= 0)
			continue;
		for (size_t k = 0; k < pw_val_count(after); k++) {
			const struct pw_val *same = pw_val_at(after, k);
			if (pw_map_int(same, "inode", -1) == inode && pw_map_int(same, "queue", 0) >= queue) {
				seen->full = true;
				seen->queue = pw_map_int(same, "queue", 0);
			}
		}
	}
}

static void conclude(const struct seen *s, const char *ref, const struct pw_pod *pod, unsigned port, const char *protocol, struct pw_result *result)
{
	if (s->full && !strcmp(protocol, "UDP"))
		pw_result_set(result, "backlog-full", "%s has UDP port %u open, but %lld bytes wait there that it does not read.", ref, port, s->queue);
	else if (s->full)
		pw_result_set(result, "backlog-full", "%s listens on %u, but %lld connections wait to be accepted, more than its queue holds.", ref, port, s->queue);
	else if (s->wild)
		pw_result_set(result, "listening", "%s listens on %u/%s.", ref, port, protocol);
	else if (s->perhaps)
		pw_result_unknown(result, "%s listens on %u for IPv6, and whether that takes IPv4, too, was not told. An agent on its node would.", ref, port);
	else if (s->family)
		pw_result_set(result, "other-family", "%s listens on %u for %s only, and its address is %s.", ref, port, strchr(pod->ip, ':') ? "IPv4" : "IPv6", pod->ip);
	else if (s->loop)
		pw_result_set(result, "loopback-only", "%s listens on %u on its loopback address only.", ref, port);
	else if (s->other)
		pw_result_set(result, "other-address", "%s listens on %u, but not on its address %s.", ref, port, pod->ip);
	else if (s->declared_port)
		pw_result_set(result, "target-wrong", "Nothing in %s listens on %u; it declares and serves %u.", ref, port, s->declared_port);
	else if (s->other_protocol)
		pw_result_set(result, "other-protocol", "%s has port %u open, but not for %s.", ref, port, protocol);
	else if (s->other_port && declares(pod, port, protocol))
		pw_result_set(result, "other-port", "%s declares %u, but its application listens on %u.", ref, port, s->other_port);
	else if (s->other_port)
		pw_result_set(result, "target-wrong", "Nothing in %s listens on %u; its application listens on %u.", ref, port, s->other_port);
	else
		pw_result_set(result, "nothing", "Nothing in %s listens on %u/%s.", ref, port, protocol);
}

static void list(const struct pw_val *sockets, struct pw_buf *out)
{
	for (size_t i = 0; i < pw_val_count(sockets); i++) {
		const struct pw_val *s = pw_val_at(sockets, i);
		pw_buf_printf(out, "%s%s:%lld/%s", i ? ", " : "", pw_map_str(s, "address", "?"), pw_map_int(s, "port", 0), pw_map_str(s, "protocol", "?"));
	}
}

static void list_declared(const struct pw_pod *pod, const char *protocol, struct pw_buf *out)
{
	for (size_t c = 0; c < pod->n_containers; c++)
		for (size_t i = 0; i < pod->containers[c].n_ports; i++)
			if (!strcmp(pod->containers[c].ports[i].protocol, protocol))
				pw_buf_printf(out, "%s%u", out->len ? ", " : "", pod->containers[c].ports[i].port);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const char *ref = pw_ctx_str(ctx, "pod"), *protocol = pw_ctx_str(ctx, "protocol");
	unsigned port = (unsigned)pw_ctx_int(ctx, "port");
	if (!strcmp(protocol, "SCTP")) {
		pw_result_unknown(result, "SCTP sockets are not listed");
		return PW_OK;
	}
	if (!pw_facts_need(pw_ctx_facts(ctx), PW_FACT_PODS, result))
		return PW_OK;
	const struct pw_pod *pod = pw_facts_pod_ref(pw_ctx_facts(ctx), ref);
	if (!pod) {
		pw_result_unknown(result, "there is no pod %s", ref);
		return PW_OK;
	}
	const struct pw_val *sockets = pw_map_get(observation, "sockets");
	struct seen seen = { 0 };
	for (size_t i = 0; i < pw_val_count(sockets); i++)
		look(pod, pw_val_at(sockets, i), port, protocol, &seen);
	if (seen.wild && !strcmp(protocol, "UDP"))
		look_for_unread(sockets, pw_map_get(pw_map_get(observation, "later"), "sockets"), port, &seen);
	PW_CLEAN_BUF struct pw_buf text;
	PW_CLEAN_BUF struct pw_buf declared;
	pw_buf_init(&text, 16384);
	pw_buf_init(&declared, 4096);
	list(sockets, &text);
	list_declared(pod, protocol, &declared);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "sockets", pw_buf_str(&text));
	pw_map_set_str(ev, "declared", pw_buf_str(&declared));
	pw_map_set_int(ev, "listening_port", seen.declared_port ? seen.declared_port : seen.other_port);
	pw_map_set_int(ev, "queue", seen.queue);
	conclude(&seen, ref, pod, port, protocol, result);
	return PW_OK;
}

const struct pw_check pw_check_listen_sockets = {
	PW_CHECK_HEAD("listen_sockets"),
	.summary = "See what listens in the receiving pod, and on which address",
	.details = "Tells a wrong targetPort from an application on another port, a loopback bind, one address family, and nothing at all.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_PODS,
	.timeout_ms = 3000,
	.example = "check listen_sockets pod=shop/api-1 port=8080 --at shop/api-1",
	.probe = probe,
	.judge = judge,
	.borrow = borrow,
};
