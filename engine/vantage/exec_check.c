/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NAME.check.yaml to a struct pw_check, every word of it checked. */
#include "exec_check.h"

#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>

#include "plugin.h"

enum { FILE_BYTES = 256 << 10, ARENA_BYTES = 16 << 20, ARGS_MAX = 256, DEFAULT_TIMEOUT_MS = 10000 };

struct pw_exec_check {
	struct pw_check check; /* first: the declaration leads back here */
	struct pw_exec_spec spec;
	struct pw_arena *arena;
};

const struct pw_check *pw_exec_check_decl(const struct pw_exec_check *exec)
{
	return &exec->check;
}

const struct pw_exec_spec *pw_exec_check_spec(const struct pw_check *check)
{
	return &((const struct pw_exec_check *)check)->spec;
}

void pw_exec_check_free(struct pw_exec_check *exec)
{
	if (exec)
		pw_arena_free(exec->arena);
	free(exec);
}

/* ---- places and words ---- */

static int bad(struct pw_err *err, struct pw_place place, const char *text, const char *word)
{
	return pw_err_at(err, PW_SYNTAX, place.file, place.line, place.col, "%s%s%.80s%s", text, word ? " \"" : "", word ? word : "", word ? "\"" : "");
}

static int check_keys(const struct pw_val *map, const char *const *keys, size_t n, struct pw_err *err)
{
	for (size_t i = 0; i < pw_val_count(map); i++) {
		const char *key = pw_map_key(map, i), *nearest;
		size_t j = 0;
		while (j < n && strcmp(keys[j], key) != 0)
			j++;
		struct pw_place at = pw_map_key_place(map, i);
		if (j < n)
			continue;
		nearest = pw_nearest(key, keys, n);
		return pw_err_at(err, PW_SYNTAX, at.file, at.line, at.col, "unknown key \"%.64s\"%s%s%s", key,
				 nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	}
	return PW_OK;
}

/* The index of a word among those that `name_of` gives; -1. */
static int find_word(const char *word, const char *(*name_of)(int), int last)
{
	for (int i = 0; word && i <= last; i++)
		if (!strcmp(name_of(i), word))
			return i;
	return -1;
}

static const char *type_name(int i)
{
	return pw_type_word((enum pw_type)i);
}

static const char *effect_name(int i)
{
	return pw_effect_word((enum pw_effect)i);
}

/* ---- parts ---- */

static int load_param(const struct pw_val *params, size_t i, struct pw_param *ret, struct pw_err *err)
{
	static const char *const keys[] = { "type", "required", "default", "range", "help" };
	const struct pw_val *map = pw_val_at(params, i);
	if (!pw_val_is(map, PW_VAL_MAP))
		return bad(err, pw_map_key_place(params, i), "a parameter is a map with type and help:", pw_map_key(params, i));
	int rc = check_keys(map, keys, sizeof keys / sizeof *keys, err);
	if (rc < 0)
		return rc;
	const char *word = pw_map_str(map, "type", "string");
	int type = find_word(word, type_name, PW_TYPE_NODE);
	if (type < 0)
		return bad(err, pw_val_place(pw_map_get(map, "type")), "there is no type", word);
	*ret = (struct pw_param){ .name = pw_map_key(params, i), .type = (enum pw_type)type, .required = pw_map_bool(map, "required", false),
		.otherwise = pw_map_str(map, "default", NULL), .range = pw_map_str(map, "range", NULL), .help = pw_map_str(map, "help", NULL) };
	return PW_OK;
}

static int load_params(struct pw_exec_check *exec, const struct pw_val *params, struct pw_err *err)
{
	size_t n = pw_val_count(params);
	struct pw_param *list = pw_arena_array(exec->arena, n + 1, sizeof *list);
	if (!list)
		return pw_err_set(err, PW_NOMEM, "no memory for plugins");
	for (size_t i = 0; i < n; i++) {
		int rc = load_param(params, i, &list[i], err);
		if (rc < 0)
			return rc;
	}
	exec->check.params = list;
	return PW_OK;
}

/* Every ${name} of an argument is a parameter. */
static int check_references(const struct pw_check *check, const struct pw_val *arg, struct pw_err *err)
{
	for (const char *p = pw_val_text(arg); (p = strstr(p, "${")); p += 2) {
		size_t len = strcspn(p + 2, "}");
		if (!p[2 + len])
			return bad(err, pw_val_place(arg), "a ${ is not closed in", p);
		const struct pw_param *param = check->params;
		while (param->name && (strlen(param->name) != len || strncmp(param->name, p + 2, len) != 0))
			param++;
		if (!param->name)
			return bad(err, pw_val_place(arg), "a reference to a parameter that is not declared:", p);
	}
	return PW_OK;
}

/* "./program" lies beside the declaration. What lies on this machine must be nobody else's to write. */
static int locate_program(struct pw_exec_check *exec, const char *file, const struct pw_val *arg, const char **ret, struct pw_err *err)
{
	const char *name = pw_val_text(arg), *slash = strrchr(file, '/');
	if (*name != '/' && strchr(name, '/') && slash)
		name = pw_arena_printf(exec->arena, "%.*s/%s", (int)(slash - file), file, strncmp(name, "./", 2) ? name : name + 2);
	if (!name)
		return pw_err_set(err, PW_NOMEM, "no memory for plugins");
	int rc = strchr(name, '/') ? pw_path_trust(name, NULL, err) : PW_OK;
	if (rc == PW_ABSENT) { /* it may be there where the check will run */
		pw_err_clear(err);
		rc = PW_OK;
	}
	*ret = name;
	return rc;
}

static int load_argv(struct pw_exec_check *exec, const char *file, const struct pw_val *doc, struct pw_err *err)
{
	const struct pw_val *seq = pw_map_get(doc, "argv");
	size_t n = pw_val_count(seq);
	if (!pw_val_is(seq, PW_VAL_SEQ) || n == 0 || n > ARGS_MAX)
		return bad(err, pw_val_place(seq ? seq : doc), "argv must be a list: the program and its arguments", NULL);
	const char **argv = pw_arena_array(exec->arena, n + 1, sizeof *argv);
	if (!argv)
		return pw_err_set(err, PW_NOMEM, "no memory for plugins");
	for (size_t i = 0; i < n; i++) {
		const struct pw_val *arg = pw_val_at(seq, i);
		if (!pw_val_text(arg) || (i == 0 && (!*pw_val_text(arg) || strstr(pw_val_text(arg), "${"))))
			return bad(err, pw_val_place(arg), i ? "an argument must be text" : "the program must be a name or path, without ${}", NULL);
		int rc = check_references(&exec->check, arg, err);
		if (rc < 0)
			return rc;
		argv[i] = pw_val_text(arg);
	}
	exec->spec.argv = argv;
	return locate_program(exec, file, pw_val_at(seq, 0), &argv[0], err);
}

static int load_needs(struct pw_exec_check *exec, const struct pw_val *seq, struct pw_err *err)
{
	static const struct { const char *word; unsigned bit; } words[] = {
		{ "net-raw", PW_NEEDS_NET_RAW }, { "net-admin", PW_NEEDS_NET_ADMIN }, { "root-files", PW_NEEDS_ROOT_FILES },
	};
	for (size_t i = 0; i < pw_val_count(seq); i++) {
		const char *word = pw_val_text(pw_val_at(seq, i));
		size_t j = 0;
		while (word && j < sizeof words / sizeof *words && strcmp(words[j].word, word) != 0)
			j++;
		if (!word || j == sizeof words / sizeof *words)
			return bad(err, pw_val_place(pw_val_at(seq, i)), "needs is a list of net-raw, net-admin, root-files, not", word ? word : "");
		exec->check.needs |= words[j].bit;
	}
	return PW_OK;
}

static int load_head(struct pw_exec_check *exec, const struct pw_val *doc, struct pw_err *err)
{
	static const char *const keys[] = { "packetwalk-check", "summary", "details", "argv", "params", "nagios", "timeout",
		"effect", "needs", "example" };
	int rc = check_keys(doc, keys, sizeof keys / sizeof *keys, err);
	if (rc < 0)
		return rc;
	const struct pw_val *timeout = pw_map_get(doc, "timeout"), *effect = pw_map_get(doc, "effect");
	if (pw_map_int(doc, "packetwalk-check", 0) != PW_EXEC_CHECK_LANGUAGE)
		return bad(err, pw_val_place(doc), "a program's declaration starts with packetwalk-check: 1", NULL);
	struct pw_check *c = &exec->check;
	c->summary = pw_map_str(doc, "summary", NULL);
	c->details = pw_map_str(doc, "details", NULL);
	c->example = pw_map_str(doc, "example", NULL);
	c->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (timeout && (!pw_val_text(timeout) || !pw_parse_duration(pw_val_text(timeout), &c->timeout_ms)))
		return bad(err, pw_val_place(timeout), "timeout must be a duration such as 10s", NULL);
	int word = effect ? find_word(pw_val_text(effect), effect_name, PW_EFFECT_PRIVILEGED) : PW_EFFECT_EXECS;
	if (word < 0)
		return bad(err, pw_val_place(effect), "effect is one of none, reads, sends, execs, creates, privileged, not", pw_val_text(effect));
	c->effect = (enum pw_effect)word;
	exec->spec.nagios = pw_map_bool(doc, "nagios", false);
	return load_needs(exec, pw_map_get(doc, "needs"), err);
}

static int fill(struct pw_exec_check *exec, const char *file, const char *name, struct pw_err *err)
{
	PW_CLEAN_FREE char *text = NULL;
	size_t len;
	const struct pw_val *doc = NULL;
	struct pw_diags *diags = pw_diags_new(exec->arena);
	const char *kept = pw_arena_strdup(exec->arena, file);
	int rc = pw_file_read(file, FILE_BYTES, &text, &len, err);
	if (rc == PW_OK)
		rc = pw_yaml_parse(text, len, kept, &pw_yaml_playbook_limits, exec->arena, diags, &doc, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++)
		if (pw_diags_at(diags, i)->severity == 0)
			return bad(err, pw_diags_at(diags, i)->place, pw_diags_at(diags, i)->text, NULL);
	if (!pw_val_is(doc, PW_VAL_MAP))
		return pw_err_at(err, PW_SYNTAX, file, 1, 1, "a program's declaration is a map");
	exec->check = (struct pw_check){ PW_CHECK_HEAD(pw_arena_strdup(exec->arena, name)), .evidence = pw_program_evidence,
		.probe = pw_exec_check_probe, .judge = pw_exec_check_judge };
	rc = load_head(exec, doc, err);
	if (rc == PW_OK)
		rc = load_params(exec, pw_map_get(doc, "params"), err);
	if (rc == PW_OK)
		rc = load_argv(exec, file, doc, err);
	exec->check.outcomes = exec->spec.nagios ? pw_nagios_outcomes : pw_program_outcomes;
	if (rc == PW_OK && pw_arena_failed(exec->arena))
		return pw_err_set(err, PW_NOMEM, "no memory for plugins");
	return rc;
}

int pw_exec_check_load(const char *file, const char *name, struct pw_exec_check **ret, struct pw_err *err)
{
	struct pw_exec_check *exec = calloc(1, sizeof *exec);
	if (!exec)
		return pw_err_set(err, PW_NOMEM, "no memory for plugins");
	exec->arena = pw_arena_new(ARENA_BYTES);
	int rc = exec->arena ? fill(exec, file, name, err) : pw_err_set(err, PW_NOMEM, "no memory for plugins");
	if (rc < 0)
		pw_exec_check_free(exec);
	else
		*ret = exec;
	return rc;
}
