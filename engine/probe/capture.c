/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What passes the interfaces of this namespace while something is done. One
 * handle on "any" in the cooked mode that names interface and direction of
 * each packet, so that all interfaces share one clock and one order. The
 * kernel's buffer holds the packets while `during` runs; what did not fit is
 * counted and reported, for then absence proves nothing.
 */
#include <packetwalk/probe.h>

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <packet/decode.h>
#include <packet/pcapng.h>
#include <packetwalk/buf.h>

#include "sock.h"

enum {
	SNAPLEN = 512,                  /* every header of a twice tunnelled packet, and some payload */
	BUFFER = 8 * 1024 * 1024,       /* some 15,000 packets of SNAPLEN */
	READ_TIMEOUT_MS = 10,           /* of immediate mode never waited for, but 0 is undefined: pcap(3) */
	QUIET_MS = 100, LINGER_MS = 1000, /* after `during`: until it is quiet */
	SHOWN_MAX = 500,
	INTERFACES_MAX = 64,
	FILTER_MAX = 4096,
};

struct interface {
	unsigned ifindex;
	char name[IF_NAMESIZE];
	long long packets;
	unsigned number;                /* in the file kept */
};

struct capture {
	struct pw_ctx *ctx;
	const struct pw_capture_spec *spec;
	pcap_t *handle;
	struct pw_pcapng *keep;
	struct interface interfaces[INTERFACES_MAX];
	size_t n;
	bool any;                       /* interfaces are added as they are seen */
	struct pw_val *packets;
	size_t seen, max;
	bool by_host;
	struct pw_endpoint host;
	int64_t start_us;               /* of the wall clock, which stamps packets */
	int rc;
	struct pw_err *err;
};

static int keep_interface(struct capture *c, struct interface *i, struct pw_err *err)
{
	return c->keep ? pw_pcapng_interface(c->keep, i->name, PW_LINK_SLL2, SNAPLEN, &i->number, err) : PW_OK;
}

static int add_interface(struct capture *c, unsigned ifindex, const char *name, struct pw_err *err)
{
	struct interface *i = &c->interfaces[c->n];
	*i = (struct interface){ .ifindex = ifindex };
	memcpy(i->name, name, strnlen(name, sizeof i->name - 1));
	int rc = keep_interface(c, i, err);
	if (rc == PW_OK)
		c->n++;
	return rc;
}

/* Last of all, so that a capture that cannot run leaves no file. */
static int open_keep(struct capture *c, struct pw_err *err)
{
	int rc = c->spec->keep ? pw_pcapng_new(c->spec->keep, &c->keep, err) : PW_OK;
	for (size_t i = 0; rc == PW_OK && i < c->n; i++)
		rc = keep_interface(c, &c->interfaces[i], err);
	return rc;
}

static int named_interfaces(struct capture *c, struct pw_err *err)
{
	const struct pw_capture_spec *spec = c->spec;
	c->any = !spec->n_interfaces || (spec->n_interfaces == 1 && !strcmp(spec->interfaces[0], "any"));
	if (spec->n_interfaces > INTERFACES_MAX)
		return pw_err_set(err, PW_USAGE, "%zu interfaces at once are more than %d", spec->n_interfaces, INTERFACES_MAX);
	for (size_t i = 0; !c->any && i < spec->n_interfaces; i++) {
		unsigned ifindex = if_nametoindex(spec->interfaces[i]);
		if (!ifindex)
			return pw_err_set(err, PW_ABSENT, "there is no interface \"%.32s\" in this network namespace", spec->interfaces[i]);
		int rc = add_interface(c, ifindex, spec->interfaces[i], err);
		if (rc < 0)
			return rc;
	}
	return PW_OK;
}

static int set_host(struct capture *c, struct pw_err *err)
{
	c->by_host = c->spec->host != NULL;
	if (c->by_host && !pw_endpoint_set(&c->host, c->spec->host, 0))
		return pw_err_set(err, PW_USAGE, "\"%.64s\" is not a literal address to capture", c->spec->host);
	return PW_OK;
}

/* libpcap's filters see the outer packet only: what is inside of tunnels is chosen here. */
static bool wanted(const struct capture *c, const struct pw_frame *frame)
{
	if (!c->by_host)
		return true;
	if (pw_endpoint_family(&c->host) == AF_INET6)
		return pw_frame_concerns(frame, 6, ((const struct sockaddr_in6 *)&c->host.ss)->sin6_addr.s6_addr);
	return pw_frame_concerns(frame, 4, (const uint8_t *)&((const struct sockaddr_in *)&c->host.ss)->sin_addr);
}

/* "(ifindex 2 or ifindex 5) and (FILTER)" */
static int set_filter(struct capture *c, struct pw_err *err)
{
	struct bpf_program program;
	struct pw_buf text;
	pw_buf_init(&text, FILTER_MAX);
	for (size_t i = 0; !c->any && i < c->n; i++)
		pw_buf_printf(&text, "%sifindex %u", i ? " or " : "(", c->interfaces[i].ifindex);
	if (!c->any)
		pw_buf_putc(&text, ')');
	if (c->spec->filter && *c->spec->filter)
		pw_buf_printf(&text, c->any ? "%s" : " and (%s)", c->spec->filter);
	int rc = PW_OK;
	if (!pw_buf_ok(&text))
		rc = pw_err_set(err, PW_USAGE, "the capture filter is longer than %d bytes", FILTER_MAX);
	else if (pcap_compile(c->handle, &program, pw_buf_str(&text), 1, PCAP_NETMASK_UNKNOWN) < 0)
		rc = pw_err_set(err, PW_USAGE, "\"%.128s\" is not a capture filter: %.128s", c->spec->filter ? c->spec->filter : "",
				pcap_geterr(c->handle));
	pw_buf_release(&text);
	if (rc < 0)
		return rc;
	if (pcap_setfilter(c->handle, &program) < 0)
		rc = pw_err_set(err, PW_IO, "cannot set the capture filter: %.256s", pcap_geterr(c->handle));
	pcap_freecode(&program);
	return rc;
}

static int open_handle(struct capture *c, struct pw_err *err)
{
	char text[PCAP_ERRBUF_SIZE];
	c->handle = pcap_create("any", text);
	if (!c->handle)
		return pw_err_set(err, PW_IO, "cannot capture: %.256s", text);
	(void)pcap_set_snaplen(c->handle, SNAPLEN);
	(void)pcap_set_promisc(c->handle, 0);
	(void)pcap_set_immediate_mode(c->handle, 1);
	(void)pcap_set_timeout(c->handle, READ_TIMEOUT_MS);
	(void)pcap_set_buffer_size(c->handle, BUFFER);
	int rc = pcap_activate(c->handle);
	if (rc == PCAP_ERROR_PERM_DENIED)
		return pw_err_set(err, PW_DENIED, "capturing needs CAP_NET_RAW in this network namespace");
	if (rc < 0)
		return pw_err_set(err, PW_IO, "cannot capture: %.256s", rc == PCAP_ERROR ? pcap_geterr(c->handle) : pcap_statustostr(rc));
	if (pcap_set_datalink(c->handle, PW_LINK_SLL2) < 0 || pcap_setnonblock(c->handle, 1, text) < 0)
		return pw_err_set(err, PW_UNSUPPORTED, "this libpcap cannot tell interfaces apart: %.256s", pcap_geterr(c->handle));
	return set_filter(c, err);
}

static struct interface *interface_of(struct capture *c, unsigned ifindex)
{
	char name[IF_NAMESIZE];
	for (size_t i = 0; i < c->n; i++)
		if (c->interfaces[i].ifindex == ifindex)
			return &c->interfaces[i];
	if (!c->any || c->n == INTERFACES_MAX)
		return NULL;
	c->rc = add_interface(c, ifindex, if_indextoname(ifindex, name) ? name : "gone", c->err);
	return c->rc == PW_OK ? &c->interfaces[c->n - 1] : NULL;
}

static void on_packet(u_char *arg, const struct pcap_pkthdr *header, const u_char *data)
{
	struct capture *c = (struct capture *)(void *)arg;
	struct pw_frame frame;
	if (c->rc < 0 || c->seen >= c->max || !pw_frame_decode(PW_LINK_SLL2, data, header->caplen, &frame) || !wanted(c, &frame))
		return;
	struct interface *i = interface_of(c, frame.ifindex);
	if (!i)
		return;
	enum { OUTGOING = 4 };
	bool out = frame.direction == OUTGOING;
	int64_t t_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec;
	i->packets++;
	c->seen++;
	if (c->keep)
		c->rc = pw_pcapng_packet(c->keep, i->number, t_us, data, header->caplen, header->len, out ? PW_PCAPNG_OUT : PW_PCAPNG_IN, c->err);
	if (pw_val_count(c->packets) >= SHOWN_MAX)
		return;
	struct pw_val *map = pw_seq_add_map(c->packets);
	pw_map_set_int(map, "t_us", t_us - c->start_us);
	pw_map_set_str(map, "iface", i->name);
	pw_map_set_str(map, "dir", out ? "out" : "in");
	pw_frame_put(&frame, map);
}

static int read_some(struct capture *c)
{
	int got = pcap_dispatch(c->handle, -1, on_packet, (u_char *)(void *)c);
	if (got == PCAP_ERROR && c->rc == PW_OK)
		c->rc = pw_err_set(c->err, PW_IO, "the capture broke off: %.256s", pcap_geterr(c->handle));
	return got;
}

/* Until the deadline, or until nothing came for quiet_ms (0: does not matter), or enough was seen. */
static void read_until(struct capture *c, int64_t deadline_us, unsigned quiet_ms)
{
	struct pollfd fd = { .fd = pcap_get_selectable_fd(c->handle), .events = POLLIN };
	while (c->rc == PW_OK && c->seen < c->max && pw_mono_us() < deadline_us) {
		int wait = pw_poll_ms(deadline_us);
		if (quiet_ms && wait > (int)quiet_ms)
			wait = (int)quiet_ms;
		int ready = poll(&fd, 1, wait);
		if (ready < 0 && errno != EINTR) {
			c->rc = pw_err_sys(c->err, PW_IO, errno, "waiting for packets");
			return;
		}
		if (ready == 0 && quiet_ms)
			return;
		if (ready > 0 && read_some(c) == 0 && (fd.revents & (POLLERR | POLLHUP)))
			return; /* the interfaces went away under it */
	}
}

static void put(struct capture *c, struct pw_val *ret)
{
	struct pcap_stat stat = { 0 };
	long long dropped = pcap_stats(c->handle, &stat) == 0 ? stat.ps_drop : 0;
	struct pw_val *interfaces = pw_map_set_seq(ret, "interfaces");
	for (size_t i = 0; i < c->n; i++) {
		struct pw_val *map = pw_seq_add_map(interfaces);
		pw_map_set_str(map, "name", c->interfaces[i].name);
		pw_map_set_int(map, "packets", c->interfaces[i].packets);
		pw_map_set_int(map, "dropped", dropped); /* of the one buffer all share */
		if (c->keep && c->rc == PW_OK)
			c->rc = pw_pcapng_statistics(c->keep, c->interfaces[i].number, c->start_us, (uint64_t)c->interfaces[i].packets,
						     (uint64_t)dropped, c->err);
	}
	pw_map_set_int(ret, "dropped", dropped);
	pw_map_set_int(ret, "n_packets", (long long)c->seen);
	pw_map_set_bool(ret, "cut", c->seen > SHOWN_MAX || c->seen >= c->max);
}

static int64_t wall_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int pw_probe_capture(struct pw_ctx *ctx, const struct pw_capture_spec *spec,
		     int (*during)(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err), struct pw_val *during_ret,
		     struct pw_val *ret, struct pw_err *err)
{
	struct capture *c = pw_arena_alloc(pw_ctx_arena(ctx), sizeof *c);
	if (!c)
		return pw_err_set(err, PW_NOMEM, "no memory for a capture");
	*c = (struct capture){ .ctx = ctx, .spec = spec, .err = err, .max = spec->max_packets ? spec->max_packets : SIZE_MAX };
	int done = PW_OK;
	int rc = set_host(c, err);
	if (rc == PW_OK)
		rc = named_interfaces(c, err);
	if (rc == PW_OK)
		rc = open_handle(c, err);
	if (rc == PW_OK)
		rc = open_keep(c, err);
	if (rc == PW_OK) {
		c->packets = pw_map_set_seq(ret, "packets");
		c->start_us = wall_us();
		int64_t end_us = pw_deadline_us(ctx, spec->for_ms);
		if (during)
			done = during(ctx, during_ret, err);
		if (done < 0)
			c->err = NULL; /* the first failure is the one to tell */
		else
			read_until(c, end_us, 0);
		if (during)
			read_until(c, pw_deadline_us(ctx, LINGER_MS), QUIET_MS);
		put(c, ret);
		rc = done < 0 ? done : c->rc;
	}
	if (c->handle)
		pcap_close(c->handle);
	int closed = pw_pcapng_free(c->keep, rc < 0 ? NULL : err);
	rc = rc < 0 ? rc : closed;
	if (rc == PW_OK && pw_arena_failed(pw_ctx_arena(ctx)))
		rc = pw_err_set(err, PW_NOMEM, "no memory for the captured packets");
	return rc;
}
