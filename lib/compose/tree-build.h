/* SPDX-License-Identifier: MIT
 *
 * Between the files that make a tree: nodes in the order in which they came, and what is made
 * of all manifests together.
 */
#ifndef COMPOSE_TREE_BUILD_H
#define COMPOSE_TREE_BUILD_H

#include "compose/tree.h"

enum { TREE_HOPS = 40, TREE_PATH = 1024, TREE_EXEC = 0111, TREE_SETID = 06000 };
/* Where the guest's own scripts look for what is made here. */
#define TREE_HOME "/lib/hypernix"

/* A service with what other manifests say of it. */
typedef struct tree_service {
	const compose_service *service;
	uint32_t owner;
	base_names drop; /* capabilities: "CAP_NET_RAW" */
} tree_service;

/* What is being done, for who asks why a path is as it is. */
typedef struct tree_doing {
	const char *decision;           /* when something is added where nothing was */
	const compose_payload *payload; /* NULL: in none */
	const char *written;            /* NULL: as it is in the image */
	uint32_t by;                    /* who changes or removes */
} tree_doing;

typedef struct tree_build {
	compose_store *store;
	compose_trace *trace; /* NULL: nobody asks */
	tree_doing doing;
	const compose_part *parts;
	size_t part_count;
	uint64_t
		name_bytes; /* of the paths of all nodes, also of directories that no layer names */
	bool has_base;
	uint32_t base; /* index of the base; 0 when there is none */
	bool allow_setuid;
	base_arena *arena;   /* becomes the tree's */
	compose_node *nodes; /* a type of 0: removed */
	size_t count, capacity;
	uint32_t groups; /* of hard links, given so far */
	base_map *index; /* path -> number of its node + 1 */
	base_names remarks, cmdline;
	tree_service *services; /* in order of `after` */
	size_t service_count;
	base_map **replaces; /* of each part, made when first asked; NULL: none was */
	hn_cancel *cancel;   /* may be NULL */
} tree_build;
/* HN_ECANCELLED. */
int tree_live(const tree_build *build, hn_error **err);
void tree_replaces_free(tree_build *build);

/* Adds an entry of a component by the rules of a merge; texts are copied, aliases are not applied.
 */
int tree_add(tree_build *build, uint32_t owner, const compose_entry *entry, uint32_t group,
	hn_error **err);
compose_node *tree_at(const tree_build *build, const char *path); /* NULL when absent */
/* A step at the path of an entry, when that is the one asked about. */
void tree_note(tree_build *build, const char *decision, uint32_t owner, uint32_t other,
	const compose_entry *entry);
void tree_drop(tree_build *build, compose_node *node);
/* The path that the aliases of the base lead to; in the arena. HN_EENTRY, HN_ELIMIT. */
int tree_alias(tree_build *build, const char *path, const char **out, hn_error **err);
int tree_alias_entry(tree_build *build, compose_entry_type type, const char *path, const char **out,
	hn_error **err);
int tree_alias_links(tree_build *build, hn_error **err);
/* Made files: whatever is there already is HN_ECONFLICT. Aliases are applied. */
int tree_make_file(tree_build *build, uint32_t owner, const char *path, uint32_t mode,
	const char *text, size_t size, hn_error **err);
int tree_make_buf(tree_build *build, uint32_t owner, const char *path, uint32_t mode,
	const base_buf *text, hn_error **err);
int tree_make_link(
	tree_build *build, uint32_t owner, const char *path, const char *target, hn_error **err);
int tree_remark(tree_build *build, hn_error **err, const char *format, ...) BASE_PRINTF(3, 4);
const char *tree_component(const tree_build *build, uint32_t owner);

/* The steps, in their order. */
int tree_accounts(tree_build *build, hn_error **err);
/* The words of one component for the kernel's command line, those of hardening last. */
int tree_cmdline(tree_build *build, uint32_t owner, hn_error **err);
int tree_harden_remove(tree_build *build, hn_error **err);
int tree_harden_make(tree_build *build, hn_error **err);
int tree_harden_modes(tree_build *build, hn_error **err);
bool tree_account_locked(tree_build *build, const char *name);
int tree_services(tree_build *build, hn_error **err);
int tree_modules(tree_build *build, hn_error **err);
int tree_finish(tree_build *build, compose_tree **tree, hn_error **err);
void tree_services_free(tree_build *build);

/* Of base-passwd's fixed ids; NULL when it has none. */
const char *tree_fixed_name(uint32_t id, bool group);
int tree_kernel(tree_build *build, compose_tree *tree, hn_error **err);
/* Whether a declared user, or one of base-passwd, has this name. */
bool tree_user_known(const compose_part *parts, size_t count, const char *name);

/* --- what the init of the base needs for services --- */
typedef struct tree_init_ops {
	const char *name; /* "busybox" */
	int (*service)(tree_build *build, const tree_service *service, hn_error **err);
	int (*all)(tree_build *build, hn_error **err); /* after the last service */
	int (*mount)(tree_build *build, uint32_t owner, const char *path, const char *options,
		hn_error **err); /* NULL: the scripts of the base read TREE_HOME/mounts */
} tree_init_ops;
const tree_init_ops *tree_init(const tree_build *build); /* NULL when the base has none */
extern const tree_init_ops tree_init_busybox, tree_init_systemd;
/* 'text' for a shell. */
void tree_quote(base_buf *out, const char *text);
/* "tcp '80'": a check as words for the guest's probe. `target` is resolved. */
void tree_probe(base_buf *out, const compose_check *check, const char *target);
/* Text that becomes a line of a file: no control bytes. */
bool tree_plain(const char *text);

/* --- walking a whole tree as the guest's kernel would --- */
typedef enum tree_step {
	TREE_FOUND,
	TREE_DANGLING,
	TREE_OUTSIDE, /* ".." above the root */
	TREE_LOOP     /* more than 40 links */
} tree_step;
/* The last link is followed too. `node` is set when found. */
tree_step tree_walk(const compose_tree *tree, const char *path, const compose_node **node);
/* The same, telling of each node that is come by: directories, links, what is found. */
tree_step tree_walk_by(const compose_tree *tree, const char *path, const compose_node **node,
	void (*by)(void *arg, const compose_node *node), void *arg);

/* --- kernel modules --- */
/* "virtio_blk" of "/lib/modules/6.1/kernel/drivers/block/virtio-blk.ko"; false when the path is no
 * module. */
bool tree_module_name(const char *path, char name[64]);
/* Calls `each` with every name of `depends=`, normalised. HN_EENTRY when it is no module. */
int tree_module_depends(compose_store *store, const compose_entry *entry,
	int (*each)(void *arg, const char *name, hn_error **err), void *arg, hn_error **err);
/* modules.builtin of a kernel; a file of that name elsewhere says nothing. */
bool tree_module_is_builtin_list(const char *path);
/* Adds the names of `modules.builtin` (a list of paths) to a set. */
int tree_module_builtin(
	compose_store *store, const compose_entry *entry, base_map *set, hn_error **err);

#endif
