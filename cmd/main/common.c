/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options that commands share, and the tables that make up one command's set. */
#include "creation.h"

#include <string.h>

static const struct pw_opt everywhere[] = {
	{ "help", 'h', NULL, "show this help and exit", PW_OPT_LOCAL },
	{ "version", 0, NULL, "print the version and exit", PW_OPT_LOCAL },
	{ "quiet", 'q', NULL, "nothing on stderr but errors and questions", 0 },
	{ "verbose", 'v', NULL, "more on stderr: where things come from, what is waited for", 0 },
	{ "color", 0, "WHEN", "auto (the default), always or never; NO_COLOR is honoured", 0 },
	{ NULL, 0, NULL, NULL, 0 },
};

static const struct pw_opt cluster[] = {
	{ "cluster", 0, "SOURCE", "kube:, in-cluster:, bundle:DIR or manifests:DIR; kube: unless said, in-cluster: inside a pod", 0 },
	{ "kubeconfig", 0, "FILE", "the kubeconfig file, as in kubectl", PW_OPT_TRUSTED },
	{ "context", 0, "NAME", "the kubeconfig context", 0 },
	{ "namespace", 'n', "NS", "the namespace of names given without one", 0 },
	{ "all-namespaces", 'A', NULL, "offer objects of all namespaces, not first those of the current one", 0 },
	{ "as", 0, "USER", "the user to impersonate", 0 },
	{ "request-timeout", 0, "D", "limit of one request to the API server, like 10s (the default)", 0 },
	{ NULL, 0, NULL, NULL, 0 },
};

static const struct pw_opt probe[] = {
	{ "at", 0, "VANTAGE", "where checks without a place of their own run: here, netns:PATH, pid:N, uid:POD-UID, node:NAME, NS/POD", 0 },
	{ "via", 0, "TRANSPORT", "how to reach nodes: kubectl, ssh, or 'exec:ARGV with {node}'", PW_OPT_TRUSTED },
	{ "image", 0, "IMAGE", "the image of pods that are made to look from (" PW_IMAGE ")", PW_OPT_TRUSTED },
	{ "pull-policy", 0, "POLICY", "of that image: IfNotPresent (unless said), Always or Never", 0 },
	{ "node-namespace", 0, "NS", "where privileged pods on nodes are made: packetwalk if it is there, else the sender's namespace if it takes them", 0 },
	{ "jobs", 0, "N", "checks at once (16); 1 runs them strictly one after the other", 0 },
	{ "timeout", 0, "D", "limit of the whole run, like 2m; what was found until then is printed", 0 },
	{ "plugin-dir", 0, "DIR", "a folder with checks as NAME.so; may be repeated", PW_OPT_MANY | PW_OPT_TRUSTED },
	{ NULL, 0, NULL, NULL, 0 },
};

static const struct pw_opt play[] = {
	{ "playbook-dir", 0, "DIR", "a folder with playbooks as NAME.yaml, searched first; may be repeated", PW_OPT_MANY },
	{ NULL, 0, NULL, NULL, 0 },
};

static const struct pw_opt walk[] = {
	{ "answers", 0, "FILE", "a YAML map of inputs and answers; - is stdin", 0 },
	{ "no-input", 0, NULL, "ask nothing; what is missing is listed and the exit code is 2", 0 },
	{ "max-effect", 0, "CLASS", "the most a check may do: none, reads, sends (the default), execs, creates, privileged", PW_OPT_TRUSTED },
	{ "record", 0, "FILE", "write the whole record of the run, observations included", 0 },
	{ "fail-on", 0, "CLASS", "exit 1 already on: warn, unknown; fail is the default", 0 },
	{ "exit-layer", 0, NULL, "exit 11 to 15 instead of 1: infrastructure, kubernetes, cni, third-party, application; 10 undecided", 0 },
	{ "exit-zero", 0, NULL, "exit 0 whatever was found", 0 },
	{ "explain-inputs", 0, NULL, "show every input, its value and where it came from, and go on", 0 },
	{ NULL, 0, NULL, NULL, 0 },
};

static const struct pw_opt output[] = {
	{ "output", 'o', "FORMAT[=FILE]", "the format of the result, may be repeated with files", PW_OPT_MANY },
	{ NULL, 0, NULL, NULL, 0 },
};

static const struct { unsigned group; const char *title; const struct pw_opt *table; } groups[] = {
	{ PW_OPTS_RUN, "Walk options", walk },
	{ PW_OPTS_OUTPUT, "Output options", output },
	{ PW_OPTS_PLAY, "Playbook options", play },
	{ PW_OPTS_PROBE, "Check options", probe },
	{ PW_OPTS_CLUSTER, "Cluster options", cluster },
};

size_t pw_cmd_tables(const struct pw_cmd *cmd, const struct pw_opt **tables, const char **titles, size_t max)
{
	size_t n = 0;
	if (cmd && cmd->options && n < max) {
		tables[n] = cmd->options;
		titles[n++] = "Options";
	}
	for (size_t i = 0; cmd && i < sizeof groups / sizeof *groups; i++)
		if ((cmd->groups & groups[i].group) && n < max) {
			tables[n] = groups[i].table;
			titles[n++] = groups[i].title;
		}
	if (n < max) {
		tables[n] = everywhere;
		titles[n++] = "Common options";
	}
	return n;
}

const struct pw_cmd *pw_cmd_find(const char *name)
{
	for (size_t i = 0; pw_cmd_registry[i]; i++)
		if (strcmp(pw_cmd_registry[i]->name, name) == 0)
			return pw_cmd_registry[i];
	return NULL;
}
