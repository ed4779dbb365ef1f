/* SPDX-License-Identifier: MIT
 *
 * The signer's operations asked of hv-signer over its socket.
 */
#include "caps/signer-wire.h"

#include <poll.h>

#define ANSWER_WITHIN (15 * OS_SECOND)

typedef struct signer_client {
	crypto_signer base; /* first */
	hn_os *os;
	char *path;
	int fd; /* -1: not connected */
	uint64_t id;
} signer_client;

/* A question and its answer. */
typedef struct exchange {
	codec_cbor_out ask;
	crypto_bytes rest; /* bytes of the frame behind `ask`: a secret is not copied into it */
	base_buf frame;    /* of the answer */
	codec_cbor in;     /* at its result */
	crypto_secret *secret;
} exchange;

static signer_client *client_of(crypto_signer *signer)
{
	return (signer_client *)(void *)signer;
}

static void exchange_clear(exchange *talk)
{
	base_buf_free(&talk->ask.buf);
	base_buf_free(&talk->frame);
	crypto_secret_free(talk->secret);
}

/* --- the connection --- */

static void hang_up(signer_client *client)
{
	if (client->fd >= 0)
		client->os->ops->close(client->os, client->fd);
	client->fd = -1;
}

/* What a signer that was started anew has left of our connection: its end. */
static bool is_stale(const signer_client *client)
{
	return client->os->ops->poll(client->os, client->fd, POLLIN, 0) > 0;
}

static int call(signer_client *client, hn_error **err)
{
	const char *why;

	if (client->fd >= 0 && is_stale(client))
		hang_up(client);
	if (client->fd >= 0)
		return 0;
	client->fd = client->os->ops->connect_unix(client->os, client->path);
	if (client->fd >= 0)
		return 0;
	why = strerrordesc_np(-client->fd);
	client->fd = -1;
	return base_error(err, HN_ESIGNER, SIGNER_ROOM, "is hv-signer running?",
		"cannot reach the signer on %s: %s", client->path, why != NULL ? why : "unknown");
}

static void begin(signer_client *client, exchange *talk, signer_operation operation, uint64_t count)
{
	signer_frame_begin(&talk->ask);
	codec_cbor_put_array(&talk->ask, 4);
	codec_cbor_put_uint(&talk->ask, SIGNER_VERSION);
	codec_cbor_put_uint(&talk->ask, ++client->id);
	codec_cbor_put_uint(&talk->ask, operation);
	codec_cbor_put_array(&talk->ask, count);
}

/* The head of a byte string whose bytes come behind: that of its length with another major type. */
static void put_rest(exchange *talk, crypto_bytes rest)
{
	size_t at = talk->ask.buf.size;

	codec_cbor_put_uint(&talk->ask, rest.size);
	if (!talk->ask.buf.failed)
		talk->ask.buf.data[at] = (char)((uint8_t)talk->ask.buf.data[at] | 0x40);
	talk->rest = rest;
}

static int malformed(hn_error **err)
{
	return base_error(err, HN_ESIGNER, SIGNER_ROOM, NULL,
		"the signer's answer cannot be read: is it of another version?");
}

static bool optional_text(codec_cbor *in, char *text, size_t room)
{
	const char *found = NULL;
	size_t size = 0;

	text[0] = '\0';
	if (codec_cbor_peek(in) == CODEC_CBOR_NULL)
		return codec_cbor_null(in);
	if (!codec_cbor_text(in, &found, &size))
		return false;
	if (size >= room)
		size = room - 1;
	memcpy(text, found, size);
	text[size] = '\0';
	return true;
}

/* A refusal becomes the error that the signer had. */
static int refused(codec_cbor *in, int64_t code, hn_error **err)
{
	char message[1024], hint[512];
	uint64_t parts = 0;
	int64_t size = 0;
	bool has_size = false, held;

	held = code > INT16_MIN && codec_cbor_array(in, &parts) && parts == 3 &&
	       optional_text(in, message, sizeof(message)) && optional_text(in, hint, sizeof(hint));
	if (held && codec_cbor_peek(in) == CODEC_CBOR_NULL) {
		held = codec_cbor_null(in);
	} else if (held) {
		held = codec_cbor_int(in, &size);
		has_size = true;
	}
	if (!held || codec_cbor_end(in, NULL) < 0)
		return malformed(err);
	base_error(err, (hn_code)code, SIGNER_ROOM, NULL, "%s", message);
	if (hint[0] != '\0')
		base_error_hint(err, "%s", hint);
	if (has_size)
		base_error_fact_number(err, "size", size);
	return (int)code;
}

static int read_answer(const signer_client *client, exchange *talk, hn_error **err)
{
	codec_cbor *in = &talk->in;
	uint64_t parts = 0, version = 0, id = 0;
	int64_t code = 0;

	codec_cbor_open(in, talk->frame.data, talk->frame.size);
	if (!codec_cbor_array(in, &parts) || parts != 4 || !codec_cbor_uint(in, &version) ||
		version != SIGNER_VERSION || !codec_cbor_uint(in, &id) || id != client->id ||
		!codec_cbor_int(in, &code) || code > 0)
		return malformed(err);
	return code < 0 ? refused(in, code, err) : 0;
}

/* Sends what was asked and opens the result, an array of `count` items. */
static int ask(signer_client *client, exchange *talk, uint64_t count, hn_error **err)
{
	uint64_t parts = 0;
	int rc;

	signer_frame_end(&talk->ask, talk->rest.size);
	if (talk->ask.buf.failed)
		return base_nomem(err);
	if (talk->ask.buf.size - SIGNER_HEAD + talk->rest.size > SIGNER_FRAME)
		return base_error(err, HN_ELIMIT, SIGNER_ROOM, NULL,
			"a question of %zu bytes, at most %d are asked",
			talk->ask.buf.size - SIGNER_HEAD + talk->rest.size, SIGNER_FRAME);
	rc = call(client, err);
	if (rc < 0)
		return rc;
	rc = signer_send(client->fd, (crypto_bytes){talk->ask.buf.data, talk->ask.buf.size},
		talk->rest, NULL, ANSWER_WITHIN, err);
	if (rc >= 0)
		rc = signer_receive(
			client->os, client->fd, ANSWER_WITHIN, &talk->frame, &talk->secret, err);
	if (rc < 0) {
		hang_up(client); /* an answer that comes late would be taken for the next one's */
		return rc;
	}
	rc = read_answer(client, talk, err);
	if (rc == HN_ESIGNER)
		hang_up(client);
	if (rc >= 0 && (!codec_cbor_array(&talk->in, &parts) || parts != count))
		rc = malformed(err);
	return rc;
}

/* --- results --- */

/* Bytes that become a text with a NUL of at most room bytes. */
static bool get_line(codec_cbor *in, char *text, size_t room, size_t *size)
{
	const uint8_t *found = NULL;

	if (!codec_cbor_bytes(in, &found, size) || *size >= room)
		return false;
	memcpy(text, found, *size);
	text[*size] = '\0';
	return true;
}

static int ended(exchange *talk, bool held, hn_error **err)
{
	return held && codec_cbor_end(&talk->in, NULL) == 0 ? 0 : malformed(err);
}

static bool get_number(codec_cbor *in, uint32_t *number)
{
	uint64_t found = 0;

	if (!codec_cbor_uint(in, &found) || found > UINT32_MAX)
		return false;
	*number = (uint32_t)found;
	return true;
}

static bool get_keys(codec_cbor *in, crypto_signer_status *status)
{
	uint64_t count = 0;

	if (!codec_cbor_array(in, &count) || count != CRYPTO_ROLES)
		return false;
	for (int role = 0; role < CRYPTO_ROLES; role++) {
		if (!codec_cbor_array(in, &count) || count != 3 ||
			!signer_get_fixed(in, status->key[role].public_key, CRYPTO_PUBLIC) ||
			!codec_cbor_int(in, &status->key[role].made) ||
			!codec_cbor_int(in, &status->key[role].not_after))
			return false;
	}
	return true;
}

/* --- operations --- */

static int client_status(crypto_signer *base, crypto_signer_status *status, hn_error **err)
{
	signer_client *client = client_of(base);
	crypto_signer_status made = {0};
	exchange talk = {0};
	codec_cbor *in = &talk.in;
	int rc;

	begin(client, &talk, SIGNER_STATUS, 0);
	rc = ask(client, &talk, 11, err);
	if (rc >= 0)
		rc = ended(&talk,
			codec_cbor_bool(in, &made.kek_beside) &&
				codec_cbor_bool(in, &made.first_mac_here) &&
				get_number(in, &made.keys) && get_number(in, &made.generation) &&
				codec_cbor_uint(in, &made.size) &&
				signer_get_fixed(in, made.root, CRYPTO_DIGEST) &&
				codec_cbor_uint(in, &made.checkpoints) &&
				signer_get_fixed(in, made.chain, CRYPTO_DIGEST) &&
				signer_get_fixed(in, made.before, CRYPTO_DIGEST) &&
				optional_text(in, made.origin, sizeof(made.origin)) &&
				get_keys(in, &made),
			err);
	exchange_clear(&talk);
	if (rc >= 0)
		*status = made;
	return rc;
}

static int client_issue(
	crypto_signer *base, const void *claims, size_t size, crypto_issued *issued, hn_error **err)
{
	signer_client *client = client_of(base);
	crypto_issued made;
	exchange talk = {0};
	int rc;

	begin(client, &talk, SIGNER_ISSUE, 1);
	codec_cbor_put_bytes(&talk.ask, claims, size);
	rc = ask(client, &talk, 2, err);
	if (rc >= 0)
		rc = ended(&talk,
			signer_get_fixed(&talk.in, made.kid, sizeof(made.kid)) &&
				signer_get_fixed(&talk.in, made.signature, sizeof(made.signature)),
			err);
	exchange_clear(&talk);
	if (rc >= 0)
		*issued = made;
	return rc;
}

static int client_seal(crypto_signer *base, uint64_t from, const uint8_t (*leaves)[CRYPTO_DIGEST],
	size_t count, crypto_sealed *sealed, hn_error **err)
{
	signer_client *client = client_of(base);
	crypto_sealed made = {0};
	exchange talk = {0};
	int rc;

	begin(client, &talk, SIGNER_SEAL, 2);
	codec_cbor_put_uint(&talk.ask, from);
	codec_cbor_put_array(&talk.ask, count);
	for (size_t i = 0; i < count; i++)
		codec_cbor_put_bytes(&talk.ask, leaves[i], CRYPTO_DIGEST);
	rc = ask(client, &talk, 4, err);
	if (rc >= 0)
		rc = ended(&talk,
			codec_cbor_uint(&talk.in, &made.size) &&
				signer_get_fixed(&talk.in, made.root, CRYPTO_DIGEST) &&
				signer_get_fixed(&talk.in, made.mac, CRYPTO_DIGEST) &&
				get_line(&talk.in, made.note, sizeof(made.note), &made.note_size),
			err);
	exchange_clear(&talk);
	if (rc >= 0)
		*sealed = made;
	return rc;
}

static int client_cosign(crypto_signer *base, uint64_t old_size, const crypto_merkle_proof *proof,
	const char *note, size_t size, char *line, hn_error **err)
{
	signer_client *client = client_of(base);
	char made[CRYPTO_SIGNER_NOTE];
	exchange talk = {0};
	size_t length = 0;
	int rc;

	begin(client, &talk, SIGNER_COSIGN, 3);
	codec_cbor_put_uint(&talk.ask, old_size);
	codec_cbor_put_array(&talk.ask, proof->count);
	for (size_t i = 0; i < proof->count; i++)
		codec_cbor_put_bytes(&talk.ask, proof->node[i], CRYPTO_DIGEST);
	codec_cbor_put_bytes(&talk.ask, note, size);
	rc = ask(client, &talk, 1, err);
	if (rc >= 0)
		rc = ended(&talk, get_line(&talk.in, made, sizeof(made), &length), err);
	exchange_clear(&talk);
	if (rc >= 0)
		memcpy(line, made, length + 1);
	return rc;
}

static int client_node(crypto_signer *base, const char *context, const uint8_t hash[CRYPTO_DIGEST],
	uint8_t signature[CRYPTO_SIGNATURE], hn_error **err)
{
	signer_client *client = client_of(base);
	uint8_t made[CRYPTO_SIGNATURE];
	exchange talk = {0};
	int rc;

	begin(client, &talk, SIGNER_NODE, 2);
	codec_cbor_put_text(&talk.ask, context, strlen(context));
	codec_cbor_put_bytes(&talk.ask, hash, CRYPTO_DIGEST);
	rc = ask(client, &talk, 1, err);
	if (rc >= 0)
		rc = ended(&talk, signer_get_fixed(&talk.in, made, sizeof(made)), err);
	/* by which guesses of a secret could be checked (caps_secret_digest) */
	if (talk.ask.buf.data)
		crypto_wipe(talk.ask.buf.data, talk.ask.buf.size);
	if (talk.frame.data)
		crypto_wipe(talk.frame.data, talk.frame.size);
	exchange_clear(&talk);
	if (rc >= 0)
		memcpy(signature, made, sizeof(made));
	crypto_wipe(made, sizeof(made));
	return rc;
}

static void put_place(codec_cbor_out *out, const crypto_place *place)
{
	codec_cbor_put_text(out, place->table, strlen(place->table));
	codec_cbor_put_text(out, place->column, strlen(place->column));
	codec_cbor_put_uint(out, place->row);
	codec_cbor_put_uint(out, place->version);
}

static int client_record_seal(crypto_signer *base, const crypto_place *place, crypto_bytes plain,
	base_buf *record, hn_error **err)
{
	signer_client *client = client_of(base);
	const uint8_t *found = NULL;
	exchange talk = {0};
	size_t size = 0;
	int rc;

	begin(client, &talk, SIGNER_SECRET, 6);
	codec_cbor_put_uint(&talk.ask, SIGNER_RECORD_SEAL);
	put_place(&talk.ask, place);
	put_rest(&talk, plain);
	rc = ask(client, &talk, 1, err);
	if (rc >= 0)
		rc = ended(&talk, codec_cbor_bytes(&talk.in, &found, &size), err);
	if (rc >= 0) {
		base_buf_add(record, found, size);
		rc = record->failed ? base_nomem(err) : 0;
	}
	exchange_clear(&talk);
	return rc;
}

/* The result is in the memfd alone. */
static int ask_secret(signer_client *client, exchange *talk, crypto_secret **plain, hn_error **err)
{
	int rc = ask(client, talk, 0, err);

	if (rc >= 0)
		rc = ended(talk, talk->secret != NULL, err);
	if (rc >= 0)
		*plain = BASE_STEAL(talk->secret);
	exchange_clear(talk);
	return rc;
}

static int client_record_open(crypto_signer *base, const crypto_place *place, crypto_bytes record,
	crypto_secret **plain, hn_error **err)
{
	signer_client *client = client_of(base);
	exchange talk = {0};

	begin(client, &talk, SIGNER_SECRET, 6);
	codec_cbor_put_uint(&talk.ask, SIGNER_RECORD_OPEN);
	put_place(&talk.ask, place);
	codec_cbor_put_bytes(&talk.ask, record.bytes, record.size);
	return ask_secret(client, &talk, plain, err);
}

static int client_box_open(
	crypto_signer *base, crypto_bytes box, crypto_secret **plain, hn_error **err)
{
	signer_client *client = client_of(base);
	exchange talk = {0};

	begin(client, &talk, SIGNER_SECRET, 2);
	codec_cbor_put_uint(&talk.ask, SIGNER_BOX_OPEN);
	codec_cbor_put_bytes(&talk.ask, box.bytes, box.size);
	return ask_secret(client, &talk, plain, err);
}

static int client_rotate(crypto_signer *base, crypto_role role, int64_t overlap,
	uint8_t public_key[CRYPTO_PUBLIC], hn_error **err)
{
	signer_client *client = client_of(base);
	uint8_t made[CRYPTO_PUBLIC];
	exchange talk = {0};
	int rc;

	if (crypto_role_name(role) == NULL || overlap < 0)
		return base_error(err, HN_EINVAL, SIGNER_ROOM, NULL,
			"role %d for %lld s is no rotation", (int)role, (long long)overlap);
	begin(client, &talk, SIGNER_ROTATE, 2);
	codec_cbor_put_uint(&talk.ask, role);
	codec_cbor_put_uint(&talk.ask, (uint64_t)overlap);
	rc = ask(client, &talk, 1, err);
	if (rc >= 0)
		rc = ended(&talk, signer_get_fixed(&talk.in, made, sizeof(made)), err);
	exchange_clear(&talk);
	if (rc >= 0)
		memcpy(public_key, made, sizeof(made));
	return rc;
}

static int client_first_mac(crypto_signer *base, crypto_secret **key, hn_error **err)
{
	signer_client *client = client_of(base);
	exchange talk = {0};

	begin(client, &talk, SIGNER_FIRST_MAC, 0);
	return ask_secret(client, &talk, key, err);
}

static void client_close(crypto_signer *base)
{
	signer_client *client = client_of(base);

	hang_up(client);
	base_free(client->path);
	base_free(client);
}

static const crypto_signer_ops client_ops = {
	.status = client_status,
	.issue = client_issue,
	.seal = client_seal,
	.cosign = client_cosign,
	.node = client_node,
	.record_seal = client_record_seal,
	.record_open = client_record_open,
	.box_open = client_box_open,
	.rotate = client_rotate,
	.first_mac = client_first_mac,
	.close = client_close,
};

int caps_signer_connect(hn_os *os, const char *socket, crypto_signer **signer, hn_error **err)
{
	signer_client *made;
	int rc = crypto_open(err);

	if (rc < 0)
		return rc;
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	*made = (signer_client){
		.base.ops = &client_ops, .os = os, .path = base_strdup(socket), .fd = -1};
	if (made->path == NULL) {
		client_close(&made->base);
		return base_nomem(err);
	}
	*signer = &made->base;
	return 0;
}
