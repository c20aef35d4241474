// The page's side: both are asked from here, and the clock is here.

const MODULE = 'live_models';
const MODEL = 'bertinho';

let asked; // ours
let peer;

// The attentions of a text: {json, numbers}.
export async function ours(text) {
  asked ??= (await import('/live/engine.js')).engine(MODULE);
  return asked.ask('attentions', { text }, { model: MODEL });
}

// The attentions of the tokens with these ids: {numbers}.
export function theirs(ids) {
  peer ??= new Worker('/bench/peer.js', { type: 'module' });
  return new Promise((resolve, reject) => {
    peer.onmessage = ({ data }) => (data.failed ? reject(new Error(data.failed)) : resolve(data));
    peer.onerror = ({ message }) => reject(new Error(message));
    peer.postMessage({ ids });
  });
}

// Milliseconds of each of the works, in turns.
async function inTurns(works, rounds) {
  const times = Object.fromEntries(Object.keys(works).map(name => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(works)) {
      const start = performance.now();
      await work();
      times[name].push(performance.now() - start);
    }
  }
  return times;
}

// What tokens say, as a text that is cut into them again.
const joined = tokens => tokens.join(' ').replaceAll(' ##', '');

// A text of `n` tokens that begins as the passage does, and its tokens.
async function cut(passage, n) {
  const whole = (await ours(passage)).json.tokens;
  const text = joined(whole.slice(1, n - 1));
  const { tokens } = (await ours(text)).json;
  if (tokens.length !== n) throw new Error(`${tokens.length} tokens, not ${n}: ${text}`);
  return { text, tokens };
}

const largestDifference = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

// Both on a text of `n` tokens; `ids` are the vocabulary's. `oneToken` is a word that is one token.
export async function compare({ passage, oneToken, n, ids, warmUp, rounds }) {
  const { text, tokens } = await cut(passage, n);
  const known = tokens.map(token => ids[token]);
  const plain = Array(n - 2).fill(oneToken).join(' ');
  const works = { ours: () => ours(text), theirs: () => theirs(known), plain: () => ours(plain) };
  const [mine, other] = [await works.ours(), await works.theirs()];
  if (mine.numbers.length !== 144 * n * n || other.numbers.length !== mine.numbers.length) {
    throw new Error(`${mine.numbers.length} and ${other.numbers.length} numbers`);
  }
  const difference = largestDifference(mine.numbers, other.numbers);
  await inTurns(works, warmUp);
  return { text, known, difference, times: await inTurns(works, rounds) };
}

// Milliseconds of cutting a text that is too long: it is refused after that.
export async function tokenizing(word, n, rounds) {
  const text = Array(n).fill(word).join(' ');
  const refused = () => ours(text).then(() => { throw new Error('was not refused'); }, () => {});
  return (await inTurns({ refused }, rounds)).refused;
}
