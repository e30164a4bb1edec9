/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_FIND_H
#define ENGINE_VANTAGE_FIND_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <packetwalk/err.h>

/* Finding a pod's network namespace and files on this machine, from /proc and the CNI result cache. */

#define PW_CNI_RESULTS "/var/lib/cni/results" /* libcni's cache: containernetworking/cni libcni/api.go */

/* Opens the network namespace of the pod with this UID (or static pod's config hash). PW_ABSENT if it is not here. */
int pw_find_pod_netns(const char *uid, const char *cni_results, int *ret_fd, struct pw_err *err);

/* Does the text of a /proc/PID/cgroup file name this pod? Pure. */
bool pw_cgroup_names_pod(const char *text, const char *uid);

/* Opens (O_PATH) the root folder of a process that lives in the network namespace `netns`: best one with files of its
 * own, of the pod `uid` if that is not NULL. only_pod: no other will do. -1 if there is none. */
int pw_find_root(const struct stat *netns, const char *uid, bool only_pod);

#endif
