/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live_flows: does this node carry connections to an address and port that live, while new ones get no answer? A filter of that
 * port would stop both; a NAT gateway without free ports stops only new ones.
 */
#include <string.h>

#include <packetwalk/dataplane.h>

static const struct pw_param params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Where the connections lead" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Port there" },
	{ "within", PW_TYPE_DURATION, 0, "120s", NULL, "How long ago the last packet may be" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "live", PW_CLASS_OK, "Established connections to it had packets a short while ago.", NULL, NULL },
	{ "none", PW_CLASS_OK, "The node tracks no such connection.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "live", PW_TYPE_INT, NULL, "Connections that had packets a short while ago" },
	{ "tracked", PW_TYPE_INT, NULL, "Connections tracked at all" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static const char limit[] = "net.netfilter.nf_conntrack_tcp_timeout_established";

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *const names[] = { limit };
	int rc = pw_read_sysctls(ctx, names, 1, observation, err);
	return rc ? rc : pw_read_conntrack(ctx, pw_ctx_str(ctx, "address"), observation, err);
}

/* The kernel sets an entry's timeout anew with each packet. */
static long long age_s(const struct pw_val *entry, long long full)
{
	return full - pw_map_count(entry, "timeout_s");
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *entries = pw_map_get(observation, "entries");
	const char *address = pw_ctx_str(ctx, "address");
	long long full = pw_map_count(pw_map_get(observation, "sysctls"), limit), within = pw_ctx_ms(ctx, "within") / 1000, live = 0, tracked = 0;
	if (full <= 0) {
		pw_result_unknown(result, "connections are not tracked here, or how long an entry lives cannot be read");
		return PW_OK;
	}
	for (size_t i = 0; i < pw_val_count(entries); i++) {
		const struct pw_val *entry = pw_val_at(entries, i);
		bool ours = !strcmp(pw_map_str(entry, "protocol", ""), "tcp") && !strcmp(pw_map_str(entry, "dst", ""), address) &&
			    pw_map_int(entry, "dport", 0) == pw_ctx_int(ctx, "port");
		bool open = ours && !strcmp(pw_map_str(entry, "state", ""), "ESTABLISHED") && pw_map_bool(entry, "assured", false);
		tracked += ours;
		live += open && age_s(entry, full) >= 0 && age_s(entry, full) <= within;
	}
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "live", live);
	pw_map_set_int(ev, "tracked", tracked);
	if (live)
		pw_result_set(result, "live", "%lld connections to %s port %lld live, with packets in the last %lld s.", live, address, pw_ctx_int(ctx, "port"), within);
	else
		pw_result_set(result, "none", "No connection to %s port %lld lives here.", address, pw_ctx_int(ctx, "port"));
	return PW_OK;
}

const struct pw_check pw_check_live_flows = {
	PW_CHECK_HEAD("live_flows"),
	.summary = "See whether connections to an address live while new ones get no answer",
	.details = "By the node's connection table: a filter stops old and new connections, a NAT gateway without ports only new ones.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.needs = PW_NEEDS_NET_ADMIN,
	.timeout_ms = 3000,
	.example = "check live_flows address=203.0.113.10 port=443 --at node:n1",
	.probe = probe,
	.judge = judge,
};
