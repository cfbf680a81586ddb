// Lists: today's servings and takings, the shift's report for the printer, and what is unsent.

import { button, el, icon } from "./dom.js";
import { fen, plainYuan, table } from "./money.js";
import { RECEIPTS, UNSENT, isStranded, unsent as unsentOf } from "./queue.js";
import { takings } from "./till.js";
import { age, fullDay, hour, t } from "./words.js";

const yuan = (amount) => t("yuan", { n: plainYuan(amount) });
const STATE_ICON = { accepted: "tick", refused: "no", review: "look", stranded: "look", undone: "undo" };

function stateOf(app, record) {
  if (record.undo?.state === "done") return "undone";
  if (isStranded(app.till.queue, record)) return "stranded";
  if (record.state === "sending") return "sending";
  return UNSENT.includes(record.state) ? "unsent" : record.state;
}

function pill(app, record) {
  const state = stateOf(app, record);
  return el(`span.pill.${state}`, {}, icon(STATE_ICON[state] ?? "clock"), t(`state_${state}`));
}

function back(app) {
  return button("big", "back", t("back_to_taking"), () => app.nextPerson(), { "data-name": "back" });
}

export function today(app) {
  const records = app.till.today();
  const sums = takings(records);
  const later = records.filter((record) => record.state === "accepted" && record.trusted && fen(record.receipt.price.self_pay) && record.undo?.state !== "done");
  return {
    main: el(
      "main.list",
      { id: "main", tabindex: "-1" },
      el("h1", { tabindex: "-1", "data-first": true }, t("today")),
      el(
        "dl.figures",
        {},
        figure("fig_served", t("times", { n: sums.served })),
        figure("fig_cash", yuan(sums.cash)),
        figure("fig_vouchers", yuan(sums.vouchers)),
        figure("fig_unsent", t("times", { n: sums.unsent })),
      ),
      later.length ? el("p.warn", {}, icon("look"), t("collect_later", { n: later.length, cash: yuan(later.reduce((sum, record) => sum + fen(record.receipt.price.self_pay), 0)) })) : null,
      records.length ? el("ul.rows", {}, records.map((record) => row(app, record))) : el("p.empty", {}, t("today_empty")),
    ),
    foot: el("footer", {}, el("div.acts", {}, back(app), button("big", "print", t("report"), () => app.show("report"), { "data-name": "report" }))),
  };
}

function figure(name, value) {
  return el("div", { data: { name } }, el("dt", {}, t(name)), el("dd", {}, value));
}

function row(app, record) {
  const price = record.receipt?.price;
  const why = record.receipt?.detail || record.undo?.detail;
  return el(
    "li",
    { data: { key: record.key, state: stateOf(app, record) } },
    el("span.when", {}, hour(Date.parse(record.happenedAt))),
    el("b", {}, t("what", { service: record.service.name, n: record.quantity })),
    el("span.whom", {}, record.receipt?.elder || (record.short ? t("tail", { short: record.short }) : "")),
    price && el("span.paid", {}, t("row_paid", { vouchers: yuan(fen(price.vouchers)), cash: yuan(fen(price.self_pay)) })),
    pill(app, record),
    why && el("p.why", {}, why),
    app.till.mayUndo(record) && button("small", "undo", t("undo"), () => app.show("undoing", { about: record.key }), { "data-name": `undo-${record.key}` }),
  );
}

export function unsent(app) {
  const { till } = app;
  const waiting = unsentOf(till.queue);
  const load = till.load_();
  const caps = till.caps();
  const problems = [...till.queue.records.values()].filter((record) => RECEIPTS.includes(record.state) && record.trusted && record.state !== "accepted").reverse();
  return {
    main: el(
      "main.list",
      { id: "main", tabindex: "-1" },
      el("h1", { tabindex: "-1", "data-first": true }, t("unsent_title")),
      el("p", {}, till.online ? t("unsent_online") : t("unsent_offline")),
      el(
        "dl.figures",
        {},
        figure("unsent_count", caps ? t("of", { n: load.count, limit: caps.terminal.count }) : load.count),
        figure("unsent_value", caps ? t("of", { n: yuan(load.fen), limit: yuan(caps.terminal.fen) }) : yuan(load.fen)),
        figure("unsent_age", load.count ? age(load.oldest) : "—"),
      ),
      caps && el("p.fine", {}, t("caps_note", { elder: yuan(caps.elder.fen), elder_n: caps.elder.count, paper: yuan(caps.paper.fen), paper_n: caps.paper.count, hours: caps.hours })),
      waiting.length
        ? el(
            "ul.rows",
            {},
            waiting.map((record) =>
              el(
                "li",
                { data: { key: record.key } },
                el("span.when", {}, hour(Date.parse(record.happenedAt))),
                el("b", {}, t("what", { service: record.service.name, n: record.quantity })),
                el("span.whom", {}, t("at_most", { fen: yuan(record.fen) })),
                pill(app, record),
              ),
            ),
          )
        : el("p.empty", {}, icon("tick"), t("unsent_none")),
      problems.length ? [el("h2", {}, t("problems_title")), el("p", {}, t("problems_why")), el("ul.rows", {}, problems.map((record) => row(app, record)))] : null,
    ),
    foot: el("footer", {}, el("div.acts", {}, back(app), waiting.length ? button("big go main", "send", t("send_now"), () => till.wake(), { "data-name": "send" }) : null)),
  };
}

/** A4: what one hands over at the end of a shift. */
export function report(app) {
  const records = app.till.today().reverse();
  const sums = takings(records);
  const first = records[0] ? hour(Date.parse(records[0].happenedAt)) : "—";
  const head = (...names) => el("thead", {}, el("tr", {}, names.map((name, n) => el("th", { scope: "col", class: n ? "n" : undefined }, t(name)))));
  const line = (name, value, strong) => el("tr", {}, el("th", { scope: "row" }, t(name)), el(`td.n${strong ? ".strong" : ""}`, {}, value));
  return {
    main: el(
      "main.paper",
      { id: "main", tabindex: "-1" },
      el("h1", { tabindex: "-1", "data-first": true }, t("report_title")),
      el("p", {}, [app.till.me?.premises.name, app.till.me?.terminal.name].filter(Boolean).join(" · ")),
      el("p", {}, `${fullDay(app.till.now())} · ${first}–${hour(app.till.now())}`),
      el(
        "table",
        {},
        el("caption", {}, t("report_services")),
        head("col_service", "col_times", "col_quantity", "col_vouchers", "col_cash"),
        el(
          "tbody",
          {},
          sums.services.map((service) =>
            el("tr", {}, el("th", { scope: "row" }, service.name), el("td.n", {}, service.served), el("td.n", {}, service.quantity), el("td.n", {}, table(service.vouchers)), el("td.n", {}, table(service.cash))),
          ),
        ),
        el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, t("sum")), el("td.n", {}, sums.served), el("td.n", {}, sums.quantity), el("td.n", {}, table(sums.vouchers)), el("td.n.strong", {}, table(sums.cash)))),
      ),
      el(
        "table",
        {},
        el("caption", {}, t("report_takings")),
        el(
          "tbody",
          {},
          line("to_hand_over", table(sums.cash), true),
          line("paid_vouchers", table(sums.vouchers)),
          line("paid_government", table(sums.government)),
          line("paid_charity", table(sums.charity)),
          line("paid_concession", table(sums.concession)),
          line("report_undone", sums.undone),
          line("report_refused", sums.refused + sums.review),
          line("report_unsent", sums.unsent ? `${sums.unsent} · ${t("at_most", { fen: yuan(sums.unsentFen) })}` : 0),
        ),
      ),
      sums.unsent ? el("p.warn", {}, icon("look"), t("report_unsent_note")) : null,
      el("p.sign", {}, t("sign_cashier"), el("span"), t("sign_manager"), el("span")),
      el("p.fine", {}, t("report_foot", { at: `${fullDay(app.till.now())} ${hour(app.till.now())}` })),
    ),
    foot: el("footer", {}, el("div.acts", {}, button("big", "back", t("back"), () => app.show("today"), { "data-name": "back" }), button("big go main", "print", t("print"), () => print(), { "data-name": "print" }))),
  };
}
