/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver of a walk: one loop that asks the pure walker what it wants and gets it. */
#include <run/driver.h>

#include <string.h>

#include <base/text.h>
#include <run/driver_priv.h>
#include <run/inputs.h>

#define FIRST_REPORT_MS 2000 /* a wait longer than this says what it waits for */
#define NEXT_REPORT_MS 5000
#define MAX_DEPTH 8          /* of playbooks calling playbooks */

static unsigned kinds_of(const struct pw_play *play, unsigned depth)
{
	unsigned kinds = pw_inputs_kinds(play);
	for (size_t i = 0; i < play->n_steps; i++) {
		const struct pw_play_step *step = &play->steps[i];
		kinds |= step->decl ? step->decl->facts : 0;
		if (step->at && (strstr(step->at, "${") || strchr(step->at, '/')))
			kinds |= PW_FACT_PODS | PW_FACT_NODES; /* where a pod is, only its object says */
		if (step->callee && depth < MAX_DEPTH)
			kinds |= kinds_of(step->callee, depth + 1);
	}
	return kinds;
}

/* What a drawing of the path shows, where the inputs name one. */
static unsigned drawing_kinds(const struct pw_play *play)
{
	static const unsigned kinds = PW_FACT_NODES | PW_FACT_NAMESPACES | PW_FACT_POLICIES | PW_FACT_SERVICES | PW_FACT_SLICES;
	bool from = false, to = false;
	for (size_t i = 0; i < play->n_inputs; i++) {
		from = from || (strcmp(play->inputs[i].name, "from") == 0 && play->inputs[i].type == PW_TYPE_POD);
		to = to || strcmp(play->inputs[i].name, "to") == 0;
	}
	return from && to ? kinds : 0;
}

unsigned pw_driver_kinds(const struct pw_play *play) { return kinds_of(play, 0) | drawing_kinds(play); }

/* ---- telling ---- */

static void tell(struct pw_driver *d, struct pw_driver_event event)
{
	struct pw_frame *frame = d->top;
	if (!d->config.ops.event)
		return;
	event.driver = d;
	event.play = frame->play;
	event.depth = frame->depth;
	event.ledger = pw_walk_ledger(frame->walk);
	pw_walk_left(frame->walk, &event.left_best, &event.left_worst);
	d->config.ops.event(d->config.ops.arg, &event);
}

/* It has not begun, because its place is still being made. */
static bool report_making(struct pw_driver *d, const struct pw_slot *slot, struct pw_buf *text)
{
	unsigned elapsed = 0, limit = 0;
	bool making = false;
	for (size_t i = 0; i < slot->n_items && !making; i++)
		making = !slot->items[i].done && pw_executor_waits(d->config.executor, slot->items[i].task, text, &elapsed, &limit);
	if (making)
		tell(d, (struct pw_driver_event){ .kind = PW_EV_WAIT, .step = slot->step, .text = pw_buf_str(text), .elapsed_ms = elapsed, .limit_ms = limit });
	return making;
}

static void report_wait(struct pw_driver *d, const struct pw_slot *slot, int64_t now)
{
	unsigned elapsed = (unsigned)(now - slot->started_ms);
	const char *where = NULL;
	size_t left = 0;
	for (size_t i = 0; i < slot->n_items; i++)
		if (!slot->items[i].done) {
			where = where ? where : slot->items[i].vantage;
			left++;
		}
	struct pw_buf text;
	pw_buf_init(&text, 1024);
	if (report_making(d, slot, &text)) {
		pw_buf_release(&text);
		return;
	}
	pw_buf_printf(&text, "%s%s%s", slot->step->check, where && strcmp(where, "here") ? " at " : "", where && strcmp(where, "here") ? where : "");
	if (left > 1)
		pw_buf_printf(&text, " and %zu more", left - 1);
	tell(d, (struct pw_driver_event){ .kind = PW_EV_WAIT, .step = slot->step, .text = pw_buf_str(&text),
					  .elapsed_ms = elapsed, .limit_ms = slot->limit_ms });
	pw_buf_release(&text);
}

/* ---- starting ahead ---- */

static bool may_start_ahead(const struct pw_driver *d, const struct pw_play_step *step)
{
	return step->kind == PW_STEP_CHECK && step->decl && step->decl->effect <= PW_EFFECT_SENDS &&
	       pw_consent_allows(&d->consent, step->decl->effect) && !(step->decl->needs & PW_NEEDS_QUIET) &&
	       !pw_slots_reads_this(step);
}

/* Starts what can still be reached, nearest first, while there is room. What does not resolve yet comes later. */
static void start_ahead(struct pw_driver *d)
{
	struct pw_frame *frame = d->top;
	const int *reachable = NULL;
	unsigned jobs = d->config.jobs ? d->config.jobs : PW_DRIVER_JOBS;
	if (jobs == 1)
		return;
	size_t n = pw_walk_reachable(frame->walk, d->config.arena, &reachable);
	for (size_t i = 0; i < n && pw_executor_running(d->config.executor) < jobs; i++) {
		size_t index = (size_t)reachable[i];
		struct pw_slot *slot = &frame->slots.slots[index];
		if (slot->state == PW_SLOT_IDLE && !slot->in_turn_only && may_start_ahead(d, slot->step) && !pw_known_has(d, frame, slot->step))
			(void)pw_slots_start(&frame->slots, index, true, NULL);
	}
}

static void drop_unreachable(struct pw_driver *d)
{
	struct pw_frame *frame = d->top;
	const int *reachable = NULL;
	size_t n = pw_walk_reachable(frame->walk, d->config.arena, &reachable);
	for (size_t s = 0; s < frame->slots.n; s++) {
		bool needed = false;
		for (size_t i = 0; i < n && !needed; i++)
			needed = (size_t)reachable[i] == s;
		if (!needed)
			pw_slots_cancel(&frame->slots, s);
	}
}

/* ---- waiting ---- */

static int collect(struct pw_driver *d, int timeout_ms, struct pw_err *err)
{
	struct pw_task_done done;
	int rc = pw_executor_wait(d->config.executor, timeout_ms, d->config.wake_fd, d->config.arena, &done, err);
	for (struct pw_frame *f = d->top; rc == 1 && f; f = f->parent)
		if (pw_slots_take(&f->slots, &done))
			break;
	return rc;
}

static void stop(struct pw_driver *d, enum pw_driver_end end)
{
	for (struct pw_frame *f = d->top; f; f = f->parent)
		pw_slots_cancel_all(&f->slots);
	d->end = end;
}

/* A signal or the deadline: true when the run is over. */
static bool broken_off(struct pw_driver *d, bool *ret_cancel)
{
	if (d->config.deadline_ms && pw_mono_ms() >= d->config.deadline_ms) {
		stop(d, PW_END_DEADLINE);
		return true;
	}
	enum pw_driver_signal sig = d->config.ops.signal ? d->config.ops.signal(d->config.ops.arg) : PW_SIGNAL_NONE;
	if (sig == PW_SIGNAL_STOP)
		stop(d, PW_END_STOPPED);
	*ret_cancel = sig == PW_SIGNAL_CANCEL;
	return sig == PW_SIGNAL_STOP;
}

static int until(const struct pw_driver *d, int64_t report_at, int64_t now)
{
	int64_t at = report_at;
	if (d->config.deadline_ms && d->config.deadline_ms < at)
		at = d->config.deadline_ms;
	return at > now ? (int)(at - now) : 0;
}

/* Until the slot is done, a person cancelled it (*ret_cancelled), or the run is over (d->end). */
static int wait_slot(struct pw_driver *d, size_t index, bool *ret_cancelled, struct pw_err *err)
{
	struct pw_slot *slot = &d->top->slots.slots[index];
	int64_t report_at = pw_mono_ms() + FIRST_REPORT_MS;
	while (slot->state == PW_SLOT_RUNNING) {
		int64_t now = pw_mono_ms();
		int rc = collect(d, until(d, report_at, now), err);
		if (rc < 0)
			return rc;
		if (rc == 1 && !d->alone)
			start_ahead(d);
		if (broken_off(d, ret_cancelled))
			return PW_OK;
		if (*ret_cancelled) {
			pw_slots_cancel(&d->top->slots, index);
			return PW_OK;
		}
		now = pw_mono_ms();
		if (slot->state == PW_SLOT_RUNNING && now >= report_at) {
			report_wait(d, slot, now);
			report_at = now + NEXT_REPORT_MS;
		}
		if (slot->state == PW_SLOT_RUNNING && !pw_executor_running(d->config.executor))
			return pw_err_set(err, PW_INTERNAL, "step %s is awaited, but nothing runs", slot->step->id);
	}
	return PW_OK;
}

/* For a check that measures its surroundings: until nothing else runs. */
static int wait_quiet(struct pw_driver *d, bool *ret_cancelled, struct pw_err *err)
{
	while (pw_executor_running(d->config.executor)) {
		int64_t now = pw_mono_ms();
		int rc = collect(d, until(d, now + FIRST_REPORT_MS, now), err);
		if (rc < 0)
			return rc;
		if (broken_off(d, ret_cancelled) || *ret_cancelled)
			return PW_OK;
	}
	return PW_OK;
}

/* ---- one step ---- */

static struct pw_step_result unmade(const struct pw_play_step *step, const char *outcome, enum pw_class klass, const char *says,
				    struct pw_arena *arena)
{
	return (struct pw_step_result){ .id = step->id, .check = step->check, .title = step->title, .hop = step->hop,
		.outcome = outcome, .klass = klass, .says = says ? says : "", .evidence = pw_val_map(arena),
		.observation = pw_val_map(arena) };
}

static struct pw_step_result unknown(struct pw_driver *d, const struct pw_play_step *step, const struct pw_err *err)
{
	enum pw_class klass = err->code == PW_INTERNAL || err->code == PW_USAGE ? PW_CLASS_ERROR : PW_CLASS_UNKNOWN;
	return unmade(step, PW_OUTCOME_UNKNOWN, klass, pw_arena_strdup(d->config.arena, err->text), d->config.arena);
}

static struct pw_step_result above_effect(struct pw_driver *d, const struct pw_play_step *step, const struct pw_slot_wants *wants)
{
	const char *word = pw_effect_word(wants->choice.effect), *most = pw_effect_word(d->config.max_effect);
	const char *title = step->title ? step->title : step->id, *what = step->check;
	/* What the way takes is said; what the check itself does, its name says. */
	if (wants->choice.effect > step->decl->effect)
		what = pw_arena_printf(d->config.arena, "%s %s, which", step->check, wants->does);
	return unmade(step, PW_OUTCOME_SKIPPED, PW_CLASS_SKIPPED,
		      pw_arena_printf(d->config.arena, "Not run: %s has the effect '%s', and no more than '%s' is allowed. "
				      "Open question: %s. --max-effect %s would settle it.", what ? what : step->check, word, most, title, word),
		      d->config.arena);
}

/* May any of its checks run? A person is asked once for each class, and may allow one way after refusing another. */
static bool allowed(struct pw_driver *d, size_t index, struct pw_slot_wants *ret)
{
	const struct pw_driver_ops *ops = &d->config.ops;
	bool wants;
	while ((wants = pw_slots_wants(&d->top->slots, index, ret)) && !ret->refused && ops->consent) {
		unsigned bit = 1u << ret->choice.effect;
		if (ops->consent(ops->arg, d->top->slots.slots[index].step, ret->choice.effect, ret->exactly))
			d->consent.allowed |= bit;
		else
			d->consent.refused |= bit;
	}
	return !wants || !ret->all;
}

static int run_check(struct pw_driver *d, const struct pw_play_step *step, size_t index, struct pw_step_result *ret, struct pw_err *err)
{
	struct pw_slot *slot = &d->top->slots.slots[index];
	struct pw_err why = PW_ERR_INIT;
	bool cancelled = false;
	int rc = PW_OK;
	d->alone = step->decl && (step->decl->needs & PW_NEEDS_QUIET);
	if (d->alone)
		rc = wait_quiet(d, &cancelled, err);
	if (rc || d->end)
		return rc;
	if (slot->state == PW_SLOT_IDLE && !cancelled && pw_slots_start(&d->top->slots, index, false, &why)) {
		*ret = unknown(d, step, &why);
		return why.code == PW_NOMEM ? pw_err_set(err, PW_NOMEM, "%s", why.text) : PW_OK;
	}
	if (!d->alone && !cancelled)
		start_ahead(d);
	rc = cancelled ? PW_OK : wait_slot(d, index, &cancelled, err);
	if (rc || d->end)
		return rc;
	if (cancelled) {
		*ret = unmade(step, PW_OUTCOME_UNKNOWN, PW_CLASS_UNKNOWN, "Cancelled before it ended (SIGINT).", d->config.arena);
		return PW_OK;
	}
	return pw_slots_result(&d->top->slots, index, ret, err);
}

static int run_ask(struct pw_driver *d, const struct pw_play_step *step, struct pw_step_result *ret, enum pw_driver_say *ret_say,
		   struct pw_err *err)
{
	const char *answer = "not-sure";
	struct pw_buf question;
	pw_buf_init(&question, 8192);
	int rc = pw_scope_expand_text(d->top->scope, step->ask, &question, err);
	const char *text = rc ? NULL : pw_arena_strdup(d->config.arena, pw_buf_str(&question));
	pw_buf_release(&question);
	if (rc)
		return rc;
	if (d->config.ops.ask)
		*ret_say = d->config.ops.ask(d->config.ops.arg, step, text, &answer);
	*ret = unmade(step, pw_arena_strdup(d->config.arena, answer), strcmp(answer, "not-sure") ? PW_CLASS_OK : PW_CLASS_UNKNOWN,
		      pw_arena_printf(d->config.arena, "%s %s.", text, strcmp(answer, "not-sure") ? answer : "Not sure"), d->config.arena);
	pw_map_set_str((struct pw_val *)ret->evidence, "answer", answer);
	return PW_OK;
}

/* Feeds what a step ended in, tells, and asks the person where to go from here. */
static int finish_step(struct pw_driver *d, const struct pw_play_step *step, const struct pw_step_result *ended, struct pw_err *err)
{
	/* The walk keeps what it is fed. */
	struct pw_step_result *result = pw_arena_alloc(d->config.arena, sizeof *result);
	if (!result)
		return pw_err_set(err, PW_NOMEM, "out of memory");
	*result = *ended;
	int rc = pw_results_add(d, result, err);
	if (rc)
		return rc;
	const struct pw_step_result *kept = d->results[d->n_results - 1];
	tell(d, (struct pw_driver_event){ .kind = PW_EV_RESULT, .step = step, .result = kept });
	rc = pw_walk_feed(d->top->walk, result, err);
	if (rc)
		return pw_err_wrap(err, "step %s", step->id);
	drop_unreachable(d);
	tell(d, (struct pw_driver_event){ .kind = PW_EV_EDGE, .step = step, .result = kept,
					  .edge = pw_play_edge_for(step, result->outcome) });
	enum pw_driver_say say = d->config.ops.after ? d->config.ops.after(d->config.ops.arg, step, kept) : PW_SAY_GO;
	d->skip_next = say == PW_SAY_SKIP;
	if (say == PW_SAY_QUIT)
		stop(d, PW_END_STOPPED);
	if (say == PW_SAY_REPEAT)
		return pw_results_rewind(d, 1, err);
	if (say == PW_SAY_BACK)
		return pw_results_rewind(d, 2, err);
	return PW_OK;
}

/* What an earlier run knows of the step. */
static bool take_known(struct pw_driver *d, const struct pw_play_step *step, struct pw_step_result *ret)
{
	const struct pw_step_result *known = pw_known_take(d, d->top, step);
	if (!known)
		return false;
	*ret = *known;
	ret->id = step->id;
	return true;
}

static int walk_check(struct pw_driver *d, const struct pw_play_step *step, struct pw_err *err)
{
	struct pw_step_result result;
	struct pw_slot_wants wants;
	size_t index = (size_t)(step - d->top->play->steps);
	bool known = take_known(d, step, &result);
	tell(d, (struct pw_driver_event){ .kind = PW_EV_STEP, .step = step });
	if (known)
		return finish_step(d, step, &result, err);
	if (d->skip_next) {
		result = unmade(step, PW_OUTCOME_SKIPPED, PW_CLASS_SKIPPED, "Skipped by choice.", d->config.arena);
		return finish_step(d, step, &result, err);
	}
	if (!allowed(d, index, &wants)) {
		result = above_effect(d, step, &wants);
		return finish_step(d, step, &result, err);
	}
	int rc = run_check(d, step, index, &result, err);
	return rc || d->end ? rc : finish_step(d, step, &result, err);
}

static int walk_ask(struct pw_driver *d, const struct pw_play_step *step, struct pw_err *err)
{
	struct pw_step_result result;
	enum pw_driver_say say = PW_SAY_GO;
	bool known = take_known(d, step, &result);
	tell(d, (struct pw_driver_event){ .kind = PW_EV_STEP, .step = step });
	if (known)
		return finish_step(d, step, &result, err);
	int rc = run_ask(d, step, &result, &say, err);
	if (rc)
		return rc;
	if (say == PW_SAY_QUIT) {
		stop(d, PW_END_STOPPED);
		return PW_OK;
	}
	if (say == PW_SAY_BACK)
		return pw_results_rewind(d, 1, err);
	return finish_step(d, step, &result, err);
}

/* ---- playbooks that call playbooks ---- */

static int walk_call(struct pw_driver *d, const struct pw_play_step *step, struct pw_err *err)
{
	struct pw_err why = PW_ERR_INIT;
	tell(d, (struct pw_driver_event){ .kind = PW_EV_STEP, .step = step });
	int rc = d->top->depth >= MAX_DEPTH ? pw_err_set(&why, PW_UNSUPPORTED, "playbooks call each other too deep")
					    : pw_frame_call(d, step, &why);
	if (!rc) {
		tell(d, (struct pw_driver_event){ .kind = PW_EV_ENTER });
		return PW_OK;
	}
	if (rc == PW_NOMEM)
		return pw_err_set(err, PW_NOMEM, "%s", why.text);
	bool cancel = false;
	if (broken_off(d, &cancel)) /* a person quit while being asked for its inputs */
		return PW_OK;
	const char *says = pw_arena_printf(d->config.arena, "Playbook %s was not walked: %s.", step->playbook, why.text);
	struct pw_step_result result = unmade(step, "inconclusive", PW_CLASS_UNKNOWN, says, d->config.arena);
	pw_frame_not_called(d, step, says);
	return finish_step(d, step, &result, err);
}

static int return_call(struct pw_driver *d, struct pw_err *err)
{
	struct pw_step_result result;
	const struct pw_play_step *step = d->top->call;
	tell(d, (struct pw_driver_event){ .kind = PW_EV_LEAVE });
	int rc = pw_frame_return(d, &result, err);
	return rc ? rc : finish_step(d, step, &result, err);
}

static int walk_one(struct pw_driver *d, enum pw_walk_want want, struct pw_err *err)
{
	const struct pw_play_step *step = pw_walk_step(d->top->walk);
	bool cancel = false;
	if (broken_off(d, &cancel))
		return PW_OK;
	switch (want) {
	case PW_WALK_CHECK:
		return walk_check(d, step, err);
	case PW_WALK_ASK:
		return walk_ask(d, step, err);
	case PW_WALK_CALL:
		return walk_call(d, step, err);
	case PW_WALK_DONE:
		break;
	}
	return return_call(d, err);
}

int pw_driver_run(const struct pw_driver_config *config, struct pw_record *ret, enum pw_driver_end *ret_end, struct pw_err *err)
{
	struct pw_driver d = { .config = *config, .consent = pw_consent_up_to(config->max_effect), .started_ms = pw_now_ms(), .mono_ms = pw_mono_ms() };
	int rc = pw_frame_start(&d, err);
	while (!rc && !d.end) {
		enum pw_walk_want want = pw_walk_want(d.top->walk);
		if (want == PW_WALK_DONE && !d.top->parent)
			break;
		rc = walk_one(&d, want, err);
	}
	if (rc && d.top)
		stop(&d, PW_END_STOPPED);
	if (rc)
		return rc;
	rc = d.end ? pw_record_unfinished(&d, ret, err) : pw_record_finished(&d, ret, err);
	if (!rc)
		*ret_end = d.end;
	return rc;
}

int pw_driver_record(const struct pw_driver *driver, struct pw_record *ret, struct pw_err *err)
{
	return pw_record_unfinished(driver, ret, err);
}
