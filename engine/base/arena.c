/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arena: a list of chunks of doubling size, newest first. Under
 * AddressSanitizer every allocation is a chunk of its own, so that running off
 * its end or using it after a clear is caught as it is with malloc, and the
 * out-of-memory tests can make each one fail.
 */
#include <packetwalk/arena.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif

enum { ALIGN = _Alignof(max_align_t) };
#ifdef WITH_ASAN
enum { EXACT = 1, FIRST_CHUNK = 0, LARGEST_CHUNK = 0 };
#else
enum { EXACT = 0, FIRST_CHUNK = 4 * 1024, LARGEST_CHUNK = 1024 * 1024 };
#endif

struct chunk {
	struct chunk *next;
	size_t cap, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct pw_arena {
	struct chunk *chunks;
	size_t next_cap;
	size_t used, max;
	bool failed;
};

struct pw_arena *pw_arena_new(size_t max)
{
	struct pw_arena *arena = calloc(1, sizeof *arena);
	if (arena) {
		arena->max = max;
		arena->next_cap = FIRST_CHUNK;
	}
	return arena;
}

static void free_chunks(struct chunk *chunk)
{
	while (chunk) {
		struct chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
}

void pw_arena_free(struct pw_arena *arena)
{
	if (!arena)
		return;
	free_chunks(arena->chunks);
	free(arena);
}

void pw_arena_clear(struct pw_arena *arena)
{
	arena->used = 0;
	arena->failed = false;
	struct chunk *keep = arena->chunks;
	if (!keep)
		return;
	free_chunks(keep->next);
	keep->next = NULL;
	keep->used = 0;
	/* One huge object must not make every later user pay for it. */
	if (keep->cap > LARGEST_CHUNK) {
		free_chunks(keep);
		arena->chunks = NULL;
	}
}

bool pw_arena_failed(const struct pw_arena *arena)
{
	return !arena || arena->failed;
}

size_t pw_arena_used(const struct pw_arena *arena)
{
	return arena ? arena->used : 0;
}

static void *fail(struct pw_arena *arena)
{
	if (arena)
		arena->failed = true;
	return NULL;
}

/* `full` is `size` with its padding, which an exact chunk does without. */
static struct chunk *add_chunk(struct pw_arena *arena, size_t size, size_t full)
{
	size_t cap = full > arena->next_cap ? full : arena->next_cap;
	struct chunk *chunk = malloc(sizeof *chunk + (EXACT ? size : cap));
	if (!chunk)
		return NULL;
	chunk->cap = cap;
	chunk->used = 0;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	if (arena->next_cap * 2 <= LARGEST_CHUNK)
		arena->next_cap *= 2;
	return chunk;
}

/* Not zeroed. */
static void *take(struct pw_arena *arena, size_t size)
{
	if (!arena || size > SIZE_MAX / 2)
		return fail(arena);
	size_t full = (size + !size + ALIGN - 1) / ALIGN * ALIGN;
	if (full > arena->max - arena->used)
		return fail(arena);
	struct chunk *chunk = arena->chunks;
	if (!chunk || full > chunk->cap - chunk->used)
		chunk = add_chunk(arena, size, full);
	if (!chunk)
		return fail(arena);
	void *p = chunk->data + chunk->used;
	chunk->used += full;
	arena->used += full;
	return p;
}

void *pw_arena_alloc(struct pw_arena *arena, size_t size)
{
	void *p = take(arena, size);
	return p ? memset(p, 0, size) : NULL;
}

void *pw_arena_array(struct pw_arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return fail(arena);
	return pw_arena_alloc(arena, count * size);
}

char *pw_arena_strndup(struct pw_arena *arena, const char *text, size_t len)
{
	if (len >= SIZE_MAX / 2)
		return fail(arena);
	char *copy = take(arena, len + 1);
	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *pw_arena_strdup(struct pw_arena *arena, const char *text)
{
	return text ? pw_arena_strndup(arena, text, strlen(text)) : NULL;
}

char *pw_arena_printf(struct pw_arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	char *text = len < 0 ? fail(arena) : take(arena, (size_t)len + 1);
	if (text)
		(void)vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}
