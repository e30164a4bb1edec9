/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk playbooks: those on the search path. */
#include "main/cmd.h"

#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <doc/json.h>
#include <doc/yaml.h>
#include <play/play.h>

#include "main/library.h"

#define TEXT_MAX ((size_t)4 << 20)

static const char *const formats[] = { "text", "json", NULL };

/* Only its head matters here: an invalid playbook is listed too, and lint says what is wrong with it. */
static struct pw_val *describe(struct pw_app *app, const struct pw_playbook_ref *ref)
{
	PW_CLEAN_FREE char *text = NULL, *path = NULL;
	size_t len = 0;
	struct pw_err err = PW_ERR_INIT;
	struct pw_play *play = NULL;
	struct pw_val *map = pw_val_map(app->arena);
	pw_map_set_str(map, "name", ref->name);
	pw_map_set_str(map, "path", ref->path);
	pw_map_set_bool(map, "builtin", !ref->path);
	struct pw_diags *diags = pw_diags_new(app->arena);
	int rc = pw_library_text(app->library, ref->name, &text, &len, &path, &err);
	if (!rc)
		rc = pw_play_load(text, len, path, pw_library_env(app->library), app->arena, diags, &play, &err);
	pw_map_set_bool(map, "valid", rc == PW_OK);
	if (play) {
		struct pw_val *symptoms = pw_map_set_seq(map, "symptoms");
		pw_map_set_str(map, "title", play->title);
		pw_map_set_str(map, "direction", play->direction);
		for (size_t i = 0; i < play->n_symptoms; i++)
			pw_seq_add_str(symptoms, play->symptoms[i]);
		pw_map_set_int(map, "steps", (long long)play->n_steps);
	}
	pw_play_free(play);
	return map;
}

static void write_text(struct pw_app *app, const struct pw_val *all, struct pw_buf *out)
{
	size_t widest = 0;
	for (size_t i = 0; i < pw_val_count(all); i++) {
		size_t len = strlen(pw_map_str(pw_val_at(all, i), "name", ""));
		widest = len > widest ? len : widest;
	}
	for (size_t i = 0; i < pw_val_count(all); i++) {
		const struct pw_val *one = pw_val_at(all, i);
		const char *title = pw_map_bool(one, "valid", false) ? pw_map_str(one, "title", "") : "INVALID: 'packetwalk lint' says why";
		const char *path = pw_map_str(one, "path", NULL);
		pw_buf_printf(out, "%-*s  ", (int)widest, pw_map_str(one, "name", ""));
		pw_buf_escaped(out, title, strlen(title));
		if (path) {
			pw_buf_puts(out, "  [");
			pw_buf_escaped(out, path, strlen(path));
			pw_buf_putc(out, ']');
		}
		pw_buf_putc(out, '\n');
	}
	if (!pw_val_count(all))
		pw_note(app, "There are no playbooks: none built in, none on the search path.");
}

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	const char *format = NULL;
	struct pw_library *library = pw_app_library(app);
	if (!library)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (app->n_words)
		return pw_fail(app, PW_EXIT_USAGE, "playbooks takes no words; 'packetwalk show %s' shows one", app->words[0]);
	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	const struct pw_playbook_ref *refs = NULL;
	size_t n = pw_library_playbooks(library, &refs);
	struct pw_val *all = pw_val_seq(app->arena);
	for (size_t i = 0; i < n; i++)
		pw_seq_add(all, describe(app, &refs[i]));
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	if (strcmp(format, "json") == 0) {
		pw_json_write(&out, all, 2);
		pw_buf_putc(&out, '\n');
	} else {
		write_text(app, all, &out);
	}
	pw_out_buf(app, &out);
	return PW_EXIT_HEALTHY;
}

const struct pw_cmd pw_cmd_playbooks = {
	.name = "playbooks", .summary = "list the playbooks on the search path", .run = run,
	.details = "The search path: --playbook-dir, ./.packetwalk/playbooks, $XDG_DATA_HOME/packetwalk/playbooks (~/.local/share), "
		   "packetwalk/playbooks in each of $XDG_DATA_DIRS, /etc/packetwalk/playbooks, and those built in. The first of a name wins.",
	.groups = PW_OPTS_OUTPUT | PW_OPTS_PLAY | PW_OPTS_PROBE,
};
