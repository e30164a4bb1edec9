/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROBE_RESOLV_H
#define ENGINE_PROBE_RESOLV_H

#include <packetwalk/probe.h>

/* Names a resolver tries, by the rules of glibc and musl. */

enum pw_libc { PW_LIBC_UNKNOWN, PW_LIBC_GLIBC, PW_LIBC_MUSL };

enum { PW_NAMESERVERS_MAX = 3 }; /* MAXNS of both */

enum pw_libc pw_libc_word(const char *word); /* "glibc", "musl", else unknown */

/* Pure: the candidates of `name` under a parsed resolv.conf, in the order they are asked, into the seq `ret`. */
void pw_resolv_candidates(const char *name, enum pw_libc libc, const struct pw_val *conf, struct pw_val *ret);
/* Pure: hosts(5) as a seq of {address, names: [..]}. */
void pw_hosts_parse(const char *text, size_t len, struct pw_val *ret);

#endif
