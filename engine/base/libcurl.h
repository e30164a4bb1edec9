/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_BASE_LIBCURL_H
#define ENGINE_BASE_LIBCURL_H

#include <curl/curl.h>

#include <packetwalk/err.h>

/*
 * <curl/curl.h>, with the library loaded only when it is first needed: libcurl brings some forty others, and mapping those
 * costs more than everything else that `packetwalk lint` does. Functions are called by their own names, after
 * curl_global_init(), which fails when the library cannot be loaded, or pw_libcurl_load(), which says why.
 */

#define PW_LIBCURL_FUNCTIONS(X) \
	X(easy_cleanup) X(easy_escape) X(easy_getinfo) X(easy_init) X(easy_perform) X(easy_setopt) \
	X(easy_strerror) X(free) X(global_cleanup) X(global_init) X(multi_add_handle) X(multi_cleanup) \
	X(multi_info_read) X(multi_init) X(multi_perform) X(multi_poll) X(multi_remove_handle) \
	X(slist_append) X(slist_free_all) X(url) X(url_cleanup) X(url_get) X(url_set) X(url_strerror)
#define PW_LIBCURL_MEMBER(name) __typeof__(curl_##name) *name;

struct pw_libcurl { PW_LIBCURL_FUNCTIONS(PW_LIBCURL_MEMBER) };

/* A process that is going to enter another file system calls this first: the library must be this machine's. PW_UNSUPPORTED. */
int pw_libcurl_load(struct pw_err *err);
/* What was loaded; all NULL before. */
const struct pw_libcurl *pw_libcurl(void);

/* curl_easy_setopt() and curl_easy_getinfo(), macros already (they check types), are functions in libcurl.c. */
#define curl_easy_cleanup        (pw_libcurl()->easy_cleanup)
#define curl_easy_escape         (pw_libcurl()->easy_escape)
#define curl_easy_init           (pw_libcurl()->easy_init)
#define curl_easy_perform        (pw_libcurl()->easy_perform)
#define curl_easy_strerror       (pw_libcurl()->easy_strerror)
#define curl_free                (pw_libcurl()->free)
#define curl_global_cleanup      (pw_libcurl()->global_cleanup)
#define curl_multi_add_handle    (pw_libcurl()->multi_add_handle)
#define curl_multi_cleanup       (pw_libcurl()->multi_cleanup)
#define curl_multi_info_read     (pw_libcurl()->multi_info_read)
#define curl_multi_init          (pw_libcurl()->multi_init)
#define curl_multi_perform       (pw_libcurl()->multi_perform)
#define curl_multi_poll          (pw_libcurl()->multi_poll)
#define curl_multi_remove_handle (pw_libcurl()->multi_remove_handle)
#define curl_slist_append        (pw_libcurl()->slist_append)
#define curl_slist_free_all      (pw_libcurl()->slist_free_all)
#define curl_url                 (pw_libcurl()->url)
#define curl_url_cleanup         (pw_libcurl()->url_cleanup)
#define curl_url_get             (pw_libcurl()->url_get)
#define curl_url_set             (pw_libcurl()->url_set)
#define curl_url_strerror        (pw_libcurl()->url_strerror)

#endif
