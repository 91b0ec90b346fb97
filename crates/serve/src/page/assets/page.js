// FastLane's search page. Without this script the form works as forms do. With it results follow as
// one types, what belongs together lights up together, and keys lead from hit to hit.

const [form, results, said, failed] = ["ask", "results", "said", "failed"].map((id) => document.getElementById(id));
const input = form.elements.q;
const server = "/";
const all = (selector) => [...results.querySelectorAll(selector)];

let answered = wanted(); // what the results on the page answer
let running = new AbortController();
let timer;

/** The form, less what is empty; of a name that stands twice the last value holds. */
function wanted() {
  const fields = Object.entries(Object.fromEntries(new FormData(form)));
  return new URLSearchParams(fields.filter(([, value]) => value.trim()));
}

async function ask() {
  clearTimeout(timer);
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const asked = wanted();
  try {
    const answer = await fetch(`${server}?${asked}&fragment=1`, { signal });
    const text = await answer.text();
    if (answer.ok) show(text, asked);
    else fail(sentence(text));
  } catch {
    if (!signal.aborted) fail("The server does not answer.");
  }
}

function show(html, asked) {
  const before = look();
  results.innerHTML = html;
  failed.textContent = "";
  said.textContent = all(".tally")[0]?.dataset.said ?? "";
  document.title = [asked.get("q"), "FastLane"].filter(Boolean).join(" – ");
  history.replaceState(null, "", `?${asked}`);
  const index = new URLSearchParams({ index: asked.get("index") ?? "" });
  document.querySelectorAll("a[data-index]").forEach((link) => (link.search = index));
  form.elements.filter.removeAttribute("aria-invalid"); // the message it points to is gone
  const same = ["q", "index"].every((name) => asked.get(name) === answered.get(name));
  if (same) compare(before, look(), turned(answered, asked));
  answered = asked;
}

/** The sentence of a failed search: pages answer with it alone, the API and its keys with JSON. */
const sentence = (text) => (text.startsWith("{") ? `${JSON.parse(text).error.message}.` : text);

/** Says what went wrong, and leaves the results as they are. */
function fail(why) {
  failed.textContent = all("[data-id]").length ? `${why} Below is what the search before found.` : why;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
document.addEventListener("input", ({ target }) => {
  if (target.form !== form) return;
  clearTimeout(timer);
  timer = setTimeout(ask, target.matches("[type=search], [type=text]") ? 120 : 0);
});

// Comparing with the search before, where only knobs were turned.

/** Where each hit is, and how long each stage took. */
function look() {
  const hits = all("[data-id]").map((hit, place) => [hit.dataset.id, { place, top: hit.offsetTop }]);
  const stages = all("[data-us]").map((stage) => [stage.dataset.stage, Number(stage.dataset.us)]);
  return { hits: new Map(hits), stages: new Map(stages) };
}

/** Which knobs were turned: `rerank 100 → 0`. */
function turned(from, to) {
  const names = [...new Set([...from.keys(), ...to.keys()])].filter((name) => from.get(name) !== to.get(name));
  const turn = (name) => `${name} ${from.get(name) ?? "none"} → ${to.get(name) ?? "none"}`;
  return names.map(turn).join(", ") || "asked again";
}

function compare(before, after, knobs) {
  if (!before.stages.size || !after.stages.size) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const hit of all("[data-id]")) {
    const [was, is] = [before, after].map(({ hits }) => hits.get(hit.dataset.id));
    const up = was && was.place - is.place;
    const slide = was && !calm && { translate: [`0 ${was.top - is.top}px`, "0 0"] };
    if (slide) hit.animate(slide, { duration: 300, easing: "ease-out" });
    const rank = hit.querySelector(".rank");
    if (!was) note(rank, "move new", "new");
    if (up > 0) note(rank, "move", `▲${up}`, { role: "img", ariaLabel: `up ${up}` });
    if (up < 0) note(rank, "move", `▼${-up}`, { role: "img", ariaLabel: `down ${-up}` });
  }
  const signed = (us) => `${Math.abs(us) < 50 ? "±" : us < 0 ? "−" : "+"}${Math.abs(us / 1000).toFixed(1)}`;
  const longer = (name) => after.stages.get(name) - (before.stages.get(name) ?? 0);
  for (const stage of all("[data-us]")) {
    const more = longer(stage.dataset.stage);
    if (Math.abs(more) >= 50) note(stage.querySelector("dd"), "delta", signed(more));
  }
  const most = Math.max(before.stages.get("total"), after.stages.get("total"));
  all(".time")[0].setAttribute("viewBox", `0 0 ${most} 10`); // a shorter time is a shorter bar
  const [moved, fresh] = [all(".move").length, all(".move.new").length];
  const order = moved ? `${moved - fresh} moved, ${fresh} new` : "the same order";
  const words = `${knobs}: ${signed(longer("total"))} ms, ${order}`;
  note(all(".tally")[0], "change", words);
  said.textContent += `; ${words}`;
}

/** Adds a few words to an element. */
function note(element, className, textContent, more) {
  element.append(Object.assign(document.createElement("span"), { className, textContent, ...more }));
}

/** Lights up what matches: tokens, marks, rows; each hit tells its row, as its mark may be out of sight. */
function light({ type, target, relatedTarget }) {
  const to = type === "focusout" ? relatedTarget : target;
  const from = to?.closest("[data-token]") ?? document.activeElement.closest("[data-token]");
  all(".lit").forEach((old) => old.classList.remove("lit"));
  all(".match").forEach((old) => old.remove());
  const tokens = from?.dataset.token.split(" ") ?? [];
  tokens.flatMap((token) => all(`[data-token~="${token}"]`)).forEach((twin) => twin.classList.add("lit"));
  for (const row of all("tr.lit")) {
    const [query, , found, product] = [...row.cells].map((cell) => cell.firstChild?.textContent ?? "");
    note(row.closest("details").firstElementChild, "match", `${query} → ${found} ${product}`, { ariaHidden: "true" });
  }
}
for (const kind of ["pointerover", "pointerleave", "focusin", "focusout"]) results.addEventListener(kind, light);

// Keys. Letters lead on only while a hit, or something in it, has the focus, and `/` does nothing while
// a field or a knob has it: who speaks or types to other ends does not jump about.
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const by = { ArrowDown: 1, ArrowUp: -1, ...(target.closest("[data-id]") && { j: 1, k: -1 }) }[key];
  const free = target.form !== form; // fields and knobs have keys of their own
  if (key === "/" && free) back();
  else if (key === "Escape" && target !== input) back();
  else if (key === "Enter" && target.matches("[data-id]")) target.querySelector("summary").click();
  else if (by && (free || target === input) && all("[data-id]").length) step(by);
  else return;
  event.preventDefault();
});

function step(by) {
  const hits = all("[data-id]");
  const next = hits.indexOf(document.activeElement.closest("[data-id]")) + by;
  return next < 0 ? back() : (hits[next] ?? hits.at(-1)).focus();
}

function back() {
  input.focus();
  input.select();
}

if (matchMedia("(hover: hover)").matches) input.setSelectionRange(input.value.length, input.value.length);
