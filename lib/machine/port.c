/* SPDX-License-Identifier: MIT
 *
 * Lines on the unit port. The guest is hostile: a line is at most 256 bytes, strict UTF-8 without
 * control bytes, and only so many bytes a second are looked at; the rest is dropped and counted.
 */
#include "machine/driver.h"

static const struct {
	const char *start;
	machine_port_kind kind;
	bool only_one; /* the value must be "1" */
} lines[] = {
	{"READY=", MACHINE_PORT_READY, true},
	{"SEEDED=", MACHINE_PORT_SEEDED, true},
	{"STATUS=", MACHINE_PORT_STATUS, false},
	{"PHASE=", MACHINE_PORT_PHASE, false},
	{"CHECK=", MACHINE_PORT_CHECK, false},
	{"BEAT=", MACHINE_PORT_BEAT, false},
};

static bool clean(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return base_utf8_valid(text, size);
}

/* At most 18 digits: no overflow. */
bool machine_port_number(const char *text, size_t size, uint64_t *number)
{
	*number = 0;
	if (size == 0 || size > 18)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(text[i] - '0');
	}
	return true;
}

static bool parse(machine_port *port, machine_port_line *out)
{
	if (!clean(port->line, port->size))
		return false;
	port->line[port->size] = '\0';
	for (size_t i = 0; i < BASE_COUNT(lines); i++) {
		size_t size = strlen(lines[i].start);

		if (strncmp(port->line, lines[i].start, size) != 0)
			continue;
		out->kind = lines[i].kind;
		out->text = port->line + size;
		out->number = 0;
		if (lines[i].only_one)
			return strcmp(out->text, "1") == 0;
		if (out->kind == MACHINE_PORT_BEAT)
			return machine_port_number(out->text, strlen(out->text), &out->number);
		if (out->kind == MACHINE_PORT_CHECK)
			return machine_check_parse(out->text, &out->check);
		return out->text[0] != '\0';
	}
	return false;
}

static void end_line(machine_port *port, machine_port_fn each, void *arg)
{
	machine_port_line line;

	if (!port->skipping && parse(port, &line)) {
		if (line.kind == MACHINE_PORT_READY)
			port->ready = true;
		if (each != NULL)
			each(arg, &line);
	} else {
		port->ignored++;
	}
	port->size = 0;
	port->skipping = false;
}

void machine_port_feed(machine_port *port, const char *bytes, size_t size, int64_t now,
	machine_port_fn each, void *arg)
{
	uint64_t most = base_limit(BASE_LIMIT_PORT_BYTES_PER_SECOND);
	uint64_t longest = base_limit(BASE_LIMIT_PORT_LINE_BYTES);

	if (now - port->window >= MACHINE_SECOND || now < port->window) {
		port->window = now;
		port->in_window = 0;
	}
	for (size_t i = 0; i < size; i++) {
		if (++port->in_window > most)
			port->skipping = true;
		if (bytes[i] == '\n') {
			end_line(port, each, arg);
		} else if (!port->skipping) {
			if (port->size == longest)
				port->skipping = true;
			else
				port->line[port->size++] = bytes[i];
		}
	}
}
