/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON lists item by item: any cut, any shape, bounded memory. */
#include <doc/json.h>
#include <packetwalk/cleanup.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const struct pw_json_limits limits = { 4096, 16 };

struct seen {
	size_t n;
	char names[256];
	size_t stop_at;   /* fail at this item, 0: never */
};

static int on_item(void *arg, const struct pw_val *item, struct pw_err *err)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->names);
	seen->n++;
	if (seen->n == seen->stop_at)
		return pw_err_set(err, PW_CANCELLED, "enough");
	if (used < sizeof seen->names - 20)
		(void)snprintf(seen->names + used, sizeof seen->names - used, "%s ", pw_map_str(item, "name", "?"));
	return PW_OK;
}

/* Feeds in pieces of `piece` bytes. */
static int feed(struct pw_json_stream *stream, const char *text, size_t piece, struct pw_err *err)
{
	for (size_t len = strlen(text), i = 0; i < len; i += piece) {
		int r = pw_json_stream_feed(stream, text + i, len - i < piece ? len - i : piece, err);
		if (r < 0)
			return r;
	}
	return pw_json_stream_end(stream, err);
}

static void test_list(void)
{
	const char *text = "{\"kind\":\"PodList\",\"items\":[{\"name\":\"a\",\"x\":[1,{\"items\":[2]}]},{\"name\":\"\\u0062\"},7,[],null],"
			   "\"metadata\":{\"continue\":\"t\\u00f6k\",\"items\":[1]}}";
	bool good = true;
	for (size_t piece = 1; piece < strlen(text); piece++) {
		struct seen seen = { 0, "", 0 };
		struct pw_err err = PW_ERR_INIT;
		struct pw_json_stream *stream = pw_json_stream_new(&limits, on_item, &seen);
		good = good && feed(stream, text, piece, &err) == PW_OK && seen.n == 5 && !strcmp(seen.names, "a b ? ? ? ");
		const struct pw_val *rest = pw_json_stream_rest(stream);
		good = good && !strcmp(pw_map_str(rest, "kind", ""), "PodList") && !pw_map_get(rest, "items") &&
		       !strcmp(pw_val_text(pw_val_get(rest, "metadata.continue")), "t\xc3\xb6k") &&
		       pw_val_count(pw_val_get(rest, "metadata.items")) == 1;
		pw_json_stream_free(stream);
	}
	ok(good, "a list cut at every length: every item, the rest without items");
}

static void counts(const char *text, size_t want, const char *what)
{
	struct seen seen = { 0, "", 0 };
	struct pw_err err = PW_ERR_INIT;
	struct pw_json_stream *stream = pw_json_stream_new(&limits, on_item, &seen);
	is_int(feed(stream, text, 7, &err), PW_OK, what);
	is_int(seen.n, want, "items");
	pw_json_stream_free(stream);
}

static void fails(const char *text, size_t piece, int code, const char *want)
{
	struct seen seen = { 0, "", 2 };
	struct pw_err err = PW_ERR_INIT;
	struct pw_json_stream *stream = pw_json_stream_new(&limits, on_item, &seen);
	is_int(feed(stream, text, piece, &err), code, "the code");
	is_str(err.text, want, "the text");
	is_int(pw_json_stream_feed(stream, "{}", 2, &err), code, "a further call fails the same way");
	is_str(err.text, "cannot read on: an earlier part of the JSON text failed", "and says why");
	pw_json_stream_free(stream);
}

static void test_shapes(void)
{
	counts("{\"items\":[]}", 0, "an empty list");
	counts("{\"items\":null,\"kind\":\"PodList\"}", 0, "a null list, as Go writes it");
	counts("{\"kind\":\"Pod\",\"name\":\"a\"}", 1, "a single object");
	counts("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"code\":403}", 0, "a Status is no item");
	counts("{\"kind\":\"ConfigMap\",\"items\":{\"a\":1}}", 1, "items that are no list are a field");
	counts("{\"spec\":{\"items\":[1,2]}}", 1, "items further down are a field");
	counts("\xef\xbb\xbf{\"items\":[{}]}", 1, "a byte order mark");
}

static void test_errors(void)
{
	fails("[1]", 100, PW_SYNTAX, "cannot read this as a Kubernetes object: the JSON text is not an object");
	fails("7 ", 100, PW_SYNTAX, "cannot read this as a Kubernetes object: the JSON text is not an object");
	fails("", 1, PW_SYNTAX, "cannot read this as JSON: it is empty");
	fails("<html>Bad gateway</html>", 5, PW_SYNTAX, "cannot read this as JSON: it begins with \"<\", so it is probably an HTML or XML page");
	fails("{\"items\":[{\"name\":\"a\"},", 3, PW_SYNTAX, "cannot read this as JSON: parse error: premature EOF");
	fails("{\"items\":[1,2,3]}", 100, PW_CANCELLED, "enough");
	fails("{\"items\":[[[[[[[[[[[[[[[[[[", 100, PW_SYNTAX, "cannot read this as JSON: it is nested deeper than 16 levels");
	struct pw_err err = PW_ERR_INIT;
	struct seen seen = { 0, "", 0 };
	struct pw_json_stream *stream = pw_json_stream_new(&limits, on_item, &seen);
	is_int(feed(stream, "{\"items\":[\n{},\n  {\"a\" 1}", 4, &err), PW_SYNTAX, "a broken list");
	ok(err.line == 3 && err.col == 8, "its place is counted over the pieces: %u:%u", err.line, err.col);
	pw_json_stream_free(stream);
	pw_json_stream_free(NULL);
}

static void test_limits(void)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, 10 << 20);
	pw_buf_puts(&text, "{\"items\":[");
	for (int i = 0; i < 20000; i++)
		pw_buf_printf(&text, "%s{\"name\":\"%d\",\"a\":[{},{},[]]}", i ? "," : "", i);
	pw_buf_puts(&text, "]}");
	struct seen seen = { 0, "", 0 };
	struct pw_err err = PW_ERR_INIT;
	struct pw_json_stream *stream = pw_json_stream_new(&limits, on_item, &seen);
	is_int(feed(stream, pw_buf_str(&text), 1000, &err), PW_OK, "a list much larger than the limit of one item");
	is_int(seen.n, 20000, "every item");
	pw_json_stream_free(stream);
	pw_buf_clear(&text);
	pw_buf_puts(&text, "{\"items\":[{\"a\":[");
	for (int i = 0; i < 3000; i++)
		pw_buf_puts(&text, "[],");
	fails(pw_buf_str(&text), 100, PW_SYNTAX, "cannot read this as JSON: one item is larger than the 4096 bytes allowed");
	pw_buf_clear(&text);
	pw_buf_puts(&text, "{\"a\":[");
	for (int i = 0; i < 3000; i++)
		pw_buf_puts(&text, "[],");
	fails(pw_buf_str(&text), 100, PW_SYNTAX, "cannot read this as JSON: the object is larger than the 4096 bytes allowed");
	pw_buf_clear(&text);
	pw_buf_puts(&text, "{\"a\":\"");
	for (int i = 0; i < 300000; i++)
		pw_buf_putc(&text, 'x');
	fails(pw_buf_str(&text), 100, PW_SYNTAX, "cannot read this as JSON: a string is too long");
}

int main(void)
{
	test_list();
	test_shapes();
	test_errors();
	test_limits();
	return tap_done();
}
