// A lecture: reveal.js, and what it does not do by itself. A classic script, since modules do not load over file://.
(() => {
  const SMALLEST = 0.65;

  // Too much for a slide is written smaller, down to what the last row can still read.
  const overflows = box => box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
  const wide = box => box.scrollWidth > box.clientWidth + 1;
  const full = slide =>
    [...slide.querySelectorAll(".slide-body, .slide-words")].some(overflows) ||
    [...slide.querySelectorAll(".slide-body div, .slide-body pre")].some(wide);
  const fit = slide => {
    const shown = slide.style.cssText;
    slide.style.cssText = "display: flex; visibility: hidden";
    slide.hidden = false;
    let size = 1;
    while (full(slide) && size > SMALLEST) {
      size -= 0.05;
      slide.style.setProperty("--size", size);
    }
    slide.style.cssText = shown;
    if (size < 1) slide.style.setProperty("--size", size);
  };
  document.querySelectorAll(".slides > section").forEach(fit);

  // Inside an explorable figure keys are the figure's. Escape leaves it; a remote control sends PageUp and PageDown,
  // which move on from everywhere.
  const inside = () => document.activeElement?.closest(".explorable");
  const leave = event => {
    if (!inside() || !["Escape", "PageUp", "PageDown"].includes(event.key)) return;
    document.activeElement.blur();
    if (event.key === "Escape") event.stopPropagation();
  };
  document.addEventListener("keydown", leave, true);

  // An address that tells a figure's state, #id&rate=0.3, leads to the figure's slide.
  const linked = document.getElementById(location.hash.slice(1).split("&")[0])?.closest(".slides > section");

  Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    display: "flex",
    transition: "none",
    backgroundTransition: "none",
    hash: true,
    slideNumber: "c/t",
    keyboardCondition: () => !inside(),
    totalTime: 45 * 60,
    plugins: [RevealNotes],
  }).then(() => {
    if (linked) Reveal.slide(Reveal.getIndices(linked).h);
    Reveal.addKeyBinding({keyCode: 78, key: "N", description: "Notes beside the slide"}, () => {
      Reveal.configure({showNotes: !Reveal.getConfig().showNotes});
      Reveal.layout();
    });
  });
})();
