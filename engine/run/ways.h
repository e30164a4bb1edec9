/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_RUN_WAYS_H
#define ENGINE_RUN_WAYS_H

#include <packetwalk/facts.h>

#include <vantage/executor.h>

/*
 * The ladder of vantages: how a check gets where it is to look. Each way has
 * an effect of its own, so what a step does to the world is the greater of
 * what its check does there and what it takes to get there.
 */

/* Classes of effect, 1 << enum pw_effect: those allowed for a run, and those a person was asked for and said no to. */
struct pw_consent { unsigned allowed, refused; };

/* Everything up to `most`, nothing refused. */
struct pw_consent pw_consent_up_to(enum pw_effect most);
bool pw_consent_allows(const struct pw_consent *consent, enum pw_effect effect);

/*
 * What could be made to reach this vantage: pods beside it or on its node, planned and not yet made. `params` are those of
 * the check that is to look there; NULL: not known, and then as if they were harmless.
 */
void pw_way_plan(const struct pw_ways *ways, const struct pw_facts *facts, const struct pw_check *check, const struct pw_val *params,
		 struct pw_vantage *vantage);

struct pw_way_choice {
	enum pw_way way;
	enum pw_effect effect;  /* of the check, this way */
	bool allowed;
};

/*
 * The best allowed way for this check at this vantage. Where none is allowed: the one of the least effect, of those not
 * refused if there are any, as what would have to be allowed. PW_WAY_NONE where there is none at all.
 */
struct pw_way_choice pw_way_choose(const struct pw_ways *ways, const struct pw_check *check, const struct pw_vantage *vantage,
				   const struct pw_consent *consent);

/* What allowing it means, for a person: "runs programs of the container in pod shop/web with kubectl exec". */
void pw_way_say(const struct pw_way_choice *choice, const struct pw_check *check, const struct pw_vantage *vantage, struct pw_buf *out);
/* For a person who is to allow it: also which object exactly would be made. */
void pw_way_say_exactly(const struct pw_way_choice *choice, const struct pw_check *check, const struct pw_vantage *vantage, struct pw_buf *out);

#endif
