# SPDX-License-Identifier: MIT
#
# What Nix knows of the keys of a unit: the rows of lib/tags/keys.def (keys.json is made from it), a tree to
# find them by nested or dotted name, and a check of a value's form. What a value means is the library's.
{ lib }:
let
  inherit (builtins) attrNames elem filter fromJSON head isAttrs isBool isFloat isInt isList isPath isString length
    listToAttrs match readFile split stringLength tail toJSON typeOf;

  table = fromJSON (readFile ./keys.json);

  parts = name: filter isString (split "\\." name);
  words = text: filter (word: isString word && word != "") (split "[ <]+" text);

  # "lo..hi" or "lo..hi/step", of whole numbers.
  bounds = range:
    let found = match "(-?[0-9]+)[.][.](-?[0-9]+)(/.*)?" range;
    in if found == null then null else { low = fromJSON (head found); high = fromJSON (builtins.elemAt found 1); };

  show = value:
    if isString value && stringLength value > 60 then "a string of ${toString (stringLength value)} bytes"
    else if isString value then toJSON value
    else if isBool value || isInt value || isFloat value || value == null then toJSON value
    else { list = "a list"; set = "an attribute set"; lambda = "a function"; path = "a path"; }.${typeOf value};

  either = given: texts: lib.concatStringsSep " or " (texts ++ map (word: ''"${word}"'') given);

  number = "[0-9]+([.][0-9]+)?";
  bytes = "${number}(B|Ki|Mi|Gi|Ti|Pi|K|M|G|T|P)";
  forms = {
    size = {
      pattern = bytes;
      text = ''a size such as "32Gi" (B, Ki, Mi, Gi, Ti, Pi, K, M, G, T, P)'';
    };
    rate = {
      pattern = "${bytes}/s";
      text = ''a rate such as "100Mi/s"'';
    };
    duration = {
      pattern = "${number}(ns|us|ms|s|min|h|d|w)";
      text = ''a duration such as "30s" (ns, us, ms, s, min, h, d, w)'';
    };
    ratio = {
      pattern = number;
      text = ''a ratio such as "1.5"'';
    };
  };

  # A path, or what stands for one in a string: a package.
  pathlike = value: isString value || isPath value || isAttrs value && value ? outPath;

  # A float that Nix does not shorten when it writes JSON.
  exact = value: isFloat value && fromJSON (toJSON value) == value;

  # For each type: { text = what is right; good = value -> bool }.
  kindOf = row:
    let
      special = words row.special;
      range = bounds row.range;
      choices = words row.range ++ special;
      isWord = value: isString value && elem value special;
      form = forms.${row.type};
      formed = value: isString value && match form.pattern value != null;
      inRange = value: range == null || value >= range.low && value <= range.high;
      whole = {
        text = either special [ ("a whole number" + lib.optionalString (range != null)
          " from ${toString range.low} to ${toString range.high}") ];
        good = value: isInt value && inRange value || isWord value;
      };
      text = { text = either special [ "a string" ]; good = isString; };
      many = {
        text = "a list of strings";
        good = value: isList value && builtins.all isString value || isString value;
      };
      # What stands in a name's place by mistake (a secret itself, its file) must not get into the store.
      isName = item: match "[a-z][a-z0-9-]{0,62}" item != null;
      names = {
        text = "a list of names (small letters, digits and hyphens)";
        good = value: many.good value && builtins.all isName (if isString value then words value else value);
      };
      # A word, a text of the form, or a number where `number` says so.
      quantity = number: {
        text = either special [ form.text ];
        good = value: number value || formed value || isWord value;
      };
    in {
      bool = { text = "true or false"; good = isBool; };
      uint = whole;
      int = whole;
      size = quantity (value: isInt value && value >= 0);
      rate = quantity (value: false);
      duration = quantity (value: false);
      ratio = quantity (value: isInt value || exact value);
      enum = { text = "one of " + lib.concatStringsSep ", " (map (word: ''"${word}"'') choices);
        good = value: isString value && elem value choices; };
      name = text;
      text = text;
      mac = text;
      schedule = text;
      path = { text = either special [ "a path or a string" ]; good = pathlike; };
      list = many;
      set = if row.range == "name" then names else many;
    }.${row.type};

  hint = row: value:
    if isString value && (
      row.type == "bool" && elem value [ "true" "false" ]
      || elem row.type [ "uint" "int" ] && match "-?[0-9]+" value != null) then "; write it without quotes"
    else if isFloat value && row.type == "ratio" then "; write it as a string, Nix would shorten it"
    else if (isInt value || isFloat value) && elem row.type [ "duration" "rate" "enum" "name" "text" ] then
      "; write it as a string"
    else if isString value && elem row.type [ "size" "rate" ] && match ".*[0-9][KMGTP]i?[Bb].*" value != null then
      "; leave out the B"
    else "";

  rows = builtins.mapAttrs (name: row: row // {
    inherit name;
    kind = kindOf row;
    first = head (parts name);
    example = exampleOf name row;
  }) table;

  # An example for the options' documentation; the tests hold every one against the library.
  exampleOf = name: row: examples.${name} or (
    let
      choices = words row.range;
      range = bounds row.range;
    in {
      bool = row.default != "true";
      uint = lib.min (2 * lib.max range.low 2) range.high;
      int = 100;
      size = "2Gi";
      rate = "100Mi/s";
      duration = "1s";
      ratio = "0.5";
      enum = lib.last choices;
      name = "example";
      text = "example";
      mac = "52:54:00:12:34:56";
      schedule = "daily 02:00";
      path = "/var/lib/images/example";
      list = [ "quiet" ];
      set = [ "example" ];
    }.${row.type});
  examples = {
    "compute.units" = 400;
    "compute.overcommit" = "2.0";
    "cpu.model" = "qemu64";
    "cpu.topology" = "1x4x2";
    "cpu.pinning" = "0-3,8";
    "nics.*.bridge" = "br0";
    "network.forward" = [ "tcp:127.0.0.1:8080:80" ];
    "update.window" = "Sun 02:00-04:00";
    "placement.affinity" = [ "tag:database" ];
    "placement.anti-affinity" = [ "name:db-*" ];
  };

  # memory.size stands at memory."size"; the row itself is under "$row", which no name can be.
  insert = tree: row: lib.recursiveUpdate tree (lib.setAttrByPath (parts row.name ++ [ "$row" ]) row);
  tree = builtins.foldl' insert { } (builtins.attrValues rows);

  plain = filter (name: match ".*[*].*" name == null) (attrNames rows);
  # The whole dotted names without a star, found at once.
  flat = listToAttrs (map (name: { inherit name; value = lib.getAttrFromPath (parts name) tree; }) plain);

  # The node below `at`, or null.
  step = at: part:
    if part == "$row" then null
    else if at ? ${part} then at.${part}
    else if at ? "*" && match namePattern part != null then at."*"
    else null;
  namePattern = "[a-z][a-z0-9-]{0,62}";
  descend = at: names:
    if names == [ ] || at == null then at else descend (step at (head names)) (tail names);

  # The candidate with the fewest edits, when they are at most a third of it.
  nearest = name: candidates:
    let
      scored = map (text: { inherit text; edits = lib.strings.levenshtein name text; })
        (filter (text: stringLength text - stringLength name <= stringLength text / 3
          && stringLength name - stringLength text <= stringLength text / 3) candidates);
      good = filter (one: one.edits * 3 <= stringLength one.text) scored;
    in if good == [ ] || stringLength name > 127 then null
    else (builtins.foldl' (best: one: if one.edits < best.edits then one else best) (head good) (tail good)).text;

  # The nearest key, with the user's own names in the place of stars.
  nearestKey = name:
    let
      given = parts name;
      own = i: if i < length given then builtins.elemAt given i else "NAME";
      filled = key: lib.concatStringsSep "." (lib.imap0 (i: part: if part == "*" then own i else part) (parts key));
    in nearest name (map filled (attrNames rows));
in
{
  inherit rows tree flat descend step parts nearest nearestKey namePattern show;
  # What is wrong with a value, or null.
  wrong = row: value:
    if value == null || row.kind.good value then null
    else "must be ${row.kind.text}, not ${show value}${hint row value}";
}
