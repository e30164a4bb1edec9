/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs of a container, run by kubectl exec. This process keeps the user's
 * rights, as the kubectl it starts needs them (keys, log-in helpers), and
 * takes what the container says apart with that in mind.
 */
#include "tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>

#include <packetwalk/cleanup.h>
#include <proc/child.h>

enum {
	ARGS_MAX = 256,
	LIST_MAX = 16384,       /* bytes of the list of programs */
	SAID_MAX = 300,         /* bytes of kubectl's words repeated in a reason */
	LIST_MS = 10000,
	EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, /* as shells and runtimes say it */
};

extern char **environ;

/* Asked of each container. */
static const char *const programs[] = { "bash", "cat", "curl", "dd", "dig", "getent", "head", "host", "nc", "node", "nslookup", "od",
	"perl", "python3", "sleep", "socat", "timeout", "wget", NULL };

#define LAST_LINE "= end"

/* ---- what kubectl said ---- */

static bool says(const char *text, const char *words)
{
	return strcasestr(text, words) != NULL;
}

static void say_container(const struct pw_vantage *v, struct pw_buf *out)
{
	pw_buf_puts(out, "pod ");
	pw_buf_printf(out, "%s/%s", v->ns, v->pod);
	if (v->container && *v->container)
		pw_buf_printf(out, " (container %s)", v->container);
}

/* The last line it printed that says something. */
static const char *last_words(const char *log, size_t *ret_len)
{
	size_t end = strlen(log), begin;
	while (end && strchr("\r\n ", log[end - 1]))
		end--;
	begin = end;
	while (begin && log[begin - 1] != '\n')
		begin--;
	*ret_len = end - begin < SAID_MAX ? end - begin : SAID_MAX;
	return log + begin;
}

/* The runtime's words for a program that is not there: containerd's and CRI-O's with runc or crun, Docker's. */
static bool no_program(const char *log, int status)
{
	if (says(log, "executable file not found") || (says(log, "no such file or directory") && says(log, "exec")))
		return true;
	return status == EXIT_NOT_FOUND || status == EXIT_NOT_EXECUTABLE;
}

static int explain(const struct pw_tools *tools, const char *program, const char *log, int status, struct pw_err *err)
{
	size_t len;
	const char *words = last_words(log, &len);
	PW_CLEAN_BUF struct pw_buf where;
	pw_buf_init(&where, 1024);
	say_container(tools->vantage, &where);
	if (no_program(log, status))
		return pw_err_set(err, PW_UNSUPPORTED, "%s has no %s, so nothing can be borrowed in it: a pod made beside it (--max-effect creates), or an agent on its node, would look", pw_buf_str(&where), program);
	if (says(log, "forbidden"))
		return pw_err_set(err, PW_DENIED, "no right to exec into %s: %.*s", pw_buf_str(&where), (int)len, words);
	if (says(log, "not found") || says(log, "completed pod") || says(log, "is not running"))
		return pw_err_set(err, PW_ABSENT, "nothing can be run in %s: %.*s", pw_buf_str(&where), (int)len, words);
	return pw_err_set(err, PW_NET, "kubectl exec into %s failed: %.*s", pw_buf_str(&where), (int)len, len ? words : "it gave no reason");
}

/* "command terminated with exit code 3" is the last line when the program ran; all else is kubectl's own failure. */
static bool program_status(const char *log, int *ret)
{
	static const char ended[] = "command terminated with exit code ";
	size_t len;
	const char *words = last_words(log, &len);
	if (len <= strlen(ended) || strncmp(words, ended, strlen(ended)) != 0)
		return false;
	*ret = (int)strtol(words + strlen(ended), NULL, 10);
	return true;
}

/* ---- running ---- */

static unsigned wait_of(const struct pw_tools *tools, unsigned timeout_ms)
{
	unsigned left = pw_ctx_remaining_ms(tools->ctx);
	return timeout_ms && timeout_ms < left ? timeout_ms : left;
}

int pw_tools_run(struct pw_tools *tools, const char *const *argv, unsigned timeout_ms, struct pw_buf *out, int *ret_status, struct pw_err *err)
{
	const char *const *whole;
	int status = 0, code = 0;
	PW_CLEAN_BUF struct pw_buf log;
	pw_buf_init(&log, PW_CHILD_LOG_MAX);
	int rc = pw_kubectl_exec(tools->via, tools->vantage, argv, pw_ctx_arena(tools->ctx), &whole, err);
	if (rc == PW_OK)
		rc = pw_child_collect(whole, (const char *const *)environ, getenv("PATH"), wait_of(tools, timeout_ms), out, &log, &status, err);
	if (rc < 0)
		return rc;
	const char *said = pw_buf_str(&log);
	bool ran = !WIFSIGNALED(status) && (WEXITSTATUS(status) == 0 || program_status(said, &code));
	if (!ran || no_program(said, code))
		return explain(tools, argv[0], said, code, err);
	*ret_status = code;
	return PW_OK;
}

/* `out` without its last line, if that is the one that was to come. */
static bool cut_last_line(struct pw_buf *out)
{
	const size_t len = strlen(LAST_LINE "\n");
	if (out->len < len || memcmp(out->data + out->len - len, LAST_LINE "\n", len) != 0 || (out->len > len && out->data[out->len - len - 1] != '\n'))
		return false;
	out->len -= len;
	out->data[out->len] = '\0';
	return true;
}

int pw_tools_script(struct pw_tools *tools, const char *script, const char *const *args, unsigned timeout_ms, struct pw_buf *out, struct pw_err *err)
{
	const char *argv[ARGS_MAX] = { "sh", "-c", pw_arena_printf(pw_ctx_arena(tools->ctx), "%s\necho '" LAST_LINE "'\n", script), "sh" };
	size_t n = 4;
	int status = 0;
	for (; args && *args; args++) {
		if (n == ARGS_MAX - 1)
			return pw_err_set(err, PW_INTERNAL, "a script has more than %d arguments", ARGS_MAX);
		argv[n++] = *args;
	}
	if (!argv[2])
		return pw_err_set(err, PW_NOMEM, "no memory for a script");
	int rc = pw_tools_run(tools, argv, timeout_ms, out, &status, err);
	if (rc < 0 || cut_last_line(out))
		return rc;
	PW_CLEAN_BUF struct pw_buf where;
	pw_buf_init(&where, 1024);
	say_container(tools->vantage, &where);
	return pw_err_set(err, PW_UNSUPPORTED, "the shell of %s did not come to the end of what it was given (status %d)", pw_buf_str(&where), status);
}

/* ---- what is there ---- */

bool pw_tools_have(const struct pw_tools *tools, const char *name)
{
	const struct pw_val *have = pw_map_get(tools->known, "have");
	for (size_t i = 0; i < pw_val_count(have); i++)
		if (!strcmp(pw_val_text(pw_val_at(have, i)), name))
			return true;
	return false;
}

/* Only names that were asked for are taken. */
static void take_list(const char *text, struct pw_val *have)
{
	for (const char *const *name = programs; *name; name++)
		for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
			if (strcspn(line, "\n") == strlen(*name) && !strncmp(line, *name, strlen(*name))) {
				pw_seq_add_str(have, *name);
				break;
			}
}

static int list(struct pw_tools *tools, struct pw_val *found, struct pw_err *err)
{
	static const char script[] = "for t in \"$@\"; do command -v \"$t\" >/dev/null 2>&1 && echo \"$t\"; done";
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, LIST_MAX);
	int rc = pw_tools_script(tools, script, programs, LIST_MS, &out, err);
	if (rc == PW_OK)
		take_list(pw_buf_str(&out), pw_map_set_seq(found, "have"));
	return rc;
}

/* Failures that the next check would meet again. */
static bool lasts(int code)
{
	return code == PW_UNSUPPORTED || code == PW_DENIED || code == PW_ABSENT;
}

int pw_tools_open(struct pw_tools *tools, struct pw_val **ret_found, struct pw_err *err)
{
	struct pw_err why = PW_ERR_INIT;
	*ret_found = NULL;
	const struct pw_val *error = pw_map_get(tools->known, "error");
	if (error)
		return pw_err_set(err, (int)pw_map_int(error, "code", PW_UNSUPPORTED), "%s", pw_map_str(error, "text", "nothing can be borrowed there"));
	if (tools->known)
		return PW_OK;
	struct pw_val *found = pw_val_map(pw_ctx_arena(tools->ctx));
	int rc = list(tools, found, &why);
	if (rc < 0 && lasts(rc)) {
		struct pw_val *said = pw_map_set_map(found, "error");
		pw_map_set_int(said, "code", rc);
		pw_map_set_str(said, "text", why.text);
	}
	if (rc == PW_OK || lasts(rc))
		*ret_found = found;
	tools->known = found;
	return rc < 0 ? pw_err_set(err, rc, "%s", why.text) : PW_OK;
}
