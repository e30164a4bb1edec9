/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_get: one request, and where it got stuck: connect, TLS, first byte or
 * body, and who answered.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/borrow.h>

static const struct pw_param params[] = {
	{ "url", PW_TYPE_URL, 1, NULL, NULL, "http:// or https:// URL" },
	{ "address", PW_TYPE_ADDRESS, 0, NULL, NULL, "Connect to this address instead of resolving the host" },
	{ "host", PW_TYPE_HOST, 0, NULL, NULL, "Host header and TLS server name" },
	{ "slow", PW_TYPE_DURATION, 0, "3s", NULL, "A first byte later than this counts as slow" },
	{ "wait", PW_TYPE_DURATION, 0, "5s", NULL, "Limit of the request" },
	{ "body", PW_TYPE_INT, 0, "0", "0..16777216", "Send a body of this many bytes" },
	{ "method", PW_TYPE_CHOICE, 0, NULL, "GET|HEAD|OPTIONS|POST", "Method; GET, or POST with a body, if left out" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "ok", PW_CLASS_OK, "Answered with 1xx to 3xx.", NULL, NULL },
	{ "not-http", PW_CLASS_OK, "Connected and answered, but not in HTTP: the port speaks something else.", NULL, NULL },
	{ "client-error", PW_CLASS_WARN, "Answered with a 4xx other than 401, 403 and 421: the server is there and does not know this request.", "another path or Host is expected", NULL },
	{ "denied", PW_CLASS_FAIL, "Answered with 401 or 403.", "an access list or authentication of the server, or of a proxy", "see who sent it, and from which address the server saw the request" },
	{ "mesh-denied", PW_CLASS_FAIL, "A service mesh's proxy answered 403: its authorization policy does not admit the sender.", "an AuthorizationPolicy without a rule for this caller", "extend the policy" },
	{ "misdirected", PW_CLASS_FAIL, "Answered with 421, or closed without a word: no site for that name.", "the server wants another Host or SNI", "ask with the Host it knows" },
	{ "server-error", PW_CLASS_FAIL, "Answered with a 5xx.", "the application, or a proxy in front of it", "ask it from its own pod" },
	{ "slow", PW_CLASS_FAIL, "Connected at once, but the first byte came late.", "a slow application", "ask it from its own pod" },
	{ "silent", PW_CLASS_FAIL, "Connected, sent the request or the TLS hello, and no answer came.", "a hung application, or large packets lost", "ask it from its own pod; sweep the sizes" },
	{ "reset", PW_CLASS_FAIL, "Connected, then reset by the peer.", "the application, a proxy, or a firewall", "ask it from its own pod" },
	{ "tls-required", PW_CLASS_FAIL, "The port wants TLS and the request was plain.", "wrong scheme", "use https" },
	{ "tls-not-spoken", PW_CLASS_FAIL, "The port speaks plain text and the request was TLS.", "wrong scheme", "use http" },
	{ "tls-error", PW_CLASS_FAIL, "The TLS handshake failed.", "certificate, name or version", "look at the certificate" },
	{ "body-stalled", PW_CLASS_FAIL, "The answer began and then stopped.", "large packets are lost on the way back", "sweep the sizes" },
	{ "connect-failed", PW_CLASS_FAIL, "No connection.", NULL, "connect to the port alone" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "status", PW_TYPE_INT, NULL, "HTTP status, 0 if none" },
	{ "server", PW_TYPE_STR, NULL, "Server header" },
	{ "location", PW_TYPE_STR, NULL, "Location header, empty if none" },
	{ "stage", PW_TYPE_STR, NULL, "How far it came: connect, tls, send, first-byte, body, done" },
	{ "connect_ms", PW_TYPE_REAL, "ms", "Time to connect" },
	{ "first_byte_ms", PW_TYPE_REAL, "ms", "Time to the first byte, 0 if none" },
	{ "head", PW_TYPE_STR, NULL, "Beginning of the body" },
	{ "message", PW_TYPE_STR, NULL, "What the library said of a failure" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static bool is(const struct pw_val *observation, const char *key, const char *word)
{
	return !strcmp(pw_map_str(observation, key, ""), word);
}

static bool closed_unanswered(const struct pw_val *o)
{
	return is(o, "result", "closed-early") && !pw_map_int(o, "status", 0);
}

/* The second request came past its handshake, which nothing but a TLS server completes. */
static bool speaks_tls(const struct pw_val *o)
{
	const struct pw_val *second = pw_map_get(o, "with_tls");
	return is(second, "stage", "send") || is(second, "stage", "first-byte") || is(second, "stage", "body") || is(second, "stage", "done");
}

/* With our own sockets, or with tools. */
static int request(struct pw_ctx *ctx, struct pw_tools *tools, const struct pw_http_spec *spec, struct pw_val *ret, struct pw_err *err)
{
	return tools ? pw_borrow_http(ctx, tools, spec, ret, err) : pw_probe_http(ctx, spec, ret, err);
}

static int borrow(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *observation, struct pw_err *err)
{
	struct pw_http_spec spec = {
		.url = pw_ctx_str(ctx, "url"),
		.address = pw_ctx_str(ctx, "address"),
		.host = pw_ctx_str(ctx, "host"),
		.method = pw_ctx_str(ctx, "method"),
		.body_bytes = (size_t)pw_ctx_int(ctx, "body"),
		.insecure = true,
		.timeout_ms = pw_ctx_ms(ctx, "wait"),
	};
	int rc = request(ctx, tools, &spec, observation, err);
	if (rc || !closed_unanswered(observation) || strncasecmp(spec.url, "http://", strlen("http://")) != 0)
		return rc;
	/* Some servers close on a plain request that wanted to be a TLS hello: one question more tells. */
	spec.url = pw_arena_printf(pw_ctx_arena(ctx), "https://%s", spec.url + strlen("http://"));
	if (!spec.url)
		return pw_err_set(err, PW_NOMEM, "asking with TLS: out of memory");
	return request(ctx, tools, &spec, pw_map_set_map(observation, "with_tls"), err);
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	return borrow(ctx, NULL, observation, err);
}

/* Envoy's RBAC filter answers with this body; its Server header is "envoy" or "istio-envoy". */
static bool denied_by_mesh(const struct pw_val *o)
{
	return strstr(pw_map_str(o, "body_head", ""), "RBAC: access denied") || strstr(pw_map_str(o, "server", ""), "envoy");
}

static const char *by_status(long long status, double first_byte_ms, unsigned slow_ms)
{
	if (status >= 500)
		return "server-error";
	if (status == 401 || status == 403)
		return "denied";
	if (status == 421)
		return "misdirected";
	if (first_byte_ms > slow_ms)
		return "slow";
	return status >= 400 ? "client-error" : "ok";
}

static const char *decide(const struct pw_val *o, long long status, double first_byte_ms, unsigned slow_ms)
{
	if (is(o, "mismatch", "plain-to-tls") || (closed_unanswered(o) && speaks_tls(o)))
		return "tls-required";
	if (is(o, "mismatch", "tls-to-plain"))
		return "tls-not-spoken";
	if (is(o, "result", "response") && status == 403 && denied_by_mesh(o))
		return "mesh-denied";
	if (is(o, "result", "response"))
		return by_status(status, first_byte_ms, slow_ms);
	if (is(o, "result", "reset"))
		return "reset"; /* at stage connect too: it was accepted and reset before the request went out */
	if (is(o, "stage", "resolve") || is(o, "stage", "connect"))
		return "connect-failed";
	if (is(o, "result", "tls-error"))
		return "tls-error";
	if (is(o, "result", "bad-protocol"))
		return "not-http";
	if (is(o, "result", "closed-early"))
		return status ? "body-stalled" : "misdirected";
	if (is(o, "result", "timeout"))
		return is(o, "stage", "body") ? "body-stalled" : "silent";
	return "connect-failed";
}

static double real(const struct pw_val *map, const char *key)
{
	double value = 0;
	(void)pw_val_to_real(pw_map_get(map, key), &value);
	return value;
}

static void say(struct pw_result *result, const char *word, const struct pw_val *o, const char *url, long long status, double first_byte_ms)
{
	if (status && strcmp(word, "body-stalled"))
		pw_result_set(result, word, "%s answered %lld after %.0f ms.", url, status, first_byte_ms);
	else if (!strcmp(word, "not-http"))
		pw_result_set(result, word, "%s is answered, but not in HTTP.", url);
	else if (!strcmp(word, "silent"))
		pw_result_set(result, word, "%s: connected, and no byte of an answer came.", url);
	else if (!strcmp(word, "tls-required") && closed_unanswered(o))
		pw_result_set(result, word, "%s: a plain request is closed without an answer, and a TLS handshake completes.", url);
	else if (!strcmp(word, "misdirected"))
		pw_result_set(result, word, "%s: connected, and closed without an answer.", url);
	else
		pw_result_set(result, word, "%s: %s at %s%s%s.", url, word, pw_map_str(o, "stage", "an unknown stage"),
			      *pw_map_str(o, "message", "") ? ", " : "", pw_map_str(o, "message", ""));
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const char *url = pw_ctx_str(ctx, "url");
	long long status = pw_map_int(observation, "status", 0);
	double first = real(observation, "first_byte_ms");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_int(ev, "status", status);
	pw_map_set_str(ev, "location", pw_map_str(observation, "location", ""));
	pw_map_set_str(ev, "server", pw_map_str(observation, "server", ""));
	pw_map_set_str(ev, "stage", pw_map_str(observation, "stage", ""));
	pw_map_set_real(ev, "connect_ms", real(observation, "connect_ms"));
	pw_map_set_real(ev, "first_byte_ms", first);
	pw_map_set_str(ev, "head", pw_map_str(observation, "body_head", ""));
	pw_map_set_str(ev, "message", pw_map_str(observation, "message", ""));
	say(result, decide(observation, status, first, pw_ctx_ms(ctx, "slow")), observation, url, status, first);
	return PW_OK;
}

const struct pw_check pw_check_http_get = {
	PW_CHECK_HEAD("http_get"),
	.summary = "Make one HTTP request and say how far it came and who answered",
	.details = "Certificates are reported, not verified: whether to trust them is another question than whether the path works.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.timeout_ms = 8000,
	.example = "check http_get url=http://api.shop/ address=10.96.0.20",
	.probe = probe,
	.judge = judge,
	.borrow = borrow,
};
