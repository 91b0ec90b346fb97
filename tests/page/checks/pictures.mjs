import { knob, search, turn, still } from "../stage.mjs";

/** What the guide shows: docs/page holds these, of a model with a router, in fewer colours. */
export default async function pictures(stage) {
  // the first search of a page is slower than those that follow
  const warm = async (path, options) => {
    const page = await stage.page(path, options);
    await page.reload();
    await page.reload();
    return page;
  };
  const wide = { viewport: { width: 1120, height: 860 } };
  const light = await warm(search({ q: "what happens when a run is stopped?", lanes: 1 }), wide);
  await stage.keep("guide-light", light);

  const dark = await warm(search({ lanes: 2, rerank: 0 }), { ...wide, colorScheme: "dark" });
  await turn(dark, () => knob.rerank(dark, true));
  await still(dark);
  await stage.keep("guide-dark", dark);

  const phone = { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const small = await warm(search({ lanes: 1 }), phone);
  await small.click(".options > summary"); // they are unfolded where one was turned
  await stage.keep("guide-phone", small);
  await stage.keep("guide-statistics", await stage.page("/stats?index=docs", wide));
}
