/* SPDX-License-Identifier: MIT
 *
 * Image layouts: which image, its documents, its blobs; layers one over the other; what is refused.
 */
#include "layouts.h"

static const compose_payload an_image = {
	.kind = COMPOSE_PAYLOAD_OCI, .place = {.file = "m.json", .line = 1, .column = 1}};

static bytes tar_of(const member *members, size_t count)
{
	bytes tar = {0};

	for (size_t i = 0; i < count; i++)
		tar_add(&tar, members[i]);
	tar_end(&tar);
	return tar;
}
#define TAR(...) tar_of((member[]){__VA_ARGS__}, BASE_COUNT(((member[]){__VA_ARGS__})))
#define DIRECTORY(path)                                                                            \
	{                                                                                          \
		.name = path "/", .type = '5'                                                      \
	}
#define FILE_OF(path, text)                                                                        \
	{                                                                                          \
		.name = path, .type = '0', .body = text                                            \
	}
#define LINK(path, to)                                                                             \
	{                                                                                          \
		.name = path, .target = to, .type = '2'                                            \
	}
#define HARD(path, to)                                                                             \
	{                                                                                          \
		.name = path, .target = to, .type = '1'                                            \
	}

static int read_image(
	const char *platform, const bytes *layout, compose_layer **layer, hn_error **err)
{
	compose_payload payload = an_image;
	const compose_reading how = {.payload = &payload};

	payload.platform = platform;
	return read_payload(&how, layout, layer, err);
}

static void refused_for(const char *platform, bytes layout, hn_code wanted, const char *why)
{
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	int code = read_image(platform, &layout, &layer, &err);

	cr_expect_eq(code, (int)wanted, "%d instead of %d: %s", code, (int)wanted,
		err != NULL ? hn_error_message(err) : "");
	cr_expect(err != NULL && strstr(hn_error_message(err), why) != NULL, "'%s' has no '%s'",
		err != NULL ? hn_error_message(err) : "", why);
	cr_expect_null(layer);
	hn_error_unref(err);
	free(layout.data);
}

static void refused(bytes layout, hn_code wanted, const char *why)
{
	refused_for(NULL, layout, wanted, why);
}

/* "d /a", "f /a/b text", "l /c to", "h /d /a/b", one a line. */
static void read_as(bytes layout, const char *wanted)
{
	BASE_AUTO_OF(compose_layer) compose_layer *layer = NULL;
	BASE_AUTO_BUF base_buf got = {0};
	hn_error *err = NULL;

	cr_assert_eq(read_image(NULL, &layout, &layer, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "");
	base_buf_text(&got, "");
	for (size_t i = 0; i < layer->count; i++) {
		const compose_entry *entry = &layer->entries[i];

		base_buf_format(&got, "%c %s", "?fdlh"[entry->type], entry -> path);
		if (entry->type == COMPOSE_ENTRY_FILE)
			base_buf_format(&got, " %llu", (unsigned long long)entry->size);
		base_buf_format(&got, "%s%s\n", entry->target != NULL ? " " : "",
			entry->target != NULL ? entry->target : "");
	}
	cr_expect_str_eq(got.data, wanted);
	free(layout.data);
}

/* The tars are released. */
static bytes stack_of(bytes *tars, size_t count)
{
	bytes layout = oci_layout(tars, count, NULL, NULL);

	for (size_t i = 0; i < count; i++)
		free(tars[i].data);
	return layout;
}
#define STACK(...) stack_of((bytes[]){__VA_ARGS__}, BASE_COUNT(((bytes[]){__VA_ARGS__})))

#ifdef HN_HAVE_ARCHIVE

/* --- one layer --- */

static bytes one_tar(void)
{
	return TAR(DIRECTORY("etc"), FILE_OF("etc/motd", "hello\n"));
}

static bytes one_image(const edit *of)
{
	bytes tar = one_tar(), layout = oci_layout(&tar, 1, NULL, of);

	free(tar.data);
	return layout;
}

Test(oci, an_image_of_one_layer)
{
	read_as(one_image(NULL), "d /etc\nf /etc/motd 6\n");
}

Test(oci, layers_may_be_compressed)
{
	static const char *const filters[] = {"gzip", "zstd"};

	for (size_t i = 0; i < BASE_COUNT(filters); i++) {
		bytes tar = one_tar();

		read_as(oci_layout(&tar, 1, filters[i], NULL), "d /etc\nf /etc/motd 6\n");
		free(tar.data);
	}
}

/* --- layers one over the other --- */

Test(oci, what_is_above_wins)
{
	read_as(STACK(TAR(DIRECTORY("a"), FILE_OF("a/x", "1"), FILE_OF("a/y", "1")),
			TAR(FILE_OF("a/x", "22"), FILE_OF("b", "22"))),
		"d /a\nf /a/x 2\nf /a/y 1\nf /b 2\n");
}

Test(oci, a_whiteout_hides_a_file_or_all_of_a_directory)
{
	read_as(STACK(TAR(DIRECTORY("a"), FILE_OF("a/x", "1"), DIRECTORY("b"), FILE_OF("b/x", "1")),
			TAR(FILE_OF("a/.wh.x", ""), FILE_OF(".wh.b", ""))),
		"d /a\n");
}

/* In whatever order: a whiteout is about what is below its layer. */
Test(oci, a_whiteout_spares_its_own_layer)
{
	read_as(STACK(TAR(DIRECTORY("a"), FILE_OF("a/x", "1")),
			TAR(FILE_OF("a/x", "22"), FILE_OF("a/.wh.x", ""))),
		"d /a\nf /a/x 2\n");
	read_as(STACK(TAR(DIRECTORY("a"), FILE_OF("a/x", "1"), FILE_OF("a/y", "1")),
			TAR(DIRECTORY("a"), FILE_OF("a/z", "22"), FILE_OF("a/.wh..wh..opq", ""))),
		"d /a\nf /a/z 2\n");
}

Test(oci, an_opaque_directory_hides_what_is_below_it_only)
{
	read_as(STACK(TAR(DIRECTORY("a"), FILE_OF("a/x", "1"), FILE_OF("ab", "1")),
			TAR(FILE_OF("a/.wh..wh..opq", ""))),
		"d /a\nf /ab 1\n");
}

Test(oci, a_whiteout_of_nothing_hides_nothing)
{
	read_as(STACK(TAR(FILE_OF("a", "1")), TAR(FILE_OF(".wh.b", ""), FILE_OF("c/.wh.d", ""))),
		"f /a 1\n");
}

Test(oci, a_file_takes_the_place_of_a_directory)
{
	read_as(STACK(TAR(DIRECTORY("a"), FILE_OF("a/x", "1")), TAR(FILE_OF("a", "22"))),
		"f /a 2\n");
	read_as(STACK(TAR(FILE_OF("a", "1")), TAR(DIRECTORY("a"), FILE_OF("a/x", "22"))),
		"d /a\nf /a/x 2\n");
	read_as(STACK(TAR(LINK("a", "/etc")), TAR(DIRECTORY("a"), FILE_OF("a/x", "22"))),
		"d /a\nf /a/x 2\n");
}

Test(oci, what_is_hidden_may_come_again)
{
	read_as(STACK(TAR(FILE_OF("a", "1")), TAR(FILE_OF(".wh.a", "")), TAR(FILE_OF("a", "333"))),
		"f /a 3\n");
}

/* One inode has several names: it is gone with the last of them. */
Test(oci, a_hard_link_outlives_the_name_it_was_made_from)
{
	read_as(STACK(TAR(FILE_OF("a", "1"), HARD("b", "a"), HARD("c", "a")),
			TAR(FILE_OF(".wh.a", ""))),
		"f /b 1\nh /c /b\n");
	read_as(STACK(TAR(FILE_OF("a", "1"), HARD("b", "a"), HARD("c", "a")),
			TAR(FILE_OF("a", "22"), FILE_OF(".wh.b", ""))),
		"f /a 2\nf /c 1\n");
	read_as(STACK(TAR(FILE_OF("a", "1"), HARD("b", "a")), TAR(FILE_OF("d", "22"))),
		"f /a 1\nh /b /a\nf /d 2\n");
}

/* --- hostile layers --- */

Test(oci, no_way_out_through_a_link_of_a_layer_below)
{
	refused(STACK(TAR(LINK("a", "/etc")), TAR(FILE_OF("a/passwd", "x"))), HN_EENTRY,
		"entry '/a/passwd' is refused: what is above it is a symbolic link in a layer below");
	refused(STACK(TAR(DIRECTORY("b"), LINK("b/a", "../..")), TAR(FILE_OF("x", "x")),
			TAR(FILE_OF("b/a/x", "x"))),
		HN_EENTRY, "entry '/b/a/x' is refused: what is above it is a symbolic link");
	refused(STACK(TAR(FILE_OF("a", "1")), TAR(FILE_OF("a/x", "x"))), HN_EENTRY,
		"entry '/a/x' is refused: what is above it is a file in a layer below");
	refused(STACK(TAR(LINK("a", "/etc"), FILE_OF("a/passwd", "x"))), HN_EENTRY, "/a/passwd");
}

Test(oci, names_that_lead_out)
{
	refused(STACK(TAR(FILE_OF("../x", "1"))), HN_EENTRY, "'..' leads out");
	refused(STACK(TAR(FILE_OF("/x", "1"))), HN_EENTRY, "its path is absolute");
	refused(STACK(TAR(FILE_OF("a", "1")), TAR(FILE_OF("../.wh.x", ""))), HN_EENTRY,
		"'..' leads out");
	refused(STACK(TAR(FILE_OF("a", "1")), TAR(FILE_OF("a/.wh...", ""))), HN_EENTRY,
		"'..' leads out");
}

Test(oci, an_opaque_whiteout_of_the_root)
{
	refused(STACK(TAR(FILE_OF("a", "1")), TAR(FILE_OF(".wh..wh..opq", ""))), HN_EENTRY,
		"entry '/' is refused: a whiteout of the root would hide the whole image");
	refused(STACK(TAR(FILE_OF("a", "1")), TAR(FILE_OF("./.wh..wh..opq", ""))), HN_EENTRY,
		"a whiteout of the root");
}

Test(oci, whiteouts_that_are_none)
{
	static const char *const names[] = {
		".wh.", ".wh..", ".wh..wh.x", ".wh..wh..opqx", "a/.wh."};

	for (size_t i = 0; i < BASE_COUNT(names); i++)
		refused(STACK(TAR({.name = names[i], .type = '0', .body = ""})), HN_EENTRY,
			"no whiteout has this name");
	refused(STACK(TAR(FILE_OF(".wh.a", "body"))), HN_EENTRY,
		"entry '.wh.a' is refused: a whiteout is an empty file");
	refused(STACK(TAR(DIRECTORY(".wh.a"))), HN_EENTRY, "whiteout");
	refused(STACK(TAR(LINK(".wh.a", "b"))), HN_EENTRY, "a whiteout is an empty file");
	refused(STACK(TAR(FILE_OF(".wh.a/x", "1"))), HN_EENTRY, "whiteout");
}

Test(oci, what_no_image_has)
{
	refused(STACK(TAR({.name = "null", .type = '3'})), HN_EENTRY, "it is a character device");
	/* What an overlay takes for a whiteout is none of this specification. */
	refused(STACK(TAR(FILE_OF("a", "1")), TAR({.name = "a", .type = '3', .device = "0 0"})),
		HN_EENTRY, "entry 'a' is refused: it is a character device");
	refused(STACK(TAR({.name = "a", .type = '0', .uid = 1000})), HN_EENTRY,
		"user 1000, which nobody declares");
	refused(STACK(TAR(HARD("a", "b"))), HN_EENTRY, "no earlier entry");
	refused(STACK(TAR(FILE_OF("a", "1")), TAR(HARD("b", "a"))), HN_EENTRY, "no earlier entry");
	refused(STACK(TAR(FILE_OF("a", "1"), FILE_OF("a", "1"))), HN_EDUPLICATE, "twice");
}

/* --- documents --- */

Test(oci, documents_that_are_none)
{
	static const struct {
		edit of;
		hn_code code;
		const char *why;
	} cases[] = {
		{{"oci-layout", "1.0.0", "2.0.0"}, HN_EENTRY, "'imageLayoutVersion' is not 1.0.0"},
		{{"oci-layout", "{", "["}, HN_EENTRY, "oci-layout:1:"},
		{{"index.json", ":2,", ":1,"}, HN_EENTRY, "index.json:1:1: its 'schemaVersion'"},
		{{"index.json", "manifests", "images"}, HN_EENTRY, "no list of 'manifests'"},
		{{"index.json", "sha256:", "sha512:"}, HN_EENTRY,
			"no 'digest' of sha256: and 64 digits"},
		{{"index.json", "sha256:", "sha256:00"}, HN_EENTRY, "no 'digest' of sha256:"},
		{{"index.json", "\"size\"", "\"bytes\""}, HN_EENTRY, "a descriptor has no 'size'"},
		{{"index.json", "\"size\":", "\"size\":-"}, HN_EENTRY,
			"a descriptor has no 'size'"},
		{{"index.json", "\"size\":", "\"size\":1"}, HN_EDIGEST, "and who names it says 1"},
		{{"index.json", "\"mediaType\"", "\"media\""}, HN_EENTRY, "has no 'mediaType'"},
		{{"index.json", "manifest.v1", "manifest.v9"}, HN_EENTRY, "has no image"},
		{{"index.json", "}]}", "}]}}"}, HN_EENTRY, "index.json:1:"},
		{{"index.json", "\"manifests\"", "\"manifests\":[],\"manifests\""}, HN_EENTRY,
			"index.json:1:"},
		{{"manifest", ":2,", ":3,"}, HN_EENTRY,
			"manifest:1:1: its 'schemaVersion' is not 2"},
		{{"manifest", "manifest.v1", "index.v1"}, HN_EENTRY,
			"its 'mediaType' is of something else"},
		{{"manifest", "config.v1", "config.v9"}, HN_EENTRY,
			"its 'config' is not that of an image"},
		{{"manifest", "layer.v1.tar", "layer.v1.zip"}, HN_EENTRY, "it is no layer of tar"},
		{{"manifest", "\"layers\":[", "\"layers\":[],\"more\":["}, HN_EENTRY,
			"it has no 'layers'"},
		{{"manifest", "{\"schemaVersion\"", "[{\"schemaVersion\""}, HN_EENTRY,
			"manifest:1:"},
		{{"config", "\"layers\"", "\"blocks\""}, HN_EENTRY,
			"'rootfs' does not name as many"},
		{{"config", "[", "[\"sha256:\","}, HN_EENTRY, "'rootfs' does not name as many"},
		{{"config", "sha256:", "md5:"}, HN_EENTRY, "a diff_id is sha256: and 64 digits"},
		{{"config", "amd64", "unknown"}, HN_EENTRY, "it is of another platform"},
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++)
		refused(one_image(&cases[i].of), cases[i].code, cases[i].why);
}

Test(oci, a_diff_id_that_differs)
{
	bytes tar = one_tar(), layout;
	char hex[OCI_HEX], other[OCI_HEX];
	edit of = {.in = "config", .from = hex, .to = other};

	oci_hex(tar.data, tar.size, hex);
	oci_hex("", 0, other);
	layout = oci_layout(&tar, 1, NULL, &of);
	refused(layout, HN_EDIGEST,
		"layer 1 of this image is not the one that its config names: its diff_id differs");
	/* It is that of what is unpacked. */
	of.from = "layers";
	of.to = "layers";
	layout = oci_layout(&tar, 1, "gzip", &of);
	read_as(layout, "d /etc\nf /etc/motd 6\n");
	free(tar.data);
}

/* One byte of each blob, and nobody has made new names. */
Test(oci, a_blob_that_is_not_what_its_name_says)
{
	static const char *const inside[] = {"hello", "amd64", "\"layers\":["};

	for (size_t i = 0; i < BASE_COUNT(inside); i++) {
		bytes layout = one_image(NULL);
		char *at = memmem(layout.data, layout.size, inside[i], strlen(inside[i]));

		cr_assert_not_null(at);
		*at ^= 0x20;
		refused(layout, HN_EDIGEST, "is not what its name says: its SHA-256 differs");
	}
}

Test(oci, a_blob_that_is_not_there)
{
	static const edit of = {.in = "index.json",
		.from = "sha256:",
		.to = "sha256:0000000000000000000000000000000000000000000000000000000000000000\",\"x\":\""};

	refused(one_image(&of), HN_EENTRY, "is not in this image layout");
}

/* --- which image --- */

#define OF_AMD64 ",\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}"
#define OF_ARM64 ",\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":\"v8\"}"

static bytes two_images(const char *first, const char *second)
{
	bytes layout = {0}, list = {0}, one = TAR(FILE_OF("amd64", "1"));
	bytes two = TAR(FILE_OF("arm64", "1"));

	oci_image(&layout, &one, 1, NULL, "amd64", first, NULL, &list);
	oci_image(&layout, &two, 1, NULL, "arm64", second, NULL, &list);
	oci_top(&layout, list.data, NULL);
	free(list.data);
	free(one.data);
	free(two.data);
	return layout;
}

static void has_for(const char *platform, bytes layout, const char *path)
{
	BASE_AUTO_OF(compose_layer) compose_layer *layer = NULL;
	hn_error *err = NULL;

	cr_assert_eq(read_image(platform, &layout, &layer, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "");
	cr_expect_not_null(entry_of(layer, path));
	free(layout.data);
}

Test(oci, the_image_of_a_platform)
{
	has_for("x86_64-linux", two_images(OF_AMD64, OF_ARM64), "/amd64");
	has_for("aarch64-linux", two_images(OF_AMD64, OF_ARM64), "/arm64");
	/* whose descriptor says nothing is asked itself */
	has_for("aarch64-linux", two_images("", ""), "/arm64");
}

Test(oci, a_platform_that_is_not_one_image)
{
	refused_for("riscv64-linux", two_images(OF_AMD64, OF_ARM64), HN_EENTRY,
		"this image layout has no image for riscv64-linux");
	refused_for("x86_64-linux", two_images(OF_AMD64, OF_AMD64), HN_EENTRY,
		"more than one image for x86_64-linux");
	refused_for("x86_64-linux", two_images(OF_ARM64, OF_AMD64), HN_EENTRY,
		"config:1:1: it is of another platform than its descriptor");
	refused(two_images(OF_AMD64, OF_ARM64), HN_EENTRY,
		"more than one image, and no 'platform' says which");
}

/* --- indexes in indexes --- */

static bytes nested(int depth)
{
	bytes layout = {0}, list = {0}, tar = one_tar();

	oci_image(&layout, &tar, 1, NULL, "amd64", "", NULL, &list);
	for (int i = 0; i < depth; i++) {
		bytes index = {0}, outer = {0};

		add_text(&index, "{\"schemaVersion\":2,\"manifests\":[%s]}", list.data);
		oci_describe(&layout, "index.v1+json", "index", &index, "", NULL, &outer);
		free(list.data);
		list = outer;
	}
	oci_top(&layout, list.data, NULL);
	free(list.data);
	free(tar.data);
	return layout;
}

Test(oci, an_index_in_an_index)
{
	read_as(nested(1), "d /etc\nf /etc/motd 6\n");
	refused(nested(2), HN_EENTRY, "its indexes are more than 2 deep");
}

/* An index cannot have its own digest in it: one that says so is another one. */
Test(oci, an_index_that_leads_to_itself)
{
	bytes layout = {0}, list = {0};
	static const char hex[] =
		"1111111111111111111111111111111111111111111111111111111111111111";
	char text[512];

	add_text(&list,
		"{\"mediaType\":\"" OCI_MEDIA
		"index.v1+json\",\"digest\":\"sha256:%s\",\"size\":%d}",
		hex, 234);
	(void)snprintf(text, sizeof(text), "%-234s", "");
	memcpy(text, "{\"schemaVersion\":2,\"manifests\":[", 32);
	memcpy(text + 32, list.data, list.size);
	memcpy(text + 32 + list.size, "]}", 2);
	oci_file(&layout,
		"blobs/sha256/1111111111111111111111111111111111111111111111111111111111111111",
		text, 234);
	oci_top(&layout, list.data, NULL);
	free(list.data);
	refused(layout, HN_EDIGEST, "its SHA-256 differs");
}

/* --- the layout itself --- */

Test(oci, a_layout_that_is_none)
{
	bytes tar = one_tar(), empty = {0}, link = {0}, twice = {0}, plain, packed;

	refused(tar, HN_EENTRY, "this is no image layout: it has no file 'oci-layout'");
	oci_file(&empty, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
	tar_end(&empty);
	refused(empty, HN_EENTRY, "it has no file 'index.json'");
	tar_add(&link, (member)LINK("index.json", "/etc/passwd"));
	tar_end(&link);
	refused(link, HN_EENTRY, "only files and directories are in one");
	oci_file(&twice, "index.json", "{}", 2);
	oci_file(&twice, "./index.json", "{}", 2);
	tar_end(&twice);
	refused(twice, HN_EENTRY,
		"'/index.json' of the image layout is refused: it is there twice");
	plain = one_image(NULL);
	packed = pack("gzip", &plain);
	refused(packed, HN_EENTRY, "is compressed: only its layers may be");
	free(plain.data);
}

Test(oci, a_layout_that_is_cut_off)
{
	bytes layout = one_image(NULL);

	for (size_t size = 512; size < layout.size - 1024; size += 512) {
		bytes part = {0};

		add_bytes(&part, layout.data, size);
		refused(part, HN_EENTRY, "");
	}
	free(layout.data);
}

Test(oci, limits_of_a_layout)
{
	bytes files = {0}, large = {0};
	char name[32], *blanks = calloc(1, 4194305);

	for (int i = 0; i < 4097; i++) {
		snprintf(name, sizeof(name), "blobs/%d", i);
		oci_file(&files, name, "", 0);
	}
	tar_end(&files);
	refused(files, HN_ELIMIT, "4096");
	oci_file(&large, "oci-layout", blanks, 4194305);
	tar_end(&large);
	refused(large, HN_ELIMIT, "4194304");
	free(blanks);
}

/* The whole of the layout is what a layer may be 200 times of. */
Test(oci, a_bomb_in_a_layer, .timeout = 120)
{
	static const char *const filters[] = {"gzip", "zstd"};
	const size_t size = (size_t)20 << 20;
	const member of = {.name = "zeros", .mode = 0644, .type = '0'};
	bytes tar = {0};

	tar_head(&tar, &of, size);
	add_zeros(&tar, size);
	tar_end(&tar);
	for (size_t i = 0; i < BASE_COUNT(filters); i++) {
		bytes once = pack(filters[i], &tar);

		refused(oci_layout(&tar, 1, filters[i], NULL), HN_ELIMIT, "200 to 1");
		refused(oci_layout(&once, 1, filters[1 - i], NULL), HN_EENTRY,
			"the layer 1 is compressed more than once");
		free(once.data);
	}
	free(tar.data);
}

Test(oci, limits_of_an_image)
{
	bytes tars[129], layout;
	char name[32];

	for (size_t i = 0; i < BASE_COUNT(tars); i++) {
		snprintf(name, sizeof(name), "file-%zu", i);
		tars[i] = TAR(FILE_OF(name, "1"));
	}
	layout = oci_layout(tars, 128, NULL, NULL);
	has_for(NULL, layout, "/file-127");
	refused(stack_of(tars, 129), HN_ELIMIT, "128");
}

#endif
