/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ways to a vantage: the best that is allowed, or the least that would have to be. */
#include <run/ways.h>

#include <vantage/created/creation.h>

#include "tap.h"

static int look(struct pw_ctx *ctx, struct pw_val *observation, struct pw_err *err)
{
	(void)ctx, (void)observation, (void)err;
	return PW_OK;
}

static int borrow(struct pw_ctx *ctx, struct pw_tools *tools, struct pw_val *observation, struct pw_err *err)
{
	(void)ctx, (void)tools, (void)observation, (void)err;
	return PW_OK;
}

static const struct pw_check sends = { PW_CHECK_HEAD("sends"), .effect = PW_EFFECT_SENDS, .probe = look, .borrow = borrow };
static const struct pw_check reads = { PW_CHECK_HEAD("reads"), .effect = PW_EFFECT_READS, .probe = look, .borrow = borrow };
static const struct pw_check rules = { PW_CHECK_HEAD("rules"), .effect = PW_EFFECT_READS, .probe = look };
static const struct pw_check captures = { PW_CHECK_HEAD("captures"), .effect = PW_EFFECT_PRIVILEGED, .probe = look };
static const struct pw_check thinks = { PW_CHECK_HEAD("thinks"), .effect = PW_EFFECT_NONE };
/* As a plugin built with older headers declares it: what lies behind its end is not its own. */
static const struct pw_check older = { .abi = PW_CHECK_ABI, .size = offsetof(struct pw_check, borrow), .name = "older", .effect = PW_EFFECT_SENDS,
	.probe = look, .borrow = borrow };

static const struct pw_vantage here = { .kind = PW_AT_HERE }, node = { .kind = PW_AT_NODE, .node = "n1" },
	pod = { .kind = PW_AT_POD, .ns = "shop", .pod = "web", .node = "n1", .uid = "u" },
	served = { .kind = PW_AT_POD, .ns = "shop", .pod = "web", .node = "n1", .uid = "u", .agent = "packetwalk-agent-x" };

static const struct pw_ways nothing = { .via = false }, ssh = { .via = true }, found = { .kubectl = true }, chosen = { .via = true, .kubectl = true },
	full = { .kubectl = true, .probe_pods = true, .node_pods = true };

static void is(const struct pw_ways *ways, const struct pw_check *check, const struct pw_vantage *at, struct pw_consent consent,
	       enum pw_way way, enum pw_effect effect, bool allowed, const char *what)
{
	struct pw_way_choice choice = pw_way_choose(ways, check, at, &consent);
	ok(choice.way == way && choice.effect == effect && choice.allowed == allowed, "%s (%d, %s, %s)", what, (int)choice.way,
	   pw_effect_word(choice.effect), choice.allowed ? "allowed" : "not allowed");
}

static void test_without_steps(void)
{
	struct pw_consent usual = pw_consent_up_to(PW_EFFECT_SENDS);
	is(&nothing, &sends, &here, usual, PW_WAY_LOCAL, PW_EFFECT_SENDS, true, "here");
	is(&full, &thinks, &pod, usual, PW_WAY_LOCAL, PW_EFFECT_NONE, true, "a check that does not look needs no way");
	is(&nothing, &sends, &pod, usual, PW_WAY_NONE, PW_EFFECT_SENDS, true, "no way at all: its reason is said when it is tried");
	is(&nothing, &captures, &pod, usual, PW_WAY_NONE, PW_EFFECT_PRIVILEGED, false, "and what it would do there still has to be allowed");
	is(&ssh, &sends, &node, usual, PW_WAY_AGENT, PW_EFFECT_SENDS, true, "a transport leads anywhere, and was chosen");
	is(&ssh, &captures, &node, usual, PW_WAY_AGENT, PW_EFFECT_PRIVILEGED, false, "which does not allow what is done there");
	is(&chosen, &sends, &served, usual, PW_WAY_AGENT, PW_EFFECT_SENDS, true, "kubectl into an agent's pod, when chosen");
	is(&found, &sends, &served, usual, PW_WAY_AGENT, PW_EFFECT_EXECS, false, "is a program run in a pod, when only found");
}

static void test_ladder(void)
{
	struct pw_consent usual = pw_consent_up_to(PW_EFFECT_SENDS), execs = pw_consent_up_to(PW_EFFECT_EXECS), creates = pw_consent_up_to(PW_EFFECT_CREATES),
			  all = pw_consent_up_to(PW_EFFECT_PRIVILEGED);
	is(&found, &sends, &pod, usual, PW_WAY_BORROW, PW_EFFECT_EXECS, false, "what is in the container could be borrowed");
	is(&chosen, &sends, &pod, execs, PW_WAY_BORROW, PW_EFFECT_EXECS, true, "and is, when that is allowed");
	is(&found, &older, &pod, execs, PW_WAY_NONE, PW_EFFECT_SENDS, true, "not for a check that cannot");
	const struct pw_vantage bare = { .kind = PW_AT_POD, .ns = "shop", .pod = "web", .node = "n1", .uid = "u", .bare = true };
	is(&found, &sends, &bare, execs, PW_WAY_NONE, PW_EFFECT_SENDS, true, "nor where nothing is in the container");
	is(&full, &sends, &bare, execs, PW_WAY_PROBE_POD, PW_EFFECT_CREATES, false, "then the next way is asked for");
	is(&found, &rules, &node, all, PW_WAY_NONE, PW_EFFECT_READS, true, "nor on a node");
	is(&full, &sends, &pod, usual, PW_WAY_BORROW, PW_EFFECT_EXECS, false, "of several ways the least is asked for");
	is(&full, &sends, &pod, creates, PW_WAY_PROBE_POD, PW_EFFECT_CREATES, true, "of those allowed the best is gone");
	is(&full, &sends, &pod, all, PW_WAY_NODE_POD, PW_EFFECT_PRIVILEGED, true, "up to the top");
	is(&full, &reads, &pod, creates, PW_WAY_BORROW, PW_EFFECT_EXECS, true, "a pod's own files are read in itself");
	is(&full, &rules, &node, usual, PW_WAY_NODE_POD, PW_EFFECT_PRIVILEGED, false, "a node has one way");
	struct pw_consent no = usual;
	no.refused = 1u << PW_EFFECT_EXECS;
	is(&full, &sends, &pod, no, PW_WAY_PROBE_POD, PW_EFFECT_CREATES, false, "who refused the least is asked for the next");
	no.refused |= 1u << PW_EFFECT_CREATES | 1u << PW_EFFECT_PRIVILEGED;
	is(&full, &sends, &pod, no, PW_WAY_BORROW, PW_EFFECT_EXECS, false, "and after all of them it is the least that stays closed");
}

static void test_made(void)
{
	struct pw_consent usual = pw_consent_up_to(PW_EFFECT_SENDS);
	struct pw_made made = { .kind = PW_MADE_PROBE, .stage = PW_MADE_RUNNING };
	const struct pw_vantage beside = { .kind = PW_AT_POD, .ns = "shop", .pod = "web", .node = "n1", .uid = "u", .probe_pod = &made };
	is(&full, &sends, &beside, usual, PW_WAY_PROBE_POD, PW_EFFECT_SENDS, true, "what was made with consent is used again");
	made.stage = PW_MADE_GONE;
	is(&full, &sends, &beside, pw_consent_up_to(PW_EFFECT_CREATES), PW_WAY_BORROW, PW_EFFECT_EXECS, true, "not once it has ended");
}

static void says(enum pw_way way, enum pw_effect effect, const struct pw_vantage *at, const char *want)
{
	struct pw_buf out;
	pw_buf_init(&out, 1024);
	pw_way_say(&(struct pw_way_choice){ .way = way, .effect = effect }, &sends, at, &out);
	is_str(pw_buf_str(&out), want, "what allowing it means");
	pw_buf_release(&out);
}

static void test_words(void)
{
	says(PW_WAY_LOCAL, PW_EFFECT_SENDS, &here, "sends packets");
	says(PW_WAY_AGENT, PW_EFFECT_SENDS, &served, "sends packets");
	says(PW_WAY_AGENT, PW_EFFECT_EXECS, &served, "starts an agent with kubectl exec in pod packetwalk/packetwalk-agent-x");
	says(PW_WAY_BORROW, PW_EFFECT_EXECS, &pod, "runs programs of its container (sh, and what it has of curl, nc, getent and the like) with kubectl exec in "
	     "pod shop/web on n1");
	says(PW_WAY_PROBE_POD, PW_EFFECT_CREATES, &pod, "creates a pod, removed afterwards, beside pod shop/web on n1");
	says(PW_WAY_NODE_POD, PW_EFFECT_PRIVILEGED, &node, "creates a privileged pod, removed afterwards, to reach node n1");
}

int main(void)
{
	test_without_steps();
	test_ladder();
	test_made();
	test_words();
	return tap_done();
}
