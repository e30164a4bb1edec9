/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes, rules, and the kernel's own answer to "where would this packet go". */
#include <packetwalk/dataplane.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <dataplane/nl.h>

struct reading { struct pw_arena *arena; struct pw_val *list; size_t n; int family; };

static const char *type_word(unsigned type)
{
	switch (type) {
	case RTN_UNICAST: return "unicast";
	case RTN_LOCAL: return "local";
	case RTN_BROADCAST: return "broadcast";
	case RTN_MULTICAST: return "multicast";
	case RTN_BLACKHOLE: return "blackhole";
	case RTN_UNREACHABLE: return "unreachable";
	case RTN_PROHIBIT: return "prohibit";
	case RTN_THROW: return "throw";
	default: return "other";
	}
}

static void put_prefix(struct pw_val *route, const char *key, const struct nlattr *attr, unsigned bits)
{
	char text[64];
	if (*pw_nl_address(attr, text))
		pw_map_set_strf(route, key, "%s/%u", text, bits);
	else
		pw_map_set_str(route, key, "default");
}

static void put_gateway(struct pw_val *route, const struct nlattr *gateway, const struct nlattr *via)
{
	char text[64] = "";
	(void)pw_nl_address(gateway, text);
	size_t len = via ? mnl_attr_get_payload_len(via) : 0;
	if (!*text && len > sizeof(struct rtvia)) {
		const struct rtvia *v = mnl_attr_get_payload(via);
		if ((v->rtvia_family == AF_INET && len >= sizeof *v + 4) || (v->rtvia_family == AF_INET6 && len >= sizeof *v + 16))
			(void)inet_ntop(v->rtvia_family, v->rtvia_addr, text, sizeof text);
	}
	pw_map_set_str(route, "gateway", text);
}

static void put_nexthops(struct pw_val *route, const struct nlattr *attr)
{
	struct pw_val *list = pw_map_set_seq(route, "nexthops");
	const char *at = mnl_attr_get_payload(attr), *end = at + mnl_attr_get_payload_len(attr);
	char name[32], text[64];
	while ((size_t)(end - at) >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const void *)at;
		if (hop->rtnh_len < sizeof *hop || hop->rtnh_len > end - at)
			return;
		struct pw_val *item = pw_seq_add_map(list);
		pw_map_set_str(item, "dev", pw_nl_ifname((unsigned)hop->rtnh_ifindex, name));
		pw_map_set_bool(item, "dead", (hop->rtnh_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0);
		const struct nlattr *a = (const void *)(at + sizeof *hop);
		while (mnl_attr_ok(a, (int)(at + hop->rtnh_len - (const char *)a))) {
			if (mnl_attr_get_type(a) == RTA_GATEWAY)
				pw_map_set_str(item, "gateway", pw_nl_address(a, text));
			a = mnl_attr_next(a);
		}
		at += MNL_ALIGN(hop->rtnh_len);
	}
}

static uint32_t metric_mtu(const struct nlattr *metrics)
{
	const struct nlattr *a[RTAX_MAX + 1];
	pw_nl_nested(metrics, a, RTAX_MAX);
	return pw_nl_u32(a[RTAX_MTU], 0);
}

static void put_route(struct pw_val *route, const struct nlmsghdr *message)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[RTA_MAX + 1];
	char name[32], text[64];
	pw_nl_attrs(message, sizeof *info, a, RTA_MAX);
	put_prefix(route, "dst", a[RTA_DST], info->rtm_dst_len);
	pw_map_set_int(route, "table", pw_nl_u32(a[RTA_TABLE], info->rtm_table));
	pw_map_set_str(route, "type", type_word(info->rtm_type));
	put_gateway(route, a[RTA_GATEWAY], a[RTA_VIA]);
	uint32_t oif = pw_nl_u32(a[RTA_OIF], 0);
	pw_map_set_str(route, "dev", oif ? pw_nl_ifname(oif, name) : "");
	pw_map_set_str(route, "src", pw_nl_address(a[RTA_PREFSRC], text));
	pw_map_set_int(route, "mtu", metric_mtu(a[RTA_METRICS]));
	pw_map_set_int(route, "proto", info->rtm_protocol);
	pw_map_set_int(route, "scope", info->rtm_scope);
	pw_map_set_int(route, "metric", pw_nl_u32(a[RTA_PRIORITY], 0));
	pw_map_set_bool(route, "onlink", (info->rtm_flags & RTNH_F_ONLINK) != 0);
	if (a[RTA_MULTIPATH])
		put_nexthops(route, a[RTA_MULTIPATH]);
}

static int take_route(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	(void)err;
	/* Cached exceptions (learned path MTUs) are no routes of their own. */
	if (message->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(message) < sizeof *info || (info->rtm_flags & RTM_F_CLONED) ||
	    info->rtm_table == RT_TABLE_LOCAL || r->n++ >= PW_NL_MAX_ITEMS)
		return PW_OK;
	put_route(pw_seq_add_map(r->list), message);
	return PW_OK;
}

static int take_rule(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	const struct fib_rule_hdr *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[FRA_MAX + 1];
	(void)err;
	if (message->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(message) < sizeof *info || r->n++ >= PW_NL_MAX_ITEMS)
		return PW_OK;
	pw_nl_attrs(message, sizeof *info, a, FRA_MAX);
	struct pw_val *rule = pw_seq_add_map(r->list);
	pw_map_set_int(rule, "priority", pw_nl_u32(a[FRA_PRIORITY], 0));
	pw_map_set_int(rule, "table", pw_nl_u32(a[FRA_TABLE], info->table));
	put_prefix(rule, "from", a[FRA_SRC], info->src_len);
	put_prefix(rule, "to", a[FRA_DST], info->dst_len);
	pw_map_set_int(rule, "fwmark", pw_nl_u32(a[FRA_FWMARK], 0));
	pw_map_set_int(rule, "fwmask", pw_nl_u32(a[FRA_FWMASK], 0));
	if (a[FRA_IIFNAME] && mnl_attr_validate(a[FRA_IIFNAME], MNL_TYPE_NUL_STRING) >= 0)
		pw_map_set_str(rule, "iif", mnl_attr_get_str(a[FRA_IIFNAME]));
	pw_map_set_str(rule, "action", info->action == FR_ACT_TO_TBL ? "lookup" : info->action == FR_ACT_BLACKHOLE ? "blackhole" :
				       info->action == FR_ACT_UNREACHABLE ? "unreachable" : info->action == FR_ACT_PROHIBIT ? "prohibit" : "other");
	return PW_OK;
}

static void start_over(void *arg)
{
	struct reading *r = arg;
	r->n = 0;
	r->list = pw_val_seq(r->arena);
}

int pw_read_routes(struct pw_ctx *ctx, int family, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct reading r = { .arena = arena, .list = pw_val_seq(arena), .family = family };
	struct pw_nl_request request;
	struct rtmsg *info = pw_nl_begin(&request, RTM_GETROUTE, NLM_F_DUMP, sizeof *info);
	info->rtm_family = (unsigned char)family;
	if (pw_nl_talk(NETLINK_ROUTE, &request, take_route, &r, start_over, NULL, err))
		return pw_err_wrap(err, "listing routes");
	pw_map_set(ret, "routes", r.list);
	pw_nl_say_cut(ret, r.n);
	start_over(&r);
	struct fib_rule_hdr *rule = pw_nl_begin(&request, RTM_GETRULE, NLM_F_DUMP, sizeof *rule);
	rule->family = (unsigned char)family;
	if (pw_nl_talk(NETLINK_ROUTE, &request, take_rule, &r, start_over, NULL, err))
		return pw_err_wrap(err, "listing routing rules");
	pw_map_set(ret, "rules", r.list);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "listing routes: out of memory") : PW_OK;
}

/* ---- one lookup ---- */

struct lookup { const char *dst, *from, *iif; unsigned mark; int family; };

static int take_answer(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct pw_val *ret = arg;
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	(void)err;
	if (message->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(message) < sizeof *info)
		return PW_OK;
	put_route(ret, message);
	pw_map_set_str(ret, "result", info->rtm_type == RTN_BLACKHOLE ? "blackhole" : info->rtm_type == RTN_UNREACHABLE ? "unreachable" :
				      info->rtm_type == RTN_PROHIBIT ? "prohibited" : "ok");
	return PW_OK;
}

static bool put_address(struct pw_nl_request *request, uint16_t type, int family, const char *text)
{
	unsigned char raw[16];
	if (inet_pton(family, text, raw) != 1)
		return false;
	mnl_attr_put(request->header, type, family == AF_INET ? 4 : 16, raw);
	return true;
}

/* One RTM_GETROUTE into `ret`; *ret_errno is the kernel's refusal, 0 if it found a route. */
static int ask(const struct lookup *q, unsigned flags, struct pw_val *ret, int *ret_errno, struct pw_err *err)
{
	struct pw_nl_request request;
	struct rtmsg *info = pw_nl_begin(&request, RTM_GETROUTE, 0, sizeof *info);
	info->rtm_family = (unsigned char)q->family;
	info->rtm_dst_len = q->family == AF_INET ? 32 : 128;
	info->rtm_flags = RTM_F_LOOKUP_TABLE | flags;
	if (!put_address(&request, RTA_DST, q->family, q->dst))
		return pw_err_set(err, PW_USAGE, "looking up a route: \"%s\" is not an address", q->dst);
	if (q->from && *q->from) {
		info->rtm_src_len = info->rtm_dst_len;
		if (!put_address(&request, RTA_SRC, q->family, q->from))
			return pw_err_set(err, PW_USAGE, "looking up a route: \"%s\" is not an address", q->from);
	}
	if (q->iif && *q->iif) {
		unsigned index = if_nametoindex(q->iif);
		if (!index)
			return pw_err_sys(err, PW_ABSENT, errno, "looking up a route: interface %s", q->iif);
		mnl_attr_put_u32(request.header, RTA_IIF, index);
	}
	if (q->mark)
		mnl_attr_put_u32(request.header, RTA_MARK, q->mark);
	if (pw_nl_talk(NETLINK_ROUTE, &request, take_answer, ret, NULL, ret_errno, err))
		return pw_err_wrap(err, "looking up the route for %s", q->dst);
	return PW_OK;
}

/* What the kernel's errno of a lookup means when the packet is made here. */
static const char *refusal(int kernel_errno)
{
	switch (kernel_errno) {
	case ENETUNREACH: return "no-route";
	case EHOSTUNREACH: return "unreachable";
	case EACCES: return "prohibited";
	case EINVAL: return "blackhole";
	default: return "error";
	}
}

/* max(all, IF) for rp_filter; of IF alone for forwarding (ip-sysctl). -1: not to be read. */
static long long conf(struct pw_ctx *ctx, const char *iif, const char *key, bool with_all)
{
	char own[128], all[128], escaped[64];
	(void)snprintf(escaped, sizeof escaped, "%s", iif);
	for (char *p = escaped; *p; p++)
		*p = *p == '.' ? '/' : *p; /* as sysctl(8) writes such names */
	(void)snprintf(own, sizeof own, "net.ipv4.conf.%s.%s", escaped, key);
	(void)snprintf(all, sizeof all, "net.ipv4.conf.all.%s", key);
	const char *names[] = { own, all };
	struct pw_val *holder = pw_val_map(pw_ctx_arena(ctx));
	struct pw_err ignored = PW_ERR_INIT;
	if (pw_read_sysctls(ctx, names, 2, holder, &ignored))
		return -1;
	const struct pw_val *map = pw_map_get(holder, "sysctls");
	long long one = pw_map_int(map, own, -1), every = pw_map_int(map, all, -1);
	return with_all && every > one ? every : one;
}

/* The input path gives one errno for several causes (its checks of forwarding and of the way back, and the routes
 * themselves); the output path and the sysctls tell them apart. */
static const char *input_refusal(struct pw_ctx *ctx, const struct lookup *q, int kernel_errno)
{
	struct lookup out = { .dst = q->dst, .family = q->family, .mark = q->mark };
	struct pw_err ignored = PW_ERR_INIT;
	int out_errno = 0;
	if (kernel_errno == EXDEV)
		return "rp-filter";
	if (kernel_errno != EHOSTUNREACH && kernel_errno != EINVAL)
		return refusal(kernel_errno);
	bool forwarding_off = kernel_errno == EHOSTUNREACH && conf(ctx, q->iif, "forwarding", false) == 0;
	if (q->family == AF_INET && forwarding_off)
		return "forwarding-off";
	if (ask(&out, 0, pw_val_map(pw_ctx_arena(ctx)), &out_errno, &ignored))
		return "error";
	if (out_errno)
		return refusal(out_errno);
	if (kernel_errno == EHOSTUNREACH)
		return "unreachable";
	return q->family == AF_INET && conf(ctx, q->iif, "rp_filter", true) > 0 ? "rp-filter" : "error"; /* else a martian */
}

/* The prefix that matched: asked for apart, since that answer has no resolved source. Kernels before 4.13 ignore the flag. */
static void put_matched(struct pw_ctx *ctx, const struct lookup *q, struct pw_val *ret)
{
	struct pw_val *holder = pw_val_map(pw_ctx_arena(ctx));
	struct pw_err ignored = PW_ERR_INIT;
	int kernel_errno = 0;
	if (!ask(q, RTM_F_FIB_MATCH, holder, &kernel_errno, &ignored) && !kernel_errno && pw_map_str(holder, "dst", NULL))
		pw_map_set_str(ret, "matched", pw_map_str(holder, "dst", ""));
}

int pw_route_get(struct pw_ctx *ctx, const char *dst, const char *from, const char *iif, unsigned mark, struct pw_val *ret, struct pw_err *err)
{
	struct lookup q = { .dst = dst, .from = from, .iif = iif, .mark = mark, .family = strchr(dst, ':') ? AF_INET6 : AF_INET };
	int kernel_errno = 0, rc = ask(&q, 0, ret, &kernel_errno, err);
	if (rc)
		return rc;
	pw_map_set_str(ret, "dst", dst);
	if (!kernel_errno)
		put_matched(ctx, &q, ret);
	else
		pw_map_set_str(ret, "result", iif && *iif ? input_refusal(ctx, &q, kernel_errno) : refusal(kernel_errno));
	return pw_arena_failed(pw_ctx_arena(ctx)) ? pw_err_set(err, PW_NOMEM, "looking up the route for %s: out of memory", dst) : PW_OK;
}

int pw_route_transit(struct pw_ctx *ctx, const char *dst, const char *from, struct pw_val *ret, struct pw_err *err)
{
	struct pw_val *back = pw_val_map(pw_ctx_arena(ctx));
	int rc = pw_route_get(ctx, from, NULL, NULL, 0, back, err);
	const char *dev = pw_map_str(back, "dev", "");
	if (rc || !*dev || strcmp(pw_map_str(back, "result", ""), "ok"))
		return rc;
	rc = pw_route_get(ctx, dst, from, dev, 0, ret, err);
	if (!rc)
		pw_map_set_str(ret, "iif", dev);
	return rc;
}
