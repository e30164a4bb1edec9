/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_OUT_KIT_KIT_H
#define ENGINE_OUT_KIT_KIT_H

#include <out/out.h>

/* What the output formats share. */

/* "OK", "WARN", "FAIL", "UNKNOWN", "SKIP", "ERROR": no meaning rests on colour alone. */
const char *pw_kit_class_word(enum pw_class klass);
/* "HEALTHY: no fault found", "FAULT in the layer cni: overlay", "INCONCLUSIVE". */
void pw_kit_headline(const struct pw_record *record, struct pw_buf *out);

/* Steps by class. */
struct pw_kit_counts { unsigned by_class[PW_CLASS_ERROR + 1], all; };
struct pw_kit_counts pw_kit_count(const struct pw_record *record);
const struct pw_step_result *pw_kit_step(const struct pw_record *record, const char *id); /* NULL */

/* For terminals and files a person reads: control bytes escaped, and ASCII alone unless style->utf8. */
void pw_kit_clean(struct pw_buf *out, const char *text, const struct pw_out_style *style);
/* The same, folded at style->width: the first line is already `at` columns in, the others are indented. */
void pw_kit_fold(struct pw_buf *out, const char *text, unsigned at, unsigned indent, const struct pw_out_style *style);
/* Line by line behind `indent`: a drawing is not folded, but what names it holds come from the cluster. */
void pw_kit_drawing(struct pw_buf *out, const char *drawing, const char *indent, const struct pw_out_style *style);
const char *pw_kit_paint(const struct pw_out_style *style, const char *what); /* "bold", "off", ...; "" without colour */
const char *pw_kit_class_paint(const struct pw_out_style *style, enum pw_class klass);
const char *pw_kit_layer_paint(const struct pw_out_style *style, enum pw_ledger_state state);

/* One finished step: "  FAIL     title" and the sentence under it. For the result and for progress alike. */
void pw_kit_step_lines(const struct pw_step_result *step, const struct pw_out_style *style, struct pw_buf *out);
/* One line a layer: name, state, and the steps that say so. */
void pw_kit_layer_lines(const struct pw_ledger *ledger, const struct pw_out_style *style, struct pw_buf *out);

/* XML and Markdown text: what is special there is escaped, what is not allowed becomes U+FFFD. */
void pw_kit_xml(struct pw_buf *out, const char *text);
void pw_kit_markdown(struct pw_buf *out, const char *text);

#endif
