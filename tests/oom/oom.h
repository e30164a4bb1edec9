/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_OOM_OOM_H
#define TESTS_OOM_OOM_H

#include <stdbool.h>
#include <stddef.h>

#include <packetwalk/err.h>

/*
 * What happens when memory ends. One scenario is one file tests/oom/NAME.c that
 * defines `oom_scenario`; nothing else is to be edited. It is run with its 1st,
 * 2nd, 3rd ... allocation failing, in our code and in every library, until a
 * run meets no failure. Each failing run must return PW_NOMEM and leave no
 * block behind; the last must return PW_OK.
 */
struct oom_scenario {
	int (*run)(struct pw_err *err);  /* does the work and releases everything */
	bool may_succeed;                /* a library copes with some failures by itself */
};
extern const struct oom_scenario oom_scenario;

/* The allocator's side (fail.c). */
void oom_arm(size_t nth);                /* the nth allocation from now on fails, and those after it succeed; 0: none */
bool oom_fired(void);                    /* disarms; whether it came to that */
long oom_live(void);                     /* blocks allocated and not yet freed */

#endif
