/* SPDX-License-Identifier: MIT
 *
 * The one-shot parser of payloads, as the program hv-imgparse runs it.
 */
#ifndef HYPERNIX_COMPOSE_PAYLOAD_H
#define HYPERNIX_COMPOSE_PAYLOAD_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Parses a payload into records, in a sandbox.
 *
 * What it may still do is read one descriptor and write another; whoever started it checks each
 * record again. A payload that is refused is told in the records, too.
 *
 * @param kind  "tar", "tree" or "nix" (plain, gz, xz or zst), "deb", or "oci" (an image layout in a
 * plain tar); of a layout with images for several platforms one of them, as in "oci:x86_64-linux"
 * @param in  descriptor of the payload, read to its end; of kind oci that of a file
 * @param out  descriptor that the records are written to
 * @param confine  whether the process enters the sandbox HN_SANDBOX_PAYLOAD first, for ever
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EINVAL for a kind that is none; HN_EENTRY when the payload is not well-formed or has
 *     an entry that no image may have; HN_EDIGEST when a blob or a layer of an image is not what
 *     its digest says; HN_ELIMIT; HN_ENOSUP without libarchive or a locale C.UTF-8; HN_ESANDBOX
 *     when there is no filter of system calls; HN_EIO; HN_ENOMEM
 * Threads: the only thread of the process when it is confined, else any
 * Blocks: yes, on both descriptors
 * Allocates: yes, released before it returns
 * Since: 0.1
 */
HN_API int hn_payload_parse(const char *kind, int in, int out, bool confine, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
