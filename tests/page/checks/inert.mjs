import assert from "node:assert/strict";
import { ids, narrow, search, still } from "../stage.mjs";

/** Ends tags, comments and attributes of either quote, and begins what would run. */
const EVIL =
  `</title></script><script>alert(1)</script>"'><img src=x onerror=alert(2)><svg onload=alert(3)>` +
  `<iframe srcdoc="<script>alert(4)</script>"></iframe><a href="javascript:alert(5)">here</a><!--`;

/** A word that no line holds. */
const LONG = "w".repeat(300);

/** A dialog would be noise, and so would anything that the policy had to stop. */
export default async function inert(stage) {
  const text = `The zebra said ${EVIL} to ${LONG}.`;
  const metadata = { [EVIL]: EVIL, [LONG]: LONG };
  const document = { id: `${EVIL}${LONG}`, title: `Title ${EVIL}${LONG}`, text, metadata };
  await change(stage, "POST", { documents: [document] });
  try {
    const page = await stage.page(search({ q: "what did the zebra say?" }));
    await shown(page, document);
    await page.fill("#q", `zebra ${EVIL}`);
    await page.waitForFunction((title) => window.document.title === title, `zebra ${EVIL} – FastLane`);
    await shown(page, document);
    await page.hover(".snippet mark");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await still(page);
    await shown(page, document);
    await stage.keep("inert", page);
    await page.setViewportSize({ width: 360, height: 800 });
    await narrow(page, "evil, 360 px");
    await stage.keep("inert-360", page);
    await page.setViewportSize({ width: 1200, height: 900 });

    // the same by the address alone, and in every other field
    await page.reload();
    assert.equal(await page.inputValue("#q"), `zebra ${EVIL}`);
    await shown(page, document);
    for (const fields of [{ filter: EVIL }, { index: EVIL }, { lanes: EVIL, rerank: EVIL, hybrid: EVIL }]) {
      const other = await stage.page(search(fields), { allow: /status of 40[04]/ });
      assert.match(await other.title(), /FastLane$/);
      await nothing(other);
    }
    await nothing(await stage.page(`/stats?${new URLSearchParams({ index: EVIL })}`, { allow: /status of 404/ }));
  } finally {
    await change(stage, "DELETE", { ids: [document.id] });
  }
  const page = await stage.page(search({ q: "what did the zebra say?" }));
  assert(!(await ids(page)).includes(document.id), "the document is gone again");
}

/** The document is found, and reads as it was written. */
async function shown(page, { id, title, text }) {
  const hit = page.locator("[data-id]", { hasText: "The zebra said" });
  assert.equal(await hit.getAttribute("data-id"), id);
  assert.equal(await hit.locator("h2").textContent(), title);
  assert.equal(await hit.locator(".text").textContent(), text);
  assert.equal(await hit.locator(".id").textContent(), id);
  const [evil, long] = [EVIL, LONG].map((value) => `${value.slice(0, 120)}…`);
  assert.deepEqual(await hit.locator("dt, dd").allTextContents(), [EVIL, evil, LONG, long]);
  await nothing(page);
}

/** No element is there that the pages do not write. */
async function nothing(page) {
  const found = await page.evaluate(() => ({
    elements: window.document.querySelectorAll("img, iframe, object, embed, style, base, [style]").length,
    scripts: [...window.document.scripts].map((it) => it.getAttribute("src")),
    handlers: [...window.document.querySelectorAll("*")].filter((it) =>
      it.getAttributeNames().some((name) => name.startsWith("on")),
    ).length,
    links: [...window.document.links].filter((it) => it.origin !== location.origin).length,
  }));
  const { scripts, ...rest } = found;
  assert.deepEqual(rest, { elements: 0, handlers: 0, links: 0 });
  assert(scripts.every((src) => src === "/page.js") && scripts.length <= 1, `${scripts}`);
}

/** Changes documents by the API, and waits until it is done. */
async function change({ address }, method, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${address}/indexes/docs/documents`, { method, headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 202, await answer.clone().text());
  const { status } = await answer.json();
  for (let tries = 0; tries < 300; tries += 1) {
    const job = await (await fetch(address + status)).json();
    if (job.state !== "waiting") return assert.equal(job.state, "done", JSON.stringify(job));
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail("a change was not made in 30 s");
}
