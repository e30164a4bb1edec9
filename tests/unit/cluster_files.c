/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bundle: and manifests:, read from real directories. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster_util.h"

static char root[64];

static void put(const char *name, const char *text)
{
	write_file(root, name, 0644, text);
}

static void fill(void)
{
	char path[256];

	(void)snprintf(root, sizeof(root), "/tmp/pw-cluster-files-XXXXXX");
	if (!mkdtemp(root))
		return;
	(void)snprintf(path, sizeof(path), "%s/sub", root);
	(void)mkdir(path, 0700);
	put("sub/pods.json", "{\"apiVersion\":\"v1\",\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"x\",\"creationTimestamp\":\"2025-01-02T03:04:05Z\"}}],\"kind\":\"PodList\"}");
	put("all.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: x}\n---\n# nothing\n---\napiVersion: apps/v1\nkind: Deployment\n"
	    "metadata: {name: d, namespace: x}\nspec: {template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c}]}}}\n");
	put("networkpolicies.yaml", "apiVersion: v1\nitems: []\nkind: List\n");
	put("broken.yaml", "a: [1,\nb: 2\n");
	put("notes.txt", "kind: Pod\n");
	put("words.json", "\"just a string\"");
	(void)snprintf(path, sizeof(path), "%s/link.yaml", root);
	ok(symlink("/etc/passwd", path) == 0, "a link out of the tree");
	(void)snprintf(path, sizeof(path), "%s/loop", root);
	ok(symlink(".", path) == 0, "a link to itself");
	(void)snprintf(path, sizeof(path), "%s/fifo.yaml", root);
	(void)mkfifo(path, 0600);
}

static void test_bundle(void)
{
	char source[128];
	struct pw_cluster_config config = { .source = source };
	struct pw_cluster *cluster;
	struct pw_err err = PW_ERR_INIT;
	const struct pw_facts *facts;
	size_t n;

	(void)snprintf(source, sizeof(source), "bundle:%s", root);
	is_int(pw_cluster_open(&config, &cluster, &err), PW_OK, "open");
	is_str(pw_cluster_namespace(cluster), "default", "no opinion about the namespace");
	is_int(pw_cluster_need(cluster, PW_FACT_PODS, NULL, &err), PW_OK, "read");
	facts = pw_cluster_facts(cluster);
	ok(pw_facts_pod(facts, "x", "a") != NULL, "items of a typed list whose kind comes last");
	ok(pw_facts_service(facts, "x", "s") != NULL, "a document of several");
	(void)pw_facts_pods(facts, &n);
	is_int(n, 1, "templates are no pods of a cluster");
	is_int(pw_facts_known(facts, PW_FACT_POLICIES), PW_KNOWN_YES, "an empty list in a file of that name: there are none");
	is_int(pw_facts_known(facts, PW_FACT_NODES), PW_KNOWN_FAILED, "no word about nodes");
	is_str(pw_facts_gap(facts, PW_FACT_NODES), "the bundle holds no nodes", "and it says so");
	is_int(pw_facts_now(facts), 1735787045, "time stands where the bundle was taken");
	ok(strstr(pw_cluster_notes(cluster), "broken.yaml was passed over: line ") != NULL, "files that do not parse are named: %s", pw_cluster_notes(cluster));
	ok(!strstr(pw_cluster_notes(cluster), "passwd") && !strstr(pw_cluster_notes(cluster), "link.yaml"), "links are not followed");
	pw_cluster_close(cluster);
}

static void test_manifests(void)
{
	char source[128];
	struct pw_cluster_config config = { .source = source, .namespace_ = "x" };
	struct pw_cluster *cluster;
	struct pw_err err = PW_ERR_INIT;
	size_t n;

	(void)snprintf(source, sizeof(source), "manifests:%s", root);
	is_int(pw_cluster_open(&config, &cluster, &err), PW_OK, "open");
	is_str(pw_cluster_namespace(cluster), "x", "the namespace asked for");
	is_int(pw_cluster_need(cluster, PW_FACT_PODS, NULL, &err), PW_OK, "read");
	(void)pw_facts_pods(pw_cluster_facts(cluster), &n);
	is_int(n, 2, "a workload's template is a pod to be");
	is_str(pw_facts_pod(pw_cluster_facts(cluster), "x", "d")->meta.owner_kind, "Deployment", "owned by the workload");
	is_int(pw_facts_known(pw_cluster_facts(cluster), PW_FACT_NODES), PW_KNOWN_YES, "what is not in manifests is not there");
	pw_cluster_close(cluster);

	put("bad.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\nspec:\n  podSelector: {}\n  ingress:\n  - from:\n    - ipBlock: {cidr: nonsense}\n");
	is_int(pw_cluster_open(&config, &cluster, &err), PW_OK, "open again");
	is_int(pw_cluster_need(cluster, PW_FACT_PODS, NULL, &err), PW_SYNTAX, "an object a server would reject");
	ok(strstr(err.text, "NetworkPolicy p: spec.ingress[0].from[0].ipBlock.cidr: \"nonsense\"") == err.text, "is named: %s", err.text);
	ok(strstr(err.file, "bad.yaml") && err.line == 9, "with its place: %s:%u", err.file, err.line);
	pw_cluster_close(cluster);
}

static void test_errors(void)
{
	struct pw_cluster_config config = { .source = "bundle:/nonexistent/dir" };
	struct pw_cluster *cluster;
	struct pw_err err = PW_ERR_INIT;

	is_int(pw_cluster_open(&config, &cluster, &err), PW_OK, "open reads nothing yet");
	is_int(pw_cluster_need(cluster, PW_FACT_PODS, NULL, &err), PW_ABSENT, "no such directory");
	is_str(err.text, "cannot open /nonexistent/dir: No such file or directory", "is said");
	pw_cluster_close(cluster);
	pw_err_clear(&err);
	config.source = "cloud:";
	is_int(pw_cluster_open(&config, &cluster, &err), PW_USAGE, "no such source");
	pw_err_clear(&err);
	config.source = "bundle:";
	is_int(pw_cluster_open(&config, &cluster, &err), PW_USAGE, "a bundle without a directory");
	is_str(err.text, "bundle: needs a directory: bundle:DIR", "is said");
}

int main(void)
{
	const char *const argv[] = { "/bin/rm", "-rf", root, NULL };

	fill();
	test_bundle();
	test_manifests();
	test_errors();
	if (fork() == 0)
		(void)execv(argv[0], (char *const *)(uintptr_t)argv);
	(void)wait(NULL);
	return tap_done();
}
