/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds and loads the playbooks that steps call. */
#include <play/callees.h>

#include <stdlib.h>
#include <string.h>

#include <doc/yaml.h>
#include <play/ids.h>
#include <play/loader.h>

static struct pw_place place_of(const struct pw_loader *loader, const struct pw_play_step *step)
{
	const struct pw_val *val = pw_map_get(pw_map_get(loader->steps, step->id), "playbook");
	struct pw_place place = pw_val_place(val);
	return place.line ? place : step->place;
}

/* A playbook that is being loaded right now, by its own name or the one it was asked for by. */
static bool being_loaded(const struct pw_loader *loader, const char *name, unsigned *ret_depth)
{
	bool found = false;
	*ret_depth = 0;
	for (const struct pw_loader *l = loader; l; l = l->caller, ++*ret_depth)
		found = found || (l->play->name && !strcmp(l->play->name, name)) || (l->asked && !strcmp(l->asked, name));
	return found;
}

static void complain_absent(struct pw_loader *loader, struct pw_place place, const char *name, const struct pw_err *why)
{
	const char *const *names = NULL;
	const struct pw_play_env *env = loader->env;
	size_t n = env->playbook_names ? env->playbook_names(env->arg, &names) : 0;
	if (why->code == PW_ABSENT)
		pw_load_error(loader, place, PW_ID_NO_PLAYBOOK, pw_suggest(loader->arena, name, names, n), "there is no playbook \"%s\"", name);
	else
		pw_load_error(loader, place, PW_ID_NO_PLAYBOOK, NULL, "the playbook \"%s\" cannot be read: %s", name, why->text);
}

static struct pw_play *load_text(struct pw_loader *caller, struct pw_place place, const char *name, const char *text, size_t len, const char *path)
{
	struct pw_play *play = pw_play_new(text, len, path);
	if (!play) {
		caller->callees->no_memory = true;
		return NULL;
	}
	const char *chain = pw_arena_printf(caller->arena, "called from %s:%u:%u%s%s", place.file ? place.file : "?", place.line, place.col,
					    caller->chain ? ", " : "", caller->chain ? caller->chain : "");
	struct pw_loader loader = { .play = play, .arena = play->arena, .diags = caller->diags, .env = caller->env,
				    .callees = caller->callees, .caller = caller, .asked = name, .chain = chain };
	pw_diags_chain(caller->diags, chain);
	int rc = pw_load_document(&loader, text, len, play->file, NULL);
	pw_diags_chain(caller->diags, caller->chain);
	if (rc == PW_NOMEM || pw_arena_failed(play->arena))
		caller->callees->no_memory = true;
	else if (rc == PW_OK && loader.errors == 0)
		return play;
	else
		pw_load_error(caller, place, PW_ID_BAD_PLAYBOOK, NULL, "the playbook \"%s\" has errors", name);
	pw_play_free(play);
	return NULL;
}

static struct pw_play *load_named(struct pw_loader *loader, struct pw_place place, const char *name)
{
	const struct pw_play_env *env = loader->env;
	char *text = NULL, *path = NULL;
	size_t len = 0;
	struct pw_err why = PW_ERR_INIT;
	int rc = env->playbook ? env->playbook(env->arg, name, &text, &len, &path, &why) : pw_err_set(&why, PW_ABSENT, "no playbooks");
	if (rc == PW_NOMEM)
		loader->callees->no_memory = true;
	else if (rc < 0)
		complain_absent(loader, place, name, &why);
	if (rc < 0)
		return NULL;
	struct pw_play *play = load_text(loader, place, name, text, len, path);
	free(text);
	free(path);
	return play;
}

static struct pw_play *callee(struct pw_loader *loader, struct pw_place place, const char *name)
{
	struct pw_callees *callees = loader->callees;
	unsigned depth;
	if (being_loaded(loader, name, &depth)) {
		pw_load_error(loader, place, PW_ID_RECURSION, "call a playbook that does not lead back here",
			      "calling the playbook \"%s\" here leads back to itself", name);
		return NULL;
	}
	if (depth > PW_CALL_DEPTH || callees->n == PW_CALLEES_MAX) {
		pw_load_error(loader, place, PW_ID_TOO_MANY, NULL, depth > PW_CALL_DEPTH ? "playbooks call each other more than %d deep"
			      : "more than %d playbooks are called", depth > PW_CALL_DEPTH ? PW_CALL_DEPTH : PW_CALLEES_MAX);
		return NULL;
	}
	for (size_t i = 0; i < callees->n; i++)
		if (!strcmp(callees->all[i].name, name))
			return callees->all[i].play;
	struct pw_play *play = load_named(loader, place, name);
	const char *copy = pw_arena_strdup(callees->arena, name);
	/* Called playbooks may have filled the list meanwhile. */
	if (!copy || callees->n == PW_CALLEES_MAX) {
		pw_play_free(play);
		callees->no_memory = true;
		return NULL;
	}
	callees->all[callees->n].name = copy;
	callees->all[callees->n++].play = play;
	return play;
}

void pw_callees_give(struct pw_callees *callees, struct pw_play *play)
{
	struct pw_play **list = pw_arena_array(play->arena, callees->n + 1, sizeof *list);
	size_t n = 0;
	for (size_t i = 0; i < callees->n; i++) {
		if (list && callees->all[i].play)
			list[n++] = callees->all[i].play;
		else
			pw_play_free(callees->all[i].play);
	}
	play->callees = list;
	play->n_callees = n;
}

void pw_load_callees(struct pw_loader *loader)
{
	for (size_t i = 0; i < loader->play->n_steps; i++) {
		struct pw_play_step *step = &loader->play->steps[i];
		if (step->kind == PW_STEP_PLAYBOOK && step->playbook)
			step->callee = callee(loader, place_of(loader, step), step->playbook);
	}
}
