/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PACKET_DECODE_H
#define ENGINE_PACKET_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <packetwalk/val.h>

/*
 * A captured frame taken apart: link, VLANs, IP, transport, and what is
 * inside tunnels and ICMP errors. Pure; every byte is hostile. A frame that
 * is cut short gives what was there.
 */

enum { PW_FRAME_LAYERS = 4 }; /* IP packets inside one another */

enum pw_tunnel { PW_TUNNEL_NONE, PW_TUNNEL_VXLAN, PW_TUNNEL_GENEVE, PW_TUNNEL_IPIP, PW_TUNNEL_GRE };

/* Link types of pcap and pcapng (tcpdump.org/linktypes.html) that are known here. */
enum {
	PW_LINK_NULL = 0, PW_LINK_ETHERNET = 1, PW_LINK_RAW_BSD = 12, PW_LINK_RAW = 101, PW_LINK_LOOP = 108,
	PW_LINK_SLL = 113, PW_LINK_IPV4 = 228, PW_LINK_IPV6 = 229, PW_LINK_SLL2 = 276,
};

enum { PW_PROTO_ICMP = 1, PW_PROTO_TCP = 6, PW_PROTO_UDP = 17, PW_PROTO_GRE = 47, PW_PROTO_ESP = 50, PW_PROTO_ICMPV6 = 58, PW_PROTO_SCTP = 132 };

enum { PW_TCP_FIN = 1, PW_TCP_SYN = 2, PW_TCP_RST = 4, PW_TCP_PSH = 8, PW_TCP_ACK = 16, PW_TCP_URG = 32, PW_TCP_ECE = 64, PW_TCP_CWR = 128 };

/* One IP packet and the transport header in it. */
struct pw_ip_layer {
	uint8_t version;            /* 4, 6 */
	uint8_t src[16], dst[16];   /* 4 or 16 bytes of them */
	uint8_t protocol;           /* after extension headers */
	uint8_t ttl;
	uint32_t id;                /* IPv4 identification, or of an IPv6 fragment header */
	bool fragment, first_fragment, dont_fragment;
	uint32_t length;            /* of the packet by its header */
	bool transport;             /* the transport header was there, whole */
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint32_t seq, ack;
	uint16_t window, mss;       /* mss: 0 if not given */
	bool has_timestamp;
	uint32_t ts_value, ts_echo;
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_seq; /* of echo */
	uint32_t icmp_mtu;          /* of "too big" */
	uint32_t payload;           /* bytes after the transport header, by the IP length */
	uint64_t payload_hash;      /* of its first bytes as far as captured, 0 if none */
};

struct pw_frame {
	bool has_link;
	uint8_t mac_src[6], mac_dst[6];
	uint16_t ether_type;
	unsigned n_vlans;
	uint16_t vlans[2];          /* outermost first */
	unsigned ifindex;           /* SLL2 */
	int direction;              /* SLL, SLL2: the packet type (0 to us, 1 broadcast, 2 multicast, 3 other host, 4 outgoing); else -1 */
	struct pw_ip_layer ip[PW_FRAME_LAYERS];
	unsigned n_ip;              /* the last is the innermost */
	enum pw_tunnel tunnel[PW_FRAME_LAYERS]; /* that carries ip[i] inside ip[i - 1] */
	uint32_t vni;               /* of the last VXLAN, Geneve; key of GRE */
	bool has_quote;             /* the innermost is an ICMP error and this is the packet it complains of */
	struct pw_ip_layer quote;
	bool arp;
	enum pw_tunnel arp_tunnel;  /* that carries it inside the innermost IP packet */
	uint16_t arp_op;            /* 1 request, 2 reply */
	uint8_t arp_sender[4], arp_target[4], arp_mac[6];
	bool truncated;             /* the capture ended before the headers did */
	bool malformed;             /* the headers contradict themselves */
};

/* False when the link type is not known or not even the link header is there. `len` is what was captured. */
bool pw_frame_decode(int link, const uint8_t *data, size_t len, struct pw_frame *ret);

const struct pw_ip_layer *pw_frame_inner(const struct pw_frame *frame); /* NULL without IP */
/* Is the address (4 or 16 bytes) an end of any packet in the frame, of the one an ICMP error complains of, or asked for by ARP? */
bool pw_frame_concerns(const struct pw_frame *frame, unsigned version, const uint8_t *address);
void pw_ip_text(const struct pw_ip_layer *ip, bool source, char out[46]);
void pw_tcp_flags_text(uint8_t flags, char out[9]); /* as tcpdump, letters of FSRP.UEW: "S", "S."; "none" */
const char *pw_tunnel_word(enum pw_tunnel tunnel); /* "vxlan", "" */
/* {proto, src, dst, sport, dport, flags, seq, ack, len, ttl, icmp, mtu, quote: {..}, tunnel, vni, outer_src, outer_dst, vlan}. */
void pw_frame_put(const struct pw_frame *frame, struct pw_val *map);

#endif
