// Chapter 7's views and larger drawings come when they are about to be seen: until then the page has
// the views' pictures and the drawings' frames. What they bring are scripts (tools/book/src/polish:
// views.rs, drawings.rs), which a page opened from a disk may load, too.
(() => {
  'use strict';

  const pieces = new Map();
  const waiting = new Map();
  window.bookView = (name, data) => waiting.get(name)?.(data);

  function load(address) {
    if (!pieces.has(address)) {
      pieces.set(address, new Promise((resolve, reject) => {
        waiting.set(address.replace(/^.*\/|\.js$/g, ''), resolve);
        const script = document.createElement('script');
        script.src = address;
        script.onerror = () => {
          pieces.delete(address); // the next time that the view is seen tries again
          reject(new Error(`${script.src} does not load`));
        };
        document.head.append(script);
      }));
    }
    return pieces.get(address);
  }

  function script(type, text) {
    const element = document.createElement('script');
    element.type = type;
    element.textContent = text;
    return element;
  }

  async function bring(host) {
    const { viewData, viewCode } = host.dataset;
    try {
      const [data, [style, code]] = await Promise.all([load(viewData), load(viewCode)]);
      if (host.childElementCount > 0 && host.querySelector('script') === null) {
        near.unobserve(host);
        host.append(script('application/json', data), script('text/css', style), script('module', code));
      }
    } catch {
      // The picture stays.
    }
  }

  async function fill(figure) {
    const drawing = figure.querySelector('[data-drawing]');
    try {
      drawing.innerHTML = await load(drawing.dataset.drawing);
      near.unobserve(figure);
    } catch {
      // The frame says in words what it would show.
    }
  }

  // What is a window's height away, or less, comes: what grows does so before it is seen.
  const near = new IntersectionObserver(entries => {
    for (const { target } of entries.filter(entry => entry.isIntersecting)) {
      (target.matches('figure') ? fill : bring)(target);
    }
  }, { rootMargin: '100% 0%' });

  const hosts = [...document.querySelectorAll('[data-view-data]')];

  // An address may speak of views far away: they scroll to themselves.
  function bringNamed() {
    hosts.filter(host => location.hash.includes(`av-${host.dataset.attentionView}`)).forEach(bring);
  }

  const figures = document.querySelectorAll('figure:has([data-drawing])');
  [...hosts, ...figures].forEach(host => near.observe(host));
  window.addEventListener('hashchange', bringNamed);
  bringNamed();
})();
