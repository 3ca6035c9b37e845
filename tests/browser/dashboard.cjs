// Signs in to the dashboard, walks it as a person would and prints what it finds as JSON.
// node dashboard.cjs <chromium> <address> <file of the password> <folder for pictures> <file to wait for>
const { chromium } = require('playwright-core');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');

const BOARD = '/superset/dashboard/community-safety/';
const HEIGHT = 4200; // All charts are in view, so that all are drawn.

async function signIn(page, address, password) {
  await page.goto(`${address}${BOARD}`);
  await page.goto(`${address}/login/`);
  await page.fill('[data-test=username-input]', 'csp');
  await page.fill('[data-test=password-input]', password);
  await page.click('[data-test=login-button]');
  await page.waitForURL('**/welcome/**');
}

// Wait until every chart shows something and none is loading.
async function settled(page, charts) {
  await page.waitForTimeout(1500);
  await page.waitForFunction((expected) => {
    const all = [...document.querySelectorAll('[data-test-viz-type]')];
    const shown = all.filter((one) => one.querySelector('canvas, tbody tr, .header-line, [role=alert], .ant-empty'));
    return shown.length === expected && !document.querySelector('[data-test-viz-type] [data-test=loading-indicator]');
  }, charts);
  await page.waitForTimeout(1500);
}

const read = (page) => page.evaluate(() => {
  const text = (one) => one.textContent.trim().replace(/\s+/g, ' ');
  const charts = {};
  for (const one of document.querySelectorAll('[data-test-viz-type]')) {
    charts[one.dataset.testChartName] = {
      kind: one.dataset.testVizType,
      number: one.querySelector('.header-line') ? text(one.querySelector('.header-line')) : '',
      canvas: one.querySelectorAll('canvas').length,
      headings: [...one.querySelectorAll('thead th')].map(text),
      rows: [...one.querySelectorAll('tbody tr')].map((row) => [...row.children].map(text)),
      error: one.querySelector('[role=alert]') ? text(one.querySelector('[role=alert]')) : '',
    };
  }
  return { charts, text: text(document.querySelector('[data-test=grid-content]')) };
});

async function choose(page, filter, value) {
  const box = page.locator('[data-test=form-item-value]').nth(filter);
  await box.locator('.ant-select').click();
  await page.keyboard.type(value);
  await page.locator(`.ant-select-item-option[title="${value}"]`).first().click();
  await page.click('[data-test=filter-bar__apply-button]');
}

async function walk(browser, address, password, folder, replaced, charts) {
  const found = { console: [], beyond: [] };
  const page = await (await browser.newContext({ viewport: { width: 1440, height: HEIGHT } })).newPage();
  page.setDefaultTimeout(90000);
  page.on('pageerror', (error) => found.console.push(String(error)));
  page.on('requestfinished', (request) => {
    if (!request.url().startsWith(address) && !/^(data|blob):/.test(request.url())) found.beyond.push(request.url());
  });
  await signIn(page, address, password);
  await page.goto(`${address}${BOARD}`);
  await settled(page, charts);
  found.first = await read(page);
  await page.screenshot({ path: `${folder}/dashboard.png`, fullPage: true });
  await choose(page, 1, 'Shoplifting');
  await settled(page, charts);
  found.chosen = await read(page);

  // The test publishes another release now, and the page is loaded again.
  writeFileSync(`${folder}/ready`, '');
  while (!existsSync(replaced)) await page.waitForTimeout(200);
  await page.reload();
  await settled(page, charts);
  found.published = await read(page);
  return found;
}

(async () => {
  const [executablePath, address, password, folder, replaced, charts] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const found = await walk(browser, address, readFileSync(password, 'utf8').trim(), folder, replaced, Number(charts));
    process.stdout.write(JSON.stringify(found));
  } finally {
    await browser.close();
  }
})();
