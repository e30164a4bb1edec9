/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small text helpers that libc lacks: nearest word, numbers, UTF-8, globs, hashes. */
#include <base/text.h>

#include <limits.h>
#include <string.h>
#include <sys/auxv.h>

enum { EDIT_MAX = 64 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment over three rolling rows. */
unsigned pw_edit_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	if (na > EDIT_MAX || nb > EDIT_MAX)
		return EDIT_MAX + 1;
	unsigned rows[3][EDIT_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= nb; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned swap = a[i - 1] != b[j - 1];
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + swap);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		unsigned *reuse = before;
		before = above;
		above = row;
		row = reuse;
	}
	return above[nb];
}

const char *pw_nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = 3;
	size_t len = strlen(word);
	for (size_t i = 0; i < n; i++) {
		unsigned distance = pw_edit_distance(word, names[i]);
		size_t longer = strlen(names[i]) > len ? strlen(names[i]) : len;
		/* Half of a short word changed is another word, not a slip. */
		if (distance < best_distance && distance * 2 <= longer) {
			best = names[i];
			best_distance = distance;
		}
	}
	return best;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at *p, advanced past them; false if there are none or they exceed max. */
static bool take_uint(const char **p, unsigned long long max, unsigned long long *ret)
{
	if (!is_digit(**p))
		return false;
	unsigned long long value = 0;
	for (; is_digit(**p); (*p)++) {
		unsigned digit = (unsigned)(**p - '0');
		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return true;
}

bool pw_parse_uint(const char *text, unsigned long long max, unsigned long long *ret)
{
	unsigned long long value;
	if (!take_uint(&text, max, &value) || *text)
		return false;
	*ret = value;
	return true;
}

bool pw_parse_duration(const char *text, unsigned *ret_ms)
{
	static const struct { const char *name; unsigned ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 },
	};
	unsigned long long total = 0, value;
	size_t smallest = sizeof units / sizeof *units; /* units must fall: "1m30s", not "30s1m" */
	const char *p = text;
	do {
		if (!take_uint(&p, UINT_MAX, &value))
			return false;
		size_t unit = 1;
		size_t len = strcspn(p, "0123456789");
		if (len > 0 || p == text) {
			for (unit = 0; unit < smallest; unit++)
				if (strlen(units[unit].name) == len && !memcmp(p, units[unit].name, len))
					break;
		} else if (smallest != sizeof units / sizeof *units) {
			return false; /* a bare number after "1m" */
		}
		if (unit >= smallest)
			return false;
		smallest = unit;
		p += len;
		total += value * units[unit].ms;
		if (total > UINT_MAX)
			return false;
	} while (*p);
	*ret_ms = (unsigned)total;
	return true;
}

uint64_t pw_hash64(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a, draft-eastlake-fnv */
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1]; v[1] = rotate(v[1], 13); v[1] ^= v[0]; v[0] = rotate(v[0], 32);
	v[2] += v[3]; v[3] = rotate(v[3], 16); v[3] ^= v[2];
	v[0] += v[3]; v[3] = rotate(v[3], 21); v[3] ^= v[0];
	v[2] += v[1]; v[1] = rotate(v[1], 17); v[1] ^= v[2]; v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

uint64_t pw_key_hash(const char *key, size_t len)
{
	/* The kernel gives every process 16 random bytes (getauxval(3)). */
	uint64_t secret[2] = { 0x736f6d6570736575u, 0x646f72616e646f6du };
	const void *random = (const void *)getauxval(AT_RANDOM);
	if (random)
		memcpy(secret, random, sizeof secret);
	uint64_t v[4] = {
		secret[0] ^ 0x736f6d6570736575u, secret[1] ^ 0x646f72616e646f6du,
		secret[0] ^ 0x6c7967656e657261u, secret[1] ^ 0x7465646279746573u,
	};
	uint64_t word = 0;
	size_t i = 0;
	for (; i + sizeof word <= len; i += sizeof word) {
		memcpy(&word, key + i, sizeof word);
		sip_word(v, word);
	}
	word = (uint64_t)len << 56;
	for (unsigned shift = 0; i < len; i++, shift += 8)
		word |= (uint64_t)(unsigned char)key[i] << shift;
	sip_word(v, word);
	v[2] ^= 0xff;
	for (int round = 0; round < 3; round++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Backtracks only to the last star, so the cost is at most |pattern| * |text|. */
bool pw_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

size_t pw_utf8_next(const char *text, size_t len, uint32_t *ret_char)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (len == 0)
		return 0;
	unsigned char lead = (unsigned char)text[0];
	if (lead < 0x80) {
		*ret_char = lead;
		return 1;
	}
	size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || n > len)
		return 0;
	uint32_t c = lead & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		unsigned char next = (unsigned char)text[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (next & 0x3f);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return n;
}

bool pw_char_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
	       (c >= 0xe0000 && c <= 0xe007f);
}
