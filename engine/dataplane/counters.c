/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counters of this namespace as one flat map. Files are read by their header
 * names: columns move between kernels.
 */
#include <packetwalk/dataplane.h>

#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

/* Larger than any of these files on a machine with thousands of CPUs. */
#define FILE_MAX (1u << 20)

static int read_file(const char *path, struct pw_buf *out, struct pw_err *err)
{
	PW_CLEAN_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[8192];
	ssize_t n;
	if (fd < 0)
		return pw_err_sys(err, errno == ENOENT ? PW_ABSENT : errno == EACCES ? PW_DENIED : PW_IO, errno, "reading %s", path);
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		pw_buf_add(out, chunk, (size_t)n);
	if (n < 0)
		return pw_err_sys(err, PW_IO, errno, "reading %s", path);
	return pw_buf_ok(out) ? PW_OK : pw_err_set(err, PW_NOMEM, "reading %s: larger than expected", path);
}

/* "Ip: A B C" followed by "Ip: 1 2 3" (snmp_counter.rst). */
static void take_pair(char *names, char *values, struct pw_val *ret)
{
	char *save_n = NULL, *save_v = NULL, key[128];
	char *prefix = strtok_r(names, " ", &save_n), *value = strtok_r(values, " ", &save_v);
	if (!prefix || !value || strcmp(prefix, value))
		return;
	for (;;) {
		char *name = strtok_r(NULL, " ", &save_n);
		value = strtok_r(NULL, " ", &save_v);
		if (!name || !value)
			return;
		(void)snprintf(key, sizeof key, "%.*s.%s", (int)strcspn(prefix, ":"), prefix, name);
		pw_map_set_int(ret, key, strtoll(value, NULL, 10));
	}
}

static int read_pairs(const char *path, struct pw_val *ret, struct pw_err *err)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, FILE_MAX);
	int rc = read_file(path, &text, err);
	char *save = NULL, *names = rc || !text.data ? NULL : strtok_r(text.data, "\n", &save);
	while (names) {
		char *values = strtok_r(NULL, "\n", &save);
		if (!values)
			break;
		take_pair(names, values, ret);
		names = strtok_r(NULL, "\n", &save);
	}
	return rc;
}

/* "Ip6InReceives   12": a name and a value per line. */
static void read_snmp6(struct pw_val *ret)
{
	PW_CLEAN_BUF struct pw_buf text;
	struct pw_err ignored = PW_ERR_INIT; /* absent without IPv6 */
	pw_buf_init(&text, FILE_MAX);
	char *save = NULL, *column = NULL;
	if (read_file("/proc/thread-self/net/snmp6", &text, &ignored) || !text.data)
		return;
	for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *name = strtok_r(line, " \t", &column), *value = strtok_r(NULL, " \t", &column);
		if (name && value)
			pw_map_set_int(ret, name, strtoll(value, NULL, 10));
	}
}

/* Hexadecimal columns under one header, one line per CPU: summed. `entries`
 * is the same total on every line. */
static int read_conntrack_stats(struct pw_val *ret, struct pw_err *err)
{
	enum { COLUMNS = 32 };
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, FILE_MAX);
	int rc = read_file("/proc/thread-self/net/stat/nf_conntrack", &text, err);
	if (rc || !text.data)
		return rc;
	char *save = NULL, *header = strtok_r(text.data, "\n", &save), *names[COLUMNS], *column = NULL;
	size_t n = 0;
	for (char *name = header ? strtok_r(header, " ", &column) : NULL; name && n < COLUMNS; name = strtok_r(NULL, " ", &column))
		names[n++] = name;
	unsigned long long sums[COLUMNS] = { 0 };
	for (char *line = strtok_r(NULL, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t i = 0;
		for (char *value = strtok_r(line, " ", &column); value && i < n; value = strtok_r(NULL, " ", &column), i++) {
			unsigned long long number = strtoull(value, NULL, 16);
			sums[i] = strcmp(names[i], "entries") ? sums[i] + number : number;
		}
	}
	for (size_t i = 0; i < n; i++) {
		char key[64];
		(void)snprintf(key, sizeof key, "conntrack.%s", names[i]);
		pw_map_set_int(ret, key, (long long)sums[i]);
	}
	return PW_OK;
}

static int read_link_counters(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	static const char *const keys[] = { "rx_packets", "tx_packets", "rx_dropped", "tx_dropped", "rx_errors", "tx_errors" };
	struct pw_val *holder = pw_val_map(pw_ctx_arena(ctx));
	int rc = pw_read_links(ctx, holder, err);
	const struct pw_val *links = pw_map_get(holder, "links");
	for (size_t i = 0; !rc && i < pw_val_count(links); i++)
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
			char key[128];
			(void)snprintf(key, sizeof key, "link.%s.%s", pw_map_str(pw_val_at(links, i), "name", "?"), keys[k]);
			pw_map_set_int(ret, key, pw_map_int(pw_val_at(links, i), keys[k], 0));
		}
	return rc;
}

int pw_read_counters(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	int rc = read_pairs("/proc/thread-self/net/snmp", ret, err);
	if (!rc)
		rc = read_pairs("/proc/thread-self/net/netstat", ret, err);
	if (!rc)
		rc = read_link_counters(ctx, ret, err);
	if (rc)
		return rc;
	read_snmp6(ret);
	/* Without connection tracking in this namespace there is nothing to count. */
	struct pw_err ignored = PW_ERR_INIT;
	(void)read_conntrack_stats(ret, &ignored);
	return pw_arena_failed(pw_ctx_arena(ctx)) ? pw_err_set(err, PW_NOMEM, "reading counters: out of memory") : PW_OK;
}

void pw_counters_delta(const struct pw_val *before, const struct pw_val *after, struct pw_val *ret)
{
	for (size_t i = 0; i < pw_val_count(after); i++) {
		const char *key = pw_map_key(after, i);
		long long delta = pw_map_int(after, key, 0) - pw_map_int(before, key, 0);
		if (delta)
			pw_map_set_int(ret, key, delta);
	}
}
