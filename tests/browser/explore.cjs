// Operates explore.html as a person would and prints what it finds as JSON.
// node explore.cjs <chromium> <explore.html> <folder for downloads>
const { chromium } = require('playwright-core');
const { readFileSync } = require('node:fs');

const drawn = (page) => page.evaluate(() => {
  const { state, values, view } = window.explore;
  return {
    heading: document.getElementById('shown').textContent,
    said: document.getElementById('said').textContent,
    areas: state.areas,
    choices: state.choices,
    values: values.map(({ geometry, ...one }) => one),
    inChart: view ? view.data('figures').length : 0,
    marks: document.querySelectorAll('#chart svg path, #chart svg line').length,
    table: [...document.querySelectorAll('#table tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent)),
    notes: [...document.querySelectorAll('#notes li')].map((note) => note.textContent),
  };
});

// Wait until what was chosen is drawn.
async function settled(page, act) {
  await page.evaluate(() => { window.explore = undefined; });
  await act();
  await page.waitForFunction(() => window.explore);
  return drawn(page);
}

async function saved(page, folder) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  const path = `${folder}/${file.suggestedFilename()}`;
  await file.saveAs(path);
  return { name: file.suggestedFilename(), text: readFileSync(path, 'utf8') };
}

async function operate(browser, url, folder) {
  const found = { console: [], requests: [] };
  const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 1000 } });
  const page = await context.newPage();
  page.on('console', (message) => found.console.push(message.text()));
  page.on('pageerror', (error) => found.console.push(String(error)));
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) found.requests.push(request.url());
  });
  found.first = await settled(page, () => page.goto(url)).catch(async () => {
    await page.waitForFunction(() => window.explore);
    return drawn(page);
  });
  found.chosen = await settled(page, () => page.selectOption('#crime_type', 'Shoplifting'));
  found.measured = await settled(page, () => page.selectOption('#measure', 'offences'));
  const other = await page.$eval('#areas input:not(:checked)', (box) => box.id);
  found.compared = await settled(page, () => page.check(`[id="${other}"]`));
  found.quarters = await settled(page, () => page.selectOption('#kind', 'quarter'));
  found.file = await saved(page, folder);
  const address = page.url();
  found.types = await settled(page, () => page.click('#views label:nth-of-type(2)'));
  found.map = await settled(page, () => page.click('#views label:nth-of-type(3)'));
  found.mapFile = await saved(page, folder);
  found.needs = await settled(page, () => page.selectOption('#subject', 'needs'));
  found.subjects = {};
  for (const subject of await page.$$eval('#subject option', (all) => all.map((one) => one.value))) {
    found.subjects[subject] = await settled(page, () => page.selectOption('#subject', subject));
  }

  // By the keyboard alone: the first choice is two steps from the start, and keeps the focus.
  await page.goto('about:blank');
  await page.goto(url);
  await page.waitForFunction(() => window.explore);
  await page.keyboard.press('Tab');
  found.firstFocus = await page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press('Tab');
  found.secondFocus = await page.evaluate(() => document.activeElement.id);
  await page.keyboard.press('Tab');
  found.byKeyboard = await settled(page, () => page.keyboard.type('Burglary'));
  found.keptFocus = await page.evaluate(() => document.activeElement.id);

  await page.addScriptTag({ path: require.resolve('axe-core/axe.min.js') });
  const results = await page.evaluate(() => globalThis.axe.run());
  found.violations = results.violations.map(({ id, nodes }) => ({ id, first: nodes[0].html.slice(0, 200) }));

  await page.goto('about:blank');
  await page.goto(address);
  await page.waitForFunction(() => window.explore);
  found.shared = await drawn(page);
  found.widths = {};
  for (const width of [1280, 768, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForTimeout(200);
    found.widths[width] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }
  await page.screenshot({ path: `${folder}/phone.png`, fullPage: true });

  const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(url);
  found.plain = await plain.locator('noscript table tr').allInnerTexts();
  return found;
}

(async () => {
  const [executablePath, path, folder] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    process.stdout.write(JSON.stringify(await operate(browser, `file://${path}`, folder)));
  } finally {
    await browser.close();
  }
})();
