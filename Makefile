# packetwalk: no configure step. `make help` lists the targets.
# Out-of-tree: B=dir. V=1 shows commands. VARIANT=debug|san|release|cov.

VERSION := 0.1.0
VARIANT ?= release
B ?= build$(if $(filter-out release,$(VARIANT)),/$(VARIANT))
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
CLANG ?= clang
PYTHON ?= python3
-include config.mk

PKGS := libcurl yaml-0.1 libcares libpcap readline yajl libmnl
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
# libcurl is loaded when it is needed (engine/base/libcurl.h).
PKG_LIBS = $(shell pkg-config --libs $(filter-out libcurl,$(PKGS)))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wundef -Wformat=2 \
	-Wwrite-strings -Wmissing-prototypes -Wstrict-prototypes $(if $(WERROR),-Werror)
CPPFLAGS += -D_GNU_SOURCE -DPW_VERSION='"$(VERSION)"' -Iinclude -Iengine
CFLAGS.release := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS.debug := -O0 -g3
CFLAGS.san := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS.cov := -O0 -g --coverage
CFLAGS += -std=c11 $(WARN) $(CFLAGS.$(VARIANT)) $(PKG_CFLAGS) -fvisibility=hidden
LDFLAGS.san := -fsanitize=address,undefined
LDFLAGS.cov := --coverage
LDFLAGS += $(LDFLAGS.$(VARIANT)) -rdynamic
LDLIBS += $(PKG_LIBS) -ldl -lm

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

ENGINE_SRC := $(sort $(wildcard engine/*/*.c engine/*/*/*.c))
CHECK_SRC := $(sort $(wildcard checks/*.c))
OUT_SRC := $(sort $(filter-out engine/out/out.c,$(wildcard engine/out/*.c)))
CMD_SRC := $(sort $(wildcard cmd/*.c))
MAIN_SRC := $(sort $(wildcard cmd/main/*.c))

CHECK_NAMES := $(basename $(notdir $(CHECK_SRC)))
OUT_NAMES := $(basename $(notdir $(OUT_SRC)))
TRANSPORT_NAMES := $(basename $(notdir $(sort $(wildcard engine/vantage/transport/*.c))))
CMD_NAMES := $(basename $(notdir $(CMD_SRC)))

REGISTRY := $(B)/gen/check_registry.c $(B)/gen/out_registry.c $(B)/gen/transport_registry.c $(B)/gen/cmd_registry.c $(B)/gen/playbooks.c
obj = $(patsubst %.c,$(B)/%.o,$(1))
genobj = $(patsubst $(B)/gen/%.c,$(B)/gen/%.o,$(1))

LIB := $(B)/libpacketwalk.a
BIN := $(B)/packetwalk
LIB_OBJ := $(call obj,$(ENGINE_SRC)) $(call obj,$(CHECK_SRC)) $(B)/gen/check_registry.o $(B)/gen/out_registry.o $(B)/gen/transport_registry.o
BIN_OBJ := $(call obj,$(CMD_SRC) $(MAIN_SRC)) $(B)/gen/cmd_registry.o $(B)/gen/playbooks.o

UNIT_SRC := $(sort $(wildcard tests/unit/*.c) $(wildcard tests/checks/*.c))
UNIT_BIN := $(patsubst tests/%.c,$(B)/tests/%,$(filter-out tests/unit/tap.c,$(UNIT_SRC)))

.DEFAULT_GOAL := all
.PHONY: all help
all: $(BIN) ## build packetwalk

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A rebuild follows a change of flags, of the tree's file list, or of a header.
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(CPPFLAGS) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS)' > $@
FORCE:

$(B)/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c $(B)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The registries: one entry per file, nothing else to edit.
$(B)/gen/check_registry.c: $(B)/gen/check_names
	@{ echo '#include <base/registry.h>'; \
	   for n in $(CHECK_NAMES); do echo "extern const struct pw_check pw_check_$$n;"; done; \
	   echo 'const struct pw_check *const pw_check_registry[] = {'; \
	   for n in $(CHECK_NAMES); do echo "	&pw_check_$$n,"; done; echo '	NULL,'; echo '};'; } > $@
$(B)/gen/out_registry.c: $(B)/gen/out_names
	@{ echo '#include <out/out.h>'; \
	   for n in $(OUT_NAMES); do echo "extern const struct pw_out pw_out_$$n;"; done; \
	   echo 'const struct pw_out *const pw_out_registry[] = {'; \
	   for n in $(OUT_NAMES); do echo "	&pw_out_$$n,"; done; echo '	NULL,'; echo '};'; } > $@
$(B)/gen/transport_registry.c: $(B)/gen/transport_names
	@{ echo '#include <vantage/transport/transport.h>'; \
	   for n in $(TRANSPORT_NAMES); do echo "extern const struct pw_transport pw_transport_$$n;"; done; \
	   echo 'const struct pw_transport *const pw_transport_registry[] = {'; \
	   for n in $(TRANSPORT_NAMES); do echo "	&pw_transport_$$n,"; done; echo '	NULL,'; echo '};'; } > $@
$(B)/gen/cmd_registry.c: $(B)/gen/cmd_names
	@{ echo '#include "../../cmd/main/cmd.h"' | sed 's|"../../|"$(CURDIR)/|'; \
	   for n in $(CMD_NAMES); do echo "extern const struct pw_cmd pw_cmd_$$n;"; done; \
	   echo 'const struct pw_cmd *const pw_cmd_registry[] = {'; \
	   for n in $(CMD_NAMES); do echo "	&pw_cmd_$$n,"; done; echo '	NULL,'; echo '};'; } > $@
$(B)/gen/check_names: FORCE
	@mkdir -p $(@D); echo '$(CHECK_NAMES)' | cmp -s - $@ || echo '$(CHECK_NAMES)' > $@
$(B)/gen/out_names: FORCE
	@mkdir -p $(@D); echo '$(OUT_NAMES)' | cmp -s - $@ || echo '$(OUT_NAMES)' > $@
$(B)/gen/transport_names: FORCE
	@mkdir -p $(@D); echo '$(TRANSPORT_NAMES)' | cmp -s - $@ || echo '$(TRANSPORT_NAMES)' > $@
$(B)/gen/cmd_names: FORCE
	@mkdir -p $(@D); echo '$(CMD_NAMES)' | cmp -s - $@ || echo '$(CMD_NAMES)' > $@

# The built-in playbooks travel inside the binary, so one file is the whole tool.
$(B)/gen/playbooks.c: $(sort $(wildcard playbooks/*.yaml)) tools/embed.sh
	@mkdir -p $(@D); sh tools/embed.sh playbooks/*.yaml > $@

$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BIN): $(BIN_OBJ) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(BIN_OBJ) -Wl,--whole-archive $(LIB) -Wl,--no-whole-archive $(LDLIBS)

$(B)/tests/%: $(B)/tests/%.o $(B)/tests/unit/tap.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: unit
unit: $(UNIT_BIN) ## build and run the unit and judge tests (T=substring picks)
	$(Q)sh tests/run-tap.sh $(if $(T),$(foreach t,$(UNIT_BIN),$(if $(findstring $(T),$(t)),$(t))),$(UNIT_BIN))

include tests/oom/oom.mk
include tests/fuzz/fuzz.mk
include tests/plugins/plugins.mk
include tests/net/net.mk
include tests/corpora/corpora.mk
include tests/kube/kube.mk
include tests/golden/golden.mk
include tests/checks/checks.mk

.PHONY: deps demo docs check check-deep check-lab check-faults check-cluster check-san check-valgrind lint bench bench-accuracy install uninstall
deps: ## install what is missing to build and test (Debian)
	$(Q)sh tests/deps.sh

demo: deps ## raise a lab, break it (FAULT=name), let packetwalk find it
	$(Q)$(MAKE) --no-print-directory all
	$(Q)sh tests/demo.sh

# Everything, each suite to a log of its own; the last line adds them up. One lane waits for networks, the other computes.
LOGS := $(CURDIR)/build/logs
JOBS ?= $(shell nproc)
SUB = $(MAKE) --no-print-directory
check: deps ## set up, build and run every test; the last line is "N passed, N failed"
	$(Q)$(SUB) -j$(JOBS) all
	$(Q)sh tests/check.sh $(LOGS) \
		'faults=$(SUB) check-faults' \
		'net=$(SUB) check-net' \
		'leftovers=PACKETWALK=$(CURDIR)/$(BIN) sh tests/leftovers.sh' \
		'+lint=$(SUB) lint' \
		'+unit=$(SUB) -j$(JOBS) unit CORPORA=$(CORPORA)' \
		'+unit-san=$(SUB) -j$(JOBS) unit VARIANT=san' \
		'+playbooks=sh tests/playbooks.sh $(BIN)' \
		'+oom=$(SUB) -j$(JOBS) check-oom' \
		'+fuzz-corpus=$(SUB) -j$(JOBS) fuzz-corpus' \
		'+kube=$(SUB) check-kube' \
		'+extend=sh tests/extend.sh $(CURDIR)/$(BIN)' \
		'+golden=$(SUB) golden' \
		'+lab=tests/lab/selftest' \
		$(if $(CORPORA),'+corpora=$(SUB) check-corpora CORPORA=$(CORPORA)')

# The same tests through other eyes: another compiler, the sanitizers, valgrind.
check-deep: deps ## the tests again with clang, the sanitizers and valgrind
	$(Q)$(SUB) -j$(JOBS) all
	$(Q)sh tests/check.sh $(LOGS) \
		'faults-san=$(SUB) -j$(JOBS) check-faults VARIANT=san FAULTS="$(FAULTS_SAN)"' \
		'golden-san=$(SUB) -j$(JOBS) golden VARIANT=san' \
		'+unit-clang=$(SUB) -j$(JOBS) unit CC=$(CLANG) B=build/clang' \
		'+valgrind=$(SUB) -j$(JOBS) check-valgrind'

SHARDS ?= 4
FAULTS ?= $(sort $(wildcard tests/faults/*))
# One of each kind for the sanitizers: every check that goes out and looks runs in at least one of them.
FAULTS_SAN ?= $(addprefix tests/faults/,healthy-service healthy-dns podpod-vtep-mac-stale podpod-vxlan-blocked kubeproxy-stale np-egress-blocks-dns app-http-error \
	dns-apiserver-unreachable svc-readiness-probe-misconfigured dns-upstream-half-dead setup-apiserver-unreachable-by-cni vip-speaker-down lb-source-ranges \
	ingress-tls-secret-missing underlay-wrong-vlan cloud-nat-port-exhaustion)
check-faults: $(BIN) ## run the fault scenarios on the lab (FAULTS="dirs")
	$(Q)PACKETWALK=$(CURDIR)/$(BIN) sh tests/faults.sh $(SHARDS) $(FAULTS)

# Needs root and Go; not part of check, which needs neither. The cluster's packages and programs come with the first start.
CLUSTER_SHARDS ?= 2
CLUSTER_FAULTS ?= $(sort $(patsubst %/fault.yaml,%,$(shell grep -l '^labs:.*cluster' tests/faults/*/fault.yaml)))
# Scenarios that need a shape of their own run in that alone; the others in both modes of kube-proxy.
CLUSTER_FAULTS_NFT ?= $(filter-out $(patsubst %/fault.yaml,%,$(shell grep -l '^shape:' tests/faults/*/fault.yaml)),$(CLUSTER_FAULTS))
CLUSTER_RUN = PACKETWALK=$(CURDIR)/$(BIN) LAB=tests/cluster/lab
check-cluster: deps ## run the fault scenarios on a real Kubernetes of three nodes, built from Go modules (CLUSTER_FAULTS="dirs")
	$(Q)$(SUB) all
	$(Q)sh tests/check.sh $(LOGS) \
		'cluster=$(CLUSTER_RUN) sh tests/faults.sh $(CLUSTER_SHARDS) $(CLUSTER_FAULTS)' \
		'cluster-nft=LAB_SHAPE=nftables $(CLUSTER_RUN) sh tests/faults.sh $(CLUSTER_SHARDS) $(CLUSTER_FAULTS_NFT)' \
		'cluster-reads=PACKETWALK=$(CURDIR)/$(BIN) tests/cluster/read-only' \
		'cluster-leftovers=PACKETWALK=$(CURDIR)/$(BIN) sh tests/leftovers.sh cluster'

check-valgrind: $(UNIT_BIN) $(BIN) ## unit and golden tests under valgrind
	$(Q)sh tests/valgrind.sh $(BIN) $(UNIT_BIN)

lint: $(BIN) $(B)/tests/unit/play_schema ## layers, headers, banned functions, shell, playbooks
	$(Q)sh tests/lint.sh $(BIN)

bench: all $(B)/tests/bench/overhead ## what it costs, each figure beside what it is held against
	$(Q)$(PYTHON) tests/bench/run.py

# RUNGS: what the operator has, of those in tests/lab/labkit/accuracy.py; all unless said. LAB=tests/cluster/lab for a real cluster.
bench-accuracy: $(BIN) ## how right it is with how little, rung by rung (FAULTS="dirs" RUNGS=a,b SHARDS=n)
	$(Q)PACKETWALK=$(CURDIR)/$(BIN) $(PYTHON) tests/bench/accuracy.py --out $(B)/accuracy --shards $(SHARDS) $(if $(RUNGS),--rungs $(RUNGS)) $(FAULTS)

.PHONY: image
image: $(BIN) ## an image of the program and what it runs, as an archive in build/, made without a daemon (TAG=name:tag)
	$(Q)sh packaging/image.sh $(BIN) build/packetwalk-image.tar $(TAG)

docs: $(BIN) ## write man pages and the reference from the declarations, to build/
	$(Q)$(BIN) doc man build/man
	$(Q)$(BIN) doc markdown build/reference

install: all docs ## install to $(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include/packetwalk $(DESTDIR)$(PREFIX)/share/packetwalk/playbooks
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/packetwalk
	ln -sf packetwalk $(DESTDIR)$(PREFIX)/bin/kubectl-packetwalk
	install -m 644 include/packetwalk/*.h include/packetwalk/LICENSE $(DESTDIR)$(PREFIX)/include/packetwalk
	install -m 644 playbooks/*.yaml $(DESTDIR)$(PREFIX)/share/packetwalk/playbooks
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 build/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
uninstall: ## remove what install put there
	rm -rf $(DESTDIR)$(PREFIX)/bin/packetwalk $(DESTDIR)$(PREFIX)/bin/kubectl-packetwalk $(DESTDIR)$(PREFIX)/include/packetwalk $(DESTDIR)$(PREFIX)/share/packetwalk $(DESTDIR)$(PREFIX)/share/man/man1/packetwalk*.1

.PHONY: clean
clean: ## remove everything generated
	rm -rf build

.PRECIOUS: $(B)/%.o
-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d $(B)/*/*/*/*.d)
