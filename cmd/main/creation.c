/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run may make in a cluster: how it is asked for on the command line, and that it goes again. */
#include "creation.h"

#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <cluster/cluster.h>
#include <packetwalk/cleanup.h>
#include <proc/child.h>
#include <vantage/created/creation.h>
#include <vantage/executor.h>

#include "session.h"
#include "signals.h"

#define END_MS 15000       /* of removing, unless somebody is in a hurry */
#define END_TERM_MS 3500   /* after SIGTERM all has to be over within 5 s */
#define TTL_EXTRA_S 60     /* beyond the limit of the run */

static bool starts(const char *text, const char *with) { return text && !strncmp(text, with, strlen(with)); }

bool pw_app_finds_kubectl(struct pw_app *app)
{
	char path[4096];
	const char *from = pw_app_opt(app, "cluster");
	return app->cluster && (!from || starts(from, "kube:")) && pw_program_find("kubectl", getenv("PATH"), path, sizeof path, NULL) == PW_OK;
}

static bool leads_there(struct pw_app *app)
{
	const char *via = pw_app_opt(app, "via"), *from = pw_app_opt(app, "cluster");
	bool live = app->cluster && (!from || starts(from, "kube:") || starts(from, "in-cluster:")); /* nothing is made by what a copy says */
	return live && (via ? !strcmp(via, "kubectl") || starts(via, "kubectl:") : pw_app_finds_kubectl(app));
}

int pw_app_image(struct pw_app *app, const char **ret_image, const char **ret_pull_policy, struct pw_err *err)
{
	const char *image = pw_app_opt(app, "image"), *pull = pw_app_opt(app, "pull-policy");
	*ret_image = image ? image : PW_IMAGE;
	*ret_pull_policy = pull ? pull : "IfNotPresent";
	if (!pw_made_is_image(*ret_image))
		return pw_err_set(err, PW_USAGE, "--image '%s' cannot be that", *ret_image);
	if (!pw_made_is_pull_policy(*ret_pull_policy))
		return pw_err_set(err, PW_USAGE, "--pull-policy is IfNotPresent, Always or Never, not '%s'", *ret_pull_policy);
	return PW_OK;
}

unsigned pw_app_creation_facts(struct pw_app *app)
{
	return leads_there(app) ? PW_FACT_PODS | PW_FACT_NODES | PW_FACT_NAMESPACES | PW_FACT_SERVICES | PW_FACT_POLICIES : 0;
}

static void say(void *arg, const char *line)
{
	struct pw_app *app = arg;
	pw_note(app, "%s", line);
}

static int check_options(struct pw_app *app, struct pw_creation_config *config, struct pw_err *err)
{
	unsigned whole_ms = 0;
	if (pw_app_image(app, &config->image, &config->pull_policy, err) || pw_app_duration(app, "timeout", 0, &whole_ms, err))
		return PW_USAGE;
	config->ttl_s = whole_ms ? whole_ms / 1000 + TTL_EXTRA_S : 0;
	config->node_ns = pw_app_opt(app, "node-namespace");
	return PW_OK;
}

int pw_app_creation(struct pw_app *app, struct pw_creation **ret, struct pw_err *err)
{
	const char *dir = leads_there(app) ? pw_state_dir(app, PW_CREATED_DIR) : NULL;
	struct pw_creation_config config = { .dir = dir, .kubeconfig = getenv("KUBECONFIG"), .say = say, .say_arg = app };
	*ret = NULL;
	if (!dir)
		return PW_OK;
	config.kubectl = pw_app_kubectl_argv(app);
	config.cluster = pw_cluster_describe(app->cluster);
	config.cluster_uid = pw_cluster_uid(app->cluster);
	if (!config.kubectl)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	int rc = check_options(app, &config, err);
	if (rc)
		return rc;
	app->creation = pw_creation_new(&config, err);
	*ret = app->creation;
	return app->creation ? PW_OK : err->code;
}

/* ---- the end ---- */

struct hurry { struct pw_app *app; bool term; };

/* Another Ctrl-C, or the first SIGTERM. */
static bool is_hurried(void *arg)
{
	const struct hurry *hurry = arg;
	struct pw_signals got = pw_signals_take();
	return got.ints || (got.term && !hurry->term);
}

static void say_end(void *arg, const char *line)
{
	const struct hurry *hurry = arg;
	pw_note(hurry->app, "%s", line);
}

void pw_app_creation_end(struct pw_app *app)
{
	struct pw_err err = PW_ERR_INIT;
	struct hurry hurry = { .app = app, .term = pw_signals_take().term };
	struct pw_made_end end = { .until_ms = pw_mono_ms() + (hurry.term ? END_TERM_MS : END_MS), .stop = is_hurried, .say = say_end, .arg = &hurry };
	if (app->creation && pw_creation_end(app->creation, &end, &err) < 0)
		(void)pw_fail(app, 0, "not everything that was made is removed: %s; packetwalk cleanup removes it", err.text);
	pw_creation_free(app->creation);
	app->creation = NULL;
}
