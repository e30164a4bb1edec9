/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_BORROW_WIRE_H
#define ENGINE_VANTAGE_BORROW_WIRE_H

#include <stdint.h>

#include "tools.h"

/* Attempts that a container's programs make on the wire, all at once, and what is said of each. */

/* Counters of the container's network namespace before and after: what its programs do not tell, they do. */
struct pw_wire_counters {
	bool there;
	long long opens;           /* Tcp ActiveOpens: SYNs sent for the first time */
	long long syn_retrans;     /* TcpExt TCPSynRetrans: and again */
	long long unreachables;    /* Icmp InDestUnreachs */
	unsigned neighbours_open;  /* after: neighbours that do not answer */
};

struct pw_wire_try {
	bool ran;
	int status;                /* of the program; 128 and above: ended from outside, so without an answer in time */
	double ms;
	bool waited;               /* as long as it was told to */
	const char *said;          /* what it printed, lines joined by '|' */
};

enum { PW_WIRE_TRIES_MAX = 64 };

struct pw_wire {
	const char *tool;
	struct pw_wire_try tries[PW_WIRE_TRIES_MAX];
	struct pw_wire_counters before, after;
};

/* How one attempt ended, by the words of its program. */
enum pw_wire_end { PW_WIRE_GOOD, PW_WIRE_REFUSED, PW_WIRE_SILENT, PW_WIRE_HOST, PW_WIRE_NET, PW_WIRE_DENIED, PW_WIRE_PORTS, PW_WIRE_UNTOLD };
enum pw_wire_end pw_wire_end_of(const struct pw_wire_try *one);
/* The same of a question: only an answer is good, and whose program waited and heard nothing was met with silence. */
enum pw_wire_end pw_wire_ask_end(const struct pw_wire_try *one);

struct pw_wire_ask {
	const char *host;
	unsigned port;
	const uint8_t *payload;
	size_t len;
};

/* `count` connects. */
int pw_wire_connect(struct pw_tools *tools, const char *host, unsigned port, unsigned count, unsigned timeout_ms, struct pw_wire *ret, struct pw_err *err);
/* Each sends its payload and reads one answer. */
int pw_wire_ask(struct pw_tools *tools, bool tcp, const struct pw_wire_ask *asks, size_t n, unsigned timeout_ms, struct pw_wire *ret, struct pw_err *err);
/* The bytes of an answer, at most `size`; 0: none came. */
size_t pw_wire_answer(const struct pw_wire_try *one, uint8_t *out, size_t size);
/* {type, code, from} of an ICMP error that the program saw, into `map` under "icmp". */
bool pw_wire_icmp(const struct pw_wire_try *one, struct pw_val *map);

#endif
