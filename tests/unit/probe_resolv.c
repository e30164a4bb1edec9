/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resolv.conf, hosts, and the names glibc and musl make of them. */
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <packetwalk/cleanup.h>
#include <probe/resolv.h>

static struct pw_arena *arena;

static struct pw_val *conf(const char *text)
{
	struct pw_val *ret = pw_val_map(arena);
	is_int(pw_resolv_conf_parse(text, strlen(text), ret, NULL), PW_OK, "parses");
	return ret;
}

static const char *joined(const struct pw_val *seq)
{
	static char out[4096];
	out[0] = '\0';
	for (size_t i = 0; i < pw_val_count(seq); i++) {
		strncat(out, pw_val_text(pw_val_at(seq, i)), 1000);
		strncat(out, " ", 2);
	}
	return out;
}

static void candidates(const char *name, enum pw_libc libc, const struct pw_val *c, const char *want)
{
	struct pw_val *seq = pw_val_seq(arena);
	pw_resolv_candidates(name, libc, c, seq);
	is_str(joined(seq), want, name);
}

static void test_parse(void)
{
	const struct pw_val *c = conf("");
	ok(pw_map_int(c, "ndots", 0) == 1 && pw_map_int(c, "timeout_s", 0) == 5 && pw_map_int(c, "attempts", 0) == 2, "defaults");
	c = conf("nameserver 10.96.0.10\r\nsearch a.svc.cluster.local  svc.cluster.local\tcluster.local \noptions ndots:5 edns0\n"
		 "nameserver fd00::a # words behind are ignored\nnameserver 1.1.1.1\nnameserver 8.8.8.8");
	is_str(joined(pw_map_get(c, "nameservers")), "10.96.0.10 fd00::a 1.1.1.1 8.8.8.8 ", "all nameservers, also those past three");
	is_str(joined(pw_map_get(c, "searches")), "a.svc.cluster.local svc.cluster.local cluster.local ", "search");
	is_int(pw_map_int(c, "ndots", 0), 5, "ndots");
	c = conf("search a b\ndomain c.test d.test\noptions timeout:1\noptions attempts:9 ndots:1000000000000000000000 timeout:x rotate");
	is_str(joined(pw_map_get(c, "searches")), "c.test ", "the last of search and domain wins; domain takes one");
	ok(pw_map_int(c, "timeout_s", 0) == 1 && pw_map_int(c, "attempts", 0) == 5 && pw_map_int(c, "ndots", 0) == 15, "caps of resolv.conf(5)");
	is_str(joined(pw_map_get(c, "options")), "timeout:1 attempts:9 ndots:1000000000000000000000 timeout:x rotate ", "options as written");
	c = conf("; nameserver 1.1.1.1\n nameserver 2.2.2.2\n#search x\nnameservers 3.3.3.3\nsearch\n\tsearch y\noptions\n");
	is_int(pw_val_count(pw_map_get(c, "nameservers")), 0, "comments, blanks in front and other words are nothing");
	is_int(pw_map_int(c, "search_bytes", -1), 6, "an empty search line empties the list");
}

static void test_candidates(void)
{
	const struct pw_val *c = conf("search shop.svc.cluster.local svc.cluster.local. cluster.local\noptions ndots:5");
	candidates("api", PW_LIBC_GLIBC, c, "api.shop.svc.cluster.local api.svc.cluster.local api.cluster.local api ");
	candidates("api", PW_LIBC_MUSL, c, "api.shop.svc.cluster.local api.svc.cluster.local api.cluster.local api ");
	candidates("api.", PW_LIBC_GLIBC, c, "api. ");
	candidates("a.b.c.d.e.f", PW_LIBC_GLIBC, c,
		   "a.b.c.d.e.f a.b.c.d.e.f.shop.svc.cluster.local a.b.c.d.e.f.svc.cluster.local a.b.c.d.e.f.cluster.local ");
	candidates("a.b.c.d.e.f", PW_LIBC_MUSL, c, "a.b.c.d.e.f ");
	c = conf("search . a.test\noptions ndots:2");
	candidates("x", PW_LIBC_GLIBC, c, "x x.a.test ");
	c = conf("options ndots:0 no-tld-query\nsearch a.test");
	candidates("x", PW_LIBC_GLIBC, c, "x x.a.test ");
	c = conf("options no-tld-query\nsearch a.test");
	candidates("x", PW_LIBC_GLIBC, c, "x.a.test ");
	candidates("x", PW_LIBC_MUSL, c, "x.a.test x ");
	c = conf("nameserver 1.1.1.1");
	candidates("x", PW_LIBC_GLIBC, c, "x ");
}

static void test_hosts(void)
{
	static const char text[] = "# c\n127.0.0.1 localhost\n::1\tlocalhost ip6-localhost # x y\nbad name\n10.0.0.1\n10.0.0.2 a#b\n";
	struct pw_val *hosts = pw_val_seq(arena);
	pw_hosts_parse(text, sizeof text - 1, hosts);
	is_int(pw_val_count(hosts), 4, "lines with an address");
	is_str(joined(pw_val_get(hosts, "1.names")), "localhost ip6-localhost ", "names");
	is_str(joined(pw_val_get(hosts, "3.names")), "a ", "up to the comment");
}

static void slurp(const char *path, struct pw_buf *buf)
{
	char data[4096];
	size_t n;
	FILE *f = fopen(path, "re");
	while (f && (n = fread(data, 1, sizeof data, f)) > 0)
		pw_buf_add(buf, data, n);
	if (f)
		(void)fclose(f);
}

static void test_corpora(const char *dir)
{
	static const struct { const char *file; const char *nameservers; int searches; } files[] = {
		{ "dataplane/resolv/insights-resolvconf.conf", "10.160.224.51 10.160.225.51 10.61.193.11 ", 2 },
		{ "dataplane-more/resolv-conf-crio-expanded.txt", NULL, -1 },
		{ "dataplane-more/resolv-conf-crio.txt", NULL, -1 },
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[512];
		struct pw_buf text;
		struct pw_val *c = pw_val_map(arena);
		if (!dir) {
			tap_skip(files[i].file, "CORPORA is not set");
			continue;
		}
		pw_buf_init(&text, 1 << 20);
		(void)snprintf(path, sizeof path, "%s/%s", dir, files[i].file);
		slurp(path, &text);
		ok(text.len && pw_resolv_conf_parse(pw_buf_str(&text), text.len, c, NULL) == PW_OK &&
		   (files[i].searches < 0 ? pw_val_count(pw_map_get(c, "searches")) > 0
					  : pw_val_count(pw_map_get(c, "searches")) == (size_t)files[i].searches),
		   "%s", files[i].file);
		if (files[i].nameservers)
			is_str(joined(pw_map_get(c, "nameservers")), files[i].nameservers, "nameservers");
		pw_buf_release(&text);
	}
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *a = pw_arena_new(8 << 20);
	arena = a;
	test_parse();
	test_candidates();
	test_hosts();
	test_corpora(getenv("CORPORA"));
	ok(pw_libc_word("musl") == PW_LIBC_MUSL && pw_libc_word("glibc") == PW_LIBC_GLIBC && !pw_libc_word("bionic") && !pw_libc_word(NULL), "libcs");
	return tap_done();
}
