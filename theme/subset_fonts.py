"""Makes `theme/fonts`: the book's fonts, small.

mdBook brings Open Sans and Source Code Pro with all their alphabets and hints, some 45 kB a cut. Here
each cut is two files: `text` has what Portuguese and English are written with, `more` all else that
mdBook's file has, and is fetched by pages that show some of it. `unicode-range` tells the browser
which is which, so nothing looks other than in mdBook's own.

    pip install fonttools==4.68.0 brotli==1.2.1
    python theme/subset_fonts.py ~/.cargo/registry/src/*/mdbook-html-0.5.4/front-end/fonts

The licenses are mdBook's copies. Source Code Pro's reserves the name "Source" for unchanged files:
its cut is called Book Mono here, inside the file, too.
"""

import shutil
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "fonts"

# Cuts that the pages use: name in mdBook's file, style, weight.
OPEN_SANS = [
    ("300", "normal", 300),
    ("regular", "normal", 400),
    ("italic", "italic", 400),
    ("600", "normal", 600),
    ("600italic", "italic", 600),
    ("700", "normal", 700),
    ("700italic", "italic", 700),
]

# ASCII, Latin-1, quotation marks, dashes, bullets, and the signs of the book's mathematics.
TEXT = {*range(0x20, 0x7F), *range(0xA0, 0x100)} | {
    ord(sign) for sign in "–—‘’“”•…′‹›€−≈≠≤≥√∞∂∘·×ΔΣΦβγδεηθλμπρσφⁿ⁰⁴⁵⁶⁸⁻₀₁₂→←↓"
}
# What outputs draw tables with.
BOXES = {ord(sign) for sign in "─━│┃┏┓└┘├┡┤┩┳┴┼╇▾✓"}


def main(source: Path) -> None:
    """Writes the fonts and their style sheet."""
    shutil.rmtree(FONTS, ignore_errors=True)
    FONTS.mkdir()
    rules = []
    for name, style, weight in OPEN_SANS:
        file = source / f"open-sans-v17-all-charsets-{name}.woff2"
        rules += cut(file, "Open Sans", f"open-sans-{name}", style, weight, TEXT)
    mono = source / "source-code-pro-v11-all-charsets-500.woff2"
    rules += cut(mono, "Book Mono", "book-mono-500", "normal", 500, TEXT | BOXES)
    head = "/* Made by theme/subset_fonts.py. */\n\n"
    (FONTS / "fonts.css").write_text(head + "\n".join(rules))
    for license in ("OPEN-SANS-LICENSE.txt", "SOURCE-CODE-PRO-LICENSE.txt"):
        shutil.copyfile(source / license, FONTS / license)


def cut(file, family, name, style, weight, text):
    """Writes the two files of a cut; the rules that load them."""
    rules = []
    has = set(TTFont(file).getBestCmap())
    for part, wanted in [("more", has - text), ("text", has & text)]:
        to = f"{name}-{part}.woff2"
        subset(file, wanted, family, FONTS / to)
        rules.append(
            f"@font-face {{\n"
            f"  font-family: '{family}';\n"
            f"  font-style: {style};\n"
            f"  font-weight: {weight};\n"
            f"  font-display: swap;\n"
            f"  src: url('{{{{ resource \"fonts/{to}\" }}}}') format('woff2');\n"
            f"  unicode-range: {ranges(wanted)};\n"
            f"}}\n"
        )
    return rules


def subset(file, unicodes, family, to):
    """Writes the glyphs of some characters: no hints, which smooth letters do without."""
    options = Options()
    options.hinting = False
    options.layout_features = ["kern", "liga", "mark", "mkmk", "ccmp", "locl"]
    options.name_IDs = [0, 13, 14]  # copyright and license
    font = TTFont(file, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)
    for id in (1, 4, 6):
        font["name"].setName(family.replace(" ", "") if id == 6 else family, id, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(to)


def ranges(unicodes):
    """`U+20-7E, U+A0`: the characters as CSS writes them."""
    parts = []
    for code in sorted(unicodes):
        if parts and parts[-1][1] == code - 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return ", ".join(f"U+{a:X}" if a == b else f"U+{a:X}-{b:X}" for a, b in parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
