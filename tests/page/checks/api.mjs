import assert from "node:assert/strict";

export default async function api(stage) {
  const page = await stage.page("/api");
  const { paths } = await (await fetch(`${stage.address}/openapi.json`)).json();
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const told = await page.locator("h2 code").allTextContents();
  assert(all.length > 5);
  assert.deepEqual(told.sort(), all.sort());
  assert.equal(await page.getAttribute(".lead a", "href"), "/openapi.json");
  assert.equal(await page.locator("script").count(), 0);
  assert.equal(await page.getAttribute("nav [aria-current=page]", "href"), "/api");

  // every filter of the table is one
  const filters = await page.locator("#filters + table tbody th").allTextContents();
  assert(filters.length > 3);
  for (const filter of filters) {
    const answer = await fetch(`${stage.address}/?${new URLSearchParams({ q: "a", filter })}`);
    assert.equal(answer.status, 200, filter);
  }
  await stage.keep("api", page);
  return `${all.length} operations`;
}
