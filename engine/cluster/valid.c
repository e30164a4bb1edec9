/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Validation shared by all kinds: metadata, labels, selectors, names. */
#include <cluster/valid.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cluster/model.h>

size_t pw_valid_push(struct pw_valid *valid, const char *fmt, ...)
{
	size_t before = valid->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(valid->path + valid->len, sizeof(valid->path) - valid->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		valid->len += (size_t)n;
	if (valid->len >= sizeof(valid->path))
		valid->len = sizeof(valid->path) - 1;
	return before;
}

void pw_valid_pop(struct pw_valid *valid, size_t len)
{
	valid->len = len;
	valid->path[len] = '\0';
}

int pw_valid_refuse(struct pw_valid *valid, const struct pw_val *at, const char *fmt, ...)
{
	const struct pw_val *meta = pw_map_get(valid->object, "metadata");
	const char *ns = pw_map_str(meta, "namespace", ""), *name = pw_map_str(meta, "name", "(no name)");
	struct pw_place place = pw_val_place(at);
	char text[256];
	va_list ap;

	if (place.line == 0)
		place = pw_val_place(valid->object);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return pw_err_at(valid->err, PW_SYNTAX, place.file, place.line, place.col, "%s %s%s%s: %s: %s", valid->kind, ns,
			 ns[0] ? "/" : "", name, valid->path, text);
}

/* ---- words ---- */

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* RFC 1123 label of `len` bytes. */
static bool label_of(const char *text, size_t len)
{
	if (len == 0 || len > 63 || !is_lower_alnum(text[0]) || !is_lower_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower_alnum(text[i]) && text[i] != '-')
			return false;
	return true;
}

bool pw_is_dns_label(const char *text)
{
	return label_of(text, strlen(text));
}

/* Its parts may be longer than 63, as apimachinery's expression allows. */
static bool subdomain_of(const char *text, size_t len)
{
	if (len == 0 || len > 253 || !is_lower_alnum(text[0]) || !is_lower_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = text[i] == '.' && (!is_lower_alnum(text[i - 1]) || !is_lower_alnum(text[i + 1]));

		if (edge || (!is_lower_alnum(text[i]) && text[i] != '-' && text[i] != '.'))
			return false;
	}
	return true;
}

bool pw_is_dns_subdomain(const char *text)
{
	return subdomain_of(text, strlen(text));
}

/* Letters, digits, '-', '_', '.', beginning and ending with a letter or digit. */
static bool name_part(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 63 || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '_' && text[i] != '.')
			return false;
	return true;
}

bool pw_is_label_value(const char *text)
{
	return text[0] == '\0' || name_part(text);
}

bool pw_is_qualified_name(const char *text)
{
	const char *slash = strchr(text, '/');

	if (!slash)
		return name_part(text);
	return subdomain_of(text, (size_t)(slash - text)) && name_part(slash + 1);
}

bool pw_is_port_name(const char *text)
{
	size_t len = strlen(text);
	bool letter = false;

	if (len == 0 || len > 15 || text[0] == '-' || text[len - 1] == '-' || strstr(text, "--"))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_lower_alnum(text[i]) && text[i] != '-')
			return false;
		letter = letter || (text[i] >= 'a' && text[i] <= 'z');
	}
	return letter;
}

/* ---- parts of objects ---- */

int pw_valid_kind(struct pw_valid *valid, const struct pw_val *val, enum pw_val_kind kind)
{
	if (pw_val_absent(val) || pw_val_is(val, kind))
		return PW_OK;
	return pw_valid_refuse(valid, val, "must be %s",
			       kind == PW_VAL_MAP ? "a map" : kind == PW_VAL_SEQ ? "a list" : "a string");
}

int pw_valid_each(struct pw_valid *valid, const struct pw_val *object, const char *key,
		  int (*fn)(struct pw_valid *valid, const struct pw_val *item))
{
	const struct pw_val *seq = pw_map_get(object, key);
	size_t at = pw_valid_push(valid, "%s%s", valid->len ? "." : "", key);
	int rc = pw_valid_kind(valid, seq, PW_VAL_SEQ);

	for (size_t i = 0; rc == PW_OK && pw_val_is(seq, PW_VAL_SEQ) && i < pw_val_count(seq); i++) {
		size_t item = pw_valid_push(valid, "[%zu]", i);

		rc = fn(valid, pw_val_at(seq, i));
		pw_valid_pop(valid, item);
	}
	pw_valid_pop(valid, at);
	return rc;
}

/* A plain YAML scalar that YAML reads as a number or truth value is no string. */
static bool is_typed_scalar(const struct pw_val *val)
{
	static const char *const truths[] = { "true", "false", "True", "False", "TRUE", "FALSE", "yes", "no", "on", "off" };
	const char *text = pw_val_text(val);
	double real;

	if (!text)
		return !pw_val_absent(val);
	if (pw_val_quoted(val) || pw_val_place(val).line == 0)
		return false;
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (strcmp(text, truths[i]) == 0)
			return true;
	return pw_val_to_real(val, &real);
}

static int valid_value(struct pw_valid *valid, const struct pw_val *value)
{
	const char *text = pw_val_text(value);

	if (is_typed_scalar(value))
		return pw_valid_refuse(valid, value, "must be a string: put quotes around it");
	if (text && !pw_val_absent(value) && !pw_is_label_value(text))
		return pw_valid_refuse(valid, value, "\"%.80s\" is not a valid label value (at most 63 letters, digits, '-', '_', '.', "
				       "beginning and ending with a letter or digit)", text);
	return PW_OK;
}

static int valid_key(struct pw_valid *valid, const struct pw_val *at, const char *key)
{
	if (pw_is_qualified_name(key))
		return PW_OK;
	return pw_valid_refuse(valid, at, "\"%.80s\" is not a valid label key ([PREFIX/]NAME)", key);
}

int pw_valid_labels(struct pw_valid *valid, const struct pw_val *labels)
{
	int rc = pw_valid_kind(valid, labels, PW_VAL_MAP);

	if (!pw_val_is(labels, PW_VAL_MAP))
		return rc;
	for (size_t i = 0; i < pw_val_count(labels) && rc == PW_OK; i++) {
		const char *key = pw_map_key(labels, i);
		size_t at;

		rc = valid_key(valid, pw_val_at(labels, i), key);
		if (rc != PW_OK)
			break;
		at = pw_valid_push(valid, ".%s", key);
		rc = valid_value(valid, pw_val_at(labels, i));
		pw_valid_pop(valid, at);
	}
	return rc;
}

static int valid_expression(struct pw_valid *valid, const struct pw_val *expression)
{
	const char *op = pw_map_str(expression, "operator", ""), *key = pw_map_str(expression, "key", "");
	const struct pw_val *values = pw_map_get(expression, "values");
	bool wants = strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0;
	size_t at;
	int rc;

	at = pw_valid_push(valid, ".key");
	rc = valid_key(valid, expression, key);
	pw_valid_pop(valid, at);
	if (rc != PW_OK)
		return rc;
	if (!wants && strcmp(op, "Exists") != 0 && strcmp(op, "DoesNotExist") != 0) {
		(void)pw_valid_push(valid, ".operator");
		return pw_valid_refuse(valid, expression, "\"%.40s\" is not one of In, NotIn, Exists, DoesNotExist", op);
	}
	rc = pw_valid_each(valid, expression, "values", valid_value);
	if (rc != PW_OK || wants == (pw_val_count(values) > 0))
		return rc;
	(void)pw_valid_push(valid, ".values");
	return pw_valid_refuse(valid, expression, wants ? "must be given with operator %s" : "must not be given with operator %s", op);
}

int pw_valid_selector(struct pw_valid *valid, const struct pw_val *selector)
{
	int rc = pw_valid_kind(valid, selector, PW_VAL_MAP);
	size_t at;

	if (!pw_val_is(selector, PW_VAL_MAP))
		return rc;
	at = pw_valid_push(valid, ".matchLabels");
	rc = pw_valid_labels(valid, pw_map_get(selector, "matchLabels"));
	pw_valid_pop(valid, at);
	return rc == PW_OK ? pw_valid_each(valid, selector, "matchExpressions", valid_expression) : rc;
}

int pw_valid_cidr(struct pw_valid *valid, const struct pw_val *cidr)
{
	struct pw_cidr parsed;
	const char *text = pw_val_text(cidr);

	if (pw_val_absent(cidr))
		return pw_valid_refuse(valid, cidr, "must be given");
	if (!text || !pw_cidr_parse(text, &parsed))
		return pw_valid_refuse(valid, cidr, "\"%.80s\" is not an address block (such as 10.9.8.0/24 or 2001:db8::/64)",
				       text ? text : "");
	return PW_OK;
}

int pw_valid_protocol(struct pw_valid *valid, const struct pw_val *protocol)
{
	const char *text = pw_val_text(protocol);

	if (pw_val_absent(protocol))
		return PW_OK;
	if (text && (strcmp(text, "TCP") == 0 || strcmp(text, "UDP") == 0 || strcmp(text, "SCTP") == 0))
		return PW_OK;
	return pw_valid_refuse(valid, protocol, "\"%.40s\" is not one of TCP, UDP, SCTP", text ? text : "");
}

/* Names are left alone: what an object is called has no bearing on what it means, and policies
 * with names that a server would refuse are written, shared and tested all the same. */
int pw_valid_meta(struct pw_valid *valid)
{
	const struct pw_val *meta = pw_map_get(valid->object, "metadata");
	size_t at = pw_valid_push(valid, "metadata.name");
	int rc = PW_OK;

	if (pw_val_absent(pw_map_get(meta, "name")) && pw_val_absent(pw_map_get(meta, "generateName")))
		rc = pw_valid_refuse(valid, meta, "must be given");
	pw_valid_pop(valid, at);
	if (rc != PW_OK)
		return rc;
	at = pw_valid_push(valid, "metadata.labels");
	rc = pw_valid_labels(valid, pw_map_get(meta, "labels"));
	pw_valid_pop(valid, at);
	return rc;
}
