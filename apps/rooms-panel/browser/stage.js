/** A house with browsers in it, and what is often looked for on their pages. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';

import { WITHIN } from './house.js';

/** A tablet, and a phone. */
export const TABLET = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const PASSWORD = 'a password for tests';

export function launch() {
  // Chromium has no sandbox for root.
  const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: '/usr/bin/chromium', args });
}

/** Browsers of earlier tests: one that has a process already is there at once. */
const spare = [];

export class Stage {
  /** Whatever a browser had to complain about. */
  complaints = [];
  #allowed = [];
  #browser;
  #contexts = [];
  #buses = [];
  #tablet;
  #admin;

  constructor(withBrowser, house) {
    this.#browser = withBrowser;
    this.house = house;
  }

  async close() {
    this.#buses.forEach((bus) => bus.close());
    await Promise.all(this.#contexts.map((context) => this.#leave(context)));
    await this.house.end();
  }

  /** An ordinary browser forgets all and is kept, with one page. */
  async #leave({ context, isOrdinary }) {
    if (!isOrdinary) {
      return context.close();
    }
    context.removeAllListeners();
    const [page, ...others] = context.pages();
    await Promise.all([page?.goto('about:blank'), context.clearCookies(), ...others.map((other) => other.close())]);
    return spare.push(context);
  }

  /** What is on the screens, for the report of a test that fails. */
  async seen() {
    const pages = this.#contexts.flatMap(({ context }) => context.pages());
    const texts = pages.map(async (page) => {
      const text = await page.locator('body').innerText({ timeout: 1000 });
      return `\n\n${page.url()}:\n${text.replaceAll(/\n+/g, ' / ')}`;
    });
    const found = await Promise.allSettled(texts);
    return `${found.map(({ value }) => value).join('')}\n\n${this.complaints.join('\n')}`;
  }

  /** Complaints like this are what the test is about. */
  allow(...complaints) {
    this.#allowed.push(...complaints);
  }

  #complain(text) {
    if (!this.#allowed.some((allowed) => allowed.test(text))) {
      this.complaints.push(text);
    }
  }

  /** A browser that has been nowhere yet. */
  async context(options) {
    const all = { viewport: TABLET, reducedMotion: 'reduce', ...options };
    const context = (!options && spare.pop()) || (await this.#browser.newContext(all));
    this.#contexts.push({ context, isOrdinary: !options });
    context.setDefaultTimeout(WITHIN);
    context.on('console', (message) => {
      if (message.type() === 'error' || message.text().includes('Content Security Policy')) {
        this.#complain(`${message.text()} (${message.location().url})`);
      }
    });
    context.on('weberror', (error) => this.#complain(error.error().stack));
    context.on('dialog', (dialog) => {
      this.#complain(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    return context;
  }

  /** A page of the house in this browser. */
  async goto(context, path) {
    const blank = context.pages().find((page) => page.url() === 'about:blank');
    const page = blank ?? (await context.newPage());
    await page.setViewportSize(TABLET);
    await page.goto(this.house.url + path);
    return page;
  }

  /** A browser that is the panel of Vienna and of Lisbon. */
  async tablet(options) {
    const context = await this.context(options);
    await context.request.get(`${this.house.url}/demo`);
    return context;
  }

  /** A panel in the test's tablet. `show` is what the address asks for. */
  async panel(room, show = 'home') {
    this.#tablet ??= this.tablet();
    const page = await this.goto(await this.#tablet, `/panel/${room}?show=${show}`);
    // A panel that has just started asks for everything first.
    await page.locator('.pill', { hasNotText: 'Control offline' }).waitFor();
    return page;
  }

  /** A page of the administrator, who has chosen a password. */
  async admin(path) {
    this.#admin ??= this.#logIn();
    return this.goto(await this.#admin, path);
  }

  async #logIn() {
    const context = await this.context();
    const { url, password } = this.house;
    await context.request.post(`${url}/login`, { form: { name: 'admin', password } });
    const form = await (await context.request.get(`${url}/password`)).text();
    const [, csrf] = /name="csrf" value="([^"]+)"/.exec(form);
    const change = { csrf, old: password, new: PASSWORD, again: PASSWORD };
    await context.request.post(`${url}/password`, { form: change });
    return context;
  }

  /** A connection to the bus. */
  async bus(...topics) {
    const bus = await this.house.bus(...topics);
    this.#buses.push(bus);
    return bus;
  }
}

/** The card of another room. */
export const card = (page, room) => page.locator(`#city-${room}`);

/** A tile of the strip of controls. */
export const tile = (page, id) => page.locator(`#tile-${id}`);

/** A button by its whole name. */
export const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Waits until this is to be seen. */
export const seen = (locator) => locator.first().waitFor();

/** Waits until it is no longer. */
export const gone = (locator) => locator.waitFor({ state: 'detached' });

/** Waits until a room says so in its upper bar. */
export const says = (page, text) => seen(page.locator('.pill', { hasText: text }));

/** Presses Lisbon in Vienna, and waits until both are connected. */
export async function connect(vienna, lisbon) {
  await card(vienna, 'lisbon').getByRole('button').click();
  await Promise.all([says(vienna, 'Connected to Lisbon'), says(lisbon, 'Connected to Vienna')]);
}

/** What axe finds that is serious or worse, in one line each. */
export async function findings(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];
    const { violations } = await globalThis.axe.run({ runOnly: { type: 'tag', values: tags } });
    return violations.flatMap(({ id, impact, nodes }) =>
      nodes.map(({ html, failureSummary }) => ({ id, impact, html, failureSummary })),
    );
  });
  const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return serious.map(({ id, html, failureSummary }) => `${id}: ${html}\n${failureSummary}`);
}
