/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kube-proxy names its chains by a hash of what they serve, so a client can
 * look for the chain of a Service without reading comments, which large
 * clusters leave out (kubernetes pkg/proxy/iptables/proxier.go, portProtoHash).
 */
#include <packetwalk/dataplane.h>

#include <packetwalk/buf.h>

#include "sha256.h"

#include <stdio.h>
#include <string.h>

enum { HASH_CHARS = 16 };

void pw_kube_chain(const char *prefix, const char *ns, const char *name, const char *port_name, const char *protocol, const char *endpoint, char out[32])
{
	static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 */
	char text[1024]; /* names are DNS labels: 63 + 63 + 15, an endpoint at most 48 */
	unsigned char digest[PW_SHA256_SIZE];
	char hash[HASH_CHARS + 1];
	bool named = port_name && *port_name;
	(void)snprintf(text, sizeof text, "%.255s/%.255s%s%.255s%.16s%.128s", ns, name, named ? ":" : "", named ? port_name : "", protocol,
		       endpoint ? endpoint : "");
	pw_sha256(text, strlen(text), digest);
	for (unsigned i = 0; i < HASH_CHARS; i++) {
		unsigned bit = i * 5, byte = bit / 8;
		unsigned pair = (unsigned)digest[byte] << 8 | digest[byte + 1];
		hash[i] = base32[pair >> (11 - bit % 8) & 31];
	}
	hash[HASH_CHARS] = '\0';
	(void)snprintf(out, 32, "%.15s%s", prefix, hash);
}

bool pw_rule_is_kube_proxys(const struct pw_val *rule)
{
	return !strncmp(pw_map_str(rule, "chain", ""), "KUBE-", 5) || strstr(pw_map_str(rule, "table", ""), "kube-proxy");
}

bool pw_rule_is_of_no_service(const struct pw_val *rule)
{
	return strstr(pw_map_str(rule, "table", ""), "kube-proxy") && !strcmp(pw_map_str(rule, "chain", ""), "cluster-ips-check");
}

/* Who wrote a rule, by the names components give their chains and tables (kube-router: KUBE-POD-FW, KUBE-NWPLCY; Calico: cali-*;
 * kube-network-policies and others: a table of that name; Cilium, Antrea, Weave). */
static bool is_enforcers(const char *table, const char *chain)
{
	static const char *const chains[] = { "KUBE-POD-FW", "KUBE-NWPLCY", "KUBE-ROUTER", "cali-", "CILIUM_", "ANTREA-", "WEAVE-NPC" };
	static const char *const tables[] = { "kube-network-policies", "kube-netpol", "calico", "netpol", "kube-router" };
	for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
		if (!strncmp(chain, chains[i], strlen(chains[i])))
			return true;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		if (strstr(table, tables[i]))
			return true;
	return false;
}

const char *pw_rule_drop_word(const struct pw_val *rule, bool reject)
{
	const char *table = pw_map_str(rule, "table", "");
	if (is_enforcers(table, pw_map_str(rule, "chain", "")))
		return "enforcer-drop";
	if (pw_rule_is_kube_proxys(rule))
		return "kube-drop";
	if (!strncmp(table, "bridge", 6))
		return "bridge-drop";
	if (!strcmp(pw_map_str(rule, "backend", ""), "legacy"))
		return "legacy-drop";
	if (!strcmp(pw_map_str(rule, "rule", ""), "policy DROP"))
		return "policy-drop";
	return reject ? "rejected" : "dropped";
}
