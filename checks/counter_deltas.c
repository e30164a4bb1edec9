/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * counter_deltas: read the kernel's counters, let the sender send, read them
 * again. Run at every point of a flow at once (flow_points): the sender's TCP
 * repeats each SYN after one second, so every watcher sees it inside its
 * window however late it starts.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "role", PW_TYPE_CHOICE, 1, NULL, "send|sender-node|receiver-node|receiver", "send: make the connects; the others watch" },
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Where the sender connects to" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Port there" },
	{ "count", PW_TYPE_INT, 0, "16", "4..64", "Connects, side by side" },
	{ "window", PW_TYPE_DURATION, 0, "1800ms", NULL, "How long to watch" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "sent", PW_CLASS_OK, "The connects were made.", NULL, NULL },
	{ "quiet", PW_CLASS_OK, "No counter of dropped packets moved.", NULL, NULL },
	{ "forwarding-off", PW_CLASS_FAIL, "Packets in transit were discarded because the node does not forward (Ip.InAddrErrors).", "ip_forward is 0", "set it to 1" },
	{ "rp-filter", PW_CLASS_FAIL, "Packets were discarded by reverse-path filtering (TcpExt.IPReversePathFilter).", "strict rp_filter and an asymmetric path", "use loose mode" },
	{ "bad-checksum", PW_CLASS_FAIL, "UDP packets with a bad checksum arrived (Udp.InCsumErrors): tunnel packets were damaged on the way out.", "checksum offload of the sender's NIC or overlay device", "turn tx checksum offload off on the overlay device" },
	{ "table-full", PW_CLASS_FAIL, "The connection table dropped packets (conntrack drop).", "the table is full", "raise nf_conntrack_max" },
	{ "insert-failed", PW_CLASS_WARN, "Connections clashed when entered into the table (insert_failed).", "source ports used up, or parallel packets of one flow", NULL },
	{ "listen-overflow", PW_CLASS_FAIL, "The server's accept queue overflowed (TcpExt.ListenOverflows).", "the application does not accept fast enough", "look at the application" },
	{ "no-route", PW_CLASS_FAIL, "Packets were discarded for want of a route (IpExt.InNoRoutes, Ip.OutNoRoutes).", "a missing route", "look at the routes" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "role", PW_TYPE_STR, NULL, "Point of the flow" },
	{ "tunnel_tx", PW_TYPE_INT, "packets", "Sent into overlay devices" },
	{ "tunnel_rx", PW_TYPE_INT, "packets", "Received from overlay devices" },
	{ "uplink_tx", PW_TYPE_INT, "packets", "Sent on physical interfaces" },
	{ "uplink_rx", PW_TYPE_INT, "packets", "Received on physical interfaces" },
	{ "forwarded", PW_TYPE_INT, "packets", "Forwarded (Ip.ForwDatagrams)" },
	{ "moved", PW_TYPE_STR, NULL, "Counters of drops that moved" },
	{ "connected", PW_TYPE_INT, NULL, "sender: connects that succeeded" },
	{ "failed", PW_TYPE_INT, NULL, "sender: connects that did not" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int wait_window(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	(void)ret, (void)err;
	unsigned ms = pw_ctx_ms(ctx, "window"), left = pw_ctx_remaining_ms(ctx);
	if (ms > left)
		ms = left;
	struct timespec span = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	while (nanosleep(&span, &span))
		;
	return PW_OK;
}

static int send_connects(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	struct pw_tcp_spec spec = {
		.address = pw_ctx_str(ctx, "address"), .port = (unsigned)pw_ctx_int(ctx, "port"), .count = (unsigned)pw_ctx_int(ctx, "count"),
		.timeout_ms = pw_ctx_ms(ctx, "window") - pw_ctx_ms(ctx, "window") / 8, .reset = true,
	};
	return pw_probe_tcp(ctx, &spec, ret, err);
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_val *before = pw_val_map(arena), *after = pw_val_map(arena);
	bool send = !strcmp(pw_ctx_str(ctx, "role"), "send");
	int rc = pw_read_links(ctx, observation, err);
	if (!rc)
		rc = pw_read_counters(ctx, before, err);
	if (!rc)
		rc = send ? send_connects(ctx, pw_map_set_map(observation, "connects"), err) : wait_window(ctx, NULL, err);
	if (!rc)
		rc = pw_read_counters(ctx, after, err);
	if (!rc)
		pw_counters_delta(before, after, pw_map_set_map(observation, "deltas"));
	return rc;
}

static bool is_tunnel(const char *kind)
{
	static const char *const kinds[] = { "vxlan", "geneve", "ipip", "wireguard", "gre", "tun" };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

/* Not made of software, as far as a name and kind can tell: a lab's uplink is
 * a veth named eth0, a machine's has no kind. */
static bool is_uplink(const char *kind, const char *name)
{
	return (!*kind && strcmp(name, "lo")) || !strncmp(name, "eth", 3) || !strncmp(name, "ens", 3) || !strncmp(name, "bond", 4);
}

/* Interfaces are a few thousand at most, so that sums of these do not overflow. */
static long long in_range(long long n)
{
	return n > 0 && n < INT_MAX ? n : 0;
}

static long long link_sum(const struct pw_val *observation, const char *what, bool tunnels)
{
	const struct pw_val *links = pw_map_get(observation, "links"), *deltas = pw_map_get(observation, "deltas");
	long long sum = 0;
	for (size_t i = 0; i < pw_val_count(links); i++) {
		const struct pw_val *link = pw_val_at(links, i);
		const char *kind = pw_map_str(link, "kind", ""), *name = pw_map_str(link, "name", "");
		char key[128];
		if (tunnels ? !is_tunnel(kind) : !is_uplink(kind, name))
			continue;
		(void)snprintf(key, sizeof key, "link.%s.%s", name, what);
		sum += in_range(pw_map_int(deltas, key, 0));
	}
	return sum;
}

/* Drop counters, most telling first, and the share of the connects that must
 * show in one before it is held responsible: a busy node moves them anyway. */
static const struct { const char *key, *word; } telling[] = {
	{ "Udp.InCsumErrors", "bad-checksum" }, { "TcpExt.IPReversePathFilter", "rp-filter" }, { "conntrack.drop", "table-full" },
	{ "Ip.InAddrErrors", "forwarding-off" }, { "TcpExt.ListenOverflows", "listen-overflow" }, { "IpExt.InNoRoutes", "no-route" },
	{ "Ip.OutNoRoutes", "no-route" }, { "conntrack.insert_failed", "insert-failed" },
};

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *deltas = pw_map_get(observation, "deltas");
	const char *role = pw_ctx_str(ctx, "role"), *word = NULL, *key = "";
	bool send = !strcmp(role, "send");
	const struct pw_val *connects = pw_map_get(observation, "connects");
	long long floor = pw_ctx_int(ctx, "count") / 4;
	long long failed = in_range((long long)pw_val_count(pw_map_get(connects, "attempts")) - in_range(pw_map_int(connects, "connected", 0)));
	char moved[512] = "";
	size_t used = 0;
	for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
		long long delta = pw_map_int(deltas, telling[i].key, 0);
		if (delta > 0 && used < sizeof moved)
			used += (size_t)snprintf(moved + used, sizeof moved - used, "%s%s +%lld", used ? ", " : "", telling[i].key, delta);
		if (!word && delta >= floor) {
			word = telling[i].word;
			key = telling[i].key;
		}
	}
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "role", role);
	pw_map_set_int(ev, "tunnel_tx", link_sum(observation, "tx_packets", true));
	pw_map_set_int(ev, "tunnel_rx", link_sum(observation, "rx_packets", true));
	pw_map_set_int(ev, "uplink_tx", link_sum(observation, "tx_packets", false));
	pw_map_set_int(ev, "uplink_rx", link_sum(observation, "rx_packets", false));
	pw_map_set_int(ev, "forwarded", pw_map_int(deltas, "Ip.ForwDatagrams", 0));
	pw_map_set_str(ev, "moved", moved);
	pw_map_set_int(ev, "connected", pw_map_int(connects, "connected", 0));
	pw_map_set_int(ev, "failed", failed);
	if (word)
		pw_result_set(result, word, "%s: %s rose by %lld while the sender sent.", role, key, pw_map_int(deltas, key, 0));
	else if (send)
		pw_result_set(result, "sent", "%lld connects made, %lld succeeded.", pw_ctx_int(ctx, "count"), pw_map_int(connects, "connected", 0));
	else
		pw_result_set(result, "quiet", "%s: no drop counter moved; overlay +%lld out, +%lld in.", role, link_sum(observation, "tx_packets", true),
			      link_sum(observation, "rx_packets", true));
	return PW_OK;
}

const struct pw_check pw_check_counter_deltas = {
	PW_CHECK_HEAD("counter_deltas"),
	.summary = "See which kernel counters move while the sender sends",
	.details = "Run over flow_points, all at once. Counters that moved before the probe do not matter.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.needs = PW_NEEDS_NET_ADMIN,
	.timeout_ms = 6000,
	.example = "check counter_deltas role=send address=10.244.2.6 port=8080",
	.probe = probe,
	.judge = judge,
};
