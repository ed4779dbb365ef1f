/* SPDX-License-Identifier: MIT
 *
 * Compressing a payload while it is written: equal bytes in, equal bytes out, for one version of
 * libzstd and one level.
 */
#include "compose/payload.h"
#include <zstd.h>

enum { STEP = 131072 };

struct compose_squeeze {
	compose_pack_write write;
	void *arg;
	ZSTD_CCtx *zstd;
	uint8_t *in, *out;
	size_t used, out_size;
};

static int refuse_zstd(size_t result, hn_error **err)
{
	return base_error(err, HN_ENOSUP, COMPOSE_ROOM, "libzstd must have threads",
		"libzstd cannot compress a payload: %s", ZSTD_getErrorName(result));
}

/* With a worker, as images are: the frame of a compression without one is another. */
static int set_parameters(compose_squeeze *squeeze, int level, hn_error **err)
{
	size_t result = ZSTD_CCtx_setParameter(squeeze->zstd, ZSTD_c_compressionLevel, level);

	if (!ZSTD_isError(result))
		result = ZSTD_CCtx_setParameter(squeeze->zstd, ZSTD_c_nbWorkers, 1);
	if (!ZSTD_isError(result))
		result = ZSTD_CCtx_setParameter(squeeze->zstd, ZSTD_c_checksumFlag, 1);
	return ZSTD_isError(result) ? refuse_zstd(result, err) : 0;
}

void compose_squeeze_free(compose_squeeze *squeeze)
{
	if (squeeze == NULL)
		return;
	ZSTD_freeCCtx(squeeze->zstd);
	base_free(squeeze->in);
	base_free(squeeze->out);
	base_free(squeeze);
}

int compose_squeeze_new(
	int level, compose_pack_write write, void *arg, compose_squeeze **squeeze, hn_error **err)
{
	BASE_AUTO_OF(compose_squeeze) compose_squeeze *made = base_calloc(1, sizeof(*made));
	int code;

	if (made == NULL)
		return base_nomem(err);
	made->write = write;
	made->arg = arg;
	made->out_size = ZSTD_CStreamOutSize();
	made->in = base_alloc(STEP);
	made->out = base_alloc(made->out_size);
	made->zstd = ZSTD_createCCtx();
	if (made->in == NULL || made->out == NULL || made->zstd == NULL)
		return base_nomem(err);
	code = set_parameters(made, level, err);
	if (code < 0)
		return code;
	*squeeze = BASE_STEAL(made);
	return 0;
}

/* All that was gathered. */
static int feed(compose_squeeze *squeeze, ZSTD_EndDirective end, hn_error **err)
{
	ZSTD_inBuffer in = {squeeze->in, squeeze->used, 0};
	size_t left;
	int code = 0;

	do {
		ZSTD_outBuffer out = {squeeze->out, squeeze->out_size, 0};

		left = ZSTD_compressStream2(squeeze->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return refuse_zstd(left, err);
		if (out.pos > 0)
			code = squeeze->write(squeeze->arg, squeeze->out, out.pos, err);
	} while (code == 0 && (end == ZSTD_e_end ? left > 0 : in.pos < in.size));
	squeeze->used = 0;
	return code;
}

int compose_squeeze_add(void *arg, const void *bytes, size_t size, hn_error **err)
{
	compose_squeeze *squeeze = arg;
	const uint8_t *from = bytes;
	int code = 0;

	while (code == 0 && size > 0) {
		size_t room = STEP - squeeze->used, most = size < room ? size : room;

		memcpy(squeeze->in + squeeze->used, from, most);
		squeeze->used += most;
		from += most;
		size -= most;
		if (squeeze->used == STEP)
			code = feed(squeeze, ZSTD_e_continue, err);
	}
	return code;
}

int compose_squeeze_end(compose_squeeze *squeeze, hn_error **err)
{
	return feed(squeeze, ZSTD_e_end, err);
}
