/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_LOOKUP_H
#define PACKETWALK_LOOKUP_H

#include <packetwalk/ctx.h>
#include <packetwalk/facts.h>

#pragma GCC visibility push(default) /* plugins link against these */

/* What most judges begin with. */

/* "namespace/name" -> object, or NULL. */
const struct pw_service *pw_facts_service_ref(const struct pw_facts *facts, const char *ref);
const struct pw_pod *pw_facts_pod_ref(const struct pw_facts *facts, const char *ref);

/* Does the address ("ip" or "ip/len") lie in the block "ip/len"? 1, 0 (also of the other family), or -1 if one of the texts is not such. */
int pw_address_in_cidr(const char *address, const char *cidr);

/* Does `ip` lie in the pod CIDR of some node? 1, 0, or -1 when no node has one (some CNIs hand out addresses themselves). */
int pw_facts_in_pod_cidr(const struct pw_facts *facts, const char *ip);

/* True if every kind in `kinds` is known (whole or in part). Otherwise sets the
 * result to unknown, naming what is missing and why, and returns false. */
bool pw_facts_need(const struct pw_facts *facts, unsigned kinds, struct pw_result *result);

/* The port of a Service a client dials; port 0: the first of that protocol. `ret_other`: the
 * number is listed with another protocol. NULL if not listed. */
const struct pw_service_port *pw_service_find_port(const struct pw_service *service, unsigned port, const char *protocol, bool *ret_other);

/* The container port a pod serves for a Service port: the number, or the named port looked up in the
 * pod by name and protocol. 0 if the pod has no port of that name. */
unsigned pw_pod_target_port(const struct pw_pod *pod, const struct pw_service_port *port);

/* The pod runs and its containers do: not finished, not deleted. */
bool pw_pod_running(const struct pw_pod *pod);
/* The container through which a service mesh leads this pod's traffic, "" if none; of NULL too. */
const char *pw_pod_mesh_proxy(const struct pw_pod *pod);

#pragma GCC visibility pop

#endif
