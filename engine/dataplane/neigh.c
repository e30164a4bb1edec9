/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neighbour tables and forwarding databases. */
#include <packetwalk/dataplane.h>

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include <dataplane/nl.h>

struct reading { struct pw_arena *arena; struct pw_val *list; size_t n; };

static const char *state_word(unsigned state)
{
	static const struct { unsigned bit; const char *word; } words[] = {
		{ NUD_PERMANENT, "permanent" }, { NUD_NOARP, "noarp" }, { NUD_REACHABLE, "reachable" }, { NUD_STALE, "stale" }, { NUD_DELAY, "delay" },
		{ NUD_PROBE, "probe" }, { NUD_FAILED, "failed" }, { NUD_INCOMPLETE, "incomplete" },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (state & words[i].bit)
			return words[i].word;
	return "none";
}

static int take_neighbour(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[NDA_MAX + 1];
	char text[64], mac[32], name[32];
	(void)err;
	if (message->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(message) < sizeof *info)
		return PW_OK;
	pw_nl_attrs(message, sizeof *info, a, NDA_MAX);
	/* Multicast and loopback entries (NOARP) fill the table and tell nothing. */
	if (!*pw_nl_address(a[NDA_DST], text) || (info->ndm_state & NUD_NOARP) || r->n++ >= PW_NL_MAX_ITEMS)
		return PW_OK;
	struct pw_val *entry = pw_seq_add_map(r->list);
	pw_map_set_str(entry, "address", text);
	pw_map_set_str(entry, "dev", pw_nl_ifname((unsigned)info->ndm_ifindex, name));
	pw_map_set_str(entry, "mac", pw_nl_mac(a[NDA_LLADDR], mac));
	pw_map_set_str(entry, "state", state_word(info->ndm_state));
	pw_map_set_bool(entry, "permanent", (info->ndm_state & NUD_PERMANENT) != 0);
	return PW_OK;
}

static int take_fdb(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[NDA_MAX + 1];
	char text[64], mac[32], name[32], master[32];
	(void)err;
	if (message->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(message) < sizeof *info || r->n++ >= PW_NL_MAX_ITEMS)
		return PW_OK;
	pw_nl_attrs(message, sizeof *info, a, NDA_MAX);
	struct pw_val *entry = pw_seq_add_map(r->list);
	pw_map_set_str(entry, "mac", pw_nl_mac(a[NDA_LLADDR], mac));
	pw_map_set_str(entry, "dev", pw_nl_ifname((unsigned)info->ndm_ifindex, name));
	pw_map_set_str(entry, "dst", pw_nl_address(a[NDA_DST], text));
	pw_map_set_int(entry, "port", a[NDA_PORT] ? ntohs((uint16_t)pw_nl_u32(a[NDA_PORT], 0)) : 0);
	pw_map_set_int(entry, "vni", pw_nl_u32(a[NDA_VNI], 0));
	pw_map_set_bool(entry, "permanent", (info->ndm_state & NUD_PERMANENT) != 0);
	uint32_t bridge = pw_nl_u32(a[NDA_MASTER], 0);
	pw_map_set_str(entry, "master", bridge ? pw_nl_ifname(bridge, master) : "");
	return PW_OK;
}

static void start_over(void *arg)
{
	struct reading *r = arg;
	r->n = 0;
	r->list = pw_val_seq(r->arena);
}

static int read_table(struct pw_ctx *ctx, unsigned char family, pw_nl_fn take, const char *key, const char *doing, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct reading r = { .arena = arena, .list = pw_val_seq(arena) };
	struct pw_nl_request request;
	struct ndmsg *info = pw_nl_begin(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof *info);
	info->ndm_family = family;
	if (pw_nl_talk(NETLINK_ROUTE, &request, take, &r, start_over, NULL, err))
		return pw_err_wrap(err, "%s", doing);
	pw_map_set(ret, key, r.list);
	pw_nl_say_cut(ret, r.n);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "%s: out of memory", doing) : PW_OK;
}

int pw_read_neighbours(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	return read_table(ctx, AF_UNSPEC, take_neighbour, "neighbours", "listing neighbours", ret, err);
}

int pw_read_fdb(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	return read_table(ctx, AF_BRIDGE, take_fdb, "fdb", "listing forwarding entries", ret, err);
}

const struct pw_val *pw_port_of(const struct pw_val *observation, const char *address)
{
	const struct pw_val *neighbour = pw_seq_find(pw_map_get(observation, "neighbours"), "address", address), *fdb = pw_map_get(observation, "fdb");
	const char *mac = pw_map_str(neighbour, "mac", "");
	for (size_t i = 0; *mac && i < pw_val_count(fdb); i++) {
		const struct pw_val *entry = pw_val_at(fdb, i);
		if (!strcmp(pw_map_str(entry, "mac", ""), mac))
			return pw_seq_find(pw_map_get(observation, "links"), "name", pw_map_str(entry, "dev", ""));
	}
	return NULL;
}
