/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses, address blocks, and the words the API allows as names. */
#include <cluster/address.h>
#include <cluster/model.h>
#include <cluster/valid.h>
#include <packetwalk/lookup.h>

#include "tap.h"

static bool holds(const char *cidr, const char *address)
{
	struct pw_cidr block;
	struct pw_address parsed;

	return pw_cidr_parse(cidr, &block) && pw_address_parse(address, &parsed) && pw_cidr_holds(&block, &parsed);
}

static bool strictly(const char *outer, const char *inner)
{
	struct pw_cidr a, b;

	return pw_cidr_parse(outer, &a) && pw_cidr_parse(inner, &b) && pw_cidr_strictly_holds(&a, &b);
}

static void test_blocks(void)
{
	struct pw_cidr cidr;

	ok(holds("10.0.0.0/8", "10.255.0.1"), "an address in its block");
	ok(!holds("10.0.0.0/8", "11.0.0.0"), "the first one after it");
	ok(holds("10.1.2.128/25", "10.1.2.255") && !holds("10.1.2.128/25", "10.1.2.127"), "a length that is no multiple of 8");
	ok(holds("0.0.0.0/0", "255.255.255.255") && !holds("0.0.0.0/0", "::1"), "a block holds one family only");
	ok(holds("2001:db8::/33", "2001:db8:7fff::1") && !holds("2001:db8::/33", "2001:db8:8000::"), "IPv6");
	ok(holds("10.0.0.7/32", "10.0.0.7") && !holds("10.0.0.7/32", "10.0.0.6"), "a block of one");
	ok(!pw_cidr_parse("10.0.0.0", &cidr), "no length");
	ok(!pw_cidr_parse("10.0.0.0/33", &cidr) && !pw_cidr_parse("::/129", &cidr), "too long a length");
	ok(!pw_cidr_parse("10.0.0.0/", &cidr) && !pw_cidr_parse("/8", &cidr) && !pw_cidr_parse("10.0.0.0/+8", &cidr), "half a block");
	ok(!pw_cidr_parse("10.0.0/8", &cidr) && !pw_cidr_parse("010.0.0.0/8", &cidr), "not four plain numbers");
	ok(strictly("10.0.0.0/8", "10.1.0.0/16") && !strictly("10.0.0.0/8", "10.0.0.0/8") && !strictly("10.1.0.0/16", "10.0.0.0/8"),
	   "strictly inside");
	is_int(pw_address_in_cidr("10.244.1.1/24", "10.244.1.0/24"), 1, "an interface's address, with its length");
	is_int(pw_address_in_cidr("10.244.2.1", "10.244.1.0/24"), 0, "another block's");
	is_int(pw_address_in_cidr("fd00::1", "10.244.1.0/24"), 0, "another family's");
	ok(pw_address_in_cidr("", "10.244.1.0/24") == -1 && pw_address_in_cidr("10.244.1.1", "10.244.1.0") == -1 &&
	   pw_address_in_cidr("a text that is much longer than any address can be", "::/0") == -1, "neither an address nor a block");
}

static void test_words(void)
{
	ok(pw_is_label_value("") && pw_is_label_value("a_b.C-9") && !pw_is_label_value("-a") && !pw_is_label_value("a b"), "label values");
	ok(pw_is_qualified_name("app") && pw_is_qualified_name("example.com/app") && !pw_is_qualified_name("/app") &&
	   !pw_is_qualified_name("a/b/c") && !pw_is_qualified_name(""), "label keys");
	ok(pw_is_port_name("http-2") && !pw_is_port_name("80") && !pw_is_port_name("a--b") && !pw_is_port_name("Http") &&
	   !pw_is_port_name("sixteen-letters-"), "port names");
	ok(pw_is_dns_label("kube-system") && !pw_is_dns_label("a.b") && !pw_is_dns_label("A"), "namespace names");
	ok(pw_is_dns_subdomain("a.b-c.d") && !pw_is_dns_subdomain("a..b") && !pw_is_dns_subdomain("a.-b") && !pw_is_dns_subdomain(".a"),
	   "object names");
}

static void test_corefile(void)
{
	struct pw_arena *arena = pw_arena_new(1 << 16);

	is_str(pw_corefile_zone(".:53 {\n  errors\n  kubernetes cluster.example in-addr.arpa ip6.arpa {\n", arena), "cluster.example",
	       "the zone of the kubernetes plugin");
	is_str(pw_corefile_zone("kubernetes in-addr.arpa corp.local. {", arena), "corp.local", "not the reverse zone, no trailing dot");
	is_str(pw_corefile_zone(".:53 {\n # kubernetes x\n forward . 1.1.1.1\n}\n", arena), "", "no kubernetes plugin");
	is_str(pw_corefile_zone("kubernetes {\n}", arena), "", "a plugin without zones");
	pw_arena_free(arena);
}

int main(void)
{
	test_blocks();
	test_words();
	test_corefile();
	return tap_done();
}
