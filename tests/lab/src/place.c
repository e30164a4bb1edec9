/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The processes that hold a lab's namespaces open; nothing here talks to a network.
 *
 *   lab-holder LAB_DIR           pid 1 of the lab. Everything the lab starts lives below it, so that the kernel removes
 *                                every process, mount and namespace of the lab when it dies.
 *   pause NAME ROOT [option …]   one place (a node, a host, a pod): its own network, mount and host name.
 *
 * ROOT is the place's private tree on the lab's tmpfs. ROOT/over/etc, ROOT/over/var/lib and ROOT/over/opt are laid over
 * the machine's directories with overlayfs, so a place has its own /etc without a copy; ROOT/run becomes /run. Options: --lab DIR (keep LAB_DIR visible although /run is replaced), --netns-of PID
 * (share that process's network: a hostNetwork pod).
 *
 * Both write one byte to fd 3 when ready and close it: whoever started them waits for that, never for time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_FD = 3 };

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *format, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(saved));
	exit(1);
}

__attribute__((format(printf, 2, 3)))
static const char *path_format(char buf[static PATH_MAX], const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(buf, PATH_MAX, format, ap);
	va_end(ap);
	if (n < 0 || n >= PATH_MAX) {
		errno = ENAMETOOLONG;
		die("path");
	}
	return buf;
}

static void make_dirs(const char *path)
{
	char buf[PATH_MAX];

	path_format(buf, "%s", path);
	for (char *p = buf + 1;; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		char saved = *p;
		*p = '\0';
		if (mkdir(buf, 0755) < 0 && errno != EEXIST)
			die("mkdir %s", buf);
		*p = saved;
		if (saved == '\0')
			return;
	}
}

static void must_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	if (mount(source, target, type, flags, data) < 0)
		die("mount %s on %s", type ? type : source, target);
}

static void tell_ready(void)
{
	if (write(READY_FD, "r", 1) < 0)
		die("readiness pipe");
	close(READY_FD);
}

/* Waits for ever, collecting orphans: in a pid namespace every daemon whose starter has left becomes pid 1's child. */
__attribute__((noreturn))
static void reap_for_ever(void)
{
	sigset_t children;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	for (;;) {
		int signal_number;

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sigwait(&children, &signal_number);
	}
}

/*
 * A new /run for the lab. LAB_DIR usually lies in the old one: it is opened first and bound back. Its file `side`, which
 * says "outside" on the machine, reads "inside" from here on; that is how LAB_DIR/enter knows where it was called.
 */
static int holder(int argc, char **argv)
{
	char from[PATH_MAX], to[PATH_MAX];
	int dir;

	if (argc != 2) {
		fprintf(stderr, "usage: lab-holder LAB_DIR\n");
		return 2;
	}
	must_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	dir = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die("open %s", argv[1]);
	must_mount("packetwalk-lab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
	make_dirs(argv[1]);
	must_mount(path_format(from, "/proc/self/fd/%d", dir), argv[1], NULL, MS_BIND, NULL);
	path_format(from, "%s/side.inside", argv[1]);
	must_mount(from, path_format(to, "%s/side", argv[1]), NULL, MS_BIND, NULL);
	must_mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	tell_ready();
	reap_for_ever();
}

static void lay_over(const char *root, const char *target)
{
	char upper[PATH_MAX], work[PATH_MAX], data[PATH_MAX];

	make_dirs(path_format(upper, "%s/over%s", root, target));
	make_dirs(path_format(work, "%s/work%s", root, target));
	path_format(data, "lowerdir=%s,upperdir=%s,workdir=%s", target, upper, work);
	must_mount("overlay", target, "overlay", 0, data);
}

struct place {
	const char *name, *root, *lab_dir, *netns_of;
};

static int place_parse(int argc, char **argv, struct place *place)
{
	if (argc < 3)
		return -1;
	place->name = argv[1];
	place->root = argv[2];
	for (int i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--lab") == 0)
			place->lab_dir = argv[i + 1];
		else if (strcmp(argv[i], "--netns-of") == 0)
			place->netns_of = argv[i + 1];
		else
			return -1;
	}
	return argc % 2 == 1 ? 0 : -1;
}

static void join_network_of(const char *pid)
{
	char path[PATH_MAX];
	int fd = open(path_format(path, "/proc/%s/ns/net", pid), O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die("network of process %s", pid);
	close(fd);
}

static int pause_place(int argc, char **argv)
{
	static const char *const layered[] = {"/etc", "/var/lib", "/opt"};
	struct place place = {0};
	char path[PATH_MAX];

	if (place_parse(argc, argv, &place) < 0) {
		fprintf(stderr, "usage: pause NAME ROOT [--lab DIR] [--netns-of PID]\n");
		return 2;
	}
	if (place.netns_of)
		join_network_of(place.netns_of);
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | (place.netns_of ? 0 : CLONE_NEWNET)) < 0)
		die("unshare");
	if (sethostname(place.name, strlen(place.name)) < 0)
		die("sethostname %s", place.name);
	must_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	must_mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	for (size_t i = 0; i < sizeof layered / sizeof layered[0]; i++)
		lay_over(place.root, layered[i]);
	path_format(path, "%s/run", place.root);
	make_dirs(path);
	if (place.lab_dir && strncmp(place.lab_dir, "/run/", 5) == 0) {
		path_format(path, "%s%s", place.root, place.lab_dir);
		make_dirs(path);
		must_mount(place.lab_dir, path, NULL, MS_BIND | MS_REC, NULL);
	}
	path_format(path, "%s/run", place.root);
	must_mount(path, "/run", NULL, MS_BIND | MS_REC, NULL);
	signal(SIGTERM, SIG_DFL);
	tell_ready();
	reap_for_ever();
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *self = slash ? slash + 1 : argv[0];

	return strcmp(self, "lab-holder") == 0 ? holder(argc, argv) : pause_place(argc, argv);
}
