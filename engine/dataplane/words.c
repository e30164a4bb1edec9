/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of the rule model, as evidence and nft spell them. */
#include "rules.h"

#include <stdio.h>
#include <string.h>

const char *pw_rules_backend_word(enum pw_rules_backend backend)
{
	switch (backend) {
	case PW_RULES_NFT: return "nft";
	case PW_RULES_LEGACY: return "legacy";
	case PW_RULES_TEXT: return "text";
	}
	return "text";
}

static const char *const families[] = {
	[PW_FAM_ANY] = "any", [PW_FAM_IP] = "ip", [PW_FAM_IP6] = "ip6", [PW_FAM_INET] = "inet",
	[PW_FAM_BRIDGE] = "bridge", [PW_FAM_NETDEV] = "netdev", [PW_FAM_ARP] = "arp",
};

const char *pw_family_word(unsigned family)
{
	return family < sizeof families / sizeof *families ? families[family] : "any";
}

enum pw_family pw_family_of(const char *word, size_t len)
{
	for (size_t i = PW_FAM_IP; i < sizeof families / sizeof *families; i++)
		if (strlen(families[i]) == len && memcmp(families[i], word, len) == 0)
			return (enum pw_family)i;
	return PW_FAM_ANY;
}

static const char *const hooks[] = {
	[PW_HOOK_NONE] = "none", [PW_HOOK_INGRESS] = "ingress", [PW_HOOK_PREROUTING] = "prerouting", [PW_HOOK_INPUT] = "input",
	[PW_HOOK_FORWARD] = "forward", [PW_HOOK_OUTPUT] = "output", [PW_HOOK_POSTROUTING] = "postrouting", [PW_HOOK_EGRESS] = "egress",
};

const char *pw_hook_word(unsigned hook)
{
	return hook < sizeof hooks / sizeof *hooks ? hooks[hook] : "none";
}

enum pw_hook pw_hook_of(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
		if (strlen(hooks[i]) == len && memcmp(hooks[i], word, len) == 0)
			return (enum pw_hook)i;
	return PW_HOOK_NONE;
}

const char *pw_rules_table_name(const struct pw_rules_chain *chain, char *out, size_t size)
{
	if (chain->native || chain->family == PW_FAM_IP6)
		(void)snprintf(out, size, "%s %s", pw_family_word(chain->family), chain->table);
	else
		(void)snprintf(out, size, "%s", chain->table);
	return out;
}

const char *pw_packet_protocol(const char *protocol)
{
	return !strcmp(protocol, "UDP") ? "udp" : !strcmp(protocol, "SCTP") ? "sctp" : "tcp";
}
