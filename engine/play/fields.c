/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The types of the fields that inputs offer: as engine/cluster makes them, and a test holds the two together. */
#include <play/fields.h>

#include <string.h>

static const struct pw_field none[] = { { .name = NULL } };

static const struct pw_field endpoint[] = {
	{ "address", PW_TYPE_ADDRESS, NULL }, { "port", PW_TYPE_PORT, NULL }, { "node", PW_TYPE_NODE, NULL },
	{ "node_ip", PW_TYPE_ADDRESS, NULL }, { "pod", PW_TYPE_POD, NULL }, { "ready", PW_TYPE_BOOL, NULL },
	{ "serving", PW_TYPE_BOOL, NULL }, { "terminating", PW_TYPE_BOOL, NULL }, { .name = NULL },
};

static const struct pw_field pod_port[] = {
	{ "number", PW_TYPE_PORT, NULL }, { "port", PW_TYPE_PORT, NULL }, { "name", PW_TYPE_STR, NULL },
	{ "protocol", PW_TYPE_STR, NULL }, { .name = NULL },
};

static const struct pw_field pod[] = {
	{ "name", PW_TYPE_STR, NULL }, { "namespace", PW_TYPE_NAMESPACE, NULL }, { "node", PW_TYPE_NODE, NULL },
	{ "node_ip", PW_TYPE_ADDRESS, NULL }, { "ip", PW_TYPE_ADDRESS, NULL }, { "uid", PW_TYPE_STR, NULL },
	{ "host_ip", PW_TYPE_ADDRESS, NULL }, { "host_network", PW_TYPE_BOOL, NULL }, { "labels", PW_TYPE_MAP, NULL },
	{ "phase", PW_TYPE_STR, NULL }, { "ready", PW_TYPE_BOOL, NULL }, { "dns_policy", PW_TYPE_STR, NULL },
	{ "service_account", PW_TYPE_STR, NULL }, { "ports", PW_TYPE_LIST, pod_port },
	{ "peer", PW_TYPE_POD, NULL }, { "peer_ip", PW_TYPE_ADDRESS, NULL }, { "far", PW_TYPE_POD, NULL },
	{ "far_ip", PW_TYPE_ADDRESS, NULL }, { "far_node", PW_TYPE_NODE, NULL }, { "other_client", PW_TYPE_POD, NULL },
	{ .name = NULL },
};

static const struct pw_field service[] = {
	{ "name", PW_TYPE_STR, NULL }, { "namespace", PW_TYPE_NAMESPACE, NULL }, { "fqdn", PW_TYPE_HOST, NULL },
	{ "short", PW_TYPE_HOST, NULL }, { "type", PW_TYPE_STR, NULL }, { "cluster_ip", PW_TYPE_ADDRESS, NULL },
	{ "headless", PW_TYPE_BOOL, NULL }, { "external_name", PW_TYPE_HOST, NULL }, { "lb_ip", PW_TYPE_ADDRESS, NULL }, { "lb_host", PW_TYPE_HOST, NULL },
	{ "selector", PW_TYPE_MAP, NULL }, { "dns_ip", PW_TYPE_ADDRESS, NULL }, { "internal_policy", PW_TYPE_STR, NULL },
	{ "external_policy", PW_TYPE_STR, NULL }, { "session_affinity", PW_TYPE_STR, NULL }, { "port", PW_TYPE_PORT, NULL },
	{ "port_name", PW_TYPE_STR, NULL }, { "protocol", PW_TYPE_STR, NULL }, { "app_protocol", PW_TYPE_STR, NULL },
	{ "node_port", PW_TYPE_PORT, NULL }, { "target_port", PW_TYPE_STR, NULL }, { "endpoints", PW_TYPE_LIST, endpoint },
	{ "all_endpoints", PW_TYPE_LIST, endpoint }, { "nodes", PW_TYPE_LIST, NULL }, { "first_endpoint", PW_TYPE_STR, NULL },
	{ "first_endpoint_node", PW_TYPE_NODE, NULL }, { "first_ip", PW_TYPE_ADDRESS, NULL }, { "first_port", PW_TYPE_PORT, NULL },
	{ .name = NULL },
};

static const struct pw_field node[] = {
	{ "name", PW_TYPE_NODE, NULL }, { "ip", PW_TYPE_ADDRESS, NULL }, { "external_ip", PW_TYPE_ADDRESS, NULL },
	{ "pod_cidr", PW_TYPE_CIDR, NULL }, { "ready", PW_TYPE_BOOL, NULL }, { "kubelet_version", PW_TYPE_STR, NULL },
	{ "kernel_version", PW_TYPE_STR, NULL }, { "peer", PW_TYPE_NODE, NULL }, { "peer_ip", PW_TYPE_ADDRESS, NULL },
	{ .name = NULL },
};

static const struct pw_field ns[] = {
	{ "name", PW_TYPE_NAMESPACE, NULL }, { "labels", PW_TYPE_MAP, NULL }, { .name = NULL },
};

static const struct pw_field url[] = {
	{ "scheme", PW_TYPE_STR, NULL }, { "host", PW_TYPE_HOST, NULL }, { "port", PW_TYPE_PORT, NULL },
	{ "path", PW_TYPE_STR, NULL }, { .name = NULL },
};

static const struct pw_field duration[] = { { "ms", PW_TYPE_INT, NULL }, { .name = NULL } };

const struct pw_field *pw_fields_of(enum pw_type type)
{
	switch (type) {
	case PW_TYPE_POD: return pod;
	case PW_TYPE_SERVICE: return service;
	case PW_TYPE_NODE: return node;
	case PW_TYPE_NAMESPACE: return ns;
	case PW_TYPE_URL: return url;
	case PW_TYPE_DURATION: return duration;
	case PW_TYPE_STR: case PW_TYPE_INT: case PW_TYPE_REAL: case PW_TYPE_BOOL: case PW_TYPE_PORT: case PW_TYPE_ADDRESS:
	case PW_TYPE_CIDR: case PW_TYPE_HOST: case PW_TYPE_CHOICE: case PW_TYPE_LIST: case PW_TYPE_MAP:
		break;
	}
	return none;
}

const struct pw_field *pw_field_find(const struct pw_field *fields, const char *name, size_t len)
{
	for (; fields && fields->name; fields++)
		if (strlen(fields->name) == len && !memcmp(fields->name, name, len))
			return fields;
	return NULL;
}
