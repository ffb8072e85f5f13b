// A JupyterLab extension without a build step: it presents the open notebook as slides.
//
// A slide is a run of cells; all others are hidden by a style sheet. The page stays JupyterLab:
// code can be changed and run, widgets work, and the speaker window is a popup of the same page.

const HERE = document.currentScript.src.replace(/[^/]*$/, "");
const TEXT = 14; // pixels: the size of text that presenter.css sets, before it is scaled
const SIZES = [0.0305, 0.033, 0.0355, 0.0385, 0.042, 0.046, 0.05]; // of text, in heights of the screen
const FIGURE = 0.7; // height of a figure that is not flat, if small text leaves it, in heights of the screen
const SMALLEST_MAP = 0.25; // height of what an explorer draws, in heights of the screen
const FIGURE_TEXT = 16.67; // pixels, before it is scaled: helpers/figures.py
const MARGIN = 40; // pixels beside code, before it is scaled
const LETTER = 0.602; // width of a letter of code, in heights of its text

const EDITED = ".cm-content, textarea, [contenteditable=true]";
const TYPED = "select, input:not([type=range], [type=checkbox], [type=radio])";
const CONTROL = `a, button, input, select, summary, [role=slider], .stage-grabs`;

const typeOf = (cell) => cell.model.getMetadata("slideshow")?.slide_type;
const headingOf = (cell) =>
  cell.model.type === "markdown" ? cell.model.sharedModel.source.match(/^(#+) (.*)/) : null;

function make(tag, parent, properties = {}) {
  const element = parent.ownerDocument.createElement(tag);
  parent.append(Object.assign(element, properties));
  return element;
}

// Each slide as its steps: step 0 is shown at once, every fragment is one more.
function slidesOf(notebook) {
  const slides = [];
  let section = { title: "", notes: null };
  notebook.widgets.forEach((cell, index) => {
    const type = typeOf(cell), heading = headingOf(cell), before = notebook.widgets[index - 1];
    if (type === "notes" || type === "skip") return;
    if (type === "slide" || type === "subslide" || !slides.length) {
      const notes = before && typeOf(before) === "notes" ? before : null;
      const opens = heading && { title: heading[2], level: heading[1].length, notes, minutes: minutesIn(notes) };
      // A part that has no notes of its own belongs to the section that it stands in.
      if (opens && (notes || !section.notes || opens.level <= section.level)) section = opens;
      slides.push({ steps: [], section, opens });
    }
    const { steps } = slides.at(-1);
    if (type === "fragment" || !steps.length) steps.push([]);
    steps.at(-1).push(cell);
  });
  return slides;
}

function minutesIn(notes) {
  return Number(notes?.model.sharedModel.source.match(/\*\*(\d+) minutes?/)?.[1] ?? 0);
}

const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

const aspect = ({ style }) => style.getPropertyValue("--w") / style.getPropertyValue("--h");

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

function activate(app) {
  const command = (id) => app.commands.execute(id);
  let panel = null; // the notebook that is presented
  let first = null, step = 0; // where we are: the first cell of the slide, and its last step shown
  let byKeys = false; // whether the focus was moved by Tab, not by a press
  let speaker = null, began = 0, spent = new Map();

  // ---- Moving ---------------------------------------------------------------------------------

  const slides = () => slidesOf(panel.content);
  const place = (all) => Math.max(0, all.findIndex((slide) => slide.steps[0][0] === first));

  function forward() {
    const all = slides(), at = place(all);
    began ||= Date.now();
    if (step + 1 < all[at].steps.length) show(all[at], step + 1);
    else if (at + 1 < all.length) show(all[at + 1], 0);
  }

  function back() {
    const all = slides(), slide = all[Math.max(0, place(all) - 1)];
    show(slide, slide.steps.length - 1);
  }

  function show(slide, upTo = 0) {
    [first, step] = [slide.steps[0][0], upTo];
    const cells = slide.steps.flat(), notebook = panel.content;
    revealBefore(notebook.widgets.indexOf(first));
    for (const cell of notebook.widgets) {
      cell.node.classList.toggle("presenter-shown", cells.includes(cell));
      cell.node.classList.toggle("presenter-pending", slide.steps.slice(upTo + 1).flat().includes(cell));
    }
    document.activeElement?.blur();
    const code = slide.steps.slice(0, upTo + 1).flat().filter((cell) => cell.model.type === "code");
    notebook.deselectAll();
    notebook.activeCellIndex = notebook.widgets.indexOf(code.at(-1) ?? first);
    command("notebook:enter-command-mode");
    sessionStorage.setItem(panel.context.path, place(slides()));
    fit();
    tell();
  }

  // A question holds back up to four cells after it, and a clicker presses no answer.
  function revealBefore(index) {
    for (const { node } of panel.content.widgets.slice(Math.max(0, index - 4), index)) {
      const answers = node.querySelectorAll(".prediction details");
      if (answers.length && ![...answers].some((answer) => answer.open)) [...answers].at(-1).open = true;
    }
  }

  // ---- Size -----------------------------------------------------------------------------------

  // The largest text with which the slide fits; figures take the height that is left.
  function fit() {
    let [low, high] = [0, SIZES.length - 1];
    // Beside an explorer the text is small, so that its map is large.
    if (panel.content.node.querySelector(".presenter-shown .stage")) high = 1;
    else if (fitsWith(SIZES[high])) return;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (fitsWith(SIZES[middle])) low = middle;
      else high = middle;
    }
    fitsWith(SIZES[low]);
  }

  // Set the size of text, and that of figures and maps, and tell whether all is in view.
  function fitsWith(text) {
    const outer = panel.content.node.querySelector(".jp-WindowedPanel-outer");
    const shown = [...outer.querySelectorAll(".presenter-shown")];
    const all = (selector) => shown.flatMap((cell) => [...cell.querySelectorAll(selector)]);
    const images = all(".jp-RenderedImage img"), rows = all(".stage-row");
    const zoom = (text * innerHeight) / TEXT;
    outer.scrollTop = 0;
    outer.style.zoom = zoom;
    outer.style.setProperty("--zoom", zoom);
    outer.style.setProperty("--figure", "0px");
    const code = codeSize(all(".jp-CodeCell .cm-line, .jp-OutputArea-output pre"), text * innerHeight);
    outer.style.setProperty("--jp-code-font-size", `${code / zoom}px`);
    const bottom = lowest(shown, all(".prediction details"));
    const floor = bar.getBoundingClientRect().top - 6;
    // What an explorer draws stands beside its controls, and above a few words and the cells below.
    const above = rows.map((row) => {
      const cells = shown.slice(shown.findIndex((cell) => cell.contains(row)) + 1);
      const below = sum([row.nextElementSibling, ...cells].map((element) => element.offsetHeight));
      return floor - below * zoom - row.getBoundingClientRect().top;
    });
    const left = rows.length ? Math.min(...above) : floor - bottom;
    const scales = images.map((image) => image.getBoundingClientRect().width / image.getAttribute("width"));
    const small = scales.some((scale) => scale * FIGURE_TEXT < 0.03 * innerHeight);
    const highest = [
      ...images.map((image, i) => scales[i] * image.getAttribute("height")),
      ...rows.map(highestPanels),
    ];
    const wanted = (rows.length ? SMALLEST_MAP : FIGURE) * innerHeight;
    const least = highest.map((height) => Math.min(wanted, height));
    const each = Math.min(Math.max(left / highest.length, SMALLEST_MAP * innerHeight), Math.max(...highest));
    outer.style.setProperty("--figure", `${each / zoom}px`);
    const broad = all("mjx-container").some((formula) => formula.scrollWidth > formula.clientWidth + 1);
    return !broad && !small && left >= sum(least) && !highest.some((height) => height < 0.8 * SMALLEST_MAP * innerHeight);
  }

  // The size of code: no line of it or of its output is broken, as long as it can be read.
  function codeSize(texts, size) {
    const lines = texts.flatMap((text) => text.textContent.split("\n"));
    const longest = Math.max(1, ...lines.map((line) => line.length));
    const wide = innerWidth - (MARGIN * size) / TEXT;
    return Math.max(SIZES[0] * innerHeight, Math.min(size, wide / (LETTER * longest)));
  }

  // Where a slide ends, whichever of its answers is open.
  function lowest(cells, answers) {
    const now = answers.find((answer) => answer.open);
    const bottoms = () => cells.map((cell) => cell.getBoundingClientRect().bottom);
    const all = answers.flatMap((answer) => ((answer.open = true), bottoms()));
    for (const answer of answers) answer.open = answer === now;
    return Math.max(...all, ...bottoms());
  }

  // Panels stand in a row; beside numbers they stand one above the other.
  function highestPanels(row) {
    const aspects = [...row.querySelectorAll(".stage-panel:not([hidden])")].map(aspect);
    const { width } = row.getBoundingClientRect();
    return row.querySelector(".stage-readout") ? (0.4 * width) / Math.max(...aspects) : width / sum(aspects);
  }

  // ---- Keys -----------------------------------------------------------------------------------

  const ACTIONS = {
    " ": forward, PageDown: forward, ArrowRight: forward, ArrowDown: forward,
    "Shift ": back, PageUp: back, ArrowLeft: back, ArrowUp: back,
    s: openSpeaker, c: openContents, b: darken, ".": darken, // clickers have a key for a dark screen
    "ShiftEnter": runHere,
  };

  function onKey(event) {
    const { key, target } = event;
    const busy = document.querySelector(".jp-Dialog, dialog[open]");
    if (!panel || busy || event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Tab") return void (byKeys = true);
    const action = ACTIONS[(event.shiftKey ? "Shift" : "") + key];
    const letter = key.length === 1 && key !== " ";
    if (!key.startsWith("Page") && action !== runHere) {
      if (target.closest(EDITED) || (byKeys && target.closest(CONTROL))) return;
      if (letter && target.closest(TYPED)) return;
    }
    // Without an action, a letter is kept from JupyterLab, which would cut or insert cells.
    if (!action && !letter && key !== "F5") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    action?.();
  }

  function runHere() {
    command("notebook:run-cell").then(() => fit());
    command("notebook:enter-command-mode");
  }

  function darken() {
    document.body.classList.toggle("presenter-dark");
  }

  // ---- The speaker window -----------------------------------------------------------------------

  function openSpeaker() {
    speaker = window.open(`${HERE}speaker.html`, "speaker", "width=1200,height=700");
    speaker?.addEventListener("load", () => {
      const { document: page } = speaker;
      for (const style of document.querySelectorAll("link[rel=stylesheet]")) page.head.prepend(page.importNode(style));
      for (const style of document.querySelectorAll("style")) {
        // Rules that scripts have added, such as those of formulas, are not in the text.
        make("style", page.head, { textContent: [...style.sheet.cssRules].map((rule) => rule.cssText).join("\n") });
      }
      speaker.addEventListener("keydown", onKey, true);
      const press = { back, forward, contents: openContents, dark: darken, clock: restartClock };
      for (const [id, action] of Object.entries(press)) page.getElementById(id).onclick = action;
      speaker.setInterval(tick, 1000);
      tell();
    });
  }

  function restartClock() {
    [began, spent] = [Date.now(), new Map()];
    tick(0);
  }

  // Once a second, for which the present section has been shown.
  function tick(seconds = 1) {
    if (!panel) return;
    const all = slides(), { section } = all[place(all)], page = speaker.document;
    if (began) spent.set(section.title, (spent.get(section.title) ?? 0) + seconds);
    const core = all.findIndex((slide) => slide.section.title === "Going deeper");
    const planned = (until) => sum(all.slice(0, until).map(({ opens }) => opens?.minutes ?? 0));
    const words = {
      time: new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
      lesson: `${clock(began ? Math.round((Date.now() - began) / 1000) : 0)} of ${planned(core < 0 ? undefined : core)} min`,
      section: `${clock(spent.get(section.title) ?? 0)} of ${section.minutes} min`,
      until: `${planned(place(all) + 1)} min`,
    };
    for (const [id, text] of Object.entries(words)) page.getElementById(id).textContent = text;
  }

  function tell() {
    const all = slides(), at = place(all), { section } = all[at];
    count.textContent = `${at + 1} / ${all.length}`;
    if (!speaker || speaker.closed || !speaker.document.getElementById("notes")) return;
    const page = speaker.document;
    page.getElementById("title").textContent = section.title;
    page.getElementById("count").textContent = count.textContent;
    const notes = page.getElementById("notes"), next = page.getElementById("next");
    notes.replaceChildren();
    if (section.notes) notes.append(page.importNode(section.notes.node.querySelector(".jp-RenderedMarkdown"), true));
    else notes.textContent = "No notes here.";
    for (const details of notes.querySelectorAll("details")) details.open = true;
    const more = step + 1 < all[at].steps.length;
    const coming = more ? all[at].steps[step + 1] : (all[at + 1]?.steps.flat() ?? []);
    next.replaceChildren(...coming.map((cell) => copyOf(cell.node, page)));
    tick(0);
  }

  function copyOf(node, page) {
    const copy = page.importNode(node, true), drawn = node.querySelectorAll("canvas");
    copy.classList.remove("presenter-pending");
    copy.classList.add("presenter-shown");
    copy.querySelectorAll("canvas").forEach((canvas, i) => {
      if (drawn[i].width && drawn[i].height) canvas.getContext("2d").drawImage(drawn[i], 0, 0);
    });
    return copy;
  }

  // ---- Contents, and the bar under the slide ----------------------------------------------------

  async function openContents() {
    const list = contents.querySelector("ol"), others = contents.querySelector("p");
    const all = slides(), opened = all.filter(({ opens }) => opens);
    const now = opened.findLast((slide) => all.indexOf(slide) <= place(all));
    const jump = (slide) => () => (contents.close(), show(slide));
    list.replaceChildren(), others.replaceChildren();
    for (const slide of opened) {
      const { title, level, minutes } = slide.opens;
      const button = make("button", make("li", list, { className: `level-${level}` }), { onclick: jump(slide) });
      button.textContent = minutes ? `${title} (${minutes})` : title;
      if (slide === now) button.ariaCurrent = "true";
    }
    const folder = panel.context.path.replace(/[^/]*$/, "");
    const files = await app.serviceManager.contents.get(folder.replace(/\/$/, ""));
    for (const { name, type } of files.content.sort((a, b) => a.name.localeCompare(b.name)))
      if (type === "notebook" && folder + name !== panel.context.path) {
        const open = () => (contents.close(), app.commands.execute("docmanager:open", { path: folder + name }));
        make("button", others, { textContent: name.replace(".ipynb", ""), onclick: open });
      }
    contents.showModal();
  }

  const bar = make("div", document.body, { id: "presenter-bar" });
  const press = (text, onclick, title) => make("button", bar, { textContent: text, onclick, title });
  press("‹", back, "Back (←, Page Up)").ariaLabel = "Back";
  const count = make("span", bar);
  press("›", forward, "On (→, Page Down, Space)").ariaLabel = "On";
  press("Contents", openContents, "c");
  press("Speaker window", openSpeaker, "s");
  press("Run all anew", () => runAll(true), "after an error, or when widgets have lost the kernel");
  const leave = press("Leave", () => (panel ? stop() : present(app.shell.currentWidget)));
  const state = make("span", bar, { role: "status" });
  const contents = make("dialog", document.body, { id: "presenter-contents" });
  make("ol", contents), make("p", contents);

  // ---- Beginning and end --------------------------------------------------------------------------

  // Run all cells, in a new kernel if wished; the slide stays.
  async function runAll(anew = false) {
    const running = panel;
    state.textContent = "running …";
    delete bar.dataset.run;
    if (anew) await running.sessionContext.session?.kernel?.restart();
    const done = command("notebook:run-all-cells");
    show(slides()[place(slides())], step); // JupyterLab has gone to the last cell
    await done;
    if (panel !== running) return;
    const failed = running.node.querySelector("[data-mime-type='application/vnd.jupyter.error']");
    state.textContent = failed ? "a cell has failed" : "";
    bar.dataset.run = panel.context.path;
    show(slides()[place(slides())], step);
  }

  async function present(widget) {
    if (!widget?.content?.widgets || !widget.sessionContext) return;
    const anew = !widget.node.classList.contains("presenter-panel");
    await Promise.all([widget.context.ready, widget.revealed]);
    while (!widget.isVisible) { // a page that opens shows its notebook a little later
      if (widget !== app.shell.currentWidget) return;
      await new Promise((wake) => setTimeout(wake, 100));
    }
    [panel, byKeys] = [widget, false];
    document.body.classList.add("presenter-on");
    for (const element of document.querySelectorAll(".presenter-around, .presenter-now"))
      element.classList.remove("presenter-around", "presenter-now");
    panel.node.classList.add("presenter-panel", "presenter-now");
    for (let box = panel.node.parentElement; box !== document.body; box = box.parentElement)
      box.classList.add("presenter-around");
    leave.textContent = "Leave";
    const all = slides();
    show(all[sessionStorage.getItem(panel.context.path) ?? 0] ?? all[0]);
    if (!anew) return;
    await panel.sessionContext.ready;
    await runAll();
  }

  function stop() {
    document.body.classList.remove("presenter-on", "presenter-dark");
    panel.content.node.querySelector(".jp-WindowedPanel-outer").style.zoom = "";
    panel = null;
    leave.textContent = "Present";
  }

  make("link", document.head, { rel: "stylesheet", href: `${HERE}presenter.css` });
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("pointerdown", () => (byKeys = false), true);
  window.addEventListener("resize", () => panel && fit());
  // A press on an answer or on a sign of an explorer may change the height.
  window.addEventListener("pointerup", () => panel && setTimeout(() => panel && tell(), 300));
  app.restored.then(() => {
    app.shell.currentChanged.connect((_, { newValue }) => present(newValue));
    present(app.shell.currentWidget);
  });
}

(globalThis._JUPYTERLAB ??= {}).presenter = {
  init: () => {},
  get: async () => () => ({
    __esModule: true,
    default: { id: "presenter:plugin", autoStart: true, activate },
  }),
};
