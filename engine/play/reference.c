/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reference page of the language, in Markdown, from the loader's tables. */
#include <play/play.h>

#include <play/components.h>
#include <play/ids.h>
#include <play/schema.h>

/* In a table cell, a bar would end it. */
static void cell(struct pw_buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			pw_buf_putc(out, '\\');
		pw_buf_putc(out, *text);
	}
}

static void add_keys(struct pw_buf *out, const struct pw_schema *schema)
{
	pw_buf_puts(out, "| key | value | |\n|---|---|---|\n");
	for (const struct pw_schema_key *key = schema->keys; key->name; key++) {
		pw_buf_printf(out, "| `%s`%s | ", key->name, key->flags & PW_KEY_REQUIRED ? " (required)" : "");
		if (key->form == PW_FORM_WORD)
			for (size_t i = 0; key->words[i]; i++)
				pw_buf_printf(out, "%s`%s`", i ? ", " : "", key->words[i]);
		else
			cell(out, pw_form_says(key->form));
		pw_buf_puts(out, " | ");
		cell(out, key->help);
		if (key->needs)
			pw_buf_printf(out, " With `%s` only.", key->needs);
		pw_buf_puts(out, " |\n");
	}
	if (schema->one_of) {
		pw_buf_puts(out, "\nExactly one of");
		for (size_t i = 0; schema->one_of[i]; i++)
			pw_buf_printf(out, "%s `%s`", i ? "," : "", schema->one_of[i]);
		pw_buf_puts(out, " must be given.\n");
	}
}

static void add_section(struct pw_buf *out, const struct pw_schema *schema)
{
	pw_buf_printf(out, "\n## %s\n\n%s\n\n", schema->name, schema->help);
	add_keys(out, schema);
}

static void add_vocabulary(struct pw_buf *out)
{
	pw_buf_puts(out, "\n## Layers and components\n\nThe layer is where the change that heals the fault has to be made, not where the symptom shows.\n\n"
			 "| layer | components |\n|---|---|\n");
	for (int layer = 0; layer < PW_LAYER_COUNT; layer++) {
		const char *const *names = NULL;
		size_t n = pw_components((enum pw_layer)layer, &names);
		pw_buf_printf(out, "| %s | ", pw_layer_word((enum pw_layer)layer));
		for (size_t i = 0; i < n; i++)
			pw_buf_printf(out, "%s%s", i ? ", " : "", names[i]);
		pw_buf_puts(out, " |\n");
	}
}

static void add_ids(struct pw_buf *out)
{
	pw_buf_puts(out, "\n## Complaints\n\n| id | meaning |\n|---|---|\n");
	for (const struct pw_play_id *row = pw_play_ids; row->id; row++) {
		pw_buf_printf(out, "| %s | ", row->id);
		cell(out, row->meaning);
		pw_buf_puts(out, " |\n");
	}
}

void pw_play_reference(struct pw_buf *out)
{
	static const struct pw_schema *const schemas[] = { &pw_schema_input, &pw_schema_step, &pw_schema_edge, &pw_schema_verdict, &pw_schema_test, &pw_schema_expect };
	pw_buf_printf(out, "# The playbook language, version %d\n\n", PW_PLAY_LANGUAGE);
	add_keys(out, &pw_schema_playbook);
	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++)
		add_section(out, schemas[i]);
	add_vocabulary(out);
	add_ids(out);
}
