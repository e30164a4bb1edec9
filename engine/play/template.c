/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Templates: text with ${references} in it. */
#include <play/play.h>

#include <string.h>

enum { REF_MAX = 256, SHOWN = 40 }; /* bytes of one reference; of it, in messages */

static bool ref_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Names joined by single dots. */
static bool is_ref(const char *text, size_t len)
{
	if (len == 0 || len > REF_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!ref_char(text[i]) && (text[i] != '.' || i == 0 || i + 1 == len || text[i - 1] == '.'))
			return false;
	return true;
}

static int bad_ref(const char *ref, size_t len, struct pw_err *err)
{
	return pw_err_set(err, PW_SYNTAX, "${%.*s} is not a reference: write ${name} or ${name.field}; a literal ${ is $${",
			  (int)(len < SHOWN ? len : SHOWN), ref);
}

static int emit(int (*plain)(void *arg, const char *text, size_t len), void *arg, const char *text, size_t len)
{
	return plain && len > 0 ? plain(arg, text, len) : PW_OK;
}

int pw_template_walk(const char *text, int (*ref)(void *arg, const char *ref, size_t len, size_t offset),
		     int (*plain)(void *arg, const char *text, size_t len), void *arg, struct pw_err *err)
{
	const char *from = text;
	for (const char *p = strchr(text, '$'); p; p = strchr(p, '$')) {
		if (p[1] == '$' && p[2] == '{') {
			int rc = emit(plain, arg, from, (size_t)(p - from));
			if (rc < 0)
				return rc;
			from = p + 1; /* the second $ stands for itself */
			p += 3;
			continue;
		}
		if (p[1] != '{') {
			p++;
			continue;
		}
		const char *end = strchr(p, '}');
		if (!end)
			return pw_err_set(err, PW_SYNTAX, "${%.*s is not closed with }; a literal ${ is $${", SHOWN, p + 2);
		size_t len = (size_t)(end - p - 2);
		if (!is_ref(p + 2, len))
			return bad_ref(p + 2, len, err);
		int rc = emit(plain, arg, from, (size_t)(p - from));
		if (rc == PW_OK && ref)
			rc = ref(arg, p + 2, len, (size_t)(p - text));
		if (rc < 0)
			return rc;
		p = from = end + 1;
	}
	return emit(plain, arg, from, strlen(from));
}

int pw_template_refs(const char *text, int (*fn)(void *arg, const char *ref, size_t len, size_t offset), void *arg, struct pw_err *err)
{
	return pw_template_walk(text, fn, NULL, arg, err);
}

const char *pw_template_whole(const char *text, size_t *ret_len)
{
	size_t len = strlen(text);
	if (len < 4 || strncmp(text, "${", 2) || text[len - 1] != '}' || !is_ref(text + 2, len - 3))
		return NULL;
	*ret_len = len - 3;
	return text + 2;
}
