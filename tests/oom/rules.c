/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules of iptables and of nft, and a packet that forks on its way through them. */
#include "oom.h"

#include <stdint.h>
#include <string.h>

#include <packetwalk/cleanup.h>
#include <packetwalk/dataplane.h>

static const char save[] =
	"*nat\n:PREROUTING ACCEPT [0:0]\n:SVC - [0:0]\n-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j SVC\n"
	"-A SVC -p tcp -m statistic --mode random --probability 0.3 -j DNAT --to-destination 10.0.0.1-10.0.0.5:80\n-A SVC -p tcp -j DNAT --to-destination 10.0.0.9:80\nCOMMIT\n"
	"*filter\n:FORWARD DROP [1:1]\n-A FORWARD -m set --match-set x src -j ACCEPT\n-A FORWARD\n-A\nCOMMIT\n";
static const char nft[] =
	"{\"nftables\": [{\"chain\": {\"family\": \"inet\", \"table\": \"fw\", \"name\": \"f\", \"type\": \"filter\", \"hook\": \"forward\", \"prio\": 0, \"policy\": \"accept\"}},"
	"{\"set\": {\"family\": \"inet\", \"table\": \"fw\", \"name\": \"s\", \"type\": \"ipv4_addr\", \"elem\": [\"10.0.0.1\", \"10.0.0.2\"]}},"
	"{\"rule\": {\"family\": \"inet\", \"table\": \"fw\", \"chain\": \"f\", \"expr\": [{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"ip\", \"field\": \"daddr\"}}, \"right\": \"@s\"}},"
	"{\"limit\": {\"rate\": 5, \"per\": \"second\"}}, {\"drop\": null}]}}]}";

static int work(struct pw_arena *arena, struct pw_err *err)
{
	static const struct pw_packet packet = { .src = "10.1.1.1", .dst = "10.96.0.1", .protocol = "tcp", .dport = 80 };
	struct pw_rules *rules = pw_rules_new(arena);
	struct pw_val *ret = pw_val_map(arena);
	if (!rules || !ret)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	int rc = pw_rules_add_iptables_save(rules, PW_RULES_TEXT, save, strlen(save), "save", err);
	if (rc == PW_OK)
		rc = pw_rules_add_nft_json(rules, nft, strlen(nft), "nft", err);
	if (rc == PW_OK)
		rc = pw_rules_walk(rules, &packet, arena, ret, err);
	if (rc == PW_OK)
		rc = pw_rules_find_drops(rules, &packet, arena, ret, err);
	return rc == PW_OK && pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "out of memory") : rc;
}

static int run(struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	return arena ? work(arena, err) : pw_err_set(err, PW_NOMEM, "out of memory");
}

const struct oom_scenario oom_scenario = { run, false };
