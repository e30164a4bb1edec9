/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ingresses and their classes. */
#include <cluster/front.h>

#include <string.h>

#define MAX_RULES 4096  /* rules of an Ingress, paths of a rule */
#define MAX_PATHS 16384 /* of one Ingress */

static size_t count(const struct pw_val *seq)
{
	size_t n = pw_val_is(seq, PW_VAL_SEQ) ? pw_val_count(seq) : 0;

	return n < MAX_RULES ? n : MAX_RULES;
}

/* networking.k8s.io/v1: {service: {name, port: {number | name}}}; v1beta1: {serviceName, servicePort} */
static void decode_backend(struct pw_facts *facts, const struct pw_val *backend, struct pw_ingress_path *ret)
{
	const struct pw_val *service = pw_map_get(backend, "service"), *port = pw_map_get(service, "port");

	if (!pw_val_absent(service)) {
		ret->service = pw_keep_key(facts, service, "name");
		ret->port = (uint16_t)pw_map_uint(port, "number", UINT16_MAX, 0);
		ret->port_name = pw_keep_key(facts, port, "name");
		return;
	}
	ret->service = pw_keep_key(facts, backend, "serviceName");
	pw_keep_port(facts, pw_map_get(backend, "servicePort"), &ret->port, &ret->port_name);
}

static size_t count_paths(const struct pw_val *rules)
{
	size_t n = 1; /* the default backend */

	for (size_t i = 0; i < count(rules); i++)
		n += count(pw_val_get(pw_val_at(rules, i), "http.paths"));
	return n < MAX_PATHS ? n : MAX_PATHS;
}

static void decode_rule(struct pw_facts *facts, const struct pw_val *rule, size_t max, struct pw_ingress_path *v, size_t *n)
{
	const struct pw_val *paths = pw_val_get(rule, "http.paths");

	for (size_t i = 0; i < count(paths) && *n < max; i++) {
		struct pw_ingress_path *path = &v[(*n)++];

		path->host = pw_keep_key(facts, rule, "host");
		path->path = pw_keep_key(facts, pw_val_at(paths, i), "path");
		path->type = pw_keep_key(facts, pw_val_at(paths, i), "pathType");
		decode_backend(facts, pw_map_get(pw_val_at(paths, i), "backend"), path);
	}
}

static void decode_paths(struct pw_facts *facts, const struct pw_val *spec, struct pw_ingress *ingress)
{
	const struct pw_val *rules = pw_map_get(spec, "rules"), *otherwise = pw_map_get(spec, "defaultBackend");
	size_t max = count_paths(rules), n = 0;
	struct pw_ingress_path *v = pw_arena_array(facts->arena, max, sizeof(*v));

	if (!v)
		return;
	for (size_t i = 0; i < count(rules); i++)
		decode_rule(facts, pw_val_at(rules, i), max - 1, v, &n);
	if (pw_val_absent(otherwise))
		otherwise = pw_map_get(spec, "backend");
	if (!pw_val_absent(otherwise)) {
		v[n].host = v[n].path = v[n].type = "";
		decode_backend(facts, otherwise, &v[n++]);
	}
	ingress->paths = v;
	ingress->n_paths = n;
}

static void decode_tls(struct pw_facts *facts, const struct pw_val *tls, struct pw_ingress *ingress)
{
	struct pw_ingress_tls *v = pw_keep_array(facts, tls, MAX_RULES, sizeof(*v), &ingress->n_tls);

	for (size_t i = 0; i < ingress->n_tls; i++) {
		v[i].hosts = pw_keep_strings(facts, pw_map_get(pw_val_at(tls, i), "hosts"));
		v[i].secret = pw_keep_key(facts, pw_val_at(tls, i), "secretName");
	}
	ingress->tls = v;
}

int pw_decode_ingress(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *spec = pw_map_get(object, "spec"), *first;
	struct pw_ingress *ingress = pw_arena_alloc(facts->arena, sizeof(*ingress));
	const char *word;
	int rc = pw_front_ingress(facts, object);

	if (!ingress || rc != PW_OK)
		return rc != PW_OK ? rc : PW_NOMEM;
	pw_keep_namespaced_meta(facts, object, &ingress->meta);
	ingress->class = pw_keep_key(facts, spec, "ingressClassName");
	word = pw_labels_get(&ingress->meta.annotations, "kubernetes.io/ingress.class");
	if (!ingress->class[0] && word)
		ingress->class = word;
	decode_paths(facts, spec, ingress);
	decode_tls(facts, pw_map_get(spec, "tls"), ingress);
	first = pw_val_at(pw_val_get(object, "status.loadBalancer.ingress"), 0);
	ingress->address = pw_keep_key(facts, first, "ip");
	if (!ingress->address[0])
		ingress->address = pw_keep_key(facts, first, "hostname");
	return pw_facts_store(facts, PW_FACT_INGRESSES, ingress->meta.ns, ingress->meta.name, "", ingress);
}

int pw_decode_ingress_class(struct pw_facts *facts, const struct pw_val *object)
{
	struct pw_ingress_class *class = pw_arena_alloc(facts->arena, sizeof(*class));
	const char *word;

	if (!class)
		return PW_NOMEM;
	pw_keep_meta(facts, object, &class->meta);
	class->meta.ns = "";
	class->controller = pw_keep(facts, pw_val_get(object, "spec.controller"));
	word = pw_labels_get(&class->meta.annotations, "ingressclass.kubernetes.io/is-default-class");
	class->is_default = word && strcmp(word, "true") == 0;
	return pw_table_store(facts, &facts->tables[PW_INGRESS_CLASSES], "", class->meta.name, "", class);
}
