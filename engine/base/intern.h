/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_BASE_INTERN_H
#define ENGINE_BASE_INTERN_H

#include <stdint.h>

#include <packetwalk/arena.h>

/* Numbers for byte strings: equal strings, equal numbers, counted from 0 in the order they were first seen. */

#define PW_INTERN_FAILED UINT32_MAX

struct pw_interned { const void *bytes; size_t len; };
struct pw_intern {
	struct pw_arena *arena;
	struct pw_interned *v; uint32_t n, cap;  /* by number; the bytes are copies, aligned for any type */
	uint32_t *slots;                         /* number + 1, 0 free; twice cap */
};

/* Begins with { .arena = … }. PW_INTERN_FAILED when the arena is full. */
uint32_t pw_intern(struct pw_intern *intern, const void *bytes, size_t len);
/* Only looks: PW_INTERN_FAILED when it has no number. */
uint32_t pw_intern_find(const struct pw_intern *intern, const void *bytes, size_t len);

#endif
