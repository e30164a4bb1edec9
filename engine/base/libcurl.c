/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libcurl, loaded once in a process, when it is first needed. */
#include "libcurl.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

/* The name of its ABI since curl 7.16. */
#define LIBRARY "libcurl.so.4"
#define SLOT(name) { "curl_" #name, offsetof(struct pw_libcurl, name) },

/* What dlopen() gives belongs to the process, and so does this. */
static struct pw_libcurl loaded;

const struct pw_libcurl *pw_libcurl(void)
{
	return &loaded;
}

int pw_libcurl_load(struct pw_err *err)
{
	static const struct { const char *name; size_t at; } slots[] = { PW_LIBCURL_FUNCTIONS(SLOT) };
	struct pw_libcurl found;
	if (loaded.global_init)
		return PW_OK;
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return pw_err_set(err, PW_UNSUPPORTED, "cannot load libcurl: %s", dlerror());
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		void *function = dlsym(library, slots[i].name);
		if (!function) {
			(void)dlclose(library);
			return pw_err_set(err, PW_UNSUPPORTED, "the installed %s is too old: it has no %s", LIBRARY, slots[i].name);
		}
		memcpy((char *)&found + slots[i].at, &function, sizeof function); /* POSIX: dlsym()'s void * holds a function */
	}
	loaded = found;
	return PW_OK;
}

/* By their own names, so out of the dynamic symbols, or libcurl would call these in place of its own. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#pragma GCC visibility push(hidden)

CURLcode curl_global_init(long flags)
{
	return pw_libcurl_load(NULL) == PW_OK ? loaded.global_init(flags) : CURLE_FAILED_INIT;
}

/* The option's number says which of five types its value has (CURLOPTTYPE_*). */
CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
	CURLcode rc;
	va_list ap;
	va_start(ap, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		rc = loaded.easy_setopt(curl, option, va_arg(ap, long));
	else if (option >= CURLOPTTYPE_FUNCTIONPOINT && option < CURLOPTTYPE_OFF_T)
		rc = loaded.easy_setopt(curl, option, va_arg(ap, void (*)(void)));
	else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		rc = loaded.easy_setopt(curl, option, va_arg(ap, curl_off_t));
	else
		rc = loaded.easy_setopt(curl, option, va_arg(ap, void *));
	va_end(ap);
	return rc;
}

/* Always a pointer to where the answer goes. */
CURLcode curl_easy_getinfo(CURL *curl, CURLINFO info, ...)
{
	va_list ap;
	va_start(ap, info);
	CURLcode rc = loaded.easy_getinfo(curl, info, va_arg(ap, void *));
	va_end(ap);
	return rc;
}

#pragma GCC visibility pop
