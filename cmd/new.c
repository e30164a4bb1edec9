/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packetwalk new playbook|check NAME: something that works, to change from there. */
#include "main/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <packetwalk/check.h>
#include <packetwalk/cleanup.h>

#include "main/library.h"

#define TEXT_MAX ((size_t)1 << 20)
#define FIRST_CHECK "tcp_connect"

/* Never over something that is there. */
static int write_new(struct pw_app *app, const char *path, const struct pw_buf *text)
{
	PW_CLEAN_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return pw_fail(app, PW_EXIT_USAGE, "%s is already there", path);
	if (fd < 0 || !pw_buf_ok(text))
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "cannot write %s: %s", path, strerror(fd < 0 ? errno : ENOMEM));
	struct pw_stream file = { .fd = fd };
	pw_stream_write(&file, pw_buf_str(text), text->len);
	if (file.failed)
		return pw_fail(app, PW_EXIT_ENVIRONMENT, "cannot write %s: %s", path, strerror(file.failed));
	pw_outf(app, "%s\n", path);
	return 0;
}

static bool is_name(const char *name, char joint)
{
	if (!islower((unsigned char)*name))
		return false;
	for (const char *c = name; *c; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != joint)
			return false;
	return strlen(name) <= 63;
}

/* ---- a playbook ---- */

static const char *sample(enum pw_type type)
{
	switch (type) {
	case PW_TYPE_PORT: return "80";
	case PW_TYPE_INT: return "1";
	case PW_TYPE_REAL: return "1.5";
	case PW_TYPE_BOOL: return "true";
	case PW_TYPE_ADDRESS: return "192.0.2.1";
	case PW_TYPE_CIDR: return "192.0.2.0/24";
	case PW_TYPE_HOST: return "www.example.test";
	case PW_TYPE_URL: return "http://www.example.test/";
	case PW_TYPE_DURATION: return "2s";
	case PW_TYPE_POD:
	case PW_TYPE_SERVICE: return "shop/web";
	default: return "example";
	}
}

static bool is_plain(const struct pw_param *p) { return p->type != PW_TYPE_LIST && p->type != PW_TYPE_MAP && p->type != PW_TYPE_CHOICE; }

static void each_required(struct pw_buf *out, const struct pw_check *check, void (*write)(struct pw_buf *out, const struct pw_param *p, bool first))
{
	bool first = true;
	for (const struct pw_param *p = check->params; p && p->name; p++)
		if (p->required) {
			write(out, p, first);
			first = false;
		}
}

static void as_input(struct pw_buf *out, const struct pw_param *p, bool first)
{
	(void)first;
	pw_buf_printf(out, "  %s: {type: %s, ask: \"%s?\"}\n", p->name, pw_type_word(p->type), p->help ? p->help : p->name);
}

static void as_with(struct pw_buf *out, const struct pw_param *p, bool first)
{
	pw_buf_printf(out, "%s%s: \"${%s}\"", first ? "" : ", ", p->name, p->name);
}

static void as_given(struct pw_buf *out, const struct pw_param *p, bool first)
{
	(void)first;
	pw_buf_printf(out, "%s: \"%s\", ", p->name, sample(p->type));
}

static bool is_good(enum pw_class klass) { return klass == PW_CLASS_OK || klass == PW_CLASS_WARN; }

static void edge(struct pw_buf *out, const struct pw_check *check, bool good, const char *verdict)
{
	pw_buf_puts(out, "      [");
	bool first = true;
	for (const struct pw_outcome *o = check->outcomes; o->word; o++)
		if (is_good(o->klass) == good) {
			pw_buf_printf(out, "%s%s", first ? "" : ", ", o->word);
			first = false;
		}
	pw_buf_printf(out, "%s]: {verdict: %s}\n", good ? "" : first ? "unknown, skipped" : ", unknown, skipped", verdict);
}

static void one_test(struct pw_buf *out, const struct pw_check *check, const char *outcome, const char *verdict)
{
	pw_buf_puts(out, "  - given: {");
	each_required(out, check, as_given);
	pw_buf_printf(out, "outcomes: {first: %s}}\n    expect: {verdict: %s, path: [first]}\n", outcome, verdict);
}

static void playbook_text(struct pw_buf *out, const char *name, const struct pw_check *check)
{
	pw_buf_printf(out, "# yaml-language-server: $schema=packetwalk-playbook.schema.json\n"
		      "# The language: 'packetwalk doc markdown DIR' writes its reference, 'packetwalk schema' the schema named above.\n"
		      "packetwalk: 1\nname: %s\ntitle: Say in one line what does not work\n"
		      "about: Say how this walk goes about it.\nsymptoms: [timeout]\ndirection: east-west\n\ninputs:\n", name);
	each_required(out, check, as_input);
	pw_buf_printf(out, "\nstart: first\nsteps:\n  first:\n    title: %s\n    why: Say what this separates from what.\n"
		      "    hop: pod-out\n    check: %s\n    with: {", check->summary, check->name);
	each_required(out, check, as_with);
	pw_buf_puts(out, "}\n    on: # 'packetwalk checks NAME' lists the outcomes of a check\n");
	edge(out, check, true, "healthy");
	edge(out, check, false, "undecided");
	pw_buf_puts(out, "\nverdicts:\n  healthy:\n    layer: none\n    says: \"Nothing is wrong here: ${first.says}\"\n"
		    "  undecided: # split this one up, step by step, until each verdict names a layer and a component\n"
		    "    layer: unknown\n    could-be: [infrastructure, cni]\n    says: \"It does not work: ${first.says}\"\n"
		    "    settle: Say which observation would decide.\n\ntests: # 'packetwalk test' runs them, without a cluster\n");
	for (const struct pw_outcome *o = check->outcomes; o->word; o++)
		one_test(out, check, o->word, is_good(o->klass) ? "healthy" : "undecided");
	one_test(out, check, PW_OUTCOME_UNKNOWN, "undecided");
	one_test(out, check, PW_OUTCOME_SKIPPED, "undecided");
}

static bool fits(const struct pw_check *check)
{
	bool good = false;
	for (const struct pw_param *p = check->params; p && p->name; p++)
		if (p->required && !is_plain(p))
			return false;
	for (const struct pw_outcome *o = check->outcomes; o && o->word; o++)
		good = good || is_good(o->klass);
	return good;
}

static int new_playbook(struct pw_app *app, const char *name)
{
	struct pw_library *library = pw_app_library(app);
	const char *word = pw_app_opt(app, "check");
	const struct pw_check *check = library ? pw_library_find_check(library, word ? word : FIRST_CHECK) : NULL;
	const char *const *names = NULL;
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX);
	if (!is_name(name, '-'))
		return pw_fail(app, PW_EXIT_USAGE, "'%s': a playbook's name is lower-case letters, digits and -", name);
	if (!check)
		return library ? pw_fail_unknown(app, "check", word ? word : FIRST_CHECK, names, pw_library_check_names(library, &names))
			       : pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	if (!fits(check))
		return pw_fail(app, PW_EXIT_USAGE, "%s has parameters that are lists, maps or choices: start from another check", check->name);
	playbook_text(&text, name, check);
	const char *path = pw_arena_printf(app->arena, "%s.yaml", name);
	int code = write_new(app, path, &text);
	if (!code)
		pw_note(app, "Next: packetwalk lint ./%s && packetwalk test ./%s", path, path);
	return code;
}

/* ---- a check ---- */

static void check_source(struct pw_buf *out, const char *name)
{
	pw_buf_printf(out,
		"/* SPDX-License-Identifier: GPL-3.0-or-later */\n"
		"/* %s: say in one sentence what it observes. */\n"
		"#include <string.h>\n\n#include <packetwalk/probe.h>\n\n"
		"static const struct pw_param params[] = {\n"
		"\t{ \"address\", PW_TYPE_ADDRESS, 1, NULL, NULL, \"Address to connect to\" },\n"
		"\t{ \"port\", PW_TYPE_PORT, 0, \"80\", NULL, \"Port to connect to\" },\n"
		"\t{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },\n};\n\n"
		"/* word, class, meaning, likely cause, what to do next. 'unknown' and 'skipped' come from the engine. */\n"
		"static const struct pw_outcome outcomes[] = {\n"
		"\t{ \"connected\", PW_CLASS_OK, \"The port answered.\", NULL, NULL },\n"
		"\t{ \"refused\", PW_CLASS_FAIL, \"Something said no.\", \"nothing listens there, or a rule rejects\", \"look at the sockets of the server\" },\n"
		"\t{ \"silent\", PW_CLASS_FAIL, \"Nothing answered.\", \"a drop on the way\", \"try the next hop directly\" },\n"
		"\t{ NULL, PW_CLASS_OK, NULL, NULL, NULL },\n};\n\n"
		"static const struct pw_evidence evidence[] = {\n"
		"\t{ \"ms\", PW_TYPE_REAL, \"ms\", \"Time until the answer\" },\n"
		"\t{ NULL, PW_TYPE_STR, NULL, NULL },\n};\n\n", name);
	pw_buf_puts(out,
		"/* Touches the world, judges nothing. Runs in a child of its own, maybe on another node. */\n"
		"static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)\n{\n"
		"\tstruct pw_tcp_spec spec = { .address = pw_ctx_str(ctx, \"address\"), .port = (unsigned)pw_ctx_int(ctx, \"port\"),\n"
		"\t\t\t\t    .count = 1, .timeout_ms = 2000, .reset = true };\n"
		"\treturn pw_probe_tcp(ctx, &spec, observation, err);\n}\n\n"
		"/* Pure: the observation in, one declared outcome out. Can be tested on recorded observations. */\n"
		"static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)\n{\n"
		"\tconst char *address = pw_ctx_str(ctx, \"address\"), *how = pw_map_str(pw_val_get(observation, \"attempts.0\"), \"result\", \"\");\n"
		"\tdouble ms = 0;\n\t(void)err;\n"
		"\tif (pw_val_to_real(pw_val_get(observation, \"attempts.0.ms\"), &ms))\n"
		"\t\tpw_map_set_real(pw_result_evidence(result), \"ms\", ms);\n"
		"\tif (strcmp(how, \"connected\") == 0)\n"
		"\t\tpw_result_set(result, \"connected\", \"%s answered.\", address);\n"
		"\telse if (strncmp(how, \"refused\", 7) == 0)\n"
		"\t\tpw_result_set(result, \"refused\", \"%s refused the connection.\", address);\n"
		"\telse if (strcmp(how, \"timeout\") == 0)\n"
		"\t\tpw_result_set(result, \"silent\", \"%s did not answer.\", address);\n"
		"\telse\n"
		"\t\tpw_result_unknown(result, \"The connect ended in '%s'.\", how);\n"
		"\treturn PW_OK;\n}\n\n");
	pw_buf_printf(out,
		"extern const struct pw_check pw_check_%s;\n"
		"__attribute__((visibility(\"default\"))) const struct pw_check pw_check_%s = {\n"
		"\tPW_CHECK_HEAD(\"%s\"),\n\t.summary = \"say in one line what it finds out\",\n"
		"\t.params = params, .outcomes = outcomes, .evidence = evidence,\n"
		"\t.effect = PW_EFFECT_SENDS, .timeout_ms = 5000,\n"
		"\t.example = \"check %s address=192.0.2.1 port=80\",\n\t.probe = probe, .judge = judge,\n};\n", name, name, name, name);
}

static void check_makefile(struct pw_buf *out, const char *name)
{
	pw_buf_printf(out, "# Where the headers of packetwalk are: packetwalk/check.h and the others.\n"
		      "PACKETWALK_INCLUDE ?= /usr/local/include\n\n"
		      "%s.so: %s.c\n\t$(CC) -std=c11 -Wall -Wextra -O2 -shared -fPIC -I$(PACKETWALK_INCLUDE) -o $@ $<\n\n"
		      "clean:\n\trm -f %s.so\n.PHONY: clean\n", name, name, name);
}

static void check_readme(struct pw_buf *out, const char *name)
{
	pw_buf_printf(out, "# %s\n\nA check for packetwalk as a plugin.\n\n"
		      "```\nmake PACKETWALK_INCLUDE=/usr/local/include\n"
		      "packetwalk checks %s --plugin-dir .\n"
		      "packetwalk check %s address=127.0.0.1 port=80 --plugin-dir .\n```\n\n"
		      "`probe` touches the world and judges nothing; `judge` is pure and picks one declared outcome.\n"
		      "Put %s.so into `~/.local/share/packetwalk/plugins` to have it everywhere. Neither the file nor a folder above it\n"
		      "may be writable by others. To build it in, put %s.c into packetwalk's folder `checks`.\n", name, name, name, name, name);
}

static int new_check(struct pw_app *app, const char *name)
{
	const struct { const char *file; void (*write)(struct pw_buf *out, const char *name); } files[] = {
		{ pw_arena_printf(app->arena, "%s/%s.c", name, name), check_source },
		{ pw_arena_printf(app->arena, "%s/Makefile", name), check_makefile },
		{ pw_arena_printf(app->arena, "%s/README.md", name), check_readme },
	};
	int code = 0;
	if (!is_name(name, '_'))
		return pw_fail(app, PW_EXIT_USAGE, "'%s': a check's name is lower-case letters, digits and _", name);
	if (mkdir(name, 0755) != 0)
		return pw_fail(app, errno == EEXIST ? PW_EXIT_USAGE : PW_EXIT_ENVIRONMENT, "cannot make the folder %s: %s", name, strerror(errno));
	for (size_t i = 0; i < sizeof files / sizeof *files && !code; i++) {
		PW_CLEAN_BUF struct pw_buf text;
		pw_buf_init(&text, TEXT_MAX);
		files[i].write(&text, name);
		code = files[i].file ? write_new(app, files[i].file, &text) : pw_fail(app, PW_EXIT_ENVIRONMENT, "out of memory");
	}
	if (!code)
		pw_note(app, "Next: make -C %s PACKETWALK_INCLUDE=DIR && packetwalk check %s address=127.0.0.1 --plugin-dir %s", name, name, name);
	return code;
}

static int run(struct pw_app *app)
{
	if (app->n_words != 2)
		return pw_fail(app, PW_EXIT_USAGE, "new what? new playbook NAME, or new check NAME");
	if (strcmp(app->words[0], "playbook") == 0)
		return new_playbook(app, app->words[1]);
	if (strcmp(app->words[0], "check") == 0)
		return new_check(app, app->words[1]);
	static const char *const kinds[] = { "playbook", "check" };
	return pw_fail_unknown(app, "thing to make", app->words[0], kinds, 2);
}

static const struct pw_opt options[] = {
	{ "check", 0, "NAME", "the check the playbook starts with (" FIRST_CHECK ")", PW_OPT_LOCAL },
	{ NULL, 0, NULL, NULL, 0 },
};

static const char *const examples[] = { "new playbook my-flow", "new playbook my-lookup --check dns_resolve", "new check my_check", NULL };

const struct pw_cmd pw_cmd_new = {
	.name = "new", .summary = "make a playbook or a check that works, to change from there", .usage = "playbook NAME\ncheck NAME",
	.details = "A playbook is one file, NAME.yaml, that lints and passes its own tests. A check is a folder NAME with its source, a "
		   "Makefile and what to do next.",
	.examples = examples, .options = options, .run = run, .groups = PW_OPTS_PROBE,
};
