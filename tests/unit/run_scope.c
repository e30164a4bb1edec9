/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Templates, and what they see. */
#include <packetwalk/cleanup.h>

#include <string.h>

#include <play/play.h>
#include <run/scope.h>

#include "tap.h"

static struct pw_scope *filled(struct pw_arena *arena)
{
	struct pw_scope *scope = pw_scope_new(arena);
	struct pw_val *to = pw_val_map(arena), *list = pw_map_set_seq(to, "endpoints"), *step = pw_val_map(arena);
	pw_map_set_str(to, "", "shop/api");
	pw_map_set_str(to, "cluster_ip", "10.0.0.1");
	for (int i = 0; i < 2; i++) {
		struct pw_val *endpoint = pw_seq_add_map(list);
		pw_map_set_strf(endpoint, "", "10.1.0.%d:80", i + 1);
		pw_map_set_int(endpoint, "port", 80);
	}
	pw_map_set_bool(step, "ready", true);
	pw_map_set_real(step, "loss", 0.5);
	pw_map_set(step, "server", pw_val_null(arena));
	pw_map_set_str(pw_map_set_map(step, "labels"), "app", "api");
	pw_map_set_int(pw_map_set_map(step, "labels"), "n", 3);
	pw_scope_set(scope, "to", to);
	pw_scope_set(scope, "by-name", step);
	return scope;
}

static void says(struct pw_arena *arena, const char *text, const char *want)
{
	PW_CLEAN_BUF struct pw_buf out;
	struct pw_err err = PW_ERR_INIT;
	pw_buf_init(&out, 4096);
	int rc = pw_scope_expand_text(filled(arena), text, &out, &err);
	is_str(rc < 0 ? err.text : pw_buf_str(&out), want, text);
}

static void test_text(struct pw_arena *arena)
{
	says(arena, "plain", "plain");
	says(arena, "", "");
	says(arena, "${to} is ${to.cluster_ip}.", "shop/api is 10.0.0.1.");
	says(arena, "${to.endpoints}", "10.1.0.1:80, 10.1.0.2:80");
	says(arena, "${to.endpoints.1} ${to.endpoints.1.port}", "10.1.0.2:80 80");
	says(arena, "${by-name.ready} ${by-name.loss}", "true 0.5");
	says(arena, "${by-name.labels}", "n=3");
	says(arena, "server ${by-name.server}", "server (not known)");
	says(arena, "a $${to} b $5 $$ $${", "a ${to} b $5 $$ ${");
	says(arena, "$$${to}", "$${to}");
	says(arena, "${nothing}", "${nothing} is not known");
	says(arena, "${to.nothing}", "${to.nothing} is not known");
	says(arena, "${to.endpoints.7}", "${to.endpoints.7} is not known");
	says(arena, "x ${to", "${to is not closed with }; a literal ${ is $${");
	says(arena, "${}", "${} is not a reference: write ${name} or ${name.field}; a literal ${ is $${");
	says(arena, "${to..x}", "${to..x} is not a reference: write ${name} or ${name.field}; a literal ${ is $${");
	says(arena, "${.to}", "${.to} is not a reference: write ${name} or ${name.field}; a literal ${ is $${");
	says(arena, "${ to }", "${ to } is not a reference: write ${name} or ${name.field}; a literal ${ is $${");
}

static void test_values(struct pw_arena *arena)
{
	struct pw_scope *scope = filled(arena);
	struct pw_val *val = NULL;
	struct pw_err err = PW_ERR_INIT;
	is_int(pw_scope_expand(scope, "${to.endpoints}", arena, &val, &err), PW_OK, "a whole reference");
	is_int(pw_val_count(val), 2, "is the list itself");
	is_int(pw_scope_expand(scope, "${by-name.server}", arena, &val, &err), PW_OK, "what was not found");
	ok(pw_val_is(val, PW_VAL_NULL), "stays null as a whole");
	is_int(pw_scope_expand(scope, "http://${by-name.server}:80/", arena, &val, &err), PW_ABSENT, "and is not known within a text");
	is_str(err.text, "${by-name.server} is not known", "named");
	is_int(pw_scope_expand(scope, "${to}:80", arena, &val, &err), PW_OK, "a text");
	is_str(pw_val_text(val), "shop/api:80", "filled in");
	struct pw_val *with = pw_val_map(arena), *list = pw_map_set_seq(with, "ports");
	pw_seq_add_str(list, "${to.endpoints.0.port}");
	pw_seq_add(list, pw_val_int(arena, 443));
	pw_map_set_str(pw_map_set_map(with, "deep"), "ip", "${to.cluster_ip}");
	is_int(pw_scope_expand_val(scope, with, arena, &val, &err), PW_OK, "deep");
	long long port = 0;
	ok(pw_val_to_int(pw_val_get(val, "ports.0"), &port) && port == 80, "typed within a list");
	is_str(pw_val_text(pw_val_get(val, "deep.ip")), "10.0.0.1", "within a map");
	pw_map_set_str(with, "bad", "${gone}");
	is_int(pw_scope_expand_val(scope, with, arena, &val, &err), PW_ABSENT, "one that is not known");
	is_str(err.text, "${gone} is not known", "named");
}

static void test_names(struct pw_arena *arena)
{
	struct pw_scope *scope = filled(arena);
	is_str(pw_val_text(pw_scope_get(scope, "to.cluster_ip")), "10.0.0.1", "a field");
	pw_scope_set(scope, "to", pw_val_str(arena, "other"));
	is_str(pw_val_text(pw_scope_get(scope, "to")), "other", "set again");
	ok(!pw_scope_get(scope, "to.cluster_ip"), "text has no fields");
	pw_scope_unset(scope, "to");
	ok(!pw_scope_get(scope, "to"), "unset");
	ok(pw_scope_get(scope, "by-name") != NULL, "the others stay");
	pw_scope_unset(scope, "to");
	for (int i = 0; i < 100; i++)
		pw_scope_set(scope, pw_arena_printf(arena, "n%d", i), pw_val_int(arena, i));
	long long n = 0;
	ok(pw_val_to_int(pw_scope_get(scope, "n77"), &n) && n == 77, "a hundred names");
}

struct count { size_t refs; char last[64]; size_t offset; int stop; };

static int on_ref(void *arg, const char *ref, size_t len, size_t offset)
{
	struct count *count = arg;
	count->refs++;
	memcpy(count->last, ref, len);
	count->last[len] = '\0';
	count->offset = offset;
	return count->stop;
}

static void test_refs(void)
{
	struct count count = { 0, "", 0, PW_OK };
	struct pw_err err = PW_ERR_INIT;
	size_t len = 0;
	is_int(pw_template_refs("a ${one} $${two} ${three.x-1}", on_ref, &count, &err), PW_OK, "walks");
	is_int(count.refs, 2, "references, not escapes");
	is_str(count.last, "three.x-1", "the last");
	is_int(count.offset, 17, "and where its $ is");
	count.stop = PW_CANCELLED;
	is_int(pw_template_refs("${a} ${b}", on_ref, &count, &err), PW_CANCELLED, "a code ends it");
	is_int(count.refs, 3, "at once");
	ok(pw_template_whole("${a.b}", &len) && len == 3, "a whole reference");
	ok(!pw_template_whole("${a}${b}", &len) && !pw_template_whole("${a} ", &len) && !pw_template_whole("$${a}", &len) &&
	   !pw_template_whole("${}", &len) && !pw_template_whole("", &len), "and what is none");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)1 << 22);
	test_text(arena);
	test_values(arena);
	test_names(arena);
	test_refs();
	return tap_done();
}
