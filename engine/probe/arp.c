/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who has an address, asked on the wire. The neighbour table answers from
 * memory: an entry stays "reachable" for half a minute after its owner is gone.
 */
#include <packetwalk/probe.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <packetwalk/cleanup.h>

#include "sock.h"

enum { TRIES_MAX = 16, ANSWERS_MAX = 8, MAC_TEXT = 18 };

struct asking {
	int fd;
	struct sockaddr_ll to;             /* the whole segment */
	struct ether_arp question;
	struct pw_val *answers;
};

static int own_mac(int fd, const char *dev, unsigned char mac[ETH_ALEN], struct pw_err *err)
{
	struct ifreq request = { 0 };
	memcpy(request.ifr_name, dev, strnlen(dev, sizeof request.ifr_name - 1));
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot read the MAC of %.16s", dev);
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return pw_err_set(err, PW_UNSUPPORTED, "%.16s has no ARP: it is no Ethernet interface", dev);
	memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return PW_OK;
}

static void fill(struct asking *a, const struct in_addr *source, const struct in_addr *target, const unsigned char mac[ETH_ALEN])
{
	a->question.ea_hdr = (struct arphdr){ .ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETHERTYPE_IP), .ar_hln = ETH_ALEN,
		.ar_pln = sizeof *target, .ar_op = htons(ARPOP_REQUEST) };
	memcpy(a->question.arp_sha, mac, ETH_ALEN);
	memcpy(a->question.arp_spa, source, sizeof *source);
	memcpy(a->question.arp_tpa, target, sizeof *target);
}

static int start(struct asking *a, const struct pw_arp_spec *spec, struct pw_err *err)
{
	struct in_addr source, target;
	unsigned char mac[ETH_ALEN];
	if (inet_pton(AF_INET, spec->address, &target) != 1 || inet_pton(AF_INET, spec->source, &source) != 1)
		return pw_err_set(err, PW_USAGE, "ARP asks from one IPv4 address for another, not from \"%.64s\" for \"%.64s\"", spec->source, spec->address);
	unsigned index = if_nametoindex(spec->dev);
	if (!index)
		return pw_err_set(err, PW_ABSENT, "there is no interface \"%.16s\" in this network namespace", spec->dev);
	a->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETHERTYPE_ARP));
	if (a->fd < 0)
		return pw_err_sys(err, errno == EPERM || errno == EACCES ? PW_DENIED : PW_IO, errno, "asking by ARP needs CAP_NET_RAW");
	int rc = own_mac(a->fd, spec->dev, mac, err);
	if (rc < 0)
		return rc;
	a->to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_ARP), .sll_ifindex = (int)index, .sll_halen = ETH_ALEN };
	if (bind(a->fd, (const struct sockaddr *)&a->to, sizeof a->to) < 0)
		return pw_err_sys(err, PW_IO, errno, "cannot listen for ARP on %.16s", spec->dev);
	memset(a->to.sll_addr, 0xff, ETH_ALEN);
	fill(a, &source, &target, mac);
	return PW_OK;
}

/* One entry for each MAC. */
static void note(struct asking *a, const unsigned char mac[ETH_ALEN])
{
	char text[MAC_TEXT];
	(void)snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	for (size_t i = 0; i < pw_val_count(a->answers); i++)
		if (!strcmp(pw_val_text(pw_val_at(a->answers, i)), text))
			return;
	if (pw_val_count(a->answers) < ANSWERS_MAX)
		pw_seq_add_str(a->answers, text);
}

static void take(struct asking *a)
{
	struct ether_arp got;
	ssize_t n;
	while ((n = recv(a->fd, &got, sizeof got, 0)) >= 0)
		if ((size_t)n >= sizeof got && got.ea_hdr.ar_op == htons(ARPOP_REPLY) && got.ea_hdr.ar_hln == ETH_ALEN &&
		    !memcmp(got.arp_spa, a->question.arp_tpa, sizeof got.arp_spa))
			note(a, got.arp_sha);
}

/* The whole wait, also after an answer: a second machine may have the address too. */
static void listen_until(struct asking *a, int64_t deadline_us)
{
	struct pollfd fd = { .fd = a->fd, .events = POLLIN };
	int wait;
	while ((wait = pw_poll_ms(deadline_us)) > 0)
		if (poll(&fd, 1, wait) > 0)
			take(a);
}

int pw_probe_arp(struct pw_ctx *ctx, const struct pw_arp_spec *spec, struct pw_val *ret, struct pw_err *err)
{
	PW_CLEAN_CLOSE int fd = -1;
	struct asking a = { .fd = -1, .answers = pw_map_set_seq(ret, "answers") };
	int rc = start(&a, spec, err);
	fd = a.fd;
	long long sent = 0;
	for (unsigned i = 0; rc == PW_OK && i < spec->tries && i < TRIES_MAX && !pw_val_count(a.answers); i++) {
		if (sendto(a.fd, &a.question, sizeof a.question, 0, (const struct sockaddr *)&a.to, sizeof a.to) < 0)
			rc = pw_err_sys(err, PW_IO, errno, "cannot send on %.16s", spec->dev);
		else
			sent++;
		if (rc == PW_OK)
			listen_until(&a, pw_deadline_us(ctx, spec->timeout_ms));
	}
	pw_map_set_int(ret, "sent", sent);
	return rc == PW_OK && pw_arena_failed(pw_ctx_arena(ctx)) ? pw_err_set(err, PW_NOMEM, "no memory for ARP answers") : rc;
}
