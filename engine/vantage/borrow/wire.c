/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scripts that connect and ask, and their parser. A script prints lines
 *
 *     NUMBER STATUS BEGIN END WORDS|WORDS|...
 *
 * for each attempt, with seconds since boot, and counters of the kernel in
 * lines that begin with #. All of it is what a container says: it is believed
 * as far as an answer from that container would be, and no further.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <packetwalk/cleanup.h>

enum {
	OUT_MAX = 512 << 10,
	SECONDS_MIN = 2,       /* a SYN is sent again after one: silence has to be longer to be told from slowness */
	SPARE_MS = 8000,       /* for kubectl, and for the programs to start */
	KILLED = 128,
	WAITED_SPARE_MS = 100, /* the clock of /proc/uptime ticks in hundredths of seconds */
	PAYLOAD_MAX = 2048, ESCAPE_LEN = 5,
	ASK_ARGS = 3, FIXED_ARGS = 6,
};

/*
 * net: the counters. try NUMBER PROGRAM...: runs it, prints the line. ended SECONDS PROGRAM...: ends it after that time.
 * What is left running would be inherited by the container's first process, which may never ask for its end: whoever
 * starts something waits for it, also the watcher, which is told to go before its number could be another's.
 */
#define COMMON \
	"export LC_ALL=C\n" \
	"net() {\n" \
	"	for f in snmp netstat arp; do\n" \
	"		while read -r l; do\n" \
	"			case $l in Icmp:*|Tcp:*|TcpExt:*|*' 0x0 '*) printf '#%s\\n' \"$l\" ;; esac\n" \
	"		done </proc/net/$f\n" \
	"	done 2>/dev/null\n" \
	"	echo '#.'\n" \
	"}\n" \
	"watch() {\n" \
	"	over= s=\n" \
	"	trap 'over=1; [ -z \"$s\" ] || kill $s' TERM\n" \
	"	sleep \"$1\" & s=$!\n" \
	"	[ -z \"$over\" ] || kill $s\n" \
	"	wait $s; wait $s\n" /* the first may have been ended by the signal */ \
	"	[ -n \"$over\" ] || kill -9 $2\n" \
	"} >/dev/null 2>&1\n" \
	"ended() {\n" \
	"	w=$1; shift\n" \
	"	\"$@\" </dev/null 2>&1 & p=$!\n" \
	"	watch $w $p & k=$!\n" \
	"	wait $p; r=$?; kill $k; wait $k\n" \
	"	return $r\n" \
	"} 2>/dev/null\n" \
	"try() {\n" \
	"	i=$1; shift\n" \
	"	read -r a x </proc/uptime\n" \
	"	x=$(\"$@\" </dev/null 2>&1; printf '\\n=%s' $?)\n" \
	"	read -r z y </proc/uptime\n" \
	"	r=${x##*=} x=${x%=*}\n" \
	"	IFS='\n'; set -f; set -- $x\n" \
	"	x=$(printf '%s|' \"$@\")\n" \
	"	printf '%s %s %s %s %s\\n' \"$i\" \"$r\" \"$a\" \"$z\" \"$x\"\n" \
	"}\n"

/* HOST PORT COUNT SECONDS TOOL PYTHON URL */
static const char connect_script[] = COMMON
	"host=$1 port=$2 n=$3 wait=$4 tool=$5 url=$7 i=0 limit=$(($4 + 1))\n"
	"one() {\n"
	"	case $tool in\n"
	"	bash) exec bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' \"$host\" \"$port\" ;;\n"
	"	nc) exec nc -z -v -w \"$wait\" \"$host\" \"$port\" ;;\n"
	"	nc-w) exec nc -w \"$wait\" \"$host\" \"$port\" ;;\n" /* busybox without -z: ends when the server does */
	"	curl) exec curl -q -s -S -v --noproxy '*' --connect-timeout \"$wait\" -m \"$wait\" \"telnet://$url\" ;;\n"
	"	esac\n"
	"}\n"
	"[ $tool = bash ] && limit=$wait\n"
	"net\n"
	"if [ $tool = python3 ]; then python3 -c \"$6\" \"$host\" \"$port\" \"$n\" \"$wait\"\n"
	"else while [ $i -lt \"$n\" ]; do try $i ended $limit one & i=$((i + 1)); done; wait; fi\n"
	"net";

/* Non-blocking connects; the error queue says who refused. Numbers: IP_RECVERR 11, IPV6_RECVERR 25, MSG_ERRQUEUE 0x2000, origins ICMP 2 and ICMPv6 3. */
static const char connect_python[] =
	"import os,select,socket,sys,time\n"
	"h,p,n,w=sys.argv[1],int(sys.argv[2]),int(sys.argv[3]),float(sys.argv[4])\n"
	"six=':' in h\n"
	"run={}\n"
	"def end(s,i,a,e):\n"
	" t=os.strerror(e) if e else ''\n"
	" try:\n"
	"  for l,k,d in s.recvmsg(512,1024,0x2000)[1]:\n"
	"   if k in(11,25) and len(d)>=24 and d[4] in(2,3):\n"
	"    f=d[24:40] if six else d[20:24]\n"
	"    t+='|icmp %d %d %s'%(d[5],d[6],socket.inet_ntop(socket.AF_INET6 if six else socket.AF_INET,f))\n"
	" except (OSError,ValueError): pass\n"
	" print(i,1 if e else 0,'%.3f'%a,'%.3f'%time.monotonic(),t+'|')\n"
	" s.close()\n"
	"for i in range(n):\n"
	" s=socket.socket(socket.AF_INET6 if six else socket.AF_INET)\n"
	" s.setblocking(False)\n"
	" try: s.setsockopt(41 if six else 0,25 if six else 11,1)\n"
	" except OSError: pass\n"
	" a=time.monotonic()\n"
	" e=s.connect_ex((h,p))\n"
	" if e==115: run[s.fileno()]=(s,i,a)\n"
	" else: end(s,i,a,e)\n"
	"q=select.poll()\n"
	"for f in run: q.register(f,4)\n"
	"until=time.monotonic()+w\n"
	"while run:\n"
	" left=until-time.monotonic()\n"
	" if left<=0: break\n"
	" for f,m in q.poll(left*1000+1):\n"
	"  q.unregister(f)\n"
	"  s,i,a=run.pop(f)\n"
	"  end(s,i,a,s.getsockopt(1,4))\n"
	"for s,i,a in run.values(): end(s,i,a,110)\n";

/* PROTOCOL SECONDS TOOL PYTHON COUNT HOST PORT PAYLOAD ... (payload: octal escapes of printf's %b) */
static const char ask_script[] = COMMON
	"proto=$1 wait=$2 tool=$3 py=$4 i=0 u=; shift 4\n"
	"[ $proto = udp ] && u=-u\n"
	/* SECONDS [count=1]: the number of the program that asks, so that it can be ended, and what it hears */
	"answer() {\n"
	"	read -r p || return\n"
	"	watch $1 $p & k=$!\n"
	"	x=$(dd bs=65536 $2 2>/dev/null | od -An -v -tx1)\n"
	"	read -r t y </proc/uptime\n"
	"	kill $k; wait $k\n"
	"	[ -z \"$2\" ] || [ -z \"$x\" ] || kill $p\n"
	"	printf '%s\\nat %s\\n' \"$x\" \"$t\"\n"
	"} 2>/dev/null\n"
	"by_bash() {\n"
	"	{ bash -c 'echo $$; exec 3<>\"/dev/$0/$1/$2\" && printf %b \"$3\" >&3 && exec dd bs=65536 count=1 <&3' $proto \"$1\" \"$2\" \"$3\" 2>&5 |\n"
	"		answer $wait; } 5>&1\n"
	"}\n"
	/* nc lingers after the answer, and is ended then */
	"by_nc() {\n"
	"	{ printf %b \"$3\" | sh -c 'echo $$; exec nc $0 -w \"$1\" \"$2\" \"$3\" 2>&5' ${u:--n} $wait \"$1\" \"$2\" |\n"
	"		answer $((wait + 1)) count=1; } 5>&1\n"
	"}\n"
	"net\n"
	"if [ $tool = python3 ]; then python3 -c \"$py\" $proto $wait \"$@\"\n"
	"else while [ $# -ge 3 ]; do try $i by_$tool \"$1\" \"$2\" \"$3\" & i=$((i + 1)); shift 3; done; wait; fi\n"
	"net";

static const char ask_python[] =
	"import os,socket,sys,threading,time\n"
	"proto,w,v=sys.argv[1],float(sys.argv[2]),sys.argv[3:]\n"
	"def ask(i,h,p,b):\n"
	" a=time.monotonic();e=0;t=''\n"
	" try:\n"
	"  s=socket.socket(socket.AF_INET6 if ':' in h else socket.AF_INET,socket.SOCK_STREAM if proto=='tcp' else socket.SOCK_DGRAM)\n"
	"  s.settimeout(w)\n"
	"  s.connect((h,p));s.send(b)\n"
	"  d=s.recv(65536)\n"
	"  t=' '.join('%02x'%c for c in bytearray(d))\n"
	" except socket.timeout: e=110;t='timed out'\n"
	" except OSError as x: e=x.errno or 1;t=os.strerror(e)\n"
	" sys.stdout.write('%d %d %.3f %.3f %s|\\n'%(i,1 if e else 0,a,time.monotonic(),t))\n"
	"def raw(x): return bytes(bytearray(int(c,8) for c in x.split('\\\\0')[1:]))\n"
	"l=[threading.Thread(target=ask,args=(i//3,v[i],int(v[i+1]),raw(v[i+2]))) for i in range(0,len(v)-2,3)]\n"
	"for t in l: t.start()\n"
	"for t in l: t.join()\n";

/* ---- taking the output apart ---- */

/* The number under `name` in the two lines "KIND: NAMES" and "KIND: NUMBERS" of /proc/net/snmp and netstat; -1 if it is not there. */
static long long counter(const char *names, const char *numbers, const char *name)
{
	size_t want = strlen(name);
	for (;;) {
		names += strcspn(names, " \n");
		numbers += strcspn(numbers, " \n");
		names += strspn(names, " ");
		numbers += strspn(numbers, " ");
		if (!*names || *names == '\n' || !*numbers || *numbers == '\n')
			return -1;
		if (strcspn(names, " \n") == want && !strncmp(names, name, want))
			return strtoll(numbers, NULL, 10);
	}
}

static const char *after_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* One block of # lines; returns where it ends. */
static const char *take_counters(const char *text, struct pw_wire_counters *ret)
{
	static const struct { const char *kind, *name; size_t at; } wanted[] = {
		{ "#Tcp: ", "ActiveOpens", offsetof(struct pw_wire_counters, opens) },
		{ "#TcpExt: ", "TCPSynRetrans", offsetof(struct pw_wire_counters, syn_retrans) },
		{ "#Icmp: ", "InDestUnreachs", offsetof(struct pw_wire_counters, unreachables) },
	};
	*ret = (struct pw_wire_counters){ .there = true, .opens = -1, .syn_retrans = -1, .unreachables = -1 };
	for (; *text == '#' && strncmp(text, "#.", 2) != 0; text = after_line(text)) {
		const char *next = after_line(text);
		ret->neighbours_open += strstr(text, " 0x0 ") && strstr(text, " 0x0 ") < next;
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
			size_t len = strlen(wanted[i].kind);
			if (strncmp(text, wanted[i].kind, len) != 0 || strncmp(next, wanted[i].kind, len) != 0)
				continue;
			long long value = counter(text, next, wanted[i].name);
			if (value >= 0)
				memcpy((char *)ret + wanted[i].at, &value, sizeof value);
		}
	}
	ret->there = ret->opens >= 0 && ret->syn_retrans >= 0 && ret->unreachables >= 0;
	return *text == '#' ? after_line(text) : text;
}

static void take_try(const char *line, unsigned wait_ms, struct pw_arena *arena, struct pw_wire *ret)
{
	char *end;
	unsigned long i = strtoul(line, &end, 10);
	if (end == line || *end != ' ' || i >= PW_WIRE_TRIES_MAX || ret->tries[i].ran)
		return;
	struct pw_wire_try one = { .ran = true, .status = (int)strtol(end, &end, 10) };
	double begin = strtod(end, &end), until = strtod(end, &end);
	one.ms = until > begin ? (until - begin) * 1000 : 0;
	end += *end == ' ';
	one.said = pw_arena_strndup(arena, end, strcspn(end, "\n"));
	const char *at = one.said ? strstr(one.said, "at ") : NULL; /* when the answer came, before its program ended */
	if (at && (at == one.said || at[-1] == '|') && strtod(at + 3, NULL) > begin)
		one.ms = (strtod(at + 3, NULL) - begin) * 1000;
	one.waited = one.ms >= wait_ms - WAITED_SPARE_MS;
	if (one.said)
		ret->tries[i] = one;
}

static void take_output(const char *text, unsigned wait_ms, struct pw_arena *arena, struct pw_wire *ret)
{
	bool first = true;
	while (*text) {
		if (*text == '#') {
			text = take_counters(text, first ? &ret->before : &ret->after);
			first = false;
			continue;
		}
		take_try(text, wait_ms, arena, ret);
		text = after_line(text);
	}
}

static bool mentions(const char *text, const char *words)
{
	return strcasestr(text, words) != NULL;
}

/* A program that was misunderstood lists its options, whose words are no news. */
static bool is_usage(const char *said)
{
	return mentions(said, "usage:") || mentions(said, "invalid option") || mentions(said, "unrecognized option") || mentions(said, "illegal option");
}

/* strerror of glibc and musl, and the programs' own. */
static enum pw_wire_end by_words(const struct pw_wire_try *one)
{
	static const struct { const char *words; enum pw_wire_end end; } all[] = {
		{ "refused", PW_WIRE_REFUSED }, { "No route to host", PW_WIRE_HOST }, { "Host is unreachable", PW_WIRE_HOST },
		{ "Network is unreachable", PW_WIRE_NET }, { "Network unreachable", PW_WIRE_NET }, { "timed out", PW_WIRE_SILENT },
		{ "Operation now in progress", PW_WIRE_SILENT }, { "Operation in progress", PW_WIRE_SILENT }, { "not permitted", PW_WIRE_DENIED },
		{ "Permission denied", PW_WIRE_DENIED }, { "Invalid argument", PW_WIRE_DENIED }, { "Cannot assign requested address", PW_WIRE_PORTS },
		{ "Address not available", PW_WIRE_PORTS },
	};
	for (size_t i = 0; one->ran && !is_usage(one->said) && i < sizeof all / sizeof *all; i++)
		if (mentions(one->said, all[i].words))
			return all[i].end;
	return one->ran && one->status >= KILLED ? PW_WIRE_SILENT : PW_WIRE_UNTOLD;
}

enum pw_wire_end pw_wire_end_of(const struct pw_wire_try *one)
{
	bool good = one->ran && (one->status == 0 || mentions(one->said, "* Connected to"));
	return good ? PW_WIRE_GOOD : by_words(one);
}

enum pw_wire_end pw_wire_ask_end(const struct pw_wire_try *one)
{
	uint8_t first;
	if (pw_wire_answer(one, &first, sizeof first))
		return PW_WIRE_GOOD;
	enum pw_wire_end end = by_words(one);
	if (end == PW_WIRE_UNTOLD || end == PW_WIRE_SILENT)
		return one->waited ? PW_WIRE_SILENT : PW_WIRE_UNTOLD;
	return end;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A line of nothing but pairs of hex digits, as od prints them. */
static bool hex_line(const char *line, size_t len)
{
	size_t digits = 0;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && hex(line[i]) >= 0)
			digits++;
		else if ((i == len || line[i] == ' ') && (digits == 0 || digits == 2))
			digits = 0;
		else
			return false;
	}
	return len > 0;
}

size_t pw_wire_answer(const struct pw_wire_try *one, uint8_t *out, size_t size)
{
	size_t n = 0;
	for (const char *line = one->said; line && *line;) {
		size_t len = strcspn(line, "|");
		for (size_t i = 0; hex_line(line, len) && i + 1 < len && n < size; i++)
			if (hex(line[i]) >= 0 && hex(line[i + 1]) >= 0) {
				out[n++] = (uint8_t)(hex(line[i]) << 4 | hex(line[i + 1]));
				i++;
			}
		line += len + (line[len] == '|');
	}
	return n;
}

bool pw_wire_icmp(const struct pw_wire_try *one, struct pw_val *map)
{
	unsigned type, code;
	char from[64];
	const char *at = one->said ? strstr(one->said, "|icmp ") : NULL;
	if (!at || sscanf(at, "|icmp %u %u %63[0-9a-f.:]", &type, &code, from) != 3)
		return false;
	struct pw_val *icmp = pw_map_set_map(map, "icmp");
	pw_map_set_int(icmp, "type", type);
	pw_map_set_int(icmp, "code", code);
	pw_map_set_str(icmp, "from", from);
	return true;
}

/* ---- running ---- */

static unsigned seconds(unsigned timeout_ms)
{
	unsigned s = (timeout_ms + 999) / 1000;
	return s < SECONDS_MIN ? SECONDS_MIN : s;
}

/* A program that can do it, with what else it takes (words joined by spaces), and what the script calls the way to use it. */
struct candidate { const char *tool, *needs, *as; };

static bool usable(const struct pw_tools *tools, const struct candidate *c)
{
	bool all = pw_tools_have(tools, c->tool);
	for (const char *need = c->needs; all && *need; need += strcspn(need, " "), need += *need == ' ') {
		char word[16];
		(void)snprintf(word, sizeof word, "%.*s", (int)strcspn(need, " "), need);
		all = pw_tools_have(tools, word);
	}
	return all;
}

static bool any_told(const struct pw_wire *wire, bool asks)
{
	for (size_t i = 0; i < PW_WIRE_TRIES_MAX; i++)
		if ((asks ? pw_wire_ask_end(&wire->tries[i]) : pw_wire_end_of(&wire->tries[i])) != PW_WIRE_UNTOLD)
			return true;
	return false;
}

/* With the first program that is there; where it tells nothing (not its kind of option, broken), with the next. args[tool_at] becomes its name. */
static int run(struct pw_tools *tools, const char *script, const char **args, size_t tool_at, const struct candidate *all, bool asks, unsigned wait_s,
	       struct pw_wire *ret, struct pw_err *err)
{
	bool ran = false;
	for (; all->tool; all++) {
		PW_CLEAN_BUF struct pw_buf out;
		pw_buf_init(&out, OUT_MAX);
		if (!usable(tools, all))
			continue;
		*ret = (struct pw_wire){ .tool = all->tool };
		args[tool_at] = all->as;
		int rc = pw_tools_script(tools, script, args, wait_s * 1000 + SPARE_MS, &out, err);
		if (rc < 0)
			return rc;
		take_output(pw_buf_str(&out), wait_s * 1000, pw_ctx_arena(tools->ctx), ret);
		ran = true;
		if (any_told(ret, asks))
			break;
	}
	if (ran)
		return PW_OK;
	return pw_err_set(err, PW_UNSUPPORTED, "pod %s/%s has none of %s: an agent on its node would look", tools->vantage->ns, tools->vantage->pod,
			  asks ? "python3, and bash or nc with dd and od, to ask with" : "python3, bash, nc and curl to connect with");
}

int pw_wire_connect(struct pw_tools *tools, const char *host, unsigned port, unsigned count, unsigned timeout_ms, struct pw_wire *ret, struct pw_err *err)
{
	static const struct candidate all[] = { { "python3", "", "python3" }, { "bash", "sleep", "bash" }, { "nc", "sleep", "nc" },
		{ "nc", "sleep", "nc-w" }, { "curl", "sleep", "curl" }, { NULL, NULL, NULL } };
	enum { TOOL_AT = 4 };
	struct pw_arena *arena = pw_ctx_arena(tools->ctx);
	unsigned wait_s = seconds(timeout_ms);
	const char *args[] = { host, pw_arena_printf(arena, "%u", port), pw_arena_printf(arena, "%u", count < PW_WIRE_TRIES_MAX ? count : PW_WIRE_TRIES_MAX),
		pw_arena_printf(arena, "%u", wait_s), "", connect_python, pw_arena_printf(arena, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port), NULL };
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for a connect");
	return run(tools, connect_script, args, TOOL_AT, all, false, wait_s, ret, err);
}

/* As printf's %b reads it: no byte of it is anything but a digit, a zero or a backslash. */
static const char *escaped(const struct pw_wire_ask *ask, struct pw_arena *arena)
{
	char text[PAYLOAD_MAX * ESCAPE_LEN + 1] = "";
	for (size_t i = 0; i < ask->len && i < PAYLOAD_MAX; i++)
		(void)snprintf(text + i * ESCAPE_LEN, ESCAPE_LEN + 1, "\\0%03o", ask->payload[i]);
	return pw_arena_strdup(arena, text);
}

int pw_wire_ask(struct pw_tools *tools, bool tcp, const struct pw_wire_ask *asks, size_t n, unsigned timeout_ms, struct pw_wire *ret, struct pw_err *err)
{
	static const struct candidate all[] = { { "python3", "", "python3" }, { "bash", "sleep dd od", "bash" }, { "nc", "sleep dd od", "nc" },
		{ NULL, NULL, NULL } };
	struct pw_arena *arena = pw_ctx_arena(tools->ctx);
	unsigned wait_s = seconds(timeout_ms);
	const char **args = pw_arena_array(arena, FIXED_ARGS + ASK_ARGS * n, sizeof *args);
	if (!args)
		return pw_err_set(err, PW_NOMEM, "no memory for questions");
	size_t k = 0;
	args[k++] = tcp ? "tcp" : "udp";
	args[k++] = pw_arena_printf(arena, "%u", wait_s);
	size_t tool_at = k++;
	args[tool_at] = "";
	args[k++] = ask_python;
	for (size_t i = 0; i < n && i < PW_WIRE_TRIES_MAX; i++) {
		args[k++] = asks[i].host;
		args[k++] = pw_arena_printf(arena, "%u", asks[i].port);
		args[k++] = escaped(&asks[i], arena);
	}
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "no memory for questions");
	return run(tools, ask_script, args, tool_at, all, true, wait_s, ret, err);
}
