/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_CLUSTER_UTIL_H
#define TESTS_UNIT_CLUSTER_UTIL_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cluster/cluster.h>
#include <doc/yaml.h>

#include "tap.h"

/* A model from YAML text, for tests of engine/cluster. */

static inline int model_add(struct pw_facts *facts, struct pw_arena *arena, const char *yaml, struct pw_err *err)
{
	const struct pw_val *documents;
	int rc = pw_yaml_parse_all(yaml, strlen(yaml), "t.yaml", &pw_yaml_bundle_limits, arena, NULL, &documents, err);

	for (size_t i = 0; rc == PW_OK && i < pw_val_count(documents); i++)
		rc = pw_facts_add(facts, pw_val_at(documents, i), err);
	return rc;
}

static inline struct pw_facts *model(struct pw_arena *arena, const char *yaml)
{
	struct pw_facts *facts = pw_facts_new(arena);
	struct pw_err err = PW_ERR_INIT;

	if (model_add(facts, arena, yaml, &err) != PW_OK)
		printf("# model: %s\n", err.text);
	pw_facts_finish(facts);
	return facts;
}

static inline void write_file(const char *dir, const char *name, mode_t mode, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	if (!file)
		return;
	(void)fputs(text, file);
	(void)fclose(file);
	(void)chmod(path, mode);
}

#endif
