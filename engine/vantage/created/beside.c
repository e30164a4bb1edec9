/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a pod beside another one would not see what that one sees, or would do harm, there is none. */
#include "made.h"

#include <string.h>

#include <packetwalk/lookup.h>

/* A Service that lists pods which are not ready would send them clients. */
static const struct pw_service *publishing(const struct pw_facts *facts, const struct pw_pod *pod)
{
	size_t n = 0;
	const struct pw_service *const *services = pw_facts_services(facts, &n);
	for (size_t i = 0; i < n; i++)
		if (services[i]->publish_not_ready && services[i]->selector.n && !strcmp(services[i]->meta.ns, pod->meta.ns) &&
		    pw_labels_match(&services[i]->selector, &pod->meta.labels))
			return services[i];
	return NULL;
}

static bool is_loopback(const char *host, size_t len)
{
	static const char *const names[] = { "localhost", "::1", "[::1" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (len == strlen(names[i]) && !strncmp(host, names[i], len))
			return true;
	return len > 4 && !strncmp(host, "127.", 4);
}

/* An address, or what of a URL is one, that means the pod itself: from beside it is another pod's. */
static bool is_itself(const char *text, const struct pw_pod *pod)
{
	const char *scheme = strstr(text, "://"), *host = scheme ? scheme + 3 : text;
	size_t len = strcspn(host, scheme && *host == '[' ? "]/" : scheme ? ":/" : "");
	if (is_loopback(host, len))
		return true;
	for (size_t i = 0; i < pod->ips.n; i++)
		if (len == strlen(pod->ips.v[i]) && !strncmp(host, pod->ips.v[i], len))
			return true;
	return false;
}

static bool names_itself(const struct pw_val *val, const struct pw_pod *pod)
{
	const char *text = pw_val_text(val);
	if (text)
		return is_itself(text, pod);
	for (size_t i = 0; i < pw_val_count(val); i++)
		if (names_itself(pw_val_at(val, i), pod))
			return true;
	return false;
}

bool pw_made_stands_in(const struct pw_check *check, const struct pw_val *params, const struct pw_pod *pod)
{
	return check->effect == PW_EFFECT_SENDS && !check->needs && !names_itself(params, pod);
}

bool pw_made_by_files(const struct pw_check *check, const struct pw_val *params)
{
	for (const struct pw_param *p = check->params; p && p->name; p++)
		if (!strcmp(p->name, "server"))
			return !*pw_map_str(params, p->name, "");
	return false;
}

int pw_made_beside_check(const struct pw_facts *facts, const struct pw_pod *pod, struct pw_err *err)
{
	const char *proxy = pw_pod_mesh_proxy(pod);
	const char *ns = pod->meta.ns, *name = pod->meta.name;
	if (!*pod->meta.uid || !*pod->node || pod->template)
		return pw_err_set(err, PW_UNSUPPORTED, "pod %.100s/%.100s runs on no node, so none can be made beside it", ns, name);
	if (pod->meta.terminating)
		return pw_err_set(err, PW_UNSUPPORTED, "pod %.100s/%.100s is being deleted, and one beside it would go with it", ns, name);
	if (pod->host_network)
		return pw_err_set(err, PW_UNSUPPORTED, "pod %.100s/%.100s is in its node's network: only a pod of the node sees what it sees", ns, name);
	if (*proxy)
		return pw_err_set(err, PW_UNSUPPORTED, "what pod %.100s/%.100s sends goes through its own proxy (%.60s), which a pod beside it does not have", ns, name, proxy);
	if (pw_facts_known(facts, PW_FACT_SERVICES) != PW_KNOWN_YES)
		return pw_err_set(err, PW_UNSUPPORTED, "no pod is made beside %.100s/%.100s: the Services, which might list it, could not be read", ns, name);
	for (size_t i = 0; i < pod->dns_nameservers.n; i++)
		if (is_loopback(pod->dns_nameservers.v[i], strlen(pod->dns_nameservers.v[i])))
			return pw_err_set(err, PW_UNSUPPORTED, "pod %.100s/%.100s asks a name server of its own, which a pod beside it does not have", ns, name);
	const struct pw_service *service = publishing(facts, pod);
	if (service)
		return pw_err_set(err, PW_UNSUPPORTED, "no pod is made beside %.100s/%.100s: Service %.100s lists pods that are not ready, and would list it", ns, name,
				  service->meta.name);
	return PW_OK;
}
