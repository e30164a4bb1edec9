/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The option parser. It knows nothing of this program's options: tables come
 * from the commands, and the same tables make help, man pages and completion.
 */
#include "options.h"

#include <ctype.h>
#include <string.h>

#include <base/text.h>

#define MAX_NAMES 512 /* options offered as "did you mean"; more than all tables together hold */

struct parser {
	const struct pw_opt *const *tables;
	size_t n_tables;
	bool lenient;
	int argc, at;
	char **argv;
	struct pw_arg *set;
	size_t n_set;
	const char **words;
	size_t n_words;
	struct pw_err *err;
};

void pw_opt_list_add(struct pw_opt_list *list, const struct pw_opt *opt)
{
	if (list->n + 1 >= list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 16;
		struct pw_opt *opts = pw_arena_array(list->arena, cap, sizeof *opts);
		if (!opts)
			return;
		if (list->n)
			memcpy(opts, list->opts, list->n * sizeof *opts);
		list->opts = opts;
		list->cap = cap;
	}
	list->opts[list->n++] = *opt;
}

const struct pw_opt *pw_opt_find(const struct pw_opt *const *tables, size_t n_tables, const char *name, size_t len)
{
	for (size_t i = 0; i < n_tables; i++)
		for (const struct pw_opt *o = tables[i]; o && o->name; o++)
			if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
				return o;
	return NULL;
}

static const struct pw_opt *find_letter(const struct parser *p, char letter)
{
	for (size_t i = 0; i < p->n_tables; i++)
		for (const struct pw_opt *o = p->tables[i]; o && o->name; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

size_t pw_pair_name(const char *word)
{
	if (!isalpha((unsigned char)word[0]))
		return 0;
	size_t n = 1;
	while (isalnum((unsigned char)word[n]) || word[n] == '_' || word[n] == '-' || word[n] == '.')
		n++;
	return word[n] == '=' ? n : 0;
}

static int unknown(const struct parser *p, const char *name, size_t len)
{
	const char *names[MAX_NAMES];
	size_t n = 0;
	for (size_t i = 0; i < p->n_tables; i++)
		for (const struct pw_opt *o = p->tables[i]; o && o->name && n < MAX_NAMES; o++)
			names[n++] = o->name;
	char word[64];
	if (len >= sizeof word)
		len = sizeof word - 1;
	memcpy(word, name, len);
	word[len] = '\0';
	const char *near = pw_nearest(word, names, n);
	if (near)
		return pw_err_set(p->err, PW_USAGE, "unknown option --%s; did you mean --%s?", word, near);
	return pw_err_set(p->err, PW_USAGE, "unknown option --%s", word);
}

static void put(struct parser *p, const struct pw_opt *opt, const char *value)
{
	p->set[p->n_set++] = (struct pw_arg){ opt, value };
}

/* The word after an option as its value; "-" is a value, "-x" is not. */
static const char *next_value(struct parser *p, bool any)
{
	if (p->at + 1 >= p->argc)
		return NULL;
	const char *word = p->argv[p->at + 1];
	if (!any && word[0] == '-' && word[1])
		return NULL;
	p->at++;
	return word;
}

static int take_value(struct parser *p, const struct pw_opt *opt, const char *given)
{
	if (!opt->value) {
		if (given)
			return pw_err_set(p->err, PW_USAGE, "option --%s takes no value", opt->name);
		put(p, opt, "");
		return PW_OK;
	}
	if (!given)
		given = next_value(p, !(opt->flags & PW_OPT_MAYBE));
	if (!given && !(opt->flags & PW_OPT_MAYBE))
		return pw_err_set(p->err, PW_USAGE, "option --%s needs a value: %s", opt->name, opt->value);
	put(p, opt, given ? given : "");
	return PW_OK;
}

static int long_option(struct parser *p, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	const struct pw_opt *opt = pw_opt_find(p->tables, p->n_tables, text, len);
	if (opt)
		return take_value(p, opt, equals ? equals + 1 : NULL);
	if (!p->lenient)
		return unknown(p, text, len);
	if (!equals)
		(void)next_value(p, false);
	return PW_OK;
}

/* -n NS, -nNS, -n=NS, and flags together: -qv */
static int short_options(struct parser *p, const char *text)
{
	for (; *text; text++) {
		const struct pw_opt *opt = find_letter(p, *text);
		if (!opt && p->lenient)
			return PW_OK;
		if (!opt)
			return pw_err_set(p->err, PW_USAGE, "unknown option -%c", isprint((unsigned char)*text) ? *text : '?');
		if (!opt->value) {
			put(p, opt, "");
			continue;
		}
		const char *rest = text[1] == '=' ? text + 2 : text + 1;
		return take_value(p, opt, text[1] ? rest : NULL);
	}
	return PW_OK;
}

int pw_options_parse(int argc, char **argv, const struct pw_opt *const *tables, size_t n_tables, bool lenient,
		     struct pw_arena *arena, struct pw_args *ret, struct pw_err *err)
{
	size_t most = 1; /* every character of argv can at most be one option */
	for (int i = 0; i < argc; i++)
		most += strlen(argv[i]) + 1;
	struct parser p = { tables, n_tables, lenient, argc, 0, argv, pw_arena_array(arena, most, sizeof *p.set), 0,
			    pw_arena_array(arena, (size_t)argc + 1, sizeof *p.words), 0, err };
	if (!p.set || !p.words)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	bool options = true;
	for (; p.at < argc; p.at++) {
		const char *word = argv[p.at];
		int rc = PW_OK;
		if (options && strcmp(word, "--") == 0)
			options = false;
		else if (options && word[0] == '-' && word[1] == '-')
			rc = long_option(&p, word + 2);
		else if (options && word[0] == '-' && word[1])
			rc = short_options(&p, word + 1);
		else
			p.words[p.n_words++] = word;
		if (rc)
			return rc;
	}
	*ret = (struct pw_args){ p.set, p.n_set, p.words, p.n_words };
	return PW_OK;
}
