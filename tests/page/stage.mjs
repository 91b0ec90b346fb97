// The browser, and what every check needs: a page that is watched, and what to wait for.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";

/** A question that this project's docs answer. */
export const QUESTION = "how are views kept on disk?";

/** The address of a search. */
export function search(fields = {}) {
  return `/?${new URLSearchParams({ q: QUESTION, ...fields })}`;
}

export class Stage {
  /** Starts the browser, and looks whether the model has a router. */
  static async open(address, folder) {
    await mkdir(folder, { recursive: true });
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
    });
    const stage = Object.assign(new Stage(), { address, folder, browser, noise: [], pages: [] });
    const page = await stage.page(search());
    stage.router = (await page.locator(".query:not(.flat)").count()) === 1;
    await stage.clear();
    return stage;
  }

  /**
   * Opens a page. Whatever goes wrong in it is noise, which fails the check: words in the console, errors,
   * dialogs, and requests to anywhere else. `allow` says what a check provokes.
   */
  async page(path, { allow, ...options } = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    this.pages.push(page);
    const hear = (what) => allow?.test(what) || this.noise.push(`${path}: ${what}`);
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && hear(message.text()));
    page.on("pageerror", (error) => hear(`${error}`));
    page.on("dialog", (dialog) => dialog.dismiss().then(() => hear(`a dialog: ${dialog.message()}`)));
    page.on("request", (request) => request.url().startsWith(this.address) || hear(`asks ${request.url()}`));
    await page.goto(this.address + path);
    return page;
  }

  quiet() {
    assert.deepEqual(this.noise, []);
  }

  /** A screenshot of a page, or of the last that was opened. */
  async keep(name, page = this.pages.at(-1)) {
    await page?.screenshot({ path: `${this.folder}/${name}.png` }).catch(() => {});
  }

  /** Closes all pages, and forgets what they said. */
  async clear() {
    await Promise.all(this.pages.splice(0).map((page) => page.context().close()));
    this.noise = [];
  }

  async close() {
    await this.browser.close();
  }
}

/** Does something that asks the server, and waits until other results are there, or a failure is said. */
export async function turn(page, act) {
  await page.evaluate(() => {
    document.querySelector("#results").firstElementChild.dataset.old = "";
    document.querySelector("#failed").textContent = "";
  });
  await act();
  await page.waitForFunction(
    () => !document.querySelector("#results [data-old]") || document.querySelector("#failed").textContent,
  );
}

/** Fails where one has to scroll sideways. */
export async function narrow(page, what) {
  const wide = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  assert(wide <= 0, `${what}: ${wide} px too wide`);
}

/** Waits until all that moves has arrived. */
export async function still(page) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((it) => it.finished)));
}

/** The ids of the hits in order. */
export function ids(page) {
  return page.$$eval("[data-id]", (hits) => hits.map((hit) => hit.dataset.id));
}

/** What has the focus: the id of a hit or of an element, or the name of a tag. */
export function focused(page) {
  return page.evaluate(() => {
    const { dataset, id, tagName } = document.activeElement;
    return dataset.id ?? (id || tagName);
  });
}

/** Knobs by name. */
export const knob = {
  lanes: (page, value) => page.check(`input[name=lanes][value="${value}"]`, { force: true }),
  rerank: (page, on) => page.setChecked("input[type=checkbox][name=rerank]", on),
  hybrid: (page, on) => page.setChecked("input[type=checkbox][name=hybrid]", on),
  filter: (page, text) => page.fill("input[name=filter]", text),
};
