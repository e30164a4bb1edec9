/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Policies of policy.networking.k8s.io as the schemas of their CRDs judge them. */
#include <cluster/valid.h>

#include <string.h>

#include <cluster/model.h>

#define MAX_PRIORITY 1000 /* of the CRDs' schemas */

/* Exactly one of the fields must be there. */
static int exactly_one(struct pw_valid *valid, const struct pw_val *val, const char *const *fields, const char *names)
{
	unsigned n = 0;

	if (!pw_val_absent(val) && !pw_val_is(val, PW_VAL_MAP))
		return pw_valid_refuse(valid, val, "must be a map");
	for (; *fields; fields++)
		n += !pw_val_absent(pw_map_get(val, *fields));
	return n == 1 ? PW_OK : pw_valid_refuse(valid, val, "exactly one of %s must be given", names);
}

static int valid_field(struct pw_valid *valid, const struct pw_val *map, const char *key, int (*fn)(struct pw_valid *, const struct pw_val *))
{
	size_t at = pw_valid_push(valid, ".%s", key);
	int rc = fn(valid, pw_map_get(map, key));

	pw_valid_pop(valid, at);
	return rc;
}

/* {namespaceSelector, podSelector} */
static int valid_pods(struct pw_valid *valid, const struct pw_val *pods)
{
	int rc = pw_valid_kind(valid, pods, PW_VAL_MAP);

	if (rc == PW_OK)
		rc = valid_field(valid, pods, "namespaceSelector", pw_valid_selector);
	return rc == PW_OK ? valid_field(valid, pods, "podSelector", pw_valid_selector) : rc;
}

static int valid_subject(struct pw_valid *valid, const struct pw_val *subject)
{
	static const char *const fields[] = { "namespaces", "pods", NULL };
	int rc = exactly_one(valid, subject, fields, "namespaces, pods");

	if (rc == PW_OK)
		rc = valid_field(valid, subject, "namespaces", pw_valid_selector);
	return rc == PW_OK ? valid_field(valid, subject, "pods", valid_pods) : rc;
}

static int valid_number(struct pw_valid *valid, const struct pw_val *port)
{
	long long number;

	if (!pw_val_to_int(port, &number) || number < 1 || number > UINT16_MAX)
		return pw_valid_refuse(valid, port, "must be a port number (1 to 65535)");
	return PW_OK;
}

static int valid_range(struct pw_valid *valid, const struct pw_val *range)
{
	long long start = 0, end = 0;
	int rc;

	if (pw_val_absent(range))
		return PW_OK;
	if ((rc = valid_field(valid, range, "start", valid_number)) != PW_OK || (rc = valid_field(valid, range, "end", valid_number)) != PW_OK)
		return rc;
	(void)pw_val_to_int(pw_map_get(range, "start"), &start);
	(void)pw_val_to_int(pw_map_get(range, "end"), &end);
	return end >= start ? PW_OK : pw_valid_refuse(valid, range, "end (%lld) must not be less than start (%lld)", end, start);
}

static int valid_with_protocol(struct pw_valid *valid, const struct pw_val *port)
{
	return pw_val_absent(port) ? PW_OK : valid_field(valid, port, "protocol", pw_valid_protocol);
}

static int valid_port_number(struct pw_valid *valid, const struct pw_val *port)
{
	if (pw_val_absent(port))
		return PW_OK;
	return valid_field(valid, port, "port", valid_number);
}

static int valid_port(struct pw_valid *valid, const struct pw_val *port)
{
	static const char *const fields[] = { "portNumber", "portRange", "namedPort", NULL };
	int rc = exactly_one(valid, port, fields, "portNumber, portRange, namedPort");

	if (rc != PW_OK || (rc = valid_field(valid, port, "portNumber", valid_port_number)) != PW_OK ||
	    (rc = valid_field(valid, port, "portNumber", valid_with_protocol)) != PW_OK ||
	    (rc = valid_field(valid, port, "portRange", valid_with_protocol)) != PW_OK)
		return rc;
	return valid_field(valid, port, "portRange", valid_range);
}

static int valid_destination(struct pw_valid *valid, const struct pw_val *port)
{
	static const char *const fields[] = { "number", "range", NULL };
	int rc;

	if (pw_val_absent(port))
		return PW_OK;
	if ((rc = exactly_one(valid, port, fields, "number, range")) != PW_OK)
		return rc;
	if (!pw_val_absent(pw_map_get(port, "number")))
		return valid_field(valid, port, "number", valid_number);
	return valid_field(valid, port, "range", valid_range);
}

static int valid_protocol(struct pw_valid *valid, const struct pw_val *protocol)
{
	static const char *const fields[] = { "tcp", "udp", "sctp", "destinationNamedPort", NULL };
	int rc = exactly_one(valid, protocol, fields, "tcp, udp, sctp, destinationNamedPort");

	for (size_t i = 0; rc == PW_OK && i < 3; i++) {
		size_t at = pw_valid_push(valid, ".%s", fields[i]);

		rc = valid_field(valid, pw_map_get(protocol, fields[i]), "destinationPort", valid_destination);
		pw_valid_pop(valid, at);
	}
	return rc;
}

static int valid_peer(struct pw_valid *valid, const struct pw_val *peer, const char *const *fields, const char *names)
{
	int rc = exactly_one(valid, peer, fields, names);

	if (rc != PW_OK || (rc = valid_field(valid, peer, "namespaces", pw_valid_selector)) != PW_OK ||
	    (rc = valid_field(valid, peer, "pods", valid_pods)) != PW_OK || (rc = valid_field(valid, peer, "nodes", pw_valid_selector)) != PW_OK)
		return rc;
	return pw_valid_each(valid, peer, "networks", pw_valid_cidr);
}

static int valid_from(struct pw_valid *valid, const struct pw_val *peer)
{
	static const char *const fields[] = { "namespaces", "pods", NULL };

	return valid_peer(valid, peer, fields, "namespaces, pods");
}

static int valid_to(struct pw_valid *valid, const struct pw_val *peer)
{
	static const char *const fields[] = { "namespaces", "pods", "nodes", "networks", "domainNames", NULL };

	return valid_peer(valid, peer, fields, "namespaces, pods, nodes, networks, domainNames");
}

/* ---- rules: what the kinds differ in ---- */

static bool one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

static int valid_action(struct pw_valid *valid, const struct pw_val *rule)
{
	static const char *const admin[] = { "Allow", "Deny", "Pass", NULL }, *const baseline[] = { "Allow", "Deny", NULL };
	static const char *const cluster[] = { "Accept", "Deny", "Pass", NULL };
	const char *word = pw_map_str(rule, "action", "");
	bool is_cluster = strcmp(valid->kind, "ClusterNetworkPolicy") == 0, is_baseline = strcmp(valid->kind, "BaselineAdminNetworkPolicy") == 0;

	if (one_of(word, is_cluster ? cluster : is_baseline ? baseline : admin))
		return PW_OK;
	(void)pw_valid_push(valid, ".action");
	return pw_valid_refuse(valid, pw_map_get(rule, "action"), "\"%.40s\" is not one of %s", word,
			       is_cluster ? "Accept, Deny, Pass" : is_baseline ? "Allow, Deny" : "Allow, Deny, Pass");
}

static int valid_rule(struct pw_valid *valid, const struct pw_val *rule, const char *peers, int (*peer)(struct pw_valid *, const struct pw_val *))
{
	int rc;

	if (!pw_val_is(rule, PW_VAL_MAP))
		return pw_valid_refuse(valid, rule, "must be a map");
	if ((rc = valid_action(valid, rule)) != PW_OK)
		return rc;
	if (pw_val_count(pw_map_get(rule, peers)) == 0) {
		(void)pw_valid_push(valid, ".%s", peers);
		return pw_valid_refuse(valid, rule, "must be given and hold at least one peer");
	}
	if ((rc = pw_valid_each(valid, rule, peers, peer)) != PW_OK || (rc = pw_valid_each(valid, rule, "ports", valid_port)) != PW_OK)
		return rc;
	return pw_valid_each(valid, rule, "protocols", valid_protocol);
}

static int valid_ingress(struct pw_valid *valid, const struct pw_val *rule)
{
	return valid_rule(valid, rule, "from", valid_from);
}

static int valid_egress(struct pw_valid *valid, const struct pw_val *rule)
{
	return valid_rule(valid, rule, "to", valid_to);
}

static int valid_priority(struct pw_valid *valid, const struct pw_val *priority)
{
	long long number;

	if (pw_val_to_int(priority, &number) && number >= 0 && number <= MAX_PRIORITY)
		return PW_OK;
	return pw_valid_refuse(valid, priority, "must be a number from 0 to %d", MAX_PRIORITY);
}

static int valid_tier(struct pw_valid *valid, const struct pw_val *tier)
{
	const char *word = pw_val_text(tier);

	if (word && (strcmp(word, "Admin") == 0 || strcmp(word, "Baseline") == 0))
		return PW_OK;
	return pw_valid_refuse(valid, tier, "\"%.40s\" is not one of Admin, Baseline", word ? word : "");
}

static int valid_spec(struct pw_valid *valid, bool priority, bool tier)
{
	const struct pw_val *spec = pw_map_get(valid->object, "spec");
	int rc = pw_valid_meta(valid);

	if (rc != PW_OK)
		return rc;
	(void)pw_valid_push(valid, "spec");
	if (!pw_val_is(spec, PW_VAL_MAP))
		return pw_valid_refuse(valid, spec, "must be given");
	if ((tier && (rc = valid_field(valid, spec, "tier", valid_tier)) != PW_OK) ||
	    (priority && (rc = valid_field(valid, spec, "priority", valid_priority)) != PW_OK) ||
	    (rc = valid_field(valid, spec, "subject", valid_subject)) != PW_OK ||
	    (rc = pw_valid_each(valid, spec, "ingress", valid_ingress)) != PW_OK)
		return rc;
	return pw_valid_each(valid, spec, "egress", valid_egress);
}

int pw_valid_admin_policy(const struct pw_val *object, struct pw_err *err)
{
	struct pw_valid valid = { object, "AdminNetworkPolicy", err, "", 0 };

	return valid_spec(&valid, true, false);
}

int pw_valid_baseline_policy(const struct pw_val *object, struct pw_err *err)
{
	struct pw_valid valid = { object, "BaselineAdminNetworkPolicy", err, "", 0 };
	const struct pw_val *name = pw_map_get(pw_map_get(object, "metadata"), "name");
	size_t at;

	if (pw_val_text(name) && strcmp(pw_val_text(name), "default") != 0) {
		at = pw_valid_push(&valid, "metadata.name");
		(void)pw_valid_refuse(&valid, name, "must be \"default\": there is only one in a cluster");
		pw_valid_pop(&valid, at);
		return PW_SYNTAX;
	}
	return valid_spec(&valid, false, false);
}

int pw_valid_cluster_policy(const struct pw_val *object, struct pw_err *err)
{
	struct pw_valid valid = { object, "ClusterNetworkPolicy", err, "", 0 };

	return valid_spec(&valid, true, true);
}
