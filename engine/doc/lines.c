/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines and columns of a text, as libyaml counts them. */
#include <doc/lines.h>

#include <string.h>

#include <base/text.h>

size_t pw_bom_len(const char *text, size_t len)
{
	return len >= PW_BOM_LEN && !memcmp(text, "\xef\xbb\xbf", PW_BOM_LEN) ? PW_BOM_LEN : 0;
}

size_t pw_char_len(const char *text, size_t len)
{
	uint32_t c;
	size_t n = pw_utf8_next(text, len, &c);
	return n > 0 ? n : len > 0;
}

size_t pw_break_len(const char *text, size_t len)
{
	if (len >= 2 && text[0] == '\r' && text[1] == '\n')
		return 2;
	if (len >= 1 && (text[0] == '\n' || text[0] == '\r'))
		return 1;
	if (len >= 2 && !memcmp(text, "\xc2\x85", 2))
		return 2;
	if (len >= 3 && (!memcmp(text, "\xe2\x80\xa8", 3) || !memcmp(text, "\xe2\x80\xa9", 3)))
		return 3;
	return 0;
}

size_t pw_columns(const char *text, size_t len)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i += pw_char_len(text + i, len - i))
		count++;
	return count;
}

const char *pw_line_find(const char *text, size_t len, unsigned number, size_t *ret_len)
{
	if (number == 0)
		return NULL;
	size_t i = pw_bom_len(text, len);
	while (number > 1 && i < len) {
		size_t broken = pw_break_len(text + i, len - i);
		number -= broken > 0;
		i += broken > 0 ? broken : 1;
	}
	if (number > 1)
		return NULL;
	size_t end = i;
	while (end < len && !pw_break_len(text + end, len - end))
		end++;
	*ret_len = end - i;
	return text + i;
}

void pw_line_place(const char *text, size_t len, size_t offset, unsigned *ret_line, unsigned *ret_col)
{
	unsigned line = 1;
	size_t i = pw_bom_len(text, len), start = i;
	while (i < offset && i < len) {
		size_t broken = pw_break_len(text + i, len - i);
		if (broken > offset - i)
			break;
		i += broken > 0 ? broken : 1;
		if (broken > 0) {
			line++;
			start = i;
		}
	}
	*ret_line = line;
	*ret_col = (unsigned)pw_columns(text + start, offset > start ? offset - start : 0) + 1;
}
