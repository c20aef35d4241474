// What the tests look at inside a page. One expression: an object of functions, each of which gives
// something that JSON can hold; most give a list of findings, empty when all is well.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const short = text => text.trim().replace(/\s+/g, ' ').slice(0, 60);

  // Colors, whatever CSS writes them in, as [red, green, blue, alpha].
  const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
    .getContext('2d', { willReadFrequently: true });
  const color = css => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = css;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) =>
    [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const linear = value => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.slice(0, 3).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m);
    return (x + 0.05) / (y + 0.05);
  };
  const ancestors = element => {
    const line = [];
    for (let e = element; e !== null; e = e.parentElement) {
      line.unshift(e);
    }
    return line;
  };
  const opacity = element => ancestors(element)
    .reduce((product, e) => product * Number(getComputedStyle(e).opacity), 1);
  const faded = ([r, g, b, a], factor) => [r, g, b, a * factor];
  const backdrop = element => ancestors(element)
    .reduce((below, e) => over(color(getComputedStyle(e).backgroundColor), below), [255, 255, 255, 1]);

  // What lies under a text of a figure: the page, then the rectangles drawn before it.
  const underText = (text, svg) => {
    const box = text.getBoundingClientRect();
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    let below = backdrop(svg);
    for (const shape of all('rect, image', svg)) {
      const area = shape.getBoundingClientRect();
      const inside = area.left <= x && x <= area.right && area.top <= y && y <= area.bottom;
      const before = shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING;
      if (!inside || !before || shape.closest('defs') !== null) {
        continue;
      }
      if (shape.tagName === 'image') {
        return null; // its pixels are not known
      }
      const style = getComputedStyle(shape);
      if (style.fill !== 'none' && !style.fill.startsWith('url')) {
        const fill = faded(color(style.fill), Number(style.fillOpacity) * opacity(shape));
        below = over(fill, below);
      }
    }
    return below;
  };

  // The box of a text of an SVG in axes that lie along it: slanted labels side by side are apart,
  // though the upright boxes around them are not.
  const along = (text, angle) => {
    const { x, y, width, height } = text.getBBox();
    const toScreen = text.getScreenCTM();
    const corners = [[x, y], [x + width, y], [x, y + height], [x + width, y + height]].map(([x, y]) => {
      const at = new DOMPoint(x, y).matrixTransform(toScreen);
      return [
        at.x * Math.cos(angle) + at.y * Math.sin(angle),
        at.y * Math.cos(angle) - at.x * Math.sin(angle),
      ];
    });
    const range = axis => [Math.min, Math.max].map(f => f(...corners.map(corner => corner[axis])));
    return [...range(0), ...range(1)];
  };
  // Apart in the axes of either text is apart.
  const overlap = (first, second) => [first, second].every(text => {
    const { a, b } = text.getScreenCTM();
    const [one, two] = [first, second].map(text => along(text, Math.atan2(b, a)));
    const wide = Math.min(one[1], two[1]) - Math.max(one[0], two[0]);
    const tall = Math.min(one[3], two[3]) - Math.max(one[2], two[2]);
    return wide > 1 && tall > 0.3 * Math.min(one[3] - one[2], two[3] - two[2]);
  });
  // An element by its selector; ` >>> ` goes into a shadow root.
  const find = selector => selector.split(' >>> ')
    .reduce((root, part) => (root?.shadowRoot ?? root)?.querySelector(part) ?? null, document);
  const hitAt = (x, y) => {
    let hit = document.elementFromPoint(x, y);
    for (;;) {
      const inner = hit?.shadowRoot?.elementFromPoint(x, y) ?? hit;
      if (inner === hit) return hit;
      hit = inner;
    }
  };
  // Those that are shown: a live element may have taken a figure's place.
  const figures = () => all('main figure svg')
    .filter(svg => svg.closest('svg svg') === null && svg.closest('[data-replaced]') === null);
  const scrolls = element => /auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX);

  return {
    // An element's text, an attribute, how many there are, whether it has the focus.
    text: selector => find(selector)?.textContent ?? null,
    attribute: (selector, name) => find(selector)?.getAttribute(name) ?? null,
    count(selector) {
      const [last, ...before] = selector.split(' >>> ').reverse();
      const root = before.length === 0 ? document : find(before.reverse().join(' >>> '));
      return (root?.shadowRoot ?? root)?.querySelectorAll(last).length ?? 0;
    },
    focused(selector) {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      const [last, ...hosts] = selector.split(' >>> ').reverse();
      const host = active?.getRootNode().host;
      return (active?.matches(last) ?? false)
        && (hosts.length === 0 || host === find(hosts.reverse().join(' >>> ')));
    },

    // The colors of a view's heads: how far apart the closest two are in OKLab, and the least contrast
    // to the view's paper.
    headColors(selector) {
      const view = find(selector);
      const paper = color(getComputedStyle(view).backgroundColor);
      const heads = all('.chip', view).map(chip => color(getComputedStyle(chip).borderBottomColor));
      const lab = rgb => {
        const [r, g, b] = rgb.slice(0, 3).map(linear);
        const [l, m, s] = [
          0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b,
          0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b,
          0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b,
        ].map(Math.cbrt);
        return [
          0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
        ];
      };
      const labs = heads.map(lab);
      const distance = (one, other) => Math.hypot(...one.map((value, axis) => value - other[axis]));
      const apart = labs.flatMap((one, i) => labs.slice(i + 1).map(other => distance(one, other)));
      return [Math.min(...apart), Math.min(...heads.map(head => contrast(head, paper)))];
    },

    // Where to click an element; or why a reader could not.
    target(selector) {
      const element = find(selector);
      if (element === null) {
        return { problem: 'there is none' };
      }
      if (!element.closest('#mdbook-menu-bar')) { // which is always there
        element.scrollIntoView({ block: 'center', behavior: 'instant' });
      }
      const box = element.getBoundingClientRect();
      if (box.width === 0 || box.height === 0) {
        return { problem: 'it has no size' }; // yet: what is laid out by a script gets one in a frame
      }
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      const hit = hitAt(x, y);
      if (hit === null || !(element.contains(hit) || hit.contains(element))) {
        return { problem: `it is covered by ${hit?.outerHTML.slice(0, 100)}` };
      }
      return { x, y };
    },

    // TeX that a reader would see.
    rawFormulas() {
      const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
      const findings = [];
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const skipped = node.parentElement.closest('.katex, code, pre, script, style, svg');
        if (skipped === null && /\$`|`\$|\$\$|\\[A-Za-z]+|\\[([{]/.test(node.data)) {
          findings.push(`TeX is visible: ${short(node.data)}`);
        }
      }
      for (const error of all('main .katex-error')) {
        findings.push(`KaTeX could not read: ${short(error.textContent)}`);
      }
      return findings;
    },

    formulas() {
      // Not those in the explanations of terms, which are hidden until they are asked for.
      const shown = all('main .katex').filter(formula => formula.closest('.terms') === null);
      return {
        displayed: all('main .katex-display').length,
        inline: shown.length - all('main .katex-display').length,
        broken: shown.filter(k => k.getBoundingClientRect().width === 0).length,
      };
    },

    async fonts() {
      await document.fonts.ready;
      return [...document.fonts].map(font => [font.family.replaceAll('"', ''), font.status]);
    },

    // Each cell of the notebook with outputs has them under its code on the page.
    async cellsWithoutOutput() {
      const link = document.querySelector('.lives a[href*="notebooks/"]');
      if (link === null) {
        return null;
      }
      const notebook = await (await fetch(link.href.replace(/html$/, 'ipynb'))).json();
      const text = value => Array.isArray(value) ? value.join('') : value ?? '';
      const flat = value => value.replace(/\s+/g, ' ').trim();
      const blocks = new Map(all('main pre > code').map(code => [flat(code.textContent), code.parentElement]));
      const findings = [];
      let checked = 0;
      for (const cell of notebook.cells.filter(cell => cell.cell_type === 'code')) {
        const source = flat(text(cell.source));
        if (/^:[a-z]/.test(source)) {
          continue; // the notebook's own set-up
        }
        // In the notebook, a cell that ends in a block is closed by a semicolon.
        const block = blocks.get(source) ?? blocks.get(source.replace(/};$/, '}'));
        if (block === undefined) {
          findings.push(`no code block for the cell ${cell.id}: ${short(source)}`);
          continue;
        }
        let [printed, drawn] = ['', 0];
        // Code that only draws is folded below its figure; other code is above its outputs.
        const fold = block.closest('details.drawing-code');
        const shown = fold === null ? [] : [fold.previousElementSibling];
        for (let e = block.nextElementSibling; fold === null && e?.matches('.cell-output, figure'); e = e.nextElementSibling) {
          if (e.nextElementSibling?.matches('details.drawing-code')) {
            break; // the figure of the cell that is folded below it
          }
          shown.push(e);
        }
        for (const e of shown) {
          printed += e.matches('.cell-output') ? `${e.textContent} ` : '';
          drawn += e.matches('figure') && e.querySelector('svg[role=img]') !== null ? 1 : 0;
        }
        for (const output of cell.outputs) {
          checked += 1;
          if (output.output_type === 'stream') {
            if (!flat(printed).includes(flat(text(output.text)))) {
              findings.push(`the cell ${cell.id} printed and the page does not show: ${short(text(output.text))}`);
            }
          } else if (output.data?.['image/svg+xml'] !== undefined) {
            drawn -= 1;
          } else if (output.data?.['text/html'] === undefined
            && !flat(printed).includes(flat(text(output.data?.['text/plain'])))) {
            findings.push(`the value of the cell ${cell.id} is not shown`);
          }
        }
        if (drawn < 0) {
          findings.push(`the figure of the cell ${cell.id} is not shown`);
        }
      }
      return { checked, findings };
    },

    // Figures: named, visible, inside the column, their texts inside them and apart.
    badFigures() {
      const findings = [];
      const column = document.querySelector('main').getBoundingClientRect();
      for (const svg of figures()) {
        const name = short(svg.getAttribute('aria-label') ?? '');
        const label = `the figure “${name}”`;
        const box = svg.getBoundingClientRect();
        if (svg.getAttribute('role') !== 'img' || name === '') {
          findings.push(`${label} has no name or no role=img`);
        }
        if (box.width < 50 || box.height < 20) {
          findings.push(`${label} is ${box.width} × ${box.height}`);
        }
        if (box.left < column.left - 1 || box.right > column.right + 1) {
          findings.push(`${label} leaves its column: ${box.left}…${box.right} of ${column.left}…${column.right}`);
        }
        const texts = all('text', svg).map(text => [short(text.textContent), text]);
        for (const [i, [said, text]] of texts.entries()) {
          const area = text.getBoundingClientRect();
          if (area.left < box.left - 1 || area.right > box.right + 1
            || area.top < box.top - 1 || area.bottom > box.bottom + 1) {
            findings.push(`${label}: the text “${said}” is cut`);
          }
          for (const [other, second] of texts.slice(i + 1)) {
            if (overlap(text, second)) {
              findings.push(`${label}: the texts “${said}” and “${other}” overlap`);
            }
          }
        }
      }
      return findings;
    },

    // What makes the page scroll sideways, or is cut at its edge.
    tooWide() {
      const root = document.documentElement;
      const findings = [];
      if (root.scrollWidth > innerWidth) {
        findings.push(`the page is ${root.scrollWidth} px wide in a window of ${innerWidth}`);
      }
      const main = document.querySelector('main');
      for (const element of all('main *, #mdbook-menu-bar *, #mdbook-search-wrapper *')) {
        const inside = element.parentElement.closest('.katex, svg') !== null;
        const right = element.getBoundingClientRect().right;
        if (inside || right <= root.clientWidth + 1) {
          continue;
        }
        const held = ancestors(element.parentElement)
          .some(e => main.contains(e) && e !== main && scrolls(e));
        if (!held) {
          findings.push(`<${element.localName} class="${element.className}"> “${short(element.textContent)}” ends at ${right} px`);
        }
      }
      return findings;
    },

    // Texts with less contrast than WCAG 2 asks (AA, any size): those of the figures, and those
    // whose colors are the book's own, not mdBook's.
    faintTexts(least) {
      const findings = [];
      const judge = (what, ink, paper) => {
        const ratio = contrast(over(ink, paper), paper);
        if (!(ratio >= least)) {
          findings.push(`${what}: contrast ${ratio.toFixed(2)}`);
        }
      };
      for (const svg of figures()) {
        for (const text of all('text', svg)) {
          const paper = underText(text, svg);
          if (paper !== null) {
            const style = getComputedStyle(text);
            const ink = faded(color(style.fill), opacity(text) * Number(style.fillOpacity));
            judge(`“${short(text.textContent)}” in the figure “${short(svg.getAttribute('aria-label') ?? '')}”`, ink, paper);
          }
        }
      }
      for (const element of all('main figcaption, main .question, main .question-title, main .verdict, main .cell-output, main .admonition-title, main .badge, main .stale, main .progress span, main .progress button, main .exercise-done, main .answered, main [data-state] :is(button:not([aria-disabled=true], :disabled), label, caption, th, td, p, li, summary, output, strong), .searchresults-header, #mdbook-searchresults *')) {
        if (!element.checkVisibility()) continue;
        const ink = faded(color(getComputedStyle(element).color), opacity(element));
        judge(`<${element.localName} class="${element.className}"> “${short(element.textContent)}”`, ink, backdrop(element));
      }
      for (const element of all('main .cell-output')) {
        const style = getComputedStyle(element, '::before');
        const ink = faded(color(style.color), Number(style.opacity));
        judge(`the label of an output, ${style.content}`, ink, backdrop(element));
      }
      return [...new Set(findings)];
    },

    figureTexts() {
      return all('main figure svg text').length;
    },

    // Attributes and texts of mdBook's interface that are one of these words.
    interfaceSays(words) {
      const found = [];
      for (const name of ['title', 'aria-label', 'placeholder']) {
        for (const element of all(`[${name}]`)) {
          if (words.includes(element.getAttribute(name))) {
            found.push(`${name}="${element.getAttribute(name)}"`);
          }
        }
      }
      const chrome = '#mdbook-help-popup, #mdbook-theme-list, #mdbook-menu-bar, .tooltiptext, '
        + '#mdbook-searchresults-header, .nav-wrapper, .nav-wide-wrapper';
      for (const root of all(chrome)) {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          if (words.includes(node.data.trim())) {
            found.push(`the text “${node.data.trim()}”`);
          }
        }
      }
      return [...new Set(found)];
    },

    // Links of the bar under the title, and files that the page's head names, that don't answer.
    async deadLinks() {
      const findings = [];
      for (const link of all('.lives a[href], head link[href]')) {
        const url = new URL(link.href);
        if (url.origin !== location.origin) {
          findings.push(`${url} is elsewhere`);
          continue;
        }
        const answer = await fetch(url);
        if (answer.status !== 200) {
          findings.push(`${url} answers ${answer.status}`);
        } else if (url.pathname.endsWith('.ipynb')) {
          const notebook = await answer.json().catch(error => ({ error }));
          if (notebook.nbformat !== 4 || !(notebook.cells?.length > 0)) {
            findings.push(`${url} is no notebook of format 4: ${notebook.error}`);
          }
        }
      }
      return findings;
    },
  };
})()
