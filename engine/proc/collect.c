/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One program from start to end, its output collected. */
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <base/text.h>

#include "wire.h"

/* Reads what there is. 1: more may come; 0: end of file; PW_NOMEM: the ceiling of `out` is reached. */
static int drain(struct pw_child *child, struct pw_buf *out)
{
	char data[16384];
	for (;;) {
		ssize_t n = read(child->out_fd, data, sizeof data);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 1;
		if (n <= 0) {
			(void)close(child->out_fd);
			child->out_fd = -1;
			return 0;
		}
		pw_buf_add(out, data, (size_t)n);
		if (!pw_buf_ok(out))
			return PW_NOMEM;
	}
}

/* Writes what the pipe takes. A program that does not want all of it is none of our business. */
static void feed(struct pw_child *child, const struct pw_collect *how, size_t *at)
{
	ssize_t n = 1;
	while (child->in_fd >= 0 && *at < how->n_input && n > 0) {
		n = pw_write_quiet(child->in_fd, how->input + *at, how->n_input - *at);
		if (n > 0)
			*at += (size_t)n;
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return; /* poll says when there is room */
	}
	if (child->in_fd >= 0)
		(void)close(child->in_fd);
	child->in_fd = -1;
}

/* Until the program has ended. What it leaves running in the background is not waited for. */
static int follow(struct pw_child *child, const struct pw_collect *how, struct pw_buf *out, struct pw_err *err)
{
	int64_t deadline = pw_mono_ms() + how->timeout_ms;
	size_t fed = 0;
	bool ended = false;
	while (!ended) {
		int64_t left = deadline - pw_mono_ms();
		if (left <= 0)
			return pw_err_set(err, PW_TIMEOUT, "%s did not end within %u ms", how->argv[0], how->timeout_ms);
		struct pollfd fds[] = {
			{ .fd = child->pid_fd, .events = POLLIN },
			{ .fd = child->out_fd, .events = POLLIN },
			{ .fd = child->err_fd, .events = POLLIN },
			{ .fd = child->in_fd, .events = POLLOUT },
		};
		if (poll(fds, sizeof fds / sizeof *fds, (int)left) < 0 && errno != EINTR)
			return pw_err_sys(err, PW_IO, errno, "cannot wait for %s", how->argv[0]);
		ended = pw_child_ended(child); /* before the reads: then they see all it wrote */
		feed(child, how, &fed);
		pw_child_read_log(child);
		if (child->out_fd >= 0 && drain(child, out) < 0)
			return pw_err_set(err, PW_NOMEM, "%s wrote more than %zu bytes", how->argv[0], out->max);
	}
	return PW_OK;
}

int pw_child_converse(const struct pw_collect *how, struct pw_buf *out, struct pw_buf *log, int *ret_status, struct pw_err *err)
{
	struct pw_child_spec spec = { .argv = how->argv, .envp = how->envp, .path = how->path, .same_group = !how->own_group,
				      .stdin_pipe = how->input != NULL };
	struct pw_child child = PW_CHILD_INIT;
	int rc = pw_child_start(&spec, &child, err);
	if (rc < 0)
		return rc;
	rc = follow(&child, how, out, err);
	int status = pw_child_end(&child);
	if (log)
		pw_buf_add(log, pw_buf_str(&child.log), child.log.len);
	pw_child_release(&child);
	if (rc == PW_OK)
		*ret_status = status;
	return rc;
}

int pw_child_collect(const char *const *argv, const char *const *envp, const char *path, unsigned timeout_ms,
		     struct pw_buf *out, struct pw_buf *log, int *ret_status, struct pw_err *err)
{
	const struct pw_collect how = { .argv = argv, .envp = envp, .path = path, .timeout_ms = timeout_ms };
	return pw_child_converse(&how, out, log, ret_status, err);
}
