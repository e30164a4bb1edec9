/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PATH_PATH_H
#define ENGINE_PATH_PATH_H

#include <packetwalk/buf.h>
#include <packetwalk/facts.h>

/*
 * The hops of one flow, from objects alone: what the packet will meet. Ids, in order (a flow has those that apply):
 * resolver, pod-out, policy-out, kube-proxy, node-out, overlay, underlay, node-in, policy-in, pod-in, application.
 * Texts come from the cluster: pw_path_draw escapes them, other users have to.
 */
struct pw_hop { const char *id; const char *title; const char *where; const char *note; };
/* from or from_address; service, to or to_address (a service alone: one of its endpoints is taken as the example). */
struct pw_flow { const struct pw_pod *from; const char *from_address; const struct pw_service *service; const struct pw_pod *to; const char *to_address; const char *protocol; unsigned port; };
/* Array in arena; returns the count. */
size_t pw_path_hops(const struct pw_facts *facts, const struct pw_flow *flow, struct pw_arena *arena, const struct pw_hop **ret);
enum pw_path_format { PW_PATH_TEXT, PW_PATH_MERMAID, PW_PATH_DOT };
/* `broken`: hop id to mark, NULL none; one that is not among the hops is named below. utf8 false: ASCII only (PW_PATH_TEXT). */
void pw_path_draw(const struct pw_hop *hops, size_t n, const char *broken, enum pw_path_format format, bool utf8, struct pw_buf *out);

#endif
