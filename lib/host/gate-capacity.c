/* SPDX-License-Identifier: MIT
 *
 * Gate of the host's capacity and of who holds it.
 */
#include "host/capacity.h"
#include "host/host-private.h"

/* Who may not read a unit is not told its name either; the sums are the node's own. */
static bool sees_entry(hn_session *session, const hn_capacity_entry *entry)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	if (!host_session_limited(session))
		return true;
	return host_unit_load(session->host, entry->unit, &unit, NULL) >= 0 &&
	       host_sees_unit(session, HN_VERB_UNIT_READ, unit, false);
}

static int give_entries(hn_session *session, host_admission *admission, hn_capacity_fn each,
	void *arg, hn_error **err)
{
	hn_capacity_entry entry;
	int rc = 0;

	for (size_t i = 0; each && (rc = host_admission_at(admission, i, &entry)) == 0; i++)
		if (sees_entry(session, &entry) && each(arg, &entry) != 0)
			return 0;
	return rc == HN_ENOMEM ? base_nomem(err) : 0;
}

static int read_capacity(hn_session *session, const char *what_if, uint64_t *capacity,
	uint64_t *reserved, hn_capacity_fn each, void *arg, hn_error **err)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = NULL;
	int rc = host_admission_load(session->host, &admission, err);

	if (rc == 0 && what_if)
		rc = host_admission_what_if(admission, what_if, err);
	if (rc == 0)
		rc = give_entries(session, admission, each, arg, err);
	if (rc < 0)
		return rc;
	if (capacity)
		*capacity = host_admission_capacity(admission);
	if (reserved)
		*reserved = host_admission_reserved(admission);
	return 0;
}

int hn_host_capacity(hn_session *session, const char *what_if, uint64_t *capacity,
	uint64_t *reserved, hn_capacity_fn each, void *arg, hn_error **err)
{
	host_permit permit;
	hn_host *host;
	int rc = host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err);

	if (rc < 0)
		return rc;
	rc = host_answers(&permit, 0, err); /* what is set aside, not what is used */
	if (rc >= 0)
		rc = read_capacity(session, what_if, capacity, reserved, each, arg, err);
	return host_settle(&permit, rc, err);
}
