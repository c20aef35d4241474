// Lighthouse (as on a telephone) and axe-core on every page of the built book.
//
//   npm ci --prefix tests/lighthouse
//   node tests/lighthouse/audit.mjs [--performance] target/book [PAGE…]
//
// Fails where a page has less than 95 in one of Lighthouse's categories, or where axe-core finds
// something, in the light theme on a wide window or in the dark one on a narrow one. Pages are shared
// out among as many processes as there are processors, each with a browser of its own.
//
// The category of performance is times, which depend on what else the machine does: it is judged where
// it is asked for, alone and one page after the other.

import { fork } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { argv, env, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

import { serve } from './server.mjs';

const LEAST = 95;
const CATEGORIES = ['accessibility', 'best-practices', 'seo'];
const NO_PAGES = ['print.html', 'toc.html']; // all pages in one, and a frame of pages without scripts
const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

// The browser that `CHROME` names, or the first on the PATH.
function browser() {
  const places = (env.PATH ?? '').split(':').flatMap(folder => BROWSERS.map(name => join(folder, name)));
  const found = [env.CHROME, ...places].find(path => path && existsSync(path));
  if (found === undefined) {
    throw new Error(`none of ${BROWSERS.join(', ')} is on the PATH: install Chromium or set CHROME`);
  }
  return found;
}

function pagesOf(site) {
  const html = folder => readdirSync(join(site, folder))
    .filter(name => name.endsWith('.html') && !NO_PAGES.includes(name))
    .map(name => folder + name);
  return ['', 'en/', 'notebooks/', 'notebooks/en/'].flatMap(html);
}

// Shares the pages out: each worker asks for the next one when it is done with one.
function audit(pages, address, chrome, categories, workers) {
  const waiting = [...pages];
  const results = [];
  const work = () => new Promise((resolve, reject) => {
    const worker = fork(WORKER, [address, chrome, ...categories]);
    const next = () => worker.send(waiting.shift() ?? null);
    worker.on('message', message => {
      if (message !== 'ready') {
        results.push(message);
      }
      next();
    });
    worker.on('exit', code => code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`)));
  });
  return Promise.all(Array.from({ length: workers }, work)).then(() => results);
}

function report(results) {
  const findings = results.flatMap(({ page, scores, why, violations }) => [
    ...Object.entries(scores).filter(([, score]) => score < LEAST)
      .map(([category, score]) => `${page}: ${category} ${score} (${why[category].join(', ')})`),
    ...violations.map(violation => `${page}: axe: ${violation}`),
  ]);
  for (const category of Object.keys(results[0].scores)) {
    const [lowest, page] = results.map(({ page, scores }) => [scores[category], page])
      .sort(([a], [b]) => a - b)[0];
    console.log(`${category}: ${lowest} at least (${page})`);
  }
  findings.sort().forEach(finding => console.error(`error: ${finding}`));
  return findings.length;
}

const timed = argv.includes('--performance');
const [site, ...asked] = argv.slice(2).filter(word => word !== '--performance');
const categories = timed ? ['performance'] : CATEGORIES;
const started = Date.now();
const { server, address } = await serve(site);
const pages = asked.length > 0 ? asked : pagesOf(site);
const workers = timed ? 1 : Math.min(availableParallelism(), pages.length);
const results = await audit(pages, address, browser(), categories, workers);
server.close();
const findings = report(results);
const seconds = Math.round((Date.now() - started) / 1000);
console.log(`${results.length} pages in ${seconds} s, ${findings} findings`);
exit(findings === 0 ? 0 : 1);
