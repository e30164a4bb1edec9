/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Captures of any tool, read through libpcap. */
#include "pcapng.h"

#include <pcap/pcap.h>

int pw_pcap_read(const char *path, int (*each)(void *arg, const struct pw_pcap_packet *packet, struct pw_err *err), void *arg,
		 struct pw_err *err)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *file = pcap_open_offline(path, text);
	if (!file)
		return pw_err_set(err, PW_SYNTAX, "cannot read the capture %.128s: %.256s", path, text);
	int rc = PW_OK, got = 1;
	while (rc == PW_OK) {
		struct pcap_pkthdr *header;
		const u_char *data;
		got = pcap_next_ex(file, &header, &data);
		if (got != 1)
			break;
		const struct pw_pcap_packet packet = { .t_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec,
			.link = pcap_datalink(file), .data = data, .captured = header->caplen, .length = header->len };
		rc = each(arg, &packet, err);
	}
	if (rc == PW_OK && got == PCAP_ERROR)
		rc = pw_err_set(err, PW_SYNTAX, "the capture %.128s breaks off: %.256s", path, pcap_geterr(file));
	pcap_close(file);
	return rc;
}
