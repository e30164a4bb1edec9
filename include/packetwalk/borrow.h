/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_BORROW_H
#define PACKETWALK_BORROW_H

#include <packetwalk/buf.h>
#include <packetwalk/probe.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * What a container has, for the `borrow` of a check: programs run in it with
 * kubectl exec, one at a time, each bounded in time and output. Nothing that
 * comes from the cluster ever becomes part of a program text: scripts are
 * constants, and what they work on are their arguments.
 *
 * Errors: PW_UNSUPPORTED (the container has no shell, or none of the programs
 * that could tell), PW_DENIED (no right to exec), PW_ABSENT (no such pod, or
 * it does not run), PW_TIMEOUT, PW_NOMEM (more output than `out` may hold),
 * PW_NET (the exec did not come about otherwise), each with what was said.
 */
struct pw_tools;

/* Is the program in the container? Known are those the functions below use, and: cat dig getent head host node nslookup perl socat. */
bool pw_tools_have(const struct pw_tools *tools, const char *name);

/* Runs argv (NULL-terminated) in the container. stdout and stderr together go to `out`; *ret_status is the exit status. */
int pw_tools_run(struct pw_tools *tools, const char *const *argv, unsigned timeout_ms, struct pw_buf *out, int *ret_status, struct pw_err *err);

/* Runs a script of the container's POSIX shell with arguments (NULL-terminated, $1 and on) to its last line; an end before that
 * is an error. What it prints goes to `out`. */
int pw_tools_script(struct pw_tools *tools, const char *script, const char *const *args, unsigned timeout_ms, struct pw_buf *out, struct pw_err *err);

/*
 * The probes of probe.h, as far as borrowed programs can make them. Each fills
 * the same map, and adds `tool`, the program that told. What a program cannot
 * tell is left out, or said so: a TCP attempt may have the result `refused` (by
 * a RST or by an ICMP error) and `untold` (it failed, and its program does not say how).
 */
int pw_borrow_tcp(struct pw_ctx *ctx, struct pw_tools *tools, const struct pw_tcp_spec *spec, struct pw_val *ret, struct pw_err *err);
int pw_borrow_udp(struct pw_ctx *ctx, struct pw_tools *tools, const char *address, unsigned port, const void *payload, size_t len,
		  unsigned count, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err);
int pw_borrow_dns(struct pw_ctx *ctx, struct pw_tools *tools, const struct pw_dns_query *query, struct pw_val *ret, struct pw_err *err);
/* By the rules of the container's libc, hosts file first. Without anything to ask DNS servers with, what its getent finds; what that
 * does not find is PW_UNSUPPORTED, as it does not say why. */
int pw_borrow_lookup(struct pw_ctx *ctx, struct pw_tools *tools, const char *name, unsigned timeout_ms, struct pw_val *ret, struct pw_err *err);
int pw_borrow_resolv_conf(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *ret, struct pw_err *err);
int pw_borrow_http(struct pw_ctx *ctx, struct pw_tools *tools, const struct pw_http_spec *spec, struct pw_val *ret, struct pw_err *err);
/* As pw_read_listeners of dataplane.h, without backlog and v6only. */
int pw_borrow_listeners(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *ret, struct pw_err *err);
/* From here on pw_ctx_open and pw_ctx_read_file see these files of the container (absolute paths, NULL-terminated), as far as they are
 * there; a path after a question mark reads as empty: that it is there is all that is asked. PW_NOMEM: together longer than 256 KiB. */
int pw_borrow_files(struct pw_ctx *ctx, struct pw_tools *tools, const char *const *paths, struct pw_err *err);

#pragma GCC visibility pop

#endif
