/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Captures of others (CORPORA=DIR, its pcap/INDEX.tsv), decoded here and by
 * tcpdump: what is read here (addresses, ports, flags, sequence numbers,
 * lengths, tunnels) must be in tcpdump's text of the same packet.
 */
#include "tap.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <packet/decode.h>
#include <packet/pcapng.h>
#include <packetwalk/buf.h>
#include <packetwalk/cleanup.h>

enum { TEXT_MAX = 8 << 20, PACKETS_MAX = 4096 };

/* tcpdump's text, cut into packets: "   12  TIME ..." starts the twelfth. */
struct texts { char *packet[PACKETS_MAX]; size_t n; struct pw_buf all; };

static bool starts_packet(const char *line, size_t number)
{
	char *end;
	while (*line == ' ')
		line++;
	return isdigit((unsigned char)*line) && strtoul(line, &end, 10) == number && end[0] == ' ' && end[1] == ' ';
}

static bool load(struct texts *t, const char *path)
{
	char data[4096];
	size_t n;
	FILE *f = fopen(path, "re");
	pw_buf_init(&t->all, TEXT_MAX);
	t->n = 0;
	while (f && (n = fread(data, 1, sizeof data, f)) > 0)
		pw_buf_add(&t->all, data, n);
	if (f)
		(void)fclose(f);
	if (!f || !pw_buf_ok(&t->all) || !t->all.len)
		return false;
	for (char *line = t->all.data; line && *line && t->n < PACKETS_MAX;) {
		char *nl = strchr(line, '\n');
		if (starts_packet(line, t->n + 1)) {
			if (line > t->all.data)
				line[-1] = '\0';
			t->packet[t->n++] = line;
		}
		line = nl ? nl + 1 : NULL;
	}
	return t->n > 0;
}

struct compared { struct texts *texts; size_t n, checked, unknown; char wrong[768]; };

static void want(struct compared *c, const char *fmt, ...) PW_PRINTF(2, 3);
static void want(struct compared *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->checked++;
	if (!c->wrong[0] && !strstr(c->texts->packet[c->n - 1], text))
		(void)snprintf(c->wrong, sizeof c->wrong, "packet %zu: \"%s\" is not in \"%.250s\"", c->n, text, c->texts->packet[c->n - 1]);
}

static void compare_layer(struct compared *c, const struct pw_ip_layer *ip)
{
	char src[46], dst[46], flags[9];
	const char *text = c->texts->packet[c->n - 1];
	pw_ip_text(ip, true, src);
	pw_ip_text(ip, false, dst);
	bool tcp = ip->protocol == PW_PROTO_TCP;
	if (!ip->transport || (!tcp && ip->protocol != PW_PROTO_UDP)) {
		if (!strchr(text, ':') || strstr(text, src)) /* tcpdump leaves addresses out in few cases (ESP in UDP) */
			want(c, "%s > %s", src, dst);
		return;
	}
	/* A hop-by-hop header is printed between the addresses and the ports. */
	if (strstr(text, "HBH"))
		want(c, "%u > %u:", ip->sport, ip->dport);
	else
		want(c, "%s.%u > %s.%u:", src, ip->sport, dst, ip->dport);
	if (!tcp || !strstr(text, "Flags [")) /* -q shows no flags */
		return;
	pw_tcp_flags_text(ip->tcp_flags, flags);
	want(c, "Flags [%s]", flags);
	if (ip->tcp_flags & PW_TCP_SYN)
		want(c, "seq %u", ip->seq);
	want(c, "win %u", ip->window);
	if (ip->mss)
		want(c, "mss %u", ip->mss);
	if (ip->has_timestamp)
		want(c, "TS val %u ecr %u", ip->ts_value, ip->ts_echo);
	want(c, "length %u", ip->payload);
}

static void compare_frame(struct compared *c, const struct pw_frame *f)
{
	const char *text = c->texts->packet[c->n - 1];
	if (!f->n_ip && (strstr(text, " IP ") || strstr(text, " IP6 ")))
		want(c, "no IP packet, which was not decoded here");
	for (unsigned i = 0; i < f->n_ip; i++) {
		compare_layer(c, &f->ip[i]);
		if (f->tunnel[i] == PW_TUNNEL_VXLAN)
			want(c, "VXLAN, flags [I] (0x08), vni %u", f->vni);
		if (f->tunnel[i] == PW_TUNNEL_GENEVE)
			want(c, "vni 0x%x", f->vni);
	}
	if (f->arp) {
		char sender[INET_ADDRSTRLEN], target[INET_ADDRSTRLEN];
		inet_ntop(AF_INET, f->arp_sender, sender, sizeof sender);
		inet_ntop(AF_INET, f->arp_target, target, sizeof target);
		if (f->arp_op == 1)
			want(c, "who-has %s tell %s", target, sender);
		else
			want(c, "Reply %s is-at %02x:", sender, f->arp_mac[0]);
	}
	for (unsigned i = 0; i < f->n_vlans; i++)
		if (strstr(text, "vlan"))
			want(c, "vlan %u,", f->vlans[i]);
}

static int on_packet(void *arg, const struct pw_pcap_packet *packet, struct pw_err *err)
{
	struct compared *c = arg;
	struct pw_frame f;
	(void)err;
	if (++c->n > c->texts->n)
		return PW_CANCELLED;
	if (!pw_frame_decode(packet->link, packet->data, packet->captured, &f))
		c->unknown++;
	else if (!f.truncated && !f.malformed)
		compare_frame(c, &f);
	return PW_OK;
}

/* Link types nobody here meets are skipped: NFLOG, netlink, PPP. */
static void compare_file(const char *dir, const char *file, const char *decoded)
{
	static struct texts texts;
	char path[512], text[512];
	struct compared c = { .texts = &texts };
	struct pw_err err = PW_ERR_INIT;
	(void)snprintf(path, sizeof path, "%s/pcap/%s", dir, file);
	(void)snprintf(text, sizeof text, "%s/pcap/%s", dir, decoded);
	if (!load(&texts, text)) {
		ok(false, "%s can be read", text);
	} else {
		int rc = pw_pcap_read(path, on_packet, &c, &err);
		if (c.unknown == c.n && c.n)
			tap_skip(file, "a link type that is not decoded");
		else
			ok(rc == PW_OK && c.checked && !c.wrong[0], "%s: %zu packets, %zu facts%s%s", file, c.n, c.checked,
			   c.wrong[0] || rc < 0 ? ": " : "", c.wrong[0] ? c.wrong : err.text);
	}
	pw_buf_release(&texts.all);
}

static void compare_all(const char *dir)
{
	char path[512], line[4096];
	(void)snprintf(path, sizeof path, "%s/pcap/INDEX.tsv", dir);
	PW_CLEAN_FILE FILE *index = fopen(path, "re");
	ok(index, "%s", path);
	while (index && fgets(line, sizeof line, index)) {
		char *field[8] = { NULL }, *rest = line;
		for (size_t i = 0; i < 8 && rest; i++)
			field[i] = strsep(&rest, "\t\n");
		if (field[6] && *field[6] && strcmp(field[6], "decoded") != 0)
			compare_file(dir, field[0], field[6]);
	}
}

/* Those without tcpdump's text: what the index says they show. */
struct counts { int n, vxlan, ipip, vlan, rst, quotes, fragments, dns, out, arp, ipv6, icmp6; };

static int count(void *arg, const struct pw_pcap_packet *packet, struct pw_err *err)
{
	struct counts *c = arg;
	struct pw_frame f;
	(void)err;
	c->n++;
	if (!pw_frame_decode(packet->link, packet->data, packet->captured, &f))
		return PW_OK;
	const struct pw_ip_layer *ip = pw_frame_inner(&f);
	c->arp += f.arp;
	c->vlan += f.n_vlans > 0;
	c->out += f.direction == 4;
	c->quotes += f.has_quote;
	if (!ip)
		return PW_OK;
	c->vxlan += f.tunnel[f.n_ip - 1] == PW_TUNNEL_VXLAN;
	c->ipip += f.tunnel[f.n_ip - 1] == PW_TUNNEL_IPIP;
	c->rst += ip->protocol == PW_PROTO_TCP && (ip->tcp_flags & PW_TCP_RST);
	c->fragments += ip->fragment;
	c->dns += ip->protocol == PW_PROTO_UDP && (ip->sport == 53 || ip->dport == 53);
	c->ipv6 += ip->version == 6;
	c->icmp6 += ip->protocol == PW_PROTO_ICMPV6;
	return PW_OK;
}

static struct counts count_file(const char *dir, const char *file)
{
	struct counts c = { 0 };
	char path[512];
	struct pw_err err = PW_ERR_INIT;
	(void)snprintf(path, sizeof path, "%s/pcap/%s", dir, file);
	if (pw_pcap_read(path, count, &c, &err) < 0)
		ok(false, "%s: %s", file, err.text);
	return c;
}

static void shown(const char *dir)
{
	ok(count_file(dir, "Vxlan1.pcap").vxlan > 0, "Vxlan1: VXLAN");
	ok(count_file(dir, "IPv4-encapsulated-IPv6.pcap").ipip > 0, "IPv4-encapsulated-IPv6: IPv6 in IPv4");
	ok(count_file(dir, "VlanPackets.pcap").vlan > 0, "VlanPackets: VLAN tags");
	ok(count_file(dir, "one_tcp_rst.pcap").rst == 1, "one_tcp_rst: one RST");
	ok(count_file(dir, "IcmpPackets.pcap").quotes > 0, "IcmpPackets: errors with quotes");
	ok(count_file(dir, "IPv4Frag.pcap").fragments > 1, "IPv4Frag: fragments");
	ok(count_file(dir, "ip6_fragments.pcap").fragments > 1, "ip6_fragments: fragments");
	ok(count_file(dir, "DNS_NXDomain.pcap").dns > 0, "DNS_NXDomain: DNS");
	ok(count_file(dir, "Sll2Packet.pcap").out == 1, "Sll2Packet: outgoing");
	ok(count_file(dir, "ArpRequestPacket.pcap").arp == 1, "ArpRequestPacket: ARP");
	ok(count_file(dir, "IcmpV6_EchoMessages.pcap").icmp6 > 0, "IcmpV6_EchoMessages: ICMPv6");
	ok(count_file(dir, "null_loopback.pcap").n > 0, "null_loopback: a BSD loopback");
	ok(count_file(dir, "ipv6_ext_headers.pcap").ipv6 > 0, "ipv6_ext_headers: IPv6");
}

int main(void)
{
	const char *dir = getenv("CORPORA");
	if (!dir) {
		tap_skip("captures of others", "CORPORA is not set");
		return tap_done();
	}
	compare_all(dir);
	shown(dir);
	return tap_done();
}
