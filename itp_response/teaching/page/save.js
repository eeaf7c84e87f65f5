// The drawing as a file with its colours, and the line and the verdicts beneath it.

import { svg } from "./drawing.js";

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "text-anchor"];
const MARGIN = 16, LINE = 18;

function wrapped(text, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if ((lines.at(-1) + word).length > most) lines.push("");
    lines[lines.length - 1] += `${word} `;
  }
  return lines.map((line) => line.trim());
}

/** A copy of the drawing that needs no style sheet, with its caption. */
function standalone(drawn, caption) {
  const copy = drawn.cloneNode(true);
  const originals = [...drawn.querySelectorAll("*")];
  [...copy.querySelectorAll("*")].forEach((element, index) => {
    const style = getComputedStyle(originals[index]);
    for (const name of KEPT) element.setAttribute(name, style.getPropertyValue(name));
    for (const name of ["class", "tabindex", "role", "aria-label", "aria-pressed", "data-index"]) element.removeAttribute(name);
  });
  const wide = Number(drawn.getAttribute("width")), tall = Number(drawn.getAttribute("height"));
  const body = getComputedStyle(document.body);
  const lines = caption.flatMap((text) => wrapped(text, Math.floor(wide / 7)));
  return svg("svg", { width: wide, height: tall + lines.length * LINE + 2 * MARGIN, xmlns: "http://www.w3.org/2000/svg" },
    svg("title", {}, caption.at(-1)),
    svg("rect", { width: "100%", height: "100%", fill: getComputedStyle(document.querySelector(".sheet")).backgroundColor }),
    ...copy.childNodes,
    ...lines.map((text, index) => svg("text", { x: MARGIN, y: tall + MARGIN + index * LINE, fill: body.color, "font-family": "DejaVu Sans, sans-serif", "font-size": 12 }, text)));
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const textOf = (drawn, caption) => new XMLSerializer().serializeToString(standalone(drawn, caption));

export function saveSvg(drawn, caption) {
  download(new Blob([textOf(drawn, caption)], { type: "image/svg+xml" }), "timeline.svg");
}

export async function savePng(drawn, caption) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(textOf(drawn, caption))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width * 2, image.height * 2];
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  pen.drawImage(image, 0, 0);
  canvas.toBlob((blob) => download(blob, "timeline.png"), "image/png");
}
