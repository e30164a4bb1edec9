/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that judge manifests as well as clusters. */
#include "cmd.h"

#include <string.h>

#include <packetwalk/arena.h>
#include <packetwalk/cleanup.h>

#include <cluster/cluster.h>

#define NOTE_MAX 65536 /* bytes of one note */

int pw_app_manifests(struct pw_app *app, struct pw_cluster **ret, struct pw_err *err)
{
	const char *dir = pw_app_opt(app, "manifests");
	struct pw_cluster_config config = { .namespace_ = pw_app_opt(app, "namespace") };

	if (!dir)
		return pw_app_cluster(app, ret, err);
	if (!app->cluster) {
		config.source = pw_arena_printf(app->arena, "manifests:%s", dir);
		if (!config.source)
			return pw_err_set(err, PW_NOMEM, "out of memory");
		if (pw_cluster_open(&config, &app->cluster, err) != PW_OK)
			return err->code;
	}
	*ret = app->cluster;
	return PW_OK;
}

void pw_app_notes(struct pw_app *app, const struct pw_cluster *cluster)
{
	const char *notes = pw_cluster_notes(cluster);
	PW_CLEAN_BUF struct pw_buf line;

	pw_buf_init(&line, NOTE_MAX);
	while (*notes) {
		size_t len = strcspn(notes, "\n");

		pw_buf_clear(&line);
		pw_buf_escaped(&line, notes, len);
		pw_note(app, "%s", pw_buf_str(&line));
		notes += len;
		if (*notes)
			notes++;
	}
}
