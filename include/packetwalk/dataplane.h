/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_DATAPLANE_H
#define PACKETWALK_DATAPLANE_H

#include <packetwalk/ctx.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * What this network namespace would do with a packet, read from the kernel
 * (netlink, /proc, /sys) or from dumps. Readers write maps, judge nothing. A
 * listing too long to keep is cut, and "cut" then says how many items there were.
 */

/* Links. ret "links": [{index, name, kind, mac, mtu, up, carrier, master, peer_index, peer_netns,
 *   rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped, tx_dropped, rx_errors, tx_errors, qdisc, promisc,
 *   vxlan: {id, port, local, dev, learning}, bridge_port: {state, hairpin, isolated, learning}, addresses: ["ip/len"..]}] */
int pw_read_links(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);
/* Is `address` (without a length, not empty) one of a link's own? */
bool pw_link_has_address(const struct pw_val *link, const char *address);
/* Does a link of this kind carry the packets of others inside its own (an overlay, a VPN)? */
bool pw_link_is_tunnel(const char *kind);
/* Is a link not made of software, as far as kind and name tell? A lab's uplink is a veth named eth0, a machine's has no kind. */
bool pw_link_is_uplink(const struct pw_val *link);
/* ret "routes": [{dst ("ip/len" or "default"), table, type, gateway, dev, src, mtu, proto, scope, metric, onlink, nexthops: [..]}], "rules": [..] */
int pw_read_routes(struct pw_ctx *ctx, int family, struct pw_val *ret, struct pw_err *err);
/* RTM_GETROUTE as linux.md says. from/iif/mark optional. ret: {dst, result: ok|unreachable|no-route|prohibited|blackhole|
 *   forwarding-off|rp-filter|error, type, dev, gateway, src, mtu, table, matched} */
int pw_route_get(struct pw_ctx *ctx, const char *dst, const char *from, const char *iif, unsigned mark, struct pw_val *ret, struct pw_err *err);
/* The route of a packet in transit, which comes in where the own route to its sender goes out: as pw_route_get, and "iif".
 * Nothing is put into ret where the way to the sender is not known. */
int pw_route_transit(struct pw_ctx *ctx, const char *dst, const char *from, struct pw_val *ret, struct pw_err *err);
/* The routing rule by which a packet of `from` for `dst` is refused, by itself or by the route of its table; NULL: none that is known.
 * Takes what pw_read_routes put into `observation`. */
const struct pw_val *pw_routes_refusal(const struct pw_val *observation, const char *from, const char *dst);
/* ret "neighbours": [{address, dev, mac, state, permanent}] */
int pw_read_neighbours(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);
/* ret "fdb": [{mac, dev, dst, port, vni, permanent, master}] */
int pw_read_fdb(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);
/* The link behind which an address was learned: a bridge's port that knows the MAC of its neighbour entry; or NULL. Takes what the
 * three readers of links, neighbours and fdb put into `observation`. */
const struct pw_val *pw_port_of(const struct pw_val *observation, const char *address);
/* ret "sockets": [{protocol: tcp|udp, family: 4|6, address, port, v6only, queue, backlog, drops, inode}] of this namespace */
int pw_read_listeners(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);
/* Selected sysctls. ret "sysctls": {"net.ipv4.ip_forward": "1", ...} (absent file: key missing) */
int pw_read_sysctls(struct pw_ctx *ctx, const char *const *names, size_t n, struct pw_val *ret, struct pw_err *err);
/* /proc/thread-self/net/{snmp,netstat,stat/nf_conntrack} and link counters, flat: {"Ip.ForwDatagrams": N, "TcpExt.ListenOverflows": N,
 *   "conntrack.drop": N, "link.eth0.rx_packets": N, ...} */
int pw_read_counters(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);
/* after - before, only what changed, into ret */
void pw_counters_delta(const struct pw_val *before, const struct pw_val *after, struct pw_val *ret);

/* Conntrack entries to or from an address, by netlink. ret "entries": [{protocol, src, dst, sport, dport, reply_src, reply_dst,
 *   reply_sport, reply_dport, state, unreplied, assured, timeout_s, mark}], "count", "max" */
int pw_read_conntrack(struct pw_ctx *ctx, const char *address, struct pw_val *ret, struct pw_err *err);

/*
 * Netfilter rules as one model, whatever wrote them: iptables-save (nft or
 * legacy), and foreign nft tables. Parsed once, walked through an index.
 */
struct pw_rules;
enum pw_rules_backend { PW_RULES_NFT, PW_RULES_LEGACY, PW_RULES_TEXT };

/* Pure parsers, for dumps and tests. New set in `arena`. */
struct pw_rules *pw_rules_new(struct pw_arena *arena);
int pw_rules_add_iptables_save(struct pw_rules *rules, enum pw_rules_backend backend, const char *text, size_t len, const char *file, struct pw_err *err);
/* `nft -j list ruleset`. Tables that an iptables-save (nft) already gave are not read a second time; give that first. */
int pw_rules_add_nft_json(struct pw_rules *rules, const char *text, size_t len, const char *file, struct pw_err *err);
/* Runs iptables-save -c (nft and, if /proc/net/ip_tables_names lists tables, legacy) and `nft -j list ruleset` by argv and adds them.
 * A NULL set, of which memory ran out, is PW_NOMEM. */
int pw_rules_read(struct pw_ctx *ctx, struct pw_rules *rules, struct pw_err *err);
size_t pw_rules_count(const struct pw_rules *rules);
size_t pw_rules_chain_count(const struct pw_rules *rules); /* chains declared in the dumps */
/* What could not be read, "file:line: why" each, at most 64. ret: a seq. */
void pw_rules_problems(const struct pw_rules *rules, struct pw_val *ret);
/* table: "nat", or with its family "ip6 nat", "ip kube-proxy" */
bool pw_rules_has_chain(const struct pw_rules *rules, const char *table, const char *chain);

/* Kubernetes' word for a protocol (TCP, UDP, SCTP) as rules write it. */
const char *pw_packet_protocol(const char *protocol);
/* A packet to ask about. Strings are literals; "" or NULL where unknown. */
struct pw_packet {
	const char *src, *dst, *protocol; /* protocol "tcp", "udp", "icmp", "sctp" */
	unsigned sport, dport;
	const char *iif, *oif;            /* interface names; "" for locally made / not yet routed */
	bool local_out;                   /* starts in OUTPUT instead of PREROUTING */
	bool dst_local;                   /* the destination (after DNAT) is this host: INPUT instead of FORWARD */
	unsigned mark;
	const char *ctstate;              /* "NEW" unless said */
	/* Addresses of this host ("ip" or "ip/len"). With them, INPUT or FORWARD and `addrtype LOCAL` are decided by the destination at
	 * that point of the walk. None given: those that pw_rules_read found. None known at all (a dump): dst_local decides, and a LOCAL
	 * match on any other destination is unknown. */
	const char *const *locals;
	size_t n_locals;
};
/* Walks nat (PREROUTING or OUTPUT), then filter (FORWARD, INPUT or OUTPUT), then nat POSTROUTING.
 * ret: {outcome: dnat|accept|drop|reject|none, targets: ["ip:port"..] (every backend that may be chosen), masquerade: bool,
 *   reject_with, decided_by: {backend, table, chain, rule (as text), packets}, trail: [{backend, table, chain, rule, packets}..],
 *   unknown: [matches not understood..], policy_drop: bool} */
int pw_rules_walk(const struct pw_rules *rules, const struct pw_packet *packet, struct pw_arena *arena, struct pw_val *ret, struct pw_err *err);
/* The walk crosses every base chain of ip, ip6 and inet in the order of hooks and priorities (so raw, mangle and nft chains too), of
 * both backends. What cannot be known from the packet is taken both ways: if only some ways end in a drop, ret gets
 * maybe_drop: {backend, table, chain, rule, packets, verdict} and keeps the outcome of the others. A target of REDIRECT is
 * "local:PORT". Steps of the trail that only may match say maybe: true. */

/* Every rule, of any hook and family (bridge, netdev too), that could drop this packet, reachable from its base chain.
 * ret "drops": [{backend, table, chain, hook, rule, packets, verdict: drop|reject, certain, on_path}]: certain when nothing
 * of the packet gets past that base chain, on_path when the walk above crosses that hook. */
int pw_rules_find_drops(const struct pw_rules *rules, const struct pw_packet *packet, struct pw_arena *arena, struct pw_val *ret, struct pw_err *err);
/* One flow as this place meets it: forwarded, unless it starts or ends here. */
struct pw_flow {
	const char *src, *dst, *protocol; /* as in struct pw_packet */
	unsigned port;
	bool from_here, to_here;
	bool answered; /* look at the answers too; a tunnel's packets go to one port in both directions, and answer nothing */
};
/* Walks the flow's packets with the interfaces they take here, by routes, neighbours and bridge ports. ret: "walk" of pw_rules_walk and
 * "drops" of pw_rules_find_drops, and the same of the answers in "back". */
int pw_flow_meet(struct pw_ctx *ctx, const struct pw_rules *rules, const struct pw_flow *flow, struct pw_val *ret, struct pw_err *err);
/* Counters of every rule that may drop or reject: flat {"filter/FORWARD#3 -j DROP": packets, "filter/FORWARD policy DROP": packets} */
int pw_rules_drop_counters(const struct pw_rules *rules, struct pw_val *ret);
/* Is a rule that the walk names (its decided_by, a step of its trail) kube-proxy's, by its chain (iptables) or table (nftables)? */
bool pw_rule_is_kube_proxys(const struct pw_val *rule);
/* Is it the one that the nftables mode has for packets to Service addresses, or ports of them, that it knows nothing of? */
bool pw_rule_is_of_no_service(const struct pw_val *rule);
/* What it means that such a rule stops a packet, by who wrote it: "enforcer-drop", "kube-drop", "bridge-drop", "legacy-drop",
 * "policy-drop" (a chain's own policy), "rejected", "dropped". */
const char *pw_rule_drop_word(const struct pw_val *rule, bool reject);
/* kube-proxy's chain name (iptables mode): prefix "KUBE-SVC-", "KUBE-SEP-" ...; endpoint "ip:port" or NULL. out has at least 29 bytes. */
void pw_kube_chain(const char *prefix, const char *ns, const char *name, const char *port_name, const char *protocol, const char *endpoint, char out[32]);

#pragma GCC visibility pop

#endif
