/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Failed requests in plain sentences: transport, TLS, HTTP. */
#include <cluster/source/explain.h>

#include <errno.h>
#include <string.h>

#include <base/libcurl.h>

static bool says(const struct pw_transfer *transfer, const char *words)
{
	return strcasestr(transfer->detail, words) != NULL;
}

/* libcurl gives OpenSSL's words; the verify result alone does not tell a wrong name. */
static int explain_certificate(const struct pw_transfer *transfer, struct pw_err *err)
{
	const char *server = transfer->server;

	if (says(transfer, "certificate has expired"))
		return pw_err_set(err, PW_NET, "the certificate of the API server %s has expired", server);
	if (says(transfer, "not yet valid"))
		return pw_err_set(err, PW_NET, "the certificate of the API server %s is not valid yet: compare the clocks", server);
	if (says(transfer, "subject name") || says(transfer, "does not match"))
		return pw_err_set(err, PW_NET, "the certificate of the API server %s is for another name; if the address is right, set "
				  "tls-server-name in the kubeconfig", server);
	if (says(transfer, "self-signed") || says(transfer, "self signed") || says(transfer, "local issuer") || says(transfer, "unknown"))
		return pw_err_set(err, PW_NET, "the certificate of the API server %s is not signed by the certificate authority of the "
				  "kubeconfig (another cluster, or something in between that decrypts)", server);
	return pw_err_set(err, PW_NET, "the certificate of the API server %s was not accepted: %s", server, transfer->detail);
}

static int explain_tls(const struct pw_transfer *transfer, struct pw_err *err)
{
	const char *server = transfer->server;

	if (says(transfer, "alert"))
		return pw_err_set(err, PW_AUTH, "the API server %s refused the TLS connection (%s); is the client certificate expired, or "
				  "from another cluster?", server, transfer->detail);
	if (says(transfer, "wrong version number") || says(transfer, "unknown protocol") || says(transfer, "packet length too long"))
		return pw_err_set(err, PW_NET, "what listens at %s does not speak TLS", server);
	return pw_err_set(err, PW_NET, "no TLS connection to the API server %s: %s", server, transfer->detail);
}

static int explain_connect(const struct pw_transfer *transfer, struct pw_err *err)
{
	const char *server = transfer->server;

	switch (transfer->sys) {
	case ECONNREFUSED:
		return pw_err_set(err, PW_NET, "the API server %s refused the connection: nothing listens there", server);
	case EHOSTUNREACH:
	case ENETUNREACH:
		return pw_err_set(err, PW_NET, "there is no route to the API server %s", server);
	default:
		return pw_err_set(err, PW_NET, "no connection to the API server %s: %s", server, transfer->detail);
	}
}

static int explain_timeout(const struct pw_transfer *transfer, struct pw_err *err)
{
	if (transfer->connected)
		return pw_err_set(err, PW_TIMEOUT, "the API server %s accepted the connection, but its answer was not complete after %u ms",
				  transfer->server, transfer->timeout_ms);
	return pw_err_set(err, PW_TIMEOUT, "no connection to the API server %s within %u ms", transfer->server, transfer->timeout_ms);
}

int pw_explain_transfer(const struct pw_transfer *transfer, struct pw_err *err)
{
	const char *server = transfer->server;

	switch (transfer->curl) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return pw_err_set(err, PW_NET, "the host name of the API server %s does not resolve", server);
	case CURLE_COULDNT_RESOLVE_PROXY:
		return pw_err_set(err, PW_NET, "the host name of the proxy for %s does not resolve", server);
	case CURLE_COULDNT_CONNECT:
		return explain_connect(transfer, err);
	case CURLE_OPERATION_TIMEDOUT:
		return explain_timeout(transfer, err);
	case CURLE_PEER_FAILED_VERIFICATION:
		return explain_certificate(transfer, err);
	case CURLE_SSL_CONNECT_ERROR:
		return explain_tls(transfer, err);
	case CURLE_SSL_CERTPROBLEM:
		return pw_err_set(err, PW_AUTH, "the client certificate or its key cannot be used: %s", transfer->detail);
	case CURLE_SSL_CACERT_BADFILE:
		return pw_err_set(err, PW_AUTH, "the certificate authority of the kubeconfig cannot be read");
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return pw_err_set(err, PW_NET, "what listens at %s does not answer in HTTP", server);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		if (says(transfer, "alert"))
			return explain_tls(transfer, err);
		return pw_err_set(err, PW_NET, "the API server %s broke off in the middle of its answer", server);
	default:
		return pw_err_set(err, PW_NET, "the request to the API server %s failed: %s", server,
				  transfer->detail[0] ? transfer->detail : curl_easy_strerror((CURLcode)transfer->curl));
	}
}

static bool is_html(const struct pw_answer *answer)
{
	return strncasecmp(answer->type, "text/html", 9) == 0;
}

int pw_explain_answer(const struct pw_answer *answer, struct pw_err *err)
{
	const char *said = pw_map_str(answer->body, "message", ""), *colon = said[0] ? ": " : "";

	if (answer->status >= 300 && answer->status < 400)
		return pw_err_set(err, PW_NET, "%s answered with a redirect (HTTP %ld%s%.120s): this is not an API server", answer->server,
				  answer->status, answer->location[0] ? " to " : "", answer->location);
	switch (answer->status) {
	case 401:
		return pw_err_set(err, PW_AUTH, "the API server %s does not accept the credential (HTTP 401)%s%s", answer->server, colon, said);
	case 403:
		if (strstr(said, "system:anonymous"))
			return pw_err_set(err, PW_DENIED, "not permitted to list %s: no credential was sent%s%s", answer->what, colon, said);
		return pw_err_set(err, PW_DENIED, "not permitted to list %s%s%s", answer->what, said[0] ? ": " : " (HTTP 403)", said);
	case 404:
		if (is_html(answer))
			break;
		return pw_err_set(err, PW_ABSENT, "the API server does not serve %s", answer->what);
	default:
		break;
	}
	if (is_html(answer))
		return pw_err_set(err, PW_NET, "%s answered with a web page (HTTP %ld, %.40s): a proxy or login page stands where the API server "
				  "should", answer->server, answer->status, answer->type);
	if (answer->status == 200)
		return pw_err_set(err, PW_NET, "%s answered in \"%.60s\" instead of JSON", answer->server, answer->type);
	return pw_err_set(err, PW_NET, "the API server could not list %s (HTTP %ld)%s%s", answer->what, answer->status, colon, said);
}
