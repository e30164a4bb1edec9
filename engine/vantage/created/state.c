/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the API says of a pod that is to run: how far it is, or that it never will, and why. */
#include "made.h"

#include <string.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>

enum { SAID_MAX = 240 }; /* bytes of a message repeated */

static void add(struct pw_buf *say, const char *reason, const char *message)
{
	size_t len = strlen(message);
	pw_buf_escaped(say, reason, strlen(reason));
	if (!len)
		return;
	pw_buf_puts(say, *reason ? ": " : "");
	pw_buf_escaped(say, message, len < SAID_MAX ? len : SAID_MAX);
	if (len > SAID_MAX)
		pw_buf_puts(say, "...");
}

/* Reasons the kubelet gives that no waiting changes. A failed pull is none: the registry may come back. */
static bool is_final(const char *reason)
{
	static const char *const reasons[] = { "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError", "RunContainerError" };
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (!strcmp(reason, reasons[i]))
			return true;
	return false;
}

static enum pw_made_state ended(const struct pw_val *status, const struct pw_val *terminated, struct pw_buf *say)
{
	const char *reason = pw_map_str(status, "reason", ""), *message = pw_map_str(status, "message", "");
	if (!*reason && !*message && terminated) {
		pw_buf_printf(say, "its container ended with status %lld, ", pw_map_int(terminated, "exitCode", -1));
		reason = pw_map_str(terminated, "reason", "");
		message = pw_map_str(terminated, "message", "");
	}
	add(say, *reason || *message ? reason : "it ended", message);
	return PW_MADE_FAILED;
}

enum pw_made_state pw_made_state(const struct pw_val *pod, struct pw_buf *say)
{
	const struct pw_val *status = pw_map_get(pod, "status"), *state = pw_val_get(status, "containerStatuses.0.state");
	const struct pw_val *waiting = pw_map_get(state, "waiting"), *terminated = pw_map_get(state, "terminated");
	const char *phase = pw_map_str(status, "phase", ""), *reason = pw_map_str(waiting, "reason", "");
	if (!strcmp(phase, "Failed") || !strcmp(phase, "Succeeded") || terminated)
		return ended(status, terminated, say);
	if (pw_map_get(pw_map_get(pod, "metadata"), "deletionTimestamp")) {
		pw_buf_puts(say, "somebody deletes it");
		return PW_MADE_FAILED;
	}
	if (!strcmp(phase, "Running") && pw_map_get(state, "running"))
		return PW_MADE_RUNS;
	if (!state) {
		pw_buf_puts(say, "the kubelet of its node has not taken it up");
		return PW_MADE_WAITS;
	}
	add(say, *reason ? reason : "waiting", pw_map_str(waiting, "message", ""));
	return is_final(reason) ? PW_MADE_FAILED : PW_MADE_WAITS;
}

bool pw_made_may_serve(const struct pw_val *pod, int64_t now)
{
	const struct pw_val *status = pw_map_get(pod, "status"), *meta = pw_map_get(pod, "metadata");
	const char *phase = pw_map_str(status, "phase", "");
	int64_t began = pw_parse_rfc3339(pw_map_str(status, "startTime", pw_map_str(meta, "creationTimestamp", "")));
	long long most = pw_map_int(pw_map_get(pod, "spec"), "activeDeadlineSeconds", 0);
	if (!strcmp(phase, "Failed") || !strcmp(phase, "Succeeded"))
		return false;
	return !began || !most || now < began + most;
}
