// The page: what is done to the patient goes to the engine, and what it says is shown.

import { Drawing, number } from "./drawing.js";
import { card, gallery, make, interpretations, sentence, strips, table, verdictOf } from "./panels.js";
import { quiz } from "./quiz.js";
import { savePng, saveSvg } from "./save.js";
import { entry, fragment, lineText, question, state, take } from "./state.js";

const $ = (id) => document.getElementById(id);
const infos = new Map();
let names = [], study = null, answers = null, changed = [], current = "";

// ASKING

async function ask(path, posted) {
  const response = await fetch(path, posted && {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(posted),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function info(name) {
  if (!infos.has(name)) infos.set(name, await ask(`/api/set?name=${encodeURIComponent(name)}`));
  return infos.get(name);
}

const shownSets = () => state.sets.map((one) => infos.get(one.criteria));

function wrong(error) {
  $("wrong").textContent = error instanceof TypeError ? "The program does not answer; is it still running?" : error.message;
}

// One question at a time; of those that come up meanwhile the last is asked.
let asking = false, next = null;
async function decide(line) {
  next = { line };
  if (asking) return;
  asking = true;
  while (next) {
    const { line: typed } = next;
    next = null;
    try {
      const answer = await ask("/api/decide", question(typed));
      $("wrong").textContent = "";
      if (typed != null) {
        state.entries = answer.entries;
        const told = answer.sets[0].shown;
        const day = told?.ended ?? told?.onset ?? answer.entries[0].day;
        state.chosen = Math.max(0, state.entries.findIndex((one) => one.day === day));
      }
      answers = answer.sets.map((one, place) => ({ ...one, visits: infos.get(state.sets[place]?.criteria)?.visits }));
      show();
      rest();
    } catch (error) {
      wrong(error);
      document.querySelectorAll(".strip").forEach((one) => one.classList.add("waiting"));
    }
  }
  asking = false;
}

// What would turn the verdicts takes longer: it is asked when the hand rests, and shown if nothing was done meanwhile.
let resting;
function rest() {
  clearTimeout(resting);
  const shown = answers;
  resting = setTimeout(async () => {
    if (asking || shown !== answers) return;
    try {
      const { turns } = await ask("/api/turns", question());
      if (shown !== answers) return;
      answers.forEach((one, place) => { one.turns = turns[place]; });
      showCards();
    } catch (error) {
      wrong(error);
    }
  }, 250);
}

// WHAT IS DONE, AND TAKEN BACK

const past = [], future = [];
const snapshot = () => JSON.stringify([state.entries, state.baseline, state.discontinued, state.day_0, state.patient, state.chosen]);
function restore(text) {
  [state.entries, state.baseline, state.discontinued, state.day_0, state.patient, state.chosen] = JSON.parse(text);
}

function keep() {
  past.push(snapshot());
  future.length = 0;
}

function change(make_) {
  keep();
  make_();
  draw();
  decide();
}

function back(from, to) {
  if (!from.length) return;
  to.push(snapshot());
  restore(from.pop());
  draw();
  showPatient();
  decide();
}

function byDay() {
  const chosen = state.entries[state.chosen];
  state.entries.sort((one, two) => one.day - two.day);
  state.chosen = Math.max(0, state.entries.indexOf(chosen));
}

function add(day, count) {
  change(() => {
    const made = entry(day, String(count));
    state.entries.push(made);
    state.chosen = state.entries.length - 1;
    byDay();
  });
  drawing.focus();
}

/** A count after the one chosen, halfway to the next, as high. */
function addNext() {
  const one = state.entries[state.chosen], two = state.entries[state.chosen + 1];
  if (!one) return add(0, 15);
  const day = two && two.day > one.day + 1 ? Math.floor((one.day + two.day) / 2) : one.day + 7;
  return add(day, number(one.count) ?? 15);
}

function drop() {
  if (state.entries.length < 2) return say("The last observation stays.");
  change(() => {
    state.entries.splice(state.chosen, 1);
    state.chosen = Math.min(state.chosen, state.entries.length - 1);
  });
  return drawing.focus();
}

let dragging = false;
const drawing = new Drawing($("drawing"), {
  choose(index) { state.chosen = index; show(); },
  move(index, day, count) {
    const one = state.entries[index];
    if (!dragging) keep();
    dragging = true;
    if (one.day === day && one.count === count) return;
    one.rescue_to += day - one.day;
    Object.assign(one, { day, count });
    draw();
    decide();
  },
  settle(moved) {
    dragging = false;
    if (!moved) return show();
    byDay();
    draw();
    return decide();
  },
  add,
});

function nudge(days, counts) {
  const one = state.entries[state.chosen];
  if (!one || (counts && one.count === "")) return;
  change(() => {
    one.day += days;
    one.rescue_to += days;
    if (counts) one.count = one.count.replace(/[\d.]+$/, (text) => String(Math.max(0, Math.round((Number(text) + counts) * 10) / 10)));
    byDay();
  });
}

const KEYS = {
  ArrowUp: (big) => nudge(0, big ? 10 : 1),
  ArrowDown: (big) => nudge(0, big ? -10 : -1),
  ArrowLeft: (big) => (big ? nudge(-1, 0) : choose(state.chosen - 1)),
  ArrowRight: (big) => (big ? nudge(1, 0) : choose(state.chosen + 1)),
  Home: () => choose(0),
  End: () => choose(state.entries.length - 1),
  Delete: drop, Backspace: drop, Insert: addNext, n: addNext,
  b: () => change(() => { const one = state.entries[state.chosen]; one.bleed = { 0: "1", 1: "2", 2: "3", 3: "4", 4: "?", "?": "0" }[one.bleed]; }),
  r: () => change(() => { const one = state.entries[state.chosen]; one.rescue = !one.rescue; one.rescue_to = one.day; }),
};

function choose(index, focus = true) {
  state.chosen = Math.max(0, Math.min(index, state.entries.length - 1));
  show();
  if (focus) drawing.focus();
}

$("drawing").addEventListener("keydown", (event) => {
  if (!event.target.closest(".obs") || event.ctrlKey || event.metaKey || event.altKey) return;
  const done = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!done) return;
  event.preventDefault();
  done(event.shiftKey);
});
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.matches("input, textarea")) return;
  const key = event.key.toLowerCase();
  if (key === "z" || key === "y") {
    event.preventDefault();
    if (key === "y" || event.shiftKey) back(future, past);
    else back(past, future);
  }
});

// SHOWING

function say(text) {
  $("done").textContent = text;
  setTimeout(() => { if ($("done").textContent === text) $("done").textContent = ""; }, 4000);
}

/** What does not wait for the engine. */
function draw() {
  drawing.show(state, answers ?? []);
  if (document.activeElement !== $("timeline")) $("timeline").value = lineText();
  inspector();
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
  history.replaceState(null, "", `#${fragment()}`);
}

function show() {
  draw();
  replace($("strips"), strips(state, shownSets(), answers, names, on));
  const text = sentence(answers);
  if ($("said").textContent !== text) $("said").textContent = text;
  showCards();
  $("table").replaceChildren(table(state.entries, answers?.[0], on));
  showCases();
}

function showCards() {
  const chosen = state.entries[state.chosen]?.day;
  replace($("cards"), (answers ?? []).map((one, place) => card(one, infos.get(one.name), place, chosen, on)));
}

/** New content in which the same control keeps the focus. */
function replace(place, made) {
  const controls = () => [...place.querySelectorAll("button, select, input, a")];
  const at = controls().indexOf(document.activeElement);
  place.replaceChildren(...made);
  if (at >= 0) controls()[at]?.focus();
}

function showCases() {
  const first = infos.get(state.sets[0]?.criteria);
  if (!first) return;
  const key = [first.name, answers?.[0]?.shown?.endpoint, $("find").value, current].join("|");
  if ($("examples").dataset.key === key) return;
  $("examples").dataset.key = key;
  $("gallery-about").textContent = `${first.examples.length} invented patients of ${first.name}, each to show one thing. Take one and change it.`;
  replace($("examples"), gallery(first, answers?.[0]?.shown?.endpoint, $("find").value, current, on));
}

function showReadings() {
  replace($("interpretations-body"), interpretations(state, shownSets(), changed, on));
}

function field(label, control) {
  return make("label", {}, label, control);
}

function inspector() {
  const one = state.entries[state.chosen], form = $("inspector");
  if (!one) return form.replaceChildren();
  // A field being typed in is left alone.
  if (form.contains(document.activeElement) && form.dataset.chosen === String(state.chosen) && document.activeElement.matches("input:not([type=checkbox])")) return null;
  const at = [...form.querySelectorAll("input, select, button")].indexOf(document.activeElement);
  form.dataset.chosen = state.chosen;
  const set = (key) => (event) => change(() => { one[key] = event.target.value.trim(); });
  const day = (key) => (event) => { if (event.target.value !== "") change(() => { if (key === "day") one.rescue_to += Number(event.target.value) - one.day; one[key] = Number(event.target.value); byDay(); }); };
  const declared = new Map(shownSets().flatMap((each) => each?.columns ?? []).filter((each) => each.table === "visits").map((each) => [each.name, each]));
  form.replaceChildren(
    field("Day", make("input", { type: "number", value: one.day, onchange: day("day") })),
    field("Count", make("input", { type: "text", inputMode: "decimal", value: one.count, placeholder: "none", title: "a number; <10 and >1000 are bounds; empty: no count", onchange: set("count") })),
    field("Bleeding", make("select", { onchange: set("bleed") }, ...[["0", "none"], ["1", "grade 1"], ["2", "grade 2"], ["3", "grade 3"], ["4", "grade 4"], ["?", "not recorded"]].map(([value, words]) => make("option", { value, selected: one.bleed === value }, words)))),
    make("label", { className: "tick" }, make("input", { type: "checkbox", checked: one.rescue, onchange: (event) => change(() => { one.rescue = event.target.checked; one.rescue_to = one.day; }) }), "Rescue begins"),
    ...(one.rescue ? [
      field("to day", make("input", { type: "number", value: one.rescue_to, min: one.day, onchange: day("rescue_to") })),
      field("named", make("input", { type: "text", value: one.rescue_name, placeholder: "any", onchange: set("rescue_name") })),
    ] : []),
    ...[...declared.values()].map((each) => field(each.name.replaceAll("_", " "), cell(each, one.columns))),
    make("button", { type: "button", onclick: drop }, "Delete this observation"),
  );
  const again = form.querySelectorAll("input, select, button")[at];
  if (at >= 0) again?.focus();
  return null;
}

/** A control for a column that a set declares; empty is not recorded. */
function cell(column, values) {
  const set = (event) => change(() => { values[column.name] = event.target.value.trim(); });
  const value = values[column.name] ?? "";
  if (column.type !== "truth") return make("input", { type: "text", value, onchange: set });
  return make("select", { onchange: set }, ...[["", "not said"], ["yes", "yes"], ["no", "no"]].map(([name, words]) => make("option", { value: name, selected: name === value }, words)));
}

function showPatient() {
  const declared = new Map(shownSets().flatMap((each) => each?.columns ?? []).filter((each) => each.table === "patients").map((each) => [each.name, each]));
  const bound = (key, type, placeholder) => make("input", { type, value: state[key], placeholder, onchange: (event) => change(() => { state[key] = event.target.value.trim(); }) });
  replace($("patient"), [
    field("Baseline", bound("baseline", "text", "as counted")),
    field("Treatment stopped on day", bound("discontinued", "number", "never")),
    field("Date of day 0", bound("day_0", "date", "")),
    ...[...declared.values()].map((each) => field(each.name.replaceAll("_", " "), cell(each, state.patient))),
  ]);
}

// WHAT IS CHOSEN

async function show_(sets) {
  await Promise.all(sets.map((one) => info(one.criteria)));
}

async function who() {
  changed = await Promise.all(state.sets.map((one) =>
    one.interpretations.length ? ask("/api/changes", { criteria: one.criteria, interpretations: one.interpretations }) : null));
  showReadings();
}

async function chosenSets() {
  await show_(state.sets);
  showPatient();
  await Promise.all([decide(), who()]);
}

const on = {
  async set(place, name) {
    state.sets[place] = { criteria: name, endpoint: null, interpretations: [] };
    await chosenSets();
  },
  endpoint(place, name) {
    state.sets[place].endpoint = name;
    decide();
  },
  async beside() {
    const other = names.find((one) => one.name === "iwg_2009" && one.name !== state.sets[0].criteria) ?? names[0];
    // The one that stands for the same, so that like lies beside like.
    const { role } = infos.get(state.sets[0].criteria).criteria.find((one) => one.name === answers?.[0].shown?.endpoint) ?? {};
    const like = role && (await info(other.name)).criteria.find((one) => one.role === role);
    state.sets.push({ criteria: other.name, endpoint: like?.name ?? null, interpretations: [] });
    await chosenSets();
  },
  async alone() {
    state.sets.length = 1;
    await chosenSets();
  },
  async interpretation(place, id, taken) {
    const shown = state.sets[place];
    // In the order of the file, as the engine applies them.
    const ids = infos.get(shown.criteria).interpretations.map((one) => one.id);
    shown.interpretations = ids.filter((one) => (one === id ? taken : shown.interpretations.includes(one)));
    await Promise.all([decide(), who()]);
  },
  async example(name, which) {
    const set = await info(name);
    load(set.examples.find((one) => one.name === which), which);
  },
  choose,
  day(day) {
    choose(state.entries.findIndex((one) => one.day === day));
  },
};

/** A patient of the gallery or of the file in place of the one shown. */
function load(one, name) {
  keep();
  current = name;
  Object.assign(state, { baseline: one.baseline ?? "", discontinued: one.discontinued ?? "", day_0: one.day_0 ?? "", patient: { ...one.patient }, chosen: 0 });
  showPatient();
  decide(one.timeline);
  say(one.because ? `${name}: ${one.because}` : name);
  $("play").scrollIntoView();
}

// A FILE'S PATIENTS

async function list(part) {
  const found = await ask(`/api/patients?part=${encodeURIComponent(part)}`);
  const more = found.found > found.ids.length ? ` The first ${found.ids.length} of ${found.found}.` : "";
  $("study-ids").replaceChildren(...found.ids.map((id) => make("button", { onclick: async () => {
    const one = await ask(`/api/patient?id=${encodeURIComponent(id)}`);
    if (!one.timeline) return say(`${id} has no observations.`);
    load(one, id);
    return one.unsaid.length ? say([id, ...one.unsaid].join(" ")) : null;
  } }, id)), more);
}

function showStudy() {
  if (!study) return;
  $("study").replaceChildren(
    make("h3", {}, `The ${study.patients} patients of ${study.source}`),
    make("label", { className: "find" }, "Find ", make("input", { type: "search", oninput: (event) => list(event.target.value) })),
    make("div", { id: "study-ids", className: "choices" }));
  list("");
}

// THE CONTROLS

// On a phone the drawing and the controls under it stay together.
$("lanes").checked = drawing.lanes = !matchMedia("(max-width: 640px)").matches;
$("add").onclick = addNext;
$("undo").onclick = () => back(past, future);
$("redo").onclick = () => back(future, past);
$("zoom").onchange = (event) => { state.zoom = Number(event.target.value); draw(); };
$("lanes").onchange = (event) => { drawing.lanes = event.target.checked; draw(); };
$("find").oninput = showCases;
$("inspector").onsubmit = (event) => event.preventDefault();
let typing;
$("timeline").oninput = () => {
  clearTimeout(typing);
  typing = setTimeout(() => { keep(); decide($("timeline").value.replaceAll("\n", " ")); }, 150);
};
const copy = async (text, done) => {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    say("The browser does not allow copying; the line and the address are there to be marked.");
  }
};
$("copy-line").onclick = () => copy(lineText(), "The line is copied.");
$("copy-link").onclick = () => copy(location.href, "The link is copied; it works while this page is served at this address.");
const caption = () => [lineText(), ...(answers ?? []).filter((one) => one.shown).map((one) => `${one.name}, ${verdictOf(one)}`)];
$("save-svg").onclick = () => saveSvg($("drawing").firstElementChild, caption());
$("save-png").onclick = () => savePng($("drawing").firstElementChild, caption());
let width = 0;
new ResizeObserver(([one]) => {
  if (one.contentRect.width !== width && state.entries.length) draw();
  width = one.contentRect.width;
}).observe($("drawing"));
addEventListener("hashchange", () => {
  const line = take(location.hash.slice(1));
  if (line) begin(line);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("drawing").scrollIntoView();
  $("drawing").querySelector(".obs[tabindex='0'], .obs")?.focus();
});
for (const link of document.querySelectorAll("[data-part]")) {
  // The fragment holds the state, so a part of the page is gone to by hand.
  link.addEventListener("click", (event) => {
    event.preventDefault();
    $(link.dataset.part).scrollIntoView();
    $(link.dataset.part).querySelector("h2, .strip select")?.focus();
  });
}

// THE BEGINNING

const FIRST = "d0 15, d7 18, d14 24, d22 40, d28 45, d42 62, d56 80 bleed 1, d70 95, d84 110, d112 120, d140 90, d168 75, d196 60, d224 64, d252 55, d280 70, d308 58, d336 62, d364 66";

async function begin(line) {
  await show_(state.sets);
  $("zoom").value = state.zoom;
  showPatient();
  state.entries = [];
  await Promise.all([decide(line), who()]);
}

const listed = await ask("/api/sets");
names = listed.sets;
study = listed.study;
const given = take(location.hash.slice(1));
if (!given) state.sets = [{ criteria: listed.first, endpoint: null, interpretations: [] }];
try {
  await begin(given ?? FIRST);
} catch (error) {
  wrong(error);
}
showStudy();
quiz($("quiz-body"), {
  ask: async (seed, hard) => (await ask("/api/quiz", { criteria: state.sets[0].criteria, seed, hard })).questions,
  async why({ criteria, endpoint, timeline }) {
    const answer = await ask("/api/decide", { timeline, sets: [{ criteria, endpoint }] });
    const { lines, further, missing } = answer.sets[0].shown.explained;
    return [...lines.map((line) => [`day ${line.day}`, line.seen, line.means]), ...further.map((text) => [text]), ...(missing ? [[`missing: ${missing}`]] : [])];
  },
  async load({ criteria, endpoint }, timeline) {
    state.sets[0] = { criteria, endpoint, interpretations: [] };
    await chosenSets();
    load({ timeline }, "The question of the quiz");
  },
});
document.documentElement.dataset.ready = "yes";
