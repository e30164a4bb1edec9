/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_FIELDS_H
#define ENGINE_PLAY_FIELDS_H

#include <packetwalk/check.h>

/* What ${input.FIELD} is, by the input's type. */
struct pw_field {
	const char *name;              /* NULL ends the list */
	enum pw_type type;
	const struct pw_field *item;   /* PW_TYPE_LIST: the fields of its items; NULL: they are plain */
};

/* The fields of a type; an empty list for types that have none. */
const struct pw_field *pw_fields_of(enum pw_type type);
const struct pw_field *pw_field_find(const struct pw_field *fields, const char *name, size_t len);

#endif
