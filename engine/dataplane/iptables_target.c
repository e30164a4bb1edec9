/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a rule does: -j and -g with their options. A word that is no target of iptables is a chain. */
#include "iptables.h"

#include <string.h>

void pw_ipt_add_action(struct pw_ipt_build *b, struct pw_action action)
{
	if (b->n_actions == PW_IPT_ACTIONS)
		b->why = "it has too many targets";
	else
		b->actions[b->n_actions++] = action;
}

void pw_ipt_target(struct pw_ipt_build *b, struct pw_ipt_token name, bool go)
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
	if (action.kind == PW_ACT_PASS && PW_IPT_ANY_OF(name, passing))
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
		action.text = pw_ipt_keep(b, name.text, name.len);
	}
	pw_ipt_add_action(b, action);
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
		if (!pw_ipt_addr_span(text, (size_t)(addr_end - text), &addr))
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

static void mark_option(struct pw_ipt_build *b, struct pw_ipt_token option, struct pw_ipt_token value)
{
	uint32_t v, mask;
	struct pw_action action = { .kind = PW_ACT_MARK };
	if (!pw_ipt_masked(value, &v, &mask))
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
		action.u.mark.keep = UINT32_MAX;
		action.u.mark.flip = v;
	}
	pw_ipt_add_action(b, action);
}

static void nat_option(struct pw_ipt_build *b, struct pw_ipt_token value, enum pw_act kind)
{
	struct pw_action action = { .kind = kind };
	if (kind == PW_ACT_REDIRECT) {
		struct pw_range ports;
		const char *dash = memchr(value.text, '-', value.len);
		if (pw_ipt_port(value.text, dash ? (size_t)(dash - value.text) : value.len, &ports))
			action.u.nat.port_lo = action.u.nat.port_hi = (uint16_t)ports.lo.lo;
	} else if (!parse_nat(value, &action.u.nat)) {
		action.text = pw_ipt_keep(b, value.text, value.len);
	}
	pw_ipt_add_action(b, action);
}

/* An option after -j. `target` tells MARK's from CONNMARK's. */
bool pw_ipt_target_option(struct pw_ipt_build *b, struct pw_ipt_token target, struct pw_ipt_token option)
{
	static const char *const marks[] = { "--set-xmark", "--set-mark", "--or-mark", "--and-mark", "--xor-mark" };
	struct pw_ipt_token value;
	bool dnat = pw_ipt_is(option, "--to-destination");
	if (pw_ipt_is(target, "CT") && pw_ipt_is(option, "--notrack")) {
		pw_ipt_add_action(b, (struct pw_action){ .kind = PW_ACT_NOTRACK });
	} else if (pw_ipt_is(target, "MARK") && PW_IPT_ANY_OF(option, marks)) {
		if (!pw_ipt_value(b, &value))
			return false;
		mark_option(b, option, value);
	} else if (dnat || (pw_ipt_is(target, "REDIRECT") && (pw_ipt_is(option, "--to-ports") || pw_ipt_is(option, "--to-port")))) {
		if (!pw_ipt_value(b, &value))
			return false;
		nat_option(b, value, dnat ? PW_ACT_DNAT : PW_ACT_REDIRECT);
	} else if (pw_ipt_is(option, "--reject-with")) {
		if (!pw_ipt_value(b, &value))
			return false;
		if (b->n_actions > 0 && b->actions[b->n_actions - 1].kind == PW_ACT_REJECT)
			b->actions[b->n_actions - 1].text = pw_ipt_keep(b, value.text, value.len);
	}
	return true;
}
