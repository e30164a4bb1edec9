/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk agent: the far end of a transport, on a node. */
#include "main/cmd.h"

#include <signal.h>
#include <unistd.h>

#include <vantage/executor.h>

#include "main/library.h"

/* The life of a container that agents are started in; sigwait() takes a stop that came before, too. */
static int stay(void)
{
	int signal;
	sigset_t stops;
	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stops, NULL);
	(void)sigwait(&stops, &signal);
	return PW_EXIT_HEALTHY;
}

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	if (pw_app_flag(app, "stay"))
		return stay();
	struct pw_library *library = pw_app_library(app);
	if (!library)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (isatty(STDIN_FILENO) == 1)
		return pw_fail(app, PW_EXIT_USAGE, "the agent speaks a binary protocol on standard input and output; --via starts it");
	struct pw_executor_config config = { .find_check = pw_library_find_check, .find_arg = library };
	if (pw_app_number(app, "jobs", 0, 256, &config.jobs, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	if (pw_agent_serve(STDIN_FILENO, STDOUT_FILENO, &config, &err))
		return pw_fail_err(app, PW_EXIT_ENVIRONMENT, &err);
	return PW_EXIT_HEALTHY;
}

static const struct pw_opt options[] = {
	{ "stay", 0, NULL, "answer nothing, stay until stopped: what a pod does that agents are started in", PW_OPT_LOCAL },
	{ NULL, 0, NULL, NULL, 0 },
};

const struct pw_cmd pw_cmd_agent = {
	.name = "agent", .summary = "run checks for a packetwalk elsewhere (started by --via)",
	.details = "Reads framed requests from standard input and writes framed observations to standard output until end of file. "
		   "It starts no network service and keeps nothing.",
	.options = options, .run = run, .groups = PW_OPTS_PROBE,
};
