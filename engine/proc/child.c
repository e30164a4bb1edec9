/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starting and ending child processes. Everything a child inherits is listed
 * here: three descriptors, the result pipe, default signals, limits, and a
 * parent whose death it does not survive.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

enum {
	RESULT_FD = 3,        /* first free one after stdio */
	PARKED_FD = 16,       /* above all fixed ones, while they are moved into place */
	EXIT_NO_EXEC = 127,   /* as shells say it */
	EXIT_SETUP = 126,
	FD_SWEEP_MAX = 65536, /* without close_range (Linux < 5.9): how far to close one by one */
	TICK_NS = 10000000,   /* without pidfd_open: how often to look */
	LOG_READS = 16,       /* reads of stderr in one go, so that a flood cannot hold the caller */
};

/* The three pipes, both ends, -1 where there is none. */
struct pipes {
	int in[2], out[2], err[2];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void close_pipes(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		close_fd(&p->in[i]);
		close_fd(&p->out[i]);
		close_fd(&p->err[i]);
	}
}

static int open_pipes(const struct pw_child_spec *spec, struct pipes *p, struct pw_err *err)
{
	*p = (struct pipes){ {-1, -1}, {-1, -1}, {-1, -1} };
	if (pipe2(p->out, O_CLOEXEC) < 0 || pipe2(p->err, O_CLOEXEC) < 0 ||
	    (spec->stdin_pipe && pipe2(p->in, O_CLOEXEC) < 0)) {
		int sys = errno;
		close_pipes(p);
		return pw_err_sys(err, PW_IO, sys, "cannot make a pipe for a child process");
	}
	/* Only our ends: the other side's file description is its own. */
	(void)fcntl(p->out[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(p->err[0], F_SETFL, O_NONBLOCK);
	if (spec->stdin_pipe)
		(void)fcntl(p->in[1], F_SETFL, O_NONBLOCK);
	return PW_OK;
}

/* ---- in the child ---- */

static _Noreturn void give_up(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	_exit(EXIT_SETUP);
}

static void default_signals(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL); /* fails for KILL, STOP and libc's own: as it should */
	sigset_t none;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(unsigned first)
{
	if (close_range(first, ~0U, 0) == 0)
		return;
	for (unsigned fd = first; fd < FD_SWEEP_MAX; fd++)
		(void)close((int)fd);
}

static void place_fd(int from, int to)
{
	if (dup2(from, to) < 0)
		give_up("cannot set up descriptors");
}

/* Pipes may have any numbers, 0..3 too if the parent was started without stdio: park, then place. */
static void take_descriptors(const struct pw_child_spec *spec, const struct pipes *p)
{
	int in = spec->stdin_pipe ? p->in[0] : open("/dev/null", O_RDONLY | O_CLOEXEC);
	in = fcntl(in, F_DUPFD_CLOEXEC, PARKED_FD);
	int out = fcntl(p->out[1], F_DUPFD_CLOEXEC, PARKED_FD);
	int log = fcntl(p->err[1], F_DUPFD_CLOEXEC, PARKED_FD);
	if (in < 0 || out < 0 || log < 0)
		_exit(EXIT_SETUP);
	place_fd(log, STDERR_FILENO);
	place_fd(in, STDIN_FILENO);
	if (spec->run) {
		place_fd(log, STDOUT_FILENO); /* a stray printf is a log line, not a result */
		place_fd(out, RESULT_FD);
		if (fcntl(RESULT_FD, F_SETFD, FD_CLOEXEC) < 0) /* not for the programs it runs */
			give_up("cannot set up descriptors");
		close_from(RESULT_FD + 1);
		return;
	}
	place_fd(out, STDOUT_FILENO);
	if (spec->merge_stderr)
		place_fd(out, STDERR_FILENO);
	close_from(STDERR_FILENO + 1);
}

/* Address space in use now, in bytes: the first field of /proc/self/statm counts pages. */
static size_t mapped_now(void)
{
	char text[64];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (size_t)strtoull(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
	struct rlimit now;
	if (getrlimit(what, &now) < 0)
		return;
	/* Never above what was allowed before: that would fail without privilege. */
	struct rlimit want = { soft < now.rlim_max ? soft : now.rlim_max, hard < now.rlim_max ? hard : now.rlim_max };
	(void)setrlimit(what, &want);
}

static void take_limits(const struct pw_child_spec *spec)
{
	limit(RLIMIT_CORE, 0, 0);
	if (spec->max_memory && !UNDER_ASAN) {
		rlim_t most = spec->max_memory + (spec->run ? mapped_now() : 0);
		limit(RLIMIT_AS, most, most);
	}
	if (spec->max_file)
		limit(RLIMIT_FSIZE, spec->max_file, spec->max_file);
	if (spec->max_files)
		limit(RLIMIT_NOFILE, spec->max_files, spec->max_files);
	if (spec->cpu_s) /* SIGXCPU first, which names the reason; SIGKILL a second later if that is ignored */
		limit(RLIMIT_CPU, spec->cpu_s, (rlim_t)spec->cpu_s + 1);
}

static const char *const standard_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL,
};

static _Noreturn void in_child(const struct pw_child_spec *spec, const struct pipes *p, const char *program, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_SETUP); /* the parent died before the kernel knew that we care */
	if (!spec->same_group)
		(void)setpgid(0, 0);
	take_descriptors(spec, p);
	default_signals();
	take_limits(spec);
	if (spec->run) {
		(void)signal(SIGPIPE, SIG_IGN);
		_exit(spec->run(spec->arg, RESULT_FD)); /* no atexit handlers, no flushing of the parent's stdio */
	}
	/* execve wants char *const[] but promises not to write: POSIX keeps that type for old programs' sake. */
	union { const char *const *in; char *const *out; } argv = { spec->argv },
		env = { spec->envp ? spec->envp : standard_env };
	execve(program, argv.out, env.out);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", program, strerror(errno));
	_exit(EXIT_NO_EXEC);
}

/* ---- in the parent ---- */

int pw_program_find(const char *name, const char *path, char *out, size_t size, struct pw_err *err)
{
	if (strchr(name, '/')) {
		int n = snprintf(out, size, "%s", name);
		if (n < 0 || (size_t)n >= size)
			return pw_err_set(err, PW_USAGE, "the program name %.40s... is too long", name);
		if (access(out, X_OK) == 0)
			return PW_OK;
		return pw_err_sys(err, PW_ABSENT, errno, "cannot run %s", name);
	}
	const char *folder = path ? path : standard_env[0] + strlen("PATH=");
	while (*name && *folder) {
		size_t len = strcspn(folder, ":");
		int n = snprintf(out, size, "%.*s/%s", (int)len, folder, name);
		/* An empty entry would be the current folder: never search that. */
		if (len && n > 0 && (size_t)n < size && access(out, X_OK) == 0)
			return PW_OK;
		folder += len + (folder[len] == ':');
	}
	return pw_err_set(err, PW_ABSENT, "the program %s is not installed (looked in %s)", name,
			  path ? path : standard_env[0] + strlen("PATH="));
}

static void own_ends(struct pipes *p, struct pw_child *child)
{
	child->in_fd = p->in[1];
	child->out_fd = p->out[0];
	child->err_fd = p->err[0];
	p->in[1] = p->out[0] = p->err[0] = -1;
	close_pipes(p);
}

static int open_ticks(void)
{
	const struct itimerspec ticks = { .it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd >= 0 && timerfd_settime(fd, 0, &ticks, NULL) < 0)
		close_fd(&fd);
	return fd;
}

/* Readable when the child ends. Kernels before 5.3 and old seccomp profiles have no such descriptor: there a timer
 * makes the caller look again and again. */
static int open_watch(pid_t pid)
{
	int fd = pidfd_open(pid, 0);
	return fd < 0 && (errno == ENOSYS || errno == EPERM) ? open_ticks() : fd;
}

int pw_child_start(const struct pw_child_spec *spec, struct pw_child *ret, struct pw_err *err)
{
	char program[4096] = "";
	if (!spec->run) {
		int rc = pw_program_find(spec->argv[0], spec->path, program, sizeof program, err);
		if (rc < 0)
			return rc;
	}
	struct pipes p;
	int rc = open_pipes(spec, &p, err);
	if (rc < 0)
		return rc;

	/* The parent's handlers must not run in the child: nothing arrives until they are gone there. */
	sigset_t all, before;
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	pid_t self = getpid(), pid = fork();
	if (pid == 0)
		in_child(spec, &p, program, self);
	int sys = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		close_pipes(&p);
		return pw_err_sys(err, PW_IO, sys, "cannot start a child process");
	}
	if (!spec->same_group)
		(void)setpgid(pid, pid); /* both sides do it: whoever comes second changes nothing */

	struct pw_child child = PW_CHILD_INIT;
	pw_buf_init(&child.log, PW_CHILD_LOG_MAX);
	child.pid = pid;
	child.same_group = spec->same_group;
	own_ends(&p, &child);
	child.pid_fd = open_watch(pid);
	if (child.pid_fd < 0) {
		sys = errno;
		pw_child_release(&child);
		return pw_err_sys(err, PW_IO, sys, "cannot watch a child process");
	}
	*ret = child;
	return PW_OK;
}

void pw_child_read_log(struct pw_child *child)
{
	char data[4096];
	for (int i = 0; child->err_fd >= 0 && i < LOG_READS; i++) {
		ssize_t n = read(child->err_fd, data, sizeof data);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close_fd(&child->err_fd);
			return;
		}
		size_t room = PW_CHILD_LOG_MAX - child->log.len;
		pw_buf_add(&child->log, data, (size_t)n < room ? (size_t)n : room);
	}
}

bool pw_child_ended(const struct pw_child *child)
{
	uint64_t ticks;
	siginfo_t info = {0};
	if (child->pid == 0)
		return true;
	(void)!read(child->pid_fd, &ticks, sizeof ticks); /* a timer is quiet until its next tick; a pidfd cannot be read */
	return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

int pw_child_end(struct pw_child *child)
{
	int status = 0;
	if (child->pid > 0) {
		/* Before reaping: until then the number is taken and cannot be someone else's group. */
		(void)kill(child->same_group ? child->pid : -child->pid, SIGKILL);
		while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
			;
		child->pid = 0;
		pw_child_read_log(child);
	}
	close_fd(&child->pid_fd);
	close_fd(&child->in_fd);
	close_fd(&child->out_fd);
	close_fd(&child->err_fd);
	return status;
}

void pw_child_release(struct pw_child *child)
{
	(void)pw_child_end(child);
	pw_buf_release(&child->log);
}

static const char *why_signal(int sig)
{
	switch (sig) {
	case SIGXCPU: return " (used more CPU time than allowed)";
	case SIGXFSZ: return " (wrote a larger file than allowed)";
	case SIGKILL: return " (killed from outside, perhaps for its memory)";
	default: return "";
	}
}

void pw_child_say_status(int status, struct pw_buf *out)
{
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);
		const char *name = sigabbrev_np(sig);
		if (name)
			pw_buf_printf(out, "was killed by SIG%s%s", name, why_signal(sig));
		else
			pw_buf_printf(out, "was killed by signal %d", sig);
	} else if (WEXITSTATUS(status)) {
		pw_buf_printf(out, "exited with status %d", WEXITSTATUS(status));
	} else {
		pw_buf_puts(out, "ended");
	}
}
