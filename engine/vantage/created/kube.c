/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kubectl create, get and delete: what goes on its command line, and what its complaints mean. */
#include "kube.h"

#include <stdlib.h>
#include <string.h>

#include <doc/json.h>
#include <packetwalk/cleanup.h>
#include <proc/child.h>

#include "made.h"

enum {
	OUT_MAX = 8 << 20,       /* a pod, or a list of ours */
	ENV_MAX = 4096,          /* variables passed on */
	DEPTH_MAX = 128,
	SAID_MAX = 400,          /* bytes of a complaint repeated */
};

extern char **environ;

static bool is_kubeconfig(const char *variable) { return strncmp(variable, "KUBECONFIG=", strlen("KUBECONFIG=")) == 0; }

/* The user's own environment, with the KUBECONFIG of the time the ledger was written, or none if there was none. */
static const char *const *environment(const struct pw_kube *kube, struct pw_arena *arena)
{
	size_t n = 0;
	if (!kube->kubeconfig)
		return (const char *const *)environ;
	const char **env = pw_arena_array(arena, ENV_MAX + 2, sizeof *env);
	for (char *const *e = environ; env && *e && n < ENV_MAX; e++)
		if (!is_kubeconfig(*e))
			env[n++] = *e;
	if (env && *kube->kubeconfig)
		env[n] = pw_arena_printf(arena, "KUBECONFIG=%s", kube->kubeconfig);
	return env;
}

/* "Error from server (Forbidden): error when creating "STDIN": pods "x" is forbidden: ..." without what only kubectl's user needs. */
static int explain(const char *log, const char *doing, struct pw_err *err)
{
	static const struct { const char *word; int code; } reasons[] = {
		{ "(NotFound)", PW_ABSENT }, { "(Conflict)", PW_ABSENT }, { "(Forbidden)", PW_DENIED }, { "(Unauthorized)", PW_AUTH },
	};
	static const char *const prefixes[] = { "error when creating \"STDIN\": ", "Error from server ", "error: " };
	PW_CLEAN_BUF struct pw_buf said;
	int code = PW_NET;
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strstr(log, reasons[i].word))
			code = reasons[i].code;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		const char *at = strstr(log, prefixes[i]);
		if (at && (i == 0 || at == log))
			log = at + strlen(prefixes[i]);
	}
	size_t len = strlen(log);
	while (len && strchr("\r\n ", log[len - 1]))
		len--;
	pw_buf_init(&said, OUT_MAX);
	pw_buf_escaped(&said, log, len < SAID_MAX ? len : SAID_MAX);
	return pw_err_set(err, code, "%s: %s%s", doing, len ? pw_buf_str(&said) : "kubectl gave no reason", len > SAID_MAX ? "..." : "");
}

/* Runs the program with `words` behind its options. A status other than 0 is an error, by what it complained of. */
static int run(const struct pw_kube *kube, const char *const *words, const char *input, unsigned timeout_ms, const char *doing,
	       struct pw_arena *arena, struct pw_buf *out, struct pw_err *err)
{
	const char **argv = pw_arena_array(arena, 2 * (size_t)PW_KUBE_ARGS + 2, sizeof *argv), *const *env = environment(kube, arena);
	size_t n = 0;
	int status = 0;
	PW_CLEAN_BUF struct pw_buf log;
	if (!argv || !env || pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for a command line");
	for (const char *const *o = kube->argv; *o && n < PW_KUBE_ARGS; o++)
		argv[n++] = *o;
	for (; *words && n < 2 * (size_t)PW_KUBE_ARGS; words++)
		argv[n++] = *words;
	argv[n] = pw_arena_printf(arena, "--request-timeout=%us", timeout_ms < 1000 ? 1 : timeout_ms / 1000);
	const struct pw_collect how = { .argv = argv, .envp = env, .path = getenv("PATH"), .timeout_ms = timeout_ms, .input = input,
					.n_input = input ? strlen(input) : 0, .own_group = kube->own_group };
	pw_buf_init(&log, PW_CHILD_LOG_MAX * 4);
	int rc = pw_child_converse(&how, out, &log, &status, err);
	if (rc < 0)
		return pw_err_wrap(err, "%s", doing);
	return status ? explain(pw_buf_str(&log), doing, err) : PW_OK;
}

static int parse(const struct pw_buf *out, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err)
{
	static const struct pw_json_limits limits = { OUT_MAX, DEPTH_MAX };
	int rc = pw_json_parse(pw_buf_str(out), out->len, NULL, &limits, arena, ret, err);
	return rc < 0 ? pw_err_wrap(err, "kubectl answered with something else than an object") : rc;
}

int pw_kube_create(const struct pw_kube *kube, const char *manifest, unsigned timeout_ms, struct pw_err *err)
{
	const char *const words[] = { "create", "-f", "-", "-o", "name", NULL };
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(OUT_MAX);
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, OUT_MAX);
	return run(kube, words, manifest, timeout_ms, "it was not made", arena, &out, err);
}

int pw_kube_get(const struct pw_kube *kube, const char *ns, const char *name, unsigned timeout_ms, struct pw_arena *arena,
		struct pw_val **ret, struct pw_err *err)
{
	const char *const words[] = { "get", "pod", name, "-n", ns, "--ignore-not-found", "-o", "json", NULL };
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, OUT_MAX);
	int rc = run(kube, words, NULL, timeout_ms, "it cannot be looked at", arena, &out, err);
	if (rc < 0)
		return rc;
	return out.len ? parse(&out, arena, ret, err) : pw_err_set(err, PW_ABSENT, "there is no pod %s/%s", ns, name);
}

int pw_kube_list(const struct pw_kube *kube, unsigned timeout_ms, struct pw_arena *arena, const struct pw_val **ret, struct pw_err *err)
{
	const char *const words[] = { "get", "pods", "-A", "-l", PW_MADE_BY_LABEL "=" PW_MADE_BY "," PW_MADE_RUN_LABEL, "-o", "json", NULL };
	struct pw_val *list = NULL;
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, OUT_MAX);
	int rc = run(kube, words, NULL, timeout_ms, "pods of packetwalk cannot be listed", arena, &out, err);
	if (rc == PW_OK)
		rc = parse(&out, arena, &list, err);
	if (rc == PW_OK)
		*ret = pw_map_get(list, "items");
	return rc;
}

/* The API's own words: kubectl delete knows no UID, and a name may have been given anew. */
static const char *options_with_uid(const char *uid, struct pw_arena *arena, struct pw_buf *text)
{
	struct pw_val *options = pw_val_map(arena);
	pw_map_set_str(options, "apiVersion", "v1");
	pw_map_set_str(options, "kind", "DeleteOptions");
	pw_map_set_str(pw_map_set_map(options, "preconditions"), "uid", uid);
	pw_json_write(text, options, 0);
	return pw_arena_failed(arena) || !pw_buf_ok(text) ? NULL : pw_buf_str(text);
}

int pw_kube_delete(const struct pw_kube *kube, const char *ns, const char *name, const char *uid, unsigned timeout_ms, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(OUT_MAX);
	PW_CLEAN_BUF struct pw_buf out, options;
	pw_buf_init(&out, OUT_MAX);
	pw_buf_init(&options, OUT_MAX);
	const char *body = options_with_uid(uid, arena, &options), *path = pw_arena_printf(arena, "/api/v1/namespaces/%s/pods/%s", ns, name);
	const char *const words[] = { "delete", "--raw", path, "-f", "-", NULL };
	if (!body || !path)
		return pw_err_set(err, PW_NOMEM, "no memory to delete a pod");
	return run(kube, words, body, timeout_ms, "it was not deleted", arena, &out, err);
}

const char *pw_kube_cluster_uid(const struct pw_kube *kube, unsigned timeout_ms, struct pw_arena *arena)
{
	const char *const words[] = { "get", "namespace", "kube-system", "-o", "json", NULL };
	struct pw_val *ns = NULL;
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, OUT_MAX);
	if (run(kube, words, NULL, timeout_ms, "the cluster cannot be asked who it is", arena, &out, NULL) < 0 || parse(&out, arena, &ns, NULL) < 0)
		return "";
	return pw_map_str(pw_map_get(ns, "metadata"), "uid", "");
}
