/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The child that makes a pod: it runs kubectl, looks until the pod runs, and
 * then becomes the kubectl that starts an agent in it. What it finds out on
 * the way goes up the pipe on which the agent's documents will come.
 */
#include "creation.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>
#include <proc/child.h>
#include <proc/wire.h>

enum {
	TREE_MAX = 64 << 20,
	SAY_MAX = 1024,
	FRAME_MAX = 8192,
	CALL_MS = 10000,         /* one look */
	LOOK_MS = 300,           /* from one look to the next */
	EXIT_NO_EXEC = 127,
};

extern char **environ;

/* {"making": TEXT} while it comes, {"made": true} once it runs, {"failed": TEXT, "code": N} if it does not. */
static void tell(int fd, const char *key, const char *text, int code)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)FRAME_MAX * 4);
	struct pw_val *doc = pw_val_map(arena);
	if (text)
		pw_map_set_str(doc, key, text);
	else
		pw_map_set_bool(doc, key, true);
	if (code)
		pw_map_set_int(doc, "code", code);
	(void)pw_wire_send(fd, doc, FRAME_MAX, NULL); /* nobody reads any more: then the next write fails, too */
}

static void tell_making(int fd, const struct pw_made *made, const char *what)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, SAY_MAX * 2);
	pw_buf_printf(&text, "pod %s/%s: %s", made->ns, made->name, what);
	tell(fd, "making", pw_buf_str(&text), 0);
}

static int failed(const struct pw_made *made, int fd, const struct pw_err *why)
{
	struct pw_err err = PW_ERR_INIT;
	(void)pw_err_set(&err, why->code, "pod %s/%s: %s", made->ns, made->name, why->text);
	tell(fd, "failed", err.text, why->code);
	return 0;
}

/* One look. 1: it runs; 0: not yet, `say` has what it waits for; else it will not, or nobody may look. */
static int look(const struct pw_made *made, struct pw_buf *say, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(TREE_MAX);
	struct pw_val *pod = NULL;
	int rc = pw_kube_get(made->kube, made->ns, made->name, CALL_MS, arena, &pod, err);
	pw_buf_clear(say);
	if (rc == PW_NET || rc == PW_TIMEOUT) { /* the server may be back in a moment; the limit of the whole is another's */
		pw_buf_puts(say, err ? err->text : "");
		return 0;
	}
	if (rc < 0)
		return rc;
	switch (pw_made_state(pod, say)) {
	case PW_MADE_RUNS:
		return 1;
	case PW_MADE_FAILED:
		return pw_err_set(err, PW_UNSUPPORTED, "%s", pw_buf_str(say));
	case PW_MADE_WAITS:
		break;
	}
	return 0;
}

static int wait_until_it_runs(const struct pw_made *made, int fd, struct pw_err *err)
{
	int64_t until = pw_mono_ms() + made->start_ms;
	PW_CLEAN_BUF struct pw_buf say;
	pw_buf_init(&say, SAY_MAX);
	for (;;) {
		int rc = look(made, &say, err);
		if (rc)
			return rc < 0 ? rc : PW_OK;
		if (pw_mono_ms() >= until)
			return pw_err_set(err, PW_TIMEOUT, "%s; it did not run within %u s", pw_buf_str(&say), made->start_ms / 1000);
		tell_making(fd, made, pw_buf_str(&say));
		(void)poll(NULL, 0, LOOK_MS);
	}
}

static void settle(const struct pw_made *made, int fd)
{
	int64_t until = pw_mono_ms() + made->settle_ms, left;
	tell_making(fd, made, "it runs, and in a moment the network policies know it");
	while ((left = until - pw_mono_ms()) > 0)
		(void)poll(NULL, 0, (int)left);
}

static int become(const char *const *argv, int out_fd, const struct pw_made *made)
{
	char program[4096];
	struct pw_err err = PW_ERR_INIT;
	if (pw_program_find(argv[0], getenv("PATH"), program, sizeof program, &err) < 0)
		return failed(made, out_fd, &err);
	tell(out_fd, "made", NULL, 0);
	(void)signal(SIGPIPE, SIG_DFL); /* as programs expect it */
	if (dup2(out_fd, STDOUT_FILENO) < 0)
		return EXIT_NO_EXEC;
	/* execve wants char *const[] but promises not to write. */
	union { const char *const *in; char *const *out; } args = { argv };
	execve(program, args.out, environ);
	return EXIT_NO_EXEC;
}

int pw_made_child(void *arg, int out_fd)
{
	const struct pw_made_job *job = arg;
	const struct pw_made *made = job->made;
	struct pw_err err = PW_ERR_INIT;
	tell_making(out_fd, made, "the API server is asked for it");
	int rc = pw_kube_create(made->kube, made->manifest, PW_MADE_CREATE_MS, &err);
	if (rc < 0)
		return failed(made, out_fd, &err);
	tell(out_fd, "created", NULL, 0);
	rc = wait_until_it_runs(made, out_fd, &err);
	if (rc < 0)
		return failed(made, out_fd, &err);
	if (made->settle_ms)
		settle(made, out_fd);
	return become(job->argv, out_fd, made);
}
