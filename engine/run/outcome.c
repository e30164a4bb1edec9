/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From where a walk ended to what is said about it. */
#include <run/driver_priv.h>

#include <string.h>

#include <base/text.h>

enum pw_status pw_status_of(enum pw_layer layer)
{
	if (layer == PW_LAYER_NONE)
		return PW_STATUS_HEALTHY;
	return layer == PW_LAYER_UNKNOWN ? PW_STATUS_INCONCLUSIVE : PW_STATUS_FAULT;
}

const char *pw_status_word(enum pw_status status)
{
	static const char *const words[] = { [PW_STATUS_HEALTHY] = "healthy", [PW_STATUS_FAULT] = "fault",
					     [PW_STATUS_INCONCLUSIVE] = "inconclusive" };
	return words[status];
}

/* A template filled in; as it is written when something in it is not known. */
static const char *fill(const struct pw_frame *frame, const char *text, struct pw_arena *arena)
{
	struct pw_buf out;
	if (!text)
		return NULL;
	pw_buf_init(&out, 65536);
	bool known = pw_scope_expand_text(frame->scope, text, &out, NULL) == PW_OK && pw_buf_ok(&out);
	const char *filled = pw_arena_strdup(arena, known ? pw_buf_str(&out) : text);
	pw_buf_release(&out);
	return filled;
}

static void add_once(struct pw_val *seq, const char *id)
{
	for (size_t i = 0; i < pw_val_count(seq); i++)
		if (strcmp(pw_val_text(pw_val_at(seq, i)), id) == 0)
			return;
	pw_seq_add_str(seq, id);
}

/* The steps that decided: those that put the layer at fault, and the last one. */
static struct pw_val *because(const struct pw_frame *frame, const struct pw_play_verdict *verdict, struct pw_arena *arena)
{
	struct pw_val *seq = pw_val_seq(arena);
	const struct pw_step_result *const *walked = NULL;
	size_t n = pw_walk_results(frame->walk, &walked);
	const struct pw_ledger *ledger = pw_walk_ledger(frame->walk);
	if (verdict->layer < PW_LAYER_COUNT)
		for (size_t i = 0; i < ledger->rows[verdict->layer].n_because; i++)
			add_once(seq, pw_arena_printf(arena, "%s%s", frame->prefix, ledger->rows[verdict->layer].because[i]));
	if (verdict->layer == PW_LAYER_UNKNOWN)
		for (size_t i = 0; i < n; i++)
			if (walked[i]->klass == PW_CLASS_FAIL || walked[i]->klass == PW_CLASS_WARN)
				add_once(seq, pw_arena_printf(arena, "%s%s", frame->prefix, walked[i]->id));
	if (n)
		add_once(seq, pw_arena_printf(arena, "%s%s", frame->prefix, walked[n - 1]->id));
	return seq;
}

static struct pw_val *claims(const struct pw_play_verdict *verdict, struct pw_arena *arena)
{
	struct pw_val *seq = pw_val_seq(arena);
	for (size_t i = 0; i < verdict->n_could_be; i++) {
		const struct pw_play_claim *claim = &verdict->could_be[i];
		pw_seq_add_str(seq, claim->component ? pw_arena_printf(arena, "%s/%s", pw_layer_word(claim->layer), claim->component)
						     : pw_layer_word(claim->layer));
	}
	return seq;
}

static void merge_ledger(struct pw_ledger *into, const struct pw_ledger *from, const char *prefix, struct pw_arena *arena)
{
	for (size_t i = 0; i < PW_LAYER_COUNT; i++) {
		if (from->rows[i].state == PW_LEDGER_UNTESTED)
			continue;
		into->rows[i] = from->rows[i];
		for (size_t k = 0; k < from->rows[i].n_because; k++)
			into->rows[i].because[k] = pw_arena_printf(arena, "%s%s", prefix, from->rows[i].because[k]);
	}
}

int pw_frame_verdict(const struct pw_driver *driver, const struct pw_frame *frame, struct pw_outcome_verdict *ret,
		     struct pw_ledger *ret_ledger, struct pw_err *err)
{
	struct pw_arena *arena = driver->config.arena;
	const struct pw_play_verdict *verdict = pw_walk_verdict(frame->walk);
	const struct pw_step_result *const *walked = NULL;
	size_t n = pw_walk_results(frame->walk, &walked);
	memset(ret_ledger, 0, sizeof *ret_ledger);
	merge_ledger(ret_ledger, pw_walk_ledger(frame->walk), "", arena);
	if (pw_walk_adopts_callee(frame->walk)) {
		if (!frame->called)
			return pw_err_set(err, PW_INTERNAL, "%s takes the verdict of a playbook it never called", frame->play->name);
		const char *prefix = pw_arena_printf(arena, "%s/", frame->called->id);
		merge_ledger(ret_ledger, &frame->called_ledger, prefix ? prefix : "", arena);
		*ret = frame->called_verdict;
		return PW_OK;
	}
	if (!verdict)
		return pw_err_set(err, PW_INTERNAL, "the walk of %s ended without a verdict", frame->play->name);
	*ret = (struct pw_outcome_verdict){ .id = verdict->id, .layer = verdict->layer, .component = verdict->component,
		.hop = verdict->hop ? verdict->hop : n ? walked[n - 1]->hop : NULL, .says = fill(frame, verdict->says, arena),
		.settle = fill(frame, verdict->settle, arena), .actions = pw_val_seq(arena), .because = because(frame, verdict, arena),
		.could_be = claims(verdict, arena) };
	for (size_t i = 0; i < verdict->n_actions; i++)
		pw_seq_add_str(ret->actions, fill(frame, verdict->actions[i], arena));
	return pw_arena_failed(arena) ? pw_err_set(err, PW_NOMEM, "out of memory") : PW_OK;
}

/* ---- the record ---- */

static void common(const struct pw_driver *d, struct pw_record *record)
{
	const struct pw_driver_config *config = &d->config;
	*record = (struct pw_record){ .playbook = config->play->name, .playbook_hash = config->play->hash,
		.cluster = config->cluster ? config->cluster : "", .cluster_uid = config->cluster_uid ? config->cluster_uid : "",
		.version = PW_VERSION, .started_ms = d->started_ms, .duration_ms = (unsigned)(pw_mono_ms() - d->mono_ms),
		.inputs = config->inputs, .steps = d->results, .n_steps = d->n_results };
}

static void set_verdict(struct pw_record *record, const struct pw_outcome_verdict *verdict)
{
	record->status = pw_status_of(verdict->layer);
	record->verdict.id = verdict->id;
	record->verdict.layer = verdict->layer;
	record->verdict.component = verdict->component;
	record->verdict.hop = verdict->hop;
	record->verdict.says = verdict->says;
	record->verdict.actions = verdict->actions;
	record->verdict.because = verdict->because;
	record->verdict.settle = verdict->settle;
	record->verdict.could_be = verdict->could_be;
}

/* What was seen from other pods than those the verdict speaks of is not said without saying so. */
static const char *say_where_from(const struct pw_driver *d, const char *says)
{
	for (size_t i = 0; says && i < d->n_results; i++) {
		const char *vantage = d->results[i]->vantage;
		if (vantage && !strncmp(vantage, PW_BESIDE, strlen(PW_BESIDE)))
			return pw_arena_printf(d->config.arena, "%s Seen from %s.", says, vantage);
	}
	return says;
}

int pw_record_finished(const struct pw_driver *driver, struct pw_record *ret, struct pw_err *err)
{
	struct pw_outcome_verdict verdict;
	struct pw_record record;
	common(driver, &record);
	int rc = pw_frame_verdict(driver, driver->top, &verdict, &record.ledger, err);
	if (rc)
		return rc;
	verdict.says = say_where_from(driver, verdict.says);
	set_verdict(&record, &verdict);
	*ret = record;
	return PW_OK;
}

/* The ledger of an unfinished run: that of every playbook still being walked, the innermost last. */
static void open_ledger(const struct pw_frame *frame, struct pw_ledger *ledger, struct pw_arena *arena)
{
	if (frame->parent)
		open_ledger(frame->parent, ledger, arena);
	merge_ledger(ledger, pw_walk_ledger(frame->walk), frame->prefix, arena);
}

int pw_record_unfinished(const struct pw_driver *driver, struct pw_record *ret, struct pw_err *err)
{
	struct pw_arena *arena = driver->config.arena;
	const struct pw_play_step *next = pw_walk_step(driver->top->walk);
	const char *why = driver->end == PW_END_DEADLINE ? "The deadline of the run passed" : "The walk was stopped";
	struct pw_record record;
	common(driver, &record);
	record.partial = true;
	open_ledger(driver->top, &record.ledger, arena);
	const char *title = next ? (next->title ? next->title : next->id) : NULL;
	struct pw_outcome_verdict verdict = { .id = driver->end == PW_END_DEADLINE ? "deadline" : "unfinished",
		.layer = PW_LAYER_UNKNOWN, .component = NULL, .hop = next ? next->hop : NULL, .actions = pw_val_seq(arena),
		.because = pw_val_seq(arena), .could_be = pw_val_seq(arena),
		.says = next ? pw_arena_printf(arena, "%s before it ended, at the step: %s.", why, title)
			     : pw_arena_printf(arena, "%s before it ended.", why),
		.settle = next ? pw_arena_printf(arena, "Going on with the step %s: %s.", next->id, title) : NULL };
	for (size_t i = 0; i < driver->n_results; i++)
		if (driver->results[i]->klass == PW_CLASS_FAIL)
			pw_seq_add_str(verdict.because, driver->results[i]->id);
	set_verdict(&record, &verdict);
	if (pw_arena_failed(arena))
		return pw_err_set(err, PW_NOMEM, "out of memory");
	*ret = record;
	return PW_OK;
}
