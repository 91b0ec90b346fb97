import assert from "node:assert/strict";
import { knob, search, turn } from "../stage.mjs";

export default async function calm(stage) {
  const glides = async (reducedMotion) => {
    const page = await stage.page(search({ lanes: 1 }), { reducedMotion });
    await page.evaluate(() => {
      window.glided = 0;
      const { animate } = Element.prototype;
      Element.prototype.animate = function (...how) {
        window.glided += 1;
        return animate.apply(this, how);
      };
    });
    await turn(page, () => knob.rerank(page, false));
    await page.waitForSelector(".change");
    return page.evaluate(() => window.glided);
  };
  assert((await glides("no-preference")) > 0, "hits glide to their places");
  assert.equal(await glides("reduce"), 0);
}
