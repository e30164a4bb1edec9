/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `nft -j list ruleset` into the rule model: chains, then sets and maps, then
 * rules. What iptables-nft-save has given already is left out; a table that it
 * could not print (nft rules in it) is read here, with the xt extensions that
 * nft does not show as unknown matches.
 */
#include <base/text.h>
#include <doc/json.h>
#include <packetwalk/cleanup.h>

#include "nft_value.h"

#include <stdio.h>
#include <string.h>

enum {
	MATCHES_MAX = 48, ACTIONS_MAX = 16, /* of one rule */
	DEPTH_MAX = 64,                     /* of the document; nft nests about ten */
	TEXT_MAX = 64 * 1024,               /* of a printed rule; nft's own strings are far shorter */
	VERDICT_DEPTH = 8,
};
static const size_t DOCUMENT_MAX = 256u << 20, TREE_MAX = (size_t)1 << 30;

struct reader { struct pw_rules *rules; const char *file; bool no_text; };

/* The rule being read. */
struct build {
	struct reader *reader;
	enum pw_family family;
	const char *table;
	struct pw_match matches[MATCHES_MAX];
	struct pw_action actions[ACTIONS_MAX];
	unsigned n_matches, n_actions;
	bool counted, too_long;
	uint64_t packets, bytes;
};

static struct pw_rules_chain *get_chain(struct reader *r, enum pw_family family, const char *table, const char *name)
{
	struct pw_rules_chain *chain = pw_rules_chain_get(r->rules, PW_RULES_NFT, family, table, strlen(table), name, strlen(name));
	if (chain && !chain->declared)
		chain->native = true;
	return chain;
}

/* Given by iptables-nft-save before. */
static bool covered(const struct reader *r, enum pw_family family, const char *table, const char *name)
{
	const struct pw_rules_chain *chain = pw_rules_chain_find(r->rules, PW_RULES_NFT, family, table, name);
	return chain && chain->declared && !chain->native;
}

static enum pw_family family_of(const struct pw_val *body)
{
	const char *word = pw_map_str(body, "family", "");
	return pw_family_of(word, strlen(word));
}

static void read_chain(struct reader *r, const struct pw_val *body)
{
	enum pw_family family = family_of(body);
	const char *table = pw_map_str(body, "table", ""), *name = pw_map_str(body, "name", ""), *hook = pw_map_str(body, "hook", "");
	const char *type = pw_map_str(body, "type", "");
	if (covered(r, family, table, name))
		return;
	struct pw_rules_chain *chain = get_chain(r, family, table, name);
	if (!chain)
		return;
	pw_rules_declare(r->rules, chain);
	chain->hook = (uint8_t)pw_hook_of(hook, strlen(hook));
	chain->type = strcmp(type, "nat") == 0 ? PW_CHAIN_NAT : strcmp(type, "filter") == 0 ? PW_CHAIN_FILTER : PW_CHAIN_OTHER;
	chain->prio = (int)pw_map_int(body, "prio", 0);
	chain->policy_drop = strcmp(pw_map_str(body, "policy", ""), "drop") == 0;
	chain->dev = pw_arena_strdup(r->rules->arena, pw_map_str(body, "dev", NULL));
}

static bool read_verdict(struct build *b, const char *name, const struct pw_val *body, struct pw_action *ret)
{
	static const struct { const char *name; enum pw_act act; } plain[] = {
		{ "accept", PW_ACT_ACCEPT }, { "drop", PW_ACT_DROP }, { "return", PW_ACT_RETURN }, { "continue", PW_ACT_PASS },
	};
	bool jump = strcmp(name, "jump") == 0;
	memset(ret, 0, sizeof *ret);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		if (strcmp(plain[i].name, name) == 0) {
			ret->kind = plain[i].act;
			return true;
		}
	}
	if (!jump && strcmp(name, "goto") != 0)
		return false;
	ret->kind = jump ? PW_ACT_JUMP : PW_ACT_GOTO;
	ret->u.chain = get_chain(b->reader, b->family, b->table, pw_map_str(body, "target", ""));
	return ret->u.chain != NULL;
}

/* "10.0.0.1", 8080, {"range": [..]}, {"concat": ["10.0.0.1", 8080]} */
static bool read_nat(const struct pw_val *addr, const struct pw_val *port, struct pw_nat *ret)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(addr, &name);
	struct pw_range range;
	memset(ret, 0, sizeof *ret);
	if (strcmp(name, "concat") == 0)
		return pw_val_count(body) == 2 && read_nat(pw_val_at(body, 0), pw_val_at(body, 1), ret);
	if (addr) {
		if (!pw_nft_range(PW_F_DADDR, addr, &range))
			return false;
		ret->lo = range.lo;
		ret->hi = range.hi;
		ret->has_addr = true;
	}
	if (port) {
		if (!pw_nft_range(PW_F_DPORT, port, &range) || range.hi.lo > UINT16_MAX)
			return false;
		ret->port_lo = (uint16_t)range.lo.lo;
		ret->port_hi = (uint16_t)range.hi.lo;
	}
	return true;
}

/* What a map gives: a verdict, or a destination. Anything else passes. */
static void read_data(struct build *b, const struct pw_val *data, const struct pw_val *port, struct pw_action *ret)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(data, &name);
	if (read_verdict(b, name, body, ret))
		return;
	memset(ret, 0, sizeof *ret);
	if (read_nat(data, port, &ret->u.nat))
		ret->kind = PW_ACT_DNAT;
}

/* One element: a value, {"elem": …}, {"concat": […]}. */
static bool read_element(const struct pw_val *val, const uint8_t *fields, unsigned n, struct pw_range *ret)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(val, &name);
	if (strcmp(name, "elem") == 0)
		return read_element(pw_map_get(body, "val"), fields, n, ret);
	if (strcmp(name, "concat") != 0)
		return n == 1 && pw_nft_range((enum pw_field)fields[0], val, ret);
	if (pw_val_count(body) != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!pw_nft_range((enum pw_field)fields[i], pw_val_at(body, i), &ret[i]))
			return false;
	return true;
}

static void read_elements(struct build *b, struct pw_set *set, const uint8_t *fields, const struct pw_val *elems, const struct pw_val *port)
{
	struct pw_arena *arena = b->reader->rules->arena;
	for (size_t i = 0; i < pw_val_count(elems); i++) {
		const struct pw_val *val = pw_val_at(elems, i), *data = NULL;
		struct pw_range ranges[PW_FIELDS_MAX];
		if (pw_val_is(val, PW_VAL_SEQ)) { /* [key, data] of a map */
			data = pw_val_at(val, 1);
			val = pw_val_at(val, 0);
		}
		if (!read_element(val, fields, set->n_fields, ranges)) {
			set->unreadable = true;
			continue;
		}
		struct pw_elem *elem = pw_set_add(arena, set, ranges);
		if (elem && data)
			read_data(b, data, port, &elem->action);
	}
	pw_set_finish(arena, set);
}

static unsigned set_fields(const struct pw_val *type, uint8_t fields[PW_FIELDS_MAX])
{
	size_t n = pw_val_is(type, PW_VAL_SEQ) ? pw_val_count(type) : 1;
	if (n > PW_FIELDS_MAX)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char *word = pw_val_text(pw_val_is(type, PW_VAL_SEQ) ? pw_val_at(type, i) : type);
		fields[i] = (uint8_t)(word ? pw_nft_type(word) : PW_F_UNKNOWN);
		if (fields[i] == PW_F_UNKNOWN)
			return 0;
	}
	return (unsigned)n;
}

static struct pw_set **set_slot(struct pw_rules *rules, const char *name)
{
	return &rules->sets[pw_hash64(name, strlen(name)) & (PW_SET_BUCKETS - 1)];
}

static void read_set(struct reader *r, const struct pw_val *body)
{
	struct build b = { .reader = r, .family = family_of(body), .table = pw_map_str(body, "table", "") };
	uint8_t fields[PW_FIELDS_MAX];
	unsigned n = set_fields(pw_map_get(body, "type"), fields);
	struct pw_set *set = pw_set_new(r->rules->arena, n ? n : 1);
	if (!set)
		return;
	set->name = pw_arena_strdup(r->rules->arena, pw_map_str(body, "name", ""));
	set->table = pw_arena_strdup(r->rules->arena, b.table);
	if (!set->name || !set->table)
		return;
	set->family = (uint8_t)b.family;
	set->unreadable = n == 0;
	struct pw_set **slot = set_slot(r->rules, set->name);
	set->next = *slot;
	*slot = set;
	if (n > 0)
		read_elements(&b, set, fields, pw_map_get(body, "elem"), NULL);
}

static const struct pw_set *find_set(const struct build *b, const char *name)
{
	for (const struct pw_set *set = *set_slot(b->reader->rules, name); set; set = set->next)
		if (set->family == b->family && strcmp(set->name, name) == 0 && strcmp(set->table, b->table) == 0)
			return set;
	return NULL;
}

/* "@name" or {"set": […]}; NULL if it is neither, not there, or of another shape. */
static const struct pw_set *resolve_set(struct build *b, const struct pw_val *val, const struct pw_nft_key *key, const struct pw_val *port)
{
	const char *name, *text = pw_val_text(val);
	const struct pw_val *body = pw_nft_only(val, &name);
	if (text && text[0] == '@') {
		const struct pw_set *set = find_set(b, text + 1);
		return set && !port && (set->n_fields == key->n || set->unreadable) ? set : NULL;
	}
	if (strcmp(name, "set") != 0)
		return NULL;
	struct pw_set *set = pw_set_new(b->reader->rules->arena, key->n);
	if (set && pw_val_is(body, PW_VAL_SEQ))
		read_elements(b, set, key->fields, body, port);
	return set;
}

static struct pw_match *add_match(struct build *b, enum pw_match_op op, const struct pw_nft_key *key)
{
	if (b->n_matches == MATCHES_MAX) {
		b->too_long = true;
		return NULL;
	}
	struct pw_match *match = &b->matches[b->n_matches++];
	memset(match, 0, sizeof *match);
	match->op = (uint8_t)op;
	match->n_fields = 1;
	match->fields[0] = PW_F_UNKNOWN;
	if (key) {
		match->n_fields = (uint8_t)key->n;
		memcpy(match->fields, key->fields, sizeof match->fields);
	}
	return match;
}

static void add_action(struct build *b, struct pw_action action)
{
	if (b->n_actions == ACTIONS_MAX)
		b->too_long = true;
	else
		b->actions[b->n_actions++] = action;
}

static const char *keep_text(struct build *b, const struct pw_val *statement)
{
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, TEXT_MAX);
	pw_nft_statement(&text, statement);
	if (!pw_buf_ok(&text))
		b->reader->no_text = true;
	return pw_arena_strdup(b->reader->rules->arena, pw_buf_str(&text));
}

static void add_unknown(struct build *b, const struct pw_val *statement)
{
	struct pw_match *match = add_match(b, PW_M_UNKNOWN, NULL);
	if (match)
		match->u.text = keep_text(b, statement);
}

static void add_range(struct build *b, const struct pw_nft_key *key, struct pw_range range, bool negate)
{
	struct pw_range *kept = pw_arena_alloc(b->reader->rules->arena, sizeof *kept);
	struct pw_match *match = kept ? add_match(b, PW_M_RANGES, key) : NULL;
	if (!match)
		return;
	*kept = range;
	match->n = 1;
	match->u.ranges = kept;
	match->negate = negate;
}

static void add_number(struct build *b, enum pw_field field, uint64_t n)
{
	struct pw_nft_key key = { .fields = { (uint8_t)field }, .n = 1 };
	add_range(b, &key, (struct pw_range){ pw_key_num(n), pw_key_num(n) }, false);
}

/* What nft leaves unsaid: "tcp dport" is of TCP, "ip saddr" of IPv4. */
static void add_conditions(struct build *b, const struct pw_nft_key *key)
{
	if (key->version && b->family != PW_FAM_IP && b->family != PW_FAM_IP6)
		add_number(b, PW_F_NFPROTO, key->version);
	if (key->proto)
		add_number(b, PW_F_PROTO, key->proto);
}

static bool compare_range(const char *op, struct pw_range value, struct pw_range *ret)
{
	ret->lo = (struct pw_key){ 0, 0 };
	ret->hi = (struct pw_key){ UINT64_MAX, UINT64_MAX };
	if (strcmp(op, "<") == 0 && value.lo.lo > 0)
		ret->hi = pw_key_num(value.lo.lo - 1);
	else if (strcmp(op, "<=") == 0)
		ret->hi = value.hi;
	else if (strcmp(op, ">") == 0 && value.hi.lo < UINT64_MAX)
		ret->lo = pw_key_num(value.hi.lo + 1);
	else if (strcmp(op, ">=") == 0)
		ret->lo = value.lo;
	else
		return false;
	return true;
}

static bool add_bits(struct build *b, const struct pw_nft_key *key, const char *op, const struct pw_val *right, bool negate)
{
	uint64_t bits;
	bool flags = key->fields[0] == PW_F_TCPFLAGS && strcmp(op, "in") != 0;
	if (!pw_nft_bits((enum pw_field)key->fields[0], right, &bits))
		return false;
	struct pw_match *match = add_match(b, key->masked || flags ? PW_M_MASKED : PW_M_ANYBIT, key);
	if (!match)
		return true;
	match->negate = negate;
	match->u.bits.mask = key->masked ? key->mask : flags ? UINT8_MAX : bits;
	match->u.bits.value = bits;
	return true;
}

static bool read_match(struct build *b, const struct pw_val *body)
{
	const struct pw_val *right = pw_map_get(body, "right");
	const char *op = pw_map_str(body, "op", "==");
	bool negate = strcmp(op, "!=") == 0, equal = strcmp(op, "==") == 0 || strcmp(op, "in") == 0;
	struct pw_nft_key key;
	struct pw_range value;
	if (!pw_nft_key(pw_map_get(body, "left"), &key))
		return false;
	unsigned before = b->n_matches;
	add_conditions(b, &key);
	const struct pw_set *set = key.masked ? NULL : resolve_set(b, right, &key, NULL);
	bool bits = key.masked || key.fields[0] == PW_F_CTSTATE || key.fields[0] == PW_F_TCPFLAGS;
	bool done = true;
	if (set && (equal || negate)) {
		struct pw_match *match = add_match(b, PW_M_SET, &key);
		if (match) {
			match->u.set = set;
			match->negate = negate;
		}
	} else if (key.n != 1 || set) {
		done = false;
	} else if (bits) {
		done = (equal || negate) && add_bits(b, &key, op, right, negate);
	} else if (!pw_nft_range((enum pw_field)key.fields[0], right, &value)) {
		done = false;
	} else if (equal || negate) {
		add_range(b, &key, value, negate);
	} else {
		done = compare_range(op, value, &value);
		if (done)
			add_range(b, &key, value, false);
	}
	if (!done)
		b->n_matches = before;
	return done;
}

/* A value of "meta mark set": mark bits kept, then flipped. */
static bool read_mark(const struct pw_val *val, uint32_t *keep, uint32_t *flip, unsigned depth)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(val, &name);
	uint64_t n;
	if (strcmp(name, "meta") == 0 && strcmp(pw_map_str(body, "key", ""), "mark") == 0) {
		*keep = UINT32_MAX;
		*flip = 0;
		return true;
	}
	if (!body) {
		*keep = 0;
		return pw_nft_bits(PW_F_MARK, val, &n) && (*flip = (uint32_t)n, true);
	}
	if (depth == 0 || pw_val_count(body) != 2 || !read_mark(pw_val_at(body, 0), keep, flip, depth - 1)
	    || !pw_nft_bits(PW_F_MARK, pw_val_at(body, 1), &n))
		return false;
	uint32_t bits = (uint32_t)n;
	if (strcmp(name, "&") == 0)
		*keep &= bits, *flip &= bits;
	else if (strcmp(name, "|") == 0)
		*keep &= ~bits, *flip |= bits;
	else if (strcmp(name, "^") == 0)
		*flip ^= bits;
	else
		return false;
	return true;
}

static void read_mangle(struct build *b, const struct pw_val *body)
{
	const char *name;
	const struct pw_val *key = pw_nft_only(pw_map_get(body, "key"), &name);
	struct pw_action action = { .kind = PW_ACT_MARK };
	if (strcmp(name, "meta") == 0 && strcmp(pw_map_str(key, "key", ""), "mark") == 0
	    && read_mark(pw_map_get(body, "value"), &action.u.mark.keep, &action.u.mark.flip, VERDICT_DEPTH))
		add_action(b, action);
}

/* "key vmap data", "dnat to key map data" */
static bool read_map(struct build *b, const struct pw_val *body, const struct pw_val *port)
{
	struct pw_action action = { .kind = PW_ACT_VMAP };
	struct pw_nft_key key;
	if (!pw_nft_key(pw_map_get(body, "key"), &key) || key.masked)
		return false;
	const struct pw_set *set = resolve_set(b, pw_map_get(body, "data"), &key, port);
	if (!set || set->unreadable)
		return false;
	add_conditions(b, &key);
	action.u.vmap.set = set;
	action.u.vmap.n = (uint8_t)key.n;
	memcpy(action.u.vmap.fields, key.fields, sizeof action.u.vmap.fields);
	add_action(b, action);
	return true;
}

static void read_dnat(struct build *b, const struct pw_val *statement, const struct pw_val *body)
{
	const struct pw_val *addr = pw_map_get(body, "addr"), *port = pw_map_get(body, "port");
	const char *name;
	const struct pw_val *map = pw_nft_only(addr, &name);
	struct pw_action action = { .kind = PW_ACT_DNAT };
	if (strcmp(name, "map") == 0 && read_map(b, map, port))
		return;
	if (!read_nat(addr, port, &action.u.nat))
		action.text = keep_text(b, statement);
	add_action(b, action);
}

static void read_redirect(struct build *b, const struct pw_val *body)
{
	struct pw_action action = { .kind = PW_ACT_REDIRECT };
	struct pw_range port;
	if (pw_nft_range(PW_F_DPORT, pw_map_get(body, "port"), &port) && port.lo.lo <= UINT16_MAX)
		action.u.nat.port_lo = action.u.nat.port_hi = (uint16_t)port.lo.lo;
	add_action(b, action);
}

static void read_reject(struct build *b, const struct pw_val *body)
{
	const char *type = pw_map_str(body, "type", "icmp"), *code = pw_map_str(body, "expr", strcmp(type, "tcp reset") == 0 ? "" : "port-unreachable");
	add_action(b, (struct pw_action){
		.kind = PW_ACT_REJECT, .text = pw_arena_printf(b->reader->rules->arena, "%s%s%s", type, *code ? " " : "", code) });
}

/* Extensions of iptables, of which nft shows the name only. */
static void read_xt(struct build *b, const struct pw_val *statement, const struct pw_val *body)
{
	static const struct { const char *name; enum pw_act act; } targets[] = {
		{ "MASQUERADE", PW_ACT_SNAT }, { "SNAT", PW_ACT_SNAT }, { "REJECT", PW_ACT_REJECT }, { "DNAT", PW_ACT_DNAT },
		{ "REDIRECT", PW_ACT_REDIRECT }, { "NFQUEUE", PW_ACT_QUEUE }, { "TPROXY", PW_ACT_QUEUE },
	};
	const char *name = pw_map_str(body, "name", "");
	if (strcmp(pw_map_str(body, "type", "match"), "target") == 0) {
		for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
			if (strcmp(targets[i].name, name) == 0)
				add_action(b, (struct pw_action){ .kind = targets[i].act, .text = keep_text(b, statement) });
	} else if (strcmp(name, "statistic") == 0) {
		(void)add_match(b, PW_M_CHANCE, NULL);
	} else if (strcmp(name, "comment") != 0) {
		add_unknown(b, statement);
	}
}

static void read_statement(struct build *b, const struct pw_val *statement)
{
	static const char *const passing[] = { "log", "set", "comment", "ct helper", "ct timeout", "flow", "dup", "fwd", "meter", "last", "synproxy" };
	const char *name;
	const struct pw_val *body = pw_nft_only(statement, &name);
	struct pw_action action;
	if (read_verdict(b, name, body, &action)) {
		add_action(b, action);
	} else if (strcmp(name, "match") == 0) {
		if (!read_match(b, body))
			add_unknown(b, statement);
	} else if (strcmp(name, "counter") == 0) {
		b->counted = pw_val_is(body, PW_VAL_MAP);
		b->packets = (uint64_t)pw_map_int(body, "packets", 0);
		b->bytes = (uint64_t)pw_map_int(body, "bytes", 0);
	} else if (strcmp(name, "vmap") == 0) {
		if (!read_map(b, body, NULL))
			add_action(b, (struct pw_action){ .kind = PW_ACT_QUEUE, .text = keep_text(b, statement) });
	} else if (strcmp(name, "reject") == 0) {
		read_reject(b, body);
	} else if (strcmp(name, "dnat") == 0) {
		read_dnat(b, statement, body);
	} else if (strcmp(name, "redirect") == 0) {
		read_redirect(b, body);
	} else if (strcmp(name, "snat") == 0 || strcmp(name, "masquerade") == 0) {
		add_action(b, (struct pw_action){ .kind = PW_ACT_SNAT });
	} else if (strcmp(name, "mangle") == 0) {
		read_mangle(b, body);
	} else if (strcmp(name, "notrack") == 0) {
		add_action(b, (struct pw_action){ .kind = PW_ACT_NOTRACK });
	} else if (strcmp(name, "queue") == 0 || strcmp(name, "tproxy") == 0) {
		add_action(b, (struct pw_action){ .kind = PW_ACT_QUEUE, .text = keep_text(b, statement) });
	} else if (strcmp(name, "xt") == 0) {
		read_xt(b, statement, body);
	} else {
		for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
			if (strcmp(passing[i], name) == 0)
				return;
		add_unknown(b, statement); /* limit, quota, ct count, and what is yet to come: may match */
	}
}

static struct pw_rules_rule *copy_out(struct build *b, const struct pw_val *body)
{
	struct pw_arena *arena = b->reader->rules->arena;
	const char *comment = pw_map_str(body, "comment", NULL);
	PW_CLEAN_BUF struct pw_buf text;
	struct pw_rules_rule *rule = pw_arena_alloc(arena, sizeof *rule);
	struct pw_match *matches = pw_arena_array(arena, b->n_matches + 1u, sizeof *matches);
	struct pw_action *actions = pw_arena_array(arena, b->n_actions + 1u, sizeof *actions);
	pw_buf_init(&text, TEXT_MAX);
	pw_nft_text(&text, pw_map_get(body, "expr"));
	if (comment)
		pw_buf_printf(&text, " comment \"%s\"", comment);
	if (!pw_buf_ok(&text))
		b->reader->no_text = true;
	if (!rule || !matches || !actions)
		return NULL;
	memcpy(matches, b->matches, b->n_matches * sizeof *matches);
	memcpy(actions, b->actions, b->n_actions * sizeof *actions);
	rule->text = pw_arena_strdup(arena, pw_buf_str(&text));
	rule->matches = matches;
	rule->actions = actions;
	rule->n_matches = (uint16_t)b->n_matches;
	rule->n_actions = (uint16_t)b->n_actions;
	rule->counted = b->counted;
	rule->packets = b->packets;
	rule->bytes = b->bytes;
	return rule->text ? rule : NULL;
}

static void read_rule(struct reader *r, const struct pw_val *body)
{
	struct build b;
	const char *chain_name = pw_map_str(body, "chain", "");
	const struct pw_val *exprs = pw_map_get(body, "expr");
	b.reader = r;
	b.family = family_of(body);
	b.table = pw_map_str(body, "table", "");
	b.n_matches = b.n_actions = 0;
	b.counted = b.too_long = false;
	b.packets = b.bytes = 0;
	if (covered(r, b.family, b.table, chain_name))
		return;
	for (size_t i = 0; i < pw_val_count(exprs); i++)
		read_statement(&b, pw_val_at(exprs, i));
	struct pw_rules_chain *chain = get_chain(r, b.family, b.table, chain_name);
	struct pw_rules_rule *rule = chain && !b.too_long ? copy_out(&b, body) : NULL;
	if (rule)
		pw_rules_append(r->rules, chain, rule);
	else
		pw_rules_problem(r->rules, r->file, 0, "a rule of table %s %.64s, chain %.64s cannot be read: too long", pw_family_word(b.family), b.table, chain_name);
}

static void each(struct reader *r, const struct pw_val *items, const char *kind, void (*read)(struct reader *, const struct pw_val *))
{
	for (size_t i = 0; i < pw_val_count(items); i++) {
		const char *name;
		const struct pw_val *body = pw_nft_only(pw_val_at(items, i), &name);
		if (body && strcmp(name, kind) == 0)
			read(r, body);
	}
}

int pw_rules_add_nft_json(struct pw_rules *rules, const char *text, size_t len, const char *file, struct pw_err *err)
{
	struct pw_json_limits limits = { .bytes = DOCUMENT_MAX, .depth = DEPTH_MAX };
	PW_CLEAN_ARENA struct pw_arena *scratch = pw_arena_new(TREE_MAX);
	struct reader r = { .rules = rules, .file = file };
	struct pw_val *root = NULL;
	if (!scratch)
		return pw_err_set(err, PW_NOMEM, "cannot read nft's rules: out of memory");
	int rc = pw_json_parse(text, len, file, &limits, scratch, &root, err);
	if (rc != PW_OK)
		return rc;
	const struct pw_val *items = pw_map_get(root, "nftables");
	if (!pw_val_is(items, PW_VAL_SEQ))
		return pw_err_at(err, PW_SYNTAX, file, 1, 0, "this is not what `nft -j list ruleset` prints: it has no list \"nftables\"");
	each(&r, items, "chain", read_chain);
	each(&r, items, "set", read_set);
	each(&r, items, "map", read_set);
	each(&r, items, "rule", read_rule);
	if (r.no_text || pw_arena_failed(rules->arena))
		return pw_err_set(err, PW_NOMEM, "cannot keep nft's rules: out of memory");
	return pw_rules_finish(rules, err);
}
