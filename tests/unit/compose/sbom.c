/* SPDX-License-Identifier: MIT
 *
 * Parts of bills of materials; the whole of one is a golden file.
 */
#include "compose/sbom-private.h"
#include "sample.h"

static void check_package(compose_payload_kind kind, const char *upstream, const char *name,
	const char *version, const char *purl)
{
	SBOM_AUTO_PACKAGE sbom_package package = {0};
	compose_manifest manifest = {.component = "nginx"};
	compose_payload payload = {.kind = kind, .upstream = upstream};

	cr_assert_eq(compose_version_parse("1.0.0", 5, &manifest.version, NULL), 0);
	sbom_package_read(&manifest, &payload, &package);
	cr_assert_str_eq(package.name.data, name);
	cr_assert_str_eq(package.version.data, version);
	cr_assert_str_eq(package.purl.data, purl);
}

Test(sbom, has_the_url_of_a_package)
{
	check_package(COMPOSE_PAYLOAD_DEB, "nginx 1.22.1-9+deb12u11 amd64", "nginx",
		"1.22.1-9+deb12u11", "pkg:deb/debian/nginx@1.22.1-9%2Bdeb12u11?arch=amd64");
	check_package(COMPOSE_PAYLOAD_DEB, "g++-12 1:12.2~rc1", "g++-12", "1:12.2~rc1",
		"pkg:deb/debian/g%2B%2B-12@1:12.2~rc1");
	check_package(COMPOSE_PAYLOAD_DEB, "nginx", "nginx", "1.0.0", "");
	check_package(COMPOSE_PAYLOAD_DEB, NULL, "nginx-payload", "1.0.0", "");
	check_package(COMPOSE_PAYLOAD_TAR, "alpine 3.19 x86_64", "alpine", "3.19", "");
	check_package(COMPOSE_PAYLOAD_DEB, " a  1/2\"@ b&c", "a", "1/2\"@",
		"pkg:deb/debian/a@1%2F2%22%40?arch=b%26c");
}

Test(sbom, tells_expressions_from_other_licences)
{
	static const char *const good[] = {"MIT", "BSD-2-Clause", "GPL-2.0+", "(MIT)",
		"LGPL-2.1-or-later AND (GPL-2.0-only OR MIT)",
		"GPL-2.0-only WITH Classpath-exception-2.0", " MIT ", "((A)AND(B))"};
	static const char *const bad[] = {"", " ", "Nginx licence", "MIT OR", "AND MIT", "(MIT",
		"MIT)", "()", "MIT or GPL", "MIT (A)", "M+IT", "+", "MIT/X11", "MIT, BSD",
		"OR OR OR"};

	for (size_t i = 0; i < BASE_COUNT(good); i++)
		cr_assert(sbom_is_expression(good[i]), "%s", good[i]);
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		cr_assert_not(sbom_is_expression(bad[i]), "%s", bad[i]);
}

Test(sbom, has_the_time_of_the_lock)
{
	char text[SBOM_TIME];

	sbom_time(1, text);
	cr_assert_str_eq(text, "1970-01-01T00:00:01Z");
	sbom_time(UINT32_MAX, text);
	cr_assert_str_eq(text, "2106-02-07T06:28:15Z");
}

Test(sbom, has_two_formats)
{
	compose_sbom_format format = COMPOSE_SBOM_SPDX;
	hn_error *err = NULL;

	cr_assert_eq(compose_sbom_format_parse("cyclonedx-1.5", &format, NULL), 0);
	cr_assert_eq(format, COMPOSE_SBOM_CYCLONEDX);
	cr_assert_eq(compose_sbom_format_parse("spdx-2.3", &format, NULL), 0);
	cr_assert_eq(format, COMPOSE_SBOM_SPDX);
	cr_assert_eq(compose_sbom_format_parse("spdx-2.2", &format, &err), HN_EINVAL);
	cr_assert_str_eq(hn_error_hint(err), "did you mean spdx-2.3?");
	cr_assert_eq(compose_sbom_format_parse("swid", &format, &err), HN_EINVAL);
	cr_assert_str_eq(hn_error_hint(err), "spdx-2.3 and cyclonedx-1.5 are written");
	hn_error_unref(err);
}

static char *write(const compose_registry *registry, const char *nginx, compose_sbom_format format)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample_lock(registry, nginx);
	const compose_manifest *manifests[3];
	char *text = NULL;

	cr_assert_eq(compose_lock_manifests(lock, registry, manifests, NULL), 0);
	cr_assert_eq(compose_sbom_write(lock, manifests, format, &text, NULL), 0);
	return text;
}

Test(sbom, is_the_same_for_the_same_lock)
{
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);

	for (int format = COMPOSE_SBOM_SPDX; format <= COMPOSE_SBOM_CYCLONEDX; format++) {
		BASE_AUTO_FREE char *one = write(registry, "1.22.1", (compose_sbom_format)format);
		BASE_AUTO_FREE char *two = write(registry, "1.22.1", (compose_sbom_format)format);
		BASE_AUTO_FREE char *other = write(registry, "1.24.0", (compose_sbom_format)format);

		cr_assert_str_eq(one, two);
		cr_assert_str_neq(one, other);
	}
	hn_os_sim_free(os);
}

Test(sbom, keeps_a_licence_that_is_no_expression_as_text)
{
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	BASE_AUTO_FREE char *spdx = write(registry, "1.24.0", COMPOSE_SBOM_SPDX);
	BASE_AUTO_FREE char *cyclonedx = write(registry, "1.24.0", COMPOSE_SBOM_CYCLONEDX);

	cr_assert_not_null(strstr(spdx, "\"licenseComments\": \"Nginx licence, see file\""));
	cr_assert_null(strstr(spdx, "\"licenseDeclared\": \"Nginx"));
	cr_assert_not_null(strstr(cyclonedx, "\"name\": \"Nginx licence, see file\""));
	cr_assert_null(strstr(cyclonedx, "\"expression\": \"Nginx"));
	hn_os_sim_free(os);
}

/* Two contracts of one provider are one dependency, and what a component gives to itself is none.
 */
Test(sbom, tells_a_dependency_once)
{
	static const char line[] = "\"relationshipType\": \"DEPENDS_ON\"";
	static const compose_binding bindings[] = {{"a/a", "1.0.0", "glibc", "nginx"},
		{"a/b", "1.0.0", "glibc", "nginx"}, {"a/c", "1.0.0", "glibc", "glibc"}};
	compose_payload blob = {.kind = COMPOSE_PAYLOAD_BLOB};
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample_lock(registry, "1.22.1");
	BASE_AUTO_FREE char *spdx = NULL, *cyclonedx = NULL;
	const compose_manifest *manifests[3];

	cr_assert_eq(compose_lock_manifests(lock, registry, manifests, NULL), 0);
	compose_manifest plain = *manifests[0];
	plain.license = plain.summary = NULL;
	plain.payloads = &blob;
	plain.payload_count = 1;
	manifests[0] = &plain;
	lock->bindings = bindings;
	lock->binding_count = 3;
	cr_assert_eq(compose_sbom_write(lock, manifests, COMPOSE_SBOM_SPDX, &spdx, NULL), 0);
	cr_assert_eq(
		compose_sbom_write(lock, manifests, COMPOSE_SBOM_CYCLONEDX, &cyclonedx, NULL), 0);
	const char *first = strstr(spdx, line);
	cr_assert_null(strstr(first + 1, line));
	cr_assert_not_null(strstr(spdx, "\"FILE\""));
	cr_assert_not_null(strstr(cyclonedx, "\"type\": \"file\""));
	first = strstr(cyclonedx, "\"dependsOn\": [\n\t\t\t\t\"component:glibc\"\n");
	cr_assert_not_null(first);
	cr_assert_null(strstr(first + 40, "\"component:glibc\"\n\t\t\t]"));
	hn_os_sim_free(os);
}

/* Not strstr: a sanitizer measures all of the rest of the text each time. */
static size_t count_of(const char *text, const char *what)
{
	size_t count = 0, size = strlen(what);

	for (const char *at = text; *at != '\0'; at++)
		count += *at == *what && strncmp(at, what, size) == 0;
	return count;
}

/* Of as many components and bindings as a lock has. */
Test(sbom, of_a_large_lock_is_quick, .timeout = 60)
{
	enum { COMPONENTS = 1024, BINDINGS = 65536 };
	static compose_locked components[COMPONENTS];
	static compose_binding bindings[BINDINGS];
	static const compose_manifest *manifests[COMPONENTS];
	static char names[COMPONENTS][8];
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample_lock(registry, "1.22.1");
	size_t needs;

	cr_assert_eq(compose_lock_manifests(lock, registry, manifests, NULL), 0);
	for (int i = 0; i < COMPONENTS; i++) {
		snprintf(names[i], sizeof(names[i]), "c%04d", i);
		components[i] = lock->components[0];
		components[i].component = names[i];
		manifests[i] = manifests[0];
	}
	for (int i = 0; i < BINDINGS; i++)
		bindings[i] = (compose_binding){"a/a", "1.0.0", names[i % COMPONENTS],
			names[(i % COMPONENTS + i / COMPONENTS + 1) % COMPONENTS]};
	lock->components = components;
	lock->count = COMPONENTS;
	lock->bindings = bindings;
	lock->binding_count = BINDINGS;
	for (int format = COMPOSE_SBOM_SPDX; format <= COMPOSE_SBOM_CYCLONEDX; format++) {
		BASE_AUTO_FREE char *text = NULL;
		const char *what = format == COMPOSE_SBOM_SPDX ? "DEPENDS_ON" : "\"component:c";

		cr_assert_eq(compose_sbom_write(
				     lock, manifests, (compose_sbom_format)format, &text, NULL),
			0);
		needs = count_of(text, what);
		/* And each component where it begins its own list. */
		cr_assert_eq(needs, BINDINGS + (format == COMPOSE_SBOM_SPDX ? 0 : COMPONENTS),
			"%zu", needs);
	}
	hn_os_sim_free(os);
}
