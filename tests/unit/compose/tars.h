/* SPDX-License-Identifier: MIT
 *
 * Archives from their bytes to a layer, both sides in this process: a small one that is read, and
 * how one is refused.
 */
#ifndef TEST_TARS_H
#define TEST_TARS_H

#include "archives.h"

static inline void refused_by(
	const compose_reading *how, bytes payload, hn_code wanted, const char *why)
{
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	int code = read_payload(how, &payload, &layer, &err);

	cr_assert_eq(code, (int)wanted, "%d instead of %d (%s): %s", code, (int)wanted, why,
		err != NULL ? hn_error_message(err) : "");
	cr_assert_not_null(
		strstr(hn_error_message(err), why), "'%s' has no '%s'", hn_error_message(err), why);
	cr_assert_null(layer);
	hn_error_unref(err);
	free(payload.data);
}

static inline compose_layer *read_well(const compose_reading *how, const bytes *payload)
{
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	int code = read_payload(how, payload, &layer, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err != NULL ? hn_error_message(err) : "");
	return layer;
}

static inline bytes small_tar(void)
{
	bytes tar = {0};

	tar_add(&tar, (member){.name = "./", .type = '5'});
	tar_add(&tar, (member){.name = "./usr/", .type = '5'});
	tar_add(&tar,
		(member){.name = "./usr/hello", .type = '0', .body = "hello\n", .mode = 0755});
	tar_add(&tar, (member){.name = "./usr/link", .type = '2', .target = "/usr/hello"});
	tar_add(&tar, (member){.name = "./usr/hard", .type = '1', .target = "./usr/hello"});
	tar_add(&tar, (member){.name = "./usr/none", .type = '0', .uid = 33, .gid = 42});
	tar_end(&tar);
	return tar;
}

static inline void check_small(const compose_layer *layer)
{
	compose_digest hello;

	crypto_blake2b("hello\n", 6, hello.bytes);
	cr_assert_eq(layer->count, 6);
	cr_assert_eq(entry_of(layer, "/")->type, COMPOSE_ENTRY_DIRECTORY);
	cr_assert_eq(entry_of(layer, "/usr")->mode, 0755);
	cr_assert_eq(entry_of(layer, "/usr/hello")->size, 6);
	cr_assert_eq(entry_of(layer, "/usr/hello")->mode, 0755);
	cr_assert(compose_digest_equal(&entry_of(layer, "/usr/hello")->content, &hello));
	cr_assert_str_eq(entry_of(layer, "/usr/link")->target, "/usr/hello");
	cr_assert_eq(entry_of(layer, "/usr/hard")->type, COMPOSE_ENTRY_HARDLINK);
	cr_assert_str_eq(entry_of(layer, "/usr/hard")->target, "/usr/hello");
	cr_assert_eq(entry_of(layer, "/usr/none")->uid, 33);
	cr_assert_eq(entry_of(layer, "/usr/none")->gid, 42);
	cr_assert_eq(entry_of(layer, "/usr/none")->size, 0);
}

static inline bytes zeros_in_tar(size_t size)
{
	bytes tar = {0};
	member of = {.name = "zeros", .type = '0', .mode = 0644};

	tar_head(&tar, &of, size);
	add_zeros(&tar, size);
	tar_end(&tar);
	return tar;
}

#endif
