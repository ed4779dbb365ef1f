/* SPDX-License-Identifier: MIT
 *
 * A flag that one thread or a signal handler raises and long work reads.
 */
#include "base/base-private.h"

struct hn_cancel {
	atomic_uint references;
	atomic_bool triggered;
};

_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2,
	"a signal handler may raise the flag only when no lock is taken");

int hn_cancel_new(hn_cancel **cancel, hn_error **err)
{
	hn_cancel *made;

	if (cancel == NULL)
		return base_error(
			err, HN_EINVAL, "base", NULL, "no place for the cancel flag was given");
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	atomic_init(&made->references, 1);
	atomic_init(&made->triggered, false);
	*cancel = made;
	return 0;
}

hn_cancel *hn_cancel_ref(hn_cancel *cancel)
{
	if (cancel != NULL)
		atomic_fetch_add_explicit(&cancel->references, 1, memory_order_relaxed);
	return cancel;
}

hn_cancel *hn_cancel_unref(hn_cancel *cancel)
{
	if (cancel != NULL &&
		atomic_fetch_sub_explicit(&cancel->references, 1, memory_order_acq_rel) == 1)
		base_free(cancel);
	return NULL;
}

void hn_cancel_trigger(hn_cancel *cancel)
{
	if (cancel != NULL)
		atomic_store_explicit(&cancel->triggered, true, memory_order_release);
}

bool hn_cancel_triggered(const hn_cancel *cancel)
{
	return cancel != NULL && atomic_load_explicit(&cancel->triggered, memory_order_acquire);
}
