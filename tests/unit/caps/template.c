/* SPDX-License-Identifier: MIT
 *
 * Templates of terms, filled for one person: what they fix is not widened.
 */
#include <criterion/criterion.h>
#include <hypernix/caps.h>
#include <stdio.h>
#include <string.h>

#define GRANTS "\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]"
#define DOCUMENT                                                                                   \
	"{\"hypernixCapabilities\":1,\"cluster\":\"lab\",\"templates\":{"                          \
	"\"free\":{" GRANTS "},"                                                                   \
	"\"fixed\":{\"for\":\"alice\",\"ttl\":\"8h\",\"template\":\"x\"," GRANTS "},"              \
	"\"odd\":{\"for\":7,\"ttl\":true," GRANTS "},"                                             \
	"\"late\":{\"ttl\":\"soon\"," GRANTS "},\"none\":[]}}"

typedef struct filled {
	const char *name, *subject, *ttl, *text; /* NULL: refused */
	hn_code code;
} filled;

static void expect(const char *templates, const filled *one)
{
	char *text = NULL;
	hn_error *err = NULL;
	int rc = hn_cap_fill(templates, one->name, one->subject, one->ttl, &text, &err);

	cr_expect_eq(rc, one->code, "%s: %d %s", one->name, rc, hn_error_message(err));
	cr_expect_eq((int)hn_error_code(err), rc);
	if (one->text == NULL)
		cr_expect_null(text, "%s", text);
	else
		cr_expect_str_eq(text != NULL ? text : "", one->text);
	hn_text_free(text);
	hn_error_unref(err);
}

Test(template, is_filled_with_what_it_leaves_open)
{
	static const filled cases[] = {
		{"free", "bo", NULL, "{\"template\":\"free\",\"for\":\"bo\"," GRANTS "}", HN_OK},
		{"free", "bo", "2h",
			"{\"template\":\"free\",\"for\":\"bo\",\"ttl\":\"2h\"," GRANTS "}", HN_OK},
		{"fixed", NULL, NULL,
			"{\"template\":\"fixed\",\"for\":\"alice\",\"ttl\":\"8h\"," GRANTS "}",
			HN_OK},
		{"fixed", "alice", "8h",
			"{\"template\":\"fixed\",\"for\":\"alice\",\"ttl\":\"8h\"," GRANTS "}",
			HN_OK},
		{"fixed", "alice", "1min",
			"{\"template\":\"fixed\",\"for\":\"alice\",\"ttl\":\"1min\"," GRANTS "}",
			HN_OK},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(DOCUMENT, &cases[i]);
}

Test(template, is_not_widened)
{
	static const filled cases[] = {
		{"fixed", "bo", NULL, NULL, HN_EWIDEN},
		{"fixed", NULL, "9h", NULL, HN_EWIDEN},
		{"odd", "7", NULL, NULL, HN_EWIDEN},
		{"free", NULL, NULL, NULL, HN_EINVAL},
		{"nobody", "bo", NULL, NULL, HN_ENOENT},
		{"none", "bo", NULL, NULL, HN_ESCHEMA},
		{"fixed", NULL, "tomorrow", NULL, HN_ESYNTAX},
		{"late", "bo", "1h", NULL, HN_ESYNTAX},
		{"odd", NULL, "1h", NULL, HN_ESCHEMA},
		{NULL, "bo", NULL, NULL, HN_EINVAL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(DOCUMENT, &cases[i]);
}

Test(template, is_of_a_document_of_ours)
{
	static const struct {
		const char *text;
		hn_code code;
	} wrong[] = {
		{NULL, HN_EINVAL},
		{"", HN_ESYNTAX},
		{"[]", HN_ESCHEMA},
		{"{\"templates\":{}}", HN_ESCHEMA},
		{"{\"hypernixCapabilities\":1}", HN_ESCHEMA},
		{"{\"hypernixCapabilities\":2,\"templates\":{\"free\":{" GRANTS "}}}", HN_ERANGE},
		{"{\"hypernixCapabilities\":1,\"templates\":[]}", HN_ESCHEMA},
		{"{\"hypernixCapabilities\":1,\"template\":{},\"templates\":{}}", HN_ESCHEMA},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect(wrong[i].text, &(filled){"free", "bo", NULL, NULL, wrong[i].code});
	cr_expect_eq(hn_cap_fill(DOCUMENT, "free", "bo", NULL, NULL, NULL), HN_EINVAL);
}
