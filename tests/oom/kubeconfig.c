/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kubeconfig from files to what its context comes to. */
#include "oom.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cluster/source/kubeconfig.h>
#include <packetwalk/cleanup.h>

static const char text[] =
	"current-context: a\n"
	"contexts: [{name: a, context: {cluster: c, user: u, namespace: shop}}]\n"
	"clusters: [{name: c, cluster: {server: 'https://a/', certificate-authority-data: aGVsbG8=}}]\n"
	"users: [{name: u, user: {client-certificate: a.crt, as-groups: [g], exec: {apiVersion: client.authentication.k8s.io/v1, command: ./x, args: [b], env: [{name: A, value: B}]}}}]\n";

static char path[] = "/tmp/pw-oom-kubeconfig-XXXXXX";

/* The file is written once, at the first run, and removed at exit. */
static void remove_file(void)
{
	(void)unlink(path);
}

static int make_file(void)
{
	static int made;
	int fd;

	if (made)
		return PW_OK;
	fd = mkstemp(path);
	if (fd < 0 || write(fd, text, sizeof(text) - 1) != (ssize_t)(sizeof(text) - 1))
		return PW_IO;
	(void)close(fd);
	(void)atexit(remove_file);
	made = 1;
	return PW_OK;
}

static int run(struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_cluster_config config = { .kubeconfig = path, .as = "bob" };
	struct pw_kubeconfig ret;
	int rc = make_file();

	if (rc != PW_OK)
		return pw_err_set(err, rc, "no file");
	return pw_kubeconfig_load(&config, arena, &ret, err);
}

const struct oom_scenario oom_scenario = { run, false };
