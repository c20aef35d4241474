// What a view shows, for elsewhere: JSON, CSV, SVG, PNG, an address.

// A spreadsheet takes a cell that begins with one of = + - @ for a formula: an apostrophe says it
// is text.
const csvCell = value => {
  const text = typeof value === 'string' ? value.replace(/^[=+\-@\t\r]/, "'$&") : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const csvText = rows => rows.map(row => row.map(csvCell).join(',')).join('\r\n') + '\r\n';

function download(name, blob) {
  const link = element('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element('textarea', { style: 'position: fixed; opacity: 0' });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
  return true;
}

// The SVG as pixels, two to a unit unless the picture is too tall for a canvas.
async function pngOf(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const scale = Math.min(2, 16000 / Math.max(image.naturalWidth, image.naturalHeight));
  const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.getContext('2d').drawImage(image, 0, 0, width, height);
  return new Promise(done => { canvas.toBlob(done, 'image/png'); });
}

const MOST_NUMBERS = 1 << 22; // in a file of text

// What is shown, in bertviz's shape, with the numbers of its layers and heads. A part gives its
// `contents`: a pane, and places of layers and heads in it.
function jsonOf({ data }, { pane, layers, heads, more }) {
  return JSON.stringify({
    name: pane.filter,
    layers: layers.map(layer => data.layers[layer]),
    heads: heads.map(head => data.heads[head]),
    left_text: pane.left,
    right_text: pane.right,
    attn: layers.map(layer => heads.map(head => pane.matrix(layer, head))),
    ...more?.(),
  });
}

// A line for each pair of tokens; `score`, if the part has one, is a column more.
function csvOf({ data }, { pane, layers, heads, score }) {
  const lines = [['layer', 'head', 'from_index', 'from', 'to_index', 'to', ...(score ? ['score'] : []), 'weight']];
  for (const layer of layers) {
    for (const head of heads) {
      pane.left.forEach((from, row) => pane.right.forEach((to, column) => {
        const numbers = score ? [score(row, column)] : [];
        numbers.push(pane.weight(layer, head, row, column));
        lines.push([data.layers[layer], data.heads[head], row, from, column, to, ...numbers]);
      }));
    }
  }
  return csvText(lines);
}

// The menu that does it. `shown()` gives the part with `svg` and `contents`.
function saveMenu(view, shown) {
  const { words } = view;
  const said = element('span', { role: 'status', class: 'said' });
  const name = () => `attention-${view.data.view}`;
  const copy = async text => { said.textContent = await copyText(text) ? words.copied : words.refused; };
  const save = (extension, type, text) => {
    download(`${name()}.${extension}`, new Blob([text], { type }));
    said.textContent = `${words.saved}: ${name()}.${extension}`;
  };
  const actions = {
    copy: () => copy(jsonOf(view, shown().contents())),
    json: () => save('json', 'application/json', jsonOf(view, shown().contents())),
    csv: () => save('csv', 'text/csv', csvOf(view, shown().contents())),
    svg: () => save('svg', 'image/svg+xml', shown().svg()),
    png: async () => save('png', 'image/png', await pngOf(shown().svg())),
    link: () => copy(view.address()),
  };
  const buttons = Object.entries(actions).map(([action, run]) =>
    element('button', { type: 'button', 'data-action': action, onclick: run }, words[action]));
  const menu = element('details', { class: 'save' },
    element('summary', {}, words.save),
    element('div', { class: 'actions' }, ...buttons, said));
  menu.addEventListener('toggle', () => {
    const { pane, layers, heads } = shown().contents();
    const many = layers.length * heads.length * pane.left.length * pane.right.length > MOST_NUMBERS;
    for (const button of buttons.filter(button => ['copy', 'json', 'csv'].includes(button.dataset.action))) {
      button.disabled = many;
      button.title = many ? words.tooMany : '';
    }
  });
  menu.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.firstElementChild.focus();
    event.stopPropagation();
  });
  return menu;
}
