/* Draws a plan on a Leaflet map. */
function drawFleet(map) {
  "use strict";

  var data = JSON.parse(document.getElementById("fleet-data").textContent);
  var basemap = JSON.parse(document.getElementById("fleet-basemap").textContent);

  var LOAD_LIMITS = fleetTools.LOAD_LIMITS, IDLE_COLOR = fleetTools.IDLE_COLOR, KIND_COLORS = fleetTools.KIND_COLORS,
    KIND_SHAPES = fleetTools.KIND_SHAPES, Glyph = fleetTools.Glyph, element = fleetTools.element, append = fleetTools.append,
    number = fleetTools.number, percent = fleetTools.percent, loadColor = fleetTools.loadColor, table = fleetTools.table,
    card = fleetTools.card;
  var ARC_STYLES = [["#009E73", null], ["#7B3294", "9 5"], ["#A6611A", "3 5"], ["#1D3F72", "12 4 3 4"]];
  var IN_CLOUD = -2; // index of a standby in the cloud
  var NAMES = { vcpu: "vCPU", memory_gb: "memory", pool_tb: "pool", gpu: "GPU" };
  var UNITS = { vcpu: "vCPU", memory_gb: "GiB", pool_tb: "TB", gpu: "" };
  var ROWS_SHOWN = 12, LABELED_SITES = 70;

  var period = data.periods.length - 1, worst = true;

  // ---------------------------------------------------------------- basemap
  map.createPane("basemap").style.zIndex = 150;
  map.getPane("basemap").style.pointerEvents = "none";
  var ground = L.canvas({ pane: "basemap", padding: 0.5 });
  function rings(group) {
    return group.map(function (flat) {
      var x = flat[0], y = flat[1], step = basemap.steps_per_degree, points = [[y / step, x / step]];
      for (var i = 2; i < flat.length; i += 2) {
        x += flat[i];
        y += flat[i + 1];
        points.push([y / step, x / step]);
      }
      return points;
    });
  }
  [["countries", "#B4BCBF"], ["states", "#CBD0CF"]].forEach(function (layer) {
    basemap[layer[0]].forEach(function (group) {
      L.polygon(rings(group), {
        renderer: ground, pane: "basemap", interactive: false, color: layer[1], weight: 0.8, fillColor: "#F6F5F0", fillOpacity: 1
      }).addTo(map);
    });
  });

  // ---------------------------------------------------------------- places
  var canvas = L.canvas({ padding: 0.4, tolerance: 3 }), taken = {};
  function located(site) { return site[3] !== null && site[4] !== null; }
  function point(index) { return [data.sites[index][3], data.sites[index][4]]; }
  // Sites of the same coordinates are spread in a spiral of a few pixels, clusters of one site side by side.
  function spread(key, pitch) {
    var count = taken[key] = (taken[key] || 0) + 1;
    if (count === 1) return null;
    return L.point(Math.cos(2.4 * count), Math.sin(2.4 * count)).multiplyBy(pitch * Math.sqrt(count - 1));
  }
  var names = ["spokes", "links", "arcs", "rings", "sites", "clusters"], groups = {};
  names.forEach(function (name) { groups[name] = L.featureGroup(); });

  // ---------------------------------------------------------------- assignments
  var spokeLines = data.clusters.map(function () { return []; });
  data.spokes.forEach(function (pair) {
    var home = data.clusters[pair[1]].site;
    if (located(data.sites[pair[0]]) && located(data.sites[home])) spokeLines[pair[1]].push([point(pair[0]), point(home)]);
  });
  var SPOKE = { renderer: canvas, interactive: false, color: "#52616B", weight: 1, opacity: data.spokes.length > 3000 ? 0.18 : 0.4 };
  var spokes = spokeLines.map(function (lines) { return L.polyline(lines, SPOKE).addTo(groups.spokes); });

  // ---------------------------------------------------------------- WAN links
  function directions(link, when) { return link[4][Math.min(when, link[4].length - 1)]; }
  function share(direction, atWorst) { return direction[0] > 0 ? direction[atWorst ? 2 : 1] / direction[0] : 0; }
  function linkShare(link, atWorst) {
    return Math.max.apply(null, directions(link, period).map(function (way) { return share(way, atWorst); }));
  }
  function linkColor(link) {
    var used = linkShare(link, worst);
    return used > 0 ? loadColor(used) : IDLE_COLOR;
  }
  function bow(from, to, bend) {
    var a = map.project(from, 0), b = map.project(to, 0), across = b.subtract(a), points = [];
    var middle = a.add(b).divideBy(2).add(L.point(across.y, -across.x).multiplyBy(bend));
    for (var i = 0; i <= 24; i++) {
      var t = i / 24, u = 1 - t;
      points.push(map.unproject(a.multiplyBy(u * u).add(middle.multiplyBy(2 * u * t)).add(b.multiplyBy(t * t)), 0));
    }
    return { points: points, turn: Math.atan2(across.y, across.x) };
  }
  var onlyBusyRings = data.sites.length > 300, linkLayers = [], ringLayers = [], hidden = 0, parallel = {}, circuits = {}, ringCount = {};
  data.links.forEach(function (link, index) {
    var from = located(data.sites[link[1]]), to = located(data.sites[link[2]]);
    [link[1], link[2]].forEach(function (end) { (circuits[end] = circuits[end] || []).push(index); });
    if (!from && !to) { hidden += 1; return; }
    if (from && to) {
      var key = Math.min(link[1], link[2]) + "-" + Math.max(link[1], link[2]), again = parallel[key] = (parallel[key] || 0) + 1;
      var ends = [point(link[1]), point(link[2])];
      var line = again > 1 ? bow(ends[0], ends[1], 0.05 * (again - 1)).points : ends;
      var weight = 2 + Math.min(3, Math.max(0, Math.log10(directions(link, 0)[0][0] / 40)));
      L.polyline(line, { renderer: canvas, interactive: false, color: "#fff", weight: weight + 2.5, opacity: 0.9 }).addTo(groups.links);
      linkLayers.push(L.polyline(line, { renderer: canvas, weight: weight, opacity: 1, what: ["link", index] }).addTo(groups.links));
    } else {
      var end = from ? link[1] : link[2];
      ringCount[end] = (ringCount[end] || 0) + 1;
      ringLayers.push(new Glyph(point(end), {
        renderer: canvas, shape: "circle", fill: false, interactive: false, weight: 2.5, what: ["link", index],
        end: end, order: ringCount[end]
      }).addTo(groups.rings));
    }
  });

  // ---------------------------------------------------------------- sites
  var many = data.sites.length > 1500, siteLayers = {}, siteOffset = {}, kindGroups = data.kinds.map(function () { return L.featureGroup(); });
  function kindStyle(kind) {
    return {
      shape: KIND_SHAPES[kind % KIND_SHAPES.length], fillColor: KIND_COLORS[kind % KIND_COLORS.length],
      radius: (kind ? 5.5 : 4) - (many ? 1.2 : 0), weight: many ? 0.6 : 1, color: "#fff", fillOpacity: 1
    };
  }
  data.sites.forEach(function (site, index) {
    if (!located(site)) return;
    siteOffset[index] = spread("site" + site[3] + "," + site[4], 6);
    var style = L.extend({ renderer: canvas, offset: siteOffset[index], what: ["site", index] }, kindStyle(site[2]));
    siteLayers[index] = new Glyph(point(index), style).addTo(kindGroups[site[2]]);
  });
  kindGroups.forEach(function (group) { group.addTo(groups.sites); });

  // ---------------------------------------------------------------- clusters
  var mostNodes = Math.max.apply(null, [1].concat(data.clusters.map(function (c) { return Math.max.apply(null, c.nodes); })));
  function peak(cluster, when) {
    var found = 0;
    Object.keys(cluster.loads).forEach(function (resource) {
      var load = cluster.loads[resource][when];
      if (load[2] > 0) found = Math.max(found, (load[0] + load[1]) / load[2]);
    });
    return found;
  }
  function clusterRadius(nodes) { return 8 + 12 * Math.sqrt(nodes / Math.max(mostNodes, 8)); }
  var clusterRadiusAt = {};
  var clusterLayers = data.clusters.map(function (cluster, index) {
    if (!located(data.sites[cluster.site])) return null;
    var layer = new Glyph(point(cluster.site), {
      renderer: canvas, shape: "circle", color: "#fff", weight: 2, offset: spread("cluster" + cluster.site, 38), what: ["cluster", index]
    }).addTo(groups.clusters);
    layer.bindTooltip(element("span", "", cluster.name), { permanent: true, direction: "bottom", className: "fleet-label" });
    return layer;
  });

  // ---------------------------------------------------------------- replication
  var mechanisms = [];
  data.arcs.forEach(function (arc) { if (mechanisms.indexOf(arc.mechanism) < 0) mechanisms.push(arc.mechanism); });
  var mostMbps = Math.max.apply(null, [1].concat(data.arcs.map(function (arc) { return arc.mbps; })));
  var latitudes = data.sites.filter(located).map(function (site) { return site[3]; });
  // The way into the cloud is drawn as a short one north: a tenth of the extent of the fleet.
  var cloudWay = 0.1 * Math.max(1, Math.max.apply(null, latitudes) - Math.min.apply(null, latitudes));
  var arcCount = 0, mechanismGroups = mechanisms.map(function () { return L.featureGroup(); });
  data.arcs.forEach(function (arc, index) {
    var from = data.clusters[arc.from].site, kind = mechanisms.indexOf(arc.mechanism);
    var to = arc.to === IN_CLOUD ? from : data.clusters[arc.to].site;
    if (!located(data.sites[from]) || !located(data.sites[to])) return;
    var end = arc.to === IN_CLOUD ? [point(from)[0] + cloudWay, point(from)[1]] : point(to);
    var style = ARC_STYLES[kind % ARC_STYLES.length], weight = 1.5 + 5 * Math.sqrt(arc.mbps / mostMbps);
    var curve = bow(point(from), end, 0.16 + 0.07 * kind);
    L.polyline(curve.points, {
      renderer: canvas, color: style[0], dashArray: style[1], weight: weight, opacity: 0.8, lineCap: "butt", what: ["arc", index]
    }).addTo(mechanismGroups[kind]);
    new Glyph(curve.points[15], {
      renderer: canvas, shape: "arrow", turn: curve.turn, radius: 5 + weight, weight: 1, color: "#fff", fillColor: style[0],
      fillOpacity: 1, what: ["arc", index]
    }).addTo(mechanismGroups[kind]);
    arcCount += 1;
  });
  mechanismGroups.forEach(function (group) { group.addTo(groups.arcs); });

  // ---------------------------------------------------------------- what depends on the period and the load case
  function paint() {
    clusterLayers.forEach(function (layer, index) {
      if (!layer) return;
      var cluster = data.clusters[index], nodes = cluster.nodes[period], used = peak(cluster, period), color = loadColor(used);
      clusterRadiusAt[cluster.site] = nodes ? clusterRadius(nodes) : 7;
      layer.options.text = nodes ? String(nodes) : "";
      layer.options.textColor = color === "#56B4E9" || color === "#E69F00" ? "#10191F" : "#fff";
      layer.setStyle(nodes
        ? { fillColor: color, fillOpacity: 1, color: "#fff", dashArray: null }
        : { fillColor: "#fff", fillOpacity: 0.7, color: "#52616B", dashArray: "3 3" });
      layer.setRadius(clusterRadiusAt[cluster.site]);
      layer.getTooltip().options.offset = (layer.options.offset || L.point(0, 0)).add([0, layer.getRadius() - 3]);
      if (layer._map) layer.getTooltip().update();
    });
    linkLayers.forEach(function (layer) { layer.setStyle({ color: linkColor(data.links[layer.options.what[1]]) }); });
    ringLayers.forEach(function (layer) {
      var end = layer.options.end, hosts = groups.clusters._map && clusterRadiusAt[end];
      layer.options.offset = siteOffset[end];
      var link = data.links[layer.options.what[1]], quiet = linkShare(link, worst) < LOAD_LIMITS[0];
      layer.setStyle({ color: linkColor(link), weight: quiet ? 1.2 : many ? 2 : 3, opacity: quiet && onlyBusyRings ? 0 : 1 });
      layer.setRadius((hosts || (many ? 3 : 5)) + 3.5 * layer.options.order);
    });
  }

  // ---------------------------------------------------------------- words
  function clusterName(index) { return index < 0 ? (index === IN_CLOUD ? "the cloud" : "") : data.clusters[index].name; }
  function siteName(index) { return data.sites[index][1] || data.sites[index][0]; }
  function linkRows(index) {
    var link = data.links[index], ways = directions(link, period);
    return ways.map(function (way, i) {
      var there = ways.length === 1 ? "both ways" : "to " + siteName(i ? link[1] : link[2]);
      return [there, number(way[0]), number(way[1]) + " · " + percent(share(way, false)), number(way[2]) + " · " + percent(share(way, true)),
        data.states[way[3]]];
    });
  }
  var LINK_HEADS = ["Mbit/s", "usable", "normal", "worst", "in state"];
  function linkCard(index) {
    var link = data.links[index], upgraded = link[3] >= 0 ? "upgraded from period " + (link[3] + 1) : "";
    return append(card(link[0], [siteName(link[1]) + " – " + siteName(link[2]), data.periods[period], upgraded]), table(LINK_HEADS, linkRows(index)));
  }
  function siteCard(index) {
    var site = data.sites[index], served = site[6], made = card(site[1] || site[0], [
      (site[1] ? site[0] + " · " : "") + data.kinds[site[2]][0] + (site[5] ? " · " + site[5] : "")
    ]);
    if (served.length) {
      append(made, table(["workload", "runs on", "RTT ms", "limit", "standby"], served.slice(0, ROWS_SHOWN).map(function (row) {
        return [data.workloads[row[0]], clusterName(row[1]), number(row[2]), row[3] === null ? "–" : number(row[3]), clusterName(row[4]) || "–"];
      })));
      if (served.length > ROWS_SHOWN) append(made, element("div", "sub", "and " + (served.length - ROWS_SHOWN) + " more"));
    } else append(made, element("div", "sub", "no workloads of its own"));
    (circuits[index] || []).slice(0, 4).forEach(function (link) {
      append(made, element("div", "sub", data.links[link][0] + ", " + data.periods[period]), table(LINK_HEADS, linkRows(link)));
    });
    return made;
  }
  function clusterCard(index) {
    var cluster = data.clusters[index], layout = cluster.layouts[period];
    var made = card(cluster.name, [
      "at " + siteName(cluster.site) + " · " + cluster.model + (cluster.existing ? " · existing" : "") + " · witness " + cluster.witness.replace(/_/g, " "),
      Object.keys(layout).map(function (tier) { return tier + " " + layout[tier].replace(/_/g, " "); }).join(" · "),
      number(cluster.demands) + " demands, " + number(cluster.protected) + " protected"
    ]);
    var heads = ["period"].concat(data.periods.map(function (_, i) { return String(i + 1); }));
    var rows = [["nodes"].concat(cluster.nodes)];
    Object.keys(cluster.loads).forEach(function (resource) {
      rows.push([NAMES[resource] + " %"].concat(cluster.loads[resource].map(function (load) {
        return load[2] > 0 ? Math.round(100 * (load[0] + load[1]) / load[2]) : "–";
      })));
    });
    append(made, table(heads, rows));
    append(made, table([data.periods[period], "load", "reserve", "usable"], Object.keys(cluster.loads).map(function (resource) {
      var load = cluster.loads[resource][period];
      return [NAMES[resource] + (UNITS[resource] ? " [" + UNITS[resource] + "]" : ""), number(load[0]), number(load[1]), number(load[2])];
    })));
    var out = data.arcs.filter(function (arc) { return arc.from === index; });
    if (out.length) append(made, table(["standby at", "by", "demands", "Mbit/s", "RPO min"], out.map(function (arc) {
      return [clusterName(arc.to), arc.mechanism.replace(/_/g, " "), arc.demands, number(arc.mbps), number(arc.rpo)];
    })));
    var back = data.arcs.filter(function (arc) { return arc.to === index; });
    if (back.length) append(made, table(["stands by for", "by", "demands", "Mbit/s"], back.map(function (arc) {
      return [clusterName(arc.from), arc.mechanism.replace(/_/g, " "), arc.demands, number(arc.mbps)];
    })));
    return made;
  }
  function arcCard(index) {
    var arc = data.arcs[index];
    return append(card(clusterName(arc.from) + " → " + clusterName(arc.to), [arc.mechanism.replace(/_/g, " ")]), table(["replication", ""], [
      ["demands", number(arc.demands)], ["bandwidth", number(arc.mbps) + " Mbit/s"],
      arc.to === IN_CLOUD ? ["way", "internet access"] : ["round trip", number(arc.rtt) + " ms"],
      ["recovery point, worst", number(arc.rpo) + " min" + (arc.objective === null ? "" : " (objective " + number(arc.objective) + ")")],
      ["recovery time, worst", number(arc.rto) + " min"]
    ]));
  }
  var CARDS = { site: siteCard, cluster: clusterCard, link: linkCard, arc: arcCard };
  function hint(what) {
    if (what[0] === "cluster") {
      var cluster = data.clusters[what[1]];
      return cluster.name + ": " + cluster.nodes[period] + " nodes, peak " + percent(peak(cluster, period));
    }
    if (what[0] === "link") {
      var link = data.links[what[1]];
      return link[0] + ": normal " + percent(linkShare(link, false)) + ", worst " + percent(linkShare(link, true));
    }
    if (what[0] === "arc") {
      var arc = data.arcs[what[1]];
      return clusterName(arc.from) + " → " + clusterName(arc.to) + ": " + arc.mechanism.replace(/_/g, " ") + ", " + number(arc.mbps) + " Mbit/s";
    }
    return siteName(what[1]) + ": " + data.kinds[data.sites[what[1]][2]][0];
  }

  // ---------------------------------------------------------------- pointing and clicking
  var hover = L.tooltip({ className: "fleet-hover", sticky: true, opacity: 0.95 }), chosen = null;
  function emphasize(index) {
    if (chosen !== null) spokes[chosen].setStyle(SPOKE);
    chosen = index;
    if (index !== null) spokes[index].setStyle({ color: "#10191F", weight: 1.6, opacity: 0.85 });
  }
  function show(what, where) {
    hover.remove();
    L.popup({ maxWidth: 430, maxHeight: Math.max(160, map.getSize().y - 140) }).setLatLng(where).setContent(CARDS[what[0]](what[1])).openOn(map);
    emphasize(what[0] === "cluster" ? what[1] : null);
  }
  map.on("popupclose", function () { emphasize(null); });
  names.forEach(function (name) {
    groups[name].on("mouseover mousemove", function (event) {
      var what = event.propagatedFrom.options.what;
      if (what) hover.setContent(element("span", "", hint(what))).setLatLng(event.latlng).addTo(map);
    }).on("mouseout", function () { hover.remove(); }).on("click", function (event) {
      var layer = event.propagatedFrom;
      if (layer.options.what) show(layer.options.what, layer.getLatLng && !layer.options.offset ? layer.getLatLng() : event.latlng);
    });
  });

  // ---------------------------------------------------------------- labels that do not overlap
  var siteLabels = L.layerGroup().addTo(map);
  function overlaps(box, boxes) {
    return boxes.some(function (other) {
      return box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom;
    });
  }
  function keepIfFree(tooltip, boxes) {
    var holder = tooltip && tooltip.getElement();
    if (!holder) return;
    var box = holder.getBoundingClientRect(), free = !overlaps(box, boxes);
    holder.style.visibility = free ? "visible" : "hidden";
    if (free) boxes.push(box);
  }
  function label() {
    var frame = map.getContainer().getBoundingClientRect(), shown = clusterLayers.filter(function (layer) { return layer && layer._map; });
    var boxes = shown.map(function (layer) {
      var center = map.layerPointToContainerPoint(layer._point).add([frame.left, frame.top]), reach = layer.getRadius() - 4;
      return { left: center.x - reach, right: center.x + reach, top: center.y - reach, bottom: center.y + reach };
    });
    shown.sort(function (a, b) { return b.getRadius() - a.getRadius() || a.options.what[1] - b.options.what[1]; })
      .forEach(function (layer) { keepIfFree(layer.getTooltip(), boxes); });
    siteLabels.clearLayers();
    if (!map.hasLayer(groups.sites)) return;
    var view = map.getBounds(), seen = Object.keys(siteLayers).filter(function (index) {
      return siteLayers[index]._map && view.contains(siteLayers[index].getLatLng());
    });
    if (seen.length > LABELED_SITES) return;
    seen.forEach(function (index) {
      var shift = siteOffset[index] || L.point(0, 0);
      var text = L.tooltip({ permanent: true, direction: "right", offset: shift.add([4, 0]), className: "fleet-label site", interactive: false });
      text.setLatLng(siteLayers[index].getLatLng()).setContent(element("span", "", siteName(index))).addTo(siteLabels);
      keepIfFree(text, boxes);
    });
  }

  // ---------------------------------------------------------------- what the panel may do
  function front() {
    names.forEach(function (name) {
      if (map.hasLayer(groups[name])) groups[name].eachLayer(function (layer) { if (layer.bringToFront) layer.bringToFront(); });
    });
  }
  function refresh() {
    paint();
    front();
    label();
  }
  // Opens the best match of a typed name: a cluster, then a site of exactly, beginning with or containing it.
  function find(wanted) {
    var found = null;
    data.clusters.forEach(function (cluster, i) {
      if (!found && clusterLayers[i] && cluster.name.toLowerCase() === wanted) found = ["cluster", i, point(cluster.site)];
    });
    [0, 1, 2].forEach(function (strictness) {
      data.sites.forEach(function (site, i) {
        if (found || !located(site)) return;
        var hit = [site[0], site[1]].some(function (name) {
          var at = name.toLowerCase().indexOf(wanted);
          return strictness === 0 ? name.toLowerCase() === wanted : strictness === 1 ? at === 0 : at > 0;
        });
        if (hit) found = ["site", i, point(i)];
      });
    });
    if (found) {
      map.setView(found[2], Math.max(map.getZoom(), 7), { animate: false });
      show(found, found[2]);
    }
    return found !== null;
  }
  var start = { clusters: true, sites: true, spokes: true, arcs: data.arcs.length <= 60, links: true, rings: true };
  var boxes = fleetPanel(map, {
    data: data, groups: groups, start: start, period: period, worst: worst, refresh: refresh, find: find,
    links: linkLayers.length, rings: ringLayers.length, hidden: hidden, onlyBusyRings: onlyBusyRings,
    kinds: data.kinds.map(function (kind, i) { return { name: kind[0], count: kind[1], group: kindGroups[i], style: kindStyle(i) }; }),
    mechanisms: mechanisms.map(function (name, i) {
      var style = ARC_STYLES[i % ARC_STYLES.length];
      return { name: name, group: mechanismGroups[i], style: { color: style[0], dashArray: style[1], weight: 3, arrow: true } };
    }),
    setPeriod: function (index) {
      period = index;
      map.closePopup();
      paint();
      label();
    },
    setWorst: function (choice) {
      worst = choice;
      paint();
    }
  });

  // ---------------------------------------------------------------- first view
  map.attributionControl.setPrefix("Leaflet").addAttribution("Natural Earth, US Census Bureau");
  var bounds = L.latLngBounds(Object.keys(siteLayers).map(function (index) { return siteLayers[index].getLatLng(); }));
  if (bounds.isValid()) {
    map.fitBounds(bounds, {
      paddingTopLeft: [30, Math.min(boxes.title.offsetHeight + 16, map.getSize().y / 3)],
      paddingBottomRight: [boxes.panel.classList.contains("closed") ? 30 : boxes.panel.offsetWidth + 24, 40],
      maxZoom: 8, animate: false
    });
  }
  names.forEach(function (name) { if (start[name]) groups[name].addTo(map); });
  paint();
  label();
  map.on("zoomend moveend", label);

  window.fleetMap = {
    map: map, groups: groups, label: label,
    counts: {
      sites: Object.keys(siteLayers).length, clusters: clusterLayers.filter(Boolean).length, links: linkLayers.length,
      rings: ringLayers.length, arcs: arcCount, spokes: spokeLines.reduce(function (sum, lines) { return sum + lines.length; }, 0)
    },
    colors: function () { return linkLayers.concat(ringLayers).map(function (layer) { return layer.options.color; }); },
    nodes: function () { return clusterLayers.map(function (layer) { return layer && layer.options.text; }); }
  };
}
