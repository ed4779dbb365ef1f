/* SPDX-License-Identifier: MIT
 *
 * What a trust bundle lets the signer issue and cosign, while its file is replaced.
 */
#include "caps/signer-wire.h"
#include "caps/trust.h"
#include "codec/base64.h"
#include <criterion/criterion.h>
#include <stdio.h>

#define NOW INT64_C(1800000000)
#define FILE_PATH "/trust/trust.cbor"

static const uint8_t root_seed[32] = {10}, issuer_seed[32] = {5}, log_seed[32] = {9};
static uint8_t issuer[CRYPTO_PUBLIC];
static hn_os *os;
static signer_trust *trust;
static char log_text[128];

static caps_view view(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

/* Ed25519 keys of notes begin with their type. */
static void name_log(const char *name)
{
	uint8_t typed[33] = {1};
	char base64[64];

	crypto_ed25519_public(log_seed, typed + 1);
	codec_base64(typed, sizeof(typed), base64);
	snprintf(log_text, sizeof(log_text), "%s+00000000+%s", name, base64);
}

static caps_issuer row(uint32_t epoch, int64_t max_ttl)
{
	caps_issuer made = {.epoch = epoch,
		.not_before = NOW - 1000,
		.sign_until = NOW + 1000,
		.max_ttl = max_ttl,
		.ceiling = {{.mask = {{1}}, .pattern = view("unit/*")}},
		.ceiling_count = 1};

	memcpy(made.key, issuer, sizeof(made.key));
	return made;
}

/* Of version `version` with these rows; signed by the one root. */
static void write_bundle(uint64_t version, caps_issuer *rows, size_t count)
{
	caps_bundle bundle = {.version = version,
		.cluster = view("lab"),
		.made = NOW,
		.threshold = 1,
		.root_count = 1,
		.issuers = rows,
		.issuer_count = count,
		.logs = {view(log_text)},
		.log_count = 1};
	BASE_AUTO_BUF base_buf payload = {0};
	BASE_AUTO_BUF base_buf file = {0};

	crypto_ed25519_public(root_seed, bundle.roots[0]);
	cr_assert_eq(caps_bundle_write(&bundle, &payload, NULL), 0);
	cr_assert_eq(caps_bundle_sign(
			     (const uint8_t *)payload.data, payload.size, root_seed, &file, NULL),
		0);
	cr_assert_eq(os_write_file(os, FILE_PATH, file.data, file.size, 0644, NULL), 0);
}

static int follow(signer_trust *followed)
{
	uint8_t digest[CRYPTO_DIGEST];
	uint64_t version = 0;

	return signer_trust_follow(followed, &version, digest, NULL);
}

static void init(void)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	caps_issuer rows[1];

	options.wall = NOW * OS_SECOND;
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/trust", 0755, NULL), 0);
	crypto_ed25519_public(issuer_seed, issuer);
	name_log("other.log");
	rows[0] = row(1, 3600);
	write_bundle(3, rows, 1);
	cr_assert_eq(signer_trust_open(os, FILE_PATH, &trust, NULL), 0);
	cr_assert_eq(follow(trust), 0);
}

static void fini(void)
{
	signer_trust_close(trust);
	hn_os_sim_free(os);
}

TestSuite(signer_trust, .init = init, .fini = fini);

typedef struct wish {
	const char *audience, *pattern;
	uint8_t verbs;
	int64_t issued, ttl;
} wish;
static const wish good = {"lab", "unit/web", 1, NOW, 3600};

static int check_key(const wish *asked, const uint8_t *key, uint32_t *epoch)
{
	caps_grant_terms grant = {.mask = {{asked->verbs}}, .pattern = asked->pattern};
	caps_terms terms = {.subject = "alice",
		.audience = asked->audience,
		.issued = asked->issued,
		.expires = asked->issued + asked->ttl,
		.grants = &grant,
		.grant_count = 1};
	BASE_AUTO_BUF base_buf claims = {0};

	crypto_ed25519_public(log_seed, terms.cnf);
	cr_assert_eq(caps_claims_write(&terms, true, &claims, NULL), 0);
	cr_assert_eq(follow(trust), 0);
	return signer_trust_check(trust, key, claims.data, claims.size, NOW, epoch, NULL);
}

static int check(wish asked)
{
	uint32_t epoch = 0;
	int rc = check_key(&asked, issuer, &epoch);

	cr_assert_eq(rc >= 0, epoch != 0);
	return rc;
}

Test(signer_trust, what_is_within_is_signed)
{
	cr_assert_eq(check(good), 0);
}

Test(signer_trust, what_is_above_is_refused)
{
	wish asked = good;

	asked.ttl++;
	cr_assert_eq(check(asked), HN_EDENIED, "longer");
	asked = good;
	asked.verbs = 3;
	cr_assert_eq(check(asked), HN_EDENIED, "more verbs");
	asked = good;
	asked.pattern = "unit/**";
	cr_assert_eq(check(asked), HN_EDENIED, "more objects");
	asked = good;
	asked.audience = "other";
	cr_assert_eq(check(asked), HN_EDENIED, "another cluster");
	asked = good;
	asked.issued -= 61;
	cr_assert_eq(check(asked), HN_EDENIED, "in the past");
	asked.issued = NOW + 61;
	cr_assert_eq(check(asked), HN_EDENIED, "in the future");
}

Test(signer_trust, what_is_no_claim_is_refused)
{
	uint32_t epoch = 0;

	cr_assert_eq(signer_trust_check(trust, issuer, "x", 1, NOW, &epoch, NULL), HN_ETOKEN);
}

Test(signer_trust, an_issuer_without_a_row_is_not_found)
{
	uint8_t stranger[CRYPTO_PUBLIC];
	uint32_t epoch = 0;

	crypto_ed25519_public(log_seed, stranger);
	cr_assert_eq(check_key(&good, stranger, &epoch), HN_ENOENT);
}

Test(signer_trust, the_highest_epoch_counts)
{
	caps_issuer rows[2] = {row(4, 60), row(7, 120)};
	wish asked = good;
	uint32_t epoch = 0;

	write_bundle(4, rows, 2);
	asked.ttl = 120;
	cr_assert_eq(check_key(&asked, issuer, &epoch), 0);
	cr_assert_eq(epoch, 7);
}

Test(signer_trust, a_later_version_is_followed_and_an_older_is_not)
{
	caps_issuer narrow[1] = {row(1, 60)}, wide[1] = {row(1, 7200)};
	wish asked = good;

	hn_os_sim_advance(os, OS_SECOND);
	write_bundle(4, narrow, 1);
	cr_assert_eq(check(good), HN_EDENIED);
	hn_os_sim_advance(os, OS_SECOND);
	write_bundle(3, wide, 1);
	asked.ttl = 60;
	cr_assert_eq(check(good), HN_EDENIED, "rolled back");
	cr_assert_eq(check(asked), 0);
	cr_assert_eq(os_write_file(os, FILE_PATH, "x", 1, 0644, NULL), 0);
	cr_assert_eq(check(asked), 0, "what is no bundle changes nothing");
	cr_assert_eq(os->ops->unlink(os, FILE_PATH), 0);
	cr_assert_eq(check(asked), 0, "nor does its absence");
}

Test(signer_trust, logs_are_found_by_their_whole_name)
{
	uint8_t expected[CRYPTO_PUBLIC], key[CRYPTO_PUBLIC] = {0};

	crypto_ed25519_public(log_seed, expected);
	cr_assert_eq(signer_trust_log_key(trust, "other.log", 9, key, NULL), 0);
	cr_assert_arr_eq(key, expected, sizeof(key));
	cr_assert_eq(signer_trust_log_key(trust, "other.lo", 8, key, NULL), HN_ENOENT);
	cr_assert_eq(signer_trust_log_key(trust, "other.log+", 10, key, NULL), HN_ENOENT);
	cr_assert_eq(signer_trust_log_key(trust, "", 0, key, NULL), HN_ENOENT);
}

/* Text in the bundle that only begins like a key of the log. */
Test(signer_trust, a_log_without_a_key_is_not_known)
{
	static const struct {
		const char *between;
		size_t size; /* bytes behind it */
		uint8_t type;
		int code;
	} logs[] = {
		{"+00000000+", 33, 1, 0},
		{"-00000000+", 33, 1, HN_ENOENT},
		{"+00000000-", 33, 1, HN_ENOENT},
		{"+00000000+", 33, 4, HN_ENOENT}, /* not Ed25519 */
		{"+00000000+", 32, 1, HN_ENOENT},
		{"+00000000+", 34, 1, HN_ENOENT},
		{"+00000000+", 0, 1, HN_ENOENT},
		{"+0000", 0, 1, HN_ENOENT},
	};

	for (size_t i = 0; i < BASE_COUNT(logs); i++) {
		caps_issuer rows[1] = {row(1, 3600)};
		uint8_t typed[34] = {logs[i].type}, key[CRYPTO_PUBLIC] = {42};
		char base64[64] = "";

		crypto_ed25519_public(log_seed, typed + 1);
		if (logs[i].size > 0)
			codec_base64(typed, logs[i].size, base64);
		snprintf(log_text, sizeof(log_text), "other.log%s%s", logs[i].between, base64);
		hn_os_sim_advance(os, OS_SECOND);
		write_bundle(4 + i, rows, 1);
		cr_assert_eq(check(good), 0, "the bundle is followed");
		cr_expect_eq(signer_trust_log_key(trust, "other.log", 9, key, NULL), logs[i].code,
			"%zu", i);
		if (logs[i].code < 0)
			cr_expect_eq(key[0], 42, "untouched");
	}
}

/* What has the inode of the file that was read is still another one when it is newer, by whatever
 * little. */
Test(signer_trust, a_bundle_that_is_written_in_place_is_followed)
{
	static const int64_t steps[] = {1, OS_SECOND};
	wish asked = good;

	for (size_t i = 0; i < BASE_COUNT(steps); i++) {
		caps_issuer narrow[1] = {row(1, 60 + (int64_t)i)};
		BASE_AUTO_FREE char *bytes = NULL;
		struct stat before, after;
		size_t size = 0;
		int fd;

		asked.ttl = 61 + (int64_t)i;
		cr_assert_eq(check(asked), i == 0 ? 0 : HN_EDENIED);
		hn_os_sim_advance(os, steps[i]);
		cr_assert_eq(os->ops->rename(os, FILE_PATH, "/trust/kept"), 0);
		write_bundle(4 + i, narrow, 1);
		cr_assert_eq(os_read_file(os, FILE_PATH, 65536, &bytes, &size, NULL), 0);
		cr_assert_eq(os->ops->rename(os, "/trust/kept", FILE_PATH), 0);
		cr_assert_eq(os->ops->stat(os, FILE_PATH, &before), 0);
		fd = os->ops->open(os, FILE_PATH, O_WRONLY | O_TRUNC, 0);
		cr_assert_geq(fd, 0);
		cr_assert_eq(os->ops->pwrite(os, fd, bytes, size, 0), (ssize_t)size);
		os->ops->close(os, fd);
		cr_assert_eq(os->ops->stat(os, FILE_PATH, &after), 0);
		cr_assert_eq(before.st_ino, after.st_ino);
		cr_expect_eq(check(asked), HN_EDENIED, "%zu", i);
		asked.ttl = 60 + (int64_t)i;
		cr_expect_eq(check(asked), 0, "%zu", i);
	}
}

/* The code of claims that are good but for these, with the words and the hint that say why. */
static void denied(wish asked, const char *words, const char *hint)
{
	caps_grant_terms grant = {.mask = {{asked.verbs}}, .pattern = asked.pattern};
	caps_terms terms = {.subject = "alice",
		.audience = asked.audience,
		.issued = asked.issued,
		.expires = asked.issued + asked.ttl,
		.grants = &grant,
		.grant_count = 1};
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	BASE_AUTO_BUF base_buf claims = {0};
	uint32_t epoch = 42;

	crypto_ed25519_public(log_seed, terms.cnf);
	cr_assert_eq(caps_claims_write(&terms, true, &claims, NULL), 0);
	cr_assert_eq(follow(trust), 0);
	cr_expect_eq(signer_trust_check(trust, issuer, claims.data, claims.size, NOW, &epoch, &err),
		HN_EDENIED, "%s", words);
	cr_expect_eq(epoch, 42, "untouched");
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	if (hint == NULL)
		cr_expect_null(hn_error_hint(err));
	else
		cr_expect_not_null(strstr(hn_error_hint(err), hint));
}

Test(signer_trust, a_refusal_says_what_to_do)
{
	caps_issuer over[1] = {row(1, 3600)};
	wish asked = good;

	asked.audience = "lap"; /* as long as the right one */
	denied(asked, "another cluster than lab", NULL);
	asked = good;
	asked.verbs = 3;
	denied(asked, "not signed", NULL);
	over[0].sign_until = NOW - 1;
	hn_os_sim_advance(os, OS_SECOND);
	write_bundle(4, over, 1);
	denied(good, "not signed", "hv-cap trust renew");
}

Test(signer_trust, a_file_that_is_no_bundle_is_not_followed_until_it_is_one)
{
	caps_issuer rows[1] = {row(1, 60)};
	BASE_AUTO_OF(signer_trust) signer_trust *later = NULL;

	cr_assert_eq(os->ops->unlink(os, FILE_PATH), 0);
	cr_assert_eq(signer_trust_open(os, FILE_PATH, &later, NULL), 0);
	cr_expect_eq(follow(later), HN_EBUNDLE, "there is none");
	cr_assert_eq(os_write_file(os, FILE_PATH, "x", 1, 0644, NULL), 0);
	cr_expect_eq(follow(later), HN_EBUNDLE);
	write_bundle(3, rows, 1);
	cr_expect_eq(follow(later), 0);
}

/* --- over restarts --- */

static crypto_signer *start(void)
{
	crypto_signer *signer = NULL;
	caps_signer_options options = {.os = os,
		.directory = "/keys",
		.origin = "hypernix.org/audit/lab/n1",
		.check = signer_trust_check,
		.log_key = signer_trust_log_key,
		.bundle = signer_trust_follow,
		.bundle_refused = signer_trust_forget};

	signer_trust_close(BASE_STEAL(trust));
	cr_assert_eq(signer_trust_open(os, FILE_PATH, &trust, NULL), 0);
	options.arg = trust;
	cr_assert_eq(caps_signer_open(&options, &signer, NULL), 0);
	return signer;
}

/* What it says of claims that are none: HN_ENOENT, that the bundle has no row for its key, when it
 * goes by the bundle. */
static int issue(crypto_signer *signer)
{
	crypto_issued issued;

	return signer->ops->issue(signer, "x", 1, &issued, NULL);
}

/* The signer is started, asked to issue, and ends. */
static int restart(void)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = start();

	return issue(signer);
}

Test(signer_trust, a_restart_forgets_no_version)
{
	caps_issuer narrow[1] = {row(1, 60)}, wide[1] = {row(1, 7200)};

	write_bundle(4, narrow, 1);
	cr_assert_eq(restart(), HN_ENOENT);
	cr_assert_eq(restart(), HN_ENOENT, "the same one");
	write_bundle(3, wide, 1);
	cr_expect_eq(restart(), HN_EBUNDLE, "an older one");
	write_bundle(4, wide, 1);
	cr_expect_eq(restart(), HN_EBUNDLE, "another one of this version");
	write_bundle(5, wide, 1);
	cr_expect_eq(restart(), HN_ENOENT);
	write_bundle(4, narrow, 1);
	cr_expect_eq(restart(), HN_EBUNDLE);
}

/* The start keeps the version, not only what is asked for afterwards. */
Test(signer_trust, a_signer_that_signed_nothing_forgets_no_version)
{
	caps_issuer rows[1] = {row(1, 60)};

	write_bundle(4, rows, 1);
	crypto_signer_free(start());
	write_bundle(3, rows, 1);
	cr_expect_eq(restart(), HN_EBUNDLE);
}

/* What does not ask the bundle goes on; what does is refused, and says why. */
static void only_what_needs_no_bundle(const char *why)
{
	static const crypto_place place = {"secret", "body", 7, 1};
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = start();
	BASE_AUTO_OF(crypto_secret) crypto_secret *plain = NULL;
	BASE_AUTO_OF(hn_error) hn_error *refused = NULL;
	BASE_AUTO_BUF base_buf record = {0};
	static const uint8_t leaf[1][CRYPTO_DIGEST] = {{7}};
	uint8_t signature[CRYPTO_SIGNATURE];
	char line[CRYPTO_SIGNER_NOTE];
	crypto_signer_status status;
	crypto_issued issued;
	crypto_sealed sealed;

	cr_assert_eq(signer->ops->status(signer, &status, NULL), 0);
	cr_expect_eq(signer->ops->seal(signer, status.size, leaf, 1, &sealed, NULL), 0);
	cr_expect_eq(sealed.size, status.size + 1);
	cr_expect_eq(signer->ops->node(signer, "vote", leaf[0], signature, NULL), 0);
	cr_expect_eq(
		signer->ops->record_seal(signer, &place, (crypto_bytes){"plain", 5}, &record, NULL),
		0);
	cr_expect_eq(signer->ops->record_open(signer, &place,
			     (crypto_bytes){record.data, record.size}, &plain, NULL),
		0);
	cr_expect_eq(signer->ops->issue(signer, "x", 1, &issued, &refused), HN_EBUNDLE);
	cr_expect_not_null(strstr(hn_error_message(refused), why), "%s", hn_error_message(refused));
	cr_expect_eq(signer->ops->cosign(signer, 0, NULL, "x", 1, line, NULL), HN_EBUNDLE);
}

Test(signer_trust, after_a_rollback_the_log_is_sealed_and_nothing_issued)
{
	caps_issuer rows[1] = {row(1, 60)};

	write_bundle(4, rows, 1);
	cr_assert_eq(restart(), HN_ENOENT);
	write_bundle(3, rows, 1);
	only_what_needs_no_bundle(
		"the trust bundle has version 3; this signer signed by version 4");
	write_bundle(5, rows, 1);
	cr_expect_eq(restart(), HN_ENOENT, "a later one is taken");
}

/* What is refused vouches for nothing, and stands in nobody's way. */
Test(signer_trust, the_right_bundle_put_back_is_taken_while_the_signer_runs)
{
	caps_issuer narrow[1] = {row(1, 60)}, wide[1] = {row(1, 7200)};
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;

	write_bundle(4, narrow, 1);
	cr_assert_eq(restart(), HN_ENOENT);
	write_bundle(4, wide, 1);
	signer = start();
	cr_expect_eq(issue(signer), HN_EBUNDLE);
	hn_os_sim_advance(os, OS_SECOND);
	write_bundle(4, narrow, 1);
	cr_expect_eq(issue(signer), HN_ENOENT);
}

Test(signer_trust, without_a_bundle_that_can_be_read_the_log_is_sealed_and_nothing_issued)
{
	caps_issuer rows[1] = {row(1, 60)};
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;

	cr_assert_eq(os_write_file(os, FILE_PATH, "x", 1, 0644, NULL), 0);
	only_what_needs_no_bundle(FILE_PATH " is not taken: trust bundle: no COSE_Sign");
	cr_assert_eq(os->ops->unlink(os, FILE_PATH), 0);
	only_what_needs_no_bundle(FILE_PATH " is not taken: cannot look at it");
	signer = start();
	write_bundle(3, rows, 1);
	cr_expect_eq(issue(signer), HN_ENOENT, "taken while it runs");
}

/* One that comes while it runs is on disk before anything is signed by it. */
Test(signer_trust, a_version_that_came_later_is_not_forgotten_either)
{
	caps_issuer rows[1] = {row(1, 60)};
	crypto_signer *signer = start();

	hn_os_sim_advance(os, OS_SECOND);
	write_bundle(4, rows, 1);
	cr_expect_eq(issue(signer), HN_ENOENT);
	crypto_signer_free(signer);
	cr_expect_eq(restart(), HN_ENOENT);
	write_bundle(3, rows, 1);
	cr_expect_eq(restart(), HN_EBUNDLE);
}

/* Two processes on one directory, and the one has the older file. */
Test(signer_trust, what_another_process_follows_counts)
{
	caps_issuer rows[1] = {row(1, 60)};
	crypto_signer *signer = start();
	signer_trust *older = BASE_STEAL(trust);

	write_bundle(4, rows, 1);
	cr_assert_eq(restart(), HN_ENOENT);
	cr_assert_eq(os->ops->unlink(os, FILE_PATH), 0);
	cr_expect_eq(issue(signer), HN_EBUNDLE);
	crypto_signer_free(signer);
	signer_trust_close(older);
}
