/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lookups a libc makes for a name, made here in its order and stopped
 * where it stops: glibc by resolv/res_query.c and res_send.c, musl by
 * src/network/{lookup_name,res_msend}.c. Waits are theirs too, except that an
 * answer nobody will use is not waited out.
 */
#include "resolv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns.h"
#include "sock.h"

enum {
	CANDIDATES_MAX = 64,
	NAME_MAX_TEXT = 1025,
	MUSL_LINE_MAX = 255,   /* bytes of a resolv.conf line with its newline: resolvconf.c, char line[256] */
	MUSL_ATTEMPTS_CAP = 10, MUSL_TIMEOUT_CAP = 60,
	MS = 1000,
};

/* ---- candidates ---- */

static bool has_option(const struct pw_val *conf, const char *name)
{
	const struct pw_val *options = pw_map_get(conf, "options");
	for (size_t i = 0; i < pw_val_count(options); i++)
		if (!strcmp(pw_val_text(pw_val_at(options, i)), name))
			return true;
	return false;
}

static void add_searched(const char *name, const char *domain, struct pw_val *ret)
{
	char text[NAME_MAX_TEXT];
	size_t n = strlen(name), d = strlen(domain);
	while (d && domain[d - 1] == '.')
		d--;
	if (n + 1 + d >= sizeof text || pw_val_count(ret) >= CANDIDATES_MAX)
		return;
	memcpy(text, name, n);
	if (d)
		text[n++] = '.';
	memcpy(text + n, domain, d);
	text[n + d] = '\0';
	pw_seq_add_str(ret, text);
}

static bool root_listed(const struct pw_val *searches)
{
	for (size_t i = 0; i < pw_val_count(searches); i++)
		if (!strcmp(pw_val_text(pw_val_at(searches, i)), "."))
			return true;
	return false;
}

void pw_resolv_candidates(const char *name, enum pw_libc libc, const struct pw_val *conf, struct pw_val *ret)
{
	const struct pw_val *searches = pw_map_get(conf, "searches");
	size_t len = strlen(name), dots = 0;
	for (const char *p = name; *p; p++)
		dots += *p == '.';
	if (len && name[len - 1] == '.') {
		add_searched(name, "", ret);
		return;
	}
	bool as_is_first = (long long)dots >= pw_map_int(conf, "ndots", 1);
	bool search = true;
	if (libc == PW_LIBC_MUSL)
		search = !as_is_first && pw_map_int(conf, "search_bytes", 0) < MUSL_LINE_MAX;
	if (as_is_first)
		add_searched(name, "", ret);
	for (size_t i = 0; search && i < pw_val_count(searches); i++)
		add_searched(name, pw_val_text(pw_val_at(searches, i)), ret);
	bool tried = as_is_first || (libc == PW_LIBC_GLIBC && root_listed(searches));
	bool never = libc == PW_LIBC_GLIBC && !dots && search && pw_val_count(searches) && has_option(conf, "no-tld-query");
	if (!tried && !never)
		add_searched(name, "", ret);
}

/* ---- what one candidate came to ---- */

enum end { FOUND, NODATA, NXDOMAIN, SERVFAIL, OTHER_RCODE, SILENT, REFUSED };

struct lookup {
	struct pw_ctx *ctx;
	pw_dns_exchange_fn *exchange; /* NULL: our own sockets */
	void *exchange_arg;
	enum pw_libc libc;
	const char *servers[PW_NAMESERVERS_MAX];
	size_t n_servers;
	unsigned attempts, timeout_ms; /* per try */
	bool tcp, edns, serial;
	struct pw_val *queries, *tried;
	/* of the candidate asked last */
	const struct pw_val *best[PW_DNS_TYPES_MAX];
	/* of the lookup: who decides */
	const struct pw_val *decided;
	enum end end;
};

static const char *const lookup_types[PW_DNS_TYPES_MAX] = { "A", "AAAA" };

static bool answered(const struct pw_val *query)
{
	return query && !strcmp(pw_map_str(query, "result", ""), "answered");
}

static enum end end_of(const struct pw_val *query)
{
	if (!answered(query)) {
		const char *result = pw_map_str(query, "result", "");
		return !strncmp(result, "refused", strlen("refused")) ? REFUSED : SILENT;
	}
	switch (pw_map_int(query, "rcode_num", -1)) {
	case 0: return pw_val_count(pw_map_get(query, "addresses")) ? FOUND : NODATA;
	case 2: return SERVFAIL;
	case 3: return NXDOMAIN;
	default: return OTHER_RCODE;
	}
}

/* An answer the resolver works with; others send it to the next server. */
static bool usable(const struct pw_val *query)
{
	enum end end = query ? end_of(query) : SILENT;
	return end == FOUND || end == NODATA || end == NXDOMAIN;
}

/* ---- asking ---- */

static int exchange(struct lookup *l, const struct pw_dns_ask *ask, struct pw_val **ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(l->ctx);
	size_t n = ask->n_servers * ask->n_types;
	for (size_t i = 0; i < n; i++)
		ret[i] = pw_val_map(arena);
	int rc = l->exchange ? l->exchange(l->exchange_arg, l->ctx, ask, ret, err) : pw_dns_exchange(l->ctx, ask, ret, err);
	for (size_t i = 0; rc == PW_OK && i < n; i++)
		pw_seq_add(l->queries, ret[i]);
	return rc;
}

static struct pw_dns_ask ask_of(const struct lookup *l, const char *name, const char *const *servers, size_t n)
{
	return (struct pw_dns_ask){ .servers = servers, .n_servers = n, .name = name, .types = lookup_types,
		.n_types = PW_DNS_TYPES_MAX, .tcp = l->tcp, .edns = l->edns, .timeout_ms = l->timeout_ms };
}

/* A truncated answer is asked for again by TCP, of the same server. */
static int whole_by_tcp(struct lookup *l, const char *name, size_t type, const char *server, struct pw_err *err)
{
	struct pw_dns_ask ask = ask_of(l, name, &server, 1);
	struct pw_val *got[1];
	if (l->tcp || !answered(l->best[type]) || !pw_map_bool(l->best[type], "tc", false))
		return PW_OK;
	ask.types = &lookup_types[type];
	ask.n_types = 1;
	ask.tcp = true;
	int rc = exchange(l, &ask, got, err);
	if (rc == PW_OK)
		l->best[type] = got[0];
	return rc;
}

/* What is still open of A and AAAA, of one server: together over one socket, or one after the other. */
static int ask_server(struct lookup *l, const char *name, const char *server, struct pw_err *err)
{
	struct pw_val *got[PW_DNS_TYPES_MAX] = { NULL };
	struct pw_dns_ask ask = ask_of(l, name, &server, 1);
	bool open[PW_DNS_TYPES_MAX] = { !usable(l->best[0]), !usable(l->best[1]) };
	int rc = PW_OK;
	if (open[0] && open[1] && !l->serial) {
		rc = exchange(l, &ask, got, err);
	} else {
		ask.n_types = 1;
		for (size_t t = 0; rc == PW_OK && t < PW_DNS_TYPES_MAX; t++) {
			ask.types = &lookup_types[t];
			if (open[t])
				rc = exchange(l, &ask, &got[t], err);
		}
	}
	for (size_t t = 0; rc == PW_OK && t < PW_DNS_TYPES_MAX; t++)
		if (got[t]) {
			l->best[t] = got[t];
			rc = whole_by_tcp(l, name, t, server, err);
		}
	return rc;
}

static int ask_glibc(struct lookup *l, const char *name, struct pw_err *err)
{
	for (unsigned attempt = 0; attempt < l->attempts; attempt++)
		for (size_t s = 0; s < l->n_servers; s++) {
			int rc = ask_server(l, name, l->servers[s], err);
			if (rc < 0 || (usable(l->best[0]) && usable(l->best[1])) || pw_ctx_remaining_ms(l->ctx) <= 1)
				return rc;
		}
	return PW_OK;
}

/* The first usable answer of any server, else what the first server gave. */
static const struct pw_val *first_of(struct pw_val *const *got, size_t n_servers, size_t type)
{
	const struct pw_val *best = NULL;
	double best_ms = 0, ms = 0;
	for (size_t s = 0; s < n_servers; s++) {
		const struct pw_val *one = got[s * PW_DNS_TYPES_MAX + type];
		(void)pw_val_to_real(pw_map_get(one, "ms"), &ms);
		if (usable(one) && (!best || ms < best_ms)) {
			best = one;
			best_ms = ms;
		}
	}
	return best ? best : got[type];
}

static int ask_musl(struct lookup *l, const char *name, struct pw_err *err)
{
	struct pw_val *got[PW_NAMESERVERS_MAX * PW_DNS_TYPES_MAX];
	struct pw_dns_ask ask = ask_of(l, name, l->servers, l->n_servers);
	ask.first_good = true;
	for (unsigned attempt = 0; attempt < l->attempts; attempt++) {
		int rc = exchange(l, &ask, got, err);
		for (size_t t = 0; rc == PW_OK && t < PW_DNS_TYPES_MAX; t++)
			if (!usable(l->best[t])) {
				l->best[t] = first_of(got, l->n_servers, t);
				rc = whole_by_tcp(l, name, t, pw_map_str(l->best[t], "server", l->servers[0]), err);
			}
		if (rc < 0 || (usable(l->best[0]) && usable(l->best[1])) || pw_ctx_remaining_ms(l->ctx) <= 1)
			return rc;
	}
	return PW_OK;
}

/* ---- walking the candidates ---- */

static bool noerror(enum end end)
{
	return end == FOUND || end == NODATA;
}

/*
 * Of a candidate's two answers, the one that decides. glibc takes addresses
 * from whichever has them. musl looks at A, then at AAAA, and whatever is not
 * NOERROR decides, even when the other type has addresses.
 */
static enum end weigh(struct lookup *l, const struct pw_val **ret)
{
	enum end a = end_of(l->best[0]), b = end_of(l->best[1]);
	bool second;
	if (l->libc == PW_LIBC_MUSL && (!noerror(a) || !noerror(b)))
		second = noerror(a);
	else if (a == FOUND || b == FOUND)
		second = a != FOUND;
	else
		second = b >= SERVFAIL && a < SERVFAIL;
	*ret = l->best[second];
	return second ? b : a;
}

static void decide(struct lookup *l, enum end end, const struct pw_val *query)
{
	l->end = end;
	l->decided = query;
}

/* Stops where the libc stops; leaves in `l` what decided. */
static int walk(struct lookup *l, const char *name, const struct pw_val *candidates, struct pw_err *err)
{
	const struct pw_val *nodata = NULL, *servfail = NULL, *as_is = NULL;
	enum end as_is_end = NXDOMAIN;
	bool stopped = false;
	for (size_t i = 0; i < pw_val_count(candidates); i++) {
		const char *candidate = pw_val_text(pw_val_at(candidates, i));
		bool this_as_is = !strcmp(candidate, name);
		const struct pw_val *query;
		if (stopped && !this_as_is)
			continue;
		l->best[0] = l->best[1] = NULL;
		pw_seq_add_str(l->tried, candidate);
		int rc = l->libc == PW_LIBC_MUSL ? ask_musl(l, candidate, err) : ask_glibc(l, candidate, err);
		if (rc < 0)
			return rc;
		enum end end = weigh(l, &query);
		decide(l, end, query);
		if (end == FOUND || (l->libc == PW_LIBC_MUSL && end != NXDOMAIN) || pw_ctx_remaining_ms(l->ctx) <= 1)
			return PW_OK;
		if (l->libc == PW_LIBC_MUSL)
			continue;
		if (this_as_is && i == 0) { /* tried first: goes on whatever it was, and its error is the last word */
			as_is = query;
			as_is_end = end;
			continue;
		}
		if (end == REFUSED)
			return PW_OK;
		if (end == NODATA && !nodata)
			nodata = query;
		if (end == SERVFAIL && !servfail)
			servfail = query;
		stopped = stopped || end == SILENT || end == OTHER_RCODE;
	}
	if (as_is)
		decide(l, as_is_end, as_is);
	else if (nodata)
		decide(l, NODATA, nodata);
	else if (servfail)
		decide(l, SERVFAIL, servfail);
	return PW_OK;
}

/* ---- the hosts file, and literals ---- */

static bool from_hosts(struct pw_ctx *ctx, const char *name, struct pw_val *addresses)
{
	struct pw_val *file = pw_val_map(pw_ctx_arena(ctx));
	size_t len = strlen(name);
	if (len && name[len - 1] == '.')
		len--;
	if (pw_probe_hosts(ctx, file, NULL) < 0)
		return false;
	const struct pw_val *hosts = pw_map_get(file, "hosts");
	for (size_t i = 0; i < pw_val_count(hosts); i++) {
		const struct pw_val *host = pw_val_at(hosts, i), *names = pw_map_get(host, "names");
		for (size_t k = 0; k < pw_val_count(names); k++) {
			const char *one = pw_val_text(pw_val_at(names, k));
			if (strlen(one) == len && !strncasecmp(one, name, len)) {
				pw_seq_add_str(addresses, pw_map_str(host, "address", ""));
				break;
			}
		}
	}
	return pw_val_count(addresses) > 0;
}

static unsigned number_option(const struct pw_val *conf, const char *key, unsigned cap, unsigned otherwise)
{
	const struct pw_val *options = pw_map_get(conf, "options");
	for (size_t i = 0; i < pw_val_count(options); i++) {
		const char *word = pw_val_text(pw_val_at(options, i));
		if (strncmp(word, key, strlen(key)) != 0 || word[strlen(key)] < '0' || word[strlen(key)] > '9')
			continue;
		unsigned long value = strtoul(word + strlen(key), NULL, 10);
		otherwise = value > cap ? cap : (unsigned)value;
	}
	return otherwise;
}

/* Both fall back to this machine when no server is named; names that are no address are skipped. */
static void take_conf(struct lookup *l, const struct pw_val *conf, unsigned timeout_ms)
{
	const struct pw_val *servers = pw_map_get(conf, "nameservers");
	for (size_t i = 0; i < pw_val_count(servers) && l->n_servers < PW_NAMESERVERS_MAX; i++) {
		struct pw_endpoint ep;
		const char *text = pw_val_text(pw_val_at(servers, i));
		if (pw_endpoint_set(&ep, text, PW_DNS_PORT))
			l->servers[l->n_servers++] = text;
	}
	if (!l->n_servers)
		l->servers[l->n_servers++] = "127.0.0.1";
	l->attempts = (unsigned)pw_map_int(conf, "attempts", 2);
	l->timeout_ms = (unsigned)pw_map_int(conf, "timeout_s", 5) * MS;
	if (l->libc == PW_LIBC_MUSL) {
		l->attempts = number_option(conf, "attempts:", MUSL_ATTEMPTS_CAP, 2);
		l->timeout_ms = number_option(conf, "timeout:", MUSL_TIMEOUT_CAP, 5) * MS / (l->attempts ? l->attempts : 1);
	} else {
		l->tcp = has_option(conf, "use-vc");
		l->edns = has_option(conf, "edns0");
		l->serial = has_option(conf, "single-request") || has_option(conf, "single-request-reopen");
	}
	if (!l->attempts)
		l->attempts = 1;
	if (!l->timeout_ms)
		l->timeout_ms = MS;
	if (timeout_ms && timeout_ms < l->timeout_ms)
		l->timeout_ms = timeout_ms;
}

static void put_outcome(const struct lookup *l, struct pw_val *addresses, struct pw_val *ret)
{
	static const char *const words[] = { "found", "nodata", "nxdomain", "servfail", "other-rcode", "silent", "refused" };
	pw_map_set_str(ret, "outcome", words[l->end]);
	pw_map_set_str(ret, "result", pw_map_str(l->decided, "result", "timeout"));
	if (pw_map_get(l->decided, "rcode"))
		pw_map_set_str(ret, "rcode", pw_map_str(l->decided, "rcode", ""));
	if (l->end != FOUND)
		return;
	pw_map_set_str(ret, "candidate", pw_val_text(pw_val_at(l->tried, pw_val_count(l->tried) - 1)));
	for (size_t t = 0; t < PW_DNS_TYPES_MAX; t++) {
		const struct pw_val *found = pw_map_get(l->best[t], "addresses");
		for (size_t i = 0; end_of(l->best[t]) == FOUND && i < pw_val_count(found); i++)
			pw_seq_add_str(addresses, pw_val_text(pw_val_at(found, i)));
	}
}

static int by_dns(struct lookup *l, const char *name, const struct pw_val *conf, struct pw_val *addresses,
		  struct pw_val *ret, struct pw_err *err)
{
	struct pw_val *candidates = pw_val_seq(pw_ctx_arena(l->ctx));
	l->tried = pw_map_set_seq(ret, "candidates");
	l->queries = pw_map_set_seq(ret, "queries");
	pw_resolv_candidates(name, l->libc, conf, candidates);
	int rc = walk(l, name, candidates, err);
	if (rc < 0)
		return rc;
	put_outcome(l, addresses, ret);
	pw_map_set_int(ret, "n_queries", (long long)pw_val_count(l->queries));
	return PW_OK;
}

/* Those of one server leave together: the longest of two counts, the next comes after it. */
static double asked_ms(const struct pw_val *queries)
{
	double sum = 0;
	for (size_t i = 0; i < pw_val_count(queries); i++) {
		const struct pw_val *query = pw_val_at(queries, i), *next = pw_val_at(queries, i + 1);
		double ms = 0, other = 0;
		(void)pw_val_to_real(pw_map_get(query, "ms"), &ms);
		bool pair = next && !strcmp(pw_map_str(query, "name", ""), pw_map_str(next, "name", "")) && !strcmp(pw_map_str(query, "server", ""), pw_map_str(next, "server", ""));
		if (pair && pw_val_to_real(pw_map_get(next, "ms"), &other))
			i++;
		sum += ms > other ? ms : other;
	}
	return sum;
}

int pw_probe_lookup(struct pw_ctx *ctx, const char *name, const char *libc, bool hosts,
		    unsigned timeout_ms, struct pw_val *ret, struct pw_err *err)
{
	return pw_lookup_by(ctx, NULL, NULL, name, libc, hosts, timeout_ms, ret, err);
}

int pw_lookup_by(struct pw_ctx *ctx, pw_dns_exchange_fn *exchange_by, void *arg, const char *name, const char *libc, bool hosts, unsigned timeout_ms,
		 struct pw_val *ret, struct pw_err *err)
{
	struct lookup l = { .ctx = ctx, .exchange = exchange_by, .exchange_arg = arg, .libc = pw_libc_word(libc) };
	struct pw_val *conf = pw_val_map(pw_ctx_arena(ctx));
	struct pw_endpoint literal;
	if (!l.libc || !name || !*name)
		return pw_err_set(err, PW_USAGE, "a lookup needs a name and whose rules (glibc or musl), not \"%.32s\" by \"%.16s\"",
				  name ? name : "", libc ? libc : "");
	int rc = pw_probe_resolv_conf(ctx, conf, err);
	if (rc < 0)
		return rc;
	take_conf(&l, conf, timeout_ms);
	pw_map_set_str(ret, "name", name);
	pw_map_set_str(ret, "libc", libc);
	pw_map_set_bool(ret, "from_hosts", false);
	pw_map_set_bool(ret, "serial", l.serial);
	pw_map_set_int(ret, "n_queries", 0);
	struct pw_val *addresses = pw_map_set_seq(ret, "addresses");
	int64_t start = pw_mono_us();
	if (pw_endpoint_set(&literal, name, 0) || (hosts && from_hosts(ctx, name, addresses))) {
		pw_map_set_str(ret, "result", "answered");
		pw_map_set_str(ret, "outcome", "found");
		pw_map_set_str(ret, "candidate", name);
		if (pw_val_count(addresses))
			pw_map_set_bool(ret, "from_hosts", true);
		else
			pw_seq_add_str(addresses, name);
	} else {
		rc = by_dns(&l, name, conf, addresses, ret, err);
	}
	pw_map_set_real(ret, "ms", exchange_by ? asked_ms(l.queries) : pw_us_to_ms(pw_mono_us() - start));
	if (rc == PW_OK && pw_arena_failed(pw_ctx_arena(ctx)))
		rc = pw_err_set(err, PW_NOMEM, "no memory for the lookup of %.128s", name);
	return rc;
}
