/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_SIGNALS_H
#define CMD_MAIN_SIGNALS_H

#include <stdbool.h>
#include <termios.h>

/*
 * SIGINT and SIGTERM as events: counted, and a descriptor becomes readable.
 * The one piece of process-wide state of this program; signals have no other.
 */
struct pw_signals {
	unsigned ints;      /* SIGINTs since the last pw_signals_take */
	bool again;         /* two of them within 2 s */
	bool term;          /* SIGTERM came; stays set */
	bool stop;          /* SIGTSTP came since the last take */
};

int pw_signals_start(void);           /* the descriptor to wait on, -1 if there are none left */
struct pw_signals pw_signals_take(void);
/* While nothing is to be saved and nobody waits on the descriptor: a signal ends the program at once. */
void pw_signals_at_once(bool on);
/* The terminal's settings to put back should the program die; NULL: nothing to put back. */
void pw_signals_terminal(const struct termios *settings);

#endif
