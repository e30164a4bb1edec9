/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions taken up again, and inputs as options. */
#include "resume.h"

#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <doc/yaml.h>

#include "library.h"
#include "walk.h"

int pw_resume_main(struct pw_app *app, const char *id)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_session session;
	struct pw_record record;
	if (pw_session_load(app, id, &session, &record, &err))
		return pw_fail_err(app, err.code == PW_SYNTAX ? PW_EXIT_ENVIRONMENT : 0, &err);
	struct pw_walk_run walk = { .app = app, .word = session.word, .known = &record };
	int code = pw_library_load(app, session.word, &walk.play);
	if (code)
		return code;
	pw_note(app, "Session %s: %zu step%s known.", session.id, record.n_steps, record.n_steps == 1 ? " is" : "s are");
	return pw_walk_main(&walk);
}

void pw_input_options(struct pw_app *app, const char *word, struct pw_opt_list *list)
{
	struct pw_library *library = word && strcmp(word, "-") != 0 ? pw_app_library(app) : NULL;
	PW_CLEAN_FREE char *text = NULL, *path = NULL;
	size_t len = 0;
	struct pw_play *play = NULL;
	struct pw_diags *diags = pw_diags_new(app->arena);
	if (!library || pw_library_text(library, word, &text, &len, &path, NULL))
		return;
	(void)pw_play_load(text, len, path, pw_library_env(library), app->arena, diags, &play, NULL);
	for (size_t i = 0; play && i < play->n_inputs; i++) {
		const struct pw_play_input *input = &play->inputs[i];
		struct pw_opt opt = { .name = pw_arena_strdup(app->arena, input->name), .value = pw_type_word(input->type),
			.help = pw_arena_printf(app->arena, "%s%s%s", input->ask ? input->ask : input->name,
						input->otherwise ? " Default: " : "", input->otherwise ? input->otherwise : ""),
			.flags = PW_OPT_INPUT | PW_OPT_LOCAL };
		if (opt.name && opt.help)
			pw_opt_list_add(list, &opt);
	}
	pw_play_free(play);
}
