/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cluster: its source, its model, and what of it was asked for so far. */
#include <cluster/source/source.h>

#include <stdlib.h>
#include <string.h>

#include <cluster/source/kube.h>

#define MODEL_MAX ((size_t)4 << 30) /* bytes of one model: about a hundred times a cluster of 5000 nodes */

struct pw_cluster {
	struct pw_arena *arena;
	struct pw_facts *facts;
	const struct pw_source *source;
	struct pw_source_state *state;
	unsigned whole;               /* kinds fetched for all namespaces */
	unsigned part;                /* kinds fetched for part_ns only */
	char part_ns[64];             /* a namespace name has at most 63 bytes */
	char ns[64];
	int64_t deadline_ms;
};

static const struct pw_source *const sources[] = { &pw_source_bundle, &pw_source_manifests, &pw_source_kube, &pw_source_in_cluster };

const char *pw_fact_word(enum pw_fact kind)
{
	static const char *const words[PW_KIND_COUNT] = {
		"namespaces", "nodes", "pods", "services", "endpointslices", "networkpolicies", "workloads", "configmaps", "events", "ingresses",
	};
	unsigned i = pw_kind_index(kind);

	return i == PW_KIND_COUNT ? "objects" : words[i];
}

static int find_source(const char *text, const struct pw_source **ret, const char **ret_rest, struct pw_err *err)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		size_t len = strlen(sources[i]->scheme);

		if (strncmp(text, sources[i]->scheme, len) != 0)
			continue;
		*ret = sources[i];
		*ret_rest = text + len;
		return PW_OK;
	}
	return pw_err_set(err, PW_USAGE, "\"%s\" is not a cluster: use kube:, in-cluster:, bundle:DIR or manifests:DIR", text);
}

static int open_source(struct pw_cluster *cluster, const struct pw_cluster_config *config, struct pw_err *err)
{
	const char *text = config->source, *rest = "";
	int rc;

	if (!text)
		text = pw_kube_default_source(config);
	rc = find_source(text, &cluster->source, &rest, err);
	if (rc != PW_OK)
		return rc;
	return cluster->source->open(config, rest, cluster->arena, &cluster->state, err);
}

static void choose_namespace(struct pw_cluster *cluster, const struct pw_cluster_config *config)
{
	const char *ns = config->namespace_ && config->namespace_[0] ? config->namespace_ : cluster->source->namespace_(cluster->state);

	if (!ns[0] || strlen(ns) >= sizeof(cluster->ns))
		ns = "default";
	memcpy(cluster->ns, ns, strlen(ns) + 1);
}

int pw_cluster_open(const struct pw_cluster_config *config, struct pw_cluster **ret, struct pw_err *err)
{
	struct pw_cluster *cluster = calloc(1, sizeof(*cluster));
	int rc;

	if (!cluster || !(cluster->arena = pw_arena_new(MODEL_MAX)) || !(cluster->facts = pw_facts_new(cluster->arena))) {
		pw_cluster_close(cluster);
		return pw_err_set(err, PW_NOMEM, "out of memory while opening the cluster");
	}
	rc = open_source(cluster, config, err);
	if (rc != PW_OK) {
		pw_cluster_close(cluster);
		return rc;
	}
	choose_namespace(cluster, config);
	*ret = cluster;
	return PW_OK;
}

void pw_cluster_close(struct pw_cluster *cluster)
{
	if (!cluster)
		return;
	if (cluster->state)
		cluster->source->close(cluster->state);
	pw_arena_free(cluster->arena);
	free(cluster);
}

const char *pw_cluster_describe(const struct pw_cluster *cluster)
{
	return cluster->source->describe(cluster->state);
}

const char *pw_cluster_context(const struct pw_cluster *cluster)
{
	return cluster->source->context ? cluster->source->context(cluster->state) : "";
}

const char *pw_cluster_namespace(const struct pw_cluster *cluster)
{
	return cluster->ns;
}

const char *pw_cluster_notes(const struct pw_cluster *cluster)
{
	return cluster->source->notes(cluster->state);
}

const char *pw_cluster_uid(struct pw_cluster *cluster)
{
	const struct pw_namespace *system = pw_facts_namespace(cluster->facts, "kube-system");

	return system ? system->meta.uid : "";
}

const struct pw_facts *pw_cluster_facts(const struct pw_cluster *cluster)
{
	return cluster->facts;
}

void pw_cluster_set_deadline(struct pw_cluster *cluster, int64_t mono_ms)
{
	cluster->deadline_ms = mono_ms;
}

/* What of `kinds` has to be fetched for this scope. */
static unsigned missing(const struct pw_cluster *cluster, unsigned kinds, const char *ns)
{
	unsigned have = cluster->whole;

	if (ns && strcmp(ns, cluster->part_ns) == 0)
		have |= cluster->part;
	return kinds & PW_ALL_FACTS & ~have;
}

static void remember(struct pw_cluster *cluster, unsigned kinds, const char *ns)
{
	if (!ns) {
		cluster->whole |= kinds;
		return;
	}
	if (strcmp(cluster->part_ns, ns) != 0) {
		cluster->part = 0;
		memcpy(cluster->part_ns, ns, strlen(ns) + 1); /* need made sure that it fits */
	}
	cluster->part |= kinds;
}

int pw_cluster_need(struct pw_cluster *cluster, unsigned kinds, const char *ns, struct pw_err *err)
{
	int rc;

	if (ns && (!ns[0] || strlen(ns) >= sizeof(cluster->part_ns)))
		ns = NULL;
	kinds = missing(cluster, kinds, ns);
	if (kinds == 0)
		return PW_OK;
	rc = cluster->source->need(cluster->state, cluster->facts, kinds, ns, cluster->deadline_ms, err);
	pw_facts_finish(cluster->facts);
	if (rc != PW_OK)
		return rc;
	if (pw_facts_failed(cluster->facts))
		return pw_err_set(err, PW_NOMEM, "the cluster model does not fit into memory");
	remember(cluster, kinds, ns);
	return PW_OK;
}
