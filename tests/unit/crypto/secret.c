/* SPDX-License-Identifier: MIT
 *
 * Secret memory: what it holds, and that the kernel was told to keep it out of cores and swap.
 */
#include "crypto/crypto-private.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/mman.h>

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(secret, .init = init);

Test(secret, is_zeroed_when_made)
{
	static const uint8_t zero[100];
	crypto_secret *secret = NULL;

	cr_assert_eq(crypto_secret_new(100, &secret, NULL), 0);
	cr_assert_eq(crypto_secret_size(secret), 100);
	cr_assert_arr_eq(crypto_secret_view(secret), zero, 100);
	crypto_secret_free(secret);
}

Test(secret, copies_what_it_is_given)
{
	crypto_secret *secret = NULL;

	cr_assert_eq(crypto_secret_copy("12345", 5, &secret, NULL), 0);
	cr_assert_arr_eq(crypto_secret_view(secret), "12345", 5);
	crypto_secret_bytes(secret)[0] = '9';
	cr_assert_arr_eq(crypto_secret_view(secret), "92345", 5);
	crypto_secret_free(secret);
}

Test(secret, may_be_empty)
{
	crypto_secret *secret = NULL;

	cr_assert_eq(crypto_secret_copy(NULL, 0, &secret, NULL), 0);
	cr_assert_eq(crypto_secret_size(secret), 0);
	crypto_secret_free(secret);
	crypto_secret_free(NULL);
}

Test(secret, is_random_through_the_system)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	crypto_secret *first = NULL, *second = NULL;
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
	cr_assert_eq(crypto_secret_random(os, 32, &first, NULL), 0);
	cr_assert_eq(crypto_secret_random(os, 32, &second, NULL), 0);
	cr_assert_arr_neq(crypto_secret_view(first), crypto_secret_view(second), 32);
	crypto_secret_free(first);
	crypto_secret_free(second);
	first = NULL;
	hn_os_sim_fail(os, 1, false, 5);
	cr_assert_eq(crypto_secret_random(os, 32, &first, NULL), HN_EIO);
	cr_assert_null(first);
	hn_os_sim_free(os);
}

/* The flags of the mapping that holds an address: "rd wr mr mw me lo dd ...". */
static void flags_of(const void *address, char flags[256])
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long first, last;
	bool here = false;
	char line[512];

	cr_assert_not_null(maps);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
			here = first <= (unsigned long)address && (unsigned long)address < last;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, 256, "%.255s", line + 8);
	}
	fclose(maps);
}

/* Whether this process can lock a page at all: the limit may forbid it, and sanitizers make mlock
 * do nothing. */
static bool can_lock(void)
{
	char flags[256];
	void *page = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(page, MAP_FAILED);
	if (mlock(page, 65536) != 0)
		return false;
	flags_of(page, flags);
	munmap(page, 65536);
	return strstr(flags, " lo") != NULL;
}

Test(secret, is_left_out_of_cores_and_locked)
{
	crypto_secret *secret = NULL;
	char flags[256];

	cr_assert_eq(crypto_secret_new(64, &secret, NULL), 0);
	flags_of(crypto_secret_view(secret), flags);
	crypto_secret_free(secret);
	cr_assert_not_null(strstr(flags, " dd"), "MADV_DONTDUMP:%s", flags);
	cr_assert(!can_lock() || strstr(flags, " lo") != NULL, "mlock:%s", flags);
}

Test(secret, compares_all_bytes)
{
	uint8_t left[32] = {0}, right[32] = {0};

	cr_assert(crypto_equal(left, right, 32));
	for (size_t i = 0; i < 32; i++) {
		right[i] = 128;
		cr_assert_not(crypto_equal(left, right, 32));
		right[i] = 0;
	}
	cr_assert(crypto_equal("a", "b", 0));
}

Test(secret, wipes)
{
	static const uint8_t zero[9];
	uint8_t bytes[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

	crypto_wipe(bytes, sizeof(bytes));
	cr_assert_arr_eq(bytes, zero, sizeof(bytes));
}
