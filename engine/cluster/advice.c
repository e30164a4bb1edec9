/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What NetworkPolicies decide about one connection, and what would decide otherwise. */
#include <cluster/advice.h>

#include <string.h>

#include <cluster/policy.h>

struct side {
	const char *word, *peers;         /* "ingress", "from" */
	const struct pw_ruling *ruling;
	const struct pw_peer *self, *other;
};

static void put(struct pw_buf *out, const char *text)
{
	pw_buf_escaped(out, text, strlen(text));
}

static void put_end(struct pw_buf *out, const struct pw_peer *end)
{
	if (end->pod) {
		put(out, end->pod->meta.ns);
		pw_buf_putc(out, '/');
		put(out, end->pod->meta.name);
	} else {
		put(out, end->address ? end->address : "");
	}
}

static void put_policy(struct pw_buf *out, const struct pw_policy *policy)
{
	pw_buf_puts(out, "NetworkPolicy ");
	put(out, policy->meta.ns);
	pw_buf_putc(out, '/');
	put(out, policy->meta.name);
}

static void put_cluster_policy(struct pw_buf *out, const struct pw_cluster_policy *policy)
{
	pw_buf_printf(out, "%s ", policy->kind);
	if (policy->meta.ns[0]) {
		put(out, policy->meta.ns);
		pw_buf_putc(out, '/');
	}
	put(out, policy->meta.name);
}

static void put_cluster_rule(struct pw_buf *out, const struct side *side)
{
	const struct pw_cluster_policy *policy = side->ruling->cluster_policy;
	const struct pw_cluster_rule *rules;

	(void)pw_cluster_policy_rules(policy, strcmp(side->word, "egress") == 0 ? PW_EGRESS : PW_INGRESS, &rules);
	pw_buf_printf(out, "rule %s[%zu]", side->word, side->ruling->rule);
	if (rules[side->ruling->rule].name[0]) {
		pw_buf_puts(out, " (");
		put(out, rules[side->ruling->rule].name);
		pw_buf_putc(out, ')');
	}
	pw_buf_puts(out, " of ");
	put_cluster_policy(out, policy);
}

/* The policy that isolates, of whichever kind. */
static void put_isolating(struct pw_buf *out, const struct pw_ruling *ruling)
{
	if (ruling->cluster_policy)
		put_cluster_policy(out, ruling->cluster_policy);
	else
		put_policy(out, ruling->policy);
}

static bool decided_by_cluster_rule(const struct pw_ruling *ruling)
{
	return ruling->cluster_policy && ruling->rule != SIZE_MAX;
}

static const char *exemption(const char *why)
{
	static const struct { const char *why, *says; } words[] = {
		{ "outside the cluster", "no policy applies to an address outside the cluster" },
		{ "host network", "no policy applies to a pod on the host's network" },
		{ "own node", "a pod always accepts connections from its own node" },
		{ "itself", "a pod always reaches itself" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].why, why) == 0)
			return words[i].says;
	return why;
}

static void say_side(struct pw_buf *out, const struct side *side)
{
	const struct pw_ruling *ruling = side->ruling;

	pw_buf_printf(out, "  %s of ", side->word);
	put_end(out, side->self);
	pw_buf_printf(out, ": %s, ", ruling->allowed ? "allowed" : "denied");
	if (ruling->exempt[0]) {
		pw_buf_puts(out, exemption(ruling->exempt));
	} else if (decided_by_cluster_rule(ruling)) {
		put_cluster_rule(out, side);
	} else if (!ruling->isolated) {
		pw_buf_printf(out, "no policy selects it for %s", side->word);
	} else if (ruling->allowed) {
		pw_buf_printf(out, "rule %s[%zu] of ", side->word, ruling->rule);
		put_policy(out, ruling->policy);
	} else {
		put_isolating(out, ruling);
		pw_buf_puts(out, " isolates it, and no rule of any policy allows this");
	}
	if (ruling->unclear) {
		pw_buf_puts(out, " (not certain: ");
		put(out, ruling->unclear_field);
		pw_buf_puts(out, " of ");
		put_cluster_policy(out, ruling->unclear);
		pw_buf_puts(out, " is not evaluated)");
	} else if (ruling->undecidable) {
		pw_buf_puts(out, " (not certain: not all policies or namespace labels could be read)");
	}
	pw_buf_putc(out, '\n');
}

/* Labels that a controller sets and changes with every rollout name no peer. */
static bool is_lasting(const char *key)
{
	static const char *const fleeting[] = {
		"pod-template-hash", "controller-revision-hash", "pod-template-generation", "statefulset.kubernetes.io/pod-name",
		"apps.kubernetes.io/pod-index", "batch.kubernetes.io/controller-uid", "controller-uid", "job-name",
	};

	for (size_t i = 0; i < sizeof(fleeting) / sizeof(fleeting[0]); i++)
		if (strcmp(key, fleeting[i]) == 0)
			return false;
	return true;
}

/* YAML in double quotes; JSON's escapes are YAML's. */
static void put_quoted(struct pw_buf *out, const char *text)
{
	pw_buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			pw_buf_putc(out, '\\');
		pw_buf_putc(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
	}
	pw_buf_putc(out, '"');
}

static void put_pod_selector(struct pw_buf *out, const struct pw_labels *labels)
{
	bool first = true;

	pw_buf_puts(out, "podSelector: {matchLabels: {");
	for (size_t i = 0; i < labels->n; i++) {
		if (!is_lasting(labels->v[i].key))
			continue;
		pw_buf_puts(out, first ? "" : ", ");
		put(out, labels->v[i].key);
		pw_buf_puts(out, ": ");
		put_quoted(out, labels->v[i].value);
		first = false;
	}
	pw_buf_puts(out, "}}\n");
}

static void put_block(struct pw_buf *out, const char *address)
{
	pw_buf_puts(out, "      - ipBlock: {cidr: ");
	put(out, address);
	pw_buf_printf(out, "/%d}\n", strchr(address, ':') ? 128 : 32);
}

static void put_peer(struct pw_buf *out, const struct side *side)
{
	const struct pw_pod *pod = side->other->pod;

	if (!pod || pod->host_network) {
		put_block(out, pod ? pod->host_ip[0] ? pod->host_ip : pod->ip : side->other->address ? side->other->address : "");
		return;
	}
	pw_buf_puts(out, "      - ");
	if (strcmp(pod->meta.ns, side->self->pod->meta.ns) != 0) {
		pw_buf_puts(out, "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ");
		put(out, pod->meta.ns);
		pw_buf_puts(out, "}}\n        ");
	}
	put_pod_selector(out, &pod->meta.labels);
}

static void say_opening(struct pw_buf *out, const struct side *side, const char *protocol, uint16_t port)
{
	if (side->ruling->cluster_policy && !decided_by_cluster_rule(side->ruling)) {
		pw_buf_puts(out, "  A rule that allows it has to be added to ");
		put_cluster_policy(out, side->ruling->cluster_policy);
		pw_buf_puts(out, ", or to another policy of its kind.\n");
		return;
	}
	if (side->ruling->cluster_policy) {
		pw_buf_puts(out, "  It would be judged by the policies behind it if ");
		put_cluster_rule(out, side);
		pw_buf_puts(out, " were not there; a NetworkPolicy cannot open it.\n");
		return;
	}
	pw_buf_puts(out, "  The smallest rule that would allow it, in ");
	put_policy(out, side->ruling->policy);
	pw_buf_printf(out, ":\n    %s:\n    - %s:\n", side->word, side->peers);
	put_peer(out, side);
	pw_buf_printf(out, "      ports:\n      - {protocol: %s, port: %u}\n", protocol, port);
}

static void say_closing(struct pw_buf *out, const struct side *side)
{
	if (side->ruling->exempt[0])
		return;
	if (side->ruling->cluster_policy) {
		pw_buf_puts(out, "  It would be judged by the policies behind it without ");
		put_cluster_rule(out, side);
		pw_buf_puts(out, ".\n");
		return;
	}
	if (side->ruling->isolated) {
		pw_buf_printf(out, "  It would be denied without rule %s[%zu] of ", side->word, side->ruling->rule);
		put_policy(out, side->ruling->policy);
		pw_buf_puts(out, ", unless another rule allows it too.\n");
		return;
	}
	pw_buf_puts(out, "  It would be denied by any policy that selects ");
	put_end(out, side->self);
	pw_buf_printf(out, " with policyTypes: [%s] and has no rule for it.\n", strcmp(side->word, "egress") == 0 ? "Egress" : "Ingress");
}

/* A pod of the cluster's DNS, by the labels that every distribution gives it. */
static const struct pw_pod *dns_pod(const struct pw_facts *facts)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);

	for (size_t i = 0; i < n; i++) {
		const char *app = pw_labels_get(&pods[i]->meta.labels, "k8s-app");

		if (app && strcmp(app, "kube-dns") == 0 && strcmp(pods[i]->meta.ns, "kube-system") == 0)
			return pods[i];
	}
	return NULL;
}

/* What isolates a sender and forgets DNS breaks every name it asks for, whatever else it allows. */
static void say_forgotten_dns(struct pw_buf *out, const struct pw_facts *facts, const struct side *egress)
{
	struct pw_peer dns = { dns_pod(facts), NULL };
	struct pw_policy_answer answer;

	if (!dns.pod || dns.pod == egress->other->pod || !egress->ruling->isolated)
		return;
	pw_policy_ask(facts, egress->self, &dns, "UDP", 53, &answer);
	if (answer.egress.allowed || answer.egress.undecidable || !answer.egress.policy)
		return;
	pw_buf_puts(out, "  What isolates ");
	put_end(out, egress->self);
	pw_buf_puts(out, " for egress forgot DNS: it can ask for no name. The rule for that, in ");
	put_policy(out, answer.egress.policy);
	pw_buf_puts(out, ":\n    egress:\n    - to:\n      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}\n"
			 "        podSelector: {matchLabels: {k8s-app: kube-dns}}\n      ports:\n      - {protocol: UDP, port: 53}\n      - {protocol: TCP, port: 53}\n");
}

void pw_policy_advise(const struct pw_facts *facts, const struct pw_peer *from, const struct pw_peer *to, const char *protocol,
		      uint16_t port, struct pw_buf *out)
{
	struct pw_policy_answer answer;
	const struct side egress = { "egress", "to", &answer.egress, from, to }, ingress = { "ingress", "from", &answer.ingress, to, from };

	pw_policy_ask(facts, from, to, protocol, port, &answer);
	pw_buf_printf(out, "%s: ", pw_policy_verdict(&answer) == PW_MAYBE ? "UNKNOWN" : answer.allowed ? "ALLOW" : "DENY");
	put_end(out, from);
	pw_buf_puts(out, " to ");
	put_end(out, to);
	pw_buf_printf(out, ", %s port %u\n", protocol, port);
	say_side(out, &egress);
	say_side(out, &ingress);
	if (answer.allowed)
		say_closing(out, answer.ingress.exempt[0] ? &egress : &ingress);
	if (!answer.egress.allowed)
		say_opening(out, &egress, protocol, port);
	if (!answer.ingress.allowed)
		say_opening(out, &ingress, protocol, port);
	say_forgotten_dns(out, facts, &egress);
}
