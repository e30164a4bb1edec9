/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node_sysctls: kernel switches of a node that silently stop pod traffic.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <packetwalk/dataplane.h>

static const struct pw_param params[] = {
	{ "node", PW_TYPE_NODE, 1, NULL, NULL, "The node that is looked at" },
	{ "ask", PW_TYPE_CHOICE, 0, "all", "all|forwarding|bridge-nf|rp-filter|conntrack", "Which switch matters here" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "The switches asked about let pod traffic pass.", NULL, NULL },
	{ "forwarding-off", PW_CLASS_FAIL, "net.ipv4.ip_forward is 0: the node forwards nothing, for pods neither.", "a sysctl file or hardening", "set it to 1" },
	{ "bridge-nf-off", PW_CLASS_FAIL, "net.bridge.bridge-nf-call-iptables is 0 or br_netfilter is not loaded: replies between pods of one bridge skip the reverse translation.", "module not loaded, or a sysctl file", "load br_netfilter and set it to 1" },
	{ "rp-filter-strict", PW_CLASS_WARN, "Strict reverse-path filtering on an interface, and packets were dropped for it since boot.", "asymmetric paths with rp_filter=1", "use 2 (loose)" },
	{ "conntrack-full", PW_CLASS_FAIL, "The connection table is full: new connections are dropped.", "too many connections, or too small a limit", "raise nf_conntrack_max" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "ip_forward", PW_TYPE_STR, NULL, "net.ipv4.ip_forward" },
	{ "bridge_nf", PW_TYPE_STR, NULL, "net.bridge.bridge-nf-call-iptables, empty if br_netfilter is absent" },
	{ "rp_filter", PW_TYPE_STR, NULL, "Interfaces with strict filtering, empty if none" },
	{ "rp_filter_drops", PW_TYPE_INT, NULL, "TcpExt.IPReversePathFilter since boot" },
	{ "conntrack_count", PW_TYPE_INT, NULL, "Entries in the connection table, -1 if unknown" },
	{ "conntrack_max", PW_TYPE_INT, NULL, "Its limit, -1 if unknown" },
	{ "conntrack_drops", PW_TYPE_INT, NULL, "Packets dropped because the table was full, since boot" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* Uplinks and overlay devices by the names CNIs and distributions give them. */
static const char *const names[] = {
	"net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max",
	"net.ipv4.conf.all.rp_filter", "net.ipv4.conf.eth0.rp_filter", "net.ipv4.conf.eth1.rp_filter", "net.ipv4.conf.ens3.rp_filter",
	"net.ipv4.conf.ens5.rp_filter", "net.ipv4.conf.cni0.rp_filter", "net.ipv4.conf.cbr0.rp_filter", "net.ipv4.conf.flannel/1.rp_filter", "net.ipv4.conf.tunl0.rp_filter",
	"net.ipv4.conf.vxlan/calico.rp_filter", "net.ipv4.conf.cilium_host.rp_filter",
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	int rc = pw_read_sysctls(ctx, names, sizeof names / sizeof *names, observation, err);
	return rc ? rc : pw_read_counters(ctx, pw_map_set_map(observation, "counters"), err);
}

/* The kernel uses the larger of conf.all and conf.IF (ip-sysctl.rst, rp_filter). */
static void strict_interfaces(const struct pw_val *sysctls, char *out, size_t size)
{
	size_t used = 0;
	const char *all = pw_map_str(sysctls, "net.ipv4.conf.all.rp_filter", "0");
	out[0] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names && used < size; i++) {
		const char *rest = strstr(names[i], ".conf."), *value = pw_map_str(sysctls, names[i], "");
		if (!rest || strstr(names[i], ".all.") || !*value)
			continue;
		bool strict = (!strcmp(value, "1") && strcmp(all, "2")) || (!strcmp(value, "0") && !strcmp(all, "1"));
		if (strict)
			used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", (int)strcspn(rest + 6, "."), rest + 6);
	}
}

/* bridged: pods hang on a bridge here, as far as its name tells; nodes without one need no filter on it. */
struct view { const char *ask, *node, *forward, *bridge_nf, *strict; bool bridged; long long count, max, rp_drops; };

static bool asked(const struct view *v, const char *what)
{
	return !strcmp(v->ask, "all") || !strcmp(v->ask, what);
}

static void conclude(const struct view *v, struct pw_result *result)
{
	if (asked(v, "forwarding") && !strcmp(v->forward, "0"))
		pw_result_set(result, "forwarding-off", "net.ipv4.ip_forward is 0 on %s.", v->node);
	else if (asked(v, "conntrack") && v->max > 0 && v->count >= v->max - v->max / 100)
		pw_result_set(result, "conntrack-full", "%s has %lld of %lld connection table entries in use.", v->node, v->count, v->max);
	else if (asked(v, "bridge-nf") && strcmp(v->bridge_nf, "1") && (v->bridged || strcmp(v->ask, "all") != 0))
		pw_result_set(result, "bridge-nf-off", "bridge-nf-call-iptables is %s on %s.", *v->bridge_nf ? v->bridge_nf : "absent (br_netfilter is not loaded)", v->node);
	else if (asked(v, "rp-filter") && *v->strict && v->rp_drops > 0)
		pw_result_set(result, "rp-filter-strict", "%s filters strictly on %s and has dropped %lld packets for it.", v->node, v->strict, v->rp_drops);
	else
		pw_result_set(result, "ok", "The kernel switches of %s let pod traffic pass.", v->node);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *sysctls = pw_map_get(observation, "sysctls"), *counters = pw_map_get(observation, "counters");
	if (!pw_map_get(sysctls, "net.ipv4.ip_forward")) { /* every kernel has it */
		pw_result_unknown(result, "the kernel switches of %s could not be read", pw_ctx_str(ctx, "node"));
		return PW_OK;
	}
	char strict[256];
	strict_interfaces(sysctls, strict, sizeof strict);
	struct view v = {
		.ask = pw_ctx_str(ctx, "ask"), .node = pw_ctx_str(ctx, "node"),
		.forward = pw_map_str(sysctls, "net.ipv4.ip_forward", ""),
		.bridge_nf = pw_map_str(sysctls, "net.bridge.bridge-nf-call-iptables", ""), .strict = strict,
		.bridged = pw_map_get(sysctls, "net.ipv4.conf.cni0.rp_filter") != NULL || pw_map_get(sysctls, "net.ipv4.conf.cbr0.rp_filter") != NULL,
		.count = pw_map_int(sysctls, "net.netfilter.nf_conntrack_count", -1), .max = pw_map_int(sysctls, "net.netfilter.nf_conntrack_max", -1),
		.rp_drops = pw_map_int(counters, "TcpExt.IPReversePathFilter", 0),
	};
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "ip_forward", v.forward);
	pw_map_set_str(ev, "bridge_nf", v.bridge_nf);
	pw_map_set_str(ev, "rp_filter", strict);
	pw_map_set_int(ev, "rp_filter_drops", v.rp_drops);
	pw_map_set_int(ev, "conntrack_count", v.count);
	pw_map_set_int(ev, "conntrack_max", v.max);
	pw_map_set_int(ev, "conntrack_drops", pw_map_int(counters, "conntrack.drop", 0));
	conclude(&v, result);
	return PW_OK;
}

const struct pw_check pw_check_node_sysctls = {
	PW_CHECK_HEAD("node_sysctls"),
	.summary = "Read the kernel switches of a node that stop pod traffic",
	.details = "ip_forward, bridge-nf-call-iptables, rp_filter with its drop counter, and the connection table.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.timeout_ms = 3000,
	.example = "check node_sysctls node=n1 --at node:n1",
	.probe = probe,
	.judge = judge,
};
