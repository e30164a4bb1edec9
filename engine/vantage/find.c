/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which process or file leads to a pod. The kubelet names cgroups after the
 * pod's UID whatever the runtime; where there is no such process, the CNI
 * plugins' result cache maps the UID to the namespace file.
 */
#include "find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <doc/json.h>
#include <packetwalk/cleanup.h>

enum {
	UID_HEX = 32,              /* hex digits of a UID without its dashes, and of a static pod's hash */
	CGROUP_MAX = 8192,         /* bytes read of /proc/PID/cgroup */
	RESULT_MAX = 1 << 20,      /* bytes of one CNI result */
	RESULTS_MAX = 4096,        /* files of the cache looked at; a node has at most a few hundred pods */
	PATH_SPACE = 64,           /* "/proc/PID/..." */
};

/* ---- /proc ---- */

static void proc_path(char out[PATH_SPACE], pid_t pid, const char *what)
{
	(void)snprintf(out, PATH_SPACE, "/proc/%d/%s", (int)pid, what);
}

static bool read_proc(pid_t pid, const char *what, char *out, size_t size)
{
	char path[PATH_SPACE];
	proc_path(path, pid, what);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t len = 0;
	ssize_t n;
	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	out[len] = '\0';
	return true;
}

static bool same_ns(pid_t pid, const char *which, const struct stat *ns)
{
	char path[PATH_SPACE];
	struct stat st;
	proc_path(path, pid, which);
	return stat(path, &st) == 0 && st.st_dev == ns->st_dev && st.st_ino == ns->st_ino;
}

/* The next process of an open /proc, 0 at the end. */
static pid_t next_process(DIR *proc)
{
	for (struct dirent *e; (e = readdir(proc)); ) {
		unsigned long long pid;
		if (pw_parse_uint(e->d_name, INT32_MAX, &pid) && pid > 0)
			return (pid_t)pid;
	}
	return 0;
}

/* A UID's hex digits without - and _, as the cgroup drivers differ in them. Returns how many there are. */
static size_t digits_of(const char *text, char out[UID_HEX + 1])
{
	size_t n = 0;
	for (; *text && n < UID_HEX; text++) {
		if (*text == '-' || *text == '_')
			continue;
		if (!isxdigit((unsigned char)*text))
			break;
		out[n++] = (char)tolower((unsigned char)*text);
	}
	out[n] = '\0';
	return n;
}

bool pw_cgroup_names_pod(const char *text, const char *uid)
{
	char want[UID_HEX + 1], got[UID_HEX + 1];
	if (digits_of(uid, want) != UID_HEX)
		return false;
	/* conmon watches a container of the pod from outside: it lives in the host's namespaces. */
	if (strstr(text, "conmon"))
		return false;
	for (const char *p = text; (p = strstr(p, "pod")); p += strlen("pod"))
		if (digits_of(p + strlen("pod"), got) == UID_HEX && !strcmp(got, want))
			return true;
	return false;
}

static bool is_of_pod(pid_t pid, const char *uid)
{
	char text[CGROUP_MAX];
	return read_proc(pid, "cgroup", text, sizeof text) && pw_cgroup_names_pod(text, uid);
}

static int netns_by_cgroup(const char *uid)
{
	struct stat own;
	DIR *proc = opendir("/proc");
	int found = -1;
	if (!proc || stat("/proc/self/ns/net", &own) < 0)
		memset(&own, 0, sizeof own);
	for (pid_t pid; proc && (pid = next_process(proc)); ) {
		if (!is_of_pod(pid, uid))
			continue;
		char path[PATH_SPACE];
		proc_path(path, pid, "ns/net");
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (found >= 0)
			(void)close(found);
		found = fd;
		/* In our own namespace: a host-network pod, unless another of its processes says otherwise. */
		if (!same_ns(pid, "ns/net", &own))
			break;
	}
	if (proc)
		(void)closedir(proc);
	return found;
}

/* ---- the CNI result cache ---- */

/* cniArgs: [["K8S_POD_UID", "..."], ...] */
static bool result_is_of(const struct pw_val *doc, const char *uid)
{
	const struct pw_val *args = pw_map_get(doc, "cniArgs");
	for (size_t i = 0; i < pw_val_count(args); i++) {
		const struct pw_val *pair = pw_val_at(args, i);
		const char *key = pw_val_text(pw_val_at(pair, 0)), *value = pw_val_text(pw_val_at(pair, 1));
		if (key && value && !strcmp(key, "K8S_POD_UID") && !strcmp(value, uid))
			return true;
	}
	return false;
}

/* The namespace a cached result leads to, -1 if it is not of this pod, or stale. */
static int netns_of_result(int dir_fd, const char *name, const char *uid)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -1;
	PW_CLEAN_FREE char *text = malloc(RESULT_MAX);
	ssize_t len = text ? read(fd, text, RESULT_MAX) : -1;
	(void)close(fd);
	if (len <= 0 || !memmem(text, (size_t)len, uid, strlen(uid)))
		return -1;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)RESULT_MAX * 16);
	const struct pw_json_limits limits = { .bytes = RESULT_MAX, .depth = 32 };
	struct pw_val *doc = NULL;
	if (pw_json_parse(text, (size_t)len, NULL, &limits, arena, &doc, NULL) < 0 || !result_is_of(doc, uid))
		return -1;
	const char *netns = pw_map_str(doc, "netns", "");
	return *netns == '/' ? open(netns, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
}

static int netns_by_cache(const char *uid, const char *folder)
{
	DIR *dir = opendir(folder);
	int found = -1;
	unsigned seen = 0;
	for (struct dirent *e; dir && found < 0 && seen < RESULTS_MAX && (e = readdir(dir)); seen++)
		if (e->d_name[0] != '.')
			found = netns_of_result(dirfd(dir), e->d_name, uid);
	if (dir)
		(void)closedir(dir);
	return found;
}

int pw_find_pod_netns(const char *uid, const char *cni_results, int *ret_fd, struct pw_err *err)
{
	int fd = netns_by_cgroup(uid);
	if (fd < 0)
		fd = netns_by_cache(uid, cni_results);
	if (fd < 0)
		return pw_err_set(err, PW_ABSENT, "the pod with UID %.64s does not run on this machine "
				  "(no process of its cgroup, nothing in %s), or its processes cannot be seen", uid, cni_results);
	*ret_fd = fd;
	return PW_OK;
}

/* ---- files ---- */

/* Our own kind: children of the same parent enter namespaces without having files there. */
static bool is_sibling(pid_t pid)
{
	char text[512];
	if (pid == getpid() || !read_proc(pid, "stat", text, sizeof text))
		return true;
	/* "pid (comm) state ppid": comm may hold anything, so from its last parenthesis. */
	const char *after = strrchr(text, ')');
	long parent = after && strlen(after) > 4 ? strtol(after + 4, NULL, 10) : 0;
	return parent == getppid();
}

/* How well the files of this process stand for those of the pod; 0 not at all. */
static int rate_process(pid_t pid, const struct stat *own_mnt, const char *uid, int root_fd)
{
	int rate = 1;
	if (!same_ns(pid, "ns/mnt", own_mnt))
		rate += 8;
	else if (is_sibling(pid))
		return 0;
	if (uid && is_of_pod(pid, uid))
		rate += 4;
	/* The pause container has neither in some runtimes. */
	rate += faccessat(root_fd, "etc/resolv.conf", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	rate += faccessat(root_fd, "etc/hosts", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return rate;
}

int pw_find_root(const struct stat *netns, const char *uid, bool only_pod)
{
	struct stat own_mnt = { 0 };
	DIR *proc = opendir("/proc");
	int best = -1, best_rate = 0;
	(void)stat("/proc/self/ns/mnt", &own_mnt);
	for (pid_t pid; proc && (pid = next_process(proc)); ) {
		if (!same_ns(pid, "ns/net", netns) || (only_pod && !is_of_pod(pid, uid)))
			continue;
		char path[PATH_SPACE];
		proc_path(path, pid, "root");
		int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		int rate = fd < 0 ? 0 : rate_process(pid, &own_mnt, uid, fd);
		if (rate > best_rate) {
			if (best >= 0)
				(void)close(best);
			best = fd;
			best_rate = rate;
		} else if (fd >= 0) {
			(void)close(fd);
		}
	}
	if (proc)
		(void)closedir(proc);
	return best;
}
