/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a link is, behind which port an address was learned, whose rule stops a packet, which routing rule refuses it. */
#include <doc/json.h>

#include "dataplane_util.h"

static const struct pw_val *read_json(struct pw_arena *arena, const char *text)
{
	struct pw_err err = PW_ERR_INIT;
	const struct pw_json_limits limits = { .bytes = 65536, .depth = 16 };
	struct pw_val *val = NULL;
	if (pw_json_parse(text, strlen(text), "test.json", &limits, arena, &val, &err))
		ok(false, "the observation parses: %s", err.text);
	return val;
}

static void links(struct pw_arena *arena)
{
	ok(pw_link_is_tunnel("vxlan") && pw_link_is_tunnel("sit") && pw_link_is_tunnel("gre"), "overlays and VPNs are tunnels");
	ok(!pw_link_is_tunnel("bridge") && !pw_link_is_tunnel("veth") && !pw_link_is_tunnel(""), "bridges, veths and NICs are none");
	ok(pw_link_is_uplink(read_json(arena, "{\"name\": \"eth0\", \"kind\": \"veth\"}")), "a lab's uplink");
	ok(pw_link_is_uplink(read_json(arena, "{\"name\": \"wlp3s0\", \"kind\": \"\"}")), "a NIC has no kind");
	ok(!pw_link_is_uplink(read_json(arena, "{\"name\": \"lo\", \"kind\": \"\"}")) && !pw_link_is_uplink(read_json(arena, "{\"name\": \"cni0\", \"kind\": \"bridge\"}")),
	   "neither the loopback nor the bridge is one");
}

static void ports(struct pw_arena *arena)
{
	const struct pw_val *seen = read_json(arena, "{\"links\": [{\"name\": \"veth1\", \"index\": 7}, {\"name\": \"cni0\"}],"
		"\"neighbours\": [{\"address\": \"10.244.1.5\", \"mac\": \"0a:00:00:00:00:05\"}, {\"address\": \"10.244.1.6\", \"mac\": \"\"}],"
		"\"fdb\": [{\"mac\": \"0a:00:00:00:00:05\", \"dev\": \"veth1\"}]}");
	is_str(pw_map_str(pw_port_of(seen, "10.244.1.5"), "name", ""), "veth1", "the port that learned the MAC");
	ok(!pw_port_of(seen, "10.244.1.6") && !pw_port_of(seen, "10.244.1.7"), "no MAC, no port");
}

static void owners(struct pw_arena *arena)
{
	static const struct { const char *rule, *word; bool reject; } cases[] = {
		{ "{\"table\": \"filter\", \"chain\": \"cali-tw-x\", \"rule\": \"-j DROP\"}", "enforcer-drop", false },
		{ "{\"table\": \"inet kube-network-policies\", \"chain\": \"forward\", \"rule\": \"reject\"}", "enforcer-drop", true },
		{ "{\"table\": \"filter\", \"chain\": \"KUBE-FORWARD\", \"rule\": \"-j DROP\"}", "kube-drop", false },
		{ "{\"table\": \"bridge acl\", \"chain\": \"forward\", \"rule\": \"drop\"}", "bridge-drop", false },
		{ "{\"table\": \"filter\", \"chain\": \"FORWARD\", \"rule\": \"policy DROP\", \"backend\": \"legacy\"}", "legacy-drop", false },
		{ "{\"table\": \"filter\", \"chain\": \"FORWARD\", \"rule\": \"policy DROP\", \"backend\": \"nft\"}", "policy-drop", false },
		{ "{\"table\": \"filter\", \"chain\": \"FORWARD\", \"rule\": \"-j REJECT\", \"backend\": \"nft\"}", "rejected", true },
		{ "{\"table\": \"netdev guard\", \"chain\": \"in\", \"rule\": \"drop\", \"backend\": \"nft\"}", "dropped", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_str(pw_rule_drop_word(read_json(arena, cases[i].rule), cases[i].reject), cases[i].word, cases[i].word);
}

static void refusals(struct pw_arena *arena)
{
	const struct pw_val *seen = read_json(arena, "{\"rules\": [{\"priority\": 0, \"table\": 255, \"action\": \"lookup\"},"
		"{\"priority\": 10, \"iif\": \"eth9\", \"action\": \"blackhole\"},"
		"{\"priority\": 20, \"fwmark\": 7, \"action\": \"blackhole\"},"
		"{\"priority\": 30, \"from\": \"10.244.1.0/24\", \"to\": \"203.0.113.0/24\", \"table\": 210, \"action\": \"lookup\"},"
		"{\"priority\": 40, \"from\": \"10.244.1.9/32\", \"action\": \"prohibit\"},"
		"{\"priority\": 32766, \"from\": \"default\", \"table\": 254, \"action\": \"lookup\"}],"
		"\"routes\": [{\"dst\": \"default\", \"table\": 254, \"type\": \"unicast\"}, {\"dst\": \"198.51.100.0/24\", \"table\": 254, \"type\": \"blackhole\"},"
		"{\"dst\": \"203.0.113.0/24\", \"table\": 210, \"type\": \"prohibit\"}, {\"dst\": \"203.0.113.10/32\", \"table\": 210, \"type\": \"unicast\"},"
		"{\"dst\": \"203.0.113.20/32\", \"table\": 210, \"type\": \"throw\"}]}");
	is_int(pw_map_int(pw_routes_refusal(seen, "10.244.1.5", "203.0.113.11"), "priority", 0), 30, "the table a rule leads to refuses");
	ok(!pw_routes_refusal(seen, "10.244.1.5", "203.0.113.10"), "a longer prefix of the same table takes it");
	ok(!pw_routes_refusal(seen, "10.244.1.5", "203.0.113.20"), "a throw route leaves it to the next rule");
	ok(!pw_routes_refusal(seen, "10.244.2.5", "203.0.113.11"), "another sender is not concerned");
	is_int(pw_map_int(pw_routes_refusal(seen, "10.244.1.9", "192.0.2.1"), "priority", 0), 40, "a rule refuses by itself");
	is_int(pw_map_int(pw_routes_refusal(seen, "10.244.2.5", "198.51.100.1"), "priority", 0), 32766, "a blackhole in the main table");
	ok(!pw_routes_refusal(seen, "10.244.2.5", "192.0.2.1"), "the default route takes the rest");
}

int main(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1u << 20);
	links(arena);
	ports(arena);
	owners(arena);
	refusals(arena);
	return tap_done();
}
