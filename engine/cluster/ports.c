/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets of ports, each kept once. The ports of all protocols lie on one line
 * (protocol * 65536 + port), and a set is the sorted places where belonging to
 * it begins and ends.
 */
#include <cluster/ports.h>

#include <string.h>

#include <base/intern.h>
#include <base/text.h>

#define SPAN 65536u            /* places of one protocol; the first of them, port 0, is in no set */
#define RECENT 16384u          /* remembered combinations, a power of two */

const char *const pw_protocol_words[PW_PROTOCOLS] = { "TCP", "UDP", "SCTP" };

enum op { OP_NONE, OP_OR, OP_AND, OP_MINUS };

struct set { const uint32_t *edges; uint32_t n; };
struct recent { enum op op; uint32_t a, b, result; };

struct pw_ports_pool {
	struct pw_arena *arena;
	struct pw_intern sets;
	struct recent *recent;
	uint32_t *scratch; size_t scratch_cap;
};

int pw_protocol_index(const char *word)
{
	for (int i = 0; i < PW_PROTOCOLS; i++)
		if (strcmp(word, pw_protocol_words[i]) == 0)
			return i;
	return -1;
}

/* ---- each set once ---- */

static struct set set_of(const struct pw_ports_pool *pool, uint32_t number)
{
	const struct pw_interned *known = &pool->sets.v[number];

	return (struct set){ known->bytes, (uint32_t)(known->len / sizeof(uint32_t)) };
}

static uint32_t keep(struct pw_ports_pool *pool, const uint32_t *edges, uint32_t n)
{
	uint32_t number = pw_intern(&pool->sets, edges, n * sizeof(*edges));

	return number == PW_INTERN_FAILED ? (uint32_t)PW_PORTS_NONE : number;
}

struct pw_ports_pool *pw_ports_pool_new(struct pw_arena *arena)
{
	static const uint32_t all[] = { 1, SPAN, SPAN + 1, 2 * SPAN, 2 * SPAN + 1, 3 * SPAN };
	struct pw_ports_pool *pool = pw_arena_alloc(arena, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->arena = pool->sets.arena = arena;
	pool->recent = pw_arena_array(arena, RECENT, sizeof(*pool->recent));
	if (!pool->recent)
		return NULL;
	(void)keep(pool, all, 0);
	(void)keep(pool, all, sizeof(all) / sizeof(all[0]));
	return pw_arena_failed(arena) ? NULL : pool;
}

/* ---- combining ---- */

static bool reserve(struct pw_ports_pool *pool, size_t n)
{
	if (n <= pool->scratch_cap)
		return true;
	pool->scratch = pw_arena_array(pool->arena, n * 2, sizeof(*pool->scratch));
	pool->scratch_cap = pool->scratch ? n * 2 : 0;
	return pool->scratch != NULL;
}

/* Goes along both lists of edges at once, and notes where the combination changes. */
static uint32_t sweep(struct pw_ports_pool *pool, enum op op, struct set a, struct set b)
{
	uint32_t i = 0, j = 0, n = 0;
	bool inside = false;

	if (!reserve(pool, (size_t)a.n + b.n))
		return PW_PORTS_NONE;
	while (i < a.n || j < b.n) {
		uint32_t at = j == b.n || (i < a.n && a.edges[i] < b.edges[j]) ? a.edges[i] : b.edges[j];
		bool in_a, in_b, in;

		i += i < a.n && a.edges[i] == at;
		j += j < b.n && b.edges[j] == at;
		in_a = i % 2 != 0;
		in_b = j % 2 != 0;
		in = op == OP_OR ? in_a || in_b : op == OP_AND ? in_a && in_b : in_a && !in_b;
		if (in != inside)
			pool->scratch[n++] = at;
		inside = in;
	}
	return keep(pool, pool->scratch, n);
}

static uint32_t combine(struct pw_ports_pool *pool, enum op op, uint32_t a, uint32_t b)
{
	struct recent *recent = &pool->recent[(a * 0x9e3779b1u ^ b * 0x85ebca6bu ^ (uint32_t)op) & (RECENT - 1)];

	if (recent->op != op || recent->a != a || recent->b != b) {
		uint32_t result = sweep(pool, op, set_of(pool, a), set_of(pool, b));

		*recent = (struct recent){ op, a, b, result };
	}
	return recent->result;
}

uint32_t pw_ports_or(struct pw_ports_pool *pool, uint32_t a, uint32_t b)
{
	if (a == b || b == PW_PORTS_NONE || a == PW_PORTS_ALL)
		return a;
	return a == PW_PORTS_NONE || b == PW_PORTS_ALL ? b : combine(pool, OP_OR, a, b);
}

uint32_t pw_ports_and(struct pw_ports_pool *pool, uint32_t a, uint32_t b)
{
	if (a == b || a == PW_PORTS_NONE || b == PW_PORTS_ALL)
		return a;
	return b == PW_PORTS_NONE || a == PW_PORTS_ALL ? b : combine(pool, OP_AND, a, b);
}

uint32_t pw_ports_minus(struct pw_ports_pool *pool, uint32_t a, uint32_t b)
{
	if (a == PW_PORTS_NONE || b == PW_PORTS_NONE)
		return a;
	return a == b || b == PW_PORTS_ALL ? (uint32_t)PW_PORTS_NONE : combine(pool, OP_MINUS, a, b);
}

uint32_t pw_ports_range(struct pw_ports_pool *pool, int protocol, unsigned first, unsigned last)
{
	uint32_t edges[2 * PW_PROTOCOLS], n = 0;

	if (first == 0)
		first = 1;
	if (last >= SPAN)
		last = SPAN - 1;
	for (uint32_t i = 0; first <= last && i < PW_PROTOCOLS; i++)
		if (protocol == PW_ANY_PROTOCOL || (uint32_t)protocol == i) {
			edges[n++] = i * SPAN + first;
			edges[n++] = i * SPAN + last + 1;
		}
	return keep(pool, edges, n);
}

/* A binary counter: part[i] holds the union of 2^i sets when that bit of n is set. */
void pw_ports_add(struct pw_ports_pool *pool, struct pw_ports_sum *sum, uint32_t set)
{
	unsigned level = 0;

	for (uint32_t bits = sum->n++; bits & 1; bits >>= 1)
		set = pw_ports_or(pool, sum->part[level++], set);
	sum->part[level] = set;
}

uint32_t pw_ports_total(struct pw_ports_pool *pool, const struct pw_ports_sum *sum)
{
	uint32_t total = PW_PORTS_NONE;

	for (unsigned level = 0; level < 32; level++)
		if (sum->n >> level & 1)
			total = pw_ports_or(pool, total, sum->part[level]);
	return total;
}

/* ---- words ---- */

/* The edges of a set that lie in one protocol's part of the line: none goes beyond it, as port 0 is in no set. */
static struct set part_of(const struct pw_ports_pool *pool, uint32_t set, int protocol)
{
	uint32_t start = (uint32_t)protocol * SPAN, from = 0, to;
	struct set all = set_of(pool, set);

	while (from < all.n && all.edges[from] <= start)
		from++;
	for (to = from; to < all.n && all.edges[to] <= start + SPAN;)
		to++;
	return (struct set){ all.edges + from, to - from };
}

bool pw_ports_empty(const struct pw_ports_pool *pool, uint32_t set, int protocol)
{
	return part_of(pool, set, protocol).n == 0;
}

void pw_ports_print(const struct pw_ports_pool *pool, uint32_t set, int protocol, struct pw_buf *out)
{
	struct set part = part_of(pool, set, protocol);
	uint32_t start = (uint32_t)protocol * SPAN;

	if (part.n == 2 && part.edges[0] == start + 1 && part.edges[1] == start + SPAN) {
		pw_buf_puts(out, "all");
		return;
	}
	for (uint32_t i = 0; i < part.n; i += 2) {
		uint32_t first = part.edges[i] - start, last = part.edges[i + 1] - start - 1;

		pw_buf_printf(out, last > first ? "%s%u-%u" : "%s%u", i ? "," : "", first, last);
	}
}

/* A number or "a-b" of `len` bytes. */
static bool parse_range(const char *text, size_t len, unsigned *ret_first, unsigned *ret_last)
{
	char word[16];
	char *dash;
	unsigned long long first, last;

	if (len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	dash = strchr(word, '-');
	if (dash)
		*dash = '\0';
	if (!pw_parse_uint(word, UINT16_MAX, &first) || first == 0)
		return false;
	last = first;
	if (dash && (!pw_parse_uint(dash + 1, UINT16_MAX, &last) || last < first))
		return false;
	*ret_first = (unsigned)first;
	*ret_last = (unsigned)last;
	return true;
}

bool pw_ports_parse(struct pw_ports_pool *pool, const char *text, int protocol, uint32_t *ret)
{
	struct pw_ports_sum sum = { .n = 0 };

	if (strcmp(text, "all") == 0) {
		*ret = pw_ports_range(pool, protocol, 1, SPAN - 1);
		return true;
	}
	for (;;) {
		size_t len = strcspn(text, ",");
		unsigned first, last;

		if (!parse_range(text, len, &first, &last))
			return false;
		pw_ports_add(pool, &sum, pw_ports_range(pool, protocol, first, last));
		text += len;
		if (!*text)
			break;
		text++;
	}
	*ret = pw_ports_total(pool, &sum);
	return true;
}
