/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is a declaration sane? Built-in checks are held to it by a test, plugins at load. One sentence per refusal. */
#include "executor.h"

#include <string.h>

enum {
	LIST_MAX = 64,            /* entries of a list: more is a list that does not end */
	WORD_MAX = 48,            /* bytes of a name or outcome word */
	TIMEOUT_MAX_MS = 600000,  /* ten minutes: nobody waits longer for one observation */
};

/* The struct of those built before it had `borrow`, its last field. */
#define SIZE_WITHOUT_BORROW offsetof(struct pw_check, borrow)

pw_borrow_fn *pw_check_borrow(const struct pw_check *check)
{
	return check->size > SIZE_WITHOUT_BORROW ? check->borrow : NULL;
}

static bool is_word(const char *text, char joiner)
{
	if (!text || text[0] < 'a' || text[0] > 'z' || strlen(text) > WORD_MAX)
		return false;
	for (const char *p = text; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
		if (!plain && (*p != joiner || p[1] == joiner || !p[1]))
			return false;
	}
	return true;
}

static bool is_key(const char *text)
{
	return is_word(text, '_') || is_word(text, '-');
}

static bool blank(const char *text)
{
	return !text || !*text;
}

static int check_identity(const struct pw_check *check, const char *expected, struct pw_err *err)
{
	/* In this order: nothing behind the two numbers may be read before they are right. */
	if (check->abi != PW_CHECK_ABI)
		return pw_err_set(err, PW_UNSUPPORTED, "%s was built for check ABI %u, this packetwalk has ABI %u; rebuild it",
				  expected, check->abi, PW_CHECK_ABI);
	if (check->size != sizeof *check && check->size != SIZE_WITHOUT_BORROW)
		return pw_err_set(err, PW_UNSUPPORTED,
				  "%s declares a struct pw_check of %u bytes, this packetwalk has %zu; rebuild it with its headers",
				  expected, check->size, sizeof *check);
	if (blank(check->name) || strcmp(check->name, expected) != 0)
		return pw_err_set(err, PW_USAGE, "%s declares the name \"%s\"; the name must be that of the file",
				  expected, check->name ? check->name : "");
	if (!is_word(check->name, '_'))
		return pw_err_set(err, PW_USAGE, "the check name \"%s\" is not lower-case words joined by _", check->name);
	return PW_OK;
}

static int check_head(const struct pw_check *check, struct pw_err *err)
{
	const char *name = check->name;
	if (blank(check->summary))
		return pw_err_set(err, PW_USAGE, "the check %s has no summary", name);
	if (strchr(check->summary, '\n') || check->summary[strlen(check->summary) - 1] == '.')
		return pw_err_set(err, PW_USAGE, "the summary of %s is not one line without a full stop", name);
	if ((unsigned)check->effect > PW_EFFECT_PRIVILEGED)
		return pw_err_set(err, PW_USAGE, "the check %s declares the effect %u, which does not exist", name, (unsigned)check->effect);
	if (check->needs & ~(unsigned)(PW_NEEDS_NET_RAW | PW_NEEDS_NET_ADMIN | PW_NEEDS_ROOT_FILES | PW_NEEDS_QUIET))
		return pw_err_set(err, PW_USAGE, "the check %s needs privileges that do not exist (%#x)", name, check->needs);
	if (check->facts >= PW_FACT_INGRESSES << 1)
		return pw_err_set(err, PW_USAGE, "the check %s reads facts that do not exist (%#x)", name, check->facts);
	if (!check->judge)
		return pw_err_set(err, PW_USAGE, "the check %s has no judge function", name);
	if (!check->probe && check->needs)
		return pw_err_set(err, PW_USAGE, "the check %s needs privileges but has no probe to use them", name);
	if (check->timeout_ms == 0 || check->timeout_ms > TIMEOUT_MAX_MS)
		return pw_err_set(err, PW_USAGE, "the check %s has a timeout of %u ms; 1 to %d are possible", name, check->timeout_ms, TIMEOUT_MAX_MS);
	return PW_OK;
}

static int check_outcomes(const struct pw_check *check, struct pw_err *err)
{
	const struct pw_outcome *all = check->outcomes;
	size_t n = 0;
	for (; all && all[n].word; n++) {
		const struct pw_outcome *o = &all[n];
		if (n == LIST_MAX)
			return pw_err_set(err, PW_USAGE, "the outcomes of %s do not end (word NULL) within %d", check->name, LIST_MAX);
		if (!is_word(o->word, '-'))
			return pw_err_set(err, PW_USAGE, "the outcome \"%s\" of %s is not lower-case words joined by -", o->word, check->name);
		if (!strcmp(o->word, PW_OUTCOME_UNKNOWN) || !strcmp(o->word, PW_OUTCOME_SKIPPED))
			return pw_err_set(err, PW_USAGE, "the outcome %s of %s is the engine's to give; leave it out", o->word, check->name);
		if ((unsigned)o->klass > PW_CLASS_ERROR)
			return pw_err_set(err, PW_USAGE, "the outcome %s of %s has a class that does not exist", o->word, check->name);
		if (blank(o->meaning))
			return pw_err_set(err, PW_USAGE, "the outcome %s of %s has no meaning text", o->word, check->name);
		for (size_t i = 0; i < n; i++)
			if (!strcmp(all[i].word, o->word))
				return pw_err_set(err, PW_USAGE, "the check %s declares the outcome %s twice", check->name, o->word);
	}
	return n ? PW_OK : pw_err_set(err, PW_USAGE, "the check %s declares no outcomes", check->name);
}

static int check_param(const struct pw_check *check, const struct pw_param *p, struct pw_err *err)
{
	if (!is_key(p->name))
		return pw_err_set(err, PW_USAGE, "the parameter \"%s\" of %s is not lower-case words", p->name, check->name);
	if ((unsigned)p->type > PW_TYPE_NODE)
		return pw_err_set(err, PW_USAGE, "the parameter %s of %s has a type that does not exist", p->name, check->name);
	if (p->type == PW_TYPE_CHOICE && blank(p->range))
		return pw_err_set(err, PW_USAGE, "the parameter %s of %s is a choice without choices", p->name, check->name);
	if (blank(p->help))
		return pw_err_set(err, PW_USAGE, "the parameter %s of %s has no help text", p->name, check->name);
	if (p->required && p->otherwise)
		return pw_err_set(err, PW_USAGE, "the parameter %s of %s is required and has a default", p->name, check->name);
	if (p->otherwise && pw_type_check(p->type, p->range, p->otherwise, err) < 0)
		return pw_err_wrap(err, "the default of %s of %s", p->name, check->name);
	return PW_OK;
}

static int check_params(const struct pw_check *check, struct pw_err *err)
{
	const struct pw_param *all = check->params;
	for (size_t n = 0; all && all[n].name; n++) {
		if (n == LIST_MAX)
			return pw_err_set(err, PW_USAGE, "the parameters of %s do not end (name NULL) within %d", check->name, LIST_MAX);
		int rc = check_param(check, &all[n], err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < n; i++)
			if (!strcmp(all[i].name, all[n].name))
				return pw_err_set(err, PW_USAGE, "the check %s declares the parameter %s twice", check->name, all[n].name);
	}
	return PW_OK;
}

static int check_evidence(const struct pw_check *check, struct pw_err *err)
{
	const struct pw_evidence *all = check->evidence;
	for (size_t n = 0; all && all[n].name; n++) {
		if (n == LIST_MAX)
			return pw_err_set(err, PW_USAGE, "the evidence of %s does not end (name NULL) within %d", check->name, LIST_MAX);
		if (!is_key(all[n].name))
			return pw_err_set(err, PW_USAGE, "the evidence \"%s\" of %s is not lower-case words", all[n].name, check->name);
		if ((unsigned)all[n].type > PW_TYPE_NODE)
			return pw_err_set(err, PW_USAGE, "the evidence %s of %s has a type that does not exist", all[n].name, check->name);
		for (size_t i = 0; i < n; i++)
			if (!strcmp(all[i].name, all[n].name))
				return pw_err_set(err, PW_USAGE, "the check %s declares the evidence %s twice", check->name, all[n].name);
	}
	return PW_OK;
}

int pw_check_validate(const struct pw_check *check, const char *expected_name, struct pw_err *err)
{
	int rc = check_identity(check, expected_name, err);
	if (rc == PW_OK)
		rc = check_head(check, err);
	if (rc == PW_OK)
		rc = check_outcomes(check, err);
	if (rc == PW_OK)
		rc = check_params(check, err);
	if (rc == PW_OK)
		rc = check_evidence(check, err);
	return rc;
}
