# Judge tests: one program for all checks; its parts are in tests/checks/judge/.

JUDGE_OBJ := $(call obj,$(sort $(wildcard tests/checks/judge/*.c)))

$(B)/tests/checks/judge_all: $(B)/tests/checks/judge_all.o $(JUDGE_OBJ) $(B)/tests/unit/tap.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
