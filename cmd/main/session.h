/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_SESSION_H
#define CMD_MAIN_SESSION_H

#include <run/run.h>

#include "cmd.h"

/*
 * A session: the record of a run as it grows, one file in
 * $XDG_STATE_HOME/packetwalk/sessions, replaced after every step, so that a
 * run that was stopped or killed can go on where it was.
 */
struct pw_session {
	const char *id;    /* NULL: not saved (no state folder) */
	const char *path;
	const char *word;  /* the playbook as it was named */
};

/* A new one. Without a state folder there is none; that is said with -v and is no error. */
void pw_session_new(struct pw_app *app, const char *word, struct pw_session *ret);
/* Replaces the file. Failing is said once, and the session is given up. */
void pw_session_save(struct pw_app *app, struct pw_session *session, const struct pw_record *record);
/* The session `id`, or the last one when it is NULL or empty. Everything lives in the app's arena. */
int pw_session_load(struct pw_app *app, const char *id, struct pw_session *ret, struct pw_record *ret_record, struct pw_err *err);

/* Writes a document to a file that appears whole or not at all, with `mode` less the umask. A device or pipe is written through; a link keeps its place. */
int pw_file_replace(const char *path, unsigned mode, const struct pw_buf *text, struct pw_err *err);
#define PW_CREATED_DIR "created" /* in the state folder: what runs have made in clusters */
/* The state folder, made if it is not there (0700); NULL. `name` is a folder inside it or "". */
const char *pw_state_dir(struct pw_app *app, const char *name);

#endif
