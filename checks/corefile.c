/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * corefile: the zones and forward targets of the cluster DNS, from its
 * ConfigMap, for one name: who is meant to answer it?
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "name", PW_TYPE_HOST, 1, NULL, NULL, "The name in question, fully qualified" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "cluster", PW_CLASS_OK, "The name is the cluster's own: the kubernetes plugin answers it.", NULL, NULL },
	{ "forwarded", PW_CLASS_OK, "The name is forwarded to upstream servers.", NULL, NULL },
	{ "stub", PW_CLASS_OK, "The name is in a stub zone with servers of its own.", NULL, NULL },
	{ "clusterset", PW_CLASS_WARN, "The name is in the zone that clusters share, and the Corefile has no zone for it.", "the Service is not exported, or the multi-cluster DNS is not installed", "export the Service; add the stub zone" },
	{ "loops", PW_CLASS_FAIL, "The zone is forwarded to the cluster DNS itself, or to a stub resolver of the pod: CoreDNS's loop plugin then ends the server, for every name.", "a node's resolv.conf with 127.0.0.53, or the DNS Service's own address as upstream", "forward to the real servers" },
	{ "no-zone", PW_CLASS_FAIL, "No zone of the Corefile covers the name, or nothing in that zone answers it.", "the catch-all zone, or its forward, is missing", "add a zone or a forward for it" },
	{ "not-cluster-zone", PW_CLASS_FAIL, "No zone with the kubernetes plugin covers the cluster's own names.", "the cluster domain in the Corefile is another", "align it with the kubelets' clusterDomain" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "zone", PW_TYPE_STR, NULL, "Zone of the Corefile that covers the name" },
	{ "upstream", PW_TYPE_STR, NULL, "First forward target as an address, empty if it is a file or none" },
	{ "targets", PW_TYPE_STR, NULL, "Forward targets as written" },
	{ "line", PW_TYPE_INT, NULL, "Line of the forward in the Corefile, 0 if none" },
	{ "others", PW_TYPE_STR, NULL, "Plugins of the zone that may answer in the place of kubernetes and forward, empty if none" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

/* One server block, as far as it matters for one name. `from`: the zone of the forward that takes it. */
struct block { char zone[256], cluster_zones[256], from[256], targets[256], others[256]; size_t line; };

struct cursor { const char *at; size_t line; };

/* A word up to white space or brace; "{" and "}" are words; # ends a line.
 * `first` tells whether the word begins its line. */
static bool next_word(struct cursor *c, char out[256], bool *first)
{
	*first = false;
	while (*c->at) {
		if (*c->at == '#')
			c->at += strcspn(c->at, "\n");
		else if (*c->at == '\n') {
			c->line++;
			c->at++;
			*first = true;
		} else if (isspace((unsigned char)*c->at))
			c->at++;
		else
			break;
	}
	size_t len = *c->at == '{' || *c->at == '}' ? 1 : strcspn(c->at, " \t\r\n{}");
	size_t keep = len < 255 ? len : 255;
	memcpy(out, c->at, keep);
	out[keep] = '\0';
	c->at += len;
	return len > 0;
}

/* What no longer fits is left out whole. */
static void append(char list[256], const char *word)
{
	size_t used = strlen(list), len = strlen(word);
	if (used + len + 2 > 256)
		return;
	if (used)
		list[used++] = ' ';
	memcpy(list + used, word, len + 1);
}

/* "corp.test:53" -> "corp.test", "." stays, "dns://x" loses its scheme. */
static void zone_name(char *zone)
{
	char *scheme = strstr(zone, "://");
	if (scheme)
		memmove(zone, scheme + 3, strlen(scheme + 3) + 1);
	char *colon = strrchr(zone, ':');
	if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1))
		*colon = '\0';
	size_t len = strlen(zone);
	if (len > 1 && zone[len - 1] == '.')
		zone[len - 1] = '\0';
}

static bool in_zone(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);
	while (n && name[n - 1] == '.')
		n--;
	if (!strcmp(zone, "."))
		return true;
	if (z > n || strncasecmp(name + n - z, zone, z))
		return false;
	return n == z || name[n - z - 1] == '.';
}

static bool zones_cover(const char *list, const char *name)
{
	char copy[256], *save = NULL;
	(void)snprintf(copy, sizeof copy, "%s", list);
	for (char *zone = strtok_r(copy, " ", &save); zone; zone = strtok_r(NULL, " ", &save))
		if (in_zone(name, zone))
			return true;
	return false;
}

/* Plugins that leave the answers to kubernetes and forward alone (coredns.io/plugins). */
static bool gives_no_answers(const char *plugin)
{
	static const char *const quiet[] = { "kubernetes", "forward", "errors", "log", "health", "ready", "prometheus", "cache", "loop", "reload",
					     "loadbalance", "bind", "bufsize", "debug", "pprof", "trace", "tls", "timeouts", "minimal", "metadata" };
	for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
		if (!strcmp(quiet[i], plugin))
			return true;
	return false;
}

/* The zones named on the rest of the line, of which no cluster name is one. Without any, all fall through. */
static bool only_reverse(const char *at)
{
	size_t seen = 0;
	for (at += strspn(at, " \t\r"); *at && !strchr("\n{}#", *at); at += strspn(at, " \t\r"), seen++) {
		size_t len = strcspn(at, " \t\r\n{}#");
		if (len < strlen(".arpa") || strncasecmp(at + len - strlen(".arpa"), ".arpa", strlen(".arpa")) != 0)
			return false;
		at += len;
	}
	return seen > 0;
}

/* forward FROM TO…: of several, the one whose FROM is the longest that covers the name. */
static bool takes(struct block *b, const char *name, char *from)
{
	zone_name(from);
	if (!in_zone(name, from) || (*b->from && strlen(from) < strlen(b->from)))
		return false;
	(void)snprintf(b->from, sizeof b->from, "%s", from);
	b->targets[0] = '\0';
	return true;
}

/* Directives of a block: word at the beginning of a line at depth one. */
static void read_block(struct cursor *c, const char *name, struct block *b)
{
	char word[256], directive[256] = "";
	unsigned depth = 1, argument = 0;
	bool first, taken = false;
	while (depth && next_word(c, word, &first)) {
		if (depth == 2 && first && !strcmp(word, "fallthrough") && !only_reverse(c->at))
			append(b->others, word);
		if (!strcmp(word, "{")) {
			depth++;
			continue;
		}
		if (!strcmp(word, "}")) {
			depth--;
			continue;
		}
		if (depth != 1)
			continue;
		if (first) {
			(void)snprintf(directive, sizeof directive, "%s", word);
			argument = 0;
			if (!gives_no_answers(word))
				append(b->others, word);
			continue;
		}
		argument++;
		if (!strcmp(directive, "kubernetes")) {
			append(b->cluster_zones, word);
		} else if (!strcmp(directive, "forward") && argument == 1) {
			taken = takes(b, name, word);
		} else if (!strcmp(directive, "forward") && taken) {
			append(b->targets, word);
			b->line = c->line;
		}
	}
}

/* The block whose zone is the longest that covers the name, as CoreDNS picks it. */
static bool find_block(const char *text, const char *name, struct block *ret, bool *ret_cluster_anywhere)
{
	struct cursor c = { .at = text, .line = 1 };
	char word[256], zones[256] = "";
	bool first, found = false;
	size_t best = 0;
	while (next_word(&c, word, &first)) {
		if (strcmp(word, "{")) {
			zone_name(word);
			append(zones, word);
			continue;
		}
		struct block b = { .zone = "" };
		read_block(&c, name, &b);
		*ret_cluster_anywhere |= zones_cover(b.cluster_zones, name);
		char *save = NULL;
		for (char *zone = strtok_r(zones, " ", &save); zone; zone = strtok_r(NULL, " ", &save)) {
			if (!in_zone(name, zone) || (found && strlen(zone) < best))
				continue;
			found = true;
			best = strlen(zone);
			*ret = b;
			(void)snprintf(ret->zone, sizeof ret->zone, "%s", zone);
		}
		zones[0] = '\0';
	}
	return found;
}

static const struct pw_configmap *corefile_map(const struct pw_facts *facts)
{
	const struct pw_configmap *map = pw_facts_configmap(facts, "kube-system", "coredns");
	return map ? map : pw_facts_configmap(facts, "openshift-dns", "dns-default");
}

/* "dns://10.96.0.10:53" -> "10.96.0.10", "[::1]:53" -> "::1" */
static void target_address(char *target)
{
	char *scheme = strstr(target, "://");
	if (scheme)
		memmove(target, scheme + 3, strlen(scheme + 3) + 1);
	char *colon = strchr(target, ':'), *close = strchr(target, ']');
	if (*target == '[' && close) {
		*close = '\0';
		memmove(target, target + 1, strlen(target + 1) + 1);
	} else if (colon && !strchr(colon + 1, ':')) {
		*colon = '\0';
	}
}

static bool forwards_to_itself(const struct pw_facts *facts, const char *targets)
{
	const struct pw_service *dns = pw_facts_dns_service(facts);
	char copy[256], *save = NULL;
	(void)snprintf(copy, sizeof copy, "%s", targets);
	for (char *target = strtok_r(copy, " ", &save); target; target = strtok_r(NULL, " ", &save)) {
		target_address(target);
		if (!strncmp(target, "127.", 4) || !strcmp(target, "::1") || (dns && *dns->cluster_ip && !strcmp(target, dns->cluster_ip)))
			return true;
	}
	return false;
}

/* The zone of the multi-cluster services API (KEP-1645). */
#define CLUSTERSET_ZONE "clusterset.local"

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	const struct pw_facts *facts = pw_ctx_facts(ctx);
	if (!pw_facts_need(facts, PW_FACT_CONFIGMAPS, result))
		return PW_OK;
	const struct pw_configmap *map = corefile_map(facts);
	const char *text = map ? pw_labels_get(&map->data, "Corefile") : NULL, *name = pw_ctx_str(ctx, "name");
	if (!text) {
		pw_result_unknown(result, "no ConfigMap with a Corefile is visible");
		return PW_OK;
	}
	struct block b = { .zone = "" };
	bool cluster = false, found = find_block(text, name, &b, &cluster);
	bool own_name = in_zone(name, pw_facts_cluster_domain(facts));
	struct pw_val *ev = pw_result_evidence(result);
	bool is_file = b.targets[0] == '/';
	const char *zone = *b.from && strcmp(b.from, ".") ? b.from : b.zone;
	pw_map_set_str(ev, "zone", zone);
	pw_map_set_str(ev, "targets", b.targets);
	pw_map_set_strf(ev, "upstream", "%.*s", is_file ? 0 : (int)strcspn(b.targets, " "), b.targets);
	pw_map_set_int(ev, "line", (long long)b.line);
	pw_map_set_str(ev, "others", b.others);
	if (!found)
		pw_result_set(result, "no-zone", "No zone of the Corefile covers %s.", name);
	else if (*b.targets && forwards_to_itself(facts, b.targets))
		pw_result_set(result, "loops", "Line %zu of the Corefile forwards zone %s to %s, which leads back to the cluster DNS.", b.line, b.zone, b.targets);
	else if (zones_cover(b.cluster_zones, name))
		pw_result_set(result, "cluster", "%s is the cluster's own (zone %s).", name, b.cluster_zones);
	else if (in_zone(name, CLUSTERSET_ZONE) && !in_zone(b.zone, CLUSTERSET_ZONE))
		pw_result_set(result, "clusterset", "%s is a name between clusters, and the Corefile has no zone for %s.", name, CLUSTERSET_ZONE);
	else if (own_name)
		pw_result_set(result, "not-cluster-zone", "%s is a cluster name, but the Corefile serves %s.", name, *b.cluster_zones ? b.cluster_zones : "no cluster zone");
	else if (!*b.targets && !*b.others)
		pw_result_set(result, "no-zone", "Zone %s of the Corefile covers %s, and nothing in it answers: it forwards to nobody.", b.zone, name);
	else if (strcmp(zone, "."))
		pw_result_set(result, "stub", "%s is in stub zone %s, forwarded to %s.", name, zone, *b.targets ? b.targets : "nobody");
	else
		pw_result_set(result, "forwarded", "%s is forwarded to %s.", name, *b.targets ? b.targets : "nobody");
	return PW_OK;
}

const struct pw_check pw_check_corefile = {
	PW_CHECK_HEAD("corefile"),
	.summary = "Read from the Corefile who is meant to answer a name",
	.details = "Zones, the kubernetes plugin's zones, and forward targets, as CoreDNS picks them: the longest zone wins.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_CONFIGMAPS | PW_FACT_SERVICES,
	.timeout_ms = 1000,
	.example = "check corefile name=www.example.test",
	.judge = judge,
};
