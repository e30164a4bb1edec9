/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_PLAY_UTIL_H
#define TESTS_UNIT_PLAY_UTIL_H

/* Three made-up checks, and what tests of playbooks need to load them by. */

#include <packetwalk/cleanup.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <doc/yaml.h>
#include <play/play.h>

static const struct pw_param ask_name_params[] = {
	{ "name", PW_TYPE_HOST, 1, NULL, NULL, "The name to look up" },
	{ "expect", PW_TYPE_ADDRESS, 0, NULL, NULL, "The address it should have" },
	{ "tries", PW_TYPE_INT, 0, "1", "1..5", "How often" },
	{ .name = NULL },
};
static const struct pw_outcome ask_name_outcomes[] = {
	{ "resolved", PW_CLASS_OK, "It has an address", NULL, NULL },
	{ "mismatch", PW_CLASS_FAIL, "It has another address", NULL, NULL },
	{ "nxdomain", PW_CLASS_FAIL, "There is no such name", NULL, NULL },
	{ "timeout", PW_CLASS_FAIL, "No answer", NULL, NULL },
	{ .word = NULL },
};
static const struct pw_evidence ask_name_evidence[] = {
	{ "addresses", PW_TYPE_LIST, NULL, "What was answered" },
	{ "server", PW_TYPE_ADDRESS, NULL, "Who answered" },
	{ "ms", PW_TYPE_INT, "ms", "How long it took" },
	{ .name = NULL },
};

static const struct pw_param knock_params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "Where to" },
	{ "port", PW_TYPE_PORT, 1, NULL, NULL, "Which port" },
	{ "mode", PW_TYPE_CHOICE, 0, "fast", "fast|slow", "How" },
	{ "ports", PW_TYPE_LIST, 0, NULL, NULL, "More ports" },
	{ .name = NULL },
};
static const struct pw_outcome knock_outcomes[] = {
	{ "connected", PW_CLASS_OK, "It opened", NULL, NULL },
	{ "refused", PW_CLASS_FAIL, "It is closed", NULL, NULL },
	{ "timeout", PW_CLASS_FAIL, "Nobody there", NULL, NULL },
	{ .word = NULL },
};
static const struct pw_evidence knock_evidence[] = {
	{ "peer", PW_TYPE_ADDRESS, NULL, "Who opened" }, { .name = NULL },
};

static const struct pw_outcome look_outcomes[] = {
	{ "same", PW_CLASS_OK, "Equal", NULL, NULL }, { "differs", PW_CLASS_FAIL, "Not equal", NULL, NULL }, { .word = NULL },
};

static const struct pw_check fake_checks[] = {
	{ PW_CHECK_HEAD("ask_name"), .summary = "Look a name up", .params = ask_name_params, .outcomes = ask_name_outcomes,
	  .evidence = ask_name_evidence, .effect = PW_EFFECT_SENDS, .timeout_ms = 1000 },
	{ PW_CHECK_HEAD("knock"), .summary = "Open a connection", .params = knock_params, .outcomes = knock_outcomes,
	  .evidence = knock_evidence, .effect = PW_EFFECT_SENDS, .timeout_ms = 1000 },
	{ PW_CHECK_HEAD("look"), .summary = "Compare", .outcomes = look_outcomes, .timeout_ms = 1000 },
};
enum { FAKE_CHECKS = sizeof fake_checks / sizeof *fake_checks };

static inline const struct pw_check *fake_check(void *arg, const char *name)
{
	(void)arg;
	for (size_t i = 0; i < FAKE_CHECKS; i++)
		if (!strcmp(fake_checks[i].name, name))
			return &fake_checks[i];
	return NULL;
}

static inline size_t fake_names(void *arg, const char *const **ret)
{
	static const char *const names[] = { "ask_name", "knock", "look" };
	(void)arg;
	*ret = names;
	return FAKE_CHECKS;
}

/* Playbooks are files: NAME.yaml in the folder `arg`, else among the valid ones. */
static inline int fake_playbook(void *arg, const char *name, char **ret, size_t *ret_len, char **ret_path, struct pw_err *err)
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%s.yaml", (const char *)arg, name);
	int rc = pw_file_read(path, 1 << 20, ret, ret_len, err);
	if (rc == PW_ABSENT) {
		(void)snprintf(path, sizeof path, "tests/play/valid/%s.yaml", name);
		rc = pw_file_read(path, 1 << 20, ret, ret_len, err);
	}
	char *copy = rc == PW_OK ? strdup(path) : NULL;
	if (rc == PW_OK && !copy) {
		free(*ret);
		rc = pw_err_set(err, PW_NOMEM, "out of memory");
	}
	if (rc == PW_OK)
		*ret_path = copy;
	return rc;
}

static inline size_t fake_playbook_names(void *arg, const char *const **ret)
{
	static const char *const names[] = { "callee", "callee-broken" };
	(void)arg;
	*ret = names;
	return 2;
}

#define FAKE_ENV(dir) { fake_check, fake_names, fake_playbook, (void *)(uintptr_t)(dir), NULL, fake_playbook_names }

/* All complaints as they are shown. Caller releases. */
static inline void show_diags(const struct pw_diags *diags, const char *file, const char *source, size_t len, struct pw_buf *out)
{
	pw_buf_init(out, (size_t)1 << 22);
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++) {
		const struct pw_diag *diag = pw_diags_at(diags, i);
		bool own = diag->place.file && !strcmp(diag->place.file, file);
		pw_diag_format(diag, own ? source : NULL, own ? len : 0, out);
	}
}

/* Loads a text that must be right, and prints what is wrong with it if it is not. */
static inline struct pw_play *load_good(const char *text, const struct pw_play_env *env)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 22);
	struct pw_diags *diags = pw_diags_new(arena);
	struct pw_play *play = NULL;
	struct pw_err err = PW_ERR_INIT;
	if (pw_play_load(text, strlen(text), "t.yaml", env, arena, diags, &play, &err) == PW_OK)
		return play;
	PW_CLEAN_BUF struct pw_buf out;
	show_diags(diags, "t.yaml", text, strlen(text), &out);
	printf("# %s\n# %s\n", err.text, pw_buf_str(&out));
	return NULL;
}

#endif
