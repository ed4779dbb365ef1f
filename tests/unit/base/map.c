/* SPDX-License-Identifier: MIT
 *
 * Maps, also against a plain model under random use.
 */
#include "base/base-private.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static size_t released;

static void count_release(void *value)
{
	(void)value;
	released++;
}

Test(map, put_get_has_count)
{
	base_map *map = base_map_new(NULL);
	int one = 1, two = 2;

	cr_assert_eq(base_map_put(map, "a", 1, &one), 0);
	cr_assert_eq(base_map_put(map, "b", 1, &two), 0);
	cr_assert_eq(base_map_get(map, "a", 1), &one);
	cr_assert_eq(base_map_get(map, "b", 1), &two);
	cr_assert_null(base_map_get(map, "c", 1));
	cr_assert(base_map_has(map, "a", 1));
	cr_assert_not(base_map_has(map, "ab", 2));
	cr_assert_eq(base_map_count(map), 2);
	base_map_free(map);
	base_map_free(NULL);
}

Test(map, an_empty_one_finds_nothing)
{
	base_map *map = base_map_new(NULL);

	cr_assert_null(base_map_get(map, "a", 1));
	cr_assert_not(base_map_has(map, "", 0));
	cr_assert_not(base_map_remove(map, "a", 1));
	cr_assert_eq(base_map_count(map), 0);
	cr_assert_eq(base_map_slots(map), 0);
	base_map_free(map);
}

Test(map, keys_are_bytes_of_any_length)
{
	base_map *map = base_map_new(NULL);
	int values[4];

	base_map_put(map, "", 0, &values[0]);
	base_map_put(map, "\0", 1, &values[1]);
	base_map_put(map, "\0\0", 2, &values[2]);
	base_map_put(map, "a\0b", 3, &values[3]);
	cr_assert_eq(base_map_get(map, NULL, 0), &values[0]);
	cr_assert_eq(base_map_get(map, "\0", 1), &values[1]);
	cr_assert_eq(base_map_get(map, "\0\0", 2), &values[2]);
	cr_assert_eq(base_map_get(map, "a\0b", 3), &values[3]);
	cr_assert_null(base_map_get(map, "a\0c", 3));
	base_map_free(map);
}

Test(map, the_key_is_copied)
{
	base_map *map = base_map_new(NULL);
	char key[] = "key";

	base_map_put(map, key, 3, map);
	key[0] = 'x';
	cr_assert(base_map_has(map, "key", 3));
	base_map_free(map);
}

Test(map, replacing_releases_the_old_value_once)
{
	base_map *map = base_map_new(count_release);
	int one, two;

	base_map_put(map, "a", 1, &one);
	base_map_put(map, "a", 1, &two);
	cr_assert_eq(released, 1);
	base_map_put(map, "a", 1, &two);
	cr_assert_eq(released, 1);
	cr_assert_eq(base_map_count(map), 1);
	base_map_free(map);
	cr_assert_eq(released, 2);
}

Test(map, removing_releases_and_frees_the_name)
{
	base_map *map = base_map_new(count_release);
	int one;

	base_map_put(map, "a", 1, &one);
	cr_assert(base_map_remove(map, "a", 1));
	cr_assert_eq(released, 1);
	cr_assert_not(base_map_has(map, "a", 1));
	cr_assert_not(base_map_remove(map, "a", 1));
	base_map_put(map, "a", 1, &one);
	cr_assert(base_map_has(map, "a", 1));
	base_map_free(map);
	cr_assert_eq(released, 2);
}

Test(map, walks_in_insertion_order_without_removed_slots)
{
	base_map *map = base_map_new(NULL);
	char order[8] = "";
	int value;

	base_map_put(map, "c", 1, &value);
	base_map_put(map, "a", 1, &value);
	base_map_put(map, "b", 1, &value);
	base_map_remove(map, "a", 1);
	for (size_t i = 0; i < base_map_slots(map); i++) {
		const char *key;
		size_t size;
		void *found;

		if (base_map_at(map, i, &key, &size, &found))
			strcat(order, key);
	}
	cr_assert_str_eq(order, "cb");
	cr_assert_not(base_map_at(map, 99, NULL, NULL, NULL));
	cr_assert(base_map_at(map, 0, NULL, NULL, NULL));
	base_map_free(map);
}

Test(map, put_and_remove_for_ever_does_not_grow)
{
	base_map *map = base_map_new(NULL);

	for (int i = 0; i < 100000; i++) {
		char key[16];
		int size = snprintf(key, sizeof(key), "%d", i);

		base_map_put(map, key, (size_t)size, map);
		base_map_remove(map, key, (size_t)size);
	}
	cr_assert_leq(base_map_slots(map), 64);
	base_map_free(map);
}

Test(map, agrees_with_a_plain_array_under_random_use)
{
	enum { KEYS = 300 };
	base_map *map = base_map_new(NULL);
	void *model[KEYS] = {NULL};
	size_t count = 0;

	srand(12);
	for (int i = 0; i < 60000; i++) {
		int number = rand() % KEYS;
		char key[16];
		size_t size = (size_t)snprintf(key, sizeof(key), "k%d", number);

		if (rand() % 3 == 0) {
			cr_assert_eq(base_map_remove(map, key, size), model[number] != NULL);
			count -= model[number] != NULL;
			model[number] = NULL;
		} else {
			cr_assert_eq(base_map_put(map, key, size, &model[rand() % KEYS]), 0);
			count += model[number] == NULL;
			model[number] = base_map_get(map, key, size);
		}
		cr_assert_eq(base_map_count(map), count);
	}
	for (int number = 0; number < KEYS; number++) {
		char key[16];
		size_t size = (size_t)snprintf(key, sizeof(key), "k%d", number);

		cr_assert_eq(base_map_get(map, key, size), model[number]);
	}
	base_map_free(map);
}

Test(hash, depends_on_every_byte_the_length_and_the_key)
{
	unsigned char bytes[40] = {0};
	uint64_t hash = base_hash(bytes, sizeof(bytes), 1);

	cr_assert_eq(base_hash(bytes, sizeof(bytes), 1), hash);
	cr_assert_neq(base_hash(bytes, sizeof(bytes), 2), hash);
	cr_assert_neq(base_hash(bytes, sizeof(bytes) - 1, 1), hash);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = 1;
		cr_assert_neq(base_hash(bytes, sizeof(bytes), 1), hash);
		bytes[i] = 0;
	}
}
