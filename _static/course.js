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
