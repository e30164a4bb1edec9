/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The executor: a list of jobs, each in one state, and one poll over all that
 * could move one of them on. Jobs end in the order the world ends them.
 */
#include "executor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <base/libcurl.h>
#include <base/text.h>

#include "borrow/tools.h"
#include "created/creation.h"
#include "enter.h"
#include "job.h"
#include "remote.h"

enum {
	DEFAULT_JOBS = 16,
	DEFAULT_OUTPUT = 4 << 20,
	DEFAULT_MEMORY = 512 << 20,
	JOB_FDS = 3,
};

struct pw_executor {
	char *via_text;
	const struct pw_transport *transport; /* NULL: none */
	struct pw_via via;
	struct pw_ways ways;
	unsigned max_jobs, next_serial;
	struct pw_job_limits limits;
	struct pw_job *jobs;                  /* in the order they were started */
	struct pw_agent *agents;
	struct pw_containers *containers;     /* what those have in which something was borrowed */
	struct pollfd *fds;
	size_t fds_cap;
};

struct pw_executor *pw_executor_new(const struct pw_executor_config *config, struct pw_err *err)
{
	struct pw_executor *ex = calloc(1, sizeof *ex);
	if (!ex) {
		(void)pw_err_set(err, PW_NOMEM, "no memory for the executor");
		return NULL;
	}
	(void)pw_libcurl_load(NULL); /* before a check enters another file system; one that uses it says what is missing */
	ex->max_jobs = config->jobs ? config->jobs : DEFAULT_JOBS;
	ex->limits.max_output = config->max_output ? config->max_output : DEFAULT_OUTPUT;
	ex->limits.max_memory = config->max_memory ? config->max_memory : DEFAULT_MEMORY;
	if (!config->via && !config->found_kubectl)
		return ex;
	ex->via_text = strdup(config->via ? config->via : pw_transport_kubectl.name);
	ex->via.kubectl = config->kubectl;
	if (!ex->via_text)
		(void)pw_err_set(err, PW_NOMEM, "no memory for the executor");
	if (!ex->via_text || pw_transport_find(ex->via_text, &ex->transport, &ex->via.rest, err) < 0) {
		pw_executor_free(ex);
		return NULL;
	}
	bool kubectl = ex->transport == &pw_transport_kubectl, makes = kubectl && config->creation;
	ex->ways = (struct pw_ways){ .via = config->via != NULL, .kubectl = kubectl, .probe_pods = makes, .node_pods = makes,
				     .creation = makes ? config->creation : NULL };
	return ex;
}

const struct pw_ways *pw_executor_ways(const struct pw_executor *ex)
{
	return &ex->ways;
}

bool pw_executor_is_bare(const struct pw_executor *ex, const struct pw_vantage *vantage)
{
	return pw_map_get(pw_containers_get(ex->containers, vantage), "error") != NULL;
}

enum pw_effect pw_way_effect(enum pw_way way)
{
	static const enum pw_effect effects[] = { [PW_WAY_LOCAL] = PW_EFFECT_NONE, [PW_WAY_AGENT] = PW_EFFECT_NONE, [PW_WAY_BORROW] = PW_EFFECT_EXECS,
		[PW_WAY_PROBE_POD] = PW_EFFECT_CREATES, [PW_WAY_NODE_POD] = PW_EFFECT_PRIVILEGED, [PW_WAY_NONE] = PW_EFFECT_NONE };
	return effects[way];
}

void pw_executor_free(struct pw_executor *ex)
{
	if (!ex)
		return;
	for (struct pw_job *job = ex->jobs, *next; job; job = next) {
		next = job->next;
		pw_job_free(job);
	}
	while (ex->agents)
		pw_agent_remove(&ex->agents, ex->agents);
	pw_containers_free(ex->containers);
	free(ex->fds);
	free(ex->via_text);
	free(ex);
}

size_t pw_executor_running(const struct pw_executor *ex)
{
	size_t n = 0;
	for (const struct pw_job *job = ex->jobs; job; job = job->next)
		n++;
	return n;
}

int pw_executor_start(struct pw_executor *ex, const struct pw_task *task, struct pw_err *err)
{
	struct pw_job **tail = &ex->jobs, *job;
	for (; *tail; tail = &(*tail)->next)
		if ((*tail)->id == task->id)
			return pw_err_set(err, PW_INTERNAL, "a task with the number %u is running already", task->id);
	int rc = pw_job_new(task, &ex->limits, &job, err);
	if (rc < 0)
		return rc;
	job->serial = ++ex->next_serial;
	*tail = job;
	return PW_OK;
}

bool pw_executor_waits(const struct pw_executor *ex, unsigned id, struct pw_buf *ret_for, unsigned *ret_ms, unsigned *ret_limit_ms)
{
	for (const struct pw_job *job = ex->jobs; job; job = job->next)
		if (job->id == id && job->state == PW_JOB_REMOTE)
			return pw_agent_waits(job->agent, ret_for, ret_ms, ret_limit_ms);
	return false;
}

void pw_executor_cancel(struct pw_executor *ex, unsigned id)
{
	for (struct pw_job *job = ex->jobs; job; job = job->next) {
		if (job->id != id || job->state == PW_JOB_DONE)
			continue;
		if (job->state == PW_JOB_REMOTE)
			pw_agent_cancel(job->agent, job);
		pw_job_fail(job, PW_CANCELLED, "cancelled");
	}
}

/* ---- moving jobs on ---- */

/* Why no pod was made for it, where one would have been a way; "". */
static const char *why_not_made(const struct pw_vantage *v)
{
	const struct pw_made *const pods[] = { v->probe_pod, v->node_pod };
	for (size_t i = 0; i < sizeof pods / sizeof *pods; i++)
		if (pods[i] && pw_made_is_over(pods[i]))
			return pods[i]->why;
	return "";
}

static void start_remote(struct pw_executor *ex, struct pw_job *job)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_agent *agent;
	const char *why = pw_vantage_made(&job->vantage) ? "" : why_not_made(&job->vantage);
	if (!ex->transport)
		pw_job_fail(job, PW_UNSUPPORTED, "no way into %s: pass --via TRANSPORT (see packetwalk help run)", job->where);
	else if (pw_agent_get(&ex->agents, ex->transport, &ex->via, &job->vantage, ex->limits.max_output, &agent, &err) < 0)
		pw_job_fail(job, err.code, "%s%s%s", err.text, *why ? "; " : "", why);
	else
		pw_agent_ask(agent, job);
}

static void start_job(struct pw_executor *ex, struct pw_job *job)
{
	if (pw_job_borrows(job)) {
		job->via = &ex->via;
		job->container = pw_containers_get(ex->containers, &job->vantage);
	}
	if (job->observed || !job->check->probe || !pw_vantage_is_remote(&job->vantage) || job->vantage.way == PW_WAY_BORROW)
		pw_job_start(job, &ex->limits);
	else
		start_remote(ex, job);
}

/* Does it, while it looks, want nothing else of ours on the wire? */
static bool wants_quiet(const struct pw_job *job)
{
	return (job->check->needs & PW_NEEDS_QUIET) && job->check->probe && !job->observed;
}

/* Is another one finding out what there is in the container this one wants to borrow from? */
static bool has_to_wait(const struct pw_executor *ex, const struct pw_job *job)
{
	if (!pw_job_borrows(job) || pw_containers_get(ex->containers, &job->vantage))
		return false;
	for (const struct pw_job *other = ex->jobs; other; other = other->next)
		if (other->state == PW_JOB_CHILD && pw_job_borrows(other) && !other->container && pw_containers_same(&other->vantage, &job->vantage))
			return true;
	return false;
}

/* In order: a quiet one waits until all before it have ended, and what comes after it waits for it. */
static void start_queued(struct pw_executor *ex)
{
	unsigned running = 0;
	bool hush = false;
	for (const struct pw_job *job = ex->jobs; job; job = job->next) {
		bool runs = job->state == PW_JOB_CHILD || job->state == PW_JOB_REMOTE;
		running += runs;
		hush = hush || (runs && wants_quiet(job));
	}
	for (struct pw_job *job = ex->jobs; job && running < ex->max_jobs && !hush; job = job->next) {
		if (job->state != PW_JOB_QUEUED || has_to_wait(ex, job))
			continue;
		hush = wants_quiet(job);
		if (hush && running)
			return;
		start_job(ex, job);
		if (job->state == PW_JOB_DONE)
			hush = false;
		else
			running++;
	}
}

static bool take_done(struct pw_executor *ex, struct pw_arena *arena, struct pw_task_done *ret)
{
	for (struct pw_job **at = &ex->jobs; *at; at = &(*at)->next) {
		struct pw_job *job = *at;
		if (job->state != PW_JOB_DONE)
			continue;
		pw_job_fill(job, arena, ret);
		*at = job->next;
		pw_job_free(job);
		return true;
	}
	return false;
}

/* ---- waiting ---- */

static int reserve_fds(struct pw_executor *ex, struct pw_err *err)
{
	size_t need = 1;
	for (const struct pw_job *job = ex->jobs; job; job = job->next)
		need += JOB_FDS;
	for (const struct pw_agent *agent = ex->agents; agent; agent = pw_agent_next(agent))
		need += PW_AGENT_FDS;
	if (need <= ex->fds_cap)
		return PW_OK;
	struct pollfd *fds = realloc(ex->fds, need * 2 * sizeof *fds);
	if (!fds)
		return pw_err_set(err, PW_NOMEM, "no memory to wait for %zu descriptors", need);
	ex->fds = fds;
	ex->fds_cap = need * 2;
	return PW_OK;
}

/* The poll set: the wake-up, then three per running child, then four per agent. */
static size_t collect_fds(struct pw_executor *ex, int wake_fd)
{
	size_t n = 0;
	ex->fds[n++] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
	for (const struct pw_job *job = ex->jobs; job; job = job->next) {
		if (job->state != PW_JOB_CHILD)
			continue;
		ex->fds[n++] = (struct pollfd){ .fd = job->child.pid_fd, .events = POLLIN };
		ex->fds[n++] = (struct pollfd){ .fd = job->child.out_fd, .events = POLLIN };
		ex->fds[n++] = (struct pollfd){ .fd = job->child.err_fd, .events = POLLIN };
	}
	for (const struct pw_agent *agent = ex->agents; agent; agent = pw_agent_next(agent), n += PW_AGENT_FDS)
		pw_agent_poll(agent, &ex->fds[n]);
	return n;
}

/* -1 is never. */
static int64_t earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int64_t next_deadline(const struct pw_executor *ex, int64_t until)
{
	for (const struct pw_job *job = ex->jobs; job; job = job->next)
		if (job->state == PW_JOB_CHILD || job->state == PW_JOB_REMOTE)
			until = earlier(until, job->kill_ms);
	for (const struct pw_agent *agent = ex->agents; agent; agent = pw_agent_next(agent))
		until = earlier(until, pw_agent_deadline(agent));
	return until;
}

static bool has_news(const struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i].revents)
			return true;
	return false;
}

/* The lists are as they were when the set was made: nothing was added or removed meanwhile. */
static void serve(struct pw_executor *ex)
{
	int64_t now = pw_mono_ms();
	const struct pollfd *fds = ex->fds + 1;
	for (struct pw_job *job = ex->jobs; job; job = job->next) {
		if (job->state != PW_JOB_CHILD)
			continue;
		if (has_news(fds, JOB_FDS) || now >= job->kill_ms)
			pw_job_service(job, now);
		const struct pw_val *found = job->state == PW_JOB_DONE ? pw_map_get(job->frame, "container") : NULL;
		if (found && pw_job_borrows(job))
			pw_containers_put(&ex->containers, &job->vantage, found);
		fds += JOB_FDS;
	}
	for (struct pw_agent *agent = ex->agents, *next; agent; agent = next) {
		next = pw_agent_next(agent);
		if (!pw_agent_service(agent, ex->jobs, now))
			pw_agent_remove(&ex->agents, agent);
	}
}

static bool any_done(const struct pw_executor *ex)
{
	for (const struct pw_job *job = ex->jobs; job; job = job->next)
		if (job->state == PW_JOB_DONE)
			return true;
	return false;
}

static bool moving(const struct pw_executor *ex)
{
	for (const struct pw_job *job = ex->jobs; job; job = job->next)
		if (job->state != PW_JOB_DONE)
			return true;
	return false;
}

static int wait_ms(int64_t until)
{
	if (until < 0)
		return -1;
	int64_t left = until - pw_mono_ms();
	return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

int pw_executor_wait(struct pw_executor *ex, int timeout_ms, int wake_fd, struct pw_arena *arena,
		     struct pw_task_done *ret, struct pw_err *err)
{
	int64_t until = timeout_ms < 0 ? -1 : pw_mono_ms() + timeout_ms;
	for (;;) {
		start_queued(ex);
		if (take_done(ex, arena, ret)) {
			if (pw_arena_failed(arena))
				return pw_err_set(err, PW_NOMEM, "no memory for the result of a task");
			start_queued(ex); /* the next ones run while the caller thinks */
			return 1;
		}
		if (!moving(ex))
			return 0;
		int rc = reserve_fds(ex, err);
		if (rc < 0)
			return rc;
		size_t n = collect_fds(ex, wake_fd);
		int news = poll(ex->fds, n, wait_ms(next_deadline(ex, until)));
		if (news < 0 && errno == EINTR)
			return 0;
		if (news < 0)
			return pw_err_sys(err, PW_IO, errno, "cannot wait for checks");
		serve(ex);
		bool enough = ex->fds[0].revents || (until >= 0 && pw_mono_ms() >= until);
		if (enough && !any_done(ex))
			return 0;
	}
}
