/** What may go wrong in a module, as a change of its text, and the direct tests that must find out. */
export interface Mutation {
  readonly name: string
  readonly file: string
  /** Found in the file exactly once. */
  readonly search: string
  readonly replace: string
  readonly tests: ReadonlyArray<string>
}

const of = (
  file: string,
  tests: ReadonlyArray<string>,
  mutations: ReadonlyArray<readonly [name: string, search: string, replace: string]>
): ReadonlyArray<Mutation> => mutations.map(([name, search, replace]) => ({ name, file, search, replace, tests }))

const reading = "src/pubnub/internal/reading"
const tests = "test/pubnub/reading"

export const mutations: ReadonlyArray<Mutation> = [
  ...of("src/internal/longPoll.ts", ["test/internal/longPoll.test.ts"], [
    ["a row ends after 10 seconds", "export const held = 30_000", "export const held = 10_000"],
    ["a cut is one after a second", "const shortestCut = 5_000", "const shortestCut = 1_000"],
    ["cuts differ by much", "held * 0.04)", "held * 0.4)"],
    ["an answer may be later", "const lateness = 10_000", "const lateness = 100_000"],
    [
      "an answer that was read late is of now",
      "facts.link._tag === \"New\" ? sentAt :",
      "facts.link._tag === \"New\" ? at :"
    ],
    [
      "the wall clock is no witness",
      "Math.max(0, to.wall - from.wall, to.steady - from.steady)",
      "Math.max(0, to.steady - from.steady)"
    ],
    [
      "the monotonic clock is no witness",
      "Math.max(0, to.wall - from.wall, to.steady - from.steady)",
      "Math.max(0, to.wall - from.wall)"
    ],
    ["time may be negative", "Math.max(0, to.wall - from.wall", "Math.max(to.wall - from.wall"],
    [
      "a break of exactly the retention",
      "elapsed(facts.heardAt, input.at) > rules.retention",
      "elapsed(facts.heardAt, input.at) >= rules.retention"
    ],
    [
      "a handshake is cut by new names",
      "// New names do not cut it: its answer is true for the names in it.",
      "case \"Renamed\":\n          return prove(facts, \"names\", [{ _tag: \"Cut\" }])"
    ],
    ["a held poll does not end a row", "[{ ...facts, attempts: 0, renewed: false }, ", "[facts, "],
    ["schedules go on after a held poll", "facts.attempts > 0 ? [{ _tag: \"Forget\" }] : []]", "[]]"],
    [
      "a silent poll was heard until its end",
      "prove({ ...facts, renewed: false, heardAt: heardUntil(rules, state) }, \"silence\"",
      "prove({ ...facts, renewed: false, heardAt: input.at }, \"silence\""
    ],
    [
      "one new credential for any number of silent polls",
      "prove({ ...facts, renewed: false, heardAt: heardUntil",
      "prove({ ...facts, heardAt: heardUntil"
    ],
    ["one new credential for any number of new names", "{ ...row, renewed: false, heardAt", "{ ...row, heardAt"],
    ["a silent poll goes on", "\"silence\", [{ _tag: \"Cut\" }])", "\"silence\", [])"],
    [
      "every pause ends with a new credential",
      "return state.why === \"denied\" && !facts.renewed",
      "return !facts.renewed"
    ],
    ["each new credential is tried at once", "if (renewed && denied && !facts.renewed)", "if (renewed && denied)"],
    [
      "each new credential ends a pause",
      "return state.why === \"denied\" && !facts.renewed",
      "return state.why === \"denied\""
    ],
    [
      "new names end every pause",
      "return state.why === \"empty\" ? prove(facts, \"names\"",
      "return true ? prove(facts, \"names\""
    ],
    ["one cut is enough", "cuts.times < 2", "cuts.times < 1"],
    ["all renewed polls were heard", "isListening(rules, facts) ? later(", "true ? later("],
    ["an answered poll proves nothing", "{ ...facts.cuts, isProven: true }", "facts.cuts"],
    [
      "missing messages say nothing about cuts",
      "missing && facts.cuts?.isProven === false ? undefined : facts.cuts",
      "facts.cuts"
    ],
    ["a refusal is a cut", "input.denied ? row.cuts : cutAgain", "false ? row.cuts : cutAgain"],
    ["polls are never renewed", "cuts.times < 2", "cuts.times < 2_000"],
    ["renewed at the cut, not before it", "cuts.held - cutMargin(cuts.held)", "cuts.held"],
    [
      "the longest time unheard is forgotten",
      "const unheard = Math.max(facts.unheard, elapsed(facts.heardAt, at))",
      "const unheard = elapsed(facts.heardAt, at)"
    ],
    ["a late answer says what is now", "heardAt: late ? sentAt : at", "heardAt: at"],
    ["an old page moves the service's time", "Math.max(servedAt, facts.servedAt ?? 0)", "servedAt"],
    [
      "a page is no witness",
      "const isBreak = isBehindBreak(rules, facts, servedAt, at)",
      "const isBreak = false"
    ],
    ["the first empty page pauses", "const proven = emptyPages < 2", "const proven = emptyPages < 1"],
    ["empty pages never pause", "const proven = emptyPages < 2", "const proven = true"],
    ["pauses after empty pages do not grow", "500 * 2 ** (emptyPages - 2)", "500"],
    [
      "pauses after empty pages have no bound",
      "Math.min(500 * 2 ** (emptyPages - 2), 30_000)",
      "500 * 2 ** (emptyPages - 2)"
    ],
    ["a schedule is never reset by a page", "proven && facts.attempts > 0 ? [{ _tag: \"Forget\" }] : []", "[]"],
    ["attempts go on after a page", "attempts: proven ? 0 : facts.attempts", "attempts: facts.attempts"],
    [
      "a replaced credential counts as a failure",
      "if (renewed && denied && !facts.renewed) return",
      "if (false) return"
    ],
    [
      "any failure is tried at once after a renewal",
      "if (renewed && denied && !facts.renewed) return",
      "if (renewed && !facts.renewed) return"
    ],
    ["failures are not counted", "attempts: facts.attempts + 1", "attempts: facts.attempts"],
    ["the service is no witness", "byService - listened > rules.retention", "false"],
    ["silence was not listening", "const listened = wasListening ? rules.patience : 0", "const listened = 0"],
    ["this machine is no witness", "|| byMachine > rules.retention", ""],
    ["what is owed is forgotten", "const isBreak = facts.owing ||", "const isBreak ="],
    ["what is owed is owed for ever", "owing: false,\n      unheard", "owing: facts.owing,\n      unheard"],
    [
      "Connected every time",
      "if (facts.link._tag === \"New\") commands.push",
      "if (facts.link._tag !== \"Down\") commands.push"
    ],
    ["Reconnected is not told", "if (facts.link._tag === \"Down\") {", "if (false) {"],
    [
      "a handshake ends every row",
      "const isQuiet = isSilence && facts.attempts > 0",
      "const isQuiet = facts.attempts > 0"
    ],
    ["a quiet connection keeps its row", "const isQuiet = isSilence && facts.attempts > 0", "const isQuiet = false"],
    ["a break is told again", "unheard: isBreak ? 0 : facts.unheard", "unheard: facts.unheard"],
    ["a handshake moves the service's time", "isBreak || wasListening || facts.servedAt === undefined ?", "true ?"]
  ]),
  ...of("src/internal/pollLoop.ts", ["test/internal/pollLoop.test.ts"], [
    ["an ended turn feeds on", "if (turn === this.turn) this.feed(input)", "this.feed(input)"],
    [
      "a defect of an ended turn is told",
      "if (turn === this.turn) this.service.broken(defect)",
      "this.service.broken(defect)"
    ],
    ["a defect is swallowed", "if (turn === this.turn) this.service.broken(defect)", ""],
    [
      "stopping leaves the request out",
      "this.resume = undefined\n    fiber?.interruptUnsafe()",
      "this.resume = undefined"
    ],
    [
      "what is ignored ends what is in flight",
      "if (next === this.state) return\n    const isRunning",
      "const isRunning"
    ],
    ["a signal stops the loop", "if (isRunning) this.start()", ""],
    ["a signal starts a stopped loop", "if (isRunning) this.start()", "this.start()"],
    ["signals of a tell are lost", "this.signals.push(input)\n      return", "return"],
    [
      "only one signal of a tell",
      "for (let signal = this.signals.shift(); signal !== undefined; signal = this.signals.shift()) this.signal(signal)",
      "const signal = this.signals.shift()\n    if (signal !== undefined) this.signal(signal)"
    ],
    ["schedules are never reset", "this.retries.forget()", ""],
    ["a denied request is never asked about", "this.service.isDenied(failure)\n          ?", "false\n          ?"],
    ["silence is found out late", "const longest = Math.min(5_000, patience)", "const longest = 50_000"],
    ["silence is cut a moment early", "if (left <= 0)", "if (left <= 1_000)"],
    ["the watch looks at the first only", "if (left === undefined) continue", "if (left === undefined) break"]
  ]),
  ...of("src/internal/commits.ts", ["test/internal/commits.test.ts"], [
    ["two saves run at once", "Semaphore.makeUnsafe(1)", "Semaphore.makeUnsafe(2)"]
  ]),
  ...of("src/symphony/internal/feed/feedEvent.ts", ["test/symphony/usual.test.ts"], [
    ["fields beside a message are ignored", "if (Object.keys(content).length > 1) return undefined", ""],
    [
      "an id that is no id stays",
      "if (Result.isFailure(id)) return undefined",
      "if (Result.isFailure(id)) return event"
    ]
  ]),
  ...of("src/pubnub/internal/wire/endpoint.ts", ["test/pubnub/signing.test.ts"], [
    [
      "a wiped secret still signs",
      "if (text === undefined) return Promise.reject(new Error(\"the secret was wiped\"))",
      ""
    ]
  ]),
  ...of("src/internal/eager.ts", ["test/internal/eager.test.ts"], [
    ["a failure is a result", "Exit.isExit(effect) && Exit.isSuccess(effect)", "Exit.isExit(effect)"]
  ]),
  ...of("src/internal/retries.ts", ["test/internal/pollLoop.test.ts", `${tests}/lane.test.ts`], [
    ["a schedule starts afresh each time", "steps.set(schedule, step)", ""],
    ["a schedule is never reset", "forget: () => steps.clear()", "forget: () => {}"]
  ]),
  ...of("src/internal/usual.ts", ["test/internal/usual.test.ts"], [
    ["what restricts a whole is passed over", "  if (ast.checks !== undefined) return undefined\n", ""],
    ["what transforms is passed over", "ast.encoding !== undefined || ", ""],
    ["only the first of two restrictions counts", "|| others.length > 0", ""],
    ["a restriction does not count", "filter.run(json, ast, noOptions) === undefined", "true"],
    ["an array that must have entries may be empty", " && ast.elements.length === 0", ""],
    ["the names of a record are not restricted", "schema.key === Schema.String", "schema.key !== undefined"],
    ["what is absent is JSON", "json === undefined ? unusual : json", "json"],
    [
      "a list is a struct",
      "if (!Predicate.isObject(json)) return unusual",
      "if (typeof json !== \"object\" || json === null) return unusual"
    ],
    ["a record sets its prototype", " || Object.hasOwn(json, \"__proto__\")", ""],
    ["an absent key has a value", "if (value !== undefined) values[name]", "values[name]"]
  ]),
  ...of("src/internal/operation.ts", ["test/internal/operation.test.ts"], [
    ["one code of the connect phase is enough", "causes.every(({ isOf", "causes.some(({ isOf"]
  ]),
  ...of("src/internal/connectFailure.ts", ["test/internal/operation.test.ts"], [
    [
      "no error is of the connect phase",
      "code: undefined, isOfConnectPhase: false",
      "code: undefined, isOfConnectPhase: true"
    ]
  ]),
  ...of(`${reading}/clockCheck.ts`, [`${tests}/clockCheck.test.ts`], [
    ["a quorum of three", "const quorum = 5", "const quorum = 3"],
    ["a first quorum of two", "const firstQuorum = 3", "const firstQuorum = 2"],
    ["back by one minute at most", "const furthestBack = 10 * aMinute", "const furthestBack = aMinute"],
    ["an hour ahead at most", "const aDay = 86_400_000", "const aDay = 3_600_000"],
    ["later than the service", "millis <= latest && ", ""],
    ["a week ahead", "millis <= now + (offset ?? 0) + aDay", "millis <= now + (offset ?? 0) + 7 * aDay"],
    [
      "a handshake may be before where the reader stands",
      "standing === undefined || isExpected ? 0 : notBefore(standing)",
      "0"
    ],
    [
      "what was believed is doubted again",
      "Math.abs(millisOf(position) - now - insisted) <= aMinute",
      "false"
    ],
    ["zero may be right", "if (millis === 0 || doubts", "if (doubts"],
    ["doubts need not be alike", "Math.abs(millis - doubted) <= aMinute", "true"],
    ["a good one does not end doubts", "doubts = 0\n    return { believed: true", "return { believed: true"]
  ]),
  ...of(`${reading}/marks.ts`, [`${tests}/marks.test.ts`], [
    ["two missing ones are not found", "case 2: {", "case 7: {"],
    ["marks are found across two others", "while (at % length > 0) at =", "if (at === -2) at ="],
    ["any sum will do", "return rest === zero ? new Set() : undefined", "return new Set()"],
    [
      "one missing is believed unseen",
      "return marks.includes(rest) ? new Set([rest]) : undefined",
      "return new Set([rest])"
    ]
  ]),
  ...of(`${reading}/had.ts`, [`${tests}/recent.test.ts`], [
    ["sums of siblings tell them apart", "summed: name === id ? mark : Marks.of(id)", "summed: mark"]
  ]),
  ...of(`${reading}/recent.ts`, [`${tests}/recent.test.ts`, `${tests}/ledger.test.ts`], [
    ["an overlap of a second", "export const overlap = 100_000_000n", "export const overlap = 10_000_000n"],
    ["a cursor begins before an old sum", "this.withOldest.find(({ sum: [to] }) => to >= bound)", "this.withOldest[0]"],
    ["a cursor has an old sum", "all.filter(([to]) => to >= bound)", "all"],
    ["sums are not bounded", "summed.length > mostSums ? merged(summed) : summed", "summed"],
    ["there are too many sums for 4 kB", "const mostSums = 13", "const mostSums = 16"],
    ["a sum forgets one", "last), rest.length, sum]", "last), rest.length - 1, sum]"],
    ["what is late is in no sum", "if (certainty !== Had.unsure && this.addToSum(summed, at)) return", ""],
    ["siblings are torn apart", " && Had.atOf(named, seen) !== Had.atOf(named, last)", ""],
    ["marks of an earlier life go while a gap is filled", "!inHistory && ", ""],
    [
      "marks of an earlier life stay for ever",
      "if (this.beforeUntil < bound) this.before.clear()",
      ""
    ],
    [
      "marks of an earlier life go at once",
      "if (this.beforeUntil < bound) this.before.clear()",
      "this.before.clear()"
    ],
    ["marks of an earlier life stay after its next page", "now > this.from ? now : never", "never"],
    ["marks of an earlier life go by a clock that is behind", "now > this.from ? now : never", "now"],
    ["what comes again is named twice", "this.before.delete(mark)", ""],
    ["what comes by two names is named twice", "Had.markOf(this.named, index) === mark", "false"],
    ["unstored ones are summed up", "? isStored", "? () => true"],
    ["a stored one is in a sum of unstored ones", ": isUnsure", ": () => true"],
    ["few are summed up with others", "isCrammed ? 0", "isCrammed ? perSum"],
    ["what is summed up stays named", "Had.joined(others, Had.slice(named, seen))", "named"],
    [
      "others than those that are summed up are forgotten",
      "Had.joined(others, Had.slice(named, seen))",
      "Had.slice(named, seen)"
    ],
    ["the beginning moves", "if (this.birth === \"\") this.birth", "this.birth"],
    ["an old page of the first life is named", "this.birth = this.first = since", "this.birth = since"],
    [
      "an old page of a further life is named",
      "    this.first = since\n    this.from",
      "    this.first = \"\"\n    this.from"
    ],
    ["an old page is named later", "    if (since > this.first) this.first = since\n", ""],
    ["the first tick is of an old page", "if (at < this.first) return", "if (at <= this.first) return"],
    ["each further life has longer cursors", "[...this.before].slice(-mostNamed)", "[...this.before]"],
    [
      "the newest marks of an earlier life are dropped",
      "[...this.before].slice(-mostNamed)",
      "[...this.before].slice(0, mostNamed)"
    ],
    [
      "the oldest marks of an earlier life are in no sum",
      "if (this.before.size <= mostNamed) return this.summed",
      "return this.summed"
    ],
    [
      "the oldest marks of an earlier life are in a sum beside others",
      "({ from }) => from > this.beforeTo)",
      "() => true)"
    ],
    [
      "the oldest marks of an earlier life take the place of later sums",
      "({ from }) => from > this.beforeTo)",
      "() => false)"
    ],
    ["the sum of the oldest marks ends before their run", "end > this.beforeTo ? end : this.beforeTo", "end"],
    ["the sum of the oldest marks ends within another", "end > this.beforeTo ? end : this.beforeTo", "this.beforeTo"],
    [
      "the sum of the oldest marks begins too late",
      "[{ from: this.birth, sum: [end",
      "[{ from: this.beforeTo, sum: [end"
    ],
    ["an earlier life is known by a clock that is behind", "now > position ? now : position", "now"],
    [
      "an earlier life ends when this one begins",
      "now > position ? now : position) + aMinute",
      "now > position ? now : position)"
    ],
    [
      "marks of an earlier life take no room",
      "Had.size(this.named) + this.before.size > mostNamed",
      "Had.size(this.named) > mostNamed"
    ],
    ["one sum for each move", "while (this.named.marks", "if (this.named.marks"],
    [
      "of one time only the last is compared",
      "Had.atOf(this.named, index) === at; index--",
      "index === end - 1; index--"
    ],
    ["what comes late is named in front", "while (end > 0 && Had.atOf(this.named, end - 1) > at) end--", "end = 0"],
    ["what history did not show is summed up first", "shown > enough ? isShown : ", ""],
    ["the end of a sum is not of it", "to < at) + 1", "to <= at) + 1"],
    ["sums do not reach back to what is late", "from: at < from ? at : from", "from"],
    ["each late one is the first of the sums", "from: at < from ? at : from", "from: at"],
    [
      "a sum goes with its last tick",
      "this.summed.filter(({ sum: [to] }) => to >= bound)",
      "this.summed.filter(({ sum: [to] }) => to > bound)"
    ],
    ["what is late comes last", "at > this.newest", "true"],
    [
      "what is between the events of a sum goes before it",
      "Had.atOf(this.named, kept) < since",
      "Had.atOf(this.named, kept) < bound"
    ],
    [
      "a sum begins where the one before it ends",
      "from: Had.atOf(named, first), sum: one",
      "from: after(this.sums.at(-1)?.[0] ?? Had.atOf(named, first)), sum: one"
    ],
    ["a sum of what history showed is of one too few", "shown > enough", "shown >= enough"],
    ["a sum of stored ones is of one too few", ": stored > enough", ": stored >= enough"],
    ["a sum of unstored ones is of one too few", "- stored) <= perSum", "- stored) < perSum"],
    ["names begin before those that were forgotten", "since > this.first ? since : this.first", "since"],
    ["a merged sum begins with its second half", "[{ from: before.from, sum: [to,", "[{ from, sum: [to,"],
    [
      "the sums of an earlier run begin where it did",
      "from: before === undefined ? since : after(before[0])",
      "from: since"
    ],
    ["marks of an earlier life go a tick early", "this.beforeUntil < bound)", "this.beforeUntil <= bound)"],
    ["a cursor begins with its sums", "oldest !== undefined && oldest.from < bound", "oldest !== undefined"],
    [
      "a cursor begins within its sums",
      "oldest.from < bound ? oldest.from : bound",
      "oldest.from < bound ? bound : bound"
    ],
    ["marks of an earlier life stay in cursors after they came again", "this.beforeText = undefined", ""],
    [
      "what is old makes a young sum",
      "part.filter((index) => !this.addToSum(Had.summedOf(named, index), Had.atOf(named, index)))",
      "part"
    ],
    ["merged sums forget one", "Marks.sum([marks, marksBefore])", "marks"],
    ["a reader of a part reads the last tick of the sums", "since: after(last[0]), marks", "since: last[0], marks"]
  ]),
  ...of(`${reading}/generation.ts`, [`${tests}/delivered.test.ts`], [
    ["content is not compared", "Json.equal(this.contents[index], content)", "true"],
    ["the first name is passed over", "name < this.first", "name <= this.first"],
    ["the last name is passed over", "name > this.last", "name >= this.last"],
    ["a name is searched in the whole text", "packed.ends[index - 1] ?? 0", "0"],
    ["an older event goes to the end", "last === undefined || last < name", "true"],
    ["a name is not compared", " && this.nameAt(index) === name", ""],
    ["contents are never forgotten", "this.isForgotten = true", ""],
    ["a second name is forgotten", "this.by[index] = new Set([before, name])", ""]
  ]),
  ...of(`${reading}/delivered.ts`, [`${tests}/delivered.test.ts`], [
    ["a sibling is known by its id alone", "name = `${id}#${markOf(content)}`", "name = `${id}#`"],
    ["the first of siblings is any of them, once forgotten", "first.among.note(first.index)", ""],
    ["a second name is the first", "among.addName(index, by) ? \"NewByName\" : \"Known\"", "\"Known\""],
    ["what is older is new", "if (id > youngest) youngest = id", "youngest = id"],
    ["generations are forgotten early", "const byNameAlone = 10", "const byNameAlone = 3"],
    ["it never says since when", "if (next > since) since = next", ""],
    ["names that are needed are forgotten", "next > (needed() ?? next)", "false"],
    ["names are kept without end", "older.length <= mostByNameAlone && next", "next"]
  ]),
  ...of(`${reading}/pace.ts`, [`${tests}/pace.test.ts`], [
    ["what can wait goes first", "if (isSpare && next > now)", "if (isSpare && next > now && false)"],
    ["nobody waits", "next = turn + distance", "next = turn"]
  ]),
  ...of(`${reading}/ledger.ts`, [`${tests}/ledger.test.ts`], [
    [
      "no event of a sum has a mark, too",
      " ?? Marks.missingFrom({ count, sum }, [...marks])",
      ""
    ],
    ["what an earlier life had is given", "if (wasBefore) continue", ""],
    [
      "sums are of one hole",
      "this.sums = this.sumsBefore\n",
      "this.sums = this.sumsBefore\n    this.sumsBefore = []\n"
    ],
    ["what is known is given", "if (admitted._tag === \"Known\") continue", ""],
    ["a sum's rest is given again", "          this.remember(arrival)\n", ""],
    ["sums are not looked at", "if (this.sums.length === 0) return arrivals", "return arrivals"],
    ["a full page follows while sums are left", " && !isSummed", ""],
    ["what history showed of a sum delays it", "if (marks.size >= count) this.shown.add(oldest)", ""],
    ["history is read from the position on", "newest(start - overlap, oldest(", "newest(start, oldest("],
    [
      "history is read before the beginning",
      "newest(start - overlap, oldest(this.birth, BigInt(startsAfter) + 1n))",
      "start - overlap"
    ],
    [
      "who begins before its connection misses what is late",
      "oldest(this.birth, BigInt(startsAfter) + 1n)",
      "this.birth"
    ],
    ["the start of its first reader is history", "BigInt(startsAfter) + 1n)", "BigInt(startsAfter))"],
    ["the end of a break is certain", "reason === \"LongBreak\" ? end - overlap : end", "end"],
    [
      "a live page moves it back",
      "return this.ahead !== undefined && this.isBehind(cursor) ? this.ahead : cursor",
      "return cursor"
    ],
    ["a hole is not named", "delivered: [], hole: this.hole }", "delivered: [] }"],
    ["a filled hole stays named", "this.ahead = withoutHole(this.ahead)", ""],
    ["events of a page are not named", "delivered.push(mark)", ""],
    ["cursors of a page share what they name", "delivered: delivered.slice() }", "delivered }"],
    ["signals are summed up", "isStored || envelope !== undefined && Arrival.isStored(envelope)", "true"],
    ["wildcards are summed up", "by !== undefined && !ChannelName.isWildcard(by)", "true"],
    ["the last event stands before its page", "cursor: this.named(reached) }", "cursor: place }"],
    ["each full page reads the overlap", "this.readTo > overlapped", "false"],
    ["history that was behind is read on", "if (isCurrent) this.readTo", "this.readTo"],
    ["a later region is not waited for", "!isLater && this.late.by", "this.late.by"],
    ["what no cursor knows is read for the second time", "this.ahead === undefined && !isLater", "!isLater"],
    ["other regions are not reckoned with", "newest(start - this.late.by, overlapped)", "start"],
    ["others are reckoned with for ever", " || at - this.late.at > aMinute", ""],
    ["others are forgotten", "else if (lateBy * 3n > by) this.late = { by, at }", ""],
    [
      "nothing is read for the second time",
      "if (follows && wanted > unsettledFrom) this.unsettled = { since: unsettledFrom, to: wanted }",
      ""
    ],
    ["it is read too early", "const settled = overlap + 10_000_000n", "const settled = 10_000_000n"],
    ["it is read up to its end", "const end = oldest(to, now - settled)", "const end = to"],
    ["a part of it is enough", "to < this.unsettled.to ? { ...this.unsettled, since: to } : undefined", "undefined"],
    ["what follows settles it", "if (this.isWhole) this.unsettled = undefined", "this.unsettled = undefined"],
    [
      "a break leaves it",
      "oldest(overlapped, unsettledFrom)",
      "overlapped"
    ],
    [
      "a place forgets it",
      "return this.named(this.held(this.furthest(polled)))",
      "return this.named(this.furthest(polled))"
    ],
    ["an event's cursor forgets it", "next === undefined ? held : this.held(next)", "next ?? held"],
    [
      "who joins begins in the past",
      "const place = this.furthest(polled)",
      "const place = this.held(this.furthest(polled))"
    ],
    ["who joins begins where the service went back", "place.position < complete ?", "place.position < \"\" ?"],
    [
      "who joins names what others got",
      "{ ...place, position: complete, delivered: [] }",
      "{ ...place, position: complete }"
    ],
    ["it waits for ever", "const isPatient = now - since < 2n * settled + portion", "const isPatient = true"],
    ["a later event is taken for one of an earlier life", " && timetoken <= this.beforeUntil", ""],
    [
      "the last event of an earlier life is given",
      " && timetoken <= this.beforeUntil",
      " && timetoken < this.beforeUntil"
    ],
    ["an earlier position counts", "    this.complete = BigInt(position)\n  }", "  }"],
    ["a gap begins at an earlier position", "position > this.complete ? position : this.complete", "position"],
    [
      "a live page that is behind ends the gap",
      "if (!this.isBehind(next)) this.ahead = undefined",
      "this.ahead = undefined"
    ],
    ["the last step forgets how far history was read", "this.ahead = next ?? this.ahead", "this.ahead = next"],
    ["what is of a sum waits for ever", "isAll ? undefined : upTo", "upTo"]
  ]),
  ...of(`${reading}/messageIds.ts`, [`${tests}/messageIds.test.ts`], [
    ["long ids are remembered like short ones", "this.characters <= mostCharacters", "true"],
    ["one id fills the memory", "this.characters -= oldest.length", ""]
  ]),
  ...of(`${reading}/segments.ts`, ["test/pubnub/hostile.test.ts"], [
    [
      "a page that was cut short is whole",
      "if (more === undefined && entries.length < limit)",
      "if (entries.length < limit)"
    ],
    ["a page of no time divides by zero", "part.before - from + 1n) / 2n", "part.before - from) / 2n"]
  ]),
  ...of("src/pubnub/internal/live/reactions.ts", ["test/pubnub/reactions.test.ts"], [
    ["reactions to any messages are kept", "toCome.slice(-mostToCome)", "toCome"]
  ]),
  ...of("src/pubnub/internal/wire/pages.ts", ["test/pubnub/History.test.ts"], [
    [
      "the next page ends where the service says",
      "items.find(isDated)?.timetoken ?? more",
      "more ?? items.find(isDated)?.timetoken"
    ],
    ["items of other ranges are on a page", "(before === undefined || timetoken < before)", "true"],
    [
      "an empty page may say that there is more",
      "if (items.length === 0) return Result.fail",
      "if (false) return Result.fail"
    ],
    ["a page keeps its order", "one.at < other.at ? -1 : one.at > other.at ? 1 : 0", "0"]
  ]),
  ...of(`${reading}/ledger.ts`, [`${tests}/ledger.test.ts`], [
    ["what comes from the future stays in cursors", "if (isNew && one.at <= latest) {", "if (isNew) {"]
  ]),
  ...of(`${reading}/arrival.ts`, ["test/pubnub/hostile.test.ts"], [
    [
      "an event without a subscription is of nobody",
      "wildcard ?? (others.length === 0 ? group : undefined)",
      "undefined"
    ],
    ["an event of one of several groups is of nobody", "group === undefined ? arrival :", "true ? arrival :"]
  ]),
  ...of(`${reading}/place.ts`, ["test/pubnub/hostile.test.ts"], [
    ["a small timetoken has fewer digits", ".padStart(17, \"0\")", ""]
  ]),
  ...of(`${reading}/segments.ts`, [`${tests}/backfill.test.ts`], [
    ["one request at a time", "const atOnce = 16", "const atOnce = 1"],
    [
      "siblings at a border are lost",
      "(more === oldest ? 0n : 1n)",
      "0n"
    ],
    [
      "no order",
      "entries.filter(({ timetoken }) => timetoken >= bound).toSorted(byTimetoken)",
      "entries.filter(({ timetoken }) => timetoken >= bound)"
    ],
    [
      "what is not known is given",
      "entries: entries.filter(({ timetoken }) => timetoken >= bound)",
      "entries: entries.filter(() => true)"
    ],
    ["a part of a failure is lost", "if (failure !== undefined) return yield* Effect.fail(failure.failure)", ""],
    [
      "siblings that no page shows are not suspected",
      "after === undefined || after >= segment.before",
      "after === undefined"
    ]
  ]),
  ...of(`${reading}/backfill.ts`, [`${tests}/backfill.test.ts`], [
    ["only stored events are dropped", "this.missing > 0 || kinds.size > 0", "this.missing > 0"],
    [
      "what history has not shown goes when it is passed",
      "if (other === source || !this.unseen.has(next.id))",
      "if (true)"
    ],
    ["what is not stored comes last", "if (other === source || !this.unseen", "if (!this.unseen"],
    [
      "what history shows late is not given",
      "count === -1 ? skipped.length : count)) given.push(arrival)",
      "0)) given.push(arrival)"
    ],
    ["what history shows late is given and waited for", "skipped.splice(0, count", "skipped.slice(0, count"],
    [
      "nothing waits for what history has not shown",
      ", ...Array.from(this.skipped.values(), ([oldest]) => oldest)]",
      "]"
    ],
    ["what arrives by two names is given by one", "else behind.push(next)", ""],
    ["one look", "const mostLooks = 3", "const mostLooks = 1"],
    [
      "refusals add up beside other failures",
      "        this.refusals = 0\n        return Effect.fail(reason)",
      "        return Effect.fail(reason)"
    ],
    ["one refusal is enough", "const mostRefused = 3", "const mostRefused = 1"],
    ["refusals add up", "this.refusals = 0\n        })", "})"],
    ["the end is left out", "this.before = BigInt(hole.to) + 1n", "this.before = BigInt(hole.to)"],
    [
      "quiet channels are read",
      "rest.delete(channel)\n    }\n    this.channels = rest\n    this.phase",
      "}\n    this.channels = rest\n    this.phase"
    ],
    ["a single channel is counted", "this.channels.size > 1 && behind", "this.channels.size > 0 && behind"],
    [
      "counts before the page is shown are believed",
      "before(live.get(channel) ?? since)",
      "before(since)"
    ],
    ["timetokens take no room in an address", "mostOfCounts, lengthOfTimetoken)", "mostOfCounts)"],
    ["channels are counted before those of the page", "Number(live.has(other)) - Number(live.has(one))", "0"],
    [
      "counts of history that is behind are believed",
      "if (live.has(channel)) this.isDoubtful = true",
      "if (live.has(channel)) continue"
    ],
    [
      "a page without stored messages proves that history is not behind",
      "isBehind || reason === \"FullPage\" && !isStored",
      "isBehind"
    ],
    ["history is behind for every range without a page", "reason === \"FullPage\" && !isStored", "!isStored"],
    [
      "what was stepped over is not looked for again",
      "&& !this.isUnheard && !isGrowing) return false",
      ") return false"
    ],
    [
      "a part of what was stepped over is all of it",
      "&& !this.isUnheard && !isGrowing) return false",
      "&& !this.isUnheard) return false"
    ],
    ["what was stepped over may be empty", "this.isUnsure || this.isUnheard\n", "this.isUnsure\n"],
    ["counts are repeated while history is behind", "!this.isDoubtful || this.lacking.length > 0", "!this.isDoubtful"],
    [
      "wildcards are certain",
      "else this.isUnsure = true\n    }\n    for (const [channel, name]",
      "}\n    for (const [channel, name]"
    ],
    ["a refused channel is asked again", "knowledge.denied.add(channel)", ""],
    ["channels that nobody hears are read on", "this.channels = new Map([...this.channels].filter(isHeard))", ""],
    [
      "a refusal leaves all out",
      "const named = channels.filter((channel) => this.channels.has(channel))",
      "const named: ReadonlyArray<string> = []"
    ],
    [
      "it is out of reach in silence",
      "if (rest.size === 0) return this.giveUp()\n    this.channels = rest\n    this.isOutOfReach = true",
      "if (rest.size === 0) return this.giveUp()\n    this.channels = rest"
    ],
    ["a full page is given again", "arrivals.filter(({ by = \"\" }) => !this.page.has(id + by))", "arrivals"],
    [
      "a 400 is judged by the connection",
      "reason._tag === \"BadRequest\" || reason._tag === \"InvalidKey\" ? Retry.reconnect : schedule(reason)",
      "schedule(reason)"
    ]
  ]),
  ...of(`${reading}/reader.ts`, [`${tests}/reader.test.ts`], [
    ["who had one of an id had all of it", "return first === undefined || first === content", "return true"],
    ["who had one of an id gets it again", "return first === undefined || first === content", "return false"],
    ["a name that begins while history is read is read there, too", "start === undefined ? [] : [key]", "[key]"],
    ["a name that was removed is still read from history", "if (keys?.has(key) === false) continue\n      ", ""],
    ["a page that was begun is forgotten", "{ ...own, delivered: cursor.delivered } : own }", "own : own }"],
    ["what it had takes room", "!this.isHad(event) && left-- <= 0", "left-- <= 0"],
    [
      "a reader names again what it read alone",
      "this.withoutCopies(this.withOwnCursors(this.once(first)))",
      "this.withoutCopies(this.once(this.withOwnCursors(first)))"
    ],
    [
      "a name begins a tick late",
      "place.timetoken <= start) continue",
      "place.timetoken <= String(BigInt(start) + 1n)) continue"
    ],
    ["a name begins a tick early", "place.timetoken <= start) continue", "place.timetoken < start) continue"],
    [
      "a page of the beginning is taken whole",
      "oldest > this.latest)",
      "oldest >= this.latest)"
    ],
    [
      "full one before its capacity",
      "return this.waiting >= this.options.capacity",
      "return this.waiting >= this.options.capacity - 1"
    ],
    [
      "full one after its capacity",
      "return this.waiting >= this.options.capacity",
      "return this.waiting > this.options.capacity"
    ],
    [
      "room for one more",
      "this.fitting(events, capacity - this.waiting)",
      "this.fitting(events, capacity - this.waiting + 1)"
    ],
    [
      "suspend drops",
      "strategy === \"suspend\" ? events.length : this.fitting",
      "strategy === undefined ? events.length : this.fitting"
    ],
    ["what is dropped is not told", "return this.lose(events.slice(fitting))", "return"],
    [
      "connected at the oldest beginning",
      "now.position > this.begun.position) this.begun = now",
      "now.position < this.begun.position) this.begun = now"
    ],
    [
      "a name begins twice",
      "if (heard === undefined || heard.start !== undefined) return",
      "if (heard === undefined) return"
    ],
    ["Reconnected without Interrupted", "!(this.wasDown && this.isConnected)) return", "!this.isConnected) return"],
    ["Reconnected before Connected", "!(this.wasDown && this.isConnected)) return", "!this.wasDown) return"],
    [
      "a failed cursor is dropped",
      "const at = own === undefined ? {} : { cursor: own }",
      "const at = {}"
    ],
    ["an end is not told", "this.put({ _tag: \"Disconnected\", reason: Defects.told(reason), ...at })", ""],
    ["an end is replaced", "this.end ??= exit", "this.end = exit"],
    [
      "gaps of other channels are told",
      "loss._tag === \"GapSuspected\" ? Keyed.all(this.heard) : this.covering(loss.channel)",
      "Keyed.all(this.heard)"
    ],
    ["gaps of presence names are not told", "    yield* this.named(ChannelName.presenceOf(channel))\n", ""],
    ["gaps of wide names are not told", "if (covers(one.key, channel)) yield one", ""],
    ["names that left still count as new", "        if (heard.start === undefined) this.unbegun--\n", ""],
    [
      "gaps from before it began are told",
      "start !== undefined && start < before(loss.before)",
      "start !== undefined"
    ],
    [
      "twice by two names",
      "if (this.wide !== undefined && Keyed.isMany(this.heard)) this.delivered ??= Delivered.make()",
      ""
    ],
    [
      "who is interrupted still waits",
      "this.resume = undefined\n        this.core.waiting--\n      })",
      "this.resume = undefined\n      })"
    ],
    [
      "a later event is taken for what it had",
      " || \"timetoken\" in event && (event.timetoken ?? \"\") > this.hadUntil",
      ""
    ],
    [
      "the last event that it had is given",
      "(event.timetoken ?? \"\") > this.hadUntil",
      "(event.timetoken ?? \"\") >= this.hadUntil"
    ],
    ["what it had comes again in an old page", "if (this.isHad(event)) return false\n", ""],
    ["what it had is missed", "if (!this.isHad(event)) missed.add(event)", "missed.add(event)"],
    [
      "a position from before its beginning",
      "cursor.position < this.startsAfter ? this.startsAfter : cursor.position",
      "cursor.position"
    ],
    ["an overflow has no cursor", "const where = cursor === undefined ? {} : { cursor }", "const where = {}"],
    ["history gives both copies of a message", "const once = this.withoutCopies(fresh)", "const once = fresh"]
  ]),
  ...of(`${reading}/reader.ts`, [`${tests}/catchUp.test.ts`], [
    ["a young connection reaches back as far as its reader", " && overlapBefore(position) > reached", ""]
  ]),
  ...of(`${reading}/lane.ts`, [`${tests}/catchUp.test.ts`], [
    ["the last reader to begin is the first", "startsAfter < first)", "startsAfter > first)"]
  ]),
  ...of(`${reading}/catchUp.ts`, [`${tests}/catchUp.test.ts`], [
    ["one look", "const mostLooks = 3", "const mostLooks = 1"],
    ["the service is not asked for what it keeps", "this.hasAsked = from === undefined", "this.hasAsked = true"],
    ["nothing was dropped before a full page", "timetokens.every((at) => at > this.shown)", "false"],
    ["something was dropped before each full page", "timetokens.every((at) => at > this.shown)", "true"],
    ["nothing of another region was dropped before it", "arrivals.some((arrival) => this.isLate(arrival))", "false"],
    ["what history showed is late", " && !this.ledger.has(arrival)", ""],
    [
      "a queue that is too large stops its reader",
      "reason.limit !== undefined,\n        () => this.tooLarge",
      "reason.limit === 0,\n        () => this.tooLarge"
    ],
    ["a queue that is too large is not suspected", "    this.isUnheard = true\n", ""],
    ["a full page of younger messages says nothing", "if (isFull) this.to = this.furthest(timetokens)", ""],
    [
      "what is missing is not told",
      "for (const [channel, { from, to }] of this.lacking()) {",
      "for (const [channel, { from, to }] of new Map<string, { readonly from: string; readonly to: string }>()) {"
    ],
    ["each channel is waited for each time", "this.looks === 0 || knowledge.unstored", "true || knowledge.unstored"]
  ]),
  ...of(`${reading}/catchUp.ts`, [`${tests}/reader.test.ts`], [
    [
      "after an overflow cursors forget what the reader had",
      "from ?? (place && { ...place, position: this.begin.position })",
      "this.begin"
    ],
    [
      "after an overflow the oldest events are as late as the connection",
      "from ?? (place && { ...place, position: this.begin.position })",
      "from ?? place"
    ],
    [
      "after an overflow cursors name what came by the connection",
      "this.ledger.found(this.read(arrivals)",
      "this.ledger.found(arrivals"
    ]
  ]),
  ...of(`${reading}/catchUp.ts`, [`${tests}/catchUp.test.ts`], [
    ["a reader's gap of an earlier run is suspected from its position", "range(hole ?? position", "range(position"]
  ]),
  ...of(`${reading}/connection.ts`, ["test/pubnub/reading.test.ts"], [
    [
      "a page comes before the break that it shows",
      "if (LongPoll.isBehindBreak(this.rules, this.loop.state.facts, servedAt, at))",
      "if (false)"
    ],
    ["a break that a page shows is told twice", "        if (told.to === this.brokenBefore) break\n", ""]
  ]),
  ...of(`${reading}/connection.ts`, ["test/pubnub/hostile.test.ts"], [
    [
      "a page may have any number of events",
      "if (Subscribe.isOverfull(answer)) return this.stepOver(from, sentAt)",
      ""
    ],
    ["small leads add up", "standing !== undefined && isAhead(standing, now.position) &&", "false &&"],
    [
      "a page whose position is doubted is given",
      "      return Effect.succeed({ next: from, servedAt: undefined",
      "      const page = { arrivals: opened, lateBy: 0n, next: from, size: 0 }\n      for (const lane of this.lanes.values()) lane.receive(page, false)\n      return Effect.succeed({ next: from, servedAt: undefined"
    ]
  ]),
  ...of(`${reading}/catchUp.ts`, [`${tests}/catchUp.test.ts`], [
    ["cursors reach back before the start", "    this.ledger.begin(this.begin)\n", ""],
    ["failing history is read again without a pause", "          this.pause = outcome.millis\n", ""]
  ]),
  ...of(`${reading}/ledger.ts`, [`${tests}/ledger.test.ts`], [
    [
      "who joins after a first page that goes back begins before all",
      "    this.complete = BigInt(position)\n  }\n\n  /** The events within",
      "  }\n\n  /** The events within"
    ]
  ]),
  ...of(`${reading}/reader.ts`, [`${tests}/reader.test.ts`], [
    ["a full reader asks for no more when it has room again", "    if (wasFull) this.core.demand()\n", ""],
    [
      "a reader stands at an event of the future",
      "    if (this.taken !== undefined) this.taken = older(this.taken, now)\n",
      ""
    ],
    [
      "cursors begin at a start of the future",
      "    if (this.startsAfter > now.position) this.startsAfter = now.position\n",
      ""
    ],
    ["a start that was doubted is asked for", "    this.from = undefined\n    for (const heard", "    for (const heard"]
  ]),
  ...of(`${reading}/missed.ts`, [`${tests}/missed.test.ts`], [
    ["a removed name is still missed", "if (!heard.has(name)) names.delete(name)", ""],
    ["kinds of removed names are missed", "if (!isCovered(channel))", "if (channel === \"\")"],
    ["messages of a removed name are missed", "if (!this.channels.has(channel)) this.messages.delete(id)", ""]
  ]),
  ...of(`${reading}/reader.ts`, [`${tests}/catchUp.test.ts`], [
    [
      "a reader that overflowed has left",
      "this.hasEnded && this.overflowed === undefined ? \"never\"",
      "this.hasEnded ? \"never\""
    ]
  ]),
  ...of(`${reading}/reader.ts`, [`${tests}/reader.test.ts`], [
    [
      "what a reader of own cursors missed is not named",
      "if (catchUp.missed.from === undefined) fresh.forEach((event) => this.name(event))",
      ""
    ],
    [
      "a status has the cursor of a connection that is ahead",
      "this.isBehind(cursor) ? this.place : this.ownCursor(cursor)",
      "this.isBehind(cursor) ? this.place : cursor"
    ],
    [
      "a status that waited has an old cursor",
      "this.isBehind(cursor) ? this.place : this.ownCursor(cursor)",
      "this.ownCursor(cursor)"
    ],
    ["a status skips what another connection has", " && this.places.length < 2", ""],
    ["a cursor is set back to a gap", "newer(now, { ...now, position: served })", "now"],
    ["the events of a sum come again", "        this.had += mark\n", ""],
    [
      "a cursor names the events of a sum once more",
      "return { ...place, delivered: [], recent: this.recent.at(place.position) }",
      "return { ...place, recent: this.recent.at(place.position) }"
    ],
    [
      "a cursor lacks the events since the first of its page",
      "cursor.recent !== shared || this.recent !== undefined)",
      "cursor.recent !== shared)"
    ],
    ["cursors begin before Connected", "? this.begun.position\n", "? before(this.begun.position)\n"],
    ["an event of the future moves the beginning", " && timetoken <= latest", ""],
    ["a full reader that drops what waits is not asked again", "if (wasFull && !this.isFull) this.core.demand()", ""],
    [
      "a reader that has not begun fails ahead of its start",
      "const own = this.isConnected && cursor",
      "const own = cursor"
    ],
    [
      "a reader that was never connected fails where its connection is",
      "this.ownCursor(cursor) : this.place\n",
      "this.ownCursor(cursor) : this.place ?? cursor\n"
    ],
    ["a part of the names is a start", "(this.isConnected ? this.begun : undefined)", "this.begun"],
    ["a status is ahead of a start", "const own = this.missed !== undefined", "const own = false"],
    [
      "a status before the beginning is ahead of it",
      "part: [this.isConnected ? status : this.withOwnPlace(status)]",
      "part: [status]"
    ]
  ]),
  ...of(`${reading}/knowledge.ts`, [`${tests}/knowledge.test.ts`], [
    ["names of one channel are not bounded", "this.pairs++", ""],
    ["a page says nothing of the time", "if (time > this.now()) this.setTime(time)", ""],
    ["an older page turns the time back", "if (time > this.now()) this.setTime(time)", "this.setTime(time)"],
    [
      "a page after a sleep says nothing of the time",
      "    else if (time > this.atLeastNow()) this.certain = { time, at: PollLoop.moment(this.clock) }\n",
      ""
    ],
    ["a page says what time it is", "else if (time > this.atLeastNow()) this.certain =", "else this.certain ="],
    [
      "a clock that was set forward is certain",
      ": this.certain.time + PollLoop.moment(this.clock).steady - this.certain.at.steady",
      ": this.certain.time + LongPoll.elapsed(this.certain.at, PollLoop.moment(this.clock))"
    ]
  ]),
  ...of(`${reading}/lateness.ts`, [`${tests}/lateness.test.ts`], [
    ["a region is late only with what is older than the request", " && !isOfOther", ""],
    ["an answer without a region is late", "next.region !== undefined && ", ""]
  ]),
  ...of(`${reading}/audience.ts`, [`${tests}/lane.test.ts`], [
    ["marks of the connection stay after the next page", "(withoutSums(cursor), this.now())", "(withoutSums(cursor))"],
    ["a part of a page is named once for each position", "cursor.recent !== shared", "false"],
    ["statuses have the sums of others", "isWhole ? cursor : withoutSums(cursor)", "cursor"]
  ]),
  ...of(`${reading}/connection.ts`, ["test/pubnub/catchUp.test.ts"], [
    ["what was stepped over was heard", "lane.missed(from, next, true)", "lane.missed(from, next)"]
  ]),
  ...of(`${reading}/backfill.ts`, ["test/pubnub/catchUp.test.ts"], [
    [
      "what a full page is to give is missing",
      "timetoken > unheardFrom) this.hasUnheard = true",
      "false) this.hasUnheard = true"
    ]
  ]),
  ...of(`${reading}/room.ts`, ["test/pubnub/catchUp.test.ts"], [
    ["after one large answer all are small", "this.entries = Math.ceil(entries * growth)", "this.entries = entries"]
  ]),
  ...of(`${reading}/lane.ts`, [`${tests}/lane.test.ts`], [
    ["wide names are not told of a gap", "if (keys.some(isWide))", "if (keys.length === 0)"],
    ["presence names are not told of a gap", "ChannelName.presenceOf(status.channel)", "status.channel"],
    ["what was stepped over is read once", "isUnproven && page.arrivals.length > 0 ||", ""],
    [
      "what was stepped over is read before each page",
      "this.isUnproven = false\n      else",
      "this.isUnproven = true\n      else"
    ],
    [
      "what was stepped over behind a gap is read once",
      "return this.openBreak(first)",
      "return this.openBreak({ ...first, isUnheard: false })"
    ],
    ["what the gap before has given is missing", "this.gap?.backfill.missed(this.found - found)", ""],
    [
      "what the gap before gave earlier is not missing",
      "this.gap?.backfill.missed(this.found - found)",
      "this.gap?.backfill.missed(this.found)"
    ],
    [
      "a fast reader waits for the end of a gap",
      "        found = 0\n      }\n      this.core.wakes.now()",
      "        found = 0\n      }"
    ],
    ["who joins after a gap begins before it", "} else this.ledger?.skip(to)", "}"],
    [
      "marks of an earlier run stay after its next page",
      "knowledge.note(arrival), this.next())",
      "knowledge.note(arrival))"
    ],
    [
      "statuses have the cursor of all readers",
      "cursor === status.cursor ? status",
      "cursor === cursor ? status"
    ],
    ["all readers have one place", "? place : audience.cursor(place, this.isWhole(audience))", "? place : place"],
    [
      "a full page is one more",
      "return arrivals.length >= this.core.config.queueLength",
      "return arrivals.length > this.core.config.queueLength"
    ],
    [
      "a full reader that left holds back the others",
      "else if (readers.has(reader)) return true",
      "else return true"
    ],
    ["an audience without readers is kept", "    this.audiences.delete(audience.id)\n", ""],
    [
      "a name without readers is kept",
      "if (others === undefined) this.byName.delete(name)",
      "if (others === undefined) continue"
    ],
    ["more text waits", "const mostHeld = 32 *", "const mostHeld = 33 *"],
    [
      "what was delivered takes room",
      "    this.heldSize = this.held.reduce((size, held) => held._tag === \"Page\" ? size + held.page.size : size, 0)\n",
      ""
    ],
    ["everybody waits", "return this.within === 0 || this.core.settings.filter !== undefined", "return false"],
    [
      "a filter waits for history",
      "return this.within === 0 || this.core.settings.filter !== undefined",
      "return this.within === 0"
    ],
    [
      "a gap is not told to readers",
      "this.core.publish(suspected)\n    this.tell(suspected)",
      "this.core.publish(suspected)"
    ],
    [
      "a page does not wait behind a gap",
      "if (this.gap === undefined) return this.give(page, moved)",
      "return this.give(page, moved)"
    ],
    ["a break does not wait behind a gap", "else this.hold(missed, 0)", ""],
    ["each full page is a gap", "pages.findLastIndex(", "pages.findIndex("],
    ["a defect dies unseen", "(defect) => Effect.sync(() => this.host.broken(defect))", "() => Effect.void"],
    [
      "a failed lane has no cursor",
      "gap.outage.failed(result.failure, this.place)",
      "gap.outage.failed(result.failure, undefined)"
    ],
    ["a full reader holds nobody back", "else if (readers.has(reader)) return true", ""],
    ["that it is back is not told", "if (reconnected !== undefined) this.announce(reconnected)", ""],
    ["a full page long after another follows it", "this.now - BigInt(from.position) > settled", "false"],
    ["a later region opens no gap", " || this.isLater(page)\n", "\n"],
    [
      "nothing is read for the second time",
      "this.second = this.run(this.readAgain)",
      ""
    ],
    [
      "what is read for the second time is not given",
      "this.ledger.foundSecond(arrivals, this.base)\n    backfill.missed(events.length)\n    for (const notice of notices) this.announce(notice)\n    this.route(events, undefined)",
      "this.ledger.foundSecond(arrivals, this.base)\n    backfill.missed(events.length)\n    for (const notice of notices) this.announce(notice)"
    ],
    ["history is back without an answer", "gap.backfill.answers > answers || result.success.filled", "true"],
    ["a gap that fails is not down", "this.gap?.outage.isDown === true || ", ""],
    ["a second reading that fails is not down", " || this.late?.outage.isDown === true", ""],
    ["a second reading is not over", "this.ledger?.settle(BigInt(gap.to))", ""],
    [
      "a gap forgets the outage of the second reading",
      "new Outage(this.core, this.within, replaced?.outage)",
      "new Outage(this.core, this.within)"
    ],
    [
      "what is given up is not told",
      "this.goOn(gap)\n          this.suspect(gap.from, gap.to, gap.reason)",
      "this.goOn(gap)"
    ],
    [
      "it is read though nobody wants more",
      "!this.isWanted) {\n          yield* this.parked",
      "false) {\n          yield* this.parked"
    ],
    ["a lane that has stopped reads on", "fiber?.interruptUnsafe()\n    this.stopSecond()", "fiber?.interruptUnsafe()"],
    ["what waits behind a gap does not join history", "if (first === undefined) return", "return"],
    ["what waits behind a gap comes before history", "isAll || at(arrival) < end", "true"],
    [
      "a gap of an earlier run is not named while it is filled",
      "this.gap?.backfill.missed(this.found - found)\n",
      "this.base = withoutHole(asked)\n"
    ],
    ["a gap of an earlier run never ends", "this.base === undefined ? undefined : withoutHole(this.base)", "this.base"],
    ["a gap of an earlier run is suspected from its position", "from.hole ?? from.position", "from.position"],
    [
      "a gap of an earlier run is forgotten by a region that is behind",
      "else if (asked.hole !== undefined)",
      "else if (false)"
    ],
    ["history does not wait for what is late", "newest(at(first), BigInt(to) - overlap)", "upTo"],
    ["a late page is delivered before history is read", "certain < upTo ? certain : upTo", "certain"],
    ["nothing of the full page joins", "filled ? olderOf(page, joining) : []", "[]"],
    [
      "what waits for a gap that is given up is lost",
      "if (gap.page !== undefined) this.route(",
      "if (gap.page === undefined) this.route("
    ],
    [
      "a break is read to its end before a full page",
      "gap.isReadAgain = true",
      "gap.isReadAgain = gap.page !== undefined"
    ],
    [
      "late events of a full page come before those that were dropped",
      "gap.isReadAgain = true",
      "gap.isReadAgain = gap.page === undefined"
    ],
    ["a gap reaches across a break", " && this.held.every(({ _tag }) => _tag === \"Page\")", ""],
    [
      "a further gap does not know what waits",
      "for (const held of this.held) if (held._tag === \"Page\") this.note(held.page, this.gap)",
      ""
    ],
    [
      "a break is read to its end",
      "arrivals.filter((arrival) => arrival.id !== undefined && at(arrival) < end)",
      "arrivals"
    ],
    [
      "a break leaves nothing",
      "const end = BigInt(to) - overlap\n    const own",
      "const end = BigInt(to)\n    const own"
    ],
    ["a cursor in a break is at its end", "upTo < end ? upTo : end", "end"],
    ["what history never has joins it", " && envelope !== undefined && Arrival.isStored(envelope)", ""],
    [
      "what waits for a late page was not missing",
      "    backfill.missed(shown.filter((arrival) => !isDue(arrival)).length)\n",
      ""
    ],
    [
      "the second reading never goes on",
      "this.ledger?.settle(BigInt(gap.to))\n        this.late = undefined\n",
      "this.ledger?.settle(BigInt(gap.to))\n"
    ],
    ["the second reading waits for each gap", "this.ledger.isWhole && this.isOpen", "this.isOpen"],
    ["a break that is given up ends the second reading", "this.ledger.isWhole && this.isOpen", "this.ledger.isWhole"],
    [
      "the second reading is also of another position",
      "    this.dropSecond()\n    this.gap = undefined\n    this.held",
      "    this.gap = undefined\n    this.held"
    ],
    [
      "at another position the gap before goes on",
      "    this.stop()\n    if (gap !== undefined) this.goOn(gap)",
      "    if (gap !== undefined) this.goOn(gap)"
    ],
    ["what waited comes at another position", "    this.held = []\n    this.heldSize = 0", "    this.heldSize = 0"],
    [
      "at another position an interruption goes on",
      "    this.stop()\n    if (gap !== undefined) this.goOn(gap)",
      "    this.stop()"
    ],
    ["only the last part of what is lost is suspected", "older(gap.from, since)", "since"],
    ["the last reader to begin says how far back to read", "startsAfter < first", "startsAfter > first"],
    [
      "each full page restarts the second reading",
      "this.ledger?.isWhole === true ? this.dropSecond() : undefined",
      "this.dropSecond()"
    ],
    ["there is one second reading", "      this.second = undefined\n    }\n  )", "    }\n  )"],
    [
      "a page that was stepped over is never proven",
      "if (gap.reason === \"FullPage\") this.isUnproven = false\n      else if",
      "if"
    ],
    [
      "without storage a page that was stepped over is waited for",
      "= !this.core.history.knowledge.storesNothing",
      "= true"
    ],
    [
      "late messages behind a gap come before older ones of their region",
      " || this.isLater(page) && this.ledger?.isWhole === false",
      ""
    ],
    ["how late a small page is says nothing", "    this.ledger.reckon(page.lateBy, asked.position)\n", ""],
    ["a part of a gap that was given is read again", "if (upTo > BigInt(from.position)) {", "if (false) {"],
    ["what is left of a full page comes behind a break", "this.held.unshift({", "this.held.push({"],
    [
      "what a second reading shows to be lost is not told",
      "for (const notice of notices) this.announce(notice)\n    this.route(events, undefined)\n  }\n",
      "this.route(events, undefined)\n  }\n"
    ],
    ["a gap that was given up stays in the cursor", "    this.ledger?.abandoned()\n", ""],
    ["how late a full page is says nothing", "      this.ledger?.reckon(page.lateBy, from.position)\n", ""]
  ]),
  ...of(`${reading}/engine.ts`, [`${tests}/registry.test.ts`], [
    [
      "an interruption of a connection that was left does not end",
      "if (!reader.wasDown || this.isDown(reader)) return",
      "return"
    ],
    [
      "an interruption ends with each name that is left",
      "if (!reader.wasDown || this.isDown(reader)) return",
      "if (!reader.wasDown) return"
    ],
    ["an interruption lasts without names", "[...this.placesOf(reader), ...before]", "this.placesOf(reader)"],
    ["names stay after the end", "this.homes.clear()\n", ""],
    [
      "a full reader that left holds back a gap",
      "connection.forget(reader)\n    this.demand()",
      "connection.forget(reader)"
    ],
    [
      "a reader that left hears on",
      "    for (const connection of this.connections) connection.forget(reader)\n",
      ""
    ],
    ["nobody watches polls after a defect", "          this.watch = undefined\n", ""],
    ["each disconnect is told", "    if (!this.isOn) return\n", ""],
    ["what has ended is kept", "        fiber.addObserver(() => this.running.delete(fiber))\n", ""]
  ]),
  ...of(`${reading}/outage.ts`, [`${tests}/lane.test.ts`], [
    [
      "history is waited for without an end",
      "if (LongPoll.elapsed(this.since, now) >= this.within) return Effect.succeed({ _tag: \"TooLong\" })",
      ""
    ],
    ["a row of failures goes on", "this.retries.forget()", ""],
    ["a gap begins a schedule of its own", "earlier?.retries ?? Retries", "Retries"],
    ["a gap begins a row of its own", "earlier?.attempts ?? 0", "0"]
  ]),
  ...of(`${reading}/registry.ts`, [`${tests}/registry.test.ts`], [
    ["configurations mix", "isSame(group.config, config)", "true"],
    ["transports mix", "group.client === client && group.encryption", "group.encryption"],
    ["explanations mix", " && group.explain === explain", ""],
    ["filters mix", "const found = group.engines.get(filter)", "const found = [...group.engines.values()][0]"],
    ["nothing is closed", "Effect.forkDetach(shared.engine.close)", "Effect.forkDetach(Effect.void)"],
    ["the first one out closes it", "shared.users > 0", "shared.users > 1"],
    [
      "a closed one goes on",
      "this.isClosed ? Effect.as(engine.close, shared) : Effect.succeed(shared)",
      "Effect.succeed(shared)"
    ],
    ["a new engine is on", "if (!group.isOn) engine.switchOff()", ""],
    ["a listener that left is kept", "            group.listeners.delete(listener)\n", ""],
    [
      "one listener gets the statuses",
      "of group.listeners) Queue.offerUnsafe(",
      "of [...group.listeners].slice(0, 1)) Queue.offerUnsafe("
    ],
    ["listeners lose the next engine", " && group.listeners.size === 0", ""],
    ["an engine loses its group", "group.engines.size === 0 && group.listeners", "group.listeners"],
    ["a group that is off is forgotten", "group.listeners.size === 0 && group.isOn", "group.listeners.size === 0"],
    ["more statuses wait", "const mostStatuses = 1_000", "const mostStatuses = 1_001"],
    ["the group of listeners is kept", "            this.forget(group)\n          })", "          })"],
    [
      "an engine is of a group that was forgotten meanwhile",
      "        this.groups.add(group)\n        if (!group.isOn)",
      "        if (!group.isOn)"
    ],
    ["a registry closes before its engines", "        Effect.andThen(Fiber.awaitAll(this.closing)),\n", ""],
    [
      "statuses go on after a registry",
      "          for (const { listeners } of this.groups) listeners.forEach(Queue.endUnsafe)\n",
      ""
    ],
    ["a reader that left is kept", "if (reader !== undefined) engine.leave(reader)", ""],
    ["nobody is unsubscribed", "({ engine }) => engine.unsubscribeAll", "() => Effect.void"],
    ["engines that are closed are kept", "      fiber.addObserver(() => this.closing.delete(fiber))\n", ""],
    [
      "the group of an engine is kept",
      "    group.engines.delete(filter)\n    this.forget(group)",
      "    group.engines.delete(filter)"
    ]
  ]),
  ...of(`${reading}/lane.ts`, [`${tests}/registry.test.ts`], [
    ["who joins after a break begins before it", "      this.ledger?.skip(to.position)\n", ""]
  ]),
  ...of(`${reading}/reader.ts`, [`${tests}/registry.test.ts`], [
    ["a reader that is woken runs at once", "this.core.wakes.later(() => resume(this.pull))", "resume(this.pull)"]
  ]),
  ...of(`${reading}/connection.ts`, [`${tests}/registry.test.ts`], [
    [
      "only the names of readers are known",
      " || this.asked?.channels.includes(name) === true ||\n    this.asked?.groups.includes(name) === true",
      ""
    ],
    [
      "a loop without names is not woken for new ones",
      "if (this.loop.isRunning) this.loop.wake()\n        else this.loop.start()",
      "if (!this.loop.isRunning) this.loop.start()"
    ],
    ["one refused name ends all readers", "concerned.length > 0 ? concerned : [...this.readers]", "[...this.readers]"],
    ["nobody goes on for those who are left", "if (hasStopped) this.restart()", ""],
    [
      "nobody goes on for those who join before the end",
      "this.loop = this.loopFrom(place)",
      "if (!this.isEmpty) this.loop = this.loopFrom(place)"
    ],
    [
      "who joins as others are switched off is connected",
      "switchOff(): void {\n",
      "switchOff(): void {\n    this.tellEach(() => ({ _tag: \"Disconnected\" }))\n"
    ],
    ["a defect switches on", "if (loop.state._tag === \"Off\") this.loop.signal({ _tag: \"SwitchedOff\" })", ""],
    [
      "a new way to wait for gaps waits for new names",
      "if (this.place !== undefined && keys.some((key) => this.known.has(key))) lane.begin(undefined, this.place)",
      ""
    ],
    [
      "who joins in an outage is connected",
      "        this.known.clear()\n        const { attempt",
      "        const { attempt"
    ],
    ["a handshake asks for no names", "while (this.isEmpty) yield* Effect.sleep(gathered + 1)", ""],
    [
      "nobody says that the user has left",
      "this.host.emptied(this)\n      return this.sendLeave([])",
      "this.host.emptied(this)\n      return Effect.void"
    ],
    [
      "only a handshake that was answered is left",
      "this.host.emptied(this)\n      return this.sendLeave([])",
      "this.host.emptied(this)\n      return this.asked === undefined ? Effect.void : this.sendLeave([])"
    ]
  ]),

  // Parameters that a row of a coverage table in docs/ names, and that no test of that row saw missing.
  ...of("src/pubnub/PushPayload.ts", ["test/pubnub/PushPayload.test.ts"], [
    ["push: APNs takes one byte more", "{ APNs: 4_096,", "{ APNs: 4_097,"],
    ["push: FCM takes one byte more", "FCM: 4_096,", "FCM: 4_097,"],
    ["push: a VoIP push has the usual limit", "apns?.pushType === \"voip\" ? limits.voip", "false ? limits.voip"],
    [
      "push: characters are counted",
      "utf8.encode(JSON.stringify(part.payload)).length",
      "JSON.stringify(part.payload).length"
    ],
    [
      "push: devices of other topics are excluded",
      "device._tag === \"Apns\" && device.topic === topic &&",
      "device._tag === \"Apns\" &&"
    ],
    [
      "push: a silent push shows a badge only",
      "\"content-available\": silent ? 1 : undefined",
      "\"content-available\": undefined"
    ],
    ["push: data may be aps", "(?:aps$|", "(?:"]
  ]),
  ...of("src/pubnub/Push.ts", ["test/pubnub/Push.test.ts"], [
    ["push: the first page is all", "all.length < pageSize || last === undefined", "last === last"],
    ["push: a page that repeats goes on for ever", "!known.has(item)", "true"],
    ["push: 101 channels", "const mostChannels = 100", "const mostChannels = 101"]
  ]),
  ...of("src/pubnub/internal/wire/payload.ts", ["test/pubnub/PushPayload.test.ts"], [
    ["push: a message's own push is overwritten", "Object.hasOwn(fields, key))", "false)"],
    ["push: an empty message has a comma", "message === \"{}\" ? text : ", ""]
  ]),
  ...of("src/pubnub/Publish.ts", ["test/pubnub/largeMessages.test.ts"], [
    ["large: a usual message goes the new way", "escaped().length + otherSize > usualLimit)", "escaped().length > 0)"],
    ["large: characters are counted", "isSignal || isLarge ? bytes()", "isSignal ? bytes()"]
  ]),
  ...of("src/pubnub/Publish.ts", ["test/pubnub/Publish.test.ts"], [
    ["row: store", "store: store === undefined ? undefined : store", "store: true ? undefined : store"],
    ["row: method POST", "(method === \"POST\" || text.length", "(text.length"],
    ["row: method GET", "mayPost = !isSignal && method !== \"GET\"", "mayPost = !isSignal"],
    ["only a long text is posted", "mayPost && Endpoint.sizeOf", "false && Endpoint.sizeOf"],
    ["a posted message is measured unescaped", "bytes() * 3 + otherSize", "bytes() + otherSize"],
    [
      "row: fire meta",
      "encodeFor(\"Publish.fire\", () => ({ ...options })",
      "encodeFor(\"Publish.fire\", () => ({ ...options, meta: undefined })"
    ],
    [
      "row: fire method",
      "encodeFor(\"Publish.fire\", () => ({ ...options })",
      "encodeFor(\"Publish.fire\", () => ({ ...options, method: undefined })"
    ],
    [
      "row: fire schema",
      "encodeFor(\"Publish.fire\", () => ({ ...options })",
      "encodeFor(\"Publish.fire\", () => ({ ...options, schema: undefined })"
    ],
    [
      "row: signal schema",
      "\"Publish.signal\",\n      () => ({ ...options })",
      "\"Publish.signal\",\n      () => ({ ...options, schema: undefined })"
    ]
  ]),
  ...of("src/pubnub/internal/wire/publication.ts", ["test/pubnub/Publish.test.ts"], [
    ["row: timetoken", "{ timetoken: json[2] }", "{ timetoken: Timetoken.make(\"17905741246383965\") }"]
  ]),
  ...of("src/pubnub/PubNubConfig.ts", ["test/pubnub/PubNubConfig.test.ts"], [
    ["row: maxMessageSize default", "options.maxMessageSize ?? 32_768", "options.maxMessageSize ?? 65_536"]
  ]),
  ...of("src/pubnub/PubNubConfig.ts", ["test/pubnub/Publish.test.ts"], [
    ["row: maxSignalSize", "options.maxSignalSize ?? 64", "64"]
  ]),
  ...of("src/pubnub/Publish.ts", ["test/docs/docstrings.test.ts"], [
    ["row: 1,800 bytes", "1,800", "9,999"]
  ]),
  ...of("src/pubnub/Subscribe.ts", ["test/pubnub/Subscribe.test.ts"], [
    ["row: presence TimedOut", "\"TimedOut\", \"StateChanged\"", "\"StateChanged\""],
    ["row: presence StateChanged", "\"StateChanged\", \"Interval\"]", "\"Interval\"]"],
    ["row: presence Interval", ", \"Interval\"]", "]"],
    ["row: statuses", "(event) => isStatus(event)))", "() => false))"]
  ]),
  ...of("src/pubnub/internal/wire/envelope.ts", ["test/pubnub/stored.test.ts"], [
    ["row: FileShared customMessageType", "...file.success, ...meta, ...label", "...file.success, ...meta"]
  ]),
  ...of("src/pubnub/internal/wire/envelope.ts", ["test/pubnub/envelope.test.ts"], [
    ["a region is null", "if (given(p.r)) delivery.region", "if (p.r !== undefined) delivery.region"],
    ["row: Joined", "join: \"Joined\"", "join: \"Left\""],
    ["row: TimedOut", "timeout: \"TimedOut\"", "timeout: \"Left\""],
    ["row: timedOut", "rest.timeout ?? rest.timedout ?? []", "[]"],
    ["row: timedOut of the other spelling", "rest.timeout ?? rest.timedout ?? []", "rest.timeout ?? []"],
    ["row: Left", "leave: \"Left\"", "leave: \"Joined\""],
    [
      "row: precise at",
      "DateTime.make(rest.precise_timestamp ?? rest.timestamp * 1000)",
      "DateTime.make(rest.timestamp * 1000)"
    ],
    ["row: state", "userId: uuid, ...(given(data) ? { state: data } : {})", "user: uuid"]
  ]),
  ...of("src/pubnub/internal/wire/answer.ts", ["test/pubnub/Subscribe.test.ts"], [
    ["row: AccessDenied channels", "description, channels, groups })", "description, channels: [], groups })"],
    ["row: AccessDenied groups", "description, channels, groups })", "description, channels, groups: [] })"],
    ["row: AccessDenied groups' colon", "map((name) => name.replace(/^:/, \"\"))", "map((name) => name)"]
  ]),
  ...of("src/pubnub/internal/wire/endpoint.ts", ["test/pubnub/Subscribe.test.ts"], [
    ["row: Timeout", "failure._tag === \"TimedOut\"", "false"]
  ]),
  ...of("src/pubnub/internal/reading/streams.ts", ["test/pubnub/Subscribe.test.ts"], [
    ["row: presence of channels", "Subscription.channel(name, { presence })", "Subscription.channel(name)"],
    ["row: presence of groups", "Subscription.group(name, { presence })", "Subscription.group(name)"]
  ]),
  ...of("src/pubnub/internal/reading/names.ts", ["test/pubnub/Subscribe.test.ts"], [
    ["row: presence names", "return presence ? [", "return false ? ["],
    ["row: presence by default", "return presence ? [", "return true ? ["]
  ]),
  ...of("src/pubnub/ChannelName.ts", ["test/pubnub/Subscribe.test.ts"], [
    ["row: presence names of another form", "const suffix = \"-pnpres\"", "const suffix = \"-pnp\""]
  ]),
  ...of("src/pubnub/internal/live/liveOccupancy.ts", ["test/pubnub/Presence.test.ts"], [
    [
      "row: hereNowRefresh",
      "Reread.needsReread(event) || event._tag === \"Interval\" && event.hereNowRefresh",
      "Reread.needsReread(event)"
    ]
  ]),
  ...of("src/pubnub/Presence.ts", ["test/pubnub/Presence.test.ts"], [
    [
      "row: whole keyset",
      "...options.channels === undefined && options.groups === undefined ? [] : emptyIssues(names),",
      ""
    ],
    ["row: users include", "include: [\"users\", ...include ?? []], limit", "include: [\"users\"], limit"],
    [
      "row: state user",
      "const { userId = config.userId } = options\n  const names",
      "const { userId } = config\n  const names"
    ],
    ["row: setState schema", ": Payload.encodeWith(schema, state)", ": Effect.fromResult(Payload.encode(state))"]
  ]),
  ...of("src/pubnub/ChannelGroups.ts", ["test/pubnub/ChannelGroups.test.ts"], [
    ["row: 200", "const mostChannels = 200", "const mostChannels = 201"]
  ]),
  ...of("src/pubnub/internal/wire/storage.ts", ["test/pubnub/History.test.ts"], [
    ["row: include_message_type", "    include_message_type: \"true\",\n", "    include_message_type: \"false\",\n"]
  ]),
  ...of("src/pubnub/internal/wire/storage.ts", ["test/pubnub/usual.test.ts"], [
    ["a publisher is anything", "Envelope.isTextOrNothing(uuid) &&", "true &&"],
    ["actions are anything", "&& (actions === undefined || actions === null)", ""],
    ["an entry needs no message", "message !== undefined && isT", "isT"]
  ]),
  ...of("src/pubnub/internal/wire/storage.ts", ["test/pubnub/MessageActions.test.ts"], [
    ["row: include.actions", "path: request.actions\n", "path: false\n"]
  ]),
  ...of("src/pubnub/History.ts", ["test/pubnub/History.test.ts"], [
    ["row: schema of stream", "decodeEntry<A, RD, P>(options.schema))", "decodeEntry<A, RD, P>(undefined))"]
  ]),
  ...of("src/pubnub/MessageActions.ts", ["test/pubnub/MessageActions.test.ts"], [
    ["row: limit default", "limit = pageSize ?? most", "limit = pageSize ?? 25"],
    ["row: pageSize", "({ ...range, channel, pageSize })", "({ ...range, channel })"]
  ]),
  ...of("src/pubnub/internal/objects/pages.ts", ["test/pubnub/Users.test.ts"], [
    ["row: pageSize", "limit ?? pageSize ?? most", "limit ?? most"],
    ["row: previous", "end: asked.previous", "end: undefined"]
  ]),
  ...of("src/pubnub/internal/objects/requests.ts", ["test/pubnub/Users.test.ts", "test/pubnub/Channels.test.ts"], [
    ["row: include of list", "const asked = { ...options, include }", "const asked = { ...options }"],
    [
      "row: id of get, set, update and remove",
      "id: kind.idOf(options, config)",
      "id: kind.idOf({ ...options, id: undefined }, config)"
    ],
    [
      "row: include of set",
      "write(operation, id, encoded, include, ifMatchesEtag)",
      "write(operation, id, encoded, defaultParts, ifMatchesEtag)"
    ],
    ["row: stream", "page(operation, { ...asked, ...at })", "page(operation, at)"],
    ["row: list", "Effect.flatMap(page(operation, asked), (page)", "Effect.flatMap(page(operation, {}), (page)"]
  ]),
  ...of("src/pubnub/internal/objects/fields.ts", ["test/pubnub/Users.test.ts"], [
    ["row: type of set", "{ status: 50, type: 50 } as const", "{ status: 50 } as const"]
  ]),
  ...of("src/pubnub/internal/objects/fields.ts", ["test/pubnub/usual.test.ts"], [
    ["the etag has its own name on the wire", "Usual.struct(fields, names)", "Usual.struct(fields)"],
    ["a year below 1000 counts from 1900", "/^[12]\\d{3}-", "/^\\d{4}-"],
    ["a day has 29 hours", "(?:[01]\\d|2[0-3])", "[0-2]\\d"],
    ["a user has any status", "!isTextOrNothing(status) || ", ""],
    ["an absent type is undefined", "if (Predicate.isString(type)) user.type", "user.type"],
    ["null is kept", "Usual.nullish(Usual.of(schema))", "Usual.of(Schema.optionalKey(Schema.NullOr(schema)))"]
  ]),
  ...of("src/pubnub/Memberships.ts", ["test/pubnub/Memberships.test.ts"], [
    ["row: userId", "options.userId ?? userId", "userId"]
  ]),
  ...of("src/pubnub/internal/objects/relations.ts", ["test/pubnub/Members.test.ts"], [
    [
      "row: set next",
      "({ ...withOwner(options)(config), set:",
      "({ ...withOwner(options)(config), next: undefined, set:"
    ],
    [
      "row: remove next",
      "({ ...withOwner(options)(config), remove:",
      "({ ...withOwner(options)(config), next: undefined, remove:"
    ],
    [
      "row: manage next",
      "change(\"manage\", withOwner(options))",
      "change(\"manage\", withOwner({ ...options, next: undefined }))"
    ],
    [
      "row: list previous",
      "(options) => Effect.flatMap(request(operation, options),",
      "(options) => Effect.flatMap(request(operation, { ...options, previous: undefined }),"
    ],
    [
      "row: set previous",
      "({ ...withOwner(options)(config), set:",
      "({ ...withOwner(options)(config), previous: undefined, set:"
    ],
    [
      "row: remove previous",
      "({ ...withOwner(options)(config), remove:",
      "({ ...withOwner(options)(config), previous: undefined, remove:"
    ],
    [
      "row: manage previous",
      "change(\"manage\", withOwner(options))",
      "change(\"manage\", withOwner({ ...options, previous: undefined }))"
    ],
    [
      "row: remove include",
      "({ ...withOwner(options)(config), remove:",
      "({ ...withOwner(options)(config), include: undefined, remove:"
    ],
    [
      "row: stream filter",
      "request(operation, { ...options, ...at })",
      "request(operation, { ...options, filter: undefined, ...at })"
    ],
    [
      "row: stream sort",
      "request(operation, { ...options, ...at })",
      "request(operation, { ...options, sort: undefined, ...at })"
    ],
    [
      "row: stream include",
      "request(operation, { ...options, ...at })",
      "request(operation, { ...options, include: undefined, ...at })"
    ],
    [
      "row: stream pageSize",
      "request(operation, { ...options, ...at })",
      "request(operation, { ...options, pageSize: undefined, ...at })"
    ],
    ["row: custom: merge of memberships", "Update.merge(body, before, how)", "Update.merge(body, before)"]
  ]),
  ...of("src/pubnub/internal/objects/pages.ts", ["test/pubnub/Memberships.test.ts"], [
    ["row: previous", "...before === undefined ? {} : { previous: before }", ""]
  ]),
  ...of("src/symphony/internal/config/pem.ts", ["test/symphony/Session.test.ts"], [
    ["a key has another version", "[0x02, 0x01, 0x00]", "[0x02, 0x01, 0x01]"],
    [
      "the name of a format is believed",
      "label === \"RSA PRIVATE KEY\" || pkcs1.test(head)",
      "label === \"RSA PRIVATE KEY\""
    ],
    [
      "PKCS#8 has no other name",
      "if (head.includes(rsa)) return",
      "if (head.includes(rsa) && label !== \"RSA PRIVATE KEY\") return"
    ]
  ]),
  ...of("src/symphony/internal/config/jwt.ts", ["test/symphony/Session.test.ts"], [
    ["a token is signed otherwise", "hash: \"SHA-512\"", "hash: \"SHA-256\""],
    [
      "the platform's words are shown",
      "catch: () => \"is an RSA key that cannot be used: it is damaged or too short\"",
      "catch: String"
    ]
  ]),
  ...of("src/pubnub/internal/encryption/cipher.ts", ["test/pubnub/Encryption.test.ts"], [
    ["the newest key alone reads", "for (const one of keys) {", "for (const one of keys.slice(0, 1)) {"],
    ["legacy data is read unasked", "if (legacy === \"none\" || !isWhole(bytes))", "if (!isWhole(bytes))"]
  ]),
  ...of("src/pubnub/internal/encryption/aes.ts", ["test/pubnub/aes.test.ts"], [
    ["the padding of Node is lost", "[cipher.update(bytes), cipher.final()]", "[cipher.update(bytes)]"],
    [
      "a module without ciphers is taken for Node's",
      "    crypto.createCipheriv(name, key, new Uint8Array(block)).final()\n",
      ""
    ],
    [
      "a wrong padding is a defect",
      "return await decrypted()\n  } catch {\n    return undefined",
      "return await decrypted()\n  } catch {\n    throw new Error()"
    ]
  ]),
  ...of("src/pubnub/internal/encryption/push.ts", ["test/pubnub/Encryption.test.ts"], [
    ["pn_other has no quotes", "[other]: `\"${ciphertext}\"`", "[other]: ciphertext"],
    ["parts for push are encrypted", "if (parts.length === 0) return undefined", "return undefined"]
  ]),
  ...of("src/pubnub/Encryption.ts", ["test/pubnub/Encryption.test.ts"], [
    ["texts overtake each other", "Promise.all([work, last])", "Promise.all([work])"],
    ["plain payloads are not refused", "plain === \"accept\" ?", "true ?"],
    ["a key may be empty", "(Secret.textOf(value) === \"\" ? \"is empty\" : undefined)", "undefined"]
  ]),
  ...of("src/pubnub/internal/encryption/blocks.ts", ["test/pubnub/Encryption.test.ts"], [
    ["a chunk keeps its first vector", "iv = encrypted.slice(-block)", "iv = iv.slice()"]
  ]),
  ...of("src/pubnub/internal/wire/encryption.ts", ["test/pubnub/encrypted.test.ts"], [
    ["nothing is decrypted", "if (encryption === undefined)", "if (true)"]
  ]),
  ...of("src/pubnub/internal/wire/renewal.ts", ["test/pubnub/renewingToken.test.ts"], [
    ["renewals may follow each other at once", "const shortest = 30_000", "const shortest = 1_000"],
    ["a failure needs no pause", "const least = 100", "const least = 10"],
    ["a token is renewed at its end only", "now >= held.due && this.#mayAsk(clock)", "false"],
    ["a token has no margin", "expires - Math.min(margin, (expires - now) / 2)", "expires"],
    [
      "a token that has expired by a wrong clock is not used",
      "expires === undefined || expires <= now",
      "expires === undefined"
    ],
    ["the same token again has a margin", "isSame ? 0 : this.#settings.margin", "this.#settings.margin"],
    ["refusals have no pace", "if (steady(clock) < this.#pacedUntil) return Effect.succeed(false)", ""],
    ["a missing right renews a token", "!hasEnded && isNamed && now < held.due", "false"],
    ["a missing right never renews a token", "!hasEnded && isNamed && now < held.due", "!hasEnded"],
    ["a late refusal of an earlier token renews", "!Equal.equals(held.token, token) || now", "now"],
    [
      "a refused token is used until there is another",
      "this.#held = { token: held.token, due: -Infinity, over: -Infinity }",
      ""
    ],
    ["an attempt never ends", "orElse: () => Effect.fail(new Late(patience))", "orElse: () => Effect.never"],
    ["callers wait for ever", "orElse: () => Effect.fail(this.#unavailable)", "orElse: () => Effect.never"],
    ["the text of a failure is told", "/^[\\w/.-]{1,100}$/.test(name)", "true"],
    ["a schedule that ended stays so", "if (decision._tag === \"GaveUp\") this.#retries.forget()", ""]
  ]),
  ...of("src/pubnub/internal/reading/registry.ts", ["test/pubnub/encrypted.test.ts"], [
    ["encryptions mix", "group.encryption === encryption && ", ""]
  ]),
  ...of("src/pubnub/internal/reading/place.ts", ["test/pubnub/encrypted.test.ts"], [
    ["an unreadable message is no message", "event.reason === undefined ? undefined : \"Message\"", "undefined"]
  ]),
  ...of("src/node/internal/inspector/inspector.ts", ["test/node/inspector.test.ts"], [
    ["a page of another origin may command", "headers[\"origin\"] === undefined ||", "true ||"],
    ["a page of another site may command", "site === \"same-origin\" || site === \"none\"", "true"],
    ["unknown fields are accepted", "{ onExcessProperty: \"error\" }", "{}"],
    ["a form may command", "/^application\\/json\\b/i", "/./"],
    ["inherited names are commands", "Object.hasOwn(commands, name) ?", "true ?"],
    ["a state is given twice", "if (version !== seen)", "if (true)"],
    ["the page may run inline scripts", "script-src 'self'", "script-src 'self' 'unsafe-inline'"]
  ]),
  ...of("src/node/internal/inspector/traffic.ts", ["test/node/inspector.test.ts"], [
    ["tokens are shown", "auth|signature", "signature"],
    ["latency has no effect", "Effect.sleep(latency)", "Effect.void"],
    ["a dropped connection is a closed one", ": \"dropped\"", ": \"closed\""]
  ]),
  ...of("src/fleet/internal/claiming.ts", ["test/fleet/SqlCursorStore.test.ts"], [
    ["an old owner saves", "WHERE reader = ${reader} AND epoch = ${epoch} AND", "WHERE reader = ${reader} AND"],
    ["an old owner loads", "if (Number(row.epoch) === epoch) return", "if (Number(row.epoch) >= epoch) return"],
    ["a claim keeps the epoch", "SET epoch = held.epoch + 1,", "SET epoch = held.epoch,"],
    ["an older save replaces a newer one", " AND commits < ${number} RETURNING", " RETURNING"],
    ["fleets share readers", "      WHERE held.fleet = excluded.fleet\n", ""],
    ["numbers of saves go on after a claim", "owner = excluded.owner, commits = 0,", "owner = excluded.owner,"],
    ["a second attempt has a number of its own", "if (cursor !== last.cursor) last", "last"],
    ["work stays when its cursor does not", "undo(Effect.fail(error))", "Effect.fail(error).pipe(Effect.ignore)"],
    ["another client is taken", "if (Option.isSome(others) &&", "if (Option.isNone(others) &&"]
  ]),
  ...of("src/fleet/SqlCursorStore.ts", ["test/fleet/SqlCursorStore.test.ts"], [
    ["the layer claims at each load", "if (claimed !== undefined) return claimed.store.load(reader)", ""]
  ]),
  ...of("src/fleet/Fleet.ts", ["test/fleet/Fleet.test.ts"], [
    ["a lane reads though nobody could look at the table", "() => look),", "() => Effect.ignore(look)),"],
    ["each lane that is claimed has a look of its own", "if (lastLook > asked) return Effect.void", ""],
    [
      "a program runs a fleet twice",
      "if (here.has(name)) return yield* failed",
      "if (here.size < 0) return yield* failed"
    ]
  ]),
  ...of("src/fleet/FleetStore.ts", ["test/fleet/SqlFleetStore.test.ts"], [
    ["an old owner notes channels as read", "if (rows.get(reader)?.epoch !== epoch) return", ""]
  ]),
  ...of("src/fleet/SqlFleetStore.ts", ["test/fleet/SqlFleetStore.test.ts"], [
    [
      "a fleet begins beside channels that are added",
      "pg_advisory_xact_lock(hashtext(${prefix}), hashtext(${fleet}))",
      "1"
    ]
  ]),
  ...of("src/fleet/internal/laneOf.ts", ["test/fleet/lanes.test.ts"], [
    ["low bits are as FNV left them", "h = Math.imul(h ^ h >>> 16, 0x85ebca6b)", ""]
  ]),
  ...of("src/fleet/internal/resize.ts", ["test/fleet/lanes.test.ts"], [
    ["a split lane begins anew", "[lane % from]", "[lane]"],
    ["a merged lane has one source", "length: from / to", "length: 1"],
    ["a gap does not count when lanes merge", "hole ?? position", "position"],
    ["the newest cursor is taken", "start(other) < start(one)", "start(other) > start(one)"]
  ]),
  ...of("src/fleet/internal/spread.ts", ["test/fleet/lanes.test.ts"], [
    ["few names are tried", "const enough = 24", "const enough = 2"],
    ["lanes fall where their hash says", "return `${lane}#${n}`", "return `${lane}#0`"]
  ]),
  ...of("src/fleet/internal/named.ts", ["test/fleet/Fleet.test.ts"], [
    ["the order of channels counts", "[...new Set(channels)].toSorted()", "[...new Set(channels)]"],
    ["groups do not count", "[...new Set(groups)].toSorted()", "[]"]
  ]),
  ...of("src/fleet/internal/catchUps.ts", ["test/fleet/catchUps.test.ts"], [
    ["each request at once is a catch-up", "waiting === 0 &&", ""],
    ["a turn that is given up waits for ever", "Effect.ensuring(isFirst ?", "Effect.tap(isFirst ?"],
    ["a catch-up ends when its last request asks", "last = now\n    waiting--", "waiting--"]
  ]),
  ...of("src/fleet/internal/handOver.ts", ["test/fleet/Fleet.test.ts"], [
    ["handlers begin while a lane ends", "if (!isOpen) return Effect.succeedNone", ""],
    ["handlers that run may not finish", "Effect.timeoutOption(idle.await, bound)", "Effect.void"],
    ["handlers may take for ever", "Effect.timeoutOption(idle.await, bound)", "idle.await"],
    [
      "a reader that cannot end keeps its lane",
      "Effect.timeoutOption(Fiber.interrupt(fiber), patience)",
      "Effect.asSome(Fiber.interrupt(fiber))"
    ],
    [
      "a lane reads on beside a reader that is left behind",
      "if (Exit.isSuccess(exit)) return yield* Effect.die(leftBehind)",
      ""
    ],
    ["no handler is stuck when others end", "if (isOpen) onRunning(running)", ""],
    ["a runner has no limit of handlers", "permits === undefined ? one :", "permits !== undefined ? one :"]
  ]),
  ...of("src/fleet/internal/lane.ts", ["test/fleet/Fleet.test.ts"], [
    ["a lane is stolen back at once", "yield* Effect.repeat(Effect.sleep(lane.pause), { until: lane.isOurs })", ""],
    [
      "a lane reads what it read first",
      "const isOther = until(lane.names, (other) => !isSame(names, other))",
      "const isOther = Effect.never"
    ],
    ["a lane that fails stays down", "yield* lane.failed\n", "yield* lane.failed\n    return yield* Effect.never\n"],
    ["commits in transactions are not noted", "Result.isSuccess(worked) ? then : Effect.void", "Effect.void"],
    ["lanes do not note what they read", "lane.taken(now.waiting, claim)", "Effect.void"]
  ]),
  ...of("src/pubnub/internal/reading/durable.ts", ["test/pubnub/transactions.test.ts"], [
    ["a transaction is not noted as saved", "handled === undefined || handled === saved ?", "handled === undefined ?"],
    ["a failed transaction is not tried again", "retried(transaction(name.reader", "(transaction(name.reader"],
    [
      "the log hears of another owner",
      "error.kind === \"Fenced\" ? Effect.void",
      "error.kind === \"Invalid\" ? Effect.void"
    ],
    ["events without a handler are not saved", "handled = cursorOf(event) ?? handled", "handled = saved"]
  ]),
  ...of("src/internal/handling.ts", ["test/pubnub/transactions.test.ts"], [
    [
      "deadLetter has no transaction",
      "around(Effect.suspend(() => deadLetter(work, error)), work)",
      "deadLetter(work, error)"
    ]
  ])
]
