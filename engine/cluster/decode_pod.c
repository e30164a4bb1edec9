/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods, and the pods a workload's template would make. */
#include <cluster/model.h>

#include <string.h>

#define MAX_CONTAINERS 512      /* of one pod */
#define MAX_PORTS 1024          /* of one container */
#define MAX_ALIASES 1024
#define MAX_TOLERATIONS 256
#define MAX_SECONDS 86400000u   /* 1000 days: a probe's period beyond is nonsense */

static void decode_probe(struct pw_facts *facts, const struct pw_val *probe, struct pw_handler_spec *ret)
{
	static const struct { const char *key; enum pw_handler kind; } kinds[] = {
		{ "httpGet", PW_HANDLER_HTTP }, { "tcpSocket", PW_HANDLER_TCP },
		{ "exec", PW_HANDLER_EXEC }, { "grpc", PW_HANDLER_GRPC },
	};
	const struct pw_val *action = NULL;

	ret->scheme = ret->path = ret->host = ret->port_name = "";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !action; i++) {
		action = pw_map_get(probe, kinds[i].key);
		if (pw_val_is(action, PW_VAL_MAP))
			ret->kind = kinds[i].kind;
		else
			action = NULL;
	}
	if (!action)
		return;
	ret->scheme = pw_keep_key(facts, action, "scheme");
	if (ret->kind == PW_HANDLER_HTTP && !ret->scheme[0])
		ret->scheme = "HTTP";
	ret->path = pw_keep_key(facts, action, "path");
	ret->host = pw_keep_key(facts, action, "host");
	pw_keep_port(facts, pw_map_get(action, "port"), &ret->port, &ret->port_name);
	/* Defaults of core/v1 Probe. */
	ret->timeout_s = pw_map_uint(probe, "timeoutSeconds", MAX_SECONDS, 1);
	ret->period_s = pw_map_uint(probe, "periodSeconds", MAX_SECONDS, 10);
	ret->failure_threshold = pw_map_uint(probe, "failureThreshold", MAX_SECONDS, 3);
}

static void decode_ports(struct pw_facts *facts, const struct pw_val *ports, struct pw_container *ret)
{
	size_t n;
	struct pw_container_port *v = pw_keep_array(facts, ports, MAX_PORTS, sizeof(*v), &n);

	for (size_t i = 0; i < n; i++) {
		const struct pw_val *port = pw_val_at(ports, i);

		v[i].name = pw_keep_key(facts, port, "name");
		v[i].protocol = pw_keep_key(facts, port, "protocol");
		if (!v[i].protocol[0])
			v[i].protocol = "TCP";
		v[i].port = (uint16_t)pw_map_uint(port, "containerPort", UINT16_MAX, 0);
		v[i].host_port = (uint16_t)pw_map_uint(port, "hostPort", UINT16_MAX, 0);
	}
	ret->ports = v;
	ret->n_ports = n;
}

static void decode_status(struct pw_facts *facts, const struct pw_val *status, struct pw_container *ret)
{
	static const char *const states[] = { "running", "waiting", "terminated" };
	const struct pw_val *state = pw_map_get(status, "state");
	const struct pw_val *last = pw_val_get(status, "lastState.terminated");

	ret->state = ret->reason = ret->message = "";
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		const struct pw_val *detail = pw_map_get(state, states[i]);

		if (!pw_val_is(detail, PW_VAL_MAP))
			continue;
		ret->state = states[i];
		ret->reason = pw_keep_key(facts, detail, "reason");
		ret->message = pw_keep_key(facts, detail, "message");
		ret->started_at = pw_keep_time(facts, detail, "startedAt");
		break;
	}
	ret->last_reason = pw_keep_key(facts, last, "reason");
	ret->last_message = pw_keep_key(facts, last, "message");
	ret->last_exit_code = (int)pw_map_uint(last, "exitCode", UINT8_MAX, 0);
	ret->ready = pw_map_bool(status, "ready", false);
	ret->started = pw_map_bool(status, "started", false);
	ret->restarts = pw_map_uint(status, "restartCount", INT32_MAX, 0);
}

static const struct pw_val *status_of(const struct pw_val *statuses, const char *name)
{
	size_t n = pw_val_is(statuses, PW_VAL_SEQ) ? pw_val_count(statuses) : 0;

	for (size_t i = 0; i < n && i < MAX_CONTAINERS; i++)
		if (strcmp(pw_map_str(pw_val_at(statuses, i), "name", ""), name) == 0)
			return pw_val_at(statuses, i);
	return NULL;
}

static void decode_container(struct pw_facts *facts, const struct pw_val *container, const struct pw_val *statuses,
			     bool init, struct pw_container *ret)
{
	ret->name = pw_keep_key(facts, container, "name");
	ret->image = pw_keep_key(facts, container, "image");
	ret->init = init;
	ret->restart_always = strcmp(pw_map_str(container, "restartPolicy", ""), "Always") == 0;
	decode_ports(facts, pw_map_get(container, "ports"), ret);
	decode_probe(facts, pw_map_get(container, "readinessProbe"), &ret->readiness);
	decode_probe(facts, pw_map_get(container, "livenessProbe"), &ret->liveness);
	decode_status(facts, status_of(statuses, ret->name), ret);
}

static size_t count_containers(const struct pw_val *seq)
{
	size_t n = pw_val_is(seq, PW_VAL_SEQ) ? pw_val_count(seq) : 0;

	return n > MAX_CONTAINERS ? MAX_CONTAINERS : n;
}

static void decode_containers(struct pw_facts *facts, const struct pw_val *spec, const struct pw_val *status, struct pw_pod *pod)
{
	const struct pw_val *init = pw_map_get(spec, "initContainers"), *main = pw_map_get(spec, "containers");
	size_t n_init = count_containers(init), n_main = count_containers(main);
	struct pw_container *v = n_init + n_main ? pw_arena_array(facts->arena, n_init + n_main, sizeof(*v)) : NULL;

	if (!v)
		return;
	for (size_t i = 0; i < n_init; i++)
		decode_container(facts, pw_val_at(init, i), pw_map_get(status, "initContainerStatuses"), true, &v[i]);
	for (size_t i = 0; i < n_main; i++)
		decode_container(facts, pw_val_at(main, i), pw_map_get(status, "containerStatuses"), false, &v[n_init + i]);
	pod->containers = v;
	pod->n_containers = n_init + n_main;
}

static const struct pw_val *condition(const struct pw_val *status, const char *type)
{
	return pw_seq_find(pw_map_get(status, "conditions"), "type", type);
}

static void decode_conditions(struct pw_facts *facts, const struct pw_val *status, struct pw_pod *pod)
{
	const struct pw_val *ready = condition(status, "Ready"), *scheduled = condition(status, "PodScheduled");
	const char *sandbox = pw_map_str(condition(status, "PodReadyToStartContainers"), "status", "");

	pod->ready = strcmp(pw_map_str(ready, "status", ""), "True") == 0;
	pod->ready_reason = pw_keep_key(facts, ready, "reason");
	pod->ready_message = pw_keep_key(facts, ready, "message");
	pod->scheduled = pod->node[0] || strcmp(pw_map_str(scheduled, "status", ""), "True") == 0;
	pod->scheduled_reason = pw_keep_key(facts, scheduled, "reason");
	pod->scheduled_message = pw_keep_key(facts, scheduled, "message");
	pod->sandbox = !strcmp(sandbox, "True") ? 1 : !strcmp(sandbox, "False") ? 0 : -1;
}

/* status.podIPs: [{ip}] */
static struct pw_strings decode_ips(struct pw_facts *facts, const struct pw_val *list)
{
	size_t n;
	const char **v = pw_keep_array(facts, list, 16, sizeof(*v), &n); /* the API allows one per family */

	for (size_t i = 0; i < n; i++)
		v[i] = pw_keep_key(facts, pw_val_at(list, i), "ip");
	return (struct pw_strings){ v, n };
}

static void decode_dns(struct pw_facts *facts, const struct pw_val *spec, struct pw_pod *pod)
{
	const struct pw_val *config = pw_map_get(spec, "dnsConfig"), *options = pw_map_get(config, "options");
	const struct pw_val *aliases = pw_map_get(spec, "hostAliases");
	size_t n;
	struct pw_label *v = pw_keep_array(facts, options, MAX_ALIASES, sizeof(*v), &n);
	struct pw_host_alias *alias;

	for (size_t i = 0; i < n; i++) {
		v[i].key = pw_keep_key(facts, pw_val_at(options, i), "name");
		v[i].value = pw_keep_key(facts, pw_val_at(options, i), "value");
	}
	pod->dns_options = (struct pw_labels){ v, n };
	pod->dns_policy = pw_keep_key(facts, spec, "dnsPolicy");
	if (!pod->dns_policy[0])
		pod->dns_policy = "ClusterFirst";
	pod->dns_nameservers = pw_keep_strings(facts, pw_map_get(config, "nameservers"));
	pod->dns_searches = pw_keep_strings(facts, pw_map_get(config, "searches"));
	alias = pw_keep_array(facts, aliases, MAX_ALIASES, sizeof(*alias), &n);
	for (size_t i = 0; i < n; i++) {
		alias[i].ip = pw_keep_key(facts, pw_val_at(aliases, i), "ip");
		alias[i].names = pw_keep_strings(facts, pw_map_get(pw_val_at(aliases, i), "hostnames"));
	}
	pod->host_aliases = alias;
	pod->n_host_aliases = n;
}

static void decode_tolerations(struct pw_facts *facts, const struct pw_val *spec, struct pw_pod *pod)
{
	const struct pw_val *list = pw_map_get(spec, "tolerations");
	struct pw_toleration *v = pw_keep_array(facts, list, MAX_TOLERATIONS, sizeof(*v), &pod->n_tolerations);

	for (size_t i = 0; i < pod->n_tolerations; i++) {
		const struct pw_val *one = pw_val_at(list, i);

		v[i].key = pw_keep_key(facts, one, "key");
		v[i].op = pw_keep_key(facts, one, "operator");
		v[i].value = pw_keep_key(facts, one, "value");
		v[i].effect = pw_keep_key(facts, one, "effect");
		v[i].seconds = pw_map_int(one, "tolerationSeconds", -1);
	}
	pod->tolerations = v;
}

static void decode_spec(struct pw_facts *facts, const struct pw_val *spec, const struct pw_val *status, struct pw_pod *pod)
{
	pod->node = pw_keep_key(facts, spec, "nodeName");
	pod->host_network = pw_map_bool(spec, "hostNetwork", false);
	pod->hostname = pw_keep_key(facts, spec, "hostname");
	pod->subdomain = pw_keep_key(facts, spec, "subdomain");
	pod->service_account = pw_keep_key(facts, spec, "serviceAccountName");
	decode_dns(facts, spec, pod);
	decode_tolerations(facts, spec, pod);
	decode_containers(facts, spec, status, pod);
}

static void decode_pod_status(struct pw_facts *facts, const struct pw_val *status, struct pw_pod *pod)
{
	pod->phase = pw_keep_key(facts, status, "phase");
	pod->ip = pw_keep_key(facts, status, "podIP");
	pod->ips = decode_ips(facts, pw_map_get(status, "podIPs"));
	if (!pod->ip[0] && pod->ips.n)
		pod->ip = pod->ips.v[0];
	pod->host_ip = pw_keep_key(facts, status, "hostIP");
	pod->status_reason = pw_keep_key(facts, status, "reason");
	pod->status_message = pw_keep_key(facts, status, "message");
	decode_conditions(facts, status, pod);
}

int pw_decode_pod(struct pw_facts *facts, const struct pw_val *object)
{
	const struct pw_val *status = pw_map_get(object, "status");
	struct pw_pod *pod = pw_arena_alloc(facts->arena, sizeof(*pod));

	if (!pod)
		return PW_NOMEM;
	pw_keep_namespaced_meta(facts, object, &pod->meta);
	decode_spec(facts, pw_map_get(object, "spec"), status, pod);
	decode_pod_status(facts, status, pod);
	return pw_facts_store(facts, PW_FACT_PODS, pod->meta.ns, pod->meta.name, "", pod);
}

int pw_decode_template(struct pw_facts *facts, const struct pw_val *object, const char *kind, const struct pw_val *template)
{
	struct pw_pod *pod = pw_arena_alloc(facts->arena, sizeof(*pod));
	struct pw_meta owner = { 0 };

	if (!pod)
		return PW_NOMEM;
	pw_keep_namespaced_meta(facts, object, &owner);
	pw_keep_meta(facts, template, &pod->meta);
	pod->meta.ns = owner.ns;
	pod->meta.name = owner.name;
	pod->meta.uid = "";
	pod->meta.owner_kind = pw_keep_text(facts, kind);
	pod->meta.owner_name = owner.name;
	pod->template = true;
	decode_spec(facts, pw_map_get(template, "spec"), NULL, pod);
	decode_pod_status(facts, NULL, pod);
	return pw_facts_store(facts, PW_FACT_PODS, owner.ns, owner.name, pod->meta.owner_kind, pod);
}
