import assert from "node:assert/strict";
import { ids, knob, search, turn } from "../stage.mjs";

const BROKEN = "path = docs und byte_start";

export default async function failures(stage) {
  const allow = /status of (400|404|503)|ERR_CONNECTION_REFUSED/; // the browser names them
  const page = await stage.page(search({ lanes: 1 }), { allow });
  const failed = () => page.textContent("#failed");
  const hits = await ids(page);
  const stay = async () => assert.deepEqual(await ids(page), hits, "the results stay");

  // a filter that cannot be read
  await turn(page, () => knob.filter(page, BROKEN));
  assert.match(await failed(), /^The filter cannot be read: .*character 13.*\. Below is what/);
  await stay();
  await stage.keep("broken", page);

  // a server that does not answer, and one that is about to stop
  const fragments = /fragment=1/;
  await page.route(fragments, (route) => route.abort("connectionrefused"));
  await turn(page, () => knob.filter(page, ""));
  assert.match(await failed(), /^The server does not answer\. Below is what/);
  await stay();
  await page.unroute(fragments);
  const error = { code: "stopping", message: "the service is shutting down" };
  await page.route(fragments, (route) => route.fulfill({ status: 503, json: { error } }));
  await turn(page, () => page.keyboard.press("Enter"));
  assert.match(await failed(), /^the service is shutting down\. Below is what/);
  await stay();

  // it is there again
  await page.unroute(fragments);
  await turn(page, () => page.keyboard.press("Enter"));
  assert.equal(await failed(), "");
  await stay();

  // the same as a page of its own
  await page.goto(stage.address + search({ filter: BROKEN }));
  assert.equal(await page.textContent("h1"), "The filter cannot be read");
  const field = page.locator("input[name=filter]");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  const why = await page.textContent(`#${await field.getAttribute("aria-describedby")}`);
  assert.match(why, /character 13/);
  const [line, sign] = (await page.textContent(".place")).split("\n");
  assert.equal(sign.indexOf("^"), line.indexOf("und"), "a sign below the place");
  await stage.keep("failure", page);
  await turn(page, () => knob.filter(page, "path > a"));
  assert.equal(await field.getAttribute("aria-invalid"), null);
  assert((await ids(page)).length > 0);

  await page.goto(`${stage.address}/?q=a&index=none`);
  assert.equal(await page.textContent("h1"), "There is nothing here");
  await page.click("text=start again");
  assert.equal(page.url(), `${stage.address}/`);
}
