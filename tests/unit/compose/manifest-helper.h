/* SPDX-License-Identifier: MIT
 *
 * Manifests that are refused, and what is said then.
 */
#ifndef TEST_MANIFEST_HELPER_H
#define TEST_MANIFEST_HELPER_H

#include "compose/model.h"
#include "compose/read.h"

#include <criterion/criterion.h>

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

typedef struct refusal {
	const char *given;
	hn_code code;
	const char *said;
} refusal;

static inline void expect_refused(const char *text, const refusal *row)
{
	compose_manifest *untouched = (void *)(uintptr_t)0x7075, *made = untouched;
	hn_error *err = NULL;
	int rc = compose_manifest_parse("m.json", text, strlen(text), &made, &err);

	cr_expect_eq(rc, row->code, "%s: %s", hn_code_name((hn_code)rc), text);
	if (rc < 0)
		cr_expect_str_eq(hn_error_message(err), row->said);
	cr_expect_eq(made, untouched);
	hn_error_unref(err);
}

/* Each row is one member of a manifest that has nothing else. */
static inline void expect_members(const char *kind, const refusal *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		BASE_AUTO_BUF base_buf text = {0};

		base_buf_format(&text,
			"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"%s\",\n%s}",
			kind, rows[i].given);
		expect_refused(text.data, &rows[i]);
	}
}

#endif
