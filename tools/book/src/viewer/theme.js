let theme = null;
try {
  theme = localStorage.getItem('mdbook-theme');
} catch { /* no storage, no choice */ }
theme ??= matchMedia('(prefers-color-scheme: dark)').matches ? 'navy' : 'light';
document.documentElement.classList.add(theme, 'js');
