/* SPDX-License-Identifier: MIT
 *
 * What both formats of a bill of materials share: packages and their URLs, time, licences.
 */
#include "compose/sbom-private.h"

#include <stdio.h>
#include <time.h>

static const char *const formats[] = {
	[COMPOSE_SBOM_SPDX] = "spdx-2.3", [COMPOSE_SBOM_CYCLONEDX] = "cyclonedx-1.5"};

static const char *format_name(void *arg, size_t index)
{
	(void)arg;
	return formats[index];
}

int compose_sbom_format_parse(const char *text, compose_sbom_format *format, hn_error **err)
{
	char quoted[BASE_QUOTE_SIZE];
	int nearest;

	for (size_t i = 0; i < BASE_COUNT(formats); i++)
		if (strcmp(text, formats[i]) == 0) {
			*format = (compose_sbom_format)i;
			return 0;
		}
	nearest = base_nearest(text, BASE_COUNT(formats), format_name, NULL);
	base_error(err, HN_EINVAL, COMPOSE_ROOM, "spdx-2.3 and cyclonedx-1.5 are written",
		"'%s' is no format of a bill of materials", base_quote(quoted, text, strlen(text)));
	if (nearest >= 0)
		base_error_hint(err, "did you mean %s?", formats[nearest]);
	return HN_EINVAL;
}

/* --- packages --- */

void sbom_package_free(sbom_package *package)
{
	base_buf_free(&package->name);
	base_buf_free(&package->version);
	base_buf_free(&package->purl);
}

/* package-url, "Character encoding": unreserved bytes stay, and the colon. */
static void add_encoded(base_buf *to, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr(".-_~:", c) != NULL))
			base_buf_add(to, &c, 1);
		else
			base_buf_format(to, "%%%02X", (unsigned char)c);
	}
}

static const char *word(const char *text, size_t *size)
{
	text += strspn(text, " ");
	*size = strcspn(text, " ");
	return text;
}

void sbom_package_read(
	const compose_manifest *manifest, const compose_payload *payload, sbom_package *package)
{
	const char *upstream = payload->upstream != NULL ? payload->upstream : "";
	size_t name_size, version_size, arch_size;
	const char *name = word(upstream, &name_size);
	const char *version = word(name + name_size, &version_size);
	const char *arch = word(version + version_size, &arch_size);
	const compose_version *own = &manifest->version;

	if (name_size > 0)
		base_buf_add(&package->name, name, name_size);
	else
		base_buf_format(&package->name, "%s-payload", manifest->component);
	if (version_size > 0)
		base_buf_add(&package->version, version, version_size);
	else
		base_buf_add(&package->version, own->text, own->text_size);
	base_buf_text(&package->purl, "");
	if (payload->kind != COMPOSE_PAYLOAD_DEB || version_size == 0)
		return;
	base_buf_text(&package->purl, "pkg:deb/debian/");
	add_encoded(&package->purl, name, name_size);
	base_buf_text(&package->purl, "@");
	add_encoded(&package->purl, version, version_size);
	if (arch_size > 0) {
		base_buf_text(&package->purl, "?arch=");
		add_encoded(&package->purl, arch, arch_size);
	}
}

/* --- time and licences --- */

void sbom_time(uint64_t epoch, char out[SBOM_TIME])
{
	time_t seconds = (time_t)epoch; /* a lock's epoch has 32 bits */
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(out, SBOM_TIME, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static bool is_operator(const char *text, size_t size)
{
	return (size == 3 && memcmp(text, "AND", 3) == 0) ||
	       (size == 2 && memcmp(text, "OR", 2) == 0) ||
	       (size == 4 && memcmp(text, "WITH", 4) == 0);
}

static bool is_identifier(const char *text, size_t size)
{
	if (is_operator(text, size))
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
			c != '.' && c != '-' && !(c == '+' && i > 0 && i + 1 == size))
			return false;
	}
	return size > 0;
}

bool sbom_is_expression(const char *license)
{
	bool operand = true; /* what comes next */
	int open = 0;

	for (const char *at = license + strspn(license, " "); *at != '\0'; at += strspn(at, " ")) {
		size_t size = strcspn(at, " ()");

		if (*at == '(' && operand) {
			open++;
			at++;
		} else if (*at == ')' && !operand && open > 0) {
			open--;
			at++;
		} else if (operand ? is_identifier(at, size) : is_operator(at, size)) {
			operand = !operand;
			at += size;
		} else {
			return false;
		}
	}
	return !operand && open == 0;
}

int sbom_pair(base_map *pairs, const char *provider, const char *needed_by, bool add)
{
	BASE_AUTO_BUF base_buf key = {0};

	base_buf_add(&key, provider, strlen(provider) + 1);
	base_buf_text(&key, needed_by);
	if (key.failed)
		return HN_ENOMEM;
	if (base_map_has(pairs, key.data, key.size))
		return 1;
	return add && base_map_put(pairs, key.data, key.size, pairs) < 0 ? HN_ENOMEM : 0;
}

int compose_sbom_write(const compose_lock *lock, const compose_manifest *const *manifests,
	compose_sbom_format format, char **text, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	int rc = hn_json_new(true, &json, err);
	sbom from = {lock, manifests, json};

	if (rc < 0)
		return rc;
	rc = format == COMPOSE_SBOM_SPDX ? sbom_spdx(&from) : sbom_cyclonedx(&from);
	if (rc < 0)
		return base_nomem(err);
	return codec_json_take(json, text, err);
}
