/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kubeconfig files: which, how they merge, what a context comes to. */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cluster/source/kubeconfig.h>

#include "cluster_util.h"

static char root[64];

static void put(const char *name, const char *text)
{
	write_file(root, name, 0644, text);
}

static const char *at(struct pw_arena *arena, const char *name)
{
	return pw_arena_printf(arena, "%s/%s", root, name);
}

static const char first[] =
	"apiVersion: v1\nkind: Config\n"
	"clusters:\n- name: c\n  cluster: {server: 'https://a.example:6443/', certificate-authority: pki/ca.crt, tls-server-name: kube}\n"
	"- {name: other, cluster: {server: 'https://other', certificate-authority-data: aGVsbG8=, certificate-authority: x}}\n"
	"users:\n- name: u\n  user: {token: SECRET, tokenFile: /run/token, as: bob, as-groups: [g1, g2]}\n"
	"- {name: plugin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/get, args: [a, b], env: [{name: K, value: V}], interactiveMode: Never}}}\n"
	"contexts:\n- {name: one, context: {cluster: c, user: u, namespace: shop}}\n- {name: two, context: {cluster: other, user: plugin}}\n"
	"- {name: broken, context: {cluster: nowhere, user: u}}\n";

static void test_context(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_cluster_config config = { .kubeconfig = at(arena, "one"), .context = "one" };
	struct pw_kubeconfig got;
	struct pw_err err = PW_ERR_INIT;

	is_int(pw_kubeconfig_load(&config, arena, &got, &err), PW_OK, "a context by name");
	is_str(got.server, "https://a.example:6443", "the server without its slash");
	is_str(got.ca.file, at(arena, "pki/ca.crt"), "a path is relative to the file");
	is_str(got.token, "SECRET", "the token");
	is_str(got.token_file, "/run/token", "an absolute path");
	is_str(got.tls_server_name, "kube", "tls-server-name");
	is_str(got.ns, "shop", "the namespace");
	is_str(got.as, "bob", "impersonation");
	is_int(got.as_groups.n, 2, "with groups");
	config.as = "eve";
	config.context = "two";
	is_int(pw_kubeconfig_load(&config, arena, &got, &err), PW_OK, "another context");
	is_str(got.as, "eve", "--as wins");
	ok(got.ca.len == 5 && memcmp(got.ca.data, "hello", 5) == 0 && !got.ca.file[0], "-data wins over the path, and is decoded");
	ok(got.exec.present, "a credential plugin");
	is_str(got.exec.command, at(arena, "bin/get"), "its path is relative too");
	is_str(got.exec.args.v[1], "b", "its arguments");
	is_str(pw_labels_get(&got.exec.env, "K"), "V", "its environment");
	pw_arena_free(arena);
}

static void fails(const struct pw_cluster_config *config, int code, const char *says)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_kubeconfig got;
	struct pw_err err = PW_ERR_INIT;

	is_int(pw_kubeconfig_load(config, arena, &got, &err), code, says);
	ok(strstr(err.text, says) != NULL, "%s: %s", says, err.text);
	ok(!strstr(err.text, "SECRET"), "no secret in it");
	pw_arena_free(arena);
}

static void test_errors(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_cluster_config config = { .kubeconfig = at(arena, "one") };

	fails(&config, PW_ABSENT, "has no current-context; choose one with --context");
	config.context = "onee";
	fails(&config, PW_ABSENT, "has no context \"onee\"; did you mean \"one\"?");
	config.context = "broken";
	fails(&config, PW_ABSENT, "has no cluster \"nowhere\" (it has \"c\" and others)");
	config.context = NULL;
	config.kubeconfig = at(arena, "none");
	fails(&config, PW_ABSENT, "cannot read the kubeconfig");
	put("garbage", "token: SECRET\n  bad: [");
	config.kubeconfig = at(arena, "garbage");
	fails(&config, PW_SYNTAX, "the kubeconfig is not valid YAML");
	put("seq", "- SECRET\n");
	config.kubeconfig = at(arena, "seq");
	fails(&config, PW_SYNTAX, "the kubeconfig is not a map");
	put("empty", "");
	config.kubeconfig = at(arena, "empty");
	fails(&config, PW_ABSENT, "has no current-context");
	config.context = "x";
	fails(&config, PW_ABSENT, "has no context \"x\": it defines none");
	config.context = NULL;
	put("base64", "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'https://a'}}]\n"
	    "users: [{name: a, user: {client-key-data: 'SECRET!'}}]\n");
	config.kubeconfig = at(arena, "base64");
	fails(&config, PW_SYNTAX, "client-key-data in the kubeconfig");
	put("old", "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'https://a'}}]\n"
	    "users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}}]\n");
	config.kubeconfig = at(arena, "old");
	fails(&config, PW_UNSUPPORTED, "wants a credential plugin of version \"client.authentication.k8s.io/v1alpha1\"");
	put("nourl", "current-context: a\ncontexts: [{name: a, context: {cluster: a}}]\nclusters: [{name: a, cluster: {server: 'a:6443'}}]\n");
	config.kubeconfig = at(arena, "nourl");
	fails(&config, PW_SYNTAX, "the server \"a:6443\", which is no URL");
	pw_arena_free(arena);
}

static void test_merge(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 24);
	struct pw_cluster_config config = { .source = NULL };
	struct pw_kubeconfig got;
	struct pw_err err = PW_ERR_INIT;

	put("two", "current-context: one\nclusters: [{name: c, cluster: {server: 'https://late'}}]\nusers: []\n");
	(void)setenv("KUBECONFIG", pw_arena_printf(arena, ":%s/missing:%s/one:%s/two:%s/one", root, root, root, root), 1);
	is_int(pw_kubeconfig_load(&config, arena, &got, &err), PW_OK, "a list of files, some missing");
	is_str(got.context, "one", "the first current-context that is set");
	is_str(got.server, "https://a.example:6443", "the first entry of a name, whole");
	(void)setenv("KUBECONFIG", pw_arena_printf(arena, "%s/two:%s/one", root, root), 1);
	is_int(pw_kubeconfig_load(&config, arena, &got, &err), PW_OK, "the other way round");
	is_str(got.server, "https://late", "the other entry");
	is_str(got.ca.file, "", "nothing of the first entry in it");
	is_str(got.token, "SECRET", "users from the other file");
	(void)setenv("KUBECONFIG", pw_arena_printf(arena, "%s/missing", root), 1);
	fails(&config, PW_ABSENT, "and there is no such file");
	(void)unsetenv("KUBECONFIG");
	(void)setenv("HOME", root, 1);
	fails(&config, PW_ABSENT, "neither --kubeconfig nor KUBECONFIG is set");
	(void)unsetenv("KUBERNETES_SERVICE_HOST");
	is_int(pw_kubeconfig_in_cluster(&config, arena, &got, &err), PW_ABSENT, "not in a pod");
	is_str(err.text, "this is not a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set", "is said");
	pw_arena_free(arena);
}

static void test_base64(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 16);
	size_t len = 99;

	is_str(pw_base64_decode(arena, "aGVs\n bG8=", &len), "hello", "blanks are passed over");
	is_int(len, 5, "its length");
	is_str(pw_base64_decode(arena, "", &len), "", "nothing");
	ok(!pw_base64_decode(arena, "aGVsbG8", &len) && !pw_base64_decode(arena, "aGV=bG8=", &len) && !pw_base64_decode(arena, "a===", &len) &&
	   !pw_base64_decode(arena, "!!!!", &len), "what is no base64");
	pw_arena_free(arena);
}

int main(void)
{
	const char *const argv[] = { "/bin/rm", "-rf", root, NULL };

	(void)snprintf(root, sizeof(root), "/tmp/pw-kubeconfig-XXXXXX");
	if (!mkdtemp(root))
		return 1;
	put("one", first);
	test_context();
	test_errors();
	test_merge();
	test_base64();
	if (fork() == 0)
		(void)execv(argv[0], (char *const *)(uintptr_t)argv);
	(void)wait(NULL);
	return tap_done();
}
