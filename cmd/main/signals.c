/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals become a byte in a pipe and a few counters; everything else happens outside of the handler. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_MS 2000 /* a second SIGINT within this means it */

static struct {
	int pipe[2];
	volatile sig_atomic_t ints, again, term, stop, at_once, have_terminal;
	volatile sig_atomic_t last_s, last_ms; /* of the last SIGINT, CLOCK_MONOTONIC */
	struct termios terminal;
} state = { .pipe = { -1, -1 } };

static void restore_terminal(void)
{
	if (state.have_terminal)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &state.terminal);
}

static void note_int(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* async-signal-safe: signal-safety(7) */
	long ms = (long)(now.tv_sec - state.last_s) * 1000 + now.tv_nsec / 1000000 - state.last_ms;
	if (state.last_s && ms < AGAIN_MS)
		state.again = 1;
	state.last_s = (sig_atomic_t)now.tv_sec;
	state.last_ms = (sig_atomic_t)(now.tv_nsec / 1000000);
	state.ints = state.ints + 1;
}

static void handle(int number)
{
	int saved = errno;
	if (state.at_once && number != SIGTSTP) {
		restore_terminal();
		_exit(128 + number);
	}
	if (number == SIGINT)
		note_int();
	else if (number == SIGTSTP)
		state.stop = 1;
	else
		state.term = 1;
	(void)!write(state.pipe[1], "", 1);
	errno = saved;
}

/* The program is about to die: leave the terminal as it was found. */
static void handle_fatal(int number)
{
	restore_terminal();
	(void)raise(number); /* with the default action: SA_RESETHAND */
}

int pw_signals_start(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction action = { .sa_handler = handle };
	if (state.pipe[0] >= 0)
		return state.pipe[0];
	if (pipe2(state.pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	action.sa_handler = handle_fatal;
	action.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		(void)sigaction(fatal[i], &action, NULL);
	return state.pipe[0];
}

struct pw_signals pw_signals_take(void)
{
	char drop[64];
	while (state.pipe[0] >= 0 && read(state.pipe[0], drop, sizeof drop) > 0)
		;
	struct pw_signals taken = { (unsigned)state.ints, state.again != 0, state.term != 0, state.stop != 0 };
	state.ints = 0;
	state.again = 0;
	state.stop = 0;
	return taken;
}

void pw_signals_at_once(bool on) { state.at_once = on; }

void pw_signals_terminal(const struct termios *settings)
{
	struct sigaction action = { .sa_handler = settings ? handle : SIG_DFL };
	state.have_terminal = 0;
	if (settings) {
		state.terminal = *settings;
		state.have_terminal = 1;
	}
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGTSTP, &action, NULL);
}
