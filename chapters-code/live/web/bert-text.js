// What the elements that read texts with bertinho share: a sentence, perhaps a second one, and what is
// said of texts that the model can't read.
import { LiveElement, field, say } from './live.js';

export const SPECIAL = ['[CLS]', '[SEP]'];
const LONGEST = 3000; // in characters: far more than the model's 512 tokens

const REFUSALS = [
  [/^the second text has no tokens/, () => say('Na segunda frase não há nenhum token: escreva nela ao menos uma palavra, ou a deixe vazia.', 'The second sentence has no tokens: write a word in it at least, or leave it empty.')],
  [/has no tokens/, () => say('Na frase não há nenhum token: escreva ao menos uma palavra.', 'The sentence has no tokens: write a word at least.')],
  [/has (\d+) tokens.* at most (\d+)/, (_, found, most) => say(`São ${found} tokens, e o modelo lê no máximo ${most}: encurte o texto.`, `There are ${found} tokens, and the model reads ${most} at most: shorten the text.`)],
];

// A subclass gives `longest`, in characters, where it reads shorter texts than the model does.
export class BertElement extends LiveElement {
  module = 'live_models';
  longest = LONGEST;

  // The fields of the texts: `this.text` and `this.pair`.
  texts(text, pair, changed) {
    const attributes = { type: 'text', maxlength: this.longest, autocomplete: 'off', spellcheck: 'false' };
    this.text = field(say('Frase', 'Sentence'), { ...attributes, name: 'text', value: text, required: true }, changed);
    this.pair = field(say('Segunda frase (opcional)', 'Second sentence (optional)'), { ...attributes, name: 'pair', value: pair }, changed);
    [this.text, this.pair].forEach(({ element }) => element.classList.add('whole'));
    return [this.text.element, this.pair.element];
  }

  // What Rust is to read, or what is wrong with it.
  read() {
    const [text, pair] = [this.text, this.pair].map(({ input }) => input.value);
    if (text.trim() === '') return say('A frase está vazia: escreva ao menos uma palavra.', 'The sentence is empty: write a word at least.');
    if (Math.max(text.length, pair.length) > this.longest) {
      return say(`O texto é longo demais: são no máximo ${this.longest} caracteres.`, `The text is too long: ${this.longest} characters at most.`);
    }
    return { text, pair: pair.trim() === '' ? undefined : pair };
  }

  fail(error) {
    super.fail(error);
    for (const [pattern, words] of REFUSALS) {
      const found = error.what === 'refused' && pattern.exec(error.message);
      if (found) {
        this.status.textContent = words(...found);
        return;
      }
    }
  }
}

// The number of a menu's entry in an address; what it was, if it is none.
export function entry(select, text) {
  const found = Number(text);
  return text !== '' && Number.isInteger(found) && found >= 0 && found < select.options.length ? found : select.selectedIndex;
}
