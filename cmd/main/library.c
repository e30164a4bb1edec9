/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be run: checks from the binary and from plugins, playbooks from the search path. */
#include "library.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>

#include <base/registry.h>
#include <base/text.h>
#include <cluster/cluster.h>
#include <doc/yaml.h>
#include <play/builtin.h>
#include <vantage/executor.h>
#include <vantage/plugin.h>

#include "config.h"

#define MAX_CHECKS 1024
#define MAX_PLAYBOOKS 1024
#define MAX_DIRS 64
#define PLAYBOOK_MAX ((size_t)1 << 20) /* bytes; pw_yaml_playbook_limits says the same */

struct pw_library {
	struct pw_app *app;
	const struct pw_check *checks[MAX_CHECKS + 1];
	const char *names[MAX_CHECKS + 1];
	const char *origins[MAX_CHECKS];
	size_t n_checks, n_bad;
	struct pw_plugins *plugins;
	const char *dirs[MAX_DIRS];       /* of playbooks, nearest first */
	size_t n_dirs;
	struct pw_playbook_ref refs[MAX_PLAYBOOKS];
	size_t n_refs;
	bool listed;
	struct pw_play *plays[MAX_PLAYBOOKS];
	size_t n_plays;
	struct pw_play_env env;
};

/* ---- checks ---- */

static void add_check(struct pw_library *lib, const struct pw_check *check, const char *origin)
{
	size_t at = 0;
	while (at < lib->n_checks && strcmp(lib->checks[at]->name, check->name) < 0)
		at++;
	if (lib->n_checks == MAX_CHECKS)
		return;
	memmove(&lib->checks[at + 1], &lib->checks[at], (lib->n_checks - at) * sizeof *lib->checks);
	memmove(&lib->names[at + 1], &lib->names[at], (lib->n_checks - at) * sizeof *lib->names);
	memmove(&lib->origins[at + 1], &lib->origins[at], (lib->n_checks - at) * sizeof *lib->origins);
	lib->checks[at] = check;
	lib->names[at] = check->name;
	lib->origins[at] = origin;
	lib->n_checks++;
}

/* File by file: one that is refused does not keep out the others. */
static void load_plugin(struct pw_library *lib, const char *path)
{
	struct pw_err err = PW_ERR_INIT;
	size_t before = pw_plugins_count(lib->plugins);
	if (pw_plugins_load(lib->plugins, path, &err)) {
		(void)pw_fail_err(lib->app, PW_EXIT_PLAYBOOK, &err);
		lib->n_bad++;
	}
	for (size_t i = before; i < pw_plugins_count(lib->plugins); i++)
		add_check(lib, pw_plugins_at(lib->plugins, i), pw_plugins_file(lib->plugins, i));
}

static int is_plugin(const struct dirent *entry)
{
	return pw_glob("*.so", entry->d_name) || pw_glob("*.check.yaml", entry->d_name);
}

static void load_plugins(struct pw_library *lib, const char *dir, bool asked)
{
	struct dirent **entries = NULL;
	int n = dir ? scandir(dir, &entries, is_plugin, alphasort) : -1;
	if (n < 0 && asked) {
		(void)pw_fail(lib->app, PW_EXIT_PLAYBOOK, "cannot read the plugin folder %s", dir);
		lib->n_bad++;
	}
	for (int i = 0; i < n; i++) {
		load_plugin(lib, pw_arena_printf(lib->app->arena, "%s/%s", dir, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
}

const struct pw_check *pw_library_find_check(void *library, const char *name)
{
	const struct pw_library *lib = library;
	for (size_t i = 0; i < lib->n_checks; i++)
		if (strcmp(lib->names[i], name) == 0)
			return lib->checks[i];
	return NULL;
}

size_t pw_library_checks(const struct pw_library *library, const struct pw_check *const **ret)
{
	*ret = library->checks;
	return library->n_checks;
}

size_t pw_library_check_names(void *library, const char *const **ret)
{
	struct pw_library *lib = library;
	*ret = lib->names;
	return lib->n_checks;
}

const char *pw_library_check_origin(const struct pw_library *library, const char *name)
{
	for (size_t i = 0; i < library->n_checks; i++)
		if (strcmp(library->names[i], name) == 0)
			return library->origins[i];
	return "nowhere";
}

size_t pw_library_bad_plugins(const struct pw_library *library) { return library->n_bad; }

/* ---- playbooks ---- */

static void add_dir(struct pw_library *lib, const char *dir)
{
	if (dir && lib->n_dirs < MAX_DIRS)
		lib->dirs[lib->n_dirs++] = dir;
}

/* XDG: the user's data folder, then the system's, absolute ones only. */
static void add_data_dirs(struct pw_library *lib)
{
	const char *dirs = getenv("XDG_DATA_DIRS");
	add_dir(lib, pw_xdg_path(lib->app, "XDG_DATA_HOME", ".local/share", "playbooks"));
	for (const char *at = dirs && *dirs ? dirs : "/usr/local/share:/usr/share"; *at;) {
		size_t len = strcspn(at, ":");
		if (*at == '/')
			add_dir(lib, pw_arena_printf(lib->app->arena, "%.*s/packetwalk/playbooks", (int)len, at));
		at += len + (at[len] == ':');
	}
	add_dir(lib, "/etc/packetwalk/playbooks");
}

static void add_ref(struct pw_library *lib, const char *name, const char *path)
{
	size_t at = 0;
	while (at < lib->n_refs && strcmp(lib->refs[at].name, name) < 0)
		at++;
	if (!name || lib->n_refs == MAX_PLAYBOOKS || (at < lib->n_refs && strcmp(lib->refs[at].name, name) == 0))
		return;
	memmove(&lib->refs[at + 1], &lib->refs[at], (lib->n_refs - at) * sizeof *lib->refs);
	lib->refs[at] = (struct pw_playbook_ref){ name, path };
	lib->n_refs++;
}

static int is_playbook(const struct dirent *entry) { return entry->d_name[0] != '.' && pw_glob("*.yaml", entry->d_name); }

size_t pw_library_playbooks(struct pw_library *library, const struct pw_playbook_ref **ret)
{
	struct pw_library *lib = library;
	for (size_t d = 0; !lib->listed && d < lib->n_dirs; d++) {
		struct dirent **entries = NULL;
		int n = scandir(lib->dirs[d], &entries, is_playbook, alphasort);
		for (int i = 0; i < n; i++) {
			const char *file = entries[i]->d_name;
			add_ref(lib, pw_arena_strndup(lib->app->arena, file, strlen(file) - strlen(".yaml")),
				pw_arena_printf(lib->app->arena, "%s/%s", lib->dirs[d], file));
			free(entries[i]);
		}
		free(entries);
	}
	for (size_t i = 0; !lib->listed && pw_builtin_playbooks[i].name; i++)
		add_ref(lib, pw_builtin_playbooks[i].name, NULL);
	lib->listed = true;
	*ret = lib->refs;
	return lib->n_refs;
}

static bool is_file_word(const char *word)
{
	return strcmp(word, "-") == 0 || strchr(word, '/') || pw_glob("*.yaml", word) || pw_glob("*.yml", word);
}

static int out_of_memory(struct pw_err *err) { return pw_err_set(err, PW_NOMEM, "out of memory"); }

static int builtin_text(const char *name, char **ret, size_t *ret_len, char **ret_path, struct pw_err *err)
{
	const struct pw_builtin *b = pw_builtin_playbooks;
	while (b->name && strcmp(b->name, name) != 0)
		b++;
	PW_CLEAN_FREE char *text = NULL;
	PW_CLEAN_BUF struct pw_buf path;
	pw_buf_init(&path, 4096);
	pw_buf_printf(&path, "builtin:%s.yaml", name);
	if (!b->name)
		return pw_err_set(err, PW_ABSENT, "unknown playbook '%s'", name);
	text = malloc(b->len + 1);
	if (!text)
		return out_of_memory(err);
	memcpy(text, b->text, b->len);
	text[b->len] = '\0';
	*ret_path = pw_buf_take(&path);
	if (!*ret_path)
		return out_of_memory(err);
	*ret = text;
	*ret_len = b->len;
	text = NULL;
	return PW_OK;
}

int pw_library_text(struct pw_library *library, const char *word, char **ret, size_t *ret_len, char **ret_path, struct pw_err *err)
{
	const char *path = is_file_word(word) ? word : NULL;
	const struct pw_playbook_ref *refs;
	size_t n = path ? 0 : pw_library_playbooks(library, &refs);
	for (size_t i = 0; i < n && !path; i++)
		if (strcmp(refs[i].name, word) == 0)
			path = refs[i].path;
	if (!path)
		return builtin_text(word, ret, ret_len, ret_path, err);
	char *copy = strdup(strcmp(path, "-") == 0 ? "<stdin>" : path);
	if (!copy)
		return out_of_memory(err);
	int rc = pw_file_read(path, PLAYBOOK_MAX, ret, ret_len, err);
	if (rc) {
		free(copy);
		return rc;
	}
	*ret_path = copy;
	return PW_OK;
}

static int env_text(void *arg, const char *name, char **ret, size_t *ret_len, char **ret_path, struct pw_err *err)
{
	return pw_library_text(arg, name, ret, ret_len, ret_path, err);
}

static const char *const *input_fields(void *arg, enum pw_type type)
{
	(void)arg;
	return pw_input_type(type)->fields;
}

static size_t playbook_names(void *arg, const char *const **ret)
{
	struct pw_library *lib = arg;
	const struct pw_playbook_ref *refs;
	size_t n = pw_library_playbooks(lib, &refs);
	const char **names = pw_arena_array(lib->app->arena, n + 1, sizeof *names);
	for (size_t i = 0; names && i < n; i++)
		names[i] = refs[i].name;
	*ret = names;
	return names ? n : 0;
}

const struct pw_play_env *pw_library_env(const struct pw_library *library) { return &library->env; }

/* ---- loading ---- */

void pw_diags_print(struct pw_app *app, struct pw_stream *stream, struct pw_diags *diags, const char *file, const char *text, size_t len)
{
	(void)app;
	pw_diags_sort(diags);
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++) {
		const struct pw_diag *d = pw_diags_at(diags, i);
		PW_CLEAN_BUF struct pw_buf out;
		PW_CLEAN_FREE char *other = NULL;
		size_t other_len = 0;
		pw_buf_init(&out, (size_t)1 << 20);
		/* An included file is read again for its line; without it the place alone is shown. */
		bool own = !d->place.file || strcmp(d->place.file, file) == 0;
		if (!own && pw_file_read(d->place.file, PLAYBOOK_MAX, &other, &other_len, NULL))
			other_len = 0;
		pw_diag_format(d, own ? text : other ? other : "", own ? len : other_len, &out);
		pw_stream_write(stream, pw_buf_str(&out), out.len);
	}
}

static int absent(struct pw_app *app, const char *word, const struct pw_err *err)
{
	if (err->code != PW_ABSENT || is_file_word(word))
		return pw_fail_err(app, PW_EXIT_USAGE, err);
	const struct pw_playbook_ref *refs;
	size_t n = pw_library_playbooks(app->library, &refs);
	const char **names = pw_arena_array(app->arena, n + 1, sizeof *names);
	for (size_t i = 0; names && i < n; i++)
		names[i] = refs[i].name;
	int code = pw_fail_unknown(app, "playbook", word, names, names ? n : 0);
	pw_note(app, "'packetwalk playbooks' lists them; a file is named with a slash or ends in .yaml");
	return code;
}

int pw_library_load(struct pw_app *app, const char *word, const struct pw_play **ret)
{
	struct pw_library *lib = pw_app_library(app);
	struct pw_err err = PW_ERR_INIT;
	PW_CLEAN_FREE char *text = NULL, *path = NULL;
	size_t len = 0;
	if (!lib || lib->n_plays == MAX_PLAYBOOKS)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (pw_library_text(lib, word, &text, &len, &path, &err))
		return absent(app, word, &err);
	struct pw_diags *diags = pw_diags_new(app->arena);
	struct pw_play *play = NULL;
	int rc = pw_play_load(text, len, path, &lib->env, app->arena, diags, &play, &err);
	pw_diags_print(app, &app->err, diags, path, text, len);
	if (rc) {
		if (!pw_diags_count(diags, 0))
			return pw_fail_err(app, rc == PW_SYNTAX ? PW_EXIT_PLAYBOOK : 0, &err);
		return PW_EXIT_PLAYBOOK;
	}
	lib->plays[lib->n_plays++] = play;
	*ret = play;
	return PW_EXIT_HEALTHY;
}

struct pw_library *pw_app_library(struct pw_app *app)
{
	if (app->library)
		return app->library;
	struct pw_library *lib = calloc(1, sizeof *lib);
	if (!lib)
		return NULL;
	lib->plugins = pw_plugins_new();
	if (!lib->plugins) {
		free(lib);
		return NULL;
	}
	lib->app = app;
	app->library = lib;
	lib->env = (struct pw_play_env){ .check = pw_library_find_check, .check_names = pw_library_check_names, .playbook = env_text,
					 .input_fields = input_fields, .playbook_names = playbook_names, .arg = lib };
	for (size_t i = 0; pw_check_registry[i]; i++)
		add_check(lib, pw_check_registry[i], "built in");
	const char *const *dirs = NULL;
	size_t n = pw_app_opt_all(app, "plugin-dir", &dirs);
	for (size_t i = 0; i < n; i++)
		load_plugins(lib, dirs[i], true);
	load_plugins(lib, pw_xdg_path(app, "XDG_DATA_HOME", ".local/share", "plugins"), false);
	n = pw_app_opt_all(app, "playbook-dir", &dirs);
	for (size_t i = 0; i < n; i++)
		add_dir(lib, dirs[i]);
	add_dir(lib, ".packetwalk/playbooks");
	add_data_dirs(lib);
	return lib;
}

void pw_library_free(struct pw_library *library)
{
	if (!library)
		return;
	for (size_t i = 0; i < library->n_plays; i++)
		pw_play_free(library->plays[i]);
	pw_plugins_free(library->plugins);
	free(library);
}
