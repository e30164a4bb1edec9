/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys and values of nft's JSON (libnftables-json(5)) as fields and ranges. */
#include "nft_value.h"

#include <linux/rtnetlink.h>
#include <string.h>

struct word { const char *name; uint16_t value; };

static bool find_word(const struct word *words, size_t n, const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i].name, name) == 0) {
			*ret = words[i].value;
			return true;
		}
	}
	return false;
}
#define FIND(words, name, ret) find_word((words), sizeof(words) / sizeof *(words), (name), (ret))

const struct pw_val *pw_nft_only(const struct pw_val *val, const char **ret_name)
{
	bool one = pw_val_is(val, PW_VAL_MAP) && pw_val_count(val) > 0;
	*ret_name = one ? pw_map_key(val, 0) : "";
	return one ? pw_val_at(val, 0) : NULL;
}

static bool key_payload(const struct pw_val *body, struct pw_nft_key *key, uint8_t *field)
{
	static const struct word addresses[] = { { "saddr", PW_F_SADDR }, { "daddr", PW_F_DADDR } };
	static const struct word ports[] = { { "sport", PW_F_SPORT }, { "dport", PW_F_DPORT } };
	const char *protocol = pw_map_str(body, "protocol", ""), *name = pw_map_str(body, "field", "");
	bool v4 = strcmp(protocol, "ip") == 0, v6 = strcmp(protocol, "ip6") == 0, icmp = strcmp(protocol, "icmp") == 0;
	uint64_t value;
	if (v4 || v6) {
		key->version = v4 ? 4 : 6;
		if (FIND(addresses, name, &value))
			*field = (uint8_t)value;
		else if (strcmp(name, v4 ? "protocol" : "nexthdr") == 0)
			*field = PW_F_PROTO;
		else
			return false;
		return true;
	}
	if ((icmp || strcmp(protocol, "icmpv6") == 0) && strcmp(name, "type") == 0) {
		key->proto = icmp ? 1 : 58;
		*field = PW_F_ICMP_TYPE;
		return true;
	}
	if (strcmp(protocol, "th") == 0)
		value = 0;
	else if (!pw_key_proto(protocol, strlen(protocol), &value))
		return false;
	key->proto = (unsigned)value;
	if (strcmp(protocol, "tcp") == 0 && strcmp(name, "flags") == 0)
		*field = PW_F_TCPFLAGS;
	else if (FIND(ports, name, &value))
		*field = (uint8_t)value;
	else
		return false;
	return true;
}

static bool key_meta(const struct pw_val *body, uint8_t *field)
{
	static const struct word keys[] = {
		{ "l4proto", PW_F_PROTO }, { "iifname", PW_F_IIF }, { "oifname", PW_F_OIF }, { "iif", PW_F_IIF }, { "oif", PW_F_OIF },
		{ "mark", PW_F_MARK }, { "nfproto", PW_F_NFPROTO }, { "protocol", PW_F_NFPROTO },
	};
	uint64_t value;
	if (!FIND(keys, pw_map_str(body, "key", ""), &value))
		return false;
	*field = (uint8_t)value;
	return true;
}

static bool key_ct(const struct pw_val *body, uint8_t *field)
{
	const char *name = pw_map_str(body, "key", "");
	*field = PW_F_CTSTATE; /* its bits hold "dnat" of ct status too */
	return strcmp(name, "state") == 0 || strcmp(name, "status") == 0;
}

static bool key_fib(const struct pw_val *body, uint8_t *field)
{
	const struct pw_val *flags = pw_map_get(body, "flags");
	const char *flag = pw_val_is(flags, PW_VAL_SEQ) ? pw_val_text(pw_val_at(flags, 0)) : pw_val_text(flags);
	if (!flag || strcmp(pw_map_str(body, "result", ""), "type") != 0 || (pw_val_is(flags, PW_VAL_SEQ) && pw_val_count(flags) != 1))
		return false;
	*field = strcmp(flag, "saddr") == 0 ? PW_F_SRC_TYPE : PW_F_DST_TYPE;
	return strcmp(flag, "saddr") == 0 || strcmp(flag, "daddr") == 0;
}

static bool one_key(const struct pw_val *expr, struct pw_nft_key *key)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(expr, &name);
	uint8_t field = PW_F_UNKNOWN;
	bool known = false;
	if (key->n == PW_FIELDS_MAX)
		return false;
	if (strcmp(name, "payload") == 0)
		known = key_payload(body, key, &field);
	else if (strcmp(name, "meta") == 0)
		known = key_meta(body, &field);
	else if (strcmp(name, "ct") == 0)
		known = key_ct(body, &field);
	else if (strcmp(name, "fib") == 0)
		known = key_fib(body, &field);
	else if (strcmp(name, "numgen") == 0 || strcmp(name, "jhash") == 0 || strcmp(name, "symhash") == 0)
		known = true, field = PW_F_CHANCE;
	key->fields[key->n++] = field;
	return known;
}

bool pw_nft_key(const struct pw_val *expr, struct pw_nft_key *ret)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(expr, &name);
	memset(ret, 0, sizeof *ret);
	if (strcmp(name, "concat") == 0) {
		for (size_t i = 0; i < pw_val_count(body); i++)
			if (!one_key(pw_val_at(body, i), ret))
				return false;
		return ret->n > 0;
	}
	if (strcmp(name, "&") == 0) {
		ret->masked = true;
		return pw_val_count(body) == 2 && one_key(pw_val_at(body, 0), ret)
			&& pw_nft_bits((enum pw_field)ret->fields[0], pw_val_at(body, 1), &ret->mask);
	}
	return one_key(expr, ret);
}

enum pw_field pw_nft_type(const char *type)
{
	static const struct word types[] = {
		{ "ipv4_addr", PW_F_SADDR }, { "ipv6_addr", PW_F_SADDR }, { "inet_proto", PW_F_PROTO }, { "inet_service", PW_F_DPORT },
		{ "mark", PW_F_MARK }, { "ifname", PW_F_IIF }, { "ct_state", PW_F_CTSTATE }, { "icmp_type", PW_F_ICMP_TYPE },
		{ "fib_addrtype", PW_F_DST_TYPE }, { "nf_proto", PW_F_NFPROTO }, { "iface_index", PW_F_IIF },
	};
	uint64_t value;
	return FIND(types, type, &value) ? (enum pw_field)value : PW_F_UNKNOWN;
}

static bool scalar(enum pw_field field, const struct pw_val *val, struct pw_range *ret)
{
	static const struct word addrtypes[] = {
		{ "unicast", RTN_UNICAST }, { "local", RTN_LOCAL }, { "broadcast", RTN_BROADCAST }, { "multicast", RTN_MULTICAST },
	};
	static const struct word icmp[] = {
		{ "echo-reply", 0 }, { "destination-unreachable", 3 }, { "redirect", 5 }, { "echo-request", 8 }, { "time-exceeded", 11 },
	};
	static const struct word versions[] = { { "ipv4", 4 }, { "ipv6", 6 }, { "ip", 4 }, { "ip6", 6 } };
	const char *text = pw_val_text(val);
	uint64_t n = 0;
	bool known = false, v6;
	long long number;
	switch (field) {
	case PW_F_SADDR: case PW_F_DADDR:
		return text && pw_range_addr(text, strlen(text), ret, &v6);
	case PW_F_IIF: case PW_F_OIF:
		return text && pw_range_iface(text, strlen(text), '*', ret);
	case PW_F_CTSTATE: case PW_F_TCPFLAGS:
		known = pw_nft_bits(field, val, &n);
		break;
	case PW_F_PROTO:
		known = text && pw_key_proto(text, strlen(text), &n);
		break;
	case PW_F_SRC_TYPE: case PW_F_DST_TYPE:
		known = text && FIND(addrtypes, text, &n);
		break;
	case PW_F_ICMP_TYPE:
		known = text && FIND(icmp, text, &n);
		break;
	case PW_F_NFPROTO:
		known = text && FIND(versions, text, &n);
		break;
	default:
		break;
	}
	if (!known && pw_val_to_int(val, &number) && number >= 0) {
		n = (uint64_t)number;
		known = true;
	}
	ret->lo = ret->hi = pw_key_num(n);
	return known;
}

static bool prefix(const struct pw_val *body, struct pw_range *ret)
{
	const char *addr = pw_map_str(body, "addr", "");
	long long len = pw_map_int(body, "len", -1);
	struct pw_key key;
	bool v6;
	if (!pw_key_addr(addr, strlen(addr), &key, &v6) || len < 0 || len > (v6 ? 128 : 32))
		return false;
	pw_range_prefix(key, v6, (unsigned)len, ret);
	return true;
}

bool pw_nft_range(enum pw_field field, const struct pw_val *val, struct pw_range *ret)
{
	const char *name, *text = pw_val_text(val);
	const struct pw_val *body = pw_nft_only(val, &name);
	struct pw_range low, high;
	if (text && strcmp(text, "*") == 0 && field != PW_F_IIF && field != PW_F_OIF) { /* a set's catch-all element */
		ret->lo = (struct pw_key){ 0, 0 };
		ret->hi = (struct pw_key){ UINT64_MAX, UINT64_MAX };
		return true;
	}
	if (strcmp(name, "elem") == 0)
		return pw_nft_range(field, pw_map_get(body, "val"), ret);
	if (strcmp(name, "prefix") == 0)
		return (field == PW_F_SADDR || field == PW_F_DADDR) && prefix(body, ret);
	if (strcmp(name, "range") == 0) {
		if (!scalar(field, pw_val_at(body, 0), &low) || !scalar(field, pw_val_at(body, 1), &high))
			return false;
		ret->lo = low.lo;
		ret->hi = high.hi;
		return true;
	}
	return !body && scalar(field, val, ret);
}

static bool one_bit(enum pw_field field, const struct pw_val *val, uint64_t *ret)
{
	static const struct word states[] = {
		{ "invalid", PW_CT_INVALID }, { "established", PW_CT_ESTABLISHED }, { "related", PW_CT_RELATED }, { "new", PW_CT_NEW },
		{ "untracked", PW_CT_UNTRACKED }, { "dnat", PW_CT_DNAT }, { "snat", PW_CT_SNAT },
	};
	static const struct word flags[] = {
		{ "fin", 1 }, { "syn", 2 }, { "rst", 4 }, { "psh", 8 }, { "ack", 16 }, { "urg", 32 }, { "ecn", 64 }, { "cwr", 128 },
	};
	const char *text = pw_val_text(val);
	long long number;
	if (text && field == PW_F_CTSTATE)
		return FIND(states, text, ret);
	if (text && field == PW_F_TCPFLAGS)
		return FIND(flags, text, ret);
	if (!pw_val_to_int(val, &number) || number < 0)
		return false;
	*ret = (uint64_t)number;
	return true;
}

bool pw_nft_bits(enum pw_field field, const struct pw_val *val, uint64_t *ret)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(val, &name), *list = strcmp(name, "|") == 0 ? body : val;
	uint64_t bits = 0, one;
	if (!pw_val_is(list, PW_VAL_SEQ))
		return one_bit(field, val, ret);
	for (size_t i = 0; i < pw_val_count(list); i++) {
		const struct pw_val *item = pw_val_at(list, i);
		if (!(pw_val_is(item, PW_VAL_MAP) ? pw_nft_bits(field, item, &one) : one_bit(field, item, &one)))
			return false;
		bits |= one;
	}
	*ret = bits;
	return true;
}
