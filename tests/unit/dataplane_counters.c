/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Differences of counters, and one tracked connection as the kernel encodes it. */
#include <dataplane/nl.h>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "dataplane_util.h"

static void delta(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1u << 20);
	struct pw_val *before = pw_val_map(arena), *after = pw_val_map(arena), *ret = pw_val_map(arena);
	pw_map_set_int(before, "Ip.InReceives", 10);
	pw_map_set_int(before, "Udp.NoPorts", 3);
	pw_map_set_int(after, "Ip.InReceives", 25);
	pw_map_set_int(after, "Udp.NoPorts", 3);
	pw_map_set_int(after, "conntrack.drop", 2);
	pw_counters_delta(before, after, ret);
	is_int(pw_val_count(ret), 2, "what did not change is left out");
	is_int(pw_map_int(ret, "Ip.InReceives", -1), 15, "what grew, by how much");
	is_int(pw_map_int(ret, "conntrack.drop", -1), 2, "what was not there before counts from zero");
}

static void put_tuple(struct nlmsghdr *m, uint16_t type, const char *src, const char *dst, uint16_t sport, uint16_t dport)
{
	struct nlattr *tuple = mnl_attr_nest_start(m, type), *ip = mnl_attr_nest_start(m, CTA_TUPLE_IP);
	mnl_attr_put_u32(m, CTA_IP_V4_SRC, inet_addr(src));
	mnl_attr_put_u32(m, CTA_IP_V4_DST, inet_addr(dst));
	mnl_attr_nest_end(m, ip);
	struct nlattr *proto = mnl_attr_nest_start(m, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(m, CTA_PROTO_NUM, 6);
	mnl_attr_put_u16(m, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(m, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(m, proto);
	mnl_attr_nest_end(m, tuple);
}

static void tracked(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1u << 20);
	struct pw_nl_request request;
	struct pw_val *entry = pw_val_map(arena);
	(void)pw_nl_begin(&request, 0, 0, sizeof(struct nfgenmsg));
	struct nlmsghdr *m = request.header;
	put_tuple(m, CTA_TUPLE_ORIG, "10.244.1.7", "10.96.0.80", 40000, 80);
	put_tuple(m, CTA_TUPLE_REPLY, "10.244.2.5", "10.244.1.7", 8080, 40000);
	struct nlattr *info = mnl_attr_nest_start(m, CTA_PROTOINFO), *tcp = mnl_attr_nest_start(m, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(m, CTA_PROTOINFO_TCP_STATE, 3); /* TCP_CONNTRACK_ESTABLISHED */
	mnl_attr_nest_end(m, tcp);
	mnl_attr_nest_end(m, info);
	mnl_attr_put_u32(m, CTA_STATUS, htonl(1u << 1 | 1u << 2)); /* IPS_SEEN_REPLY, IPS_ASSURED */
	mnl_attr_put_u32(m, CTA_TIMEOUT, htonl(86399));
	mnl_attr_put_u32(m, CTA_MARK, htonl(0x4000));
	ok(pw_conntrack_entry(m, "10.244.2.5", entry), "an address behind NAT is found");
	is_str(pw_map_str(entry, "protocol", ""), "tcp", "protocol");
	is_str(pw_map_str(entry, "dst", ""), "10.96.0.80", "what was called");
	is_str(pw_map_str(entry, "reply_src", ""), "10.244.2.5", "who answers");
	is_int(pw_map_int(entry, "reply_sport", -1), 8080, "from which port");
	is_str(pw_map_str(entry, "state", ""), "ESTABLISHED", "state");
	ok(!pw_map_bool(entry, "unreplied", true) && pw_map_bool(entry, "assured", false), "flags");
	is_int(pw_map_int(entry, "timeout_s", -1), 86399, "timeout");
	is_int(pw_map_int(entry, "mark", -1), 0x4000, "mark");
	ok(!pw_conntrack_entry(m, "10.244.9.9", NULL), "another address is not");
}

int main(void)
{
	delta();
	tracked();
	return tap_done();
}
