// The book's module beside ONNX Runtime Web: the same weights and texts, attentions out, in one browser.
//
//   npm ci --prefix tests/live-bench
//   node tests/live-bench/bench.mjs [--quick]
//
// Prints one JSON and a table; README.md says what is measured, and how.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { argv, env, getuid } from 'node:process';
import { fileURLToPath } from 'node:url';

import puppeteer from 'puppeteer-core';

import { serve } from './server.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = join(HERE, '../..');
const SITE = join(ROOT, 'target/book');
const WEIGHTS = join(ROOT, 'weights/bertinho');
const ONNX = join(ROOT, 'target/live-bench/bertinho.onnx');
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const QUICK = argv.includes('--quick'); // to see that it runs
const rounds = (all, few) => QUICK ? few : all;
const SIZES = [{ n: 16, rounds: rounds(60, 10) }, { n: 64, rounds: rounds(40, 5) }, { n: 256, rounds: rounds(20, 2) }];
const WARM_UP = rounds(10, 3); // for each size
const COLD = rounds(7, 1); // each in a browser context of its own
const KEYS = rounds(40, 5);
const TOO_LONG = 600; // tokens
const SAME = 1e-4; // the largest difference between both, which add in other orders

const PASSAGE = `O gato sentou no tapete e o cachorro correu para a porta da casa, onde a menina esperava
  pela mãe com um livro na mão. Quando a chuva parou, os dois saíram para a rua e foram até a praça,
  porque a festa da cidade já tinha começado e a música era boa. `.replaceAll(/\s+/g, ' ').repeat(6);
const ONE_TOKEN = 'o';
const LAST_KEYS = ['!', '?', '.'];

function onPath(names) {
  const places = (env.PATH ?? '').split(delimiter).flatMap(folder => names.map(name => join(folder, name)));
  return places.find(path => existsSync(path));
}

// The browser that `CHROME` names, or the first on the PATH.
function chromium() {
  const found = env.CHROME ?? onPath(BROWSERS);
  if (found === undefined) {
    throw new Error(`none of ${BROWSERS.join(', ')} is on the PATH: install Chromium or set CHROME`);
  }
  return found;
}

// The peer's model, written anew where it is older than what it is written from.
function exportModel() {
  const program = join(HERE, 'export.py');
  const age = path => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
  if (age(ONNX) > Math.max(age(program), age(join(WEIGHTS, 'model.safetensors')))) return;
  mkdirSync(dirname(ONNX), { recursive: true });
  const python = env.PYTHON ?? 'python3';
  const { status } = spawnSync(python, [program, WEIGHTS, ONNX], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${python} ${program} failed: it needs torch, transformers, onnx and onnxruntime`);
}

// The tokens' numbers, as both models have them.
function vocabulary() {
  const words = readFileSync(join(WEIGHTS, 'vocab.txt'), 'utf8').trimEnd().split('\n');
  return Object.fromEntries(words.map((word, id) => [word, id]));
}

function places() {
  if (!existsSync(join(SITE, 'live/bert-attention.js'))) {
    throw new Error(`${SITE} has no live elements: cargo book build`);
  }
  return [
    ['/live/', join(ROOT, 'chapters-code/live/web')],
    ['/live/', join(ROOT, 'live')],
    ['/onnx/', dirname(ONNX)],
    ['/ort/', join(HERE, 'node_modules/onnxruntime-web/dist')],
    ['/bench/', HERE],
    ['/', SITE],
  ];
}

function launch() {
  const sandbox = getuid() === 0 ? ['--no-sandbox'] : []; // which refuses root
  return puppeteer.launch({
    executablePath: chromium(),
    args: ['--headless=new', '--disable-gpu', '--disable-dev-shm-usage', ...sandbox],
    protocolTimeout: 0,
  });
}

const sorted = numbers => [...numbers].sort((a, b) => a - b);
const round = number => Math.round(number * 100) / 100;
function quantile(numbers, share) {
  const found = sorted(numbers);
  const at = share * (found.length - 1);
  const low = Math.floor(at);
  return found[low] + ((found[low + 1] ?? found[low]) - found[low]) * (at - low);
}

// The median, the quarters around it, and the least, which other programs disturb least: in milliseconds.
const summary = times => ({
  median: round(quantile(times, 0.5)),
  least: round(Math.min(...times)),
  quarters: [round(quantile(times, 0.25)), round(quantile(times, 0.75))],
  rounds: times.length,
});

// A page in a context of its own: nothing is in its cache.
async function fresh(browser, url, work) {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    page.on('pageerror', error => console.error(error));
    await page.setViewport({ width: 1400, height: 1000 });
    await page.goto(url, { waitUntil: 'load' });
    return await work(page);
  } finally {
    await context.close();
  }
}

// Both, warm, in turns.
function measureWarm(browser, address, ids) {
  return fresh(browser, `${address}bench/page.html`, async page => {
    const sizes = [];
    let shortest;
    for (const { n, rounds } of SIZES) {
      const asked = { passage: PASSAGE, oneToken: ONE_TOKEN, n, ids, warmUp: WARM_UP, rounds };
      const found = await page.evaluate(async asked => (await import('/bench/page.js')).compare(asked), asked);
      if (!(found.difference < SAME)) throw new Error(`${n} tokens: ${found.difference} apart`);
      const { ours, theirs, plain } = found.times;
      const ratio = round(quantile(ours, 0.5) / quantile(theirs, 0.5));
      const times = { ours: summary(ours), oursOneTokenWords: summary(plain), peer: summary(theirs), ratio };
      sizes.push({ tokens: n, difference: found.difference, ...times });
      shortest ??= { tokens: n, text: found.text, known: found.known };
    }
    const refused = await page.evaluate(async (...asked) => (await import('/bench/page.js')).tokenizing(...asked), ONE_TOKEN, TOO_LONG, 20);
    return { shortest, warm: { sizes, tokenizing: { tokens: TOO_LONG, ...summary(refused) } } };
  });
}

// From the start of loading to the first attentions, in the page.
const FIRST = {
  ours: async ({ text }) => {
    const start = performance.now();
    const { ours } = await import('/bench/page.js');
    await ours(text);
    return performance.now() - start;
  },
  peer: async ({ known }) => {
    const start = performance.now();
    const { theirs } = await import('/bench/page.js');
    await theirs(known);
    return performance.now() - start;
  },
};

// Both, with nothing loaded, in turns; and what they fetched.
async function measureCold(browser, address, log, asked) {
  const times = { ours: [], peer: [] };
  const files = {};
  for (let turn = 0; turn < COLD; turn++) {
    for (const name of Object.keys(times)) {
      const time = await fresh(browser, `${address}bench/page.html`, async page => {
        log.length = 0;
        return page.evaluate(FIRST[name], asked);
      });
      times[name].push(time);
      files[name] = log.filter(({ path }) => path !== '/bench/page.js');
    }
  }
  return { first: { ours: summary(times.ours), peer: summary(times.peer) }, bytes: bytes(files) };
}

const KINDS = [
  ['weights', /\.(onnx|safetensors)$/],
  ['tokenizer and configuration', /\.json$/],
  ['code', /./],
];

// What was fetched, by its kind: raw and as it came, which for all but the weights is gzip.
function bytes(files) {
  const kindOf = path => KINDS.find(([, pattern]) => pattern.test(path))[0];
  const total = (list, key) => list.reduce((sum, file) => sum + file[key], 0);
  return Object.fromEntries(Object.entries(files).map(([name, list]) => [name, {
    ...Object.fromEntries(KINDS.map(([kind]) => {
      const some = list.filter(({ path }) => kindOf(path) === kind);
      return [kind, { raw: total(some, 'raw'), gzip: total(some, 'sent') }];
    })),
    files: list,
  }]));
}

// From a key to the maps drawn and to the frame painted, through the chapter's page.
function measureKeys(browser, address, { text, tokens }) {
  return fresh(browser, `${address}ch05-bert-attention.html`, async page => {
    await page.bringToFront();
    const inPage = (name, ...asked) => page.evaluate(async (name, asked) => (await import('/bench/element.js'))[name](...asked), name, asked);
    // The last word gives way to a sign, one token as well, which each key writes over.
    await inPage('open', text.replace(/ \S+$/, ` ${LAST_KEYS.at(-1)}`));
    const found = [];
    for (let key = 0; key < KEYS + WARM_UP; key++) {
      await inPage('expectKey');
      await page.keyboard.press(LAST_KEYS[key % LAST_KEYS.length]);
      const measured = await page.evaluate(() => window.afterKey);
      if (measured.tokens !== tokens) throw new Error(`${measured.tokens} tokens, not ${tokens}`);
      if (key >= WARM_UP) found.push(measured);
    }
    return { tokens, drawn: summary(found.map(({ drawn }) => drawn)), painted: summary(found.map(({ painted }) => painted)) };
  });
}

const table = rows => rows.map(cells => `| ${cells.join(' | ')} |`).join('\n');
const kB = count => `${Math.round(count / 1000)} kB`;

function report({ warm, cold, keys }) {
  const ms = ({ median }) => median.toFixed(1);
  const share = (ours, peer) => (ours / peer).toFixed(2);
  const row = (name, ours, peer) => [name, ms(ours), ms(peer), share(ours.median, peer.median), share(ours.least, peer.least)];
  const { ours, peer } = cold.bytes;
  const size = key => [`code, ${key}`, kB(ours.code[key]), kB(peer.code[key]), share(ours.code[key], peer.code[key]), ''];
  return table([
    ['median', 'ours', 'ONNX Runtime Web', 'ours / theirs', 'of the least'],
    ['---', '---:', '---:', '---:', '---:'],
    ...warm.sizes.flatMap(({ tokens, oursOneTokenWords, ...size }) => [
      row(`${tokens} tokens, ms`, size.ours, size.peer),
      row(`${tokens} tokens of a word each, ms`, oursOneTokenWords, size.peer),
    ]),
    row('first answer, ms', cold.first.ours, cold.first.peer),
    size('gzip'),
    size('raw'),
    [`key to ${keys.tokens} tokens’ maps drawn, ms`, ms(keys.drawn), '', '', ''],
    [`key to ${keys.tokens} tokens’ maps painted, ms`, ms(keys.painted), '', '', ''],
  ]);
}

const version = name => JSON.parse(readFileSync(join(HERE, 'node_modules', name, 'package.json'), 'utf8')).version;

async function measure(browser, address, log) {
  const load = [loadavg().map(round)];
  const ids = vocabulary();
  const { shortest, warm } = await measureWarm(browser, address, ids);
  const cold = await measureCold(browser, address, log, shortest);
  const keys = await measureKeys(browser, address, shortest);
  load.push(loadavg().map(round));
  return {
    processor: `${cpus()[0].model}, ${cpus().length} logical`,
    browser: await browser.version(),
    onnxruntimeWeb: version('onnxruntime-web'),
    load,
    warm,
    cold,
    keys,
  };
}

const started = Date.now();
exportModel();
const log = [];
const { server, address } = await serve(places(), file => log.push(file));
const browser = await launch();
try {
  const found = await measure(browser, address, log);
  console.log(JSON.stringify({ ...found, seconds: Math.round((Date.now() - started) / 1000) }));
  console.log(report(found));
} finally {
  await browser.close();
  server.close();
}
