/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vantages of this machine: naming them, and moving a child process into one. */
#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>

#include "find.h"

enum { UID_MAX_LEN = 64, PATH_SPACE = 64 };

/* ---- names ---- */

static bool is_name(const char *text, size_t max)
{
	size_t len = strlen(text);
	return len > 0 && len <= max && text[0] != '-' &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncmp(text, prefix, len) ? NULL : text + len;
}

static int parse_netns(const char *rest, struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err)
{
	ret->kind = PW_AT_NETNS;
	if (*rest == '/')
		ret->path = pw_arena_strdup(arena, rest);
	else if (is_name(rest, NAME_MAX))
		ret->path = pw_arena_printf(arena, "/run/netns/%s", rest); /* where `ip netns` keeps them */
	else
		return pw_err_set(err, PW_USAGE, "netns:%.100s is not an absolute path or the name of a namespace", rest);
	return PW_OK;
}

static int parse(const char *text, struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err)
{
	const char *rest;
	unsigned long long pid;
	if (!strcmp(text, "here")) {
		ret->kind = PW_AT_HERE;
		return PW_OK;
	}
	if ((rest = after(text, "netns:")))
		return parse_netns(rest, arena, ret, err);
	if ((rest = after(text, "pid:"))) {
		if (!pw_parse_uint(rest, INT32_MAX, &pid) || pid == 0)
			return pw_err_set(err, PW_USAGE, "pid:%.40s is not the number of a process", rest);
		ret->kind = PW_AT_PID;
		ret->pid = (long)pid;
		return PW_OK;
	}
	if ((rest = after(text, "uid:"))) {
		if (!is_name(rest, UID_MAX_LEN))
			return pw_err_set(err, PW_USAGE, "uid:%.80s is not the UID of a pod", rest);
		ret->kind = PW_AT_POD;
		ret->uid = pw_arena_strdup(arena, rest);
		return PW_OK;
	}
	if ((rest = after(text, "node:"))) {
		int rc = pw_type_check(PW_TYPE_NODE, NULL, rest, err);
		ret->kind = PW_AT_NODE;
		ret->node = pw_arena_strdup(arena, rest);
		return rc;
	}
	return pw_err_set(err, PW_USAGE,
			  "\"%.100s\" is not a vantage: here, netns:PATH, pid:N, uid:POD-UID, node:NAME, or a pod as namespace/name", text);
}

int pw_vantage_parse(const char *text, struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err)
{
	struct pw_vantage vantage = { .kind = PW_AT_HERE };
	int rc = parse(text, arena, &vantage, err);
	if (rc < 0)
		return rc;
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for a vantage");
	*ret = vantage;
	return PW_OK;
}

static bool given(const char *text)
{
	return text && *text;
}

void pw_vantage_say(const struct pw_vantage *v, struct pw_buf *out)
{
	switch (v->kind) {
	case PW_AT_HERE:
		pw_buf_puts(out, "here");
		return;
	case PW_AT_NETNS:
		pw_buf_printf(out, "network namespace %s", v->path);
		return;
	case PW_AT_PID:
		pw_buf_printf(out, "process %ld", v->pid);
		return;
	case PW_AT_NODE:
		pw_buf_printf(out, "node %s", v->node);
		return;
	case PW_AT_POD:
		if (v->way == PW_WAY_PROBE_POD)
			pw_buf_puts(out, PW_BESIDE);
		if (v->way == PW_WAY_PROBE_POD && given(v->pod))
			pw_buf_printf(out, "%s/%s", given(v->ns) ? v->ns : "default", v->pod);
		else if (given(v->pod))
			pw_buf_printf(out, "pod %s/%s", given(v->ns) ? v->ns : "default", v->pod);
		else
			pw_buf_printf(out, "pod with UID %s", given(v->uid) ? v->uid : "?");
		if (given(v->node))
			pw_buf_printf(out, " on %s", v->node);
	}
}

struct pw_made *pw_vantage_made(const struct pw_vantage *v)
{
	return v->way == PW_WAY_PROBE_POD ? v->probe_pod : v->way == PW_WAY_NODE_POD ? v->node_pod : NULL;
}

bool pw_vantage_is_remote(const struct pw_vantage *v)
{
	return v->kind == PW_AT_NODE || (v->kind == PW_AT_POD && (given(v->node) || !given(v->uid)));
}

bool pw_vantage_copy(const struct pw_vantage *from, struct pw_arena *arena, struct pw_vantage *ret)
{
	*ret = *from;
	ret->path = pw_arena_strdup(arena, from->path);
	ret->node = pw_arena_strdup(arena, from->node);
	ret->ns = pw_arena_strdup(arena, from->ns);
	ret->pod = pw_arena_strdup(arena, from->pod);
	ret->uid = pw_arena_strdup(arena, from->uid);
	ret->container = pw_arena_strdup(arena, from->container);
	ret->agent = pw_arena_strdup(arena, from->agent);
	return !pw_arena_failed(arena);
}

/* ---- entering ---- */

static int cannot_open(struct pw_err *err, int sys, const char *what)
{
	if (sys == EACCES || sys == EPERM)
		return pw_err_sys(err, PW_DENIED, sys, "cannot open %s (this needs root, or CAP_SYS_PTRACE)", what);
	return pw_err_sys(err, sys == ENOENT || sys == ESRCH ? PW_ABSENT : PW_IO, sys, "cannot open %s", what);
}

static int open_netns(const struct pw_vantage *v, int *ret_fd, struct pw_err *err)
{
	char path[PATH_SPACE];
	if (v->kind == PW_AT_POD)
		return pw_find_pod_netns(v->uid, PW_CNI_RESULTS, ret_fd, err);
	(void)snprintf(path, sizeof path, "/proc/%ld/ns/net", v->pid);
	const char *name = v->kind == PW_AT_NETNS ? v->path : path;
	/* Non-blocking: the path may be a FIFO. */
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cannot_open(err, errno, name);
	*ret_fd = fd;
	return PW_OK;
}

static int join(int fd, const struct pw_vantage *v, struct pw_err *err)
{
	if (setns(fd, CLONE_NEWNET) == 0)
		return PW_OK;
	int sys = errno;
	char where[256];
	struct pw_buf say;
	pw_buf_init(&say, sizeof where - 1);
	pw_vantage_say(v, &say);
	(void)snprintf(where, sizeof where, "%s", pw_buf_str(&say));
	pw_buf_release(&say);
	if (sys == EPERM)
		return pw_err_sys(err, PW_DENIED, sys, "cannot enter the network namespace of %s (this needs root, or CAP_SYS_ADMIN)", where);
	if (sys == EINVAL)
		return pw_err_set(err, PW_USAGE, "%s is not a network namespace", where);
	return pw_err_sys(err, PW_IO, sys, "cannot enter the network namespace of %s", where);
}

/* The files of the vantage, as far as there are any. Before the network namespace is entered and rights are dropped. */
static void find_files(const struct pw_vantage *v, int netns_fd, struct pw_ctx *ctx)
{
	char path[PATH_SPACE];
	struct stat st;
	ctx->root_fd = -1;
	if (v->kind == PW_AT_HERE) {
		ctx->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		ctx->no_root = "the root folder cannot be opened";
	} else if (v->kind == PW_AT_PID) {
		(void)snprintf(path, sizeof path, "/proc/%ld/root", v->pid);
		ctx->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		ctx->no_root = "the root folder of the process cannot be opened (this needs root, or CAP_SYS_PTRACE)";
	} else {
		if (fstat(netns_fd, &st) == 0)
			ctx->root_fd = pw_find_root(&st, v->kind == PW_AT_POD ? v->uid : NULL, false);
		ctx->no_root = "no process that could be looked at lives in its network namespace";
	}
}

/* A host-network pod shares the machine's network; its files are its own where a process of it can be found. */
static void enter_host_pod(const struct pw_vantage *v, struct pw_ctx *ctx)
{
	struct stat own;
	const struct pw_vantage here = { .kind = PW_AT_HERE };
	find_files(&here, -1, ctx);
	int fd = given(v->uid) && stat("/proc/self/ns/net", &own) == 0 ? pw_find_root(&own, v->uid, true) : -1;
	if (fd < 0)
		return;
	if (ctx->root_fd >= 0)
		(void)close(ctx->root_fd);
	ctx->root_fd = fd;
}

int pw_vantage_enter(const struct pw_vantage *v, struct pw_ctx *ctx, struct pw_err *err)
{
	if (pw_vantage_is_remote(v))
		return pw_err_set(err, PW_INTERNAL, "a vantage of another machine cannot be entered here");
	if (v->kind == PW_AT_HERE) {
		find_files(v, -1, ctx);
		return PW_OK;
	}
	if (v->kind == PW_AT_POD && v->host_network) {
		enter_host_pod(v, ctx);
		return PW_OK;
	}
	PW_CLEAN_CLOSE int fd = -1;
	int rc = open_netns(v, &fd, err);
	if (rc < 0)
		return rc;
	find_files(v, fd, ctx);
	return join(fd, v, err);
}
