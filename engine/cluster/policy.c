/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NetworkPolicy as networking.k8s.io/v1 says: policies add up, a pod that none
 * selects is open, a pod that one selects takes only what some rule allows.
 * Before them come the admin tiers, where the first match decides; behind
 * them, for pods that no NetworkPolicy selects, the baseline tiers.
 * Where a label was not known the answer is "maybe", never a guess.
 */
#include <cluster/policy.h>

#include <limits.h>
#include <string.h>

#include <cluster/expr.h>

#define NAME_LABEL "kubernetes.io/metadata.name"

enum pw_truth pw_truth_and(enum pw_truth a, enum pw_truth b)
{
	if (a == PW_NO || b == PW_NO)
		return PW_NO;
	return a == PW_MAYBE || b == PW_MAYBE ? PW_MAYBE : PW_YES;
}

enum pw_truth pw_truth_or(enum pw_truth a, enum pw_truth b)
{
	if (a == PW_YES || b == PW_YES)
		return PW_YES;
	return a == PW_MAYBE || b == PW_MAYBE ? PW_MAYBE : PW_NO;
}

/* Of a namespace that was not read only the name is known, which is a label too. */
enum pw_truth pw_policy_namespace(const struct pw_facts *facts, const struct pw_selector *selector, const char *ns)
{
	const struct pw_namespace *namespace = pw_facts_namespace(facts, ns);
	struct pw_label name = { NAME_LABEL, ns };
	struct pw_labels named = { &name, 1 };
	bool whole = namespace || pw_facts_known(facts, PW_FACT_NAMESPACES) == PW_KNOWN_YES;
	enum pw_truth truth = PW_YES;

	if (!selector->present)
		return PW_NO;
	for (size_t i = 0; i < selector->n; i++) {
		const struct pw_requirement *requirement = &selector->v[i];

		if (!whole && strcmp(requirement->key, NAME_LABEL) != 0)
			truth = pw_truth_and(truth, PW_MAYBE);
		else if (!pw_requirement_match(requirement, namespace ? &namespace->meta.labels : &named))
			return PW_NO;
	}
	if (!selector->expr)
		return truth;
	if (whole)
		return pw_expr_match(selector->expr, namespace ? &namespace->meta.labels : &named) ? truth : PW_NO;
	return pw_truth_and(truth, PW_MAYBE);
}

static bool in_cidr(const char *cidr, const char *text)
{
	struct pw_cidr block;
	struct pw_address address;

	return pw_address_parse(text, &address) && pw_cidr_parse(cidr, &block) && pw_cidr_holds(&block, &address);
}

static bool in_block(const struct pw_policy_peer *peer, const char *text)
{
	if (!in_cidr(peer->cidr, text))
		return false;
	for (size_t i = 0; i < peer->except.n; i++)
		if (in_cidr(peer->except.v[i], text))
			return false;
	return true;
}

/* Calls `in` for each address of an end until it is true of one. */
static bool any_address(const struct pw_peer *end, bool (*in)(const void *arg, const char *text), const void *arg)
{
	const struct pw_pod *pod = end->pod;

	if (!pod)
		return in(arg, end->address);
	if (in(arg, pod->ip) || (pod->host_network && in(arg, pod->host_ip)))
		return true;
	for (size_t i = 0; i < pod->ips.n; i++)
		if (in(arg, pod->ips.v[i]))
			return true;
	return false;
}

static bool is_in_cidr(const void *arg, const char *text)
{
	return in_cidr(arg, text);
}

static bool is_in_block(const void *arg, const char *text)
{
	return in_block(arg, text);
}

bool pw_end_in_cidr(const char *cidr, const struct pw_peer *end)
{
	return any_address(end, is_in_cidr, cidr);
}

enum pw_truth pw_policy_peer_match(const struct pw_facts *facts, const char *policy_ns,
				   const struct pw_policy_peer *peer, const struct pw_peer *end)
{
	enum pw_truth truth;

	if (peer->cidr[0])
		return any_address(end, is_in_block, peer) ? PW_YES : PW_NO;
	/* Neither pod nor address: some pod of some namespace, which only a selector of all of them can be sure to match. */
	if (!end->pod && !end->address)
		return peer->namespaces.present && peer->namespaces.n == 0 && peer->pods.n == 0 ? PW_YES : PW_NO;
	/* A pod on the host's network has the node's address: no selector sees it. */
	if (!end->pod || end->pod->host_network || (!peer->pods.present && !peer->namespaces.present))
		return PW_NO;
	if (peer->namespaces.present)
		truth = pw_policy_namespace(facts, &peer->namespaces, end->pod->meta.ns);
	else
		truth = strcmp(policy_ns, end->pod->meta.ns) == 0 ? PW_YES : PW_NO;
	if (peer->pods.present && !pw_selector_match(&peer->pods, &end->pod->meta.labels))
		return PW_NO;
	return truth;
}

bool pw_pod_has_named_port(const struct pw_pod *pod, const char *name, const char *protocol, uint16_t number)
{
	for (size_t i = 0; pod && i < pod->n_containers; i++)
		for (size_t j = 0; j < pod->containers[i].n_ports; j++) {
			const struct pw_container_port *named = &pod->containers[i].ports[j];

			if (named->port == number && strcmp(named->name, name) == 0 && strcmp(named->protocol, protocol) == 0)
				return true;
		}
	return false;
}

bool pw_policy_port_match(const struct pw_policy_port *port, const struct pw_pod *to, const char *protocol, uint16_t number)
{
	if (strcmp(port->protocol, protocol) != 0)
		return false;
	if (port->any_port)
		return true;
	if (!port->name[0])
		return port->end_port ? number >= port->port && number <= port->end_port : number == port->port;
	return pw_pod_has_named_port(to, port->name, protocol, number);
}

bool pw_policy_rule_names(const struct pw_policy_rule *rule, const struct pw_pod *to, const struct pw_container_port *port)
{
	for (size_t i = 0; i < rule->n_ports; i++)
		if (rule->ports[i].name[0] && pw_policy_port_match(&rule->ports[i], to, port->protocol, port->port))
			return true;
	return false;
}

enum pw_truth pw_policy_peers_match(const struct pw_facts *facts, const char *policy_ns,
				    const struct pw_policy_rule *rule, const struct pw_peer *end)
{
	enum pw_truth truth = rule->n_peers ? PW_NO : PW_YES;

	for (size_t i = 0; i < rule->n_peers && truth != PW_YES; i++)
		truth = pw_truth_or(truth, pw_policy_peer_match(facts, policy_ns, &rule->peers[i], end));
	return truth;
}

static bool ports_match(const struct pw_policy_rule *rule, const struct pw_pod *to, const char *protocol, uint16_t port)
{
	if (rule->n_ports == 0)
		return true;
	for (size_t i = 0; i < rule->n_ports; i++)
		if (pw_policy_port_match(&rule->ports[i], to, protocol, port))
			return true;
	return false;
}

bool pw_policy_selects(const struct pw_policy *policy, enum pw_policy_direction direction, const struct pw_pod *pod)
{
	bool applies = direction == PW_INGRESS ? policy->ingress_applies : policy->egress_applies;

	return applies && strcmp(policy->meta.ns, pod->meta.ns) == 0 && pw_selector_match(&policy->pods, &pod->meta.labels);
}

size_t pw_policy_rules(const struct pw_policy *policy, enum pw_policy_direction direction, const struct pw_policy_rule **ret)
{
	*ret = direction == PW_INGRESS ? policy->ingress : policy->egress;
	return direction == PW_INGRESS ? policy->n_ingress : policy->n_egress;
}

struct question {
	enum pw_policy_direction direction;
	const struct pw_pod *pod;        /* whose policies are asked */
	const struct pw_peer *other;
	const struct pw_pod *to;         /* whose ports are named */
	const char *protocol;
	uint16_t port;
};

/* Asks one policy that selects the pod. True when it settles the matter. */
static bool ask_policy(const struct pw_facts *facts, const struct question *question, const struct pw_policy *policy,
		       struct pw_ruling *ruling)
{
	const struct pw_policy_rule *rules;
	size_t n = pw_policy_rules(policy, question->direction, &rules);

	for (size_t i = 0; i < n; i++) {
		enum pw_truth peers;

		if (!ports_match(&rules[i], question->to, question->protocol, question->port))
			continue;
		peers = pw_policy_peers_match(facts, policy->meta.ns, &rules[i], question->other);
		if (peers == PW_MAYBE)
			ruling->undecidable = true;
		if (peers != PW_YES)
			continue;
		ruling->allowed = true;
		ruling->policy = policy;
		ruling->rule = i;
		return true;
	}
	return false;
}

/* Why policies of `pod` have no say, "" if they do. */
static const char *exemption(const struct question *question)
{
	const struct pw_pod *pod = question->pod, *other = question->other->pod;
	const char *address = question->other->address;

	if (!pod)
		return "outside the cluster";
	if (pod->host_network)
		return "host network";
	if (other == pod)
		return "itself";
	if (other && other->host_network && pod->node[0] && strcmp(other->node, pod->node) == 0)
		return "own node";
	if (!other && address && address[0] && strcmp(address, pod->host_ip) == 0)
		return "own node";
	return "";
}

/* What may have decided before what did. */
struct doubt { bool allow, deny; const struct pw_cluster_policy *policy; const char *field; };

enum decision { GOES_ON, DECIDED, LEAVES_STAGE };

static void note_doubt(struct doubt *doubt, enum pw_action action, const struct pw_cluster_policy *policy, const char *field)
{
	doubt->allow = doubt->allow || action != PW_ACTION_DENY;
	doubt->deny = doubt->deny || action != PW_ACTION_ALLOW;
	if (doubt->policy || !field[0])
		return;
	doubt->policy = policy;
	doubt->field = field;
}

/* Why a rule only may match that end, as far as a field of the policy is the reason. */
static const char *unclear_field(const struct pw_cluster_policy *policy, const struct pw_cluster_rule *rule, const struct pw_peer *end)
{
	if (policy->unclear[0])
		return policy->unclear;
	for (size_t i = 0; !rule->unclear[0] && i < rule->n_peers; i++)
		if (rule->peers[i].domains)
			return policy->tier[0] || policy->stage != PW_STAGE_NETWORK ? "domainNames" : "toFQDNs";
	for (size_t i = 0; !rule->unclear[0] && (!end->pod || end->pod->host_network) && i < rule->n_peers; i++)
		if (rule->peers[i].sets)
			return "selector: network sets are not read";
	return rule->unclear;
}

static enum decision ask_cluster_policy(const struct pw_facts *facts, const struct question *question, const struct pw_cluster_policy *policy,
					enum pw_truth subject, struct doubt *doubt, struct pw_ruling *ruling)
{
	const struct pw_cluster_rule *rules;
	size_t n = pw_cluster_policy_rules(policy, question->direction, &rules);

	for (size_t i = 0; i < n; i++) {
		enum pw_truth match;

		if (!pw_cluster_ports_match(&rules[i], question->to, question->protocol, question->port))
			continue;
		match = pw_truth_and(subject, pw_cluster_peers_match(facts, policy, &rules[i], question->other));
		if (match == PW_MAYBE)
			note_doubt(doubt, rules[i].action, policy, unclear_field(policy, &rules[i], question->other));
		if (match != PW_YES)
			continue;
		if (rules[i].action == PW_ACTION_PASS)
			return LEAVES_STAGE;
		ruling->allowed = rules[i].action == PW_ACTION_ALLOW;
		ruling->policy = NULL;
		ruling->cluster_policy = policy;
		ruling->rule = i;
		return DECIDED;
	}
	return GOES_ON;
}

/* Those of one stage, before the NetworkPolicies or behind them. What isolates the pod is noted as the one that denies. */
static enum decision ask_stage(const struct pw_facts *facts, const struct question *question, int stage, bool after, struct doubt *doubt,
			       struct pw_ruling *ruling)
{
	size_t n;
	const struct pw_cluster_policy *const *policies = pw_facts_cluster_policies(facts, &n);

	for (size_t i = 0; i < n; i++) {
		enum pw_truth subject;
		enum decision decision;

		if (policies[i]->stage != stage || policies[i]->after_network != after)
			continue;
		subject = pw_cluster_policy_selects(facts, policies[i], question->pod);
		if (subject == PW_NO)
			continue;
		if (policies[i]->isolates[question->direction]) {
			if (subject == PW_MAYBE)
				note_doubt(doubt, PW_ACTION_DENY, policies[i], policies[i]->unclear);
			else if (!ruling->isolated)
				ruling->cluster_policy = policies[i];
			ruling->isolated = ruling->isolated || subject == PW_YES;
		}
		decision = ask_cluster_policy(facts, question, policies[i], subject, doubt, ruling);
		if (decision != GOES_ON)
			return decision;
	}
	return GOES_ON;
}

/* NetworkPolicies: one that isolates, and the first rule that allows. */
static enum decision ask_policies(const struct pw_facts *facts, const struct question *question, struct doubt *doubt, struct pw_ruling *ruling)
{
	size_t low = 0, high;
	const struct pw_policy *const *policies = pw_facts_policies(facts, &high);
	const char *ns = question->pod->meta.ns;
	size_t n = high;

	while (low < high) { /* they are sorted by namespace */
		size_t middle = low + (high - low) / 2;

		if (strcmp(policies[middle]->meta.ns, ns) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i < n && strcmp(policies[i]->meta.ns, ns) == 0; i++) {
		if (!pw_policy_selects(policies[i], question->direction, question->pod))
			continue;
		if (!ruling->isolated) {
			ruling->cluster_policy = NULL;
			ruling->policy = policies[i];
		}
		ruling->isolated = true;
		if (ask_policy(facts, question, policies[i], ruling)) {
			ruling->cluster_policy = NULL;
			return DECIDED;
		}
	}
	if (ruling->undecidable)
		doubt->allow = true;
	return GOES_ON;
}

static enum decision ask_network(const struct pw_facts *facts, const struct question *question, struct doubt *doubt, struct pw_ruling *ruling)
{
	enum decision decision = ask_stage(facts, question, PW_STAGE_NETWORK, false, doubt, ruling);

	if (decision == GOES_ON)
		decision = ask_policies(facts, question, doubt, ruling);
	return decision == GOES_ON ? ask_stage(facts, question, PW_STAGE_NETWORK, true, doubt, ruling) : decision;
}

/* All stages that have policies, in order; NetworkPolicies have theirs in any case. */
static enum decision ask_stages(const struct pw_facts *facts, const struct question *question, struct doubt *doubt, struct pw_ruling *ruling)
{
	size_t n;
	const struct pw_cluster_policy *const *policies = pw_facts_cluster_policies(facts, &n);
	bool network = false;

	for (size_t i = 0; i <= n; i++) {
		int stage = i < n ? policies[i]->stage : INT_MAX;
		enum decision decision = GOES_ON;

		if (!network && stage >= PW_STAGE_NETWORK) {
			network = true;
			decision = ask_network(facts, question, doubt, ruling);
		}
		if (decision == GOES_ON && !ruling->isolated && i < n && stage != PW_STAGE_NETWORK && (i == 0 || policies[i - 1]->stage != stage))
			decision = ask_stage(facts, question, stage, false, doubt, ruling);
		if (decision == DECIDED)
			return DECIDED;
		if (decision == GOES_ON && ruling->isolated)
			return DECIDED; /* denied: no rule of the stage allows it */
		if (decision == LEAVES_STAGE) {
			ruling->isolated = false;
			ruling->policy = NULL;
			ruling->cluster_policy = NULL;
		}
	}
	return GOES_ON;
}

static void ask_direction(const struct pw_facts *facts, const struct question *question, struct pw_ruling *ret)
{
	bool known = pw_facts_known(facts, PW_FACT_POLICIES) == PW_KNOWN_YES;
	struct doubt doubt = { .field = "" };

	*ret = (struct pw_ruling){ .exempt = exemption(question), .rule = SIZE_MAX };
	ret->allowed = ret->exempt[0] != '\0';
	if (ret->allowed)
		return;
	if (ask_stages(facts, question, &doubt, ret) != DECIDED) {
		ret->allowed = true;
		doubt.deny = doubt.deny || !known;
	}
	/* A policy that was not read could open what is closed; what one allows no other takes away. */
	if (!ret->allowed && !known && !(ret->cluster_policy && ret->rule != SIZE_MAX))
		doubt.allow = true;
	ret->undecidable = ret->allowed ? doubt.deny : doubt.allow;
	ret->unclear = ret->undecidable ? doubt.policy : NULL;
	ret->unclear_field = doubt.field;
}

void pw_policy_ask(const struct pw_facts *facts, const struct pw_peer *from, const struct pw_peer *to,
		   const char *protocol, uint16_t port, struct pw_policy_answer *ret)
{
	struct question egress = { PW_EGRESS, from->pod, to, to->pod, protocol, port };
	struct question ingress = { PW_INGRESS, to->pod, from, to->pod, protocol, port };

	ask_direction(facts, &egress, &ret->egress);
	ask_direction(facts, &ingress, &ret->ingress);
	ret->allowed = ret->egress.allowed && ret->ingress.allowed;
}

static enum pw_truth side_verdict(const struct pw_ruling *ruling)
{
	return ruling->undecidable ? PW_MAYBE : ruling->allowed ? PW_YES : PW_NO;
}

enum pw_truth pw_policy_verdict(const struct pw_policy_answer *answer)
{
	return pw_truth_and(side_verdict(&answer->egress), side_verdict(&answer->ingress));
}
