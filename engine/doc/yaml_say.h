/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DOC_YAML_SAY_H
#define ENGINE_DOC_YAML_SAY_H

#include <doc/yaml.h>

struct yaml_parser_s;

/* What the YAML reader says, and to whom. */
struct pw_yaml_say {
	const char *text;
	size_t len;
	const char *file;          /* in the arena, may be NULL */
	struct pw_diags *diags;    /* may be NULL: then every complaint stops the load */
	struct pw_err *err;
};

/* For what leaves no tree: to diags and to err. Returns PW_SYNTAX. */
int pw_yaml_stop(struct pw_yaml_say *say, struct pw_place place, const char *id, const char *fix, const char *fmt, ...) PW_PRINTF(5, 6);
int pw_yaml_stop_two(struct pw_yaml_say *say, struct pw_place place, struct pw_place other, const char *id,
		     const char *fix, const char *fmt, ...) PW_PRINTF(6, 7);
/* For what does not: to diags, PW_OK; or as pw_yaml_stop if there are none. */
int pw_yaml_complain(struct pw_yaml_say *say, struct pw_place place, const char *id, const char *fix, const char *fmt, ...) PW_PRINTF(5, 6);
int pw_yaml_complain_two(struct pw_yaml_say *say, struct pw_place place, struct pw_place other, const char *id,
			 const char *fix, const char *fmt, ...) PW_PRINTF(6, 7);

int pw_yaml_no_memory(struct pw_yaml_say *say);

/* Size and characters, before libyaml sees the text. */
int pw_yaml_check_text(struct pw_yaml_say *say, size_t max);
/* The parser's error as a sentence, with the place, the other place and a fix. */
int pw_yaml_say_syntax(struct pw_yaml_say *say, const struct yaml_parser_s *parser);

#endif
