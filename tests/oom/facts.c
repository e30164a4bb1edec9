/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building the cluster model from objects, and asking it. */
#include "oom.h"

#include <cluster/cluster.h>
#include <doc/json.h>
#include <packetwalk/cleanup.h>

#include <stdint.h>
#include <string.h>

static const char list[] =
	"{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":["
	"{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"shop\",\"labels\":{\"a\":\"b\"}}},"
	"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n1\"},\"spec\":{\"podCIDR\":\"10.1.0.0/24\"},"
	"\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}},"
	"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"labels\":{\"app\":\"web\"}},"
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"ports\":[{\"name\":\"http\",\"containerPort\":8080}]}]},"
	"\"status\":{\"phase\":\"Running\",\"podIP\":\"10.1.0.5\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}},"
	"{\"kind\":\"Service\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},"
	"\"spec\":{\"clusterIP\":\"10.96.0.9\",\"selector\":{\"app\":\"web\"},\"ports\":[{\"port\":80,\"targetPort\":\"http\"}]}},"
	"{\"kind\":\"EndpointSlice\",\"apiVersion\":\"discovery.k8s.io/v1\",\"addressType\":\"IPv4\","
	"\"metadata\":{\"name\":\"web-1\",\"namespace\":\"shop\",\"labels\":{\"kubernetes.io/service-name\":\"web\"}},"
	"\"ports\":[{\"port\":8080}],\"endpoints\":[{\"addresses\":[\"10.1.0.5\"],\"nodeName\":\"n1\",\"conditions\":{\"ready\":true}}]},"
	"{\"kind\":\"NetworkPolicy\",\"apiVersion\":\"networking.k8s.io/v1\",\"metadata\":{\"name\":\"p\",\"namespace\":\"shop\"},"
	"\"spec\":{\"podSelector\":{},\"ingress\":[{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"x\"}}},{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}}],"
	"\"ports\":[{\"port\":80}]}]}}]}";

static int ask(struct pw_facts *facts, struct pw_arena *arena, struct pw_err *err)
{
	const struct pw_input_type *type = pw_input_type(PW_TYPE_SERVICE);
	struct pw_val *val = NULL;
	int r = type->resolve(facts, "shop", "web", arena, &val, err);
	if (r < 0)
		return r;
	return pw_map_get(val, "cluster_ip") ? PW_OK : pw_err_set(err, PW_INTERNAL, "the service is not whole");
}

static int run(struct pw_err *err)
{
	static const struct pw_json_limits limits = { 1 << 20, 32 };
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(SIZE_MAX);
	struct pw_val *val = NULL;
	int r = pw_json_parse(list, strlen(list), "list.json", &limits, arena, &val, err);
	if (r < 0)
		return r;
	struct pw_facts *facts = pw_facts_new(arena);
	if (!facts)
		return PW_NOMEM;
	pw_facts_set_strict(facts, true);
	r = pw_facts_add(facts, val, err);
	if (r < 0)
		return r;
	pw_facts_finish(facts);
	return pw_facts_failed(facts) ? PW_NOMEM : ask(facts, arena, err);
}

const struct oom_scenario oom_scenario = { run, false };
