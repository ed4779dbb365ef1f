# SPDX-License-Identifier: MIT
#
# Reads a weekly schedule in text as strictly as the library does (hypernix-capability(5)), so that a wrong one fails
# the evaluation: "Mon..Fri 09:00-17:30, Sat 10:00-12:00 Europe/Berlin except 2026-12-24..2026-12-26". Whether this
# host has the zone is known to it alone.
{ lib }:
let
  inherit (builtins) any concatMap elemAt filter foldl' fromJSON genList head isString length match sort split stringLength;

  days = [ "Mon" "Tue" "Wed" "Thu" "Fri" "Sat" "Sun" ];
  ruleDays = [ "MO" "TU" "WE" "TH" "FR" "SA" "SU" ];
  space = "[ \t]";
  time = "[0-9]{2}:[0-9]{2}";
  date = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
  most = { windows = 32; excluded = 366; bytes = 8192; };

  parts = separator: text: filter isString (split separator text);
  twice = list: let sorted = sort (a: b: a < b) list; in
    any (i: elemAt sorted i == elemAt sorted (i + 1)) (genList (i: i) (lib.max 0 (length sorted - 1)));
  # "08" is no number of JSON.
  number = digits: fromJSON (head (match "0*([0-9]+)" digits));
  place = name: list: lib.lists.findFirst (i: elemAt list i == name) null (genList (i: i) (length list));
  first = checks: lib.lists.findFirst (text: text != null) null checks;
  unless = good: text: if good then null else text;

  # ---- days: "Mon..Wed,Fri", or the part of RFC 5545 that is a set of days ----

  span = from: to: if from <= to then lib.range from to else lib.range from 6 ++ lib.range 0 to;
  dayRange = text:
    let
      found = match "([A-Z][a-z]{2})([.][.]([A-Z][a-z]{2}))?" text;
      from = place (head found) days;
      to = if elemAt found 2 == null then from else place (elemAt found 2) days;
    in if found == null || from == null || to == null then null else span from to;
  wrongDays = text:
    let ranges = map dayRange (parts "," text);
    in if any (range: range == null) ranges then ''"${text}" is no list of days such as Mon..Fri or Sat,Sun''
    else unless (!twice (concatMap (range: range) ranges)) ''a day stands twice in "${text}"'';
  wrongRuleDays = text:
    let names = parts "," text;
    in if any (name: place name ruleDays == null) names then ''"${text}" is no list of days such as MO,TU''
    else unless (!twice names) ''a day stands twice in "${text}"'';
  wrongRulePart = part:
    let list = match "(BYDAY|WKST)=(.*)" part;
    in if list != null then wrongRuleDays (elemAt list 1)
    else unless (part == "INTERVAL=1") ''of a rule FREQ=WEEKLY with BYDAY, INTERVAL=1 and WKST is taken, not "${part}"'';
  wrongRule = text:
    let
      found = match "(RRULE:)?FREQ=WEEKLY(;(.*))?" text;
      given = if elemAt found 2 == null then [ ] else parts ";" (elemAt found 2);
    in if found == null then ''only weekly rules are taken (FREQ=WEEKLY), not "${text}"''
    else first (map wrongRulePart given ++ [
      (unless (length (filter (lib.hasPrefix "BYDAY=") given) == 1) "a rule says its days once: BYDAY=MO,TU")
    ]);

  # ---- windows ----

  minutes = text: number (builtins.substring 0 2 text) * 60 + number (builtins.substring 3 2 text);
  wrongTime = text:
    unless (number (builtins.substring 3 2 text) <= 59 && minutes text <= 1440) "${text} does not exist; times go from 00:00 to 24:00";
  wrongWindow = from: to: first [
    (wrongTime from)
    (wrongTime to)
    (unless (minutes from != 1440) "a window cannot start at 24:00; a day begins at 00:00")
    (unless (minutes to != 0) "a window cannot end at 00:00; midnight at the end of a day is 24:00")
    (unless (minutes from != minutes to) "the window ${from}-${to} ends when it starts; a whole day is 00:00-24:00")
  ];
  # What is wrong with this window and those behind it.
  windows = count: text:
    let
      found = match "${space}*(([^0-9 \t][^ \t]*)${space}+)?(${time})-(${time})(${space}*[,;](.*))?" text;
      named = elemAt found 1;
      rest = elemAt found 5;
    in if found == null then ''"${text}" is no window such as Mon..Fri 09:00-17:30''
    else first [
      (unless (count < most.windows) "more than ${toString most.windows} windows")
      (if named == null then null
       else if match "(RRULE:|FREQ=).*" named != null then wrongRule named else wrongDays named)
      (wrongWindow (elemAt found 2) (elemAt found 3))
      (if rest == null then null else windows (count + 1) rest)
    ];

  # ---- dates that are left out ----

  leap = year: lib.mod year 4 == 0 && (lib.mod year 100 != 0 || lib.mod year 400 == 0);
  monthDays = year: month: elemAt [ 31 (if leap year then 29 else 28) 31 30 31 30 31 31 30 31 30 31 ] (month - 1);
  dayOf = text:
    let
      found = match "([0-9]{4})-([0-9]{2})-([0-9]{2})" text;
      year = number (elemAt found 0);
      month = number (elemAt found 1);
      day = number (elemAt found 2);
      before = year - 1;
    in if year < 1970 || month < 1 || month > 12 || day < 1 || day > monthDays year month then null
    else before * 365 + before / 4 - before / 100 + before / 400 + day
      + foldl' (sum: one: sum + monthDays year one) 0 (lib.range 1 (month - 1));
  dateRange = text:
    let
      found = match "${space}*(${date})([.][.](${date}))?${space}*" text;
      from = dayOf (head found);
      to = if elemAt found 2 == null then from else dayOf (elemAt found 2);
    in if found == null then { wrong = ''"${text}" is no date such as 2026-12-24 or 2026-12-24..2026-12-26''; }
    else if from == null || to == null then { wrong = ''"${text}": that date does not exist''; }
    else if to < from then { wrong = ''"${text}": put the earlier date first''; }
    else { wrong = null; inherit from; count = to - from + 1; };
  wrongDates = text:
    let
      ranges = map dateRange (parts "," text);
      total = foldl' (sum: range: sum + range.count) 0 ranges;
    in first (map (range: range.wrong) ranges ++ [
      (unless (total <= most.excluded) "more than ${toString most.excluded} excluded days")
      (unless (!twice (concatMap (range: genList (i: range.from + i) range.count) ranges)) "a date stands twice")
    ]);

  wrongZone = name:
    unless (stringLength name <= 64 && match "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}" name != null)
      ''"${name}" is no name of a time zone such as Europe/Berlin or UTC'';
in
{
  # What is wrong with the text of a schedule, or null.
  wrong = text:
    let found = match "(.*${time}-${time})${space}+([^ \t]+)(${space}*|${space}+except(.*))" text;
    in if stringLength text > most.bytes then "a schedule has at most ${toString most.bytes} bytes"
    else if found == null then "a schedule is like Mon..Fri 09:00-17:30 Europe/Berlin"
    else first [
      (windows 0 (elemAt found 0))
      (wrongZone (elemAt found 1))
      (if elemAt found 3 == null then null else wrongDates (elemAt found 3))
    ];
}
