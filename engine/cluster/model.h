/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_MODEL_H
#define ENGINE_CLUSTER_MODEL_H

#include <packetwalk/val.h>

#include <cluster/address.h>
#include <cluster/cluster.h>

/* The inside of the cluster model. Private to engine/cluster. */

#define PW_KIND_COUNT 10         /* bits of enum pw_fact */
#define PW_CLUSTER_POLICIES PW_KIND_COUNT /* tables behind those of the kinds */
#define PW_FRONTS (PW_KIND_COUNT + 1)
#define PW_INGRESS_CLASSES (PW_KIND_COUNT + 2)
#define PW_CALICO_TIERS (PW_KIND_COUNT + 3)
#define PW_TABLES (PW_KIND_COUNT + 4)
#define PW_TEXT_CACHE 4096       /* slots of the shared-string cache, a power of two */

/* One stored object and what it is sorted by. `extra` tells apart objects of
 * one name (a Deployment and a ReplicaSet, the events of a pod). */
struct pw_row { const char *ns, *name, *extra; const void *object; size_t seq; };
struct pw_table {
	struct pw_row *v; size_t n, cap;
	const void **list; size_t n_list; /* the objects of v, after finish */
};

/* Calico's Tier: where in the order, and whether what no policy of it matches goes on to the next. */
struct pw_calico_tier { const char *name; double order; bool passes; };

/* Objects by address: the best claim to an address comes first. */
struct pw_address_entry { struct pw_address address; unsigned rank; size_t seq; const void *object; };
struct pw_address_index { struct pw_address_entry *v; size_t n; };

struct pw_facts {
	struct pw_arena *arena;
	struct pw_table tables[PW_TABLES];
	enum pw_known known[PW_KIND_COUNT];
	const char *gap[PW_KIND_COUNT];
	bool strict, templates, failed;
	struct pw_address_index pods_by_ip, nodes_by_ip, services_by_ip;
	const struct pw_slice **by_service; size_t n_by_service; /* slices sorted by namespace, service */
	const char *domain, *version;
	int64_t now, newest;
	const char *cache[PW_TEXT_CACHE];
};

/* Index of a kind's bit; PW_KIND_COUNT if it is none. */
unsigned pw_kind_index(enum pw_fact kind);
/* Stores a decoded object. `extra` as in pw_row. */
int pw_table_store(struct pw_facts *facts, struct pw_table *table, const char *ns, const char *name, const char *extra,
		   const void *object);
int pw_facts_store(struct pw_facts *facts, enum pw_fact kind, const char *ns, const char *name, const char *extra,
		   const void *object);

/* ---- decode.c: from API objects into the model, leniently ---- */

/* Text copied into the model; equal short texts are often shared. Never NULL. */
const char *pw_keep(struct pw_facts *facts, const struct pw_val *val);
const char *pw_keep_text(struct pw_facts *facts, const char *text);
const char *pw_keep_key(struct pw_facts *facts, const struct pw_val *map, const char *key);
struct pw_strings pw_keep_strings(struct pw_facts *facts, const struct pw_val *seq);
struct pw_labels pw_keep_labels(struct pw_facts *facts, const struct pw_val *map);
void pw_keep_meta(struct pw_facts *facts, const struct pw_val *object, struct pw_meta *ret);
/* As pw_keep_meta; an object that names no namespace is in "default", as kubectl would put it. */
void pw_keep_namespaced_meta(struct pw_facts *facts, const struct pw_val *object, struct pw_meta *ret);
void pw_keep_selector(struct pw_facts *facts, const struct pw_val *selector, struct pw_selector *ret);
int64_t pw_keep_time(struct pw_facts *facts, const struct pw_val *map, const char *key);
/* Not there, or null. */
bool pw_val_absent(const struct pw_val *val);
/* A number of a map clamped to 0..max; `otherwise` when not a number. */
unsigned pw_map_uint(const struct pw_val *map, const char *key, unsigned max, unsigned otherwise);
/* An IntOrString: a port number, or a name. */
void pw_keep_port(struct pw_facts *facts, const struct pw_val *val, uint16_t *ret_number, const char **ret_name);
/* A list of at most `max` decoded elements: returns zeroed memory and the count. */
void *pw_keep_array(struct pw_facts *facts, const struct pw_val *seq, size_t max, size_t size, size_t *ret_n);

typedef int (*pw_decode_fn)(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_pod(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_service(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_slice(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_node(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_policy(struct pw_facts *facts, const struct pw_val *object);
/* `kind` is a literal: items of a typed list do not name theirs. */
int pw_decode_workload(struct pw_facts *facts, const struct pw_val *object, const char *kind);
int pw_decode_cluster_policy(struct pw_facts *facts, const struct pw_val *object, const char *kind);
int pw_decode_calico(struct pw_facts *facts, const struct pw_val *object, const char *kind);
int pw_decode_tier(struct pw_facts *facts, const struct pw_val *object, const char *kind);
int pw_decode_cilium(struct pw_facts *facts, const struct pw_val *object, const char *kind);
int pw_decode_configmap(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_namespace(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_event(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_ingress(struct pw_facts *facts, const struct pw_val *object);
int pw_decode_ingress_class(struct pw_facts *facts, const struct pw_val *object);
/* A pod as a template would make it; meta.name is the owner's name. */
int pw_decode_template(struct pw_facts *facts, const struct pw_val *object, const char *kind,
		       const struct pw_val *template);

/* ---- valid_*.c: what an API server would reject ---- */
int pw_valid_policy(const struct pw_val *object, struct pw_err *err);
int pw_valid_admin_policy(const struct pw_val *object, struct pw_err *err);
int pw_valid_baseline_policy(const struct pw_val *object, struct pw_err *err);
int pw_valid_cluster_policy(const struct pw_val *object, struct pw_err *err);

/* The slices of a Service, a run of the sorted index. */
size_t pw_facts_slices_of(const struct pw_facts *facts, const struct pw_service *service, const struct pw_slice *const **ret);

/* The zone of a Corefile's kubernetes plugin, "" if none. */
const char *pw_corefile_zone(const char *corefile, struct pw_arena *arena);

#endif
