// The page: sends each change of the patient to the engine, and shows its answer.

import { Drawing, number } from "./drawing.js";
import {
  card, gallery, interpretations, legend, make, matchingExamples, matchingSets, reasons, sentence, setButtons, strips, table, verdictInWords,
} from "./panels.js";
import { quiz } from "./quiz.js";
import { savePng, saveSvg } from "./save.js";
import { besideLink, entry, fragment, lineText, loaded, patientRequest, readLink, state, whoseInWords } from "./state.js";

const $ = (id) => document.getElementById(id);
const infos = new Map();
let names = [], study = null, answers = null, reclassified = [], current = "";

// REQUESTS TO THE ENGINE

async function ask(path, content) {
  const response = await fetch(path, content && {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function info(name) {
  if (!infos.has(name)) infos.set(name, await ask(`/api/set?name=${encodeURIComponent(name)}`));
  return infos.get(name);
}

const shownSets = () => state.sets.map(({ criteria }) => infos.get(criteria));

/** Shows an error beside the field that it names, as `baseline: …` does; else under the timeline. */
function showError(error) {
  clearErrors();
  const text = error instanceof TypeError ? "The program does not answer; is it still running?" : error.message;
  const field = document.getElementsByName(text.split(":")[0])[0];
  const trouble = field?.closest(".line, label") ? make("p", { className: "error", role: "alert", id: "wrong" }, text) : $("trouble");
  if (trouble === $("trouble")) trouble.textContent = text;
  else {
    field.closest(".line, label").append(trouble);
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "wrong");
  }
}

function clearErrors() {
  $("trouble").textContent = "";
  $("wrong")?.remove();
  for (const field of document.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}

// One request at a time; of the requests that come up meanwhile, the last one follows.
let deciding = false, next = null;
async function decide(line) {
  next = { line };
  if (deciding) return;
  deciding = true;
  while (next) {
    const { line: typed } = next;
    next = null;
    try {
      const answer = await ask("/api/decide", patientRequest(typed));
      clearErrors();
      if (typed != null) {
        state.entries = answer.entries;
        loaded();
        const { shown } = answer.sets[0];
        const day = shown?.ended ?? shown?.onset ?? answer.entries[0].day;
        state.chosen = Math.max(0, state.entries.findIndex((candidate) => candidate.day === day));
      }
      answers = answer.sets.map((set, index) => {
        const { visits, day_0 } = infos.get(state.sets[index]?.criteria) ?? {};
        return { ...set, visits, day_0 };
      });
      show();
      askCounterfactuals();
    } catch (error) {
      showError(error);
      document.querySelectorAll(".strip").forEach((strip) => strip.classList.add("waiting"));
    }
  }
  deciding = false;
}

// Counterfactuals take longer than results: they are asked after a pause, and shown if nothing has changed meanwhile.
let pause;
function askCounterfactuals() {
  clearTimeout(pause);
  const shown = answers;
  pause = setTimeout(async () => {
    if (deciding || dragging || shown !== answers) return;
    try {
      const { counterfactuals } = await ask("/api/counterfactuals", patientRequest());
      if (shown !== answers) return;
      answers.forEach((answer, index) => { answer.counterfactuals = counterfactuals[index]; });
      showReasons();
    } catch (error) {
      showError(error);
    }
  }, 250);
}

// CHANGES, UNDO AND REDO

const past = [], future = [];
const snapshot = () => JSON.stringify([state.entries, state.baseline, state.discontinued, state.day_0, state.patient, state.chosen, state.whose]);
function restore(text) {
  [state.entries, state.baseline, state.discontinued, state.day_0, state.patient, state.chosen, state.whose] = JSON.parse(text);
}

function keep() {
  past.push(snapshot());
  future.length = 0;
  say("");
}

function change(edit) {
  keep();
  edit();
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

function sortEntries() {
  const chosen = state.entries[state.chosen];
  state.entries.sort((earlier, later) => earlier.day - later.day);
  state.chosen = Math.max(0, state.entries.indexOf(chosen));
}

function add(day, count) {
  change(() => {
    state.entries.push(entry(day, String(count)));
    state.chosen = state.entries.length - 1;
    sortEntries();
  });
  drawing.focus();
}

/** Adds a count as high as the chosen one, halfway to the next observation. */
function addNext() {
  const chosen = state.entries[state.chosen], following = state.entries[state.chosen + 1];
  if (!chosen) return add(0, 15);
  const hasRoom = following && following.day > chosen.day + 1;
  const day = hasRoom ? Math.floor((chosen.day + following.day) / 2) : chosen.day + 7;
  return add(day, number(chosen.count) ?? 15);
}

function deleteChosen() {
  if (state.entries.length < 2) return say("The last observation cannot be deleted.");
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
    const moving = state.entries[index];
    if (!dragging) keep();
    dragging = true;
    if (moving.day === day && moving.count === count) return;
    moving.rescue_to += day - moving.day;
    Object.assign(moving, { day, count });
    draw();
    decide();
  },
  settle(hasMoved) {
    dragging = false;
    if (!hasMoved) return show();
    sortEntries();
    draw();
    return decide();
  },
  add,
});

function nudge(days, counts) {
  const chosen = state.entries[state.chosen];
  if (!chosen || (counts && chosen.count === "")) return;
  change(() => {
    chosen.day += days;
    chosen.rescue_to += days;
    if (counts) chosen.count = chosen.count.replace(/[\d.]+$/, (text) => String(Math.max(0, Math.round((Number(text) + counts) * 10) / 10)));
    sortEntries();
  });
}

const changeChosen = (edit) => change(() => edit(state.entries[state.chosen]));

const KEYS = {
  ArrowUp: (big) => nudge(0, big ? 10 : 1),
  ArrowDown: (big) => nudge(0, big ? -10 : -1),
  ArrowLeft: (big) => (big ? nudge(-1, 0) : choose(state.chosen - 1)),
  ArrowRight: (big) => (big ? nudge(1, 0) : choose(state.chosen + 1)),
  Home: () => choose(0),
  End: () => choose(state.entries.length - 1),
  Delete: deleteChosen, Backspace: deleteChosen, Insert: addNext, n: addNext,
  b: () => changeChosen((chosen) => { chosen.bleed = { 0: "1", 1: "2", 2: "3", 3: "4", 4: "?", "?": "0" }[chosen.bleed]; }),
  r: () => changeChosen((chosen) => { chosen.rescue = !chosen.rescue; chosen.rescue_to = chosen.day; }),
};

function choose(index, focus = true) {
  state.chosen = Math.max(0, Math.min(index, state.entries.length - 1));
  show();
  if (focus) drawing.focus();
}

$("drawing").addEventListener("keydown", (event) => {
  if (!event.target.closest(".obs") || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action(event.shiftKey);
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

/** A message beside the name of the patient; it stays until the next change. */
function say(text) {
  $("done").textContent = text;
}

/** Shows all that does not wait for the engine. */
function draw() {
  drawing.show(state, answers ?? []);
  $("scrolls").hidden = $("drawing").scrollWidth <= $("drawing").clientWidth;
  $("legend").replaceChildren(...legend(state.entries, answers, drawing.lanes));
  if (document.activeElement !== $("timeline")) $("timeline").value = lineText();
  inspector();
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
  $("whose").textContent = whoseInWords(study?.source);
  history.replaceState(besideLink(), "", `#${fragment()}`);
}

function show() {
  draw();
  replace($("strips"), strips(state, shownSets(), answers, names, on));
  showReasons();
  const text = sentence(answers);
  if ($("said").textContent !== text) $("said").textContent = text;
  showCards();
  $("table").replaceChildren(table(state.entries, answers?.[0], on));
  showExamples();
}

function showReasons() {
  // The timeline must not move up under a finger that drags.
  $("reasons").style.minHeight = dragging ? `${$("reasons").offsetHeight}px` : "";
  $("reasons").replaceChildren(...reasons(state, answers));
}

function showCards() {
  const chosen = state.entries[state.chosen]?.day;
  replace($("cards"), (answers ?? []).map((answer, index) => card(answer, infos.get(answer.name), index, chosen, on)));
}

/** Replaces the content; the same control keeps the focus. */
function replace(container, content) {
  const controls = () => [...container.querySelectorAll("button, select, input, a")];
  const at = controls().indexOf(document.activeElement);
  container.replaceChildren(...content);
  if (at >= 0) controls()[at]?.focus();
}

function showExamples() {
  const first = infos.get(state.sets[0]?.criteria);
  if (!first) return;
  const key = [first.name, answers?.[0]?.shown?.endpoint, $("find").value, current].join("|");
  if ($("examples").dataset.key === key) return;
  $("examples").dataset.key = key;
  $("gallery-about").textContent = `${first.examples.length} invented patients of ${first.short}. Each shows one point of the definition. Choose one and change it.`;
  const matching = matchingExamples(first, $("find").value);
  $("found").textContent = matching.length === first.examples.length ? "" : `${matching.length || "None"} of ${first.examples.length} worked examples match.`;
  replace($("examples"), gallery(first, matching, answers?.[0]?.shown?.endpoint, current, on));
}

function showInterpretations() {
  replace($("interpretations-body"), interpretations(state, shownSets(), reclassified, on));
}

function field(label, control) {
  return make("label", {}, label, control);
}

const BLEEDING = [["0", "none"], ["1", "grade 1"], ["2", "grade 2"], ["3", "grade 3"], ["4", "grade 4"], ["?", "not recorded"]];

/** Fields for the columns that the sets declare in a table, `visits` or `patients`. */
function columnFields(tableName, values) {
  const columns = shownSets().flatMap((set) => set?.columns ?? []).filter((column) => column.table === tableName);
  const declared = new Map(columns.map((column) => [column.name, column]));
  return [...declared.values()].map((column) => field(column.name.replaceAll("_", " "), columnControl(column, values)));
}

function inspector() {
  const chosen = state.entries[state.chosen], form = $("inspector");
  if (!chosen) return form.replaceChildren();
  // A field in which the user types keeps its text.
  if (form.contains(document.activeElement) && form.dataset.chosen === String(state.chosen) && document.activeElement.matches("input:not([type=checkbox])")) return null;
  const at = [...form.querySelectorAll("input, select, button")].indexOf(document.activeElement);
  form.dataset.chosen = state.chosen;
  const set = (key) => (event) => change(() => { chosen[key] = event.target.value.trim(); });
  const setDay = (key) => (event) => {
    if (event.target.value === "") return;
    change(() => {
      const day = Number(event.target.value);
      if (key === "day") chosen.rescue_to += day - chosen.day;
      chosen[key] = day;
      sortEntries();
    });
  };
  form.replaceChildren(
    field("Day", make("input", { type: "number", value: chosen.day, onchange: setDay("day") })),
    field("Count, ×10⁹/L", make("input", { type: "text", inputMode: "decimal", value: chosen.count, placeholder: "none", title: "A number. <10 and >1000 are results beyond a reporting limit. Empty: no count.", onchange: set("count") })),
    field("Bleeding", make("select", { onchange: set("bleed") }, ...BLEEDING.map(([value, words]) => make("option", { value, selected: chosen.bleed === value }, words)))),
    make("label", { className: "tick" }, make("input", { type: "checkbox", checked: chosen.rescue, onchange: (event) => change(() => { chosen.rescue = event.target.checked; chosen.rescue_to = chosen.day; }) }), "Rescue treatment starts"),
    ...(chosen.rescue ? [
      field("Rescue until day", make("input", { type: "number", value: chosen.rescue_to, min: chosen.day, onchange: setDay("rescue_to") })),
      field("Rescue treatment", make("input", { type: "text", value: chosen.rescue_name, placeholder: "not named", onchange: set("rescue_name") })),
    ] : []),
    ...columnFields("visits", chosen.columns),
    make("button", { type: "button", onclick: deleteChosen }, "Delete this observation"),
  );
  const control = form.querySelectorAll("input, select, button")[at];
  if (at >= 0) control?.focus();
  return null;
}

/** A control for a declared column; empty means not recorded. */
function columnControl(column, values) {
  const set = (event) => change(() => { values[column.name] = event.target.value.trim(); });
  const value = values[column.name] ?? "";
  if (column.type !== "truth") return make("input", { type: "text", name: column.name, value, onchange: set });
  return make("select", { name: column.name, onchange: set }, ...[["", "not recorded"], ["yes", "yes"], ["no", "no"]].map(([name, words]) => make("option", { value: name, selected: name === value }, words)));
}

function showPatient() {
  const input = (key, type, placeholder) => make("input", { type, name: key, value: state[key], placeholder, onchange: (event) => change(() => { state[key] = event.target.value.trim(); }) });
  replace($("patient"), [
    field("Baseline count, ×10⁹/L", input("baseline", "text", "from the counts")),
    field("Treatment discontinued on day", input("discontinued", "number", "not recorded")),
    field("Date of day 0", input("day_0", "date", "")),
    ...columnFields("patients", state.patient),
  ]);
}

// CHOOSING SETS

async function loadInfos(sets) {
  await Promise.all(sets.map(({ criteria }) => info(criteria)));
}

async function askReclassified() {
  reclassified = await Promise.all(state.sets.map(({ criteria, interpretations: chosen }) =>
    chosen.length ? ask("/api/reclassified", { criteria, interpretations: chosen }) : null));
  showInterpretations();
}

async function chosenSets() {
  await loadInfos(state.sets);
  showPatient();
  await Promise.all([decide(), askReclassified()]);
}

const on = {
  find: openFinder,
  async set(setNumber, name) {
    state.sets[setNumber] = { criteria: name, endpoint: null, interpretations: [] };
    await chosenSets();
  },
  endpoint(setNumber, name) {
    state.sets[setNumber].endpoint = name;
    decide();
  },
  async beside() {
    const other = names.find(({ name }) => name === "iwg_2009" && name !== state.sets[0].criteria) ?? names[0];
    // The corresponding endpoint of the other set has the same role.
    const { role } = infos.get(state.sets[0].criteria).endpoints.find(({ name }) => name === answers?.[0].shown?.endpoint) ?? {};
    const corresponding = role && (await info(other.name)).endpoints.find((endpoint) => endpoint.role === role);
    state.sets.push({ criteria: other.name, endpoint: corresponding?.name ?? null, interpretations: [] });
    await chosenSets();
  },
  async alone() {
    state.sets.length = 1;
    await chosenSets();
  },
  async interpretation(setNumber, id, isChosen) {
    const shown = state.sets[setNumber];
    // In the order of the file, as the engine applies them.
    const ids = infos.get(shown.criteria).interpretations.map((interpretation) => interpretation.id);
    shown.interpretations = ids.filter((other) => (other === id ? isChosen : shown.interpretations.includes(other)));
    await Promise.all([decide(), askReclassified()]);
  },
  async example(setName, name) {
    const set = await info(setName);
    load(set.examples.find((example) => example.name === name), { kind: "example", name });
  },
  choose,
  day(day) {
    choose(state.entries.findIndex((candidate) => candidate.day === day));
  },
};

/** Shows a patient of the gallery, of the study or of the quiz. */
function load(patient, { kind, name }) {
  keep();
  current = kind === "example" ? name : "";
  state.whose = { kind, name, asLoaded: null };
  Object.assign(state, {
    baseline: patient.baseline ?? "", discontinued: patient.discontinued ?? "", day_0: patient.day_0 ?? "",
    patient: { ...patient.patient }, chosen: 0,
  });
  showPatient();
  decide(patient.timeline);
  say(patient.because ?? "");
  $("play").scrollIntoView({ behavior: "instant" });
}

// FINDING A DEFINITION

let finding = 0;
function openFinder(setNumber) {
  finding = setNumber;
  $("finder-text").value = "";
  showFound();
  $("finder").showModal();
  $("finder-text").focus();
}

const foundSets = () => matchingSets(names, $("finder-text").value);

function showFound() {
  const found = foundSets();
  $("finder-number").textContent = found.length ? `${found.length} of ${names.length} definitions`
    : `No definition matches “${$("finder-text").value}”. Try a drug, a trial or a registry number.`;
  $("finder-list").replaceChildren(...setButtons(found, state.sets[finding]?.criteria, chooseSet));
}

async function chooseSet(name) {
  $("finder").close();
  await on.set(finding, name);
  document.querySelectorAll(".strip .definition")[finding]?.focus();
}

// THE PATIENTS OF A STUDY

async function list(part) {
  const { ids, matching, of } = await ask(`/api/patients?part=${encodeURIComponent(part)}`);
  $("study-found").textContent = !matching ? `No patient id contains “${part}”.`
    : matching > ids.length ? `The first ${ids.length} of ${matching} patients.` : `${matching} of ${of} patients.`;
  $("study-ids").replaceChildren(...ids.map((id) => make("button", { onclick: async () => {
    const patient = await ask(`/api/patient?id=${encodeURIComponent(id)}`);
    if (!patient.timeline) return say(`${id} has no observations.`);
    load(patient, { kind: "study", name: id });
    return patient.notes.length ? say(patient.notes.join(" ")) : null;
  } }, id)));
}

function showStudy() {
  if (!study) return;
  $("study").hidden = false;
  $("study").replaceChildren(
    make("h2", {}, `The ${study.patients} patients of ${study.source}`),
    make("p", {}, "The data are shown as recorded. Changes on this page are not saved to the study."),
    make("label", { className: "find" }, "Find a patient ", make("input", { type: "search", oninput: (event) => list(event.target.value) })),
    make("p", { id: "study-found", role: "status" }),
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
$("finder-text").oninput = showFound;
$("finder-close").onclick = () => $("finder").close();
// Enter chooses the first definition found.
$("finder-form").onsubmit = (event) => {
  event.preventDefault();
  const [first] = foundSets();
  if (first) chooseSet(first.name);
};
$("lanes").onchange = (event) => { drawing.lanes = event.target.checked; draw(); };
$("find").oninput = showExamples;
$("inspector").onsubmit = (event) => event.preventDefault();
let typing;
$("timeline").oninput = () => {
  clearTimeout(typing);
  typing = setTimeout(() => { keep(); decide($("timeline").value.replaceAll("\n", " ")); }, 150);
};
const copy = async (text, message) => {
  try {
    await navigator.clipboard.writeText(text);
    say(message);
  } catch {
    say("The browser does not allow copying. Select the line, or the address of the page, and copy it.");
  }
};
$("copy-line").onclick = () => copy(lineText(), "Line copied.");
$("copy-link").onclick = () => copy(location.href, "Link copied. It holds no patient id and no dates, and works while this page is served at this address.");
const caption = () => [whoseInWords(study?.source), lineText(), ...(answers ?? []).filter(({ shown }) => shown).map((answer) => `${answer.name}, ${verdictInWords(answer)}`)];
$("save-svg").onclick = () => saveSvg($("drawing").firstElementChild, caption());
$("save-png").onclick = () => savePng($("drawing").firstElementChild, caption());
let width = 0;
new ResizeObserver(([{ contentRect }]) => {
  if (contentRect.width !== width && state.entries.length) draw();
  width = contentRect.width;
}).observe($("drawing"));
addEventListener("hashchange", () => {
  const line = readLink(location.hash.slice(1), history.state);
  if (line) begin(line);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("drawing").scrollIntoView();
  $("drawing").querySelector(".obs[tabindex='0'], .obs")?.focus();
});
for (const link of document.querySelectorAll("[data-part]")) {
  // The fragment of the address is the state, so it cannot name a part of the page.
  link.addEventListener("click", (event) => {
    event.preventDefault();
    $(link.dataset.part).scrollIntoView();
    $(link.dataset.part).querySelector("h2, .strip button")?.focus();
  });
}

// THE BEGINNING

const FIRST = "d0 15, d7 18, d14 24, d22 40, d28 45, d42 62, d56 80 bleed 1, d70 95, d84 110, d112 120, d140 90, d168 75, d196 60, d224 64, d252 55, d280 70, d308 58, d336 62, d364 66";

async function begin(line) {
  await loadInfos(state.sets);
  $("zoom").value = state.zoom;
  showPatient();
  state.entries = [];
  await Promise.all([decide(line), askReclassified()]);
}

const listed = await ask("/api/sets");
names = listed.sets;
study = listed.study;
const linked = readLink(location.hash.slice(1), history.state);
if (!linked) state.sets = [{ criteria: listed.first, endpoint: null, interpretations: [] }];
try {
  await begin(linked ?? FIRST);
} catch (error) {
  showError(error);
}
showStudy();
quiz($("quiz-body"), {
  ask: async (seed, hard) => (await ask("/api/quiz", { criteria: state.sets[0].criteria, seed, hard })).questions,
  async why({ criteria, endpoint, timeline }) {
    const answer = await ask("/api/decide", { timeline, sets: [{ criteria, endpoint }] });
    const { lines, further, missing } = answer.sets[0].shown.explained;
    return [...lines.map((line) => line.slice(1)), ...further.map((text) => [text]), ...(missing ? [[`Missing: ${missing}`]] : [])];
  },
  async load({ criteria, endpoint }, timeline) {
    state.sets[0] = { criteria, endpoint, interpretations: [] };
    await chosenSets();
    load({ timeline }, { kind: "quiz", name: "" });
  },
});
document.documentElement.dataset.ready = "yes";
