// Chapter 4: the reader's sentence, how WordPiece cuts it, and what each word does.
import { LiveElement, digits, element, refill, say, style } from './live.js';

const SENTENCE = 'I love this new movie, it\'s fantastic!';
const CHOSEN = 9; // fantastic
const LONGEST = 200; // the sentence is read again without each of its words
const UNKNOWN = '[UNK]';

style('sentiment.css');

const quoted = text => `“${text}”`;
const signed = value => (value < 0 ? '−' : '+') + digits(Math.abs(value), 4);

// A bar from `start` to `end`, shares of its place.
function bar(kind, start, end) {
  const made = element('span', { class: `sentiment-bar ${kind}` });
  made.style.left = `${100 * start}%`;
  made.style.width = `${100 * (end - start)}%`;
  return made;
}

// The words with what became of each: its tokens, and whether the vocabulary has none for it.
function cuts({ words, tokens }) {
  let at = 1; // after [CLS]
  return words.map(({ word, tries }) => {
    const unknown = tokens[at] === UNKNOWN;
    const pieces = tokens.slice(at, at + (unknown ? 1 : tries.length));
    at += pieces.length;
    return { word, tries, unknown, pieces };
  });
}

class Sentiment extends LiveElement {
  name = 'sentiment';
  module = 'live_models';
  title = say('O sentimento da sua frase, palavra por palavra', 'The sentiment of your sentence, word by word');

  build() {
    this.text = element('textarea', { rows: 2, maxlength: LONGEST, spellcheck: 'false', oninput: () => this.changed() });
    this.scores = element('div', { class: 'sentiment-scores', role: 'group', 'aria-label': 'Score', 'aria-live': 'polite' });
    this.pieces = element('div', { class: 'sentiment-words', role: 'group', 'aria-label': say('Palavras e pedaços', 'Words and pieces') });
    this.tries = element('div', { class: 'sentiment-tries' });
    this.changes = element('div');
    this.body.append(
      element('label', { class: 'field whole' }, element('span', {}, say(`Frase, de até ${LONGEST} caracteres (o modelo estudou críticas de cinema em inglês)`, `Sentence, of up to ${LONGEST} characters (the model studied film reviews in English)`)), this.text),
      this.scores,
      element('h3', {}, 'WordPiece'), this.pieces, this.tries,
      element('h3', {}, say('Sem cada palavra', 'Without each word')), this.changes);
    this.restore({ text: SENTENCE, word: String(CHOSEN) });
  }

  values() {
    return { text: this.text.value, word: String(this.word) };
  }

  restore({ text, word }) {
    this.text.value = [...text].slice(0, LONGEST).join('');
    this.word = /^\d{1,3}$/.test(word) ? Number(word) : CHOSEN;
  }

  request() {
    const text = this.text.value;
    if (text.trim() === '') return say('Escreva ao menos uma palavra.', 'Write at least one word.');
    return { call: 'sentiment', model: 'bertinho-sentiment', request: { text } };
  }

  show({ json: found }) {
    this.found = { ...found, cuts: cuts(found) };
    refill(this.pieces, this.found.cuts.map((cut, i) => this.wordButton(i, { 'aria-label': `${cut.word}: ${cut.pieces.join(' ')}` }, ...this.chips(cut))));
    refill(this.changes, [this.table()]);
    this.mark();
  }

  // The word that is looked at: of a sentence shorter than the address's, the last.
  chosen() {
    return Math.min(this.word, this.found.cuts.length - 1);
  }

  choose(word) {
    this.word = word;
    this.mark();
    this.remember();
  }

  wordButton(i, attributes, ...children) {
    return element('button', { type: 'button', class: 'sentiment-word', 'data-word': i, onclick: () => this.choose(i), ...attributes }, ...children);
  }

  chips({ word, pieces }) {
    const chip = piece => element('code', {}, piece);
    return [element('span', {}, word), element('span', { class: 'sentiment-pieces' }, ...pieces.map(chip))];
  }

  // What tells of the chosen word, where the rest stands as it is.
  mark() {
    for (const button of this.body.querySelectorAll('[data-word]')) {
      button.setAttribute('aria-pressed', Number(button.dataset.word) === this.chosen());
    }
    const { label, score, left_out: leftOut, cuts } = this.found;
    const cut = cuts[this.chosen()];
    const without = leftOut[this.chosen()];
    this.scores.replaceChildren(
      ...this.score(say('frase inteira', 'whole sentence'), label, score),
      ...(without ? this.score(say(`sem ${quoted(cut.word)}`, `without ${quoted(cut.word)}`), label, without.score) : []));
    this.tries.replaceChildren(...this.search(cut));
  }

  score(name, label, score) {
    const turned = score < 0.5 ? say(': o rótulo vira', ': the label turns') : '';
    const half = element('span', { class: 'sentiment-half' });
    return [
      element('span', {}, name),
      element('span', { class: 'sentiment-score' }, element('code', {}, label), ` ${digits(score, 4)}${turned}`),
      element('span', { class: 'sentiment-track', 'aria-hidden': 'true' }, bar('for', 0, score), half)];
  }

  // What was tried for each piece of a word, the longest first.
  search({ word, tries, unknown }) {
    const lines = tries.map((tried, i) => {
      const known = place => place === tried.length - 1 && !(unknown && i === tries.length - 1);
      const chip = (piece, place) => element('li', { class: known(place) ? 'found' : 'missing' },
        element('code', {}, piece), element('span', { role: 'img', 'aria-label': known(place) ? say('está no vocabulário', 'is in the vocabulary') : say('não está', 'is not') }, known(place) ? '✓' : '✗'));
      const name = say(`${i + 1}.º pedaço`, `Piece ${i + 1}`);
      return element('div', {}, element('span', {}, `${name}: `), element('ol', { 'aria-label': name }, ...tried.map(chip)));
    });
    const what = say(`Como ${quoted(word)} se corta: os começos, do mais longo ao mais curto, até um que esteja no vocabulário.`, `How ${quoted(word)} is cut: its beginnings, from the longest to the shortest, until one is in the vocabulary.`);
    const failed = tries.length === 0
      ? say(`Uma palavra de mais de 100 letras nem se tenta cortar: vira ${UNKNOWN}.`, `A word of over 100 letters is not even tried: it becomes ${UNKNOWN}.`)
      : say(`O vocabulário não tem com que escrever ${quoted(word)}: a palavra inteira vira ${UNKNOWN}.`, `The vocabulary has nothing to write ${quoted(word)} with: the whole word becomes ${UNKNOWN}.`);
    return [element('p', {}, what), ...lines, unknown ? element('p', {}, failed) : undefined].filter(child => child !== undefined);
  }

  table() {
    const { left_out: leftOut, attention, cuts, label } = this.found;
    if (leftOut.length === 0) return element('p', {}, say('É uma palavra só: sem ela não resta nada para ler.', 'It is a single word: without it nothing is left to read.'));
    const most = Math.max(...leftOut.map(({ change }) => Math.abs(change)), 1e-9);
    const widest = Math.max(...attention);
    const drawn = (place, shape, number) => [element('span', { class: place, 'aria-hidden': 'true' }, shape), element('span', { class: 'number' }, number)];
    const row = ({ change, score }, i) => element('tr', {},
      element('th', { scope: 'row' }, this.wordButton(i, {}, cuts[i].word)),
      element('td', { class: 'change' }, ...drawn('sentiment-sides', this.side(change / most), signed(change))),
      element('td', { class: 'without' }, digits(score, 4)),
      element('td', { class: 'attention' }, ...drawn('sentiment-looks', bar('looks', 0, attention[i] / widest), digits(attention[i], 4))));
    const column = name => element('th', { scope: 'col' }, name);
    const caption = say(`Quanto a margem de ${label} cai sem a palavra. Acima de zero, ela falava a favor; abaixo, contra.`, `How much the margin of ${label} falls without the word. Above zero, it spoke for the label; below, against it.`);
    return element('div', { class: 'live-table', tabindex: 0, role: 'group', 'aria-label': say('Sem cada palavra', 'Without each word') },
      element('table', { class: 'plain sentiment-changes' }, element('caption', {}, caption),
        element('thead', {}, element('tr', {}, column(say('palavra', 'word')), column(say('mudança', 'change')), column(say('score sem ela', 'score without')), column(say('atenção de [CLS]', 'attention of [CLS]')))),
        element('tbody', {}, ...leftOut.map(row))));
  }

  // A bar from the middle to one side.
  side(share) {
    return share < 0 ? bar('against', (1 + share) / 2, 0.5) : bar('for', 0.5, (1 + share) / 2);
  }
}

customElements.define('live-sentiment', Sentiment);
