/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_SCHEMA_H
#define ENGINE_PLAY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The playbook language as tables: one per kind of map, a row per key. The
 * loader, its "did you mean", the JSON Schema and the reference page all read
 * these, so they cannot disagree. To add a key: a row here and a field in the
 * struct it fills (play.h).
 */

/* What a value looks like, and so how it is read. The field it fills is in brackets. */
enum pw_form {
	PW_FORM_VERSION,    /* the number of the language [nothing] */
	PW_FORM_NAME,       /* a lower-case name [const char *] */
	PW_FORM_TEXT,       /* any scalar, as written, not empty [const char *] */
	PW_FORM_TEMPLATE,   /* the same with ${...} in it [const char *] */
	PW_FORM_BOOL,       /* true or false [bool] */
	PW_FORM_DURATION,   /* 500ms, 2s, 1m30s; a bare number is seconds [unsigned, ms] */
	PW_FORM_WORD,       /* one of `words` [const char *] */
	PW_FORM_TYPE,       /* an input type [enum pw_type] */
	PW_FORM_LAYER,      /* a layer, none or unknown [enum pw_layer] */
	PW_FORM_COMPONENT,  /* a component of the vocabulary [const char *] */
	PW_FORM_CHECK,      /* the name of a check [const char *] */
	PW_FORM_STEP,       /* the name of a step [int] */
	PW_FORM_VERDICT,    /* the name of a verdict [int] */
	PW_FORM_VERDICT_ID, /* the same [const char *] */
	PW_FORM_TEXTS,      /* texts: a list, or one [const char *const * and size_t] */
	PW_FORM_TEMPLATES,  /* the same with ${...} */
	PW_FORM_NAMES,      /* names: a list, or one [the same] */
	PW_FORM_STEP_IDS,   /* names of steps: a list [the same] */
	PW_FORM_CLAIMS,     /* layer or layer/component: a list, or one [struct pw_play_claim * and size_t] */
	PW_FORM_VALUES,     /* a map of values with ${...} in them [const struct pw_val *] */
	PW_FORM_GIVEN,      /* inputs, outcomes and evidence of a test [const struct pw_val *] */
	PW_FORM_RECORD,     /* one map, by the table `of`, into the same struct */
	PW_FORM_TABLE,      /* name -> map by the table `of` [struct * and size_t] */
	PW_FORM_RECORDS,    /* a list of maps by the table `of` [struct * and size_t] */
	PW_FORM_EDGES,      /* outcomes -> map by the table `of` [struct pw_play_edge * and size_t] */
};

enum { PW_KEY_REQUIRED = 1 };

struct pw_schema;

struct pw_schema_key {
	const char *name;            /* NULL ends the list */
	enum pw_form form;
	unsigned flags;
	size_t at, at_n;             /* offsets of the field, and of its count */
	const char *const *words;    /* PW_FORM_WORD, NULL-terminated */
	const struct pw_schema *of;
	const char *needs;           /* has a meaning only together with this key, or NULL */
	const char *help;            /* one sentence */
};

struct pw_schema {
	const char *name;            /* "step" */
	const char *help;
	size_t size;                 /* of the struct it fills */
	size_t at_id, at_place;      /* PW_FORM_TABLE: offsets of the name and of the place */
	const struct pw_schema_key *keys;
	const char *const *one_of;   /* exactly one of these, NULL-terminated, or NULL */
};

extern const struct pw_schema pw_schema_playbook, pw_schema_input, pw_schema_step, pw_schema_edge, pw_schema_verdict,
	pw_schema_test, pw_schema_expect;

const struct pw_schema_key *pw_schema_find(const struct pw_schema *schema, const char *name);
/* The form in words: "a duration such as 2s". */
const char *pw_form_says(enum pw_form form);

#define PW_NAME_MAX 64 /* bytes of a name */
bool pw_is_name(const char *text);

#endif
