/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DOC_JSON_TREE_H
#define ENGINE_DOC_JSON_TREE_H

#include <doc/json_lex.h>
#include <doc/node.h>

/* Events in, tree out. The open containers form a stack of fixed size. */
struct pw_json_tree {
	struct pw_json_lex *lex;
	struct pw_arena *arena;
	const char *file;          /* not NULL: values get places */
	struct pw_val **open;
	unsigned n_open, depth;
	const char *key;           /* read, its value still to come */
	size_t key_len;
	unsigned key_line, key_col;
	struct pw_val *root;       /* NULL until complete */
};

int pw_json_tree_init(struct pw_json_tree *tree, unsigned depth, struct pw_arena *arena, const char *file);
void pw_json_tree_release(struct pw_json_tree *tree);
int pw_json_tree_open(struct pw_json_tree *tree, bool map);
int pw_json_tree_close(struct pw_json_tree *tree);
int pw_json_tree_key(struct pw_json_tree *tree, const char *key, size_t len);
int pw_json_tree_value(struct pw_json_tree *tree, struct pw_val *value);

#endif
