# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.
"""Writes src/embedding/unicode-table.json: what the Rust library `tokenizers` does to each code point.

Run by a developer when the model is to follow another version of that library; takes about 20 seconds.

    python -m venv .cache/reference && .cache/reference/bin/pip install tokenizers==0.23.3
    .cache/reference/bin/python tools/unicode-table/unicode-table.py

The crate mixes three Unicode versions (its categories are older than its decompositions) and a JavaScript engine has a
fourth, which moves with Node. So nothing is taken from any Unicode database here: every entry is what the library was
seen to do. The format is described in src/embedding/character-table.ts, which reads it.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import tokenizers
from tokenizers.normalizers import NFD, BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

OUTPUT = Path(__file__).resolve().parents[2] / "src" / "embedding" / "unicode-table.json"
SURROGATES = range(0xD800, 0xE000)
SCALARS = [chr(code) for code in range(0x110000) if code not in SURROGATES]

# Two marks of the first and of the last combining class that canonical ordering knows (1 and 240).
LOWEST_MARK = "\u0334"
HIGHEST_MARK = "\u0345"


def normalizer(**enabled: bool) -> Callable[[str], str]:
    flags = dict.fromkeys(("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"), False)
    return BertNormalizer(**(flags | enabled)).normalize_str


clean = normalizer(clean_text=True)
pad_ideographs = normalizer(handle_chinese_chars=True)
strip_accents = normalizer(strip_accents=True)
lowercase = normalizer(lowercase=True)
decompose = NFD().normalize_str
pre_tokenizer = BertPreTokenizer()


def split(text: str) -> list[str]:
    return [word for word, _ in pre_tokenizer.pre_tokenize_str(text)]


def ranges(characters: Iterable[str]) -> str:
    """`ranges("abcx")` gives `"61-63 78"`."""
    runs: list[list[int]] = []
    for code in sorted(map(ord, characters)):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return " ".join(f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last in runs)


def mappings(images: dict[str, str]) -> str:
    """`mappings({"A": "a", "B": "b", "Å": "a"})` gives `"41-42>61 c5>61"`; a longer image has commas, `130>69,307`."""
    runs: list[list] = []
    for character, image in sorted(images.items()):
        code = ord(character)
        if runs and len(image) == 1 and len(runs[-1][2]) == 1:
            first, last, start = runs[-1]
            if last == code - 1 and ord(image) - ord(start) == code - first:
                runs[-1][1] = code
                continue
        runs.append([code, code, image])
    return " ".join(
        (f"{first:x}" if first == last else f"{first:x}-{last:x}") + ">" + ",".join(f"{ord(c):x}" for c in image)
        for first, last, image in runs
    )


def combining_ranks(decomposed: set[str]) -> dict[str, int]:
    """Orders, from 1, the marks that outlive strip_accents and that canonical ordering moves past one another."""
    marks = [
        character
        for character in sorted(decomposed)
        if decompose(character + LOWEST_MARK) == LOWEST_MARK + character
        or decompose(HIGHEST_MARK + character) == character + HIGHEST_MARK
    ]
    lower = {mark: sum(decompose(mark + other) == other + mark for other in marks) for mark in marks}
    ranks = {count: rank for rank, count in enumerate(sorted(set(lower.values())), start=1)}
    return {mark: ranks[count] for mark, count in lower.items()}


def main() -> None:
    cleaned = {character: clean(character) for character in SCALARS}
    removed = [character for character in SCALARS if cleaned[character] == ""]
    spaced = [character for character in SCALARS if cleaned[character] not in ("", character)]
    assert all(cleaned[character] == " " for character in spaced)

    padded = [character for character in SCALARS if pad_ideographs(character) != character]
    assert all(pad_ideographs(character) == f" {character} " for character in padded)

    lowered = {character: lowercase(character) for character in SCALARS if lowercase(character) != character}

    stripped = {character: strip_accents(character) for character in SCALARS}
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4)]
    for index, syllable in enumerate(syllables):
        lead, vowel, trail = chr(0x1100 + index // 588), chr(0x1161 + index % 588 // 28), chr(0x11A7 + index % 28)
        assert stripped[syllable] == lead + vowel + (trail if index % 28 else "")
    images = {
        character: image
        for character, image in stripped.items()
        if image not in ("", character) and character not in syllables
    }
    ranks = combining_ranks({character for image in stripped.values() for character in image})
    by_rank = sorted(ranks, key=lambda mark: ranks[mark])
    low, high = by_rank[0], by_rank[-1]
    assert strip_accents(high + low) == low + high
    vanishing = [character for character, image in stripped.items() if image == ""]
    barriers = [character for character in vanishing if strip_accents(high + character + low) == high + low]

    whitespace = [character for character in SCALARS if split(f"a{character}a") == ["a", "a"]]
    punctuation = [character for character in SCALARS if split(f"a{character}a") == ["a", character, "a"]]
    assert all(split(f"a{c}a") == [f"a{c}a"] for c in set(SCALARS) - set(whitespace) - set(punctuation))

    table = {
        "madeBy": "tools/unicode-table/unicode-table.py",
        "tokenizersVersion": tokenizers.__version__,
        "removed": ranges(removed),
        "spaced": ranges(spaced),
        "ideographs": ranges(padded),
        "stripped": ranges(set(vanishing) - set(barriers)),
        "strippedBarriers": ranges(barriers),
        "decomposed": mappings(images),
        "lowercased": mappings(lowered),
        "whitespace": ranges(whitespace),
        "punctuation": ranges(punctuation),
        "combiningRanks": [ranges(mark for mark in ranks if ranks[mark] == rank) for rank in sorted(set(ranks.values()))],
    }
    OUTPUT.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    print(f"{OUTPUT.stat().st_size} bytes: {OUTPUT.name}")


if __name__ == "__main__":
    main()
