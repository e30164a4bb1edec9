#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# kube: over real TLS: nginx on loopback serves an API's lists and wants a client certificate.
# TAP. CLUSTER_KUBE: the test program tests/unit/cluster_kube, which asks a kubeconfig's cluster for pods.
set -u

get=$(realpath "${CLUSTER_KUBE:?the program tests/unit/cluster_kube}")
for tool in nginx openssl; do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP no $tool"; exit 0; }
done
dir=$(mktemp -d "${TMPDIR:-/tmp}/pw-tls-XXXXXX")
trap 'stop; rm -rf "$dir"' EXIT
chmod 755 "$dir" # nginx's workers are another user when this is root
cd "$dir" || exit 1
n=0

stop() { [ -f nginx.pid ] && kill "$(cat nginx.pid)" 2>/dev/null; }

ca() { # NAME: a certificate authority
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
cert() { # NAME CA SAN DAYS: a certificate signed by CA
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	printf 'subjectAltName=%s\n' "$3" > ext
	openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -extfile ext -days "$4" -out "$1.crt" 2>/dev/null
}
b64() { base64 < "$1" | tr -d '\n'; }

is() { # TEXT PATTERN
	n=$((n + 1))
	got=$("$get" kc 2>&1)
	case $got in
	*$2*) echo "ok $n - $1" ;;
	*) echo "not ok $n - $1"; printf '%s\n' "$got" | sed 's/^/  # got: /'; echo "  # want: $2"; bad=1 ;;
	esac
}
config() { # PORT CLUSTER-FIELDS USER-FIELDS
	cat > kc <<END
current-context: t
contexts: [{name: t, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:$1", $2}}]
users: [{name: u, user: {$3}}]
END
}

bad=0
ca ours; ca theirs
cert server ours IP:127.0.0.1,DNS:kubernetes 30
cert named ours DNS:kubernetes 30
cert old ours IP:127.0.0.1 0
cert client ours DNS:client 30
cert stranger theirs DNS:client 30

mkdir -p www/api/v1 logs
{ printf '{"kind":"PodList","apiVersion":"v1","metadata":{},"items":['
  i=0
  while [ $i -lt 300 ]; do
	[ $i -gt 0 ] && printf ,
	printf '{"metadata":{"name":"p%d","namespace":"x"}}' $i
	i=$((i + 1))
  done
  printf ']}'; } > www/api/v1/pods
printf '{"gitVersion":"v1.30.1"}' > www/version

# Free ports: the kernel's choice, given back a moment before nginx takes them.
ports=$(python3 -c '
import socket
held = [socket.socket() for _ in range(5)]
for s in held: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])') || { echo "1..0 # SKIP no python3"; exit 0; }
# shellcheck disable=SC2086
set -- $ports
server_block() { # PORT CERTIFICATE CLIENT
	printf '  server { listen 127.0.0.1:%s ssl http2; ssl_certificate %s/%s.crt; ssl_certificate_key %s/%s.key; %s root %s/www; }\n' \
		"$1" "$dir" "$2" "$dir" "$2" "$3" "$dir"
}
{ echo "daemon on; pid $dir/nginx.pid; error_log $dir/logs/error.log; worker_processes 1; events { worker_connections 64; }"
  echo "http { access_log off; default_type application/json; gzip on; gzip_types application/json; gzip_min_length 1;"
  echo "  client_body_temp_path $dir/logs; proxy_temp_path $dir/logs; fastcgi_temp_path $dir/logs; uwsgi_temp_path $dir/logs; scgi_temp_path $dir/logs;"
  server_block "$1" server "ssl_client_certificate $dir/ours.crt; ssl_verify_client on;"
  server_block "$2" named ""
  server_block "$3" old ""
  server_block "$5" server "if (\$http_authorization != 'Bearer TOKEN') { return 401; }"
  printf '  server { listen 127.0.0.1:%s; root %s/www; }\n' "$4" "$dir"
  echo "}"; } > nginx.conf
nginx -c "$dir/nginx.conf" -e "$dir/logs/error.log" 2> logs/start || { echo "1..0 # SKIP nginx does not start"; exit 0; }

# A certificate that was valid for 0 days ends the second it was made.
while openssl x509 -in old.crt -noout -checkend 0 >/dev/null; do sleep 0.1; done

config "$1" "certificate-authority: ours.crt" "client-certificate: client.crt, client-key: client.key"
is "certificates from files" "pods 300 version v1.30.1"
config "$1" "certificate-authority-data: $(b64 ours.crt)" "client-certificate-data: $(b64 client.crt), client-key-data: $(b64 client.key)"
is "certificates inline" "pods 300 version v1.30.1"
config "$1" "certificate-authority: ours.crt, tls-server-name: kubernetes, disable-compression: true" "client-certificate: client.crt, client-key: client.key"
is "verified by tls-server-name" "pods 300 version v1.30.1"
config "$1" "insecure-skip-tls-verify: true" "client-certificate: client.crt, client-key: client.key"
is "not verified at all" "pods 300 version v1.30.1"
cat > plugin <<END
#!/bin/sh
python3 -c 'import json; print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"clientCertificateData": open("$dir/client.crt").read(), "clientKeyData": open("$dir/client.key").read()}}))'
END
chmod +x plugin
config "$1" "certificate-authority: ours.crt" "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}"
is "a client certificate from a plugin" "pods 300 version v1.30.1"
config "$1" "certificate-authority: theirs.crt" "client-certificate: client.crt, client-key: client.key"
is "an unknown authority" "is not signed by the certificate authority of the kubeconfig"
config "$1" "disable-compression: false" "client-certificate: client.crt, client-key: client.key"
is "the system's authorities do not know it either" "is not signed by the certificate authority of the kubeconfig"
config "$1" "certificate-authority: ours.crt" "client-certificate: stranger.crt, client-key: stranger.key"
is "a client certificate of another cluster" "HTTP 400"
config "$1" "certificate-authority: ours.crt" "client-certificate: client.crt, client-key: stranger.key"
is "a key that is not the certificate's" "the client certificate or its key cannot be used"
config "$1" "certificate-authority: none.crt" "token: x"
is "an authority that cannot be read" "the certificate authority of the kubeconfig cannot be read"
config "$2" "certificate-authority: ours.crt" "token: x"
is "a certificate for another name" "is for another name; if the address is right, set tls-server-name in the kubeconfig"
config "$3" "certificate-authority: ours.crt" "token: x"
is "an expired certificate" "has expired"
config "$4" "certificate-authority: ours.crt" "token: x"
is "no TLS at all" "does not speak TLS"

# In a pod: a service account's folder, in a mount namespace of our own; the server wants its token.
n=$((n + 1))
account=/var/run/secrets/kubernetes.io/serviceaccount
mkdir account && echo TOKEN > account/token && cp ours.crt account/ca.crt && echo shop > account/namespace
# shellcheck disable=SC2016
inside='mount -t tmpfs tmpfs /var/run && mkdir -p "$1" && cp account/* "$1" && KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=$2 exec "$3" in-cluster:'
if ! unshare -rm true 2>/dev/null; then
	echo "ok $n - in a pod # SKIP no user namespaces"
else
	got=$(unshare -rm sh -c "$inside" sh "$account" "$5" "$get" 2>&1)
	case $got in
	*"pods 300 version v1.30.1"*) echo "ok $n - in a pod" ;;
	*) echo "not ok $n - in a pod"; printf '%s\n' "$got" | sed 's/^/  # got: /'; bad=1 ;;
	esac
fi

echo "1..$n"
exit $bad
