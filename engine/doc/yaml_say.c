/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Complaints about YAML: what is no text at all, and libyaml's errors in plain words. */
#include <doc/yaml_say.h>

#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include <base/text.h>
#include <doc/diag_ids.h>
#include <doc/lines.h>

static const struct pw_place nowhere = { NULL, 0, 0 };

int pw_yaml_no_memory(struct pw_yaml_say *say)
{
	return pw_err_set(say->err, PW_NOMEM, "out of memory while reading %s", say->file ? say->file : "YAML");
}

PW_PRINTF(7, 0) static int say_it(struct pw_yaml_say *say, bool stop, struct pw_place place, struct pw_place other,
				  const char *id, const char *fix, const char *fmt, va_list ap)
{
	char text[sizeof say->err->text];
	(void)vsnprintf(text, sizeof text, fmt, ap);
	if (say->diags)
		pw_diags_add_two(say->diags, 0, place, other, id, fix, "%s", text);
	if (pw_diags_failed(say->diags))
		return pw_yaml_no_memory(say); /* a complaint nobody will see is none */
	if (say->diags && !stop)
		return PW_OK;
	return pw_err_at(say->err, PW_SYNTAX, place.file, place.line, place.col, "%s", text);
}

int pw_yaml_stop(struct pw_yaml_say *say, struct pw_place place, const char *id, const char *fix, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = say_it(say, true, place, nowhere, id, fix, fmt, ap);
	va_end(ap);
	return r;
}

int pw_yaml_stop_two(struct pw_yaml_say *say, struct pw_place place, struct pw_place other, const char *id,
		     const char *fix, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = say_it(say, true, place, other, id, fix, fmt, ap);
	va_end(ap);
	return r;
}

int pw_yaml_complain(struct pw_yaml_say *say, struct pw_place place, const char *id, const char *fix, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = say_it(say, false, place, nowhere, id, fix, fmt, ap);
	va_end(ap);
	return r;
}

int pw_yaml_complain_two(struct pw_yaml_say *say, struct pw_place place, struct pw_place other, const char *id,
			 const char *fix, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = say_it(say, false, place, other, id, fix, fmt, ap);
	va_end(ap);
	return r;
}

/* A kind of file people pass by mistake, by its first bytes; NULL if none is known. */
static const char *known_binary(const char *text, size_t len)
{
	static const struct { const char *magic; size_t len; const char *what; } kinds[] = {
		{ "\x1f\x8b", 2, "a gzip file; unpack it first" },
		{ "\x7f" "ELF", 4, "a program (ELF)" },
		{ "PK\x03\x04", 4, "a zip file; unpack it first" },
		{ "\xff\xfe", 2, "UTF-16; save it as UTF-8" },
		{ "\xfe\xff", 2, "UTF-16; save it as UTF-8" },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (len >= kinds[i].len && !memcmp(text, kinds[i].magic, kinds[i].len))
			return kinds[i].what;
	return NULL;
}

static int bad_byte(struct pw_yaml_say *say, size_t offset, bool valid, uint32_t c)
{
	struct pw_place place = { say->file, 0, 0 };
	pw_line_place(say->text, say->len, offset, &place.line, &place.col);
	if (!valid)
		return pw_yaml_stop(say, place, PW_DIAG_NOT_TEXT, "save the file as UTF-8",
				    "the byte 0x%02x is not valid UTF-8", (unsigned)(unsigned char)say->text[offset]);
	if (c == 0)
		return pw_yaml_stop(say, place, PW_DIAG_NOT_TEXT, NULL, "a NUL byte is not text: is this a binary file?");
	return pw_yaml_stop(say, place, PW_DIAG_NOT_TEXT, "remove it, or write it as an escape in double quotes",
			    "the control character U+%04X is not allowed", (unsigned)c);
}

/* YAML 1.1, section 5.1: printable characters. */
static bool printable(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
	       (c >= 0xa0 && c <= 0xfffd) || c >= 0x10000;
}

int pw_yaml_check_text(struct pw_yaml_say *say, size_t max)
{
	struct pw_place start = { say->file, 0, 0 };
	if (say->len > max)
		return pw_yaml_stop(say, start, PW_DIAG_LIMIT, NULL, "the file has %zu bytes, more than the %zu allowed", say->len, max);
	const char *binary = known_binary(say->text, say->len);
	if (binary)
		return pw_yaml_stop(say, start, PW_DIAG_NOT_TEXT, NULL, "this is not YAML but %s", binary);
	for (size_t i = 0; i < say->len;) {
		uint32_t c = 0;
		size_t n = pw_utf8_next(say->text + i, say->len - i, &c);
		if (n == 0 || !printable(c))
			return bad_byte(say, i, n > 0, c);
		i += n;
	}
	return PW_OK;
}

/* libyaml's words (0.2.5) and ours. `problem` and `context` are beginnings, NULL matches all. */
static const struct rule { const char *context, *problem, *text, *fix; } rules[] = {
	{ NULL, "mapping values are not allowed", "a \":\" stands where no key can be",
	  "check the indentation of this line and the one before; quote a value that holds \": \"" },
	{ "while scanning a simple key", "could not find expected ':'", "this line is neither \"key: value\" nor part of the value before it",
	  "add the \":\" and a blank, or check the indentation" },
	{ "while scanning a quoted scalar", "found unexpected end of stream", "a quote that is opened is never closed", "close the quote" },
	{ "while scanning a quoted scalar", "found unexpected document indicator", "a quote that is opened is not closed before the document ends", "close the quote" },
	{ NULL, "found unknown escape character", "this escape is not known in double quotes", "double the backslash, or use single quotes" },
	{ "while parsing a flow sequence", "did not find expected ',' or ']'", "a \"[\" is not closed, or a comma is missing", "add \",\" between items and \"]\" at the end" },
	{ "while parsing a flow mapping", "did not find expected ',' or '}'", "a \"{\" is not closed, or a comma is missing", "add \",\" between entries and \"}\" at the end; quote values that begin with \"{\"" },
	{ "while parsing a block mapping", "did not find expected key", "this is no key of the map it is indented under",
	  "keys of one map start in the same column; quote a value that begins with a quote, bracket or brace and goes on after it" },
	{ "while parsing a block collection", "did not find expected '-'", "this is no item of the list it is indented under", "begin each item with \"- \", in the same column" },
	{ NULL, "block sequence entries are not allowed", "a \"-\" stands where no list can begin", "put the list on lines of its own, below its key" },
	{ NULL, "did not find expected <document start>", "the document has ended before this", "check the indentation, or begin a new document with \"---\"" },
	{ NULL, "found unknown directive name", "a line that begins with \"%\" is a directive, and this one is not known", "remove it, or put the value in quotes" },
	{ NULL, "found undefined tag handle", "the tag's prefix is not known", "remove the tag" },
	{ NULL, "found incompatible YAML document", "this version of YAML is not known", "remove the %YAML line" },
	{ NULL, "found unexpected end of stream", "the file ends in the middle of something", NULL },
};

static bool begins(const char *text, const char *with)
{
	return !with || (text && !strncmp(text, with, strlen(with)));
}

static const struct rule *find_rule(const yaml_parser_t *parser)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (begins(parser->context, rules[i].context) && begins(parser->problem, rules[i].problem))
			return &rules[i];
	return NULL;
}

static struct pw_place place_at(const struct pw_yaml_say *say, yaml_mark_t mark)
{
	return (struct pw_place){ say->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
}

/* Column (from 1) of the first tab in the line's indentation, 0 if there is none. */
static unsigned indent_tab(const char *line, size_t len)
{
	for (size_t i = 0; i < len && (line[i] == ' ' || line[i] == '\t'); i++)
		if (line[i] == '\t')
			return (unsigned)i + 1;
	return 0;
}

/* libyaml names a character that begins nothing; which one is in the text. */
static int bad_start(struct pw_yaml_say *say, struct pw_place place, const char *line, size_t len)
{
	size_t at = 0;
	for (unsigned col = 1; line && col < place.col && at < len; col++)
		at += pw_char_len(line + at, len - at);
	char c = line && at < len ? line[at] : 0;
	if (c == '\t')
		return pw_yaml_stop(say, place, PW_DIAG_TAB, "use blanks", "a tab stands where YAML allows only blanks");
	return pw_yaml_stop(say, place, PW_DIAG_SYNTAX, "put the value in quotes", "a value cannot begin with \"%c\"", c ? c : '?');
}

int pw_yaml_say_syntax(struct pw_yaml_say *say, const struct yaml_parser_s *parser)
{
	/* libyaml 0.2.5 forgets to say so when it cannot copy a tag. */
	if (parser->error == YAML_MEMORY_ERROR || parser->error == YAML_NO_ERROR)
		return pw_yaml_no_memory(say);
	struct pw_place place = place_at(say, parser->problem_mark);
	struct pw_place other = parser->context ? place_at(say, parser->context_mark) : nowhere;
	if (other.line == place.line && other.col == place.col)
		other = nowhere;
	size_t len = 0;
	const char *line = pw_line_find(say->text, say->len, place.line, &len);
	unsigned tab = line ? indent_tab(line, len) : 0;
	if (tab > 0) {
		place.col = tab;
		return pw_yaml_stop(say, place, PW_DIAG_TAB, "indent with blanks, two for each level", "a tab is used for indentation");
	}
	if (begins(parser->problem, "found character that cannot start"))
		return bad_start(say, place, line, len);
	const struct rule *rule = find_rule(parser);
	if (rule)
		return pw_yaml_stop_two(say, place, other, PW_DIAG_SYNTAX, rule->fix, "%s", rule->text);
	return pw_yaml_stop_two(say, place, other, PW_DIAG_SYNTAX, NULL, "not valid YAML: %s%s%s", parser->problem ? parser->problem : "unknown error",
				parser->context ? " " : "", parser->context ? parser->context : "");
}
