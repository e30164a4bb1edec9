/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What runs in the lab's pods: small servers that behave as told, well or badly.
 *
 *   podserver CLAUSE [CLAUSE …]       clauses are separated by "+":  http 8080 --delay 20 + echo 7
 *
 *   http [PORT]        one short text answer per connection; PORT defaults to $PORT, then 8080
 *       --bind ADDR          listen on ADDR (127.0.0.1, ::1, the pod's own); default: every address, both families
 *       --v4only --v6only    one family
 *       --status N           answer N on every path but the probe's
 *       --delay SECONDS      think that long before answering (not the probe's path)
 *       --healthz PATH       the probe's path, default /healthz; always 200 at once, unless
 *       --healthz-status N   / --healthz-delay SECONDS
 *       --big BYTES          body of that size
 *       --allow CIDR         403 for every other source (IPv4; may be repeated)
 *       --vhost NAME         404 for every other Host header
 *       --answer PATH=TEXT   200 with TEXT on PATH (may be repeated)
 *       --reset              accept, then reset the connection
 *       --accept-no-reply    accept, read, never answer
 *       --no-accept          listen with a backlog of one and never accept
 *       --start-delay SECONDS   listen only after that long
 *   tcp-echo PORT, udp-echo PORT, echo PORT (both)     answer what was received
 *   tcp-listen PORT    accept and hold; for ports that only have to be open
 *   sleep              nothing, for ever
 *   exit CODE          end at once
 *
 * POD_NAME, POD_NAMESPACE and NODE_NAME go into the http answer. When $READY_FD is set, one byte is
 * written to it and it is closed once all listeners are up.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LISTENERS_MAX = 16, ALLOW_MAX = 8, ANSWER_MAX = 4, REQUEST_MAX = 8192, DATAGRAM_MAX = 65536, IDLE_MS = 60000 };

enum kind { KIND_HTTP, KIND_TCP_ECHO, KIND_UDP_ECHO, KIND_TCP_HOLD };

struct network {
	uint32_t address, mask;
};

struct service {
	enum kind kind;
	unsigned port;
	int family; /* AF_UNSPEC: both */
	const char *bind_address, *vhost, *health_path;
	unsigned status, health_status;
	double delay, health_delay, start_delay;
	size_t big;
	struct network allow[ALLOW_MAX];
	size_t allow_count;
	const char *answers[ANSWER_MAX]; /* PATH=TEXT */
	size_t answer_count;
	bool reset, mute, no_accept;
};

struct listener {
	int fd;
	const struct service *service;
};

static struct service services[LISTENERS_MAX];
static size_t service_count;
static struct listener listeners[LISTENERS_MAX];
static size_t listener_count;

__attribute__((noreturn))
static void usage(const char *why)
{
	fprintf(stderr, "podserver: %s (see the head of podserver.c)\n", why);
	exit(2);
}

static unsigned number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value > max)
		usage(text);
	return (unsigned)value;
}

static double seconds(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || value < 0 || (*end != '\0' && strcmp(end, "s") != 0))
		usage(text);
	return value;
}

static struct network network(const char *text)
{
	char address[INET_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	unsigned bits = slash ? number(slash + 1, 32) : 32;
	struct in_addr parsed;

	if (length >= sizeof address)
		usage(text);
	memcpy(address, text, length);
	address[length] = '\0';
	if (inet_pton(AF_INET, address, &parsed) != 1)
		usage(text);
	uint32_t mask = bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
	return (struct network){.address = parsed.s_addr & mask, .mask = mask};
}

static void doze(double how_long)
{
	struct timespec left = {.tv_sec = (time_t)how_long, .tv_nsec = (long)((how_long - (double)(time_t)how_long) * 1e9)};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* ---- the command line ---- */

static struct service *add_service(enum kind kind, unsigned port)
{
	if (service_count == LISTENERS_MAX)
		usage("too many clauses");
	struct service *service = &services[service_count++];
	*service = (struct service){.kind = kind, .port = port, .status = 200, .health_status = 200, .health_path = "/healthz"};
	return service;
}

/* Reads one option with its value; returns how many words it took. */
static int parse_option(struct service *service, char **word)
{
	const char *name = word[0], *value = word[1];

	if (strcmp(name, "--reset") == 0)
		return service->reset = true, 1;
	if (strcmp(name, "--accept-no-reply") == 0)
		return service->mute = true, 1;
	if (strcmp(name, "--no-accept") == 0)
		return service->no_accept = true, 1;
	if (strcmp(name, "--v4only") == 0)
		return service->family = AF_INET, 1;
	if (strcmp(name, "--v6only") == 0)
		return service->family = AF_INET6, 1;
	if (!value)
		usage(name);
	if (strcmp(name, "--bind") == 0)
		service->bind_address = value;
	else if (strcmp(name, "--status") == 0)
		service->status = number(value, 599);
	else if (strcmp(name, "--delay") == 0)
		service->delay = seconds(value);
	else if (strcmp(name, "--start-delay") == 0)
		service->start_delay = seconds(value);
	else if (strcmp(name, "--healthz") == 0)
		service->health_path = value;
	else if (strcmp(name, "--healthz-status") == 0)
		service->health_status = number(value, 599);
	else if (strcmp(name, "--healthz-delay") == 0)
		service->health_delay = seconds(value);
	else if (strcmp(name, "--big") == 0)
		service->big = number(value, 1UL << 30);
	else if (strcmp(name, "--vhost") == 0)
		service->vhost = value;
	else if (strcmp(name, "--allow") == 0 && service->allow_count < ALLOW_MAX)
		service->allow[service->allow_count++] = network(value);
	else if (strcmp(name, "--answer") == 0 && strchr(value, '=') && service->answer_count < ANSWER_MAX)
		service->answers[service->answer_count++] = value;
	else
		usage(name);
	return 2;
}

static unsigned port_argument(char **word, int *used)
{
	if (!word[0] || word[0][0] < '0' || word[0][0] > '9')
		usage("a port is missing");
	(*used)++;
	return number(word[0], 65535);
}

static unsigned http_port(char **word, int *used)
{
	const char *from_environment = getenv("PORT");

	if (word[0] && word[0][0] >= '0' && word[0][0] <= '9')
		return port_argument(word, used);
	return from_environment ? number(from_environment, 65535) : 8080;
}

/* Returns true for a program that only waits. */
static bool parse(char **word)
{
	bool idle = false;

	while (*word) {
		const char *verb = *word++;
		int used = 0;
		struct service *service = NULL;

		if (strcmp(verb, "http") == 0) {
			unsigned port = http_port(word, &used);
			service = add_service(KIND_HTTP, port);
		} else if (strcmp(verb, "echo") == 0) {
			unsigned port = port_argument(word, &used);
			add_service(KIND_UDP_ECHO, port);
			service = add_service(KIND_TCP_ECHO, port);
		} else if (strcmp(verb, "tcp-echo") == 0) {
			service = add_service(KIND_TCP_ECHO, port_argument(word, &used));
		} else if (strcmp(verb, "udp-echo") == 0) {
			service = add_service(KIND_UDP_ECHO, port_argument(word, &used));
		} else if (strcmp(verb, "tcp-listen") == 0) {
			service = add_service(KIND_TCP_HOLD, port_argument(word, &used));
		} else if (strcmp(verb, "sleep") == 0) {
			idle = true;
		} else if (strcmp(verb, "exit") == 0) {
			exit((int)number(*word ? *word : "0", 255));
		} else {
			usage(verb);
		}
		word += used;
		while (*word && strcmp(*word, "+") != 0) {
			if (!service)
				usage(*word);
			word += parse_option(service, word);
		}
		if (*word)
			word++;
	}
	return idle;
}

/* ---- listening ---- */

static void add_listener(const struct service *service)
{
	bool datagram = service->kind == KIND_UDP_ECHO;
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)service->port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)service->port)};
	bool use_four = service->family == AF_INET;
	int one = 1, zero = 0;

	if (service->bind_address) {
		if (inet_pton(AF_INET, service->bind_address, &four.sin_addr) == 1)
			use_four = true;
		else if (inet_pton(AF_INET6, service->bind_address, &six.sin6_addr) != 1)
			usage(service->bind_address);
	}
	int fd = socket(use_four ? AF_INET : AF_INET6, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (fd < 0 && !use_four && service->family == AF_UNSPEC) { /* a kernel without IPv6 */
		use_four = true;
		fd = socket(AF_INET, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	}
	if (fd < 0) {
		perror("podserver: socket");
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (!use_four)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, service->family == AF_INET6 ? &one : &zero, sizeof one);
	if (bind(fd, use_four ? (struct sockaddr *)&four : (struct sockaddr *)&six, use_four ? sizeof four : sizeof six) < 0 ||
	    (!datagram && listen(fd, service->no_accept ? 0 : 128) < 0)) {
		fprintf(stderr, "podserver: port %u: %s\n", service->port, strerror(errno));
		exit(1);
	}
	listeners[listener_count++] = (struct listener){.fd = fd, .service = service};
}

/* ---- answering (each connection in a child of its own) ---- */

static void send_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		data += n;
		length -= (size_t)n;
	}
}

/* The peer as IPv4 when it is one (also when mapped), else 0. */
static uint32_t peer_of(int fd, char text[static INET6_ADDRSTRLEN])
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;

	strcpy(text, "?");
	if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0)
		return 0;
	if (peer.ss_family == AF_INET) {
		struct sockaddr_in *four = (struct sockaddr_in *)&peer;
		inet_ntop(AF_INET, &four->sin_addr, text, INET6_ADDRSTRLEN);
		return four->sin_addr.s_addr;
	}
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&peer;
	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		uint32_t address;
		memcpy(&address, six->sin6_addr.s6_addr + 12, sizeof address);
		inet_ntop(AF_INET, &address, text, INET6_ADDRSTRLEN);
		return address;
	}
	inet_ntop(AF_INET6, &six->sin6_addr, text, INET6_ADDRSTRLEN);
	return 0;
}

static bool is_allowed(const struct service *service, uint32_t peer)
{
	for (size_t i = 0; i < service->allow_count; i++)
		if ((peer & service->allow[i].mask) == service->allow[i].address)
			return true;
	return service->allow_count == 0;
}

static bool read_request(int fd, char *request)
{
	size_t length = 0;

	request[0] = '\0';
	while (length < REQUEST_MAX - 1 && !strstr(request, "\r\n\r\n") && !strstr(request, "\n\n")) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&wait, 1, IDLE_MS) != 1)
			return false;
		n = recv(fd, request + length, REQUEST_MAX - 1 - length, 0);
		if (n <= 0)
			return false;
		length += (size_t)n;
		request[length] = '\0';
	}
	return true;
}

static void request_path(const char *request, char *path, size_t size)
{
	const char *start = strchr(request, ' ');
	size_t length = start ? strcspn(start + 1, " ?\r\n") : 0;

	if (length >= size)
		length = size - 1;
	if (length)
		memcpy(path, start + 1, length);
	path[length] = '\0';
}

static bool host_matches(const char *request, const char *name)
{
	const char *header = strcasestr(request, "\nHost:");

	if (!name)
		return true;
	if (!header)
		return false;
	header += strlen("\nHost:");
	header += strspn(header, " ");
	return strncasecmp(header, name, strlen(name)) == 0 && strchr(" :\r\n", header[strlen(name)]);
}

static const char *reason(unsigned status)
{
	switch (status) {
	case 200: return "OK";
	case 301: return "Moved Permanently";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 500: return "Internal Server Error";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	default: return "Status";
	}
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "-";
}

static const char *canned_answer(const struct service *service, const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < service->answer_count; i++)
		if (strncmp(service->answers[i], path, length) == 0 && service->answers[i][length] == '=')
			return service->answers[i] + length + 1;
	return NULL;
}

static void answer_http(int fd, const struct service *service)
{
	char request[REQUEST_MAX], path[512], peer_text[INET6_ADDRSTRLEN], body[1024], head[512];
	uint32_t peer = peer_of(fd, peer_text);
	unsigned status = service->status;

	if (!read_request(fd, request))
		return;
	request_path(request, path, sizeof path);
	bool probe = strcmp(path, service->health_path) == 0;
	const char *canned = canned_answer(service, path);
	if (service->mute && !probe) {
		while (recv(fd, request, sizeof request, 0) > 0)
			;
		return;
	}
	doze(probe ? service->health_delay : service->delay);
	if (probe)
		status = service->health_status;
	else if (!is_allowed(service, peer))
		status = 403;
	else if (!host_matches(request, service->vhost))
		status = 404;
	if (canned)
		status = 200;
	int body_length = canned ? snprintf(body, sizeof body, "%s", canned)
				 : snprintf(body, sizeof body, "pod=%s/%s node=%s client=%s path=%s status=%u\n", environment("POD_NAMESPACE"),
					    environment("POD_NAME"), environment("NODE_NAME"), peer_text, path, status);
	size_t text = body_length < (int)sizeof body ? (size_t)body_length : sizeof body - 1;
	size_t padding = !probe && !canned && service->big > text ? service->big - text : 0;
	int head_length = snprintf(head, sizeof head,
				   "HTTP/1.1 %u %s\r\nServer: podserver\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
				   "Connection: close\r\n\r\n",
				   status, reason(status), text + padding);
	send_all(fd, head, (size_t)head_length);
	if (strncmp(request, "HEAD ", 5) == 0)
		return;
	send_all(fd, body, text);
	/* In pieces larger than any segment, so that full-sized ones go out, as from a real server. */
	static char bulk[65536];
	memset(bulk, 'x', sizeof bulk);
	for (; padding > 0; padding -= padding < sizeof bulk ? padding : sizeof bulk)
		send_all(fd, bulk, padding < sizeof bulk ? padding : sizeof bulk);
	printf("%s %s %u\n", peer_text, path, status);
	fflush(stdout);
}

static void echo_stream(int fd, bool silent)
{
	char data[4096];
	ssize_t n;

	while ((n = recv(fd, data, sizeof data, 0)) > 0)
		if (!silent)
			send_all(fd, data, (size_t)n);
}

/* Closes in the order a real server does: our side first, then wait for the peer, so no answer is lost to a reset. */
static void close_politely(int fd)
{
	struct timeval patience = {.tv_sec = 5};
	char rest[1024];

	shutdown(fd, SHUT_WR);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	while (recv(fd, rest, sizeof rest, 0) > 0)
		;
	close(fd);
}

static void serve_connection(int fd, const struct service *service)
{
	if (service->reset) {
		struct linger linger = {.l_onoff = 1, .l_linger = 0};
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
		close(fd);
		return;
	}
	if (service->kind == KIND_HTTP)
		answer_http(fd, service);
	else
		echo_stream(fd, service->kind == KIND_TCP_HOLD);
	close_politely(fd);
}

static void accept_one(const struct listener *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (fork() == 0) {
		for (size_t i = 0; i < listener_count; i++)
			close(listeners[i].fd);
		serve_connection(fd, listener->service);
		_exit(0);
	}
	close(fd);
}

static void echo_datagram(int fd)
{
	static char data[DATAGRAM_MAX];
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;
	ssize_t n = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&peer, &length);

	if (n >= 0 && sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&peer, length) < 0)
		perror("podserver: udp echo");
}

static void serve(void)
{
	struct pollfd wait[LISTENERS_MAX];

	for (size_t i = 0; i < listener_count; i++)
		wait[i] = (struct pollfd){.fd = listeners[i].service->no_accept ? -1 : listeners[i].fd, .events = POLLIN};
	while (poll(wait, listener_count, -1) >= 0 || errno == EINTR)
		for (size_t i = 0; i < listener_count; i++) {
			if (!(wait[i].revents & POLLIN))
				continue;
			if (listeners[i].service->kind == KIND_UDP_ECHO)
				echo_datagram(listeners[i].fd);
			else
				accept_one(&listeners[i]);
		}
}

static void tell_ready(void)
{
	const char *fd = getenv("READY_FD");

	if (!fd)
		return;
	int pipe = (int)number(fd, 1024);
	if (write(pipe, "r", 1) == 1)
		close(pipe);
}

int main(int argc, char **argv)
{
	bool idle;

	if (argc < 2)
		usage("what shall I serve?");
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	idle = parse(argv + 1);
	for (size_t i = 0; i < service_count; i++) {
		if (services[i].start_delay > 0) {
			tell_ready();
			doze(services[i].start_delay);
		}
		add_listener(&services[i]);
	}
	tell_ready();
	if (listener_count)
		serve();
	while (idle || listener_count)
		pause();
	return 0;
}
