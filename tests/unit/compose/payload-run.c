/* SPDX-License-Identifier: MIT
 *
 * Payloads from the store to a layer, by the real program in its sandbox; what becomes of programs
 * that are something else; the cache.
 */
#include "payload-place.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static void refused(const place *at, const char *parser, const compose_payload *payload,
	hn_code wanted, const char *why)
{
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	bool cached = true;
	int code = layer_by(at, parser, payload, &layer, &cached, &err);

	cr_assert_eq(code, (int)wanted, "%d instead of %d: %s", code, (int)wanted,
		err != NULL ? hn_error_message(err) : "");
	cr_assert_not_null(
		strstr(hn_error_message(err), why), "'%s' has no '%s'", hn_error_message(err), why);
	cr_assert_null(layer);
	cr_assert(cached);
	hn_error_unref(err);
}

static bytes tar_of_files(void)
{
	bytes tar = {0};

	tar_add(&tar, (member){.name = "etc/", .type = '5'});
	tar_add(&tar, (member){.name = "etc/motd", .type = '0', .body = "hello\n"});
	tar_add(&tar, (member){.name = "etc/doc", .type = '0', .body = "documentation\n"});
	tar_end(&tar);
	return tar;
}

#ifdef HN_HAVE_ARCHIVE
static compose_payload put_tar(const place *at)
{
	bytes tar = tar_of_files();
	compose_payload payload = put(at, COMPOSE_PAYLOAD_TAR, tar.data, tar.size);

	free(tar.data);
	return payload;
}

Test(run, a_payload_is_read_by_the_program_and_kept)
{
	place at = open_place();
	compose_payload payload = put_tar(&at);
	compose_layer *layer = NULL, *again = NULL;
	hn_error *err = NULL;
	bool cached = true;
	char *body;
	size_t size;

	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "");
	cr_assert_not(cached);
	cr_assert_eq(layer->count, 3);
	cr_assert_eq(compose_store_load(at.store, &entry_of(layer, "/etc/motd")->content, 100,
			     &body, &size, NULL),
		0);
	cr_assert_str_eq(body, "hello\n");
	base_free(body);
	/* No program is asked a second time. */
	cr_assert_eq(layer_by(&at, "/nonexistent", &payload, &again, &cached, NULL), 0);
	cr_assert(cached);
	cr_assert(compose_digest_equal(&layer->digest, &again->digest));
	cr_assert_eq(again->count, 3);
	compose_layer_free(layer);
	compose_layer_free(again);
	leave(&at);
}

Test(run, other_options_are_another_layer)
{
	static const char *const globs[] = {"/etc/doc"};
	place at = open_place();
	compose_payload payload = put_tar(&at);
	compose_layer *layer = NULL;
	bool cached;

	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	compose_layer_free(layer);
	payload.exclude = globs;
	payload.exclude_count = 1;
	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	cr_assert_not(cached);
	cr_assert_eq(layer->count, 2);
	compose_layer_free(layer);
	leave(&at);
}

/* gc may have taken a body of a layer that nobody reaches. */
Test(run, a_layer_without_its_bodies_is_read_again)
{
	place at = open_place();
	compose_payload payload = put_tar(&at);
	compose_layer *layer = NULL;
	char text[COMPOSE_DIGEST_TEXT], name[128];
	bool cached;

	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	compose_digest_print(&entry_of(layer, "/etc/motd")->content, text);
	snprintf(name, sizeof(name), "store/blobs/%.2s/%s", text + 3, text + 5);
	cr_assert_eq(at.os->ops->unlink(at.os, path_in(&at, name)), 0);
	compose_layer_free(layer);
	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	cr_assert_not(cached);
	compose_layer_free(layer);
	leave(&at);
}

static int forget_layer(void *arg, const char *name)
{
	const place *at = arg;
	char path[192];

	snprintf(path, sizeof(path), "store/layers/%.100s", name);
	if (at->os->ops->unlink(at->os, path_in(at, path)) == 0)
		write_file(at, path, "no layer", 0644);
	return 0;
}

Test(run, a_damaged_layer_is_read_again)
{
	place at = open_place();
	compose_payload payload = put_tar(&at);
	compose_layer *layer = NULL;
	bool cached;

	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	compose_layer_free(layer);
	cr_assert_eq(at.os->ops->list(at.os, path_in(&at, "store/layers"), forget_layer, &at), 0);
	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	cr_assert_not(cached);
	cr_assert_eq(layer->count, 3);
	compose_layer_free(layer);
	leave(&at);
}

static int stretch_layer(void *arg, const char *name)
{
	const place *at = arg;
	char path[192];

	snprintf(path, sizeof(path), "%s/store/layers/%.100s", at->directory, name);
	return chmod(path, 0644) == 0 && truncate(path, (off_t)2 << 30) == 0 ? 0 : -errno;
}

/* What is larger than any that is kept is not read at all. */
Test(run, a_layer_that_is_too_large_is_read_again)
{
	place at = open_place();
	compose_payload payload = put_tar(&at);
	compose_layer *layer = NULL;
	bool cached;

	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	compose_layer_free(layer);
	cr_assert_eq(at.os->ops->list(at.os, path_in(&at, "store/layers"), stretch_layer, &at), 0);
	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	cr_assert_not(cached);
	cr_assert_eq(layer->count, 3);
	compose_layer_free(layer);
	leave(&at);
}

Test(run, what_the_program_refuses_is_told)
{
	place at = open_place();
	bytes tar = {0};
	compose_payload payload;

	tar_add(&tar, (member){.name = "../x", .type = '0'});
	tar_end(&tar);
	payload = put(&at, COMPOSE_PAYLOAD_TAR, tar.data, tar.size);
	refused(&at, TEST_PARSER, &payload, HN_EENTRY, "entry '../x' is refused");
	payload.kind = COMPOSE_PAYLOAD_DEB;
	refused(&at, TEST_PARSER, &payload, HN_EENTRY, "this is no deb");
	free(tar.data);
	leave(&at);
}

/* --- what a refusal leaves --- */

static int count_name(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

static size_t names_in(const place *at, const char *folder)
{
	size_t count = 0;
	int code = at->os->ops->list(at->os, path_in(at, folder), count_name, &count);

	cr_assert(code == 0 || code == -ENOENT, "%s: %d", folder, code);
	return count;
}

/* No record says that it was read, and nothing half is anywhere. The bodies that came before what
 * was refused are whole; nobody names them, so that they are garbage, and after it the payload is
 * all there is. */
static void refused_and_gone(const compose_payload *how, const bytes *payload, size_t bodies,
	hn_code code, const char *why)
{
	place at = open_place();
	compose_payload stored = put(&at, how->kind, payload->data, payload->size);
	compose_gc_counts counts;
	compose_digest digest;

	refused(&at, TEST_PARSER, &stored, code, why);
	cr_expect_eq(names_in(&at, "store/tmp"), 0, "%s", why);
	cr_expect_eq(names_in(&at, "store/layers"), 0, "%s", why);
	cr_expect_eq(names_in(&at, "store/images"), 0, "%s", why);
	cr_expect_eq(names_in(&at, "store/sha256"), 1, "%s", why);
	crypto_blake2b(payload->data, payload->size, digest.bytes);
	cr_assert_eq(compose_store_gc(at.store, &digest, 1, false, &counts, NULL), 0);
	cr_expect_eq(counts.blobs, bodies, "%s: %llu", why, (unsigned long long)counts.blobs);
	cr_expect_eq(counts.kept, 1, "%s: %llu", why, (unsigned long long)counts.kept);
	cr_expect_eq(compose_store_verify(at.store, &digest, NULL), 0);
	leave(&at);
}

/* Each is the last of two entries, and the first one is fine. */
static const struct {
	member of;
	hn_code code;
	const char *why;
} hostile[] = {
	{{.name = "../x", .type = '0', .body = "bad"}, HN_EENTRY,
		"entry '../x' is refused: '..' leads out"},
	{{.name = "/etc/passwd", .type = '0', .body = "bad"}, HN_EENTRY,
		"entry '/etc/passwd' is refused: its path is absolute"},
	{{.name = ".", .type = '2', .target = "/etc"}, HN_EENTRY,
		"entry '.' is refused: the root can only be a directory"},
	{{.name = "a\033[2J", .type = '0', .body = "bad"}, HN_EENTRY, "control character"},
	{{.name = "a\xff", .type = '0', .body = "bad"}, HN_EENTRY, "not UTF-8"},
	{{.name = "x/.wh.good", .type = '0'}, HN_EENTRY, "entry 'x/.wh.good' is refused"},
	{{.name = "good", .type = '0', .body = "bad"}, HN_EDUPLICATE,
		"entry '/good' is refused: the same path is there twice"},
	{{.name = "good/x", .type = '0', .body = "bad"}, HN_EENTRY, "entry '/good/x' is refused"},
	{{.name = "shadow", .type = '1', .target = "../etc/shadow"}, HN_EENTRY,
		"entry 'shadow' is refused: its target: '..' leads out"},
	{{.name = "shadow", .type = '1', .target = "later"}, HN_EENTRY,
		"entry '/shadow' is refused: its target /later is no earlier entry"},
	{{.name = "null", .type = '3', .device = "0 0"}, HN_EENTRY,
		"entry 'null' is refused: it is a character device"},
	{{.name = "disk", .type = '4', .device = "8 0"}, HN_EENTRY,
		"entry 'disk' is refused: it is a block device"},
	{{.name = "pipe", .type = '6'}, HN_EENTRY, "entry 'pipe' is refused: it is a fifo"},
	{{.name = "mine", .type = '0', .body = "bad", .uid = 1000}, HN_EENTRY,
		"entry '/mine' is refused: it belongs to user 1000, which nobody declares"},
	{{.name = "large", .type = '0', .size = UINT64_C(1) << 50}, HN_ELIMIT,
		"a file of an image has a limit of"},
	{{.name = "cut", .type = '0', .size = 1 << 20}, HN_EENTRY, "the payload"},
};

Test(run, what_is_refused_leaves_nothing, .timeout = 120)
{
	const compose_payload how = {.kind = COMPOSE_PAYLOAD_TAR};

	for (size_t i = 0; i < BASE_COUNT(hostile); i++) {
		bytes tar = {0};

		tar_add(&tar, (member){.name = "good", .type = '0', .body = "this one is fine\n"});
		tar_add(&tar, hostile[i].of);
		tar_end(&tar);
		refused_and_gone(&how, &tar, 1, hostile[i].code, hostile[i].why);
		free(tar.data);
	}
}

Test(run, what_no_archive_is_leaves_nothing, .timeout = 120)
{
	static const compose_payload_kind kinds[] = {
		COMPOSE_PAYLOAD_TAR, COMPOSE_PAYLOAD_DEB, COMPOSE_PAYLOAD_OCI};
	static const char *const why[] = {"the payload", "this is no deb", "the image layout"};
	bytes text = {0};

	add_bytes(&text, "this is no archive at all", 25);
	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		const compose_payload how = {.kind = kinds[i]};

		refused_and_gone(&how, &text, 0, HN_EENTRY, why[i]);
	}
	free(text.data);
}

/* Decompressed it would be 200 times the memory that the program may have. */
Test(run, a_bomb_does_not_take_the_memory, .timeout = 120)
{
	place at = open_place();
	bytes tar = {0}, packed;
	member of = {.name = "zeros", .type = '0', .mode = 0644};
	compose_payload payload;

	tar_head(&tar, &of, (uint64_t)64 << 20);
	add_zeros(&tar, (size_t)64 << 20);
	tar_end(&tar);
	packed = pack("zstd", &tar);
	payload = put(&at, COMPOSE_PAYLOAD_TAR, packed.data, packed.size);
	refused(&at, TEST_PARSER, &payload, HN_ELIMIT, "200 to 1");
	free(tar.data);
	free(packed.data);
	leave(&at);
}

/* The program says that it began when it is inside. */
Test(run, the_program_is_in_its_sandbox)
{
	const char *const argv[] = {TEST_PARSER, "--payload", "tar", NULL};
	hn_os *os = hn_os_real();
	int in[2], out[2], status;
	hn_os_spawn what = {.size = sizeof(what), .argv = argv, .err = -1};
	char path[64], *text, begin[8];
	size_t size;
	pid_t pid;

	cr_assert_eq(os->ops->pipe(os, in), 0);
	cr_assert_eq(os->ops->pipe(os, out), 0);
	what.in = in[0];
	what.out = out[1];
	cr_assert_eq(os->ops->spawn(os, &what, &pid), 0);
	os->ops->close(os, out[1]);
	cr_assert_eq(os->ops->read(os, out[0], begin, sizeof(begin)), 8);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	cr_assert_eq(os_read_file(os, path, 65536, &text, &size, NULL), 0);
	cr_expect_not_null(strstr(text, "NoNewPrivs:\t1"));
	cr_expect_not_null(strstr(text, "Seccomp:\t2"));
	cr_expect_not_null(strstr(text, "CapEff:\t0000000000000000"));
	base_free(text);
	os->ops->close(os, in[1]);
	os->ops->close(os, in[0]);
	cr_assert_eq(os->ops->wait(os, pid, -1, &status), 0);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 6); /* the payload is empty */
	os->ops->close(os, out[0]);
}
#endif

/* --- the bytes are those of the manifest --- */

Test(run, wrong_size_and_wrong_digest)
{
	place at = open_place();
	compose_payload payload = put(&at, COMPOSE_PAYLOAD_BLOB, "kernel", 6), other;
	compose_digest digest;

	payload.path = "/boot/vmlinuz";
	payload.size = 7;
	refused(&at, NULL, &payload, HN_EDIGEST, "it has 6 bytes, not 7");
	other = payload;
	other.size = 6;
	other.sha256.bytes[0] ^= 1;
	crypto_blake2b("kernel", 6, digest.bytes);
	cr_assert_eq(compose_store_name(at.store, &other.sha256, &digest, NULL), 0);
	refused(&at, NULL, &other, HN_EDIGEST, "its SHA-256 differs");
	leave(&at);
}

Test(run, a_blob_that_was_swapped)
{
	place at = open_place();
	compose_payload payload = put(&at, COMPOSE_PAYLOAD_BLOB, "kernel", 6);
	compose_digest digest;
	char text[COMPOSE_DIGEST_TEXT], name[128];

	payload.path = "/boot/vmlinuz";
	crypto_blake2b("kernel", 6, digest.bytes);
	compose_digest_print(&digest, text);
	snprintf(name, sizeof(name), "store/blobs/%.2s/%s", text + 3, text + 5);
	cr_assert_eq(at.os->ops->unlink(at.os, path_in(&at, name)), 0);
	write_file(&at, name, "kernex", 0644);
	refused(&at, NULL, &payload, HN_EDIGEST, "m.json:3:5: payload ");
	leave(&at);
}

Test(run, a_payload_that_is_not_there)
{
	place at = open_place();
	compose_payload payload = {.kind = COMPOSE_PAYLOAD_TAR, .size = 3};

	refused(&at, NULL, &payload, HN_EMISSING, "");
	leave(&at);
}

/* --- other programs --- */

static void script(const place *at, const char *text)
{
	write_file(at, "parser", text, 0755);
}

static void refused_script(
	place *at, const compose_payload *payload, const char *text, hn_code code, const char *why)
{
	char parser[512];

	script(at, text);
	snprintf(parser, sizeof(parser), "%s", path_in(at, "parser"));
	refused(at, parser, payload, code, why);
}

static compose_payload put_text(const place *at)
{
	return put(at, COMPOSE_PAYLOAD_TAR, "text", 4);
}

Test(run, programs_that_say_nothing_or_nonsense)
{
	place at = open_place();
	compose_payload payload = put_text(&at);

	refused(&at, "/nonexistent/hv-imgparse", &payload, HN_ENOENT, "cannot start");
	refused_script(&at, &payload, "#!/bin/sh\nexit 0\n", HN_EENTRY, "no end");
	refused_script(
		&at, &payload, "#!/bin/sh\nprintf abcdefgh\n", HN_EENTRY, "a size that none has");
	refused_script(&at, &payload, "#!/bin/sh\nprintf '\\0\\0\\0\\4\\203\\0\\2\\1'\n", HN_EENTRY,
		"is it of this version?");
	/* 1 in version, 1 in kind: what a tar begins with; then nothing. */
	refused_script(&at, &payload, "#!/bin/sh\nprintf '\\0\\0\\0\\4\\203\\0\\1\\1'\n", HN_EENTRY,
		"no end");
	leave(&at);
}

Test(run, programs_that_are_killed)
{
	place at = open_place();
	compose_payload payload = put_text(&at);

	refused_script(&at, &payload, "#!/bin/sh\nkill -SYS $$\n", HN_EENTRY, "may not do");
	refused_script(
		&at, &payload, "#!/bin/sh\nkill -SEGV $$\n", HN_EENTRY, "crashed: signal 11");
	refused_script(&at, &payload, "#!/bin/sh\nkill -XCPU $$\n", HN_ELIMIT, "time or memory");
	refused_script(&at, &payload, "#!/bin/sh\nkill -KILL $$\n", HN_ELIMIT, "time or memory");
	leave(&at);
}

/* It never ends by itself, and there is nothing that it could be waited for. */
Test(run, a_cancel_ends_a_program_that_hangs, .timeout = 60)
{
	place at = open_place();
	compose_payload payload = put_text(&at);
	hn_cancel *cancel = NULL;
	compose_reading how = {.payload = &payload};
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	char parser[512];
	bool cached;

	script(&at, "#!/bin/sh\nexec sleep 1000\n");
	snprintf(parser, sizeof(parser), "%s", path_in(&at, "parser"));
	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	how.cancel = cancel;
	cr_assert_eq(compose_payload_layer(at.store, parser, &how, &layer, &cached, &err),
		HN_ECANCELLED);
	hn_error_unref(err);
	hn_cancel_unref(cancel);
	leave(&at);
}

/* Before any program is asked: while the bytes of a payload are held against its digest, and while
 * the bodies of a cached one are looked for. */
Test(run, a_cancel_ends_the_reading_of_what_is_there)
{
	place at = open_place();
	compose_payload payload = put(&at, COMPOSE_PAYLOAD_BLOB, "kernel", 6);
	hn_cancel *cancel = NULL;
	compose_reading how = {.payload = &payload};
	compose_layer *layer = NULL;
	bool cached;

	payload.path = "/boot/vmlinuz";
	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	how.cancel = cancel;
	cr_assert_eq(
		compose_payload_layer(at.store, NULL, &how, &layer, &cached, NULL), HN_ECANCELLED);
	how.cancel = NULL;
	cr_assert_eq(compose_payload_layer(at.store, NULL, &how, &layer, &cached, NULL), 0);
	compose_layer_free(layer);
	layer = NULL;
	how.cancel = cancel;
	cr_assert_eq(
		compose_payload_layer(at.store, NULL, &how, &layer, &cached, NULL), HN_ECANCELLED);
	cr_assert_null(layer);
	hn_cancel_unref(cancel);
	leave(&at);
}

/* A clock that goes ten minutes further whenever it is looked at. */
static hn_os slow;
static int64_t slow_time;

static int64_t slow_clock(hn_os *os, hn_os_clock which)
{
	(void)os;
	(void)which;
	return slow_time += 600 * OS_SECOND;
}

/* It sends a little now and then, all of it right, and has no end. */
Test(run, a_program_that_drips, .timeout = 60)
{
	place at = open_place();
	hn_os_ops ops = *at.os->ops;
	compose_payload payload = put_text(&at);
	const compose_reading how = {.payload = &payload};
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	char parser[512];
	int fd;

	script(&at, "#!/bin/sh\nprintf '\\0\\0\\0\\4\\203\\0\\1\\1'\n"
		    "while printf '\\0'; do sleep 0.05; done\n");
	snprintf(parser, sizeof(parser), "%s", path_in(&at, "parser"));
	slow = *at.os;
	ops.clock = slow_clock;
	slow.ops = &ops;
	fd = at.os->ops->open(at.os, parser, O_RDONLY, 0);
	cr_assert_eq(
		compose_payload_run(&slow, parser, fd, 4, NULL, &how, &layer, &err), HN_ETIMEOUT);
	at.os->ops->close(at.os, fd);
	hn_error_unref(err);
	leave(&at);
}

/* It said all that it had to, and does not go: it is made to. */
Test(run, a_program_that_stays, .timeout = 60)
{
	place at = open_place();
	compose_payload payload = put_text(&at);
	compose_layer *layer = NULL;
	char parser[512];
	bool cached;

	script(&at, "#!/bin/sh\nprintf '\\0\\0\\0\\4\\203\\0\\1\\1\\0\\0\\0\\3\\202\\4\\0'\n"
		    "exec >&- sleep 1000\n");
	snprintf(parser, sizeof(parser), "%s", path_in(&at, "parser"));
	cr_assert_eq(layer_by(&at, parser, &payload, &layer, &cached, NULL), 0);
	cr_assert_eq(layer->count, 0);
	compose_layer_free(layer);
	leave(&at);
}

/* --- one file --- */

Test(run, a_blob_is_one_file)
{
	place at = open_place();
	compose_payload payload = put(&at, COMPOSE_PAYLOAD_BLOB, "kernel", 6);
	compose_layer *layer = NULL;
	bool cached;

	payload.path = "/boot/vmlinuz";
	cr_assert_eq(layer_by(&at, NULL, &payload, &layer, &cached, NULL), 0);
	cr_assert_eq(layer->count, 1);
	cr_assert_str_eq(layer->entries[0].path, "/boot/vmlinuz");
	cr_assert_eq(layer->entries[0].mode, 0644);
	cr_assert_eq(layer->entries[0].size, 6);
	cr_assert(compose_store_has(at.store, &layer->entries[0].content));
	compose_layer_free(layer);
	payload.mode = 0755;
	cr_assert_eq(layer_by(&at, NULL, &payload, &layer, &cached, NULL), 0);
	cr_assert_eq(layer->entries[0].mode, 0755);
	compose_layer_free(layer);
	leave(&at);
}

Test(run, a_blob_needs_a_path)
{
	place at = open_place();
	compose_payload payload = put(&at, COMPOSE_PAYLOAD_BLOB, "kernel", 6);

	refused(&at, NULL, &payload, HN_ESCHEMA, "does not say where");
	payload.path = "boot";
	refused(&at, NULL, &payload, HN_EENTRY, "not absolute");
	payload.path = "/boot/../x";
	refused(&at, NULL, &payload, HN_EENTRY, "'..'");
	payload.path = "/";
	refused(&at, NULL, &payload, HN_EENTRY, "");
	leave(&at);
}
