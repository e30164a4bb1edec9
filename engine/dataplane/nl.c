/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Netlink exchanges over libmnl: bounded, restarted when a dump was interrupted. */
#include <dataplane/nl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DUMP_TRIES 3

void *pw_nl_begin(struct pw_nl_request *request, uint16_t type, uint16_t flags, size_t header_size)
{
	memset(request, 0, sizeof *request);
	request->header = mnl_nlmsg_put_header(request->space);
	request->header->nlmsg_type = type;
	request->header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	request->header->nlmsg_seq = 1;
	void *extra = mnl_nlmsg_put_extra_header(request->header, header_size);
	memset(extra, 0, header_size);
	return extra;
}

struct exchange { pw_nl_fn fn; void *arg; struct pw_err *err; bool done, interrupted; int kernel_errno, rc; };

static void take_message(struct exchange *x, const struct nlmsghdr *message)
{
	x->interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (message->nlmsg_type == NLMSG_DONE) { /* a dump that failed on its way says so here */
		const int *error = mnl_nlmsg_get_payload(message);
		if (mnl_nlmsg_get_payload_len(message) >= sizeof *error && *error < 0)
			x->kernel_errno = -*error;
		x->done = true;
		return;
	}
	if (message->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
		if (mnl_nlmsg_get_payload_len(message) >= sizeof *error)
			x->kernel_errno = -error->error;
		x->done = true;
		return;
	}
	if (message->nlmsg_type < NLMSG_MIN_TYPE)
		return;
	x->rc = x->fn(message, x->arg, x->err);
	x->done |= x->rc != PW_OK || !(message->nlmsg_flags & NLM_F_MULTI);
}

static int receive_all(struct mnl_socket *socket, struct exchange *x)
{
	char buffer[65536];
	while (!x->done && !x->rc) {
		ssize_t n = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			x->interrupted = true;
			return PW_OK;
		}
		if (n <= 0)
			return pw_err_sys(x->err, errno == EAGAIN ? PW_TIMEOUT : PW_IO, errno, "reading the kernel's answer over netlink");
		int left = (int)n;
		for (const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)buffer; mnl_nlmsg_ok(m, left) && !x->done; m = mnl_nlmsg_next(m, &left))
			take_message(x, m);
	}
	return x->rc;
}

static int one_exchange(int bus, struct pw_nl_request *request, struct exchange *x)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!socket)
		return pw_err_sys(x->err, PW_IO, errno, "opening a netlink socket");
	/* The kernel answers at once or never; a wait without end would outlive the deadline of the check. */
	struct timeval limit = { .tv_sec = 3 };
	int rc = PW_OK;
	if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
	    mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(socket, request->header, request->header->nlmsg_len) < 0)
		rc = pw_err_sys(x->err, errno == EPERM ? PW_DENIED : PW_IO, errno, "asking the kernel over netlink");
	else
		rc = receive_all(socket, x);
	(void)mnl_socket_close(socket);
	return rc;
}

int pw_nl_talk(int bus, struct pw_nl_request *request, pw_nl_fn fn, void *arg, void (*restart)(void *arg), int *ret_errno, struct pw_err *err)
{
	for (int try = 0; try < DUMP_TRIES; try++) {
		struct exchange x = { .fn = fn, .arg = arg, .err = err };
		if (try && restart)
			restart(arg);
		int rc = one_exchange(bus, request, &x);
		if (rc)
			return rc;
		if (x.interrupted && try + 1 < DUMP_TRIES)
			continue;
		if (ret_errno)
			*ret_errno = x.kernel_errno;
		else if (x.kernel_errno)
			return pw_err_sys(err, x.kernel_errno == EPERM ? PW_DENIED : PW_IO, x.kernel_errno, "asking the kernel over netlink");
		return PW_OK;
	}
	return PW_OK;
}

/* libmnl's loops, with their lengths in the types the compiler can check. */
static void take_attrs(const struct nlattr *attr, const char *end, const struct nlattr **table, unsigned max)
{
	memset(table, 0, (max + 1) * sizeof *table);
	while (mnl_attr_ok(attr, (int)(end - (const char *)attr))) {
		unsigned type = mnl_attr_get_type(attr);
		if (type <= max)
			table[type] = attr;
		attr = mnl_attr_next(attr);
	}
}

void pw_nl_attrs(const struct nlmsghdr *message, size_t header_size, const struct nlattr **table, unsigned max)
{
	take_attrs(mnl_nlmsg_get_payload_offset(message, header_size), mnl_nlmsg_get_payload_tail(message), table, max);
}

void pw_nl_nested(const struct nlattr *nest, const struct nlattr **table, unsigned max)
{
	if (nest)
		take_attrs(mnl_attr_get_payload(nest), (const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest), table, max);
	else
		memset(table, 0, (max + 1) * sizeof *table);
}

const char *pw_nl_address(const struct nlattr *attr, char out[64])
{
	out[0] = '\0';
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;
	if (len == 4)
		(void)inet_ntop(AF_INET, mnl_attr_get_payload(attr), out, 64);
	else if (len == 16)
		(void)inet_ntop(AF_INET6, mnl_attr_get_payload(attr), out, 64);
	return out;
}

const char *pw_nl_mac(const struct nlattr *attr, char out[32])
{
	const unsigned char *b = attr && mnl_attr_get_payload_len(attr) == 6 ? mnl_attr_get_payload(attr) : NULL;
	out[0] = '\0';
	if (b)
		(void)snprintf(out, 32, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	return out;
}

uint32_t pw_nl_u32(const struct nlattr *attr, uint32_t otherwise)
{
	switch (attr ? mnl_attr_get_payload_len(attr) : 0) {
	case 1: return mnl_attr_get_u8(attr);
	case 2: return mnl_attr_get_u16(attr);
	case 4: return mnl_attr_get_u32(attr);
	default: return otherwise;
	}
}

const char *pw_nl_ifname(unsigned index, char out[32])
{
	char name[IF_NAMESIZE];
	if (index && if_indextoname(index, name))
		(void)snprintf(out, 32, "%s", name);
	else
		(void)snprintf(out, 32, "%u", index);
	return out;
}

void pw_nl_say_cut(struct pw_val *ret, size_t seen)
{
	if (seen > PW_NL_MAX_ITEMS)
		pw_map_set_int(ret, "cut", (long long)seen);
}
