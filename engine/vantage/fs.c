/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files as the vantage sees them. Its owner may have put any symbolic link, FIFO or device in the way. */
#include <packetwalk/vantage_fs.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

#include "ctx_priv.h"

enum { RACE_TRIES = 8 }; /* openat2 answers EAGAIN when a rename runs against it: openat2(2) */

static int open_inside(int root_fd, const char *path)
{
	/* RESOLVE_IN_ROOT: "..", absolute links and the like stay inside; magic links lead anywhere, so none. */
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = -1;
	for (int i = 0; i < RACE_TRIES; i++) {
		fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

static int code_of(int sys)
{
	switch (sys) {
	case ENOENT: case ENOTDIR: return PW_ABSENT;
	case EACCES: case EPERM: case ELOOP: case EXDEV: return PW_DENIED;
	case ENOSYS: return PW_UNSUPPORTED;
	default: return PW_IO;
	}
}

/* A file that was borrowed, as a descriptor like any other. */
static int open_borrowed(const struct pw_ctx *ctx, const char *path, struct pw_err *err)
{
	const struct pw_val *text = pw_map_get(ctx->files, path);
	if (!text)
		return pw_err_set(err, PW_ABSENT, "%s is not among what was read of %s", path, ctx->vantage);
	size_t len = pw_val_text_len(text), at = 0;
	int fd = memfd_create("borrowed", MFD_CLOEXEC);
	while (fd >= 0 && at < len) {
		ssize_t n = write(fd, pw_val_text(text) + at, len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (fd >= 0 && at == len && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	int sys = errno;
	if (fd >= 0)
		(void)close(fd);
	return pw_err_sys(err, PW_IO, sys, "cannot keep %s of %s", path, ctx->vantage);
}

int pw_ctx_open(struct pw_ctx *ctx, const char *path, struct pw_err *err)
{
	struct stat st;
	if (ctx->files)
		return open_borrowed(ctx, path, err);
	if (ctx->root_fd < 0)
		return pw_err_set(err, PW_ABSENT, "cannot read %s of %s: %s", path, ctx->vantage, ctx->no_root);
	int fd = open_inside(ctx->root_fd, path);
	if (fd < 0)
		return pw_err_sys(err, code_of(errno), errno, "cannot open %s of %s", path, ctx->vantage);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return pw_err_set(err, PW_DENIED, "%s of %s is not a regular file", path, ctx->vantage);
}

int pw_ctx_read_file(struct pw_ctx *ctx, const char *path, struct pw_buf *out, struct pw_err *err)
{
	char data[4096];
	PW_CLEAN_CLOSE int fd = pw_ctx_open(ctx, path, err);
	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t n = read(fd, data, sizeof data);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pw_err_sys(err, PW_IO, errno, "cannot read %s of %s", path, ctx->vantage);
		if (n == 0)
			return PW_OK;
		pw_buf_add(out, data, (size_t)n);
		if (!pw_buf_ok(out))
			return pw_err_set(err, PW_NOMEM, "%s of %s is longer than %zu bytes", path, ctx->vantage, out->max);
	}
}
