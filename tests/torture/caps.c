/* SPDX-License-Identifier: MIT
 *
 * Torture of caps: the signer starts for the first time, seals and makes new keys while memory and
 * disk fail and the power goes. It always starts again, and never forgets what it answered.
 */
#include "caps/signer-private.h"
#include "torture.h"
#include <stdlib.h>

static const uint8_t leaves[5][CRYPTO_DIGEST] = {{1}, {2}, {3}, {4}, {5}};

static int open_signer(torture *t, crypto_signer **signer, hn_error **err)
{
	return caps_signer_open(
		&(caps_signer_options){
			.os = t->os, .directory = "/keys", .origin = "hypernix.org/audit/lab/n1"},
		signer, err);
}

/* --- the first start --- */

static int start_run(torture *t, hn_error **err)
{
	crypto_signer *signer = t->output;
	int rc = open_signer(t, &signer, err);

	t->output = signer;
	return rc;
}

static int start_check(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	crypto_signer_status status;

	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, &status, NULL) == 0);
	TORTURE_CHECK(status.keys == CRYPTO_ROLES && status.size == 0);
	return 0;
}

static void start_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		crypto_signer_free(t->output);
}

/* --- a seal on a log of three records --- */

typedef struct seal_state {
	crypto_sealed first, second;
} seal_state;

static int seal_prepare(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	seal_state *state = t->state = calloc(1, sizeof(*state));

	TORTURE_CHECK(state != NULL);
	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->seal(signer, 0, leaves, 3, &state->first, NULL) == 0);
	return 0;
}

static int seal_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	seal_state *state = t->state;
	int rc = open_signer(t, &signer, err);

	return rc < 0 ? rc : signer->ops->seal(signer, 3, leaves + 3, 2, &state->second, err);
}

/* Three records or five; five when it was answered so, and the same answer again. */
static int seal_check(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	const seal_state *state = t->state;
	crypto_signer_status status;
	crypto_sealed again;

	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, &status, NULL) == 0);
	TORTURE_CHECK(status.size == 5 || (status.size == 3 && t->code < 0));
	TORTURE_CHECK(signer->ops->seal(signer, status.size, NULL, 0, &again, NULL) == 0);
	if (status.size == 3)
		TORTURE_CHECK(strcmp(again.note, state->first.note) == 0 &&
			      memcmp(again.mac, state->first.mac, CRYPTO_DIGEST) == 0);
	if (t->code >= 0)
		TORTURE_CHECK(strcmp(again.note, state->second.note) == 0 &&
			      memcmp(again.mac, state->second.mac, CRYPTO_DIGEST) == 0);
	return 0;
}

static void state_clean(torture *t)
{
	free(t->state);
	t->state = NULL;
}

/* --- a new key --- */

static int rotate_prepare(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	crypto_signer_status *status = t->state = calloc(1, sizeof(*status));

	TORTURE_CHECK(status != NULL);
	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, status, NULL) == 0);
	return 0;
}

static int rotate_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	uint8_t public_key[CRYPTO_PUBLIC];
	int rc = open_signer(t, &signer, err);

	if (rc >= 0)
		rc = signer->ops->rotate(signer, CRYPTO_ROLE_AUDIT, 60, public_key, err);
	if (rc >= 0)
		rc = signer->ops->rotate(signer, CRYPTO_ROLE_RECORD, 0, public_key, err);
	return rc;
}

static int rotate_check(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	const crypto_signer_status *before = t->state;
	crypto_signer_status now;
	bool replaced;

	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, &now, NULL) == 0);
	replaced = memcmp(now.key[CRYPTO_ROLE_AUDIT].public_key,
			   before->key[CRYPTO_ROLE_AUDIT].public_key, CRYPTO_PUBLIC) != 0;
	TORTURE_CHECK(replaced || t->code < 0);
	TORTURE_CHECK(now.generation == 2 || (now.generation == 1 && t->code < 0));
	TORTURE_CHECK(memcmp(now.key[CRYPTO_ROLE_ISSUER].public_key,
			      before->key[CRYPTO_ROLE_ISSUER].public_key, CRYPTO_PUBLIC) == 0);
	return 0;
}

static const torture_scenario scenarios[] = {
	{.name = "first start",
		.run = start_run,
		.check = start_check,
		.clean = start_clean,
		.io = true,
		.crash = true},
	{.name = "seal",
		.prepare = seal_prepare,
		.run = seal_run,
		.check = seal_check,
		.clean = state_clean,
		.io = true,
		.crash = true},
	{.name = "rotate",
		.prepare = rotate_prepare,
		.run = rotate_run,
		.check = rotate_check,
		.clean = state_clean,
		.io = true,
		.crash = true},
};

int main(int argc, char **argv)
{
	return torture_main("caps", scenarios, BASE_COUNT(scenarios), argc, argv);
}
