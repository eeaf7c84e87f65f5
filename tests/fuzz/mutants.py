"""Mutants: bytes made from valid ones by a few changes of the kinds that files suffer in practice or from an attacker."""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

TOKENS = [
    *(
        b"",
        b"\x00",
        b"\r",
        b"\r\n",
        b"\n",
        b"\n\n",
        b"\t",
        b'"',
        b'""',
        b"'",
        b",",
        b";",
        b"\\",
        b"\x1a",
        b"\xff",
        b"\xc3",
    ),
    *(text.encode() for text in ("\ufeff", "\u2028", "\u200b", "\u202e", "é", "٣", "３", "\U0001f600")),
    *(
        b"-1",
        b"0",
        b"-0",
        b"1e5",
        b"1e999",
        b"NaN",
        b"inf",
        b"1,5",
        b"1.5",
        b"1 000",
        b"<10",
        b">=30",
        b"1" * 25,
        b"-99",
        b"999",
    ),
    *(b"2019-02-30", b"0000-00-00", b"99999-01-01", b"2019-05", b"01/02/2019", b"UNK", b"ND", b"yes", b"none", b"IVIg"),
    *(b"null", b"true", b"[]", b"{}", b"[" * 300, b'{"a":' * 300, b'"\\ud800"', b'"\\u0000"', b"9" * 400, b"1e400"),
    *(
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"&b;",
        b"<",
        b">",
        b"</",
        b"]]>",
        b"<!--",
        b"=1+1",
        b"@x",
        b"#REF!",
        b"sep=;",
    ),
    *(
        b"patient_id",
        b"day",
        b"date",
        b"platelets",
        b"bleeding_grade",
        b"rescue",
        b"arm",
        b"[[",
        b"]]",
        b"=",
        b"#",
        b'"""',
    ),
]
"""What is put into a file or in place of a part of it."""


VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 1e300, 10**30, "", " ", "x", "1", "-1", "NaN", "2019-02-30", "2019-05", "\ud800"),
    *([], {}, [[]], [None], ["x"], {"x": 1}, {"": {}}),
]
"""What is put in place of a value of JSON."""
NUMBERS = (b"0", b"1", b"7", b"28", b"365", b"-3", b"1000000", b"4000000000", b"1" * 19, b"0.5", b"1e9", b"007")
"""What is put in place of a number."""
NUMBER, WORD = re.compile(rb"\d+(?:\.\d+)?"), re.compile(rb"[A-Za-z_]{2,}")


def mutant(seed: bytes, chance: random.Random) -> bytes:
    """The bytes with one to four changes; sometimes those of what is packed in them."""
    if chance.random() < 0.7:
        if seed.startswith(b"PK"):
            return _of_archive(seed, chance)
        if seed.startswith(b"\x1f\x8b"):
            return gzip.compress(_changed(gzip.decompress(seed), chance), 1)
        if seed.startswith(b"\x78"):
            return zlib.compress(_changed(zlib.decompress(seed), chance), 1)
    return _changed(seed, chance)


def _changed(seed: bytes, chance: random.Random) -> bytes:
    changed = seed
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        changed = chance.choice(CHANGES)(changed, chance)
    return changed


def _of_archive(seed: bytes, chance: random.Random) -> bytes:
    """An archive, one member of which was changed, left out or twice there."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(seed)) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as changed:
        names = archive.namelist()
        chosen = chance.choice(names)
        for name in names:
            content = archive.read(name)
            if name == chosen:
                if chance.random() < 0.05:
                    continue
                content = _changed(content, chance)
            changed.writestr(name, content)
    return packed.getvalue()


def _one_of(pattern: re.Pattern[bytes], seed: bytes, chance: random.Random) -> re.Match[bytes] | None:
    """Some part of the pattern, near to a place of which each is as likely."""
    return pattern.search(seed, chance.randrange(len(seed) + 1)) or pattern.search(seed)


def _number(seed: bytes, chance: random.Random) -> bytes:
    """Another number in place of one."""
    found = _one_of(NUMBER, seed, chance)
    return seed if found is None else seed[: found.start()] + chance.choice(NUMBERS) + seed[found.end() :]


def _word(seed: bytes, chance: random.Random) -> bytes:
    """A word of the file in place of another."""
    found, other = _one_of(WORD, seed, chance), _one_of(WORD, seed, chance)
    return seed if found is None or other is None else seed[: found.start()] + other[0] + seed[found.end() :]


def _json(seed: bytes, chance: random.Random) -> bytes:
    """Another value in a text of JSON, or in a line of it; a change of bytes elsewhere."""
    lines = seed.split(b"\n") if (seed[:1] == b"{" and b"}\n{" in seed) or b"]\n[" in seed else [seed]
    place = chance.randrange(len(lines))
    try:
        content = json.loads(lines[place])
    except (ValueError, RecursionError):
        return _insert(seed, chance)
    lines[place] = json.dumps(_other_content(content, chance)).encode()
    return b"\n".join(lines)


def _other_content(content: Any, chance: random.Random) -> Any:
    """The content with a value, at any depth, that is another one, left out or there twice."""
    if not isinstance(content, dict | list) or not content or chance.random() < 0.15:
        return copy.deepcopy(chance.choice(VALUES))
    key = chance.choice(list(content)) if isinstance(content, dict) else chance.randrange(len(content))
    if chance.random() < 0.1:
        del content[key]
    elif isinstance(content, list) and chance.random() < 0.1:
        content.insert(key, copy.deepcopy(content[key]))
    else:
        content[key] = _other_content(content[key], chance)
    return content


def _span(seed: bytes, chance: random.Random) -> tuple[int, int]:
    """Begin and end of a short part."""
    begin = chance.randrange(len(seed) + 1)
    return begin, min(len(seed), begin + chance.choice((1, 1, 2, 4, 8, 30, 200)))


def _flip(seed: bytes, chance: random.Random) -> bytes:
    if not seed:
        return seed
    place = chance.randrange(len(seed))
    return seed[:place] + bytes([seed[place] ^ (1 << chance.randrange(8))]) + seed[place + 1 :]


def _any_byte(seed: bytes, chance: random.Random) -> bytes:
    begin, _ = _span(seed, chance)
    return seed[:begin] + bytes([chance.randrange(256)]) + seed[begin + 1 :]


def _cut_off(seed: bytes, chance: random.Random) -> bytes:
    return seed[: _span(seed, chance)[0]]


def _cut_out(seed: bytes, chance: random.Random) -> bytes:
    begin, end = _span(seed, chance)
    return seed[:begin] + seed[end:]


def _repeat(seed: bytes, chance: random.Random) -> bytes:
    begin, end = _span(seed, chance)
    return seed[:end] + seed[begin:end] * chance.choice((1, 1, 2, 50)) + seed[end:]


def _move(seed: bytes, chance: random.Random) -> bytes:
    begin, end = _span(seed, chance)
    rest = seed[:begin] + seed[end:]
    place = chance.randrange(len(rest) + 1)
    return rest[:place] + seed[begin:end] + rest[place:]


def _insert(seed: bytes, chance: random.Random) -> bytes:
    begin, _ = _span(seed, chance)
    return seed[:begin] + chance.choice(TOKENS) + seed[begin:]


def _replace(seed: bytes, chance: random.Random) -> bytes:
    begin, end = _span(seed, chance)
    return seed[:begin] + chance.choice(TOKENS) + seed[end:]


def _cell(seed: bytes, chance: random.Random) -> bytes:
    """Another token in place of what stands between two separators of any kind."""
    places = [place for place, byte in enumerate(seed) if byte in b',;\t\n"<>=: ']
    if len(places) < 2:
        return _replace(seed, chance)
    number = chance.randrange(len(places) - 1)
    return seed[: places[number] + 1] + chance.choice(TOKENS) + seed[places[number + 1] :]


def _swap_lines(seed: bytes, chance: random.Random) -> bytes:
    lines = seed.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _repeat_line(seed: bytes, chance: random.Random) -> bytes:
    lines = seed.split(b"\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return b"\n".join(lines)


def _big_number(seed: bytes, chance: random.Random) -> bytes:
    """Bytes that many formats read as a length or an offset, as large or as small as they can be."""
    begin, _ = _span(seed, chance)
    width = chance.choice((1, 2, 4, 8))
    return seed[:begin] + chance.choice((b"\xff", b"\x7f", b"\x00", b"\x80")) * width + seed[begin + width :]


CHANGES: list[Callable[[bytes, random.Random], bytes]] = [
    *(_flip, _flip, _any_byte, _cut_off, _cut_out, _repeat, _move, _insert, _insert, _replace),
    *(_cell, _cell, _cell, _swap_lines, _repeat_line, _big_number, _number, _number, _word, _json, _json),
]
