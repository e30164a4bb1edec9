/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sysctls of this namespace; /proc/sys/net follows the calling thread. */
#include <packetwalk/dataplane.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>

/* "net.ipv4.conf.flannel/1.rp_filter" -> ".../conf/flannel.1/rp_filter", as sysctl(8) writes interface names with dots. */
static bool path_of(const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "/proc/sys/%s", name);
	if (n < 0 || (size_t)n >= size || strstr(name, "..") || strchr(name, '/') == name)
		return false;
	for (char *p = out + strlen("/proc/sys/"); *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return true;
}

int pw_read_sysctls(struct pw_ctx *ctx, const char *const *names, size_t n, struct pw_val *ret, struct pw_err *err)
{
	struct pw_val *map = pw_map_set_map(ret, "sysctls");
	for (size_t i = 0; i < n; i++) {
		char path[256], value[256];
		if (!path_of(names[i], path, sizeof path))
			return pw_err_set(err, PW_USAGE, "\"%s\" is not the name of a sysctl", names[i]);
		PW_CLEAN_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
			continue;
		ssize_t len = fd < 0 ? -1 : read(fd, value, sizeof value - 1);
		if (len < 0)
			return pw_err_sys(err, PW_IO, errno, "reading %s", path);
		value[len] = '\0';
		value[strcspn(value, "\n")] = '\0';
		pw_map_set_str(map, names[i], value);
	}
	return pw_arena_failed(pw_ctx_arena(ctx)) ? pw_err_set(err, PW_NOMEM, "reading sysctls: out of memory") : PW_OK;
}
