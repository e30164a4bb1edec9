/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Borrowed programs: what a container says, as a kubectl that plays it back tells it, and what is believed of that. */
#include "tap.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/registry.h>
#include <cluster/cluster.h>
#include <packetwalk/cleanup.h>
#include <proc/child.h>
#include <vantage/executor.h>

static char folder[] = "/tmp/pw-borrow-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	PW_CLEAN_CLOSE int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, mode) < 0)
		ok(false, "cannot write %s", name);
}

/*
 * kubectl: notes its words; answers the question what is there with the file `tools`, and everything else with `out`,
 * in both cases with what `log` and `status` say; with a file `real`, everything else is run, by the shell it names.
 */
static const char kubectl[] =
	"#!/bin/sh\n"
	"cd \"${0%/*}\" || exit 9\n"
	"printf '%s|' \"$@\" >>words; echo >>words\n"
	"case \"$*\" in *'command -v'*) echo list >>asked; file=tools ;; *) file=out ;; esac\n"
	"while [ \"$1\" != -- ]; do shift; done; shift\n"
	"if [ -f real ] && [ $file = out ]; then shift; export PW_STARTED_IN=\"$PWD\" PATH=\"$PWD:$PATH\"; exec $(cat real) \"$@\"; fi\n"
	"cat $file 2>/dev/null\n"
	"[ -f hang ] && exec sleep 60\n"
	"[ -f log ] && cat log >&2\n"
	"[ -f status ] && exit \"$(cat status)\"\n"
	"exit 0\n";

static void clear(void)
{
	static const char *const names[] = { "tools", "out", "log", "status", "real", "words", "asked", "hang", "nc" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)unlink(in_folder(names[i]));
}

static const struct pw_check *check_of(const char *name)
{
	for (const struct pw_check *const *check = pw_check_registry; *check; check++)
		if (!strcmp((*check)->name, name))
			return *check;
	return NULL;
}

struct bench {
	struct pw_arena *arena;
	struct pw_executor *executor;
	struct pw_facts *facts;
	unsigned next_id;
};

static void bench_init(struct bench *b)
{
	static char via[PATH_MAX + 16];
	(void)snprintf(via, sizeof via, "kubectl:%s", in_folder("kubectl"));
	static const char *const options[] = { "--context=prod", NULL };
	const struct pw_executor_config config = { .via = via, .kubectl = options };
	*b = (struct bench){ .arena = pw_arena_new(1 << 26), .executor = pw_executor_new(&config, NULL) };
	b->facts = pw_facts_new(b->arena);
	pw_facts_finish(b->facts);
}

static void bench_release(struct bench *b)
{
	pw_executor_free(b->executor);
	pw_arena_free(b->arena);
}

static void start(struct bench *b, const char *check, const char *pod, const struct pw_val *given)
{
	const struct pw_vantage v = { .kind = PW_AT_POD, .ns = "shop", .pod = pod, .node = "n1", .uid = "u", .container = "web", .way = PW_WAY_BORROW };
	struct pw_val *params = NULL;
	struct pw_err err = PW_ERR_INIT;
	const struct pw_task task = { .id = ++b->next_id, .check = check_of(check), .vantage = &v, .facts = b->facts };
	struct pw_task whole = task;
	is_int(pw_params_check(task.check, given, b->arena, &params, &err), PW_OK, err.text[0] ? err.text : "parameters");
	whole.params = params;
	is_int(pw_executor_start(b->executor, &whole, &err), PW_OK, err.text[0] ? err.text : "a start");
}

static struct pw_task_done finish(struct bench *b)
{
	struct pw_task_done done = { .code = PW_INTERNAL, .outcome = "", .says = "" };
	is_int(pw_executor_wait(b->executor, tap_ms(60000), -1, b->arena, &done, NULL), 1, "an end");
	return done;
}

static struct pw_val *tcp_params(struct bench *b, int port, int count)
{
	struct pw_val *given = pw_val_map(b->arena);
	pw_map_set_str(given, "address", "127.0.0.1");
	pw_map_set_int(given, "port", port);
	pw_map_set_int(given, "count", count);
	return given;
}

static struct pw_val *dns_params(struct bench *b, const char *name, const char *server)
{
	struct pw_val *given = pw_val_map(b->arena);
	pw_map_set_str(given, "name", name);
	if (server)
		pw_map_set_str(given, "server", server);
	return given;
}

/* ---- the container, and kubectl ---- */

static void test_explained(void)
{
	static const struct { const char *log, *status; int code; const char *reason; } cases[] = {
		{ "error: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \"ab\": OCI runtime exec failed: "
		  "exec failed: unable to start container process: exec: \"sh\": executable file not found in $PATH: unknown\n", "1", PW_UNSUPPORTED,
		  "pod shop/p0 (container web) has no sh, so nothing can be borrowed in it: a pod made beside it (--max-effect creates), or an agent on its node, would look" },
		{ "time=\"x\" level=error msg=\"exec failed: unable to start container process: exec: \\\"sh\\\": executable file not found in $PATH\"\n"
		  "command terminated with exit code 255\n", "255", PW_UNSUPPORTED, "pod shop/p1 (container web) has no sh, so nothing can be borrowed in it: a pod made beside it (--max-effect creates), or an agent on its node, would look" },
		{ "command terminated with exit code 127\n", "127", PW_UNSUPPORTED, "pod shop/p2 (container web) has no sh, so nothing can be borrowed in it: a pod made beside it (--max-effect creates), or an agent on its node, would look" },
		{ "Error from server (Forbidden): pods \"web\" is forbidden: User \"bob\" cannot create resource \"pods/exec\"\n", "1", PW_DENIED,
		  "no right to exec into pod shop/p3 (container web): Error from server (Forbidden): pods \"web\" is forbidden: User \"bob\" cannot create resource \"pods/exec\"" },
		{ "Error from server (NotFound): pods \"web\" not found\n", "1", PW_ABSENT,
		  "nothing can be run in pod shop/p4 (container web): Error from server (NotFound): pods \"web\" not found" },
		{ "Unable to connect to the server: dial tcp: i/o timeout\n", "1", PW_NET,
		  "kubectl exec into pod shop/p5 (container web) failed: Unable to connect to the server: dial tcp: i/o timeout" },
		{ "command terminated with exit code 3\n", "3", PW_UNSUPPORTED, "the shell of pod shop/p6 (container web) did not come to the end of what it was given (status 3)" },
		{ "", "0", PW_UNSUPPORTED, "the shell of pod shop/p7 (container web) did not come to the end of what it was given (status 0)" },
	};
	struct bench b;
	bench_init(&b);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char pod[8];
		(void)snprintf(pod, sizeof pod, "p%zu", i);
		clear();
		put("log", cases[i].log, 0600);
		put("status", cases[i].status, 0600);
		start(&b, "tcp_connect", pod, tcp_params(&b, 80, 1));
		struct pw_task_done d = finish(&b);
		is_str(d.reason, cases[i].reason, "why nothing was borrowed");
		is_int(d.code, cases[i].code, "its code");
		is_str(d.outcome, "unknown", "which is unknown, and nothing else");
	}
	clear();
	start(&b, "tcp_connect", "p0", tcp_params(&b, 80, 1));
	struct pw_task_done d = finish(&b);
	is_str(d.reason, cases[0].reason, "what is known of a container");
	is_int(access(in_folder("words"), F_OK), -1, "is not asked again");
	bench_release(&b);
}

static size_t lines_of(const char *name)
{
	char text[65536];
	PW_CLEAN_CLOSE int fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
	size_t lines = 0;
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static void test_asked_once(void)
{
	struct bench b;
	bench_init(&b);
	clear();
	put("tools", "bash\nsleep\n= end\n", 0600);
	put("out", "0 0 5.00 5.01 |\n= end\n", 0600);
	for (int i = 0; i < 6; i++)
		start(&b, "tcp_connect", "web", tcp_params(&b, 80, 1));
	for (int i = 0; i < 6; i++)
		is_str(finish(&b).outcome, "connected", "one of many at once");
	is_int(lines_of("asked"), 1, "what is in a container is asked once, also by those that start together");
	start(&b, "tcp_connect", "other", tcp_params(&b, 80, 1));
	(void)finish(&b);
	is_int(lines_of("asked"), 2, "and once in another");
	bench_release(&b);
}

static void test_words(void)
{
	char text[65536] = "";
	struct bench b;
	bench_init(&b);
	clear();
	put("tools", "= end\n", 0600);
	start(&b, "tcp_connect", "web", tcp_params(&b, 80, 1));
	struct pw_task_done d = finish(&b);
	is_str(d.reason, "pod shop/web has none of python3, bash, nc and curl to connect with: an agent on its node would look", "nothing to connect with");
	PW_CLEAN_CLOSE int fd = open(in_folder("words"), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	static const char want[] = "--context=prod|exec|-q|-n|shop|web|-c|web|--|sh|-c|";
	ok(n > 0 && strstr(text, want) == text, "the user's cluster, the pod, the container, no standard input: %.60s", text);
	start(&b, "tcp_connect", "-x;reboot", tcp_params(&b, 80, 1));
	d = finish(&b);
	is_str(d.reason, "kubectl exec: \"shop/-x;reboot\" is not the name of a pod", "a hostile name is not put on a command line");
	bench_release(&b);
}

static void test_flood(void)
{
	struct bench b;
	bench_init(&b);
	clear();
	PW_CLEAN_BUF struct pw_buf flood;
	pw_buf_init(&flood, 1 << 20);
	for (int i = 0; i < 100000; i++)
		pw_buf_puts(&flood, "bash\n");
	put("tools", pw_buf_str(&flood), 0600);
	start(&b, "tcp_connect", "web", tcp_params(&b, 80, 1));
	struct pw_task_done d = finish(&b);
	is_int(d.code, PW_NOMEM, "a container that does not stop talking is stopped");
	is_str(d.outcome, "unknown", "and told nothing");
	bench_release(&b);
}

/* ---- connects ---- */

#define COUNTERS(opens, retrans, unreach) \
	"#Icmp: InMsgs InErrors InCsumErrors InDestUnreachs\n#Icmp: 9 0 0 " unreach "\n#Tcp: RtoAlgorithm ActiveOpens\n#Tcp: 1 " opens "\n" \
	"#TcpExt: SyncookiesSent TCPSynRetrans\n#TcpExt: 0 " retrans "\n#.\n"
#define BEFORE COUNTERS("10", "3", "7")
#define END "= end\n"

static void test_connects(void)
{
	static const struct { const char *tool, *out, *outcome, *says; } cases[] = {
		{ "bash", BEFORE "0 0 5.00 5.01 |\n1 0 5.00 5.02 |\n" COUNTERS("12", "3", "7") END, "connected", "127.0.0.1 port 80 answered all 2 attempts." },
		{ "bash", BEFORE "0 0 5.00 5.01 |\n1 0 5.00 6.30 |\n" COUNTERS("12", "4", "7") END, "slow", "127.0.0.1 port 80 answered, but 1 of 2 attempts only after a retransmission." },
		{ "bash", BEFORE "0 0 5.00 6.31 |\n1 0 5.00 6.30 |\n" COUNTERS("12", "3", "7") END, "connected", "127.0.0.1 port 80 answered all 2 attempts." },
		{ "bash", BEFORE "0 1 5.00 5.01 bash: connect: Connection refused|bash: /dev/tcp/a/1: Connection refused|\n1 1 5.00 5.01 Connection refused|\n" COUNTERS("12", "3", "7") END,
		  "refused-rst", "127.0.0.1 port 80 refused 2 of 2 attempts with a RST." },
		{ "bash", BEFORE "0 1 5.00 5.01 Connection refused|\n1 1 5.00 5.01 Connection refused|\n" COUNTERS("12", "3", "9") END, "refused-icmp",
		  "127.0.0.1 port 80 was refused by an ICMP error from the sender's own host." },
		{ "bash", BEFORE "0 1 5.00 5.01 Connection refused|\n1 1 5.00 5.01 Connection refused|\n" COUNTERS("12", "3", "8") END, "unknown",
		  "127.0.0.1 port 80 was refused, and bash does not tell whether by a RST or by an ICMP error. An agent on the sender's node would." },
		/* Another program connected meanwhile: what the counters rose by may be its. */
		{ "bash", BEFORE "0 1 5.00 5.01 Connection refused|\n1 1 5.00 5.01 Connection refused|\n" COUNTERS("13", "3", "9") END, "unknown",
		  "127.0.0.1 port 80 was refused, and bash does not tell whether by a RST or by an ICMP error. An agent on the sender's node would." },
		{ "bash", BEFORE "0 1 5.00 5.01 Connection refused|\n1 1 5.00 5.01 Connection refused|\n" COUNTERS("13", "3", "7") END, "refused-rst", NULL },
		{ "bash", BEFORE "0 137 5.00 7.01 |\n1 137 5.00 7.01 |\n" COUNTERS("13", "5", "7") END, "unknown", NULL },
		{ "bash", BEFORE "0 0 5.00 6.31 |\n1 0 5.00 6.30 |\n" COUNTERS("13", "4", "7") END, "connected", NULL },
		/* So may ICMP errors beyond one for each attempt. */
		{ "bash", BEFORE "0 1 5.00 5.01 Connection refused|\n1 1 5.00 5.01 Connection refused|\n" COUNTERS("12", "3", "10") END, "unknown",
		  "127.0.0.1 port 80 was refused, and bash does not tell whether by a RST or by an ICMP error. An agent on the sender's node would." },
		{ "bash", "0 1 5.00 5.01 Connection refused|\n1 1 5.00 5.01 Connection refused|\n" END, "unknown",
		  "127.0.0.1 port 80 was refused, and bash does not tell whether by a RST or by an ICMP error. An agent on the sender's node would." },
		{ "bash", BEFORE "0 1 5.00 5.01 Connection refused|\n1 1 5.00 5.01 Connection refused|\n" COUNTERS("10", "3", "7") END, "unknown",
		  "127.0.0.1 port 80 was refused, and bash does not tell whether by a RST or by an ICMP error. An agent on the sender's node would." },
		{ "bash", BEFORE "0 137 5.00 7.01 |\n1 137 5.00 7.01 |\n" COUNTERS("12", "5", "7") END, "timeout", "127.0.0.1 port 80 gave no answer to 2 attempts." },
		{ "bash", BEFORE "0 137 5.00 7.01 |\n1 137 5.00 7.01 |\n" COUNTERS("12", "4", "7") END, "unknown",
		  "127.0.0.1 port 80: of 2 attempts 0 connected, and bash does not tell how 2 of them ended. An agent on the sender's node would." },
		{ "bash", BEFORE "0 0 5.00 5.01 |\n1 137 5.00 7.01 |\n" COUNTERS("12", "4", "7") END, "partly-silent",
		  "127.0.0.1 port 80: 1 connected, 1 silent, 0 refused, 0 unreachable, 0 denied by the sender's own host, of 2." },
		{ "bash", BEFORE "0 0 5.00 5.01 |\n1 1 5.00 5.01 Connection refused|\n" COUNTERS("11", "3", "7") END, "partly-refused", NULL },
		{ "bash", BEFORE "0 1 5.00 5.01 Network is unreachable|\n1 1 5.00 5.01 Network unreachable|\n" COUNTERS("12", "3", "7") END, "net-unreachable", NULL },
		{ "bash", BEFORE "0 1 5.00 5.01 No route to host|\n1 1 5.00 5.01 No route to host|\n" COUNTERS("12", "3", "9") END, "host-unreachable", NULL },
		{ "bash", BEFORE "0 1 5.00 5.01 No route to host|\n1 1 5.00 5.01 No route to host|\n#10.0.0.1 0x1 0x0 00:00:00:00:00:00 * eth0\n" COUNTERS("12", "3", "9") END, "unknown", NULL },
		{ "bash", BEFORE "0 1 5.00 5.01 Operation not permitted|\n1 1 5.00 5.01 Permission denied|\n" COUNTERS("12", "3", "7") END, "local-denied", NULL },
		{ "bash", BEFORE "0 1 5.00 5.01 something else|\n1 1 5.00 5.01 |\n" COUNTERS("12", "3", "7") END, "unknown", NULL },
		{ "bash", BEFORE "0 0 5.00 5.01 |\n" COUNTERS("12", "3", "7") END, "unknown", NULL },
		{ "bash", "garbage\n# x\n\n-1 0 1 2\n99999999999999999999 0\n0\n1 x\n" END, "unknown", NULL },
		{ "nc", BEFORE "0 1 5.00 5.01 nc: invalid option -- 'z'|Usage: nc -w SEC timeout refused|\n1 1 5.00 5.01 usage: timed out|\n" COUNTERS("10", "3", "7") END, "unknown", NULL },
		{ "nc", BEFORE "0 0 5.00 5.01 Connection to a 80 port [tcp/http] succeeded!|\n1 1 5.00 7.02 nc: connect to a port 80 (tcp) timed out: Operation now in progress|\n"
		  COUNTERS("12", "4", "7") END, "partly-silent", NULL },
		{ "curl", BEFORE "0 28 5.00 7.02 *   Trying a:80...|* Connected to a (a) port 80 (#0)|curl: (28) Operation timed out|\n1 0 5.00 5.01 |\n" COUNTERS("12", "3", "7") END, "connected", NULL },
		{ "python3", "0 1 5.000 7.002 Connection timed out|\n1 1 5.000 7.002 Connection timed out|\n" END, "timeout", NULL },
		{ "python3", "0 1 5.000 5.002 Connection refused|icmp 3 3 10.0.0.9|\n1 1 5.000 5.002 Connection refused|icmp 3 3 10.0.0.9|\n" END, "refused-icmp",
		  "127.0.0.1 port 80 was refused by an ICMP error from 10.0.0.9." },
		{ "python3", "0 1 5.000 5.002 No route to host|icmp 3 10 10.0.0.9|\n1 1 5.000 5.002 No route to host|icmp 3 10 10.0.0.9|\n" END, "host-unreachable",
		  "127.0.0.1 port 80 is unreachable at once, says 10.0.0.9." },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char tools[64];
		struct bench b;
		bench_init(&b);
		clear();
		(void)snprintf(tools, sizeof tools, "%s\nsleep\nnot-asked-for\n= end\n", cases[i].tool);
		put("tools", tools, 0600);
		put("out", cases[i].out, 0600);
		start(&b, "tcp_connect", "web", tcp_params(&b, 80, 2));
		struct pw_task_done d = finish(&b);
		ok(!strcmp(d.outcome, cases[i].outcome), "case %zu by %s ends %s: %s (%s)", i, cases[i].tool, cases[i].outcome, d.outcome, d.says);
		if (cases[i].says)
			is_str(d.says, cases[i].says, "and says");
		bench_release(&b);
	}
}

/* ---- the scripts themselves ---- */

/* Processes, of those that the scripts started, that are still there. */
static unsigned left_running(void)
{
	char path[64], text[8192];
	unsigned n = 0;
	DIR *proc = opendir("/proc");
	for (const struct dirent *entry; proc && (entry = readdir(proc));) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(path, sizeof path, "/proc/%.20s/environ", entry->d_name);
		PW_CLEAN_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text);
		n += len > 0 && memmem(text, (size_t)len, folder, strlen(folder)) && memmem(text, (size_t)len, "PW_STARTED_IN=", strlen("PW_STARTED_IN="));
	}
	if (proc)
		(void)closedir(proc);
	return n;
}

/* On the loopback: takes connects (TCP), or datagrams, of which it answers none. */
static int listener(int type, int *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0) ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		ok(false, "no listener");
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* Takes no further connects: its SYNs are dropped. `fill` are those that fill it. */
static int full_listener(int fill[2], int *ret_port)
{
	int fd = listener(SOCK_STREAM, ret_port);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)*ret_port) };
	is_int(listen(fd, 0), 0, "a short queue");
	for (int i = 0; i < 2; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fill[i], (const struct sockaddr *)&at, sizeof at);
	}
	return fd;
}

static bool runs(const char *program)
{
	char path[PATH_MAX];
	return pw_program_find(program, getenv("PATH"), path, sizeof path, NULL) == PW_OK;
}

/* Ends neither when it has sent nor when it was answered, as some do. */
#define NC "#!/bin/sh\ncat >/dev/null\n"
#define NC_STAYS "exec sleep 30\n"

static void one_real(const char *shell, const char *check, const char *list, const char *nc, const char *outcome, int port)
{
	char server[32];
	struct bench b;
	bench_init(&b);
	clear();
	put("tools", list, 0600);
	put("real", shell, 0600);
	if (nc)
		put("nc", nc, 0700);
	(void)snprintf(server, sizeof server, "127.0.0.1:%d", port);
	start(&b, check, "web", strcmp(check, "tcp_connect") != 0 ? dns_params(&b, "api.shop", server) : tcp_params(&b, port, 2));
	struct pw_task_done d = finish(&b);
	ok(*outcome == '!' ? strcmp(d.outcome, outcome + 1) != 0 : !strcmp(d.outcome, outcome), "%s run by %s with %.4s ends %s: %s (%s%s)", check, shell, list, outcome, d.outcome, d.says, d.reason);
	is_int(left_running(), 0, "and leaves nothing running");
	bench_release(&b);
}

static void test_real(void)
{
	static const char *const shells[] = { "bash", "dash", "busybox sh" }; /* whose own nc comes before that of the path */
	int tcp_port, udp_port, closed_port, full_port, fill[2];
	const int open_fds[] = { listener(SOCK_STREAM, &tcp_port), listener(SOCK_DGRAM, &udp_port), full_listener(fill, &full_port) };
	(void)close(listener(SOCK_STREAM, &closed_port));
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		char word[16];
		(void)snprintf(word, sizeof word, "%.*s", (int)strcspn(shells[i], " "), shells[i]);
		if (!runs(word) || !runs("bash"))
			continue;
		one_real(shells[i], "tcp_connect", "bash\nsleep\n= end\n", NULL, "connected", tcp_port);
		one_real(shells[i], "tcp_connect", "bash\nsleep\n= end\n", NULL, "!connected", full_port);
		one_real(shells[i], "dns_resolve", "bash\nsleep\ndd\nod\n= end\n", NULL, "timeout", udp_port);
		if (strcmp(word, "busybox") == 0)
			continue;
		one_real(shells[i], "dns_resolve", "nc\nsleep\ndd\nod\n= end\n", NC NC_STAYS, "timeout", udp_port);
		one_real(shells[i], "dns_resolve", "nc\nsleep\ndd\nod\n= end\n", NC "printf 1234\n" NC_STAYS, "malformed", udp_port);
	}
	(void)close(fill[0]);
	(void)close(fill[1]);
	if (runs("curl")) {
		char proxy[64];
		(void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", tcp_port);
		(void)setenv("ALL_PROXY", proxy, 1);
		one_real("sh", "tcp_connect", "curl\nsleep\n= end\n", NULL, "!connected", closed_port);
		(void)unsetenv("ALL_PROXY");
	}
	for (size_t i = 0; i < sizeof open_fds / sizeof *open_fds; i++)
		(void)close(open_fds[i]);
}

/* ---- names ---- */

static void test_getent(void)
{
	struct bench b;
	bench_init(&b);
	clear();
	put("tools", "getent\n= end\n", 0600);
	/* The same text answers for the files and for getent: each takes what is its own. */
	put("out", "=/etc/resolv.conf\n>nameserver 10.96.0.10\n>search shop.svc.cluster.local\n192.0.2.7       STREAM api\n192.0.2.7       DGRAM\n= end\n", 0600);
	start(&b, "dns_resolve", "web", dns_params(&b, "api", NULL));
	struct pw_task_done d = finish(&b);
	is_str(d.outcome, "resolved", "what the container's libc finds is found");
	is_str(d.says, "api is 192.0.2.7, says the container's own resolver.", "by whom is said");
	put("out", "=/etc/resolv.conf\n>nameserver 10.96.0.10\n= end\n", 0600);
	start(&b, "dns_resolve", "web", dns_params(&b, "api", NULL));
	d = finish(&b);
	is_str(d.outcome, "unknown", "what it does not find may have any reason");
	is_int(d.code, PW_UNSUPPORTED, "which it cannot tell");
	start(&b, "dns_resolve", "web", dns_params(&b, "api", "10.96.0.10"));
	d = finish(&b);
	is_str(d.reason, "pod shop/web has none of python3, and bash or nc with dd and od, to ask with: an agent on its node would look", "nor can it ask a given server");
	bench_release(&b);
}

static void test_dns(void)
{
	static const struct { const char *out, *outcome; } cases[] = {
		{ "0 0 5.00 7.01 |\n" END, "timeout" },
		{ "0 1 5.00 5.01 dd: error reading 'standard input': Connection refused|0+0 records in|\n" END, "refused-icmp" },
		{ "0 1 5.00 5.01 Network is unreachable|\n" END, "unreachable" },
		{ "0 1 5.00 5.01 dd: unknown operand|\n" END, "unknown" },
		{ "0 0 5.00 5.01  00 00 81 80 00 01|\n" END, "malformed" },
		{ "\n" END, "unknown" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bench b;
		bench_init(&b);
		clear();
		put("tools", "bash\nsleep\ndd\nod\n= end\n", 0600);
		put("out", cases[i].out, 0600);
		start(&b, "dns_resolve", "web", dns_params(&b, "api", "10.96.0.10"));
		struct pw_task_done d = finish(&b);
		ok(!strcmp(d.outcome, cases[i].outcome), "case %zu ends %s: %s (%s)", i, cases[i].outcome, d.outcome, d.says);
		bench_release(&b);
	}
}

/* ---- sockets ---- */

static void test_sockets(void)
{
	struct bench b;
	bench_init(&b);
	clear();
	put("tools", "= end\n", 0600);
	put("out", "=/proc/thread-self/net/tcp\n>  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	    ">   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 71 1 0000000000000000 100 0 0 10 0\n"
	    ">   1: 0100007F:1F91 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 72 1 0000000000000000 100 0 0 10 0\n> junk\n= end\n", 0600);
	struct pw_val *given = pw_val_map(b.arena);
	pw_map_set_str(given, "pod", "shop/api-1");
	pw_map_set_int(given, "port", 8080);
	start(&b, "listen_sockets", "api-1", given);
	struct pw_task_done d = finish(&b);
	const struct pw_val *sockets = pw_map_get(d.observation, "sockets");
	is_int(pw_val_count(sockets), 1, "one listener");
	is_str(pw_map_str(pw_val_at(sockets, 0), "address", ""), "127.0.0.1", "its address");
	is_int(pw_map_int(pw_val_at(sockets, 0), "port", 0), 8080, "and port");
	put("out", "= end\n", 0600);
	start(&b, "listen_sockets", "api-1", given);
	d = finish(&b);
	is_str(d.reason, "the sockets of pod shop/api-1 on n1 cannot be read in it: an agent on its node would", "no list is not an empty one");
	bench_release(&b);
}

/* ---- HTTP ---- */

static void hex(const char *text, struct pw_buf *out)
{
	for (; *text; text++)
		pw_buf_printf(out, " %02x", (unsigned char)*text);
	pw_buf_putc(out, '\n');
}

static void test_http(void)
{
	static const struct { const char *url, *words, *answer, *outcome, *says; } cases[] = {
		{ "http://a/", "* Connected to a (1.2.3.4) port 80 (#0)\n\n=w 200 0.001 0.000 0.001 0.004 0.005\n\n=x 0\n", "HTTP/1.1 200 OK\r\nServer: demo\r\nContent-Length: 2\r\n\r\nhi", "ok",
		  "http://a/ answered 200 after 3 ms." },
		{ "http://a/", "=w 503 0.001 0.000 0.001 0.004 0.005\n=x 0\n", "HTTP/1.1 503 No\r\n\r\n", "server-error", NULL },
		{ "http://a/", "=w 403 0.001 0.000 0.001 0.004 0.005\n=x 0\n", "HTTP/1.1 403 No\r\nserver: istio-envoy\r\n\r\nRBAC: access denied", "mesh-denied", NULL },
		{ "http://a/", "curl: (7) Failed to connect\n=w 000 0.000 0.000 0.000 0.000 0.005\n=x 7\n", "", "connect-failed", NULL },
		{ "http://a/", "* Connected to a\ncurl: (28) Operation timed out\n=w 000 0.001 0.000 0.001 0.000 5.005\n=x 28\n", "", "silent", NULL },
		{ "http://a/", "* Connected to a\ncurl: (28) Operation timed out\n=w 200 0.001 0.000 0.001 0.002 5.005\n=x 28\n", "HTTP/1.1 200 OK\r\n\r\nabc", "body-stalled", NULL },
		{ "http://a/", "* Connected to a\ncurl: (56) Recv failure: Connection reset by peer\n=w 000 0.001 0.000 0.001 0.000 0.005\n=x 56\n", "", "reset", NULL },
		{ "https://a/", "* Connected to a\ncurl: (35) error:0A00010B:SSL routines::wrong version number\n=w 000 0.000 0.000 0.000 0.000 0.005\n=x 35\n", "", "tls-not-spoken", NULL },
		{ "https://a/", "* Connected to a\ncurl: (28) Connection timed out\n=w 000 0.000 0.000 0.000 0.000 5.005\n=x 28\n", "", "silent", NULL },
		{ "http://a/", "curl: (2) Failed initialization\n=x 2\n", "", "unknown", NULL },
		{ "http://a/", "", "", "unknown", NULL },
		/* As curl 7.58 has it: no such variable, so the figures come where the body ends. */
		{ "http://a/", "* Connected to a (1.2.3.4) port 80 (#0)\ncurl: unknown --write-out variable: 'stderr'\n\n=x 0\n",
		  "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nhi\n=w 503 0.001 0.000 0.001 0.004 0.005\n", "server-error", NULL },
		{ "http://a/", "* Connected to a (1.2.3.4) port 80 (#0)\ncurl: unknown --write-out variable: 'stderr'\n\n=x 23\n",
		  "HTTP/1.1 503 No\r\n\r\ncut off", "unknown", NULL },
		/* Nobody but an old curl writes there. */
		{ "http://a/", "* Connected to a (1.2.3.4) port 80 (#0)\n\n=x 0\n", "HTTP/1.1 200 OK\r\n\r\n\n=w 200 0.001 0.000 0.001 0.004 0.005\n", "unknown", NULL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bench b;
		PW_CLEAN_BUF struct pw_buf out;
		pw_buf_init(&out, 65536);
		bench_init(&b);
		clear();
		put("tools", "curl\ndd\nhead\nod\n= end\n", 0600);
		pw_buf_puts(&out, cases[i].words);
		hex(cases[i].answer, &out);
		pw_buf_puts(&out, END);
		put("out", pw_buf_str(&out), 0600);
		struct pw_val *given = pw_val_map(b.arena);
		pw_map_set_str(given, "url", cases[i].url);
		start(&b, "http_get", "web", given);
		struct pw_task_done d = finish(&b);
		ok(!strcmp(d.outcome, cases[i].outcome), "case %zu ends %s: %s (%s)", i, cases[i].outcome, d.outcome, d.says);
		if (cases[i].says)
			is_str(d.says, cases[i].says, "and says");
		bench_release(&b);
	}
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	put("kubectl", kubectl, 0700);
	test_explained();
	test_asked_once();
	test_words();
	test_flood();
	test_connects();
	test_real();
	test_getent();
	test_dns();
	test_sockets();
	test_http();
	clear();
	(void)unlink(in_folder("kubectl"));
	(void)rmdir(folder);
	return tap_done();
}
