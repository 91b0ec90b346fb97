import assert from "node:assert/strict";
import { ids, knob, search, still, turn } from "../stage.mjs";

export default async function knobs(stage) {
  const page = await stage.page(search());
  const count = (selector) => page.locator(selector).count();
  const says = () => page.textContent(".says");
  const change = async (knobs) => {
    const said = await page.textContent(".change");
    assert.match(said, new RegExp(`^${knobs}: [±−+]\\d+\\.\\d ms, (\\d+ moved, \\d+ new|the same order)$`));
    assert((await page.textContent("#said")).endsWith(said), "it is said aloud as well");
    return said;
  };
  assert(await page.isVisible("input[name=filter]"));
  assert(!(await page.isVisible(".options > summary")), "there is room for the knobs");
  await latency(page, ["words", ...(stage.router ? [] : ["route"])]);
  await stage.keep("usual", page);

  // rerank
  const before = await ids(page);
  await turn(page, () => knob.rerank(page, false));
  assert.equal(new URL(page.url()).searchParams.getAll("rerank").join(), "0");
  const told = await change("rerank 100 → 0");
  await moves(page, before);
  await latency(page, ["rerank", "words", ...(stage.router ? [] : ["route"])]);
  await still(page);
  await stage.keep("alone", page);

  // lanes
  for (const lanes of [1, 2, 4]) {
    await turn(page, () => knob.lanes(page, lanes));
    assert.equal(new URL(page.url()).searchParams.get("lanes"), `${lanes}`);
    await change(`lanes \\w+ → ${lanes}`);
    assert.equal(await count(".query .lane"), lanes);
    assert.match(await says(), /lookups? instead of \d+/);
    const pairs = await count(".hit .pair");
    if (pairs) assert.equal(pairs, lanes * (await count(".hit")), "a pair for each lane");
    else assert.match(await says(), /one view of all tokens here/);
    if (lanes === 2) await stage.keep("lanes", page);
  }
  await turn(page, () => knob.lanes(page, "all"));
  assert.equal(await count(".query .lane"), 0);
  assert.match(await says(), /all( \d+)? tokens (search|have equal weight)/i);

  // words, and the rerank back again: the foot is left out, as words have no row
  await turn(page, () => knob.rerank(page, true));
  assert((await count("tfoot")) > 0, "rows add up to the score");
  await turn(page, () => knob.hybrid(page, true));
  await change("hybrid 0 → 1");
  assert.equal(await count("tfoot"), 0);
  await latency(page, stage.router ? [] : ["route"]);

  // a filter, and one that nothing fits
  await turn(page, () => knob.filter(page, "path = guide/training.md"));
  const found = await ids(page);
  assert(found.length && found.every((id) => id.startsWith("guide/training.md")), `${found}`);
  await turn(page, () => knob.filter(page, "byte_start > 1000000"));
  assert.equal(await count("[data-id]"), 0);
  await turn(page, () => page.reload());
  assert.equal(await page.inputValue("input[name=filter]"), "byte_start > 1000000", "the address keeps it");
  await page.click("text=search without it");
  assert.equal(await count("[data-id]"), 10);

  // another index: nothing to compare with, and links lead there
  await turn(page, () => page.selectOption("select", "guide"));
  assert.equal(new URL(page.url()).searchParams.get("index"), "guide");
  assert.equal(await count(".move, .change, .delta"), 0);
  for (const link of await page.locator("a[data-index]").all()) {
    assert.match(await link.getAttribute("href"), /\?index=guide$/);
  }
  return told;
}

/** The line of times: the stages add up to the total, those that do not run are off. */
async function latency(page, off) {
  const stages = await page.$$eval(".cost [data-us]", (all) =>
    all.map((it) => [it.dataset.stage, Number(it.dataset.us), it.classList.contains("off")]),
  );
  const names = stages.map(([name]) => name);
  assert.deepEqual(names, ["encode", "route", "probe", "rerank", "words", "show", "total"]);
  const sum = stages.slice(0, -1).reduce((sum, [, us]) => sum + us, 0);
  assert.equal(sum, stages.at(-1)[1]);
  assert.deepEqual(stages.filter(([, , off]) => off).map(([name]) => name).sort(), [...off].sort());
  const widths = await page.$$eval(".time rect", (all) => all.map((it) => Number(it.getAttribute("width"))));
  assert.equal(widths.reduce((a, b) => a + b, 0), sum, "the bar is as long as they are");
}

/** The marks beside the ranks say where each hit was before. */
async function moves(page, before) {
  const hits = await page.$$eval("[data-id]", (all) =>
    all.map((hit) => [hit.dataset.id, hit.querySelector(".move")?.textContent ?? ""]),
  );
  hits.forEach(([id, said], place) => {
    const up = before.includes(id) ? before.indexOf(id) - place : NaN;
    const wanted = Number.isNaN(up) ? "new" : up > 0 ? `▲${up}` : up < 0 ? `▼${-up}` : "";
    assert.equal(said, wanted, `the mark of ${id}`);
  });
}
