/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_LOADER_H
#define ENGINE_PLAY_LOADER_H

#include <play/play.h>
#include <play/schema.h>

/* From a document to a playbook, table by table. For the files of the loader only. */

struct pw_callees;

struct pw_loader {
	struct pw_play *play;
	struct pw_arena *arena;       /* of the playbook */
	struct pw_diags *diags;
	const struct pw_play_env *env;
	const struct pw_val *steps, *verdicts; /* maps of the document: their names are known before they are read */
	size_t errors;                /* complaints, also those the list had no room for */
	struct pw_callees *callees;   /* playbooks called so far, by whom */
	const struct pw_loader *caller; /* NULL: the one asked for */
	const char *asked;            /* the name it was called by, NULL at the top */
	const char *chain;            /* "called from a.yaml:3:5", NULL at the top */
};

#define PW_TABLE_MAX 1000      /* steps, verdicts, tests: ten times a large playbook, and the proofs are quadratic */
#define PW_EDGES_MAX 100       /* edges of one step, outcomes of one edge; a check declares at most 64 (vantage/validate.c) */

/* Reads one map by its table. Never fails: what is wrong goes to diags, the field keeps what it was. */
void pw_load_record(struct pw_loader *loader, const struct pw_schema *schema, const struct pw_val *val, struct pw_place place, void *record);
/* What a table cannot say of one record, once it is read. */
void pw_load_record_done(struct pw_loader *loader, const struct pw_schema *schema, const struct pw_val *val, void *record);
/* Reads one value that is no container of records. */
void pw_load_value(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record);
/* The map of edges of a step. */
void pw_load_edges(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record);
/* The `given` of a test. */
void pw_load_given(struct pw_loader *loader, const struct pw_schema_key *key, const struct pw_val *val, void *record);
/* Resolves the playbooks that are called. */
void pw_load_callees(struct pw_loader *loader);
int pw_load_document(struct pw_loader *loader, const char *text, size_t len, const char *file, struct pw_err *err);

/* Complaints. */
void pw_load_error(struct pw_loader *loader, struct pw_place place, const char *id, const char *fix, const char *fmt, ...) PW_PRINTF(5, 6);
void pw_load_error_two(struct pw_loader *loader, struct pw_place place, struct pw_place other, const char *id, const char *fix,
		       const char *fmt, ...) PW_PRINTF(6, 7);
/* "did you mean X?", or the few that are possible; NULL if neither helps. */
const char *pw_suggest(struct pw_arena *arena, const char *word, const char *const *names, size_t n);
/* The keys of a map as a list of names. */
size_t pw_map_names(struct pw_arena *arena, const struct pw_val *map, const char *const **ret);
/* Reports a value of the wrong form, or an empty one. */
void pw_load_wrong(struct pw_loader *loader, const char *what, const char *wanted, const struct pw_val *val);
void pw_load_put(void *record, size_t at, const void *value, size_t size);

#endif
