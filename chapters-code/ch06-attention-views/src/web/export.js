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

// The menu that does it. `shown()` gives the part with `svg`, `json` and `csv`.
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
    copy: () => copy(shown().json()),
    json: () => save('json', 'application/json', shown().json()),
    csv: () => save('csv', 'text/csv', shown().csv()),
    svg: () => save('svg', 'image/svg+xml', shown().svg()),
    png: async () => save('png', 'image/png', await pngOf(shown().svg())),
    link: () => copy(view.address()),
  };
  const buttons = Object.entries(actions).map(([action, run]) =>
    element('button', { type: 'button', 'data-action': action, onclick: run }, words[action]));
  const menu = element('details', { class: 'save' },
    element('summary', {}, words.save),
    element('div', { class: 'actions' }, ...buttons, said));
  menu.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.firstElementChild.focus();
    event.stopPropagation();
  });
  return menu;
}
