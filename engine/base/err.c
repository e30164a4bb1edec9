/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The error object: one sentence of bounded length, held by value. */
#include <packetwalk/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <base/text.h>

static const char ellipsis[] = "...";

/* Cuts at a whole UTF-8 character and says so. `wrote` is vsnprintf's answer. */
static void mark_cut(char *text, size_t cap, int wrote)
{
	if (wrote >= 0 && (size_t)wrote < cap)
		return;
	size_t end = wrote < 0 ? 0 : cap - sizeof ellipsis;
	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, ellipsis, sizeof ellipsis);
}

/* By way of `text`, because the arguments may lie in `err` itself. */
PW_PRINTF(3, 0) static void format(struct pw_err *err, int code, const char *fmt, va_list ap)
{
	char text[sizeof err->text];
	mark_cut(text, sizeof text, vsnprintf(text, sizeof text, fmt, ap));
	pw_err_clear(err);
	err->code = code;
	memcpy(err->text, text, strlen(text) + 1);
}

/* The end of a path tells more than its beginning. */
static void set_file(struct pw_err *err, const char *file)
{
	size_t len = strlen(file);
	if (len < sizeof err->file) {
		memcpy(err->file, file, len + 1);
		return;
	}
	const char *tail = file + len - (sizeof err->file - sizeof ellipsis);
	while (((unsigned char)*tail & 0xc0) == 0x80)
		tail++;
	(void)snprintf(err->file, sizeof err->file, "%s%s", ellipsis, tail);
}

int pw_err_set(struct pw_err *err, int code, const char *fmt, ...)
{
	if (!err)
		return code;
	va_list ap;
	va_start(ap, fmt);
	format(err, code, fmt, ap);
	va_end(ap);
	return code;
}

int pw_err_sys(struct pw_err *err, int code, int sys, const char *fmt, ...)
{
	if (!err)
		return code;
	va_list ap;
	va_start(ap, fmt);
	format(err, code, fmt, ap);
	va_end(ap);
	err->sys = sys;
	size_t len = strlen(err->text);
	mark_cut(err->text, sizeof err->text,
		 (int)len + snprintf(err->text + len, sizeof err->text - len, ": %s", strerror(sys)));
	return code;
}

int pw_err_at(struct pw_err *err, int code, const char *file, unsigned line, unsigned col, const char *fmt, ...)
{
	if (!err)
		return code;
	va_list ap;
	va_start(ap, fmt);
	format(err, code, fmt, ap);
	va_end(ap);
	if (file)
		set_file(err, file);
	err->line = line;
	err->col = col;
	return code;
}

int pw_err_wrap(struct pw_err *err, const char *fmt, ...)
{
	if (!err)
		return PW_INTERNAL;
	char inner[sizeof err->text];
	memcpy(inner, err->text, sizeof inner);
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < sizeof err->text)
		len += snprintf(err->text + len, sizeof err->text - (size_t)len, ": %s", inner);
	mark_cut(err->text, sizeof err->text, len);
	return err->code;
}

void pw_err_clear(struct pw_err *err)
{
	if (!err)
		return;
	err->code = PW_OK;
	err->sys = 0;
	err->line = err->col = 0;
	err->file[0] = err->text[0] = '\0';
}
