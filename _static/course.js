// What a style cannot do. A classic script, since modules do not load over file://.

// A formula wider than the page scrolls in a box of its own, which the keyboard must reach.
const letKeyboardScroll = () => {
  for (const box of document.querySelectorAll(".formula")) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Formula, scrolls sideways");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
};
new ResizeObserver(letKeyboardScroll).observe(document.documentElement);
document.addEventListener("toggle", letKeyboardScroll, true);

// Paper is white, and shows code even if it is folded on the screen; hints and solutions stay as the reader left them.
let opened = [];
let theme = "";
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details.hide:not([open])")];
  for (const details of opened) details.open = true;
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
  document.documentElement.dataset.theme = theme;
});

// The notation at hand: its link opens a dialog, whose tables arrive when it is first opened.
const notation = document.querySelector(".notation-link");
if (notation) {
  const dialog = document.createElement("dialog");
  dialog.className = "notation";
  dialog.setAttribute("aria-label", "Notation");
  dialog.innerHTML = `<form method="dialog"><a href="${notation.href}">As a page</a><button>Close</button></form>
    <div class="bd-article"></div>`;
  document.body.append(dialog);
  notation.setAttribute("aria-haspopup", "dialog");
  notation.addEventListener("click", event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // to another tab or window
    event.preventDefault();
    dialog.showModal();
    dialog.querySelector("button").focus();
    if (dialog.querySelector("table")) return;
    const root = document.documentElement.dataset.content_root;
    const script = document.createElement("script");
    script.src = `${root}_static/notation.js`;
    script.onload = () => {
      dialog.lastChild.innerHTML = NOTATION;
      for (const link of dialog.lastChild.querySelectorAll("a")) link.href = root + link.getAttribute("href");
    };
    document.head.append(script);
  });
  dialog.addEventListener("click", ({target}) => {
    if (target === dialog || target.closest("a")) dialog.close();
  });
}
