/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DOC_LINES_H
#define ENGINE_DOC_LINES_H

#include <stddef.h>

/*
 * Lines and columns of a text, counted as libyaml counts them: a line ends at
 * LF, CR, CR LF, NEL, LS or PS; a column is a character. A byte that is not
 * UTF-8 counts as one. A leading byte order mark is on no line.
 */

enum { PW_BOM_LEN = 3 };
size_t pw_bom_len(const char *text, size_t len);             /* PW_BOM_LEN or 0 */
size_t pw_char_len(const char *text, size_t len);            /* bytes of the first character, at least 1 if len > 0 */
size_t pw_break_len(const char *text, size_t len);           /* bytes of the line break at `text`, 0 if none */
size_t pw_columns(const char *text, size_t len);
/* Line `number` (from 1), without its break; NULL if there is none. */
const char *pw_line_find(const char *text, size_t len, unsigned number, size_t *ret_len);
/* Line and column (from 1) of the byte at `offset`. */
void pw_line_place(const char *text, size_t len, size_t offset, unsigned *ret_line, unsigned *ret_col);

#endif
