/* SPDX-License-Identifier: MIT
 *
 * hv-signer's service: one thread that takes a frame at a time from each of a few clients.
 */
#include "caps/signer-wire.h"

#include <errno.h>
#include <hypernix/caps-signer.h>
#include <hypernix/os-sandbox.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_WITHIN (5 * OS_SECOND)
#define ANSWER_WITHIN (2 * OS_SECOND)
#define IDLE_LEAST OS_SECOND             /* so long nobody loses a place that he has not used yet */
enum { CLIENTS = 16, LOOK_EVERY = 500 }; /* ms */

typedef struct client {
	int fd;              /* -1: nobody */
	crypto_secret *room; /* for one frame: it may hold a secret */
	size_t have;
	int64_t due;   /* when the frame that was begun has to be here; 0: none was */
	int64_t since; /* when it came, or had its last answer */
} client;

typedef struct service {
	hn_signer_options options;
	crypto_signer *signer;
	signer_trust *trust;
	int listening;
	client clients[CLIENTS];
} service;

/* --- clients --- */

static void dismiss(client *who)
{
	if (who->fd >= 0)
		close(who->fd);
	crypto_secret_free(who->room);
	*who = (client){.fd = -1};
}

static bool is_served(const service *here, int fd)
{
	os_peer_ids peer;

	if (os_peer(fd, &peer, NULL) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid() || (int64_t)peer.uid == here->options.client)
		return true;
	base_log(HN_LOG_WARNING, SIGNER_ROOM, "user %u (process %d) is not served", peer.uid,
		(int)peer.pid);
	return false;
}

/* A free one; else that of whoever has asked nothing for the longest time, so that those who hold
 * their places and are silent cannot keep others out. Who is sent away so can come again. */
static client *free_place(service *here)
{
	client *idle = NULL;

	for (size_t i = 0; i < CLIENTS && i < base_limit(BASE_LIMIT_SIGNER_CLIENTS); i++) {
		client *who = &here->clients[i];

		if (who->fd < 0)
			return who;
		if (who->have == 0 && (idle == NULL || who->since < idle->since))
			idle = who;
	}
	if (idle == NULL || os_monotonic(hn_os_real()) - idle->since < IDLE_LEAST)
		return NULL;
	dismiss(idle);
	return idle;
}

static int welcome(service *here, hn_error **err)
{
	client *place;
	int fd = -1;
	int rc = signer_accept(here->listening, &fd, err);

	if (rc <= 0)
		return rc;
	place = is_served(here, fd) ? free_place(here) : NULL;
	if (place == NULL ||
		crypto_secret_new(SIGNER_HEAD + SIGNER_FRAME, &place->room, NULL) < 0) {
		close(fd);
		return 0;
	}
	place->fd = fd;
	place->since = os_monotonic(hn_os_real());
	return 0;
}

/* --- frames --- */

static size_t frame_size(const uint8_t *head)
{
	return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

/* How many bytes the frame has as far as it is known; 0 when it is too large or empty. */
static size_t wanted(const client *who)
{
	const uint8_t *bytes = crypto_secret_view(who->room);
	size_t size;

	if (who->have < SIGNER_HEAD)
		return SIGNER_HEAD;
	size = frame_size(bytes);
	return size >= 1 && size <= SIGNER_FRAME ? SIGNER_HEAD + size : 0;
}

/* 1 when a whole frame is there, 0 when more has to come, negative to end the connection. */
static int read_some(client *who)
{
	uint8_t *bytes = crypto_secret_bytes(who->room);

	for (;;) {
		size_t want = wanted(who);
		ssize_t got;

		if (want == 0)
			return -EPROTO;
		if (who->have == want)
			return 1;
		got = recv(who->fd, bytes + who->have, want - who->have, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (got == 0)
			return -ECONNRESET;
		if (who->have == 0)
			who->due = os_monotonic(hn_os_real()) + FRAME_WITHIN;
		who->have += (size_t)got;
	}
}

static int reply(service *here, client *who, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
	BASE_AUTO_BUF base_buf answer = {0};
	int rc = signer_answer(here->signer, crypto_secret_view(who->room) + SIGNER_HEAD,
		who->have - SIGNER_HEAD, &answer, &secret, err);

	crypto_wipe(crypto_secret_bytes(who->room), who->have);
	who->have = 0;
	who->due = 0;
	who->since = os_monotonic(hn_os_real());
	if (rc < 0)
		return rc;
	return signer_send(who->fd, (crypto_bytes){answer.data, answer.size},
		(crypto_bytes){NULL, 0}, secret, ANSWER_WITHIN, err);
}

static void attend(service *here, client *who)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	int rc = read_some(who);

	if (rc == 1)
		rc = reply(here, who, &error);
	if (rc >= 0)
		return;
	if (error != NULL)
		base_log(HN_LOG_WARNING, SIGNER_ROOM, "a client is disconnected: %s",
			hn_error_message(error));
	dismiss(who);
}

/* --- the service --- */

static void dismiss_late(service *here)
{
	int64_t now = os_monotonic(hn_os_real());

	for (size_t i = 0; i < CLIENTS; i++) {
		client *who = &here->clients[i];

		if (who->fd >= 0 && who->due != 0 && now > who->due)
			dismiss(who);
	}
}

static int serve_once(service *here, hn_error **err)
{
	struct pollfd watched[1 + CLIENTS];
	int rc = 0;

	watched[0] = (struct pollfd){.fd = here->listening, .events = POLLIN};
	for (size_t i = 0; i < CLIENTS; i++) /* poll skips descriptors below 0 */
		watched[1 + i] = (struct pollfd){.fd = here->clients[i].fd, .events = POLLIN};
	if (poll(watched, BASE_COUNT(watched), LOOK_EVERY) < 0)
		return errno == EINTR ? 0
				      : base_error_errno(err, SIGNER_ROOM, -errno,
						"cannot wait for clients");
	for (size_t i = 0; i < CLIENTS; i++) {
		if (watched[1 + i].revents != 0)
			attend(here, &here->clients[i]);
	}
	if (watched[0].revents != 0)
		rc = welcome(here, err);
	dismiss_late(here);
	return rc;
}

/* The directory of the bundle, since a later one comes by a rename. Where it is not there yet, the
 * one that it will be made in. */
static int bundle_folder(const char *trust, char **folder, hn_error **err)
{
	char here[PATH_MAX] = "";
	BASE_AUTO_BUF base_buf path = {0};

	if (trust[0] != '/' && getcwd(here, sizeof(here)) == NULL)
		return base_error_errno(err, SIGNER_ROOM, -errno, "cannot tell where it runs");
	base_buf_format(&path, "%s/%s", here, trust);
	*folder = path.failed ? NULL : base_strdup(path.data);
	if (*folder == NULL)
		return base_nomem(err);
	do {
		char *slash = strrchr(*folder, '/');

		slash[slash == *folder ? 1 : 0] = '\0';
	} while ((*folder)[1] != '\0' && access(*folder, F_OK) < 0);
	return 0;
}

static int confine(const service *here, hn_error **err)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	BASE_AUTO_FREE char *folder = NULL;
	const char *writable[1] = {here->options.keys}, *readable[1];
	int keep[1] = {here->listening};

	options.require = true;
	options.read_write = writable;
	options.read_write_count = 1;
	options.keep = keep;
	options.keep_count = 1;
	if (here->options.trust != NULL) {
		int rc = bundle_folder(here->options.trust, &folder, err);

		if (rc < 0)
			return rc;
		readable[0] = folder;
		options.read_only = readable;
		options.read_only_count = 1;
	}
	return hn_sandbox_apply(HN_SANDBOX_SIGNER, &options, NULL, err);
}

/* Exactly a key, and the end. */
static int read_credential(int fd, crypto_secret **kek, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	size_t have = 0;
	ssize_t got;
	int rc = crypto_secret_new(CRYPTO_KEY + 1, &made, err);

	if (rc < 0)
		return rc;
	do {
		got = read(fd, crypto_secret_bytes(made) + have, CRYPTO_KEY + 1 - have);
		if (got > 0)
			have += (size_t)got;
	} while (have <= CRYPTO_KEY && (got > 0 || (got < 0 && errno == EINTR)));
	if (got < 0)
		return base_error_errno(
			err, SIGNER_ROOM, -errno, "cannot read the credential from %d", fd);
	if (have != CRYPTO_KEY)
		return base_error(err, HN_EKEY, SIGNER_ROOM,
			"make one with: head -c 32 /dev/urandom",
			"the credential has %s than %d bytes", have > CRYPTO_KEY ? "more" : "less",
			CRYPTO_KEY);
	return crypto_secret_copy(crypto_secret_view(made), CRYPTO_KEY, kek, err);
}

static int open_signer(service *here, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *kek = NULL;
	caps_signer_options options = {.os = hn_os_real(),
		.directory = here->options.keys,
		.origin = here->options.origin};
	int rc = crypto_open(err);

	if (rc >= 0 && here->options.credential >= 0)
		rc = read_credential(here->options.credential, &kek, err);
	if (rc >= 0 && here->options.trust != NULL)
		rc = signer_trust_open(options.os, here->options.trust, &here->trust, err);
	if (rc < 0)
		return rc;
	options.kek = kek;
	if (here->trust != NULL) {
		options.check = signer_trust_check;
		options.log_key = signer_trust_log_key;
		options.bundle = signer_trust_follow;
		options.bundle_refused = signer_trust_forget;
		options.arg = here->trust;
	}
	rc = caps_signer_open(&options, &here->signer, err);
	return rc < 0 ? rc : signer_listen(here->options.socket, &here->listening, err);
}

static void close_service(service *here)
{
	for (size_t i = 0; i < CLIENTS; i++)
		dismiss(&here->clients[i]);
	if (here->listening >= 0)
		close(here->listening);
	crypto_signer_free(here->signer);
	signer_trust_close(here->trust);
}

int hn_signer_serve(const hn_signer_options *options, hn_cancel *cancel, hn_error **err)
{
	service here = {.listening = -1};
	int rc = base_options(&here.options, sizeof(here.options), options, SIGNER_ROOM, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < CLIENTS; i++)
		here.clients[i].fd = -1;
	if (here.options.socket == NULL || here.options.keys == NULL)
		return base_error(err, HN_EINVAL, SIGNER_ROOM, NULL,
			"a signer needs the path of its socket and the directory of its keys");
	rc = open_signer(&here, err);
	if (rc >= 0 && here.options.confine)
		rc = confine(&here, err);
	while (rc >= 0 && !hn_cancel_triggered(cancel))
		rc = serve_once(&here, err);
	close_service(&here);
	return rc < 0 ? rc : 0;
}
