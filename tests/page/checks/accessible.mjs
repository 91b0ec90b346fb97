import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { knob, narrow, search, still, turn } from "../stage.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Every page, and what it looks like once something was done. */
const places = {
  home: ["/"],
  search: [search({ lanes: 1 })],
  usual: [search()],
  hybrid: [search({ hybrid: 1, lanes: 4, rerank: 0 })],
  nothing: [search({ filter: "byte_start > 1000000" })],
  moved: [search({ lanes: 1 }), moved],
  broken: [search({ filter: "a b" })],
  statistics: ["/stats?index=docs"],
  api: ["/api"],
};

async function moved(page) {
  await turn(page, () => knob.rerank(page, false));
  await turn(page, () => knob.lanes(page, 2));
  await still(page);
  await page.focus('.query [data-token="3"]');
}

export default async function accessible(stage) {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  let [runs, slight] = [0, 0];
  const grave = [];
  for (const [name, [path, act]] of Object.entries(places)) {
    const page = await stage.page(path, { allow: /status of 400/ });
    await act?.(page);
    await page.evaluate(axe);
    // the options and two hits: the others are alike
    await page.evaluate(() => [...document.querySelectorAll("details")].slice(0, 3).forEach((it) => (it.open = true)));
    for (const width of [1200, 360]) {
      await page.setViewportSize({ width, height: 900 });
      for (const colorScheme of ["light", "dark"]) {
        const at = `${name}, ${width} px, ${colorScheme}`;
        await page.emulateMedia({ colorScheme });
        await stage.keep(`${name}-${width}-${colorScheme}`, page);
        await narrow(page, at);
        const { violations } = await page.evaluate((rules) => window.axe.run({ runOnly: rules }), RULES);
        for (const { id, impact, nodes } of violations) {
          const what = `${at}: ${impact} ${id}: ${nodes[0].html.slice(0, 120)}`;
          if (["serious", "critical"].includes(impact)) grave.push(what);
          else console.log(`        ${what}`);
          slight += 1;
        }
        runs += 1;
      }
    }
    await page.context().close();
  }
  assert.deepEqual(grave, []);
  return `${runs} times, ${slight} slighter things`;
}
