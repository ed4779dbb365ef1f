# SPDX-License-Identifier: MIT
#
# Trees of keys, as they stand in `set`, `resources`, `overrides` and `defaults`: the wrappers of the module system
# become $priority, $order and $merge, places become origins, and what is wrong becomes problems.
#
# A walk gives { keep; v; o; p; }: v is JSON (nothing where keep is false), o origins, p problems.
# `at` says where it is: { layer; groups; name = the dotted key so far; pointer; path; file; pos; }.
{ lib, keys, prefix }:
let
  inherit (builtins) all any attrNames attrValues concatMap concatStringsSep elem elemAt filter groupBy head isAttrs isInt
    length listToAttrs match replaceStrings unsafeGetAttrPos;

  # ---- the wrappers of the module system ----

  wrapped = value: isAttrs value && value ? _type && value._type != "option";
  nothing = { prio = null; order = null; };

  # The values that a wrapped value stands for, each with the innermost priority and order around it.
  pieces = around: value:
    if !wrapped value then [ (around // { inherit value; }) ]
    else if value._type == "if" then (if value.condition then pieces around value.content else [ ])
    else if value._type == "merge" then concatMap (pieces around) value.contents
    else if value._type == "override" then pieces (around // { prio = value.priority; }) value.content
    else if value._type == "order" then pieces (around // { order = value.priority; }) value.content
    else if value._type == "definition" then pieces (around // { file = fileName value.file; }) value.value
    else [ (around // { value = null; stranger = value._type; }) ];

  # The name alone: a file of a flake or of a derivation would bring its store path into everything named after it.
  fileName = file: builtins.unsafeDiscardStringContext (toString file);

  strangerText = piece: "a value of the module system's type ${keys.show piece.stranger} cannot stand here";

  # ---- places ----

  # A flake's sources are in the store, or in «its address»: what is left is the path inside the flake. Of an
  # expression on a command line older Nix gives the text in the place of a file.
  cut = file:
    let
      text = fileName file;
      found = match "(/nix/store/[^/]*-source|«[^»]*»)/(.*)" text;
    in
    if found != null then elemAt found 1
    else if lib.hasPrefix "/" text || match "[A-Za-z0-9_.<>-]+" text != null then text
    else "(expression)";

  where = file: pos:
    if pos == null then cut file else "${cut pos.file}:${toString pos.line}:${toString pos.column}";

  # The place of an attribute, or of the nearest thing around it that has one.
  nearer = pos: name: set:
    let own = unsafeGetAttrPos name set; in if own == null then pos else own;

  # RFC 6901, section 3.
  escape = replaceStrings [ "~" "/" ] [ "~0" "~1" ];

  # ---- what a walk gives ----

  problem = at: text: [ { text = "${lib.showOption (prefix ++ at.path)}, ${where at.file at.pos}: ${text}"; } ];

  gone = { keep = false; v = null; o = [ ]; p = [ ]; };
  refused = at: text: gone // { p = problem at text; };
  leaf = v: { keep = true; inherit v; o = [ ]; p = [ ]; };
  origin = at: {
    name = at.pointer;
    value = if at.pos == null then { inherit (at) file; line = 1; column = 1; } else at.pos;
  };
  members = children: {
    keep = true;
    v = listToAttrs (map (child: { inherit (child) name; value = child.v; }) (filter (child: child.keep) children));
    o = concatMap (child: child.o) children;
    p = concatMap (child: child.p) children;
  };

  # ---- layers ----

  layers = {
    tag = { low = 100; high = 900; usual = 400; what = "a tag"; };
    policy = { low = 500; high = 800; usual = 600; what = "a policy"; };
    unit = { low = 50; high = 1500; usual = 100; what = "a unit"; };
    settings = { low = 50; high = 1500; usual = 100; what = "settings"; };
    defaults = { low = 1100; high = 1400; usual = 1200; what = "the defaults"; };
  };
  resources = [ "compute" "cpu" "memory" "numa" "disks" "nics" "storage" "network" "machine" ];

  wrapperOf = {
    "10" = " (mkVMOverride)";
    "50" = " (mkForce)";
    "1000" = " (mkDefault)";
    "1500" = " (mkOptionDefault)";
  };
  inside = low: high: number: isInt number && number >= low && number <= high;

  # Null, or what is wrong with the wrappers around a value.
  wrongPiece = at: piece:
    let
      layer = layers.${at.layer};
      number = toString piece.prio;
    in
    if piece ? stranger then strangerText piece
    else if piece.prio != null && !inside layer.low layer.high piece.prio then
      "priority ${number}${wrapperOf.${number} or ""} is out of range: in ${layer.what} it may be "
      + "${toString layer.low} to ${toString layer.high} (lib.mkOverride; ${toString layer.usual} when none is given)"
      + lib.optionalString (isInt piece.prio && piece.prio < 50)
        "; only an operator's force or break-glass goes below 50"
    else if piece.order != null && !inside 0 10000 piece.order then
      "order ${toString piece.order} is out of range: it may be 0 to 10000 (500 is mkBefore, 1500 is mkAfter)"
    else null;

  # ---- the walk; `node` is where it is in keys.tree ----

  walk = at: node: value: if wrapped value then walkWrapped at node value else walkPlain at node value;

  # The keys of a group that may be meant by this value, free text and names aside; else the first of all.
  meant = node: value:
    let
      fit = row: !elem row.type [ "name" "text" ] && keys.wrong row value == null;
      fits = filter (name: node.${name} ? "$row" && fit node.${name}."$row") (attrNames node);
    in if fits == [ ] then [ (head (attrNames node)) ] else fits;

  walkPlain = at: node: value:
    if node ? "$row" then walkValue at node."$row" value
    else if value == null && node != keys.tree then leaf null
    else if !isAttrs value then
      refused at ("is a group of keys and must be an attribute set, not ${keys.show value}; "
        + "write ${concatStringsSep " or " (map (name: "${at.name}.${name}") (meant node value))} = ...")
    else
      let result = members (map (child at node value) (attrNames value));
      in result // { p = result.p ++ givenTwice at node value; };

  walkValue = at: row: value:
    let wrong = keys.wrong row value; in
    if wrong != null then refused at wrong
    else leaf (if isAttrs value && value ? outPath then "${value}" else value);

  child = at: node: set: name:
    let
      first = at.name == "";
      known =
        if name == "$row" then null
        else if node ? ${name} then node.${name}
        else if first && keys.flat ? ${name} then keys.flat.${name}
        else keys.descend node (keys.parts name);
      here = at // {
        name = if first then name else "${at.name}.${name}";
        pointer = "${at.pointer}/${escape name}";
        path = at.path ++ [ name ];
        pos = nearer at.pos name set;
      };
      elsewhere = at.groups != null && first && !elem (head (keys.parts name)) at.groups;
      result =
        if known == null then refused here (unknownKey here)
        else if elsewhere then
          refused here "cannot stand in resources, which takes ${concatStringsSep ", " resources}; write it in overrides"
        else walk here known set.${name};
      placed = result.keep && (known ? "$row" || result.v == null);
    in
    result // {
      inherit name;
      o = if placed then [ (origin here) ] ++ result.o else result.o;
    };

  unknownKey = at:
    let near = keys.nearestKey at.name; in
    "there is no key ${at.name}"
    + (if near != null then "; did you mean ${near}?" else "; hv-compute keys and hypernix-keys(7) list all keys");

  # One piece stands in the place of the value, several stand side by side under $merge.
  walkWrapped = at: node: value:
    let
      found = pieces nothing value;
      many = lib.imap0 (i: walkPiece at node "/$merge/${toString i}") found;
      p = concatMap (inner: inner.p) many;
    in
    if found == [ ] then gone
    else if length found == 1 then walkPiece at node "" (head found)
    else if !all (inner: inner.keep) many then gone // { inherit p; }
    else {
      keep = true;
      v."$merge" = map (inner: inner.v) many;
      o = concatMap (inner: inner.o) many;
      inherit p;
    };

  walkPiece = at: node: suffix: piece:
    let
      bare = piece.prio == null && piece.order == null;
      here = at // { pointer = at.pointer + suffix + lib.optionalString (!bare) "/$value"; }
        // lib.optionalAttrs (piece ? file) { inherit (piece) file; pos = null; };
      wrong = wrongPiece here piece;
      inner = walkPlain here node piece.value;
    in
    if wrong != null then refused here wrong
    else if bare || !inner.keep then inner
    else inner // {
      v = { "$value" = inner.v; }
        // lib.optionalAttrs (piece.prio != null) { "$priority" = piece.prio; }
        // lib.optionalAttrs (piece.order != null) { "$order" = piece.order; };
    };

  # The same key nested and dotted in one attribute set; only a name with a dot can bring that about.
  givenTwice = at: node: set:
    let
      names = attrNames set;
      dotted = filter (name: !(node ? ${name}) && length (keys.parts name) > 1) names;
      isKey = name: (keys.descend node (keys.parts name)) ? "$row";
      suspect = any (name: set ? ${head (keys.parts name)} || !isKey name) dotted;
      below = here: name: keys.descend here (keys.parts name);
      # The dotted names of all values, down from a name; what is wrapped counts as one value.
      leaves = name: here: value:
        if !isAttrs value || wrapped value || value ? outPath || here == null || here ? "$row" then [ name ]
        else concatMap (inner: leaves "${name}.${inner}" (below here inner) value.${inner}) (attrNames value);
      found = concatMap (name: map (key: { inherit key name; }) (leaves name (below node name) set.${name})) names;
      twice = filter (group: length group > 1) (attrValues (groupBy (one: one.key) found));
      report = group:
        let
          earlier = head group;
          later = (elemAt group 1).name;
          key = if at.name == "" then earlier.key else "${at.name}.${earlier.key}";
        in
        problem (at // { path = at.path ++ [ later ]; pos = nearer at.pos later set; })
          "${key} is given twice, the first time at ${where at.file (nearer at.pos earlier.name set)}; keep one of the two";
    in
    if dotted == [ ] || !suspect then [ ] else concatMap report twice;
in
{
  inherit wrapped nothing pieces fileName strangerText cut nearer escape problem gone refused origin members layers resources walk;
}
