// How panels and marks are drawn on a canvas. All numbers and texts come from the kernel.

const SHAPES = {
  o: new Path2D("M1,0A1,1,0,1,1,-1,0A1,1,0,1,1,1,0Z"),
  s: new Path2D("M-.9,-.9H.9V.9H-.9Z"),
  "^": new Path2D("M0,-1.2L1.1,.8H-1.1Z"),
  v: new Path2D("M0,1.2L1.1,-.8H-1.1Z"),
  P: new Path2D("M-.4,-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z"),
  D: new Path2D("M0,-1.2L1.2,0L0,1.2L-1.2,0Z"),
  X: new Path2D("M0,-.4L.5,-1L1,-.5L.4,0L1,.5L.5,1L0,.4L-.5,1L-1,.5L-.4,0L-1,-.5L-.5,-1Z"),
};
const CORNERS = [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]];
const INK = "#444444";

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// Where a value lies on a panel, in pixels, and back.
function projection({ box: [left, top, width, height], window: [[x0, x1], [y0, y1]], yscale }) {
  const [scale, back] = yscale === "log" ? [Math.log10, (y) => 10 ** y] : [(y) => y, (y) => y];
  const [low, high] = [scale(y0), scale(y1)];
  return {
    place: (x, y) => [
      clamp(left + ((x - x0) / (x1 - x0)) * width, -1e5, 1e5),
      clamp(top + ((high - scale(Math.max(y, yscale === "log" ? 1e-300 : y))) / (high - low)) * height, -1e5, 1e5),
    ],
    value: (px, py) => [
      clamp(x0 + ((px - left) / width) * (x1 - x0), x0, x1),
      back(clamp(low + ((top + height - py) / height) * (high - low), low, high)),
    ],
  };
}

// Axes make room for text larger than that of a page, which they were laid out for: their margins
// of 52 and 12 pixels at the sides, 30 above and 42 below (`axes` in panels.py) grow with it.
function withRoom(panel, font) {
  const { size: [w, h], box: [, , width, height] } = panel, room = Math.max(1, font / 17);
  const [across, down] = [w - 64 * room, h - 72 * room], scale = Math.min(1, across / width, down / height);
  const box = [52 * room + (across - scale * width) / 2, 30 * room + (down - scale * height) / 2, scale * width, scale * height];
  return { ...panel, font, room, box, ...projection({ ...panel, box }) };
}

function drawPanel(context, panel, ratio) {
  const { box: [left, top, width, height], size, window: [[x0], [y0]], place, font, room } = panel;
  const [right, below, middle] = [left + width, top + height, left + width / 2];
  const write = (text, x, y, textAlign, textBaseline, more = 0, widest = size[0]) => {
    Object.assign(context, { font: `${font + more}px "DejaVu Sans", Verdana, sans-serif`, textAlign, textBaseline });
    context.fillText(text, x, y, widest);
  };
  const line = (points, color) => drawLine(context, points, { color, dash: [] }, 1, 1);
  const tick = ([x, y], dx, dy, text, align, baseline) => {
    line([[x, y], [x + 4 * dx, y + 4 * dy]], INK);
    write(text, x + 7 * dx, y + 7 * dy, align, baseline, -1);
  };
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  Object.assign(context, { fillStyle: INK, imageSmoothingQuality: "high" });
  if (panel.picture && panel.xticks.length) context.drawImage(panel.picture, left, top, width, height);
  for (const [points, color] of panel.lines) line(points.map((point) => place(...point)), color);
  for (const [value, text] of panel.yticks) tick(place(x0, value), -1, 0, text, "right", "middle");
  const widest = Math.max(...panel.xticks.map(([, text]) => context.measureText(text).width));
  const every = Math.ceil((panel.xticks.length * (widest + 6)) / width); // or they would touch
  for (const [value, text] of panel.xticks.filter((_, i) => i % every === 0)) tick(place(value, y0), 0, 1, text, "center", "top");
  if (panel.xticks.length) line([[left, top], [left, below], [right, below]], INK);
  write(panel.xlabel, middle, below + 23 * room, "center", "top");
  const gap = font / 2, start = gap + (panel.ylabel ? Math.max(left - 8, context.measureText(panel.ylabel).width) : 0);
  write(panel.ylabel, start - gap, top - 9 * room, "right", "bottom");
  const half = Math.min(context.measureText(panel.title).width, size[0] - 2 - start) / 2;
  write(panel.title, clamp(middle, start + half, size[0] - 2 - half), top - 9 * room, "center", "bottom", 0, 2 * half);
  context.fillStyle = "black";
  for (const [x, y, text] of panel.notes) write(text, ...place(x, y), "center", "middle", 1);
}

// A part of a panel's image, as large as the panel.
function drawPart(context, { picture, box, window: [[X0, X1], [Y0, Y1]] }, x0, x1, y0, y1) {
  const [across, down] = [picture.width / (X1 - X0), picture.height / (Y1 - Y0)];
  context.drawImage(picture, (x0 - X0) * across, (Y1 - y1) * down, (x1 - x0) * across,
    (y1 - y0) * down, ...box);
}

function drawShape(context, [x, y], shape, radius, fill, edge, width) {
  context.save();
  context.transform(radius, 0, 0, radius, x, y);
  Object.assign(context, { fillStyle: fill, strokeStyle: edge, lineWidth: width / radius });
  context.fill(SHAPES[shape]);
  context.stroke(SHAPES[shape]);
  context.restore();
}

function drawLine(context, points, mark, alpha, width) {
  context.save();
  Object.assign(context, { strokeStyle: mark.color, globalAlpha: alpha, lineWidth: width, lineJoin: "round" });
  context.setLineDash(mark.dash);
  context.beginPath();
  for (const point of points) context.lineTo(...point);
  context.stroke();
  context.restore();
}

function drawArrow(context, color, [ax, ay], [bx, by]) {
  const length = Math.hypot(bx - ax, by - ay), head = Math.min(13, 0.6 * length), neck = length - head;
  if (length < 1) return;
  context.save();
  context.translate(ax, ay);
  context.rotate(Math.atan2(by - ay, bx - ax));
  Object.assign(context, { fillStyle: color, strokeStyle: "white", lineWidth: 1 });
  const outline = new Path2D(`M0,-1.5H${neck}V${-head / 2}L${length},0L${neck},${head / 2}V1.5H0Z`);
  context.stroke(outline);
  context.fill(outline);
  context.restore();
}

// What the map tells under the pointer, and the step from there.
function drawProbe(context, { text, at: [x, y], arrow: [dx, dy] }, { place, box: [left, top], font }) {
  drawArrow(context, INK, place(x, y), place(x + dx, y + dy));
  Object.assign(context, { fillStyle: "white", font: `${font}px sans-serif`, textBaseline: "top" });
  context.fillRect(left, top, context.measureText(text).width + font, 1.6 * font);
  context.fillStyle = "black";
  context.fillText(text, left + font / 2, top + font / 3);
}

// A mark at time t, which lies between two steps while it plays.
function drawMark(context, mark, place, t, future) {
  const { kind, data, color, marker } = mark, wide = "arrow segment box".includes(kind) ? 4 : 2, rows = [];
  for (let i = 0; i < data.length; i += wide) rows.push(data.subarray(i, i + wide));
  const step = Math.min(Math.floor(t), rows.length - 1), [x, y, dx, dy] = rows[step];
  if (kind === "point") return drawShape(context, place(x, y), marker, 7, color, "black", 1);
  if (kind === "dots") return rows.slice(0, t).forEach((at) => drawShape(context, place(...at), marker, 4, color, "black", 1));
  if (kind === "arrow") return drawArrow(context, color, place(x, y), place(x + dx, y + dy));
  if (kind === "segment") return drawLine(context, [place(x, y), place(x + dx, y + dy)], mark, 1, 2);
  if (kind === "box") return drawLine(context, CORNERS.map(([a, b]) => place(x + a * dx, y + b * dy)), mark, 1, 1.5);
  const points = rows.map(([x, y]) => place(x, y));
  if (kind === "line" || kind === "faint")
    return drawLine(context, points, mark, kind === "line" ? 1 : 0.3, 1.5);
  const [[px, py], [toX, toY]] = [points[step], points[Math.min(step + 1, points.length - 1)]];
  const head = [px + (t % 1) * (toX - px), py + (t % 1) * (toY - py)];
  if (future) drawLine(context, points, mark, 0.25, 2);
  drawLine(context, [...points.slice(0, step + 1), head], mark, 1, 2);
  const every = Math.max(1, Math.floor(points.length / 60));
  for (let i = 0; i <= step; i += every) drawShape(context, points[i], marker, 3, color, "white", 0.5);
  if (kind === "path") drawShape(context, points[0], "o", 5, "white", color, 2);
  drawShape(context, head, kind === "path" ? "X" : marker, 6, color, "black", 1);
}
