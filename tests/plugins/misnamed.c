/* SPDX-License-Identifier: MIT */
/* Its file is not called what it declares. */
#include <packetwalk/check.h>

extern const struct pw_check pw_check_misnamed;
const struct pw_check pw_check_misnamed = { PW_CHECK_HEAD("something_else") };
