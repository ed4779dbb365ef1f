/* SPDX-License-Identifier: MIT
 *
 * The index of a registry: its bytes, its signature, its freshness.
 */
#include "compose/index.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t seed[CRYPTO_SEED] = {7}, other_seed[CRYPTO_SEED] = {8};

static compose_version version(const char *text)
{
	compose_version made = {0};

	cr_assert_eq(compose_version_parse(text, strlen(text), &made, NULL), 0, "%s", text);
	return made;
}

static void put_text(codec_cbor_out *out, const char *text)
{
	codec_cbor_put_text(out, text, strlen(text));
}

/* How an index is written here, to get each part wrong. */
typedef struct recipe {
	const char *name;
	uint64_t schema, serial, not_after;
	const char *releases[8]; /* "name version" */
	const char *contracts[8];
	size_t digest_size, payload_size, payloads;
} recipe;

static const recipe good = {.name = "main",
	.schema = 1,
	.serial = 3,
	.not_after = 1000,
	.releases = {"glibc 2.36.0", "nginx 1.22.1", "nginx 1.22.1+r11"},
	.contracts = {"base/glibc 2.0.0", "service/http 1.2.0"},
	.digest_size = 32,
	.payload_size = 32,
	.payloads = 2};

static void put_items(
	codec_cbor_out *out, const recipe *how, const char *const items[8], bool payloads)
{
	static const uint8_t digest[64] = {1, 2, 3};
	size_t count = 0;

	while (count < 8 && items[count] != NULL)
		count++;
	codec_cbor_put_array(out, count);
	for (size_t i = 0; i < count; i++) {
		const char *space = strchr(items[i], ' ');

		codec_cbor_put_array(out, payloads ? 4 : 3);
		codec_cbor_put_text(out, items[i], (size_t)(space - items[i]));
		put_text(out, space + 1);
		codec_cbor_put_bytes(out, digest, how->digest_size);
		if (!payloads)
			continue;
		codec_cbor_put_array(out, how->payloads);
		for (size_t j = 0; j < how->payloads; j++)
			codec_cbor_put_bytes(out, digest, how->payload_size);
	}
}

static base_buf bytes_of(const recipe *how)
{
	codec_cbor_out out = {0};

	codec_cbor_put_map(&out, 6);
	codec_cbor_put_uint(&out, 1);
	codec_cbor_put_uint(&out, how->schema);
	codec_cbor_put_uint(&out, 2);
	put_text(&out, how->name);
	codec_cbor_put_uint(&out, 3);
	codec_cbor_put_uint(&out, how->serial);
	codec_cbor_put_uint(&out, 4);
	codec_cbor_put_uint(&out, how->not_after);
	codec_cbor_put_uint(&out, 5);
	put_items(&out, how, how->releases, true);
	codec_cbor_put_uint(&out, 6);
	put_items(&out, how, how->contracts, false);
	return out.buf;
}

static compose_index *read_good(void)
{
	BASE_AUTO_BUF base_buf bytes = bytes_of(&good);
	compose_index *index = NULL;
	hn_error *err = NULL;

	cr_assert_eq(compose_index_read("index.cbor", bytes.data, bytes.size, &index, &err), 0,
		"%s", err != NULL ? hn_error_message(err) : "-");
	return index;
}

/* Refused with this code, and a message that has `part`; what it would give is untouched. */
static void refuse_bytes(const void *bytes, size_t size, int code, const char *part)
{
	compose_index *index = (void *)(uintptr_t)1;
	hn_error *err = NULL;
	int rc = compose_index_read("index.cbor", bytes, size, &index, &err);
	bool found = false;

	cr_assert_eq(rc, code, "%d instead of %d: %s", rc, code,
		err != NULL ? hn_error_message(err) : "-");
	cr_assert_eq((uintptr_t)index, 1);
	for (const hn_error *at = err; at != NULL; at = hn_error_cause(at))
		found = found || strstr(hn_error_message(at), part) != NULL;
	cr_assert(found, "'%s' is not in: %s", part, hn_error_message(err));
	hn_error_unref(err);
}

static void refuse(const recipe *how, int code, const char *part)
{
	BASE_AUTO_BUF base_buf bytes = bytes_of(how);

	refuse_bytes(bytes.data, bytes.size, code, part);
}

Test(index, says_what_it_has)
{
	BASE_AUTO_OF(compose_index) compose_index *index = read_good();
	compose_version want = version("1.22.1+r11"), none = version("1.22.2");

	cr_assert_str_eq(index->name, "main");
	cr_assert_eq(index->serial, 3);
	cr_assert_eq(index->not_after, 1000);
	cr_assert_eq(index->count, 3);
	cr_assert_eq(index->contract_count, 2);
	const compose_indexed *found = compose_index_find(index, "nginx", &want);
	cr_assert_not_null(found);
	cr_assert_eq(found->payload_count, 2);
	cr_assert_eq(found->version.revision, 11);
	cr_assert_eq(found->manifest.bytes[1], 2);
	cr_assert_null(compose_index_find(index, "nginx", &none));
	cr_assert_null(compose_index_find(index, "apache", &want));
	want = version("1.2.0");
	cr_assert_not_null(compose_index_contract(index, "service/http", &want));
	cr_assert_null(compose_index_contract(index, "service/smtp", &want));
	cr_assert_null(compose_index_contract(index, "base/glibc", &want));
}

Test(index, is_written_as_it_was_read)
{
	BASE_AUTO_OF(compose_index) compose_index *index = read_good();
	BASE_AUTO_BUF base_buf bytes = bytes_of(&good), again = {0};
	uint8_t digest[CRYPTO_DIGEST];

	cr_assert_eq(compose_index_write(index, &again, NULL), 0);
	cr_assert_eq(again.size, bytes.size);
	cr_assert_eq(memcmp(again.data, bytes.data, bytes.size), 0);
	crypto_blake2b(bytes.data, bytes.size, digest);
	cr_assert_eq(memcmp(index->digest.bytes, digest, sizeof(digest)), 0);
}

Test(index, may_be_empty)
{
	recipe how = good;

	memset(how.releases, 0, sizeof(how.releases));
	memset(how.contracts, 0, sizeof(how.contracts));
	BASE_AUTO_BUF base_buf bytes = bytes_of(&how);
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	cr_assert_eq(compose_index_read("x", bytes.data, bytes.size, &index, NULL), 0);
	cr_assert_eq(index->count, 0);
	compose_version any = version("1.0.0");
	cr_assert_null(compose_index_find(index, "a", &any));
}

Test(index, is_not_written_when_nobody_could_read_it)
{
	BASE_AUTO_OF(compose_index) compose_index *index = read_good();
	BASE_AUTO_BUF base_buf out = {0};

	index->serial = 0;
	cr_assert_eq(compose_index_write(index, &out, NULL), HN_ESCHEMA);
	cr_assert_eq(out.size, 0);
}

Test(index, is_refused_for_its_head)
{
	recipe how = good;

	how.schema = 2;
	refuse(&how, HN_ENEWER, "schema 2");
	how.schema = 0;
	refuse(&how, HN_ESCHEMA, "six fields");
	how = good;
	how.name = "Main";
	refuse(&how, HN_ESCHEMA, "registry's name");
	how = good;
	how.serial = 0;
	refuse(&how, HN_ESCHEMA, "serial");
	how = good;
	how.not_after = UINT64_C(1) << 63;
	refuse(&how, HN_ESCHEMA, "end");
}

Test(index, is_refused_for_an_entry)
{
	recipe how = good;

	how.releases[0] = "Glibc 2.36.0";
	refuse(&how, HN_ESCHEMA, "component's name");
	how = good;
	how.releases[0] = "glibc 2.36";
	refuse(&how, HN_ESYNTAX, "index.cbor at byte");
	how = good;
	how.contracts[1] = "servicehttp 1.2.0";
	refuse(&how, HN_ESCHEMA, "contract's name");
	how = good;
	how.contracts[1] = "service/http v1.2.0";
	refuse(&how, HN_ESYNTAX, "index.cbor at byte");
	how = good;
	how.digest_size = 31;
	refuse(&how, HN_ESCHEMA, "manifest's digest");
	how.releases[0] = NULL;
	refuse(&how, HN_ESCHEMA, "contract's digest");
	how = good;
	how.payload_size = 33;
	refuse(&how, HN_ESCHEMA, "SHA-256");
	how = good;
	how.payloads = 257;
	refuse(&how, HN_ELIMIT, "payloads of one component");
}

Test(index, is_refused_out_of_order)
{
	recipe how = good;

	how.releases[1] = "nginx 1.22.1+r12";
	refuse(&how, HN_ESCHEMA, "out of order");
	how.releases[1] = "nginx 1.22.1+r11";
	refuse(&how, HN_EDUPLICATE, "again");
	how = good;
	how.releases[0] = "zlib 1.0.0";
	refuse(&how, HN_ESCHEMA, "out of order");
	how = good;
	how.contracts[0] = "service/http 1.2.0";
	refuse(&how, HN_EDUPLICATE, "again");
	how.contracts[0] = "service/http 2.0.0";
	refuse(&how, HN_ESCHEMA, "out of order");
}

Test(index, is_refused_when_cut_or_changed)
{
	BASE_AUTO_BUF base_buf bytes = bytes_of(&good);

	for (size_t size = 0; size < bytes.size; size++) {
		compose_index *index = NULL;
		int rc = compose_index_read("x", bytes.data, size, &index, NULL);

		cr_assert(rc == HN_ECBOR || rc == HN_ESCHEMA || rc == HN_ESYNTAX, "%d at %zu", rc,
			size);
	}
	base_buf_add(&bytes, "\0", 1);
	refuse_bytes(bytes.data, bytes.size, HN_ECBOR, "no index");
	for (size_t i = 0; i < 12; i++) {
		bytes.data[i] = (char)(bytes.data[i] ^ 0x40);
		compose_index *index = NULL;
		cr_assert_lt(compose_index_read("x", bytes.data, bytes.size - 1, &index, NULL), 0);
		bytes.data[i] = (char)(bytes.data[i] ^ 0x40);
	}
}

Test(index, believes_no_count)
{
	static const char lie[] = "\xa6\x01\x01\x02\x64main\x03\x01\x04\x00\x05\x8a";
	BASE_AUTO_BUF base_buf bytes = {0};

	base_buf_add(&bytes, lie, sizeof(lie) - 1);
	for (int i = 0; i < 64; i++)
		base_buf_add(&bytes, "\0", 1);
	refuse_bytes(bytes.data, bytes.size, HN_ESCHEMA, "more than there are bytes");
	refuse_bytes("\xa2\x01\x01\x05\x80", 5, HN_ESCHEMA, "six fields");
	refuse_bytes("\x01", 1, HN_ECBOR, "no index");
}

/* --- signatures --- */

typedef struct signed_index {
	base_buf bytes, cose;
	uint8_t keys[2][CRYPTO_PUBLIC];
	compose_trust trust;
} signed_index;

static void sign(signed_index *made, const uint8_t with[CRYPTO_SEED])
{
	uint8_t key[CRYPTO_PUBLIC], signature[CRYPTO_SIGNATURE];
	BASE_AUTO_BUF base_buf tbs = {0};

	crypto_ed25519_public(with, key);
	cr_assert_eq(compose_index_tbs(key, made->bytes.data, made->bytes.size, &tbs, NULL), 0);
	crypto_ed25519_sign_once(with, tbs.data, tbs.size, signature);
	base_buf_free(&made->cose);
	cr_assert_eq(compose_index_cose(key, signature, &made->cose, NULL), 0);
}

static void make_signed(signed_index *made)
{
	memset(made, 0, sizeof(*made));
	cr_assert_geq(crypto_open(NULL), 0);
	made->bytes = bytes_of(&good);
	crypto_ed25519_public(other_seed, made->keys[0]);
	crypto_ed25519_public(seed, made->keys[1]);
	made->trust = (compose_trust){
		.keys = (const uint8_t(*)[CRYPTO_PUBLIC])made->keys, .key_count = 2, .now = 900};
	sign(made, seed);
}

static void free_signed(signed_index *made)
{
	base_buf_free(&made->bytes);
	base_buf_free(&made->cose);
}

static void refuse_signature(signed_index *made, const char *part)
{
	hn_error *err = NULL;
	size_t key = 77;
	int rc = compose_index_verify(made->bytes.data, made->bytes.size, made->cose.data,
		made->cose.size, &made->trust, &key, &err);

	cr_assert_eq(rc, HN_ESIGNATURE, "%d", rc);
	cr_assert_eq(key, 77);
	cr_assert_not_null(strstr(hn_error_message(err), part), "%s", hn_error_message(err));
	hn_error_unref(err);
}

Test(index, is_verified_by_one_of_the_keys)
{
	signed_index made;
	size_t key = 77;

	make_signed(&made);
	cr_assert_eq(compose_index_verify(made.bytes.data, made.bytes.size, made.cose.data,
			     made.cose.size, &made.trust, &key, NULL),
		0);
	cr_assert_eq(key, 1);
	free_signed(&made);
}

Test(index, is_refused_when_signed_by_a_stranger)
{
	signed_index made;

	make_signed(&made);
	made.trust.key_count = 1;
	refuse_signature(&made, "none of the 1 trusted issuers");
	made.trust.key_count = 0;
	refuse_signature(&made, "none of the 0 trusted issuers");
	free_signed(&made);
}

Test(index, is_refused_when_it_was_changed_after_signing)
{
	signed_index made;

	make_signed(&made);
	for (size_t i = 0; i < made.bytes.size; i += 7) {
		made.bytes.data[i] = (char)(made.bytes.data[i] ^ 1);
		refuse_signature(&made, "is not over this index.cbor");
		made.bytes.data[i] = (char)(made.bytes.data[i] ^ 1);
	}
	free_signed(&made);
}

Test(index, is_refused_when_any_bit_of_the_signature_differs)
{
	signed_index made;

	make_signed(&made);
	for (size_t i = 0; i < made.cose.size * 8; i++) {
		made.cose.data[i / 8] = (char)(made.cose.data[i / 8] ^ (1 << (i % 8)));
		refuse_signature(&made, "index.cose");
		made.cose.data[i / 8] = (char)(made.cose.data[i / 8] ^ (1 << (i % 8)));
	}
	for (size_t size = 0; size < made.cose.size; size++) {
		base_buf whole = made.cose;

		made.cose.size = size;
		refuse_signature(&made, "index.cose");
		made.cose = whole;
	}
	free_signed(&made);
}

/* A COSE_Sign1 by the right key that is none of an index. */
static void sign_otherwise(signed_index *made, const char *content, int64_t alg, bool attached,
	bool unprotected, size_t signature_size)
{
	static const uint8_t nothing[1], zero[CRYPTO_SIGNATURE], map[] = {0xa1, 0x18, 0x40, 0x00};
	uint8_t kid[COMPOSE_INDEX_KID], signature[CRYPTO_SIGNATURE];
	BASE_AUTO_BUF base_buf tbs = {0};
	codec_cbor_out header = {0}, out = {0};

	compose_index_kid(made->keys[1], kid);
	codec_cbor_put_map(&header, 3);
	codec_cbor_put_uint(&header, 1);
	codec_cbor_put_int(&header, alg);
	codec_cbor_put_uint(&header, 3);
	put_text(&header, content);
	codec_cbor_put_uint(&header, 4);
	codec_cbor_put_bytes(&header, kid, sizeof(kid));
	codec_view head = {(const uint8_t *)header.buf.data, header.buf.size};
	codec_view payload = {(const uint8_t *)made->bytes.data, made->bytes.size};
	codec_cose_tbs(&tbs, head, NULL, (codec_view){nothing, 0}, payload);
	crypto_ed25519_sign_once(seed, tbs.data, tbs.size, signature);
	codec_cose_sign1 message = {.protected_header = head,
		.signature = {signature_size == CRYPTO_SIGNATURE ? signature : zero,
			signature_size},
		.tagged = true};
	if (attached)
		message.payload = payload;
	if (unprotected)
		message.unprotected = (codec_view){map, sizeof(map)};
	codec_cose_sign1_put(&out, &message);
	base_buf_free(&made->cose);
	made->cose = out.buf;
	base_buf_free(&header.buf);
}

Test(index, takes_no_signature_that_was_made_for_something_else)
{
	static const char content[] = "application/vnd.hypernix.index+cbor";
	signed_index made;
	size_t key = 77;

	make_signed(&made);
	sign_otherwise(&made, content, -8, false, false, 64);
	cr_assert_eq(compose_index_verify(made.bytes.data, made.bytes.size, made.cose.data,
			     made.cose.size, &made.trust, &key, NULL),
		0);
	sign_otherwise(&made, "application/other", -8, false, false, 64);
	refuse_signature(&made, "or not for an index");
	sign_otherwise(&made, content, -7, false, false, 64);
	refuse_signature(&made, "header is not one of an index");
	sign_otherwise(&made, content, -8, true, false, 64);
	refuse_signature(&made, "no payload of its own");
	sign_otherwise(&made, content, -8, false, true, 64);
	refuse_signature(&made, "unprotected header");
	sign_otherwise(&made, content, -8, false, false, 63);
	refuse_signature(&made, "not one of Ed25519");
	free_signed(&made);
}

Test(index, is_refused_with_a_signature_file_that_is_too_long)
{
	signed_index made;

	make_signed(&made);
	while (made.cose.size <= 4096)
		base_buf_add(&made.cose, "x", 1);
	refuse_signature(&made, "too long");
	free_signed(&made);
}

/* --- freshness --- */

Test(index, goes_no_way_back)
{
	BASE_AUTO_OF(compose_index) compose_index *index = read_good();
	compose_trust trust = {.serial = 3, .now = 1000};
	int64_t by = 77;
	hn_error *err = NULL;

	cr_assert_eq(compose_index_fresh(index, &trust, &by, NULL), 0);
	cr_assert_eq(by, 0);
	trust.serial = 4;
	by = 77;
	cr_assert_eq(compose_index_fresh(index, &trust, &by, &err), HN_EROLLBACK);
	cr_assert_eq(by, 77);
	cr_assert_not_null(strstr(hn_error_message(err), "serial 3, 4 was seen"));
	hn_error_unref(err);
	trust.allow_expired = true; /* this is no question of age */
	cr_assert_eq(compose_index_fresh(index, &trust, &by, NULL), HN_EROLLBACK);
}

Test(index, ends)
{
	BASE_AUTO_OF(compose_index) compose_index *index = read_good();
	compose_trust trust = {.now = 1000 + 86400 + 5};
	int64_t by = 77;
	hn_error *err = NULL;

	cr_assert_eq(compose_index_fresh(index, &trust, &by, &err), HN_ESIGNATURE);
	cr_assert_eq(by, 77);
	cr_assert_not_null(strstr(hn_error_message(err), "ended 1 days and 5 s ago"));
	cr_assert_not_null(strstr(hn_error_hint(err), "--allow-expired"));
	hn_error_unref(err);
	trust.allow_expired = true;
	cr_assert_eq(compose_index_fresh(index, &trust, &by, NULL), 0);
	cr_assert_eq(by, 86405);
	index->not_after = 0; /* no end */
	cr_assert_eq(compose_index_fresh(index, &trust, &by, NULL), 0);
	cr_assert_eq(by, 0);
}

/* --- both files --- */

static void put_file(hn_os *os, const char *path, const base_buf *content)
{
	cr_assert_eq(hn_os_sim_put(os, path, content->data, content->size, NULL), 0);
}

static int load(hn_os *os, signed_index *made, compose_index **index, hn_error **err)
{
	compose_trusted found = {.key = 77};
	int rc = compose_index_load(os, "/r", &made->trust, index, &found, err);

	if (rc < 0)
		cr_assert_eq(found.key, 77);
	else
		cr_assert(found.key == 1 && found.serial == 3 && found.expired_for == 0);
	return rc;
}

Test(index, is_loaded_with_its_signature)
{
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	signed_index made;
	hn_error *err = NULL;
	hn_os *os = NULL;

	make_signed(&made);
	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/r", 0755, NULL), 0);
	cr_assert_eq(load(os, &made, &index, NULL), HN_ENOENT);
	put_file(os, "/r/index.cbor", &made.bytes);
	cr_assert_eq(load(os, &made, &index, &err), HN_ENOENT);
	cr_assert_str_eq(hn_error_message(err), "registry /r is refused");
	put_file(os, "/r/index.cose", &made.cose);
	cr_assert_eq(load(os, &made, &index, &err), 0);
	cr_assert_str_eq(index->name, "main");
	made.trust.serial = 4;
	cr_assert_eq(load(os, &made, &index, &err), HN_EROLLBACK);
	made.trust.serial = 0;
	made.trust.now = 1001;
	cr_assert_eq(load(os, &made, &index, &err), HN_ESIGNATURE);
	/* What is signed is read as strictly as what is not. */
	made.trust.now = 0;
	made.bytes.size--;
	sign(&made, seed);
	put_file(os, "/r/index.cbor", &made.bytes);
	put_file(os, "/r/index.cose", &made.cose);
	cr_assert_eq(load(os, &made, &index, &err), HN_ECBOR);
	hn_error_unref(err);
	hn_os_sim_free(os);
	free_signed(&made);
}
