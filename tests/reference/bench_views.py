"""The views beside bertviz 1.4.1: bytes, time to the first picture, time of a hover.

    python tests/reference/bench_views.py VENDOR SYNTHETIC [TOKENS…]

Both in the same Chromium, on the same attentions (12 layers, 12 heads). VENDOR is a folder with
bertviz's own files and the libraries that its pages fetch, here read from disk so that the network
costs bertviz nothing: `head_view.js`, `model_view.js` (of the wheel), `require.min.js` (requirejs
2.3.6), `d3.min.js` (5.7.0), `jquery.min.js` (2.x) of npm. SYNTHETIC is the built example:
`cargo build -p ch06-attention-views --no-default-features --example synthetic`. Needs playwright and
a Chromium (CHROME names it). Prints one JSON object a line.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

VENDOR, SYNTHETIC = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
SIZES = [int(n) for n in sys.argv[3:]] or [16, 64, 512]
CHROME = os.environ.get("CHROME", "/usr/bin/chromium")
LIMIT = 120_000  # milliseconds
HOVERS = 12

# When something is drawn that answers: lines, and texts to point at.
READY = {
    "bertviz": {
        "head": "document.querySelector('#attention line') !== null",
        "model": "document.querySelectorAll('.attn_background').length === 144",
    },
    "ours": {
        "head": "document.querySelector('.attention-view')?.shadowRoot?.querySelector('.panel canvas')?.style.width",
        "model": "document.querySelector('.attention-view')?.shadowRoot"
        "?.querySelector('.row:last-child .cell:last-child canvas')?.width !== 300"
        " && document.querySelector('.attention-view')?.shadowRoot?.querySelector('.cell') != null",  # 300: not drawn yet
    },
}
WATCH = """() => { const check = () => (%s) ? requestAnimationFrame(() => { window.drawnAt = performance.now(); })
    : requestAnimationFrame(check); check(); }"""
TOKEN = {"bertviz": "#left text", "ours": ".left .token"}


def bertviz_page(view, parameters):
    parameters = {**parameters, "root_div_id": "vis-root"}
    menu = 'Layer: <select id="layer"></select>' if view == "head" else ""
    script = (VENDOR / f"{view}_view.js").read_text().replace("PYTHON_PARAMS", json.dumps(parameters))
    script = re.sub(r"https://cdnjs[^']*/(d3|jquery)\.min", rf"{VENDOR.as_uri()}/\1.min", script)
    return (
        f'<script src="{VENDOR.as_uri()}/require.min.js"></script>'
        f"<div id='vis-root' style=\"font-family:'Helvetica Neue', Helvetica, Arial, sans-serif;\">"
        f"<span style='user-select:none'>{menu}</span><div id='vis'></div></div>"
        f'<script type="text/javascript">{script}</script>'
    )


def measure(browser, who, view, path):
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(LIMIT)
    page.add_init_script(f"({WATCH % READY[who][view]})()")
    try:
        page.goto(f"file://{path}", wait_until="commit")
        page.wait_for_function("window.drawnAt")
        found = {"drawn_ms": round(page.evaluate("window.drawnAt"))}
        if view == "head":
            found |= hover(page, TOKEN[who])
        return found
    except Exception as error:
        return {"failed": str(error).splitlines()[0]}
    finally:
        page.close()


def hover(page, selector):
    """From a pointer's move to the frame after its drawing, median (two frames of 60 Hz is the least
    that can be measured); and how long the page's thread worked for a move, mean."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    worked = lambda: next(metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]
                          if metric["name"] == "TaskDuration")
    page.evaluate("""() => { window.times = []; let moved = null;
        addEventListener('pointermove', () => { if (moved === null) {
            moved = performance.now();
            requestAnimationFrame(() => requestAnimationFrame(() => {
                window.times.push(performance.now() - moved); moved = null; })); } }, true); }""")
    before = worked()
    for index in range(HOVERS):
        page.locator(selector).nth(index).hover()
        page.wait_for_function(f"window.times.length > {index}")
    work = (worked() - before) * 1000 / HOVERS
    return {"hover_ms": round(statistics.median(page.evaluate("window.times")), 1), "hover_work_ms": round(work, 1)}


def main():
    folder = pathlib.Path(tempfile.mkdtemp())
    with sync_playwright() as playwright:
        for n in SIZES:
            for view in ["head", "model"]:
                ours, data, theirs = (folder / f"{view}-{n}{end}" for end in [".html", ".json", "-bertviz.html"])
                subprocess.run([SYNTHETIC, view, str(n), ours, data], check=True)
                theirs.write_text(bertviz_page(view, json.loads(data.read_text())))
                data.unlink()
                for who, path in [("bertviz", theirs), ("ours", ours)]:
                    if who in os.environ.get("SKIP", ""): continue
                    browser = playwright.chromium.launch(executable_path=CHROME, args=["--no-sandbox"])
                    row = {"view": view, "tokens": n, "who": who, "bytes": path.stat().st_size}
                    print(json.dumps(row | measure(browser, who, view, path)), flush=True)
                    browser.close()
                    path.unlink()


if __name__ == "__main__":
    started = time.time()
    main()
    print(f"{time.time() - started:.0f} s", file=sys.stderr)
