/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interfaces of this namespace, with addresses, tunnel and bridge port data. */
#include <packetwalk/dataplane.h>

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include <dataplane/nl.h>

/* IFF_LOWER_UP of linux/if.h, which cannot be included beside net/if.h. */
#define LOWER_UP (1u << 16)

struct addresses { unsigned index; struct pw_val *list; struct addresses *next; };
struct reading { struct pw_arena *arena; struct pw_val *links; size_t n; struct addresses *addresses; };

static const char *text_of(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(attr) : "";
}

static void put_stats(struct pw_val *link, const struct nlattr *attr)
{
	struct rtnl_link_stats64 stats;
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;
	memset(&stats, 0, sizeof stats);
	if (!len)
		return;
	memcpy(&stats, mnl_attr_get_payload(attr), len < sizeof stats ? len : sizeof stats);
	pw_map_set_int(link, "rx_packets", (long long)stats.rx_packets);
	pw_map_set_int(link, "tx_packets", (long long)stats.tx_packets);
	pw_map_set_int(link, "rx_bytes", (long long)stats.rx_bytes);
	pw_map_set_int(link, "tx_bytes", (long long)stats.tx_bytes);
	pw_map_set_int(link, "rx_dropped", (long long)stats.rx_dropped);
	pw_map_set_int(link, "tx_dropped", (long long)stats.tx_dropped);
	pw_map_set_int(link, "rx_errors", (long long)stats.rx_errors);
	pw_map_set_int(link, "tx_errors", (long long)stats.tx_errors);
}

static void put_vxlan(struct pw_val *link, const struct nlattr *data)
{
	const struct nlattr *a[IFLA_VXLAN_MAX + 1];
	char text[64], name[32];
	pw_nl_nested(data, a, IFLA_VXLAN_MAX);
	struct pw_val *vxlan = pw_map_set_map(link, "vxlan");
	pw_map_set_int(vxlan, "id", pw_nl_u32(a[IFLA_VXLAN_ID], 0));
	pw_map_set_int(vxlan, "port", ntohs((uint16_t)pw_nl_u32(a[IFLA_VXLAN_PORT], 0)));
	pw_map_set_str(vxlan, "local", pw_nl_address(a[IFLA_VXLAN_LOCAL] ? a[IFLA_VXLAN_LOCAL] : a[IFLA_VXLAN_LOCAL6], text));
	uint32_t lower = pw_nl_u32(a[IFLA_VXLAN_LINK], 0);
	pw_map_set_str(vxlan, "dev", lower ? pw_nl_ifname(lower, name) : "");
	pw_map_set_bool(vxlan, "learning", pw_nl_u32(a[IFLA_VXLAN_LEARNING], 0) != 0);
}

static void put_bridge_port(struct pw_val *link, const struct nlattr *data)
{
	const struct nlattr *a[IFLA_BRPORT_MAX + 1];
	pw_nl_nested(data, a, IFLA_BRPORT_MAX);
	struct pw_val *port = pw_map_set_map(link, "bridge_port");
	pw_map_set_int(port, "state", pw_nl_u32(a[IFLA_BRPORT_STATE], 0));
	pw_map_set_bool(port, "hairpin", pw_nl_u32(a[IFLA_BRPORT_MODE], 0) != 0);
	pw_map_set_bool(port, "isolated", pw_nl_u32(a[IFLA_BRPORT_ISOLATED], 0) != 0);
	pw_map_set_bool(port, "learning", pw_nl_u32(a[IFLA_BRPORT_LEARNING], 1) != 0);
}

static void put_kind(struct pw_val *link, const struct nlattr *linkinfo)
{
	const struct nlattr *a[IFLA_INFO_MAX + 1];
	pw_nl_nested(linkinfo, a, IFLA_INFO_MAX);
	const char *kind = text_of(a[IFLA_INFO_KIND]);
	pw_map_set_str(link, "kind", kind);
	if (!strcmp(kind, "vxlan") && a[IFLA_INFO_DATA])
		put_vxlan(link, a[IFLA_INFO_DATA]);
	if (!strcmp(text_of(a[IFLA_INFO_SLAVE_KIND]), "bridge") && a[IFLA_INFO_SLAVE_DATA])
		put_bridge_port(link, a[IFLA_INFO_SLAVE_DATA]);
}

static struct addresses *find_addresses(const struct reading *r, unsigned index)
{
	struct addresses *a = r->addresses;
	while (a && a->index != index)
		a = a->next;
	return a;
}

static struct pw_val *addresses_of(struct reading *r, unsigned index)
{
	struct addresses *a = find_addresses(r, index);
	if (a)
		return a->list;
	a = pw_arena_alloc(r->arena, sizeof *a);
	if (!a)
		return NULL;
	*a = (struct addresses){ .index = index, .list = pw_val_seq(r->arena), .next = r->addresses };
	r->addresses = a;
	return a->list;
}

static int take_link(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	const struct nlattr *a[IFLA_MAX + 1];
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	char mac[32], name[32];
	(void)err;
	if (message->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(message) < sizeof *info || r->n++ >= PW_NL_MAX_ITEMS)
		return PW_OK;
	pw_nl_attrs(message, sizeof *info, a, IFLA_MAX);
	struct pw_val *link = pw_seq_add_map(r->links);
	pw_map_set_int(link, "index", info->ifi_index);
	pw_map_set_str(link, "name", text_of(a[IFLA_IFNAME]));
	put_kind(link, a[IFLA_LINKINFO]);
	pw_map_set_str(link, "mac", pw_nl_mac(a[IFLA_ADDRESS], mac));
	pw_map_set_int(link, "mtu", pw_nl_u32(a[IFLA_MTU], 0));
	pw_map_set_bool(link, "up", (info->ifi_flags & IFF_UP) != 0);
	pw_map_set_bool(link, "carrier", (info->ifi_flags & LOWER_UP) != 0);
	pw_map_set_bool(link, "promisc", pw_nl_u32(a[IFLA_PROMISCUITY], 0) != 0);
	uint32_t master = pw_nl_u32(a[IFLA_MASTER], 0);
	pw_map_set_str(link, "master", master ? pw_nl_ifname(master, name) : "");
	pw_map_set_int(link, "peer_index", pw_nl_u32(a[IFLA_LINK], 0));
	pw_map_set_int(link, "peer_netns", a[IFLA_LINK_NETNSID] ? (long long)(int32_t)mnl_attr_get_u32(a[IFLA_LINK_NETNSID]) : -1);
	pw_map_set_str(link, "qdisc", text_of(a[IFLA_QDISC]));
	put_stats(link, a[IFLA_STATS64]);
	struct addresses *own = find_addresses(r, (unsigned)info->ifi_index);
	pw_map_set(link, "addresses", own ? own->list : pw_val_seq(r->arena));
	return PW_OK;
}

static int take_address(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	const struct nlattr *a[IFA_MAX + 1];
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	char text[64];
	(void)err;
	if (message->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(message) < sizeof *info)
		return PW_OK;
	pw_nl_attrs(message, sizeof *info, a, IFA_MAX);
	const char *address = pw_nl_address(a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS], text);
	if (*address && r->n++ < PW_NL_MAX_ITEMS)
		pw_seq_add_str(addresses_of(r, info->ifa_index), pw_arena_printf(r->arena, "%s/%u", address, info->ifa_prefixlen));
	return PW_OK;
}

static void links_over(void *arg)
{
	struct reading *r = arg;
	r->n = 0;
	r->links = pw_val_seq(r->arena);
}

static void addresses_over(void *arg)
{
	struct reading *r = arg;
	r->n = 0;
	r->addresses = NULL;
}

int pw_read_links(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct reading r = { .arena = arena, .links = pw_val_seq(arena) };
	struct pw_nl_request request;
	struct ifaddrmsg *address = pw_nl_begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof *address);
	address->ifa_family = AF_UNSPEC;
	if (pw_nl_talk(NETLINK_ROUTE, &request, take_address, &r, addresses_over, NULL, err))
		return pw_err_wrap(err, "listing addresses");
	struct ifinfomsg *info = pw_nl_begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof *info);
	info->ifi_family = AF_UNSPEC;
	r.n = 0;
	if (pw_nl_talk(NETLINK_ROUTE, &request, take_link, &r, links_over, NULL, err))
		return pw_err_wrap(err, "listing interfaces");
	pw_map_set(ret, "links", r.links);
	pw_nl_say_cut(ret, r.n);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "listing interfaces: out of memory") : PW_OK;
}

bool pw_link_has_address(const struct pw_val *link, const char *address)
{
	const struct pw_val *list = pw_map_get(link, "addresses");
	size_t len = strlen(address);
	for (size_t i = 0; len && i < pw_val_count(list); i++) {
		const char *text = pw_val_text(pw_val_at(list, i));
		if (text && !strncmp(text, address, len) && (text[len] == '/' || !text[len]))
			return true;
	}
	return false;
}

bool pw_link_is_tunnel(const char *kind)
{
	static const char *const kinds[] = { "vxlan", "geneve", "ipip", "gre", "gretap", "wireguard", "tun", "sit", "ip6tnl", "ip6gre" };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

bool pw_link_is_uplink(const struct pw_val *link)
{
	static const char *const prefixes[] = { "eth", "ens", "eno", "enp", "bond" };
	const char *kind = pw_map_str(link, "kind", ""), *name = pw_map_str(link, "name", "");
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return !*kind && *name && strcmp(name, "lo") != 0;
}
