# Fuzzing: one target per tests/fuzz/NAME.c, see tests/fuzz/fuzz.h.

FUZZ_SRC := $(filter-out tests/fuzz/replay.c,$(sort $(wildcard tests/fuzz/*.c)))
FUZZ_BIN := $(patsubst %.c,$(B)/%,$(FUZZ_SRC))

# libFuzzer brings its own main; clang only.
CFLAGS.fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS.fuzz := -fsanitize=fuzzer,address,undefined
FUZZ_OBJ := $(if $(filter fuzz,$(VARIANT)),,$(B)/tests/fuzz/replay.o $(B)/tests/unit/tap.o)

$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(FUZZ_OBJ) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: fuzz fuzz-run fuzz-corpus fuzz-replay
fuzz-corpus: ## replay the fuzz corpora with sanitizers
	$(Q)$(MAKE) --no-print-directory VARIANT=san B=$(if $(filter san,$(VARIANT)),$(B),$(B)/san) fuzz-replay
fuzz-replay: $(FUZZ_BIN)
	$(Q)sh tests/run-tap.sh $(FUZZ_BIN)

fuzz: ## hunt for T=60 seconds in all (FUZZ=substring picks)
	$(Q)$(MAKE) --no-print-directory CC=$(CLANG) VARIANT=fuzz B=$(B)/fuzz T=$(or $(T),60) fuzz-run
fuzz-run: $(if $(FUZZ),$(foreach t,$(FUZZ_BIN),$(if $(findstring $(FUZZ),$(notdir $(t))),$(t))),$(FUZZ_BIN))
	$(Q)sh tests/fuzz/hunt.sh $(T) $(B) $^
