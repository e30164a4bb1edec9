/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules of this network namespace, asked of the programs that print them.
 * Nothing here makes a table: iptables-legacy-save is run only where the kernel
 * says that legacy tables exist, and iptables-nft-save and nft only list.
 */
#include <packetwalk/cleanup.h>
#include <proc/child.h>

#include "rules.h"

#include <fcntl.h>
#include <string.h>

/* A dump of 100,000 rules is about 15 MB, as nft's JSON about 60 MB. */
static const size_t DUMP_MAX = 96u << 20;
enum { LOG_MAX = 4096 };

struct run {
	struct pw_ctx *ctx;
	struct pw_rules *rules;
	unsigned read;
	struct pw_err first;         /* why the first of them gave nothing */
};

static void note_failure(struct run *run, const char *program, const struct pw_err *why)
{
	pw_rules_problem(run->rules, program, 0, "%.240s", why->text);
	if (run->first.code == PW_OK)
		run->first = *why;
}

static bool says_denied(const char *log)
{
	return strstr(log, "Operation not permitted") || strstr(log, "ermission denied") || strstr(log, "you must be root");
}

/* Its output into `out`; false when there is none, and why is noted. */
static bool collect(struct run *run, const char *const *argv, struct pw_buf *out)
{
	struct pw_err err = PW_ERR_INIT;
	PW_CLEAN_BUF struct pw_buf log;
	int status = 0;
	pw_buf_init(&log, LOG_MAX);
	int rc = pw_child_collect(argv, NULL, NULL, pw_ctx_remaining_ms(run->ctx), out, &log, &status, &err);
	if (rc == PW_ABSENT)
		return false;
	if (rc == PW_OK && status != 0) {
		PW_CLEAN_BUF struct pw_buf said;
		pw_buf_init(&said, LOG_MAX);
		pw_buf_escaped(&said, pw_buf_str(&log), strcspn(pw_buf_str(&log), "\n"));
		bool denied = says_denied(pw_buf_str(&log));
		rc = pw_err_set(&err, denied ? PW_DENIED : PW_IO, "%s failed: %.200s%s", argv[0], *pw_buf_str(&said) ? pw_buf_str(&said) : "no reason given",
				denied ? " (listing rules needs CAP_NET_ADMIN and, for legacy tables, CAP_NET_RAW)" : "");
	}
	if (rc != PW_OK)
		note_failure(run, argv[0], &err);
	return rc == PW_OK;
}

static int add_save(struct run *run, enum pw_rules_backend backend, const char *program, struct pw_err *err)
{
	const char *argv[] = { program, "-c", NULL };
	struct pw_err why = PW_ERR_INIT;
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, DUMP_MAX);
	if (!collect(run, argv, &out))
		return PW_OK;
	int rc = pw_rules_add_iptables_save(run->rules, backend, pw_buf_str(&out), out.len, program, &why);
	if (rc == PW_OK)
		run->read++;
	else if (rc == PW_NOMEM)
		return pw_err_set(err, rc, "%s", why.text);
	else
		note_failure(run, program, &why);
	return PW_OK;
}

static bool installed(const char *program)
{
	char path[256];
	struct pw_err ignored = PW_ERR_INIT;
	return pw_program_find(program, NULL, path, sizeof path, &ignored) == PW_OK;
}

static int add_nft(struct run *run, struct pw_err *err)
{
	static const char *const argv[] = { "nft", "-j", "list", "ruleset", NULL };
	struct pw_err why = PW_ERR_INIT;
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, DUMP_MAX);
	if (!installed("nft")) {
		pw_rules_problem(run->rules, "nft", 0, "not installed: rules that iptables does not print stay unseen");
		return PW_OK;
	}
	if (!collect(run, argv, &out))
		return PW_OK;
	if (out.len == 0) { /* some versions print nothing for an empty ruleset */
		run->read++;
		return PW_OK;
	}
	int rc = pw_rules_add_nft_json(run->rules, pw_buf_str(&out), out.len, "nft", &why);
	if (rc == PW_OK)
		run->read++;
	else if (rc == PW_NOMEM)
		return pw_err_set(err, rc, "%s", why.text);
	else
		note_failure(run, "nft", &why);
	return PW_OK;
}

/* Lists the legacy tables of this namespace; absent or empty: there are none. Root may read it, others not. */
static bool has_legacy_tables(const char *names)
{
	char first;
	PW_CLEAN_CLOSE int fd = open(names, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &first, 1) == 1;
}

/* Which backend a plain iptables-save is of: its version says so, and before 1.8 there was legacy only. */
static enum pw_rules_backend plain_backend(struct run *run, const char *program)
{
	const char *argv[] = { program, "-V", NULL };
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, LOG_MAX);
	return collect(run, argv, &out) && strstr(pw_buf_str(&out), "nf_tables") ? PW_RULES_NFT : PW_RULES_LEGACY;
}

/* One IP version: "iptables" or "ip6tables". */
static int add_iptables(struct run *run, bool v6, struct pw_err *err)
{
	const char *nft = v6 ? "ip6tables-nft-save" : "iptables-nft-save", *legacy = v6 ? "ip6tables-legacy-save" : "iptables-legacy-save";
	const char *plain = v6 ? "ip6tables-save" : "iptables-save";
	bool tables = has_legacy_tables(v6 ? "/proc/thread-self/net/ip6_tables_names" : "/proc/thread-self/net/ip_tables_names");
	bool has_nft = installed(nft), has_legacy = installed(legacy);
	if (!has_nft && !has_legacy && installed(plain)) {
		enum pw_rules_backend backend = plain_backend(run, plain);
		if (backend == PW_RULES_NFT)
			return add_save(run, backend, plain, err);
		if (tables)
			return add_save(run, backend, plain, err);
		run->read++; /* it could print legacy tables, and there are none */
		return PW_OK;
	}
	int rc = add_save(run, PW_RULES_NFT, nft, err);
	if (rc == PW_OK && tables && !has_legacy)
		pw_rules_problem(run->rules, legacy, 0, "the kernel has legacy tables here, and the program that lists them is not installed");
	if (rc == PW_OK && tables && has_legacy)
		rc = add_save(run, PW_RULES_LEGACY, legacy, err);
	return rc;
}

/* The addresses that `addrtype LOCAL` and the choice between INPUT and FORWARD go by. Without them the walk has doubts. */
static int add_locals(struct run *run, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(run->ctx);
	struct pw_val *holder = pw_val_map(arena);
	struct pw_err why = PW_ERR_INIT;
	if (pw_read_links(run->ctx, holder, &why) != PW_OK) {
		pw_rules_problem(run->rules, "addresses", 0, "%.240s", why.text);
		return PW_OK;
	}
	const struct pw_val *links = pw_map_get(holder, "links");
	size_t n = 0;
	for (size_t i = 0; i < pw_val_count(links); i++)
		n += pw_val_count(pw_map_get(pw_val_at(links, i), "addresses"));
	const char **locals = pw_arena_array(run->rules->arena, n + 1, sizeof *locals);
	if (!locals)
		return pw_err_set(err, PW_NOMEM, "cannot keep the addresses of this namespace: out of memory");
	run->rules->n_locals = 0;
	for (size_t i = 0; i < pw_val_count(links); i++) {
		const struct pw_val *addresses = pw_map_get(pw_val_at(links, i), "addresses");
		for (size_t k = 0; k < pw_val_count(addresses); k++)
			locals[run->rules->n_locals++] = pw_arena_strdup(run->rules->arena, pw_val_text(pw_val_at(addresses, k)));
	}
	run->rules->locals = locals;
	return PW_OK;
}

int pw_rules_read(struct pw_ctx *ctx, struct pw_rules *rules, struct pw_err *err)
{
	if (!rules)
		return pw_err_set(err, PW_NOMEM, "reading the packet filter's rules: out of memory");
	struct run run = { .ctx = ctx, .rules = rules, .first = PW_ERR_INIT };
	int rc = add_iptables(&run, false, err);
	if (rc == PW_OK)
		rc = add_iptables(&run, true, err);
	if (rc == PW_OK)
		rc = add_nft(&run, err);
	if (rc == PW_OK)
		rc = add_locals(&run, err);
	if (rc != PW_OK || run.read > 0)
		return rc;
	if (run.first.code != PW_OK)
		return pw_err_set(err, run.first.code, "cannot read the packet filter's rules: %s", run.first.text);
	return pw_err_set(err, PW_UNSUPPORTED, "cannot read the packet filter's rules: none of iptables-save, iptables-nft-save and nft is installed here");
}
