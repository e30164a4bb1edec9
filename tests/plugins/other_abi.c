/* SPDX-License-Identifier: MIT */
/* Built for an ABI that does not exist yet. */
#include <packetwalk/check.h>

extern const struct pw_check pw_check_other_abi;
const struct pw_check pw_check_other_abi = { .abi = PW_CHECK_ABI + 1, .size = (uint32_t)sizeof(struct pw_check) };
