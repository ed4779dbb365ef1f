/* SPDX-License-Identifier: MIT
 *
 * Gate of upgrades: a new image for the units of a blueprint, some at a time.
 */
#include "host/call.h"
#include "host/rollout.h"

static int take_options(const hn_upgrade_options *given, hn_upgrade_options *known, hn_error **err)
{
	const hn_upgrade_options usual = HN_UPGRADE_OPTIONS_INIT;
	int rc = base_options(known, sizeof(*known), given ? given : &usual, HOST_ROOM, err);

	if (rc < 0)
		return rc;
	if (known->max_unavailable == 0)
		known->max_unavailable = 1;
	if (known->timeout < 0)
		return base_error(err, HN_EINVAL, HOST_ROOM,
			"nanoseconds; 0 means three times boot.goal", "a time-out is not negative");
	return 0;
}

static int begin(host_rollout *all, host_call *call, host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE], digest[COMPOSE_DIGEST_TEXT];

	(void)snprintf(object, sizeof(object), "blueprint/%.200s", all->image->lock->blueprint);
	if (all->look)
		return host_enter(
			all->session, HN_VERB_BLUEPRINT_READ, object, &all->host, permit, err);
	compose_digest_print(&all->image->lock->digest, digest);
	caps_call_text(&call->what, "upgrade", all->image->built->image);
	caps_call_text(&call->what, "lock", digest);
	if (all->options.max_unavailable != 1)
		caps_call_int(&call->what, "unavailable", all->options.max_unavailable);
	return host_call_enter(
		all->session, HN_VERB_BLUEPRINT_BUILD, object, call, &all->host, permit, err);
}

/* What there is to do, without doing it. */
static void foresee(host_rollout *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->units[i].is_on)
			all->units[i].state = HN_ROLLOUT_DONE;
}

static int upgrade(host_rollout *all, hn_error **err)
{
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	int idle, rc = 0;

	if (!all->look)
		rc = host_image_hold(all->host, all->image->blueprint->name, &lock, err);
	if (rc >= 0)
		rc = host_rollout_gather(all, err);
	idle = rc >= 0 ? host_rollout_idle(all, err) : rc;
	if (idle < 0)
		return idle;
	if (all->look || idle > 0) {
		foresee(all);
		host_rollout_tell_rest(all);
		return idle;
	}
	rc = host_rollout_check(all, err);
	if (rc >= 0)
		rc = host_rollout_run(all, err);
	host_rollout_tell_rest(all);
	return rc < 0 ? rc : 0;
}

int hn_compose_upgrade(hn_session *session, const hn_registry *registry,
	const hn_blueprint *blueprint, const hn_lock *lock, const hn_image *image,
	const hn_upgrade_options *options, hn_error **err)
{
	hn_image_info built = HN_IMAGE_INFO_INIT;
	host_image wanted = {
		.registry = registry, .blueprint = blueprint, .lock = lock, .built = &built};
	HOST_AUTO_ROLLOUT host_rollout all = {.session = session, .image = &wanted};
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	int rc = take_options(options, &all.options, err);

	if (rc < 0)
		return rc;
	all.look = all.options.dry_run;
	if (!registry || !blueprint || !lock || (!image && !all.look))
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a registry, a blueprint, its lock and its image are needed");
	rc = image ? hn_image_get(image, &built, err) : 0;
	if (rc >= 0)
		rc = host_image_check(&wanted, image, err);
	if (rc >= 0)
		rc = begin(&all, &call, &permit, err);
	if (rc < 0)
		return rc;
	wanted.files = image ? compose_image_artifact(image) : NULL;
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = upgrade(&all, err);
	return all.look ? host_conceal(session, rc, err) : host_settle(&permit, rc, err);
}
