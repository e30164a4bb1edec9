/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk graph PLAYBOOK: the tree as a drawing. */
#include "main/cmd.h"

#include <string.h>

#include <packetwalk/cleanup.h>

#include <play/play.h>

#include "main/library.h"

#define TEXT_MAX ((size_t)16 << 20)

static const char *const formats[] = { "text", "mermaid", "dot", NULL };

static int run(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	const char *format = NULL;
	const struct pw_play *play = NULL;
	enum pw_graph kind = PW_GRAPH_TEXT;
	if (app->n_words != 1)
		return pw_fail(app, PW_EXIT_USAGE, "graph takes one playbook; 'packetwalk playbooks' lists them");
	if (pw_app_format(app, formats, &format, &err))
		return pw_fail_err(app, PW_EXIT_USAGE, &err);
	int code = pw_library_load(app, app->words[0], &play);
	if (code)
		return code;
	if (strcmp(format, "mermaid") == 0)
		kind = PW_GRAPH_MERMAID;
	else if (strcmp(format, "dot") == 0)
		kind = PW_GRAPH_DOT;
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	pw_play_graph(play, kind, NULL, 0, &out);
	pw_out_buf(app, &out);
	return PW_EXIT_HEALTHY;
}

static const char *const examples[] = { "graph pod-to-service", "graph pod-to-service -o dot | dot -Tsvg -o tree.svg", NULL };

const struct pw_cmd pw_cmd_graph = {
	.name = "graph", .summary = "draw a playbook's tree: text, Mermaid or DOT", .usage = "PLAYBOOK", .examples = examples, .run = run,
	.groups = PW_OPTS_OUTPUT | PW_OPTS_PLAY | PW_OPTS_PROBE,
};
