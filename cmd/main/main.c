/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dispatch: the first word names the command; without one, the wizard. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app.h"

/* A closed standard descriptor would be given to the next file opened, and what we print would end up in it.
 * In its place goes one that cannot be used, so that using it is an error that is seen. */
static void hold_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			(void)open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

static int print_version(void)
{
	static const char text[] = "packetwalk " PW_VERSION "\n";
	if (write(STDOUT_FILENO, text, sizeof text - 1) == (ssize_t)(sizeof text - 1) && close(STDOUT_FILENO) == 0)
		return PW_EXIT_HEALTHY;
	(void)fputs("packetwalk: error: cannot write to standard output\n", stderr);
	return PW_EXIT_ENVIRONMENT;
}

static int run(const struct pw_cmd *cmd, int argc, char **argv)
{
	struct pw_app app;
	if (pw_app_init(&app, cmd)) {
		(void)fputs("packetwalk: error: out of memory\n", stderr);
		return PW_EXIT_ENVIRONMENT;
	}
	int code = pw_app_parse(&app, argc, argv);
	if (code < 0)
		code = cmd->run(&app);
	pw_app_close_probes(&app);
	code = pw_app_finish(&app, code);
	pw_app_release(&app);
	return code;
}

/* The first word that is no option, when no command is named: reported with the nearest command. */
static int unknown(const char *word)
{
	const char *names[128];
	size_t n = 0;
	for (size_t i = 0; pw_cmd_registry[i] && n < sizeof names / sizeof *names; i++)
		names[n++] = pw_cmd_registry[i]->name;
	struct pw_app app;
	if (pw_app_init(&app, pw_cmd_find("help")))
		return PW_EXIT_ENVIRONMENT;
	int code = pw_fail_unknown(&app, "command", word, names, n);
	pw_note(&app, "'packetwalk help' lists the commands");
	pw_app_release(&app);
	return code;
}

/* Options may stand before the command: the command is the first word that names one. */
static int dispatch(int argc, char **argv)
{
	if (argc == 1)
		return run(pw_cmd_find("start"), 0, argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return run(pw_cmd_find("help"), argc - 2, argv + 2);
	for (int i = 1; i < argc; i++) {
		const struct pw_cmd *cmd = argv[i][0] == '-' ? NULL : pw_cmd_find(argv[i]);
		if (!cmd && argv[i][0] != '-' && i == 1)
			return unknown(argv[i]);
		if (!cmd)
			continue;
		memmove(argv + 2, argv + 1, (size_t)(i - 1) * sizeof *argv);
		return run(cmd, argc - 2, argv + 2);
	}
	return run(pw_cmd_find("start"), argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	if (argc < 1)
		return PW_EXIT_USAGE;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return print_version();
	hold_standard_fds();
	/* A reader that went away is an error of write, not a death: the session is still to be saved. */
	(void)signal(SIGPIPE, SIG_IGN);
	return dispatch(argc, argv);
}
