/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bundle:DIR and manifests:DIR: YAML or JSON files as `kubectl get -o` writes
 * them. A bundle is what a cluster said, read leniently; manifests are what
 * somebody means to apply, judged as an API server would.
 */
#include <cluster/source/source.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cluster/source/tree.h>
#include <doc/json.h>
#include <doc/yaml.h>

#define MAX_TREE_BYTES ((size_t)2 << 30)  /* all files of one tree */
#define MAX_SCRATCH ((size_t)8 << 30)     /* the value tree of one file */
#define MAX_NOTES 16384                   /* bytes of text about files passed over */

struct pw_source_state {
	const char *root, *about;
	bool manifests, loaded;
	size_t bytes;
	unsigned listed;            /* kinds that a file of that name holds, even if empty */
	struct pw_buf notes;
};

struct load { struct pw_source_state *state; struct pw_facts *facts; };

static int open_tree(const char *scheme, bool manifests, const char *root, struct pw_arena *arena,
		     struct pw_source_state **ret, struct pw_err *err)
{
	struct pw_source_state *state;

	if (!root[0])
		return pw_err_set(err, PW_USAGE, "%s needs a directory: %sDIR", scheme, scheme);
	state = pw_arena_alloc(arena, sizeof(*state));
	if (!state)
		return pw_err_set(err, PW_NOMEM, "out of memory while opening %s", root);
	state->manifests = manifests;
	state->root = pw_arena_strdup(arena, root);
	state->about = pw_arena_printf(arena, "%s %s", manifests ? "manifests" : "bundle", root);
	pw_buf_init(&state->notes, MAX_NOTES);
	if (!state->root || !state->about)
		return pw_err_set(err, PW_NOMEM, "out of memory while opening %s", root);
	*ret = state;
	return PW_OK;
}

static int open_bundle(const struct pw_cluster_config *config, const char *rest, struct pw_arena *arena,
		       struct pw_source_state **ret, struct pw_err *err)
{
	(void)config;
	return open_tree("bundle:", false, rest, arena, ret, err);
}

static int open_manifests(const struct pw_cluster_config *config, const char *rest, struct pw_arena *arena,
			  struct pw_source_state **ret, struct pw_err *err)
{
	(void)config;
	return open_tree("manifests:", true, rest, arena, ret, err);
}

static void close_tree(struct pw_source_state *state)
{
	pw_buf_release(&state->notes);
}

static const char *describe_tree(const struct pw_source_state *state)
{
	return state->about;
}

static const char *tree_namespace(const struct pw_source_state *state)
{
	(void)state;
	return "";
}

static const char *tree_notes(const struct pw_source_state *state)
{
	return pw_buf_str(&state->notes);
}

/* ---- one file ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), len = strlen(end);

	return n >= len && strcmp(text + n - len, end) == 0;
}

/* The file's name and that of its folder. */
static const char *last_two_names(const char *path)
{
	const char *at = path + strlen(path);

	for (int slashes = 0; at > path; at--)
		if (at[-1] == '/' && ++slashes == 2)
			break;
	return at;
}

/* The kinds a file's name speaks of: "pods.json", "networkpolicies-all.yaml", "pods/shop.json". */
static unsigned kinds_of_path(const char *path)
{
	static const struct { const char *word; enum pw_fact kind; } words[] = {
		{ "namespaces", PW_FACT_NAMESPACES }, { "nodes", PW_FACT_NODES }, { "pods", PW_FACT_PODS },
		{ "services", PW_FACT_SERVICES }, { "endpointslices", PW_FACT_SLICES },
		{ "networkpolicies", PW_FACT_POLICIES }, { "network-policy", PW_FACT_POLICIES }, { "netpol", PW_FACT_POLICIES },
		{ "deployments", PW_FACT_WORKLOADS }, { "daemonsets", PW_FACT_WORKLOADS }, { "configmaps", PW_FACT_CONFIGMAPS },
		{ "events", PW_FACT_EVENTS }, { "ingress", PW_FACT_INGRESSES },
	};
	const char *names = last_two_names(path);
	unsigned kinds = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(names, words[i].word))
			kinds |= (unsigned)words[i].kind;
	return kinds;
}

static void note(struct pw_source_state *state, const char *path, const struct pw_err *why)
{
	pw_buf_printf(&state->notes, "%s%s was passed over: ", state->notes.len ? "\n" : "", path);
	if (why->line)
		pw_buf_printf(&state->notes, "line %u: ", why->line);
	pw_buf_puts(&state->notes, why->text);
}

struct item { struct load *load; bool bare; };

/* An item of a typed list names no kind; the list may name it only afterwards. */
static int take_item(void *arg, const struct pw_val *value, struct pw_err *err)
{
	struct item *item = arg;

	if (!pw_map_get(value, "kind"))
		item->bare = true;
	return item->bare ? PW_OK : pw_facts_add(item->load->facts, value, err);
}

/* Object by object, so that a list of any size needs the memory of one. *ret_bare: items without a kind. */
static int stream_json(struct load *load, const char *text, size_t len, bool *ret_bare, struct pw_err *err)
{
	const struct pw_json_limits limits = { pw_yaml_bundle_limits.bytes, pw_yaml_bundle_limits.depth };
	struct item item = { load, false };
	struct pw_json_stream *stream = pw_json_stream_new(&limits, take_item, &item);
	int rc;

	if (!stream)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading a list");
	rc = pw_json_stream_feed(stream, text, len, err);
	if (rc == PW_OK)
		rc = pw_json_stream_end(stream, err);
	pw_json_stream_free(stream);
	*ret_bare = item.bare;
	return rc;
}

static int whole_json(struct load *load, const char *path, const char *text, size_t len, struct pw_err *err)
{
	const struct pw_json_limits limits = { pw_yaml_bundle_limits.bytes, pw_yaml_bundle_limits.depth };
	struct pw_arena *scratch = pw_arena_new(MAX_SCRATCH);
	struct pw_val *document;
	int rc;

	if (!scratch)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading %s", path);
	rc = pw_json_parse(text, len, path, &limits, scratch, &document, err);
	if (rc == PW_OK)
		rc = pw_facts_add(load->facts, document, err);
	pw_arena_free(scratch);
	return rc;
}

/* *ret_parsed: the file was YAML, so an error is about an object in it. */
static int add_yaml(struct load *load, const char *path, const char *text, size_t len, bool *ret_parsed, struct pw_err *err)
{
	struct pw_arena *scratch = pw_arena_new(MAX_SCRATCH);
	struct pw_diags *diags = scratch ? pw_diags_new(scratch) : NULL;
	const struct pw_val *documents;
	int rc;

	if (!diags) {
		pw_arena_free(scratch);
		return pw_err_set(err, PW_NOMEM, "out of memory while reading %s", path);
	}
	rc = pw_yaml_parse_all(text, len, path, &pw_yaml_bundle_limits, scratch, diags, &documents, err);
	*ret_parsed = rc == PW_OK;
	for (size_t i = 0; rc == PW_OK && i < pw_val_count(documents); i++)
		rc = pw_facts_add(load->facts, pw_val_at(documents, i), err);
	pw_arena_free(scratch);
	return rc;
}

static bool looks_like_json(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r'))
		i++;
	return i < len && text[i] == '{';
}

/* Manifests want places and quotes for their errors, which only the YAML reader keeps; JSON is YAML. */
static int add_text(struct load *load, const char *path, const char *text, size_t len, bool *ret_parsed, struct pw_err *err)
{
	bool bare = false;
	int rc;

	*ret_parsed = false;
	if (load->state->manifests || !looks_like_json(text, len))
		return add_yaml(load, path, text, len, ret_parsed, err);
	rc = stream_json(load, text, len, &bare, err);
	if (rc == PW_OK && bare)
		return whole_json(load, path, text, len, err);
	if (rc != PW_SYNTAX || ends_with(path, ".json"))
		return rc;
	pw_err_clear(err); /* YAML may begin with a brace too; what was added already is added again, and counts once */
	return add_yaml(load, path, text, len, ret_parsed, err);
}

static int load_file(void *arg, const char *path, struct pw_err *err)
{
	struct load *load = arg;
	struct pw_err local = PW_ERR_INIT;
	char *text;
	size_t len;
	bool parsed = false;
	int rc;

	if (!ends_with(path, ".yaml") && !ends_with(path, ".yml") && !ends_with(path, ".json"))
		return PW_OK;
	rc = pw_file_read(path, pw_yaml_bundle_limits.bytes, &text, &len, &local);
	if (rc != PW_OK) {
		note(load->state, path, &local);
		return PW_OK;
	}
	load->state->bytes += len;
	if (load->state->bytes > MAX_TREE_BYTES) {
		free(text);
		return pw_err_set(err, PW_NOMEM, "%s holds more than %zu MiB of objects", load->state->root, MAX_TREE_BYTES >> 20);
	}
	load->state->listed |= kinds_of_path(path);
	rc = add_text(load, path, text, len, &parsed, &local);
	free(text);
	if (rc == PW_OK)
		return PW_OK;
	if (rc != PW_SYNTAX || parsed) { /* an object that must be refused, or no memory */
		if (err)
			*err = local;
		return rc;
	}
	note(load->state, path, &local);
	return PW_OK;
}

/* ---- the whole tree, once ---- */

static void set_known(struct pw_source_state *state, struct pw_facts *facts)
{
	for (unsigned i = 0; i < PW_KIND_COUNT; i++) {
		enum pw_fact kind = (enum pw_fact)(1u << i);
		char gap[96];

		if (facts->tables[i].n || state->manifests || (state->listed & (1u << i))) {
			pw_facts_set_known(facts, kind, PW_KNOWN_YES, "");
			continue;
		}
		(void)snprintf(gap, sizeof(gap), "the bundle holds no %s", pw_fact_word(kind));
		pw_facts_set_known(facts, kind, PW_KNOWN_FAILED, gap);
	}
}

static int need_tree(struct pw_source_state *state, struct pw_facts *facts, unsigned kinds, const char *ns, int64_t deadline_ms,
		     struct pw_err *err)
{
	struct load load = { state, facts };
	int rc;

	(void)kinds, (void)ns, (void)deadline_ms; /* all of it is read at once, and files do not keep one waiting */
	if (state->loaded)
		return PW_OK;
	pw_facts_set_strict(facts, state->manifests);
	pw_facts_set_templates(facts, state->manifests);
	rc = pw_tree_walk(state->root, load_file, &load, err);
	if (rc != PW_OK)
		return rc;
	if (!state->manifests && pw_facts_newest(facts))
		pw_facts_set_now(facts, pw_facts_newest(facts)); /* ages are those of the day it was taken */
	set_known(state, facts);
	state->loaded = true;
	return PW_OK;
}

const struct pw_source pw_source_bundle = {
	.scheme = "bundle:", .open = open_bundle, .close = close_tree, .describe = describe_tree, .namespace_ = tree_namespace,
	.notes = tree_notes, .need = need_tree,
};
const struct pw_source pw_source_manifests = {
	.scheme = "manifests:", .open = open_manifests, .close = close_tree, .describe = describe_tree, .namespace_ = tree_namespace,
	.notes = tree_notes, .need = need_tree,
};
