"use strict";
const form = document.getElementById("filters");
const articles = [...document.querySelectorAll("article")].map((article) => ({
  article,
  rows: [...article.querySelectorAll(".row")].map((row) => ({
    row,
    subjects: new Set([...row.querySelectorAll(".subjects [data-s]")].map((li) => li.dataset.s)),
    text: null,
  })),
  text: null,
}));
const total = articles.reduce((sum, { rows }) => sum + rows.length, 0);

function matches(entry, { row, subjects }, wanted) {
  return (!wanted.severity || row.dataset.severity === wanted.severity)
    && (!wanted.subject || subjects.has(wanted.subject));
}

function hasText(entry, item, words) {
  entry.text ??= [...entry.article.querySelectorAll("h4, .id")].map((e) => e.textContent).join(" ").toLowerCase();
  item.text ??= item.row.textContent.toLowerCase();
  return words.every((word) => item.text.includes(word) || entry.text.includes(word));
}

function apply() {
  const wanted = Object.fromEntries(new FormData(form));
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  const active = Boolean(wanted.concern || wanted.severity || wanted.status || wanted.subject || words.length);
  let shown = 0;
  for (const entry of articles) {
    const { article, rows } = entry;
    const here = (!wanted.concern || article.dataset.concern === wanted.concern)
      && (!wanted.status || article.dataset.status === wanted.status);
    let left = 0;
    for (const item of rows) {
      const match = here && matches(entry, item, wanted) && hasText(entry, item, words);
      item.row.hidden = !match;
      left += match;
    }
    article.hidden = left === 0;
    const more = article.querySelector(".more");
    if (more) {
      const hidden = more.querySelectorAll(".row:not([hidden])").length;
      more.hidden = hidden === 0;
      more.open = active && left <= 50;
    }
    shown += left;
  }
  for (const section of document.querySelectorAll(".concern, .findings")) {
    section.hidden = !section.querySelector("article:not([hidden])");
  }
  for (const line of document.querySelectorAll(".containers tr[data-s]")) {
    line.hidden = Boolean(wanted.subject) && line.dataset.s !== wanted.subject;
  }
  document.getElementById("none").hidden = shown > 0 || !active;
  form.elements.shown.value = active ? `${shown} of ${total} entries` : "";
}

form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("reset", () => setTimeout(apply));
form.addEventListener("submit", (event) => event.preventDefault());
for (const head of document.querySelectorAll(".containers tr[data-s] th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = head.textContent;
  button.title = "Show this container only";
  button.addEventListener("click", () => {
    form.elements.subject.value = head.parentElement.dataset.s;
    apply();
  });
  head.replaceChildren(button);
}
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});
apply();
