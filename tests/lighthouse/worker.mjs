// A browser that judges one page after the other, as its parent names them.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process, { argv, exit, getuid } from 'node:process';

import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';
import * as constants from 'lighthouse/core/config/constants.js';
import { pageFunctions } from 'lighthouse/core/lib/page-functions.js';
import puppeteer from 'puppeteer-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TELEPHONE = 400;
const VIEWS = [
  { theme: 'light', width: 1400, height: 1000 },
  { theme: 'navy', width: 400, height: 900 },
];

const [address, chromePath, ...categories] = argv.slice(2);
const timed = categories.includes('performance');
const sandbox = getuid() === 0 ? ['--no-sandbox'] : []; // which refuses root
const chrome = await launch({
  chromePath,
  chromeFlags: ['--headless=new', '--disable-gpu', '--disable-dev-shm-usage', ...sandbox],
  logLevel: 'silent',
});
const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${chrome.port}`, defaultViewport: null });

// How much slower than this machine, as busy as it is now, Lighthouse's telephone is. By its own index
// a mid-range telephone has some 400 points, and a fast desktop, which it slows down four times, 1600.
async function slowdown() {
  const page = await browser.newPage();
  const index = await page.evaluate(pageFunctions.computeBenchmarkIndex);
  await page.close();
  return Math.min(4, Math.max(1, index / TELEPHONE));
}

// Lighthouse's scores out of 100, and what cost them points.
async function scores(url) {
  const throttling = timed && { ...constants.throttling.mobileSlow4G, cpuSlowdownMultiplier: await slowdown() };
  const flags = {
    port: chrome.port,
    logLevel: 'silent',
    disableFullPageScreenshot: true,
    onlyCategories: categories,
    ...(timed ? { throttling } : { throttlingMethod: 'provided' }),
  };
  const { lhr } = await lighthouse(url, flags);
  if (lhr.runtimeError) {
    throw new Error(`${url}: ${lhr.runtimeError.message}`);
  }
  const judged = Object.values(lhr.categories);
  const lost = ({ auditRefs }) => auditRefs
    .filter(({ id, weight }) => weight > 0 && (lhr.audits[id].score ?? 1) < 0.9)
    .map(({ id }) => `${id} ${lhr.audits[id].displayValue ?? ''}`.trim());
  return {
    scores: Object.fromEntries(judged.map(({ id, score }) => [id, Math.round(score * 100)])),
    why: Object.fromEntries(judged.map(category => [category.id, lost(category)])),
  };
}

// What axe-core finds on a page with every fold open and every view there.
async function violations(url, { theme, width, height }) {
  const page = await browser.newPage();
  try {
    await page.setViewport({ width, height });
    await page.evaluateOnNewDocument(name => localStorage.setItem('mdbook-theme', name), theme);
    await page.goto(url, { waitUntil: 'load' });
    // What is far from the window would not be laid out.
    await page.addStyleTag({ content: 'main * { content-visibility: visible !important }' });
    await page.evaluate(async () => {
      document.querySelectorAll('main details').forEach(fold => { fold.open = true; });
      const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
      for (const view of document.querySelectorAll('[data-view-data]')) {
        const ready = new Promise(done => view.addEventListener('attention-view-ready', done));
        view.scrollIntoView({ behavior: 'instant' });
        await (view.shadowRoot === null ? ready : undefined);
      }
      for (const drawing of document.querySelectorAll('[data-drawing]')) {
        drawing.scrollIntoView({ behavior: 'instant' });
        while (drawing.childElementCount === 0) await frame();
      }
      await frame(); // in which observers of sizes are told
      document.getAnimations().forEach(animation => animation.finish());
    });
    await page.evaluate(AXE);
    const found = await page.evaluate(() => window.axe.run({
      resultTypes: ['violations'],
      // An experimental rule; in a link that is a formula, it reads what KaTeX hides as words.
      rules: { 'label-content-name-mismatch': { enabled: false } },
    }));
    return found.violations.map(({ id, nodes }) => {
      const [first] = nodes;
      return `${theme}, ${width} px: ${id}, ${nodes.length} times: ${first.html.slice(0, 160)} `
        + `(${first.failureSummary.replaceAll(/\s+/g, ' ')})`;
    });
  } finally {
    await page.close();
  }
}

async function judge(page) {
  const url = new URL(page, address).href;
  const result = { page, violations: [], ...await scores(url) };
  for (const view of timed ? [] : VIEWS) {
    result.violations.push(...await violations(url, view));
  }
  return result;
}

process.on('message', async page => {
  if (page === null) {
    await browser.disconnect();
    chrome.kill();
    exit(0);
  }
  try {
    process.send(await judge(page));
  } catch (error) {
    console.error(`${page}:`, error);
    chrome.kill();
    exit(1);
  }
});
process.send('ready');
