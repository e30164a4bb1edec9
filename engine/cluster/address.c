/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IP addresses and prefixes: parsing and containment. */
#include <cluster/address.h>

#include <arpa/inet.h>
#include <string.h>

#include <base/text.h>

bool pw_address_parse(const char *text, struct pw_address *ret)
{
	struct pw_address parsed = { 0, { 0 } };

	if (!text)
		return false;
	if (inet_pton(AF_INET, text, parsed.bytes) == 1)
		parsed.family = 4;
	else if (inet_pton(AF_INET6, text, parsed.bytes) == 1)
		parsed.family = 6;
	else
		return false;
	*ret = parsed;
	return true;
}

int pw_address_compare(const struct pw_address *a, const struct pw_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool pw_cidr_parse(const char *text, struct pw_cidr *ret)
{
	char base[INET6_ADDRSTRLEN];
	const char *slash = text ? strchr(text, '/') : NULL;
	unsigned long long bits;
	struct pw_cidr parsed;

	if (!slash || (size_t)(slash - text) >= sizeof(base))
		return false;
	memcpy(base, text, (size_t)(slash - text));
	base[slash - text] = '\0';
	if (!pw_address_parse(base, &parsed.base))
		return false;
	if (!pw_parse_uint(slash + 1, parsed.base.family == 4 ? 32 : 128, &bits))
		return false;
	parsed.bits = (unsigned)bits;
	*ret = parsed;
	return true;
}

bool pw_cidr_holds(const struct pw_cidr *cidr, const struct pw_address *address)
{
	unsigned whole = cidr->bits / 8, rest = cidr->bits % 8;

	if (cidr->base.family != address->family)
		return false;
	if (memcmp(cidr->base.bytes, address->bytes, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	return ((cidr->base.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

bool pw_cidr_strictly_holds(const struct pw_cidr *outer, const struct pw_cidr *inner)
{
	return outer->bits < inner->bits && pw_cidr_holds(outer, &inner->base);
}

void pw_cidr_ends(const struct pw_cidr *cidr, struct pw_address *ret_first, struct pw_address *ret_last)
{
	unsigned n = cidr->base.family == 4 ? 4 : 16;

	*ret_first = *ret_last = cidr->base;
	for (unsigned i = 0; i < n; i++) {
		unsigned fixed = cidr->bits > i * 8 ? cidr->bits - i * 8 : 0;
		uint8_t host = (uint8_t)(fixed >= 8 ? 0 : 0xff >> fixed);

		ret_first->bytes[i] &= (uint8_t)~host;
		ret_last->bytes[i] |= host;
	}
}

bool pw_address_next(const struct pw_address *address, struct pw_address *ret)
{
	struct pw_address next = *address;

	for (unsigned i = address->family == 4 ? 4 : 16; i-- > 0;)
		if (++next.bytes[i] != 0) {
			*ret = next;
			return true;
		}
	return false;
}

bool pw_address_previous(const struct pw_address *address, struct pw_address *ret)
{
	struct pw_address previous = *address;

	for (unsigned i = address->family == 4 ? 4 : 16; i-- > 0;)
		if (previous.bytes[i]-- != 0) {
			*ret = previous;
			return true;
		}
	return false;
}

void pw_address_print(const struct pw_address *address, char out[46])
{
	if (!inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, out, INET6_ADDRSTRLEN))
		out[0] = '\0';
}
