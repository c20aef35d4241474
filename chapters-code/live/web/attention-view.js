// Chapter 7: a view of the reader's sentences, as the chapter's crate writes it.
import { BertElement, entry } from './bert-text.js';
import { addressParts, element, menu, portuguese, say, style } from './live.js';

const TEXT = 'The cat sat on the mat';
const PAIR = 'The cat lay on the rug';
const KINDS = ['head', 'model', 'neuron'];
const NAME = 'live'; // the view's, in an address: `av-live=layer:0,heads:8`
const FIRST = 'layer:0,heads:8'; // what the page's figure shows
const PAUSE = 300; // while one types, in ms: a view is large

class AttentionView extends BertElement {
  name = 'attention-view';
  title = say('As vistas, com as suas frases', 'The views, with your sentences');
  longest = 600;

  build() {
    style('maps.css');
    const typed = () => {
      this.dataset.state = 'working';
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.changed(), PAUSE);
    };
    this.kind = menu(say('Vista', 'View'), KINDS.map(kind => `${kind} view`), () => this.turn());
    this.kind.select.name = 'kind';
    this.place = element('div', { class: 'live-views' });
    this.body.append(
      ...this.texts(TEXT, PAIR, typed),
      element('div', { class: 'live-controls' }, this.kind.element),
      this.place);
    if (told() === undefined) tell(FIRST);
    this.leave = () => this.giveWay();
    addEventListener('hashchange', this.leave);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener('hashchange', this.leave);
    clearTimeout(this.typing);
    this.drop(this.coming);
    this.drop(this.view);
    this.coming = undefined;
  }

  // A link of the page to the figure's own view, whose place this is.
  giveWay() {
    const figure = document.getElementById(this.parentElement.dataset.figure);
    const id = figure?.querySelector('[data-attention-view]')?.dataset.attentionView;
    if (id === undefined || !location.hash.includes(`av-${id}=`)) return;
    this.close();
    figure.scrollIntoView({ block: 'nearest' });
  }

  // Another view of the same head, where there is one.
  turn() {
    const kind = KINDS[this.kind.select.selectedIndex];
    const state = (told() ?? '').split(',').filter(part => part !== '' && !/^(least|inside|token):/.test(part));
    const renamed = state.map(part => part.replace(/^heads?:(\d+)$/, `${kind === 'head' ? 'heads' : 'head'}:$1`));
    tell(renamed.filter(part => kind !== 'model' || !/^(layer|heads?):/.test(part)).join(','));
    this.changed();
  }

  close() {
    tell(undefined);
    super.close();
  }

  reset() {
    tell(FIRST);
    this.shown = undefined;
    super.reset();
  }

  values() {
    return {
      text: this.text.input.value,
      pair: this.pair.input.value,
      kind: KINDS[this.kind.select.selectedIndex],
    };
  }

  restore({ text, pair, kind }) {
    this.text.input.value = text;
    this.pair.input.value = pair;
    this.kind.select.selectedIndex = entry(this.kind.select, String(KINDS.indexOf(kind)));
  }

  request() {
    clearTimeout(this.typing);
    const read = this.read();
    if (typeof read === 'string') return read;
    const request = { ...read, kind: KINDS[this.kind.select.selectedIndex], language: portuguese ? 'pt-BR' : 'en' };
    return { call: 'view', model: 'bertinho', request };
  }

  // The new view takes the old one's place once it is drawn.
  show({ json: fragment }) {
    if (fragment === this.shown) return;
    this.shown = fragment;
    this.drop(this.coming);
    if (this.view) this.view.dataset.attentionView = 'gone'; // the new one has the name
    const host = hostOf(fragment);
    this.coming = host;
    const swap = () => {
      clearTimeout(late);
      if (this.view === host) return;
      if (this.coming !== host) { // a newer one came, or the reader went back to the figure
        release(host);
        return;
      }
      this.drop(this.view);
      host.classList.remove('live-coming');
      this.view = host;
      this.coming = undefined;
    };
    host.addEventListener('attention-view-ready', swap, { once: true });
    const late = setTimeout(swap, 5000); // what can't be drawn says why
    host.classList.toggle('live-coming', this.view !== undefined);
    this.place.append(host);
  }

  drop(host) {
    release(host);
    host?.remove();
  }
}

// A view listens to the page around it until it is told that it is gone.
function release(host) {
  host?.dispatchEvent(new Event('attention-view-gone'));
}

// The fragment's host, with scripts that run: those that are parsed do not.
function hostOf(fragment) {
  const parsed = new DOMParser().parseFromString(fragment, 'text/html').querySelector('[data-attention-view]');
  const host = document.importNode(parsed, true);
  for (const script of host.querySelectorAll('script')) {
    const made = element('script', { type: script.type });
    made.textContent = script.textContent;
    script.replaceWith(made);
  }
  host.dataset.attentionView = NAME;
  host.scrollIntoView = () => {}; // a view that an address speaks of scrolls to itself: not while one types
  return host;
}

const mine = part => part.startsWith(`av-${NAME}=`);

// What the address says of the view.
function told() {
  const found = addressParts().find(mine)?.slice(`av-${NAME}=`.length);
  try {
    return found && decodeURIComponent(found);
  } catch {
    return undefined;
  }
}

function tell(state) {
  const said = state === undefined ? [] : [`av-${NAME}=${state}`];
  history.replaceState(history.state, '', `#${[...addressParts().filter(part => !mine(part)), ...said].join('&')}`);
}

customElements.define('live-attention-view', AttentionView);
