/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_PROXY_H
#define ENGINE_CLUSTER_PROXY_H

#include <packetwalk/facts.h>

/* What kube-proxy has to make of the first packet of a connection, by Services and EndpointSlices alone. */

struct pw_proxy_node {
	const char *name;
	struct pw_strings ips;                 /* its addresses, the first is the one it is known by */
	struct pw_strings pod_cidrs;           /* whose senders are pods: of them nothing is masqueraded without need */
	struct pw_strings service_cidrs;       /* none: which addresses of Services are not given to any is not known */
	struct pw_strings nodeport_addresses;  /* blocks in which node ports are open; none: all its addresses */
	bool nftables;                         /* answers closed ports of Services, and drops addresses that no Service has */
};

enum pw_proxy_outcome { PW_PROXY_NONE, PW_PROXY_DNAT, PW_PROXY_REJECT, PW_PROXY_DROP };
extern const char *const pw_proxy_words[]; /* "none", "dnat", "reject", "drop" */

struct pw_proxy_packet { const char *src, *protocol, *dst; uint16_t port; };

struct pw_proxy_answer {
	enum pw_proxy_outcome outcome;
	const struct pw_service *service;      /* whose address it is; NULL when no Service's */
	const struct pw_backend *backends; size_t n_backends; /* dnat: each that may be chosen, in the arena */
	bool masquerade;                       /* the source is rewritten, whichever backend is chosen */
	const char *why;
};

/* False when out of memory. */
bool pw_proxy_ask(const struct pw_facts *facts, const struct pw_proxy_node *node, const struct pw_proxy_packet *packet,
		  struct pw_arena *arena, struct pw_proxy_answer *ret);

#endif
