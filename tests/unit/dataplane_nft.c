/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nft's JSON: kube-proxy's nftables mode, foreign rules that drop, and tables shared with iptables. */
#include "dataplane_util.h"

/* Items of "nftables" as nft 1.0.6 prints them, with ' for ". */
static struct pw_rules *add_nft(struct pw_arena *arena, struct pw_rules *rules, const char *const *items)
{
	struct pw_err err = PW_ERR_INIT;
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, 1u << 20);
	pw_buf_puts(&text, "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\", \"json_schema_version\": 1}}");
	for (size_t i = 0; items[i]; i++)
		pw_buf_printf(&text, ", %s", items[i]);
	pw_buf_puts(&text, "]}");
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\'')
			text.data[i] = '"';
	if (!rules)
		rules = pw_rules_new(arena);
	int rc = pw_rules_add_nft_json(rules, text.data, text.len, "nft.json", &err);
	ok(rc == PW_OK, "the ruleset parses: %s", err.text);
	return rules;
}

#define CHAIN(table, name) "{'chain': {'family': 'ip', 'table': '" table "', 'name': '" name "', 'handle': 1}}"
#define BASE(family, table, name, type, hook, prio, policy) \
	"{'chain': {'family': '" family "', 'table': '" table "', 'name': '" name "', 'handle': 1, 'type': '" type "', 'hook': '" hook "', 'prio': " prio ", 'policy': '" policy "'}}"
#define RULE(family, table, chain, expr) "{'rule': {'family': '" family "', 'table': '" table "', 'chain': '" chain "', 'handle': 9, 'expr': [" expr "]}}"
#define MATCH(left, right) "{'match': {'op': '==', 'left': " left ", 'right': " right "}}"
#define PAYLOAD(protocol, field) "{'payload': {'protocol': '" protocol "', 'field': '" field "'}}"
#define META(key) "{'meta': {'key': '" key "'}}"
#define KP(chain, expr) RULE("ip", "kube-proxy", chain, expr)
#define NEW "{'match': {'op': 'in', 'left': {'ct': {'key': 'state'}}, 'right': 'new'}}"
#define SERVICE_KEY "{'concat': [" PAYLOAD("ip", "daddr") ", " META("l4proto") ", " PAYLOAD("th", "dport") "]}"

static const char *const kube_proxy[] = {
	"{'table': {'family': 'ip', 'name': 'kube-proxy', 'handle': 1}}",
	"{'set': {'family': 'ip', 'name': 'cluster-ips', 'table': 'kube-proxy', 'type': 'ipv4_addr', 'handle': 1, 'elem': ['10.96.0.80', '10.96.0.99']}}",
	"{'set': {'family': 'ip', 'name': 'affinity-C', 'table': 'kube-proxy', 'type': 'ipv4_addr', 'handle': 1, 'flags': ['timeout'], 'timeout': 10800}}",
	"{'map': {'family': 'ip', 'name': 'service-ips', 'table': 'kube-proxy', 'type': ['ipv4_addr', 'inet_proto', 'inet_service'], 'handle': 6, 'map': 'verdict', 'elem': ["
	"[{'concat': ['10.96.0.80', 'tcp', 80]}, {'goto': {'target': 'service-A'}}], [{'concat': ['10.96.0.81', 'tcp', 80]}, {'goto': {'target': 'service-C'}}]]}}",
	"{'map': {'family': 'ip', 'name': 'service-nodeports', 'table': 'kube-proxy', 'type': ['inet_proto', 'inet_service'], 'handle': 7, 'map': 'verdict', 'elem': ["
	"[{'concat': ['tcp', 30080]}, {'goto': {'target': 'external-A'}}]]}}",
	"{'map': {'family': 'ip', 'name': 'no-endpoint-services', 'table': 'kube-proxy', 'type': ['ipv4_addr', 'inet_proto', 'inet_service'], 'handle': 5, 'map': 'verdict', 'elem': ["
	"[{'elem': {'val': {'concat': ['203.0.113.9', 'tcp', 443]}, 'comment': 'shop/local'}}, {'drop': null}], "
	"[{'elem': {'val': {'concat': ['10.96.0.99', 'tcp', 80]}, 'comment': 'shop/empty'}}, {'goto': {'target': 'reject-chain'}}]]}}",
	BASE("ip", "kube-proxy", "nat-prerouting", "nat", "prerouting", "-100", "accept"),
	BASE("ip", "kube-proxy", "nat-postrouting", "nat", "postrouting", "100", "accept"),
	BASE("ip", "kube-proxy", "filter-forward", "filter", "forward", "0", "accept"),
	CHAIN("kube-proxy", "services"), CHAIN("kube-proxy", "service-A"), CHAIN("kube-proxy", "service-C"), CHAIN("kube-proxy", "external-A"),
	CHAIN("kube-proxy", "endpoint-A1"), CHAIN("kube-proxy", "endpoint-A2"), CHAIN("kube-proxy", "endpoint-C1"), CHAIN("kube-proxy", "reject-chain"),
	CHAIN("kube-proxy", "mark-for-masquerade"), CHAIN("kube-proxy", "masquerading"), CHAIN("kube-proxy", "service-endpoints-check"),
	CHAIN("kube-proxy", "cluster-ips-check"),
	KP("nat-prerouting", "{'jump': {'target': 'services'}}"),
	KP("nat-postrouting", "{'jump': {'target': 'masquerading'}}"),
	KP("filter-forward", NEW ", {'jump': {'target': 'service-endpoints-check'}}"),
	KP("filter-forward", NEW ", {'jump': {'target': 'cluster-ips-check'}}"),
	KP("service-endpoints-check", "{'vmap': {'key': " SERVICE_KEY ", 'data': '@no-endpoint-services'}}"),
	KP("cluster-ips-check", MATCH(PAYLOAD("ip", "daddr"), "'@cluster-ips'") ", {'reject': null}"),
	KP("cluster-ips-check", MATCH(PAYLOAD("ip", "daddr"), "{'prefix': {'addr': '10.96.0.0', 'len': 16}}") ", {'drop': null}"),
	KP("services", "{'vmap': {'key': " SERVICE_KEY ", 'data': '@service-ips'}}"),
	KP("services", MATCH("{'fib': {'result': 'type', 'flags': ['daddr']}}", "'local'")
	   ", {'match': {'op': '!=', 'left': " PAYLOAD("ip", "daddr") ", 'right': {'prefix': {'addr': '127.0.0.0', 'len': 8}}}}"
	   ", {'vmap': {'key': {'concat': [" META("l4proto") ", " PAYLOAD("th", "dport") "]}, 'data': '@service-nodeports'}}"),
	KP("mark-for-masquerade", "{'mangle': {'key': " META("mark") ", 'value': {'|': [" META("mark") ", 16384]}}}"),
	KP("masquerading", MATCH("{'&': [" META("mark") ", 16384]}", "0") ", {'return': null}"),
	KP("masquerading", "{'mangle': {'key': " META("mark") ", 'value': {'^': [" META("mark") ", 16384]}}}"),
	KP("masquerading", "{'masquerade': {'flags': 'fully-random'}}"),
	KP("service-A", MATCH(PAYLOAD("ip", "daddr"), "'10.96.0.80'") ", {'match': {'op': '!=', 'left': " PAYLOAD("ip", "saddr")
	   ", 'right': {'prefix': {'addr': '10.244.0.0', 'len': 16}}}}, {'jump': {'target': 'mark-for-masquerade'}}"),
	KP("service-A", "{'vmap': {'key': {'numgen': {'mode': 'random', 'mod': 2, 'offset': 0}}, 'data': {'set': [[0, {'goto': {'target': 'endpoint-A1'}}], [1, {'goto': {'target': 'endpoint-A2'}}]]}}}"),
	KP("service-C", MATCH(PAYLOAD("ip", "saddr"), "'@affinity-C'") ", {'goto': {'target': 'endpoint-C1'}}"),
	KP("service-C", "{'vmap': {'key': {'numgen': {'mode': 'random', 'mod': 1, 'offset': 0}}, 'data': {'set': [[0, {'goto': {'target': 'endpoint-C1'}}]]}}}"),
	KP("external-A", "{'jump': {'target': 'mark-for-masquerade'}}"),
	KP("external-A", "{'goto': {'target': 'service-A'}}"),
	KP("endpoint-A1", MATCH(PAYLOAD("ip", "saddr"), "'10.244.1.5'") ", {'jump': {'target': 'mark-for-masquerade'}}"),
	KP("endpoint-A1", MATCH(META("l4proto"), "'tcp'") ", {'dnat': {'addr': '10.244.1.5', 'port': 8080}}"),
	KP("endpoint-A2", MATCH(META("l4proto"), "'tcp'") ", {'dnat': {'addr': '10.244.2.5', 'port': 8080}}"),
	KP("endpoint-C1", "{'set': {'op': 'update', 'elem': " PAYLOAD("ip", "saddr") ", 'set': '@affinity-C'}}"),
	KP("endpoint-C1", MATCH(META("l4proto"), "'tcp'") ", {'dnat': {'addr': '10.244.1.9', 'port': 80}}"),
	KP("reject-chain", "{'reject': null}"),
	NULL,
};

static const char *const node_addresses[] = { "192.168.0.11", "10.244.1.1" };

static struct pw_packet to(const char *src, const char *dst, unsigned port)
{
	return (struct pw_packet){ .src = src, .dst = dst, .protocol = "tcp", .dport = port, .iif = "cni0", .oif = "eth0",
		.locals = node_addresses, .n_locals = 2 };
}

static void services(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(16u << 20);
	struct pw_rules *rules = add_nft(arena, NULL, kube_proxy);
	struct pw_packet p = to("10.244.1.7", "10.96.0.80", 80);
	const struct pw_val *ret = walk(arena, rules, &p);
	ok(pw_rules_has_chain(rules, "kube-proxy", "services") && pw_rules_has_chain(rules, "ip kube-proxy", "services"), "kube-proxy's table is there");
	ok(!pw_rules_has_chain(rules, "ip6 kube-proxy", "services"), "of IPv4 only");
	is_str(pw_map_str(ret, "outcome", ""), "dnat", "a Service with two endpoints");
	is_str(joined(arena, pw_map_get(ret, "targets")), "10.244.1.5:8080,10.244.2.5:8080", "both may be chosen");
	ok(!pw_map_bool(ret, "masquerade", true), "a pod is not masqueraded");
	is_str(pw_map_str(pw_map_get(ret, "decided_by"), "table", ""), "ip kube-proxy", "by kube-proxy's table");
	is_str(pw_map_str(pw_map_get(ret, "decided_by"), "rule", ""), "meta l4proto tcp dnat to 10.244.1.5:8080", "the rule as nft prints it");
	is_str(pw_map_str(pw_val_get(ret, "trail.1"), "rule", ""), "ip daddr . meta l4proto . th dport vmap @service-ips", "the trail too");
	is_int(pw_val_count(pw_map_get(ret, "unknown")), 0, "nothing is unknown");
	p = to("192.168.0.50", "10.96.0.80", 80);
	ok(pw_map_bool(walk(arena, rules, &p), "masquerade", false), "one who is no pod is masqueraded");
	p = to("192.168.0.50", "192.168.0.11", 30080);
	ret = walk(arena, rules, &p);
	is_str(joined(arena, pw_map_get(ret, "targets")), "10.244.1.5:8080,10.244.2.5:8080", "a NodePort");
	ok(pw_map_bool(ret, "masquerade", false), "is masqueraded");
	p = to("10.244.1.7", "10.96.0.81", 80);
	is_str(joined(arena, pw_map_get(walk(arena, rules, &p), "targets")), "10.244.1.9:80", "affinity with no client yet");
	p = to("10.244.1.7", "10.96.0.99", 80);
	ret = walk(arena, rules, &p);
	is_str(pw_map_str(ret, "outcome", ""), "reject", "no endpoints");
	is_str(pw_map_str(ret, "reject_with", ""), "icmp port-unreachable", "what the client gets");
	p = to("10.244.1.7", "10.96.0.80", 81);
	is_str(outcome_of(arena, rules, &p), "reject", "a closed port of a Service address");
	p = to("10.244.1.7", "10.96.7.7", 80);
	is_str(outcome_of(arena, rules, &p), "drop", "an address of no Service");
	p = to("198.51.100.1", "203.0.113.9", 443);
	is_str(outcome_of(arena, rules, &p), "drop", "Local without an endpoint here");
	p = to("10.244.1.7", "10.244.2.5", 8080);
	is_str(outcome_of(arena, rules, &p), "none", "a packet of no Service is left alone");
}

/* One rule in an inet forward chain: outcome, and its text when that is to be seen. */
static void matches(void)
{
	static const struct { const char *expr, *want, *text; } cases[] = {
		{ MATCH(PAYLOAD("tcp", "dport"), "8080") ", {'counter': {'packets': 3, 'bytes': 180}}, {'drop': null}", "drop", "tcp dport 8080 counter drop" },
		{ MATCH(PAYLOAD("udp", "dport"), "8080") ", {'drop': null}", "none", NULL },
		{ MATCH(PAYLOAD("th", "dport"), "8080") ", {'drop': null}", "drop", "th dport 8080 drop" },
		{ MATCH(PAYLOAD("tcp", "dport"), "{'set': [22, 80, {'range': [8000, 9000]}]}") ", {'drop': null}", "drop", "tcp dport { 22, 80, 8000-9000 } drop" },
		{ "{'match': {'op': '!=', 'left': " PAYLOAD("tcp", "dport") ", 'right': {'set': [22, 80]}}}, {'drop': null}", "drop", "tcp dport != { 22, 80 } drop" },
		{ "{'match': {'op': '>', 'left': " PAYLOAD("tcp", "dport") ", 'right': 1023}}, {'drop': null}", "drop", "tcp dport > 1023 drop" },
		{ "{'match': {'op': '<=', 'left': " PAYLOAD("tcp", "dport") ", 'right': 8079}}, {'drop': null}", "none", NULL },
		{ MATCH(PAYLOAD("ip", "saddr"), "{'range': ['10.244.1.1', '10.244.1.9']}") ", {'drop': null}", "drop", "ip saddr 10.244.1.1-10.244.1.9 drop" },
		{ "{'match': {'op': '!=', 'left': " PAYLOAD("ip", "daddr") ", 'right': {'prefix': {'addr': '10.244.2.0', 'len': 24}}}}, {'drop': null}", "none", NULL },
		{ MATCH(PAYLOAD("ip6", "saddr"), "{'prefix': {'addr': 'fe80::', 'len': 10}}") ", {'drop': null}", "none", NULL },
		{ "{'match': {'op': '!=', 'left': " PAYLOAD("ip6", "saddr") ", 'right': 'fe80::1'}}, {'drop': null}", "none", NULL },
		{ MATCH(PAYLOAD("ip", "protocol"), "'tcp'") ", {'drop': null}", "drop", "ip protocol tcp drop" },
		{ MATCH(META("l4proto"), "{'set': ['tcp', 'udp']}") ", {'drop': null}", "drop", "meta l4proto { tcp, udp } drop" },
		{ MATCH(META("iifname"), "'cni0'") ", {'drop': null}", "drop", "iifname \"cni0\" drop" },
		{ MATCH(META("iifname"), "{'set': ['lo', 'veth*']}") ", {'drop': null}", "none", NULL },
		{ MATCH(META("oifname"), "'eth*'") ", {'drop': null}", "drop", "oifname \"eth*\" drop" },
		{ MATCH(META("nfproto"), "'ipv6'") ", {'drop': null}", "none", NULL },
		{ MATCH("{'&': [" META("mark") ", 16384]}", "16384") ", {'drop': null}", "none", NULL },
		{ "{'match': {'op': 'in', 'left': {'ct': {'key': 'state'}}, 'right': ['established', 'related']}}, {'accept': null}", "none", NULL },
		{ NEW ", {'drop': null}", "drop", "ct state new drop" },
		{ "{'match': {'op': '!=', 'left': {'ct': {'key': 'state'}}, 'right': 'new'}}, {'drop': null}", "none", NULL },
		{ "{'vmap': {'key': {'ct': {'key': 'state'}}, 'data': {'set': [['invalid', {'drop': null}], ['new', {'accept': null}]]}}}", "accept", NULL },
		{ "{'vmap': {'key': " PAYLOAD("ip", "saddr") ", 'data': {'set': [[{'prefix': {'addr': '10.244.1.0', 'len': 24}}, {'drop': null}]]}}}", "drop",
		  "ip saddr vmap { 10.244.1.0/24 : drop }" },
		{ MATCH("{'concat': [" PAYLOAD("ip", "saddr") ", " PAYLOAD("tcp", "dport") "]}", "{'set': [{'concat': ['10.244.1.7', 8080]}]}") ", {'reject': {'type': 'tcp reset'}}",
		  "reject", "ip saddr . tcp dport { 10.244.1.7 . 8080 } reject with tcp reset" },
		{ MATCH("{'&': [" PAYLOAD("tcp", "flags") ", ['syn', 'ack']]}", "'syn'") ", {'drop': null}", "drop", "tcp flags & (syn|ack) == syn drop" },
		{ "{'match': {'op': 'in', 'left': " PAYLOAD("tcp", "flags") ", 'right': ['ack', 'rst']}}, {'drop': null}", "none", NULL },
		{ MATCH("{'fib': {'result': 'type', 'flags': ['daddr']}}", "'local'") ", {'drop': null}", "none", NULL },
		{ MATCH("{'fib': {'result': 'oif', 'flags': ['saddr', 'iif']}}", "false") ", {'drop': null}", "maybe", "fib saddr . iif oif missing drop" },
		{ "{'limit': {'rate': 10, 'burst': 5, 'per': 'second'}}, {'drop': null}", "maybe", "limit rate 10/second drop" },
		{ MATCH("{'ct': {'key': 'mark'}}", "5") ", {'drop': null}", "maybe", "ct mark 0x5 drop" },
		{ MATCH(PAYLOAD("ether", "saddr"), "'11:22:33:44:55:66'") ", {'drop': null}", "maybe", NULL },
		{ MATCH(META("pkttype"), "'broadcast'") ", {'drop': null}", "maybe", NULL },
		{ MATCH(PAYLOAD("ip", "saddr"), "'@nowhere'") ", {'drop': null}", "maybe", NULL },
		{ "{'something': {'new': 1}}, {'drop': null}", "maybe", "something drop" },
		{ "{'xt': {'type': 'match', 'name': 'bpf'}}, {'drop': null}", "maybe", "xt match bpf drop" },
		{ "{'xt': null}, {'drop': null}", "maybe", NULL },
		{ "{'log': {'prefix': 'dropped '}}, {'drop': null}", "drop", "log prefix \"dropped \" drop" },
		{ "{'queue': {'num': 1}}", "none", NULL },
		{ MATCH(PAYLOAD("icmp", "type"), "'echo-request'") ", {'drop': null}", "none", NULL },
		{ "{'reject': {'type': 'icmpx', 'expr': 'admin-prohibited'}}", "reject", "reject with icmpx admin-prohibited" },
		{ "{'mangle': {'key': " META("mark") ", 'value': 7}}", "none", NULL },
	};
	struct pw_packet p = to("10.244.1.7", "10.244.2.5", 8080);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1u << 20);
		const char *items[] = { BASE("inet", "fw", "forward", "filter", "forward", "0", "accept"), NULL, NULL };
		items[1] = pw_arena_printf(arena, "%s%s%s", "{'rule': {'family': 'inet', 'table': 'fw', 'chain': 'forward', 'handle': 9, 'expr': [", cases[i].expr, "]}}");
		struct pw_rules *rules = add_nft(arena, NULL, items);
		const struct pw_val *ret = walk(arena, rules, &p), *maybe = pw_map_get(ret, "maybe_drop");
		is_str(maybe ? "maybe" : pw_map_str(ret, "outcome", "?"), cases[i].want, cases[i].expr);
		if (cases[i].text)
			is_str(pw_map_str(maybe ? maybe : pw_map_get(ret, "decided_by"), "rule", ""), cases[i].text, "its text");
	}
}

static void foreign(void)
{
	static const char *const items[] = {
		BASE("inet", "host-fw", "input", "filter", "input", "0", "drop"),
		RULE("inet", "host-fw", "input", MATCH(META("iifname"), "'lo'") ", {'accept': null}"),
		RULE("inet", "host-fw", "input", MATCH(PAYLOAD("udp", "dport"), "8472") ", {'counter': {'packets': 12, 'bytes': 999}}, {'drop': null}"),
		"{'rule': {'family': 'inet', 'table': 'host-fw', 'chain': 'input', 'handle': 9, 'comment': 'ssh', 'expr': [" MATCH(PAYLOAD("tcp", "dport"), "22") ", {'accept': null}]}}",
		BASE("netdev", "early", "ingress", "filter", "ingress", "0", "accept"),
		RULE("netdev", "early", "ingress", MATCH(PAYLOAD("udp", "dport"), "8472") ", {'drop': null}"),
		BASE("bridge", "br", "forward", "filter", "forward", "0", "accept"),
		RULE("bridge", "br", "forward", MATCH(PAYLOAD("ip", "daddr"), "'192.168.0.11'") ", {'drop': null}"),
		BASE("arp", "a", "input", "filter", "input", "0", "drop"),
		NULL,
	};
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(16u << 20);
	struct pw_err err = PW_ERR_INIT;
	struct pw_rules *rules = add_nft(arena, NULL, items);
	struct pw_packet p = { .src = "192.168.0.12", .dst = "192.168.0.11", .protocol = "udp", .dport = 8472, .iif = "eth0", .locals = node_addresses, .n_locals = 2 };
	const struct pw_val *ret = walk(arena, rules, &p), *decided = pw_map_get(ret, "decided_by");
	is_str(pw_map_str(ret, "outcome", ""), "drop", "a foreign rule drops VXLAN");
	is_str(pw_map_str(decided, "table", ""), "inet host-fw", "its table");
	is_str(pw_map_str(decided, "chain", ""), "input", "its chain");
	is_str(pw_map_str(decided, "rule", ""), "udp dport 8472 counter drop", "its text");
	is_int(pw_map_int(decided, "packets", -1), 12, "its counter");
	struct pw_val *found = pw_val_map(arena);
	is_int(pw_rules_find_drops(rules, &p, arena, found, &err), PW_OK, "every drop is looked for");
	is_int(pw_val_count(pw_map_get(found, "drops")), 3, "netdev, inet and bridge");
	is_str(pw_map_str(pw_val_get(found, "drops.0"), "table", ""), "netdev early", "netdev");
	is_str(pw_map_str(pw_val_get(found, "drops.0"), "hook", ""), "ingress", "at ingress");
	is_str(pw_map_str(pw_val_get(found, "drops.1"), "table", ""), "inet host-fw", "inet");
	is_str(pw_map_str(pw_val_get(found, "drops.2"), "table", ""), "bridge br", "bridge");
	struct pw_val *counters = pw_val_map(arena);
	(void)pw_rules_drop_counters(rules, counters);
	is_int(pw_map_int(counters, "inet host-fw/input#2 udp dport 8472 counter drop", -1), 12, "counters of nft rules");
	p.protocol = "tcp";
	p.dport = 22;
	ret = walk(arena, rules, &p);
	is_str(pw_map_str(ret, "outcome", ""), "accept", "ssh is accepted");
	is_str(pw_map_str(pw_map_get(ret, "decided_by"), "rule", ""), "tcp dport 22 accept comment \"ssh\"", "with its comment");
	p.dport = 10250;
	ret = walk(arena, rules, &p);
	ok(pw_map_bool(ret, "policy_drop", false), "the rest falls to the policy");
	is_str(pw_map_str(pw_map_get(ret, "decided_by"), "table", ""), "inet host-fw", "of that table");
}

static void nat(void)
{
	static const struct { const char *expr, *want; } cases[] = {
		{ MATCH(PAYLOAD("tcp", "dport"), "80") ", {'dnat': {'addr': '10.0.0.1', 'port': 8080}}", "10.0.0.1:8080" },
		{ "{'dnat': {'addr': {'map': {'key': {'numgen': {'mode': 'random', 'mod': 2, 'offset': 0}}, 'data': {'set': [[0, '10.0.0.1'], [1, '10.0.0.2']]}}}}}", "10.0.0.1:80,10.0.0.2:80" },
		{ "{'dnat': {'addr': {'map': {'key': {'numgen': {'mode': 'inc', 'mod': 2, 'offset': 0}}, 'data': {'set': [[0, '10.0.0.1'], [1, '10.0.0.2']]}}}, 'port': 81}}", "10.0.0.1:81,10.0.0.2:81" },
		{ "{'dnat': {'family': 'ip', 'addr': {'map': {'key': " PAYLOAD("tcp", "dport") ", 'data': '@eps'}}}}", "10.0.0.1:8080" },
		{ "{'dnat': {'addr': {'range': ['10.0.0.1', '10.0.0.2']}}}", "10.0.0.1:80,10.0.0.2:80" },
		{ MATCH(PAYLOAD("tcp", "dport"), "80") ", {'redirect': {'port': 90}}", "local:90" },
		{ "{'dnat': {'addr': {'map': {'key': {'osf': {'key': 'name'}}, 'data': '@eps'}}}}", "dnat to osf map @eps" },
	};
	struct pw_packet p = to("10.244.1.7", "192.0.2.1", 80);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1u << 20);
		const char *items[] = { BASE("ip", "n", "pr", "nat", "prerouting", "-100", "accept"),
			"{'map': {'family': 'ip', 'name': 'eps', 'table': 'n', 'type': 'inet_service', 'handle': 4, 'map': 'ipv4_addr . inet_service', 'elem': [[80, {'concat': ['10.0.0.1', 8080]}]]}}",
			NULL, NULL };
		items[2] = pw_arena_printf(arena, "%s%s%s", "{'rule': {'family': 'ip', 'table': 'n', 'chain': 'pr', 'handle': 9, 'expr': [", cases[i].expr, "]}}");
		struct pw_rules *rules = add_nft(arena, NULL, items);
		is_str(joined(arena, pw_map_get(walk(arena, rules, &p), "targets")), cases[i].want, cases[i].expr);
	}
}

/* Tables of iptables-nft stand in both outputs; what iptables cannot print is in one only. */
static void shared_tables(void)
{
	static const char save[] = "# Generated by iptables-nft-save v1.8.9 (nf_tables) on x\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
		"[1:60] -A FORWARD -p tcp -m tcp --dport 80 -m statistic --mode random --probability 0.50000000000 -j DROP\nCOMMIT\n";
	static const char *const items[] = {
		BASE("ip", "filter", "FORWARD", "filter", "forward", "0", "accept"),
		RULE("ip", "filter", "FORWARD", MATCH(PAYLOAD("tcp", "dport"), "80") ", {'xt': {'type': 'match', 'name': 'statistic'}}, {'counter': {'packets': 1, 'bytes': 60}}, {'drop': null}"),
		BASE("ip", "filter", "extra", "filter", "forward", "5", "accept"),
		RULE("ip", "filter", "extra", MATCH(PAYLOAD("tcp", "dport"), "6443") ", {'drop': null}"),
		BASE("ip", "mangle", "FORWARD", "filter", "forward", "-150", "accept"),
		RULE("ip", "mangle", "FORWARD", MATCH(META("pkttype"), "'broadcast'") ", {'xt': {'type': 'match', 'name': 'u32'}}, {'drop': null}"),
		NULL,
	};
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(16u << 20);
	struct pw_err err = PW_ERR_INIT;
	struct pw_rules *rules = pw_rules_new(arena);
	is_int(pw_rules_add_iptables_save(rules, PW_RULES_NFT, save, strlen(save), "save", &err), PW_OK, "iptables-nft-save first");
	(void)add_nft(arena, rules, items);
	is_int(pw_rules_count(rules), 3, "a rule is not read twice, and none is lost");
	struct pw_packet p = to("10.244.1.7", "10.244.2.5", 6443);
	const struct pw_val *ret = walk(arena, rules, &p);
	is_str(pw_map_str(ret, "outcome", ""), "drop", "a base chain that iptables leaves out");
	is_str(pw_map_str(pw_map_get(ret, "decided_by"), "chain", ""), "extra", "is found");
	p.dport = 80;
	ret = walk(arena, rules, &p);
	is_str(pw_map_str(pw_map_get(ret, "maybe_drop"), "table", ""), "ip mangle", "a table that iptables leaves out is read, with doubts");
	is_str(joined(arena, pw_map_get(ret, "unknown")), "meta pkttype broadcast,xt match u32", "that are named");
}

static void broken(void)
{
	static const char *const odd[] = {
		"{}", "{\"nftables\": 5}", "[]", "{\"nftables\": [{\"rule\": {\"expr\": [[[5]]]}}, {\"set\": {\"type\": [5], \"elem\": [5]}}, {\"map\": null}, 7, {\"chain\": {}}, {\"rule\": {\"family\": \"ip\"}}]}",
	};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1u << 20);
		struct pw_err err = PW_ERR_INIT;
		int rc = pw_rules_add_nft_json(pw_rules_new(arena), odd[i], strlen(odd[i]), "odd.json", &err);
		is_int(rc, i < 3 ? PW_SYNTAX : PW_OK, odd[i]);
		if (i < 3)
			is_str(err.text, "this is not what `nft -j list ruleset` prints: it has no list \"nftables\"", "says so");
	}
}

int main(void)
{
	services();
	matches();
	foreign();
	nat();
	shared_tables();
	broken();
	return tap_done();
}
