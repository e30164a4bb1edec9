/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One HTTP request by libcurl: what came of it, at which stage, and what the TLS peer showed. */
#include <packetwalk/probe.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/libcurl.h>
#include <packetwalk/buf.h>

#include "sock.h"
#include "tls.h"

enum {
	BODY_MAX = 64 * 1024,
	HEAD_MAX = 256,
	HEADERS_MAX = 64, HEADER_TEXT_MAX = 1024,
	RESOLVED_MAX = 4096, /* bytes: some 80 addresses */
};

struct request {
	struct pw_ctx *ctx;
	const struct pw_http_spec *spec;
	CURL *curl;
	CURLU *url;
	struct curl_slist *headers, *connect_to, *resolved;
	struct pw_val *lookup;       /* NULL: the address was literal */
	bool unresolved;
	char error[CURL_ERROR_SIZE];
	struct pw_val *response_headers;
	char head[HEAD_MAX];
	size_t received, uploaded;
	bool tls, speaks_http, cut;
	int64_t start_us, hello_us; /* hello: the first byte of the handshake left, so the connect was done */
};

/* ---- callbacks ---- */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	size *= n;
	if (r->received < HEAD_MAX)
		memcpy(r->head + r->received, data, size < HEAD_MAX - r->received ? size : HEAD_MAX - r->received);
	r->received += size;
	/* What begins with no status line ends here: a greeting, an echo, an alert may be all that comes. */
	r->cut = r->received > BODY_MAX || !r->speaks_http;
	return r->cut ? 0 : size;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	struct pw_arena *arena = pw_ctx_arena(r->ctx);
	size_t len = size * n;
	r->speaks_http = true;
	const char *colon = memchr(data, ':', len);
	if (!colon || pw_val_count(r->response_headers) >= HEADERS_MAX)
		return len;
	char *name = pw_text_of_bytes(arena, data, (size_t)(colon - data), HEADER_TEXT_MAX);
	const char *value = colon + 1, *end = data + len;
	while (value < end && isspace((unsigned char)*value))
		value++;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	for (char *p = name; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (name)
		pw_map_set_str(r->response_headers, name, pw_text_of_bytes(arena, value, (size_t)(end - value), HEADER_TEXT_MAX));
	return len;
}

static size_t on_upload(char *out, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	size_t left = r->spec->body_bytes - r->uploaded;
	size *= n;
	if (size > left)
		size = left;
	memset(out, 'x', size);
	r->uploaded += size;
	return size;
}

/* libcurl dates a connect only after the handshake; a handshake that fails is dated here. */
static int on_debug(CURL *curl, curl_infotype type, char *data, size_t size, void *arg)
{
	struct request *r = arg;
	(void)curl;
	(void)data;
	(void)size;
	if (type == CURLINFO_SSL_DATA_OUT && !r->hello_us)
		r->hello_us = pw_mono_us();
	return 0;
}

/* ---- setting up ---- */

static int oom(struct pw_err *err)
{
	return pw_err_set(err, PW_NOMEM, "no memory for an HTTP request");
}

static char *url_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	return curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK ? text : NULL;
}

/* CONNECT_TO "::HOST:" sends any host of the URL to HOST, on the URL's port. */
static int add_connect_to(struct request *r, const char *host, struct pw_err *err)
{
	bool bare_v6 = strchr(host, ':') && *host != '[';
	const char *text = pw_arena_printf(pw_ctx_arena(r->ctx), bare_v6 ? "::[%s]:" : "::%s:", host);
	r->connect_to = text ? curl_slist_append(NULL, text) : NULL;
	return r->connect_to ? PW_OK : oom(err);
}

/* The override becomes the host of the URL, so that the header, SNI and the certificate's name all follow it. */
static int override_host(struct request *r, struct pw_err *err)
{
	const char *host = r->spec->host, *colon = strrchr(host, ':');
	bool with_port = colon && strchr(host, ':') == colon; /* more of them are an IPv6 address */
	const char *name = with_port ? pw_arena_strndup(pw_ctx_arena(r->ctx), host, (size_t)(colon - host)) : host;
	if (!name)
		return oom(err);
	if (curl_url_set(r->url, CURLUPART_HOST, name, 0) != CURLUE_OK)
		return pw_err_set(err, PW_USAGE, "\"%.128s\" cannot be the host of a request", host);
	if (!with_port)
		return PW_OK;
	const char *header = pw_arena_printf(pw_ctx_arena(r->ctx), "Host: %s", host);
	struct curl_slist *more = header ? curl_slist_append(r->headers, header) : NULL;
	if (!more)
		return oom(err);
	r->headers = more;
	return PW_OK;
}

/*
 * The addresses of a name as the programs of the vantage get them: by its
 * /etc/hosts and resolv.conf. libcurl would ask by those of this process, and
 * in a thread.
 */
static int resolve(struct request *r, const char *name, const char *port, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(r->ctx);
	struct pw_val *conf = pw_val_map(arena), *lookup = pw_val_map(arena);
	struct pw_buf text;
	int rc = pw_probe_resolv_conf(r->ctx, conf, err);
	const char *libc = !strcmp(pw_map_str(conf, "libc", ""), "musl") ? "musl" : "glibc";
	/* Half of the time: glibc asks twice by default. */
	if (rc == PW_OK)
		rc = pw_probe_lookup(r->ctx, name, libc, true, r->spec->timeout_ms / 2 + 1, lookup, err);
	if (rc < 0)
		return pw_err_wrap(err, "looking up %.128s", name);
	const struct pw_val *addresses = pw_map_get(lookup, "addresses");
	r->lookup = lookup;
	r->unresolved = pw_val_count(addresses) == 0;
	if (r->unresolved)
		return PW_OK;
	pw_buf_init(&text, RESOLVED_MAX);
	pw_buf_printf(&text, "*:%s:", port); /* whatever name the connect is for */
	for (size_t i = 0; i < pw_val_count(addresses); i++)
		pw_buf_printf(&text, strchr(pw_val_text(pw_val_at(addresses, i)), ':') ? "%s[%s]" : "%s%s", i ? "," : "",
			      pw_val_text(pw_val_at(addresses, i)));
	r->resolved = pw_buf_ok(&text) ? curl_slist_append(NULL, pw_buf_str(&text)) : NULL;
	pw_buf_release(&text);
	return r->resolved ? PW_OK : oom(err);
}

/* Where to connect, which may be neither what the URL nor what the Host header says. */
static int set_target(struct request *r, const char *host, struct pw_err *err)
{
	struct pw_endpoint literal;
	const char *target = r->spec->address ? r->spec->address : host;
	char bare[PW_ENDPOINT_TEXT] = "";
	if (*target == '[' && strlen(target) < sizeof bare)
		memcpy(bare, target + 1, strcspn(target + 1, "]"));
	int rc = PW_OK;
	if (!pw_endpoint_set(&literal, *bare ? bare : target, 0)) {
		char *port = url_part(r->url, CURLUPART_PORT);
		rc = port ? resolve(r, target, port, err) : oom(err);
		curl_free(port);
	}
	if (rc == PW_OK && (r->spec->address || r->spec->host))
		rc = add_connect_to(r, target, err);
	return rc;
}

static int parse_url(struct request *r, struct pw_err *err)
{
	r->url = curl_url();
	if (!r->url)
		return oom(err);
	CURLUcode rc = curl_url_set(r->url, CURLUPART_URL, r->spec->url, 0);
	char *scheme = rc == CURLUE_OK ? url_part(r->url, CURLUPART_SCHEME) : NULL;
	bool http = scheme && !strcmp(scheme, "http");
	r->tls = scheme && !strcmp(scheme, "https");
	curl_free(scheme);
	if (rc != CURLUE_OK || (!http && !r->tls))
		return pw_err_set(err, PW_USAGE, "\"%.128s\" is not an http or https URL%s%s", r->spec->url ? r->spec->url : "",
				  rc == CURLUE_OK ? "" : ": ", rc == CURLUE_OK ? "" : curl_url_strerror(rc));
	char *host = url_part(r->url, CURLUPART_HOST);
	if (!host)
		return oom(err);
	int code = set_target(r, host, err);
	curl_free(host);
	return code == PW_OK && r->spec->host ? override_host(r, err) : code;
}

static int set_body(struct request *r, struct pw_err *err)
{
	if (!r->spec->body_bytes)
		return PW_OK;
	/* No "100 Continue": the body's loss is what is looked for. */
	struct curl_slist *more = curl_slist_append(r->headers, "Expect:");
	if (!more)
		return oom(err);
	r->headers = more;
	curl_easy_setopt(r->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(r->curl, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(r->curl, CURLOPT_READDATA, r);
	curl_easy_setopt(r->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->spec->body_bytes);
	if (!r->spec->method)
		curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, "POST");
	return PW_OK;
}

static int set_up(struct request *r, struct pw_err *err)
{
	int64_t end_us = pw_deadline_us(r->ctx, r->spec->timeout_ms);
	r->curl = curl_easy_init();
	if (!r->curl)
		return oom(err);
	int rc = parse_url(r, err);
	if (rc == PW_OK)
		rc = set_body(r, err);
	if (rc < 0)
		return rc;
	int timeout = pw_poll_ms(end_us);
	CURL *c = r->curl;
	curl_easy_setopt(c, CURLOPT_CURLU, r->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 1L); /* what is no HTTP is looked at, not just refused */
	curl_easy_setopt(c, CURLOPT_USERAGENT, "packetwalk/" PW_VERSION);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout > 0 ? (long)timeout : 1L); /* 0 would be none */
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, timeout > 0 ? (long)timeout : 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, r->error);
	curl_easy_setopt(c, CURLOPT_VERBOSE, 1L); /* to on_debug, which keeps it */
	curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(c, CURLOPT_DEBUGDATA, r);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
	if (r->headers)
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->headers);
	if (r->resolved)
		curl_easy_setopt(c, CURLOPT_RESOLVE, r->resolved);
	if (r->connect_to)
		curl_easy_setopt(c, CURLOPT_CONNECT_TO, r->connect_to);
	if (r->spec->method && !strcmp(r->spec->method, "HEAD"))
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	else if (r->spec->method)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->spec->method);
	pw_tls_set_up(c, r->spec->ca_file, r->spec->insecure);
	return PW_OK;
}

/* ---- what came of it ---- */

struct times { double resolve, connect, tls, pretransfer, first_byte, total; };

static double ms_of(CURL *c, CURLINFO info)
{
	curl_off_t us = 0;
	return curl_easy_getinfo(c, info, &us) == CURLE_OK ? pw_us_to_ms(us) : 0;
}

static struct times times_of(const struct request *r)
{
	CURL *c = r->curl;
	struct times t = {
		ms_of(c, CURLINFO_NAMELOOKUP_TIME_T), ms_of(c, CURLINFO_CONNECT_TIME_T), ms_of(c, CURLINFO_APPCONNECT_TIME_T),
		ms_of(c, CURLINFO_PRETRANSFER_TIME_T), ms_of(c, CURLINFO_STARTTRANSFER_TIME_T), ms_of(c, CURLINFO_TOTAL_TIME_T),
	};
	if (t.connect <= 0 && r->hello_us)
		t.connect = pw_us_to_ms(r->hello_us - r->start_us);
	return t;
}

static const char *stage_of(const struct request *r, CURLcode rc, const struct times *t)
{
	if (rc == CURLE_OK || r->cut)
		return "done";
	if (t->connect <= 0)
		return "connect";
	if (r->tls && t->tls <= 0)
		return "tls";
	if (r->uploaded < r->spec->body_bytes)
		return "send";
	return pw_val_count(r->response_headers) || r->received ? "body" : "first-byte";
}

static const char *of_errno(long sys, const char *otherwise)
{
	switch (sys) {
	case ECONNREFUSED: return "refused";
	case ETIMEDOUT: return "timeout";
	case EHOSTUNREACH: case ENETUNREACH: case EHOSTDOWN: case ENETDOWN: case EINVAL: case EACCES: case EPERM: return "unreachable";
	case ECONNRESET: case EPIPE: return "reset";
	default: return otherwise;
	}
}

/* OpenSSL's own words for a server that does not speak TLS; 1.1 and 3.x. */
static bool not_tls(const char *message)
{
	static const char *const signs[] = { "wrong version number", "http request", "packet length too long", "record layer failure", "unknown protocol" };
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (strstr(message, signs[i]))
			return true;
	return false;
}

static const char *of_handshake(const struct request *r, long sys)
{
	if (not_tls(r->error))
		return "bad-protocol";
	if (sys == ECONNRESET || strstr(r->error, "reset by peer"))
		return "reset";
	/* The peer closed in the middle: curl says SSL_ERROR_SYSCALL, OpenSSL 3 "unexpected eof while reading". */
	if (strstr(r->error, "SSL_ERROR_SYSCALL") || strstr(r->error, "unexpected eof"))
		return "closed-early";
	return "tls-error";
}

static const char *result_of(const struct request *r, CURLcode rc, long sys, long status)
{
	if (r->cut)
		rc = CURLE_OK;
	switch (rc) {
	case CURLE_OK:
		return status ? "response" : "bad-protocol";
	case CURLE_COULDNT_CONNECT:
		return of_errno(sys, "error");
	case CURLE_OPERATION_TIMEDOUT:
		return "timeout";
	case CURLE_GOT_NOTHING: case CURLE_PARTIAL_FILE:
		return "closed-early";
	case CURLE_RECV_ERROR: case CURLE_SEND_ERROR: case CURLE_HTTP2: case CURLE_HTTP2_STREAM:
		return strstr(r->error, "unexpected eof") ? "closed-early" : of_errno(sys, strstr(r->error, "reset") ? "reset" : "closed-early");
	case CURLE_SSL_CONNECT_ERROR:
		return of_handshake(r, sys);
	case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CIPHER: case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS: case CURLE_SSL_CERTPROBLEM:
		return "tls-error";
	case CURLE_UNSUPPORTED_PROTOCOL: case CURLE_WEIRD_SERVER_REPLY: case CURLE_BAD_CONTENT_ENCODING:
		return "bad-protocol";
	default:
		return "error";
	}
}

/* Plain HTTP to a TLS port: an alert comes back (record type 21, version 3.x), or a 400 that says so in plain words
 * (nginx; Go's net/http). TLS to a plain port: the handshake meets no TLS. */
static const char *mismatch_of(const struct request *r, const char *result, long status)
{
	if (r->tls)
		return !strcmp(result, "bad-protocol") && not_tls(r->error) ? "tls-to-plain" : NULL;
	if (r->received >= 3 && !status && r->head[0] == 0x15 && r->head[1] == 0x03)
		return "plain-to-tls";
	if (status != 400)
		return NULL;
	char text[HEAD_MAX + 1] = { 0 };
	memcpy(text, r->head, r->received < HEAD_MAX ? r->received : HEAD_MAX);
	return strcasestr(text, "sent to HTTPS port") || strcasestr(text, "request to an HTTPS server") ? "plain-to-tls" : NULL;
}

static double lookup_ms(const struct request *r)
{
	double ms = 0;
	(void)pw_val_to_real(pw_map_get(r->lookup, "ms"), &ms);
	return ms;
}

static void put_lookup(const struct request *r, struct pw_val *ret)
{
	if (!r->lookup)
		return;
	pw_map_set_real(ret, "resolve_ms", lookup_ms(r));
	pw_map_set(ret, "lookup", pw_val_copy(pw_ctx_arena(r->ctx), r->lookup));
}

static void put_unresolved(const struct request *r, struct pw_val *ret)
{
	pw_map_set_str(ret, "url", r->spec->url);
	pw_map_set_str(ret, "result", "unresolved");
	pw_map_set_str(ret, "stage", "resolve");
	pw_map_set_int(ret, "status", 0);
	pw_map_set_real(ret, "total_ms", lookup_ms(r));
	put_lookup(r, ret);
}

static void put_times(const struct request *r, const struct times *t, struct pw_val *ret)
{
	if (t->connect > 0)
		pw_map_set_real(ret, "connect_ms", t->connect - t->resolve);
	if (t->tls > 0)
		pw_map_set_real(ret, "tls_ms", t->tls - t->connect);
	if (t->first_byte > 0)
		pw_map_set_real(ret, "first_byte_ms", t->first_byte - t->pretransfer);
	pw_map_set_real(ret, "total_ms", t->total + lookup_ms(r));
}

static void put_ends(CURL *c, struct pw_val *ret)
{
	static const struct { const char *key; CURLINFO ip, port; } ends[] = {
		{ "remote", CURLINFO_PRIMARY_IP, CURLINFO_PRIMARY_PORT }, { "local", CURLINFO_LOCAL_IP, CURLINFO_LOCAL_PORT } };
	for (size_t i = 0; i < 2; i++) {
		const char *ip = NULL;
		long port = 0;
		if (curl_easy_getinfo(c, ends[i].ip, &ip) == CURLE_OK && ip && *ip && curl_easy_getinfo(c, ends[i].port, &port) == CURLE_OK)
			pw_map_set_strf(ret, ends[i].key, strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip, port);
	}
}

static void put_response(struct request *r, long status, struct pw_val *ret)
{
	static const struct { long number; const char *word; } versions[] = {
		{ CURL_HTTP_VERSION_1_0, "1.0" }, { CURL_HTTP_VERSION_1_1, "1.1" }, { CURL_HTTP_VERSION_2_0, "2" } };
	long version = 0;
	pw_map_set_int(ret, "status", status);
	curl_easy_getinfo(r->curl, CURLINFO_HTTP_VERSION, &version);
	for (size_t i = 0; status && i < sizeof versions / sizeof *versions; i++)
		if (versions[i].number == version)
			pw_map_set_str(ret, "http_version", versions[i].word);
	pw_map_set(ret, "headers", r->response_headers);
	for (size_t i = 0; i < 2; i++) {
		static const char *const keys[] = { "server", "location" };
		if (pw_map_get(r->response_headers, keys[i]))
			pw_map_set_str(ret, keys[i], pw_map_str(r->response_headers, keys[i], ""));
	}
	pw_map_set_str(ret, "body_head", pw_text_of_bytes(pw_ctx_arena(r->ctx), r->head, r->received, HEAD_MAX));
	pw_map_set_int(ret, "body_bytes", (long long)r->received);
}

static void put(struct request *r, CURLcode rc, struct pw_val *ret)
{
	long status = 0, sys = 0;
	curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(r->curl, CURLINFO_OS_ERRNO, &sys);
	struct times t = times_of(r);
	const char *result = result_of(r, rc, sys, status), *mismatch = mismatch_of(r, result, status);
	pw_map_set_str(ret, "url", r->spec->url);
	pw_map_set_str(ret, "result", result);
	pw_map_set_str(ret, "stage", stage_of(r, rc, &t));
	if (sys)
		pw_map_set_int(ret, "errno", sys);
	if (mismatch)
		pw_map_set_str(ret, "mismatch", mismatch);
	put_response(r, status, ret);
	put_times(r, &t, ret);
	put_lookup(r, ret);
	put_ends(r->curl, ret);
	if (rc != CURLE_OK && !r->cut)
		pw_map_set_str(ret, "message", pw_text_of_bytes(pw_ctx_arena(r->ctx), *r->error ? r->error : curl_easy_strerror(rc),
								strlen(*r->error ? r->error : curl_easy_strerror(rc)), CURL_ERROR_SIZE));
	if (r->tls && t.connect > 0)
		pw_tls_put(r->ctx, r->curl, rc == CURLE_PEER_FAILED_VERIFICATION, r->error, pw_map_set_map(ret, "tls"));
}

int pw_probe_http(struct pw_ctx *ctx, const struct pw_http_spec *spec, struct pw_val *ret, struct pw_err *err)
{
	struct request r = { .ctx = ctx, .spec = spec, .response_headers = pw_val_map(pw_ctx_arena(ctx)) };
	int rc = pw_libcurl_load(err);
	if (rc < 0)
		return rc;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return pw_err_set(err, PW_INTERNAL, "libcurl does not start");
	rc = set_up(&r, err);
	if (rc == PW_OK && r.unresolved) {
		put_unresolved(&r, ret);
	} else if (rc == PW_OK) {
		r.start_us = pw_mono_us();
		CURLcode done = curl_easy_perform(r.curl);
		if (done == CURLE_OUT_OF_MEMORY)
			rc = oom(err);
		else if (done == CURLE_SSL_CACERT_BADFILE)
			rc = pw_err_set(err, PW_USAGE, "cannot use the CA file %.128s: %.128s", spec->ca_file ? spec->ca_file : "of the system", r.error);
		else
			put(&r, done, ret);
	}
	curl_easy_cleanup(r.curl);
	curl_url_cleanup(r.url);
	curl_slist_free_all(r.headers);
	curl_slist_free_all(r.connect_to);
	curl_slist_free_all(r.resolved);
	curl_global_cleanup();
	if (rc == PW_OK && pw_arena_failed(pw_ctx_arena(ctx)))
		rc = oom(err);
	return rc;
}
