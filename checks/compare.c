/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare: two values, so that a playbook can branch on what steps observed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <packetwalk/ctx.h>

static const struct pw_param params[] = {
	{ "left", PW_TYPE_STR, 1, NULL, NULL, "A value" },
	{ "right", PW_TYPE_STR, 1, NULL, NULL, "The value it is compared with" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "equal", PW_CLASS_OK, "The values are the same, as numbers if both are.", NULL, NULL },
	{ "less", PW_CLASS_OK, "Both are numbers, and the left is smaller.", NULL, NULL },
	{ "greater", PW_CLASS_OK, "Both are numbers, and the left is larger.", NULL, NULL },
	{ "different", PW_CLASS_OK, "The values differ, and at least one is no number.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "left", PW_TYPE_STR, NULL, "The left value" },
	{ "right", PW_TYPE_STR, NULL, "The right value" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static bool number(const char *text, double *ret)
{
	char *end;
	*ret = strtod(text, &end);
	return end != text && !*end && isfinite(*ret);
}

/* The step's title says what the left value is. */
static void say(struct pw_result *result, const char *word, const char *left, const char *right)
{
	left = *left ? left : "empty";
	right = *right ? right : "empty";
	if (!strcmp(word, "equal"))
		pw_result_set(result, word, "It is %s.", left);
	else if (!strcmp(word, "different"))
		pw_result_set(result, word, "It is %s, not %s.", left, right);
	else
		pw_result_set(result, word, "It is %s: %s than %s.", left, word, right);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const char *left = pw_ctx_str(ctx, "left"), *right = pw_ctx_str(ctx, "right");
	double a, b;
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "left", left);
	pw_map_set_str(ev, "right", right);
	bool numbers = number(left, &a) && number(right, &b);
	say(result, !strcmp(left, right) ? "equal" : !numbers ? "different" : a < b ? "less" : a > b ? "greater" : "equal", left, right);
	return PW_OK;
}

const struct pw_check pw_check_compare = {
	PW_CHECK_HEAD("compare"),
	.summary = "Compare two values",
	.details = "Numbers as numbers, everything else as text.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_NONE,
	.timeout_ms = 1000,
	.example = "check compare left=3 right=4",
	.judge = judge,
};
