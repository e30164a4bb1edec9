/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_CLEANUP_H
#define PACKETWALK_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <packetwalk/arena.h>
#include <packetwalk/buf.h>

/* Scope-end release, by type: `PW_CLEAN_FREE char *name = NULL;` */
static inline void pw_clean_free(void *p) { free(*(void **)p); }
static inline void pw_clean_close(int *fd) { if (*fd >= 0) (void)close(*fd); }
static inline void pw_clean_file(FILE **f) { if (*f) (void)fclose(*f); }
static inline void pw_clean_buf(struct pw_buf *b) { pw_buf_release(b); }
static inline void pw_clean_arena(struct pw_arena **a) { pw_arena_free(*a); }

#define PW_CLEAN_FREE __attribute__((cleanup(pw_clean_free)))
#define PW_CLEAN_CLOSE __attribute__((cleanup(pw_clean_close)))
#define PW_CLEAN_FILE __attribute__((cleanup(pw_clean_file)))
#define PW_CLEAN_BUF __attribute__((cleanup(pw_clean_buf)))
#define PW_CLEAN_ARENA __attribute__((cleanup(pw_clean_arena)))

#endif
