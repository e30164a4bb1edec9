/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_TYPES_H
#define ENGINE_CLUSTER_TYPES_H

#include <cluster/model.h>

/* Input types that name objects, one file each; types.c has the table. */

#define PW_MAX_CANDIDATES 10000 /* completion offers no more */
#define PW_MAX_NEAR 50000       /* names looked at for "did you mean" */

int pw_pod_resolve(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena,
		   struct pw_val **ret, struct pw_err *err);
int pw_pod_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret);
extern const char *const pw_pod_fields[];

int pw_service_resolve(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena,
		       struct pw_val **ret, struct pw_err *err);
int pw_service_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret);
extern const char *const pw_service_fields[];

int pw_node_resolve(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena,
		    struct pw_val **ret, struct pw_err *err);
int pw_node_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret);
extern const char *const pw_node_fields[];

int pw_namespace_resolve(const struct pw_facts *facts, const char *default_ns, const char *text, struct pw_arena *arena,
			 struct pw_val **ret, struct pw_err *err);
int pw_namespace_candidates(const struct pw_facts *facts, const char *default_ns, struct pw_arena *arena, struct pw_val **ret);
extern const char *const pw_namespace_fields[];

/* Splits "ns/name" or "name"; `ret_ns` is default_ns (or "default") then. False when it is neither. */
bool pw_split_name(const char *text, const char *default_ns, struct pw_arena *arena, const char **ret_ns, const char **ret_name);
/* The error for an object that is not there: what is nearest, or why nothing is known. `metas`: all there are. */
int pw_absent(const struct pw_facts *facts, enum pw_fact kind, const char *what, const char *ns, const char *name,
	      const struct pw_meta *const *metas, size_t n, struct pw_arena *arena, struct pw_err *err);
/* "ns/name" of every meta, those of default_ns first. */
int pw_list_candidates(const struct pw_meta *const *metas, size_t n, const char *default_ns, struct pw_arena *arena,
		       struct pw_val **ret);
void pw_map_set_labels(struct pw_val *map, const char *key, const struct pw_labels *labels);
/* "10.0.0.1:80", "[fd00::1]:80" */
const char *pw_host_port(struct pw_arena *arena, const char *address, unsigned port);
/* The address of a node by name, "" if it is not known. */
const char *pw_node_address(const struct pw_facts *facts, const char *name);

#endif
