/* SPDX-License-Identifier: MIT
 *
 * Nodes of the simulated disk: their bytes, their entries, and the writes that were not synced yet.
 */
#include "os/sim-private.h"
#include <errno.h>
#include <stdlib.h>

static int content_reserve(sim_content *content, size_t size)
{
	size_t wanted = content->capacity > 0 ? content->capacity : 4096;
	unsigned char *grown;

	if (size <= content->capacity)
		return 0;
	if (size > SIZE_MAX / 4)
		return -EFBIG;
	while (wanted < size)
		wanted *= 2;
	grown = realloc(content->bytes, wanted);
	if (grown == NULL)
		return -ENOMEM;
	content->bytes = grown;
	content->capacity = wanted;
	return 0;
}

int sim_content_resize(sim_content *content, size_t size)
{
	int code = content_reserve(content, size);

	if (code < 0)
		return code;
	if (size > content->size)
		memset(content->bytes + content->size, 0, size - content->size);
	content->size = size;
	return 0;
}

int sim_content_write(sim_content *content, size_t offset, const void *bytes, size_t size)
{
	int code;

	if (size == 0)
		return 0;
	if (offset + size > content->size) {
		code = sim_content_resize(content, offset + size);
		if (code < 0)
			return code;
	}
	memcpy(content->bytes + offset, bytes, size);
	return 0;
}

sim_node *sim_node_new(sim *system, mode_t mode)
{
	sim_node *node = calloc(1, sizeof(*node));

	if (node == NULL)
		return NULL;
	node->references = 1;
	node->number = ++system->last_number;
	node->mode = mode;
	node->changed = system->wall;
	node->last_write = &node->writes;
	node->next = system->nodes;
	if (node->next != NULL)
		node->next->previous = node;
	system->nodes = node;
	return node;
}

static void node_destroy(sim *system, sim_node *node)
{
	if (node->previous != NULL)
		node->previous->next = node->next;
	else
		system->nodes = node->next;
	if (node->next != NULL)
		node->next->previous = node->previous;
	sim_entries_clear(system, &node->live_entries, true);
	sim_entries_clear(system, &node->durable_entries, false);
	sim_writes_drop(node);
	free(node->live.bytes);
	free(node->durable.bytes);
	free(node);
}

void sim_node_unref(sim *system, sim_node *node)
{
	if (node != NULL && --node->references == 0)
		node_destroy(system, node);
}

void sim_node_show(sim_node *node)
{
	node->references++;
	node->visible++;
}

void sim_node_hide(sim *system, sim_node *node)
{
	/* The space of a file is free again when nobody can reach it, although it may come back
	 * after a crash. */
	if (--node->visible == 0) {
		system->used -= node->live.size;
		node->live.size = 0;
	}
	sim_node_unref(system, node);
}

/* The place of a name, or where it would go. */
static size_t entries_place(const sim_entries *entries, const char *name, bool *there)
{
	size_t low = 0, high = entries->count;

	*there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(entries->items[middle].name, name);

		if (order == 0) {
			*there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

sim_node *sim_entries_find(const sim_entries *entries, const char *name)
{
	bool there;
	size_t place = entries_place(entries, name, &there);

	return there ? entries->items[place].node : NULL;
}

static void entry_release(sim *system, sim_node *node, bool visible)
{
	if (visible)
		sim_node_hide(system, node);
	else
		sim_node_unref(system, node);
}

static int entries_insert(sim_entries *entries, size_t place, const char *name)
{
	char *copy = strdup(name);
	size_t wanted = entries->capacity > 0 ? entries->capacity * 2 : 8;
	sim_entry *grown = entries->items;

	if (entries->count == entries->capacity)
		grown = realloc(entries->items, wanted * sizeof(*grown));
	if (copy == NULL || grown == NULL) {
		free(copy);
		return -ENOMEM;
	}
	if (entries->count == entries->capacity)
		entries->capacity = wanted;
	entries->items = grown;
	memmove(&grown[place + 1], &grown[place], (entries->count - place) * sizeof(*grown));
	grown[place] = (sim_entry){.name = copy};
	entries->count++;
	return 0;
}

int sim_entries_set(
	sim *system, sim_entries *entries, const char *name, sim_node *node, bool visible)
{
	bool there;
	size_t place = entries_place(entries, name, &there);
	sim_node *before;

	if (!there && entries_insert(entries, place, name) < 0)
		return -ENOMEM;
	before = entries->items[place].node;
	if (visible)
		sim_node_show(node);
	else
		node->references++;
	entries->items[place].node = node;
	if (before != NULL)
		entry_release(system, before, visible);
	return 0;
}

void sim_entries_remove(sim *system, sim_entries *entries, const char *name, bool visible)
{
	bool there;
	size_t place = entries_place(entries, name, &there);
	sim_entry removed;

	if (!there)
		return;
	removed = entries->items[place];
	entries->count--;
	memmove(&entries->items[place], &entries->items[place + 1],
		(entries->count - place) * sizeof(*entries->items));
	free(removed.name);
	entry_release(system, removed.node, visible);
}

void sim_entries_clear(sim *system, sim_entries *entries, bool visible)
{
	sim_entries old = *entries;

	*entries = (sim_entries){0};
	for (size_t i = 0; i < old.count; i++) {
		free(old.items[i].name);
		entry_release(system, old.items[i].node, visible);
	}
	free(old.items);
}

void sim_writes_apply(sim_node *node, size_t keep)
{
	while (node->writes != NULL && (keep == 0 || node->unsynced > keep)) {
		sim_write *one = node->writes;

		if (one->truncate)
			sim_content_resize(&node->durable, one->offset);
		else
			sim_content_write(&node->durable, one->offset, one->bytes, one->size);
		node->unsynced -= one->size;
		node->writes = one->next;
		free(one);
	}
	if (node->writes == NULL)
		node->last_write = &node->writes;
}

void sim_writes_drop(sim_node *node)
{
	sim_write *next;

	for (sim_write *one = node->writes; one != NULL; one = next) {
		next = one->next;
		free(one);
	}
	node->writes = NULL;
	node->last_write = &node->writes;
	node->unsynced = 0;
}
