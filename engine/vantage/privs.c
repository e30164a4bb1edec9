/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capabilities, by the raw system calls: three sets of 64 bits do not deserve a library. capabilities(7). */
#include "privs.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAPS_PER_WORD = 32, CAPS_MAX = 64 };

static uint64_t bit(unsigned cap)
{
	return (uint64_t)1 << cap;
}

static uint64_t wanted(unsigned needs)
{
	uint64_t keep = 0;
	if (needs & PW_NEEDS_NET_RAW)
		keep |= bit(CAP_NET_RAW);
	if (needs & PW_NEEDS_NET_ADMIN)
		keep |= bit(CAP_NET_ADMIN) | bit(CAP_NET_RAW); /* iptables-legacy reads its rules through a raw socket */
	if (needs & PW_NEEDS_ROOT_FILES)
		keep |= bit(CAP_DAC_READ_SEARCH) | bit(CAP_SYS_PTRACE);
	return keep;
}

struct caps { uint64_t permitted, effective; };

static int read_caps(struct caps *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	if (syscall(SYS_capget, &head, data) < 0)
		return -1;
	ret->permitted = (uint64_t)data[1].permitted << CAPS_PER_WORD | data[0].permitted;
	ret->effective = (uint64_t)data[1].effective << CAPS_PER_WORD | data[0].effective;
	return 0;
}

bool pw_privs_has(unsigned cap)
{
	struct caps have;
	return cap < CAPS_MAX && read_caps(&have) == 0 && (have.effective & bit(cap)) != 0;
}

static int write_all(uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t word = (uint32_t)(caps >> (i * CAPS_PER_WORD));
		data[i] = (struct __user_cap_data_struct){ .effective = word, .permitted = word, .inheritable = word };
	}
	return (int)syscall(SYS_capset, &head, data);
}

/* For root, what a program may have after exec is the bounding set: it shrinks too. Without CAP_SETPCAP it cannot be
 * changed, and need not: with no_new_privs an exec adds nothing to what is permitted. */
static void shrink_bounding(uint64_t keep)
{
	for (unsigned cap = 0; cap < CAPS_MAX && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(keep & bit(cap)))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

/* For other users, what a program has after exec is the ambient set. */
static void raise_ambient(uint64_t keep)
{
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned cap = 0; cap < CAPS_MAX; cap++)
		if (keep & bit(cap))
			(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
}

int pw_privs_keep(unsigned needs, struct pw_err *err)
{
	struct caps have;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return pw_err_sys(err, PW_INTERNAL, errno, "cannot renounce new privileges");
	if (read_caps(&have) < 0)
		return pw_err_sys(err, PW_INTERNAL, errno, "cannot read capabilities");
	uint64_t keep = have.permitted & wanted(needs);
	shrink_bounding(keep);
	if (write_all(keep) < 0)
		return pw_err_sys(err, PW_INTERNAL, errno, "cannot drop capabilities");
	raise_ambient(keep);
	return PW_OK;
}
