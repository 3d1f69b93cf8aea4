/** The script of the Symphony emulator's page. It runs in a browser, and uses nothing from outside of this function. */
import type { State } from "../symphonyState.ts"
import type { kit } from "./kit.ts"

export const page = (tools: ReturnType<typeof kit>) => {
  const { announce, button, byId, choice, clock, element, fill, fillDatalist, fillNetwork, fillTable, send } = tools
  const { follow, onSubmit, setText, withChildren } = tools

  let newest = ""

  const nameOf = (streams: State["streams"], id: string) => {
    const stream = streams.find(({ streamId }) => streamId === id)
    return stream === undefined
      ? id
      : stream.name === ""
      ? `${stream.type} of ${stream.members.join(", ")}`
      : stream.name
  }

  const show = (state: State, isNew: boolean) => {
    const { blocked, feeds, logins, messages, network, readers, selected, streams, users } = state
    setText("readers", `${readers} ${readers === 1 ? "read waits" : "reads wait"}`)
    fill(
      byId("streams"),
      [
        { streamId: "", label: "All streams", detail: "", current: selected },
        ...streams.map(({ members, streamId, type }) => ({
          streamId,
          label: nameOf(streams, streamId),
          detail: `${type}, ${members.length} members`,
          current: selected
        }))
      ],
      ({ streamId }) => streamId,
      ({ current, detail, label, streamId }) => choice(streamId, label, detail, current)
    )
    fillTable(
      "stream-table",
      streams,
      ({ streamId }) => streamId,
      ({ members, name, streamId, type }) => [element("code", streamId), type, name, members.join(", ")]
    )
    fillDatalist("stream-ids", streams.map(({ streamId }) => streamId))
    fillDatalist("usernames", users.map(({ username }) => username))
    setText("messages-title", selected === "" ? "Messages in all streams" : `Messages in ${nameOf(streams, selected)}`)
    fill(
      byId("messages"),
      messages.toReversed().map((message) => ({ ...message, stream: nameOf(streams, message.streamId) })),
      ({ messageId }) => messageId,
      ({ attachments, note, stream, text, time, username }) => {
        const head = withChildren(
          element("p", "", "head"),
          clock(time),
          element("strong", username),
          element("span", `in ${stream}`, "detail")
        )
        if (note !== "") head.append(element("span", note, "badge"))
        const item = withChildren(element("li"), head, element("pre", text))
        return attachments.length === 0
          ? item
          : withChildren(item, element("p", `Files: ${attachments.join(", ")}`, "detail"))
      }
    )
    const last = messages.at(-1)
    if (last !== undefined && last.messageId !== newest) {
      newest = last.messageId
      if (!isNew) announce(`Message of ${last.username} in ${nameOf(streams, last.streamId)}`)
    }
    fillTable(
      "feeds",
      feeds,
      ({ feedId }) => feedId,
      ({ feedId, lastReadAt, pending, tag, username }) => {
        const id = element("code", feedId)
        id.title = feedId
        return [
          username,
          tag ?? "",
          String(pending),
          clock(lastReadAt),
          id,
          button(
            "Drop",
            `Drop the feed of ${username}`,
            () => send("dropFeed", { feedId }, `Dropped a feed of ${username}.`)
          )
        ]
      }
    )
    fillTable(
      "users",
      users,
      ({ userId }) => String(userId),
      ({ canLogIn, displayName, email, userId, username }) => [
        username,
        displayName,
        email ?? "",
        String(userId),
        canLogIn ? "yes" : "no",
        button(
          "Expire",
          `Expire the sessions of ${username}`,
          () => send("expire", { name: username }, `The sessions of ${username} have expired.`)
        )
      ]
    )
    fillTable(
      "logins",
      logins.map((login, index) => ({ ...login, index })).toReversed(),
      ({ index, time }) => `${time} ${index}`,
      ({ kind, name, time }) => [clock(time), name, kind]
    )
    setText("blocked", blocked.length === 0 ? "none" : blocked.join(", "))
    fillNetwork(network)
    if (isNew) {
      const stream = document.querySelector("#send-form [name=streamId]")
      const username = document.querySelector("#send-form [name=username]")
      if (stream instanceof HTMLInputElement) {
        if (selected !== "") stream.value = selected
        else if (stream.value === "") stream.value = streams[0]?.streamId ?? ""
      }
      if (username instanceof HTMLInputElement && username.value === "") {
        username.value = streams[0]?.members.at(-1) ?? users[0]?.username ?? ""
      }
    }
  }

  onSubmit("send-form", (fields) => {
    const username = fields.get("username") ?? ""
    const input = { streamId: fields.get("streamId") ?? "", username, message: fields.get("message") ?? "" }
    return send("send", { ...input, markup: fields.has("markup") }, `Sent as ${username}.`)
  })

  onSubmit("block-form", (fields) => {
    const words = (fields.get("words") ?? "").split(",").map((word) => word.trim()).filter((word) => word !== "")
    return send("block", { words }, words.length === 0 ? "No word is blocked." : `Blocked: ${words.join(", ")}.`)
  })

  byId("expire-all").addEventListener("click", () => send("expire", {}, "All sessions have expired."))

  return follow(show)
}
