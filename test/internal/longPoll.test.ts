/** One long poll, decided by a pure function: each line of its table, and what holds after any inputs. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Retry from "effect-herald/Retry"
import * as LongPoll from "../../src/internal/longPoll.ts"

type State = LongPoll.State<number, string>
type Input = LongPoll.Input<number, string>
type Command = LongPoll.Command<number, string>
type Facts = LongPoll.Facts<number>

const rules: LongPoll.Rules = { retention: 600_000, patience: 55_000 }

const at = (millis: number): LongPoll.Moment => ({ wall: 1_000_000 + millis, steady: 5_000 + millis })

const base: Facts = {
  cursor: 7,
  link: { _tag: "Up" },
  heardAt: at(0),
  servedAt: 2_000_000,
  unheard: 0,
  attempts: 0,
  renewed: false,
  emptyPages: 0,
  cuts: undefined,
  owing: false
}

const facts = (changes: Partial<Facts> = {}): Facts => ({ ...base, ...changes })

const down = { _tag: "Down", since: at(-1_000) } as const
const isNew = { _tag: "New" } as const

const ready = (changes: Partial<Facts> = {}): State => ({ _tag: "Ready", facts: facts(changes) })
const proving = (why: LongPoll.Proof, changes: Partial<Facts> = {}): State => ({
  _tag: "Proving",
  why,
  facts: facts(changes)
})
const polling = (changes: Partial<Facts> = {}, patience = rules.patience): State => ({
  _tag: "Polling",
  sentAt: at(0),
  patience,
  facts: facts(changes)
})
const deciding = (denied = false, changes: Partial<Facts> = {}): State => ({
  _tag: "Deciding",
  failure: "boom",
  denied,
  facts: facts({ attempts: 1, link: down, ...changes })
})
const pausing = (why: "failure" | "denied" | "empty", changes: Partial<Facts> = {}): State => ({
  _tag: "Pausing",
  why,
  facts: facts(changes)
})
const off: State = { _tag: "Off", facts: facts({ link: down }) }
const ended: State = { _tag: "Ended", facts: facts({ link: down }) }

const nameOf = (state: State) => "why" in state ? `${state._tag} ${state.why}` : state._tag

const wanted = (millis = 10): Input => ({ _tag: "Wanted", at: at(millis) })
const renamed = (millis = 10): Input => ({ _tag: "Renamed", at: at(millis) })
const answered = (
  millis = 10,
  servedAt: number | undefined = base.servedAt! + millis,
  missing = false
): Input => ({
  _tag: "Answered",
  cursor: 7,
  now: 9,
  servedAt,
  missing,
  sentAt: at(millis),
  at: at(millis)
})
const polled = (millis = 10, changes: Partial<Extract<Input, { _tag: "Polled" }>> = {}): Input => ({
  _tag: "Polled",
  next: 8,
  servedAt: base.servedAt! + millis,
  soon: millis < 1_000,
  fresh: true,
  at: at(millis),
  ...changes
})
const failed = (millis = 10, changes: Partial<Extract<Input, { _tag: "Failed" }>> = {}): Input => ({
  _tag: "Failed",
  failure: "boom",
  denied: false,
  renewed: false,
  at: at(millis),
  ...changes
})
const silent = (millis = 55_000): Input => ({ _tag: "Silent", at: at(millis) })
const retry: Input = { _tag: "Retry", millis: 500 }
const gaveUp: Input = { _tag: "GaveUp" }
const woke: Input = { _tag: "Woke", at: at(10) }
const renewed: Input = { _tag: "Renewed" }
const switchedOff: Input = { _tag: "SwitchedOff" }
const switchedOn: Input = { _tag: "SwitchedOn" }

const handshake = (why: LongPoll.Proof): Command => ({ _tag: "Handshake", why })
const cut: Command = { _tag: "Cut" }
const forget: Command = { _tag: "Forget" }
const ask: Command = { _tag: "Ask", failure: "boom" }
const poll = (patience = rules.patience): Command => ({ _tag: "Poll", from: 7, patience })
const connected: Command = { _tag: "TellConnected", cursor: 7 }
const reconnected = (downFor: number): Command => ({ _tag: "TellReconnected", cursor: 7, downFor })
const gap: Command = { _tag: "TellBreak", from: 7, to: 9 }

const longAgo = at(-rules.retention - 1)

type Line = readonly [
  name: string,
  state: State,
  input: Input,
  next: State["_tag"],
  commands: ReadonlyArray<Command>,
  changes?: Partial<Facts>
]

const table: ReadonlyArray<Line> = [
  // --- Ready
  ["Ready, wanted before the first answer", ready({ link: isNew }), wanted(), "Proving", [handshake("start")]],
  ["Ready, wanted while down", ready({ link: down }), wanted(), "Proving", [handshake("start")]],
  ["Ready, wanted without a cursor", ready({ cursor: undefined }), wanted(), "Proving", [handshake("start")]],
  [
    "Ready, wanted after a time without a poll beyond the retention",
    ready({ heardAt: longAgo }),
    wanted(0),
    "Proving",
    [
      handshake("break")
    ]
  ],
  ["Ready, wanted after exactly the retention", ready({ heardAt: at(-rules.retention) }), wanted(0), "Polling", [
    poll()
  ], { unheard: rules.retention }],
  ["Ready, wanted", ready(), wanted(), "Polling", [poll()], { unheard: 10 }],
  ["Ready, wanted after a longer time without a poll", ready({ unheard: 90 }), wanted(), "Polling", [poll()], {
    unheard: 90
  }],
  ["Ready, renamed", ready(), renamed(), "Proving", [handshake("names")]],
  ["Ready, renamed before the first answer", ready({ link: isNew }), renamed(), "Proving", [handshake("start")]],
  ["Ready, renamed while down", ready({ link: down }), renamed(), "Proving", [handshake("start")]],
  // --- Proving
  ["Proving, answered for the first time", proving("start", { link: isNew, cursor: undefined }), answered(), "Ready", [
    connected
  ], { cursor: 7, link: { _tag: "Up" }, heardAt: at(10) }],
  ["Proving, answered while down", proving("failure", { link: down, attempts: 3 }), answered(), "Ready", [
    reconnected(1_010)
  ], { link: { _tag: "Up" }, attempts: 3 }],
  ["Proving, answered again", proving("names"), answered(), "Ready", []],
  ["Proving, answered after silence in a row of failures", proving("silence", { attempts: 2 }), answered(), "Ready", [
    forget
  ], {
    attempts: 0,
    servedAt: base.servedAt! + 10
  }],
  ["Proving, answered after a failure keeps the row", proving("failure", { attempts: 2 }), answered(), "Ready", [], {
    attempts: 2
  }],
  ["Proving, answered after a break by this machine", proving("break", { heardAt: longAgo }), answered(0), "Ready", [
    gap
  ], {
    heardAt: at(0)
  }],
  [
    "Proving, answered after a break by the service alone",
    proving("failure"),
    answered(10, base.servedAt! + rules.retention + 1),
    "Ready",
    [gap],
    { heardAt: at(10), servedAt: base.servedAt! + rules.retention + 1 }
  ],
  [
    "Proving, answered just before a break by the service",
    proving("failure"),
    answered(10, base.servedAt! + rules.retention),
    "Ready",
    []
  ],
  [
    "Proving, answered after silence, which counts as listening",
    proving("silence"),
    answered(10, base.servedAt! + rules.retention + rules.patience),
    "Ready",
    [],
    { servedAt: base.servedAt! + rules.retention + rules.patience }
  ],
  [
    "Proving, answered after silence and a break",
    proving("silence"),
    answered(10, base.servedAt! + rules.retention + rules.patience + 1),
    "Ready",
    [gap],
    { heardAt: at(10), servedAt: base.servedAt! + rules.retention + rules.patience + 1 }
  ],
  [
    "Proving, answered after a long time without a poll before the last one",
    proving("failure", { unheard: rules.retention + 1 }),
    answered(),
    "Ready",
    [gap],
    { heardAt: at(10), unheard: 0, servedAt: base.servedAt! + 10 }
  ],
  [
    "Proving, answered with messages before the cursor still to read",
    proving("start", { owing: true, link: isNew }),
    answered(),
    "Ready",
    [
      connected,
      gap
    ],
    { owing: false, link: { _tag: "Up" }, heardAt: at(10), servedAt: base.servedAt! + 10 }
  ],
  [
    "Proving, answered while down and after a break",
    proving("failure", { link: down, heardAt: longAgo }),
    answered(0),
    "Ready",
    [reconnected(1_000), gap],
    { link: { _tag: "Up" }, heardAt: at(0) }
  ],
  [
    "Proving, answered without an earlier time of the service",
    proving("break", { servedAt: undefined }),
    answered(10),
    "Ready",
    [],
    {
      servedAt: base.servedAt! + 10
    }
  ],
  ["Proving, failed", proving("start"), failed(), "Deciding", [ask], {
    attempts: 1,
    link: { _tag: "Down", since: at(0) }
  }],
  ["Proving, failed before the first answer", proving("start", { link: isNew }), failed(), "Deciding", [ask], {
    attempts: 1
  }],
  ["Proving, failed again", proving("failure", { link: down, attempts: 1 }), failed(), "Deciding", [ask], {
    attempts: 2
  }],
  [
    "Proving, refused for a credential that was replaced",
    proving("start"),
    failed(10, { denied: true, renewed: true }),
    "Proving",
    [handshake("failure")],
    { renewed: true }
  ],
  ["Proving, refused", proving("start"), failed(10, { denied: true }), "Deciding", [ask], {
    attempts: 1,
    link: { _tag: "Down", since: at(0) }
  }],
  [
    "Proving, failed with a replaced credential, but not refused",
    proving("start"),
    failed(10, { renewed: true }),
    "Deciding",
    [ask],
    {
      attempts: 1,
      link: { _tag: "Down", since: at(0) }
    }
  ],
  [
    "Proving, refused again after another credential was tried",
    proving("failure", { renewed: true, link: down }),
    failed(10, { denied: true, renewed: true }),
    "Deciding",
    [ask],
    { attempts: 1 }
  ],
  [
    "Proving, answered after another credential was tried",
    proving("failure", { renewed: true }),
    answered(),
    "Ready",
    []
  ],
  // --- Polling
  ["Polling, polled after another credential was tried", polling({ renewed: true }), polled(), "Ready", [], {
    cursor: 8,
    heardAt: at(10),
    servedAt: base.servedAt! + 10,
    renewed: false
  }],
  [
    "Polling, empty after another credential was tried",
    polling({ renewed: true, emptyPages: 1 }),
    polled(10, { fresh: false }),
    "Pausing",
    [
      { _tag: "Pause", millis: 500 }
    ],
    { cursor: 8, heardAt: at(10), servedAt: base.servedAt! + 10, emptyPages: 2 }
  ],
  [
    "Polling, silent after another credential was tried",
    polling({ renewed: true }),
    silent(),
    "Proving",
    [cut, handshake("silence")],
    { renewed: false }
  ],
  [
    "Polling, renamed after another credential was tried",
    polling({ renewed: true }),
    renamed(),
    "Proving",
    [cut, handshake("names")],
    { renewed: false }
  ],
  [
    "Polling, held after another credential was tried",
    polling({ renewed: true, link: down }),
    failed(LongPoll.held),
    "Deciding",
    [
      ask
    ],
    { attempts: 1, renewed: false, cuts: { held: LongPoll.held, times: 1, isProven: false } }
  ],
  ["Polling, polled", polling(), polled(), "Ready", [], { cursor: 8, heardAt: at(10), servedAt: base.servedAt! + 10 }],
  ["Polling, polled in a row", polling({ attempts: 2, unheard: 9 }), polled(), "Ready", [forget], {
    cursor: 8,
    heardAt: at(10),
    servedAt: base.servedAt! + 10,
    attempts: 0,
    unheard: 0
  }],
  [
    "Polling, an old page",
    polling(),
    polled(10, { servedAt: 5 }),
    "Ready",
    [],
    { cursor: 8, heardAt: at(10) }
  ],
  ["Polling, a page without a time", polling(), polled(10, { servedAt: undefined }), "Ready", [], {
    cursor: 8,
    heardAt: at(10)
  }],
  [
    "Polling, a page after the machine slept with its clock set back",
    polling(),
    polled(10, { servedAt: base.servedAt! + 10 + rules.retention + 1 }),
    "Ready",
    [{ _tag: "TellBreak", from: 7, to: 8 }],
    { cursor: 8, heardAt: at(10), servedAt: base.servedAt! + 10 + rules.retention + 1 }
  ],
  [
    "Polling, a page after exactly the retention",
    polling(),
    polled(10, { servedAt: base.servedAt! + 10 + rules.retention }),
    "Ready",
    [],
    { cursor: 8, heardAt: at(10), servedAt: base.servedAt! + 10 + rules.retention }
  ],
  ["Polling, answered later than any timer", polling(), polled(65_001), "Ready", [], {
    cursor: 8,
    heardAt: at(0),
    servedAt: base.servedAt! + 65_001
  }],
  ["Polling, answered at the last moment that a timer allows", polling(), polled(65_000), "Ready", [], {
    cursor: 8,
    heardAt: at(65_000),
    servedAt: base.servedAt! + 65_000
  }],
  ["Polling, the first empty page", polling(), polled(10, { fresh: false }), "Ready", [], {
    cursor: 8,
    heardAt: at(10),
    servedAt: base.servedAt! + 10,
    emptyPages: 1
  }],
  [
    "Polling, the second empty page in a row",
    polling({ emptyPages: 1 }),
    polled(10, { fresh: false }),
    "Pausing",
    [{ _tag: "Pause", millis: 500 }],
    { cursor: 8, heardAt: at(10), servedAt: base.servedAt! + 10, emptyPages: 2 }
  ],
  [
    "Polling, the fourth empty page, in a row",
    polling({ emptyPages: 3, attempts: 2 }),
    polled(10, { fresh: false }),
    "Pausing",
    [{ _tag: "Pause", millis: 2_000 }],
    { cursor: 8, heardAt: at(10), servedAt: base.servedAt! + 10, emptyPages: 4, attempts: 2 }
  ],
  [
    "Polling, one more empty page after many",
    polling({ emptyPages: 30 }),
    polled(10, { fresh: false }),
    "Pausing",
    [{ _tag: "Pause", millis: 30_000 }],
    { cursor: 8, heardAt: at(10), servedAt: base.servedAt! + 10, emptyPages: 31 }
  ],
  ["Polling, a page with events after empty ones", polling({ emptyPages: 3 }), polled(), "Ready", [], {
    cursor: 8,
    heardAt: at(10),
    servedAt: base.servedAt! + 10,
    emptyPages: 0
  }],
  ["Polling, an empty page that was held", polling({ emptyPages: 3 }), polled(2_000, { fresh: false }), "Ready", [], {
    cursor: 8,
    heardAt: at(2_000),
    servedAt: base.servedAt! + 2_000,
    emptyPages: 0
  }],
  ["Polling, failed after it was held", polling({ attempts: 2 }), failed(LongPoll.held), "Deciding", [forget, ask], {
    attempts: 1,
    link: { _tag: "Down", since: at(0) },
    cuts: { held: LongPoll.held, times: 1, isProven: false }
  }],
  ["Polling, failed just before that time", polling({ attempts: 2 }), failed(LongPoll.held - 1), "Deciding", [ask], {
    attempts: 3,
    link: { _tag: "Down", since: at(0) },
    cuts: { held: LongPoll.held - 1, times: 1, isProven: false }
  }],
  ["Polling, the first of a row, failed after it was held", polling(), failed(LongPoll.held), "Deciding", [ask], {
    attempts: 1,
    link: { _tag: "Down", since: at(0) },
    cuts: { held: LongPoll.held, times: 1, isProven: false }
  }],
  ["Polling, failed soon", polling({ attempts: 1, link: down }), failed(), "Deciding", [ask], { attempts: 2 }],
  [
    "Polling, cut after the same time as the last one",
    polling({ cuts: { held: 50_000, times: 1, isProven: false } }),
    failed(51_000),
    "Deciding",
    [ask],
    { attempts: 1, link: { _tag: "Down", since: at(0) }, cuts: { held: 50_000, times: 2, isProven: false } }
  ],
  [
    "Polling, cut after another time than the last one",
    polling({ cuts: { held: 50_000, times: 2, isProven: false } }),
    failed(40_000),
    "Deciding",
    [ask],
    { attempts: 1, link: { _tag: "Down", since: at(0) }, cuts: { held: 40_000, times: 1, isProven: false } }
  ],
  [
    "Polling, failed too soon to be a cut",
    polling({ cuts: { held: 50_000, times: 2, isProven: false } }),
    failed(4_999),
    "Deciding",
    [ask],
    { attempts: 1, link: { _tag: "Down", since: at(0) }, cuts: { held: 50_000, times: 2, isProven: false } }
  ],
  ["Polling, cut after the shortest time that counts as a cut", polling(), failed(5_000), "Deciding", [ask], {
    attempts: 1,
    link: { _tag: "Down", since: at(0) },
    cuts: { held: 5_000, times: 1, isProven: false }
  }],
  [
    "Polling, refused for a credential that was replaced",
    polling(),
    failed(10, { denied: true, renewed: true }),
    "Proving",
    [handshake("failure")],
    { renewed: true }
  ],
  ["Polling, silent", polling({ heardAt: at(-5) }), silent(), "Proving", [cut, handshake("silence")], {
    heardAt: at(0)
  }],
  [
    "Polling, renewed before a cut while no poll was answered",
    polling({ heardAt: at(-5), cuts: { held: 50_000, times: 2, isProven: false } }, 48_000),
    silent(48_000),
    "Proving",
    [cut, handshake("silence")]
  ],
  [
    "Polling, renewed before a cut after a poll was answered",
    polling({ heardAt: at(-5), cuts: { held: 50_000, times: 2, isProven: true } }, 48_000),
    silent(48_000),
    "Proving",
    [cut, handshake("silence")],
    { heardAt: at(0) }
  ],
  [
    "Polling, silent for its whole time after polls were cut later",
    polling({ heardAt: at(-5), cuts: { held: 58_000, times: 2, isProven: false } }),
    silent(),
    "Proving",
    [cut, handshake("silence")],
    { heardAt: at(0) }
  ],
  [
    "Polling, renamed while no poll was answered after cuts",
    polling({ heardAt: at(-5), cuts: { held: 50_000, times: 2, isProven: false } }, 48_000),
    renamed(),
    "Proving",
    [cut, handshake("names")]
  ],
  [
    "Polling, polled after cuts",
    polling({ cuts: { held: 50_000, times: 2, isProven: false } }, 48_000),
    polled(),
    "Ready",
    [],
    {
      cursor: 8,
      heardAt: at(10),
      servedAt: base.servedAt! + 10,
      cuts: { held: 50_000, times: 2, isProven: true }
    }
  ],
  [
    "Polling, the second empty page in a row after cuts",
    polling({ emptyPages: 1, cuts: { held: 50_000, times: 2, isProven: false } }, 48_000),
    polled(10, { fresh: false }),
    "Pausing",
    [{ _tag: "Pause", millis: 500 }],
    { cursor: 8, heardAt: at(10), servedAt: base.servedAt! + 10, emptyPages: 2 }
  ],
  [
    "Polling, cut again after a poll was answered",
    polling({ cuts: { held: 50_000, times: 1, isProven: true } }),
    failed(50_000),
    "Deciding",
    [ask],
    { attempts: 1, link: { _tag: "Down", since: at(0) }, cuts: { held: 50_000, times: 2, isProven: false } }
  ],
  [
    "Polling, refused after a time that counts as a cut",
    polling(),
    failed(5_000, { denied: true }),
    "Deciding",
    [ask],
    {
      attempts: 1,
      link: { _tag: "Down", since: at(0) }
    }
  ],
  [
    "Proving after a renewal, answered while no poll was answered after cuts",
    proving("silence", { cuts: { held: 50_000, times: 2, isProven: false } }),
    answered(),
    "Ready",
    []
  ],
  [
    "Proving after a renewal, answered after more than the retention, while no poll was answered after cuts",
    proving("silence", { heardAt: longAgo, cuts: { held: 50_000, times: 2, isProven: false } }),
    answered(0),
    "Ready",
    [gap],
    { heardAt: at(0) }
  ],
  [
    "Proving, answered after messages were missing while no poll was answered after cuts",
    proving("names", { cuts: { held: 50_000, times: 2, isProven: false } }),
    answered(10, base.servedAt, true),
    "Ready",
    [],
    { cuts: undefined }
  ],
  [
    "Proving, answered after messages were missing and a poll was answered after cuts",
    proving("names", { cuts: { held: 50_000, times: 2, isProven: true } }),
    answered(10, base.servedAt, true),
    "Ready",
    []
  ],
  ["Polling, renamed", polling({ heardAt: at(-5) }), renamed(), "Proving", [cut, handshake("names")], {
    heardAt: at(0)
  }],
  [
    "Polling, renamed after it was held",
    polling({ attempts: 2, renewed: true, heardAt: at(-5) }),
    renamed(LongPoll.held),
    "Proving",
    [cut, forget, handshake("names")],
    { attempts: 0, renewed: false, heardAt: at(0) }
  ],
  // --- Deciding
  ["Deciding, again", deciding(), retry, "Pausing", [
    { _tag: "TellInterrupted", failure: "boom", cursor: 7, attempt: 1, retryIn: 500 },
    { _tag: "Pause", millis: 500 }
  ]],
  ["Deciding, given up", deciding(), gaveUp, "Ended", [{ _tag: "End", failure: "boom", cursor: 7, attempts: 1 }]],
  // --- Pausing
  ["Pausing after a failure, woke", pausing("failure"), woke, "Proving", [handshake("failure")]],
  ["Pausing after a refusal, woke", pausing("denied"), woke, "Proving", [handshake("failure")]],
  ["Pausing after empty pages, woke", pausing("empty"), woke, "Ready", []],
  ["Pausing after a refusal, renewed", pausing("denied", { attempts: 2 }), renewed, "Proving", [
    cut,
    forget,
    handshake("failure")
  ], { attempts: 0, renewed: true }],
  [
    "Pausing after the second refusal of a row with another credential",
    pausing("denied", { renewed: true }),
    woke,
    "Proving",
    [
      handshake("failure")
    ]
  ],
  ["Pausing after empty pages, renamed", pausing("empty"), renamed(), "Proving", [cut, handshake("names")]],
  ["Pausing after a failure, switched on", pausing("failure"), switchedOn, "Proving", [cut, handshake("failure")]],
  ["Pausing after a refusal, switched on", pausing("denied"), switchedOn, "Proving", [cut, handshake("failure")]],
  ["Pausing after empty pages, switched on", pausing("empty"), switchedOn, "Proving", [cut, handshake("failure")]],
  // --- Off
  ["Off, switched on", off, switchedOn, "Ready", []],
  ...[ready(), proving("start"), polling(), pausing("failure"), pausing("denied"), pausing("empty")].map((
    state
  ): Line => [
    `${nameOf(state)}, switched off`,
    state,
    switchedOff,
    "Off",
    [cut],
    { link: { _tag: "Down", since: at(0) } }
  ]),
  ["Deciding, switched off", deciding(), switchedOff, "Off", [cut]],
  ["Ready before the first answer, switched off", ready({ link: isNew }), switchedOff, "Off", [cut]]
]

const inputs: ReadonlyArray<Input> = [
  wanted(),
  renamed(),
  answered(),
  polled(),
  failed(),
  silent(),
  retry,
  gaveUp,
  woke,
  renewed,
  switchedOff,
  switchedOn
]

const states: ReadonlyArray<State> = [
  ready(),
  proving("start"),
  polling(),
  deciding(),
  pausing("failure"),
  pausing("denied"),
  pausing("empty"),
  off,
  ended
]

/** The pairs of which the table says something. */
const told = new Set(table.map(([, state, input]) => `${nameOf(state)} ${input._tag}`))
describe("LongPoll.step", () => {
  it.each(table.map((line) => [line[0], line] as const))("%s", (_, line) => {
    const [, state, input, tag, commands, changes = {}] = line
    const before = structuredClone(state)
    const [next, done] = LongPoll.step(rules, state, input)
    assert.strictEqual(next._tag, tag)
    assert.deepStrictEqual(done, commands)
    assert.deepStrictEqual(next.facts, { ...state.facts, ...changes })
    assert.deepStrictEqual(state, before, "nothing is changed in place")
  })

  it("changes nothing for every other pair of state and input", () => {
    let others = 0
    for (const state of states) {
      for (const input of inputs) {
        if (told.has(`${nameOf(state)} ${input._tag}`)) continue
        others++
        const [next, commands] = LongPoll.step(rules, state, input)
        assert.strictEqual(next, state, `${nameOf(state)} ${input._tag}`)
        assert.deepStrictEqual(commands, [])
      }
    }
    assert.isAbove(others, 60)
  })

  it("does not end a pause for a second new credential in the same row", () => {
    const state = pausing("denied", { renewed: true })
    assert.strictEqual(LongPoll.step(rules, state, renewed)[0], state)
  })

  it("keeps the reason of a pause: denied or failed", () => {
    const [decided] = LongPoll.step(rules, polling(), failed(10, { denied: true }))
    const [paused] = LongPoll.step(rules, decided, retry)
    assert.deepInclude({ ...paused }, { _tag: "Pausing", why: "denied" } as object)
    const [other] = LongPoll.step(rules, LongPoll.step(rules, polling(), failed())[0], retry)
    assert.deepInclude({ ...other }, { _tag: "Pausing", why: "failure" } as object)
  })
})

describe("elapsed time", () => {
  it("is the larger of both clocks' times, and never negative", () => {
    const from = { wall: 1_000, steady: 1_000 }
    assert.strictEqual(LongPoll.elapsed(from, { wall: 1_500, steady: 1_100 }), 500)
    assert.strictEqual(LongPoll.elapsed(from, { wall: 400, steady: 1_100 }), 100)
    assert.strictEqual(LongPoll.elapsed(from, { wall: 400, steady: 900 }), 0)
  })

  it.each(
    [
      ["by the wall clock", { wall: base.heardAt.wall + 600_001, steady: base.heardAt.steady }],
      ["by the monotonic clock, the wall clock set back", { wall: 0, steady: base.heardAt.steady + 600_001 }]
    ] as const
  )("finds a break %s", (_, now) => {
    assert.deepStrictEqual(LongPoll.step(rules, ready(), { _tag: "Wanted", at: now })[1], [handshake("break")])
    const [, commands] = LongPoll.step(rules, proving("failure"), {
      _tag: "Answered",
      cursor: 7,
      now: 9,
      servedAt: undefined,
      sentAt: now,
      at: now
    })
    assert.deepStrictEqual(commands, [gap])
  })

  it("repeats the handshake when the machine slept before it read the answer", () => {
    const woken = { wall: base.heardAt.wall + 28_800_000, steady: base.heardAt.steady + 20 }
    const [state] = LongPoll.step(rules, proving("failure"), {
      _tag: "Answered",
      cursor: 7,
      now: 9,
      servedAt: base.servedAt! + 10,
      sentAt: at(10),
      at: woken
    })
    assert.deepStrictEqual(LongPoll.step(rules, state, { _tag: "Wanted", at: woken })[1], [handshake("break")])
  })

  it("finds no break in 200 silent polls of a quiet channel", () => {
    let state: State = ready()
    let now = 0
    for (let n = 0; n < 200; n++) {
      state = LongPoll.step(rules, state, wanted(now))[0]
      now += 55_000
      state = LongPoll.step(rules, state, silent(now))[0]
      const [next, commands] = LongPoll.step(rules, state, answered(now + 20, base.servedAt! + now + 20))
      assert.deepStrictEqual(commands, [])
      state = next
    }
  })
})

describe("LongPoll.held", () => {
  it.effect("is the longest pause of the default schedule", () =>
    Effect.gen(function*() {
      const next = yield* Schedule.toStep(Retry.reconnect)
      const pauses: Array<number> = []
      for (let n = 0; n < 500; n++) pauses.push(Duration.toMillis((yield* Effect.orDie(next(0, undefined)))[1]))
      assert.isAtMost(Math.max(...pauses), LongPoll.held)
      assert.isAbove(Math.max(...pauses), 0.9 * LongPoll.held)
    }))
})

describe("polls behind a proxy that cuts idle connections", () => {
  const cutAfter = (...times: ReadonlyArray<number>): State => {
    let state = ready()
    let now = 0
    for (const time of times) {
      state = LongPoll.step(rules, state, wanted(now))[0]
      now += time
      state = LongPoll.step(rules, state, failed(now))[0]
      state = LongPoll.step(rules, state, retry)[0]
      now += 500
      state = LongPoll.step(rules, state, { _tag: "Woke", at: at(now) })[0]
      now += 10
      state = LongPoll.step(rules, state, answered(now, base.servedAt! + now))[0]
    }
    return LongPoll.step(rules, state, wanted(now))[0]
  }

  it.each(
    [
      [[50_000], 55_000],
      [[50_000, 50_000], 48_000],
      [[20_000, 20_500], 19_000],
      [[20_500, 20_000], 19_000],
      [[30_000, 31_100], 28_800],
      [[50_000, 20_000], 55_000],
      [[50_000, 20_000, 50_000], 55_000],
      [[50_000, 20_000, 20_000], 19_000],
      [[50_000, 50_000, 10, 20], 48_000],
      [[58_000, 58_000], 55_000],
      [[30_000, 31_300], 55_000]
    ] as const
  )("after cuts at %o ms have a patience of %i ms", (times, patience) => {
    const state = cutAfter(...times)
    assert.strictEqual(state._tag === "Polling" && state.patience, patience)
  })
})

describe("LongPoll.step with random inputs", () => {
  // Cheaper than an assertion that holds.
  const check = (holds: boolean, rule: string) => {
    if (!holds) assert.fail(rule)
  }

  const random = (seed: number) => {
    let state = seed
    return () => {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0
      return (state >>> 8) / 2 ** 24
    }
  }

  it("has at most one operation in flight, and emits events that fit together", () => {
    const next = random(42)
    let now = 0
    let served = base.servedAt!
    let state: State = LongPoll.start<number, string>(undefined, at(0))
    let flights = 0
    let tries = 1
    let ignored = 0
    const met = new Set<string>()
    for (let n = 0; n < 100_000; n++) {
      if (state._tag === "Ended") {
        state = LongPoll.start<number, string>(n % 2 === 0 ? undefined : n, at(now), n % 3 === 0 ? served : undefined)
        flights = 0
        tries = 1
      }
      const passed = Math.floor(next() ** 6 * 800_000)
      now += passed
      served += Math.floor(passed * (next() < 0.02 ? 3 : 1))
      const chosen: Input | undefined = inputs[Math.floor(next() * inputs.length)]
      const input: Input = "at" in chosen! ? { ...chosen, at: at(now) } : chosen!
      const given: Input = input._tag === "Polled"
        ? { ...input, next: n, fresh: next() < 0.5, soon: next() < 0.5, servedAt: next() < 0.9 ? served : undefined }
        : input._tag === "Answered"
        ? { ...input, cursor: n, now: n + 1, sentAt: at(now), servedAt: next() < 0.9 ? served : undefined }
        : input._tag === "Failed"
        ? { ...input, denied: next() < 0.3, renewed: next() < 0.3 }
        : input
      const before: State = state
      const [after, commands]: LongPoll.Next<number, string> = LongPoll.step(rules, before, given)
      met.add(`${before._tag} ${given._tag}`)
      if (after === before) {
        ignored++
        check(commands.length === 0, "an input that is ignored commands nothing")
        continue
      }
      // What an input of a flight ends is over; any other has to cut it.
      const ends = ["Answered", "Polled", "Failed", "Retry", "GaveUp", "Woke"].includes(given._tag)
      if (ends || commands.some(({ _tag }) => _tag === "Cut")) flights = 0
      for (const command of commands) {
        switch (command._tag) {
          case "Handshake":
          case "Poll":
            tries++
            flights++
            break
          case "Ask":
          case "Pause":
            flights++
            break
          case "TellInterrupted":
            check(tries > 0, "a try lies between two of them")
            tries = 0
            check(command.attempt >= 1, "attempts are counted from 1")
            break
          case "TellReconnected":
            check(before.facts.link._tag === "Down", "only what was down comes back")
            check(command.downFor >= 0, "it was down for a time")
            break
          case "TellConnected":
            check(before.facts.link._tag === "New", "it connects once")
            break
          case "TellBreak":
            check(after.facts.unheard === 0, "a break is told once")
            break
          case "Cut":
          case "Forget":
          case "End":
        }
      }
      check(flights <= 1, "one thing is in flight")
      const inFlight = commands.findIndex(({ _tag }) => ["Handshake", "Poll", "Ask", "Pause"].includes(_tag))
      check(inFlight === -1 || inFlight === commands.length - 1, "it is the last command")
      check(["Ready", "Off", "Ended"].includes(after._tag) === (inFlight === -1), "nothing is forgotten")
      state = after
    }
    assert.isAbove(ignored, 10_000)
    assert.strictEqual(met.size, 6 * inputs.length)
  })

  it("emits Reconnected only after Interrupted or SwitchedOff", () => {
    const next = random(7)
    for (let round = 0; round < 500; round++) {
      let state: State = LongPoll.start<number, string>(undefined, at(0))
      let down = false
      let now = 0
      for (let n = 0; n < 60; n++) {
        now += Math.floor(next() * 70_000)
        const options: ReadonlyArray<Input> = state._tag === "Polling"
          ? [polled(now, { next: n }), failed(now), silent(now), renamed(now), switchedOff]
          : state._tag === "Proving"
          ? [answered(now), failed(now)]
          : state._tag === "Deciding"
          ? [retry]
          : state._tag === "Pausing"
          ? [{ _tag: "Woke", at: at(now) }, renewed]
          : state._tag === "Off"
          ? [switchedOn]
          : [wanted(now)]
        const input = options[Math.floor(next() * options.length)]!
        const [after, commands]: LongPoll.Next<number, string> = LongPoll.step(rules, state, input)
        for (const { _tag } of commands) {
          if (_tag === "TellReconnected") {
            assert.isTrue(down)
            down = false
          }
          if (_tag === "TellInterrupted") down = true
        }
        if (after._tag === "Off") down = after.facts.link._tag === "Down"
        if (after._tag === "Deciding") down = after.facts.link._tag === "Down"
        state = after
      }
    }
  })
})
