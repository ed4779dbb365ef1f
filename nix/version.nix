# SPDX-License-Identifier: MIT
#
# The spelling of versions and ranges, as lib/compose/version.c and range.c read them: hypernix-composition(5).
{ lib }:
let
  inherit (builtins) all elemAt filter head isString match split stringLength;

  number = "(0|[1-9][0-9]*)";
  # Digits alone do not begin with 0.
  identifier = "(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
  ending = "(-${identifier}([.]${identifier})*)?([+]r[1-9][0-9]*)?";
  whole = "${number}[.]${number}[.]${number}${ending}";
  partial = "[*]|${number}([.]${number}([.]${number}${ending})?)?";

  # Below 2^63; digits of one length are in the order of their numbers.
  small = digits: stringLength digits < 19 || stringLength digits == 19 && !("9223372036854775807" < digits);
  # The numbers before the prerelease, and the revision.
  numbers = text:
    let revision = match ".*[+]r([0-9]+)" text;
    in filter (part: isString part && part != "*") (split "[.]" (head (split "[-+]" text)))
      ++ lib.optional (revision != null) (head revision);
  spelled = form: text: match form text != null && all small (numbers text);

  comparator = text: spelled partial (elemAt (match "(>=|<=|[<>=~^])?(.*)" text) 1);
  alternative = text:
    let comparators = filter (word: word != "") (lib.splitString " " text);
    in comparators != [ ] && all comparator comparators;
in
{
  isVersion = text: isString text && stringLength text <= 128 && spelled whole text;
  isRange = text: isString text && stringLength text <= 1024 && match "[0-9A-Za-z.*+<>=~^| -]*" text != null
    && all alternative (lib.splitString "||" text);
}
