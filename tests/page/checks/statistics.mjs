import assert from "node:assert/strict";

export default async function statistics(stage) {
  const about = await (await fetch(`${stage.address}/indexes`)).json();
  const page = await stage.page("/stats?index=docs");
  assert.equal(await page.textContent("h1"), "docs");
  const rows = Object.fromEntries(
    await page.$$eval(".stats tbody tr", (rows) => rows.map((row) => [...row.cells].map((it) => it.textContent))),
  );
  const { documents, views, dim } = about.indexes.find(({ name }) => name === "docs");
  assert.equal(rows.Documents, documents.toLocaleString("en"));
  assert.equal(rows.Views, `${views.toLocaleString("en")} × ${dim}`);
  assert(!rows.Model.includes("/"), "where the model lies is nobody's business");
  assert.equal(await page.locator("script").count(), 0, "a page to read has no script");
  assert.equal(await page.getAttribute("nav [aria-current=page]", "href"), "/stats?index=docs");
  await stage.keep("statistics", page);

  await page.click(".others >> text=guide");
  assert.equal(await page.textContent("h1"), "guide");
  await page.click("text=Search it");
  assert.equal(await page.inputValue("select"), "guide");
  assert.equal(await page.title(), "FastLane");
}
