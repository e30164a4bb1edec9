/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * No verdict may blame what a path to it has cleared. What is cleared flows
 * along the edges as a set of claims, one bit for each layer as a whole and
 * one for each component of the vocabulary; at a step the sets of all paths
 * are joined.
 */
#include <play/lint.h>

#include <string.h>

#include <doc/yaml.h>
#include <play/components.h>
#include <play/ids.h>

enum { WORDS = 4, BITS = WORDS * 64 }; /* 5 layers and 114 components */

struct claims { uint64_t w[WORDS]; };

static size_t first_bit(enum pw_layer layer)
{
	const char *const *names;
	size_t bit = 0;
	for (int l = 0; l < (int)layer; l++)
		bit += 1 + pw_components((enum pw_layer)l, &names);
	return bit;
}

/* The bit of a layer as a whole (component NULL) or of a component; BITS for one that is not in the vocabulary. */
static size_t bit_of(enum pw_layer layer, const char *component)
{
	const char *const *names = NULL;
	size_t n = pw_components(layer, &names), bit = first_bit(layer);
	for (size_t i = 0; component && i < n; i++)
		if (!strcmp(names[i], component))
			return bit + 1 + i < BITS ? bit + 1 + i : BITS;
	return component ? BITS : bit;
}

static void set_range(struct claims *set, enum pw_layer layer, bool on)
{
	const char *const *names;
	size_t from = first_bit(layer), to = from + 1 + pw_components(layer, &names);
	for (size_t bit = from; bit < to && bit < BITS; bit++) {
		uint64_t mask = (uint64_t)1 << (bit % 64);
		set->w[bit / 64] = on ? set->w[bit / 64] | mask : set->w[bit / 64] & ~mask;
	}
}

static void drop_bit(struct claims *set, size_t bit)
{
	if (bit < BITS)
		set->w[bit / 64] &= ~((uint64_t)1 << (bit % 64));
}

static void take_edge(struct claims *set, const struct pw_play_edge *edge)
{
	for (size_t i = 0; i < edge->n_clears; i++) {
		const struct pw_play_claim *claim = &edge->clears[i];
		size_t bit = bit_of(claim->layer, claim->component);
		if (!claim->component)
			set_range(set, claim->layer, true);
		else if (bit < BITS)
			pw_set_add(set->w, bit);
	}
	for (size_t i = 0; i < edge->n_suspects; i++) {
		const struct pw_play_claim *claim = &edge->suspects[i];
		if (!claim->component)
			set_range(set, claim->layer, false);
		drop_bit(set, bit_of(claim->layer, claim->component));
		drop_bit(set, bit_of(claim->layer, NULL)); /* no longer clear as a whole */
	}
}

static bool join(struct claims *into, const struct claims *from)
{
	bool changed = false;
	for (size_t w = 0; w < WORDS; w++) {
		changed = changed || (into->w[w] | from->w[w]) != into->w[w];
		into->w[w] |= from->w[w];
	}
	return changed;
}

static void flow(const struct pw_lint *lint, struct claims *cleared)
{
	const struct pw_play *play = lint->play;
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t s = 0; s < play->n_steps; s++)
			for (size_t e = 0; lint->reached[s] && e < play->steps[s].n_edges; e++) {
				const struct pw_play_edge *edge = &play->steps[s].edges[e];
				struct claims after = cleared[s];
				take_edge(&after, edge);
				if (edge->go >= 0)
					changed = join(&cleared[edge->go], &after) || changed;
			}
	}
}

/* ---- who cleared it ---- */

/* An edge that leads to a step, from where; chained per step. */
struct arrival { size_t from; const struct pw_play_edge *edge; const struct arrival *next; };

struct claims_at { struct claims *cleared; const struct arrival **arrivals; }; /* both by step */

struct trace { const struct claims_at *at; bool *seen; size_t bit; };

static bool add_arrivals(struct pw_lint *lint, const struct arrival **arrivals)
{
	const struct pw_play *play = lint->play;
	for (size_t s = 0; s < play->n_steps; s++)
		for (size_t e = 0; lint->reached[s] && e < play->steps[s].n_edges; e++) {
			const struct pw_play_edge *edge = &play->steps[s].edges[e];
			struct arrival *arrival = edge->go >= 0 ? pw_arena_alloc(lint->arena, sizeof *arrival) : NULL;
			if (!arrival && edge->go >= 0)
				return false;
			if (!arrival)
				continue;
			*arrival = (struct arrival){ s, edge, arrivals[edge->go] };
			arrivals[edge->go] = arrival;
		}
	return true;
}

static const struct pw_play_claim *clearing_claim(const struct pw_play_edge *edge, size_t bit)
{
	for (size_t i = 0; i < edge->n_clears; i++) {
		struct claims only = { { 0 } };
		struct pw_play_edge alone = { .clears = &edge->clears[i], .n_clears = 1, .suspects = edge->suspects, .n_suspects = edge->n_suspects };
		take_edge(&only, &alone);
		if (pw_set_has(only.w, bit))
			return &edge->clears[i];
	}
	return NULL;
}

/* Backwards from a step, along edges that carry the bit, to one that set it. */
static const struct pw_play_claim *who_cleared(struct trace *trace, size_t step)
{
	if (trace->seen[step])
		return NULL;
	trace->seen[step] = true;
	for (const struct arrival *a = trace->at->arrivals[step]; a; a = a->next) {
		struct claims after = trace->at->cleared[a->from];
		take_edge(&after, a->edge);
		if (!pw_set_has(after.w, trace->bit))
			continue;
		const struct pw_play_claim *claim = clearing_claim(a->edge, trace->bit);
		claim = claim ? claim : who_cleared(trace, a->from);
		if (claim)
			return claim;
	}
	return NULL;
}

/* ---- verdicts ---- */

struct blame { enum pw_layer layer; const char *component; struct pw_place place; const char *verb; };

static bool check_blame(struct pw_lint *lint, const struct claims_at *at, size_t s, const struct pw_play_edge *edge, const struct blame *blame)
{
	const struct pw_play_verdict *verdict = &lint->play->verdicts[edge->verdict];
	struct claims after = at->cleared[s];
	take_edge(&after, edge);
	size_t bit = bit_of(blame->layer, blame->component);
	if (bit >= BITS || !pw_set_has(after.w, bit))
		return true;
	struct trace trace = { at, pw_arena_array(lint->arena, lint->play->n_steps + 1, sizeof(bool)), bit };
	if (!trace.seen)
		return false;
	const struct pw_play_claim *claim = clearing_claim(edge, bit);
	claim = claim ? claim : who_cleared(&trace, s);
	pw_diags_add_two(lint->diags, 0, edge->place, claim ? claim->place : edge->place, PW_ID_CONTRADICTION,
			 "do not clear it there, suspect it again on the way, or end in another verdict",
			 "the verdict \"%s\" %s %s%s%s, which a path to it has cleared", verdict->id, blame->verb, pw_layer_word(blame->layer),
			 blame->component ? "/" : "", blame->component ? blame->component : "");
	return true;
}

static bool check_verdict(struct pw_lint *lint, const struct claims_at *at, size_t s, const struct pw_play_edge *edge)
{
	const struct pw_play_verdict *verdict = &lint->play->verdicts[edge->verdict];
	struct blame blame = { verdict->layer, verdict->component, edge->place, "blames" };
	if (verdict->layer < PW_LAYER_COUNT && !check_blame(lint, at, s, edge, &blame))
		return false;
	for (size_t i = 0; i < verdict->n_could_be; i++) {
		struct blame maybe = { verdict->could_be[i].layer, verdict->could_be[i].component, edge->place, "leaves open" };
		if (!check_blame(lint, at, s, edge, &maybe))
			return false;
	}
	return true;
}

static bool same(const struct pw_play_claim *a, const struct pw_play_claim *b)
{
	return bit_of(a->layer, a->component) == bit_of(b->layer, b->component);
}

static void check_edge(struct pw_lint *lint, const struct pw_play_edge *edge)
{
	for (size_t i = 0; i < edge->n_clears; i++)
		for (size_t k = 0; k < edge->n_suspects; k++)
			if (same(&edge->clears[i], &edge->suspects[k]))
				pw_diags_add_two(lint->diags, 0, edge->suspects[k].place, edge->clears[i].place, PW_ID_CLEAR_AND_SUSPECT,
						 "keep one of the two", "this edge clears and suspects the same thing");
}

bool pw_lint_claims(struct pw_lint *lint)
{
	const struct pw_play *play = lint->play;
	struct claims_at at = { pw_arena_array(lint->arena, play->n_steps + 1, sizeof *at.cleared),
				pw_arena_array(lint->arena, play->n_steps + 1, sizeof *at.arrivals) };
	if (!at.cleared || !at.arrivals || !add_arrivals(lint, at.arrivals))
		return false;
	flow(lint, at.cleared);
	for (size_t s = 0; s < play->n_steps; s++)
		for (size_t e = 0; e < play->steps[s].n_edges; e++) {
			const struct pw_play_edge *edge = &play->steps[s].edges[e];
			check_edge(lint, edge);
			if (lint->reached[s] && edge->verdict >= 0 && !check_verdict(lint, &at, s, edge))
				return false;
		}
	return true;
}
