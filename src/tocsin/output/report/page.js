"use strict";
// Records in the page's data block become a list and a panel. Values are set as text, never as markup.
const { names, rows } = JSON.parse(document.getElementById("records").textContent);
const at = (id) => document.getElementById(id);
const make = (tag, text) => { const one = document.createElement(tag); if (text !== undefined) one.textContent = text; return one; };
const PAGE = 100;

function open(number) {
  const [time, path, src, rec, chunk, title, level, host, techniques, repeats, fields] = rows[number];
  const list = at("record-fields");
  list.replaceChildren();
  const put = (name, value) => { if (value !== "" && value !== undefined) list.append(make("dt", name), make("dd", String(value))); };
  at("record-title").textContent = title < 0 ? "Record that this rests on" : names[title];
  put("time (UTC)", time);
  put("machine", names[host]);
  put("level", names[level]);
  put("techniques", names[techniques]);
  put("source", names[path]);
  put("SHA-256", names[src]);
  put(chunk < 0 ? "at byte" : "record number", rec);
  put("at byte of chunk", chunk < 0 ? "" : chunk);
  if (repeats) put("says the same", repeats + " more findings");
  for (const [name, value] of Object.entries(fields)) put(name, value);
  at("record").showModal();
  tell(number);
}

// Raw records stand in the page in compressed blocks; the block of the one that is asked for is unpacked, once.
let raw = null;
const unpacked = new Map();

function unpack(block) {
  if (!unpacked.has(block)) {
    const packed = Uint8Array.from(atob(raw.blocks[block]), (one) => one.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    unpacked.set(block, new Response(plain).json());
  }
  return unpacked.get(block);
}

// JSON on lines of its own for each part; nothing but blanks between the parts is changed.
function laid(text) {
  if (!/^[[{]/.test(text) || text.includes("\n")) return text;
  let depth = 0;
  const line = () => "\n" + "  ".repeat(Math.max(depth, 0));
  return text.replace(/"(?:[^"\\]|\\.)*"|[[{](\s*[\]}])?|[\]}]|,\s*|:\s*/g, (part, empty) => {
    if (part[0] === '"' || empty) return part;
    if (part === "{" || part === "[") { depth += 1; return part + line(); }
    if (part === "}" || part === "]") { depth -= 1; return line() + part; }
    return part[0] === "," ? "," + line() : ": ";
  });
}

async function tell(number) {
  const place = at("record-raw");
  raw ??= { ...JSON.parse(at("raw").textContent), blocks: at("blocks").textContent.split("\n") };
  const [block, which] = raw.at[number];
  at("record").dataset.shown = number;
  if (block < 0) {
    place.textContent = "Not on this page: " + raw.whys[which] + ". Its place in the evidence stands above.";
    return;
  }
  place.textContent = "";
  let text;
  try {
    text = laid((await unpack(block))[which]);
  } catch {
    text = "This browser cannot unpack it. Its place in the evidence stands above.";
  }
  if (at("record").dataset.shown === String(number)) place.textContent = text;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-record]");
  if (!link) return;
  event.preventDefault();
  open(Number(link.dataset.record));
});

// The list: those rows that hold every word, a page at a time.
const found = { rows: [], first: 0 };
const text = rows.map(([time, path, , , , title, level, host, techniques, , fields]) =>
  title < 0 ? "" : [time, names[path], names[title], names[level], names[host], names[techniques], ...Object.values(fields)].join(" ").toLowerCase());

function list() {
  const body = at("list").tBodies[0];
  body.replaceChildren(...found.rows.slice(found.first, found.first + PAGE).map((number) => {
    const [time, , , , , title, level, host] = rows[number];
    const row = make("tr");
    const mark = make("span", names[level]);
    mark.className = "level " + names[level];
    const link = make("a", "record");
    link.href = "#record-" + number;
    link.dataset.record = number;
    const cells = [make("td", time), make("td"), make("td", names[title]), make("td", names[host]), make("td")];
    cells[1].append(mark);
    cells[4].append(link);
    row.append(...cells);
    return row;
  }));
  const last = Math.min(found.first + PAGE, found.rows.length);
  at("shown").textContent = found.rows.length ? `${found.first + 1} to ${last} of ${found.rows.length}` : "none";
  at("earlier").disabled = found.first === 0;
  at("later").disabled = last === found.rows.length;
}

function search() {
  const words = at("words").value.toLowerCase().split(" ").filter(Boolean);
  found.rows = [];
  for (let number = 0; number < rows.length; number++) {
    if (rows[number][5] >= 0 && words.every((word) => text[number].includes(word))) found.rows.push(number);
  }
  found.first = 0;
  list();
}

let waiting = 0;
at("words").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150); });
at("earlier").addEventListener("click", () => { found.first -= PAGE; list(); });
at("later").addEventListener("click", () => { found.first += PAGE; list(); });
at("find").hidden = false;
search();

// The timeline: every mark knows its share of the whole time; a window of it is laid out.
const lanes = at("lanes");
if (lanes) {
  const left = Number(lanes.dataset.left) + 10;
  const width = Number(lanes.dataset.width) - left - 20;
  const moved = [...lanes.querySelectorAll("[data-share]")];
  let [from, to] = [0, 1];
  const lay = () => {
    for (const one of moved) {
      const share = (Number(one.dataset.share) - from) / (to - from);
      const x = left + share * width;
      one.classList.toggle("away", share < 0 || share > 1);
      if (one.tagName === "circle") one.setAttribute("cx", x);
      else if (one.tagName === "text") one.setAttribute("x", x);
      else { one.setAttribute("x1", x); one.setAttribute("x2", x); }
    }
    const marks = moved.filter((one) => one.tagName === "circle" && !one.classList.contains("away")).length;
    at("range").textContent = to - from === 1 ? "" : `${marks} marks in ${((to - from) * 100).toPrecision(2)} % of the time`;
  };
  const show = (first, size) => {
    size = Math.min(Math.max(size, 1e-6), 1);
    from = Math.min(Math.max(first, 0), 1 - size);
    to = from + size;
    lay();
  };
  const zoom = (factor, middle) => { const size = (to - from) * factor; show(middle - (middle - from) * factor, size); };
  const act = {
    in: () => zoom(0.5, (from + to) / 2),
    out: () => zoom(2, (from + to) / 2),
    left: () => show(from - (to - from) / 3, to - from),
    right: () => show(from + (to - from) / 3, to - from),
    all: () => show(0, 1),
  };
  at("zoom").addEventListener("click", (event) => { const how = event.target.dataset.zoom; if (how) act[how](); });
  lanes.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const box = lanes.getBoundingClientRect();
    const share = ((event.clientX - box.left) * Number(lanes.dataset.width) / box.width - left) / width;
    zoom(event.deltaY > 0 ? 1.25 : 0.8, from + Math.min(Math.max(share, 0), 1) * (to - from));
  }, { passive: false });
  at("zoom").hidden = false;
}
