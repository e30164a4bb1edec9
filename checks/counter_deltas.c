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
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "UDP: datagrams stand for the connects" },
	{ "src", PW_TYPE_ADDRESS, 0, NULL, NULL, "Address of the sender; with it the rules that may stop the packets are counted too" },
	{ "from_node_ip", PW_TYPE_ADDRESS, 0, NULL, NULL, "Address of the sender's node, for the rules that an overlay's packets meet" },
	{ "to_node_ip", PW_TYPE_ADDRESS, 0, NULL, NULL, "Address of the receiver's node" },
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
	{ "insert-failed", PW_CLASS_WARN, "Connections could not be entered into the table, which has room: they clash, or NAT has no source port for them.", "source ports used up, or parallel packets of one flow", NULL },
	{ "listen-overflow", PW_CLASS_FAIL, "The server's accept queue overflowed (TcpExt.ListenOverflows).", "the application does not accept fast enough", "look at the application" },
	{ "dropped", PW_CLASS_FAIL, "A rule that belongs to no Kubernetes component counted the packets and dropped them.", "a host firewall", "remove or narrow the rule" },
	{ "rejected", PW_CLASS_FAIL, "A rule that belongs to no Kubernetes component counted the packets and rejected them.", "a host firewall", "remove or narrow the rule" },
	{ "policy-drop", PW_CLASS_FAIL, "A chain's own policy counted the packets and dropped them.", "nothing accepts pod traffic in FORWARD", "accept the pod CIDR" },
	{ "enforcer-drop", PW_CLASS_FAIL, "A rule of the network policy enforcer counted the packets and stopped them.", "a policy, or rules that do not follow the policies", "compare with the evaluation of the policies" },
	{ "legacy-drop", PW_CLASS_FAIL, "A rule in the legacy tables counted the packets and dropped them.", "two iptables back ends on one node", "use one back end per node" },
	{ "bridge-drop", PW_CLASS_FAIL, "A bridge-family rule counted the frames and dropped them.", "a filter between ports of the bridge", "remove the rule" },
	{ "kube-drop", PW_CLASS_FAIL, "A rule of kube-proxy counted the packets and stopped them.", "no endpoint, or an invalid connection state", "look at the Service's rules" },
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
	{ "count", PW_TYPE_INT, "packets", "What the counter that decided rose by, 0 if none did" },
	{ "rule", PW_TYPE_STR, NULL, "The rule that counted and stopped them, empty if none" },
	{ "chain", PW_TYPE_STR, NULL, "Its table and chain" },
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

/* TCP says each SYN again after a second. Datagrams are said again here, so that the watchers that begin late see some. */
#define DATAGRAM_ROUNDS 3

static int send_flow(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	const char *address = pw_ctx_str(ctx, "address");
	unsigned port = (unsigned)pw_ctx_int(ctx, "port"), count = (unsigned)pw_ctx_int(ctx, "count"), ms = pw_ctx_ms(ctx, "window") - pw_ctx_ms(ctx, "window") / 8;
	if (!strcmp(pw_ctx_str(ctx, "protocol"), "SCTP"))
		return pw_err_set(err, PW_UNSUPPORTED, "SCTP ports cannot be probed");
	if (!strcmp(pw_ctx_str(ctx, "protocol"), "UDP")) {
		for (int round = 0; round < DATAGRAM_ROUNDS; round++) {
			int rc = pw_probe_udp(ctx, address, port, pw_udp_question, sizeof pw_udp_question, count, ms / DATAGRAM_ROUNDS, ret, err);
			if (rc)
				return rc;
		}
		return PW_OK;
	}
	struct pw_tcp_spec spec = { .address = address, .port = port, .count = count, .timeout_ms = ms, .reset = true };
	return pw_probe_tcp(ctx, &spec, ret, err);
}

/* ---- the rules that may stop the flow here ---- */

static void keep_drops(struct pw_arena *arena, const struct pw_val *way, struct pw_val *ret)
{
	const struct pw_val *drops = pw_val_get(way, "drops.drops");
	for (size_t i = 0; i < pw_val_count(drops); i++)
		if (pw_map_int(pw_val_at(drops, i), "packets", -1) >= 0)
			pw_seq_add(ret, pw_val_copy(arena, pw_val_at(drops, i)));
}

static int meet(struct pw_ctx *ctx, const struct pw_rules *rules, const struct pw_flow *flow, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_val *met = pw_val_map(arena);
	int rc = pw_flow_meet(ctx, rules, flow, met, err);
	keep_drops(arena, met, ret);
	keep_drops(arena, pw_map_get(met, "back"), ret);
	return rc;
}

/* An overlay's packets, to one port of the nodes in both directions. */
static int meet_tunnel(struct pw_ctx *ctx, const struct pw_rules *rules, unsigned port, struct pw_val *ret, struct pw_err *err)
{
	const char *from = pw_ctx_str(ctx, "from_node_ip"), *to = pw_ctx_str(ctx, "to_node_ip");
	bool sender = !strcmp(pw_ctx_str(ctx, "role"), "sender-node");
	if (!port || !from || !*from || !to || !*to)
		return PW_OK;
	const struct pw_flow there = { .src = from, .dst = to, .protocol = "udp", .port = port, .from_here = sender, .to_here = !sender };
	const struct pw_flow back = { .src = to, .dst = from, .protocol = "udp", .port = port, .from_here = !sender, .to_here = sender };
	int rc = meet(ctx, rules, &there, ret, err);
	return rc ? rc : meet(ctx, rules, &back, ret, err);
}

static unsigned tunnel_port(const struct pw_val *links)
{
	for (size_t i = 0; i < pw_val_count(links); i++) {
		long long port = pw_map_int(pw_map_get(pw_val_at(links, i), "vxlan"), "port", 0);
		if (port > 0 && port <= 65535)
			return (unsigned)port;
	}
	return 0;
}

/* Where the rules cannot be read, they are not counted. */
static void read_drops(struct pw_ctx *ctx, const struct pw_val *links, struct pw_val *ret)
{
	struct pw_err ignored = PW_ERR_INIT;
	struct pw_rules *rules = pw_rules_new(pw_ctx_arena(ctx));
	const char *role = pw_ctx_str(ctx, "role"), *src = pw_ctx_str(ctx, "src");
	if (!src || !*src || pw_rules_read(ctx, rules, &ignored))
		return;
	const struct pw_flow flow = {
		.src = src, .dst = pw_ctx_str(ctx, "address"), .protocol = pw_packet_protocol(pw_ctx_str(ctx, "protocol")), .port = (unsigned)pw_ctx_int(ctx, "port"),
		.from_here = !strcmp(role, "send"), .to_here = !strcmp(role, "receiver"), .answered = true,
	};
	if (!meet(ctx, rules, &flow, ret, &ignored) && !flow.from_here && !flow.to_here)
		(void)meet_tunnel(ctx, rules, tunnel_port(links), ret, &ignored);
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_val *before = pw_val_map(arena), *after = pw_val_map(arena);
	bool send = !strcmp(pw_ctx_str(ctx, "role"), "send");
	int rc = pw_read_links(ctx, observation, err);
	if (rc)
		return rc;
	read_drops(ctx, pw_map_get(observation, "links"), pw_map_set_seq(observation, "drops_before"));
	rc = pw_read_counters(ctx, before, err);
	if (!rc)
		rc = send ? send_flow(ctx, pw_map_set_map(observation, "connects"), err) : wait_window(ctx, NULL, err);
	if (!rc)
		rc = pw_read_counters(ctx, after, err);
	if (rc)
		return rc;
	static const char *const table[] = { "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max" };
	rc = pw_read_sysctls(ctx, table, sizeof table / sizeof *table, observation, err);
	if (rc)
		return rc;
	pw_counters_delta(before, after, pw_map_set_map(observation, "deltas"));
	read_drops(ctx, pw_map_get(observation, "links"), pw_map_set_seq(observation, "drops_after"));
	return PW_OK;
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
		const char *name = pw_map_str(link, "name", "");
		char key[128];
		if (tunnels ? !pw_link_is_tunnel(pw_map_str(link, "kind", "")) : !pw_link_is_uplink(link))
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

static bool same_rule(const struct pw_val *a, const struct pw_val *b)
{
	static const char *const keys[] = { "backend", "table", "chain", "rule" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(pw_map_str(a, keys[i], ""), pw_map_str(b, keys[i], "")) != 0)
			return false;
	return true;
}

/* What a rule counted meanwhile. One that was not there before counted for nobody that is known. */
static long long counted(const struct pw_val *before, const struct pw_val *after)
{
	for (size_t i = 0; i < pw_val_count(before); i++)
		if (same_rule(pw_val_at(before, i), after))
			return in_range(in_range(pw_map_int(after, "packets", 0)) - in_range(pw_map_int(pw_val_at(before, i), "packets", 0)));
	return 0;
}

/* The rule that stopped most. */
static const struct pw_val *busiest_rule(const struct pw_val *observation, long long *ret_count)
{
	const struct pw_val *before = pw_map_get(observation, "drops_before"), *after = pw_map_get(observation, "drops_after"), *found = NULL;
	*ret_count = 0;
	for (size_t i = 0; i < pw_val_count(after); i++) {
		long long n = counted(before, pw_val_at(after, i));
		if (n > *ret_count) {
			*ret_count = n;
			found = pw_val_at(after, i);
		}
	}
	return found;
}

/* The table also counts as dropped what NAT finds no source port for; then it is far from full. */
static bool table_has_room(const struct pw_val *observation)
{
	const struct pw_val *sysctls = pw_map_get(observation, "sysctls");
	long long count = in_range(pw_map_int(sysctls, "net.netfilter.nf_conntrack_count", 0)), max = in_range(pw_map_int(sysctls, "net.netfilter.nf_conntrack_max", 0));
	return max > 0 && count < max - max / 10;
}

struct told { const char *word, *key; long long count; const struct pw_val *rule; };

/* A rule that may stop just these packets is more telling than a counter of the whole place. */
static struct told what_dropped(const struct pw_val *observation, long long floor, char *moved, size_t size)
{
	const struct pw_val *deltas = pw_map_get(observation, "deltas");
	struct told told = { .word = NULL, .key = "" };
	bool no_port = table_has_room(observation);
	size_t used = 0;
	long long n;
	const struct pw_val *rule = busiest_rule(observation, &n);
	if (rule && n >= floor) {
		bool reject = !strcmp(pw_map_str(rule, "verdict", ""), "reject");
		told = (struct told){ .word = pw_rule_drop_word(rule, reject), .key = pw_map_str(rule, "rule", ""), .count = n, .rule = rule };
	}
	moved[0] = '\0';
	for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
		long long delta = in_range(pw_map_int(deltas, telling[i].key, 0));
		if (delta > 0 && used < size)
			used += (size_t)snprintf(moved + used, size - used, "%s%s +%lld", used ? ", " : "", telling[i].key, delta);
		if (!told.word && delta >= floor)
			told = (struct told){ .word = no_port && !strcmp(telling[i].word, "table-full") ? "insert-failed" : telling[i].word, .key = telling[i].key, .count = delta };
	}
	return told;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *deltas = pw_map_get(observation, "deltas"), *connects = pw_map_get(observation, "connects");
	const char *role = pw_ctx_str(ctx, "role");
	long long good = in_range(pw_map_int(connects, "connected", pw_map_int(connects, "answered", 0)));
	char moved[512];
	struct told told = what_dropped(observation, pw_ctx_int(ctx, "count") / 4, moved, sizeof moved);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "role", role);
	pw_map_set_int(ev, "tunnel_tx", link_sum(observation, "tx_packets", true));
	pw_map_set_int(ev, "tunnel_rx", link_sum(observation, "rx_packets", true));
	pw_map_set_int(ev, "uplink_tx", link_sum(observation, "tx_packets", false));
	pw_map_set_int(ev, "uplink_rx", link_sum(observation, "rx_packets", false));
	pw_map_set_int(ev, "forwarded", pw_map_int(deltas, "Ip.ForwDatagrams", 0));
	pw_map_set_str(ev, "moved", moved);
	pw_map_set_int(ev, "count", told.count);
	pw_map_set_str(ev, "rule", pw_map_str(told.rule, "rule", ""));
	pw_map_set_strf(ev, "chain", "%s %s", pw_map_str(told.rule, "table", ""), pw_map_str(told.rule, "chain", ""));
	pw_map_set_int(ev, "connected", good);
	pw_map_set_int(ev, "failed", in_range((long long)pw_val_count(pw_map_get(connects, "attempts")) - good));
	if (told.rule)
		pw_result_set(result, told.word, "%s: %s in %s %s counted %lld packets while the sender sent.", role, told.key, pw_map_str(told.rule, "table", ""),
			      pw_map_str(told.rule, "chain", ""), told.count);
	else if (told.word)
		pw_result_set(result, told.word, "%s: %s rose by %lld while the sender sent.", role, told.key, told.count);
	else if (!strcmp(role, "send"))
		pw_result_set(result, "sent", "%lld connects made, %lld succeeded.", pw_ctx_int(ctx, "count"), good);
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
	.needs = PW_NEEDS_NET_ADMIN | PW_NEEDS_NET_RAW,
	.timeout_ms = 8000,
	.example = "check counter_deltas role=send address=10.244.2.6 port=8080",
	.probe = probe,
	.judge = judge,
};
