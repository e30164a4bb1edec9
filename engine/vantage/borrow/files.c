/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of a container, read by its shell, and shown to the check as if they were those of its vantage. */
#include "tools.h"

#include <string.h>

#include <dataplane/nl.h>
#include <packetwalk/cleanup.h>

#include "../ctx_priv.h"

enum { FILES_MAX = 256 << 10 };

/* Builtins only. A path after a question mark is not read: that it is there is all. */
static const char script[] =
	"for f in \"$@\"; do\n"
	"	case $f in\n"
	"	\\?*) f=${f#?}; [ -e \"$f\" ] && printf '=%s\\n' \"$f\"; continue ;;\n"
	"	esac\n"
	"	[ -f \"$f\" ] && [ -r \"$f\" ] || continue\n"
	"	printf '=%s\\n' \"$f\"\n"
	"	while IFS= read -r l || [ -n \"$l\" ]; do printf '>%s\\n' \"$l\"; done <\"$f\"\n"
	"done";

/* "=PATH" begins a file, ">TEXT" is a line of it. */
static void take(struct pw_ctx *ctx, const char *text, struct pw_val *files)
{
	PW_CLEAN_BUF struct pw_buf whole;
	const char *path = NULL;
	pw_buf_init(&whole, FILES_MAX);
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		if (*line == '=') {
			if (path)
				pw_map_set_str(files, path, pw_buf_str(&whole));
			path = pw_arena_strndup(pw_ctx_arena(ctx), line + 1, len - 1);
			pw_buf_clear(&whole);
		} else if (*line == '>') {
			pw_buf_add(&whole, line + 1, len - 1);
			pw_buf_putc(&whole, '\n');
		}
		line += len + (line[len] == '\n');
	}
	if (path)
		pw_map_set_str(files, path, pw_buf_str(&whole));
}

static int borrow(struct pw_ctx *ctx, struct pw_tools *tools, const char *text, const char *const *args, struct pw_err *err)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, FILES_MAX);
	int rc = pw_tools_script(tools, text, args, 0, &out, err);
	if (rc < 0)
		return rc;
	struct pw_val *files = pw_val_map(ctx->arena);
	take(ctx, pw_buf_str(&out), files);
	ctx->files = files;
	return pw_arena_failed(ctx->arena) ? pw_err_set(err, PW_NOMEM, "no memory for files of a container") : PW_OK;
}

int pw_borrow_files(struct pw_ctx *ctx, struct pw_tools *tools, const char *const *paths, struct pw_err *err)
{
	return borrow(ctx, tools, script, paths, err);
}

/* Headers, listeners (state 0A) and datagram sockets (07): a busy server has thousands of others. */
static const char sockets_script[] =
	"for f in tcp tcp6 udp udp6; do\n"
	"	[ -r /proc/net/$f ] || continue\n"
	"	printf '=%s%s\n' \"$1\" $f\n"
	"	while IFS= read -r l; do\n"
	"		case $l in *local_address*|*' 0A '*|*' 07 '*) printf '>%s\n' \"$l\" ;; esac\n"
	"	done </proc/net/$f\n"
	"done";

int pw_borrow_listeners(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *ret, struct pw_err *err)
{
	const char *const args[] = { PW_PROC_NET, NULL };
	int rc = borrow(ctx, tools, sockets_script, args, err);
	if (rc == PW_OK && !pw_map_get(ctx->files, PW_PROC_NET "tcp"))
		rc = pw_err_set(err, PW_UNSUPPORTED, "the sockets of %s cannot be read in it: an agent on its node would", ctx->vantage);
	return rc < 0 ? rc : pw_read_listeners_borrowed(ctx, ret, err);
}
