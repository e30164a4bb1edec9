/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets as probes use them: literal addresses, microsecond deadlines, and who sent which ICMP error. */
#include "sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>

enum {
	US_PER_MS = 1000,
	PORT_MAX = 65535,
	PROC_FILE_MAX = 256 * 1024, /* /proc/net/snmp and snmp6 are a few KiB */
};

/* ---- addresses ---- */

static bool set_v4(struct pw_endpoint *ep, const char *address, unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return false;
	memcpy(&ep->ss, &in, sizeof in);
	ep->len = sizeof in;
	return true;
}

static bool set_v6(struct pw_endpoint *ep, const char *address, unsigned port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	char bare[INET6_ADDRSTRLEN];
	const char *scope = strchr(address, '%');
	size_t len = scope ? (size_t)(scope - address) : strlen(address);
	if (len >= sizeof bare)
		return false;
	memcpy(bare, address, len);
	bare[len] = '\0';
	if (inet_pton(AF_INET6, bare, &in.sin6_addr) != 1)
		return false;
	if (scope) {
		unsigned long long index = if_nametoindex(scope + 1);
		if (!index && (!pw_parse_uint(scope + 1, UINT32_MAX, &index) || !index))
			return false;
		in.sin6_scope_id = (uint32_t)index;
	}
	memcpy(&ep->ss, &in, sizeof in);
	ep->len = sizeof in;
	return true;
}

bool pw_endpoint_set(struct pw_endpoint *ep, const char *address, unsigned port)
{
	memset(ep, 0, sizeof *ep);
	if (!address || port > PORT_MAX)
		return false;
	return set_v4(ep, address, port) || set_v6(ep, address, port);
}

bool pw_endpoint_parse(struct pw_endpoint *ep, const char *text, unsigned port)
{
	char address[PW_ENDPOINT_TEXT];
	unsigned long long written;
	if (!text || strlen(text) >= sizeof address)
		return false;
	if (pw_endpoint_set(ep, text, port))
		return true;
	const char *colon = strrchr(text, ':');
	if (!colon || !pw_parse_uint(colon + 1, PORT_MAX, &written))
		return false;
	const char *start = text, *end = colon;
	bool bracketed = *text == '[' && colon > text + 1 && colon[-1] == ']';
	if (bracketed) {
		start++;
		end--;
	}
	memcpy(address, start, (size_t)(end - start));
	address[end - start] = '\0';
	if (!bracketed && strchr(address, ':')) /* "::1:53" is an address, not an address and a port */
		return false;
	return pw_endpoint_set(ep, address, (unsigned)written);
}

int pw_endpoint_family(const struct pw_endpoint *ep)
{
	return ep->ss.ss_family;
}

unsigned pw_endpoint_port(const struct pw_endpoint *ep)
{
	if (ep->ss.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&ep->ss)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&ep->ss)->sin_port);
}

void pw_endpoint_address(const struct pw_endpoint *ep, char out[PW_ENDPOINT_TEXT])
{
	out[0] = '\0';
	if (ep->ss.ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)&ep->ss)->sin_addr, out, PW_ENDPOINT_TEXT);
	} else if (ep->ss.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&ep->ss;
		char scope[IF_NAMESIZE];
		(void)inet_ntop(AF_INET6, &in->sin6_addr, out, PW_ENDPOINT_TEXT);
		if (in->sin6_scope_id && if_indextoname(in->sin6_scope_id, scope)) {
			size_t len = strlen(out);
			(void)snprintf(out + len, PW_ENDPOINT_TEXT - len, "%%%s", scope);
		}
	}
}

void pw_endpoint_text(const struct pw_endpoint *ep, char out[PW_ENDPOINT_TEXT])
{
	char address[PW_ENDPOINT_TEXT];
	pw_endpoint_address(ep, address);
	bool v6 = ep->ss.ss_family == AF_INET6;
	(void)snprintf(out, PW_ENDPOINT_TEXT, v6 ? "[%.60s]:%u" : "%.60s:%u", address, pw_endpoint_port(ep));
}

bool pw_endpoint_same(const struct pw_endpoint *a, const struct pw_endpoint *b)
{
	if (a->ss.ss_family != b->ss.ss_family || pw_endpoint_port(a) != pw_endpoint_port(b))
		return false;
	if (a->ss.ss_family == AF_INET)
		return ((const struct sockaddr_in *)&a->ss)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)&b->ss)->sin_addr.s_addr;
	return !memcmp(&((const struct sockaddr_in6 *)&a->ss)->sin6_addr,
		       &((const struct sockaddr_in6 *)&b->ss)->sin6_addr, sizeof(struct in6_addr));
}

/* ---- time ---- */

int64_t pw_mono_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

double pw_us_to_ms(int64_t us)
{
	return (double)us / US_PER_MS;
}

int64_t pw_deadline_us(const struct pw_ctx *ctx, unsigned timeout_ms)
{
	unsigned left = pw_ctx_remaining_ms(ctx);
	return pw_mono_us() + (int64_t)(timeout_ms < left ? timeout_ms : left) * US_PER_MS;
}

int pw_poll_ms(int64_t deadline_us)
{
	int64_t ms = (deadline_us - pw_mono_us() + US_PER_MS - 1) / US_PER_MS;
	return ms <= 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* ---- options ---- */

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

int pw_sock_open(const struct pw_endpoint *to, int type, int protocol, struct pw_err *err)
{
	int family = pw_endpoint_family(to);
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0) {
		int code = errno == EACCES || errno == EPERM ? PW_DENIED : errno == EAFNOSUPPORT ? PW_UNSUPPORTED : PW_IO;
		return pw_err_sys(err, code, errno, "cannot open an %s socket", family == AF_INET6 ? "IPv6" : "IPv4");
	}
	/* Kernels before 5.11 queue ICMP errors of connecting TCP sockets only when asked; all others always need it. */
	if (family == AF_INET6)
		(void)set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	else
		(void)set_int(fd, IPPROTO_IP, IP_RECVERR, 1);
	return fd;
}

int pw_sock_steer(int fd, int family, const char *source, unsigned mark, struct pw_err *err)
{
	struct pw_endpoint ep;
	if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0)
		return pw_err_sys(err, errno == EPERM ? PW_DENIED : PW_IO, errno, "cannot set the mark %#x on a probe", mark);
	if (!source)
		return PW_OK;
	if (!pw_endpoint_set(&ep, source, 0) || pw_endpoint_family(&ep) != family)
		return pw_err_set(err, PW_USAGE, "the source \"%.64s\" is not an address of the family of the destination", source);
	(void)set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1); /* the port is chosen at connect, by 4-tuple */
	if (bind(fd, (const struct sockaddr *)&ep.ss, ep.len) < 0)
		return pw_err_sys(err, PW_USAGE, errno, "cannot send from %.64s", source);
	return PW_OK;
}

/* ---- the error queue ---- */

static bool icmp_origin(const struct sock_extended_err *ee)
{
	return ee->ee_origin == SO_EE_ORIGIN_ICMP || ee->ee_origin == SO_EE_ORIGIN_ICMP6;
}

static void take_error(const struct cmsghdr *cmsg, struct pw_sock_error *ret)
{
	struct {
		struct sock_extended_err ee;
		struct sockaddr_in6 offender; /* the larger of the two kinds */
	} found = { 0 };
	size_t len = cmsg->cmsg_len - CMSG_LEN(0);
	if (len < sizeof found.ee)
		return;
	memcpy(&found, CMSG_DATA(cmsg), len < sizeof found ? len : sizeof found);
	ret->seen = true;
	ret->local = !icmp_origin(&found.ee);
	ret->sys = (int)found.ee.ee_errno;
	ret->type = found.ee.ee_type;
	ret->code = found.ee.ee_code;
	ret->info = found.ee.ee_info;
	if (found.offender.sin6_family == AF_INET || found.offender.sin6_family == AF_INET6) {
		struct pw_endpoint ep = { .len = sizeof found.offender };
		memcpy(&ep.ss, &found.offender, sizeof found.offender);
		pw_endpoint_address(&ep, ret->from);
	}
}

bool pw_sock_error_next(int fd, struct pw_sock_error *ret)
{
	_Alignas(struct cmsghdr) char control[256];
	memset(ret, 0, sizeof *ret);
	struct iovec iov = { .iov_base = ret->data, .iov_len = sizeof ret->data };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	ssize_t n = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
	if (n < 0)
		return false;
	ret->data_len = (size_t)n < sizeof ret->data ? (size_t)n : sizeof ret->data;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			take_error(c, ret);
	return true;
}

bool pw_sock_error_last(int fd, struct pw_sock_error *ret)
{
	struct pw_sock_error one;
	bool any = false;
	while (pw_sock_error_next(fd, &one)) {
		if (!one.seen || (any && one.local && !ret->local))
			continue;
		*ret = one;
		any = true;
	}
	return any;
}

void pw_sock_error_put(const struct pw_sock_error *e, struct pw_val *map, const char *key)
{
	if (!e->seen || e->local)
		return;
	struct pw_val *icmp = pw_map_set_map(map, key);
	pw_map_set_int(icmp, "type", e->type);
	pw_map_set_int(icmp, "code", e->code);
	pw_map_set_str(icmp, "from", e->from);
	if (e->info)
		pw_map_set_int(icmp, "mtu", e->info);
}

/* ---- the namespace's counters ---- */

/* The n-th number of a line, 0-based; -1 if there is none. */
static long long nth_number(const char *line, int n)
{
	for (int i = 0; i <= n; i++) {
		line = strchr(line, ' ');
		if (!line)
			return -1;
		line++;
	}
	return strtoll(line, NULL, 10);
}

/* /proc/net/snmp: a line of names and a line of numbers, both starting with "Icmp:". */
static long long snmp_v4(const char *text)
{
	const char *names = strstr(text, "Icmp: ");
	const char *numbers = names ? strstr(names + 1, "\nIcmp: ") : NULL;
	const char *name = names ? strstr(names, " InDestUnreachs") : NULL;
	if (!numbers || !name || name > numbers)
		return -1;
	int column = 0;
	for (const char *p = names; p < name; p++)
		column += *p == ' ';
	return nth_number(numbers + 1, column);
}

static long long snmp_v6(const char *text)
{
	const char *line = strstr(text, "Icmp6InDestUnreachs");
	return line ? strtoll(line + strlen("Icmp6InDestUnreachs"), NULL, 10) : -1;
}

long long pw_icmp_unreachables(int family)
{
	/* thread-self: /proc/net is the namespace of the thread group's leader */
	const char *path = family == AF_INET6 ? "/proc/thread-self/net/snmp6" : "/proc/thread-self/net/snmp";
	PW_CLEAN_BUF struct pw_buf text = { 0 };
	PW_CLEAN_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t n;
	if (fd < 0)
		return -1;
	pw_buf_init(&text, PROC_FILE_MAX);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		pw_buf_add(&text, chunk, (size_t)n);
	if (n < 0 || !pw_buf_ok(&text))
		return -1;
	return family == AF_INET6 ? snmp_v6(pw_buf_str(&text)) : snmp_v4(pw_buf_str(&text));
}

/* ---- bytes as text ---- */

char *pw_text_of_bytes(struct pw_arena *arena, const void *data, size_t len, size_t max)
{
	const char *from = data;
	if (len > max)
		len = max;
	char *out = pw_arena_alloc(arena, len + 1);
	for (size_t i = 0; out && i < len;) {
		uint32_t c;
		size_t n = pw_utf8_next(from + i, len - i, &c);
		bool fine = n && (!pw_char_unsafe(c) || c == '\n' || c == '\r' || c == '\t');
		if (!n)
			n = 1;
		for (size_t k = 0; k < n; k++, i++)
			out[i] = fine ? from[i] : '.';
	}
	return out;
}
