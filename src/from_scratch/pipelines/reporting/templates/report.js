// --- The models: the same computations as in models.py, with the coefficients after any epoch that the page contains

function decode(text) {  // float32 numbers, little-endian
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({length: bytes.length / 4}, (_, i) => view.getFloat32(4 * i, true));
}
for (const model of playground.models) {
  for (const layer of model.layers) {
    layer.weights = decode(layer.weights);
    layer.constants = decode(layer.constants);
  }
}

function predict(model, epoch, x) {
  let place = model.epochs.length - 1;
  while (place > 0 && model.epochs[place] > epoch) place--;
  model.layers.forEach(({inputs, outputs, weights, constants}, depth) => {
    const sums = new Float64Array(outputs);
    for (let j = 0; j < outputs; j++) {
      sums[j] = constants[place * outputs + j];
      for (let i = 0; i < inputs; i++) {
        const input = depth ? Math.max(x[i], 0) : x[i];  // a relu between two layers
        sums[j] += input * weights[(place * inputs + i) * outputs + j];
      }
    }
    x = sums;
  });
  return model.endsInSigmoid ? 1 / (1 + Math.exp(-x[0])) : x[0];
}

function encode(values) {  // a value for each field: a number, or the place of a category
  return playground.fields.flatMap((field, i) => field.categories
    ? field.categories.map((_, place) => Number(place === values[i]))
    : [((field.log ? Math.log(values[i] + 1) : values[i]) - field.shift) / field.scale]);
}

// --- The plots

const dots = {};  // for each plot over epochs: the dots on its lines, by panel
for (const name of ["losses", "epoch_accuracies"]) {
  const panels = {};
  for (const line of plots[name].data) (panels[`${line.xaxis} ${line.yaxis}`] ??= []).push(line);
  dots[name] = Object.values(panels).map(lines => ({lines, trace: {
    mode: "markers", xaxis: lines[0].xaxis, yaxis: lines[0].yaxis, showlegend: false, hoverinfo: "skip", cliponaxis: false,
    marker: {
      size: 11, line: {width: 1.5, color: "#808080"}, color: lines.map(line => line.line.color),
      symbol: lines.map(({line}) =>
        Object.values(styles).find(({color, dash}) => color === line.color && dash === line.dash).symbol),
    },
  }}));
}
let epoch = playground.epochs.at(-1);

function placeDots(lines) {
  const places = lines.map(line => Math.min(epoch, line.x.length - 1));
  return {x: lines.map((line, i) => line.x[places[i]]), y: lines.map((line, i) => line.y[places[i]])};
}

function draw() {  // again for each width, also for print: Plotly's own resizing loses heights and legends
  for (const [name, plot] of Object.entries(plots)) {
    const moving = (dots[name] ?? []).map(({lines, trace}) => ({...trace, ...placeDots(lines)}));
    const data = structuredClone([...plot.data, ...moving]);
    Plotly.newPlot(name, data, structuredClone(plot.layout), {displayModeBar: false});
  }
}

// --- Watch them learn: each model's predictions over two numeric columns, for the categories that the reader chooses

const WIDE = 40, HIGH = 30;
const NO = [0, 114, 178], MIDDLE = [238, 238, 238], YES = [230, 159, 0];
const {axes} = playground;
const chosen = playground.fields.map(field => field.typical);
playground.fields.forEach((field, i) => {  // a log column's typical value is that of its logarithm
  if (field.log) chosen[i] = Math.exp(field.typical) - 1;
});

const choices = playground.choices.map(([i]) => i);
for (const [i, category] of playground.choices) chosen[i] = category;

function valueAt(field, share) {
  const value = field.low + share * (field.high - field.low);
  return field.log ? Math.exp(value) - 1 : value;
}

function colour(score) {
  const share = Math.min(Math.max(score, 0), 1), end = share < 0.5 ? NO : YES, weight = Math.abs(2 * share - 1);
  return MIDDLE.map((middle, i) => middle + weight * (end[i] - middle));
}

function paint(canvas, model) {
  const image = new ImageData(WIDE, HIGH), values = [...chosen];
  for (let row = 0; row < HIGH; row++) {
    for (let column = 0; column < WIDE; column++) {
      if (axes.length > 0) values[axes[0]] = valueAt(playground.fields[axes[0]], column / (WIDE - 1));
      if (axes.length > 1) values[axes[1]] = valueAt(playground.fields[axes[1]], 1 - row / (HIGH - 1));
      image.data.set([...colour(predict(model, epoch, encode(values))), 255], 4 * (row * WIDE + column));
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function key(name) {
  const glyph = element("span", {className: "key", textContent: glyphs[styles[name].symbol]});
  glyph.style.color = styles[name].color;
  return glyph;
}

const surfaces = document.getElementById("surfaces");
const canvases = playground.models.map(model => {
  const canvas = element("canvas", {width: WIDE, height: HIGH});
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${model.name}: predictions over ${axes.map(i => playground.fields[i].label).join(" and ")}`);
  surfaces.querySelector(".grid").append(
    element("figure", {}, canvas, element("figcaption", {}, key(model.name), ` ${model.name}`)));
  return canvas;
});

function show() {
  const last = playground.epochs.at(-1);
  document.getElementById("epoch-shown").textContent = `epoch ${epoch} of ${last}`;
  for (const [name, panels] of Object.entries(dots)) {
    const first = plots[name].data.length;
    panels.forEach(({lines}, i) => {
      const {x, y} = placeDots(lines);
      Plotly.restyle(name, {x: [x], y: [y]}, [first + i]);
    });
  }
  playground.models.forEach((model, i) => paint(canvases[i], model));
}

function describeSurfaces() {
  const words = value => Number(value.toPrecision(3)).toLocaleString("en");
  const range = ({label, low, high, log}) => {
    const [least, most] = [low, high].map(end => log ? Math.exp(end) - 1 : end);
    return `${label}, ${words(least)} to ${words(most)}${log ? " (on a logarithmic scale)" : ""}`;
  };
  const [x, y] = axes.map(i => playground.fields[i]);
  const others = playground.fields.map((field, i) => [field, chosen[i]])
    .filter(([field], i) => !axes.includes(i) && !(field.categories && choices.includes(i)))
    .map(([field, value]) => `${field.label} ${field.categories ? field.categories[value] : words(value)}`);
  document.getElementById("surface-words").textContent = [
    x ? `Horizontal axis: ${range(x)}.` : "", y ? `Vertical axis: ${range(y)}.` : "",
    others.length ? `All other columns have typical values: ${others.slice(0, 12).join(", ")}${others.length > 12 ? ", …" : ""}.` : "",
  ].filter(Boolean).join(" ");
}

for (const i of choices) {
  const {label, categories} = playground.fields[i];
  const choose = place => { chosen[i] = place; show(); };
  const group = element("div", {className: "choice"}, element("span", {textContent: label}));
  if (categories.length > 5) {
    const list = element("select", {ariaLabel: label}, ...categories.map(name => element("option", {textContent: name})));
    list.selectedIndex = chosen[i];
    list.addEventListener("change", () => choose(list.selectedIndex));
    group.append(list);
  } else {
    const buttons = categories.map((name, place) => {
      const button = element("button", {type: "button", textContent: name, ariaPressed: place === chosen[i]});
      button.addEventListener("click", () => {
        buttons.forEach(other => { other.ariaPressed = other === button; });
        choose(place);
      });
      return button;
    });
    group.append(...buttons);
  }
  surfaces.querySelector(".choices").append(group);
}

const slider = document.getElementById("epoch"), play = document.getElementById("play");
let timer = null;

function stop() {
  clearInterval(timer);
  timer = null;
  play.textContent = "▶ play";
}
function go(place) {
  slider.value = place;
  epoch = playground.epochs[place];
  show();
}
if (playground.models.length) {
  slider.max = playground.epochs.length - 1;
  slider.value = slider.max;
  slider.closest("[hidden]").hidden = false;
  slider.addEventListener("input", () => { stop(); go(Number(slider.value)); });
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (slider.value === slider.max) go(0);
    play.textContent = "❚❚ pause";
    timer = setInterval(() => {
      if (Number(slider.value) >= Number(slider.max)) return stop();
      go(Number(slider.value) + 1);
    }, 250);
  });
} else {
  surfaces.hidden = true;
}

// --- Ask the models about one row

function readField(field, input) {
  if (field.categories) return Number(input.value);  // -1: no known category
  const text = input.value.trim(), isNumber = /^[-+]?(\d+[.,]?\d*|[.,]\d+)(e[-+]?\d+)?$/i.test(text);
  const number = text === "" ? field.fill : isNumber ? Number(text.replace(",", ".")) : NaN;
  const {minimum, maximum, label} = field;
  if (text === "" && number === null) throw `${label} is missing; expected a number`;
  const limits = [minimum === null ? "" : `of at least ${minimum}`, maximum === null ? "" : `of at most ${maximum}`];
  if (!(Math.abs(number) <= 1e38) || (minimum !== null && number < minimum) || (maximum !== null && number > maximum)) {
    throw `${label} is ${text}; expected a number ${limits.filter(Boolean).join(" and ")}`.trim();
  }
  return number;
}

function ask() {
  const faults = [], values = playground.fields.map((field, i) => {
    try { return readField(field, inputs[i]); } catch (fault) { faults.push(fault); }
  });
  document.getElementById("ask-faults").textContent = faults.join(". ");
  const x = faults.length ? null : encode(values);
  playground.models.forEach((model, i) => {
    const score = x ? predict(model, Infinity, x) : NaN;
    const {bar, text} = answers[i];
    bar.style.width = x ? `${100 * Math.min(Math.max(score, 0), 1)}%` : 0;
    text.textContent = x ? `${playground.answers[Number(score > 0.5)]} (score ${score.toFixed(4)})` : "";
  });
}

const form = document.querySelector("#ask form");
const inputs = form ? playground.fields.map(field => {
  let input;
  if (field.categories) {
    const filled = field.fill >= 0
      ? [element("option", {value: field.fill, textContent: `unknown: ${field.categories[field.fill]}`})] : [];
    const names = field.categories.map((name, place) => element("option", {value: place, textContent: name}));
    input = element("select", {}, ...names, ...filled);
    input.selectedIndex = field.typical;
  } else {
    input = element("input", {inputMode: "decimal", type: "text"});
    if (field.fill !== null) input.placeholder = `unknown: ${Number(field.fill.toPrecision(6))}`;
    else input.value = Number((field.log ? Math.exp(field.typical) - 1 : field.typical).toPrecision(3));
  }
  input.dataset.column = field.column;  // as `name`, it could hide the form's own properties
  form.append(element("label", {}, element("span", {textContent: field.label}), input));
  return input;
}) : [];
const answers = form ? playground.models.map(model => {
  const bar = element("i"), text = element("span", {className: "answer"});
  bar.style.background = styles[model.name].color;
  document.querySelector("#ask .bars").append(element("div", {className: "bar"},
    element("span", {}, key(model.name), ` ${model.name}`), element("div", {className: "track"}, bar), text));
  return {bar, text};
}) : [];
if (form) {
  form.addEventListener("input", ask);
  form.addEventListener("change", ask);
  form.addEventListener("submit", event => event.preventDefault());
  ask();
}

// --- The page

for (const [name, plot] of Object.entries(plots)) {
  document.getElementById(name).style.height = `${plot.layout.height}px`;
}
draw();
if (playground.models.length) {
  describeSurfaces();
  show();
}
addEventListener("resize", draw);
addEventListener("beforeprint", () => {  // print the last epoch
  stop();
  if (playground.models.length) go(Number(slider.max));
});
document.addEventListener("mouseover", event => {
  const cell = event.target.closest("th, td");
  if (cell && cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent.trim();
});
