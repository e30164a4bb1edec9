/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An agent started with the user's own kubectl, in the pod of the agent
 * DaemonSet on that node: `kubectl`, or `kubectl:PROGRAM` for another that
 * takes the same words. Contexts, logins and proxies are kubectl's business.
 */
#include "transport.h"

#include <vantage/created/creation.h>

static int kubectl_check(const char *rest, struct pw_err *err)
{
	return *rest == '-' ? pw_err_set(err, PW_USAGE, "--via kubectl: \"%.100s\" is not a program", rest) : PW_OK;
}

/* In the pod that is made for the vantage: the very kubectl that made it, which knows its cluster. */
static int argv_for_made(const struct pw_made *made, struct pw_arena *arena, const char *const **ret, struct pw_err *err)
{
	const char *const words[] = { "exec", "-i", "-q", "-n", made->ns, made->name, "-c", PW_AGENT_CONTAINER, "--", "packetwalk", "agent" };
	const char **argv = pw_arena_array(arena, PW_KUBE_ARGS + sizeof words / sizeof *words + 1, sizeof *argv); /* zeroed: its end is there already */
	size_t n = 0;
	if (!argv)
		return pw_err_set(err, PW_NOMEM, "no memory for a command line");
	for (const char *const *o = made->kube->argv; *o && n < PW_KUBE_ARGS; o++)
		argv[n++] = *o;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		argv[n++] = words[i];
	*ret = argv;
	return PW_OK;
}

static int kubectl_argv(const struct pw_via *via, const struct pw_vantage *v, struct pw_arena *arena, const char *const **ret, struct pw_err *err)
{
	size_t n = 0, n_options = 0;
	const struct pw_made *made = pw_vantage_made(v);
	if (made)
		return argv_for_made(made, arena, ret, err);
	if (!v->agent || !*v->agent)
		return pw_err_set(err, PW_ABSENT, "--via kubectl: no pod of the agent is ready on %.100s: packetwalk manifest agent | kubectl apply -f -",
				  v->node && *v->node ? v->node : "an unknown node");
	if (!pw_transport_plain(v->agent))
		return pw_err_set(err, PW_USAGE, "--via kubectl: \"" PW_AGENT_NAMESPACE "/%.100s\" is not the name of a pod", v->agent);
	while (via->kubectl && via->kubectl[n_options])
		n_options++;
	const char *const words[] = { "exec", "-i", "-q", "-n", PW_AGENT_NAMESPACE, v->agent, "-c", PW_AGENT_CONTAINER, "--", "packetwalk", "agent" };
	const char **argv = pw_arena_array(arena, 1 + n_options + sizeof words / sizeof *words + 1, sizeof *argv); /* zeroed: its end is there already */
	if (!argv)
		return pw_err_set(err, PW_NOMEM, "no memory for a command line");
	argv[n++] = *via->rest ? via->rest : "kubectl";
	for (size_t i = 0; i < n_options; i++)
		argv[n++] = via->kubectl[i];
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		argv[n++] = words[i];
	*ret = argv;
	return PW_OK;
}

const struct pw_transport pw_transport_kubectl = {
	.name = "kubectl",
	.summary = "kubectl exec into the agent's pod on the node",
	.usage = "kubectl or kubectl:PROGRAM",
	.check = kubectl_check,
	.argv = kubectl_argv,
};
