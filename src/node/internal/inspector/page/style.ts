/** The style of both pages. */
export const style = `
:root {
  color-scheme: light dark;
  --back: light-dark(#f4f5f7, #14171c);
  --card: light-dark(#ffffff, #1d2128);
  --edge: light-dark(#7d8697, #7c8799);
  --line: light-dark(#d5d9e0, #363c46);
  --text: light-dark(#1b1f26, #e6e9ee);
  --soft: light-dark(#596273, #a3adbd);
  --accent: light-dark(#0a5bc4, #7db4ff);
  --on-accent: light-dark(#ffffff, #0d1420);
  --good: light-dark(#17692f, #74d08c);
  --bad: light-dark(#b3261e, #ff9a91);
  --chosen: light-dark(#e3eefc, #24344d);
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 6rem; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
header { padding: 0.75rem 1rem; background: var(--card); border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 1; }
header p { margin: 0; display: flex; flex-wrap: wrap; gap: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.2rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 0.5rem; overflow-wrap: anywhere; }
h3 { font-size: 0.9rem; margin: 1rem 0 0.25rem; }
main { display: grid; gap: 1rem; padding: 1rem; grid-template-columns: minmax(0, 1fr); align-items: start; outline: none; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.75rem; min-width: 0; }
.skip { position: absolute; left: -100vw; z-index: 2; background: var(--card); padding: 0.5rem 1rem; }
.skip:focus { left: 0; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; margin-bottom: 0.75rem; }
form > * { flex: 1 1 8rem; }
form > .wide, form > .check, form > .detail { flex-basis: 100%; }
form > button { flex: none; }
label { display: grid; gap: 0.15rem; font-size: 0.85rem; color: var(--soft); min-width: 0; }
.check { display: flex; gap: 0.5rem; align-items: center; }
input, select, textarea, button { font: inherit; color: var(--text); min-width: 0; }
input:not([type=checkbox]), select, textarea { width: 100%; background: var(--back); border: 1px solid var(--edge); border-radius: 5px; padding: 0.35rem 0.5rem; }
::placeholder { color: var(--soft); opacity: 1; }
textarea { resize: vertical; font-family: ui-monospace, monospace; font-size: 0.85rem; }
button { background: var(--card); border: 1px solid var(--accent); color: var(--accent); border-radius: 5px; padding: 0.35rem 0.75rem; cursor: pointer; }
form > button { background: var(--accent); color: var(--on-accent); }
td button { padding: 0.05rem 0.5rem; margin-right: 0.25rem; font-size: 0.85rem; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0.5rem 0; }
.detail, .none { color: var(--soft); font-size: 0.85rem; margin: 0; }
#outcome { max-height: 4.5em; overflow: auto; }
.good { color: var(--good); }
.bad, .failed { color: var(--bad); }
ul, ol { list-style: none; margin: 0; padding: 0; }
.choices { max-height: 14rem; overflow: auto; padding: 3px; }
.choices button { display: flex; justify-content: space-between; gap: 0.5rem; width: 100%; text-align: left; border-color: transparent; color: var(--text); overflow-wrap: anywhere; }
.choices button:hover { border-color: var(--line); }
.choices [aria-current] { background: var(--chosen); border-color: var(--accent); }
.choices .detail { white-space: nowrap; }
.names { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; overflow-wrap: anywhere; }
.lines { font-size: 0.85rem; max-height: 10rem; overflow: auto; overflow-wrap: anywhere; }
.feed { max-height: 75vh; overflow: auto; }
.feed > li { border-top: 1px solid var(--line); padding: 0.4rem 0; }
.head { display: flex; flex-wrap: wrap; gap: 0 0.6rem; margin: 0; align-items: baseline; overflow-wrap: anywhere; }
.badge { border: 1px solid var(--line); border-radius: 1rem; padding: 0 0.5rem; font-size: 0.75rem; }
pre { margin: 0.15rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 0.85rem/1.4 ui-monospace, monospace; max-height: 12rem; overflow: auto; }
time { font-variant-numeric: tabular-nums; color: var(--soft); font-size: 0.85rem; font-weight: normal; }
code { font: 0.85rem ui-monospace, monospace; }
.scroll { overflow: auto; max-height: 60vh; }
table { border-collapse: collapse; width: 100%; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.2rem 0.75rem 0.2rem 0; border-top: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
tbody th { font-weight: normal; }
thead th { position: sticky; top: 0; background: var(--card); border: 0; color: var(--soft); font-weight: normal; }
td code, th code { display: block; max-width: 26rem; overflow: hidden; text-overflow: ellipsis; line-height: 1.6; }
#tokens code, #feeds code { max-width: 6rem; }
#requests code { max-width: none; white-space: normal; overflow-wrap: anywhere; }
#traffic-section .scroll { max-height: 80vh; }
details[open] summary code { display: none; }
summary::after { content: " less"; display: none; }
details[open] summary::after { display: inline; }
summary { cursor: pointer; list-style: none; }
summary::before { content: "▸ "; }
details[open] summary::before { content: "▾ "; }
summary code { display: inline; }
#tokens td:last-child { white-space: normal; }
#requests tr { display: flex; flex-wrap: wrap; gap: 0 0.75rem; border-top: 1px solid var(--line); padding: 0.25rem 0; }
#requests th, #requests td { border: 0; padding: 0; }
#requests td:last-child { flex-basis: 100%; min-width: 0; }
[aria-labelledby=requests-caption] thead { position: absolute; clip-path: inset(50%); }
@media (min-width: 760px) {
  main { grid-template-columns: minmax(15rem, 20rem) minmax(0, 1fr); grid-template-areas: "list events" "network events" "access traffic" "data data"; grid-template-rows: auto 1fr; }
  #list-section { grid-area: list; }
  #events-section, #messages-section { grid-area: events; }
  #traffic-section { grid-area: traffic; }
  #network-section { grid-area: network; }
  #access-section, #pod-section { grid-area: access; }
  #data-section { grid-area: data; }
}
@media (min-width: 1300px) {
  main { grid-template-columns: minmax(15rem, 19rem) minmax(0, 1fr) minmax(0, 1fr); grid-template-areas: "list events traffic" "network events traffic" "access data data"; }
}
`
