/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The asking side of the agent protocol. An agent that lies, stalls or dies
 * costs the tasks that wait for it, with the reason, and nothing else.
 */
#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>

#include "created/creation.h"

enum {
	REPLY_FACTOR = 32,      /* bytes of arena per byte of a reply: see job.c */
	QUEUE_MAX = 64 << 20,   /* requests not yet taken by the pipe */
	LOG_SHOWN = 300,        /* bytes of its stderr repeated in a reason */
	KEY_MAX = 65536,
	READS_MAX = 64,         /* in one go: more than a pipe holds (1 MiB unless privileged: pipe(7)), and no flood keeps the others waiting */
	FD_PID = 0, FD_OUT = 1, FD_ERR = 2, FD_IN = 3,
};

struct pw_agent {
	struct pw_agent *next;
	char *key;              /* its command line: same command, same agent */
	char *label;            /* "n1", or what else it serves */
	struct pw_child child;
	struct pw_wire_reader reader;
	struct pw_buf out;
	size_t out_at;
	size_t max_output;
	bool hello;
	int64_t hello_ms;       /* until when it must have said hello */
	struct pw_made *made;   /* the pod it runs in, if that is made for it; NULL */
	char *making;           /* what that waits for, escaped; NULL */
	int64_t started_ms;
	int64_t end_ms;         /* its output has ended: until when its process must have, too; 0: it has not */
};

extern char **environ;

/* ---- start ---- */

/* Not before it is written down. Longest: the server's answer, the pod's start, the policies' pause, and a login's time. */
static int start_with_pod(struct pw_agent *agent, const char *const *argv, struct pw_err *err)
{
	struct pw_made_job job = { .made = agent->made, .argv = argv };
	const struct pw_child_spec spec = { .run = pw_made_child, .arg = &job, .stdin_pipe = true };
	int rc = pw_creation_write(agent->made, err);
	if (rc == PW_OK)
		rc = pw_child_start(&spec, &agent->child, err);
	if (rc < 0) {
		pw_made_refuse(agent->made, rc, err ? err->text : "");
		return rc;
	}
	agent->made->asked = true;
	agent->hello_ms = pw_mono_ms() + PW_MADE_CREATE_MS + agent->made->start_ms + agent->made->settle_ms + PW_AGENT_START_MS;
	return PW_OK;
}

static int make_key(const char *const *argv, char **ret, struct pw_err *err)
{
	struct pw_buf key;
	pw_buf_init(&key, KEY_MAX);
	for (; *argv; argv++)
		pw_buf_printf(&key, "%s\n", *argv);
	*ret = pw_buf_take(&key);
	pw_buf_release(&key);
	return *ret ? PW_OK : pw_err_set(err, PW_NOMEM, "no memory for a command line");
}

static int start(struct pw_agent *agent, const char *const *argv, struct pw_err *err)
{
	/* The user's own command: it sees the user's environment (an ssh agent, a kubeconfig), and has no limits. */
	const struct pw_child_spec spec = { .argv = argv, .envp = (const char *const *)environ,
		.path = getenv("PATH"), .stdin_pipe = true };
	agent->started_ms = pw_mono_ms();
	if (agent->made && agent->made->stage != PW_MADE_RUNNING)
		return start_with_pod(agent, argv, err);
	int rc = pw_child_start(&spec, &agent->child, err);
	if (rc < 0)
		return pw_err_wrap(err, "no agent on %s", agent->label);
	agent->hello_ms = pw_mono_ms() + PW_AGENT_START_MS;
	return PW_OK;
}

static void agent_free(struct pw_agent *agent)
{
	pw_child_release(&agent->child);
	pw_wire_reader_release(&agent->reader);
	pw_buf_release(&agent->out);
	free(agent->making);
	free(agent->label);
	free(agent->key);
	free(agent);
}

static int agent_new(char *key, const struct pw_vantage *v, size_t max_output, const char *const *argv,
		     struct pw_agent **ret, struct pw_err *err)
{
	struct pw_agent *agent = calloc(1, sizeof *agent);
	if (!agent) {
		free(key);
		return pw_err_set(err, PW_NOMEM, "no memory for an agent");
	}
	agent->key = key;
	agent->label = strdup(v->node && *v->node ? v->node : v->pod ? v->pod : "?");
	agent->child = (struct pw_child)PW_CHILD_INIT;
	agent->made = pw_vantage_made(v);
	agent->max_output = max_output + PW_FRAME_EXTRA;
	pw_wire_reader_init(&agent->reader, agent->max_output);
	pw_buf_init(&agent->out, QUEUE_MAX);
	int rc = agent->label ? start(agent, argv, err) : pw_err_set(err, PW_NOMEM, "no memory for an agent");
	if (rc < 0)
		agent_free(agent);
	else
		*ret = agent;
	return rc;
}

int pw_agent_get(struct pw_agent **agents, const struct pw_transport *transport, const struct pw_via *via,
		 const struct pw_vantage *v, size_t max_output, struct pw_agent **ret, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	const char *const *argv;
	char *key;
	int rc = transport->argv(via, v, arena, &argv, err);
	if (rc == PW_OK)
		rc = make_key(argv, &key, err);
	if (rc < 0)
		return rc;
	for (struct pw_agent *a = *agents; a; a = a->next) {
		if (strcmp(a->key, key) != 0)
			continue;
		free(key);
		*ret = a;
		return PW_OK;
	}
	struct pw_agent *agent = NULL;
	rc = agent_new(key, v, max_output, argv, &agent, err);
	if (rc < 0)
		return rc;
	agent->next = *agents;
	*agents = agent;
	*ret = agent;
	return PW_OK;
}

bool pw_agent_waits(const struct pw_agent *agent, struct pw_buf *ret_for, unsigned *ret_ms, unsigned *ret_limit_ms)
{
	if (!agent->made || agent->made->stage == PW_MADE_RUNNING)
		return false;
	pw_buf_puts(ret_for, agent->making ? agent->making : agent->made->name);
	*ret_ms = (unsigned)(pw_mono_ms() - agent->started_ms);
	*ret_limit_ms = agent->made->start_ms;
	return true;
}

struct pw_agent *pw_agent_next(const struct pw_agent *agent)
{
	return agent->next;
}

int64_t pw_agent_deadline(const struct pw_agent *agent)
{
	if (agent->end_ms)
		return agent->end_ms;
	return agent->hello ? -1 : agent->hello_ms;
}

void pw_agent_remove(struct pw_agent **agents, struct pw_agent *agent)
{
	while (*agents && *agents != agent)
		agents = &(*agents)->next;
	if (*agents)
		*agents = agent->next;
	agent_free(agent);
}

/* ---- vantages on the wire ---- */

void pw_vantage_to_val(const struct pw_vantage *v, const char *say, struct pw_val *map)
{
	pw_map_set_str(map, "say", say);
	if (v->kind == PW_AT_POD && v->way != PW_WAY_PROBE_POD) {
		pw_map_set_str(map, "kind", "uid");
		pw_map_set_str(map, "uid", v->uid ? v->uid : "");
		pw_map_set_bool(map, "host_network", v->host_network);
	} else {
		pw_map_set_str(map, "kind", "here"); /* a node, or a pod made to stand in for one: where its agent runs */
	}
}

int pw_vantage_from_val(const struct pw_val *map, struct pw_vantage *ret, struct pw_err *err)
{
	const char *kind = pw_map_str(map, "kind", "");
	struct pw_vantage v = { .kind = PW_AT_HERE };
	if (!strcmp(kind, "netns")) {
		v.kind = PW_AT_NETNS;
		v.path = pw_map_str(map, "path", "");
	} else if (!strcmp(kind, "pid")) {
		v.kind = PW_AT_PID;
		v.pid = (long)pw_map_int(map, "pid", 0);
	} else if (!strcmp(kind, "uid")) {
		v.kind = PW_AT_POD;
		v.uid = pw_map_str(map, "uid", "");
		v.host_network = pw_map_bool(map, "host_network", false);
		if (!*v.uid && !v.host_network)
			return pw_err_set(err, PW_USAGE, "the request names no pod UID");
	} else if (strcmp(kind, "here") != 0) {
		return pw_err_set(err, PW_USAGE, "the request names the vantage \"%.40s\", which this agent does not know", kind);
	}
	*ret = v;
	return PW_OK;
}

/* ---- requests ---- */

static void set_deadline(const struct pw_agent *agent, struct pw_job *job, int64_t now_ms)
{
	job->kill_ms = agent->hello ? now_ms + job->timeout_ms + PW_AGENT_GRACE_MS : agent->hello_ms;
}

static int put_request(struct pw_agent *agent, const struct pw_job *job, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)PW_AGENT_REQUEST_MAX * REPLY_FACTOR);
	struct pw_val *doc = pw_val_map(arena);
	pw_map_set_int(doc, "id", job->serial);
	pw_map_set_str(doc, "check", job->check->name);
	pw_map_set(doc, "params", pw_val_copy(arena, job->params));
	pw_vantage_to_val(&job->vantage, job->where, pw_map_set_map(doc, "vantage"));
	pw_map_set_int(doc, "timeout_ms", job->timeout_ms);
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for a request");
	return pw_wire_put(&agent->out, doc, PW_AGENT_REQUEST_MAX, err);
}

void pw_agent_ask(struct pw_agent *agent, struct pw_job *job)
{
	struct pw_err err = PW_ERR_INIT;
	int64_t now = pw_mono_ms();
	job->started_ms = now;
	if (put_request(agent, job, &err) < 0) {
		pw_job_fail(job, err.code, "cannot ask the agent on %s: %s", agent->label, err.text);
		return;
	}
	job->agent = agent;
	job->state = PW_JOB_REMOTE;
	set_deadline(agent, job, now);
}

void pw_agent_cancel(struct pw_agent *agent, const struct pw_job *job)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(4096);
	struct pw_val *doc = pw_val_map(arena);
	pw_map_set_int(doc, "cancel", job->serial);
	/* If there is no memory to say it, the agent's own deadline ends it. */
	(void)pw_wire_put(&agent->out, doc, PW_AGENT_REQUEST_MAX, NULL);
}

/* ---- answers ---- */

static int take_hello(struct pw_agent *agent, const struct pw_val *doc, struct pw_err *err)
{
	const char *version = pw_map_str(doc, "agent", "");
	long long abi = pw_map_int(doc, "abi", 0);
	if (!*version)
		return pw_err_set(err, PW_SYNTAX, "what runs on %s does not answer like a packetwalk agent", agent->label);
	if (strcmp(version, PW_VERSION) != 0 || abi != PW_CHECK_ABI)
		return pw_err_set(err, PW_UNSUPPORTED,
				  "the agent on %s is packetwalk %.40s (check ABI %lld), this is %s (%u): install the same version on both sides",
				  agent->label, version, abi, PW_VERSION, PW_CHECK_ABI);
	agent->hello = true;
	return PW_OK;
}

/* From the child that makes its pod, before there is an agent. 1: it was that; 0: it was not. */
static int take_making(struct pw_agent *agent, const struct pw_val *doc, struct pw_err *err)
{
	const char *making = pw_map_str(doc, "making", NULL), *failed = pw_map_str(doc, "failed", NULL);
	if (failed) {
		int code = (int)pw_map_int(doc, "code", PW_INTERNAL);
		agent->made->sure = agent->made->sure || code == PW_DENIED || code == PW_AUTH;
		pw_made_refuse(agent->made, code, failed);
		return pw_err_set(err, code, "%s", failed);
	}
	if (making) {
		free(agent->making);
		agent->making = strdup(making);
	}
	if (pw_map_bool(doc, "created", false))
		agent->made->sure = true;
	if (pw_map_bool(doc, "made", false)) {
		agent->made->stage = PW_MADE_RUNNING;
		agent->hello_ms = pw_mono_ms() + PW_AGENT_START_MS;
	}
	return making || pw_map_get(doc, "created") || pw_map_get(doc, "made");
}

static void set_deadlines(const struct pw_agent *agent, struct pw_job *jobs, int64_t now_ms)
{
	for (struct pw_job *job = jobs; job; job = job->next)
		if (job->agent == agent && job->state == PW_JOB_REMOTE)
			set_deadline(agent, job, now_ms);
}

static void take_reply(const struct pw_agent *agent, struct pw_job *jobs, const struct pw_val *doc)
{
	long long id = pw_map_int(doc, "id", -1);
	struct pw_job *job = jobs;
	while (job && (job->agent != agent || job->state != PW_JOB_REMOTE || job->serial != id))
		job = job->next;
	if (!job)
		return; /* cancelled meanwhile */
	const char *log = pw_map_str(doc, "log", "");
	size_t len = strlen(log);
	pw_buf_add(&job->log, log, len < PW_CHILD_LOG_MAX ? len : PW_CHILD_LOG_MAX);
	const struct pw_val *seen = pw_map_get(doc, "observation"), *error = pw_map_get(doc, "error");
	long long code = pw_map_int(error, "code", PW_INTERNAL);
	if (error)
		pw_job_fail(job, code < PW_OK && code >= PW_CANCELLED ? (int)code : PW_INTERNAL, "%s",
			    pw_map_str(error, "text", "the agent gave no reason"));
	else if (pw_val_is(seen, PW_VAL_MAP))
		pw_job_set_observation(job, seen);
	else
		pw_job_fail(job, PW_INTERNAL, "the agent on %s answered without an observation", agent->label);
}

static int take_documents(struct pw_agent *agent, struct pw_job *jobs, int64_t now_ms, struct pw_err *err)
{
	for (;;) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(agent->max_output * REPLY_FACTOR);
		struct pw_val *doc;
		int rc = pw_wire_next(&agent->reader, arena, &doc, err);
		if (rc < 0)
			return pw_err_wrap(err, "the agent on %s answered with garbage", agent->label);
		if (rc == 0)
			return PW_OK;
		if (agent->hello) {
			take_reply(agent, jobs, doc);
			continue;
		}
		rc = agent->made && agent->made->stage != PW_MADE_RUNNING ? take_making(agent, doc, err) : 0;
		if (rc == 0)
			rc = take_hello(agent, doc, err);
		if (rc < 0)
			return rc;
		set_deadlines(agent, jobs, now_ms);
	}
}

/* What has come, document by document: those that wait may be longer together than one may be. */
static int read_documents(struct pw_agent *agent, struct pw_job *jobs, int64_t now_ms, struct pw_err *err)
{
	for (unsigned i = 0; i < READS_MAX && agent->child.out_fd >= 0; i++) {
		size_t before = pw_wire_pending(&agent->reader);
		int rc = pw_wire_fill(&agent->reader, agent->child.out_fd, err);
		if (rc < 0)
			return pw_err_wrap(err, "the agent on %s answered with garbage", agent->label);
		if (rc == 0) {
			(void)close(agent->child.out_fd);
			agent->child.out_fd = -1;
			agent->end_ms = now_ms + PW_AGENT_END_MS;
		}
		bool more = pw_wire_pending(&agent->reader) != before;
		rc = take_documents(agent, jobs, now_ms, err);
		if (rc < 0 || !more)
			return rc;
	}
	return PW_OK;
}

/* ---- life ---- */

void pw_agent_poll(const struct pw_agent *agent, struct pollfd fds[PW_AGENT_FDS])
{
	bool writes = agent->hello && agent->out.len > agent->out_at;
	fds[FD_PID] = (struct pollfd){ .fd = agent->child.pid_fd, .events = POLLIN };
	fds[FD_OUT] = (struct pollfd){ .fd = agent->child.out_fd, .events = POLLIN };
	fds[FD_ERR] = (struct pollfd){ .fd = agent->child.err_fd, .events = POLLIN };
	fds[FD_IN] = (struct pollfd){ .fd = writes ? agent->child.in_fd : -1, .events = POLLOUT };
}

/* A pod of which nothing came is not tried again. One that served and ended is gone: whatever ended it, no agent is in it. */
static void give_pod_up(const struct pw_agent *agent, int code, const char *text)
{
	if (agent->made && agent->hello)
		pw_made_gone(agent->made, code, text);
	else if (agent->made && !pw_made_is_over(agent->made))
		pw_made_refuse(agent->made, code, text);
}

static void fail_all(const struct pw_agent *agent, struct pw_job *jobs, int code, const char *text)
{
	give_pod_up(agent, code, text);
	for (struct pw_job *job = jobs; job; job = job->next)
		if (job->agent == agent && job->state == PW_JOB_REMOTE)
			pw_job_fail(job, code, "%s", text);
}

static void fail_ended(struct pw_agent *agent, struct pw_job *jobs, bool by_itself)
{
	char text[1024];
	struct pw_buf how;
	pw_buf_init(&how, sizeof text - 1);
	int status = pw_child_end(&agent->child);
	if (by_itself)
		pw_child_say_status(status, &how);
	else
		pw_buf_puts(&how, "it closed its output");
	const char *log = pw_buf_str(&agent->child.log);
	size_t len = agent->child.log.len;
	while (len && strchr("\r\n ", log[len - 1]))
		len--;
	/* The last words are the ones that matter. */
	size_t skip = len > LOG_SHOWN ? len - LOG_SHOWN : 0;
	if (len) {
		pw_buf_puts(&how, skip ? ": ..." : ": ");
		pw_buf_escaped(&how, log + skip, len - skip);
	}
	(void)snprintf(text, sizeof text, "agent on %s ended: %s", agent->label, pw_buf_str(&how));
	pw_buf_release(&how);
	fail_all(agent, jobs, PW_NET, text);
}

static void fail_late(const struct pw_agent *agent, struct pw_job *jobs, int64_t now_ms)
{
	for (struct pw_job *job = jobs; job; job = job->next) {
		if (job->agent != agent || job->state != PW_JOB_REMOTE || now_ms < job->kill_ms)
			continue;
		if (agent->hello)
			pw_job_fail(job, PW_TIMEOUT, "the agent on %s did not answer for the check %s within %u ms", agent->label,
				    job->check->name, job->timeout_ms + PW_AGENT_GRACE_MS);
		else
			pw_job_fail(job, PW_TIMEOUT, "the agent on %s did not say hello within %u s", agent->label, PW_AGENT_START_MS / 1000);
	}
}

bool pw_agent_service(struct pw_agent *agent, struct pw_job *jobs, int64_t now_ms)
{
	struct pw_err err = PW_ERR_INIT;
	bool ended = pw_child_ended(&agent->child); /* before the reads: then they see all it wrote */
	pw_child_read_log(&agent->child);
	int rc = read_documents(agent, jobs, now_ms, &err);
	if (rc < 0) {
		fail_all(agent, jobs, rc, err.text);
		return false;
	}
	/* Its output ends a moment before its process does, which alone knows why. */
	if (ended || (agent->end_ms && now_ms >= agent->end_ms)) {
		fail_ended(agent, jobs, ended);
		return false;
	}
	fail_late(agent, jobs, now_ms);
	if (!agent->hello && now_ms >= agent->hello_ms)
		give_pod_up(agent, PW_TIMEOUT, "the pod that was made did not run in time");
	if (!agent->hello)
		return now_ms < agent->hello_ms;
	rc = pw_wire_flush(&agent->out, &agent->out_at, agent->child.in_fd, &err);
	if (rc == PW_NET) /* it closed its stdin: its end, and the reason for it, come in a moment */
		pw_buf_clear(&agent->out);
	return true;
}
