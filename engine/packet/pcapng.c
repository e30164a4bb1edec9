/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pcapng (draft-ietf-opsawg-pcapng): section header, interface descriptions, enhanced packets, statistics. */
#include "pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK_SECTION = 0x0A0D0D0A, BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1A2B3C4D,
	OPT_END = 0, OPT_IF_NAME = 2, OPT_EPB_FLAGS = 2, OPT_SHB_USERAPPL = 4, OPT_ISB_IFRECV = 4, OPT_ISB_IFDROP = 5,
	NAME_MAX_BYTES = 64,
	OPTIONS_MAX = 256,
};

struct pw_pcapng {
	FILE *file;
	unsigned interfaces;
	char path[128]; /* for messages */
};

/* A block's body after its fixed fields: options, each padded to 32 bits. */
struct options {
	unsigned char data[OPTIONS_MAX];
	uint32_t len;
};

static void option(struct options *o, uint16_t code, const void *value, uint16_t len)
{
	uint32_t padded = (len + 3u) & ~3u;
	if (o->len + 4 + padded > sizeof o->data)
		return;
	memcpy(o->data + o->len, &code, 2);
	memcpy(o->data + o->len + 2, &len, 2);
	memset(o->data + o->len + 4, 0, padded);
	memcpy(o->data + o->len + 4, value, len);
	o->len += 4 + padded;
}

static int broken(const struct pw_pcapng *w, struct pw_err *err)
{
	return pw_err_sys(err, PW_IO, errno, "cannot write the capture %s", w->path);
}

/* type, total length, fixed fields, data padded to 32 bits, options, total length again. */
static int block(struct pw_pcapng *w, uint32_t type, const void *fixed, uint32_t fixed_len, const void *data, uint32_t data_len,
		 struct options *o, struct pw_err *err)
{
	static const unsigned char zeros[4];
	uint32_t padding = (4 - data_len % 4) % 4;
	if (o->len)
		option(o, OPT_END, zeros, 0);
	uint32_t total = 12 + fixed_len + data_len + padding + o->len, head[2] = { type, total };
	bool fine = fwrite(head, sizeof head, 1, w->file) == 1 && fwrite(fixed, fixed_len, 1, w->file) == 1 &&
		    (!data_len || fwrite(data, data_len, 1, w->file) == 1) && (!padding || fwrite(zeros, padding, 1, w->file) == 1) &&
		    (!o->len || fwrite(o->data, o->len, 1, w->file) == 1) && fwrite(&total, sizeof total, 1, w->file) == 1;
	return fine ? PW_OK : broken(w, err);
}

static int section(struct pw_pcapng *w, struct pw_err *err)
{
	static const char program[] = "packetwalk " PW_VERSION;
	const struct { uint32_t magic; uint16_t major, minor; int64_t length; } fixed = { BYTE_ORDER_MAGIC, 1, 0, -1 };
	struct options o = { .len = 0 };
	option(&o, OPT_SHB_USERAPPL, program, sizeof program - 1);
	return block(w, BLOCK_SECTION, &fixed, sizeof fixed, NULL, 0, &o, err);
}

int pw_pcapng_new(const char *path, struct pw_pcapng **ret, struct pw_err *err)
{
	struct pw_pcapng *w = calloc(1, sizeof *w);
	if (!w)
		return pw_err_set(err, PW_NOMEM, "no memory for the capture %.128s", path);
	(void)snprintf(w->path, sizeof w->path, "%s", path);
	/* Never over another file, nor through a link put in its place: this runs with rights that its caller may not have. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	w->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!w->file) {
		int rc = pw_err_sys(err, errno == ENOMEM ? PW_NOMEM : errno == EEXIST ? PW_USAGE : PW_IO, errno, "cannot create the capture %.128s", path);
		if (fd >= 0)
			(void)close(fd);
		free(w);
		return rc;
	}
	int rc = section(w, err);
	if (rc < 0) {
		(void)pw_pcapng_free(w, NULL);
		return rc;
	}
	*ret = w;
	return PW_OK;
}

int pw_pcapng_interface(struct pw_pcapng *w, const char *name, int link, uint32_t snaplen, unsigned *ret_number, struct pw_err *err)
{
	const struct { uint16_t link, reserved; uint32_t snaplen; } fixed = { (uint16_t)link, 0, snaplen };
	struct options o = { .len = 0 };
	option(&o, OPT_IF_NAME, name, (uint16_t)strnlen(name, NAME_MAX_BYTES));
	int rc = block(w, BLOCK_INTERFACE, &fixed, sizeof fixed, NULL, 0, &o, err);
	if (rc == PW_OK)
		*ret_number = w->interfaces++;
	return rc;
}

int pw_pcapng_packet(struct pw_pcapng *w, unsigned interface, int64_t t_us, const void *data, uint32_t captured, uint32_t length,
		     enum pw_pcapng_dir dir, struct pw_err *err)
{
	const uint32_t fixed[] = { interface, (uint32_t)((uint64_t)t_us >> 32), (uint32_t)((uint64_t)t_us & 0xffffffff), captured, length };
	const uint32_t flags = dir;
	struct options o = { .len = 0 };
	if (dir != PW_PCAPNG_UNKNOWN)
		option(&o, OPT_EPB_FLAGS, &flags, sizeof flags);
	return block(w, BLOCK_PACKET, fixed, sizeof fixed, data, captured, &o, err);
}

int pw_pcapng_statistics(struct pw_pcapng *w, unsigned interface, int64_t t_us, uint64_t received, uint64_t dropped, struct pw_err *err)
{
	const uint32_t fixed[] = { interface, (uint32_t)((uint64_t)t_us >> 32), (uint32_t)((uint64_t)t_us & 0xffffffff) };
	struct options o = { .len = 0 };
	option(&o, OPT_ISB_IFRECV, &received, sizeof received);
	option(&o, OPT_ISB_IFDROP, &dropped, sizeof dropped);
	return block(w, BLOCK_STATISTICS, fixed, sizeof fixed, NULL, 0, &o, err);
}

int pw_pcapng_free(struct pw_pcapng *w, struct pw_err *err)
{
	if (!w)
		return PW_OK;
	bool fine = !ferror(w->file);
	if (fclose(w->file) != 0)
		fine = false;
	int rc = fine ? PW_OK : broken(w, err);
	free(w);
	return rc;
}
