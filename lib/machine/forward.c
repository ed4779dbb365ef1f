/* SPDX-License-Identifier: MIT
 *
 * Ports of the host that lead to a guest, by QEMU's user networking. libvirt describes them only
 * for its passt backend, which Debian 12 has not; so QEMU's monitor is told, before the guest's
 * first instruction (hostfwd_add: QEMU, "Human Monitor").
 */
#include "machine/driver.h"

/* The first one of kind user: that is the one with a network of its own. */
static const machine_nic *user_nic(const machine_spec *spec)
{
	for (size_t i = 0; i < spec->nic_count; i++)
		if (strcmp(spec->nics[i].kind, "user") == 0)
			return &spec->nics[i];
	return NULL;
}

static int take_one(machine_spec *spec, const char *text, hn_error **err)
{
	char *copy;

	if (strchr(text, '[') != NULL)
		return base_error(err, HN_ENOSUP, MACHINE_ROOM, "take an IPv4 address",
			"unit '%s': QEMU forwards no ports of IPv6 addresses (network.forward %s)",
			spec->name, text);
	copy = base_arena_strndup(spec->arena, text, strlen(text));
	if (copy == NULL)
		return base_nomem(err);
	spec->forwards[spec->forward_count++] = copy;
	return 0;
}

int machine_spec_forwards(machine_spec *spec, const hn_view *view, hn_error **err)
{
	const char *item;
	size_t count = 0;
	int result = 0;

	while (hn_view_get_item(view, "network.forward", count, &item) == 0)
		count++;
	if (count == 0)
		return 0;
	if (user_nic(spec) == NULL)
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM,
			"give it an interface: nics.lan.kind = user",
			"unit '%s': network.forward needs an interface of kind user", spec->name);
	spec->forwards = base_arena_alloc(spec->arena, count * sizeof(*spec->forwards));
	if (spec->forwards == NULL)
		return base_nomem(err);
	for (size_t i = 0; result == 0 && i < count; i++)
		if (hn_view_get_item(view, "network.forward", i, &item) == 0)
			result = take_one(spec, item, err);
	return result;
}

/* "tcp:127.0.0.1:8080:80" becomes "tcp:127.0.0.1:8080-:80". */
static bool write_rule(base_buf *out, const machine_nic *nic, const char *text)
{
	const char *guest = strrchr(text, ':');

	base_buf_format(out, "hostfwd_add hostua-nic-%s %.*s-%s", nic->name, (int)(guest - text),
		text, guest);
	return !out->failed;
}

static int forward(machine *m, const machine_spec *spec, const char *text, hn_error **err)
{
	BASE_AUTO_BUF base_buf rule = {0};
	BASE_AUTO_FREE char *said = NULL;
	int result = write_rule(&rule, user_nic(spec), text) ? 0 : base_nomem(err);

	if (result == 0)
		result = m->ops->monitor(m, spec->uuid, rule.data, &said, err);
	if (result < 0 || said[0] == '\0')
		return result;
	said[strcspn(said, "\r\n")] = '\0';
	base_error(err, HN_EBUSY, MACHINE_ROOM,
		"see who has the port: ss -lnp; or take another one",
		"unit '%s': network.forward %s cannot be set up: %s", spec->name, text, said);
	base_error_fact(err, "forward", text);
	return HN_EBUSY;
}

int machine_forward(machine *m, const machine_spec *spec, hn_error **err)
{
	int result = 0;

	if (spec->forward_count > 0 && m->ops->monitor == NULL)
		return machine_missing(m->ops, "network.forward", err);
	for (size_t i = 0; result == 0 && i < spec->forward_count; i++)
		result = forward(m, spec, spec->forwards[i], err);
	return result;
}
