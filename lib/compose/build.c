/* SPDX-License-Identifier: MIT
 *
 * From a lock to an image in the store.
 */
#include "compose/build-private.h"

/* A tree up to this size is unpacked into memory as a whole; a larger one is read from a disk. */
#define INITRAMFS_MOST (UINT64_C(32) << 20)

enum { BUILDER = 2 };

/* --- what decides the bytes --- */

static const compose_contract *schema_of(const build *job, const compose_provision *provision)
{
	return compose_registry_contract(job->registry, provision->contract, &provision->version);
}

static void put_manifest(codec_cbor_out *out, const build *job, const compose_manifest *manifest)
{
	codec_cbor_put_array(out, 2);
	codec_cbor_put_bytes(out, manifest->digest.bytes, sizeof(manifest->digest.bytes));
	codec_cbor_put_array(out, manifest->provide_count);
	for (size_t i = 0; i < manifest->provide_count; i++) {
		const compose_contract *contract = schema_of(job, &manifest->provides[i]);

		if (contract != NULL)
			codec_cbor_put_bytes(
				out, contract->digest.bytes, sizeof(contract->digest.bytes));
		else
			codec_cbor_put_null(out);
	}
}

/* Of all writers: which of them writes is known only when the tree is. */
static void put_builders(codec_cbor_out *out, const build *job)
{
	base_buf text = {0};

	for (size_t i = 0; compose_writer_at(i) != NULL; i++) {
		compose_writer_at(i)->fingerprint(&job->image, &text);
		base_buf_text(&text, "; ");
	}
	codec_cbor_put_text(out, text.data != NULL ? text.data : "", text.size);
	out->buf.failed |= text.failed;
	base_buf_free(&text);
}

int build_key(build *job, hn_error **err)
{
	const char *parser = job->options->parser_key != NULL ? job->options->parser_key : "";
	codec_cbor_out out = {0};
	int rc = 0;

	codec_cbor_put_array(&out, 8);
	codec_cbor_put_text(&out, parser, strlen(parser));
	codec_cbor_put_uint(&out, BUILDER);
	codec_cbor_put_uint(&out, COMPOSE_READER);
	codec_cbor_put_uint(&out, job->lock->epoch);
	codec_cbor_put_text(&out, job->options->root, strlen(job->options->root));
	codec_cbor_put_bool(&out, job->options->allow_setuid);
	put_builders(&out, job);
	codec_cbor_put_array(&out, job->lock->count);
	for (size_t i = 0; i < job->lock->count; i++)
		put_manifest(&out, job, job->manifests[i]);
	if (out.buf.failed)
		rc = base_nomem(err);
	else
		crypto_blake2b(out.buf.data, out.buf.size, job->key.bytes);
	base_buf_free(&out.buf);
	return rc;
}

/* --- what was built before --- */

static bool is_whole(const build *job, const compose_artifact *artifact)
{
	return compose_digest_equal(&artifact->key, &job->key) &&
	       compose_store_verify(job->store, &artifact->image, NULL) >= 0 &&
	       compose_store_verify(job->store, &artifact->initrd, NULL) >= 0 &&
	       (!artifact->has_kernel ||
		       compose_store_verify(job->store, &artifact->kernel, NULL) >= 0);
}

/* A record that was changed, or whose bodies are gone, is none: it is built again. */
static int recall(build *job, compose_artifact **artifact, hn_error **err)
{
	BASE_AUTO_OF(compose_artifact) compose_artifact *read = NULL;
	int rc = compose_artifact_recall(job->store, &job->key, &read, err);

	if (rc == HN_ENOENT || rc == HN_EDIGEST || rc == HN_ECORRUPT || rc == HN_ECBOR ||
		rc == HN_ENEWER || rc == HN_ELIMIT)
		return base_error_forgive(err, rc, (hn_code)rc);
	if (rc == 0 && is_whole(job, read))
		*artifact = BASE_STEAL(read);
	return rc;
}

/* --- payloads become layers --- */

static void tell(const build *job, uint64_t done)
{
	if (job->image.progress != NULL)
		job->image.progress(job->image.progress_arg, done, job->layer_count, "payloads",
			"reading payloads");
}

int build_live(const build *job, hn_error **err)
{
	if (job->image.cancel != NULL && hn_cancel_triggered(job->image.cancel))
		return base_error(
			err, HN_ECANCELLED, COMPOSE_ROOM, NULL, "the build was cancelled");
	return job->options->permit == NULL ? 0 : base_permit_live(job->options->permit, err);
}

const compose_manifest *build_base(const build *job)
{
	for (size_t i = 0; i < job->lock->count; i++)
		if (job->manifests[i]->kind == COMPOSE_BASE_OS)
			return job->manifests[i];
	return NULL;
}

static int read_payload(build *job, const compose_manifest *manifest,
	const compose_payload *payload, size_t index, hn_error **err)
{
	compose_reading how = {.payload = payload,
		.parser_key = job->options->parser_key,
		.cancel = job->image.cancel};
	bool cached = false;
	int rc;

	tell(job, index);
	rc = compose_component_layer(job->store, job->options->parser, manifest, build_base(job),
		&how, &job->layers[index], &cached, err);
	if (rc < 0)
		return rc;
	job->counts.layers_cached += cached;
	job->counts.layers_read += !cached;
	return 0;
}

static int read_payloads(build *job, hn_error **err)
{
	compose_load load = {0};
	size_t index = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < job->lock->count; i++) {
		const compose_manifest *manifest = job->manifests[i];

		for (size_t j = 0; rc == 0 && j < manifest->payload_count; j++, index++) {
			rc = build_live(job, err);
			if (rc == 0)
				rc = read_payload(
					job, manifest, &manifest->payloads[j], index, err);
			if (rc == 0)
				rc = compose_load_add(&load, manifest, job->layers[index], err);
		}
	}
	return rc;
}

/* --- layers become a tree --- */

static int make_parts(build *job, hn_error **err)
{
	size_t count = job->lock->count, layer = 0;

	for (size_t i = 0; i < count; i++)
		job->layer_count += job->manifests[i]->payload_count;
	job->parts = base_arena_alloc(job->arena, (count + 1) * sizeof(*job->parts));
	job->layers = base_arena_alloc(job->arena, (job->layer_count + 1) * sizeof(*job->layers));
	if (job->parts == NULL || job->layers == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < count; i++) {
		const compose_manifest *manifest = job->manifests[i];
		const compose_contract **contracts = base_arena_alloc(
			job->arena, (manifest->provide_count + 1) * sizeof(*contracts));

		if (contracts == NULL)
			return base_nomem(err);
		for (size_t j = 0; j < manifest->provide_count; j++)
			contracts[j] = schema_of(job, &manifest->provides[j]);
		job->parts[i] = (compose_part){.manifest = manifest,
			.layers = (const compose_layer *const *)&job->layers[layer],
			.contracts = contracts};
		layer += manifest->payload_count;
	}
	return 0;
}

static int check_tree(const build *job, const compose_digest *tree, hn_error **err)
{
	static const compose_digest none;
	char is[COMPOSE_DIGEST_TEXT], should[COMPOSE_DIGEST_TEXT];

	if (compose_digest_equal(&job->lock->tree, &none) ||
		compose_digest_equal(&job->lock->tree, tree))
		return 0;
	compose_digest_print(tree, is);
	compose_digest_print(&job->lock->tree, should);
	return base_error(err, HN_EDIGEST, COMPOSE_ROOM,
		"another version of hypernix made that lock, or a contract was changed without a "
		"new version",
		"the tree of %s is %s, its lock says %s", job->lock->blueprint, is, should);
}

static int make_tree(build *job, hn_error **err)
{
	size_t count = job->lock->count;
	int rc = compose_tree_merge(job->store, job->parts, count, job->options->allow_setuid,
		job->image.cancel, &job->tree, err);

	if (rc == 0)
		rc = compose_tree_check(
			job->store, job->tree, job->parts, count, job->image.cancel, err);
	if (rc == 0)
		rc = compose_tree_digest(job->tree, job->lock->epoch, &job->digest, err);
	return rc < 0 ? rc : check_tree(job, &job->digest, err);
}

/* --- the tree becomes an image --- */

/* What is written: all but the kernel, which is handed to the hypervisor beside the image and would
 * only take room in it. One that has other names stays: they are one file. */
static int leave_kernel(build *job, hn_error **err)
{
	const compose_tree *whole = job->tree;
	const compose_node *kernel = whole->kernel;

	job->written = *whole;
	if (kernel == NULL || kernel->group != 0)
		return 0;
	job->written.nodes = base_arena_alloc(job->arena, whole->count * sizeof(*whole->nodes));
	if (job->written.nodes == NULL)
		return base_nomem(err);
	job->written.count = 0;
	for (size_t i = 0; i < whole->count; i++)
		if (&whole->nodes[i] != kernel)
			job->written.nodes[job->written.count++] = whole->nodes[i];
	return 0;
}

static uint64_t tree_bytes(const compose_tree *tree)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].entry.type == COMPOSE_ENTRY_FILE)
			bytes += tree->nodes[i].entry.size;
	return bytes;
}

static const compose_writer_ops *choose_writer(const build *job, hn_error **err)
{
	const char *root = job->options->root;
	const compose_writer_ops *writer = NULL;

	if (strcmp(root, "auto") != 0)
		writer = compose_writer_find(root);
	else if (tree_bytes(&job->written) > INITRAMFS_MOST)
		writer = compose_writer_find("squashfs");
	if (writer == NULL && strcmp(root, "auto") == 0)
		writer = &compose_writer_initramfs;
	if (writer == NULL)
		base_error(err, HN_ENOSUP, COMPOSE_ROOM, "\"root\": \"initramfs\"",
			"this build of hypernix writes no images of kind %s", root);
	return writer;
}

typedef struct written {
	build *job;
	const compose_writer_ops *writer;
	const compose_tree *tree;
} written;

static int write_image(void *arg, int fd, hn_error **err)
{
	written *at = arg;
	compose_image_counts *all = &at->job->counts.image, one = {0};
	int rc = at->writer->write(at->job->store, at->tree, &at->job->image, fd, &one, err);

	all->segments_made += one.segments_made;
	all->segments_reused += one.segments_reused;
	all->blocks_made += one.blocks_made;
	all->blocks_reused += one.blocks_reused;
	all->bytes += one.bytes;
	return rc;
}

/* An image that is no initramfs is a disk, which the kernel cannot find by itself. */
static int make_initrd(written *image, compose_artifact *made, hn_error **err)
{
	BASE_AUTO_OF(compose_tree) compose_tree *early = NULL;
	build *job = image->job;
	written at = {.job = job, .writer = &compose_writer_initramfs};
	int rc;

	made->initrd = made->image;
	made->initrd_size = made->image_size;
	if (image->writer == at.writer || !made->has_kernel)
		return 0; /* nothing boots from an image without a kernel */
	rc = compose_tree_early(job->store, job->tree, &early, err);
	if (rc < 0)
		return base_error_wrap(err, (hn_code)rc, COMPOSE_ROOM,
			"units cannot boot from %s as an image of kind %s", job->lock->blueprint,
			image->writer->name);
	at.tree = early;
	return compose_store_write(
		job->store, write_image, &at, &made->initrd, &made->initrd_size, err);
}

static int copy_words(compose_artifact *to, const compose_tree *tree, hn_error **err)
{
	const char **words =
		base_arena_alloc(to->arena, (tree->cmdline_count + 1) * sizeof(*words));

	if (words == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < tree->cmdline_count; i++) {
		words[i] =
			base_arena_strndup(to->arena, tree->cmdline[i], strlen(tree->cmdline[i]));
		if (words[i] == NULL)
			return base_nomem(err);
	}
	to->cmdline = words;
	to->cmdline_count = tree->cmdline_count;
	return 0;
}

static int fill_builder(
	compose_artifact *to, const build *job, const compose_writer_ops *writer, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};

	writer->fingerprint(&job->image, &text);
	if (text.failed || text.data == NULL)
		return base_nomem(err);
	to->builder = base_arena_strndup(to->arena, text.data, text.size);
	to->writer = base_arena_strndup(to->arena, writer->name, strlen(writer->name));
	return to->builder == NULL || to->writer == NULL ? base_nomem(err) : 0;
}

static int make_image(build *job, compose_artifact **artifact, hn_error **err)
{
	BASE_AUTO_OF(compose_artifact) compose_artifact *made = base_calloc(1, sizeof(*made));
	written at = {.job = job, .tree = &job->written};
	const compose_node *kernel = job->tree->kernel;
	int rc = leave_kernel(job, err);

	if (rc < 0)
		return rc;
	at.writer = choose_writer(job, err);
	if (at.writer == NULL)
		return HN_ENOSUP;
	if (made == NULL || (made->arena = base_arena_new()) == NULL)
		return base_nomem(err);
	made->key = job->key;
	made->tree = job->digest;
	made->has_kernel = kernel != NULL;
	if (kernel != NULL) {
		made->kernel = kernel->entry.content;
		made->kernel_size = kernel->entry.size;
	}
	rc = copy_words(made, job->tree, err);
	if (rc == 0)
		rc = fill_builder(made, job, at.writer, err);
	if (rc == 0)
		rc = compose_store_write(
			job->store, write_image, &at, &made->image, &made->image_size, err);
	if (rc == 0)
		rc = make_initrd(&at, made, err);
	if (rc == 0)
		rc = compose_artifact_keep(job->store, made, err);
	if (rc == 0)
		*artifact = BASE_STEAL(made);
	return rc;
}

/* --- all of it --- */

int build_begin(build *job, hn_error **err)
{
	int rc;

	job->image = job->options->image;
	job->image.epoch = job->lock->epoch;
	job->arena = base_arena_new();
	if (job->arena == NULL)
		return base_nomem(err);
	job->manifests =
		base_arena_alloc(job->arena, (job->lock->count + 1) * sizeof(*job->manifests));
	if (job->manifests == NULL)
		return base_nomem(err);
	rc = compose_merge_order(job->lock, job->registry, job->manifests, err);
	return rc < 0 ? rc : build_key(job, err);
}

int build_layers(build *job, hn_error **err)
{
	int rc = make_parts(job, err);

	return rc < 0 ? rc : read_payloads(job, err);
}

static int make_all(build *job, compose_artifact **artifact, hn_error **err)
{
	int rc = build_layers(job, err);

	if (rc == 0)
		rc = make_tree(job, err);
	return rc < 0 ? rc : make_image(job, artifact, err);
}

void build_end(build *job)
{
	compose_tree_free(job->tree);
	for (size_t i = 0; job->layers != NULL && i < job->layer_count; i++)
		compose_layer_free(job->layers[i]);
	base_arena_free(job->arena);
}

int compose_build(compose_store *store, const compose_registry *registry, const compose_lock *lock,
	const compose_build_options *options, compose_artifact **artifact,
	compose_build_counts *counts, hn_error **err)
{
	build job = {.store = store, .registry = registry, .lock = lock, .options = options};
	BASE_AUTO_OF(compose_artifact) compose_artifact *made = NULL;
	int rc = build_begin(&job, err);

	if (rc == 0 && !options->anew)
		rc = recall(&job, &made, err);
	if (rc == 0 && made != NULL)
		rc = check_tree(&job, &made->tree, err);
	job.counts.reused = made != NULL;
	if (rc == 0 && made == NULL)
		rc = make_all(&job, &made, err);
	build_end(&job);
	if (rc < 0)
		return rc;
	*artifact = BASE_STEAL(made);
	if (counts != NULL)
		*counts = job.counts;
	return 0;
}
