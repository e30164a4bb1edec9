# Corpora of real cases, kept outside the tree: make check-corpora CORPORA=DIR

.PHONY: check-corpora
check-corpora: $(BIN) $(B)/tests/unit/dataplane_corpora $(B)/tests/unit/packet_corpora ## run the corpora of cases below CORPORA=DIR
	@test -n '$(CORPORA)' || { echo 'say where they are: make check-corpora CORPORA=DIR' >&2; exit 2; }
	$(Q)$(PYTHON) tests/corpora/all.py $(B) $(CORPORA)
