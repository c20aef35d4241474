// What the live elements share: their frame, their words, their place in the address, fields and maps.
import { engine, Refusal } from './engine.js';

export const portuguese = document.documentElement.lang === 'pt-BR';
export const say = (pt, en) => (portuguese ? pt : en);

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter(child => child !== undefined));
  return made;
}

// The styles of a file beside the scripts, once for a page.
export function style(file) {
  const href = new URL(`./${file}`, import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`) === null) document.head.append(element('link', { rel: 'stylesheet', href }));
}

// Fills a place anew; what had the focus there has it again.
export function refill(place, children) {
  const stops = () => [...place.querySelectorAll('button, [tabindex]')];
  const at = stops().indexOf(document.activeElement);
  place.replaceChildren(...children);
  if (at >= 0) stops().at(Math.min(at, stops().length - 1))?.focus({ preventScroll: true });
}

// A shape of a picture.
export function shape(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

export const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

// What the address speaks of: `name=…`, one for each.
export const addressParts = () => location.hash.slice(1).split('&').filter(part => part.includes('='));

// What is said of a field that is wrong, by its name.
export const wrongField = (name, input) => say(`O campo “${name}” não está certo: `, `The field “${name}” is not right: `) + input.validationMessage;

// A number as the page writes it.
export const digits = (value, places = 2) => value.toFixed(places).replace('.', portuguese ? ',' : '.').replace('-', '−');

export const button = (text, onclick, attributes = {}) => element('button', { type: 'button', onclick, ...attributes }, text);

// A labeled input.
export function field(label, attributes, oninput) {
  const input = element('input', { ...attributes, oninput: () => oninput(input) });
  return { input, element: element('label', { class: 'field' }, element('span', {}, label), input) };
}

// A labeled menu.
export function menu(label, names, onchange) {
  const select = element('select', { onchange: () => onchange(select.selectedIndex) },
    ...names.map(name => element('option', {}, String(name))));
  return { select, element: element('label', { class: 'field' }, element('span', {}, label), select) };
}

// viridis, as the book's figures have it, at 17 places.
const VIRIDIS = [
  [68, 1, 84], [72, 24, 106], [71, 45, 123], [66, 64, 134], [59, 82, 139], [51, 99, 141],
  [44, 114, 142], [38, 130, 142], [33, 145, 140], [31, 160, 136], [40, 174, 128], [63, 188, 115],
  [94, 201, 98], [132, 212, 75], [173, 220, 48], [216, 226, 25], [253, 231, 37],
];

// The color of a share from 0 to 1: [red, green, blue].
export function viridis(share) {
  const at = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const low = Math.min(VIRIDIS.length - 2, Math.floor(at));
  return VIRIDIS[low].map((value, i) => Math.round(value + (VIRIDIS[low + 1][i] - value) * (at - low)));
}

const linear = value => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);

// A table of numbers. `heat` colors the cells by their share of [least, most].
export function numbers(caption, rows, columns, values, { heat, places = 2, corner = '' } = {}) {
  const cell = value => {
    const made = element('td', {}, digits(value, places));
    if (heat) {
      const color = viridis((value - heat[0]) / (heat[1] - heat[0]));
      made.style.background = `rgb(${color})`;
      made.style.color = luminance(color) > 0.179 ? '#000' : '#fff';
    }
    return made;
  };
  const head = columns && element('thead', {}, element('tr', {}, element('td', {}, corner),
    ...columns.map(name => element('th', { scope: 'col' }, name))));
  const body = values.map((row, i) => element('tr', {}, element('th', { scope: 'row' }, rows[i]), ...row.map(cell)));
  return element('div', { class: 'live-table', tabindex: 0, role: 'group', 'aria-label': caption },
    element('table', { class: heat ? 'heat' : 'plain' }, element('caption', {}, caption), head, element('tbody', {}, ...body)));
}

const FAILURES = {
  module: say('O programa não pôde ser carregado', 'The program could not be loaded'),
  download: say('O modelo não veio inteiro', 'The model did not come whole'),
  damaged: say('O modelo veio com defeito, e não foi usado', 'The model came damaged, and was not used'),
  worker: say('O programa não pôde começar: abra o livro a partir de um servidor, não de um disco', 'The program could not start: open the book from a server, not from a disk'),
  stopped: say('O programa parou, talvez por falta de memória', 'The program stopped, perhaps for lack of memory'),
  refused: say('Não dá para calcular isto', 'This can’t be computed'),
};

// An element stands in its figure's place. A subclass gives `name`, `module`, `build()` (its controls and
// results), `values()` and `restore(values)` (what an address keeps, as strings), `request()` (what to ask,
// or a message of what is wrong with the fields) and `show(answer)`.
export class LiveElement extends HTMLElement {
  connectedCallback() {
    if (this.body) return;
    this.status = element('p', { class: 'live-status', role: 'status', id: `live-${this.name}-status` });
    this.retry = button(say('Tentar de novo', 'Try again'), () => this.changed(), { hidden: true, class: 'live-retry' });
    this.bar = element('progress', { hidden: true, max: 1, value: 0, 'aria-label': say('Quanto do modelo já veio', 'How much of the model has come') });
    this.cancel = button(say('Cancelar', 'Cancel'), () => engine(this.module).stop(), { hidden: true, class: 'live-cancel' });
    this.body = element('div', { class: 'live-body' });
    this.append(
      element('div', { class: 'live-bar' },
        element('span', { class: 'live-title', tabindex: -1 }, this.title),
        button(say('Valores da página', 'The page’s values'), () => this.reset(), { class: 'live-reset' }),
        button(say('Voltar à figura', 'Back to the figure'), () => this.close(), { class: 'live-close' })),
      element('div', { class: 'live-told' }, this.status, this.bar, this.cancel, this.retry), this.body);
    this.addEventListener('keydown', event => { // the book turns its pages with the arrows
      if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== 'Tab') event.stopPropagation();
    });
    this.build();
    this.page = this.values();
    this.follow = () => this.readAddress();
    addEventListener('hashchange', this.follow);
    if (!this.readAddress()) this.changed();
  }

  disconnectedCallback() {
    removeEventListener('hashchange', this.follow);
  }

  // What is asked changed: the newest question is answered, those between are not.
  changed({ remember = true } = {}) {
    if (remember) this.remember();
    this.retry.hidden = true;
    this.judgeFields();
    const request = this.request();
    if (typeof request === 'string') {
      this.next = undefined;
      this.dataset.state = 'invalid';
      this.status.textContent = request;
      return;
    }
    this.next = request;
    if (!this.working) this.work();
  }

  // Which fields are wrong, for those who hear the page.
  judgeFields() {
    for (const input of this.body.querySelectorAll('input, textarea')) {
      const wrong = !input.checkValidity();
      input.setAttribute('aria-invalid', String(wrong));
      if (wrong) input.setAttribute('aria-describedby', this.status.id);
      else input.removeAttribute('aria-describedby');
    }
  }

  async work() {
    this.working = true;
    while (this.next !== undefined) {
      const request = this.next;
      this.next = undefined;
      this.dataset.state = 'working';
      await this.answer(request);
    }
    this.working = false;
  }

  async answer(request) {
    const patience = setTimeout(() => {
      if (this.dataset.state !== 'working') return; // a field has become wrong meanwhile, which is said
      this.cancel.hidden = false;
      this.status.textContent = say('Calculando…', 'Computing…');
    }, 400);
    try {
      const answer = await engine(this.module).ask(request.call, request.request, {
        model: request.model,
        progress: (got, all) => this.came(got, all),
      });
      const asks = this.dataset.state === 'working'; // not if a field has become wrong meanwhile
      if (asks) this.status.textContent = '';
      this.show(answer, request);
      if (asks && this.next === undefined) this.dataset.state = 'ready';
    } catch (error) {
      this.fail(error);
    }
    clearTimeout(patience);
    if (document.activeElement === this.cancel) this.querySelector('.live-title').focus({ preventScroll: true });
    this.bar.hidden = true;
    this.cancel.hidden = true;
  }

  // How much of the model is there, in bytes.
  came(got, all) {
    const [part, whole] = [got, all].map(bytes => Math.round(bytes / 1e6));
    this.bar.hidden = false;
    this.bar.value = got / all;
    this.status.textContent = say(`O modelo vem: ${part} de ${whole} MB`, `The model comes: ${part} of ${whole} MB`);
  }

  fail(error) {
    this.dataset.state = 'failed';
    this.retry.hidden = error.what === 'refused';
    if (error instanceof Refusal && error.what === 'canceled') {
      this.status.textContent = say('Cancelado.', 'Canceled.');
    } else if (error instanceof Refusal) {
      const message = portuguese ? `o programa diz, em inglês: ${error.message}` : error.message;
      this.status.textContent = `${FAILURES[error.what] ?? FAILURES.stopped} (${message}).`;
    } else {
      throw error;
    }
  }

  reset() {
    this.restore(this.page);
    this.changed();
  }

  // The address is silent about an element that is closed.
  close() {
    clearTimeout(this.writing);
    const others = this.others().join('&');
    history.replaceState(history.state, '', location.pathname + location.search + (others && `#${others}`));
    this.dispatchEvent(new Event('live-close'));
  }

  // What the address says of everything else.
  others() {
    return addressParts().filter(part => !part.startsWith(`live-${this.name}=`));
  }

  // The address keeps what differs from the page's values: `#live-NAME=key:value,…`.
  remember() {
    const values = Object.entries(this.values()).filter(([key, value]) => value !== this.page?.[key]);
    const mine = values.map(([key, value]) => `${key}:${encodeURIComponent(value)}`).join(',');
    clearTimeout(this.writing); // browsers refuse a hundred addresses in a few seconds
    this.writing = setTimeout(() => {
      history.replaceState(history.state, '', `#${[...this.others(), `live-${this.name}=${mine}`].join('&')}`);
    }, 150);
  }

  // Whether the address speaks of this element; it then shows what the address says.
  readAddress() {
    const mine = addressParts().find(part => part.startsWith(`live-${this.name}=`));
    if (mine === undefined) return false;
    const values = { ...this.page };
    for (const part of mine.slice(mine.indexOf('=') + 1).split(',')) {
      const [key, value] = part.split(':');
      if (value !== undefined && key in values) {
        try {
          values[key] = decodeURIComponent(value);
        } catch {
          // not an address of ours: the page's value stays
        }
      }
    }
    this.restore(values);
    this.changed({ remember: false });
    return true;
  }
}
