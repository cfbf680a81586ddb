// The overview's chart: month by month what was offset and is due in cash, what came in, and lines for what was
// earned and the cap. Colours come from the design tokens, words and figures from the page's JSON.
"use strict";
(() => {
  const figure = document.querySelector("[data-overview]");
  if (!figure || typeof echarts === "undefined") return;
  const { rows, words } = JSON.parse(document.getElementById(figure.dataset.overview).textContent);
  if (rows.length < 2) return;
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const numbers = (key) => rows.map((row) => Number(row[key])); // for drawing only
  const format = new Intl.NumberFormat("en", { minimumFractionDigits: 2 });
  const box = figure.querySelector(".chart");
  figure.hidden = false;
  box.classList.add("drawn");
  const bar = { type: "bar", barMaxWidth: 34, emphasis: { disabled: true } };
  const line = { type: "line", symbolSize: 7, emphasis: { disabled: true } };
  const chart = echarts.init(box, null, { renderer: "canvas" });
  chart.setOption({
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    textStyle: { fontFamily: token("sans"), color: token("ink"), fontSize: 13 },
    grid: { left: 12, right: 12, top: 64, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 12, textStyle: { color: token("ink-2"), fontSize: 13 } },
    tooltip: {
      trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" },
      backgroundColor: "#fff", borderColor: token("line"), textStyle: { color: token("ink") },
      formatter: (points) => [points[0].axisValue, ...points.map((p) => `${p.seriesName}  ${format.format(p.value)}`)].join("\n"),
    },
    xAxis: {
      type: "category", data: rows.map((row) => row.month), axisTick: { show: false },
      axisLine: { lineStyle: { color: token("line") } }, axisLabel: { color: token("ink-2") },
    },
    yAxis: {
      type: "value", name: words.yuan, nameTextStyle: { color: token("ink-2"), align: "right" },
      splitLine: { lineStyle: { color: token("line-2") } },
      axisLabel: { color: token("ink-2"), formatter: (n) => new Intl.NumberFormat("en").format(n) },
    },
    series: [
      { name: words.applied, stack: "rent", data: numbers("applied"), ...bar, color: token("jade") },
      { name: words.cash, stack: "rent", data: numbers("cash_due"), ...bar, color: token("line") },
      { name: words.received, data: numbers("received"), ...bar, barMaxWidth: 14, color: token("amber-line") },
      { name: words.credit, data: numbers("credit"), ...line, color: token("jade-mid"), lineStyle: { width: 2 } },
      { name: words.cap, data: numbers("cap"), ...line, color: token("ink"), symbol: "rect", lineStyle: { width: 1, type: "dashed" } },
    ],
  });
  addEventListener("resize", () => chart.resize());
})();
