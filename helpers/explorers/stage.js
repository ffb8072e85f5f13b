// The stage of every explorer. Still pictures come from the kernel once; what moves over them is
// drawn here, from a few numbers, and Play, Pause and the steps need no kernel at all.

const SHAPES = {
  o: new Path2D("M1,0A1,1,0,1,1,-1,0A1,1,0,1,1,1,0Z"),
  s: new Path2D("M-.9,-.9H.9V.9H-.9Z"),
  "^": new Path2D("M0,-1.2L1.1,.8H-1.1Z"),
  D: new Path2D("M0,-1.2L1.2,0L0,1.2L-1.2,0Z"),
  X: new Path2D("M0,-.4L.5,-1L1,-.5L.4,0L1,.5L.5,1L0,.4L-.5,1L-1,.5L-.4,0L-1,-.5L-.5,-1Z"),
};
const [PLAY, PAUSE] = ["▶ Play", "❚❚ Pause"];

// Mark what has the focus in an explorer, or Jupyter takes the arrow keys for itself.
document.addEventListener("focusin", ({ target }) =>
  target.closest(".explorer") && target.setAttribute("data-lm-suppress-shortcuts", "true"));

function make(tag, name, parent, attributes = {}) {
  const element = parent.appendChild(document.createElement(tag));
  element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const floats = ({ buffer, byteOffset, byteLength }) =>
  new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));

// A number with four digits and a true minus sign; a dash for none.
function written(value) {
  if (typeof value === "string" || Number.isNaN(value)) return value || "–";
  if (Math.abs(value) < 1e-12) return "0";
  const exponential = Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6;
  const text = exponential ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  const [digits, power] = text.replace("Infinity", "∞").replace("+", "").split("e");
  return (power ? `${digits}·10<sup>${power}</sup>` : digits).replaceAll("-", "−");
}

// Fill {name} with the number of that name at a step; ({name}) keeps its brackets if negative.
function filled(template, numbers, step) {
  return template.replace(/\(\{(\w+)\}\)|\{(\w+)\}/g, (_, bracketed, plain) => {
    const column = numbers[bracketed ?? plain];
    const value = written(column[Math.min(step, column.length - 1)]);
    return bracketed && value.startsWith("−") ? `(${value})` : value;
  });
}

// Where a value lies on a panel, in pixels, and back.
function projection({ box: [left, top, width, height], window: [[x0, x1], [y0, y1]], yscale }) {
  const scale = yscale === "log" ? Math.log10 : (y) => y;
  const [low, high] = [scale(y0), scale(y1)];
  return {
    place: (x, y) => [
      clamp(left + ((x - x0) / (x1 - x0)) * width, -1e5, 1e5),
      clamp(top + ((high - scale(y)) / (high - low)) * height, -1e5, 1e5),
    ],
    value: (px, py) => [
      clamp(x0 + ((px - left) / width) * (x1 - x0), x0, x1),
      clamp(y0 + ((top + height - py) / height) * (y1 - y0), y0, y1),
    ],
  };
}

function drawShape(context, [x, y], shape, radius, fill, edge, width) {
  context.save();
  context.translate(x, y);
  context.scale(radius, radius);
  Object.assign(context, { fillStyle: fill, strokeStyle: edge, lineWidth: width / radius });
  context.fill(SHAPES[shape]);
  context.stroke(SHAPES[shape]);
  context.restore();
}

// A path or a curve as far as time t, the rest of it faint.
function drawPath(context, mark, place, t) {
  const points = [];
  for (let i = 0; i < mark.data.length; i += 2) points.push(place(mark.data[i], mark.data[i + 1]));
  const step = Math.min(Math.floor(t), points.length - 1);
  const [[x, y], [toX, toY]] = [points[step], points[Math.min(step + 1, points.length - 1)]];
  const head = [x + (t % 1) * (toX - x), y + (t % 1) * (toY - y)];
  Object.assign(context, { strokeStyle: mark.color, lineWidth: 2 });
  for (const [alpha, line] of [[0.25, points], [1, [...points.slice(0, step + 1), head]]]) {
    context.globalAlpha = alpha;
    context.setLineDash(mark.dash);
    context.beginPath();
    for (const point of line) context.lineTo(...point);
    context.stroke();
  }
  context.setLineDash([]);
  const every = Math.max(1, Math.floor(points.length / 60));
  for (let i = 0; i <= step; i += every)
    drawShape(context, points[i], mark.marker, 3, mark.color, "white", 0.5);
  if (mark.kind === "path") drawShape(context, points[0], "o", 5, "white", mark.color, 2);
  const shape = mark.kind === "path" ? "X" : mark.marker;
  drawShape(context, head, shape, mark.kind === "point" ? 8 : 6, mark.color, "black", 1);
}

function drawArrow(context, mark, place, t) {
  const at = 4 * Math.min(Math.floor(t), mark.data.length / 4 - 1);
  const [x, y, dx, dy] = mark.data.slice(at, at + 4);
  const [[ax, ay], [bx, by]] = [place(x, y), place(x + dx, y + dy)];
  const length = Math.hypot(bx - ax, by - ay), head = Math.min(13, 0.6 * length);
  if (!(length > 1)) return;
  context.save();
  context.translate(ax, ay);
  context.rotate(Math.atan2(by - ay, bx - ax));
  Object.assign(context, { fillStyle: mark.color, strokeStyle: "white", lineWidth: 1 });
  const neck = length - head;
  const outline = new Path2D(`M0,-1.5H${neck}V${-head / 2}L${length},0L${neck},${head / 2}V1.5H0Z`);
  context.stroke(outline);
  context.fill(outline);
  context.restore();
}

function render({ model, el }) {
  const root = make("div", "stage", el);
  const row = make("div", "stage-row", root);
  const transport = make("div", "stage-transport", root);
  const button = (textContent, onclick) =>
    Object.assign(make("button", "", transport), { textContent, onclick });
  const back = button("◂ Back", () => go(Math.ceil(t) - 1));
  const play = button(PLAY, () => (playing ? go(Math.floor(t)) : start()));
  const next = button("Next ▸", () => go(Math.floor(t) + 1));
  const slider = make("input", "", transport, { type: "range", "aria-label": "step" });
  slider.oninput = () => go(Number(slider.value));
  const counter = make("output", "", transport);
  const status = make("p", "stage-status", root, { role: "status" });
  const alarm = make("p", "stage-alarm", root, { role: "alert" });
  const readout = make("div", "stage-readout", model.get("scene").beside ? row : root);
  let panels = [], scene, stale, t = 0, shown, playing = 0;

  async function setPanels() {
    const wanted = await Promise.all(model.get("panels").map(async (panel) => {
      const image = Object.assign(new Image(), { alt: "", draggable: false });
      image.src = URL.createObjectURL(new Blob([panel.png], { type: "image/png" }));
      await image.decode();
      URL.revokeObjectURL(image.src);
      const [left, top, width, height] = panel.box;
      const area = [left - 7, top - 7, width + 14, height + 14]; // room for a marker on the edge
      return { ...panel, ...projection(panel), image, area, ratio: 0 };
    }));
    wanted.forEach((panel, i) => {
      panels[i] ??= makePanel(i);
      panels[i].image?.remove();
      const { frame, canvas, area, size } = Object.assign(panels[i], panel);
      const sides = ["left", "top", "width", "height"];
      sides.forEach((side, k) => (canvas.style[side] = `${(100 * area[k]) / size[k % 2]}%`));
      frame.prepend(panel.image);
      frame.style.cssText = `width: ${panel.size[0]}px; aspect-ratio: ${panel.size.join("/")}`;
      Object.assign(frame, { ariaLabel: panel.label, tabIndex: panel.grabs ? 0 : -1 });
      frame.classList.toggle("stage-grabs", panel.grabs);
    });
    draw();
  }

  function makePanel(i) {
    const frame = make("div", "stage-panel", row, { role: "application" });
    const grab = ({ clientX, clientY }) => {
      const { left, top, width } = frame.getBoundingClientRect(), scale = panels[i].size[0] / width;
      moveGrip(i, panels[i].value((clientX - left) * scale, (clientY - top) * scale));
    };
    frame.onpointerdown = (event) => {
      if (!panels[i].grabs || event.button !== 0) return;
      frame.setPointerCapture(event.pointerId);
      grab(event);
    };
    frame.onpointermove = (event) => frame.hasPointerCapture(event.pointerId) && grab(event);
    frame.onkeydown = (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (!panels[i].grabs || !(event.key in way || event.key === "Enter")) return;
      event.preventDefault();
      if (event.key === "Enter") return model.send("enter");
      const { box, place, value } = panels[i], [dx, dy] = way[event.key];
      const stride = box[2] / (event.shiftKey ? 200 : 40), [x, y] = place(...scene.grips[i]);
      moveGrip(i, value(x + dx * stride, y - dy * stride));
    };
    return { frame, canvas: make("canvas", "", frame) };
  }

  function moveGrip(i, [x, y]) {
    scene.grips[i] = [x, y];
    model.set("grabbed", [i, x, y]);
    model.save_changes();
  }

  function setScene() {
    scene = structuredClone(model.get("scene"));
    for (const mark of scene.marks) mark.data = floats(mark.data);
    for (const [name, column] of Object.entries(scene.numbers))
      if (!Array.isArray(column)) scene.numbers[name] = floats(column);
    t = Math.min(playing ? t : model.get("step"), scene.last);
    [status.textContent, alarm.textContent] = [scene.status, model.get("alarm")];
    [slider.max, shown, stale] = [scene.last, undefined, false];
    draw();
  }

  function draw() {
    for (const [i, panel] of panels.entries()) {
      const { canvas, place, area: [left, top, width, height] } = panel;
      const ratio = window.devicePixelRatio, context = canvas.getContext("2d");
      if (panel.ratio !== ratio) [canvas.width, canvas.height] = [width * ratio, height * ratio];
      panel.ratio = ratio;
      context.setTransform(ratio, 0, 0, ratio, -left * ratio, -top * ratio);
      context.clearRect(left, top, width, height);
      for (const mark of scene.marks.filter((mark) => mark.panel === i))
        (mark.kind === "arrow" ? drawArrow : drawPath)(context, mark, place, t);
    }
    const step = Math.floor(t);
    if (shown === step) return;
    shown = step;
    readout.innerHTML = filled(scene.template, scene.numbers, step);
    slider.value = step;
    counter.textContent = `step ${step} of ${scene.last}`;
    [back.disabled, play.disabled, next.disabled] = [step <= 0, !scene.last, step >= scene.last];
  }

  function go(step) {
    pause();
    t = clamp(step, 0, scene.last);
    draw();
    model.set("step", t);
    model.save_changes();
  }

  function start() {
    if (t >= scene.last) t = 0;
    const tick = (now, before = now) => {
      t = Math.min(scene.last, t + ((now - before) / 1000) * scene.pace);
      if (t >= scene.last) return go(t);
      draw();
      playing = requestAnimationFrame((next) => tick(next, now));
    };
    playing = requestAnimationFrame(tick);
    play.textContent = PAUSE;
  }

  function pause() {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = PLAY;
  }

  model.on("change:panels", setPanels);
  model.on("change:scene change:step change:alarm", () => (stale = true));
  model.on("change", () => stale && setScene());
  setScene();
  setPanels();
  return pause;
}
export default { render };
