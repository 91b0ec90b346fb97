// Drives the search page of a running service in a real browser, and fails where it is not right.
//
//   node drive.mjs ADDRESS FOLDER
//
// ADDRESS is http://127.0.0.1:PORT of a service of two indexes, `docs` first, of this project's docs.
// Screenshots go to FOLDER. CHROMIUM names the browser. tools/check/page does all of it.

import keys from "./checks/keys.mjs";
import lights from "./checks/lights.mjs";
import knobs from "./checks/knobs.mjs";
import typing from "./checks/typing.mjs";
import plain from "./checks/plain.mjs";
import failures from "./checks/failures.mjs";
import calm from "./checks/calm.mjs";
import statistics from "./checks/statistics.mjs";
import api from "./checks/api.mjs";
import accessible from "./checks/accessible.mjs";
import inert from "./checks/inert.mjs";
import pictures from "./checks/pictures.mjs";
import { Stage } from "./stage.mjs";

/** In this order: `inert` puts a document, and deletes it again. */
const checks = {
  "keys lead from hit to hit": keys,
  "what belongs together lights up, by hover and by focus": lights,
  "knobs change the search, and the page says what came of it": knobs,
  "results follow as one types, with few requests": typing,
  "all of it works without a script": plain,
  "failures are said, and the results stay": failures,
  "nothing moves where motion is reduced": calm,
  "the statistics say what the index is": statistics,
  "the API is described": api,
  "axe finds nothing on any page": accessible,
  "what people write stays text": inert,
  "pictures": pictures,
};

const [address, folder] = process.argv.slice(2);
if (!address || !folder) {
  console.error("usage: node drive.mjs ADDRESS FOLDER");
  process.exit(2);
}
const stage = await Stage.open(new URL(address).origin, folder);
let failed = 0;
try {
  console.log(`the model has ${stage.router ? "a router" : "no router: all tokens search"}`);
  for (const [name, check] of Object.entries(checks)) {
    const began = performance.now();
    try {
      const said = await check(stage);
      stage.quiet();
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`ok      ${name}${said ? `: ${said}` : ""} (${seconds} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
      await stage.keep(`failed-${Object.keys(checks).indexOf(name) + 1}`);
    } finally {
      await stage.clear();
    }
  }
} finally {
  await stage.close();
}
console.log(failed ? `${failed} checks failed: see ${folder}` : `${Object.keys(checks).length} checks, all good`);
process.exit(failed ? 1 : 0);
