/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_VANTAGE_EXECUTOR_H
#define ENGINE_VANTAGE_EXECUTOR_H

#include <packetwalk/buf.h>
#include <packetwalk/ctx.h>

#include <base/type.h>

/*
 * Runs checks where they belong, many at once, each in a child process of its
 * own with a deadline, limits and bounded output; the caller only waits. A
 * crash, a hang, a flood or garbage comes back as a task that failed with a
 * reason, never as a result. The caller's process never touches the network.
 */
enum pw_vantage_kind {
	PW_AT_HERE,      /* this process's namespaces */
	PW_AT_NETNS,     /* `path`: a network namespace file of this machine */
	PW_AT_PID,       /* `pid`: the network namespace (and root, for files) of a process here */
	PW_AT_NODE,      /* `node`: a cluster node, through a transport */
	PW_AT_POD,       /* `ns`/`pod`, `uid`, on `node`: through the agent of that node */
};

/* How a vantage on another machine is reached. What it takes to get there is an effect of its own: run/ways.h chooses. */
enum pw_way {
	PW_WAY_LOCAL,    /* in a child of this process; for a vantage of another machine: not chosen, so through the transport */
	PW_WAY_AGENT,    /* the agent on its node, through the transport */
	PW_WAY_BORROW,   /* kubectl exec into the pod's own container, with the programs that are there */
	PW_WAY_PROBE_POD, /* a pod made beside it */
	PW_WAY_NODE_POD, /* a privileged pod made on its node, with an agent */
	PW_WAY_NONE,     /* there is none */
};

enum pw_effect pw_way_effect(enum pw_way way);

/* What there is to reach pods and nodes with. */
struct pw_ways {
	bool via;                   /* a transport was chosen by the user; it leads to every node, unless it is kubectl */
	bool kubectl;               /* kubectl can be run and means the cluster that is looked at */
	bool probe_pods, node_pods; /* pods can be made with it */
	struct pw_creation *creation; /* of which these are part (created/creation.h); NULL: none are made */
};

/* Where `packetwalk manifest agent` puts the pods that agents are started in, their app.kubernetes.io/name, and container. */
#define PW_AGENT_NAMESPACE "packetwalk"
#define PW_AGENT_APP "packetwalk-agent"
#define PW_AGENT_CONTAINER "agent"

struct pw_vantage {
	enum pw_vantage_kind kind;
	const char *path, *node, *ns, *pod, *uid;
	long pid;
	bool host_network;          /* of the pod: then the node's namespace */
	enum pw_way way;
	const char *container;      /* of the pod, in which programs are borrowed; "" or NULL: the one kubectl chooses */
	const char *agent;          /* the pod of PW_AGENT_NAMESPACE on that node in which an agent can be started; "" or NULL: none known */
	struct pw_made *probe_pod, *node_pod; /* planned for it, NULL: not; they live as long as the creation */
	bool bare;                  /* nothing can be borrowed in its container: that was found before */
	bool not_beside;            /* what another pod sees beside it is not what it sees */
	bool by_files;              /* of the check: goes by the pod's own files, so better in the pod itself than beside it */
};

/* The pod that `way` needs made, NULL for the other ways. */
struct pw_made *pw_vantage_made(const struct pw_vantage *vantage);

/* "here", "netns:PATH", "pid:N", "uid:POD-UID" (a pod of this machine), "node:NAME"; strings borrowed from `text` copies in arena. */
int pw_vantage_parse(const char *text, struct pw_arena *arena, struct pw_vantage *ret, struct pw_err *err);
/* Is it on another machine? */
bool pw_vantage_is_remote(const struct pw_vantage *vantage);
/* "here", "node n1", "pod shop/web on n1", "a pod beside shop/web on n1" for people. */
void pw_vantage_say(const struct pw_vantage *vantage, struct pw_buf *out);
#define PW_BESIDE "a pod beside " /* how the last begins */

struct pw_executor;

struct pw_executor_config {
	const char *via;            /* transport: "exec:ARGV with {node}", NULL: none was chosen */
	bool found_kubectl;         /* without one: there is a kubectl, and it means the cluster that is looked at */
	const char *const *kubectl; /* options that tell kubectl the cluster, NULL-terminated; NULL: none. Borrowed */
	struct pw_creation *creation; /* makes pods to look from, with a transport that is kubectl; NULL: none are made. Borrowed */
	unsigned jobs;              /* children at once, 0: 16 */
	size_t max_output;          /* bytes of one observation, 0: 4 MiB */
	size_t max_memory;          /* address space of one child in bytes, 0: 512 MiB; ignored under ASan */
	const struct pw_check *(*find_check)(void *arg, const char *name); void *find_arg; /* for the agent side */
};

struct pw_executor *pw_executor_new(const struct pw_executor_config *config, struct pw_err *err);
const struct pw_ways *pw_executor_ways(const struct pw_executor *executor);
/* Was it found in this run that nothing can be borrowed there: no shell, no right to exec, no such container? */
bool pw_executor_is_bare(const struct pw_executor *executor, const struct pw_vantage *vantage);
void pw_executor_free(struct pw_executor *executor); /* kills and reaps everything, agents too */

struct pw_task {
	unsigned id;                /* the caller's, unique among running tasks */
	const struct pw_check *check;
	const struct pw_vantage *vantage; /* copied; NULL: here */
	const char *say;            /* what to call the vantage in messages; NULL: as pw_vantage_say */
	const struct pw_val *params; /* map, already validated by pw_params_check; copied */
	const struct pw_facts *facts; /* judge's; NULL: none. Must live until the task is done */
	unsigned timeout_ms;        /* 0: the check's own */
	const struct pw_val *observation; /* judge this again instead of probing (replay, tests), or NULL */
	bool probe_only;            /* the agent: no judgement */
};
int pw_executor_start(struct pw_executor *executor, const struct pw_task *task, struct pw_err *err); /* queues beyond `jobs` */
void pw_executor_cancel(struct pw_executor *executor, unsigned id); /* its done comes with PW_CANCELLED */
size_t pw_executor_running(const struct pw_executor *executor);

struct pw_task_done {
	unsigned id;
	/* Judged: code PW_OK, outcome, class, says, evidence. Not judged: code and reason; outcome is "unknown". */
	int code;
	const char *outcome, *says, *reason; /* reason NULL when PW_OK */
	enum pw_class klass;
	const struct pw_val *evidence, *observation; /* maps, never NULL */
	const char *log;            /* stderr of the child, escaped, at most 4 KiB */
	unsigned duration_ms;
};
/* Waits for one to end. 1: *ret filled in `arena`; 0: timeout_ms passed (or nothing runs, or `wake_fd` became
 * readable, -1 none); negative: error. timeout_ms < 0: no limit. Never blocks past an arriving signal: EINTR gives 0. */
int pw_executor_wait(struct pw_executor *executor, int timeout_ms, int wake_fd, struct pw_arena *arena,
		     struct pw_task_done *ret, struct pw_err *err);

/* What a running task waits for before it begins: "pod shop/packetwalk-probe-x: ImagePullBackOff", for how long, and how long
 * at most. false: for nothing but its own end. */
bool pw_executor_waits(const struct pw_executor *executor, unsigned id, struct pw_buf *ret_for, unsigned *ret_ms, unsigned *ret_limit_ms);

/* The agent's main loop on two file descriptors: framed requests in, framed observations out, until EOF. */
int pw_agent_serve(int in_fd, int out_fd, const struct pw_executor_config *config, struct pw_err *err);

/* Types, ranges, requireds, unknown keys, defaults of a check's parameters; *ret is the completed map. */
int pw_params_check(const struct pw_check *check, const struct pw_val *given, struct pw_arena *arena, struct pw_val **ret, struct pw_err *err);

typedef int pw_borrow_fn(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *observation, struct pw_err *err);
/* The check's `borrow`, NULL if it has none: one built with older headers ends before it. */
pw_borrow_fn *pw_check_borrow(const struct pw_check *check);

/* Declaration sane and ABI right (built-in tests and .so loading use the same). */
int pw_check_validate(const struct pw_check *check, const char *expected_name, struct pw_err *err);

#endif
