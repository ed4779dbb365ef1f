/* SPDX-License-Identifier: MIT
 *
 * What a host knows to decide about tokens: the store of capabilities, the cache of signatures, the
 * clock, and the challenges that were given out.
 */
#include "host/rights.h"

#define LOOK_EVERY (OS_SECOND / 4)
#define NONCE_SECONDS 30
#define NONCE_TAG 8
#define CLOCK_SUSPECT "org.hypernix.clock.suspect.v1"

static int make(hn_host *host, host_rights *rights, hn_error **err)
{
	int rc = os_random(host->os, rights->nonce_key, sizeof(rights->nonce_key), err);

	if (rc >= 0)
		rc = caps_zones_new(host->os, &rights->zones, err);
	if (rc >= 0)
		rc = caps_cache_new(host->os, &rights->cache, err);
	if (rc >= 0)
		rc = caps_store_open(host->store, &rights->store, err);
	return rc < 0 ? rc : host_rights_look(host, rights, true, err);
}

int host_rights_get(hn_host *host, host_rights **rights, hn_error **err)
{
	int rc;

	if (!host->rights) {
		host_rights *made = base_calloc(1, sizeof(*made));

		rc = made ? make(host, made, err) : base_nomem(err);
		if (rc < 0) {
			host_rights_free(made);
			return rc;
		}
		host->rights = made;
	}
	*rights = host->rights;
	return 0;
}

void host_rights_free(host_rights *rights)
{
	if (!rights)
		return;
	caps_zones_free(rights->zones);
	caps_cache_free(rights->cache);
	caps_store_close(rights->store);
	base_free(rights);
}

/* The mark rises with the clock, so that a clock that was set back is seen: once a minute is
 * enough, since only what is lost between two marks could be gained by a step. */
#define MARK_EVERY (60 * OS_SECOND)
/* Not at each look: a busy database takes its time to say so. */
#define MARK_AGAIN (5 * OS_SECOND)

static void copy_mark(os_clock_mark *to, const caps_clock_mark *from)
{
	to->wall = from->wall;
	to->boottime = from->boottime;
	(void)snprintf(to->boot_id, sizeof(to->boot_id), "%.36s", from->boot_id);
}

static int keep_mark(hn_host *host, host_rights *rights, caps_clock_mark *kept,
	const os_clock_mark *mark, hn_error **err)
{
	bool news = rights->suspect && !kept->suspect;
	int rc;

	kept->wall = mark->wall;
	kept->boottime = mark->boottime;
	(void)snprintf(kept->boot_id, sizeof(kept->boot_id), "%s", mark->boot_id);
	kept->suspect = rights->suspect;
	rc = state_begin(host->store, err);
	if (rc < 0)
		return rc;
	rc = caps_store_clock_put(rights->store, kept, err);
	if (rc >= 0 && news)
		rc = host_event_node(host, NULL, CLOCK_SUSPECT, NULL, err);
	if (rc >= 0)
		return state_commit(host->store, err);
	state_rollback(host->store);
	return rc;
}

static int look_at_clock(hn_host *host, host_rights *rights, hn_error **err)
{
	caps_clock_mark kept;
	os_clock_mark mark;
	bool before = rights->suspect;
	int rc = caps_store_clock(rights->store, &kept, err);

	if (rc >= 0)
		rc = caps_store_unsynchronised_look(rights->store, &rights->unsynchronised, err);
	if (rc < 0)
		return rc;
	os_clock_interval(host->os, &rights->clock);
	copy_mark(&mark, &kept);
	rights->suspect =
		kept.suspect || os_clock_judge(&mark, &rights->clock, NULL) != OS_CLOCK_OK;
	if (host->read_only || (rights->suspect && kept.suspect))
		return 0;
	if (!rights->suspect && kept.wall != 0 && rights->clock.wall - kept.wall < MARK_EVERY)
		return 0;
	if (!rights->suspect)
		os_clock_advance(&mark, &rights->clock);
	(void)events_gauge_set(host->events, "hypernix_clock_suspect", "", rights->suspect);
	/* what is news is told by whoever sees it first, who may not be there for long */
	if (os_monotonic(host->os) < rights->next_mark && (before || !rights->suspect))
		return 0;
	rc = keep_mark(host, rights, &kept, &mark, err);
	/* The mark stays where it was, and what the clock looks like from there is judged again: a
	 * full disk or a busy database neither makes a good clock suspect, nor keeps those out who
	 * may act though it is. */
	if (rc == HN_ENOSPC || rc == HN_EBUSY)
		rights->next_mark = os_monotonic(host->os) + MARK_AGAIN;
	rc = base_error_forgive(err, rc, HN_ENOSPC);
	return base_error_forgive(err, rc, HN_EBUSY);
}

bool host_clock_denies(const host_rights *rights)
{
	return rights->suspect || (!rights->unsynchronised && !rights->clock.synchronised);
}

int host_rights_look(hn_host *host, host_rights *rights, bool now, hn_error **err)
{
	int64_t time = os_monotonic(host->os);
	const caps_bundle *before = caps_store_bundle(rights->store);
	uint64_t version = before ? before->version : 0;
	int rc;

	rights->now = time;
	if (!now && time < rights->next_look)
		return 0;
	rc = caps_store_refresh(rights->store, err);
	if (rc < 0)
		return rc;
	before = caps_store_bundle(rights->store);
	if ((before ? before->version : 0) != version)
		caps_cache_drop(rights->cache);
	rc = look_at_clock(host, rights, err);
	if (rc < 0)
		return rc;
	rights->fresh = time;
	rights->looks++;
	rights->next_look = time + LOOK_EVERY;
	return 0;
}

int host_rights_now(hn_host *host, host_rights **rights, hn_error **err)
{
	int rc = host_rights_get(host, rights, err);

	return rc < 0 ? rc : host_rights_look(host, *rights, true, err);
}

/* --- challenges: time (4), counter (4), keyed hash of both (8) --- */

static void tag_nonce(const host_rights *rights, uint8_t nonce[HOST_NONCE])
{
	crypto_blake2b_keyed(rights->nonce_key, sizeof(rights->nonce_key), nonce,
		HOST_NONCE - NONCE_TAG, nonce + HOST_NONCE - NONCE_TAG, NONCE_TAG);
}

static void put_32(uint8_t *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t boot_seconds(hn_host *host)
{
	return (uint32_t)(host->os->ops->clock(host->os, HN_OS_CLOCK_BOOT) / OS_SECOND);
}

int host_nonce_make(hn_host *host, uint8_t nonce[HOST_NONCE], hn_error **err)
{
	host_rights *rights = NULL;
	int rc = host_rights_get(host, &rights, err);

	if (rc < 0)
		return rc;
	put_32(nonce, boot_seconds(host));
	put_32(nonce + 4, ++rights->nonce_count);
	tag_nonce(rights, nonce);
	return 0;
}

static uint32_t nonce_age(hn_host *host, const uint8_t nonce[HOST_NONCE])
{
	uint32_t made = 0;

	for (int i = 0; i < 4; i++)
		made = made << 8 | nonce[i];
	return boot_seconds(host) - made;
}

bool host_nonce_is_open(hn_host *host, const uint8_t nonce[HOST_NONCE])
{
	const host_rights *rights = host->rights;
	uint8_t ours[HOST_NONCE];

	if (!rights)
		return false;
	memcpy(ours, nonce, sizeof(ours));
	tag_nonce(rights, ours);
	if (!crypto_equal(ours, nonce, sizeof(ours)) || nonce_age(host, nonce) > NONCE_SECONDS)
		return false;
	for (size_t i = 0; i < rights->used_count; i++)
		if (memcmp(rights->used[i], nonce, HOST_NONCE) == 0)
			return false;
	return true;
}

bool host_nonce_use(hn_host *host, const uint8_t nonce[HOST_NONCE])
{
	host_rights *rights = host->rights;
	uint8_t *place;

	if (!host_nonce_is_open(host, nonce))
		return false;
	place = rights->used[rights->used_next];
	/* One that could be shown again must not be forgotten: rather none more for a while. */
	if (rights->used_count == HOST_NONCES && nonce_age(host, place) <= NONCE_SECONDS)
		return false;
	memcpy(place, nonce, HOST_NONCE);
	rights->used_next = (rights->used_next + 1) % HOST_NONCES;
	if (rights->used_count < HOST_NONCES)
		rights->used_count++;
	return true;
}

static int forget(void *arg, hn_error **err)
{
	hn_host *host = arg;

	return caps_store_forget(host->rights->store, os_now(host->os) / OS_SECOND, err);
}

/* A clock that jumped would revive what was revoked; and one that was wrong when the machine
 * started looks as good as any, until something keeps it in step. */
static bool may_forget(const host_rights *rights)
{
	return !host_clock_denies(rights) && rights->clock.synchronised;
}

int host_rights_unforgotten(hn_host *host, const host_rights *rights, hn_error **err)
{
	return may_forget(rights)
		       ? 0
		       : caps_store_is_old(host->store, os_now(host->os) / OS_SECOND, err);
}

void host_rights_forget(hn_host *host)
{
	host_rights *rights = NULL;
	os_interval now;
	int rc;

	/* first what costs nothing: on some hosts it is never so */
	os_clock_interval(host->os, &now);
	if (!now.synchronised)
		return;
	rc = caps_store_is_old(host->store, now.wall / OS_SECOND, NULL);
	if (rc > 0)
		rc = host_rights_now(host, &rights, NULL);
	if (!rights || rc < 0 || !may_forget(rights))
		return;
	if (host_transaction(host, forget, host, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "old tokens could not be forgotten yet");
}
