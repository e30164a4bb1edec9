/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resolv.conf(5) and hosts(5) of the vantage, and whose resolver reads them there. */
#include "resolv.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>
#include <packetwalk/vantage_fs.h>

#include "sock.h"

enum {
	FILE_MAX = 256 * 1024,
	TEXT_MAX = 4096,           /* of the file kept in the observation */
	WORDS_MAX = 256,           /* search entries, options and hosts kept */
	HOSTS_MAX = 4096,
	WORD_MAX = 1025,           /* a name of 255 bytes, escaped */
	/* resolv.conf(5): defaults and caps of glibc */
	NDOTS = 1, NDOTS_CAP = 15, TIMEOUT_S = 5, TIMEOUT_CAP = 30, ATTEMPTS = 2, ATTEMPTS_CAP = 5,
};

enum pw_libc pw_libc_word(const char *word)
{
	if (word && !strcmp(word, "musl"))
		return PW_LIBC_MUSL;
	return word && !strcmp(word, "glibc") ? PW_LIBC_GLIBC : PW_LIBC_UNKNOWN;
}

/* ---- lines and words ---- */

struct text { const char *at, *end; };

static bool next_line(struct text *all, struct text *ret)
{
	if (all->at >= all->end)
		return false;
	const char *nl = memchr(all->at, '\n', (size_t)(all->end - all->at));
	ret->at = all->at;
	ret->end = nl ? nl : all->end;
	all->at = nl ? nl + 1 : all->end;
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line, cut to the size of `out`; false at its end. A word with a NUL ends there. */
static bool next_word(struct text *line, char out[WORD_MAX])
{
	while (line->at < line->end && blank(*line->at))
		line->at++;
	const char *start = line->at;
	while (line->at < line->end && !blank(*line->at))
		line->at++;
	size_t len = (size_t)(line->at - start);
	if (!len)
		return false;
	if (len >= WORD_MAX)
		len = WORD_MAX - 1;
	memcpy(out, start, len);
	out[len] = '\0';
	return true;
}

/* ---- resolv.conf ---- */

struct conf {
	struct pw_val *ret, *nameservers, *searches, *options;
	unsigned ndots, timeout_s, attempts;
	size_t search_bytes;
};

/* A search line replaces the one before it. musl reads lines into 256 bytes and ignores longer ones: hence the length. */
static void search_line(struct conf *c, struct text line, bool only_one, size_t bytes)
{
	char word[WORD_MAX];
	c->search_bytes = bytes;
	c->searches = pw_map_set_seq(c->ret, "searches");
	for (size_t n = 0; n < (only_one ? 1 : WORDS_MAX) && next_word(&line, word); n++)
		pw_seq_add_str(c->searches, word);
}

static void number_option(const char *word, const char *key, unsigned cap, unsigned *ret)
{
	size_t len = strlen(key);
	unsigned long long value = 0;
	if (strncmp(word, key, len) != 0 || !isdigit((unsigned char)word[len]))
		return;
	for (const char *p = word + len; isdigit((unsigned char)*p) && value <= cap; p++)
		value = value * 10 + (unsigned)(*p - '0');
	*ret = value > cap ? cap : (unsigned)value;
}

/* Options accumulate over lines; a later one of the same name wins. */
static void options_line(struct conf *c, struct text line)
{
	char word[WORD_MAX];
	while (pw_val_count(c->options) < WORDS_MAX && next_word(&line, word)) {
		pw_seq_add_str(c->options, word);
		number_option(word, "ndots:", NDOTS_CAP, &c->ndots);
		number_option(word, "timeout:", TIMEOUT_CAP, &c->timeout_s);
		number_option(word, "attempts:", ATTEMPTS_CAP, &c->attempts);
	}
}

static void conf_line(struct conf *c, struct text line)
{
	char word[WORD_MAX];
	size_t bytes = (size_t)(line.end - line.at);
	/* Keywords start the line; so do comments, which blanks before them would turn into nonsense, ignored as well. */
	if (line.at == line.end || blank(*line.at) || *line.at == '#' || *line.at == ';' || !next_word(&line, word))
		return;
	if (!strcmp(word, "nameserver")) {
		if (next_word(&line, word) && pw_val_count(c->nameservers) < WORDS_MAX)
			pw_seq_add_str(c->nameservers, word);
	} else if (!strcmp(word, "search") || !strcmp(word, "domain")) {
		search_line(c, line, *word == 'd', bytes);
	} else if (!strcmp(word, "options")) {
		options_line(c, line);
	}
}

int pw_resolv_conf_parse(const char *text, size_t len, struct pw_val *ret, struct pw_err *err)
{
	struct text all = { text, text + len }, line;
	struct conf c = { .ret = ret, .nameservers = pw_map_set_seq(ret, "nameservers"), .searches = pw_map_set_seq(ret, "searches"),
		.options = pw_map_set_seq(ret, "options"), .ndots = NDOTS, .timeout_s = TIMEOUT_S, .attempts = ATTEMPTS };
	if (!c.nameservers || !c.searches || !c.options)
		return pw_err_set(err, PW_NOMEM, "no memory for a resolv.conf");
	while (next_line(&all, &line))
		conf_line(&c, line);
	pw_map_set_int(ret, "ndots", c.ndots);
	pw_map_set_int(ret, "timeout_s", c.timeout_s);
	pw_map_set_int(ret, "attempts", c.attempts);
	pw_map_set_int(ret, "search_bytes", (long long)c.search_bytes);
	return PW_OK;
}

/* ---- hosts ---- */

static void hosts_line(struct text line, struct pw_val *ret)
{
	char word[WORD_MAX], scratch[sizeof(struct in6_addr)];
	const char *comment = memchr(line.at, '#', (size_t)(line.end - line.at));
	if (comment)
		line.end = comment;
	if (!next_word(&line, word) || (inet_pton(AF_INET, word, scratch) != 1 && inet_pton(AF_INET6, word, scratch) != 1))
		return;
	struct pw_val *host = pw_seq_add_map(ret);
	pw_map_set_str(host, "address", word);
	struct pw_val *names = pw_map_set_seq(host, "names");
	for (size_t n = 0; n < WORDS_MAX && next_word(&line, word); n++)
		pw_seq_add_str(names, word);
}

void pw_hosts_parse(const char *text, size_t len, struct pw_val *ret)
{
	struct text all = { text, text + len }, line;
	while (pw_val_count(ret) < HOSTS_MAX && next_line(&all, &line))
		hosts_line(line, ret);
}

int pw_probe_hosts(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	PW_CLEAN_BUF struct pw_buf text = { 0 };
	pw_buf_init(&text, FILE_MAX);
	struct pw_val *hosts = pw_map_set_seq(ret, "hosts");
	int rc = pw_ctx_read_file(ctx, "/etc/hosts", &text, err);
	if (rc < 0)
		return rc;
	pw_hosts_parse(pw_buf_str(&text), text.len, hosts);
	if (pw_arena_failed(pw_ctx_arena(ctx)))
		return pw_err_set(err, PW_NOMEM, "no memory for the hosts file");
	return PW_OK;
}

/* ---- whose resolver ---- */

static bool there(struct pw_ctx *ctx, const char *path)
{
	PW_CLEAN_CLOSE int fd = pw_ctx_open(ctx, path, NULL);
	return fd >= 0;
}

static bool any_there(struct pw_ctx *ctx, const char *const *paths)
{
	for (; *paths; paths++)
		if (there(ctx, *paths))
			return true;
	return false;
}

const char *const pw_musl_loaders[] = { "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1", "/lib/ld-musl-armhf.so.1",
	"/lib/ld-musl-arm.so.1", "/lib/ld-musl-i386.so.1", "/lib/ld-musl-powerpc64le.so.1", "/lib/ld-musl-s390x.so.1",
	"/lib/ld-musl-riscv64.so.1", "/lib/ld-musl-loongarch64.so.1", NULL };
const char *const pw_glibc_loaders[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-armhf.so.3",
	"/lib/ld-linux.so.2", "/lib/ld-linux.so.3", "/lib64/ld64.so.2", "/lib/ld64.so.1", "/lib/ld-linux-riscv64-lp64d.so.1",
	"/lib64/ld-linux-loongarch-lp64d.so.1", NULL };

/* By the dynamic loader, whose name each ABI fixes. A second libc beside the system's own (Debian's musl package,
 * Alpine's gcompat) does not count. */
static const char *libc_of(struct pw_ctx *ctx)
{
	bool has_musl = any_there(ctx, pw_musl_loaders), has_glibc = any_there(ctx, pw_glibc_loaders);
	if (has_musl && has_glibc)
		return there(ctx, PW_ALPINE_RELEASE) ? "musl" : "glibc";
	return has_musl ? "musl" : has_glibc ? "glibc" : "unknown";
}

int pw_probe_resolv_conf(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	static const char path[] = PW_RESOLV_CONF;
	PW_CLEAN_BUF struct pw_buf text = { 0 };
	pw_buf_init(&text, FILE_MAX);
	int rc = pw_ctx_read_file(ctx, path, &text, err);
	if (rc < 0)
		return rc;
	pw_map_set_str(ret, "path", path);
	rc = pw_resolv_conf_parse(pw_buf_str(&text), text.len, ret, err);
	if (rc < 0)
		return rc;
	pw_map_set_str(ret, "text", pw_text_of_bytes(pw_ctx_arena(ctx), pw_buf_str(&text), text.len, TEXT_MAX));
	pw_map_set_str(ret, "libc", libc_of(ctx));
	if (pw_arena_failed(pw_ctx_arena(ctx)))
		return pw_err_set(err, PW_NOMEM, "no memory for %s", path);
	return PW_OK;
}
