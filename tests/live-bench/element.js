// The reader's side: the page's own element, asked by keys.

const NAME = 'live-bert-attention';
const element = () => document.querySelector(NAME);

// When the element has drawn what was asked last.
function drawn() {
  return new Promise(resolve => {
    let worked = false;
    const watch = new MutationObserver(() => {
      const { state } = element().dataset;
      worked ||= state === 'working';
      if (!worked || state !== 'ready') return;
      watch.disconnect();
      resolve(performance.now());
    });
    watch.observe(element(), { attributeFilter: ['data-state'] });
  });
}

// When the browser has painted the next frame.
const painted = () => new Promise(resolve => {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(performance.now());
    port2.postMessage('');
  });
});

// Presses the figure's button, and writes the text.
export async function open(text) {
  const host = document.querySelector('.live[data-live="bert-attention"]');
  const ready = new Promise(resolve => {
    const watch = new MutationObserver(() => element()?.dataset.state === 'ready' && resolve(watch.disconnect()));
    watch.observe(host.parentElement, { subtree: true, childList: true, attributeFilter: ['data-state'] });
  });
  (host.querySelector('button') ?? host).click();
  await ready;
  const written = drawn();
  const { input } = element().text;
  input.value = text;
  input.dispatchEvent(new Event('input'));
  await written;
  return element().found.tokens.length;
}

// The key that comes next writes over the text's last one: {drawn, painted}, in milliseconds since it went down.
export function expectKey() {
  const { input } = element().text;
  input.focus();
  input.setSelectionRange(input.value.length - 1, input.value.length);
  const pressed = new Promise(resolve => {
    input.addEventListener('keydown', ({ timeStamp }) => resolve(timeStamp), { once: true });
  });
  window.afterKey = (async () => {
    const end = await drawn();
    const start = await pressed;
    return { drawn: end - start, painted: await painted() - start, tokens: element().found.tokens.length };
  })();
}
