/* SPDX-License-Identifier: GPL-3.0-or-later */
/* API lists: request, pages, and what each kind of answer leads to. */
#include <cluster/source/lists.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <cluster/model.h>
#include <cluster/source/explain.h>
#include <cluster/source/reduce.h>
#include <proc/wire.h>

#define PAGE 500                          /* items, as kubectl asks */
#define MAX_PAGES 10000                   /* of one list: five million objects */
#define MAX_ANSWER ((size_t)1 << 30)      /* bytes of one page; an old server may ignore the limit */
#define MAX_ITEM ((size_t)4 << 20)        /* bytes of one object: etcd takes 1.5 MiB unless told otherwise */
#define MAX_BODY 65536                    /* bytes of an error answer that are read */
#define MAX_RETRIES 3                     /* after 429 or 5xx with Retry-After */
#define MAX_RETRY_AFTER_MS 30000
#define ITEM_DEPTH 64
#define SCRATCH ((size_t)256 << 20)         /* one object as a tree */
#define MAX_URL 65536

/* ConfigMaps hold the configuration of DNS, kube-proxy and CNIs; other namespaces' are none of our business. */
#define CONFIGMAPS(ns) { PW_FACT_CONFIGMAPS, "/api/v1", "configmaps", "ConfigMap", "v1", true, ns, "", false }
#define WORKLOADS(resource, kind) { PW_FACT_WORKLOADS, "/apis/apps/v1", resource, kind, "apps/v1", true, NULL, "", false }
/* Not part of Kubernetes itself: where they are not installed, listing them may be forbidden all the same. */
#define CLUSTER_POLICIES(version, resource, kind) \
	{ PW_FACT_POLICIES, "/apis/policy.networking.k8s.io/" version, resource, kind, "policy.networking.k8s.io/" version, false, NULL, "", true }

#define PLUGIN_POLICIES(version, resource, kind, namespaced) \
	{ PW_FACT_POLICIES, "/apis/" version, resource, kind, version, namespaced, NULL, "", true }

const struct pw_list_kind pw_list_kinds[] = {
	{ PW_FACT_NAMESPACES, "/api/v1", "namespaces", "Namespace", "v1", false, NULL, "", false },
	{ PW_FACT_NODES, "/api/v1", "nodes", "Node", "v1", false, NULL, "", false },
	{ PW_FACT_PODS, "/api/v1", "pods", "Pod", "v1", true, NULL, "", false },
	{ PW_FACT_SERVICES, "/api/v1", "services", "Service", "v1", true, NULL, "", false },
	{ PW_FACT_SLICES, "/apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice", "discovery.k8s.io/v1", true, NULL, "", false },
	{ PW_FACT_POLICIES, "/apis/networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", "networking.k8s.io/v1", true, NULL, "", false },
	CLUSTER_POLICIES("v1alpha1", "adminnetworkpolicies", "AdminNetworkPolicy"),
	CLUSTER_POLICIES("v1alpha1", "baselineadminnetworkpolicies", "BaselineAdminNetworkPolicy"),
	CLUSTER_POLICIES("v1alpha2", "clusternetworkpolicies", "ClusterNetworkPolicy"),
	PLUGIN_POLICIES("crd.projectcalico.org/v1", "networkpolicies", "NetworkPolicy", true),
	PLUGIN_POLICIES("crd.projectcalico.org/v1", "globalnetworkpolicies", "GlobalNetworkPolicy", false),
	PLUGIN_POLICIES("crd.projectcalico.org/v1", "tiers", "Tier", false),
	PLUGIN_POLICIES("cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", true),
	PLUGIN_POLICIES("cilium.io/v2", "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", false),
	WORKLOADS("deployments", "Deployment"), WORKLOADS("replicasets", "ReplicaSet"), WORKLOADS("statefulsets", "StatefulSet"),
	WORKLOADS("daemonsets", "DaemonSet"),
	CONFIGMAPS("kube-system"), CONFIGMAPS("kube-flannel"), CONFIGMAPS("calico-system"), CONFIGMAPS("kube-public"),
	{ PW_FACT_INGRESSES, "/apis/networking.k8s.io/v1", "ingresses", "Ingress", "networking.k8s.io/v1", true, NULL, "", false },
	{ PW_FACT_INGRESSES, "/apis/networking.k8s.io/v1", "ingressclasses", "IngressClass", "networking.k8s.io/v1", false, NULL, "", false },
	/* type!=Normal: only warnings help a diagnosis, and they are few */
	{ PW_FACT_EVENTS, "/api/v1", "events", "Event", "v1", true, NULL, "&fieldSelector=type%21%3DNormal", false },
};
const size_t pw_list_kinds_count = sizeof(pw_list_kinds) / sizeof(pw_list_kinds[0]);

size_t pw_cluster_resources(unsigned kinds, struct pw_cluster_resource *ret, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < pw_list_kinds_count; i++) {
		const struct pw_list_kind *kind = &pw_list_kinds[i];
		if (!(kinds & kind->fact))
			continue;
		if (n < max)
			ret[n] = (struct pw_cluster_resource){ kind->version, kind->resource, kind->only_ns };
		n++;
	}
	return n;
}

static const char *what(const struct pw_list *list)
{
	return list->kind ? list->kind->resource : "its version";
}

/* ---- reading an answer ---- */

/* Old ReplicaSets that are scaled to nothing are a Deployment's history. */
static bool is_history(const struct pw_list *list, const struct pw_val *item)
{
	return strcmp(list->kind->kind, "ReplicaSet") == 0 && pw_map_int(pw_map_get(item, "spec"), "replicas", 1) == 0;
}

static int send_object(const struct pw_list *list, const struct pw_val *item, struct pw_err *err)
{
	struct pw_arena *scratch = pw_arena_new(SCRATCH);
	struct pw_val *frame = scratch ? pw_val_map(scratch) : NULL, *object;
	int rc;

	object = frame ? pw_object_reduce(list->kind->fact, item, scratch) : NULL;
	pw_map_set_str(object, "kind", list->kind->kind);
	pw_map_set_str(object, "apiVersion", list->kind->version);
	pw_map_set(frame, "object", object);
	if (!object || pw_arena_failed(scratch))
		rc = pw_err_set(err, PW_NOMEM, "one of the %s is too large", what(list));
	else
		rc = pw_wire_send(list->fetcher->out_fd, frame, PW_FETCH_FRAME_MAX, err);
	if (rc == PW_NET || rc == PW_IO)
		list->fetcher->pipe_broken = true;
	pw_arena_free(scratch);
	return rc;
}

static int take_item(void *arg, const struct pw_val *item, struct pw_err *err)
{
	const struct pw_list *list = arg;

	/* A document without items is handed over whole; a list's items all have names. */
	if (!pw_map_str(pw_map_get(item, "metadata"), "name", "")[0] || is_history(list, item))
		return PW_OK;
	return send_object(list, item, err);
}

static bool is_json(CURL *easy)
{
	const char *type = NULL;

	return curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type && strncasecmp(type, "application/json", 16) == 0;
}

static size_t take_bytes(char *data, size_t size, size_t count, void *arg)
{
	struct pw_list *list = arg;
	size_t len = size * count;
	long status = 0;

	(void)curl_easy_getinfo(list->easy, CURLINFO_RESPONSE_CODE, &status);
	list->bytes += len;
	if (list->bytes > MAX_ANSWER) {
		(void)pw_err_set(&list->problem, PW_NET, "the answer to list %s did not end after %zu MiB", what(list), MAX_ANSWER >> 20);
		return 0;
	}
	if (status != 200 || !is_json(list->easy) || !list->kind) {
		if (list->body.len < MAX_BODY)
			pw_buf_add(&list->body, data, len < MAX_BODY - list->body.len ? len : MAX_BODY - list->body.len);
		return len;
	}
	if (pw_json_stream_feed(list->stream, data, len, &list->problem) != PW_OK)
		return 0;
	return len;
}

/* ---- asking ---- */

static void release_request(struct pw_list *list)
{
	if (list->easy) {
		(void)curl_multi_remove_handle(list->fetcher->multi, list->easy);
		curl_easy_cleanup(list->easy);
	}
	curl_slist_free_all(list->connect_to);
	pw_json_stream_free(list->stream);
	list->easy = NULL;
	list->connect_to = NULL;
	list->stream = NULL;
}

void pw_list_release(struct pw_list *list)
{
	release_request(list);
	pw_buf_release(&list->body);
	free(list->next);
	list->next = NULL;
}

static int compose_url(const struct pw_list *list, struct pw_buf *url)
{
	const struct pw_list_kind *kind = list->kind;

	pw_buf_puts(url, list->fetcher->job->config->server);
	if (!kind) {
		pw_buf_puts(url, "/version");
		return pw_buf_ok(url) ? PW_OK : PW_NOMEM;
	}
	pw_buf_puts(url, kind->prefix);
	if (list->ns) {
		char *ns = curl_easy_escape(list->easy, list->ns, 0);

		pw_buf_printf(url, "/namespaces/%s", ns ? ns : "");
		curl_free(ns);
	}
	pw_buf_printf(url, "/%s?limit=%d%s", kind->resource, PAGE, kind->query);
	if (list->next && list->next[0]) {
		char *next = curl_easy_escape(list->easy, list->next, 0);

		pw_buf_printf(url, "&continue=%s", next ? next : "");
		curl_free(next);
	}
	return pw_buf_ok(url) ? PW_OK : PW_NOMEM;
}

static CURLcode set_pem(CURL *easy, const struct pw_pem *pem, CURLoption blob_option, CURLoption file_option)
{
	if (pem->len) {
		struct curl_blob blob = { (void *)(uintptr_t)pem->data, pem->len, CURL_BLOB_COPY };

		return curl_easy_setopt(easy, blob_option, &blob);
	}
	return pem->file[0] ? curl_easy_setopt(easy, file_option, pem->file) : CURLE_OK;
}

static void set_tls(const struct pw_fetcher *fetcher, CURL *easy)
{
	const struct pw_kubeconfig *config = fetcher->job->config;

	/* With an authority of its own the system's do not count. */
	if (config->ca.len || config->ca.file[0])
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	(void)set_pem(easy, &config->ca, CURLOPT_CAINFO_BLOB, CURLOPT_CAINFO);
	(void)set_pem(easy, &fetcher->credential.cert, CURLOPT_SSLCERT_BLOB, CURLOPT_SSLCERT);
	(void)set_pem(easy, &fetcher->credential.key, CURLOPT_SSLKEY_BLOB, CURLOPT_SSLKEY);
	if (config->insecure) {
		(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_common(struct pw_list *list)
{
	const struct pw_fetcher *fetcher = list->fetcher;
	CURL *easy = list->easy;
	const struct pw_fetch_job *job = fetcher->job;
	const struct pw_kubeconfig *config = job->config;

	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)job->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)job->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* one HTTP/2 connection for all lists */
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "packetwalk/" PW_VERSION);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetcher->headers);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, list->detail);
	if (!config->disable_compression)
		(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	if (config->proxy_url[0])
		(void)curl_easy_setopt(easy, CURLOPT_PROXY, config->proxy_url);
	if (fetcher->credential.username[0] && !fetcher->credential.token[0]) {
		(void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		(void)curl_easy_setopt(easy, CURLOPT_USERNAME, fetcher->credential.username);
		(void)curl_easy_setopt(easy, CURLOPT_PASSWORD, fetcher->credential.password);
	}
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)list);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)list);
	set_tls(fetcher, easy);
}

/* tls-server-name: the URL gets that name (for SNI and verification), the connection goes where the server is. */
static int set_url(struct pw_list *list, const char *text)
{
	const struct pw_kubeconfig *config = list->fetcher->job->config;
	CURL *easy = list->easy;
	char *host = NULL, *port = NULL, *full = NULL, target[600];
	CURLU *url;
	int rc = PW_NOMEM;

	if (!config->tls_server_name[0])
		return curl_easy_setopt(easy, CURLOPT_URL, text) == CURLE_OK ? PW_OK : PW_NOMEM;
	url = curl_url();
	if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_set(url, CURLUPART_HOST, config->tls_server_name, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_URL, &full, 0) == CURLUE_OK) {
		(void)snprintf(target, sizeof(target), "%s:%s:%s:%s", config->tls_server_name, port, host, port);
		list->connect_to = curl_slist_append(NULL, target);
		if (list->connect_to && curl_easy_setopt(easy, CURLOPT_URL, full) == CURLE_OK &&
		    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, list->connect_to) == CURLE_OK)
			rc = PW_OK;
	}
	curl_free(host);
	curl_free(port);
	curl_free(full);
	curl_url_cleanup(url);
	return rc;
}

int pw_list_start(struct pw_list *list, struct pw_err *err)
{
	const struct pw_json_limits limits = { MAX_ITEM, ITEM_DEPTH };
	struct pw_buf url;
	int rc = PW_NOMEM;

	release_request(list);
	pw_buf_clear(&list->body);
	pw_err_clear(&list->problem);
	list->bytes = 0;
	list->detail[0] = '\0';
	list->waiting = false;
	list->stream = pw_json_stream_new(&limits, take_item, list);
	list->easy = curl_easy_init();
	pw_buf_init(&url, MAX_URL);
	if (list->easy && list->stream && compose_url(list, &url) == PW_OK) {
		set_common(list);
		rc = set_url(list, pw_buf_str(&url));
		if (rc == PW_OK && curl_multi_add_handle(list->fetcher->multi, list->easy) != CURLM_OK)
			rc = PW_NOMEM;
	}
	pw_buf_release(&url);
	return rc == PW_OK ? PW_OK : pw_err_set(err, PW_NOMEM, "the request for %s could not be made", what(list));
}

/* ---- what an answer leads to ---- */

static void finish(struct pw_list *list, enum pw_known known)
{
	list->known = known;
	list->finished = true;
	list->spoke = list->spoke || known == PW_KNOWN_YES || known == PW_KNOWN_PART;
	release_request(list);
}

static void fail(struct pw_list *list)
{
	switch (list->err.code) {
	case PW_DENIED: finish(list, list->kind && list->kind->optional ? PW_KNOWN_ABSENT : PW_KNOWN_DENIED); break;
	case PW_ABSENT: finish(list, PW_KNOWN_ABSENT); break;
	default: finish(list, PW_KNOWN_FAILED); break;
	}
}

static void fail_transfer(struct pw_list *list, CURLcode code)
{
	const struct pw_fetch_job *job = list->fetcher->job;
	struct pw_transfer transfer = { job->config->server, (int)code, list->detail, 0, false, job->timeout_ms };
	double connect_s = 0;
	long sys = 0;

	if (list->problem.code != PW_OK) { /* our own reader stopped it */
		(void)pw_err_set(&list->err, PW_NET, "the answer to list %s cannot be read: %s", what(list), list->problem.text);
	} else {
		(void)curl_easy_getinfo(list->easy, CURLINFO_OS_ERRNO, &sys);
		(void)curl_easy_getinfo(list->easy, CURLINFO_CONNECT_TIME, &connect_s);
		transfer.sys = (int)sys;
		transfer.connected = connect_s > 0;
		(void)pw_explain_transfer(&transfer, &list->err);
	}
	fail(list);
}

/* Seconds of a Retry-After header; 0 if there is none. */
static int64_t retry_after_ms(CURL *easy)
{
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds * 1000 > MAX_RETRY_AFTER_MS ? MAX_RETRY_AFTER_MS : (int64_t)seconds * 1000;
}

static void restart(struct pw_list *list)
{
	free(list->next);
	list->next = NULL;
	list->pages = 0;
	list->waiting = true;
	list->not_before_ms = 0;
}

/* True if the list goes on in another way: later, from the start, or in one namespace. */
static bool try_again(struct pw_list *list, long status)
{
	const char *ns = list->fetcher->job->fallback_ns;
	int64_t pause = retry_after_ms(list->easy);

	if ((status == 429 || status >= 500) && pause && list->retries < MAX_RETRIES) {
		list->retries++;
		list->waiting = true;
		list->not_before_ms = pw_mono_ms() + pause;
		return true;
	}
	if (status == 410 && list->restarts == 0) { /* the continue token expired */
		list->restarts++;
		restart(list);
		return true;
	}
	if (status == 403 && list->kind && list->kind->namespaced && !list->ns && ns) {
		list->denied = list->err;
		list->ns = ns;
		list->fell_back = true;
		restart(list);
		return true;
	}
	return false;
}

static void fail_answer(struct pw_list *list, long status)
{
	const struct pw_json_limits limits = { MAX_BODY, 16 };
	struct pw_arena *scratch = pw_arena_new(MAX_BODY * 16);
	struct pw_err ignored = PW_ERR_INIT;
	struct pw_val *body = NULL;
	struct pw_answer answer = { what(list), status, "", "", NULL, list->fetcher->job->config->server };
	const char *text = NULL;

	if (scratch)
		(void)pw_json_parse(pw_buf_str(&list->body), list->body.len, NULL, &limits, scratch, &body, &ignored);
	answer.body = body;
	list->spoke = status != 401 && strcmp(pw_map_str(body, "kind", ""), "Status") == 0;
	if (curl_easy_getinfo(list->easy, CURLINFO_CONTENT_TYPE, &text) == CURLE_OK && text)
		answer.type = text;
	text = NULL;
	if (curl_easy_getinfo(list->easy, CURLINFO_REDIRECT_URL, &text) == CURLE_OK && text)
		answer.location = text;
	(void)pw_explain_answer(&answer, &list->err);
	if (try_again(list, status)) {
		pw_err_clear(&list->err);
	} else {
		list->unauthorized = status == 401;
		fail(list);
	}
	pw_arena_free(scratch);
}

static void take_version(struct pw_list *list)
{
	const struct pw_json_limits limits = { MAX_BODY, 16 };
	struct pw_arena *scratch = pw_arena_new(MAX_BODY * 16);
	struct pw_err ignored = PW_ERR_INIT;
	struct pw_val *body = NULL;
	const char *version;

	if (scratch)
		(void)pw_json_parse(pw_buf_str(&list->body), list->body.len, NULL, &limits, scratch, &body, &ignored);
	version = pw_map_str(body, "gitVersion", "");
	if (version[0] && !list->fetcher->version)
		list->fetcher->version = strdup(version);
	if (!version[0])
		(void)pw_err_set(&list->err, PW_NET, "%s does not say its version: this is not an API server", list->fetcher->job->config->server);
	finish(list, version[0] ? PW_KNOWN_YES : PW_KNOWN_FAILED);
	pw_arena_free(scratch);
}

static bool is_list(const struct pw_val *rest)
{
	const char *kind = pw_map_str(rest, "kind", "");
	size_t len = strlen(kind);

	return len >= 4 && strcmp(kind + len - 4, "List") == 0;
}

/* A whole page of JSON came: on to the next one, or done. */
static void take_page(struct pw_list *list)
{
	const struct pw_val *rest;
	const char *next;
	char *copy;

	if (pw_json_stream_end(list->stream, &list->problem) != PW_OK) {
		(void)pw_err_set(&list->err, PW_NET, "the answer to list %s cannot be read: %s", what(list), list->problem.text);
		fail(list);
		return;
	}
	rest = pw_json_stream_rest(list->stream);
	if (!is_list(rest)) {
		(void)pw_err_set(&list->err, PW_NET, "%s did not answer with a list of %s: this is not an API server",
				 list->fetcher->job->config->server, what(list));
		fail(list);
		return;
	}
	next = pw_map_str(pw_map_get(rest, "metadata"), "continue", "");
	if (!next[0]) {
		finish(list, list->fell_back ? PW_KNOWN_PART : PW_KNOWN_YES);
		return;
	}
	copy = strdup(next);
	if (!copy || ++list->pages >= MAX_PAGES || (list->next && strcmp(list->next, copy) == 0)) {
		free(copy);
		(void)pw_err_set(&list->err, PW_NET, "the list of %s does not end", what(list));
		fail(list);
		return;
	}
	free(list->next);
	list->next = copy;
	list->waiting = true;
	list->not_before_ms = 0;
}

void pw_list_end(struct pw_list *list, CURLcode code)
{
	long status = 0;

	(void)curl_easy_getinfo(list->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		fail_transfer(list, code);
	else if (status != 200 || !is_json(list->easy))
		fail_answer(list, status);
	else if (!list->kind)
		take_version(list);
	else
		take_page(list);
}
