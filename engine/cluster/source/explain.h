/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_EXPLAIN_H
#define ENGINE_CLUSTER_SOURCE_EXPLAIN_H

#include <packetwalk/err.h>
#include <packetwalk/val.h>

/* What a failed request to an API server means, in a sentence that says what to look at. */

struct pw_transfer {
	const char *server;     /* the URL of the kubeconfig */
	int curl;               /* CURLcode */
	const char *detail;     /* libcurl's error text, "" if none */
	int sys;                /* CURLINFO_OS_ERRNO */
	bool connected;         /* the TCP connection was made */
	unsigned timeout_ms;
};
int pw_explain_transfer(const struct pw_transfer *transfer, struct pw_err *err);

struct pw_answer {
	const char *what;       /* "pods" */
	long status;            /* HTTP */
	const char *type;       /* Content-Type, "" if none */
	const char *location;   /* of a redirect, "" if none */
	const struct pw_val *body; /* a Status object, or NULL */
	const char *server;
};
/* For every answer but a 200 with JSON. PW_DENIED 403, PW_AUTH 401, PW_ABSENT 404, else PW_NET. */
int pw_explain_answer(const struct pw_answer *answer, struct pw_err *err);

#endif
