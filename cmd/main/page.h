/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_MAIN_PAGE_H
#define CMD_MAIN_PAGE_H

#include <stdbool.h>

#include <packetwalk/buf.h>

/* A page of documentation, written once and rendered as man(7) or Markdown. Texts are plain. */
struct pw_page { bool man; struct pw_buf *out; };

/* "packetwalk-run", section 1, one line on what it is. */
void pw_page_title(struct pw_page *page, const char *name, int section, const char *summary);
void pw_page_heading(struct pw_page *page, const char *text);
void pw_page_sub(struct pw_page *page, const char *text);       /* a heading inside one */
void pw_page_para(struct pw_page *page, const char *text);      /* paragraphs are separated by newlines */
void pw_page_item(struct pw_page *page, const char *term, const char *text);
void pw_page_code(struct pw_page *page, const char *line);      /* one line of code after the other */
void pw_page_code_end(struct pw_page *page);

#endif
