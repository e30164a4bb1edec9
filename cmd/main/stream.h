/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_STREAM_H
#define CMD_MAIN_STREAM_H

#include "cmd.h"

/* `color`: what --color says, NULL for auto. Wants setlocale to have been called. */
void pw_stream_init(struct pw_stream *stream, int fd, const char *color);

#endif
