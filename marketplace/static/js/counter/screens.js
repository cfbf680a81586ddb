// What is drawn. Each screen answers {main, foot, tone}; the app puts them in place and moves the focus to [data-first].

import { button, el, icon } from "./dom.js";
import { fen, plainYuan } from "./money.js";
import * as queue from "./queue.js";
import { UNDO } from "./till.js";
import { age, countdown, hour, language, t } from "./words.js";

export { report, today, unsent } from "./lists.js";

/** Screens in which people type: not drawn anew while they do. */
export const TYPING = ["enrol", "typing", "pin"];

export const yuan = (amount) => t("yuan", { n: plainYuan(amount) });

// The bar: where we are, and what is unsent, always in sight

export function bar(app, header) {
  const { till } = app;
  const load = till.load_();
  const net = till.shut ? "shut" : till.online ? "online" : "offline";
  const lines = [t(`net_${net}`), t("net_unsent", { n: load.count })];
  if (load.count) lines.push(t("net_oldest", { age: age(load.oldest) }));
  header.replaceChildren(
    el("div.place", {}, el("b", {}, till.me?.premises.name ?? t("app_name")), till.me && el("span", {}, till.me.terminal.name)),
    till.token
      ? el(
          `button.net.${net}${load.count ? ".has" : ""}`,
          { type: "button", data: { name: "net" }, on: { click: () => app.show("unsent") } },
          icon(net === "online" ? "net" : "no-net"),
          el("span", {}, lines.join(" · ")),
        )
      : "",
  );
}

function help(app) {
  return el(
    "nav.below",
    { "aria-label": t("more") },
    app.till.token && button("quiet", "list", t("today"), () => app.show("today"), { "data-name": "today" }),
    button("quiet", "speak", language() === "en" ? "中文" : "English", () => app.speak(language() === "en" ? "zh-hans" : "en"), {
      lang: language() === "en" ? "zh-Hans" : "en",
      "data-name": "language",
    }),
    call(app),
  );
}

/** The last thing of every screen. */
export function call(app) {
  return el("a.quiet", { href: `tel:${app.files.hotline}` }, icon("phone"), el("span", {}, t("help_call", { n: app.files.hotline })));
}

// Enrolment

export function enrol(app) {
  const wrong = app.note;
  const field = el("input", {
    id: "code",
    name: "code",
    autocomplete: "one-time-code",
    autocapitalize: "characters",
    spellcheck: "false",
    required: true,
    maxlength: 20,
    value: app.typed ?? "",
    "aria-describedby": wrong ? "code-help code-wrong" : "code-help",
    "aria-invalid": wrong ? "true" : undefined,
  });
  const send = async (event) => {
    event.preventDefault();
    app.typed = field.value.trim();
    if (!app.typed) return app.show("enrol", { note: t("enrol_empty") });
    const answer = await app.till.enrol(app.typed);
    if (answer.ok) {
      app.typed = "";
      app.till.start();
      app.show("taking");
      return;
    }
    app.show("enrol", { note: answer.problem?.detail || t("enrol_no_network") });
  };
  const load = app.till.load_();
  return {
    main: el(
      "main.narrow",
      { id: "main", tabindex: "-1" },
      el("h1", {}, t("enrol_title")),
      load.count ? el("p.warn", {}, icon("look"), t("enrol_unsent", { n: load.count })) : null,
      el("p", { id: "code-help" }, t("enrol_how")),
      wrong && el("div.wrong", { id: "summary", tabindex: "-1", role: "alert", "data-first": true }, icon("no"), el("a", { href: "#code", id: "code-wrong" }, wrong)),
      el(
        "form.stack",
        { novalidate: true, on: { submit: send } },
        el("label", { for: "code" }, t("enrol_code")),
        field,
        el("button.big.go", { type: "submit" }, el("span", {}, t("enrol_do"))),
      ),
    ),
    foot: el("footer", {}, help(app)),
  };
}

// Waiting for the next person

export function taking(app) {
  const on = app.cameraState === "on";
  const target = el(
    `div.target${on ? ".live" : ""}`,
    {},
    on
      ? [app.video, el("div.frame", { "aria-hidden": "true" }), el("p.hint", {}, t("scan_here"))]
      : button("open", "scan", app.cameraState === "starting" ? t("camera_starting") : t("camera_open"), () => app.openCamera(), {
          "data-first": true,
          "data-name": "camera",
          disabled: app.cameraState === "starting",
        }),
    !on && el("p.hint", {}, ["denied", "missing", "broken"].includes(app.cameraState) ? t(`camera_${app.cameraState}`) : t("scan_or_usb")),
  );
  return {
    main: el(
      "main.taking",
      { id: "main", tabindex: "-1" },
      el("h1.out", {}, t("taking_title")),
      app.till.shut ? shutNote(app) : null,
      target,
      el(
        "div.side",
        {},
        services(app, t("taking_service")),
        el(
          "div.pair",
          {},
          button("big", "keys", t("type_code"), () => app.show("typing"), { "data-name": "type" }),
          on && button("big", "close", t("camera_close"), () => app.closeCamera(), { "data-name": "camera-close" }),
        ),
      ),
    ),
    foot: el("footer", {}, help(app)),
  };
}

function shutNote(app) {
  return el(
    "div.warn",
    { role: "alert" },
    icon("look"),
    el("div", {}, el("b", {}, t("shut_title")), el("p", {}, t("shut_why", { n: app.till.load_().count }))),
    button("small", "keys", t("enrol_again"), () => app.show("enrol")),
  );
}

function services(app, label) {
  const chosen = app.chosen();
  const offered = app.till.services();
  return el(
    "fieldset.services",
    {},
    el("legend", {}, label),
    offered.length ? null : el("p", {}, t("nothing_sold_why")),
    offered.map((service) =>
      el(
        "button.service",
        {
          type: "button",
          "aria-pressed": String(service.code === chosen?.code),
          data: { name: `service-${service.code}` },
          disabled: app.busy,
          on: { click: () => app.choose(service.code) },
        },
        service.code === chosen?.code ? icon("tick", "icon on") : icon("ring", "icon on"),
        el("b", {}, service.name),
        el("span", {}, t("list_price", { price: priceRange(service) })),
      ),
    ),
  );
}

function priceRange(service) {
  const lists = service.prices.map((price) => fen(price.list));
  if (!lists.length) return "—";
  const [low, high] = [Math.min(...lists), Math.max(...lists)];
  return low === high ? yuan(low) : t("from_to", { low: plainYuan(low), high: yuan(high) });
}

// Typed code and PIN

export function typing(app) {
  const field = el("input", {
    id: "code",
    inputmode: "numeric",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 24,
    "data-first": true,
    "aria-describedby": app.note ? "code-wrong code-help" : "code-help",
    "aria-invalid": app.note ? "true" : undefined,
    value: app.typed ?? "",
  });
  const send = async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    const found = text ? await app.till.identify(text) : { ok: false, code: "empty" };
    if (!found.ok) {
      app.typed = text;
      app.note = t(`id_${found.code}`);
      app.draw();
      return;
    }
    app.typed = "";
    app.scanned(text);
  };
  return {
    main: el(
      "main.narrow",
      { id: "main", tabindex: "-1" },
      el("h1", {}, t("type_title")),
      app.note && el("div.wrong", { role: "alert" }, icon("no"), el("a", { href: "#code", id: "code-wrong" }, app.note)),
      el(
        "form.stack",
        { novalidate: true, on: { submit: send } },
        el("label", { for: "code" }, t("type_label")),
        el("p", { id: "code-help" }, t("type_help")),
        field,
        el("button.big.go", { type: "submit" }, el("span", {}, t("go_on"))),
      ),
    ),
    foot: el("footer", {}, el("div.acts", {}, button("big", "back", t("back"), () => app.nextPerson()))),
  };
}

export function pin(app) {
  const field = el("input", {
    id: "pin",
    type: "password",
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: 6,
    "data-first": true,
    "aria-describedby": app.note ? "pin-wrong pin-help" : "pin-help",
    "aria-invalid": app.note ? "true" : undefined,
  });
  const send = (event) => {
    event?.preventDefault();
    if (!/^\d{6}$/.test(field.value)) {
      app.note = t("pin_six");
      app.draw();
      return;
    }
    app.withPin(field.value);
  };
  const press = (digit) => {
    field.value = digit === "back" ? field.value.slice(0, -1) : (field.value + digit).slice(0, 6);
    if (field.value.length === 6) send();
  };
  field.addEventListener("input", () => {
    field.value = field.value.replace(/\D/g, "");
    if (field.value.length === 6) send();
  });
  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "back"];
  return {
    main: el(
      "main.narrow",
      { id: "main", tabindex: "-1" },
      el("h1", {}, t("pin_title")),
      app.note && el("div.wrong", { role: "alert" }, icon("no"), el("a", { href: "#pin", id: "pin-wrong" }, app.note)),
      el(
        "form.stack",
        { novalidate: true, on: { submit: send } },
        el("label", { for: "pin" }, t("pin_label")),
        el("p", { id: "pin-help" }, t("pin_help")),
        field,
        el(
          "div.pad",
          { role: "group", "aria-label": t("pin_pad") },
          keys.map((key) =>
            key
              ? el("button", { type: "button", "aria-label": key === "back" ? t("pin_back") : undefined, on: { click: () => press(key) } }, key === "back" ? icon("erase") : key)
              : el("span"),
          ),
        ),
      ),
    ),
    foot: el("footer", {}, el("div.acts", {}, button("big", "back", t("back"), () => app.nextPerson()))),
  };
}

// To look at before anything is spent

export function check(app) {
  const { quote, session, till } = app;
  const service = app.chosen();
  const trust = !till.online;
  const price = quote?.price;
  return {
    main: el(
      "main.check",
      { id: "main", tabindex: "-1" },
      el("h1", {}, session.name || t(`who_${session.shape}`, { short: session.short })),
      el(
        "div.side",
        {},
        services(app, t("check_service")),
        el(
          "div.quantity",
          { role: "group", "aria-label": t("quantity") },
          el("button", { type: "button", "aria-label": t("less"), disabled: app.quantity < 2 || app.busy, data: { name: "less" }, on: { click: () => app.setQuantity(app.quantity - 1) } }, "−"),
          el("output", { "aria-live": "polite" }, t("servings", { n: app.quantity })),
          el("button", { type: "button", "aria-label": t("more_servings"), disabled: app.busy, data: { name: "more" }, on: { click: () => app.setQuantity(app.quantity + 1) } }, "+"),
        ),
      ),
      el(
        "section.sum",
        { "aria-label": t("price") },
        price
          ? [
              el("p.cash", {}, t("to_collect"), el("b", {}, yuan(fen(price.self_pay)))),
              split(price),
            ]
          : el("p.cash.small", {}, trust ? t("check_trust") : t("check_asking")),
      ),
    ),
    foot: el(
      "footer",
      {},
      el(
        "div.acts",
        {},
        button("big", "back", t("cancel"), () => app.nextPerson(), { disabled: app.busy, "data-name": "cancel" }),
        button("big go main", trust ? "look" : "tick", app.busy ? t("taking_now") : t("take", { service: service.name, n: app.quantity }), () => app.take(), {
          "data-first": true,
          "data-name": "take",
          disabled: app.busy,
        }),
      ),
    ),
  };
}

export function split(price) {
  const rows = [
    ["paid_vouchers", price.vouchers],
    ["paid_government", price.government],
    ["paid_charity", price.charity],
    ["paid_concession", price.concession],
  ].filter(([name, amount]) => name === "paid_vouchers" || fen(amount));
  return el("dl.lines", {}, rows.map(([name, amount]) => el("div", {}, el("dt", {}, t(name)), el("dd", {}, yuan(fen(amount))))));
}

// The answer fills the screen

export function answer(app) {
  const { tone } = app.answer;
  const record = app.answer.key ? app.till.queue.records.get(app.answer.key) : null;
  return record ? served(app, tone, record) : refused(app);
}

function refused(app) {
  const { title, why, next } = app.answer;
  const again = app.session && app.till.now() < app.session.until;
  return {
    tone: "no",
    main: el("main.say", { id: "main", tabindex: "-1" }, icon("no", "mark"), el("h1", {}, title), el("p.why", {}, why), el("p.next", {}, next)),
    foot: el(
      "footer",
      {},
      el(
        "div.acts",
        {},
        again ? button("big", "again", t("other_service"), () => app.check(), { "data-name": "another" }) : null,
        button("big go main", "next", t("next_person"), () => app.nextPerson(), { "data-first": true, "data-name": "next" }),
      ),
    ),
  };
}

function served(app, given, record) {
  const tone = record.state === "accepted" ? "yes" : record.state === "refused" ? "no" : given === "yes" ? "yes" : "look";
  const what = t("what", { service: record.service.name, n: record.quantity });
  const who = record.receipt?.elder || app.session?.name;
  const main = el("main.say", { id: "main", tabindex: "-1" }, icon(tone, "mark"));
  if (record.state === "accepted") {
    const { price, vouchers } = record.receipt;
    const left = vouchers.reduce((sum, voucher) => sum + fen(voucher.remaining), 0);
    main.append(
      el("h1", { "data-said": true }, t("collect", { cash: yuan(fen(price.self_pay)) })),
      el("p.who", {}, [who, what].filter(Boolean).join(" · ")),
      split(price),
      el("p.left", {}, [vouchers.length ? t("left", { left: yuan(left) }) : "", hour(Date.parse(record.happenedAt))].filter(Boolean).join(" · ")),
    );
  } else if (record.state === "refused") {
    main.append(el("h1", { "data-said": true }, t("not_taken")), el("p.who", {}, what), el("p.why", {}, record.receipt.detail), el("p.next", {}, t("late_refusal_next")));
  } else {
    main.append(
      el("h1", { "data-said": true }, t("kept")),
      el("p.who", {}, [who, what].filter(Boolean).join(" · ")),
      el("p.why", {}, record.state === "review" ? record.receipt.detail || t("review_why") : t("kept_why")),
      el("p.next", {}, t("kept_next")),
    );
  }
  const undo = app.till.mayUndo(record)
    ? button("big", "undo", undoLabel(app, record), () => app.show("undoing", { about: record.key }), { "data-name": "undo" })
    : null;
  if (undo) app.ticks.push(() => (undo.querySelector("span").textContent = undoLabel(app, record)));
  const session = app.session && app.till.now() < app.session.until;
  return {
    tone,
    main,
    foot: el(
      "footer",
      {},
      el(
        "div.acts",
        {},
        undo,
        session && button("big", "again", t("same_person", { left: countdown(app.session.until - app.till.now()) }), () => app.another(), { "data-name": "another" }),
        button("big go main", "next", t("next_person"), () => app.nextPerson(), { "data-first": true, "data-name": "next" }),
      ),
    ),
  };
}

function undoLabel(app, record) {
  return t("undo_left", { left: countdown(UNDO - (app.till.now() - Date.parse(record.happenedAt))) });
}

export function capSentence(cap) {
  if (!cap) return t("cap_none");
  return t(`cap_${cap.cap}${cap.of ? `_${cap.of}` : ""}`, { limit: cap.of === "fen" ? yuan(cap.limit) : cap.limit });
}

// Taking back

const REASONS = ["wrong_person", "wrong_service", "not_served"];

export function undoing(app) {
  const record = app.till.queue.records.get(app.about);
  return {
    main: el(
      "main.narrow",
      { id: "main", tabindex: "-1" },
      el("h1", {}, t("undo_title")),
      el("p.who", {}, [record.receipt?.elder, t("what", { service: record.service.name, n: record.quantity }), hour(Date.parse(record.happenedAt))].filter(Boolean).join(" · ")),
      el("p", {}, t("undo_why")),
      el(
        "div.stack",
        {},
        REASONS.map((reason, n) => button("big", "undo", t(`reason_${reason}`), () => app.undo(record, t(`reason_${reason}`)), { "data-name": reason, "data-first": n === 0 })),
      ),
    ),
    foot: el("footer", {}, el("div.acts", {}, button("big", "back", t("undo_keep"), () => app.show("today")))),
  };
}

export function undone(app) {
  const record = app.till.queue.records.get(app.about);
  const { state, detail } = record.undo ?? { state: "done" };
  const tone = state === "refused" ? "no" : "look";
  return {
    tone,
    main: el(
      "main.say",
      { id: "main", tabindex: "-1" },
      icon(tone, "mark"),
      el("h1", {}, t(state === "done" ? "undone" : state === "refused" ? "not_undone" : "undo_waits")),
      el("p.why", {}, state === "done" ? t("undone_why") : state === "refused" ? detail : t("undo_waits_why")),
    ),
    foot: el("footer", {}, el("div.acts", {}, button("big go main", "next", t("next_person"), () => app.nextPerson(), { "data-first": true, "data-name": "next" }))),
  };
}

// When there is no counter

export function elsewhere() {
  return el("main.say", { id: "main" }, icon("look", "mark"), el("h1", {}, t("elsewhere")), el("p.why", {}, t("elsewhere_why")));
}

export function broken(error) {
  console.error(error);
  return el("main.say", { id: "main" }, icon("no", "mark"), el("h1", {}, t("broken")), el("p.why", {}, t("broken_why")), el("p", {}, String(error?.message ?? error)));
}

export const UNSENT = queue.UNSENT;
