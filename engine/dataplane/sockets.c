/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening TCP and bound UDP sockets of this namespace, by sock_diag. */
#include <packetwalk/dataplane.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

#include <dataplane/nl.h>

/* TCP states as the kernel numbers them (net/tcp_states.h): a listener, and a
 * UDP socket that is bound and not connected. */
#define STATE_CLOSE 7
#define STATE_LISTEN 10

struct reading { struct pw_arena *arena; struct pw_val *list; size_t n; unsigned char protocol; };

static int take_socket(const struct nlmsghdr *message, void *arg, struct pw_err *err)
{
	struct reading *r = arg;
	const struct inet_diag_msg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[INET_DIAG_SKV6ONLY + 1];
	char text[INET6_ADDRSTRLEN] = "";
	(void)err;
	if (mnl_nlmsg_get_payload_len(message) < sizeof *info || r->n++ >= PW_NL_MAX_ITEMS)
		return PW_OK;
	pw_nl_attrs(message, sizeof *info, a, INET_DIAG_SKV6ONLY);
	bool tcp = r->protocol == IPPROTO_TCP;
	(void)inet_ntop(info->idiag_family, info->id.idiag_src, text, sizeof text);
	struct pw_val *socket = pw_seq_add_map(r->list);
	pw_map_set_str(socket, "protocol", tcp ? "tcp" : "udp");
	pw_map_set_int(socket, "family", info->idiag_family == AF_INET6 ? 6 : 4);
	pw_map_set_str(socket, "address", text);
	pw_map_set_int(socket, "port", ntohs(info->id.idiag_sport));
	pw_map_set_bool(socket, "v6only", pw_nl_u32(a[INET_DIAG_SKV6ONLY], 0) != 0);
	/* For a listener these are the accept queue and its limit (inet_diag: rqueue, wqueue). */
	pw_map_set_int(socket, "queue", info->idiag_rqueue);
	pw_map_set_int(socket, "backlog", tcp ? info->idiag_wqueue : 0);
	pw_map_set_int(socket, "inode", info->idiag_inode);
	const struct nlattr *mem = a[INET_DIAG_SKMEMINFO];
	if (mem && mnl_attr_get_payload_len(mem) >= (SK_MEMINFO_DROPS + 1) * sizeof(uint32_t)) {
		uint32_t values[SK_MEMINFO_DROPS + 1];
		memcpy(values, mnl_attr_get_payload(mem), sizeof values);
		pw_map_set_int(socket, "drops", values[SK_MEMINFO_DROPS]);
	}
	return PW_OK;
}

static int ask(struct reading *r, unsigned char family, unsigned char protocol, struct pw_err *err)
{
	struct pw_nl_request request;
	struct inet_diag_req_v2 *info = pw_nl_begin(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof *info);
	info->sdiag_family = family;
	info->sdiag_protocol = protocol;
	info->idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
	info->idiag_states = protocol == IPPROTO_TCP ? 1u << STATE_LISTEN : 1u << STATE_CLOSE;
	r->protocol = protocol;
	return pw_nl_talk(NETLINK_SOCK_DIAG, &request, take_socket, r, NULL, NULL, err);
}

int pw_read_listeners(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err)
{
	static const struct { unsigned char family, protocol; } kinds[] = {
		{ AF_INET, IPPROTO_TCP }, { AF_INET6, IPPROTO_TCP }, { AF_INET, IPPROTO_UDP }, { AF_INET6, IPPROTO_UDP },
	};
	struct pw_arena *arena = pw_ctx_arena(ctx);
	struct reading r = { .arena = arena, .list = pw_val_seq(arena) };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (ask(&r, kinds[i].family, kinds[i].protocol, err))
			return pw_err_wrap(err, "listing listening sockets");
	pw_map_set(ret, "sockets", r.list);
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "listing sockets: out of memory") : PW_OK;
}
