// The state of the page: one patient, and one or two sets. It becomes a line and a link, and is read from a link.
// A link may be passed on, so it holds no date and no id; these stay with the page in the browser's history.

const A_DATE = /\d{4}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2}/;

export const state = {
  entries: [],
  baseline: "",
  discontinued: "",
  day_0: "",
  patient: {},
  // Whose patient it is: `kind` is study, example, quiz, own or link; `asLoaded` is what the page was given.
  whose: { kind: "own", name: "", asLoaded: null },
  sets: [],
  chosen: 0,
  zoom: 1,
};

export function entryText(entry) {
  const words = [`d${entry.day}`];
  if (entry.count !== "") words.push(entry.count);
  if (entry.rescue) {
    const name = entry.rescue_name ? ` ${entry.rescue_name.replaceAll(" ", "_")}` : "";
    words.push(`rescue${name}${entry.rescue_to > entry.day ? ` to d${entry.rescue_to}` : ""}`);
  }
  for (const [name, value] of Object.entries(entry.columns)) if (value !== "") words.push(`${name}=${value}`);
  if (entry.bleed !== "0" || words.length === 1) words.push(`bleed ${entry.bleed}`);
  return words.join(" ");
}

export const lineText = () => state.entries.map(entryText).join(", ");

const content = () => JSON.stringify([lineText(), state.baseline, state.discontinued, state.day_0, state.patient]);

/** Takes what is shown as the patient that was loaded, unless that is known already. */
export function loaded() {
  state.whose.asLoaded ??= content();
}

/** Whose patient it is, in words; `study` is the name of the study's file. */
export function whoseInWords(study) {
  const { kind, name, asLoaded } = state.whose;
  const words = {
    study: `Patient ${name} of ${study}`,
    example: `Worked example (invented): ${name}`,
    quiz: "Quiz question (invented)",
    own: "Invented patient",
    link: "Patient from a link (the link names no patient)",
  }[kind];
  const isChanged = kind !== "own" && asLoaded !== null && asLoaded !== content();
  return isChanged ? `${words}, changed on this page` : words;
}

export const entry = (day, count) => ({
  day, count, bleed: "0", rescue: false, rescue_to: day, rescue_name: "", columns: {},
});

/** The request to the engine; `line` is a line just typed, if there is one. */
export function patientRequest(line) {
  return {
    timeline: line ?? lineText(),
    baseline: state.baseline || null,
    discontinued: state.discontinued === "" ? null : Number(state.discontinued),
    day_0: state.day_0 || null,
    patient: state.patient,
    sets: state.sets.map(({ criteria, endpoint, interpretations }) => ({ criteria, endpoint, interpretations })),
  };
}

export function fragment() {
  const all = new URLSearchParams({ t: lineText() });
  const put = (key, value) => { if (value !== "" && value != null) all.set(key, value); };
  put("baseline", state.baseline);
  put("discontinued", state.discontinued);
  for (const [name, value] of Object.entries(state.patient)) {
    if (!A_DATE.test(value) && value !== state.whose.name) put(`p.${name}`, value);
  }
  state.sets.forEach((set, setNumber) => {
    const letter = "ab"[setNumber];
    put(letter, set.criteria);
    put(`${letter}.endpoint`, set.endpoint);
    put(`${letter}.interpretations`, set.interpretations.join(" "));
  });
  if (state.zoom !== 1) put("zoom", state.zoom);
  return all.toString().replaceAll("%2C", ",");
}

/** What the browser's history keeps beside the link. */
export const besideLink = () => ({ day_0: state.day_0, patient: state.patient, whose: state.whose });

/** Sets the state from a link, and from what was kept beside it; returns its line, null if the link has no state. */
export function readLink(text, beside) {
  const all = new URLSearchParams(text);
  const sets = ["a", "b"].filter((letter) => all.get(letter)).map((letter) => ({
    criteria: all.get(letter),
    endpoint: all.get(`${letter}.endpoint`),
    interpretations: (all.get(`${letter}.interpretations`) ?? "").split(" ").filter(Boolean),
  }));
  if (!all.has("t") || !sets.length) return null;
  state.sets = sets;
  state.baseline = all.get("baseline") ?? "";
  state.discontinued = all.get("discontinued") ?? "";
  state.day_0 = beside?.day_0 ?? "";
  state.patient = beside?.patient ?? Object.fromEntries(
    [...all].filter(([key]) => key.startsWith("p.")).map(([key, value]) => [key.slice(2), value]),
  );
  state.whose = beside?.whose ?? { kind: "link", name: "", asLoaded: null };
  state.zoom = [1, 2, 4].includes(Number(all.get("zoom"))) ? Number(all.get("zoom")) : 1;
  return all.get("t");
}
