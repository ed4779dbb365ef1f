/* SPDX-License-Identifier: MIT
 *
 * What an ELF64 file says that it needs, and what a kernel module says of itself. The bytes are
 * hostile: everything is bounded, nothing is believed.
 */
#ifndef COMPOSE_ELF_H
#define COMPOSE_ELF_H

#include "compose/blobs.h"

/* Where the bytes come from: a body of the store, or memory. */
typedef struct elf_source {
	/* Exactly `size` bytes, all of them inside the file. */
	int (*read)(void *arg, uint64_t offset, void *bytes, size_t size, hn_error **err);
	void *arg;
	uint64_t size;
} elf_source;
typedef struct elf_memory { /* arg of elf_read_memory */
	const uint8_t *bytes;
} elf_memory;
int elf_read_memory(void *arg, uint64_t offset, void *bytes, size_t size, hn_error **err);
typedef struct elf_body {
	hn_os *os;
	int fd;
} elf_body;
/* The caller closes body->fd. */
int elf_open_body(compose_store *store, const compose_digest *digest, elf_body *body,
	elf_source *source, hn_error **err);
void elf_close_body(elf_body *body);

typedef struct elf_file {
	bool foreign; /* 32 bits, or big-endian: nothing else is set */
	uint16_t type, machine;
	const char *interpreter; /* PT_INTERP; NULL when there is none */
	const char *runpath;     /* DT_RUNPATH, or DT_RPATH where there is none of it; or NULL */
	const char *const *needed;
	size_t needed_count;
} elf_file;
bool elf_is(const uint8_t *bytes, size_t size); /* by its magic */
/* Texts go to `arena`. HN_EENTRY says what is wrong. */
int elf_read(const elf_source *source, base_arena *arena, elf_file *elf, hn_error **err);

/* The fields "key=value" of the section .modinfo; `each` is called with NUL-terminated text.
 * HN_EENTRY when there is no such section. A non-zero answer of `each` ends the walk. */
int elf_modinfo(const elf_source *source, int (*each)(void *arg, const char *field, hn_error **err),
	void *arg, hn_error **err);

#endif
