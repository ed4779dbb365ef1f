/* SPDX-License-Identifier: MIT
 *
 * Why a path of an image is as it is: the merge, asked what it does there.
 */
#include "compose/build-private.h"

typedef struct question {
	const build *job;
	hn_path_step_fn each;
	void *arg;
} question;

static void tell(const question *what, const compose_step *step)
{
	const compose_entry *entry = &step->entry;
	char name[2 * CRYPTO_DIGEST + 1];
	hn_path_step said = {.decision = step->decision,
		.component = what->job->manifests[step->owner]->component,
		.other = step->other != step->owner || strcmp(step->decision, "agrees") == 0
				 ? what->job->manifests[step->other]->component
				 : "",
		.payload = step->payload != NULL ? compose_payload_called(step->payload, name) : "",
		.written = step->written,
		.path = entry->path,
		.type = compose_type_name(entry->type),
		.target = entry->target != NULL ? entry->target : "",
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid};

	if (entry->type == COMPOSE_ENTRY_FILE) {
		said.bytes = entry->size;
		compose_digest_print(&entry->content, said.digest);
	}
	what->each(what->arg, &said);
}

static int ask(build *job, compose_trace *trace, hn_error **err)
{
	int rc = build_begin(job, err);

	if (rc == 0)
		rc = build_layers(job, err);
	if (rc == 0)
		rc = compose_tree_trace(job->store, job->parts, job->lock->count,
			job->options->allow_setuid, job->image.cancel, trace, &job->tree, err);
	if (rc == 0 && trace->failed)
		rc = base_nomem(err);
	if (rc == 0 && trace->count == 0)
		rc = base_error(err, HN_ENOENT, COMPOSE_ROOM,
			"hv-compose show COMPONENT --files lists what one brings",
			"no component of %s has anything at %s", job->lock->blueprint,
			trace->asked);
	return rc;
}

int compose_path_why(compose_store *store, const compose_registry *registry,
	const compose_lock *lock, const char *path, const compose_build_options *options,
	hn_path_step_fn each, void *arg, hn_error **err)
{
	BUILD_AUTO build job = {
		.store = store, .registry = registry, .lock = lock, .options = options};
	COMPOSE_AUTO_TRACE compose_trace trace = {.asked = path};
	const question what = {&job, each, arg};
	int rc = ask(&job, &trace, err);

	for (size_t i = 0; rc == 0 && i < trace.count; i++)
		tell(&what, &trace.steps[i]);
	return rc < 0 ? rc : (int)trace.count;
}
