/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * YAML into trees, from libyaml's events. The document API of libyaml is not
 * used: it expands nothing, checks no duplicates and has no limits. Aliases
 * share the node they name; what they would unfold to is counted all the same,
 * so nothing that walks the tree later can be made to run for ever.
 */
#include <doc/yaml.h>

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include <doc/diag_ids.h>
#include <doc/lines.h>
#include <doc/node.h>
#include <doc/yaml_say.h>

const struct pw_yaml_limits pw_yaml_playbook_limits = { (size_t)1 << 20, 32, 100000 };
const struct pw_yaml_limits pw_yaml_bundle_limits = { (size_t)256 << 20, 64, 20000000 };

/* What an alias brings along. */
struct weight { size_t nodes; unsigned height; };

struct anchor {
	struct pw_val *val;
	struct weight weight;
	bool open;                 /* its end is not reached: an alias to it would be a loop */
};

/* An open map or sequence. */
struct frame {
	struct pw_val *val;
	size_t nodes_before;
	unsigned height;           /* of the deepest child so far */
	size_t anchor;             /* number + 1, 0: none */
	bool have_key;             /* a map between a key and its value */
	bool drop;                 /* that key is a mistake: its value goes nowhere */
	const char *key;
	size_t key_len;
	struct pw_place key_place;
};

enum { DEPTH_MAX = 512 };

struct load {
	struct pw_yaml_say say;    /* text, file, diags, err */
	const struct pw_yaml_limits *limits;
	struct pw_arena *arena;
	yaml_parser_t parser;
	struct frame *frames;
	unsigned n_frames, depth;
	size_t nodes;
	struct pw_val *anchor_names; /* name to number */
	struct anchor *anchors;
	size_t n_anchors, cap_anchors;
	struct pw_val *root;       /* of the document at hand */
	bool root_blank;           /* nothing was written */
};

static struct pw_place place_of(const struct load *load, yaml_mark_t mark)
{
	return (struct pw_place){ load->say.file, (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
}

static bool count_nodes(struct load *load, size_t more)
{
	if (more > load->limits->nodes - load->nodes)
		return false;
	load->nodes += more;
	return true;
}

static int too_many(struct load *load, struct pw_place place)
{
	return pw_yaml_stop(&load->say, place, PW_DIAG_LIMIT, "split the file", "the document has more than %zu nodes", load->limits->nodes);
}

static int add_anchor(struct load *load, const yaml_char_t *name, struct pw_val *val, struct weight weight,
		      bool open, size_t *ret_number)
{
	*ret_number = 0;
	if (!name)
		return PW_OK;
	if (load->n_anchors == load->cap_anchors) {
		size_t cap = load->cap_anchors ? load->cap_anchors * 2 : 8;
		struct anchor *anchors = realloc(load->anchors, cap * sizeof *anchors);
		if (!anchors)
			return pw_yaml_no_memory(&load->say);
		load->anchors = anchors;
		load->cap_anchors = cap;
	}
	load->anchors[load->n_anchors] = (struct anchor){ val, weight, open };
	pw_map_set_int(load->anchor_names, (const char *)name, (long long)load->n_anchors);
	*ret_number = ++load->n_anchors;
	return PW_OK;
}

/* The text of a list of words used as a key: "[a, b]". Other lists have none. */
static int list_key(struct load *load, const struct pw_val *list, const char **ret, size_t *ret_len)
{
	struct pw_buf buf;
	pw_buf_init(&buf, load->limits->bytes);
	bool words = pw_val_count(list) > 0;
	for (size_t i = 0; i < pw_val_count(list) && words; i++) {
		const char *word = pw_val_text(pw_val_at(list, i));
		words = word && *word && !strpbrk(word, " ,[]{}");
		pw_buf_printf(&buf, "%s%s", i > 0 ? ", " : "[", words ? word : "");
	}
	pw_buf_putc(&buf, ']');
	*ret_len = buf.len;
	*ret = words && pw_buf_ok(&buf) ? pw_arena_strndup(load->arena, pw_buf_str(&buf), buf.len) : NULL;
	bool ok = pw_buf_ok(&buf) && !pw_arena_failed(load->arena);
	pw_buf_release(&buf);
	return ok ? PW_OK : pw_yaml_no_memory(&load->say);
}

/* A key has come: remembers it, or says what is wrong with it. */
static int take_key(struct load *load, struct frame *map, const struct pw_val *val, const char *plain, size_t plain_len,
		    struct pw_place place)
{
	const char *key = plain ? plain : pw_val_text(val);
	size_t len = plain ? plain_len : pw_val_text_len(val);
	int r = pw_val_is(val, PW_VAL_SEQ) ? list_key(load, val, &key, &len) : PW_OK;
	if (r < 0)
		return r;
	map->have_key = true;
	map->drop = true;
	map->key = key;
	map->key_len = len;
	map->key_place = place;
	if (!key)
		return pw_yaml_complain(&load->say, place, PW_DIAG_KEY, "use a word or a list of words as the key",
					"a key must be a word, not a map or a list of anything else");
	if (len == 2 && !memcmp(key, "<<", 2) && !pw_val_quoted(val))
		return pw_yaml_complain(&load->say, place, PW_DIAG_MERGE, "write the merged keys out",
					"merge keys (<<) are not supported");
	const struct pw_entry *first = pw_node_find(map->val, key, len);
	if (first) {
		struct pw_place other = { load->say.file, first->line, first->col };
		return pw_yaml_complain_two(&load->say, place, other, PW_DIAG_DUPLICATE, "keep one of the two",
					    "the key \"%s\" is given twice", key);
	}
	map->drop = false;
	return PW_OK;
}

/* A value is complete: it is the document, an item, a key or the value of one. */
static int attach(struct load *load, struct pw_val *val, const char *plain, size_t plain_len, unsigned height,
		  struct pw_place place)
{
	if (load->n_frames == 0) {
		load->root = val;
		return PW_OK;
	}
	struct frame *top = &load->frames[load->n_frames - 1];
	if (top->height < height)
		top->height = height;
	if (top->val->kind == PW_VAL_SEQ) {
		pw_seq_add(top->val, val);
	} else if (!top->have_key) {
		return take_key(load, top, val, plain, plain_len, place);
	} else {
		top->have_key = false;
		struct pw_entry *entry = top->drop ? NULL : pw_node_append(top->val, top->key, top->key_len, val);
		if (entry) {
			entry->line = top->key_place.line;
			entry->col = top->key_place.col;
		}
	}
	return pw_arena_failed(load->arena) ? pw_yaml_no_memory(&load->say) : PW_OK;
}

static int too_deep(struct load *load, struct pw_place place)
{
	return pw_yaml_stop(&load->say, place, PW_DIAG_LIMIT, "nest less", "the document is nested deeper than %u levels", load->depth);
}

static const char *tag_of(const yaml_event_t *event)
{
	const yaml_char_t *tag = event->type == YAML_SCALAR_EVENT ? event->data.scalar.tag
			       : event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.tag
			       : event->data.sequence_start.tag;
	return (const char *)tag;
}

/* Types are the reader's business; a tag of another kind asks for what will not happen. */
static void warn_of_tag(struct load *load, const yaml_event_t *event)
{
	static const char core[] = "tag:yaml.org,2002:";
	const char *tag = tag_of(event);
	if (tag && strcmp(tag, "!") && strncmp(tag, core, sizeof core - 1))
		pw_diags_add(load->say.diags, 1, place_of(load, event->start_mark), PW_DIAG_TAG, "remove it", "the tag %s is ignored", tag);
}

static bool is_null_word(const char *text, size_t len)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == len && !memcmp(words[i], text, len))
			return true;
	return false;
}

static int on_scalar(struct load *load, const yaml_event_t *event)
{
	const char *written = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct pw_place place = place_of(load, event->start_mark);
	if (memchr(written, '\0', len))
		return pw_yaml_stop(&load->say, place, PW_DIAG_NOT_TEXT, "remove the \\0", "a NUL character is not text");
	if (!count_nodes(load, 1))
		return too_many(load, place);
	warn_of_tag(load, event);
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.plain_implicit;
	const char *text = pw_arena_strndup(load->arena, written, len);
	struct pw_val *val = plain && is_null_word(written, len) ? pw_val_null(load->arena) : pw_node_str(load->arena, text, len);
	if (!val || !text)
		return pw_yaml_no_memory(&load->say);
	val->quoted = !plain;
	pw_node_place(val, place.file, place.line, place.col);
	if (load->n_frames == 0)
		load->root_blank = plain && len == 0;
	size_t number;
	int r = add_anchor(load, event->data.scalar.anchor, val, (struct weight){ 1, 0 }, false, &number);
	return r < 0 ? r : attach(load, val, text, len, 0, place);
}

static int on_alias(struct load *load, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct pw_place place = place_of(load, event->start_mark);
	long long number = pw_map_int(load->anchor_names, name, -1);
	if (number < 0)
		return pw_yaml_stop(&load->say, place, PW_DIAG_ALIAS, NULL, "the alias *%s names no anchor before it", name);
	const struct anchor *anchor = &load->anchors[number];
	struct pw_place named = pw_val_place(anchor->val);
	if (anchor->open)
		return pw_yaml_stop_two(&load->say, place, named, PW_DIAG_ALIAS, NULL, "the alias *%s names something it is itself inside of", name);
	if (load->n_frames + anchor->weight.height > load->depth)
		return too_deep(load, place);
	if (!count_nodes(load, anchor->weight.nodes))
		return pw_yaml_stop_two(&load->say, place, named, PW_DIAG_LIMIT, "write out what is needed instead of nesting aliases",
					"the document has more than %zu nodes once its aliases are expanded", load->limits->nodes);
	/* Shared, not copied: nobody changes a tree once it is read. */
	return attach(load, anchor->val, NULL, 0, anchor->weight.height, place);
}

static int on_open(struct load *load, const yaml_event_t *event)
{
	bool map = event->type == YAML_MAPPING_START_EVENT;
	struct pw_place place = place_of(load, event->start_mark);
	if (load->n_frames >= load->depth)
		return too_deep(load, place);
	size_t before = load->nodes;
	if (!count_nodes(load, 1))
		return too_many(load, place);
	warn_of_tag(load, event);
	struct pw_val *val = map ? pw_val_map(load->arena) : pw_val_seq(load->arena);
	if (!val)
		return pw_yaml_no_memory(&load->say);
	pw_node_place(val, place.file, place.line, place.col);
	struct frame *frame = &load->frames[load->n_frames++];
	*frame = (struct frame){ .val = val, .nodes_before = before };
	const yaml_char_t *anchor = map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	return add_anchor(load, anchor, val, (struct weight){ 0, 0 }, true, &frame->anchor);
}

static int on_close(struct load *load)
{
	struct frame frame = load->frames[--load->n_frames];
	unsigned height = frame.height + 1;
	if (frame.anchor > 0) {
		struct anchor *anchor = &load->anchors[frame.anchor - 1];
		anchor->weight = (struct weight){ load->nodes - frame.nodes_before, height };
		anchor->open = false;
	}
	return attach(load, frame.val, NULL, 0, height, pw_val_place(frame.val));
}

static int on_event(struct load *load, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT: return on_scalar(load, event);
	case YAML_ALIAS_EVENT: return on_alias(load, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT: return on_open(load, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return on_close(load);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT: break;
	}
	return PW_OK;
}

/* The tree of one document, up to and including its end. */
static int read_document(struct load *load)
{
	load->root = NULL;
	load->root_blank = false;
	load->n_anchors = 0; /* anchors do not reach across documents */
	load->anchor_names = pw_val_map(load->arena);
	if (!load->anchor_names)
		return pw_yaml_no_memory(&load->say);
	for (bool end = false; !end;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&load->parser, &event))
			return pw_yaml_say_syntax(&load->say, &load->parser);
		end = event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_END_EVENT;
		int r = on_event(load, &event);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
	}
	return PW_OK;
}

/* To the start of the next document; `ret_more` false at the end of the stream. */
static int next_document(struct load *load, bool *ret_more, struct pw_place *ret_place)
{
	for (;;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&load->parser, &event))
			return pw_yaml_say_syntax(&load->say, &load->parser);
		yaml_event_type_t type = event.type;
		*ret_place = place_of(load, event.start_mark);
		yaml_event_delete(&event);
		*ret_more = type == YAML_DOCUMENT_START_EVENT;
		if (*ret_more || type == YAML_STREAM_END_EVENT)
			return PW_OK;
	}
}

static int read_one(struct load *load, const struct pw_val **ret)
{
	bool more;
	struct pw_place place;
	int r = next_document(load, &more, &place);
	if (r == PW_OK && more)
		r = read_document(load);
	if (r < 0)
		return r;
	if (!load->root || load->root_blank)
		return pw_yaml_stop(&load->say, (struct pw_place){ load->say.file, 1, 1 }, PW_DIAG_EMPTY, NULL,
				    "the file is empty: there is no document in it");
	const struct pw_val *root = load->root;
	r = next_document(load, &more, &place);
	if (r == PW_OK && more)
		r = pw_yaml_complain(&load->say, place, PW_DIAG_DOCUMENTS, "put it into a file of its own",
				     "a second document begins here, but one is wanted");
	if (r == PW_OK)
		*ret = root;
	return r;
}

static int read_stream(struct load *load, const struct pw_val **ret)
{
	struct pw_val *all = pw_val_seq(load->arena);
	for (;;) {
		bool more;
		struct pw_place place;
		int r = next_document(load, &more, &place);
		if (r == PW_OK && more)
			r = read_document(load);
		if (r < 0)
			return r;
		if (!more)
			break;
		if (!pw_val_is(load->root, PW_VAL_NULL))
			pw_seq_add(all, load->root);
	}
	*ret = all;
	return PW_OK;
}

static int run(struct load *load, int (*read)(struct load *load, const struct pw_val **ret), const struct pw_val **ret)
{
	int r = pw_yaml_check_text(&load->say, load->limits->bytes);
	if (r < 0)
		return r;
	load->depth = load->limits->depth < DEPTH_MAX ? load->limits->depth : DEPTH_MAX;
	load->frames = calloc((size_t)load->depth + 1, sizeof *load->frames);
	if (!load->frames || !yaml_parser_initialize(&load->parser)) {
		free(load->frames);
		return pw_yaml_no_memory(&load->say);
	}
	size_t skip = pw_bom_len(load->say.text, load->say.len);
	yaml_parser_set_encoding(&load->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&load->parser, (const unsigned char *)load->say.text + skip, load->say.len - skip);
	const struct pw_val *val = NULL;
	r = read(load, &val);
	yaml_parser_delete(&load->parser);
	free(load->frames);
	free(load->anchors);
	/* A complaint that found no memory must not make the document look good. */
	if (r == PW_OK && (!val || pw_arena_failed(load->arena) || pw_diags_failed(load->say.diags)))
		r = pw_yaml_no_memory(&load->say);
	if (r == PW_OK)
		*ret = val;
	return r;
}

static int parse(const char *text, size_t len, const char *file, const struct pw_yaml_limits *limits,
		 struct pw_arena *arena, struct pw_diags *diags, struct pw_err *err,
		 int (*read)(struct load *load, const struct pw_val **ret), const struct pw_val **ret)
{
	struct load load = {
		.say = { .text = text, .len = len, .file = pw_arena_strdup(arena, file), .diags = diags, .err = err },
		.limits = limits, .arena = arena,
	};
	return pw_arena_failed(arena) ? pw_yaml_no_memory(&load.say) : run(&load, read, ret);
}

int pw_yaml_parse(const char *text, size_t len, const char *file, const struct pw_yaml_limits *limits,
		  struct pw_arena *arena, struct pw_diags *diags, const struct pw_val **ret, struct pw_err *err)
{
	return parse(text, len, file, limits, arena, diags, err, read_one, ret);
}

int pw_yaml_parse_all(const char *text, size_t len, const char *file, const struct pw_yaml_limits *limits,
		      struct pw_arena *arena, struct pw_diags *diags, const struct pw_val **ret, struct pw_err *err)
{
	return parse(text, len, file, limits, arena, diags, err, read_stream, ret);
}
