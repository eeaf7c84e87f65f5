// The parts around the drawing: results, legend, definitions with their clauses, interpretations, worked examples, the table.

import { KEYS, effectMark, named, partOf, partsInWords, sketch, svg, truthName } from "./drawing.js";

/** An element; `on…` are listeners, other names properties, `data`, `aria…` and `role` attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value == null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== "" && child !== false));
  return element;
}

const VALUES = { Y: "met", N: "not met", NE: "not evaluable (missing data)", NA: "not applicable" };

export const badge = (value) => make("span", { className: `badge ${value}`, title: VALUES[value] ?? "" }, value);

const MARKS = { yes: "✓", no: "✕", open: "?" };
const TRUTHS = { yes: "true", no: "false", open: "unknown" };
const EFFECTS = {
  supports: "supports the endpoint", against: "counts against the endpoint", open: "makes the result unknown",
  disregards: "the observation is disregarded", none: "no effect",
};

/** Whether a clause is true, and what it does for the endpoint. */
function clauseResult(truth, effect) {
  const name = truthName(truth);
  return make("span", { className: `clause ${effect}`, role: "img", "aria-label": `${TRUTHS[name]}, ${EFFECTS[effect]}` }, MARKS[name]);
}

const effectInWords = (effect) => (effect === "none" ? "" : make("span", { className: `does ${effect}` }, ` – ${EFFECTS[effect]}`));

function select(label, value, options, onchange) {
  return make("select", { "aria-label": label, onchange: (event) => onchange(event.target.value) },
    ...options.map(([name, words]) => make("option", { value: name, selected: name === value }, words)));
}

// THE RESULTS ABOVE THE DRAWING

const verdictOf = (answer) => answer?.verdicts?.find((candidate) => candidate.endpoint === answer.shown.endpoint);
const shortOf = (names, name) => names.find((candidate) => candidate.name === name)?.short ?? name;

/** A strip for each set: the set, the endpoint, and its result with its reason. */
export function strips(state, sets, answers, names, on) {
  return state.sets.map((shown, setNumber) => {
    const letter = "ab"[setNumber], answer = answers?.[setNumber], verdict = verdictOf(answer);
    const short = shortOf(names, shown.criteria);
    const which = setNumber ? "Second definition" : "Definition";
    return make("div", { className: `strip ${letter}`, role: "group", "aria-label": which },
      make("button", { className: "definition", "aria-haspopup": "dialog", "aria-label": `${which}: ${short}. Choose another`, onclick: () => on.find(setNumber) }, short, make("span", { "aria-hidden": "true" }, " ▾")),
      select("Endpoint", answer?.shown?.endpoint, (sets[setNumber]?.endpoints ?? []).map(({ name, label }) => [name, named(label, name)]), (name) => on.endpoint(setNumber, name)),
      make("span", { className: "verdict" }, ...(verdict ? [badge(verdict.value), ` ${verdictInWords(answer)}`] : [answer?.error ?? ""])),
      setNumber ? make("button", { className: "beside", onclick: () => on.alone() }, "Remove")
        : state.sets.length < 2 ? make("button", { className: "beside", onclick: () => on.beside() }, "Compare with another definition") : null);
  });
}

function because({ shown }) {
  return ["met", "event"].includes(shown.reason) ? "" : ` (${shown.because})`;
}

export function sentence(answers) {
  return (answers ?? []).map((answer) => answer.error ?? `${answer.name}, ${verdictInWords(answer)}`).join(". ");
}

export function verdictInWords(answer) {
  const { label, endpoint, result } = verdictOf(answer);
  return `${named(label, endpoint)}: ${result}${because(answer)}`;
}

/** For each set, beneath the strips: the evidence, what is missing, and the counterfactuals once they are known. */
export function reasons(state, answers) {
  return (answers ?? []).map((answer, setNumber) => {
    if (answer.error) return "";
    const { interpretations } = state.sets[setNumber];
    return make("div", { className: `reason ${"ab"[setNumber]}` },
      interpretations.length ? make("p", {}, make("strong", {}, "Interpretations: "), interpretations.join(", ")) : "",
      ...evidence(answer.shown), ...counterfactuals(answer));
  });
}

function evidence({ value, is_loss: isLoss, onset, confirming, ended, explained: { missing } }) {
  const end = isLoss ? "lost on day" : value === "N" ? "decided on day" : "ended on day";
  const days = [[isLoss ? "response from day" : "onset on day", onset], [end, isLoss ? ended : null], ["confirmed on day", confirming], [end, isLoss ? null : ended]];
  const known = days.filter(([, day]) => day != null).map(([words, day]) => `${words} ${day}`);
  return [
    known.length ? make("p", {}, make("strong", {}, "Evidence: "), `${known.join(", ")}.`) : "",
    missing ? make("p", {}, make("strong", {}, "Missing: "), `${missing}.`) : "",
  ];
}

function counterfactuals({ counterfactuals: texts }) {
  if (texts && !texts.length) return [];
  // The number of an entry in the line means nothing on the drawing.
  const plain = (texts ?? []).map((text) => text.replace(/ \(timeline entr[^)]*\)/g, ""));
  return [make("p", { className: "turns", "data-known": texts ? "yes" : "no" }, make("strong", {}, "What would change the result: "),
    texts ? `${plain.join("; ")}.` : "searching …")];
}

// THE LEGEND

const sample = (...parts) => svg("svg", { width: 22, height: 16, viewBox: "-11 -8 22 16", "aria-hidden": "true" }, ...parts);
const DOTS = {
  yes: [], no: [["path", { class: "cross", d: "M-2.4-2.4 2.4 2.4M2.4-2.4-2.4 2.4" }]], open: [["text", { class: "glyph", y: 3.5 }, "?"]], void: [], aside: [],
};
const LANE_EFFECTS = { supports: "supports the endpoint", against: "counts against it", open: "unknown", disregards: "observation disregarded", none: "no effect (filled: true)" };

const bracketInWords = ({ confirming, ended }) => (confirming != null ? "from onset to confirmation" : ended != null ? "from onset to end" : "onset");

/** The signs of the drawing in words: those that it has. */
export function legend(entries, answers, hasLanes) {
  const [answer] = answers ?? [];
  if (!answer?.shown) return [];
  const words = partsInWords(answer), shown = new Set(entries.map((entry) => partOf(answer, entry.day)));
  const dots = Object.keys(DOTS).filter((part) => shown.has(part)).map((part) =>
    [svg("g", { class: part }, svg("circle", { class: "dot", r: 5.5 }), ...DOTS[part].map(([tag, attributes, ...text]) => svg(tag, attributes, ...text))), words[part]]);
  const lines = [
    [answers.some((one) => one.shown?.thresholds.length), svg("path", { class: "bound a", d: "M-11 0H11" }), "threshold"],
    [answers.some((one) => one.shown?.onset != null), svg("path", { class: "bracket a", d: "M-9 5V-2H9V5" }), bracketInWords(answer.shown)],
    [answers.some((one) => one.shown?.ended != null), svg("path", { class: "bracket a", d: "M-4-4l8 8m0-8l-8 8" }), "decided here"],
    [entries.some(({ bleed }) => !["0", "?"].includes(bleed)), svg("path", { class: "bleed", d: "M0-7c4 6 5 8 5 10a5 5 0 0 1-10 0c0-2 1-4 5-10z" }), "bleeding, with its WHO grade"],
    [entries.some(({ bleed }) => bleed === "?"), svg("path", { class: "bleed unsure", d: "M0-7c4 6 5 8 5 10a5 5 0 0 1-10 0c0-2 1-4 5-10z" }), "bleeding not recorded"],
    [entries.some(({ rescue }) => rescue), svg("rect", { class: "rescue", x: -7, y: -4, width: 14, height: 7, rx: 2 }), "rescue treatment"],
    [entries.some(({ count }) => /^[<>≤≥]/.test(count)), svg("path", { class: "cross", fill: "none", d: "M0-7V5m-4-4 4 4 4-4" }), "count beyond a reporting limit"],
  ].filter(([isShown]) => isShown).map(([, ...pair]) => pair);
  const effects = new Set(hasLanes ? answers.flatMap((one) => one.shown?.rules ?? []).filter((rule) => rule.of === "observations").flatMap((rule) => [rule, ...rule.clauses]).flatMap((clause) => clause.effects) : []);
  const lanes = Object.keys(LANE_EFFECTS).filter((effect) => effects.has(effect)).map((effect) =>
    [effectMark(effect, true, "a", 0, 0, 4.5), LANE_EFFECTS[effect]]);
  const list = (title, pairs) => (pairs.length ? make("p", {}, make("span", { className: "of" }, `${title}: `), ...pairs.map(([drawn, text]) => make("span", { className: "sign" }, sample(drawn), text))) : "");
  return [list(`Observations, for ${named(answer.shown.label, answer.shown.endpoint)}`, [...dots, ...lines]), list("Clauses under the days", lanes)];
}

// THE DEFINITION WITH ITS CLAUSES

export function card(answer, info, setNumber, chosen, on) {
  const letter = "ab"[setNumber];
  if (!answer) return make("article", { className: `sheet card ${letter}` });
  if (answer.error) return make("article", { className: `sheet card ${letter}` }, make("h2", {}, answer.name), make("p", { role: "alert" }, answer.error));
  const { shown } = answer;
  const source = info?.source;
  return make("article", { className: `sheet card ${letter}`, "aria-label": `${answer.name}, ${shown.label}` },
    make("h2", {}, answer.definition),
    make("div", { className: "chips", role: "group", "aria-label": "The endpoints of the definition" },
      ...answer.verdicts.map(({ endpoint, label, value, result }) => make("button", { "aria-pressed": endpoint === shown.endpoint, title: `${named(label, endpoint)}: ${result}`, onclick: () => on.endpoint(setNumber, endpoint) }, `${endpoint} `, badge(value)))),
    make("p", { className: "small" }, "Y met · N not met · NE not evaluable (missing data) · NA not applicable"),
    make("div", { className: "wide" },
      make("div", {},
        make("h3", {}, `${named(shown.label, shown.endpoint)} in words`),
        make("p", {}, shown.needs),
        make("p", { className: "small" }, `${shown.says} `, source ? cited(source) : "", info ? ` (${info.checked})` : ""),
        ...clauseResults(answer, chosen)),
      make("div", {}, ...explained(answer, on))));
}

function cited(source) {
  const safe = source.link.startsWith("https://");
  return safe ? make("a", { href: source.link, rel: "noreferrer", target: "_blank" }, source.cite) : source.cite;
}

/** The clauses of every rule, with their results and effects on the selected day. */
function clauseResults({ days, shown }, chosen) {
  const at = days.indexOf(chosen);
  if (!shown.rules.length) return [];
  return [
    make("h3", {}, at < 0 || shown.rules.every((rule) => rule.of !== "observations") ? "Clauses" : `Clauses on day ${chosen}`),
    make("ul", { className: "clauses" }, ...shown.rules.map((rule) => {
      const index = rule.of === "observations" ? at : 0;
      const result = (clause) => (index in clause.at ? clauseResult(clause.at[index], clause.effects[index]) : "");
      const effect = (clause) => (index in clause.at ? effectInWords(clause.effects[index]) : "");
      const alone = rule.clauses.length === 1;
      return make("li", {}, result(rule), make("strong", {}, KEYS[rule.key] ?? rule.key), alone ? ` ${rule.words}` : "", effect(rule),
        alone ? null : make("ul", {}, ...rule.clauses.map((clause) => make("li", {}, result(clause), clause.words, effect(clause)))));
    })),
  ];
}

function explained({ shown, verdicts }, on) {
  const { lines, further } = shown.explained;
  const { value, result } = verdicts.find((verdict) => verdict.endpoint === shown.endpoint);
  const parts = [make("h3", {}, "Why"), make("p", {}, badge(value), ` ${result.replace(value, "").trim()}${because({ shown })}`)];
  if (lines.length) {
    const days = (day, words) => make("a", { href: "#drawing", onclick: (event) => { event.preventDefault(); on.day(day); } }, words);
    parts.push(make("div", { className: "scroll" }, make("table", { className: "why" },
      make("thead", {}, make("tr", {}, ...["Day", "Observed, ×10⁹/L", "Meaning"].map((word) => make("th", { scope: "col" }, word)))),
      make("tbody", {}, ...lines.map(([day, words, observed, means]) => make("tr", {}, make("td", {}, days(day, words)), make("td", {}, observed), make("td", {}, means)))))));
  }
  return [...parts, ...further.map((text) => make("p", {}, text))];
}

// INTERPRETATIONS

export function interpretations(state, sets, reclassified, on) {
  return state.sets.map((shown, setNumber) => {
    const known = sets[setNumber]?.interpretations ?? [];
    const examples = reclassified[setNumber];
    return make("div", { className: `sheet card ${"ab"[setNumber]}` },
      make("h2", {}, `${sets[setNumber]?.short ?? shown.criteria}: ${known.length} ${known.length === 1 ? "interpretation" : "interpretations"}`),
      examples ? reclassifiedExamples(examples, shown, on) : "",
      ...known.map(({ id, question, assumed }) => make("div", { className: "interpretation" },
        make("label", {},
          make("input", { type: "checkbox", checked: shown.interpretations.includes(id), onchange: (event) => on.interpretation(setNumber, id, event.target.checked) }),
          make("span", {}, make("strong", {}, question), " ", make("span", { className: "small" }, id))),
        make("p", { className: "small" }, `Assumed: ${assumed}`))));
  });
}

function reclassifiedExamples({ of, reclassified, error }, shown, on) {
  if (error) return make("p", { role: "status" }, error);
  const examples = [...new Set(reclassified.map(({ example }) => example))];
  return make("div", { role: "status" },
    make("p", {}, make("strong", {}, `${examples.length} of ${of} worked examples are reclassified`), " under this interpretation."),
    make("ul", { className: "reclassified" }, ...examples.map((name) => {
      const changes = reclassified.filter(({ example }) => example === name);
      return make("li", {}, make("button", { onclick: () => on.example(shown.criteria, name) }, name), ` ${changes.map(({ endpoint, from, to }) => `${endpoint} ${from} → ${to}`).join(", ")} `,
        make("span", { className: "small" }, changes[0].because));
    })));
}

// WORKED EXAMPLES

/** The worked examples that have all words of a text. */
export function matchingExamples(info, wanted) {
  const words = wordsOf(wanted);
  return info.examples.filter(({ name, because: reason }) => hasAll(`${name} ${reason}`, words));
}

const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
const hasAll = (text, words) => words.every((word) => text.toLowerCase().includes(word));

export function gallery(info, examples, endpoint, current, on) {
  return examples.map((example) => {
    const value = example.values[endpoint];
    return make("li", {}, make("button", { "aria-current": example.name === current, onclick: () => on.example(info.name, example.name) },
      make("span", { className: "head" }, value ? badge(value) : "", example.name), sketch(example.sketch), make("span", { className: "small" }, example.because)));
  });
}

// THE DEFINITIONS TO CHOOSE FROM

/** The sets whose name, title, source, drug, trial, year, population or registry number has all words of a text. */
export function matchingSets(names, wanted) {
  const words = wordsOf(wanted);
  return names.filter(({ searched }) => hasAll(searched, words));
}

export function setButtons(names, current, choose) {
  return names.map(({ name, short, title, registry, verified }) => make("li", {},
    make("button", { type: "button", "aria-current": name === current, onclick: () => choose(name) },
      make("strong", {}, short), make("span", {}, title),
      make("span", { className: "small" }, [name, registry, verified ? "" : "not verified"].filter(Boolean).join(" · ")))));
}

// THE OBSERVATIONS AS A TABLE

export function table(entries, answer, on) {
  return make("div", { className: "scroll" }, make("table", {},
    make("caption", { className: "unseen" }, "The observations, as drawn above"),
    make("thead", {}, make("tr", {}, ...["Day", "Count, ×10⁹/L", "Bleeding", "Rescue treatment", "For the endpoint", ""].map((word) => make("th", { scope: "col" }, word)))),
    make("tbody", {}, ...entries.map((entry, index) => make("tr", {},
      make("td", {}, String(entry.day)), make("td", {}, entry.count || "none"),
      make("td", {}, { 0: "none", "?": "not recorded" }[entry.bleed] ?? `grade ${entry.bleed}`),
      make("td", {}, entry.rescue ? `${entry.rescue_name || "yes"}${entry.rescue_to > entry.day ? `, to day ${entry.rescue_to}` : ""}` : ""),
      make("td", {}, partsInWords(answer)[partOf(answer, entry.day)]),
      make("td", {}, make("button", { "aria-label": `Change the observation of day ${entry.day}`, onclick: () => on.choose(index, true) }, "Change")))))));
}
