/**
 * @file One chart of a study alone, live, for a frame within another page. It has no control that changes anything, so
 * that whoever shows it in a frame cannot have a reader press one.
 */

import { MEASURES } from "../src/report/figures/curves.ts";
import { addressOf, hashOf } from "./address.ts";
import { chart } from "./chart.ts";
import { element, fill, say } from "./element.ts";
import { type FollowedStudy, heard, trialsOf, unheard } from "./followed-study.ts";
import { liveArms, livePlot } from "./live-plot.ts";
import { othersOf, outsideOf, outsideText } from "./outside.ts";
import { sharedEvents } from "./shared-events.ts";
import { stateText } from "./state-text.ts";
import { lostArms, viewOf } from "./study-view.ts";

/** Milliseconds between two drawings. */
const DRAW = 200;

const main = document.getElementById("page");
const events = sharedEvents((lost) =>
  say(
    lost !== ""
      ? "The server does not answer. Where it asks for a token, open its page once in this browser; a page of another site can then not show its figures."
      : "",
  ),
);
let close: () => void = () => undefined;

function open(): void {
  close();
  const { path, state } = addressOf(location.hash);
  const [id = "", name] = path;
  const known = MEASURES.find((each) => each.name === name);
  if (!known || !main) {
    const names = MEASURES.map((each) => each.name).join(", ");
    if (main)
      fill(main, element("p", { class: "warn" }, `There is no such figure; there are ${names}.`));
    return;
  }
  const view = viewOf(state);
  const made = chart(`${known.title} against epoch`, () => undefined);
  const cut = element("figcaption", { class: "note" });
  const about = element("a", {
    href: `/${hashOf(["study", id], state)}`,
    target: "_blank",
    rel: "noopener",
  });
  const how = element("span", { role: "status" });
  made.figure.append(cut);
  const title = element("h1", { class: "unseen" }, known.title);
  main.setAttribute("aria-label", known.title);
  fill(main, title, made.figure, element("p", { class: "note" }, about, " ", how));
  let study: FollowedStudy = unheard(id);
  let due: ReturnType<typeof setTimeout> | null = null;
  const draw = () => {
    due = null;
    const { experiment, problem } = study;
    how.textContent = problem ?? stateText(study);
    if (!experiment) return;
    const options = { experiment, trials: trialsOf(study), ...view.drawn() };
    about.textContent = `${experiment.dataset.name}, ${experiment.model.name}`;
    const live = livePlot(known.measure, options);
    made.figure.hidden = !live;
    if (!live) return;
    const shown = view.of(live.plot, lostArms(liveArms(options)));
    made.label(live.label.replace(" epoch.", ` ${view.chosen.across}.`));
    made.show(live.plot, shown, view.seeds ? live.seeds : []);
    cut.textContent = outsideText(
      outsideOf(live.plot, shown, live.seeds),
      othersOf(live.plot, shown.y),
    );
  };
  const stop = events.follow(id, (message) => {
    study = heard(study, message);
    due ??= setTimeout(draw, DRAW);
  });
  close = () => {
    stop();
    if (due !== null) clearTimeout(due);
  };
}

addEventListener("hashchange", open);
open();
