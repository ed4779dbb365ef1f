#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Decides again what the program `differential-caps` decided, from hypernix-capability(5) alone: tokens by
python3-cbor2, zones by zoneinfo. Code, rule, grant, end, and what is left out and counted must be the same;
when a denied request would pass is searched by brute force for a part of the cases."""

import datetime
import json
import subprocess
import sys

try:
    import cbor2
    import zoneinfo
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
YEAR = 366 * 86400
NEVER = (1 << 63) - 1
NONE = 255
VERBS = 0
CODES = {10: "HN_EQUOTA", 11: "HN_ERATE", 12: "HN_EAPPROVAL", 13: "HN_EMFA", 14: "HN_ESTALE", 16: "HN_EREASON"}


# --- tokens ---

class Token:
    def __init__(self, data):
        links, _proof = cbor2.loads(data)
        self.links, self.grants = [], []
        for number, raw in enumerate(links):
            tagged = cbor2.loads(raw)
            assert tagged.tag == 18
            claims = cbor2.loads(tagged.value[2])
            slot = 0
            if number == 0:
                self.subject_epoch = claims.get(-65539, 0)
                for grant in claims[-65537]:
                    caveats = []
                    for caveat in grant[2] if len(grant) > 2 else []:
                        caveats.append((0, slot, caveat))
                        slot += 1
                    self.grants.append((bits(grant[0]), grant[1], caveats))
            caveats = []
            for caveat in claims.get(-65538, []):
                caveats.append((number, slot, caveat))
                slot += 1
            self.links.append({"exp": claims[4], "nbf": claims.get(5, 0), "iat": claims[6], "cti": claims[7],
                               "caveats": caveats})


def bits(mask):
    return int.from_bytes(mask, "little")


def matches(pattern, name):
    want, have = pattern.split("/"), name.split("/")
    if want[-1] == "**":
        want, have = want[:-1], have[:len(want) - 1]
    return len(want) == len(have) and all(w in ("*", h) for w, h in zip(want, have))


def canonical(name):
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    return all(part and part not in (".", "..") and set(part) <= allowed for part in name.split("/"))


# --- schedules ---

ZONES = {}


def zone_of(name):
    if name not in ZONES:
        try:
            ZONES[name] = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            ZONES[name] = None
    return ZONES[name]


def offset(zone, instant):
    return int((EPOCH + datetime.timedelta(seconds=instant)).astimezone(zone).utcoffset().total_seconds())


def change_before(zone, start, end):
    """The first instant after start, at most end, with another offset than start has; end if there is none."""
    before = offset(zone, start)
    for step in range(start, end, 3600):
        if offset(zone, min(step + 3600, end)) != before:
            low, high = step, min(step + 3600, end)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
            return high
    return end


def shuts(schedule, zone, instant):
    """When the windows that are open now end, by the offset of now; None: it is shut."""
    here = offset(zone, instant)
    day, second = divmod(instant + here, 86400)
    excluded = schedule[3] if len(schedule) > 3 else []
    ends = []
    for days, start, end in schedule[2]:
        length = (end - start if start < end else end + 1440 - start) * 60
        for began in (day, day - 1):
            since = (day - began) * 86400 + second - start * 60
            if days >> (began + 3) % 7 & 1 and began not in excluded and 0 <= since < length:
                ends.append(instant - since + length)
    return max(ends) if ends else None


def throughout(schedule, zone, first, last):
    """The end of what is open from first to last without a gap; None: not open all that time."""
    for _ in range(16):
        end = shuts(schedule, zone, first)
        if end is None:
            return None
        end = change_before(zone, first, end)
        if end > last:
            return end
        first = end
    return None


# --- caveats: why not, and until when ---

def fold(address):
    return address[12:] if len(address) == 16 and address[:12] == bytes(10) + b"\xff\xff" else address


def in_net(net, length, address):
    if len(net) == 16 and length >= 96 and fold(net) != net:
        net, length = fold(net), length - 96
    if len(net) != len(address) or length == 0:
        return False
    rest = len(net) * 8 - length
    return int.from_bytes(net, "big") >> rest == int.from_bytes(address, "big") >> rest


def bound_holds(how, bound, kind, number, text):
    if how == 3:
        return any(bound_holds(2, one, kind, number, text) for one in bound)
    value = number if kind == 1 else text
    if how == 2:
        return type(bound) is type(value) and bound == value
    return kind == 1 and (number <= bound if how == 0 else number >= bound)


def bounds_hold(bounds, parameters):
    for key, how, bound in bounds:
        kind, number, text = parameters.get(key, (0, 0, None))
        if kind < 0 or (kind > 0 and not bound_holds(how, bound, kind, number, text)):
            return False
    return True


def tags_hold(caveat, facts):
    _, every, some, none = caveat
    if facts["tags_unknown"] and (every or some or none):
        return False
    tags = set(facts["tags"])
    return set(every) <= tags and (not some or tags & set(some)) and not tags & set(none)


def until(case, token, link, caveat):
    """None: the caveat does not hold; else until when it does."""
    kind, request, facts = caveat[0], case["request"], case["facts"]
    held = False
    if kind == 1:
        held = any(matches(pattern, request["object"]) for pattern in caveat[1])
    elif kind == 2:
        held = bits(caveat[1]) >> request["verb"] & 1
    elif kind == 3:
        return caveat[2] if caveat[1] <= facts["earliest"] and facts["latest"] < caveat[2] else None
    elif kind == 4:
        zone = zone_of(caveat[1])
        return throughout(caveat, zone, facts["earliest"], facts["latest"]) if zone else None
    elif kind == 5:
        source = request["address"]
        held = source and any(in_net(net, length, fold(bytes.fromhex(source))) for net, length in caveat[1])
    elif kind == 6:
        held = any(one[0] == request["channel"] and (len(one) == 1 or one[1] == request["listener"])
                   for one in caveat[1])
    elif kind == 7:
        key = request["peer_key"]
        held = any(one == request["peer"] or (key and one == bytes.fromhex(key)) for one in caveat[1])
    elif kind == 8:
        held = tags_hold(caveat, facts)
    elif kind == 9:
        held = len(token.links) - 1 - link <= caveat[1]
    elif kind in (10, 11, 15):
        held = True
    elif kind == 12:
        persons, _, end = facts["keysets"][caveat[2][0] - 1]
        return end if persons >= caveat[1] else None
    elif kind == 13:
        _, second, end = facts["keysets"][caveat[1][0] - 1]
        return end if second else None
    elif kind == 14:
        age = facts["age"]
        return facts["latest"] + caveat[1] - age + 1 if 0 <= age <= caveat[1] else None
    elif kind == 16:
        held = len(request["reason"] or "") >= caveat[1]
    elif kind == 17:
        held = bounds_hold(caveat[1], facts["parameters"])
    return NEVER if held else None


# --- the order ---

def denied(code="HN_EDENIED", link=NONE, slot=NONE, caveat=0, grant=-1, lost=False, timed=False):
    return {"code": code, "link": link, "slot": slot, "caveat": caveat, "grant": grant, "lost": lost,
            "timed": timed}


def by_caveat(failed, grant):
    link, slot, caveat = failed
    timed = caveat[0] == 3 or (caveat[0] == 4 and zone_of(caveat[1]) is not None)
    return denied(CODES.get(caveat[0], "HN_EDENIED"), link, slot, caveat[0], grant, timed=timed)


def first_failure(case, token, caveats):
    end = NEVER
    for entry in caveats:
        here = until(case, token, entry[0], entry[2])
        if here is None:
            return entry, None
        end = min(end, here)
    return None, end


def before_grants(case, token):
    request, facts = case["request"], case["facts"]
    if request["verb"] >= VERBS or not canonical(request["object"]):
        return denied()
    if not facts["issuer"] or facts["epoch"] > token.subject_epoch:
        return denied(lost=True)
    for number, link in enumerate(token.links):
        if link["cti"][0] == facts["revoked"]:
            return denied(link=number, lost=True)
    if facts["suspect"]:
        return denied("HN_ECLOCK")
    for number, link in enumerate(token.links):
        if max(link["nbf"], link["iat"]) > facts["earliest"] + 30:
            return denied(link=number, timed=True)
        if facts["latest"] >= link["exp"]:
            return denied(link=number, lost=True)
    return None


def covers(grant, request):
    return grant[0] >> request["verb"] & 1 and matches(grant[1], request["object"])


def decide(case, token):
    early = before_grants(case, token)
    if early:
        return early
    failed, chosen, end = None, None, min(link["exp"] for link in token.links)
    for number, grant in enumerate(token.grants):
        if not covers(grant, case["request"]):
            continue
        wrong, here = first_failure(case, token, grant[2])
        if wrong is None:
            chosen, end = number, min(end, here)
            break
        failed = failed or by_caveat(wrong, number)
    if chosen is None:
        return failed or denied(link=0)
    path = list(token.grants[chosen][2])
    for link in token.links:
        wrong, here = first_failure(case, token, link["caveats"])
        if wrong:
            return by_caveat(wrong, chosen)
        end = min(end, here)
        path += link["caveats"]
    redact = 0
    for _, _, caveat in path:
        redact |= bits(caveat[1]) if caveat[0] == 15 else 0
    counted = [number for entry in path if entry[2][0] in (10, 11) for number in entry[:2]]
    return {"code": "HN_OK", "link": NONE, "slot": NONE, "caveat": 0, "grant": chosen, "lost": False,
            "valid_until": end, "redact": redact.to_bytes(32, "little").hex(), "counted": counted,
            "timed": False}


# --- when it would pass: every instant at which something opens is tried ---

def candidates(caveats, now):
    for _, _, caveat in caveats:
        if caveat[0] == 3:
            yield caveat[1]
        elif caveat[0] == 4 and zone_of(caveat[1]):
            zone = zone_of(caveat[1])
            for day in range(now // 86400 - 1, now // 86400 + 368):
                start, end = day * 86400, day * 86400 + 86400
                change = change_before(zone, start, end) if offset(zone, start) != offset(zone, end) else end
                yield change
                for here in {offset(zone, start), offset(zone, end)}:
                    for _, begin, _ in caveat[2]:
                        yield start + begin * 60 - here


def passes(case, token, grant, instant):
    now = {"request": case["request"], "facts": {**case["facts"], "earliest": instant, "latest": instant}}
    for link in token.links:
        if max(link["nbf"], link["iat"]) > instant + 30 or instant >= link["exp"]:
            return False
    timed = [entry for entry in grant[2] + [e for link in token.links for e in link["caveats"]]
             if entry[2][0] in (3, 4) or entry[2][0] > 17]
    return first_failure(now, token, timed)[0] is None


def opening(case, token):
    latest, best = case["facts"]["latest"], 0
    chain = [entry for link in token.links for entry in link["caveats"] if by_caveat(entry, 0)["timed"] is False]
    if first_failure(case, token, chain)[0]:
        return 0
    for grant in token.grants:
        others = [entry for entry in grant[2] if by_caveat(entry, 0)["timed"] is False]
        if not covers(grant, case["request"]) or first_failure(case, token, others)[0]:
            continue
        everything = grant[2] + [entry for link in token.links for entry in link["caveats"]]
        tries = {latest + 1, *(max(link["nbf"], link["iat"]) - 30 for link in token.links)}
        tries |= set(candidates(everything, latest))
        for instant in sorted(tries):
            if instant > latest and instant < latest + YEAR and passes(case, token, grant, instant):
                best = min(best or instant, instant)
                break
    return best


# --- the run ---

def check(number, case, deep):
    token = Token(bytes.fromhex(case["token"]))
    ours, theirs = decide(case, token), case["decision"]
    wanted = ["code", "link", "slot", "caveat", "grant", "lost"]
    if ours["code"] == "HN_OK":
        wanted += ["valid_until", "redact", "counted"]
    elif deep:
        wanted.append("allow_again")
        ours["allow_again"] = opening(case, token) if ours["timed"] else 0
    wrong = [name for name in wanted if ours[name] != theirs[name]]
    if wrong:
        print(f"case {number}: " + ", ".join(f"{name}: here {ours[name]}, there {theirs[name]}" for name in wrong))
        print(json.dumps(case))
        print(json.dumps([cbor2.loads(cbor2.loads(link).value[2])
                          for link in cbor2.loads(bytes.fromhex(case["token"]))[0]], default=repr))
    return not wrong, ours


def main():
    global VERBS
    program = sys.argv[1]
    count, seed = (sys.argv[2:] + ["20000", "1"][len(sys.argv) - 2:])[:2]
    bad, codes, openings = 0, {}, 0
    run = subprocess.Popen([program, count, seed], stdout=subprocess.PIPE, text=True)
    VERBS = json.loads(run.stdout.readline())["verbs"]
    for number, line in enumerate(run.stdout):
        good, ours = check(number, json.loads(line), number % 4 == 0)
        bad += not good
        codes[ours["code"]] = codes.get(ours["code"], 0) + 1
        openings += ours.get("allow_again", 0) != 0
        if bad >= 5:
            run.terminate()
            break
    if run.wait() != 0 or bad or sum(codes.values()) != int(count):
        print(f"failed: {bad} differences")
        return 1
    print(f"{count} decisions the same, seed {seed}: " +
          ", ".join(f"{name} {codes[name]}" for name in sorted(codes)) + f"; {openings} openings")
    return 0 if len(codes) >= 6 else 1


if __name__ == "__main__":
    sys.exit(main())
