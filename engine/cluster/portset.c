/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets of ports. */
#include <cluster/portset.h>

#include <string.h>

#include <base/text.h>

const char *const pw_protocol_words[PW_PROTOCOLS] = { "TCP", "UDP", "SCTP" };

int pw_protocol_index(const char *word)
{
	for (int i = 0; i < PW_PROTOCOLS; i++)
		if (strcmp(word, pw_protocol_words[i]) == 0)
			return i;
	return -1;
}

void pw_portset_clear(struct pw_portset *set)
{
	memset(set, 0, sizeof(*set));
}

void pw_portset_fill(struct pw_portset *set)
{
	memset(set, 0xff, sizeof(*set));
	set->w[0] &= ~(uint64_t)1; /* there is no port 0 */
}

void pw_portset_add(struct pw_portset *set, unsigned first, unsigned last)
{
	if (last > UINT16_MAX)
		last = UINT16_MAX;
	if (first == 0)
		first = 1;
	for (unsigned port = first; port <= last;) {
		if (port % 64 == 0 && last - port >= 63) {
			set->w[port / 64] = UINT64_MAX;
			port += 64;
		} else {
			set->w[port / 64] |= (uint64_t)1 << (port % 64);
			port++;
		}
	}
}

void pw_portset_or(struct pw_portset *set, const struct pw_portset *other)
{
	for (unsigned i = 0; i < PW_PORT_WORDS; i++)
		set->w[i] |= other->w[i];
}

void pw_portset_and(struct pw_portset *set, const struct pw_portset *other)
{
	for (unsigned i = 0; i < PW_PORT_WORDS; i++)
		set->w[i] &= other->w[i];
}

void pw_portset_minus(struct pw_portset *set, const struct pw_portset *other)
{
	for (unsigned i = 0; i < PW_PORT_WORDS; i++)
		set->w[i] &= ~other->w[i];
}

bool pw_portset_empty(const struct pw_portset *set)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < PW_PORT_WORDS; i++)
		any |= set->w[i];
	return any == 0;
}

bool pw_portset_full(const struct pw_portset *set)
{
	uint64_t all = set->w[0] | 1;

	for (unsigned i = 1; i < PW_PORT_WORDS; i++)
		all &= set->w[i];
	return all == UINT64_MAX;
}

bool pw_portset_equal(const struct pw_portset *a, const struct pw_portset *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool pw_portset_holds(const struct pw_portset *set, const struct pw_portset *part)
{
	for (unsigned i = 0; i < PW_PORT_WORDS; i++)
		if (part->w[i] & ~set->w[i])
			return false;
	return true;
}

static bool has(const struct pw_portset *set, unsigned port)
{
	return set->w[port / 64] >> (port % 64) & 1;
}

void pw_portset_print(const struct pw_portset *set, struct pw_buf *out)
{
	bool first = true;

	if (pw_portset_full(set)) {
		pw_buf_puts(out, "all");
		return;
	}
	for (unsigned port = 1; port <= UINT16_MAX; port++) {
		unsigned last = port;

		if (!has(set, port))
			continue;
		while (last < UINT16_MAX && has(set, last + 1))
			last++;
		pw_buf_printf(out, last > port ? "%s%u-%u" : "%s%u", first ? "" : ",", port, last);
		first = false;
		port = last;
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

bool pw_portset_parse(const char *text, struct pw_portset *ret)
{
	struct pw_portset set;

	if (strcmp(text, "all") == 0) {
		pw_portset_fill(ret);
		return true;
	}
	pw_portset_clear(&set);
	for (;;) {
		size_t len = strcspn(text, ",");
		unsigned first, last;

		if (!parse_range(text, len, &first, &last))
			return false;
		pw_portset_add(&set, first, last);
		text += len;
		if (!*text)
			break;
		text++;
	}
	*ret = set;
	return true;
}
