/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where packets can be lost: every rule that could drop one packet, and the counters of all that drop. */
#include "walk.h"

#include <stdio.h>
#include <string.h>

/* The hooks that pw_rules_walk crosses for this packet. */
static bool on_path(const struct pw_passage *walk, enum pw_hook hook, bool some_local, bool some_away)
{
	bool out = walk->packet->local_out;
	switch (hook) {
	case PW_HOOK_INGRESS: case PW_HOOK_PREROUTING: return !out || some_local;
	case PW_HOOK_INPUT: return some_local;
	case PW_HOOK_FORWARD: return !out && some_away;
	case PW_HOOK_OUTPUT: return out;
	case PW_HOOK_POSTROUTING: case PW_HOOK_EGRESS: return out || some_away;
	case PW_HOOK_NONE: break;
	}
	return false;
}

static void say_drops(const struct pw_passage *walk, const struct pw_worlds *worlds, struct pw_val *ret)
{
	struct pw_val *drops = pw_map_set_seq(ret, "drops");
	bool some_local = false, some_away = false;
	for (size_t i = 0; i < worlds->n; i++) {
		bool local = pw_world_local(walk, &worlds->items[i]);
		some_local = some_local || local;
		some_away = some_away || !local;
	}
	for (size_t i = 0; i < walk->n_drops; i++) {
		const struct pw_drop *drop = &walk->drops[i];
		enum pw_hook hook = (enum pw_hook)drop->base->hook;
		struct pw_val *map = pw_seq_add_map(drops);
		pw_passage_say_rule(drop->rule, drop->base, map);
		pw_map_set_str(map, "hook", pw_hook_word(hook));
		pw_map_set_str(map, "verdict", drop->verdict == PW_ACT_REJECT ? "reject" : "drop");
		pw_map_set_bool(map, "certain", drop->certain);
		pw_map_set_bool(map, "on_path", on_path(walk, hook, some_local, some_away));
	}
}

int pw_rules_find_drops(const struct pw_rules *rules, const struct pw_packet *packet, struct pw_arena *arena, struct pw_val *ret, struct pw_err *err)
{
	struct pw_passage walk;
	struct pw_world world;
	struct pw_worlds now, next;
	int rc = pw_passage_init(&walk, rules, packet, arena, &world, err);
	if (rc != PW_OK)
		return rc;
	pw_worlds_init(&now);
	pw_worlds_init(&next);
	pw_worlds_add(&walk, &now, &world);
	for (enum pw_hook hook = PW_HOOK_INGRESS; hook <= PW_HOOK_EGRESS; hook++) {
		pw_run_hook(&walk, hook, true, &now, &next);
		pw_worlds_release(&now);
		pw_worlds_add_all(&walk, &now, &next);
		pw_worlds_release(&next);
	}
	rc = pw_passage_result(&walk, err);
	if (rc == PW_OK)
		say_drops(&walk, &now, ret);
	pw_worlds_release(&now);
	return rc;
}

static const char *target_text(const struct pw_rules_rule *rule)
{
	const char *jump = strstr(rule->text, "-j ");
	for (const char *more = jump; more; more = strstr(more + 1, " -j "))
		jump = *more == ' ' ? more + 1 : more; /* the last: a comment may hold one */
	return jump && !rule->chain->native ? jump : rule->text;
}

static bool drops(const struct pw_rules_rule *rule)
{
	for (unsigned i = 0; i < rule->n_actions; i++)
		if (rule->actions[i].kind == PW_ACT_DROP || rule->actions[i].kind == PW_ACT_REJECT)
			return true;
	return false;
}

/* "filter/FORWARD", "legacy filter/FORWARD", "inet fw/input" */
static void chain_name(const struct pw_rules_chain *chain, char *out, size_t size)
{
	char table[160];
	(void)snprintf(out, size, "%s%.159s/%.255s", chain->backend == PW_RULES_LEGACY ? "legacy " : "",
		       pw_rules_table_name(chain, table, sizeof table), chain->name);
}

int pw_rules_drop_counters(const struct pw_rules *rules, struct pw_val *ret)
{
	enum { RULES_MAX = 4096 };
	size_t n = 0;
	for (const struct pw_rules_chain *chain = rules->chains; chain; chain = chain->next) {
		char where[448], key[1024];
		chain_name(chain, where, sizeof where);
		for (const struct pw_rules_rule *rule = chain->first; rule; rule = rule->next) {
			if (!rule->counted || !drops(rule) || n++ >= RULES_MAX)
				continue;
			(void)snprintf(key, sizeof key, "%s#%u %.511s", where, rule->number, target_text(rule));
			pw_map_set_int(ret, key, (long long)rule->packets);
		}
		if (chain->policy_drop && chain->policy_counted) {
			(void)snprintf(key, sizeof key, "%s policy DROP", where);
			pw_map_set_int(ret, key, (long long)chain->policy_packets);
		}
	}
	return PW_OK;
}
