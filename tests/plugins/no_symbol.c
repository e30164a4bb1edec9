/* SPDX-License-Identifier: MIT */
/* Has a check, but under another symbol. */
#include <packetwalk/check.h>

extern const struct pw_check pw_check_elsewhere;
const struct pw_check pw_check_elsewhere = { PW_CHECK_HEAD("elsewhere") };
