/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tls_certificate: which certificate does a TLS server show, is it valid now, and for the name that was asked for? */
#define _GNU_SOURCE 1 /* strptime, timegm */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the server" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Its port" },
	{ "name", PW_TYPE_STR, 0, NULL, NULL, "Name asked for, which the certificate must be for" },
	{ "wait", PW_TYPE_DURATION, 0, "4s", NULL, "Limit of the handshake and one request" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "valid", PW_CLASS_OK, "The certificate is valid now, and for the name where one was asked for; who signed it is not judged.", NULL, NULL },
	{ "expired", PW_CLASS_FAIL, "The certificate is past its end.", "it was not renewed, or the server still shows the old one", "renew it and restart the server" },
	{ "not-yet-valid", PW_CLASS_FAIL, "The certificate's time has not begun, by the clock of the place that asks.", "a clock that is wrong, here or where it was issued", "compare the clocks" },
	{ "wrong-name", PW_CLASS_FAIL, "The certificate is for other names.", "a certificate of another site, or a default one", "issue one for the name" },
	{ "default-certificate", PW_CLASS_FAIL, "An ingress controller shows its own stand-in: it has none for that name.", "the Secret is missing, in another namespace, broken, or for another host", "look at the Secret that the Ingress names" },
	{ "no-tls", PW_CLASS_FAIL, "Connected, and no TLS handshake came about.", "the port speaks something else", NULL },
	{ "no-answer", PW_CLASS_FAIL, "No connection.", NULL, "connect to the port alone" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "subject", PW_TYPE_STR, NULL, "Subject of the certificate" },
	{ "issuer", PW_TYPE_STR, NULL, "Issuer" },
	{ "not_before", PW_TYPE_STR, NULL, "Begin of its validity" },
	{ "not_after", PW_TYPE_STR, NULL, "End of its validity" },
	{ "names", PW_TYPE_STR, NULL, "Names it is for" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *address = pw_ctx_str(ctx, "address"), *name = pw_ctx_str(ctx, "name");
	bool six = strchr(address, ':') != NULL;
	struct pw_http_spec spec = {
		.url = pw_arena_printf(pw_ctx_arena(ctx), "https://%s%s%s:%lld/", six ? "[" : "", address, six ? "]" : "", pw_ctx_int(ctx, "port")),
		.address = address, .host = name && *name ? name : NULL, .method = "HEAD", .insecure = true, .timeout_ms = pw_ctx_ms(ctx, "wait"),
	};
	pw_map_set_int(observation, "now", (long long)time(NULL));
	return spec.url ? pw_probe_http(ctx, &spec, observation, err) : pw_err_set(err, PW_NOMEM, "out of memory");
}

/* "Nov 30 19:06:08 2026 GMT"; 0 if it is not such. */
static long long seconds(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%b %d %H:%M:%S %Y", &tm);
	return end && !strcmp(end, " GMT") ? (long long)timegm(&tm) : 0;
}

/* RFC 6125: a wildcard is for one whole label, the first. */
static bool is_for(const char *pattern, const char *name)
{
	const char *dot = strchr(name, '.');
	return !strcasecmp(pattern, name) || (pattern[0] == '*' && pattern[1] == '.' && dot && !strcasecmp(pattern + 1, dot));
}

static bool names_fit(const struct pw_val *tls, const char *name)
{
	const struct pw_val *names = pw_map_get(tls, "names");
	for (size_t i = 0; i < pw_val_count(names); i++)
		if (pw_val_text(pw_val_at(names, i)) && is_for(pw_val_text(pw_val_at(names, i)), name))
			return true;
	return false;
}

static const char *join(struct pw_arena *arena, const struct pw_val *names)
{
	const char *list = "";
	for (size_t i = 0; list && i < pw_val_count(names) && i < 16; i++)
		list = pw_arena_printf(arena, "%s%s%s", list, *list ? ", " : "", pw_val_text(pw_val_at(names, i)));
	return list ? list : "";
}

static void conclude(const char *where, const char *name, const struct pw_val *tls, long long now, const char *names, struct pw_result *result)
{
	const char *subject = pw_map_str(tls, "subject", ""), *begin = pw_map_str(tls, "not_before", ""), *end = pw_map_str(tls, "not_after", "");
	if (strstr(subject, "Kubernetes Ingress Controller Fake Certificate") || strstr(subject, "TRAEFIK DEFAULT CERT"))
		pw_result_set(result, "default-certificate", "%s shows the controller's stand-in (%s)%s%s.", where, subject, *name ? " for " : "", name);
	else if (seconds(end) && seconds(end) < now)
		pw_result_set(result, "expired", "The certificate of %s (%s) ended on %s.", where, subject, end);
	else if (seconds(begin) > now)
		pw_result_set(result, "not-yet-valid", "The certificate of %s (%s) begins on %s, which is still to come here.", where, subject, begin);
	else if (*name && !names_fit(tls, name))
		pw_result_set(result, "wrong-name", "The certificate of %s is for %s, not for %s.", where, *names ? names : subject, name);
	else
		pw_result_set(result, "valid", "The certificate of %s (%s) is valid until %s.", where, subject, end);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *tls = pw_map_get(observation, "tls");
	const char *name = pw_ctx_str(ctx, "name"), *stage = pw_map_str(observation, "stage", ""), *names = join(pw_ctx_arena(ctx), pw_map_get(tls, "names"));
	const char *where = pw_arena_printf(pw_ctx_arena(ctx), "%s port %lld", pw_ctx_str(ctx, "address"), pw_ctx_int(ctx, "port"));
	static const char *const keys[] = { "subject", "issuer", "not_before", "not_after" };
	struct pw_val *ev = pw_result_evidence(result);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		pw_map_set_str(ev, keys[i], pw_map_str(tls, keys[i], ""));
	pw_map_set_str(ev, "names", names);
	if (*pw_map_str(tls, "not_after", ""))
		conclude(where ? where : "", name ? name : "", tls, pw_map_int(observation, "now", 0), names, result);
	else if (!strcmp(stage, "resolve") || !strcmp(stage, "connect"))
		pw_result_set(result, "no-answer", "%s gives no connection: %s", where ? where : "", pw_map_str(observation, "message", ""));
	else
		pw_result_set(result, "no-tls", "%s made no TLS handshake: %s", where ? where : "", pw_map_str(observation, "message", ""));
	return PW_OK;
}

const struct pw_check pw_check_tls_certificate = {
	PW_CHECK_HEAD("tls_certificate"),
	.summary = "Read the certificate a TLS server shows, and compare it with the clock and the name",
	.details = "Finds certificates that ended, have not begun, are for other names, or are a controller's stand-in.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.timeout_ms = 6000,
	.example = "check tls_certificate address=192.168.50.11 port=10250",
	.probe = probe,
	.judge = judge,
};
