"""The views beside bertviz 1.4.1: bytes, time to the first picture that answers, time of a hover.

    python tests/reference/bench_views.py VENDOR SYNTHETIC [TOKENS…]

Both in the same Chromium, on the same attentions (12 layers, 12 heads; for the neuron view queries
and keys 16 wide), by turns, so that what else the machine does falls on both alike; medians of ROUNDS
turns (3). VENDOR is a folder with bertviz's own files and the libraries that its pages fetch, here read
from disk so that the network costs bertviz nothing: `head_view.js`, `model_view.js`, `neuron_view.js`
(of the wheel), `require.min.js` (requirejs 2.3.6), `d3.min.js` (5.7.0), `jquery.min.js` (2.x) of npm.
SYNTHETIC is the built example:
`cargo build -r -p ch07-attention-views --no-default-features --example synthetic`. Needs playwright and
a Chromium (CHROME names it). Prints one JSON object a line: `bytes` of the page's file; `drawn_ms`, from
the start of its loading to the frame in which all is drawn and can be pointed at; `hover_ms`, from a move
of the pointer onto another token (another head, in the model view) to the second frame after it, which at
60 Hz is 17 to 33; `hover_work_ms`, how long the page's thread worked for it.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from playwright.sync_api import sync_playwright

VENDOR, SYNTHETIC = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
SIZES = [int(n) for n in sys.argv[3:]] or [16, 64, 512]
CHROME = os.environ.get("CHROME", "/usr/bin/chromium")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
LIMIT = 120_000  # milliseconds
HOVERS = 12

OURS = "document.querySelector('.attention-view')?.shadowRoot"
# When all is drawn: lines, and texts to point at.
READY = {
    "bertviz": {
        "head": "document.querySelector('#attention line') !== null",
        "model": "document.querySelectorAll('.attn_background').length === 144",
        "neuron": "document.querySelector('#collapsed #rightText text') !== null",
    },
    "ours": {
        "head": f"{OURS}?.querySelector('.panel canvas')?.style.width",
        "model": f"{OURS}?.querySelector('.thumbnails canvas.drawn') != null",
        "neuron": f"{OURS}?.querySelector('.panel canvas')?.style.width",
    },
}
WATCH = """(() => { const check = () => (%s) ? requestAnimationFrame(() => { window.drawnAt = performance.now(); })
    : requestAnimationFrame(check); check(); })()"""
TARGET = {
    "bertviz": {"head": "#left text", "model": ".attn_background", "neuron": "#collapsed #leftText text"},
    "ours": {"head": ".left .token", "model": ".cell", "neuron": ".left .token"},
}


def bertviz_page(view, parameters):
    parameters = json.dumps({**parameters, "root_div_id": "vis-root"})
    menus = {
        "head": 'Layer: <select id="layer"></select>',
        "model": "",
        "neuron": 'Layer: <select id="layer"></select> Head: <select id="att_head"></select>',
    }
    script = (VENDOR / f"{view}_view.js").read_text().replace("PYTHON_PARAMS", parameters)
    script = re.sub(r"https://cdnjs[^']*/(d3|jquery)\.min", rf"{VENDOR.as_uri()}/\1.min", script)
    if view == "neuron":
        script = f"window.bertviz_params = {parameters}\n</script>\n<script>\n{script}"
    return (
        f'<script src="{VENDOR.as_uri()}/require.min.js"></script>'
        f"<div id='vis-root' style=\"font-family:'Helvetica Neue', Helvetica, Arial, sans-serif;\">"
        f"<span style='user-select:none'>{menus[view]}</span><div id='vis'></div></div>"
        f'<script type="text/javascript">{script}</script>'
    )


def measure(playwright, who, view, path):
    browser = playwright.chromium.launch(executable_path=CHROME, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(LIMIT)
    page.add_init_script(WATCH % READY[who][view])
    try:
        page.goto(f"file://{path}", wait_until="commit")
        page.wait_for_function("window.drawnAt")
        found = {"drawn_ms": page.evaluate("window.drawnAt")}
        return found | hover(page, TARGET[who][view])
    except Exception as error:
        return {"failed": str(error).splitlines()[0]}
    finally:
        browser.close()


def hover(page, selector):
    places = page.locator(selector).evaluate_all(
        """elements => elements.map(element => element.getBoundingClientRect())
            .map(box => [box.x + box.width / 2, box.y + box.height / 2])""")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    worked = lambda: next(metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]
                          if metric["name"] == "TaskDuration")
    page.evaluate("""() => { window.times = []; let moved = null;
        addEventListener('pointermove', event => { if (moved === null) {
            moved = event.timeStamp; // when the pointer moved, however late the page hears of it
            requestAnimationFrame(() => requestAnimationFrame(() => {
                window.times.push(performance.now() - moved); moved = null; })); } }, true); }""")
    before = worked()
    for index, (x, y) in enumerate(places[:HOVERS]):
        page.mouse.move(x, y)
        page.wait_for_function(f"window.times.length > {index}")
    work = (worked() - before) * 1000 / HOVERS
    return {"hover_ms": statistics.median(page.evaluate("window.times")), "hover_work_ms": work}


def main():
    folder = pathlib.Path(tempfile.mkdtemp())
    with sync_playwright() as playwright:
        for n in SIZES:
            for view in ["head", "model", "neuron"]:
                ours, data, theirs = (folder / f"{view}-{n}{end}" for end in [".html", ".json", "-bertviz.html"])
                subprocess.run([SYNTHETIC, view, str(n), ours, data], check=True)
                theirs.write_text(bertviz_page(view, json.loads(data.read_text())))
                data.unlink()
                pages = {"bertviz": theirs, "ours": ours}
                found = {who: [] for who in pages}
                for turn in range(ROUNDS):
                    for who in sorted(pages, reverse=turn % 2 == 1):
                        if not any("failed" in row for row in found[who]):
                            found[who].append(measure(playwright, who, view, pages[who]))
                for who, path in pages.items():
                    row = {"view": view, "tokens": n, "who": who, "bytes": path.stat().st_size}
                    last = found[who][-1]
                    for key in last if "failed" in last else ["drawn_ms", "hover_ms", "hover_work_ms"]:
                        values = [turn[key] for turn in found[who] if key in turn]
                        row[key] = values[0] if key == "failed" else round(statistics.median(values), 1)
                    print(json.dumps(row), flush=True)
                    path.unlink()


if __name__ == "__main__":
    main()
