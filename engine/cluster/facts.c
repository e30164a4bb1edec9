/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cluster model: one table per kind, sorted and indexed by finish. */
#include <cluster/model.h>

#include <stdlib.h>
#include <string.h>

#include <base/text.h>

#define DEFAULT_DOMAIN "cluster.local" /* kubelet's default clusterDomain */

unsigned pw_kind_index(enum pw_fact kind)
{
	for (unsigned i = 0; i < PW_KIND_COUNT; i++)
		if ((unsigned)kind == 1u << i)
			return i;
	return PW_KIND_COUNT;
}

struct pw_facts *pw_facts_new(struct pw_arena *arena)
{
	struct pw_facts *facts = pw_arena_alloc(arena, sizeof(*facts));

	if (!facts)
		return NULL;
	facts->arena = arena;
	facts->now = pw_now_ms() / 1000;
	facts->domain = DEFAULT_DOMAIN;
	facts->version = "";
	for (unsigned i = 0; i < PW_KIND_COUNT; i++)
		facts->gap[i] = "";
	return facts;
}

void pw_facts_set_strict(struct pw_facts *facts, bool strict)
{
	facts->strict = strict;
}

void pw_facts_set_templates(struct pw_facts *facts, bool templates)
{
	facts->templates = templates;
}

void pw_facts_set_now(struct pw_facts *facts, int64_t now)
{
	facts->now = now;
}

int64_t pw_facts_newest(const struct pw_facts *facts)
{
	return facts->newest;
}

void pw_facts_set_version(struct pw_facts *facts, const char *version)
{
	facts->version = pw_keep_text(facts, version);
}

void pw_facts_set_known(struct pw_facts *facts, enum pw_fact kind, enum pw_known known, const char *gap)
{
	unsigned i = pw_kind_index(kind);

	if (i == PW_KIND_COUNT)
		return;
	facts->known[i] = known;
	facts->gap[i] = pw_keep_text(facts, gap);
}

int pw_table_store(struct pw_facts *facts, struct pw_table *table, const char *ns, const char *name, const char *extra,
		   const void *object)
{
	if (table->n == table->cap) {
		size_t cap = table->cap ? table->cap * 2 : 64;
		struct pw_row *grown = pw_arena_array(facts->arena, cap, sizeof(*grown));

		if (!grown)
			return PW_NOMEM;
		if (table->n)
			memcpy(grown, table->v, table->n * sizeof(*grown));
		table->v = grown;
		table->cap = cap;
	}
	table->v[table->n] = (struct pw_row){ ns, name, extra, object, table->n };
	table->n++;
	return PW_OK;
}

int pw_facts_store(struct pw_facts *facts, enum pw_fact kind, const char *ns, const char *name, const char *extra,
		   const void *object)
{
	return pw_table_store(facts, &facts->tables[pw_kind_index(kind)], ns, name, extra, object);
}

/* ---- finish ---- */

static int compare_key(const struct pw_row *a, const struct pw_row *b)
{
	int d = strcmp(a->ns, b->ns);

	if (d == 0)
		d = strcmp(a->name, b->name);
	if (d == 0)
		d = strcmp(a->extra, b->extra);
	return d;
}

static int compare_entries(const void *pa, const void *pb)
{
	const struct pw_row *a = pa, *b = pb;
	int d = compare_key(a, b);

	if (d == 0)
		d = a->seq < b->seq ? -1 : 1;
	return d;
}

/* Sorts; of several objects with one key the one read last stays. */
static int finish_table(struct pw_facts *facts, struct pw_table *table)
{
	size_t kept = 0;

	if (table->n == 0)
		return PW_OK;
	qsort(table->v, table->n, sizeof(*table->v), compare_entries);
	for (size_t i = 0; i < table->n; i++) {
		if (i + 1 < table->n && compare_key(&table->v[i], &table->v[i + 1]) == 0)
			continue;
		table->v[kept++] = table->v[i];
	}
	table->n = kept;
	const void **list = pw_arena_array(facts->arena, kept, sizeof(*list));

	if (!list)
		return PW_NOMEM;
	for (size_t i = 0; i < kept; i++) {
		table->v[i].seq = i;
		list[i] = table->v[i].object;
	}
	table->list = list;
	table->n_list = kept;
	return PW_OK;
}

static int compare_addresses(const void *pa, const void *pb)
{
	const struct pw_address_entry *a = pa, *b = pb;
	int d = pw_address_compare(&a->address, &b->address);

	if (d == 0 && a->rank != b->rank)
		d = a->rank < b->rank ? -1 : 1;
	if (d == 0)
		d = a->seq < b->seq ? -1 : a->seq > b->seq;
	return d;
}

static void index_add(struct pw_address_index *index, size_t cap, const char *text, unsigned rank, const void *object)
{
	struct pw_address address;

	if (index->n == cap || !pw_address_parse(text, &address))
		return;
	index->v[index->n] = (struct pw_address_entry){ address, rank, index->n, object };
	index->n++;
}

/* Adds `first` and `all` of an object; the list usually repeats the first. */
static void index_add_all(struct pw_address_index *index, size_t cap, const char *first, struct pw_strings all,
			  unsigned rank, const void *object)
{
	index_add(index, cap, first, rank, object);
	for (size_t i = 0; i < all.n; i++)
		if (strcmp(all.v[i], first) != 0)
			index_add(index, cap, all.v[i], rank, object);
}

static bool pod_finished(const struct pw_pod *pod)
{
	return strcmp(pod->phase, "Succeeded") == 0 || strcmp(pod->phase, "Failed") == 0;
}

static int index_pods(struct pw_facts *facts)
{
	size_t n, cap = 0;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);
	struct pw_address_index index = { NULL, 0 };

	for (size_t i = 0; i < n; i++)
		cap += 1 + pods[i]->ips.n;
	index.v = pw_arena_array(facts->arena, cap, sizeof(*index.v));
	if (cap && !index.v)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct pw_pod *pod = pods[i];

		if (!pod->host_network && !pod_finished(pod))
			index_add_all(&index, cap, pod->ip, pod->ips, pod->ready ? 0 : 1, pod);
	}
	facts->pods_by_ip = index;
	return PW_OK;
}

static int index_nodes(struct pw_facts *facts)
{
	size_t n, cap = 0;
	const struct pw_node *const *nodes = pw_facts_nodes(facts, &n);
	struct pw_address_index index = { NULL, 0 };

	for (size_t i = 0; i < n; i++)
		cap += 1 + nodes[i]->addresses.n;
	index.v = pw_arena_array(facts->arena, cap, sizeof(*index.v));
	if (cap && !index.v)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++)
		index_add_all(&index, cap, nodes[i]->internal_ip, nodes[i]->addresses, 0, nodes[i]);
	facts->nodes_by_ip = index;
	return PW_OK;
}

static int index_services(struct pw_facts *facts)
{
	size_t n, cap = 0;
	const struct pw_service *const *services = pw_facts_services(facts, &n);
	struct pw_address_index index = { NULL, 0 };

	for (size_t i = 0; i < n; i++)
		cap += 1 + services[i]->cluster_ips.n + services[i]->external_ips.n + services[i]->lb_ips.n;
	index.v = pw_arena_array(facts->arena, cap, sizeof(*index.v));
	if (cap && !index.v)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct pw_service *service = services[i];

		index_add_all(&index, cap, service->cluster_ip, service->cluster_ips, 0, service);
		index_add_all(&index, cap, "", service->external_ips, 1, service);
		index_add_all(&index, cap, "", service->lb_ips, 1, service);
	}
	facts->services_by_ip = index;
	return PW_OK;
}

static int compare_slices(const void *pa, const void *pb)
{
	const struct pw_slice *a = *(const struct pw_slice *const *)pa, *b = *(const struct pw_slice *const *)pb;
	int d = strcmp(a->meta.ns, b->meta.ns);

	if (d == 0)
		d = strcmp(a->service, b->service);
	if (d == 0)
		d = strcmp(a->meta.name, b->meta.name);
	return d;
}

static int index_slices(struct pw_facts *facts)
{
	size_t n;
	const struct pw_slice *const *slices = pw_facts_slices(facts, &n);
	const struct pw_slice **sorted;

	if (n == 0)
		return PW_OK;
	sorted = pw_arena_array(facts->arena, n, sizeof(*sorted));
	if (!sorted)
		return PW_NOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = slices[i];
	qsort(sorted, n, sizeof(const struct pw_slice *), compare_slices);
	facts->by_service = sorted;
	facts->n_by_service = n;
	return PW_OK;
}

static void sort_index(struct pw_address_index *index)
{
	if (index->n)
		qsort(index->v, index->n, sizeof(*index->v), compare_addresses);
}

/* The zone is not in the API; CoreDNS's own configuration names it. */
static void find_domain(struct pw_facts *facts)
{
	const struct pw_configmap *map = pw_facts_configmap(facts, "kube-system", "coredns");
	const char *corefile = map ? pw_labels_get(&map->data, "Corefile") : NULL;
	const char *zone = corefile ? pw_corefile_zone(corefile, facts->arena) : "";

	if (zone[0])
		facts->domain = zone;
}

static int compare_cluster_policies(const void *pa, const void *pb)
{
	const struct pw_cluster_policy *a = *(const struct pw_cluster_policy *const *)pa;
	const struct pw_cluster_policy *b = *(const struct pw_cluster_policy *const *)pb;

	int d;

	if (a->stage != b->stage)
		return a->stage < b->stage ? -1 : 1;
	if (a->after_network != b->after_network)
		return a->after_network ? 1 : -1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	d = strcmp(a->meta.ns, b->meta.ns);
	return d ? d : strcmp(a->meta.name, b->meta.name);
}

#define DEFAULT_TIER_ORDER 1000000.0 /* of Calico's tier "default" */
#define MAX_TIERS 900

static const struct pw_calico_tier *find_tier(const struct pw_facts *facts, const char *name)
{
	const struct pw_table *table = &facts->tables[PW_CALICO_TIERS];

	for (size_t i = 0; i < table->n_list; i++) {
		const struct pw_calico_tier *tier = table->list[i];

		if (strcmp(tier->name, name) == 0)
			return tier;
	}
	return NULL;
}

/* How many tiers come before this one; equal orders go by name. */
static int tier_rank(const struct pw_facts *facts, const struct pw_calico_tier *tier)
{
	const struct pw_table *table = &facts->tables[PW_CALICO_TIERS];
	int rank = 0;

	for (size_t i = 0; i < table->n_list && rank < MAX_TIERS; i++) {
		const struct pw_calico_tier *other = table->list[i];

		rank += other->order < tier->order || (other->order == tier->order && strcmp(other->name, tier->name) < 0);
	}
	return rank;
}

/* Where a policy of a tier stands is known when all tiers are. */
static void place_in_tiers(struct pw_facts *facts)
{
	struct pw_table *table = &facts->tables[PW_CLUSTER_POLICIES];

	for (size_t i = 0; i < table->n_list; i++) {
		struct pw_cluster_policy *policy = (struct pw_cluster_policy *)(uintptr_t)table->list[i];
		const struct pw_calico_tier *tier = policy->tier[0] ? find_tier(facts, policy->tier) : NULL;

		if (!policy->tier[0] || strcmp(policy->tier, "default") == 0)
			continue;
		policy->stage = PW_STAGE_TIERS;
		if (!tier)
			policy->unclear = policy->unclear[0] ? policy->unclear : "spec.tier: the Tier is not among the objects";
		else
			policy->stage = (tier->order < DEFAULT_TIER_ORDER ? (int)PW_STAGE_TIERS : (int)PW_STAGE_TIERS_AFTER) + 1 + tier_rank(facts, tier);
		if (tier && tier->passes)
			policy->isolates[0] = policy->isolates[1] = false;
	}
}

/* The rows stay sorted by name; only the list is what decides. */
static void order_cluster_policies(struct pw_facts *facts)
{
	struct pw_table *table = &facts->tables[PW_CLUSTER_POLICIES];

	place_in_tiers(facts);
	if (table->n_list)
		qsort(table->list, table->n_list, sizeof(*table->list), compare_cluster_policies);
}

void pw_facts_finish(struct pw_facts *facts)
{
	for (unsigned i = 0; i < PW_TABLES; i++)
		if (finish_table(facts, &facts->tables[i]) != PW_OK)
			facts->failed = true;
	for (unsigned i = 0; i < PW_KIND_COUNT; i++)
		if (facts->tables[i].n && facts->known[i] == PW_KNOWN_NOT_ASKED)
			facts->known[i] = PW_KNOWN_YES;
	order_cluster_policies(facts);
	if (index_pods(facts) != PW_OK || index_nodes(facts) != PW_OK || index_services(facts) != PW_OK ||
	    index_slices(facts) != PW_OK)
		facts->failed = true;
	sort_index(&facts->pods_by_ip);
	sort_index(&facts->nodes_by_ip);
	sort_index(&facts->services_by_ip);
	find_domain(facts);
}

bool pw_facts_failed(const struct pw_facts *facts)
{
	return facts->failed || pw_arena_failed(facts->arena);
}

/* ---- reading ---- */

enum pw_known pw_facts_known(const struct pw_facts *facts, enum pw_fact kind)
{
	unsigned i = pw_kind_index(kind);

	return i == PW_KIND_COUNT ? PW_KNOWN_NOT_ASKED : facts->known[i];
}

const char *pw_facts_gap(const struct pw_facts *facts, enum pw_fact kind)
{
	unsigned i = pw_kind_index(kind);

	return i == PW_KIND_COUNT ? "" : facts->gap[i];
}

int64_t pw_facts_now(const struct pw_facts *facts)
{
	return facts->now;
}

const char *pw_facts_version(const struct pw_facts *facts)
{
	return facts->version;
}

const char *pw_facts_cluster_domain(const struct pw_facts *facts)
{
	return facts->domain;
}

static const void *list_of(const struct pw_facts *facts, enum pw_fact kind, size_t *ret_count)
{
	const struct pw_table *table = &facts->tables[pw_kind_index(kind)];

	*ret_count = table->n_list;
	return table->list;
}

#define DEFINE_LIST(type, plural, kind)                                                                    \
	const struct type *const *pw_facts_##plural(const struct pw_facts *facts, size_t *ret_count)       \
	{                                                                                                  \
		return list_of(facts, kind, ret_count);                                                    \
	}
DEFINE_LIST(pw_namespace, namespaces, PW_FACT_NAMESPACES)
DEFINE_LIST(pw_node, nodes, PW_FACT_NODES)
DEFINE_LIST(pw_pod, pods, PW_FACT_PODS)
DEFINE_LIST(pw_service, services, PW_FACT_SERVICES)
DEFINE_LIST(pw_slice, slices, PW_FACT_SLICES)
DEFINE_LIST(pw_policy, policies, PW_FACT_POLICIES)
DEFINE_LIST(pw_workload, workloads, PW_FACT_WORKLOADS)
DEFINE_LIST(pw_configmap, configmaps, PW_FACT_CONFIGMAPS)
DEFINE_LIST(pw_event, events, PW_FACT_EVENTS)
DEFINE_LIST(pw_ingress, ingresses, PW_FACT_INGRESSES)

const struct pw_ingress_class *const *pw_facts_ingress_classes(const struct pw_facts *facts, size_t *ret_count)
{
	const struct pw_table *table = &facts->tables[PW_INGRESS_CLASSES];
	const void *list = table->list;

	*ret_count = table->n_list;
	return list;
}

const struct pw_cluster_policy *const *pw_facts_cluster_policies(const struct pw_facts *facts, size_t *ret_count)
{
	const struct pw_table *table = &facts->tables[PW_CLUSTER_POLICIES];
	const void *list = table->list;

	*ret_count = table->n_list;
	return list;
}

/* Objects added since the last finish are not seen: n_list, not n. */
static const void *find(const struct pw_facts *facts, enum pw_fact kind, const char *ns, const char *name)
{
	const struct pw_table *table = &facts->tables[pw_kind_index(kind)];
	struct pw_row key = { ns, name, "", NULL, 0 };
	size_t low = 0, high = table->n_list;

	if (!ns || !name)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_key(&table->v[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == table->n_list || strcmp(table->v[low].ns, ns) != 0 || strcmp(table->v[low].name, name) != 0)
		return NULL;
	return table->v[low].object;
}

const struct pw_namespace *pw_facts_namespace(const struct pw_facts *facts, const char *name)
{
	return find(facts, PW_FACT_NAMESPACES, "", name);
}

const struct pw_node *pw_facts_node(const struct pw_facts *facts, const char *name)
{
	return find(facts, PW_FACT_NODES, "", name);
}

const struct pw_pod *pw_facts_pod(const struct pw_facts *facts, const char *ns, const char *name)
{
	return find(facts, PW_FACT_PODS, ns, name);
}

const struct pw_service *pw_facts_service(const struct pw_facts *facts, const char *ns, const char *name)
{
	return find(facts, PW_FACT_SERVICES, ns, name);
}

const struct pw_configmap *pw_facts_configmap(const struct pw_facts *facts, const char *ns, const char *name)
{
	return find(facts, PW_FACT_CONFIGMAPS, ns, name);
}

static const void *find_address(const struct pw_address_index *index, const char *ip)
{
	struct pw_address address;
	size_t low = 0, high = index->n;

	if (!pw_address_parse(ip, &address))
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pw_address_compare(&index->v[middle].address, &address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == index->n || pw_address_compare(&index->v[low].address, &address) != 0)
		return NULL;
	return index->v[low].object;
}

const struct pw_pod *pw_facts_pod_by_ip(const struct pw_facts *facts, const char *ip)
{
	return find_address(&facts->pods_by_ip, ip);
}

const struct pw_node *pw_facts_node_by_ip(const struct pw_facts *facts, const char *ip)
{
	return find_address(&facts->nodes_by_ip, ip);
}

const struct pw_service *pw_facts_service_by_ip(const struct pw_facts *facts, const char *ip)
{
	return find_address(&facts->services_by_ip, ip);
}
