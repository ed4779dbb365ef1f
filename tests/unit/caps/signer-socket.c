/* SPDX-License-Identifier: MIT
 *
 * The signer behind its socket: a child process serves real keys, and each operation is asked of
 * it.
 */
#include "caps/secret.h"
#include "caps/signer-wire.h"
#include "leave.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <hypernix/caps-signer.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/hn-signer-XXXXXX";
static char keys[64], path[64];
static pid_t child;
static crypto_signer *signer;
static hn_cancel *cancelled;

static void on_term(int number)
{
	(void)number;
	hn_cancel_trigger(cancelled);
}

/* The child's life; ends the process. */
static void serve(int credential)
{
	hn_signer_options options = HN_SIGNER_OPTIONS_INIT;
	struct sigaction action = {.sa_handler = on_term};

	hn_cancel_new(&cancelled, NULL);
	sigaction(SIGTERM, &action, NULL);
	options.socket = path;
	options.keys = keys;
	options.origin = "hypernix.org/audit/lab/n1";
	options.credential = credential;
	leave(hn_signer_serve(&options, cancelled, NULL) == 0 ? 0 : 1);
}

static int connect_raw(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	cr_assert_geq(fd, 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void start(void)
{
	int fd = -1, status;

	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0)
		serve(-1);
	while (fd < 0) {
		cr_assert_eq(waitpid(child, &status, WNOHANG), 0, "the signer ended");
		fd = connect_raw();
		usleep(2000); /* between two looks */
	}
	close(fd);
}

static int stop(int number)
{
	int status = -1;

	cr_assert_eq(kill(child, number), 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	child = 0;
	return status;
}

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	snprintf(keys, sizeof(keys), "%s/keys", directory);
	snprintf(path, sizeof(path), "%s/socket", directory);
	start();
	cr_assert_eq(caps_signer_connect(hn_os_real(), path, &signer, NULL), 0);
}

static void fini(void)
{
	crypto_signer_free(signer);
	if (child > 0)
		stop(SIGTERM);
	os_remove_tree(hn_os_real(), directory, NULL);
}

TestSuite(signer_socket, .init = init, .fini = fini, .timeout = 120);

Test(signer_socket, tells_its_status)
{
	crypto_signer_status status;
	struct stat mode;

	cr_assert_eq(signer->ops->status(signer, &status, NULL), 0);
	cr_assert_not(status.in_process);
	cr_assert(status.kek_beside);
	cr_assert_eq(status.keys, CRYPTO_ROLES);
	cr_assert_str_eq(status.origin, "hypernix.org/audit/lab/n1");
	cr_assert(crypto_ed25519_point_valid(status.key[CRYPTO_ROLE_ISSUER].public_key));
	cr_assert_eq(stat(path, &mode), 0);
	cr_assert_eq(mode.st_mode & 07777u, 0660u);
}

Test(signer_socket, seals_and_goes_on_after_a_kill)
{
	uint8_t leaves[CRYPTO_SIGNER_LEAVES][CRYPTO_DIGEST] = {{1}};
	const uint8_t(*given)[CRYPTO_DIGEST] = (const uint8_t(*)[CRYPTO_DIGEST])leaves;
	crypto_sealed first, again;
	hn_error *err = NULL;
	hn_fact fact;

	cr_assert_eq(signer->ops->seal(signer, 0, given, CRYPTO_SIGNER_LEAVES, &first, NULL), 0);
	cr_assert_eq(first.size, CRYPTO_SIGNER_LEAVES);
	cr_assert(WIFSIGNALED(stop(SIGKILL)));
	cr_assert_eq(signer->ops->seal(signer, 512, given, 1, &again, &err), HN_ESIGNER);
	cr_assert_eq(hn_error_code(err), HN_ESIGNER);
	hn_error_unref(err);
	err = NULL;
	start();
	cr_assert_eq(signer->ops->seal(signer, CRYPTO_SIGNER_LEAVES, NULL, 0, &again, NULL), 0);
	cr_assert_str_eq(first.note, again.note);
	cr_assert_arr_eq(first.mac, again.mac, CRYPTO_DIGEST);
	cr_assert_eq(signer->ops->seal(signer, 5, given, 1, &again, &err), HN_EAUDITFORK);
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_assert_eq(fact.number, CRYPTO_SIGNER_LEAVES);
	hn_error_unref(err);
}

Test(signer_socket, refusals_come_with_their_words)
{
	crypto_issued issued;
	hn_error *err = NULL;

	cr_assert_eq(signer->ops->issue(signer, "x", 1, &issued, &err), HN_ETOKEN);
	cr_assert_eq(hn_error_code(err), HN_ETOKEN);
	cr_assert_not_null(strstr(hn_error_message(err), "claims"));
	hn_error_unref(err);
}

Test(signer_socket, secrets_come_in_a_memfd)
{
	static const uint8_t large[CRYPTO_SIGNER_RECORD] = {7, 8, 9};
	crypto_place place = {"secret", "body", 7, 1};
	uint8_t box[5 + CRYPTO_BOX_OVERHEAD];
	BASE_AUTO_BUF base_buf record = {0};
	crypto_secret *plain = NULL;
	crypto_signer_status status;
	crypto_bytes bytes;

	cr_assert_eq(signer->ops->record_seal(
			     signer, &place, (crypto_bytes){large, sizeof(large)}, &record, NULL),
		0);
	bytes = (crypto_bytes){record.data, record.size};
	cr_assert_eq(signer->ops->record_open(signer, &place, bytes, &plain, NULL), 0);
	cr_assert_eq(crypto_secret_size(plain), sizeof(large));
	cr_assert_arr_eq(crypto_secret_view(plain), large, sizeof(large));
	crypto_secret_free(plain);
	place.row = 8;
	cr_assert_eq(signer->ops->record_open(signer, &place, bytes, &plain, NULL), HN_ECRYPT);
	cr_assert_eq(signer->ops->status(signer, &status, NULL), 0);
	cr_assert_eq(
		crypto_x25519_seal(status.key[CRYPTO_ROLE_BOX].public_key, "hello", 5, box, NULL),
		0);
	cr_assert_eq(
		signer->ops->box_open(signer, (crypto_bytes){box, sizeof(box)}, &plain, NULL), 0);
	cr_assert_arr_eq(crypto_secret_view(plain), "hello", 5);
	crypto_secret_free(plain);
	cr_assert_eq(signer->ops->first_mac(signer, &plain, NULL), 0);
	cr_assert_eq(crypto_secret_size(plain), CRYPTO_DIGEST);
	crypto_secret_free(plain);
	cr_assert_eq(signer->ops->first_mac(signer, &plain, NULL), HN_ENOENT);
}

/* The same from afar as in this process, over the same keys; another by each thing in it. */
Test(signer_socket, digests_of_secrets_are_of_the_host)
{
	static const uint8_t owner[CAPS_SECRET_OWNER] = {1}, other_owner[CAPS_SECRET_OWNER] = {2};
	static const uint8_t cti[16] = {3}, other_cti[16] = {4};
	const caps_secret_call calls[] = {
		{owner, "db", 0, {cti, sizeof(cti)}},
		{other_owner, "db", 0, {cti, sizeof(cti)}},
		{owner, "api", 0, {cti, sizeof(cti)}},
		{owner, "db", 1, {cti, sizeof(cti)}},
		{owner, "db", 0, {other_cti, sizeof(other_cti)}},
	};
	uint8_t digests[BASE_COUNT(calls)][CRYPTO_DIGEST], again[CRYPTO_DIGEST];
	caps_signer_options options = {.os = hn_os_real(), .directory = keys};
	const crypto_bytes plain = {"hunter2", 7};
	crypto_signer *here = NULL;

	cr_assert_eq(caps_signer_open(&options, &here, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(calls); i++) {
		cr_assert_eq(caps_secret_digest(signer, &calls[i], plain, digests[i], NULL), 0);
		cr_assert_eq(caps_secret_digest(here, &calls[i], plain, again, NULL), 0);
		cr_expect_arr_eq(digests[i], again, CRYPTO_DIGEST);
		for (size_t k = 0; k < i; k++)
			cr_expect_neq(memcmp(digests[i], digests[k], CRYPTO_DIGEST), 0, "%zu", i);
	}
	crypto_signer_free(here);
}

Test(signer_socket, votes_and_new_keys)
{
	uint8_t public_key[CRYPTO_PUBLIC], hash[CRYPTO_DIGEST] = {3}, text[19 + CRYPTO_DIGEST],
					   signature[CRYPTO_SIGNATURE];
	crypto_merkle_proof none = {0};
	char line[CRYPTO_SIGNER_NOTE];

	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_NODE, 60, public_key, NULL), 0);
	cr_assert_eq(signer->ops->node(signer, "vote", hash, signature, NULL), 0);
	memcpy(text, "hypernix-node\0vote", 19);
	memcpy(text + 19, hash, CRYPTO_DIGEST);
	cr_assert(crypto_ed25519_verify(public_key, text, sizeof(text), signature));
	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLES, 0, public_key, NULL), HN_EINVAL);
	cr_assert_eq(signer->ops->cosign(signer, 0, &none, "x", 1, line, NULL), HN_ESYNTAX);
}

/* The end of the stream after what was sent, and not only when the time for a frame is over. */
static void expect_closed(const void *bytes, size_t size)
{
	struct timeval patience = {.tv_sec = 4};
	int fd = connect_raw();
	ssize_t got;
	char answer;

	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	cr_assert_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
	got = recv(fd, &answer, 1, 0);
	cr_assert(got == 0 || (got < 0 && errno == ECONNRESET));
	close(fd);
}

Test(signer_socket, hostile_frames_are_closed)
{
	crypto_signer_status status;

	expect_closed("\0\0\0\0", 4);
	expect_closed("\0\1\0\1", 4);
	expect_closed("\xff\xff\xff\xff", 4);
	expect_closed("\0\0\0\1\xff", 5);
	expect_closed("\0\0\0\6\x84\1\7\1\x80\0", 10);
	cr_assert_eq(signer->ops->status(signer, &status, NULL), 0, "others are served");
}

static int receive_code(const void *bytes, size_t size)
{
	crypto_secret *secret = NULL;
	base_buf frame = {0};
	int ends[2], rc;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	cr_assert_eq(send(ends[0], bytes, size, 0), (ssize_t)size);
	close(ends[0]);
	rc = signer_receive(hn_os_real(), ends[1], OS_SECOND, &frame, &secret, NULL);
	close(ends[1]);
	cr_assert_eq(rc < 0, frame.data == NULL);
	base_buf_free(&frame);
	return rc;
}

Test(signer_socket, a_hostile_signer_is_not_believed)
{
	static uint8_t large[4 + SIGNER_FRAME + 1] = {0, 1, 0, 1};

	cr_assert_eq(receive_code("\0\0\0\1x", 5), 0);
	cr_assert_eq(receive_code("\0\0\0\0", 4), HN_ESIGNER);
	cr_assert_eq(receive_code("\0\0\0\2x", 5), HN_ESIGNER);
	cr_assert_eq(receive_code("\0\0", 2), HN_ESIGNER);
	cr_assert_eq(receive_code(large, sizeof(large)), HN_ESIGNER);
}

Test(signer_socket, a_frame_may_come_in_pieces)
{
	static const uint8_t frame[] = {0, 0, 0, 5, 0x84, 1, 7, 1, 0x80};
	int fd = connect_raw();
	uint8_t answer[4];

	for (size_t i = 0; i < sizeof(frame); i++)
		cr_assert_eq(send(fd, frame + i, 1, MSG_NOSIGNAL), 1);
	cr_assert_eq(recv(fd, answer, sizeof(answer), MSG_WAITALL), (ssize_t)sizeof(answer));
	cr_assert_eq(answer[0], 0);
	close(fd);
}

/* After so long one that was silent may lose its place to another. */
#define SILENT_LONG OS_SECOND

Test(signer_socket, one_more_client_than_it_takes_is_sent_away)
{
	struct pollfd clients[17];
	int64_t begun = os_monotonic(hn_os_real());
	char answer;

	crypto_signer_free(signer);
	signer = NULL;
	for (size_t i = 0; i < BASE_COUNT(clients); i++)
		clients[i] = (struct pollfd){.fd = connect_raw(), .events = POLLIN};
	cr_assert_eq(poll(clients, BASE_COUNT(clients), 60000), 1, "one of them is sent away");
	if (clients[16].revents == 0) /* this machine was so slow that the first had to go */
		cr_assert(clients[0].revents != 0 &&
			  os_monotonic(hn_os_real()) - begun >= SILENT_LONG);
	cr_assert_eq(recv(clients[clients[16].revents == 0 ? 0 : 16].fd, &answer, 1, 0), 0);
	for (size_t i = 0; i < BASE_COUNT(clients); i++)
		close(clients[i].fd);
	cr_assert_eq(caps_signer_connect(hn_os_real(), path, &signer, NULL), 0);
}

/* Another user's idle connections must not keep the host from its signer for ever: it may have to
 * come again, until one of them has been idle long enough. */
Test(signer_socket, who_holds_places_and_is_silent_keeps_nobody_out)
{
	int64_t begun = os_monotonic(hn_os_real()), first = 0;
	crypto_signer_status status;
	int fds[16], tries = 0;
	char answer;

	crypto_signer_free(signer);
	signer = NULL;
	for (size_t i = 0; i < BASE_COUNT(fds); i++)
		fds[i] = connect_raw();
	for (; !signer && tries < 500; tries++) {
		if (caps_signer_connect(hn_os_real(), path, &signer, NULL) < 0 ||
			signer->ops->status(signer, &status, NULL) < 0) {
			crypto_signer_free(signer);
			signer = NULL;
			usleep(10000); /* between two tries */
		}
		if (tries == 0)
			first = os_monotonic(hn_os_real()) - begun;
	}
	cr_assert_not_null(signer, "no place in 5 seconds");
	cr_expect(tries > 1 || first >= SILENT_LONG,
		"a place that was taken just now was lost at once");
	cr_expect_eq(recv(fds[0], &answer, 1, MSG_DONTWAIT), 0); /* the one that came first */
	cr_expect_eq(recv(fds[15], &answer, 1, MSG_DONTWAIT), -1);
	for (size_t i = 0; i < BASE_COUNT(fds); i++)
		close(fds[i]);
}

/* The connection of a client that had nothing to ask for long may be gone. */
Test(signer_socket, a_client_that_was_sent_away_comes_again)
{
	crypto_signer_status status;

	cr_assert_eq(signer->ops->status(signer, &status, NULL), 0);
	cr_assert_eq(stop(SIGTERM), 0);
	start();
	cr_expect_eq(signer->ops->status(signer, &status, NULL), 0);
}

Test(signer_socket, a_user_who_is_not_served_is_disconnected)
{
	int status = -1;
	pid_t other;

	if (geteuid() != 0)
		cr_skip_test("only root can become somebody else");
	cr_assert_eq(chmod(directory, 0755), 0);
	cr_assert_eq(chmod(path, 0666), 0);
	other = fork();
	if (other == 0) {
		char answer;
		int fd = setuid(12345) == 0 ? connect_raw() : -1;

		_exit(fd >= 0 && recv(fd, &answer, 1, 0) == 0 ? 0 : 1);
	}
	cr_assert_eq(waitpid(other, &status, 0), other);
	cr_assert_eq(status, 0);
}

Test(signer_socket, ends_in_order)
{
	cr_assert_eq(stop(SIGTERM), 0);
}

Test(signer_socket, a_second_signer_does_not_take_the_socket)
{
	hn_signer_options options = HN_SIGNER_OPTIONS_INIT;

	options.socket = path;
	options.keys = keys;
	cr_assert_eq(hn_signer_serve(&options, NULL, NULL), HN_EBUSY);
}

static int serve_code(const char *socket_path, const char *keys_path, int credential)
{
	hn_signer_options options = HN_SIGNER_OPTIONS_INIT;
	hn_error *err = NULL;
	int rc;

	options.socket = socket_path;
	options.keys = keys_path;
	options.credential = credential;
	rc = hn_signer_serve(&options, NULL, &err);
	cr_assert_eq((int)hn_error_code(err), rc);
	hn_error_unref(err);
	return rc;
}

static int credential_of(size_t size)
{
	static const uint8_t bytes[64];
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], bytes, size), (ssize_t)size);
	close(ends[1]);
	return ends[0];
}

Test(signer_socket, a_signer_that_cannot_be_is_refused)
{
	char long_path[200], fresh[80];
	int small = credential_of(31), large = credential_of(33), other = credential_of(32);

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	snprintf(fresh, sizeof(fresh), "%s/fresh", directory);
	cr_assert_eq(serve_code(NULL, keys, -1), HN_EINVAL);
	cr_assert_eq(serve_code(path, NULL, -1), HN_EINVAL);
	cr_assert_eq(serve_code(long_path, keys, -1), HN_EPATHLEN);
	cr_assert_eq(serve_code(path, fresh, small), HN_EKEY);
	cr_assert_eq(serve_code(path, fresh, large), HN_EKEY);
	cr_assert_eq(serve_code(path, keys, other), HN_ECRYPT);
	cr_assert_eq(serve_code(path, "/dev/null", -1), HN_EKEY);
	close(small);
	close(large);
	close(other);
}
