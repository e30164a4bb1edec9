/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NetworkPolicy as pkg/apis/networking/validation of the API server judges it. */
#include <cluster/valid.h>

#include <string.h>

#include <cluster/model.h>

/* An IntOrString that is a number, in YAML or JSON. */
static bool is_number(const struct pw_val *val, long long *ret)
{
	return !pw_val_quoted(val) && pw_val_to_int(val, ret);
}

static int valid_end_port(struct pw_valid *valid, const struct pw_val *port)
{
	const struct pw_val *end = pw_map_get(port, "endPort"), *start = pw_map_get(port, "port");
	long long first, last;

	if (pw_val_absent(end))
		return PW_OK;
	(void)pw_valid_push(valid, ".endPort");
	if (pw_val_absent(start))
		return pw_valid_refuse(valid, end, "may not be given when port is not");
	if (!is_number(start, &first))
		return pw_valid_refuse(valid, end, "may not be given when port is a name (\"%.40s\")",
				       pw_val_text(start) ? pw_val_text(start) : "");
	if (!is_number(end, &last) || last < 1 || last > UINT16_MAX)
		return pw_valid_refuse(valid, end, "must be a number from 1 to 65535");
	if (last < first)
		return pw_valid_refuse(valid, end, "must not be less than port (%lld is less than %lld)", last, first);
	return PW_OK;
}

static int valid_port(struct pw_valid *valid, const struct pw_val *port)
{
	const struct pw_val *start = pw_map_get(port, "port");
	const char *name = pw_val_text(start);
	long long number;
	size_t at;
	int rc;

	if ((rc = pw_valid_kind(valid, port, PW_VAL_MAP)) != PW_OK)
		return rc;
	at = pw_valid_push(valid, ".protocol");
	rc = pw_valid_protocol(valid, pw_map_get(port, "protocol"));
	pw_valid_pop(valid, at);
	if (rc != PW_OK)
		return rc;
	at = pw_valid_push(valid, ".port");
	if (pw_val_absent(start))
		rc = PW_OK;
	else if (is_number(start, &number))
		rc = number >= 1 && number <= UINT16_MAX ? PW_OK :
		     pw_valid_refuse(valid, start, "%lld is not a port number (1 to 65535)", number);
	else if (!name || !pw_is_port_name(name))
		rc = pw_valid_refuse(valid, start, "\"%.40s\" is neither a port number nor a port name (at most 15 lower case letters, "
				     "digits and '-', with a letter)", name ? name : "");
	pw_valid_pop(valid, at);
	return rc == PW_OK ? valid_end_port(valid, port) : rc;
}

static int valid_except(struct pw_valid *valid, const struct pw_val *except, const struct pw_cidr *block)
{
	struct pw_cidr hole;
	int rc = pw_valid_cidr(valid, except);

	if (rc != PW_OK)
		return rc;
	if (!pw_cidr_parse(pw_val_text(except), &hole) || !pw_cidr_strictly_holds(block, &hole))
		return pw_valid_refuse(valid, except, "\"%.60s\" must be a strict subset of cidr", pw_val_text(except));
	return PW_OK;
}

static int valid_block(struct pw_valid *valid, const struct pw_val *block)
{
	const struct pw_val *cidr = pw_map_get(block, "cidr"), *except = pw_map_get(block, "except");
	struct pw_cidr parsed;
	size_t at;
	int rc;

	if ((rc = pw_valid_kind(valid, block, PW_VAL_MAP)) != PW_OK)
		return rc;
	at = pw_valid_push(valid, ".cidr");
	rc = pw_valid_cidr(valid, cidr);
	pw_valid_pop(valid, at);
	if (rc != PW_OK || !pw_cidr_parse(pw_val_text(cidr), &parsed))
		return rc;
	at = pw_valid_push(valid, ".except");
	rc = pw_valid_kind(valid, except, PW_VAL_SEQ);
	for (size_t i = 0; rc == PW_OK && pw_val_is(except, PW_VAL_SEQ) && i < pw_val_count(except); i++) {
		size_t item = pw_valid_push(valid, "[%zu]", i);

		rc = valid_except(valid, pw_val_at(except, i), &parsed);
		pw_valid_pop(valid, item);
	}
	pw_valid_pop(valid, at);
	return rc;
}

static int valid_peer_selector(struct pw_valid *valid, const struct pw_val *peer, const char *key)
{
	size_t at = pw_valid_push(valid, ".%s", key);
	int rc = pw_valid_selector(valid, pw_map_get(peer, key));

	pw_valid_pop(valid, at);
	return rc;
}

static int valid_peer(struct pw_valid *valid, const struct pw_val *peer)
{
	bool pods = !pw_val_absent(pw_map_get(peer, "podSelector"));
	bool namespaces = !pw_val_absent(pw_map_get(peer, "namespaceSelector"));
	const struct pw_val *block = pw_map_get(peer, "ipBlock");
	int rc;

	if ((rc = pw_valid_kind(valid, peer, PW_VAL_MAP)) != PW_OK)
		return rc;
	if (!pods && !namespaces && pw_val_absent(block))
		return pw_valid_refuse(valid, peer, "must give a peer: podSelector, namespaceSelector or ipBlock");
	if ((pods || namespaces) && !pw_val_absent(block))
		return pw_valid_refuse(valid, peer, "may not give both ipBlock and a selector");
	if ((rc = valid_peer_selector(valid, peer, "podSelector")) != PW_OK ||
	    (rc = valid_peer_selector(valid, peer, "namespaceSelector")) != PW_OK || pw_val_absent(block))
		return rc;
	(void)pw_valid_push(valid, ".ipBlock");
	return valid_block(valid, block);
}

static int valid_ingress(struct pw_valid *valid, const struct pw_val *rule)
{
	int rc = pw_valid_kind(valid, rule, PW_VAL_MAP);

	if (rc == PW_OK)
		rc = pw_valid_each(valid, rule, "ports", valid_port);
	return rc == PW_OK ? pw_valid_each(valid, rule, "from", valid_peer) : rc;
}

static int valid_egress(struct pw_valid *valid, const struct pw_val *rule)
{
	int rc = pw_valid_kind(valid, rule, PW_VAL_MAP);

	if (rc == PW_OK)
		rc = pw_valid_each(valid, rule, "ports", valid_port);
	return rc == PW_OK ? pw_valid_each(valid, rule, "to", valid_peer) : rc;
}

static int valid_type(struct pw_valid *valid, const struct pw_val *type)
{
	const char *text = pw_val_text(type);

	if (text && (strcmp(text, "Ingress") == 0 || strcmp(text, "Egress") == 0))
		return PW_OK;
	return pw_valid_refuse(valid, type, "\"%.40s\" is not one of Ingress, Egress", text ? text : "");
}

int pw_valid_policy(const struct pw_val *object, struct pw_err *err)
{
	struct pw_valid valid = { object, "NetworkPolicy", err, "", 0 };
	const struct pw_val *spec = pw_map_get(object, "spec"), *types = pw_map_get(spec, "policyTypes");
	size_t at;
	int rc;

	if ((rc = pw_valid_meta(&valid)) != PW_OK)
		return rc;
	(void)pw_valid_push(&valid, "spec");
	if ((rc = pw_valid_kind(&valid, spec, PW_VAL_MAP)) != PW_OK)
		return rc;
	at = pw_valid_push(&valid, ".podSelector");
	rc = pw_valid_selector(&valid, pw_map_get(spec, "podSelector"));
	pw_valid_pop(&valid, at);
	if (rc == PW_OK)
		rc = pw_valid_each(&valid, spec, "policyTypes", valid_type);
	if (rc == PW_OK && pw_val_count(types) > 2) {
		at = pw_valid_push(&valid, ".policyTypes");
		rc = pw_valid_refuse(&valid, types, "may not list more than two types");
	}
	if (rc == PW_OK)
		rc = pw_valid_each(&valid, spec, "ingress", valid_ingress);
	return rc == PW_OK ? pw_valid_each(&valid, spec, "egress", valid_egress) : rc;
}
