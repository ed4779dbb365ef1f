/* SPDX-License-Identifier: MIT
 *
 * Cosignatures of an audit log as our signer answers them, and each with one character changed:
 * cosign.py verifies them anew. In DIRECTORY are the keys. A line each:
 *
 *	verdict note line name key        ; ours, 1 or 0; the rest as hexadecimal digits
 */
#include "caps/audit.h"
#include "caps/signer.h"

#include <stdio.h>
#include <string.h>

typedef struct party {
	crypto_signer *signer;
	crypto_signer_status status;
} party;

static int log_key(
	void *arg, const char *origin, size_t size, uint8_t key[CRYPTO_PUBLIC], hn_error **err)
{
	const party *log = arg;

	(void)origin;
	(void)size;
	(void)err;
	memcpy(key, log->status.key[CRYPTO_ROLE_AUDIT].public_key, CRYPTO_PUBLIC);
	return 0;
}

static int open_party(
	const char *directory, const char *name, party *log, party *made, hn_error **err)
{
	BASE_AUTO_BUF base_buf keys = {0}, origin = {0};
	caps_signer_options options = {.os = hn_os_real(), .log_key = log_key, .arg = log};
	int rc;

	base_buf_format(&keys, "%s/%s", directory, name);
	base_buf_format(&origin, "hypernix.org/audit/lab/%s", name);
	if (keys.failed || origin.failed)
		return base_nomem(err);
	options.directory = keys.data;
	options.origin = origin.data;
	rc = caps_signer_open(&options, &made->signer, err);
	return rc < 0 ? rc : made->signer->ops->status(made->signer, &made->status, err);
}

static void print_hex(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		(void)printf("%02x", ((const uint8_t *)bytes)[i]);
}

typedef struct cosigned {
	caps_audit *audit;
	uint64_t size;
	char *note;
	char line[CRYPTO_SIGNER_NOTE], name[128], vkey[256];
	const uint8_t *key;
} cosigned;

/* <name>+<key id>+<base64 of 04 and the key>; name and id are those of the line. */
static void fill_vkey(cosigned *one)
{
	static const char dash[] = "\xe2\x80\x94 ";
	const char *name = one->line + sizeof(dash) - 1, *base64 = strchr(name, ' ') + 1;
	uint8_t bytes[128], typed[1 + CRYPTO_PUBLIC] = {4};
	char hex[9], text[64];
	size_t written = 0;

	(void)snprintf(one->name, sizeof(one->name), "%.*s", (int)(base64 - 1 - name), name);
	(void)codec_base64_decode(base64, strcspn(base64, "\n"), bytes, sizeof(bytes), &written);
	codec_hex(bytes, 4, hex);
	memcpy(typed + 1, one->key, CRYPTO_PUBLIC);
	codec_base64(typed, sizeof(typed), text);
	(void)snprintf(one->vkey, sizeof(one->vkey), "%s+%s+%s", one->name, hex, text);
}

static void judge(const cosigned *one, const char *line)
{
	const caps_view witness = {(const uint8_t *)one->vkey, strlen(one->vkey)};
	bool good = caps_audit_cosign(
			    one->audit, one->size, line, strlen(line), &witness, 1, NULL) >= 0;

	(void)printf("%d ", good);
	print_hex(one->note, strlen(one->note));
	(void)printf(" ");
	print_hex(line, strlen(line));
	(void)printf(" ");
	print_hex(one->name, strlen(one->name));
	(void)printf(" ");
	print_hex(one->key, CRYPTO_PUBLIC);
	(void)printf("\n");
}

static void judge_all(cosigned *one)
{
	size_t size = strlen(one->line);

	judge(one, one->line);
	for (size_t i = 0; i < size; i++) {
		char changed[CRYPTO_SIGNER_NOTE];

		memcpy(changed, one->line, size + 1);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		judge(one, changed);
	}
}

static int run(const char *directory, hn_error **err)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;
	BASE_AUTO_OF(caps_audit) caps_audit *audit = NULL;
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW, .object = "unit/a"};
	crypto_merkle_proof proof = {0};
	cosigned one = {0};
	party log = {0}, witness = {0};
	int rc = crypto_open(err);

	if (rc >= 0)
		rc = state_open_memory(hn_os_real(), &store, err);
	if (rc >= 0)
		rc = state_schema_apply(
			store, "audit", caps_audit_schema, caps_audit_schema_count, err);
	if (rc >= 0)
		rc = caps_audit_open(store, "n1", &audit, err);
	if (rc >= 0)
		rc = open_party(directory, "n1", &log, &log, err);
	if (rc >= 0)
		rc = open_party(directory, "n2", &log, &witness, err);
	for (int i = 0; rc >= 0 && i < 20; i++)
		rc = caps_audit_append(audit, &entry, NULL, err);
	if (rc >= 0)
		rc = caps_audit_seal(audit, log.signer, err);
	if (rc >= 0)
		rc = caps_audit_last(audit, &one.size, &one.note, err);
	if (rc >= 0)
		rc = witness.signer->ops->cosign(
			witness.signer, 0, &proof, one.note, strlen(one.note), one.line, err);
	if (rc >= 0) {
		one.audit = audit;
		one.key = witness.status.key[CRYPTO_ROLE_WITNESS].public_key;
		fill_vkey(&one);
		judge_all(&one);
	}
	base_free(one.note);
	crypto_signer_free(witness.signer);
	crypto_signer_free(log.signer);
	return rc;
}

int main(int argc, char **argv)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	if (argc != 2)
		return 2;
	if (run(argv[1], &err) >= 0)
		return 0;
	(void)fprintf(stderr, "%s\n", hn_error_message(err));
	return 1;
}
