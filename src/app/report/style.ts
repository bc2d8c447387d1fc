/** The report's whole style sheet. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fbfaf8; --card: #ffffff; --ink: #1d2126; --soft: #5d6671; --muted: #a3abb5; --line: #e4e2dc;
  --accent: #c8401f; --good: #26734d; --warn: #9a6700; --bad: #b3261e; --code: #f3f1ec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1c1f23; --ink: #e8e6e1; --soft: #a4abb3; --muted: #666e78; --line: #2d3138;
    --accent: #ff8a65; --good: #6fcf9b; --warn: #e3b341; --bad: #ff7b72; --code: #22262b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 48px 28px 96px; }
.brand { font-size: 13px; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 0 0 18px; }
.brand b { color: var(--accent); font-weight: 650; }
h1 { font-size: clamp(22px, 3vw, 31px); line-height: 1.28; font-weight: 620; letter-spacing: -.012em; margin: 0; max-width: 32em; text-wrap: pretty; }
h2 { font-size: 20px; font-weight: 620; letter-spacing: -.005em; margin: 64px 0 6px; }
h3 { font-size: 16px; font-weight: 620; margin: 0; overflow-wrap: anywhere; }
p { margin: 6px 0 0; max-width: 46em; }
.soft, figcaption, .lead { color: var(--soft); }
.lead { margin-bottom: 18px; font-size: 15px; }
a { color: inherit; text-decoration-color: var(--muted); text-underline-offset: 3px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); margin: 36px 0 0; border-block: 1px solid var(--line); }
.facts div { padding: 18px 20px 16px 0; }
.facts dt { font-size: 13px; color: var(--soft); }
.facts dd { margin: 2px 0 0; font-size: 22px; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.facts dd small { font-size: 13px; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.arrow { color: var(--muted); padding: 0 .35em; }
.arrow svg { vertical-align: -1px; }
.hit { color: var(--accent); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 15px; }
th, td { padding: 8px 12px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { font-size: 13px; font-weight: 500; color: var(--soft); }
tbody th { font-weight: 400; }
tr.group th { padding-top: 18px; font-size: 13px; color: var(--soft); font-weight: 500; }
td.hit { font-weight: 600; }
.sample { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px 20px; margin-top: 18px; }
.sample header { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; margin-bottom: 14px; }
.sample header .rank { font-size: 12px; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); }
.sample header .value { margin-left: auto; font-variant-numeric: tabular-nums; font-size: 15px; }
.figures { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 16px 14px; }
@media (max-width: 720px) { .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); } .facts dd { white-space: normal; } }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: 16px 12px; align-items: end; }
.gallery img { display: block; width: 100%; height: auto; border-radius: 4px; background: var(--code); }
.gallery figcaption { font-size: 12px; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.gallery + .soft { margin-top: 14px; font-size: 13px; }
figure { margin: 0; }
.figures img { display: block; width: 100%; height: auto; border-radius: 4px; background: var(--code); }
.figures img.small { image-rendering: pixelated; }
figcaption { font-size: 13px; line-height: 1.4; margin-top: 6px; }
figcaption b { color: var(--ink); font-weight: 560; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 16px; margin-top: 14px; font-size: 13px; color: var(--soft); align-items: center; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; border: 1px solid rgb(128 128 128 / .35); }
.legend .scale { display: inline-block; width: 140px; height: 10px; border-radius: 5px; }
.legend img { width: 54px; height: 54px; border-radius: 50%; }
.guesses { display: grid; gap: 5px; font-size: 13px; align-content: start; }
.guesses .bar { position: relative; display: flex; justify-content: space-between; gap: 10px; padding: 3px 8px; border-radius: 4px; overflow: hidden; background: var(--code); }
.guesses .bar::before { content: ""; position: absolute; inset: 0 auto 0 0; width: var(--p); background: var(--muted); opacity: .4; }
.guesses .bar.true::before { background: var(--good); }
.guesses .bar.wanted::before { background: var(--accent); opacity: .5; }
.guesses .bar span { position: relative; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 28px; margin-top: 8px; }
.charts svg { width: 100%; height: auto; overflow: visible; color: var(--soft); }
.checks { list-style: none; margin: 10px 0 0; padding: 0; }
.checks li { display: grid; grid-template-columns: 28px 1fr; gap: 0 10px; padding: 13px 0; border-bottom: 1px solid var(--line); }
.checks .mark { width: 22px; height: 22px; border-radius: 50%; display: grid; place-items: center; font-size: 13px; font-weight: 700; color: var(--card); background: var(--good); margin-top: 1px; }
.checks .warning .mark { background: var(--warn); }
.checks .failed .mark { background: var(--bad); }
.checks .not-applicable { color: var(--soft); }
.checks .not-applicable .mark { background: var(--muted); }
.checks p { margin-top: 1px; font-size: 15px; max-width: 56em; }
.checks .verdict { font-size: 13px; font-weight: 400; color: var(--soft); margin-left: 8px; }
.checks details { font-size: 13px; color: var(--soft); margin-top: 4px; }
.checks summary { cursor: pointer; width: fit-content; }
.checks dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 6px 0 0; }
.checks dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
pre { background: var(--code); border-radius: 8px; padding: 16px 18px; overflow-x: auto; font: 13px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; margin: 12px 0 0; }
.setting { display: grid; grid-template-columns: max-content 1fr; gap: 5px 24px; margin: 16px 0 0; font-size: 15px; }
.setting dt { color: var(--soft); }
.setting dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 64px; font-size: 13px; color: var(--soft); }
@media print { .sample { break-inside: avoid; } body { background: none; } }
`;
