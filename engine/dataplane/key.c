/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys: addresses, ports, marks, protocol numbers and interface names as
 * 128-bit numbers, and the ranges that rules write over them.
 */
#include "rules.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const uint64_t V4_MAPPED = 0xffff00000000u; /* ::ffff:0:0/96 */

struct pw_key pw_key_num(uint64_t n)
{
	return (struct pw_key){ 0, n };
}

int pw_key_compare(struct pw_key a, struct pw_key b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	if (a.lo != b.lo)
		return a.lo < b.lo ? -1 : 1;
	return 0;
}

bool pw_key_in(const struct pw_range *range, struct pw_key key)
{
	return pw_key_compare(range->lo, key) <= 0 && pw_key_compare(key, range->hi) <= 0;
}

bool pw_range_exact(const struct pw_range *range)
{
	return pw_key_compare(range->lo, range->hi) == 0;
}

static struct pw_key key_of_bytes(const unsigned char bytes[16])
{
	struct pw_key key = { 0, 0 };
	for (int i = 0; i < 8; i++) {
		key.hi = key.hi << 8 | bytes[i];
		key.lo = key.lo << 8 | bytes[i + 8];
	}
	return key;
}

bool pw_key_is_v4(struct pw_key key)
{
	return key.hi == 0 && key.lo >> 32 == V4_MAPPED >> 32;
}

/* The whole text as "a.b.c.d": the hot path of large dumps, so not inet_pton on a copy. */
static bool parse_v4(const char *text, size_t len, uint32_t *ret)
{
	uint32_t addr = 0;
	unsigned parts = 0;
	size_t i = 0;
	while (i < len) {
		unsigned part = 0;
		size_t digits = 0;
		while (i < len && text[i] >= '0' && text[i] <= '9' && digits < 4) {
			part = part * 10 + (unsigned)(text[i] - '0');
			digits++, i++;
		}
		if (digits == 0 || digits > 3 || part > 255)
			return false;
		addr = addr << 8 | part;
		parts++;
		if (i == len)
			break;
		if (text[i] != '.' || parts == 4 || ++i == len)
			return false;
	}
	if (parts != 4)
		return false;
	*ret = addr;
	return true;
}

bool pw_key_addr(const char *text, size_t len, struct pw_key *ret, bool *ret_v6)
{
	uint32_t v4;
	if (parse_v4(text, len, &v4)) {
		*ret = (struct pw_key){ 0, V4_MAPPED | v4 };
		*ret_v6 = false;
		return true;
	}
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, &v6) != 1)
		return false;
	*ret = key_of_bytes(v6.s6_addr);
	*ret_v6 = true;
	return true;
}

void pw_range_prefix(struct pw_key addr, bool v6, unsigned len, struct pw_range *ret)
{
	unsigned bits = v6 ? len : len + 96;
	struct pw_key mask = { 0, 0 };
	if (bits >= 64) {
		mask.hi = UINT64_MAX;
		mask.lo = bits >= 128 ? UINT64_MAX : bits == 64 ? 0 : ~(UINT64_MAX >> (bits - 64));
	} else {
		mask.hi = bits == 0 ? 0 : ~(UINT64_MAX >> bits);
	}
	ret->lo = (struct pw_key){ addr.hi & mask.hi, addr.lo & mask.lo };
	ret->hi = (struct pw_key){ addr.hi | ~mask.hi, addr.lo | ~mask.lo };
}

/* A netmask that is a prefix after all ("255.255.0.0"): its length. */
static bool mask_length(struct pw_key mask, bool v6, unsigned *ret)
{
	for (unsigned len = 0; len <= (v6 ? 128u : 32u); len++) {
		struct pw_range all;
		struct pw_key ones = v6 ? (struct pw_key){ UINT64_MAX, UINT64_MAX } : (struct pw_key){ 0, V4_MAPPED | UINT32_MAX };
		pw_range_prefix(ones, v6, len, &all);
		if (pw_key_compare(all.lo, mask) == 0) {
			*ret = len;
			return true;
		}
	}
	return false;
}

bool pw_range_addr(const char *text, size_t len, struct pw_range *ret, bool *ret_v6)
{
	const char *slash = memchr(text, '/', len);
	size_t addr_len = slash ? (size_t)(slash - text) : len;
	struct pw_key addr, mask;
	bool v6, mask_v6;
	if (!pw_key_addr(text, addr_len, &addr, &v6))
		return false;
	unsigned bits = v6 ? 128 : 32;
	if (slash) {
		uint64_t n;
		size_t rest = len - addr_len - 1;
		if (pw_key_number(slash + 1, rest, bits, &n))
			bits = (unsigned)n;
		else if (!pw_key_addr(slash + 1, rest, &mask, &mask_v6) || mask_v6 != v6 || !mask_length(mask, v6, &bits))
			return false;
	}
	pw_range_prefix(addr, v6, bits, ret);
	*ret_v6 = v6;
	return true;
}

bool pw_range_iface(const char *text, size_t len, char wildcard, struct pw_range *ret)
{
	bool prefix = len > 0 && text[len - 1] == wildcard;
	if (prefix)
		len--;
	if (len >= IFNAMSIZ)
		return false;
	unsigned char low[IFNAMSIZ] = { 0 }, high[IFNAMSIZ] = { 0 };
	if (prefix)
		memset(high, 0xff, sizeof high);
	memcpy(low, text, len);
	memcpy(high, text, len);
	ret->lo = key_of_bytes(low);
	ret->hi = key_of_bytes(high);
	return true;
}

static unsigned digit_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - (unsigned)'0';
	if (c >= 'a' && c <= 'f')
		return c - (unsigned)'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - (unsigned)'A' + 10;
	return UINT_MAX;
}

bool pw_key_number(const char *text, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;
	unsigned base = 10;
	if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2, len -= 2;
	}
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		unsigned digit = digit_value(c);
		if (digit >= base || n > (max - digit) / base)
			return false;
		n = n * base + digit;
	}
	*ret = n;
	return true;
}

bool pw_key_proto(const char *text, size_t len, uint64_t *ret)
{
	/* As /etc/protocols names them; a dump may come from another machine, so not that file. */
	static const struct { const char *name; uint8_t number; } protocols[] = {
		{ "tcp", 6 }, { "udp", 17 }, { "icmp", 1 }, { "sctp", 132 }, { "icmpv6", 58 }, { "ipv6-icmp", 58 }, { "esp", 50 }, { "ah", 51 },
		{ "gre", 47 }, { "ipip", 4 }, { "ipencap", 4 }, { "ipv4", 4 }, { "ipv6", 41 }, { "udplite", 136 }, { "dccp", 33 }, { "igmp", 2 },
		{ "ospf", 89 }, { "vrrp", 112 }, { "pim", 103 }, { "comp", 108 }, { "ipcomp", 108 }, { "mh", 135 }, { "mobility-header", 135 }, { "l2tp", 115 },
	};
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		if (strlen(protocols[i].name) == len && memcmp(protocols[i].name, text, len) == 0) {
			*ret = protocols[i].number;
			return true;
		}
	}
	return pw_key_number(text, len, UINT8_MAX, ret);
}

uint64_t pw_keys_hash(const struct pw_key *keys, size_t n)
{
	uint64_t hash = 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio, as in Fibonacci hashing */
	for (size_t i = 0; i < n; i++) {
		hash = (hash ^ keys[i].hi) * 0xff51afd7ed558ccdu; /* the multipliers of MurmurHash3's finaliser */
		hash ^= hash >> 32;
		hash = (hash ^ keys[i].lo) * 0xc4ceb9fe1a85ec53u;
		hash ^= hash >> 32;
	}
	return hash;
}

void pw_key_format_addr(struct pw_key key, char out[48])
{
	unsigned char bytes[16];
	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (unsigned char)(key.hi >> (56 - 8 * i));
		bytes[i + 8] = (unsigned char)(key.lo >> (56 - 8 * i));
	}
	bool v4 = pw_key_is_v4(key);
	if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + 12 : bytes, out, 48))
		(void)snprintf(out, 48, "?");
}
