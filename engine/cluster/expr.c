/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calico's selectors: a small grammar, read by descent with a bound on its depth. */
#include <cluster/expr.h>

#include <string.h>

#define MAX_DEPTH 64
#define MAX_VALUES 4096
#define NAME_LABEL "kubernetes.io/metadata.name"

struct parser { const char *at; struct pw_arena *arena; unsigned depth; };

static const struct pw_expr *parse_or(struct parser *parser);

static void skip(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\r\n");
}

static bool take(struct parser *parser, const char *word)
{
	skip(parser);
	if (strncmp(parser->at, word, strlen(word)) != 0)
		return false;
	parser->at += strlen(word);
	return true;
}

static struct pw_expr *make(struct parser *parser, enum pw_expr_op op, const struct pw_expr *left, const struct pw_expr *right)
{
	struct pw_expr *expr = pw_arena_alloc(parser->arena, sizeof(*expr));

	if (expr)
		*expr = (struct pw_expr){ .op = op, .left = left, .right = right, .key = "" };
	return expr;
}

/* The namespace's own name is a label of Calico's that Kubernetes has under another key. */
static const char *take_key(struct parser *parser)
{
	size_t len;
	const char *key;

	skip(parser);
	len = strspn(parser->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-");
	if (len == 0)
		return NULL;
	key = pw_arena_strndup(parser->arena, parser->at, len);
	parser->at += len;
	if (key && strcmp(key, "projectcalico.org/name") == 0)
		return NAME_LABEL;
	return key && strncmp(key, "projectcalico.org/", 18) == 0 ? NULL : key;
}

static const char *take_value(struct parser *parser)
{
	const char *end, *value;
	char quote;

	skip(parser);
	quote = *parser->at;
	if (quote != '\'' && quote != '"')
		return NULL;
	end = strchr(parser->at + 1, quote);
	if (!end)
		return NULL;
	value = pw_arena_strndup(parser->arena, parser->at + 1, (size_t)(end - parser->at - 1));
	parser->at = end + 1;
	return value;
}

static size_t count_values(const char *at)
{
	size_t n = 1;

	for (; *at && *at != '}'; at++)
		n += *at == ',';
	return n < MAX_VALUES ? n : MAX_VALUES;
}

static bool take_values(struct parser *parser, struct pw_strings *ret)
{
	size_t cap, n = 0;
	const char **v;

	if (!take(parser, "{"))
		return false;
	cap = count_values(parser->at);
	v = pw_arena_array(parser->arena, cap, sizeof(*v));
	while (v && !take(parser, "}")) {
		if (n == cap || (n && !take(parser, ",")) || !(v[n] = take_value(parser)))
			return false;
		n++;
	}
	*ret = (struct pw_strings){ v, n };
	return v != NULL;
}

static bool take_one(struct parser *parser, struct pw_strings *ret)
{
	const char **v = pw_arena_array(parser->arena, 1, sizeof(*v));

	if (!v || !(*v = take_value(parser)))
		return false;
	*ret = (struct pw_strings){ v, 1 };
	return true;
}

static const struct pw_expr *parse_comparison(struct parser *parser)
{
	static const struct { const char *word; enum pw_expr_op op; bool many; } ops[] = {
		{ "==", PW_EXPR_EQUAL, false }, { "!=", PW_EXPR_NOT_EQUAL, false }, { "not in", PW_EXPR_NOT_IN, true }, { "in", PW_EXPR_IN, true },
		{ "contains", PW_EXPR_CONTAINS, false }, { "starts with", PW_EXPR_STARTS, false }, { "ends with", PW_EXPR_ENDS, false },
	};
	const char *key = take_key(parser);
	struct pw_expr *expr;

	for (size_t i = 0; key && i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!take(parser, ops[i].word))
			continue;
		if (!(expr = make(parser, ops[i].op, NULL, NULL)))
			return NULL;
		expr->key = key;
		return (ops[i].many ? take_values(parser, &expr->values) : take_one(parser, &expr->values)) ? expr : NULL;
	}
	return NULL;
}

static const struct pw_expr *parse_has(struct parser *parser)
{
	const char *key = take_key(parser);
	struct pw_expr *expr = key && take(parser, ")") ? make(parser, PW_EXPR_HAS, NULL, NULL) : NULL;

	if (expr)
		expr->key = key;
	return expr;
}

static const struct pw_expr *parse_unary(struct parser *parser)
{
	const struct pw_expr *inner;

	if (parser->depth >= MAX_DEPTH)
		return NULL;
	parser->depth++;
	if (take(parser, "!")) {
		inner = parse_unary(parser);
		inner = inner ? make(parser, PW_EXPR_NOT, inner, NULL) : NULL;
	} else if (take(parser, "(")) {
		inner = parse_or(parser);
		inner = inner && take(parser, ")") ? inner : NULL;
	} else if (take(parser, "all()")) {
		inner = make(parser, PW_EXPR_ALL, NULL, NULL);
	} else if (take(parser, "has(")) {
		inner = parse_has(parser);
	} else {
		inner = parse_comparison(parser);
	}
	parser->depth--;
	return inner;
}

/* A chain of one operator hangs to the left and is walked without recursion: it may be long. */
static const struct pw_expr *parse_chain(struct parser *parser, const char *word, enum pw_expr_op op, const struct pw_expr *(*part)(struct parser *))
{
	const struct pw_expr *left = part(parser), *right;

	while (left && take(parser, word)) {
		right = part(parser);
		left = right ? make(parser, op, left, right) : NULL;
	}
	return left;
}

static const struct pw_expr *parse_and(struct parser *parser)
{
	return parse_chain(parser, "&&", PW_EXPR_AND, parse_unary);
}

static const struct pw_expr *parse_or(struct parser *parser)
{
	return parse_chain(parser, "||", PW_EXPR_OR, parse_and);
}

const struct pw_expr *pw_expr_parse(const char *text, struct pw_arena *arena)
{
	struct parser parser = { text, arena, 0 };
	const struct pw_expr *expr;

	skip(&parser);
	expr = *parser.at ? parse_or(&parser) : make(&parser, PW_EXPR_ALL, NULL, NULL);
	skip(&parser);
	return *parser.at ? NULL : expr;
}

static bool holds(const struct pw_strings *values, const char *value)
{
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->v[i], value) == 0)
			return true;
	return false;
}

static bool compare(const struct pw_expr *expr, const char *value)
{
	size_t len, part;

	switch (expr->op) {
	case PW_EXPR_HAS: return value != NULL;
	case PW_EXPR_EQUAL: case PW_EXPR_IN: return value && holds(&expr->values, value);
	case PW_EXPR_NOT_EQUAL: case PW_EXPR_NOT_IN: return !value || !holds(&expr->values, value);
	case PW_EXPR_CONTAINS: return value && strstr(value, expr->values.v[0]);
	case PW_EXPR_STARTS: return value && strncmp(value, expr->values.v[0], strlen(expr->values.v[0])) == 0;
	case PW_EXPR_ENDS:
		len = value ? strlen(value) : 0;
		part = strlen(expr->values.v[0]);
		return value && len >= part && strcmp(value + len - part, expr->values.v[0]) == 0;
	default: return false;
	}
}

bool pw_expr_match(const struct pw_expr *expr, const struct pw_labels *labels)
{
	for (;;) /* along the chain to the left */
		switch (expr->op) {
		case PW_EXPR_ALL: return true;
		case PW_EXPR_NOT: return !pw_expr_match(expr->left, labels);
		case PW_EXPR_AND:
			if (!pw_expr_match(expr->right, labels))
				return false;
			expr = expr->left;
			break;
		case PW_EXPR_OR:
			if (pw_expr_match(expr->right, labels))
				return true;
			expr = expr->left;
			break;
		default: return compare(expr, pw_labels_get(labels, expr->key));
		}
}

void pw_expr_keys(const struct pw_expr *expr, void (*fn)(void *arg, const char *key), void *arg)
{
	for (; expr; expr = expr->left) {
		if (expr->right)
			pw_expr_keys(expr->right, fn, arg);
		if (expr->key[0])
			fn(arg, expr->key);
	}
}
