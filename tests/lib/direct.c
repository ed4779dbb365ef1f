/* SPDX-License-Identifier: MIT
 *
 * Runs the cases of a Criterion program one after the other, each in a plain fork. Preloaded where
 * Criterion's own sandbox cannot be: it maps memory at places that ThreadSanitizer has taken.
 * Prints what the case prints, and writes TAP to the file of CRITERION_OUTPUTS=tap:FILE.
 */
#include <criterion/abort.h>
#include <criterion/event.h>
#include <criterion/types.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CASE_FAILED = 101, CASE_SKIPPED = 102 };

static const struct criterion_test *test;
static const struct criterion_suite *suite;
static int failed;

/* ---- what the macros of <criterion/criterion.h> call ---- */

void criterion_internal_test_setup(void);
void criterion_internal_test_main(void (*fn)(void));
void criterion_internal_test_teardown(void);
void cri_asserts_passed_incr(void);

void criterion_internal_test_setup(void)
{
	if (suite && suite->data->init)
		suite->data->init();
	if (test->data->init)
		test->data->init();
}

void criterion_internal_test_main(void (*fn)(void))
{
	fn();
}

void criterion_internal_test_teardown(void)
{
	if (test->data->fini)
		test->data->fini();
	if (suite && suite->data->fini)
		suite->data->fini();
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
	if (stats->passed)
		return;
	failed = 1;
	fprintf(stderr, "%s:%u: %s\n", stats->file, stats->line, stats->message);
}

void cri_asserts_passed_incr(void)
{
}

void criterion_continue_test(void)
{
}

void criterion_abort_test(void)
{
	fflush(NULL);
	_exit(CASE_FAILED);
}

void criterion_skip_test(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fflush(NULL);
	_exit(CASE_SKIPPED);
}

/* ---- the cases: pointers in sections cr_tst and cr_sts of the program ---- */

static int first_object(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(ElfW(Addr) *)bias = info->dlpi_addr; /* the program itself comes first */
	return 1;
}

static void **section(const unsigned char *file, const char *name, size_t *count)
{
	const ElfW(Ehdr) *header = (const void *)file;
	const ElfW(Shdr) *sections = (const void *)(file + header->e_shoff);
	const char *names = (const char *)file + sections[header->e_shstrndx].sh_offset;
	ElfW(Addr) bias = 0;

	dl_iterate_phdr(first_object, &bias);
	*count = 0;
	for (size_t n = 0; n < header->e_shnum; n++) {
		if (strcmp(names + sections[n].sh_name, name) != 0)
			continue;
		*count = sections[n].sh_size / sizeof(void *);
		return (void **)(bias +
				 sections[n].sh_addr); /* NOLINT: an address of the program */
	}
	return NULL;
}

static const unsigned char *map_program(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *memory;

	if (fd < 0 || fstat(fd, &status) != 0)
		return NULL;
	memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

/* ---- running ---- */

static int run_child(void)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		test->test();
		fflush(NULL);
		exit(failed ? CASE_FAILED : 0); /* exit: sanitizers report there */
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static const char *verdict(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == test->data->signal ? "ok" : "not ok";
	if (WEXITSTATUS(status) == CASE_SKIPPED)
		return "skip";
	return WEXITSTATUS(status) == test->data->exit_code ? "ok" : "not ok";
}

static const struct criterion_suite *suite_of(void **suites, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		const struct criterion_suite *candidate = suites[n];

		if (candidate && strcmp(candidate->name, test->category) == 0)
			return candidate;
	}
	return NULL;
}

static int run_case(FILE *tap)
{
	const char *answer = test->data->disabled || test->data->kind_ != CR_TEST_NORMAL
				     ? "skip"
				     : verdict(run_child());
	bool skipped = strcmp(answer, "skip") == 0;

	fprintf(tap, "%s - %s::%s%s\n", skipped ? "ok" : answer, test->category, test->name,
		skipped ? " # SKIP" : "");
	if (strcmp(answer, "not ok") == 0)
		fprintf(stderr, "[FAIL] %s::%s\n", test->category, test->name);
	return strcmp(answer, "not ok") == 0;
}

int main(void)
{
	const char *outputs = getenv("CRITERION_OUTPUTS");
	FILE *tap = outputs && strncmp(outputs, "tap:", 4) == 0 ? fopen(outputs + 4, "we") : stdout;
	const unsigned char *file = map_program();
	size_t test_count, suite_count;
	void **tests, **suites;
	int bad = 0;

	if (!file || !tap)
		return 1;
	tests = section(file, "cr_tst", &test_count);
	suites = section(file, "cr_sts", &suite_count);
	for (size_t n = 0; n < test_count; n++) {
		test = tests[n];
		if (!test)
			continue;
		suite = suite_of(suites, suite_count);
		bad += run_case(tap);
		fflush(tap);
	}
	return bad ? 1 : 0;
}
