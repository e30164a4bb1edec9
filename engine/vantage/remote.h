/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_REMOTE_H
#define ENGINE_VANTAGE_REMOTE_H

#include <poll.h>

#include "job.h"
#include "transport/transport.h"

/* The agents this executor has started, each a program behind a transport, asked for many observations at once. */

#define PW_AGENT_FDS 4           /* pollfds of one agent */
#define PW_AGENT_REQUEST_MAX (1u << 20)  /* bytes of one request: parameters only */
#define PW_AGENT_START_MS 15000u /* from the start of the command to the agent's hello: logins take a while */
#define PW_AGENT_GRACE_MS 2000u  /* for the way there and back, beyond the check's own deadline */
#define PW_AGENT_END_MS 1000u    /* from the end of its output to the end of its process */

struct pw_agent;

/* Starts an agent, or finds the one that already serves this vantage, in the list *agents. */
int pw_agent_get(struct pw_agent **agents, const struct pw_transport *transport, const struct pw_via *via,
		 const struct pw_vantage *vantage, size_t max_output, struct pw_agent **ret, struct pw_err *err);
/* What it waits for before it can say hello: the pod that is made for it. */
bool pw_agent_waits(const struct pw_agent *agent, struct pw_buf *ret_for, unsigned *ret_ms, unsigned *ret_limit_ms);
/* Hands it the job; a failure ends the job. */
void pw_agent_ask(struct pw_agent *agent, struct pw_job *job);
/* Nobody waits for this one any more. */
void pw_agent_cancel(struct pw_agent *agent, const struct pw_job *job);

struct pw_agent *pw_agent_next(const struct pw_agent *agent);
/* When it must be served again even without news (CLOCK_MONOTONIC), -1: never. */
int64_t pw_agent_deadline(const struct pw_agent *agent);
void pw_agent_poll(const struct pw_agent *agent, struct pollfd fds[PW_AGENT_FDS]);
/* Reads answers, writes requests, notices its end, for the `jobs` that wait for it. false: it is finished, remove it. */
bool pw_agent_service(struct pw_agent *agent, struct pw_job *jobs, int64_t now_ms);
/* Unlinks and frees. */
void pw_agent_remove(struct pw_agent **agents, struct pw_agent *agent);

/* A vantage as it travels, and back. The agent sees no names it does not need. */
void pw_vantage_to_val(const struct pw_vantage *vantage, const char *say, struct pw_val *map);
int pw_vantage_from_val(const struct pw_val *map, struct pw_vantage *ret, struct pw_err *err);

#endif
