/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_CMD_H
#define CMD_MAIN_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include <packetwalk/buf.h>
#include <packetwalk/val.h>

#include "options.h"

/*
 * One subcommand = one file cmd/NAME.c that declares
 *
 *     const struct pw_cmd pw_cmd_NAME = { .name = "NAME", ... };
 *
 * Dispatch, help, man pages and completion derive from the declaration.
 * Only this folder prints: results on stdout, everything else on stderr.
 */

/* Exit codes, as docs promise them. */
enum pw_exit {
	PW_EXIT_HEALTHY = 0, PW_EXIT_FAULT = 1, PW_EXIT_USAGE = 2, PW_EXIT_PLAYBOOK = 3, PW_EXIT_INCONCLUSIVE = 4,
	PW_EXIT_ENVIRONMENT = 5, PW_EXIT_LAYER = 10, PW_EXIT_DEADLINE = 124, PW_EXIT_SIGINT = 130, PW_EXIT_SIGTERM = 143,
};

/* Sets of common options a command takes besides --help, --quiet, --verbose and --color. */
enum pw_opts_group {
	PW_OPTS_CLUSTER = 1,  /* where the objects come from: --kubeconfig, --context, -n, --cluster ... */
	PW_OPTS_PROBE = 2,    /* how checks run: --via, --jobs, --timeout, --plugin-dir */
	PW_OPTS_PLAY = 4,     /* where playbooks are found: --playbook-dir, --plugin-dir */
	PW_OPTS_RUN = 8,      /* a walk: --answers, --no-input, --max-effect, --record ... */
	PW_OPTS_OUTPUT = 16,  /* -o FORMAT[=FILE], repeatable */
};

struct pw_app;

struct pw_cmd {
	const char *name;
	const char *summary;                /* one line, no full stop */
	const char *usage;                  /* what follows "packetwalk NAME", one form per line; NULL: nothing */
	const char *details;                /* paragraphs, may be NULL */
	const char *const *examples;        /* command lines without the program name; NULL-terminated, may be NULL */
	const struct pw_opt *options;       /* its own, ended by a NULL name; may be NULL */
	unsigned groups;                    /* enum pw_opts_group bits */
	bool pairs;                         /* takes NAME=VALUE words: app->pairs */
	bool hidden;                        /* not in the list of commands */
	/* Options known only when the words are (a playbook's inputs): adds to `list`. May be NULL.
	 * `word` is the first word that is neither option nor pair, NULL if there is none. */
	void (*more)(struct pw_app *app, const char *word, struct pw_opt_list *list);
	int (*run)(struct pw_app *app);     /* the exit code */
};

/* Generated from the folder's files. NULL-terminated, by name. */
extern const struct pw_cmd *const pw_cmd_registry[];
const struct pw_cmd *pw_cmd_find(const char *name);

/* One of the two output streams, judged on its own. */
struct pw_stream {
	int fd;
	bool tty, color, utf8;
	unsigned width, height; /* columns and rows to use */
	int failed;             /* errno of the first write that failed; the rest is dropped */
};

/* One configuration file that was read. */
struct pw_config { const char *file; const struct pw_val *map; };
#define PW_CONFIG_FILES 3

struct pw_library;
struct pw_cluster;
struct pw_executor;
struct pw_creation;

/* What a command is given. Everything in it is released by main. */
struct pw_app {
	const struct pw_cmd *cmd;
	struct pw_arena *arena;        /* lives as long as the program */
	struct pw_args args;
	const char *const *words; size_t n_words; /* positionals, pairs taken out */
	struct pw_val *pairs;          /* map name -> text, of NAME=VALUE words and of options added by `more` */
	struct pw_stream out, err;
	struct pw_config config[PW_CONFIG_FILES]; size_t n_config; /* nearest first */
	struct pw_library *library;    /* see library.h; made at first use */
	struct pw_cluster *cluster;    /* made at first use */
	struct pw_executor *executor;  /* made at first use */
	struct pw_creation *creation;  /* what may be made to look from; with the executor, NULL: nothing */
	bool reported;                 /* an error was already printed */
};

/* Options: flags > PACKETWALK_NAME in the environment > ./.packetwalk/config.yaml > user > system configuration. */
const char *pw_app_opt(struct pw_app *app, const char *name);            /* NULL: set nowhere */
bool pw_app_flag(struct pw_app *app, const char *name);
size_t pw_app_opt_all(struct pw_app *app, const char *name, const char *const **ret); /* repeatable ones; array in the arena */
/* `otherwise` when set nowhere. PW_USAGE names where the bad value came from. */
int pw_app_number(struct pw_app *app, const char *name, unsigned otherwise, unsigned max, unsigned *ret, struct pw_err *err);
int pw_app_duration(struct pw_app *app, const char *name, unsigned otherwise_ms, unsigned *ret_ms, struct pw_err *err);
bool pw_app_verbose(struct pw_app *app);
bool pw_app_quiet(struct pw_app *app);
/* The `inputs:` map of the configuration files for one name: its text and the file, NULL if none. */
const char *pw_app_config_input(struct pw_app *app, const char *name, const char **ret_file);

/* Output. Text from outside must have been through pw_buf_escaped. */
void pw_out_buf(struct pw_app *app, const struct pw_buf *text);                 /* result: stdout */
void pw_outf(struct pw_app *app, const char *fmt, ...) PW_PRINTF(2, 3);         /* result: stdout */
void pw_note(struct pw_app *app, const char *fmt, ...) PW_PRINTF(2, 3);         /* progress: stderr, a line, not with -q */
void pw_detail(struct pw_app *app, const char *fmt, ...) PW_PRINTF(2, 3);       /* stderr, a line, only with -v */
void pw_stream_write(struct pw_stream *stream, const char *text, size_t len);
const char *pw_paint(const struct pw_stream *stream, const char *what);         /* "bold", "red", "off" ...; "" without colour */

/* Errors: printed once, on stderr. Return the exit code to end with. */
int pw_fail(struct pw_app *app, int exit_code, const char *fmt, ...) PW_PRINTF(3, 4);
int pw_fail_err(struct pw_app *app, int exit_code, const struct pw_err *err);   /* exit_code 0: by the error's code */
/* "unknown playbook 'x'; did you mean 'y'?", exit 2. */
int pw_fail_unknown(struct pw_app *app, const char *kind, const char *word, const char *const *names, size_t n);

/* The cluster by the options given; opened once, no network yet. */
int pw_app_cluster(struct pw_app *app, struct pw_cluster **ret, struct pw_err *err);
/* The same for commands with an option --manifests DIR of their own, which goes first. */
int pw_app_manifests(struct pw_app *app, struct pw_cluster **ret, struct pw_err *err);
void pw_app_notes(struct pw_app *app, const struct pw_cluster *cluster); /* says which files were passed over */
/* The executor by the options given; made once. */
int pw_app_executor(struct pw_app *app, struct pw_executor **ret, struct pw_err *err);
/* The options that tell kubectl the same cluster, NULL-terminated; NULL: out of memory. */
const char *const *pw_app_kubectl(struct pw_app *app);
/* The program and options that mean this cluster now and later, from wherever they are run: for what is written down. */
const char *const *pw_app_kubectl_argv(struct pw_app *app);
/* Whether a person can be asked: stdin and stderr are terminals and --no-input is not set. */
bool pw_app_interactive(struct pw_app *app);

/* -o FORMAT[=FILE] for commands with a few formats of their own: the one asked, checked against `names`. */
int pw_app_format(struct pw_app *app, const char *const *names, const char **ret, struct pw_err *err);

/* Help of one command, or the overview when `cmd` is NULL. */
void pw_help_write(struct pw_app *app, const struct pw_cmd *cmd, struct pw_buf *out);
/* The option tables of a command, its own first, then its groups, then those all have. */
size_t pw_cmd_tables(const struct pw_cmd *cmd, const struct pw_opt **tables, const char **titles, size_t max);

/* Paragraph text folded at `width`, every line indented. */
void pw_wrap(struct pw_buf *out, const char *text, unsigned indent, unsigned width);

#endif
