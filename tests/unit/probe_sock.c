/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Literal addresses with and without ports, deadlines, and strangers' bytes as text. */
#include "tap.h"

#include <string.h>

#include <packetwalk/cleanup.h>
#include <probe/sock.h>
#include <vantage/ctx_priv.h>

static void parses(const char *text, const char *want)
{
	struct pw_endpoint ep;
	char got[PW_ENDPOINT_TEXT] = "no";
	if (pw_endpoint_parse(&ep, text, 53))
		pw_endpoint_text(&ep, got);
	is_str(got, want, text);
}

static void test_endpoints(void)
{
	struct pw_endpoint a, b;
	char text[PW_ENDPOINT_TEXT];
	parses("10.0.0.1", "10.0.0.1:53");
	parses("10.0.0.1:5353", "10.0.0.1:5353");
	parses("::1", "[::1]:53");
	parses("fd00::1:53", "[fd00::1:53]:53");
	parses("[fd00::1]:5353", "[fd00::1]:5353");
	parses("fe80::1%lo", "[fe80::1%lo]:53");
	parses("fe80::1%nosuchlink", "no");
	parses("10.0.0.1:65536", "no");
	parses("10.0.0.1:", "no");
	parses("[10.0.0.1:80", "no");
	parses("[]:80", "no");
	parses("dns.test:53", "no");
	parses("010.0.0.1", "no");
	parses("", "no");
	ok(!pw_endpoint_parse(&a, NULL, 1) && !pw_endpoint_set(&a, "10.0.0.1", 65536), "nothing, and no port");
	ok(pw_endpoint_set(&a, "10.0.0.1", 80) && pw_endpoint_set(&b, "10.0.0.1", 81) && !pw_endpoint_same(&a, &b), "ports differ");
	ok(pw_endpoint_set(&b, "10.0.0.1", 80) && pw_endpoint_same(&a, &b), "the same");
	ok(pw_endpoint_set(&b, "::ffff:10.0.0.1", 80) && !pw_endpoint_same(&a, &b), "families differ");
	pw_endpoint_address(&a, text);
	is_str(text, "10.0.0.1", "without a port");
	is_int(pw_endpoint_port(&b), 80, "a port");
}

static void test_text(struct pw_arena *arena)
{
	static const char bytes[] = "a\0b\x1b[31m\xc3\xa9\xff\xe2\x80\xae\r\n\t";
	is_str(pw_text_of_bytes(arena, bytes, sizeof bytes - 1, 100), "a.b.[31m\xc3\xa9....\r\n\t", "only what a terminal can take");
	is_str(pw_text_of_bytes(arena, "\xc3\xa9\xc3\xa9", 4, 3), "\xc3\xa9.", "cut within a character");
	is_str(pw_text_of_bytes(arena, "", 0, 10), "", "nothing");
}

static void test_deadline(struct pw_arena *arena)
{
	struct pw_ctx ctx = { .arena = arena, .deadline_ms = pw_mono_us() / 1000 + 100 };
	int64_t left = pw_deadline_us(&ctx, 5000) - pw_mono_us();
	ok(left > 0 && left <= 100000, "no later than the check's end");
	left = pw_deadline_us(&ctx, 10) - pw_mono_us();
	ok(left > 0 && left <= 10000, "or sooner");
	is_int(pw_poll_ms(pw_mono_us() - 5), 0, "past");
	int ms = pw_poll_ms(pw_mono_us() + 1500);
	ok(ms == 1 || ms == 2, "rounded up, so that poll does not spin");
	ok(pw_icmp_unreachables(AF_INET) >= 0, "the namespace's counter can be read");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	test_endpoints();
	test_text(arena);
	test_deadline(arena);
	return tap_done();
}
