/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow_verdict: put what several points saw of one flow (counter_deltas or
 * capture_flow over flow_points) in order, and name the stretch that loses it.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/ctx.h>

static const struct pw_param params[] = {
	{ "items", PW_TYPE_LIST, 1, NULL, NULL, "Items of the loop, each with its role, outcome and evidence" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "works", PW_CLASS_OK, "The flow is answered.", NULL, NULL },
	{ "sender", PW_CLASS_FAIL, "The packets never leave the sender.", "the sender's interface or rules", NULL },
	{ "sender-node", PW_CLASS_FAIL, "The packets leave the sender and not its node.", "bridge, rules, routes or sysctls of the sender's node", NULL },
	{ "between-nodes", PW_CLASS_FAIL, "The packets leave the sender's node and never reach the receiver's.", "the network between the nodes", NULL },
	{ "receiver-node", PW_CLASS_FAIL, "The packets reach the receiver's node and not the receiver.", "rules, routes or sysctls of the receiver's node", NULL },
	{ "tunnel-end", PW_CLASS_FAIL, "Tunnel packets reach the receiver's node and nothing comes out of the tunnel.", "wrong MAC, wrong network identifier, or a bad checksum", NULL },
	{ "receiver", PW_CLASS_FAIL, "The packets reach the receiver, which does not answer or refuses.", "the receiver's own rules or its application", NULL },
	{ "way-back", PW_CLASS_FAIL, "The receiver answers, and the answers get lost on the way back.", "asymmetric path, or rules of one direction", NULL },
	{ "back-between-nodes", PW_CLASS_FAIL, "The answers leave the receiver's node and never reach the sender's.", "the network between the nodes", NULL },
	{ "bad-checksum", PW_CLASS_FAIL, "Tunnel packets arrive with a bad checksum.", "checksum offload", NULL },
	{ "rp-filter", PW_CLASS_FAIL, "A node discards the packets by reverse-path filtering.", "strict rp_filter", NULL },
	{ "forwarding-off", PW_CLASS_FAIL, "A node does not forward.", "ip_forward is 0", NULL },
	{ "table-full", PW_CLASS_FAIL, "A connection table is full.", "too many connections", NULL },
	{ "listen-overflow", PW_CLASS_FAIL, "The server's accept queue overflows.", "the application does not accept fast enough", NULL },
	{ "rule-drop", PW_CLASS_FAIL, "A node's rule that belongs to no Kubernetes component counted the lost packets.", "a host firewall", NULL },
	{ "pod-rule-drop", PW_CLASS_FAIL, "A rule inside a pod counted the lost packets.", "rules in the pod's own network namespace", NULL },
	{ "policy-drop", PW_CLASS_FAIL, "A chain's own policy on a node counted the lost packets.", "nothing accepts pod traffic in FORWARD", NULL },
	{ "enforcer-drop", PW_CLASS_FAIL, "A rule of the network policy enforcer counted the lost packets.", "rules that do not follow the policies", NULL },
	{ "legacy-drop", PW_CLASS_FAIL, "A rule in a node's legacy tables counted the lost packets.", "two iptables back ends on one node", NULL },
	{ "bridge-drop", PW_CLASS_FAIL, "A bridge-family rule counted the lost frames.", "a filter between ports of the bridge", NULL },
	{ "kube-drop", PW_CLASS_FAIL, "A rule of kube-proxy counted the lost packets.", "no endpoint, or an invalid connection state", NULL },
	{ "ports-used-up", PW_CLASS_FAIL, "Connections clash when a node gives them a source port.", "the ports of its masquerading are used up", NULL },
	{ "not-told", PW_CLASS_UNKNOWN, "What was seen does not name a stretch.", NULL, "capture at every point" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "seen", PW_TYPE_STR, NULL, "What each point saw" },
	{ "where", PW_TYPE_STR, NULL, "The point that decided" },
	{ "rule", PW_TYPE_STR, NULL, "The rule that stopped the packets, empty if none did" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static const struct pw_val *by_role(const struct pw_val *items, const char *role)
{
	return pw_seq_find(items, "role", role);
}

static long long number(const struct pw_val *item, const char *key)
{
	return pw_map_int(pw_map_get(item, "evidence"), key, pw_map_int(item, key, 0));
}

static const char *outcome(const struct pw_val *item)
{
	return pw_map_str(item, "outcome", "");
}

static bool is(const struct pw_val *item, const char *word)
{
	return !strcmp(outcome(item), word);
}

/* What a point's counters mean for the whole flow, most telling first; of a rule, depending on whose it is. */
static const struct { const char *at_point, *on_node, *in_pod; } reasons[] = {
	{ "dropped", "rule-drop", "pod-rule-drop" }, { "rejected", "rule-drop", "pod-rule-drop" }, { "policy-drop", "policy-drop", "pod-rule-drop" },
	{ "enforcer-drop", "enforcer-drop", "enforcer-drop" }, { "legacy-drop", "legacy-drop", "pod-rule-drop" }, { "bridge-drop", "bridge-drop", "bridge-drop" },
	{ "kube-drop", "kube-drop", "kube-drop" }, { "bad-checksum", "bad-checksum", "bad-checksum" }, { "rp-filter", "rp-filter", "rp-filter" },
	{ "forwarding-off", "forwarding-off", "forwarding-off" }, { "table-full", "table-full", "table-full" },
	{ "listen-overflow", "listen-overflow", "listen-overflow" }, { "insert-failed", "ports-used-up", "ports-used-up" },
};

static bool on_node(const struct pw_val *item)
{
	const char *role = pw_map_str(item, "role", "");
	return !strcmp(role, "sender-node") || !strcmp(role, "receiver-node");
}

/* A rule has to account for all that failed: each attempt sends at least one packet. */
static bool accounts_for(const struct pw_val *item, long long failed)
{
	return !*pw_map_str(pw_map_get(item, "evidence"), "rule", "") || number(item, "count") >= failed;
}

/* A counter that names the reason outranks any reasoning about where. */
static const struct pw_val *telling(const struct pw_val *items, long long failed, const char **ret_word)
{
	for (size_t w = 0; w < sizeof reasons / sizeof *reasons; w++)
		for (size_t i = 0; i < pw_val_count(items); i++) {
			const struct pw_val *item = pw_val_at(items, i);
			if (is(item, reasons[w].at_point) && accounts_for(item, failed)) {
				*ret_word = on_node(item) ? reasons[w].on_node : reasons[w].in_pod;
				return item;
			}
		}
	return NULL;
}

static bool captured(const struct pw_val *item)
{
	return is(item, "both-ways") || is(item, "one-way") || is(item, "tunnel-only") || is(item, "refused") || is(item, "nothing");
}

static bool answered(const struct pw_val *item)
{
	return is(item, "both-ways") || is(item, "refused");
}

static const char *by_capture(const struct pw_val *send, const struct pw_val *a, const struct pw_val *b, const struct pw_val *end, const char **where)
{
	const struct pw_val *far = b ? b : a;
	*where = "";
	if (!captured(send) || !captured(a) || !captured(end) || (b && !captured(b)))
		return "not-told";
	if (is(send, "both-ways"))
		return "works";
	/* A refusal that is seen at both ends got back: no packet is lost then, the receiver says no. */
	if (!is(end, "nothing")) {
		*where = "receiver";
		if (b && is(end, "both-ways") && is(b, "both-ways") && is(a, "one-way") && number(b, "answers_tunnel") > 0)
			return "back-between-nodes";
		return answered(end) && !(is(end, "refused") && is(send, "refused")) ? "way-back" : "receiver";
	}
	if (is(send, "nothing"))
		return "sender";
	/* On the sender's node the pod side always shows the SYN; only a copy in
	 * the tunnel, or one on an uplink, shows that it left. */
	bool left = number(a, "syn_tunnel") > 0 || pw_map_bool(pw_map_get(a, "evidence"), "left", false);
	if (is(far, "tunnel-only")) {
		*where = "receiver-node";
		return "tunnel-end";
	}
	if (b && is(b, "nothing"))
		return left ? "between-nodes" : "sender-node";
	*where = b ? "receiver-node" : "sender-node";
	return b ? "receiver-node" : "sender-node";
}

/* The receiver answers every attempt, its node puts the answers into the tunnel, and none comes out at the sender's. */
static bool answers_lost(const struct pw_val *send, const struct pw_val *a, const struct pw_val *b, const struct pw_val *end, long long few)
{
	long long all = number(send, "failed");
	return all > few && number(b, "tunnel_rx") >= all && number(end, "uplink_tx") >= all && number(b, "tunnel_tx") >= all && number(a, "tunnel_rx") < few;
}

/* Without captures: the overlay's own counters on both nodes. Each connect
 * sends at least one SYN, so a flow that passes moves them by that much. */
static const char *by_counters(const struct pw_val *send, const struct pw_val *a, const struct pw_val *b, const struct pw_val *end, const char **where)
{
	long long sent = 4, tx = number(a, "tunnel_tx"), rx = number(b, "tunnel_rx");
	*where = "";
	if (number(send, "connected") > 0)
		return "works";
	if (!a || !b || !tx)
		return "not-told";
	if (tx >= sent && rx < sent / 2) {
		*where = "receiver-node";
		return number(b, "uplink_rx") >= tx ? "tunnel-end" : "between-nodes";
	}
	if (answers_lost(send, a, b, end, sent / 2)) {
		*where = "sender-node";
		return number(a, "uplink_rx") >= number(b, "tunnel_tx") ? "tunnel-end" : "back-between-nodes";
	}
	return "not-told";
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_val *items = pw_ctx_val(ctx, "items");
	const struct pw_val *send = by_role(items, "send"), *a = by_role(items, "sender-node"), *b = by_role(items, "receiver-node"), *end = by_role(items, "receiver");
	const char *where = "", *word = NULL;
	const struct pw_val *reason = telling(items, number(send, "failed"), &word);
	/* Where all of the sender's connects came through, the counters moved for others. Not so with an accept queue: a
	 * client whose last segment it drops is connected by its own account. */
	bool all_through = number(send, "connected") > 0 && pw_map_int(pw_map_get(send, "evidence"), "failed", -1) == 0;
	if (all_through && reason && !is(reason, "listen-overflow"))
		reason = NULL;
	if (reason) {
		where = pw_map_str(reason, "role", "");
	} else if (captured(send)) {
		word = by_capture(send, a, b, end, &where);
	} else {
		word = by_counters(send, a, b, end, &where);
	}
	char seen[1024] = "";
	size_t used = 0;
	for (size_t i = 0; i < pw_val_count(items) && used < sizeof seen; i++)
		used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%s", used ? " " : "", pw_map_str(pw_val_at(items, i), "says", outcome(pw_val_at(items, i))));
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "seen", seen);
	pw_map_set_str(ev, "where", where);
	pw_map_set_str(ev, "rule", pw_map_str(pw_map_get(reason, "evidence"), "rule", ""));
	/* A counter that decides is said alone. */
	if (reason)
		pw_result_set(result, word, "This decides: %s", pw_map_str(reason, "says", outcome(reason)));
	else
		pw_result_set(result, word, "%s", *seen ? seen : "Nothing was seen.");
	return PW_OK;
}

const struct pw_check pw_check_flow_verdict = {
	PW_CHECK_HEAD("flow_verdict"),
	.summary = "Name the stretch of a path that loses the packets, from what every point saw",
	.details = "Takes the items of a loop of counter_deltas or capture_flow over flow_points.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_NONE,
	.timeout_ms = 1000,
	.example = "check flow_verdict items='[{role: send, outcome: one-way}]'",
	.judge = judge,
};
