/** The script of the PubNub emulator's page. It runs in a browser, and uses nothing from outside of this function. */
import type { State } from "../pubnubState.ts"
import type { kit } from "./kit.ts"

export const page = (tools: ReturnType<typeof kit>) => {
  const { announce, button, byId, choice, clock, element, fill, fillDatalist, fillNetwork, fillTable, send } = tools
  const { follow, onSubmit, setText, withChildren } = tools

  let newest = ""

  const showEvent = ({ channel, kind, meta, payload, publisher, time, type }: State["events"][number]) => {
    const head = withChildren(
      element("p", "", "head"),
      clock(time),
      element("strong", channel),
      element("span", kind, "badge")
    )
    if (type !== "") head.append(element("span", type, "badge"))
    if (publisher !== "") head.append(element("span", `from ${publisher}`, "detail"))
    const item = withChildren(element("li"), head, element("pre", payload))
    return meta === "" ? item : withChildren(item, element("pre", `meta ${meta}`, "detail"))
  }

  const showToken = ({ status, token }: State["tokens"][number]) => {
    const text = element("code", token)
    text.title = token
    const label = `${token.slice(0, 12)}…`
    const buttons = withChildren(
      element("span"),
      button("Revoke", `Revoke ${label}`, () => send("revoke", { token }, "The token is revoked.")),
      button("Expire", `Expire ${label}`, () => send("expire", { token }, "The token has expired."))
    )
    return [text, status, buttons]
  }

  const show = (state: State, isNew: boolean) => {
    const { actions, channels, events, groups, keys, memberships, metadata, network, present, readers, selected } =
      state
    setText("keys", `subscribe key ${keys.subscribeKey}, publish key ${keys.publishKey}`)
    setText("readers", `${readers} ${readers === 1 ? "poll waits" : "polls wait"}`)
    const names = channels.some(({ name }) => name === selected) || selected === ""
      ? channels
      : [...channels, { name: selected, present: 0 }]
    fill(
      byId("channels"),
      [{ name: "", present: 0, current: selected }, ...names.map((channel) => ({ ...channel, current: selected }))],
      ({ name }) => name,
      ({ current, name, present }) =>
        choice(name, name === "" ? "All channels" : name, present === 0 ? "" : `${present} present`, current)
    )
    fillDatalist("channel-names", channels.map(({ name }) => name))
    setText("events-title", selected === "" ? "Messages on all channels" : `Messages on ${selected}`)
    fill(byId("events"), events.toReversed(), ({ channel, timetoken }) => `${timetoken} ${channel}`, showEvent)
    const last = events.at(-1)
    if (last !== undefined && last.timetoken !== newest) {
      newest = last.timetoken
      if (!isNew) announce(`${last.kind} on ${last.channel}`)
    }
    byId("channel-details").hidden = selected === ""
    fill(byId("present"), present, (userId) => userId, (userId) => element("li", userId))
    fillTable(
      "actions",
      actions.toReversed(),
      ({ actionTimetoken }) => actionTimetoken,
      ({ actionTimetoken, messageTimetoken, type, userId, value }) => [
        type,
        value,
        userId,
        clock(Number(BigInt(actionTimetoken) / 10_000n)),
        element("code", messageTimetoken)
      ]
    )
    fillTable("tokens", state.tokens, ({ token }) => token, showToken)
    fillTable(
      "users",
      state.users,
      ({ id }) => id,
      ({ custom, email, id, name, status, type, updated }) => [
        id,
        name ?? "",
        email ?? "",
        type ?? "",
        status ?? "",
        custom,
        clock(updated)
      ]
    )
    fillTable(
      "metadata",
      metadata,
      ({ id }) => id,
      ({ custom, description, id, name, status, type, updated }) => [
        id,
        name ?? "",
        description ?? "",
        type ?? "",
        status ?? "",
        custom,
        clock(updated)
      ]
    )
    fillTable(
      "memberships",
      memberships,
      ({ channel, userId }) => JSON.stringify([channel, userId]),
      ({ channel, custom, status, type, userId }) => [channel, userId, type ?? "", status ?? "", custom]
    )
    fillTable("groups", groups, ({ group }) => group, ({ channels, group }) => [group, channels.join(", ")])
    fillNetwork(network)
    if (isNew && selected !== "") {
      const channel = document.querySelector("#publish-form [name=channel]")
      if (channel instanceof HTMLInputElement) channel.value = selected
    }
  }

  onSubmit("publish-form", (fields) => {
    const [channel, publisher] = [fields.get("channel") ?? "", fields.get("publisher") ?? ""]
    const signal = fields.get("kind") === "signal"
    return send(
      "publish",
      { channel, message: fields.get("message") ?? "", signal, ...publisher === "" ? {} : { publisher } },
      `${signal ? "Sent a signal" : "Published"} on ${channel}.`
    )
  })

  onSubmit("token-form", (fields) => {
    const how = fields.get("how") === "expire" ? "expire" : "revoke"
    return send(
      how,
      { token: fields.get("token") ?? "" },
      how === "revoke" ? "The token is revoked." : "The token has expired."
    )
  })

  return follow(show)
}
