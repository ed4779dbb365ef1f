/* SPDX-License-Identifier: MIT
 *
 * Records as a child sends them that somebody took over, and layers as a damaged disk gives them.
 */
#include "archives.h"
#include "compose/package.h"

static const compose_payload a_tar = {
	.kind = COMPOSE_PAYLOAD_TAR, .place = {.file = "m.json", .line = 1, .column = 1}};
static const compose_payload a_deb = {
	.kind = COMPOSE_PAYLOAD_DEB, .place = {.file = "m.json", .line = 1, .column = 1}};
static const compose_reading tar_reading = {.payload = &a_tar};
static const compose_reading deb_reading = {.payload = &a_deb};

/* --- streams --- */

static void send(codec_cbor_out *out, compose_record record)
{
	compose_record_put(&record, out);
}

static void begin(codec_cbor_out *out, compose_payload_kind kind)
{
	send(out, (compose_record){
			  .type = COMPOSE_RECORD_BEGIN, .version = COMPOSE_READER, .kind = kind});
}

static compose_raw raw_file(const char *path, uint64_t size)
{
	return (compose_raw){.type = COMPOSE_RAW_FILE,
		.path = path,
		.path_size = strlen(path),
		.target = "",
		.mode = 0644,
		.size = size};
}

static void file(codec_cbor_out *out, const char *path, uint64_t size)
{
	send(out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = raw_file(path, size)});
}

static void control(codec_cbor_out *out, const char *path, uint64_t size)
{
	send(out, (compose_record){.type = COMPOSE_RECORD_CONTROL, .raw = raw_file(path, size)});
}

static void body(codec_cbor_out *out, const char *text)
{
	send(out, (compose_record){.type = COMPOSE_RECORD_PIECE,
			  .piece = (const uint8_t *)text,
			  .piece_size = strlen(text)});
}

static void end(codec_cbor_out *out, uint64_t entries)
{
	send(out, (compose_record){.type = COMPOSE_RECORD_END, .entries = entries});
}

static int read_stream(const compose_reading *how, codec_cbor_out *out, size_t step,
	compose_layer **layer, hn_error **err)
{
	bytes all = {.data = out->buf.data, .size = out->buf.size};
	memory in = {.from = &all, .step = step};
	compose_record_source source = {.read = read_memory, .arg = &in};
	int code = compose_records_read(&source, 1000, NULL, how, layer, err);

	base_buf_free(&out->buf);
	return code;
}

static void refused_stream(
	const compose_reading *how, codec_cbor_out *out, hn_code wanted, const char *why)
{
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	int code = read_stream(how, out, 0, &layer, &err);

	cr_assert_eq(code, (int)wanted, "%d instead of %d: %s", code, (int)wanted,
		err != NULL ? hn_error_message(err) : "");
	cr_assert_not_null(
		strstr(hn_error_message(err), why), "'%s' has no '%s'", hn_error_message(err), why);
	cr_assert_null(layer);
	hn_error_unref(err);
}

static void refused(codec_cbor_out *out, hn_code wanted, const char *why)
{
	refused_stream(&tar_reading, out, wanted, why);
}

Test(stream, is_read_in_whatever_pieces)
{
	for (size_t step = 0; step < 20; step += step < 3 ? 1 : 8) {
		codec_cbor_out out = {0};
		compose_layer *layer = NULL;

		begin(&out, COMPOSE_PAYLOAD_TAR);
		file(&out, "a", 5);
		body(&out, "he");
		body(&out, "llo");
		file(&out, "b", 0);
		end(&out, 2);
		cr_assert_eq(read_stream(&tar_reading, &out, step, &layer, NULL), 0);
		cr_assert_eq(layer->count, 2);
		compose_layer_free(layer);
	}
}

static compose_layer *package_stream(
	const compose_reading *how, const char *text, int times, hn_error **err)
{
	codec_cbor_out out = {0};
	compose_layer *layer = NULL;

	begin(&out, COMPOSE_PAYLOAD_DEB);
	control(&out, "postrm", 2);
	body(&out, "ab");
	for (int i = 0; i < times; i++) {
		control(&out, "./control", strlen(text));
		body(&out, text);
	}
	control(&out, "postinst", 0);
	end(&out, 0);
	(void)read_stream(how, &out, 0, &layer, err);
	return layer;
}

Test(stream, says_what_a_package_is)
{
	static const compose_payload deb = {
		.kind = COMPOSE_PAYLOAD_DEB, .place = {.file = "m.json"}};
	static const char text[] = "Package: ab\nVersion: 1-2\n";
	compose_package *package = compose_package_new();
	compose_reading how = {.payload = &deb, .undecided = true, .package = package};
	compose_layer *layer = package_stream(&how, text, 1, NULL);
	hn_error *err = NULL;
	uint8_t ab[CRYPTO_DIGEST];

	cr_assert_not_null(layer);
	cr_assert_eq(layer->remark_count, 2); /* the control file is none */
	cr_assert_str_eq(package->name, "ab");
	cr_assert_str_eq(package->version, "1-2");
	cr_assert_eq(package->script_count, 2);
	cr_assert_str_eq(package->scripts[0].name, "postinst");
	cr_assert_str_eq(package->scripts[1].name, "postrm");
	crypto_blake2b("ab", 2, ab);
	cr_assert_eq(memcmp(package->scripts[1].digest.bytes, ab, sizeof(ab)), 0);
	compose_layer_free(layer);
	cr_assert_null(package_stream(&how, text, 2, &err));
	cr_assert_not_null(strstr(hn_error_message(err), "the same control file twice"));
	cr_assert_null(package_stream(&how, text, 0, &err));
	cr_assert_not_null(strstr(hn_error_message(err), "no control file"));
	cr_assert_null(package_stream(&how, "Package: ab\n", 1, &err));
	cr_assert_not_null(strstr(hn_error_message(err), "has no Version"));
	compose_package_unref(package);
	how.package = NULL;
	layer = package_stream(&how, "anything", 1, NULL);
	cr_assert_not_null(layer);
	compose_layer_free(layer);
	hn_error_unref(err);
}

Test(stream, control_files_have_a_limit)
{
	static const compose_payload deb = {
		.kind = COMPOSE_PAYLOAD_DEB, .place = {.file = "m.json"}};
	static const compose_reading how = {.payload = &deb, .undecided = true};
	codec_cbor_out out = {0};

	begin(&out, COMPOSE_PAYLOAD_DEB);
	control(&out, "control", 65537);
	refused_stream(&how, &out, HN_ELIMIT, "65536");
}

/* What the child should have refused. */
Test(stream, every_rule_is_checked_again)
{
	static const char *const names[] = {"../x", "/x", "a\nb", "x/.wh.y", "a\xff", ""};
	compose_raw device = raw_file("a", 0);

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		codec_cbor_out out = {0};

		begin(&out, COMPOSE_PAYLOAD_TAR);
		file(&out, names[i], 0);
		end(&out, 1);
		refused(&out, HN_EENTRY, "is refused");
	}
	for (int type = COMPOSE_RAW_CHARACTER; type <= COMPOSE_RAW_OTHER; type++) {
		codec_cbor_out out = {0};

		device.type = (compose_raw_type)type;
		begin(&out, COMPOSE_PAYLOAD_TAR);
		send(&out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = device});
		refused(&out, HN_EENTRY, "is refused");
	}
}

Test(stream, the_ratio_is_checked_before_the_body)
{
	codec_cbor_out out = {0};

	begin(&out, COMPOSE_PAYLOAD_TAR);
	file(&out, "a", (uint64_t)1 << 30); /* of 1,000 bytes */
	refused(&out, HN_ELIMIT, "200 to 1");
}

Test(stream, bodies_of_another_size)
{
	codec_cbor_out longer = {0}, shorter = {0}, other = {0}, none = {0};

	begin(&longer, COMPOSE_PAYLOAD_TAR);
	file(&longer, "a", 2);
	body(&longer, "abc");
	refused(&longer, HN_EENTRY, "a body of another size");
	begin(&shorter, COMPOSE_PAYLOAD_TAR);
	file(&shorter, "a", 5);
	body(&shorter, "abc");
	end(&shorter, 1);
	refused(&shorter, HN_EENTRY, "a body of another size");
	begin(&other, COMPOSE_PAYLOAD_TAR);
	file(&other, "a", 5);
	file(&other, "b", 5);
	refused(&other, HN_EENTRY, "a body of another size");
	begin(&none, COMPOSE_PAYLOAD_TAR);
	body(&none, "abc");
	refused(&none, HN_EENTRY, "where none can be");
}

Test(stream, ends)
{
	codec_cbor_out wrong = {0}, more = {0}, cut = {0}, half = {0}, twice = {0};

	begin(&wrong, COMPOSE_PAYLOAD_TAR);
	file(&wrong, "a", 0);
	end(&wrong, 2);
	refused(&wrong, HN_EENTRY, "fewer entries");
	begin(&more, COMPOSE_PAYLOAD_TAR);
	end(&more, 0);
	end(&more, 0);
	refused(&more, HN_EENTRY, "something behind the end");
	begin(&cut, COMPOSE_PAYLOAD_TAR);
	file(&cut, "a", 0);
	refused(&cut, HN_EENTRY, "no end");
	begin(&half, COMPOSE_PAYLOAD_TAR);
	file(&half, "abcdef", 0);
	half.buf.size -= 3;
	refused(&half, HN_EENTRY, "cut off");
	begin(&twice, COMPOSE_PAYLOAD_TAR);
	begin(&twice, COMPOSE_PAYLOAD_TAR);
	refused(&twice, HN_EENTRY, "where none can be");
}

Test(stream, cut_at_each_byte)
{
	codec_cbor_out whole = {0};

	begin(&whole, COMPOSE_PAYLOAD_TAR);
	file(&whole, "a", 3);
	body(&whole, "abc");
	end(&whole, 1);
	for (size_t size = 0; size < whole.buf.size; size++) {
		codec_cbor_out out = {0};

		base_buf_add(&out.buf, whole.buf.data, size);
		refused(&out, HN_EENTRY, "the parser of payloads sent");
	}
	base_buf_free(&whole.buf);
}

Test(stream, beginnings)
{
	codec_cbor_out version = {0}, kind = {0}, none = {0};

	send(&version,
		(compose_record){
			.type = COMPOSE_RECORD_BEGIN, .version = 99, .kind = COMPOSE_PAYLOAD_TAR});
	refused(&version, HN_EENTRY, "another beginning");
	begin(&kind, COMPOSE_PAYLOAD_DEB);
	refused(&kind, HN_EENTRY, "another beginning");
	end(&none, 0);
	refused(&none, HN_EENTRY, "another beginning");
}

Test(stream, refusals_are_told_without_control_characters)
{
	codec_cbor_out early = {0}, inside = {0}, empty = {0};

	send(&early, (compose_record){.type = COMPOSE_RECORD_REFUSED,
			     .code = HN_ELIMIT,
			     .text = "too \033[31mlarge",
			     .text_size = 14});
	refused(&early, HN_ELIMIT, "too ?[31mlarge");
	begin(&inside, COMPOSE_PAYLOAD_TAR);
	file(&inside, "a", 5);
	send(&inside, (compose_record){.type = COMPOSE_RECORD_REFUSED,
			      .code = HN_EENTRY,
			      .text = "damaged",
			      .text_size = 7});
	refused(&inside, HN_EENTRY, "damaged");
	begin(&empty, COMPOSE_PAYLOAD_TAR);
	send(&empty, (compose_record){.type = COMPOSE_RECORD_REFUSED, .code = HN_EENTRY});
	refused(&empty, HN_EENTRY, "the payload is refused");
}

/* Success, or a right that is not its to give: only codes of payloads are believed. */
Test(stream, codes_that_a_child_may_not_say)
{
	static const int codes[] = {0, 1, HN_EDENIED, HN_ELOCK, HN_EINTERNAL, -1000};

	for (size_t i = 0; i < BASE_COUNT(codes); i++) {
		codec_cbor_out out = {0};

		send(&out, (compose_record){.type = COMPOSE_RECORD_REFUSED,
				   .code = (hn_code)codes[i],
				   .text = "x",
				   .text_size = 1});
		refused(&out, HN_ECBOR, "no record");
	}
}

Test(stream, control_files_where_none_can_be)
{
	codec_cbor_out tar = {0}, late = {0}, deep = {0}, twice = {0};

	begin(&tar, COMPOSE_PAYLOAD_TAR);
	control(&tar, "postinst", 0);
	refused(&tar, HN_EENTRY, "a control file where none can be");
	begin(&late, COMPOSE_PAYLOAD_DEB);
	file(&late, "a", 0);
	control(&late, "postinst", 0);
	refused_stream(&deb_reading, &late, HN_EENTRY, "a control file where none can be");
	begin(&deep, COMPOSE_PAYLOAD_DEB);
	control(&deep, "../postinst", 0);
	refused_stream(&deb_reading, &deep, HN_EENTRY, "'..'");
	begin(&twice, COMPOSE_PAYLOAD_DEB);
	control(&twice, "postinst", 0);
	control(&twice, "postinst", 0);
	end(&twice, 0);
	{
		compose_reading how = deb_reading;

		how.undecided = true;
		refused_stream(&how, &twice, HN_EENTRY, "the same control file twice");
	}
}

Test(stream, too_many_control_files)
{
	codec_cbor_out out = {0};
	char name[32];

	begin(&out, COMPOSE_PAYLOAD_DEB);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		control(&out, name, 0);
	}
	end(&out, 0);
	refused_stream(&deb_reading, &out, HN_ELIMIT, "257 were given");
}

static ssize_t fail_to_read(void *arg, void *to, size_t size)
{
	(void)arg;
	(void)to;
	(void)size;
	return -5; /* EIO */
}

Test(stream, that_cannot_be_read)
{
	compose_record_source source = {.read = fail_to_read};
	compose_layer *layer = NULL;

	cr_assert_eq(compose_records_read(&source, 0, NULL, &tar_reading, &layer, NULL), HN_EIO);
	cr_assert_null(layer);
}

/* --- records --- */

static int read_record(const void *data, size_t size)
{
	compose_record record;

	return compose_record_read(data, size, &record, NULL);
}

Test(stream, what_is_no_record)
{
	static const char *const wrong[] = {"", "\x80", "\x81\x08", "\x82\x06\x00", "\x82\x07\x40",
		"\x83\x07\x40\x00", "\x82\x04\x40", "\x83\x04\x00\x00", "\x82\x00\x01",
		"\x83\x00\x01\x06", "\x82\x02\x40", "\x82\x04\x00\x00", "\xa0", "\x83\x05\x20\x60",
		"\x83\x03\x60\x00", "\x82\x03\x40", "\x82\x01\x00", "\x81\x00"};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_assert_eq(read_record(wrong[i], strlen(wrong[i])), HN_ECBOR, "number %zu", i);
	cr_assert_eq(read_record("\x82\x04\x00", 3), 0);
}

Test(stream, entries_that_are_no_records)
{
	codec_cbor_out out = {0};
	compose_raw_xattr xattrs[COMPOSE_XATTR_COUNT + 1];
	compose_raw raw = raw_file("a", 0);

	for (size_t i = 0; i < BASE_COUNT(xattrs); i++)
		xattrs[i] = (compose_raw_xattr){
			.name = "user.x", .name_size = 6, .value = (const uint8_t *)"", .size = 0};
	raw.xattrs = xattrs;
	raw.xattr_count = BASE_COUNT(xattrs);
	send(&out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = raw});
	cr_assert_eq(read_record(out.buf.data + 4, out.buf.size - 4), HN_ECBOR);
	base_buf_free(&out.buf);
	out = (codec_cbor_out){0};
	raw.xattr_count = COMPOSE_XATTR_COUNT;
	raw.type = (compose_raw_type)(COMPOSE_RAW_OTHER + 1);
	send(&out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = raw});
	cr_assert_eq(read_record(out.buf.data + 4, out.buf.size - 4), HN_ECBOR);
	base_buf_free(&out.buf);
}

/* --- layers --- */

/* --- layers of an image --- */

static void layer_begins(codec_cbor_out *out)
{
	send(out, (compose_record){.type = COMPOSE_RECORD_LAYER});
}

static void whiteout(codec_cbor_out *out, const char *path, bool opaque)
{
	send(out, (compose_record){.type = COMPOSE_RECORD_WHITEOUT,
			  .raw = {.path = path, .path_size = strlen(path)},
			  .opaque = opaque});
}

static void refused_image(codec_cbor_out *out, hn_code wanted, const char *why)
{
	static const compose_payload image = {.kind = COMPOSE_PAYLOAD_OCI};
	static const compose_reading how = {.payload = &image};

	refused_stream(&how, out, wanted, why);
}

Test(stream, records_of_an_image_where_none_can_be)
{
	codec_cbor_out tar = {0}, hidden = {0}, early = {0}, none = {0}, before = {0};

	begin(&tar, COMPOSE_PAYLOAD_TAR);
	layer_begins(&tar);
	refused(&tar, HN_EENTRY, "a layer, and this payload is no image");
	begin(&hidden, COMPOSE_PAYLOAD_TAR);
	whiteout(&hidden, "a", false);
	refused(&hidden, HN_EENTRY, "a whiteout where none can be");
	begin(&early, COMPOSE_PAYLOAD_OCI);
	file(&early, "a", 0);
	refused_image(&early, HN_EENTRY, "an entry before the first layer");
	begin(&before, COMPOSE_PAYLOAD_OCI);
	whiteout(&before, "a", false);
	refused_image(&before, HN_EENTRY, "a whiteout where none can be");
	begin(&none, COMPOSE_PAYLOAD_OCI);
	end(&none, 0);
	refused_image(&none, HN_EENTRY, "this image has no layer");
}

/* As if the child had not looked. */
Test(stream, whiteouts_are_checked_again)
{
	static const struct {
		const char *path, *why;
	} cases[] = {{".", "a whiteout of the root"}, {"../a", "'..' leads out"},
		{"/a", "its path is absolute"}, {"a/.wh.b", "begins with .wh."},
		{"", "it is empty"}};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		codec_cbor_out out = {0};

		begin(&out, COMPOSE_PAYLOAD_OCI);
		layer_begins(&out);
		file(&out, "x", 0);
		whiteout(&out, cases[i].path, true);
		end(&out, 2);
		refused_image(&out, HN_EENTRY, cases[i].why);
	}
}

static compose_layer *a_layer(void)
{
	codec_cbor_out out = {0};
	compose_raw_xattr xattr = {
		.name = "user.x", .name_size = 6, .value = (const uint8_t *)"v", .size = 1};
	compose_raw with = raw_file("d/x", 0), hard = raw_file("d/z", 0), link = raw_file("d/y", 0),
		    directory = raw_file("d", 0), suid = raw_file("su", 0);
	compose_layer *layer = NULL;

	with.xattrs = &xattr;
	with.xattr_count = 1;
	hard.type = COMPOSE_RAW_HARDLINK;
	link.type = COMPOSE_RAW_SYMLINK;
	hard.target = link.target = "d/x";
	hard.target_size = link.target_size = 3;
	directory.type = COMPOSE_RAW_DIRECTORY;
	directory.mode = 01777;
	suid.mode = 04755;
	begin(&out, COMPOSE_PAYLOAD_TAR);
	send(&out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = directory});
	send(&out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = with});
	send(&out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = hard});
	send(&out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = link});
	send(&out, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = suid});
	end(&out, 5);
	cr_assert_eq(read_stream(&tar_reading, &out, 0, &layer, NULL), 0);
	return layer;
}

Test(layer, goes_to_bytes_and_back)
{
	compose_layer *layer = a_layer(), *again = NULL;
	base_buf first = {0}, second = {0};
	hn_error *err = NULL;

	cr_assert_eq(compose_layer_write(layer, &first, NULL), 0);
	cr_assert_eq(compose_layer_read(first.data, first.size, &again, &err), 0, "%s",
		hn_error_message(err));
	cr_assert(compose_digest_equal(&layer->digest, &again->digest));
	cr_assert_eq(again->count, 5);
	cr_assert_eq(again->remark_count, 1);
	cr_assert_str_eq(again->remarks[0], "dropped setuid of /su");
	cr_assert_eq(entry_of(again, "/d")->mode, 01777);
	cr_assert_str_eq(entry_of(again, "/d/z")->target, "/d/x");
	cr_assert_str_eq(entry_of(again, "/d/y")->target, "d/x");
	cr_assert_str_eq(entry_of(again, "/d/x")->xattrs[0].name, "user.x");
	cr_assert_eq(compose_layer_write(again, &second, NULL), 0);
	cr_assert_eq(first.size, second.size);
	cr_assert_arr_eq(first.data, second.data, first.size);
	base_buf_free(&first);
	base_buf_free(&second);
	compose_layer_free(layer);
	compose_layer_free(again);
}

Test(layer, of_nothing)
{
	codec_cbor_out out = {0};
	compose_layer *layer = NULL, *again = NULL;
	base_buf written = {0};

	begin(&out, COMPOSE_PAYLOAD_TAR);
	end(&out, 0);
	cr_assert_eq(read_stream(&tar_reading, &out, 0, &layer, NULL), 0);
	cr_assert_eq(compose_layer_write(layer, &written, NULL), 0);
	cr_assert_eq(compose_layer_read(written.data, written.size, &again, NULL), 0);
	cr_assert_eq(again->count, 0);
	base_buf_free(&written);
	compose_layer_free(layer);
	compose_layer_free(again);
	compose_layer_free(NULL);
}

static void corrupt(const base_buf *buf)
{
	compose_layer *layer = NULL;
	int code = compose_layer_read(buf->data, buf->size, &layer, NULL);

	cr_assert(code == HN_ECORRUPT || code == HN_ECBOR || code == HN_ENEWER, "%d", code);
	cr_assert_null(layer);
}

Test(layer, cut_or_longer)
{
	compose_layer *layer = a_layer();
	base_buf whole = {0};

	cr_assert_eq(compose_layer_write(layer, &whole, NULL), 0);
	for (size_t size = 0; size < whole.size; size++) {
		base_buf cut = {.data = whole.data, .size = size};

		corrupt(&cut);
	}
	base_buf_add(&whole, "", 1);
	corrupt(&whole);
	base_buf_free(&whole);
	compose_layer_free(layer);
}

/* Entries that a damaged or changed file would bring in. */
static void damaged(void (*damage)(compose_layer *layer))
{
	compose_layer *layer = a_layer();
	base_buf bytes_of = {0};

	damage(layer);
	cr_assert_eq(compose_layer_write(layer, &bytes_of, NULL), 0);
	corrupt(&bytes_of);
	base_buf_free(&bytes_of);
	compose_layer_free(layer);
}

static void damage_order(compose_layer *layer)
{
	compose_entry first = layer->entries[0];

	layer->entries[0] = layer->entries[1];
	layer->entries[1] = first;
}

static void damage_twice(compose_layer *layer)
{
	layer->entries[1] = layer->entries[0];
}

static void damage_path(compose_layer *layer)
{
	layer->entries[0].path = "/..";
}

static void damage_relative(compose_layer *layer)
{
	layer->entries[0].path = "d";
}

static void damage_link(compose_layer *layer)
{
	layer->entries[3].target = "/d";
}

static void damage_missing(compose_layer *layer)
{
	layer->entries[3].target = "/nowhere";
}

static void damage_mode(compose_layer *layer)
{
	layer->entries[1].mode = 010000;
}

static void damage_type(compose_layer *layer)
{
	layer->entries[1].type = (compose_entry_type)9;
	layer->entries[1].target = "x";
}

static void damage_owner(compose_layer *layer)
{
	layer->entries[1].uid = UINT32_MAX;
}

static void damage_size(compose_layer *layer)
{
	layer->entries[0].size = 1;
}

static void damage_xattr(compose_layer *layer)
{
	static const compose_xattr trusted = {
		.name = "trusted.x", .value = (const uint8_t *)"", .size = 0};

	layer->entries[1].xattrs = &trusted;
}

static void damage_xattr_order(compose_layer *layer)
{
	static const compose_xattr two[] = {
		{.name = "user.b", .value = (const uint8_t *)"", .size = 0},
		{.name = "user.a", .value = (const uint8_t *)"", .size = 0}};

	layer->entries[1].xattrs = two;
	layer->entries[1].xattr_count = 2;
}

Test(layer, with_what_no_payload_has)
{
	void (*const damages[])(compose_layer *) = {damage_order, damage_twice, damage_path,
		damage_relative, damage_link, damage_missing, damage_mode, damage_type,
		damage_owner, damage_size, damage_xattr, damage_xattr_order};

	for (size_t i = 0; i < BASE_COUNT(damages); i++)
		damaged(damages[i]);
}

Test(layer, of_a_newer_schema)
{
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	cr_assert_eq(compose_layer_read("\x83\x02\x80\x80", 4, &layer, &err), HN_ENEWER);
	cr_assert_not_null(strstr(hn_error_message(err), "schema 2"));
	hn_error_unref(err);
	cr_assert_eq(compose_layer_read("\x83\x01\x80\x80", 4, &layer, NULL), 0);
	compose_layer_free(layer);
}
