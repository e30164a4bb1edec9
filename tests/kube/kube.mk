# The API client against a real TLS server on loopback.
.PHONY: check-kube
check-kube: $(B)/tests/unit/cluster_kube ## run the API client against nginx with TLS client certificates
	$(Q)CLUSTER_KUBE=$(abspath $(B))/tests/unit/cluster_kube sh tests/run-tap.sh $(sort $(wildcard tests/kube/*.t))
