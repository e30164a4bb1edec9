/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk schema: JSON Schema of the playbook language, for editors. */
#include "main/cmd.h"

#include <packetwalk/cleanup.h>

#include <play/play.h>

#include "main/library.h"

#define TEXT_MAX ((size_t)16 << 20)

static int run(struct pw_app *app)
{
	struct pw_library *library = pw_app_library(app);
	if (!library)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, TEXT_MAX);
	pw_play_schema(pw_library_env(library), &out);
	pw_out_buf(app, &out);
	return PW_EXIT_HEALTHY;
}

static const char *const examples[] = { "schema > packetwalk-playbook.schema.json", NULL };

const struct pw_cmd pw_cmd_schema = {
	.name = "schema", .summary = "print the JSON Schema of playbooks, for editors", .examples = examples, .run = run,
	.details = "Editors that speak YAML's language server use it by the first line of a playbook: "
		   "# yaml-language-server: $schema=packetwalk-playbook.schema.json",
	.groups = PW_OPTS_PROBE,
};
