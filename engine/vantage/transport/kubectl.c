/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An agent started with the user's own kubectl, in the pod of the agent
 * DaemonSet on that node: `kubectl`, or `kubectl:PROGRAM` for another that
 * takes the same words. Contexts, logins and proxies are kubectl's business.
 */
#include "transport.h"

#include <string.h>

enum { KUBECTL_OPTIONS_MAX = 16, WORDS_MAX = 16 };

static int kubectl_check(const char *rest, struct pw_err *err)
{
	return *rest == '-' ? pw_err_set(err, PW_USAGE, "--via kubectl: \"%.100s\" is not a program", rest) : PW_OK;
}

/* "ns/name" in two; NULL in *ret_pod when it is not that. */
static void split_name(const char *text, struct pw_arena *arena, const char **ret_ns, const char **ret_pod)
{
	const char *slash = strchr(text, '/');
	*ret_ns = slash ? pw_arena_strndup(arena, text, (size_t)(slash - text)) : NULL;
	*ret_pod = *ret_ns && pw_transport_plain(*ret_ns) && pw_transport_plain(slash + 1) ? slash + 1 : NULL;
}

static int kubectl_argv(const struct pw_via *via, const struct pw_vantage *v, struct pw_arena *arena, const char *const **ret, struct pw_err *err)
{
	const char *ns, *pod;
	size_t n = 0;
	if (!v->agent || !*v->agent)
		return pw_err_set(err, PW_ABSENT, "--via kubectl: no pod of the agent is ready on %.100s: packetwalk manifest agent | kubectl apply -f -",
				  v->node && *v->node ? v->node : "an unknown node");
	split_name(v->agent, arena, &ns, &pod);
	if (!pod)
		return pw_err_set(err, PW_USAGE, "--via kubectl: \"%.100s\" is not the name of a pod", v->agent);
	const char **argv = pw_arena_array(arena, 1 + KUBECTL_OPTIONS_MAX + WORDS_MAX, sizeof *argv); /* zeroed: its end is there already */
	const char *program = pw_arena_strdup(arena, *via->rest ? via->rest : "kubectl"), *its = pw_arena_strdup(arena, pod);
	if (!argv || !program || !its)
		return pw_err_set(err, PW_NOMEM, "no memory for a command line");
	argv[n++] = program;
	for (const char *const *o = via->kubectl; o && *o && n <= KUBECTL_OPTIONS_MAX; o++)
		argv[n++] = *o;
	const char *const words[] = { "exec", "-i", "-q", "-n", ns, its, "-c", PW_AGENT_CONTAINER, "--", "packetwalk", "agent" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		argv[n++] = words[i];
	*ret = argv;
	return PW_OK;
}

extern const struct pw_transport pw_transport_kubectl;
const struct pw_transport pw_transport_kubectl = {
	.name = "kubectl",
	.summary = "kubectl exec into the agent's pod on the node",
	.usage = "kubectl or kubectl:PROGRAM",
	.check = kubectl_check,
	.argv = kubectl_argv,
};
