/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROBE_ECHO_H
#define ENGINE_PROBE_ECHO_H

#include <packetwalk/ctx.h>

#include "sock.h"

/* ICMP echo requests of exact sizes that must not be fragmented, several under way at once. */

enum {
	PW_ECHO_MIN = 84,      /* bytes of an IPv4 packet of the ordinary ping, room for every header */
	PW_ECHO_MAX = 65535,
	PW_ECHO_BATCH = 32,
};

enum pw_echo_result { PW_ECHO_SILENT, PW_ECHO_REPLY, PW_ECHO_TOO_BIG_LOCAL, PW_ECHO_TOO_BIG_ROUTER, PW_ECHO_UNREACHABLE, PW_ECHO_DENIED };

struct pw_echo {
	unsigned size;             /* of the whole IP packet */
	enum pw_echo_result result;
	bool done;
	unsigned mtu;              /* of too-big, 0 if not told */
	int sys;
	struct pw_sock_error error;
	char from[PW_ENDPOINT_TEXT];
	uint16_t seq;
	int64_t sent_us, end_us;
};

struct pw_echo_sock {
	int fd;
	bool raw;                  /* else the kernel chooses the id and gives only our replies */
	int family;
	uint16_t id, next_seq;
	unsigned gap_us;           /* between requests of a batch, at least; 0 after opening */
	struct pw_endpoint to;
};

/* The unprivileged socket where ping_group_range allows it, else a raw one. PW_DENIED when neither may be had. */
int pw_echo_open(struct pw_echo_sock *s, const char *address, struct pw_err *err);
void pw_echo_close(struct pw_echo_sock *s);
/* Sends all, waits until each is decided or `wait_ms` after the last was sent (never past the check's end). */
void pw_echo_batch(struct pw_ctx *ctx, struct pw_echo_sock *s, struct pw_echo *e, size_t n, unsigned wait_ms);
/* {size, result, mtu, from, ms, icmp}. */
void pw_echo_put(const struct pw_echo *e, const char *const words[6], struct pw_val *map);

#endif
