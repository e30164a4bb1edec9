/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PROBE_TLS_H
#define ENGINE_PROBE_TLS_H

#include <stdbool.h>

#include <base/libcurl.h>
#include <packetwalk/ctx.h>

/* The TLS side of an HTTP probe. */

void pw_tls_set_up(CURL *curl, const char *ca_file, bool insecure);
/*
 * {error, verify_error, subject, issuer, not_before, not_after, names}. verify_error is one of self-signed,
 * unknown-issuer, expired, not-yet-valid, name-mismatch, else OpenSSL's number as "x509-N". When verification
 * failed libcurl keeps no certificate, so the handshake is made once more without it, and nothing is asked.
 */
void pw_tls_put(struct pw_ctx *ctx, CURL *curl, bool verify_failed, const char *message, struct pw_val *ret);

#endif
