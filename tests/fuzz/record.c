/* SPDX-License-Identifier: MIT
 *
 * Fuzzes what the parser of payloads sends, as a child would send it that somebody took over; and,
 * where there is libarchive, the parser itself with the same bytes. What passes is a layer that can
 * be written and read.
 */
#include "compose/payload.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct input {
	const uint8_t *at;
	size_t left;
} input;

static void require(bool held)
{
	if (!held)
		abort();
}

static ssize_t take(void *arg, void *bytes, size_t size)
{
	input *from = arg;

	if (size > from->left)
		size = from->left;
	if (size > 0)
		memcpy(bytes, from->at, size);
	from->at += size;
	from->left -= size;
	return (ssize_t)size;
}

static int read_as(compose_payload_kind kind, const uint8_t *data, size_t size)
{
	const compose_payload payload = {.kind = kind, .place = {.file = "m.json", .line = 1}};
	const compose_reading how = {.payload = &payload, .undecided = true};
	input from = {.at = data, .left = size};
	compose_record_source source = {.read = take, .arg = &from};
	compose_layer *layer = NULL, *again = NULL;
	base_buf bytes = {0};
	int code = compose_records_read(&source, size, NULL, &how, &layer, NULL);

	require((code == 0) == (layer != NULL));
	if (code < 0)
		return code;
	require(from.left == 0);
	require(compose_layer_write(layer, &bytes, NULL) == 0);
	require(compose_layer_read(bytes.data, bytes.size, &again, NULL) == 0);
	compose_layer_free(again);
	compose_layer_free(layer);
	base_buf_free(&bytes);
	return 0;
}

/* A simulated system, so that nothing is opened. */
static void parse_as(compose_payload_kind kind, const uint8_t *data, size_t size)
{
	hn_os *os = NULL;
	char *records = NULL;
	size_t count = 0;
	int in, out, code;

	require(hn_os_sim_new(NULL, &os, NULL) == 0);
	require(hn_os_sim_put(os, "/payload", data, size, NULL) == 0);
	in = os->ops->open(os, "/payload", O_RDONLY, 0);
	out = os->ops->open(os, "/records", O_RDWR | O_CREAT, 0600);
	require(in >= 0 && out >= 0);
	code = compose_payload_parse(os, kind, NULL, in, out, false, NULL);
	require(os_read_file(os, "/records", UINT32_MAX, &records, &count, NULL) == 0);
	require(code < 0 || count > 0);
	/* What the child refuses is refused. */
	require(code == 0 || read_as(kind, (const uint8_t *)records, count) < 0);
	base_free(records);
	hn_os_sim_free(os);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as(COMPOSE_PAYLOAD_TAR, data, size);
	read_as(COMPOSE_PAYLOAD_DEB, data, size);
	read_as(COMPOSE_PAYLOAD_OCI, data, size);
	if (size <= 65536) {
		parse_as(COMPOSE_PAYLOAD_TAR, data, size);
		parse_as(COMPOSE_PAYLOAD_DEB, data, size);
	}
	return 0;
}
