/* SPDX-License-Identifier: MIT
 *
 * The parts of the calibration mix that are our own code: generator, cycle, merge sort, words,
 * b-tree. Their speed is what compute units mean: a change here that makes one faster or slower
 * needs a new mix version.
 */
#include "host/calibrate.h"

uint64_t host_splitmix64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number below bound; the bias of the high half of a product is below 2^-32 here. */
static size_t random_below(uint64_t *state, size_t bound)
{
	return (size_t)(((host_splitmix64(state) >> 32) * (uint64_t)bound) >> 32);
}

void host_cycle_make(uint32_t *next, size_t count, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		next[i] = (uint32_t)i;
	for (size_t i = count; i > 1; i--) {
		size_t other = random_below(&seed, i - 1);
		uint32_t kept = next[i - 1];

		next[i - 1] = next[other];
		next[other] = kept;
	}
}

uint32_t host_cycle_walk(const uint32_t *next, size_t steps)
{
	uint32_t place = 0;

	while (steps-- > 0)
		place = next[place];
	return place;
}

static void merge_runs(const uint64_t *from, uint64_t *to, size_t start, size_t middle, size_t end)
{
	size_t left = start, right = middle;

	for (size_t out = start; out < end; out++) {
		if (left < middle && (right >= end || from[left] <= from[right]))
			to[out] = from[left++];
		else
			to[out] = from[right++];
	}
}

void host_merge_sort(uint64_t *values, uint64_t *scratch, size_t count)
{
	uint64_t *from = values, *to = scratch;

	for (size_t width = 1; width < count; width *= 2) {
		uint64_t *swap = from;

		for (size_t start = 0; start < count; start += 2 * width) {
			size_t middle = start + width < count ? start + width : count;
			size_t end = middle + width < count ? middle + width : count;

			merge_runs(from, to, start, middle, end);
		}
		from = to;
		to = swap;
	}
	if (from != values)
		memcpy(values, from, count * sizeof(*values));
}

#define VOCABULARY 4096
#define WORD_MAX 10

/* Few words often, most rarely: the smaller of three draws, roughly as in prose. */
static size_t draw_word(uint64_t *state)
{
	size_t best = random_below(state, VOCABULARY);

	for (int draw = 1; draw < 3; draw++) {
		size_t other = random_below(state, VOCABULARY);

		best = other < best ? other : best;
	}
	return best;
}

void host_words_make(char *text, size_t size, uint64_t seed)
{
	static const char letters[] = "etaoinshrdlucmfw";
	char word[WORD_MAX];
	size_t filled = 0;

	while (filled < size) {
		uint64_t spelling = draw_word(&seed) + 1;
		size_t length = 3 + random_below(&spelling, WORD_MAX - 3);

		for (size_t i = 0; i < length; i++)
			word[i] = letters[host_splitmix64(&spelling) >> 60];
		word[length++] = host_splitmix64(&seed) >> 60 == 0 ? '\n' : ' ';
		if (length > size - filled)
			length = size - filled;
		memcpy(text + filled, word, length);
		filled += length;
	}
}

/* --- b-tree: Cormen et al., Introduction to Algorithms, chapter 18, minimum degree 16 --- */
#define DEGREE 16
#define KEYS_MAX (2 * DEGREE - 1)
#define NO_NODE UINT32_MAX

struct host_btree_node {
	uint32_t count;
	bool leaf;
	uint64_t key[KEYS_MAX];
	uint32_t child[KEYS_MAX + 1];
};

size_t host_btree_bytes(size_t inserts)
{
	/* Every node but the root and the nodes split last holds at least DEGREE - 1 keys. */
	return (inserts / (DEGREE - 1) + 64) * sizeof(host_btree_node);
}

static uint32_t add_node(host_btree *tree, bool leaf)
{
	host_btree_node *node;

	if (tree->used == tree->capacity)
		return NO_NODE;
	node = &tree->nodes[tree->used];
	node->count = 0;
	node->leaf = leaf;
	return tree->used++;
}

void host_btree_open(host_btree *tree, void *pool, size_t bytes)
{
	size_t nodes = bytes / sizeof(host_btree_node);

	*tree = (host_btree){
		.nodes = pool, .capacity = nodes < NO_NODE ? (uint32_t)nodes : NO_NODE - 1};
	tree->root = add_node(tree, true);
}

/* First place whose key is not smaller. */
static uint32_t find_place(const host_btree_node *node, uint64_t key)
{
	uint32_t low = 0, high = node->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (node->key[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool holds(const host_btree_node *node, uint32_t place, uint64_t key)
{
	return place < node->count && node->key[place] == key;
}

static void make_room(host_btree_node *node, uint32_t place)
{
	size_t after = node->count - place;

	memmove(&node->key[place + 1], &node->key[place], after * sizeof(node->key[0]));
	if (!node->leaf)
		memmove(&node->child[place + 2], &node->child[place + 1],
			after * sizeof(node->child[0]));
	node->count++;
}

/* Splits the full child at `place` of a node that is not full. */
static bool split_child(host_btree *tree, uint32_t parent, uint32_t place)
{
	host_btree_node *above = &tree->nodes[parent];
	host_btree_node *left = &tree->nodes[above->child[place]];
	uint32_t added = add_node(tree, left->leaf);
	host_btree_node *right;

	if (added == NO_NODE)
		return false;
	right = &tree->nodes[added];
	right->count = DEGREE - 1;
	memcpy(right->key, &left->key[DEGREE], (DEGREE - 1) * sizeof(right->key[0]));
	if (!left->leaf)
		memcpy(right->child, &left->child[DEGREE], DEGREE * sizeof(right->child[0]));
	left->count = DEGREE - 1;
	make_room(above, place);
	above->key[place] = left->key[DEGREE - 1];
	above->child[place + 1] = added;
	return true;
}

static bool split_root(host_btree *tree)
{
	uint32_t old = tree->root;
	uint32_t root = add_node(tree, false);

	if (root == NO_NODE)
		return false;
	tree->nodes[root].child[0] = old;
	tree->root = root;
	return split_child(tree, root, 0);
}

bool host_btree_insert(host_btree *tree, uint64_t key)
{
	uint32_t at = tree->root;

	if (at == NO_NODE || (tree->nodes[at].count == KEYS_MAX && !split_root(tree)))
		return false;
	at = tree->root;
	for (;;) {
		host_btree_node *node = &tree->nodes[at];
		uint32_t place = find_place(node, key);

		if (holds(node, place, key))
			return false;
		if (node->leaf) {
			make_room(node, place);
			node->key[place] = key;
			tree->count++;
			return true;
		}
		if (tree->nodes[node->child[place]].count == KEYS_MAX) {
			if (!split_child(tree, at, place) || node->key[place] == key)
				return false;
			if (node->key[place] < key)
				place++;
		}
		at = node->child[place];
	}
}

static bool walk_node(
	const host_btree *tree, uint32_t at, bool (*each)(void *arg, uint64_t key), void *arg)
{
	const host_btree_node *node = &tree->nodes[at];

	for (uint32_t i = 0; i <= node->count; i++) {
		if (!node->leaf && !walk_node(tree, node->child[i], each, arg))
			return false;
		if (i < node->count && !each(arg, node->key[i]))
			return false;
	}
	return true;
}

void host_btree_walk(const host_btree *tree, bool (*each)(void *arg, uint64_t key), void *arg)
{
	if (tree->root != NO_NODE)
		(void)walk_node(tree, tree->root, each, arg);
}
