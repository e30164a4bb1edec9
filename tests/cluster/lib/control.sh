# The control plane: plain processes on the host cp.
# shellcheck shell=bash

audit_log() { echo "$LAB_DIR/logs/audit.log"; }

start_etcd() {
	daemon cp etcd etcd --name cp --data-dir "$LAB_DIR/etcd" --unsafe-no-fsync --log-level warn \
		--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
		--listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster cp=http://127.0.0.1:2380
}

start_apiserver() {
	local pki=$LAB_DIR/pki
	printf 'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n' >"$LAB_DIR/audit-policy.yaml"
	daemon cp apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 --advertise-address="${address[cp]}" \
		--service-cluster-ip-range=$service_net --allow-privileged=true --authorization-mode=Node,RBAC \
		--enable-admission-plugins=NodeRestriction --tls-cert-file="$pki/apiserver.pem" --tls-private-key-file="$pki/apiserver.key" \
		--client-ca-file="$pki/ca.pem" --kubelet-client-certificate="$pki/apiserver-kubelet.pem" \
		--kubelet-client-key="$pki/apiserver-kubelet.key" --kubelet-certificate-authority="$pki/ca.pem" \
		--kubelet-preferred-address-types=InternalIP --service-account-issuer=https://kubernetes.default.svc.cluster.local \
		--service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" --profiling=false \
		--audit-policy-file="$LAB_DIR/audit-policy.yaml" --audit-log-path="$(audit_log)" --audit-log-maxsize=100 --audit-log-maxbackup=1
}

start_controller-manager() {
	# A node that stops reporting is noticed in seconds, not in most of a minute.
	daemon cp controller-manager kube-controller-manager --kubeconfig="$LAB_DIR/pki/kube-controller-manager.kubeconfig" --leader-elect=false \
		--service-account-private-key-file="$LAB_DIR/pki/sa.key" --root-ca-file="$LAB_DIR/pki/ca.pem" \
		--use-service-account-credentials=true --node-monitor-period=1s --node-monitor-grace-period=12s \
		--cluster-signing-cert-file="$LAB_DIR/pki/ca.pem" --cluster-signing-key-file="$LAB_DIR/pki/ca.key" --profiling=false
}

start_scheduler() {
	daemon cp scheduler kube-scheduler --kubeconfig="$LAB_DIR/pki/kube-scheduler.kubeconfig" --leader-elect=false --profiling=false
}

start_namer() {
	daemon cp namer namer --kubeconfig="$LAB_DIR/pki/namer.kubeconfig" --cert="$LAB_DIR/pki/apiserver.pem" --key="$LAB_DIR/pki/apiserver.key"
}

k() { at admin env KUBECONFIG="$LAB_DIR/kubeconfig" kubectl "$@"; }

start_control() {
	start_etcd
	start_apiserver
	until_true 60 "the API server" k get --raw /readyz
	start_controller-manager
	start_scheduler
	start_namer
}
