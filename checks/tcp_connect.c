/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tcp_connect: reach a port several times with fresh source ports and say how
 * it answers. The pattern over the attempts carries as much as one result: a
 * dead backend, a dead path and a full table all look like "it sometimes works".
 */
#include <errno.h>
#include <string.h>

#include <packetwalk/borrow.h>

static const struct pw_param params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address to connect to" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Port to connect to" },
	{ "protocol", PW_TYPE_CHOICE, 0, "TCP", "TCP|UDP|SCTP", "UDP: a datagram stands for the SYN and any answer for the handshake" },
	{ "count", PW_TYPE_INT, 0, "8", "1..64", "Connects, side by side, each from a fresh source port" },
	{ "wait", PW_TYPE_DURATION, 0, "2s", NULL, "Limit of one connect" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "connected", PW_CLASS_OK, "Every attempt connected.", NULL, NULL },
	{ "slow", PW_CLASS_WARN, "Connected, but some only after a retransmitted SYN (1, 3, 7 s): packets are lost.", "loss, bad checksums, or one of several paths dead", "watch the flow at both nodes" },
	{ "partly-silent", PW_CLASS_FAIL, "Some attempts connected, some got no answer at all.", "one of several backends or paths is dead, or a table is full", "connect to every backend directly" },
	{ "partly-refused", PW_CLASS_FAIL, "Some attempts connected, some were refused.", "one backend does not listen on that port", "connect to every backend directly" },
	{ "timeout", PW_CLASS_FAIL, "No attempt got any answer.", "a drop on the way: policy, firewall, route, overlay, or missing Service rules", "try the next hop directly" },
	{ "refused-rst", PW_CLASS_FAIL, "Refused with a RST: the packet reached a host where nothing listens on that port.", "wrong port or nothing listening", "look at the listening sockets of the server" },
	{ "refused-icmp", PW_CLASS_FAIL, "Refused with an ICMP error: a rule or a router said no on behalf of the server.", "a Service without endpoints, or a rejecting firewall or policy", "look at the endpoints of the Service" },
	{ "host-unreachable", PW_CLASS_FAIL, "Unreachable at once, said by a router or firewall (ICMP) or the own routing table.", "a prohibiting firewall, or an unreachable route", "see which host sent the ICMP" },
	{ "neighbour-silent", PW_CLASS_FAIL, "The next hop did not answer ARP (EHOSTUNREACH after about 3 s).", "the next hop is down, moved, or in another network segment", "look at the link and the neighbour table" },
	{ "net-unreachable", PW_CLASS_FAIL, "No route to that network.", "a missing route in the sender or on a router", "look at the routes of the sender" },
	{ "local-denied", PW_CLASS_FAIL, "The sender's own host refused to send (EPERM, EACCES, EINVAL).", "a local firewall, an eBPF hook, or a blackhole or prohibit route", "look at the rules and routes of the sender" },
	{ "no-ports", PW_CLASS_FAIL, "No free source port (EADDRNOTAVAIL).", "the local port range towards this destination is used up", "close or pool connections" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "address", PW_TYPE_ADDRESS, NULL, "Address connected to" },
	{ "port", PW_TYPE_PORT, NULL, "Port connected to" },
	{ "attempts", PW_TYPE_INT, NULL, "Attempts made" },
	{ "connected", PW_TYPE_INT, NULL, "Attempts that connected" },
	{ "late", PW_TYPE_INT, NULL, "Attempts of these that connected only after a retransmission" },
	{ "silent", PW_TYPE_INT, NULL, "Attempts without any answer" },
	{ "refused", PW_TYPE_INT, NULL, "Attempts refused, by RST or ICMP" },
	{ "ms", PW_TYPE_REAL, "ms", "Median time of the attempts" },
	{ "ms_max", PW_TYPE_REAL, "ms", "Longest time of an attempt" },
	{ "icmp_from", PW_TYPE_STR, NULL, "Host that sent the ICMP error, empty if none" },
	{ "icmp", PW_TYPE_STR, NULL, "Type/code of the ICMP error, empty if none" },
	{ "errno", PW_TYPE_STR, NULL, "First errno name, empty if none" },
	{ "never_left", PW_TYPE_BOOL, NULL, "The SYNs did not leave the sender (dropped in its own OUTPUT)" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static struct pw_tcp_spec spec_of(const struct pw_ctx *ctx)
{
	return (struct pw_tcp_spec){
		.address = pw_ctx_str(ctx, "address"),
		.port = (unsigned)pw_ctx_int(ctx, "port"),
		.count = (unsigned)pw_ctx_int(ctx, "count"),
		.timeout_ms = pw_ctx_ms(ctx, "wait"),
		.reset = true,
	};
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *protocol = pw_ctx_str(ctx, "protocol");
	const struct pw_tcp_spec spec = spec_of(ctx);
	if (!strcmp(protocol, "SCTP"))
		return pw_err_set(err, PW_UNSUPPORTED, "SCTP ports cannot be probed");
	if (!strcmp(protocol, "UDP"))
		return pw_probe_udp(ctx, spec.address, spec.port, pw_udp_question, sizeof pw_udp_question, spec.count, spec.timeout_ms, observation, err);
	return pw_probe_tcp(ctx, &spec, observation, err);
}

static int borrow(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *observation, struct pw_err *err)
{
	const char *protocol = pw_ctx_str(ctx, "protocol");
	const struct pw_tcp_spec spec = spec_of(ctx);
	if (!strcmp(protocol, "SCTP"))
		return pw_err_set(err, PW_UNSUPPORTED, "SCTP ports cannot be probed");
	if (!strcmp(protocol, "UDP"))
		return pw_borrow_udp(ctx, tools, spec.address, spec.port, pw_udp_question, sizeof pw_udp_question, spec.count, spec.timeout_ms, observation, err);
	return pw_borrow_tcp(ctx, tools, &spec, observation, err);
}

/* refused, untold: by borrowed programs, which do not always say by what, or how it ended at all. */
struct tally { unsigned n, connected, silent, rst, icmp, host, arp, net, local, ports, slow, refused, untold; };

/* A SYN is sent again after 1 s (RFC 6298 2.1): a connect that took longer was
 * answered only on a retransmission. */
#define RETRANSMITTED_MS 900
/* Three ARP probes one second apart (neigh ucast_probes, retrans_time_ms). */
#define ARP_FAILED_MS 2500

/* ICMP 3/1 from the sender's own address: its kernel gave up on ARP for the
 * next hop, now or a moment ago, and says so without waiting again. */
static bool own_arp_failure(const struct pw_val *attempt)
{
	const struct pw_val *icmp = pw_map_get(attempt, "icmp");
	const char *from = pw_map_str(icmp, "from", ""), *source = pw_map_str(attempt, "source", "");
	size_t len = strlen(from);
	return len && pw_map_int(icmp, "type", 0) == 3 && pw_map_int(icmp, "code", -1) == 1 && !strncmp(source, from, len) && source[len] == ':';
}

static void count_attempt(struct tally *t, const struct pw_val *attempt)
{
	const char *result = pw_map_str(attempt, "result", "");
	double ms = 0;
	(void)pw_val_to_real(pw_map_get(attempt, "ms"), &ms);
	t->n++;
	if (!strcmp(result, "connected") || !strcmp(result, "answered")) {
		t->connected++;
		t->slow += ms > RETRANSMITTED_MS;
	} else if (!strcmp(result, "timeout") || !strcmp(result, "silent")) {
		t->silent++;
	} else if (!strcmp(result, "refused-rst")) {
		t->rst++;
	} else if (!strcmp(result, "refused-icmp")) {
		t->icmp++;
	} else if (!strcmp(result, "host-unreachable") || !strcmp(result, "unreachable")) {
		bool by_icmp = *pw_map_str(pw_map_get(attempt, "icmp"), "from", "");
		if ((ms > ARP_FAILED_MS && !by_icmp) || own_arp_failure(attempt))
			t->arp++;
		else
			t->host++;
	} else if (!strcmp(result, "net-unreachable")) {
		t->net++;
	} else if (!strcmp(result, "no-ports")) {
		t->ports++;
	} else if (!strcmp(result, "refused")) {
		t->refused++;
	} else if (!strcmp(result, "untold")) {
		t->untold++;
	} else {
		t->local++;
	}
}

static const char *decide(const struct tally *t)
{
	if (t->connected == t->n)
		return t->slow ? "slow" : "connected";
	if (t->connected)
		return t->rst + t->icmp + t->refused > t->silent + t->arp + t->host ? "partly-refused" : "partly-silent";
	if (t->ports)
		return "no-ports";
	/* ICMP errors are rate limited (net.ipv4.icmp_ratelimit): a burst of
	 * rejects shows a few errors and silence for the rest. */
	if (t->icmp)
		return "refused-icmp";
	if (t->rst)
		return t->silent > t->rst ? "timeout" : "refused-rst";
	if (t->host)
		return "host-unreachable";
	if (t->arp)
		return "neighbour-silent";
	if (t->net)
		return "net-unreachable";
	return t->local ? "local-denied" : "timeout";
}

/* The errors of a connect; numbers are Linux's. */
static const char *errno_name(long long number)
{
	static const struct { int number; const char *name; } names[] = {
		{ EPERM, "EPERM" }, { EACCES, "EACCES" }, { EINVAL, "EINVAL" }, { ECONNREFUSED, "ECONNREFUSED" }, { ECONNRESET, "ECONNRESET" },
		{ ETIMEDOUT, "ETIMEDOUT" }, { EHOSTUNREACH, "EHOSTUNREACH" }, { ENETUNREACH, "ENETUNREACH" }, { EHOSTDOWN, "EHOSTDOWN" },
		{ ENETDOWN, "ENETDOWN" }, { EADDRNOTAVAIL, "EADDRNOTAVAIL" }, { ECONNABORTED, "ECONNABORTED" }, { EPROTO, "EPROTO" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == number)
			return names[i].name;
	return number ? "another" : "";
}

static const char *first_errno(const struct pw_val *attempts)
{
	const char *name = "";
	for (size_t i = 0; !*name && i < pw_val_count(attempts); i++)
		name = errno_name(pw_map_int(pw_val_at(attempts, i), "errno", 0));
	return name;
}

static const struct pw_val *first_with(const struct pw_val *attempts, const char *key)
{
	for (size_t i = 0; i < pw_val_count(attempts); i++) {
		const struct pw_val *found = pw_map_get(pw_val_at(attempts, i), key);
		if (found && !pw_val_is(found, PW_VAL_NULL))
			return found;
	}
	return NULL;
}

static void say(struct pw_result *result, const struct tally *t, const char *address, long long port, const char *icmp_from)
{
	const char *outcome = decide(t), *by = *icmp_from ? icmp_from : "the sender's own host";
	if (!strcmp(outcome, "connected"))
		pw_result_set(result, outcome, "%s port %lld answered all %u attempts.", address, port, t->n);
	else if (!strcmp(outcome, "slow"))
		pw_result_set(result, outcome, "%s port %lld answered, but %u of %u attempts only after a retransmission.", address, port, t->slow, t->n);
	else if (!strcmp(outcome, "timeout"))
		pw_result_set(result, outcome, "%s port %lld gave no answer to %u attempts.", address, port, t->n);
	else if (!strcmp(outcome, "refused-rst"))
		pw_result_set(result, outcome, "%s port %lld refused %u of %u attempts with a RST.", address, port, t->rst, t->n);
	else if (!strcmp(outcome, "refused-icmp"))
		pw_result_set(result, outcome, "%s port %lld was refused by an ICMP error from %s.", address, port, by);
	else if (!strcmp(outcome, "host-unreachable"))
		pw_result_set(result, outcome, "%s port %lld is unreachable at once, says %s.", address, port, by);
	else if (!strcmp(outcome, "neighbour-silent"))
		pw_result_set(result, outcome, "%s port %lld: the next hop does not answer ARP.", address, port);
	else
		pw_result_set(result, outcome, "%s port %lld: %u connected, %u silent, %u refused, %u unreachable, %u denied by the sender's own host, of %u.",
			      address, port, t->connected, t->silent, t->rst + t->icmp + t->refused, t->host + t->arp + t->net, t->local + t->ports, t->n);
}

/* What a borrowed program leaves open, an agent would tell. */
static bool say_untold(struct pw_result *result, const struct tally *t, const char *address, long long port, const char *tool)
{
	if (t->untold)
		pw_result_unknown(result, "%s port %lld: of %u attempts %u connected, and %s does not tell how %u of them ended. An agent on the sender's node would.",
				  address, port, t->n, t->connected, tool, t->untold);
	else if (t->refused && !t->connected)
		pw_result_unknown(result, "%s port %lld was refused, and %s does not tell whether by a RST or by an ICMP error. An agent on the sender's node would.",
				  address, port, tool);
	return t->untold || (t->refused && !t->connected);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *attempts = pw_map_get(observation, "attempts");
	struct tally t = { 0 };
	for (size_t i = 0; i < pw_val_count(attempts); i++)
		count_attempt(&t, pw_val_at(attempts, i));
	if (!t.n) {
		pw_result_unknown(result, "no attempt was made");
		return PW_OK;
	}
	const struct pw_val *icmp = first_with(attempts, "icmp");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "address", pw_ctx_str(ctx, "address"));
	pw_map_set_int(ev, "port", pw_ctx_int(ctx, "port"));
	pw_map_set_int(ev, "attempts", t.n);
	pw_map_set_int(ev, "connected", t.connected);
	pw_map_set_int(ev, "late", t.slow);
	pw_map_set_int(ev, "silent", t.silent + t.arp);
	pw_map_set_int(ev, "refused", t.rst + t.icmp + t.refused);
	double ms = 0;
	if (pw_val_to_real(pw_map_get(observation, "ms_median"), &ms))
		pw_map_set_real(ev, "ms", ms);
	if (pw_val_to_real(pw_map_get(observation, "ms_max"), &ms))
		pw_map_set_real(ev, "ms_max", ms);
	pw_map_set_str(ev, "icmp_from", pw_map_str(icmp, "from", ""));
	if (icmp)
		pw_map_set_strf(ev, "icmp", "%lld/%lld", pw_map_int(icmp, "type", -1), pw_map_int(icmp, "code", -1));
	else
		pw_map_set_str(ev, "icmp", "");
	pw_map_set_str(ev, "errno", first_errno(attempts));
	pw_map_set_bool(ev, "never_left", pw_map_bool(observation, "out_drop", false));
	if (!say_untold(result, &t, pw_ctx_str(ctx, "address"), pw_ctx_int(ctx, "port"), pw_map_str(observation, "tool", "its program")))
		say(result, &t, pw_ctx_str(ctx, "address"), pw_ctx_int(ctx, "port"), pw_map_str(icmp, "from", ""));
	return PW_OK;
}

const struct pw_check pw_check_tcp_connect = {
	PW_CHECK_HEAD("tcp_connect"),
	.summary = "Reach a port with several connects and say how it answers",
	.details = "Tells silence from refusal, a RST from an ICMP error, and an outage from one that hits only some source ports.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.timeout_ms = 6000,
	.example = "check tcp_connect address=10.96.0.1 port=443",
	.probe = probe,
	.judge = judge,
	.borrow = borrow,
};
