# Out of memory: one program per tests/oom/NAME.c, see tests/oom/oom.h. Always with sanitizers.

OOM_SRC := $(filter-out tests/oom/oom.c tests/oom/fail.c,$(sort $(wildcard tests/oom/*.c)))
OOM_BIN := $(patsubst %.c,$(B)/%,$(OOM_SRC))
OOM_OBJ := $(B)/tests/oom/oom.o $(B)/tests/oom/fail.o $(B)/tests/unit/tap.o

# The allocator must not be replaced by the compiler's idea of it, and runs before the sanitizer is up.
$(B)/tests/oom/fail.o: CFLAGS += -fno-builtin -fno-sanitize=all

$(B)/tests/oom/%: $(B)/tests/oom/%.o $(OOM_OBJ) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: check-oom oom-run
check-oom: ## fail every allocation in turn (T=substring picks)
	$(Q)$(MAKE) --no-print-directory VARIANT=san B=$(if $(filter san,$(VARIANT)),$(B),$(B)/san) oom-run
oom-run: $(OOM_BIN)
	$(Q)sh tests/run-tap.sh $(if $(T),$(foreach t,$(OOM_BIN),$(if $(findstring $(T),$(t)),$(t))),$(OOM_BIN))
