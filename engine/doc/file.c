/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a file whole, with a ceiling; writing one that appears whole or not at all. */
#include <doc/yaml.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

static int code_of(int sys)
{
	if (sys == ENOENT || sys == ENOTDIR)
		return PW_ABSENT;
	return sys == EACCES || sys == EPERM ? PW_DENIED : PW_IO;
}

/* Never waits: a pipe or a device that only looks like a file is refused. */
static int open_regular(const char *path, int *ret_fd, struct pw_err *err)
{
	PW_CLEAN_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return pw_err_sys(err, code_of(errno), errno, "cannot open %s", path);
	if (S_ISDIR(st.st_mode))
		return pw_err_set(err, PW_IO, "cannot read %s: it is a directory, a file is wanted", path);
	if (!S_ISREG(st.st_mode))
		return pw_err_set(err, PW_IO, "cannot read %s: it is not a regular file (\"-\" reads standard input)", path);
	*ret_fd = fd;
	fd = -1;
	return PW_OK;
}

static int read_all(int fd, const char *name, size_t max, struct pw_buf *buf, struct pw_err *err)
{
	char chunk[16 * 1024];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pw_err_sys(err, PW_IO, errno, "cannot read %s", name);
		if (n == 0)
			return PW_OK;
		if ((size_t)n > max - buf->len)
			return pw_err_set(err, PW_SYNTAX, "cannot read %s: it is larger than the %zu bytes allowed", name, max);
		pw_buf_add(buf, chunk, (size_t)n);
		if (!pw_buf_ok(buf))
			return pw_err_set(err, PW_NOMEM, "out of memory while reading %s", name);
	}
}

int pw_file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct pw_err *err)
{
	bool from_stdin = !strcmp(path, "-");
	PW_CLEAN_CLOSE int opened = -1;
	PW_CLEAN_BUF struct pw_buf buf;
	pw_buf_init(&buf, max);
	int r = from_stdin ? PW_OK : open_regular(path, &opened, err);
	if (r == PW_OK)
		r = read_all(from_stdin ? STDIN_FILENO : opened, from_stdin ? "standard input" : path, max, &buf, err);
	if (r < 0)
		return r;
	size_t len = buf.len;
	char *text = pw_buf_take(&buf);
	if (!text)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading %s", path);
	*ret = text;
	*ret_len = len;
	return PW_OK;
}

/* ---- writing ---- */

int pw_write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* As open(2) would have made it. */
static mode_t without_umask(mode_t mode)
{
	mode_t mask = umask(0);
	(void)umask(mask);
	return mode & ~mask;
}

/* A rename is on the disk when its folder is. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	PW_CLEAN_CLOSE int fd = n > 0 && (size_t)n < sizeof folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return fd >= 0 && fsync(fd) == 0 ? 0 : -1;
}

static int fill(int fd, unsigned mode, const struct pw_buf *text, bool durable)
{
	if (pw_write_all(fd, pw_buf_str(text), text->len) != 0 || fchmod(fd, without_umask((mode_t)mode)) != 0)
		return -1;
	return durable ? fsync(fd) : 0;
}

int pw_file_write(const char *path, unsigned mode, const struct pw_buf *text, bool durable, struct pw_err *err)
{
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof temporary)
		return pw_err_set(err, PW_IO, "cannot write %s: the path is too long", path);
	if (!pw_buf_ok(text))
		return pw_err_set(err, PW_NOMEM, "cannot write %s: out of memory", path);
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot write %s", path);
	int rc = fill(fd, mode, text, durable), why = errno;
	if (close(fd) != 0 && rc == 0) {
		rc = -1;
		why = errno;
	}
	if (rc == 0 && (rename(temporary, path) != 0 || (durable && sync_folder(path) != 0))) {
		rc = -1;
		why = errno;
	}
	if (rc == 0)
		return PW_OK;
	(void)unlink(temporary);
	return pw_err_sys(err, PW_IO, why, "cannot write %s", path);
}
