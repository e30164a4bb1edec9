/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_PROC_UTIL_H
#define TESTS_UNIT_PROC_UTIL_H

#include <poll.h>

#include <base/text.h>
#include <proc/child.h>

/* Until the child has ended, or for so long. */
static inline void wait_end(const struct pw_child *child, int patience_ms)
{
	struct pollfd fd = { .fd = child->pid_fd, .events = POLLIN };
	for (int64_t left, end = pw_mono_ms() + patience_ms; !pw_child_ended(child) && (left = end - pw_mono_ms()) > 0;)
		(void)poll(&fd, 1, (int)left);
}

#endif
