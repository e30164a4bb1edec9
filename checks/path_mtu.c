/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * path_mtu: do packets as large as the sender's interface allows arrive? A
 * connection that opens and then stalls is the sign of a path that drops large
 * packets without saying so.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address at the other end" },
	{ "port", PW_TYPE_PORT, 0, NULL, NULL, "A TCP port there that accepts: then a bulk of data is sent as well, in case ICMP is filtered" },
	{ "wait", PW_TYPE_DURATION, 0, "700ms", NULL, "Limit of one packet" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "Packets as large as the sender's interface allows arrive.", NULL, NULL },
	{ "reduced", PW_CLASS_OK, "The path is narrower than the interface, and says so (ICMP or the own route): path MTU discovery works.", NULL, NULL },
	{ "clamped", PW_CLASS_OK, "Large packets vanish without a word, and TCP is told to send smaller ones (MSS): connections work, datagrams may not.", NULL, NULL },
	{ "black-hole", PW_CLASS_FAIL, "Small packets arrive, large ones vanish without a word.", "MTU too large for an overlay, or a link with a smaller MTU whose ICMP is filtered", "lower the MTU, or let ICMP type 3 pass" },
	{ "no-answer", PW_CLASS_UNKNOWN, "Nothing answers, small packets neither.", "ICMP is filtered, or the host is down", "give a TCP port" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "link_mtu", PW_TYPE_INT, "bytes", "MTU of the sender's interface" },
	{ "largest", PW_TYPE_INT, "bytes", "Largest IP packet that arrived, 0 if none" },
	{ "lost", PW_TYPE_INT, "bytes", "Smallest IP packet that vanished, 0 if none" },
	{ "narrow_from", PW_TYPE_STR, NULL, "Host that said the path is narrower, empty if none" },
	{ "bulk_sent", PW_TYPE_INT, "bytes", "Bytes sent over TCP" },
	{ "bulk_acked", PW_TYPE_INT, "bytes", "Bytes of them acknowledged" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* Larger than any MTU in use below jumbo frames (9000) several times over. */
#define BULK_BYTES 32768

static int send_bulk(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	char *bulk = pw_arena_alloc(pw_ctx_arena(ctx), BULK_BYTES);
	if (!bulk)
		return pw_err_set(err, PW_NOMEM, "preparing the bulk: out of memory");
	static const char head[] = "POST / HTTP/1.1\r\nHost: packetwalk\r\nContent-Length: 32700\r\nConnection: close\r\n\r\n";
	memset(bulk, 'x', BULK_BYTES);
	memcpy(bulk, head, sizeof head - 1);
	struct pw_tcp_spec spec = {
		.address = pw_ctx_str(ctx, "address"), .port = (unsigned)pw_ctx_int(ctx, "port"), .count = 1,
		.timeout_ms = pw_ctx_ms(ctx, "wait"), .reset = true,
	};
	return pw_probe_tcp_exchange(ctx, &spec, bulk, BULK_BYTES, ret, err);
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	int rc = pw_probe_mtu(ctx, pw_ctx_str(ctx, "address"), 0, pw_ctx_ms(ctx, "wait"), observation, err);
	if (rc && rc != PW_DENIED)
		return rc;
	pw_err_clear(err);
	return pw_ctx_int(ctx, "port") ? send_bulk(ctx, pw_map_set_map(observation, "bulk"), err) : PW_OK;
}

/* Who says that the path is narrower than the interface. That the interface takes no more than its MTU says nothing of the path. */
static const char *said_by(const struct pw_val *sizes, long long link)
{
	for (size_t i = 0; i < pw_val_count(sizes); i++) {
		const struct pw_val *one = pw_val_at(sizes, i);
		bool told = !strncmp(pw_map_str(one, "result", ""), "too-big", strlen("too-big"));
		if (told && (!link || pw_map_int(one, "size", 0) <= link))
			return *pw_map_str(one, "from", "") ? pw_map_str(one, "from", "") : "the own host";
	}
	return "";
}

/* Connected and sending, data is retransmitted, and less than one full segment came through. */
static bool bulk_stalled(const struct pw_val *bulk)
{
	long long acked = pw_map_count(bulk, "acked"), mss = pw_map_count(bulk, "snd_mss");
	return !strcmp(pw_map_str(pw_map_get(bulk, "connect"), "result", ""), "connected") && pw_map_int(bulk, "unacked", 0) > 0 &&
	       pw_map_int(bulk, "retransmits", 0) > 0 && acked <= (mss > 0 ? mss : 1);
}

/* A bulk came through at once, in segments that fit what the path lets through: its MSS was set on the way, or at an end. */
static bool healed_by_mss(const struct pw_val *bulk, long long largest)
{
	enum { HEADERS = 40, SEGMENTS = 4 };
	long long mss = pw_map_count(bulk, "snd_mss");
	return mss > 0 && mss + HEADERS <= largest && pw_map_int(bulk, "retransmits", 0) == 0 && pw_map_int(bulk, "acked", 0) > SEGMENTS * mss;
}

/* No link that carries IP is narrower on purpose; a filter of large pings cuts below it. */
#define NARROWEST_LINK 1200

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const char *address = pw_ctx_str(ctx, "address");
	const struct pw_val *sizes = pw_map_get(observation, "sizes"), *bulk = pw_map_get(observation, "bulk");
	long long link = pw_map_int(observation, "link_mtu", 0), largest = pw_map_int(observation, "largest_ok", 0), lost = pw_map_int(observation, "smallest_lost", 0);
	const char *from = said_by(sizes, link);
	bool connected = !strcmp(pw_map_str(pw_map_get(bulk, "connect"), "result", ""), "connected");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "link_mtu", link);
	pw_map_set_int(ev, "largest", largest);
	pw_map_set_int(ev, "lost", lost);
	pw_map_set_str(ev, "narrow_from", from);
	pw_map_set_int(ev, "bulk_sent", pw_map_int(bulk, "sent", 0));
	pw_map_set_int(ev, "bulk_acked", pw_map_int(bulk, "acked", 0));
	if (bulk_stalled(bulk))
		pw_result_set(result, "black-hole", "A connection to %s opens, but of %lld bytes sent only %lld were acknowledged.", address, pw_map_int(bulk, "sent", 0),
			      pw_map_int(bulk, "acked", 0));
	else if (largest && lost && lost <= link && !*from && healed_by_mss(bulk, largest))
		pw_result_set(result, "clamped", "%s answers packets of %lld bytes, and those of %lld vanish; TCP sends segments of %lld and is well.", address, largest, lost,
			      pw_map_int(bulk, "snd_mss", 0));
	else if (largest && lost && lost <= link && !*from && (largest >= NARROWEST_LINK || !(connected && pw_map_int(bulk, "acked", 0) > lost)))
		pw_result_set(result, "black-hole", "%s answers packets of %lld bytes, and those of %lld vanish, though the interface takes %lld.", address, largest, lost, link);
	else if (*from)
		pw_result_set(result, "reduced", "%s is reached with up to %lld bytes; %s says so.", address, largest, from);
	else if (largest)
		pw_result_set(result, "ok", "%s answers packets of %lld bytes.", address, largest);
	else if (connected)
		pw_result_set(result, "ok", "%s acknowledged %lld bytes over TCP; ICMP is not answered.", address, pw_map_int(bulk, "acked", 0));
	else
		pw_result_set(result, "no-answer", "%s answers no ICMP echo of any size.", address);
	return PW_OK;
}

const struct pw_check pw_check_path_mtu = {
	PW_CHECK_HEAD("path_mtu"),
	.summary = "Sweep packet sizes with Don't Fragment and find a path that drops large ones silently",
	.details = "ICMP echo of growing size, and a bulk over TCP when a port is given, since ICMP is often filtered.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.needs = PW_NEEDS_NET_RAW,
	.timeout_ms = 8000,
	.example = "check path_mtu address=10.244.2.6 port=8080",
	.probe = probe,
	.judge = judge,
};
