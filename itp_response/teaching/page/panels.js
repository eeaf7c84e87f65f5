// The parts around the drawing: verdicts, definitions with clause results, interpretations, worked examples, the table.

import { KEYS, partOf, partsInWords, sketch, truthName } from "./drawing.js";

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

export const badge = (value) => make("span", { className: `badge ${value}` }, value);

const MARKS = { yes: "✓", no: "✕", open: "?" };
const TRUTHS = { yes: "true", no: "false", open: "unknown" };

function clauseResult(truth) {
  const name = truthName(truth);
  return make("span", { className: `clause ${name}`, role: "img", "aria-label": TRUTHS[name] }, MARKS[name]);
}

function select(label, value, options, onchange, extra = {}) {
  return make("select", { "aria-label": label, onchange: (event) => onchange(event.target.value), ...extra },
    ...options.map(([name, words]) => make("option", { value: name, selected: name === value }, words)));
}

// THE VERDICTS ABOVE THE DRAWING

/** A strip for each set: the set, the endpoint, and its result. */
export function strips(state, sets, answers, names, on) {
  return state.sets.map((shown, setNumber) => {
    const letter = "ab"[setNumber], answer = answers?.[setNumber];
    const verdict = answer?.verdicts?.find((candidate) => candidate.endpoint === answer.shown.endpoint);
    return make("div", { className: `strip ${letter}`, role: "group", "aria-label": setNumber ? "The set beside it" : "The set" },
      select(setNumber ? "The set beside it" : "The set", shown.criteria, names.map(({ name }) => [name, name]), (name) => on.set(setNumber, name), { title: answer?.definition ?? "" }),
      select("The endpoint", answer?.shown?.endpoint, (sets[setNumber]?.endpoints ?? []).map(({ name }) => [name, name]), (name) => on.endpoint(setNumber, name)),
      make("span", { className: "verdict" }, ...(verdict ? [badge(verdict.value), ` ${verdict.label}: ${verdict.result}`, because(answer)] : [answer?.error ?? ""])),
      shown.interpretations.length ? make("span", { className: "small" }, `read otherwise: ${shown.interpretations.join(", ")}`) : null,
      setNumber ? make("button", { className: "beside", onclick: () => on.alone() }, "− take it away")
        : state.sets.length < 2 ? make("button", { className: "beside", onclick: () => on.beside() }, "+ a set beside it") : null);
  });
}

function because({ shown }) {
  return ["met", "event"].includes(shown.reason) ? "" : ` (${shown.because})`;
}

export function sentence(answers) {
  return (answers ?? []).map((answer) => answer.error ?? `${answer.name}, ${verdictInWords(answer)}`).join(". ");
}

export function verdictInWords(answer) {
  const { label, result } = answer.verdicts.find((verdict) => verdict.endpoint === answer.shown.endpoint);
  return `${label}: ${result}${because(answer)}`;
}

// THE DEFINITION WITH ITS CLAUSE RESULTS

export function card(answer, info, setNumber, chosen, on) {
  const letter = "ab"[setNumber];
  if (!answer) return make("article", { className: `sheet card ${letter}` });
  if (answer.error) return make("article", { className: `sheet card ${letter}` }, make("h2", {}, answer.name), make("p", { role: "alert" }, answer.error));
  const { shown } = answer;
  const source = info?.source;
  return make("article", { className: `sheet card ${letter}`, "aria-label": `${answer.name}, ${shown.label}` },
    make("h2", {}, answer.definition),
    make("div", { className: "chips", role: "group", "aria-label": "The criteria of the set" },
      ...answer.verdicts.map(({ endpoint, label, value, result }) => make("button", { "aria-pressed": endpoint === shown.endpoint, title: `${label}: ${result}`, onclick: () => on.endpoint(setNumber, endpoint) }, `${endpoint} `, badge(value)))),
    make("div", { className: "wide" },
      make("div", {},
        make("h3", {}, `${shown.label}, in words`),
        make("p", {}, shown.needs),
        make("p", { className: "small" }, `${shown.says} `, source ? cited(source) : ""),
        ...clauseResults(answer, chosen)),
      make("div", {}, ...explained(answer, on))));
}

function cited(source) {
  const safe = source.link.startsWith("https://");
  return safe ? make("a", { href: source.link, rel: "noreferrer", target: "_blank" }, source.cite) : source.cite;
}

/** The clauses of every rule, with their results on the day chosen. */
function clauseResults({ days, shown }, chosen) {
  const at = days.indexOf(chosen);
  if (!shown.rules.length) return [];
  return [
    make("h3", {}, at < 0 || shown.rules.every((rule) => rule.of !== "observations") ? "Its clauses" : `Its clauses on day ${chosen}`),
    make("ul", { className: "clauses" }, ...shown.rules.map((rule) => {
      const index = rule.of === "observations" ? at : 0;
      const result = (clause) => (index in clause.at ? clauseResult(clause.at[index]) : "");
      const alone = rule.clauses.length === 1;
      return make("li", {}, result(rule), make("strong", {}, KEYS[rule.key] ?? rule.key), alone ? ` ${rule.words}` : "",
        alone ? null : make("ul", {}, ...rule.clauses.map((clause) => make("li", {}, result(clause), clause.words))));
    })),
  ];
}

function explained({ shown, verdicts, counterfactuals }, on) {
  const { lines, further, missing } = shown.explained;
  const { value, result } = verdicts.find((verdict) => verdict.endpoint === shown.endpoint);
  const parts = [make("h3", {}, "Why"), make("p", {}, badge(value), ` ${result.replace(value, "").trim()}${because({ shown })}`)];
  if (lines.length) {
    parts.push(make("div", { className: "scroll" }, make("table", { className: "why" }, make("tbody", {},
      ...lines.map(([day, days, observed, means]) => make("tr", {}, make("td", {}, make("a", { href: "#drawing", onclick: (event) => { event.preventDefault(); on.day(day); } }, days)), make("td", {}, observed), make("td", {}, means)))))));
  }
  parts.push(...further.map((text) => make("p", {}, text)));
  if (missing) parts.push(make("p", {}, `Missing: ${missing}`));
  if (counterfactuals?.length) parts.push(make("h3", {}, "What would turn it"), make("ul", {}, ...counterfactuals.map((text) => make("li", {}, text.replace(/ \(timeline entr[^)]*\)/g, "")))));
  return parts;
}

// INTERPRETATIONS

export function interpretations(state, sets, reclassified, on) {
  return state.sets.map((shown, setNumber) => {
    const known = sets[setNumber]?.interpretations ?? [];
    const examples = reclassified[setNumber];
    return make("div", { className: `sheet card ${"ab"[setNumber]}` },
      make("h2", {}, `${shown.criteria}: ${known.length} ${known.length === 1 ? "interpretation" : "interpretations"}`),
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
    make("p", {}, make("strong", {}, `${examples.length} of ${of} worked examples change`), ` when it is read so.`),
    make("ul", { className: "reclassified" }, ...examples.map((name) => {
      const changes = reclassified.filter(({ example }) => example === name);
      return make("li", {}, make("button", { onclick: () => on.example(shown.criteria, name) }, name), ` ${changes.map(({ endpoint, from, to }) => `${endpoint} ${from} → ${to}`).join(", ")} `,
        make("span", { className: "small" }, changes[0].because));
    })));
}

// WORKED EXAMPLES

export function gallery(info, endpoint, wanted, current, on) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = info.examples.filter(({ name, because: reason }) =>
    words.every((word) => `${name} ${reason}`.toLowerCase().includes(word)));
  if (!matching.length) return [make("li", {}, "None of the worked examples is like that.")];
  return matching.map((example) => {
    const value = example.values[endpoint];
    return make("li", {}, make("button", { "aria-current": example.name === current, onclick: () => on.example(info.name, example.name) },
      make("span", { className: "head" }, value ? badge(value) : "", example.name), sketch(example.sketch), make("span", { className: "small" }, example.because)));
  });
}

// THE OBSERVATIONS AS A TABLE

export function table(entries, answer, on) {
  return make("div", { className: "scroll" }, make("table", {},
    make("caption", { className: "unseen" }, "The observations, as drawn above"),
    make("thead", {}, make("tr", {}, ...["Day", "Count", "Bleeding", "Rescue", "For the endpoint", ""].map((word) => make("th", { scope: "col" }, word)))),
    make("tbody", {}, ...entries.map((entry, index) => make("tr", {},
      make("td", {}, String(entry.day)), make("td", {}, entry.count || "none"),
      make("td", {}, { 0: "none", "?": "not recorded" }[entry.bleed] ?? `grade ${entry.bleed}`),
      make("td", {}, entry.rescue ? `${entry.rescue_name || "yes"}${entry.rescue_to > entry.day ? `, to day ${entry.rescue_to}` : ""}` : ""),
      make("td", {}, partsInWords(answer)[partOf(answer, entry.day)]),
      make("td", {}, make("button", { "aria-label": `Change the observation of day ${entry.day}`, onclick: () => on.choose(index, true) }, "Change")))))));
}
