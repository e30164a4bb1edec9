# SPDX-License-Identifier: GPL-3.0-or-later
.PHONY: golden golden-update
golden: $(BIN) ## run the whole-program tests: output, errors, exit codes, the wizard (T=substring picks)
	$(Q)PACKETWALK=$(BIN) T=$(T) sh tests/run-tap.sh tests/golden/run.sh

golden-update: $(BIN) ## write what the whole-program tests print as what is expected: read the diff
	$(Q)PACKETWALK=$(BIN) UPDATE=1 sh tests/golden/run.sh $(T)
