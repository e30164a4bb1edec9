/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * One target is one file tests/fuzz/NAME.c that defines this function, and a
 * folder tests/fuzz/corpus/NAME of small inputs (NAME.dict is optional).
 * Nothing else is to be edited. `make fuzz` hunts with libFuzzer, `make
 * fuzz-corpus` replays the corpora with the ordinary compiler. An input that
 * once broke something is added to the corpus.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define MUST(cond) \
	do { \
		if (!(cond)) { \
			(void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

#endif
