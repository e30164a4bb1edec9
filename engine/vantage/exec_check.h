/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_EXEC_CHECK_H
#define ENGINE_VANTAGE_EXEC_CHECK_H

#include <packetwalk/ctx.h>

/*
 * A check that is a program, declared in NAME.check.yaml:
 *
 *     packetwalk-check: 1
 *     summary: Ask the thing whether it is well
 *     argv: [/usr/lib/nagios/plugins/check_tcp, -H, "${address}", -p, "${port}"]
 *     params:
 *       address: {type: address, required: true, help: Whom to ask}
 *       port: {type: port, default: 80, help: On which port}
 *     nagios: true        # 0 ok, 1 warning, 2 critical, 3 unknown-status, perfdata after |
 *     timeout: 10s
 *     effect: sends       # none reads sends execs creates privileged; "execs" unless said
 *     needs: [net-raw]    # net-raw net-admin root-files; nothing unless said
 *
 * Without `nagios: true`, exit status 0 is `ok` and 1 to 3 are `failed`. A
 * program that is killed, exits above 3 or prints nothing is never ok: `error`.
 */
#define PW_EXEC_CHECK_SUFFIX ".check.yaml"
#define PW_EXEC_CHECK_LANGUAGE 1

struct pw_exec_check;

int pw_exec_check_load(const char *file, const char *name, struct pw_exec_check **ret, struct pw_err *err);
void pw_exec_check_free(struct pw_exec_check *exec);
const struct pw_check *pw_exec_check_decl(const struct pw_exec_check *exec); /* valid until free */

/* Performance data after the `|` of a plugin's output: ret map label -> {value, unit, warn, crit, min, max}. Pure. */
void pw_nagios_perfdata(const char *text, size_t len, struct pw_val *ret);

/* Inside: what runs and judges (nagios.c), for what was loaded (exec_check.c). */
struct pw_exec_spec { const char *const *argv; bool nagios; };
const struct pw_exec_spec *pw_exec_check_spec(const struct pw_check *check);
int pw_exec_check_probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err);
int pw_exec_check_judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err);
extern const struct pw_outcome pw_nagios_outcomes[], pw_program_outcomes[];
extern const struct pw_evidence pw_program_evidence[];

#endif
