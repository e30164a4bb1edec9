/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file of questions: the same rows in the same order, each with its verdict. */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include <doc/yaml.h>

#define ASK_MAX ((size_t)256 << 20) /* bytes of a file of questions */

static bool is_tsv(const struct pw_policy_job *job)
{
	return job->writer == &pw_policy_tsv;
}

enum { SRC, DST, PROTOCOL, PORTS, COLUMNS };

struct row { char *cell[COLUMNS]; };

/* Splits in place at tabs; false when there are fewer columns. More are passed over. */
static bool split_row(char *line, struct row *ret)
{
	for (int i = 0; i < COLUMNS; i++) {
		char *tab = line ? strchr(line, '\t') : NULL;

		if (!line)
			return false;
		ret->cell[i] = line;
		if (tab)
			*tab = '\0';
		line = tab ? tab + 1 : NULL;
	}
	return true;
}

/* All of what is asked is allowed, or denied, or what is not known decides. */
static const char *verdict(struct pw_ports_pool *ports, uint32_t asked, struct pw_reach reach)
{
	if (pw_ports_minus(ports, asked, reach.allowed) == PW_PORTS_NONE)
		return "allow";
	return pw_ports_minus(ports, asked, pw_ports_or(ports, reach.allowed, reach.unknown)) == PW_PORTS_NONE ? "unknown" : "deny";
}

static int judge(struct pw_policy_job *job, const struct row *row, const char **ret, struct pw_err *err)
{
	struct pw_group from, to;
	uint32_t asked;
	int protocol = pw_protocol_index(row->cell[PROTOCOL]), rc;

	if (protocol < 0 && strcmp(row->cell[PROTOCOL], "ANY") != 0)
		return pw_err_set(err, PW_SYNTAX, "\"%s\" is not one of TCP, UDP, SCTP, ANY", row->cell[PROTOCOL]);
	if (!pw_ports_parse(job->ports, row->cell[PORTS], protocol, &asked))
		return pw_err_set(err, PW_SYNTAX, "\"%s\" is neither \"all\" nor a list of ports", row->cell[PORTS]);
	if ((rc = pw_matrix_find(job->matrix, row->cell[SRC], &from, err)) != PW_OK ||
	    (rc = pw_matrix_find(job->matrix, row->cell[DST], &to, err)) != PW_OK)
		return rc;
	*ret = verdict(job->ports, asked, pw_matrix_allowed(job->matrix, &from, &to));
	return PW_OK;
}

static void put_answer(struct pw_policy_job *job, const struct row *row, const char *answer)
{
	for (int i = 0; i < COLUMNS; i++) {
		pw_buf_escaped(&job->out, row->cell[i], strlen(row->cell[i]));
		pw_buf_puts(&job->out, is_tsv(job) ? "\t" : " ");
	}
	pw_buf_printf(&job->out, "%s\n", answer);
	pw_policy_flush_full(job);
}

static int bad_row(struct pw_policy_job *job, const char *file, unsigned line, const char *why)
{
	pw_policy_flush(job);
	return pw_fail(job->app, PW_EXIT_USAGE, "%s:%u: %s", file, line, why);
}

static int answer_lines(struct pw_policy_job *job, const char *file, char *text)
{
	struct pw_err err = PW_ERR_INIT;
	unsigned number = 0;

	for (char *line = text, *next; line; line = next) {
		struct row row;
		const char *answer = "";

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		number++;
		if (!line[0])
			continue;
		if (!split_row(line, &row))
			return bad_row(job, file, number, "a row has the columns src, dst, protocol and ports, with tabs between them");
		if (number == 1 && strcmp(row.cell[SRC], "src") == 0) {
			if (is_tsv(job))
				pw_buf_puts(&job->out, "src\tdst\tprotocol\tports\tverdict\n");
			continue;
		}
		if (judge(job, &row, &answer, &err) != PW_OK)
			return bad_row(job, file, number, err.text);
		put_answer(job, &row, answer);
	}
	pw_policy_flush(job);
	return PW_EXIT_HEALTHY;
}

int pw_policy_answer(struct pw_policy_job *job, const char *file)
{
	struct pw_err err = PW_ERR_INIT;
	char *text;
	size_t len;
	int code;

	if (pw_file_read(file, ASK_MAX, &text, &len, &err) != PW_OK)
		return pw_fail_err(job->app, PW_EXIT_USAGE, &err);
	code = answer_lines(job, file, text);
	free(text);
	return code;
}
