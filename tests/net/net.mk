# Probes against networks the tests build themselves.
NET_T := $(sort $(wildcard tests/net/*.t))

.PHONY: check-net
check-net: $(B)/tests/net/netprobe $(B)/tests/net/dpread $(B)/packetwalk ## run real probes against namespaces of their own (T=substring picks)
	$(Q)NETPROBE=$(abspath $(B))/tests/net/netprobe PACKETWALK=$(abspath $(B))/packetwalk PYTHON=$(PYTHON) sh tests/run-tap.sh \
		$(if $(T),$(foreach t,$(NET_T),$(if $(findstring $(T),$(t)),$(t))),$(NET_T))
