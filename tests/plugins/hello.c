/* SPDX-License-Identifier: MIT */
/* A whole plugin: `cc -shared -fPIC -o hello.so hello.c` with packetwalk's headers. */
#include <packetwalk/ctx.h>

#include <stdlib.h>
#include <string.h>

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	(void)err;
	if (!strcmp(pw_ctx_str(ctx, "to"), "crash"))
		abort();
	pw_map_set_strf(observation, "greeting", "hello, %s", pw_ctx_str(ctx, "to"));
	return PW_OK;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)ctx;
	(void)err;
	pw_map_set_str(pw_result_evidence(result), "greeting", pw_map_str(observation, "greeting", ""));
	pw_result_set(result, "greeted", "It said %s.", pw_map_str(observation, "greeting", ""));
	return PW_OK;
}

static const struct pw_param params[] = {
	{ "to", PW_TYPE_STR, 0, "world", NULL, "whom to greet" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};
static const struct pw_outcome outcomes[] = {
	{ "greeted", PW_CLASS_OK, "a greeting was said", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};
static const struct pw_evidence evidence[] = {
	{ "greeting", PW_TYPE_STR, NULL, "what was said" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

extern const struct pw_check pw_check_hello;
const struct pw_check pw_check_hello = {
	PW_CHECK_HEAD("hello"),
	.summary = "Greet someone",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_NONE,
	.timeout_ms = 1000,
	.example = "check hello to=you",
	.probe = probe,
	.judge = judge,
};
