/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a TLS server showed: its certificate, and in one word why it was not believed. */
#include "tls.h"

#include <string.h>

#include "sock.h"

enum { NAMES_MAX = 64, TEXT_MAX = 512 };

void pw_tls_set_up(CURL *curl, const char *ca_file, bool insecure)
{
	curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, insecure ? 0L : 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, insecure ? 0L : 2L);
	if (ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
}

/* X509_V_ERR_* of openssl/x509_vfy.h */
static void put_verify_error(long number, bool name_failed, struct pw_val *ret)
{
	static const struct { long number; const char *word; } words[] = {
		{ 2, "unknown-issuer" }, { 9, "not-yet-valid" }, { 10, "expired" }, { 18, "self-signed" }, { 19, "self-signed" },
		{ 20, "unknown-issuer" }, { 21, "unknown-issuer" }, { 62, "name-mismatch" }, { 64, "name-mismatch" },
	};
	if (name_failed) {
		pw_map_set_str(ret, "verify_error", "name-mismatch");
		return;
	}
	if (!number)
		return;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].number == number) {
			pw_map_set_str(ret, "verify_error", words[i].word);
			return;
		}
	pw_map_set_strf(ret, "verify_error", "x509-%ld", number);
}

/* "DNS:a.example, IP Address:10.0.0.1" */
static void put_names(struct pw_arena *arena, const char *list, struct pw_val *names)
{
	while (*list && pw_val_count(names) < NAMES_MAX) {
		size_t len = strcspn(list, ",");
		const char *colon = memchr(list, ':', len);
		const char *name = colon ? colon + 1 : list;
		pw_seq_add_str(names, pw_text_of_bytes(arena, name, len - (size_t)(name - list), TEXT_MAX));
		list += len;
		list += strspn(list, ", ");
	}
}

static void put_certificate(struct pw_arena *arena, CURL *curl, struct pw_val *ret)
{
	static const struct { const char *prefix, *key; } fields[] = {
		{ "Subject:", "subject" }, { "Issuer:", "issuer" }, { "Start date:", "not_before" }, { "Expire date:", "not_after" } };
	static const char names[] = "X509v3 Subject Alternative Name:";
	struct curl_certinfo *info = NULL;
	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info || info->num_of_certs < 1)
		return;
	for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next) { /* the server's own is the first */
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
			size_t len = strlen(fields[i].prefix);
			if (!strncmp(line->data, fields[i].prefix, len))
				pw_map_set_str(ret, fields[i].key, pw_text_of_bytes(arena, line->data + len, strlen(line->data + len), TEXT_MAX));
		}
		if (!strncmp(line->data, names, sizeof names - 1))
			put_names(arena, line->data + sizeof names - 1, pw_map_set_seq(ret, "names"));
	}
}

void pw_tls_put(struct pw_ctx *ctx, CURL *curl, bool verify_failed, const char *message, struct pw_val *ret)
{
	long verify = 0;
	if (curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &verify) == CURLE_OK)
		/* libcurl compares the names itself, before it asks OpenSSL for its result: still 1, "unspecified", or 0 */
		put_verify_error(verify, verify_failed && verify <= 1 && message && strstr(message, "subject name"), ret);
	if (message && *message)
		pw_map_set_str(ret, "error", pw_text_of_bytes(pw_ctx_arena(ctx), message, strlen(message), TEXT_MAX));
	if (verify_failed && pw_ctx_remaining_ms(ctx) > 1) {
		pw_tls_set_up(curl, NULL, true);
		curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
		curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)pw_ctx_remaining_ms(ctx) / 2 + 1); /* it was just there */
		(void)curl_easy_perform(curl);
	}
	put_certificate(pw_ctx_arena(ctx), curl, ret);
}
