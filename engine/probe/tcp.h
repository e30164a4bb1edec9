/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROBE_TCP_H
#define ENGINE_PROBE_TCP_H

#include <linux/tcp.h>

#include <packetwalk/probe.h>

#include "sock.h"

/* TCP connects under way, shared by the connect and the exchange probe. */

enum { PW_TCP_COUNT_MAX = 64 };

struct pw_tcp_attempt {
	int fd;                    /* -1: none */
	bool pending;
	bool late;                 /* unfinished at its deadline */
	int sys;                   /* errno of the connect, 0 when connected */
	int64_t start_us, end_us;
	struct pw_endpoint source;
	struct pw_sock_error error;
	struct tcp_info info;
	size_t info_len;           /* what this kernel filled of it */
	bool refused_by_counter;   /* the namespace's counter says: an ICMP message */
};

int pw_tcp_check_spec(const struct pw_tcp_spec *spec, struct pw_endpoint *ret_to, struct pw_err *err);
/* Starts one; an errno of connect is its result. Fails only when there is no socket to be had. */
int pw_tcp_start(struct pw_tcp_attempt *a, const struct pw_endpoint *to, const struct pw_tcp_spec *spec, struct pw_err *err);
/* Until all are decided or the deadline has passed. */
void pw_tcp_wait(struct pw_tcp_attempt *a, size_t n, int64_t deadline_us);
void pw_tcp_info(struct pw_tcp_attempt *a); /* reads TCP_INFO anew */
const char *pw_tcp_result(const struct pw_tcp_attempt *a);
void pw_tcp_put(const struct pw_tcp_attempt *a, struct pw_val *map);
void pw_tcp_close(struct pw_tcp_attempt *a, bool reset);

#endif
