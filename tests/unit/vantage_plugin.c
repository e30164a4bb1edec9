/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks from files: whom they are taken from, what is refused, and how programs are judged. */
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <packetwalk/cleanup.h>
#include <vantage/exec_check.h>
#include <vantage/executor.h>
#include <vantage/plugin.h>

enum { PATIENCE_MS = 30000 };

static char folder[] = "/tmp/pw-plugin-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text, size_t len, mode_t mode)
{
	PW_CLEAN_CLOSE int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len || fchmod(fd, mode) < 0)
		ok(false, "cannot write %s", name);
}

static void put_text(const char *name, const char *text, mode_t mode)
{
	put(name, text, strlen(text), mode);
}

static void remove_file(const char *name)
{
	(void)unlink(in_folder(name));
}

/* The .so next to this program, into the folder. */
static void copy_plugin(const char *name, const char *as)
{
	char path[PATH_MAX] = "", *slash;
	static char data[1 << 20];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	for (int i = 0; n > 0 && i < 2; i++)
		if ((slash = strrchr(path, '/')))
			*slash = '\0';
	size_t len = strlen(path);
	(void)snprintf(path + len, sizeof path - len, "/plugins/%s", name);
	PW_CLEAN_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, data, sizeof data);
	ok(n > 0, "plugin %s was built", name);
	put(as, data, n > 0 ? (size_t)n : 0, 0755);
}

static const char *refusal(const char *name)
{
	static struct pw_err err;
	pw_err_clear(&err);
	struct pw_plugins *plugins = pw_plugins_new();
	int rc = pw_plugins_load(plugins, name ? in_folder(name) : folder, &err);
	ok(rc == PW_OK || pw_plugins_count(plugins) == 0, "what is refused is not there");
	pw_plugins_free(plugins);
	return rc == PW_OK ? "loaded" : err.text;
}

static struct pw_task_done run(const struct pw_check *check, struct pw_arena *arena, const char *key, const char *value, unsigned timeout_ms)
{
	const struct pw_executor_config config = {0};
	struct pw_executor *ex = pw_executor_new(&config, NULL);
	struct pw_val *given = pw_val_map(arena), *params = NULL;
	struct pw_err err = PW_ERR_INIT;
	struct pw_task_done done = { .outcome = "", .says = "" };
	if (key)
		pw_map_set_str(given, key, value);
	ok(pw_params_check(check, given, arena, &params, &err) == PW_OK, "parameters %s", err.text);
	const struct pw_task task = { .id = 1, .check = check, .params = params, .timeout_ms = timeout_ms };
	(void)pw_executor_start(ex, &task, &err);
	ok(pw_executor_wait(ex, tap_ms(PATIENCE_MS), -1, arena, &done, &err) == 1, "it ends %s", err.text);
	pw_executor_free(ex);
	return done;
}

static void test_object(void)
{
	char want[512];
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_err err = PW_ERR_INIT;
	copy_plugin("hello.so", "hello.so");
	put_text("README", "not a plugin", 0644);
	struct pw_plugins *plugins = pw_plugins_new();
	is_int(pw_plugins_load(plugins, folder, &err), PW_OK, "a folder with a plugin");
	is_int(pw_plugins_count(plugins), 1, "loads it and nothing else");
	is_str(pw_plugins_file(plugins, 0), in_folder("hello.so"), "its file is remembered");
	const struct pw_check *hello = pw_plugins_find(plugins, "hello");
	ok(hello == pw_plugins_at(plugins, 0), "it is found by its name");
	if (hello) {
		struct pw_task_done d = run(hello, arena, "to", "you", 0);
		is_str(d.says, "It said hello, you.", "it runs");
		d = run(hello, arena, "to", "crash", 0);
		is_str(d.reason, "the process of the check hello was killed by SIGABRT", "its crash is its own");
	}
	(void)snprintf(want, sizeof want, "%s declares the check hello, which came from %s already", in_folder("hello.so"), in_folder("hello.so"));
	is_int(pw_plugins_load(plugins, in_folder("hello.so"), &err), PW_USAGE, "a second of the same name");
	is_str(err.text, want, "is refused, naming both");
	pw_plugins_free(plugins);
	remove_file("hello.so");
}

static void test_refused_objects(void)
{
	char want[512];
	copy_plugin("other_abi.so", "other_abi.so");
	(void)snprintf(want, sizeof want, "%s is refused: other_abi was built for check ABI 2, this packetwalk has ABI 1; rebuild it", in_folder("other_abi.so"));
	is_str(refusal(NULL), want, "another ABI");
	remove_file("other_abi.so");
	copy_plugin("misnamed.so", "misnamed.so");
	(void)snprintf(want, sizeof want, "%s is refused: misnamed declares the name \"something_else\"; the name must be that of the file", in_folder("misnamed.so"));
	is_str(refusal("misnamed.so"), want, "another name");
	remove_file("misnamed.so");
	copy_plugin("no_symbol.so", "no_symbol.so");
	(void)snprintf(want, sizeof want, "%s has no symbol pw_check_no_symbol: declare `const struct pw_check pw_check_no_symbol` in it, and do not hide it",
		       in_folder("no_symbol.so"));
	is_str(refusal("no_symbol.so"), want, "no symbol");
	remove_file("no_symbol.so");
	put_text("broken.so", "not an object", 0644);
	ok(strstr(refusal("broken.so"), "cannot load "), "not an object at all");
	remove_file("broken.so");
	(void)snprintf(want, sizeof want, "%s is not a plugin: NAME.so or NAME.check.yaml", in_folder("README"));
	is_str(refusal("README"), want, "a file of another kind, named");
	(void)snprintf(want, sizeof want, "cannot open %s: No such file or directory", in_folder("absent.so"));
	is_str(refusal("absent.so"), want, "no file");
}

static void test_trust(void)
{
	char want[512];
	copy_plugin("hello.so", "hello.so");
	(void)chmod(in_folder("hello.so"), 0775);
	(void)snprintf(want, sizeof want, "%s can be written by others: plugins are not loaded from there (chmod go-w)", in_folder("hello.so"));
	is_str(refusal(NULL), want, "a plugin its group may write");
	(void)chmod(in_folder("hello.so"), 0755);
	(void)chmod(folder, 01777);
	(void)snprintf(want, sizeof want, "%s can be written by others: plugins are not loaded from there (chmod go-w)", folder);
	is_str(refusal(NULL), want, "a folder all may write, sticky or not");
	(void)chmod(folder, 0700);
	if (geteuid() == 0 && chown(in_folder("hello.so"), 12345, (gid_t)-1) == 0) {
		(void)snprintf(want, sizeof want, "%s belongs to user 12345: plugins are loaded only from what root or you own", in_folder("hello.so"));
		is_str(refusal("hello.so"), want, "a plugin of a stranger");
	} else {
		tap_skip("a plugin of a stranger", "only root can give files away");
	}
	remove_file("hello.so");
	ok(symlink("/tmp", in_folder("link.so")) == 0, "a link out of the folder");
	ok(strstr(refusal("link.so"), "/tmp can be written by others"), "a link is followed before it is trusted");
	remove_file("link.so");
}

/* ---- programs ---- */

static const char declaration[] =
	"packetwalk-check: 1\n"
	"summary: Ask a program\n"
	"argv: [./program, -H, \"${address}\", \"-p=${port}\"]\n"
	"params:\n"
	"  address: {type: address, default: 127.0.0.1, help: Whom to ask}\n"
	"  port: {type: port, default: 80, help: On which port}\n"
	"nagios: true\n"
	"timeout: 5s\n"
	"effect: sends\n";

static struct pw_task_done run_program(const char *script, struct pw_arena *arena)
{
	struct pw_plugins *plugins = pw_plugins_new();
	struct pw_err err = PW_ERR_INIT;
	struct pw_task_done done = { .outcome = "", .says = "" };
	put_text("program", script, 0755);
	put_text("asking.check.yaml", declaration, 0644);
	if (ok(pw_plugins_load(plugins, folder, &err) == PW_OK, "the declaration loads %s", err.text))
		done = run(pw_plugins_find(plugins, "asking"), arena, "address", "10.0.0.1", (unsigned)tap_ms(2000));
	/* The words of outcomes are copies: they outlive the declaration. */
	pw_plugins_free(plugins);
	remove_file("asking.check.yaml");
	remove_file("program");
	return done;
}

static void test_nagios(void)
{
	static const struct { const char *script, *outcome; enum pw_class klass; const char *says; } cases[] = {
		{ "#!/bin/sh\necho \"OK - $* | time=0.5s\"\n", "ok", PW_CLASS_OK, "OK - -H 10.0.0.1 -p=80" },
		{ "#!/bin/sh\necho WARN; exit 1\n", "warning", PW_CLASS_WARN, "WARN" },
		{ "#!/bin/sh\necho 'CRIT | a=1'; exit 2\n", "critical", PW_CLASS_FAIL, "CRIT" },
		{ "#!/bin/sh\necho dunno; exit 3\n", "unknown-status", PW_CLASS_UNKNOWN, "dunno" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
		struct pw_task_done d = run_program(cases[i].script, arena);
		is_str(d.reason, NULL, "no complaint");
		is_str(d.outcome, cases[i].outcome, "a Nagios status");
		is_int(d.klass, cases[i].klass, "its class");
		is_str(d.says, cases[i].says, "its first line");
	}
}

/* Never ok: killed, above 3, silent. */
static void test_defects(void)
{
	static const struct { const char *script, *says; } cases[] = {
		{ "#!/bin/sh\nkill -9 $$\n", "was killed by SIGKILL" },
		{ "#!/bin/sh\necho fine; exit 4\n", "exited with status 4: fine" },
		{ "#!/bin/sh\necho lost >&2; exit 127\n", "exited with status 127: lost" },
		{ "#!/bin/sh\nexit 0\n", "printed nothing (exit status 0)" },
		{ "#!/bin/sh\necho '| time=1s'\n", "printed nothing (exit status 0)" },
	};
	char want[512];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
		struct pw_task_done d = run_program(cases[i].script, arena);
		(void)snprintf(want, sizeof want, "%s/program %s", folder, cases[i].says);
		is_str(d.says, want, "a defect of the program");
		is_str(d.outcome, "error", "is an error");
		is_int(d.klass, PW_CLASS_ERROR, "never ok");
	}
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_task_done d = run_program("#!/bin/sh\nsleep 1000 & sleep 1000\n", arena);
	is_int(d.code, PW_TIMEOUT, "a program that hangs");
	is_str(d.outcome, "unknown", "is unknown");
	d = run_program("#!/no/such/interpreter\n", arena);
	is_str(d.outcome, "error", "a program that does not start is an error");
}

static void test_perfdata(void)
{
	PW_CLEAN_ARENA struct pw_arena *arena = pw_arena_new(1 << 20);
	struct pw_task_done d = run_program(
		"#!/bin/sh\nprintf \"all well | time=0.012s;1;2;0;10 'it''s free'=12%%;@10:20;~:5 broken\\nmore\\nwords | size=3B\\nlast=U\\n\"\n", arena);
	const struct pw_val *perf = pw_map_get(d.evidence, "perfdata"), *item = pw_map_get(perf, "time");
	double value = 0;
	is_str(d.says, "all well", "the sentence ends at the bar");
	is_str(pw_map_str(d.evidence, "details", ""), "more\nwords", "the other lines");
	ok(pw_val_to_real(pw_map_get(item, "value"), &value) && value > 0.0119 && value < 0.0121, "a value");
	is_str(pw_map_str(item, "unit", ""), "s", "its unit");
	is_str(pw_map_str(item, "warn", ""), "1", "its warning threshold");
	ok(pw_val_to_real(pw_map_get(item, "max"), &value) && value > 9.9, "its maximum");
	item = pw_map_get(perf, "it's free");
	is_str(pw_map_str(item, "unit", ""), "%", "a quoted label with a quote inside");
	is_str(pw_map_str(item, "warn", ""), "@10:20", "a range stays as written");
	ok(pw_map_get(perf, "size") && pw_map_get(perf, "last"), "performance data of later lines");
	ok(!pw_map_get(pw_map_get(perf, "last"), "value"), "U is no value");
	is_int(pw_val_count(perf), 4, "and nothing that is not performance data");
}

static const char *refused_yaml(const char *text)
{
	put_text("bad.check.yaml", text, 0644);
	const char *why = refusal("bad.check.yaml");
	remove_file("bad.check.yaml");
	return why;
}

static void test_declarations(void)
{
	is_str(refused_yaml("summary: x\nargv: [true]\n"), "a program's declaration starts with packetwalk-check: 1", "no language version");
	is_str(refused_yaml("packetwalk-check: 1\nsumary: x\n"), "unknown key \"sumary\"; did you mean \"summary\"?", "an unknown key");
	is_str(refused_yaml("packetwalk-check: 1\nsummary: x\n"), "argv must be a list: the program and its arguments", "no program");
	is_str(refused_yaml("packetwalk-check: 1\nsummary: x\nargv: [\"true\", \"${port}\"]\n"),
	       "a reference to a parameter that is not declared: \"${port}\"", "an undeclared parameter");
	is_str(refused_yaml("packetwalk-check: 1\nsummary: x\nargv: [\"${prog}\"]\n"),
	       "the program must be a name or path, without ${}", "a program by parameter");
	is_str(refused_yaml("packetwalk-check: 1\nsummary: x\nargv: [\"true\"]\nparams: {a: {type: prot, help: h}}\n"),
	       "there is no type \"prot\"", "a type that does not exist");
	is_str(refused_yaml("packetwalk-check: 1\nsummary: x\nargv: [\"true\"]\neffect: loud\n"),
	       "effect is one of none, reads, sends, execs, creates, privileged, not \"loud\"", "an effect that does not exist");
	is_str(refused_yaml("packetwalk-check: 1\nsummary: x\nargv: [\"true\"]\ntimeout: soon\n"),
	       "timeout must be a duration such as 10s", "a timeout that is none");
	is_str(refused_yaml("packetwalk-check: 1\nsummary: x\nargv: [\"true\"]\nneeds: [root]\n"),
	       "needs is a list of net-raw, net-admin, root-files, not \"root\"", "needs that do not exist");
	ok(strstr(refused_yaml("packetwalk-check: 1\nargv: [\"true\"]\n"), "the check bad has no summary"), "no summary");
	is_str(refused_yaml("packetwalk-check: 1\nsummary: x\nargv: [\"true\"]\n"), "loaded", "the least that will do");
}

int main(void)
{
	(void)umask(022);
	if (!mkdtemp(folder))
		return 1;
	test_object();
	test_refused_objects();
	test_trust();
	test_nagios();
	test_defects();
	test_perfdata();
	test_declarations();
	remove_file("README");
	ok(rmdir(folder) == 0, "nothing is left behind");
	return tap_done();
}
