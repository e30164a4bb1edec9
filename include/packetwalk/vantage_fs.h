/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_VANTAGE_FS_H
#define PACKETWALK_VANTAGE_FS_H

#include <packetwalk/buf.h>
#include <packetwalk/ctx.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * Files as the vantage sees them: /etc/resolv.conf of a pod is that of its
 * mount namespace, not of the machine packetwalk runs on.
 */

/* Opens `path` (absolute) read-only; symbolic links, even hostile ones, stay inside the vantage's root. Returns a
 * close-on-exec descriptor of a regular file, or PW_ABSENT (no such file, or the vantage has no process whose files
 * could be seen), PW_DENIED, PW_UNSUPPORTED (Linux before 5.6), PW_IO. Never waits on a FIFO or device. */
int pw_ctx_open(struct pw_ctx *ctx, const char *path, struct pw_err *err);

/* The same, read whole into `out`, whose ceiling bounds it: PW_NOMEM if the file is longer. */
int pw_ctx_read_file(struct pw_ctx *ctx, const char *path, struct pw_buf *out, struct pw_err *err);

#pragma GCC visibility pop

#endif
