// SPDX-License-Identifier: MIT
//
// Our order of versions and our ranges against node-semver, on random ones that lie close together.
//
//   node semver.mjs PROGRAM [COUNT] [SEED]
//
// HYPERNIX_NODE_MODULES is a folder into which `npm install semver@7.3.5` was done. Exit 77: not there. Spelling and "+r"
// are not compared: npm takes v1.2.3 and puts +r9 after +r10. Alternatives are asked one by one, because npm makes "*"
// of "* || >=1.0.0-rc.1" and so forgets who asked for the prerelease.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

let semver;
try {
	const require = createRequire(join(process.env.HYPERNIX_NODE_MODULES, 'node_modules', 'x.js'));
	semver = require('semver');
} catch (error) {
	console.log(`skip differential-semver HYPERNIX_NODE_MODULES names no folder with semver (${error.code ?? error.message})`);
	process.exit(77);
}

const count = Number(process.argv[3] ?? (process.env.HYPERNIX_LONG ? 100000 : 20000));
let state = BigInt(process.argv[4] ?? 1);

// splitmix64.
function below(limit) {
	state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
	let mixed = state;
	mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n);
	mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
	return Number((mixed ^ (mixed >> 31n)) % BigInt(limit));
}

const one = (list) => list[below(list.length)];
const number = () => one([0, 0, 1, 1, 2, 3, 9, 10, 4503599627370495]);
const pre = () => Array.from({ length: 1 + below(3) }, () => one(['0', '1', '2', '9', '10', 'a', 'a9', 'a10', 'rc', 'B', '-', '0a'])).join('.');
const version = () => `${number()}.${number()}.${number()}${below(3) ? '' : `-${pre()}`}`;

function partial() {
	const kind = below(8);
	if (kind === 0)
		return '*';
	if (kind < 4)
		return Array.from({ length: kind === 1 ? 1 : 2 }, number).join('.');
	return version();
}

const comparator = () => one(['', '=', '>', '>=', '<', '<=', '^', '~', '^', '~']) + partial();
const alternative = () => Array.from({ length: 1 + below(3) }, comparator).join(' ');
const range = () => Array.from({ length: one([1, 1, 1, 2, 3]) }, alternative).join(' || ');

// A version of the same numbers as one that the range names, or any.
function near(text) {
	const whole = text.match(/\d+\.\d+\.\d+/g);
	if (!whole || below(3) === 0)
		return version();
	return one(whole) + (below(2) ? '' : `-${pre()}`);
}

const lines = Array.from({ length: count }, () => {
	const wanted = range();
	return `${near(wanted)} ${near(wanted)} ${wanted}`;
});
const answers = execFileSync(process.argv[2], ['semver'], { input: lines.join('\n') + '\n', encoding: 'utf8', maxBuffer: 1 << 28 })
	.trim().split('\n');
const inRange = (found, wanted) => Number(wanted.split(' || ').some((part) => semver.satisfies(found, part)));
let differ = answers.length === count ? 0 : 1, held = 0;
for (const [place, line] of lines.entries()) {
	const [a, b, ...rest] = line.split(' ');
	const wanted = rest.join(' ');
	const theirs = `${semver.compare(a, b)} ${inRange(a, wanted)} ${inRange(b, wanted)}`;
	held += theirs.endsWith('1');
	if (theirs !== answers[place] && ++differ <= 10)
		console.log(`${line}: ours ${answers[place]}, theirs ${theirs}`);
}
console.log(`${count} ranges with two versions each, ${held} hold the second; ${differ} differ`);
process.exit(differ || !held ? 1 : 0);
