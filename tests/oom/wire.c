/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A document through a pipe, both ends. */
#include "oom.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>
#include <proc/wire.h>

enum { FRAME_MAX = 65536 };

static int send_one(int fd, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_val *doc = pw_val_map(arena);
	pw_map_set_str(doc, "check", "tcp_connect");
	pw_map_set_int(doc, "id", 17);
	for (int i = 0; i < 50; i++)
		pw_map_set_strf(pw_map_set_map(doc, "params"), "name", "%0100d", i);
	if (pw_arena_failed(arena))
		return PW_NOMEM;
	return pw_wire_send(fd, doc, FRAME_MAX, err);
}

static int receive_one(int fd, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_wire_reader reader;
	struct pw_val *doc = NULL;
	pw_wire_reader_init(&reader, FRAME_MAX);
	int rc = pw_wire_fill(&reader, fd, err);
	if (rc > 0)
		rc = pw_wire_next(&reader, arena, &doc, err);
	pw_wire_reader_release(&reader);
	return rc > 0 ? PW_OK : rc < 0 ? rc : PW_IO;
}

static int run(struct pw_err *err)
{
	int fds[2];
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return PW_IO;
	int rc = send_one(fds[1], arena, err);
	if (rc == PW_OK)
		rc = receive_one(fds[0], arena, err);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return rc;
}

const struct oom_scenario oom_scenario = { run, false };
