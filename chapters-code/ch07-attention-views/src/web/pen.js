// One drawing, two papers: a canvas on the screen, an SVG to be saved.

// Lines of one color and one of 64 opacities are drawn together: 20,000 lines take a few strokes.
class CanvasPen {
  constructor(context) {
    this.context = context;
    this.batches = new Map();
  }

  line(x1, y1, x2, y2, color, opacity, width = 1.5) {
    const level = Math.round(Math.min(1, opacity) * 64);
    if (level <= 0) return;
    const name = `${color} ${level} ${width}`;
    let batch = this.batches.get(name);
    if (batch === undefined) {
      batch = { color, opacity: level / 64, width, path: new Path2D() };
      this.batches.set(name, batch);
    }
    batch.path.moveTo(x1, y1);
    batch.path.lineTo(x2, y2);
  }

  rect(x, y, width, height, color, opacity) {
    this.context.globalAlpha = Math.min(1, Math.max(0, opacity));
    this.context.fillStyle = color;
    this.context.fillRect(x, y, width, height);
  }

  text() {} // on the screen, texts are elements

  finish() {
    for (const { color, opacity, width, path } of this.batches.values()) {
      this.context.globalAlpha = opacity;
      this.context.strokeStyle = color;
      this.context.lineWidth = width;
      this.context.stroke(path);
    }
    this.context.globalAlpha = 1;
  }
}

class SvgPen {
  constructor() {
    this.parts = [];
  }

  line(x1, y1, x2, y2, color, opacity, width = 1.5) {
    this.parts.push(`<path d="M${tidy(x1)} ${tidy(y1)}L${tidy(x2)} ${tidy(y2)}" stroke="${color}"`
      + ` stroke-opacity="${tidy(opacity)}" stroke-width="${width}"/>`);
  }

  rect(x, y, width, height, color, opacity) {
    this.parts.push(`<rect x="${tidy(x)}" y="${tidy(y)}" width="${tidy(width)}"`
      + ` height="${tidy(height)}" fill="${color}" fill-opacity="${tidy(opacity)}"/>`);
  }

  text(x, y, text, anchor, color) {
    this.parts.push(`<text x="${tidy(x)}" y="${tidy(y)}" text-anchor="${anchor}" fill="${color}"`
      + ` dominant-baseline="central">${escapeXml(text)}</text>`);
  }

  document(width, height, background) {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${tidy(width)}" height="${tidy(height)}"`
      + ` viewBox="0 0 ${tidy(width)} ${tidy(height)}" font-family="sans-serif" font-size="14">`
      + `<rect width="100%" height="100%" fill="${background}"/>${this.parts.join('')}</svg>`;
  }
}

const tidy = number => String(Math.round(number * 1000) / 1000);
const escapeXml = text => text
  .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  .replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
