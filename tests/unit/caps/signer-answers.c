/* SPDX-License-Identifier: MIT
 *
 * Answers as the signer's client takes them: those of a real signer, and the same cut short, longer
 * or of another kind. What cannot be read is no answer, and nothing of it is given on.
 */
#include "signer-helper.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static hn_os *keys_os;       /* simulated, of the keys */
static crypto_signer *local; /* gives the real answers */
static hn_os_ops ops;        /* of the client: real but for its connections */
static hn_os os = {.ops = &ops};
static int next_end = -1; /* what the client gets when it connects */

static int connect_to_us(hn_os *to, const char *path)
{
	int fd = next_end;

	(void)to, (void)path;
	next_end = -1;
	return fd;
}

static void init(void)
{
	signer_new(&keys_os, &local);
	ops = *hn_os_real()->ops;
	ops.connect_unix = connect_to_us;
}

static void fini(void)
{
	crypto_signer_free(local);
	hn_os_sim_free(keys_os);
}

TestSuite(signer_answers, .init = init, .fini = fini, .timeout = 120);

/* --- the operations, each with something to answer --- */

static const uint8_t leaf[1][CRYPTO_DIGEST] = {{1}};
static const crypto_place place = {"secret", "body", 7, 1};
static uint8_t box[5 + CRYPTO_BOX_OVERHEAD];
static base_buf record;

static int ask_status(crypto_signer *of)
{
	crypto_signer_status status;
	int rc = of->ops->status(of, &status, NULL);

	if (rc == 0)
		cr_expect_str_eq(status.origin, ORIGIN);
	return rc;
}

static int ask_issue(crypto_signer *of)
{
	crypto_issued issued;

	return of->ops->issue(of, "x", 1, &issued, NULL);
}

static int ask_seal(crypto_signer *of)
{
	crypto_sealed sealed;
	int rc = of->ops->seal(of, 0, leaf, 1, &sealed, NULL);

	if (rc == 0)
		cr_expect_eq(sealed.size, 1);
	return rc;
}

static int ask_cosign(crypto_signer *of)
{
	crypto_merkle_proof proof = {.count = 1};
	char line[CRYPTO_SIGNER_NOTE];

	return of->ops->cosign(of, 0, &proof, "x", 1, line, NULL);
}

static int ask_node(crypto_signer *of)
{
	uint8_t signature[CRYPTO_SIGNATURE];

	return of->ops->node(of, "vote", leaf[0], signature, NULL);
}

static int ask_record(crypto_signer *of)
{
	BASE_AUTO_BUF base_buf made = {0};
	int rc = of->ops->record_seal(of, &place, (crypto_bytes){"plain", 5}, &made, NULL);

	cr_expect_eq(made.size, rc == 0 ? 5 + CRYPTO_RECORD_OVERHEAD : 0);
	return rc;
}

static int secret_of(int rc, crypto_secret *plain, size_t size)
{
	cr_expect_eq(rc == 0, plain != NULL);
	if (plain != NULL)
		cr_expect_eq(crypto_secret_size(plain), size);
	crypto_secret_free(plain);
	return rc;
}

static int ask_open(crypto_signer *of)
{
	crypto_secret *plain = NULL;
	int rc = of->ops->record_open(
		of, &place, (crypto_bytes){record.data, record.size}, &plain, NULL);

	return secret_of(rc, plain, 5);
}

static int ask_box(crypto_signer *of)
{
	crypto_secret *plain = NULL;
	int rc = of->ops->box_open(of, (crypto_bytes){box, sizeof(box)}, &plain, NULL);

	return secret_of(rc, plain, 5);
}

static int ask_rotate(crypto_signer *of)
{
	uint8_t key[CRYPTO_PUBLIC];

	return of->ops->rotate(of, CRYPTO_ROLE_NODE, 60, key, NULL);
}

static int ask_first_mac(crypto_signer *of)
{
	crypto_secret *key = NULL;
	int rc = of->ops->first_mac(of, &key, NULL);

	return secret_of(rc, key, CRYPTO_DIGEST);
}

static const struct operation {
	const char *name;
	int (*ask)(crypto_signer *of);
	int code;
	bool secret;
} operations[] = {
	{"status", ask_status, 0, false},
	{"issue", ask_issue, HN_ETOKEN, false},
	{"seal", ask_seal, 0, false},
	{"cosign", ask_cosign, HN_ESYNTAX, false},
	{"node", ask_node, 0, false},
	{"record", ask_record, 0, false},
	{"open", ask_open, 0, true},
	{"box", ask_box, 0, true},
	{"rotate", ask_rotate, 0, false},
	{"first MAC", ask_first_mac, 0, true},
};

static void make_secrets(void)
{
	crypto_signer_status status;

	cr_assert_eq(local->ops->status(local, &status, NULL), 0);
	cr_assert_eq(
		crypto_x25519_seal(status.key[CRYPTO_ROLE_BOX].public_key, "hello", 5, box, NULL),
		0);
	cr_assert_eq(
		local->ops->record_seal(local, &place, (crypto_bytes){"plain", 5}, &record, NULL),
		0);
}

/* --- one exchange, whose answer is there before it is asked --- */

static int exchange(const struct operation *one, int theirs)
{
	crypto_signer *client = NULL;
	int rc;

	cr_assert_eq(caps_signer_connect(&os, "none", &client, NULL), 0);
	next_end = theirs;
	rc = one->ask(client);
	crypto_signer_free(client);
	return rc;
}

static void pair(int ends[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
}

/* What a real signer answers: the frame with its length, and the secret that goes beside it. */
static void real_answer(const struct operation *one, base_buf *answer, crypto_secret **secret)
{
	static uint8_t asked[SIGNER_HEAD + SIGNER_FRAME];
	ssize_t got;
	int ends[2];

	pair(ends);
	cr_assert_eq(shutdown(ends[0], SHUT_WR), 0); /* it hears nothing */
	cr_assert_eq(exchange(one, ends[1]), HN_ESIGNER, "%s", one->name);
	got = recv(ends[0], asked, sizeof(asked), 0);
	close(ends[0]);
	cr_assert_gt(got, SIGNER_HEAD, "%s", one->name);
	cr_assert_eq(signer_answer(local, asked + SIGNER_HEAD, (size_t)got - SIGNER_HEAD, answer,
			     secret, NULL),
		0, "%s", one->name);
}

static int answered_with(
	const struct operation *one, const void *bytes, size_t size, const crypto_secret *secret)
{
	BASE_AUTO_BUF base_buf frame = {0};
	uint8_t head[SIGNER_HEAD] = {0, 0, (uint8_t)(size >> 8), (uint8_t)size};
	int ends[2], rc;

	base_buf_add(&frame, head, sizeof(head));
	base_buf_add(&frame, bytes, size);
	pair(ends);
	cr_assert_eq(signer_send(ends[0], (crypto_bytes){frame.data, frame.size},
			     (crypto_bytes){NULL, 0}, secret, OS_SECOND, NULL),
		0);
	rc = exchange(one, ends[1]);
	close(ends[0]);
	return rc;
}

Test(signer_answers, what_is_whole_is_taken_and_nothing_else)
{
	make_secrets();
	for (size_t i = 0; i < BASE_COUNT(operations); i++) {
		const struct operation *one = &operations[i];
		BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
		BASE_AUTO_BUF base_buf answer = {0};
		const char *bytes;
		size_t size;

		real_answer(one, &answer, &secret);
		cr_assert_eq(secret != NULL, one->secret, "%s", one->name);
		bytes = answer.data + SIGNER_HEAD;
		size = answer.size - SIGNER_HEAD;
		cr_expect_eq(answered_with(one, bytes, size, secret), one->code, "%s", one->name);
		for (size_t cut = 1; cut < size; cut++)
			cr_expect_eq(answered_with(one, bytes, cut, secret), HN_ESIGNER,
				"%s cut at %zu", one->name, cut);
		base_buf_add(&answer, "\xf6", 1);
		cr_expect_eq(answered_with(one, answer.data + SIGNER_HEAD, size + 1, secret),
			HN_ESIGNER, "%s with more", one->name);
	}
	base_buf_free(&record);
}

/* Each byte in turn becomes a null, an empty list, and a number: no head of these may be another.
 */
Test(signer_answers, an_answer_of_another_kind)
{
	static const uint8_t others[] = {0xf6, 0x80, 0x1b};

	make_secrets();
	for (size_t i = 0; i < BASE_COUNT(operations); i++) {
		const struct operation *one = &operations[i];
		BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
		BASE_AUTO_BUF base_buf answer = {0};

		real_answer(one, &answer, &secret);
		for (size_t k = 0; k < sizeof(others); k++)
			/* the array, the version, the id and the code */
			for (size_t at = 0; at < 4; at++) {
				char kept = answer.data[SIGNER_HEAD + at];

				answer.data[SIGNER_HEAD + at] = (char)others[k];
				cr_expect_eq(answered_with(one, answer.data + SIGNER_HEAD,
						     answer.size - SIGNER_HEAD, secret),
					HN_ESIGNER, "%s, %zu, %02x", one->name, at, others[k]);
				answer.data[SIGNER_HEAD + at] = kept;
			}
	}
	base_buf_free(&record);
}

/* --- secrets --- */

/* The answer to the first MAC, with these descriptors beside it. */
static int first_mac_with(const int *fds, size_t count)
{
	static char frame[] = "\0\0\0\5\x84\1\1\0\x80";
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = {0};
	struct iovec part = {frame, sizeof(frame) - 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	int ends[2], rc;

	if (count > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	}
	pair(ends);
	cr_assert_eq(sendmsg(ends[0], &message, 0), (ssize_t)part.iov_len);
	rc = exchange(&operations[9], ends[1]);
	close(ends[0]);
	return rc;
}

static int memfd_with(size_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)size), 0);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

Test(signer_answers, a_secret_comes_in_a_sealed_memfd_of_a_size_or_not_at_all)
{
	int whole = memfd_with(CRYPTO_DIGEST, ALL_SEALS);
	int open_ = memfd_with(CRYPTO_DIGEST, F_SEAL_SHRINK | F_SEAL_GROW);
	int large = memfd_with(CRYPTO_SIGNER_RECORD + 1, ALL_SEALS);
	int none[2], both[2] = {whole, whole};

	cr_assert_eq(pipe(none), 0);
	cr_expect_eq(first_mac_with(&whole, 1), 0);
	cr_expect_eq(first_mac_with(NULL, 0), HN_ESIGNER, "an answer without its secret");
	cr_expect_eq(first_mac_with(&open_, 1), HN_ESIGNER, "it could still be changed");
	cr_expect_eq(first_mac_with(&large, 1), HN_ESIGNER);
	cr_expect_eq(first_mac_with(none, 1), HN_ESIGNER, "a pipe");
	cr_expect_eq(first_mac_with(both, 2), 0, "the second one is closed");
	close(whole);
	close(open_);
	close(large);
	close(none[0]);
	close(none[1]);
}
