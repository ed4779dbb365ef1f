/* SPDX-License-Identifier: MIT
 *
 * Negative tests, groups 47 to 55 as far as they are about the token itself: what a link may say,
 * and how names and patterns are written. What a request may ask is tested with the decision.
 */
#include "raw-token.h"

static void open_crypto(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(negative_meaning, .init = open_crypto);

#define GRANTS                                                                                     \
	"3a0001000081824131"                                                                       \
	"66756e69742f2a"
#define CTI_1 "0750101112131415161718191a1b1c1d1e1f"

static void later_link_refused(const char *claim)
{
	raw_token raw = raw_of(2);
	char edited[512];

	/* In its place in the order: before the caveats, or behind them. */
	raw_edit(&raw.part[1].claims, "a504", "a604");
	snprintf(edited, sizeof(edited), "%s3a0001000181", claim);
	raw_edit(&raw.part[1].claims, "3a0001000181", edited);
	raw_refused(&raw, "claims");
}

Test(negative_meaning, g47_grants_in_a_later_link)
{
	later_link_refused(GRANTS);
	raw_token raw = raw_of(2);
	raw_edit(&raw.part[1].claims, "a504", "a60265616c69636504");
	raw_refused(&raw, "does not belong");
	raw = raw_of(2);
	raw_edit(&raw.part[1].claims, "a504", "a603636c616204");
	raw_refused(&raw, "does not belong");
	raw = raw_of(2);
	raw_edit(&raw.part[1].claims, "a504", "a604");
	raw_add(&raw.part[1].claims, "3a0001000201"); /* subject epoch */
	raw_refused(&raw, "does not belong");
	raw = raw_of(2);
	raw_edit(&raw.part[1].claims, "a504", "a604");
	raw_add(&raw.part[1].claims, "3a000100036161"); /* template */
	raw_refused(&raw, "does not belong");
}

Test(negative_meaning, g47_unknown_claims)
{
	raw_token raw = raw_of(2);

	raw_edit(&raw.part[1].claims, "a504", "a604");
	raw_add(&raw.part[1].claims, "3a0001000401");
	raw_refused(&raw, "not known");
	raw = raw_of(2);
	raw_edit(&raw.part[0].claims, "a802",
		"a9016161"
		"02"); /* iss */
	raw_refused(&raw, "claims");
}

/* The parent's end counts; a later one in the child is no error, and gives nothing. */
Test(negative_meaning, g48_later_exp_than_the_parent)
{
	caps_presented how = presented();
	raw_token raw = raw_of(2);
	const char *reason = NULL;
	caps_token *token = NULL;
	trusting trust;

	trust_init(&trust);
	raw_edit(&raw.part[0].claims, "041a6955c710", "041a6955b9b4"); /* T0 + 180 */
	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, NULL, &how, &reason), 0);
	cr_assert_eq(
		caps_token_read((uint8_t *)raw.made.data, raw.made.size, &token, &reason, NULL), 0);
	cr_assert_eq(token->links[1].expires, T0 + 900);
	cr_assert_eq(caps_token_expires(token), T0 + 180);
	caps_token_free(token);
	raw_free(&raw);
}

Test(negative_meaning, g49_unknown_caveat_parses_so_that_it_can_be_shown)
{
	caps_token *token = NULL;
	raw_token raw = raw_of(2);

	raw_edit(&raw.part[1].claims, "82024101", "8218ff4101");
	raw_make(&raw);
	cr_assert_eq(
		caps_token_read((uint8_t *)raw.made.data, raw.made.size, &token, NULL, NULL), 0);
	cr_assert_eq(token->caveats[token->caveat_count - 1].id, 255);
	cr_assert_null(caps_caveat_name(255));
	caps_token_free(token);
	raw_free(&raw);
}

Test(negative_meaning, g49_caveats_without_a_number)
{
	static const char *const caveats[] = {"80", "8100",
		"8220"
		"01",
		"821a00010000"
		"01",
		"01", "a0", "816161",
		"8141"
		"02",
		"f6"};

	for (size_t i = 0; i < BASE_COUNT(caveats); i++)
		claims_refused(1, "82024101", caveats[i], "caveat");
}

/* Each known caveat in forms that are near to right, in strict CBOR. */
static const char *const near_caveats[] = {
	/* resource */
	"8101",
	"820180",
	"8201816155",
	"82018166756e69742f2f",
	"82016161",
	"830181616101",
	"82019161616161616161616161616161616161616161616161616161616161616161616161",
	"8201814161",
	/* verbs */
	"8102",
	"820240",
	"82024100",
	"8202420100",
	"820201",
	"82025821000000000000000000000000000000000000000000000000000000000000000001",
	"8302410101",
	/* window */
	"820305",
	"83030505",
	"83030605",
	"83030005",
	"8303051b0000003afff44180",
	"83032005",
	"8403050607",
	/* schedule */
	"8304616180",
	"8304608183181f001905a0",
	"830461618183000001",
	"83046161818318800001",
	"830461618183181f0000",
	"830461618183181f0505",
	"830461618183181f001905a1",
	"830461618183181f1905a001",
	"82046161",
	"840461618183181f000180",
	"840461618183181f0001816161",
	"840461618183181f0001820505",
	"840461618183181f0001820504",
	"840461618183181f0001811a002cc0a1",
	"8304784161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161618183181f0001",
	"830461618182181f00",
	"830441618183181f0001",
	/* net: /0, host bits, sizes */
	"820580",
	"82058182440000000000",
	"82058182500000000000000000000000000000000000",
	"82058182440a00000108",
	"82058182440a0000001821",
	"820581825000000000000000000000000000000001187f",
	"8205818250000000000000000000000000000000001881",
	"820581824300000008",
	"82058182616108",
	"820581814400000000",
	/* via */
	"820680",
	"82068180",
	"8206818105",
	"820681830061616162",
	"820681820060",
	"82068100",
	/* peer */
	"820780",
	"82078100",
	"820781581f00000000000000000000000000000000000000000000000000000000000000",
	"82078160",
	"82076161",
	/* tags */
	"83088080",
	"850880808080",
	"840880808160",
	"840881008080",
	"840891616161616161616161616161616161616161616161616161616161616161616161618080",
	/* depth */
	"820908",
	"820920",
	"8109",
	"82096131",
	"8209f5",
	/* quota */
	"830a0401",
	"830a0020",
	"820a00",
	"840a000101",
	/* rate */
	"840b000101",
	"840b010001",
	"840b1a000f42410101",
	"840b011a0001518101",
	"830b0101",
	/* approval */
	"840c005820000000000000000000000000000000000000000000000000000000000000000001",
	"840c115820000000000000000000000000000000000000000000000000000000000000000001",
	"840c01581f0000000000000000000000000000000000000000000000000000000000000001",
	"840c015820000000000000000000000000000000000000000000000000000000000000000000",
	"840c01582000000000000000000000000000000000000000000000000000000000000000001a00015181",
	"830c0158200000000000000000000000000000000000000000000000000000000000000000",
	/* mfa */
	"830d5820000000000000000000000000000000000000000000000000000000000000000000",
	"820d58200000000000000000000000000000000000000000000000000000000000000000",
	"830d581f0000000000000000000000000000000000000000000000000000000000000001",
	"830d616101",
	/* staleness */
	"820e00",
	"820e1a00015181",
	"810e",
	/* redact */
	"820f4100",
	"820f01",
	"810f",
	/* reason */
	"821000",
	"8210190201",
	"8110",
	/* bounds */
	"821180",
	"821181836161006161",
	"821181836161018101",
	"8211818361610401",
	"8211818361610301",
	"8211818361610380",
	"82118183600001",
	"821181836161028101",
	"82118182616100",
	"8211818361610382018101",
};

Test(negative_meaning, g49_caveats_not_of_their_form)
{

	for (size_t i = 0; i < BASE_COUNT(near_caveats); i++)
		claims_refused(1, "82024101", near_caveats[i], "not of the form of its number");
}

Test(negative_meaning, g49_caveats_in_their_form)
{
	static const char *const caveats[] = {
		"82018166756e69742f2a",
		"8201906161616161616161616161616161616161616161616161616161616161616161",
		"820258200000000000000000000000000000000000000000000000000000000000000001",
		"83030506",
		"8303011b0000003afff4417f",
		"830461618183181f001905a0",
		"840461618183187f19059f018100",
		"840461618183187f19059f018300011a002cc0a0",
		"82058182440a00000008",
		"82058182440a0000011820",
		"8205818250fe8000000000000000000000000000000a",
		"820581825000000000000000000000ffff0a0000001868",
		"82068182026161",
		"82068581008101810281038104",
		"820782747370696666653a2f2f6c61622f6e6f64652f6e3158200000000000000000000000000000000000000000000000000000000000000000",
		"8408808080",
		"84088163613a628163633a648163653a66",
		"820907",
		"830a0000",
		"830a031bffffffffffffffff",
		"840b1a000f42401a0001518000",
		"840c10582000000000000000000000000000000000000000000000000000000000000000001a00015180",
		"830d5820000000000000000000000000000000000000000000000000000000000000000001",
		"820e01",
		"820e1a00015180",
		"820f41ff",
		"821001",
		"8210190200",
		"8211818361610020",
		"8211818361610101",
		"821181836161026162",
		"8211818361610205",
		"8211818361610382616220",
		"8112",
		"8412f6f5a10102",
		"8219ffff8180",
	};

	for (size_t i = 0; i < BASE_COUNT(caveats); i++)
		claims_accepted(1, "82024101", caveats[i]);
}

Test(negative_meaning, g50_depth_exceeded)
{
	for (unsigned depth = 0; depth < 4; depth++) {
		char caveat[32];

		snprintf(caveat, sizeof(caveat), "820241318209%02x", depth);
		for (size_t links = 2; links <= 6; links++) {
			raw_token raw = raw_of(links);

			/* Two caveats in link 1: verbs, and depth. */
			raw_edit(&raw.part[1].claims, "3a0001000181", "3a0001000182");
			raw_edit(&raw.part[1].claims, "82024101", caveat);
			if (links - 2 <= depth)
				raw_accepted(&raw);
			else
				raw_refused(&raw, "more links follow");
		}
	}
}

Test(negative_meaning, g51_other_audience)
{
	claims_refused(0, "03636c6162", "03636c6163", "another cluster");
	claims_refused(0, "03636c6162", "03626c61", "another cluster");
	claims_refused(0, "03636c6162", "03646c616261", "another cluster");
	claims_refused(0, "03636c6162", "03634c4142", "another cluster");
	claims_refused(0, "03636c6162", "0360", "audience");
}

static void pattern_refused(const char *pattern)
{
	raw_token raw = raw_of(2);
	char hex[600];

	snprintf(hex, sizeof(hex), "78%02zx", strlen(pattern));
	if (strlen(pattern) < 24)
		snprintf(hex, sizeof(hex), "%02zx", 0x60 + strlen(pattern));
	codec_hex(pattern, strlen(pattern), hex + strlen(hex));
	raw_edit(&raw.part[0].claims, "66756e69742f2a", hex);
	raw_refused(&raw, "grant");
}

Test(negative_meaning, g52_patterns_with_dots_and_empty_segments)
{
	static const char *const patterns[] = {"unit/prod/../dev", "unit//a", "unit/a/", "/unit/a",
		"unit/./a", "..", ".", "/", "unit/%2f", "unit/%2e%2e/a", "", "unit/**/a", "unit/a*",
		"unit/***", "unit\\a", "unit/a b", "unit/a?", "unit/{a}"};

	for (size_t i = 0; i < BASE_COUNT(patterns); i++)
		pattern_refused(patterns[i]);
}

Test(negative_meaning, g53_nul_in_text)
{
	claims_refused(0, "0265616c696365", "0265616c006365", "subject");
	claims_refused(0, "03636c6162", "03646c616200", "audience");
	claims_refused(0, "66756e69742f2a", "67756e69742f2a00", "grant");
	claims_refused(0, "4265726c696e", "4265726c6900", "caveat");
}

Test(negative_meaning, g54_letters_that_look_like_others)
{
	static const char *const texts[] = {
		"unit/\xd0\xb0",      /* Cyrillic a */
		"unit/\xef\xbd\x81",  /* full-width a */
		"unit/a\xcc\x81",     /* a and a combining acute */
		"unit/\342\200\256a", /* right-to-left override */
		"unit/\342\200\213a", /* zero-width space */
		"unit/A",
		"UNIT/a",
		"unit/\xc3\xa9",
	};

	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		pattern_refused(texts[i]);
}

Test(negative_meaning, g54_subjects_are_visible_ascii)
{
	static const char *const subjects[] = {"0265d0b06c696365", "0265616c69c3a9",
		"0265616c690a63", "0265616c1b5b6d", "0265616c206365", "0260", "0264616c7f65"};

	for (size_t i = 0; i < BASE_COUNT(subjects); i++) {
		const char *reason = NULL;
		raw_token raw = raw_of(2);

		raw_edit(&raw.part[0].claims, "0265616c696365", subjects[i]);
		cr_assert_eq(raw_verdict(&raw, &reason), HN_ETOKEN, "%s", subjects[i]);
		raw_free(&raw);
	}
}

Test(negative_meaning, ceiling_of_the_issuer)
{
	claims_refused(0, "66756e69742f2a",
		"6766"
		"756e69742f2a",
		"ceiling"); /* funit */
	claims_refused(0, "66756e69742f2a", "622a2a", "ceiling");
	claims_refused(0, "66756e69742f2a", "632a2f2a", "ceiling");
	claims_accepted(0, "66756e69742f2a", "67756e69742f2a2a");
	claims_accepted(0, "66756e69742f2a", "64756e6974"); /* "**" takes nothing too */
	/* A verb that the issuer has not: bit 64. */
	claims_refused(0, "824131",
		"824900000000000000000"
		"1",
		"ceiling");
}

Test(negative_meaning, longer_life_than_the_issuer_may_give)
{
	claims_accepted(0, "041a6955c710", "041a69570a80"); /* a day */
	claims_refused(0, "041a6955c710", "041a69570a81", "longer than");
}
