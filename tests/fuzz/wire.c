/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames of any kind, whole and in pieces: the same documents, the same end. */
#include "fuzz.h"

#include <packetwalk/cleanup.h>
#include <proc/wire.h>

enum { FRAME_MAX = 4096, ARENA = 16 << 20 };

struct tally { size_t documents, keys; int end; };

/* Takes what is whole. PW_OK: more is wanted. */
static int take(struct pw_wire_reader *reader, struct tally *t, struct pw_err *err)
{
	for (;;) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(ARENA);
		struct pw_val *doc = NULL;
		int rc = pw_wire_next(reader, arena, &doc, err);
		if (rc <= 0)
			return rc;
		MUST(pw_val_is(doc, PW_VAL_MAP));
		t->documents++;
		t->keys += pw_val_count(doc);
	}
}

static struct tally read_all(const uint8_t *data, size_t size, size_t piece)
{
	struct tally t = { 0, 0, PW_OK };
	struct pw_wire_reader reader;
	struct pw_err err = PW_ERR_INIT;
	pw_wire_reader_init(&reader, FRAME_MAX);
	for (size_t i = 0; i < size && t.end == PW_OK; i += piece) {
		t.end = pw_wire_feed(&reader, data + i, size - i < piece ? size - i : piece, &err);
		if (t.end == PW_OK)
			t.end = take(&reader, &t, &err);
	}
	MUST(t.end == PW_OK || ((t.end == PW_SYNTAX || t.end == PW_NOMEM) && err.text[0]));
	MUST(pw_wire_pending(&reader) <= size);
	pw_wire_reader_release(&reader);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 60000) /* more than one read holds is the same again */
		return 0;
	struct tally whole = read_all(data, size, size + 1), cut = read_all(data, size, 3);
	MUST(whole.end == cut.end && whole.documents == cut.documents && whole.keys == cut.keys);
	return 0;
}
