"""The notebooks' prose, read by Jupyter's own Markdown (nbconvert's, on mistune).

    python tests/reference/jupyter_markdown.py

Checks the cases of tests/fixtures/jupyter-markdown.json (what a page says, what its notebook says,
and what Jupyter must show of that; tests/tests/jupyter.rs holds the first to the second), and the
prose of every committed notebook: no Markdown of mdBook's comes out raw, MathJax finds the formulas
that the Markdown has and no others, and links to headings lead to headings.

Needs nbconvert.
"""

import json
import pathlib
import re
import urllib.parse

from bs4 import BeautifulSoup, Comment
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "jupyter-markdown.json"
CODE = ["code", "pre", "script", "style", "textarea"]
# As nbconvert's template configures MathJax: a backslash before a dollar sign escapes it.
MATH = re.compile(
    r"\\\$|(?P<math>\$\$.+?\$\$|\$(?:\\.|[^$\\])+\$|\\\(.+?\\\)|\\\[.+?\\\]"
    r"|\\begin\{(?P<name>[^}]*)\}.+?\\end\{(?P=name)\})",
    re.DOTALL,
)
# What mdBook reads and Jupyter does not: heading attributes, footnotes, admonitions.
RAW = re.compile(r"\{[#.][\w-]+[^}]*\}\s*$|\[\^[^\]]+\]|\[!\w+\]", re.MULTILINE)


class Recorder(IPythonRenderer):
    """Jupyter's renderer, which tells what formulas it found."""

    def __init__(self):
        super().__init__(escape=False, exclude_anchor_links=False)
        self.formulas = []

    def inline_math(self, body):
        self.formulas.append(f"${body}$")
        return super().inline_math(body)

    def block_math(self, body):
        self.formulas.append(f"$${body}$$")
        return super().block_math(body)


def shown(markdown):
    """The page that Jupyter makes of a cell, and the formulas that its Markdown has."""
    renderer = Recorder()
    html = MarkdownWithMath(renderer=renderer).render(markdown)
    page = BeautifulSoup(html, "html.parser")
    for anchor in page.select("a.anchor-link"):
        anchor.decompose()
    return page, renderer.formulas


def strings(element):
    """The texts in which MathJax looks for a formula: an element or a line of code ends one."""
    parts = [""]
    for child in element.children:
        if isinstance(child, Comment) or child.name == "br":
            continue
        if child.name is None:
            parts[-1] += child
        else:
            if child.name not in CODE:
                yield from strings(child)
            parts.append("")
    yield from parts


def typeset(page):
    """The formulas that MathJax finds."""
    found = (m["math"] for text in strings(page) for m in MATH.finditer(text))
    return [formula for formula in found if formula]


def words(page):
    """What a reader reads, code apart."""
    page = BeautifulSoup(str(page), "html.parser")
    for element in page.find_all(CODE):
        element.replace_with("…")
    return page.get_text()


def ids(page):
    return {element["id"] for element in page.select("[id]")}


def leads(fragment, names):
    """As a browser looks for the part of a page that an address names."""
    decoded = {urllib.parse.unquote(name) for name in names}
    return fragment in names or urllib.parse.unquote(fragment) in names | decoded


def check_case(case):
    pages = [shown(piece) for piece in case["notebook"]]
    text = "".join(page.get_text() for page, _ in pages)
    formulas = [formula for _, found in pages for formula in found]
    mathjax = [formula for page, _ in pages for formula in typeset(page)]
    links = [link["href"] for page, _ in pages for link in page.select("a[href]")]
    names = set().union(*(ids(page) for page, _ in pages))
    for what, found, expected in [
        ("text", "".join(text.split()), "".join(case["text"].split())),
        ("formulas", formulas, case["formulas"]),
        ("MathJax", sorted(mathjax), sorted(case["formulas"])),
        ("links", [urllib.parse.unquote(link) for link in links], case["links"]),
    ]:
        if found != expected:
            yield f"{case['name']}: {what}: {found!r}, not {expected!r}"
    for link in links:
        if link.startswith("#") and not leads(link[1:], names):
            yield f"{case['name']}: {link} leads to none of {sorted(names)}"


def check_notebook(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = [cell for cell in cells if cell["cell_type"] == "markdown"]
    pages = [(cell["id"], *shown("".join(cell["source"]))) for cell in prose]
    names = set().union(*(ids(page) for _, page, _ in pages))
    count = 0
    for name, page, formulas in pages:
        count += len(formulas)
        at = f"{path.relative_to(ROOT)}: {name}"
        if sorted(typeset(page)) != sorted(formulas):
            yield f"{at}: MathJax finds {typeset(page)}, and the Markdown has {formulas}", 0
        for raw in RAW.finditer(words(page)):
            yield f"{at}: {raw[0]!r} comes out raw", 0
        for link in page.select("a[href^='#']"):
            if not leads(link["href"][1:], names):
                yield f"{at}: {link['href']} leads nowhere", 0
        for image in page.select("img"):
            if not image["src"].startswith("data:image/"):
                yield f"{at}: the image {image['src']} is not in the notebook", 0
    yield None, count


def main():
    cases = json.loads(FIXTURE.read_text(encoding="utf-8"))
    findings = [finding for case in cases for finding in check_case(case)]
    notebooks = sorted((ROOT / "notebooks").glob("**/*.ipynb"))
    count = 0
    for path in notebooks:
        for finding, formulas in check_notebook(path):
            count += formulas
            findings += [finding] if finding else []
    for finding in findings:
        print(f"error: {finding}")
    if findings or not notebooks:
        raise SystemExit(f"{len(findings)} findings in {len(notebooks)} notebooks")
    print(f"{len(cases)} cases and {len(notebooks)} notebooks with {count} formulas are as meant")


if __name__ == "__main__":
    main()
