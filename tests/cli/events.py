#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""events.py SCHEMA STATUS <LINES: are they the events of a run that ended with this exit status?

Each line alone must fit the schema; together they must tell one story: it begins once, ends once and
last, and counts as it says. Prints the kinds of events that there were, sorted.
"""
import collections
import json
import sys

import jsonschema


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), "a name twice: %s" % names
    return dict(pairs)


def main():
    with open(sys.argv[1]) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    events = []
    for line in sys.stdin.buffer.read().decode("utf-8").splitlines():
        e = json.loads(line, object_pairs_hook=unique)
        # First as what it says it is: oneOf would only say that it is none of them.
        named = {"$ref": "#/$defs/" + e["event"], "$defs": schema["$defs"]}
        jsonschema.Draft202012Validator(named).validate(e)
        jsonschema.Draft202012Validator(schema).validate(e)
        events.append(e)
    n = collections.Counter(e["event"] for e in events)
    status = int(sys.argv[2])
    assert n["end"] == 1 and events[-1]["event"] == "end", "the end is not the end"
    assert events[-1]["status"] == status, "the end tells status %s" % events[-1]["status"]
    assert n["begin"] <= 1 and events[0]["event"] in ("begin", "error"), "no beginning"
    assert n["error"] <= 1 and (n["error"] or n["begin"]), "stopped twice, or nothing at all"
    bad = [e["disk"] for e in events if e["event"] == "disk" and not e["ok"]]
    assert len(bad) == events[-1].get("failed", 0), "failed: %s" % bad
    disks = [e["disk"] for e in events if e["event"] == "disk"]
    assert len(disks) == len(set(disks)), "a disk twice"
    if disks and not n["error"]:
        assert len(disks) == events[0]["disks"] == events[-1]["disks"], "some disks are missing"
    print(*sorted(n))


main()
