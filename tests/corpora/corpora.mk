# Corpora of real cases, kept outside the tree: make check-corpora CORPORA=DIR

.PHONY: check-corpora
check-corpora: $(BIN) ## run the corpora of cases below CORPORA=DIR
	@test -n '$(CORPORA)' || { echo 'say where they are: make check-corpora CORPORA=DIR' >&2; exit 2; }
	$(Q)$(PYTHON) tests/corpora/netpol.py $(BIN) $(CORPORA)/netpol
