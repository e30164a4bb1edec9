/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_PLAY_H
#define ENGINE_PLAY_PLAY_H

#include <packetwalk/buf.h>
#include <packetwalk/check.h>
#include <packetwalk/val.h>

/* A playbook, loaded: the tree as the walker, the linter and the drawer see it.
 * Everything lives in the playbook's arena; strings and places are borrowed. */

#define PW_PLAY_LANGUAGE 1 /* `packetwalk: 1` */

struct pw_diags;

enum pw_layer { PW_LAYER_INFRASTRUCTURE, PW_LAYER_KUBERNETES, PW_LAYER_CNI, PW_LAYER_THIRD_PARTY, PW_LAYER_APPLICATION,
		PW_LAYER_COUNT, PW_LAYER_NONE = PW_LAYER_COUNT, PW_LAYER_UNKNOWN };
const char *pw_layer_word(enum pw_layer layer);
bool pw_layer_parse(const char *word, enum pw_layer *ret);

struct pw_play_input {
	const char *name;
	enum pw_type type;
	const char *ask;          /* the question */
	const char *help;         /* for `?`, NULL if none */
	const char *otherwise;    /* default, may hold ${...}; NULL if none */
	bool optional;
	const char *const *choices; size_t n_choices;
	struct pw_place place;
};

/* "layer" or "layer/component" */
struct pw_play_claim { enum pw_layer layer; const char *component; /* NULL: the whole layer */ struct pw_place place; };

#define PW_VERDICT_CALLEE (-2) /* `verdict: callee`: that of the playbook the step called; steps that call one only */

struct pw_play_edge {
	const char *const *outcomes; size_t n_outcomes; /* 0: else */
	int go;                   /* index of a step, -1 */
	int verdict;              /* index of a verdict, PW_VERDICT_CALLEE, or -1; exactly one of the two */
	const struct pw_play_claim *clears; size_t n_clears;
	const struct pw_play_claim *suspects; size_t n_suspects;
	const char *says;         /* optional template: why this edge, for `w`; NULL */
	struct pw_place place;
};

enum pw_play_kind { PW_STEP_CHECK, PW_STEP_ASK, PW_STEP_PLAYBOOK };

struct pw_play_step {
	const char *id, *title, *why, *hop;
	enum pw_play_kind kind;
	const char *check;        /* PW_STEP_CHECK: name */
	const struct pw_check *decl; /* resolved, NULL if not found */
	const char *at;           /* vantage template, NULL: here */
	const struct pw_val *with; /* map of templates (strings, seqs, maps), NULL; PW_STEP_PLAYBOOK: the inputs `given` */
	const char *for_each;     /* template naming a list, NULL */
	const char *as;           /* loop variable, "item" unless said */
	unsigned timeout_ms;      /* 0: the check's */
	const char *ask;          /* PW_STEP_ASK: the question, a template */
	const char *const *answers; size_t n_answers; /* words; "not-sure" is always one */
	const char *const *asks; size_t n_asks; /* PW_STEP_PLAYBOOK: inputs of the callee that a person is asked for */
	const char *playbook;     /* PW_STEP_PLAYBOOK: name; outcomes are fault, healthy, inconclusive */
	struct pw_play *callee;   /* resolved */
	const struct pw_play_edge *edges; size_t n_edges;
	struct pw_place place;
};

struct pw_play_verdict {
	const char *id;
	enum pw_layer layer;
	const char *component, *hop; /* hop NULL: that of the step that decided */
	const char *says;         /* template */
	const char *const *actions; size_t n_actions; /* `do`, templates */
	const char *settle;       /* layer unknown: the observation that would decide; template or NULL */
	const struct pw_play_claim *could_be; size_t n_could_be; /* layer unknown: the causes not told apart */
	struct pw_place place;
};

struct pw_play_test {
	const struct pw_val *given;    /* inputs, `outcomes` map, optional `evidence` map of maps */
	const char *verdict;           /* id */
	const char *const *path; size_t n_path; /* 0: not asserted */
	struct pw_place place;
};

struct pw_play {
	struct pw_arena *arena;
	const char *file, *name, *title, *direction, *about;
	const char *source; size_t source_len; /* text of the file, for excerpts */
	char hash[17];            /* of the source, hex, for resume */
	const char *const *symptoms; size_t n_symptoms;
	const struct pw_play_input *inputs; size_t n_inputs;
	struct pw_play_step *steps; size_t n_steps;
	const struct pw_play_verdict *verdicts; size_t n_verdicts;
	const struct pw_play_test *tests; size_t n_tests;
	int start;
	const struct pw_val *tree; /* the document, for the places of what the structs hold as text */
	struct pw_play *const *callees; size_t n_callees; /* every playbook called from here, at any depth; freed with this one */
};

/* Where checks and playbooks are found while loading. */
struct pw_play_env {
	const struct pw_check *(*check)(void *arg, const char *name);  /* NULL: not found */
	size_t (*check_names)(void *arg, const char *const **ret);     /* for "did you mean" */
	/* Text of another playbook by name; caller frees *ret and *ret_path. */
	int (*playbook)(void *arg, const char *name, char **ret, size_t *ret_len, char **ret_path, struct pw_err *err);
	void *arg;
	/* Names of the fields of an input type, NULL-terminated. Callback NULL: those of the language reference. */
	const char *const *(*input_fields)(void *arg, enum pw_type type);
	size_t (*playbook_names)(void *arg, const char *const **ret);  /* for "did you mean"; NULL: no suggestion */
};

/* Parses and resolves, called playbooks too. Every problem goes to `diags` (made in `diag_arena`), sorted;
 * PW_SYNTAX if any is an error: then the proofs were tried as far as they make sense, so that one pass shows all. */
int pw_play_load(const char *text, size_t len, const char *file, const struct pw_play_env *env,
		 struct pw_arena *diag_arena, struct pw_diags *diags, struct pw_play **ret, struct pw_err *err);
void pw_play_free(struct pw_play *play);

int pw_play_step_index(const struct pw_play *play, const char *id);       /* -1 */
int pw_play_verdict_index(const struct pw_play *play, const char *id);    /* -1 */
/* The edge taken on an outcome: the one that names it, else `else`; NULL if neither. */
const struct pw_play_edge *pw_play_edge_for(const struct pw_play_step *step, const char *outcome);
/* All outcomes a step can end in (declared + unknown + skipped; every-X and mixed for loops; answers + not-sure). Array in arena. */
size_t pw_play_outcomes(const struct pw_play_step *step, struct pw_arena *arena, const char *const **ret);

/* The class of one of these outcomes. Of a loop: every-X has that of X, mixed is a failure, empty is not known. */
enum pw_class pw_play_outcome_class(const struct pw_play_step *step, const char *outcome);

/* The static proofs: every outcome handled, every path ends, no contradiction, every ${...} there and of the right type.
 * Adds to diags, sorted. PW_NOMEM: the proofs were not finished; nothing is proven then. */
int pw_play_lint(const struct pw_play *play, const struct pw_play_env *env, struct pw_diags *diags);

/* `packetwalk test`: the playbook's own cases and branch coverage. */
struct pw_play_coverage { size_t edges, taken; struct pw_val *missed; /* seq of "step: outcome" */ };
typedef void (*pw_play_case_fn)(void *arg, size_t index, const struct pw_play_test *test, bool passed, const char *why);
int pw_play_run_tests(const struct pw_play *play, struct pw_arena *arena, pw_play_case_fn fn, void *arg,
		      struct pw_play_coverage *ret, struct pw_err *err);

enum pw_graph { PW_GRAPH_TEXT, PW_GRAPH_MERMAID, PW_GRAPH_DOT };
/* Node ids equal step ids; `path` (may be NULL) lists step ids walked, to be marked. */
void pw_play_graph(const struct pw_play *play, enum pw_graph format, const char *const *path, size_t n_path, struct pw_buf *out);

/* JSON Schema (draft-07) of the language, and its reference page in Markdown, from the tables the loader uses. */
void pw_play_schema(const struct pw_play_env *env, struct pw_buf *out);
void pw_play_reference(struct pw_buf *out);

/* ---- templates: ${name}, ${name.field}, ${step-id.evidence}, ${this.evidence} (the step that ended last), ${loopvar.field} ---- */
struct pw_scope;  /* resolves references; see engine/run/scope.h */
/* Calls fn for every ${...} in text with the reference inside; offset: of its `$`. `$${` is a literal `${`.
 * fn returns PW_OK, or a code that ends it. Returns PW_SYNTAX on an unclosed one and on what is no reference. */
int pw_template_refs(const char *text, int (*fn)(void *arg, const char *ref, size_t len, size_t offset), void *arg, struct pw_err *err);
/* The text is one reference and nothing else: its inside. NULL: it is not. */
const char *pw_template_whole(const char *text, size_t *ret_len);
/* Calls `ref` for references as above, and `plain` for the text between them, escapes undone. Either may be NULL. */
int pw_template_walk(const char *text, int (*ref)(void *arg, const char *ref, size_t len, size_t offset),
		     int (*plain)(void *arg, const char *text, size_t len), void *arg, struct pw_err *err);

#endif
