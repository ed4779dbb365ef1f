/* SPDX-License-Identifier: MIT
 *
 * Signed notes and checkpoints, after the examples of C2SP signed-note and tlog-checkpoint.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>

#define DASH "\xe2\x80\x94 "
#define SIGNATURE                                                                                  \
	"Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
#define BODY "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
static const char example[] = BODY "\n" DASH "example.com/behind-the-sofa " SIGNATURE "\n";

static int parse(const char *text, codec_note *note, hn_error **err)
{
	return codec_note_parse(text, strlen(text), note, err);
}

static void refused(const char *text, const char *words)
{
	codec_note note = {.count = 77};
	hn_error *err = NULL;

	cr_assert_eq(parse(text, &note, &err), HN_ESYNTAX, "taken: %s", text);
	cr_assert_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	cr_assert_eq(note.count, 77u, "the output was touched");
	hn_error_unref(err);
}

Test(note, example_of_the_specification)
{
	static const char text[] = "Ognuno sta solo sul cuor della terra\n"
				   "trafitto da un raggio di sole:\n\ned \xc3\xa8 subito sera.\n";
	base_buf whole = {0};
	codec_note note;

	base_buf_format(&whole,
		"%s\n" DASH "quasimodo.example/salvatore "
		"NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihA"
		"QwaqP3ZekRwNtIc=\n",
		text);
	cr_assert_eq(codec_note_parse(whole.data, whole.size, &note, NULL), 0);
	cr_assert_eq(note.text_size, strlen(text));
	cr_assert_eq(memcmp(note.text, text, note.text_size), 0);
	cr_assert_eq(note.count, 1u);
	cr_assert_eq(note.signatures[0].name_size, strlen("quasimodo.example/salvatore"));
	cr_assert_eq(note.signatures[0].size, 64u);
	cr_assert_eq(memcmp(note.signatures[0].key_id, "\x36\x7b\xa0\x4b", 4), 0);
	base_buf_free(&whole);
}

Test(note, signature_bytes_begin_with_the_key_id)
{
	uint8_t bytes[80];
	size_t written = 0;
	codec_note note;

	cr_assert_eq(parse(example, &note, NULL), 0);
	cr_assert(codec_note_signature_bytes(&note.signatures[0], bytes, sizeof(bytes), &written));
	cr_assert_eq(written, 68u);
	cr_assert_eq(memcmp(bytes, note.signatures[0].key_id, 4), 0);
	cr_assert_not(codec_note_signature_bytes(&note.signatures[0], bytes, 67, &written));
}

Test(note, the_last_empty_line_separates)
{
	codec_note note;

	cr_assert_eq(parse("a\n\nb\n\n" DASH "n AAAAAAA=\n", &note, NULL), 0);
	cr_assert_eq(note.text_size, 5u);
	refused("a\n\n" DASH "n AAAAAAA=\n\n", "no signature line");
	refused("a\n\n" DASH "n AAAAAAA=\n\nb\n", "no signature line");
}

Test(note, several_signatures)
{
	codec_note note;

	cr_assert_eq(parse("a\n\n" DASH "n AAAAAAA=\n" DASH "m AAAAAAA=\n" DASH "n AAAAAQA=\n",
			     &note, NULL),
		0);
	cr_assert_eq(note.count, 3u);
	cr_assert_eq(note.signatures[1].name[0], 'm');
	cr_assert_eq(note.signatures[2].key_id[3], 1);
	refused("a\n\n" DASH "n AAAAAAA=\n" DASH "n AAAAAAE=\n", "line 4: a key signs twice");
}

static int parse_with_lines(int count)
{
	base_buf buf = {0};
	codec_note note;

	base_buf_text(&buf, "a\n\n");
	for (int i = 0; i < count; i++)
		base_buf_format(&buf, DASH "n%d AAAAAAA=\n", i);
	int rc = codec_note_parse(buf.data, buf.size, &note, NULL);
	base_buf_free(&buf);
	return rc;
}

Test(note, at_most_sixteen_lines)
{
	cr_assert_eq(parse_with_lines(16), 0);
	cr_assert_eq(parse_with_lines(17), HN_ESYNTAX);
}

static int parse_of_size(size_t size)
{
	static const char tail[] = "\n\n" DASH "n AAAAAAA=\n";
	char *bytes = base_alloc(size);
	codec_note note;

	memset(bytes, 'x', size);
	memcpy(bytes + size - strlen(tail), tail, strlen(tail));
	int rc = codec_note_parse(bytes, size, &note, NULL);
	base_free(bytes);
	return rc;
}

Test(note, at_most_64_kib)
{
	cr_assert_eq(parse_of_size(65536), 0);
	cr_assert_eq(parse_of_size(65537), HN_ELIMIT);
}

Test(note, structure)
{
	refused("", "no empty line");
	cr_assert_eq(codec_note_parse(NULL, 0, &(codec_note){0}, NULL), HN_ESYNTAX);
	refused("a\n", "no empty line");
	refused("a\n" DASH "n AAAAAAA=\n", "no empty line");
	refused("a\n\n", "no signature line");
	refused("a\n\n" DASH "n AAAAAAA=", "no newline");
	refused("a\n\nb\n", "no signature line");
	refused("a\n\n- n AAAAAAA=\n", "no signature line");
	refused("a\n\n\xe2\x80\x93 n AAAAAAA=\n", "no signature line"); /* en dash */
	refused("a\n\n\xe2\x80\x94n AAAAAAA=\n", "no signature line");
	refused("a\n\n" DASH "n AAAAAAA=\nb\n", "line 4: no signature line");
}

Test(note, names_of_keys)
{
	refused("a\n\n" DASH " AAAAAAA=\n", "no name");
	refused("a\n\n" DASH "n+m AAAAAAA=\n", "no name");
	refused("a\n\n" DASH "AAAAAAA=\n", "no name");
	refused("a\n\n" DASH "n\xc2\xa0m AAAAAAA=\n", "no name");
	refused("a\n\n" DASH "n\xe2\x80\x83m AAAAAAA=\n", "no name");
	refused("a\n\n" DASH "n\xe3\x80\x80 AAAAAAA=\n", "no name");
	refused("a\n\n" DASH "n\xe1\x9a\x80 AAAAAAA=\n", "no name");
	refused("a\n\n" DASH "n m AAAAAAA=\n", "base64");
}

Test(note, base64_of_signatures)
{
	refused("a\n\n" DASH "n \n", "base64");
	refused("a\n\n" DASH "n AAAAAA==\n", "more than four bytes");
	refused("a\n\n" DASH "n AAAAAAB=\n", "base64");
	refused("a\n\n" DASH "n AAAAAAA\n", "base64");
	refused("a\n\n" DASH "n AAAA-AA=\n", "base64");
	refused("a\n\n" DASH "n AAAAAAA= \n", "base64");
	refused("a\n\n" DASH "n  AAAAAAA=\n", "base64");
}

Test(note, characters)
{
	refused("a\r\n\n" DASH "n AAAAAAA=\n", "line 1: control character");
	refused("b\na\tb\n\n" DASH "n AAAAAAA=\n", "line 2: control character");
	refused("a\xff\n\n" DASH "n AAAAAAA=\n", "UTF-8");
	codec_note note;
	cr_assert_eq(codec_note_parse("a\0\n\n" DASH "n AAAAAAA=\n", 20, &note, NULL), HN_ESYNTAX);
}

Test(note, every_truncation_is_refused)
{
	for (size_t size = 0; size < strlen(example); size++) {
		codec_note note;

		cr_assert_eq(codec_note_parse(example, size, &note, NULL), HN_ESYNTAX, "%zu", size);
	}
}

Test(note, one_line_alone)
{
	static const char line[] = DASH "n AAAAAAA=\n";
	codec_note_signature signature;
	base_buf two = {0};

	cr_assert_eq(codec_note_line_parse(line, strlen(line), &signature, NULL), 0);
	cr_assert_eq(signature.size, 1u);
	cr_assert_eq(codec_note_line_parse(line, strlen(line) - 1, &signature, NULL), HN_ESYNTAX);
	base_buf_format(&two, "%s%s", line, line);
	cr_assert_eq(codec_note_line_parse(two.data, two.size, &signature, NULL), HN_ESYNTAX);
	base_buf_free(&two);
}

Test(note, writing_gives_the_same_bytes)
{
	uint8_t bytes[80];
	size_t written = 0;
	base_buf buf = {0};
	codec_note note;

	cr_assert_eq(parse(example, &note, NULL), 0);
	const codec_note_signature *s = &note.signatures[0];
	cr_assert(codec_note_signature_bytes(s, bytes, sizeof(bytes), &written));
	cr_assert_eq(codec_note_put_text(&buf, note.text, note.text_size, NULL), 0);
	cr_assert_eq(codec_note_put_line(
			     &buf, s->name, s->name_size, s->key_id, bytes + 4, written - 4, NULL),
		0);
	cr_assert_str_eq(buf.data, example);
	base_buf_free(&buf);
}

Test(note, lines_of_all_lengths_come_back)
{
	const uint8_t id[4] = {1, 2, 3, 4};
	uint8_t signature[40], back[48];

	for (size_t i = 0; i < sizeof(signature); i++)
		signature[i] = (uint8_t)(i * 7);
	for (size_t size = 1; size <= sizeof(signature); size++) {
		codec_note_signature read;
		base_buf buf = {0};
		size_t written = 0;

		cr_assert_eq(codec_note_put_line(&buf, "k", 1, id, signature, size, NULL), 0);
		cr_assert_eq(codec_note_line_parse(buf.data, buf.size, &read, NULL), 0);
		cr_assert_eq(read.size, size);
		cr_assert(codec_note_signature_bytes(&read, back, sizeof(back), &written));
		cr_assert_eq(memcmp(back, id, 4), 0);
		cr_assert_eq(memcmp(back + 4, signature, size), 0);
		base_buf_free(&buf);
	}
}

Test(note, what_could_not_be_read_back_is_not_written)
{
	const uint8_t id[4] = {0};
	base_buf buf = {0};

	cr_assert_eq(codec_note_put_text(&buf, "a", 1, NULL), HN_EINVAL);
	cr_assert_eq(codec_note_put_text(&buf, "", 0, NULL), HN_EINVAL);
	cr_assert_eq(codec_note_put_text(&buf, "a\tb\n", 4, NULL), HN_EINVAL);
	cr_assert_eq(codec_note_put_line(&buf, "a b", 3, id, id, 4, NULL), HN_EINVAL);
	cr_assert_eq(codec_note_put_line(&buf, "a\nb", 3, id, id, 4, NULL), HN_EINVAL);
	cr_assert_eq(codec_note_put_line(&buf, "", 0, id, id, 4, NULL), HN_EINVAL);
	cr_assert_eq(codec_note_put_line(&buf, "a", 1, id, id, 0, NULL), HN_EINVAL);
	cr_assert_eq(buf.size, 0u);
}

static void checkpoint_refused(const char *text, const char *words)
{
	codec_checkpoint checkpoint = {.size = 77};
	hn_error *err = NULL;

	cr_assert_eq(codec_checkpoint_parse(text, strlen(text), &checkpoint, &err), HN_ESYNTAX,
		"taken: %s", text);
	cr_assert_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	cr_assert_eq(checkpoint.size, 77u, "the output was touched");
	hn_error_unref(err);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

Test(checkpoint, example_of_the_specification)
{
	codec_checkpoint c;

	cr_assert_eq(codec_checkpoint_parse(BODY, strlen(BODY), &c, NULL), 0);
	cr_assert_eq(c.origin_size, strlen("example.com/behind-the-sofa"));
	cr_assert_eq(c.size, 20852163u);
	cr_assert_eq(memcmp(c.root, "\x0a\xc5\x18\x6a", 4), 0);
	cr_assert_eq(c.extensions_size, 0u);
}

Test(checkpoint, extension_lines_are_kept)
{
	static const char text[] = BODY "one\ntwo\n";
	base_buf buf = {0};
	codec_checkpoint c;

	cr_assert_eq(codec_checkpoint_parse(text, strlen(text), &c, NULL), 0);
	cr_assert_eq(c.extensions_size, 8u);
	cr_assert_eq(codec_checkpoint_put(&buf, &c, NULL), 0);
	cr_assert_str_eq(buf.data, text);
	base_buf_free(&buf);
}

Test(checkpoint, sizes)
{
	codec_checkpoint c;

	cr_assert_eq(codec_checkpoint_parse("o\n0\n" ROOT "\n", 49, &c, NULL), 0);
	cr_assert_eq(c.size, 0u);
	cr_assert_eq(codec_checkpoint_parse("o\n9223372036854775807\n" ROOT "\n", 67, &c, NULL), 0);
	cr_assert_eq(c.size, (uint64_t)INT64_MAX);
	checkpoint_refused("o\n9223372036854775808\n" ROOT "\n", "line 2");
	checkpoint_refused("o\n18446744073709551616\n" ROOT "\n", "line 2");
	checkpoint_refused("o\n00\n" ROOT "\n", "line 2");
	checkpoint_refused("o\n01\n" ROOT "\n", "line 2");
	checkpoint_refused("o\n+1\n" ROOT "\n", "line 2");
	checkpoint_refused("o\n-1\n" ROOT "\n", "line 2");
	checkpoint_refused("o\n1 \n" ROOT "\n", "line 2");
	checkpoint_refused("o\n0x1\n" ROOT "\n", "line 2");
	checkpoint_refused("o\n\n" ROOT "\n", "line 2");
}

Test(checkpoint, roots)
{
	checkpoint_refused("o\n1\n", "line 3");
	checkpoint_refused("o\n1\n" ROOT, "line 3");
	checkpoint_refused("o\n1\nAAAA\n", "line 3");
	/* 31 and 33 bytes, spare bits, the other alphabet */
	checkpoint_refused("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n", "line 3");
	checkpoint_refused("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "line 3");
	checkpoint_refused("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n", "line 3");
	checkpoint_refused("o\n1\nCsUYapGGPo4dkMgIAUqom_Xajj7h2fB2MPA3j2jxq2I=\n", "line 3");
}

Test(checkpoint, lines)
{
	checkpoint_refused("", "line 1");
	cr_assert_eq(codec_checkpoint_parse(NULL, 0, &(codec_checkpoint){0}, NULL), HN_ESYNTAX);
	checkpoint_refused("\n1\n" ROOT "\n", "line 1");
	checkpoint_refused("o", "line 1");
	checkpoint_refused("o\n1\n" ROOT "\n\n", "line 4");
	checkpoint_refused("o\n1\n" ROOT "\na\n\nb\n", "line 5");
	checkpoint_refused("o\n1\n" ROOT "\na", "line 4");
}

Test(checkpoint, what_could_not_be_read_back_is_not_written)
{
	codec_checkpoint good = {.origin = "o", .origin_size = 1}, bad;
	base_buf buf = {0};

	bad = good;
	bad.origin_size = 0;
	cr_assert_eq(codec_checkpoint_put(&buf, &bad, NULL), HN_EINVAL);
	bad = good;
	bad.origin = "a\nb", bad.origin_size = 3;
	cr_assert_eq(codec_checkpoint_put(&buf, &bad, NULL), HN_EINVAL);
	bad = good;
	bad.size = (uint64_t)INT64_MAX + 1;
	cr_assert_eq(codec_checkpoint_put(&buf, &bad, NULL), HN_EINVAL);
	bad = good;
	bad.extensions = "x", bad.extensions_size = 1;
	cr_assert_eq(codec_checkpoint_put(&buf, &bad, NULL), HN_EINVAL);
	cr_assert_eq(buf.size, 0u);
	cr_assert_eq(codec_checkpoint_put(&buf, &good, NULL), 0);
	cr_assert_str_eq(buf.data, "o\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	base_buf_free(&buf);
}
