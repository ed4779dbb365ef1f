# SPDX-License-Identifier: MIT
"""Quantities, errors, cancelling, log, JSON: mirrors tests/unit/base and tests/unit/codec."""
import json
import threading

import hypernix
from support import Case, mirrors


class Size(Case):
    def parses(self, pairs):
        for text, number in pairs.items():
            self.assertEqual(hypernix.size_parse(text), number, text)

    def refuses(self, parse, pairs, error=None):
        for text, hint in pairs.items():
            with self.refused(error or hypernix.HnSyntaxError, hint=hint):
                parse(text)

    @mirrors('size', 'binary_units')
    def test_binary(self):
        self.parses({'7B': 7, '1Ki': 1024, '512Mi': 536870912, '32Gi': 34359738368, '3Ti': 3 << 40, '1Pi': 1 << 50})

    @mirrors('size', 'decimal_units')
    def test_decimal(self):
        self.parses({'1K': 1000, '2M': 2000000, '32G': 32000000000, '1T': 10 ** 12, '5P': 5 * 10 ** 15})

    @mirrors('size', 'fractions_that_are_whole_bytes')
    def test_fractions(self):
        self.parses({'1.5Gi': 1610612736, '0.5Ki': 512, '0.001K': 1, '2.0B': 2, '0.0009765625Ki': 1})

    @mirrors('size', 'the_largest_fits')
    def test_largest(self):
        self.parses({'18446744073709551615B': 2 ** 64 - 1, '16383Pi': 16383 << 50})

    @mirrors('size', 'refuses_overflow')
    def test_overflow(self):
        self.refuses(hypernix.size_parse, {'18446744073709551616B': None, '16384Pi': None}, hypernix.OutOfRangeError)

    @mirrors('size', 'refuses_gb_and_offers_both_meanings')
    def test_gb(self):
        self.refuses(hypernix.size_parse, {'32GB': 'write 32G (powers of 1000) or 32Gi', '1.5TB': '1.5Ti'})

    @mirrors('size', 'refuses_what_is_not_whole_bytes')
    def test_whole_bytes(self):
        self.refuses(hypernix.size_parse, {'0.3Ki': 'smaller unit', '1.5B': 'smaller unit'})

    @mirrors('size', 'printing_and_parsing_agree')
    def test_prints(self):
        for number in (0, 1, 1000, 1024, 1536, 10 ** 9, 2 ** 64 - 1):
            self.assertEqual(hypernix.size_parse(hypernix.size_print(number)), number)

    @mirrors('duration', 'every_unit')
    def test_durations(self):
        for text, number in {'5ns': 5, '5us': 5000, '5ms': 5 * 10 ** 6, '5s': 5 * 10 ** 9, '5min': 300 * 10 ** 9,
                             '5h': 18000 * 10 ** 9, '5d': 432000 * 10 ** 9, '5w': 3024000 * 10 ** 9}.items():
            self.assertEqual(hypernix.duration_parse(text), number)

    @mirrors('duration', 'refuses_m')
    def test_duration_m(self):
        self.refuses(hypernix.duration_parse, {'5m': 'write 5min (minutes) or 5ms (milliseconds)'})

    @mirrors('duration', 'refuses_words_and_offers_the_unit')
    def test_duration_words(self):
        self.refuses(hypernix.duration_parse, {'5sec': 'write 5s', '2hours': 'write 2h', '10\u00b5s': 'write 10us'})

    @mirrors('duration', 'a_negative_one_prints_for_people')
    def test_negative_duration(self):
        self.assertEqual(hypernix.duration_print(-1_500_000_000), '-1.5s' if hypernix.duration_print(
            1_500_000_000) == '1.5s' else '-' + hypernix.duration_print(1_500_000_000))

    @mirrors('ratio', 'decimals_become_millionths')
    def test_ratio(self):
        self.assertEqual([hypernix.ratio_parse(text) for text in ('0.9', '1', '2.5')], [900000, 1000000, 2500000])

    @mirrors('ratio', 'prints_without_useless_zeros')
    def test_ratio_print(self):
        self.assertEqual(hypernix.ratio_parse(hypernix.ratio_print(1250000)), 1250000)
        self.assertNotIn('0000', hypernix.ratio_print(1250000))

    @mirrors('rate', 'is_a_size_and_per_second')
    def test_rate(self):
        self.assertEqual(hypernix.rate_parse('100Mi/s'), 100 << 20)
        self.assertEqual(hypernix.rate_print(100 << 20), '100Mi/s')


class Errors(Case):
    @mirrors('code', 'each_has_name_text_graphql_and_exit_status')
    def test_codes(self):
        for code in hypernix.Code:
            self.assertEqual(code.c_name, 'HN_' + code.name)
            self.assertTrue(code.text)
            self.assertTrue(code.graphql)
            self.assertIn(code.exit_status, range(0, 65))

    @mirrors('code', 'numbers_are_different_and_without_a_gap')
    def test_numbers(self):
        codes, index = [], 0
        while hypernix.Code.at(index) != hypernix.Code.OK:
            codes.append(hypernix.Code.at(index))
            index += 1
        self.assertEqual(sorted(codes, reverse=True), [hypernix.Code(-number) for number in range(1, len(codes) + 1)])
        self.assertEqual(set(codes) | {hypernix.Code.OK}, set(hypernix.Code))

    @mirrors('code', 'an_unknown_one_is_still_printable')
    def test_unknown_code(self):
        code = hypernix.Code(-4711)
        self.assertEqual((code.c_name, code.name, int(code)), ('HN_EINTERNAL', 'UNKNOWN_-4711', -4711))

    @mirrors('error', 'holds_code_room_message_hint')
    def test_holds(self):
        with self.refused(hypernix.HnSyntaxError, hint='Gi') as seen:
            hypernix.size_parse('1GB')
        error = seen.error
        self.assertEqual((error.code, error.name, error.room), (hypernix.Code.ESYNTAX, 'HN_ESYNTAX', 'base'))
        self.assertEqual(error.exit_status, 6)
        self.assertIn(error.hint, str(error))
        self.assertIsInstance(error, hypernix.Error)

    @mirrors('error', 'hint_may_be_absent')
    def test_no_hint(self):
        self.assertIsNone(hypernix.Error('x').hint)
        self.assertEqual(str(hypernix.Error('x')), 'x')

    def test_one_class_for_each_code(self):
        classes = [cls for cls in vars(hypernix).values() if isinstance(cls, type) and issubclass(cls, hypernix.Error)]
        by_code = {cls.code: cls for cls in classes if cls.code is not None}
        self.assertEqual(set(by_code), set(hypernix.Code) - {hypernix.Code.OK})
        self.assertTrue(issubclass(hypernix.NotFoundError, LookupError))
        self.assertTrue(issubclass(hypernix.InvalidArgumentError, ValueError))

    @mirrors('version', 'is_that_of_the_headers')
    def test_version(self):
        self.assertEqual(hypernix.version(), '.'.join(str(part) for part in (
            hypernix.VERSION_MAJOR, hypernix.VERSION_MINOR, hypernix.VERSION_PATCH)))
        self.assertEqual(hypernix.version(), hypernix.__version__)


class Cancelling(Case):
    @mirrors('cancel', 'is_seen_once_triggered')
    def test_seen(self):
        with hypernix.Cancel() as cancel:
            self.assertFalse(cancel.triggered)
            cancel.trigger()
            self.assertTrue(cancel.triggered)

    @mirrors('cancel', 'another_thread_may_trigger_it')
    def test_thread(self):
        cancel = hypernix.Cancel()
        thread = threading.Thread(target=cancel.trigger)
        thread.start()
        thread.join()
        self.assertTrue(cancel.triggered)

    def test_a_second_reference_is_the_same_flag(self):
        first = hypernix.Cancel()
        second = first.ref()
        first.trigger()
        first.close()
        self.assertTrue(second.triggered)


class Writer(Case):
    def everything(self, writer):
        writer.object()
        writer.text('t', 'x')
        writer.array('a')
        writer.int(None, -2 ** 63)
        writer.uint(None, 2 ** 64 - 1)
        writer.bool(None, True)
        writer.bool(None, False)
        writer.null()
        writer.end()
        writer.object('o')
        writer.end()
        writer.text('n', None)
        writer.end()
        return writer.finish()

    @mirrors('json_write', 'compact')
    def test_compact(self):
        self.assertEqual(self.everything(hypernix.Json()),
                         '{"t":"x","a":[-9223372036854775808,18446744073709551615,true,false,null],"o":{},"n":null}')

    @mirrors('json_write', 'indented')
    def test_indented(self):
        text = self.everything(hypernix.Json(indented=True))
        self.assertIn('\n\t"a": [\n\t\t-9223372036854775808,', text)
        self.assertEqual(json.loads(text), json.loads(self.everything(hypernix.Json())))

    @mirrors('json_write', 'what_is_written_reads_back')
    def test_reads_back(self):
        every = ''.join(chr(code) for code in range(1, 0x250))
        writer = hypernix.Json()
        writer.object()
        writer.text(every, every)
        writer.end()
        self.assertEqual(json.loads(writer.finish()), {every: every})

    @mirrors('json_write', 'stream_of_documents')
    def test_stream(self):
        writer = hypernix.Json()
        for number in range(3):
            writer.array()
            writer.int(None, number)
            writer.end()
            self.assertEqual(writer.finish(), f'[{number}]')

    def test_an_error_as_an_object(self):
        with self.refused(hypernix.HnSyntaxError) as seen:
            hypernix.size_parse('1GB')
        writer = hypernix.Json()
        writer.error(None, seen.error)
        found = json.loads(writer.finish())
        self.assertEqual((found['code'], found['message'], found['hint']),
                         ('HN_ESYNTAX', seen.error.message, seen.error.hint))

    def test_a_document_that_is_not_finished(self):
        writer = hypernix.Json()
        writer.object()
        with self.refused(hypernix.InvalidArgumentError):
            writer.finish()


class Terminal(Case):
    @mirrors('strip', 'colour_stays')
    def test_colour(self):
        self.assertEqual(hypernix.terminal_strip(b'\x1b[31mred\x1b[0m')[0], b'\x1b[31mred\x1b[0m')

    @mirrors('strip', 'cursor_and_screen_go')
    def test_cursor(self):
        self.assertEqual(hypernix.terminal_strip(b'a\x1b[2J\x1b[1;1Hb')[0], b'ab')

    @mirrors('strip', 'split_between_pieces')
    def test_pieces(self):
        first, state = hypernix.terminal_strip(b'a\x1b[2')
        second, _ = hypernix.terminal_strip(b'Jb', state)
        self.assertEqual(first + second, b'ab')

    @mirrors('strip', 'nul_goes')
    def test_nul(self):
        self.assertEqual(hypernix.terminal_strip(b'a\0b')[0], b'ab')

    def test_what_was_given_is_not_changed(self):
        given = b'a\x1b[2Jb'
        hypernix.terminal_strip(given)
        self.assertEqual(given, b'a\x1b[2Jb')
