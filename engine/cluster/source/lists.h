/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_LISTS_H
#define ENGINE_CLUSTER_SOURCE_LISTS_H


#include <base/libcurl.h>
#include <cluster/source/fetch.h>
#include <doc/json.h>

/* One list of one kind (in one namespace or all), page after page. Private to the fetching child. */

struct pw_list_kind {
	enum pw_fact fact;
	const char *prefix;      /* "/api/v1" */
	const char *resource;    /* "pods" */
	const char *kind, *version;
	bool namespaced;
	const char *only_ns;     /* always this namespace, or NULL */
	const char *query;       /* more of it, "" */
	bool optional;           /* the rest of its kind is whole without it; the gap says so */
};

extern const struct pw_list_kind pw_list_kinds[];
extern const size_t pw_list_kinds_count;

struct pw_fetcher;

struct pw_list {
	const struct pw_list_kind *kind; /* NULL: /version */
	struct pw_fetcher *fetcher;
	const char *ns;          /* NULL: all */
	bool fell_back;          /* to one namespace */
	struct pw_err denied;    /* why, then */

	CURL *easy;              /* while a request is under way */
	struct curl_slist *connect_to;
	struct pw_json_stream *stream;
	struct pw_buf body;      /* of an answer that is no list */
	char detail[CURL_ERROR_SIZE];
	size_t bytes;
	struct pw_err problem;   /* while reading the answer */

	char *next;              /* continue token, "" at the start; malloc */
	unsigned pages, restarts, retries;
	bool spoke;              /* an API server answered, if only to refuse */
	bool unauthorized;       /* answered 401: once more when the credential is renewed */
	int64_t not_before_ms;   /* Retry-After, on the monotonic clock */
	bool waiting, finished;

	enum pw_known known;
	struct pw_err err;       /* why not PW_KNOWN_YES */
};

struct pw_fetcher {
	const struct pw_fetch_job *job;
	struct pw_arena *arena;
	struct pw_credential credential;
	int out_fd;
	CURLM *multi;
	struct curl_slist *headers;
	struct pw_list *lists; size_t n_lists;
	char *version;           /* of the server, malloc; NULL */
	bool pipe_broken;
	bool renewed;            /* the credential was asked for a second time */
};

/* The next request of a list. PW_NOMEM, or PW_INTERNAL when libcurl refuses. */
int pw_list_start(struct pw_list *list, struct pw_err *err);
/* A request ended: goes on to the next page, waits, or is finished. */
void pw_list_end(struct pw_list *list, CURLcode code);
void pw_list_release(struct pw_list *list);

#endif
