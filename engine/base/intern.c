/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Byte strings numbered: a hash table with open addressing, at most half full. */
#include <base/intern.h>

#include <string.h>

#include <base/text.h>

#define FIRST_CAP 64u /* a power of two */

static uint32_t *find_slot(const struct pw_intern *intern, const void *bytes, size_t len)
{
	uint32_t mask = intern->cap * 2 - 1, at = (uint32_t)pw_hash64(bytes, len) & mask;

	for (; intern->slots[at]; at = (at + 1) & mask) {
		const struct pw_interned *known = &intern->v[intern->slots[at] - 1];

		if (known->len == len && (len == 0 || memcmp(known->bytes, bytes, len) == 0))
			break;
	}
	return &intern->slots[at];
}

static bool grow(struct pw_intern *intern)
{
	struct pw_intern larger = { .arena = intern->arena, .n = intern->n, .cap = intern->cap ? intern->cap * 2 : FIRST_CAP };

	if (larger.cap > UINT32_MAX / 4)
		return false;
	larger.v = pw_arena_array(intern->arena, larger.cap, sizeof(*larger.v));
	larger.slots = pw_arena_array(intern->arena, (size_t)larger.cap * 2, sizeof(*larger.slots));
	if (!larger.v || !larger.slots)
		return false;
	if (intern->n)
		memcpy(larger.v, intern->v, intern->n * sizeof(*larger.v));
	for (uint32_t i = 0; i < larger.n; i++)
		*find_slot(&larger, larger.v[i].bytes, larger.v[i].len) = i + 1;
	*intern = larger;
	return true;
}

uint32_t pw_intern(struct pw_intern *intern, const void *bytes, size_t len)
{
	uint32_t *slot = intern->cap ? find_slot(intern, bytes, len) : NULL;
	void *copy;

	if (slot && *slot)
		return *slot - 1;
	if (intern->n == intern->cap && !grow(intern))
		return PW_INTERN_FAILED;
	copy = pw_arena_alloc(intern->arena, len + 1);
	if (!copy)
		return PW_INTERN_FAILED;
	if (len)
		memcpy(copy, bytes, len);
	intern->v[intern->n] = (struct pw_interned){ copy, len };
	*find_slot(intern, copy, len) = intern->n + 1;
	return intern->n++;
}

uint32_t pw_intern_find(const struct pw_intern *intern, const void *bytes, size_t len)
{
	uint32_t number = intern->cap ? *find_slot(intern, bytes, len) : 0;

	return number ? number - 1 : PW_INTERN_FAILED;
}
