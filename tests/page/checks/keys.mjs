import assert from "node:assert/strict";
import { QUESTION, focused, ids, search } from "../stage.mjs";

export default async function keys(stage) {
  const page = await stage.page(search({ lanes: 1 }));
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const open = () => page.locator(".hit details[open]").count();
  const hits = await ids(page);
  assert.equal(hits.length, 10);
  assert.equal(await focused(page), "q", "the query has the focus at first");

  await press("ArrowDown");
  assert.equal(await focused(page), hits[0]);
  await press("j");
  assert.equal(await focused(page), hits[1]);
  await press("ArrowDown", "k");
  assert.equal(await focused(page), hits[1]);

  await press("Enter");
  assert.equal(await open(), 1, "Enter opens");
  await stage.keep("open", page);
  await press("Tab", "j");
  assert.equal(await focused(page), hits[2], "letters lead on from within a hit");
  await press("k", "Enter");
  assert.equal(await open(), 0, "Enter closes");

  await press("Escape");
  assert.equal(await focused(page), "q");
  await press("ArrowDown", "ArrowUp");
  assert.equal(await focused(page), "q", "up from the first hit leads back");

  await page.focus('.query [data-token="1"]');
  await press("j");
  assert(!hits.includes(await focused(page)), "letters do nothing without a hit");
  await press("/");
  assert.equal(await focused(page), "q");
  assert.equal(await page.inputValue("#q"), QUESTION, "the sign is not typed");
  await page.focus("input[name=lanes]:checked");
  await press("/");
  assert.notEqual(await focused(page), "q", "knobs keep their keys");

  await press("Escape", ...Array(14).fill("ArrowDown"));
  assert.equal(await focused(page), hits.at(-1), "down from the last hit stays");
  const bottom = (selector) => page.$eval(selector, (it) => it.getBoundingClientRect());
  assert((await bottom(":focus")).bottom <= (await bottom(".foot")).top + 1, "the foot hides a hit");
  await press(..."kkkkk");
  const strip = await bottom(".query");
  assert((await bottom(":focus")).top >= strip.bottom - 1, "the query hides a hit");
  await stage.keep("stuck", page);
}
