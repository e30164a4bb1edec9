/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dumps of real machines: with CORPORA=DIR every one is read, counted against
 * grep's view of it, and walked; kube-proxy's own expectations hold for the
 * rule set that its tests were run on.
 */
#include "dataplane_util.h"

#include <dirent.h>
#include <stdlib.h>

static const char *corpora;
static const size_t FILE_MAX = 1u << 20;

static char *slurp(const char *path, size_t *ret_len)
{
	PW_CLEAN_FILE FILE *file = fopen(path, "re");
	char *text = file ? malloc(FILE_MAX) : NULL;
	*ret_len = text ? fread(text, 1, FILE_MAX - 1, file) : 0;
	if (text)
		text[*ret_len] = '\0';
	return text;
}

/* grep -c: lines that begin so, after counters. */
static size_t count_lines(const char *text, const char *const *starts, size_t n_starts)
{
	size_t n = 0;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *at = line;
		if (*at == '[' && strcspn(at, "]") < strcspn(at, "\n"))
			at += strcspn(at, "]") + 1;
		at += strspn(at, " ");
		for (size_t i = 0; i < n_starts; i++)
			n += strncmp(at, starts[i], strlen(starts[i])) == 0;
	}
	return n;
}

static void read_save(const char *dir, const char *name)
{
	static const char *const rule_starts[] = { "-A", "-I" }, *const chain_starts[] = { ":", "-N" };
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(64u << 20);
	struct pw_err err = PW_ERR_INIT;
	char path[512];
	size_t len;
	(void)snprintf(path, sizeof path, "%s/%s/%s", corpora, dir, name);
	PW_CLEAN_FREE char *text = slurp(path, &len);
	struct pw_rules *rules = pw_rules_new(arena);
	int rc = pw_rules_add_iptables_save(rules, PW_RULES_TEXT, text, len, name, &err);
	bool listing = strstr(text, "\nChain ") || strncmp(text, "Chain ", 6) == 0;
	if (listing) {
		ok(rc == PW_SYNTAX && strstr(err.text, "not what iptables-save prints"), "%s is a listing and is refused: %s", name, err.text);
		return;
	}
	struct pw_val *problems = pw_val_seq(arena);
	pw_rules_problems(rules, problems);
	size_t unread = 0;
	for (size_t i = 0; i < pw_val_count(problems); i++) {
		const char *problem = pw_val_text(pw_val_at(problems, i));
		unread += strstr(problem, "this rule cannot be read") || strstr(problem, "a rule without a chain");
	}
	ok(rc == PW_OK, "%s is read: %s", name, err.text);
	is_int(pw_rules_count(rules) + unread, count_lines(text, rule_starts, 2), name);
	ok(pw_rules_chain_count(rules) <= count_lines(text, chain_starts, 2), "%s: chains are declared once", name);
	struct pw_packet packet = { .src = "10.1.2.3", .dst = "10.2.3.4", .protocol = "tcp", .dport = 80 };
	ok(strcmp(outcome_of(arena, rules, &packet), "?") != 0, "%s can be walked", name);
}

static void each_file(const char *dir, const char *prefix, void (*fn)(const char *dir, const char *name))
{
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%s", corpora, dir);
	DIR *d = opendir(path);
	ok(d != NULL, "%s opens", path);
	for (struct dirent *entry = d ? readdir(d) : NULL; entry; entry = readdir(d))
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			fn(dir, entry->d_name);
	if (d)
		(void)closedir(d);
}

static void read_nft(const char *dir, const char *name)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(64u << 20);
	struct pw_err err = PW_ERR_INIT;
	char path[512];
	size_t len;
	const char *dot = strrchr(name, '.');
	if (!dot || strcmp(dot, ".json") != 0)
		return;
	(void)snprintf(path, sizeof path, "%s/%s/%s", corpora, dir, name);
	PW_CLEAN_FREE char *text = slurp(path, &len);
	struct pw_rules *rules = pw_rules_new(arena);
	int rc = pw_rules_add_nft_json(rules, text, len, name, &err);
	if (strstr(text, "\"nftables\""))
		ok(rc == PW_OK && pw_rules_count(rules) > 0, "%s is read, %zu rules: %s", name, pw_rules_count(rules), err.text);
	else
		ok(rc == PW_SYNTAX && strstr(err.text, "no list \"nftables\""), "%s is not of nft and is refused: %s", name, err.text);
}

/* One line of expected.tsv: src protocol dst port outcome backends masquerade mode name */
static void trace_row(struct pw_arena *arena, const struct pw_rules *rules, char *line, const char *file)
{
	static const char *const locals[] = { "192.168.0.2", "192.168.1.2", "192.168.99.11", "2001:db8::1", "2001:db8:1::2" };
	char *col[9] = { NULL }, *save = NULL;
	size_t n = 0;
	for (char *word = strtok_r(line, "\t", &save); word && n < 9; word = strtok_r(NULL, "\t", &save))
		col[n++] = word;
	if (n < 9 || strcmp(col[0], "src") == 0)
		return;
	struct pw_packet packet = { .src = col[0], .dst = col[2], .protocol = "tcp", .dport = (unsigned)strtoul(col[3], NULL, 10), .locals = locals, .n_locals = 5 };
	const struct pw_val *ret = walk(arena, rules, &packet);
	is_str(pw_map_str(ret, "outcome", "?"), col[4], pw_arena_printf(arena, "%s: %s: outcome", file, col[8]));
	if (strcmp(col[4], "dnat") == 0) {
		is_str(joined(arena, pw_map_get(ret, "targets")), col[5], pw_arena_printf(arena, "%s: %s: backends", file, col[8]));
		is_str(pw_map_bool(ret, "masquerade", false) ? "yes" : "no", col[6], pw_arena_printf(arena, "%s: %s: masquerade", file, col[8]));
	}
	ok(pw_map_get(ret, "maybe_drop") == NULL, "%s: %s: nothing is in doubt", file, col[8]);
}

static void trace(const char *dir, const char *name, bool json)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(64u << 20);
	struct pw_err err = PW_ERR_INIT;
	char path[512];
	size_t len;
	(void)snprintf(path, sizeof path, "%s/%s/%s", corpora, dir, name);
	PW_CLEAN_FREE char *text = slurp(path, &len);
	struct pw_rules *rules = pw_rules_new(arena);
	int rc = json ? pw_rules_add_nft_json(rules, text, len, name, &err) : pw_rules_add_iptables_save(rules, PW_RULES_TEXT, text, len, name, &err);
	ok(rc == PW_OK, "%s is read: %s", name, err.text);
	(void)snprintf(path, sizeof path, "%s/service-flow/iptables-trace/expected.tsv", corpora);
	PW_CLEAN_FREE char *rows = slurp(path, &len);
	char *save = NULL;
	for (char *line = strtok_r(rows, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!json || !strstr(line, "\taccept\t")) /* nftables mode has no rule for health check ports */
			trace_row(arena, rules, line, name);
}

int main(void)
{
	corpora = getenv("CORPORA");
	if (!corpora || !*corpora) {
		tap_skip("dumps of real machines", "CORPORA=DIR is not set");
		return tap_done();
	}
	each_file("dataplane/iptables", "", read_save);
	each_file("dataplane-more", "iptables-save", read_save);
	each_file("dataplane-more", "iptables-restore", read_save);
	each_file("dataplane/nft", "", read_nft);
	each_file("dataplane-more", "nft-j", read_nft);
	trace("service-flow/iptables-trace", "iptables-save.txt", false);
	trace("service-flow/iptables-trace", "iptables-nft-save.txt", false);
	trace("service-flow/iptables-trace", "rules-as-in-test.txt", false);
	trace("dataplane/nft", "kube-proxy-overall.json", true); /* the same Services in nftables mode */
	return tap_done();
}
