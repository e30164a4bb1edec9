/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yajl with its memory in a heap of our own: counted, bounded, freed at once,
 * and left by longjmp when it runs out, because yajl would use the NULL.
 */
#include <doc/json_lex.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include <doc/lines.h>
#include <doc/node.h>

struct link { struct link *prev, *next; };

struct block {
	struct link link;
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};

enum {
	NUMBER_MAX = 128,        /* digits of one number; a double has 17 that matter */
	HEAP_BASE = 64 * 1024,   /* what yajl needs besides the text of one token */
	HEAP_FACTOR = 4,         /* its buffers double, and it has two of them */
};

struct pw_json_lex {
	struct pw_json_events events;
	void *arg;
	const char *file;
	struct pw_arena *arena;
	struct pw_err *err;
	int code;                /* PW_OK until something failed */

	yajl_handle yajl;
	jmp_buf bail;
	struct link blocks;      /* ring */
	size_t heap, heap_max;
	bool heap_full;          /* bailed because of heap_max */

	const char *chunk;       /* being fed */
	size_t chunk_len;
	size_t before;           /* bytes of earlier chunks */
	size_t token_end;        /* in the chunk, of the event before this one */
	size_t counted;          /* in the chunk: line and col are those of this byte */
	unsigned line, col;
	char first;              /* first byte that is no blank, 0 if none yet */
};

static void *heap_resize(struct pw_json_lex *lex, struct block *block, size_t size)
{
	size_t held = block ? block->size : 0;
	if (size > lex->heap_max || lex->heap - held > lex->heap_max - size) {
		lex->heap_full = true;
		longjmp(lex->bail, 1);
	}
	struct block *moved = realloc(block, sizeof *moved + size);
	if (!moved)
		longjmp(lex->bail, 1);
	if (!block)
		moved->link = (struct link){ &lex->blocks, lex->blocks.next };
	moved->link.prev->next = moved->link.next->prev = &moved->link;
	moved->size = size;
	lex->heap += size - held;
	return moved->data;
}

static struct block *block_of(void *p)
{
	return p ? (struct block *)(void *)((unsigned char *)p - offsetof(struct block, data)) : NULL;
}

static void *heap_malloc(void *ctx, size_t size)
{
	return heap_resize(ctx, NULL, size);
}

static void *heap_realloc(void *ctx, void *p, size_t size)
{
	return heap_resize(ctx, block_of(p), size);
}

static void heap_free(void *ctx, void *p)
{
	struct pw_json_lex *lex = ctx;
	struct block *block = block_of(p);
	if (!block)
		return;
	block->link.prev->next = block->link.next;
	block->link.next->prev = block->link.prev;
	lex->heap -= block->size;
	free(block);
}

struct pw_err *pw_json_lex_err(struct pw_json_lex *lex)
{
	return lex->err;
}

static size_t eaten(const struct pw_json_lex *lex)
{
	size_t here = yajl_get_bytes_consumed(lex->yajl);
	return here < lex->chunk_len ? here : lex->chunk_len;
}

size_t pw_json_lex_offset(const struct pw_json_lex *lex)
{
	return lex->before + eaten(lex);
}

/* Bytes that do not continue a UTF-8 character, eight at a time: a list is one
 * line of many megabytes. */
static size_t count_chars(const char *p, const char *end)
{
	size_t continued = 0, len = (size_t)(end - p);
	for (uint64_t word; (size_t)(end - p) >= sizeof word; p += sizeof word) {
		memcpy(&word, p, sizeof word);
		word = word >> 7 & ~word >> 6 & UINT64_C(0x0101010101010101);
		continued += word ? (size_t)__builtin_popcountll(word) : 0;
	}
	for (; p < end; p++)
		continued += ((unsigned char)*p & 0xc0) == 0x80;
	return len - continued;
}

/* Moves line and col on to the byte `to` of the chunk. */
static void count_to(struct pw_json_lex *lex, size_t to)
{
	const char *p = lex->chunk + lex->counted, *end = lex->chunk + to;
	if (p >= end)
		return;
	for (const char *eol; (eol = memchr(p, '\n', (size_t)(end - p))); p = eol + 1) {
		lex->line++;
		lex->col = 1;
	}
	lex->col += (unsigned)count_chars(p, end);
	lex->counted = to;
}

void pw_json_lex_place(struct pw_json_lex *lex, unsigned *ret_line, unsigned *ret_col)
{
	size_t end = eaten(lex), start = lex->token_end;
	while (start < end && strchr(" \t\r\n,:", lex->chunk[start]))
		start++;
	lex->token_end = end;
	count_to(lex, start);
	*ret_line = lex->line;
	*ret_col = lex->col;
}

int pw_json_lex_fail(struct pw_json_lex *lex, int code, const char *fmt, ...)
{
	char text[sizeof lex->err->text];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	size_t end = eaten(lex);
	count_to(lex, end > 0 ? end - 1 : 0); /* the last byte that was looked at */
	return lex->code = pw_err_at(lex->err, code, lex->file, lex->line, lex->col, "%s", text);
}

static int no_memory(struct pw_json_lex *lex)
{
	return lex->code = pw_err_set(lex->err, PW_NOMEM, "out of memory while reading JSON");
}

/* What yajl wants of its callbacks: nonzero to go on. */
static int went(struct pw_json_lex *lex, int code)
{
	if (code < 0)
		lex->code = code;
	return code >= 0;
}

static int on_value(struct pw_json_lex *lex, struct pw_val *value)
{
	return value ? went(lex, lex->events.value(lex->arg, value)) : went(lex, no_memory(lex));
}

static int on_null(void *arg)
{
	struct pw_json_lex *lex = arg;
	return on_value(lex, pw_val_null(lex->arena));
}

static int on_bool(void *arg, int value)
{
	struct pw_json_lex *lex = arg;
	return on_value(lex, pw_val_bool(lex->arena, value != 0));
}

/* An integer that fits stays one; any other number is a double. */
static int on_number(void *arg, const char *text, size_t len)
{
	struct pw_json_lex *lex = arg;
	char digits[NUMBER_MAX + 1];
	if (len > NUMBER_MAX)
		return went(lex, pw_json_lex_fail(lex, PW_SYNTAX, "a number of %zu characters is too long to read", len));
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (!strpbrk(digits, ".eE")) {
		errno = 0;
		long long integer = strtoll(digits, NULL, 10);
		if (errno == 0)
			return on_value(lex, pw_val_int(lex->arena, integer));
	}
	double real = strtod(digits, NULL);
	if (!isfinite(real))
		return went(lex, pw_json_lex_fail(lex, PW_SYNTAX, "the number %s is too large", digits));
	return on_value(lex, pw_val_real(lex->arena, real));
}

static int on_string(void *arg, const unsigned char *text, size_t len)
{
	struct pw_json_lex *lex = arg;
	return on_value(lex, pw_val_strn(lex->arena, (const char *)text, len));
}

/* A key with a NUL inside would pass for its beginning. */
static int on_key(void *arg, const unsigned char *text, size_t len)
{
	struct pw_json_lex *lex = arg;
	if (memchr(text, '\0', len))
		return went(lex, pw_json_lex_fail(lex, PW_SYNTAX, "a key holds a NUL character"));
	const char *key = pw_arena_strndup(lex->arena, (const char *)text, len);
	return went(lex, key ? lex->events.key(lex->arg, key, len) : no_memory(lex));
}

static int on_open_map(void *arg)
{
	struct pw_json_lex *lex = arg;
	return went(lex, lex->events.open(lex->arg, true));
}

static int on_open_seq(void *arg)
{
	struct pw_json_lex *lex = arg;
	return went(lex, lex->events.open(lex->arg, false));
}

static int on_close(void *arg)
{
	struct pw_json_lex *lex = arg;
	return went(lex, lex->events.close(lex->arg));
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null, .yajl_boolean = on_bool, .yajl_number = on_number, .yajl_string = on_string,
	.yajl_start_map = on_open_map, .yajl_map_key = on_key, .yajl_end_map = on_close,
	.yajl_start_array = on_open_seq, .yajl_end_array = on_close,
};

static bool start(struct pw_json_lex *lex)
{
	yajl_alloc_funcs heap = { heap_malloc, heap_realloc, heap_free, lex };
	if (setjmp(lex->bail))
		return false;
	lex->yajl = yajl_alloc(&callbacks, &heap, lex);
	return true;
}

struct pw_json_lex *pw_json_lex_new(const struct pw_json_events *events, void *arg, const char *file, size_t token_max)
{
	struct pw_json_lex *lex = calloc(1, sizeof *lex);
	if (!lex)
		return NULL;
	lex->events = *events;
	lex->arg = arg;
	lex->file = file;
	lex->line = lex->col = 1;
	lex->blocks.prev = lex->blocks.next = &lex->blocks;
	lex->heap_max = token_max < SIZE_MAX / HEAP_FACTOR - HEAP_BASE ? token_max * HEAP_FACTOR + HEAP_BASE : SIZE_MAX;
	if (start(lex))
		return lex;
	pw_json_lex_free(lex);
	return NULL;
}

/* Not yajl_free: after a bail its insides may be half done. All it has is in the ring. */
void pw_json_lex_free(struct pw_json_lex *lex)
{
	if (!lex)
		return;
	while (lex->blocks.next != &lex->blocks)
		heap_free(lex, ((struct block *)(void *)lex->blocks.next)->data);
	free(lex);
}

void pw_json_lex_into(struct pw_json_lex *lex, struct pw_arena *arena)
{
	lex->arena = arena;
}

static int syntax_error(struct pw_json_lex *lex)
{
	if (lex->first == '<')
		return pw_json_lex_fail(lex, PW_SYNTAX, "cannot read this as JSON: it begins with \"<\", so it is probably an HTML or XML page");
	if (!lex->first)
		return pw_json_lex_fail(lex, PW_SYNTAX, "cannot read this as JSON: it is empty");
	unsigned char *why = yajl_get_error(lex->yajl, 0, (const unsigned char *)lex->chunk, lex->chunk_len);
	size_t len = strcspn((const char *)why, "\n");
	(void)pw_json_lex_fail(lex, PW_SYNTAX, "cannot read this as JSON: %.*s", (int)len, (const char *)why);
	yajl_free_error(lex->yajl, why);
	return lex->code;
}

static void note_first(struct pw_json_lex *lex)
{
	for (size_t i = 0; i < lex->chunk_len && !lex->first; i++)
		if (!strchr(" \t\r\n", lex->chunk[i]))
			lex->first = lex->chunk[i];
}

/* One call into yajl, from which longjmp comes back here. */
static int guarded(struct pw_json_lex *lex, bool end)
{
	if (setjmp(lex->bail)) {
		if (!lex->heap_full)
			return no_memory(lex);
		return lex->code = pw_err_at(lex->err, PW_SYNTAX, lex->file, lex->line, lex->col,
					     "cannot read this as JSON: a string is too long");
	}
	yajl_status status = end ? yajl_complete_parse(lex->yajl)
				 : yajl_parse(lex->yajl, (const unsigned char *)lex->chunk, lex->chunk_len);
	if (status == yajl_status_error)
		return syntax_error(lex);
	return lex->code;
}

static int already_failed(struct pw_json_lex *lex, struct pw_err *err)
{
	return pw_err_set(err, lex->code, "cannot read on: an earlier part of the JSON text failed");
}

int pw_json_lex_feed(struct pw_json_lex *lex, const char *text, size_t len, struct pw_err *err)
{
	if (lex->code < 0)
		return already_failed(lex, err);
	size_t skip = lex->before == 0 ? pw_bom_len(text, len) : 0;
	lex->err = err;
	lex->chunk = text + skip;
	lex->chunk_len = len - skip;
	lex->counted = lex->token_end = 0;
	note_first(lex);
	int r = guarded(lex, false);
	if (r == PW_OK) {
		count_to(lex, lex->chunk_len);
		lex->before += lex->chunk_len;
	}
	lex->err = NULL;
	return r;
}

int pw_json_lex_end(struct pw_json_lex *lex, struct pw_err *err)
{
	if (lex->code < 0)
		return already_failed(lex, err);
	lex->err = err;
	lex->chunk = "";
	lex->chunk_len = lex->counted = lex->token_end = 0;
	int r = guarded(lex, true);
	lex->err = NULL;
	return r;
}
