/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a ${reference} stands for at one place of a playbook: its name, its fields and its type. */
#include <play/lint.h>

#include <string.h>

#include <doc/yaml.h>
#include <play/ids.h>
#include <play/loader.h>
#include <play/outcomes.h>
#include <run/scope.h>

enum { PARTS_MAX = 8 }; /* name.field.field...: nothing has more */

struct part { const char *text; size_t len; };

struct look {
	struct pw_lint *lint;
	const struct pw_site *site;
	struct pw_place place;
	const char *ref; size_t len;      /* the whole, for messages */
	struct part parts[PARTS_MAX]; size_t n;
};

static bool is(const struct part *part, const char *word)
{
	return strlen(word) == part->len && !memcmp(word, part->text, part->len);
}

static void split(struct look *look)
{
	for (const char *p = look->ref, *end = p + look->len; p < end && look->n < PARTS_MAX;) {
		const char *dot = memchr(p, '.', (size_t)(end - p));
		size_t len = dot ? (size_t)(dot - p) : (size_t)(end - p);
		look->parts[look->n++] = (struct part){ p, len };
		p += len + (dot != NULL);
	}
}

static bool typed(struct pw_ref *ret, enum pw_type type)
{
	*ret = (struct pw_ref){ .type = type };
	return true;
}

static bool any(struct pw_ref *ret)
{
	*ret = (struct pw_ref){ .any = true };
	return true;
}

/* The word of a part, for suggestions. */
static const char *word_of(const struct look *look, size_t part)
{
	const char *word = pw_arena_strndup(look->lint->arena, look->parts[part].text, look->parts[part].len);
	return word ? word : "";
}

static bool no_field(const struct look *look, size_t part, const char *owner, const char *const *names, size_t n)
{
	const char *fix = pw_suggest(look->lint->arena, word_of(look, part), names, n);
	pw_diags_add(look->lint->diags, 0, look->place, PW_ID_REF_FIELD, fix, "${%.*s}: %s has no \"%s\"", (int)look->len, look->ref, owner, word_of(look, part));
	return false;
}

/* The rest of a reference below a list, a map or a plain value of this type. */
static bool below(const struct look *look, size_t part, const struct pw_ref *from, struct pw_ref *ret)
{
	if (part == look->n) {
		*ret = *from;
		return true;
	}
	bool number = look->parts[part].len > 0 && strspn(look->parts[part].text, "0123456789") >= look->parts[part].len;
	if (from->any)
		return any(ret);
	if (from->type == PW_TYPE_MAP)
		return any(ret);
	if (from->type == PW_TYPE_LIST && number) {
		struct pw_ref item = { .any = true };
		const struct pw_field *field = from->item && part + 1 < look->n
			? pw_field_find(from->item, look->parts[part + 1].text, look->parts[part + 1].len) : NULL;
		if (field)
			return below(look, part + 2, &(struct pw_ref){ .type = field->type, .item = field->item }, ret);
		if (from->item && part + 1 < look->n)
			return no_field(look, part + 1, "an item of that list", NULL, 0);
		return below(look, part + 1, &item, ret);
	}
	return no_field(look, part, from->type == PW_TYPE_LIST ? "a list (write its index, as in .0)" : "a plain value", NULL, 0);
}

/* ---- inputs ---- */

/* Does the type offer the field? By the cluster module if it is at hand. */
static size_t field_names(const struct look *look, enum pw_type type, const char *const **ret)
{
	const struct pw_play_env *env = look->lint->env;
	const char *const *names = env->input_fields ? env->input_fields(env->arg, type) : NULL;
	size_t n = 0;
	if (names) {
		while (names[n])
			n++;
		*ret = names;
		return n;
	}
	const struct pw_field *fields = pw_fields_of(type);
	while (fields[n].name)
		n++;
	const char **all = pw_arena_array(look->lint->arena, n + 1, sizeof *all);
	for (size_t i = 0; all && i < n; i++)
		all[i] = fields[i].name;
	*ret = all;
	return all ? n : 0;
}

static bool find_input(const struct look *look, size_t index, struct pw_ref *ret)
{
	const struct pw_play_input *input = &look->lint->play->inputs[index];
	const char *const *names = NULL;
	bool known = false;
	look->lint->used[index] = true;
	if (look->n == 1) {
		*ret = (struct pw_ref){ .type = input->type, .input = input, .optional = input->optional && !input->otherwise };
		return true;
	}
	/* Its type is none, and that has been said. */
	if (look->lint->partly && strcmp(pw_map_str(pw_map_get(pw_map_get(look->lint->play->tree, "inputs"), input->name), "type", ""), pw_type_word(input->type)) != 0)
		return any(ret);
	size_t n = field_names(look, input->type, &names);
	for (size_t i = 0; i < n; i++)
		known = known || is(&look->parts[1], names[i]);
	if (!known)
		return no_field(look, 1, pw_arena_printf(look->lint->arena, "the %s \"%s\"", pw_type_word(input->type), input->name), names, n);
	if (input->optional && !input->otherwise)
		pw_diags_add(look->lint->diags, 0, look->place, PW_ID_OPTIONAL, "give the input a default, or make it required",
			     "${%.*s}: the input \"%s\" is optional, and without it there is no such field", (int)look->len, look->ref, input->name);
	const struct pw_field *field = pw_field_find(pw_fields_of(input->type), look->parts[1].text, look->parts[1].len);
	struct pw_ref ref = field ? (struct pw_ref){ .type = field->type, .item = field->item } : (struct pw_ref){ .any = true };
	return below(look, 2, &ref, ret);
}

/* ---- steps ---- */

static const struct pw_evidence *find_evidence(const struct pw_play_step *step, const struct part *part)
{
	for (const struct pw_evidence *e = step->decl->evidence; e && e->name; e++)
		if (is(part, e->name))
			return e;
	return NULL;
}

static bool no_evidence(const struct look *look, const struct pw_play_step *step)
{
	const char *names[72]; /* a declaration has at most 64 (vantage/validate.c) */
	size_t n = 0;
	for (const struct pw_evidence *e = step->decl ? step->decl->evidence : NULL; e && e->name && n < 64; e++)
		names[n++] = e->name;
	names[n++] = "outcome";
	names[n++] = "says";
	return no_field(look, 1, pw_arena_printf(look->lint->arena, "the evidence of the step \"%s\"", step->id), names, n);
}

static bool loop_where(const struct look *look, const struct pw_play_step *step, struct pw_ref *ret)
{
	if (look->n == 2)
		return typed(ret, PW_TYPE_MAP);
	bool known = is(&look->parts[2], PW_OUTCOME_UNKNOWN) || is(&look->parts[2], PW_OUTCOME_SKIPPED);
	for (const struct pw_outcome *o = step->decl->outcomes; o && o->word; o++)
		known = known || is(&look->parts[2], o->word);
	if (!known)
		return no_field(look, 2, pw_arena_printf(look->lint->arena, "the check %s", step->check), NULL, 0);
	return below(look, 3, &(struct pw_ref){ .type = PW_TYPE_LIST }, ret);
}

static bool find_in_loop(const struct look *look, const struct pw_play_step *step, struct pw_ref *ret)
{
	static const char *const names[] = { "items", "where", "differs", "first", "outcome", "says" };
	const struct part *part = &look->parts[1];
	if (is(part, "items"))
		return below(look, 2, &(struct pw_ref){ .type = PW_TYPE_LIST }, ret);
	if (is(part, "where"))
		return loop_where(look, step, ret);
	for (size_t i = 2; i < sizeof names / sizeof *names; i++)
		if (is(part, names[i]))
			return below(look, 2, &(struct pw_ref){ .type = PW_TYPE_STR }, ret);
	return no_field(look, 1, pw_arena_printf(look->lint->arena, "the loop \"%s\"", step->id), names, sizeof names / sizeof *names);
}

static bool find_among(const struct look *look, const struct pw_play_step *step, const char *const *names, size_t n, struct pw_ref *ret)
{
	for (size_t i = 0; i < n; i++)
		if (is(&look->parts[1], names[i]))
			return below(look, 2, &(struct pw_ref){ .type = PW_TYPE_STR }, ret);
	return no_field(look, 1, pw_arena_printf(look->lint->arena, "the step \"%s\"", step->id), names, n);
}

static bool find_in_step(const struct look *look, const struct pw_play_step *step, struct pw_ref *ret)
{
	static const char *const answered[] = { "answer", "outcome", "says" };
	static const char *const called[] = { "verdict", "layer", "component", "hop", "outcome", "says" };
	if (look->n == 1)
		return typed(ret, PW_TYPE_STR);
	if (step->kind == PW_STEP_ASK)
		return find_among(look, step, answered, sizeof answered / sizeof *answered, ret);
	if (step->kind == PW_STEP_PLAYBOOK)
		return find_among(look, step, called, sizeof called / sizeof *called, ret);
	if (!step->decl)
		return any(ret); /* there is no such check: said already */
	if (step->for_each)
		return find_in_loop(look, step, ret);
	const struct pw_evidence *evidence = find_evidence(step, &look->parts[1]);
	if (evidence)
		return below(look, 2, &(struct pw_ref){ .type = evidence->type }, ret);
	if (is(&look->parts[1], "outcome") || is(&look->parts[1], "says"))
		return below(look, 2, &(struct pw_ref){ .type = PW_TYPE_STR }, ret);
	return no_evidence(look, step);
}

static bool find_step(const struct look *look, size_t index, struct pw_ref *ret)
{
	const struct pw_play_step *step = &look->lint->play->steps[index];
	if (!find_in_step(look, step, ret))
		return false;
	if (look->site->ran && pw_set_has(look->site->ran, index))
		return true;
	pw_diags_add_two(look->lint->diags, 0, look->place, step->place, PW_ID_REF_EARLY, "use it only where every path has run the step",
			 "${%.*s}: not every path to here has run the step \"%s\"", (int)look->len, look->ref, step->id);
	return false;
}

/* ${this}: whatever step ended last must have it. */
static bool find_this(const struct look *look, struct pw_ref *ret)
{
	const struct pw_play *play = look->lint->play;
	bool found = false;
	for (size_t i = 0; look->site->last && i < play->n_steps; i++) {
		struct pw_ref one;
		if (!look->site->last[i])
			continue;
		if (!find_in_step(look, &play->steps[i], &one))
			return false;
		if (found && (one.any || one.type != ret->type))
			one = (struct pw_ref){ .any = true };
		*ret = one;
		found = true;
	}
	if (!found)
		pw_diags_add(look->lint->diags, 0, look->place, PW_ID_REF_NAME, NULL, "${%.*s}: no step has ended here yet", (int)look->len, look->ref);
	return found;
}

/* ---- the loop variable ---- */

/* The type of the list that a loop runs over; `any` if it is no single reference. */
static struct pw_ref loop_list(const struct look *look)
{
	struct pw_ref list = { .any = true };
	size_t len;
	const char *ref = pw_template_whole(look->site->loop->for_each, &len);
	struct pw_site outside = *look->site;
	outside.loop = NULL;
	/* Complaints about the list itself belong to its own place, not to every use of the variable. */
	struct pw_lint quiet = *look->lint;
	quiet.diags = pw_diags_new(look->lint->arena);
	if (!ref || !quiet.diags || !pw_ref_find(&quiet, &outside, look->place, ref, len, &list))
		return (struct pw_ref){ .any = true };
	return list;
}

static bool find_item(const struct look *look, struct pw_ref *ret)
{
	struct pw_ref list = loop_list(look);
	if (list.any || list.type != PW_TYPE_LIST || !list.item)
		return any(ret);
	if (look->n == 1)
		return any(ret);
	const struct pw_field *field = pw_field_find(list.item, look->parts[1].text, look->parts[1].len);
	if (field)
		return below(look, 2, &(struct pw_ref){ .type = field->type, .item = field->item }, ret);
	const char *names[32];
	size_t n = 0;
	for (const struct pw_field *f = list.item; f->name && n < sizeof names / sizeof *names; f++)
		names[n++] = f->name;
	return no_field(look, 1, "an item of the loop", names, n);
}

/* ---- names ---- */

static bool no_name(const struct look *look)
{
	const struct pw_play *play = look->lint->play;
	const char **names = pw_arena_array(look->lint->arena, play->n_inputs + play->n_steps + 1, sizeof *names);
	size_t n = 0;
	for (size_t i = 0; names && i < look->site->inputs; i++)
		names[n++] = play->inputs[i].name;
	for (size_t i = 0; names && i < play->n_steps; i++)
		names[n++] = play->steps[i].id;
	if (names && look->site->loop)
		names[n++] = look->site->loop->as;
	pw_diags_add(look->lint->diags, 0, look->place, PW_ID_REF_NAME, names ? pw_suggest(look->lint->arena, word_of(look, 0), names, n) : NULL,
		     "${%.*s}: there is no input, step or loop variable \"%s\" here", (int)look->len, look->ref, word_of(look, 0));
	return false;
}

bool pw_ref_find(struct pw_lint *lint, const struct pw_site *site, struct pw_place place, const char *ref, size_t len, struct pw_ref *ret)
{
	struct look look = { .lint = lint, .site = site, .place = place, .ref = ref, .len = len };
	const struct pw_play *play = lint->play;
	split(&look);
	if (is(&look.parts[0], PW_SCOPE_THIS))
		return find_this(&look, ret);
	if (site->loop && is(&look.parts[0], site->loop->as))
		return find_item(&look, ret);
	for (size_t i = 0; i < play->n_inputs; i++) {
		if (!is(&look.parts[0], play->inputs[i].name))
			continue;
		if (i < site->inputs)
			return find_input(&look, i, ret);
		pw_diags_add_two(lint->diags, 0, place, play->inputs[i].place, PW_ID_DEFAULT_ORDER, "put that input first",
				 "the default uses \"%s\", which is asked for later", play->inputs[i].name);
		return false;
	}
	for (size_t i = 0; i < play->n_steps; i++)
		if (is(&look.parts[0], play->steps[i].id))
			return find_step(&look, i, ret);
	return no_name(&look);
}

/* Every value of the one type can stand where the other is wanted. */
bool pw_type_fits(enum pw_type from, enum pw_type to)
{
	if (from == to)
		return true;
	switch (to) {
	case PW_TYPE_STR: return from != PW_TYPE_LIST && from != PW_TYPE_MAP;
	case PW_TYPE_LIST: return from != PW_TYPE_MAP; /* one value is a list of one */
	case PW_TYPE_HOST: return from == PW_TYPE_ADDRESS || from == PW_TYPE_NODE;
	case PW_TYPE_REAL: return from == PW_TYPE_INT || from == PW_TYPE_PORT;
	case PW_TYPE_INT: return from == PW_TYPE_PORT;
	case PW_TYPE_PORT: return from == PW_TYPE_INT;
	case PW_TYPE_CHOICE: return from == PW_TYPE_STR; /* a Service's protocol: held against the choices when it is known */
	case PW_TYPE_BOOL: case PW_TYPE_ADDRESS: case PW_TYPE_CIDR: case PW_TYPE_URL: case PW_TYPE_DURATION:
	case PW_TYPE_MAP: case PW_TYPE_NAMESPACE: case PW_TYPE_POD: case PW_TYPE_SERVICE: case PW_TYPE_NODE:
		break;
	}
	return false;
}
