/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request and what comes back over a fresh TCP connection, with the kernel's view of what was acknowledged. */
#include "tcp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
	READ_MAX = 64 * 1024, /* bytes of an answer looked at */
	HEAD_MAX = 256,       /* bytes of it kept */
	IDLE_MS = 300,        /* an answer that pauses longer than the least RTO (200 ms) is taken as complete */
};

struct exchange {
	struct pw_tcp_attempt *a;
	const char *payload;
	size_t len, sent, received;
	int64_t request_us, first_us, last_us; /* 0: not yet */
	bool eof;
	int sys;
	char head[HEAD_MAX];
};

static void write_some(struct exchange *x)
{
	ssize_t n = send(x->a->fd, x->payload + x->sent, x->len - x->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		x->sent += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		x->sys = errno;
}

static void read_some(struct exchange *x)
{
	char data[4096];
	ssize_t n = recv(x->a->fd, data, sizeof data, MSG_DONTWAIT);
	if (n == 0) {
		x->eof = true;
	} else if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			x->sys = errno;
	} else {
		x->last_us = pw_mono_us();
		if (!x->first_us)
			x->first_us = x->last_us;
		if (x->received < sizeof x->head) {
			size_t room = sizeof x->head - x->received;
			memcpy(x->head + x->received, data, (size_t)n < room ? (size_t)n : room);
		}
		x->received += (size_t)n;
	}
}

static bool over(const struct exchange *x)
{
	return x->eof || x->sys || x->received >= READ_MAX;
}

static void run(struct exchange *x, int64_t deadline_us)
{
	x->request_us = pw_mono_us();
	while (!over(x)) {
		struct pollfd fd = { .fd = x->a->fd, .events = (short)(POLLIN | (x->sent < x->len ? POLLOUT : 0)) };
		int64_t until = deadline_us;
		if (x->last_us && x->sent == x->len && x->last_us + IDLE_MS * 1000 < until)
			until = x->last_us + IDLE_MS * 1000;
		int ready = poll(&fd, 1, pw_poll_ms(until));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			break;
		if (fd.revents & POLLERR)
			(void)pw_sock_error_last(x->a->fd, &x->a->error);
		if (fd.revents & POLLOUT)
			write_some(x);
		if (fd.revents & ~POLLOUT)
			read_some(x);
	}
}

static const char *result_of(const struct exchange *x)
{
	if (x->received)
		return "answered";
	if (x->sys == ECONNRESET || x->sys == EPIPE)
		return "reset";
	if (x->sys)
		return "error";
	return x->eof ? "closed" : "silent";
}

/* How the conversation ended, whatever came before. */
static const char *end_of(const struct exchange *x, int64_t deadline_us)
{
	if (x->sys)
		return x->sys == ECONNRESET || x->sys == EPIPE ? "reset" : "error";
	if (x->eof)
		return "eof";
	if (x->received >= READ_MAX)
		return "enough";
	return pw_mono_us() >= deadline_us ? "deadline" : "idle";
}

static void put_info(struct exchange *x, struct pw_val *ret)
{
	const struct tcp_info *info = &x->a->info;
	pw_tcp_info(x->a);
	if (!x->a->info_len)
		return;
	if (x->a->info_len >= offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info->tcpi_bytes_acked)
		pw_map_set_int(ret, "acked", (long long)info->tcpi_bytes_acked);
	pw_map_set_int(ret, "unacked", info->tcpi_unacked);
	pw_map_set_int(ret, "retransmits", info->tcpi_total_retrans);
	pw_map_set_int(ret, "pmtu", info->tcpi_pmtu);
	pw_map_set_int(ret, "snd_mss", info->tcpi_snd_mss);
}

static void exchange(struct pw_ctx *ctx, struct exchange *x, int64_t deadline_us, struct pw_val *ret)
{
	if (x->a->late || x->a->sys) {
		/* Nothing was asked of the peer: the connect tells why. */
		pw_map_set_str(ret, "result", x->a->sys == ECONNRESET ? "reset" : "error");
		pw_map_set_int(ret, "sent", 0);
		pw_map_set_int(ret, "received", 0);
		return;
	}
	run(x, deadline_us);
	pw_map_set_str(ret, "result", result_of(x));
	pw_map_set_str(ret, "ended", end_of(x, deadline_us));
	pw_map_set_int(ret, "errno", x->sys);
	pw_map_set_int(ret, "sent", (long long)x->sent);
	pw_map_set_int(ret, "received", (long long)x->received);
	if (x->first_us)
		pw_map_set_real(ret, "first_byte_ms", pw_us_to_ms(x->first_us - x->request_us));
	pw_map_set_real(ret, "ms", pw_us_to_ms(pw_mono_us() - x->request_us));
	pw_map_set_str(ret, "head", pw_text_of_bytes(pw_ctx_arena(ctx), x->head, x->received, HEAD_MAX));
	pw_sock_error_put(&x->a->error, ret, "icmp");
	put_info(x, ret);
}

int pw_probe_tcp_exchange(struct pw_ctx *ctx, const struct pw_tcp_spec *spec, const void *payload, size_t len,
			  struct pw_val *ret, struct pw_err *err)
{
	struct pw_tcp_attempt a;
	struct pw_endpoint to;
	struct exchange x = { .a = &a, .payload = payload, .len = len };
	int rc = pw_tcp_check_spec(spec, &to, err);
	if (rc < 0)
		return rc;
	long long before = pw_icmp_unreachables(pw_endpoint_family(&to));
	rc = pw_tcp_start(&a, &to, spec, err);
	if (rc == PW_OK) {
		pw_tcp_wait(&a, 1, pw_deadline_us(ctx, spec->timeout_ms));
		a.refused_by_counter = before >= 0 && pw_icmp_unreachables(pw_endpoint_family(&to)) > before;
		pw_tcp_put(&a, pw_map_set_map(ret, "connect"));
		exchange(ctx, &x, pw_deadline_us(ctx, spec->timeout_ms), ret);
	}
	pw_tcp_close(&a, spec->reset);
	if (rc == PW_OK && pw_arena_failed(pw_ctx_arena(ctx)))
		rc = pw_err_set(err, PW_NOMEM, "no memory for the result of an exchange");
	return rc;
}
