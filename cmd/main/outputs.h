/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_OUTPUTS_H
#define CMD_MAIN_OUTPUTS_H

#include <out/out.h>

#include "cmd.h"

#define PW_MAX_OUTPUTS 16

/* The -o FORMAT[=FILE] options of a run, and how its exit code is made. */
struct pw_outputs {
	struct { const struct pw_out *format; const char *file; } list[PW_MAX_OUTPUTS]; /* file NULL: stdout */
	size_t n;
	bool nagios;           /* the format on stdout speaks to a monitoring system: its exit codes */
	const char *fail_on;   /* "fail", "warn" or "unknown" */
	bool exit_layer, exit_zero;
	const char *record;    /* --record FILE, NULL */
};

/* Reads and checks the options. 0, or the exit code to end with. */
int pw_outputs_init(struct pw_outputs *outputs, struct pw_app *app);
/* Writes all of them. 0, or PW_EXIT_ENVIRONMENT after saying what could not be written. */
int pw_outputs_write(const struct pw_outputs *outputs, struct pw_app *app, const struct pw_record *record, bool shown);
/* What the result means to the caller of the program. */
int pw_outputs_exit(const struct pw_outputs *outputs, struct pw_app *app, const struct pw_record *record);
/* No result at all because the cluster can not be reached: formats with a word for that get it. */
void pw_outputs_bail(const struct pw_outputs *outputs, struct pw_app *app, const char *reason);

#endif
