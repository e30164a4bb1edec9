/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing JSON: always valid, and safe to look at on a terminal. */
#include <doc/json.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>

static void write_escape(struct pw_buf *out, uint32_t c)
{
	static const char letters[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
	const char *at = c && c < 0x80 ? strchr(letters, (int)c) : NULL;
	if (at) {
		pw_buf_putc(out, '\\');
		pw_buf_putc(out, names[at - letters]);
	} else if (c < 0x10000) {
		pw_buf_printf(out, "\\u%04x", (unsigned)c);
	} else { /* a surrogate pair, RFC 8259 section 7 */
		c -= 0x10000;
		pw_buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + (c >> 10)), (unsigned)(0xdc00 + (c & 0x3ff)));
	}
}

void pw_json_write_str(struct pw_buf *out, const char *text, size_t len)
{
	pw_buf_putc(out, '"');
	size_t plain = 0; /* start of what can be copied as it is */
	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t n = pw_utf8_next(text + i, len - i, &c);
		if (n > 0 && !pw_char_unsafe(c) && c != '"' && c != '\\') {
			i += n;
			continue;
		}
		pw_buf_add(out, text + plain, i - plain);
		if (n == 0)
			pw_buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
		else
			write_escape(out, c);
		i += n > 0 ? n : 1;
		plain = i;
	}
	pw_buf_add(out, text + plain, len - plain);
	pw_buf_putc(out, '"');
}

/* The shorter of two forms that read back as the same number. JSON has no
 * infinity and no NaN: null. A whole number keeps ".0", and so its type. */
static void write_real(struct pw_buf *out, double value)
{
	char text[32];
	if (!isfinite(value)) {
		pw_buf_puts(out, "null");
		return;
	}
	(void)snprintf(text, sizeof text, "%.15g", value);
	double back = strtod(text, NULL);
	if (back < value || back > value)
		(void)snprintf(text, sizeof text, "%.17g", value);
	pw_buf_puts(out, text);
	if (!strpbrk(text, ".e"))
		pw_buf_puts(out, ".0");
}

static void break_line(struct pw_buf *out, unsigned indent, unsigned level)
{
	if (indent > 0)
		pw_buf_printf(out, "\n%*s", (int)(indent * level), "");
}

static void write_at(struct pw_buf *out, const struct pw_val *val, unsigned indent, unsigned level);

static void write_children(struct pw_buf *out, const struct pw_val *val, unsigned indent, unsigned level)
{
	bool map = pw_val_is(val, PW_VAL_MAP);
	size_t count = pw_val_count(val);
	pw_buf_putc(out, map ? '{' : '[');
	for (size_t i = 0; i < count && pw_buf_ok(out); i++) {
		if (i > 0)
			pw_buf_putc(out, ',');
		break_line(out, indent, level + 1);
		if (map) {
			const char *key = pw_map_key(val, i);
			pw_json_write_str(out, key, strlen(key));
			pw_buf_puts(out, indent > 0 ? ": " : ":");
		}
		write_at(out, pw_val_at(val, i), indent, level + 1);
	}
	if (count > 0)
		break_line(out, indent, level);
	pw_buf_putc(out, map ? '}' : ']');
}

static void write_at(struct pw_buf *out, const struct pw_val *val, unsigned indent, unsigned level)
{
	long long integer = 0;
	double real = 0;
	bool boolean = false;
	switch (pw_val_kind(val)) {
	case PW_VAL_NULL:
		pw_buf_puts(out, "null");
		break;
	case PW_VAL_BOOL:
		(void)pw_val_to_bool(val, &boolean);
		pw_buf_puts(out, boolean ? "true" : "false");
		break;
	case PW_VAL_INT:
		(void)pw_val_to_int(val, &integer);
		pw_buf_printf(out, "%lld", integer);
		break;
	case PW_VAL_REAL:
		(void)pw_val_to_real(val, &real);
		write_real(out, real);
		break;
	case PW_VAL_STR:
		pw_json_write_str(out, pw_val_text(val), pw_val_text_len(val));
		break;
	case PW_VAL_SEQ:
	case PW_VAL_MAP:
		write_children(out, val, indent, level);
		break;
	}
}

void pw_json_write(struct pw_buf *out, const struct pw_val *val, unsigned indent)
{
	write_at(out, val, indent, 0);
}
