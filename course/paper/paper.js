// The pages of the site as one document on paper. Runs in the site's first page, which it replaces.
// Takes [[name, html], …] in the order of the book, and the version; returns the links that lead
// nowhere, what each formula says, and the headings.
([pages, version]) => {
  const site = new URL(".", location).href;
  const names = new Set(pages.map(([name]) => name));
  const SHORT = 12; // lines of code that are not worth a break
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // A formula is one thing to those who listen: `x^2/(n+1)`, not a heap of glyphs.
  const group = (text) => ([...text].length > 1 ? `(${text})` : text);
  const SAY = {
    mfrac: (over, under) => `${group(over)}/${group(under)}`,
    msqrt: (...inside) => `√${group(inside.join(""))}`,
    mroot: (inside, degree) => `${group(inside)}^(1/${degree})`,
    msup: (base, up) => `${base}^${group(up)}`,
    msub: (base, down) => `${base}_${group(down)}`,
    msubsup: (base, down, up) => `${base}_${group(down)}^${group(up)}`,
    munder: (base, down) => `${base}_${group(down)}`,
    munderover: (base, down, up) => `${base}_${group(down)}^${group(up)}`,
    mtr: (...cells) => cells.join(", "),
    mtable: (...rows) => rows.join("; "),
  };
  const say = (node) => {
    if (!node.children.length) return node.textContent.trim();
    const parts = [...node.children].map(say);
    return node.localName in SAY ? SAY[node.localName](...parts) : parts.join("");
  };

  const words = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("mjx-math").forEach((drawn) => drawn.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };

  const book = [];
  const folded = [];
  const formulas = []; // what each says, by number
  const runningHeads = [];

  const chapter = (name, html) => {
    const article = new DOMParser().parseFromString(html, "text/html").querySelector("article.bd-article");
    const address = new URL(name, site);
    article.querySelectorAll("a.headerlink, script, style, .explorable, button").forEach((e) => e.remove());
    for (const element of article.querySelectorAll("[id]")) {
      if (!element.closest("svg")) element.id = `${name}:${element.id}`;
    }
    for (const image of article.querySelectorAll("img")) {
      image.removeAttribute("loading");
      image.src = new URL(image.getAttribute("src"), address);
    }
    for (const link of article.querySelectorAll("a[href]")) {
      const target = new URL(link.getAttribute("href"), address);
      if (!target.href.startsWith(site)) continue;
      const page = decodeURIComponent(target.pathname.slice(new URL(site).pathname.length));
      const fragment = decodeURIComponent(target.hash.slice(1));
      if (names.has(page)) link.setAttribute("href", `#${page}${fragment && `:${fragment}`}`);
      else link.replaceWith(...link.childNodes); // a file beside the site
    }
    for (const formula of article.querySelectorAll("mjx-container")) {
      const maths = formula.querySelector("math");
      // The glyphs are drawn by styles, which no tag sees; beside them stands what they say, too small to be seen.
      const said = make("span", { className: "said" });
      formula.lang = `x-formula-${formulas.length}`; // by which its tag is found again
      said.textContent = maths ? say(maths) : formula.textContent.trim();
      formulas.push(said.textContent);
      formula.querySelector("mjx-assistive-mml")?.remove();
      formula.append(said);
    }
    for (const code of article.querySelectorAll("details.hide")) {
      // A check is for the notebook; other code that the site folds is shown.
      if (/^\s*The check/.test(code.textContent)) code.closest(".cell").remove();
      else code.replaceWith(...[...code.children].filter((child) => child.localName !== "summary"));
    }
    for (const code of article.querySelectorAll("pre")) {
      code.classList.toggle("short", code.textContent.trim().split("\n").length <= SHORT);
    }
    for (const strong of article.querySelectorAll("p > strong:only-child")) {
      strong.parentNode.classList.toggle("title", words(strong) === words(strong.parentNode));
    }
    const title = words(article.querySelector("h1"));
    let list = null; // of the links to what is folded side by side
    for (const details of article.querySelectorAll("details")) {
      const section = details.closest("section:has(> :is(h1, h2, h3))");
      const heading = words(section.querySelector("h1, h2, h3"));
      const said = details.querySelector("summary").textContent.trim();
      const content = [...details.childNodes].filter((child) => child.localName !== "summary");
      const id = `${name}:folded-${folded.length}`;
      const before = details.previousElementSibling;
      // An exercise names its hints and its solution in one line, a question its possible answers one below the other.
      if (!list || (before !== list && section !== list.exercise)) {
        const strong = before?.querySelector(":scope > strong")?.textContent ?? "";
        const question = strong.startsWith("Question") ? `${strong} ` : "";
        const exercise = section.querySelector(".exercise") && section;
        list = make("ul", { className: question ? "folded" : "folded hints", question, exercise });
        details.before(list);
      }
      list.append(make("li", {}, make("a", { href: `#${id}`, textContent: said })));
      details.remove();
      folded.push({ title, heading, said: list.question + said, id, place: section.id, content });
    }
    add(name, title, ...article.childNodes);
  };

  const add = (id, title, ...content) => {
    const page = `part-${runningHeads.length}`;
    runningHeads.push(`@page ${page} { @top-right { content: ${JSON.stringify(title)} } }`);
    const section = make("section", { id, className: "chapter bd-article" }, ...content);
    section.style.page = page;
    book.push({ id, title, section });
  };

  const parts = []; // [caption, pages], for the contents
  for (const list of document.querySelectorAll("nav.bd-links ul.bd-sidenav")) {
    const caption = list.previousElementSibling?.matches(".caption") ? list.previousElementSibling.textContent : "";
    parts.push([caption, [...list.querySelectorAll("a")].map((link) => link.getAttribute("href"))]);
  }
  const bookTitle = (document.querySelector(".logo__title") ?? document.querySelector("article h1")).textContent.trim();
  const small = [...document.querySelectorAll(".bd-footer-content p")].map((p) => p.innerText.trim().replace(/^By /, ""));

  for (const [name, html] of pages) chapter(name, html);
  const [first] = book;
  first.title = "About this course";
  first.section.querySelector("h1").textContent = first.title;
  runningHeads[0] = runningHeads[0].replace(/content: .*? }/, `content: "${first.title}" }`);

  if (folded.length) {
    const title = "Hints and answers";
    const all = [make("h1", { textContent: title })];
    let last = {};
    for (const each of folded) {
      if (each.title !== last.title) all.push(make("h2", { textContent: each.title }));
      if (each.place !== last.place) {
        all.push(make("h3", {}, make("a", { href: `#${each.place}`, textContent: each.heading })));
      }
      const said = make("p", { id: each.id, className: "title" }, make("strong", { textContent: each.said }));
      all.push(said, make("div", {}, ...each.content));
      last = each;
    }
    add("appendix", title, ...all);
    parts.push(["Appendix", ["appendix"]]);
  }

  const contents = make("nav", { className: "book-contents" }, make("h1", { textContent: "Contents" }));
  const titles = new Map(book.map(({ id, title }) => [id, title]));
  for (const [caption, ids] of [["", [first.id]], ...parts]) {
    if (caption) contents.append(make("p", { className: "part", textContent: caption }));
    const rows = ids.map((id) =>
      make(
        "li",
        {},
        make("a", { href: `#${id}` }, make("span", { textContent: titles.get(id) })),
        make("span", { className: "page", textContent: "000" })
      )
    );
    contents.append(make("ol", {}, ...rows));
  }
  const front = make(
    "section",
    { className: "front" },
    make("p", { className: "book-title", textContent: bookTitle }),
    ...[...small, `Version ${version}`].map((text) => make("p", { textContent: text }))
  );

  document.title = bookTitle;
  document.documentElement.dataset.theme = "light";
  document.body.replaceChildren(
    make("style", { textContent: runningHeads.join("\n") }),
    make("main", {}, front, contents, ...book.map(({ section }) => section))
  );
  const lost = [...document.querySelectorAll("a[href^='#']")]
    .map((link) => link.getAttribute("href").slice(1))
    .filter((id) => !document.getElementById(id));
  const headings = [...document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")].map(words);
  return { lost, formulas, headings };
};
