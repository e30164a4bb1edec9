/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written is read back by libpcap; what cannot be written or read is said. */
#include "tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <packet/decode.h>
#include <packet/pcapng.h>

struct got { int n; struct pw_pcap_packet last; unsigned char data[64]; };

static int each(void *arg, const struct pw_pcap_packet *packet, struct pw_err *err)
{
	struct got *got = arg;
	(void)err;
	got->n++;
	got->last = *packet;
	memcpy(got->data, packet->data, packet->captured < sizeof got->data ? packet->captured : sizeof got->data);
	return PW_OK;
}

static int refuse(void *arg, const struct pw_pcap_packet *packet, struct pw_err *err)
{
	(void)arg;
	(void)packet;
	return pw_err_set(err, PW_CANCELLED, "enough");
}

static void test_round_trip(const char *dir)
{
	char path[256];
	struct pw_pcapng *w = NULL;
	struct pw_err err = PW_ERR_INIT;
	struct got got = { 0 };
	struct stat st;
	unsigned a = 9, b = 9;
	(void)snprintf(path, sizeof path, "%s/x.pcapng", dir);
	is_int(pw_pcapng_new(path, &w, &err), PW_OK, "created");
	is_int(pw_pcapng_interface(w, "eth0", PW_LINK_ETHERNET, 512, &a, &err), PW_OK, "an interface");
	is_int(pw_pcapng_interface(w, "a-rather-long-name-of-an-interface-that-no-kernel-would-ever-take-as-one", PW_LINK_ETHERNET, 512, &b, &err), PW_OK,
	       "another");
	ok(a == 0 && b == 1, "numbered");
	for (int i = 0; i < 5; i++)
		is_int(pw_pcapng_packet(w, (unsigned)i % 2, 1700000000000000 + i, "EEEEEEE", (uint32_t)i, 1500, i % 2 ? PW_PCAPNG_IN : PW_PCAPNG_UNKNOWN, &err),
		       PW_OK, "a packet");
	is_int(pw_pcapng_statistics(w, 0, 1700000000000000, 5, 1, &err), PW_OK, "statistics");
	is_int(pw_pcapng_free(w, &err), PW_OK, "closed");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "readable by its owner only");
	ok(pw_pcap_read(path, each, &got, &err) == PW_OK, "reads: %s", err.text);
	ok(got.n == 5 && got.last.captured == 4 && got.last.length == 1500 && got.last.t_us == 1700000000000004 &&
	   got.last.link == PW_LINK_ETHERNET && !memcmp(got.data, "EEEE", 4), "the last packet");
	is_int(pw_pcap_read(path, refuse, NULL, &err), PW_CANCELLED, "stops when told");
	pw_err_clear(&err);
	if (truncate(path, st.st_size - 40) == 0) {
		is_int(pw_pcap_read(path, each, &got, &err), PW_SYNTAX, "a file cut off");
		ok(strstr(err.text, "breaks off"), "is told: %s", err.text);
	}
	(void)unlink(path);
}

static void test_failures(const char *dir)
{
	char path[256], want[512];
	struct pw_pcapng *w = NULL;
	struct pw_err err = PW_ERR_INIT;
	(void)snprintf(path, sizeof path, "%s/none/x.pcapng", dir);
	is_int(pw_pcapng_new(path, &w, &err), PW_IO, "no such folder");
	(void)snprintf(want, sizeof want, "cannot create the capture %s: No such file or directory", path);
	is_str(err.text, want, "says so");
	pw_err_clear(&err);
	is_int(pw_pcap_read(path, each, NULL, &err), PW_SYNTAX, "nothing to read");
	pw_err_clear(&err);
	is_int(pw_pcapng_free(NULL, &err), PW_OK, "free of nothing");
	(void)snprintf(path, sizeof path, "%s/x.pcapng", dir);
	is_int(symlink("/dev/null", path), 0, "something is there");
	is_int(pw_pcapng_new(path, &w, &err), PW_USAGE, "which is not written over");
	(void)snprintf(want, sizeof want, "cannot create the capture %s: File exists", path);
	is_str(err.text, want, "says so");
	pw_err_clear(&err);
	(void)unlink(path);
}

static void test_full(const char *dir)
{
	char path[256], want[512];
	struct pw_pcapng *w = NULL;
	struct pw_err err = PW_ERR_INIT;
	struct rlimit before, none = { 0, RLIM_INFINITY };
	(void)snprintf(path, sizeof path, "%s/x.pcapng", dir);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)fflush(stdout);
	if (getrlimit(RLIMIT_FSIZE, &before) < 0)
		return;
	none.rlim_max = before.rlim_max;
	(void)setrlimit(RLIMIT_FSIZE, &none);
	int opened = pw_pcapng_new(path, &w, &err), closed = pw_pcapng_free(w, &err);
	(void)setrlimit(RLIMIT_FSIZE, &before);
	is_int(opened, PW_OK, "a full disk takes a header into its buffer");
	is_int(closed, PW_IO, "and is noticed in the end");
	(void)snprintf(want, sizeof want, "cannot write the capture %s: File too large", path);
	is_str(err.text, want, "by name");
	(void)unlink(path);
}

int main(void)
{
	char dir[] = "/tmp/pcapng-XXXXXX";
	if (!mkdtemp(dir))
		return 1;
	test_round_trip(dir);
	test_failures(dir);
	test_full(dir);
	(void)rmdir(dir);
	return tap_done();
}
