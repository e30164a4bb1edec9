/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two output streams. Each is judged on its own: one may be a terminal
 * and the other a file. Writes go straight to the descriptor, so that an
 * error is seen where it happens and nothing is lost in a buffer.
 */
#include "stream.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <base/text.h>

#define WIDTH_OTHERWISE 80
#define WIDTH_LEAST 40
#define WIDTH_MOST 120 /* longer lines are hard to read */
#define HEIGHT_OTHERWISE 24

static bool wants_color(const struct pw_stream *stream, const char *when)
{
	if (when && strcmp(when, "always") == 0)
		return true;
	if (when && strcmp(when, "never") == 0)
		return false;
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return stream->tty && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static void measure(struct pw_stream *stream)
{
	struct winsize size = { 0, 0, 0, 0 };
	unsigned long long columns = 0;
	const char *env = getenv("COLUMNS");
	stream->width = WIDTH_OTHERWISE;
	stream->height = HEIGHT_OTHERWISE;
	if (stream->tty && ioctl(stream->fd, TIOCGWINSZ, &size) == 0) {
		columns = size.ws_col;
		if (size.ws_row)
			stream->height = size.ws_row;
	}
	if (!columns && env)
		(void)pw_parse_uint(env, 10000, &columns);
	if (columns)
		stream->width = columns < WIDTH_LEAST ? WIDTH_LEAST : columns > WIDTH_MOST ? WIDTH_MOST : (unsigned)columns;
}

void pw_stream_init(struct pw_stream *stream, int fd, const char *color)
{
	memset(stream, 0, sizeof *stream);
	stream->fd = fd;
	stream->tty = isatty(fd) == 1;
	stream->color = wants_color(stream, color);
	stream->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	measure(stream);
}

void pw_stream_write(struct pw_stream *stream, const char *text, size_t len)
{
	while (len && !stream->failed) {
		ssize_t n = write(stream->fd, text, len);
		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd wait = { stream->fd, POLLOUT, 0 };
			(void)poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			stream->failed = errno;
		}
	}
}

const char *pw_paint(const struct pw_stream *stream, const char *what)
{
	static const struct { const char *word, *code; } codes[] = {
		{ "off", "\033[0m" }, { "bold", "\033[1m" }, { "dim", "\033[2m" }, { "red", "\033[31m" },
		{ "green", "\033[32m" }, { "yellow", "\033[33m" }, { "blue", "\033[34m" }, { "cyan", "\033[36m" },
	};
	for (size_t i = 0; stream->color && i < sizeof codes / sizeof *codes; i++)
		if (strcmp(codes[i].word, what) == 0)
			return codes[i].code;
	return "";
}
