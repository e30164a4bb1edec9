/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * arp_answer: who answers on the segment for an address, now. The neighbour
 * table goes on naming a machine for half a minute after it was moved to
 * another segment; a firewall, on the other hand, rarely stops ARP.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/dataplane.h>
#include <packetwalk/probe.h>

static const struct pw_param params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "The neighbour's address" },
	{ "mac", PW_TYPE_STR, 0, NULL, NULL, "The MAC of its owner, as seen there" },
	{ "tries", PW_TYPE_INT, 0, "3", "1..16", "Questions until one is answered" },
	{ "wait", PW_TYPE_DURATION, 0, "500ms", NULL, "Limit of one question" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "answered", PW_CLASS_OK, "The owner of the address answers.", NULL, NULL },
	{ "elsewhere", PW_CLASS_OK, "The address is not on this place's segments: a router is asked instead, or nobody.", NULL, NULL },
	{ "silent", PW_CLASS_FAIL, "Nobody on the segment answers for the address.", "the machine is down, or in another segment (VLAN), or its switch port lets nothing through", "look at the switch ports of both machines" },
	{ "another", PW_CLASS_WARN, "Another machine answers for the address, and its owner does not.", "a router that answers ARP for others, as clouds have, or a machine with the same address", "find the machine with that MAC" },
	{ "several", PW_CLASS_FAIL, "Several machines answer for the address.", "two machines have one address", "give one of them another address" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "seen", PW_TYPE_STR, NULL, "MACs that answered, empty if none" },
	{ "expected", PW_TYPE_STR, NULL, "MAC of the owner, empty if not known" },
	{ "dev", PW_TYPE_STR, NULL, "Interface that leads to the address" },
	{ "gateway", PW_TYPE_STR, NULL, "Router that leads to it, empty if none" },
	{ "sent", PW_TYPE_INT, NULL, "Questions sent" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static bool on_segment(const struct pw_val *route)
{
	return !strcmp(pw_map_str(route, "result", ""), "ok") && !strcmp(pw_map_str(route, "type", ""), "unicast") && !*pw_map_str(route, "gateway", "");
}

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	struct pw_arp_spec spec = { .address = pw_ctx_str(ctx, "address"), .tries = (unsigned)pw_ctx_int(ctx, "tries"), .timeout_ms = pw_ctx_ms(ctx, "wait") };
	struct pw_val *route = pw_map_set_map(observation, "route");
	int rc = pw_route_get(ctx, spec.address, NULL, NULL, 0, route, err);
	if (rc || !on_segment(route) || strchr(spec.address, ':'))
		return rc;
	spec.dev = pw_map_str(route, "dev", "");
	spec.source = pw_map_str(route, "src", "");
	return pw_probe_arp(ctx, &spec, pw_map_set_map(observation, "arp"), err);
}

static void list(const struct pw_val *answers, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < pw_val_count(answers) && used < size; i++) {
		const char *mac = pw_val_text(pw_val_at(answers, i));
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", mac ? mac : "");
	}
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const struct pw_val *route = pw_map_get(observation, "route"), *arp = pw_map_get(observation, "arp"), *answers = pw_map_get(arp, "answers");
	const char *address = pw_ctx_str(ctx, "address"), *mac = pw_ctx_str(ctx, "mac"), *dev = pw_map_str(route, "dev", "");
	long long sent = pw_map_int(arp, "sent", 0);
	char seen[256];
	list(answers, seen, sizeof seen);
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "seen", seen);
	pw_map_set_str(ev, "expected", mac ? mac : "");
	pw_map_set_str(ev, "dev", dev);
	pw_map_set_str(ev, "gateway", pw_map_str(route, "gateway", ""));
	pw_map_set_int(ev, "sent", sent);
	if (!on_segment(route))
		pw_result_set(result, "elsewhere", "%s is not a neighbour's address here.", address);
	else if (!sent)
		pw_result_unknown(result, "%s was not asked for by ARP on %s", address, dev);
	else if (!pw_val_count(answers))
		pw_result_set(result, "silent", "Nobody on %s answers ARP for %s, asked %lld times.", dev, address, sent);
	else if (pw_val_count(answers) > 1)
		pw_result_set(result, "several", "Several machines on %s answer for %s: %s.", dev, address, seen);
	else if (mac && *mac && strcasecmp(seen, mac) != 0)
		pw_result_set(result, "another", "%s answers on %s for %s, and its owner has %s.", seen, dev, address, mac);
	else
		pw_result_set(result, "answered", "%s answers on %s for %s.", seen, dev, address);
	return PW_OK;
}

const struct pw_check pw_check_arp_answer = {
	PW_CHECK_HEAD("arp_answer"),
	.summary = "Ask on the segment who has an address, past what the neighbour table remembers",
	.details = "Sends ARP requests for an IPv4 address, as arping does; the neighbour table is neither read nor changed.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_SENDS,
	.needs = PW_NEEDS_NET_RAW,
	.timeout_ms = 9000,
	.example = "check arp_answer address=192.168.50.12 mac=02:00:c0:a8:32:0c --at node:n1",
	.probe = probe,
	.judge = judge,
};
