/* SPDX-License-Identifier: MIT
 *
 * The wall clock as an interval, and when it is not to be believed.
 */
#include "os/os-private.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/timex.h>
#include <unistd.h>

/* The kernel's own bound for a clock that nobody disciplines: NTP_PHASE_LIMIT. */
#define ERROR_UNKNOWN (16 * OS_SECOND)
#define STEP_MOST (5 * OS_SECOND)
#define ASK_EVERY (OS_SECOND / 4)

static char real_boot_id[37];

/* Read once: it cannot change under a running process, and /proc may be out of reach later. */
static void read_boot_id(void)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, real_boot_id, sizeof(real_boot_id) - 1);

	real_boot_id[got > 0 ? got : 0] = '\0';
	real_boot_id[strcspn(real_boot_id, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

/* What the kernel said of its error, and when: the question costs as much as all else together. */
typedef struct trust {
	int64_t asked; /* boot-time ns; 0 = never */
	int64_t error;
	bool synchronised;
} trust;

static void ask_kernel(trust *known, int64_t boot)
{
	struct timex kernel = {0};
	/* A container may refuse even to be asked; then nothing is known. */
	int state = adjtimex(&kernel);

	known->asked = boot;
	known->synchronised =
		state >= 0 && state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0;
	known->error = state >= 0 ? kernel.maxerror * INT64_C(1000) : ERROR_UNKNOWN;
}

int os_real_clock_state(hn_os *os, hn_os_clock_state *state)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static _Thread_local trust known;

	pthread_once(&once, read_boot_id);
	state->boot = os->ops->clock(os, HN_OS_CLOCK_BOOT);
	state->wall = os->ops->clock(os, HN_OS_CLOCK_WALL);
	if (known.asked == 0 || state->boot < known.asked || state->boot - known.asked > ASK_EVERY)
		ask_kernel(&known, state->boot);
	state->synchronised = known.synchronised;
	/* The error grows by at most 500 ppm meanwhile, as the kernel itself counts it. */
	state->error = known.error + (state->boot - known.asked) / 2000;
	memcpy(state->boot_id, real_boot_id, sizeof(real_boot_id));
	return 0;
}

static int64_t add(int64_t time, int64_t by)
{
	int64_t sum;

	if (__builtin_add_overflow(time, by, &sum))
		return by < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}

static int64_t since(int64_t later, int64_t earlier)
{
	int64_t passed;

	if (__builtin_sub_overflow(later, earlier, &passed))
		return earlier > 0 ? INT64_MIN : INT64_MAX;
	return passed;
}

void os_clock_interval(hn_os *os, os_interval *interval)
{
	hn_os_clock_state state = {.size = sizeof(state), .error = ERROR_UNKNOWN};

	if (os->ops->clock_state(os, &state) < 0) {
		state.synchronised = false;
		state.wall = os->ops->clock(os, HN_OS_CLOCK_WALL);
		state.boot = os->ops->clock(os, HN_OS_CLOCK_BOOT);
	}
	*interval = (os_interval){
		.earliest = since(state.wall, state.error),
		.latest = add(state.wall, state.error),
		.wall = state.wall,
		.boottime = state.boot,
		.synchronised = state.synchronised,
	};
	memcpy(interval->boot_id, state.boot_id, sizeof(interval->boot_id));
}

static bool is_empty(const os_clock_mark *mark)
{
	return mark->wall == 0 && mark->boot_id[0] == '\0';
}

static bool same_boot(const os_clock_mark *mark, const os_interval *now)
{
	return mark->boot_id[0] != '\0' &&
	       strncmp(mark->boot_id, now->boot_id, sizeof(mark->boot_id)) == 0;
}

os_clock_verdict os_clock_judge(const os_clock_mark *mark, const os_interval *now, int64_t *by)
{
	os_clock_verdict verdict = OS_CLOCK_OK;
	int64_t moved = 0;

	/* Slewing by NTP and suspend move both clocks of one boot alike, so that between them only
	 * a step shows. */
	if (!is_empty(mark) && same_boot(mark, now)) {
		moved = since(since(now->wall, mark->wall), since(now->boottime, mark->boottime));
		if (moved > STEP_MOST || moved < -STEP_MOST)
			verdict = OS_CLOCK_STEPPED;
	}
	if (!is_empty(mark) && verdict == OS_CLOCK_OK) {
		moved = since(now->wall, mark->wall);
		if (moved < -STEP_MOST)
			verdict = OS_CLOCK_BEHIND;
	}
	if (by != NULL)
		*by = verdict == OS_CLOCK_OK ? 0 : moved;
	return verdict;
}

const char *os_clock_reason(os_clock_verdict verdict)
{
	switch (verdict) {
	case OS_CLOCK_BEHIND:
		return "the wall clock is behind a time that it has shown before";
	case OS_CLOCK_STEPPED:
		return "the wall clock was set while the machine ran";
	case OS_CLOCK_OK:
		break;
	}
	return "the wall clock runs on";
}

void os_clock_advance(os_clock_mark *mark, const os_interval *now)
{
	if (os_clock_judge(mark, now, NULL) != OS_CLOCK_OK)
		return;
	/* A clock that is a little behind does not pull the mark down, nor is a new boot anchored
	 * by it: both wait until it has caught up. */
	if (!is_empty(mark) && now->wall <= mark->wall)
		return;
	mark->wall = now->wall;
	mark->boottime = now->boottime;
	memcpy(mark->boot_id, now->boot_id, sizeof(mark->boot_id));
}
