/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * neighbour_mac: the MAC this place sends to for an address of its own segment,
 * against the one its owner has. They differ when another machine answers for
 * the address, or when somebody wrote the entry by hand.
 */
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <packetwalk/dataplane.h>

static const struct pw_param params[] = {
	{ "address", PW_TYPE_ADDRESS, 1, NULL, NULL, "The neighbour's address" },
	{ "mac", PW_TYPE_STR, 0, NULL, NULL, "The MAC of its owner, as seen there" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "right", PW_CLASS_OK, "The entry has the owner's MAC.", NULL, NULL },
	{ "proxied", PW_CLASS_OK, "The entry has the MAC of a router, or one that answers for several addresses: the packets go through it by design.", NULL, NULL },
	{ "none", PW_CLASS_OK, "There is no entry with a MAC: the address is not a neighbour's, or nothing was sent to it.", NULL, NULL },
	{ "unanswered", PW_CLASS_FAIL, "This place asked who has the address, and nobody answered.", "the owner is in another network segment, or its answers are filtered", "look at VLAN and port security of both switch ports" },
	{ "learned-wrong", PW_CLASS_FAIL, "The entry has another MAC than the owner: another machine answers for the address.", "two machines with one address, or an owner that got another interface a moment ago", "find the machine with that MAC" },
	{ "fixed-wrong", PW_CLASS_FAIL, "A permanent entry has another MAC than the owner.", "an entry made by hand or by an agent, older than the owner's interface", "delete the entry" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "seen", PW_TYPE_STR, NULL, "MAC in the entry, empty if none" },
	{ "expected", PW_TYPE_STR, NULL, "MAC of the owner" },
	{ "dev", PW_TYPE_STR, NULL, "Interface of the entry" },
	{ "state", PW_TYPE_STR, NULL, "State of the entry" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

static int probe(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	int rc = pw_read_neighbours(ctx, observation, err);
	return rc ? rc : pw_read_routes(ctx, strchr(pw_ctx_str(ctx, "address"), ':') ? AF_INET6 : AF_INET, observation, err);
}

/* The entry with a MAC if there is one: several interfaces may have asked. */
static const struct pw_val *entry_of(const struct pw_val *neighbours, const char *address)
{
	const struct pw_val *found = NULL;
	for (size_t i = 0; i < pw_val_count(neighbours); i++) {
		const struct pw_val *entry = pw_val_at(neighbours, i);
		if (!strcmp(pw_map_str(entry, "address", ""), address) && (!found || *pw_map_str(entry, "mac", "")))
			found = entry;
	}
	return found;
}

/* States of an entry without a MAC: it is being asked for, or was asked for in vain. */
static bool asked_in_vain(const char *state)
{
	return !strcmp(state, "failed") || !strcmp(state, "incomplete");
}

/* One MAC for all (Azure and other clouds; private VLANs), or a router's: whoever has it passes the packets on. */
#define PROXIES_FROM 2

static bool is_proxys(const struct pw_val *observation, const struct pw_val *entry)
{
	const struct pw_val *all = pw_map_get(observation, "neighbours"), *routes = pw_map_get(observation, "routes");
	size_t others = 0;
	for (size_t i = 0; i < pw_val_count(all); i++) {
		const struct pw_val *other = pw_val_at(all, i);
		if (other == entry || strcmp(pw_map_str(other, "dev", ""), pw_map_str(entry, "dev", "")) || strcasecmp(pw_map_str(other, "mac", ""), pw_map_str(entry, "mac", "")))
			continue;
		others++;
		if (pw_seq_find(routes, "gateway", pw_map_str(other, "address", "")))
			return true;
	}
	return others >= PROXIES_FROM;
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)err;
	const char *address = pw_ctx_str(ctx, "address"), *mac = pw_ctx_str(ctx, "mac");
	if (!mac || !*mac) {
		pw_result_unknown(result, "the MAC of the owner of %s is not known", address);
		return PW_OK;
	}
	const struct pw_val *entry = entry_of(pw_map_get(observation, "neighbours"), address);
	const char *seen = pw_map_str(entry, "mac", ""), *dev = pw_map_str(entry, "dev", "");
	struct pw_val *ev = pw_result_evidence(result);
	pw_map_set_str(ev, "seen", seen);
	pw_map_set_str(ev, "expected", mac);
	pw_map_set_str(ev, "dev", dev);
	pw_map_set_str(ev, "state", pw_map_str(entry, "state", ""));
	if (entry && !*seen && asked_in_vain(pw_map_str(entry, "state", "")))
		pw_result_set(result, "unanswered", "Nobody answers for %s on %s.", address, dev);
	else if (!*seen)
		pw_result_set(result, "none", "There is no neighbour entry for %s.", address);
	else if (!strcasecmp(seen, mac))
		pw_result_set(result, "right", "%s is at %s, as its owner says.", address, seen);
	else if (!pw_map_bool(entry, "permanent", false) && is_proxys(observation, entry))
		pw_result_set(result, "proxied", "Packets for %s go to %s on %s, which answers for other addresses as well.", address, seen, dev);
	else
		pw_result_set(result, pw_map_bool(entry, "permanent", false) ? "fixed-wrong" : "learned-wrong", "Packets for %s go to %s on %s, and its owner has %s.",
			      address, seen, dev, mac);
	return PW_OK;
}

const struct pw_check pw_check_neighbour_mac = {
	PW_CHECK_HEAD("neighbour_mac"),
	.summary = "Compare the MAC in a neighbour entry with the one its owner has",
	.details = "Finds two machines with one address, and entries made by hand.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.timeout_ms = 3000,
	.example = "check neighbour_mac address=192.168.50.12 mac=02:00:c0:a8:32:0c --at node:n1",
	.probe = probe,
	.judge = judge,
};
