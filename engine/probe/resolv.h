/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROBE_RESOLV_H
#define ENGINE_PROBE_RESOLV_H

#include <packetwalk/probe.h>

#include "dns.h"

/* Names a resolver tries, by the rules of glibc and musl. */

enum pw_libc { PW_LIBC_UNKNOWN, PW_LIBC_GLIBC, PW_LIBC_MUSL };

enum { PW_NAMESERVERS_MAX = 3 }; /* MAXNS of both */

/* What of a vantage's files decides a lookup: the configuration, and those whose being there says which libc it has. NULL-terminated. */
#define PW_RESOLV_CONF "/etc/resolv.conf"
#define PW_HOSTS_FILE "/etc/hosts"
#define PW_ALPINE_RELEASE "/etc/alpine-release"
extern const char *const pw_musl_loaders[], *const pw_glibc_loaders[];

enum pw_libc pw_libc_word(const char *word); /* "glibc", "musl", else unknown */

/* pw_probe_lookup, its questions asked by `exchange`; ms are those of the questions, not of the asking. */
int pw_lookup_by(struct pw_ctx *ctx, pw_dns_exchange_fn *exchange, void *arg, const char *name, const char *libc, bool hosts, unsigned timeout_ms,
		 struct pw_val *ret, struct pw_err *err);

/* Pure: the candidates of `name` under a parsed resolv.conf, in the order they are asked, into the seq `ret`. */
void pw_resolv_candidates(const char *name, enum pw_libc libc, const struct pw_val *conf, struct pw_val *ret);
/* Pure: hosts(5) as a seq of {address, names: [..]}. */
void pw_hosts_parse(const char *text, size_t len, struct pw_val *ret);

#endif
