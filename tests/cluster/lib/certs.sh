# Certificates and kubeconfigs: one CA for everything, as small as a cluster allows.
# shellcheck shell=bash

# certificate NAME SUBJECT USAGE [ALTERNATIVE-NAMES]
certificate() {
	local dir=$LAB_DIR/pki
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$dir/$1.key" -out "$dir/$1.csr" -subj "$2" 2>/dev/null
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 365 -out "$dir/$1.pem" \
		-extfile <(echo "basicConstraints=CA:false"; echo "extendedKeyUsage=$3"; [ -z "${4-}" ] || echo "subjectAltName=$4") 2>/dev/null
}

make_certificates() {
	local dir=$LAB_DIR/pki node user
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$dir/ca.key" -out "$dir/ca.pem" \
		-days 3650 -subj /CN=kubernetes -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/sa.key" 2>/dev/null
	openssl pkey -in "$dir/sa.key" -pubout -out "$dir/sa.pub"
	certificate apiserver /CN=kube-apiserver serverAuth \
		"DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:${address[cp]},IP:10.96.0.1,IP:127.0.0.1"
	certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet clientAuth
	certificate pod /O=shop/CN=pod serverAuth 'DNS:*.shop.svc.cluster.local,DNS:*.shop,DNS:*.shop.svc,DNS:api,DNS:secure,DNS:localhost'
	certificate admin /O=system:masters/CN=lab-admin clientAuth
	certificate kube-controller-manager /CN=system:kube-controller-manager clientAuth
	certificate kube-scheduler /CN=system:kube-scheduler clientAuth
	certificate namer /O=system:masters/CN=lab-namer clientAuth
	for node in "${nodes[@]}"; do
		certificate "$node" "/O=system:nodes/CN=system:node:$node" clientAuth
		certificate "$node-serving" "/O=system:nodes/CN=system:node:$node" serverAuth "DNS:$node,IP:${address[$node]},IP:127.0.0.1"
	done
	for user in admin kube-controller-manager kube-scheduler namer "${nodes[@]}"; do
		kubeconfig_of "$user" >"$dir/$user.kubeconfig"
	done
	chmod 600 "$dir"/*.key
	install -m 600 "$dir/admin.kubeconfig" "$LAB_DIR/kubeconfig"
}

kubeconfig_of() {
	local dir=$LAB_DIR/pki
	cat <<EOF
apiVersion: v1
kind: Config
current-context: lab
clusters:
- name: lab
  cluster: {server: "$api_url", certificate-authority-data: $(base64 -w 0 "$dir/ca.pem")}
contexts:
- name: lab
  context: {cluster: lab, user: $1, namespace: default}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w 0 "$dir/$1.pem"), client-key-data: $(base64 -w 0 "$dir/$1.key")}
EOF
}
