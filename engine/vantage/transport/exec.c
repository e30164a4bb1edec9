/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any command that starts an agent: `exec:ip netns exec {node} packetwalk agent`.
 * It is split into arguments here, with quotes as in a shell but no shell;
 * {node}, {ns}, {pod} and {uid} are filled in afterwards, so that no name,
 * whatever it holds, can become more than a part of one argument.
 */
#include "transport.h"

#include <string.h>

enum { ARGS_MAX = 64, ARG_MAX_LEN = 4096 };

/* One argument of `*at` into `out`. 1: there was one; 0: the end. */
static int next_argument(const char **at, struct pw_buf *out, struct pw_err *err)
{
	const char *p = *at + strspn(*at, " \t");
	char quote = '\0';
	bool any = false;
	pw_buf_clear(out);
	for (; *p && (quote || !strchr(" \t", *p)); p++) {
		any = true;
		if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? '\0' : *p;
			continue;
		}
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		pw_buf_putc(out, *p);
	}
	*at = p;
	if (quote)
		return pw_err_set(err, PW_USAGE, "--via exec: a %c is not closed", quote);
	if (!pw_buf_ok(out))
		return pw_err_set(err, PW_USAGE, "--via exec: an argument is too long");
	return any;
}

/* The value of a {word} at `text`, its length in *ret_len; NULL if it is none of ours. */
static const char *value_of(const char *text, const struct pw_vantage *v, size_t *ret_len)
{
	const struct { const char *word, *value; } words[] = {
		{ "{node}", v->node }, { "{ns}", v->ns }, { "{pod}", v->pod }, { "{uid}", v->uid },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		*ret_len = strlen(words[i].word);
		if (!strncmp(text, words[i].word, *ret_len))
			return words[i].value ? words[i].value : "";
	}
	return NULL;
}

static int fill_in(const char *arg, const struct pw_vantage *v, struct pw_arena *arena, const char **ret, struct pw_err *err)
{
	struct pw_buf out;
	pw_buf_init(&out, ARG_MAX_LEN);
	for (const char *p = arg; *p; ) {
		size_t len;
		const char *value = value_of(p, v, &len);
		if (!value) {
			pw_buf_putc(&out, *p++);
			continue;
		}
		if (!pw_transport_plain(value)) {
			pw_buf_release(&out);
			return pw_err_set(err, PW_USAGE, "--via exec: %.*s is \"%.100s\", which is not put on a command line", (int)len, p, value);
		}
		pw_buf_puts(&out, value);
		p += len;
	}
	*ret = pw_arena_strdup(arena, pw_buf_str(&out));
	bool fine = *ret && pw_buf_ok(&out);
	pw_buf_release(&out);
	return fine ? PW_OK : pw_err_set(err, PW_NOMEM, "--via exec: an argument is too long");
}

static int split(const char *rest, const struct pw_vantage *v, struct pw_arena *arena, const char **argv, struct pw_err *err)
{
	struct pw_buf arg;
	size_t n = 0;
	int rc;
	pw_buf_init(&arg, ARG_MAX_LEN);
	while ((rc = next_argument(&rest, &arg, err)) > 0) {
		if (n == ARGS_MAX) {
			rc = pw_err_set(err, PW_USAGE, "--via exec: more than %d arguments", ARGS_MAX);
			break;
		}
		rc = fill_in(pw_buf_str(&arg), v, arena, &argv[n++], err);
		if (rc < 0)
			break;
	}
	pw_buf_release(&arg);
	if (rc == PW_OK && n == 0)
		return pw_err_set(err, PW_USAGE, "--via exec: needs a command, such as exec:ip netns exec {node} packetwalk agent");
	return rc;
}

static int exec_argv(const struct pw_via *via, const struct pw_vantage *v, struct pw_arena *arena, const char *const **ret, struct pw_err *err)
{
	const char **argv = pw_arena_array(arena, ARGS_MAX + 1, sizeof *argv); /* zeroed: its end is there already */
	if (!argv)
		return pw_err_set(err, PW_NOMEM, "no memory for a command line");
	int rc = split(via->rest, v, arena, argv, err);
	if (rc < 0)
		return rc;
	*ret = argv;
	return PW_OK;
}

static int exec_check(const char *rest, struct pw_err *err)
{
	const struct pw_vantage any = { .kind = PW_AT_POD, .node = "n", .ns = "n", .pod = "p", .uid = "u" };
	struct pw_arena *arena = pw_arena_new((size_t)ARGS_MAX * ARG_MAX_LEN * 2);
	const char *const *argv;
	int rc = exec_argv(&(struct pw_via){ .rest = rest }, &any, arena, &argv, err);
	pw_arena_free(arena);
	return rc;
}

extern const struct pw_transport pw_transport_exec;
const struct pw_transport pw_transport_exec = {
	.name = "exec",
	.summary = "Any command that starts an agent",
	.usage = "exec:COMMAND, where {node}, {ns}, {pod} and {uid} are filled in",
	.check = exec_check,
	.argv = exec_argv,
};
