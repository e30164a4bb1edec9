/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PACKET_CURSOR_H
#define ENGINE_PACKET_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bounded reader of network-order fields with a sticky error: past the end it gives zeros. */
struct pw_cursor {
	const uint8_t *at, *end;
	bool bad;
};

static inline size_t pw_cursor_left(const struct pw_cursor *c)
{
	return (size_t)(c->end - c->at);
}

static inline const uint8_t *pw_cursor_take(struct pw_cursor *c, size_t n)
{
	const uint8_t *p = c->at;
	if (pw_cursor_left(c) < n) {
		c->bad = true;
		c->at = c->end;
		return NULL;
	}
	c->at += n;
	return p;
}

static inline uint8_t pw_cursor_u8(struct pw_cursor *c)
{
	const uint8_t *p = pw_cursor_take(c, 1);
	return p ? p[0] : 0;
}

static inline uint16_t pw_cursor_u16(struct pw_cursor *c)
{
	const uint8_t *p = pw_cursor_take(c, 2);
	if (!p)
		return 0;
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t pw_cursor_u32(struct pw_cursor *c)
{
	const uint8_t *p = pw_cursor_take(c, 4);
	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* The next `n` bytes, or what is left of them, as a reader of their own; moves past them. */
static inline struct pw_cursor pw_cursor_sub(struct pw_cursor *c, size_t n)
{
	size_t left = pw_cursor_left(c);
	struct pw_cursor sub = { c->at, c->at + (n < left ? n : left), false };
	c->at = sub.end;
	return sub;
}

#endif
