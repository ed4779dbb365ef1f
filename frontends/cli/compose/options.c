/* SPDX-License-Identifier: MIT
 *
 * The options of hv-compose: of every command, then by command.
 */
#include "options.h"
#include "compose.h"

const cli_option compose_options[] = {
	CLI_VALUES("registry", "DIR",
		"directory of manifests and contracts; without it the host's registry is taken"),
	CLI_VALUES("pin", "COMPONENT=REGISTRY",
		"take a component that several registries have from this one"),
	CLI_ACT_OPTIONS,
	CLI_END,
};

#define LOCK CLI_VALUE("lock", "FILE", "the lock; NAME.lock.json beside NAME.json when not given")
#define EPOCH                                                                                      \
	CLI_ENVIRONMENT("epoch", "N", "SOURCE_DATE_EPOCH",                                         \
		"time of all that is made from the lock, in seconds since 1970; that of the lock " \
		"it replaces, else 1")

const cli_option options_list[] = {
	CLI_VALUE(
		"kind", "base-os|runtime|service|security|config", "only components of this kind"),
	CLI_END,
};

#define PARSER                                                                                     \
	CLI_ENVIRONMENT("parser", "FILE", "HYPERNIX_IMGPARSE",                                     \
		"hv-imgparse; the installed one when not given")

const cli_option options_show[] = {
	CLI_FLAG("files", "what it brings into an image: mode, owner, size, digest, path"),
	PARSER,
	CLI_END,
};

#define UPDATES                                                                                    \
	CLI_VALUES("update", "COMPONENT",                                                          \
		"choose this one anew, and what must follow; all else stays as it is locked"),     \
		CLI_FLAG("update-all", "choose all anew")

const cli_option options_resolve[] = {
	LOCK,
	UPDATES,
	EPOCH,
	CLI_FLAG("dry-run", "only show what would change"),
	CLI_END,
};

const cli_option options_lock[] = {LOCK, EPOCH, CLI_END};
const cli_option options_file_lock[] = {LOCK, CLI_END};

const cli_option options_sbom[] = {
	CLI_VALUE("format", "spdx-2.3|cyclonedx-1.5", "spdx-2.3 when not given"),
	CLI_OUTPUT('o', "out", "put it there, in place of what is there"),
	CLI_END,
};

const cli_option options_put[] = {
	CLI_VALUE("kind", "tree|oci|nix",
		"a directory is put as this kind of payload: what is in it, or an image layout; "
		"of nix each FILE is a list of store paths, one a line"),
	CLI_VALUE("nix-store", "DIR", "where store paths are; /nix/store when not given"),
	CLI_END,
};

#define BUILDING                                                                                   \
	CLI_VALUE("image", "auto|initramfs|squashfs",                                              \
		"kind of image; when not given as the blueprint asks, or by the "                  \
		"size of the tree"),                                                               \
		CLI_VALUE("level", "N", "of the compression, 1 to 19; 15 when not given"),         \
		CLI_VALUE("workers", "N",                                                          \
			"threads that compress, one a processor when not given; never "            \
			"changes the bytes"),                                                      \
		CLI_FLAG("anew", "make the image again even when it is there"),                    \
		CLI_FLAG("allow-setuid", "let files be setuid that manifests list as such"),       \
		PARSER

const cli_option options_build[] = {
	BUILDING,
	CLI_FLAG("check", "build twice, the second time in another store, directory, time zone, "
			  "locale, umask and number of threads, and compare all bytes"),
	CLI_END,
};
const cli_option options_blueprint[] = {
	LOCK,
	EPOCH,
	BUILDING,
	CLI_FLAG("dry-run", "only show what would be chosen"),
	CLI_END,
};

const cli_option options_upgrade[] = {
	LOCK,
	UPDATES,
	EPOCH,
	CLI_FLAG("rolling", "one after the other, which is the only way there is"),
	CLI_VALUE(
		"max-unavailable", "N", "so many units are restarted at a time; 1 when not given"),
	CLI_VALUE("timeout", "DURATION",
		"in which a unit must be ready; three times its boot.goal when not given"),
	BUILDING,
	CLI_FLAG("dry-run", "only show what would be chosen, and which units would take it"),
	CLI_END,
};

const cli_option options_why[] = {
	CLI_FLAG("file", "of a path in the image of a blueprint or a lock"),
	LOCK,
	CLI_FLAG("allow-setuid", "as for build: files may be setuid that manifests list as such"),
	PARSER,
	CLI_END,
};

const cli_option options_verify[] = {
	CLI_FLAG("image", "also the images that were built of it"),
	CLI_FLAG("rebuild", "also build these again, and compare all bytes"),
	CLI_VALUE("workers", "N", "threads that compress, one a processor when not given"),
	PARSER,
	CLI_END,
};

const cli_option options_gc[] = {
	CLI_VALUES(
		"keep", "LOCK", "keep the payloads of this lock, and images of the tree it names"),
	CLI_FLAG("unused", "remove images that nobody has taken into use, too"),
	CLI_VALUE("grace", "DURATION",
		"payloads that were put in since so long ago stay; 1d when not given"),
	CLI_FLAG("dry-run", "only count what would go"),
	CLI_END,
};

const cli_option options_index[] = {
	CLI_VALUE("sign", "FILE", "key file of the issuer, as hv-cap keys new makes it"),
	CLI_VALUE("not-after", "DURATION", "so long the index holds; 90d when not given"),
	CLI_VALUE("name", "NAME",
		"of the registry; that of the last index, or of the directory when not given"),
	CLI_VALUES("issuer", "KEY",
		"sign nothing: check the index that is there by this public key, or another"),
	CLI_VALUE("serial", "N",
		"of the new index, above the last one, to take over from another issuer; with "
		"--issuer the highest that was seen"),
	CLI_FLAG("allow-expired", "with --issuer take an index whose time is over"),
	CLI_FLAG("dry-run", "read and check all of it, and write nothing"),
	CLI_END,
};

const cli_option options_pack[] = {
	CLI_LETTER('o', "out", "FILE", "the payload, in place of what is there"),
	CLI_VALUE("level", "N", "of the compression, 1 to 19; 15 when not given"),
	CLI_FLAG("allow-setuid",
		"take files that are setuid or setgid: a manifest has to list them"),
	CLI_ENVIRONMENT("parser", "FILE", "HYPERNIX_IMGPARSE",
		"hv-imgparse; the installed one when not given"),
	CLI_FLAG("dry-run", "pack and check it, and keep nothing"),
	CLI_END,
};

const cli_option options_import[] = {
	CLI_VALUE("tar", "FILE", "the archive: plain, gz, xz or zst"),
	CLI_VALUE("kind", "base-os|runtime|service|security|config", "of the component"),
	CLI_VALUE("name", "NAME", "of the component"),
	CLI_VALUE("release", "VERSION", "of the component: a semantic version, such as 3.20.0+r1"),
	CLI_VALUE("summary", "TEXT", "of the component, one line"),
	CLI_VALUE("license", "TEXT", "of the component, as SPDX has it"),
	CLI_ENVIRONMENT("parser", "FILE", "HYPERNIX_IMGPARSE",
		"hv-imgparse; the installed one when not given"),
	CLI_VALUE("packages", "DIR",
		"packages of recipes, taken as they are; what is not there apt downloads into it"),
	CLI_VALUE("contracts", "DIR",
		"contracts that recipes use; ../contracts beside each when not given"),
	CLI_FLAG("offline", "download nothing"),
	CLI_FLAG("replace",
		"of recipes: put a manifest in the place of another one of its version, whose "
		"locks hold no longer"),
	CLI_FLAG("dry-run", "make and check the manifests, and write nothing"),
	CLI_END,
};

const cli_option options_fetch[] = {
	CLI_VALUE("packages", "DIR", "look here first; what is right is taken"),
	CLI_FLAG("offline", "download nothing"),
	PARSER,
	CLI_END,
};
