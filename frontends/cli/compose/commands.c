/* SPDX-License-Identifier: MIT
 *
 * The table of the commands of hv-compose: parsing, --help, completion and hv-compose(1) come from
 * it.
 */
#include "compose.h"
#include "options.h"

#define LOOK "what there is"
#define CHOOSE "choose and lock"
#define ASK "ask a lock"
#define HOST "the host's registry"
#define BUILD "build"
#define SHARE "share a registry"

/* A row: group, name, operands, summary, details, options, examples, function, -web is an operand.
 */
const cli_command compose_commands[] = {
	{LOOK, "list", NULL, "list the components: newest version, kind, summary", NULL,
		options_list, "list --kind service\nlist --registry ./components --json\n",
		compose_list, false},
	{LOOK, "show", "COMPONENT|FILE [VERSION]", "show all that a component says of itself",
		"The newest version when none is given. A file is checked first: whatever is wrong with "
		"it is told with its line and column. With --files the files that it brings: those of its "
		"payloads in the host's store, and those that its manifest writes.",
		options_show,
		"show nginx-optimized\nshow nginx-optimized 1.22.1+r11 --json\nshow ./nginx.json\n"
		"show nginx-optimized --files\n",
		compose_show, false},
	{LOOK, "contracts", "[CONTRACT]", "list the contracts, and who provides them", NULL, NULL,
		"contracts\ncontracts service/http\n", compose_contracts, false},
	{LOOK, "search", "WORD", "find components by name, summary or what they provide", NULL,
		NULL, "search http\n", compose_search, false},

	{CHOOSE, "blueprint check", "FILE", "check a blueprint, and that something fits it",
		"Whatever is wrong is told with its line and column. Nothing is written.", NULL,
		"blueprint check web-app.json --registry ./components\n", compose_check, false},
	{CHOOSE, "blueprint", "FILE",
		"lock and build a blueprint, and let its units boot from that",
		"What is locked stays as it is: resolve --update chooses anew. The image is made as the "
		"blueprint asks. Units whose image.blueprint is its name take it with the next apply, as "
		"a change that wants a restart, with the settings and tags of its components.",
		options_blueprint,
		"blueprint web-app.json --registry ./components\n"
		"blueprint web-app.json --dry-run\n",
		compose_blueprint, false},
	{CHOOSE, "resolve", "FILE", "choose components for a blueprint, and lock them",
		"What is locked already stays as it is, as far as it still fits. When nothing fits, the "
		"proof is told, with the file and line of everything it rests on, and what can be changed.",
		options_resolve,
		"resolve web-app.json --registry ./components\n"
		"resolve web-app.json --update nginx-optimized --dry-run\n",
		compose_resolve, false},
	{CHOOSE, "lock", "FILE", "lock a blueprint that has no lock; check the one it has",
		"What is locked is never chosen anew: an entry that is gone or differs is refused by "
		"name. With --epoch only the time changes.",
		options_lock, "lock web-app.json\nlock web-app.json --epoch 1764000000\n",
		compose_lock, false},
	{CHOOSE, "explain", "FILE", "say why each component is chosen, or why nothing fits",
		"Nothing is written.", options_file_lock, "explain web-app.json\n", compose_explain,
		false},

	{ASK, "why", "COMPONENT|FILE LOCK|PATH",
		"say who asked for a component, and what hangs on it; or why a file is as it is",
		"Of a component and a lock: needs no registry. With --file, of a blueprint or a lock and a "
		"path of its image, in either order: which component brings it in which payload, and who agrees, replaces, "
		"changes or removes it. Payloads that no build has read yet are read into the host's store.",
		options_why,
		"why glibc web-app.lock.json\n"
		"why --file web-app.json /usr/sbin/nginx\n",
		compose_why, false},
	{ASK, "verify", "LOCK", "read all again that a lock names, and say what is not whole",
		"Its manifests, its payloads in the host's store, and the files in them as far as a build "
		"has read them. With --image the images that were built of it; with --rebuild each is built "
		"again in a scratch store and compared byte for byte. Nothing is mended.",
		options_verify,
		"verify web-app.lock.json\nverify web-app.lock.json --image --rebuild --json\n",
		compose_verify_lock, false},
	{ASK, "diff", "OLD NEW", "compare two locks",
		"Components, who provides what, bytes; and with --registry what the manifests say: "
		"fields, settings, services, users, files, setuid, the command line.",
		NULL,
		"diff old.lock.json new.lock.json\n"
		"diff old.lock.json new.lock.json --registry ./components --json\n",
		compose_diff, false},
	{ASK, "sbom", "LOCK", "write the bill of materials of a lock",
		"Its time is the epoch of the lock, its name comes from the lock's digest: equal locks "
		"give equal bytes.",
		options_sbom,
		"sbom web-app.lock.json\nsbom web-app.lock.json --format cyclonedx-1.5 -o sbom.json\n",
		compose_sbom, false},

	{BUILD, "put", "FILE...", "put payloads, packages or archives, into the host's store",
		"Prints the SHA-256 and the size by which a manifest names each. One that is there "
		"already is no fault. A directory becomes a tar, the same bytes for the same content: "
		"of a tree its owner stands for root, times and extended attributes are left out, and no "
		"link is followed. An image layout is a directory or the tar of one, as skopeo writes "
		"them with oci: and oci-archive:.",
		options_put,
		"put nginx_1.22.1-9_amd64.deb\nput --kind tree ./rootfs\nput --kind oci ./image\n"
		"put --kind nix paths.txt\n",
		compose_put, false},
	{BUILD, "build", "LOCK", "make the image of a lock in the host's store",
		"Equal locks give equal bytes, and what was made before is taken again. Archives are "
		"parsed in a sandbox; nothing of them is run. Prints where image and kernel are. With --check "
		"two builds are held against each other: status 13 and the first byte that differs.",
		options_build,
		"build web-app.lock.json --registry ./components\n"
		"build web-app.lock.json --image squashfs --json\n"
		"build web-app.lock.json --check\n",
		compose_build_image, false},
	{BUILD, "upgrade", "FILE", "bring a new choice of components to the units of a blueprint",
		"Chooses as resolve does, builds, then restarts one unit after the other from the new "
		"image. Each must be ready and keep its contracts before the next one's turn; one that "
		"does not goes back to the image it had, and the rest is not touched. The lock is "
		"written when all have taken it. Killed or failed it can be called again; without "
		"--update, after a failure, it takes the units back to what is locked. Units that do "
		"not run take the image when they are started.",
		options_upgrade,
		"upgrade web-app.json --rolling --max-unavailable 1 --update nginx-optimized\n"
		"upgrade web-app.json --update-all --dry-run\n",
		compose_upgrade, false},
	{BUILD, "gc", NULL, "remove from the host's store what nobody needs",
		"Kept are files that units name, as they are to be and as they run; payloads of the "
		"host's registry; and images. What only makes the next build faster goes: that one "
		"reads the payloads anew. Locks of other registries are named with --keep. "
		"Refused while another program has the store open.",
		options_gc,
		"gc --dry-run\n"
		"gc --keep web-app.lock.json\n"
		"gc --unused --reason \"the disk is full\"\n",
		compose_gc, false},

	{HOST, "add", "FILE...", "put manifests and contracts into the host's registry",
		"Each is checked against the contracts that are there; contracts go first. One that is "
		"there already, the same, is no fault.",
		NULL, "add ./my-component.json\n", compose_add, false},
	{HOST, "remove", "COMPONENT|CONTRACT [VERSION]",
		"take a version of a component, or a contract, from the host's registry",
		"Of a component the version is needed. Locks that have it do not hold any more; what was "
		"built stays. A contract stays while a component that is there provides or requires it.",
		NULL,
		"remove nginx-optimized 1.22.1+r10\nremove service/http\nremove service/http@1.2.0\n",
		compose_remove, false},

	{SHARE, "index", NULL, "sign what a registry holds, or check one by its signature",
		"Writes index.cbor and index.cose into the directory, after all in it was read and "
		"checked. Each index has a serial one above that of the last, which the same key must "
		"have signed; one that is not above it is refused, as those who read it would.",
		options_index,
		"index --registry ./components --sign issuer.key --not-after 90d\n"
		"index --registry ./components --issuer $(cat issuer.pub) --serial 7\n",
		compose_index, false},
	{SHARE, "import", "[RECIPE...]", "make components of packages, or of an archive",
		"A recipe names packages of a distribution, what is done in place of their scripts, "
		"and the rest of the manifest; it may have files in a directory root beside it. Apt's "
		"own client downloads what it offers now, held against its signed lists: nothing of a "
		"package is ever run. A script that a recipe does not decide about is refused. With "
		"--registry manifests and contracts go into that directory, and packages are kept in "
		"packages there; the host's store gets them when a host is named with --state. "
		"Without --registry all goes to the host. The same again is no fault; another "
		"manifest of a version that is there is refused, so that locks go on to hold, unless "
		"--replace says otherwise. With --tar an archive that has no manifest becomes a "
		"component, read as a build reads it.",
		options_import,
		"import examples/components/*/recipe.json --registry ./components\n"
		"import ./nginx/recipe.json --packages ./debs --offline\n"
		"import --tar alpine-minirootfs.tar.gz --kind base-os --name alpine-base "
		"--release 3.20.0\n"
		"import --tar site.tar.zst --kind config --name site --release 1.0.0 --dry-run\n",
		compose_import, false},
	{SHARE, "fetch", "LOCK", "bring the packages of a lock that the host's store lacks",
		"Apt's own client downloads each in just the version that is locked, and its SHA-256 "
		"has to be that of the lock. A security update removes the old file from an archive: "
		"then import again, and lock anew. All that can be had is put, whatever fails.",
		options_fetch,
		"fetch web-app.lock.json --registry ./components\nfetch web-app.lock.json --packages "
		"./debs --offline\n",
		compose_fetch, false},
	{SHARE, "pack", "DIR", "make a payload of a directory",
		"A tar, compressed by zstd: names in order, no times, all of it root's, so that equal "
		"directories give equal bytes. Devices, pipes and sockets are refused, as a build "
		"would; the payload is read back as a build reads it. Prints its digests and the "
		"payload that a manifest has.",
		options_pack, "pack ./rootfs -o rootfs.tar.zst\n", compose_pack, false},
	{.name = NULL},
};
