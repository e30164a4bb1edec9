/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DOC_YAML_H
#define ENGINE_DOC_YAML_H

#include <packetwalk/buf.h>
#include <packetwalk/val.h>

/* Ceilings of one YAML document set: a playbook is small, a cluster bundle is not. */
struct pw_yaml_limits {
	size_t bytes;     /* of the input */
	unsigned depth;   /* of nesting */
	size_t nodes;     /* after alias expansion */
};
extern const struct pw_yaml_limits pw_yaml_playbook_limits; /* 1 MiB, 32, 100,000 */
extern const struct pw_yaml_limits pw_yaml_bundle_limits;   /* 256 MiB, 64, 20,000,000 */

/* Collected complaints of one pass (duplicate keys and the like do not stop
 * the load; a syntax error does). */
struct pw_diag {
	struct pw_place place;
	struct pw_place other;     /* second place (first use of a duplicate key), line 0 if none */
	const char *id;            /* "PW0101" */
	const char *text, *fix;    /* fix may be NULL */
	int severity;              /* 0 error, 1 warning */
	const char *chain;         /* "included from a.yaml:3:5", or NULL */
};
struct pw_diags;               /* grows in an arena; after 1,000 the rest is dropped */
struct pw_diags *pw_diags_new(struct pw_arena *arena);
void pw_diags_add(struct pw_diags *diags, int severity, struct pw_place place, const char *id, const char *fix, const char *fmt, ...) PW_PRINTF(6, 7);
void pw_diags_add_two(struct pw_diags *diags, int severity, struct pw_place place, struct pw_place other, const char *id, const char *fix, const char *fmt, ...) PW_PRINTF(7, 8);
/* What led to this document ("included from a.yaml:3:5"), for what is added from now on. NULL: nothing. */
void pw_diags_chain(struct pw_diags *diags, const char *chain);
size_t pw_diags_count(const struct pw_diags *diags, int severity); /* -1: all */
bool pw_diags_failed(const struct pw_diags *diags);                 /* out of memory: a complaint is missing */
void pw_diags_sort(struct pw_diags *diags);                        /* by file, line, column */
const struct pw_diag *pw_diags_at(const struct pw_diags *diags, size_t i);
/* `file:line:col: error[PW0101]: text`, the source line, a caret, the other
 * place likewise, the fix. `source` is the text of place.file, NULL if not at
 * hand. The ids are in doc/diag_ids.h. All of it is escaped for a terminal. */
void pw_diag_format(const struct pw_diag *diag, const char *source, size_t len, struct pw_buf *out);

/*
 * One document (more is an error), or all of a stream (`ret` is a seq then;
 * empty documents are left out, so a file of comments gives an empty seq).
 * Values keep file:line:col. A leading BOM and CRLF are fine.
 *
 * Every complaint goes to `diags`. Those that leave a tree (duplicate keys,
 * merge keys, a second document) do not fail the call: ask pw_diags_count.
 * Those that do not (syntax, limits, text that is not text) return PW_SYNTAX
 * and stand in `err` as well. With `diags` NULL the first error is returned.
 *
 * Plain `null`, `~` and nothing at all are PW_VAL_NULL; every other scalar is
 * PW_VAL_STR as written. A list of words as a key (`[timeout, reset]: ...`)
 * becomes the key "[timeout, reset]", joined by ", ".
 */
int pw_yaml_parse(const char *text, size_t len, const char *file, const struct pw_yaml_limits *limits,
		  struct pw_arena *arena, struct pw_diags *diags, const struct pw_val **ret, struct pw_err *err);
int pw_yaml_parse_all(const char *text, size_t len, const char *file, const struct pw_yaml_limits *limits,
		      struct pw_arena *arena, struct pw_diags *diags, const struct pw_val **ret, struct pw_err *err);

/* Reads a regular file whole, at most `max` bytes. Caller frees *ret, which is
 * NUL-terminated. "-" is stdin. PW_ABSENT, PW_DENIED or PW_IO; PW_SYNTAX if too large. */
int pw_file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct pw_err *err);

/* Writes a file that appears whole or not at all, with `mode` less the umask. `durable`: it is on the disk when this returns. */
int pw_file_write(const char *path, unsigned mode, const struct pw_buf *text, bool durable, struct pw_err *err);
/* All of it, whatever interrupts. -1 and errno. */
int pw_write_all(int fd, const char *text, size_t len);

#endif
