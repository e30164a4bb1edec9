/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DATAPLANE_SHA256_H
#define ENGINE_DATAPLANE_SHA256_H

#include <stddef.h>

/* FIPS 180-4. Names chains as kube-proxy does; protects nothing. */
enum { PW_SHA256_SIZE = 32 };
void pw_sha256(const void *data, size_t len, unsigned char out[PW_SHA256_SIZE]);

#endif
