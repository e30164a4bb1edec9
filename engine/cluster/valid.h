/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_VALID_H
#define ENGINE_CLUSTER_VALID_H

#include <packetwalk/val.h>

/*
 * What an API server would refuse, said as it would: kind, namespace/name and
 * the field. One struct pw_valid walks one object; the path grows and shrinks
 * with the walk.
 */
struct pw_valid {
	const struct pw_val *object;
	const char *kind;
	struct pw_err *err;
	char path[256];
	size_t len;
};

size_t pw_valid_push(struct pw_valid *valid, const char *fmt, ...) PW_PRINTF(2, 3); /* returns what pop wants */
void pw_valid_pop(struct pw_valid *valid, size_t len);
/* PW_SYNTAX at the place of `at` (or of the object, if `at` has none). */
int pw_valid_refuse(struct pw_valid *valid, const struct pw_val *at, const char *fmt, ...) PW_PRINTF(3, 4);

/* The names and words of apimachinery's validation package. */
bool pw_is_dns_label(const char *text);
bool pw_is_dns_subdomain(const char *text);
bool pw_is_label_value(const char *text);
bool pw_is_qualified_name(const char *text);
bool pw_is_port_name(const char *text);   /* IANA service name */

int pw_valid_kind(struct pw_valid *valid, const struct pw_val *val, enum pw_val_kind kind); /* absent is fine */
int pw_valid_meta(struct pw_valid *valid);                                  /* a name, labels */
int pw_valid_labels(struct pw_valid *valid, const struct pw_val *labels);
int pw_valid_selector(struct pw_valid *valid, const struct pw_val *selector);
int pw_valid_cidr(struct pw_valid *valid, const struct pw_val *cidr);       /* required */
int pw_valid_protocol(struct pw_valid *valid, const struct pw_val *protocol);

/* Calls fn for each item of object[key] with the path at key[i]; object[key] must be a list if it is there. */
int pw_valid_each(struct pw_valid *valid, const struct pw_val *object, const char *key,
		  int (*fn)(struct pw_valid *valid, const struct pw_val *item));

#endif
