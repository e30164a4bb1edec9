/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nft's JSON back into nft's language: what a person would see in `nft list
 * ruleset` and search for. Expressions this printer has no words for are shown
 * by their JSON name.
 */
#include "nft_value.h"

#include <string.h>

enum { ELEMENTS_SHOWN = 16 }; /* of an anonymous set */

static void print(struct pw_buf *out, const struct pw_val *val, bool hex);

static void print_joined(struct pw_buf *out, const struct pw_val *seq, const char *between, size_t limit, bool hex)
{
	for (size_t i = 0; i < pw_val_count(seq); i++) {
		if (i > 0)
			pw_buf_puts(out, between);
		if (i == limit) {
			pw_buf_puts(out, "...");
			return;
		}
		print(out, pw_val_at(seq, i), hex);
	}
}

static void print_pair(struct pw_buf *out, const struct pw_val *pair)
{
	print(out, pw_val_at(pair, 0), false);
	pw_buf_puts(out, " : ");
	print(out, pw_val_at(pair, 1), false);
}

static void print_set(struct pw_buf *out, const struct pw_val *elems)
{
	if (!pw_val_is(elems, PW_VAL_SEQ)) {
		print(out, elems, false);
		return;
	}
	pw_buf_puts(out, "{ ");
	for (size_t i = 0; i < pw_val_count(elems); i++) {
		const struct pw_val *elem = pw_val_at(elems, i);
		if (i > 0)
			pw_buf_puts(out, ", ");
		if (i == ELEMENTS_SHOWN) {
			pw_buf_puts(out, "...");
			break;
		}
		if (pw_val_is(elem, PW_VAL_SEQ))
			print_pair(out, elem);
		else
			print(out, elem, false);
	}
	pw_buf_puts(out, " }");
}

static void print_fib(struct pw_buf *out, const struct pw_val *body)
{
	pw_buf_puts(out, "fib ");
	print_joined(out, pw_map_get(body, "flags"), " . ", ELEMENTS_SHOWN, false);
	pw_buf_printf(out, " %s", pw_map_str(body, "result", "?"));
}

/* nft leaves "meta" out before these. */
static bool bare_meta(const char *key)
{
	static const char *const keys[] = { "iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup", "skuid", "skgid" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static void print_nat(struct pw_buf *out, const char *name, const struct pw_val *body)
{
	const struct pw_val *addr = pw_map_get(body, "addr"), *port = pw_map_get(body, "port");
	pw_buf_puts(out, name);
	if (addr || port)
		pw_buf_puts(out, " to ");
	if (addr)
		print(out, addr, false);
	if (port) {
		pw_buf_putc(out, ':');
		print(out, port, false);
	}
}

static void print_vmap(struct pw_buf *out, const char *name, const struct pw_val *body)
{
	print(out, pw_map_get(body, "key"), false);
	pw_buf_printf(out, " %s ", name);
	print(out, pw_map_get(body, "data"), false);
}

static void print_value(struct pw_buf *out, const char *name, const struct pw_val *body, bool hex);

static void print(struct pw_buf *out, const struct pw_val *val, bool hex)
{
	const char *name, *text = pw_val_text(val);
	long long n;
	bool truth;
	if (text) {
		pw_buf_puts(out, text);
	} else if (pw_val_is(val, PW_VAL_INT) && pw_val_to_int(val, &n)) {
		pw_buf_printf(out, hex ? "0x%llx" : "%lld", n);
	} else if (pw_val_is(val, PW_VAL_BOOL) && pw_val_to_bool(val, &truth)) {
		pw_buf_puts(out, truth ? "exists" : "missing");
	} else if (pw_val_is(val, PW_VAL_SEQ)) {
		print_joined(out, val, ",", ELEMENTS_SHOWN, hex);
	} else if (pw_val_is(val, PW_VAL_MAP)) {
		const struct pw_val *body = pw_nft_only(val, &name);
		print_value(out, name, body, hex);
	}
}

static void print_value(struct pw_buf *out, const char *name, const struct pw_val *body, bool hex)
{
	const char *key = pw_map_str(body, "key", "");
	if (strcmp(name, "payload") == 0) {
		pw_buf_printf(out, "%s %s", pw_map_str(body, "protocol", "@"), pw_map_str(body, "field", "?"));
	} else if (strcmp(name, "meta") == 0) {
		pw_buf_printf(out, "%s%s", bare_meta(key) ? "" : "meta ", key);
	} else if (strcmp(name, "ct") == 0 || strcmp(name, "socket") == 0 || strcmp(name, "rt") == 0) {
		pw_buf_printf(out, "%s %s", name, key);
	} else if (strcmp(name, "fib") == 0) {
		print_fib(out, body);
	} else if (strcmp(name, "numgen") == 0) {
		pw_buf_printf(out, "numgen %s mod %lld", pw_map_str(body, "mode", "random"), pw_map_int(body, "mod", 0));
	} else if (strcmp(name, "concat") == 0) {
		print_joined(out, body, " . ", PW_FIELDS_MAX, false);
	} else if (strcmp(name, "prefix") == 0) {
		pw_buf_printf(out, "%s/%lld", pw_map_str(body, "addr", "?"), pw_map_int(body, "len", 0));
	} else if (strcmp(name, "range") == 0) {
		print_joined(out, body, "-", 2, false);
	} else if (strcmp(name, "set") == 0) {
		print_set(out, body);
	} else if (strcmp(name, "elem") == 0) {
		print(out, pw_map_get(body, "val"), hex);
	} else if (strcmp(name, "map") == 0 || strcmp(name, "vmap") == 0) {
		print_vmap(out, name, body);
	} else if (strcmp(name, "jump") == 0 || strcmp(name, "goto") == 0) {
		pw_buf_printf(out, "%s %s", name, pw_map_str(body, "target", "?"));
	} else if (name[0] && strchr("&|^", name[0])) {
		print(out, pw_val_at(body, 0), true);
		pw_buf_printf(out, " %s ", name);
		if (pw_val_is(pw_val_at(body, 1), PW_VAL_SEQ)) {
			pw_buf_putc(out, '(');
			print_joined(out, pw_val_at(body, 1), "|", ELEMENTS_SHOWN, true);
			pw_buf_putc(out, ')');
		} else {
			print(out, pw_val_at(body, 1), true);
		}
	} else {
		pw_buf_puts(out, name);
	}
}

static bool is_mark(const struct pw_val *val)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(val, &name);
	return strcmp(pw_map_str(body, "key", ""), "mark") == 0;
}

static void print_match(struct pw_buf *out, const struct pw_val *match)
{
	const struct pw_val *left = pw_map_get(match, "left"), *right = pw_map_get(match, "right");
	const char *op = pw_map_str(match, "op", "=="), *name;
	const struct pw_val *body = pw_nft_only(left, &name);
	bool masked = name[0] && strchr("&|^", name[0]);
	bool quoted = strcmp(name, "meta") == 0 && strstr(pw_map_str(body, "key", ""), "if") && pw_val_text(right) && pw_val_text(right)[0] != '@';
	print(out, left, false);
	pw_buf_putc(out, ' ');
	if (masked ? strcmp(op, "in") != 0 : strcmp(op, "in") != 0 && strcmp(op, "==") != 0)
		pw_buf_printf(out, "%s ", op);
	if (quoted)
		pw_buf_putc(out, '"');
	print(out, right, masked || is_mark(left));
	if (quoted)
		pw_buf_putc(out, '"');
}

static void print_reject(struct pw_buf *out, const struct pw_val *body)
{
	const char *type = pw_map_str(body, "type", NULL), *code = pw_map_str(body, "expr", NULL);
	pw_buf_puts(out, "reject");
	if (type)
		pw_buf_printf(out, " with %s", type);
	if (code)
		pw_buf_printf(out, " %s", code);
}

static void print_mangle(struct pw_buf *out, const struct pw_val *body)
{
	const struct pw_val *key = pw_map_get(body, "key");
	print(out, key, false);
	pw_buf_puts(out, " set ");
	print(out, pw_map_get(body, "value"), is_mark(key));
}

static void print_statement(struct pw_buf *out, const char *name, const struct pw_val *body)
{
	if (strcmp(name, "match") == 0) {
		print_match(out, body);
	} else if (strcmp(name, "reject") == 0) {
		print_reject(out, body);
	} else if (strcmp(name, "mangle") == 0) {
		print_mangle(out, body);
	} else if (strcmp(name, "dnat") == 0 || strcmp(name, "snat") == 0 || strcmp(name, "redirect") == 0 || strcmp(name, "masquerade") == 0) {
		print_nat(out, name, body);
	} else if (strcmp(name, "limit") == 0) {
		pw_buf_printf(out, "limit rate %s%lld/%s", pw_map_bool(body, "inv", false) ? "over " : "", pw_map_int(body, "rate", 0), pw_map_str(body, "per", "second"));
	} else if (strcmp(name, "log") == 0) {
		pw_buf_puts(out, "log");
		if (pw_map_str(body, "prefix", NULL))
			pw_buf_printf(out, " prefix \"%s\"", pw_map_str(body, "prefix", ""));
	} else if (strcmp(name, "set") == 0) {
		pw_buf_printf(out, "%s %s { ", pw_map_str(body, "op", "add"), pw_map_str(body, "set", "?"));
		print(out, pw_map_get(body, "elem"), false);
		pw_buf_puts(out, " }");
	} else if (strcmp(name, "xt") == 0) {
		pw_buf_printf(out, "xt %s %s", pw_map_str(body, "type", "match"), pw_map_str(body, "name", "?"));
	} else {
		print_value(out, name, body, false);
	}
}

void pw_nft_statement(struct pw_buf *out, const struct pw_val *statement)
{
	const char *name;
	const struct pw_val *body = pw_nft_only(statement, &name);
	print_statement(out, name, body);
}

void pw_nft_text(struct pw_buf *out, const struct pw_val *exprs)
{
	for (size_t i = 0; i < pw_val_count(exprs); i++) {
		if (i > 0)
			pw_buf_putc(out, ' ');
		pw_nft_statement(out, pw_val_at(exprs, i));
	}
}
