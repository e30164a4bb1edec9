/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One rule as iptables-save prints it. Options that a packet can answer become
 * ranges over its fields; everything else is kept as written and counts as
 * "may match", so that a new extension never turns into a wrong answer.
 */
#include "iptables.h"

#include <linux/rtnetlink.h>
#include <string.h>

enum {
	MATCHES_MAX = 48,  /* of one rule; iptables-save prints a handful */
	RANGES_MAX = 96,   /* multiport takes 15 ports */
	ACTIONS_MAX = 8,
};
static const uint32_t ALL_BITS = UINT32_MAX;

/* The rule being built. */
struct build {
	const struct pw_ipt_place *place;
	struct pw_ipt_cursor cursor;
	struct pw_match matches[MATCHES_MAX];
	struct pw_range ranges[RANGES_MAX];
	struct pw_action actions[ACTIONS_MAX];
	unsigned n_matches, n_ranges, n_actions;
	struct pw_ipt_token module;     /* the last -m */
	const char *unknown;            /* start of a stretch that is not understood, NULL: none */
	bool unknown_true;              /* ... that always matches (recent --set) */
	bool in_target;
	bool negate;
	const char *negate_at;
	const char *why;
};

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

static bool any_of(struct pw_ipt_token token, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pw_ipt_is(token, words[i]))
			return true;
	return false;
}
#define ANY_OF(token, words) any_of((token), (words), sizeof(words) / sizeof *(words))

/* A NUL-terminated copy in the rules' arena. */
static const char *keep(struct build *b, const char *text, size_t len)
{
	return pw_arena_strndup(b->place->rules->arena, text, len);
}

static struct pw_match *add_match(struct build *b, enum pw_match_op op, enum pw_field field)
{
	if (b->n_matches == MATCHES_MAX) {
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

static void add_unknown(struct build *b, const char *start, const char *end)
{
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	b->negate = false; /* the "!" is in the text */
	struct pw_match *match = add_match(b, PW_M_UNKNOWN, PW_F_UNKNOWN);
	if (match)
		match->u.text = keep(b, start, (size_t)(end - start));
}

static void end_unknown(struct build *b, const char *at)
{
	if (b->unknown && !b->unknown_true)
		add_unknown(b, b->unknown, at);
	b->unknown = NULL;
	b->unknown_true = false;
}

/* Comma-separated parts of a value, each turned into a range by `parse`. False: some part cannot be read. */
typedef bool (*range_fn)(const char *text, size_t len, struct pw_range *ret);

static bool add_ranges(struct build *b, enum pw_field field, struct pw_ipt_token value, range_fn parse)
{
	unsigned first = b->n_ranges;
	const char *p = value.text, *end = value.text + value.len;
	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;
		if (b->n_ranges == RANGES_MAX || !parse(p, (size_t)(stop - p), &b->ranges[b->n_ranges])) {
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
static bool parse_addr_span(const char *text, size_t len, struct pw_range *ret)
{
	const char *dash = memchr(text, '-', len);
	bool v6, high_v6;
	if (!dash)
		return parse_addr(text, len, ret);
	size_t low_len = (size_t)(dash - text);
	return pw_key_addr(text, low_len, &ret->lo, &v6) && pw_key_addr(dash + 1, len - low_len - 1, &ret->hi, &high_v6) && v6 == high_v6;
}

/* "80", "80:90", ":1023", "1024:" */
static bool parse_port(const char *text, size_t len, struct pw_range *ret)
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
static bool parse_masked(struct pw_ipt_token token, uint32_t *ret_value, uint32_t *ret_mask)
{
	const char *slash = memchr(token.text, '/', token.len);
	size_t len = slash ? (size_t)(slash - token.text) : token.len;
	uint64_t value, mask = ALL_BITS;
	if (!pw_key_number(token.text, len, ALL_BITS, &value)
	    || (slash && !pw_key_number(slash + 1, token.len - len - 1, ALL_BITS, &mask)))
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

static bool add_ctstate(struct build *b, struct pw_ipt_token value)
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

static bool add_tcp_flags(struct build *b, struct pw_ipt_token mask, struct pw_ipt_token set)
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

static bool add_mark(struct build *b, struct pw_ipt_token token)
{
	uint32_t value, mask;
	if (!parse_masked(token, &value, &mask))
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
	{ "--dport", PW_F_DPORT, parse_port }, { "--dports", PW_F_DPORT, parse_port },
	{ "-i", PW_F_IIF, parse_iface }, { "-o", PW_F_OIF, parse_iface },
	{ "--sport", PW_F_SPORT, parse_port }, { "--sports", PW_F_SPORT, parse_port }, { "--ports", PW_F_PORT, parse_port },
	{ "--dst-type", PW_F_DST_TYPE, parse_addrtype }, { "--src-type", PW_F_SRC_TYPE, parse_addrtype },
	{ "--src-range", PW_F_SADDR, parse_addr_span }, { "--dst-range", PW_F_DADDR, parse_addr_span },
	{ "--icmp-type", PW_F_ICMP_TYPE, parse_icmp_type }, { "--icmpv6-type", PW_F_ICMP_TYPE, parse_icmp6_type },
	{ "--source", PW_F_SADDR, parse_addr }, { "--src", PW_F_SADDR, parse_addr },
	{ "--destination", PW_F_DADDR, parse_addr }, { "--dst", PW_F_DADDR, parse_addr },
	{ "--protocol", PW_F_PROTO, parse_proto }, { "--proto", PW_F_PROTO, parse_proto },
	{ "--in-interface", PW_F_IIF, parse_iface }, { "--out-interface", PW_F_OIF, parse_iface },
	{ "--destination-port", PW_F_DPORT, parse_port }, { "--destination-ports", PW_F_DPORT, parse_port },
	{ "--source-port", PW_F_SPORT, parse_port }, { "--source-ports", PW_F_SPORT, parse_port },
};

/* Reads an option's value; old iptables wrote the "!" between the two. */
static bool option_value(struct build *b, struct pw_ipt_token *ret)
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
static int match_option(struct build *b, struct pw_ipt_token option, const char *start)
{
	struct pw_ipt_token value, second;
	bool understood = false;
	if (pw_ipt_is(option, "--syn")) {
		struct pw_ipt_token mask = { "FIN,SYN,RST,ACK", 15 }, syn = { "SYN", 3 };
		return add_tcp_flags(b, mask, syn);
	}
	if (pw_ipt_is(option, "--tcp-flags")) {
		if (!option_value(b, &value) || !pw_ipt_next(&b->cursor, &second))
			return -1;
		understood = add_tcp_flags(b, value, second);
	} else if (pw_ipt_is(option, "--ctstate") || pw_ipt_is(option, "--state")) {
		if (!option_value(b, &value))
			return -1;
		understood = add_ctstate(b, value);
	} else if (pw_ipt_is(option, "--mark") && pw_ipt_is(b->module, "mark")) {
		if (!option_value(b, &value))
			return -1;
		understood = add_mark(b, value);
	} else {
		size_t i = 0;
		while (i < sizeof options / sizeof *options && !pw_ipt_is(option, options[i].name))
			i++;
		if (i == sizeof options / sizeof *options)
			return 0;
		if (!option_value(b, &value))
			return -1;
		understood = add_ranges(b, (enum pw_field)options[i].field, value, options[i].parse);
	}
	if (!understood)
		add_unknown(b, start, b->cursor.at);
	return 1;
}

/* "-m NAME": extensions whose options are all in the tables above, or which always match. */
static void begin_module(struct build *b, struct pw_ipt_token name, const char *start)
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
	} else if (!ANY_OF(name, known)) {
		b->unknown = start;
		b->unknown_true = false;
	}
}

static void add_action(struct build *b, struct pw_action action)
{
	if (b->n_actions == ACTIONS_MAX)
		b->why = "it has too many targets";
	else
		b->actions[b->n_actions++] = action;
}

static void begin_target(struct build *b, struct pw_ipt_token name, bool go)
{
	static const struct { const char *name; enum pw_act act; } builtin[] = {
		{ "ACCEPT", PW_ACT_ACCEPT }, { "DROP", PW_ACT_DROP }, { "REJECT", PW_ACT_REJECT }, { "RETURN", PW_ACT_RETURN },
		{ "QUEUE", PW_ACT_QUEUE }, { "NFQUEUE", PW_ACT_QUEUE }, { "TPROXY", PW_ACT_QUEUE }, { "SYNPROXY", PW_ACT_QUEUE },
		{ "MASQUERADE", PW_ACT_SNAT }, { "SNAT", PW_ACT_SNAT }, { "NOTRACK", PW_ACT_NOTRACK },
	};
	/* DNAT, REDIRECT and MARK come into being with their option. */
	static const char *const passing[] = {
		"DNAT", "REDIRECT", "MARK", "LOG", "NFLOG", "TRACE", "CONNMARK", "CT", "TCPMSS", "CLASSIFY", "DSCP", "TOS", "TTL", "HL", "CHECKSUM",
		"SET", "AUDIT", "CONNSECMARK", "SECMARK", "IDLETIMER", "LED", "RATEEST", "ULOG", "TEE", "ECN", "HMARK", "TCPOPTSTRIP", "NETMAP",
		"CLUSTERIP", "ACCOUNT", "DNPT", "SNPT",
	};
	struct pw_action action = { .kind = PW_ACT_PASS };
	const bool v6 = b->place->family == PW_FAM_IP6;
	b->in_target = true;
	for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
		if (pw_ipt_is(name, builtin[i].name))
			action.kind = builtin[i].act;
	if (action.kind == PW_ACT_PASS && ANY_OF(name, passing))
		return;
	if (action.kind == PW_ACT_PASS) {
		action.kind = go ? PW_ACT_GOTO : PW_ACT_JUMP;
		action.u.chain = pw_rules_chain_get(b->place->rules, b->place->backend, b->place->family, b->place->table, b->place->table_len,
						    name.text, name.len);
		if (!action.u.chain)
			b->why = "out of memory";
	} else if (action.kind == PW_ACT_REJECT) {
		action.text = v6 ? "icmp6-port-unreachable" : "icmp-port-unreachable"; /* unless --reject-with says otherwise */
	} else if (action.kind == PW_ACT_QUEUE) {
		action.text = keep(b, name.text, name.len);
	}
	add_action(b, action);
}

/* "ip", "ip-ip", ":port", "ip:port", "ip:low-high", "[v6]:port" */
static bool parse_nat(struct pw_ipt_token value, struct pw_nat *ret)
{
	const char *text = value.text, *end = text + value.len, *addr_end = end, *ports = NULL;
	memset(ret, 0, sizeof *ret);
	if (text < end && *text == '[') {
		const char *close = memchr(text, ']', value.len);
		if (!close)
			return false;
		text++;
		addr_end = close;
		ports = close + 1 < end && close[1] == ':' ? close + 2 : NULL;
	} else {
		const char *colon = memchr(text, ':', value.len);
		if (colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1))) { /* more than one: a bare IPv6 address */
			addr_end = colon;
			ports = colon + 1;
		}
	}
	struct pw_range addr;
	if (addr_end > text) {
		if (!parse_addr_span(text, (size_t)(addr_end - text), &addr))
			return false;
		ret->lo = addr.lo;
		ret->hi = addr.hi;
		ret->has_addr = true;
	}
	if (!ports)
		return true;
	const char *slash = memchr(ports, '/', (size_t)(end - ports)); /* port range with a shift */
	const char *ports_end = slash ? slash : end, *dash = memchr(ports, '-', (size_t)(ports_end - ports));
	uint64_t low, high;
	if (!pw_key_number(ports, (size_t)((dash ? dash : ports_end) - ports), UINT16_MAX, &low))
		return false;
	high = low;
	if (dash && !pw_key_number(dash + 1, (size_t)(ports_end - dash - 1), UINT16_MAX, &high))
		return false;
	ret->port_lo = (uint16_t)low;
	ret->port_hi = (uint16_t)high;
	return true;
}

static void mark_option(struct build *b, struct pw_ipt_token option, struct pw_ipt_token value)
{
	uint32_t v, mask;
	struct pw_action action = { .kind = PW_ACT_MARK };
	if (!parse_masked(value, &v, &mask))
		return;
	if (pw_ipt_is(option, "--set-xmark")) {
		action.u.mark.keep = ~mask;
		action.u.mark.flip = v;
	} else if (pw_ipt_is(option, "--set-mark")) {
		action.u.mark.keep = ~(mask | v);
		action.u.mark.flip = v;
	} else if (pw_ipt_is(option, "--or-mark")) {
		action.u.mark.keep = ~v;
		action.u.mark.flip = v;
	} else if (pw_ipt_is(option, "--and-mark")) {
		action.u.mark.keep = v;
	} else {
		action.u.mark.keep = ALL_BITS;
		action.u.mark.flip = v;
	}
	add_action(b, action);
}

static void nat_option(struct build *b, struct pw_ipt_token value, enum pw_act kind)
{
	struct pw_action action = { .kind = kind };
	if (kind == PW_ACT_REDIRECT) {
		struct pw_range ports;
		const char *dash = memchr(value.text, '-', value.len);
		if (parse_port(value.text, dash ? (size_t)(dash - value.text) : value.len, &ports))
			action.u.nat.port_lo = action.u.nat.port_hi = (uint16_t)ports.lo.lo;
	} else if (!parse_nat(value, &action.u.nat)) {
		action.text = keep(b, value.text, value.len);
	}
	add_action(b, action);
}

/* An option after -j. `target` tells MARK's from CONNMARK's. */
static bool target_option(struct build *b, struct pw_ipt_token target, struct pw_ipt_token option)
{
	static const char *const marks[] = { "--set-xmark", "--set-mark", "--or-mark", "--and-mark", "--xor-mark" };
	struct pw_ipt_token value;
	bool dnat = pw_ipt_is(option, "--to-destination");
	if (pw_ipt_is(target, "CT") && pw_ipt_is(option, "--notrack")) {
		add_action(b, (struct pw_action){ .kind = PW_ACT_NOTRACK });
	} else if (pw_ipt_is(target, "MARK") && ANY_OF(option, marks)) {
		if (!option_value(b, &value))
			return false;
		mark_option(b, option, value);
	} else if (dnat || (pw_ipt_is(target, "REDIRECT") && (pw_ipt_is(option, "--to-ports") || pw_ipt_is(option, "--to-port")))) {
		if (!option_value(b, &value))
			return false;
		nat_option(b, value, dnat ? PW_ACT_DNAT : PW_ACT_REDIRECT);
	} else if (pw_ipt_is(option, "--reject-with")) {
		if (!option_value(b, &value))
			return false;
		if (b->n_actions > 0 && b->actions[b->n_actions - 1].kind == PW_ACT_REJECT)
			b->actions[b->n_actions - 1].text = keep(b, value.text, value.len);
	}
	return true;
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
	return ANY_OF(token, words);
}

static bool parse_options(struct build *b)
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
				begin_target(b, value, is_goto);
			}
		} else if (b->in_target && !short_option(token)) {
			if (!target_option(b, target, token)) {
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
		add_action(b, (struct pw_action){ .kind = PW_ACT_REDIRECT });
	return !b->why;
}

/* One block: the rule, its matches, their ranges, its actions. */
static struct pw_rules_rule *copy_out(struct build *b)
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
	struct build b;
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
