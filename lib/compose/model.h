/* SPDX-License-Identifier: MIT
 *
 * What manifests, contracts and blueprints say, checked. Each document is immutable after it was
 * read, lives in an arena of its own and keeps a place for each line that an error may have to
 * name.
 */
#ifndef COMPOSE_MODEL_H
#define COMPOSE_MODEL_H

#include "compose/compose-private.h"
#include "compose/version.h"

typedef enum compose_kind { /* the order is the merge rank */
	COMPOSE_BASE_OS = 1,
	COMPOSE_RUNTIME,
	COMPOSE_SERVICE,
	COMPOSE_SECURITY,
	COMPOSE_CONFIG
} compose_kind;
const char *compose_kind_text(compose_kind kind); /* "base-os" */

/* --- values of contract fields: types of tags --- */
typedef enum compose_type {
	COMPOSE_UINT,
	COMPOSE_SIZE,     /* bytes, "8Mi" */
	COMPOSE_DURATION, /* ns, "10s" */
	COMPOSE_BOOL,
	COMPOSE_TEXT,
	COMPOSE_ENUM,
	COMPOSE_NAME
} compose_type;
typedef struct compose_value {
	compose_type type;
	uint64_t number;  /* UINT, SIZE, DURATION, BOOL */
	const char *text; /* canonical text of any type */
} compose_value;

/* A field as a manifest writes it, before a schema gave it a type. */
typedef struct compose_given {
	const char *name;
	const codec_node *node; /* of the document */
	compose_place place;
} compose_given;

/* --- contract: the schema of what one component gives another --- */
typedef struct compose_field {
	const char *name;
	compose_type type;
	bool required;
	uint64_t minimum, maximum; /* numbers; bytes of a text */
	const char *const *words;  /* of an enum */
	size_t word_count;
	compose_place place;
} compose_field;
typedef enum compose_check_kind {
	COMPOSE_CHECK_TCP,  /* a port answers */
	COMPOSE_CHECK_HTTP, /* GET of a path answers with a status below 400 */
	COMPOSE_CHECK_UNIX,
	COMPOSE_CHECK_FILE,
	COMPOSE_CHECK_EXEC
} compose_check_kind;
typedef struct compose_check {
	compose_check_kind kind;
	const char *target;      /* "$port", "80", "/run/x.sock"; of http "$port/path" */
	const char *const *argv; /* of exec; NULL-terminated */
	int64_t within;          /* ns */
	compose_place place;
} compose_check;
typedef struct hn_contract compose_contract;
struct hn_contract {
	base_arena *arena;
	const char *file;
	const char *name; /* "service/http" */
	compose_version version;
	bool one; /* cardinality: only one provider in an image */
	const compose_field *fields;
	size_t field_count;
	const compose_check *checks;
	size_t check_count;
	compose_place place;
	compose_digest digest;
	codec_json *document;
	atomic_int references;
};

/* --- manifest --- */
/* "fields": { "max-body": ">= 8Mi" }: what a requirement asks of a field. */
typedef enum compose_relation {
	COMPOSE_EQ,
	COMPOSE_NE,
	COMPOSE_LT,
	COMPOSE_LE,
	COMPOSE_GT,
	COMPOSE_GE
} compose_relation;
typedef struct compose_demand {
	const char *field;
	compose_relation relation;
	const char *value; /* text, typed when it meets a schema */
	compose_place place;
} compose_demand;
typedef struct compose_requirement {
	const char *contract; /* or NULL when it names a component */
	const char *component;
	const compose_range *range;
	const compose_demand *demands;
	size_t demand_count;
	compose_place place;
} compose_requirement;
typedef struct compose_provision {
	const char *contract;
	compose_version version;
	const compose_given *fields;
	size_t field_count;
	compose_place place;
} compose_provision;
typedef struct compose_conflict {
	const char *component;
	const compose_range *range;
	compose_place place;
} compose_conflict;
typedef struct compose_replacement {
	const char *component;
	const char *const *paths;
	size_t path_count;
	compose_place place;
} compose_replacement;

typedef enum compose_payload_kind {
	COMPOSE_PAYLOAD_TREE,
	COMPOSE_PAYLOAD_TAR,
	COMPOSE_PAYLOAD_DEB,
	COMPOSE_PAYLOAD_OCI,
	COMPOSE_PAYLOAD_NIX,
	COMPOSE_PAYLOAD_BLOB
} compose_payload_kind;
const char *compose_payload_kind_name(compose_payload_kind kind); /* as a manifest has it */
typedef struct compose_script { /* what is decided about a maintainer script, trigger or conffile
				   list */
	const char *name;       /* "postinst" */
	compose_digest digest;
	const char *decision;
	compose_place place;
} compose_script;
typedef struct compose_payload {
	compose_payload_kind kind;
	compose_sha256 sha256;
	uint64_t size;
	const char *upstream;       /* "nginx 1.22.1-9+deb12u11 amd64"; may be NULL */
	const char *path;           /* of a blob: where it goes in the image */
	const char *role;           /* of a blob: "kernel", "file"; NULL = "file" */
	uint32_t mode;              /* of a blob */
	const char *platform;       /* of oci */
	const char *const *exclude; /* globs of paths, "**" crosses directories */
	size_t exclude_count;
	const char *const *setuid; /* paths that keep these bits, when security.setuid allows it */
	size_t setuid_count;
	const compose_script *scripts;
	size_t script_count;
	compose_place place;
} compose_payload;
typedef struct compose_user {
	const char *name;
	uint32_t uid, gid;
	const char *home, *shell; /* shell "none" = cannot log in */
	compose_place place;
} compose_user;
typedef struct compose_file { /* written by the manifest itself */
	const char *path;
	uint32_t mode, uid, gid;
	const char *text; /* of a regular file; NULL for a directory or a link */
	size_t text_size;
	const char *link; /* of a symbolic link */
	bool directory;
	compose_place place;
} compose_file;
typedef struct compose_service {
	const char *name;
	const char *const *exec; /* NULL-terminated */
	const char *const *after;
	size_t after_count;
	const char *restart; /* "always", "on-failure", "never" */
	const char *stop;    /* signal: "TERM" */
	const char *user;    /* NULL = root */
	const char *directory;
	const char *const *environment; /* "NAME=value" */
	size_t environment_count;
	compose_check ready; /* within 0 when there is none */
	compose_place place;
} compose_service;
typedef enum compose_act {
	COMPOSE_STRIP_SETUID,
	COMPOSE_REMOVE,
	COMPOSE_MODE,
	COMPOSE_SYSCTL,
	COMPOSE_CMDLINE,
	COMPOSE_MOUNT,
	COMPOSE_LOCK_ACCOUNT,
	COMPOSE_DROP_CAPS,
	COMPOSE_READONLY_ROOT
} compose_act;
typedef struct compose_hardening {
	compose_act act;
	const char *path;  /* REMOVE, MODE, MOUNT, STRIP_SETUID (NULL: all) */
	const char *name;  /* of a sysctl, an account, a service */
	const char *value; /* of a sysctl, a command-line word */
	uint32_t mode;
	const char *const *words; /* mount options, capabilities */
	size_t word_count;
	compose_place place;
} compose_hardening;
typedef struct compose_alias { /* of the base: "/lib" -> "usr/lib" */
	const char *path, *target;
} compose_alias;
typedef struct compose_setting {
	const char *key; /* of tags/keys.def; checked there */
	const codec_node *node;
	const char *text; /* canonical JSON of the value */
	compose_place place;
} compose_setting;

typedef struct hn_manifest compose_manifest;
struct hn_manifest {
	base_arena *arena;
	codec_json *document;
	atomic_int references;
	const char *file;
	const char *component;
	compose_version version;
	compose_kind kind;
	const char *const *platforms; /* empty: any */
	size_t platform_count;
	const char *summary, *license, *upstream; /* may be NULL */
	const compose_requirement *requires_;
	size_t require_count;
	const compose_provision *provides;
	size_t provide_count;
	const compose_conflict *conflicts;
	size_t conflict_count;
	const compose_replacement *replaces;
	size_t replace_count;
	const compose_payload *payloads;
	size_t payload_count;
	const compose_user *users;
	size_t user_count;
	const compose_file *files;
	size_t file_count;
	const compose_service *services;
	size_t service_count;
	const char *const *cmdline;
	size_t cmdline_count;
	const char *const *modules;
	size_t module_count;
	const compose_hardening *hardening;
	size_t hardening_count;
	const compose_alias *aliases;
	size_t alias_count;
	const char *init; /* of a base: "busybox" or "systemd"; else NULL */
	const char *const *tags;
	size_t tag_count;
	const compose_setting *settings;
	size_t setting_count;
	compose_place place;
	compose_digest digest; /* of the deterministic CBOR of the value */
};

/* --- blueprint --- */
typedef struct compose_wish { /* a component that the blueprint names, or excludes */
	const char *component;
	const compose_range *range; /* NULL: any */
	compose_place place;
} compose_wish;
typedef struct compose_preference {
	const char *contract, *component;
	compose_place place;
} compose_preference;
typedef struct hn_blueprint compose_blueprint;
struct hn_blueprint {
	base_arena *arena;
	codec_json *document;
	atomic_int references;
	const char *file;
	const char *name;
	compose_version version;
	const char *platform; /* "x86_64-linux" when it says none */
	const compose_wish *components;
	size_t component_count;
	const compose_requirement *requires_;
	size_t require_count;
	const compose_preference *prefer;
	size_t prefer_count;
	const compose_wish *exclude;
	size_t exclude_count;
	const char *image_root;        /* "auto", "initramfs", "squashfs", "ext4" */
	const char *image_compression; /* "zstd:15" */
	const char *const *tags;
	size_t tag_count;
	const compose_setting *settings;
	size_t setting_count;
	compose_place place;
	compose_digest digest;
};

/* Strict: an unknown field is HN_ESCHEMA with the nearest name. The first is borrowed by nobody:
 * bytes are copied. The result has one reference. */
int compose_contract_parse(const char *file, const void *bytes, size_t size,
	compose_contract **contract, hn_error **err);
compose_contract *compose_contract_ref(compose_contract *contract);
compose_contract *compose_contract_unref(compose_contract *contract);
int compose_manifest_parse(const char *file, const void *bytes, size_t size,
	compose_manifest **manifest, hn_error **err);
compose_manifest *compose_manifest_ref(compose_manifest *manifest);
compose_manifest *compose_manifest_unref(compose_manifest *manifest);
int compose_blueprint_parse(const char *file, const void *bytes, size_t size,
	compose_blueprint **blueprint, hn_error **err);
compose_blueprint *compose_blueprint_ref(compose_blueprint *blueprint);
compose_blueprint *compose_blueprint_unref(compose_blueprint *blueprint);
BASE_AUTO(compose_contract, compose_contract_unref)
BASE_AUTO(compose_manifest, compose_manifest_unref)
BASE_AUTO(compose_blueprint, compose_blueprint_unref)

/* What a manifest provides or requires, against the schema: types, units, unknown or missing field.
 * HN_ECONTRACT with the place. */
int compose_contract_check_provision(
	const compose_contract *contract, const compose_provision *provision, hn_error **err);
int compose_contract_check_requirement(
	const compose_contract *contract, const compose_requirement *requirement, hn_error **err);
/* Whether the fields of a provision answer the demands; the first that does not is said in `why`,
 * for an explanation: "max-body is 4Mi, >= 8Mi is asked". */
bool compose_contract_fits(const compose_contract *contract, const compose_provision *provision,
	const compose_requirement *requirement, base_buf *why);
/* A check with "$field" replaced by what the provision says. In `arena`. */
int compose_contract_check_target(const compose_contract *contract,
	const compose_provision *provision, const compose_check *check, base_arena *arena,
	const char **target, hn_error **err);

#endif
