/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk resume [ID] */
#include "main/cmd.h"

#include "main/resume.h"

static int run(struct pw_app *app)
{
	if (app->n_words > 1)
		return pw_fail(app, PW_EXIT_USAGE, "one session at a time");
	return pw_resume_main(app, app->n_words ? app->words[0] : NULL);
}

static const char *const examples[] = { "resume", "resume 20260102-030405-1234 -o json", NULL };

const struct pw_cmd pw_cmd_resume = {
	.name = "resume", .summary = "go on with a run that was stopped", .usage = "[ID]",
	.details = "Walks again over the results that are saved, without running their checks, and goes on from there. Without ID it takes the "
		   "last session. It refuses when the playbook has changed or the cluster is another one.",
	.examples = examples, .run = run, .groups = PW_OPTS_RUN | PW_OPTS_OUTPUT | PW_OPTS_PLAY | PW_OPTS_PROBE | PW_OPTS_CLUSTER,
};
