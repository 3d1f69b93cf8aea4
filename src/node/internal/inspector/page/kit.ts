/** What the pages of both inspectors have in common. It runs in a browser, and uses nothing from outside of this function. */
import type { Network } from "../inspector.ts"

export const kit = () => {
  const byId = (id: string): HTMLElement => {
    const element = document.getElementById(id)
    if (element === null) throw new Error(`the page has no #${id}`)
    return element
  }

  /** An element with text. Text from outside is never read as HTML. */
  const element = <K extends keyof HTMLElementTagNameMap>(
    tag: K,
    text = "",
    className = ""
  ): HTMLElementTagNameMap[K] => {
    const made = document.createElement(tag)
    made.textContent = text
    if (className !== "") made.className = className
    return made
  }

  const withChildren = <E extends HTMLElement>(parent: E, ...children: ReadonlyArray<Node>): E => {
    parent.append(...children)
    return parent
  }

  const setText = (id: string, text: string) => {
    const found = byId(id)
    if (found.textContent !== text) found.textContent = text
  }

  /** What each row was made from. */
  const made = new WeakMap<Element, { readonly key: string; readonly text: string }>()

  /** Shows items as rows. A row that is still the same stays as it is, so that it keeps the focus and a selection. */
  const fill = <A>(
    parent: HTMLElement,
    items: ReadonlyArray<A>,
    keyOf: (item: A) => string,
    build: (item: A) => HTMLElement
  ) => {
    const shown = [...parent.children]
    const before = new Map(shown.map((row) => [made.get(row)?.key, row]))
    const rows = items.map((item) => {
      const [key, text] = [keyOf(item), JSON.stringify(item)]
      const old = before.get(key)
      if (old !== undefined && made.get(old)?.text === text) return old
      const row = build(item)
      made.set(row, { key, text })
      return row
    })
    const kept = new Set<Element>(rows)
    const hadFocus = shown.findIndex((row) => !kept.has(row) && row.contains(document.activeElement))
    for (const row of shown) if (!kept.has(row)) row.remove()
    let next = parent.firstElementChild
    for (const row of rows) {
      if (row === next) next = next.nextElementSibling
      else parent.insertBefore(row, next)
    }
    if (hadFocus >= 0) {
      const row = parent.children[Math.min(hadFocus, parent.children.length - 1)]
      const inside = row?.matches("button") === true ? row : row?.querySelector("button")
      if (inside instanceof HTMLElement) inside.focus()
    }
    const empty = parent.closest("section")?.querySelector(`[data-empty="${parent.id}"]`)
    if (empty instanceof HTMLElement) empty.hidden = items.length > 0
  }

  /** Shows items as rows of a table. A cell is text or an element. */
  const fillTable = <A>(
    id: string,
    items: ReadonlyArray<A>,
    keyOf: (item: A) => string,
    cells: (item: A) => ReadonlyArray<string | HTMLElement>
  ) => {
    const body = byId(id)
    fill(body, items, keyOf, (item) => {
      const row = element("tr")
      row.setAttribute("role", "row")
      for (const [index, cell] of cells(item).entries()) {
        const data = element(index === 0 ? "th" : "td")
        data.setAttribute("role", index === 0 ? "rowheader" : "cell")
        data.append(cell)
        row.append(data)
      }
      return row
    })
    const frame = body.closest(".scroll")
    if (frame instanceof HTMLElement) frame.hidden = items.length === 0
  }

  /** Shows choices in a list, once. */
  const fillSelect = (id: string, choices: ReadonlyArray<string>, first?: string) => {
    const select = byId(id)
    if (select.children.length > 0) return
    if (first !== undefined) select.append(Object.assign(element("option", first), { value: "" }))
    for (const choice of choices) select.append(Object.assign(element("option", choice), { value: choice }))
  }

  const fillDatalist = (id: string, choices: ReadonlyArray<string>) =>
    fill(byId(id), choices, (choice) => choice, (choice) => Object.assign(element("option"), { value: choice }))

  /** Hours, minutes, seconds and milliseconds in UTC. */
  const clock = (millis: number): HTMLElement => {
    const iso = new Date(millis).toISOString()
    const time = element("time", iso.slice(11, 23))
    time.dateTime = iso
    time.title = iso
    return time
  }

  /** Tells people who do not see the page. */
  const announce = (text: string) => {
    byId("announcement").textContent = text
  }

  /** Sends a command, and says what came of it. */
  const send = async (command: string, input: object, done: string): Promise<boolean> => {
    const outcome = byId("outcome")
    const show = (text: string, failed: boolean) => {
      outcome.className = failed ? "failed" : ""
      outcome.textContent = text
      announce(text)
    }
    try {
      const response = await fetch(`do/${command}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(input)
      })
      if (response.ok) {
        show(done, false)
        return true
      }
      const { message }: { readonly message: string } = await response.json()
      show(message, true)
    } catch {
      show("The emulator does not answer.", true)
    }
    return false
  }

  /** The fields of a form by name. A checkbox that is off has none. */
  const onSubmit = (id: string, run: (fields: ReadonlyMap<string, string>, form: HTMLFormElement) => unknown) => {
    const form = byId(id)
    if (!(form instanceof HTMLFormElement)) throw new Error(`#${id} is not a form`)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      const fields = new Map<string, string>()
      for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.set(name, value)
      run(fields, form)
    })
  }

  const button = (text: string, label: string, press: () => unknown): HTMLButtonElement => {
    const made = element("button", text)
    made.type = "button"
    if (label !== text) made.setAttribute("aria-label", label)
    made.addEventListener("click", press)
    return made
  }

  /** The channel or stream in the address of the page. */
  const selected = () => new URLSearchParams(location.hash.slice(1)).get("selected") ?? ""
  let wake = () => {}
  addEventListener("hashchange", () => wake())

  /** Shows another channel or stream. */
  const select = (name: string) => {
    history.replaceState(null, "", name === "" ? location.pathname : `#selected=${encodeURIComponent(name)}`)
    wake()
  }

  const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

  /** Shows the state, and each change of it. */
  const follow = async <State>(show: (state: State, isNew: boolean) => void): Promise<never> => {
    let seen = ""
    let shown: string | undefined
    for (;;) {
      const turn = new AbortController()
      wake = () => turn.abort()
      const name = selected()
      const query = `seen=${seen}${name === "" ? "" : `&selected=${encodeURIComponent(name)}`}`
      let found: { readonly state: State; readonly version: string } | undefined
      try {
        const response = await fetch(`state?${query}`, { signal: turn.signal })
        if (!response.ok) throw new Error(`The emulator answers ${response.status}`)
        if (response.status === 200) found = await response.json()
      } catch {
        if (turn.signal.aborted) continue
        setText("connection", "Disconnected. Trying again …")
        await pause(1000)
        continue
      }
      setText("connection", "Connected")
      if (found !== undefined) {
        seen = found.version
        show(found.state, shown !== name)
        shown = name
      }
      // So that a busy emulator is not asked without a pause.
      await pause(150)
    }
  }

  /** A button of the list of channels or streams. */
  const choice = (name: string, label: string, detail: string, current: string): HTMLElement => {
    const pick = button(label, label, () => select(name))
    if (detail !== "") pick.append(element("span", detail, "detail"))
    if (name === current) pick.setAttribute("aria-current", "true")
    return withChildren(element("li"), pick)
  }

  /** An address as people read it. A long one can be opened. */
  const address = (target: string): HTMLElement => {
    let text = target
    try {
      text = decodeURIComponent(target)
    } catch {
      // It was cut within an escape, or has others. It is shown as it came.
    }
    const most = 120
    if (text.length <= most) return element("code", text)
    const head = withChildren(element("summary"), element("code", `${text.slice(0, most)}…`))
    return withChildren(element("details"), head, element("code", text))
  }

  const fillNetwork = ({ chance, faults, injected, kinds, latencyMillis, requests }: Network) => {
    fillSelect("fault", faults)
    fillSelect("fault-on", kinds, "any request")
    setText("chance-now", chance === undefined ? "none" : `${chance.percent} % of requests, seed ${chance.seed}`)
    setText("latency-now", latencyMillis === 0 ? "none" : `${latencyMillis} ms`)
    fill(
      byId("injected"),
      injected.toReversed().map((text, index) => ({ text, key: `${injected.length - index} ${text}` })),
      ({ key }) => key,
      ({ text }) => withChildren(element("li"), address(text))
    )
    fillTable(
      "requests",
      requests.toReversed(),
      ({ id }) => String(id),
      ({ method, millis, outcome, target, time }) => {
        const status = element(
          "span",
          String(outcome),
          typeof outcome === "number" && outcome < 400 ? "good" : outcome === "waiting" ? "" : "bad"
        )
        return [clock(time), method, status, millis === undefined ? "" : `${millis} ms`, address(target)]
      }
    )
  }

  const numberOf = (fields: ReadonlyMap<string, string>, name: string) => Number(fields.get(name))

  onSubmit("latency-form", (fields) => {
    const millis = numberOf(fields, "millis")
    return send("latency", { millis }, `Each answer comes ${millis} ms later than without this page.`)
  })
  onSubmit("fault-form", (fields) => {
    const [fault, on, times] = [fields.get("fault") ?? "", fields.get("on") ?? "", numberOf(fields, "times")]
    return send(
      "fault",
      { fault, times, ...on === "" ? {} : { on } },
      `${fault} will hit ${times} × ${on === "" ? "any request" : on}.`
    )
  })
  onSubmit("seed-form", (fields) => {
    const [seed, rate] = [numberOf(fields, "seed"), numberOf(fields, "rate") / 100]
    return send("seed", { seed, rate }, `Restarted with seed ${seed}.`)
  })
  byId("heal").addEventListener("click", () => send("heal", {}, "There are no faults any more."))
  byId("drop").addEventListener("click", () => send("drop", {}, "Dropped the connections that waited."))

  return {
    announce,
    button,
    byId,
    choice,
    clock,
    element,
    fill,
    fillDatalist,
    fillNetwork,
    fillTable,
    follow,
    onSubmit,
    select,
    send,
    setText,
    withChildren
  }
}
