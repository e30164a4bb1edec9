/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the input types share: names, nearest names, candidates. */
#include <cluster/types.h>

#include <string.h>

#include <base/text.h>

bool pw_split_name(const char *text, const char *default_ns, struct pw_arena *arena, const char **ret_ns, const char **ret_name)
{
	const char *slash = strchr(text, '/');

	if (!slash) {
		*ret_ns = default_ns && default_ns[0] ? default_ns : "default";
		*ret_name = text;
		return text[0] != '\0';
	}
	if (slash == text || !slash[1] || strchr(slash + 1, '/'))
		return false;
	*ret_ns = pw_arena_strndup(arena, text, (size_t)(slash - text));
	*ret_name = slash + 1;
	return *ret_ns != NULL;
}

static const char *full_name(struct pw_arena *arena, const struct pw_meta *meta)
{
	const char *text = meta->ns[0] ? pw_arena_printf(arena, "%s/%s", meta->ns, meta->name) : meta->name;

	return text ? text : "";
}

/* The same name elsewhere is nearer than another name here. */
static const char *nearest(const char *ns, const char *name, const struct pw_meta *const *metas, size_t n, struct pw_arena *arena)
{
	const char **names;
	const char *word, *best;
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(metas[i]->name, name) == 0)
			return full_name(arena, metas[i]);
	names = pw_arena_array(arena, n < PW_MAX_NEAR ? n : PW_MAX_NEAR, sizeof(*names));
	if (!names)
		return NULL;
	for (size_t i = 0; i < n && used < PW_MAX_NEAR; i++)
		if (strcmp(metas[i]->ns, ns) == 0)
			names[used++] = metas[i]->name;
	word = name;
	best = pw_nearest(word, names, used);
	if (best)
		return ns[0] ? pw_arena_printf(arena, "%s/%s", ns, best) : best;
	used = 0;
	for (size_t i = 0; i < n && used < PW_MAX_NEAR; i++)
		names[used++] = full_name(arena, metas[i]);
	word = ns[0] ? pw_arena_printf(arena, "%s/%s", ns, name) : name;
	return word ? pw_nearest(word, names, used) : NULL;
}

int pw_absent(const struct pw_facts *facts, enum pw_fact kind, const char *what, const char *ns, const char *name,
	      const struct pw_meta *const *metas, size_t n, struct pw_arena *arena, struct pw_err *err)
{
	const char *near = nearest(ns, name, metas, n, arena), *gap = pw_facts_gap(facts, kind), *slash = ns[0] ? "/" : "";
	enum pw_known known = pw_facts_known(facts, kind);

	if (near)
		return pw_err_set(err, PW_ABSENT, "there is no %s %s%s%s; did you mean %s?", what, ns, slash, name, near);
	if (known == PW_KNOWN_DENIED)
		return pw_err_set(err, PW_DENIED, "whether there is a %s %s%s%s is not known: %s", what, ns, slash, name, gap);
	if (known == PW_KNOWN_YES)
		return pw_err_set(err, PW_ABSENT, "there is no %s %s%s%s", what, ns, slash, name);
	return pw_err_set(err, PW_ABSENT, "no %s %s%s%s was found%s%s", what, ns, slash, name, gap[0] ? ": " : "", gap);
}

int pw_list_candidates(const struct pw_meta *const *metas, size_t n, const char *default_ns, struct pw_arena *arena,
		       struct pw_val **ret)
{
	struct pw_val *seq = pw_val_seq(arena);

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < n && pw_val_count(seq) < PW_MAX_CANDIDATES; i++)
			if ((default_ns && strcmp(metas[i]->ns, default_ns) == 0) == (round == 0))
				pw_seq_add_str(seq, full_name(arena, metas[i]));
	if (!seq || pw_arena_failed(arena))
		return PW_NOMEM;
	*ret = seq;
	return PW_OK;
}

void pw_map_set_labels(struct pw_val *map, const char *key, const struct pw_labels *labels)
{
	struct pw_val *child = pw_map_set_map(map, key);

	for (size_t i = 0; i < labels->n; i++)
		pw_map_set_str(child, labels->v[i].key, labels->v[i].value);
}

const char *pw_host_port(struct pw_arena *arena, const char *address, unsigned port)
{
	const char *text = pw_arena_printf(arena, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, port);

	return text ? text : "";
}

const char *pw_node_address(const struct pw_facts *facts, const char *name)
{
	const struct pw_node *node = pw_facts_node(facts, name);

	if (!node)
		return "";
	if (node->internal_ip[0])
		return node->internal_ip;
	return node->addresses.n ? node->addresses.v[0] : "";
}
