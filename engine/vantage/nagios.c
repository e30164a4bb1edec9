/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running a program as a check and reading its answer by the rules of Nagios
 * plugins (nagios-plugins.org/doc/guidelines.html): the exit status decides,
 * the first line says why, numbers follow a `|`.
 */
#include "exec_check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <base/text.h>
#include <packetwalk/cleanup.h>
#include <proc/child.h>

#include "ctx_priv.h"

enum {
	OUTPUT_MAX = 64 << 10,   /* bytes of stdout; Nagios itself reads 8 KiB */
	ARG_MAX_LEN = 64 << 10,
	ARGS_MAX = 256,
	LABEL_SPACE = 128,
	NUMBER_SPACE = 64,
	STATUS_OK = 0, STATUS_WARNING = 1, STATUS_CRITICAL = 2, STATUS_UNKNOWN = 3,
};

const struct pw_outcome pw_nagios_outcomes[] = {
	{ "ok", PW_CLASS_OK, "the program says all is well (exit status 0)", NULL, NULL },
	{ "warning", PW_CLASS_WARN, "the program warns (exit status 1)", NULL, NULL },
	{ "critical", PW_CLASS_FAIL, "the program reports a fault (exit status 2)", NULL, NULL },
	{ "unknown-status", PW_CLASS_UNKNOWN, "the program could not tell (exit status 3)", NULL, "run it by hand with the same arguments" },
	{ "error", PW_CLASS_ERROR, "the program was killed, exited above 3 or printed nothing", "a defect or a wrong installation of the program",
	  "run it by hand with the same arguments" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};
const struct pw_outcome pw_program_outcomes[] = {
	{ "ok", PW_CLASS_OK, "the program says all is well (exit status 0)", NULL, NULL },
	{ "failed", PW_CLASS_FAIL, "the program reports a fault (exit status 1 to 3)", NULL, NULL },
	{ "error", PW_CLASS_ERROR, "the program was killed, exited above 3 or printed nothing", "a defect or a wrong installation of the program",
	  "run it by hand with the same arguments" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};
const struct pw_evidence pw_program_evidence[] = {
	{ "program", PW_TYPE_LIST, NULL, "what was run" },
	{ "status", PW_TYPE_INT, NULL, "exit status, if it exited" },
	{ "signal", PW_TYPE_STR, NULL, "what killed it, if something did" },
	{ "text", PW_TYPE_STR, NULL, "its first line" },
	{ "details", PW_TYPE_STR, NULL, "its other lines" },
	{ "perfdata", PW_TYPE_MAP, NULL, "its numbers: label to value, unit, warn, crit, min, max" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* ---- probe ---- */

/* ${name} becomes the parameter; lists are joined by commas. A parameter that was not given leaves nothing. */
static void add_param(struct pw_ctx *ctx, const char *name, struct pw_buf *out)
{
	const struct pw_val *val = pw_ctx_val(ctx, name);
	double real;
	bool yes;
	if (pw_val_is(val, PW_VAL_BOOL) && pw_val_to_bool(val, &yes))
		pw_buf_puts(out, yes ? "true" : "false");
	else if (pw_val_is(val, PW_VAL_REAL) && pw_val_to_real(val, &real))
		pw_buf_printf(out, "%.10g", real);
	else if (pw_val_is(val, PW_VAL_SEQ))
		for (size_t i = 0; i < pw_val_count(val); i++)
			pw_buf_printf(out, "%s%s", i ? "," : "", pw_val_text(pw_val_at(val, i)) ? pw_val_text(pw_val_at(val, i)) : "");
	else if (pw_ctx_str(ctx, name))
		pw_buf_puts(out, pw_ctx_str(ctx, name));
}

/* The references were checked when the declaration was loaded. */
static const char *expand(struct pw_ctx *ctx, const char *text)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, ARG_MAX_LEN);
	while (*text) {
		const char *end = strncmp(text, "${", 2) ? NULL : strchr(text, '}');
		if (!end) {
			pw_buf_putc(&out, *text++);
			continue;
		}
		char *name = pw_arena_strndup(ctx->arena, text + 2, (size_t)(end - text - 2));
		if (name)
			add_param(ctx, name, &out);
		text = end + 1;
	}
	return pw_buf_ok(&out) ? pw_arena_strdup(ctx->arena, pw_buf_str(&out)) : NULL;
}

static void observe_end(int status, struct pw_val *obs)
{
	if (!WIFSIGNALED(status)) {
		pw_map_set_int(obs, "status", WEXITSTATUS(status));
		return;
	}
	const char *name = sigabbrev_np(WTERMSIG(status));
	pw_map_set_strf(obs, "signal", "SIG%s", name ? name : "?");
}

int pw_exec_check_probe(struct pw_ctx *ctx, struct pw_val *obs, struct pw_err *err)
{
	const struct pw_exec_spec *spec = pw_exec_check_spec(ctx->check);
	const char *argv[ARGS_MAX + 1] = { NULL };
	struct pw_val *program = pw_map_set_seq(obs, "program");
	for (size_t i = 0; spec->argv[i] && i < ARGS_MAX; i++) {
		argv[i] = expand(ctx, spec->argv[i]);
		if (!argv[i])
			return pw_err_set(err, PW_NOMEM, "the arguments of %s are too long", spec->argv[0]);
		pw_seq_add_str(program, argv[i]);
	}
	PW_CLEAN_BUF struct pw_buf out, log;
	pw_buf_init(&out, OUTPUT_MAX);
	pw_buf_init(&log, PW_CHILD_LOG_MAX);
	int status = 0;
	int64_t begin = pw_mono_ms();
	int rc = pw_child_collect(argv, NULL, NULL, pw_ctx_remaining_ms(ctx), &out, &log, &status, err);
	if (rc < 0)
		return rc;
	observe_end(status, obs);
	pw_map_set(obs, "output", pw_val_strn(ctx->arena, pw_buf_str(&out), out.len));
	pw_map_set(obs, "complaints", pw_val_strn(ctx->arena, pw_buf_str(&log), log.len));
	pw_map_set_int(obs, "ms", pw_mono_ms() - begin);
	return PW_OK;
}

/* ---- performance data ---- */

/* 'label'= or label=, quotes doubled inside quotes. Leaves *at behind the `=`; false if it is not one. */
static bool read_label(const char **at, const char *end, char label[LABEL_SPACE])
{
	const char *p = *at;
	size_t n = 0;
	bool quoted = p < end && *p == '\'';
	for (p += quoted; p < end; p++) {
		if (quoted && *p == '\'') {
			if (p + 1 >= end || p[1] != '\'')
				break;
			p++;
		} else if (!quoted && (*p == '=' || *p == ' ' || *p == '\'')) {
			break;
		}
		if (n + 1 >= LABEL_SPACE)
			return false;
		label[n++] = *p;
	}
	label[n] = '\0';
	p += quoted && p < end;
	if (n == 0 || p >= end || *p != '=')
		return false;
	*at = p + 1;
	return true;
}

/* One field up to `;`, space or the end. */
static size_t read_field(const char **at, const char *end, char field[NUMBER_SPACE])
{
	const char *p = *at;
	size_t n = 0;
	for (; p < end && *p != ';' && *p != ' ' && *p != '\t' && *p != '\n'; p++)
		if (n + 1 < NUMBER_SPACE)
			field[n++] = *p;
	field[n] = '\0';
	*at = p;
	return n;
}

static void set_number(struct pw_val *map, const char *key, const char *text, const char **ret_unit)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || (*text != '-' && *text != '+' && *text != '.' && (*text < '0' || *text > '9')))
		return; /* "U": the program does not know; no inf or nan either */
	pw_map_set_real(map, key, value);
	if (ret_unit)
		*ret_unit = end;
}

/* value[UOM];warn;crit;min;max. Thresholds may be ranges ("@10:20"), so they stay text. */
static void read_numbers(const char **at, const char *end, struct pw_val *item)
{
	static const char *const keys[] = { "value", "warn", "crit", "min", "max" };
	char field[NUMBER_SPACE];
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *unit = NULL;
		size_t n = read_field(at, end, field);
		if (i == 0 || i >= 3)
			set_number(item, keys[i], field, i == 0 ? &unit : NULL);
		else if (n)
			pw_map_set_str(item, keys[i], field);
		if (unit && *unit)
			pw_map_set_str(item, "unit", unit);
		if (*at >= end || **at != ';')
			return;
		++*at;
	}
}

void pw_nagios_perfdata(const char *text, size_t len, struct pw_val *ret)
{
	const char *p = text, *end = text + len;
	char label[LABEL_SPACE];
	while (p < end) {
		if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') {
			p++;
		} else if (read_label(&p, end, label)) {
			read_numbers(&p, end, pw_map_set_map(ret, label));
		} else {
			while (p < end && *p != ' ' && *p != '\n') /* not performance data: to the next word */
				p++;
		}
	}
}

/* ---- judge ---- */

static size_t trimmed(const char *text, size_t len)
{
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	return len;
}

/* "text | perf\nmore text\nmore | perf\nperf": what follows a bar is numbers, on the first line to its end, later to the end. */
static void read_output(struct pw_arena *arena, const char *out, bool nagios, const char **ret_text, struct pw_val *evidence)
{
	size_t line = strcspn(out, "\n"), bar = nagios ? strcspn(out, "|\n") : line;
	*ret_text = pw_arena_strndup(arena, out, trimmed(out, bar));
	pw_map_set_str(evidence, "text", *ret_text);
	struct pw_val *numbers = nagios ? pw_map_set_map(evidence, "perfdata") : NULL;
	if (nagios && out[bar] == '|')
		pw_nagios_perfdata(out + bar + 1, line - bar - 1, numbers);
	const char *rest = out + line + (out[line] == '\n');
	size_t long_text = nagios ? strcspn(rest, "|") : strlen(rest);
	if (trimmed(rest, long_text))
		pw_map_set(evidence, "details", pw_val_strn(arena, rest, trimmed(rest, long_text)));
	if (rest[long_text] == '|')
		pw_nagios_perfdata(rest + long_text + 1, strlen(rest + long_text + 1), numbers);
}

static const char *outcome_of(long long status, bool nagios)
{
	switch (status) {
	case STATUS_OK: return "ok";
	case STATUS_WARNING: return nagios ? "warning" : "failed";
	case STATUS_CRITICAL: return nagios ? "critical" : "failed";
	case STATUS_UNKNOWN: return nagios ? "unknown-status" : "failed";
	default: return "error";
	}
}

int pw_exec_check_judge(struct pw_ctx *ctx, const struct pw_val *obs, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_exec_spec *spec = pw_exec_check_spec(ctx->check);
	struct pw_val *evidence = pw_result_evidence(result);
	const char *program = spec->argv[0], *text = "";
	const char *signal_name = pw_map_str(obs, "signal", NULL), *output = pw_map_str(obs, "output", "");
	long long status = pw_map_int(obs, "status", -1);
	pw_map_set(evidence, "program", pw_val_copy(ctx->arena, pw_map_get(obs, "program")));
	read_output(ctx->arena, output, spec->nagios, &text, evidence);
	if (signal_name) {
		pw_map_set_str(evidence, "signal", signal_name);
		pw_result_set(result, "error", "%s was killed by %s", program, signal_name);
		return PW_OK;
	}
	pw_map_set_int(evidence, "status", status);
	const char *outcome = outcome_of(status, spec->nagios);
	if (!strcmp(outcome, "error")) {
		const char *words = text && *text ? text : pw_map_str(obs, "complaints", "");
		pw_result_set(result, outcome, "%s exited with status %lld: %.*s", program, status, (int)trimmed(words, strlen(words)), words);
		return PW_OK;
	}
	if (!text || !*text)
		pw_result_set(result, "error", "%s printed nothing (exit status %lld)", program, status);
	else
		pw_result_set(result, outcome, "%s", text);
	return PW_OK;
}
