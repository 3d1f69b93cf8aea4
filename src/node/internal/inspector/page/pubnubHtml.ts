/** The page of the PubNub emulator. */
import { document, section, table } from "./html.ts"

const channels = section("list", "Channels", `<ul id="channels" class="choices" role="list"></ul>`)

const messages = section(
  "events",
  "Messages",
  `<form id="publish-form"><label>Channel <input name="channel" list="channel-names" required autocomplete="off" maxlength="92"></label>
<label>User <input name="publisher" autocomplete="off" placeholder="optional"></label>
<label>Send as <select name="kind"><option value="message">message</option><option value="signal">signal</option></select></label>
<label class="wide">Message, JSON or text <textarea name="message" rows="2" required>{"text": "Hello"}</textarea></label>
<button>Publish</button><datalist id="channel-names"></datalist></form>
<div id="channel-details" hidden><h3>Present</h3><p class="none" data-empty="present">Nobody.</p><ul id="present" class="names" role="list"></ul>
${table("actions", "Message actions", ["Type", "Value", "User", "Added (UTC)", "Message"], "None.")}
<h3>Newest first</h3></div>
<p class="none" data-empty="events">None so far.</p><ol id="events" class="feed" role="list" tabindex="0" aria-labelledby="events-title"></ol>`
)

const tokens = section(
  "access",
  "Tokens",
  `<form id="token-form"><label>Token <input name="token" required autocomplete="off"></label>
<label>What happens <select name="how"><option value="revoke">it is revoked</option><option value="expire">it expires</option></select></label>
<button>Refuse token</button></form>
${table("tokens", "Known tokens", ["Token", "Status", "Change"], "No request had a token.")}`
)

const appContext = section(
  "data",
  "App Context and groups",
  table("users", "Users", ["Id", "Name", "Email", "Type", "Status", "Custom", "Updated (UTC)"], "None.") +
    table(
      "metadata",
      "Channel metadata",
      ["Id", "Name", "Description", "Type", "Status", "Custom", "Updated (UTC)"],
      "None."
    ) +
    table("memberships", "Memberships", ["Channel", "User", "Type", "Status", "Custom"], "None.") +
    table("groups", "Channel groups", ["Group", "Channels"], "None.")
)

export const html = document(
  "PubNub emulator",
  "A restart drops the connections that wait, and keeps messages and metadata. The same seed and the same requests give the same faults.",
  { main: channels + messages, more: tokens + appContext }
)
