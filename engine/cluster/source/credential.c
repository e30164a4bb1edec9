/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Credentials: tokens, token files, and credential plugins as
 * client.authentication.k8s.io/v1 describes them (client-go plugin/pkg/client/auth/exec).
 */
#include <cluster/source/credential.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <packetwalk/cleanup.h>

#include <base/text.h>
#include <doc/json.h>
#include <doc/yaml.h>
#include <proc/child.h>

#define MAX_TOKEN 65536              /* bytes of a token file */
#define MAX_OUTPUT ((size_t)1 << 20) /* of a plugin */
#define MAX_CA ((size_t)1 << 20)
#define MAX_ENV 4096                 /* variables of a plugin's environment */
#define MAX_SAID 160                 /* bytes of a plugin's complaint that an error repeats */

extern char **environ;

/* A header value: no line break or other control byte may get into a request. */
static bool is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static int check_token(const char *token, const char *origin, struct pw_err *err)
{
	if (!is_clean(token))
		return pw_err_set(err, PW_AUTH, "the token from %s holds a line break or another control character", origin);
	return PW_OK;
}

static int read_token(const char *path, struct pw_arena *arena, const char **ret, struct pw_err *err)
{
	struct pw_err local = PW_ERR_INIT;
	char *text;
	size_t len;
	int rc = pw_file_read(path, MAX_TOKEN, &text, &len, &local);

	if (rc != PW_OK)
		return pw_err_set(err, PW_AUTH, "cannot read the token file %s: %s", path, local.text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	*ret = pw_arena_strndup(arena, text, len);
	free(text);
	if (!*ret)
		return pw_err_set(err, PW_NOMEM, "out of memory while reading a token");
	if (!(*ret)[0])
		return pw_err_set(err, PW_AUTH, "the token file %s is empty", path);
	return check_token(*ret, path, err);
}

/* ---- plugin: what it is told ---- */

static const char *base64_encode(struct pw_arena *arena, const char *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = pw_arena_alloc(arena, (len + 2) / 3 * 4 + 1), *at = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		unsigned n = (unsigned)(unsigned char)data[i] << 16;

		if (i + 1 < len)
			n |= (unsigned)(unsigned char)data[i + 1] << 8;
		if (i + 2 < len)
			n |= (unsigned char)data[i + 2];
		*at++ = digits[n >> 18 & 63];
		*at++ = digits[n >> 12 & 63];
		*at++ = i + 1 < len ? digits[n >> 6 & 63] : '=';
		*at++ = i + 2 < len ? digits[n & 63] : '=';
	}
	return out;
}

static void set_ca(const struct pw_pem *ca, struct pw_arena *arena, struct pw_val *cluster)
{
	struct pw_err ignored = PW_ERR_INIT;
	char *text;
	size_t len;

	if (ca->data[0]) {
		pw_map_set_str(cluster, "certificate-authority-data", base64_encode(arena, ca->data, ca->len));
	} else if (ca->file[0] && pw_file_read(ca->file, MAX_CA, &text, &len, &ignored) == PW_OK) {
		pw_map_set_str(cluster, "certificate-authority-data", base64_encode(arena, text, len));
		free(text);
	}
}

/* KUBERNETES_EXEC_INFO */
static const char *exec_info(const struct pw_kubeconfig *config, struct pw_arena *arena)
{
	struct pw_val *info = pw_val_map(arena), *spec, *cluster;
	PW_CLEAN_BUF struct pw_buf text;

	pw_buf_init(&text, 4 * MAX_CA);
	pw_map_set_str(info, "apiVersion", config->exec.api_version);
	pw_map_set_str(info, "kind", "ExecCredential");
	spec = pw_map_set_map(info, "spec");
	pw_map_set_bool(spec, "interactive", false);
	if (config->exec.provide_cluster_info) {
		cluster = pw_map_set_map(spec, "cluster");
		pw_map_set_str(cluster, "server", config->server);
		if (config->tls_server_name[0])
			pw_map_set_str(cluster, "tls-server-name", config->tls_server_name);
		if (config->insecure)
			pw_map_set_bool(cluster, "insecure-skip-tls-verify", true);
		if (config->proxy_url[0])
			pw_map_set_str(cluster, "proxy-url", config->proxy_url);
		set_ca(&config->ca, arena, cluster);
		if (config->exec.cluster_config)
			pw_map_set(cluster, "config", pw_val_copy(arena, config->exec.cluster_config));
	}
	pw_json_write(&text, info, 0);
	return pw_buf_ok(&text) ? pw_arena_strdup(arena, pw_buf_str(&text)) : NULL;
}

static bool overridden(const struct pw_kube_exec *exec, const char *variable)
{
	for (size_t i = 0; i < exec->env.n; i++) {
		size_t len = strlen(exec->env.v[i].key);

		if (strncmp(variable, exec->env.v[i].key, len) == 0 && variable[len] == '=')
			return true;
	}
	return strncmp(variable, "KUBERNETES_EXEC_INFO=", 21) == 0;
}

static const char *const *environment(const struct pw_kubeconfig *config, struct pw_arena *arena)
{
	const struct pw_kube_exec *exec = &config->exec;
	const char **envp = pw_arena_array(arena, MAX_ENV + 1, sizeof(*envp)), *info = exec_info(config, arena);
	size_t n = 0;

	if (!envp || !info)
		return NULL;
	for (char **at = environ; *at && n < MAX_ENV / 2; at++)
		if (!overridden(exec, *at))
			envp[n++] = *at;
	for (size_t i = 0; i < exec->env.n && n < MAX_ENV - 1; i++)
		envp[n++] = pw_arena_printf(arena, "%s=%s", exec->env.v[i].key, exec->env.v[i].value);
	envp[n++] = pw_arena_printf(arena, "KUBERNETES_EXEC_INFO=%s", info);
	return pw_arena_failed(arena) ? NULL : envp;
}

static const char *const *arguments(const struct pw_kube_exec *exec, struct pw_arena *arena)
{
	const char **argv = pw_arena_array(arena, exec->args.n + 2, sizeof(*argv));

	if (!argv)
		return NULL;
	argv[0] = exec->command;
	for (size_t i = 0; i < exec->args.n; i++)
		argv[i + 1] = exec->args.v[i];
	return argv;
}

/* ---- plugin: what it says ---- */

/* The last line of its complaint, made short. */
static const char *last_line(const struct pw_buf *log, struct pw_arena *arena)
{
	const char *text = pw_buf_str(log), *start;
	size_t len = log->len;

	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	for (start = text + len; start > text && start[-1] != '\n'; start--)
		;
	len -= (size_t)(start - text);
	text = pw_arena_strndup(arena, start, len > MAX_SAID ? MAX_SAID : len);
	return text ? text : "";
}

static int failed(const struct pw_kube_exec *exec, int status, const struct pw_buf *log, struct pw_arena *arena, struct pw_err *err)
{
	PW_CLEAN_BUF struct pw_buf how;
	const char *said = last_line(log, arena);

	pw_buf_init(&how, 128);
	pw_child_say_status(status, &how);
	return pw_err_set(err, PW_AUTH, "the credential plugin %s %s%s%s", exec->command, pw_buf_str(&how), said[0] ? ": " : "", said);
}

static const char *field(const struct pw_val *status, const char *key, struct pw_arena *arena)
{
	const char *text = pw_map_str(status, key, ""), *copy = pw_arena_strdup(arena, text);

	return copy ? copy : "";
}

static int parse_answer(const struct pw_kube_exec *exec, const struct pw_buf *out, struct pw_arena *arena, struct pw_credential *ret,
			struct pw_err *err)
{
	const struct pw_json_limits limits = { MAX_OUTPUT, 16 };
	struct pw_err ignored = PW_ERR_INIT;
	struct pw_val *answer;
	const struct pw_val *status;
	const char *expires;

	if (pw_json_parse(pw_buf_str(out), out->len, NULL, &limits, arena, &answer, &ignored) != PW_OK ||
	    strcmp(pw_map_str(answer, "kind", ""), "ExecCredential") != 0)
		return pw_err_set(err, PW_AUTH, "the credential plugin %s did not print an ExecCredential", exec->command);
	if (strcmp(pw_map_str(answer, "apiVersion", ""), exec->api_version) != 0)
		return pw_err_set(err, PW_AUTH, "the credential plugin %s answered with another version than %s", exec->command, exec->api_version);
	status = pw_map_get(answer, "status");
	ret->token = field(status, "token", arena);
	ret->cert.data = field(status, "clientCertificateData", arena);
	ret->cert.len = strlen(ret->cert.data);
	ret->key.data = field(status, "clientKeyData", arena);
	ret->key.len = strlen(ret->key.data);
	expires = pw_map_str(status, "expirationTimestamp", "");
	ret->expires = expires[0] ? pw_parse_rfc3339(expires) : 0;
	if (!ret->token[0] && !ret->cert.len)
		return pw_err_set(err, PW_AUTH, "the credential plugin %s gave neither a token nor a certificate", exec->command);
	if (!ret->cert.len != !ret->key.len)
		return pw_err_set(err, PW_AUTH, "the credential plugin %s gave a certificate without its key, or a key alone", exec->command);
	return check_token(ret->token, exec->command, err);
}

static int run_plugin(const struct pw_kubeconfig *config, unsigned timeout_ms, struct pw_arena *arena, struct pw_credential *ret,
		      struct pw_err *err)
{
	const struct pw_kube_exec *exec = &config->exec;
	const char *const *argv = arguments(exec, arena), *const *envp = environment(config, arena);
	struct pw_err local = PW_ERR_INIT;
	PW_CLEAN_BUF struct pw_buf out;
	PW_CLEAN_BUF struct pw_buf log;
	int status = 0, rc;

	pw_buf_init(&out, MAX_OUTPUT);
	pw_buf_init(&log, PW_CHILD_LOG_MAX);
	if (!argv || !envp)
		return pw_err_set(err, PW_NOMEM, "out of memory while starting a credential plugin");
	if (strcmp(exec->interactive_mode, "Always") == 0)
		return pw_err_set(err, PW_AUTH, "the credential plugin %s wants a terminal (interactiveMode: Always); log in with it first",
				  exec->command);
	rc = pw_child_collect(argv, envp, getenv("PATH"), timeout_ms, &out, &log, &status, &local);
	if (rc == PW_TIMEOUT)
		return pw_err_set(err, PW_TIMEOUT, "the credential plugin %s did not end within %u ms", exec->command, timeout_ms);
	if (rc == PW_ABSENT)
		return pw_err_set(err, PW_AUTH, "the credential plugin %s was not found%s%s", exec->command,
				  exec->install_hint[0] ? ": " : "", exec->install_hint);
	if (rc == PW_NOMEM)
		return pw_err_set(err, PW_AUTH, "the credential plugin %s printed more than %zu KiB", exec->command, MAX_OUTPUT >> 10);
	if (rc != PW_OK)
		return pw_err_set(err, PW_AUTH, "the credential plugin %s could not be run: %s", exec->command, local.text);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return failed(exec, status, &log, arena, err);
	return parse_answer(exec, &out, arena, ret, err);
}

int pw_credential_get(const struct pw_kubeconfig *config, unsigned timeout_ms, struct pw_arena *arena,
		      struct pw_credential *ret, struct pw_err *err)
{
	struct pw_credential credential = {
		.token = config->token, .username = config->username, .password = config->password, .cert = config->cert, .key = config->key,
	};
	int rc;

	if (config->token_file[0]) {
		rc = read_token(config->token_file, arena, &credential.token, err);
		if (rc != PW_OK && config->token[0]) { /* the inline one stands in */
			pw_err_clear(err);
			credential.token = config->token;
		} else if (rc != PW_OK) {
			return rc;
		}
		credential.renewable = true;
	}
	if ((rc = check_token(credential.token, "the kubeconfig", err)) != PW_OK)
		return rc;
	if (config->exec.present && !credential.token[0] && !credential.username[0]) {
		credential.cert = credential.key = (struct pw_pem){ "", 0, "" };
		rc = run_plugin(config, timeout_ms, arena, &credential, err);
		if (rc != PW_OK)
			return rc;
		if (!credential.cert.len) {
			credential.cert = config->cert;
			credential.key = config->key;
		} else {
			credential.cert.file = credential.key.file = "";
		}
		credential.renewable = credential.from_plugin = true;
	}
	*ret = credential;
	return PW_OK;
}

/* ---- from the child to its parent ---- */

struct pw_val *pw_credential_to_val(const struct pw_credential *credential, struct pw_arena *arena)
{
	struct pw_val *map = pw_val_map(arena);

	pw_map_set_str(map, "token", credential->token);
	pw_map_set_str(map, "cert", credential->cert.data);
	pw_map_set_str(map, "key", credential->key.data);
	pw_map_set_int(map, "expires", credential->expires);
	return map;
}

bool pw_credential_from_val(const struct pw_val *val, struct pw_arena *arena, struct pw_credential *ret)
{
	struct pw_credential credential = {
		.token = field(val, "token", arena), .username = "", .password = "",
		.cert = { field(val, "cert", arena), 0, "" }, .key = { field(val, "key", arena), 0, "" },
		.expires = pw_map_int(val, "expires", 0), .renewable = true, .from_plugin = true,
	};

	credential.cert.len = strlen(credential.cert.data);
	credential.key.len = strlen(credential.key.data);
	if (!credential.token[0] && !credential.cert.len)
		return false;
	*ret = credential;
	return true;
}
