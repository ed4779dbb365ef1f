/* SPDX-License-Identifier: MIT
 *
 * Reading payloads: archives are parsed by a child in a sandbox that sends records, and what it
 * sends is checked as if anybody had sent it.
 */
#ifndef COMPOSE_PAYLOAD_H
#define COMPOSE_PAYLOAD_H

#include "compose/blobs.h"
#include "compose/entry.h"
#include "compose/model.h"

/* A change of what is read from the same bytes is another number: it is in the keys of cached
 * layers. */
enum { COMPOSE_READER = 1 };

/* --- an entry as an archive has it: nothing of it is believed --- */

typedef enum compose_raw_type { /* the first four are those of compose_entry_type */
	COMPOSE_RAW_FILE = COMPOSE_ENTRY_FILE,
	COMPOSE_RAW_DIRECTORY,
	COMPOSE_RAW_SYMLINK,
	COMPOSE_RAW_HARDLINK,
	COMPOSE_RAW_CHARACTER,
	COMPOSE_RAW_BLOCK,
	COMPOSE_RAW_FIFO,
	COMPOSE_RAW_SOCKET,
	COMPOSE_RAW_OTHER
} compose_raw_type;
typedef struct compose_raw_xattr {
	const char *name;
	size_t name_size;
	const uint8_t *value;
	size_t size;
} compose_raw_xattr;
typedef struct compose_raw {
	compose_raw_type type;
	const char *path, *target; /* not terminated; the target of links, else of size 0 */
	size_t path_size, target_size;
	uint64_t mode, uid, gid, size;
	const compose_raw_xattr *xattrs;
	size_t xattr_count;
} compose_raw;

enum {
	COMPOSE_PATH_ROOM = 1024,  /* a canonical path with its NUL */
	COMPOSE_XATTR_COUNT = 128, /* of one entry */
	COMPOSE_XATTR_NAME = 255
};
/* What an entry is by itself, in the order of section 8 of the design. `path` and `target` (that of
 * a symlink is its text, that of a hard link is canonical) are set on success. HN_EENTRY and
 * HN_ELIMIT name the entry and the reason. */
int compose_raw_check(const compose_raw *raw, char path[COMPOSE_PATH_ROOM],
	char target[COMPOSE_PATH_ROOM], hn_error **err);
/* The canonical form of a path in an image that somebody wrote ("/usr/bin/x"), or why it is none.
 */
int compose_path_check(const char *path, hn_error **err);
/* Whether a path is meant by a glob: '*' stays within a directory, "**" does not. What lies below
 * it is meant too. */
bool compose_glob_match(const char *glob, const char *path);
/* Whether base-passwd of Debian gives this number to somebody, in every installation. */
bool compose_uid_fixed(uint64_t uid);
bool compose_gid_fixed(uint64_t gid);

/* --- store paths of Nix --- */
bool compose_nix_valid(const char *base, size_t size); /* what is behind "/nix/store/" */
/* What a payload of them may have; `path` is canonical. HN_EENTRY */
int compose_nix_entry_check(const char *path, bool directory, hn_error **err);
/* Of a list, one a line: what is behind "/nix/store/", in order. HN_EINVAL, HN_EDUPLICATE */
int compose_nix_list(const char *text, size_t size, base_names *names, hn_error **err);

/* --- limits over all entries of a payload --- */
typedef struct compose_tally {
	uint64_t packed; /* bytes of the payload; 0 = not known */
	uint64_t entries, unpacked;
	uint64_t names; /* bytes of paths, targets and extended attributes */
} compose_tally;
/* `size` bytes more, before they are read. HN_ELIMIT names `what`. */
int compose_tally_entry(compose_tally *tally, const char *what, uint64_t size, hn_error **err);
int compose_tally_bytes(compose_tally *tally, const char *what, uint64_t size, hn_error **err);
int compose_tally_names(compose_tally *tally, const char *what, uint64_t size, hn_error **err);

/* --- entries become a layer --- */
typedef struct compose_reading { /* all borrowed */
	const compose_payload *payload;
	const compose_alias *aliases; /* of the base */
	size_t alias_count;
	const compose_user *users; /* of the manifest */
	size_t user_count;
	const char *parser_key; /* NULL or "", or what tells an unusual parser: part of the key */
	bool only_look;         /* nothing is kept in the store */
	bool undecided;         /* scripts that nobody decided about are remarks, not errors */
	struct hn_package *package; /* of a deb: what it says of itself goes there; may be NULL */
	hn_cancel *cancel;          /* may be NULL */
} compose_reading;

typedef struct compose_collector compose_collector;
int compose_collector_new(
	const compose_reading *how, uint64_t packed, compose_collector **collector, hn_error **err);
void compose_collector_free(compose_collector *collector);
BASE_AUTO(compose_collector, compose_collector_free)
/* Every rule. *kept is false when `exclude` leaves the entry out: its body is dropped. The body of
 * a file that is kept is told before the next entry. */
int compose_collector_add(
	compose_collector *collector, const compose_raw *raw, bool *kept, hn_error **err);
void compose_collector_body(compose_collector *collector, const compose_digest *content);
/* Bytes that are remembered beside its entries: they count as names. */
int compose_collector_names(compose_collector *collector, uint64_t size, hn_error **err);
/* The limits of `before` count on: both are of one payload. */
void compose_collector_count_on(compose_collector *collector, const compose_collector *before);
/* The collector is empty after it, whatever comes of it. */
int compose_collector_finish(compose_collector *collector, compose_layer **layer, hn_error **err);
/* A line for whoever reviews the image. */
int compose_collector_remark(compose_collector *collector, hn_error **err, const char *format, ...)
	BASE_PRINTF(3, 4);

/* Whether this is a link that the base has, too: it is rewritten when layers are merged. */
bool compose_reading_alias(
	const compose_reading *how, const char *path, size_t size, const char *target);

/* --- the layers of an image, one over the other --- */
typedef struct compose_stack compose_stack;
int compose_stack_new(
	const compose_reading *how, uint64_t packed, compose_stack **stack, hn_error **err);
void compose_stack_free(compose_stack *stack);
BASE_AUTO(compose_stack, compose_stack_free)
/* The next layer is begun; *collector is where its entries go, the stack's own. */
int compose_stack_next(compose_stack *stack, compose_collector **collector, hn_error **err);
/* What a whiteout hides, canonical: never the root. HN_EENTRY. */
int compose_whiteout_check(
	const char *path, size_t size, char canonical[COMPOSE_PATH_ROOM], hn_error **err);
/* A whiteout of the layer that was begun: it hides what is before that layer, wherever it stands in
 * it. */
int compose_stack_hide(
	compose_stack *stack, const char *path, size_t size, bool opaque, hn_error **err);
/* What is left of all of them; HN_EENTRY when there is none. */
int compose_stack_finish(compose_stack *stack, compose_layer **layer, hn_error **err);

/* --- records: what the child sends --- */
typedef enum compose_record_type {
	COMPOSE_RECORD_BEGIN,   /* version of the reader, kind */
	COMPOSE_RECORD_ENTRY,   /* bodies of files follow as pieces, all of `size` */
	COMPOSE_RECORD_PIECE,   /* 1 .. COMPOSE_PIECE bytes */
	COMPOSE_RECORD_CONTROL, /* a file of a deb's control part: control, or one that somebody
				   must decide about */
	COMPOSE_RECORD_END,     /* how many entries; nothing after it */
	COMPOSE_RECORD_REFUSED, /* a code and a text; nothing after it */
	COMPOSE_RECORD_LAYER,   /* of an image: entries and whiteouts of its next layer follow */
	COMPOSE_RECORD_WHITEOUT /* a path that layers before this one have no longer */
} compose_record_type;
enum {
	COMPOSE_PIECE = 65536,
	COMPOSE_RECORD_MOST = 262144, /* bytes of one record */
	COMPOSE_TEXT_MOST = 1024
};
typedef struct compose_record {
	compose_record_type type;
	uint64_t version;
	compose_payload_kind kind;
	compose_raw raw; /* ENTRY; of CONTROL: path and size; of WHITEOUT: path */
	const uint8_t *piece;
	size_t piece_size;
	uint64_t entries;
	bool opaque; /* of a whiteout: what is below `raw.path` is hidden, not it */
	hn_code code;
	const char *text; /* not terminated */
	size_t text_size;
	compose_raw_xattr xattrs[COMPOSE_XATTR_COUNT];
} compose_record;
/* One record with its length, four bytes, most significant first. */
void compose_record_put(const compose_record *record, codec_cbor_out *out);
/* Of a record without its length; its views live as long as the bytes. HN_ECBOR, HN_EENTRY. */
int compose_record_read(const uint8_t *bytes, size_t size, compose_record *record, hn_error **err);

/* Where the records come from: as read(2); -errno. */
typedef struct compose_record_source {
	ssize_t (*read)(void *arg, void *bytes, size_t size);
	void *arg;
} compose_record_source;

/* Reads the whole stream of a payload of `packed` bytes. Bodies go to `store`; NULL: only their
 * digests are made. */
int compose_records_read(const compose_record_source *source, uint64_t packed, compose_store *store,
	const compose_reading *how, compose_layer **layer, hn_error **err);

/* --- the child's side --- */
/* Parses an archive from `in` into records on `out`. What is wrong with it is told there, too.
 * `platform` is that of an image; NULL: there is only one. */
int compose_payload_parse(hn_os *os, compose_payload_kind kind, const char *platform, int in,
	int out, bool confine, hn_error **err);

/* --- the parent's side --- */
/* Without a store only digests of bodies are made. The payload in `fd` (of `size` bytes, digest
 * checked before) by the program `parser`. */
int compose_payload_run(hn_os *os, const char *parser, int fd, uint64_t size, compose_store *store,
	const compose_reading *how, compose_layer **layer, hn_error **err);
/* The layer that was kept of a payload, whether its bodies are there or not. HN_ENOENT when none
 * was; HN_EDIGEST, HN_ECORRUPT, HN_ECBOR, HN_ENEWER for a record that is not whole. */
int compose_payload_cached(
	compose_store *store, const compose_reading *how, compose_layer **layer, hn_error **err);
/* The layer of a payload that is in the store, from the cache when it was read before with the same
 * options. HN_EMISSING, HN_EDIGEST, HN_ECHANGED, HN_EENTRY,
 * HN_EDUPLICATE, HN_ELIMIT, HN_ECONTRACT, HN_ENOSUP. */
int compose_payload_layer(compose_store *store, const char *parser, const compose_reading *how,
	compose_layer **layer, bool *from_cache, hn_error **err);

/* --- directories become payloads: a tar, the same bytes for the same content --- */
typedef int (*compose_pack_write)(void *arg, const void *bytes, size_t size, hn_error **err);
typedef struct compose_tar {
	compose_pack_write write;
	void *arg;
	uint64_t size; /* of what was written; HN_ELIMIT where no payload is that long */
} compose_tar;
/* Checked as one that is read. The body of a file follows, and after it what fills it up. */
int compose_tar_entry(compose_tar *tar, const compose_raw *raw, hn_error **err);
int compose_tar_body(compose_tar *tar, const void *bytes, size_t size, hn_error **err);
int compose_tar_fill(compose_tar *tar, hn_error **err);
int compose_tar_end(compose_tar *tar, hn_error **err);

/* The same compressed by zstd; `level` is 1 to 19. What comes out goes to `write`. */
typedef struct compose_squeeze compose_squeeze;
int compose_squeeze_new(
	int level, compose_pack_write write, void *arg, compose_squeeze **squeeze, hn_error **err);
int compose_squeeze_add(void *squeeze, const void *bytes, size_t size, hn_error **err);
int compose_squeeze_end(compose_squeeze *squeeze, hn_error **err);
void compose_squeeze_free(compose_squeeze *squeeze); /* NULL is fine */
BASE_AUTO(compose_squeeze, compose_squeeze_free)

typedef struct compose_packing {   /* all borrowed */
	compose_payload_kind kind; /* TREE, OCI, NIX */
	const char *directory;     /* of nix: what stands for /nix/store here */
	const char *list;          /* of nix: store paths, one a line */
	size_t list_size;
	hn_cancel *cancel; /* may be NULL */
	bool all_root;  /* whoever owns something, it becomes root's; else the owner of the top */
	bool no_setuid; /* a setuid or setgid file is HN_EENTRY */
} compose_packing;
/* Links are not followed, and no other file system is entered. HN_ECHANGED for what changes
 * meanwhile. */
int compose_pack(hn_os *os, const compose_packing *how, compose_tar *tar, hn_error **err);

#endif
