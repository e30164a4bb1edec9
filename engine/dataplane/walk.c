/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a packet through the hooks of one network namespace, and what comes of it. */
#include "walk.h"

#include <string.h>

/* Worlds that stay here and those that leave. */
static void split_local(struct pw_passage *walk, const struct pw_worlds *in, struct pw_worlds *local, struct pw_worlds *away)
{
	for (size_t i = 0; i < in->n; i++)
		pw_worlds_add(walk, pw_world_local(walk, &in->items[i]) ? local : away, &in->items[i]);
}

static void walk_in(struct pw_passage *walk, const struct pw_worlds *start, struct pw_worlds *end)
{
	struct pw_worlds routed, local, away, forwarded;
	pw_worlds_init(&routed);
	pw_worlds_init(&local);
	pw_worlds_init(&away);
	pw_worlds_init(&forwarded);
	pw_run_hook(walk, PW_HOOK_PREROUTING, false, start, &routed);
	split_local(walk, &routed, &local, &away);
	pw_run_hook(walk, PW_HOOK_INPUT, false, &local, end);
	pw_run_hook(walk, PW_HOOK_FORWARD, false, &away, &forwarded);
	pw_run_hook(walk, PW_HOOK_POSTROUTING, false, &forwarded, end);
	pw_worlds_release(&routed);
	pw_worlds_release(&local);
	pw_worlds_release(&away);
	pw_worlds_release(&forwarded);
}

/* A packet of this host; one to this host comes back in through lo. */
static void walk_out(struct pw_passage *walk, const struct pw_worlds *start, struct pw_worlds *end)
{
	struct pw_worlds sent, posted, local, back;
	pw_worlds_init(&sent);
	pw_worlds_init(&posted);
	pw_worlds_init(&local);
	pw_worlds_init(&back);
	pw_run_hook(walk, PW_HOOK_OUTPUT, false, start, &sent);
	pw_run_hook(walk, PW_HOOK_POSTROUTING, false, &sent, &posted);
	split_local(walk, &posted, &local, end);
	if (local.n > 0) {
		walk->looped = true;
		pw_run_hook(walk, PW_HOOK_PREROUTING, false, &local, &back);
		pw_run_hook(walk, PW_HOOK_INPUT, false, &back, end);
		walk->looped = false;
	}
	pw_worlds_release(&sent);
	pw_worlds_release(&posted);
	pw_worlds_release(&local);
	pw_worlds_release(&back);
}

static void say_decided(struct pw_val *ret, const struct pw_rules_rule *rule, const struct pw_rules_chain *base)
{
	if (rule || base)
		pw_passage_say_rule(rule, base, pw_map_set_map(ret, "decided_by"));
}

static void say_dropped(const struct pw_passage *walk, struct pw_val *ret)
{
	const struct pw_drop *drop = &walk->drops[0];
	for (size_t i = 0; i < walk->n_drops; i++) { /* one behind a doubt did not decide when another was sure */
		if (walk->drops[i].certain) {
			drop = &walk->drops[i];
			break;
		}
	}
	bool reject = drop->verdict == PW_ACT_REJECT;
	pw_map_set_str(ret, "outcome", reject ? "reject" : "drop");
	if (reject)
		pw_map_set_str(ret, "reject_with", drop->text ? drop->text : "icmp-port-unreachable");
	pw_map_set_bool(ret, "policy_drop", !drop->rule);
	say_decided(ret, drop->rule, drop->base);
}

static void say_passed(const struct pw_passage *walk, const struct pw_worlds *end, struct pw_val *ret)
{
	unsigned flags = 0;
	for (size_t i = 0; i < end->n; i++)
		flags |= end->items[i].flags;
	const char *outcome = flags & PW_W_DNAT ? "dnat" : flags & PW_W_ACCEPTED ? "accept" : "none";
	pw_map_set_str(ret, "outcome", outcome);
	pw_map_set_bool(ret, "masquerade", flags & PW_W_SNAT);
	pw_map_set_bool(ret, "policy_drop", false);
	if (flags & PW_W_DNAT)
		say_decided(ret, walk->dnat_rule, NULL);
	else if (flags & PW_W_ACCEPTED)
		say_decided(ret, walk->accept_rule, NULL);
	if (walk->n_drops > 0) {
		struct pw_val *maybe = pw_map_set_map(ret, "maybe_drop");
		pw_passage_say_rule(walk->drops[0].rule, walk->drops[0].base, maybe);
		pw_map_set_str(maybe, "verdict", walk->drops[0].verdict == PW_ACT_REJECT ? "reject" : "drop");
	}
}

int pw_rules_walk(const struct pw_rules *rules, const struct pw_packet *packet, struct pw_arena *arena, struct pw_val *ret, struct pw_err *err)
{
	struct pw_passage walk;
	struct pw_world world;
	struct pw_worlds start, end;
	int rc = pw_passage_init(&walk, rules, packet, arena, &world, err);
	if (rc != PW_OK)
		return rc;
	walk.targets = pw_val_seq(arena);
	walk.trail = pw_val_seq(arena);
	walk.unknown = pw_val_seq(arena);
	pw_worlds_init(&start);
	pw_worlds_init(&end);
	pw_worlds_add(&walk, &start, &world);
	if (packet->local_out)
		walk_out(&walk, &start, &end);
	else
		walk_in(&walk, &start, &end);
	rc = pw_passage_result(&walk, err);
	if (rc == PW_OK) {
		pw_map_set_bool(ret, "masquerade", false);
		if (end.n == 0 && walk.n_drops > 0)
			say_dropped(&walk, ret);
		else
			say_passed(&walk, &end, ret);
		pw_map_set(ret, "targets", walk.targets);
		pw_map_set(ret, "trail", walk.trail);
		pw_map_set(ret, "unknown", walk.unknown);
	}
	pw_worlds_release(&start);
	pw_worlds_release(&end);
	return rc;
}
