/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pod planned, its manifest and its ledger written and read back, and forgotten. */
#include "oom.h"

#include <stdlib.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>
#include <vantage/created/ledger.h>
#include <vantage/created/made.h>

static int write_manifest(struct pw_err *err)
{
	static const struct pw_label label = { "app", "web" };
	static const struct pw_pod pod = { .meta = { .ns = "shop", .name = "web", .uid = "u", .labels = { &label, 1 } }, .node = "n1", .dns_policy = "ClusterFirst" };
	const struct pw_made_spec spec = { .kind = PW_MADE_PROBE, .ns = "shop", .name = "p", .node = "n1", .run = "r", .image = "i", .pull_policy = "Never",
					   .ttl_s = 60, .beside = &pod };
	PW_CLEAN_BUF struct pw_buf text;
	pw_buf_init(&text, 1 << 20);
	return pw_made_manifest(&spec, &text, err);
}

static int keep_ledger(const char *dir, struct pw_err *err)
{
	static const char *const argv[] = { "kubectl", NULL };
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 22);
	PW_CLEAN_BUF struct pw_buf notes;
	struct pw_made_ledger ledger, *all = NULL;
	size_t n = 0;
	pw_buf_init(&notes, 4096);
	int rc = pw_made_ledger_new(dir, arena, &ledger, err);
	if (rc < 0)
		return rc;
	ledger.kubectl = argv;
	rc = pw_made_ledger_add(&ledger, "shop", "p", arena, err);
	if (rc == PW_OK)
		rc = pw_made_ledgers(dir, arena, &all, &n, &notes, err);
	if (rc == PW_OK && (!pw_buf_ok(&notes) || n != 1))
		rc = pw_err_set(err, PW_NOMEM, "the ledger was not read");
	struct pw_err late = PW_ERR_INIT;
	int gone = ledger.n ? pw_made_ledger_done(&ledger, &ledger.objects[0], &late) : PW_OK;
	if (rc == PW_OK && gone < 0)
		rc = pw_err_set(err, gone, "%s", late.text);
	return rc;
}

static int run(struct pw_err *err)
{
	char dir[] = "/tmp/packetwalk-oom-XXXXXX";
	if (!mkdtemp(dir))
		return PW_IO;
	int rc = write_manifest(err);
	if (rc == PW_OK)
		rc = keep_ledger(dir, err);
	(void)rmdir(dir);
	return rc;
}

const struct oom_scenario oom_scenario = { run, true };
