/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TCP connects side by side, and what refused them. errno alone cannot tell a
 * RST from an ICMP message: the error queue and the segments received do, and
 * where a kernel gives neither, the namespace's count of ICMP messages.
 */
#include "tcp.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TCP_STATE_ESTABLISHED = 1, /* include/net/tcp_states.h */
	TCP_STATE_SYN_SENT = 2,
	SEGS_IN_END = offsetof(struct tcp_info, tcpi_segs_in) + sizeof(__u32),
};

int pw_tcp_check_spec(const struct pw_tcp_spec *spec, struct pw_endpoint *ret_to, struct pw_err *err)
{
	if (!pw_endpoint_set(ret_to, spec->address, spec->port) || !spec->port)
		return pw_err_set(err, PW_USAGE, "\"%.64s\" port %u is not a literal address and a port",
				  spec->address ? spec->address : "", spec->port);
	if (spec->count > PW_TCP_COUNT_MAX)
		return pw_err_set(err, PW_USAGE, "%u connects at once are more than %d", spec->count, PW_TCP_COUNT_MAX);
	return PW_OK;
}

void pw_tcp_info(struct pw_tcp_attempt *a)
{
	socklen_t len = sizeof a->info;
	memset(&a->info, 0, sizeof a->info);
	a->info_len = getsockopt(a->fd, IPPROTO_TCP, TCP_INFO, &a->info, &len) < 0 ? 0 : len;
}

static void finish(struct pw_tcp_attempt *a, int sys)
{
	a->pending = false;
	a->sys = sys;
	a->end_us = pw_mono_us();
	pw_tcp_info(a);
}

int pw_tcp_start(struct pw_tcp_attempt *a, const struct pw_endpoint *to, const struct pw_tcp_spec *spec, struct pw_err *err)
{
	*a = (struct pw_tcp_attempt){ .fd = pw_sock_open(to, SOCK_STREAM, IPPROTO_TCP, err) };
	if (a->fd < 0)
		return a->fd;
	int rc = pw_sock_steer(a->fd, pw_endpoint_family(to), spec->source, spec->mark, err);
	if (rc < 0)
		return rc;
	a->pending = true;
	a->start_us = pw_mono_us();
	if (connect(a->fd, (const struct sockaddr *)&to->ss, to->len) == 0)
		finish(a, 0);
	else if (errno != EINPROGRESS)
		finish(a, errno);
	a->source.len = sizeof a->source.ss;
	if (getsockname(a->fd, (struct sockaddr *)&a->source.ss, &a->source.len) < 0)
		memset(&a->source, 0, sizeof a->source);
	return PW_OK;
}

/*
 * poll said something: decided, or nothing yet. An ICMP message that arrives
 * while the kernel is still inside connect() (a path without latency) leaves
 * the socket in SYN_SENT with a soft error until the next SYN, but is already
 * the answer. Taking it off the queue clears SO_ERROR, so that is read first.
 */
static void look(struct pw_tcp_attempt *a)
{
	int sys = 0;
	socklen_t len = sizeof sys;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &sys, &len) < 0)
		sys = errno;
	bool queued = pw_sock_error_last(a->fd, &a->error);
	pw_tcp_info(a);
	bool open = a->info_len && a->info.tcpi_state == TCP_STATE_SYN_SENT;
	if (!sys && queued && a->info_len && a->info.tcpi_state != TCP_STATE_ESTABLISHED)
		sys = a->error.sys;
	if (sys || !open)
		finish(a, sys);
}

void pw_tcp_wait(struct pw_tcp_attempt *a, size_t n, int64_t deadline_us)
{
	struct pollfd fds[PW_TCP_COUNT_MAX];
	for (;;) {
		size_t pending = 0;
		for (size_t i = 0; i < n; i++) {
			fds[i] = (struct pollfd){ .fd = a[i].pending ? a[i].fd : -1, .events = POLLOUT };
			pending += a[i].pending;
		}
		if (!pending)
			return;
		int ready = poll(fds, n, pw_poll_ms(deadline_us));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			break;
		for (size_t i = 0; i < n; i++)
			if (a[i].pending && fds[i].revents)
				look(&a[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (a[i].pending) {
			a[i].late = true;
			finish(&a[i], 0);
		}
}

static bool refused_by_icmp(const struct pw_tcp_attempt *a)
{
	if (a->error.seen && !a->error.local)
		return true;
	if (a->info_len >= SEGS_IN_END && a->info.tcpi_segs_in > 0)
		return false;
	return a->refused_by_counter;
}

const char *pw_tcp_result(const struct pw_tcp_attempt *a)
{
	bool icmp = a->error.seen && !a->error.local;
	if (a->late)
		return "timeout";
	switch (a->sys) {
	case 0: case ECONNRESET: /* reset after its handshake: errno keeps it */
		return "connected";
	case ECONNREFUSED:
		return refused_by_icmp(a) ? "refused-icmp" : "refused-rst";
	case EHOSTUNREACH: case EHOSTDOWN:
		return "host-unreachable";
	case ENETUNREACH: case ENETDOWN:
		return "net-unreachable";
	case ETIMEDOUT:
		return "timeout";
	case EPERM: case EACCES: /* EACCES is also what ICMPv6 "administratively prohibited" becomes */
		return icmp ? "host-unreachable" : "local-denied";
	case EADDRNOTAVAIL:
		return "no-ports";
	case EINVAL:
		return "blackhole";
	default:
		return "error";
	}
}

/* SYNs were sent again, but the kernel counts none as out: something here holds them back. */
static bool held_back(const struct pw_tcp_attempt *a)
{
	return a->info_len && a->info.tcpi_state == TCP_STATE_SYN_SENT && a->info.tcpi_total_retrans > 0 && a->info.tcpi_retrans == 0;
}

/*
 * When ARP or ND gets no answer the kernel tells its own sockets by an ICMP
 * "host unreachable" from our own address (ipv4_link_failure), which nobody
 * sent and no wire saw.
 */
static bool neighbour_silent(const struct pw_tcp_attempt *a)
{
	enum { V4_UNREACHABLE = 3, V4_HOST = 1, V6_UNREACHABLE = 1, V6_ADDRESS = 3 };
	char own[PW_ENDPOINT_TEXT];
	if (a->sys != EHOSTUNREACH || !a->error.seen || a->error.local)
		return false;
	pw_endpoint_address(&a->source, own);
	bool v6 = pw_endpoint_family(&a->source) == AF_INET6;
	return !strcmp(a->error.from, own) && a->error.type == (v6 ? V6_UNREACHABLE : V4_UNREACHABLE) &&
	       a->error.code == (v6 ? V6_ADDRESS : V4_HOST);
}

void pw_tcp_put(const struct pw_tcp_attempt *a, struct pw_val *map)
{
	char source[PW_ENDPOINT_TEXT];
	pw_map_set_str(map, "result", pw_tcp_result(a));
	pw_map_set_int(map, "errno", a->sys);
	pw_map_set_real(map, "ms", pw_us_to_ms(a->end_us - a->start_us));
	if (a->source.ss.ss_family) {
		pw_endpoint_text(&a->source, source);
		pw_map_set_str(map, "source", source);
	}
	if (a->info_len) {
		pw_map_set_int(map, "retrans", a->info.tcpi_total_retrans);
		if (a->info_len >= SEGS_IN_END)
			pw_map_set_int(map, "segs_in", a->info.tcpi_segs_in);
	}
	pw_sock_error_put(&a->error, map, "icmp");
	if (neighbour_silent(a))
		pw_map_set_bool(map, "neighbour_silent", true);
}

void pw_tcp_close(struct pw_tcp_attempt *a, bool reset)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	if (a->fd < 0)
		return;
	if (reset)
		(void)setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	/* The caller's descriptor is closed in any case: close(2) releases it even when interrupted. */
	(void)close(a->fd);
	a->fd = -1;
}

/* ---- many connects ---- */

/* The counter decides only as far as its count goes: `more` messages explain at most that many refusals. */
static void settle_by_counter(struct pw_tcp_attempt *a, size_t n, long long more)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].error.seen && !a[i].error.local)
			more--;
	for (size_t i = 0; i < n && more > 0; i++) {
		bool open = a[i].sys == ECONNREFUSED && !a[i].error.seen &&
			    !(a[i].info_len >= SEGS_IN_END && a[i].info.tcpi_segs_in > 0);
		if (open) {
			a[i].refused_by_counter = true;
			more--;
		}
	}
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return a < b ? -1 : a > b;
}

static void put_times(const struct pw_tcp_attempt *a, size_t n, struct pw_val *ret)
{
	double ms[PW_TCP_COUNT_MAX];
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(pw_tcp_result(&a[i]), "connected"))
			ms[k++] = pw_us_to_ms(a[i].end_us - a[i].start_us);
	if (!k)
		return;
	qsort(ms, k, sizeof *ms, by_value);
	pw_map_set_real(ret, "ms_min", ms[0]);
	pw_map_set_real(ret, "ms_median", k % 2 ? ms[k / 2] : (ms[k / 2 - 1] + ms[k / 2]) / 2);
	pw_map_set_real(ret, "ms_max", ms[k - 1]);
}

/*
 * A host sends one other host at most six ICMP errors in a row and then one a
 * second (icmp_ratelimit, XRLIM_BURST_FACTOR in net/ipv4/icmp.c). Refusals with
 * nothing but silence beside them are most likely one rejection of them all.
 */
static void put_limited(struct pw_val *ret)
{
	bool others = pw_map_int(ret, "connected", 0) || pw_map_int(ret, "refused_rst", 0);
	pw_map_set_bool(ret, "icmp_limited", !others && pw_map_int(ret, "refused_icmp", 0) && pw_map_int(ret, "timeout", 0));
}

static void put_counts(const struct pw_tcp_attempt *a, size_t n, struct pw_val *ret)
{
	static const struct { const char *key, *results[3]; } counts[] = {
		{ "connected", { "connected" } }, { "refused_rst", { "refused-rst" } }, { "refused_icmp", { "refused-icmp" } },
		{ "host_unreachable", { "host-unreachable" } }, { "net_unreachable", { "net-unreachable" } },
		{ "timeout", { "timeout" } }, { "local_error", { "local-denied", "no-ports", "blackhole" } },
		{ "other", { "error" } },
	};
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
		long long sum = 0;
		for (size_t i = 0; i < n; i++)
			for (size_t r = 0; r < 3 && counts[k].results[r]; r++)
				sum += !strcmp(pw_tcp_result(&a[i]), counts[k].results[r]);
		pw_map_set_int(ret, counts[k].key, sum);
	}
}

static void put_all(const struct pw_tcp_attempt *a, size_t n, const struct pw_tcp_spec *spec, struct pw_val *ret)
{
	bool late = false, held = true;
	struct pw_val *attempts;
	pw_map_set_str(ret, "address", spec->address);
	pw_map_set_int(ret, "port", spec->port);
	attempts = pw_map_set_seq(ret, "attempts");
	for (size_t i = 0; i < n; i++) {
		pw_tcp_put(&a[i], pw_seq_add_map(attempts));
		if (a[i].late) {
			late = true;
			held = held && held_back(&a[i]);
		}
	}
	put_counts(a, n, ret);
	put_limited(ret);
	put_times(a, n, ret);
	pw_map_set_bool(ret, "out_drop", late && held);
}

int pw_probe_tcp(struct pw_ctx *ctx, const struct pw_tcp_spec *spec, struct pw_val *ret, struct pw_err *err)
{
	struct pw_tcp_attempt a[PW_TCP_COUNT_MAX];
	struct pw_endpoint to;
	size_t n = spec->count ? spec->count : 1, started = 0;
	int rc = pw_tcp_check_spec(spec, &to, err);
	if (rc < 0)
		return rc;
	int64_t deadline = pw_deadline_us(ctx, spec->timeout_ms);
	long long before = pw_icmp_unreachables(pw_endpoint_family(&to));
	while (rc == PW_OK && started < n)
		rc = pw_tcp_start(&a[started++], &to, spec, err);
	if (rc == PW_OK) {
		pw_tcp_wait(a, n, deadline);
		long long after = pw_icmp_unreachables(pw_endpoint_family(&to));
		if (before >= 0 && after > before)
			settle_by_counter(a, n, after - before);
		put_all(a, n, spec, ret);
	}
	for (size_t i = 0; i < started; i++)
		pw_tcp_close(&a[i], spec->reset);
	if (rc == PW_OK && pw_arena_failed(pw_ctx_arena(ctx)))
		rc = pw_err_set(err, PW_NOMEM, "no memory for the results of %zu connects", n);
	return rc;
}
