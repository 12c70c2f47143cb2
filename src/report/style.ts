/** @file The page's style sheet. */

import { FONT } from "./draw.ts";
import { darkColours, declarations, lightColours } from "./palette.ts";

/** Dark where the reader prefers it, or where the page around sets data-theme on <html>. */
export const styleSheet = `
:root{color-scheme:light dark;${declarations(lightColours)}}
@media (prefers-color-scheme:dark){:root{${declarations(darkColours)}}}
:root[data-theme=light]{color-scheme:light;${declarations(lightColours)}}
:root[data-theme=dark]{color-scheme:dark;${declarations(darkColours)}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--lr-paper);color:var(--lr-ink);font:16px/1.55 ${FONT}}
main,footer{max-width:872px;margin:0 auto;padding:0 16px}
header{padding:40px 0 28px;border-bottom:2px solid var(--lr-ink)}
.kicker{margin:0 0 12px;color:var(--lr-muted);font-size:14px;overflow-wrap:anywhere}
h1{margin:0;font-size:30px;line-height:1.25;font-weight:650;letter-spacing:-.012em;text-wrap:pretty;overflow-wrap:anywhere}
.conclusion{margin:16px 0 0;max-width:72ch}
header ul{margin:12px 0 0;padding:0;list-style:none;max-width:68ch}
header li{margin:4px 0;overflow-wrap:anywhere}
.contents{padding:18px 0 14px;border-bottom:1px solid var(--lr-grid)}
.contents h2{font-size:14px;font-weight:600;margin:0 0 6px}
.contents ol{display:flex;flex-wrap:wrap;gap:4px 20px;margin:0;padding:0;list-style:none;font-size:14px}
a{color:var(--lr-1);text-underline-offset:3px}
.contents a{display:inline-block;padding:2px 0}
.contents+section{border-top:0}
.terms{margin:0 0 20px;padding:0 0 0 12px;border-left:3px solid var(--lr-grid);color:var(--lr-muted);font-size:13.5px;max-width:76ch}
.terms div{margin:3px 0}
.terms dt,.terms dd{display:inline;margin:0}
.terms dt{font-weight:600;color:var(--lr-ink)}
.terms dt::after{content:": "}
.hint{display:none;margin:12px 0 -10px;color:var(--lr-muted);font-size:13px;text-align:right;max-width:none}
.hint.needed{display:block}
section{padding:36px 0 4px}
section+section{border-top:1px solid var(--lr-grid)}
h2{margin:0 0 4px;font-size:20px;line-height:1.3;letter-spacing:-.005em}
h4{margin:20px 0 4px;font-size:15px}
h3{margin:28px 0 4px;font-size:16px;overflow-wrap:anywhere}
p{margin:0 0 12px;max-width:68ch;text-wrap:pretty;overflow-wrap:anywhere}
.note{color:var(--lr-muted);font-size:14px}
.warn{padding-left:12px;border-left:3px solid var(--lr-2)}
figure{margin:20px 0 24px}
figcaption{color:var(--lr-muted);font-size:14px;max-width:80ch;margin-top:4px;overflow-wrap:anywhere}
figure svg{display:block;width:100%;height:auto}
figure:focus-visible{outline:2px solid var(--lr-1);outline-offset:4px}
.live figure[data-plot]{touch-action:pan-y;cursor:crosshair}
.controls{display:flex;flex-wrap:wrap;gap:8px 20px;align-items:center;padding:10px 0;background:var(--lr-paper)}
.legend{display:flex;flex-wrap:wrap;gap:6px}
.controls button{font:inherit;font-size:13px;line-height:1.2;padding:5px 10px;border:1px solid var(--lr-axis);background:none;color:var(--lr-ink);cursor:pointer;overflow-wrap:anywhere}
.controls button:focus-visible{outline:2px solid var(--lr-1);outline-offset:1px}
.legend button{border-radius:14px;display:inline-flex;gap:7px;align-items:center}
.legend button[aria-pressed=false]{color:var(--lr-muted);border-style:dashed;text-decoration:line-through}
.legend button[aria-pressed=false] .sample{opacity:.25}
.sample{width:22px;height:8px;flex:none}
.choice{display:flex}
.choice button{border-right-width:0}
.choice button:first-child{border-radius:6px 0 0 6px}
.choice button:last-child{border-right-width:1px;border-radius:0 6px 6px 0}
.choice button[aria-pressed=true]{background:var(--lr-ink);color:var(--lr-paper);border-color:var(--lr-ink)}
.tip{position:fixed;z-index:9;max-width:min(440px,calc(100vw - 16px));padding:7px 10px;background:var(--lr-paper);border:1px solid var(--lr-axis);border-radius:5px;box-shadow:0 3px 14px rgb(0 0 0/.18);font-size:13px;line-height:1.45;pointer-events:none;overflow-wrap:anywhere}
.tip[hidden]{display:none}
.tip b{display:block;font-weight:600}
.tip table{min-width:0;font-size:12.5px;line-height:1.3}
.tip td{padding:1px 0 1px 10px;border:0;text-align:right}
.tip td:nth-child(-n+2){padding-left:0;text-align:left}
.tip td:nth-child(n+4){color:var(--lr-muted)}
.tip td:nth-child(3){font-weight:600}
.tip i{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:7px}
svg.narrow{display:none}
.pair{display:grid;grid-template-columns:1fr 1fr;column-gap:20px;align-items:start}
.pair>*{min-width:0}
.scroll{overflow-x:auto;margin:16px 0 20px;background:linear-gradient(to right,var(--lr-paper) 30%,transparent) left/36px 100% no-repeat local,linear-gradient(to left,var(--lr-paper) 30%,transparent) right/36px 100% no-repeat local,linear-gradient(to right,var(--lr-axis),transparent) left/10px 100% no-repeat scroll,linear-gradient(to left,var(--lr-axis),transparent) right/10px 100% no-repeat scroll}
.scroll:focus-visible{outline:2px solid var(--lr-1);outline-offset:2px}
table{border-collapse:collapse;font-size:14px;line-height:1.4;font-variant-numeric:tabular-nums;white-space:nowrap;min-width:100%}
th,td{padding:8px 0 8px 16px;text-align:left;vertical-align:top;border-bottom:1px solid var(--lr-grid);font-weight:400}
th:first-child,td:first-child{padding-left:0}
thead th{white-space:normal;text-wrap:balance;color:var(--lr-muted);border-bottom-color:var(--lr-axis);vertical-align:bottom}
tbody th{font-weight:600}
td.num,th.num{text-align:right}
td small{display:block;color:var(--lr-muted);font-size:12px;white-space:pre}
.swatch{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:8px}
.facts{display:grid;grid-template-columns:minmax(9em,auto) 1fr;gap:6px 24px;margin:12px 0 24px;font-size:14px}
.facts dt{color:var(--lr-muted)}
.facts dd{margin:0;overflow-wrap:anywhere}
.samples{display:grid;gap:14px;margin:16px 0 24px}
.samples>div{display:grid;grid-template-columns:7.5em 1fr;gap:12px;align-items:center}
.samples b{font-size:14px;font-weight:600;overflow-wrap:anywhere;line-height:1.3}
.strip{display:flex;gap:6px;min-width:0}
.strip img{flex:0 1 96px;min-width:0;width:96px;aspect-ratio:1;object-fit:cover;border-radius:3px;background:var(--lr-grid)}
.strip img:first-child{margin-right:10px}
.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(130px,1fr));gap:18px 14px;padding:0;list-style:none;font-size:13px;line-height:1.35}
.mistakes li{min-width:0;overflow-wrap:anywhere}
.mistakes img,.mistakes .absent{display:block;width:100%;aspect-ratio:1;object-fit:cover;border-radius:3px;margin-bottom:6px;background:var(--lr-grid)}
.mistakes small{display:block;color:var(--lr-muted)}
pre{margin:8px 0 12px;padding:10px 12px;background:var(--lr-grid);border-radius:5px;font:12.5px/1.5 ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre-wrap;overflow-wrap:anywhere}
table.words td{white-space:normal;min-width:9em}
table.words td.num{min-width:0;white-space:nowrap}
tbody th small{display:block;color:var(--lr-muted);font-weight:400}
table.arms tbody th{white-space:normal;overflow-wrap:anywhere;min-width:10em}
table.arms tbody th:has(.swatch){position:relative;padding-left:18px}
table.arms .swatch{position:absolute;left:0;top:12.5px}
.flag{white-space:nowrap}
ul.note{padding-left:20px}
ul.notes{margin:8px 0 16px;padding:0 0 0 12px;list-style:none;border-left:3px solid var(--lr-axis);font-size:14px;max-width:80ch;overflow-wrap:anywhere}
ul.notes li{margin:3px 0}
details{margin:0 0 20px}
summary{cursor:pointer;font-size:14px;padding:4px 0}
summary:focus-visible{outline:2px solid var(--lr-1)}
details ul{font-size:14px;padding-left:20px;overflow-wrap:anywhere}
footer{padding-top:20px;padding-bottom:40px;color:var(--lr-muted);font-size:13px}
@media (max-width:719px){
header{padding:24px 0 20px}h1{font-size:23px}section{padding-top:28px}
svg.wide{display:none}svg.narrow{display:block;max-width:480px}
.pair{display:block}
.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:8px}
.samples>div{grid-template-columns:1fr;gap:4px}
}
@page{size:A4;margin:14mm 13mm}
@media print{:root,:root[data-theme=dark]{color-scheme:light;${declarations(lightColours)}}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.controls,.tip,.hint,.contents{display:none!important}
body{font-size:10.5pt;line-height:1.4}main,footer{max-width:none;padding:0}
header{padding:0 0 14pt}h1{font-size:18pt}h2{font-size:14pt}section{padding-top:16pt}
p,.conclusion,header ul,figcaption,.terms,ul.notes{max-width:none}
svg.wide{display:block;max-height:235mm}svg.narrow{display:none}
p.note:has(+.mistakes){break-after:avoid}
.pair{display:grid;grid-template-columns:1fr 1fr}
.facts{grid-template-columns:minmax(9em,auto) 1fr;gap:4px 18px}
figure,tr,li,.terms div,.samples>div,pre{break-inside:avoid}
h2,h3,h4,thead,summary{break-after:avoid}thead{display:table-header-group}p{orphans:3;widows:3}
details::details-content{content-visibility:visible;height:auto}
.scroll{overflow:visible;background:none}
table{font-size:8pt;white-space:normal;width:100%}th,td{padding:4px 0 4px 7px}
td.num,th.num{overflow-wrap:normal}tbody th{overflow-wrap:anywhere}table.words td,table.arms tbody th{min-width:0}table.arms .swatch{top:8px}
a{color:inherit;text-decoration:none}}
`.replaceAll("\n", "");
