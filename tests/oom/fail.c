/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * malloc and its kin, in front of the real ones for the whole process, shared
 * libraries included: they count, and fail when told to. The real ones are the
 * C library's or AddressSanitizer's, whichever comes next.
 */
#include "oom.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC visibility push(default) /* hidden, they would serve this file only */

static size_t until_failure; /* 0: not armed */
static bool fired;
static long live;

void oom_arm(size_t nth)
{
	until_failure = nth;
	fired = false;
}

bool oom_fired(void)
{
	until_failure = 0;
	return fired;
}

long oom_live(void)
{
	return live;
}

/* Whether this one is to fail. */
static bool unlucky(void)
{
	if (until_failure == 0 || --until_failure > 0)
		return false;
	fired = true;
	errno = ENOMEM;
	return true;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

/* By name, not by dlsym, which allocates. The sanitizer's are there or are not. */
#define NEXT(ret, name, ...) \
	extern ret __interceptor_##name(__VA_ARGS__) __attribute__((weak)); \
	extern ret __libc_##name(__VA_ARGS__)
NEXT(void *, malloc, size_t);
NEXT(void *, calloc, size_t, size_t);
NEXT(void *, realloc, void *, size_t);
NEXT(void, free, void *);
#define REAL(name) (__interceptor_##name ? __interceptor_##name : __libc_##name)

void *malloc(size_t size)
{
	return unlucky() ? NULL : counted(REAL(malloc)(size));
}

void *calloc(size_t n, size_t size)
{
	return unlucky() ? NULL : counted(REAL(calloc)(n, size));
}

void *realloc(void *p, size_t size)
{
	if (unlucky())
		return NULL;
	void *moved = REAL(realloc)(p, size);
	return p ? moved : counted(moved);
}

void free(void *p)
{
	live -= p != NULL;
	REAL(free)(p);
}

/* The sanitizer's versions would not come by here. */
char *strndup(const char *text, size_t n)
{
	size_t len = strnlen(text, n);
	char *copy = malloc(len + 1);
	if (copy) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	return strndup(text, SIZE_MAX - 1);
}

#pragma GCC visibility pop
