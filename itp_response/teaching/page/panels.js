// The parts around the drawing: verdicts, definitions with lamps, interpretations, worked examples, the table.

import { KEYS, sketch, worth, worthWords } from "./drawing.js";

/** An element; `on…` are listeners, other names properties, `data`, `aria…` and `role` attributes. */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value == null) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && !name.startsWith("aria")) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((one) => one != null && one !== "" && one !== false));
  return made;
}

export const badge = (value) => make("span", { className: `badge ${value}` }, value);

const MARKS = { yes: "✓", no: "✕", open: "?" };
const SAID = { yes: "true", no: "false", open: "unknown" };

function bulb(truth) {
  const held = truth === null ? "open" : truth ? "yes" : "no";
  return make("span", { className: `bulb ${held}`, role: "img", "aria-label": SAID[held] }, MARKS[held]);
}

function select(label, value, options, onchange, extra = {}) {
  return make("select", { "aria-label": label, onchange: (event) => onchange(event.target.value), ...extra },
    ...options.map(([name, words]) => make("option", { value: name, selected: name === value }, words)));
}

// THE VERDICTS ABOVE THE DRAWING

/** A strip per set: which set, which endpoint, and what comes of it. */
export function strips(state, sets, answers, names, on) {
  const made = state.sets.map((shown, place) => {
    const letter = "ab"[place], answer = answers?.[place];
    const one = answer?.verdicts?.find((verdict) => verdict.endpoint === answer.shown.endpoint);
    return make("div", { className: `strip ${letter}`, role: "group", "aria-label": place ? "The set beside it" : "The set" },
      select(place ? "The set beside it" : "The set", shown.criteria, names.map((each) => [each.name, each.name]), (name) => on.set(place, name), { title: answer?.title ?? "" }),
      select("The endpoint", answer?.shown?.endpoint, (sets[place]?.criteria ?? []).map((each) => [each.name, each.name]), (name) => on.endpoint(place, name)),
      make("span", { className: "verdict" }, ...(one ? [badge(one.value), ` ${one.label}: ${one.said}`, because(answer)] : [answer?.error ?? ""])),
      shown.interpretations.length ? make("span", { className: "small" }, `read otherwise: ${shown.interpretations.join(", ")}`) : null,
      place ? make("button", { className: "beside", onclick: () => on.alone() }, "− take it away")
        : state.sets.length < 2 ? make("button", { className: "beside", onclick: () => on.beside() }, "+ a set beside it") : null);
  });
  return made;
}

function because({ shown }) {
  return ["met", "event"].includes(shown.reason) ? "" : ` (${shown.because})`;
}

export function sentence(answers) {
  return (answers ?? []).map((one) => one.error ?? `${one.name}, ${verdictOf(one)}`).join(". ");
}

export function verdictOf(answer) {
  const one = answer.verdicts.find((verdict) => verdict.endpoint === answer.shown.endpoint);
  return `${one.label}: ${one.said}${because(answer)}`;
}

// THE DEFINITION WITH ITS LAMPS

export function card(answer, info, place, chosen, on) {
  const letter = "ab"[place];
  if (!answer) return make("article", { className: `sheet card ${letter}` });
  if (answer.error) return make("article", { className: `sheet card ${letter}` }, make("h2", {}, answer.name), make("p", { role: "alert" }, answer.error));
  const { shown } = answer;
  const source = info?.source;
  return make("article", { className: `sheet card ${letter}`, "aria-label": `${answer.name}, ${shown.label}` },
    make("h2", {}, answer.title),
    make("div", { className: "chips", role: "group", "aria-label": "The criteria of the set" },
      ...answer.verdicts.map((one) => make("button", { "aria-pressed": one.endpoint === shown.endpoint, title: `${one.label}: ${one.said}`, onclick: () => on.endpoint(place, one.endpoint) }, `${one.endpoint} `, badge(one.value)))),
    make("div", { className: "wide" },
      make("div", {},
        make("h3", {}, `${shown.label}, in words`),
        make("p", {}, shown.needs),
        make("p", { className: "small" }, `${shown.says} `, source ? cited(source) : ""),
        ...lamps(answer, chosen)),
      make("div", {}, ...explained(answer, on))));
}

function cited(source) {
  const safe = source.link.startsWith("https://");
  return safe ? make("a", { href: source.link, rel: "noreferrer", target: "_blank" }, source.cite) : source.cite;
}

/** The clauses of every rule, with their lamps at the day chosen. */
function lamps({ days, shown }, chosen) {
  const at = days.indexOf(chosen);
  if (!shown.rules.length) return [];
  return [
    make("h3", {}, at < 0 || shown.rules.every((rule) => rule.of !== "observations") ? "Its clauses" : `Its clauses on day ${chosen}`),
    make("ul", { className: "clauses" }, ...shown.rules.map((rule) => {
      const place = rule.of === "patient" ? 0 : rule.of === "observations" ? at : 0;
      const lamp = (one) => (place in one.at ? bulb(one.at[place]) : "");
      const alone = rule.clauses.length === 1;
      return make("li", {}, lamp(rule), make("strong", {}, KEYS[rule.key] ?? rule.key), alone ? ` ${rule.words}` : "",
        alone ? null : make("ul", {}, ...rule.clauses.map((one) => make("li", {}, lamp(one), one.words))));
    })),
  ];
}

const ALIKE = 4;

function explained({ shown, verdicts, turns }, on) {
  const { lines, further, missing } = shown.explained;
  const { value, said } = verdicts.find((one) => one.endpoint === shown.endpoint);
  const found = [make("h3", {}, "Why"), make("p", {}, badge(value), ` ${said.replace(value, "").trim()}${because({ shown })}`)];
  const rows = [];
  for (let from = 0, to = 0; from < lines.length; from = to) {
    to = from;
    while (to < lines.length && lines[to].means === lines[from].means) to += 1;
    if (to - from < ALIKE) rows.push(...lines.slice(from, to).map((one) => [`day ${one.day}`, one.seen, one.means, one.day]));
    else rows.push([`day ${lines[from].day} to ${lines[to - 1].day}`, `${to - from} observations`, `each ${lines[from].means}`, lines[from].day]);
  }
  if (rows.length) {
    found.push(make("div", { className: "scroll" }, make("table", { className: "why" }, make("tbody", {},
      ...rows.map(([day, seen, means, number]) => make("tr", {}, make("td", {}, make("a", { href: "#drawing", onclick: (event) => { event.preventDefault(); on.day(number); } }, day)), make("td", {}, seen), make("td", {}, means)))))));
  }
  found.push(...further.map((text) => make("p", {}, text)));
  if (missing) found.push(make("p", {}, `Missing: ${missing}`));
  if (turns?.length) found.push(make("h3", {}, "What would turn it"), make("ul", {}, ...turns.map((text) => make("li", {}, text.replace(/ \(timeline entr[^)]*\)/g, "")))));
  return found;
}

// READINGS

export function interpretations(state, sets, changed, on) {
  return state.sets.map((shown, place) => {
    const known = sets[place]?.interpretations ?? [];
    const result = changed[place];
    return make("div", { className: `sheet card ${"ab"[place]}` },
      make("h2", {}, `${shown.criteria}: ${known.length} ${known.length === 1 ? "interpretation" : "interpretations"}`),
      result ? who(result, shown, on) : "",
      ...known.map((one) => make("div", { className: "interpretation" },
        make("label", {},
          make("input", { type: "checkbox", checked: shown.interpretations.includes(one.id), onchange: (event) => on.interpretation(place, one.id, event.target.checked) }),
          make("span", {}, make("strong", {}, one.question), ` `, make("span", { className: "small" }, one.id))),
        make("p", { className: "small" }, `Taken: ${one.taken}`))));
  });
}

function who(result, shown, on) {
  if (result.error) return make("p", { role: "status" }, result.error);
  const examples = [...new Set(result.changes.map((one) => one.example))];
  return make("div", { role: "status" },
    make("p", {}, make("strong", {}, `${examples.length} of ${result.of} worked examples change`), ` when it is read so.`),
    make("ul", { className: "changed" }, ...examples.map((name) => {
      const ours = result.changes.filter((one) => one.example === name);
      return make("li", {}, make("button", { onclick: () => on.example(shown.criteria, name) }, name), ` ${ours.map((one) => `${one.endpoint} ${one.from} → ${one.to}`).join(", ")} `,
        make("span", { className: "small" }, ours[0].because));
    })));
}

// WORKED PATIENTS

export function gallery(info, endpoint, wanted, current, on) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const found = info.examples.filter((one) => words.every((word) => `${one.name} ${one.because}`.toLowerCase().includes(word)));
  if (!found.length) return [make("li", {}, "None of the worked examples is like that.")];
  return found.map((one) => {
    const drawn = sketch(one.sketch);
    const value = one.values[endpoint];
    return make("li", {}, make("button", { "aria-current": one.name === current, onclick: () => on.example(info.name, one.name) },
      make("span", { className: "head" }, value ? badge(value) : "", one.name), drawn, make("span", { className: "small" }, one.because)));
  });
}

// THE TABLE, THE DRAWING'S TWIN

export function table(entries, answer, on) {
  return make("div", { className: "scroll" }, make("table", {},
    make("caption", { className: "unseen" }, "The observations, as drawn above"),
    make("thead", {}, make("tr", {}, ...["Day", "Count", "Bleeding", "Rescue", "For the endpoint", ""].map((word) => make("th", { scope: "col" }, word)))),
    make("tbody", {}, ...entries.map((one, index) => make("tr", {},
      make("td", {}, String(one.day)), make("td", {}, one.count || "none"),
      make("td", {}, { 0: "none", "?": "not recorded" }[one.bleed] ?? `grade ${one.bleed}`),
      make("td", {}, one.rescue ? `${one.rescue_name || "yes"}${one.rescue_to > one.day ? `, to day ${one.rescue_to}` : ""}` : ""),
      make("td", {}, worthWords(answer)[worth(answer, one.day)]),
      make("td", {}, make("button", { "aria-label": `Change the observation of day ${one.day}`, onclick: () => on.choose(index, true) }, "Change")))))));
}
