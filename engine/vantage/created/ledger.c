/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger's files: written before the cluster is changed, read after a run was killed. */
#include "ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <base/text.h>
#include <doc/json.h>
#include <doc/yaml.h>
#include <packetwalk/cleanup.h>

enum {
	FILE_MAX = 1 << 20,
	DEPTH_MAX = 16,
	LEDGERS_MAX = 4096,
	RUN_ID_LETTERS = 10,     /* 50 bits */
	PROC_MAX = 4096,
	STARTTIME = 22,          /* field of /proc/PID/stat, proc(5) */
	HOST_MAX = 256,
};

/* ---- who this is ---- */

static int read_small(const char *path, char *text, size_t size)
{
	PW_CLEAN_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return n > 0 ? PW_OK : PW_ABSENT;
}

/* The name in field 2 may hold blanks and parentheses: the last one closes it. */
static bool start_of(long pid, unsigned long long *ret)
{
	char path[64], text[PROC_MAX];
	(void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	if (pid <= 0 || read_small(path, text, sizeof text) < 0)
		return false;
	const char *p = strrchr(text, ')');
	for (int field = 2; p && field < STARTTIME; field++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p, "%llu", ret) == 1;
}

static const char *boot_id(struct pw_arena *arena)
{
	char text[64];
	return read_small("/proc/sys/kernel/random/boot_id", text, sizeof text) < 0 ? "" : pw_arena_strdup(arena, text);
}

static const char *host_name(struct pw_arena *arena)
{
	char text[HOST_MAX] = "";
	return gethostname(text, sizeof text - 1) ? "" : pw_arena_strdup(arena, text);
}

static const char *pid_ns(struct pw_arena *arena)
{
	char text[64];
	ssize_t n = readlink("/proc/self/ns/pid", text, sizeof text);
	return n > 0 ? pw_arena_strndup(arena, text, (size_t)n) : "";
}

static bool random_id(char *out)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32 */
	unsigned char bytes[RUN_ID_LETTERS];
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	for (size_t i = 0; i < sizeof bytes; i++)
		out[i] = letters[bytes[i] % 32];
	out[RUN_ID_LETTERS] = '\0';
	return true;
}

int pw_made_ledger_new(const char *dir, struct pw_arena *arena, struct pw_made_ledger *ret, struct pw_err *err)
{
	char id[PW_RUN_ID_SPACE];
	struct pw_made_ledger ledger = { .pid = (long)getpid(), .cluster = "", .cluster_uid = "" };
	if (!random_id(id))
		return pw_err_sys(err, PW_IO, errno, "no random number for the id of a run");
	if (!start_of(ledger.pid, &ledger.started))
		return pw_err_set(err, PW_IO, "cannot tell from /proc when this process started");
	ledger.run = pw_arena_strdup(arena, id);
	ledger.path = pw_arena_printf(arena, "%s/%s.json", dir, id);
	ledger.host = host_name(arena);
	ledger.boot = boot_id(arena);
	ledger.pid_ns = pid_ns(arena);
	ledger.objects = pw_arena_array(arena, PW_MADE_MAX, sizeof *ledger.objects);
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for the ledger of a run");
	*ret = ledger;
	return PW_OK;
}

/* ---- how the cluster is reached ---- */

/* As kubectl takes $KUBECONFIG: files, with colons between them. */
static const char *absolute_list(const char *list, const char *folder, struct pw_arena *arena)
{
	PW_CLEAN_BUF struct pw_buf out;
	pw_buf_init(&out, FILE_MAX);
	for (const char *part = list;; part++) {
		size_t len = strcspn(part, ":");
		if (len && *part != '/')
			pw_buf_printf(&out, "%s/", folder);
		pw_buf_add(&out, part, len);
		part += len;
		if (!*part)
			break;
		pw_buf_putc(&out, ':');
	}
	return pw_buf_ok(&out) ? pw_arena_strdup(arena, pw_buf_str(&out)) : NULL;
}

/* A name without a slash is looked for in PATH, wherever that is done. */
static const char *absolute_program(const char *program, const char *folder, struct pw_arena *arena)
{
	bool relative = *program != '/' && strchr(program, '/');
	return relative ? pw_arena_printf(arena, "%s/%s", folder, program) : program;
}

int pw_made_ledger_reach(struct pw_made_ledger *ledger, const char *const *argv, const char *kubeconfig, struct pw_arena *arena, struct pw_err *err)
{
	PW_CLEAN_FREE char *folder = getcwd(NULL, 0);
	const char **words = pw_arena_array(arena, PW_KUBE_ARGS + 1, sizeof *words);
	if (!folder)
		return pw_err_sys(err, PW_IO, errno, "cannot tell the folder in which this runs");
	for (size_t i = 0; words && i < PW_KUBE_ARGS && argv[i]; i++)
		words[i] = i ? argv[i] : absolute_program(argv[i], folder, arena);
	ledger->kubectl = words;
	ledger->kubeconfig = kubeconfig && *kubeconfig ? absolute_list(kubeconfig, folder, arena) : NULL;
	if (pw_arena_failed(arena) || !words || (kubeconfig && *kubeconfig && !ledger->kubeconfig))
		return pw_err_set(err, PW_NOMEM, "no memory for the ledger of a run");
	return PW_OK;
}

/* ---- writing ---- */

static struct pw_val *to_val(const struct pw_made_ledger *ledger, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);
	pw_map_set_int(map, "packetwalk_created", 1);
	pw_map_set_str(map, "run", ledger->run);
	pw_map_set_str(map, "host", ledger->host);
	pw_map_set_str(map, "boot", ledger->boot);
	pw_map_set_str(map, "pid_ns", ledger->pid_ns);
	pw_map_set_int(map, "pid", ledger->pid);
	pw_map_set_int(map, "started", (long long)ledger->started);
	pw_map_set_str(map, "cluster", ledger->cluster);
	pw_map_set_str(map, "cluster_uid", ledger->cluster_uid);
	struct pw_val *argv = pw_map_set_seq(map, "kubectl");
	for (const char *const *word = ledger->kubectl; word && *word; word++)
		pw_seq_add_str(argv, *word);
	if (ledger->kubeconfig)
		pw_map_set_str(map, "kubeconfig", ledger->kubeconfig);
	struct pw_val *objects = pw_map_set_seq(map, "objects");
	for (size_t i = 0; i < ledger->n; i++) {
		if (ledger->objects[i].done)
			continue;
		struct pw_val *object = pw_seq_add_map(objects);
		pw_map_set_str(object, "kind", "Pod");
		pw_map_set_str(object, "namespace", ledger->objects[i].ns);
		pw_map_set_str(object, "name", ledger->objects[i].name);
	}
	return map;
}

static int write_file(const struct pw_made_ledger *ledger, struct pw_err *err)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new((size_t)FILE_MAX * 4);
	PW_CLEAN_BUF struct pw_buf text;
	struct pw_val *map = to_val(ledger, arena);
	pw_buf_init(&text, FILE_MAX);
	pw_json_write(&text, map, 1);
	pw_buf_putc(&text, '\n');
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for the ledger of a run");
	return pw_file_write(ledger->path, 0600, &text, true, err);
}

static bool any_left(const struct pw_made_ledger *ledger)
{
	for (size_t i = 0; i < ledger->n; i++)
		if (!ledger->objects[i].done)
			return true;
	return false;
}

int pw_made_ledger_add(struct pw_made_ledger *ledger, const char *ns, const char *name, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_made_object object = { .ns = pw_arena_strdup(arena, ns), .name = pw_arena_strdup(arena, name) };
	if (!object.ns || !object.name)
		return pw_err_set(err, PW_NOMEM, "no memory for the ledger of a run");
	if (ledger->n == PW_MADE_MAX)
		return pw_err_set(err, PW_UNSUPPORTED, "a run makes no more than %u objects", PW_MADE_MAX);
	ledger->objects[ledger->n++] = object;
	int rc = write_file(ledger, err);
	if (rc == PW_OK)
		return PW_OK;
	ledger->n--;
	return pw_err_wrap(err, "nothing is made that cannot be written down first");
}

int pw_made_ledger_done(struct pw_made_ledger *ledger, struct pw_made_object *object, struct pw_err *err)
{
	object->done = true;
	if (any_left(ledger))
		return write_file(ledger, err);
	if (unlink(ledger->path) != 0 && errno != ENOENT)
		return pw_err_sys(err, PW_IO, errno, "cannot remove %s", ledger->path);
	return PW_OK;
}

/* ---- reading ---- */

static int take_objects(const struct pw_val *list, struct pw_arena *arena, struct pw_made_ledger *ret)
{
	size_t n = pw_val_count(list);
	ret->objects = pw_arena_array(arena, n + 1, sizeof *ret->objects);
	if (!ret->objects || n > PW_MADE_MAX)
		return PW_SYNTAX;
	for (; ret->n < n; ret->n++) {
		const struct pw_val *object = pw_val_at(list, ret->n);
		ret->objects[ret->n] = (struct pw_made_object){ .ns = pw_map_str(object, "namespace", ""), .name = pw_map_str(object, "name", "") };
		if (strcmp(pw_map_str(object, "kind", ""), "Pod") != 0)
			return PW_SYNTAX;
	}
	return PW_OK;
}

static int take_argv(const struct pw_val *list, struct pw_arena *arena, struct pw_made_ledger *ret)
{
	size_t n = pw_val_count(list);
	const char **argv = pw_arena_array(arena, n + 1, sizeof *argv);
	if (!argv || !n || n > PW_KUBE_ARGS)
		return PW_SYNTAX;
	for (size_t i = 0; i < n; i++)
		argv[i] = pw_val_text(pw_val_at(list, i)) ? pw_val_text(pw_val_at(list, i)) : "";
	ret->kubectl = argv;
	return PW_OK;
}

static int read_file(const char *path, struct pw_arena *arena, struct pw_made_ledger *ret, struct pw_err *err)
{
	static const struct pw_json_limits limits = { FILE_MAX, DEPTH_MAX };
	PW_CLEAN_FREE char *text = NULL;
	size_t len = 0;
	struct pw_val *map = NULL;
	int rc = pw_file_read(path, FILE_MAX, &text, &len, err);
	if (rc == PW_OK)
		rc = pw_json_parse(text, len, path, &limits, arena, &map, err);
	if (rc < 0)
		return rc;
	struct pw_made_ledger ledger = { .path = pw_arena_strdup(arena, path), .run = pw_map_str(map, "run", ""), .host = pw_map_str(map, "host", ""),
		.boot = pw_map_str(map, "boot", ""), .pid_ns = pw_map_str(map, "pid_ns", ""), .pid = (long)pw_map_int(map, "pid", 0), .started = (unsigned long long)pw_map_int(map, "started", 0),
		.cluster = pw_map_str(map, "cluster", ""), .cluster_uid = pw_map_str(map, "cluster_uid", ""), .kubeconfig = pw_map_str(map, "kubeconfig", NULL) };
	if (pw_map_int(map, "packetwalk_created", 0) != 1 || !*ledger.run || !ledger.path || take_argv(pw_map_get(map, "kubectl"), arena, &ledger) < 0 ||
	    take_objects(pw_map_get(map, "objects"), arena, &ledger) < 0)
		return pw_err_set(err, PW_SYNTAX, "%s is not a ledger this version knows", path);
	*ret = ledger;
	return PW_OK;
}

static int is_ledger(const struct dirent *entry) { return pw_glob("*.json", entry->d_name); }

int pw_made_ledgers(const char *dir, struct pw_arena *arena, struct pw_made_ledger **ret, size_t *ret_n, struct pw_buf *notes, struct pw_err *err)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_ledger, alphasort);
	size_t most = n > 0 ? (size_t)n : 0, found = 0;
	if (n < 0 && errno != ENOENT)
		return pw_err_sys(err, errno == ENOMEM ? PW_NOMEM : PW_IO, errno, "cannot read %s", dir);
	struct pw_made_ledger *ledgers = pw_arena_array(arena, most + 1, sizeof *ledgers);
	for (size_t i = 0; i < most; i++) {
		struct pw_err why = PW_ERR_INIT;
		const char *path = pw_arena_printf(arena, "%s/%s", dir, entries[i]->d_name);
		if (ledgers && path && found < LEDGERS_MAX && read_file(path, arena, &ledgers[found], &why) == PW_OK)
			found++;
		else if (why.code != PW_ABSENT) /* its run has ended meanwhile */
			pw_buf_printf(notes, "%s\n", why.text);
		free(entries[i]);
	}
	free(entries);
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for the ledgers in %s", dir);
	*ret = ledgers;
	*ret_n = found;
	return PW_OK;
}

enum pw_made_life pw_made_ledger_life(const struct pw_made_ledger *ledger)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 16);
	unsigned long long started = 0;
	const char *boot = boot_id(arena), *host = host_name(arena), *ns = pid_ns(arena);
	if (pw_arena_failed(arena))
		return PW_MADE_ELSEWHERE;
	if (strcmp(ledger->boot, boot) != 0)
		return strcmp(ledger->host, host) ? PW_MADE_ELSEWHERE : PW_MADE_DEAD;
	if (strcmp(ledger->pid_ns, ns) != 0)
		return PW_MADE_ELSEWHERE;
	return start_of(ledger->pid, &started) && started == ledger->started ? PW_MADE_LIVES : PW_MADE_DEAD;
}
