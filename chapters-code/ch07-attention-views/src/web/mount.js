// Puts a view where its data is. A shadow root keeps the page's style out and ours in.

const VIEWS = { head: HeadView, model: ModelView, neuron: NeuronView };
const inJupyter = () => document.querySelector('.jp-Notebook, .jp-OutputArea, #notebook') !== null;

class View {
  constructor(host, data, name) {
    this.host = host;
    this.data = data;
    this.name = name;
    this.words = wordsFor(host, data.language);
    this.frame = element('div', { class: `view ${data.view}`, role: 'group', 'aria-label': this.words.views[data.view] });
    this.setTheme();
    this.body = new VIEWS[data.view](this);
    this.frame.append(this.body.element);
    if (data.panes.some(pane => pane.unit !== 1)) {
      this.frame.append(element('p', { class: 'note' }, this.words.rounded));
    }
    this.frame.addEventListener('keydown', event => this.keep(event));
    const gone = this.goneWith(host);
    watchTheme(host, () => { if (this.setTheme()) this.body.render(); }, gone);
    window.addEventListener('hashchange', () => this.restore(), { signal: gone });
    this.ready = false;
    this.body.render();
    this.ready = true;
    this.restore();
  }

  // Whoever takes a view out of its page says so to the host, and then nothing holds it.
  goneWith(host) {
    const gone = new AbortController();
    host.addEventListener('attention-view-gone', () => gone.abort(), { once: true });
    gone.signal.addEventListener('abort', () => clearTimeout(this.writing));
    return gone.signal;
  }

  // Takes the page's theme, or the one asked for; whether it is another than before.
  setTheme() {
    const before = this.theme;
    this.theme = this.data.theme ?? themeAround(this.host);
    this.frame.dataset.theme = this.theme;
    this.frame.classList.toggle('own', Boolean(this.data.theme));
    return before !== this.theme;
  }

  // A page around has keys of its own (the book turns pages with the arrows): while one works with
  // the view, they are the view's.
  keep(event) {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (plain && event.key !== 'Tab') event.stopPropagation();
  }

  // The page's address with the view as it is: `#name=layer:0,heads:8`, `&` between views and what else
  // it speaks of.
  address() {
    const mine = Object.entries(this.body.state())
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}:${value}`)
      .join(',');
    const others = location.hash.slice(1).split('&')
      .filter(part => part.includes('=') && !part.startsWith(`${this.name}=`));
    const page = location.href.split('#')[0];
    return `${page}#${[...others, `${this.name}=${mine}`].join('&')}`;
  }

  remember() {
    if (!this.ready || inJupyter()) return;
    clearTimeout(this.writing); // browsers refuse a hundred addresses in a few seconds
    this.writing = setTimeout(() => history.replaceState(history.state, '', this.address()), 150);
  }

  restore() {
    const mine = parts().find(([name]) => name === this.name);
    if (mine === undefined) return;
    this.ready = false;
    this.body.restore(Object.fromEntries(mine[1].split(',').map(part => part.split(':'))));
    this.ready = true;
    if (parts()[0][0] === this.name) this.host.scrollIntoView({ block: 'nearest' });
  }
}

// The views that the address speaks of, with what it says of them.
function parts() {
  const text = decodeURIComponent(location.hash.slice(1));
  return text.split('&').map(part => part.split('=')).filter(([name, rest]) => name.startsWith('av-') && rest);
}

async function mount(host) {
  const [data, style] = ['application/json', 'text/css'].map(type =>
    host.querySelector(`script[type="${type}"]`));
  const id = host.dataset.attentionView;
  const twins = document.querySelectorAll(`[data-attention-view="${id}"][data-mounted]`).length;
  host.dataset.mounted = String(twins);
  host.dataset.lmSuppressShortcuts = 'true'; // Jupyter's way to keep its keys to itself
  const shadow = host.attachShadow({ mode: 'open' });
  shadow.append(element('style', {}, style.textContent));
  try {
    const opened = await open(JSON.parse(data.textContent));
    const view = new View(host, opened, twins === 0 ? `av-${id}` : `av-${id}-${twins}`);
    shadow.append(view.frame);
    host.dispatchEvent(new Event('attention-view-ready'));
  } catch (error) {
    shadow.append(element('p', {}, `${wordsFor(host).failed}: ${error.message}`), element('slot'));
  }
}

// All that wait in the page: a page with several views needs this script once. Where a sanitiser took
// the data away, the picture stays.
for (const host of document.querySelectorAll('[data-attention-view]:not([data-mounted])')) {
  if (host.querySelector('script[type="application/json"]')) mount(host);
}
