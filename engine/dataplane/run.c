/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Chains at work: the worlds of a packet pass the rules of a chain in order;
 * each rule takes those it matches, leaves the others, and both of those it
 * may match. A base chain ends in accepted worlds, or in drops that are kept
 * with the rule that made them.
 */
#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WORLDS_MAX = 4096,
	DROPS_MAX = 512,
	TRAIL_MAX = 256,
	UNKNOWN_MAX = 64,
	TARGETS_MAX = 4096,
	NAT_SPAN_MAX = 64,      /* addresses of a DNAT range listed one by one */
	MANGLE_PRIORITY = -150, /* NF_IP_PRI_MANGLE: an ACCEPT up to here lets nothing through a firewall */
};
static const unsigned long STEPS_MAX = 4ul * 1000 * 1000; /* rules looked at in one walk: well under a second */

void pw_worlds_init(struct pw_worlds *worlds)
{
	worlds->items = worlds->few;
	worlds->n = 0;
	worlds->cap = sizeof worlds->few / sizeof *worlds->few;
}

void pw_worlds_release(struct pw_worlds *worlds)
{
	if (worlds->items != worlds->few)
		free(worlds->items);
	pw_worlds_init(worlds);
}

static bool same_world(const struct pw_world *a, const struct pw_world *b)
{
	return pw_key_compare(a->dst, b->dst) == 0 && a->dport == b->dport && a->mark == b->mark && a->flags == b->flags
		&& pw_key_compare(a->src, b->src) == 0 && a->sport == b->sport;
}

void pw_worlds_add(struct pw_passage *walk, struct pw_worlds *worlds, const struct pw_world *world)
{
	for (size_t i = 0; i < worlds->n; i++)
		if (same_world(&worlds->items[i], world))
			return;
	walk->steps += worlds->n / 16; /* comparing many worlds costs as much as trying rules */
	if (worlds->n == WORLDS_MAX || walk->steps > STEPS_MAX) {
		walk->exhausted = true;
		return;
	}
	if (worlds->n == worlds->cap) {
		size_t cap = worlds->cap * 4;
		struct pw_world *items = worlds->items == worlds->few ? malloc(cap * sizeof *items) : realloc(worlds->items, cap * sizeof *items);
		if (!items) {
			walk->oom = true;
			return;
		}
		if (worlds->items == worlds->few)
			memcpy(items, worlds->few, sizeof worlds->few);
		worlds->items = items;
		worlds->cap = cap;
	}
	worlds->items[worlds->n++] = *world;
}

void pw_worlds_add_all(struct pw_passage *walk, struct pw_worlds *worlds, const struct pw_worlds *more)
{
	for (size_t i = 0; i < more->n; i++)
		pw_worlds_add(walk, worlds, &more->items[i]);
}

static void note_unknown(struct pw_passage *walk, const char *text)
{
	size_t n = pw_val_count(walk->unknown);
	if (!walk->unknown || n >= UNKNOWN_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		if (strcmp(pw_val_text(pw_val_at(walk->unknown, i)), text) == 0)
			return;
	pw_seq_add_str(walk->unknown, text);
}

void pw_passage_say_rule(const struct pw_rules_rule *rule, const struct pw_rules_chain *base, struct pw_val *map)
{
	const struct pw_rules_chain *chain = rule ? rule->chain : base;
	char table[160];
	pw_map_set_str(map, "backend", pw_rules_backend_word(chain->backend));
	pw_map_set_str(map, "table", pw_rules_table_name(chain, table, sizeof table));
	pw_map_set_str(map, "chain", chain->name);
	pw_map_set_str(map, "rule", rule ? rule->text : "policy DROP");
	if (rule ? rule->counted : chain->policy_counted)
		pw_map_set_int(map, "packets", (long long)(rule ? rule->packets : chain->policy_packets));
}

static void note_trail(struct pw_passage *walk, const struct pw_rules_rule *rule, bool certain)
{
	if (!walk->trail || walk->n_seen == TRAIL_MAX)
		return;
	for (size_t i = 0; i < walk->n_seen; i++)
		if (walk->seen[i] == rule)
			return;
	if (!walk->seen)
		walk->seen = pw_arena_array(walk->arena, TRAIL_MAX, sizeof *walk->seen);
	if (!walk->seen) {
		walk->oom = true;
		return;
	}
	walk->seen[walk->n_seen++] = rule;
	struct pw_val *step = pw_seq_add_map(walk->trail);
	pw_passage_say_rule(rule, walk->base, step);
	if (!certain)
		pw_map_set_bool(step, "maybe", true);
}

static void note_drop(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_action *action)
{
	for (size_t i = 0; i < walk->n_drops; i++)
		if (walk->drops[i].rule == rule && walk->drops[i].base == walk->base)
			return;
	if (!walk->drops)
		walk->drops = pw_arena_array(walk->arena, DROPS_MAX, sizeof *walk->drops);
	if (!walk->drops) {
		walk->oom = true;
		return;
	}
	if (walk->n_drops == DROPS_MAX)
		return;
	walk->drops[walk->n_drops++] = (struct pw_drop){
		.rule = rule, .base = walk->base, .verdict = action ? action->kind : PW_ACT_DROP, .text = action ? action->text : NULL,
	};
}

/* "-m set --match-set x src", or what of the packet was not said. */
static void note_why_maybe(struct pw_passage *walk, const struct pw_world *world, const struct pw_rules_rule *rule)
{
	static const char *const fields[] = {
		[PW_F_SADDR] = "source address", [PW_F_DADDR] = "destination address", [PW_F_PROTO] = "protocol", [PW_F_SPORT] = "source port",
		[PW_F_DPORT] = "destination port", [PW_F_PORT] = "port", [PW_F_IIF] = "input interface", [PW_F_OIF] = "output interface",
		[PW_F_MARK] = "mark", [PW_F_CTSTATE] = "conntrack state", [PW_F_SRC_TYPE] = "type of the source address",
		[PW_F_DST_TYPE] = "type of the destination address", [PW_F_TCPFLAGS] = "TCP flags", [PW_F_ICMP_TYPE] = "ICMP type",
		[PW_F_NFPROTO] = "IP version", [PW_F_CHANCE] = "random choice", [PW_F_UNKNOWN] = "content",
	};
	for (unsigned i = 0; i < rule->n_matches; i++) {
		const struct pw_match *match = &rule->matches[i];
		struct pw_key key;
		if (match->op == PW_M_UNKNOWN)
			note_unknown(walk, match->u.text);
		for (unsigned f = 0; match->op != PW_M_CHANCE && match->op != PW_M_UNKNOWN && f < match->n_fields; f++) {
			char text[96];
			if (match->fields[f] == PW_F_CHANCE || pw_eval_field(walk, world, (enum pw_field)match->fields[f], &key) != PW_MAYBE)
				continue;
			(void)snprintf(text, sizeof text, "%s of the packet: not given", fields[match->fields[f]]);
			note_unknown(walk, text);
		}
	}
}

static void add_target(struct pw_passage *walk, const char *text)
{
	size_t n = pw_val_count(walk->targets);
	if (!walk->targets || n >= TARGETS_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		if (strcmp(pw_val_text(pw_val_at(walk->targets, i)), text) == 0)
			return;
	pw_seq_add_str(walk->targets, text);
}

static void say_target(struct pw_passage *walk, const struct pw_world *world)
{
	char addr[48], text[80];
	pw_key_format_addr(world->dst, addr);
	if (world->flags & PW_W_LOCAL)
		(void)snprintf(text, sizeof text, "local:%u", world->dport);
	else if (world->dport == 0)
		(void)snprintf(text, sizeof text, "%s", addr);
	else
		(void)snprintf(text, sizeof text, pw_key_is_v4(world->dst) ? "%s:%u" : "[%s]:%u", addr, world->dport);
	add_target(walk, text);
}

static void do_dnat(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_action *action, const struct pw_world *world,
		    struct pw_worlds *accepted)
{
	const struct pw_nat *nat = &action->u.nat;
	if (!walk->dnat_rule)
		walk->dnat_rule = rule;
	struct pw_world changed = *world;
	changed.flags |= PW_W_DNAT;
	if (nat->port_lo != 0)
		changed.dport = nat->port_lo;
	if (action->text) { /* an address that could not be read */
		changed.flags &= (uint16_t)~PW_W_HAS_DST;
		add_target(walk, action->text);
		note_unknown(walk, action->text);
		pw_worlds_add(walk, accepted, &changed);
		return;
	}
	struct pw_key addr = nat->has_addr ? nat->lo : world->dst;
	for (unsigned i = 0; i < NAT_SPAN_MAX; i++) {
		changed.dst = addr;
		changed.flags |= PW_W_HAS_DST;
		say_target(walk, &changed);
		pw_worlds_add(walk, accepted, &changed);
		if (!nat->has_addr || pw_key_compare(addr, nat->hi) >= 0)
			break;
		addr.hi += ++addr.lo == 0;
	}
}

static void do_redirect(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_action *action, const struct pw_world *world,
			struct pw_worlds *accepted)
{
	struct pw_world changed = *world;
	if (!walk->dnat_rule)
		walk->dnat_rule = rule;
	changed.flags |= PW_W_DNAT | PW_W_LOCAL;
	changed.flags &= (uint16_t)~PW_W_HAS_DST; /* some address of the interface */
	if (action->u.nat.port_lo != 0)
		changed.dport = action->u.nat.port_lo;
	say_target(walk, &changed);
	pw_worlds_add(walk, accepted, &changed);
}

static void do_accept(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_world *world, struct pw_worlds *accepted)
{
	struct pw_world changed = *world;
	bool filters = walk->base->type != PW_CHAIN_NAT && walk->base->prio > MANGLE_PRIORITY
		&& (walk->hook == PW_HOOK_INPUT || walk->hook == PW_HOOK_FORWARD || walk->hook == PW_HOOK_OUTPUT);
	if (filters) {
		changed.flags |= PW_W_ACCEPTED;
		if (!walk->accept_rule)
			walk->accept_rule = rule;
	}
	pw_worlds_add(walk, accepted, &changed);
}

static void run_chain(struct pw_passage *walk, const struct pw_rules_chain *chain, const struct pw_worlds *in, struct pw_worlds *past,
		      struct pw_worlds *accepted, unsigned depth);

/* What a rule's worlds go on as: `here` with the next action or rule, `past` leave the chain, `accepted` the base chain. */
struct exits { struct pw_worlds *here, *past, *accepted; unsigned depth; };

static void do_action(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_action *action, const struct pw_world *world,
		      const struct exits *exits);

/* A map whose key the packet does not fix: every element that the known part allows. */
static void do_vmap_any(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_action *action, const struct pw_world *world,
			const struct exits *exits)
{
	const struct pw_set *set = action->u.vmap.set;
	bool chance = true;
	for (const struct pw_elem *elem = set->first; elem; elem = elem->next) {
		bool possible = true;
		for (unsigned i = 0; i < action->u.vmap.n; i++) {
			struct pw_key key;
			enum pw_field field = (enum pw_field)action->u.vmap.fields[i];
			enum pw_tri known = pw_eval_field(walk, world, field, &key);
			if (field != PW_F_CHANCE && known == PW_MAYBE)
				chance = false;
			if (known == PW_NO || (known == PW_YES && !pw_key_in(&elem->ranges[i], key)))
				possible = false;
		}
		if (possible)
			do_action(walk, rule, &elem->action, world, exits);
	}
	if (!chance) {
		note_unknown(walk, rule->text);
		pw_worlds_add(walk, exits->here, world);
	}
}

static void do_vmap(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_action *action, const struct pw_world *world,
		    const struct exits *exits)
{
	struct pw_key keys[PW_FIELDS_MAX];
	for (unsigned i = 0; i < action->u.vmap.n; i++) {
		enum pw_tri known = pw_eval_field(walk, world, (enum pw_field)action->u.vmap.fields[i], &keys[i]);
		if (known == PW_NO) {
			pw_worlds_add(walk, exits->here, world);
			return;
		}
		if (known == PW_MAYBE) {
			do_vmap_any(walk, rule, action, world, exits);
			return;
		}
	}
	const struct pw_elem *elem = pw_set_find(action->u.vmap.set, keys);
	if (elem)
		do_action(walk, rule, &elem->action, world, exits);
	else
		pw_worlds_add(walk, exits->here, world);
}

static void do_action(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_action *action, const struct pw_world *world,
		      const struct exits *exits)
{
	struct pw_world changed = *world;
	struct pw_worlds one;
	switch (action->kind) {
	case PW_ACT_PASS:
		pw_worlds_add(walk, exits->here, world);
		break;
	case PW_ACT_ACCEPT:
		do_accept(walk, rule, world, exits->accepted);
		break;
	case PW_ACT_DROP: case PW_ACT_REJECT:
		note_drop(walk, rule, action);
		break;
	case PW_ACT_RETURN:
		pw_worlds_add(walk, exits->past, world);
		break;
	case PW_ACT_JUMP: case PW_ACT_GOTO:
		pw_worlds_init(&one);
		pw_worlds_add(walk, &one, world);
		run_chain(walk, action->u.chain, &one, action->kind == PW_ACT_JUMP ? exits->here : exits->past, exits->accepted, exits->depth + 1);
		pw_worlds_release(&one);
		break;
	case PW_ACT_DNAT:
		do_dnat(walk, rule, action, world, exits->accepted);
		break;
	case PW_ACT_REDIRECT:
		do_redirect(walk, rule, action, world, exits->accepted);
		break;
	case PW_ACT_SNAT:
		changed.flags |= PW_W_SNAT;
		pw_worlds_add(walk, exits->accepted, &changed);
		break;
	case PW_ACT_MARK:
		changed.mark = (world->mark & action->u.mark.keep) ^ action->u.mark.flip;
		pw_worlds_add(walk, exits->here, &changed);
		break;
	case PW_ACT_NOTRACK:
		changed.flags |= PW_W_NOTRACK;
		pw_worlds_add(walk, exits->here, &changed);
		break;
	case PW_ACT_QUEUE: /* whatever the program says; taken as a pass */
		note_unknown(walk, rule->text);
		pw_worlds_add(walk, exits->accepted, world);
		break;
	case PW_ACT_VMAP:
		do_vmap(walk, rule, action, world, exits);
		break;
	}
}

static bool changes_nothing(const struct pw_rules_rule *rule)
{
	for (unsigned i = 0; i < rule->n_actions; i++)
		if (rule->actions[i].kind != PW_ACT_PASS)
			return false;
	return true;
}

/* The actions of one rule for the worlds it took; what goes on joins `active`. */
static void do_rule(struct pw_passage *walk, const struct pw_rules_rule *rule, const struct pw_worlds *taken, struct pw_worlds *active,
		    struct pw_worlds *past, struct pw_worlds *accepted, unsigned depth)
{
	struct pw_worlds now, next;
	pw_worlds_init(&now);
	pw_worlds_init(&next);
	pw_worlds_add_all(walk, &now, taken);
	for (unsigned i = 0; i < rule->n_actions && now.n > 0; i++) {
		const struct pw_action *action = &rule->actions[i];
		struct exits exits = { &next, past, accepted, depth };
		bool another_dnat = action->kind == PW_ACT_DNAT && i + 1 < rule->n_actions && rule->actions[i + 1].kind == PW_ACT_DNAT;
		for (size_t w = 0; w < now.n; w++)
			do_action(walk, rule, action, &now.items[w], &exits);
		if (another_dnat) /* several --to-destination: any of them */
			continue;
		pw_worlds_release(&now);
		pw_worlds_add_all(walk, &now, &next);
		pw_worlds_release(&next);
	}
	pw_worlds_add_all(walk, active, &now);
	pw_worlds_release(&now);
	pw_worlds_release(&next);
}

/* One rule meets the active worlds. */
static void meet_rule(struct pw_passage *walk, const struct pw_rules_rule *rule, struct pw_worlds *active, struct pw_worlds *past,
		      struct pw_worlds *accepted, unsigned depth)
{
	struct pw_worlds taken;
	size_t kept = 0;
	bool certain = true;
	if (walk->steps > STEPS_MAX) {
		walk->exhausted = true;
		return;
	}
	pw_worlds_init(&taken);
	for (size_t i = 0; i < active->n; i++) {
		struct pw_world world = active->items[i];
		enum pw_tri hit = pw_eval_rule(walk, &world, rule);
		if (hit != PW_NO)
			pw_worlds_add(walk, &taken, &world);
		if (hit == PW_MAYBE) {
			certain = false;
			if (!changes_nothing(rule))
				note_why_maybe(walk, &world, rule);
		}
		if (hit != PW_YES)
			active->items[kept++] = world;
	}
	if (taken.n > 0) {
		active->n = kept;
		note_trail(walk, rule, certain);
		do_rule(walk, rule, &taken, active, past, accepted, depth);
	}
	pw_worlds_release(&taken);
}

static bool indexable(const struct pw_passage *walk, const struct pw_world *world)
{
	return walk->has_proto && world->flags & PW_W_HAS_DST && (world->dport != 0 || !pw_passage_proto_has_ports(walk));
}

/* The few rules of a large chain that can concern one world, in order. */
static void run_indexed(struct pw_passage *walk, const struct pw_rules_chain *chain, const struct pw_world *world, struct pw_worlds *past,
			struct pw_worlds *accepted, unsigned depth)
{
	size_t mask = chain->n_buckets - 1;
	size_t slot = pw_rule_key_of(world->dst, false, walk->proto, world->dport) & mask;
	size_t any = pw_rule_key_of(world->dst, true, walk->proto, world->dport) & mask;
	const struct pw_rules_rule *lists[3] = { chain->buckets[slot], any == slot ? NULL : chain->buckets[any], chain->loose };
	struct pw_worlds active;
	pw_worlds_init(&active);
	pw_worlds_add(walk, &active, world);
	while (active.n > 0 && !walk->exhausted) {
		const struct pw_rules_rule **first = NULL;
		for (unsigned i = 0; i < 3; i++)
			if (lists[i] && (!first || lists[i]->number < (*first)->number))
				first = &lists[i];
		if (!first)
			break;
		const struct pw_rules_rule *rule = *first;
		*first = rule->same;
		meet_rule(walk, rule, &active, past, accepted, depth);
	}
	pw_worlds_add_all(walk, past, &active);
	pw_worlds_release(&active);
}

static bool inside(const struct pw_passage *walk, const struct pw_rules_chain *chain, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		if (walk->inside[i] == chain)
			return true;
	return false;
}

static void run_chain(struct pw_passage *walk, const struct pw_rules_chain *chain, const struct pw_worlds *in, struct pw_worlds *past,
		      struct pw_worlds *accepted, unsigned depth)
{
	struct pw_worlds active;
	if (depth >= PW_JUMPS_MAX || inside(walk, chain, depth)) {
		note_unknown(walk, "jumps that the kernel does not allow: too deep, or in a circle");
		pw_worlds_add_all(walk, past, in);
		return;
	}
	walk->inside[depth] = chain;
	if (!chain->declared && chain->n_rules == 0 && chain->hook == PW_HOOK_NONE) {
		char text[320];
		(void)snprintf(text, sizeof text, "chain %.255s: jumped to, but not in the dump", chain->name);
		note_unknown(walk, text);
	}
	pw_worlds_init(&active);
	for (size_t i = 0; i < in->n; i++) {
		if (chain->n_buckets > 0 && indexable(walk, &in->items[i]))
			run_indexed(walk, chain, &in->items[i], past, accepted, depth);
		else
			pw_worlds_add(walk, &active, &in->items[i]);
	}
	for (const struct pw_rules_rule *rule = chain->first; rule && active.n > 0 && !walk->exhausted; rule = rule->next)
		meet_rule(walk, rule, &active, past, accepted, depth);
	pw_worlds_add_all(walk, past, &active);
	pw_worlds_release(&active);
}

void pw_run_base(struct pw_passage *walk, const struct pw_rules_chain *base, const struct pw_worlds *in, struct pw_worlds *out)
{
	struct pw_worlds past;
	size_t drops = walk->n_drops, before = out->n;
	walk->base = base;
	pw_worlds_init(&past);
	run_chain(walk, base, in, &past, out, 0);
	if (past.n > 0 && base->policy_drop)
		note_drop(walk, NULL, NULL);
	else
		pw_worlds_add_all(walk, out, &past);
	for (size_t i = drops; i < walk->n_drops; i++)
		walk->drops[i].certain = out->n == before && walk->n_drops == drops + 1;
	pw_worlds_release(&past);
}

static bool concerns(const struct pw_passage *walk, const struct pw_rules_chain *base, bool every)
{
	switch ((enum pw_family)base->family) {
	case PW_FAM_IP: return walk->family != 6;
	case PW_FAM_IP6: return walk->family != 4;
	case PW_FAM_ANY: case PW_FAM_INET: return true;
	case PW_FAM_BRIDGE: case PW_FAM_NETDEV: return every;
	case PW_FAM_ARP: break;
	}
	return false;
}

/* netdev chains belong to one device. */
static bool other_device(const struct pw_passage *walk, const struct pw_rules_chain *base)
{
	const char *name = base->hook == PW_HOOK_EGRESS ? walk->packet->oif : walk->packet->iif;
	return base->dev && name && *name && strcmp(base->dev, name) != 0;
}

/* NAT is decided once per connection and direction: by the first packet, by the first chain that has a rule for it. */
static void split_nat(struct pw_passage *walk, const struct pw_worlds *in, struct pw_worlds *nat, struct pw_worlds *out)
{
	bool destination = walk->hook == PW_HOOK_PREROUTING || walk->hook == PW_HOOK_OUTPUT;
	for (size_t i = 0; i < in->n; i++) {
		const struct pw_world *world = &in->items[i];
		bool done = world->flags & (destination ? PW_W_DNAT : PW_W_SNAT) || world->flags & PW_W_NOTRACK;
		pw_worlds_add(walk, done ? out : nat, world);
	}
}

void pw_run_hook(struct pw_passage *walk, enum pw_hook hook, bool every, const struct pw_worlds *in, struct pw_worlds *out)
{
	struct pw_worlds now, next, nat;
	walk->hook = hook;
	pw_worlds_init(&now);
	pw_worlds_init(&next);
	pw_worlds_init(&nat);
	pw_worlds_add_all(walk, &now, in);
	for (size_t i = 0; i < walk->rules->n_base && !walk->exhausted; i++) {
		const struct pw_rules_chain *base = walk->rules->base[i];
		bool is_nat = base->type == PW_CHAIN_NAT;
		if (base->hook != hook || !concerns(walk, base, every) || other_device(walk, base)
		    || (is_nat && (walk->looped || !(walk->ctstate & (PW_CT_NEW | PW_CT_RELATED)))))
			continue;
		if (is_nat) {
			split_nat(walk, &now, &nat, &next);
			pw_run_base(walk, base, &nat, &next);
			pw_worlds_release(&nat);
		} else {
			pw_run_base(walk, base, &now, &next);
		}
		if (every)
			pw_worlds_add_all(walk, &next, &now);
		pw_worlds_release(&now);
		pw_worlds_add_all(walk, &now, &next);
		pw_worlds_release(&next);
	}
	pw_worlds_add_all(walk, out, &now);
	pw_worlds_release(&now);
}

int pw_passage_result(const struct pw_passage *walk, struct pw_err *err)
{
	if (walk->oom || pw_arena_failed(walk->arena))
		return pw_err_set(err, PW_NOMEM, "cannot walk the rules: out of memory");
	if (walk->exhausted)
		return pw_err_set(err, PW_NOMEM, "gave up walking the rules: they branch into more than %d packets or %lu steps", WORLDS_MAX, STEPS_MAX);
	return PW_OK;
}
