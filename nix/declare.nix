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
  inherit (builtins) all any attrNames attrValues concatLists concatMap concatStringsSep elemAt filter foldl' genList
    groupBy head isAttrs isBool isInt isList isString length listToAttrs map mapAttrs match;
  inherit (import ./walk.nix { inherit lib keys prefix; }) wrapped nothing pieces fileName strangerText cut nearer escape
    problem gone refused origin members layers resources walk;

  # ---- fields of kinds, tags, policies and units ----

  nameText = "a name begins with a-z and goes on with a-z, 0-9 and -, 63 at most";
  isName = value: isString value && match keys.namePattern value != null;
  isTagName = value: isString value && match "${keys.namePattern}(/${keys.namePattern})?" value != null;

  # A field that is a tree of keys, and the one that is a single key.
  tree = only: layer: {
    walk = at: walk (at // { inherit layer; groups = only; name = ""; }) keys.tree;
  };
  blueprint = {
    isKey = true;
    walk = at:
      walk (at // { layer = "unit"; groups = null; name = "image.blueprint"; }) keys.flat."image.blueprint";
  };
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
        resources = tree resources "unit";
        overrides = tree null "unit";
      };
    };
  };

  # ---- definitions ----

  # The definitions of a section, each a plain attribute set and numbered within its file: a document of its own.
  numbered = defs:
    let
      plain = concatMap (def: map (piece: {
        file = piece.file or (fileName def.file);
        inherit (piece) value;
      }) (pieces nothing def.value)) defs;
      number = file: lib.imap0 (i: def: def // { doc = "${file}#${toString i}"; });
    in concatLists (attrValues (mapAttrs number (groupBy (def: def.file) plain)));

  # Every piece of every kind, tag, policy or unit of a definition.
  entitiesOf = section: prio: def: concatMap (entitiesNamed section prio def) (attrNames def.value);
  entitiesNamed = section: prio: def: name:
    let
      pos = nearer null name def.value;
      entity = piece: piece // {
        inherit section name;
        inherit (def) doc;
        file = piece.file or def.file;
        pos = if piece ? file then null else pos;
        path = [ section name ];
        pointer = "/${section}/${escape name}";
      };
    in map entity (pieces (nothing // { inherit prio; }) def.value.${name});

  notASet = section: def:
    if isAttrs def.value then [ ]
    else problem { path = [ section ]; inherit (def) file; pos = null; }
      "must be an attribute set, not ${keys.show def.value}";

  # ---- fields without a priority: of all definitions of a field those of the smallest number stay ----

  strength = piece: if piece.prio == null then 100 else piece.prio;
  fieldKey = entity: field: "${entity.section}/${entity.name}/${field}";
  fieldOf = entity: field: sections.${entity.section}.fields.${field} or null;

  strengths = entity:
    let
      ranked = field: let known = fieldOf entity field; in known != null && !(known ? walk);
      of = field: map (piece: { key = fieldKey entity field; least = strength piece; })
        (pieces { inherit (entity) prio; order = null; } entity.value.${field});
    in
    if isAttrs entity.value then concatMap of (filter ranked (attrNames entity.value)) else [ ];

  unranked = entity:
    entity.prio == null && isAttrs entity.value && all (field: !wrapped entity.value.${field}) (attrNames entity.value);

  # By field the smallest number; a field that is not in it has the usual one.
  lowestOf = entities:
    if all unranked entities then { }
    else mapAttrs (key: found: foldl' (least: one: lib.min least one.least) (head found).least found)
      (groupBy (one: one.key) (concatMap strengths entities));

  # ---- one field ----

  readField = lowest: entity: field:
    let
      known = fieldOf entity field;
      at = {
        path = entity.path ++ [ field ];
        pointer = "${entity.pointer}/${field}";
        inherit (entity) file;
        pos = entity.place or (nearer entity.pos field entity.value);
      };
    in
    if known == null then refused at (unknownField entity field)
    else if known ? walk then readTree known at (around entity entity.value.${field})
    else readPlain known at (filter (piece: strength piece == lowest.${fieldKey entity field} or 100 && piece.value != null)
      (pieces { inherit (entity) prio; order = null; } entity.value.${field}));

  # What stands around a whole unit stands around each of its trees.
  around = entity: value:
    if entity.prio == null then value else { _type = "override"; priority = entity.prio; content = value; };

  readTree = known: at: value:
    let result = known.walk at value; in
    if known ? isKey && result.keep then result // { o = [ (origin at) ] ++ result.o; } else result;

  # A list of names or a scalar, from the pieces that stay.
  readPlain = known: at: kept:
    let
      values = map (piece: piece.value) kept;
      wrong = filter (text: text != null) (map known.wrong values);
      first = head values;
      united = lib.unique (concatLists values);
      other = lib.findFirst (value: value != first) null values;
      # Whether there is such a name is known when all documents are read.
      reference = name: { inherit at name; inherit (known) section; };
      result = v: names: {
        keep = true;
        inherit v;
        o = [ (origin at) ];
        p = if known ? section then map reference names else [ ];
      };
    in
    if values == [ ] then gone
    else if wrong != [ ] then refused at (head wrong)
    else if known ? list then result united united
    else if other != null then refused at "has two values, ${keys.show first} and ${keys.show other}; keep one"
    else result first [ first ];

  unknownField = entity: field:
    let
      known = attrNames sections.${entity.section}.fields;
      near = keys.nearest field known;
      isKey = keys.descend keys.tree (keys.parts field) != null;
    in "${sections.${entity.section}.what} has no ${field}" + (
      if near != null then "; did you mean ${near}?"
      else if isKey && entity.section == "units" then "; keys stand in resources or overrides"
      else if isKey && builtins.elem "set" known then "; keys stand in set"
      else "; it has ${concatStringsSep ", " known}");

  # ---- one kind, tag, policy or unit of a document ----

  # Its pieces, mostly one. Of several the trees stand side by side, lists unite, scalars agree.
  readEntity = lowest: found:
    let
      first = head found;
      bad = lib.findFirst (piece: wrongEntity piece != null) null found;
      result =
        if bad != null then refused bad (wrongEntity bad)
        else members (map (field: readField lowest (holder found field) field // { name = field; }) (fieldsOf found));
    in
    result // {
      inherit (first) name;
      o = if result.keep then [ (origin first) ] ++ result.o else [ ];
    };

  wrongEntity = entity:
    let about = sections.${entity.section}; in
    if entity ? stranger then strangerText entity
    else if !about.good entity.name then "${keys.show entity.name} is not a name for ${about.what}; ${nameText}"
    else if !isAttrs entity.value then "${about.what} must be an attribute set, not ${keys.show entity.value}"
    else null;

  fieldsOf = found:
    if length found == 1 then attrNames (head found).value
    else lib.unique (concatMap (piece: attrNames piece.value) found);

  # The piece that has the field; where several have it, one that has all their values.
  holder = found: field:
    let
      having = filter (piece: piece.value ? ${field}) found;
      first = head having;
    in
    if length having == 1 then first
    else first // {
      prio = null;
      place = nearer first.pos field first.value;
      value.${field} = { _type = "merge"; contents = map (piece: around piece piece.value.${field}) having; };
    };

  # ---- documents ----

  readDocument = lowest: entities: defaults:
    let
      bySection = groupBy (entity: entity.section) entities;
      byName = name: attrValues (groupBy (entity: entity.name) bySection.${name});
      section = name: members (map (readEntity lowest) (byName name)) // { inherit name; };
      tree = def: walk {
        layer = "defaults";
        groups = null;
        name = "";
        pointer = "/defaults";
        path = [ "defaults" ];
        inherit (def) file;
        pos = null;
      } keys.tree def.value // { name = "defaults"; };
      parts = map tree defaults ++ map section (attrNames bySection);
    in
    members (filter (part: part.v != { }) parts) // { p = concatMap (part: part.p) parts; };

  # Files are named by number; the positions of one document mostly share one.
  finish = doc:
    let
      files = attrNames (groupBy (entry: fileName entry.value.file) doc.o);
      index = listToAttrs (genList (i: { name = elemAt files i; value = i; }) (length files));
      place = entry: {
        inherit (entry) name;
        value = [ index.${fileName entry.value.file} entry.value.line entry.value.column ];
      };
    in
    doc.v // lib.optionalAttrs (doc.o != [ ]) { files = map cut files; origins = listToAttrs (map place doc.o); };

  # A finding is a problem, or the name of something that must be declared somewhere.
  resolve = known: finding:
    let
      names = known.${finding.section} or { };
      near = keys.nearest finding.name (attrNames names);
      option = lib.showOption (prefix ++ [ finding.section finding.name ]);
    in
    if !(finding ? section) then [ finding ]
    else if names ? ${finding.name} then [ ]
    else problem finding.at ("there is no ${singular.${finding.section}} ${finding.name}; "
      + (if near != null then "did you mean ${near}?" else "declare ${option}"));
  mostProblems = 100;
  singular = { tags = "tag"; kinds = "kind"; policies = "policy"; };

  # { value = the declaration; problems = texts }; unitPriority is what stands around all of units, or null.
  declare = { kinds ? [ ], tags ? [ ], policies ? [ ], defaults ? [ ], units ? [ ], unitPriority ? null }:
    let
      given = mapAttrs (section: numbered) { inherit kinds tags policies defaults units; };
      usable = mapAttrs (section: filter (def: isAttrs def.value)) given;
      entities = concatMap (section: concatMap
        (entitiesOf section (if section == "units" then unitPriority else null)) usable.${section}) (attrNames sections);
      lowest = lowestOf entities;
      entitiesPerDoc = groupBy (entity: entity.doc) entities;
      defaultsPerDoc = groupBy (def: def.doc) usable.defaults;
      read = doc: readDocument lowest (entitiesPerDoc.${doc} or [ ]) (defaultsPerDoc.${doc} or [ ]);
      documents = map read (attrNames (groupBy (def: def.doc) (concatLists (attrValues given))));
      written = map finish (filter (doc: doc.v != { }) documents);
      known = mapAttrs (section: groupBy (entity: entity.name)) (groupBy (entity: entity.section) entities);
      problems = concatLists (attrValues (mapAttrs (section: concatMap (notASet section)) given))
        ++ concatMap (resolve known) (concatMap (doc: doc.p) documents);
    in
    {
      value = { hypernix = 1; }
        // (if length written > 1 then { documents = written; } else if written == [ ] then { } else head written);
      # Of very many a part: the search for what was meant makes each dear, and nobody reads them all.
      problems = map (one: one.text) (lib.take mostProblems problems)
        ++ lib.optional (length problems > mostProblems)
          "hypervisor.compute: ${toString (length problems - mostProblems)} more problems are not shown";
    };
in
{
  inherit declare;
}
