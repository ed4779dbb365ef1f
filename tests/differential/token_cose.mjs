// SPDX-License-Identifier: MIT
//
// Every link of our tokens through @auth0/cose (signature, algorithm, crit) and cbor-x (one encoding).
//
//   node token_cose.mjs PROGRAM [COUNT] [SEED]
//
// HYPERNIX_NODE_MODULES is a folder into which `npm install @auth0/cose@1.0.2 cbor-x` was done. Exit 77: not there.
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.env.HYPERNIX_NODE_MODULES;
let cose, cborx;
try {
	const require = createRequire(join(folder, 'node_modules', 'x.js'));
	cose = require('@auth0/cose');
	cborx = require('cbor-x');
} catch (error) {
	console.log(`skipped: HYPERNIX_NODE_MODULES names no folder with @auth0/cose and cbor-x (${error.code ?? error.message})`);
	process.exit(77);
}

const ISSUER = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
const codec = new cborx.Encoder({ mapsAsObjects: false, useRecords: false, variableMapSize: true, tagUint8Array: false,
	int64AsNumber: false });

const keyOf = (raw) => createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') }, format: 'jwk' });

// A link's claims, when its signature is good under this key; its bytes must be the one encoding of what they say.
async function open(link, key) {
	const message = cose.Sign1.decode(link);
	await message.verify(keyOf(key), { algorithms: [cose.Algorithms.EdDSA] });
	if (!Buffer.from(codec.encode(codec.decode(message.payload))).equals(Buffer.from(message.payload)))
		throw new Error('claims are not encoded as cbor-x encodes them');
	return { message, claims: codec.decode(message.payload) };
}

async function check(bytes) {
	const [chain, [kind, seed]] = codec.decode(bytes);
	let key = ISSUER, before;
	for (const link of chain) {
		const { message, claims } = await open(link, key);
		if (before && !Buffer.from(message.protectedHeaders.get(-65537)).equals(createHash('sha256').update(before).digest()))
			throw new Error('another parent');
		key = claims.get(8).get(1).get(-2);
		before = link;
	}
	return { links: chain.length, kind, seed };
}

const lines = execFileSync(process.argv[2], process.argv.slice(3), { encoding: 'ascii', maxBuffer: 1 << 28 }).trim().split('\n');
let tokens = 0, links = 0, wrong = 0, damaged = 0, refused = 0;
for (const [place, line] of lines.entries()) {
	const [ours, hex] = line.split(' ');
	try {
		const found = await check(Buffer.from(hex, 'hex'));
		if (ours !== '0') {
			tokens++;
			links += found.links;
		} else {
			damaged++;
		}
	} catch (error) {
		if (ours === '0') {
			damaged++;
			refused++;
			continue;
		}
		wrong++;
		console.log(`token ${place}: ours ${ours}: ${error.message}`);
	}
}
console.log(`${tokens} good tokens with ${links} links verified; ${refused} of ${damaged} damaged ones refused by signature or ` +
	`encoding alone; ${wrong} differ`);
process.exit(wrong || !links ? 1 : 0);
