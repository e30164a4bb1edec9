/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which routing rule or route refuses a packet. The kernel's answer for one in transit has one number for this and for more (a
 * martian source, a reverse path), so its lists are gone through as it does.
 */
#include <packetwalk/dataplane.h>

#include "rules.h"

#include <stdlib.h>
#include <string.h>

static bool covers(const char *block, const char *address)
{
	struct pw_range range;
	struct pw_key key;
	bool block6, key6;
	if (!*block || !strcmp(block, "default"))
		return true;
	return pw_range_addr(block, strlen(block), &range, &block6) && pw_key_addr(address, strlen(address), &key, &key6) && block6 == key6 && pw_key_in(&range, key);
}

static unsigned long length_of(const char *block)
{
	const char *slash = strchr(block, '/');
	return slash ? strtoul(slash + 1, NULL, 10) : 0;
}

/* Longest prefix, then least metric. */
static const struct pw_val *best_route(const struct pw_val *routes, long long table, const char *dst)
{
	const struct pw_val *best = NULL;
	for (size_t i = 0; i < pw_val_count(routes); i++) {
		const struct pw_val *route = pw_val_at(routes, i);
		const char *block = pw_map_str(route, "dst", "");
		if (pw_map_int(route, "table", 0) != table || !covers(block, dst))
			continue;
		unsigned long len = length_of(block), most = best ? length_of(pw_map_str(best, "dst", "")) : 0;
		if (!best || len > most || (len == most && pw_map_int(route, "metric", 0) < pw_map_int(best, "metric", 0)))
			best = route;
	}
	return best;
}

static bool refuses(const char *word)
{
	return !strcmp(word, "blackhole") || !strcmp(word, "unreachable") || !strcmp(word, "prohibit");
}

/* Rules that ask for a mark or an interface are not this packet's, as far as is known here. */
static bool concerns(const struct pw_val *rule, const char *from, const char *dst)
{
	return !*pw_map_str(rule, "iif", "") && !pw_map_int(rule, "fwmark", 0) && covers(pw_map_str(rule, "from", ""), from) && covers(pw_map_str(rule, "to", ""), dst);
}

const struct pw_val *pw_routes_refusal(const struct pw_val *observation, const char *from, const char *dst)
{
	const struct pw_val *rules = pw_map_get(observation, "rules"), *routes = pw_map_get(observation, "routes");
	for (size_t i = 0; i < pw_val_count(rules); i++) {
		const struct pw_val *rule = pw_val_at(rules, i);
		if (!concerns(rule, from, dst))
			continue;
		if (refuses(pw_map_str(rule, "action", "")))
			return rule;
		const struct pw_val *route = !strcmp(pw_map_str(rule, "action", "lookup"), "lookup") ? best_route(routes, pw_map_int(rule, "table", 0), dst) : NULL;
		const char *type = pw_map_str(route, "type", "");
		if (route && strcmp(type, "throw") != 0)
			return refuses(type) ? rule : NULL;
	}
	return NULL;
}
