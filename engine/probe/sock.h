/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROBE_SOCK_H
#define ENGINE_PROBE_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <packetwalk/ctx.h>

/* What every probe needs of sockets: literals, clocks, options, and the error queue. */

enum { PW_ENDPOINT_TEXT = 72 }; /* "[IPv6%interface]:port": INET6_ADDRSTRLEN 46 + IFNAMSIZ 16 + 9 */

struct pw_endpoint {
	struct sockaddr_storage ss;
	socklen_t len;
};

/* A literal IPv4 or IPv6 address, the latter with an optional %scope. False for anything else. */
bool pw_endpoint_set(struct pw_endpoint *ep, const char *address, unsigned port);
/* "ADDRESS", "ADDRESS:PORT" (IPv4), "[ADDRESS]:PORT"; `port` when none is written. */
bool pw_endpoint_parse(struct pw_endpoint *ep, const char *text, unsigned port);
int pw_endpoint_family(const struct pw_endpoint *ep); /* AF_INET, AF_INET6 */
unsigned pw_endpoint_port(const struct pw_endpoint *ep);
void pw_endpoint_text(const struct pw_endpoint *ep, char out[PW_ENDPOINT_TEXT]);    /* with port */
void pw_endpoint_address(const struct pw_endpoint *ep, char out[PW_ENDPOINT_TEXT]); /* without */
bool pw_endpoint_same(const struct pw_endpoint *a, const struct pw_endpoint *b);    /* address and port */

int64_t pw_mono_us(void);
double pw_us_to_ms(int64_t us);
/* The earlier of now + timeout_ms and the end of the check, in µs of pw_mono_us. */
int64_t pw_deadline_us(const struct pw_ctx *ctx, unsigned timeout_ms);
/* Milliseconds to wait in poll(2), rounded up, 0 when past. */
int pw_poll_ms(int64_t deadline_us);

/* A non-blocking, close-on-exec socket that queues network errors (IP_RECVERR). Negative code on failure. */
int pw_sock_open(const struct pw_endpoint *to, int type, int protocol, struct pw_err *err);
/* SO_MARK and a source address; 0 and NULL: neither. */
int pw_sock_steer(int fd, int family, const char *source, unsigned mark, struct pw_err *err);

/* One entry of a socket's error queue. */
struct pw_sock_error {
	bool seen;
	bool local;          /* from our own stack, not an ICMP message */
	int sys;             /* errno the kernel made of it */
	unsigned type, code; /* of ICMP or ICMPv6 */
	unsigned info;       /* next-hop MTU of EMSGSIZE, else 0 */
	char from[PW_ENDPOINT_TEXT]; /* who sent it, "" if nobody */
	unsigned char data[64];      /* start of the packet that caused it, after the IP header */
	size_t data_len;
};
/* Takes the next entry off the queue. False when it is empty. */
bool pw_sock_error_next(int fd, struct pw_sock_error *ret);
/* Drains the queue and keeps the last ICMP message, else the last local entry. False when it was empty. */
bool pw_sock_error_last(int fd, struct pw_sock_error *ret);
/* {type, code, from, mtu} under `key`; nothing if it was no ICMP message. */
void pw_sock_error_put(const struct pw_sock_error *e, struct pw_val *map, const char *key);

/* Destination-unreachable messages this namespace has received for the family; -1 if it cannot be read. */
long long pw_icmp_unreachables(int family);

/* Bytes of a peer as text of at most `max` bytes: what is not printable UTF-8 becomes a dot. NULL: out of memory. */
char *pw_text_of_bytes(struct pw_arena *arena, const void *data, size_t len, size_t max);

#endif
