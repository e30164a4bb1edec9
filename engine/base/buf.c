/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The growing byte string: one ceiling, one sticky error, always terminated. */
#include <packetwalk/buf.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>

enum { FIRST_CAP = 64 };

void pw_buf_init(struct pw_buf *buf, size_t max)
{
	*buf = (struct pw_buf){ .max = max < SIZE_MAX ? max : SIZE_MAX - 1 };
}

void pw_buf_release(struct pw_buf *buf)
{
	if (!buf)
		return;
	free(buf->data);
	pw_buf_init(buf, buf->max);
}

void pw_buf_clear(struct pw_buf *buf)
{
	buf->len = 0;
	buf->failed = PW_OK;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Room for `more` bytes and the NUL. */
static bool reserve(struct pw_buf *buf, size_t more)
{
	if (buf->failed)
		return false;
	if (more > buf->max - buf->len) {
		buf->failed = PW_NOMEM;
		return false;
	}
	size_t need = buf->len + more + 1;
	if (need <= buf->cap)
		return true;
	size_t cap = buf->cap ? buf->cap : FIRST_CAP;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > buf->max + 1)
		cap = buf->max + 1;
	char *data = realloc(buf->data, cap);
	if (!data) {
		buf->failed = PW_NOMEM;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void pw_buf_add(struct pw_buf *buf, const void *data, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void pw_buf_puts(struct pw_buf *buf, const char *text)
{
	pw_buf_add(buf, text, strlen(text));
}

void pw_buf_putc(struct pw_buf *buf, char c)
{
	pw_buf_add(buf, &c, 1);
}

void pw_buf_vprintf(struct pw_buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	if (len < 0) {
		buf->failed = PW_NOMEM;
	} else if (reserve(buf, (size_t)len)) {
		(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void pw_buf_printf(struct pw_buf *buf, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	pw_buf_vprintf(buf, fmt, ap);
	va_end(ap);
}

void pw_buf_escaped(struct pw_buf *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t n = pw_utf8_next(text + i, len - i, &c);
		if (n == 0) {
			pw_buf_printf(buf, "\\x%02x", (unsigned)(unsigned char)text[i]);
			n = 1;
		} else if (c == '\n') {
			pw_buf_puts(buf, "\\n");
		} else if (c == '\t') {
			pw_buf_puts(buf, "\\t");
		} else if (c < 0x20 || c == 0x7f) {
			pw_buf_printf(buf, "\\x%02x", (unsigned)c);
		} else if (pw_char_unsafe(c)) {
			pw_buf_printf(buf, "\\u{%04X}", (unsigned)c);
		} else {
			pw_buf_add(buf, text + i, n);
		}
		i += n;
	}
}

bool pw_buf_ok(const struct pw_buf *buf)
{
	return !buf->failed;
}

const char *pw_buf_str(const struct pw_buf *buf)
{
	return buf->data ? buf->data : "";
}

char *pw_buf_take(struct pw_buf *buf)
{
	pw_buf_add(buf, "", 0); /* an empty string is a string, too */
	if (buf->failed)
		return NULL;
	char *data = buf->data;
	pw_buf_init(buf, buf->max);
	return data;
}
