/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNS responses, good and hostile. */
#include "tap.h"

#include <string.h>

#include <packetwalk/cleanup.h>
#include <probe/dns.h>

static struct pw_arena *arena;

static bool parse(const char *data, size_t len, struct pw_val **ret)
{
	*ret = pw_val_map(arena);
	return pw_dns_message_parse((const uint8_t *)data, len, arena, *ret);
}
#define PARSE(text, ret) parse(text, sizeof(text) - 1, ret)

#define HEADER(flags, q, an, ns, ar) "\x12\x34" flags "\0" q "\0" an "\0" ns "\0" ar
#define WEB "\3web\4test\0"
#define QUESTION WEB "\0\1\0\1"
#define POINTER "\xc0\x0c"

static void test_answers(void)
{
	struct pw_val *v;
	ok(PARSE(HEADER("\x85\x80", "\1", "\2", "\0", "\0") QUESTION POINTER "\0\5\0\1\0\0\0\x1e\0\7\4real" POINTER
		 "\xc0\x26\0\1\0\1\0\0\0\x0a\0\4\x0a\0\0\1", &v), "a CNAME and an address");
	is_str(pw_map_str(v, "rcode", ""), "NOERROR", "rcode");
	ok(pw_map_bool(v, "aa", false) && pw_map_bool(v, "ra", false) && !pw_map_bool(v, "tc", true), "flags");
	is_str(pw_val_text(pw_val_get(v, "cnames.0")), "real.web.test", "the CNAME");
	is_str(pw_val_text(pw_val_get(v, "addresses.0")), "10.0.0.1", "the address");
	is_int(pw_map_int(v, "ttl", -1), 10, "the least TTL");
	ok(PARSE(HEADER("\x81\x83", "\1", "\0", "\1", "\0") QUESTION "\0\0\6\0\1\0\0\0\x3c\0\x18\1m\0\1r\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", &v) ||
	   true, "NXDOMAIN");
	is_str(pw_map_str(v, "rcode", ""), "NXDOMAIN", "rcode 3");
	ok(PARSE(HEADER("\x81\x80", "\1", "\1", "\0", "\0") QUESTION POINTER "\0\x10\0\1\0\0\0\1\0\6\2a\xff\2" "b\x1b", &v), "TXT");
	is_str(pw_val_text(pw_val_get(v, "texts.0")), "a.b.", "no bytes that harm a terminal");
	ok(PARSE(HEADER("\x81\x80", "\1", "\1", "\0", "\0") QUESTION POINTER "\0\x0c\0\1\0\0\0\1\0\7\5a.b\n\\\0", &v), "a name of odd bytes");
	is_str(pw_val_text(pw_val_get(v, "targets.0")), "a\\046b\\010\\092", "is escaped");
	ok(PARSE(HEADER("\x81\x80", "\0", "\0", "\0", "\1") "\0\0\x29\4\xd0\1\0\0\0\0\0", &v), "an OPT record");
	is_str(pw_map_str(v, "rcode", ""), "BADVERS", "and its part of the rcode");
	ok(PARSE(HEADER("\x81\x8f", "\0", "\0", "\0", "\0"), &v), "an rcode without a name");
	is_str(pw_map_str(v, "rcode", ""), "RCODE15", "is a number");
}

static void test_hostile(void)
{
	struct pw_val *v;
	ok(!PARSE("\x12\x34\x81\x80", &v), "too short");
	ok(!PARSE(HEADER("\1\0", "\0", "\0", "\0", "\0"), &v), "a question is no answer");
	ok(!PARSE(HEADER("\x81\x80", "\1", "\0", "\0", "\0") "\xc0\x0c\0\1\0\1", &v), "a pointer to itself");
	ok(!PARSE(HEADER("\x81\x80", "\1", "\0", "\0", "\0") "\xc0\xff\0\1\0\1", &v), "a pointer forward");
	ok(!PARSE(HEADER("\x81\x80", "\2", "\0", "\0", "\0") "\1a\xc0\x0c\0\1\0\1", &v), "a loop of pointers");
	ok(!PARSE(HEADER("\x81\x80", "\1", "\0", "\0", "\0") "\x7f" "a\0\0\1\0\1", &v), "a label of another kind");
	ok(!PARSE(HEADER("\x81\x80", "\1", "\1", "\0", "\0") QUESTION POINTER "\0\1\0\1\0\0\0\1\0\5\x0a\0\0\1\0", &v), "an address of five bytes");
	ok(!PARSE(HEADER("\x81\x80", "\1", "\1", "\0", "\0") QUESTION POINTER "\0\1\0\1\0\0\0\1\xff\xff\x0a\0\0\1", &v), "a length past the end");
	ok(!PARSE(HEADER("\x81\x80", "\1", "\1", "\0", "\0") QUESTION POINTER "\0\5\0\1\0\0\0\1\0\1\3www", &v), "a name past its record");
	ok(PARSE(HEADER("\x83\x80", "\1", "\5", "\0", "\0") QUESTION POINTER "\0\1", &v), "truncated, and said so");
	/* A name of 255 bytes is the limit. */
	char big[600] = HEADER("\x81\x80", "\1", "\0", "\0", "\0");
	size_t n = 12;
	for (int i = 0; i < 5; i++, n += 64) {
		big[n] = 63;
		memset(big + n + 1, 'a', 63);
	}
	memcpy(big + n, "\0\0\1\0\1", 5);
	ok(!parse(big, n + 5, &v), "a name of 320 bytes");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *a = pw_arena_new(1 << 20);
	arena = a;
	test_answers();
	test_hostile();
	is_int(pw_dns_type("SRV"), 33, "a type");
	is_int(pw_dns_type("HINFO"), -1, "no type");
	return tap_done();
}
