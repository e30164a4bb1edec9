/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which way leads to a vantage: what is there, what it costs, and what of that is allowed. */
#include <run/ways.h>

#include <vantage/created/creation.h>

struct pw_consent pw_consent_up_to(enum pw_effect most)
{
	return (struct pw_consent){ .allowed = (2u << most) - 1 };
}

bool pw_consent_allows(const struct pw_consent *consent, enum pw_effect effect)
{
	return (consent->allowed & 1u << effect) != 0;
}

static bool given(const char *text) { return text && *text; }

/* Reads what only the sender's own container has: another pod beside it has other files. */
static bool reads_own_files(const struct pw_check *check)
{
	return pw_check_borrow(check) && check->effect <= PW_EFFECT_READS;
}

void pw_way_plan(const struct pw_ways *ways, const struct pw_facts *facts, const struct pw_check *check, const struct pw_val *params,
		 struct pw_vantage *v)
{
	if (!ways->creation || !facts || !check->probe || !pw_vantage_is_remote(v) || !given(v->node))
		return;
	const struct pw_pod *pod = v->kind == PW_AT_POD && given(v->pod) ? pw_facts_pod(facts, v->ns, v->pod) : NULL;
	v->not_beside = !pod || !pw_made_stands_in(check, params, pod);
	v->by_files = pw_made_by_files(check, params);
	if (!v->not_beside)
		v->probe_pod = pw_creation_beside(ways->creation, facts, pod);
	v->node_pod = pw_creation_on_node(ways->creation, facts, v->node, v->ns);
}

static bool may_be_made(const struct pw_made *made) { return !made || !pw_made_is_over(made); }

static bool is_there(const struct pw_made *made) { return made && made->stage == PW_MADE_RUNNING; }

static bool possible(const struct pw_ways *ways, const struct pw_check *check, const struct pw_vantage *v, enum pw_way way)
{
	bool pod = v->kind == PW_AT_POD && given(v->pod);
	switch (way) {
	case PW_WAY_AGENT:
		return (ways->via && !ways->kubectl) || (ways->kubectl && given(v->agent));
	case PW_WAY_NODE_POD:
		return ways->node_pods && given(v->node) && may_be_made(v->node_pod);
	case PW_WAY_PROBE_POD:
		return ways->probe_pods && pod && check->effect == PW_EFFECT_SENDS && !v->not_beside && may_be_made(v->probe_pod);
	case PW_WAY_BORROW:
		return ways->kubectl && pod && !v->bare && pw_check_borrow(check);
	case PW_WAY_LOCAL:
	case PW_WAY_NONE:
		break;
	}
	return false;
}

/* The user who names a transport has chosen it; an agent that was merely found is a program run in a pod. What was made with
 * consent is made: using it again takes nothing new. */
static enum pw_effect effect_of(const struct pw_ways *ways, const struct pw_check *check, const struct pw_vantage *v, enum pw_way way)
{
	enum pw_effect effect = way == PW_WAY_AGENT && !ways->via ? PW_EFFECT_EXECS : pw_way_effect(way);
	if (is_there(way == PW_WAY_PROBE_POD ? v->probe_pod : way == PW_WAY_NODE_POD ? v->node_pod : NULL))
		effect = PW_EFFECT_NONE;
	return effect > check->effect ? effect : check->effect;
}

struct pw_way_choice pw_way_choose(const struct pw_ways *ways, const struct pw_check *check, const struct pw_vantage *vantage,
				   const struct pw_consent *consent)
{
	static const enum pw_way best_first[] = { PW_WAY_AGENT, PW_WAY_NODE_POD, PW_WAY_PROBE_POD, PW_WAY_BORROW };
	static const enum pw_way for_files[] = { PW_WAY_AGENT, PW_WAY_NODE_POD, PW_WAY_BORROW, PW_WAY_PROBE_POD };
	const enum pw_way *order = vantage->by_files || reads_own_files(check) ? for_files : best_first;
	struct pw_way_choice none = { .way = PW_WAY_NONE, .effect = check->effect }, least = none;
	bool least_refused = false;
	if (!check->probe || !pw_vantage_is_remote(vantage))
		none.way = PW_WAY_LOCAL;
	for (size_t i = 0; none.way == PW_WAY_NONE && i < sizeof best_first / sizeof *best_first; i++) {
		if (!possible(ways, check, vantage, order[i]))
			continue;
		struct pw_way_choice choice = { .way = order[i], .effect = effect_of(ways, check, vantage, order[i]) };
		choice.allowed = pw_consent_allows(consent, choice.effect);
		bool refused = (consent->refused & 1u << choice.effect) != 0;
		if (choice.allowed)
			return choice;
		if (least.way == PW_WAY_NONE || (refused == least_refused ? choice.effect < least.effect : least_refused)) {
			least = choice;
			least_refused = refused;
		}
	}
	if (least.way != PW_WAY_NONE)
		return least;
	none.allowed = pw_consent_allows(consent, none.effect);
	return none;
}

void pw_way_say(const struct pw_way_choice *choice, const struct pw_check *check, const struct pw_vantage *vantage, struct pw_buf *out)
{
	static const char *const does[] = { [PW_EFFECT_NONE] = "changes and sends nothing", [PW_EFFECT_READS] = "reads",
		[PW_EFFECT_SENDS] = "sends packets", [PW_EFFECT_EXECS] = "runs a program inside a pod or node",
		[PW_EFFECT_CREATES] = "creates objects in the cluster, labelled and removed afterwards",
		[PW_EFFECT_PRIVILEGED] = "runs with privileges on a node" };
	switch (choice->way) {
	case PW_WAY_AGENT:
		if (choice->effect == PW_EFFECT_EXECS)
			pw_buf_printf(out, "starts an agent with kubectl exec in pod " PW_AGENT_NAMESPACE "/%s", vantage->agent ? vantage->agent : "");
		else
			pw_buf_puts(out, does[check->effect]);
		return;
	case PW_WAY_BORROW:
		pw_buf_puts(out, "runs programs of its container (sh, and what it has of curl, nc, getent and the like) with kubectl exec in ");
		break;
	case PW_WAY_PROBE_POD:
		pw_buf_puts(out, "creates a pod, removed afterwards, beside ");
		break;
	case PW_WAY_NODE_POD:
		pw_buf_puts(out, "creates a privileged pod, removed afterwards, to reach ");
		break;
	case PW_WAY_LOCAL:
	case PW_WAY_NONE:
		pw_buf_puts(out, does[check->effect]);
		return;
	}
	struct pw_vantage place = *vantage;
	place.way = PW_WAY_LOCAL; /* the place itself, not how it is reached */
	pw_vantage_say(&place, out);
}

void pw_way_say_exactly(const struct pw_way_choice *choice, const struct pw_check *check, const struct pw_vantage *vantage, struct pw_buf *out)
{
	struct pw_vantage chosen = *vantage;
	chosen.way = choice->way;
	const struct pw_made *made = pw_vantage_made(&chosen);
	pw_way_say(choice, check, vantage, out);
	if (!made)
		return;
	pw_buf_puts(out, ": ");
	pw_made_say(made, out);
}
