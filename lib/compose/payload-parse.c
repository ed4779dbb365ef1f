/* SPDX-License-Identifier: MIT
 *
 * The child that takes a payload apart: it reads one descriptor, writes another, and can do nothing
 * else.
 */
#include "compose/payload-parse.h"
#include <hypernix/compose-payload.h>
#include <iconv.h>
#include <locale.h>

int parse_fail(parse *run, int code)
{
	if (run->failed == 0)
		run->failed = code;
	return run->failed;
}

int parse_refuse(parse *run, hn_code code, const char *format, ...)
{
	BASE_AUTO_BUF base_buf text = {0};
	va_list arguments;

	if (run->failed < 0)
		return run->failed;
	va_start(arguments, format);
	base_buf_vformat(&text, format, arguments);
	va_end(arguments);
	return parse_fail(
		run, text.failed ? base_nomem(run->err)
				 : base_error(run->err, code, COMPOSE_ROOM, NULL, "%s", text.data));
}

static ssize_t fill(parse *run)
{
	const hn_os_ops *ops = run->os->ops;
	ssize_t got;

	if (!run->placed)
		return ops->read(run->os, run->in, run->bytes, COMPOSE_PIECE);
	got = ops->pread(run->os, run->in, run->bytes, COMPOSE_PIECE, (off_t)run->place);
	run->place += got > 0 ? (uint64_t)got : 0;
	return got;
}

int parse_take(parse *run, size_t most, const uint8_t **bytes, size_t *size)
{
	if (run->at == run->have) {
		ssize_t got = fill(run);

		if (got < 0)
			return parse_fail(run, base_error_errno(run->err, COMPOSE_ROOM, (int)got,
						       "cannot read the payload"));
		run->at = 0;
		run->have = (size_t)got;
	}
	*size = run->have - run->at < most ? run->have - run->at : most;
	*bytes = run->bytes + run->at;
	run->at += *size;
	return 0;
}

int parse_flush(parse *run)
{
	const base_buf *buf = &run->records.buf;
	size_t done = 0;

	if (buf->failed)
		return parse_fail(run, base_nomem(run->err));
	while (done < buf->size) {
		ssize_t put =
			run->os->ops->write(run->os, run->out, buf->data + done, buf->size - done);

		if (put < 0)
			return parse_fail(run, base_error_errno(run->err, COMPOSE_ROOM, (int)put,
						       "cannot write records"));
		done += (size_t)put;
	}
	run->records.buf.size = 0;
	return 0;
}

int parse_send(parse *run, const compose_record *record)
{
	compose_record_put(record, &run->records);
	if (run->records.buf.size < COMPOSE_PIECE && !run->records.buf.failed)
		return 0;
	return parse_flush(run);
}

static int parse_kind(parse *run, compose_payload_kind kind, const char *platform)
{
	compose_record begin = {
		.type = COMPOSE_RECORD_BEGIN, .version = COMPOSE_READER, .kind = kind};
	compose_record end = {.type = COMPOSE_RECORD_END};
	int code = parse_send(run, &begin);

	/* At once: who reads it knows that the sandbox is shut. */
	if (code == 0)
		code = parse_flush(run);
	if (code < 0)
		return code;
	switch (kind) {
	case COMPOSE_PAYLOAD_TAR:
	case COMPOSE_PAYLOAD_TREE:
	case COMPOSE_PAYLOAD_NIX:
		code = parse_tar(run, "payload", UINT64_MAX, PARSE_ENTRIES);
		break;
	case COMPOSE_PAYLOAD_DEB:
		code = parse_deb(run);
		break;
	case COMPOSE_PAYLOAD_OCI:
		code = parse_oci(run, platform);
		break;
	default:
		code = parse_refuse(run, HN_ENOSUP, "payloads of this kind are not archives");
	}
	end.entries = run->count;
	return code < 0 ? code : parse_send(run, &end);
}

/* Who started us is told, in place of a second way to be told. */
static void tell(parse *run, int code, hn_error **err)
{
	const char *text = *err != NULL ? hn_error_message(*err) : hn_code_text((hn_code)code);
	compose_record refused = {.type = COMPOSE_RECORD_REFUSED,
		.code = (hn_code)code,
		.text = text,
		.text_size = strlen(text)};

	if (refused.text_size > COMPOSE_TEXT_MOST)
		refused.text_size = COMPOSE_TEXT_MOST;
	run->err = NULL;
	compose_record_put(&refused, &run->records);
	(void)parse_flush(run);
}

static int enter(hn_error **err)
{
	hn_sandbox_report report = {.size = sizeof(report)};
	int code = hn_sandbox_apply(HN_SANDBOX_PAYLOAD, NULL, &report, err);

	if (code == 0 && report.seccomp == 0)
		return base_error(err, HN_ESANDBOX, COMPOSE_ROOM,
			"build with libseccomp, on a kernel with CONFIG_SECCOMP_FILTER",
			"no payload is read without a filter of system calls");
	return code;
}

/* Of a pipe nobody knows how much comes: who reads the records has the ratio. */
static int measure(parse *run)
{
	struct stat status;
	int code = run->os->ops->fstat(run->os, run->in, &status);

	if (code < 0)
		return base_error_errno(run->err, COMPOSE_ROOM, code, "cannot look at the payload");
	if (S_ISREG(status.st_mode))
		run->entries.packed = run->plain.packed = (uint64_t)status.st_size;
	return 0;
}

static int parse_all(
	parse *run, compose_payload_kind kind, const char *platform, bool confine, hn_error **err)
{
	hn_error *own = NULL;
	int code = confine ? enter(&own) : 0;

	run->err = &own;
	run->bytes = base_alloc(COMPOSE_PIECE);
	if (code == 0 && run->bytes == NULL)
		code = base_nomem(&own);
	if (code == 0)
		code = measure(run);
	if (code == 0)
		code = parse_kind(run, kind, platform);
	if (code < 0)
		tell(run, code, &own);
	else
		code = parse_flush(run);
	base_free(run->bytes);
	base_buf_free(&run->records.buf);
	if (own != NULL)
		base_error_move(err, own);
	return code;
}

/* What reads JSON takes chance from a file when it makes its first object. */
static void warm_json(void)
{
	BASE_AUTO_OF(codec_json) codec_json *json = NULL;

	(void)codec_json_parse("warm", "{}", 2, &json, NULL);
}

int compose_payload_parse(hn_os *os, compose_payload_kind kind, const char *platform, int in,
	int out, bool confine, hn_error **err)
{
	parse run = {.os = os, .in = in, .out = out};
	/* libarchive converts names by the locale; its tables are read before files are out of
	 * reach. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before;
	iconv_t warm = iconv_open("UTF-8", "UTF-8");
	int code;

	if (warm != (iconv_t)-1)
		iconv_close(warm);
	if (utf8 == (locale_t)0)
		return base_error(err, HN_ENOSUP, COMPOSE_ROOM, "install the locale C.UTF-8",
			"there is no locale C.UTF-8, by which names are read");
	if (kind == COMPOSE_PAYLOAD_OCI)
		warm_json();
	before = uselocale(utf8);
	code = parse_all(&run, kind, platform, confine, err);
	uselocale(before);
	freelocale(utf8);
	return code;
}

int hn_payload_parse(const char *kind, int in, int out, bool confine, hn_error **err)
{
	static const compose_payload_kind kinds[] = {COMPOSE_PAYLOAD_TAR, COMPOSE_PAYLOAD_DEB,
		COMPOSE_PAYLOAD_TREE, COMPOSE_PAYLOAD_NIX, COMPOSE_PAYLOAD_OCI};
	static const char image[] = "oci:";

	if (kind == NULL)
		return compose_refuse_null(err);
	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		if (strcmp(kind, compose_payload_kind_name(kinds[i])) == 0)
			return compose_payload_parse(
				hn_os_real(), kinds[i], NULL, in, out, confine, err);
	}
	if (strncmp(kind, image, strlen(image)) == 0)
		return compose_payload_parse(hn_os_real(), COMPOSE_PAYLOAD_OCI,
			kind + strlen(image), in, out, confine, err);
	return base_error(err, HN_EINVAL, COMPOSE_ROOM,
		"say tar, deb, tree, nix, oci or oci:PLATFORM",
		"there is no kind '%s' of payload that is parsed", kind);
}
