import assert from "node:assert/strict";
import { search } from "../stage.mjs";

export default async function typing(stage) {
  const page = await stage.page(search({ lanes: 1 }));
  const asked = [];
  page.on("request", (request) => request.url().includes("fragment=1") && asked.push(request.url()));
  const titled = (title) => page.waitForFunction((title) => document.title === title, title);

  await page.fill("#q", "");
  await page.keyboard.type("slow", { delay: 15 });
  await page.waitForTimeout(250);
  await page.keyboard.type(" quick", { delay: 15 });
  await page.fill("#q", "lists");
  await titled("lists – FastLane");
  assert(asked.length >= 1 && asked.length <= 4, `asked ${asked.length} times`);
  assert.match(page.url(), /[?&]q=lists&/);
  assert.equal(await page.textContent("#failed"), "", "a question that is ended early is no failure");
  assert.equal(await page.locator(".move, .change").count(), 0, "another question is nothing to compare with");
  assert.match(await page.textContent("#said"), /^10 results in \d+\.\d+ ms$/);
  const [spoken, ...requests] = [asked.length, ...asked];
  assert(requests.every((url) => new URL(url).searchParams.getAll("rerank").length === 1));

  // an answer that comes late does not take the place of a newer one
  await page.route(/q=slow/, async (route) => {
    await new Promise((done) => setTimeout(done, 600));
    await route.continue().catch(() => {});
  });
  await page.fill("#q", "slow");
  await page.waitForTimeout(200);
  await page.fill("#q", "fast");
  await titled("fast – FastLane");
  await page.waitForTimeout(700);
  assert.equal(await page.title(), "fast – FastLane");

  await page.fill("#q", "");
  await titled("FastLane");
  assert.equal(await page.locator(".demo").count(), 1, "without a query the page explains itself");
  assert.equal(await page.textContent("#said"), "");
  return `${spoken} requests for 13 keys and a paste`;
}
