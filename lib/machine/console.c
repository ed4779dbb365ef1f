/* SPDX-License-Identifier: MIT
 *
 * Console: the log with its rotation, the interactive socket, and taking escape sequences out.
 */
#include "machine/driver.h"

#include <errno.h>
#include <stdio.h>

#define LOG_PIECES 4
#define LINE_SLICE (OS_SECOND / 5)

/* A unit is called as the caller called it: he may use its console and not read it, and then he
 * learns neither its name nor its uuid, which the files here have in their paths. */
static int in_use(const char *called, const hn_error *busy, hn_error **err)
{
	const char *program = NULL;
	int64_t pid = 0;
	hn_fact fact;

	for (size_t i = 0; hn_error_fact(busy, i, &fact) == 0; i++) {
		if (strcmp(fact.name, "program") == 0)
			program = fact.text;
		else if (strcmp(fact.name, "pid") == 0)
			pid = fact.number;
	}
	if (program == NULL)
		return base_error(err, HN_EBUSY, MACHINE_ROOM, "try again, or wait",
			"the console of '%s' is in use by another process", called);
	base_error(err, HN_EBUSY, MACHINE_ROOM, "wait for it to leave",
		"the console of '%s' is in use by %s, process %lld", called, program,
		(long long)pid);
	base_error_fact_number(err, "pid", pid);
	base_error_fact(err, "program", program);
	return HN_EBUSY;
}

static int not_taken(const char *called, int problem, hn_error **err)
{
	if (problem == HN_ENOMEM)
		return base_nomem(err);
	if (problem == HN_ECANCELLED)
		return base_error(err, HN_ECANCELLED, MACHINE_ROOM, NULL,
			"cancelled while waiting for the console of '%s'", called);
	return base_error(err, (hn_code)problem, MACHINE_ROOM, NULL,
		"cannot lock the console of '%s': %s", called, hn_code_text((hn_code)problem));
}

/* How long to wait before the right is looked at again; less than a slice is the last of it. */
static int64_t slice_of(int64_t wait, int64_t passed)
{
	int64_t left = wait - passed;

	if (wait < 0 || left >= LINE_SLICE)
		return LINE_SLICE;
	return left > 0 ? left : 0;
}

/* QEMU serves one client at a time and lets the next one wait in silence; so that he is told, the
 * one who is served holds a lock. Where a full disk has no room for it the console is had
 * without: it may be what mends that. A right that ends meanwhile is waited by no longer, and opens
 * nothing. */
static int take_line(const base_permit *permit, hn_os *os, const machine_options *options,
	const char *called, const char *uuid, os_lock **held, hn_error **err)
{
	int64_t begin = os_monotonic(os);
	char dir[256], path[280];
	int result;

	machine_unit_dir(options->root, uuid, dir);
	snprintf(path, sizeof(path), "%s/console.lock", dir);
	do {
		BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
		int64_t slice = slice_of(options->lock_wait, os_monotonic(os) - begin);

		result = os_lock_take(
			os, path, options->program, slice, options->cancel, held, &problem);
		if (result == 0 || result == HN_ENOSPC || result == HN_ENOENT)
			return base_permit_live(permit, err); /* no directory: no socket either */
		if (result != HN_EBUSY)
			return not_taken(called, result, err);
		if (slice < LINE_SLICE)
			return in_use(called, problem, err);
		result = base_permit_live(permit, err);
	} while (result == 0);
	return result;
}

static int not_there(hn_os *os, const machine_options *options, const char *called,
	const char *uuid, int problem, hn_error **err)
{
	hn_unit_status status = HN_UNIT_STOPPED;

	if (problem != -ENOENT && problem != -ECONNREFUSED)
		return base_error_errno(err, MACHINE_ROOM, -problem,
			"cannot connect to the console of '%s'", called);
	(void)machine_peek(os, options->root, called, uuid, &status, NULL);
	if (status == HN_UNIT_RUNNING)
		return base_error(err, HN_ENOENT, MACHINE_ROOM, "see its value console",
			"unit '%s' runs without a serial console", called);
	return base_error(err, HN_EBUSY, MACHINE_ROOM, "start it", "unit '%s' is %s", called,
		hn_unit_status_name(status));
}

static int check(
	const machine_options *options, const char *uuid, const hn_machine_ops *ops, hn_error **err)
{
	int result = machine_uuid_check(uuid, err);

	if (result == 0)
		result = machine_root_check(options->root, err);
	if (result < 0 || (ops != NULL && ops->console != NULL))
		return result;
	return machine_missing(ops, "console", err);
}

int machine_console_open(const base_permit *permit, hn_os *os, const machine_options *options,
	const char *called, const char *uuid, int *fd, os_lock **held, hn_error **err)
{
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	const hn_machine_ops *ops;
	int opened, result = machine_permit(permit, uuid, err, 1, HN_VERB_UNIT_CONSOLE);

	if (result < 0)
		return result;
	ops = machine_driver_find(options->uri);
	result = check(options, uuid, ops, err);
	if (result == 0)
		result = take_line(permit, os, options, called, uuid, &lock, err);
	if (result < 0)
		return result;
	opened = ops->console(os, options->root, uuid);
	if (opened < 0)
		return not_there(os, options, called, uuid, opened, err);
	*fd = opened;
	*held = BASE_STEAL(lock);
	return 0;
}

int64_t machine_log_read(hn_os *os, const char *root, const char *uuid, uint64_t offset,
	void *bytes, size_t size, hn_error **err)
{
	char dir[256], path[280];
	ssize_t got;
	int fd, result = machine_uuid_check(uuid, err);

	if (result == 0)
		result = machine_root_check(root, err);
	if (result < 0)
		return result;
	if (offset > INT64_MAX)
		return base_error(err, HN_ERANGE, MACHINE_ROOM, NULL, "offset past every log");
	machine_unit_dir(root, uuid, dir);
	snprintf(path, sizeof(path), "%s/console.log", dir);
	fd = os->ops->open(os, path, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return base_error_errno(err, MACHINE_ROOM, -fd, "unit %s has no console log", uuid);
	got = os->ops->pread(os, fd, bytes, size, (off_t)offset);
	os->ops->close(os, fd);
	if (got < 0)
		return base_error_errno(
			err, MACHINE_ROOM, (int)-got, "cannot read the console log of %s", uuid);
	return got;
}

/* From `at` on. */
static int copy(hn_os *os, const char *from, const char *to, off_t begin)
{
	char bytes[65536];
	off_t at = begin;
	int in = os->ops->open(os, from, O_RDONLY | O_NOFOLLOW, 0), out, result = 0;

	if (in < 0)
		return in;
	out = os->ops->open(os, to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (out < 0)
		result = out;
	while (result == 0) {
		ssize_t got = os->ops->pread(os, in, bytes, sizeof(bytes), at), put;

		if (got <= 0) {
			result = (int)got;
			break;
		}
		put = os->ops->pwrite(os, out, bytes, (size_t)got, at - begin);
		if (put != got)
			result = put < 0 ? (int)put : -ENOSPC;
		at += got;
	}
	os->ops->close(os, in);
	if (out >= 0)
		os->ops->close(os, out);
	return result;
}

/* By copy and truncate: the hypervisor keeps the file open, and appends. */
int machine_log_rotate(hn_os *os, const char *unit_dir)
{
	char from[280], to[288];
	struct stat status;
	off_t piece = (off_t)(base_limit(BASE_LIMIT_CONSOLE_LOG_BYTES) / LOG_PIECES);
	int fd, result;

	snprintf(from, sizeof(from), "%s/console.log", unit_dir);
	if (os->ops->stat(os, from, &status) < 0 || status.st_size < piece)
		return 0;
	for (int i = LOG_PIECES - 2; i > 0; i--) {
		snprintf(from, sizeof(from), "%s/console.log.%d", unit_dir, i);
		snprintf(to, sizeof(to), "%s/console.log.%d", unit_dir, i + 1);
		os->ops->rename(os, from, to);
	}
	snprintf(from, sizeof(from), "%s/console.log", unit_dir);
	snprintf(to, sizeof(to), "%s/console.log.1", unit_dir);
	/* Nobody was there to cut it while it grew past a piece: the end is what counts. */
	result = copy(os, from, to, status.st_size - piece);
	/* A full disk loses the old piece, never the bound. */
	fd = os->ops->open(os, from, O_WRONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	if (os->ops->truncate(os, fd, 0) < 0 && result == 0)
		result = -EIO;
	os->ops->close(os, fd);
	return result < 0 ? result : 1;
}

typedef struct log_walk {
	hn_os *os;
	const char *root;
	int rotated;
} log_walk;

static int rotate_one(void *arg, const char *name)
{
	log_walk *walk = arg;
	char dir[256];

	if (machine_uuid_check(name, NULL) < 0)
		return 0;
	machine_unit_dir(walk->root, name, dir);
	if (machine_log_rotate(walk->os, dir) == 1)
		walk->rotated++;
	return 0;
}

int machine_logs_rotate(hn_os *os, const char *root)
{
	log_walk walk = {.os = os, .root = root};
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/unit", root);
	os->ops->list(os, dir, rotate_one, &walk);
	return walk.rotated;
}

/* States of the escape parser, ECMA-48 section 5: the numbers are what callers keep between pieces.
 */
enum { PLAIN, ESCAPE, CSI, STRING, STRING_ESCAPE, CHARSET, LATIN, TAIL1, TAIL2, TAIL3 };

typedef struct strip {
	char *out;
	size_t kept;
	int state;
	char held[32]; /* a control sequence that may turn out to be a colour */
	size_t held_size;
	bool latin_here; /* the lead byte of LATIN is in this piece, so there is room for it */
} strip;

static void keep(strip *s, char c)
{
	s->out[s->kept++] = c;
}

/* Only "select graphic rendition" with plain numbers is let through. */
static void csi(strip *s, char c)
{
	if (c >= 0x40 && c <= 0x7e) {
		if (c == 'm' && s->held_size > 0 && s->held_size < sizeof(s->held)) {
			memcpy(s->out + s->kept, s->held, s->held_size);
			s->kept += s->held_size;
			keep(s, c);
		}
		s->state = PLAIN;
		s->held_size = 0;
	} else if (s->held_size > 0 && s->held_size < sizeof(s->held) &&
		   ((c >= '0' && c <= '9') || c == ';')) {
		s->held[s->held_size++] = c;
	} else {
		s->held_size = 0; /* not a colour: swallow to its end */
		if (c == 0x1b)
			s->state = ESCAPE;
	}
}

static void escape(strip *s, char c)
{
	s->held_size = 0;
	if (c == '[') {
		s->state = CSI;
		s->held[0] = 0x1b;
		s->held[1] = '[';
		s->held_size = 2;
	} else if (c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X') {
		s->state = STRING;
	} else if (c >= 0x20 && c <= 0x2f) {
		s->state = CHARSET;
	} else if (c != 0x1b) {
		s->state = PLAIN;
	}
}

/* U+0080 to U+009F are control bytes of their own, and some terminals obey them: U+009B begins what
 * ESC [ does. They are C2 80 to C2 9F in UTF-8; a lone byte of that range is no text either. */
static void latin(strip *s, unsigned char c)
{
	s->state = PLAIN;
	if (c >= 0xa0 && c <= 0xbf && s->latin_here) {
		keep(s, (char)0xc2);
		keep(s, (char)c);
	} else if (c == 0x9b) {
		s->state = CSI;
		s->held_size = 0;
	} else if (c == 0x90 || c == 0x98 || c == 0x9d || c == 0x9e || c == 0x9f) {
		s->state = STRING;
	}
}

static void plain(strip *s, unsigned char c)
{
	s->state = PLAIN;
	if (c == 0x1b) {
		s->state = ESCAPE;
	} else if (c == 0xc2) {
		s->state = LATIN;
		s->latin_here = true;
	} else if (c >= 0xc3) {
		s->state = c < 0xe0 ? TAIL1 : c < 0xf0 ? TAIL2 : TAIL3;
		keep(s, (char)c);
	} else if (c >= 0x20 ? c < 0x7f : c == '\n' || c == '\t' || c == '\r') {
		keep(s, (char)c);
	}
}

static void step(strip *s, char byte)
{
	unsigned char c = (unsigned char)byte;

	switch (s->state) {
	case ESCAPE:
		escape(s, byte);
		break;
	case CSI:
		csi(s, byte);
		break;
	case STRING: /* until BEL or ESC \ */
		s->state = c == 0x07 ? PLAIN : c == 0x1b ? STRING_ESCAPE : STRING;
		break;
	case STRING_ESCAPE:
		s->state = c == '\\' ? PLAIN : c == 0x1b ? STRING_ESCAPE : STRING;
		break;
	case CHARSET:
		if (c < 0x20 || c > 0x2f)
			s->state = PLAIN;
		break;
	case LATIN:
		if (c >= 0x80 && c <= 0xbf)
			latin(s, c);
		else
			plain(s, c);
		break;
	case TAIL1:
	case TAIL2:
	case TAIL3:
		if (c < 0x80 || c > 0xbf) {
			plain(s, c);
			break;
		}
		keep(s, byte);
		s->state = s->state == TAIL1 ? PLAIN : s->state - 1;
		break;
	default:
		plain(s, c);
	}
}

size_t hn_terminal_strip(char *bytes, size_t size, int *state)
{
	strip s = {.out = bytes, .state = *state};

	for (size_t i = 0; i < size; i++)
		step(&s, bytes[i]);
	*state = s.state;
	return s.kept;
}
