/** The page of the Symphony emulator. */
import { document, section, table } from "./html.ts"

const streams = section("list", "Streams", `<ul id="streams" class="choices" role="list"></ul>`)

const messages = section(
  "messages",
  "Messages",
  `<form id="send-form"><label>Stream <input name="streamId" list="stream-ids" required autocomplete="off"></label>
<label>User <input name="username" list="usernames" required autocomplete="off"></label>
<label class="wide">Message <textarea name="message" rows="2" required>Hello</textarea></label>
<label class="check"><input type="checkbox" name="markup"> It is MessageML</label>
<button>Send</button><datalist id="stream-ids"></datalist><datalist id="usernames"></datalist></form>
<p class="none" data-empty="messages">None so far.</p><ol id="messages" class="feed" role="list" tabindex="0" aria-labelledby="messages-title"></ol>`
)

const pod = section(
  "pod",
  "Pod",
  `<form id="block-form"><label>Blocked words, with commas <input name="words" autocomplete="off"></label>
<button>Block words</button><p class="detail">Now: <span id="blocked">none</span></p></form>
<p class="buttons"><button type="button" id="expire-all">Expire all sessions</button></p>
${table("feeds", "Datafeeds", ["User", "Tag", "Events", "Last read (UTC)", "Id", "Change"], "None.")}`
)

const people = section(
  "data",
  "Users, streams and logins",
  table("users", "Users", ["Username", "Name", "Email", "Id", "Has a key", "Sessions"], "None.") +
    table("stream-table", "Streams", ["Id", "Type", "Name", "Members"], "None.") +
    table("logins", "Logins", ["Time (UTC)", "Name", "Kind"], "None.")
)

export const html = document(
  "Symphony emulator",
  "A restart drops the connections that wait, and keeps messages and sessions. The same seed and the same requests give the same faults.",
  { main: streams + messages, more: pod + people }
)
