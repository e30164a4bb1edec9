/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The largest packet that gets through: a sweep of echo requests that must not be fragmented, narrowed to the byte. */
#include "echo.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/probe.h>

enum {
	TESTED_MAX = 256,   /* sizes of one sweep */
	SMALL_TRIES = 3,
	ROUNDS_MAX = 8,
	WAIT_LEAST_MS = 200, WAIT_RTTS = 4,
	DEFAULT_MTU = 1500,
	DISCARD_PORT = 9,   /* nothing is sent to it */
};

static const char *const words[6] = { "silent", "reply", "too-big-local", "too-big-router", "unreachable", "local-denied" };

/* ---- what this machine says ---- */

static unsigned link_mtu(int fd, const struct pw_endpoint *local)
{
	struct ifaddrs *all;
	struct ifreq request = { .ifr_ifru = { .ifru_mtu = 0 } };
	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *i = all; i && !request.ifr_name[0]; i = i->ifa_next) {
		struct pw_endpoint ep = { .len = local->len };
		if (!i->ifa_addr || i->ifa_addr->sa_family != local->ss.ss_family)
			continue;
		memcpy(&ep.ss, i->ifa_addr, local->len);
		if (local->ss.ss_family == AF_INET6) /* compare addresses, not ports */
			((struct sockaddr_in6 *)&ep.ss)->sin6_port = ((const struct sockaddr_in6 *)&local->ss)->sin6_port;
		else
			((struct sockaddr_in *)&ep.ss)->sin_port = ((const struct sockaddr_in *)&local->ss)->sin_port;
		if (pw_endpoint_same(&ep, local))
			memcpy(request.ifr_name, i->ifa_name, strnlen(i->ifa_name, IFNAMSIZ - 1));
	}
	freeifaddrs(all);
	if (!request.ifr_name[0] || ioctl(fd, SIOCGIFMTU, &request) < 0)
		return 0;
	return (unsigned)request.ifr_mtu;
}

/* 0 where it is not known: then nothing leads there. */
static void local_mtus(const char *address, unsigned *ret_route, unsigned *ret_link)
{
	struct pw_endpoint to, local = { .len = sizeof local.ss };
	int mtu = 0;
	socklen_t len = sizeof mtu;
	*ret_route = *ret_link = 0;
	if (!pw_endpoint_set(&to, address, DISCARD_PORT))
		return;
	bool v6 = pw_endpoint_family(&to) == AF_INET6;
	PW_CLEAN_CLOSE int fd = pw_sock_open(&to, SOCK_DGRAM, IPPROTO_UDP, NULL);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to.ss, to.len) < 0)
		return;
	if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &len) == 0)
		*ret_route = (unsigned)mtu;
	if (getsockname(fd, (struct sockaddr *)&local.ss, &local.len) == 0)
		*ret_link = link_mtu(fd, &local);
}

/* ---- the sweep ---- */

struct sweep {
	struct pw_ctx *ctx;
	struct pw_echo_sock s;
	unsigned wait_ms, top;
	struct pw_echo tested[TESTED_MAX];
	size_t n;
};

static bool lost(const struct pw_echo *e)
{
	return e->result == PW_ECHO_SILENT || e->result == PW_ECHO_TOO_BIG_ROUTER || e->result == PW_ECHO_TOO_BIG_LOCAL;
}

static unsigned largest_ok(const struct sweep *w)
{
	unsigned best = 0;
	for (size_t i = 0; i < w->n; i++)
		if (w->tested[i].result == PW_ECHO_REPLY && w->tested[i].size > best)
			best = w->tested[i].size;
	return best;
}

/* The smallest lost one above all that got through: a loss below is chance. */
static unsigned smallest_lost(const struct sweep *w)
{
	unsigned least = 0, floor = largest_ok(w);
	for (size_t i = 0; i < w->n; i++)
		if (lost(&w->tested[i]) && w->tested[i].size > floor && (!least || w->tested[i].size < least))
			least = w->tested[i].size;
	return least;
}

static bool tested(const struct sweep *w, unsigned size)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->tested[i].size == size)
			return true;
	return false;
}

static void test(struct sweep *w, const unsigned *sizes, size_t n)
{
	size_t first = w->n, again = 0;
	struct pw_echo retry[PW_ECHO_BATCH];
	size_t whose[PW_ECHO_BATCH];
	for (size_t i = 0; i < n && w->n < TESTED_MAX && w->n - first < PW_ECHO_BATCH; i++)
		if (!tested(w, sizes[i]))
			w->tested[w->n++] = (struct pw_echo){ .size = sizes[i] };
	pw_echo_batch(w->ctx, &w->s, w->tested + first, w->n - first, w->wait_ms);
	/* Silence may be chance: once more. */
	for (size_t i = first; i < w->n; i++)
		if (w->tested[i].result == PW_ECHO_SILENT) {
			whose[again] = i;
			retry[again++] = (struct pw_echo){ .size = w->tested[i].size };
		}
	pw_echo_batch(w->ctx, &w->s, retry, again, w->wait_ms);
	for (size_t i = 0; i < again; i++)
		w->tested[whose[i]] = retry[i];
}

/* Does anything come back at all? Its time sets how long the others are waited for. */
static bool small_works(struct sweep *w)
{
	const struct pw_echo *e = &w->tested[0];
	for (unsigned i = 0; i < SMALL_TRIES; i++) {
		w->tested[0] = (struct pw_echo){ .size = PW_ECHO_MIN };
		w->n = 1;
		pw_echo_batch(w->ctx, &w->s, w->tested, 1, w->wait_ms);
		if (e->result != PW_ECHO_SILENT)
			break;
	}
	if (e->result != PW_ECHO_REPLY)
		return false;
	unsigned rtt = (unsigned)((e->end_us - e->sent_us) / 1000) * WAIT_RTTS + WAIT_LEAST_MS;
	if (rtt < w->wait_ms)
		w->wait_ms = rtt;
	return true;
}

static void common_sizes(struct sweep *w)
{
	/* Ethernet, and what is left inside tunnels: GRE and IPIP 1480/1476, VXLAN 1450, with IPsec or WireGuard 1440..1380, PPPoE 1492,
	 * IPv6's least 1280, IPv4's 576; clouds 8951, 9001; jumbo frames. */
	static const unsigned common[] = { 576, 1280, 1380, 1400, 1420, 1430, 1440, 1450, 1460, 1476, 1480, 1492, 1500, 8900, 8951, 9000, 9001 };
	unsigned sizes[PW_ECHO_BATCH];
	size_t n = 0;
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (common[i] < w->top)
			sizes[n++] = common[i];
	sizes[n++] = w->top;
	test(w, sizes, n);
}

/* What routers said, and one more: if it is true, these two settle it. */
static size_t told_sizes(const struct sweep *w, unsigned low, unsigned high, unsigned sizes[PW_ECHO_BATCH])
{
	size_t n = 0;
	for (size_t i = 0; i < w->n && n + 2 <= PW_ECHO_BATCH; i++)
		for (unsigned mtu = w->tested[i].mtu; mtu && mtu <= w->tested[i].mtu + 1; mtu++)
			if (mtu > low && mtu < high && !tested(w, mtu))
				sizes[n++] = mtu;
	return n;
}

static size_t sizes_between(unsigned low, unsigned high, unsigned sizes[PW_ECHO_BATCH])
{
	unsigned gap = high - low, pieces = gap < PW_ECHO_BATCH ? gap : PW_ECHO_BATCH;
	size_t n = 0;
	for (unsigned k = 1; k < pieces; k++)
		sizes[n++] = low + gap * k / pieces;
	return n;
}

static void narrow(struct sweep *w)
{
	for (int round = 0; round < ROUNDS_MAX && pw_ctx_remaining_ms(w->ctx) > w->wait_ms; round++) {
		unsigned low = largest_ok(w), high = smallest_lost(w), sizes[PW_ECHO_BATCH];
		if (!low || !high || high - low <= 1)
			return;
		size_t n = told_sizes(w, low, high, sizes);
		if (!n)
			n = sizes_between(low, high, sizes);
		test(w, sizes, n);
	}
}

static int by_size(const void *a, const void *b)
{
	unsigned x = ((const struct pw_echo *)a)->size, y = ((const struct pw_echo *)b)->size;
	return x < y ? -1 : x > y;
}

int pw_probe_mtu(struct pw_ctx *ctx, const char *address, unsigned max, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err)
{
	unsigned route, link;
	struct sweep *w = pw_arena_alloc(pw_ctx_arena(ctx), sizeof *w);
	if (!w)
		return pw_err_set(err, PW_NOMEM, "no memory for an MTU sweep");
	int rc = pw_echo_open(&w->s, address, err);
	if (rc < 0)
		return rc;
	local_mtus(address, &route, &link);
	w->ctx = ctx;
	w->wait_ms = timeout_ms;
	w->top = link && (!max || link < max) ? link : max ? max : DEFAULT_MTU; /* what the interface will not take tells nothing of the path */
	w->top = w->top < PW_ECHO_MIN ? PW_ECHO_MIN : w->top > PW_ECHO_MAX ? PW_ECHO_MAX : w->top;
	bool works = small_works(w);
	if (works) {
		common_sizes(w);
		narrow(w);
	}
	pw_echo_close(&w->s);
	qsort(w->tested, w->n, sizeof *w->tested, by_size);
	pw_map_set_str(ret, "address", address);
	pw_map_set_int(ret, "route_mtu", route);
	pw_map_set_int(ret, "link_mtu", link);
	struct pw_val *sizes = pw_map_set_seq(ret, "sizes");
	for (size_t i = 0; i < w->n; i++)
		pw_echo_put(&w->tested[i], words, pw_seq_add_map(sizes));
	pw_map_set_bool(ret, "icmp_works", works);
	if (works) {
		pw_map_set_int(ret, "largest_ok", largest_ok(w));
		if (smallest_lost(w))
			pw_map_set_int(ret, "smallest_lost", smallest_lost(w));
	}
	if (pw_arena_failed(pw_ctx_arena(ctx)))
		return pw_err_set(err, PW_NOMEM, "no memory for the results of an MTU sweep");
	return PW_OK;
}
