/* SPDX-License-Identifier: MIT
 *
 * Loads libvirt and finds its functions.
 */
#include "machine/libvirt-calls.h"
#include "machine/driver.h"

#include <dlfcn.h>

#define LIBRARY "libvirt-qemu.so.0" /* its functions, and through it all of libvirt's */

libvirt_calls lv;

static const struct {
	const char *name;
	size_t offset;
} calls_there[] = {
#define X(name) {#name, offsetof(libvirt_calls, name)},
#include "machine/libvirt-calls.def"
#undef X
};

/* The library stays loaded: it has threads and exit handlers of its own. */
int libvirt_load_from(const char *library, libvirt_calls *calls, hn_error **err)
{
	libvirt_calls found;
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL)
		return base_error(err, HN_EDRIVER, MACHINE_ROOM, "install libvirt",
			"cannot load libvirt, so no unit can run: %s", dlerror());
	for (size_t i = 0; i < BASE_COUNT(calls_there); i++) {
		void *symbol = dlsym(handle, calls_there[i].name);

		if (symbol == NULL) {
			base_error(err, HN_EDRIVER, MACHINE_ROOM, "install libvirt 9.0 or later",
				"%s has no %s", library, calls_there[i].name);
			dlclose(handle);
			return HN_EDRIVER;
		}
		memcpy((char *)&found + calls_there[i].offset, &symbol, sizeof(symbol));
	}
	*calls = found;
	return 0;
}

int libvirt_load(hn_error **err)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static bool loaded;
	int result = 0;

	pthread_mutex_lock(&mutex);
	if (!loaded) {
		/* Where it lay when we were built, for systems that search no common directory. */
		result = libvirt_load_from(LIBRARY, &lv, NULL);
		if (result < 0)
			result = libvirt_load_from(LIBVIRT_DIRECTORY "/" LIBRARY, &lv, err);
		loaded = result == 0;
	}
	pthread_mutex_unlock(&mutex);
	return result;
}
