/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_OUT_OUT_H
#define ENGINE_OUT_OUT_H

#include <run/run.h>

/* One output format = one file engine/out/NAME.c that defines pw_out_NAME. */
struct pw_out_style {
	bool color; bool utf8; unsigned width;
	bool shown;       /* the reader has seen the steps go by: text leaves them out */
	bool warn_fails;  /* --fail-on=warn: formats that know pass and fail count a warning as a failure */
};
struct pw_out {
	const char *name;      /* what `-o NAME` says */
	const char *summary;
	const char *extension; /* ".json" */
	void (*write)(const struct pw_record *record, const struct pw_out_style *style, struct pw_buf *out);
};
/* Generated from the folder's files. NULL-terminated. */
extern const struct pw_out *const pw_out_registry[];
const struct pw_out *pw_out_find(const char *name);

#endif
