import assert from "node:assert/strict";
import { ids } from "../stage.mjs";

/** No script, on a phone. */
export default async function plain(stage) {
  const page = await stage.page("/", { javaScriptEnabled: false, viewport: { width: 360, height: 800 } });
  const options = page.locator(".options > summary");
  assert(!(await page.isVisible("input[name=filter]")), "the knobs are folded");
  await options.click();
  await page.check("input[value='2']", { force: true });
  await options.click();
  await page.fill("#q", "fog signal");
  await page.click("form button");
  assert.match(page.url(), /q=fog\+signal.*lanes=2.*rerank=0&rerank=100/);
  assert(await page.isVisible("input[name=filter]"), "a knob that was turned is not folded away");
  assert.equal(await page.title(), "fog signal – FastLane");
  assert.equal(await page.locator(".query .lane").count(), 2);

  const hits = await ids(page);
  await page.uncheck("input[type=checkbox][name=rerank]");
  await page.check("input[type=checkbox][name=hybrid]");
  await page.click("form button");
  const asked = new URL(page.url()).searchParams;
  assert.deepEqual([asked.getAll("rerank").at(-1), asked.getAll("hybrid").at(-1)], ["0", "1"]);
  assert.equal(await page.isChecked("input[type=checkbox][name=rerank]"), false);
  assert.equal((await ids(page)).length, hits.length);

  await page.locator(".hit summary").first().click();
  assert.equal(await page.locator(".hit details[open]").count(), 1);
  await page.selectOption("select", "guide");
  await page.click("form button");
  assert.match(page.url(), /index=guide/);
  await page.click("text=Statistics");
  assert.match(page.url(), /\/stats\?index=guide$/);
}
