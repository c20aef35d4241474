"""Makes the book's fonts small: `theme/fonts` and `src/assets/katex`.

mdBook brings Open Sans and Source Code Pro with all their alphabets and hints, some 45 kB a cut, and
KaTeX's fonts have all that mathematicians write. Here a font is two files: `text` has what this
book's pages are written with, `more` all else that the original has, and is fetched by a page that
shows some of it. `unicode-range` tells the browser which is which, so nothing looks other than with
the originals. What every page shows is in the style sheet itself: a font that comes later has the
whole page laid out again.

    pip install fonttools==4.68.0 brotli==1.2.1
    npm pack katex@0.16.4 && tar xzf katex-0.16.4.tgz
    python theme/subset_fonts.py \\
        ~/.cargo/registry/src/*/mdbook-html-0.5.4/front-end/fonts package/dist

The licenses are copies. Source Code Pro's reserves the name "Source" for unchanged files: its cut is
called Book Mono here, inside the file, too.
"""

import base64
import re
import shutil
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parent.parent
FONTS = ROOT / "theme/fonts"
KATEX = ROOT / "src/assets/katex"

# ASCII and what else Portuguese and English are written with.
ASCII = set(range(0x20, 0x7F))
TEXT = ASCII | set(map(ord, "\u00a0ÀÁÂÃÇÉÊÍÓÔÕÚàáâãçćéêíóôõúüª°º·×–—‘’“”…−≈√²³⁶⁸"))
# The menu bar alone has the thin cut, for the book's title.
TITLE = set(map(ord, "Atenção em Rust Attention in Rust"))
# What comments and outputs are written with: formulas, tables, pieces of words.
CODE = TEXT | set(map(ord, "ΣΦβγεηλμρσφ\u0302∂∞→≠ᵖⁿ⁰⁵₁₂Ġ▁─━│┃┏┓└┘├┡┤┩┳┴┼╇▾✓"))
# What formulas are written with.
MATHEMATICS = ASCII | set(map(ord, "ΔΣΦβγδεηθλμπρσφωˊ′←→∂∇∑∏∫√−∘∞∣∥≈≠≤≥⊤⋅×±∈⌊⌋⌈⌉…⋯\u00a0"))

# Cuts that pages use: name in mdBook's file, style, weight, the characters of `text`.
OPEN_SANS = [
    ("300", "normal", 300, TITLE),
    ("regular", "normal", 400, TEXT),
    ("italic", "italic", 400, TEXT),
    ("700", "normal", 700, TEXT),
    ("700italic", "italic", 700, TEXT),
]
# Files that every page needs, or every chapter.
EVERYWHERE = [f"{cut}-text.woff2" for cut in
              ("open-sans-regular", "open-sans-italic", "open-sans-700", "book-mono-500",
               "KaTeX_Main-Regular", "KaTeX_Math-Italic", "KaTeX_Size1-Regular", "KaTeX_Size2-Regular")]
# KaTeX's fonts that pages use; the others stay whole, and are not fetched.
FORMULAS = ["Main-Regular", "Math-Italic", "Size1-Regular", "Size2-Regular", "Size3-Regular"]


def main(mdbook: Path, katex: Path) -> None:
    """Writes all fonts and the style sheets that load them."""
    shutil.rmtree(FONTS, ignore_errors=True)
    FONTS.mkdir()
    rules = ["/* Made by theme/subset_fonts.py. */\n"]
    for name, style, weight, text in OPEN_SANS:
        file = mdbook / f"open-sans-v17-all-charsets-{name}.woff2"
        face = ("Open Sans", style, weight)
        rules += [rule(face, *part) for part in cut(file, f"open-sans-{name}", FONTS, text)]
    mono = mdbook / "source-code-pro-v11-all-charsets-500.woff2"
    face = ("Book Mono", "normal", 500)
    parts = cut(mono, "book-mono-500", FONTS, CODE, "Book Mono")
    rules += [rule(face, *part) for part in parts]
    (FONTS / "fonts.css").write_text("\n".join(rules))
    for license in ("OPEN-SANS-LICENSE.txt", "SOURCE-CODE-PRO-LICENSE.txt"):
        shutil.copyfile(mdbook / license, FONTS / license)
    formulas(katex)


def rule(face, file, characters):
    """The rule that loads a file, in mdBook's way (it names files after what they hold), or holds
    it."""
    family, style, weight = face
    source = held(FONTS / file) or f'{{{{ resource "fonts/{file}" }}}}'
    return (
        f"@font-face {{\n"
        f"  font-family: '{family}';\n"
        f"  font-style: {style};\n"
        f"  font-weight: {weight};\n"
        f"  font-display: swap;\n"
        f"  src: url('{source}') format('woff2');\n"
        f"  unicode-range: {characters};\n"
        f"}}\n"
    )


def held(file):
    """A file that every page needs, as an address that holds it; the file goes."""
    if file.name not in EVERYWHERE:
        return None
    data = base64.b64encode(file.read_bytes()).decode()
    file.unlink()
    return f"data:font/woff2;base64,{data}"


def formulas(katex):
    """Writes KaTeX's fonts and its style, without the formats that no browser of today needs."""
    shutil.rmtree(KATEX / "fonts", ignore_errors=True)
    (KATEX / "fonts").mkdir()
    style = (katex / "katex.min.css").read_text()
    style = re.sub(r',url\([^)]*\.(woff|ttf)\) format\("\w+"\)', "", style)
    for file in sorted((katex / "fonts").glob("*.woff2")):
        name = file.stem.removeprefix("KaTeX_")
        if name not in FORMULAS:
            shutil.copyfile(file, KATEX / "fonts" / file.name)
            continue
        [face] = re.findall(rf"@font-face{{[^}}]*{file.name}[^}}]*}}", style)
        split = ""
        for to, characters in cut(file, file.stem, KATEX / "fonts", MATHEMATICS):
            source = held(KATEX / "fonts" / to) or f"fonts/{to}"
            part = face.replace(f"fonts/{file.name}", source).removesuffix("}")
            split += f"{part};unicode-range:{characters}}}"
        style = style.replace(face, split)
    (KATEX / "katex.min.css").write_text(style)


def cut(file, name, folder, text, family=None):
    """Writes the two files of a font; their names, and their characters as CSS writes them."""
    has = set(TTFont(file).getBestCmap())
    parts = []
    for part, wanted in [("more", has - text), ("text", has & text)]:
        to = f"{name}-{part}.woff2"
        subset(file, wanted, family, folder / to)
        parts.append((to, ranges(wanted)))
    return parts


def subset(file, characters, family, to):
    """Writes the glyphs of some characters: no hints, which smooth letters do without."""
    options = Options()
    options.hinting = False
    options.layout_features = ["kern", "liga", "mark", "mkmk", "ccmp", "locl"]
    options.name_IDs = [0, 13, 14]  # copyright and license
    font = TTFont(file, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    for id in (1, 4, 6) if family else ():
        font["name"].setName(family.replace(" ", "") if id == 6 else family, id, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(to)


def ranges(characters):
    """`U+20-7E,U+A0`: the characters as CSS writes them."""
    parts = []
    for code in sorted(characters):
        if parts and parts[-1][1] == code - 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return ",".join(f"U+{a:X}" if a == b else f"U+{a:X}-{b:X}" for a, b in parts)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
