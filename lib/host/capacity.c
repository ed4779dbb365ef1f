/* SPDX-License-Identifier: MIT
 *
 * Admission arithmetic: sum of reserve / overcommit against 100 x sN x usable threads, in
 * millionths of a compute unit.
 */
#include "host/capacity.h"

#include <stdlib.h>

#define ROOM "host"
#define UNITS_A_THREAD 100
#define LARGEST_SHOWN 5
/* Largest value of compute.units; keeps every product below inside 64 bits. */
#define UNITS_MAX UINT64_C(1000000)
#define SN_MAX (1000 * HOST_MILLION)
#define THREADS_MAX 65536

typedef struct holder {
	char *unit;
	uint64_t reserve;
	int64_t overcommit;
	uint64_t share;
} holder;

struct host_admission {
	int64_t sn;
	uint32_t threads;
	uint64_t total;    /* sum of the shares */
	base_map *holders; /* name -> holder, owned */
	holder **sorted;   /* by share, made when it is walked; NULL = not made */
};

static void free_holder(void *value)
{
	holder *held = value;

	base_free(held->unit);
	base_free(held);
}

uint64_t host_admission_share(uint64_t reserve, int64_t overcommit)
{
	uint64_t divisor = overcommit < HOST_MILLION ? HOST_MILLION : (uint64_t)overcommit;
	uint64_t units = reserve > UNITS_MAX ? UNITS_MAX : reserve;

	return (units * HOST_MILLION * HOST_MILLION + divisor - 1) / divisor;
}

int host_admission_new(int64_t sn, uint32_t threads, host_admission **admission, hn_error **err)
{
	host_admission *made;

	if (sn <= 0 || sn > SN_MAX || threads == 0 || threads > THREADS_MAX)
		return base_error(err, HN_EINVAL, ROOM, "calibrate the host again",
			"a host of %u threads at %lld millionths of a reference thread has no capacity",
			(unsigned)threads, (long long)sn);
	made = base_calloc(1, sizeof(*made));
	if (!made)
		return base_nomem(err);
	made->holders = base_map_new(free_holder);
	if (!made->holders) {
		base_free(made);
		return base_nomem(err);
	}
	made->sn = sn;
	made->threads = threads;
	*admission = made;
	return 0;
}

void host_admission_free(host_admission *admission)
{
	if (!admission)
		return;
	base_map_free(admission->holders);
	base_free(admission->sorted);
	base_free(admission);
}

static holder *find_holder(const host_admission *admission, const char *unit)
{
	return base_map_get(admission->holders, unit, strlen(unit));
}

static void forget_order(host_admission *admission)
{
	base_free(admission->sorted);
	admission->sorted = NULL;
}

static int check_values(const char *unit, uint64_t reserve, int64_t overcommit, hn_error **err)
{
	if (reserve > UNITS_MAX)
		return base_error(err, HN_ERANGE, ROOM, "1 to 1000000 compute units",
			"%s asks for %llu compute units", unit, (unsigned long long)reserve);
	if (overcommit < HOST_MILLION)
		return base_error(err, HN_ERANGE, ROOM, "1.0 to 16.0",
			"%s has an overcommit of less than 1.0", unit);
	return 0;
}

static holder *add_holder(host_admission *admission, const char *unit)
{
	holder *held = base_calloc(1, sizeof(*held));

	if (!held)
		return NULL;
	held->unit = base_strdup(unit);
	if (!held->unit || base_map_put(admission->holders, unit, strlen(unit), held) < 0) {
		free_holder(held);
		return NULL;
	}
	return held;
}

int host_admission_set(host_admission *admission, const char *unit, uint64_t reserve,
	int64_t overcommit, hn_error **err)
{
	holder *held = find_holder(admission, unit);
	int rc = check_values(unit, reserve, overcommit, err);

	if (rc < 0)
		return rc;
	if (!held)
		held = add_holder(admission, unit);
	if (!held)
		return base_nomem(err);
	admission->total -= held->share;
	held->reserve = reserve;
	held->overcommit = overcommit;
	held->share = host_admission_share(reserve, overcommit);
	admission->total += held->share;
	forget_order(admission);
	return 0;
}

void host_admission_remove(host_admission *admission, const char *unit)
{
	holder *held = find_holder(admission, unit);

	if (!held)
		return;
	admission->total -= held->share;
	forget_order(admission);
	base_map_remove(admission->holders, unit, strlen(unit));
}

static uint64_t capacity_millionths(const host_admission *admission)
{
	return UNITS_A_THREAD * (uint64_t)admission->sn * admission->threads;
}

static int by_share(const void *left, const void *right)
{
	const holder *a = *(holder *const *)left, *b = *(holder *const *)right;

	if (a->share != b->share)
		return a->share < b->share ? 1 : -1;
	return strcmp(a->unit, b->unit);
}

/* The holders by share, owned by the caller; NULL when there is no memory. */
static holder **sort_holders(const host_admission *admission)
{
	size_t count = base_map_count(admission->holders), filled = 0;
	holder **sorted = base_calloc(count + 1, sizeof(holder *));
	void *value;

	if (!sorted)
		return NULL;
	for (size_t slot = 0; slot < base_map_slots(admission->holders); slot++)
		if (base_map_at(admission->holders, slot, NULL, NULL, &value))
			sorted[filled++] = value;
	qsort(sorted, count, sizeof(holder *), by_share);
	return sorted;
}

/* Names the largest holders in the hint of a refusal. */
static void hint_largest(const host_admission *admission, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	BASE_AUTO_FREE holder **sorted = NULL;

	if (!err || base_map_count(admission->holders) == 0)
		return;
	sorted = sort_holders(admission);
	for (size_t i = 0; sorted && sorted[i] && i < LARGEST_SHOWN; i++)
		base_buf_format(&text, "%s%s %llu CU / %lld.%02lld", i > 0 ? ", " : "",
			sorted[i]->unit, (unsigned long long)sorted[i]->reserve,
			(long long)(sorted[i]->overcommit / HOST_MILLION),
			(long long)(sorted[i]->overcommit % HOST_MILLION / 10000));
	if (sorted && !text.failed)
		base_error_hint(err,
			"the largest holders are %s; lower compute.units or compute.reserve, "
			"raise compute.overcommit, or move a unit",
			text.data);
}

static int refuse(const host_admission *admission, const char *unit, uint64_t share,
	uint64_t others, hn_error **err)
{
	uint64_t capacity = capacity_millionths(admission);
	uint64_t left = others < capacity ? (capacity - others) / HOST_MILLION : 0;
	uint64_t asked = (share + HOST_MILLION - 1) / HOST_MILLION;
	int rc;

	rc = base_error(err, HN_ECAPACITY, ROOM, NULL,
		"%s needs %llu compute units after overcommit, and %llu of %llu are left", unit,
		(unsigned long long)asked, (unsigned long long)left,
		(unsigned long long)host_admission_capacity(admission));
	hint_largest(admission, err);
	base_error_fact(err, "unit", unit);
	base_error_fact_number(err, "asked", (int64_t)asked);
	base_error_fact_number(err, "left", (int64_t)left);
	return rc;
}

int host_admission_check(const host_admission *admission, const char *unit, uint64_t reserve,
	int64_t overcommit, hn_error **err)
{
	const holder *held = find_holder(admission, unit);
	uint64_t before = held ? held->share : 0;
	uint64_t others = admission->total - before;
	uint64_t share;
	int rc = check_values(unit, reserve, overcommit, err);

	if (rc < 0)
		return rc;
	share = host_admission_share(reserve, overcommit);
	if (share <= before || others + share <= capacity_millionths(admission))
		return 0;
	return refuse(admission, unit, share, others, err);
}

static int what_if_error(const char *word, size_t size, const char *wrong, hn_error **err)
{
	return base_error(err, HN_ESYNTAX, ROOM, "write UNIT=CU, such as \"web-2=400 db=100\"",
		"what-if \"%.*s\": %s", (int)(size > 80 ? 80 : size), word, wrong);
}

/* One "name=units"; the digits are checked by hand because strtoull takes signs and spaces. */
static int what_if_word(host_admission *admission, const char *word, size_t size, hn_error **err)
{
	const char *equals = memchr(word, '=', size);
	size_t name_size = equals ? (size_t)(equals - word) : 0;
	uint64_t units = 0;
	const holder *held;
	char name[64];

	if (!equals)
		return what_if_error(word, size, "there is no \"=\"", err);
	if (!base_name_valid(word, name_size))
		return what_if_error(word, size, "that is no unit name", err);
	if (equals + 1 == word + size)
		return what_if_error(word, size, "there is no number", err);
	for (const char *digit = equals + 1; digit < word + size; digit++) {
		if (*digit < '0' || *digit > '9')
			return what_if_error(word, size, "compute units are a whole number", err);
		units = units * 10 + (uint64_t)(*digit - '0');
		if (units > UNITS_MAX)
			return base_error(err, HN_ERANGE, ROOM, "0 to 1000000 compute units",
				"what-if \"%.*s\" is out of range", (int)(size > 80 ? 80 : size),
				word);
	}
	memcpy(name, word, name_size);
	name[name_size] = '\0';
	held = find_holder(admission, name);
	return host_admission_set(
		admission, name, units, held ? held->overcommit : HOST_MILLION, err);
}

static bool names_twice(const char *text, const char *word)
{
	size_t size = strcspn(word, "= \t");

	for (const char *other = text; other < word;) {
		size_t skip = strspn(other, " \t");

		other += skip;
		if (other < word && strcspn(other, "= \t") == size &&
			memcmp(other, word, size) == 0)
			return true;
		other += strcspn(other, " \t");
	}
	return false;
}

int host_admission_what_if(host_admission *admission, const char *text, hn_error **err)
{
	if (strlen(text) > base_limit(BASE_LIMIT_TEXT_BYTES))
		return base_limit_check(BASE_LIMIT_TEXT_BYTES, strlen(text), err);
	for (const char *word = text; *(word += strspn(word, " \t"));) {
		size_t size = strcspn(word, " \t");
		int rc;

		if (names_twice(text, word))
			return base_error(err, HN_EDUPLICATE, ROOM, "name each unit once",
				"what-if names %.*s twice", (int)strcspn(word, "= \t"), word);
		rc = what_if_word(admission, word, size, err);
		if (rc < 0)
			return rc;
		word += size;
	}
	return 0;
}

uint64_t host_admission_capacity(const host_admission *admission)
{
	return capacity_millionths(admission) / HOST_MILLION;
}

uint64_t host_admission_reserved(const host_admission *admission)
{
	return (admission->total + HOST_MILLION - 1) / HOST_MILLION;
}

size_t host_admission_count(const host_admission *admission)
{
	return base_map_count(admission->holders);
}

static hn_capacity_entry entry_of(const holder *held)
{
	return (hn_capacity_entry){
		.size = sizeof(hn_capacity_entry),
		.unit = held->unit,
		.reserve = held->reserve,
		.overcommit = held->overcommit,
	};
}

int host_admission_get(const host_admission *admission, const char *unit, hn_capacity_entry *entry)
{
	const holder *held = find_holder(admission, unit);

	if (!held)
		return HN_ENOENT;
	*entry = entry_of(held);
	return 0;
}

int host_admission_at(host_admission *admission, size_t index, hn_capacity_entry *entry)
{
	if (index >= host_admission_count(admission))
		return HN_ENOENT;
	if (!admission->sorted)
		admission->sorted = sort_holders(admission);
	if (!admission->sorted)
		return HN_ENOMEM;
	*entry = entry_of(admission->sorted[index]);
	return 0;
}

uint32_t host_auto_vcpus(uint64_t units, int64_t sn, uint32_t threads)
{
	uint64_t most = threads == 0 ? 1 : threads;
	uint64_t a_thread = UNITS_A_THREAD * (uint64_t)(sn > 0 ? sn : 1);
	uint64_t wanted;

	if (most > base_limit(BASE_LIMIT_VCPUS))
		most = base_limit(BASE_LIMIT_VCPUS);
	wanted = ((units > UNITS_MAX ? UNITS_MAX : units) * HOST_MILLION + a_thread - 1) / a_thread;
	if (wanted < 1)
		wanted = 1;
	return (uint32_t)(wanted > most ? most : wanted);
}

char *host_auto_vcpus_note(uint64_t units, int64_t sn, uint32_t threads)
{
	base_buf text = {0};
	uint32_t vcpus = host_auto_vcpus(units, sn, threads);
	uint64_t free_running = host_auto_vcpus(units, sn, UINT32_MAX);

	base_buf_format(&text, "%u = ceil(%llu / (100 x %lld.%02lld))", (unsigned)vcpus,
		(unsigned long long)units, (long long)(sn / HOST_MILLION),
		(long long)(sn % HOST_MILLION / 10000));
	if (free_running > vcpus)
		base_buf_format(&text, ", at most %u threads", (unsigned)threads);
	return base_buf_take(&text);
}
