/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loading checks from files: first who could have written them, then what they declare. */
#include "plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/registry.h>
#include <packetwalk/cleanup.h>

#include "exec_check.h"
#include "executor.h"

enum { PLUGINS_MAX = 256, NAME_SPACE = 64 };

struct plugin {
	const struct pw_check *check;
	void *handle;               /* of dlopen, NULL for a program */
	struct pw_exec_check *exec; /* NULL for a .so */
	char *file;
};

struct pw_plugins {
	struct plugin items[PLUGINS_MAX];
	size_t count;
};

struct pw_plugins *pw_plugins_new(void)
{
	return calloc(1, sizeof(struct pw_plugins));
}

static void plugin_release(struct plugin *p)
{
	pw_exec_check_free(p->exec);
	if (p->handle)
		(void)dlclose(p->handle);
	free(p->file);
	*p = (struct plugin){0};
}

void pw_plugins_free(struct pw_plugins *plugins)
{
	for (size_t i = 0; plugins && i < plugins->count; i++)
		plugin_release(&plugins->items[i]);
	free(plugins);
}

size_t pw_plugins_count(const struct pw_plugins *plugins)
{
	return plugins ? plugins->count : 0;
}

const struct pw_check *pw_plugins_at(const struct pw_plugins *plugins, size_t i)
{
	return plugins->items[i].check;
}

const char *pw_plugins_file(const struct pw_plugins *plugins, size_t i)
{
	return plugins->items[i].file;
}

const struct pw_check *pw_plugins_find(const struct pw_plugins *plugins, const char *name)
{
	for (const struct pw_check *const *check = pw_check_registry; *check; check++)
		if (!strcmp((*check)->name, name))
			return *check;
	for (size_t i = 0; i < pw_plugins_count(plugins); i++)
		if (!strcmp(plugins->items[i].check->name, name))
			return plugins->items[i].check;
	return NULL;
}

/* ---- trust ---- */

/* One part of the path. A folder that all may write to is fine above if it is sticky (/tmp): what is ours in it stays. */
static int trust_part(const char *part, bool last, struct pw_err *err)
{
	struct stat st;
	if (lstat(part, &st) < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot look at %s", part);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return pw_err_set(err, PW_DENIED, "%s belongs to user %u: plugins are loaded only from what root or you own",
				  part, (unsigned)st.st_uid);
	bool sticky = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) && !last;
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !sticky)
		return pw_err_set(err, PW_DENIED, "%s can be written by others: plugins are not loaded from there (chmod go-w)", part);
	return PW_OK;
}

int pw_path_trust(const char *path, char *ret, struct pw_err *err)
{
	char whole[PATH_MAX], part[PATH_MAX];
	struct stat st;
	if (!realpath(path, whole) || stat(whole, &st) < 0)
		return pw_err_sys(err, errno == ENOENT ? PW_ABSENT : PW_IO, errno, "cannot open %s", path);
	int rc = trust_part("/", false, err);
	for (size_t i = 1; rc == PW_OK && whole[i]; ) {
		i += strcspn(whole + i, "/");
		memcpy(part, whole, i);
		part[i] = '\0';
		const char *rest = whole + i + (whole[i] == '/');
		/* The folder a file lies in counts as much as the file: no sticky bit excuses it. */
		rc = trust_part(part, !*rest || (!S_ISDIR(st.st_mode) && !strchr(rest, '/')), err);
		i += whole[i] == '/';
	}
	if (rc == PW_OK && ret)
		memcpy(ret, whole, strlen(whole) + 1);
	return rc;
}

/* ---- one file ---- */

static bool strip(const char *file, const char *suffix, char name[NAME_SPACE])
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	size_t len = strlen(base), end = strlen(suffix);
	if (len <= end || len - end >= NAME_SPACE || strcmp(base + len - end, suffix) != 0)
		return false;
	memcpy(name, base, len - end);
	name[len - end] = '\0';
	return true;
}

static int load_object(const char *file, const char *name, struct plugin *p, struct pw_err *err)
{
	char symbol[NAME_SPACE + sizeof "pw_check_"];
	(void)snprintf(symbol, sizeof symbol, "pw_check_%s", name);
	p->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!p->handle)
		return pw_err_set(err, PW_UNSUPPORTED, "cannot load %s: %s", file, dlerror());
	p->check = dlsym(p->handle, symbol);
	if (!p->check)
		return pw_err_set(err, PW_UNSUPPORTED, "%s has no symbol %s: declare `const struct pw_check %s` in it, and do not hide it",
				  file, symbol, symbol);
	return PW_OK;
}

static int refuse_duplicate(const struct pw_plugins *plugins, const char *name, const char *file, struct pw_err *err)
{
	if (!pw_plugins_find(plugins, name))
		return PW_OK;
	for (size_t i = 0; i < plugins->count; i++)
		if (!strcmp(plugins->items[i].check->name, name))
			return pw_err_set(err, PW_USAGE, "%s declares the check %s, which came from %s already", file, name, plugins->items[i].file);
	return pw_err_set(err, PW_USAGE, "%s declares the check %s, which is built in", file, name);
}

static int load_into(struct pw_plugins *plugins, const char *file, const char *name, bool object, struct plugin *p, struct pw_err *err)
{
	p->file = strdup(file);
	if (!p->file)
		return pw_err_set(err, PW_NOMEM, "no memory for plugins");
	int rc = refuse_duplicate(plugins, name, file, err);
	if (rc == PW_OK && object)
		rc = load_object(file, name, p, err);
	else if (rc == PW_OK && (rc = pw_exec_check_load(file, name, &p->exec, err)) == PW_OK)
		p->check = pw_exec_check_decl(p->exec);
	if (rc < 0)
		return rc;
	rc = pw_check_validate(p->check, name, err);
	return rc < 0 ? pw_err_wrap(err, "%s is refused", file) : PW_OK;
}

/* `file` is free of links and trusted. */
static int load_file(struct pw_plugins *plugins, const char *file, struct pw_err *err)
{
	char name[NAME_SPACE];
	bool object = strip(file, ".so", name);
	if (!object && !strip(file, PW_EXEC_CHECK_SUFFIX, name))
		return pw_err_set(err, PW_USAGE, "%s is not a plugin: NAME.so or NAME" PW_EXEC_CHECK_SUFFIX, file);
	if (plugins->count == PLUGINS_MAX)
		return pw_err_set(err, PW_NOMEM, "more than %d plugins", PLUGINS_MAX);
	struct plugin *p = &plugins->items[plugins->count];
	int rc = load_into(plugins, file, name, object, p, err);
	if (rc == PW_OK)
		plugins->count++;
	else
		plugin_release(p);
	return rc;
}

/* ---- a folder ---- */

static int is_plugin(const struct dirent *e)
{
	char name[NAME_SPACE];
	return e->d_name[0] != '.' && (strip(e->d_name, ".so", name) || strip(e->d_name, PW_EXEC_CHECK_SUFFIX, name));
}

static int load_named(struct pw_plugins *plugins, const char *folder, const char *name, struct pw_err *err)
{
	char path[PATH_MAX], whole[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof path)
		return pw_err_set(err, PW_USAGE, "the path of the plugin %.100s is too long", name);
	int rc = pw_path_trust(path, whole, err);
	return rc < 0 ? rc : load_file(plugins, whole, err);
}

static int load_folder(struct pw_plugins *plugins, const char *folder, struct pw_err *err)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_plugin, alphasort), rc = PW_OK;
	if (n < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot read the folder %s", folder);
	for (int i = 0; i < n; i++) {
		if (rc == PW_OK)
			rc = load_named(plugins, folder, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int pw_plugins_load(struct pw_plugins *plugins, const char *path, struct pw_err *err)
{
	char whole[PATH_MAX];
	struct stat st;
	int rc = pw_path_trust(path, whole, err);
	if (rc < 0)
		return rc;
	if (stat(whole, &st) < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot look at %s", whole);
	return S_ISDIR(st.st_mode) ? load_folder(plugins, whole, err) : load_file(plugins, whole, err);
}
