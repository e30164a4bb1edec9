/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PLAY_IDS_H
#define ENGINE_PLAY_IDS_H

#include <stddef.h>

/*
 * Complaints about a playbook. An id never changes its meaning, and a retired
 * one is not used again: people search for them. PW02xx: what is written is
 * not the language; PW03xx: a name that names nothing; PW04xx: a proof that
 * fails; PW05xx: warnings. PW01xx are of any YAML document (doc/diag_ids.h).
 */
#define PW_ID_UNKNOWN_KEY "PW0201"
#define PW_ID_MISSING_KEY "PW0202"
#define PW_ID_KIND "PW0203"
#define PW_ID_EMPTY "PW0204"
#define PW_ID_NAME "PW0205"
#define PW_ID_WORD "PW0206"
#define PW_ID_VERSION "PW0207"
#define PW_ID_NEWER "PW0208"
#define PW_ID_ONE_OF "PW0209"
#define PW_ID_NEEDS "PW0210"
#define PW_ID_TEMPLATE "PW0211"
#define PW_ID_TWICE "PW0212"
#define PW_ID_TAKEN "PW0213"
#define PW_ID_TOO_MANY "PW0214"
#define PW_ID_DURATION "PW0215"

#define PW_ID_NO_CHECK "PW0301"
#define PW_ID_NO_STEP "PW0302"
#define PW_ID_NO_VERDICT "PW0303"
#define PW_ID_NO_OUTCOME "PW0304"
#define PW_ID_NO_TYPE "PW0305"
#define PW_ID_NO_LAYER "PW0306"
#define PW_ID_NO_COMPONENT "PW0307"
#define PW_ID_NO_PARAM "PW0308"
#define PW_ID_NO_INPUT "PW0309"
#define PW_ID_NO_PLAYBOOK "PW0310"
#define PW_ID_RECURSION "PW0311"
#define PW_ID_BAD_PLAYBOOK "PW0312"

#define PW_ID_UNHANDLED "PW0401"
#define PW_ID_UNREACHABLE "PW0402"
#define PW_ID_CYCLE "PW0403"
#define PW_ID_REF_NAME "PW0404"
#define PW_ID_REF_FIELD "PW0405"
#define PW_ID_REF_EARLY "PW0406"
#define PW_ID_REF_TYPE "PW0407"
#define PW_ID_PARAM_MISSING "PW0408"
#define PW_ID_PARAM_VALUE "PW0409"
#define PW_ID_CONTRADICTION "PW0410"
#define PW_ID_CLEAR_AND_SUSPECT "PW0411"
#define PW_ID_NOT_A_LIST "PW0412"
#define PW_ID_NOT_A_PLACE "PW0413"
#define PW_ID_INPUT_MISSING "PW0414"
#define PW_ID_DEFAULT_ORDER "PW0415"
#define PW_ID_OPTIONAL "PW0416"

#define PW_ID_NOT_EXPLAINED "PW0501"
#define PW_ID_UNUSED_VERDICT "PW0502"
#define PW_ID_UNUSED_INPUT "PW0503"
#define PW_ID_SWALLOWS "PW0504"
#define PW_ID_IDLE_ELSE "PW0505"
#define PW_ID_NO_SETTLE "PW0506"
#define PW_ID_SETTLED "PW0507"
#define PW_ID_FILE_NAME "PW0508"
#define PW_ID_NO_REMEDY "PW0509"
#define PW_ID_NO_BLAME "PW0510"
#define PW_ID_NO_TESTS "PW0511"

/* Every id a playbook can be answered with, those of YAML included, each with a sentence. Ends with a NULL id. */
struct pw_play_id { const char *id, *meaning; };
extern const struct pw_play_id pw_play_ids[];
const char *pw_play_id_meaning(const char *id); /* NULL: no such id */

#endif
