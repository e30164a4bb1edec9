/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each complaint about a playbook means, for help and reference. */
#include <play/ids.h>

#include <string.h>

#include <doc/diag_ids.h>

const struct pw_play_id pw_play_ids[] = {
	{ PW_DIAG_SYNTAX, "The text is not YAML." },
	{ PW_DIAG_DUPLICATE, "A key is given twice in one map." },
	{ PW_DIAG_TAB, "A tab is used for indentation." },
	{ PW_DIAG_NOT_TEXT, "The file holds bytes that are not text." },
	{ PW_DIAG_EMPTY, "There is nothing in the file." },
	{ PW_DIAG_LIMIT, "The document is too large, too deep or has too many nodes." },
	{ PW_DIAG_ALIAS, "An alias names nothing, or what it is inside of." },
	{ PW_DIAG_MERGE, "The merge key << is not supported." },
	{ PW_DIAG_KEY, "A key is neither a word nor a list of words." },
	{ PW_DIAG_DOCUMENTS, "A second document stands where one is wanted." },
	{ PW_DIAG_TAG, "A tag is ignored." },

	{ PW_ID_UNKNOWN_KEY, "The language has no such key at this place." },
	{ PW_ID_MISSING_KEY, "A key that must be given is missing." },
	{ PW_ID_KIND, "The value is of another form than the key wants: text, a list or a map." },
	{ PW_ID_EMPTY, "The value is empty." },
	{ PW_ID_NAME, "A name is not lower-case letters, digits, - and _, beginning with a letter." },
	{ PW_ID_WORD, "The value is none of the words that are possible here." },
	{ PW_ID_VERSION, "The language version is missing or is not a number." },
	{ PW_ID_NEWER, "The playbook is written in a newer language than this packetwalk knows." },
	{ PW_ID_ONE_OF, "Exactly one of several keys must be given." },
	{ PW_ID_NEEDS, "A key has a meaning only together with another one." },
	{ PW_ID_TEMPLATE, "A ${...} is not closed or not a reference." },
	{ PW_ID_TWICE, "The same thing is said twice." },
	{ PW_ID_TAKEN, "A name that ${...} looks up already stands for something else." },
	{ PW_ID_TOO_MANY, "There are more of them than a playbook may have." },
	{ PW_ID_DURATION, "The value is not a duration." },

	{ PW_ID_NO_CHECK, "There is no check of this name." },
	{ PW_ID_NO_STEP, "There is no step of this name." },
	{ PW_ID_NO_VERDICT, "There is no verdict of this name." },
	{ PW_ID_NO_OUTCOME, "The step cannot end in this outcome." },
	{ PW_ID_NO_TYPE, "There is no input type of this name." },
	{ PW_ID_NO_LAYER, "There is no layer of this name." },
	{ PW_ID_NO_COMPONENT, "The layer has no component of this name." },
	{ PW_ID_NO_PARAM, "The check has no parameter of this name." },
	{ PW_ID_NO_INPUT, "The playbook has no input of this name." },
	{ PW_ID_NO_PLAYBOOK, "There is no playbook of this name." },
	{ PW_ID_RECURSION, "Playbooks call each other in a circle." },
	{ PW_ID_BAD_PLAYBOOK, "The called playbook has errors." },

	{ PW_ID_UNHANDLED, "An outcome of a step leads nowhere." },
	{ PW_ID_UNREACHABLE, "No path from the start leads to this step." },
	{ PW_ID_CYCLE, "A walk could go round in a circle." },
	{ PW_ID_REF_NAME, "A ${...} names no input, step or loop variable." },
	{ PW_ID_REF_FIELD, "A ${...} names a field that the input type or the check does not declare." },
	{ PW_ID_REF_EARLY, "A ${...} uses what a step found, and not every path to here has run that step." },
	{ PW_ID_REF_TYPE, "A ${...} has another type than the place it is used in." },
	{ PW_ID_PARAM_MISSING, "A parameter that the check requires is not given." },
	{ PW_ID_PARAM_VALUE, "A value is not of the parameter's type or outside its range." },
	{ PW_ID_CONTRADICTION, "A verdict blames what a path to it has cleared." },
	{ PW_ID_CLEAR_AND_SUSPECT, "One edge both clears and suspects the same thing." },
	{ PW_ID_NOT_A_LIST, "A loop runs over something that is not a list." },
	{ PW_ID_NOT_A_PLACE, "A step runs at something that is neither a pod nor a node." },
	{ PW_ID_INPUT_MISSING, "An input that the called playbook needs is not given." },
	{ PW_ID_DEFAULT_ORDER, "A default uses an input that is asked for later." },
	{ PW_ID_OPTIONAL, "An optional input that may be left out is used where a value is needed." },

	{ PW_ID_NOT_EXPLAINED, "A title, why, hop or question that people need is missing." },
	{ PW_ID_UNUSED_VERDICT, "No edge ends in this verdict." },
	{ PW_ID_UNUSED_INPUT, "Nothing uses this input." },
	{ PW_ID_SWALLOWS, "An else takes good and bad outcomes alike." },
	{ PW_ID_IDLE_ELSE, "An else has no outcome left to take." },
	{ PW_ID_NO_SETTLE, "An undecided verdict does not say what would settle it." },
	{ PW_ID_SETTLED, "A key for undecided verdicts is given where the layer is decided." },
	{ PW_ID_FILE_NAME, "The playbook is found by its file's name, which is another than its own." },
	{ PW_ID_NO_REMEDY, "A verdict finds a fault and does not say what to do." },
	{ PW_ID_NO_BLAME, "A verdict blames a layer without a component." },
	{ PW_ID_NO_TESTS, "The playbook has no tests." },
	{ NULL, NULL },
};

const char *pw_play_id_meaning(const char *id)
{
	const struct pw_play_id *row = pw_play_ids;
	while (row->id && strcmp(row->id, id) != 0)
		row++;
	return row->meaning;
}
