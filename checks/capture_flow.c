/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capture_flow: capture one probe's packets at a point of its path. Run over
 * flow_points, all at once: the point where the packets are last seen and the
 * one where they are not is the broken hop.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "role", PW_TYPE_CHOICE, 1, NULL, "send|sender-node|receiver-node|receiver", "send: make the connects, and capture; the others capture" },
	{ "src", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the sender" },
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the receiver" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Port of the receiver" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "UDP: a datagram stands for the SYN, and any answer for the handshake" },
	{ "window", PW_TYPE_DURATION, 0, "1800ms", NULL, "How long to capture" },
	{ "keep", PW_TYPE_STR, 0, NULL, NULL, "Keep the packets in this pcapng file, at the vantage" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "both-ways", PW_CLASS_OK, "The SYNs and their answers pass this point.", NULL, NULL },
	{ "one-way", PW_CLASS_WARN, "The SYNs pass this point, and no answer does.", NULL, NULL },
	{ "tunnel-only", PW_CLASS_WARN, "The SYNs pass this point inside a tunnel, and never outside it.", NULL, NULL },
	{ "refused", PW_CLASS_WARN, "The SYNs pass this point and are answered with a RST or ICMP error.", NULL, NULL },
	{ "nothing", PW_CLASS_WARN, "No packet of the flow was seen here.", NULL, NULL },
	{ "incomplete", PW_CLASS_UNKNOWN, "The capture lost packets, so that what it lacks proves nothing.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "role", PW_TYPE_STR, NULL, "Point of the flow" },
	{ "syn", PW_TYPE_INT, "packets", "SYNs seen outside a tunnel" },
	{ "syn_tunnel", PW_TYPE_INT, "packets", "SYNs seen inside a tunnel" },
	{ "answers", PW_TYPE_INT, "packets", "SYN-ACKs seen" },
	{ "answers_tunnel", PW_TYPE_INT, "packets", "SYN-ACKs of these seen inside a tunnel" },
	{ "refusals", PW_TYPE_INT, "packets", "RSTs and ICMP errors seen" },
	{ "source", PW_TYPE_STR, NULL, "Source address of the SYNs as seen here" },
	{ "interfaces", PW_TYPE_STR, NULL, "Interfaces the flow was seen on" },
	{ "left", PW_TYPE_BOOL, NULL, "It was seen in a tunnel, or on an interface that leads out of this place" },
	{ "dropped", PW_TYPE_INT, "packets", "Packets the capture lost" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

enum { CONNECTS = 4, ISNS_MAX = 64 };

/* TCP says each SYN again after a second; datagrams are said again here. */
#define DATAGRAM_ROUNDS 3

static int send_flow(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	const char *address = pw_ctx_str(ctx, "address");
	unsigned port = (unsigned)pw_ctx_int(ctx, "port"), ms = pw_ctx_ms(ctx, "window") - pw_ctx_ms(ctx, "window") / 8;
	int rc = PW_OK;
	for (int round = 0; !strcmp(pw_ctx_str(ctx, "protocol"), "UDP") && round < DATAGRAM_ROUNDS && !rc; round++)
		rc = pw_probe_udp(ctx, address, port, pw_udp_question, sizeof pw_udp_question, CONNECTS, ms / DATAGRAM_ROUNDS, ret, err);
	if (rc || !strcmp(pw_ctx_str(ctx, "protocol"), "UDP"))
		return rc;
	struct pw_tcp_spec spec = { .address = address, .port = port, .count = CONNECTS, .timeout_ms = ms, .reset = true };
	return pw_probe_tcp(ctx, &spec, ret, err);
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	if (!strcmp(pw_ctx_str(ctx, "protocol"), "SCTP"))
		return pw_err_set(err, PW_UNSUPPORTED, "SCTP ports cannot be probed");
	/* Tunnel payloads are beyond a portable filter: take the tunnel ports
	 * (VXLAN 4789 and 8472, Geneve 6081), IP-in-IP and GRE whole, and let the
	 * capture choose by the receiver's address inside. */
	char filter[256];
	(void)snprintf(filter, sizeof filter,
		       "(host %s and %s port %lld) or udp port 4789 or udp port 8472 or udp port 6081 or ip proto 4 or ip6 proto 4 or ip proto 47 or icmp or icmp6",
		       pw_ctx_str(ctx, "address"), pw_packet_protocol(pw_ctx_str(ctx, "protocol")), pw_ctx_int(ctx, "port"));
	bool send = !strcmp(pw_ctx_str(ctx, "role"), "send");
	int rc = pw_read_links(ctx, observation, err);
	if (rc)
		return rc;
	struct pw_capture_spec spec = { .filter = filter, .host = pw_ctx_str(ctx, "address"), .for_ms = pw_ctx_ms(ctx, "window"), .keep = pw_ctx_str(ctx, "keep"), .max_packets = 2000 };
	return pw_probe_capture(ctx, &spec, send ? send_flow : NULL, send ? pw_map_set_map(observation, "connects") : NULL, observation, err);
}

struct seen { unsigned syn, tunnel, answers, answers_tunnel, refusals; const char *source; char interfaces[256]; };

/* Letters as tcpdump writes them: "S", "S.", "R."; the dot is the ACK. */
static bool flag(const struct pw_val *packet, char which)
{
	return strchr(pw_map_str(packet, "flags", ""), which) != NULL;
}

/* eth0 is not eth0.50: whole names are compared. */
static bool noted(const char *list, const char *name)
{
	size_t len = strlen(name);
	for (const char *p = list; *p; p += strspn(p, ", ")) {
		size_t n = strcspn(p, ",");
		if (n == len && !memcmp(p, name, n))
			return true;
		p += n;
	}
	return false;
}

static void note_interface(struct seen *s, const char *name)
{
	size_t used = strlen(s->interfaces);
	if (*name && !noted(s->interfaces, name))
		(void)snprintf(s->interfaces + used, sizeof s->interfaces - used, "%s%s", used ? ", " : "", name);
}

/* The flow among others to the same port, of which there are always some: the kubelet's probes, other clients. Its
 * packets have the sender's address, or one that took its place on the way; the numbers its SYNs start from stay. */
struct flow {
	const char *src, *dst, *protocol;
	long long port;
	long long isn[ISNS_MAX];
	size_t n;
};

/* Every datagram stands for a SYN. */
static bool is_syn(const struct flow *f, const struct pw_val *p)
{
	bool first = !strcmp(f->protocol, "udp") || (flag(p, 'S') && !flag(p, '.'));
	return first && !strcmp(pw_map_str(p, "proto", ""), f->protocol) && !strcmp(pw_map_str(p, "dst", ""), f->dst) && pw_map_int(p, "dport", 0) == f->port;
}

static bool started_from(const struct flow *f, long long isn)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->isn[i] == isn)
			return true;
	return false;
}

static bool same(const struct pw_val *a, const struct pw_val *b, const char *key)
{
	return !strcmp(pw_map_str(a, key, ""), pw_map_str(b, key, ""));
}

/* Does the source of this SYN send as the sender does, whom nobody answers: the same SYN twice, or as many connects? */
static bool insists(const struct flow *f, const struct pw_val *packets, const struct pw_val *syn)
{
	size_t again = 0, ports = 1;
	for (size_t i = 0; i < pw_val_count(packets); i++) {
		const struct pw_val *p = pw_val_at(packets, i);
		if (p == syn || !is_syn(f, p) || !same(p, syn, "src") || !same(p, syn, "iface") || !same(p, syn, "dir") || !same(p, syn, "tunnel"))
			continue;
		bool one = pw_map_int(p, "sport", 0) == pw_map_int(syn, "sport", 0);
		again += one;
		ports += !one;
	}
	return again || ports >= CONNECTS;
}

static void find_flow(struct flow *f, const struct pw_val *packets)
{
	const char *other = NULL;
	bool itself = false;
	for (size_t i = 0; i < pw_val_count(packets) && !itself; i++) {
		const struct pw_val *p = pw_val_at(packets, i);
		itself = is_syn(f, p) && !strcmp(pw_map_str(p, "src", ""), f->src);
		if (!itself && !other && is_syn(f, p) && insists(f, packets, p))
			other = pw_map_str(p, "src", "");
	}
	if (!itself && other)
		f->src = other;
	for (size_t i = 0; i < pw_val_count(packets) && f->n < ISNS_MAX; i++) {
		const struct pw_val *p = pw_val_at(packets, i);
		long long isn = pw_map_int(p, "seq", -1);
		if (isn >= 0 && is_syn(f, p) && !strcmp(pw_map_str(p, "src", ""), f->src) && !started_from(f, isn))
			f->isn[f->n++] = isn;
	}
}

static void look(const struct pw_val *p, const char *sender, const struct flow *f, struct seen *s)
{
	enum { ISN_SPACE = 32 };
	const char *from = pw_map_str(p, "src", ""), *to = pw_map_str(p, "dst", "");
	const char *proto = pw_map_str(p, "proto", "");
	bool ours = !strcmp(proto, f->protocol), udp = ours && !strcmp(proto, "udp");
	bool tunnel = *pw_map_str(p, "tunnel", "");
	if (is_syn(f, p)) {
		if (strcmp(from, f->src) != 0 && !started_from(f, pw_map_int(p, "seq", -1)))
			return;
		s->tunnel += tunnel;
		s->syn += !tunnel;
		s->source = *from ? from : s->source;
		note_interface(s, pw_map_str(p, "iface", ""));
	} else if (ours && !strcmp(from, f->dst) && pw_map_int(p, "sport", 0) == f->port) {
		/* Unsigned: a recorded observation may hold any number. */
		long long isn = (long long)(((uint64_t)pw_map_int(p, "ack", 0) - 1) & ((1ULL << ISN_SPACE) - 1));
		if (strcmp(to, f->src) != 0 && !started_from(f, isn))
			return;
		bool answer = udp || (flag(p, 'S') && flag(p, '.'));
		s->answers += answer;
		s->answers_tunnel += answer && tunnel;
		s->refusals += flag(p, 'R');
	} else if (!strcmp(proto, "icmp") && (!strcmp(to, sender) || !strcmp(to, f->src)) && !strncmp(pw_map_str(p, "icmp", ""), "3/", 2) &&
		   !strcmp(pw_map_str(pw_map_get(p, "quote"), "dst", f->dst), f->dst) && pw_map_int(pw_map_get(p, "quote"), "dport", f->port) == f->port) {
		s->refusals++;
	}
}

static bool leads_out(const struct pw_val *links, const char *interfaces)
{
	for (size_t i = 0; i < pw_val_count(links); i++) {
		const struct pw_val *link = pw_val_at(links, i);
		if ((pw_link_is_uplink(link) || pw_link_is_tunnel(pw_map_str(link, "kind", ""))) && noted(interfaces, pw_map_str(link, "name", "")))
			return true;
	}
	return false;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *packets = pw_map_get(observation, "packets");
	struct seen s = { .source = "" };
	long long dropped = pw_map_int(observation, "dropped", 0);
	struct flow flow = { .src = pw_ctx_str(ctx, "src"), .dst = pw_ctx_str(ctx, "address"), .port = pw_ctx_int(ctx, "port"),
			     .protocol = pw_packet_protocol(pw_ctx_str(ctx, "protocol")) };
	find_flow(&flow, packets);
	for (size_t i = 0; i < pw_val_count(packets); i++)
		look(pw_val_at(packets, i), pw_ctx_str(ctx, "src"), &flow, &s);
	const char *role = pw_ctx_str(ctx, "role");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "role", role);
	pw_map_set_int(ev, "syn", s.syn);
	pw_map_set_int(ev, "syn_tunnel", s.tunnel);
	pw_map_set_int(ev, "answers", s.answers);
	pw_map_set_int(ev, "answers_tunnel", s.answers_tunnel);
	pw_map_set_int(ev, "refusals", s.refusals);
	pw_map_set_str(ev, "source", s.source);
	pw_map_set_str(ev, "interfaces", s.interfaces);
	pw_map_set_bool(ev, "left", s.tunnel > 0 || leads_out(pw_map_get(observation, "links"), s.interfaces));
	pw_map_set_int(ev, "dropped", dropped);
	if (!s.syn && !s.tunnel && dropped > 0)
		pw_result_set(result, "incomplete", "%s: the capture lost %lld packets.", role, dropped);
	else if (!s.syn && !s.tunnel)
		pw_result_set(result, "nothing", "%s: no packet of the flow was seen.", role);
	else if (s.answers)
		pw_result_set(result, "both-ways", "%s: %u SYNs and %u answers pass.", role, s.syn + s.tunnel, s.answers);
	else if (s.refusals)
		pw_result_set(result, "refused", "%s: %u SYNs pass and %u refusals come back.", role, s.syn + s.tunnel, s.refusals);
	else if (!s.syn)
		pw_result_set(result, "tunnel-only", "%s: %u SYNs pass inside a tunnel and never come out of it.", role, s.tunnel);
	else
		pw_result_set(result, "one-way", "%s: %u SYNs pass and no answer.", role, s.syn + s.tunnel);
	return PW_OK;
}

const struct pw_check pw_check_capture_flow = {
	PW_CHECK_HEAD("capture_flow"),
	.summary = "Capture one probe's packets at a point of its path",
	.details = "Run over flow_points, all at once. Reads headers, keeps no payload unless `keep` is given.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_PRIVILEGED,
	.needs = PW_NEEDS_NET_RAW,
	.timeout_ms = 6000,
	.example = "check capture_flow role=sender-node src=10.244.1.5 address=10.244.2.6 port=8080 --at node:n1 --max-effect privileged",
	.probe = probe,
	.judge = judge,
};
