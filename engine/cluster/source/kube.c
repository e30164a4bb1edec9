/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kube: and in-cluster: the parent's side. It reads configuration and a pipe,
 * never the network: a child per call does that (fetch.c), and what it says
 * is taken as hostile as the cluster itself.
 */
#include <cluster/source/kube.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <cluster/source/fetch.h>
#include <cluster/source/source.h>
#include <proc/child.h>
#include <proc/wire.h>

#define DEFAULT_TIMEOUT_MS 10000
#define SILENCE_FACTOR 4          /* requests' timeouts without a word: plugin, retry pause, connection, answer */
#define WHOLE_MS (10 * 60 * 1000) /* a list may have many pages, but not for ever */
#define FRAME_SCRATCH ((size_t)256 << 20)

struct pw_source_state {
	struct pw_arena *arena;
	struct pw_kubeconfig config;
	struct pw_credential credential;
	bool has_credential, has_version;
	const char *about, *fallback_ns;
	unsigned timeout_ms;
};

const char *pw_kube_default_source(const struct pw_cluster_config *config)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");

	return !pw_kubeconfig_exists(config) && host && host[0] ? "in-cluster:" : "kube:";
}

static int open_state(const struct pw_cluster_config *config, const struct pw_kubeconfig *kubeconfig, struct pw_arena *arena,
		      struct pw_source_state **ret, struct pw_err *err)
{
	struct pw_source_state *state = pw_arena_alloc(arena, sizeof(*state));
	const char *ns = config->namespace_ && config->namespace_[0] ? config->namespace_ : kubeconfig->ns;

	if (!state)
		return pw_err_set(err, PW_NOMEM, "out of memory while opening the cluster");
	state->arena = arena;
	state->config = *kubeconfig;
	state->timeout_ms = config->request_timeout_ms ? config->request_timeout_ms : DEFAULT_TIMEOUT_MS;
	state->fallback_ns = pw_arena_strdup(arena, ns[0] ? ns : "default");
	state->about = strcmp(kubeconfig->context, "in-cluster") == 0 ?
		       pw_arena_printf(arena, "in-cluster (%s)", kubeconfig->server) :
		       pw_arena_printf(arena, "context %s (%s)", kubeconfig->context, kubeconfig->server);
	if (!state->about || !state->fallback_ns)
		return pw_err_set(err, PW_NOMEM, "out of memory while opening the cluster");
	*ret = state;
	return PW_OK;
}

static int open_kube(const struct pw_cluster_config *config, const char *rest, struct pw_arena *arena,
		     struct pw_source_state **ret, struct pw_err *err)
{
	struct pw_kubeconfig kubeconfig;
	int rc;

	if (rest[0])
		return pw_err_set(err, PW_USAGE, "kube: takes nothing behind it; use --kubeconfig and --context");
	rc = pw_kubeconfig_load(config, arena, &kubeconfig, err);
	return rc == PW_OK ? open_state(config, &kubeconfig, arena, ret, err) : rc;
}

static int open_in_cluster(const struct pw_cluster_config *config, const char *rest, struct pw_arena *arena,
			   struct pw_source_state **ret, struct pw_err *err)
{
	struct pw_kubeconfig kubeconfig;
	int rc;

	if (rest[0])
		return pw_err_set(err, PW_USAGE, "in-cluster: takes nothing behind it");
	rc = pw_kubeconfig_in_cluster(config, arena, &kubeconfig, err);
	return rc == PW_OK ? open_state(config, &kubeconfig, arena, ret, err) : rc;
}

static void close_kube(struct pw_source_state *state)
{
	(void)state; /* all of it lives in the cluster's arena */
}

static const char *describe_kube(const struct pw_source_state *state)
{
	return state->about;
}

static const char *kube_context(const struct pw_source_state *state)
{
	return state->config.context;
}

static const char *kube_namespace(const struct pw_source_state *state)
{
	return state->config.ns;
}

static const char *kube_notes(const struct pw_source_state *state)
{
	(void)state;
	return "";
}

/* ---- what the child says ---- */

struct talk {
	struct pw_source_state *state;
	struct pw_facts *facts;
	unsigned open;            /* kinds not reported yet */
	int64_t end_ms;           /* of the whole, on the monotonic clock */
	struct pw_err fatal;
};

static int take_frame(struct talk *talk, const struct pw_val *frame, struct pw_err *err)
{
	const struct pw_val *object = pw_map_get(frame, "object"), *credential = pw_map_get(frame, "credential");
	long long fact = pw_map_int(frame, "done", 0), fatal = pw_map_int(frame, "fatal", 0);
	const char *version = pw_map_str(frame, "version", NULL);

	if (object)
		return pw_facts_add(talk->facts, object, err);
	if (credential && pw_credential_from_val(credential, talk->state->arena, &talk->state->credential))
		talk->state->has_credential = true;
	if (version) {
		pw_facts_set_version(talk->facts, version);
		talk->state->has_version = true;
	}
	if (fatal < 0 && talk->fatal.code == PW_OK)
		(void)pw_err_set(&talk->fatal, (int)fatal, "%s", pw_map_str(frame, "text", ""));
	if (fact > 0 && fact <= (long long)PW_ALL_FACTS) {
		pw_facts_set_known(talk->facts, (enum pw_fact)fact, (enum pw_known)pw_map_int(frame, "known", PW_KNOWN_FAILED),
				   pw_map_str(frame, "gap", ""));
		talk->open &= ~(unsigned)fact;
	}
	return PW_OK;
}

static int take_frames(struct talk *talk, struct pw_wire_reader *reader, struct pw_err *err)
{
	int rc = 1;

	while (rc == 1) {
		struct pw_arena *scratch = pw_arena_new(FRAME_SCRATCH);
		struct pw_val *frame;

		if (!scratch)
			return pw_err_set(err, PW_NOMEM, "out of memory while reading the cluster");
		rc = pw_wire_next(reader, scratch, &frame, err);
		if (rc == 1) {
			int added = take_frame(talk, frame, err);

			rc = added == PW_OK ? 1 : added;
		}
		pw_arena_free(scratch);
	}
	return rc;
}

/* Until the child has said all, or has been silent for too long. */
static int listen_to(struct talk *talk, struct pw_child *child, struct pw_wire_reader *reader, struct pw_err *err)
{
	int64_t end = talk->end_ms, silence = (int64_t)talk->state->timeout_ms * SILENCE_FACTOR, heard = pw_mono_ms();

	for (;;) {
		struct pollfd fds[] = { { .fd = child->out_fd, .events = POLLIN }, { .fd = child->err_fd, .events = POLLIN } };
		int64_t now = pw_mono_ms(), left = heard + silence < end ? heard + silence - now : end - now;
		int rc;

		if (left <= 0)
			return pw_err_set(err, PW_TIMEOUT, "reading the cluster at %s took too long", talk->state->config.server);
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return pw_err_sys(err, PW_IO, errno, "cannot wait for the reader of the cluster");
		if (fds[1].revents)
			pw_child_read_log(child);
		if (!fds[0].revents)
			continue;
		heard = pw_mono_ms();
		rc = pw_wire_fill(reader, child->out_fd, err);
		if (rc <= 0)
			return rc;
		if ((rc = take_frames(talk, reader, err)) < 0)
			return rc;
	}
}

/* A child that died leaves kinds without a report. */
static void close_open(struct talk *talk)
{
	for (unsigned i = 0; i < PW_KIND_COUNT; i++)
		if (talk->open & (1u << i))
			pw_facts_set_known(talk->facts, (enum pw_fact)(1u << i), PW_KNOWN_FAILED, "the reader of the cluster ended early");
}

/* What is left of a deadline, at most `most`. */
static unsigned left_of(int64_t deadline_ms, unsigned most)
{
	int64_t left = deadline_ms ? deadline_ms - pw_mono_ms() : most;

	return left >= most ? most : left > 0 ? (unsigned)left : 0;
}

static int need_kube(struct pw_source_state *state, struct pw_facts *facts, unsigned kinds, const char *ns, int64_t deadline_ms,
		     struct pw_err *err)
{
	struct pw_fetch_job job = {
		&state->config, state->has_credential ? &state->credential : NULL, kinds, ns, state->fallback_ns,
		!state->has_version, left_of(deadline_ms, state->timeout_ms),
	};
	struct pw_child_spec spec = { .run = pw_fetch_main, .arg = &job };
	struct pw_child child = PW_CHILD_INIT;
	struct talk talk = { .state = state, .facts = facts, .open = kinds };
	struct pw_wire_reader reader;
	int rc;

	if (job.timeout_ms == 0)
		return pw_err_set(err, PW_TIMEOUT, "no time is left to read the cluster at %s", state->config.server);
	talk.end_ms = pw_mono_ms() + left_of(deadline_ms, WHOLE_MS);
	rc = pw_child_start(&spec, &child, err);
	if (rc < 0)
		return rc;
	pw_wire_reader_init(&reader, PW_FETCH_FRAME_MAX);
	rc = listen_to(&talk, &child, &reader, err);
	pw_wire_reader_release(&reader);
	pw_child_release(&child);
	if (rc == PW_OK && talk.fatal.code != PW_OK) {
		rc = talk.fatal.code;
		if (err)
			*err = talk.fatal;
	}
	if (rc == PW_OK && talk.open == kinds)
		return pw_err_set(err, PW_IO, "the reader of the cluster ended without a word");
	if (rc == PW_OK)
		close_open(&talk);
	return rc;
}

const struct pw_source pw_source_kube = {
	.scheme = "kube:", .open = open_kube, .close = close_kube, .describe = describe_kube, .context = kube_context,
	.namespace_ = kube_namespace, .notes = kube_notes, .need = need_kube,
};
const struct pw_source pw_source_in_cluster = {
	.scheme = "in-cluster:", .open = open_in_cluster, .close = close_kube, .describe = describe_kube,
	.namespace_ = kube_namespace, .notes = kube_notes, .need = need_kube,
};
