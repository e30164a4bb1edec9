/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers for byte strings. */
#include <base/intern.h>

#include <stdio.h>

#include "tap.h"

int main(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 20), *small = pw_arena_new(64);
	struct pw_intern words = { .arena = arena }, full = { .arena = small };
	unsigned wrong = 0;
	char text[16];

	is_int(pw_intern_find(&words, "a", 1), PW_INTERN_FAILED, "nothing is known at first");
	is_int(pw_intern(&words, "", 0), 0, "the empty string is one too");
	is_int(pw_intern(&words, "ab", 2), 1, "the next number");
	is_int(pw_intern(&words, "ab\0c", 4), 2, "zeroes are bytes");
	for (unsigned i = 0; i < 1000; i++) {
		int len = snprintf(text, sizeof(text), "%u", i);

		wrong += pw_intern(&words, text, (size_t)len) != i + 3;
	}
	for (unsigned i = 0; i < 1000; i++) {
		int len = snprintf(text, sizeof(text), "%u", i);

		wrong += pw_intern_find(&words, text, (size_t)len) != i + 3 || words.v[i + 3].len != (size_t)len;
	}
	is_int(wrong, 0, "numbers stay when the table grows");
	is_int(pw_intern(&words, "ab", 2), 1, "and equal strings get the same again");
	is_int(pw_intern(&full, "ab", 2), PW_INTERN_FAILED, "a full arena is said");
	pw_arena_free(arena);
	pw_arena_free(small);
	return tap_done();
}
