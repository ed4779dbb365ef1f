/* SPDX-License-Identifier: MIT
 *
 * Memory at no path, and the archive of secrets that is written into it. Bytes go from locked
 * memory straight to the descriptor: no copy of a secret is made that something would have to wipe.
 */
#include "host/unit-secrets.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BLOCK 512
#define PAGE 4096

int host_memory_new(host_memory *memory, hn_error **err)
{
	int fd = -1, rc = os_memory_new(&fd, err);

	if (rc >= 0)
		*memory = (host_memory){.fd = fd};
	return rc;
}

int host_memory_add(host_memory *memory, const void *bytes, size_t size, hn_error **err)
{
	int rc = os_memory_write(memory->fd, bytes, size, err);

	if (rc >= 0)
		memory->size += size;
	return rc;
}

int host_memory_pad(host_memory *memory, size_t unit, hn_error **err)
{
	static const char zeros[PAGE];
	size_t over = memory->size % unit;

	assert(unit <= PAGE);
	return over == 0 ? 0 : host_memory_add(memory, zeros, unit - over, err);
}

int host_memory_seal(host_memory *memory, int *fd, hn_error **err)
{
	char path[32];
	int reader, rc = os_memory_seal(memory->fd, err);

	if (rc < 0)
		return rc;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", memory->fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	if (reader < 0)
		return base_error_errno(
			err, HOST_ROOM, -errno, "cannot open sealed memory for reading");
	*fd = reader;
	return 0;
}

void host_memory_close(host_memory *memory)
{
	if (memory->fd >= 0)
		(void)close(memory->fd);
	memory->fd = -1;
}

/* --- the archive --- */

typedef struct ustar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type[1];
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	char prefix[155], rest[12];
} ustar_header;
_Static_assert(sizeof(ustar_header) == BLOCK, "a header is one block");

static void put_octal(char *to, size_t digits, uint64_t number)
{
	for (size_t i = digits; i > 0; i--, number >>= 3)
		to[i - 1] = (char)('0' + (number & 7));
}

/* The sum of all bytes, with blanks in the place of the sum. */
static void finish_header(ustar_header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	put_octal(header->checksum, 6, sum);
	header->checksum[6] = '\0';
}

static int add_header(
	host_memory *archive, const char *name, int64_t made, size_t size, hn_error **err)
{
	static const int64_t last = INT64_C(077777777777);
	ustar_header header = {.mode = "0000400", .uid = "0000000", .gid = "0000000", .type = "0"};

	memcpy(header.magic, "ustar", sizeof(header.magic));
	memcpy(header.version, "00", sizeof(header.version));
	(void)snprintf(header.name, sizeof(header.name), "%s", name);
	put_octal(header.size, sizeof(header.size) - 1, size);
	put_octal(header.mtime, sizeof(header.mtime) - 1,
		(uint64_t)(made < 0      ? 0
			   : made > last ? last
					 : made));
	finish_header(&header);
	return host_memory_add(archive, &header, sizeof(header), err);
}

int host_archive_add(host_memory *archive, const char *name, int64_t made, const uint8_t *bytes,
	size_t size, hn_error **err)
{
	int rc = base_limit_check(BASE_LIMIT_SECRET_BYTES, size, err);

	if (rc >= 0)
		rc = base_limit_check(BASE_LIMIT_UNIT_SECRETS, archive->files + 1, err);
	if (rc >= 0)
		rc = add_header(archive, name, made, size, err);
	if (rc >= 0)
		rc = host_memory_add(archive, bytes, size, err);
	if (rc >= 0)
		rc = host_memory_pad(archive, BLOCK, err);
	archive->files += rc >= 0;
	return rc;
}

int host_archive_end(host_memory *archive, hn_error **err)
{
	static const char empty[2 * BLOCK];
	int rc = host_memory_add(archive, empty, sizeof(empty), err);

	return rc < 0 ? rc : host_memory_pad(archive, PAGE, err);
}
