/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One flow and the rules of one place: which interfaces its packets take here, and which rules they meet with these, in both
 * directions. A rule that names an interface is in doubt as long as the packet's is not known.
 */
#include <packetwalk/dataplane.h>

#include <string.h>

/* Devices as routed packets show them, and the bridge's ports below them, as its own and the devices' hooks show them. */
struct ways {
	const char *in, *out, *in_port, *out_port;
};

static const char *port_name(const struct pw_val *observation, const char *address)
{
	return pw_map_str(pw_port_of(observation, address), "name", "");
}

static int find_ways(struct pw_ctx *ctx, const struct pw_flow *flow, struct ways *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct pw_val *seen = pw_val_map(arena), *route = pw_val_map(arena);
	int rc = flow->to_here ? pw_route_get(ctx, flow->src, NULL, NULL, 0, route, err)
	       : flow->from_here ? pw_route_get(ctx, flow->dst, NULL, NULL, 0, route, err)
	       : pw_route_transit(ctx, flow->dst, flow->src, route, err);
	if (!rc)
		rc = pw_read_links(ctx, seen, err);
	if (!rc)
		rc = pw_read_neighbours(ctx, seen, err);
	if (!rc)
		rc = pw_read_fdb(ctx, seen, err);
	const char *dev = pw_map_str(route, "dev", "");
	*ret = (struct ways){
		.in = flow->from_here ? "" : flow->to_here ? dev : pw_map_str(route, "iif", ""), .out = flow->to_here ? "" : dev,
		.in_port = flow->from_here ? "" : port_name(seen, flow->src), .out_port = flow->to_here ? "" : port_name(seen, flow->dst),
	};
	return rc;
}

static struct pw_packet packet_of(const struct pw_flow *flow, const struct ways *ways, bool back, bool ports)
{
	const char *in = ports ? ways->in_port : ways->in, *out = ports ? ways->out_port : ways->out;
	struct pw_packet there = {
		.src = flow->src, .dst = flow->dst, .protocol = flow->protocol, .dport = flow->port, .iif = in, .oif = out, .ctstate = "NEW",
		.local_out = flow->from_here, .dst_local = flow->to_here,
	};
	struct pw_packet answer = {
		.src = flow->dst, .dst = flow->src, .protocol = flow->protocol, .sport = flow->port, .iif = out, .oif = in, .ctstate = "ESTABLISHED",
		.local_out = flow->to_here, .dst_local = flow->from_here,
	};
	return back ? answer : there;
}

static bool is_of(const struct pw_val *drop, const char *family)
{
	size_t len = strlen(family);
	const char *table = pw_map_str(drop, "table", "");
	return !strncmp(table, family, len) && table[len] == ' ';
}

/* Bridges filter between ports; a device's own hook may be a port's or that of the bridge. A hook of whatever device is none of this packet's. */
static bool met(const struct pw_val *drop, const struct pw_packet *packet, bool ports)
{
	bool egress = !strcmp(pw_map_str(drop, "hook", ""), "egress");
	if (is_of(drop, "netdev"))
		return *(egress ? packet->oif : packet->iif) != '\0';
	return ports == is_of(drop, "bridge");
}

static int find_drops(const struct pw_rules *rules, const struct pw_flow *flow, const struct ways *ways, bool back, struct pw_arena *arena, struct pw_val *ret,
		      struct pw_err *err)
{
	struct pw_val *drops = pw_map_set_seq(ret, "drops");
	for (int ports = 0; ports < 2; ports++) {
		struct pw_val *found = pw_val_map(arena);
		struct pw_packet packet = packet_of(flow, ways, back, ports);
		int rc = pw_rules_find_drops(rules, &packet, arena, found, err);
		if (rc)
			return rc;
		const struct pw_val *list = pw_map_get(found, "drops");
		for (size_t i = 0; i < pw_val_count(list); i++)
			if (met(pw_val_at(list, i), &packet, ports))
				pw_seq_add(drops, pw_val_copy(arena, pw_val_at(list, i)));
	}
	return PW_OK;
}

int pw_flow_meet(struct pw_ctx *ctx, const struct pw_rules *rules, const struct pw_flow *flow, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct ways ways;
	int rc = find_ways(ctx, flow, &ways, err);
	for (int back = 0; !rc && back <= (flow->answered ? 1 : 0); back++) {
		struct pw_val *way = back ? pw_map_set_map(ret, "back") : ret;
		struct pw_packet packet = packet_of(flow, &ways, back, false);
		rc = pw_rules_walk(rules, &packet, arena, pw_map_set_map(way, "walk"), err);
		if (!rc)
			rc = find_drops(rules, flow, &ways, back, arena, pw_map_set_map(way, "drops"), err);
	}
	return rc;
}
