/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An agent at the far end of ssh, where nodes are reached by their names:
 * `ssh` or `ssh:USER`. Keys, ports and jump hosts are ssh_config's business;
 * nobody is there to type a password.
 */
#include "transport.h"

static int ssh_check(const char *rest, struct pw_err *err)
{
	if (*rest && !pw_transport_plain(rest))
		return pw_err_set(err, PW_USAGE, "--via ssh: \"%.100s\" is not the name of a user", rest);
	return PW_OK;
}

static int ssh_argv(const struct pw_via *via, const struct pw_vantage *v, struct pw_arena *arena, const char *const **ret, struct pw_err *err)
{
	enum { ARGS = 10 };
	if (!v->node || !pw_transport_plain(v->node))
		return pw_err_set(err, PW_USAGE, "--via ssh: \"%.100s\" is not the name of a node", v->node ? v->node : "");
	const char **argv = pw_arena_array(arena, ARGS, sizeof *argv);
	const char *to = *via->rest ? pw_arena_printf(arena, "%s@%s", via->rest, v->node) : v->node;
	if (!argv || !to)
		return pw_err_set(err, PW_NOMEM, "no memory for a command line");
	const char *const words[] = { "ssh", "-T", "-o", "BatchMode=yes", "--", to, "packetwalk", "agent" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		argv[i] = words[i];
	*ret = argv;
	return PW_OK;
}

extern const struct pw_transport pw_transport_ssh;
const struct pw_transport pw_transport_ssh = {
	.name = "ssh",
	.summary = "ssh to the node by its name",
	.usage = "ssh or ssh:USER",
	.check = ssh_check,
	.argv = ssh_argv,
};
