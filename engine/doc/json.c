/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON: a whole document, or a list of any size item by item. */
#include <doc/json.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <doc/json_tree.h>

static int tree_open(void *arg, bool map) { return pw_json_tree_open(arg, map); }
static int tree_close(void *arg) { return pw_json_tree_close(arg); }
static int tree_key(void *arg, const char *key, size_t len) { return pw_json_tree_key(arg, key, len); }
static int tree_value(void *arg, struct pw_val *value) { return pw_json_tree_value(arg, value); }

static const struct pw_json_events tree_events = { tree_open, tree_close, tree_key, tree_value };

static int out_of_memory(struct pw_err *err)
{
	return pw_err_set(err, PW_NOMEM, "out of memory while reading JSON");
}

int pw_json_parse(const char *text, size_t len, const char *file, const struct pw_json_limits *limits,
		  struct pw_arena *arena, struct pw_val **ret, struct pw_err *err)
{
	if (len > limits->bytes)
		return pw_err_at(err, PW_SYNTAX, file, 0, 0, "cannot read this as JSON: it is larger than the %zu bytes allowed", limits->bytes);
	const char *name = pw_arena_strdup(arena, file);
	if (file && !name)
		return out_of_memory(err);
	struct pw_json_tree tree;
	int r = pw_json_tree_init(&tree, limits->depth, arena, name);
	tree.lex = r == PW_OK ? pw_json_lex_new(&tree_events, &tree, name, len) : NULL;
	if (tree.lex) {
		pw_json_lex_into(tree.lex, arena);
		r = pw_json_lex_feed(tree.lex, text, len, err);
		if (r == PW_OK)
			r = pw_json_lex_end(tree.lex, err);
	} else {
		r = out_of_memory(err);
	}
	if (r == PW_OK)
		*ret = tree.root;
	pw_json_lex_free(tree.lex);
	pw_json_tree_release(&tree);
	return r;
}

/* Worst growth from text to tree: "1," is two bytes and becomes a value and a list slot. */
enum { TREE_FACTOR = 64, TREE_BASE = 64 * 1024 };

struct pw_json_stream {
	struct pw_json_limits limits;
	pw_json_item_fn item_fn;
	void *arg;
	struct pw_json_lex *lex;
	struct pw_arena *rest_arena, *scratch;
	struct pw_json_tree rest, item;
	bool in_items, saw_items, done;
	size_t start;              /* offset of the item, or of the items array's end */
	size_t rest_bytes;         /* outside of items, up to `start` */
};

static bool at_items_key(const struct pw_json_stream *stream)
{
	return stream->rest.n_open == 1 && stream->rest.key && !strcmp(stream->rest.key, "items");
}

/* The ceiling on text, of one item or of all the rest. Checked at brackets only,
 * which is often enough: between two the lexer bounds a string, the arena a row of scalars. */
static int check_size(struct pw_json_stream *stream)
{
	size_t here = pw_json_lex_offset(stream->lex);
	size_t bytes = here - stream->start + (stream->in_items ? 0 : stream->rest_bytes);
	if (bytes <= stream->limits.bytes)
		return PW_OK;
	return pw_json_lex_fail(stream->lex, PW_SYNTAX, "cannot read this as JSON: %s is larger than the %zu bytes allowed",
				stream->in_items ? "one item" : "the object", stream->limits.bytes);
}

static int finish_item(struct pw_json_stream *stream)
{
	int r = stream->item_fn(stream->arg, stream->item.root, pw_json_lex_err(stream->lex));
	stream->item.root = NULL;
	pw_arena_clear(stream->scratch);
	stream->start = pw_json_lex_offset(stream->lex);
	return r;
}

static void enter_items(struct pw_json_stream *stream)
{
	size_t here = pw_json_lex_offset(stream->lex);
	stream->rest_bytes += here - stream->start;
	stream->start = here;
	stream->in_items = stream->saw_items = true;
	stream->rest.key = NULL;
	pw_json_lex_into(stream->lex, stream->scratch);
}

static void leave_items(struct pw_json_stream *stream)
{
	stream->start = pw_json_lex_offset(stream->lex);
	stream->in_items = false;
	pw_json_lex_into(stream->lex, stream->rest_arena);
}

static int not_an_object(struct pw_json_stream *stream)
{
	return pw_json_lex_fail(stream->lex, PW_SYNTAX, "cannot read this as a Kubernetes object: the JSON text is not an object");
}

static int stream_open(void *arg, bool map)
{
	struct pw_json_stream *stream = arg;
	int r = check_size(stream);
	if (r < 0)
		return r;
	if (stream->in_items)
		return pw_json_tree_open(&stream->item, map);
	if (stream->rest.n_open == 0 && !map)
		return not_an_object(stream);
	if (at_items_key(stream) && !map) {
		enter_items(stream);
		return PW_OK;
	}
	return pw_json_tree_open(&stream->rest, map);
}

static int stream_close(void *arg)
{
	struct pw_json_stream *stream = arg;
	int r = check_size(stream);
	if (r < 0)
		return r;
	if (!stream->in_items)
		return pw_json_tree_close(&stream->rest);
	if (stream->item.n_open == 0) {
		leave_items(stream);
		return PW_OK;
	}
	r = pw_json_tree_close(&stream->item);
	return r == PW_OK && stream->item.n_open == 0 ? finish_item(stream) : r;
}

static int stream_key(void *arg, const char *key, size_t len)
{
	struct pw_json_stream *stream = arg;
	return pw_json_tree_key(stream->in_items ? &stream->item : &stream->rest, key, len);
}

static int stream_value(void *arg, struct pw_val *value)
{
	struct pw_json_stream *stream = arg;
	if (stream->in_items) {
		int r = pw_json_tree_value(&stream->item, value);
		return r == PW_OK && stream->item.n_open == 0 ? finish_item(stream) : r;
	}
	if (stream->rest.n_open == 0)
		return not_an_object(stream);
	if (at_items_key(stream) && pw_val_is(value, PW_VAL_NULL)) {
		stream->saw_items = true; /* how Go writes an empty list */
		return PW_OK;
	}
	return pw_json_tree_value(&stream->rest, value);
}

static const struct pw_json_events stream_events = { stream_open, stream_close, stream_key, stream_value };

struct pw_json_stream *pw_json_stream_new(const struct pw_json_limits *item_limits, pw_json_item_fn item, void *arg)
{
	struct pw_json_stream *stream = calloc(1, sizeof *stream);
	if (!stream)
		return NULL;
	stream->limits = *item_limits;
	stream->item_fn = item;
	stream->arg = arg;
	size_t bytes = item_limits->bytes;
	size_t most = bytes < (SIZE_MAX - TREE_BASE) / TREE_FACTOR ? bytes * TREE_FACTOR + TREE_BASE : SIZE_MAX;
	stream->rest_arena = pw_arena_new(most);
	stream->scratch = pw_arena_new(most);
	stream->lex = pw_json_lex_new(&stream_events, stream, NULL, bytes);
	if (!stream->rest_arena || !stream->scratch || !stream->lex ||
	    pw_json_tree_init(&stream->rest, item_limits->depth, stream->rest_arena, NULL) < 0 ||
	    pw_json_tree_init(&stream->item, item_limits->depth, stream->scratch, NULL) < 0) {
		pw_json_stream_free(stream);
		return NULL;
	}
	stream->rest.lex = stream->item.lex = stream->lex;
	pw_json_lex_into(stream->lex, stream->rest_arena);
	return stream;
}

int pw_json_stream_feed(struct pw_json_stream *stream, const char *data, size_t len, struct pw_err *err)
{
	return pw_json_lex_feed(stream->lex, data, len, err);
}

static bool is_status(const struct pw_val *val)
{
	return !strcmp(pw_map_str(val, "kind", ""), "Status") && !strcmp(pw_map_str(val, "apiVersion", ""), "v1");
}

int pw_json_stream_end(struct pw_json_stream *stream, struct pw_err *err)
{
	int r = pw_json_lex_end(stream->lex, err);
	if (r == PW_OK && !stream->saw_items && !stream->done && !is_status(stream->rest.root))
		r = stream->item_fn(stream->arg, stream->rest.root, err);
	stream->done = true;
	return r;
}

const struct pw_val *pw_json_stream_rest(const struct pw_json_stream *stream)
{
	return stream->rest.root;
}

void pw_json_stream_free(struct pw_json_stream *stream)
{
	if (!stream)
		return;
	pw_json_lex_free(stream->lex);
	pw_json_tree_release(&stream->rest);
	pw_json_tree_release(&stream->item);
	pw_arena_free(stream->rest_arena);
	pw_arena_free(stream->scratch);
	free(stream);
}
