/* SPDX-License-Identifier: MIT
 *
 * Writes an audit log as files for main.go, in DIRECTORY: COUNT records, every proof in `proofs`,
 * the key in `key`.
 */
#include "caps/audit.h"
#include "caps/signer.h"

#include <stdio.h>
#include <stdlib.h>

static int append(caps_audit *audit, int count, hn_error **err)
{
	int rc = 0;

	for (int i = 0; rc >= 0 && i < count; i++) {
		char object[32];
		caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW,
			.verb = i % HN_VERB_COUNT,
			.subject = "local/uid/0",
			.object = object};

		(void)snprintf(object, sizeof(object), "unit/u%d", i);
		rc = caps_audit_append(audit, &entry, NULL, err);
	}
	return rc;
}

static int write_text(const char *directory, const char *name, const base_buf *text, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_format(&path, "%s/%s", directory, name);
	return path.failed
		       ? base_nomem(err)
		       : os_write_file(hn_os_real(), path.data, text->data, text->size, 0644, err);
}

static int write_proofs(caps_audit *audit, const char *directory, hn_error **err)
{
	uint64_t size = 0;
	int rc = caps_audit_size(audit, &size, err);

	for (uint64_t i = 0; rc >= 0 && i < size; i += 1 + i / 7) {
		BASE_AUTO_BUF base_buf proof = {0};
		char name[64];

		(void)snprintf(name, sizeof(name), "%llu.tlog-proof", (unsigned long long)i);
		rc = caps_audit_prove(audit, i, &proof, err);
		if (rc >= 0)
			rc = write_text(directory, name, &proof, err);
	}
	return rc;
}

static int write_key(crypto_signer *signer, const char *directory, hn_error **err)
{
	BASE_AUTO_BUF base_buf key = {0};
	crypto_signer_status status;
	int rc = signer->ops->status(signer, &status, err);

	if (rc < 0)
		return rc;
	caps_audit_key_text(status.origin, status.key[CRYPTO_ROLE_AUDIT].public_key, &key);
	return write_text(directory, "key", &key, err);
}

static int run(const char *directory, int count, hn_error **err)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;
	BASE_AUTO_OF(caps_audit) caps_audit *audit = NULL;
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	BASE_AUTO_BUF base_buf keys = {0};
	caps_signer_options options = {
		.os = hn_os_real(), .origin = "hypernix.org/audit/lab/node-1"};
	int rc = crypto_open(err);

	base_buf_format(&keys, "%s/keys", directory);
	if (keys.failed)
		return base_nomem(err);
	options.directory = keys.data;
	if (rc >= 0)
		rc = state_open_memory(hn_os_real(), &store, err);
	if (rc >= 0)
		rc = state_schema_apply(
			store, "audit", caps_audit_schema, caps_audit_schema_count, err);
	if (rc >= 0)
		rc = caps_audit_open(store, "node-1", &audit, err);
	if (rc >= 0)
		rc = caps_signer_open(&options, &signer, err);
	if (rc >= 0)
		rc = append(audit, count, err);
	if (rc >= 0)
		rc = caps_audit_seal(audit, signer, err);
	if (rc >= 0)
		rc = caps_audit_export(audit, NULL, directory, NULL, NULL, err);
	if (rc >= 0)
		rc = write_proofs(audit, directory, err);
	return rc < 0 ? rc : write_key(signer, directory, err);
}

int main(int argc, char **argv)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	if (argc != 3)
		return 2;
	if (run(argv[1], atoi(argv[2]), &err) >= 0)
		return 0;
	(void)fprintf(stderr, "%s\n", hn_error_message(err));
	return 1;
}
