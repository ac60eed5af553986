// Explorable figures: the reader moves a control, the method runs again. A classic script, since modules do not load
// over file://. The page brings controls, problem and the default path (course/site/explorables.py); tests compare
// every path with gradlib's.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  // The site drops styles for names that no page and no script spells out.
  const PATHS = ["explorable-0", "explorable-1", "explorable-2"];

  // Methods. Each takes the values s of the controls and the page's data d, and returns one path per name.
  const iterate = (x, steps, next) => {
    const path = [x];
    for (let k = 0; k < steps && x.every(Number.isFinite); k++) path.push((x = next(x, k)));
    return path;
  };
  const times = ([[a, b], [c, e]], [x, y]) => [a * x + b * y, c * x + e * y];
  const dot = (x, y) => x[0] * y[0] + x[1] * y[1];
  const away = (x, d) => [x[0] - d.minimum[0], x[1] - d.minimum[1]];
  const distance = (x, d) => Math.hypot(...away(x, d));
  const gradient = (A, x, d) => times(A, away(x, d));

  const heavyBall = (s, d) => {
    const gamma = s.momentum ?? 0;
    let v = [0, 0];
    return [
      iterate([s.x1, s.x2], s.steps, x => {
        const g = gradient(d.A, s.method === 1 ? x.map((xi, i) => xi - gamma * v[i]) : x, d);
        v = v.map((vi, i) => gamma * vi + s.rate * g[i]);
        return x.map((xi, i) => xi - v[i]);
      }),
    ];
  };

  // The spectral radius of one mode: the larger root of z² - cz + e.
  const radius = (s, scaled) => {
    const gamma = s.momentum ?? 0;
    const [c, e] = s.method === 1 ? [(1 - scaled) * (1 + gamma), (1 - scaled) * gamma] : [1 + gamma - scaled, gamma];
    const under = c * c - 4 * e;
    return under < 0 ? Math.sqrt(e) : (Math.abs(c) + Math.sqrt(under)) / 2;
  };
  const worst = (s, d) => Math.max(radius(s, s.rate * d.mu), radius(s, s.rate * d.L));

  const cubic = (x, s) => x * x * x - 2 * x + s.constant;
  const newton = (x, s) => x - cubic(x, s) / (3 * x * x - 2);
  const tangents = s => [iterate([s.x0], s.steps, ([x]) => [newton(x, s)])];

  // Newton's basins: the number of the root that a start leads to, from the left; -1 where it reaches none.
  const settle = (x, s) => {
    for (let k = 0, last; k < 100 && x !== last; k++) [last, x] = [x, newton(x, s)];
    return x;
  };
  const reached = (x, s, roots) => {
    const end = settle(x, s);
    return roots.findIndex(root => Math.abs(end - root) < 1e-8);
  };
  const basins = (s, d) => {
    const hump = Math.sqrt(32 / 27); // height of the extrema over c
    const roots = [];
    if (s.constant > -hump) roots.push(settle(-9, s)); // from far outside the steps are monotone
    if (s.constant < hump) roots.push(settle(9, s));
    if (roots.length > 1) roots.splice(1, 0, -roots[0] - roots[1]); // without x² the roots sum to 0
    return {roots, labels: d.starts.map(x => reached(x, s, roots))};
  };
  // Runs of starts that lead to the same root: first, last, number of the root.
  const spans = ({labels}, {starts}) => {
    const found = [];
    labels.forEach((label, i) => {
      if (label !== labels[i - 1]) found.push([starts[i], starts[i], label]);
      found.at(-1)[1] = starts[i];
    });
    return found;
  };

  const linear = (s, d, conjugate) => {
    const A = [[1, 0], [0, s.kappa]];
    let r = times(A, [-s.kappa, -s.height]);
    let rr = dot(r, r);
    let p = r;
    const enough = d.tol * d.tol * rr;
    const path = [[s.kappa, s.height]];
    while (rr > enough && path.length <= s.steps) {
      const Ap = times(A, p);
      const alpha = rr / dot(p, Ap);
      path.push(path.at(-1).map((x, i) => x + alpha * p[i]));
      r = r.map((x, i) => x - alpha * Ap[i]);
      const beta = conjugate ? dot(r, r) / rr : 0;
      rr = dot(r, r);
      p = r.map((x, i) => x + beta * p[i]);
    }
    return path;
  };

  const turned = (s, d) => {
    const [c, z] = [Math.cos((s.turn * Math.PI) / 180), Math.sin((s.turn * Math.PI) / 180)];
    const [[p, q], [, r]] = d.A;
    const mixed = (p - r) * c * z + q * (c * c - z * z);
    return [[p * c * c - 2 * q * c * z + r * z * z, mixed], [mixed, p * z * z + 2 * q * c * z + r * c * c]];
  };
  const adaptive = (s, d) => {
    const A = turned(s, d);
    const follow = step => {
      const memory = [[0, 0], [0, 0]]; // for each coordinate: first and second moment
      return iterate([s.x1, s.x2], s.steps, (x, k) => {
        const g = gradient(A, x, d);
        return x.map((xi, i) => xi - step(g[i], memory[i], k + 1));
      });
    };
    return [
      follow((g, m) => (s.adagrad * g) / (Math.sqrt((m[1] += g * g)) + 1e-8)),
      follow((g, m) => (s.rmsprop * g) / Math.sqrt((m[1] = 0.9 * m[1] + (1 - 0.9) * g * g) + 1e-8)),
      follow((g, m, t) => {
        m[0] = 0.9 * m[0] + (1 - 0.9) * g;
        m[1] = 0.999 * m[1] + (1 - 0.999) * g * g;
        return (s.adam * m[0]) / (1 - 0.9 ** t) / (Math.sqrt(m[1] / (1 - 0.999 ** t)) + 1e-8);
      }),
    ];
  };

  // Numbers for reading.
  const say = (x, digits = 3) => {
    if (!Number.isFinite(x)) return "beyond all numbers";
    const size = Math.abs(x);
    if (size && (size >= 1e5 || size < 1e-3)) {
      const [front, power] = x.toExponential(2).split("e");
      return `${front}·10${[...String(+power)].map(c => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`.replace("-", "−");
    }
    return String(+x.toPrecision(digits)).replace("-", "−");
  };
  const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const verdict = rho =>
    rho < 1 ? "below 1: the method converges" : rho > 1 ? "above 1: the method diverges" : "exactly 1: the border";

  // Figures: how paths are computed, what is said of them, what a drag sets, and what is drawn.
  const bowl = (s, d) => ({A: d.A, minimum: d.minimum});
  const start = (x, y) => ({x1: x, x2: y});
  const abscissa = x => ({x0: x});
  const drawTangents = (s, d, [plot], [path]) => {
    const [low, high] = plot.bounds;
    plot.line("explorable-curve", Array.from({length: 161}, (_, i) => low + ((high - low) * i) / 160).map(x => [x, cubic(x, s)]));
    plot.line("explorable-axis", [[low, 0], [high, 0]]);
    const xs = path.map(([x]) => x);
    plot.line(PATHS[0], xs.slice(0, -1).flatMap((x, k) => [[x, cubic(x, s)], [xs[k + 1], 0], null]));
    plot.line("explorable-drop", xs.flatMap(x => [[x, 0], [x, cubic(x, s)], null]));
    plot.dots(PATHS[0], xs.map(x => [x, cubic(x, s)]));
    plot.handle([s.x0, cubic(s.x0, s)]);
  };
  const FIGURES = {
    descent: {
      run: heavyBall,
      say: (s, d, [path]) =>
        `With η = ${say(s.rate)}, ${say((s.rate * d.L) / 2)} times 2/L, the factor per step is at most ` +
        `${say(worst(s, d))}, ${verdict(worst(s, d))}. ` +
        `After ${count(s.steps, "step")} the distance from the minimum is ${say(distance(path.at(-1), d))}.`,
      bowl,
      drag: [start],
    },
    momentum: {
      run: heavyBall,
      say: (s, d, [path]) =>
        `${["Heavy ball", "Nesterov"][s.method]}, η = ${say(s.rate)}, γ = ${say(s.momentum)}: the spectral radius is ` +
        `${say(worst(s, d))}, ${verdict(worst(s, d))}. ` +
        `After ${count(s.steps, "step")} the distance from the minimum is ${say(distance(path.at(-1), d))}.`,
      bowl,
      drag: [start, (x, y, d) => ({rate: x / d.L, momentum: y})],
      more: (s, d, plots) => {
        const share = Array.from({length: 41}, (_, i) => i / 40);
        const border = share.map(g => [(2 * (1 + g)) / (s.method === 1 ? 1 + 2 * g : 1), g]);
        plots[1].line("explorable-stable", [[0, 0], ...border, [0, 1]]);
        plots[1].line("explorable-bar", [d.mu, d.L].map(curvature => [s.rate * curvature, s.momentum]));
        plots[1].dots("explorable-bar", [d.mu, d.L].map(curvature => [s.rate * curvature, s.momentum]));
        plots[1].handle([s.rate * d.L, s.momentum]);
      },
    },
    newton: {
      run: tangents,
      say: (s, d, [path]) => {
        const last = path.at(-1)[0];
        return (
          `From x₀ = ${say(s.x0)} the first tangent leads to x₁ = ${say(path[1][0])}, ` +
          `a step of ${say(Math.abs(path[1][0] - s.x0))}. After ${count(path.length - 1, "step")} x is ${say(last, 7)}, ` +
          `and x³ − 2x + c is ${say(cubic(last, s))}.`
        );
      },
      drag: [abscissa],
      more: drawTangents,
    },
    basins: {
      run: tangents,
      basins,
      say: (s, d, [path], {roots}) => {
        const number = reached(s.x0, s, roots);
        const where = number < 0 ? "no root in 100 steps" : `root ${number + 1}, at ${say(roots[number], 5)}`;
        return (
          `With c = ${say(s.constant)} the cubic has ${count(roots.length, "root")}. The start x₀ = ${say(s.x0)} ` +
          `leads to ${where}. After ${count(path.length - 1, "step")} x is ${say(path.at(-1)[0], 5)}.`
        );
      },
      drag: [abscissa, abscissa],
      more: (s, d, plots, paths, found) => {
        drawTangents(s, d, plots, paths);
        // A lane for each root, so that colour says nothing alone; the lowest is for no root.
        const half = (d.starts[1] - d.starts[0]) / 2;
        const every = spans(found, d);
        ["explorable-none", ...PATHS].forEach((name, lane) => {
          const own = every.filter(([, , label]) => label === lane - 1);
          plots[1].line(`explorable-basin ${name}`, own.flatMap(([a, b]) => [[a - half, lane], [b + half, lane], null]));
        });
        plots[1].dots("explorable-root", found.roots.map((root, i) => [root, i + 1]));
        plots[1].handle([s.x0, reached(s.x0, s, found.roots) + 1]);
      },
    },
    cg: {
      run: (s, d) => [linear(s, d, false), linear(s, d, true)],
      say: (s, d, [steepest, conjugate]) => {
        const left = ([x, y]) => Math.sqrt((x * x + s.kappa * y * y) / (s.kappa * s.kappa + s.kappa * s.height ** 2));
        const [taken, quick] = [steepest.length - 1, conjugate.length - 1];
        return (
          `κ = ${say(s.kappa)}: after ${count(taken, "step")} of steepest descent ${say(100 * left(steepest.at(-1)))} % ` +
          `of the error is left, a factor of ${say(left(steepest.at(-1)) ** (1 / taken))} a step. ` +
          `After ${count(quick, "step")} of conjugate gradients ${say(100 * left(conjugate.at(-1)))} % is left.`
        );
      },
      bowl: s => ({A: [[s.kappa * s.kappa, 0], [0, s.kappa]], minimum: [0, 0]}),
      scale: s => [s.kappa, 1], // the drawing shows x₁/κ, so that the start stays where it is
      drag: [(x, y) => ({height: y})],
    },
    adaptive: {
      run: adaptive,
      say: (s, d, paths) =>
        `The ravine is turned by ${say(s.turn)}°. After ${count(s.steps, "step")} the distance from the minimum is ` +
        `${paths.map((path, i) => `${say(distance(path.at(-1), d))} with ${d.names[i]}`).join(", ")}.`,
      bowl: (s, d) => ({A: turned(s, d), minimum: d.minimum}),
      drag: [start],
    },
  };

  // A drawing with axes; the units of its inside are those of its viewBox.
  class Plot {
    constructor(svg, bounds, axes, place) {
      this.svg = svg;
      this.bounds = bounds;
      [this.left, this.top, this.width] = [42, 6, 350];
      this.height = svg.viewBox.baseVal.height - 45;
      this.add(this.add(svg, "clipPath", {id: place}), "rect", this.frame());
      this.ticks(axes);
      this.inside = this.add(svg, "g", {"clip-path": `url(#${place})`});
      this.kept = new Map();
    }
    frame() {
      return {x: this.left, y: this.top, width: this.width, height: this.height};
    }
    add(parent, tag, attributes) {
      const made = document.createElementNS(SVG, tag);
      for (const name in attributes) made.setAttribute(name, attributes[name]);
      return parent.appendChild(made);
    }
    at([x, y]) {
      const [low, high, bottom, top] = this.bounds;
      return [this.left + ((x - low) / (high - low)) * this.width, this.top + ((top - y) / (top - bottom)) * this.height];
    }
    point(event) {
      const [low, high, bottom, top] = this.bounds;
      const box = this.svg.getBoundingClientRect();
      const scale = this.svg.viewBox.baseVal.width / box.width;
      const x = ((event.clientX - box.left) * scale - this.left) / this.width;
      const y = ((event.clientY - box.top) * scale - this.top) / this.height;
      return [low + x * (high - low), top - y * (top - bottom)];
    }
    ticks([across, up]) {
      const [low, high, bottom, top] = this.bounds;
      const step = span => [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50].find(unit => span / unit <= 7.1);
      const marks = (a, b) => {
        const unit = step(b - a);
        const first = Math.ceil(a / unit - 1e-9);
        return Array.from({length: Math.floor(b / unit + 1e-9) - first + 1}, (_, i) => (first + i) * unit);
      };
      const write = (x, y, anchor, text) => {
        this.add(this.svg, "text", {x, y, "text-anchor": anchor}).textContent = text;
      };
      const base = this.top + this.height;
      for (const value of marks(low, high)) write(this.at([value, 0])[0], base + 16, "middle", say(value));
      for (const value of marks(bottom, top)) write(this.left - 5, this.at([0, value])[1] + 4, "end", say(value));
      write(this.left + this.width / 2, base + 33, "middle", across);
      this.add(this.svg, "text", {
        "text-anchor": "middle",
        transform: `translate(12 ${this.top + this.height / 2}) rotate(-90)`,
      }).textContent = up;
      this.add(this.svg, "rect", {...this.frame(), class: "explorable-frame"});
    }
    keep(key, tag, attributes) {
      if (!this.kept.has(key)) this.kept.set(key, this.add(this.inside, tag, attributes));
      return this.kept.get(key);
    }
    // A polyline with gaps at null; a piece of it ends at the first point that is a long way off.
    line(name, points) {
      let pen = "M";
      let d = "";
      for (const point of points) {
        if (!point) pen = "M";
        if (!point || !pen) continue;
        const [x, y] = this.at(point);
        const size = Math.abs(x) + Math.abs(y);
        if (Number.isFinite(size)) d += `${pen}${x.toFixed(2)},${y.toFixed(2)}`;
        pen = size < 1e5 ? "L" : "";
      }
      this.keep(`line ${name}`, "path", {class: `explorable-line ${name}`}).setAttribute("d", d);
    }
    dots(name, points) {
      const near = points.map(point => this.at(point)).filter(([x, y]) => Math.abs(x) + Math.abs(y) < 1e4);
      const d = near.map(([x, y]) => `M${x.toFixed(2)},${y.toFixed(2)}h0`).join("");
      this.keep(`dots ${name}`, "path", {class: `explorable-dots ${name}`}).setAttribute("d", d);
    }
    handle(point) {
      const [x, y] = this.at(point);
      const circle = this.keep("handle", "circle", {class: "explorable-handle", r: 9});
      circle.setAttribute("cx", Number.isFinite(x) ? x : -99);
      circle.setAttribute("cy", Math.abs(y) < 1e6 ? y : -99);
    }
    // Ten ellipses (x - m)ᵀA(x - m) = constant: unit circles, turned and stretched.
    contours({A: [[a, b], [, c]], minimum}) {
      const mean = (a + c) / 2;
      const apart = Math.hypot((a - c) / 2, b);
      const angle = Math.atan2(2 * b, a - c) / 2; // of the steep direction
      const [low, high, bottom, top] = this.bounds;
      const [kx, ky] = [this.width / (high - low), -this.height / (top - bottom)];
      const corner = [[low, bottom], [low, top], [high, bottom], [high, top]].map(([x, y]) => {
        const [u, v] = [x - minimum[0], y - minimum[1]];
        return a * u * u + 2 * b * u * v + c * v * v;
      });
      const [x, y] = this.at(minimum);
      for (let k = 0; k < 10; k++) {
        const level = Math.max(...corner) * 0.8 * 0.55 ** k;
        const [steep, flat] = [Math.sqrt(level / (mean + apart)), Math.sqrt(level / (mean - apart))];
        const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
        const matrix = [kx * steep * cos, ky * steep * sin, -kx * flat * sin, ky * flat * cos, x, y];
        this.keep(`contour ${k}`, "circle", {class: "explorable-contour", r: 1})
          .setAttribute("transform", `matrix(${matrix.join(" ")})`);
      }
      this.keep("minimum", "path", {class: "explorable-minimum"}).setAttribute("d", `M${x - 5},${y}h10m-5,-5v10`);
    }
  }

  const bring = box => {
    const kind = FIGURES[box.dataset.figure];
    const d = JSON.parse(box.querySelector("script").textContent);
    const inputs = [...box.querySelectorAll("[data-name]")];
    const plots = [...box.querySelectorAll("svg")].map(
      (svg, i) => new Plot(svg, d.panels[i], d.axes[i], `${box.id}-inside-${i}`),
    );
    const status = box.querySelector(".explorable-status");
    const numbers = box.querySelector("details");
    const state = {...d.defaults};
    let paths = d.paths;
    let found = d.basins;

    const table = () => {
      const write = number => String(+number.toPrecision(6));
      const cell = (tag, text) => Object.assign(document.createElement(tag), {textContent: text});
      const fill = (body, rows) =>
        body.replaceChildren(
          ...rows.map(([head, ...cells]) => {
            const row = document.createElement("tr");
            row.append(Object.assign(cell("th", head), {scope: "row"}), ...cells.map(text => cell("td", text)));
            return row;
          }),
        );
      const [steps, ranges] = numbers.querySelectorAll("tbody");
      const rows = Math.max(...paths.map(path => path.length));
      fill(
        steps,
        Array.from({length: rows}, (_, k) => [
          k,
          ...paths.flatMap(path => d.columns.map((_, i) => (path[k] ? write(path[k][i]) : ""))),
        ]),
      );
      if (ranges) {
        const root = label => (label < 0 ? ["none", ""] : [label + 1, write(found.roots[label])]);
        fill(ranges, spans(found, d).map(([a, b, label]) => [write(a), write(b), ...root(label)]));
      }
    };

    const draw = () => {
      const [wide, high] = kind.scale?.(state) ?? [1, 1];
      if (kind.bowl) {
        plots[0].contours(kind.bowl(state, d));
        paths.forEach((path, i) => {
          const shown = path.map(([x, y]) => [x / wide, y / high]);
          plots[0].line(PATHS[i], shown);
          plots[0].dots(PATHS[i], shown);
        });
        const [x, y] = paths[0][0];
        plots[0].handle([x / wide, y / high]);
      }
      kind.more?.(state, d, plots, paths, found);
      for (const input of inputs) {
        if (input !== document.activeElement || input.type !== "number") input.value = state[input.dataset.name];
      }
      status.textContent = kind.say(state, d, paths, found);
      if (numbers.open) table();
    };

    const set = changes => {
      for (const input of inputs) {
        const name = input.dataset.name;
        if (!(name in changes)) continue;
        let value = changes[name];
        if (typeof value !== "number" || !Number.isFinite(value)) continue;
        const given = box.querySelector(`input[type=range][data-name=${name}]`);
        if (given) value = Math.min(Math.max(value, +given.min), +given.max);
        state[name] = name === "steps" || !given ? Math.round(value) : value;
      }
      paths = kind.run(state, d);
      found = kind.basins?.(state, d);
      draw();
    };

    // The address tells the state: #id&rate=0.3
    const remember = () => {
      const changed = Object.keys(state).filter(name => state[name] !== d.defaults[name]);
      const hash = [box.id, ...changed.map(name => `${name}=${state[name]}`)].join("&");
      history.replaceState(history.state, "", `#${hash}`);
    };
    const recall = () => {
      const [id, ...pairs] = decodeURIComponent(location.hash.slice(1)).split("&");
      if (id !== box.id) return;
      const given = pairs.map(pair => pair.split("=")).map(([name, value]) => [name, parseFloat(value)]);
      set({...d.defaults, ...Object.fromEntries(given)});
      box.scrollIntoView();
    };

    for (const input of inputs) {
      input.addEventListener("input", () => set({[input.dataset.name]: input.value === "" ? NaN : +input.value}));
      input.addEventListener("change", () => {
        input.value = state[input.dataset.name];
        remember();
      });
    }
    box.querySelector(".explorable-reset").addEventListener("click", () => {
      set(d.defaults);
      remember();
    });
    plots.forEach((plot, i) => {
      const move = event => {
        const [x, y] = plot.point(event).map(value => +value.toPrecision(3));
        set(kind.drag[i](x, y, d));
      };
      let held = false;
      plot.svg.addEventListener("pointerdown", event => {
        // A finger beside the handle scrolls the page.
        if (event.button || (event.pointerType === "touch" && !event.target.matches(".explorable-handle"))) return;
        held = true;
        plot.svg.setPointerCapture(event.pointerId);
        event.preventDefault();
        move(event);
      });
      plot.svg.addEventListener("pointermove", event => held && move(event));
      for (const end of ["pointerup", "pointercancel"]) {
        plot.svg.addEventListener(end, () => {
          if (held) remember();
          held = false;
        });
      }
    });
    numbers.addEventListener("toggle", () => numbers.open && table());
    window.addEventListener("hashchange", recall);

    box.explorable = {set, state, data: d, paths: () => paths, basins: () => found, worst: () => worst(state, d)};
    draw();
    recall();
  };
  document.querySelectorAll(".explorable").forEach(bring);
})();
