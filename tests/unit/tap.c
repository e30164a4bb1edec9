/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TAP producer shared by all C tests. */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

enum { VALGRIND_SLOWDOWN = 5 };

static int ran, bad;

static void verdict(bool pass, const char *text)
{
	printf("%sok %d - ", pass ? "" : "not ", ++ran);
	for (const char *p = text; *p; p++)
		putchar(*p == '\n' || *p == '#' ? ' ' : *p);
	putchar('\n');
	bad += !pass;
	(void)fflush(stdout); /* a child forked later must find nothing to repeat */
}

bool tap_ok(bool pass, const char *file, int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	verdict(pass, text);
	if (!pass)
		printf("  # at %s:%d\n", file, line);
	return pass;
}

bool tap_str(const char *got, const char *want, const char *file, int line, const char *what)
{
	bool pass = got && want ? !strcmp(got, want) : got == want;
	verdict(pass, what);
	if (!pass)
		printf("  # at %s:%d\n  # got:  %s\n  # want: %s\n", file, line, got ? got : "(null)", want ? want : "(null)");
	return pass;
}

bool tap_int(long long got, long long want, const char *file, int line, const char *what)
{
	verdict(got == want, what);
	if (got != want)
		printf("  # at %s:%d: got %lld, want %lld\n", file, line, got, want);
	return got == want;
}

void tap_skip(const char *what, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++ran, what, reason);
	(void)fflush(stdout);
}

bool tap_on_valgrind(void)
{
	return RUNNING_ON_VALGRIND != 0;
}

int tap_ms(int ms)
{
	return tap_on_valgrind() ? ms * VALGRIND_SLOWDOWN : ms;
}

int tap_done(void)
{
	printf("1..%d\n", ran);
	return bad ? 1 : 0;
}
