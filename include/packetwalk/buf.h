/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_BUF_H
#define PACKETWALK_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <packetwalk/err.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * A growing byte string with a ceiling given at birth and a sticky error:
 * appends need no check, the end needs one (pw_buf_ok). Always NUL-terminated.
 */
struct pw_buf {
	char *data;   /* NULL until the first append; use pw_buf_str to read */
	size_t len;   /* bytes, without the NUL */
	size_t cap;
	size_t max;   /* ceiling of len, in bytes */
	int failed;   /* PW_OK or PW_NOMEM, sticky */
};

void pw_buf_init(struct pw_buf *buf, size_t max);
void pw_buf_release(struct pw_buf *buf);
void pw_buf_clear(struct pw_buf *buf); /* empties, keeps memory, forgets the error */

void pw_buf_add(struct pw_buf *buf, const void *data, size_t len);
void pw_buf_puts(struct pw_buf *buf, const char *text);
void pw_buf_putc(struct pw_buf *buf, char c);
void pw_buf_printf(struct pw_buf *buf, const char *fmt, ...) PW_PRINTF(2, 3);
void pw_buf_vprintf(struct pw_buf *buf, const char *fmt, va_list ap) PW_PRINTF(2, 0);

/* Appends text safe for a terminal: control bytes, DEL, C1, invalid UTF-8 and
 * bidi controls become \xNN or \u{NNNN}; newlines and tabs become \n and \t. */
void pw_buf_escaped(struct pw_buf *buf, const char *text, size_t len);

bool pw_buf_ok(const struct pw_buf *buf);
const char *pw_buf_str(const struct pw_buf *buf); /* never NULL; borrow */
char *pw_buf_take(struct pw_buf *buf);            /* caller frees; NULL on error */

#pragma GCC visibility pop

#endif
