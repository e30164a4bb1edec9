/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A step that ran over a list: its outcomes as one, and who differed. */
#include <run/run.h>

#include <string.h>

#include <play/outcomes.h>

const char *pw_loop_outcome(const char *const *outcomes, size_t n, struct pw_arena *arena)
{
	const char *same = NULL;
	bool unknown = false;
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(outcomes[i], PW_OUTCOME_UNKNOWN))
			unknown = true;
		else if (strcmp(outcomes[i], PW_OUTCOME_SKIPPED) != 0 && same && strcmp(outcomes[i], same) != 0)
			return PW_OUTCOME_MIXED;
		else if (strcmp(outcomes[i], PW_OUTCOME_SKIPPED) != 0)
			same = outcomes[i];
	}
	if (n == 0)
		return PW_OUTCOME_EMPTY;
	if (unknown)
		return PW_OUTCOME_UNKNOWN;
	if (!same)
		return PW_OUTCOME_SKIPPED;
	const char *word = pw_arena_printf(arena, PW_OUTCOME_EVERY "%s", same);
	return word ? word : PW_OUTCOME_UNKNOWN;
}

/* What an item is called: its text, or the first scalar of a map that has none. */
static const char *text_of(const struct pw_val *item, struct pw_arena *arena)
{
	long long whole;
	if (pw_val_is(item, PW_VAL_MAP)) {
		const struct pw_val *text = pw_map_get(item, "");
		item = text ? text : pw_map_get(item, "name");
	}
	if (!pw_val_text(item) && pw_val_to_int(item, &whole))
		return pw_arena_printf(arena, "%lld", whole);
	return pw_val_text(item) ? pw_val_text(item) : "item";
}

static void add_item(struct pw_val *items, const struct pw_val *from, struct pw_arena *arena)
{
	const struct pw_val *item = pw_map_get(from, "item"), *evidence = pw_map_get(from, "evidence");
	struct pw_val *to = pw_val_is(item, PW_VAL_MAP) ? pw_val_copy(arena, item) : pw_val_map(arena);
	pw_map_set_str(to, "", text_of(item, arena));
	pw_map_set_str(to, "item", text_of(item, arena));
	pw_map_set_str(to, "outcome", pw_map_str(from, "outcome", PW_OUTCOME_UNKNOWN));
	pw_map_set_str(to, "says", pw_map_str(from, "says", ""));
	pw_map_set(to, "evidence", evidence ? pw_val_copy(arena, evidence) : pw_val_map(arena));
	pw_seq_add(items, to);
}

static void add_where(struct pw_val *where, const struct pw_val *from, struct pw_arena *arena)
{
	const char *outcome = pw_map_str(from, "outcome", PW_OUTCOME_UNKNOWN);
	struct pw_val *seq = NULL;
	/* Ours: what `where` holds was made here and may be added to. */
	for (size_t i = 0; i < pw_val_count(where) && !seq; i++)
		if (!strcmp(pw_map_key(where, i), outcome))
			seq = (struct pw_val *)pw_val_at(where, i);
	pw_seq_add_str(seq ? seq : pw_map_set_seq(where, outcome), text_of(pw_map_get(from, "item"), arena));
}

/* The outcome with the fewest items, at least `more_than`; ties in the order of `where`. SIZE_MAX: none left. */
static size_t rarest(const struct pw_val *where, const bool *done)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < pw_val_count(where); i++) {
		size_t count = pw_val_count(pw_val_at(where, i));
		if (!done[i] && count > 0 && (best == SIZE_MAX || count < pw_val_count(pw_val_at(where, best))))
			best = i;
	}
	return best;
}

static void add_group(struct pw_buf *out, const char *outcome, const struct pw_val *names)
{
	pw_buf_printf(out, "%s%s: ", out->len ? "; " : "", outcome);
	for (size_t i = 0; i < pw_val_count(names); i++)
		pw_buf_printf(out, "%s%s", i ? ", " : "", pw_val_text(pw_val_at(names, i)));
}

static bool set_differs(struct pw_val *evidence, const struct pw_val *where, struct pw_arena *arena)
{
	enum { TEXT_MAX = 64 * 1024 };
	struct pw_buf text;
	size_t groups = 0;
	bool *done = pw_arena_array(arena, pw_val_count(where) + 1, sizeof *done);
	if (!done)
		return false;
	pw_buf_init(&text, TEXT_MAX);
	const char *first = "";
	for (size_t i = rarest(where, done); i != SIZE_MAX; i = rarest(where, done), groups++) {
		if (groups == 0)
			first = pw_val_text(pw_val_at(pw_val_at(where, i), 0));
		add_group(&text, pw_map_key(where, i), pw_val_at(where, i));
		done[i] = true;
	}
	pw_map_set_str(evidence, "differs", groups > 1 ? pw_buf_str(&text) : "");
	pw_map_set_str(evidence, "first", first);
	bool good = pw_buf_ok(&text);
	pw_buf_release(&text);
	return good;
}

struct pw_val *pw_loop_evidence(const struct pw_val *items, const char *const *words, size_t n_words, struct pw_arena *arena)
{
	struct pw_val *evidence = pw_val_map(arena);
	struct pw_val *list = pw_map_set_seq(evidence, "items"), *where = pw_map_set_map(evidence, "where");
	for (size_t i = 0; i < n_words; i++)
		(void)pw_map_set_seq(where, words[i]);
	for (size_t i = 0; i < pw_val_count(items); i++) {
		add_item(list, pw_val_at(items, i), arena);
		add_where(where, pw_val_at(items, i), arena);
	}
	bool good = evidence && where && set_differs(evidence, where, arena);
	return good && !pw_arena_failed(arena) ? evidence : NULL;
}
