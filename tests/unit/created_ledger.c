/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger on disk, and removing what it holds, against a kubectl that is a script with one pod in a file. */
#include "cluster_util.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>
#include <vantage/created/creation.h>
#include <vantage/created/ledger.h>

static char dir[64];

/* A pod is the file pod.json, its UID the word in the file uid. */
static const char kubectl[] =
	"#!/bin/sh\n"
	"d=${0%/*}\n"
	"echo \"${KUBECONFIG-unset} $*\" >>\"$d/log\"\n"
	"[ ! -e \"$d/says\" ] || { cat \"$d/says\" >&2; exit 1; }\n"
	"case $1 in\n"
	"create) cat >\"$d/manifest\"; echo pod/x ;;\n"
	"get) [ ! -e \"$d/pod.json\" ] || cat \"$d/pod.json\" ;;\n"
	"delete)\n"
	"	body=$(cat)\n"
	"	[ -e \"$d/pod.json\" ] || { echo 'Error from server (NotFound): pods \"x\" not found' >&2; exit 1; }\n"
	"	case $body in *\\\"uid\\\":\\\"u1\\\"*) rm \"$d/pod.json\" ;; *) echo 'Error from server (Conflict): wrong uid' >&2; exit 1 ;; esac ;;\n"
	"esac\n";

static const char *in_dir(const char *name)
{
	static char path[512];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void put_pod(const char *run)
{
	char text[512];
	(void)snprintf(text, sizeof text, "{\"metadata\": {\"uid\": \"u1\", \"labels\": {\"app.kubernetes.io/managed-by\": \"packetwalk\", \"packetwalk.io/run\": \"%s\"}}}", run);
	write_file(dir, "pod.json", 0600, text);
}

static bool there(const char *name) { return access(in_dir(name), F_OK) == 0; }

static bool logged(const char *word)
{
	char text[8192] = "";
	PW_CLEAN_FILE FILE *file = fopen(in_dir("log"), "re");
	size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
	text[n] = '\0';
	return strstr(text, word) != NULL;
}

static void test_ledger(void)
{
	static const char *const argv[] = { "kubectl", "--context=a b", NULL };
	struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_made_ledger ledger, *all = NULL;
	struct pw_err err = PW_ERR_INIT;
	struct pw_buf notes;
	struct stat st;
	size_t n = 9;
	pw_buf_init(&notes, 4096);
	is_int(pw_made_ledgers(dir, arena, &all, &n, &notes, &err), PW_OK, "an empty folder has none");
	is_int(n, 0, "none");
	is_int(pw_made_ledger_new(dir, arena, &ledger, &err), PW_OK, "a ledger");
	ledger.kubectl = argv;
	ledger.kubeconfig = "/a:/b";
	ok(access(ledger.path, F_OK) != 0, "is not on disk while nothing is made");
	is_int(pw_made_ledger_add(&ledger, "shop", "one", arena, &err), PW_OK, "an object is added");
	is_int(pw_made_ledger_add(&ledger, "shop", "two", arena, &err), PW_OK, "and another");
	ok(stat(ledger.path, &st) == 0 && (st.st_mode & 0777) == 0600, "then it is there, for the owner alone");
	write_file(dir, "broken.json", 0600, "{\"packetwalk_created\": 1}");
	is_int(pw_made_ledgers(dir, arena, &all, &n, &notes, &err), PW_OK, "it is read back");
	is_int(n, 1, "alone: the broken one is passed over");
	ok(strstr(pw_buf_str(&notes), "broken.json is not a ledger") != NULL, "and said");
	is_str(all[0].run, ledger.run, "its run");
	is_str(all[0].kubectl[1], "--context=a b", "its kubectl");
	is_str(all[0].kubeconfig, "/a:/b", "its kubeconfig");
	is_int(all[0].n, 2, "its objects");
	is_str(all[0].objects[1].name, "two", "by name");
	is_int(pw_made_ledger_life(&all[0]), PW_MADE_LIVES, "its process is this one");
	all[0].started++;
	is_int(pw_made_ledger_life(&all[0]), PW_MADE_DEAD, "a process of that number that started later is another");
	all[0].pid_ns = "pid:[1]";
	is_int(pw_made_ledger_life(&all[0]), PW_MADE_ELSEWHERE, "a number of another container says nothing");
	all[0].boot = "other";
	is_int(pw_made_ledger_life(&all[0]), PW_MADE_DEAD, "no process outlives its machine");
	all[0].host = "other";
	is_int(pw_made_ledger_life(&all[0]), PW_MADE_ELSEWHERE, "of another machine nothing is known");
	is_int(pw_made_ledger_done(&ledger, &ledger.objects[0], &err), PW_OK, "one is gone");
	ok(access(ledger.path, F_OK) == 0, "the file stays with the other");
	is_int(pw_made_ledger_done(&ledger, &ledger.objects[1], &err), PW_OK, "the other is gone");
	ok(access(ledger.path, F_OK) != 0, "and the file with it");
	(void)unlink(in_dir("broken.json"));
	ledger.path = "/nonexistent/x.json";
	is_int(pw_made_ledger_add(&ledger, "shop", "three", arena, &err), PW_IO, "what cannot be written down is not made");
	pw_buf_release(&notes);
	pw_arena_free(arena);
}

static void test_reach(void)
{
	static const char *const argv[] = { "./bin/kubectl", "--context=a", NULL }, *const named[] = { "kubectl", NULL };
	struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_made_ledger ledger = { 0 };
	struct pw_err err = PW_ERR_INIT;
	char want[PATH_MAX * 3], folder[PATH_MAX] = "";
	ok(getcwd(folder, sizeof folder) != NULL, "a folder");
	is_int(pw_made_ledger_reach(&ledger, argv, "a/b:/c::d", arena, &err), PW_OK, "how a cluster is reached");
	(void)snprintf(want, sizeof want, "%s/./bin/kubectl", folder);
	is_str(ledger.kubectl[0], want, "the program, from anywhere");
	is_str(ledger.kubectl[1], "--context=a", "its options");
	(void)snprintf(want, sizeof want, "%s/a/b:/c::%s/d", folder, folder);
	is_str(ledger.kubeconfig, want, "and each of its files");
	is_int(pw_made_ledger_reach(&ledger, named, NULL, arena, &err), PW_OK, "without KUBECONFIG");
	is_str(ledger.kubectl[0], "kubectl", "a program in PATH stays one");
	ok(!ledger.kubeconfig && ledger.kubectl[1] == NULL, "there is none");
	pw_arena_free(arena);
}

/* What is set here today is not what was set when the ledger was written. */
static void test_environment(void)
{
	char program[128];
	const char *argv[] = { program, NULL };
	struct pw_err err = PW_ERR_INIT;
	(void)snprintf(program, sizeof program, "%s/kubectl", dir);
	(void)setenv("KUBECONFIG", "/today", 1);
	is_int(pw_kube_create(&(struct pw_kube){ .argv = argv, .kubeconfig = "" }, "{}", 5000, &err), PW_OK, "a ledger without KUBECONFIG");
	ok(logged("unset create") && !logged("/today"), "runs without one");
	is_int(pw_kube_create(&(struct pw_kube){ .argv = argv, .kubeconfig = "/then" }, "{}", 5000, &err), PW_OK, "one with");
	ok(logged("/then create"), "with its own");
	is_int(pw_kube_create(&(struct pw_kube){ .argv = argv }, "{}", 5000, &err), PW_OK, "and a run");
	ok(logged("/today create"), "with the user's");
	(void)unsetenv("KUBECONFIG");
}

static const char pods[] =
	"apiVersion: v1\nkind: List\nitems:\n"
	"- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u-web, labels: {app: web}}, spec: {nodeName: n1}}\n"
	"- {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}}}\n"
	"- {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}}\n"
	"- {apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {pod-security.kubernetes.io/enforce: baseline}}}\n"
	"- {apiVersion: v1, kind: Namespace, metadata: {name: open}}\n"
	"- {apiVersion: v1, kind: Node, metadata: {name: n1, uid: u-n1}}\n"
	"- {apiVersion: v1, kind: Node, metadata: {name: n2, uid: u-n2}}\n";

static void remember(void *arg, const char *line)
{
	struct pw_buf *said = arg;
	pw_buf_printf(said, "%s\n", line);
}

struct world {
	struct pw_arena *arena;
	struct pw_facts *facts;
	struct pw_creation *creation;
	struct pw_buf said;
	char program[128];
	const char *argv[2];
};

static void world_init(struct world *w)
{
	struct pw_err err = PW_ERR_INIT;
	w->arena = pw_arena_new(1 << 24);
	w->facts = model(w->arena, pods);
	(void)snprintf(w->program, sizeof w->program, "%s/kubectl", dir);
	w->argv[0] = w->program;
	w->argv[1] = NULL;
	pw_buf_init(&w->said, 8192);
	const struct pw_creation_config config = { .dir = dir, .kubectl = w->argv, .image = "packetwalk:1", .pull_policy = "Never" };
	w->creation = pw_creation_new(&config, &err);
	ok(w->creation != NULL, "the pods of a run: %s", err.text);
}

static void world_release(struct world *w)
{
	pw_creation_free(w->creation);
	pw_buf_release(&w->said);
	pw_arena_free(w->arena);
	for (const char *const *name = (const char *const[]){ "log", "pod.json", "says", "manifest", NULL }; *name; name++)
		(void)unlink(in_dir(*name));
}

static size_t ledgers(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 22);
	struct pw_made_ledger *all = NULL;
	struct pw_buf notes;
	size_t n = 99;
	pw_buf_init(&notes, 4096);
	(void)pw_made_ledgers(dir, arena, &all, &n, &notes, NULL);
	pw_buf_release(&notes);
	pw_arena_free(arena);
	return n;
}

static int end(struct world *w, int ms, struct pw_err *err)
{
	struct pw_made_end how = { .until_ms = pw_mono_ms() + tap_ms(ms), .say = remember, .arg = &w->said };
	return pw_creation_end(w->creation, &how, err);
}

static const char *run_of(const struct pw_made *made)
{
	static char run[32];
	(void)snprintf(run, sizeof run, "%s", made->name + strlen("packetwalk-probe-"));
	*strrchr(run, '-') = '\0';
	return run;
}

static void test_plans(void)
{
	struct world w;
	world_init(&w);
	struct pw_made *made = pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web"));
	ok(made && made->stage == PW_MADE_PLANNED, "a plan");
	ok(pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web")) == made, "and is made once");
	is_int(ledgers(), 0, "planning writes nothing");
	struct pw_made *node = pw_creation_on_node(w.creation, w.facts, "n1", "shop");
	is_int(node->stage, PW_MADE_REFUSED, "no namespace takes a privileged pod");
	ok(strstr(node->why, "--node-namespace") != NULL, "and that says what to do: %s", node->why);
	node = pw_creation_on_node(w.creation, w.facts, "n2", "open");
	is_str(node->ns, "open", "the sender's does where no label forbids it");
	node = pw_creation_on_node(w.creation, w.facts, "-n x", "open");
	is_int(node->stage, PW_MADE_REFUSED, "a node's name that is none is not put anywhere");
	world_release(&w);
}

/* What a probe pod waits for, beside shop/web, with this object in the cluster. */
static unsigned settle_with(const char *object)
{
	struct world w;
	char text[2048];
	world_init(&w);
	(void)snprintf(text, sizeof text, "%s%s", pods, object);
	struct pw_facts *facts = model(w.arena, text);
	pw_facts_set_known(facts, PW_FACT_POLICIES, PW_KNOWN_YES, "");
	unsigned ms = pw_creation_beside(w.creation, facts, pw_facts_pod(w.facts, "shop", "web"))->settle_ms;
	world_release(&w);
	return ms;
}

static void test_settling(void)
{
	is_int(settle_with(""), 0, "without policies nothing has to learn of a new pod");
	is_int(settle_with("- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: own, namespace: shop}, spec: {podSelector: {}}}\n"),
	       PW_MADE_SETTLE_MS, "the sender's policies do");
	is_int(settle_with("- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: in, namespace: bank}, spec: {podSelector: {}}}\n"),
	       PW_MADE_SETTLE_MS, "a receiver's do, in whatever namespace");
	is_int(settle_with("- {apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: a}, spec: {priority: 1,"
			   " subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}}\n"),
	       PW_MADE_SETTLE_MS, "and those of the cluster");
}

static void test_replaced(void)
{
	struct world w;
	struct pw_err err = PW_ERR_INIT;
	world_init(&w);
	struct pw_made *made = pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web"));
	made->stage = PW_MADE_RUNNING;
	pw_made_gone(made, PW_NET, "it was evicted");
	is_int(pw_creation_write(made, &err), PW_NET, "what is gone is not made again under its name");
	struct pw_made *next = pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web"));
	ok(next != made && next->stage == PW_MADE_PLANNED && strcmp(next->name, made->name) != 0, "another is planned in its place");
	next->stage = PW_MADE_RUNNING;
	pw_made_gone(next, PW_NET, "it was evicted, too");
	ok(pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web")) == next && next->stage == PW_MADE_REFUSED, "and no third");
	world_release(&w);
}

static void test_end(void)
{
	struct world w;
	struct pw_err err = PW_ERR_INIT;
	world_init(&w);
	struct pw_made *made = pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web"));
	is_int(pw_creation_write(made, &err), PW_OK, "written down");
	is_int(ledgers(), 1, "before it is made");
	put_pod(run_of(made));
	made->sure = true;
	is_int(end(&w, 5000, &err), PW_OK, "it is removed");
	ok(!there("pod.json"), "it is gone");
	is_int(ledgers(), 0, "and from the ledger");
	ok(logged("delete --raw /api/v1/namespaces/shop/pods/packetwalk-probe-"), "by its UID");
	world_release(&w);
}

static void test_not_ours(void)
{
	struct world w;
	struct pw_err err = PW_ERR_INIT;
	world_init(&w);
	struct pw_made *made = pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web"));
	(void)pw_creation_write(made, &err);
	put_pod("another");
	is_int(end(&w, 5000, &err), PW_OK, "a pod of that name without our label");
	ok(there("pod.json") && !logged("delete"), "is not touched");
	ok(strstr(pw_buf_str(&w.said), "Left alone: pod shop/") != NULL, "and is said");
	is_int(ledgers(), 0, "what is not ours is no entry of ours");
	world_release(&w);
}

static void test_never_made(void)
{
	struct world w;
	struct pw_err err = PW_ERR_INIT;
	world_init(&w);
	struct pw_made *made = pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web"));
	(void)pw_creation_write(made, &err);
	is_int(end(&w, 5000, &err), PW_OK, "what was never made is gone");
	is_int(ledgers(), 0, "from the ledger, too");
	ok(!logged("delete"), "without a deletion");
	world_release(&w);
}

static void test_left(void)
{
	struct world w;
	struct pw_err err = PW_ERR_INIT;
	world_init(&w);
	struct pw_made *made = pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web"));
	(void)pw_creation_write(made, &err);
	write_file(dir, "says", 0600, "Error from server (Forbidden): pods \"x\" is forbidden: User \"a\" cannot get resource\n");
	is_int(end(&w, 5000, &err), PW_DENIED, "what may not be looked at stays");
	is_int(ledgers(), 1, "in the ledger");
	ok(strstr(pw_buf_str(&w.said), "Left: pod shop/packetwalk-probe-") && strstr(pw_buf_str(&w.said), "cannot get resource"), "and is said: %s", pw_buf_str(&w.said));
	(void)unlink(in_dir("says"));
	put_pod(run_of(made));
	is_int(end(&w, 0, &err), PW_TIMEOUT, "without time nothing is removed");
	ok(there("pod.json"), "it is left");
	is_int(ledgers(), 1, "in the ledger");
	is_int(end(&w, 5000, &err), PW_OK, "and can be removed later");
	world_release(&w);
}

/* As a signal is: taken once. */
static bool once(void *arg)
{
	bool *left = arg, said = *left;
	*left = false;
	return said;
}

static void test_stopped(void)
{
	struct world w;
	struct pw_err err = PW_ERR_INIT;
	bool left = true;
	world_init(&w);
	(void)pw_creation_write(pw_creation_beside(w.creation, w.facts, pw_facts_pod(w.facts, "shop", "web")), &err);
	(void)pw_creation_write(pw_creation_on_node(w.creation, w.facts, "n2", "open"), &err);
	struct pw_made_end how = { .until_ms = pw_mono_ms() + tap_ms(5000), .stop = once, .arg = &left };
	is_int(pw_creation_end(w.creation, &how, &err), PW_CANCELLED, "one Ctrl-C");
	ok(how.stopped && !there("log"), "stops all of it: no other object is asked for");
	ok(strstr(err.text, "it was stopped") != NULL, "which is another thing than no time: %s", err.text);
	is_int(end(&w, 5000, &err), PW_OK, "and can be done later");
	world_release(&w);
}

static void test_complaints(void)
{
	static const struct { const char *says, *text; int code; } cases[] = {
		{ "Error from server (Forbidden): error when creating \"STDIN\": pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\"\n",
		  "it was not made: pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\"", PW_DENIED },
		{ "error: You must be logged in to the server (Unauthorized)\n", "it was not made: You must be logged in to the server (Unauthorized)", PW_AUTH },
		{ "\x1b[2JUnable to connect\n", "it was not made: \\x1b[2JUnable to connect", PW_NET },
		{ "", "it was not made: kubectl gave no reason", PW_NET },
	};
	char program[128];
	const char *argv[] = { program, NULL };
	const struct pw_kube kube = { .argv = argv, .kubeconfig = "/nowhere" };
	(void)snprintf(program, sizeof program, "%s/kubectl", dir);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pw_err err = PW_ERR_INIT;
		write_file(dir, "says", 0600, cases[i].says);
		is_int(pw_kube_create(&kube, "{}", 5000, &err), cases[i].code, cases[i].text);
		is_str(err.text, cases[i].text, "in words");
	}
	(void)unlink(in_dir("says"));
	struct pw_err err = PW_ERR_INIT;
	is_int(pw_kube_create(&kube, "{\"a\": 1}", 5000, &err), PW_OK, "a manifest goes in on standard input");
	char text[64] = "";
	PW_CLEAN_FILE FILE *file = fopen(in_dir("manifest"), "re");
	(void)!fread(text, 1, sizeof text - 1, file);
	is_str(text, "{\"a\": 1}", "whole");
}

int main(void)
{
	(void)snprintf(dir, sizeof dir, "/tmp/packetwalk-created-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	write_file(dir, "kubectl", 0700, kubectl);
	test_ledger();
	test_reach();
	test_environment();
	test_plans();
	test_settling();
	test_replaced();
	test_end();
	test_not_ours();
	test_never_made();
	test_left();
	test_stopped();
	test_complaints();
	for (const char *const *name = (const char *const[]){ "kubectl", "log", "manifest", NULL }; *name; name++)
		(void)unlink(in_dir(*name));
	struct dirent **left = NULL;
	int n = scandir(dir, &left, NULL, NULL);
	for (int i = 0; i < n; i++) {
		(void)unlink(in_dir(left[i]->d_name));
		free(left[i]);
	}
	free(left);
	ok(rmdir(dir) == 0, "nothing is left on disk");
	return tap_done();
}
