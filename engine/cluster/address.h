/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_ADDRESS_H
#define ENGINE_CLUSTER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* IP addresses and prefixes as the Kubernetes API writes them. */

struct pw_address { uint8_t family; uint8_t bytes[16]; }; /* family 4 or 6; the bytes beyond 4 are zero for IPv4 */
struct pw_cidr { struct pw_address base; unsigned bits; };

bool pw_address_parse(const char *text, struct pw_address *ret);
int pw_address_compare(const struct pw_address *a, const struct pw_address *b);
/* "ADDRESS/LENGTH", host bits may be set (the API server accepts them in an ipBlock). */
bool pw_cidr_parse(const char *text, struct pw_cidr *ret);
bool pw_cidr_holds(const struct pw_cidr *cidr, const struct pw_address *address);
/* Every address of `inner` is in `outer`, and `outer` is strictly larger. */
bool pw_cidr_strictly_holds(const struct pw_cidr *outer, const struct pw_cidr *inner);

/* The first and last address of a block, and the one after an address (false after the very last). */
void pw_cidr_ends(const struct pw_cidr *cidr, struct pw_address *ret_first, struct pw_address *ret_last);
bool pw_address_next(const struct pw_address *address, struct pw_address *ret);
bool pw_address_previous(const struct pw_address *address, struct pw_address *ret);
void pw_address_print(const struct pw_address *address, char out[46]); /* INET6_ADDRSTRLEN */

#endif
