/* Words, colors and shapes of the map. Every text of a plan reaches the page through textContent or fillText only. */
var fleetTools = (function () {
  "use strict";

  // Okabe and Ito: told apart with any color vision.
  var LOAD_COLORS = ["#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#5B0A5E"];
  var LOAD_LIMITS = [0.5, 0.7, 0.85, 1.000001];
  var LOAD_NAMES = ["< 50 %", "< 70", "< 85", "≤ 100", "over"];
  var IDLE_COLOR = "#9AA7AF";
  var KIND_COLORS = ["#3F4D57", "#10191F", "#B5548C", "#7A5C00", "#1D3F72"];
  var KIND_SHAPES = ["circle", "square", "triangle", "diamond", "star", "pentagon", "cross", "down"];

  // ---------------------------------------------------------------- small tools
  function element(tag, name, text) {
    var made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function append(parent) {
    for (var i = 1; i < arguments.length; i++) if (arguments[i]) parent.appendChild(arguments[i]);
    return parent;
  }
  function number(value, digits) {
    return value.toLocaleString("en-US", { maximumFractionDigits: digits === undefined ? 1 : digits });
  }
  function percent(value) { return Math.round(value * 100) + " %"; }
  function loadColor(share) {
    for (var i = 0; i < LOAD_LIMITS.length; i++) if (share < LOAD_LIMITS[i]) return LOAD_COLORS[i];
    return LOAD_COLORS[LOAD_LIMITS.length];
  }
  function table(heads, rows) {
    var made = element("table"), line = element("tr");
    heads.forEach(function (head, i) { append(line, element("th", i ? "number" : "", head)); });
    append(made, line);
    rows.forEach(function (row) {
      var cells = element("tr");
      row.forEach(function (cell, i) { append(cells, element("td", i && typeof cell !== "object" ? "number" : "", String(cell))); });
      append(made, cells);
    });
    return made;
  }
  function card(title, lines) {
    var made = element("div");
    append(made, element("h2", "", title));
    lines.forEach(function (line) { if (line) append(made, element("div", "sub", line)); });
    return made;
  }

  // ---------------------------------------------------------------- shapes
  function polygon(context, x, y, radius, corners, turn, inner) {
    for (var i = 0; i < corners; i++) {
      var reach = inner && i % 2 ? radius * inner : radius, angle = turn + 2 * Math.PI * i / corners;
      context[i ? "lineTo" : "moveTo"](x + reach * Math.cos(angle), y + reach * Math.sin(angle));
    }
    context.closePath();
  }
  var UP = -Math.PI / 2;
  var SHAPES = {
    circle: function (c, x, y, r) { c.arc(x, y, r, 0, 2 * Math.PI); },
    square: function (c, x, y, r) { c.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r); },
    triangle: function (c, x, y, r) { polygon(c, x, y, 1.25 * r, 3, UP); },
    down: function (c, x, y, r) { polygon(c, x, y, 1.25 * r, 3, -UP); },
    diamond: function (c, x, y, r) { polygon(c, x, y, 1.2 * r, 4, UP); },
    pentagon: function (c, x, y, r) { polygon(c, x, y, 1.1 * r, 5, UP); },
    star: function (c, x, y, r) { polygon(c, x, y, 1.45 * r, 10, UP, 0.45); },
    cross: function (c, x, y, r) { polygon(c, x, y, 1.3 * r, 8, 0, 0.35); },
    arrow: function (c, x, y, r, turn) {
      c.moveTo(x + r * Math.cos(turn), y + r * Math.sin(turn));
      c.lineTo(x + r * Math.cos(turn + 2.5), y + r * Math.sin(turn + 2.5));
      c.lineTo(x + r * Math.cos(turn - 2.5), y + r * Math.sin(turn - 2.5));
      c.closePath();
    }
  };
  var Glyph = L.CircleMarker.extend({
    _project: function () {
      L.CircleMarker.prototype._project.call(this);
      if (this.options.offset) {
        this._point = this._point.add(this.options.offset);
        this._updateBounds();
      }
    },
    _updatePath: function () {
      var canvas = this._renderer, context = canvas._ctx, options = this.options;
      if (!canvas._drawing || this._empty()) return;
      context.beginPath();
      SHAPES[options.shape](context, this._point.x, this._point.y, this._radius, options.turn);
      canvas._fillStroke(context, this);
      if (options.text) {
        context.globalAlpha = 1;
        context.fillStyle = options.textColor;
        context.font = "600 " + Math.round(Math.max(10, this._radius * 0.95)) + "px system-ui, sans-serif";
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.fillText(options.text, this._point.x, this._point.y + 0.5);
      }
    }
  });
  function swatch(style) {
    var picture = element("canvas"), context = picture.getContext("2d"), scale = 2;
    picture.width = 26 * scale; picture.height = 16 * scale;
    picture.style.width = "26px"; picture.style.height = "16px";
    context.scale(scale, scale);
    context.beginPath();
    if (style.shape) {
      SHAPES[style.shape](context, 13, 8, style.radius, 0);
      if (style.fillColor) { context.fillStyle = style.fillColor; context.fill(); }
    } else { context.moveTo(0, 8); context.lineTo(26, 8); }
    context.lineWidth = style.weight || 1;
    context.strokeStyle = style.color;
    if (style.dashArray) context.setLineDash(style.dashArray.split(" ").map(Number));
    context.stroke();
    if (style.arrow) { context.setLineDash([]); context.beginPath(); SHAPES.arrow(context, 15, 8, 6, 0); context.fillStyle = style.color; context.fill(); }
    return picture;
  }

  return {
    LOAD_COLORS: LOAD_COLORS, LOAD_LIMITS: LOAD_LIMITS, LOAD_NAMES: LOAD_NAMES, IDLE_COLOR: IDLE_COLOR, KIND_COLORS: KIND_COLORS,
    KIND_SHAPES: KIND_SHAPES, Glyph: Glyph, element: element, append: append, number: number, percent: percent, loadColor: loadColor,
    table: table, card: card, swatch: swatch
  };
})();
