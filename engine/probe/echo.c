/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICMP echo with the don't-fragment bit, matched to its replies and to the ICMP errors it causes. */
#include "echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
	ICMP_HEADER = 8, IPV4_HEADER = 20, IPV6_HEADER = 40,
	V4_REQUEST = 8, V4_REPLY = 0, V4_UNREACHABLE = 3, V4_FRAG_NEEDED = 4,
	V6_TOO_BIG = 2, V6_REQUEST = 128, V6_REPLY = 129,
	IN_FLIGHT_MAX = 64 * 1024, /* bytes: more could overflow the socket's receive buffer and look like loss */
	RECEIVE_BUFFER = 1024 * 1024,
	SEND_TRIES = 3,
};

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

static void configure(const struct pw_echo_sock *s)
{
	(void)set_int(s->fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if (s->family == AF_INET) {
		/* PROBE: sets DF and does not believe a learned path MTU */
		(void)set_int(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
		return;
	}
	(void)set_int(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	(void)set_int(s->fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
	if (s->raw) {
		struct icmp6_filter filter;
		ICMP6_FILTER_SETBLOCKALL(&filter);
		ICMP6_FILTER_SETPASS(V6_REPLY, &filter);
		(void)setsockopt(s->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
	}
}

int pw_echo_open(struct pw_echo_sock *s, const char *address, struct pw_err *err)
{
	*s = (struct pw_echo_sock){ .fd = -1 };
	if (!pw_endpoint_set(&s->to, address, 0))
		return pw_err_set(err, PW_USAGE, "\"%.64s\" is not a literal address to ping", address ? address : "");
	s->family = pw_endpoint_family(&s->to);
	int protocol = s->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	s->fd = pw_sock_open(&s->to, SOCK_DGRAM, protocol, NULL);
	if (s->fd < 0) {
		s->raw = true;
		s->fd = pw_sock_open(&s->to, SOCK_RAW, protocol, err);
	}
	if (s->fd < 0)
		return s->fd == PW_DENIED ? pw_err_wrap(err, "ping needs CAP_NET_RAW or a group in net.ipv4.ping_group_range") : s->fd;
	if (getentropy(&s->id, sizeof s->id) != 0)
		s->id = (uint16_t)getpid();
	configure(s);
	return PW_OK;
}

void pw_echo_close(struct pw_echo_sock *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

/* ---- packets ---- */

static uint16_t checksum(const unsigned char *data, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (len % 2)
		sum += (uint32_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(unsigned char *p, uint16_t value)
{
	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)(value & 0xff);
}

static uint16_t get16(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static struct pw_echo *by_seq(struct pw_echo *e, size_t n, uint16_t seq)
{
	for (size_t i = 0; i < n; i++)
		if (!e[i].done && e[i].sent_us && e[i].seq == seq)
			return &e[i];
	return NULL;
}

static void finish(struct pw_echo *e, enum pw_echo_result result)
{
	e->done = true;
	e->result = result;
	e->end_us = pw_mono_us();
}

/* ---- errors ---- */

static bool says_too_big(const struct pw_echo_sock *s, const struct pw_sock_error *error)
{
	if (s->family == AF_INET)
		return error->type == V4_UNREACHABLE && error->code == V4_FRAG_NEEDED;
	return error->type == V6_TOO_BIG;
}

/* Takes all off the queue; ICMP errors go to the requests they quote. *local_mtu: of the last local entry. */
static void take_errors(const struct pw_echo_sock *s, struct pw_echo *e, size_t n, unsigned *local_mtu)
{
	struct pw_sock_error error;
	while (pw_sock_error_next(s->fd, &error)) {
		if (!error.seen)
			continue;
		if (error.local) {
			*local_mtu = error.info;
			continue;
		}
		if (error.data_len < ICMP_HEADER || (s->raw && get16(error.data + 4) != s->id))
			continue;
		struct pw_echo *one = by_seq(e, n, get16(error.data + 6));
		if (!one)
			continue;
		bool too_big = says_too_big(s, &error);
		one->error = error;
		one->sys = error.sys;
		one->mtu = too_big ? error.info : 0;
		memcpy(one->from, error.from, sizeof one->from);
		finish(one, too_big ? PW_ECHO_TOO_BIG_ROUTER : PW_ECHO_UNREACHABLE);
	}
}

static enum pw_echo_result of_errno(int sys)
{
	return sys == EMSGSIZE ? PW_ECHO_TOO_BIG_LOCAL : sys == EPERM || sys == EACCES ? PW_ECHO_DENIED : PW_ECHO_UNREACHABLE;
}

static void send_one(struct pw_echo_sock *s, struct pw_echo *all, size_t n, struct pw_echo *e)
{
	static const unsigned char zeros[PW_ECHO_MAX];
	unsigned char header[ICMP_HEADER] = { (unsigned char)(s->family == AF_INET ? V4_REQUEST : V6_REQUEST) };
	unsigned ip = s->family == AF_INET ? IPV4_HEADER : IPV6_HEADER, local_mtu = 0;
	size_t len = e->size > ip + ICMP_HEADER ? e->size - ip - ICMP_HEADER : 0;
	struct iovec iov[2] = { { header, sizeof header }, { (void *)(uintptr_t)zeros, len } };
	struct msghdr msg = { .msg_name = &s->to.ss, .msg_namelen = s->to.len, .msg_iov = iov, .msg_iovlen = 2 };
	e->seq = s->next_seq++;
	put16(header + 4, s->id);
	put16(header + 6, e->seq);
	if (s->family == AF_INET) /* the rest is zeros; for IPv6 the kernel computes it */
		put16(header + 2, checksum(header, sizeof header));
	e->sent_us = pw_mono_us();
	/*
	 * An error that waits on the socket, of an earlier request, is reported by the next call whatever that is: it was
	 * queued as well, so it is taken off and the call made again. Our own stack's refusal for size is queued as local.
	 */
	ssize_t sent = -1;
	for (int i = 0; i < SEND_TRIES && sent < 0 && !local_mtu; i++) {
		sent = sendmsg(s->fd, &msg, MSG_NOSIGNAL);
		if (sent < 0) {
			e->sys = errno;
			take_errors(s, all, n, &local_mtu);
		}
	}
	if (sent >= 0) {
		e->sys = 0;
		return;
	}
	e->mtu = e->sys == EMSGSIZE ? local_mtu : 0;
	finish(e, of_errno(e->sys));
}

/* ---- replies ---- */

static void take_reply(const struct pw_echo_sock *s, struct pw_echo *e, size_t n)
{
	unsigned char data[IPV4_HEADER * 3 + ICMP_HEADER]; /* a raw IPv4 socket gives the IP header, of up to 60 bytes */
	struct pw_endpoint from = { .len = sizeof from.ss };
	ssize_t got = recvfrom(s->fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from.ss, &from.len);
	if (got <= 0)
		return;
	size_t at = s->raw && s->family == AF_INET ? (size_t)(data[0] & 0xf) * 4 : 0;
	if ((size_t)got < at + ICMP_HEADER || data[at] != (s->family == AF_INET ? V4_REPLY : V6_REPLY))
		return;
	if (s->raw && get16(data + at + 4) != s->id)
		return;
	struct pw_echo *one = by_seq(e, n, get16(data + at + 6));
	if (!one)
		return;
	pw_endpoint_address(&from, one->from);
	finish(one, PW_ECHO_REPLY);
}

static bool wait_some(const struct pw_echo_sock *s, struct pw_echo *e, size_t n, int64_t deadline_us)
{
	struct pollfd fd = { .fd = s->fd, .events = POLLIN };
	unsigned local_mtu;
	int ready = poll(&fd, 1, pw_poll_ms(deadline_us));
	if (ready < 0 && errno == EINTR)
		return true;
	if (ready <= 0)
		return false;
	if (fd.revents & POLLERR)
		take_errors(s, e, n, &local_mtu);
	take_reply(s, e, n); /* also takes a pending error off the socket */
	return true;
}

static size_t bytes_open(const struct pw_echo *e, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		if (e[i].sent_us && !e[i].done)
			bytes += e[i].size;
	return bytes;
}

static void pause_for(struct pw_echo_sock *s, struct pw_echo *e, size_t n, unsigned gap_us)
{
	int64_t end = pw_mono_us() + gap_us;
	while (gap_us && pw_mono_us() < end && wait_some(s, e, n, end))
		;
}

void pw_echo_batch(struct pw_ctx *ctx, struct pw_echo_sock *s, struct pw_echo *e, size_t n, unsigned wait_ms)
{
	for (size_t i = 0; i < n; i++) {
		int64_t deadline = pw_deadline_us(ctx, wait_ms);
		while (bytes_open(e, n) && bytes_open(e, n) + e[i].size > IN_FLIGHT_MAX && pw_mono_us() < deadline)
			(void)wait_some(s, e, n, deadline);
		if (i)
			pause_for(s, e, n, s->gap_us);
		send_one(s, e, n, &e[i]);
	}
	int64_t deadline = pw_deadline_us(ctx, wait_ms);
	while (bytes_open(e, n) && pw_mono_us() < deadline && wait_some(s, e, n, deadline))
		;
}

void pw_echo_put(const struct pw_echo *e, const char *const words[6], struct pw_val *map)
{
	pw_map_set_int(map, "size", e->size);
	pw_map_set_str(map, "result", words[e->result]);
	if (e->mtu)
		pw_map_set_int(map, "mtu", e->mtu);
	if (e->from[0])
		pw_map_set_str(map, "from", e->from);
	if (e->sys)
		pw_map_set_int(map, "errno", e->sys);
	if (e->done)
		pw_map_set_real(map, "ms", pw_us_to_ms(e->end_us - e->sent_us));
	pw_sock_error_put(&e->error, map, "icmp");
}
