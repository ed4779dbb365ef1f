/* SPDX-License-Identifier: MIT
 *
 * What is common to all signers.
 */
#include "crypto/signer.h"

const char *crypto_role_name(crypto_role role)
{
	static const char *const names[CRYPTO_ROLES] = {
		"issuer", "audit", "witness", "node", "box", "record"};

	return (unsigned)role < CRYPTO_ROLES ? names[role] : NULL;
}

void crypto_signer_free(crypto_signer *signer)
{
	if (signer != NULL)
		signer->ops->close(signer);
}
