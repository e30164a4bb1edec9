/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_WALK_H
#define CMD_MAIN_WALK_H

#include <run/driver.h>
#include <run/inputs.h>

#include "cmd.h"
#include "given.h"
#include "outputs.h"
#include "session.h"

/* One run of a playbook from the command line: what `run`, `start` and `resume` have in common. */

struct pw_walk_run {
	struct pw_app *app;
	const struct pw_play *play;
	const char *word;              /* the playbook as it was named */
	bool guided;                   /* the wizard: asks after every step */
	bool interactive, wizard;      /* wizard: guided from the start, whatever was said since */
	bool asked;                    /* a person answered something */
	const struct pw_record *known; /* the session that is resumed, NULL */

	/* While it runs. */
	struct pw_given given;
	struct pw_inputs inputs;
	struct pw_val *texts;          /* of the inputs, for the record; grows when called playbooks ask */
	struct pw_session session;
	struct pw_outputs outputs;
	enum pw_effect max_effect;
	int64_t deadline_ms;           /* pw_mono_ms() of the end of the run, 0: none */
	bool any_namespace;            /* -A: completion does not prefer the current one */
	bool status_line;              /* a line without a newline stands on the terminal */
	bool shown;                    /* steps went by on the same terminal that gets the result */
	bool cancelled;                /* SIGINT ended the running check */
	int stop_code;                 /* PW_EXIT_SIGINT or PW_EXIT_SIGTERM once stopped, else 0 */
};

/* Walks `run->play` and writes the result. The exit code. */
int pw_walk_main(struct pw_walk_run *run);

/* progress.c: what happens, on stderr. */
void pw_progress_event(struct pw_walk_run *run, const struct pw_driver_event *event);
void pw_progress_clear(struct pw_walk_run *run); /* takes the status line away */
struct pw_out_style pw_stream_style(const struct pw_stream *stream);

/* wizard.c: questions to a person. */
bool pw_wizard_inputs(struct pw_walk_run *run, struct pw_inputs *inputs, bool all); /* false: save and quit */
enum pw_driver_say pw_wizard_ask(struct pw_walk_run *run, const struct pw_play_step *step, const char *question, const char **ret_answer);
bool pw_wizard_consent(struct pw_walk_run *run, const struct pw_play_step *step, enum pw_effect effect, const char *does);
enum pw_driver_say pw_wizard_after(struct pw_walk_run *run, const struct pw_play_step *step, const struct pw_step_result *result);
void pw_wizard_farewell(struct pw_walk_run *run, const struct pw_record *record);

#endif
