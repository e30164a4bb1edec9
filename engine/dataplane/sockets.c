/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening TCP and bound UDP sockets of this namespace, by sock_diag or, where that is not to be had, from /proc. */
#include <packetwalk/dataplane.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dataplane/nl.h>
#include <packetwalk/cleanup.h>
#include <packetwalk/vantage_fs.h>

/* TCP states as the kernel numbers them (net/tcp_states.h): a listener, and a
 * UDP socket that is bound and not connected. */
#define STATE_CLOSE 7
#define STATE_LISTEN 10

struct reading { struct pw_arena *arena; struct pw_val *list, *one; size_t n, of_this; unsigned char protocol; };

static int take_socket(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	const struct inet_diag_msg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[INET_DIAG_SKV6ONLY + 1];
	char text[INET6_ADDRSTRLEN] = "";
	(void)err;
	if (mnl_nlmsg_get_payload_len(message) < sizeof *info || r->n++ >= PW_NL_MAX_ITEMS)
		return PW_OK;
	pw_nl_attrs(message, sizeof *info, a, INET_DIAG_SKV6ONLY);
	bool tcp = r->protocol == IPPROTO_TCP;
	(void)inet_ntop(info->idiag_family, info->id.idiag_src, text, sizeof text);
	r->of_this++;
	struct pw_val *socket = pw_seq_add_map(r->one);
	pw_map_set_str(socket, "protocol", tcp ? "tcp" : "udp");
	pw_map_set_int(socket, "family", info->idiag_family == AF_INET6 ? 6 : 4);
	pw_map_set_str(socket, "address", text);
	pw_map_set_int(socket, "port", ntohs(info->id.idiag_sport));
	pw_map_set_bool(socket, "v6only", pw_nl_u32(a[INET_DIAG_SKV6ONLY], 0) != 0);
	/* For a listener these are the accept queue and its limit (inet_diag: rqueue, wqueue). */
	pw_map_set_int(socket, "queue", info->idiag_rqueue);
	pw_map_set_int(socket, "backlog", tcp ? info->idiag_wqueue : 0);
	pw_map_set_int(socket, "inode", info->idiag_inode);
	const struct nlattr *mem = a[INET_DIAG_SKMEMINFO];
	if (mem && mnl_attr_get_payload_len(mem) >= (SK_MEMINFO_DROPS + 1) * sizeof(uint32_t)) {
		uint32_t values[SK_MEMINFO_DROPS + 1];
		memcpy(values, mnl_attr_get_payload(mem), sizeof values);
		pw_map_set_int(socket, "drops", values[SK_MEMINFO_DROPS]);
	}
	return PW_OK;
}

static void start_over(void *arg)
{
	struct reading *r = arg;
	r->n -= r->of_this;
	r->of_this = 0;
	r->one = pw_val_seq(r->arena);
}

static int ask(struct reading *r, unsigned char family, unsigned char protocol, struct pw_err *err)
{
	struct pw_nl_request request;
	struct inet_diag_req_v2 *info = pw_nl_begin(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof *info);
	info->sdiag_family = family;
	info->sdiag_protocol = protocol;
	info->idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
	info->idiag_states = protocol == IPPROTO_TCP ? 1u << STATE_LISTEN : 1u << STATE_CLOSE;
	r->protocol = protocol;
	return pw_nl_talk(NETLINK_SOCK_DIAG, &request, take_socket, r, start_over, NULL, err);
}

/* "0100007F" or 32 digits: words of the address in the byte order of this machine. */
static bool hex_address(const char *text, int family, char out[INET6_ADDRSTRLEN])
{
	uint32_t words[4];
	size_t n = family == AF_INET6 ? 4 : 1;
	if (strlen(text) != 8 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char word[9] = "";
		memcpy(word, text + 8 * i, 8);
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	return inet_ntop(family, words, out, INET6_ADDRSTRLEN) != NULL;
}

enum { COLUMNS = 20 }; /* the kernel prints 17 for TCP, 13 for UDP */

static const char *column(char *const *names, char *const *values, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return values[i];
	return "";
}

static size_t split(char *line, char *words[COLUMNS])
{
	char *save = NULL;
	size_t n = 0;
	for (char *word = strtok_r(line, " ", &save); word && n < COLUMNS; word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	return n;
}

/* The header joins names that share a column ("tx_queue rx_queue", "tr tm->when"): those become one. */
static size_t split_header(char *line, char *names[COLUMNS])
{
	char *words[COLUMNS];
	size_t n = split(line, words), kept = 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], "rx_queue") && strcmp(words[i], "tm->when"))
			names[kept++] = words[i];
	return kept;
}

static void put_line(struct reading *r, char *const *names, size_t n_names, char *line, int family)
{
	char *values[COLUMNS], text[INET6_ADDRSTRLEN];
	size_t n = split(line, values);
	n = n < n_names ? n : n_names;
	bool tcp = r->protocol == IPPROTO_TCP;
	unsigned long state = strtoul(column(names, values, n, "st"), NULL, 16);
	char local[64];
	(void)snprintf(local, sizeof local, "%s", column(names, values, n, "local_address"));
	char *colon = strchr(local, ':');
	if (!colon || state != (tcp ? STATE_LISTEN : STATE_CLOSE) || r->n++ >= PW_NL_MAX_ITEMS)
		return;
	*colon = '\0';
	if (!hex_address(local, family, text))
		return;
	const char *queues = column(names, values, n, "tx_queue"), *receive = strchr(queues, ':');
	struct pw_val *socket = pw_seq_add_map(r->list);
	pw_map_set_str(socket, "protocol", tcp ? "tcp" : "udp");
	pw_map_set_int(socket, "family", family == AF_INET6 ? 6 : 4);
	pw_map_set_str(socket, "address", text);
	pw_map_set_int(socket, "port", (long long)strtoul(colon + 1, NULL, 16));
	pw_map_set_int(socket, "queue", receive ? (long long)strtoul(receive + 1, NULL, 16) : 0);
	pw_map_set_int(socket, "inode", strtoll(column(names, values, n, "inode"), NULL, 10));
	if (!tcp)
		pw_map_set_int(socket, "drops", strtoll(column(names, values, n, "drops"), NULL, 10));
}

/* Where sock_diag is not to be had (its modules may be blocked): the same from /proc, without backlog and v6only. */
static int read_proc(struct reading *r, int fd, const char *path, int family, struct pw_err *err)
{
	PW_CLEAN_FILE FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[512], header[512], *names[COLUMNS];
	if (!file && fd >= 0)
		(void)close(fd);
	if (!file)
		return errno == ENOENT ? PW_OK : pw_err_sys(err, errno == EACCES ? PW_DENIED : PW_IO, errno, "reading %s", path);
	if (!fgets(header, sizeof header, file))
		return PW_OK;
	header[strcspn(header, "\n")] = '\0';
	size_t n = split_header(header, names);
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		put_line(r, names, n, line, family);
	}
	return PW_OK;
}

static const struct kind { unsigned char family, protocol; const char *path; } kinds[] = {
	{ AF_INET, IPPROTO_TCP, PW_PROC_NET "tcp" }, { AF_INET6, IPPROTO_TCP, PW_PROC_NET "tcp6" },
	{ AF_INET, IPPROTO_UDP, PW_PROC_NET "udp" }, { AF_INET6, IPPROTO_UDP, PW_PROC_NET "udp6" },
};

static int open_proc(struct pw_ctx *ctx, const char *path)
{
	(void)ctx;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Of a container, whose shell has read it. */
static int open_borrowed(struct pw_ctx *ctx, const char *path)
{
	int fd = pw_ctx_open(ctx, path, NULL);
	errno = fd == PW_ABSENT ? ENOENT : EIO;
	return fd;
}

static int read_all_proc(struct pw_ctx *ctx, int (*open_one)(struct pw_ctx *ctx, const char *path), struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct reading r = { .arena = arena, .list = pw_val_seq(arena) };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		r.protocol = kinds[i].protocol;
		if (read_proc(&r, open_one(ctx, kinds[i].path), kinds[i].path, kinds[i].family, err))
			return pw_err_wrap(err, "listing listening sockets");
	}
	pw_map_set(ret, "sockets", r.list);
	pw_nl_say_cut(ret, r.n);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "listing sockets: out of memory") : PW_OK;
}

int pw_read_listeners_proc(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	return read_all_proc(ctx, open_proc, ret, err);
}

int pw_read_listeners_borrowed(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	return read_all_proc(ctx, open_borrowed, ret, err);
}

int pw_read_listeners(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct reading r = { .arena = arena, .list = pw_val_seq(arena) };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct pw_err why = PW_ERR_INIT;
		r.of_this = 0;
		r.one = pw_val_seq(arena);
		if (ask(&r, kinds[i].family, kinds[i].protocol, &why))
			return pw_read_listeners_proc(ctx, ret, err);
		for (size_t k = 0; k < pw_val_count(r.one); k++)
			pw_seq_add(r.list, pw_val_copy(arena, pw_val_at(r.one, k)));
	}
	pw_map_set(ret, "sockets", r.list);
	pw_nl_say_cut(ret, r.n);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "listing sockets: out of memory") : PW_OK;
}
