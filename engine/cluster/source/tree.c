/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A walk over the files of a directory tree that follows no links. */
#include <cluster/source/tree.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <packetwalk/buf.h>

#define MAX_DEPTH 16        /* folders below folders */
#define MAX_FILES 100000    /* of one tree, folders included */
#define MAX_PATH_LEN 4095   /* PATH_MAX without its NUL */

struct walk {
	int (*fn)(void *arg, const char *path, struct pw_err *err);
	void *arg;
	struct pw_buf path;
	size_t seen;
	struct pw_err *err;
};

struct names { char **v; size_t n, cap; };

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
}

static int names_add(struct names *names, const char *name)
{
	if (names->n == names->cap) {
		size_t cap = names->cap ? names->cap * 2 : 64;
		char **v = realloc(names->v, cap * sizeof(*v));

		if (!v)
			return PW_NOMEM;
		names->v = v;
		names->cap = cap;
	}
	names->v[names->n] = strdup(name);
	if (!names->v[names->n])
		return PW_NOMEM;
	names->n++;
	return PW_OK;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_names(struct walk *walk, DIR *dir, struct names *ret)
{
	const char *path = pw_buf_str(&walk->path);
	struct dirent *entry;

	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (++walk->seen > MAX_FILES)
			return pw_err_set(walk->err, PW_NOMEM, "more than %d files at %s", MAX_FILES, path);
		if (names_add(ret, entry->d_name) != PW_OK)
			return pw_err_set(walk->err, PW_NOMEM, "out of memory while listing %s", path);
		errno = 0;
	}
	if (errno)
		return pw_err_sys(walk->err, PW_IO, errno, "cannot list %s", path);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_names);
	return PW_OK;
}

static int walk_dir(struct walk *walk, int fd, unsigned depth);

/* One entry of the folder `fd`; walk->path already names it. */
static int walk_entry(struct walk *walk, int fd, const char *name, unsigned depth)
{
	struct stat st;
	int child;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return PW_OK; /* went away meanwhile */
	if (S_ISREG(st.st_mode))
		return walk->fn(walk->arg, pw_buf_str(&walk->path), walk->err);
	if (!S_ISDIR(st.st_mode) || depth >= MAX_DEPTH)
		return PW_OK;
	child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0)
		return pw_err_sys(walk->err, PW_IO, errno, "cannot open %s", pw_buf_str(&walk->path));
	return walk_dir(walk, child, depth + 1);
}

static int walk_names(struct walk *walk, int fd, const struct names *names, unsigned depth)
{
	int rc = PW_OK;

	for (size_t i = 0; i < names->n && rc == PW_OK; i++) {
		size_t before = walk->path.len;

		pw_buf_putc(&walk->path, '/');
		pw_buf_puts(&walk->path, names->v[i]);
		if (!pw_buf_ok(&walk->path))
			return pw_err_set(walk->err, PW_NOMEM, "a path below %.200s is too long", pw_buf_str(&walk->path));
		rc = walk_entry(walk, fd, names->v[i], depth);
		walk->path.len = before;
		walk->path.data[before] = '\0';
	}
	return rc;
}

/* Takes fd. */
static int walk_dir(struct walk *walk, int fd, unsigned depth)
{
	struct names names = { NULL, 0, 0 };
	DIR *dir = fdopendir(fd);
	int rc;

	if (!dir) {
		rc = pw_err_sys(walk->err, PW_IO, errno, "cannot list %s", pw_buf_str(&walk->path));
		(void)close(fd);
		return rc;
	}
	rc = read_names(walk, dir, &names);
	if (rc == PW_OK)
		rc = walk_names(walk, dirfd(dir), &names, depth);
	names_release(&names);
	(void)closedir(dir);
	return rc;
}

int pw_tree_walk(const char *root, int (*fn)(void *arg, const char *path, struct pw_err *err), void *arg, struct pw_err *err)
{
	struct walk walk = { .fn = fn, .arg = arg, .err = err };
	struct stat st;
	int fd, rc;

	/* The root itself may be a link: the user named it. */
	if (stat(root, &st) < 0)
		return pw_err_sys(err, errno == ENOENT ? PW_ABSENT : PW_IO, errno, "cannot open %s", root);
	if (S_ISREG(st.st_mode))
		return fn(arg, root, err);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot open %s", root);
	pw_buf_init(&walk.path, MAX_PATH_LEN);
	pw_buf_puts(&walk.path, root);
	if (pw_buf_ok(&walk.path)) {
		rc = walk_dir(&walk, fd, 0);
	} else {
		(void)close(fd);
		rc = pw_err_set(err, PW_NOMEM, "the path %.100s... is too long", root);
	}
	pw_buf_release(&walk.path);
	return rc;
}
