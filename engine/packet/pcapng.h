/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PACKET_PCAPNG_H
#define ENGINE_PACKET_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include <packetwalk/err.h>

/*
 * Captures as files: a writer of pcapng (libpcap has none) that keeps the
 * interfaces' names and directions, and a reader of pcap and pcapng.
 */

struct pw_pcapng;

enum pw_pcapng_dir { PW_PCAPNG_UNKNOWN = 0, PW_PCAPNG_IN = 1, PW_PCAPNG_OUT = 2 }; /* epb_flags, bits 0 and 1 */

/* Creates or empties the file, readable by its owner only: it holds other people's traffic. */
int pw_pcapng_new(const char *path, struct pw_pcapng **ret, struct pw_err *err);
/* Numbers start at 0 in the order of calls; all before the first packet or later. */
int pw_pcapng_interface(struct pw_pcapng *w, const char *name, int link, uint32_t snaplen, unsigned *ret_number, struct pw_err *err);
int pw_pcapng_packet(struct pw_pcapng *w, unsigned interface, int64_t t_us, const void *data, uint32_t captured, uint32_t length,
		     enum pw_pcapng_dir dir, struct pw_err *err);
/* What the kernel counted for the interface. */
int pw_pcapng_statistics(struct pw_pcapng *w, unsigned interface, int64_t t_us, uint64_t received, uint64_t dropped, struct pw_err *err);
/* Writes what is left and frees; the errors of earlier writes show here at the latest. NULL is fine. */
int pw_pcapng_free(struct pw_pcapng *w, struct pw_err *err);

struct pw_pcap_packet {
	int64_t t_us;
	int link;
	const uint8_t *data;        /* borrowed until the next one */
	uint32_t captured, length;
};
/* Calls `each` for every packet until it returns other than PW_OK, which is returned. PW_SYNTAX when the file breaks off. */
int pw_pcap_read(const char *path, int (*each)(void *arg, const struct pw_pcap_packet *packet, struct pw_err *err), void *arg,
		 struct pw_err *err);

#endif
