/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk doc man|markdown DIR: reference pages from the declarations. */
#include "main/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <packetwalk/check.h>
#include <packetwalk/cleanup.h>

#include <out/out.h>
#include <play/play.h>

#include "main/library.h"
#include "main/page.h"
#include "main/session.h"

#define PAGE_MAX ((size_t)4 << 20)
#define MAX_TABLES 16
#define TERM_MAX 256

static const struct { const char *code, *meaning; } exit_codes[] = {
	{ "0", "healthy: the walk ended with no fault" }, { "1", "a fault was found" },
	{ "2", "usage, or a missing input; all missing ones are listed at once" }, { "3", "an invalid playbook or plugin" },
	{ "4", "inconclusive: it ended without proof; what would settle it is printed" },
	{ "5", "environment or internal: no cluster, input or output, a defect" },
	{ "11 to 15", "with --exit-layer, instead of 1: infrastructure, kubernetes, cni, third-party, application; 10: not decided" },
	{ "124", "the deadline passed; a partial verdict is printed" },
	{ "130, 143", "SIGINT, SIGTERM; the session is saved first" },
};

static const struct { const char *name, *meaning; } environment[] = {
	{ "PACKETWALK_OPTION", "any option, in capitals and with _ for -: PACKETWALK_MAX_EFFECT=reads. Flags: 1, or 0 for off" },
	{ "PACKETWALK_INPUT_NAME", "an input of a playbook: PACKETWALK_INPUT_FROM=shop/web" },
	{ "KUBECONFIG", "as in kubectl" }, { "NO_COLOR", "no colour when it is not empty" },
	{ "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_DATA_DIRS, XDG_STATE_HOME", "where files are looked for; relative ones are ignored" },
};

static const struct { const char *name, *meaning; } files[] = {
	{ ".packetwalk/config.yaml", "options of a project: a map of option names, and inputs: as a map. It can not set --via, --plugin-dir, "
	  "--kubeconfig or --max-effect: what comes with a clone may not say what is run" },
	{ "~/.config/packetwalk/config.yaml, /etc/packetwalk/config.yaml", "options of a user, of a machine" },
	{ ".packetwalk/playbooks, ~/.local/share/packetwalk/playbooks, /etc/packetwalk/playbooks", "playbooks, as NAME.yaml" },
	{ "~/.local/share/packetwalk/plugins", "checks, as NAME.so or NAME.check.yaml; refused when others could have written them" },
	{ "~/.local/state/packetwalk/sessions", "a file per run, for packetwalk resume" },
};

/* ---- pages ---- */

static void option_items(struct pw_page *page, const struct pw_cmd *cmd)
{
	const struct pw_opt *tables[MAX_TABLES];
	const char *titles[MAX_TABLES];
	size_t n = pw_cmd_tables(cmd, tables, titles, MAX_TABLES);
	for (size_t i = 0; i < n; i++) {
		pw_page_sub(page, titles[i]);
		for (const struct pw_opt *o = tables[i]; o->name; o++) {
			PW_CLEAN_BUF struct pw_buf term;
			pw_buf_init(&term, TERM_MAX);
			if (o->letter)
				pw_buf_printf(&term, "-%c, ", o->letter);
			pw_buf_printf(&term, "--%s", o->name);
			if (o->value)
				pw_buf_printf(&term, (o->flags & PW_OPT_MAYBE) ? " [%s]" : " %s", o->value);
			pw_page_item(page, pw_buf_str(&term), o->help);
		}
	}
}

static void usage_lines(struct pw_page *page, const struct pw_cmd *cmd)
{
	const char *form = cmd->usage ? cmd->usage : "";
	do {
		PW_CLEAN_BUF struct pw_buf line;
		size_t len = strcspn(form, "\n");
		pw_buf_init(&line, 4096);
		pw_buf_printf(&line, "packetwalk %s%s%.*s", cmd->name, len ? " " : "", (int)len, form);
		pw_page_code(page, pw_buf_str(&line));
		form += len + (form[len] == '\n');
	} while (*form);
	pw_page_code_end(page);
}

static void command_page(struct pw_page *page, const struct pw_cmd *cmd)
{
	char name[64];
	(void)snprintf(name, sizeof name, "packetwalk-%s", cmd->name);
	pw_page_title(page, name, 1, cmd->summary);
	pw_page_heading(page, "Synopsis");
	usage_lines(page, cmd);
	if (cmd->details) {
		pw_page_heading(page, "Description");
		pw_page_para(page, cmd->details);
	}
	pw_page_heading(page, "Options");
	option_items(page, cmd);
	if (cmd->groups & PW_OPTS_RUN) {
		pw_page_heading(page, "Output formats");
		for (size_t i = 0; pw_out_registry[i]; i++)
			pw_page_item(page, pw_out_registry[i]->name, pw_out_registry[i]->summary);
	}
	if (cmd->examples)
		pw_page_heading(page, "Examples");
	for (const char *const *e = cmd->examples; e && *e; e++) {
		PW_CLEAN_BUF struct pw_buf line;
		pw_buf_init(&line, 4096);
		pw_buf_printf(&line, "packetwalk %s", *e);
		pw_page_code(page, pw_buf_str(&line));
	}
	pw_page_code_end(page);
}

static void overview_page(struct pw_page *page)
{
	pw_page_title(page, "packetwalk", 1, "walk one connection through a Kubernetes cluster and name what breaks it");
	pw_page_heading(page, "Synopsis");
	pw_page_code(page, "packetwalk");
	pw_page_code(page, "packetwalk COMMAND ...");
	pw_page_code_end(page);
	pw_page_heading(page, "Description");
	pw_page_para(page, "packetwalk walks one connection hop by hop, as an experienced engineer would, and says which layer breaks it: "
		     "infrastructure, kubernetes, cni, third-party, or the application itself. Alone it is a wizard that asks who sends, who "
		     "receives and what is seen. The result goes to standard output, everything else to standard error.");
	pw_page_heading(page, "Commands");
	for (size_t i = 0; pw_cmd_registry[i]; i++)
		if (!pw_cmd_registry[i]->hidden)
			pw_page_item(page, pw_cmd_registry[i]->name, pw_cmd_registry[i]->summary);
	pw_page_heading(page, "Exit codes");
	for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
		pw_page_item(page, exit_codes[i].code, exit_codes[i].meaning);
	pw_page_heading(page, "Environment");
	for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
		pw_page_item(page, environment[i].name, environment[i].meaning);
	pw_page_para(page, "An option is taken from the command line, else from the environment, else from the files below, nearest first.");
	pw_page_heading(page, "Files");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		pw_page_item(page, files[i].name, files[i].meaning);
}

static void one_check(struct pw_page *page, const struct pw_check *check)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, PAGE_MAX);
	pw_page_heading(page, check->name);
	pw_buf_printf(&text, "%s. Effect: %s. Deadline: %u ms.", check->summary, pw_effect_word(check->effect), check->timeout_ms);
	pw_page_para(page, pw_buf_str(&text));
	if (check->details)
		pw_page_para(page, check->details);
	if (check->params && check->params->name)
		pw_page_sub(page, "Parameters");
	for (const struct pw_param *p = check->params; p && p->name; p++) {
		pw_buf_clear(&text);
		pw_buf_printf(&text, "%s (%s%s%s%s%s)", p->name, pw_type_word(p->type), p->range ? ", " : "", p->range ? p->range : "",
			      p->required ? ", required" : p->otherwise && *p->otherwise ? ", default " : "",
			      !p->required && p->otherwise ? p->otherwise : "");
		pw_page_item(page, pw_buf_str(&text), p->help);
	}
	pw_page_sub(page, "Outcomes");
	for (const struct pw_outcome *o = check->outcomes; o && o->word; o++) {
		PW_CLEAN_BUF struct pw_buf term;
		pw_buf_init(&term, TERM_MAX);
		pw_buf_printf(&term, "%s (%s)", o->word, pw_class_word(o->klass));
		pw_buf_clear(&text);
		pw_buf_puts(&text, o->meaning);
		if (o->cause)
			pw_buf_printf(&text, " Likely cause: %s.", o->cause);
		if (o->next)
			pw_buf_printf(&text, " Next: %s.", o->next);
		pw_page_item(page, pw_buf_str(&term), pw_buf_str(&text));
	}
	if (check->evidence && check->evidence->name)
		pw_page_sub(page, "Evidence");
	for (const struct pw_evidence *e = check->evidence; e && e->name; e++) {
		pw_buf_clear(&text);
		pw_buf_printf(&text, "%s (%s%s%s)", e->name, pw_type_word(e->type), e->unit ? ", " : "", e->unit ? e->unit : "");
		pw_page_item(page, pw_buf_str(&text), e->help);
	}
	if (check->example) {
		pw_buf_clear(&text);
		pw_buf_printf(&text, "packetwalk %s", check->example);
		pw_page_sub(page, "Example");
		pw_page_code(page, pw_buf_str(&text));
		pw_page_code_end(page);
	}
}

/* ---- writing ---- */

struct job { struct pw_app *app; const char *dir; bool man; int code; };

static void write_page(struct job *job, const char *name, int section, const struct pw_buf *text)
{
	struct pw_err err = PW_ERR_INIT;
	const char *path = job->man ? pw_arena_printf(job->app->arena, "%s/%s.%d", job->dir, name, section)
				    : pw_arena_printf(job->app->arena, "%s/%s.md", job->dir, name);
	if (!path)
		job->code = pw_fail(job->app, PW_EXIT_ENVIRONMENT, "out of memory");
	else if (pw_file_replace(path, 0644, text, &err))
		job->code = pw_fail(job->app, PW_EXIT_ENVIRONMENT, "%s", err.code ? err.text : strerror(errno));
	else
		pw_outf(job->app, "%s\n", path);
}

static void commands(struct job *job)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, PAGE_MAX);
	struct pw_page page = { job->man, &text };
	overview_page(&page);
	write_page(job, "packetwalk", 1, &text);
	for (size_t i = 0; pw_cmd_registry[i] && !job->code; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "packetwalk-%s", pw_cmd_registry[i]->name);
		pw_buf_clear(&text);
		command_page(&page, pw_cmd_registry[i]);
		write_page(job, name, 1, &text);
	}
}

static void checks(struct job *job)
{
	PW_CLEAN_BUF struct pw_buf text;
	const struct pw_check *const *list = NULL;
	pw_buf_init(&text, PAGE_MAX);
	struct pw_page page = { job->man, &text };
	size_t n = pw_library_checks(job->app->library, &list);
	pw_page_title(&page, "packetwalk-checks", 7, "the checks, their parameters, outcomes and evidence");
	for (size_t i = 0; i < n; i++)
		if (strcmp(pw_library_check_origin(job->app->library, list[i]->name), "built in") == 0)
			one_check(&page, list[i]);
	write_page(job, "packetwalk-checks", 7, &text);
}

static void language(struct job *job)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, PAGE_MAX);
	if (job->man)
		return; /* it is written in Markdown */
	pw_play_reference(&text);
	write_page(job, "playbook-language", 5, &text);
}

static int run(struct pw_app *app)
{
	static const char *const kinds[] = { "man", "markdown" };
	struct job job = { .app = app };
	if (app->n_words != 2)
		return pw_fail(app, PW_EXIT_USAGE, "doc takes a kind of page and a folder: doc man DIR, or doc markdown DIR");
	job.man = strcmp(app->words[0], "man") == 0;
	job.dir = app->words[1];
	if (!job.man && strcmp(app->words[0], "markdown") != 0)
		return pw_fail_unknown(app, "kind of page", app->words[0], kinds, 2);
	if (!pw_app_library(app))
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (mkdir(job.dir, 0755) != 0 && errno != EEXIST)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "cannot make the folder %s: %s", job.dir, strerror(errno));
	commands(&job);
	if (!job.code)
		checks(&job);
	if (!job.code)
		language(&job);
	return job.code;
}

static const char *const examples[] = { "doc man build/man", "doc markdown docs/reference", NULL };

const struct pw_cmd pw_cmd_doc = {
	.name = "doc", .summary = "write the reference pages, from the declarations in this binary", .usage = "man DIR\nmarkdown DIR",
	.examples = examples, .run = run,
};
