// Sorting, filtering and reading values; the page says everything without it.
(() => {
  "use strict";
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // Tables: a button in every head, the column's own order first (numbers from the largest).
  const number = (text) => {
    const digits = text.replace(/[^0-9.−-]/g, "").replace("−", "-");
    return digits === "" || digits === "-" ? -Infinity : Number(digits);
  };
  const sortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const sort = (head, column) => {
      const numeric = head.classList.contains("n");
      const first = numeric ? "descending" : "ascending";
      const second = numeric ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? second : first;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const key = (row) => {
        const text = row.cells[column].dataset.v ?? row.cells[column].textContent;
        return numeric ? number(text) : text.toLowerCase();
      };
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => sign * (a < b ? -1 : a > b ? 1 : 0));
      body.append(...rows.map(([, row]) => row));
      table.dispatchEvent(new Event("sorted"));
    };
    heads.forEach((head, column) => {
      if (head.hasAttribute("data-fixed")) return;
      const button = make("button", { type: "button" }, ...head.childNodes);
      button.addEventListener("click", () => sort(head, column));
      head.append(button);
    });
  };
  document.querySelectorAll("table.sortable").forEach(sortable);

  // Endpoints: a filter, and the first hundred until all are asked for.
  const PAGE = 100;
  const table = document.getElementById("endpoint-table");
  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const all = document.getElementById("all");
  let most = PAGE;
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...table.tBodies[0].rows];
    let fitting = 0;
    for (const row of rows) {
      const name = row.cells[0].textContent.toLowerCase();
      const fits = words.every((word) => name.includes(word));
      row.hidden = !fits || ++fitting > most;
    }
    const visible = Math.min(fitting, most);
    shown.textContent = `${visible} of ${rows.length} endpoints`;
    all.parentElement.hidden = fitting <= most;
  };
  filter.closest("p").hidden = false;
  filter.addEventListener("input", show);
  table.addEventListener("sorted", show);
  all.addEventListener("click", () => {
    most = Infinity;
    show();
    filter.focus();
  });
  // A link to a row that is not shown shows it.
  const reveal = () => {
    const row = document.getElementById(location.hash.slice(1));
    if (row && row.hidden) {
      filter.value = "";
      most = Infinity;
      show();
      row.scrollIntoView();
    }
  };
  window.addEventListener("hashchange", reveal);
  let folded = [];
  window.addEventListener("beforeprint", () => {
    most = Infinity;
    show();
    folded = [...document.querySelectorAll("details.passed:not([open])")];
    folded.forEach((details) => (details.open = true));
  });
  window.addEventListener("afterprint", () => folded.forEach((details) => (details.open = false)));
  show();
  reveal();

  // Charts: a slider over each, for the pointer, the finger and the arrow keys; its text is what the tooltip shows.
  const readings = JSON.parse(document.getElementById("readings").textContent);
  const tip = document.getElementById("tip");
  const nearest = (xs, x) => {
    let best = 0;
    for (let i = 1; i < xs.length; i++) if (Math.abs(xs[i] - x) < Math.abs(xs[best] - x)) best = i;
    return best;
  };
  const explore = (chart) => {
    const figure = readings.figures[chart.dataset.figure];
    if (!figure) return;
    const { of, x, at } = readings.frames[figure.frame];
    if (x.length === 0) return;
    const plane = chart.querySelector(".plane");
    const title = document.getElementById(`${chart.dataset.figure}-title`).textContent;
    const cursor = make("input", { type: "range", class: "cursor", min: 0, max: x.length - 1, step: 1, value: 0, "aria-label": `Values of: ${title}` });
    const hair = make("div", { class: "hair", hidden: "" });
    chart.append(hair, cursor);
    const say = (i) => `${at[i]}: ${figure.series.map(([name, texts]) => `${name} ${texts[i]}`).join("; ")}`;
    const hide = () => {
      tip.hidden = true;
      hair.hidden = true;
    };
    const read = (i) => {
      cursor.value = i;
      cursor.setAttribute("aria-valuetext", say(i));
      const box = plane.getBoundingClientRect();
      const frame = chart.getBoundingClientRect();
      const across = box.left + (x[i] / 1000) * box.width;
      hair.style.left = `${across - frame.left}px`;
      hair.hidden = false;
      const lines = figure.series.map(([name, texts]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, texts[i])));
      tip.replaceChildren(make("b", {}, at[i]), make("table", {}, make("tbody", {}, ...lines)));
      tip.hidden = false;
      const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
      const beside = across + 14 > room ? across - tip.offsetWidth - 14 : across + 14;
      tip.style.left = `${Math.max(8, Math.min(beside, room)) + scrollX}px`;
      tip.style.top = `${frame.top + 8 + scrollY}px`;
    };
    cursor.setAttribute("aria-valuetext", say(0));
    const point = (event) => {
      const box = plane.getBoundingClientRect();
      read(nearest(x, ((event.clientX - box.left) / box.width) * 1000));
    };
    cursor.addEventListener("pointermove", point);
    cursor.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse") event.preventDefault();
      cursor.focus({ preventScroll: true });
      point(event);
    });
    cursor.addEventListener("pointerleave", () => {
      if (document.activeElement !== cursor || !cursor.matches(":focus-visible")) hide();
    });
    cursor.addEventListener("input", () => read(Number(cursor.value)));
    cursor.addEventListener("focus", () => {
      if (cursor.matches(":focus-visible")) read(Number(cursor.value));
    });
    cursor.addEventListener("blur", hide);
    cursor.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
    // The same values as a table, made when it is first opened.
    const details = make("details", { class: "data" }, make("summary", {}, "Values", make("span", { class: "unseen" }, ` of ${title}`)));
    details.addEventListener("toggle", () => {
      if (!details.open || details.children.length > 1) return;
      const head = [of, ...figure.series.map(([name]) => name)].map((name) => make("th", { scope: "col" }, name));
      const rows = at.map((name, i) => make("tr", {}, make("th", { scope: "row" }, name), ...figure.series.map(([, texts]) => make("td", {}, texts[i]))));
      const region = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Values of ${title}` });
      region.append(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
      details.append(region);
    });
    chart.closest("figure").append(details);
  };
  document.querySelectorAll(".chart").forEach(explore);
})();
