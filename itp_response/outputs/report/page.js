// The list of patients, its search, and each patient's timeline and explanation, from the data that stand in the page.
(async () => {
  const SHOWN = 50; // rows that come at a time
  const DEFINED = ["Y", "N", "NE", "NA"];
  const by = (id) => document.getElementById(id);
  const form = by("search"), list = by("list"), more = by("more"), matches = by("matches");

  // THE DATA

  const unpacked = async (element) => {
    const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };
  if (typeof DecompressionStream === "undefined") {
    matches.textContent = "This browser is too old to show the patients: it cannot unpack their data.";
    return;
  }
  const study = JSON.parse(by("study").textContent);
  const index = await unpacked(by("index"));
  const packed = document.querySelectorAll("script.part");
  const opened = new Map();
  const patientAt = async (place) => {
    const part = Math.floor(place / study.part);
    if (!opened.has(part)) opened.set(part, unpacked(packed[part]));
    return (await opened.get(part))[place % study.part];
  };
  const labelAt = (endpoint, place) => study.criteria[endpoint].labels[index.verdict[endpoint][place]];
  const hueOf = (endpoint, place) => {
    const known = DEFINED.indexOf(labelAt(endpoint, place));
    return known >= 0 ? known : DEFINED.length + index.verdict[endpoint][place];
  };

  // THE SEARCH

  const fill = (select, options) =>
    select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  const verdictsOf = (asked) => {
    const some = asked === "" ? study.criteria.map((_, which) => which) : [Number(asked)];
    const labels = some.flatMap((which) => {
      const codes = new Set(index.verdict[which]);
      return study.criteria[which].labels.filter((_, code) => codes.has(code));
    });
    return [...new Set([...DEFINED.filter((label) => labels.includes(label)), ...labels])];
  };
  const offerVerdicts = () => {
    const before = form.elements.verdict.value;
    const labels = verdictsOf(form.elements.endpoint.value);
    fill(form.elements.verdict, [["", "any"], ...labels.map((label) => [label, label])]);
    form.elements.verdict.value = labels.includes(before) ? before : "";
  };
  const found = () => {
    const asked = Object.fromEntries(new FormData(form));
    const text = asked.id.trim().toLowerCase();
    const criteria = asked.endpoint === "" ? study.criteria.map((_, place) => place) : [Number(asked.endpoint)];
    return index.id.map((_, place) => place).filter(
      (place) =>
        (!text || index.id[place].toLowerCase().includes(text)) &&
        (asked.arm === "" || index.arm[place] === Number(asked.arm)) &&
        (asked.verdict === "" || criteria.some((endpoint) => labelAt(endpoint, place) === asked.verdict)) &&
        (asked.told === "" || index.told[asked.told][place] > 0),
    );
  };
  let places = [];
  const search = () => {
    places = found();
    matches.textContent =
      places.length === index.id.length
        ? counted(places.length, "patient")
        : `${places.length.toLocaleString("en")} of ${counted(index.id.length, "patient")}`;
    list.tBodies[0].replaceChildren();
    showMore();
  };
  const showMore = () => {
    const begin = list.tBodies[0].querySelectorAll("tr.one").length;
    list.tBodies[0].append(...places.slice(begin, begin + SHOWN).map(row));
    const left = places.length - begin - SHOWN;
    more.hidden = left <= 0;
    more.textContent = `Show ${Math.min(left, SHOWN)} more of ${left.toLocaleString("en")}`;
  };

  // THE LIST

  const row = (place) => {
    const button = make("button", { type: "button", "aria-expanded": "false" }, index.id[place]);
    const cells = study.criteria.map((endpoint, at) => {
      const label = labelAt(at, place), day = index.day[at][place];
      const when = day !== null && endpoint.kind !== "best" ? make("small", {}, ` d${day}`) : null;
      const verdict = make("span", { class: `verdict h${hueOf(at, place)}` }, label, when);
      return make("td", { "data-label": endpoint.name }, verdict);
    });
    const arm = study.arms.length ? [make("td", { "data-label": "arm" }, study.arms[index.arm[place]])] : [];
    const one = make("tr", { class: "one" }, make("th", { scope: "row" }, button), arm, cells);
    button.addEventListener("click", () => toggle(one, place));
    return one;
  };
  const toggle = async (one, place) => {
    const button = one.querySelector("button");
    if (button.getAttribute("aria-expanded") === "true") {
      one.nextElementSibling.remove();
      button.setAttribute("aria-expanded", "false");
      return;
    }
    button.setAttribute("aria-expanded", "true");
    const columns = one.cells.length;
    const inside = make("article", { "aria-label": `Patient ${index.id[place]}` });
    const detail = make("tr", { class: "detail" }, make("td", { colspan: columns }, inside));
    one.after(detail);
    detail.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        toggle(one, place);
        button.focus();
      }
    });
    const patient = await patientAt(place);
    inside.append(...detailsOf(place, patient));
    const frame = inside.querySelector(".timeline");
    let width = 0;
    new ResizeObserver(() => {
      if (frame.clientWidth && Math.abs(frame.clientWidth - width) > 8) {
        width = frame.clientWidth;
        const verdicts = study.criteria.map((_, at) => ({ label: labelAt(at, place), hue: hueOf(at, place) }));
        const { criteria, until } = study;
        frame.replaceChildren(timeline({ id: index.id[place], criteria, verdicts, patient, until, width }));
      }
    }).observe(frame);
  };

  // ONE PATIENT

  const detailsOf = (place, patient) => {
    const known = [
      ["arm", study.arms.length ? study.arms[index.arm[place]] : null],
      ["day 0", patient.zero],
      ["baseline", countInWords(patient.baseline) || "not known"],
      ["treatment stopped", patient.stopped === null ? null : `day ${patient.stopped}`],
    ].filter(([, value]) => value !== null);
    return [
      make("dl", { class: "known" }, known.map(pair)),
      make("div", { class: "timeline" }),
      make("div", { class: "said" }, patient.said.map((said, at) => why(study.criteria[at], said, hueOf(at, place)))),
      ...toldOf(patient.told),
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
      make("h4", {}, make("span", {}, breakable(endpoint.name), `: ${verdict}`), " ", make("small", {}, endpoint.label)),
      make("p", { class: "needs" }, origin || endpoint.needs),
      lines.length ? make("table", {}, make("tbody", {}, lines.map(headed))) : null,
      rests.length ? make("ul", {}, rests.map((sentence) => make("li", {}, sentence))) : null,
      missing ? make("p", { class: "missing" }, `missing: ${missing}`) : null,
      unsure ? make("p", { class: "missing" }, unsure) : null,
    );
  const toldOf = ([findings, queries, interpretations]) =>
    [
      ["Findings", findings, ([rule, says, where]) => [says, make("small", {}, ` ${rule}, ${where}`)]],
      ["Queries", queries, ([endpoint, reason, asks]) => [`${endpoint} (${reason}): ${asks}`]],
      ["Depends on interpretations", interpretations, ([interpretation, moved]) => [make("code", {}, interpretation), ` ${moved}`]],
    ]
      .filter(([, told]) => told.length)
      .map(([title, told, words]) =>
        make("section", { class: "told" },
          make("h4", {}, title), make("ul", {}, told.map((one) => make("li", {}, words(one))))),
      );
  const observations = (patient) => {
    const rescues = (day) => patient.rescue.filter(([first]) => first === day).map(rescueInWords).join(", ");
    const rows = patient.day.map((day, row) =>
      headed([`day ${day}`, countInWords(patient.count[row]), String(patient.grade[row] ?? ""), rescues(day)]));
    const heads = ["Day", "Count, 10⁹/L", "Bleeding grade", "Rescue"].map((head) => make("th", { scope: "col" }, head));
    return make("details", { class: "observed" }, make("summary", {}, `All ${counted(rows.length, "observation")}`),
      make("table", {}, make("thead", {}, make("tr", {}, heads)), make("tbody", {}, rows)));
  };

  // PUTTING IT TOGETHER

  const heads = [
    make("th", { scope: "col" }, "Patient"),
    study.arms.length ? make("th", { scope: "col" }, "Arm") : null,
    study.criteria.map(({ name, label }) => make("th", { scope: "col", title: label }, breakable(name))),
  ];
  list.tHead.replaceChildren(make("tr", {}, ...heads));
  fill(form.elements.arm, [["", "any"], ...study.arms.map((arm, code) => [code, arm])]);
  form.elements.arm.parentElement.hidden = !study.arms.length;
  fill(form.elements.endpoint, [["", "any"], ...study.criteria.map((endpoint, place) => [place, endpoint.name])]);
  fill(form.elements.told, [["", "all"], [0, "with findings"], [1, "with queries"], [2, "that depend on an interpretation"]]);
  offerVerdicts();
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    if (event.target === form.elements.endpoint) offerVerdicts();
    search();
  });
  form.addEventListener("reset", () => setTimeout(() => { offerVerdicts(); search(); }));
  more.addEventListener("click", () => {
    const begin = list.tBodies[0].querySelectorAll("tr.one").length;
    showMore();
    list.tBodies[0].querySelectorAll("tr.one button")[begin].focus();
  });
  // A patient named in the address, as by a link of the lists above, is found and opened.
  const follow = async () => {
    const name = location.hash.startsWith("#patient:") ? decodeURIComponent(location.hash.slice(9)) : null;
    const place = name === null ? -1 : index.id.indexOf(name);
    if (place < 0) return;
    for (const field of form.elements) if (field.name) field.value = field.name === "id" ? name : "";
    offerVerdicts();
    places = [place]; // and not the others whose ids contain this one
    list.tBodies[0].replaceChildren(row(place));
    matches.textContent = `1 of ${counted(index.id.length, "patient")}`;
    more.hidden = true;
    const one = list.tBodies[0].rows[0];
    await toggle(one, place);
    by("patients").scrollIntoView();
    one.querySelector("button").focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  // What is folded is printed too, and folded again.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    unfolded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => unfolded.forEach((one) => { one.open = false; }));
  form.hidden = list.hidden = false;
  search();
  await follow();
})();
