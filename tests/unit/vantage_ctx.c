/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a check sees: parameters, files of its vantage, rights; and where pods are found. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/facts.h>
#include <packetwalk/vantage_fs.h>
#include <vantage/ctx_priv.h>
#include <vantage/enter.h>
#include <vantage/find.h>
#include <vantage/privs.h>

#include "proc_util.h"

enum { PATIENCE_MS = 20000 };

static const struct pw_outcome outcomes[] = { { "fine", PW_CLASS_OK, "well", NULL, NULL }, { NULL, PW_CLASS_OK, NULL, NULL, NULL } };
static const struct pw_check sample = { PW_CHECK_HEAD("sample"), .summary = "Sample", .outcomes = outcomes, .timeout_ms = 1000 };

static void test_params(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_val *map = pw_val_map(arena);
	pw_map_set_int(map, "port", 80);
	pw_map_set_str(map, "wait", "1m30s");
	pw_map_set_bool(map, "reset", true);
	pw_map_set_str(map, "name", "x");
	pw_seq_add_str(pw_map_set_seq(map, "list"), "a");
	struct pw_ctx ctx;
	pw_ctx_init(&ctx, &sample, map, NULL, arena, 60000);
	is_int(pw_ctx_int(&ctx, "port"), 80, "an integer");
	is_str(pw_ctx_str(&ctx, "port"), "80", "read as text");
	is_int(pw_ctx_ms(&ctx, "wait"), 90000, "a duration");
	ok(pw_ctx_bool(&ctx, "reset") && !pw_ctx_bool(&ctx, "none"), "bools");
	is_str(pw_ctx_str(&ctx, "name"), "x", "a text");
	ok(!pw_ctx_str(&ctx, "none") && !pw_ctx_has(&ctx, "none") && pw_ctx_has(&ctx, "name"), "what was not given");
	is_int(pw_val_count(pw_ctx_val(&ctx, "list")), 1, "a list");
	ok(pw_ctx_remaining_ms(&ctx) > 50000, "time left");
	ctx.deadline_ms = 0;
	is_int(pw_ctx_remaining_ms(&ctx), 1, "at least 1");
	is_str(pw_ctx_vantage(&ctx), "here", "where");
	const struct pw_facts *facts = pw_ctx_facts(&ctx);
	size_t n = 1;
	ok(facts != NULL, "facts are never NULL");
	(void)pw_facts_pods(facts, &n);
	is_int(n, 0, "but empty");
}

static void test_cgroups(void)
{
	static const char uid[] = "0ab3cd12-3456-789a-bcde-f0123456789a", hash[] = "0123456789abcdef0123456789abcdef";
	static const struct { const char *text, *uid; bool is; } cases[] = {
		{ "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0ab3cd12_3456_789a_bcde_f0123456789a.slice/cri-containerd-aa.scope\n", uid, true },
		{ "0::/kubepods/besteffort/pod0ab3cd12-3456-789a-bcde-f0123456789a/aa\n", uid, true },
		{ "12:memory:/kubepods/pod0ab3cd12-3456-789a-bcde-f0123456789a/aa\n0::/\n", uid, true },
		{ "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod0ab3cd12_3456_789a_bcde_f0123456789a.slice:cri-containerd:aa\n", uid, true },
		{ "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0ab3cd12_3456_789a_bcde_f0123456789a.slice/crio-conmon-aa.scope\n", uid, false },
		{ "0::/kubepods/pod1ab3cd12-3456-789a-bcde-f0123456789a/aa\n", uid, false },
		{ "0::/kubepods/pod0ab3cd12-3456-789a-bcde-f01234567/aa\n", uid, false },
		{ "0::/../../podman/pod0ab3cd12-3456-789a-bcde-f0123456789a\n", uid, true },
		{ "0::/kubepods/burstable/pod0123456789abcdef0123456789abcdef/aa\n", hash, true },
		{ "0::/user.slice\n", uid, false }, { "", uid, false }, { "0::/kubepods/podnot-a-uid\n", "not-a-uid", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(pw_cgroup_names_pod(cases[i].text, cases[i].uid) == cases[i].is, "%s: %.60s", cases[i].is ? "the pod" : "not the pod", cases[i].text);
}

/* Runs a function in a child, prints the lines it wrote as TAP results: "ok text" or "no text". */
static void in_child(int (*fn)(void *, int), void *arg, const char *what)
{
	const struct pw_child_spec spec = { .run = fn, .arg = arg };
	struct pw_child child = PW_CHILD_INIT;
	char data[4096] = "", *save = NULL;
	if (!ok(pw_child_start(&spec, &child, NULL) == PW_OK, "%s", what))
		return;
	wait_end(&child, PATIENCE_MS);
	ssize_t n = read(child.out_fd, data, sizeof data - 1);
	data[n > 0 ? n : 0] = '\0';
	int status = pw_child_end(&child);
	for (char *line = strtok_r(data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		ok(!strncmp(line, "ok ", 3), "%s", line + 3);
	ok(status == 0, "%s: %s", what, pw_buf_str(&child.log));
	pw_child_release(&child);
}

static void say(int out, bool good, const char *text)
{
	dprintf(out, "%s %s\n", good ? "ok" : "no", text);
}

/* ---- files ---- */

static char root[] = "/tmp/pw-root-XXXXXX";

static void make_file(const char *name, const char *text)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof path, "%s/%s", root, name);
	PW_CLEAN_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ok(false, "cannot write %s", path);
}

/* Files of another root take openat2, which valgrinds of its time do not know. */
#define NO_OPENAT2 "this valgrind has no openat2"

static bool no_openat2(void)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC };
	PW_CLEAN_CLOSE int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
	return tap_on_valgrind() && fd < 0 && errno == ENOSYS;
}

static void read_each(struct pw_ctx *ctx)
{
	static const struct { const char *path; int code; } cases[] = {
		{ "/etc/resolv.conf", PW_OK }, { "/absolute", PW_OK }, { "/climbing", PW_OK }, { "/../etc/resolv.conf", PW_OK },
		{ "/stolen", PW_ABSENT }, { "/magic", PW_ABSENT }, { "/loop", PW_DENIED }, { "/fifo", PW_DENIED }, { "/etc", PW_DENIED },
		{ "/none", PW_ABSENT }, { "/long", PW_NOMEM },
	};
	PW_CLEAN_BUF struct pw_buf out;
	struct pw_err err = PW_ERR_INIT;
	pw_buf_init(&out, 100);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pw_buf_clear(&out);
		pw_err_clear(&err);
		is_int(pw_ctx_read_file(ctx, cases[i].path, &out, &err), cases[i].code, cases[i].path);
		if (cases[i].code == PW_OK)
			is_str(pw_buf_str(&out), "nameserver 10.96.0.10\n", "is the vantage's own");
		else
			ok(err.text[0], "says: %s", err.text);
	}
}

static void test_files(void)
{
	char path[PATH_MAX];
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_ctx ctx;
	struct pw_err err = PW_ERR_INIT;
	pw_ctx_init(&ctx, &sample, NULL, NULL, arena, 1000);
	is_int(pw_ctx_open(&ctx, "/etc/hosts", &err), PW_ABSENT, "a vantage without files");
	is_str(err.text, "cannot read /etc/hosts of here: no files are read here", "says why");

	if (!mkdtemp(root))
		return;
	(void)snprintf(path, sizeof path, "%s/etc", root);
	ok(mkdir(path, 0755) == 0, "a root folder");
	make_file("etc/resolv.conf", "nameserver 10.96.0.10\n");
	make_file("long", "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789+");
	static const struct { const char *to, *name; } links[] = {
		{ "/etc/resolv.conf", "absolute" }, { "../../../../../../etc/resolv.conf", "climbing" }, { "/etc/passwd", "stolen" },
		{ "loop", "loop" }, { "/proc/self/root/etc/passwd", "magic" },
	};
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", root, links[i].name);
		ok(symlink(links[i].to, path) == 0, "a link %s", links[i].name);
	}
	(void)snprintf(path, sizeof path, "%s/fifo", root);
	ok(mkfifo(path, 0644) == 0, "a FIFO");
	ctx.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ctx.vantage = "pod shop/web";
	if (no_openat2())
		tap_skip("files of another root", NO_OPENAT2);
	else
		read_each(&ctx);
	(void)close(ctx.root_fd);
	static const char *const made[] = { "etc/resolv.conf", "etc", "long", "absolute", "climbing", "stolen", "loop", "magic", "fifo", "" };
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", root, made[i]);
		(void)remove(path);
	}
}

/* ---- rights ---- */

static unsigned long long caps(const char *which)
{
	unsigned long long value = 0;
	char line[256];
	PW_CLEAN_FILE FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, which, strlen(which)))
			value = strtoull(line + strlen(which) + 1, NULL, 16);
	return value;
}

static int drop_all(void *arg, int out)
{
	(void)arg;
	say(out, pw_privs_keep(PW_NEEDS_NOTHING, NULL) == PW_OK, "rights are dropped");
	say(out, caps("CapEff") == 0 && caps("CapPrm") == 0 && caps("CapInh") == 0, "none is left");
	say(out, caps("CapBnd") == 0, "none can come back by exec");
	say(out, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "nor by a set-uid program");
	say(out, socket(AF_INET, SOCK_RAW, 1) < 0 && errno == EPERM, "a raw socket is refused");
	say(out, pw_privs_keep(PW_NEEDS_NET_RAW, NULL) == PW_OK && caps("CapEff") == 0, "what is gone cannot be kept");
	return 0;
}

static int keep_raw(void *arg, int out)
{
	(void)arg;
	say(out, pw_privs_keep(PW_NEEDS_NET_RAW | PW_NEEDS_QUIET, NULL) == PW_OK, "one right is kept");
	say(out, caps("CapEff") == 1ULL << CAP_NET_RAW, "exactly one");
	PW_CLEAN_CLOSE int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1);
	say(out, fd >= 0, "a raw socket is allowed");
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, 4096);
	const char *const argv[] = { "grep", "CapEff", "/proc/self/status", NULL };
	int status = -1;
	(void)pw_child_collect(argv, NULL, NULL, PATIENCE_MS, &text, NULL, &status, NULL);
	say(out, status == 0 && strtoull(pw_buf_str(&text) + sizeof "CapEff:", NULL, 16) == 1ULL << CAP_NET_RAW,
	    "a program that is run has it too, and nothing else");
	return 0;
}

static int keep_admin(void *arg, int out)
{
	(void)arg;
	say(out, pw_privs_keep(PW_NEEDS_NET_ADMIN | PW_NEEDS_ROOT_FILES, NULL) == PW_OK, "several are kept");
	say(out, caps("CapEff") == (1ULL << CAP_NET_ADMIN | 1ULL << CAP_NET_RAW | 1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_SYS_PTRACE),
	    "those that stand for them");
	return 0;
}

static void test_rights(void)
{
	if (!(caps("CapEff") & 1ULL << CAP_SETPCAP)) {
		tap_skip("dropping rights", "there are none to drop");
		return;
	}
	in_child(drop_all, NULL, "without rights");
	in_child(keep_raw, NULL, "with one right");
	in_child(keep_admin, NULL, "with several rights");
}

/* ---- a pod of this machine, by the CNI cache, with files of its own ---- */

struct pod { char netns[PATH_MAX], cache[PATH_MAX]; };

static int be_pod(void *arg, int out)
{
	(void)arg;
	bool up = unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("tmpfs", "/etc", "tmpfs", 0, "size=1m") == 0;
	PW_CLEAN_FILE FILE *f = up ? fopen("/etc/resolv.conf", "we") : NULL;
	if (f)
		fprintf(f, "nameserver 10.99.0.1\n");
	if (f)
		(void)fflush(f);
	dprintf(out, f ? "up" : "denied");
	(void)pause();
	return 0;
}

static int look_as_pod(void *arg, int out)
{
	const struct pod *pod = arg;
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_ctx ctx;
	struct pw_err err = PW_ERR_INIT;
	struct stat want, got;
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, 4096);
	pw_ctx_init(&ctx, &sample, NULL, NULL, arena, 1000);
	const struct pw_vantage v = { .kind = PW_AT_NETNS, .path = pod->netns };
	say(out, pw_vantage_enter(&v, &ctx, &err) == PW_OK, err.text[0] ? err.text : "the namespace is entered");
	say(out, stat(pod->netns, &want) == 0 && stat("/proc/thread-self/ns/net", &got) == 0 && want.st_ino == got.st_ino, "it is the pod's");
	say(out, pw_privs_keep(PW_NEEDS_NOTHING, NULL) == PW_OK, "rights are dropped");
	if (no_openat2())
		return 0;
	say(out, pw_ctx_read_file(&ctx, "/etc/resolv.conf", &text, &err) == PW_OK, err.text[0] ? err.text : "a file is read");
	say(out, !strcmp(pw_buf_str(&text), "nameserver 10.99.0.1\n"), "that of the pod, not ours");
	return 0;
}

static void write_cache(const struct pod *pod, const char *name, const char *uid, const char *netns)
{
	char path[PATH_MAX + 64];
	(void)snprintf(path, sizeof path, "%s/%s", pod->cache, name);
	PW_CLEAN_FILE FILE *f = fopen(path, "we");
	if (f)
		fprintf(f, "{\"kind\":\"cniCacheV1\",\"netns\":\"%s\",\"cniArgs\":[[\"K8S_POD_NAME\",\"web\"],[\"K8S_POD_UID\",\"%s\"]]}", netns, uid);
}

static void test_cache(const struct pod *pod)
{
	static const char uid[] = "11111111-2222-3333-4444-555555555555";
	struct pw_err err = PW_ERR_INIT;
	struct stat want, got = { 0 };
	int fd = -1;
	write_cache(pod, "cbr0-a-eth0", "11111111-2222-3333-4444-000000000000", "/proc/self/ns/net");
	write_cache(pod, "cbr0-b-eth0", uid, "/run/netns/gone");
	write_cache(pod, "cbr0-c-eth0", uid, pod->netns);
	is_int(pw_find_pod_netns(uid, pod->cache, &fd, &err), PW_OK, "a pod is found by the CNI cache, past a stale entry");
	ok(stat(pod->netns, &want) == 0 && fstat(fd, &got) == 0 && want.st_ino == got.st_ino, "it is the right one");
	(void)close(fd);
	is_int(pw_find_pod_netns("99999999-2222-3333-4444-555555555555", pod->cache, &fd, &err), PW_ABSENT, "a pod of another machine");
	char path[PATH_MAX + 64];
	static const char *const made[] = { "cbr0-a-eth0", "cbr0-b-eth0", "cbr0-c-eth0", "" };
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", pod->cache, made[i]);
		(void)remove(path);
	}
}

static void test_pod(void)
{
	struct pod pod = { .cache = "/tmp/pw-cni-XXXXXX" };
	const struct pw_child_spec spec = { .run = be_pod };
	struct pw_child child = PW_CHILD_INIT;
	char word[16] = "";
	if (pw_child_start(&spec, &child, NULL) < 0 || !mkdtemp(pod.cache))
		return;
	struct pollfd fd = { .fd = child.out_fd, .events = POLLIN };
	(void)poll(&fd, 1, PATIENCE_MS);
	(void)!read(child.out_fd, word, sizeof word - 1);
	(void)snprintf(pod.netns, sizeof pod.netns, "/proc/%d/ns/net", (int)child.pid);
	if (!strcmp(word, "up")) {
		in_child(look_as_pod, &pod, "a look from a pod");
		if (no_openat2())
			tap_skip("files of a pod", NO_OPENAT2);
		test_cache(&pod);
	} else {
		tap_skip("a look from a pod", "making namespaces is not permitted");
		(void)rmdir(pod.cache);
	}
	pw_child_release(&child);
}

int main(void)
{
	test_params();
	test_cgroups();
	test_files();
	test_rights();
	test_pod();
	return tap_done();
}
