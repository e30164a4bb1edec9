/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * failure_pattern: the same probe was made to several backends; which of them
 * fail, and what do those have in common? Only other nodes, only the sender's
 * node, the sender itself, one node, one backend, or everything.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/ctx.h>

static const struct pw_param params[] = {
	{ "items", PW_TYPE_LIST, 1, NULL, NULL, "Items of a loop step, each with its outcome" },
	{ "good", PW_TYPE_STR, 0, "connected", NULL, "Outcomes that count as good, separated by commas" },
	{ "node", PW_TYPE_STR, 0, NULL, NULL, "Node of the sender" },
	{ "pod", PW_TYPE_STR, 0, NULL, NULL, "The sender, as namespace/name" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "none", PW_CLASS_OK, "All are good.", NULL, NULL },
	{ "all", PW_CLASS_FAIL, "All fail, on the sender's node and on others.", "the sender, a policy, or the servers themselves", "try from the servers' nodes" },
	{ "all-remote", PW_CLASS_FAIL, "All fail, and all are on other nodes.", "the path between nodes, or the servers", "try from the servers' nodes" },
	{ "all-local", PW_CLASS_FAIL, "All fail, and all are on the sender's node.", "the bridge of the node, or the servers", "try from the node" },
	{ "remote-only", PW_CLASS_FAIL, "Those on other nodes fail, those on the sender's node are good.", "the path between nodes", "look at both ends of it" },
	{ "local-only", PW_CLASS_FAIL, "Those on the sender's node fail, those on other nodes are good.", "the bridge of the sender's node", "look at the bridge" },
	{ "self-only", PW_CLASS_FAIL, "Only the sender itself, as its own backend, fails.", "hairpin traffic is not let back", "look at the bridge port" },
	{ "one-node", PW_CLASS_FAIL, "Those on one other node (or several) fail, while another remote node is good.", "that node", "look at that node" },
	{ "some", PW_CLASS_FAIL, "Some fail, while others of the same node are good: the backend itself.", "that backend", "look at that backend" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "failed", PW_TYPE_STR, NULL, "Those that fail, with their outcome" },
	{ "good", PW_TYPE_STR, NULL, "Those that are good" },
	{ "address", PW_TYPE_ADDRESS, NULL, "Address of the first that fails" },
	{ "port", PW_TYPE_PORT, NULL, "Port of the first that fails" },
	{ "pod", PW_TYPE_POD, NULL, "Pod of the first that fails, empty if it is none" },
	{ "node", PW_TYPE_NODE, NULL, "Node of the first that fails, empty if unknown" },
	{ "outcome", PW_TYPE_STR, NULL, "Outcome of the first that fails" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ", ");
		if (n == len && !memcmp(p, word, n))
			return true;
		p += n + strspn(p + n, ", ");
	}
	return false;
}

struct groups { size_t bad, good, bad_local, bad_remote, good_local, good_remote, bad_self, good_same_node; };

static bool is_good(const struct pw_val *item, const char *good)
{
	return in_list(good, pw_map_str(item, "outcome", ""));
}

static size_t good_on_node(const struct pw_val *items, const char *good, const char *node)
{
	size_t n = 0;
	for (size_t i = 0; i < pw_val_count(items); i++)
		n += is_good(pw_val_at(items, i), good) && !strcmp(pw_map_str(pw_val_at(items, i), "node", ""), node);
	return n;
}

static void group(const struct pw_val *items, const char *good, const char *node, const char *self, struct groups *g)
{
	for (size_t i = 0; i < pw_val_count(items); i++) {
		const struct pw_val *item = pw_val_at(items, i);
		const char *at = pw_map_str(item, "node", ""), *pod = pw_map_str(item, "pod", "");
		bool local = *node && !strcmp(at, node);
		if (is_good(item, good)) {
			g->good++;
			g->good_local += local;
			g->good_remote += !local;
			continue;
		}
		g->bad++;
		g->bad_local += local;
		g->bad_remote += !local;
		g->bad_self += *self && !strcmp(pod, self);
		g->good_same_node += good_on_node(items, good, at) > 0;
	}
}

static const char *decide(const struct groups *g)
{
	if (!g->bad)
		return "none";
	if (g->bad_self == g->bad && g->good)
		return "self-only";
	if (!g->good)
		return g->bad_local && g->bad_remote ? "all" : g->bad_local ? "all-local" : "all-remote";
	if (g->good_same_node)
		return "some";
	if (g->bad_local && !g->bad_remote)
		return "local-only";
	if (g->bad_remote && !g->bad_local)
		return g->good_remote ? "one-node" : "remote-only";
	return "some";
}

static const char *item_name(const struct pw_val *item)
{
	const char *pod = pw_map_str(item, "pod", "");
	return *pod ? pod : pw_map_str(item, "address", "?");
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_val *items = pw_ctx_val(ctx, "items"), *first = NULL;
	const char *good = pw_ctx_str(ctx, "good"), *node = pw_ctx_str(ctx, "node"), *self = pw_ctx_str(ctx, "pod");
	struct groups g = { 0 };
	if (!pw_val_count(items)) {
		pw_result_unknown(result, "there is nothing to compare");
		return PW_OK;
	}
	group(items, good, node ? node : "", self ? self : "", &g);
	PW_CLEAN_BUF struct pw_buf failed;
	PW_CLEAN_BUF struct pw_buf fine;
	pw_buf_init(&failed, 8192);
	pw_buf_init(&fine, 8192);
	for (size_t i = 0; i < pw_val_count(items); i++) {
		const struct pw_val *item = pw_val_at(items, i);
		if (is_good(item, good)) {
			pw_buf_printf(&fine, "%s%s", fine.len ? ", " : "", item_name(item));
			continue;
		}
		first = first ? first : item;
		pw_buf_printf(&failed, "%s%s (%s)", failed.len ? ", " : "", item_name(item), pw_map_str(item, "outcome", "?"));
	}
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "failed", pw_buf_str(&failed));
	pw_map_set_str(ev, "good", pw_buf_str(&fine));
	pw_map_set_str(ev, "address", pw_map_str(first, "address", ""));
	pw_map_set_int(ev, "port", pw_map_int(first, "port", 0));
	pw_map_set_str(ev, "pod", pw_map_str(first, "pod", ""));
	pw_map_set_str(ev, "node", pw_map_str(first, "node", ""));
	pw_map_set_str(ev, "outcome", pw_map_str(first, "outcome", ""));
	const char *word = decide(&g);
	if (!g.bad)
		pw_result_set(result, word, "All %zu are good.", g.good);
	else
		pw_result_set(result, word, "%zu of %zu fail: %s%s%s.", g.bad, g.bad + g.good, pw_buf_str(&failed), g.good ? "; good: " : "", pw_buf_str(&fine));
	return PW_OK;
}

const struct pw_check pw_check_failure_pattern = {
	PW_CHECK_HEAD("failure_pattern"),
	.summary = "Say what the failing ones of several probes have in common",
	.details = "Takes the items of a loop step; needs no network.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_NONE,
	.timeout_ms = 1000,
	.example = "check failure_pattern node=n1 items='[{pod: a/x, node: n2, outcome: timeout}]'",
	.judge = judge,
};
