/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kube: against API servers that behave and that do not, on loopback. Each
 * test forks a server that plays one part; the client is the real one, with
 * its own child.
 *
 * With a kubeconfig or "in-cluster:" as its argument the program asks that
 * cluster for pods and prints how it went: tests/kube uses it against real TLS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/text.h>

#include "cluster_util.h"

#define TIMEOUT_MS tap_ms(1500) /* of one request; long enough for a loaded machine */

static char root[64];
static unsigned port;

/* ---- the server ---- */

typedef void (*part)(int fd, const char *request);

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			_exit(0);
		text += n;
		len -= (size_t)n;
	}
}

static void answer(int fd, const char *status, const char *headers, const char *type, const char *body)
{
	char head[512];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
		       headers, type, strlen(body));
	say(fd, head);
	say(fd, body);
}

static void json(int fd, const char *status, const char *headers, const char *body)
{
	answer(fd, status, headers, "application/json", body);
}

static bool asks(const char *request, const char *path)
{
	size_t len = strlen(path);

	return strncmp(request, "GET ", 4) == 0 && strncmp(request + 4, path, len) == 0 && (request[4 + len] == '?' || request[4 + len] == ' ');
}

static bool wants_version(int fd, const char *request)
{
	if (!asks(request, "/version"))
		return false;
	json(fd, "200 OK", "", "{\"gitVersion\":\"v1.31.2\"}");
	return true;
}

#define LIST(kind, items) "{\"kind\":\"" kind "\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[" items "]}"
#define STATUS(code, text) "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"" text "\",\"code\":" code "}"
#define POD(name) "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"shop\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"P\",\"value\":\"SECRET\"}]}]}}"

static void part_good(int fd, const char *request)
{
	if (wants_version(fd, request))
		return;
	if (!strstr(request, "\r\nAuthorization: Bearer SECRET\r\n") || !strstr(request, "\r\nImpersonate-User: bob\r\n"))
		json(fd, "401 Unauthorized", "", STATUS("401", "who?"));
	else if (asks(request, "/prefix/api/v1/namespaces"))
		json(fd, "200 OK", "", LIST("NamespaceList", "{\"metadata\":{\"name\":\"kube-system\",\"uid\":\"u-1\"}}"));
	else if (asks(request, "/prefix/api/v1/pods") && strstr(request, "continue=a%2Fb%3D"))
		json(fd, "200 OK", "", LIST("PodList", POD("b")));
	else if (asks(request, "/prefix/api/v1/pods"))
		json(fd, "200 OK", "", "{\"kind\":\"PodList\",\"metadata\":{\"continue\":\"a/b=\"},\"items\":[" POD("a") "]}");
	else
		json(fd, "404 Not Found", "", STATUS("404", "the server could not find the requested resource"));
}

static void part_mute(int fd, const char *request)
{
	(void)fd, (void)request;
	(void)pause();
}

static void part_cut(int fd, const char *request)
{
	(void)request;
	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"kind\":\"PodList\",\"items\":[" POD("a"));
}

static void part_short(int fd, const char *request)
{
	(void)request;
	json(fd, "200 OK", "", "{\"kind\":\"PodList\",\"items\":[" POD("a") ",{");
}

static void part_html(int fd, const char *request)
{
	(void)request;
	answer(fd, "200 OK", "", "text/html; charset=utf-8", "<html>Please log in</html>");
}

static void part_text(int fd, const char *request)
{
	(void)request;
	answer(fd, "200 OK", "", "text/plain", "hello");
}

static void part_object(int fd, const char *request)
{
	(void)request;
	json(fd, "200 OK", "", "{\"hello\":1}");
}

static void part_redirect(int fd, const char *request)
{
	(void)request;
	answer(fd, "302 Found", "Location: https://login.example/x\r\n", "text/html", "");
}

static void part_401(int fd, const char *request)
{
	(void)request;
	json(fd, "401 Unauthorized", "", STATUS("401", "Unauthorized"));
}

static void part_403(int fd, const char *request)
{
	if (wants_version(fd, request))
		return;
	json(fd, "403 Forbidden", "", STATUS("403", "pods is forbidden: User \\\"u\\\" cannot list resource \\\"pods\\\""));
}

static void part_own_namespace(int fd, const char *request)
{
	if (asks(request, "/api/v1/namespaces/shop/pods"))
		json(fd, "200 OK", "", LIST("PodList", POD("a")));
	else
		part_403(fd, request);
}

static void part_500(int fd, const char *request)
{
	(void)request;
	json(fd, "500 Internal Server Error", "", STATUS("500", "etcdserver: request timed out"));
}

static void part_garbage(int fd, const char *request)
{
	(void)request;
	say(fd, "SSH-2.0-OpenSSH_9.2\r\n");
}

/* A list that goes on for as long as somebody reads it. */
static void part_endless(int fd, const char *request)
{
	(void)request;
	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"kind\":\"PodList\",\"items\":[{}");
	for (;;)
		say(fd, ",{\"metadata\":{}},{\"metadata\":{}},{\"metadata\":{}},{\"metadata\":{}},{\"metadata\":{}},{\"metadata\":{}}");
}

/* Brackets without end. */
static void part_deep(int fd, const char *request)
{
	(void)request;
	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"kind\":\"PodList\",\"items\":[");
	for (;;)
		say(fd, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
}

static void part_circle(int fd, const char *request)
{
	if (!wants_version(fd, request))
		json(fd, "200 OK", "", "{\"kind\":\"PodList\",\"metadata\":{\"continue\":\"again\"},\"items\":[]}");
}

/* Parts with a memory keep it in files: every connection has a process of its own. */
static bool first_time(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	if (access(path, F_OK) == 0)
		return false;
	(void)fclose(fopen(path, "we"));
	return true;
}

static void part_busy(int fd, const char *request)
{
	if (wants_version(fd, request))
		return;
	if (first_time("busy"))
		json(fd, "429 Too Many Requests", "Retry-After: 1\r\n", STATUS("429", "too many requests"));
	else
		json(fd, "200 OK", "", LIST("PodList", POD("a")));
}

static void part_expired(int fd, const char *request)
{
	if (wants_version(fd, request))
		return;
	if (!strstr(request, "continue="))
		json(fd, "200 OK", "", first_time("expired") ? "{\"kind\":\"PodList\",\"metadata\":{\"continue\":\"old\"},\"items\":[" POD("a") "]}" :
							   LIST("PodList", POD("a") "," POD("b")));
	else
		json(fd, "410 Gone", "", STATUS("410", "The provided continue parameter is too old"));
}

static void part_new_token(int fd, const char *request)
{
	if (strstr(request, "Authorization: Bearer second\r\n") && !wants_version(fd, request))
		json(fd, "200 OK", "", LIST("PodList", POD("a")));
	else
		part_401(fd, request);
}

static void serve_one(int fd, part play)
{
	char request[8192];
	size_t len = 0;

	while (len < sizeof(request) - 1) {
		ssize_t n = read(fd, request + len, sizeof(request) - 1 - len);

		if (n <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	play(fd, request);
}

static pid_t serve(part play)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) < 0 || listen(listener, 64) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) < 0)
		return -1;
	port = ntohs(address.sin_port);
	pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		(void)signal(SIGCHLD, SIG_IGN);
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			if (fd >= 0 && fork() == 0) {
				serve_one(fd, play);
				_exit(0);
			}
			(void)close(fd);
		}
	}
	(void)setpgid(pid, pid);
	(void)close(listener);
	return pid;
}

static void stop(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* ---- the client ---- */

static void put(const char *name, mode_t mode, const char *text)
{
	write_file(root, name, mode, text);
}

struct asked { struct pw_cluster *cluster; const struct pw_facts *facts; struct pw_err err; int rc; int64_t ms; };

static void ask(struct asked *asked, const char *prefix, const char *user, unsigned kinds)
{
	char text[2048], path[128];
	struct pw_cluster_config config = { .source = "kube:", .kubeconfig = path, .request_timeout_ms = (unsigned)TIMEOUT_MS };
	int64_t start = pw_mono_ms();

	memset(asked, 0, sizeof(*asked));
	(void)snprintf(path, sizeof(path), "%s/config", root);
	(void)snprintf(text, sizeof(text), "current-context: t\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:%u%s'}}]\n"
		       "contexts: [{name: t, context: {cluster: c, user: u, namespace: shop}}]\nusers: [{name: u, user: %s}]\n", port, prefix, user);
	put("config", 0600, text);
	asked->rc = pw_cluster_open(&config, &asked->cluster, &asked->err);
	if (asked->rc == PW_OK) {
		asked->rc = pw_cluster_need(asked->cluster, kinds, NULL, &asked->err);
		asked->facts = pw_cluster_facts(asked->cluster);
	}
	asked->ms = pw_mono_ms() - start;
	ok(!strstr(asked->err.text, "SECRET"), "no secret in the error");
}

#define TOKEN "{token: SECRET}"

/* Asks for pods, expects failure of the whole. */
static void fails(part play, int code, const char *says)
{
	struct asked asked;
	pid_t pid = serve(play);

	ask(&asked, "", TOKEN, PW_FACT_PODS);
	is_int(asked.rc, code, says);
	ok(strstr(asked.err.text, says) != NULL, "%s: %s", says, asked.err.text);
	ok(asked.ms < 5 * TIMEOUT_MS, "in time (%lld ms)", (long long)asked.ms);
	pw_cluster_close(asked.cluster);
	stop(pid);
}

/* Asks for pods, expects a gap. */
static void gap(part play, enum pw_known known, const char *says, size_t pods)
{
	struct asked asked;
	pid_t pid = serve(play);
	size_t n = 0;

	ask(&asked, "", TOKEN, PW_FACT_PODS);
	is_int(asked.rc, PW_OK, "a kind that cannot be had is no error");
	is_int(pw_facts_known(asked.facts, PW_FACT_PODS), known, says);
	is_str(pw_facts_gap(asked.facts, PW_FACT_PODS), says, "the gap");
	(void)pw_facts_pods(asked.facts, &n);
	is_int(n, pods, "pods");
	pw_cluster_close(asked.cluster);
	stop(pid);
}

static void test_good(void)
{
	struct asked asked;
	pid_t pid = serve(part_good);
	size_t n = 0;

	ask(&asked, "/prefix/", "{token: SECRET, as: bob}", PW_FACT_PODS | PW_FACT_NAMESPACES | PW_FACT_POLICIES);
	is_int(asked.rc, PW_OK, "a server that behaves");
	(void)pw_facts_pods(asked.facts, &n);
	is_int(n, 2, "pods of two pages");
	is_int(pw_facts_known(asked.facts, PW_FACT_PODS), PW_KNOWN_YES, "are known");
	is_int(pw_facts_known(asked.facts, PW_FACT_POLICIES), PW_KNOWN_ABSENT, "a kind that is not served");
	is_str(pw_facts_gap(asked.facts, PW_FACT_POLICIES), "the API server does not serve networkpolicies", "says so");
	is_int(pw_facts_known(asked.facts, PW_FACT_SERVICES), PW_KNOWN_NOT_ASKED, "only what was asked for");
	is_str(pw_cluster_uid(asked.cluster), "u-1", "the cluster's identity");
	is_str(pw_cluster_namespace(asked.cluster), "shop", "the context's namespace");
	is_int(pw_cluster_need(asked.cluster, PW_FACT_PODS, NULL, &asked.err), PW_OK, "asking again");
	pw_cluster_close(asked.cluster);
	stop(pid);
}

static void test_failures(void)
{
	struct asked asked;
	char late[128];

	stop(serve(part_mute)); /* a port that was free a moment ago */
	ask(&asked, "", TOKEN, PW_FACT_PODS);
	is_int(asked.rc, PW_NET, "down");
	ok(strstr(asked.err.text, "refused the connection: nothing listens there") != NULL, "%s", asked.err.text);
	pw_cluster_close(asked.cluster);
	(void)snprintf(late, sizeof(late), "accepted the connection, but its answer was not complete after %d ms", TIMEOUT_MS);
	fails(part_mute, PW_TIMEOUT, late);
	fails(part_cut, PW_NET, "broke off in the middle of its answer");
	fails(part_short, PW_NET, "the answer to list pods cannot be read: ");
	fails(part_html, PW_NET, "answered with a web page (HTTP 200, text/html; charset=utf-8)");
	fails(part_text, PW_NET, "answered in \"text/plain\" instead of JSON");
	fails(part_object, PW_NET, "did not answer with a list of pods");
	fails(part_redirect, PW_NET, "answered with a redirect (HTTP 302 to https://login.example/x)");
	fails(part_401, PW_AUTH, "does not accept the credential (HTTP 401): Unauthorized");
	fails(part_garbage, PW_NET, "does not answer in HTTP");
	fails(part_endless, PW_TIMEOUT, late);
	fails(part_deep, PW_NET, "the answer to list pods cannot be read: ");
}

static void test_deadline(void)
{
	struct asked asked;
	pid_t pid = serve(part_mute);
	int64_t start;

	ask(&asked, "", TOKEN, PW_FACT_NONE);
	start = pw_mono_ms();
	pw_cluster_set_deadline(asked.cluster, start + 300);
	is_int(pw_cluster_need(asked.cluster, PW_FACT_PODS, NULL, &asked.err), PW_TIMEOUT, "a deadline before the request's");
	ok(pw_mono_ms() - start < TIMEOUT_MS, "is kept");
	pw_err_clear(&asked.err);
	is_int(pw_cluster_need(asked.cluster, PW_FACT_PODS, NULL, &asked.err), PW_TIMEOUT, "a deadline that has passed");
	ok(strstr(asked.err.text, "no time is left to read the cluster at http://127.0.0.1:") != NULL, "%s", asked.err.text);
	pw_cluster_close(asked.cluster);
	stop(pid);
}

static void test_gaps(void)
{
	gap(part_403, PW_KNOWN_DENIED, "not permitted to list pods: pods is forbidden: User \"u\" cannot list resource \"pods\"", 0);
	gap(part_own_namespace, PW_KNOWN_PART,
	    "only those of namespace shop: not permitted to list pods: pods is forbidden: User \"u\" cannot list resource \"pods\"", 1);
	gap(part_500, PW_KNOWN_FAILED, "the API server could not list pods (HTTP 500): etcdserver: request timed out", 0);
	gap(part_circle, PW_KNOWN_FAILED, "the list of pods does not end", 0);
	gap(part_busy, PW_KNOWN_YES, "", 1);
	gap(part_expired, PW_KNOWN_YES, "", 2);
}

/* ---- credentials ---- */

#define EXEC(command) "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, installHint: 'get it from example.org', command: " command "}}"
#define CREDENTIAL(token) "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"" token "\"}}"

static void plugin(const char *script, int code, const char *says)
{
	struct asked asked;
	pid_t pid = serve(part_new_token);

	put("plugin", 0700, script);
	ask(&asked, "", EXEC("./plugin"), PW_FACT_PODS);
	is_int(asked.rc, code, says);
	ok(strstr(asked.err.text, says) != NULL, "%s: %s", says, asked.err.text);
	ok(asked.ms < 4 * TIMEOUT_MS, "in time (%lld ms)", (long long)asked.ms);
	pw_cluster_close(asked.cluster);
	stop(pid);
}

static void test_plugins(void)
{
	char path[128], late[64];
	struct asked asked;

	plugin("#!/bin/sh\necho '" CREDENTIAL("second") "'\n", PW_OK, "");
	/* It remembers that it ran: the first token is refused, the second is not. */
	plugin("#!/bin/sh\ncd \"$(dirname \"$0\")\" && if [ -e ran ]; then t=second; else t=first; touch ran; fi\n"
	       "echo \"" "{\\\"apiVersion\\\":\\\"client.authentication.k8s.io/v1\\\",\\\"kind\\\":\\\"ExecCredential\\\",\\\"status\\\":{\\\"token\\\":\\\"$t\\\"}}\"\n", PW_OK, "");
	plugin("#!/bin/sh\ncase $KUBERNETES_EXEC_INFO in *ExecCredential*) echo '" CREDENTIAL("second") "';; esac\n", PW_OK, "");
	(void)snprintf(late, sizeof(late), "did not end within %d ms", TIMEOUT_MS);
	plugin("#!/bin/sh\nsleep 60\n", PW_TIMEOUT, late);
	plugin("#!/bin/sh\necho SECRET\n", PW_AUTH, "did not print an ExecCredential");
	plugin("#!/bin/sh\nexit 3\n", PW_AUTH, "exited with status 3");
	plugin("#!/bin/sh\necho 'session is over, log in again' >&2; exit 1\n", PW_AUTH, "exited with status 1: session is over, log in again");
	plugin("#!/bin/sh\nexec yes SECRETSECRETSECRETSECRETSECRETSECRET\n", PW_AUTH, "printed more than 1024 KiB");
	plugin("#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\"}'\n", PW_AUTH, "answered with another version");
	plugin("#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\"}'\n", PW_AUTH, "gave neither a token nor a certificate");
	plugin("#!/bin/sh\nprintf '%s' '" CREDENTIAL("a\\nHost: evil") "'\n", PW_AUTH, "holds a line break or another control character");
	(void)snprintf(path, sizeof(path), "%s/plugin", root);
	(void)unlink(path);
	ask(&asked, "", EXEC("./plugin"), PW_FACT_PODS);
	ok(strstr(asked.err.text, "was not found: get it from example.org") != NULL, "a missing plugin and its hint: %s", asked.err.text);
	pw_cluster_close(asked.cluster);
}

static void test_token_file(void)
{
	struct asked asked;
	pid_t pid = serve(part_new_token);

	put("token", 0600, "second\n");
	ask(&asked, "", "{tokenFile: token}", PW_FACT_PODS);
	is_int(asked.rc, PW_OK, "a token file, its line break removed");
	pw_cluster_close(asked.cluster);
	put("token", 0600, "\n");
	ask(&asked, "", "{tokenFile: token}", PW_FACT_PODS);
	is_int(asked.rc, PW_AUTH, "an empty token file");
	ok(strstr(asked.err.text, "is empty") != NULL, "%s", asked.err.text);
	pw_cluster_close(asked.cluster);
	stop(pid);
}

/* ---- for tests/kube ---- */

static int show(const char *what)
{
	bool inside = strcmp(what, "in-cluster:") == 0;
	struct pw_cluster_config config = { .source = inside ? what : "kube:", .kubeconfig = inside ? NULL : what, .request_timeout_ms = 5000 };
	struct pw_cluster *cluster = NULL;
	struct pw_err err = PW_ERR_INIT;
	size_t n = 0;

	if (pw_cluster_open(&config, &cluster, &err) != PW_OK || pw_cluster_need(cluster, PW_FACT_PODS, NULL, &err) != PW_OK) {
		printf("%s: %s\n", pw_code_word(err.code), err.text);
		pw_cluster_close(cluster);
		return 1;
	}
	(void)pw_facts_pods(pw_cluster_facts(cluster), &n);
	printf("pods %zu version %s gap %s\n", n, pw_facts_version(pw_cluster_facts(cluster)), pw_facts_gap(pw_cluster_facts(cluster), PW_FACT_PODS));
	pw_cluster_close(cluster);
	return 0;
}

int main(int argc, char **argv)
{
	const char *const rm[] = { "/bin/rm", "-rf", root, NULL };

	if (argc > 1)
		return show(argv[1]);
	(void)snprintf(root, sizeof(root), "/tmp/pw-kube-XXXXXX");
	if (!mkdtemp(root))
		return 1;
	test_good();
	test_failures();
	test_gaps();
	test_deadline();
	test_plugins();
	test_token_file();
	if (fork() == 0)
		(void)execv(rm[0], (char *const *)(uintptr_t)rm);
	(void)wait(NULL);
	return tap_done();
}
