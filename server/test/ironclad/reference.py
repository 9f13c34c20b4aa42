"""The filter language told once more, over rows as JSON.

In: {"rows": […], "cases": [{"filter": {…}} or {"text": "…"}]}. Out: for each case the numbers of the
rows it selects, or null where it must be refused.
"""

import json
import re
import sys
from datetime import datetime, timezone

INTEGERS = {"contract", "version_number", "group", "site", "account"}
TIMES = {"created_time", "event_time"}
DATA = {"custom_data", "connection_data", "render_data"}
TEXTS = {
    "id", "uuid", "event_type", "signer_id", "version", "batch", "session", "execution_method", "contract_title",
    "group_key",
}
PARTS = {
    ("contract", "_id"): "contract",
    ("contract", "title"): "contract_title",
    ("version", "_id"): "version",
    ("version", "version_number"): "version_number",
    ("group", "_id"): "group",
    ("group", "key"): "group_key",
    ("site", "_id"): "site",
    ("account", "_id"): "account",
}


class Refused(Exception):
    pass


def selects(tree, row):
    if not isinstance(tree, dict):
        raise Refused("not an object")
    words = [key.lstrip("$") for key in tree if key in ("and", "or", "not", "$and", "$or", "$not")]
    if len(set(words)) < len(words):
        raise Refused("a word twice")
    # No short cuts: every part may have to be refused.
    return all([member(key, value, row) for key, value in tree.items()])


def member(key, value, row):
    word = key[1:] if key.startswith("$") else key
    if word in ("and", "or"):
        if not isinstance(value, list) or not value:
            raise Refused(word)
        held = [selects(each, row) for each in value]
        return all(held) if word == "and" else any(held)
    if word == "not":
        return not selects(value, row)
    if key.startswith("$"):
        raise Refused(key)
    return named(key.split("."), value, row)


def named(names, value, row):
    if not isinstance(value, dict):
        return test(names, "$eq", value, row)
    if not value:
        raise Refused("nothing asked")
    operators = [key for key in value if key.startswith("$")]
    if operators:
        if len(operators) < len(value):
            raise Refused("names beside operators")
        return all([test(names, key, operand, row) for key, operand in value.items()])
    if names[0] not in DATA and not (len(names) == 1 and any(names[0] == head for head, _ in PARTS)):
        raise Refused("no names inside")
    return all([named(names + key.split("."), inner, row) for key, inner in value.items()])


def find(names, row):
    """Kind and value of a field: None is null and absent alike."""
    if tuple(names) in PARTS:
        names = [PARTS[tuple(names)]]
    head = names[0]
    if head in DATA and len(names) > 1:
        if "" in names:
            raise Refused("an empty name")
        return "data", dig(row[head], names[1:])
    if len(names) > 1:
        raise Refused("unknown")
    for kind, known in (("integer", INTEGERS), ("time", TIMES), ("text", TEXTS), ("group", DATA)):
        if head in known:
            return kind, row[head]
    raise Refused("unknown")


def dig(value, names):
    for name in names:
        if isinstance(value, list):
            value = value[int(name)] if re.fullmatch("0|[1-9][0-9]*", name) and int(name) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def test(names, operator, operand, row):
    kind, value = find(names, row)
    if operator == "$exists":
        if not isinstance(operand, bool):
            raise Refused("exists")
        return (value is not None) == operand
    if kind == "group":
        raise Refused("a group of data")
    if operator in ("$in", "$nin"):
        if not isinstance(operand, list):
            raise Refused("no list")
        found = any([equal(kind, value, meaning(kind, item)) for item in operand])
        return found == (operator == "$in")
    if operator == "$eq":
        return equal(kind, value, meaning(kind, operand))
    if operator == "$ne":
        return not equal(kind, value, meaning(kind, operand))
    if operator == "$regex":
        if kind not in ("text", "data") or not isinstance(operand, str):
            raise Refused("regex")
        return isinstance(value, str) and re.search(operand, value) is not None
    return compares(operator, kind, value, operand)


def compares(operator, kind, value, operand):
    if operator not in ("$gt", "$gte", "$lt", "$lte"):
        raise Refused(operator)
    wanted = meaning(kind, operand)
    if wanted is None or isinstance(wanted, bool):
        raise Refused("no order")
    if value is None or isinstance(value, (list, dict, bool)):
        return False
    left = instant(value) if kind == "time" else value
    if isinstance(left, str) != isinstance(wanted, str):
        return False
    if isinstance(left, str):
        left, wanted = left.encode(), wanted.encode()
    return {"$gt": left > wanted, "$gte": left >= wanted, "$lt": left < wanted, "$lte": left <= wanted}[operator]


def equal(kind, value, wanted):
    if wanted is None:
        return value is None
    if kind == "time":
        return value is not None and instant(value) == wanted
    if kind == "data" and isinstance(value, list):
        return any(same(item, wanted) for item in value)
    return same(value, wanted)


def same(value, wanted):
    # Python takes True for 1.
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


def meaning(kind, operand):
    if isinstance(operand, (list, dict)):
        raise Refused("no scalar")
    if operand is None:
        return None
    if kind == "time":
        return instant(operand)
    if kind == "integer":
        if isinstance(operand, str) and re.fullmatch("-?[0-9]{1,19}", operand):
            return int(operand)
        if isinstance(operand, bool) or not isinstance(operand, int):
            raise Refused("no whole number")
    if kind == "text" and not isinstance(operand, str):
        raise Refused("no text")
    return operand


def instant(text):
    if not isinstance(text, str):
        raise Refused("no time")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:?\d\d)?)?", text):
        raise Refused("no time")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise Refused("no such time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


TERM = re.compile(
    r"""\s*(?P<name>[^\s=!<>"']+)\s*(?P<operator>==|!=|>=|<=|>|<)(?![=!<>])\s*"""
    r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>[^"'\s](?:.*?\S)?))\s*$""",
    re.DOTALL,
)
OPERATORS = {"==": "$eq", "!=": "$ne", ">=": "$gte", "<=": "$lte", ">": "$gt", "<": "$lt"}


def parse(text):
    """Cuts at each `and` that stands outside quotes, which is otherwise than by reading from the left."""
    if not text.strip():
        return {}
    quoted = r"""((?:^|(?<=\s)and(?=\s))\s*[^\s=!<>"']+\s*[=!<>]{1,2}\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    hidden = re.sub(quoted, lambda found: found[1] + "_" * len(found[2]), text, flags=re.IGNORECASE | re.DOTALL)
    cuts = [found.span() for found in re.finditer(r"(?<=\s)and(?=\s)", hidden, re.IGNORECASE)]
    starts = [0] + [end for _, end in cuts]
    ends = [start for start, _ in cuts] + [len(text)]
    return {"and": [term(text[start:end]) for start, end in zip(starts, ends)]}


def term(text):
    found = TERM.match(text)
    if not found or re.search(r"\sor\s", found["bare"] or "", re.IGNORECASE):
        raise Refused(text)
    names = found["name"].split(".")
    kind, _ = find(names, {name: None for name in DATA | TEXTS | TIMES | INTEGERS})
    quoted = found["double"] if found["double"] is not None else found["single"]
    value = unquoted(found["bare"], kind) if quoted is None else re.sub(r"""\\(["'\\])""", r"\1", quoted)
    return {found["name"]: {OPERATORS[found["operator"]]: value}}


def unquoted(text, kind):
    if text == "null":
        return None
    if kind != "text" and text in ("true", "false"):
        return text == "true"
    is_number = re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text)
    return json.loads(text) if kind == "data" and is_number else text


def answer(case, rows):
    try:
        tree = parse(case["text"]) if "text" in case else case["filter"]
        return [at for at, row in enumerate(rows) if selects(tree, row)]
    except Refused:
        return None


asked = json.load(sys.stdin)
json.dump([answer(case, asked["rows"]) for case in asked["cases"]], sys.stdout)
