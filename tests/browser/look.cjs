// Looks at a page as a person would and prints what it finds as JSON.
// node look.cjs <chromium> <page.html> <pack.pdf>
const { chromium } = require('playwright-core');

const WIDTHS = { desktop: 1280, tablet: 768, phone: 360 };

async function look(page, url) {
  const found = { console: [], requests: [], widths: {} };
  page.on('console', (message) => found.console.push(message.text()));
  page.on('pageerror', (error) => found.console.push(String(error)));
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url())) found.requests.push(request.url());
  });
  for (const [name, width] of Object.entries(WIDTHS)) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(url);
    found.widths[name] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }
  await page.setViewportSize({ width: WIDTHS.desktop, height: 900 });
  found.images = await page.evaluate(async () => {
    const images = [...document.images];
    return Promise.all(images.map(async (image) => {
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = 320;
      canvas.height = Math.round((320 * image.height) / image.width);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let inked = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] && data[at] + data[at + 1] + data[at + 2] < 600) inked += 1;
      }
      return { alt: image.alt, width: image.naturalWidth, inked: inked / (data.length / 4) };
    }));
  });
  await page.keyboard.press('Tab');
  found.firstFocus = await page.evaluate(() => document.activeElement.textContent);
  await page.addScriptTag({ path: require.resolve('axe-core/axe.min.js') });
  const results = await page.evaluate(() => globalThis.axe.run());
  found.violations = results.violations.map(
    ({ id, impact, nodes }) => ({ id, impact, first: nodes[0].html.slice(0, 200) }),
  );
  return found;
}

(async () => {
  const [executablePath, path, pdf] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const found = await look(page, `file://${path}`);
    await page.pdf({ path: pdf, preferCSSPageSize: true, tagged: true });
    process.stdout.write(JSON.stringify(found));
  } finally {
    await browser.close();
  }
})();
