/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps as tasks of the executor: filled in, started, cancelled, collected and rolled up. */
#include <run/slots.h>

#include <string.h>

#include <base/text.h>
#include <run/where.h>

#define MAX_LOOP 256 /* items of one `for:`; the rest is left out and said */

int pw_slots_init(struct pw_slots *slots, const struct pw_play *play, struct pw_err *err)
{
	slots->n = play->n_steps;
	slots->slots = pw_arena_array(slots->arena, play->n_steps + 1, sizeof *slots->slots);
	if (!slots->slots)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	for (size_t i = 0; i < play->n_steps; i++)
		slots->slots[i].step = &play->steps[i];
	return PW_OK;
}

/* ---- starting ---- */

/* NULL: they are not known yet. */
static const struct pw_val *params_of(const struct pw_slots *slots, const struct pw_play_step *step)
{
	struct pw_val *given = pw_val_map(slots->arena), *params = NULL;
	int rc = step->with ? pw_scope_expand_val(slots->scope, step->with, slots->arena, &given, NULL) : PW_OK;
	return rc || pw_params_check(step->decl, given, slots->arena, &params, NULL) ? NULL : params;
}

/* Where the check is to look, and the way there. */
static int find_place(const struct pw_slots *slots, const struct pw_play_step *step, const struct pw_consent *consent,
		      struct pw_vantage *ret, struct pw_way_choice *ret_choice, struct pw_err *err)
{
	int rc = pw_where(slots->scope, slots->facts, step->at, slots->here, slots->arena, ret, err);
	if (rc)
		return rc;
	if (pw_executor_ways(slots->executor)->creation)
		pw_way_plan(pw_executor_ways(slots->executor), slots->facts, step->decl, params_of(slots, step), ret);
	ret->bare = pw_executor_is_bare(slots->executor, ret);
	*ret_choice = pw_way_choose(pw_executor_ways(slots->executor), step->decl, ret, consent);
	ret->way = ret_choice->way;
	return PW_OK;
}

typedef void say_way_fn(const struct pw_way_choice *choice, const struct pw_check *check, const struct pw_vantage *vantage, struct pw_buf *out);

static const char *say_choice(const struct pw_slots *slots, const struct pw_play_step *step, const struct pw_vantage *vantage,
			      const struct pw_way_choice *choice, say_way_fn *say)
{
	struct pw_buf said;
	pw_buf_init(&said, 1024);
	say(choice, step->decl, vantage, &said);
	const char *text = pw_arena_strdup(slots->arena, pw_buf_str(&said));
	pw_buf_release(&said);
	return text ? text : "";
}

/* Ahead of its turn nothing is started that leaves more than packets behind. */
static struct pw_consent consent_for(const struct pw_slots *slots, bool ahead)
{
	struct pw_consent consent = *slots->consent;
	if (ahead)
		consent.allowed &= pw_consent_up_to(PW_EFFECT_SENDS).allowed;
	return consent;
}

static int start_item(struct pw_slots *slots, struct pw_slot *slot, struct pw_slot_item *item, bool ahead, struct pw_err *err)
{
	const struct pw_play_step *step = slot->step;
	const struct pw_consent consent = consent_for(slots, ahead);
	struct pw_vantage vantage;
	struct pw_way_choice choice;
	struct pw_val *given = pw_val_map(slots->arena), *params = NULL;
	struct pw_buf said;
	int rc = step->with ? pw_scope_expand_val(slots->scope, step->with, slots->arena, &given, err) : PW_OK;
	if (!rc)
		rc = pw_params_check(step->decl, given, slots->arena, &params, err);
	if (!rc)
		rc = find_place(slots, step, &consent, &vantage, &choice, err);
	if (!rc && !choice.allowed)
		rc = pw_err_set(err, PW_DENIED, "not run: it %s, and that was not allowed", say_choice(slots, step, &vantage, &choice, pw_way_say));
	if (rc)
		return rc;
	pw_buf_init(&said, 1024);
	pw_vantage_say(&vantage, &said);
	item->vantage = pw_arena_strdup(slots->arena, pw_buf_str(&said));
	pw_buf_release(&said);
	item->task = ++*slots->next_task;
	struct pw_task task = { .id = item->task, .check = step->decl, .vantage = &vantage, .params = params,
				.facts = slots->facts, .timeout_ms = step->timeout_ms };
	return pw_executor_start(slots->executor, &task, err);
}

/* The loop variable is `value` from here on; what it hides is returned, to be shown again. */
static const struct pw_val *enter_item(const struct pw_slots *slots, const struct pw_play_step *step, const struct pw_val *value)
{
	const char *name = step->as ? step->as : "item";
	const struct pw_val *shadowed = pw_scope_get(slots->scope, name);
	pw_scope_set(slots->scope, name, value);
	return shadowed;
}

static void leave_item(const struct pw_slots *slots, const struct pw_play_step *step, const struct pw_val *shadowed)
{
	const char *name = step->as ? step->as : "item";
	pw_scope_unset(slots->scope, name);
	if (shadowed)
		pw_scope_set(slots->scope, name, shadowed);
}

static int start_loop_item(struct pw_slots *slots, struct pw_slot *slot, struct pw_slot_item *item, bool ahead, struct pw_err *err)
{
	const struct pw_val *shadowed = enter_item(slots, slot->step, item->value);
	int rc = start_item(slots, slot, item, ahead, err);
	leave_item(slots, slot->step, shadowed);
	return rc;
}

/* The list of a loop: a sequence, or one value standing for itself. */
static int expand_list(const struct pw_slots *slots, struct pw_slot *slot, struct pw_err *err)
{
	struct pw_val *list = NULL;
	int rc = pw_scope_expand(slots->scope, slot->step->for_each, slots->arena, &list, err);
	if (rc)
		return rc;
	bool one = !pw_val_is(list, PW_VAL_SEQ);
	size_t n = one ? 1 : pw_val_count(list);
	if (one && (pw_val_is(list, PW_VAL_NULL) || (pw_val_text(list) && !*pw_val_text(list))))
		n = 0;
	if (n > MAX_LOOP)
		n = MAX_LOOP;
	slot->items = pw_arena_array(slots->arena, n + 1, sizeof *slot->items);
	if (!slot->items)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	slot->n_items = n;
	for (size_t i = 0; i < n; i++)
		slot->items[i].value = one ? list : pw_val_at(list, i);
	return PW_OK;
}

/* What could not be started is a result too: of this item alone. */
static void fail_item(struct pw_slots *slots, struct pw_slot_item *item, const struct pw_err *err)
{
	item->done = true;
	item->task = 0;
	item->result = (struct pw_task_done){ .code = err->code, .outcome = PW_OUTCOME_UNKNOWN, .klass = PW_CLASS_UNKNOWN,
		.reason = pw_arena_strdup(slots->arena, err->text), .evidence = pw_val_map(slots->arena),
		.observation = pw_val_map(slots->arena) };
}

static void set_limit(struct pw_slot *slot)
{
	slot->limit_ms = slot->step->timeout_ms ? slot->step->timeout_ms : slot->step->decl->timeout_ms;
}

int pw_slots_start(struct pw_slots *slots, size_t index, bool ahead, struct pw_err *err)
{
	struct pw_slot *slot = &slots->slots[index];
	bool loop = slot->step->for_each != NULL;
	if (!slot->step->decl)
		return pw_err_set(err, PW_ABSENT, "there is no check '%s'", slot->step->check);
	slot->started_ms = pw_mono_ms();
	set_limit(slot);
	if (!loop) {
		slot->n_items = 1;
		slot->items = pw_arena_array(slots->arena, 1, sizeof *slot->items);
		int rc = slot->items ? start_item(slots, slot, slot->items, ahead, err) : pw_err_set(err, PW_NOMEM, "out of memory");
		slot->in_turn_only = slot->in_turn_only || (ahead && rc == PW_DENIED);
		if (rc)
			return rc;
		slot->n_left = 1;
		slot->state = PW_SLOT_RUNNING;
		return PW_OK;
	}
	int rc = expand_list(slots, slot, err);
	if (rc)
		return rc;
	slot->n_left = 0;
	slot->state = PW_SLOT_RUNNING;
	for (size_t i = 0; i < slot->n_items; i++) {
		struct pw_err item_err = PW_ERR_INIT;
		rc = start_loop_item(slots, slot, &slot->items[i], ahead, &item_err);
		if (rc && ahead) {
			slot->n_items = i;
			slot->in_turn_only = true;
			pw_slots_cancel(slots, index);
			return pw_err_set(err, rc, "%s", item_err.text);
		}
		if (rc)
			fail_item(slots, &slot->items[i], &item_err);
		else
			slot->n_left++;
	}
	slot->state = slot->n_left ? PW_SLOT_RUNNING : PW_SLOT_DONE;
	return PW_OK;
}

/* ---- what is allowed ---- */

/* One check of the step: may it run? Its place may not be known yet; then only what it does there counts. */
static bool wants_item(const struct pw_slots *slots, const struct pw_play_step *step, struct pw_slot_wants *ret)
{
	struct pw_vantage vantage = { .kind = PW_AT_HERE };
	struct pw_way_choice choice;
	if (find_place(slots, step, slots->consent, &vantage, &choice, NULL))
		choice = pw_way_choose(pw_executor_ways(slots->executor), step->decl, &vantage, slots->consent);
	if (choice.allowed)
		return false;
	*ret = (struct pw_slot_wants){ .choice = choice, .does = say_choice(slots, step, &vantage, &choice, pw_way_say),
				       .exactly = say_choice(slots, step, &vantage, &choice, pw_way_say_exactly),
				       .refused = (slots->consent->refused & 1u << choice.effect) != 0 };
	return true;
}

bool pw_slots_wants(struct pw_slots *slots, size_t index, struct pw_slot_wants *ret)
{
	struct pw_slot *slot = &slots->slots[index];
	size_t n_wants = 0;
	if (!slot->step->decl || slot->state != PW_SLOT_IDLE)
		return false;
	if (!slot->step->for_each || expand_list(slots, slot, NULL) || !slot->n_items) {
		bool wants = wants_item(slots, slot->step, ret);
		ret->all = wants;
		return wants;
	}
	for (size_t i = 0; i < slot->n_items; i++) {
		struct pw_slot_wants one;
		const struct pw_val *shadowed = enter_item(slots, slot->step, slot->items[i].value);
		if (wants_item(slots, slot->step, &one) && (n_wants++ == 0 || (ret->refused && !one.refused)))
			*ret = one;
		leave_item(slots, slot->step, shadowed);
	}
	if (n_wants)
		ret->all = n_wants == slot->n_items;
	return n_wants != 0;
}

static bool mentions_this(const struct pw_val *val)
{
	const char *text = pw_val_text(val);
	if (text)
		return strstr(text, "${this") != NULL;
	for (size_t i = 0; i < pw_val_count(val); i++)
		if (mentions_this(pw_val_at(val, i)))
			return true;
	return false;
}

bool pw_slots_reads_this(const struct pw_play_step *step)
{
	return mentions_this(step->with) || (step->at && strstr(step->at, "${this")) || (step->for_each && strstr(step->for_each, "${this"));
}

/* ---- collecting ---- */

bool pw_slots_take(struct pw_slots *slots, const struct pw_task_done *done)
{
	for (size_t s = 0; s < slots->n; s++) {
		struct pw_slot *slot = &slots->slots[s];
		for (size_t i = 0; slot->state == PW_SLOT_RUNNING && i < slot->n_items; i++) {
			if (slot->items[i].task != done->id || slot->items[i].done)
				continue;
			slot->items[i].result = *done;
			slot->items[i].done = true;
			if (--slot->n_left == 0)
				slot->state = PW_SLOT_DONE;
			return true;
		}
	}
	return false;
}

void pw_slots_cancel(struct pw_slots *slots, size_t index)
{
	struct pw_slot *slot = &slots->slots[index];
	if (slot->state != PW_SLOT_RUNNING)
		return;
	for (size_t i = 0; i < slot->n_items; i++)
		if (!slot->items[i].done)
			pw_executor_cancel(slots->executor, slot->items[i].task);
	slot->state = PW_SLOT_IDLE;
	slot->n_items = slot->n_left = 0;
}

void pw_slots_cancel_all(struct pw_slots *slots)
{
	for (size_t i = 0; i < slots->n; i++)
		pw_slots_cancel(slots, i);
}

void pw_slots_forget(struct pw_slots *slots, size_t index)
{
	pw_slots_cancel(slots, index);
	slots->slots[index].state = PW_SLOT_IDLE;
}

/* ---- results ---- */

static const char *sentence(const struct pw_task_done *done)
{
	if (done->says && *done->says)
		return done->says;
	return done->reason ? done->reason : "";
}

static void plain_result(const struct pw_slot *slot, struct pw_step_result *ret)
{
	const struct pw_task_done *done = &slot->items[0].result;
	ret->outcome = done->outcome;
	ret->klass = done->klass;
	ret->says = sentence(done);
	ret->evidence = done->evidence;
	ret->observation = done->observation;
	ret->duration_ms = done->duration_ms;
	ret->vantage = slot->items[0].vantage;
}

/* What all said, or for a mixture who had what: "refused: 10.0.0.1:80; connected: 10.0.0.2:80, 10.0.0.3:80". */
static const char *say_loop(const struct pw_slots *slots, const struct pw_slot *slot, const struct pw_val *evidence)
{
	const char *differs = pw_map_str(evidence, "differs", "");
	if (!slot->n_items)
		return pw_arena_printf(slots->arena, "The list %s is empty: there was nothing to look at.", slot->step->for_each);
	if (*differs)
		return differs;
	if (slot->n_items == 1)
		return sentence(&slot->items[0].result);
	return pw_arena_printf(slots->arena, "All %zu alike, the first: %s", slot->n_items, sentence(&slot->items[0].result));
}

/* The gravest of the items: what one endpoint out of three does wrong is still wrong. */
static enum pw_class gravest(const struct pw_slot *slot)
{
	static const int weight[] = { [PW_CLASS_OK] = 1, [PW_CLASS_SKIPPED] = 0, [PW_CLASS_UNKNOWN] = 2, [PW_CLASS_WARN] = 3,
				      [PW_CLASS_ERROR] = 4, [PW_CLASS_FAIL] = 5 };
	enum pw_class worst = slot->n_items ? slot->items[0].result.klass : PW_CLASS_UNKNOWN;
	for (size_t i = 1; i < slot->n_items; i++)
		if (weight[slot->items[i].result.klass] > weight[worst])
			worst = slot->items[i].result.klass;
	return worst;
}

/* As pw_loop_evidence and the walk want them. */
static struct pw_val *item_list(const struct pw_slots *slots, const struct pw_slot *slot)
{
	struct pw_val *items = pw_val_seq(slots->arena);
	for (size_t i = 0; i < slot->n_items; i++) {
		const struct pw_slot_item *item = &slot->items[i];
		struct pw_val *one = pw_seq_add_map(items);
		pw_map_set(one, "item", pw_val_copy(slots->arena, item->value));
		pw_map_set_str(one, "outcome", item->result.outcome);
		pw_map_set_str(one, "says", sentence(&item->result));
		pw_map_set_str(one, "vantage", item->vantage);
		pw_map_set(one, "evidence", pw_val_copy(slots->arena, item->result.evidence));
	}
	return items;
}

static const char *common_vantage(const struct pw_slots *slots, const struct pw_slot *slot)
{
	const char *first = slot->n_items ? slot->items[0].vantage : NULL;
	for (size_t i = 1; first && i < slot->n_items; i++)
		if (!slot->items[i].vantage || strcmp(slot->items[i].vantage, first) != 0)
			return pw_arena_printf(slots->arena, "%zu places", slot->n_items);
	return first;
}

static int loop_result(const struct pw_slots *slots, const struct pw_slot *slot, struct pw_step_result *ret, struct pw_err *err)
{
	struct pw_val *items = item_list(slots, slot), *evidence = pw_loop_evidence(items, NULL, 0, slots->arena);
	const char **outcomes = pw_arena_array(slots->arena, slot->n_items + 1, sizeof *outcomes);
	struct pw_val *observations = pw_val_map(slots->arena), *seq = pw_map_set_seq(observations, "items");
	if (!outcomes || !evidence)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	for (size_t i = 0; i < slot->n_items; i++) {
		outcomes[i] = slot->items[i].result.outcome;
		pw_seq_add(seq, pw_val_copy(slots->arena, slot->items[i].result.observation));
		if (slot->items[i].result.duration_ms > ret->duration_ms)
			ret->duration_ms = slot->items[i].result.duration_ms;
	}
	ret->evidence = evidence;
	ret->items = items;
	ret->observation = observations;
	ret->outcome = pw_loop_outcome(outcomes, slot->n_items, slots->arena);
	ret->klass = gravest(slot);
	ret->says = say_loop(slots, slot, evidence);
	ret->vantage = common_vantage(slots, slot);
	if (!ret->outcome || !ret->says || pw_arena_failed(slots->arena))
		return pw_err_set(err, PW_NOMEM, "out of memory");
	return PW_OK;
}

int pw_slots_result(const struct pw_slots *slots, size_t index, struct pw_step_result *ret, struct pw_err *err)
{
	const struct pw_slot *slot = &slots->slots[index];
	const struct pw_play_step *step = slot->step;
	struct pw_step_result result = { .id = step->id, .check = step->check, .title = step->title, .hop = step->hop };
	if (slot->state != PW_SLOT_DONE)
		return pw_err_set(err, PW_INTERNAL, "step %s is read before it ended", step->id);
	if (step->for_each) {
		int rc = loop_result(slots, slot, &result, err);
		if (rc)
			return rc;
	} else {
		plain_result(slot, &result);
	}
	*ret = result;
	return PW_OK;
}
