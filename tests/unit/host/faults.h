/* SPDX-License-Identifier: MIT
 *
 * Runs calls of a session with one fault after the other under them: the nth I/O call, allocation
 * or write to the hypervisor fails once. What failed says so, and the same call then goes through.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include "heap.h"
#include "sim/lab.h"

#include <errno.h>

/* --- what fails --- */

typedef enum fault_kind { FAULT_DISK, FAULT_MEMORY, FAULT_HYPERVISOR } fault_kind;

static void arm(const lab *l, fault_kind kind, unsigned long nth)
{
	heap.hit = false;
	heap.fail_at = kind == FAULT_MEMORY ? heap.calls + nth : 0;
	if (kind == FAULT_DISK)
		hn_os_sim_fail(l->os, nth, false, EIO);
	if (kind == FAULT_HYPERVISOR)
		fake.fault.fail_at = fake.writes + (unsigned)nth;
}

/* Ends the fault; was it hit? */
static bool disarm(const lab *l, fault_kind kind, uint64_t calls, unsigned long nth)
{
	bool hit = kind == FAULT_MEMORY ? heap.hit
		   : kind == FAULT_DISK ? hn_os_sim_calls(l->os) - calls >= nth
					: fake.writes >= fake.fault.fail_at;

	heap.fail_at = 0;
	hn_os_sim_fail(l->os, 0, false, 0);
	fake.fault.fail_at = 0;
	return hit;
}

typedef struct fault_call {
	const char *name;
	void (*set)(lab *l); /* to where there is something to do; NULL = nothing to prepare */
	int (*run)(lab *l, const char *unit);
	bool (*done)(lab *l); /* NULL: one that only reads */
	const char *unit;     /* NULL: of no unit */
	bool whole;           /* what failed did nothing at all */
	bool undoes;          /* it may end with more than the fault: undone, or not to be undone */
	void (*mend)(lab *l); /* before the next try; NULL = nothing to do */
} fault_call;

static bool fits(const fault_call *c, fault_kind kind, int code)
{
	static const int codes[] = {HN_EIO, HN_ENOMEM, HN_EDRIVER};

	return code == codes[kind] ||
	       (c->undoes && (code == HN_EUNDO || code == HN_EINCONSISTENT)) ||
	       (code == HN_EAUDIT && kind != FAULT_HYPERVISOR);
}

static unsigned long after(unsigned long nth)
{
	return nth + 1 + nth / 24;
}

/* One fault; false when the call ended before it. */
static bool survives(lab *l, const fault_call *c, fault_kind kind, unsigned long nth)
{
	uint64_t calls_before;
	bool hit;
	int rc;

	if (c->set)
		c->set(l);
	calls_before = hn_os_sim_calls(l->os);
	(void)lab_err(l);
	arm(l, kind, nth);
	rc = c->run(l, c->unit ? c->unit : "api");
	hit = disarm(l, kind, calls_before, nth);
	if (rc >= 0) {
		cr_assert_null(l->err, "%s, %lu: success, and %s", c->name, nth, lab_why(l));
		cr_assert(kind == FAULT_HYPERVISOR || !c->done || c->done(l), "%s, %lu: not done",
			c->name, nth);
		return hit;
	}
	cr_assert(hit && fits(c, kind, rc), "%s, %lu: %s: %s", c->name, nth,
		hn_code_name((hn_code)rc), lab_why(l));
	cr_assert(l->err && (int)hn_error_code(l->err) == rc, "%s, %lu: %s", c->name, nth,
		lab_why(l));
	cr_assert(!c->whole || !c->done(l), "%s, %lu: half done", c->name, nth);
	if (c->mend)
		c->mend(l);
	rc = c->run(l, c->unit ? c->unit : "api");
	cr_assert(rc >= 0 || (rc == HN_ENOENT && c->done), "%s, %lu: again: %s", c->name, nth,
		lab_why(l));
	cr_assert(!c->done || c->done(l), "%s, %lu: not done at last", c->name, nth);
	return true;
}

static lab fault_begin(const char *declared)
{
	lab l = lab_new();

	lab_must_apply(&l, declared);
	return l;
}

static void fault_survive(
	fault_kind kind, const char *declared, const fault_call *calls, size_t first, size_t last)
{
	for (size_t i = first; i < last; i++) {
		LAB l = fault_begin(declared);
		unsigned long nth = 1;

		while (survives(&l, &calls[i], kind, nth))
			nth = after(nth);
		cr_expect(nth > 1 || !calls[i].done || kind == FAULT_HYPERVISOR,
			"%s: no fault came", calls[i].name);
		cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s: %s", calls[i].name,
			lab_why(&l));
	}
}

static void fault_survive_memory(
	const char *declared, const fault_call *calls, size_t first, size_t last)
{
	heap_take();
	fault_survive(FAULT_MEMORY, declared, calls, first, last);
}

#endif
