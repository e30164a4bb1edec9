/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does a rule match a packet: yes, no, or not to be known from the packet. */
#include "walk.h"

#include <linux/rtnetlink.h>
#include <string.h>

enum {
	TCP_SYN = 2, TCP_ACK = 16,
	/* net.ipv4.ip_local_port_range: where the source port of a client is when nobody said */
	EPHEMERAL_LOW = 32768, EPHEMERAL_HIGH = 60999,
	LOCALS_MAX = 4096,
};
static const uint64_t PROTO_TCP = 6, PROTO_ICMP = 1, PROTO_ICMP6 = 58;

static bool given(const char *text)
{
	return text && *text;
}

static int parse_ct_state(const char *word, uint32_t *ret, struct pw_err *err)
{
	static const struct { const char *word; uint32_t bit; } states[] = {
		{ "NEW", PW_CT_NEW }, { "ESTABLISHED", PW_CT_ESTABLISHED }, { "RELATED", PW_CT_RELATED }, { "INVALID", PW_CT_INVALID },
		{ "UNTRACKED", PW_CT_UNTRACKED },
	};
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (strcmp(states[i].word, given(word) ? word : "NEW") == 0) {
			*ret = states[i].bit;
			return PW_OK;
		}
	}
	return pw_err_set(err, PW_USAGE, "conntrack state '%s' is none of NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED", word);
}

static int parse_address(const char *text, const char *what, struct pw_key *ret, uint8_t *family, struct pw_err *err)
{
	bool v6;
	if (!pw_key_addr(text, strlen(text), ret, &v6))
		return pw_err_set(err, PW_USAGE, "%s address '%s' is not an IP address", what, text);
	if (*family != 0 && *family != (v6 ? 6 : 4))
		return pw_err_set(err, PW_USAGE, "source and destination are not of one IP version");
	*family = v6 ? 6 : 4;
	return PW_OK;
}

/* Those that are no address are left out: they come from the kernel or a Node object, as "ip" or "ip/len". */
static int parse_locals(struct pw_passage *walk, struct pw_err *err)
{
	bool own = walk->packet->n_locals > 0;
	const char *const *texts = own ? walk->packet->locals : walk->rules->locals;
	size_t n = own ? walk->packet->n_locals : walk->rules->n_locals;
	n = n < LOCALS_MAX ? n : LOCALS_MAX;
	struct pw_key *keys = pw_arena_array(walk->arena, n ? n : 1, sizeof *keys);
	if (!keys)
		return pw_err_set(err, PW_NOMEM, "cannot walk the rules: out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *text = texts[i];
		bool v6;
		size_t len = text ? strcspn(text, "/") : 0;
		if (pw_key_addr(text, len, &keys[walk->n_locals], &v6))
			walk->n_locals++;
	}
	walk->locals = keys;
	return PW_OK;
}

int pw_passage_init(struct pw_passage *walk, const struct pw_rules *rules, const struct pw_packet *packet, struct pw_arena *arena,
		 struct pw_world *ret_world, struct pw_err *err)
{
	struct pw_world world = { 0 };
	memset(walk, 0, sizeof *walk);
	walk->rules = rules;
	walk->packet = packet;
	walk->arena = arena;
	int rc = parse_ct_state(packet->ctstate, &walk->ctstate, err);
	if (rc == PW_OK && given(packet->src)) {
		rc = parse_address(packet->src, "source", &world.src, &walk->family, err);
		world.flags |= PW_W_HAS_SRC;
	}
	if (rc == PW_OK && given(packet->dst)) {
		rc = parse_address(packet->dst, "destination", &world.dst, &walk->family, err);
		world.flags |= PW_W_HAS_DST;
	}
	if (rc == PW_OK)
		rc = parse_locals(walk, err);
	if (rc != PW_OK)
		return rc;
	if (given(packet->protocol)) {
		if (!pw_key_proto(packet->protocol, strlen(packet->protocol), &walk->proto))
			return pw_err_set(err, PW_USAGE, "protocol '%s' is not known", packet->protocol);
		walk->has_proto = true;
		if (walk->proto == PROTO_ICMP && walk->family == 6)
			walk->proto = PROTO_ICMP6;
	}
	if (packet->sport > UINT16_MAX || packet->dport > UINT16_MAX)
		return pw_err_set(err, PW_USAGE, "port %u is not within 0..65535", packet->sport > UINT16_MAX ? packet->sport : packet->dport);
	world.sport = (uint16_t)packet->sport;
	world.dport = (uint16_t)packet->dport;
	world.mark = packet->mark;
	*ret_world = world;
	return PW_OK;
}

bool pw_passage_proto_has_ports(const struct pw_passage *walk)
{
	switch (walk->proto) { /* IANA protocol numbers */
	case 6: case 17: case 33: case 132: case 136: return true;
	default: return false;
	}
}

static bool loopback(struct pw_key addr)
{
	return pw_key_is_v4(addr) ? (addr.lo >> 24 & 0xff) == 127 : addr.hi == 0 && addr.lo == 1;
}

static bool among_locals(const struct pw_passage *walk, struct pw_key addr)
{
	for (size_t i = 0; i < walk->n_locals; i++)
		if (pw_key_compare(walk->locals[i], addr) == 0)
			return true;
	return false;
}

bool pw_world_local(const struct pw_passage *walk, const struct pw_world *world)
{
	if (world->flags & PW_W_LOCAL || walk->packet->dst_local)
		return true;
	return world->flags & PW_W_HAS_DST && (loopback(world->dst) || among_locals(walk, world->dst));
}

static enum pw_tri dst_type(const struct pw_passage *walk, const struct pw_world *world, struct pw_key *ret)
{
	struct pw_key dst = world->dst;
	bool v4 = pw_key_is_v4(dst);
	if (!(world->flags & PW_W_HAS_DST))
		return PW_MAYBE;
	if (v4 ? (dst.lo >> 28 & 0xf) == 0xe : dst.hi >> 56 == 0xff)
		*ret = pw_key_num(RTN_MULTICAST);
	else if (v4 && (uint32_t)dst.lo == UINT32_MAX)
		*ret = pw_key_num(RTN_BROADCAST);
	else if (pw_world_local(walk, world))
		*ret = pw_key_num(RTN_LOCAL);
	else if (walk->n_locals == 0)
		return PW_MAYBE;
	else
		*ret = pw_key_num(RTN_UNICAST);
	return PW_YES;
}

static enum pw_tri src_type(const struct pw_passage *walk, const struct pw_world *world, struct pw_key *ret)
{
	if (!(world->flags & PW_W_HAS_SRC) && !walk->packet->local_out)
		return PW_MAYBE;
	bool local = walk->packet->local_out || loopback(world->src) || among_locals(walk, world->src);
	*ret = pw_key_num(local ? RTN_LOCAL : RTN_UNICAST);
	return PW_YES;
}

static enum pw_tri iface(const char *name, struct pw_key *ret)
{
	struct pw_range range;
	if (!pw_range_iface(name, strlen(name), '\0', &range))
		return PW_MAYBE;
	*ret = range.lo;
	return PW_YES;
}

static enum pw_tri in_iface(const struct pw_passage *walk, struct pw_key *ret)
{
	if (walk->looped)
		return iface("lo", ret);
	if (walk->packet->local_out || walk->hook == PW_HOOK_OUTPUT)
		return iface("", ret);
	return given(walk->packet->iif) ? iface(walk->packet->iif, ret) : PW_MAYBE;
}

static enum pw_tri out_iface(const struct pw_passage *walk, const struct pw_world *world, struct pw_key *ret)
{
	if (walk->hook == PW_HOOK_PREROUTING || walk->hook == PW_HOOK_INPUT || walk->hook == PW_HOOK_INGRESS)
		return iface("", ret);
	if (walk->packet->local_out && pw_world_local(walk, world))
		return iface("lo", ret);
	return given(walk->packet->oif) ? iface(walk->packet->oif, ret) : PW_MAYBE;
}

static enum pw_tri number(bool known, uint64_t n, struct pw_key *ret)
{
	*ret = pw_key_num(n);
	return known ? PW_YES : PW_MAYBE;
}

/* A port: absent from protocols that have none. */
static enum pw_tri port(const struct pw_passage *walk, uint16_t n, struct pw_key *ret)
{
	if (!walk->has_proto)
		return PW_MAYBE;
	if (!pw_passage_proto_has_ports(walk))
		return PW_NO;
	return number(n != 0, n, ret);
}

enum pw_tri pw_eval_field(const struct pw_passage *walk, const struct pw_world *world, enum pw_field field, struct pw_key *ret)
{
	bool established = walk->ctstate & PW_CT_ESTABLISHED;
	switch (field) {
	case PW_F_SADDR:
		*ret = world->src;
		return world->flags & PW_W_HAS_SRC ? PW_YES : PW_MAYBE;
	case PW_F_DADDR:
		*ret = world->dst;
		return world->flags & PW_W_HAS_DST ? PW_YES : PW_MAYBE;
	case PW_F_PROTO: return number(walk->has_proto, walk->proto, ret);
	case PW_F_SPORT: return port(walk, world->sport, ret);
	case PW_F_DPORT: case PW_F_PORT: return port(walk, world->dport, ret);
	case PW_F_IIF: return in_iface(walk, ret);
	case PW_F_OIF: return out_iface(walk, world, ret);
	case PW_F_MARK: return number(true, world->mark, ret);
	case PW_F_CTSTATE: return number(true, world->flags & PW_W_NOTRACK ? PW_CT_UNTRACKED : walk->ctstate, ret);
	case PW_F_SRC_TYPE: return src_type(walk, world, ret);
	case PW_F_DST_TYPE: return dst_type(walk, world, ret);
	case PW_F_TCPFLAGS: /* the packets asked about: a connection's first, or one in its middle */
		if (walk->has_proto && walk->proto != PROTO_TCP)
			return PW_NO;
		return number(walk->has_proto, established ? TCP_ACK : TCP_SYN, ret);
	case PW_F_ICMP_TYPE: /* a ping */
		if (walk->has_proto && walk->proto != PROTO_ICMP && walk->proto != PROTO_ICMP6)
			return PW_NO;
		return number(walk->has_proto, walk->proto == PROTO_ICMP6 ? 128 : 8, ret);
	case PW_F_NFPROTO: return number(walk->family != 0, walk->family, ret);
	case PW_F_CHANCE: case PW_F_UNKNOWN: break;
	}
	return PW_MAYBE;
}

static bool in_ranges(const struct pw_match *match, struct pw_key key)
{
	for (uint32_t i = 0; i < match->n; i++)
		if (pw_key_in(&match->u.ranges[i], key))
			return true;
	return false;
}

/* An unsaid source port is one of the kernel's choice. */
static enum pw_tri ephemeral(const struct pw_match *match)
{
	enum pw_tri result = PW_NO;
	for (uint32_t i = 0; i < match->n; i++) {
		uint64_t low = match->u.ranges[i].lo.lo, high = match->u.ranges[i].hi.lo;
		if (low <= EPHEMERAL_LOW && high >= EPHEMERAL_HIGH)
			return PW_YES;
		if (low <= EPHEMERAL_HIGH && high >= EPHEMERAL_LOW)
			result = PW_MAYBE;
	}
	return result;
}

static enum pw_tri eval_ranges(const struct pw_passage *walk, const struct pw_world *world, const struct pw_match *match)
{
	struct pw_key key = { 0, 0 };
	enum pw_field field = (enum pw_field)match->fields[0];
	enum pw_tri known = pw_eval_field(walk, world, field, &key);
	if (known == PW_NO)
		return PW_NO;
	enum pw_tri result = known == PW_YES ? (in_ranges(match, key) ? PW_YES : PW_NO) : PW_MAYBE;
	bool ports = walk->has_proto && (field == PW_F_SPORT || field == PW_F_PORT);
	if (ports && !(field == PW_F_PORT && result == PW_YES)) {
		enum pw_tri source = world->sport == 0 ? ephemeral(match) : in_ranges(match, pw_key_num(world->sport)) ? PW_YES : PW_NO;
		result = field == PW_F_SPORT || source > result ? source : result;
	}
	return match->negate ? (enum pw_tri)(PW_YES - result) : result;
}

static enum pw_tri eval_bits(const struct pw_passage *walk, const struct pw_world *world, const struct pw_match *match)
{
	struct pw_key key;
	enum pw_tri known = pw_eval_field(walk, world, (enum pw_field)match->fields[0], &key);
	if (known != PW_YES)
		return known;
	if (match->fields[0] == PW_F_CTSTATE && world->flags & PW_W_DNAT)
		key.lo |= PW_CT_DNAT; /* what was done to the connection, beside its state */
	bool hit = match->op == PW_M_ANYBIT ? (key.lo & match->u.bits.mask) != 0 : (key.lo & match->u.bits.mask) == match->u.bits.value;
	return hit != match->negate ? PW_YES : PW_NO;
}

static enum pw_tri eval_set(const struct pw_passage *walk, const struct pw_world *world, const struct pw_match *match)
{
	struct pw_key keys[PW_FIELDS_MAX];
	enum pw_tri all = PW_YES;
	for (unsigned i = 0; i < match->n_fields; i++) {
		enum pw_tri known = pw_eval_field(walk, world, (enum pw_field)match->fields[i], &keys[i]);
		if (known == PW_NO)
			return PW_NO;
		if (known == PW_MAYBE)
			all = PW_MAYBE;
	}
	if (all == PW_MAYBE)
		return match->u.set->n > 0 || match->u.set->unreadable ? PW_MAYBE : match->negate ? PW_YES : PW_NO;
	bool hit = pw_set_find(match->u.set, keys) != NULL;
	if (!hit && match->u.set->unreadable)
		return PW_MAYBE;
	return hit != match->negate ? PW_YES : PW_NO;
}

static enum pw_tri eval_match(const struct pw_passage *walk, const struct pw_world *world, const struct pw_match *match)
{
	switch ((enum pw_match_op)match->op) {
	case PW_M_RANGES: return eval_ranges(walk, world, match);
	case PW_M_SET: return eval_set(walk, world, match);
	case PW_M_ANYBIT: case PW_M_MASKED: return eval_bits(walk, world, match);
	case PW_M_CHANCE: case PW_M_UNKNOWN: break;
	}
	return PW_MAYBE;
}

enum pw_tri pw_eval_rule(struct pw_passage *walk, const struct pw_world *world, const struct pw_rules_rule *rule)
{
	enum pw_tri result = PW_YES;
	walk->steps++;
	for (unsigned i = 0; i < rule->n_matches; i++) {
		enum pw_tri one = eval_match(walk, world, &rule->matches[i]);
		if (one == PW_NO)
			return PW_NO;
		if (one < result)
			result = one;
	}
	return result;
}
