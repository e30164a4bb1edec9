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

/* ---- command lines ---- */

enum { PARTS = 6 };

static size_t count(const char *const *words)
{
	size_t n = 0;
	while (words && words[n])
		n++;
	return n;
}

/* NULL-terminated lists, one after the other; NULL is an empty one. */
static int join(const char *const *const parts[PARTS], struct pw_arena *arena, const char *const **ret, struct pw_err *err)
{
	size_t n = 0, most = 1;
	for (size_t p = 0; p < PARTS; p++)
		most += count(parts[p]);
	const char **all = pw_arena_array(arena, most, sizeof *all); /* zeroed: its end is there already */
	if (!all)
		return pw_err_set(err, PW_NOMEM, "no memory for a command line");
	for (size_t p = 0; p < PARTS; p++)
		for (size_t i = 0; parts[p] && parts[p][i]; i++)
			all[n++] = parts[p][i];
	*ret = all;
	return PW_OK;
}

static const char *program_of(const struct pw_via *via)
{
	return *via->rest ? via->rest : "kubectl";
}

int pw_kubectl_exec(const struct pw_via *via, const struct pw_vantage *v, const char *const *argv, struct pw_arena *arena,
		    const char *const **ret, struct pw_err *err)
{
	bool chosen = v->container && *v->container;
	if (!v->ns || !v->pod || !pw_transport_plain(v->ns) || !pw_transport_plain(v->pod) || (chosen && !pw_transport_plain(v->container)))
		return pw_err_set(err, PW_USAGE, "kubectl exec: \"%.100s/%.100s\" is not the name of a pod", v->ns ? v->ns : "", v->pod ? v->pod : "");
	const char *const program[] = { program_of(via), NULL }, *const in_pod[] = { "exec", "-q", "-n", v->ns, v->pod, NULL },
		   *const of_container[] = { "-c", v->container, NULL }, *const end[] = { "--", NULL };
	const char *const *const parts[PARTS] = { program, via->kubectl, in_pod, chosen ? of_container : NULL, end, argv };
	return join(parts, arena, ret, err);
}

/* ---- agents ---- */

/* In the pod that is made for the vantage: the very kubectl that made it, which knows its cluster. */
static int argv_for_made(const struct pw_made *made, struct pw_arena *arena, const char *const **ret, struct pw_err *err)
{
	const char *const words[] = { "exec", "-i", "-q", "-n", made->ns, made->name, "-c", PW_AGENT_CONTAINER, "--", "packetwalk", "agent", NULL };
	const char *const *const parts[PARTS] = { made->kube->argv, words };
	return join(parts, arena, ret, err);
}

static int kubectl_argv(const struct pw_via *via, const struct pw_vantage *v, struct pw_arena *arena, const char *const **ret, struct pw_err *err)
{
	const struct pw_made *made = pw_vantage_made(v);
	if (made)
		return argv_for_made(made, arena, ret, err);
	if (!v->agent || !*v->agent)
		return pw_err_set(err, PW_ABSENT, "--via kubectl: no pod of the agent is ready on %.100s: packetwalk manifest agent | kubectl apply -f -",
				  v->node && *v->node ? v->node : "an unknown node");
	if (!pw_transport_plain(v->agent))
		return pw_err_set(err, PW_USAGE, "--via kubectl: \"" PW_AGENT_NAMESPACE "/%.100s\" is not the name of a pod", v->agent);
	const char *const words[] = { "exec", "-i", "-q", "-n", PW_AGENT_NAMESPACE, v->agent, "-c", PW_AGENT_CONTAINER, "--", "packetwalk", "agent", NULL };
	const char *const program[] = { program_of(via), NULL };
	const char *const *const parts[PARTS] = { program, via->kubectl, words };
	return join(parts, arena, ret, err);
}

const struct pw_transport pw_transport_kubectl = {
	.name = "kubectl",
	.summary = "kubectl exec into the agent's pod on the node",
	.usage = "kubectl or kubectl:PROGRAM",
	.check = kubectl_check,
	.argv = kubectl_argv,
};
