/* SPDX-License-Identifier: MIT */
#ifndef PACKETWALK_CHECK_H
#define PACKETWALK_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include <packetwalk/err.h>
#include <packetwalk/val.h>

#pragma GCC visibility push(default) /* plugins link against these */

/*
 * A check makes one observation and judges it. One C file declares one
 *
 *     const struct pw_check pw_check_NAME = { PW_CHECK_HEAD("NAME"), ... };
 *
 * compiled in from checks/NAME.c, or loaded from NAME.so in a plugin folder.
 * Help, man page, schema, lint and completion derive from the declaration.
 *
 * `probe` touches the world and judges nothing; it may run on another machine
 * (the agent at a node or pod), where it sees its parameters and nothing of
 * the cluster model. `judge` is pure: parameters, facts and observation in,
 * one declared outcome, evidence and a plain sentence out. A check that only
 * reads the cluster model has no probe. `borrow`, which a check may leave out,
 * fills the observation of `probe` with nothing but the programs a container
 * happens to have, as far as those can tell; what they cannot is left out.
 */
#define PW_CHECK_ABI 1u

enum pw_class { PW_CLASS_OK, PW_CLASS_WARN, PW_CLASS_FAIL, PW_CLASS_UNKNOWN, PW_CLASS_SKIPPED, PW_CLASS_ERROR };

/* What a check does to the world, least first. */
enum pw_effect { PW_EFFECT_NONE, PW_EFFECT_READS, PW_EFFECT_SENDS, PW_EFFECT_EXECS, PW_EFFECT_CREATES, PW_EFFECT_PRIVILEGED };

enum pw_type {
	PW_TYPE_STR, PW_TYPE_INT, PW_TYPE_REAL, PW_TYPE_BOOL, PW_TYPE_PORT, PW_TYPE_ADDRESS, PW_TYPE_CIDR,
	PW_TYPE_HOST, PW_TYPE_URL, PW_TYPE_DURATION, PW_TYPE_CHOICE, PW_TYPE_LIST, PW_TYPE_MAP,
	PW_TYPE_NAMESPACE, PW_TYPE_POD, PW_TYPE_SERVICE, PW_TYPE_NODE,
};

/* Capabilities the probe wants at its vantage (linux/capability.h numbers are
 * an implementation matter; these are the three diagnosis ever needs). */
enum pw_needs {
	PW_NEEDS_NOTHING = 0, PW_NEEDS_NET_RAW = 1, PW_NEEDS_NET_ADMIN = 2, PW_NEEDS_ROOT_FILES = 4,
	PW_NEEDS_QUIET = 8, /* measures its surroundings (counters, captures): runs alone, never ahead of its turn */
};

/* Which kinds of cluster object `judge` reads: only these are fetched. */
enum pw_fact {
	PW_FACT_NONE = 0, PW_FACT_NAMESPACES = 1 << 0, PW_FACT_NODES = 1 << 1, PW_FACT_PODS = 1 << 2,
	PW_FACT_SERVICES = 1 << 3, PW_FACT_SLICES = 1 << 4, PW_FACT_POLICIES = 1 << 5,
	PW_FACT_WORKLOADS = 1 << 6, PW_FACT_CONFIGMAPS = 1 << 7, PW_FACT_EVENTS = 1 << 8,
	PW_FACT_INGRESSES = 1 << 9, /* with their classes */
};

struct pw_param {
	const char *name;      /* NULL ends the list */
	enum pw_type type;
	int required;          /* 1: the playbook must give it */
	const char *otherwise; /* default as text, NULL if none */
	const char *range;     /* "1..65535" for numbers, "a|b|c" for choices, or NULL */
	const char *help;
};

struct pw_outcome {
	const char *word;      /* kebab-case; NULL ends the list */
	enum pw_class klass;
	const char *meaning;
	const char *cause;     /* the likely cause, or NULL */
	const char *next;      /* what to do next, or NULL */
};

/* Every check may besides end in these two, given by the engine, never by a
 * judge: `unknown` (could not be determined: crash, deadline, no way to the
 * vantage, not permitted) and `skipped` (by choice, or its effect not allowed). */
#define PW_OUTCOME_UNKNOWN "unknown"
#define PW_OUTCOME_SKIPPED "skipped"

struct pw_evidence {
	const char *name;      /* NULL ends the list */
	enum pw_type type;
	const char *unit;      /* "ms", "bytes", ... or NULL */
	const char *help;
};

struct pw_ctx;
struct pw_result;
struct pw_tools;           /* of a container: packetwalk/borrow.h */

struct pw_check {
	uint32_t abi;          /* PW_CHECK_ABI */
	uint32_t size;         /* sizeof(struct pw_check) */
	const char *name;      /* = file stem = what users type */
	const char *summary;   /* one line, no full stop */
	const char *details;   /* long text, may be NULL */
	const struct pw_param *params;
	const struct pw_outcome *outcomes;
	const struct pw_evidence *evidence;
	enum pw_effect effect;
	unsigned needs;        /* enum pw_needs bits */
	unsigned facts;        /* enum pw_fact bits */
	unsigned timeout_ms;   /* default deadline of the probe */
	const char *example;   /* a `packetwalk check` line, without the program name */
	int (*probe)(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err);
	int (*judge)(struct pw_ctx *ctx, const struct pw_val *observation, struct pw_result *result, struct pw_err *err);
	int (*borrow)(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *observation, struct pw_err *err); /* not in checks built before 0.2 */
};

#define PW_CHECK_HEAD(stem) .abi = PW_CHECK_ABI, .size = (uint32_t)sizeof(struct pw_check), .name = (stem)

const char *pw_class_word(enum pw_class klass);   /* "ok", "warn", "fail", "unknown", "skipped", "error" */
const char *pw_effect_word(enum pw_effect effect);
const char *pw_type_word(enum pw_type type);

#pragma GCC visibility pop

#endif
