/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe_target: ask what a readiness probe asks, and the port the Service
 * sends to, so that a wrong probe and an ill application are told apart.
 */
#include <stdlib.h>
#include <string.h>

#include <packetwalk/lookup.h>
#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "pod", PW_TYPE_POD, 1, NULL, NULL, "The pod that is not ready" },
	{ "url", PW_TYPE_URL, 1, NULL, NULL, "What the probe asks: http://ADDRESS:PORT/PATH, or tcp://ADDRESS:PORT" },
	{ "service_port", PW_TYPE_PORT, 1, NULL, NULL, "Port the Service sends to" },
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Address of the pod" },
	{ "timeout_s", PW_TYPE_INT, 0, "0", "0..600", "The probe's timeout in seconds, 0 if not known" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "probe-passes", PW_CLASS_WARN, "What the probe asks succeeds now.", "it failed before, or the kubelet cannot reach the pod", "wait, and look again" },
	{ "probe-late", PW_CLASS_FAIL, "What the probe asks succeeds, later than the kubelet waits.", "timeoutSeconds is shorter than the application takes", "raise timeoutSeconds" },
	{ "probe-wrong", PW_CLASS_FAIL, "The probe's target fails, and the port of the Service works.", "wrong path, port or scheme in the probe", "correct the probe" },
	{ "app-ill", PW_CLASS_FAIL, "The probe's target answers that the application is not well.", "the application, or what it depends on", "look at the application" },
	{ "app-mute", PW_CLASS_FAIL, "The application accepts the request of the probe and does not answer, nor any other request.", "it hangs", "read its log" },
	{ "nothing-works", PW_CLASS_FAIL, "Neither the probe's target nor the port of the Service answers.", "the server process does not run, or the node cannot reach the pod", "look at the pod" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "probe", PW_TYPE_STR, NULL, "What the probe asks" },
	{ "probe_result", PW_TYPE_STR, NULL, "How it answers" },
	{ "service_result", PW_TYPE_STR, NULL, "How the port of the Service answers" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* Kubelet's default probe timeout is 1 s; some times that tells slow from dead. */
#define TARGET_MS 2000
#define ANSWER_MS 4000

static int connect_to(struct pw_ctx *ctx, const char *address, unsigned port, struct pw_val *ret, struct pw_err *err)
{
	struct pw_tcp_spec spec = { .address = address, .port = port, .count = 1, .timeout_ms = TARGET_MS, .reset = true };
	return pw_probe_tcp(ctx, &spec, ret, err);
}

/* Connected, and no answer. */
static bool mute(const struct pw_val *http)
{
	return !strcmp(pw_map_str(http, "result", ""), "timeout") && !strcmp(pw_map_str(http, "stage", ""), "first-byte");
}

/* Whether the application answers anything at all. */
static int ask_root(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	const char *address = pw_ctx_str(ctx, "address"), *six = strchr(address, ':') ? "[" : "";
	const char *url = pw_arena_printf(pw_ctx_arena(ctx), "%s://%s%s%s:%lld/", !strncmp(pw_ctx_str(ctx, "url"), "https", 5) ? "https" : "http", six, address,
					  *six ? "]" : "", pw_ctx_int(ctx, "service_port"));
	struct pw_http_spec spec = { .url = url, .insecure = true, .timeout_ms = TARGET_MS };
	return pw_probe_http(ctx, &spec, ret, err);
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	const char *url = pw_ctx_str(ctx, "url"), *address = pw_ctx_str(ctx, "address");
	int rc;
	if (!strncmp(url, "tcp://", 6)) {
		const char *colon = strrchr(url, ':');
		rc = connect_to(ctx, address, (unsigned)strtoul(colon + 1, NULL, 10), pw_map_set_map(observation, "tcp"), err);
	} else {
		struct pw_http_spec spec = { .url = url, .insecure = true, .timeout_ms = ANSWER_MS };
		rc = pw_probe_http(ctx, &spec, pw_map_set_map(observation, "http"), err);
		if (!rc && mute(pw_map_get(observation, "http")))
			rc = ask_root(ctx, pw_map_set_map(observation, "root"), err);
	}
	return rc ? rc : connect_to(ctx, address, (unsigned)pw_ctx_int(ctx, "service_port"), pw_map_set_map(observation, "service"), err);
}

static bool connected(const struct pw_val *tcp)
{
	return pw_map_int(tcp, "connected", 0) > 0;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *http = pw_map_get(observation, "http"), *service = pw_map_get(observation, "service");
	const char *url = pw_ctx_str(ctx, "url");
	long long status = pw_map_int(http, "status", 0);
	bool passes = http ? status >= 200 && status < 400 : connected(pw_map_get(observation, "tcp"));
	bool serves = connected(service);
	double ms = 0;
	(void)pw_val_to_real(pw_map_get(http ? http : pw_map_get(observation, "tcp"), http ? "total_ms" : "ms_max"), &ms);
	long long limit_s = pw_ctx_int(ctx, "timeout_s");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "probe", url);
	if (status)
		pw_map_set_strf(ev, "probe_result", "HTTP %lld", status);
	else
		pw_map_set_str(ev, "probe_result", passes ? "connected" : pw_map_str(http, "result", "no connection"));
	pw_map_set_str(ev, "service_result", serves ? "connected" : "no connection");
	if (passes && limit_s && ms > (double)limit_s * 1000)
		pw_result_set(result, "probe-late", "%s succeeds after %.1f s, and the kubelet waits %lld s.", url, ms / 1000, limit_s);
	else if (passes)
		pw_result_set(result, "probe-passes", "%s succeeds when asked now.", url);
	else if (status >= 500)
		pw_result_set(result, "app-ill", "%s answers %lld: the application says it is not well.", url, status);
	else if (mute(http) && mute(pw_map_get(observation, "root")))
		pw_result_set(result, "app-mute", "%s is accepted and not answered within %d s, nor is any other request.", url, ANSWER_MS / 1000);
	else if (serves)
		pw_result_set(result, "probe-wrong", "%s fails (%s), but port %lld of the pod accepts connections.", url, pw_map_str(ev, "probe_result", ""),
			      pw_ctx_int(ctx, "service_port"));
	else
		pw_result_set(result, "nothing-works", "Neither %s nor port %lld answers.", url, pw_ctx_int(ctx, "service_port"));
	return PW_OK;
}

const struct pw_check pw_check_probe_target = {
	PW_CHECK_HEAD("probe_target"),
	.summary = "Ask what a readiness probe asks, and the port the Service sends to",
	.details = "Run it from the pod's node, where the kubelet asks.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.timeout_ms = 9000,
	.example = "check probe_target pod=shop/api-1 url=http://10.244.1.6:8080/healthz service_port=8080 address=10.244.1.6 --at node:n1",
	.probe = probe,
	.judge = judge,
};
