/** The style sheet of all reports. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fbfaf8; --card: #ffffff; --ink: #1d2126; --soft: #5d6671; --muted: #a3abb5; --line: #e4e2dc;
  --accent: #c8401f; --good: #26734d; --warn: #9a6700; --bad: #b3261e; --code: #f3f1ec; --series-2: #2463a8; --series-3: #26734d; --series-4: #8a5bb0; --series-5: #9a6700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1c1f23; --ink: #e8e6e1; --soft: #a4abb3; --muted: #666e78; --line: #2d3138;
    --accent: #ff8a65; --good: #6fcf9b; --warn: #e3b341; --bad: #ff7b72; --code: #22262b; --series-2: #6ea8e8; --series-3: #6fcf9b; --series-4: #b997dd; --series-5: #e3b341;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; overflow-x: hidden; overflow-wrap: anywhere; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 28px 96px; }
@media (max-width: 560px) { main { padding: 24px 16px 64px; } }
.brand { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 20px; font-size: 13px; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 0 0 28px; max-width: none; padding-bottom: 12px; border-bottom: 1px solid var(--line); }
.brand b { color: var(--accent); font-weight: 650; }
.brand time { letter-spacing: 0; text-transform: none; }
h1 { font-size: clamp(21px, 2.6vw, 28px); line-height: 1.32; font-weight: 600; letter-spacing: -.012em; margin: 0; max-width: 36em; text-wrap: pretty; overflow-wrap: anywhere; }
h2 { font-size: 20px; font-weight: 620; letter-spacing: -.005em; margin: 56px 0 6px; }
h3 { font-size: 16px; font-weight: 620; margin: 0; overflow-wrap: anywhere; }
h3.sub { margin: 30px 0 8px; }
p { margin: 6px 0 0; max-width: 46em; }
.soft, figcaption, .lead { color: var(--soft); }
.lead { margin-bottom: 18px; font-size: 15px; }
a { color: inherit; text-decoration-color: var(--muted); text-underline-offset: 3px; }
code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
abbr { text-decoration: underline dotted var(--muted); text-underline-offset: 3px; cursor: help; }
.hero { margin: 30px 0 0; max-width: none; }
.hero .numbers { display: flex; flex-wrap: wrap; align-items: center; font-size: clamp(38px, 8.4vw, 76px); line-height: 1.08; font-weight: 640; letter-spacing: -.035em; font-variant-numeric: tabular-nums; }
.hero .of { display: block; margin-top: 4px; color: var(--soft); font-size: 15px; }
.hero .arrow svg { width: .5em; height: .5em; vertical-align: .08em; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 0 20px; margin: 32px 0 0; border-block: 1px solid var(--line); }
.facts div { padding: 16px 0 14px; min-width: 0; }
.facts dt { font-size: 13px; color: var(--soft); }
.facts dd { margin: 2px 0 0; font-size: 21px; line-height: 1.35; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.facts dd small { font-size: 13px; font-weight: 400; color: var(--soft); letter-spacing: 0; }
@media (max-width: 560px) { .facts { grid-template-columns: 1fr 1fr; } .facts dd { font-size: 18px; } }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.arrow { color: var(--muted); padding: 0 .35em; }
.arrow svg { vertical-align: -1px; }
.hit { color: var(--accent); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 15px; }
th, td { padding: 8px 12px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { font-size: 13px; font-weight: 500; color: var(--soft); }
tbody th { font-weight: 400; }
tr.group th { padding-top: 18px; font-size: 13px; color: var(--soft); font-weight: 500; white-space: normal; }
td.hit { font-weight: 600; }
@media (max-width: 560px) { table { font-size: 14px; } th, td { padding: 7px 6px; } }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 8px; vertical-align: -1px; border: 1px solid rgb(128 128 128 / .35); }
.classes .bars { width: 34%; min-width: 90px; padding-right: 0; }
.classes td.bars { position: relative; }
.classes .bars span, .classes .bars b { position: absolute; left: 12px; max-width: calc(100% - 12px); height: 7px; border-radius: 4px; }
.classes .bars span { top: calc(50% - 8px); background: var(--muted); opacity: .55; }
.classes .bars b { top: calc(50% + 1px); background: var(--accent); }
@media (max-width: 560px) { .classes .bars { width: auto; min-width: 44px; } .classes .swatch { margin-right: 5px; } }
.footnote { margin-top: 16px; font-size: 13px; color: var(--soft); max-width: 70em; }
.footnote b { font-weight: 560; color: var(--ink); }
details.fold { margin-top: 14px; border-bottom: 1px solid var(--line); }
details.fold > summary { cursor: pointer; padding: 10px 0; font-size: 15px; color: var(--soft); list-style-position: outside; margin-left: 18px; }
details.fold > summary:hover { color: var(--ink); }
.sample { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px 20px; margin-top: 18px; }
@media (max-width: 560px) { .sample { padding: 14px 12px 16px; margin-inline: -6px; } }
.sample header { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; margin-bottom: 14px; }
.sample header .rank { font-size: 12px; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); }
.sample header .value { margin-left: auto; font-variant-numeric: tabular-nums; font-size: 15px; }
.figures { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 16px 14px; }
@media (max-width: 720px) { .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px 10px; } }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: 16px 12px; align-items: end; }
.gallery img { display: block; width: 100%; height: auto; border-radius: 4px; background: var(--code); }
.gallery figcaption { font-size: 12px; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.gallery + .soft { margin-top: 14px; font-size: 13px; }
figure { margin: 0; }
.figures img { display: block; width: 100%; height: auto; border-radius: 4px; background: var(--code); }
img.small { image-rendering: pixelated; }
.zoom { display: block; cursor: zoom-in; }
.zoom input { position: absolute; opacity: 0; pointer-events: none; }
.zoom:focus-within img { outline: 2px solid var(--accent); outline-offset: 2px; }
.zoom input:checked + img { position: fixed; inset: 0; z-index: 2; width: 100vw; height: 100vh; object-fit: contain; padding: 20px; border-radius: 0; outline: none; background: rgb(0 0 0 / .88); cursor: zoom-out; }
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
.full { width: min(100vw - 56px, 1720px); margin: 28px 0 0 50%; transform: translateX(-50%); overflow-x: auto; color: var(--soft); }
.full svg { display: block; width: 100%; min-width: 880px; height: auto; }
.full figcaption { max-width: 1064px; margin: 10px auto 0; }
@media (max-width: 940px) { .full { width: calc(100vw - 32px); } .full figcaption { position: sticky; left: 0; max-width: calc(100vw - 32px); } }
.wide { overflow-x: auto; margin-top: 20px; color: var(--soft); }
.wide img { width: 100%; height: auto; border-radius: 6px; display: block; }
.places { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 32px 28px; margin-top: 22px; }
.places svg { width: 100%; height: auto; color: var(--soft); }
.notes { padding-left: 20px; margin: 12px 0 0; } .notes li { margin-top: 8px; max-width: 60em; }
.checks { list-style: none; margin: 10px 0 0; padding: 0; }
.checks li { display: grid; grid-template-columns: 28px 1fr; gap: 0 10px; padding: 13px 0; border-bottom: 1px solid var(--line); }
.mark { width: 22px; height: 22px; border-radius: 50%; display: grid; place-items: center; font-size: 13px; font-weight: 700; color: var(--card); background: var(--good); margin-top: 1px; flex: none; }
.checks .warning .mark { background: var(--warn); }
.checks .failed .mark { background: var(--bad); }
.checks .not-applicable { color: var(--soft); }
.checks .not-applicable .mark, .checks-line.not-applicable > summary .mark { background: var(--muted); }
details.checks-line > summary { display: flex; gap: 16px; margin-left: 0; align-items: start; }
details.checks-line > summary::after { content: "show"; margin-left: auto; color: var(--soft); text-decoration: underline dotted var(--muted); text-underline-offset: 3px; }
details.checks-line[open] > summary::after { content: "hide"; }
details.checks-line > summary b { color: var(--ink); font-weight: 600; margin-right: 6px; }
.checks p { margin-top: 1px; font-size: 15px; max-width: 56em; }
.checks .verdict { font-size: 13px; font-weight: 400; color: var(--soft); margin-left: 8px; }
.checks details { font-size: 13px; color: var(--soft); margin-top: 4px; }
.checks summary { cursor: pointer; width: fit-content; }
.checks dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 6px 0 0; }
.checks dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
@media (max-width: 560px) { .checks dl { grid-template-columns: 1fr; } .checks dd { margin-bottom: 6px; } }
pre { background: var(--code); border-radius: 8px; padding: 16px 18px; overflow-x: auto; font: 13px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; margin: 12px 0 0; }
.again { margin-top: 22px; }
.setting { display: grid; grid-template-columns: max-content 1fr; gap: 5px 24px; margin: 16px 0 0; font-size: 15px; }
.setting dt { color: var(--soft); }
.setting dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 560px) { .setting { grid-template-columns: 1fr; gap: 0; } .setting dd { margin-bottom: 10px; } }
@media print { .sample { break-inside: avoid; } body { background: none; } }
`;
