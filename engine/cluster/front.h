/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_FRONT_H
#define ENGINE_CLUSTER_FRONT_H

#include <cluster/model.h>
#include <cluster/ports.h>

/* Where Ingresses and OpenShift's Routes lead: a Service, and which of its ports. */
struct pw_front {
	const char *ns, *service;
	const char *port_name; uint16_t port; /* of the Service; both empty: all its ports */
	bool by_target;                       /* a Route names the target port instead */
};

int pw_front_ingress(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_route(struct pw_facts *facts, const struct pw_val *object);

/* The ports of `pod` that any front leads to. */
uint32_t pw_front_ports(const struct pw_facts *facts, const struct pw_pod *pod, struct pw_ports_pool *pool);

#endif
