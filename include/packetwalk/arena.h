/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_ARENA_H
#define PACKETWALK_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <packetwalk/err.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * Memory that lives as long as one document or one run and is freed at once.
 * Allocation returns NULL when out of memory or over the ceiling and the arena
 * remembers it (pw_arena_failed), so builders may check once at the end.
 */
struct pw_arena;

struct pw_arena *pw_arena_new(size_t max); /* max: ceiling in bytes; NULL on OOM */
void pw_arena_free(struct pw_arena *arena); /* NULL is fine */
void pw_arena_clear(struct pw_arena *arena); /* forgets contents and failure, keeps one chunk for reuse */
bool pw_arena_failed(const struct pw_arena *arena); /* NULL counts as failed */
size_t pw_arena_used(const struct pw_arena *arena); /* bytes handed out */

void *pw_arena_alloc(struct pw_arena *arena, size_t size); /* zeroed, max-aligned */
void *pw_arena_array(struct pw_arena *arena, size_t count, size_t size); /* overflow checked, zeroed */
char *pw_arena_strdup(struct pw_arena *arena, const char *text); /* NULL in, NULL out */
char *pw_arena_strndup(struct pw_arena *arena, const char *text, size_t len);
char *pw_arena_printf(struct pw_arena *arena, const char *fmt, ...) PW_PRINTF(2, 3);

#pragma GCC visibility pop

#endif
