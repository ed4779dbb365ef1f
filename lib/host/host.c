/* SPDX-License-Identifier: MIT
 *
 * Opening a host: options, state directory, database, event log; the machine follows on first use.
 */
#include "host/rights.h"

#include <ctype.h>
#include <sys/utsname.h>

#define STATE_DIRECTORY "/var/lib/hypernix"
#define MACHINE_DIRECTORY "m"
#define LOCK_FILE "lock"

int host_options_check(const void *options, size_t known, const char *what, hn_error **err)
{
	const uint8_t *bytes = options;
	uint32_t size;

	if (!options)
		return 0;
	memcpy(&size, options, sizeof(size));
	if (size < sizeof(size))
		return base_error(err, HN_EINVAL, HOST_ROOM, "start from the _INIT macro",
			"%s has no size", what);
	for (size_t i = known; i < size; i++)
		if (bytes[i] != 0)
			return base_error(err, HN_ENEWER, HOST_ROOM,
				"update the library, or leave the field zero",
				"%s sets a field that this library does not know", what);
	return 0;
}

/* A size that is smaller than ours comes from an older caller: what it lacks stays zero. */
void host_options_copy(void *to, const void *options, size_t known)
{
	uint32_t size = 0;

	memset(to, 0, known);
	if (!options)
		return;
	memcpy(&size, options, sizeof(size));
	memcpy(to, options, size < known ? size : known);
}

static bool keep_text(char **to, const char *text)
{
	*to = text ? base_strdup(text) : NULL;
	return !text || *to;
}

static int keep_root(hn_host *host, const char *root)
{
	base_buf path = {0};

	if (root)
		return keep_text(&host->root, root) ? 0 : HN_ENOMEM;
	base_buf_format(&path, "%s/%s", host->state_dir, MACHINE_DIRECTORY);
	host->root = base_buf_take(&path);
	return host->root ? 0 : HN_ENOMEM;
}

static int keep_options(hn_host *host, const hn_host_options *options, hn_error **err)
{
	const char *state = options->state ? options->state : STATE_DIRECTORY;

	if (state[0] != '/')
		return base_error(err, HN_EINVAL, HOST_ROOM, "give an absolute path",
			"state directory \"%s\" is not absolute", state);
	if (options->root && options->root[0] != '/')
		return base_error(err, HN_EINVAL, HOST_ROOM, "give an absolute path",
			"machine root \"%s\" is not absolute", options->root);
	host->os = options->os ? options->os : hn_os_real();
	host->lock_wait = options->lock_wait;
	host->cancel = hn_cancel_ref(options->cancel);
	host->dry = options->dry;
	host->read_only = options->read_only || options->dry;
	if (!keep_text(&host->state_dir, state) || !keep_text(&host->uri, options->uri) ||
		!keep_text(&host->accelerator, options->accelerator) ||
		!keep_text(&host->program, options->program ? options->program : "libhypernix") ||
		!keep_text(&host->calibration, options->calibration) ||
		!keep_text(&host->signer_path, options->signer) ||
		keep_root(host, options->root) < 0)
		return base_nomem(err);
	return 0;
}

/* The machine's own name, made fit for a name; formulas and audit records show it. */
static void name_node(hn_host *host)
{
	struct utsname names;
	size_t used = 0;

	if (uname(&names) == 0)
		for (const char *c = names.nodename; *c && *c != '.' && used < 63; c++)
			if (isalnum((unsigned char)*c) || *c == '-')
				host->node[used++] = (char)tolower((unsigned char)*c);
	host->node[used] = '\0';
	if (used == 0)
		(void)strcpy(host->node, "localhost");
}

static int open_all(hn_host *host, const hn_host_options *options, hn_error **err)
{
	int rc = keep_options(host, options, err);

	if (rc < 0)
		return rc;
	name_node(host);
	rc = crypto_open(err);
	if (rc < 0)
		return rc;
	rc = host_store_open(host, err);
	if (rc >= 0)
		rc = host_audit_open(host, err);
	if (rc >= 0)
		host_audit_recover(host);
	return rc;
}

int hn_host_open(const hn_host_options *options, hn_host **host, hn_error **err)
{
	BASE_AUTO_OF(hn_host) hn_host *made = NULL;
	hn_host_options known;
	int rc = host_options_check(options, sizeof(known), "hn_host_options", err);

	if (rc < 0)
		return rc;
	if (!host)
		return base_error(
			err, HN_EINVAL, HOST_ROOM, NULL, "no place to put the host handle");
	host_options_copy(&known, options, sizeof(known));
	made = base_calloc(1, sizeof(*made));
	if (!made)
		return base_nomem(err);
	atomic_init(&made->references, 1);
	rc = open_all(made, &known, err);
	if (rc < 0)
		return rc;
	*host = BASE_STEAL(made);
	return 0;
}

hn_host *hn_host_ref(hn_host *host)
{
	if (host)
		atomic_fetch_add_explicit(&host->references, 1, memory_order_relaxed);
	return host;
}

static void close_all(hn_host *host)
{
	host_audit_end(host);
	crypto_signer_free(host->signer);
	host_rights_free(host->rights);
	hn_resolver_free(host->resolver);
	hn_catalog_unref(host->catalog);
	machine_close(host->machine);
	os_lock_release(host->lock);
	events_close(host->events);
	hn_cancel_unref(host->cancel);
	caps_audit_close(host->audit);
	state_close(host->store);
	base_free(host->cpu);
	base_free(host->state_dir);
	base_free(host->root);
	base_free(host->uri);
	base_free(host->accelerator);
	base_free(host->program);
	base_free(host->calibration);
	base_free(host->signer_path);
	base_free(host->path);
	base_free(host);
}

hn_host *hn_host_unref(hn_host *host)
{
	if (host && atomic_fetch_sub_explicit(&host->references, 1, memory_order_acq_rel) == 1)
		close_all(host);
	return NULL;
}

/* Two processes must not act on one host at a time, whatever the driver: our lock comes before the
 * machine's own. */
static int take_lock(hn_host *host, int64_t wait, hn_error **err)
{
	base_buf path = {0};
	BASE_AUTO_FREE char *file = NULL;

	if (host->lock)
		return 0;
	base_buf_format(&path, "%s/%s", host->state_dir, LOCK_FILE);
	file = base_buf_take(&path);
	if (!file)
		return base_nomem(err);
	return os_lock_take(host->os, file, host->program, wait, host->cancel, &host->lock, err);
}

typedef struct uuid_list {
	char (*uuids)[37];
	const char **items;
	size_t count, capacity;
} uuid_list;

static void free_uuids(uuid_list *list)
{
	base_free(list->uuids);
	base_free(list->items);
}

static int load_uuids(hn_host *host, uuid_list *list, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, "SELECT uuid FROM unit", &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		if (base_grow(&list->uuids, &list->capacity, list->count + 1,
			    sizeof(*list->uuids)) < 0) {
			rc = base_nomem(err);
			break;
		}
		(void)snprintf(list->uuids[list->count++], sizeof(*list->uuids), "%s",
			state_text(query, 0));
	}
	state_done(query);
	if (rc < 0)
		return rc;
	list->items = base_calloc(list->count + 1, sizeof(*list->items));
	for (size_t i = 0; list->items && i < list->count; i++)
		list->items[i] = list->uuids[i];
	return list->items ? 0 : base_nomem(err);
}

/* machine.md section 8: groups of units that are down, sockets and logs of units that nobody knows
 * any more. Domains stay: those without a unit are for the plan to list and the apply to remove.
 * What cannot be swept now is in nobody's way; the next owner tries again. */
static void sweep_leftovers(hn_host *host)
{
	__attribute__((cleanup(free_uuids))) uuid_list known = {0};
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc = load_uuids(host, &known, &why);

	if (rc >= 0)
		rc = machine_sweep(host->machine, known.items, known.count, false, &why);
	if (rc < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "leftovers of lost domains stay: %s",
			hn_error_message(why));
	else if (rc > 0)
		base_log(HN_LOG_INFO, HOST_ROOM, "%d leftovers of lost domains are removed", rc);
}

static int open_machine(hn_host *host, int64_t wait, hn_error **err)
{
	machine_options options = {
		.uri = host->uri,
		.root = host->root,
		.accelerator = host->accelerator,
		.program = host->program,
		.lock_wait = wait,
		.cancel = host->cancel,
	};
	int rc;

	if (host->read_only && !host->dry)
		return base_error(err, HN_EDENIED, HOST_ROOM, "open it without read_only",
			"the host was opened read-only: its machine is not touched");
	rc = take_lock(host, wait, err);
	if (rc < 0)
		return rc;
	rc = machine_open(host->os, &options, &host->machine, err);
	if (rc < 0) {
		os_lock_release(host->lock);
		host->lock = NULL;
		return rc;
	}
	if (!host->dry)
		sweep_leftovers(host);
	host_audit_recover(host);
	return 0;
}

int host_machine(hn_host *host, machine **out, hn_error **err)
{
	int rc = host->machine ? 0 : open_machine(host, host->lock_wait, err);

	if (rc < 0)
		return rc;
	*out = host->machine;
	return 0;
}

/* A dry host makes nothing: where there is no machine root yet, there are no guests either. */
static bool can_look(const hn_host *host)
{
	return host->dry && os_exists(host->os, host->path) && os_exists(host->os, host->root);
}

int host_machine_try(hn_host *host, machine **out, hn_error **err)
{
	int rc;

	if (host->read_only && !can_look(host))
		return 0;
	if (host->machine) {
		*out = host->machine;
		return 1;
	}
	rc = open_machine(host, 0, err);
	if (rc < 0)
		return base_error_forgive(err, rc, HN_EBUSY);
	*out = host->machine;
	return 1;
}
