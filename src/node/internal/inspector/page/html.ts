/** The HTML that both pages have in common. */

/** A part of the page, which screen readers list by its title. */
export const section = (id: string, title: string, content: string): string =>
  `<section id="${id}-section" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${content}</section>`

/** A table that is hidden while it has no rows. Its roles are written out, as the style shows rows as blocks. */
export const table = (id: string, title: string, columns: ReadonlyArray<string>, none: string): string =>
  `<h3 id="${id}-caption">${title}</h3>` +
  `<p class="none" data-empty="${id}">${none}</p>` +
  `<div class="scroll" role="region" aria-labelledby="${id}-caption" tabindex="0" hidden><table role="table" aria-labelledby="${id}-caption">` +
  `<thead role="rowgroup"><tr role="row">${
    columns.map((column) => `<th role="columnheader">${column}</th>`).join("")
  }</tr></thead>` +
  `<tbody role="rowgroup" id="${id}"></tbody></table></div>`

const network = (restarted: string): string =>
  section(
    "network",
    "Network",
    `<form id="latency-form"><label>Latency to add to each answer, in milliseconds
<input name="millis" type="number" min="0" max="600000" value="0" required></label>
<button>Set latency</button><p class="detail">Now: <span id="latency-now">none</span></p></form>
<form id="fault-form"><label class="wide">Fault <select id="fault" name="fault" required></select></label>
<label>Hits <select id="fault-on" name="on"></select></label>
<label>How often <input name="times" type="number" min="1" max="1000000" value="1" required></label>
<button>Inject fault</button></form>
<form id="seed-form"><label>Seed of random faults <input name="seed" type="number" value="1" required></label>
<label>Share of requests, in percent <input name="rate" type="number" min="0" max="100" value="10" required></label>
<button>Restart with seed</button></form>
<p class="detail">Now: <span id="chance-now">none</span></p>
<p class="detail">${restarted}</p>
<p class="buttons"><button type="button" id="heal">Remove all faults</button>
<button type="button" id="drop">Drop connections</button></p>
<h3>Injected faults</h3><p class="none" data-empty="injected">None so far.</p><ol id="injected" class="lines" role="list"></ol>`
  )

const requests = section(
  "traffic",
  "Requests",
  table("requests", "The newest 200", ["Time (UTC)", "Method", "Status", "Took", "Address"], "None so far.")
)

/** A whole page. */
export const document = (title: string, waiting: string, parts: {
  /** The list of channels or streams, and what comes to them. */
  readonly main: string
  /** The rest. */
  readonly more: string
}): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="inspector.css">
<script type="module" src="inspector.js"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<h1>${title}</h1>
<p><span id="connection" role="status">Connecting …</span> <span id="readers" class="detail"></span> <span id="keys" class="detail"></span></p>
<p id="outcome"></p>
<p id="announcement" class="unseen" role="status" aria-live="polite"></p>
</header>
<main id="content" tabindex="-1">
${parts.main}
${requests}
${network(waiting)}
${parts.more}
</main>
</body>
</html>
`
