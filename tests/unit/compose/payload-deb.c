/* SPDX-License-Identifier: MIT
 *
 * Packages of Debian that the test makes: their members, and who decided about their scripts.
 */
#include "tars.h"

#ifdef HN_HAVE_ARCHIVE

static const compose_payload a_deb = {
	.kind = COMPOSE_PAYLOAD_DEB, .place = {.file = "m.json", .line = 1, .column = 1}};
static const compose_reading deb_reading = {.payload = &a_deb};

typedef struct control_file {
	const char *name, *body;
} control_file;

static bytes control_tar(const control_file *files, size_t count)
{
	bytes tar = {0};

	tar_add(&tar, (member){.name = "./", .type = '5'});
	tar_add(&tar, (member){.name = "./control", .type = '0', .body = "Package: x\n"});
	for (size_t i = 0; i < count; i++)
		tar_add(&tar, (member){.name = files[i].name, .type = '0', .body = files[i].body});
	tar_end(&tar);
	return tar;
}

static bytes deb_of(const control_file *files, size_t count)
{
	bytes control = control_tar(files, count), data = small_tar(), deb = {0};
	bytes packed = pack("xz", &data), little = pack("gzip", &control);

	ar_begin(&deb);
	ar_add(&deb, "debian-binary", "2.0\n", 4);
	ar_add(&deb, "control.tar.gz", little.data, little.size);
	ar_add(&deb, "data.tar.xz", packed.data, packed.size);
	free(control.data);
	free(data.data);
	free(packed.data);
	free(little.data);
	return deb;
}

Test(payload, deb_is_read)
{
	bytes deb = deb_of(NULL, 0);
	compose_layer *layer = read_well(&deb_reading, &deb);

	check_small(layer);
	cr_assert_eq(layer->remark_count, 0);
	compose_layer_free(layer);
	free(deb.data);
}

typedef struct piece {
	const char *name;
	int what; /* of the array in deb_pieces */
} piece;

/* A deb of any members: 0 version, 1 control, 2 data, 3 version "3.0", 4 text. */
static bytes deb_pieces(const piece *pieces, size_t count)
{
	bytes control = control_tar(NULL, 0), data = small_tar(), deb = {0};
	const bytes all[] = {{(char *)(uintptr_t) "2.0\n", 4}, control, data,
		{(char *)(uintptr_t) "3.0\n", 4}, {(char *)(uintptr_t) "text\n", 5}};

	ar_begin(&deb);
	for (size_t i = 0; i < count; i++)
		ar_add(&deb, pieces[i].name, all[pieces[i].what].data, all[pieces[i].what].size);
	free(control.data);
	free(data.data);
	return deb;
}

#define DEB(...)                                                                                   \
	deb_pieces((const piece[]){__VA_ARGS__},                                                   \
		sizeof((const piece[]){__VA_ARGS__}) / sizeof(piece))

static void refused_deb(bytes deb, const char *why)
{
	refused_by(&deb_reading, deb, HN_EENTRY, why);
}

Test(payload, deb_with_plain_members)
{
	bytes deb = DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar/", 2});
	compose_layer *layer = read_well(&deb_reading, &deb);

	check_small(layer);
	compose_layer_free(layer);
	free(deb.data);
}

Test(payload, deb_members_swapped_twice_or_extra)
{
	refused_deb(DEB({"debian-binary", 0}, {"data.tar", 2}, {"control.tar", 1}),
		"'data.tar' where control.tar should be");
	refused_deb(DEB({"control.tar", 1}, {"debian-binary", 0}, {"data.tar", 2}),
		"'control.tar' where debian-binary should be");
	refused_deb(
		DEB({"debian-binary", 0}, {"control.tar", 1}, {"control.tar", 1}, {"data.tar", 2}),
		"'control.tar' where data.tar should be");
	refused_deb(DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar", 2}, {"data.tar", 2}),
		"something behind data.tar");
	refused_deb(
		DEB({"debian-binary", 0}, {"_gpgbuilder", 4}, {"control.tar", 1}, {"data.tar", 2}),
		"'_gpgbuilder' where control.tar should be");
	refused_deb(DEB({"debian-binary", 0}, {"control.tar", 1}), "no data.tar is there");
	refused_deb(DEB({"debian-binary", 0}), "no control.tar is there");
}

Test(payload, deb_of_another_version)
{
	refused_deb(DEB({"debian-binary", 3}, {"control.tar", 1}, {"data.tar", 2}), "than 2.0");
	refused_deb(DEB({"debian-binary", 4}, {"control.tar", 1}, {"data.tar", 2}), "than 2.0");
	refused_deb(DEB({"debian-binary2", 0}, {"control.tar", 1}, {"data.tar", 2}),
		"does not begin with debian-binary");
}

Test(payload, deb_with_another_compression)
{
	refused_deb(DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar.bz2", 2}),
		"'data.tar.bz2': only plain, gz, xz and zst");
	refused_deb(
		DEB({"debian-binary", 0}, {"control.tar.lzma", 1}, {"data.tar", 2}), "only plain");
	refused_deb(DEB({"debian-binary", 0}, {"control.tarx", 1}, {"data.tar", 2}), "only plain");
}

Test(payload, deb_that_is_none)
{
	bytes text = {0}, damaged = deb_of(NULL, 0), size = deb_of(NULL, 0), padding;

	add_bytes(&text, "!<arch>?debian", 14);
	refused_deb(text, "does not begin as one");
	damaged.data[8 + 58] = 'x';
	refused_deb(damaged, "no head of ar");
	memcpy(size.data + 8 + 48, "4x        ", 10);
	refused_deb(size, "no head of ar");
	size = deb_of(NULL, 0);
	memcpy(size.data + 8 + 48, "          ", 10);
	refused_deb(size, "no head of ar");
	padding = deb_of(NULL, 0);
	if (padding.data[padding.size - 1] != '\n') /* an even last member has none */
		add_bytes(&padding, "x", 1);
	else
		padding.data[padding.size - 1] = 'x';
	refused_deb(padding, "");
}

Test(payload, deb_truncated_at_each_512_bytes)
{
	bytes deb = DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar", 2});

	for (size_t size = 0; size < deb.size; size += 512) {
		bytes cut = {.data = malloc(size + 1), .size = size};

		memcpy(cut.data, deb.data, size);
		refused_deb(cut, "");
	}
	free(deb.data);
}

/* A member that ends before its tar does, so that the next head would be read as tar. */
Test(payload, deb_with_a_member_of_the_wrong_size)
{
	bytes deb = DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar", 2});

	memcpy(deb.data + 8 + 60 + 4 + 48, "1024      ", 10);
	refused_deb(deb, "control.tar");
}

static bytes deb_with(
	const char *control, const bytes *first, const char *data, const bytes *second)
{
	bytes deb = {0};

	ar_begin(&deb);
	ar_add(&deb, "debian-binary", "2.0\n", 4);
	ar_add(&deb, control, first->data, first->size);
	ar_add(&deb, data, second->data, second->size);
	return deb;
}

/* Of each member by itself, and of a member that is packed once more. */
Test(payload, deb_with_a_bomb_in_it, .timeout = 120)
{
	static const char *const filters[] = {"gzip", "xz", "zstd"};
	static const char *const datas[] = {"data.tar.gz", "data.tar.xz", "data.tar.zst"};
	static const char *const controls[] = {
		"control.tar.gz", "control.tar.xz", "control.tar.zst"};
	bytes zeros = zeros_in_tar((size_t)20 << 20), control = control_tar(NULL, 0);

	for (size_t i = 0; i < BASE_COUNT(filters); i++) {
		bytes once = pack(filters[i], &zeros), twice = pack(filters[(i + 1) % 3], &once);
		refused_by(&deb_reading, deb_with("control.tar", &control, datas[i], &once),
			HN_ELIMIT, "200 to 1");
		refused_by(&deb_reading, deb_with(controls[i], &once, datas[i], &once), HN_ELIMIT,
			"200 to 1");
		refused_deb(deb_with("control.tar", &control, datas[(i + 1) % 3], &twice),
			"the data.tar is compressed more than once");
		free(once.data);
		free(twice.data);
	}
	free(zeros.data);
	free(control.data);
}

/* --- maintainer scripts --- */

static const control_file scripts[] = {{"./postinst", "#!/bin/sh\n"}, {"./md5sums", "x"}};

static compose_digest digest_of(const char *text)
{
	compose_digest digest;

	crypto_blake2b(text, strlen(text), digest.bytes);
	return digest;
}

static int read_scripts(const compose_script *decided, size_t count, bool undecided,
	const control_file *files, size_t file_count, compose_layer **layer, hn_error **err)
{
	const compose_payload payload = {.kind = COMPOSE_PAYLOAD_DEB,
		.scripts = decided,
		.script_count = count,
		.place = {.file = "m.json", .line = 4, .column = 2}};
	const compose_reading how = {.payload = &payload, .undecided = undecided};
	bytes deb = deb_of(files, file_count);
	int code = read_payload(&how, &deb, layer, err);

	free(deb.data);
	return code;
}

Test(payload, deb_with_a_script_that_nobody_decided)
{
	compose_digest digest = digest_of("#!/bin/sh\n");
	char text[COMPOSE_DIGEST_TEXT];
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	compose_digest_print(&digest, text);
	cr_assert_eq(read_scripts(NULL, 0, false, scripts, 2, &layer, &err), HN_EENTRY);
	cr_assert_not_null(
		strstr(hn_error_message(err), "m.json:4:2: nobody decided about postinst"));
	cr_assert_not_null(strstr(hn_error_message(err), text));
	cr_assert_null(layer);
	hn_error_unref(err);
}

Test(payload, deb_whose_scripts_are_only_asked_for)
{
	compose_layer *layer = NULL;

	cr_assert_eq(read_scripts(NULL, 0, true, scripts, 2, &layer, NULL), 0);
	cr_assert_eq(layer->remark_count, 1);
	cr_assert_eq(strncmp(layer->remarks[0], "undecided postinst b2:", 22), 0);
	compose_layer_free(layer);
}

Test(payload, deb_with_a_script_that_was_decided)
{
	const compose_script decided[] = {
		{.name = "postinst", .digest = digest_of("#!/bin/sh\n"), .decision = "ignored"}};
	compose_layer *layer = NULL;

	cr_assert_eq(read_scripts(decided, 1, false, scripts, 2, &layer, NULL), 0);
	cr_assert_eq(layer->remark_count, 0);
	compose_layer_free(layer);
}

Test(payload, deb_with_a_script_that_changed)
{
	const compose_script decided[] = {{.name = "postinst",
		.digest = digest_of("#!/bin/sh\nold\n"),
		.decision = "ignored",
		.place = {.file = "m.json", .line = 9, .column = 1}}};
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	cr_assert_eq(read_scripts(decided, 1, false, scripts, 2, &layer, &err), HN_ECONTRACT);
	cr_assert_not_null(strstr(hn_error_message(err), "m.json:9:1: postinst"));
	hn_error_unref(err);
}

Test(payload, deb_without_a_script_that_was_decided)
{
	const compose_script decided[] = {{.name = "prerm",
		.decision = "ignored",
		.place = {.file = "m.json", .line = 9, .column = 1}}};
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	cr_assert_eq(read_scripts(decided, 1, false, NULL, 0, &layer, &err), HN_ECONTRACT);
	cr_assert_not_null(strstr(hn_error_message(err), "no prerm"));
	hn_error_unref(err);
}

Test(payload, deb_with_triggers_conffiles_and_what_nobody_knows)
{
	static const char *const names[] = {"./triggers", "./conffiles", "./config", "./novel"};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		const control_file files[] = {{names[i], "x"}};
		compose_layer *layer = NULL;
		hn_error *err = NULL;

		cr_assert_eq(read_scripts(NULL, 0, false, files, 1, &layer, &err), HN_EENTRY);
		cr_assert_not_null(strstr(hn_error_message(err), names[i] + 2));
		hn_error_unref(err);
	}
}

Test(payload, deb_with_a_control_part_of_more_than_files)
{
	const control_file deep[] = {{"./a/postinst", "x"}};
	const control_file twice[] = {{"./postinst", "x"}, {"./postinst", "x"}};
	const control_file up[] = {{"../postinst", "x"}};
	bytes deb = deb_of(deep, 1);

	refused_deb(deb, "only files are in it");
	refused_deb(deb_of(twice, 2), "postinst");
	refused_deb(deb_of(up, 1), "'..'");
}

#endif
