/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parent's side of one task: what goes into its child, and what of the answer is believed. */
#include "job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>

#include "borrow/tools.h"
#include "ctx_priv.h"
#include "enter.h"

enum {
	ARENA_FACTOR = 32,        /* a tree takes more room than its text: bytes of arena per byte of output */
	MAX_FILES = 1024,
	MAX_FILE_BYTES = 1 << 30, /* a capture kept for later is the largest thing a check writes */
	CPU_EXTRA_S = 2,          /* CPU seconds beyond the wall clock deadline */
	REASON_MAX = 1024,
	WHERE_MAX = 512,
	LOG_SHOWN = 200,          /* bytes of stderr repeated in a reason */
	SAYS_MAX = 4096,
};

int pw_job_new(const struct pw_task *task, const struct pw_job_limits *limits, struct pw_job **ret, struct pw_err *err)
{
	struct pw_job *job = calloc(1, sizeof *job);
	if (!job)
		return pw_err_set(err, PW_NOMEM, "no memory for a task");
	job->arena = pw_arena_new((limits->max_output + PW_FRAME_EXTRA) * ARENA_FACTOR);
	job->id = task->id;
	job->check = task->check;
	job->facts = task->facts;
	job->timeout_ms = task->timeout_ms ? task->timeout_ms : task->check->timeout_ms;
	job->probe_only = task->probe_only;
	job->observed = task->observation != NULL;
	job->params = task->params ? pw_val_copy(job->arena, task->params) : pw_val_map(job->arena);
	job->observation = task->observation ? pw_val_copy(job->arena, task->observation) : pw_val_map(job->arena);
	job->child = (struct pw_child)PW_CHILD_INIT;
	pw_buf_init(&job->log, PW_CHILD_LOG_MAX);
	pw_wire_reader_init(&job->reader, limits->max_output + PW_FRAME_EXTRA);
	struct pw_buf where;
	pw_buf_init(&where, WHERE_MAX);
	const struct pw_vantage here = { .kind = PW_AT_HERE };
	bool copied = pw_vantage_copy(task->vantage ? task->vantage : &here, job->arena, &job->vantage);
	if (task->say)
		pw_buf_puts(&where, task->say);
	else
		pw_vantage_say(&job->vantage, &where);
	job->where = pw_arena_strdup(job->arena, pw_buf_str(&where));
	pw_buf_release(&where);
	if (!copied || pw_arena_failed(job->arena)) {
		pw_job_free(job);
		return pw_err_set(err, PW_NOMEM, "no memory for a task");
	}
	*ret = job;
	return PW_OK;
}

void pw_job_free(struct pw_job *job)
{
	if (!job)
		return;
	pw_child_release(&job->child);
	pw_wire_reader_release(&job->reader);
	pw_buf_release(&job->log);
	pw_arena_free(job->arena);
	free(job);
}

/* ---- how it ends ---- */

static void finish(struct pw_job *job, int code)
{
	int64_t took = job->started_ms ? pw_mono_ms() - job->started_ms : 0;
	job->duration_ms = took > 0 ? (unsigned)took : 0;
	job->code = code;
	job->state = PW_JOB_DONE;
	job->agent = NULL;
	(void)pw_child_end(&job->child);
	if (!job->log.len)
		pw_buf_add(&job->log, pw_buf_str(&job->child.log), job->child.log.len);
	pw_wire_reader_release(&job->reader);
}

/* Conventions: `error` is a defect of packetwalk or a plugin, `unknown` what could not be found out. */
static enum pw_class class_of(int code)
{
	return code == PW_INTERNAL ? PW_CLASS_ERROR : PW_CLASS_UNKNOWN;
}

static void fail_v(struct pw_job *job, int code, const char *fmt, va_list ap) PW_PRINTF(3, 0);
static void fail_v(struct pw_job *job, int code, const char *fmt, va_list ap)
{
	char text[REASON_MAX];
	(void)vsnprintf(text, sizeof text, fmt, ap);
	job->reason = pw_arena_strdup(job->arena, text);
	if (!job->reason)
		job->reason = "the task failed, and there was no memory left to say why";
	job->outcome = PW_OUTCOME_UNKNOWN;
	job->klass = class_of(code);
	job->says = job->reason;
	job->evidence = NULL;
	finish(job, code);
}

void pw_job_fail(struct pw_job *job, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fail_v(job, code, fmt, ap);
	va_end(ap);
}

void pw_job_set_observation(struct pw_job *job, const struct pw_val *observation)
{
	job->observation = pw_val_copy(job->arena, observation);
	job->observed = true;
	job->agent = NULL;
	if (!job->observation)
		pw_job_fail(job, PW_NOMEM, "no memory for what the check %s saw at %s", job->check->name, job->where);
	else if (job->probe_only)
		finish(job, PW_OK);
	else
		job->state = PW_JOB_QUEUED;
}

/* ---- the answer ---- */

static void take_error(struct pw_job *job, const struct pw_val *error)
{
	long long code = pw_map_int(error, "code", PW_INTERNAL);
	if (code >= PW_OK || code < PW_CANCELLED)
		code = PW_INTERNAL;
	const char *text = pw_map_str(error, "text", "");
	pw_job_fail(job, (int)code, "%s", *text ? text : "the check failed without a reason");
}

/* What was seen from another pod is not said as if it had been seen from this one. */
static const char *say_from(const struct pw_job *job, const char *says)
{
	if (job->vantage.way != PW_WAY_PROBE_POD)
		return says;
	const char *said = pw_arena_printf(job->arena, "From %s: %s", job->where, says);
	return said ? said : says;
}

static void take_judgement(struct pw_job *job)
{
	struct pw_err err = PW_ERR_INIT;
	const char *word = pw_map_str(job->frame, "outcome", "");
	const struct pw_outcome *outcome = pw_outcome_find(job->check, word);
	bool unknown = pw_map_bool(job->frame, "unknown", false);
	const struct pw_val *evidence = pw_map_get(job->frame, "evidence");
	if (!unknown && !outcome) {
		pw_job_fail(job, PW_INTERNAL, "the check %s ended in \"%.64s\", which it does not declare; this is a defect of the check",
			    job->check->name, word);
		return;
	}
	if (pw_evidence_check(job->check, evidence, &err) < 0) {
		pw_job_fail(job, err.code, "%s", err.text);
		return;
	}
	job->outcome = unknown ? PW_OUTCOME_UNKNOWN : outcome->word;
	job->klass = unknown ? PW_CLASS_UNKNOWN : outcome->klass;
	const char *says = say_from(job, pw_map_str(job->frame, "says", ""));
	job->says = strlen(says) <= SAYS_MAX ? says : pw_arena_strndup(job->arena, says, SAYS_MAX);
	job->evidence = evidence;
	finish(job, PW_OK);
}

static void take_frame(struct pw_job *job)
{
	const struct pw_val *seen = pw_map_get(job->frame, "observation");
	if (pw_val_is(seen, PW_VAL_MAP))
		job->observation = seen;
	const struct pw_val *error = pw_map_get(job->frame, "error");
	if (error)
		take_error(job, error);
	else if (job->probe_only)
		finish(job, PW_OK);
	else
		take_judgement(job);
}

/* The first line of what it printed, for a reason. */
static void add_complaint(const struct pw_job *job, struct pw_buf *out)
{
	const char *log = pw_buf_str(&job->child.log);
	size_t len = strcspn(log, "\n");
	if (!len)
		return;
	pw_buf_puts(out, ": ");
	pw_buf_escaped(out, log, len < LOG_SHOWN ? len : LOG_SHOWN);
}

/* It has ended: a whole frame and a clean exit are an answer, all else is not. */
static void take_end(struct pw_job *job)
{
	const char *name = job->check->name;
	size_t rest = pw_wire_pending(&job->reader);
	int status = pw_child_end(&job->child);
	if (status == 0 && job->frame && !rest) {
		take_frame(job);
		return;
	}
	struct pw_buf how, complaint;
	pw_buf_init(&how, REASON_MAX);
	pw_buf_init(&complaint, REASON_MAX);
	pw_child_say_status(status, &how);
	add_complaint(job, &complaint);
	if (status == 0 && rest)
		pw_job_fail(job, PW_INTERNAL, "the process of the check %s answered with garbage: an unfinished document", name);
	else
		pw_job_fail(job, PW_INTERNAL, "the process of the check %s %s%s%s", name, pw_buf_str(&how),
			    status == 0 ? " without an answer" : "", pw_buf_str(&complaint));
	pw_buf_release(&how);
	pw_buf_release(&complaint);
}

/* One read and, if that completed it, the frame. 1: something came; 0: nothing now. */
static int read_some(struct pw_job *job, struct pw_err *err)
{
	size_t before = pw_wire_pending(&job->reader);
	if (job->child.out_fd < 0)
		return 0;
	int rc = pw_wire_fill(&job->reader, job->child.out_fd, err);
	if (rc == 0) {
		(void)close(job->child.out_fd);
		job->child.out_fd = -1;
	}
	if (rc < 0)
		return rc;
	bool more = pw_wire_pending(&job->reader) != before;
	if (!job->frame)
		rc = pw_wire_next(&job->reader, job->arena, &job->frame, err);
	if (rc < 0)
		return rc;
	if (job->frame && pw_wire_pending(&job->reader))
		return pw_err_set(err, PW_SYNTAX, "more than one document");
	return more;
}

/* Reads all there is. false: the job is done, with a reason. */
static bool read_answer(struct pw_job *job)
{
	struct pw_err err = PW_ERR_INIT;
	int rc;
	do
		rc = read_some(job, &err);
	while (rc > 0);
	if (rc == PW_NOMEM)
		pw_job_fail(job, rc, "the check %s wrote more than it may and was stopped: %s", job->check->name, err.text);
	else if (rc < 0)
		pw_job_fail(job, PW_INTERNAL, "the process of the check %s answered with garbage: %s", job->check->name, err.text);
	return rc >= 0;
}

/* ---- its life ---- */

bool pw_job_borrows(const struct pw_job *job)
{
	return !job->observed && job->vantage.way == PW_WAY_BORROW;
}

void pw_job_start(struct pw_job *job, const struct pw_job_limits *limits)
{
	struct pw_job_run run = { .job = job, .max_output = limits->max_output };
	struct pw_err err = PW_ERR_INIT;
	/* A kubectl maps far more memory than it uses: the limit is for what checks do themselves. */
	bool borrows = pw_job_borrows(job);
	unsigned time_ms = job->timeout_ms + (borrows ? PW_BORROW_EXTRA_MS : 0);
	const struct pw_child_spec spec = { .run = pw_job_child, .arg = &run, .max_memory = borrows ? 0 : limits->max_memory,
		.max_file = MAX_FILE_BYTES, .max_files = MAX_FILES, .cpu_s = time_ms / 1000 + CPU_EXTRA_S };
	int64_t now = pw_mono_ms();
	if (!job->started_ms)
		job->started_ms = now;
	job->kill_ms = now + time_ms + PW_KILL_GRACE_MS;
	if (pw_child_start(&spec, &job->child, &err) < 0)
		pw_job_fail(job, err.code, "the check %s did not start: %s", job->check->name, err.text);
	else
		job->state = PW_JOB_CHILD;
}

void pw_job_service(struct pw_job *job, int64_t now_ms)
{
	bool ended = pw_child_ended(&job->child); /* before the reads: then they see all it wrote */
	pw_child_read_log(&job->child);
	if (!read_answer(job))
		return;
	if (ended)
		take_end(job);
	else if (now_ms >= job->kill_ms)
		pw_job_fail(job, PW_TIMEOUT, "the check %s did not end within %u ms at %s and was killed", job->check->name,
			    job->timeout_ms, job->where);
}

void pw_job_fill(const struct pw_job *job, struct pw_arena *arena, struct pw_task_done *ret)
{
	struct pw_buf log;
	pw_buf_init(&log, PW_CHILD_LOG_MAX * 4); /* escaping makes it longer */
	pw_buf_escaped(&log, pw_buf_str(&job->log), job->log.len);
	const char *shown = pw_buf_str(&log);
	*ret = (struct pw_task_done){
		.id = job->id, .code = job->code, .klass = job->klass, .duration_ms = job->duration_ms,
		.outcome = pw_arena_strdup(arena, job->outcome ? job->outcome : ""),
		.says = pw_arena_strdup(arena, job->says ? job->says : ""),
		.reason = pw_arena_strdup(arena, job->reason),
		.evidence = job->evidence ? pw_val_copy(arena, job->evidence) : pw_val_map(arena),
		.observation = job->observation ? pw_val_copy(arena, job->observation) : pw_val_map(arena),
		.log = pw_arena_strndup(arena, shown, strnlen(shown, PW_CHILD_LOG_MAX)),
	};
	pw_buf_release(&log);
}
