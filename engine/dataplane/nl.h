/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DATAPLANE_NL_H
#define ENGINE_DATAPLANE_NL_H

#include <libmnl/libmnl.h>

#include <packetwalk/ctx.h>

/* One request to the kernel by netlink and its answers, in the calling process's namespace. */

/* An answer message. Returns PW_OK, or an error that ends the exchange. */
typedef int (*pw_nl_fn)(const struct nlmsghdr *message, void *arg, struct pw_err *err);

/* A request buffer; `type` and `flags` as in the nlmsghdr. */
struct pw_nl_request { char space[512]; struct nlmsghdr *header; };
void *pw_nl_begin(struct pw_nl_request *request, uint16_t type, uint16_t flags, size_t header_size); /* family header, zeroed */

/* Sends and hands every answer to `fn`. A dump that the kernel says was interrupted is asked again (then `restart` is called
 * first, may be NULL). *ret_errno gets the kernel's errno of an error answer, and PW_OK is returned for it unless NULL. */
int pw_nl_talk(int bus, struct pw_nl_request *request, pw_nl_fn fn, void *arg, void (*restart)(void *arg), int *ret_errno,
	       struct pw_err *err);

/* Attributes of a message into a table indexed by type; those above `max` are skipped. */
void pw_nl_attrs(const struct nlmsghdr *message, size_t header_size, const struct nlattr **table, unsigned max);
void pw_nl_nested(const struct nlattr *nest, const struct nlattr **table, unsigned max);

/* Text of an address attribute (4 or 16 bytes); "" for another size. */
const char *pw_nl_address(const struct nlattr *attr, char out[64]);
const char *pw_nl_mac(const struct nlattr *attr, char out[32]);
uint32_t pw_nl_u32(const struct nlattr *attr, uint32_t otherwise); /* also u16 and u8 by size */

/* "eth0" of an interface index; a decimal number if it is gone. */
const char *pw_nl_ifname(unsigned index, char out[32]);

/* pw_read_listeners without sock_diag. */
int pw_read_listeners_proc(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);
/* The same of files that pw_ctx_open gives, under PW_PROC_NET and the names below. */
int pw_read_listeners_borrowed(struct pw_ctx *ctx, struct pw_val *ret, struct pw_err *err);
#define PW_PROC_NET "/proc/thread-self/net/"

/* An entry of ctnetlink into `entry` (NULL: only ask), if it is to or from `address` (NULL: any), before or after NAT. */
bool pw_conntrack_entry(const struct nlmsghdr *message, const char *address, struct pw_val *entry);

/* Items read at most: a listing beyond this is cut, and says how many there were under "cut". */
#define PW_NL_MAX_ITEMS 50000
void pw_nl_say_cut(struct pw_val *ret, size_t seen);

#endif
