/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk start, which is packetwalk alone: the wizard. */
#include "main/cmd.h"

#include <packetwalk/cleanup.h>

#include "main/library.h"
#include "main/resume.h"
#include "main/walk.h"

#define PLAYBOOK "start"

static void more(struct pw_app *app, const char *word, struct pw_opt_list *list)
{
	(void)word;
	pw_input_options(app, PLAYBOOK, list);
}

static int run(struct pw_app *app)
{
	if (app->n_words)
		return pw_fail(app, PW_EXIT_USAGE, "'%s' is no command; 'packetwalk help' lists them", app->words[0]);
	struct pw_walk_run walk = { .app = app, .word = PLAYBOOK, .guided = true };
	int code = pw_library_load(app, PLAYBOOK, &walk.play);
	return code ? code : pw_walk_main(&walk);
}

static const char *const examples[] = { "start", "start from=shop/web to=shop/api", NULL };

const struct pw_cmd pw_cmd_start = {
	.name = "start", .summary = "the wizard: asks who sends, who receives and what is seen, and walks with you", .usage = "[NAME=VALUE ...]",
	.details = "Runs the playbook 'start', which picks the playbook that fits. After every step it shows what was found and how the layers "
		   "narrow, and waits; ? at a prompt lists what can be done there.",
	.examples = examples, .pairs = true, .more = more, .run = run,
	.groups = PW_OPTS_RUN | PW_OPTS_OUTPUT | PW_OPTS_PLAY | PW_OPTS_PROBE | PW_OPTS_CLUSTER,
};
