# SPDX-License-Identifier: MIT
#
# From definitions of hypervisor.compute.{kinds,tags,policies,defaults,units}, as the module system hands them to
# a type's merge ({ file, value }, untouched), to the declaration that the library reads: hypernix-declaration(5).
#
# mkIf, mkForce, mkDefault, mkOverride, mkBefore, mkAfter, mkOrder and mkMerge around values become absence,
# $priority, $order and $merge: nothing is resolved here, so no loser is lost. Around the fields that have no
# priority in a declaration (tags, policies, implies, kind, select, priority, exclusive) they mean what they mean
# everywhere in NixOS.
#
# Names and the form of values are checked while walking; all problems are collected, with option and place.
{ lib, keys ? import ./keys.nix { inherit lib; }, prefix ? [ "hypervisor" "compute" ] }:
let
  inherit (builtins) all any attrNames attrValues concatLists concatMap concatStringsSep elem elemAt filter foldl'
    genList groupBy hasAttr head isAttrs isBool isInt isList isString length listToAttrs map match replaceStrings
    sort stringLength unsafeGetAttrPos;

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
    else if value._type == "definition" then pieces (around // { inherit (value) file; }) value.value
    else [ (around // { value = null; stranger = value._type; }) ];

  # ---- places ----

  # A flake's sources are in the store, or in «its address»: what is left is the path inside the flake. Of an expression on a command
  # line older Nix gives the text in the place of a file.
  cut = file:
    let
      text = toString file;
      found = match "(/nix/store/[^/]*-source|«[^»]*»)/(.*)" text;
    in
    if found != null then elemAt found 1
    else if lib.hasPrefix "/" text || match "[A-Za-z0-9_.<>-]+" text != null then text
    else "(expression)";
  where = file: pos:
    if pos == null then cut file else "${cut pos.file}:${toString pos.line}:${toString pos.column}";
  nearer = pos: name: set:
    let own = unsafeGetAttrPos name set; in if own == null then pos else own;
  escape = replaceStrings [ "~" "/" ] [ "~0" "~1" ];

  problem = at: text: [ {
    inherit (at) path;
    text = "${lib.showOption (prefix ++ at.path)}, ${where at.file at.pos}: ${text}";
  } ];

  # ---- what a walk gives: v = JSON, o = origins, p = problems; `keep` is false where there is nothing ----

  gone = { keep = false; v = null; o = [ ]; p = [ ]; };
  refused = at: text: gone // { p = problem at text; };
  leaf = v: { keep = true; inherit v; o = [ ]; p = [ ]; };
  origin = at: { name = at.pointer; value = if at.pos == null then { inherit (at) file; line = 1; column = 1; } else at.pos; };
  members = children: {
    keep = true;
    v = listToAttrs (map (child: { inherit (child) name; value = child.v; }) (filter (child: child.keep) children));
    o = concatMap (child: child.o) children;
    p = concatMap (child: child.p) children;
  };

  # ---- trees of keys ----

  layers = {
    tag = { low = 100; high = 900; usual = 400; what = "a tag"; };
    policy = { low = 500; high = 800; usual = 600; what = "a policy"; };
    unit = { low = 50; high = 1500; usual = 100; what = "a unit"; };
    defaults = { low = 1100; high = 1400; usual = 1200; what = "the defaults"; };
  };
  groups = [ "compute" "cpu" "memory" "numa" "disks" "nics" "storage" "network" "machine" ];

  # at: { layer, groups or null, name = dotted key so far, pointer, path, file, pos }; node: where in keys.tree.
  walk = at: node: value: if wrapped value then walkWrapped at node value else walkPlain at node value;

  walkPlain = at: node: value:
    if node ? "$row" then
      let wrong = keys.wrong node."$row" value;
      in if wrong != null then refused at wrong
      else leaf (if isAttrs value && value ? outPath then "${value}" else value)
    else if value == null && node != keys.tree then leaf null
    else if !isAttrs value then
      refused at "is a group of keys and must be an attribute set, not ${keys.show value}; write ${at.name}.${head (attrNames node)} = ..."
    else
      let names = attrNames value;
      in withTwice at node value names (members (map (child at node value) names));

  child = at: node: set: name:
    let
      first = at.name == "";
      known =
        if name == "$row" then null
        else node.${name} or (if first && keys.flat ? ${name} then keys.flat.${name} else keys.descend node (keys.parts name));
      here = at // {
        name = if first then name else "${at.name}.${name}";
        pointer = "${at.pointer}/${escape name}";
        path = at.path ++ [ name ];
        pos = nearer at.pos name set;
      };
      result =
        if at.groups != null && first && !elem (head (keys.parts name)) at.groups then
          refused here (if known != null then "cannot stand in resources, which takes ${concatStringsSep ", " groups}; write it in overrides"
            else unknownKey here)
        else if known == null then refused here (unknownKey here)
        else walk here known set.${name};
    in
    result // {
      inherit name;
      o = if !result.keep then [ ] else if known ? "$row" || result.v == null then [ (origin here) ] ++ result.o else result.o;
    };

  unknownKey = at:
    let near = keys.nearestKey at.name;
    in "there is no key ${at.name}" + (if near != null then "; did you mean ${near}?"
      else "; hv-compute keys and hypernix-keys(7) list all keys");

  walkWrapped = at: node: value:
    let
      found = pieces nothing value;
      under = suffix: at // { pointer = at.pointer + suffix; };
      bare = piece: piece.prio == null && piece.order == null;
      one = suffix: piece:
        let
          file = if piece ? file then { inherit (piece) file; pos = null; } else { };
          here = under (if bare piece then suffix else "${suffix}/$value") // file;
          inner = walkPlain here node piece.value;
          wrong = wrongPiece at piece;
        in if wrong != null then refused at wrong
        else if bare piece || !inner.keep then inner
        else inner // { v = { "$value" = inner.v; } // lib.optionalAttrs (piece.prio != null) { "$priority" = piece.prio; }
          // lib.optionalAttrs (piece.order != null) { "$order" = piece.order; }; };
      many = lib.imap0 (i: piece: one "/$merge/${toString i}" piece) found;
    in
    if found == [ ] then gone
    else if length found == 1 then one "" (head found)
    else if all (inner: inner.keep) many then {
      keep = true;
      v = { "$merge" = map (inner: inner.v) many; };
      o = concatMap (inner: inner.o) many;
      p = concatMap (inner: inner.p) many;
    } else gone // { p = concatMap (inner: inner.p) many; };

  # Null, or what is wrong with the wrappers around a value.
  wrongPiece = at: piece:
    let layer = layers.${at.layer}; in
    if piece ? stranger then "a value of the module system's type ${keys.show piece.stranger} cannot stand here"
    else if piece.prio != null && !(isInt piece.prio && piece.prio >= layer.low && piece.prio <= layer.high) then
      "priority ${toString piece.prio}${wrapperName piece.prio} is out of range: in ${layer.what} it may be ${toString layer.low} to "
      + "${toString layer.high} (lib.mkOverride; ${toString layer.usual} when none is given)"
      + lib.optionalString (isInt piece.prio && piece.prio < 50) "; only an operator's force or break-glass goes below 50"
    else if piece.order != null && !(isInt piece.order && piece.order >= 0 && piece.order <= 10000) then
      "order ${toString piece.order} is out of range: it may be 0 to 10000 (500 is mkBefore, 1500 is mkAfter)"
    else null;
  wrapperName = prio: { "10" = " (mkVMOverride)"; "50" = " (mkForce)"; "1000" = " (mkDefault)"; "1500" = " (mkOptionDefault)"; }
    .${toString prio} or "";

  # The same key nested and dotted in one attribute set; only a name with a dot can bring that about.
  withTwice = at: node: set: names: result:
    let
      dotted = filter (name: !(node ? ${name}) && length (keys.parts name) > 1) names;
      suspect = any (name: set ? ${head (keys.parts name)}) dotted || any (name: keys.descend node (keys.parts name) ? "$row" == false) dotted;
      leaves = below: here: value:
        if isAttrs value && !(value ? _type) && !(value ? outPath) && here != null && !(here ? "$row") then
          concatMap (name: leaves "${below}.${name}" (keys.descend here (keys.parts name)) value.${name}) (attrNames value)
        else [ below ];
      all' = concatMap (name: map (key: { inherit key name; }) (leaves name (keys.descend node (keys.parts name)) set.${name})) names;
      twice = filter (group: length group > 1) (attrValues (groupBy (one: one.key) all'));
      full = key: if at.name == "" then key else "${at.name}.${key}";
      report = group:
        let place = one: where at.file (nearer at.pos one.name set); in
        problem (at // { path = at.path ++ [ (elemAt group 1).name ]; pos = nearer at.pos (elemAt group 1).name set; })
          "${full (head group).key} is given twice, the first time at ${place (head group)}; keep one of the two";
    in
    if dotted == [ ] || !suspect then result else result // { p = result.p ++ concatMap report twice; };

  # ---- fields of kinds, tags, policies and units ----

  nameText = "a name begins with a-z and goes on with a-z, 0-9 and -, 63 at most";
  isName = value: isString value && match keys.namePattern value != null;
  isTagName = value: isString value && match "${keys.namePattern}(/${keys.namePattern})?" value != null;

  tree = only: layer: { inherit layer; walk = at: walk (at // { inherit layer; groups = only; name = ""; }) keys.tree; };
  blueprint = { layer = "unit"; key = true; walk = at: walk (at // { layer = "unit"; groups = null; name = "image.blueprint"; })
    keys.flat."image.blueprint"; };
  names = section: good: {
    list = true;
    inherit section;
    wrong = value:
      if !isList value then "must be a list of names, not ${keys.show value}"
      else
        let bad = filter (name: !good name) value;
        in if bad == [ ] then null else "${keys.show (head bad)} is not a name; ${nameText}"
          + lib.optionalString (section == "tags") "; a tag may have one namespace, as in blue/canary";
  };
  scalar = text: good: { wrong = value: if good value then null else "must be ${text}, not ${keys.show value}"; };
  priority = layer: scalar "a whole number from ${toString layer.low} to ${toString layer.high}"
    (value: isInt value && value >= layer.low && value <= layer.high);

  sections = {
    kinds = { what = "a kind"; good = isName; fields.exclusive = scalar "true or false" isBool; };
    tags = {
      what = "a tag"; good = isTagName;
      fields = {
        kind = scalar "the name of a kind" isName // { section = "kinds"; };
        priority = priority layers.tag;
        implies = names "tags" isTagName;
        set = tree null "tag";
      };
    };
    policies = {
      what = "a policy"; good = isName;
      fields = {
        select = scalar "a selector, a string" isString;
        priority = priority layers.policy;
        implies = names "tags" isTagName;
        set = tree null "policy";
      };
    };
    units = {
      what = "a unit"; good = isName;
      fields = {
        tags = names "tags" isTagName;
        policies = names "policies" isName;
        inherit blueprint;
        resources = tree groups "unit";
        overrides = tree null "unit";
      };
    };
  };
  sectionNames = [ "kinds" "tags" "policies" "units" ];

  # ---- definitions ----

  # Every piece of every entity: { section, name, doc, file, pos, path, pointer, prio, value }.
  entitiesOf = section: prio: def:
    concatMap (name:
      let
        pos = nearer null name def.value;
        base = { inherit section name pos; inherit (def) doc; };
      in map (piece: base // {
        file = piece.file or def.file;
        pos = if piece ? file then null else pos;
        path = [ section name ];
        pointer = "/${section}/${escape name}";
        inherit (piece) value prio;
      } // lib.optionalAttrs (piece ? stranger) { inherit (piece) stranger; }) (pieces (nothing // { inherit prio; }) def.value.${name}))
      (attrNames def.value);

  # The definitions of a section, each a plain attribute set and numbered within its file.
  numbered = defs:
    let
      found = concatMap (def: map (piece: { file = toString (piece.file or def.file); inherit (piece) value; }) (pieces nothing def.value)) defs;
      perFile = groupBy (def: def.file) found;
    in if length found == 1 then [ (head found // { doc = "${(head found).file}#0"; }) ]
    else concatLists (attrValues (builtins.mapAttrs (file: lib.imap0 (i: def: def // { doc = "${file}#${toString i}"; })) perFile));

  usable = section: def: isAttrs def.value;
  badSection = section: defs: concatMap (def: if isAttrs def.value then [ ] else
    problem { path = [ section ]; inherit (def) file; pos = null; } "must be an attribute set, not ${keys.show def.value}") defs;

  # Fields that have no priority in a declaration: of all definitions of a field those of the smallest number stay.
  fieldKey = entity: field: "${entity.section}/${entity.name}/${field}";
  structural = entity:
    if !isAttrs entity.value then [ ]
    else concatMap (field:
      let known = sections.${entity.section}.fields.${field} or null; in
      if known == null || known ? walk then [ ]
      else map (piece: { key = fieldKey entity field; prio = if piece.prio == null then 100 else piece.prio; })
        (pieces { inherit (entity) prio; order = null; } entity.value.${field}))
      (attrNames entity.value);
  plainFields = entity: entity.prio == null && isAttrs entity.value && all (field: !wrapped entity.value.${field}) (attrNames entity.value);
  lowestOf = entities:
    if all plainFields entities then { }
    else builtins.mapAttrs (key: found: foldl' (least: one: lib.min least one.prio) 100000 found)
      (groupBy (one: one.key) (concatMap structural entities));

  # One field of one piece of an entity.
  readField = lowest: entity: field:
    let
      known = sections.${entity.section}.fields.${field};
      at = { path = entity.path ++ [ field ]; pointer = "${entity.pointer}/${field}"; inherit (entity) file;
        pos = nearer entity.pos field entity.value; };
      value = entity.value.${field};
      outer = if entity.prio == null then value else { _type = "override"; priority = entity.prio; content = value; };
      least = lowest.${fieldKey entity field} or 100;
      # Of a field without priority: what stays.
      kept = filter (piece: (if piece.prio == null then 100 else piece.prio) == least && piece.value != null)
        (pieces { inherit (entity) prio; order = null; } value);
      wrongs = filter (text: text != null) (map (piece: known.wrong piece.value) kept);
      result = known.walk at outer;
    in
    if !(sections.${entity.section}.fields ? ${field}) then refused at (unknownField entity field)
    else if known ? walk then
      (if known ? key && result.keep then result // { o = [ (origin at) ] ++ result.o; } else result)
    else if kept == [ ] then gone
    else if wrongs != [ ] then refused at (head wrongs)
    else if known ? list then {
      keep = true;
      v = lib.unique (concatMap (piece: piece.value) kept);
      o = [ (origin at) ];
      p = concatMap (piece: concatMap (name: unresolved at known.section name) piece.value) kept;
    }
    else if any (piece: piece.value != (head kept).value) kept then
      refused at "has two values, ${keys.show (head kept).value} and ${keys.show (elemAt kept 1).value}; keep one"
    else {
      keep = true;
      v = (head kept).value;
      o = [ (origin at) ];
      p = if known ? section then unresolved at known.section (head kept).value else [ ];
    };
  unresolved = at: section: name: [ { inherit at section name; } ];

  unknownField = entity: field:
    let
      known = attrNames sections.${entity.section}.fields;
      near = keys.nearest field known;
      isKey = keys.descend keys.tree (keys.parts field) != null;
    in "${sections.${entity.section}.what} has no ${field}" + (
      if near != null then "; did you mean ${near}?"
      else if isKey && entity.section == "units" then "; keys stand in resources or overrides"
      else if isKey && sections.${entity.section}.fields ? set then "; keys stand in set"
      else "; it has ${concatStringsSep ", " known}");

  # One piece of an entity: its fields.
  readPiece = lowest: entity:
    let at = { inherit (entity) path file pos; }; what = sections.${entity.section}.what; in
    if entity ? stranger then refused at "a value of the module system's type ${keys.show entity.stranger} cannot stand here"
    else if !sections.${entity.section}.good entity.name then
      refused at "${keys.show entity.name} is not a name for ${what}; ${nameText}"
    else if !isAttrs entity.value then refused at "${what} must be an attribute set, not ${keys.show entity.value}"
    else members (map (field: readField lowest entity field // { name = field; }) (attrNames entity.value));

  # Several pieces of one entity in one document: trees stand side by side, lists unite, scalars agree.
  unitePieces = lowest: entities:
    let
      first = head entities;
      at = { inherit (first) path file pos; };
      fieldsOf = entity: if isAttrs entity.value then attrNames entity.value else [ ];
      merged = field:
        let values = concatMap (entity: if isAttrs entity.value && entity.value ? ${field} then
          [ (if entity.prio == null then entity.value.${field}
            else { _type = "override"; priority = entity.prio; content = entity.value.${field}; }) ] else [ ]) entities;
        in if length values == 1 then head values else { _type = "merge"; contents = values; };
      holder = field: lib.findFirst (entity: isAttrs entity.value && entity.value ? ${field}) first entities;
      read = field:
        let entity = holder field; in
        readField lowest (entity // { prio = null; value = { ${field} = merged field; }; pos = nearer entity.pos field entity.value; }) field
        // { name = field; };
      bad = filter (entity: !isAttrs entity.value || entity ? stranger) entities;
    in
    if length entities == 1 then readPiece lowest first
    else if bad != [ ] || !sections.${first.section}.good first.name then
      readPiece lowest (if bad == [ ] then first else head bad)
    else members (map read (lib.unique (concatMap fieldsOf entities)));

  readEntity = lowest: entities:
    let entity = head entities; result = unitePieces lowest entities; in
    result // { inherit (entity) name;
      o = if result.keep then [ (origin { inherit (entity) pointer file pos; }) ] ++ result.o else [ ]; };

  # ---- documents ----

  declare = { kinds ? [ ], tags ? [ ], policies ? [ ], defaults ? [ ], units ? [ ], unitPriority ? null }@given:
    let
      defsOf = builtins.mapAttrs (section: numbered) { inherit kinds tags policies defaults units; };
      entities = concatMap (section: concatMap
        (def: if usable section def then entitiesOf section (if section == "units" then unitPriority else null) def else [ ])
        defsOf.${section}) sectionNames;
      lowest = lowestOf entities;
      perDoc = groupBy (entity: entity.doc) entities;
      defaultsPerDoc = groupBy (def: def.doc) (filter (usable "defaults") defsOf.defaults);
      docs = attrNames (groupBy (def: def.doc) (concatLists (attrValues defsOf)));
      read = map (readDocument lowest perDoc defaultsPerDoc) docs;
      written = filter (doc: doc.v != { }) read;
      findings = concatMap (doc: doc.p) read;
      known = builtins.mapAttrs (section: found: listToAttrs (map (entity: { inherit (entity) name; value = true; }) found))
        (groupBy (entity: entity.section) entities);
      # References to names of tags, policies and kinds come as findings too: only now all names are known.
      resolve = finding:
        if !(finding ? section) then [ finding ]
        else if (known.${finding.section} or { }) ? ${finding.name} then [ ]
        else
          let near = keys.nearest finding.name (attrNames (known.${finding.section} or { })); in
          problem finding.at ("there is no ${ { tags = "tag"; kinds = "kind"; policies = "policy"; }.${finding.section} } "
            + finding.name + (if near != null then "; did you mean ${near}?" else "; declare ${lib.showOption (prefix ++ [ finding.section finding.name ])}"));
      sectionProblems = concatMap (section: badSection section defsOf.${section}) (sectionNames ++ [ "defaults" ]);
    in
    {
      value = { hypernix = 1; } // (
        if written == [ ] then { }
        else if length written == 1 then finish (head written)
        else { documents = map finish written; });
      problems = map (one: one.text) (sectionProblems ++ concatMap resolve findings);
    };

  readDocument = lowest: perDoc: defaultsPerDoc: doc:
    let
      sectioned = groupBy (entity: entity.section) (perDoc.${doc} or [ ]);
      byName = entities: groupBy (entity: entity.name) entities;
      parts = lib.concatLists (map (section: lib.optional (sectioned ? ${section})
        (members (map (readEntity lowest) (attrValues (byName sectioned.${section}))) // { name = section; })) sectionNames);
      withDefaults = map (def: walk { layer = "defaults"; groups = null; name = ""; pointer = "/defaults"; path = [ "defaults" ];
        inherit (def) file; pos = null; } keys.tree def.value // { name = "defaults"; }) (defaultsPerDoc.${doc} or [ ]);
      all' = members (filter (part: part.v != { }) (withDefaults ++ parts));
    in all' // { p = concatMap (part: part.p) (withDefaults ++ parts); };

  # Files are named by number; the positions of one document mostly share one.
  finish = doc:
    let
      files = attrNames (groupBy (entry: toString entry.value.file) doc.o);
      index = listToAttrs (genList (i: { name = elemAt files i; value = i; }) (length files));
    in
    doc.v // lib.optionalAttrs (doc.o != [ ]) {
      files = map cut files;
      origins = listToAttrs (map (entry: {
        inherit (entry) name;
        value = [ index.${toString entry.value.file} entry.value.line entry.value.column ];
      }) doc.o);
    };
in
{
  inherit declare;
}
