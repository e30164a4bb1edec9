/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_CLUSTER_SOURCE_KUBE_H
#define ENGINE_CLUSTER_SOURCE_KUBE_H

#include <cluster/cluster.h>

/* "kube:", or "in-cluster:" in a pod without a kubeconfig. */
const char *pw_kube_default_source(const struct pw_cluster_config *config);

#endif
