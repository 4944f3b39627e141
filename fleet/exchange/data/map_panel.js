/* Title, layers and legend of the map. */
function fleetPanel(map, view) {
  "use strict";

  var element = fleetTools.element, append = fleetTools.append, number = fleetTools.number, swatch = fleetTools.swatch;
  var NARROW = 760, data = view.data, groups = view.groups, start = view.start;

  function box(name) {
    var made = element("div", "fleet-box " + name);
    L.DomEvent.disableClickPropagation(made);
    L.DomEvent.disableScrollPropagation(made);
    map.getContainer().appendChild(made);
    return made;
  }
  function toggle(parent, text, on, style, part, group, inside) {
    var line = element("label", part ? "part" : ""), input = element("input"), words = element("span", "", text);
    input.type = "checkbox";
    input.checked = on;
    words.title = text;
    input.onchange = function () {
      (inside || map)[input.checked ? "addLayer" : "removeLayer"](group);
      view.refresh();
    };
    append(parent, append(line, input, style && swatch(style), words));
  }
  function section(name) {
    var made = element("fieldset");
    made.dataset.layer = name;
    panel.appendChild(made);
    return made;
  }
  function note(parent, text) { append(parent, element("div", "fleet-note", text)); }

  var title = append(box("fleet-title"), element("h1", "", data.title.name));
  data.title.lines.forEach(function (line, i) {
    append(title, element("div", i === data.title.lines.length - 1 && data.title.errors ? "wrong" : "", line));
  });

  var panel = box("fleet-panel"), head = element("div", "fleet-head"), fold = element("button", "", "hide");
  fold.type = "button";
  fold.onclick = function () {
    var closed = panel.classList.toggle("closed");
    fold.textContent = closed ? "show" : "hide";
    fold.setAttribute("aria-expanded", String(!closed));
  };
  append(panel, append(head, element("b", "", "Layers and legend"), fold));

  if (data.periods.length > 1) {
    var time = section("period"), caption = element("div", "", data.periods[view.period]), slider = element("input");
    slider.type = "range";
    slider.min = 0;
    slider.max = data.periods.length - 1;
    slider.step = 1;
    slider.value = view.period;
    slider.setAttribute("aria-label", "period");
    slider.oninput = function () {
      caption.textContent = data.periods[Number(slider.value)];
      view.setPeriod(Number(slider.value));
    };
    append(time, caption, slider);
  }

  var part = section("clusters");
  toggle(part, "Clusters (" + data.clusters.length + "), number: nodes", start.clusters, null, false, groups.clusters);
  var scale = element("div", "fleet-scale");
  fleetTools.LOAD_COLORS.forEach(function (color, i) {
    var bar = element("i");
    bar.style.background = color;
    append(scale, append(element("div"), bar, element("span", "", fleetTools.LOAD_NAMES[i])));
  });
  append(part, scale);
  note(part, "color: fullest resource with standby reserve, of usable; links: of usable bandwidth");

  if (view.links || view.rings) {
    part = section("links");
    var sample = fleetTools.LOAD_COLORS[1];
    if (view.links) toggle(part, "WAN links (" + number(view.links) + ")", start.links, { color: sample, weight: 4 }, false, groups.links);
    if (view.rings) {
      var ring = { shape: "circle", radius: 6, color: sample, weight: 2.5 };
      toggle(part, "Carrier circuits (" + number(view.rings) + ")", start.rings, ring, false, groups.rings);
      note(part, "a ring at the site: the carrier cloud has no place on the map" +
        (view.onlyBusyRings ? "; drawn from " + fleetTools.percent(fleetTools.LOAD_LIMITS[0]) + " load" : ""));
    }
    [["worst single failure", true], ["normal", false]].forEach(function (choice) {
      var line = element("label", "part"), input = element("input");
      input.type = "radio";
      input.name = "load";
      input.value = choice[1] ? "worst" : "normal";
      input.checked = choice[1] === view.worst;
      input.onchange = function () { view.setWorst(choice[1]); };
      append(part, append(line, input, element("span", "", choice[0])));
    });
    if (view.hidden) note(part, view.hidden + " links between carrier clouds are not shown");
  }

  if (data.arcs.length) {
    part = section("arcs");
    toggle(part, "Replication, width: Mbit/s", start.arcs, null, false, groups.arcs);
    view.mechanisms.forEach(function (mechanism) {
      toggle(part, mechanism.name.replace(/_/g, " "), true, mechanism.style, true, mechanism.group, groups.arcs);
    });
  }

  if (data.spokes.length) {
    part = section("spokes");
    toggle(part, "Assignments (" + number(data.spokes.length) + ")", start.spokes, { color: "#52616B", weight: 1 }, false, groups.spokes);
  }

  part = section("sites");
  toggle(part, "Sites", start.sites, null, false, groups.sites);
  view.kinds.forEach(function (kind) {
    if (kind.group.getLayers().length) {
      toggle(part, kind.name + " (" + number(kind.count) + ")", true, kind.style, true, kind.group, groups.sites);
    }
  });
  var search = element("input");
  search.type = "search";
  search.placeholder = "find a site or cluster …";
  search.setAttribute("aria-label", "find a site or cluster");
  search.onkeydown = function (event) {
    if (event.key !== "Enter" || !search.value) return;
    search.setCustomValidity(view.find(search.value.toLowerCase()) ? "" : "no such site");
    search.reportValidity();
  };
  search.oninput = function () { search.setCustomValidity(""); };
  append(part, search);

  if (map.getSize().x < NARROW) fold.onclick();
  return { title: title, panel: panel };
}
