// Filters: by verdict, version, target and text. What is chosen stands in the address, so that a link shows the same.
"use strict";
(() => {
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  const boxes = [...form.querySelectorAll("[name=verdict]")];
  const fields = ["mqtt", "target", "text"].map((name) => form.elements[name]).filter(Boolean);
  const results = [...document.querySelectorAll("article")];
  const byId = new Map(results.map((result) => [result.id, result]));
  const texts = new Map();
  const heads = [...document.querySelectorAll("th[data-column]")];
  const cells = [...document.querySelectorAll("td[data-column]")];
  const rows = [...document.querySelectorAll(".matrix tbody tr, .failures li")];
  const links = rows.flatMap((row) => [...row.querySelectorAll("a[data-k]")].map((link) => ({ row, link })));

  // What a result is searched by: its group's name and all that it says itself.
  const textOf = (result) => {
    if (!texts.has(result)) {
      texts.set(result, (result.parentElement.firstElementChild.textContent + " " + result.textContent).toLowerCase());
    }
    return texts.get(result);
  };

  // In this version, or in any.
  const differsIn = (row, version) => (row.dataset.differs ?? "").split(" ").some((one) => one && (!version || one === version));

  const chosen = () => {
    const state = new URLSearchParams();
    const verdicts = boxes.filter((box) => box.checked).map((box) => box.value);
    if (verdicts.length < boxes.length) state.set("verdict", verdicts.join(","));
    for (const field of fields) if (field.value.trim()) state.set(field.name, field.value.trim());
    if (form.elements.differs?.checked) state.set("differs", "1");
    return state;
  };

  const choose = (state) => {
    const verdicts = state.has("verdict") ? state.get("verdict").split(",") : null;
    for (const box of boxes) box.checked = !verdicts || verdicts.includes(box.value);
    for (const field of fields) field.value = state.get(field.name) ?? "";
    if (form.elements.differs) form.elements.differs.checked = state.get("differs") === "1";
  };

  const show = () => {
    const state = chosen();
    const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const words = (state.get("text") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const isColumn = (data) =>
      (!state.has("mqtt") || data.v === state.get("mqtt")) && (!state.has("target") || data.t === state.get("target"));
    let shown = 0;
    for (const result of results) {
      const fits =
        verdicts.has(result.dataset.k) && isColumn(result.dataset) && words.every((word) => textOf(result).includes(word));
      result.hidden = !fits;
      if (fits) shown += 1;
    }
    const columns = new Set();
    for (const head of heads) {
      head.hidden = !isColumn(head.dataset);
      if (!head.hidden) columns.add(head.dataset.column);
    }
    for (const cell of cells) cell.hidden = !columns.has(cell.dataset.column);
    const wanted = new Set();
    // A row is there for one result that fits, and then whole: what the others say beside it is what a reader compares.
    for (const { row, link } of links) {
      if (!byId.get(link.hash.slice(1)).hidden) wanted.add(row);
    }
    const isOdd = (row) => row.localName === "li" || differsIn(row, state.get("mqtt"));
    for (const row of rows) row.hidden = !wanted.has(row) || (state.has("differs") && !isOdd(row));
    const hideEmpty = (all, parts) => {
      for (const one of document.querySelectorAll(all)) one.hidden = !one.querySelector(parts);
    };
    hideEmpty("main .wide:has(.matrix)", "tbody tr:not([hidden])");
    hideEmpty(".group", "article:not([hidden])");
    hideEmpty("main > section", "tbody tr:not([hidden]), li:not([hidden]), article:not([hidden])");
    count.textContent = `${shown} of ${results.length} results shown`;
  };

  const remember = () => {
    const state = chosen().toString();
    history.replaceState(null, "", state ? "#?" + state : location.pathname + location.search);
    show();
  };

  // A link to a result shows it, whatever the filters say.
  const follow = () => {
    if (location.hash.startsWith("#?") || location.hash === "") {
      choose(new URLSearchParams(location.hash.slice(2)));
      show();
      return;
    }
    const result = byId.get(location.hash.slice(1));
    if (result?.hidden) {
      result.hidden = false;
      result.parentElement.hidden = false;
      result.scrollIntoView();
    }
  };

  form.addEventListener("input", remember);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(remember));
  window.addEventListener("hashchange", follow);
  form.hidden = false;
  show();
  follow();

  for (const place of document.querySelectorAll(".repeat")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(place.firstElementChild.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(place.firstElementChild);
        button.textContent = "Selected";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    place.append(button);
  }
})();
