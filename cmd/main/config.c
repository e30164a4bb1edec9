/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration files: options and inputs that hold for a project, a user or a machine. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <doc/yaml.h>

#define CONFIG_MAX ((size_t)1 << 20) /* bytes of one file */
#define MAX_TABLES 16
#define MAX_NAMES 512

const char *pw_xdg_path(struct pw_app *app, const char *variable, const char *home_tail, const char *tail)
{
	const char *base = getenv(variable), *home = getenv("HOME");
	if (base && base[0] == '/')
		return pw_arena_printf(app->arena, "%s/packetwalk/%s", base, tail);
	if (home && home[0] == '/')
		return pw_arena_printf(app->arena, "%s/%s/packetwalk/%s", home, home_tail, tail);
	return NULL;
}

static bool listed(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Every option that may stand in a file, whatever command it belongs to. A project's file comes with whatever
 * was cloned or unpacked, so it may not say what to run or how far to go. */
static size_t all_names(const char **names, size_t max, bool trusted)
{
	unsigned barred = trusted ? PW_OPT_LOCAL : PW_OPT_LOCAL | PW_OPT_TRUSTED;
	size_t n = 0;
	names[n++] = "inputs";
	for (size_t c = 0; pw_cmd_registry[c]; c++) {
		const struct pw_opt *tables[MAX_TABLES];
		const char *titles[MAX_TABLES];
		size_t n_tables = pw_cmd_tables(pw_cmd_registry[c], tables, titles, MAX_TABLES);
		for (size_t t = 0; t < n_tables; t++)
			for (const struct pw_opt *o = tables[t]; o->name; o++)
				if (!(o->flags & barred) && n < max && !listed(names, n, o->name))
					names[n++] = o->name;
	}
	return n;
}

static int check_keys(const struct pw_val *map, const char *file, bool trusted, struct pw_err *err)
{
	const char *names[MAX_NAMES];
	size_t n = all_names(names, MAX_NAMES, trusted), n_all;
	const char *every[MAX_NAMES];
	n_all = all_names(every, MAX_NAMES, true);
	if (!pw_val_is(map, PW_VAL_MAP))
		return pw_err_at(err, PW_USAGE, file, 1, 1, "a configuration file is a map of option names");
	for (size_t i = 0; i < pw_val_count(map); i++) {
		const char *key = pw_map_key(map, i);
		struct pw_place place = pw_map_key_place(map, i);
		if (listed(names, n, key))
			continue;
		if (listed(every, n_all, key))
			return pw_err_at(err, PW_USAGE, file, place.line, place.col, "'%s' can not be set by a project, only by a user: "
					 "use the option, PACKETWALK_... or ~/.config/packetwalk/config.yaml", key);
		const char *near = pw_nearest(key, names, n);
		return pw_err_at(err, PW_USAGE, file, place.line, place.col, "unknown option '%s'%s%s%s", key,
				 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	return PW_OK;
}

static int load_one(struct pw_app *app, const char *file, bool trusted, struct pw_err *err)
{
	if (!file || access(file, F_OK) != 0)
		return PW_OK;
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0;
	int rc = pw_file_read(file, CONFIG_MAX, &text, &len, err);
	if (rc)
		return rc;
	struct pw_diags *diags = pw_diags_new(app->arena);
	const struct pw_val *map = NULL;
	/* Values borrow nothing of `text`: the parser copies into the arena. */
	rc = pw_yaml_parse(text, len, pw_arena_strdup(app->arena, file), &pw_yaml_playbook_limits, app->arena, diags, &map, err);
	if (rc)
		return rc;
	if (pw_diags_count(diags, 0)) {
		const struct pw_diag *d = pw_diags_at(diags, 0);
		return pw_err_at(err, PW_USAGE, file, d->place.line, d->place.col, "%s", d->text);
	}
	if (pw_val_is(map, PW_VAL_NULL))
		return PW_OK;
	rc = check_keys(map, file, trusted, err);
	if (rc)
		return rc;
	app->config[app->n_config++] = (struct pw_config){ pw_arena_strdup(app->arena, file), map };
	return PW_OK;
}

int pw_config_load(struct pw_app *app, struct pw_err *err)
{
	int rc = load_one(app, ".packetwalk/config.yaml", false, err);
	if (!rc)
		rc = load_one(app, pw_xdg_path(app, "XDG_CONFIG_HOME", ".config", "config.yaml"), true, err);
	if (!rc)
		rc = load_one(app, "/etc/packetwalk/config.yaml", true, err);
	return rc ? PW_USAGE : PW_OK;
}

const struct pw_val *pw_config_get(struct pw_app *app, const char *name, const char **ret_file)
{
	for (size_t i = 0; i < app->n_config; i++) {
		const struct pw_val *val = pw_map_get(app->config[i].map, name);
		if (!val)
			continue;
		if (ret_file)
			*ret_file = app->config[i].file;
		return val;
	}
	return NULL;
}

const char *pw_app_config_input(struct pw_app *app, const char *name, const char **ret_file)
{
	for (size_t i = 0; i < app->n_config; i++) {
		const char *text = pw_map_str(pw_map_get(app->config[i].map, "inputs"), name, NULL);
		if (!text)
			continue;
		*ret_file = app->config[i].file;
		return text;
	}
	return NULL;
}
