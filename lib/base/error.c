/* SPDX-License-Identifier: MIT
 *
 * Errors: a refcounted object with code, room, message, hint, cause chain and typed facts. Out of
 * memory is one static object, so that reporting it needs no memory.
 */
#include "base/base-private.h"
#include <errno.h>
#include <stdio.h>

enum { FACTS_MAX = 16 };

typedef struct error_fact {
	char *name;
	char *text;
	int64_t number;
} error_fact;

struct hn_error {
	atomic_uint references;
	hn_code code;
	const char *room;
	char *hint;
	hn_error *cause;
	error_fact *facts;
	size_t fact_count;
	size_t fact_capacity;
	bool plain; /* see base_error_plain */
	char message[];
};

/* A flexible array member cannot be initialised portably, so the static object has its text beside
 * it. */
static hn_error nomem_error = {.references = 1, .code = HN_ENOMEM, .room = "base"};
static const char nomem_message[] = "out of memory";

typedef struct code_row {
	hn_code code;
	int exit_status;
	const char *name;
	const char *text;
	const char *graphql;
} code_row;

static const code_row codes[] = {
#define HN_ERROR(name, number, text, exit_status, graphql)                                         \
	{(hn_code)(number), (exit_status), "HN_" #name, (text), (graphql)},
#include <hypernix/errors.def>
#undef HN_ERROR
};

static const code_row *code_find(hn_code code)
{
	static const code_row success = {HN_OK, 0, "HN_OK", "success", "OK"};
	static const code_row unknown = {
		HN_EINTERNAL, 1, "HN_EINTERNAL", "unknown error", "INTERNAL"};

	for (size_t i = 0; i < BASE_COUNT(codes); i++) {
		if (codes[i].code == code)
			return &codes[i];
	}
	return code == HN_OK ? &success : &unknown;
}

const char *hn_code_name(hn_code code)
{
	return code_find(code)->name;
}

const char *hn_code_text(hn_code code)
{
	return code_find(code)->text;
}

int hn_code_exit_status(hn_code code)
{
	return code_find(code)->exit_status;
}

const char *hn_code_graphql(hn_code code)
{
	return code_find(code)->graphql;
}

hn_code hn_code_at(size_t index)
{
	return index < BASE_COUNT(codes) ? codes[index].code : HN_OK;
}

hn_error *hn_error_ref(hn_error *error)
{
	if (error != NULL && error != &nomem_error)
		atomic_fetch_add_explicit(&error->references, 1, memory_order_relaxed);
	return error;
}

static void error_destroy(hn_error *error)
{
	for (size_t i = 0; i < error->fact_count; i++) {
		base_free(error->facts[i].name);
		base_free(error->facts[i].text);
	}
	base_free(error->facts);
	base_free(error->hint);
	base_free(error);
}

/* A loop, not recursion: a cause chain may be long. */
hn_error *hn_error_unref(hn_error *error)
{
	while (error != NULL && error != &nomem_error) {
		hn_error *cause = error->cause;

		if (atomic_fetch_sub_explicit(&error->references, 1, memory_order_acq_rel) != 1)
			break;
		error_destroy(error);
		error = cause;
	}
	return NULL;
}

hn_code hn_error_code(const hn_error *error)
{
	return error == NULL ? HN_OK : error->code;
}

const char *hn_error_room(const hn_error *error)
{
	return error == NULL ? "" : error->room;
}

const char *hn_error_message(const hn_error *error)
{
	if (error == NULL)
		return "";
	return error == &nomem_error ? nomem_message : error->message;
}

const char *hn_error_hint(const hn_error *error)
{
	return error == NULL ? NULL : error->hint;
}

const hn_error *hn_error_cause(const hn_error *error)
{
	return error == NULL ? NULL : error->cause;
}

size_t hn_error_fact_count(const hn_error *error)
{
	return error == NULL ? 0 : error->fact_count;
}

int hn_error_fact(const hn_error *error, size_t index, hn_fact *fact)
{
	if (error == NULL || index >= error->fact_count)
		return HN_ENOENT;
	fact->name = error->facts[index].name;
	fact->text = error->facts[index].text;
	fact->number = error->facts[index].number;
	return 0;
}

/* Messages quote what others wrote, cut at some byte. A terminal must not obey it and JSON must be
 * able to hold it: control characters (but new line and tab) and what is no UTF-8 become '?'. */
static char *make_printable(char *text)
{
	unsigned char *at = (unsigned char *)text;

	while (*at != '\0') {
		size_t size = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
		bool control = (*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f ||
			       (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);

		if (!control && strnlen((char *)at, size) == size &&
			base_utf8_valid((char *)at, size))
			at += size;
		else
			*at++ = '?';
	}
	return text;
}

int base_nomem(hn_error **err)
{
	if (err != NULL) {
		hn_error_unref(*err);
		*err = &nomem_error;
	}
	return HN_ENOMEM;
}

static BASE_PRINTF(3, 0) hn_error *error_new(
	hn_code code, const char *room, const char *format, va_list arguments)
{
	va_list again;
	hn_error *error = NULL;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		return NULL;
	error = base_calloc(1, sizeof(*error) + (size_t)length + 1);
	if (error == NULL)
		return NULL;
	vsnprintf(error->message, (size_t)length + 1, format, arguments);
	make_printable(error->message);
	atomic_init(&error->references, 1);
	error->code = code;
	error->room = room;
	return error;
}

static int error_set_hint(hn_error *error, const char *hint)
{
	error->hint = base_strdup(hint);
	if (error->hint == NULL)
		return HN_ENOMEM;
	make_printable(error->hint);
	return 0;
}

/* Puts a new error into the place of *err, which it keeps as its cause or releases. */
static BASE_PRINTF(6, 0) int error_put(hn_error **err, hn_code code, const char *room,
	const char *hint, bool wraps, const char *format, va_list arguments)
{
	hn_error *error;

	if (err == NULL)
		return code;
	error = error_new(code, room, format, arguments);
	if (error == NULL)
		return base_nomem(err);
	if (hint != NULL && error_set_hint(error, hint) < 0) {
		hn_error_unref(error);
		return base_nomem(err);
	}
	/* Last, since the arguments may point into the error that is replaced. */
	if (wraps)
		error->cause = *err;
	else
		hn_error_unref(*err);
	*err = error;
	return code;
}

int base_error(
	hn_error **err, hn_code code, const char *room, const char *hint, const char *format, ...)
{
	va_list arguments;
	int rc;

	va_start(arguments, format);
	rc = error_put(err, code, room, hint, false, format, arguments);
	va_end(arguments);
	return rc;
}

int base_error_wrap(hn_error **err, hn_code code, const char *room, const char *format, ...)
{
	va_list arguments;
	int rc;

	va_start(arguments, format);
	rc = error_put(err, code, room, NULL, true, format, arguments);
	va_end(arguments);
	return rc;
}

int base_error_forgive(hn_error **err, int rc, hn_code code)
{
	if (rc != (int)code)
		return rc;
	if (err != NULL)
		*err = hn_error_unref(*err);
	return 0;
}

void base_error_move(hn_error **err, hn_error *error)
{
	hn_error *released = error;

	if (err != NULL) {
		released = *err;
		*err = error;
	}
	hn_error_unref(released);
}

/* Hint and facts are extras: when there is no memory for one, the error stands without it. */
static bool error_extendable(hn_error **err)
{
	return err != NULL && *err != NULL && *err != &nomem_error;
}

void base_error_hint(hn_error **err, const char *format, ...)
{
	base_buf text = {0};
	va_list arguments;
	char *hint;

	if (!error_extendable(err))
		return;
	va_start(arguments, format);
	base_buf_vformat(&text, format, arguments);
	va_end(arguments);
	hint = base_buf_take(&text);
	if (hint == NULL)
		return;
	base_free((*err)->hint);
	(*err)->hint = make_printable(hint);
}

static error_fact *error_add_fact(hn_error **err, const char *name)
{
	hn_error *error;
	error_fact *added;

	if (!error_extendable(err) || (*err)->fact_count >= FACTS_MAX)
		return NULL;
	error = *err;
	if (base_grow(&error->facts, &error->fact_capacity, error->fact_count + 1,
		    sizeof(*error->facts)) < 0)
		return NULL;
	added = &error->facts[error->fact_count];
	*added = (error_fact){.name = base_strdup(name)};
	if (added->name == NULL)
		return NULL;
	error->fact_count++;
	return added;
}

void base_error_fact(hn_error **err, const char *name, const char *text)
{
	error_fact *added = error_add_fact(err, name);

	if (added == NULL)
		return;
	added->text = base_strdup(text);
	if (added->text == NULL) {
		base_free(added->name);
		(*err)->fact_count--;
		return;
	}
	make_printable(added->text);
}

void base_error_fact_number(hn_error **err, const char *name, int64_t number)
{
	error_fact *added = error_add_fact(err, name);

	if (added != NULL)
		added->number = number;
}

void base_error_plain(hn_error **err)
{
	if (error_extendable(err))
		(*err)->plain = true;
}

int base_error_redact(hn_error **err, int rc, uint32_t classes)
{
	char text[BASE_REDACT_SIZE];

	if (rc >= 0 || (classes & BASE_REDACT_TEXTS) == 0 || !error_extendable(err) ||
		(*err)->plain)
		return rc;
	base_error(err, (hn_code)rc, (*err)->room, NULL, "%s; more is left out for the token (%s)",
		hn_code_text((hn_code)rc), base_redact_text(classes & BASE_REDACT_TEXTS, text));
	base_error_plain(err);
	return rc;
}

static hn_code code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
		return HN_ENOSPC;
	case ENOENT:
		return HN_ENOENT;
	case EACCES:
	case EPERM:
		return HN_EDENIED;
	case EEXIST:
		return HN_EEXIST;
	case ENOMEM:
		return HN_ENOMEM;
	case ETIMEDOUT:
		return HN_ETIMEOUT;
	case ENAMETOOLONG:
		return HN_EPATHLEN;
	case ENOSYS:
	case EOPNOTSUPP:
		return HN_ENOSUP;
	default:
		return HN_EIO;
	}
}

int base_error_errno(hn_error **err, const char *room, int errnum, const char *format, ...)
{
	int positive = errnum < 0 ? -errnum : errnum;
	hn_code code = code_of_errno(positive);
	BASE_AUTO_BUF base_buf text = {0};
	const char *reason = strerrordesc_np(positive);
	va_list arguments;
	int returned;

	if (err == NULL)
		return code;
	if (code == HN_ENOMEM)
		return base_nomem(err);
	va_start(arguments, format);
	base_buf_vformat(&text, format, arguments);
	va_end(arguments);
	if (text.failed)
		return base_nomem(err);
	returned = base_error(err, code, room, NULL, "%s: %s", text.data,
		reason != NULL ? reason : "unknown error");
	base_error_fact_number(err, "errno", positive);
	return returned;
}

int base_corrupt(hn_error **err, const char *room, const char *format, ...)
{
	va_list arguments;
	int rc;

	va_start(arguments, format);
	rc = error_put(err, HN_ECORRUPT, room, NULL, false, format, arguments);
	va_end(arguments);
	return rc;
}
