/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk run PLAYBOOK [NAME=VALUE ...] */
#include "main/cmd.h"

#include <string.h>

#include "main/library.h"
#include "main/resume.h"
#include "main/walk.h"

/* Every input is an option too. An invalid playbook is reported by the run itself. */
static void more(struct pw_app *app, const char *word, struct pw_opt_list *list)
{
	pw_input_options(app, word, list);
}

static int run(struct pw_app *app)
{
	const char *resume = pw_app_opt(app, "resume");
	if (resume)
		return pw_resume_main(app, *resume ? resume : NULL);
	if (!app->n_words)
		return pw_fail(app, PW_EXIT_USAGE, "which playbook? 'packetwalk playbooks' lists them");
	if (app->n_words > 1)
		return pw_fail(app, PW_EXIT_USAGE, "one playbook at a time; '%s' is one word too many (inputs are NAME=VALUE)", app->words[1]);
	struct pw_walk_run walk = { .app = app, .word = app->words[0], .guided = pw_app_flag(app, "step") };
	int code = pw_library_load(app, app->words[0], &walk.play);
	return code ? code : pw_walk_main(&walk);
}

static const struct pw_opt options[] = {
	{ "resume", 0, "ID", "go on with a saved session, the last one unless said; see 'packetwalk resume'", PW_OPT_MAYBE | PW_OPT_LOCAL },
	{ "step", 0, NULL, "stop after every step and ask, as the wizard does", 0 },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = {
	"run pod-to-service from=shop/web to=shop/api",
	"run pod-to-service from=shop/web to=shop/api --no-input -o json",
	"run ./my.yaml --answers answers.yaml -o text -o junit=report.xml",
	NULL,
};

const struct pw_cmd pw_cmd_run = {
	.name = "run", .summary = "walk a playbook to its verdict", .usage = "PLAYBOOK [NAME=VALUE ...]\n--resume [ID]",
	.details = "PLAYBOOK is a name on the search path ('packetwalk playbooks') or a file. What is not given is asked for on a terminal, "
		   "or listed with exit code 2. The result goes to standard output, everything else to standard error.",
	.examples = examples, .options = options, .pairs = true, .more = more, .run = run,
	.groups = PW_OPTS_RUN | PW_OPTS_OUTPUT | PW_OPTS_PLAY | PW_OPTS_PROBE | PW_OPTS_CLUSTER,
};
