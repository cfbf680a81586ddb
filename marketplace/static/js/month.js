// The month's chart: rent of each lease as offset + cash, what is carried on beside it, a mark at the cap.
// Colours come from the design tokens, words and figures from the page's JSON.
"use strict";
(() => {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const draw = () => {
    const figure = document.querySelector("[data-chart]");
    if (!figure || typeof echarts === "undefined") return;
    const { rows, words } = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    if (rows.length < 2) return;
    const box = figure.querySelector(".chart");
    const format = new Intl.NumberFormat("en", { minimumFractionDigits: 2 });
    const numbers = (key) => rows.map((row) => Number(row[key])); // for drawing only
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const flat = { itemStyle: { borderRadius: 0 }, barMaxWidth: 34, emphasis: { disabled: true } };
    figure.hidden = false;
    box.classList.add("drawn");
    const chart = echarts.init(box, null, { renderer: "canvas" });
    chart.setOption({
      animation: !still,
      animationDuration: 300,
      textStyle: { fontFamily: token("sans"), color: token("ink"), fontSize: 13 },
      grid: { left: 12, right: 12, top: 40, bottom: rows.length > 40 ? 56 : 8, containLabel: true },
      legend: { top: 0, right: 0, itemWidth: 14, itemHeight: 12, textStyle: { color: token("ink-2"), fontSize: 13 } },
      tooltip: {
        trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" },
        backgroundColor: "#fff", borderColor: token("line"), textStyle: { color: token("ink") },
        formatter: (points) => {
          const row = rows[points[0].dataIndex];
          return [`${row.lease} ${row.name}`, ...points.map((p) => `${p.seriesName}  ${format.format(p.value)}`)].join("\n");
        },
      },
      xAxis: {
        type: "category", data: rows.map((row) => row.lease), axisTick: { show: false },
        axisLine: { lineStyle: { color: token("line") } }, axisLabel: { color: token("ink-2") },
      },
      yAxis: {
        type: "value", name: words.yuan, nameTextStyle: { color: token("ink-2"), align: "right" },
        splitLine: { lineStyle: { color: token("line-2") } },
        axisLabel: { color: token("ink-2"), formatter: (n) => new Intl.NumberFormat("en").format(n) },
      },
      dataZoom: rows.length > 40 ? [{ type: "slider", height: 20, bottom: 8, endValue: 39, brushSelect: false }] : [],
      series: [
        { name: words.applied, type: "bar", stack: "rent", data: numbers("applied"), ...flat, color: token("jade") },
        { name: words.cash, type: "bar", stack: "rent", data: numbers("cash"), ...flat, color: token("line") },
        { name: words.carry, type: "bar", data: numbers("carry"), ...flat, barMaxWidth: 12, barGap: "10%", color: token("jade-line") },
        { name: words.cap, type: "scatter", data: numbers("cap"), symbol: "rect", symbolSize: [26, 3],
          symbolOffset: [-7, 0], color: token("ink"), z: 5 },
      ],
    });
    addEventListener("resize", () => chart.resize());
  };
  draw();
  document.body.addEventListener("htmx:afterSwap", draw);
})();
