// The stage of every explorer: controls, panels, marks that move over them, words. Play, Pause and
// the steps need no kernel; a dial that is moved shows what the kernel has computed ahead.

const [PLAY, PAUSE] = ["▶ Play", "❚❚ Pause"];
// So many changes may be with the kernel; after so many milliseconds it is said not to answer.
// A message costs more than a drawing, for Jupyter then shows that the kernel is busy: of a dial
// whose pictures are there ahead the kernel hears when the hand has rested for so long.
const UNDER_WAY = 3, PATIENCE = 5000, REST = 80;

// Jupyter's shortcuts rest while a key is meant for an explorer; those with Ctrl go on.
window.addEventListener("keydown", ({ target, ctrlKey, metaKey, key }) => {
  const rest = !ctrlKey && !metaKey && !key.startsWith("Page");
  if (target.closest?.(".explorer")) target.toggleAttribute("data-lm-suppress-shortcuts", rest);
}, true);

// A saved notebook keeps the picture and not the view, which is gone with its kernel.
function keepPictures(notebook) {
  if (!notebook?.toJSON || Object.hasOwn(notebook, "toJSON")) return;
  const whole = notebook.toJSON.bind(notebook);
  notebook.toJSON = () => {
    const content = whole();
    for (const { data } of content.cells.flatMap(({ outputs }) => outputs ?? []))
      if (data?.["image/png"]) delete data["application/vnd.jupyter.widget-view+json"];
    return content;
  };
}

function make(tag, name, parent, attributes = {}) {
  const element = parent.appendChild(document.createElement(tag));
  element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// A button that has nothing to do keeps the focus.
function makeButton(text, parent, press) {
  const button = make("button", "", parent, { type: "button" });
  button.textContent = text;
  button.onclick = () => button.ariaDisabled !== "true" && press();
  return button;
}

// Fill {name} with its text at a step; ({name}) keeps its brackets if negative.
function filled(template, columns, step) {
  return template.replace(/\(\{(\w+)\}\)|\{(\w+)\}/g, (_, bracketed, plain) => {
    const column = columns[bracketed ?? plain], text = column[Math.min(step, column.length - 1)];
    return bracketed && text.startsWith("−") ? `(${text})` : text;
  });
}

function withData(marks, { buffer, byteOffset, byteLength } = new Uint8Array()) {
  const all = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  return marks.map((mark) => ({ ...mark, data: all.subarray(mark.from, mark.to) }));
}

const bitmap = (png) => png.byteLength && createImageBitmap(new Blob([png], { type: "image/png" }));

function render({ model, el }, specs, learn) {
  el.classList.add("explorer");
  keepPictures(model.widget_manager?.context?.model);
  const root = make("div", "stage", el);
  const parts = (names, parent) => names.split(" ").map((name) => make("div", `stage-${name}`, parent));
  const [side, main] = parts("side main", root);
  const [board, buttons] = parts("controls buttons", side);
  const [transport, row, foot] = parts("transport row foot", main);
  const readout = make("div", "stage-readout", model.get("scene").beside ? row : foot);
  const words = make("div", "stage-words", foot);
  const status = make("p", "stage-status", words, { role: "status" });
  const alarm = make("p", "stage-alarm", words, { role: "alert" });
  const key = make("p", "", words);
  const inputs = {}, pressed = {}, panels = [], calm = matchMedia("(prefers-reduced-motion)");
  // In a page without a kernel: what some dials show is stored, and all else is off.
  const stored = model.get("stored"), off = stored && { disabled: "" };
  let scene, kept = [], t = 0, shown, playing = 0;
  let asking = 0, n = model.get("scene").n, queue = [], moved, fans = [], asked, wanted, asks = 0, framed = 0, turns = 0;

  // ---- what the reader wants goes to the kernel, one message a frame, the newest of its kind ----

  function send(message) {
    const like = (other) => other.do === message.do && other.do !== "press" &&
      Object.keys(other.values ?? {}).join() === Object.keys(message.values ?? {}).join();
    queue = [...queue.filter((other) => !like(other)), message];
    framed ||= requestAnimationFrame(flush);
  }

  function flush() {
    framed = 0;
    if (performance.now() < moved?.rests) return (framed = requestAnimationFrame(flush));
    const free = () => n - model.get("scene").n < UNDER_WAY;
    if (queue.length && free()) model.send({ ...queue.shift(), n: ++n });
    setTimeout((sent) => model.get("scene").n < sent && (alarm.textContent = scene.gone), PATIENCE, n);
    if (queue.length) framed = free() && requestAnimationFrame(flush);
    else if (wanted && wanted !== asked) {
      [fans, asked] = [[], wanted];
      model.send({ do: "fan", name: wanted, ask: ++asks });
    }
  }

  // All values of a dial, computed ahead, hold until something else changes.
  const drop = () => ([fans, asked, moved] = [[]]);
  const want = (name) => stored || ([wanted, framed] = [name, framed || requestAnimationFrame(flush)]);

  const change = (name, value) => send({ do: "set", values: { [name]: value } }, asked !== name && drop());
  const forget = (message) => drop(send(message));

  function turn(name, stop) {
    const { stops, slider, box } = inputs[name];
    stored ? takeStored(name) : change(name, stops[stop]);
    box.value = slider.ariaValueText = stops[stop];
    slider.value = stop;
    moved = { stop, rests: fans.length && performance.now() + REST };
    want(name);
    showFan();
  }

  // Each stored dial starts from the first picture.
  function takeStored(name) {
    setControls(drop());
    for (const ahead of stored[name]) keep({ ...model.get("scene"), ...ahead }, ahead.data);
  }

  const keep = (ahead, data) => (fans[ahead.i] = { ...ahead, marks: withData(ahead.marks, data) });

  function showFan() {
    const far = (i) => Math.abs(i - moved.stop), stops = Object.keys(fans);
    if (stops.length) present({ ...scene, ...fans[stops.reduce((a, b) => (far(b) < far(a) ? b : a))] });
  }

  async function onMessage({ ask, specs: fresh, scenes, probe }, buffers) {
    if (probe) return showProbe(probe);
    for (const spec of Object.values(fresh)) spec.image = buffers[spec.image];
    await learn(fresh);
    if (ask !== asks || !asked) return;
    scenes.forEach((ahead, i) => keep(ahead, buffers[i]));
    if (moved && (queue.length || model.get("scene").n < n)) showFan();
  }

  // ---- controls --------------------------------------------------------------------------------

  const makers = {
    dial({ name, label, stops, wide, charted }) {
      const dial = make("div", `stage-dial${wide ? " stage-wide" : ""}`, board);
      make("span", "stage-name", dial, { "aria-hidden": true }).textContent = label;
      const box = make("input", "", dial, { inputmode: "decimal", "aria-label": `${label}, in digits`, ...off });
      box.oninput = () => (box.written = true);
      box.onchange = () => change(name, box.value, (box.written = false));
      box.onkeydown = (event) => {
        const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        if (event.key === "Enter") box.onchange();
        if (!way || !stops.length) return;
        event.preventDefault();
        turn(name, clamp(Number(slider.value) + way, 0, stops.length - 1));
      };
      if (!stops.length) return { box, stops };
      const track = make("div", "stage-track", dial);
      dial.append(box);
      const chart = make("div", `stage-chart${charted ? " stage-charted" : ""}`, track);
      const range = { type: "range", max: stops.length - 1, "aria-label": label };
      const slider = make("input", "", track, { ...range, ...(stored?.[name] ? { step: stored[name][1].i } : off) });
      slider.oninput = () => turn(name, Number(slider.value));
      dial.onpointerenter = dial.onfocusin = () => want(name);
      return { box, slider, stops, chart };
    },
    menu({ name, label, options }) {
      const frame = make("label", "stage-dial", board);
      make("span", "stage-name", frame).textContent = label;
      const box = make("select", "", frame, off ?? {});
      for (const option of options) make("option", "", box).textContent = option;
      box.onchange = () => change(name, box.value);
      return { box };
    },
    switch({ name, label }) {
      const frame = make("label", "stage-switch", buttons);
      const box = make("input", "", frame, { type: "checkbox", ...off });
      make("span", "", frame).innerHTML = label;
      box.onchange = () => change(name, box.checked);
      return { box };
    },
  };

  function setControls() {
    for (const [name, text] of Object.entries(scene.values)) {
      const { box, slider } = inputs[name];
      if (box.type === "checkbox") box.checked = text === "on";
      else if (!box.written) box.value = text; // or it is being written
      if (slider) [slider.value, slider.ariaValueText] = [scene.stops[name], text];
    }
    for (const text of scene.buttons)
      pressed[text] ??= makeButton(text, buttons, () => forget({ do: "press", name: text }));
    for (const [text, button] of Object.entries(pressed)) button.ariaDisabled = scene.off.includes(text);
  }

  function setCharts() {
    for (const [name, { path, marks }] of Object.entries(model.get("charts"))) {
      const { chart, stops } = inputs[name], end = stops.length - 1;
      const attributes = `viewBox="0 0 ${end} 100" preserveAspectRatio="none" aria-hidden="true"`;
      chart.innerHTML = `<svg ${attributes}><path d="${path}"/></svg>`;
      marks.forEach(([stop, text], i) => {
        const style = `left: ${(100 * stop) / end}%; top: ${i}lh`;
        make("span", stop > 0.6 * end ? "stage-left" : "", chart, { style }).textContent = text;
      });
    }
  }

  // ---- panels ----------------------------------------------------------------------------------

  function makePanel(i) {
    const frame = make("div", "stage-panel", row);
    const panel = { frame, still: make("canvas", "", frame), live: make("canvas", "", frame) };
    const at = ({ clientX, clientY }) => {
      const { left, top, width } = frame.getBoundingClientRect(), { size, box, value } = panel.spec;
      const x = ((clientX - left) * size[0]) / width, y = ((clientY - top) * size[0]) / width;
      const out = Math.max(box[0] - x, x - box[0] - box[2], box[1] - y, y - box[1] - box[3]) > 7;
      return { out, point: value(x, y) };
    };
    const take = ([x, y]) => {
      if (!(i in scene.grips)) return panel.spec.steps && go(Math.round(x));
      scene.grips[i] = [x, y];
      forget({ do: "grab", panel: i, x, y });
    };
    frame.onpointerdown = (event) => {
      const { out, point } = at(event);
      if (event.button !== 0 || out) return;
      frame.setPointerCapture(event.pointerId);
      take(point);
    };
    frame.onpointermove = (event) => {
      const { out, point: [x, y] } = at(event);
      if (frame.hasPointerCapture(event.pointerId)) return take([x, y]);
      if (!playing && !out && !asking)
        asking = setTimeout(() => (asking = 0), 80, model.send({ do: "probe", panel: i, x, y }));
    };
    frame.onpointerleave = () => showProbe();
    frame.onkeydown = (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (event.key === "Enter" && i in scene.grips) pressed[scene.buttons[0]].click();
      if (!way) return;
      event.preventDefault();
      if (!(i in scene.grips)) return go(Math.floor(t) + way[0] + way[1]);
      const { box, place, value } = panel.spec, stride = box[2] / (event.shiftKey ? 200 : 40);
      const [x, y] = place(...scene.grips[i]);
      take(value(x + way[0] * stride, y - way[1] * stride));
    };
    new ResizeObserver(() => draw(drawStill(panel))).observe(frame, { box: "device-pixel-content-box" });
    return panel;
  }

  const showProbe = (probe) => draw((scene.probe = probe));

  function setPanels() {
    scene.panels.forEach((id, i) => {
      const panel = (panels[i] ??= makePanel(i)), { frame } = panel, spec = specs[id];
      const grips = i in scene.grips, [role, tabIndex] = grips || spec.steps ? ["application", 0] : ["img", -1];
      Object.assign(frame, { ariaLabel: spec.label || spec.title, role, tabIndex });
      frame.classList.toggle("stage-grabs", grips);
      if (panel.laidOut === spec) return;
      panel.laidOut = spec;
      frame.style.cssText = `--w: ${spec.size[0]}; --h: ${spec.size[1]}`;
      drawStill(panel);
    });
    panels.forEach(({ frame }, i) => (frame.hidden = !scene.panels[i]));
  }

  // Canvases have the pixels of the screen, also when the page is zoomed, and text nearly its size.
  function drawStill(panel) {
    const { frame, still, live, laidOut: { size } } = panel;
    panel.ratio = (frame.getBoundingClientRect().width * devicePixelRatio) / size[0] || 1;
    for (const canvas of [still, live]) [canvas.width, canvas.height] = size.map((side) => Math.round(side * panel.ratio));
    const em = parseFloat(getComputedStyle(frame).fontSize) * (frame.currentCSSZoom ?? 1) * devicePixelRatio;
    panel.spec = withRoom(panel.laidOut, clamp((0.9 * em) / panel.ratio, 12, 32));
    drawPanel(still.getContext("2d"), panel.spec, panel.ratio);
  }

  // ---- the scene -------------------------------------------------------------------------------

  async function onChange() {
    const next = model.get("scene"), turn = ++turns;
    await learn(model.get("panels"));
    if (scene && turn !== turns) return; // a newer one is on its way
    alarm.textContent = model.get("alarm");
    framed ||= requestAnimationFrame(flush);
    const behind = queue.length || next.n < n;
    if (next === scene?.origin || (behind && moved && fans.length)) return;
    present({ ...next, origin: next, marks: withData(next.marks, next.data),
      grips: behind && scene ? scene.grips : { ...next.grips } });
    if (!behind) setControls();
  }

  function present(next) {
    const atEnd = !scene || t >= scene.last;
    t = Math.min(playing ? t : next.jump ?? (atEnd ? next.last : t), next.last);
    scene = { ...next, jump: null };
    [key.innerHTML, slider.max, shown] = [scene.key, scene.last, undefined];
    setPanels();
    draw();
  }

  function draw() {
    const time = calm.matches ? Math.floor(t) : t;
    panels.forEach(({ live, ratio, spec }, i) => {
      const context = live.getContext("2d"), [left, top, width, height] = spec.box;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, ...spec.size);
      context.save();
      context.beginPath();
      context.rect(left - 7, top - 7, width + 14, height + 14); // room for a marker on the edge
      context.clip();
      const [x0, x1, y0, y1] = scene.zoom[i]?.[Math.min(Math.floor(t), scene.zoom[i].length - 1)] ?? [];
      const { place } = scene.zoom[i] ? projection({ ...spec, window: [[x0, x1], [y0, y1]] }) : spec;
      if (scene.zoom[i]) drawPart(context, spec, x0, x1, y0, y1);
      for (const mark of [...kept, ...scene.marks])
        if (mark.panel === i) drawMark(context, mark, place, time, scene.future);
      if (scene.probe?.panel === i) drawProbe(context, scene.probe, spec);
      context.restore();
    });
    const step = Math.floor(t);
    if (shown === step) return;
    shown = step;
    readout.innerHTML = filled(scene.template, scene.columns, step);
    slider.value = step;
    counter.textContent = slider.ariaValueText = `step ${step} of ${scene.last}`;
    for (const [button, idle] of [[back, step <= 0], [play, !scene.last], [next, step >= scene.last]]) button.ariaDisabled = idle;
    say();
  }

  function say() {
    const now = Array.isArray(scene.words) ? scene.words[shown] : scene.words;
    const text = [scene.note, now, model.get("kept").words].filter(Boolean).join(" ");
    if (status.textContent !== text) status.textContent = text;
  }

  // ---- time ------------------------------------------------------------------------------------

  const back = makeButton("◂ Back", transport, () => go(Math.ceil(t) - 1));
  const play = makeButton(PLAY, transport, () => (playing ? go(Math.floor(t)) : start()));
  const next = makeButton("Next ▸", transport, () => go(Math.floor(t) + 1));
  const slider = make("input", "", transport, { type: "range", "aria-label": "step" });
  slider.oninput = () => go(Number(slider.value));
  const counter = make("span", "stage-counter", transport);

  function go(step) {
    pause();
    t = clamp(step, 0, scene.last);
    draw();
    say();
    model.send({ do: "step", step: t });
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
    [play.textContent, status.ariaLive] = [PAUSE, "off"]; // words follow, and are not read aloud
  }

  function pause() {
    cancelAnimationFrame(playing);
    [playing, play.textContent, status.ariaLive] = [0, PLAY, "polite"];
  }

  const setKept = () => draw(say((kept = withData(model.get("kept").marks ?? [], model.get("kept").data))));

  for (const spec of model.get("controls")) inputs[spec.name] = makers[spec.kind](spec);
  model.on("change:kept", setKept);
  model.on("change:charts", setCharts);
  model.on("change", onChange);
  model.on("msg:custom", onMessage);
  model.on("comm_live_update", () => (alarm.textContent = scene.gone));
  onChange().then(setKept).then(setCharts);
  return pause;
}

// A panel is shown when its image is there, so that nothing flickers; the first ones are got ready
// before an explorer is displayed.
export default () => {
  const specs = {};
  const learn = (fresh) => Promise.all(Object.entries(fresh).map(async ([id, spec]) => {
    specs[id] ??= { ...spec, coming: bitmap(spec.image) };
    specs[id].picture = await specs[id].coming;
  }));
  const initialize = ({ model }) => void learn(model.get("panels"));
  return { initialize, render: (view) => render(view, specs, learn) };
};
