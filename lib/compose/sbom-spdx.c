/* SPDX-License-Identifier: MIT
 *
 * A lock as an SPDX 2.3 document: the image contains components, components contain packages, and
 * depend on each other by their bindings.
 */
#include "compose/sbom-private.h"

#include <stdio.h>

#define DOCUMENT "SPDXRef-DOCUMENT"
#define IMAGE "SPDXRef-Image"
#define UNKNOWN "NOASSERTION"
enum { ID = 128 };

static void component_id(const char *component, char out[ID])
{
	snprintf(out, ID, "SPDXRef-Component-%s", component);
}

static void payload_id(const char *component, size_t index, char out[ID])
{
	snprintf(out, ID, "SPDXRef-Payload-%s-%zu", component, index + 1);
}

static void put_head(const sbom *from)
{
	char hex[2 * CRYPTO_DIGEST + 1], created[SBOM_TIME];
	BASE_AUTO_BUF base_buf text = {0};
	hn_json *json = from->json;

	codec_hex(from->lock->digest.bytes, sizeof(from->lock->digest.bytes), hex);
	sbom_time(from->lock->epoch, created);
	hn_json_text(json, "spdxVersion", "SPDX-2.3");
	hn_json_text(json, "dataLicense", "CC0-1.0");
	hn_json_text(json, "SPDXID", DOCUMENT);
	hn_json_text(json, "name", from->lock->blueprint);
	base_buf_format(
		&text, "https://spdx.org/spdxdocs/hypernix-%s-%s", from->lock->blueprint, hex);
	if (text.failed)
		codec_json_nomem(json);
	else
		hn_json_text(json, "documentNamespace", text.data);
	hn_json_object(json, "creationInfo");
	hn_json_text(json, "created", created);
	hn_json_array(json, "creators");
	text.size = 0;
	base_buf_format(&text, "Tool: %s", from->lock->solver);
	if (text.failed)
		codec_json_nomem(json);
	else
		hn_json_text(json, NULL, text.data);
	hn_json_end(json);
	hn_json_end(json);
}

static void put_checksum(hn_json *json, const char *algorithm, const uint8_t digest[CRYPTO_DIGEST])
{
	char hex[2 * CRYPTO_DIGEST + 1];

	codec_hex(digest, CRYPTO_DIGEST, hex);
	hn_json_array(json, "checksums");
	hn_json_object(json, NULL);
	hn_json_text(json, "algorithm", algorithm);
	hn_json_text(json, "checksumValue", hex);
	hn_json_end(json);
	hn_json_end(json);
}

/* What every package has; `license` may be NULL. */
static void begin_package(hn_json *json, const char *id, const char *name, const char *version,
	const char *purpose, const char *license)
{
	bool expression = license != NULL && sbom_is_expression(license);

	hn_json_object(json, NULL);
	hn_json_text(json, "SPDXID", id);
	hn_json_text(json, "name", name);
	if (version != NULL)
		hn_json_text(json, "versionInfo", version);
	hn_json_text(json, "primaryPackagePurpose", purpose);
	hn_json_text(json, "downloadLocation", UNKNOWN);
	hn_json_bool(json, "filesAnalyzed", false);
	hn_json_text(json, "licenseConcluded", UNKNOWN);
	hn_json_text(json, "licenseDeclared", expression ? license : UNKNOWN);
	if (license != NULL && !expression)
		hn_json_text(json, "licenseComments", license);
	hn_json_text(json, "copyrightText", UNKNOWN);
}

static void put_payload(hn_json *json, const compose_manifest *manifest, size_t index)
{
	const compose_payload *payload = &manifest->payloads[index];
	SBOM_AUTO_PACKAGE sbom_package package = {0};
	char id[ID];

	sbom_package_read(manifest, payload, &package);
	if (package.name.failed || package.version.failed || package.purl.failed) {
		codec_json_nomem(json);
		return;
	}
	payload_id(manifest->component, index, id);
	begin_package(json, id, package.name.data, package.version.data,
		payload->kind == COMPOSE_PAYLOAD_BLOB ? "FILE" : "ARCHIVE", manifest->license);
	put_checksum(json, "SHA256", payload->sha256.bytes);
	if (package.purl.size > 0) {
		hn_json_array(json, "externalRefs");
		hn_json_object(json, NULL);
		hn_json_text(json, "referenceCategory", "PACKAGE-MANAGER");
		hn_json_text(json, "referenceType", "purl");
		hn_json_text(json, "referenceLocator", package.purl.data);
		hn_json_end(json);
		hn_json_end(json);
	}
	hn_json_end(json);
}

static void put_component(
	hn_json *json, const compose_locked *locked, const compose_manifest *manifest)
{
	char id[ID];

	component_id(manifest->component, id);
	begin_package(json, id, manifest->component, locked->version,
		manifest->kind == COMPOSE_BASE_OS ? "OPERATING-SYSTEM" : "APPLICATION",
		manifest->license);
	put_checksum(json, "BLAKE2b-256", locked->manifest.bytes);
	if (manifest->summary != NULL)
		hn_json_text(json, "summary", manifest->summary);
	hn_json_end(json);
	for (size_t i = 0; i < manifest->payload_count; i++)
		put_payload(json, manifest, i);
}

static void put_packages(const sbom *from)
{
	hn_json *json = from->json;

	hn_json_array(json, "packages");
	begin_package(json, IMAGE, from->lock->blueprint, NULL, "CONTAINER", NULL);
	put_checksum(json, "BLAKE2b-256", from->lock->digest.bytes);
	hn_json_end(json);
	for (size_t i = 0; i < from->lock->count; i++)
		put_component(json, &from->lock->components[i], from->manifests[i]);
	hn_json_end(json);
}

static void relate(hn_json *json, const char *from, const char *how, const char *to)
{
	hn_json_object(json, NULL);
	hn_json_text(json, "spdxElementId", from);
	hn_json_text(json, "relationshipType", how);
	hn_json_text(json, "relatedSpdxElement", to);
	hn_json_end(json);
}

static void relate_contents(const sbom *from)
{
	for (size_t i = 0; i < from->lock->count; i++) {
		const compose_manifest *manifest = from->manifests[i];
		char component[ID], payload[ID];

		component_id(manifest->component, component);
		relate(from->json, IMAGE, "CONTAINS", component);
		for (size_t j = 0; j < manifest->payload_count; j++) {
			payload_id(manifest->component, j, payload);
			relate(from->json, component, "CONTAINS", payload);
		}
	}
}

/* Bindings are sorted by contract; two contracts of one provider make one relationship. */
static int relate_needs(const sbom *from)
{
	BASE_AUTO_OF(base_map) base_map *told = base_map_new(NULL);
	const compose_lock *lock = from->lock;

	if (told == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < lock->binding_count; i++) {
		const compose_binding *one = &lock->bindings[i];
		char provider[ID], needing[ID];
		int before = strcmp(one->provider, one->needed_by) == 0
				     ? 1
				     : sbom_pair(told, one->provider, one->needed_by, true);

		if (before < 0)
			return before;
		if (before > 0)
			continue;
		component_id(one->provider, provider);
		component_id(one->needed_by, needing);
		relate(from->json,
			compose_lock_find(lock, one->needed_by) != NULL ? needing : IMAGE,
			"DEPENDS_ON", provider);
	}
	return 0;
}

int sbom_spdx(const sbom *from)
{
	hn_json *json = from->json;
	int rc;

	hn_json_object(json, NULL);
	put_head(from);
	put_packages(from);
	hn_json_array(json, "relationships");
	relate(json, DOCUMENT, "DESCRIBES", IMAGE);
	relate_contents(from);
	rc = relate_needs(from);
	hn_json_end(json);
	hn_json_end(json);
	return rc;
}
