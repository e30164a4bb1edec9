/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prompts by readline, in its callback form: the loop that waits is ours, so
 * that signals arrive as events and the terminal is always given back.
 */
#include "prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include <packetwalk/cleanup.h>

#include "session.h"
#include "signals.h"

#define HISTORY_KEPT 500

/* readline calls back without an argument: what the one prompt being asked needs. */
static struct {
	const struct pw_prompt *prompt;
	char *line;
	bool done, history_read;
} current;

static const struct { char key; const char *what; } keys[] = {
	{ 'b', "back to the step or question before" }, { 's', "skip this one" }, { 'r', "repeat the last step" },
	{ 'w', "why this is asked or done" }, { 'e', "the evidence of the last step" }, { 'c', "continue without asking" },
	{ 'q', "save and quit" },
};

static void take_line(char *line)
{
	current.line = line;
	current.done = true;
	rl_callback_handler_remove();
}

static char *next_candidate(const char *text, int state)
{
	static size_t at;
	if (!state)
		at = 0;
	for (size_t len = strlen(text); at < current.prompt->n_candidates;) {
		const char *candidate = current.prompt->candidates[at++];
		if (strncmp(candidate, text, len) == 0)
			return strdup(candidate);
	}
	return NULL;
}

static char **complete(const char *text, int start, int end)
{
	(void)start, (void)end;
	rl_attempted_completion_over = 1; /* never file names */
	return rl_completion_matches(text, next_candidate);
}

static const char *history_file(struct pw_app *app)
{
	const char *dir = pw_state_dir(app, "");
	return dir ? pw_arena_printf(app->arena, "%s/history", dir) : NULL;
}

static void remember(struct pw_app *app, const char *line)
{
	const char *file = history_file(app);
	if (!*line || !file)
		return;
	add_history(line);
	stifle_history(HISTORY_KEPT);
	if (write_history(file) == 0)
		(void)chmod(file, 0600);
}

static void set_up(struct pw_app *app)
{
	const char *file = current.history_read ? NULL : history_file(app);
	rl_outstream = stderr;
	rl_instream = stdin;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 1;
	rl_basic_word_break_characters = "";
	rl_completer_word_break_characters = (char *)"";
	rl_attempted_completion_function = complete;
	(void)rl_variable_bind("enable-bracketed-paste", "off"); /* its sequences would be output on a plain terminal */
	(void)rl_variable_bind("bell-style", "none");
	if (file)
		(void)read_history(file);
	current.history_read = true;
}

static void write_text(struct pw_app *app, const char *text) { pw_stream_write(&app->err, text, strlen(text)); }

/* Stopped by Ctrl-Z: the shell gets its terminal as it was, and the prompt is drawn again afterwards. */
static void stop_here(void)
{
	rl_deprep_terminal();
	(void)raise(SIGSTOP);
	rl_prep_terminal(1);
	rl_forced_update_display();
}

/* One line: 1 there is one in current.line (NULL at end of file), 0 quit, -1 terminated. */
static int read_line(struct pw_app *app)
{
	struct termios before;
	int wake = pw_signals_start(), rc = 1;
	bool cleared = false;
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 }, { wake, POLLIN, 0 } };
	struct pw_signals earlier = pw_signals_take();
	if (earlier.term || earlier.again)
		return earlier.term ? -1 : 0;
	if (tcgetattr(STDIN_FILENO, &before) == 0)
		pw_signals_terminal(&before);
	current.done = false;
	current.line = NULL;
	rl_callback_handler_install("> ", take_line);
	while (!current.done && rc == 1) {
		int n = poll(fds, wake >= 0 ? 2 : 1, -1);
		if (n < 0 && errno != EINTR)
			break;
		struct pw_signals got = pw_signals_take();
		if (got.term)
			rc = -1;
		else if (got.again || (got.ints && cleared))
			rc = 0;
		else if (got.stop)
			stop_here();
		else if (got.ints) {
			cleared = true;
			rl_replace_line("", 0);
			write_text(app, "\n(Ctrl-C again saves and quits)\n");
			rl_on_new_line();
			rl_forced_update_display();
		} else if (n > 0 && (fds[0].revents & (POLLIN | POLLHUP | POLLERR))) {
			cleared = false;
			rl_callback_read_char();
		}
	}
	if (!current.done)
		rl_callback_handler_remove();
	pw_signals_terminal(NULL);
	if (rc != 1 || !current.line)
		write_text(app, "\n");
	return rc;
}

static void say_question(struct pw_app *app, const struct pw_prompt *prompt)
{
	PW_CLEAN_BUF struct pw_buf line;
	pw_buf_init(&line, 65536);
	pw_buf_printf(&line, "%s", pw_paint(&app->err, "bold"));
	pw_buf_escaped(&line, prompt->question, strlen(prompt->question));
	pw_buf_puts(&line, pw_paint(&app->err, "off"));
	if (prompt->type)
		pw_buf_printf(&line, " (%s)", prompt->type);
	if (prompt->otherwise) {
		pw_buf_puts(&line, " [");
		pw_buf_escaped(&line, prompt->otherwise, strlen(prompt->otherwise));
		pw_buf_puts(&line, "]");
	}
	if (prompt->otherwise && prompt->from) {
		pw_buf_puts(&line, " ");
		pw_buf_escaped(&line, prompt->from, strlen(prompt->from));
	}
	pw_buf_puts(&line, "\n");
	write_text(app, pw_buf_str(&line));
}

static void say_help(struct pw_app *app, const struct pw_prompt *prompt)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, 65536);
	for (const char *at = prompt->help; at && *at;) { /* line by line: its own newlines stay */
		PW_CLEAN_BUF struct pw_buf clean;
		size_t len = strcspn(at, "\n");
		pw_buf_init(&clean, 65536);
		pw_buf_escaped(&clean, at, len);
		pw_wrap(&text, pw_buf_str(&clean), 2, app->err.width);
		at += len + (at[len] == '\n');
	}
	pw_buf_printf(&text, "  %s\n", prompt->otherwise ? "Enter takes what is in brackets; Tab completes." : "Tab completes.");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strchr(prompt->keys, keys[i].key))
			pw_buf_printf(&text, "  %c  %s\n", keys[i].key, keys[i].what);
	pw_buf_puts(&text, "  =TEXT  answers TEXT itself, should it be one of these letters\n");
	write_text(app, pw_buf_str(&text));
}

static char *trim(char *line)
{
	while (*line == ' ' || *line == '\t')
		line++;
	size_t len = strlen(line);
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		line[--len] = '\0';
	return line;
}

enum pw_prompted pw_prompt_ask(struct pw_app *app, const struct pw_prompt *prompt, const char **ret_text, char *ret_key)
{
	current.prompt = prompt;
	set_up(app);
	for (;;) {
		say_question(app, prompt);
		int rc = read_line(app);
		PW_CLEAN_FREE char *line = current.line;
		current.line = NULL;
		if (rc < 0)
			return PW_PROMPT_TERM;
		if (rc == 0 || !line)
			return rc == 0 ? PW_PROMPT_INT : PW_PROMPT_QUIT;
		const char *text = trim(line);
		if (strcmp(text, "?") == 0) {
			say_help(app, prompt);
			continue;
		}
		if (*text && !text[1] && strchr(prompt->keys, *text)) {
			*ret_key = *text;
			return PW_PROMPT_KEY;
		}
		if (!*text && !prompt->otherwise) {
			write_text(app, "  There is no default; ? explains.\n");
			continue;
		}
		if (prompt->remember)
			remember(app, text);
		*ret_text = pw_arena_strdup(app->arena, *text == '=' ? text + 1 : *text ? text : prompt->otherwise);
		return *ret_text ? PW_PROMPT_TEXT : PW_PROMPT_QUIT;
	}
}
