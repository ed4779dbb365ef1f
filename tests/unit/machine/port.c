/* SPDX-License-Identifier: MIT
 *
 * Lines on the unit port from a hostile guest.
 */
#include "fixture.h"

typedef struct seen {
	int count, ready, beats, statuses;
	uint64_t number;
	char text[300];
} seen;

static void note(void *arg, const machine_port_line *line)
{
	seen *s = arg;

	s->count++;
	s->ready += line->kind == MACHINE_PORT_READY;
	s->beats += line->kind == MACHINE_PORT_BEAT;
	s->statuses += line->kind == MACHINE_PORT_STATUS;
	s->number = line->number;
	snprintf(s->text, sizeof(s->text), "%s", line->text);
}

static seen feed(machine_port *port, const char *bytes, size_t size)
{
	seen s = {0};

	machine_port_feed(port, bytes, size, MACHINE_SECOND, note, &s);
	return s;
}

static void refused(const char *bytes, size_t size)
{
	machine_port port = {0};
	seen s = feed(&port, bytes, size);

	cr_expect_eq(s.count, 0, "taken: %.40s", bytes);
	cr_expect_eq(port.ignored, 1);
	cr_expect_not(port.ready);
}
#define REFUSED(text) refused(text, sizeof(text) - 1)

Test(port, ready)
{
	machine_port port = {0};
	seen s = feed(&port, "READY=1\n", 8);

	cr_expect_eq(s.ready, 1);
	cr_expect(port.ready);
	cr_expect_eq(port.ignored, 0);
}

Test(port, ready_in_pieces)
{
	machine_port port = {0};

	cr_expect_eq(feed(&port, "REA", 3).count, 0);
	cr_expect_eq(feed(&port, "DY=1", 4).count, 0);
	cr_expect_eq(feed(&port, "\n", 1).ready, 1);
}

Test(port, status_and_phase)
{
	machine_port port = {0};
	seen s = feed(&port, "STATUS=loading \xc3\xa4\n", 18);

	cr_expect_eq(s.statuses, 1);
	cr_expect_str_eq(s.text, "loading \xc3\xa4");
	cr_expect_eq(feed(&port, "PHASE=network\n", 14).count, 1);
	cr_expect_eq(feed(&port, "CHECK=service/http 1.2.0 ok 5\n", 30).count, 1);
	cr_expect_eq(feed(&port, "SEEDED=1\n", 9).count, 1);
}

Test(port, beat)
{
	machine_port port = {0};
	seen s = feed(&port, "BEAT=42\n", 8);

	cr_expect_eq(s.beats, 1);
	cr_expect_eq(s.number, 42);
}

Test(port, ready_with_another_value)
{
	REFUSED("READY=2\n");
	REFUSED("READY=\n");
	REFUSED("READY=11\n");
	REFUSED("READY=1 \n");
}

Test(port, unknown_words)
{
	REFUSED("HELLO=1\n");
	REFUSED("ready=1\n");
	REFUSED(" READY=1\n");
	REFUSED("\n");
	REFUSED("STATUS=\n");
	REFUSED("CHECK=http ok\n");
}

Test(port, nul_and_control_bytes)
{
	REFUSED("READY=1\0\n");
	REFUSED("STATUS=a\0b\n");
	REFUSED("STATUS=\x1b[2J\n");
	REFUSED("STATUS=a\x7f\n");
	REFUSED("READY=1\r\n");
}

Test(port, invalid_utf8)
{
	REFUSED("STATUS=\xff\n");
	REFUSED("STATUS=\xc0\x80\n");
	REFUSED("STATUS=\xed\xa0\x80\n");
}

Test(port, numbers_that_are_none)
{
	REFUSED("BEAT=-1\n");
	REFUSED("BEAT=1x\n");
	REFUSED("BEAT=1234567890123456789\n");
	REFUSED("BEAT=\n");
}

Test(port, line_of_256_bytes_is_the_longest)
{
	machine_port port = {0};
	char line[258];

	memset(line, 'a', sizeof(line));
	memcpy(line, "STATUS=", 7);
	line[256] = '\n';
	cr_expect_eq(feed(&port, line, 257).statuses, 1);
	line[256] = 'a';
	line[257] = '\n';
	cr_expect_eq(feed(&port, line, 258).count, 0);
	cr_expect_eq(port.ignored, 1);
	cr_expect_eq(feed(&port, "READY=1\n", 8).ready, 1, "the next line is read again");
}

Test(port, a_mebibyte_without_newline)
{
	machine_port port = {0};
	char *line = calloc(1, 1 << 20);

	memset(line, 'x', 1 << 20);
	cr_expect_eq(feed(&port, line, 1 << 20).count, 0);
	cr_expect_leq(port.size, 256);
	machine_port_feed(&port, "\nREADY=1\n", 9, 3 * MACHINE_SECOND, NULL, NULL);
	cr_expect(port.ready);
	cr_expect_eq(port.ignored, 1);
	free(line);
}

Test(port, too_many_bytes_in_a_second)
{
	machine_port port = {0};
	int taken = 0;

	for (int i = 0; i < 1000; i++)
		taken += feed(&port, "BEAT=1\n", 7).count;
	cr_expect_eq(taken, 4096 / 7);
	cr_expect_eq(port.ignored, 1000 - 4096 / 7);
	machine_port_feed(&port, "READY=1\n", 8, 2 * MACHINE_SECOND, NULL, NULL);
	cr_expect(port.ready, "the next second counts anew");
}

Test(port, a_clock_that_went_back)
{
	machine_port port = {.window = 100 * MACHINE_SECOND, .in_window = 1 << 20};

	machine_port_feed(&port, "READY=1\n", 8, MACHINE_SECOND, NULL, NULL);
	cr_expect(port.ready);
}

Test(port, ready_stays)
{
	machine_port port = {0};

	feed(&port, "READY=1\nREADY=0\n", 16);
	cr_expect(port.ready);
}
