/* SPDX-License-Identifier: MIT
 *
 * The stored form of a boot: a list of phases, each [name, wall, CPU], and after them of checks of
 * contracts, each [contract, version, kept, time, detail], or with [.., component, blueprint] where
 * it is known who promised it.
 */
#include "host/boot-record.h"

#define PHASE_FIELDS 3
#define CHECK_FIELDS 5
#define NAMED_FIELDS 7

static void put_text(codec_cbor_out *cbor, const char *text)
{
	codec_cbor_put_text(cbor, text, strlen(text));
}

static void put_check(codec_cbor_out *cbor, const machine_checked *check)
{
	bool named = check->component[0] != '\0';

	codec_cbor_put_array(cbor, named ? NAMED_FIELDS : CHECK_FIELDS);
	put_text(cbor, check->contract);
	put_text(cbor, check->version);
	codec_cbor_put_int(cbor, check->ok ? 1 : 0);
	codec_cbor_put_int(cbor, check->took);
	put_text(cbor, check->detail);
	if (!named)
		return;
	put_text(cbor, check->component);
	put_text(cbor, check->blueprint);
}

int host_boot_encode(const machine_boot *boot, base_buf *out, hn_error **err)
{
	codec_cbor_out cbor = {0};

	codec_cbor_put_array(&cbor, boot->count + boot->check_count);
	for (size_t i = 0; i < boot->count; i++) {
		codec_cbor_put_array(&cbor, PHASE_FIELDS);
		put_text(&cbor, boot->phase[i].name);
		codec_cbor_put_int(&cbor, boot->phase[i].wall);
		codec_cbor_put_int(&cbor, boot->phase[i].cpu);
	}
	for (size_t i = 0; i < boot->check_count; i++)
		put_check(&cbor, &boot->checks[i]);
	if (cbor.buf.failed) {
		base_buf_free(&cbor.buf);
		return base_nomem(err);
	}
	*out = cbor.buf;
	return 0;
}

static bool take_text(codec_cbor *in, char *text, size_t room)
{
	const char *found = NULL;
	size_t size = 0;

	if (!codec_cbor_text(in, &found, &size) || size >= room)
		return false;
	memcpy(text, found, size);
	text[size] = '\0';
	return true;
}

static bool decode_phase(codec_cbor *in, machine_boot *boot)
{
	int64_t wall = 0, cpu = 0;
	size_t at = boot->count;

	/* phases come first: a check that stands among them is none */
	if (at == MACHINE_PHASES || boot->check_count > 0 ||
		!take_text(in, boot->phase[at].name, sizeof(boot->phase[at].name)) ||
		!codec_cbor_int(in, &wall) || !codec_cbor_int(in, &cpu) || wall < 0 || cpu < 0)
		return false;
	boot->phase[at].wall = wall;
	boot->phase[at].cpu = cpu;
	boot->count++;
	return true;
}

static bool decode_check(codec_cbor *in, bool named, machine_boot *boot)
{
	machine_checked *check = &boot->checks[boot->check_count];
	int64_t ok = 0;

	if (boot->check_count == MACHINE_CHECKS ||
		!take_text(in, check->contract, sizeof(check->contract)) ||
		!take_text(in, check->version, sizeof(check->version)) ||
		!codec_cbor_int(in, &ok) || !codec_cbor_int(in, &check->took) ||
		!take_text(in, check->detail, sizeof(check->detail)))
		return false;
	if (named && (!take_text(in, check->component, sizeof(check->component)) ||
			     !take_text(in, check->blueprint, sizeof(check->blueprint))))
		return false;
	check->ok = ok == 1;
	check->told = true;
	boot->check_count++;
	return (ok == 0 || ok == 1) && check->took >= 0;
}

static bool decode_one(codec_cbor *in, machine_boot *boot)
{
	uint64_t fields = 0;

	if (!codec_cbor_array(in, &fields))
		return false;
	if (fields == PHASE_FIELDS)
		return decode_phase(in, boot);
	return (fields == CHECK_FIELDS || fields == NAMED_FIELDS) &&
	       decode_check(in, fields == NAMED_FIELDS, boot);
}

int host_boot_decode(const void *bytes, size_t size, machine_boot *boot, hn_error **err)
{
	machine_boot decoded = {0};
	uint64_t count = 0;
	codec_cbor in;
	bool well;

	codec_cbor_open(&in, bytes, size);
	well = codec_cbor_array(&in, &count) && count <= MACHINE_PHASES + MACHINE_CHECKS;
	for (uint64_t i = 0; well && i < count; i++)
		well = decode_one(&in, &decoded);
	if (!well || codec_cbor_end(&in, NULL) < 0)
		return HN_CORRUPT(
			err, HOST_ROOM, "the phases and checks of a boot are not well formed");
	*boot = decoded;
	return 0;
}
