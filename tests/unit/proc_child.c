/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

#include "proc_util.h"

enum { PATIENCE_MS = 20000 };

/* Stands before libc's: a kernel from before 5.3, when a test wants one. */
static bool old_kernel;

int pidfd_open(pid_t pid, unsigned flags)
{
	errno = ENOSYS;
	return old_kernel ? -1 : (int)syscall(SYS_pidfd_open, pid, flags);
}

static const char *status_text(int status)
{
	static char text[200];
	PW_CLEAN_BUF struct pw_buf buf;
	pw_buf_init(&buf, sizeof text - 1);
	pw_child_say_status(status, &buf);
	(void)snprintf(text, sizeof text, "%s", pw_buf_str(&buf));
	return text;
}

/* Runs a function to its end; what it wrote is in `out`. */
static int run_fn(int (*fn)(void *, int), void *arg, struct pw_child_spec spec, struct pw_buf *out, struct pw_child *child)
{
	spec.run = fn;
	spec.arg = arg;
	struct pw_err err = PW_ERR_INIT;
	if (!ok(pw_child_start(&spec, child, &err) == PW_OK, "child starts %s", err.text))
		return -1;
	wait_end(child, PATIENCE_MS);
	char data[4096];
	ssize_t n = read(child->out_fd, data, sizeof data);
	if (n > 0)
		pw_buf_add(out, data, (size_t)n);
	return pw_child_end(child);
}

static int say(void *arg, int out)
{
	printf("lost words\n");
	(void)fflush(stdout);
	fprintf(stderr, "a complaint\n");
	dprintf(out, "result %s", (const char *)arg);
	return 7;
}

static void test_function(void)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	struct pw_child child = PW_CHILD_INIT;
	char word[] = "ok";
	int status = run_fn(say, word, (struct pw_child_spec){0}, &out, &child);
	is_str(status_text(status), "exited with status 7", "its return value is the exit status");
	is_str(pw_buf_str(&out), "result ok", "its result arrives alone");
	is_str(pw_buf_str(&child.log), "lost words\na complaint\n", "stdout and stderr are in the log");
	pw_child_release(&child);
}

/* What a child finds around itself. */
static int look(void *arg, int out)
{
	const int *parent_fd = arg;
	struct sigaction sa;
	sigset_t mask;
	struct rlimit core;
	char c;
	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	(void)sigaction(SIGTERM, NULL, &sa);
	(void)getrlimit(RLIMIT_CORE, &core);
	dprintf(out, "stdin %zd, inherited %s, group %s, term %s, masked %d, core %lu", read(0, &c, 1),
		fcntl(*parent_fd, F_GETFD) < 0 ? "closed" : "open", getpgrp() == getpid() ? "own" : "shared",
		sa.sa_handler == SIG_DFL ? "default" : "caught", sigismember(&mask, SIGUSR1),
		(unsigned long)core.rlim_cur);
	return 0;
}

static void on_term(int sig)
{
	(void)sig;
}

static void test_surroundings(void)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	int leak = fcntl(STDERR_FILENO, F_DUPFD, 20); /* deliberately without CLOEXEC */
	(void)signal(SIGTERM, on_term);
	sigset_t usr1, before;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &usr1, &before);
	struct pw_child child = PW_CHILD_INIT;
	(void)run_fn(look, &leak, (struct pw_child_spec){0}, &out, &child);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)close(leak);
	is_str(pw_buf_str(&out), "stdin 0, inherited closed, group own, term default, masked 0, core 0",
	       "a child inherits nothing by accident");
	pw_child_release(&child);
}

static int open_all(void *arg, int out)
{
	int n = 4; /* 0..2 and the result */
	(void)arg;
	while (dup(out) >= 0)
		n++;
	dprintf(out, "%d", n);
	return 0;
}

static void test_files(void)
{
	if (tap_on_valgrind()) {
		tap_skip("no more than 64 files can be open", "valgrind lets nobody lower this limit");
		return;
	}
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	struct pw_child child = PW_CHILD_INIT;
	(void)run_fn(open_all, NULL, (struct pw_child_spec){ .max_files = 64 }, &out, &child);
	is_str(pw_buf_str(&out), "64", "no more than 64 files can be open");
	pw_child_release(&child);
}

static int crash(void *arg, int out)
{
	(void)arg;
	(void)out;
	(void)raise(SIGSEGV);
	return 0;
}

static int crash_abort(void *arg, int out)
{
	(void)arg;
	(void)out;
	abort();
}

static int big_file(void *arg, int out)
{
	(void)arg;
	(void)out;
	char data[8192] = {0};
	char name[] = "/tmp/pw-child-XXXXXX";
	int fd = mkstemp(name);
	(void)unlink(name);
	for (;;)
		if (write(fd, data, sizeof data) < 0)
			return 1;
}

static int spin(void *arg, int out)
{
	(void)arg;
	(void)out;
	for (volatile unsigned i = 0; i < UINT_MAX; i = i > 1000 ? 0 : i + 1)
		;
	return 0;
}

static int eat(void *arg, int out)
{
	(void)arg;
	char *volatile p = malloc((size_t)64 << 20); /* volatile: a pair of malloc and free may be optimised away */
	dprintf(out, "%s", p ? "got it" : "refused");
	free(p);
	return 0;
}

static int write_broken(void *arg, int out)
{
	(void)arg;
	int fds[2];
	if (pipe(fds) < 0)
		return 1;
	(void)close(fds[0]);
	dprintf(out, "%s", write(fds[1], "x", 1) < 0 && errno == EPIPE ? "EPIPE" : "?");
	return 0;
}

static void test_endings(void)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	struct pw_child child = PW_CHILD_INIT;
	int status = run_fn(crash, NULL, (struct pw_child_spec){0}, &out, &child);
	if (WIFSIGNALED(status)) /* ASan catches the signal and exits */
		is_str(status_text(status), "was killed by SIGSEGV", "a crash is named");
	pw_child_release(&child);
	status = run_fn(crash_abort, NULL, (struct pw_child_spec){0}, &out, &child);
	is_str(status_text(status), "was killed by SIGABRT", "an abort is named");
	pw_child_release(&child);
	status = run_fn(big_file, NULL, (struct pw_child_spec){ .max_file = 65536 }, &out, &child);
	is_str(status_text(status), "was killed by SIGXFSZ (wrote a larger file than allowed)", "a large file is stopped");
	pw_child_release(&child);
	status = run_fn(spin, NULL, (struct pw_child_spec){ .cpu_s = 1 }, &out, &child);
	is_str(status_text(status), "was killed by SIGXCPU (used more CPU time than allowed)", "a spinning child is stopped");
	pw_child_release(&child);
	(void)run_fn(write_broken, NULL, (struct pw_child_spec){0}, &out, &child);
	is_str(pw_buf_str(&out), "EPIPE", "a broken pipe is an error in a child, not a death");
	pw_child_release(&child);
	is_str(status_text(0), "ended", "status 0");
}

static void test_memory(void)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	struct pw_child child = PW_CHILD_INIT;
	(void)run_fn(eat, NULL, (struct pw_child_spec){ .max_memory = 32u << 20 }, &out, &child);
	pw_child_release(&child);
#if defined(__SANITIZE_ADDRESS__)
	tap_skip("64 MiB do not fit in 32", "address space is not limited under ASan");
#else
	is_str(pw_buf_str(&out), "refused", "64 MiB do not fit in 32");
#endif
	pw_buf_clear(&out);
	(void)run_fn(eat, NULL, (struct pw_child_spec){ .max_memory = 256u << 20 }, &out, &child);
	is_str(pw_buf_str(&out), "got it", "the limit counts from what is mapped already");
	pw_child_release(&child);
}

/* A child that leaves a process of its own behind: the whole group goes. */
static int fork_and_sleep(void *arg, int out)
{
	(void)arg;
	pid_t pid = fork();
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	dprintf(out, "%d", (int)pid);
	return 0;
}

static void test_group(void)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	struct pw_child child = PW_CHILD_INIT;
	(void)run_fn(fork_and_sleep, NULL, (struct pw_child_spec){0}, &out, &child);
	pw_child_release(&child);
	pid_t left = (pid_t)strtol(pw_buf_str(&out), NULL, 10);
	bool gone = false;
	for (int64_t end = pw_mono_ms() + PATIENCE_MS; !gone && pw_mono_ms() < end; (void)poll(NULL, 0, 1)) {
		char path[64], state = 'X';
		(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)left);
		PW_CLEAN_FILE FILE *f = fopen(path, "re");
		gone = !f || fscanf(f, "%*d %*s %c", &state) != 1 || state == 'Z' || state == 'X';
	}
	ok(left > 0 && gone, "what a child leaves behind is killed with it");
}

static int die_leaving_child(void *arg, int out)
{
	(void)arg;
	struct pw_child_spec spec = { .argv = (const char *const[]){ "sleep", "1000", NULL } };
	struct pw_child inner = PW_CHILD_INIT;
	if (pw_child_start(&spec, &inner, NULL) < 0)
		return 1;
	dprintf(out, "%d", (int)inner.pid);
	(void)raise(SIGKILL);
	return 0;
}

static void test_parent_death(void)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, 4096);
	struct pw_child child = PW_CHILD_INIT;
	(void)run_fn(die_leaving_child, NULL, (struct pw_child_spec){0}, &out, &child);
	pid_t left = (pid_t)strtol(pw_buf_str(&out), NULL, 10);
	pw_child_release(&child);
	bool gone = false;
	for (int64_t end = pw_mono_ms() + PATIENCE_MS; !gone && pw_mono_ms() < end; (void)poll(NULL, 0, 1)) {
		char path[64], state = 'X';
		(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)left);
		PW_CLEAN_FILE FILE *f = fopen(path, "re");
		gone = !f || fscanf(f, "%*d %*s %c", &state) != 1 || state == 'Z' || state == 'X';
	}
	ok(left > 0 && gone, "a program does not survive the parent that started it");
}

static int collect(const char *const *argv, unsigned ms, size_t max, struct pw_buf *out, struct pw_buf *log, int *status,
		   struct pw_err *err)
{
	pw_buf_release(out);
	pw_buf_init(out, max);
	pw_buf_clear(log);
	pw_err_clear(err);
	return pw_child_collect(argv, NULL, NULL, ms, out, log, status, err);
}

static void test_collect(void)
{
	PW_CLEAN_BUF struct pw_buf out, log;
	pw_buf_init(&out, 4096);
	pw_buf_init(&log, 4096);
	int status = -1;
	struct pw_err err = PW_ERR_INIT;

	const char *const hello[] = { "sh", "-c", "echo hello; echo oops >&2; echo $HOME-$LC_ALL; exit 3", NULL };
	is_int(collect(hello, PATIENCE_MS, 4096, &out, &log, &status, &err), PW_OK, "a program runs");
	is_str(pw_buf_str(&out), "hello\n-C\n", "its output, in an explicit environment");
	is_str(pw_buf_str(&log), "oops\n", "its complaints");
	is_str(status_text(status), "exited with status 3", "its status");

	const char *const flood[] = { "yes", NULL };
	is_int(collect(flood, PATIENCE_MS, 1000, &out, &log, &status, &err), PW_NOMEM, "a flood ends");
	is_str(err.text, "yes wrote more than 1000 bytes", "and is named");

	const char *const hang[] = { "sleep", "1000", NULL };
	is_int(collect(hang, 50, 1000, &out, &log, &status, &err), PW_TIMEOUT, "a hang ends");
	is_str(err.text, "sleep did not end within 50 ms", "and is named");

	const char *const none[] = { "no-such-program-pw", NULL };
	is_int(collect(none, 50, 1000, &out, &log, &status, &err), PW_ABSENT, "a missing program");
	is_str(err.text, "the program no-such-program-pw is not installed (looked in "
	       "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)", "is named");

	const char *const absent[] = { "/no/such/program", NULL };
	is_int(collect(absent, 50, 1000, &out, &log, &status, &err), PW_ABSENT, "a missing program by its path");
	is_str(err.text, "cannot run /no/such/program: No such file or directory", "says why");

	const char *const background[] = { "sh", "-c", "sleep 5 & echo started", NULL };
	int64_t start = pw_mono_ms();
	is_int(collect(background, PATIENCE_MS, 4096, &out, &log, &status, &err), PW_OK, "a program that leaves one behind");
	ok(pw_mono_ms() - start < 5000, "is not waited for beyond its own end");
	is_str(pw_buf_str(&out), "started\n", "and its output is whole");
}

static void test_end_nothing(void)
{
	struct pw_child child = PW_CHILD_INIT;
	is_int(pw_child_end(&child), 0, "ending a child never started");
	pw_child_release(&child);
}

/* Without descriptors for processes: the same children, the same ends. */
static void test_old_kernel(void)
{
	old_kernel = true;
	test_function();
	test_endings();
	test_collect();
	old_kernel = false;
}

int main(void)
{
	test_function();
	test_surroundings();
	test_files();
	test_endings();
	test_memory();
	test_group();
	test_parent_death();
	test_collect();
	test_old_kernel();
	test_end_nothing();
	return tap_done();
}
