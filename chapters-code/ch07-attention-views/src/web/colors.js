// COLORS comes from colors.json: twelve for each theme, found by search. In OKLab the closest two are
// 0.18 apart (0.11 in d3's ten, which bertviz uses), half of that for red-green blind eyes, and each
// has a contrast of 4 to the page at least: what is left of it in a faint line can still be seen. A
// thirteenth head and later ones take hues in between.
const TONES = {
  light: { text: '#1c1c1c', faint: '#767676', background: '#ffffff', positive: '#0c4fd8', negative: '#d8480c', line: '#2a5db0' },
  dark: { text: '#e6e6e6', faint: '#9a9a9a', background: '#1b1b1f', positive: '#4da3ff', negative: '#ff8a4d', line: '#6fb2ff' },
};

const colorOf = (theme, index) => COLORS[theme][index]
  ?? `hsl(${Math.round(index * 137.5) % 360} 65% ${theme === 'dark' ? 65 : 40}%)`;

// How a weight is drawn: the larger, the more opaque and the thicker (in eighths of a pixel, so that
// few lines differ in it). Small, where hundreds of lines lie together, it is as opaque as it is
// large, as in bertviz; large, the weak lines of a head that looks everywhere can be seen, too. On
// dark, a thin bright line is seen as less than a dark one on white.
const OPACITY = { small: { light: 1, dark: 0.85 }, large: { light: 0.7, dark: 0.6 } };
const opacityOf = (theme, weight, size = 'large') => weight ** OPACITY[size][theme];
const widthOf = (weight, least, most) => Math.round((least + weight * (most - least)) * 8) / 8;

// Light or dark, by the color that the page around gives to text: it works in the book, in Jupyter
// and in a page that knows nothing of us.
function themeAround(host) {
  const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
    .getContext('2d', { willReadFrequently: true });
  context.fillStyle = getComputedStyle(host).color;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140 ? 'dark' : 'light';
}

// Calls `changed` when the page's theme may have changed, until the signal `gone`.
function watchTheme(host, changed, gone) {
  const observer = new MutationObserver(changed);
  for (const root of [document.documentElement, document.body]) {
    observer.observe(root, { attributes: true, attributeFilter: ['class', 'style', 'data-theme', 'data-jp-theme-light', 'data-jp-theme-name'] });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed, { signal: gone });
  gone.addEventListener('abort', () => observer.disconnect());
}
