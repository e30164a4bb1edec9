/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is a text a value of this type, within this range? */
#include <base/type.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>

enum {
	HOST_MAX = 253,      /* RFC 1035 2.3.4, as text without the trailing dot */
	LABEL_MAX = 63,
	TEXT_SHOWN = 80,     /* of a wrong value, in messages */
};

/* ---- ranges ---- */

/* Splits "lo..hi"; either side may be empty. */
static bool split_range(const char *range, char lo[32], char hi[32])
{
	const char *dots = strstr(range, "..");
	if (!dots || (size_t)(dots - range) >= 32 || strlen(dots + 2) >= 32)
		return false;
	memcpy(lo, range, (size_t)(dots - range));
	lo[dots - range] = '\0';
	memcpy(hi, dots + 2, strlen(dots + 2) + 1);
	return true;
}

static bool read_int(const char *text, long long *ret)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (!*text || *end || errno || (*text != '-' && (*text < '0' || *text > '9')))
		return false;
	*ret = value;
	return true;
}

static bool read_real(const char *text, double *ret)
{
	char *end;
	errno = 0;
	double value = strtod(text, &end);
	if (!*text || *end || errno || (*text != '-' && *text != '.' && (*text < '0' || *text > '9')))
		return false; /* no leading space, no "inf", no "nan" */
	*ret = value;
	return true;
}

static bool read_duration(const char *text, double *ret)
{
	unsigned ms;
	if (!pw_parse_duration(text, &ms))
		return false;
	*ret = ms;
	return true;
}

static bool in_range(double value, const char *range, bool (*read)(const char *, double *))
{
	char lo[32], hi[32];
	double bound;
	if (!range || !split_range(range, lo, hi))
		return true;
	if (*lo && read(lo, &bound) && value < bound)
		return false;
	return !(*hi && read(hi, &bound) && value > bound);
}

static bool is_choice(const char *text, const char *range)
{
	size_t len = strlen(text);
	for (const char *p = range; p && *p; ) {
		size_t n = strcspn(p, "|");
		if (n == len && !strncmp(p, text, n))
			return true;
		p += n + (p[n] == '|');
	}
	return false;
}

/* ---- types ---- */

static bool is_address(const char *text)
{
	unsigned char raw[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

static bool is_cidr(const char *text)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	unsigned long long bits;
	if (!slash || (size_t)(slash - text) >= sizeof address)
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	return is_address(address) && pw_parse_uint(slash + 1, strchr(address, ':') ? 128 : 32, &bits);
}

static bool is_label_char(char c, bool upper)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (upper && ((c >= 'A' && c <= 'Z') || c == '_'));
}

/* Labels joined by dots, `len` bytes. DNS itself allows more; nothing Kubernetes serves needs it. */
static bool is_dotted(const char *text, size_t len, bool upper)
{
	size_t label = 0;
	if (len == 0 || len > HOST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!is_label_char(text[i], upper) || ++label > LABEL_MAX) {
			return false;
		}
	}
	return label > 0;
}

static bool is_host(const char *text)
{
	size_t len = strlen(text);
	if (len > 1 && text[len - 1] == '.')
		len--;
	return is_dotted(text, len, true) || is_address(text);
}

static bool is_url(const char *text)
{
	const char *sep = strstr(text, "://");
	if (!sep || sep == text || !sep[3] || sep[3] == '/')
		return false;
	for (const char *p = text; p < sep; p++)
		if (!is_label_char(*p, false))
			return false;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p == 0x7f)
			return false;
	return true;
}

/* "name" or "namespace/name" */
static bool is_object(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	if (slash && (memchr(text, '.', (size_t)(slash - text)) || !is_dotted(text, (size_t)(slash - text), false)))
		return false;
	return is_dotted(name, strlen(name), false);
}

static int refuse(struct pw_err *err, const char *text, const char *wanted, const char *range)
{
	if (range)
		return pw_err_set(err, PW_USAGE, "\"%.*s\" is not %s (%s)", TEXT_SHOWN, text, wanted, range);
	return pw_err_set(err, PW_USAGE, "\"%.*s\" is not %s", TEXT_SHOWN, text, wanted);
}

int pw_type_check(enum pw_type type, const char *range, const char *text, struct pw_err *err)
{
	long long whole;
	double real;
	switch (type) {
	case PW_TYPE_STR: case PW_TYPE_LIST: case PW_TYPE_MAP:
		return PW_OK;
	case PW_TYPE_INT:
		return read_int(text, &whole) && in_range((double)whole, range, read_real) ? PW_OK
			: refuse(err, text, "a whole number", range);
	case PW_TYPE_REAL:
		return read_real(text, &real) && in_range(real, range, read_real) ? PW_OK : refuse(err, text, "a number", range);
	case PW_TYPE_BOOL:
		return !strcmp(text, "true") || !strcmp(text, "false") ? PW_OK : refuse(err, text, "true or false", NULL);
	case PW_TYPE_PORT:
		if (!range)
			range = "1..65535";
		return read_int(text, &whole) && in_range((double)whole, range, read_real) && whole >= 0 && whole <= 65535 ? PW_OK
			: refuse(err, text, "a port", range);
	case PW_TYPE_DURATION:
		return read_duration(text, &real) && in_range(real, range, read_duration) ? PW_OK
			: refuse(err, text, "a duration such as 500ms, 2s or 1m30s", range);
	case PW_TYPE_CHOICE:
		return is_choice(text, range) ? PW_OK : refuse(err, text, "one of the choices", range);
	case PW_TYPE_ADDRESS: return is_address(text) ? PW_OK : refuse(err, text, "an IPv4 or IPv6 address", NULL);
	case PW_TYPE_CIDR: return is_cidr(text) ? PW_OK : refuse(err, text, "an address range such as 10.0.0.0/8", NULL);
	case PW_TYPE_HOST: return is_host(text) ? PW_OK : refuse(err, text, "a host name or address", NULL);
	case PW_TYPE_URL: return is_url(text) ? PW_OK : refuse(err, text, "a URL such as http://host:port/path", NULL);
	case PW_TYPE_NAMESPACE:
		return is_dotted(text, strlen(text), false) && !strchr(text, '.') ? PW_OK : refuse(err, text, "the name of a namespace", NULL);
	case PW_TYPE_POD: return is_object(text) ? PW_OK : refuse(err, text, "the name of a pod (namespace/name)", NULL);
	case PW_TYPE_SERVICE: return is_object(text) ? PW_OK : refuse(err, text, "the name of a Service (namespace/name)", NULL);
	case PW_TYPE_NODE: return is_dotted(text, strlen(text), false) ? PW_OK : refuse(err, text, "the name of a node", NULL);
	}
	return pw_err_set(err, PW_INTERNAL, "the type %d does not exist", (int)type);
}
