/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#include <base/registry.h>
#include <packetwalk/cleanup.h>
#include <vantage/executor.h>

static int no_judge(struct pw_ctx *ctx, const struct pw_val *obs, struct pw_result *result, struct pw_err *err)
{
	(void)ctx;
	(void)obs;
	(void)result;
	(void)err;
	return PW_OK;
}

static int no_probe(struct pw_ctx *ctx, struct pw_val *obs, struct pw_err *err)
{
	(void)ctx;
	(void)obs;
	(void)err;
	return PW_OK;
}

static const struct pw_param params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "where to" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "which port" },
	{ "count", PW_TYPE_INT, 0, "3", "1..64", "how often" },
	{ "wait", PW_TYPE_DURATION, 0, "2s", "100ms..10s", "how long" },
	{ "reset", PW_TYPE_BOOL, 0, NULL, NULL, "close with RST" },
	{ "libc", PW_TYPE_CHOICE, 0, NULL, "glibc|musl", "whose rules" },
	{ "names", PW_TYPE_LIST, 0, NULL, NULL, "many" },
	{ "labels", PW_TYPE_MAP, 0, NULL, NULL, "pairs" },
	{ "text", PW_TYPE_STR, 0, NULL, NULL, "anything" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};
static const struct pw_outcome outcomes[] = {
	{ "connected", PW_CLASS_OK, "it works", NULL, NULL },
	{ "timed-out", PW_CLASS_FAIL, "it does not", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};
static const struct pw_evidence evidence[] = { { "ms", PW_TYPE_INT, "ms", "time" }, { NULL, PW_TYPE_STR, NULL, NULL } };
static const struct pw_check sample = {
	PW_CHECK_HEAD("sample"), .summary = "Sample", .params = params, .outcomes = outcomes, .evidence = evidence,
	.timeout_ms = 1000, .probe = no_probe, .judge = no_judge,
};

static const struct pw_val *get(const struct pw_val *map, const char *key)
{
	return pw_map_get(map, key);
}

static void test_complete(struct pw_arena *arena)
{
	struct pw_val *given = pw_val_map(arena), *done = NULL;
	struct pw_err err = PW_ERR_INIT;
	pw_map_set_str(given, "address", "10.0.0.1");
	pw_map_set_str(given, "port", "8080");
	pw_map_set_str(given, "reset", "true");
	pw_map_set_str(given, "names", "a, b ,,c");
	pw_map_set_str(given, "labels", "app=web,tier=front");
	pw_map_set_str(given, "libc", "");
	is_int(pw_params_check(&sample, given, arena, &done, &err), PW_OK, "good parameters pass");
	is_int(pw_map_int(done, "port", 0), 8080, "a port is a number");
	ok(pw_val_is(get(done, "port"), PW_VAL_INT), "of the integer kind");
	is_int(pw_map_int(done, "count", 0), 3, "a default is filled in");
	is_str(pw_map_str(done, "wait", ""), "2s", "a duration stays as written");
	ok(pw_map_bool(done, "reset", false) && pw_val_is(get(done, "reset"), PW_VAL_BOOL), "a bool is a bool");
	is_int(pw_val_count(get(done, "names")), 3, "a list typed with commas");
	is_str(pw_val_text(pw_val_at(get(done, "names"), 1)), "b", "its items are trimmed");
	is_str(pw_map_str(get(done, "labels"), "tier", ""), "front", "a map typed with =");
	ok(!get(done, "libc"), "an empty text counts as not given");

	struct pw_val *input = pw_map_set_map(given, "address");
	pw_map_set_str(input, "", "10.0.0.2");
	pw_map_set_str(input, "node", "n1");
	is_int(pw_params_check(&sample, given, arena, &done, &err), PW_OK, "an input with fields stands for its text");
	is_str(pw_map_str(done, "address", ""), "10.0.0.2", "namely this");
}

static const char *refusal(struct pw_arena *arena, const char *key, struct pw_val *value)
{
	static struct pw_err err;
	pw_err_clear(&err);
	struct pw_val *given = pw_val_map(arena), *done = NULL;
	pw_map_set_str(given, "address", "10.0.0.1");
	pw_map_set_str(given, "port", "80");
	pw_map_set(given, key, value);
	int rc = pw_params_check(&sample, given, arena, &done, &err);
	return rc == PW_OK ? "accepted" : rc == PW_USAGE ? err.text : "wrong code";
}

static void test_refusals(struct pw_arena *arena)
{
	is_str(refusal(arena, "adress", pw_val_str(arena, "x")),
	       "the check sample has no parameter \"adress\"; did you mean \"address\"?", "an unknown key, nearly right");
	is_str(refusal(arena, "colour", pw_val_str(arena, "x")), "the check sample has no parameter \"colour\"", "an unknown key");
	is_str(refusal(arena, "port", pw_val_str(arena, "70000")), "port of sample: \"70000\" is not a port (1..65535)", "a port too high");
	is_str(refusal(arena, "port", pw_val_str(arena, "+80")), "port of sample: \"+80\" is not a port (1..65535)", "a signed port");
	is_str(refusal(arena, "count", pw_val_int(arena, 65)), "count of sample: \"65\" is not a whole number (1..64)", "an integer out of range");
	is_str(refusal(arena, "wait", pw_val_str(arena, "1m")),
	       "wait of sample: \"1m\" is not a duration such as 500ms, 2s or 1m30s (100ms..10s)", "a duration out of range");
	is_str(refusal(arena, "libc", pw_val_str(arena, "glib")), "libc of sample: \"glib\" is not one of the choices (glibc|musl)", "a bad choice");
	is_str(refusal(arena, "address", pw_val_str(arena, "10.0.0.256")), "address of sample: \"10.0.0.256\" is not an IPv4 or IPv6 address", "a bad address");
	is_str(refusal(arena, "reset", pw_val_str(arena, "yes")), "reset of sample: \"yes\" is not true or false", "YAML's yes is not a bool");
	is_str(refusal(arena, "count", pw_val_seq(arena)), "count of sample: a list is given where int is wanted", "a list for a number");
	is_str(refusal(arena, "labels", pw_val_str(arena, "app")), "labels of sample: \"app\" is not a map such as key=value,key=value", "a map without =");
	is_str(refusal(arena, "text", pw_val_strn(arena, "a\0b", 3)), "text of sample: unreadable text is given where string is wanted", "a NUL inside");
	is_str(refusal(arena, "port", pw_val_null(arena)), "the check sample needs port", "null is not given");

	struct pw_err err = PW_ERR_INIT;
	struct pw_val *done = NULL;
	is_int(pw_params_check(&sample, NULL, arena, &done, &err), PW_USAGE, "no parameters at all");
	is_str(err.text, "the check sample needs address, port", "all that is missing is named");
}

static void test_types(void)
{
	static const struct { enum pw_type type; const char *range, *text; bool good; } cases[] = {
		{ PW_TYPE_INT, NULL, "-5", true }, { PW_TYPE_INT, "..10", "11", false }, { PW_TYPE_INT, NULL, "0x10", false },
		{ PW_TYPE_INT, NULL, "99999999999999999999", false }, { PW_TYPE_INT, NULL, " 1", false },
		{ PW_TYPE_REAL, "0..1", "0.5", true }, { PW_TYPE_REAL, NULL, "nan", false }, { PW_TYPE_REAL, NULL, "1e", false },
		{ PW_TYPE_ADDRESS, NULL, "fd00::1", true }, { PW_TYPE_ADDRESS, NULL, "fd00::1/64", false },
		{ PW_TYPE_CIDR, NULL, "10.0.0.0/8", true }, { PW_TYPE_CIDR, NULL, "10.0.0.0/33", false },
		{ PW_TYPE_CIDR, NULL, "fd00::/64", true }, { PW_TYPE_CIDR, NULL, "10.0.0.0", false },
		{ PW_TYPE_HOST, NULL, "api.shop.svc.cluster.local.", true }, { PW_TYPE_HOST, NULL, "a..b", false },
		{ PW_TYPE_HOST, NULL, "_sip._tcp.x", true }, { PW_TYPE_HOST, NULL, "", false }, { PW_TYPE_HOST, NULL, "a b", false },
		{ PW_TYPE_URL, NULL, "http://[fd00::1]:80/x", true }, { PW_TYPE_URL, NULL, "example.test", false },
		{ PW_TYPE_URL, NULL, "http:///x", false }, { PW_TYPE_URL, NULL, "http://a b", false },
		{ PW_TYPE_POD, NULL, "shop/web-1", true }, { PW_TYPE_POD, NULL, "a/b/c", false }, { PW_TYPE_POD, NULL, "Shop/x", false },
		{ PW_TYPE_NAMESPACE, NULL, "kube-system", true }, { PW_TYPE_NAMESPACE, NULL, "a.b", false },
		{ PW_TYPE_NODE, NULL, "ip-10-0-0-1.ec2.internal", true }, { PW_TYPE_NODE, NULL, "n1;reboot", false },
		{ PW_TYPE_DURATION, NULL, "1m30s", true }, { PW_TYPE_DURATION, NULL, "soon", false },
		{ PW_TYPE_CHOICE, "a|b", "b", true }, { PW_TYPE_CHOICE, "a|b", "", false }, { PW_TYPE_CHOICE, "ab|b", "a", false },
		{ PW_TYPE_PORT, "1024..", "80", false }, { PW_TYPE_PORT, "0..65535", "0", true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok((pw_type_check(cases[i].type, cases[i].range, cases[i].text, NULL) == PW_OK) == cases[i].good,
		   "%s \"%s\" is %s", pw_type_word(cases[i].type), cases[i].text, cases[i].good ? "right" : "wrong");
}

static const char *why_not(const struct pw_check *check, const char *name)
{
	static struct pw_err err;
	pw_err_clear(&err);
	return pw_check_validate(check, name, &err) == PW_OK ? "valid" : err.text;
}

static void test_validate(void)
{
	struct pw_check c = sample;
	is_str(why_not(&c, "sample"), "valid", "a sane declaration");
	is_str(why_not(&c, "other"), "other declares the name \"sample\"; the name must be that of the file", "another name");
	c.abi = 2;
	is_str(why_not(&c, "sample"), "sample was built for check ABI 2, this packetwalk has ABI 1; rebuild it", "another ABI");
	c = sample;
	c.size = 8;
	ok(strstr(why_not(&c, "sample"), "sample declares a struct pw_check of 8 bytes"), "another size");
	c = sample;
	c.summary = "Ends with a stop.";
	is_str(why_not(&c, "sample"), "the summary of sample is not one line without a full stop", "a summary with a full stop");
	c = sample;
	c.judge = NULL;
	is_str(why_not(&c, "sample"), "the check sample has no judge function", "no judge");
	c = sample;
	c.timeout_ms = 0;
	is_str(why_not(&c, "sample"), "the check sample has a timeout of 0 ms; 1 to 600000 are possible", "no timeout");

	struct pw_outcome bad[] = { { "unknown", PW_CLASS_OK, "x", NULL, NULL }, { NULL, PW_CLASS_OK, NULL, NULL, NULL } };
	c = sample;
	c.outcomes = bad;
	is_str(why_not(&c, "sample"), "the outcome unknown of sample is the engine's to give; leave it out", "a reserved outcome");
	bad[0].word = "Bad_Word";
	is_str(why_not(&c, "sample"), "the outcome \"Bad_Word\" of sample is not lower-case words joined by -", "an ugly outcome");
	c.outcomes = NULL;
	is_str(why_not(&c, "sample"), "the check sample declares no outcomes", "no outcomes");

	struct pw_param wrong[] = { { "port", PW_TYPE_PORT, 0, "http", NULL, "x" }, { NULL, PW_TYPE_STR, 0, NULL, NULL, NULL } };
	c = sample;
	c.params = wrong;
	is_str(why_not(&c, "sample"), "the default of port of sample: \"http\" is not a port (1..65535)", "a default that does not fit");
}

/* Every built-in check is held to the same rules as a plugin. */
static void test_registry(void)
{
	size_t n = 0;
	for (const struct pw_check *const *c = pw_check_registry; *c; c++, n++)
		is_str(why_not(*c, (*c)->name), "valid", (*c)->name);
	if (n == 0)
		tap_skip("built-in declarations", "no check is built in");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	test_complete(arena);
	test_refusals(arena);
	test_types();
	test_validate();
	test_registry();
	return tap_done();
}
