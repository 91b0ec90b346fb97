import assert from "node:assert/strict";
import { search } from "../stage.mjs";

export default async function lights(stage) {
  const page = await stage.page(search({ lanes: 1 }));
  const lit = (what) => page.locator(`${what}.lit`).count();
  assert.equal(await lit(""), 0);

  await page.hover('.query [data-token="3"]');
  assert((await lit("mark")) > 3, "a token lights up what answers it");
  const told = await page.locator(".match").allTextContents();
  assert.equal(told.length, await lit("tr"));
  told.forEach((match) => assert.match(match, /^\S+ +→ \S+ -?\d\.\d{3}$/));
  await stage.keep("hover", page);

  const mark = page.locator(stage.router ? ".snippet mark.won" : ".snippet mark").first();
  const token = (await mark.getAttribute("data-token")).split(" ")[0];
  await mark.hover();
  assert((await lit(`.query [data-token="${token}"]`)) === 1, "a mark lights up its token");
  if (stage.router) assert.equal(await lit(".query .lane button"), 1, "what was won lights up the lane");

  await page.mouse.move(2, 2);
  await page.waitForFunction(() => !document.querySelector(".lit"));
  await page.focus('.query [data-token="2"]');
  assert((await lit("mark")) > 1, "so does the focus");
  await page.focus("#q");
  assert.equal(await lit(""), 0);
  assert.equal(await page.locator(".match").count(), 0);
}
