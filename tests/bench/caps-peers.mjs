// SPDX-License-Identifier: MIT
//
// What other tokens and policies cost in node, in CPU time: "name TAB us" a line, or "skip TAB name TAB why".
//
//   node caps-peers.mjs FOLDER      into which npm installed the packages that are there
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.argv[2], 'node_modules', 'x.js'));
const cpu = () => { const { user, system } = process.cpuUsage(); return user + system; };

// The median of seven runs, after one that warms up.
async function measure(name, count, call) {
	const took = [];
	for (let run = 0; run < 8; run++) {
		const began = cpu();
		for (let i = 0; i < count; i++)
			await call();
		took.push((cpu() - began) / count);
	}
	took.shift();
	took.sort((a, b) => a - b);
	console.log(`${name}\t${took[3].toFixed(1)}`);
}

async function biscuit() {
	// Its module is for bundlers: the glue and the wasm are put together by hand.
	const { readFileSync } = await import('node:fs');
	const folder = join(process.argv[2], 'node_modules', '@biscuit-auth', 'biscuit-wasm', 'module');
	const glue = await import(pathToFileURL(join(folder, 'biscuit_bg.js')));
	const wasm = await WebAssembly.compile(readFileSync(join(folder, 'biscuit_bg.wasm')));
	const wanted = {};
	for (const { module, name } of WebAssembly.Module.imports(wasm)) {
		const from = module === './biscuit_bg.js' ? glue : await import(pathToFileURL(join(folder, module)));
		(wanted[module] ??= {})[name] = from[name];
	}
	const { exports } = await WebAssembly.instantiate(wasm, wanted);
	glue.__wbg_set_wasm(exports);
	exports.__wbindgen_start?.();
	const pair = new glue.KeyPair();
	const builder = glue.Biscuit.builder();
	builder.addCode('user("alice"); right("unit/web", "read");');
	let token = builder.build(pair.getPrivateKey());
	for (let i = 0; i < 2; i++) {
		const block = glue.Biscuit.block_builder();
		block.addCode('check if resource("unit/web");');
		token = token.appendBlock(block);
	}
	const bytes = token.toBytes(), key = pair.getPublicKey();
	await measure('biscuit', 30, () => {
		const read = glue.Biscuit.fromBytes(bytes, key);
		const authorizer = new glue.Authorizer();
		authorizer.addToken(read);
		authorizer.addCode('resource("unit/web"); operation("read"); allow if right("unit/web", "read");');
		authorizer.authorizeWithLimits({ max_facts: 1000, max_iterations: 100, max_time_micro: 10000000 });
		authorizer.free();
		read.free();
	});
}

async function cose() {
	const { Sign1, ProtectedHeaders, UnprotectedHeaders, Headers, Algorithms } = require('@auth0/cose');
	const { privateKey, publicKey } = generateKeyPairSync('ed25519');
	const headers = ProtectedHeaders ? new ProtectedHeaders([[Headers.Algorithm, Algorithms.EdDSA]]) : new Map([[1, -8]]);
	const signed = await Sign1.sign(headers, new UnprotectedHeaders(), Buffer.alloc(120, 7), privateKey);
	const bytes = signed.encode();
	await measure('cose', 200, () => Sign1.decode(bytes).verify(publicKey));
}

async function jose() {
	const { SignJWT, jwtVerify } = await import(pathToFileURL(require.resolve('jose')));
	const { privateKey, publicKey } = generateKeyPairSync('ed25519');
	const token = await new SignJWT({ on: 'unit/*' }).setProtectedHeader({ alg: 'EdDSA' }).setSubject('alice')
		.setExpirationTime('1h').sign(privateKey);
	await measure('jose', 200, () => jwtVerify(token, publicKey));
}

async function cedar() {
	const engine = require('@cedar-policy/cedar-wasm/nodejs');
	const staticPolicies = 'permit(principal == User::"alice", action in [Action::"read", Action::"start"], resource) '
		+ 'when { resource.tag == "web" };';
	engine.preparsePolicySet?.('one', { staticPolicies });
	const uid = (type, id) => ({ type, id });
	const request = {
		principal: uid('User', 'alice'), action: uid('Action', 'read'), resource: uid('Unit', 'web'), context: {},
		entities: [{ uid: uid('Unit', 'web'), attrs: { tag: 'web' }, parents: [] }],
	};
	const call = engine.statefulIsAuthorized
		? () => engine.statefulIsAuthorized({ ...request, preparsedPolicySetId: 'one', validateRequest: false })
		: () => engine.isAuthorized({ ...request, policies: { staticPolicies } });
	const answer = call();
	if (answer.type !== 'success' || answer.response.decision !== 'allow')
		throw new Error(`it said ${JSON.stringify(answer).slice(0, 200)}`);
	await measure('cedar', 200, call);
}

for (const [name, peer] of Object.entries({ biscuit, cose, jose, cedar })) {
	try {
		await peer();
	} catch (error) {
		console.log(`skip\t${name}\t${String(error.message ?? error).split('\n')[0]}`);
	}
}
