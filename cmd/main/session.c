/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions on disk: written whole, renamed into place, owner-only. */
#include "session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <doc/json.h>
#include <doc/yaml.h>

#include "config.h"

#define SESSION_MAX ((size_t)256 << 20) /* bytes of one file */
#define SESSIONS_KEPT 50
#define DEPTH 64

/* Each folder of a path, as mkdir -p, the last one private. */
static bool make_dirs(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
		*slash = '/';
		if (!made)
			return false;
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return false;
	return true;
}

const char *pw_state_dir(struct pw_app *app, const char *name)
{
	const char *path = pw_xdg_path(app, "XDG_STATE_HOME", ".local/state", name);
	PW_CLEAN_FREE char *copy = path ? strdup(path) : NULL;
	size_t len = copy ? strlen(copy) : 0;
	if (len && copy[len - 1] == '/')
		copy[len - 1] = '\0';
	if (!copy || !make_dirs(copy))
		return NULL;
	(void)chmod(copy, 0700);
	return pw_arena_strdup(app->arena, copy);
}

/* A device, a pipe or a terminal is written to, never put aside for a file of its name. */
static int write_through(const char *path, const struct pw_buf *text, struct pw_err *err)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot write %s", path);
	int rc = pw_write_all(fd, pw_buf_str(text), text->len), why = errno;
	if (close(fd) != 0 && rc == 0) {
		rc = -1;
		why = errno;
	}
	return rc ? pw_err_sys(err, PW_IO, why, "cannot write %s", path) : PW_OK;
}

int pw_file_replace(const char *path, unsigned mode, const struct pw_buf *text, struct pw_err *err)
{
	struct stat st;
	PW_CLEAN_FREE char *target = realpath(path, NULL); /* a link keeps its place: what it leads to is replaced */
	if (target && stat(target, &st) == 0 && !S_ISREG(st.st_mode))
		return pw_buf_ok(text) ? write_through(target, text, err) : pw_err_set(err, PW_NOMEM, "cannot write %s: out of memory", path);
	if (target)
		path = target;
	return pw_file_write(path, mode, text, false, err);
}

static int is_session(const struct dirent *entry) { return pw_glob("*.json", entry->d_name); }

/* The oldest go first: names start with the time. */
static void prune(const char *dir)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_session, alphasort);
	for (int i = 0; i < n; i++) {
		char path[4096];
		if (i < n - SESSIONS_KEPT && (size_t)snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name) < sizeof path)
			(void)unlink(path);
		free(entries[i]);
	}
	free(entries);
}

void pw_session_new(struct pw_app *app, const char *word, struct pw_session *ret)
{
	const char *dir = pw_state_dir(app, "sessions");
	char stamp[32];
	time_t now = time(NULL);
	struct tm parts;
	*ret = (struct pw_session){ NULL, NULL, word };
	if (!dir || !gmtime_r(&now, &parts)) {
		pw_detail(app, "The session is not saved: there is no state folder (XDG_STATE_HOME, HOME).");
		return;
	}
	(void)strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts);
	prune(dir);
	ret->id = pw_arena_printf(app->arena, "%s-%ld", stamp, (long)getpid());
	ret->path = pw_arena_printf(app->arena, "%s/%s.json", dir, ret->id ? ret->id : "x");
	if (!ret->path)
		ret->id = NULL;
}

void pw_session_save(struct pw_app *app, struct pw_session *session, const struct pw_record *record)
{
	if (!session->id)
		return;
	/* An arena of its own: this happens after every step, and nothing of it is needed again. */
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SESSION_MAX);
	PW_CLEAN_BUF struct pw_buf text;
	struct pw_err err = PW_ERR_INIT;
	pw_buf_init(&text, SESSION_MAX);
	struct pw_val *val = arena ? pw_record_to_val(record, true, arena) : NULL;
	if (val) {
		pw_map_set_str(val, "session", session->id);
		pw_map_set_str(val, "playbook_word", session->word);
		pw_json_write(&text, val, 0);
		pw_buf_putc(&text, '\n');
	}
	int rc = val ? pw_file_replace(session->path, 0600, &text, &err) : pw_err_set(&err, PW_NOMEM, "cannot save the session: out of memory");
	if (!rc)
		return;
	pw_note(app, "packetwalk: note: %s; this run can not be resumed", err.text);
	session->id = NULL;
}

/* ---- loading ---- */

static const char *last_session(struct pw_app *app, const char *dir)
{
	struct dirent **entries = NULL;
	const char *id = NULL;
	int n = scandir(dir, &entries, is_session, alphasort);
	for (int i = 0; i < n; i++) {
		if (i == n - 1)
			id = pw_arena_strndup(app->arena, entries[i]->d_name, strlen(entries[i]->d_name) - strlen(".json"));
		free(entries[i]);
	}
	free(entries);
	return id;
}

int pw_session_load(struct pw_app *app, const char *id, struct pw_session *ret, struct pw_record *ret_record, struct pw_err *err)
{
	static const struct pw_json_limits limits = { SESSION_MAX, DEPTH };
	const char *dir = pw_state_dir(app, "sessions");
	if (!dir)
		return pw_err_set(err, PW_ABSENT, "there are no saved sessions: no state folder (XDG_STATE_HOME, HOME)");
	if (!id || !*id)
		id = last_session(app, dir);
	if (!id)
		return pw_err_set(err, PW_ABSENT, "there are no saved sessions in %s", dir);
	if (strchr(id, '/'))
		return pw_err_set(err, PW_USAGE, "'%s' is not the id of a session", id);
	const char *path = pw_arena_printf(app->arena, "%s/%s.json", dir, id);
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0;
	struct pw_val *val = NULL;
	if (!path)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	if (access(path, F_OK) != 0)
		return pw_err_set(err, PW_ABSENT, "there is no session '%s' in %s", id, dir);
	int rc = pw_file_read(path, SESSION_MAX, &text, &len, err);
	if (!rc)
		rc = pw_json_parse(text, len, path, &limits, app->arena, &val, err);
	if (!rc)
		rc = pw_record_from_val(val, app->arena, ret_record, err);
	if (rc)
		return pw_err_wrap(err, "session %s", id);
	*ret = (struct pw_session){ pw_arena_strdup(app->arena, id), path, pw_map_str(val, "playbook_word", ret_record->playbook) };
	return PW_OK;
}
