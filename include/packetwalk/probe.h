/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_PROBE_H
#define PACKETWALK_PROBE_H

#include <packetwalk/ctx.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * Active probes for checks. Each runs in the calling process's network
 * namespace (the engine has entered it), ends before the deadline of `ctx`,
 * and writes what it saw, without judgement, into the map `ret`. A negative
 * return means the probe itself could not run (no socket, no permission);
 * that the peer is silent is an observation, not an error.
 */

/* DNS, one question to one server, over c-ares, rcode never hidden.
 * ret: {server, name, type, transport, result: answered|timeout|refused-icmp|refused-rst (TCP)|unreachable|
 *       local-denied|closed (TCP, without an answer)|malformed,
 *       rcode: "NOERROR"..., rcode_num, aa, ra, tc (bools), ttl, addresses: [..], cnames: [..], targets: [..] (of SRV, PTR, NS),
 *       srv: [{target, port, priority, weight}], texts: [..], soa, negative_ttl (of a name or type that is not there),
 *       answers: N, ms, bytes, tries, errno, icmp: {type, code, from},
 *       other_source ("ip:port" that answered in the server's place: resolvers drop such answers)} */
struct pw_dns_query {
	const char *server;        /* "10.96.0.10", "10.96.0.10:5353", "[::1]:53" */
	const char *name;          /* sent as is; a trailing dot is optional */
	const char *type;          /* A AAAA SRV PTR TXT SOA NS CNAME */
	bool tcp;
	bool edns;                 /* OPT with 1232 bytes */
	unsigned timeout_ms;       /* per try */
	unsigned tries;            /* at least 1 */
};
int pw_probe_dns(struct pw_ctx *ctx, const struct pw_dns_query *query, struct pw_val *ret, struct pw_err *err);

/* The lookups a libc makes for `name` given a resolv.conf, in order, stopping
 * as it stops. libc: "glibc" or "musl". ret: {name, libc, candidates: [names tried..],
 * queries: [as pw_probe_dns..], result and rcode (of the deciding query), outcome: found|nodata|nxdomain|servfail|
 * other-rcode|silent|refused, addresses, candidate (the one found), ms, n_queries, from_hosts, serial (bool: A and AAAA
 * one after the other, by the options single-request and single-request-reopen)}.
 * Servers, search list, attempts and timeouts are those of the vantage's resolv.conf; timeout_ms, unless 0, caps each wait.
 * /etc/hosts of the vantage is consulted first when `hosts` is set. */
int pw_probe_lookup(struct pw_ctx *ctx, const char *name, const char *libc, bool hosts,
		    unsigned timeout_ms, struct pw_val *ret, struct pw_err *err);

/* resolv.conf of the vantage, parsed by resolv.conf(5). ret: {path, nameservers: [..], searches: [..],
 * ndots, timeout_s, attempts, options: [..], search_bytes (of the whole line: musl ignores one of 255 or more), text (cut at 4 KiB), libc: glibc|musl|unknown} */
int pw_probe_resolv_conf(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);
/* Pure: the parser of it, for tests and fuzzing. */
int pw_resolv_conf_parse(const char *text, size_t len, struct pw_val *ret, struct pw_err *err);
/* /etc/hosts of the vantage: ret seq of {address, names: [..]} under "hosts". */
int pw_probe_hosts(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);

/* TCP connects, `count` of them with fresh source ports, side by side.
 * ret: {address, port, attempts: [{result, errno, ms, source: "ip:port", retrans, segs_in,
 *       icmp: {type, code, from}, neighbour_silent (true: no answer to ARP or ND here; icmp is then of our own kernel)}..], connected, refused_rst, refused_icmp, host_unreachable, net_unreachable,
 *       timeout, local_error, other (counts), ms_min, ms_median, ms_max, out_drop (bool: SYNs never left),
 *       icmp_limited (bool: some ICMP refusals and else only silence: the sender's limit of six ICMP errors in a row may
 *       hide a refusal of all)}
 * result: connected | refused-rst | refused-icmp | host-unreachable | net-unreachable | timeout |
 *         local-denied (EPERM, EACCES) | no-ports (EADDRNOTAVAIL) | blackhole (EINVAL) | error.
 * `connected` with errno ECONNRESET: reset right after its handshake.
 * RST and ICMP are told apart by the error queue and tcpi_segs_in, with the
 * namespace's IcmpInDestUnreachs as the fallback. */
struct pw_tcp_spec {
	const char *address;       /* literal IPv4 or IPv6 */
	unsigned port;
	unsigned count;            /* 1..64 */
	unsigned timeout_ms;       /* per connect */
	const char *source;        /* literal, or NULL */
	unsigned mark;             /* SO_MARK, 0 none */
	bool reset;                /* close with RST so that no TIME_WAIT is left */
};
int pw_probe_tcp(struct pw_ctx *ctx, const struct pw_tcp_spec *spec, struct pw_val *ret, struct pw_err *err);

/* One exchange after a connect: send `payload` (may be empty), read up to 64 KiB.
 * ret: {connect: as one attempt, sent, received, first_byte_ms, result: answered|silent|reset|closed|error,
 *       ended: eof|reset|error|idle|enough|deadline, errno, ms, icmp,
 *       head (first 256 bytes, as text), acked (tcpi_bytes_acked, the SYN counts as one), unacked, retransmits, pmtu, snd_mss}
 * first_byte_ms counts from the request. Reading ends 300 ms after the last byte. */
int pw_probe_tcp_exchange(struct pw_ctx *ctx, const struct pw_tcp_spec *spec, const void *payload, size_t len,
			  struct pw_val *ret, struct pw_err *err);

/* A DNS question for ". NS": DNS and echo servers answer it, others ignore it. */
#define PW_UDP_QUESTION_SIZE 17
extern const unsigned char pw_udp_question[PW_UDP_QUESTION_SIZE];
/* UDP: send `payload`, wait for an answer, `count` times from fresh ports.
 * ret: {attempts: [{result: answered|silent|refused-icmp|unreachable|local-denied, ms, from, bytes, head, errno, icmp, other_source}..],
 *       answered, silent, refused, other_source (replies from another address) counts} */
int pw_probe_udp(struct pw_ctx *ctx, const char *address, unsigned port, const void *payload, size_t len,
		 unsigned count, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err);

/* HTTP(S) by libcurl. A host that is a name is looked up as the programs of the vantage do (pw_probe_lookup). No redirects
 * followed, body cut at 64 KiB, no proxy from the environment.
 * ret: {url, result: response|refused|timeout|reset|tls-error|closed-early|bad-protocol|unreachable|unresolved|error,
 *       stage: resolve|connect|tls|send|first-byte|body|done, errno, mismatch: plain-to-tls|tls-to-plain (when it is that),
 *       status, http_version, server (header), location, headers: {..}, body_head (256 bytes), body_bytes,
 *       lookup: {as of pw_probe_lookup}, resolve_ms, connect_ms, tls_ms, first_byte_ms (since the request), total_ms,
 *       tls: {error, verify_error: self-signed|unknown-issuer|expired|not-yet-valid|name-mismatch|x509-N, subject, issuer,
 *       not_before, not_after, names: [..]}, message, remote, local}
 * bad-protocol: what came first was no HTTP; body_head has it. */
struct pw_http_spec {
	const char *url;           /* host part may be a name; see address */
	const char *address;       /* connect here instead of resolving, or NULL */
	const char *host;          /* Host header and SNI override, or NULL */
	const char *method;        /* NULL: GET */
	size_t body_bytes;         /* send a body of this size (for MTU), 0 none */
	const char *ca_file;       /* NULL: the system's */
	bool insecure;             /* do not verify, still report the certificate */
	unsigned timeout_ms;
};
int pw_probe_http(struct pw_ctx *ctx, const struct pw_http_spec *spec, struct pw_val *ret, struct pw_err *err);

/* ICMP echo with DF. A size is that of the whole IP packet, 84 at least; at most 256 of them, all under way at once, more than ten
 * 2 ms apart; tries: at most so many until a reply, as far as the check has time; timeout of each.
 * PW_DENIED without CAP_NET_RAW where net.ipv4.ping_group_range forbids it.
 * ret: {address, sent, received, ms_min, ms_max, results: [{size, result: reply|silent|too-big|unreachable|local-denied, mtu, from, ms, icmp}]} */
int pw_probe_ping(struct pw_ctx *ctx, const char *address, const unsigned *sizes, size_t n_sizes,
		  unsigned tries, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err);

/* Path MTU by TCP-free means: sweep of DF ICMP echo with the error queue, and the interface and route MTU (0: not known).
 * `max` 0, or above the interface's MTU: that MTU. Exact to the byte; silence is tried twice. timeout_ms is waited for a reply, less once the
 * round-trip time is known. largest_ok and smallest_lost only when echo works at all.
 * ret: {address, route_mtu, link_mtu, sizes: [{size, result: reply|silent|too-big-local|too-big-router|unreachable, mtu, from}],
 *       largest_ok, smallest_lost, icmp_works (bool: any echo reply at all)} */
int pw_probe_mtu(struct pw_ctx *ctx, const char *address, unsigned max, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err);

/* ARP: who has an IPv4 address of a segment? Asked on the wire, whatever the neighbour table remembers; at most `tries` times, until somebody
 * answers, and each time for all of timeout_ms, since two may answer. PW_DENIED without CAP_NET_RAW.
 * ret: {sent, answers: [MACs that answered, each once]} */
struct pw_arp_spec {
	const char *address;       /* who is asked for */
	const char *dev, *source;  /* the interface, and the own address on it */
	unsigned tries;            /* 1..16 */
	unsigned timeout_ms;       /* of each */
};
int pw_probe_arp(struct pw_ctx *ctx, const struct pw_arp_spec *spec, struct pw_val *ret, struct pw_err *err);

/* Capture on interfaces of this namespace for for_ms and while `during` runs (may be NULL). With `during`, captures on until it
 * is quiet for 100 ms (1 s at most); its failure is this one's, after what was captured is in `ret`.
 * Writes pcapng to `keep` unless NULL, but never over a file that is there (PW_USAGE). Packets are cut at 512 bytes.
 * ret: {interfaces: [{name, packets, dropped}], dropped, n_packets, cut (bool: there were more than are told),
 * packets: [{t_us (since the start), iface, dir: in|out, proto: tcp|udp|icmp|icmp6|sctp|arp|.., src, dst, sport, dport, flags (as tcpdump: letters of FSRP.UEW, the dot is ACK: "S", "S.", "R."),
 *   seq, ack, len (of the payload), ttl, icmp ("3/3"), mtu, quote: {.. of the packet an ICMP error complains of},
 *   tunnel: vxlan|geneve|ipip|gre|"", vni, outer_src, outer_dst, vlan, arp: request|reply, mac}..] (cut at 500)}.
 * All interfaces share one kernel buffer: `dropped` (also given with each) above 0 means that absence proves nothing. */
struct pw_capture_spec {
	const char *const *interfaces; size_t n_interfaces; /* none: "any" */
	const char *filter;        /* libpcap filter, of the outer packet of a tunnel, or NULL */
	const char *host;          /* only packets from, to, or complaining of this literal address, also inside tunnels, or NULL */
	unsigned for_ms;
	const char *keep;          /* pcapng file, or NULL */
	size_t max_packets;        /* ends the capture; 0: no limit */
};
int pw_probe_capture(struct pw_ctx *ctx, const struct pw_capture_spec *spec,
		     int (*during)(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err), struct pw_val *during_ret,
		     struct pw_val *ret, struct pw_err *err);

#pragma GCC visibility pop

#endif
