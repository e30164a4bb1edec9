/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of input types, and the scalar ones: how text becomes a value, and what fields it has. */
#include <cluster/types.h>

#include <string.h>

#include <base/text.h>

static int finish(struct pw_arena *arena, struct pw_val *map, struct pw_val **ret, struct pw_err *err)
{
	if (!map || pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "out of memory while reading an input");
	*ret = map;
	return PW_OK;
}

static int plain(struct pw_arena *arena, const char *text, struct pw_val **ret, struct pw_err *err)
{
	struct pw_val *map = pw_val_map(arena);

	pw_map_set_str(map, "", text);
	return finish(arena, map, ret, err);
}

#define RESOLVER(name) \
	static int name(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena, \
			struct pw_val **ret, struct pw_err *err)

RESOLVER(resolve_str)
{
	(void)facts, (void)default_ns;
	return plain(arena, text, ret, err);
}

RESOLVER(resolve_int)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	unsigned long long number;

	(void)facts, (void)default_ns;
	if (!pw_parse_uint(digits, INT64_MAX, &number))
		return pw_err_set(err, PW_USAGE, "\"%s\" is not a whole number", text);
	return plain(arena, text, ret, err);
}

RESOLVER(resolve_real)
{
	double number;

	(void)facts, (void)default_ns;
	if (!pw_val_to_real(pw_val_str(arena, text), &number))
		return pw_err_set(err, PW_USAGE, "\"%s\" is not a number", text);
	return plain(arena, text, ret, err);
}

RESOLVER(resolve_bool)
{
	static const char *const truths[] = { "true", "yes", "y" }, *const lies[] = { "false", "no", "n" };

	(void)facts, (void)default_ns;
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++) {
		if (strcmp(text, truths[i]) == 0)
			return plain(arena, "true", ret, err);
		if (strcmp(text, lies[i]) == 0)
			return plain(arena, "false", ret, err);
	}
	return pw_err_set(err, PW_USAGE, "\"%s\" is neither true nor false", text);
}

RESOLVER(resolve_port)
{
	unsigned long long number;

	(void)facts, (void)default_ns;
	if (!pw_parse_uint(text, UINT16_MAX, &number) || number == 0)
		return pw_err_set(err, PW_USAGE, "\"%s\" is not a port (1 to 65535)", text);
	return plain(arena, pw_arena_printf(arena, "%llu", number), ret, err);
}

RESOLVER(resolve_address)
{
	struct pw_address address;

	(void)facts, (void)default_ns;
	if (!pw_address_parse(text, &address))
		return pw_err_set(err, PW_USAGE, "\"%s\" is not an IP address", text);
	return plain(arena, text, ret, err);
}

RESOLVER(resolve_cidr)
{
	struct pw_cidr cidr;

	(void)facts, (void)default_ns;
	if (!pw_cidr_parse(text, &cidr))
		return pw_err_set(err, PW_USAGE, "\"%s\" is not an address block (such as 10.9.8.0/24)", text);
	return plain(arena, text, ret, err);
}

/* RFC 1035 names, with the underscores that SRV names have; or an address. */
static bool is_host(const char *text, size_t len)
{
	size_t label = 0;

	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
		if (++label > 63)
			return false;
	}
	return true;
}

RESOLVER(resolve_host)
{
	struct pw_address address;

	(void)facts, (void)default_ns;
	if (!pw_address_parse(text, &address) && !is_host(text, strlen(text)))
		return pw_err_set(err, PW_USAGE, "\"%s\" is neither a host name nor an IP address", text);
	return plain(arena, text, ret, err);
}

RESOLVER(resolve_duration)
{
	struct pw_val *map = pw_val_map(arena);
	unsigned ms;

	(void)facts, (void)default_ns;
	if (!pw_parse_duration(text, &ms))
		return pw_err_set(err, PW_USAGE, "\"%s\" is not a duration (such as 500ms, 2s, 1m30s)", text);
	pw_map_set_str(map, "", text);
	pw_map_set_int(map, "ms", ms);
	return finish(arena, map, ret, err);
}

/* SCHEME://HOST[:PORT][/PATH]; the rest is curl's to judge. */
RESOLVER(resolve_url)
{
	const char *colon = strstr(text, "://"), *host = colon ? colon + 3 : NULL, *at, *port = NULL;
	struct pw_val *map = pw_val_map(arena);
	unsigned long long number = 0;
	size_t len, host_len;
	bool secure = strncmp(text, "https://", 8) == 0;

	(void)facts, (void)default_ns;
	if (!secure && strncmp(text, "http://", 7) != 0)
		return pw_err_set(err, PW_USAGE, "\"%s\" is not a URL that begins with http:// or https://", text);
	len = strcspn(host, "/?#");
	at = memchr(host, '@', len);
	if (at)
		return pw_err_set(err, PW_USAGE, "a URL here must not carry a user name or password");
	host_len = len;
	if (host[0] == '[' && memchr(host, ']', len))
		host_len = (size_t)((const char *)memchr(host, ']', len) - host) + 1;
	else if (memchr(host, ':', len))
		host_len = (size_t)((const char *)memchr(host, ':', len) - host);
	if (host_len < len)
		port = pw_arena_strndup(arena, host + host_len + 1, len - host_len - 1);
	if (host_len == 0 || (port && (!pw_parse_uint(port, UINT16_MAX, &number) || number == 0)) ||
	    (host[0] != '[' && !is_host(host, host_len)))
		return pw_err_set(err, PW_USAGE, "\"%s\" is not a URL: host or port is wrong", text);
	pw_map_set_str(map, "", text);
	pw_map_set_str(map, "scheme", secure ? "https" : "http");
	pw_map_set(map, "host", host[0] == '[' ? pw_val_strn(arena, host + 1, host_len - 2) : pw_val_strn(arena, host, host_len));
	pw_map_set_int(map, "port", port ? (long long)number : secure ? 443 : 80);
	pw_map_set_str(map, "path", host[len] ? host + len : "/");
	return finish(arena, map, ret, err);
}

static int no_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret)
{
	struct pw_val *seq = pw_val_seq(arena);

	(void)facts, (void)default_ns;
	if (!seq)
		return PW_NOMEM;
	*ret = seq;
	return PW_OK;
}

static int bool_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret)
{
	struct pw_val *seq = pw_val_seq(arena);

	(void)facts, (void)default_ns;
	pw_seq_add_str(seq, "true");
	pw_seq_add_str(seq, "false");
	if (!seq || pw_arena_failed(arena))
		return PW_NOMEM;
	*ret = seq;
	return PW_OK;
}

static const char *const no_fields[] = { NULL };
static const char *const duration_fields[] = { "ms", NULL };
static const char *const url_fields[] = { "scheme", "host", "port", "path", NULL };

static const struct pw_input_type types[] = {
	{ PW_TYPE_STR, 0, no_fields, resolve_str, no_candidates },
	{ PW_TYPE_INT, 0, no_fields, resolve_int, no_candidates },
	{ PW_TYPE_REAL, 0, no_fields, resolve_real, no_candidates },
	{ PW_TYPE_BOOL, 0, no_fields, resolve_bool, bool_candidates },
	{ PW_TYPE_PORT, 0, no_fields, resolve_port, no_candidates },
	{ PW_TYPE_ADDRESS, 0, no_fields, resolve_address, no_candidates },
	{ PW_TYPE_CIDR, 0, no_fields, resolve_cidr, no_candidates },
	{ PW_TYPE_HOST, 0, no_fields, resolve_host, no_candidates },
	{ PW_TYPE_URL, 0, url_fields, resolve_url, no_candidates },
	{ PW_TYPE_DURATION, 0, duration_fields, resolve_duration, no_candidates },
	{ PW_TYPE_CHOICE, 0, no_fields, resolve_str, no_candidates },
	{ PW_TYPE_LIST, 0, no_fields, resolve_str, no_candidates },
	{ PW_TYPE_MAP, 0, no_fields, resolve_str, no_candidates },
	{ PW_TYPE_NAMESPACE, PW_FACT_NAMESPACES, pw_namespace_fields, pw_namespace_resolve, pw_namespace_candidates },
	{ PW_TYPE_POD, PW_FACT_PODS | PW_FACT_NODES, pw_pod_fields, pw_pod_resolve, pw_pod_candidates },
	{ PW_TYPE_SERVICE, PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_NODES, pw_service_fields, pw_service_resolve,
	  pw_service_candidates },
	{ PW_TYPE_NODE, PW_FACT_NODES, pw_node_fields, pw_node_resolve, pw_node_candidates },
};

const struct pw_input_type *pw_input_type(enum pw_type type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return &types[i];
	return &types[0];
}
