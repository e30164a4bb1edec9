/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdbool.h>
#include <stddef.h>

/* TAP output for C tests. A test program's main ends with `return tap_done();`. */
bool tap_ok(bool pass, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool tap_str(const char *got, const char *want, const char *file, int line, const char *what);
bool tap_int(long long got, long long want, const char *file, int line, const char *what);
void tap_skip(const char *what, const char *reason);
int tap_done(void);

/* Under valgrind a program is many times slower, and some system calls are its own. */
bool tap_on_valgrind(void);

/* A limit of time for what takes a known time when nothing slows it down. */
int tap_ms(int ms);

#define ok(cond, ...) tap_ok((cond), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, what) tap_str((got), (want), __FILE__, __LINE__, (what))
#define is_int(got, want, what) tap_int((long long)(got), (long long)(want), __FILE__, __LINE__, (what))

#endif
