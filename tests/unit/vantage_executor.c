/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks that end well, and all the ways in which they do not. Its own agent: run with the word "agent". */
#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <base/text.h>
#include <cluster/cluster.h>
#include <packetwalk/cleanup.h>
#include <proc/child.h>
#include <vantage/created/creation.h>
#include <vantage/executor.h>
#include <vantage/transport/transport.h>

/* This program, in its own folder: /proc/self/exe would be valgrind, when that runs it. */
#define SELF "./vantage_executor"

enum { PATIENCE_MS = 30000, ARENA = 64 << 20, RESULT_FD = 3 };

/* ---- one check whose parameter says how it behaves ---- */

static void write_all(const void *data, size_t len)
{
	for (const char *p = data; len > 0; ) {
		ssize_t n = write(RESULT_FD, p, len);
		if (n <= 0)
			_exit(9);
		p += n;
		len -= (size_t)n;
	}
}

static void write_frame(const char *text)
{
	size_t len = strlen(text);
	const unsigned char head[4] = { 0, 0, (unsigned char)(len >> 8), (unsigned char)len };
	write_all(head, sizeof head);
	write_all(text, len);
}

static void misbehave(const char *how)
{
	static const char good[] = "{\"outcome\":\"fine\",\"says\":\"forged\",\"evidence\":{}}";
	if (!strcmp(how, "crash")) {
		(void)signal(SIGSEGV, SIG_DFL); /* ASan would make an exit of it */
		(void)raise(SIGSEGV);
	} else if (!strcmp(how, "hang")) {
		for (;;)
			(void)pause();
	} else if (!strcmp(how, "flood")) {
		static const unsigned char head[4] = { 0x7f, 0xff, 0xff, 0xff };
		write_all(head, sizeof head);
		for (;;)
			write_all(good, sizeof good);
	} else if (!strcmp(how, "garbage")) {
		write_frame("this is not JSON");
	} else if (!strcmp(how, "scalar")) {
		write_frame("42");
	} else if (!strcmp(how, "half")) {
		write_all("\0\0\0\x40{\"outcome\":", 15);
	} else if (!strcmp(how, "twice")) {
		write_frame(good);
		write_frame(good);
	} else if (!strcmp(how, "forge-outcome")) {
		write_frame("{\"outcome\":\"great\",\"says\":\"\",\"evidence\":{}}");
	} else if (!strcmp(how, "forge-evidence")) {
		write_frame("{\"outcome\":\"fine\",\"says\":\"\",\"evidence\":{\"extra\":1}}");
	} else if (!strcmp(how, "frame-then-crash")) {
		write_frame(good);
		(void)raise(SIGKILL);
	} else if (!strcmp(how, "exit-3")) {
		fprintf(stderr, "something \033[31mred\n");
		_exit(3);
	} else if (strcmp(how, "nothing") != 0) {
		return;
	}
	_exit(0);
}

static int probe(struct pw_ctx *ctx, struct pw_val *obs, struct pw_err *err)
{
	const char *how = pw_ctx_str(ctx, "how");
	struct stat st = { 0 };
	if (!strncmp(how, "probe:", 6))
		misbehave(how + 6);
	if (!strcmp(how, "denied"))
		return pw_err_set(err, PW_DENIED, "cannot make a raw socket: Operation not permitted");
	if (!strcmp(how, "silent"))
		return PW_IO;
	if (!strcmp(how, "large"))
		for (int i = 0; i < 3000; i++)
			pw_map_set_strf(obs, pw_arena_printf(pw_ctx_arena(ctx), "key-%d", i), "%0512d", i);
	if (!strcmp(how, "slow"))
		(void)poll(NULL, 0, 300);
	fprintf(stderr, "looked\n");
	(void)stat("/proc/thread-self/ns/net", &st);
	pw_map_set_int(obs, "netns", (long long)st.st_ino);
	pw_map_set_str(obs, "vantage", pw_ctx_vantage(ctx));
	pw_map_set_bool(obs, "in_time", pw_ctx_remaining_ms(ctx) > 1);
	return PW_OK;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *obs, struct pw_result *result, struct pw_err *err)
{
	const char *how = pw_ctx_str(ctx, "how");
	struct pw_val *evidence = pw_result_evidence(result);
	(void)err;
	if (!strncmp(how, "judge:", 6))
		misbehave(how + 6);
	if (!strcmp(how, "undecided"))
		return PW_OK;
	pw_map_set_int(evidence, "netns", pw_map_int(obs, "netns", 0));
	pw_map_set_str(evidence, "vantage", pw_map_str(obs, "vantage", ""));
	pw_map_set_int(evidence, "judge_pid", getpid());
	if (!strcmp(how, "extra"))
		pw_map_set_int(evidence, "colour", 1);
	if (!strcmp(how, "unknown"))
		pw_result_unknown(result, "pods could not be listed");
	else if (!strcmp(how, "undeclared"))
		pw_result_set(result, "splendid", "x");
	else
		pw_result_set(result, !strcmp(how, "bad") ? "broken" : "fine", "it is %s", how);
	if (!strcmp(how, "two"))
		pw_result_set(result, "broken", "no, it is not");
	return PW_OK;
}

static const struct pw_param params[] = {
	{ "how", PW_TYPE_STR, 0, "well", NULL, "how to behave" }, { NULL, PW_TYPE_STR, 0, NULL, NULL, NULL } };
static const struct pw_outcome outcomes[] = {
	{ "fine", PW_CLASS_OK, "well", NULL, NULL }, { "broken", PW_CLASS_FAIL, "not well", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL } };
static const struct pw_evidence evidence_keys[] = {
	{ "netns", PW_TYPE_INT, NULL, "inode" }, { "vantage", PW_TYPE_STR, NULL, "where" },
	{ "judge_pid", PW_TYPE_INT, NULL, "who" }, { NULL, PW_TYPE_STR, NULL, NULL } };
#define SAMPLE(stem, ...) { PW_CHECK_HEAD(stem), .summary = "Sample", .params = params, .outcomes = outcomes, \
	.evidence = evidence_keys, .timeout_ms = 10000, .judge = judge, __VA_ARGS__ }
static const struct pw_check sample = SAMPLE("sample", .probe = probe);
static const struct pw_check quiet = SAMPLE("quiet", .probe = probe, .needs = PW_NEEDS_QUIET);
static const struct pw_check thinker = SAMPLE("thinker", .probe = NULL);

static const struct pw_check *find_check(void *arg, const char *name)
{
	(void)arg;
	return !strcmp(name, "sample") ? &sample : !strcmp(name, "quiet") ? &quiet : NULL;
}

/* ---- driving ---- */

struct bench {
	struct pw_arena *arena;
	struct pw_executor *executor;
	unsigned next_id;
};

static void bench_init(struct bench *b, struct pw_executor_config config)
{
	struct pw_err err = PW_ERR_INIT;
	b->arena = pw_arena_new(ARENA);
	b->executor = pw_executor_new(&config, &err);
	b->next_id = 1;
	ok(b->executor != NULL, "an executor %s", err.text);
}

static void bench_release(struct bench *b)
{
	pw_executor_free(b->executor);
	pw_arena_free(b->arena);
}

static unsigned start(struct bench *b, const struct pw_check *check, const char *how, struct pw_task task)
{
	struct pw_err err = PW_ERR_INIT;
	struct pw_val *map = pw_val_map(b->arena);
	pw_map_set_str(map, "how", how);
	task.id = b->next_id++;
	task.check = check;
	task.params = map;
	if (pw_executor_start(b->executor, &task, &err) < 0)
		ok(false, "start: %s", err.text);
	return task.id;
}

static struct pw_task_done finish(struct bench *b)
{
	struct pw_task_done done = { .code = PW_INTERNAL, .outcome = "", .says = "", .reason = "nothing ended", .log = "" };
	struct pw_err err = PW_ERR_INIT;
	if (pw_executor_wait(b->executor, tap_ms(PATIENCE_MS), -1, b->arena, &done, &err) < 0)
		ok(false, "wait: %s", err.text);
	return done;
}

static struct pw_task_done run(struct bench *b, const char *how, struct pw_task task)
{
	(void)start(b, &sample, how, task);
	return finish(b);
}

/* ---- tests ---- */

static void test_well(void)
{
	struct bench b;
	bench_init(&b, (struct pw_executor_config){0});
	struct pw_task_done d = run(&b, "well", (struct pw_task){0});
	is_int(d.code, PW_OK, "a check that works");
	is_str(d.outcome, "fine", "its outcome");
	is_int(d.klass, PW_CLASS_OK, "its class");
	is_str(d.says, "it is well", "its sentence");
	ok(d.reason == NULL, "no reason");
	is_str(pw_map_str(d.evidence, "vantage", ""), "here", "its vantage");
	ok(pw_map_bool(d.observation, "in_time", false), "its observation");
	is_str(d.log, "looked\\n", "what it printed, escaped");

	d = run(&b, "bad", (struct pw_task){0});
	is_int(d.klass, PW_CLASS_FAIL, "the class is that of the outcome");
	d = run(&b, "unknown", (struct pw_task){0});
	is_int(d.code, PW_OK, "a judge that cannot know is no error");
	is_str(d.outcome, "unknown", "its outcome");
	is_int(d.klass, PW_CLASS_UNKNOWN, "its class");
	is_str(d.says, "pods could not be listed", "and why");

	struct pw_val *seen = pw_val_map(b.arena);
	pw_map_set_str(seen, "vantage", "recorded");
	d = run(&b, "probe:crash", (struct pw_task){ .observation = seen });
	is_str(d.outcome, "fine", "a recorded observation is judged, not made");
	is_str(pw_map_str(d.evidence, "vantage", ""), "recorded", "from what was recorded");
	d = run(&b, "judge:crash", (struct pw_task){ .probe_only = true });
	is_int(d.code, PW_OK, "a probe alone");
	is_str(d.outcome, "", "has no outcome");
	ok(pw_map_get(d.observation, "netns") != NULL, "but an observation");
	(void)start(&b, &thinker, "well", (struct pw_task){0});
	d = finish(&b);
	is_str(d.outcome, "fine", "a check without a probe");
	ok(pw_map_int(d.evidence, "judge_pid", 0) != getpid(), "is judged in a child too");
	bench_release(&b);
}

static void test_badly(void)
{
	static const struct { const char *how; int code; enum pw_class klass; const char *reason; } cases[] = {
		{ "denied", PW_DENIED, PW_CLASS_UNKNOWN, "cannot make a raw socket: Operation not permitted" },
		{ "silent", PW_IO, PW_CLASS_UNKNOWN, "the check sample failed (io) and did not say why" },
		{ "undeclared", PW_INTERNAL, PW_CLASS_ERROR,
		  "the check sample ended in \"splendid\", which it does not declare; this is a defect of the check" },
		{ "extra", PW_INTERNAL, PW_CLASS_ERROR,
		  "the check sample gave the evidence \"colour\", which it does not declare; this is a defect of the check" },
		{ "two", PW_INTERNAL, PW_CLASS_ERROR, "the check sample decided twice: fine, then broken; this is a defect of the check" },
		{ "undecided", PW_INTERNAL, PW_CLASS_ERROR, "the check sample ended without an outcome; this is a defect of the check" },
		{ "probe:crash", PW_INTERNAL, PW_CLASS_ERROR, "the process of the check sample was killed by SIGSEGV" },
		{ "judge:crash", PW_INTERNAL, PW_CLASS_ERROR, "the process of the check sample was killed by SIGSEGV: looked" },
		{ "probe:hang", PW_TIMEOUT, PW_CLASS_UNKNOWN, "the check sample did not end within 100 ms at here and was killed" },
		{ "probe:flood", PW_NOMEM, PW_CLASS_UNKNOWN,
		  "the check sample wrote more than it may and was stopped: a document of 2147483647 bytes was announced, at most 1114112 are accepted" },
		{ "large", PW_NOMEM, PW_CLASS_UNKNOWN, "the check sample saw more than 1048576 bytes" },
		{ "probe:scalar", PW_INTERNAL, PW_CLASS_ERROR,
		  "the process of the check sample answered with garbage: a document that is not a JSON object" },
		{ "probe:half", PW_INTERNAL, PW_CLASS_ERROR, "the process of the check sample answered with garbage: an unfinished document" },
		{ "probe:twice", PW_INTERNAL, PW_CLASS_ERROR, "the process of the check sample answered with garbage: more than one document" },
		{ "probe:nothing", PW_INTERNAL, PW_CLASS_ERROR, "the process of the check sample ended without an answer" },
		{ "probe:exit-3", PW_INTERNAL, PW_CLASS_ERROR,
		  "the process of the check sample exited with status 3: something \\x1b[31mred" },
		{ "probe:forge-outcome", PW_INTERNAL, PW_CLASS_ERROR,
		  "the check sample ended in \"great\", which it does not declare; this is a defect of the check" },
		{ "probe:forge-evidence", PW_INTERNAL, PW_CLASS_ERROR,
		  "the check sample gave the evidence \"extra\", which it does not declare; this is a defect of the check" },
		{ "probe:frame-then-crash", PW_INTERNAL, PW_CLASS_ERROR,
		  "the process of the check sample was killed by SIGKILL (killed from outside, perhaps for its memory)" },
	};
	struct bench b;
	bench_init(&b, (struct pw_executor_config){ .max_output = 1 << 20 });
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool hangs = strstr(cases[i].how, "hang") != NULL;
		struct pw_task_done d = run(&b, cases[i].how, (struct pw_task){ .timeout_ms = hangs ? 100 : 0 });
		is_str(d.reason, cases[i].reason, cases[i].how);
		ok(d.code == cases[i].code && d.klass == cases[i].klass, "%s: code %d, class %s", cases[i].how, d.code, pw_class_word(d.klass));
		is_str(d.outcome, "unknown", "the outcome is unknown");
		is_int(pw_val_count(d.evidence), 0, "and nothing it claimed is believed");
	}
	struct pw_task_done d = run(&b, "probe:garbage", (struct pw_task){0});
	ok(d.code == PW_INTERNAL && d.reason && strstr(d.reason, "answered with garbage:"), "garbage: %s", d.reason ? d.reason : "");
	bench_release(&b);
}

static void test_many(void)
{
	struct bench b;
	bench_init(&b, (struct pw_executor_config){ .jobs = 8 });
	int64_t begin = pw_mono_ms();
	for (int i = 0; i < 8; i++)
		(void)start(&b, &sample, "slow", (struct pw_task){0});
	unsigned seen = 0;
	for (int i = 0; i < 8; i++)
		seen += finish(&b).code == PW_OK;
	ok(seen == 8 && pw_mono_ms() - begin < tap_ms(8 * 300), "eight slow checks run side by side");

	for (int i = 0; i < 40; i++)
		(void)start(&b, &sample, i % 4 ? "well" : "probe:crash", (struct pw_task){0});
	is_int(pw_executor_running(b.executor), 40, "forty are accepted");
	unsigned good = 0, crashed = 0;
	for (int i = 0; i < 40; i++) {
		struct pw_task_done d = finish(&b);
		good += d.code == PW_OK;
		crashed += d.code == PW_INTERNAL;
	}
	ok(good == 30 && crashed == 10, "all forty end as they should");
	is_int(pw_executor_running(b.executor), 0, "and none is left");
	struct pw_task_done d;
	is_int(pw_executor_wait(b.executor, -1, -1, b.arena, &d, NULL), 0, "waiting for nothing does not block");

	struct pw_err err = PW_ERR_INIT;
	(void)start(&b, &sample, "slow", (struct pw_task){0});
	const struct pw_task same = { .id = b.next_id - 1, .check = &sample };
	is_int(pw_executor_start(b.executor, &same, &err), PW_INTERNAL, "a number in use is refused");
	bench_release(&b); /* kills what still runs */
}

static void test_quiet(void)
{
	struct bench b;
	bench_init(&b, (struct pw_executor_config){ .jobs = 8 });
	unsigned first = start(&b, &sample, "slow", (struct pw_task){0});
	unsigned second = start(&b, &quiet, "slow", (struct pw_task){0});
	unsigned third = start(&b, &sample, "well", (struct pw_task){0});
	int64_t begin = pw_mono_ms();
	is_int(finish(&b).id, first, "a quiet check waits for those before it");
	is_int(finish(&b).id, second, "and those after it wait");
	ok(pw_mono_ms() - begin >= 550, "so they took their times one after the other");
	is_int(finish(&b).id, third, "then the rest runs");
	bench_release(&b);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_wait(void)
{
	struct bench b;
	bench_init(&b, (struct pw_executor_config){0});
	struct pw_task_done d;
	unsigned id = start(&b, &sample, "probe:hang", (struct pw_task){0});
	is_int(pw_executor_wait(b.executor, 20, -1, b.arena, &d, NULL), 0, "waiting ends after its time");

	int fds[2];
	if (pipe(fds) == 0 && write(fds[1], "x", 1) == 1)
		is_int(pw_executor_wait(b.executor, -1, fds[0], b.arena, &d, NULL), 0, "waiting ends at the wake-up");
	(void)close(fds[0]);
	(void)close(fds[1]);

	struct sigaction sa = { .sa_handler = on_alarm };
	(void)sigaction(SIGALRM, &sa, NULL);
	/* Again and again: one that comes while nothing waits is not noticed. */
	const struct itimerval ring = { { 0, 50000 }, { 0, 50000 } }, quiet_again = { { 0, 0 }, { 0, 0 } };
	(void)setitimer(ITIMER_REAL, &ring, NULL);
	is_int(pw_executor_wait(b.executor, -1, -1, b.arena, &d, NULL), 0, "waiting ends at a signal");
	(void)setitimer(ITIMER_REAL, &quiet_again, NULL);

	int64_t begin = pw_mono_ms();
	pw_executor_cancel(b.executor, id);
	d = finish(&b);
	ok(d.id == id && d.code == PW_CANCELLED && pw_mono_ms() - begin < tap_ms(1000), "a cancelled check ends within a second");
	is_str(d.reason, "cancelled", "and says so");
	is_str(d.outcome, "unknown", "as unknown");
	pw_executor_cancel(b.executor, 999);
	bench_release(&b);
}

/* ---- vantages ---- */

static int other_netns(void *arg, int out)
{
	(void)arg;
	dprintf(out, "%s", unshare(CLONE_NEWNET) == 0 ? "moved" : "denied");
	(void)pause();
	return 0;
}

static void test_netns(void)
{
	struct pw_child_spec spec = { .run = other_netns };
	struct pw_child child = PW_CHILD_INIT;
	char word[16] = "", text[64];
	if (pw_child_start(&spec, &child, NULL) < 0)
		return;
	struct pollfd fd = { .fd = child.out_fd, .events = POLLIN };
	(void)poll(&fd, 1, PATIENCE_MS);
	(void)!read(child.out_fd, word, sizeof word - 1);
	struct stat st = { 0 };
	(void)snprintf(text, sizeof text, "/proc/%d/ns/net", (int)child.pid);
	if (strcmp(word, "moved") != 0 || stat(text, &st) < 0) {
		tap_skip("vantages in another network namespace", "making one is not permitted");
		pw_child_release(&child);
		return;
	}
	struct bench b;
	bench_init(&b, (struct pw_executor_config){0});
	struct pw_vantage by_path = { .kind = PW_AT_NETNS, .path = text }, by_pid = { .kind = PW_AT_PID, .pid = child.pid };
	struct pw_task_done d = run(&b, "well", (struct pw_task){ .vantage = &by_path });
	is_int(pw_map_int(d.evidence, "netns", 0), (long long)st.st_ino, "a check runs in a namespace by its path");
	d = run(&b, "well", (struct pw_task){ .vantage = &by_pid });
	is_int(pw_map_int(d.evidence, "netns", 0), (long long)st.st_ino, "a check runs in the namespace of a process");
	(void)snprintf(word, sizeof word, "process %d", (int)child.pid);
	is_str(pw_map_str(d.evidence, "vantage", ""), word, "and knows where it is");
	pw_child_release(&child);
	d = run(&b, "well", (struct pw_task){ .vantage = &by_pid });
	is_int(d.code, PW_ABSENT, "a process that is gone");
	char want[128];
	(void)snprintf(want, sizeof want, "cannot open %s: No such file or directory", text);
	is_str(d.reason, want, "is named");
	struct pw_vantage file = { .kind = PW_AT_NETNS, .path = "/etc/hostname" };
	d = run(&b, "well", (struct pw_task){ .vantage = &file });
	is_str(d.reason, "network namespace /etc/hostname is not a network namespace", "a file that is no namespace");
	struct pw_vantage pod = { .kind = PW_AT_POD, .uid = "11111111-2222-3333-4444-555555555555" };
	d = run(&b, "well", (struct pw_task){ .vantage = &pod });
	is_int(d.code, PW_ABSENT, "a pod that is not here");
	bench_release(&b);
}

static void test_parse(void)
{
	static const struct { const char *text, *say; } good[] = {
		{ "here", "here" }, { "netns:/run/x", "network namespace /run/x" }, { "netns:blue", "network namespace /run/netns/blue" },
		{ "pid:12", "process 12" }, { "uid:abc-1", "pod with UID abc-1" }, { "node:n1.example", "node n1.example" },
	};
	static const struct { const char *text, *why; } bad[] = {
		{ "there", "\"there\" is not a vantage: here, netns:PATH, pid:N, uid:POD-UID, node:NAME, or a pod as namespace/name" },
		{ "pid:0", "pid:0 is not the number of a process" }, { "netns:../x", "netns:../x is not an absolute path or the name of a namespace" },
		{ "node:n1;x", "\"n1;x\" is not the name of a node" }, { "uid:", "uid: is not the UID of a pod" },
	};
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 16);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		PW_CLEAN_BUF struct pw_buf out;
		pw_buf_init(&out, 256);
		struct pw_vantage v = { .kind = PW_AT_HERE };
		is_int(pw_vantage_parse(good[i].text, arena, &v, NULL), PW_OK, good[i].text);
		pw_vantage_say(&v, &out);
		is_str(pw_buf_str(&out), good[i].say, "as said to people");
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct pw_err err = PW_ERR_INIT;
		struct pw_vantage v;
		is_int(pw_vantage_parse(bad[i].text, arena, &v, &err), PW_USAGE, bad[i].text);
		is_str(err.text, bad[i].why, "and why not");
	}
}

/* ---- agents ---- */

static struct pw_task_done run_at(struct bench *b, const char *node, const char *how, unsigned timeout_ms)
{
	const struct pw_vantage v = { .kind = PW_AT_NODE, .node = node };
	return run(b, how, (struct pw_task){ .vantage = &v, .timeout_ms = timeout_ms });
}

static void test_agent(void)
{
	struct bench b;
	bench_init(&b, (struct pw_executor_config){ .via = "exec:" SELF " agent '{node}'" });
	struct pw_task_done d = run_at(&b, "n1", "well", 0);
	is_int(d.code, PW_OK, "an observation through an agent");
	is_str(d.outcome, "fine", "is judged");
	is_str(d.reason, NULL, "without complaint");
	is_str(pw_map_str(d.evidence, "vantage", ""), "node n1", "the agent's side knows where it is");
	is_str(d.log, "looked\\n", "the log of the far side comes along");

	d = run_at(&b, "n1", "probe:crash", 0);
	is_str(d.reason, "the process of the check sample was killed by SIGSEGV", "a crash at the far side");
	d = run_at(&b, "n1", "judge:crash", 0);
	is_str(d.reason, "the process of the check sample was killed by SIGSEGV", "a crash of the judge at this side");
	d = run_at(&b, "n1", "probe:hang", 100);
	is_int(d.code, PW_TIMEOUT, "a hang at the far side");
	is_str(d.reason, "the check sample did not end within 100 ms at node n1 and was killed", "is ended there");

	int64_t begin = pw_mono_ms();
	const struct pw_vantage n1 = { .kind = PW_AT_NODE, .node = "n1" }, n2 = { .kind = PW_AT_NODE, .node = "n2" };
	for (int i = 0; i < 8; i++)
		(void)start(&b, &sample, "slow", (struct pw_task){ .vantage = i % 2 ? &n1 : &n2 });
	unsigned good = 0;
	for (int i = 0; i < 8; i++)
		good += finish(&b).code == PW_OK;
	ok(good == 8 && pw_mono_ms() - begin < tap_ms(8 * 300), "two agents do eight slow checks side by side");

	unsigned id = start(&b, &sample, "probe:hang", (struct pw_task){ .vantage = &n1 });
	is_int(pw_executor_wait(b.executor, 200, -1, b.arena, &d, NULL), 0, "a remote hang");
	pw_executor_cancel(b.executor, id);
	d = finish(&b);
	ok(d.id == id && d.code == PW_CANCELLED, "is cancelled");
	d = run_at(&b, "n1", "well", 0);
	is_str(d.outcome, "fine", "and its agent goes on");

	(void)start(&b, &thinker, "well", (struct pw_task){ .vantage = &n1 });
	d = finish(&b);
	is_str(d.outcome, "fine", "what needs no look needs no agent");
	bench_release(&b);
}

static void test_agent_failures(void)
{
	static const struct { const char *via; int code; const char *reason; } cases[] = {
		{ "exec:sh -c 'echo no route to {node} >&2; exit 255'", PW_NET, "agent on n1 ended: exited with status 255: no route to n1" },
		{ "exec:true", PW_NET, "agent on n1 ended: ended" },
		{ "exec:sh -c 'exec >&-; sleep 5'", PW_NET, "agent on n1 ended: it closed its output" },
		{ "exec:echo hello there", PW_NOMEM,
		  "the agent on n1 answered with garbage: a document of 1751477356 bytes was announced, at most 4259840 are accepted" },
		{ "exec:/no/such {node}", PW_ABSENT, "no agent on n1: cannot run /no/such: No such file or directory" },
		{ "exec:" SELF " old", PW_UNSUPPORTED,
		  "the agent on n1 is packetwalk 0.0.1 (check ABI 1), this is " PW_VERSION " (1): install the same version on both sides" },
		{ "exec:" SELF " agent die", PW_NET, "agent on n1 ended: exited with status 7: out of luck" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bench b;
		bench_init(&b, (struct pw_executor_config){ .via = cases[i].via });
		struct pw_task_done d = run_at(&b, "n1", "well", 0);
		is_str(d.reason, cases[i].reason, cases[i].via);
		is_int(d.code, cases[i].code, "its code");
		is_str(d.outcome, "unknown", "its outcome");
		bench_release(&b);
	}
	struct bench b;
	bench_init(&b, (struct pw_executor_config){0});
	const struct pw_vantage pod = { .kind = PW_AT_POD, .ns = "shop", .pod = "web", .node = "n1" };
	struct pw_task_done d = run(&b, "well", (struct pw_task){ .vantage = &pod });
	is_str(d.reason, "no way into pod shop/web on n1: pass --via TRANSPORT (see packetwalk help run)", "no transport");
	is_int(d.code, PW_UNSUPPORTED, "its code");
	bench_release(&b);

	bench_init(&b, (struct pw_executor_config){ .via = "exec:" SELF " {pod}" });
	const struct pw_vantage evil = { .kind = PW_AT_POD, .ns = "shop", .pod = "-o;reboot", .node = "n1" };
	d = run(&b, "well", (struct pw_task){ .vantage = &evil });
	is_str(d.reason, "--via exec: {pod} is \"-o;reboot\", which is not put on a command line", "a hostile name stays out of the command");
	bench_release(&b);
}

/* All answers that wait together may be longer than one may be. */
/* The stage of a pod that ran, after one check in it by this way. */
static enum pw_made_stage stage_after(const char *via)
{
	static const char *const kubectl[] = { "kubectl", NULL };
	struct bench b;
	struct pw_err err = PW_ERR_INIT;
	const struct pw_creation_config config = { .dir = "/nonexistent", .kubectl = kubectl, .image = "packetwalk:1", .pull_policy = "Never", .node_ns = "default" };
	struct pw_creation *creation = pw_creation_new(&config, &err);
	bench_init(&b, (struct pw_executor_config){ .via = via });
	struct pw_facts *facts = pw_facts_new(b.arena);
	struct pw_made *made = pw_creation_on_node(creation, facts, "n1", "default");
	const struct pw_vantage v = { .kind = PW_AT_NODE, .node = "n1", .way = PW_WAY_NODE_POD, .node_pod = made };
	made->stage = PW_MADE_RUNNING;
	(void)run(&b, "well", (struct pw_task){ .vantage = &v });
	enum pw_made_stage stage = made->stage;
	bench_release(&b);
	pw_creation_free(creation);
	return stage;
}

static void test_made_ends(void)
{
	is_int(stage_after("exec:" SELF " agent '{node}'"), PW_MADE_RUNNING, "a pod whose agent serves goes on");
	is_int(stage_after("exec:" SELF " leave"), PW_MADE_GONE, "one whose agent ended is gone");
	is_int(stage_after("exec:false"), PW_MADE_REFUSED, "one in which none started is not tried again");
}

static void test_agent_chatter(void)
{
	struct bench b;
	bench_init(&b, (struct pw_executor_config){ .via = "exec:" SELF " chatter", .max_output = 1000 });
	struct pw_task_done d = run_at(&b, "n1", "well", (unsigned)tap_ms(20000));
	is_int(d.code, PW_OK, "an answer behind many others is taken");
	is_str(d.reason ? d.reason : "", "", "and the agent is not taken for gone");
	bench_release(&b);
}

static void test_via(void)
{
	static const struct { const char *via, *why; } bad[] = {
		{ "exce:x", "there is no transport \"exce\"; did you mean \"exec\"?" },
		{ "carrier-pigeon:x", "there is no transport \"carrier-pigeon\" (see packetwalk help run)" },
		{ "exec:", "--via exec: needs a command, such as exec:ip netns exec {node} packetwalk agent" },
		{ "exec:sh -c 'x", "--via exec: a ' is not closed" },
		{ "kubectl:-x", "--via kubectl: \"-x\" is not a program" },
		{ "ssh:-oProxyCommand=x", "--via ssh: \"-oProxyCommand=x\" is not the name of a user" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct pw_err err = PW_ERR_INIT;
		const struct pw_executor_config config = { .via = bad[i].via };
		struct pw_executor *ex = pw_executor_new(&config, &err);
		ok(ex == NULL, "%s is refused", bad[i].via);
		is_str(err.text, bad[i].why, "with a reason");
		pw_executor_free(ex);
	}
}

/* What is run for a vantage, joined by `|`. */
static void command_is(const char *via, const struct pw_vantage *v, const char *want)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	PW_CLEAN_BUF struct pw_buf out;
	const struct pw_transport *transport;
	struct pw_via way = { .kubectl = (const char *const[]){ "--context", "prod", NULL } };
	const char *const *argv;
	struct pw_err err = PW_ERR_INIT;
	pw_buf_init(&out, 4096);
	if (pw_transport_find(via, &transport, &way.rest, &err) < 0 || transport->argv(&way, v, arena, &argv, &err) < 0)
		pw_buf_puts(&out, err.text);
	else
		for (; *argv; argv++)
			pw_buf_printf(&out, "%s|", *argv);
	is_str(pw_buf_str(&out), want, via);
}

static void test_commands(void)
{
	const struct pw_vantage pod = { .kind = PW_AT_POD, .node = "n1", .ns = "shop", .pod = "web", .uid = "ab-1" };
	const struct pw_vantage evil = { .kind = PW_AT_NODE, .node = "-oProxyCommand=x" };
	command_is("exec:ip netns exec {node} packetwalk agent", &pod, "ip|netns|exec|n1|packetwalk|agent|");
	command_is("exec:a  'b {node}' \"c \\\" d\" '' x{ns}/{pod}={uid} {other}", &pod, "a|b n1|c \" d||xshop/web=ab-1|{other}|");
	command_is("exec:sh -c 'echo {node}'", &evil, "--via exec: {node} is \"-oProxyCommand=x\", which is not put on a command line");
	command_is("ssh", &pod, "ssh|-T|-o|BatchMode=yes|--|n1|packetwalk|agent|");
	command_is("ssh:root", &pod, "ssh|-T|-o|BatchMode=yes|--|root@n1|packetwalk|agent|");
	const struct pw_vantage served = { .kind = PW_AT_NODE, .node = "n1", .agent = "packetwalk-agent-x7" };
	const struct pw_vantage odd = { .kind = PW_AT_NODE, .node = "n1", .agent = "-x" };
	command_is("kubectl", &served, "kubectl|--context|prod|exec|-i|-q|-n|packetwalk|packetwalk-agent-x7|-c|agent|--|packetwalk|agent|");
	command_is("kubectl:oc", &served, "oc|--context|prod|exec|-i|-q|-n|packetwalk|packetwalk-agent-x7|-c|agent|--|packetwalk|agent|");
	command_is("kubectl", &pod, "--via kubectl: no pod of the agent is ready on n1: packetwalk manifest agent | kubectl apply -f -");
	command_is("kubectl", &odd, "--via kubectl: \"packetwalk/-x\" is not the name of a pod");
	command_is("ssh", &evil, "--via ssh: \"-oProxyCommand=x\" is not the name of a node");
}

/* What one check costs besides what it does: the best of some rounds, since the machine is shared. */
static int64_t cheapest_us(void)
{
	enum { ROUNDS = 10, EACH = 20 };
	struct bench b;
	bench_init(&b, (struct pw_executor_config){0});
	int64_t best = INT64_MAX;
	for (int r = 0; r < ROUNDS; r++) {
		struct timespec from, to;
		(void)clock_gettime(CLOCK_MONOTONIC, &from);
		for (int i = 0; i < EACH; i++)
			(void)run(&b, "well", (struct pw_task){0});
		(void)clock_gettime(CLOCK_MONOTONIC, &to);
		int64_t us = ((to.tv_sec - from.tv_sec) * 1000000000LL + (to.tv_nsec - from.tv_nsec)) / 1000 / EACH;
		best = us < best ? us : best;
	}
	bench_release(&b);
	printf("# one check costs %lld us\n", (long long)best);
	return best;
}

static void test_overhead(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_UNDEFINED__)
	bool slowed = true;
#else
	bool slowed = tap_on_valgrind();
#endif
	if (slowed)
		tap_skip("a check costs less than a millisecond", "not measured under sanitizers and valgrind");
	else
		ok(cheapest_us() < 1000, "a check costs less than a millisecond");
}

static int serve(const char *mode)
{
	struct pw_err err = PW_ERR_INIT;
	if (!strcmp(mode, "die")) {
		fprintf(stderr, "out of luck\n");
		return 7;
	}
	const struct pw_executor_config config = { .find_check = find_check };
	int rc = pw_agent_serve(STDIN_FILENO, STDOUT_FILENO, &config, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	return rc < 0;
}

static int serve_old(void)
{
	static const char hello[] = "\0\0\0\x25{\"agent\":\"0.0.1\",\"abi\":1,\"checks\":[]}";
	(void)!write(STDOUT_FILENO, hello, sizeof hello - 1);
	char c;
	return read(STDIN_FILENO, &c, 1) < 0;
}

static void say(const char *text)
{
	size_t len = strlen(text);
	const unsigned char head[4] = { 0, 0, (unsigned char)(len >> 8), (unsigned char)len };
	(void)fwrite(head, sizeof head, 1, stdout);
	(void)fwrite(text, len, 1, stdout);
}

/* Many short answers to what nobody asked, faster than they can be taken, before the one that counts. */
static int serve_chatter(void)
{
	say("{\"agent\":\"" PW_VERSION "\",\"abi\":1,\"checks\":[]}");
	for (unsigned i = 0; i < 200000; i++)
		say("{\"id\":4000000000}");
	say("{\"id\":1,\"observation\":{}}");
	(void)fflush(stdout);
	char c;
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}

/* As an agent whose pod is ended under it. */
static int serve_and_leave(void)
{
	char c;
	say("{\"agent\":\"" PW_VERSION "\",\"abi\":1,\"checks\":[]}");
	(void)fflush(stdout);
	return read(STDIN_FILENO, &c, 1) < 0;
}

static int to_own_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return slash ? chdir(path) : -1;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "chatter"))
		return serve_chatter();
	if (argc > 1 && !strcmp(argv[1], "agent"))
		return serve(argc > 2 ? argv[2] : "");
	if (argc > 1 && !strcmp(argv[1], "leave"))
		return serve_and_leave();
	if (argc > 1 && !strcmp(argv[1], "old"))
		return serve_old();
	if (to_own_folder() < 0)
		return 1;
	test_well();
	test_badly();
	test_many();
	test_quiet();
	test_wait();
	test_netns();
	test_parse();
	test_agent();
	test_agent_failures();
	test_made_ends();
	test_agent_chatter();
	test_via();
	test_commands();
	test_overhead();
	return tap_done();
}
