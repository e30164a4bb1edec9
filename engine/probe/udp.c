/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UDP questions side by side: an answer, an ICMP refusal, an answer from the wrong address, or silence. */
#include <packetwalk/probe.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sock.h"

enum {
	COUNT_MAX = 64,
	PAYLOAD_MAX = 65507, /* of an IPv4 datagram */
	HEAD_MAX = 256,
};

struct attempt {
	int fd;
	bool done;
	int sys;
	int64_t start_us, end_us;
	struct pw_sock_error error;
	struct pw_endpoint from;   /* who answered, len 0: nobody */
	struct pw_endpoint other;  /* who else did */
	size_t bytes;
	char head[HEAD_MAX];
};

static void finish(struct attempt *a, int sys)
{
	a->done = true;
	a->sys = sys;
	a->end_us = pw_mono_us();
}

static void hear(struct attempt *a, const struct pw_endpoint *to)
{
	char data[PAYLOAD_MAX];
	struct pw_endpoint from = { .len = sizeof from.ss };
	ssize_t n = recvfrom(a->fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from.ss, &from.len);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			int sys = errno;
			(void)pw_sock_error_last(a->fd, &a->error);
			finish(a, sys);
		}
	} else if (!pw_endpoint_same(&from, to)) {
		a->other = from;
	} else {
		a->from = from;
		a->bytes = (size_t)n;
		memcpy(a->head, data, a->bytes < HEAD_MAX ? a->bytes : HEAD_MAX);
		finish(a, 0);
	}
}

static void look(struct attempt *a, int revents, const struct pw_endpoint *to)
{
	if (revents & POLLIN)
		hear(a, to);
	if (a->done || !(revents & POLLERR))
		return;
	int sys = 0;
	socklen_t len = sizeof sys;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &sys, &len) < 0)
		sys = errno;
	bool queued = pw_sock_error_last(a->fd, &a->error);
	if (sys || queued)
		finish(a, sys ? sys : a->error.sys);
}

static void wait_all(struct attempt *a, size_t n, const struct pw_endpoint *to, int64_t deadline_us)
{
	struct pollfd fds[COUNT_MAX];
	for (;;) {
		size_t open = 0;
		for (size_t i = 0; i < n; i++) {
			fds[i] = (struct pollfd){ .fd = a[i].done ? -1 : a[i].fd, .events = POLLIN };
			open += !a[i].done;
		}
		if (!open)
			return;
		int ready = poll(fds, n, pw_poll_ms(deadline_us));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return;
		for (size_t i = 0; i < n; i++)
			if (fds[i].revents)
				look(&a[i], fds[i].revents, to);
	}
}

static const char *result_of(const struct attempt *a)
{
	bool icmp = a->error.seen && !a->error.local;
	if (a->from.len)
		return "answered";
	if (!a->done)
		return "silent";
	if (a->sys == ECONNREFUSED)
		return "refused-icmp";
	return (a->sys == EPERM || a->sys == EACCES || a->sys == EADDRNOTAVAIL) && !icmp ? "local-denied" : "unreachable";
}

static void put(struct pw_ctx *ctx, const struct attempt *a, int64_t deadline_us, struct pw_val *map)
{
	char text[PW_ENDPOINT_TEXT];
	pw_map_set_str(map, "result", result_of(a));
	pw_map_set_real(map, "ms", pw_us_to_ms((a->done ? a->end_us : deadline_us) - a->start_us));
	if (a->sys)
		pw_map_set_int(map, "errno", a->sys);
	if (a->from.len) {
		pw_endpoint_text(&a->from, text);
		pw_map_set_str(map, "from", text);
		pw_map_set_int(map, "bytes", (long long)a->bytes);
		pw_map_set_str(map, "head", pw_text_of_bytes(pw_ctx_arena(ctx), a->head, a->bytes, HEAD_MAX));
	}
	if (a->other.len) {
		pw_endpoint_text(&a->other, text);
		pw_map_set_str(map, "other_source", text);
	}
	pw_sock_error_put(&a->error, map, "icmp");
}

static void put_all(struct pw_ctx *ctx, const struct attempt *a, size_t n, int64_t deadline_us, struct pw_val *ret)
{
	long long answered = 0, silent = 0, refused = 0, other = 0;
	struct pw_val *attempts = pw_map_set_seq(ret, "attempts");
	for (size_t i = 0; i < n; i++) {
		const char *result = result_of(&a[i]);
		put(ctx, &a[i], deadline_us, pw_seq_add_map(attempts));
		answered += !strcmp(result, "answered");
		silent += !strcmp(result, "silent");
		refused += !strcmp(result, "refused-icmp");
		other += a[i].other.len > 0;
	}
	pw_map_set_int(ret, "answered", answered);
	pw_map_set_int(ret, "silent", silent);
	pw_map_set_int(ret, "refused", refused);
	pw_map_set_int(ret, "other_source", other);
}

static int start(struct attempt *a, const struct pw_endpoint *to, const void *payload, size_t len, struct pw_err *err)
{
	*a = (struct attempt){ .fd = pw_sock_open(to, SOCK_DGRAM, IPPROTO_UDP, err) };
	if (a->fd < 0)
		return a->fd;
	a->start_us = pw_mono_us();
	if (sendto(a->fd, payload, len, MSG_NOSIGNAL, (const struct sockaddr *)&to->ss, to->len) < 0)
		finish(a, errno);
	return PW_OK;
}

const unsigned char pw_udp_question[PW_UDP_QUESTION_SIZE] = {
	0x70, 0x77, 0x01, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01,
};

int pw_probe_udp(struct pw_ctx *ctx, const char *address, unsigned port, const void *payload, size_t len,
		 unsigned count, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err)
{
	struct pw_endpoint to;
	size_t n = count ? count : 1, started = 0;
	if (!pw_endpoint_set(&to, address, port) || !port || n > COUNT_MAX || len > PAYLOAD_MAX)
		return pw_err_set(err, PW_USAGE, "cannot send %zu times %zu bytes to \"%.64s\" port %u: not a literal address and a port, or too much",
				  n, len, address ? address : "", port);
	struct attempt *a = pw_arena_array(pw_ctx_arena(ctx), n, sizeof *a);
	if (!a)
		return pw_err_set(err, PW_NOMEM, "no memory for %zu UDP probes", n);
	int64_t deadline = pw_deadline_us(ctx, timeout_ms);
	int rc = PW_OK;
	while (rc == PW_OK && started < n)
		rc = start(&a[started++], &to, payload, len, err);
	if (rc == PW_OK) {
		wait_all(a, n, &to, deadline);
		put_all(ctx, a, n, deadline, ret);
	}
	for (size_t i = 0; i < started; i++)
		if (a[i].fd >= 0)
			(void)close(a[i].fd);
	if (rc == PW_OK && pw_arena_failed(pw_ctx_arena(ctx)))
		rc = pw_err_set(err, PW_NOMEM, "no memory for the results of %zu UDP probes", n);
	return rc;
}
