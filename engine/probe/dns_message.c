/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a DNS response (RFC 1035): a bounded cursor, names whose pointers only lead backwards. */
#include "dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
	HEADER = 12,
	LABEL_MAX = 63, NAME_MAX_BYTES = 255,
	NAME_TEXT = NAME_MAX_BYTES * 4 + 1, /* every byte as \DDD */
	RECORDS_MAX = 4096,                 /* of one message; a 64 KiB one holds fewer of any use */
	TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_PTR = 12, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_SRV = 33, TYPE_OPT = 41,
};

struct reader {
	const uint8_t *data;
	size_t len, at;
	bool bad;
};

static const struct { const char *word; int number; } types[] = {
	{ "A", TYPE_A }, { "AAAA", TYPE_AAAA }, { "SRV", TYPE_SRV }, { "PTR", TYPE_PTR }, { "TXT", TYPE_TXT },
	{ "SOA", TYPE_SOA }, { "NS", TYPE_NS }, { "CNAME", TYPE_CNAME },
};

int pw_dns_type(const char *word)
{
	for (size_t i = 0; word && i < sizeof types / sizeof *types; i++)
		if (!strcmp(word, types[i].word))
			return types[i].number;
	return -1;
}

void pw_dns_rcode_word(unsigned rcode, char out[16])
{
	static const char *const words[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" };
	enum { BADVERS = 16 };
	if (rcode < sizeof words / sizeof *words)
		(void)snprintf(out, 16, "%s", words[rcode]);
	else
		(void)snprintf(out, 16, rcode == BADVERS ? "BADVERS" : "RCODE%u", rcode);
}

static unsigned take(struct reader *r, unsigned bytes)
{
	unsigned value = 0;
	if (r->len - r->at < bytes) {
		r->bad = true;
		return 0;
	}
	while (bytes--)
		value = value << 8 | r->data[r->at++];
	return value;
}

static size_t put_byte(char *out, size_t n, uint8_t byte)
{
	bool plain = byte > ' ' && byte < 0x7f && byte != '.' && byte != '\\';
	if (plain) {
		out[n] = (char)byte;
		return n + 1;
	}
	return n + (size_t)snprintf(out + n, 5, "\\%03u", byte);
}

/* A name in presentation form without the final dot, "." for the root. Moves past it. */
static void name(struct reader *r, char out[NAME_TEXT])
{
	size_t at = r->at, after = 0, n = 0, total = 0;
	while (at < r->len) {
		uint8_t len = r->data[at];
		if ((len & 0xc0) == 0xc0) {
			size_t to = at + 1 < r->len ? (size_t)(len & 0x3f) << 8 | r->data[at + 1] : at;
			if (!after)
				after = at + 2;
			if (to >= at) /* only backwards, so that it ends */
				break;
			at = to;
			continue;
		}
		if (!len) {
			r->at = after ? after : at + 1;
			if (!n)
				out[n++] = '.';
			out[n] = '\0';
			return;
		}
		total += len + 1u;
		if (len > LABEL_MAX || r->len - at <= len || total > NAME_MAX_BYTES)
			break;
		if (n)
			out[n++] = '.';
		for (size_t i = 1; i <= len; i++)
			n = put_byte(out, n, r->data[at + i]);
		at += len + 1u;
	}
	r->bad = true;
	out[0] = '\0';
}

struct answer {
	struct pw_arena *arena;
	struct pw_val *ret, *addresses, *cnames, *targets, *srv, *texts;
};

static void text_record(struct reader *r, size_t end, struct answer *a)
{
	char *text = pw_arena_alloc(a->arena, end - r->at + 1);
	size_t n = 0;
	while (!r->bad && r->at < end) {
		size_t len = take(r, 1);
		if (len > end - r->at) {
			r->bad = true;
			return;
		}
		if (text)
			memcpy(text + n, r->data + r->at, len);
		n += len;
		r->at += len;
	}
	if (text)
		pw_seq_add_str(a->texts, pw_text_of_bytes(a->arena, text, n, n));
}

static void address_record(struct reader *r, int family, size_t size, struct answer *a)
{
	char text[INET6_ADDRSTRLEN];
	if (inet_ntop(family, r->data + r->at, text, sizeof text))
		pw_seq_add_str(a->addresses, text);
	r->at += size;
}

static void srv_record(struct reader *r, struct answer *a)
{
	char target[NAME_TEXT];
	struct pw_val *srv = pw_seq_add_map(a->srv);
	pw_map_set_int(srv, "priority", take(r, 2));
	pw_map_set_int(srv, "weight", take(r, 2));
	pw_map_set_int(srv, "port", take(r, 2));
	name(r, target);
	pw_map_set_str(srv, "target", target);
	pw_seq_add_str(a->targets, target);
}

static void answer_record(struct reader *r, unsigned type, size_t end, struct answer *a)
{
	char target[NAME_TEXT];
	size_t size = end - r->at;
	if (type == TYPE_A && size == sizeof(struct in_addr)) {
		address_record(r, AF_INET, size, a);
	} else if (type == TYPE_AAAA && size == sizeof(struct in6_addr)) {
		address_record(r, AF_INET6, size, a);
	} else if (type == TYPE_CNAME || type == TYPE_NS || type == TYPE_PTR) {
		name(r, target);
		if (!r->bad)
			pw_seq_add_str(type == TYPE_CNAME ? a->cnames : a->targets, target);
	} else if (type == TYPE_SRV) {
		srv_record(r, a);
	} else if (type == TYPE_TXT) {
		text_record(r, end, a);
	} else if (type == TYPE_A || type == TYPE_AAAA) {
		r->bad = true; /* an address of another length */
	}
}

/* MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM; the negative TTL is the lesser of MINIMUM and the record's (RFC 2308). */
static void soa_record(struct reader *r, unsigned ttl, struct answer *a)
{
	char mname[NAME_TEXT], rname[NAME_TEXT];
	name(r, mname);
	name(r, rname);
	for (int i = 0; i < 4; i++)
		(void)take(r, 4);
	unsigned minimum = take(r, 4);
	if (r->bad)
		return;
	pw_map_set_str(a->ret, "soa", mname);
	pw_map_set_int(a->ret, "negative_ttl", minimum < ttl ? minimum : ttl);
}

static void section(struct reader *r, unsigned count, bool answers, struct answer *a)
{
	char owner[NAME_TEXT];
	long long least = -1;
	for (unsigned i = 0; i < count && !r->bad; i++) {
		name(r, owner);
		unsigned type = take(r, 2);
		(void)take(r, 2);
		unsigned ttl = take(r, 4);
		size_t size = take(r, 2), end = r->at + size;
		if (r->bad || size > r->len - r->at) {
			r->bad = true;
			break;
		}
		if (answers && (least < 0 || ttl < least))
			least = ttl;
		if (type == TYPE_SOA)
			soa_record(r, ttl, a);
		else if (answers)
			answer_record(r, type, end, a);
		r->bad = r->bad || r->at > end;
		r->at = end;
	}
	if (answers && least >= 0)
		pw_map_set_int(a->ret, "ttl", least);
}

/* EDNS carries the upper bits of the rcode in its pseudo-record (RFC 6891), in the additional section. */
static unsigned extended_rcode(struct reader r, unsigned count)
{
	char owner[NAME_TEXT];
	while (count-- && !r.bad) {
		name(&r, owner);
		unsigned type = take(&r, 2);
		(void)take(&r, 2);
		unsigned ttl = take(&r, 4);
		size_t size = take(&r, 2);
		if (r.bad || size > r.len - r.at)
			return 0;
		if (type == TYPE_OPT)
			return ttl >> 24 << 4;
		r.at += size;
	}
	return 0;
}

static void put_rcode(struct pw_val *ret, unsigned rcode)
{
	char word[16];
	pw_dns_rcode_word(rcode, word);
	pw_map_set_str(ret, "rcode", word);
	pw_map_set_int(ret, "rcode_num", rcode);
}

bool pw_dns_message_parse(const uint8_t *data, size_t len, struct pw_arena *arena, struct pw_val *ret)
{
	struct reader r = { .data = data, .len = len };
	char owner[NAME_TEXT];
	(void)take(&r, 2);
	unsigned flags = take(&r, 2), questions = take(&r, 2), answers = take(&r, 2), authority = take(&r, 2);
	unsigned additional = take(&r, 2);
	if (r.bad)
		return false;
	put_rcode(ret, flags & 0xf);
	pw_map_set_bool(ret, "aa", flags & 0x400);
	pw_map_set_bool(ret, "tc", flags & 0x200);
	pw_map_set_bool(ret, "ra", flags & 0x80);
	pw_map_set_int(ret, "answers", answers);
	struct answer a = { arena, ret, pw_map_set_seq(ret, "addresses"), pw_map_set_seq(ret, "cnames"),
		pw_map_set_seq(ret, "targets"), pw_map_set_seq(ret, "srv"), pw_map_set_seq(ret, "texts") };
	if (!(flags & 0x8000) || questions + answers + authority + additional > RECORDS_MAX)
		return false;
	for (unsigned i = 0; i < questions && !r.bad; i++) {
		name(&r, owner);
		(void)take(&r, 4);
	}
	section(&r, answers, true, &a);
	section(&r, authority, false, &a);
	put_rcode(ret, (flags & 0xf) | extended_rcode(r, additional));
	/* A truncated answer may end anywhere. */
	return !r.bad || (flags & 0x200);
}
