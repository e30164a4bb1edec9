/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns_resolve: look a name up, either the way the vantage's libc does (its own
 * resolv.conf, search list, ndots, hosts file) or with one question to one
 * server, and tell every kind of failure apart.
 */
#include <stdio.h>
#include <string.h>

#include <packetwalk/borrow.h>
#include <packetwalk/cleanup.h>
#include <packetwalk/facts.h>

static const struct pw_param params[] = {
	{ "name", PW_TYPE_HOST, 1, NULL, NULL, "Name to look up" },
	{ "server", PW_TYPE_STR, 0, NULL, NULL, "Ask this server once, with the name as it is; left out: as the vantage's libc does" },
	{ "type", PW_TYPE_CHOICE, 0, "A", "A|AAAA|SRV|PTR|TXT|SOA|NS|CNAME", "Record type, with `server`" },
	{ "transport", PW_TYPE_CHOICE, 0, "udp", "udp|tcp", "With `server`" },
	{ "expect", PW_TYPE_STR, 0, NULL, NULL, "Addresses the answer should hold, separated by commas: any of them, and no other of its family" },
	{ "wait", PW_TYPE_DURATION, 0, "2s", NULL, "Limit of one question" },
	{ "tries", PW_TYPE_INT, 0, "1", "1..5", "Questions before silence counts, with `server`" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "resolved", PW_CLASS_OK, "Answered, with the expected address if one was given.", NULL, NULL },
	{ "slow", PW_CLASS_WARN, "Answered, but only after a question went unanswered, or after a second and more.", "one of several DNS servers is dead or overloaded, or packets are lost", "ask every DNS pod directly" },
	{ "search-domain", PW_CLASS_WARN, "A name from outside the cluster was answered only with a search domain of the node appended.", "a wildcard record in that domain", "look the name up with a trailing dot" },
	{ "hosts-file", PW_CLASS_FAIL, "A line of the hosts file answers with another address than expected.", "hostAliases, or a mounted hosts file, gone stale", "remove the line" },
	{ "mismatch", PW_CLASS_FAIL, "Answered with other addresses than expected.", "another server, a stale record, or a wildcard in a search domain", "see which name and server answered" },
	{ "nxdomain", PW_CLASS_FAIL, "The name does not exist, says the server.", "wrong name or namespace, a headless Service without ready pods, or a zone the server does not know", "look at the objects" },
	{ "nodata", PW_CLASS_FAIL, "The name exists, but has no record of that type.", "another address family, or a name of a namespace", "ask for the other type" },
	{ "servfail", PW_CLASS_FAIL, "The server could not find an answer.", "its upstream is dead, or it has not read the cluster's objects yet", "ask its upstream" },
	{ "refused", PW_CLASS_FAIL, "The server answered REFUSED.", "no zone for that name, an access list, or too many queries at once", "look at the server's configuration" },
	{ "timeout", PW_CLASS_FAIL, "No answer.", "policy, firewall, no route, or dead servers behind the address", "ask every DNS pod directly" },
	{ "refused-icmp", PW_CLASS_FAIL, "Port unreachable, by ICMP or a RST: nothing serves DNS at that address.", "the DNS Service has no endpoints", "look at the DNS pods" },
	{ "unreachable", PW_CLASS_FAIL, "No question gets out to the server.", "a missing route, or a firewall of the sender's own host", "look at the routes" },
	{ "truncated", PW_CLASS_FAIL, "The answer was cut over UDP and does not come over TCP either.", "TCP port 53 is blocked", "open TCP 53" },
	{ "malformed", PW_CLASS_FAIL, "What came back is no DNS answer, or the connection was closed without one.", NULL, NULL },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "addresses", PW_TYPE_STR, NULL, "Addresses or targets in the answer, separated by commas" },
	{ "first", PW_TYPE_ADDRESS, NULL, "The first address, empty if none" },
	{ "asked", PW_TYPE_HOST, NULL, "The name that decided, fully qualified" },
	{ "server", PW_TYPE_STR, NULL, "Server that decided, empty if the hosts file did" },
	{ "rcode", PW_TYPE_STR, NULL, "DNS response code, empty if none came" },
	{ "queries", PW_TYPE_INT, NULL, "Questions it took" },
	{ "ms", PW_TYPE_REAL, "ms", "Time of the whole lookup" },
	{ "expected", PW_TYPE_STR, NULL, "Address expected, empty if none" },
	{ "silent", PW_TYPE_STR, NULL, "Server that left a question of the lookup unanswered, empty if none did" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* Whose rules the vantage's lookups follow; a vantage without a known libc is
 * taken for glibc, whose rules static resolvers copy. */
static int lookup_as_libc(struct pw_ctx *ctx, const char *name, struct pw_val *observation, struct pw_err *err)
{
	struct pw_val *config = pw_val_map(pw_ctx_arena(ctx));
	int rc = pw_probe_resolv_conf(ctx, config, err);
	const char *libc = pw_map_str(config, "libc", "");
	if (rc)
		return rc;
	return pw_probe_lookup(ctx, name, !strcmp(libc, "musl") ? "musl" : "glibc", true, pw_ctx_ms(ctx, "wait"), observation, err);
}

static struct pw_dns_query query_of(const struct pw_ctx *ctx)
{
	return (struct pw_dns_query){
		.server = pw_ctx_str(ctx, "server"), .name = pw_ctx_str(ctx, "name"), .type = pw_ctx_str(ctx, "type"),
		.tcp = !strcmp(pw_ctx_str(ctx, "transport"), "tcp"),
		.edns = true, .timeout_ms = pw_ctx_ms(ctx, "wait"), .tries = (unsigned)pw_ctx_int(ctx, "tries"),
	};
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_dns_query query = query_of(ctx);
	if (!query.server || !*query.server)
		return lookup_as_libc(ctx, query.name, observation, err);
	int rc = pw_probe_dns(ctx, &query, observation, err);
	if (rc || query.tcp || !pw_map_bool(observation, "tc", false))
		return rc;
	query.tcp = true; /* the answer was cut: as a resolver would, ask for it whole */
	return pw_probe_dns(ctx, &query, pw_map_set_map(observation, "whole"), err);
}

static int borrow(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *observation, struct pw_err *err)
{
	struct pw_dns_query query = query_of(ctx);
	if (!query.server || !*query.server)
		return pw_borrow_lookup(ctx, tools, query.name, query.timeout_ms, observation, err);
	int rc = pw_borrow_dns(ctx, tools, &query, observation, err);
	if (rc || query.tcp || !pw_map_bool(observation, "tc", false))
		return rc;
	query.tcp = true;
	return pw_borrow_dns(ctx, tools, &query, pw_map_set_map(observation, "whole"), err);
}

static bool is(const struct pw_val *map, const char *key, const char *word)
{
	return !strcmp(pw_map_str(map, key, ""), word);
}

/* The question that decided. Of a lookup, the last one that ended as the lookup did; else the one question there is. */
static const struct pw_val *deciding(const struct pw_val *observation)
{
	const struct pw_val *queries = pw_map_get(observation, "queries"), *whole = pw_map_get(observation, "whole");
	size_t n = pw_val_count(queries);
	for (size_t i = n; i > 0; i--) {
		const struct pw_val *query = pw_val_at(queries, i - 1);
		if (is(query, "result", pw_map_str(observation, "result", "")) && is(query, "rcode", pw_map_str(observation, "rcode", "")))
			return query;
	}
	return n ? pw_val_at(queries, n - 1) : is(whole, "result", "answered") ? whole : observation;
}

/* A question that was really waited for: musl asks all servers at once and lets go of the others when one answers. */
#define WAITED_MS 500

static size_t unanswered(const struct pw_val *observation, unsigned wait_ms, const char **ret_server)
{
	const struct pw_val *queries = pw_map_get(observation, "queries");
	double least = wait_ms < 2 * WAITED_MS ? wait_ms / 2.0 : WAITED_MS;
	size_t count = 0;
	for (size_t i = 0; i < pw_val_count(queries); i++) {
		double ms = 0;
		(void)pw_val_to_real(pw_map_get(pw_val_at(queries, i), "ms"), &ms);
		if (!is(pw_val_at(queries, i), "result", "timeout") || ms < least)
			continue;
		*ret_server = count++ ? *ret_server : pw_map_str(pw_val_at(queries, i), "server", "");
	}
	return count;
}

/* Cut over UDP, and no answer to the same question over TCP. */
static bool cut_short(const struct pw_val *observation, const struct pw_val *query)
{
	const struct pw_val *queries = pw_map_get(observation, "queries"), *whole = pw_map_get(observation, "whole");
	bool cut = pw_map_bool(query, "tc", false) && whole && !is(whole, "result", "answered");
	for (size_t i = 0; is(query, "transport", "tcp") && !is(query, "result", "answered") && i < pw_val_count(queries); i++)
		cut |= pw_map_bool(pw_val_at(queries, i), "tc", false) && is(pw_val_at(queries, i), "name", pw_map_str(query, "name", ""));
	return cut;
}

static void join(struct pw_buf *out, const struct pw_val *list)
{
	for (size_t i = 0; i < pw_val_count(list); i++)
		pw_buf_printf(out, "%s%s", out->len ? ", " : "", pw_val_text(pw_val_at(list, i)) ? pw_val_text(pw_val_at(list, i)) : "");
}

static bool in_text(const char *expect, const char *address)
{
	size_t want = strlen(address);
	for (const char *p = expect; *p;) {
		size_t len = strcspn(p, ", ");
		if (len == want && !memcmp(p, address, len))
			return true;
		p += len + strspn(p + len, ", ");
	}
	return false;
}

/* Some expected address is there, and none besides of the same family: an answer with two records takes turns. */
static bool meets(const struct pw_val *list, const char *expect)
{
	bool six = strchr(expect, ':') != NULL, found = false;
	for (size_t i = 0; i < pw_val_count(list); i++) {
		const char *address = pw_val_text(pw_val_at(list, i));
		if (!address)
			continue;
		if (in_text(expect, address))
			found = true;
		else if ((strchr(address, ':') != NULL) == six)
			return false;
	}
	return found;
}

static const char *by_rcode(const struct pw_val *query, const struct pw_val *addresses)
{
	const char *rcode = pw_map_str(query, "rcode", "");
	if (!strcmp(rcode, "NXDOMAIN"))
		return "nxdomain";
	if (!strcmp(rcode, "SERVFAIL"))
		return "servfail";
	if (!strcmp(rcode, "REFUSED"))
		return "refused";
	if (strcmp(rcode, "NOERROR"))
		return *rcode || !pw_val_count(addresses) ? "malformed" : "resolved"; /* an address in place of a name needs no server */
	/* A CNAME that leads nowhere is an answer, and no address. */
	bool wants_address = !strncmp(pw_map_str(query, "type", "A"), "A", 1);
	return pw_val_count(addresses) || (!wants_address && pw_map_int(query, "answers", 0) > 0) ? "resolved" : "nodata";
}

static const char *by_result(const char *result)
{
	static const char *const words[][2] = {
		{ "timeout", "timeout" }, { "refused-icmp", "refused-icmp" }, { "refused-rst", "refused-icmp" }, { "unreachable", "unreachable" },
		{ "local-denied", "unreachable" }, { "closed", "malformed" }, { "malformed", "malformed" },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(result, words[i][0]))
			return words[i][1];
	return NULL;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), e = strlen(end);
	while (n && text[n - 1] == '.')
		n--;
	return n > e && !strncmp(text + n - e, end, e) && text[n - e - 1] == '.';
}

/* "www.example.com" answered as "www.example.com.corp.test": a dotted name is
 * meant to be whole, and the cluster's own search domains are no surprise. */
static bool by_foreign_search(const char *name, const char *asked, const char *domain)
{
	size_t len = strlen(name);
	return strchr(name, '.') && name[len - 1] != '.' && !ends_with(name, domain) && !strncmp(asked, name, len) && asked[len] == '.' && asked[len + 1] &&
	       !ends_with(asked, domain);
}

/* As long as a resolver of impatient programs waits. */
#define LATE_MS 1000

static const char *decide(const struct pw_val *observation, const struct pw_val *query, const struct pw_val *addresses, const char *expect, bool late)
{
	const char *bad = by_result(pw_map_str(query, "result", ""));
	bool from_hosts = pw_map_bool(observation, "from_hosts", false);
	const char *word = from_hosts ? "resolved" : cut_short(observation, query) ? "truncated" : bad ? bad : by_rcode(query, addresses);
	if (strcmp(word, "resolved"))
		return word;
	if (expect && *expect && !meets(addresses, expect))
		return from_hosts ? "hosts-file" : "mismatch";
	return late ? "slow" : "resolved";
}

static void say(struct pw_result *result, const char *word, const char *name, const char *who, const char *addresses, const char *expect, size_t lost, double ms)
{
	if (!strcmp(word, "resolved"))
		pw_result_set(result, word, "%s is %s, says %s.", name, *addresses ? addresses : "known", who);
	else if (!strcmp(word, "search-domain"))
		pw_result_set(result, word, "%s is %s, but only with a search domain appended, says %s.", name, addresses, who);
	else if (!strcmp(word, "slow") && !lost)
		pw_result_set(result, word, "%s is %s, says %s, after %.1f s.", name, *addresses ? addresses : "known", who, ms / 1000);
	else if (!strcmp(word, "slow"))
		pw_result_set(result, word, "%s is %s, but %zu questions went unanswered first.", name, addresses, lost);
	else if (!strcmp(word, "mismatch") || !strcmp(word, "hosts-file"))
		pw_result_set(result, word, "%s is %s, says %s; expected %s.", name, addresses, who, expect);
	else if (!strcmp(word, "timeout"))
		pw_result_set(result, word, "%s: no answer from %s.", name, who);
	else if (!strcmp(word, "refused-icmp"))
		pw_result_set(result, word, "%s: nothing serves DNS at %s (port unreachable).", name, who);
	else if (!strcmp(word, "unreachable"))
		pw_result_set(result, word, "%s: no question gets out to %s.", name, who);
	else
		pw_result_set(result, word, "%s: %s from %s.", name, word, who);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *query = deciding(observation);
	const struct pw_val *list = pw_map_get(pw_map_get(observation, "queries") ? observation : query, "addresses");
	const char *expect = pw_ctx_str(ctx, "expect"), *name = pw_ctx_str(ctx, "name");
	const char *first = pw_val_text(pw_val_at(list, 0));
	if (!pw_val_count(list))
		list = pw_map_get(query, "targets");
	PW_CLEAN_BUF struct pw_buf addresses;
	pw_buf_init(&addresses, 8192);
	join(&addresses, list);
	bool from_hosts = pw_map_bool(observation, "from_hosts", false);
	const char *server = from_hosts ? "" : pw_map_str(query, "server", "");
	const char *who = from_hosts ? "the hosts file" : *server ? server : "the name itself";
	const char *silent = "";
	size_t lost = unanswered(observation, pw_ctx_ms(ctx, "wait"), &silent);
	double ms = 0;
	(void)pw_val_to_real(pw_map_get(observation, "ms"), &ms);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "addresses", pw_buf_str(&addresses));
	pw_map_set_str(ev, "first", first ? first : "");
	pw_map_set_str(ev, "asked", pw_map_str(observation, "candidate", pw_map_str(query, "name", name)));
	pw_map_set_str(ev, "server", server);
	pw_map_set_str(ev, "rcode", pw_map_str(query, "rcode", ""));
	pw_map_set_int(ev, "queries", pw_map_int(observation, "n_queries", pw_map_int(observation, "tries", 1)));
	pw_map_set_real(ev, "ms", ms);
	pw_map_set_str(ev, "expected", expect ? expect : "");
	pw_map_set_str(ev, "silent", silent);
	if (is(query, "result", "untold")) {
		pw_result_unknown(result, "%s: %s asked %s and does not tell how that ended. An agent on the node would.", name,
				  pw_map_str(query, "tool", "a borrowed program"), who);
		return PW_OK;
	}
	const char *word = decide(observation, query, list, expect, lost || ms >= LATE_MS);
	if (!strcmp(word, "resolved") && by_foreign_search(name, pw_map_str(observation, "candidate", ""), pw_facts_cluster_domain(pw_ctx_facts(ctx))))
		word = "search-domain";
	if (!strcmp(word, "slow") && !lost && pw_map_bool(query, "loose", false))
		pw_result_unknown(result, "%s is %s, says %s, after %.1f s, and %s may have been slow itself. An agent on the node would tell.", name,
				  pw_buf_str(&addresses), who, ms / 1000, pw_map_str(query, "tool", "its program"));
	else
		say(result, word, name, who, pw_buf_str(&addresses), expect ? expect : "", lost, ms);
	return PW_OK;
}

const struct pw_check pw_check_dns_resolve = {
	PW_CHECK_HEAD("dns_resolve"),
	.summary = "Look a name up, as the vantage's libc does or at one server",
	.details = "Without `server`: the vantage's resolv.conf, search list, ndots and hosts file, in glibc's or musl's order. With it: one question, rcode never hidden.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.timeout_ms = 12000,
	.example = "check dns_resolve name=kubernetes.default.svc.cluster.local server=10.96.0.10",
	.probe = probe,
	.judge = judge,
	.borrow = borrow,
};
