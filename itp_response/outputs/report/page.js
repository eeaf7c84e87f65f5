// The list of patients, its search, and each patient's timeline and explanation, from the data in the page.
(async () => {
  const SHOWN = 50; // rows added at a time
  const DEFINED = ["Y", "N", "NE", "NA"];
  const by = (id) => document.getElementById(id);
  const form = by("search"), list = by("list"), more = by("more"), matches = by("matches"), unknown = by("unknown");

  // THE DATA

  const unpacked = async (element) => {
    const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };
  if (typeof DecompressionStream === "undefined") {
    matches.textContent = "This browser cannot show the patients: it is too old to unpack their data.";
    return;
  }
  const study = JSON.parse(by("study").textContent);
  const index = await unpacked(by("index"));
  const packed = document.querySelectorAll("script.part");
  const opened = new Map();
  const patientAt = async (position) => {
    const part = Math.floor(position / study.part);
    if (!opened.has(part)) opened.set(part, unpacked(packed[part]));
    return (await opened.get(part))[position % study.part];
  };
  const labelAt = (endpoint, position) => study.endpoints[endpoint].labels[index.verdict[endpoint][position]];
  const hueOf = (endpoint, position) => {
    const hue = DEFINED.indexOf(labelAt(endpoint, position));
    return hue >= 0 ? hue : DEFINED.length + index.verdict[endpoint][position];
  };

  // THE SEARCH

  const fill = (select, options) =>
    select.replaceChildren(...options.map(([value, ...text]) => make("option", { value }, ...text)));
  // The positions of the endpoints searched: the one chosen, else all.
  const endpointsSearched = (chosen) => (chosen === "" ? [...study.endpoints.keys()] : [Number(chosen)]);
  const verdictsOf = (chosen) => {
    const labels = endpointsSearched(chosen).flatMap((endpoint) => {
      const codes = new Set(index.verdict[endpoint]);
      return study.endpoints[endpoint].labels.filter((_, code) => codes.has(code));
    });
    return [...new Set([...DEFINED.filter((label) => labels.includes(label)), ...labels])];
  };
  const offerVerdicts = () => {
    const before = form.elements.verdict.value;
    const labels = verdictsOf(form.elements.endpoint.value);
    fill(form.elements.verdict, [["", "any"], ...labels.map((label) => [label, label])]);
    form.elements.verdict.value = labels.includes(before) ? before : "";
  };
  const matching = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const text = wanted.id.trim().toLowerCase();
    const endpoints = endpointsSearched(wanted.endpoint);
    return [...index.id.keys()].filter(
      (position) =>
        (!text || index.id[position].toLowerCase().includes(text)) &&
        (wanted.arm === "" || index.arm[position] === Number(wanted.arm)) &&
        (wanted.verdict === "" || endpoints.some((endpoint) => labelAt(endpoint, position) === wanted.verdict)) &&
        (wanted.notes === "" || index.notes[wanted.notes][position] > 0),
    );
  };
  let positions = [];
  const search = () => {
    positions = matching();
    const all = counted(index.id.length, "patient");
    matches.textContent = !positions.length
      ? `None of the ${all} matches this search. Change it, or choose Clear to list all patients.`
      : positions.length === index.id.length ? all : `${positions.length.toLocaleString("en")} of ${all}`;
    list.tHead.hidden = !positions.length;
    list.tBodies[0].replaceChildren();
    showMore();
  };
  const showMore = () => {
    const begin = list.tBodies[0].querySelectorAll("tr.patient").length;
    list.tBodies[0].append(...positions.slice(begin, begin + SHOWN).map(row));
    const left = positions.length - begin - SHOWN;
    more.hidden = left <= 0;
    more.textContent = `Show ${Math.min(left, SHOWN)} more of ${left.toLocaleString("en")}`;
  };

  // THE LIST

  const row = (position) => {
    const button = make("button", { type: "button", "aria-expanded": "false" }, index.id[position]);
    const cells = study.endpoints.map((endpoint, number) => {
      const label = labelAt(number, position), day = index.day[number][position];
      const when = day !== null ? make("small", {}, ` d${day}`) : null;
      const verdict = make("span", { class: `verdict h${hueOf(number, position)}` }, label, when);
      return make("td", { "data-label": endpoint.name }, verdict);
    });
    const arm = study.arms.length ? [make("td", { "data-label": "arm" }, study.arms[index.arm[position]])] : [];
    const patientRow = make("tr", { class: "patient" }, make("th", { scope: "row" }, button), arm, cells);
    button.addEventListener("click", () => toggle(patientRow, position));
    return patientRow;
  };
  const toggle = async (patientRow, position) => {
    const button = patientRow.querySelector("button");
    if (button.getAttribute("aria-expanded") === "true") {
      patientRow.nextElementSibling.remove();
      button.setAttribute("aria-expanded", "false");
      return;
    }
    button.setAttribute("aria-expanded", "true");
    const columns = patientRow.cells.length;
    const inside = make("article", { "aria-label": `Patient ${index.id[position]}` });
    const detail = make("tr", { class: "detail" }, make("td", { colspan: columns }, inside));
    patientRow.after(detail);
    detail.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        toggle(patientRow, position);
        button.focus();
      }
    });
    const patient = await patientAt(position);
    inside.append(...detailsOf(position, patient));
    const frame = inside.querySelector(".timeline");
    let width = 0;
    new ResizeObserver(() => {
      if (frame.clientWidth && Math.abs(frame.clientWidth - width) > 8) {
        width = frame.clientWidth;
        const verdicts = study.endpoints.map((_, number) => ({ label: labelAt(number, position), hue: hueOf(number, position) }));
        const { endpoints, until } = study;
        frame.replaceChildren(timeline({ id: index.id[position], endpoints, verdicts, patient, until, width }));
      }
    }).observe(frame);
  };

  // ONE PATIENT

  const detailsOf = (position, patient) => {
    const known = [
      ["arm", study.arms.length ? study.arms[index.arm[position]] : null],
      ["day 0", patient.zero],
      ["baseline count, ×10⁹/L", countInWords(patient.baseline) || "not recorded"],
      ["treatment discontinued", patient.stopped === null ? null : `day ${patient.stopped}`],
    ].filter(([, value]) => value !== null);
    return [
      make("dl", { class: "known" }, known.map(pair)),
      make("div", { class: "timeline" }),
      make("div", { class: "explained" },
        patient.explained.map((parts, number) => why(study.endpoints[number], parts, hueOf(number, position)))),
      ...notesOf(patient.notes),
      observations(patient),
    ];
  };
  const pair = ([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value));
  const headed = ([head, ...cells]) =>
    make("tr", {}, make("th", { scope: "row" }, head), cells.map((cell) => make("td", {}, cell)));
  const why = (endpoint, [verdict, origin, lines = [], rests = [], missing = "", unsure = ""], hue) =>
    make(
      "section",
      { class: `why e${hue}` },
      make("h4", {}, ...named(endpoint), `: ${verdict}`),
      make("p", { class: "needs" }, origin || endpoint.needs),
      lines.length ? make("table", {}, make("tbody", {}, lines.map(headed))) : null,
      rests.length ? make("ul", {}, rests.map((sentence) => make("li", {}, sentence))) : null,
      missing ? make("p", { class: "missing" }, `Missing: ${missing}`) : null,
      unsure ? make("p", { class: "missing" }, unsure) : null,
    );
  const notesOf = ([editChecks, dataQueries, interpretations]) =>
    [
      ["Edit checks", editChecks, ([check, says, where]) => [says, make("small", {}, ` ${check}, ${where}`)]],
      ["Data queries", dataQueries, ([endpoint, reason, asks]) => [`${endpoint} (${reason}): ${asks}`]],
      ["Sensitive to interpretation", interpretations, ([interpretation, change]) => [make("code", {}, interpretation), ` ${change}`]],
    ]
      .filter(([, notes]) => notes.length)
      .map(([title, notes, inWords]) =>
        make("section", { class: "notes" },
          make("h4", {}, title), make("ul", {}, notes.map((note) => make("li", {}, inWords(note))))),
      );
  const observations = (patient) => {
    const rescues = (day) => patient.rescue.filter(([first]) => first === day).map(rescueInWords).join(", ");
    const rows = patient.day.map((day, row) =>
      headed([`day ${day}`, countInWords(patient.count[row]), String(patient.grade[row] ?? ""), rescues(day)]));
    const heads = ["Day", "Count, ×10⁹/L", "Bleeding grade", "Rescue treatment"].map((head) => make("th", { scope: "col" }, head));
    return make("details", { class: "observed" }, make("summary", {}, `All ${counted(rows.length, "observation")}`),
      make("table", {}, make("thead", {}, make("tr", {}, heads)), make("tbody", {}, rows)));
  };

  // PUTTING IT TOGETHER

  const heads = [
    make("th", { scope: "col" }, "Patient"),
    study.arms.length ? make("th", { scope: "col" }, "Arm") : null,
    study.endpoints.map((endpoint) => make("th", { scope: "col" },
      ...(isNamedOnce(endpoint) ? [endpoint.label] : [...breakable(endpoint.name), make("small", {}, endpoint.label)]))),
  ];
  list.tHead.replaceChildren(make("tr", {}, ...heads));
  fill(form.elements.arm, [["", "any"], ...study.arms.map((arm, code) => [code, arm])]);
  form.elements.arm.parentElement.hidden = !study.arms.length;
  fill(form.elements.endpoint, [["", "any"], ...study.endpoints.map((endpoint, number) => [number, ...named(endpoint)])]);
  fill(form.elements.notes, [["", "all"], [0, "with edit checks"], [1, "with data queries"], [2, "sensitive to interpretation"]]);
  offerVerdicts();
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    unknown.hidden = true;
    if (event.target === form.elements.endpoint) offerVerdicts();
    search();
  });
  form.addEventListener("reset", () => setTimeout(() => { offerVerdicts(); search(); }));
  form.querySelector("button").addEventListener("click", () => { unknown.hidden = true; });
  more.addEventListener("click", () => {
    const begin = list.tBodies[0].querySelectorAll("tr.patient").length;
    showMore();
    list.tBodies[0].querySelectorAll("tr.patient button")[begin].focus();
  });
  const decoded = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  // Opens the patient named in the address, as by a link of the lists above; says so if there is no such patient.
  const follow = async () => {
    unknown.hidden = true;
    if (!location.hash.startsWith("#patient:")) return;
    const name = decoded(location.hash.slice(9));
    const position = index.id.indexOf(name);
    if (position < 0) {
      unknown.textContent = `The address names patient “${name}”. This report has no such patient. Search for part of an id, or choose one from the list.`;
      unknown.hidden = false;
      form.reset();
      by("patients").scrollIntoView();
      return;
    }
    for (const field of form.elements) if (field.name) field.value = field.name === "id" ? name : "";
    offerVerdicts();
    positions = [position]; // without other patients with this text in their ids
    list.tHead.hidden = false;
    list.tBodies[0].replaceChildren(row(position));
    matches.textContent = `1 of ${counted(index.id.length, "patient")}`;
    more.hidden = true;
    const patientRow = list.tBodies[0].rows[0];
    await toggle(patientRow, position);
    by("patients").scrollIntoView();
    patientRow.querySelector("button").focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  // Opens folded details for printing, and folds them again.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    unfolded.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => unfolded.forEach((details) => { details.open = false; }));
  form.hidden = list.hidden = false;
  search();
  await follow();
})();
