# Plugins for the tests of their loading: one .so per tests/plugins/NAME.c, built as a stranger would build it.

PLUGIN_SO := $(patsubst %.c,$(B)/%.so,$(sort $(wildcard tests/plugins/*.c)))

$(B)/tests/plugins/%.so: tests/plugins/%.c $(wildcard include/packetwalk/*.h) $(B)/flags
	$(call say,SO,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(WARN) -Iinclude -fPIC -shared -o $@ $<

$(B)/tests/unit/vantage_plugin: | $(PLUGIN_SO)
