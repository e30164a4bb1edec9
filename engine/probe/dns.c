/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DNS questions over c-ares, one channel per server. The sockets are our own:
 * UDP ones stay unconnected and queue errors, so that an answer from another
 * address, a datagram c-ares would not take, and the sender of an ICMP refusal
 * are seen and not just a timeout.
 */
#include "dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	RAW_MAX = 4096,        /* c-ares reads no more of a datagram */
	SLACK_MS = 60 * 1000,  /* our deadline ends a question, not c-ares' */
	TRIES_MAX = 16,
};

struct flight;

struct question {
	struct flight *flight;
	struct pw_val *ret;
	unsigned char *query;   /* of ares_create_query */
	int query_len;
	bool done, heard;       /* heard: a datagram came that is no answer */
	int64_t start_us;
};

/* One server and the socket towards it. */
struct flight {
	struct pw_arena *arena;
	struct pw_endpoint server;
	ares_channel channel;
	bool tcp;
	int sys;                      /* last error of the socket */
	bool broken;                  /* the socket failed: what is open ends with `sys` */
	struct pw_sock_error error;
	struct pw_endpoint other;     /* who else answered, len 0: nobody */
	struct question q[PW_DNS_TYPES_MAX];
	size_t n;
	unsigned char raw[RAW_MAX];   /* the last datagram */
	size_t raw_len;
};

/* ---- the sockets of a channel ---- */

static ares_socket_t on_socket(int family, int type, int protocol, void *arg)
{
	struct flight *f = arg;
	(void)family;
	int fd = pw_sock_open(&f->server, type, protocol, NULL);
	if (fd < 0)
		f->sys = errno;
	return fd < 0 ? ARES_SOCKET_BAD : fd;
}

static int on_close(ares_socket_t fd, void *arg)
{
	(void)arg;
	return close(fd);
}

/* One error is the end of all questions of the socket: it was reported once, and would not be again. */
static void note_error(struct flight *f, int fd)
{
	struct pw_sock_error error;
	f->sys = errno;
	f->broken = true;
	if (pw_sock_error_last(fd, &error))
		f->error = error;
	errno = f->sys;
}

static int on_connect(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len, void *arg)
{
	struct flight *f = arg;
	if (!f->tcp)
		return 0;
	int rc = connect(fd, to, len);
	if (rc < 0 && errno != EINPROGRESS)
		note_error(f, fd);
	return rc;
}

static void hear(struct flight *f, const void *data, size_t len, const struct pw_endpoint *from)
{
	if (!pw_endpoint_same(from, &f->server)) {
		f->other = *from;
		return;
	}
	memcpy(f->raw, data, len < RAW_MAX ? len : RAW_MAX);
	f->raw_len = len < RAW_MAX ? len : RAW_MAX;
	struct question *whose = NULL;
	for (size_t i = 0; i < f->n; i++)
		if (len >= 2 && f->q[i].query && !memcmp(data, f->q[i].query, 2))
			whose = &f->q[i];
	for (size_t i = 0; i < f->n; i++)
		if (!whose || whose == &f->q[i])
			f->q[i].heard = true;
}

static ares_ssize_t on_receive(ares_socket_t fd, void *data, size_t size, int flags, struct sockaddr *from,
			       ares_socklen_t *from_len, void *arg)
{
	struct flight *f = arg;
	struct pw_endpoint sender = { .len = sizeof sender.ss };
	ssize_t n = recvfrom(fd, data, size, flags, (struct sockaddr *)&sender.ss, &sender.len);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		note_error(f, fd);
	if (n >= 0 && !f->tcp)
		hear(f, data, (size_t)n, &sender);
	if (n == 0 && !f->tcp) { /* c-ares would take an empty datagram for an error */
		errno = EAGAIN;
		return -1;
	}
	if (n >= 0 && from && from_len) {
		*from_len = sender.len < *from_len ? sender.len : *from_len;
		memcpy(from, &sender.ss, *from_len);
	}
	return n;
}

static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *iov, int n, void *arg)
{
	struct flight *f = arg;
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n };
	if (!f->tcp) {
		msg.msg_name = &f->server.ss;
		msg.msg_namelen = f->server.len;
	}
	ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		note_error(f, fd);
	return sent;
}

/* ---- outcomes ---- */

static const char *broken_off(const struct flight *f)
{
	bool icmp = f->error.seen && !f->error.local;
	switch (f->sys) {
	case ECONNREFUSED:
		return f->tcp && !icmp ? "refused-rst" : "refused-icmp";
	case EHOSTUNREACH: case ENETUNREACH: case EHOSTDOWN: case ENETDOWN: case EINVAL: case ENOPROTOOPT:
		return "unreachable";
	case EPERM: case EACCES:
		return icmp ? "unreachable" : "local-denied";
	case EADDRNOTAVAIL: case EMFILE: case ENFILE: case ENOBUFS: case EAFNOSUPPORT:
		return "local-denied";
	case ETIMEDOUT:
		return "timeout";
	default:
		return "closed";
	}
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *answer, int len)
{
	struct question *q = arg;
	struct flight *f = q->flight;
	(void)timeouts;
	if (q->done)
		return;
	q->done = true;
	pw_map_set_real(q->ret, "ms", pw_us_to_ms(pw_mono_us() - q->start_us));
	if (answer && len > 0) {
		/* c-ares hands on no more than 512 bytes of a datagram. */
		const unsigned char *data = f->tcp ? answer : f->raw;
		size_t size = f->tcp ? (size_t)len : f->raw_len;
		bool fine = pw_dns_message_parse(data, size, f->arena, q->ret);
		pw_map_set_int(q->ret, "bytes", (long long)size);
		pw_map_set_str(q->ret, "result", fine ? "answered" : "malformed");
	} else if (!f->broken && (status == ARES_ECANCELLED || status == ARES_ETIMEOUT || status == ARES_EDESTRUCTION)) {
		pw_map_set_str(q->ret, "result", q->heard ? "malformed" : "timeout");
	} else {
		pw_map_set_str(q->ret, "result", broken_off(f));
		pw_map_set_int(q->ret, "errno", f->sys);
		pw_sock_error_put(&f->error, q->ret, "icmp");
	}
}

static bool good(const struct question *q)
{
	long long rcode = pw_map_int(q->ret, "rcode_num", -1);
	return q->done && (rcode == 0 || rcode == 3) && !strcmp(pw_map_str(q->ret, "result", ""), "answered");
}

/* ---- a channel's life ---- */

static int flight_open(struct flight *f, const char *server, const struct pw_dns_ask *ask, struct pw_err *err)
{
	static const struct ares_socket_functions sockets = { on_socket, on_close, on_connect, on_receive, on_send };
	static const int flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_IGNTC | ARES_FLAG_NOCHECKRESP;
	char lookups[] = "b", nothing[] = "/dev/null", csv[PW_ENDPOINT_TEXT];
	struct ares_options options = { .flags = flags | (ask->tcp ? ARES_FLAG_USEVC : 0), .tries = 1, .ndots = 1,
		.timeout = (int)(ask->timeout_ms < SLACK_MS ? ask->timeout_ms : SLACK_MS) + SLACK_MS,
		.lookups = lookups, .resolvconf_path = nothing };
	if (!pw_endpoint_parse(&f->server, server, PW_DNS_PORT))
		return pw_err_set(err, PW_USAGE, "\"%.64s\" is not the address of a DNS server", server ? server : "");
	f->tcp = ask->tcp;
	int rc = ares_init_options(&f->channel, &options, ARES_OPT_FLAGS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
				   ARES_OPT_TIMEOUTMS | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF);
	if (rc != ARES_SUCCESS) {
		f->channel = NULL;
		return pw_err_set(err, rc == ARES_ENOMEM ? PW_NOMEM : PW_INTERNAL, "cannot set up DNS: %s", ares_strerror(rc));
	}
	pw_endpoint_text(&f->server, csv);
	rc = ares_set_servers_ports_csv(f->channel, csv);
	if (rc != ARES_SUCCESS)
		return pw_err_set(err, rc == ARES_ENOMEM ? PW_NOMEM : PW_USAGE, "cannot ask the DNS server %s: %s", csv, ares_strerror(rc));
	ares_set_socket_functions(f->channel, &sockets, f);
	return PW_OK;
}

static int build(const struct pw_dns_ask *ask, const char *type_word, unsigned char **ret, int *ret_len, struct pw_err *err)
{
	int type = pw_dns_type(type_word);
	unsigned short id;
	if (type < 0)
		return pw_err_set(err, PW_USAGE, "\"%.32s\" is not a record type that can be asked for", type_word);
	if (getentropy(&id, sizeof id) != 0) /* an old kernel without entropy: guessable, still distinct */
		id = (unsigned short)pw_mono_us();
	int rc = ares_create_query(ask->name, ns_c_in, type, id, 1, ret, ret_len, ask->edns ? PW_DNS_EDNS_BYTES : 0);
	if (rc != ARES_SUCCESS)
		return pw_err_set(err, rc == ARES_ENOMEM ? PW_NOMEM : PW_USAGE, "cannot ask for the name \"%.128s\": %s", ask->name, ares_strerror(rc));
	return PW_OK;
}

int pw_dns_question(const struct pw_dns_ask *ask, const char *type, uint8_t *out, size_t size, size_t *ret_len, struct pw_err *err)
{
	unsigned char *query = NULL;
	int len = 0, rc = build(ask, type, &query, &len, err);
	if (rc == PW_OK && (size_t)len > size)
		rc = pw_err_set(err, PW_USAGE, "the name \"%.128s\" is too long to be asked for", ask->name);
	if (rc == PW_OK) {
		memcpy(out, query, (size_t)len);
		*ret_len = (size_t)len;
	}
	if (query)
		ares_free_string(query);
	return rc;
}

/* All questions are built before the first is sent, so that they leave together. */
static int flight_send(struct flight *f, const char *server, const struct pw_dns_ask *ask, struct pw_val *const *ret, struct pw_err *err)
{
	for (size_t i = 0; i < ask->n_types; i++) {
		struct question *q = &f->q[i];
		*q = (struct question){ .flight = f, .ret = ret[i] };
		f->n = i + 1;
		int rc = build(ask, ask->types[i], &q->query, &q->query_len, err);
		if (rc < 0)
			return rc;
		pw_map_set_str(q->ret, "server", server);
		pw_map_set_str(q->ret, "name", ask->name);
		pw_map_set_str(q->ret, "type", ask->types[i]);
		pw_map_set_str(q->ret, "transport", ask->tcp ? "tcp" : "udp");
	}
	for (size_t i = 0; i < f->n; i++) {
		f->q[i].start_us = pw_mono_us();
		ares_send(f->channel, f->q[i].query, f->q[i].query_len, on_answer, &f->q[i]);
	}
	return PW_OK;
}

static void flight_close(struct flight *f)
{
	if (f->channel) {
		ares_cancel(f->channel);
		ares_destroy(f->channel);
	}
	for (size_t i = 0; i < f->n; i++) {
		if (f->q[i].query)
			ares_free_string(f->q[i].query);
		if (f->other.len) {
			char other[PW_ENDPOINT_TEXT];
			pw_endpoint_text(&f->other, other);
			pw_map_set_str(f->q[i].ret, "other_source", other);
		}
	}
}

/* ---- all servers at once ---- */

static bool over(const struct flight *f, const struct pw_dns_ask *ask)
{
	bool all = true, some_good = true;
	for (size_t t = 0; t < ask->n_types; t++) {
		bool good_here = false;
		for (size_t s = 0; s < ask->n_servers; s++) {
			all = all && f[s].q[t].done;
			good_here = good_here || good(&f[s].q[t]);
		}
		some_good = some_good && good_here;
	}
	return all || (ask->first_good && some_good);
}

/* c-ares would not see one that is only queued, and poll would not rest. */
static void fail(struct flight *f, int fd)
{
	int sys = 0;
	socklen_t len = sizeof sys;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &len) < 0)
		sys = errno;
	bool queued = pw_sock_error_last(fd, &f->error);
	f->sys = sys ? sys : queued ? f->error.sys : 0;
	f->broken = f->sys != 0;
}

static void give_up_broken(struct flight *f, size_t n)
{
	for (size_t s = 0; s < n; s++)
		if (f[s].broken)
			ares_cancel(f[s].channel);
}

static void turn(struct flight *f, size_t n, int64_t deadline_us)
{
	struct pollfd fds[PW_DNS_SERVERS_MAX * ARES_GETSOCK_MAXNUM];
	struct flight *whose[PW_DNS_SERVERS_MAX * ARES_GETSOCK_MAXNUM];
	nfds_t k = 0;
	for (size_t s = 0; s < n; s++) {
		ares_socket_t socks[ARES_GETSOCK_MAXNUM];
		/* The lower half of the bits says readable, the upper writable; the macros for it shift into the sign. */
		unsigned bits = (unsigned)ares_getsock(f[s].channel, socks, ARES_GETSOCK_MAXNUM);
		for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
			int events = (bits >> i & 1 ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0);
			if (!events)
				continue;
			whose[k] = &f[s];
			fds[k++] = (struct pollfd){ .fd = socks[i], .events = (short)events };
		}
	}
	if (poll(fds, k, pw_poll_ms(deadline_us)) <= 0)
		return;
	for (nfds_t i = 0; i < k; i++) {
		int got = fds[i].revents;
		if (got & POLLERR)
			fail(whose[i], fds[i].fd);
		if (!got || whose[i]->broken)
			continue;
		bool writable = (got & (POLLOUT | POLLERR | POLLHUP)) && (fds[i].events & POLLOUT);
		ares_process_fd(whose[i]->channel, got & ~POLLOUT ? fds[i].fd : ARES_SOCKET_BAD,
				writable ? fds[i].fd : ARES_SOCKET_BAD);
	}
	give_up_broken(f, n);
}

int pw_dns_exchange(struct pw_ctx *ctx, const struct pw_dns_ask *ask, struct pw_val *const *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	if (!ask->n_servers || ask->n_servers > PW_DNS_SERVERS_MAX || !ask->n_types || ask->n_types > PW_DNS_TYPES_MAX)
		return pw_err_set(err, PW_INTERNAL, "%zu DNS servers or %zu types at once are too many or none", ask->n_servers, ask->n_types);
	struct flight *f = pw_arena_array(arena, ask->n_servers, sizeof *f);
	if (!f)
		return pw_err_set(err, PW_NOMEM, "no memory for a DNS query");
	int rc = PW_OK;
	size_t open = 0;
	while (rc == PW_OK && open < ask->n_servers) {
		f[open].arena = arena;
		rc = flight_open(&f[open], ask->servers[open], ask, err);
		open++;
	}
	int64_t deadline = pw_deadline_us(ctx, ask->timeout_ms);
	for (size_t s = 0; rc == PW_OK && s < open; s++)
		rc = flight_send(&f[s], ask->servers[s], ask, ret + s * ask->n_types, err);
	give_up_broken(f, open);
	while (rc == PW_OK && !over(f, ask) && pw_mono_us() < deadline)
		turn(f, open, deadline);
	for (size_t s = 0; s < open; s++)
		flight_close(&f[s]);
	if (rc == PW_OK && pw_arena_failed(arena))
		rc = pw_err_set(err, PW_NOMEM, "no memory for a DNS answer");
	return rc;
}

static void copy_into(struct pw_val *to, const struct pw_val *from, struct pw_arena *arena)
{
	for (size_t i = 0; i < pw_val_count(from); i++)
		pw_map_set(to, pw_map_key(from, i), pw_val_copy(arena, pw_val_at(from, i)));
}

int pw_probe_dns(struct pw_ctx *ctx, const struct pw_dns_query *query, struct pw_val *ret, struct pw_err *err)
{
	const struct pw_dns_ask ask = { .servers = &query->server, .n_servers = 1, .name = query->name, .types = &query->type,
		.n_types = 1, .tcp = query->tcp, .edns = query->edns, .timeout_ms = query->timeout_ms };
	unsigned tries = query->tries < 1 ? 1 : query->tries > TRIES_MAX ? TRIES_MAX : query->tries;
	struct pw_val *one = NULL;
	unsigned done = 0;
	while (done < tries) {
		one = pw_val_map(pw_ctx_arena(ctx));
		int rc = pw_dns_exchange(ctx, &ask, &one, err);
		if (rc < 0)
			return rc;
		done++;
		if (!strcmp(pw_map_str(one, "result", ""), "answered") || pw_ctx_remaining_ms(ctx) <= 1)
			break;
	}
	copy_into(ret, one, pw_ctx_arena(ctx));
	pw_map_set_int(ret, "tries", done);
	return PW_OK;
}
