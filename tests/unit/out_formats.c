/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One record, every format: the same states and counts, and nothing hostile gets through. */
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <doc/json.h>
#include <out/out.h>

/* An escape sequence, markup, a table cell, a bidi control, a broken UTF-8 byte. */
#define HOSTILE "a\x1b[31m<b>&\"'|`x` ]]> \xe2\x80\xae \xff\n# y"

static const struct pw_step_result steps[] = {
	{ .id = "one", .check = "c", .vantage = "pod shop/web on n1", .outcome = "connected", .says = "It connected.", .title = "Connect", .hop = "h",
	  .klass = PW_CLASS_OK, .duration_ms = 12 },
	{ .id = "two", .check = "c", .vantage = "here", .outcome = "slow", .says = "It was slow.", .klass = PW_CLASS_WARN, .duration_ms = 1200 },
	{ .id = "call/inner", .check = "c", .vantage = "here", .outcome = "timeout", .says = HOSTILE, .title = HOSTILE, .klass = PW_CLASS_FAIL },
	{ .id = "call", .check = "playbook x", .outcome = "fault", .says = "Inner.", .klass = PW_CLASS_FAIL },
	{ .id = "three", .check = "c", .outcome = "unknown", .says = "No way in.", .klass = PW_CLASS_UNKNOWN },
	{ .id = "four", .check = "c", .outcome = "skipped", .says = "Not run.", .klass = PW_CLASS_SKIPPED },
	{ .id = "five", .check = "c", .outcome = "unknown", .says = "It crashed.", .klass = PW_CLASS_ERROR },
};
#define N (sizeof steps / sizeof *steps)

static struct pw_record make(struct pw_arena *arena, enum pw_status status)
{
	static const struct pw_step_result *list[N];
	struct pw_record r = { .playbook = "p", .playbook_hash = "0", .cluster = "bundle x", .cluster_uid = "u", .version = "0.0.0",
			       .started_ms = 1767323045000, .duration_ms = 1234, .status = status };
	for (size_t i = 0; i < N; i++)
		list[i] = &steps[i];
	struct pw_val *inputs = pw_val_map(arena), *actions = pw_val_seq(arena), *because = pw_val_seq(arena);
	pw_map_set_str(inputs, "from", "shop/web");
	pw_seq_add_str(actions, "Do " HOSTILE);
	pw_seq_add_str(because, "call/inner");
	r.inputs = inputs;
	r.steps = list;
	r.n_steps = N;
	r.verdict.id = "broken";
	r.verdict.layer = status == PW_STATUS_FAULT ? PW_LAYER_CNI : status == PW_STATUS_HEALTHY ? PW_LAYER_NONE : PW_LAYER_UNKNOWN;
	r.verdict.component = status == PW_STATUS_FAULT ? "overlay" : NULL;
	r.verdict.hop = "overlay";
	r.verdict.says = "Lost at " HOSTILE;
	r.verdict.actions = actions;
	r.verdict.because = because;
	r.ledger.rows[PW_LAYER_CNI] = (struct pw_ledger_row){ PW_LEDGER_AT_FAULT, { "call/inner" }, 1 };
	r.path_drawing = "web --> [overlay] X " HOSTILE "\n";
	return r;
}

static const char *write_as(const char *name, const struct pw_record *record, struct pw_buf *out, bool warn_fails)
{
	struct pw_out_style style = { .utf8 = true, .width = 80, .warn_fails = warn_fails };
	const struct pw_out *format = pw_out_find(name);
	pw_buf_clear(out);
	if (format)
		format->write(record, &style, out);
	ok(format && pw_buf_ok(out), "%s is written", name);
	return pw_buf_str(out);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void test_hostile(const struct pw_record *record, struct pw_buf *out)
{
	for (size_t i = 0; pw_out_registry[i]; i++) {
		const char *name = pw_out_registry[i]->name, *text = write_as(name, record, out, false);
		ok(!strchr(text, 0x1b), "%s: no escape byte", name);
		ok(!strstr(text, "\xff"), "%s: no invalid UTF-8", name);
		if (strcmp(name, "json") != 0 && strcmp(name, "junit") != 0)
			ok(!strstr(text, "\xe2\x80\xae"), "%s: no bidi control", name);
		ok(strlen(text) == out->len, "%s: no NUL", name);
	}
}

static void test_json(const struct pw_record *record, struct pw_buf *out, struct pw_arena *arena)
{
	static const struct pw_json_limits limits = { 1 << 20, 32 };
	static const unsigned want[] = { 1, 1, 2, 1, 1, 1 };
	unsigned by_class[PW_CLASS_ERROR + 1] = { 0 };
	struct pw_val *val = NULL;
	const char *text = write_as("json", record, out, false);
	is_int(pw_json_parse(text, out->len, NULL, &limits, arena, &val, NULL), PW_OK, "json parses");
	is_str(pw_map_str(val, "schema", NULL), "packetwalk.result/1", "json schema");
	is_str(pw_map_str(val, "status", NULL), "fault", "json status");
	is_str(pw_val_text(pw_val_get(val, "verdict.layer")), "cni", "json layer");
	is_str(pw_val_text(pw_val_get(val, "layers.cni.state")), "at-fault", "json layer state");
	is_str(pw_val_text(pw_val_get(val, "layers.third-party.state")), "untested", "json untested layer");
	is_str(pw_map_str(val, "started", NULL), "2026-01-02T03:04:05.000Z", "json start");
	const struct pw_val *list = pw_map_get(val, "steps");
	for (size_t i = 0; i < pw_val_count(list); i++)
		for (int k = 0; k <= PW_CLASS_ERROR; k++)
			by_class[k] += strcmp(pw_map_str(pw_val_at(list, i), "class", ""), pw_class_word((enum pw_class)k)) == 0;
	for (int k = 0; k <= PW_CLASS_ERROR; k++)
		is_int(by_class[k], want[k], pw_class_word((enum pw_class)k));
	ok(pw_val_is(pw_map_get(pw_val_at(list, 3), "vantage"), PW_VAL_NULL), "a promised key is there when nothing is known");
}

/* fail 2, unknown 1, error 1, skipped 1, warn 1, ok 1, and the verdict: a fault. */
static void test_counts(const struct pw_record *record, struct pw_buf *out)
{
	const char *text = write_as("junit", record, out, false);
	is_int(count(text, "<testcase "), N + 1, "junit: a case per step and the verdict");
	is_int(count(text, "<failure "), 3, "junit failures");
	is_int(count(text, "<error "), 2, "junit errors");
	is_int(count(text, "<skipped "), 1, "junit skipped");
	ok(strstr(text, "tests=\"8\" failures=\"3\" errors=\"2\" skipped=\"1\""), "junit says the same in its totals");
	is_int(count(write_as("junit", record, out, true), "<failure "), 4, "junit: a warning fails when asked to");

	text = write_as("tap", record, out, false);
	ok(strncmp(text, "TAP version 14\n", 15) == 0, "tap: version first");
	is_int(count(text, "not ok "), 5, "tap: fail, unknown, error and the verdict");
	is_int(count(text, "\nok "), 3, "tap: ok, warn, skipped");
	is_int(count(text, "# SKIP "), 1, "tap: skipped");
	is_int(count(text, "    1..1\n"), 1, "tap: a called playbook has its own plan");
	is_int(count(text, "\n1..7\n"), 1, "tap: the plan, once");
	ok(strstr(text, "    not ok 1 - inner"), "tap: subtests are indented");

	text = write_as("text", record, out, false);
	ok(strstr(text, "FAULT in layer cni, component overlay"), "text: headline");
	is_int(count(text, "  FAIL "), 2, "text: FAIL");
	is_int(count(text, "  WARN "), 1, "text: WARN");
	is_int(count(text, "  UNKNOWN "), 1, "text: UNKNOWN");
	is_int(count(text, "  SKIP "), 1, "text: SKIP");
	is_int(count(text, "  ERROR "), 1, "text: ERROR");

	text = write_as("markdown", record, out, false);
	is_int(count(text, "\n| FAIL |"), 2, "markdown: FAIL");
	is_int(count(text, "\n| OK |"), 1, "markdown: OK");
	const char *html = strstr(text, "<b>"), *drawing = strstr(text, "\n### Path\n\n    ");
	ok(drawing && (!html || html > drawing), "markdown: no HTML gets through, except as code");

	text = write_as("nagios", record, out, false);
	ok(strncmp(text, "PACKETWALK CRITICAL - ", 22) == 0, "nagios: state");
	ok(strstr(text, "'fail'=2;;;0"), "nagios: FAIL");
	ok(strstr(text, "'steps'=7;;;0"), "nagios: all");
	is_int(count(text, "\n"), 1, "nagios: one line");
	is_int(count(text, "|"), 1, "nagios: one bar");
}

static void test_width(const struct pw_record *record, struct pw_buf *out)
{
	const char *text = write_as("text", record, out, false);
	size_t longest = 0;
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");
		if (len > longest && !strstr(at, "web -->"))
			longest = len;
		at += len + (at[len] == '\n');
	}
	ok(longest <= 80, "text fits 80 columns, except the drawing (%zu)", longest);
}

static void test_ascii(const struct pw_record *record, struct pw_buf *out)
{
	struct pw_out_style style = { .width = 80 };
	struct pw_record r = *record;
	r.verdict.says = "na\xc3\xafve";
	pw_buf_clear(out);
	pw_out_find("text")->write(&r, &style, out);
	const char *text = pw_buf_str(out);
	bool ascii = true;
	for (const char *c = text; *c; c++)
		ascii = ascii && (unsigned char)*c < 0x80;
	ok(ascii, "text is ASCII when the locale is not UTF-8");
	ok(strstr(text, "na\\u{00EF}ve"), "and what is not is shown by number");
}

static void test_status(struct pw_arena *arena, struct pw_buf *out)
{
	struct pw_record healthy = make(arena, PW_STATUS_HEALTHY), open = make(arena, PW_STATUS_INCONCLUSIVE);
	ok(strstr(write_as("text", &healthy, out, false), "HEALTHY: no fault found"), "text: healthy");
	ok(strncmp(write_as("nagios", &healthy, out, false), "PACKETWALK OK", 13) == 0, "nagios: healthy");
	ok(strncmp(write_as("nagios", &healthy, out, true), "PACKETWALK WARNING", 18) == 0, "nagios: a warning counts when asked to");
	ok(strncmp(write_as("nagios", &open, out, false), "PACKETWALK UNKNOWN", 18) == 0, "nagios: inconclusive");
	is_int(count(write_as("junit", &open, out, false), "<error "), 3, "junit: an inconclusive verdict is an error");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 24);
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 1 << 20);
	struct pw_record record = make(arena, PW_STATUS_FAULT);
	test_hostile(&record, &out);
	test_json(&record, &out, arena);
	test_counts(&record, &out);
	test_width(&record, &out);
	test_ascii(&record, &out);
	test_status(arena, &out);
	ok(!pw_out_find("nothing"), "an unknown format is not found");
	return tap_done();
}
