/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a file whole, with a ceiling. */
#include <doc/yaml.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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
