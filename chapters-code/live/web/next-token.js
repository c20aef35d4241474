// Chapter 9: what may come after the reader's text, and where the heads look from its last token.
import { LiveElement, button, digits, element, field, menu, numbers, refill, say, style, wrongField } from './live.js';

const BEGINNING = '<|pt|>Eu gosto de';
const GUESSES = 12;
const STEPS = 20;
const POSITIONS = 256;
const LONGEST = 3000; // letters: more than 256 tokens, whatever they are
const ENDS = ['<|endoftext|>', '<|pt|>', '<|en|>'];
const LANGUAGES = ENDS.slice(1);

style('next-token.css');

const SEEN = { ' ': '␣', '\n': '↵', '\t': '⇥' };
const NAMES = {
  ' ': say('espaço', 'space'),
  '\n': say('quebra de linha', 'line break'),
  '\t': say('tabulação', 'tab'),
  '\ufffd': say('parte de um caractere', 'part of a character'),
};
const visible = token => token.replace(/[ \n\t]/g, character => SEEN[character]);
const spoken = token => token.replace(/[ \n\t\ufffd]/g, character => ` ${NAMES[character]} `).trim();
const percent = (share, places = 2) => digits(100 * share, places) + say('\u00a0%', '%');

// The end of the bars: a round share that the likeliest doesn't pass.
const scaleOf = guesses => [0.05, 0.1, 0.25, 0.5].find(end => guesses[0].probability <= end) ?? 1;

class NextToken extends LiveElement {
  name = 'next-token';
  module = 'live_models';
  title = say('O próximo token, um de cada vez', 'The next token, one at a time');

  build() {
    this.text = element('textarea', { rows: 3, spellcheck: 'false', oninput: () => this.begin(this.text.value) });
    this.go = button('', () => this.toggle(), { class: 'next-go' });
    this.back = button(say('Tirar o último token', 'Remove the last token'), () => this.undo(), { class: 'next-undo' });
    this.steps = element('progress', { max: STEPS, value: 0, hidden: true, 'aria-label': say('Quantos tokens já vieram', 'How many tokens have come') });
    this.count = element('output', { class: 'next-count' });
    const mark = token => button(`+ ${token}`, () => this.mark(token), { 'aria-label': say(`Juntar ${token} ao fim`, `Append ${token}`), class: 'next-mark' });
    this.warmth = element('output');
    this.temperature = field(say('Temperatura', 'Temperature'), { type: 'range', min: 0.1, max: 3, step: 0.1, value: 1, name: 'temperature' }, () => this.filter());
    this.temperature.element.append(this.warmth);
    this.topK = field('top-k', { type: 'number', min: 1, max: 4096, step: 1, name: 'top-k', placeholder: say('todos', 'all') }, () => this.filter());
    this.topP = field('top-p', { type: 'number', min: 0.0001, max: 1, step: 'any', name: 'top-p', placeholder: '1' }, () => this.filter());
    this.guesses = element('div', { class: 'next-guesses' });
    this.layers = menu(say('Camada', 'Layer'), [], layer => this.look(layer));
    this.looks = element('div', { class: 'next-looks' });
    this.body.append(
      element('label', { class: 'field whole' }, element('span', {}, say('Começo do texto', 'Beginning of the text')), this.text),
      element('div', { class: 'live-controls' }, this.go, this.back, ...LANGUAGES.map(mark), this.steps, this.count),
      element('div', { class: 'live-controls' }, this.temperature.element, this.topK.element, this.topP.element),
      this.guesses,
      element('div', { class: 'live-controls' }, this.layers.element),
      this.looks);
    this.restore({ text: BEGINNING, temperature: '1', topk: '', topp: '', layer: '5' });
  }

  values() {
    return {
      text: this.text.value,
      temperature: this.temperature.input.value,
      topk: this.topK.input.value,
      topp: this.topP.input.value,
      layer: String(this.layer),
    };
  }

  restore({ text, temperature, topk, topp, layer }) {
    this.start(text);
    this.temperature.input.value = Number(temperature) > 0 ? temperature : 1;
    this.topK.input.value = topk;
    this.topP.input.value = topp;
    this.layer = /^\d{1,3}$/.test(layer) ? Number(layer) : 0;
    this.warm();
  }

  // A text of the reader's: there is no token to take back.
  start(text) {
    this.text.value = text;
    this.beginning = text;
    this.appended = [];
    this.stop();
  }

  begin(text) {
    this.beginning = text;
    this.appended = [];
    this.stop();
    this.changed();
  }

  warm() {
    const heat = digits(this.temperature.input.valueAsNumber, 1);
    this.warmth.textContent = heat;
    this.temperature.input.setAttribute('aria-valuetext', heat);
  }

  filter() {
    this.stop();
    this.warm();
    this.changed();
  }

  request() {
    const wrong = [this.topK.input, this.topP.input].find(input => !input.checkValidity());
    if (wrong) return wrongField(wrong.name, wrong);
    const text = this.text.value;
    if (this.beginning === '') return say('Escreva ao menos uma letra.', 'Write at least one letter.');
    if (text.length > LONGEST) return this.tooLong();
    const number = ({ input }) => (input.value === '' ? undefined : input.valueAsNumber);
    const temperature = this.temperature.input.valueAsNumber;
    return { call: 'next-token', model: 'papagaio', text, request: { text: this.beginning, appended: this.appended.map(({ id }) => id), temperature, top_k: number(this.topK), top_p: number(this.topP), count: GUESSES } };
  }

  tooLong() {
    return say(`O texto é longo demais: o papagaio tem ${POSITIONS} posições, uma para cada token. Encurte-o.`, `The text is too long: papagaio has ${POSITIONS} positions, one for each token. Shorten it.`);
  }

  fail(error) {
    this.stop();
    super.fail(error);
    if (error.what === 'refused' && / positions: shorten /.test(error.message)) this.status.textContent = this.tooLong();
  }

  show({ json: found, numbers: weights }, { text }) {
    this.found = { ...found, weights, text };
    this.list();
    this.map();
    if (this.left > 0) this.step();
  }

  list() {
    const { guesses } = this.found;
    const scale = scaleOf(guesses);
    const rest = 1 - guesses.reduce((sum, { probability }) => sum + probability, 0);
    const caption = say(`O que pode vir, e com que probabilidade. As barras vão de 0 a ${percent(scale, 0)}; um clique junta o token ao texto.`, `What may come, and how likely it is. The bars go from 0 to ${percent(scale, 0)}; a click appends the token to the text.`);
    const others = guesses.length < GUESSES
      ? say('Nenhum outro pode vir.', 'No other may come.')
      : say(`Todos os outros, juntos: ${percent(Math.max(0, rest))}`, `All others together: ${percent(Math.max(0, rest))}`);
    refill(this.guesses, [
      element('p', {}, caption),
      element('ol', {}, ...guesses.map(guess => element('li', {}, this.guess(guess, scale)))),
      element('p', { class: 'next-others' }, others)]);
  }

  guess(guess, scale) {
    const { token, probability } = guess;
    const fill = element('span', { class: 'next-fill' });
    fill.style.width = `${100 * probability / scale}%`;
    return element('button', {
      type: 'button', class: 'next-guess', onclick: () => this.choose(guess),
      'aria-disabled': String(broken(token)), 'aria-label': say(`Juntar ${spoken(token)}: ${percent(probability)}`, `Append ${spoken(token)}: ${percent(probability)}`),
    }, element('code', {}, visible(token)), element('span', { class: 'next-track' }, fill), element('span', { class: 'next-share' }, percent(probability)));
  }

  map() {
    const { layers, heads, tokens, weights } = this.found;
    const { select } = this.layers;
    if (select.options.length !== layers) select.replaceChildren(...Array.from({ length: layers }, (_, i) => element('option', {}, `${i}`)));
    const layer = Math.min(this.layer, layers - 1);
    select.selectedIndex = layer;
    const n = tokens.length;
    const row = head => {
      const start = (layer * heads + head) * n; // [layers, heads, n], the last token's
      return [...weights.subarray(start, start + n)];
    };
    const all = Array.from({ length: heads }, (_, head) => head);
    const caption = say(`Para onde olham os heads da camada ${layer}, a partir do último token, ${visible(tokens[n - 1])}`, `Where the heads of layer ${layer} look from the last token, ${visible(tokens[n - 1])}`);
    const table = numbers(caption, all.map(head => `head ${head}`), tokens.map(visible), all.map(row), { heat: [0, 1] });
    const { scrollLeft = 0 } = this.looks.firstElementChild ?? {};
    refill(this.looks, [table]);
    table.scrollLeft = scrollLeft;
  }

  look(layer) {
    this.layer = layer;
    this.remember();
    this.map();
  }

  // Whether what is shown is of the text that stands there, and the fields are right.
  current() {
    return this.found?.text === this.text.value && typeof this.request() !== 'string';
  }

  choose(guess) {
    if (!this.current()) return;
    this.stop();
    if (broken(guess.token)) this.status.textContent = partOfCharacter();
    else if (this.found.tokens.length >= POSITIONS) this.status.textContent = full();
    else this.add(guess);
  }

  // Appended as the token that it is: read anew, the text might be cut elsewhere.
  add({ id, token }) {
    this.appended.push({ id, token });
    this.write();
  }

  mark(token) {
    this.begin(this.text.value + token);
    this.text.value = this.beginning;
  }

  undo() {
    this.stop();
    if (this.appended.length === 0) return;
    this.appended.pop();
    this.write();
  }

  write() {
    this.text.value = this.beginning + this.appended.map(({ token }) => token).join('');
    this.text.scrollTop = this.text.scrollHeight;
    this.tell();
    this.changed();
  }

  toggle() {
    if (this.left > 0) {
      this.stop();
    } else if (this.current()) {
      this.left = STEPS;
      this.step();
    }
  }

  // The likeliest is appended, and the next asked for, unless it is one that ends the text.
  step() {
    const [guess] = this.found.guesses;
    const { token } = guess;
    const ended = ENDS.includes(token) && this.left < STEPS
      ? say(`O mais provável agora é ${token}: a frase acabou. Para ir além dela, continue outra vez.`, `The likeliest now is ${token}: the sentence is over. To go past it, press “Go on” again.`)
      : undefined;
    const why = ended ?? (broken(token) ? partOfCharacter() : this.found.tokens.length >= POSITIONS ? full() : undefined);
    if (why !== undefined) {
      this.stop();
      this.status.textContent = why;
      return;
    }
    this.left--;
    this.add(guess);
  }

  stop() {
    this.left = 0;
    this.tell();
  }

  // How far it has come, in the buttons and beside them.
  tell() {
    const going = this.left > 0;
    this.go.textContent = going ? say('Parar', 'Stop') : say(`Continuar até ${STEPS} tokens`, `Go on for up to ${STEPS} tokens`);
    this.steps.hidden = !going;
    this.steps.value = STEPS - this.left;
    const count = this.appended.length;
    this.count.textContent = count === 0 ? '' : count === 1 ? say('1 token a mais', '1 more token') : say(`${count} tokens a mais`, `${count} more tokens`);
    this.back.setAttribute('aria-disabled', count === 0);
  }
}

// Whether a token is bytes that are no whole character: it can't be written alone.
const broken = token => token.includes('\ufffd');
const partOfCharacter = () => say('Este token é só parte de um caractere, e não se escreve sozinho.', 'This token is only part of a character, and cannot be written alone.');
const full = () => say(`O texto já tem ${POSITIONS} tokens, um em cada posição do modelo: não cabe mais nenhum.`, `The text has ${POSITIONS} tokens, one in each position of the model: there is no room for another.`);

customElements.define('live-next-token', NextToken);
