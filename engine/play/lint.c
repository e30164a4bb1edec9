/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The linter: what can be proven of a playbook without running it. It works on
 * sets that flow along the edges, never on single paths: a tree of eighty
 * steps has more paths than anybody can count.
 */
#include <play/lint.h>

#include <string.h>

#include <doc/lines.h>
#include <doc/yaml.h>

#define SCRATCH_MAX ((size_t)64 << 20) /* bytes; the sets of 1,000 steps take 250 KB */

const struct pw_val *pw_lint_val(const struct pw_lint *lint, const char *section, const char *id, const char *key)
{
	return pw_map_get(pw_map_get(pw_map_get(lint->play->tree, section), id), key);
}

struct pw_place pw_lint_place(const struct pw_lint *lint, const char *section, const char *id, const char *key, struct pw_place otherwise)
{
	struct pw_place place = pw_val_place(pw_lint_val(lint, section, id, key));
	return place.line ? place : otherwise;
}

struct pw_place pw_lint_ref_place(const struct pw_lint *lint, const struct pw_val *val, struct pw_place otherwise, size_t offset)
{
	const char *text = pw_val_text(val);
	struct pw_place place = pw_val_place(val);
	size_t len;
	if (!text || !place.line)
		return otherwise;
	const char *line = pw_line_find(lint->play->source, lint->play->source_len, place.line, &len);
	size_t at = 0;
	for (unsigned col = 1; line && col < place.col && at < len; col++)
		at += pw_char_len(line + at, len - at);
	if (line && at < len && (line[at] == '"' || line[at] == '\''))
		at++, place.col++;
	size_t text_len = strlen(text);
	if (!line || text_len > len - at || memcmp(line + at, text, text_len) != 0)
		return pw_val_place(val);
	place.col += (unsigned)pw_columns(text, offset);
	return place;
}

static bool prepare(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	lint->words = play->n_steps / 64 + 1;
	lint->reached = pw_arena_array(lint->arena, play->n_steps + 1, sizeof *lint->reached);
	lint->entered = pw_arena_array(lint->arena, play->n_verdicts + 1, sizeof *lint->entered);
	lint->used = pw_arena_array(lint->arena, play->n_inputs + 1, sizeof *lint->used);
	lint->ran = pw_arena_array(lint->arena, (play->n_steps + 1) * lint->words, sizeof *lint->ran);
	lint->ran_before = pw_arena_array(lint->arena, (play->n_verdicts + 1) * lint->words, sizeof *lint->ran_before);
	return !pw_arena_failed(lint->arena);
}

static int run(const struct pw_play *play, const struct pw_play_env *env, struct pw_diags *diags, bool partly)
{
	struct pw_lint lint = { .play = play, .env = env, .diags = diags, .arena = pw_arena_new(SCRATCH_MAX), .partly = partly };
	bool done = lint.arena && prepare(&lint) && pw_lint_flow(&lint) && pw_lint_steps(&lint) && pw_lint_claims(&lint) && pw_lint_refs(&lint);
	if (done && !partly)
		pw_lint_rest(&lint);
	done = done && !pw_arena_failed(lint.arena);
	pw_arena_free(lint.arena);
	pw_diags_sort(diags);
	return done ? PW_OK : PW_NOMEM;
}

int pw_play_lint(const struct pw_play *play, const struct pw_play_env *env, struct pw_diags *diags)
{
	return run(play, env, diags, false);
}

int pw_lint_partly(const struct pw_play *play, const struct pw_play_env *env, struct pw_diags *diags)
{
	return run(play, env, diags, true);
}
