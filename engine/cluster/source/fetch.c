/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The child that talks to an API server: all lists side by side over kept
 * connections, one renewal of the credential if it is refused, and a report
 * of how each kind went.
 */
#include <cluster/source/fetch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <cluster/model.h>
#include <cluster/source/lists.h>
#include <proc/wire.h>

#define WAIT_MS 1000            /* libcurl wakes earlier when something happens */
#define MEMORY ((size_t)64 << 20)

static int send_frame(struct pw_fetcher *fetcher, const struct pw_val *frame)
{
	struct pw_err ignored = PW_ERR_INIT;

	return pw_wire_send(fetcher->out_fd, frame, PW_FETCH_FRAME_MAX, &ignored);
}

static int send_fatal(struct pw_fetcher *fetcher, const struct pw_err *err)
{
	struct pw_val *frame = pw_val_map(fetcher->arena);

	pw_map_set_int(frame, "fatal", err->code);
	pw_map_set_str(frame, "text", err->text);
	return send_frame(fetcher, frame);
}

/* ---- headers ---- */

static void add_header(struct pw_fetcher *fetcher, const char *name, const char *value)
{
	const char *line = pw_arena_printf(fetcher->arena, "%s: %s", name, value);
	struct curl_slist *grown;

	for (const char *at = value; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return; /* would become another header */
	grown = line ? curl_slist_append(fetcher->headers, line) : NULL;
	if (grown)
		fetcher->headers = grown;
}

static void add_extra(struct pw_fetcher *fetcher, const struct pw_val *extra)
{
	for (size_t i = 0; i < pw_val_count(extra); i++) {
		char *key = curl_easy_escape(NULL, pw_map_key(extra, i), 0);
		const char *name = key ? pw_arena_printf(fetcher->arena, "Impersonate-Extra-%s", key) : NULL;
		const struct pw_val *values = pw_val_at(extra, i);

		for (size_t j = 0; name && j < pw_val_count(values); j++)
			if (pw_val_text(pw_val_at(values, j)))
				add_header(fetcher, name, pw_val_text(pw_val_at(values, j)));
		curl_free(key);
	}
}

/* With tls-server-name the URL has another host than the one that is asked. */
static void add_host(struct pw_fetcher *fetcher)
{
	const char *server = fetcher->job->config->server, *host = strstr(server, "://");
	const char *text;

	if (!fetcher->job->config->tls_server_name[0] || !host)
		return;
	host += 3;
	text = pw_arena_strndup(fetcher->arena, host, strcspn(host, "/"));
	if (text)
		add_header(fetcher, "Host", text);
}

static void set_headers(struct pw_fetcher *fetcher)
{
	const struct pw_kubeconfig *config = fetcher->job->config;

	curl_slist_free_all(fetcher->headers);
	fetcher->headers = NULL;
	add_header(fetcher, "Accept", "application/json");
	if (fetcher->credential.token[0])
		add_header(fetcher, "Authorization", pw_arena_printf(fetcher->arena, "Bearer %s", fetcher->credential.token));
	if (config->as[0])
		add_header(fetcher, "Impersonate-User", config->as);
	if (config->as_uid[0])
		add_header(fetcher, "Impersonate-Uid", config->as_uid);
	for (size_t i = 0; i < config->as_groups.n; i++)
		add_header(fetcher, "Impersonate-Group", config->as_groups.v[i]);
	add_extra(fetcher, config->as_extra);
	add_host(fetcher);
}

/* ---- credential ---- */

static bool still_good(const struct pw_credential *credential)
{
	const int64_t leeway_s = 10; /* as client-go */

	return credential && (!credential->expires || credential->expires > pw_now_ms() / 1000 + leeway_s);
}

static int get_credential(struct pw_fetcher *fetcher, bool fresh, struct pw_err *err)
{
	const struct pw_fetch_job *job = fetcher->job;
	struct pw_val *frame;
	int rc;

	if (!fresh && job->config->exec.present && still_good(job->credential)) {
		fetcher->credential = *job->credential;
		return PW_OK;
	}
	rc = pw_credential_get(job->config, job->timeout_ms, fetcher->arena, &fetcher->credential, err);
	if (rc != PW_OK || !fetcher->credential.from_plugin)
		return rc;
	frame = pw_val_map(fetcher->arena);
	pw_map_set(frame, "credential", pw_credential_to_val(&fetcher->credential, fetcher->arena));
	(void)send_frame(fetcher, frame);
	return PW_OK;
}

/* ---- lists ---- */

static bool wanted(const struct pw_fetch_job *job, const struct pw_list_kind *kind)
{
	return ((unsigned)kind->fact & job->kinds) != 0;
}

static void add_list(struct pw_fetcher *fetcher, const struct pw_list_kind *kind)
{
	struct pw_list *list = &fetcher->lists[fetcher->n_lists++];

	list->kind = kind;
	list->fetcher = fetcher;
	pw_buf_init(&list->body, 65536);
	list->waiting = true;
	if (kind)
		list->ns = kind->only_ns ? kind->only_ns : kind->namespaced ? fetcher->job->ns : NULL;
}

static int plan(struct pw_fetcher *fetcher, struct pw_err *err)
{
	fetcher->lists = pw_arena_array(fetcher->arena, pw_list_kinds_count + 1, sizeof(*fetcher->lists));
	if (!fetcher->lists)
		return pw_err_set(err, PW_NOMEM, "out of memory while planning the requests");
	for (size_t i = 0; i < pw_list_kinds_count; i++)
		if (wanted(fetcher->job, &pw_list_kinds[i]))
			add_list(fetcher, &pw_list_kinds[i]);
	if (fetcher->job->want_version)
		add_list(fetcher, NULL);
	return PW_OK;
}

/* Starts what is due. Returns how long to wait at most, -1 when all are finished. */
static int start_due(struct pw_fetcher *fetcher)
{
	int64_t now = pw_mono_ms(), wait = WAIT_MS;
	bool open = false;

	for (size_t i = 0; i < fetcher->n_lists; i++) {
		struct pw_list *list = &fetcher->lists[i];

		if (!list->finished && list->waiting && list->not_before_ms <= now && pw_list_start(list, &list->err) != PW_OK) {
			list->known = PW_KNOWN_FAILED;
			list->finished = true;
		}
		if (list->finished)
			continue;
		open = true;
		if (list->waiting && list->not_before_ms - now < wait)
			wait = list->not_before_ms - now;
	}
	return open ? (int)wait : -1;
}

/* True if any request ended. */
static bool collect(struct pw_fetcher *fetcher)
{
	CURLMsg *message;
	bool any = false;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		char *list = NULL;

		if (message->msg != CURLMSG_DONE || curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &list) != CURLE_OK || !list)
			continue;
		pw_list_end((struct pw_list *)(void *)list, code);
		any = true;
	}
	return any;
}

static void run_lists(struct pw_fetcher *fetcher)
{
	int wait, running;

	while (!fetcher->pipe_broken && (wait = start_due(fetcher)) >= 0) {
		if (curl_multi_perform(fetcher->multi, &running) != CURLM_OK)
			return;
		if (!collect(fetcher) && curl_multi_poll(fetcher->multi, NULL, 0, wait, NULL) != CURLM_OK)
			return;
	}
}

/* A refused credential may just be old: asks for a new one, once, and repeats what was refused. */
static int renew(struct pw_fetcher *fetcher, struct pw_err *err)
{
	bool refused = false;
	int rc;

	for (size_t i = 0; i < fetcher->n_lists; i++)
		refused = refused || fetcher->lists[i].unauthorized;
	if (!refused || !fetcher->credential.renewable)
		return PW_OK;
	rc = get_credential(fetcher, true, err);
	if (rc != PW_OK)
		return rc;
	set_headers(fetcher);
	for (size_t i = 0; i < fetcher->n_lists; i++) {
		struct pw_list *list = &fetcher->lists[i];

		if (!list->unauthorized)
			continue;
		list->unauthorized = list->finished = false;
		list->waiting = true;
		list->known = PW_KNOWN_NOT_ASKED;
		pw_err_clear(&list->err);
	}
	run_lists(fetcher);
	return PW_OK;
}

/* ---- report ---- */

/* The source as a whole: no list got an answer that an API server gives to somebody it knows.
 * Its version it may tell to anybody. */
static const struct pw_err *fatal(const struct pw_fetcher *fetcher)
{
	const struct pw_err *first = NULL;
	bool version = false;

	for (size_t i = 0; i < fetcher->n_lists; i++) {
		const struct pw_list *list = &fetcher->lists[i];

		if (list->spoke && !list->kind)
			version = true;
		else if (list->spoke)
			return NULL;
		else if (!first)
			first = &list->err;
	}
	return first && version && first->code != PW_AUTH ? NULL : first;
}

static void say_gap(const struct pw_list *list, struct pw_buf *gap)
{
	if (list->known == PW_KNOWN_YES || (list->kind->optional && list->err.code == PW_ABSENT) || strstr(pw_buf_str(gap), list->err.text[0] ? list->err.text : "\n"))
		return;
	if (gap->len)
		pw_buf_puts(gap, "; ");
	if (list->known == PW_KNOWN_PART)
		pw_buf_printf(gap, "only those of namespace %s: %s", list->ns, list->denied.text);
	else
		pw_buf_puts(gap, list->err.text);
}

/* Several lists can make up one kind: some of them missing leaves a part. */
static enum pw_known combine(enum pw_known a, enum pw_known b)
{
	if (a == PW_KNOWN_NOT_ASKED || a == b)
		return b;
	if (a == PW_KNOWN_ABSENT || b == PW_KNOWN_ABSENT)
		return a == PW_KNOWN_ABSENT ? b : a;
	if (a == PW_KNOWN_YES || b == PW_KNOWN_YES || a == PW_KNOWN_PART || b == PW_KNOWN_PART)
		return PW_KNOWN_PART;
	return PW_KNOWN_FAILED;
}

static void report_kind(struct pw_fetcher *fetcher, enum pw_fact fact)
{
	enum pw_known known = PW_KNOWN_NOT_ASKED;
	struct pw_val *frame = pw_val_map(fetcher->arena);
	struct pw_buf gap;

	pw_buf_init(&gap, 2048);
	for (size_t i = 0; i < fetcher->n_lists; i++) {
		const struct pw_list *list = &fetcher->lists[i];

		if (!list->kind || list->kind->fact != fact)
			continue;
		known = combine(known, list->known);
		say_gap(list, &gap);
	}
	pw_map_set_int(frame, "done", fact);
	pw_map_set_int(frame, "known", known);
	pw_map_set_str(frame, "gap", pw_buf_str(&gap));
	(void)send_frame(fetcher, frame);
	pw_buf_release(&gap);
}

static void report(struct pw_fetcher *fetcher)
{
	const struct pw_err *err = fatal(fetcher);
	struct pw_val *frame;

	if (err) {
		(void)send_fatal(fetcher, err);
		return;
	}
	for (unsigned i = 0; i < PW_KIND_COUNT; i++)
		if (fetcher->job->kinds & (1u << i))
			report_kind(fetcher, (enum pw_fact)(1u << i));
	if (!fetcher->version)
		return;
	frame = pw_val_map(fetcher->arena);
	pw_map_set_str(frame, "version", fetcher->version);
	(void)send_frame(fetcher, frame);
}

static int fetch(struct pw_fetcher *fetcher, struct pw_err *err)
{
	int rc;

	if ((rc = get_credential(fetcher, false, err)) != PW_OK || (rc = plan(fetcher, err)) != PW_OK)
		return rc;
	set_headers(fetcher);
	run_lists(fetcher);
	if ((rc = renew(fetcher, err)) != PW_OK)
		return rc;
	report(fetcher);
	return PW_OK;
}

int pw_fetch_main(void *arg, int out_fd)
{
	struct pw_fetcher fetcher = { .job = arg, .out_fd = out_fd, .arena = pw_arena_new(MEMORY) };
	struct pw_err err = PW_ERR_INIT;
	int status = 1;

	if (pw_libcurl_load(&err) < 0) {
		(void)send_fatal(&fetcher, &err);
		pw_arena_free(fetcher.arena);
		return 1;
	}
	if (fetcher.arena && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && (fetcher.multi = curl_multi_init()) != NULL) {
		status = 0;
		if (fetch(&fetcher, &err) != PW_OK)
			(void)send_fatal(&fetcher, &err);
	}
	for (size_t i = 0; i < fetcher.n_lists; i++)
		pw_list_release(&fetcher.lists[i]);
	if (fetcher.multi)
		(void)curl_multi_cleanup(fetcher.multi);
	curl_slist_free_all(fetcher.headers);
	free(fetcher.version);
	pw_arena_free(fetcher.arena);
	return status;
}
