/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building a tree from JSON events, without recursion. */
#include <doc/json_tree.h>

#include <stdlib.h>

#include <doc/json.h>

int pw_json_tree_init(struct pw_json_tree *tree, unsigned depth, struct pw_arena *arena, const char *file)
{
	if (depth > PW_JSON_DEPTH_MAX)
		depth = PW_JSON_DEPTH_MAX;
	*tree = (struct pw_json_tree){ .arena = arena, .depth = depth, .file = file };
	tree->open = calloc((size_t)depth + 1, sizeof(struct pw_val *));
	return tree->open ? PW_OK : PW_NOMEM;
}

void pw_json_tree_release(struct pw_json_tree *tree)
{
	free(tree->open);
	tree->open = NULL;
}

static int no_memory(struct pw_json_tree *tree)
{
	return pw_err_set(pw_json_lex_err(tree->lex), PW_NOMEM, "out of memory while reading JSON");
}

/* Into the innermost open container, or as the root. The last of equal keys wins. */
static int attach(struct pw_json_tree *tree, struct pw_val *value)
{
	if (tree->n_open == 0) {
		tree->root = value;
		return PW_OK;
	}
	struct pw_val *top = tree->open[tree->n_open - 1];
	if (top->kind == PW_VAL_SEQ) {
		pw_seq_add(top, value);
		return pw_arena_failed(tree->arena) ? no_memory(tree) : PW_OK;
	}
	struct pw_entry *entry = pw_node_find(top, tree->key, tree->key_len);
	if (entry)
		entry->value = value;
	else
		entry = pw_node_append(top, tree->key, tree->key_len, value);
	if (!entry)
		return no_memory(tree);
	entry->line = tree->key_line;
	entry->col = tree->key_col;
	return PW_OK;
}

static void set_place(struct pw_json_tree *tree, struct pw_val *value)
{
	if (!tree->file)
		return;
	unsigned line, col;
	pw_json_lex_place(tree->lex, &line, &col);
	pw_node_place(value, tree->file, line, col);
}

int pw_json_tree_value(struct pw_json_tree *tree, struct pw_val *value)
{
	set_place(tree, value);
	return attach(tree, value);
}

int pw_json_tree_open(struct pw_json_tree *tree, bool map)
{
	if (tree->n_open >= tree->depth)
		return pw_json_lex_fail(tree->lex, PW_SYNTAX, "cannot read this as JSON: it is nested deeper than %u levels", tree->depth);
	struct pw_val *container = map ? pw_val_map(tree->arena) : pw_val_seq(tree->arena);
	if (!container)
		return no_memory(tree);
	set_place(tree, container);
	int r = attach(tree, container);
	if (r == PW_OK)
		tree->open[tree->n_open++] = container;
	return r;
}

int pw_json_tree_close(struct pw_json_tree *tree)
{
	unsigned line, col;
	if (tree->file)
		pw_json_lex_place(tree->lex, &line, &col); /* moves past the bracket */
	tree->n_open--;
	return PW_OK;
}

int pw_json_tree_key(struct pw_json_tree *tree, const char *key, size_t len)
{
	tree->key = key;
	tree->key_len = len;
	if (tree->file)
		pw_json_lex_place(tree->lex, &tree->key_line, &tree->key_col);
	return PW_OK;
}
