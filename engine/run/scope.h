/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_SCOPE_H
#define ENGINE_RUN_SCOPE_H

#include <packetwalk/buf.h>
#include <packetwalk/val.h>

/*
 * What ${...} can see during a walk: inputs with their fields, evidence of
 * finished steps, the loop variable. A scalar input is {"": text, field: ...}:
 * ${to} is its text, ${to.cluster_ip} a field. A reference that is a whole
 * string ("${to.endpoints}") yields the value itself, lists included.
 */
struct pw_scope;
#define PW_SCOPE_THIS "this" /* the step that ended last */
struct pw_scope *pw_scope_new(struct pw_arena *arena);
void pw_scope_set(struct pw_scope *scope, const char *name, const struct pw_val *value); /* map with "" for its text, or a scalar */
void pw_scope_unset(struct pw_scope *scope, const char *name);
const struct pw_val *pw_scope_get(const struct pw_scope *scope, const char *ref); /* NULL: not known */

/*
 * Fills in. PW_ABSENT with the reference named if one is not known (yet). Hyphens are legal in names; `$${` is a literal `${`.
 * What a step looked for and did not find is null: as a whole value it stays null (a parameter not given), within other text
 * it is PW_ABSENT, and pw_scope_expand_text, which is for sentences, writes "(not known)".
 */
int pw_scope_expand(const struct pw_scope *scope, const char *text, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err);
int pw_scope_expand_text(const struct pw_scope *scope, const char *text, struct pw_buf *out, struct pw_err *err); /* lists joined with ", " */
int pw_scope_expand_val(const struct pw_scope *scope, const struct pw_val *val, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err); /* deep */

#endif
