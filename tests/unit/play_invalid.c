/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Playbooks that are wrong: tests/play/invalid/NAME.yaml gives exactly the
 * complaints of NAME.txt, and every id there is has such a file. With
 * PW_UPDATE=1 the expected texts are written anew; read the difference.
 */
#include <dirent.h>

#include <play/ids.h>

#include "play_util.h"
#include "tap.h"

#define DIR_NAME "tests/play/invalid"

enum { IDS_MAX = 200 };

static bool seen[IDS_MAX];

static void note_ids(const struct pw_diags *diags)
{
	for (size_t i = 0; i < pw_diags_count(diags, -1); i++)
		for (size_t k = 0; pw_play_ids[k].id && k < IDS_MAX; k++)
			if (!strcmp(pw_play_ids[k].id, pw_diags_at(diags, i)->id))
				seen[k] = true;
}

static void check_sorted(const struct pw_diags *diags, const char *name)
{
	bool sorted = true;
	for (size_t i = 1; i < pw_diags_count(diags, -1); i++) {
		struct pw_place a = pw_diags_at(diags, i - 1)->place, b = pw_diags_at(diags, i)->place;
		int order = strcmp(a.file ? a.file : "", b.file ? b.file : "");
		sorted = sorted && (order < 0 || (order == 0 && (a.line < b.line || (a.line == b.line && a.col <= b.col))));
	}
	ok(sorted, "%s: sorted by place", name);
}

static void compare(const char *stem, const char *got)
{
	char path[512];
	PW_CLEAN_FREE char *want = NULL;
	size_t len;
	(void)snprintf(path, sizeof path, DIR_NAME "/%s.txt", stem);
	if (getenv("PW_UPDATE")) {
		PW_CLEAN_FILE FILE *f = fopen(path, "w");
		ok(f && fputs(got, f) >= 0, "%s: written", stem);
		return;
	}
	if (ok(pw_file_read(path, 1 << 20, &want, &len, NULL) == PW_OK, "%s: there is a text to expect", stem))
		is_str(got, want, stem);
}

static void check_file(const char *stem)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 24);
	PW_CLEAN_FREE char *text = NULL, *path = NULL;
	size_t len = 0;
	struct pw_play *play = NULL;
	struct pw_err err = PW_ERR_INIT;
	struct pw_play_env env = FAKE_ENV(DIR_NAME);
	struct pw_diags *diags = pw_diags_new(arena);
	if (!ok(fake_playbook(env.arg, stem, &text, &len, &path, &err) == PW_OK, "%s is read", stem))
		return;
	int rc = pw_play_load(text, len, path, &env, arena, diags, &play, &err);
	if (rc == PW_OK)
		rc = pw_play_lint(play, &env, diags);
	else
		ok(rc == PW_SYNTAX && err.code == PW_SYNTAX, "%s: refused: %s", stem, err.text);
	pw_play_free(play); /* the complaints must outlive it */
	ok(pw_diags_count(diags, -1) > 0, "%s: there is a complaint", stem);
	note_ids(diags);
	check_sorted(diags, stem);
	PW_CLEAN_BUF struct pw_buf shown;
	show_diags(diags, path, text, len, &shown);
	compare(stem, pw_buf_str(&shown));
}

static int is_yaml(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 5 && !strcmp(entry->d_name + len - 5, ".yaml");
}

static void check_coverage(void)
{
	for (size_t i = 0; pw_play_ids[i].id; i++) {
		size_t len = strlen(pw_play_ids[i].meaning);
		ok(seen[i], "%s has a playbook that provokes it", pw_play_ids[i].id);
		ok(pw_play_ids[i].meaning[len - 1] == '.', "%s is explained in a sentence", pw_play_ids[i].id);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(pw_play_ids[i].id, pw_play_ids[k].id))
				ok(false, "%s is in the table twice", pw_play_ids[i].id);
	}
	is_str(pw_play_id_meaning("PW0403"), "A walk could go round in a circle.", "a meaning by id");
	ok(pw_play_id_meaning("PW9999") == NULL, "no such id");
}

/* Every id that is defined has its row. */
static void check_table(const char *header)
{
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0, n = 0;
	if (!ok(pw_file_read(header, 1 << 20, &text, &len, NULL) == PW_OK, "%s is read", header))
		return;
	for (const char *p = strstr(text, " \"PW"); p; p = strstr(p + 1, " \"PW"), n++) {
		char id[7];
		(void)snprintf(id, sizeof id, "%.6s", p + 2);
		ok(pw_play_id_meaning(id) != NULL, "%s of %s has a row", id, header);
	}
	ok(n > 10, "%s defines %zu ids", header, n);
}

int main(void)
{
	struct dirent **entries = NULL;
	int n = scandir(DIR_NAME, &entries, is_yaml, alphasort);
	ok(n > 50, "%d invalid playbooks", n);
	for (int i = 0; i < n; i++) {
		char stem[256];
		(void)snprintf(stem, sizeof stem, "%.*s", (int)strlen(entries[i]->d_name) - 5, entries[i]->d_name);
		check_file(stem);
		free(entries[i]);
	}
	free(entries);
	check_coverage();
	check_table("engine/play/ids.h");
	check_table("engine/doc/diag_ids.h");
	return tap_done();
}
