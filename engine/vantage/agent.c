/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answering side: requests in, observations out, each made in a child of
 * this process by the same executor, until the asking side closes the pipe.
 * It judges nothing and knows nothing of the cluster.
 */
#include "executor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <base/registry.h>
#include <packetwalk/cleanup.h>

#include "remote.h"

enum {
	DOC_ARENA = PW_AGENT_REQUEST_MAX * 32,
	DEFAULT_OUTPUT = 4 << 20,
	TIMEOUT_MAX_MS = 600000, /* as declarations: validate.c */
};

struct server {
	int out_fd;
	const struct pw_executor_config *config;
	size_t max_reply;
	struct pw_executor *executor;
	struct pw_wire_reader reader;
};

/* Blocks until written: the asking side always reads. */
static int reply(const struct server *s, const struct pw_val *doc, struct pw_err *err)
{
	struct pw_buf out;
	size_t at = 0;
	pw_buf_init(&out, s->max_reply + PW_WIRE_HEAD);
	int rc = pw_wire_put(&out, doc, s->max_reply, err);
	while (rc == PW_OK && (rc = pw_wire_flush(&out, &at, s->out_fd, err)) > 0) {
		struct pollfd fd = { .fd = s->out_fd, .events = POLLOUT };
		rc = poll(&fd, 1, -1) < 0 && errno != EINTR ? pw_err_sys(err, PW_IO, errno, "cannot wait for the asking side") : PW_OK;
	}
	pw_buf_release(&out);
	return rc;
}

static int say_hello(const struct server *s, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_val *doc = pw_val_map(arena);
	pw_map_set_str(doc, "agent", PW_VERSION);
	pw_map_set_int(doc, "abi", PW_CHECK_ABI);
	struct pw_val *names = pw_map_set_seq(doc, "checks");
	for (const struct pw_check *const *check = pw_check_registry; *check; check++)
		pw_seq_add_str(names, (*check)->name);
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory to say hello");
	return reply(s, doc, err);
}

static int reply_error(const struct server *s, long long id, int code, const char *text, const char *log, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 16);
	struct pw_val *doc = pw_val_map(arena);
	pw_map_set_int(doc, "id", id);
	struct pw_val *error = pw_map_set_map(doc, "error");
	pw_map_set_int(error, "code", code);
	pw_map_set_str(error, "text", text);
	pw_map_set_str(doc, "log", log);
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for a reply");
	return reply(s, doc, err);
}

static const struct pw_check *find_check(const struct server *s, const char *name)
{
	if (s->config->find_check)
		return s->config->find_check(s->config->find_arg, name);
	for (const struct pw_check *const *check = pw_check_registry; *check; check++)
		if (!strcmp((*check)->name, name))
			return *check;
	return NULL;
}

/* ---- requests ---- */

static int start(const struct server *s, const struct pw_val *doc, long long id, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_vantage vantage;
	struct pw_val *params;
	const char *name = pw_map_str(doc, "check", "");
	const struct pw_check *check = find_check(s, name);
	if (!check || !check->probe)
		return pw_err_set(err, PW_UNSUPPORTED, "the agent has no check %.64s that looks at anything", name);
	const struct pw_val *at = pw_map_get(doc, "vantage");
	int rc = pw_vantage_from_val(at, &vantage, err);
	if (rc == PW_OK)
		rc = pw_params_check(check, pw_map_get(doc, "params"), arena, &params, err);
	if (rc < 0)
		return rc;
	long long timeout = pw_map_int(doc, "timeout_ms", 0);
	const struct pw_task task = { .id = (unsigned)id, .check = check, .vantage = &vantage, .say = pw_map_str(at, "say", NULL),
		.params = params, .timeout_ms = timeout > 0 && timeout <= TIMEOUT_MAX_MS ? (unsigned)timeout : 0, .probe_only = true };
	return pw_executor_start(s->executor, &task, err);
}

static int take_request(const struct server *s, const struct pw_val *doc, struct pw_arena *arena, struct pw_err *err)
{
	long long cancel = pw_map_int(doc, "cancel", -1), id = pw_map_int(doc, "id", -1);
	if (cancel >= 0 && cancel <= UINT32_MAX) {
		pw_executor_cancel(s->executor, (unsigned)cancel);
		return PW_OK;
	}
	if (id < 0 || id > UINT32_MAX)
		return pw_err_set(err, PW_SYNTAX, "a request without a number");
	struct pw_err why = PW_ERR_INIT;
	if (start(s, doc, id, arena, &why) == PW_OK)
		return PW_OK;
	return reply_error(s, id, why.code, why.text, "", err);
}

static int take_requests(struct server *s, struct pw_err *err)
{
	for (;;) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(DOC_ARENA);
		struct pw_val *doc;
		int rc = pw_wire_next(&s->reader, arena, &doc, err);
		if (rc <= 0)
			return rc;
		rc = take_request(s, doc, arena, err);
		if (rc < 0)
			return rc;
	}
}

/* ---- answers ---- */

static int send_done(const struct server *s, const struct pw_task_done *done, struct pw_arena *arena, struct pw_err *err)
{
	if (done->code == PW_CANCELLED)
		return PW_OK; /* nobody waits for it */
	if (done->code < 0)
		return reply_error(s, done->id, done->code, done->reason, done->log, err);
	struct pw_val *doc = pw_val_map(arena);
	pw_map_set_int(doc, "id", done->id);
	pw_map_set(doc, "observation", pw_val_copy(arena, done->observation));
	pw_map_set_str(doc, "log", done->log);
	struct pw_err why = PW_ERR_INIT;
	int rc = pw_arena_failed(arena) ? PW_NOMEM : reply(s, doc, &why);
	if (rc == PW_NOMEM)
		return reply_error(s, done->id, PW_NOMEM, "the observation is too large for the way back", done->log, err);
	if (rc < 0 && err)
		*err = why;
	return rc;
}

/* Waits for a child to end or a request to come; sends what has ended. */
static int work(struct server *s, int in_fd, struct pw_err *err)
{
	if (pw_executor_running(s->executor) == 0) {
		struct pollfd fd = { .fd = in_fd, .events = POLLIN };
		return poll(&fd, 1, -1) < 0 && errno != EINTR ? pw_err_sys(err, PW_IO, errno, "cannot wait for requests") : PW_OK;
	}
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((s->max_reply) * 32);
	struct pw_task_done done;
	int rc = pw_executor_wait(s->executor, -1, in_fd, arena, &done, err);
	return rc > 0 ? send_done(s, &done, arena, err) : rc;
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, 0) > 0;
}

static int serve(struct server *s, int in_fd, struct pw_err *err)
{
	int rc = say_hello(s, err);
	while (rc >= 0) {
		rc = work(s, in_fd, err);
		if (rc < 0 || !readable(in_fd))
			continue;
		rc = pw_wire_fill(&s->reader, in_fd, err);
		if (rc == 0)
			return pw_wire_pending(&s->reader) ? pw_err_set(err, PW_SYNTAX, "the asking side ended within a request") : PW_OK;
		if (rc > 0)
			rc = take_requests(s, err);
	}
	return rc;
}

int pw_agent_serve(int in_fd, int out_fd, const struct pw_executor_config *config, struct pw_err *err)
{
	struct pw_executor_config local = *config;
	local.via = NULL; /* an agent is the end of the way */
	size_t max_output = config->max_output ? config->max_output : DEFAULT_OUTPUT;
	struct server s = { .out_fd = out_fd, .config = config, .max_reply = max_output + PW_FRAME_EXTRA };
	s.executor = pw_executor_new(&local, err);
	if (!s.executor)
		return PW_NOMEM;
	pw_wire_reader_init(&s.reader, PW_AGENT_REQUEST_MAX);
	int rc = serve(&s, in_fd, err);
	pw_executor_free(s.executor);
	pw_wire_reader_release(&s.reader);
	return rc;
}
