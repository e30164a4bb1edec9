/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROC_CHILD_H
#define ENGINE_PROC_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <packetwalk/buf.h>
#include <packetwalk/err.h>

/*
 * One child process: a C function of this program, or another program by argv.
 * It has a process group of its own (unless same_group), no stdin, its stderr captured, limits,
 * no file descriptor but 0..2 (and the result pipe), default signals, and it
 * dies with its parent. The caller polls out_fd, err_fd and pid_fd, and ends
 * it with pw_child_end, which kills whatever is left of the group and reaps.
 */

#define PW_CHILD_LOG_MAX 4096u   /* bytes of stderr kept; the rest is read and dropped */

struct pw_child_spec {
	/* Either: a function. It writes its result to out_fd; what it prints goes to the log. Its return value
	 * is the exit status. SIGPIPE is ignored in it, so that a broken peer is EPIPE and not a death. */
	int (*run)(void *arg, int out_fd);
	void *arg;
	/* Or: a program. argv[0] is found in `path` (a search path; NULL: the standard folders), or has a slash. */
	const char *const *argv;
	const char *const *envp;   /* NULL: PATH and LC_ALL=C only */
	const char *path;
	bool stdin_pipe;           /* in_fd is its stdin; else it has /dev/null */
	bool merge_stderr;         /* program: stderr goes where stdout goes */
	bool same_group;           /* stay in the caller's process group: for the programs a child runs, so that killing
				    * the child's group ends them and all they started */
	size_t max_memory;         /* address space on top of what is mapped at the fork, in bytes; 0: no limit. Ignored under ASan */
	size_t max_file;           /* largest file it may write, in bytes; 0: no limit */
	unsigned max_files;        /* open file descriptors; 0: no limit */
	unsigned cpu_s;            /* CPU seconds; 0: no limit */
};

struct pw_child {
	pid_t pid;                 /* 0: none */
	int pid_fd;                /* readable when it may have ended: pw_child_ended knows */
	int in_fd;                 /* its stdin (non-blocking), -1 */
	int out_fd;                /* its result or stdout (non-blocking), -1 at end of file */
	int err_fd;                /* its stderr (non-blocking), -1 at end of file */
	bool same_group;
	struct pw_buf log;         /* what it said on stderr, as it said it: escape before display */
};

#define PW_CHILD_INIT { 0, -1, -1, -1, -1, false, {NULL, 0, 0, 0, 0} }

/* PW_IO when there are no more processes or descriptors; PW_ABSENT when the program is not found. */
int pw_child_start(const struct pw_child_spec *spec, struct pw_child *ret, struct pw_err *err);

/* Reads what stderr has to say now, and closes it at its end. */
void pw_child_read_log(struct pw_child *child);

/* Has it ended? Does not reap. */
bool pw_child_ended(const struct pw_child *child);

/* Kills what is left of the group, reaps, closes. Returns the wait status. Fine on a child never started (0). */
int pw_child_end(struct pw_child *child);

/* pw_child_end and the log's memory. */
void pw_child_release(struct pw_child *child);

/* "was killed by SIGSEGV", "exited with status 3", "ended", for people. */
void pw_child_say_status(int status, struct pw_buf *out);

/*
 * Runs a program to its end and collects its output: for children that need
 * the help of one (iptables-save, nft, a plugin's script). Stays in the
 * caller's process group. PW_TIMEOUT after timeout_ms; PW_NOMEM when it wrote
 * more than `out` may hold; a non-zero exit is no error: see *ret_status.
 */
int pw_child_collect(const char *const *argv, const char *const *envp, const char *path, unsigned timeout_ms,
		     struct pw_buf *out, struct pw_buf *log, int *ret_status, struct pw_err *err);

/* The same for one that reads. */
struct pw_collect {
	const char *const *argv, *const *envp;
	const char *path;
	unsigned timeout_ms;
	const char *input; size_t n_input; /* its stdin, all of it; NULL: it has none */
	bool own_group;                    /* not the caller's process group: a Ctrl-C at the terminal does not end it */
};
int pw_child_converse(const struct pw_collect *how, struct pw_buf *out, struct pw_buf *log, int *ret_status, struct pw_err *err);

/* Where execvp would find `name`, into `out`: an executable file in the colon-separated `path` (NULL: the
 * standard folders, sbin included). PW_ABSENT if nowhere. */
int pw_program_find(const char *name, const char *path, char *out, size_t size, struct pw_err *err);

#endif
