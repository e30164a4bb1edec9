/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of the public enums, as they stand in YAML, JSON and help. */
#include <packetwalk/check.h>

static const char *word(const char *const *words, size_t n, size_t i)
{
	return i < n ? words[i] : "unknown";
}
#define WORD(words, i) word((words), sizeof(words) / sizeof *(words), (size_t)(i))

static const char *const class_words[] = {
	[PW_CLASS_OK] = "ok", [PW_CLASS_WARN] = "warn", [PW_CLASS_FAIL] = "fail",
	[PW_CLASS_UNKNOWN] = "unknown", [PW_CLASS_SKIPPED] = "skipped", [PW_CLASS_ERROR] = "error",
};

static const char *const effect_words[] = {
	[PW_EFFECT_NONE] = "none", [PW_EFFECT_READS] = "reads", [PW_EFFECT_SENDS] = "sends",
	[PW_EFFECT_EXECS] = "execs", [PW_EFFECT_CREATES] = "creates", [PW_EFFECT_PRIVILEGED] = "privileged",
};

static const char *const type_words[] = {
	[PW_TYPE_STR] = "string", [PW_TYPE_INT] = "int", [PW_TYPE_REAL] = "number", [PW_TYPE_BOOL] = "bool",
	[PW_TYPE_PORT] = "port", [PW_TYPE_ADDRESS] = "address", [PW_TYPE_CIDR] = "cidr", [PW_TYPE_HOST] = "host",
	[PW_TYPE_URL] = "url", [PW_TYPE_DURATION] = "duration", [PW_TYPE_CHOICE] = "choice", [PW_TYPE_LIST] = "list",
	[PW_TYPE_MAP] = "map", [PW_TYPE_NAMESPACE] = "namespace", [PW_TYPE_POD] = "pod",
	[PW_TYPE_SERVICE] = "service", [PW_TYPE_NODE] = "node",
};

/* By -code. */
static const char *const code_words[] = {
	"ok", "usage", "syntax", "io", "net", "auth", "denied", "timeout", "nomem", "unsupported", "internal",
	"absent", "cancelled",
};

const char *pw_class_word(enum pw_class klass) { return WORD(class_words, klass); }
const char *pw_effect_word(enum pw_effect effect) { return WORD(effect_words, effect); }
const char *pw_type_word(enum pw_type type) { return WORD(type_words, type); }
const char *pw_code_word(int code) { return code <= 0 ? WORD(code_words, -(long long)code) : "unknown"; }
