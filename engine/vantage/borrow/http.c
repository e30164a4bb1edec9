/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One HTTP request by the container's curl; its exit status and its words say how far it came. */
#include "tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/cleanup.h>
#include <probe/sock.h>

enum {
	OUT_MAX = 512 << 10,
	BODY_MAX = 65536, HEAD_MAX = 256, HEADER_MAX = 8192, MESSAGE_MAX = 256, LINE_MAX_BYTES = 256,
	SPARE_MS = 4000,
	/* curl's exit statuses: EXIT CODES of curl(1). */
	CURL_UNSUPPORTED = 1, CURL_NO_HOST = 6, CURL_NO_CONNECT = 7, CURL_WEIRD = 8, CURL_PARTIAL = 18, CURL_WRITE = 23, CURL_TIMEOUT = 28,
	CURL_SSL_CONNECT = 35, CURL_EMPTY = 52, CURL_SEND = 55, CURL_RECV = 56, CURL_CERT = 60,
};

/* SECONDS URL BODY-BYTES OPTION ...: curl's words and figures first, then head and body in hex, as far as 64 KiB. */
static const char script[] =
	"export LC_ALL=C\n"
	"wait=$1 url=$2 bytes=$3; shift 3\n"
	"[ \"$bytes\" = 0 ] || set -- -H Expect: -X POST --data-binary @- \"$@\"\n"
	"{ b=$({ { head -c \"$bytes\" /dev/zero | curl -q -s -S -v -i -g -k --noproxy '*' -m \"$wait\" \"$@\" "
	"-w '%{stderr}\\n=w %{http_code} %{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer} %{time_total}\\n' -- \"$url\" 2>&4\n"
	"	printf '\\n=x %s\\n' $? >&4; } | dd bs=4096 count=16 2>/dev/null | od -An -v -tx1; } 4>&5); } 5>&1\n"
	"printf '%s\\n' \"$b\"";

struct answer {
	bool tls, connected, refused;
	bool measured;         /* its figures are there: without them, nothing is known of the answer's status */
	bool old;              /* older than 7.63: it writes the figures behind the body */
	int status;            /* exit status, -1: it did not say */
	double connect_ms, tls_ms, pretransfer_ms, first_byte_ms, total_ms;
	char message[MESSAGE_MAX + 1];
	uint8_t *data; size_t len;   /* head and body */
	const uint8_t *body; size_t body_len;
	long http_status;
};

/* ---- taking the output apart ---- */

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void take_hex(const char *line, size_t len, struct answer *a)
{
	for (size_t i = 0; i + 2 < len + 1 && a->len < BODY_MAX; i += 3)
		if (line[i] == ' ' && i + 2 < len && digit(line[i + 1]) >= 0 && digit(line[i + 2]) >= 0)
			a->data[a->len++] = (uint8_t)(digit(line[i + 1]) << 4 | digit(line[i + 2]));
}

static void take_figures(const char *line, struct answer *a)
{
	double t[5] = { 0 };
	long code = 0;
	if (sscanf(line, "=w %ld %lf %lf %lf %lf %lf", &code, &t[0], &t[1], &t[2], &t[3], &t[4]) != 6)
		return;
	a->measured = true;
	a->http_status = code;
	a->connect_ms = t[0] * 1000;
	a->tls_ms = t[1] * 1000;
	a->pretransfer_ms = t[2] * 1000;
	a->first_byte_ms = t[3] * 1000;
	a->total_ms = t[4] * 1000;
}

static void take_output(const char *text, struct answer *a)
{
	static const char said[] = "curl: (", unknown[] = "curl: unknown --write-out variable: 'stderr'";
	a->status = -1;
	while (*text) {
		size_t len = strcspn(text, "\n");
		if (!strncmp(text, "=x ", 3))
			a->status = (int)strtol(text + 3, NULL, 10);
		else if (!strncmp(text, "=w ", 3))
			take_figures(text, a);
		else if (!strncmp(text, unknown, strlen(unknown)))
			a->old = true;
		else if (!strncmp(text, said, strlen(said)))
			(void)snprintf(a->message, sizeof a->message, "%.*s", (int)len, text);
		else if (!strncmp(text, "* Connected to", strlen("* Connected to")) || !strncmp(text, "* Established connection", strlen("* Established connection")))
			a->connected = true; /* its time is not set before the handshake of TLS is over */
		else if (!strncmp(text, "* connect to", strlen("* connect to")))
			a->refused = memmem(text, len, "refused", strlen("refused")) != NULL;
		else if (*text == ' ')
			take_hex(text, len, a);
		text += len + (text[len] == '\n');
	}
}

/* The last line of what came is curl's then, unless it was cut off on the way. */
static void take_last_line(struct answer *a)
{
	char line[LINE_MAX_BYTES + 1] = { 0 };
	size_t begin = a->len ? a->len - 1 : 0;
	if (!a->old || a->measured || !a->len || a->data[begin] != '\n')
		return;
	while (begin && a->data[begin - 1] != '\n')
		begin--;
	if (!begin || a->len - begin > LINE_MAX_BYTES)
		return;
	memcpy(line, a->data + begin, a->len - begin);
	take_figures(line, a);
	if (a->measured)
		a->len = begin - 1;
}

static const uint8_t *find(const uint8_t *data, size_t len, const char *what)
{
	return memmem(data, len, what, strlen(what));
}

/* One header, of those that are looked at. */
static void put_header(struct pw_ctx *ctx, const char *line, size_t len, struct pw_val *headers, struct pw_val *ret)
{
	static const char *const keys[] = { "server", "location" };
	const char *colon = memchr(line, ':', len);
	if (!colon)
		return;
	const char *value = colon + 1, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	char *name = pw_text_of_bytes(pw_ctx_arena(ctx), line, (size_t)(colon - line), HEAD_MAX), *text = pw_text_of_bytes(pw_ctx_arena(ctx), value, (size_t)(end - value), HEAD_MAX);
	for (char *c = name; c && *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
	if (!name || !text)
		return;
	pw_map_set_str(headers, name, text);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!strcmp(name, keys[i]))
			pw_map_set_str(ret, name, text);
}

/* Splits head and body. Informational heads (1xx) come before the one that counts. */
static void take_head(struct pw_ctx *ctx, struct answer *a, struct pw_val *ret)
{
	const uint8_t *at = a->data, *end = a->data + a->len;
	struct pw_val *headers = pw_map_set_map(ret, "headers");
	a->body = at;
	a->body_len = a->len;
	while (end - at > 9 && !memcmp(at, "HTTP/", 5)) {
		const uint8_t *stop = find(at, (size_t)(end - at), "\r\n\r\n");
		if (!stop || stop - at > HEADER_MAX)
			break;
		for (const uint8_t *line = find(at, (size_t)(stop - at), "\r\n"); line && line < stop;) {
			const uint8_t *next = find(line + 2, (size_t)(stop + 2 - line - 2), "\r\n");
			size_t len = (size_t)((next ? next : stop) - line - 2);
			put_header(ctx, (const char *)line + 2, len, headers, ret);
			line = next;
		}
		a->body = at = stop + 4;
		a->body_len = (size_t)(end - at);
	}
}

/* ---- what it means ---- */

static bool says(const struct answer *a, const char *words)
{
	return strcasestr(a->message, words) != NULL;
}

/* OpenSSL's, GnuTLS's and mbedTLS's words for a server that does not speak TLS. */
static bool not_tls(const struct answer *a)
{
	return says(a, "wrong version number") || says(a, "http request") || says(a, "packet length") || says(a, "record layer") ||
	       says(a, "unknown protocol") || says(a, "unexpected TLS packet");
}

static const char *handshake(const struct answer *a)
{
	if (not_tls(a))
		return "bad-protocol";
	if (says(a, "reset by peer"))
		return "reset";
	return says(a, "SSL_ERROR_SYSCALL") || says(a, "unexpected eof") ? "closed-early" : "tls-error";
}

/* NULL: an exit status that means nothing here. */
static const char *result_of(const struct answer *a)
{
	switch (a->status) {
	case 0: case CURL_WRITE: return a->http_status ? "response" : "bad-protocol";
	case CURL_UNSUPPORTED: case CURL_WEIRD: return a->connected || a->connect_ms > 0 ? "bad-protocol" : NULL;
	case CURL_NO_HOST: return "unresolved";
	case CURL_NO_CONNECT: return a->refused || says(a, "refused") ? "refused" : "error";
	case CURL_TIMEOUT: return "timeout";
	case CURL_SSL_CONNECT: return handshake(a);
	case CURL_CERT: return "tls-error";
	case CURL_EMPTY: case CURL_PARTIAL: return "closed-early";
	case CURL_SEND: case CURL_RECV: return says(a, "reset") ? "reset" : "closed-early";
	default: return NULL;
	}
}

static const char *stage_of(const struct answer *a, const char *result)
{
	if (!strcmp(result, "response") || !strcmp(result, "bad-protocol"))
		return a->tls && a->tls_ms <= 0 ? "tls" : "done";
	if (a->status == CURL_NO_HOST)
		return "resolve";
	if (a->connect_ms <= 0 && !a->connected)
		return "connect";
	if (a->tls && a->tls_ms <= 0)
		return "tls";
	return a->len ? "body" : "first-byte";
}

/* As the probe has it: an alert, or a 400 in plain words, from a TLS port; no TLS from a plain one. */
static const char *mismatch_of(const struct answer *a, const char *result)
{
	char text[HEAD_MAX + 1] = { 0 };
	if (a->tls)
		return !strcmp(result, "bad-protocol") ? "tls-to-plain" : NULL;
	if (a->http_status != 400)
		return NULL;
	memcpy(text, a->body, a->body_len < HEAD_MAX ? a->body_len : HEAD_MAX);
	return strcasestr(text, "sent to HTTPS port") || strcasestr(text, "request to an HTTPS server") ? "plain-to-tls" : NULL;
}

static int put(struct pw_ctx *ctx, const struct pw_http_spec *spec, struct answer *a, struct pw_val *ret, struct pw_err *err)
{
	take_last_line(a);
	take_head(ctx, a, ret);
	const char *result = result_of(a);
	if (!result)
		return pw_err_set(err, PW_UNSUPPORTED, "the curl of %s ended with status %d%s%s: an agent on its node would make the request", pw_ctx_vantage(ctx), a->status,
				  *a->message ? ": " : "", a->message);
	if (!a->measured)
		return pw_err_set(err, PW_UNSUPPORTED, "the curl of %s does not tell what it measured: an agent on its node would make the request", pw_ctx_vantage(ctx));
	const char *mismatch = mismatch_of(a, result);
	pw_map_set_str(ret, "url", spec->url);
	pw_map_set_str(ret, "tool", "curl");
	pw_map_set_str(ret, "result", result);
	pw_map_set_str(ret, "stage", stage_of(a, result));
	if (mismatch)
		pw_map_set_str(ret, "mismatch", mismatch);
	pw_map_set_int(ret, "status", a->http_status);
	pw_map_set_str(ret, "body_head", pw_text_of_bytes(pw_ctx_arena(ctx), a->body, a->body_len, HEAD_MAX));
	pw_map_set_int(ret, "body_bytes", (long long)a->body_len);
	if (a->connect_ms > 0)
		pw_map_set_real(ret, "connect_ms", a->connect_ms);
	if (a->tls_ms > 0)
		pw_map_set_real(ret, "tls_ms", a->tls_ms - a->connect_ms);
	if (a->first_byte_ms > 0)
		pw_map_set_real(ret, "first_byte_ms", a->first_byte_ms - a->pretransfer_ms);
	pw_map_set_real(ret, "total_ms", a->total_ms);
	if (*a->message)
		pw_map_set_str(ret, "message", pw_text_of_bytes(pw_ctx_arena(ctx), a->message, strlen(a->message), MESSAGE_MAX));
	return pw_arena_failed(pw_ctx_arena(ctx)) ? pw_err_set(err, PW_NOMEM, "no memory for an HTTP answer") : PW_OK;
}

/* ---- the command line ---- */

/* "HOST" and "PORT" of the URL, for --connect-to, which keeps name and Host header. */
static const char *connect_to(const struct pw_http_spec *spec, struct pw_arena *arena)
{
	bool six = strchr(spec->address, ':') != NULL;
	return pw_arena_printf(arena, six ? "::[%s]:" : "::%s:", spec->address);
}

static bool plain_name(const char *host)
{
	return *host && *host != '-' && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") == strlen(host);
}

/* Another Host, and with it the name in the TLS hello: the URL's own host takes its place, and the address is given apart. */
static int set_host(const struct pw_http_spec *spec, struct pw_arena *arena, const char **url, const char **address, struct pw_err *err)
{
	const char *begin = strstr(spec->url, "://");
	if (!begin || !plain_name(spec->host))
		return pw_err_set(err, PW_USAGE, "\"%.128s\" with the host \"%.128s\" cannot be asked for", spec->url, spec->host);
	begin += strlen("://");
	size_t len = *begin == '[' ? strcspn(begin, "]") + 1 : strcspn(begin, ":/?#");
	if (!*address)
		*address = *begin == '[' ? pw_arena_strndup(arena, begin + 1, len - 2) : pw_arena_strndup(arena, begin, len);
	*url = pw_arena_printf(arena, "%.*s%s%s", (int)(begin - spec->url), spec->url, spec->host, begin + len);
	return *url && *address ? PW_OK : pw_err_set(err, PW_NOMEM, "no memory for a URL");
}

int pw_borrow_http(struct pw_ctx *ctx, struct pw_tools *tools, const struct pw_http_spec *spec, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	const char *url = spec->url;
	struct pw_http_spec to = *spec;
	struct answer a = { .tls = !strncasecmp(spec->url, "https://", strlen("https://")), .data = pw_arena_alloc(arena, BODY_MAX) };
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, OUT_MAX);
	if (!pw_tools_have(tools, "curl") || !pw_tools_have(tools, "od") || !pw_tools_have(tools, "dd") || !pw_tools_have(tools, "head"))
		return pw_err_set(err, PW_UNSUPPORTED, "%s has no curl with dd, od and head to make a request with: an agent on its node would", pw_ctx_vantage(ctx));
	if (spec->host && *spec->host) {
		int rc = set_host(spec, arena, &url, &to.address, err);
		if (rc < 0)
			return rc;
	}
	unsigned wait_s = (spec->timeout_ms + 999) / 1000;
	const char *args[8] = { pw_arena_printf(arena, "%u", wait_s), url, pw_arena_printf(arena, "%zu", spec->body_bytes) };
	if (to.address && *to.address) {
		args[3] = "--connect-to";
		args[4] = connect_to(&to, arena);
	}
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for a request");
	int rc = pw_tools_script(tools, script, args, wait_s * 1000 + SPARE_MS, &out, err);
	if (rc < 0)
		return rc;
	take_output(pw_buf_str(&out), &a);
	return put(ctx, spec, &a, ret, err);
}
