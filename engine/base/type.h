/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_BASE_TYPE_H
#define ENGINE_BASE_TYPE_H

#include <packetwalk/check.h>

/* One value against a type and range ("1..65535", "a|b"; NULL: any). PW_USAGE says what is wanted. */
int pw_type_check(enum pw_type type, const char *range, const char *text, struct pw_err *err);

#endif
