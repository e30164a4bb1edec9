/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kubeconfig files as client-go reads them (tools/clientcmd): which files,
 * how they merge, what a context comes to. A file that defines a name first
 * wins with the whole entry; relative paths are relative to their file.
 */
#include <cluster/source/kubeconfig.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <cluster/model.h>
#include <doc/yaml.h>

#define MAX_CONFIG ((size_t)16 << 20) /* bytes of one kubeconfig: a few hundred clusters with inline certificates */
#define MAX_FILES 64                  /* in $KUBECONFIG */
#define MAX_NAMES 4096                /* contexts looked at for "did you mean" */

static const char account_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount"; /* client-go rest/config.go */

/* One parsed file and the folder its relative paths start from. */
struct config_file { const char *path, *dir; const struct pw_val *root; };
struct config_files { struct config_file v[MAX_FILES]; size_t n; };

/* ---- base64 ---- */

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *pw_base64_decode(struct pw_arena *arena, const char *text, size_t *ret_len)
{
	char *out = pw_arena_alloc(arena, strlen(text) / 4 * 3 + 4);
	unsigned bits = 0, n_bits = 0, digits = 0, padding = 0;
	size_t len = 0;

	if (!out)
		return NULL;
	for (; *text; text++) {
		int digit = base64_digit(*text);

		if (strchr(" \t\r\n", *text))
			continue;
		if (*text == '=') {
			padding++;
			continue;
		}
		if (digit < 0 || padding)
			return NULL;
		digits++;
		bits = (bits << 6 | (unsigned)digit) & 0xffffff;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[len++] = (char)(bits >> n_bits & 0xff);
		}
	}
	if ((digits + padding) % 4 != 0 || padding > 2)
		return NULL;
	*ret_len = len;
	return out;
}

/* ---- which files ---- */

static const char *home_config(struct pw_arena *arena)
{
	const char *home = getenv("HOME");

	return home && home[0] ? pw_arena_printf(arena, "%s/.kube/config", home) : NULL;
}

static const char *folder_of(struct pw_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return pw_arena_strndup(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

/* Missing is fine unless `required`; what is there must parse. */
static int load_file(struct config_files *files, const char *path, bool required, struct pw_arena *arena, struct pw_err *err)
{
	struct pw_err local = PW_ERR_INIT;
	struct pw_diags *diags = pw_diags_new(arena);
	struct config_file *file = &files->v[files->n];
	const struct pw_val *documents;
	char *text;
	size_t len;
	int rc;

	if (files->n == MAX_FILES || !diags)
		return pw_err_set(err, PW_NOMEM, "too many kubeconfig files");
	if (!required && access(path, F_OK) < 0)
		return PW_OK;
	rc = pw_file_read(path, MAX_CONFIG, &text, &len, &local);
	if (rc != PW_OK)
		return pw_err_set(err, rc, "cannot read the kubeconfig %s: %s", path, local.text);
	rc = pw_yaml_parse_all(text, len, path, &pw_yaml_bundle_limits, arena, diags, &documents, &local);
	free(text);
	file->root = rc == PW_OK ? pw_val_at(documents, 0) : NULL; /* an empty file is an empty configuration */
	/* The parser's text may quote the line, and the line may hold a token. */
	if (rc != PW_OK)
		return pw_err_at(err, rc, path, local.line, local.col, "the kubeconfig is not valid YAML");
	if (!pw_val_absent(file->root) && !pw_val_is(file->root, PW_VAL_MAP))
		return pw_err_at(err, PW_SYNTAX, path, 1, 1, "the kubeconfig is not a map");
	file->path = pw_arena_strdup(arena, path);
	file->dir = folder_of(arena, path);
	if (!file->path || !file->dir)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading the kubeconfig %s", path);
	files->n++;
	return PW_OK;
}

static bool loaded(const struct config_files *files, const char *path)
{
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->v[i].path, path) == 0)
			return true;
	return false;
}

static int load_list(struct config_files *files, const char *list, struct pw_arena *arena, struct pw_err *err)
{
	for (const char *at = list; *at;) {
		size_t len = strcspn(at, ":");
		const char *path = pw_arena_strndup(arena, at, len);
		int rc;

		if (!path)
			return pw_err_set(err, PW_NOMEM, "out of memory while reading KUBECONFIG");
		if (len && !loaded(files, path) && (rc = load_file(files, path, false, arena, err)) != PW_OK)
			return rc;
		at += len;
		if (*at == ':')
			at++;
	}
	return PW_OK;
}

static int load_files(const struct pw_cluster_config *config, struct pw_arena *arena, struct config_files *ret, struct pw_err *err)
{
	const char *list = getenv("KUBECONFIG"), *home;
	int rc;

	ret->n = 0;
	if (config->kubeconfig)
		return load_file(ret, config->kubeconfig, true, arena, err);
	if (list && list[0]) {
		rc = load_list(ret, list, arena, err);
		if (rc == PW_OK && ret->n == 0)
			return pw_err_set(err, PW_ABSENT, "no kubeconfig: KUBECONFIG is \"%s\", and there is no such file", list);
		return rc;
	}
	home = home_config(arena);
	if (!home)
		return pw_err_set(err, PW_ABSENT, "no kubeconfig: neither --kubeconfig nor KUBECONFIG nor HOME is set");
	rc = load_file(ret, home, false, arena, err);
	if (rc == PW_OK && ret->n == 0)
		return pw_err_set(err, PW_ABSENT, "no kubeconfig: there is no %s, and neither --kubeconfig nor KUBECONFIG is set", home);
	return rc;
}

bool pw_kubeconfig_exists(const struct pw_cluster_config *config)
{
	struct pw_arena *arena;
	const char *list = getenv("KUBECONFIG"), *home;
	bool exists;

	if (config->kubeconfig || config->context || (list && list[0]))
		return true;
	arena = pw_arena_new(4096 + 64); /* one path */
	home = arena ? home_config(arena) : NULL;
	exists = home && access(home, F_OK) == 0;
	pw_arena_free(arena);
	return exists;
}

/* ---- entries by name ---- */

static const struct pw_val *entry(const struct config_files *files, const char *list, const char *key, const char *name,
				  const struct config_file **ret_file)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct pw_val *entries = pw_map_get(files->v[i].root, list);

		for (size_t j = 0; pw_val_is(entries, PW_VAL_SEQ) && j < pw_val_count(entries); j++) {
			const struct pw_val *item = pw_val_at(entries, j);

			if (strcmp(pw_map_str(item, "name", ""), name) != 0)
				continue;
			*ret_file = &files->v[i];
			return pw_map_get(item, key);
		}
	}
	*ret_file = NULL;
	return NULL;
}

static size_t entry_names(const struct config_files *files, const char *list, struct pw_arena *arena, const char *const **ret)
{
	const char **names = pw_arena_array(arena, MAX_NAMES, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; names && i < files->n; i++) {
		const struct pw_val *entries = pw_map_get(files->v[i].root, list);

		for (size_t j = 0; pw_val_is(entries, PW_VAL_SEQ) && j < pw_val_count(entries) && n < MAX_NAMES; j++)
			names[n++] = pw_map_str(pw_val_at(entries, j), "name", "");
	}
	*ret = names;
	return n;
}

static const char *current_context(const struct config_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		const char *name = pw_map_str(files->v[i].root, "current-context", "");

		if (name[0])
			return name;
	}
	return "";
}

static int no_entry(const struct config_files *files, const char *what, const char *list, const char *name, struct pw_arena *arena,
		    struct pw_err *err)
{
	const char *const *names;
	size_t n = entry_names(files, list, arena, &names);
	const char *near = n ? pw_nearest(name, names, n) : NULL;

	if (near)
		return pw_err_set(err, PW_ABSENT, "the kubeconfig %s has no %s \"%s\"; did you mean \"%s\"?", files->v[0].path, what, name, near);
	if (n)
		return pw_err_set(err, PW_ABSENT, "the kubeconfig %s has no %s \"%s\" (it has \"%s\"%s)", files->v[0].path, what, name,
				  names[0], n > 1 ? " and others" : "");
	return pw_err_set(err, PW_ABSENT, "the kubeconfig %s has no %s \"%s\": it defines none", files->v[0].path, what, name);
}

/* ---- fields ---- */

/* Text that belongs to the arena already (the parsed document's); "" when absent. */
static const char *text_of(const struct pw_val *map, const char *key)
{
	const struct pw_val *val = pw_map_get(map, key);
	const char *text = pw_val_absent(val) ? NULL : pw_val_text(val);

	return text ? text : "";
}

static const char *resolve(struct pw_arena *arena, const struct config_file *file, const char *path)
{
	const char *full;

	if (!path[0] || path[0] == '/')
		return path;
	full = pw_arena_printf(arena, "%s/%s", file->dir, path);
	return full ? full : "";
}

/* KEY-data wins over KEY. */
static int pem_of(struct pw_arena *arena, const struct config_file *file, const struct pw_val *map, const char *key,
		  struct pw_pem *ret, struct pw_err *err)
{
	const char *data_key = pw_arena_printf(arena, "%s-data", key);
	const char *data = data_key ? text_of(map, data_key) : "";

	*ret = (struct pw_pem){ "", 0, "" };
	if (!data[0]) {
		ret->file = resolve(arena, file, text_of(map, key));
		return PW_OK;
	}
	ret->data = pw_base64_decode(arena, data, &ret->len);
	if (!ret->data)
		return pw_err_set(err, PW_SYNTAX, "%s in the kubeconfig %s is not base64", data_key, file->path);
	return PW_OK;
}

static const struct pw_val *exec_extension(const struct pw_val *cluster)
{
	return pw_map_get(pw_seq_find(pw_map_get(cluster, "extensions"), "name", "client.authentication.k8s.io/exec"), "extension");
}

static int read_cluster(struct pw_arena *arena, const struct config_file *file, const struct pw_val *cluster,
			struct pw_kubeconfig *ret, struct pw_err *err)
{
	const char *server = text_of(cluster, "server");
	size_t len = strlen(server);

	if (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://", 7) != 0)
		return pw_err_set(err, PW_SYNTAX, "the kubeconfig %s gives context \"%s\" the server \"%s\", which is no URL", file->path,
				  ret->context, server);
	while (len && server[len - 1] == '/')
		len--;
	ret->server = pw_arena_strndup(arena, server, len);
	ret->tls_server_name = text_of(cluster, "tls-server-name");
	ret->proxy_url = text_of(cluster, "proxy-url");
	ret->insecure = pw_map_bool(cluster, "insecure-skip-tls-verify", false);
	ret->disable_compression = pw_map_bool(cluster, "disable-compression", false);
	ret->exec.cluster_config = exec_extension(cluster);
	if (!ret->server)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading the kubeconfig");
	return pem_of(arena, file, cluster, "certificate-authority", &ret->ca, err);
}

static struct pw_strings strings_of(struct pw_arena *arena, const struct pw_val *seq)
{
	size_t n = pw_val_is(seq, PW_VAL_SEQ) ? pw_val_count(seq) : 0;
	const char **v = n ? pw_arena_array(arena, n, sizeof(*v)) : NULL;

	for (size_t i = 0; v && i < n; i++)
		v[i] = pw_val_text(pw_val_at(seq, i)) ? pw_val_text(pw_val_at(seq, i)) : "";
	return (struct pw_strings){ v, v ? n : 0 };
}

static int read_exec(struct pw_arena *arena, const struct config_file *file, const struct pw_val *exec, struct pw_kube_exec *ret,
		     struct pw_err *err)
{
	const struct pw_val *env = pw_map_get(exec, "env");
	size_t n = pw_val_is(env, PW_VAL_SEQ) ? pw_val_count(env) : 0;
	struct pw_label *v = n ? pw_arena_array(arena, n, sizeof(*v)) : NULL;

	if (!pw_val_is(exec, PW_VAL_MAP))
		return PW_OK;
	ret->present = true;
	ret->api_version = text_of(exec, "apiVersion");
	ret->command = text_of(exec, "command");
	if (strchr(ret->command, '/'))
		ret->command = resolve(arena, file, ret->command);
	ret->install_hint = text_of(exec, "installHint");
	ret->interactive_mode = text_of(exec, "interactiveMode");
	ret->provide_cluster_info = pw_map_bool(exec, "provideClusterInfo", false);
	ret->args = strings_of(arena, pw_map_get(exec, "args"));
	for (size_t i = 0; v && i < n; i++) {
		v[i].key = text_of(pw_val_at(env, i), "name");
		v[i].value = text_of(pw_val_at(env, i), "value");
	}
	ret->env = (struct pw_labels){ v, v ? n : 0 };
	if (!ret->command[0])
		return pw_err_set(err, PW_SYNTAX, "the kubeconfig %s names a credential plugin without a command", file->path);
	if (strcmp(ret->api_version, "client.authentication.k8s.io/v1") != 0 &&
	    strcmp(ret->api_version, "client.authentication.k8s.io/v1beta1") != 0)
		return pw_err_set(err, PW_UNSUPPORTED, "the kubeconfig %s wants a credential plugin of version \"%s\"; "
				  "client.authentication.k8s.io/v1 and v1beta1 are supported", file->path, ret->api_version);
	return PW_OK;
}

static int read_user(struct pw_arena *arena, const struct config_file *file, const struct pw_val *user, struct pw_kubeconfig *ret,
		     struct pw_err *err)
{
	int rc;

	ret->token = text_of(user, "token");
	ret->token_file = resolve(arena, file, text_of(user, "tokenFile"));
	ret->username = text_of(user, "username");
	ret->password = text_of(user, "password");
	ret->as = text_of(user, "as");
	ret->as_uid = text_of(user, "as-uid");
	ret->as_groups = strings_of(arena, pw_map_get(user, "as-groups"));
	ret->as_extra = pw_map_get(user, "as-user-extra");
	if (pw_val_is(pw_map_get(user, "auth-provider"), PW_VAL_MAP) && !ret->token[0])
		return pw_err_set(err, PW_UNSUPPORTED, "the kubeconfig %s uses the legacy auth-provider \"%s\"; use an exec credential plugin",
				  file->path, pw_map_str(pw_map_get(user, "auth-provider"), "name", ""));
	if ((rc = pem_of(arena, file, user, "client-certificate", &ret->cert, err)) != PW_OK ||
	    (rc = pem_of(arena, file, user, "client-key", &ret->key, err)) != PW_OK)
		return rc;
	return read_exec(arena, file, pw_map_get(user, "exec"), &ret->exec, err);
}

static void set_empty(struct pw_kubeconfig *ret)
{
	static const struct pw_kubeconfig empty = {
		.context = "", .ns = "", .server = "", .tls_server_name = "", .proxy_url = "",
		.ca = { "", 0, "" }, .cert = { "", 0, "" }, .key = { "", 0, "" },
		.token = "", .token_file = "", .username = "", .password = "", .as = "", .as_uid = "",
		.exec = { .api_version = "", .command = "", .install_hint = "", .interactive_mode = "" },
	};

	*ret = empty;
}

/* The name was copied by the caller into memory that outlives the config. */
static void impersonate(const struct pw_cluster_config *config, struct pw_arena *arena, struct pw_kubeconfig *ret)
{
	const char *as = config->as ? pw_arena_strdup(arena, config->as) : NULL;

	if (as)
		ret->as = as;
}

static int read_context(const struct config_files *files, const char *name, struct pw_arena *arena, struct pw_kubeconfig *ret,
			struct pw_err *err)
{
	const struct config_file *file;
	const struct pw_val *context = entry(files, "contexts", "context", name, &file), *part;
	const char *cluster, *user;
	int rc;

	if (!file)
		return no_entry(files, "context", "contexts", name, arena, err);
	ret->context = name;
	ret->ns = text_of(context, "namespace");
	cluster = text_of(context, "cluster");
	user = text_of(context, "user");
	part = entry(files, "clusters", "cluster", cluster, &file);
	if (!file)
		return no_entry(files, "cluster", "clusters", cluster, arena, err);
	if ((rc = read_cluster(arena, file, part, ret, err)) != PW_OK)
		return rc;
	if (!user[0])
		return PW_OK; /* anonymous */
	part = entry(files, "users", "user", user, &file);
	if (!file)
		return no_entry(files, "user", "users", user, arena, err);
	return read_user(arena, file, part, ret, err);
}

int pw_kubeconfig_load(const struct pw_cluster_config *config, struct pw_arena *arena, struct pw_kubeconfig *ret, struct pw_err *err)
{
	struct config_files files;
	struct pw_kubeconfig loaded_config;
	const char *name;
	int rc = load_files(config, arena, &files, err);

	if (rc != PW_OK)
		return rc;
	set_empty(&loaded_config);
	name = config->context && config->context[0] ? pw_arena_strdup(arena, config->context) : current_context(&files);
	if (!name)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading the kubeconfig");
	if (!name[0])
		return pw_err_set(err, PW_ABSENT, "the kubeconfig %s has no current-context; choose one with --context", files.v[0].path);
	rc = read_context(&files, name, arena, &loaded_config, err);
	impersonate(config, arena, &loaded_config);
	/* Half a configuration would be another identity. */
	if (pw_arena_failed(arena)) {
		pw_err_clear(err);
		return pw_err_set(err, PW_NOMEM, "out of memory while reading the kubeconfig");
	}
	if (rc != PW_OK)
		return rc;
	*ret = loaded_config;
	return PW_OK;
}

/* ---- in a pod ---- */

static const char *account_namespace(struct pw_arena *arena)
{
	struct pw_err ignored = PW_ERR_INIT;
	const char *path = pw_arena_printf(arena, "%s/namespace", account_dir);
	char *text, *copy;
	size_t len;

	if (!path || pw_file_read(path, 256, &text, &len, &ignored) != PW_OK)
		return "";
	copy = pw_arena_strndup(arena, text, strcspn(text, " \r\n"));
	free(text);
	return copy ? copy : "";
}

int pw_kubeconfig_in_cluster(const struct pw_cluster_config *config, struct pw_arena *arena, struct pw_kubeconfig *ret, struct pw_err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	struct pw_kubeconfig account;

	if (!host || !host[0] || !port || !port[0])
		return pw_err_set(err, PW_ABSENT, "this is not a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
	set_empty(&account);
	account.context = "in-cluster";
	account.server = pw_arena_printf(arena, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
	account.token_file = pw_arena_printf(arena, "%s/token", account_dir);
	account.ca.file = pw_arena_printf(arena, "%s/ca.crt", account_dir);
	account.ns = account_namespace(arena);
	if (!account.server || !account.token_file || !account.ca.file)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading the service account");
	if (access(account.token_file, R_OK) < 0)
		return pw_err_sys(err, PW_AUTH, errno, "this pod has no service account token (automountServiceAccountToken: false?): %s",
				  account.token_file);
	if (access(account.ca.file, R_OK) < 0)
		account.ca.file = ""; /* client-go goes on with the system's roots */
	impersonate(config, arena, &account);
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "out of memory while reading the service account");
	*ret = account;
	return PW_OK;
}
