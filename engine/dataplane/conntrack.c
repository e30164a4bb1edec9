/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connection tracking entries to or from one address, by ctnetlink. */
#include <packetwalk/dataplane.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <dataplane/nl.h>

/* Entries kept: enough to show a pattern, bounded on a table of millions. */
#define KEEP_MAX 2000

struct tuple { char src[64], dst[64]; unsigned sport, dport, protocol; };
struct reading { struct pw_arena *arena; struct pw_val *list; const char *address; size_t matched, seen; };

static void read_tuple(const struct nlattr *nest, struct tuple *t)
{
	const struct nlattr *a[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];
	memset(t, 0, sizeof *t);
	pw_nl_nested(nest, a, CTA_TUPLE_MAX);
	pw_nl_nested(a[CTA_TUPLE_IP], ip, CTA_IP_MAX);
	pw_nl_nested(a[CTA_TUPLE_PROTO], proto, CTA_PROTO_MAX);
	(void)pw_nl_address(ip[CTA_IP_V4_SRC] ? ip[CTA_IP_V4_SRC] : ip[CTA_IP_V6_SRC], t->src);
	(void)pw_nl_address(ip[CTA_IP_V4_DST] ? ip[CTA_IP_V4_DST] : ip[CTA_IP_V6_DST], t->dst);
	t->protocol = pw_nl_u32(proto[CTA_PROTO_NUM], 0);
	t->sport = ntohs((uint16_t)pw_nl_u32(proto[CTA_PROTO_SRC_PORT], 0));
	t->dport = ntohs((uint16_t)pw_nl_u32(proto[CTA_PROTO_DST_PORT], 0));
}

static bool concerns(const struct tuple *t, const char *address)
{
	return !address || !strcmp(t->src, address) || !strcmp(t->dst, address);
}

static const char *protocol_word(unsigned protocol)
{
	switch (protocol) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_ICMP: return "icmp";
	case IPPROTO_SCTP: return "sctp";
	default: return "other";
	}
}

/* As conntrack(8) names the states of TCP (enum tcp_conntrack); "" for what has none. */
static const char *state_of(const struct nlattr *protoinfo)
{
	static const char *const words[] = {
		"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2",
	};
	const struct nlattr *a[CTA_PROTOINFO_MAX + 1], *tcp[CTA_PROTOINFO_TCP_MAX + 1];
	pw_nl_nested(protoinfo, a, CTA_PROTOINFO_MAX);
	pw_nl_nested(a[CTA_PROTOINFO_TCP], tcp, CTA_PROTOINFO_TCP_MAX);
	uint32_t state = pw_nl_u32(tcp[CTA_PROTOINFO_TCP_STATE], UINT32_MAX);
	return state < sizeof words / sizeof *words ? words[state] : "";
}

bool pw_conntrack_entry(const struct nlmsghdr *message, const char *address, struct pw_val *entry)
{
	const struct nlattr *a[CTA_MAX + 1];
	struct tuple out, back;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return false;
	pw_nl_attrs(message, sizeof(struct nfgenmsg), a, CTA_MAX);
	read_tuple(a[CTA_TUPLE_ORIG], &out);
	read_tuple(a[CTA_TUPLE_REPLY], &back);
	if (!concerns(&out, address) && !concerns(&back, address))
		return false;
	if (!entry)
		return true;
	uint32_t status = ntohl(pw_nl_u32(a[CTA_STATUS], 0));
	pw_map_set_str(entry, "protocol", protocol_word(out.protocol));
	pw_map_set_str(entry, "src", out.src);
	pw_map_set_str(entry, "dst", out.dst);
	pw_map_set_int(entry, "sport", out.sport);
	pw_map_set_int(entry, "dport", out.dport);
	pw_map_set_str(entry, "reply_src", back.src);
	pw_map_set_str(entry, "reply_dst", back.dst);
	pw_map_set_int(entry, "reply_sport", back.sport);
	pw_map_set_int(entry, "reply_dport", back.dport);
	pw_map_set_str(entry, "state", state_of(a[CTA_PROTOINFO]));
	pw_map_set_bool(entry, "unreplied", !(status & IPS_SEEN_REPLY));
	pw_map_set_bool(entry, "assured", (status & IPS_ASSURED) != 0);
	pw_map_set_int(entry, "timeout_s", ntohl(pw_nl_u32(a[CTA_TIMEOUT], 0)));
	pw_map_set_int(entry, "mark", ntohl(pw_nl_u32(a[CTA_MARK], 0)));
	return true;
}

static int take_entry(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	(void)err;
	r->seen++;
	if (!pw_conntrack_entry(message, r->address, NULL) || r->matched++ >= KEEP_MAX)
		return PW_OK;
	(void)pw_conntrack_entry(message, r->address, pw_seq_add_map(r->list));
	return PW_OK;
}

static void start_over(void *arg)
{
	struct reading *r = arg;
	r->matched = r->seen = 0;
	r->list = pw_val_seq(r->arena);
}

static int dump(struct reading *r, unsigned char family, struct pw_err *err)
{
	struct pw_nl_request request;
	struct nfgenmsg *info = pw_nl_begin(&request, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET, NLM_F_DUMP, sizeof *info);
	info->nfgen_family = family;
	info->version = NFNETLINK_V0;
	return pw_nl_talk(NETLINK_NETFILTER, &request, take_entry, r, start_over, NULL, err);
}

int pw_read_conntrack(struct pw_ctx *ctx, const char *address, struct pw_val *ret, struct pw_err *err)
{
	static const char *const limits[] = { "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max" };
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct reading r = { .arena = arena, .list = pw_val_seq(arena), .address = address && *address ? address : NULL };
	struct pw_val *holder = pw_val_map(arena);
	int rc = dump(&r, !r.address ? AF_UNSPEC : strchr(address, ':') ? AF_INET6 : AF_INET, err);
	if (rc)
		return pw_err_wrap(err, rc == PW_DENIED ? "listing tracked connections needs CAP_NET_ADMIN" : "listing tracked connections");
	rc = pw_read_sysctls(ctx, limits, sizeof limits / sizeof *limits, holder, err);
	if (rc)
		return rc;
	pw_map_set(ret, "entries", r.list);
	if (r.matched > KEEP_MAX)
		pw_map_set_int(ret, "cut", (long long)r.matched);
	pw_map_set_int(ret, "count", pw_map_int(pw_map_get(holder, "sysctls"), limits[0], (long long)r.seen));
	pw_map_set_int(ret, "max", pw_map_int(pw_map_get(holder, "sysctls"), limits[1], -1));
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "listing tracked connections: out of memory") : PW_OK;
}
