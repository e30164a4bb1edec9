/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chain names against kube-proxy's own unit tests and values computed with sha256sum and base32. */
#include <dataplane/sha256.h>
#include <packetwalk/dataplane.h>

#include <stdio.h>
#include <string.h>

#include "tap.h"

static void digest(const char *text, const char *want)
{
	unsigned char raw[PW_SHA256_SIZE];
	char hex[2 * PW_SHA256_SIZE + 1];
	pw_sha256(text, strlen(text), raw);
	for (size_t i = 0; i < PW_SHA256_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	is_str(hex, want, "SHA-256");
}

static void chain(const char *prefix, const char *ns, const char *name, const char *port, const char *protocol, const char *endpoint, const char *want)
{
	char out[32];
	pw_kube_chain(prefix, ns, name, port, protocol, endpoint, out);
	is_str(out, want, name);
}

int main(void)
{
	/* FIPS 180-4 examples, and one message of 119 bytes: two padding blocks. */
	digest("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
	chain("KUBE-SVC-", "ns1", "svc1", "p80", "tcp", NULL, "KUBE-SVC-XPGD46QRK7WJZT7O");
	chain("KUBE-SEP-", "ns1", "svc1", "p80", "tcp", "10.180.0.1:80", "KUBE-SEP-SXIVWICOYRO3J4NJ");
	chain("KUBE-SVC-", "default", "kubernetes", "https", "tcp", NULL, "KUBE-SVC-NPX46M4PTMTKRN6Y");
	chain("KUBE-SVC-", "kube-system", "kube-dns", "dns", "udp", NULL, "KUBE-SVC-TCOU7JCQXEZGVUNU");
	chain("KUBE-SVL-", "kube-system", "kube-dns", "dns-tcp", "tcp", NULL, "KUBE-SVL-ERIFXISQEP7F7OF4");
	chain("KUBE-EXT-", "default", "web", "", "tcp", NULL, "KUBE-EXT-LOLE4ISW44XBNF3G");
	chain("KUBE-EXT-", "default", "web", NULL, "tcp", NULL, "KUBE-EXT-LOLE4ISW44XBNF3G");
	return tap_done();
}
