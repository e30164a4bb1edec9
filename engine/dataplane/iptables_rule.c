/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One rule as iptables-save prints it. Options that a packet can answer become
 * ranges over its fields; everything else is kept as written and counts as
 * "may match", so that a new extension never turns into a wrong answer.
 */
#include "iptables.h"

#include <linux/rtnetlink.h>
#include <string.h>

bool pw_ipt_is(struct pw_ipt_token token, const char *word)
{
	return strlen(word) == token.len && memcmp(word, token.text, token.len) == 0;
}

bool pw_ipt_next(struct pw_ipt_cursor *cursor, struct pw_ipt_token *ret)
{
	const char *p = cursor->at;
	while (p < cursor->end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == cursor->end) {
		cursor->at = p;
		return false;
	}
	if (*p != '"') {
		const char *start = p;
		while (p < cursor->end && *p != ' ' && *p != '\t')
			p++;
		*ret = (struct pw_ipt_token){ start, (size_t)(p - start) };
		cursor->at = p;
		return true;
	}
	const char *start = ++p;
	while (p < cursor->end && *p != '"')
		p += *p == '\\' && p + 1 < cursor->end ? 2 : 1;
	if (p >= cursor->end) {
		cursor->at = cursor->end;
		cursor->bad_quote = true;
		return false;
	}
	*ret = (struct pw_ipt_token){ start, (size_t)(p - start) };
	cursor->at = p + 1;
	return true;
}

bool pw_ipt_any_of(struct pw_ipt_token token, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pw_ipt_is(token, words[i]))
			return true;
	return false;
}

/* A NUL-terminated copy in the rules' arena. */
const char *pw_ipt_keep(struct pw_ipt_build *b, const char *text, size_t len)
{
	return pw_arena_strndup(b->place->rules->arena, text, len);
}

static struct pw_match *add_match(struct pw_ipt_build *b, enum pw_match_op op, enum pw_field field)
{
	if (b->n_matches == PW_IPT_MATCHES) {
		b->why = "it has too many matches";
		return NULL;
	}
	struct pw_match *match = &b->matches[b->n_matches++];
	memset(match, 0, sizeof *match);
	match->op = (uint8_t)op;
	match->n_fields = 1;
	match->fields[0] = (uint8_t)field;
	match->negate = b->negate;
	return match;
}

static void add_unknown(struct pw_ipt_build *b, const char *start, const char *end)
{
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	b->negate = false; /* the "!" is in the text */
	struct pw_match *match = add_match(b, PW_M_UNKNOWN, PW_F_UNKNOWN);
	if (match)
		match->u.text = pw_ipt_keep(b, start, (size_t)(end - start));
}

static void end_unknown(struct pw_ipt_build *b, const char *at)
{
	if (b->unknown && !b->unknown_true)
		add_unknown(b, b->unknown, at);
	b->unknown = NULL;
	b->unknown_true = false;
}

/* Comma-separated parts of a value, each turned into a range by `parse`. False: some part cannot be read. */
typedef bool (*range_fn)(const char *text, size_t len, struct pw_range *ret);

static bool add_ranges(struct pw_ipt_build *b, enum pw_field field, struct pw_ipt_token value, range_fn parse)
{
	unsigned first = b->n_ranges;
	const char *p = value.text, *end = value.text + value.len;
	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;
		if (b->n_ranges == PW_IPT_RANGES || !parse(p, (size_t)(stop - p), &b->ranges[b->n_ranges])) {
			b->n_ranges = first;
			return false;
		}
		b->n_ranges++;
		if (!comma)
			break;
		p = comma + 1;
	}
	struct pw_match *match = add_match(b, PW_M_RANGES, field);
	if (match) {
		match->n = b->n_ranges - first;
		match->u.ranges = &b->ranges[first]; /* rebased when the rule is copied out */
	}
	return true;
}

static bool parse_addr(const char *text, size_t len, struct pw_range *ret)
{
	bool v6;
	return pw_range_addr(text, len, ret, &v6);
}

/* "a-b" */
bool pw_ipt_addr_span(const char *text, size_t len, struct pw_range *ret)
{
	const char *dash = memchr(text, '-', len);
	bool v6, high_v6;
	if (!dash)
		return parse_addr(text, len, ret);
	size_t low_len = (size_t)(dash - text);
	return pw_key_addr(text, low_len, &ret->lo, &v6) && pw_key_addr(dash + 1, len - low_len - 1, &ret->hi, &high_v6) && v6 == high_v6;
}

/* "80", "80:90", ":1023", "1024:" */
bool pw_ipt_port(const char *text, size_t len, struct pw_range *ret)
{
	const char *colon = memchr(text, ':', len);
	uint64_t low = 0, high = UINT16_MAX;
	if (!colon) {
		if (!pw_key_number(text, len, UINT16_MAX, &low))
			return false;
		high = low;
	} else {
		size_t low_len = (size_t)(colon - text), high_len = len - low_len - 1;
		if ((low_len > 0 && !pw_key_number(text, low_len, UINT16_MAX, &low))
		    || (high_len > 0 && !pw_key_number(colon + 1, high_len, UINT16_MAX, &high)))
			return false;
	}
	ret->lo = pw_key_num(low);
	ret->hi = pw_key_num(high);
	return true;
}

static bool parse_proto(const char *text, size_t len, struct pw_range *ret)
{
	uint64_t proto;
	if (len == 3 && memcmp(text, "all", 3) == 0)
		proto = 0;
	else if (!pw_key_proto(text, len, &proto))
		return false;
	ret->lo = pw_key_num(proto);
	ret->hi = pw_key_num(proto ? proto : UINT8_MAX); /* 0 is every protocol */
	return true;
}

static bool parse_iface(const char *text, size_t len, struct pw_range *ret)
{
	return pw_range_iface(text, len, '+', ret);
}

static bool parse_addrtype(const char *text, size_t len, struct pw_range *ret)
{
	static const struct { const char *name; uint8_t type; } types[] = {
		{ "UNICAST", RTN_UNICAST }, { "LOCAL", RTN_LOCAL }, { "BROADCAST", RTN_BROADCAST }, { "MULTICAST", RTN_MULTICAST },
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strlen(types[i].name) == len && memcmp(types[i].name, text, len) == 0) {
			ret->lo = ret->hi = pw_key_num(types[i].type);
			return true;
		}
	}
	return false;
}

static bool parse_icmp_type(const char *text, size_t len, struct pw_range *ret)
{
	static const struct { const char *name; uint8_t low, high; } names[] = { /* as iptables -p icmp -h lists them */
		{ "any", 0, 255 }, { "echo-reply", 0, 0 }, { "pong", 0, 0 }, { "destination-unreachable", 3, 3 }, { "redirect", 5, 5 },
		{ "echo-request", 8, 8 }, { "ping", 8, 8 }, { "time-exceeded", 11, 11 }, { "parameter-problem", 12, 12 },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strlen(names[i].name) == len && memcmp(names[i].name, text, len) == 0) {
			ret->lo = pw_key_num(names[i].low);
			ret->hi = pw_key_num(names[i].high);
			return true;
		}
	}
	const char *slash = memchr(text, '/', len); /* type/code; the code is 0 in what is asked about */
	uint64_t type;
	if (!pw_key_number(text, slash ? (size_t)(slash - text) : len, UINT8_MAX, &type))
		return false;
	ret->lo = pw_key_num(type);
	ret->hi = pw_key_num(type == UINT8_MAX ? UINT8_MAX : type);
	if (type == UINT8_MAX)
		ret->lo = pw_key_num(0); /* 255 stands for any */
	return true;
}

static bool parse_icmp6_type(const char *text, size_t len, struct pw_range *ret)
{
	if (len == 12 && memcmp(text, "echo-request", 12) == 0)
		ret->lo = ret->hi = pw_key_num(128); /* RFC 4443 */
	else if (len == 10 && memcmp(text, "echo-reply", 10) == 0)
		ret->lo = ret->hi = pw_key_num(129);
	else if (len > 0 && text[0] >= '0' && text[0] <= '9')
		return parse_icmp_type(text, len, ret);
	else
		return false;
	return true;
}

/* value[/mask] */
bool pw_ipt_masked(struct pw_ipt_token token, uint32_t *ret_value, uint32_t *ret_mask)
{
	const char *slash = memchr(token.text, '/', token.len);
	size_t len = slash ? (size_t)(slash - token.text) : token.len;
	uint64_t value, mask = UINT32_MAX;
	if (!pw_key_number(token.text, len, UINT32_MAX, &value)
	    || (slash && !pw_key_number(slash + 1, token.len - len - 1, UINT32_MAX, &mask)))
		return false;
	*ret_value = (uint32_t)value;
	*ret_mask = (uint32_t)mask;
	return true;
}

/* Comma-separated words of `names` as bits. */
struct bit_name { const char *name; uint16_t bit; };

static bool parse_bits(struct pw_ipt_token value, const struct bit_name *names, size_t n, uint64_t *ret)
{
	uint64_t bits = 0;
	const char *p = value.text, *end = value.text + value.len;
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		struct pw_ipt_token word = { p, (size_t)((comma ? comma : end) - p) };
		size_t i = 0;
		while (i < n && !pw_ipt_is(word, names[i].name))
			i++;
		if (i == n)
			return false;
		bits |= names[i].bit;
		p = comma ? comma + 1 : end;
	}
	*ret = bits;
	return true;
}

static bool add_ctstate(struct pw_ipt_build *b, struct pw_ipt_token value)
{
	static const struct bit_name names[] = {
		{ "NEW", PW_CT_NEW }, { "ESTABLISHED", PW_CT_ESTABLISHED }, { "RELATED", PW_CT_RELATED }, { "INVALID", PW_CT_INVALID },
		{ "UNTRACKED", PW_CT_UNTRACKED }, { "DNAT", PW_CT_DNAT }, { "SNAT", PW_CT_SNAT },
	};
	uint64_t bits;
	if (!parse_bits(value, names, sizeof names / sizeof *names, &bits))
		return false;
	struct pw_match *match = add_match(b, PW_M_ANYBIT, PW_F_CTSTATE);
	if (match)
		match->u.bits.mask = bits;
	return true;
}

static bool add_tcp_flags(struct pw_ipt_build *b, struct pw_ipt_token mask, struct pw_ipt_token set)
{
	static const struct bit_name names[] = {
		{ "FIN", 1 }, { "SYN", 2 }, { "RST", 4 }, { "PSH", 8 }, { "ACK", 16 }, { "URG", 32 }, { "ALL", 63 }, { "NONE", 0 },
	};
	uint64_t mask_bits, set_bits;
	if (!parse_bits(mask, names, sizeof names / sizeof *names, &mask_bits) || !parse_bits(set, names, sizeof names / sizeof *names, &set_bits))
		return false;
	struct pw_match *match = add_match(b, PW_M_MASKED, PW_F_TCPFLAGS);
	if (match) {
		match->u.bits.mask = mask_bits;
		match->u.bits.value = set_bits;
	}
	return true;
}

static bool add_mark(struct pw_ipt_build *b, struct pw_ipt_token token)
{
	uint32_t value, mask;
	if (!pw_ipt_masked(token, &value, &mask))
		return false;
	struct pw_match *match = add_match(b, PW_M_MASKED, PW_F_MARK);
	if (match) {
		match->u.bits.mask = mask;
		match->u.bits.value = value;
	}
	return true;
}

/* The options that become ranges over one field. */
static const struct { const char *name; uint8_t field; range_fn parse; } options[] = {
	{ "-s", PW_F_SADDR, parse_addr }, { "-d", PW_F_DADDR, parse_addr }, { "-p", PW_F_PROTO, parse_proto },
	{ "--dport", PW_F_DPORT, pw_ipt_port }, { "--dports", PW_F_DPORT, pw_ipt_port },
	{ "-i", PW_F_IIF, parse_iface }, { "-o", PW_F_OIF, parse_iface },
	{ "--sport", PW_F_SPORT, pw_ipt_port }, { "--sports", PW_F_SPORT, pw_ipt_port }, { "--ports", PW_F_PORT, pw_ipt_port },
	{ "--dst-type", PW_F_DST_TYPE, parse_addrtype }, { "--src-type", PW_F_SRC_TYPE, parse_addrtype },
	{ "--src-range", PW_F_SADDR, pw_ipt_addr_span }, { "--dst-range", PW_F_DADDR, pw_ipt_addr_span },
	{ "--icmp-type", PW_F_ICMP_TYPE, parse_icmp_type }, { "--icmpv6-type", PW_F_ICMP_TYPE, parse_icmp6_type },
	{ "--source", PW_F_SADDR, parse_addr }, { "--src", PW_F_SADDR, parse_addr },
	{ "--destination", PW_F_DADDR, parse_addr }, { "--dst", PW_F_DADDR, parse_addr },
	{ "--protocol", PW_F_PROTO, parse_proto }, { "--proto", PW_F_PROTO, parse_proto },
	{ "--in-interface", PW_F_IIF, parse_iface }, { "--out-interface", PW_F_OIF, parse_iface },
	{ "--destination-port", PW_F_DPORT, pw_ipt_port }, { "--destination-ports", PW_F_DPORT, pw_ipt_port },
	{ "--source-port", PW_F_SPORT, pw_ipt_port }, { "--source-ports", PW_F_SPORT, pw_ipt_port },
};

/* Reads an option's value; old iptables wrote the "!" between the two. */
bool pw_ipt_value(struct pw_ipt_build *b, struct pw_ipt_token *ret)
{
	if (!pw_ipt_next(&b->cursor, ret))
		return false;
	if (pw_ipt_is(*ret, "!")) {
		b->negate = !b->negate;
		return pw_ipt_next(&b->cursor, ret);
	}
	return true;
}

/* 1 done, 0 not an option of this kind, -1 the value is missing. An unreadable value makes an unknown match. */
static int match_option(struct pw_ipt_build *b, struct pw_ipt_token option, const char *start)
{
	struct pw_ipt_token value, second;
	bool understood = false;
	if (pw_ipt_is(option, "--syn")) {
		struct pw_ipt_token mask = { "FIN,SYN,RST,ACK", 15 }, syn = { "SYN", 3 };
		return add_tcp_flags(b, mask, syn);
	}
	if (pw_ipt_is(option, "--tcp-flags")) {
		if (!pw_ipt_value(b, &value) || !pw_ipt_next(&b->cursor, &second))
			return -1;
		understood = add_tcp_flags(b, value, second);
	} else if (pw_ipt_is(option, "--ctstate") || pw_ipt_is(option, "--state")) {
		if (!pw_ipt_value(b, &value))
			return -1;
		understood = add_ctstate(b, value);
	} else if (pw_ipt_is(option, "--mark") && pw_ipt_is(b->module, "mark")) {
		if (!pw_ipt_value(b, &value))
			return -1;
		understood = add_mark(b, value);
	} else {
		size_t i = 0;
		while (i < sizeof options / sizeof *options && !pw_ipt_is(option, options[i].name))
			i++;
		if (i == sizeof options / sizeof *options)
			return 0;
		if (!pw_ipt_value(b, &value))
			return -1;
		understood = add_ranges(b, (enum pw_field)options[i].field, value, options[i].parse);
	}
	if (!understood)
		add_unknown(b, start, b->cursor.at);
	return 1;
}

/* "-m NAME": extensions whose options are all in the tables above, or which always match. */
static void begin_module(struct pw_ipt_build *b, struct pw_ipt_token name, const char *start)
{
	static const char *const known[] = {
		"comment", "tcp", "udp", "conntrack", "addrtype", "multiport", "mark", "state", "sctp", "udplite", "dccp", "icmp", "icmp6",
		"icmpv6", "iprange", "standard",
	};
	b->module = name;
	if (pw_ipt_is(name, "statistic")) {
		(void)add_match(b, PW_M_CHANCE, PW_F_CHANCE);
		b->unknown = start;
		b->unknown_true = true; /* its options say how often, not whether */
	} else if (pw_ipt_is(name, "nfacct")) {
		b->unknown = start;
		b->unknown_true = true; /* counts */
	} else if (!PW_IPT_ANY_OF(name, known)) {
		b->unknown = start;
		b->unknown_true = false;
	}
}

static bool short_option(struct pw_ipt_token token)
{
	return token.len == 2 && token.text[0] == '-' && token.text[1] != '-';
}

/* Options that only one extension has: they end a stretch of an unknown one. */
static bool unmistakable(struct pw_ipt_token token)
{
	static const char *const words[] = {
		"--dport", "--sport", "--dports", "--sports", "--tcp-flags", "--syn", "--ctstate", "--state", "--jump", "--goto", "--match",
		"--source", "--destination", "--protocol", "--in-interface", "--out-interface", "--comment",
	};
	return PW_IPT_ANY_OF(token, words);
}

static bool parse_options(struct pw_ipt_build *b)
{
	struct pw_ipt_token token, target = { "", 0 }, value;
	for (;;) {
		const char *before = b->cursor.at;
		if (!pw_ipt_next(&b->cursor, &token))
			break;
		const char *start = b->negate ? b->negate_at : token.text;
		if (pw_ipt_is(token, "!")) {
			b->negate = true;
			b->negate_at = token.text;
			continue;
		}
		if (b->unknown && !short_option(token) && !unmistakable(token)) {
			if (pw_ipt_is(b->module, "recent") && pw_ipt_is(token, "--set"))
				b->unknown_true = true;
			b->negate = false;
			continue;
		}
		end_unknown(b, b->negate ? b->negate_at : before);
		bool is_match = pw_ipt_is(token, "-m") || pw_ipt_is(token, "--match");
		bool is_jump = pw_ipt_is(token, "-j") || pw_ipt_is(token, "--jump"), is_goto = pw_ipt_is(token, "-g") || pw_ipt_is(token, "--goto");
		if (is_match || is_jump || is_goto) {
			if (!pw_ipt_next(&b->cursor, &value)) {
				b->why = "the word after its last option is missing";
				return false;
			}
			b->in_target = false;
			if (is_match) {
				begin_module(b, value, start);
			} else {
				target = value;
				pw_ipt_target(b, value, is_goto);
			}
		} else if (b->in_target && !short_option(token)) {
			if (!pw_ipt_target_option(b, target, token)) {
				b->why = "the word after its last option is missing";
				return false;
			}
		} else if (pw_ipt_is(token, "--comment")) {
			(void)pw_ipt_next(&b->cursor, &value);
		} else if (pw_ipt_is(token, "-c")) { /* -c packets bytes */
			if (pw_ipt_next(&b->cursor, &value))
				(void)pw_ipt_next(&b->cursor, &value);
		} else {
			int done = match_option(b, token, start);
			if (done < 0) {
				b->why = "the word after its last option is missing";
				return false;
			}
			if (done == 0)
				b->unknown = start;
		}
		b->negate = false;
		if (b->why)
			return false;
	}
	if (b->cursor.bad_quote) {
		b->why = "a quote is never closed";
		return false;
	}
	end_unknown(b, b->cursor.end);
	if (pw_ipt_is(target, "REDIRECT") && b->n_actions == 0) /* without --to-ports the port stays */
		pw_ipt_add_action(b, (struct pw_action){ .kind = PW_ACT_REDIRECT });
	return !b->why;
}

/* One block: the rule, its matches, their ranges, its actions. */
static struct pw_rules_rule *copy_out(struct pw_ipt_build *b)
{
	size_t matches = b->n_matches * sizeof *b->matches, ranges = b->n_ranges * sizeof *b->ranges, actions = b->n_actions * sizeof *b->actions;
	struct pw_rules_rule *rule = pw_arena_alloc(b->place->rules->arena, sizeof *rule + matches + ranges + actions);
	if (!rule)
		return NULL;
	struct pw_range *new_ranges = (struct pw_range *)(void *)(rule + 1);
	struct pw_match *new_matches = (struct pw_match *)(void *)(new_ranges + b->n_ranges);
	struct pw_action *new_actions = (struct pw_action *)(void *)(new_matches + b->n_matches);
	memcpy(new_ranges, b->ranges, ranges);
	memcpy(new_matches, b->matches, matches);
	memcpy(new_actions, b->actions, actions);
	for (unsigned i = 0; i < b->n_matches; i++)
		if (new_matches[i].op == PW_M_RANGES)
			new_matches[i].u.ranges = new_ranges + (b->matches[i].u.ranges - b->ranges);
	rule->matches = new_matches;
	rule->actions = new_actions;
	rule->n_matches = (uint16_t)b->n_matches;
	rule->n_actions = (uint16_t)b->n_actions;
	return rule;
}

struct pw_rules_rule *pw_ipt_rule(const struct pw_ipt_place *place, struct pw_ipt_cursor cursor, const char **ret_why)
{
	struct pw_ipt_build b;
	b.place = place;
	b.cursor = cursor;
	b.n_matches = b.n_ranges = b.n_actions = 0;
	b.module = (struct pw_ipt_token){ "", 0 };
	b.unknown = b.negate_at = b.why = NULL;
	b.unknown_true = b.in_target = b.negate = false;
	if (!parse_options(&b)) {
		*ret_why = b.why;
		return NULL;
	}
	struct pw_rules_rule *rule = copy_out(&b);
	if (!rule)
		*ret_why = "out of memory";
	return rule;
}
