/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets and maps of keys. kube-proxy keeps every Service of a cluster in one
 * verdict map, so exact elements are hashed; only those with a range are tried
 * one by one.
 */
#include "rules.h"

struct pw_set *pw_set_new(struct pw_arena *arena, unsigned n_fields)
{
	struct pw_set *set = pw_arena_alloc(arena, sizeof *set);
	if (set) {
		set->n_fields = (uint8_t)n_fields;
		set->last = &set->first;
	}
	return set;
}

struct pw_elem *pw_set_add(struct pw_arena *arena, struct pw_set *set, const struct pw_range *ranges)
{
	struct pw_elem *elem = pw_arena_alloc(arena, sizeof *elem + set->n_fields * sizeof *ranges);
	if (!elem)
		return NULL;
	for (unsigned i = 0; i < set->n_fields; i++)
		elem->ranges[i] = ranges[i];
	*set->last = elem;
	set->last = &elem->next;
	set->n++;
	return elem;
}

static bool exact_keys(const struct pw_set *set, const struct pw_elem *elem, struct pw_key *ret)
{
	for (unsigned i = 0; i < set->n_fields; i++) {
		if (!pw_range_exact(&elem->ranges[i]))
			return false;
		ret[i] = elem->ranges[i].lo;
	}
	return true;
}

void pw_set_finish(struct pw_arena *arena, struct pw_set *set)
{
	size_t n_buckets = 8;
	while (n_buckets < set->n)
		n_buckets *= 2;
	set->buckets = pw_arena_array(arena, n_buckets, sizeof(struct pw_elem *));
	if (!set->buckets)
		return;
	set->n_buckets = n_buckets;
	struct pw_elem **loose_end = &set->loose;
	for (struct pw_elem *elem = set->first; elem; elem = elem->next) {
		struct pw_key keys[PW_FIELDS_MAX];
		elem->same = NULL;
		if (exact_keys(set, elem, keys)) {
			struct pw_elem **slot = &set->buckets[pw_keys_hash(keys, set->n_fields) & (n_buckets - 1)];
			elem->same = *slot;
			*slot = elem;
		} else {
			*loose_end = elem;
			loose_end = &elem->same;
		}
	}
}

static bool holds(const struct pw_set *set, const struct pw_elem *elem, const struct pw_key *keys)
{
	for (unsigned i = 0; i < set->n_fields; i++)
		if (!pw_key_in(&elem->ranges[i], keys[i]))
			return false;
	return true;
}

const struct pw_elem *pw_set_find(const struct pw_set *set, const struct pw_key *keys)
{
	if (set->n_buckets == 0)
		return NULL;
	size_t slot = pw_keys_hash(keys, set->n_fields) & (set->n_buckets - 1);
	for (const struct pw_elem *elem = set->buckets[slot]; elem; elem = elem->same)
		if (holds(set, elem, keys))
			return elem;
	for (const struct pw_elem *elem = set->loose; elem; elem = elem->same)
		if (holds(set, elem, keys))
			return elem;
	return NULL;
}
