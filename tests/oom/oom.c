/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs one scenario with each allocation failing in turn. */
#include "oom.h"

#include <stdio.h>
#include <string.h>

#include "../unit/tap.h"

enum { ENDLESS = 1000000, TELL = 5 };

/* What went wrong in all runs together. */
struct tally { size_t wrong, leaked; };

static void judge(struct tally *tally, size_t nth, int r, const struct pw_err *err, long left)
{
	bool right = r == PW_NOMEM || (r == PW_OK && oom_scenario.may_succeed);
	if (!right && tally->wrong++ < TELL)
		printf("# allocation %zu failed, the scenario returned %s (%s)\n", nth, pw_code_word(r), err->text);
	if (left != 0 && tally->leaked++ < TELL)
		printf("# allocation %zu failed, %ld blocks were left\n", nth, left);
}

int main(void)
{
	/* What libraries allocate once and keep is not a leak of the scenario. */
	struct pw_err err = PW_ERR_INIT;
	ok(oom_scenario.run(&err) == PW_OK, "succeeds with memory (%s)", err.text);
	printf("# ready\n"); /* stdio's buffer exists */
	struct tally tally = { 0, 0 };
	size_t nth = 1;
	for (bool fired = true; fired && nth < ENDLESS; nth += fired) {
		pw_err_clear(&err);
		long before = oom_live();
		oom_arm(nth);
		int r = oom_scenario.run(&err);
		fired = oom_fired();
		long left = oom_live() - before;
		if (fired)
			judge(&tally, nth, r, &err, left);
		else
			ok(r == PW_OK && left == 0, "succeeds again when nothing fails any more (%s)", err.text);
	}
	ok(nth > 1, "%zu allocations failed, one per run", nth - 1);
	ok(tally.wrong == 0, "each ended as out of memory (%zu did not)", tally.wrong);
	ok(tally.leaked == 0, "none left a block behind (%zu did)", tally.leaked);
	return tap_done();
}
