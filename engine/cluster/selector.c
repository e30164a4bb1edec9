/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labels and label selectors. */
#include <cluster/policy.h>

#include <string.h>

#include <cluster/expr.h>

const char *pw_labels_get(const struct pw_labels *labels, const char *key)
{
	for (size_t i = 0; labels && i < labels->n; i++)
		if (strcmp(labels->v[i].key, key) == 0)
			return labels->v[i].value;
	return NULL;
}

bool pw_labels_match(const struct pw_labels *selector, const struct pw_labels *labels)
{
	for (size_t i = 0; i < selector->n; i++) {
		const char *value = pw_labels_get(labels, selector->v[i].key);

		if (!value || strcmp(value, selector->v[i].value) != 0)
			return false;
	}
	return true;
}

static bool holds(const struct pw_strings *values, const char *value)
{
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->v[i], value) == 0)
			return true;
	return false;
}

bool pw_requirement_match(const struct pw_requirement *requirement, const struct pw_labels *labels)
{
	const char *value = pw_labels_get(labels, requirement->key);

	switch (requirement->op) {
	case PW_OP_IN: return value && holds(&requirement->values, value);
	case PW_OP_NOT_IN: return !value || !holds(&requirement->values, value);
	case PW_OP_EXISTS: return value != NULL;
	case PW_OP_NOT_EXISTS: return value == NULL;
	}
	return false;
}

bool pw_selector_match(const struct pw_selector *selector, const struct pw_labels *labels)
{
	if (!selector->present)
		return false;
	for (size_t i = 0; i < selector->n; i++)
		if (!pw_requirement_match(&selector->v[i], labels))
			return false;
	return !selector->expr || pw_expr_match(selector->expr, labels);
}
