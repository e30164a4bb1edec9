/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ingress_route: which Ingress leads a request to a Service, and do the objects
 * agree: a class that a controller has, rules that match host and path, a
 * backend that exists, endpoints behind it, and a controller that runs.
 */
#include <string.h>
#include <strings.h>

#include <packetwalk/lookup.h>

static const struct pw_param params[] = {
	{ "service", PW_TYPE_SERVICE, 1, NULL, NULL, "The Service behind the Ingress, or the controller's own in front of it" },
	{ "host", PW_TYPE_STR, 0, NULL, NULL, "Host of the request; that of the first rule if left out" },
	{ "path", PW_TYPE_STR, 0, NULL, NULL, "Path of the request; that of the rule if left out" },
	{ "entry_ip", PW_TYPE_ADDRESS, 0, NULL, NULL, "Address of a node, to ask at where the controller has no load balancer" },
	{ NULL, PW_TYPE_STR, 0, NULL, NULL, NULL },
};

static const struct pw_outcome outcomes[] = {
	{ "routed", PW_CLASS_OK, "A rule leads to a Service with ready endpoints, and its controller runs.", NULL, NULL },
	{ "none", PW_CLASS_OK, "No Ingress leads to the Service, and it is no controller's.", NULL, NULL },
	{ "class-missing", PW_CLASS_FAIL, "The Ingress has no class, or one that does not exist: no controller takes it up.", "ingressClassName misspelt or left out", "set the class of the controller" },
	{ "no-rule", PW_CLASS_FAIL, "No rule matches host and path of the request.", "host, path or pathType", "correct the rule, or the request" },
	{ "backend-missing", PW_CLASS_FAIL, "The rule names a Service that does not exist in the Ingress's namespace.", NULL, "correct the backend" },
	{ "port-missing", PW_CLASS_FAIL, "The rule names a port that the Service does not have.", NULL, "correct the backend's port" },
	{ "backend-empty", PW_CLASS_FAIL, "The Service behind the rule has no ready endpoint.", NULL, "look at the Service's endpoints" },
	{ "controller-down", PW_CLASS_FAIL, "No pod of the ingress controller is ready.", "scaled down, crashing, or not scheduled", "look at the controller's pods" },
	{ NULL, PW_CLASS_OK, NULL, NULL, NULL },
};

static const struct pw_evidence evidence[] = {
	{ "ingress", PW_TYPE_STR, NULL, "The Ingress, as namespace/name, empty if none" },
	{ "class", PW_TYPE_STR, NULL, "Its class" },
	{ "name", PW_TYPE_STR, NULL, "Host of the rule, or of the request, empty if neither has one" },
	{ "host", PW_TYPE_HOST, NULL, "The same; where there is none, the address asked" },
	{ "path", PW_TYPE_STR, NULL, "Path to ask for" },
	{ "scheme", PW_TYPE_STR, NULL, "https if the Ingress serves the host by TLS, else http" },
	{ "backend", PW_TYPE_SERVICE, NULL, "Service behind the rule, as namespace/name" },
	{ "backend_address", PW_TYPE_ADDRESS, NULL, "Address of its first ready endpoint" },
	{ "backend_port", PW_TYPE_PORT, NULL, "Port of it" },
	{ "front", PW_TYPE_SERVICE, NULL, "Service of the controller, as namespace/name, empty if not known" },
	{ "address", PW_TYPE_ADDRESS, NULL, "Where to ask: its load balancer, else the node given" },
	{ "port", PW_TYPE_PORT, NULL, "Port to ask at: of the load balancer, else of the node" },
	{ "url", PW_TYPE_URL, NULL, "The request" },
	{ NULL, PW_TYPE_STR, NULL, NULL },
};

struct view {
	const struct pw_facts *facts;
	struct pw_arena *arena;
	const char *host, *path, *entry_ip;        /* of the request, "" if not given */
	const struct pw_service *asked, *front, *backend;
	const struct pw_ingress *ingress;
	const struct pw_ingress_path *rule;
	const struct pw_ingress *perhaps_of;       /* a rule that may come before the one found, if its controller reads its path so */
	const struct pw_ingress_path *perhaps;
	const char *fronts;                        /* of several controllers, where none is known to be the Ingress's; "" else */
	const struct pw_ingress_class *class;
	size_t controller_pods, controllers_ready;
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* ---- who is a controller ---- */

static bool speaks_of_ingress(const struct pw_pod *pod)
{
	static const char *const keys[] = { "app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/part-of" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *value = pw_labels_get(&pod->meta.labels, keys[i]);
		if (value && (strstr(value, "ingress") || !strcmp(value, "traefik") || !strcmp(value, "contour") || !strcmp(value, "kong")))
			return true;
	}
	for (size_t i = 0; i < pod->n_containers; i++)
		if (strstr(pod->containers[i].image, "ingress"))
			return true;
	return strstr(pod->meta.ns, "ingress") != NULL;
}

static bool selects_controllers(const struct pw_facts *facts, const struct pw_service *svc)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(facts, &n);
	if (!svc->selector.n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(pods[i]->meta.ns, svc->meta.ns) && pw_labels_match(&svc->selector, &pods[i]->meta.labels) && speaks_of_ingress(pods[i]))
			return true;
	const char *name = pw_labels_get(&svc->selector, "app.kubernetes.io/name");
	return (name && strstr(name, "ingress")) || strstr(svc->meta.ns, "ingress");
}

static bool is_front(const struct pw_facts *facts, const struct pw_service *svc)
{
	return strcmp(svc->type, "ExternalName") && selects_controllers(facts, svc) && !strstr(svc->meta.name, "admission") && !strstr(svc->meta.name, "metrics");
}

static bool is_exposed_front(const struct view *v, const struct pw_service *svc)
{
	return is_front(v->facts, svc) && strcmp(svc->type, "ClusterIP") != 0;
}

/* Two Services of one controller lead to the same pods. */
static bool of_one_controller(const struct pw_service *a, const struct pw_service *b)
{
	return !strcmp(a->meta.ns, b->meta.ns) && (pw_labels_match(&a->selector, &b->selector) || pw_labels_match(&b->selector, &a->selector));
}

static bool has_ingress_address(const struct view *v, const struct pw_service *svc)
{
	for (size_t i = 0; v->ingress && *v->ingress->address && i < svc->lb_ips.n; i++)
		if (!strcmp(svc->lb_ips.v[i], v->ingress->address))
			return true;
	return false;
}

/* "k8s.io/ingress-nginx" is of the pods that bear the name ingress-nginx. */
static bool has_class_name(const struct view *v, const struct pw_service *svc)
{
	const char *name = pw_labels_get(&svc->selector, "app.kubernetes.io/name"), *slash = v->class ? strrchr(v->class->controller, '/') : NULL;
	return name && slash && !strcmp(slash + 1, name);
}

static bool any(const struct view *v, const struct pw_service *svc)
{
	(void)v, (void)svc;
	return true;
}

/* The best exposed Service among those that pass, if all that do are of one controller. */
static const struct pw_service *only_front(const struct view *v, bool (*passes)(const struct view *, const struct pw_service *))
{
	size_t n;
	const struct pw_service *const *all = pw_facts_services(v->facts, &n), *found = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!is_exposed_front(v, all[i]) || !passes(v, all[i]))
			continue;
		if (found && !of_one_controller(found, all[i]))
			return NULL;
		if (!found || (!strcmp(all[i]->type, "LoadBalancer") && strcmp(found->type, "LoadBalancer") != 0))
			found = all[i];
	}
	return found;
}

static const char *list_fronts(const struct view *v)
{
	size_t n;
	const struct pw_service *const *all = pw_facts_services(v->facts, &n);
	const char *text = "";
	for (size_t i = 0; i < n; i++)
		if (is_exposed_front(v, all[i]))
			text = or_empty(pw_arena_printf(v->arena, "%s%s%s/%s", text, *text ? ", " : "", all[i]->meta.ns, all[i]->meta.name));
	return text;
}

/* The controller's Service: of several controllers, the one that gave the Ingress its address, else the one its class names. */
static void find_front(struct view *v)
{
	if (v->front)
		return;
	v->front = only_front(v, any);
	if (!v->front)
		v->front = only_front(v, has_ingress_address);
	if (!v->front)
		v->front = only_front(v, has_class_name);
	if (!v->front)
		v->fronts = list_fronts(v);
}

static void count_controllers(struct view *v)
{
	size_t n;
	const struct pw_pod *const *pods = pw_facts_pods(v->facts, &n);
	for (size_t i = 0; v->front && i < n; i++)
		if (!strcmp(pods[i]->meta.ns, v->front->meta.ns) && pw_labels_match(&v->front->selector, &pods[i]->meta.labels)) {
			v->controller_pods++;
			v->controllers_ready += pods[i]->ready;
		}
}

/* ---- which rule ---- */

/* "*.shop.example" is for one label more, as the API says. */
static bool host_fits(const char *rule, const char *host)
{
	const char *dot = strchr(host, '.');
	if (!*rule || !strcasecmp(rule, host))
		return true;
	return rule[0] == '*' && rule[1] == '.' && dot && !strcasecmp(rule + 1, dot);
}

/* Prefix goes by whole elements of the path; a trailing slash of the rule does not count. */
static bool path_fits(const struct pw_ingress_path *rule, const char *path)
{
	size_t len = strlen(rule->path);
	if (!strcmp(rule->type, "Exact"))
		return !strcmp(rule->path, path);
	while (len && rule->path[len - 1] == '/')
		len--;
	return !len || (!strncmp(rule->path, path, len) && (!path[len] || path[len] == '/'));
}

/* ---- paths that are not taken by the letter ---- */

#define REGEX "()[]$|*+?^"

static bool has_regex_annotation(const struct pw_ingress *ingress)
{
	const char *use = pw_labels_get(&ingress->meta.annotations, "nginx.ingress.kubernetes.io/use-regex");
	return (use && !strcmp(use, "true")) || pw_labels_get(&ingress->meta.annotations, "nginx.ingress.kubernetes.io/rewrite-target");
}

/* ingress-nginx reads all paths of a host as expressions if one Ingress of that host asks for it. */
static bool host_has_regex(const struct view *v, const char *host)
{
	size_t n;
	const struct pw_ingress *const *all = pw_facts_ingresses(v->facts, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; has_regex_annotation(all[i]) && p < all[i]->n_paths; p++)
			if (!strcasecmp(all[i]->paths[p].host, host))
				return true;
	return false;
}

static bool is_expression(const struct pw_ingress_path *rule)
{
	return !strcmp(rule->type, "ImplementationSpecific") && strpbrk(rule->path, REGEX);
}

/* How much of an expression every path that fits begins with. */
static size_t literal_length(const char *path)
{
	size_t len = strcspn(path, REGEX ".\\{");
	if (strchr(path, '|'))
		return 0;
	return len && path[len] && strchr("?*{", path[len]) ? len - 1 : len;
}

/* May the rule fit the path, depending on how its controller reads it? */
static bool path_may_fit(const struct view *v, const struct pw_ingress_path *rule, const char *path)
{
	if (!is_expression(rule) && !host_has_regex(v, rule->host))
		return false;
	return !strncasecmp(rule->path, path, literal_length(rule->path));
}

static const char *path_to_ask(const struct view *v, const struct pw_ingress_path *rule)
{
	bool cut = is_expression(rule) || host_has_regex(v, rule->host);
	const char *path = cut ? pw_arena_printf(v->arena, "%.*s", (int)strcspn(rule->path, REGEX), rule->path) : rule->path;
	return path && *path ? path : "/";
}

static bool is_default(const struct pw_ingress_path *rule)
{
	return !*rule->host && !*rule->path;
}

/* Without a host asked for, a rule leads to the Service asked about; of the controller's own, every rule does. */
static bool concerns(const struct view *v, const struct pw_ingress *ingress, const struct pw_ingress_path *rule)
{
	if (v->front == v->asked)
		return true;
	return !strcmp(ingress->meta.ns, v->asked->meta.ns) && !strcmp(rule->service, v->asked->meta.name);
}

static bool is_asked(const struct view *v, const struct pw_ingress *ingress, const struct pw_ingress_path *rule)
{
	return *v->host ? host_fits(rule->host, v->host) : concerns(v, ingress, rule);
}

/* By the letter; of an expression, that says nothing. */
static bool fits(const struct view *v, const struct pw_ingress *ingress, const struct pw_ingress_path *rule)
{
	if (!*v->host && !*v->path)
		return concerns(v, ingress, rule);
	if (is_default(rule))
		return true;
	return is_asked(v, ingress, rule) && (!*v->path || (!is_expression(rule) && path_fits(rule, v->path)));
}

static bool may_fit(const struct view *v, const struct pw_ingress *ingress, const struct pw_ingress_path *rule)
{
	return *v->path && !is_default(rule) && is_asked(v, ingress, rule) && path_may_fit(v, rule, v->path);
}

static const struct pw_ingress_class *class_of(const struct view *v, const struct pw_ingress *ingress)
{
	size_t n;
	const struct pw_ingress_class *const *all = pw_facts_ingress_classes(v->facts, &n);
	for (size_t i = 0; i < n; i++)
		if (*ingress->class ? !strcmp(all[i]->meta.name, ingress->class) : all[i]->is_default)
			return all[i];
	return NULL;
}

/* An annotation's class may be the controller's own word, without an object. */
static bool lacks_class(const struct view *v)
{
	bool by_annotation = pw_labels_get(&v->ingress->meta.annotations, "kubernetes.io/ingress.class") != NULL;
	return !v->class && !by_annotation && !*v->ingress->address;
}

static const struct pw_service *backend_of(const struct view *v, const struct pw_ingress *ingress, const struct pw_ingress_path *rule)
{
	return pw_facts_service(v->facts, ingress->meta.ns, rule->service);
}

static const struct pw_service_port *port_of(const struct pw_service *svc, const struct pw_ingress_path *rule)
{
	for (size_t i = 0; i < svc->n_ports; i++)
		if (rule->port ? svc->ports[i].port == rule->port : !strcmp(svc->ports[i].name, rule->port_name))
			return &svc->ports[i];
	return NULL;
}

static bool is_broken(const struct view *v, const struct pw_ingress *ingress, const struct pw_ingress_path *rule)
{
	const struct pw_service *svc = backend_of(v, ingress, rule);
	bool by_annotation = pw_labels_get(&ingress->meta.annotations, "kubernetes.io/ingress.class") != NULL;
	if (*rule->service && (!svc || !port_of(svc, rule)))
		return true;
	return !class_of(v, ingress) && !by_annotation && !*ingress->address;
}

/* The host itself goes before a wildcard, and that before a rule for all hosts; what is left goes to the default backend. */
static int rank(const struct view *v, const struct pw_ingress_path *rule)
{
	if (is_default(rule))
		return 0;
	if (!*v->host || !*rule->host)
		return 1;
	return rule->host[0] == '*' ? 2 : 3;
}

static bool goes_before(const struct view *v, const struct pw_ingress_path *rule, const struct pw_ingress_path *other)
{
	if (rank(v, rule) != rank(v, other))
		return rank(v, rule) > rank(v, other);
	return strlen(rule->path) > strlen(other->path);
}

/* The best host, then the longest path that fits; where no host and path are asked for, the first rule that cannot work, else the first. */
static bool is_better(const struct view *v, const struct pw_ingress *ingress, const struct pw_ingress_path *rule)
{
	if (!v->rule)
		return true;
	if (!*v->host && !*v->path)
		return is_broken(v, ingress, rule) && !is_broken(v, v->ingress, v->rule);
	return goes_before(v, rule, v->rule);
}

/* A rule whose path is not taken by the letter, and which would go before the one that was found. */
static void find_perhaps(struct view *v)
{
	size_t n;
	const struct pw_ingress *const *all = pw_facts_ingresses(v->facts, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < all[i]->n_paths; p++) {
			const struct pw_ingress_path *rule = &all[i]->paths[p], *best = v->perhaps ? v->perhaps : v->rule;
			if (rule != v->rule && may_fit(v, all[i], rule) && (!best || goes_before(v, rule, best))) {
				v->perhaps = rule;
				v->perhaps_of = all[i];
			}
		}
}

static void find_rule(struct view *v, bool *ret_host_known)
{
	size_t n;
	const struct pw_ingress *const *all = pw_facts_ingresses(v->facts, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < all[i]->n_paths; p++) {
			const struct pw_ingress_path *rule = &all[i]->paths[p];
			if (!is_default(rule) && (*v->host ? host_fits(rule->host, v->host) : concerns(v, all[i], rule)))
				*ret_host_known = true;
			if (fits(v, all[i], rule) && is_better(v, all[i], rule)) {
				v->ingress = all[i];
				v->rule = rule;
			}
		}
	if (v->ingress)
		v->class = class_of(v, v->ingress);
}

/* ---- what follows ---- */

static bool is_tls(const struct view *v, const char *host)
{
	for (size_t i = 0; v->ingress && i < v->ingress->n_tls; i++) {
		if (!v->ingress->tls[i].hosts.n)
			return true;
		for (size_t h = 0; h < v->ingress->tls[i].hosts.n; h++)
			if (host_fits(v->ingress->tls[i].hosts.v[h], host))
				return true;
	}
	return false;
}

static const struct pw_service_port *front_port(const struct pw_service *front, bool tls)
{
	for (size_t i = 0; i < front->n_ports; i++)
		if (!strcmp(front->ports[i].name, tls ? "https" : "http") || front->ports[i].port == (tls ? 443 : 80))
			return &front->ports[i];
	return front->n_ports ? &front->ports[0] : NULL;
}

static void put_front(const struct view *v, const char *host, bool tls, struct pw_val *ev)
{
	const struct pw_service_port *port = v->front ? front_port(v->front, tls) : NULL;
	bool balanced = v->front && v->front->lb_ips.n;
	const char *address = balanced ? v->front->lb_ips.v[0] : v->entry_ip, *path = pw_map_str(ev, "path", "/");
	unsigned number = !port ? 0 : balanced ? port->port : port->node_port;
	const char *scheme = tls ? "https" : "http";
	pw_map_set_str(ev, "front", "");
	if (v->front)
		pw_map_set_strf(ev, "front", "%s/%s", v->front->meta.ns, v->front->meta.name);
	pw_map_set_str(ev, "address", address);
	pw_map_set_str(ev, "host", *host ? host : address);
	pw_map_set_int(ev, "port", number);
	if (number == (tls ? 443 : 80))
		pw_map_set_strf(ev, "url", "%s://%s%s", scheme, *host ? host : address, path);
	else
		pw_map_set_strf(ev, "url", "%s://%s:%u%s", scheme, *host ? host : address, number, path);
}

static void put_backend(const struct view *v, const struct pw_service_port *port, struct pw_val *ev, size_t *ret_ready)
{
	const struct pw_backend *all = NULL;
	size_t n = v->backend && port ? pw_facts_backends(v->facts, v->backend, port, v->arena, &all) : 0;
	pw_map_set_str(ev, "backend", "");
	if (v->ingress && v->rule)
		pw_map_set_strf(ev, "backend", "%s/%s", v->ingress->meta.ns, v->rule->service);
	pw_map_set_str(ev, "backend_address", "");
	pw_map_set_int(ev, "backend_port", 0);
	for (size_t i = 0; i < n; i++) {
		if (!all[i].endpoint->ready)
			continue;
		if (!(*ret_ready)++) {
			pw_map_set_str(ev, "backend_address", all[i].endpoint->address);
			pw_map_set_int(ev, "backend_port", all[i].port);
		}
	}
}

static void put(const struct view *v, const struct pw_service_port *port, struct pw_result *result, size_t *ret_ready)
{
	struct pw_val *ev = pw_result_evidence(result);
	const char *host = *v->host ? v->host : v->rule ? v->rule->host : "";
	if (host[0] == '*')
		host = or_empty(pw_arena_printf(v->arena, "www%s", host + 1));
	bool tls = is_tls(v, host);
	pw_map_set_str(ev, "ingress", "");
	if (v->ingress)
		pw_map_set_strf(ev, "ingress", "%s/%s", v->ingress->meta.ns, v->ingress->meta.name);
	pw_map_set_str(ev, "class", v->ingress ? v->ingress->class : "");
	pw_map_set_str(ev, "name", host);
	pw_map_set_str(ev, "path", *v->path ? v->path : v->rule ? path_to_ask(v, v->rule) : "/");
	pw_map_set_str(ev, "scheme", tls ? "https" : "http");
	put_front(v, host, tls, ev);
	put_backend(v, port, ev, ret_ready);
}

static void conclude(const struct view *v, bool host_known, const struct pw_service_port *port, size_t ready, struct pw_result *result)
{
	const char *ingress = pw_map_str(pw_result_evidence(result), "ingress", ""), *backend = pw_map_str(pw_result_evidence(result), "backend", "");
	if (!v->rule && !*v->host && !*v->path && v->front != v->asked)
		pw_result_set(result, "none", "No Ingress leads to %s/%s.", v->asked->meta.ns, v->asked->meta.name);
	else if (v->front == v->asked && !v->controllers_ready)
		pw_result_set(result, "controller-down", "None of the %zu pods of the ingress controller behind %s/%s is ready.", v->controller_pods,
			      v->asked->meta.ns, v->asked->meta.name);
	else if (!v->rule && !*v->host && !*v->path)
		pw_result_set(result, "none", "There is no Ingress.");
	else if (v->perhaps)
		pw_result_unknown(result, "whether %s takes the path %s is for the controller to say: the path of its rule, %s, is an expression",
				  or_empty(pw_arena_printf(v->arena, "%s/%s", v->perhaps_of->meta.ns, v->perhaps_of->meta.name)), v->path, v->perhaps->path);
	else if (!v->rule)
		pw_result_set(result, "no-rule", host_known ? "No rule for host %s fits the path %s." : "No Ingress has a rule for host %s (path %s).",
			      *v->host ? v->host : "(any)", *v->path ? v->path : "/");
	else if (lacks_class(v))
		pw_result_set(result, "class-missing", *v->ingress->class ? "Ingress %s has the class %s, which does not exist." : "Ingress %s has no class%s, and none is the default.",
			      ingress, v->ingress->class);
	else if (!*v->rule->service)
		pw_result_set(result, "none", "The rule of %s leads to no Service.", ingress);
	else if (!v->backend)
		pw_result_set(result, "backend-missing", "Ingress %s sends %s%s to Service %s, which does not exist.", ingress, v->rule->host, v->rule->path, backend);
	else if (!port && strcmp(v->backend->type, "ExternalName"))
		pw_result_set(result, "port-missing", "Ingress %s sends %s%s to port %s of %s, which has no such port.", ingress, v->rule->host, v->rule->path,
			      *v->rule->port_name ? v->rule->port_name : pw_arena_printf(v->arena, "%u", v->rule->port), backend);
	else if (v->front && !v->controllers_ready)
		pw_result_set(result, "controller-down", "None of the %zu pods of the ingress controller behind %s/%s is ready.", v->controller_pods,
			      v->front->meta.ns, v->front->meta.name);
	else if (!ready && strcmp(v->backend->type, "ExternalName"))
		pw_result_set(result, "backend-empty", "Ingress %s leads to %s, which has no ready endpoint.", ingress, backend);
	else if (*v->fronts)
		pw_result_unknown(result, "which controller serves Ingress %s is not known: there are the Services %s", ingress, v->fronts);
	else
		pw_result_set(result, "routed", "Ingress %s leads %s%s to %s.", ingress, v->rule->host, v->rule->path, backend);
}

static int judge(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err)
{
	(void)observation, (void)err;
	struct view v = { .facts = pw_ctx_facts(ctx), .arena = pw_ctx_arena(ctx), .host = or_empty(pw_ctx_str(ctx, "host")), .path = or_empty(pw_ctx_str(ctx, "path")),
		.entry_ip = or_empty(pw_ctx_str(ctx, "entry_ip")), .fronts = "" };
	bool host_known = false;
	size_t ready = 0;
	if (!pw_facts_need(v.facts, PW_FACT_INGRESSES | PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_PODS, result))
		return PW_OK;
	v.asked = pw_facts_service_ref(v.facts, pw_ctx_str(ctx, "service"));
	if (!v.asked) {
		pw_result_unknown(result, "there is no Service %s", pw_ctx_str(ctx, "service"));
		return PW_OK;
	}
	if (is_front(v.facts, v.asked))
		v.front = v.asked;
	if (v.front != v.asked && strcmp(v.asked->type, "ClusterIP") != 0) {
		put(&v, NULL, result, &ready);
		pw_result_set(result, "none", "%s/%s is exposed by itself, and is no ingress controller's.", v.asked->meta.ns, v.asked->meta.name);
		return PW_OK;
	}
	find_rule(&v, &host_known);
	find_perhaps(&v);
	find_front(&v);
	count_controllers(&v);
	v.backend = v.rule ? backend_of(&v, v.ingress, v.rule) : NULL;
	const struct pw_service_port *port = v.backend ? port_of(v.backend, v.rule) : NULL;
	put(&v, port, result, &ready);
	conclude(&v, host_known, port, ready, result);
	return PW_OK;
}

const struct pw_check pw_check_ingress_route = {
	PW_CHECK_HEAD("ingress_route"),
	.summary = "Find the Ingress that leads to a Service, and compare it with what it names",
	.details = "Class, host and path, backend and port, endpoints, and the controller's pods.",
	.params = params,
	.outcomes = outcomes,
	.evidence = evidence,
	.effect = PW_EFFECT_READS,
	.facts = PW_FACT_INGRESSES | PW_FACT_SERVICES | PW_FACT_SLICES | PW_FACT_PODS,
	.timeout_ms = 2000,
	.example = "check ingress_route service=shop/web host=www.shop.example path=/",
	.judge = judge,
};
