/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_DOC_DIAG_IDS_H
#define ENGINE_DOC_DIAG_IDS_H

/*
 * Complaints about a document's form. An id never changes its meaning, and a
 * retired one is not used again: people search for them.
 * PW01xx belongs to this folder; PW02xx and up to what reads the documents.
 */
#define PW_DIAG_SYNTAX "PW0101"       /* not YAML */
#define PW_DIAG_DUPLICATE "PW0102"    /* a key given twice in one map */
#define PW_DIAG_TAB "PW0103"          /* a tab used for indentation */
#define PW_DIAG_NOT_TEXT "PW0104"     /* NUL, control characters, invalid UTF-8, UTF-16, binary */
#define PW_DIAG_EMPTY "PW0105"        /* nothing in it */
#define PW_DIAG_LIMIT "PW0106"        /* too large, too deep, too many nodes */
#define PW_DIAG_ALIAS "PW0107"        /* an alias to nothing, or to what it is inside of */
#define PW_DIAG_MERGE "PW0108"        /* the merge key << */
#define PW_DIAG_KEY "PW0109"          /* a key that is no scalar and no list of words */
#define PW_DIAG_DOCUMENTS "PW0110"    /* a second document where one is wanted */
#define PW_DIAG_TAG "PW0111"          /* a tag that is ignored (warning) */

#endif
